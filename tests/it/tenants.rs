//! Servers of several tenants: they answer only whoever names one in a header, and the configuration is where it stands.

use chrono::TimeDelta;
use serde_json::{Value, json};
use warroom::config::{Config, Inputs, Overrides, Places};
use warroom::live::{Finding, WatchedObjective, WatchedService, Watchlist};
use warroom::slo::{Absent, Objective, ObjectiveId, ObjectiveKind, Side, Unit};
use warroom::source::Endpoint;

use crate::plain::Host;
use crate::support::http::{Reply, Request, Server};
use crate::support::pty::code;
use crate::support::source::Seat;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Answers as three systems do, but only who names the tenant; without, as Mimir, Alertmanager in it and Jaeger behind a gateway refuse.
fn of_a_tenant(request: &Request) -> Reply {
    if request.header("x-scope-orgid") != Some("payments") {
        return Reply::status(401, "no org id\n");
    }
    let now = warroom::clock::wall();
    // Of the moment that was asked for: this clock may show the next second already.
    let asked = request.parameter("time").and_then(|time| time.parse::<f64>().ok());
    let asked = asked.map_or(now.timestamp(), |time| time as i64);
    let success = |data: Value| Reply::json(json!({"status": "success", "data": data}).to_string());
    match request.path.as_str() {
        "/api/v1/query" => success(json!({"resultType": "vector", "result": [
            {"metric": {"pod": "p1"}, "value": [asked, "0.42"]}]})),
        "/api/v1/query_range" => success(json!({"resultType": "matrix", "result": [
            {"metric": {"pod": "p1"}, "values": [[now.timestamp() - 15, "0.42"], [now.timestamp(), "0.42"]]}]})),
        "/api/v1/alerts" => success(json!({"alerts": [
            {"labels": {"alertname": "HighErrorRate", "service": "alipay"}, "annotations": {}, "state": "firing",
             "activeAt": (now - TimeDelta::minutes(5)).to_rfc3339(), "value": "4.2e-01"}]})),
        "/api/v1/rules" => success(json!({"groups": []})),
        "/api/v2/alerts" => Reply::json(
            json!([{"annotations": {}, "endsAt": (now + TimeDelta::minutes(5)).to_rfc3339(), "fingerprint": "09c11e48a7b5ffdf",
                "receivers": [{"name": "pager"}], "startsAt": (now - TimeDelta::minutes(5)).to_rfc3339(),
                "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"}, "updatedAt": now.to_rfc3339(),
                "labels": {"alertname": "PoolExhausted", "service": "alipay", "severity": "critical"}}])
            .to_string(),
        ),
        "/api/services" => Reply::json(r#"{"data":["alipay"],"total":1,"limit":0,"offset":0,"errors":null}"#),
        path if path.starts_with("/api/traces") => Reply::json(
            json!({"data": [{"traceID": TRACE, "warnings": null, "processes": {"p1": {"serviceName": "alipay", "tags": null}},
                "spans": [{"traceID": TRACE, "spanID": "a", "operationName": "pay", "references": null, "processID": "p1",
                    "startTime": now.timestamp_micros(), "duration": 1500, "tags": [{"key": "error", "type": "bool", "value": true}]}]}],
                "total": 0, "limit": 0, "offset": 0, "errors": null})
            .to_string(),
        ),
        _ => Reply::status(404, "404 page not found\n"),
    }
}

/// The systems of a configuration file.
fn configured(text: &str) -> [Endpoint; 3] {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).unwrap();
    let at = |name: &str| folder.path().join(name);
    let places = Places { system: at("none.toml"), config: at("config"), state: at("state"), home: at("home") };
    let overrides = Overrides { config: Some(file), ..Overrides::default() };
    let config = Config::load(&Inputs { places, environment: Vec::new(), overrides }).unwrap().config;
    [config.prometheus, config.alertmanager, config.jaeger].map(|system| {
        let system = system.unwrap();
        Endpoint { headers: system.headers, ..Endpoint::at(system.url.to_string()) }
    })
}

fn watching() -> Watchlist {
    let objective = Objective {
        id: "errors".into(),
        title: "Errors".into(),
        kind: ObjectiveKind::Threshold,
        expr: "errors".to_owned(),
        target: 0.01,
        unit: Unit::Count,
        side: Side::AtMost,
        window: "5m".into(),
        absent: Absent::Unknown,
        every: None,
        lag: None,
    };
    let id = ObjectiveId { service: "alipay".into(), objective: objective.id.clone() };
    Watchlist {
        generation: 1,
        objectives: vec![WatchedObjective { id, objective, reach: None }],
        services: vec![WatchedService { service: "alipay".into(), ..WatchedService::default() }],
        ..Watchlist::default()
    }
}

/// What is worth having of what a system says: a value, an alert, a span.
fn data(finding: &Finding) -> Option<String> {
    match finding {
        Finding::Measured(_, _, measured) => measured
            .series
            .iter()
            .find_map(|series| series.values.iter().flatten().next().map(|value| format!("value {value}"))),
        Finding::Alerts(found) => found.alerts.first().map(|alert| format!("alert {}", alert.name)),
        Finding::Spans(found) => found.errors.first().map(|span| format!("span {}", span.operation)),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_that_wants_to_know_the_tenant_gives_its_data_to_who_configured_the_header() {
    let server = Server::start(of_a_tenant).await;
    let url = server.url();
    let sections = |headers: &str| -> String {
        ["prometheus", "alertmanager", "jaeger"].map(|name| format!("[{name}]\nurl = '{url}'\n{headers}")).concat()
    };
    let wanted = ["value 0.42 alert HighErrorRate", "alert PoolExhausted", "span pay"];
    let named = configured(&sections("headers = { X-Scope-OrgID = 'payments' }\n"));
    let of_another = configured(&sections("headers = { X-Scope-OrgID = 'loans' }\n"));
    for (place, name) in ["prometheus", "alertmanager", "jaeger"].into_iter().enumerate() {
        let (findings, outcome) = Seat::start(name, &named[place], watching()).poll().await;
        assert_eq!(outcome, Ok(()), "{name}: {findings:?}");
        let mut told: Vec<String> = findings.iter().filter_map(data).collect();
        told.sort();
        told.dedup();
        for part in wanted[place].split(" alert ").map(|part| part.trim_start_matches("alert ")) {
            assert!(told.iter().any(|one| one.ends_with(part)), "{name} told {told:?}, and not {part}");
        }
        let (findings, outcome) = Seat::start(name, &of_another[place], watching()).poll().await;
        assert!(findings.iter().all(|finding| data(finding).is_none()), "{name}: {findings:?}");
        assert!(outcome.is_err() || name == "prometheus", "{name} took a refusal for an answer");
    }
    let asked = server.requests();
    assert!(asked.iter().any(|request| request.path == "/api/v2/alerts"));
    assert!(asked.iter().all(|request| request.header("x-scope-orgid").is_some()), "one question lacked the header");
}

#[tokio::test]
async fn a_shell_asks_with_the_configured_header() {
    let server = Server::start(of_a_tenant).await;
    let url = server.url();
    let said = tokio::task::spawn_blocking(move || {
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        let header = "headers = { X-Scope-OrgID = 'payments' }";
        let config = format!("[prometheus]\nurl = '{url}'\n{header}\n[alertmanager]\nurl = '{url}'\n{header}\n");
        std::fs::write(folder.join("config.toml"), config).unwrap();
        let output = host.command(&["alerts"]).output().unwrap();
        (code(output.status), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    })
    .await
    .unwrap();
    assert_eq!((said.0, said.2.as_str()), (0, ""), "{said:?}");
    assert!(said.1.contains("HighErrorRate") && said.1.contains("PoolExhausted"), "{said:?}");
}
