//! No single fault hides another thing: each query of Prometheus and each search of Jaeger fails alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use warroom::live::{Finding, Scope, SpanFinding, WatchedObjective, WatchedService, Watchlist};
use warroom::slo::{Absent, Objective, ObjectiveId, ObjectiveKind, Side, Unit};
use warroom::source::Endpoint;

use crate::support::http::{Reply, Request, Server};
use crate::support::source::Seat;

/// What a server does to the one question that fails, and what must be said of it.
fn faults() -> Vec<(Reply, &'static str)> {
    let json = |status, text: &str| Reply::status(status, text);
    vec![
        (
            json(500, r#"{"status":"error","errorType":"internal","error":"store gateway is full"}"#),
            "store gateway is full",
        ),
        (json(429, r#"{"message":"too many outstanding requests"}"#), "too many outstanding requests"),
        (json(503, "upstream connect error"), "upstream connect error"),
        (json(422, r#"{"status":"error","errorType":"execution","error":"many-to-many matching"}"#), "many-to-many"),
        (
            json(200, r#"{"status":"success","data":{"resultType":"matrix","result":null},"errors":"x"}"#),
            "cannot be read",
        ),
        (json(200, "<!doctype html><title>Sign in</title>"), "a web page instead of data"),
        (Reply::Truncated(b"{\"status\"".to_vec()), "broke the connection off"),
        (Reply::Reset, "broke the connection off"),
    ]
}

fn objective(id: &str, kind: ObjectiveKind) -> WatchedObjective {
    let objective = Objective {
        id: id.into(),
        title: id.into(),
        kind,
        expr: format!("{id}[$window]"),
        target: 0.9,
        unit: Unit::Ratio,
        side: Side::AtMost,
        window: "5m".into(),
        absent: Absent::Unknown,
        every: None,
        lag: None,
    };
    WatchedObjective { id: ObjectiveId { service: "alipay".into(), objective: id.into() }, objective, reach: None }
}

fn watched() -> Watchlist {
    let kinds = [("one", ObjectiveKind::Threshold), ("two", ObjectiveKind::Threshold), ("ratio", ObjectiveKind::Ratio)];
    let objectives = kinds.map(|(id, kind)| objective(id, kind));
    Watchlist { generation: 1, objectives: objectives.into(), span: TimeDelta::hours(24), ..Watchlist::default() }
}

/// Which question a request asks.
fn asked(request: &Request) -> Option<(String, Scope)> {
    let query = request.parameter("query")?;
    let (id, window) = query.split_once('[')?;
    let scope = match (request.path.as_str(), request.parameter("step").map(|step| step.parse::<f64>().unwrap())) {
        ("/api/v1/query_range", Some(step)) if step > 100.0 => Scope::Chart,
        ("/api/v1/query_range", Some(_)) => Scope::Proof,
        _ if window.starts_with("1h") || window.starts_with("6h") => Scope::Burn,
        _ => Scope::Now,
    };
    Some((id.to_owned(), scope))
}

fn answer(request: &Request) -> Reply {
    let value = |at: &str| json!([at.parse::<f64>().unwrap(), "0.5"]);
    match request.path.as_str() {
        "/api/v1/query_range" => {
            let end = value(request.parameter("end").unwrap());
            let result = json!([{ "metric": {}, "values": [end] }]);
            Reply::json(
                json!({ "status": "success", "data": { "resultType": "matrix", "result": result } }).to_string(),
            )
        }
        "/api/v1/query" => {
            let result = json!([{ "metric": {}, "value": value(request.parameter("time").unwrap()) }]);
            Reply::json(
                json!({ "status": "success", "data": { "resultType": "vector", "result": result } }).to_string(),
            )
        }
        "/api/v1/alerts" => Reply::json(r#"{"status":"success","data":{"alerts":[]}}"#),
        "/api/v1/rules" => Reply::json(r#"{"status":"success","data":{"groups":[]}}"#),
        _ => Reply::status(404, "404 page not found"),
    }
}

type Question = (String, Scope);
type Questions = BTreeSet<Question>;

fn all() -> Questions {
    let scopes = |id: &'static str| Scope::ALL.into_iter().map(move |scope| (id.to_owned(), scope));
    let mut all: Questions =
        ["one", "two"].into_iter().flat_map(scopes).filter(|(_, scope)| *scope != Scope::Burn).collect();
    all.extend(scopes("ratio"));
    all
}

/// Which questions were answered, and what was said of those that were not.
fn told(findings: &[Finding]) -> (Questions, Vec<(Question, String)>, bool) {
    let (mut answered, mut failed, mut has_alerts) = (Questions::new(), Vec::new(), false);
    for finding in findings {
        match finding {
            Finding::Measured(id, scope, _) => {
                answered.insert((id.objective.to_string(), *scope));
            }
            Finding::Unmeasured(id, scope, why) => failed.push(((id.objective.to_string(), *scope), why.to_string())),
            Finding::Alerts(_) => has_alerts = true,
            other => panic!("{other:?}"),
        }
    }
    (answered, failed, has_alerts)
}

#[tokio::test]
async fn no_fault_of_one_query_hides_another() {
    let cases = all().into_iter().filter(|(_, scope)| *scope != Scope::Burn);
    let cases = cases.flat_map(|question| faults().into_iter().map(move |fault| (question.clone(), fault)));
    let tried = cases.map(async |(question, (reply, sentence))| {
        let faulty = question.clone();
        let play = move |request: &Request| match asked(request) {
            // The shortest burn rate asks what the headline asks.
            Some(asked) if asked == faulty => reply.clone(),
            _ => answer(request),
        };
        let server = Server::start(play).await;
        let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), watched());
        let (findings, outcome) = seat.poll().await;
        assert_eq!(outcome, Ok(()), "{question:?} {sentence}: the source is well");
        let (answered, failed, has_alerts) = told(&findings);
        let mut others = all();
        others.remove(&question);
        assert_eq!((answered, has_alerts), (others, true), "{question:?} {sentence}");
        let [(which, why)] = failed.as_slice() else { panic!("{question:?} {sentence}: {failed:?}") };
        assert!(*which == question && why.contains(sentence) && !why.contains("errorType"), "{question:?}: {why}");
    });
    join_all(tried).await;
}

#[tokio::test]
async fn a_query_that_hangs_is_waited_for_while_the_others_are_asked_again() {
    let server = Server::start(|request| match asked(request) {
        Some((id, Scope::Now)) if id == "one" => Reply::Hang,
        _ => answer(request),
    })
    .await;
    let endpoint = Endpoint { every: Duration::from_secs(1), ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("prometheus", &endpoint, watched());
    let begun = warroom::clock::boot();
    let mut rounds = 0;
    let mut others = all();
    others.remove(&("one".to_owned(), Scope::Now));
    // The one that hangs is given up after five seconds; until then it must hold up nobody.
    while warroom::clock::boot() - begun < Duration::from_secs(4) {
        let (findings, outcome) = seat.poll().await;
        assert_eq!((outcome, told(&findings).0), (Ok(()), others.clone()));
        rounds += 1;
    }
    assert!(rounds >= 3, "{rounds} rounds in four seconds");
    let asked = server.requests().iter().filter(|request| asked(request) == Some(("one".into(), Scope::Now))).count();
    assert_eq!(asked, 1, "it is under way");
}

#[tokio::test]
async fn a_server_is_down_only_when_nothing_answers_and_then_all_of_it_is_asked_again_at_once() {
    let is_down = Arc::new(AtomicBool::new(true));
    let down = is_down.clone();
    let server = Server::start(move |request| match down.load(Ordering::SeqCst) {
        true => Reply::status(503, r#"{"error":"the querier starts"}"#),
        false => answer(request),
    })
    .await;
    let endpoint = Endpoint { every: Duration::from_millis(300), ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("prometheus", &endpoint, watched());
    let (findings, outcome) = seat.poll().await;
    assert_eq!(told(&findings), Default::default());
    assert!(outcome.unwrap_err().ends_with("answered 503: the querier starts"));
    is_down.store(false, Ordering::SeqCst);
    let (findings, outcome) = seat.poll().await;
    assert_eq!((told(&findings).0, outcome), (all(), Ok(())));
}

#[tokio::test]
async fn a_query_that_is_refused_for_a_while_is_left_alone_for_it() {
    let server = Server::start(|request| match asked(request) {
        Some((id, Scope::Chart)) if id == "two" => Reply::status(429, "{}").with("retry-after", "60"),
        _ => answer(request),
    })
    .await;
    let endpoint = Endpoint { every: Duration::from_millis(200), ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("prometheus", &endpoint, watched());
    let failed = told(&seat.poll().await.0).1;
    assert!(failed[0].1.ends_with("; asked again in 60 s"), "{failed:?}");
    for _ in 0..4 {
        let (_, failed, _) = told(&seat.poll().await.0);
        assert_eq!(failed, []);
    }
    let refused =
        server.requests().iter().filter(|request| asked(request) == Some(("two".into(), Scope::Chart))).count();
    assert_eq!(refused, 1);
}

/// Which search a request makes: the service, and which of its three.
fn searched(request: &Request) -> Option<(String, &'static str)> {
    let service = request.parameter("service").filter(|_| request.path == "/api/traces")?;
    let what = match (request.parameter("tags"), request.parameter("minDuration")) {
        (Some(_), _) => "tagged",
        (None, Some(_)) => "slow",
        (None, None) => "any",
    };
    Some((service.to_owned(), what))
}

/// Each search finds one trace of its own: an error, or for the slow one a slow span.
fn traces(service: &str, what: &str) -> Value {
    let error = if what == "slow" { json!([]) } else { json!([{ "key": "error", "value": true }]) };
    let trace = format!("{:032x}", service.len() * 16 + what.len());
    let begin = warroom::clock::wall().timestamp_micros() - 60_000_000;
    json!({ "data": [{ "traceID": trace, "processes": { "p": { "serviceName": service } }, "spans": [{
        "traceID": trace, "spanID": "1", "operationName": what, "references": [], "startTime": begin,
        "duration": 9_000_000, "tags": error, "processID": "p" }] }], "errors": null })
}

fn rows(found: &SpanFinding) -> BTreeSet<(String, String)> {
    let rows = found.errors.iter().chain(&found.slow);
    rows.map(|row| (row.service.to_string(), row.operation.to_string())).collect()
}

fn spans(findings: &[Finding]) -> SpanFinding {
    let spans = findings.iter().rev().find_map(|finding| match finding {
        Finding::Spans(found) => Some(found.clone()),
        _ => None,
    });
    spans.unwrap_or_else(|| panic!("{findings:?}"))
}

#[tokio::test]
async fn no_fault_of_one_search_hides_the_spans_of_another() {
    let services = ["gateway", "ledger-api"];
    let searches: Vec<_> =
        services.iter().flat_map(|service| ["tagged", "any", "slow"].map(|what| (*service, what))).collect();
    let cases = searches.iter().flat_map(|search| faults().into_iter().map(move |fault| (*search, fault)));
    let tried = cases.map(async |(search, (reply, sentence))| {
        let play = move |request: &Request| match searched(request) {
            Some((service, what)) if (service.as_str(), what) == search => reply.clone(),
            Some((service, what)) => Reply::json(traces(&service, what).to_string()),
            None if request.path == "/api/services" => Reply::json(r#"{"data":["gateway"],"errors":null}"#),
            None => Reply::status(404, "404 page not found"),
        };
        let server = Server::start(play).await;
        let slow = Some(TimeDelta::seconds(2));
        let watched =
            services.map(|service| WatchedService { service: service.into(), slow, ..WatchedService::default() });
        let list = Watchlist { generation: 1, services: watched.into(), ..Watchlist::default() };
        let mut seat = Seat::start("jaeger", &Endpoint::at(server.url()), list);
        let (findings, outcome) = seat.poll().await;
        assert_eq!(outcome, Ok(()), "{search:?} {sentence}: the source is well");
        let found = spans(&findings);
        let others = searches.iter().filter(|one| **one != search).map(|(one, what)| ((*one).into(), (*what).into()));
        assert_eq!(rows(&found), others.collect(), "{search:?} {sentence}");
        // The answers of one kind of fault are Prometheus' own, which to Jaeger are without traces.
        let said = found.remarks.iter().any(|text| text.contains("could not be searched") && text.contains(search.0));
        let is_gap = found.gaps.iter().any(|(service, _)| *service == *search.0);
        assert_eq!(
            (said, is_gap),
            (true, search.1 != "slow"),
            "{search:?} {sentence}: {:?} {:?}",
            found.remarks,
            found.gaps
        );
    });
    join_all(tried).await;
}

#[tokio::test]
async fn a_search_that_fails_later_keeps_what_it_found_and_says_of_when_that_is() {
    let is_failing = Arc::new(AtomicBool::new(false));
    let failing = is_failing.clone();
    let server = Server::start(move |request| match searched(request) {
        Some((_, "tagged")) if failing.load(Ordering::SeqCst) => Reply::status(500, "no shards"),
        Some((service, what)) => Reply::json(traces(&service, what).to_string()),
        None if request.path == "/api/services" => Reply::json(r#"{"data":["gateway"],"errors":null}"#),
        None => Reply::status(404, "404 page not found"),
    })
    .await;
    let watched = vec![WatchedService { service: "gateway".into(), slow: None, ..WatchedService::default() }];
    let list = Watchlist { generation: 1, services: watched, ..Watchlist::default() };
    let endpoint = Endpoint { every: Duration::from_millis(200), ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("jaeger", &endpoint, list);
    let before = spans(&seat.poll().await.0);
    assert_eq!(before.gaps, []);
    is_failing.store(true, Ordering::SeqCst);
    let (findings, outcome) = seat.poll().await;
    let after = spans(&findings);
    assert_eq!((outcome, rows(&after)), (Ok(()), rows(&before)));
    let remarks: Vec<_> = after.remarks.iter().map(|text| text.as_str()).collect();
    assert!(remarks[0].starts_with("error spans of gateway are those of "), "{remarks:?}");
    assert!(remarks[1].ends_with("answered 500: no shards"), "{remarks:?}");
}
