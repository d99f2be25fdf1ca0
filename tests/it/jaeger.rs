//! Both of Jaeger's APIs as they are described, oddities included, from a server in the test's process.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use warroom::live::{Before, Finding, Inquiry, SpanFinding, Usual, WatchedService, Watchlist};
use warroom::source::Endpoint;
use warroom::spans::{SpanRow, Step, Trace};

use crate::support::http::{Reply, Request, Server};
use crate::support::source::Seat;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const BEGIN: i64 = 1_780_000_000_000_000;

fn watching(services: &[&str]) -> Watchlist {
    let slow = Some(TimeDelta::seconds(2));
    let services = services
        .iter()
        .map(|service| WatchedService { service: (*service).into(), slow, ..WatchedService::default() })
        .collect();
    Watchlist { generation: 1, services, ..Watchlist::default() }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Api {
    Legacy,
    Otlp,
}

/// Plays one of the two APIs; every search finds the same traces.
fn playing(api: Api, found: Value) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let found = found.to_string();
    move |request| match (api, request.path.as_str()) {
        // Every error of Jaeger is JSON in text/plain, and so are its answers here.
        (Api::Legacy, "/api/services") => {
            Reply::json(r#"{"data":["alipay"],"total":1,"limit":0,"offset":0,"errors":null}"#)
        }
        (Api::Legacy, path) if path.starts_with("/api/traces") => {
            Reply::json(found.clone()).with("content-type", "text/plain")
        }
        (Api::Otlp, "/api/v3/services") => Reply::json(r#"{"services":["alipay"]}"#),
        (Api::Otlp, path) if path.starts_with("/api/v3/traces") => Reply::json(found.clone()),
        _ => Reply::status(404, "404 page not found\n").with("content-type", "text/plain"),
    }
}

fn legacy(spans: Value) -> Value {
    json!({"data": [{"traceID": TRACE, "spans": spans, "warnings": null, "processes": {
        "p1": {"serviceName": "alipay", "tags": null}, "p2": {"serviceName": "gateway"}
    }}], "total": 0, "limit": 0, "offset": 0, "errors": null})
}

/// A span of `alipay` (or, as `p2`, of `gateway`).
fn span(id: &str, parent: &str, process: &str, tags: Value) -> Value {
    let references = if parent.is_empty() {
        json!(null)
    } else {
        json!([{"refType": "CHILD_OF", "traceID": TRACE, "spanID": parent}])
    };
    json!({"traceID": TRACE, "spanID": id, "operationName": format!("op-{id}"), "references": references,
           "startTime": BEGIN, "duration": 1500, "tags": tags, "processID": process})
}

async fn spans(api: Api, found: Value) -> SpanFinding {
    let server = Server::start(playing(api, found)).await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
    spans_of(&mut seat).await
}

async fn spans_of(seat: &mut Seat) -> SpanFinding {
    let (findings, outcome) = seat.poll().await;
    assert_eq!(outcome, Ok(()));
    let [Finding::Spans(found)] = findings.as_slice() else { panic!("one finding: {findings:?}") };
    found.clone()
}

async fn trace(api: Api, found: Value) -> Trace {
    let server = Server::start(playing(api, found)).await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), Watchlist::default());
    seat.inquiries.send(Inquiry::Trace(TRACE.into())).await.unwrap();
    seat.until(|finding| match finding {
        Finding::Trace(trace) => Some(trace),
        Finding::NoTrace(_, reason) => panic!("{reason}"),
        _ => None,
    })
    .await
}

fn row(span: &str, service: &str, operation: &str, error: &str) -> SpanRow {
    SpanRow {
        trace: TRACE.into(),
        span: format!("{span:0>16}").into(),
        service: service.into(),
        operation: operation.into(),
        error: error.into(),
        at: DateTime::from_timestamp_micros(BEGIN).unwrap(),
        duration: TimeDelta::microseconds(1500),
        hurt: vec!["alipay".into()],
        ..SpanRow::default()
    }
}

#[tokio::test]
async fn an_error_is_what_the_data_means_by_one() {
    let tag = |value: Value| json!([{"key": "error", "type": "whatever", "value": value}]);
    for (tags, error) in [
        (tag(json!(true)), Some("error")),
        (tag(json!("true")), Some("error")),
        (tag(json!("unset")), None),
        (tag(json!("ClientSideError")), Some("ClientSideError")),
        (tag(json!(false)), None),
        (tag(json!("false")), None),
        (tag(json!("")), None),
        (tag(json!(0)), None),
        (tag(json!(null)), None),
        (json!(null), None),
        (
            json!([{"key": "otel.status_code", "value": "Error"}, {"key": "otel.status_description", "value": "no"}]),
            Some("no"),
        ),
        (json!([{"key": "http.status_code", "value": "404"}]), None),
        (json!([{"key": "error", "value": true}, {"key": "http.status_code", "value": "503"}]), Some("HTTP 503")),
        (json!([{"key": "http.status_code", "value": 502}, {"key": "component", "value": "nginx"}]), Some("HTTP 502")),
        (json!([{"key": "rpc.grpc.status_code", "value": 14}]), Some("gRPC UNAVAILABLE")),
    ] {
        let found = spans(Api::Legacy, legacy(json!([span("a", "", "p1", tags.clone())]))).await;
        let expected: Vec<_> = error.into_iter().map(|error| row("a", "alipay", "op-a", error)).collect();
        assert_eq!(found.errors, expected, "{tags}");
    }
}

#[tokio::test]
async fn a_parent_that_answers_404_blames_the_child_that_failed() {
    let not_found = json!([{"key": "http.response.status_code", "value": 404}]);
    let mut child = span("b", "a", "p2", json!([{"key": "error", "value": true}]));
    child["logs"] = json!([{"timestamp": BEGIN, "fields": [
        {"key": "event", "value": "exception"}, {"key": "exception.type", "value": "NoSuchMerchant"},
        {"key": "exception.message", "value": "merchant 7"}]}]);
    let found = spans(Api::Legacy, legacy(json!([span("a", "", "p1", not_found), child]))).await;
    let way = |error: &str| vec![Step { service: "alipay".into(), operation: "op-a".into(), error: error.into() }];
    let expected = |error, above| SpanRow { way: way(above), ..row("b", "gateway", "op-b", error) };
    assert_eq!(found.errors, [expected("NoSuchMerchant: merchant 7", "HTTP 404")]);

    let otlp = json!({"result": {"resourceSpans": [
        resource("gateway", json!([otlp_span("b", "a", json!({"code": 2, "message": "merchant 7"}))])),
        resource("alipay", json!([otlp_span("a", "", json!({"code": 2}))])),
    ]}});
    let found = spans(Api::Otlp, otlp).await;
    assert_eq!(found.errors, [expected("merchant 7", "error")], "a parent that only hands it on gives way");
}

fn resource(service: &str, spans: Value) -> Value {
    json!({"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
           "scopeSpans": [{"scope": {}, "spans": spans}]})
}

fn otlp_span(id: &str, parent: &str, status: Value) -> Value {
    json!({"traceId": TRACE, "spanId": format!("{id:0>16}"), "parentSpanId": parent, "name": format!("op-{id}"), "kind": 2,
           "startTimeUnixNano": (BEGIN * 1000).to_string(), "endTimeUnixNano": (BEGIN * 1000 + 1_500_000).to_string(),
           "attributes": [{"key": "n", "value": {"intValue": "9007199254740993"}}], "status": status})
}

#[tokio::test]
async fn times_that_cannot_be_are_bounded_and_say_so() {
    let mut wrapped = span("b", "a", "p1", json!([]));
    wrapped["startTime"] = json!(18_446_744_073_709_551_000_u64);
    wrapped["duration"] = json!(18_446_744_073_709_000_000_u64);
    let mut missing = span("c", "a", "p1", json!([]));
    missing.as_object_mut().unwrap().remove("startTime");
    let mut long = span("d", "a", "p1", json!([]));
    long["duration"] = json!(-5);
    let found = trace(Api::Legacy, legacy(json!([span("a", "", "p1", json!([])), wrapped, missing, long]))).await;
    let (start, end) = found.bounds().unwrap();
    assert_eq!((end - start, start.timestamp_micros()), (TimeDelta::microseconds(1500), BEGIN));
    let warned: Vec<_> = found.spans.iter().map(|span| span.warnings.first().map(|text| text.as_str())).collect();
    assert!(warned[1].is_some_and(|text| text.starts_with("its start cannot be (18446744073709551000)")), "{warned:?}");
    assert_eq!(warned[2], Some("its start is missing: it is drawn where its parent begins"));
    assert!(warned[3].is_some_and(|text| text.starts_with("its duration cannot be (-5 µs)")), "{warned:?}");
}

#[tokio::test]
async fn a_reference_by_the_short_trace_id_is_to_the_same_trace() {
    let mut child = span("b", "a", "p1", json!([]));
    child["references"] = json!([{"refType": "CHILD_OF", "traceID": &TRACE[16..], "spanID": "a"}]);
    let found = trace(Api::Legacy, legacy(json!([span("a", "", "p1", json!([])), child]))).await;
    assert_eq!(found.spans[1].parent.as_deref(), Some("000000000000000a"));
}

/// Answers with as many traces as were asked for, of those in the window; too many are too big.
fn bulky(request: &Request, most: usize, every: i64) -> Reply {
    let number = |name: &str| request.parameter(name).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let (from, until) = (number("start"), number("end"));
    let count = ((until - from) / every).min(number("limit")) as usize;
    if count > most {
        return Reply::json("x".repeat(33 * 1024 * 1024));
    }
    let error = json!([{"key": "error", "value": true}]);
    let one = |place: usize| {
        let id = format!("{:032x}", from / every + place as i64 + 1);
        json!({"traceID": id, "processes": {"p1": {"serviceName": "alipay"}}, "spans": [
            {"traceID": id, "spanID": "1", "operationName": "pay", "processID": "p1", "duration": 5, "tags": error,
             "startTime": from + place as i64 * every}]})
    };
    Reply::json(json!({"data": (0..count).map(one).collect::<Vec<_>>()}).to_string())
}

#[tokio::test]
async fn an_answer_that_is_too_big_is_asked_for_in_parts_until_all_of_it_is_there() {
    for (most, every, complete) in [(60, 10_000_000, true), (12, 1_000_000, false)] {
        let server = Server::start(move |request| match request.path.as_str() {
            "/api/services" => Reply::json(r#"{"data":["alipay"]}"#),
            "/api/traces" if request.parameter("tags").is_some() => bulky(request, most, every),
            "/api/traces" => Reply::json(r#"{"data":[]}"#),
            _ => Reply::status(404, "404 page not found"),
        })
        .await;
        let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
        let found = spans_of(&mut seat).await;
        let said: Vec<_> = found.remarks.iter().map(|text| text.as_str()).collect();
        if complete {
            assert!((88..=90).contains(&found.errors.len()), "{}", found.errors.len());
            assert!(
                said.contains(&"error spans of alipay were searched in 2 parts: one answer was too big"),
                "{said:?}"
            );
            assert_eq!(found.gaps, []);
        } else {
            assert!(said.iter().any(|text| text.contains("were not searched, the answers are too big")), "{said:?}");
            assert_eq!(found.gaps.len(), 1);
        }
    }
}

#[tokio::test]
async fn what_cannot_be_seen_in_the_spans_of_a_service_is_said() {
    let sampler = json!([{"key": "sampler.type", "value": "probabilistic"}, {"key": "sampler.param", "value": 0.02}]);
    let silent: Vec<Value> = (0..30).map(|place| span(&format!("{place:x}"), "", "p1", sampler.clone())).collect();
    let found = spans(Api::Legacy, legacy(json!(silent))).await;
    let said: Vec<_> = found.unseen.iter().map(|(service, why)| format!("{service}: {why}")).collect();
    let silence = "alipay: its spans carry no status: whether they failed cannot be seen";
    assert_eq!(said, ["alipay: 1 of 50 requests is traced", silence]);
    assert!(found.remarks.contains(&silence.into()), "{:?}", found.remarks);

    let refused = span("a", "", "p1", json!([{"key": "http.response.status_code", "value": 404}]));
    let found = spans(Api::Legacy, legacy(json!([refused]))).await;
    assert_eq!(found.errors, []);
    assert_eq!(found.remarks, ["alipay answered 1 × 404: no errors unless error-statuses names them"]);
}

#[tokio::test]
async fn a_status_that_the_playbook_names_is_an_error_in_both_apis() {
    let refused = span("a", "", "p1", json!([{"key": "http.response.status_code", "value": 429}]));
    let mut other = otlp_span("a", "", json!({}));
    other["attributes"] = json!([{"key": "http.response.status_code", "value": {"intValue": "429"}}]);
    let otlp = json!({"result": {"resourceSpans": [resource("alipay", json!([other]))]}});
    for (api, body) in [(Api::Legacy, legacy(json!([refused]))), (Api::Otlp, otlp)] {
        let server = Server::start(playing(api, body)).await;
        let mut list = watching(&["alipay"]);
        list.services[0].statuses = vec![429];
        let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), list);
        assert_eq!(spans_of(&mut seat).await.errors, [row("a", "alipay", "op-a", "HTTP 429")], "{api:?}");
    }
}

#[tokio::test]
async fn a_message_is_no_child_in_either_api_and_fails_on_its_own() {
    let begin = BEGIN + 5_000_000;
    let failed = json!([{"key": "error", "value": true}, {"key": "span.kind", "value": "consumer"}]);
    let mut consumer = span("b", "a", "p2", failed);
    consumer["startTime"] = json!(begin);
    let mut linked = otlp_span("b", "", json!({"code": 2, "message": "poison"}));
    linked["links"] = json!([{"traceId": TRACE, "spanId": "000000000000000a"}]);
    linked["startTimeUnixNano"] = json!((begin * 1000).to_string());
    linked["endTimeUnixNano"] = json!((begin * 1000 + 1).to_string());
    let otlp = json!({"result": {"resourceSpans": [
        resource("gateway", json!([linked])), resource("alipay", json!([otlp_span("a", "", json!({}))]))]}});
    let legacy = legacy(json!([span("a", "", "p1", json!(null)), consumer]));
    for (api, body) in [(Api::Legacy, legacy), (Api::Otlp, otlp)] {
        let causes = trace(api, body).await.verdict(|_| true).causes;
        assert_eq!(causes.iter().map(|cause| cause.is_late).collect::<Vec<_>>(), [true], "{api:?}");
    }
}

#[tokio::test]
async fn the_newer_api_mixes_traces_and_they_are_told_apart() {
    let mut other = otlp_span("c", "", json!({"code": 2, "message": "other"}));
    other["traceId"] = json!("CvdlGRbNQ92ESOshHIAxnQ==");
    let mixed = json!({"result": {"resourceSpans": [
        resource("alipay", json!([otlp_span("a", "", json!({"code": 2, "message": "one"})), other])),
    ]}});
    let found = spans(Api::Otlp, mixed).await;
    let traces: Vec<_> = found.errors.iter().map(|row| (row.trace.as_str(), row.error.as_str())).collect();
    assert_eq!(traces, [(TRACE, "one"), ("0af7651916cd43dd8448eb211c80319d", "other")]);
    assert_eq!(spans(Api::Otlp, json!({})).await.errors, []);
}

#[tokio::test]
async fn slow_spans_stand_slowest_first_and_searches_send_what_each_api_wants() {
    let slow = |id: &str, micros: Value| {
        let mut span = span(id, "", "p1", json!([]));
        span["duration"] = micros;
        span
    };
    let body = legacy(json!([slow("a", json!(2_000_000)), slow("b", json!("3500000")), slow("c", json!(1_999_999))]));
    let server = Server::start(playing(Api::Legacy, body)).await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
    let found = spans_of(&mut seat).await;
    let names: Vec<_> =
        found.slow.iter().map(|row| (row.operation.as_str(), row.duration.num_milliseconds())).collect();
    assert_eq!(names, [("op-b", 3500), ("op-a", 2000)]);
    let searches: Vec<_> = server.requests().into_iter().filter(|request| request.path == "/api/traces").collect();
    let sent =
        |name: &str| searches.iter().map(|request| request.parameter(name).map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(sent("tags"), [Some(r#"{"error":"true"}"#.to_owned()), None, None]);
    assert_eq!(sent("minDuration"), [None, None, Some("2s".to_owned())]);
    let span = |request: &Request| {
        request.parameter("end").unwrap().parse::<i64>().unwrap()
            - request.parameter("start").unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(span(&searches[0]), 15 * 60 * 1_000_000);

    let server = Server::start(playing(Api::Otlp, json!({}))).await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
    spans_of(&mut seat).await;
    let requests = server.requests();
    let search = requests.iter().rfind(|request| request.path == "/api/v3/traces").unwrap();
    for (one, other) in [
        ("query.serviceName", "query.service_name"),
        ("query.startTimeMin", "query.start_time_min"),
        ("query.startTimeMax", "query.start_time_max"),
        ("query.searchDepth", "query.num_traces"),
        ("query.durationMin", "query.duration_min"),
    ] {
        assert!(search.parameter(one).is_some() && search.parameter(one) == search.parameter(other), "{one}");
    }
}

#[tokio::test]
async fn no_match_is_no_failure_in_either_api_and_an_unknown_service_is_pointed_out() {
    let nothing = Reply::status(404, r#"{"error":{"httpCode":404,"message":"No traces found"}}"#);
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v3/services" => Reply::json("{}"),
        "/api/v3/traces" => nothing.clone(),
        _ => Reply::status(404, "404 page not found"),
    })
    .await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
    let found = spans_of(&mut seat).await;
    assert_eq!((found.errors.len(), found.slow.len()), (0, 0));
    assert_eq!(found.remarks, ["no trace of alipay in the last 15 min: is this its name in the traces?"]);
    let found = spans(Api::Legacy, json!({"data": [], "total": 0, "errors": null})).await;
    assert_eq!(found.errors, []);
}

#[tokio::test]
async fn a_search_that_reached_its_limit_or_was_refused_says_so() {
    let full: Vec<Value> = (0..200).map(|number| json!({"traceID": format!("{number:x}"), "spans": null})).collect();
    let found = spans(Api::Legacy, json!({"data": full})).await;
    let first = "limit of 200 traces reached for error spans of alipay: there may be more";
    assert!(found.remarks.contains(&first.into()), "{:?}", found.remarks);

    let server = Server::start(|request| match (request.path.as_str(), request.parameter("minDuration")) {
        ("/api/services", _) => Reply::json(r#"{"data":[]}"#),
        ("/api/traces", Some(_)) => {
            let refusal = r#"{"data":null,"errors":[{"code":400,"msg":"Cannot query for tags"}]}"#;
            Reply::status(400, refusal).with("content-type", "text/plain")
        }
        ("/api/traces", None) => Reply::json(legacy(json!([span("a", "", "p1", json!(null))])).to_string()),
        _ => Reply::status(404, "404 page not found"),
    })
    .await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
    let found = spans_of(&mut seat).await;
    assert_eq!(found.remarks, ["slow spans of alipay could not be searched: Cannot query for tags"]);
}

#[tokio::test]
async fn a_trace_is_whole_whatever_is_null_absent_doubled_or_in_a_ring() {
    let mut ring_a = span("a1", "a2", "p1", json!([]));
    ring_a["warnings"] = json!(["clock skew adjustment disabled; not applying calculated delta of 3s"]);
    let bare = json!({"spanID": "ff", "startTime": BEGIN.to_string()});
    let elsewhere = json!({"spanID": "e", "startTime": BEGIN, "duration": null, "process": {"serviceName": "inline"},
        "references": [{"refType": "CHILD_OF", "traceID": "1234", "spanID": "a1"}], "logs": null,
        "tags": [{"key": "big", "value": "9007199254740993"}, {"key": "half", "value": 0.5}, {"key": null, "value": null}]});
    let follows = json!({"spanID": "f", "startTime": BEGIN, "parentSpanID": "0000000000000000",
        "references": [{"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": "e"}]});
    let spans = json!([
        ring_a,
        span("a2", "a1", "p1", json!(null)),
        span("b", "gone", "p2", json!(null)),
        span("b", "gone", "p2", json!(null)),
        bare,
        elsewhere,
        follows,
        span("s", "s", "p9", json!([])),
    ]);
    let found = trace(Api::Legacy, legacy(spans)).await;
    assert_eq!((found.id.as_str(), found.spans.len()), (TRACE, 7));
    assert_eq!(found.warnings, ["one document of spans came twice"]);
    let mut lines: Vec<_> = found.waterfall().iter().map(|line| (line.span, line.is_orphan)).collect();
    lines.sort_unstable();
    let orphans = [false, false, true, false, false, false, false];
    assert_eq!(lines, orphans.into_iter().enumerate().collect::<Vec<_>>());
    assert_eq!(found.spans[0].warnings.len(), 1);
    assert_eq!(found.spans[4].tags[0].1, "9007199254740993");
    assert_eq!(
        (found.spans[4].service.as_str(), found.spans[4].parent.as_ref()),
        ("inline", None),
        "a link is no parent"
    );
    assert_eq!(found.spans[5].parent.as_deref(), Some("000000000000000e"));
    assert_eq!(found.spans[3].start, DateTime::from_timestamp_micros(BEGIN).unwrap());
    assert_eq!(found.spans[3].duration, TimeDelta::zero());
    assert_eq!(found.culprit(), None);
}

#[tokio::test]
async fn an_opened_trace_has_its_exception_its_kind_and_its_warnings_in_the_newer_api_too() {
    let mut one = otlp_span("a", "", json!({"code": 2, "message": "declined"}));
    one["events"] = json!([{"timeUnixNano": "1780000000000000000", "name": "exception", "attributes": [
        {"key": "exception.type", "value": {"stringValue": "Declined"}}]}]);
    one["attributes"] = json!([
        {"key": "http.response.status_code", "value": {"intValue": "503"}},
        {"key": "@jaeger@warnings", "value": {"arrayValue": {"values": [{"stringValue": "duplicate span IDs; skipping"}]}}}]);
    let found = trace(Api::Otlp, json!({"result": {"resourceSpans": [resource("alipay", json!([one]))]}})).await;
    let only = &found.spans[0];
    assert_eq!(only.outcome, warroom::spans::Outcome::Error("Declined".into()));
    assert_eq!((only.http_status, only.tags[0].clone()), (Some(503), ("span.kind".into(), "server".into())));
    assert_eq!(only.warnings, ["duplicate span IDs; skipping"]);
    assert_eq!((only.duration, found.culprit()), (TimeDelta::microseconds(1500), Some(0)));
}

#[tokio::test]
async fn a_trace_that_is_not_there_gets_a_sentence_from_every_store() {
    for (status, body) in
        [(404, r#"{"data":null,"errors":[{"code":404,"msg":"trace not found"}]}"#), (200, r#"{"data":[],"total":1}"#)]
    {
        let server = Server::start(move |request| match request.path.as_str() {
            "/api/services" => Reply::json(r#"{"data":[]}"#),
            path if path.starts_with("/api/traces/") => Reply::status(status, body),
            _ => Reply::status(404, "404 page not found"),
        })
        .await;
        let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), Watchlist::default());
        seat.inquiries.send(Inquiry::Trace("abc".into())).await.unwrap();
        let reason = seat.until(|finding| match finding {
            Finding::NoTrace(_, reason) => Some(reason),
            _ => None,
        });
        assert!(reason.await.contains("has no trace abc: it was not sampled"));
        let asked: Vec<_> = server.requests().into_iter().filter(|request| request.path.contains("traces")).collect();
        assert_eq!(asked[0].path, format!("/api/traces/{:0>32}", "abc"));
        assert_eq!(asked[1].path, format!("/api/traces/{:0>16}", "abc"), "a store may know the short form alone");
    }
}

#[tokio::test]
async fn the_api_is_asked_for_once_and_again_after_the_server_was_replaced() {
    let body = legacy(json!([span("a", "", "p1", json!([{"key": "error", "value": true}]))]));
    let server = Server::start(playing(Api::Legacy, body)).await;
    let endpoint = Endpoint { every: Duration::from_millis(150), ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("jaeger", &endpoint, watching(&["alipay"]));
    for _ in 0..3 {
        assert_eq!(spans_of(&mut seat).await.errors.len(), 1);
    }
    let probes =
        |server: &Server| server.requests().iter().filter(|request| request.path == "/api/v3/services").count();
    assert_eq!(probes(&server), 1);
    let otlp = json!({"result": {"resourceSpans": [
        resource("alipay", json!([otlp_span("b", "", json!({"code": 2, "message": "new"}))]))]}});
    server.change(playing(Api::Otlp, otlp));
    // The old API is gone: the first search that is refused there finds the new one.
    assert_eq!(spans_of(&mut seat).await.errors[0].error, "new");
    server.change(|_| Reply::status(503, "starting"));
    assert!(seat.poll().await.1.is_err());
    server.change(playing(Api::Legacy, legacy(json!([]))));
    spans_of(&mut seat).await;
    assert_eq!(probes(&server), 2, "what comes back after a failure may be another version");
}

#[tokio::test]
async fn a_server_that_is_not_jaeger_is_called_by_its_name() {
    for (reply, sentence) in [
        (Reply::status(404, "404 page not found"), "answers neither /api/v3/services nor /api/services"),
        (Reply::json("<!doctype html><title>Sign in</title>"), "answers neither /api/v3/services nor /api/services"),
        (Reply::status(401, "no"), "answered 401: it wants credentials"),
        (Reply::status(502, "<html>Bad gateway</html>"), "answered 502 with a web page instead of data"),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
        let reason = seat.poll().await.1.unwrap_err();
        assert!(reason.starts_with("jaeger at 127.0.0.1:") && reason.contains(sentence), "{reason}");
    }
}

#[tokio::test]
async fn what_was_usual_before_an_incident_is_searched_in_that_time_only() {
    let error = json!([{"key": "error", "value": true}]);
    let mut late = span("b", "", "p1", error.clone());
    late["startTime"] = json!(BEGIN + 2_000_000);
    let body = legacy(json!([span("a", "", "p1", error), late]));
    let server = Server::start(playing(Api::Legacy, body)).await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), Watchlist::default());
    let until = DateTime::from_timestamp_micros(BEGIN + 1_000_000).unwrap();
    let before = Before { until, length: TimeDelta::seconds(100), services: vec!["alipay".into()] };
    seat.inquiries.send(Inquiry::Usual(before.clone())).await.unwrap();
    let answer = |finding| if let Finding::Usual(usual) = finding { Some(usual) } else { None };
    let usual = seat.until(answer).await;
    assert_eq!(usual, Usual { before: before.clone(), rates: Ok([(vec!["alipay".into()], 0.01)].into()) });
    let searches = server.requests().into_iter().filter(|request| request.path == "/api/traces");
    for search in searches {
        assert_eq!(search.parameter("end"), Some((BEGIN + 1_000_000).to_string().as_str()));
        assert_eq!(search.parameter("start"), Some((BEGIN - 99_000_000).to_string().as_str()));
    }
    server.change(|_| Reply::status(500, "no"));
    seat.inquiries.send(Inquiry::Usual(before)).await.unwrap();
    assert!(seat.until(answer).await.rates.is_err(), "nobody is told that nothing was usual");
}

#[tokio::test]
async fn where_a_list_of_allowed_paths_refuses_one_api_the_other_one_is_asked() {
    let found = legacy(json!([span("1", "", "p1", json!([{"key": "error", "value": true}]))])).to_string();
    let refused = |status: u16| Reply::status(status, "<html>not on the list</html>");
    for status in [403, 404, 405] {
        // The newer API as a whole, or its searches alone while its list of services is let through.
        for only_searches in [false, true] {
            let found = found.clone();
            let server = Server::start(move |request| match request.path.as_str() {
                "/api/v3/services" if only_searches => Reply::json(r#"{"services":["alipay"]}"#),
                "/api/services" if only_searches => refused(status),
                "/api/services" => Reply::json(r#"{"data":["alipay"],"errors":null}"#),
                path if path.starts_with("/api/traces") => Reply::json(found.clone()),
                _ => refused(status),
            })
            .await;
            let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
            let errors = spans_of(&mut seat).await.errors;
            assert_eq!(errors, [row("1", "alipay", "op-1", "error")], "{status} {only_searches}");
            let asked = server.requests();
            let newer = asked.iter().filter(|request| request.path == "/api/v3/traces").count();
            assert!(newer <= 3, "what was refused is not asked for ever: {newer}");
        }
    }
}

#[tokio::test]
async fn where_both_are_refused_the_sentence_is_that_of_the_one_that_was_chosen() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v3/services" => Reply::json(r#"{"services":["alipay"]}"#),
        _ => Reply::status(403, "no"),
    })
    .await;
    let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), watching(&["alipay"]));
    let said = seat.poll().await.1.unwrap_err();
    assert!(said.contains("answered 403"), "{said}");
}
