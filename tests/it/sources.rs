//! What every source promises when its server is slow, huge, hostile or gone.

use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;
use serde_json::json;
use warroom::live::{Finding, Inquiry, WatchedObjective, WatchedService, Watchlist};
use warroom::slo::{Absent, Objective, ObjectiveId, ObjectiveKind, Side, Unit};
use warroom::source::Endpoint;
use warroom::source::http::{Limits, Site, Trouble};

use crate::support::http::{Reply, Server, refused_port};
use crate::support::source::{Seat, open};

const ALL: [&str; 3] = ["prometheus", "alertmanager", "jaeger"];

pub fn watchlist() -> Watchlist {
    let objective = Objective {
        id: "x".into(),
        title: "x".into(),
        kind: ObjectiveKind::Threshold,
        expr: "x".to_owned(),
        target: 1.0,
        unit: Unit::Count,
        side: Side::AtMost,
        window: "5m".into(),
        absent: Absent::Unknown,
        every: None,
        lag: None,
    };
    Watchlist {
        generation: 1,
        objectives: vec![WatchedObjective {
            reach: None,
            id: ObjectiveId { service: "alipay".into(), objective: "x".into() },
            objective,
        }],
        services: vec![WatchedService {
            service: "alipay".into(),
            slow: Some(TimeDelta::seconds(2)),
            ..WatchedService::default()
        }],
        ..Watchlist::default()
    }
}

pub async fn failure(name: &str, endpoint: &Endpoint) -> String {
    Seat::start(name, endpoint, watchlist()).poll().await.1.unwrap_err()
}

#[tokio::test]
async fn every_fault_of_a_server_becomes_a_sentence_in_bounded_time_and_memory() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let faults = [
        (Reply::Endless, "sent more than"),
        (Reply::GzipBomb(200 << 20), "sent more than"),
        (Reply::Truncated(b"{\"status\"".to_vec()), "broke the connection off"),
        (Reply::Reset, "broke the connection off"),
        (Reply::json("{\"status\":\"succ"), "cannot be read"),
        (Reply::json(format!("{{\"status\":{deep}")), "cannot be read"),
        (Reply::status(429, "slow down").with("retry-after", "7"), "answered 429"),
        (Reply::status(500, "oops \u{1b}[31m"), "answered 500: oops"),
        (Reply::json("<!doctype html>"), "a web page instead of data"),
    ];
    for (reply, sentence) in faults {
        let server = Server::start(move |_| reply.clone()).await;
        let site = Site::open("prometheus", &Endpoint::at(server.url()), Limits::default()).unwrap();
        let asked = async {
            let answer = site.ask(site.get("x").unwrap().send()).await?;
            if !answer.is_success() {
                return Err(site.complaint(&answer));
            }
            site.parse(answer, |text| serde_json::from_str::<serde_json::Value>(text)).await
        };
        let failure = asked.await.unwrap_err();
        assert!(failure.reason.contains(sentence), "{failure}, not {sentence}");
        if failure.trouble == Trouble::Status(429) {
            assert_eq!(failure.retry_after, Some(Duration::from_secs(7)));
        }
    }
}

#[tokio::test]
async fn a_server_that_dawdles_is_left_after_its_time() {
    let limits = Limits {
        connect: Duration::from_secs(1),
        idle: Duration::from_millis(1500),
        total: Duration::from_millis(2500),
        ..Limits::default()
    };
    for (reply, sentence) in
        [(Reply::Hang, "said nothing for 1.5 s"), (Reply::Trickle, "was still answering after 2.5 s")]
    {
        let server = Server::start(move |_| reply.clone()).await;
        let site = Site::open("jaeger", &Endpoint::at(server.url()), limits).unwrap();
        let failure = site.ask(site.get("x").unwrap().send()).await.unwrap_err();
        assert!(failure.reason.contains(sentence) && failure.trouble == Trouble::Late, "{failure}");
    }
}

#[tokio::test]
async fn whatever_a_server_does_quitting_takes_no_time() {
    let faults =
        [Reply::Hang, Reply::Trickle, Reply::Endless, Reply::GzipBomb(200 << 20), Reply::Reset, Reply::json("x")];
    for reply in faults {
        for name in ALL {
            let reply = reply.clone();
            let server = Server::start(move |_| reply.clone()).await;
            let mut seat = Seat::start(name, &Endpoint::at(server.url()), watchlist());
            seat.inquiries.send(Inquiry::Trace("abc".into())).await.unwrap();
            seat.next().await;
            while server.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            let begun = tokio::time::Instant::now();
            seat.task.abort();
            let _ = (&mut seat.task).await;
            assert!(
                begun.elapsed() < crate::support::promised(Duration::from_millis(100)),
                "{name}: {:?}",
                begun.elapsed()
            );
        }
    }
}

#[tokio::test]
async fn a_source_ends_when_the_console_is_gone() {
    for name in ALL {
        let server = Server::start(|_| Reply::Hang).await;
        let mut seat = Seat::start(name, &Endpoint::at(server.url()), watchlist());
        seat.next().await;
        seat.reports.close();
        tokio::time::timeout(Duration::from_secs(1), &mut seat.task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_other_server_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let token = secret(&folder, 0o600);
    for name in ALL {
        for status in [301, 302, 303, 307, 308] {
            let other = Server::start(|_| Reply::json("{}")).await;
            let target = format!("{}/login?next=secret", other.url());
            let first = Server::start(move |_| Reply::status(status, "").with("location", &target)).await;
            let endpoint = Endpoint { bearer_file: Some(token.clone()), ..Endpoint::at(first.url()) };
            let reason = failure(name, &endpoint).await;
            assert!(reason.contains(&format!("a redirect to {}, which is not followed", other.url())), "{reason}");
            assert_eq!(first.requests()[0].header("authorization"), Some("Bearer hunter2"));
            assert_eq!(other.requests().len(), 0);
        }
    }
}

fn secret(folder: &tempfile::TempDir, mode: u32) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.path().join("token");
    std::fs::write(&path, "hunter2\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

#[tokio::test]
async fn credentials_come_from_files_and_variables_and_stand_in_the_header_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = Some(secret(&folder, 0o640));
    let path_variable = std::env::var("PATH").unwrap();
    for name in ALL {
        let server = Server::start(|_| Reply::status(401, "who are you?")).await;
        let plain = Endpoint::at(server.url());
        for (endpoint, header) in [
            (Endpoint { bearer_file: file.clone(), ..plain.clone() }, "Bearer hunter2".to_owned()),
            (Endpoint { bearer_env: Some("PATH".to_owned()), ..plain.clone() }, format!("Bearer {path_variable}")),
            (
                Endpoint { basic_user: Some("me".to_owned()), basic_password_file: file.clone(), ..plain.clone() },
                "Basic bWU6aHVudGVyMg==".to_owned(),
            ),
        ] {
            let reason = failure(name, &endpoint).await;
            assert!(reason.contains("answered 401: the credentials are wrong or expired: check the "), "{reason}");
            assert!(!reason.contains("hunter2"));
            assert_eq!(server.requests().last().unwrap().header("authorization"), Some(header.as_str()));
        }
        let reason = failure(name, &plain).await;
        assert!(reason.contains("it wants credentials"), "{reason}");
    }
}

#[test]
fn a_secret_that_others_can_read_or_that_is_not_there_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, hint) in [(0o644, "chmod"), (0o660, "chmod"), (0o604, "chmod")] {
        let endpoint = Endpoint { bearer_file: Some(secret(&folder, mode)), ..Endpoint::at("http://localhost:1") };
        let error = open("jaeger", &endpoint).err().unwrap().to_string();
        assert!(error.contains(hint) && !error.contains("hunter2"), "{error}");
    }
    let plain = Endpoint::at("http://localhost:1");
    for (endpoint, hint) in [
        (Endpoint { bearer_file: Some("/nowhere".into()), ..plain.clone() }, "the file /nowhere cannot be read"),
        (Endpoint { bearer_env: Some("WARROOM_NOT_SET".to_owned()), ..plain.clone() }, "is not set"),
        (Endpoint { basic_user: Some("me".to_owned()), ..plain.clone() }, "needs basic-password-file"),
        (Endpoint { ca_file: Some("/nowhere".into()), ..Endpoint::at("https://localhost:1") }, "ca-file"),
        (Endpoint { headers: [("Cookie".to_owned(), "x".to_owned())].into(), ..plain.clone() }, "bearer-file"),
    ] {
        let error = open("prometheus", &endpoint).err().unwrap().to_string();
        assert!(error.contains(hint), "{error}");
    }
}

#[tokio::test]
async fn a_token_that_was_replaced_is_used_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret(&folder, 0o600);
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer fresh") if request.path == "/api/services" => Reply::json(r#"{"data":[]}"#),
        Some("Bearer fresh") => Reply::status(404, "404 page not found"),
        _ => Reply::status(401, "expired"),
    })
    .await;
    let endpoint = Endpoint { bearer_file: Some(path.clone()), ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("jaeger", &endpoint, Watchlist::default());
    seat.poll().await.1.unwrap_err();
    std::fs::write(&path, "fresh").unwrap();
    while seat.poll().await.1.is_err() {}
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again_with_growing_pauses_and_a_new_watchlist_does_not_wait() {
    for name in ALL {
        let endpoint = Endpoint::at(format!("http://127.0.0.1:{}", refused_port().await));
        let mut seat = Seat::start(name, &endpoint, watchlist());
        let mut pauses = Vec::new();
        for generation in 1..6 {
            let pause = seat.until(|finding| match finding {
                Finding::Failed { reason, retry_in } => {
                    assert!(reason.ends_with("refused the connection: is it running?"), "{reason}");
                    Some(retry_in)
                }
                _ => None,
            });
            pauses.push(pause.await);
            // Well before the pause is over.
            seat.watch.send(Watchlist { generation, ..watchlist() }.into()).unwrap();
        }
        assert!(pauses[4] > TimeDelta::seconds(12) && pauses.is_sorted(), "{pauses:?}");
    }
}

#[tokio::test]
async fn hostile_text_in_labels_names_and_errors_has_lost_its_teeth() {
    let evil = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\u{e0041}\nx";
    let server = Server::start(move |request| {
        let number = |name: &str| request.parameter(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        let one = |name: &str| {
            json!({"metric": {"a": format!("{evil}{name}"), (evil): name}, "values": [[number("start"), "1"]]})
        };
        let span = json!({"spanID": "1", "operationName": evil, "startTime": 1, "duration": 9_000_000, "processID": "p",
            "tags": [{"key": "error", "value": evil}, {"key": evil, "value": evil}], "warnings": [evil]});
        match request.path.as_str() {
            "/api/v1/query_range" => Reply::json(
                json!({"status": "success", "warnings": [evil], "data": {"resultType": "matrix",
                       "result": [one("1"), one("2")]}})
                .to_string(),
            ),
            "/api/services" => Reply::json(r#"{"data":[]}"#),
            "/api/traces" | "/api/traces/00000000000000000000000000000001" => Reply::json(
                json!({"data": [{"traceID": "1", "spans": [span], "processes": {"p": {"serviceName": "alipay"}}}]})
                    .to_string(),
            ),
            _ => Reply::status(418, evil),
        }
    })
    .await;
    for name in ["prometheus", "jaeger"] {
        let mut seat = Seat::start(name, &Endpoint::at(server.url()), watchlist());
        seat.inquiries.send(Inquiry::Trace("1".into())).await.unwrap();
        let (findings, outcome) = seat.poll().await;
        assert_eq!(outcome, Ok(()));
        let shown = format!("{findings:?}");
        // A terminal's sequence is gone whole; what turns text around is kept as written, and the screen shows a mark for it.
        assert!(!shown.contains("owned"), "{shown}");
        assert!(!["\\u{1b}", "\\u{9b}", "\\u{7}"].iter().any(|control| shown.contains(control)), "{shown}");
        // What is one line on the screen has no line end; the whole text of a tag, which a trace keeps beside it, has its own.
        let is_whole = |finding: &&Finding| matches!(finding, Finding::Trace(_));
        let lines = format!("{:?}", findings.iter().filter(|finding| !is_whole(finding)).collect::<Vec<_>>());
        assert!(!lines.contains("\\n"), "{lines}");
        assert!(!shown.chars().any(char::is_control), "{shown}");
    }
}

const REAL: [(&str, &str); 3] = [
    (
        "prometheus",
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"a"},"values":[[1780000000,"1"],[1780000016,"NaN"]]}]},"warnings":["w"]}"#,
    ),
    (
        "jaeger",
        r#"{"data":[{"traceID":"0af7","spans":[{"traceID":"0af7","spanID":"1","operationName":"pay","references":[{"refType":"CHILD_OF","traceID":"0af7","spanID":"2"}],"startTime":1780000000000000,"duration":2500000,"tags":[{"key":"error","type":"bool","value":true}],"logs":[{"timestamp":1780000000000000,"fields":[{"key":"event","value":"error"}]}],"processID":"p1","warnings":null}],"processes":{"p1":{"serviceName":"alipay"}}}],"errors":null}"#,
    ),
    (
        "jaeger",
        r#"{"result":{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"alipay"}}]},"scopeSpans":[{"spans":[{"traceId":"0af7","spanId":"1","parentSpanId":"2","name":"pay","kind":2,"startTimeUnixNano":"1780000000000000000","endTimeUnixNano":"1780000002500000000","status":{"code":2},"events":[{"timeUnixNano":"1","name":"exception"}]}]}]}]}}"#,
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn a_mutated_answer_is_a_finding_or_a_sentence_and_never_a_panic(
        which in 0..REAL.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let (name, real) = REAL[which];
        let mut body = real.as_bytes().to_vec();
        for (place, kind, byte) in edits {
            if body.is_empty() {
                break;
            }
            let place = place.index(body.len());
            match kind {
                0 => body[place] = byte,
                1 => { body.remove(place); }
                2 => body.insert(place, b"0-e\"[{,}]9"[usize::from(byte) % 10]),
                _ => body.truncate(place.max(1)),
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start(move |request| match request.path.as_str() {
                "/api/services" if which == 1 => Reply::json(r#"{"data":[]}"#),
                "/api/v3/services" if which == 2 => Reply::json("{}"),
                path if path.ends_with("services") => Reply::status(404, "404 page not found"),
                _ => Reply::json(body.clone()),
            }).await;
            let mut seat = Seat::start(name, &Endpoint::at(server.url()), watchlist());
            seat.poll().await
        }).1.map_or_else(|reason| assert!(reason.starts_with(name), "{reason}"), |()| ());
    }
}
