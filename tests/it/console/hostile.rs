//! Text from outside that wants to be more than text.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use warroom::run::clock;

use super::{ESC, Host, SOON, Typist, play, recorded};
use crate::support::http::{Reply, Request};
use crate::support::pty::{assert_no_stray_escapes, code};

/// What terminals, editors and eyes have been fooled with; each holds `MARK`, which must be shown.
fn evil() -> Vec<String> {
    let mut all: Vec<String> = [
        "\x1b[2J\x1b[HMARK cleared",
        "\x1b]0;title\x07MARK title",
        "\x1b]52;c;cm0gLXJmIC8=\x07MARK clipboard",
        "\x1b]8;;http://evil.example\x1b\\MARK link\x1b]8;;\x1b\\",
        "\x1bP$q\"p\x1b\\MARK dcs",
        "\x1b[6nMARK report",
        "\x1b[?1049lMARK main screen",
        "\u{9b}31mMARK c1 \u{9d}0;x\u{9c}",
        "MARK \u{202e}gnp.exe\u{202c} \u{2066}x\u{2069}",
        "MARK \u{200b}\u{200c}\u{200d}\u{2060}\u{feff}zero",
        "MARK \u{e0041}\u{e0042}\u{e007f} tags",
        "MARK\x00nul\x08\x08\x08back\x7f",
        "over\rMARK carriage",
        "MARK tab\there\x0b\x0c",
        "MARK \u{2028}line\u{2029}paragraph",
        "MARK \u{fe0f}\u{fe0e} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} family",
        "MARK \u{115f}\u{1160}\u{3164}\u{ffa0} fillers",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("MARK a{}bomb", "\u{301}".repeat(100_000)));
    all.push(format!("MARK {}", "\u{652f}".repeat(3000)));
    all.push(format!("MARK {}", "x".repeat(50_000)));
    all
}

#[test]
fn notes_from_a_pipe_reach_no_terminal_as_more_than_text() {
    let host = Host::new().declared();
    let mut scribe = host.open(&["--role", "scribe"]);
    let mut wall = host.open(&["--wall"]);
    for (place, text) in evil().into_iter().enumerate() {
        let text = text.replace("MARK", &format!("mark{place:02}"));
        let mut note = host.command(super::WARROOM);
        let mut child = note.arg("note").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that is too long is not read to its end.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        let output = child.wait_with_output().unwrap();
        let mark = format!("mark{place:02}");
        if output.status.success() {
            scribe.wait_until(&mark, SOON, |screen| recorded(&screen.contents(), &mark));
        } else {
            // Too long is refused aloud; nothing else is.
            assert_eq!(code(output.status), 1);
            assert!(
                String::from_utf8_lossy(&output.stderr).contains("at most 65,536 (64 KB) fit into an entry"),
                "{mark}: {output:?}"
            );
        }
        wall.watch(Duration::from_millis(30));
    }
    // Selected, they are shown in full; searched for, they are marked.
    scribe.send(format!("{ESC}4"));
    for _ in 0..20 {
        scribe.send("\x1b[A");
        scribe.watch(Duration::from_millis(15));
    }
    scribe.send("/mark\r");
    scribe.watch(Duration::from_millis(300));
    scribe.send("\x0c");
    scribe.watch(Duration::from_millis(200));
    wall.quit();
    // A pipe gets what was written, a terminal what a screen may show.
    let shown = String::from_utf8(host.run(&["show", "INC-1"]).stdout).unwrap();
    assert!(shown.chars().all(|letter| matches!(letter, '\n' | '\t') || !letter.is_control()));
    assert!(shown.contains("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} family"));
    let mut seen = host.start(super::WARROOM, &["show", "INC-1", "--no-pager"], &[], (120, 40));
    assert_eq!(code(seen.wait_exit(SOON)), 0);
    assert_no_stray_escapes(seen.raw());
    assert_no_stray_escapes(host.say(&["list"]).as_bytes());
    scribe.quit();
}

/// A Prometheus whose every label, and warning, is hostile.
fn prometheus(request: &Request) -> Reply {
    let end = clock::wall().timestamp();
    let (start, step) = (number(request, "start").unwrap_or(end - 3600), number(request, "step").unwrap_or(60).max(1));
    let stop = number(request, "end").unwrap_or(end);
    // As Prometheus does, of the moment that was asked for: its clock may show the next second already.
    let asked = number(request, "time").unwrap_or(end);
    let values: Vec<_> = (start..=stop).step_by(usize::try_from(step).unwrap()).map(|at| json!([at, "0.42"])).collect();
    let is_range = request.path.ends_with("query_range");
    let result: Vec<_> = evil()
        .into_iter()
        .take(17)
        .enumerate()
        .map(|(place, text)| {
            let metric = json!({ "__name__": "x", "pod": text, text.clone(): format!("pod {place}") });
            if is_range {
                json!({ "metric": metric, "values": values })
            } else {
                json!({ "metric": metric, "value": [asked, "0.42"] })
            }
        })
        .collect();
    let kind = if is_range { "matrix" } else { "vector" };
    Reply::json(
        json!({ "status": "success", "warnings": evil(), "infos": evil(), "data": { "resultType": kind, "result": result } }).to_string(),
    )
}

fn number(request: &Request, name: &str) -> Option<i64> {
    request.parameter(name)?.parse::<f64>().ok().map(|number| number as i64)
}

/// A Jaeger whose every name, tag, log and warning is hostile.
fn jaeger(request: &Request) -> Reply {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    if request.path == "/api/services" {
        return Reply::json(json!({ "data": evil(), "errors": null }).to_string());
    }
    if !request.path.starts_with("/api/traces") {
        return Reply::status(404, evil().join(" "));
    }
    let now = clock::wall().timestamp_micros();
    let mut processes = serde_json::Map::new();
    let mut spans = Vec::new();
    for (place, text) in evil().into_iter().take(18).enumerate() {
        processes.insert(format!("p{place}"), json!({ "serviceName": text, "tags": [{ "key": text, "value": text }] }));
        spans.push(json!({
            "traceID": TRACE, "spanID": format!("{:016x}", place + 1), "operationName": text, "processID": format!("p{place}"),
            "references": if place == 0 { json!(null) } else { json!([{ "refType": "CHILD_OF", "traceID": TRACE, "spanID": format!("{place:016x}") }]) },
            "startTime": now - 60_000_000 + i64::try_from(place).unwrap() * 1000, "duration": 900_000,
            "tags": [{ "key": "error", "value": text }, { "key": text, "value": text }],
            "logs": [{ "timestamp": now, "fields": [{ "key": "exception.type", "value": text }, { "key": "exception.message", "value": text }, { "key": text, "value": text }] }],
            "warnings": [text],
        }));
    }
    Reply::json(json!({ "data": [{ "traceID": TRACE, "spans": spans, "processes": processes, "warnings": evil() }], "errors": null }).to_string())
}

#[test]
fn labels_and_span_names_reach_no_terminal_as_more_than_text() {
    let metrics = play(prometheus);
    let traces = play(jaeger);
    let host = Host::new().declared();
    for size in [(120, 40), (200, 60)] {
        let arguments = ["open", "INC-1", "--prometheus", &metrics.url(), "--jaeger", &traces.url()];
        let mut console = host.start(super::WARROOM, &arguments, &[], size);
        console.wait_for("INC-1 SEV1", SOON);
        console.wait_for("420 ms", SOON);
        console.wait_for("MARK", SOON);
        for keys in [
            "1", "\x1b[D", "\r", "\x1b[B", "p", "2", "s", "o", "z", "s", "\r", "\r", "\x1b[B", "\r", "p", "\x1b[B",
            "z", "4", "\x1b[A", "\x0c",
        ] {
            console.send(keys);
            console.watch(Duration::from_millis(150));
        }
        assert!(console.screen().alternate_screen());
        console.quit();
    }
    // An error page in place of an answer.
    metrics.change(|_| Reply::status(500, evil().join(" ")));
    traces.change(|_| Reply::status(500, evil().join(" ")));
    let mut console = host.open(&["--prometheus", &metrics.url(), "--jaeger", &traces.url()]);
    console.wait_for("500", SOON);
    console.watch(Duration::from_millis(500));
    console.quit();
    assert_no_stray_escapes(host.say(&["show", "INC-1"]).as_bytes());
}
