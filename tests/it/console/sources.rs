//! A real Prometheus and a played Jaeger that answer, die and come back below an open console.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use warroom::playbook::Catalogue;
use warroom::run::clock;
use warroom::slo::Objective;

use super::{ESC, Host, SOON, Typist, WARROOM, play, recorded};
use crate::support::http::{Reply, Request};
use crate::support::prometheus::{Prometheus, encoded, is_installed};
use crate::support::pty::{Pty, assert_no_stray_escapes, code};

/// Two hours of `alipay` up to a little after now: everything that its playbook asks for.
fn samples(end: i64) -> String {
    let moments: Vec<i64> = (0..500).map(|step| end - 15 * (499 - step)).collect();
    let mut out = String::new();
    let mut metric = |kind: &str, name: &str, series: &[(&str, &dyn Fn(f64) -> f64)]| {
        out.push_str(&format!("# TYPE {name} {kind}\n"));
        let suffix = if kind == "counter" { "_total" } else { "" };
        for (labels, value) in series {
            for (step, at) in moments.iter().enumerate() {
                let (name, labels) = match labels.split_once('|') {
                    Some((part, labels)) => (format!("{name}{part}"), labels),
                    None => (format!("{name}{suffix}"), *labels),
                };
                out.push_str(&format!("{name}{{{labels}}} {} {at}\n", value(step as f64)));
            }
        }
    };
    metric(
        "histogram",
        "upstream_request_duration_seconds",
        &[
            ("_bucket|namespace=\"alipay\",le=\"0.5\"", &|step| step * 600.0),
            ("_bucket|namespace=\"alipay\",le=\"1.0\"", &|step| step * 700.0),
            ("_bucket|namespace=\"alipay\",le=\"5.0\"", &|step| step * 780.0),
            ("_bucket|namespace=\"alipay\",le=\"+Inf\"", &|step| step * 780.0),
            ("_count|namespace=\"alipay\"", &|step| step * 780.0),
            ("_sum|namespace=\"alipay\"", &|step| step * 500.0),
        ],
    );
    metric(
        "counter",
        "upstream_requests",
        &[
            ("namespace=\"alipay\",outcome=\"ok\"", &|step| step * 640.0),
            ("namespace=\"alipay\",outcome=\"error\"", &|step| step * 140.0),
        ],
    );
    metric("counter", "payments_completed", &[("provider=\"alipay\"", &|step| step * 412.0)]);
    metric("gauge", "payments_pending", &[("provider=\"alipay\"", &|_| 1234.0)]);
    metric("gauge", "upstream_pool_in_use", &[("namespace=\"alipay\"", &|_| 431.0)]);
    metric("gauge", "upstream_pool_size", &[("namespace=\"alipay\"", &|_| 500.0)]);
    metric("counter", "alipay_auth_refusals", &[("namespace=\"alipay\"", &|step| step * 3.0)]);
    out + "# EOF\n"
}

fn objectives() -> Vec<Objective> {
    Catalogue::shipped().get("alipay").unwrap().objectives.clone()
}

impl Host {
    /// Polls often, so that a test sees an age grow.
    pub(super) fn in_a_hurry(self, sources: &[(&str, String)], every: Duration) -> Self {
        let folder = self.folder.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        let every = every.as_secs();
        let tables: Vec<_> =
            sources.iter().map(|(name, url)| format!("[{name}]\nurl = \"{url}\"\nevery = \"{every}s\"\n")).collect();
        std::fs::write(folder.join("config.toml"), tables.concat()).unwrap();
        self
    }
}

/// Other keys act while a source is gone: a note is recorded, panes are turned.
fn others_work(console: &mut Pty, text: &str) {
    let from = clock::boot();
    console.note(text);
    console.type_for("?", "every action by its name");
    console.type_for(ESC, ": commands");
    console.send("\t\t");
    eprintln!("a note, help and two panes took {:?} beside a dead source", clock::boot() - from);
}

fn quits_at_once(mut console: Pty) {
    console.send("q");
    let from = clock::boot();
    assert_eq!(code(console.wait_exit(SOON)), 0);
    let took = clock::boot() - from;
    assert!(took < crate::support::promised(Duration::from_millis(500)), "quitting took {took:?}");
    assert_no_stray_escapes(console.raw());
}

#[test]
fn values_are_prometheus_own_and_its_death_and_return_are_shown() {
    if !is_installed() {
        return;
    }
    let mut server = Prometheus::start(&samples(clock::wall().timestamp() + 600));
    let host = Host::new().declared().in_a_hurry(&[("prometheus", server.url())], Duration::from_secs(1));
    let mut console = host.start(WARROOM, &["open", "INC-1"], &[], (160, 60));
    console.wait_for("INC-1 SEV1", SOON);
    console.wait_for("met", SOON);
    console.send("1");
    for objective in objectives() {
        // One chart alone, so that its heading and nothing else is looked at.
        console.send("\r");
        console.wait_for(&objective.title, SOON);
        let query = encoded(&objective.query("5m"));
        let at = clock::wall().timestamp();
        let theirs = server.ask(&format!("/api/v1/query?query={query}&time={at}"));
        let value: f64 = theirs["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
        let shown = objective.unit.show(value);
        let expected = format!("{shown}  ");
        let title = objective.title.to_string();
        console.wait_until(&format!("{title} {shown}"), SOON, |screen| {
            screen.contents().lines().any(|row| row.contains(&title) && row.contains(&expected))
        });
        eprintln!("{title}: {shown} on the screen, {value} over HTTP");
        console.send("\r\x1b[B");
        console.watch(Duration::from_millis(50));
    }

    let killed = clock::boot();
    server.kill();
    console.wait_for("failing since", SOON);
    eprintln!("said to fail {:?} after its death", clock::boot() - killed);
    console.wait_for("STALE, of", SOON);
    eprintln!("stale {:?} after its death", clock::boot() - killed);
    others_work(&mut console, "prometheus is gone");
    console.wait_for("NO DATA since", SOON);
    eprintln!("NO DATA {:?} after its death", clock::boot() - killed);

    server.restart();
    let back = clock::boot();
    console.wait_until("fresh data", Duration::from_secs(35), |screen| {
        let contents = screen.contents();
        !contents.contains("NO DATA") && !contents.contains("STALE") && !contents.contains("failing since")
    });
    eprintln!("fresh {:?} after its return", clock::boot() - back);
    server.kill();
    console.wait_for("failing since", SOON);
    quits_at_once(console);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Api {
    Legacy,
    Otlp,
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn found(api: Api) -> Value {
    let now = clock::wall().timestamp_micros() - 60_000_000;
    match api {
        Api::Legacy => {
            let span = |id: &str, parent: Value, process: &str, operation: &str, tags: Value| {
                json!({ "traceID": TRACE, "spanID": id, "operationName": operation, "references": parent, "startTime": now,
                        "duration": 2_100_000, "tags": tags, "processID": process, "logs": null, "warnings": null })
            };
            let child = json!([{ "refType": "CHILD_OF", "traceID": TRACE, "spanID": "00000000000000aa" }]);
            json!({ "data": [{ "traceID": TRACE, "warnings": null,
                "processes": { "p1": { "serviceName": "alipay-gateway" }, "p2": { "serviceName": "alipay-upstream" } },
                "spans": [
                    span("00000000000000aa", json!(null), "p1", "POST /pay", json!([{ "key": "http.status_code", "value": 504 }])),
                    span("00000000000000bb", child, "p2", "charge", json!([{ "key": "error", "value": true }, { "key": "peer.host", "value": "psp-7" }])),
                ] }], "errors": null })
        }
        Api::Otlp => {
            let span = |id: &str, parent: &str, name: &str, status: Value| {
                json!({ "traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": 2,
                        "startTimeUnixNano": format!("{}", now * 1000), "endTimeUnixNano": format!("{}", (now + 2_100_000) * 1000),
                        "attributes": [{ "key": "peer.host", "value": { "stringValue": "psp-7" } }], "status": status })
            };
            let resource = |service: &str, spans: Value| {
                json!({ "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] },
                        "scopeSpans": [{ "spans": spans }] })
            };
            json!({ "result": { "resourceSpans": [
                resource("alipay-gateway", json!([span("00000000000000aa", "", "POST /pay", json!({}))])),
                resource("alipay-upstream", json!([span("00000000000000bb", "00000000000000aa", "charge", json!({ "code": 2, "message": "deadline" }))])),
            ] } })
        }
    }
}

fn playing(api: Api, request: &Request) -> Reply {
    match (api, request.path.as_str()) {
        (Api::Legacy, "/api/services") => Reply::json(r#"{"data":["alipay-gateway"],"errors":null}"#),
        (Api::Otlp, "/api/v3/services") => Reply::json(r#"{"services":["alipay-gateway"]}"#),
        (Api::Legacy, path) if path.starts_with("/api/traces") => Reply::json(found(api).to_string()),
        (Api::Otlp, path) if path.starts_with("/api/v3/traces") => Reply::json(found(api).to_string()),
        _ => Reply::status(404, "404 page not found\n"),
    }
}

#[test]
fn error_spans_open_as_a_trace_and_a_dead_jaeger_comes_back() {
    spans_open_die_and_return(Api::Legacy);
}

#[test]
fn error_spans_of_the_newer_api_open_as_a_trace_and_its_death_is_survived() {
    spans_open_die_and_return(Api::Otlp);
}

#[test]
fn a_span_is_read_whole_in_the_pager() {
    let server = play(|request| playing(Api::Legacy, request));
    let host = Host::new().declared().in_a_hurry(&[("jaeger", server.url())], Duration::from_secs(1));
    let pager = host.folder.path().join("pager");
    std::fs::write(&pager, "#!/bin/sh\necho \"PAGED $(grep -m 1 psp-7)\"\nread answer </dev/tty\n").unwrap();
    std::fs::set_permissions(&pager, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let pager = pager.display().to_string();
    let mut console = host.start(WARROOM, &["open", "INC-1"], &[("PAGER", &pager)], (160, 60));
    console.wait_for("INC-1 SEV1", SOON);
    console.wait_for("alipay-upstream", SOON);
    console.send("2");
    console.type_for("\r", &format!("trace {TRACE}"));
    console.type_for("z", "POST /pay");
    console.send("\x1b[B\r");
    console.wait_for("psp-7", SOON);
    console.send("v");
    console.wait_until("the span in the pager", SOON, |screen| {
        screen.contents().lines().any(|line| line.starts_with("PAGED ") && line.contains("psp-7"))
    });
    console.send("\n");
    console.wait_until("the console", SOON, |screen| {
        screen.contents().contains("peer.host") && !screen.contents().contains("PAGED")
    });
    console.send(ESC);
    console.quit();
}

fn spans_open_die_and_return(api: Api) {
    let is_alive = Arc::new(AtomicBool::new(true));
    let alive = is_alive.clone();
    let server = play(move |request| if alive.load(Ordering::SeqCst) { playing(api, request) } else { Reply::Reset });
    let host = Host::new().declared().in_a_hurry(&[("jaeger", server.url())], Duration::from_secs(1));
    let mut console = host.start(WARROOM, &["open", "INC-1"], &[], (160, 60));
    console.wait_for("INC-1 SEV1", SOON);
    console.wait_for("charge", SOON);
    console.wait_for("alipay-upstream", SOON);
    console.send("2");
    console.type_for("\r", &format!("trace {TRACE}"));
    console.wait_for("POST /pay", SOON);
    console.type_for("z", "POST /pay");
    console.send("\x1b[B\r");
    console.wait_for("psp-7", SOON);
    console.send("p");
    console.send("z");
    console.wait_until("the evidence", SOON, |screen| screen.contents().lines().any(|row| recorded(row, TRACE)));
    console.send(ESC);

    is_alive.store(false, Ordering::SeqCst);
    console.wait_for("failing since", SOON);
    console.wait_for("STALE, of", SOON);
    others_work(&mut console, "jaeger is gone");
    console.wait_for("NO DATA since", SOON);
    is_alive.store(true, Ordering::SeqCst);
    let back = clock::boot();
    console.wait_until("fresh spans", Duration::from_secs(35), |screen| {
        !screen.contents().contains("NO DATA since") && !screen.contents().contains("failing since")
    });
    eprintln!("{api:?}: fresh {:?} after its return", clock::boot() - back);
    is_alive.store(false, Ordering::SeqCst);
    console.wait_for("failing since", SOON);
    quits_at_once(console);
}

#[test]
fn a_source_that_never_answers_holds_up_nobody() {
    let server = play(|_| Reply::Hang);
    let host = Host::new().declared();
    let mut console = host.open(&["--prometheus", &server.url(), "--jaeger", &server.url()]);
    others_work(&mut console, "nobody answers");
    quits_at_once(console);
}
