//! Objectives against a real Prometheus with back-filled data, and its rarer answers against a server that plays it.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use warroom::live::{Finding, Scope, WatchedObjective, Watchlist};
use warroom::slo::{Absent, Measured, Objective, ObjectiveId, ObjectiveKind, Side, Unit};
use warroom::source::Endpoint;

use crate::support::http::{Reply, Request, Server};
use crate::support::prometheus::{Prometheus, encoded, is_installed};
use crate::support::source::Seat;

fn objective(id: &str, kind: ObjectiveKind, expr: &str, target: f64) -> WatchedObjective {
    WatchedObjective {
        reach: None,
        id: ObjectiveId { service: "alipay".into(), objective: id.into() },
        objective: Objective {
            id: id.into(),
            title: id.into(),
            kind,
            expr: expr.to_owned(),
            target,
            unit: Unit::Ratio,
            side: Side::AtMost,
            window: "5m".into(),
            absent: Absent::Unknown,
            every: None,
            lag: None,
        },
    }
}

fn list(generation: u64, objectives: Vec<WatchedObjective>) -> Watchlist {
    Watchlist { generation, objectives, ..Watchlist::default() }
}

fn watched(expr: &str) -> Watchlist {
    list(1, vec![objective("x", ObjectiveKind::Threshold, expr, 1.0)])
}

fn quick(url: String) -> Endpoint {
    Endpoint { every: std::time::Duration::from_millis(300), ..Endpoint::at(url) }
}

fn measured(findings: &[Finding], id: &str) -> Measured {
    answered(findings, id, Scope::Chart)
}

fn answered(findings: &[Finding], id: &str, wanted: Scope) -> Measured {
    let is = |finding: &Finding| match finding {
        Finding::Measured(of, scope, measured) if of.objective == id && *scope == wanted => Some((**measured).clone()),
        _ => None,
    };
    findings.iter().find_map(is).unwrap_or_else(|| panic!("{id} was not measured: {findings:?}"))
}

/// Three hours of a service: latency buckets, errors, twenty minutes of silence an hour ago, and a service that has no traffic.
fn samples(end: i64) -> String {
    let mut out = String::new();
    let moments: Vec<i64> = (0..720).map(|step| end - 15 * (719 - step)).collect();
    let is_silent = |at: i64| (end - 4800..end - 3600).contains(&at);
    let mut series = |name: &str, labels: &str, value: &dyn Fn(i64) -> f64| {
        for (step, at) in moments.iter().enumerate().filter(|(_, at)| !is_silent(**at)) {
            out.push_str(&format!("{name}{{{labels}}} {} {at}\n", value(step as i64)));
        }
    };
    series("# TYPE requests counter\nrequests_total", "code=\"500\"", &|step| (step * 3) as f64);
    series("requests_total", "code=\"200\"", &|step| (step * 100) as f64);
    series("requests_total", "code=\"200\",idle=\"yes\"", &|_| 7.0);
    series("# TYPE latency gauge\nlatency_bucket", "le=\"0.1\"", &|step| (step * 50) as f64);
    series("latency_bucket", "le=\"1.0\"", &|step| (step * 90 + step * step / 200) as f64);
    series("latency_bucket", "le=\"+Inf\"", &|step| (step * 103 + step * step / 100) as f64);
    series("# TYPE depth gauge\ndepth", "queue=\"a\",site=\"x\"", &|step| (step % 17) as f64);
    series("depth", "queue=\"b\",site=\"x\"", &|step| (step % 13) as f64);
    // A metric's first line carries its type: it stands once, before the first sample only.
    let mut seen = std::collections::HashSet::new();
    let lines = out.lines().filter(|line| !line.starts_with('#') || seen.insert((*line).to_owned()));
    lines.collect::<Vec<_>>().join("\n") + "\n# EOF\n"
}

const ERRORS: &str =
    r#"sum(rate(requests_total{code=~"5..",idle=""}[$window])) / sum(rate(requests_total{idle=""}[$window]))"#;
const IDLE: &str = r#"sum(rate(requests_total{idle="yes"}[$window])) / sum(rate(requests_total{idle="yes"}[$window]))"#;
const LATENCY: &str = "histogram_quantile(0.95, sum by (le) (rate(latency_bucket[$window])))";

fn now() -> DateTime<Utc> {
    warroom::clock::wall()
}

#[tokio::test]
async fn every_value_on_the_screen_is_the_one_that_prometheus_gives_for_the_same_query() {
    if !is_installed() {
        return;
    }
    let mut server = Prometheus::start(&samples(now().timestamp() - 30));
    let objectives = vec![
        objective("errors", ObjectiveKind::Ratio, ERRORS, 0.995),
        objective("latency", ObjectiveKind::Threshold, LATENCY, 1.0),
        objective("idle", ObjectiveKind::Ratio, IDLE, 0.995),
        objective("depth", ObjectiveKind::Threshold, "depth", 100.0),
        objective("absent", ObjectiveKind::Threshold, "nobody_knows_this", 1.0),
        objective("bad", ObjectiveKind::Threshold, "sum(", 1.0),
    ];
    let watchlist = Watchlist { span: TimeDelta::hours(2), ..list(7, objectives.clone()) };
    let mut seat = Seat::start("prometheus", &quick(server.url()), watchlist.clone());
    let Finding::Ready { place, .. } = seat.next().await else { panic!("the first report says where it looks") };
    assert_eq!(place, server.url().as_str());
    let (findings, outcome) = seat.poll().await;
    assert_eq!(outcome, Ok(()));

    for watched in objectives.iter().filter(|watched| watched.id.objective != "bad") {
        let ours = measured(&findings, &watched.id.objective);
        let (start, end) = (ours.grid.start.timestamp(), ours.grid.end().timestamp());
        let query = encoded(&watched.objective.query("5m"));
        let step = ours.grid.resolution.num_seconds();
        let theirs = server.ask(&format!("/api/v1/query_range?query={query}&start={start}&end={end}&step={step}"));
        let mut samples = 0;
        let theirs = theirs["result"].as_array().unwrap();
        assert_eq!(ours.series.len(), theirs.len(), "{}", watched.id.objective);
        for (ours_one, theirs_one) in ours.series.iter().zip(theirs) {
            let mut expected = vec![None; ours.grid.len];
            for sample in theirs_one["values"].as_array().unwrap() {
                let place = (sample[0].as_f64().unwrap() as i64 - start) / step;
                expected[place as usize] = Some(sample[1].as_str().unwrap().parse::<f64>().unwrap());
                samples += 1;
            }
            for (place, (one, other)) in ours_one.values.iter().zip(&expected).enumerate() {
                let is_same = one.map(f64::to_bits) == other.map(f64::to_bits)
                    || one.is_some_and(f64::is_nan) && other.is_some_and(f64::is_nan);
                assert!(is_same, "{} at {place}: {one:?}, not {other:?}", watched.id.objective);
            }
        }
        eprintln!("{}: {} series, {samples} samples agree", watched.id.objective, ours.series.len());
    }

    // The headline is the value of this moment, and the proof is as fine as the values are sampled, however coarse the chart is.
    for id in ["errors", "latency", "depth"] {
        let watched = objectives.iter().find(|watched| *watched.id.objective == *id).unwrap();
        let (now, proof) = (answered(&findings, id, Scope::Now), answered(&findings, id, Scope::Proof));
        assert_eq!((now.grid.len, proof.grid.resolution.num_seconds()), (1, 15));
        assert!(proof.grid.at(0) <= proof.grid.end() - TimeDelta::minutes(10));
        let at = now.grid.start.timestamp();
        let theirs = server.ask(&format!("/api/v1/query?query={}&time={at}", encoded(&watched.objective.query("5m"))));
        let theirs = theirs["result"].as_array().unwrap().iter();
        let theirs: Vec<f64> = theirs.map(|one| one["value"][1].as_str().unwrap().parse().unwrap()).collect();
        let ours: Vec<f64> = now.series.iter().map(|series| series.values[0].unwrap()).collect();
        assert_eq!(ours, theirs, "{id}");
    }

    let errors = Measured { burn: answered(&findings, "errors", Scope::Burn).burn, ..measured(&findings, "errors") };
    assert!(errors.series[0].values.iter().any(Option::is_none), "the missing stretch is a gap");
    for (window, burn) in ["5m", "1h", "6h"].iter().zip(errors.burn) {
        let theirs = server.ask(&format!("/api/v1/query?query={}", encoded(&objectives[0].objective.query(window))));
        let ratio: f64 = theirs["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
        let burn = burn.unwrap();
        assert!((burn - ratio / 0.005).abs() < 0.05 * burn, "{window}: {burn}, not {}", ratio / 0.005);
    }
    let idle = measured(&findings, "idle");
    assert!(idle.series[0].values.iter().flatten().all(|value| value.is_nan()), "0/0 stays what it is");
    assert_eq!(answered(&findings, "idle", Scope::Burn).burn, [None; 3]);
    let names: Vec<_> = measured(&findings, "depth").series.iter().map(|series| series.name.clone()).collect();
    assert_eq!(names, ["queue=a", "queue=b"], "the labels that differ name a series");
    assert_eq!(measured(&findings, "absent").series, [], "no data is not zero");
    let bad = findings.iter().find_map(|finding| match finding {
        Finding::Unmeasured(id, Scope::Chart, reason) if id.objective == "bad" => Some(reason.to_string()),
        _ => None,
    });
    assert!(bad.unwrap().contains("parse error"), "the server's own words");
    assert!(seat.place.contains("(version 2."), "it says once which version it is: {}", seat.place);

    server.kill();
    let reason = loop {
        if let (_, Err(reason)) = seat.poll().await {
            break reason;
        }
    };
    assert!(reason.ends_with("refused the connection: is it running?"), "{reason}");
    server.restart();
    loop {
        if let (findings, Ok(())) = seat.poll().await {
            assert!(!measured(&findings, "errors").series.is_empty(), "it recovers by itself");
            break;
        }
    }
}

fn vector(body: serde_json::Value) -> String {
    json!({"status": "success", "data": body}).to_string()
}

/// Answers range queries with one body, and what else is asked with nothing.
fn playing(body: impl Into<String>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let body = body.into();
    move |request| match request.path.as_str() {
        "/api/v1/query_range" => Reply::json(body.clone()),
        "/api/v1/query" => Reply::json(vector(json!({"resultType": "vector", "result": []}))),
        _ => Reply::status(404, "404 page not found\n"),
    }
}

#[tokio::test]
async fn a_range_query_is_posted_on_an_aligned_grid_below_the_path_prefix() {
    let server = Server::start(|request| match request.path.as_str() {
        "/team/prom/api/v1/query_range" => Reply::json(vector(json!({"resultType": "matrix", "result": []}))),
        _ => Reply::status(404, "404 page not found\n"),
    })
    .await;
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url() + "/team/prom/"), watched("up{a=\"b+c&d\"}"));
    let (findings, outcome) = seat.poll().await;
    measured(&findings, "x");
    assert!(findings.iter().any(|finding| matches!(finding, Finding::NoAlerts(_))), "{findings:?}");
    assert_eq!(outcome, Ok(()));
    let requests = server.requests();
    let request = requests.iter().find(|request| request.path.ends_with("query_range")).unwrap();
    assert!(requests.iter().any(|request| request.path == "/team/prom/api/v1/alerts"));
    assert!(request.body.contains("query=up"), "in the body, because an address has a limit: {}", request.body);
    let number = |name: &str| request.parameter(name).unwrap().parse::<i64>().unwrap();
    assert_eq!((request.method.as_str(), request.parameter("query")), ("POST", Some("up{a=\"b+c&d\"}")));
    let (start, end, step) = (number("start"), number("end"), number("step"));
    assert_eq!((start % step, end % step, request.parameter("timeout")), (0, 0, Some("4500ms")));
    assert!((end - start) / step < 240 && end <= now().timestamp() && end > now().timestamp() - 60);
    assert!(request.header("user-agent").unwrap().starts_with("warroom/"));
}

fn remarks_are_infos(found: &Measured) -> bool {
    found.remarks.iter().any(|text| text.contains("might not be a counter"))
}

#[tokio::test]
async fn what_prometheus_says_beside_the_data_is_shown_and_what_cannot_be_drawn_gets_a_sentence() {
    let histogram = json!({"resultType": "matrix", "result": [{"metric": {}, "histograms": [[1, {"count": "3"}]]}]});
    let warned = json!({
        "status": "success", "data": {"result": [], "resultType": "matrix"},
        "warnings": ["partial\u{1b}[31m data"], "infos": ["metric might not be a counter"]
    });
    for (body, remarks) in [
        (warned.to_string(), vec!["metric might not be a counter"]),
        (
            vector(histogram),
            vec![
                "native histogram, drawn as its p50 and p99: histogram_quantile(0.99, sum(rate(name[5m]))) or histogram_avg says which is meant",
            ],
        ),
        (
            vector(json!({"resultType": "string", "result": [1, "text"]})),
            vec!["the expression gives a text, which cannot be drawn"],
        ),
    ] {
        let server = Server::start(playing(body)).await;
        let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), watched("x"));
        let (findings, outcome) = seat.poll().await;
        let found = measured(&findings, "x");
        assert_eq!((found.remarks.iter().map(|text| text.as_str()).collect(), outcome), (remarks, Ok(())));
        assert!(found.series.is_empty());
        let partial: Vec<_> = found.partial.iter().map(|text| text.as_str()).collect();
        assert_eq!(partial, if remarks_are_infos(&found) { vec!["partial data"] } else { vec![] });
    }
}

#[tokio::test]
async fn infinities_and_gaps_stay_and_the_thousandth_series_is_counted_not_kept() {
    let server = Server::start(|request| {
        let number = |name: &str| request.parameter(name)?.parse::<i64>().ok();
        let Some((start, step)) = number("start").zip(number("step")) else { return Reply::status(404, "x") };
        let series = |number: i64| {
            json!({"metric": {"__name__": "m", "pod": format!("p{number:04}"), "job": "one"},
                   "values": [[start, "+Inf"], [start + 2 * step, "-Inf"], [start + 3 * step, "1.7e-01"], [start + 4 * step, "NaN"]]})
        };
        let all: Vec<_> = (0..1000).map(series).collect();
        Reply::json(vector(json!({"resultType": "matrix", "result": all})))
    })
    .await;
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), watched("m"));
    let found = measured(&seat.poll().await.0, "x");
    assert_eq!((found.series.len(), found.left_out), (200, 800));
    assert_eq!(found.series[3].name, "pod=p0003");
    assert_eq!(found.rest[..3], [Some(f64::INFINITY), None, Some(f64::NEG_INFINITY)]);
    let values = &found.series[0].values;
    assert_eq!(values[..4], [Some(f64::INFINITY), None, Some(f64::NEG_INFINITY), Some(0.17)]);
    assert!(values[4].unwrap().is_nan() && values[5].is_none());
}

#[tokio::test]
async fn a_refused_query_is_the_objectives_problem_and_the_others_are_measured() {
    for (status, kind, error, sentence) in [
        (400, "bad_data", "parse error: unexpected", "the query is refused (bad_data): parse error: unexpected"),
        (
            400,
            "bad_data",
            "exceeded maximum resolution",
            "the query is refused (bad_data): exceeded maximum resolution",
        ),
        (422, "execution", "expanding series: context deadline exceeded", "the query takes longer than 4.5 s"),
        (503, "timeout", "query timed out in expression evaluation", "the query takes longer than 4.5 s"),
    ] {
        let server = Server::start(move |request| match request.parameter("query") {
            Some("bad") => {
                Reply::status(status, json!({"status": "error", "errorType": kind, "error": error}).to_string())
            }
            Some(_) => Reply::json(vector(json!({"resultType": "matrix", "result": []}))),
            None => Reply::status(404, "404 page not found"),
        })
        .await;
        let objectives = ["bad", "good"].map(|id| objective(id, ObjectiveKind::Threshold, id, 1.0));
        let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), list(1, objectives.into()));
        let (findings, outcome) = seat.poll().await;
        assert_eq!(outcome, Ok(()), "the source is healthy");
        measured(&findings, "good");
        let is_told =
            |finding: &Finding| matches!(finding, Finding::Unmeasured(_, _, text) if text.starts_with(sentence));
        assert!(findings.iter().any(is_told), "{findings:?}");
    }
}

/// A thousand series, of which the last is the worst by far.
fn many(request: &Request) -> Reply {
    let number = |name: &str| request.parameter(name)?.parse::<i64>().ok();
    let value = |pod: i64| if pod == 899 { "899" } else { "0.5" };
    let metric = |pod: i64| json!({"__name__": "m", "pod": format!("p{pod:04}"), "job": "one"});
    let all: Vec<_> = (0..900)
        .map(|pod| match (number("start"), number("time")) {
            // A moment ago another one was worse, which is not among the worst any more.
            (Some(start), _) if pod == 7 => json!({"metric": metric(pod), "values": [[start, "5000"]]}),
            (Some(_), _) => json!({"metric": metric(pod), "values": [[number("end"), value(pod)]]}),
            (None, at) => json!({"metric": metric(pod), "value": [at, value(pod)]}),
        })
        .collect();
    let kind = if request.path.ends_with("query_range") { "matrix" } else { "vector" };
    Reply::json(vector(json!({"resultType": kind, "result": all})))
}

#[tokio::test]
async fn of_more_series_than_are_kept_the_worst_are_and_none_is_left_out_of_the_worst_value() {
    let server = Server::start(|request| match request.path.as_str() {
        "/api/v1/query_range" | "/api/v1/query" => many(request),
        _ => Reply::status(404, "404 page not found\n"),
    })
    .await;
    let list = watched("m");
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), list.clone());
    let (findings, _) = seat.poll().await;
    let objective = &list.objectives[0].objective;
    let now = answered(&findings, "x", Scope::Now);
    let worst = now.worst_at(objective, 0).unwrap();
    assert_eq!((worst.value, worst.whose(), now.series.len(), now.left_out), (899.0, Some("pod=p0899"), 200, 700));
    let chart = measured(&findings, "x");
    assert_eq!(chart.newest(objective).unwrap().1.value, 899.0);
    assert_eq!(chart.worst_at(objective, 0).unwrap().value, 5000.0, "kept or not");
}

#[tokio::test]
async fn a_server_that_takes_no_post_is_asked_by_get_and_it_is_remembered() {
    for refused in [403, 405] {
        let server = Server::start(move |request| match (request.method.as_str(), request.path.as_str()) {
            ("POST", _) => Reply::status(refused, "only GET, please"),
            (_, "/api/v1/query_range") => Reply::json(vector(json!({"resultType": "matrix", "result": []}))),
            (_, "/api/v1/query") => Reply::json(vector(json!({"resultType": "vector", "result": []}))),
            _ => Reply::status(404, "404 page not found\n"),
        })
        .await;
        let mut seat = Seat::start("prometheus", &quick(server.url()), watched("x"));
        let (findings, outcome) = seat.poll().await;
        assert_eq!(outcome, Ok(()));
        for scope in [Scope::Now, Scope::Proof, Scope::Chart] {
            answered(&findings, "x", scope);
        }
        let posts = || server.requests().iter().filter(|request| request.method == "POST").count();
        let before = posts();
        assert_eq!(seat.poll().await.1, Ok(()));
        assert_eq!(posts(), before, "{refused}");
    }
}

#[tokio::test]
async fn a_machine_whose_clock_is_off_asks_about_the_servers_present() {
    let ahead = TimeDelta::minutes(10);
    let server = Server::start(move |request| {
        let date = (now() - ahead).to_rfc2822();
        match request.path.as_str() {
            "/api/v1/query_range" => Reply::json(vector(json!({"resultType": "matrix", "result": []}))),
            "/api/v1/query" => Reply::json(vector(json!({"resultType": "vector", "result": []}))),
            _ => Reply::status(404, "404 page not found\n"),
        }
        .with("date", &date)
    })
    .await;
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), watched("x"));
    let (findings, _) = seat.poll().await;
    let told = findings.iter().find_map(|finding| match finding {
        Finding::Clock(ahead) => Some(*ahead),
        _ => None,
    });
    assert!((told.unwrap() - ahead).abs() < TimeDelta::seconds(3), "{told:?}");
    for request in server.requests() {
        for name in ["time", "end"] {
            let Some(asked) = request.parameter(name).and_then(|text| text.parse::<i64>().ok()) else { continue };
            let off = (now() - ahead).timestamp() - asked;
            assert!((-3..60).contains(&off), "{} asks {off} s beside the server's time", request.path);
        }
    }
}

#[tokio::test]
async fn of_several_addresses_the_first_that_answers_is_asked_until_it_does_not() {
    let mut servers = Vec::new();
    for _ in 0..2 {
        servers.push(Server::start(playing(vector(json!({"resultType": "matrix", "result": []})))).await);
    }
    let dead = format!("http://127.0.0.1:{}", crate::support::http::refused_port().await);
    let also = vec![servers[0].url(), servers[1].url()];
    let endpoint = Endpoint { also, ..quick(dead) };
    let mut seat = Seat::start("prometheus", &endpoint, watched("x"));
    assert_eq!(seat.poll().await.1, Ok(()));
    assert_eq!((seat.place.as_str(), servers[1].requests().len()), (servers[0].url().as_str(), 0));
    servers[0].change(|_| Reply::status(503, "leaving"));
    assert_eq!(seat.poll().await.1, Ok(()));
    assert_eq!(seat.place, servers[1].url());
    servers[1].change(|_| Reply::status(503, "leaving, too"));
    assert!(seat.poll().await.1.unwrap_err().contains("leaving, too"), "the one that was asked last says why");
}
