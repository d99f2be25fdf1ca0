//! A trace that is opened from Jaeger: read whole, in line mode, and beside a healthy one of the same operation.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use warroom::live::{Finding, Inquiry, WatchedService, Watchlist};
use warroom::source::Endpoint;
use warroom::spans::Trace;
use warroom::spans::compare::{Change, Compared, Entry, Period, Wanted, differences};

use crate::plain::{Host, SOON};
use crate::support::http::{Reply, Request, Server};
use crate::support::source::Seat;

/// A moment on the last minute, in microseconds, so many minutes ago.
fn ago(minutes: i64) -> i64 {
    (warroom::clock::wall() - TimeDelta::minutes(minutes)).timestamp_micros()
}

/// A span of Jaeger's JSON: name, parent, process, offset and length in milliseconds.
fn span(trace: &str, at: i64, (id, parent, process, from, takes): (&str, &str, &str, i64, i64), tags: Value) -> Value {
    let references = match parent {
        "" => json!([]),
        parent => json!([{"refType": "CHILD_OF", "traceID": trace, "spanID": parent}]),
    };
    json!({"traceID": trace, "spanID": id, "operationName": format!("op-{id}"), "references": references,
           "startTime": at + from * 1000, "duration": takes * 1000, "tags": tags, "logs": [], "processID": process})
}

const STACK: &str =
    "java.sql.SQLException: deadlock\n\tat ledger.Book.write(Book.java:7)\n\tat ledger.Main.run(Main.java:1)";

fn statement() -> String {
    format!("SELECT {} FROM ledger -- the end of it", "column_of_the_ledger, ".repeat(230))
}

/// A request: a good one, or one that failed in a service that good ones never call.
fn request(number: i64, at: i64, is_bad: bool) -> Value {
    let trace = format!("{:032x}", 0xabc_0000 + number);
    let error = json!([{"key": "error", "value": true}, {"key": "otel.status_code", "value": "ERROR"},
        {"key": "otel.status_description", "value": "deadlock"}]);
    let mut spans = vec![span(&trace, at, ("a", "", "p1", 0, 100), if is_bad { error.clone() } else { json!([]) })];
    if is_bad {
        let mut tags = error.as_array().unwrap().clone();
        tags.push(json!({"key": "db.statement", "value": statement()}));
        let mut broken = span(&trace, at, ("b", "a", "p2", 10, 80), json!(tags));
        broken["logs"] = json!([{"timestamp": at + 50_000, "fields": [
            {"key": "event", "value": "exception"}, {"key": "exception.stacktrace", "value": STACK}]}]);
        spans.push(broken);
    } else {
        spans.push(span(&trace, at, ("c", "a", "p1", 10, 20), json!([])));
    }
    let process = |service: &str, pod: &str| json!({"serviceName": service, "tags": [{"key": "k8s.pod.name", "value": pod}, {"key": "service.version", "value": "4.2.1"}]});
    json!({"traceID": trace, "spans": spans, "warnings": null,
           "processes": {"p1": process("alipay-gateway", "alipay-7f9"), "p2": process("ledger", "ledger-0")}})
}

/// The same in the words of the newer API.
fn otlp(found: &[&Value]) -> Value {
    let nanos = |micros: i64| (micros * 1000).to_string();
    let attribute = |tag: &Value| {
        let value = match &tag["value"] {
            Value::Bool(is) => json!({ "boolValue": is }),
            value => json!({ "stringValue": value }),
        };
        json!({"key": tag["key"], "value": value})
    };
    let resources = found.iter().flat_map(|trace| {
        trace["spans"].as_array().unwrap().iter().map(|span| {
            let service = &trace["processes"][span["processID"].as_str().unwrap()]["serviceName"];
            let (start, takes) = (span["startTime"].as_i64().unwrap(), span["duration"].as_i64().unwrap());
            let is_bad = span["tags"].as_array().unwrap().iter().any(|tag| tag["key"] == "error");
            let parent = span["references"].as_array().unwrap().first().map_or(json!(""), |to| to["spanID"].clone());
            json!({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [{"spans": [{"traceId": span["traceID"], "spanId": span["spanID"],
                    "parentSpanId": parent, "name": span["operationName"], "kind": 2,
                    "startTimeUnixNano": nanos(start), "endTimeUnixNano": nanos(start + takes),
                    "attributes": span["tags"].as_array().unwrap().iter().map(attribute).collect::<Vec<_>>(),
                    "status": if is_bad { json!({"code": 2, "message": "deadlock"}) } else { json!({}) }}]}]})
        })
    });
    json!({"result": {"resourceSpans": resources.collect::<Vec<_>>()}})
}

/// Jaeger with a hundred good requests of twenty minutes ago and ten bad ones of the last minutes.
fn store() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let (good, bad) = (ago(20), ago(3));
    let all: Vec<(i64, Value)> = (0..100)
        .map(|number| (good + number * 1_000_000, request(number, good + number * 1_000_000, false)))
        .chain((0..10).map(|number| (bad + number * 1_000_000, request(900 + number, bad + number * 1_000_000, true))))
        .collect();
    move |asked| {
        let number = |name: &str| asked.parameter(name).and_then(|text| text.parse::<i64>().ok());
        match asked.path.as_str() {
            "/api/services" => {
                Reply::json(r#"{"data":["alipay-gateway"],"total":1,"limit":0,"offset":0,"errors":null}"#)
            }
            "/api/v3/services" => Reply::json(r#"{"services":["alipay-gateway"]}"#),
            "/api/v3/traces" => {
                let micros = |name: &str| {
                    let moment = chrono::DateTime::parse_from_rfc3339(asked.parameter(name)?).ok()?;
                    Some(moment.timestamp_micros())
                };
                let (from, until) = (micros("query.start_time_min").unwrap(), micros("query.start_time_max").unwrap());
                let limit = number("query.search_depth").unwrap() as usize;
                let is_of = |at: i64| (from..until).contains(&at);
                let found: Vec<&Value> =
                    all.iter().rev().filter(|(at, _)| is_of(*at)).map(|(_, trace)| trace).take(limit).collect();
                Reply::json(otlp(&found).to_string())
            }
            "/api/traces" => {
                let (from, until) = (number("start").unwrap_or(0), number("end").unwrap_or(i64::MAX));
                let is_of = |at: i64| (from..until).contains(&at);
                let limit = number("limit").unwrap_or(20) as usize;
                // The newest first, as Jaeger gives them.
                let found: Vec<&Value> =
                    all.iter().rev().filter(|(at, _)| is_of(*at)).map(|(_, trace)| trace).take(limit).collect();
                Reply::json(json!({"data": found}).to_string())
            }
            path => {
                let found: Vec<&Value> = all
                    .iter()
                    .map(|(_, trace)| trace)
                    .filter(|trace| path.ends_with(trace["traceID"].as_str().unwrap()))
                    .collect();
                let is_new = path.starts_with("/api/v3/");
                Reply::json(if is_new { otlp(&found) } else { json!({ "data": found }) }.to_string())
            }
        }
    }
}

/// The same store behind the newer API alone.
fn newer() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let store = store();
    move |asked| {
        if asked.path.starts_with("/api/v3/") { store(asked) } else { Reply::status(404, "404 page not found") }
    }
}

async fn opened(server: &Server, id: &str) -> Trace {
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), Watchlist::default());
    seat.inquiries.send(Inquiry::Trace(id.into())).await.unwrap();
    seat.until(|finding| match finding {
        Finding::Trace(trace) => Some(trace),
        Finding::NoTrace(_, why) => panic!("{why}"),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_span_is_read_whole_with_its_process_its_stack_and_five_kilobytes_of_sql() {
    let server = Server::start(store()).await;
    let id = format!("{:032x}", 0xabc_0000 + 900);
    let trace = opened(&server, &id).await;
    let broken = trace.spans.iter().find(|span| span.service == *"ledger").unwrap();
    let value = |name: &str| {
        let fields = broken.fields();
        fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{name}: {fields:?}")).value.to_string()
    };
    assert_eq!(value("process k8s.pod.name"), "ledger-0");
    assert_eq!(value("process service.version"), "4.2.1");
    assert_eq!(value("db.statement"), statement());
    assert!(statement().len() > 5_000);
    assert_eq!(value("+40.0 ms exception.stacktrace"), STACK);
}

fn wanted(trace: &Trace) -> Wanted {
    let now = warroom::clock::wall();
    let period = |what: &str, from: i64, until: i64| Period {
        what: what.into(),
        from: now - TimeDelta::minutes(from),
        until: now - TimeDelta::minutes(until),
    };
    Wanted {
        trace: trace.id.clone(),
        entry: trace.entry().unwrap(),
        then: vec![period("two hours ago", 130, 120), period("half an hour ago", 30, 15)],
        now: period("now", 15, 0),
    }
}

async fn compared(server: &Server, wanted: Wanted) -> Compared {
    let services = vec![WatchedService { service: "alipay-gateway".into(), ..WatchedService::default() }];
    let mut seat = Seat::start(
        "jaeger",
        &Endpoint::at(server.url()),
        Watchlist { generation: 1, services, ..Watchlist::default() },
    );
    seat.inquiries.send(Inquiry::Compare(wanted)).await.unwrap();
    seat.until(|finding| match finding {
        Finding::Compared(compared) => Some(*compared),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn beside_a_failed_trace_lies_a_healthy_one_of_the_first_time_that_has_one_and_the_figures_of_both() {
    let server = Server::start(store()).await;
    let trace = opened(&server, &format!("{:032x}", 0xabc_0000 + 900)).await;
    let wanted = wanted(&trace);
    assert_eq!(wanted.entry, Entry { service: "alipay-gateway".into(), operation: "op-a".into() });
    let found = compared(&server, wanted.clone()).await.healthy.unwrap();
    assert_eq!((found.period.what.as_str(), found.trace.is_healthy()), ("half an hour ago", true));
    let pairs = trace.beside(&found.trace);
    let changes: Vec<_> = differences(&pairs).iter().map(|pair| (pair.change, pair.operation.to_string())).collect();
    assert_eq!(
        changes,
        [(Change::Failed, "op-a".into()), (Change::New, "op-b".into()), (Change::Missing, "op-c".into())]
    );
    let now = found.now.unwrap();
    assert_eq!((found.then.requests, now.requests), (100, 10));
    assert_eq!(
        found.then.shifts(&now),
        [
            "alipay-gateway op-a: failed in 0 % before, in 100 % now",
            "alipay-gateway op-c: in 100 % of requests before, in 0 % now",
            "ledger op-b: in 0 % of requests before, in 100 % now; failed in 0 % before, in 100 % now",
        ]
    );
    let asked = server.requests();
    let searches: Vec<_> = asked.iter().filter(|request| request.parameter("operation").is_some()).collect();
    assert_eq!(searches.len(), 3, "two times of then, and now");
    assert!(searches.iter().all(|request| request.parameter("operation") == Some("op-a")));

    let only = Wanted { then: wanted.then[..1].to_vec(), ..wanted };
    let why = compared(&server, only.clone()).await.healthy.unwrap_err();
    assert_eq!(why.as_str(), "no healthy trace of alipay-gateway op-a was found: 0 traces in two hours ago");
    server.change(|request| match request.path.as_str() {
        "/api/services" => Reply::json(r#"{"data":["alipay-gateway"]}"#),
        _ => Reply::status(500, "the store is away"),
    });
    let why = compared(&server, only).await.healthy.unwrap_err();
    assert!(why.contains("500") && !why.contains("no healthy trace"), "that it cannot be searched is not none: {why}");
}

#[tokio::test]
async fn the_newer_api_is_searched_for_a_healthy_trace_with_the_same_result() {
    let old = Server::start(store()).await;
    let new = Server::start(newer()).await;
    let id = format!("{:032x}", 0xabc_0000 + 900);
    let mut told = Vec::new();
    for server in [&old, &new] {
        let trace = opened(server, &id).await;
        let found = compared(server, wanted(&trace)).await.healthy.unwrap();
        let now = found.now.unwrap();
        assert_eq!((found.then.requests, now.requests), (100, 10));
        let changes: Vec<_> = differences(&trace.beside(&found.trace))
            .iter()
            .map(|pair| (pair.change, pair.operation.to_string()))
            .collect();
        told.push((found.period.what.to_string(), changes, found.then.shifts(&now)));
    }
    assert_eq!(told[0], told[1]);
    assert!(!told[0].1.is_empty());
    let asked = new.requests();
    let of = |request: &Request| request.parameter("query.operation_name").map(str::to_owned);
    assert_eq!(asked.iter().filter_map(of).collect::<Vec<_>>(), ["op-a"; 3], "two times of then, and now");
}

#[tokio::test]
async fn line_mode_opens_a_trace_reads_a_span_whole_and_compares() {
    let server = Server::start(store()).await;
    let url = server.url();
    let played = tokio::task::spawn_blocking(move || {
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), format!("[jaeger]\nurl = '{url}'\nevery = '1s'\n")).unwrap();
        host.declare();
        let mut dana = host.start(&["open", "INC-1", "--plain"]);
        dana.ready();
        dana.wait_for("new error: ledger op-b: deadlock", SOON);
        dana.type_in(":trace 1\n:span 2\n");
        dana.wait_for("blame: ledger op-b: deadlock after 80.0 ms", SOON);
        dana.wait_for("span 2 X   ledger op-b +10.0 ms took 80.0 ms, itself 80.0 ms, waited for: deadlock", SOON);
        dana.wait_for("process k8s.pod.name: ledger-0", SOON);
        dana.type_in(":compare\n");
        dana.wait_for("op-a took 100 ms there, 100 ms here", Duration::from_secs(60));
        dana.wait_for("new ledger op-b: 80.0 ms, and failed", SOON);
        dana.wait_for("ledger op-b: in 0 % of requests before, in 100 % now", SOON);
        dana.type_in(":span 9\n:trace 7\n:trace ffffffffffffffffffffffffffffffff\n:compare\n");
        dana.wait_for("there is no span 9: the trace has 2", SOON);
        dana.wait_for("there is no kind 7 of spans", SOON);
        dana.wait_for("has no trace ffffffffffffffffffffffffffffffff", SOON);
        dana.wait_for("no trace is open", SOON);
        dana.end();
    });
    played.await.unwrap();
}
