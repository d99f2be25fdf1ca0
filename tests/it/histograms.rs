//! Histograms of Prometheus: quantiles in the bucket without an end, native histograms, and the exemplars behind both.

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use warroom::live::{Exemplar, Exemplars, ExemplarsOf, Finding, Inquiry, Scope, WatchedObjective, Watchlist};
use warroom::slo::{Absent, Measured, Objective, ObjectiveId, ObjectiveKind, Side, Unit};
use warroom::source::Endpoint;

use crate::support::http::{Reply, Request, Server};
use crate::support::source::Seat;

fn latency(expr: &str, limit: f64) -> WatchedObjective {
    WatchedObjective {
        reach: None,
        id: ObjectiveId { service: "alipay".into(), objective: "p99".into() },
        objective: Objective {
            id: "p99".into(),
            title: "p99".into(),
            kind: ObjectiveKind::Threshold,
            expr: expr.to_owned(),
            target: limit,
            unit: Unit::Seconds,
            side: Side::AtMost,
            window: "5m".into(),
            absent: Absent::Unknown,
            every: None,
            lag: None,
        },
    }
}

fn found(kind: &str, result: Value) -> Reply {
    Reply::json(json!({"status": "success", "data": {"resultType": kind, "result": result}}).to_string())
}

async fn measured(server: &Server, watched: &WatchedObjective, wanted: Scope) -> Measured {
    let list = Watchlist { generation: 1, objectives: vec![watched.clone()], ..Watchlist::default() };
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), list);
    seat.until(|finding| match finding {
        Finding::Measured(_, scope, measured) if scope == wanted => Some(*measured),
        Finding::Unmeasured(_, scope, why) if scope == wanted => panic!("{why}"),
        _ => None,
    })
    .await
}

const QUANTILE: &str = "histogram_quantile(0.99, sum by (le) (rate(x_bucket[$window])))";

/// A Prometheus whose buckets end at 10 s, and whose quantile lies there or not.
fn quantile(value: &'static str) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| {
        let query = request.parameter("query").unwrap_or_default().to_owned();
        let at = warroom::clock::wall().timestamp();
        match request.path.as_str() {
            "/api/v1/query" if query.starts_with("count by (le)") => {
                let one = |le: &str| json!({"metric": {"le": le}, "value": [at, "1"]});
                found("vector", json!([one("+Inf"), one("0.1"), one("10.0"), one("1.0")]))
            }
            "/api/v1/query" => found("vector", json!([{"metric": {}, "value": [at, value]}])),
            "/api/v1/query_range" => found("matrix", json!([])),
            _ => Reply::status(404, "404 page not found\n"),
        }
    }
}

#[tokio::test]
async fn a_quantile_in_the_last_bucket_is_at_least_its_bound_and_proves_nothing_of_a_limit_beyond() {
    let server = Server::start(quantile("10")).await;
    let (strict, loose) = (latency(QUANTILE, 2.0), latency(QUANTILE, 15.0));
    let now = measured(&server, &strict, Scope::Now).await;
    let worst = now.worst_at(&strict.objective, 0).unwrap();
    assert_eq!(
        (worst.shown(&strict.objective).as_str(), now.partial.len()),
        ("> 10.0 s", 0),
        "it is over 2 s either way"
    );
    let now = measured(&server, &loose, Scope::Now).await;
    assert_eq!(now.worst_at(&loose.objective, 0).unwrap().shown(&loose.objective), "> 10.0 s");
    assert_eq!(now.partial, ["the buckets end at 10.0 s: what lies beyond may be over the limit of 15.0 s"]);
    let asked = server
        .requests()
        .iter()
        .filter(|request| request.parameter("query").is_some_and(|query| query.starts_with("count by")))
        .count();
    assert!(asked <= 6, "the end of the buckets is remembered: asked {asked} times");

    let server = Server::start(quantile("9.99")).await;
    let now = measured(&server, &loose, Scope::Now).await;
    assert_eq!(now.worst_at(&loose.objective, 0).unwrap().shown(&loose.objective), "9.99 s");
    assert!(now.partial.is_empty());
    let other = latency("max(x_seconds)", 15.0);
    let now = measured(&Server::start(quantile("10")).await, &other, Scope::Now).await;
    assert_eq!(
        now.worst_at(&other.objective, 0).unwrap().shown(&other.objective),
        "10.0 s",
        "no quantile has no last bucket"
    );
}

/// As Prometheus 2.42 gives a native histogram: a hundred requests, of which ninety took 0.25 to 0.5 s and ten 8 to 16 s.
fn native(at: i64) -> Value {
    json!([at, {"count": "100", "sum": "150", "buckets": [[0, "0.25", "0.5", "90"], [0, "8", "16", "10"]]}])
}

#[tokio::test]
async fn a_native_histogram_is_drawn_as_its_median_and_its_99th_percentile() {
    let server = Server::start(|request| {
        let at = warroom::clock::wall().timestamp();
        match request.path.as_str() {
            "/api/v1/query" => found("vector", json!([{"metric": {"service": "alipay"}, "histogram": native(at)}])),
            "/api/v1/query_range" => {
                let start: f64 = request.parameter("start").unwrap().parse().unwrap();
                let samples: Vec<Value> = (0..3).map(|step| native(start as i64 + step * 15)).collect();
                found("matrix", json!([{"metric": {"service": "alipay"}, "histograms": samples}]))
            }
            _ => Reply::status(404, "404 page not found\n"),
        }
    })
    .await;
    let watched = latency("rate(x_seconds[$window])", 2.0);
    let now = measured(&server, &watched, Scope::Now).await;
    let values: Vec<_> = now.series.iter().map(|one| (one.name.as_str(), one.values[0])).collect();
    // The 50th of 90 in [0.25, 0.5]; the 9th of 10 in [8, 16].
    assert_eq!(values, [("quantile=p50", Some(0.25 + 0.25 * 50.0 / 90.0)), ("quantile=p99", Some(15.2))]);
    assert!(now.remarks[0].starts_with("native histogram, drawn as its p50 and p99"), "{:?}", now.remarks);
    assert_eq!(now.worst_at(&watched.objective, 0).unwrap().whose(), Some("quantile=p99"));
    let chart = measured(&server, &watched, Scope::Chart).await;
    assert_eq!(chart.series.len(), 2);
    assert!(chart.series.iter().all(|one| one.values.iter().flatten().count() >= 1), "{chart:?}");
}

#[tokio::test]
async fn the_requests_that_a_server_keeps_as_examples_come_with_their_traces_however_they_are_labelled() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v1/query_exemplars" => {
            assert_eq!(request.parameter("query"), Some("x_bucket"));
            let one = |label: &str, at: f64, value: &str| {
                json!({"labels": {label: format!("{:032x}", at as i64)}, "value": value, "timestamp": at})
            };
            let all = json!([one("traceID", 1_780_000_020.25, "12.5"), one("trace_id", 1_780_000_010.0, "0.3"), one("user", 1_780_000_030.0, "9")]);
            Reply::json(json!({"status": "success", "data": [{"seriesLabels": {"le": "10"}, "exemplars": all}]}).to_string())
        }
        _ => found("vector", json!([])),
    })
    .await;
    let at = |seconds: i64, millis: u32| DateTime::from_timestamp(1_780_000_000 + seconds, millis * 1_000_000).unwrap();
    let asked =
        ExemplarsOf { objective: latency("x", 1.0).id, query: "x_bucket".into(), from: at(0, 0), until: at(60, 0) };
    let ask = async |server: &Server| {
        let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), Watchlist::default());
        seat.inquiries.send(Inquiry::Exemplars(asked.clone())).await.unwrap();
        seat.until(|finding| match finding {
            Finding::Exemplars(Exemplars { found, .. }) => Some(found),
            _ => None,
        })
        .await
    };
    let trace = |seconds: i64| format!("{:032x}", 1_780_000_000 + seconds).as_str().into();
    assert_eq!(
        ask(&server).await.unwrap(),
        [
            Exemplar { at: at(10, 0), value: 0.3, trace: trace(10) },
            Exemplar { at: at(20, 250), value: 12.5, trace: trace(20) },
        ],
        "the oldest first, and none without a trace"
    );
    let window = server.requests().iter().find(|request| request.path.ends_with("exemplars")).map(|request| {
        let number = |name: &str| request.parameter(name).unwrap().parse::<f64>().unwrap();
        number("end") - number("start")
    });
    assert_eq!(window, Some(TimeDelta::minutes(1).num_seconds() as f64));
    server.change(|_| Reply::status(404, "404 page not found\n"));
    assert_eq!(ask(&server).await.unwrap_err(), "this server keeps no exemplars");
}
