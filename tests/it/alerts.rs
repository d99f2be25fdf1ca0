//! Alerts of a real Prometheus and a real Alertmanager, the rarer answers of both against a server that plays them, and `warroom alerts`.

use std::process::Command;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use warroom::alert::{Alert, AlertState, Bad, Rules, fingerprint, proposed_severity};
use warroom::clock;
use warroom::incident::Severity;
use warroom::live::{AlertFinding, Finding, Live, LiveAlert, Report, WatchedObjective, Watchlist};
use warroom::slo::{Absent, Objective, ObjectiveId, ObjectiveKind, Side, Unit};
use warroom::source::Endpoint;
use warroom::text::CleanStr;

use crate::support::alertmanager::{self, Running};
use crate::support::http::{Reply, Request, Server, refused_port};
use crate::support::prometheus;
use crate::support::source::Seat;

const SOURCES: [&str; 2] = ["prometheus", "alertmanager"];

fn told(findings: &[Finding]) -> AlertFinding {
    let is = |finding: &Finding| match finding {
        Finding::Alerts(found) => Some(found.clone()),
        _ => None,
    };
    findings.iter().find_map(is).unwrap_or_else(|| panic!("no alerts were told: {findings:?}"))
}

/// One poll of a source before which somebody sits who answers in this way.
async fn asked(name: &str, server: &Server) -> (Vec<Finding>, Result<(), String>) {
    Seat::start(name, &Endpoint::at(server.url()), Watchlist::default()).poll().await
}

fn moment(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc)
}

/// Alertmanager's answer about one alert, as its version 0.25 writes it.
fn managed() -> Value {
    json!({
        "annotations": {"summary": "18 % of payments fail", "runbook_url": "https://wiki/alipay"},
        "endsAt": "2026-05-28T20:30:41.123Z", "fingerprint": "09c11e48a7b5ffdf",
        "receivers": [{"name": "pager"}], "startsAt": "2026-05-28T20:26:41.123Z",
        "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": "2026-05-28T20:26:41.130Z", "generatorURL": "http://vm:9090/graph?g0.expr=x",
        "labels": {"alertname": "HighErrorRate", "service": "alipay", "severity": "critical"}
    })
}

fn with(mut alert: Value, change: Value) -> Value {
    for (key, value) in change.as_object().unwrap() {
        alert[key] = value.clone();
    }
    alert
}

async fn alertmanager_says(body: Value) -> (AlertFinding, Vec<Request>) {
    let server = Server::start(move |_| Reply::json(body.to_string())).await;
    let (findings, outcome) = asked("alertmanager", &server).await;
    assert_eq!(outcome, Ok(()));
    (told(&findings), server.requests())
}

#[tokio::test]
async fn alertmanagers_alert_is_read_to_the_letter_and_everything_is_asked_for() {
    let (found, requests) = alertmanager_says(json!([managed()])).await;
    let [alert] = &found.alerts[..] else { panic!("{found:?}") };
    assert_eq!((alert.source, alert.name.as_str()), ("alertmanager", "HighErrorRate"));
    assert_eq!(alert.fingerprint, "09c11e48a7b5ffdf");
    assert_eq!(alert.starts_at, moment("2026-05-28T20:26:41.123Z"));
    assert_eq!(alert.state, AlertState::Firing);
    assert_eq!(alert.annotations["summary"], "18 % of payments fail");
    assert_eq!(alert.generator_url.as_deref(), Some("http://vm:9090/graph?g0.expr=x"));
    assert_eq!(requests[0].path, "/api/v2/alerts");
    for kind in ["active", "silenced", "inhibited", "unprocessed"] {
        assert_eq!(requests[0].parameter(kind), Some("true"), "{kind}");
    }
}

#[tokio::test]
async fn alertmanagers_oddities_cost_no_alert() {
    let status = |state: &str, key: &str| json!({"status": {"state": state, key: ["one"]}});
    for (change, check) in [
        (json!({"annotations": null}), (|alert| alert.annotations.is_empty()) as fn(&Alert) -> bool),
        (json!({"annotations": ["x"]}), |alert| alert.annotations.is_empty()),
        (json!({"annotations": {"summary": 5, "x": null}}), |alert| alert.annotations["summary"] == "5"),
        (json!({"labels": {"alertname": "A", "shard": 7, "canary": true}}), |alert| alert.labels["shard"] == "7"),
        (json!({"labels": {"service": "x"}}), |alert| alert.name == "alert without a name"),
        (json!({"startsAt": "2026-05-28T22:26:41.123+02:00"}), |alert| {
            alert.starts_at == moment("2026-05-28T20:26:41.123Z")
        }),
        (json!({"endsAt": "0001-01-01T00:00:00Z"}), |alert| alert.state == AlertState::Firing),
        (json!({"endsAt": null, "updatedAt": "yesterday", "receivers": null}), |alert| {
            alert.state == AlertState::Firing
        }),
        (json!({"fingerprint": null}), |alert| alert.fingerprint == fingerprint_of(alert)),
        (json!({"status": null}), |alert| alert.state == AlertState::Firing),
        (json!({"status": {"state": "unprocessed"}}), |alert| alert.state == AlertState::Firing),
        (json!({"status": {"state": "suppressed"}}), |alert| alert.state.word() == "muted"),
        (status("suppressed", "silencedBy"), |alert| alert.state.word() == "silenced"),
        (status("suppressed", "inhibitedBy"), |alert| alert.state.word() == "inhibited"),
        (status("active", "mutedBy"), |alert| alert.state.word() == "muted"),
        (json!({"generatorURL": ""}), |alert| alert.generator_url.is_none()),
        (json!({"somethingNew": {"in": ["the", "next", "version"]}}), |alert| alert.name == "HighErrorRate"),
    ] {
        let (found, _) = alertmanager_says(json!([with(managed(), change.clone())])).await;
        assert!(matches!(&found.alerts[..], [alert] if check(alert)), "{change}: {found:?}");
        assert!(found.remarks.is_empty());
    }
}

fn fingerprint_of(alert: &Alert) -> CleanStr {
    fingerprint(alert.labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

#[tokio::test]
async fn what_is_over_or_told_twice_is_left_out_and_what_cannot_be_read_is_counted() {
    let over = json!({"fingerprint": "1", "endsAt": "2026-05-28T20:26:41Z", "updatedAt": "2026-05-28T20:26:41Z"});
    let other = with(managed(), json!({"fingerprint": "2"}));
    let body = json!([
        managed(),
        with(managed(), over),
        managed(),
        other,
        with(managed(), json!({"startsAt": "soon"})),
        with(managed(), json!({"labels": {}})),
        7,
        null,
        "x",
        [],
        {}
    ]);
    let (found, _) = alertmanager_says(body).await;
    let fingerprints: Vec<_> = found.alerts.iter().map(|alert| alert.fingerprint.as_str()).collect();
    assert_eq!(fingerprints, ["09c11e48a7b5ffdf", "2"]);
    assert_eq!(found.remarks, ["7 alerts cannot be read: they have no labels or do not say since when"]);
    let (found, _) = alertmanager_says(json!([])).await;
    assert_eq!(found, AlertFinding::default());
}

#[tokio::test]
async fn alertmanagers_errors_in_all_their_forms_are_one_sentence() {
    for (status, body, sentence) in [
        (400, "\"bad matcher format: bad{{\"\n", "answered 400: bad matcher format: bad{{"),
        (
            422,
            r#"{"code":612,"message":"matchers in body should have at least 1 items"}"#,
            "answered 422: matchers in body",
        ),
        (500, "\"silence not found\"", "answered 500: silence not found"),
        (404, "404 page not found\n", "answered 404 for /api/v2/alerts: is the path in the address right?"),
        (503, "<html>login</html>", "a web page instead of data"),
        (500, "", "answered 500 without a word"),
        (
            410,
            r#"{"status":"deprecated","error":"The Alertmanager v1 API was removed"}"#,
            "answered 410: The Alertmanager v1",
        ),
        (200, r#"{"status":"success","data":[]}"#, "sent something that cannot be read"),
        (200, "[{", "sent something that cannot be read"),
    ] {
        let server = Server::start(move |_| Reply::status(status, body)).await;
        let (findings, outcome) = asked("alertmanager", &server).await;
        let reason = outcome.unwrap_err();
        assert!(reason.contains(sentence) && reason.starts_with("alertmanager at 127.0.0.1"), "{reason}");
        assert_eq!(findings, []);
    }
}

/// Prometheus' alert, as its version 2.42 writes it.
fn computed() -> Value {
    json!({"labels": {"alertname": "HighErrorRate", "service": "alipay", "severity": "critical"},
           "annotations": {"summary": "18 % of payments fail"}, "state": "firing",
           "activeAt": "2026-05-28T20:26:31.123456789Z", "value": "1.7992813141683778e-01"})
}

fn rule(name: &str, duration: Value, alerts: &[Value]) -> Value {
    json!({"state": "firing", "name": name, "query": "x", "duration": duration, "keepFiringFor": 0, "labels": {},
           "annotations": {}, "alerts": alerts, "health": "ok", "type": "alerting"})
}

fn success(data: Value) -> String {
    json!({"status": "success", "data": data}).to_string()
}

fn plays(alerts: String, rules: String) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| match request.path.as_str() {
        "/api/v1/alerts" => Reply::json(alerts.clone()),
        "/api/v1/rules" => Reply::json(rules.clone()),
        _ => Reply::status(404, "404 page not found\n"),
    }
}

async fn prometheus_says(alerts: Value, rules: Value) -> AlertFinding {
    let groups = json!({"groups": [{"name": "g", "file": "f", "interval": 1, "rules": rules}]});
    let server = Server::start(plays(success(json!({"alerts": alerts})), success(groups))).await;
    let (findings, outcome) = asked("prometheus", &server).await;
    assert_eq!(outcome, Ok(()));
    told(&findings)
}

#[tokio::test]
async fn prometheus_alert_fired_when_its_expression_had_held_for_as_long_as_its_rule_wants() {
    let warning = with(computed(), json!({"labels": {"alertname": "HighErrorRate", "severity": "warning"}}));
    let started = |found: &AlertFinding, severity: &str| {
        let alert = found.alerts.iter().find(|alert| alert.labels["severity"] == severity).unwrap();
        (alert.starts_at - moment("2026-05-28T20:26:31.123456789Z")).num_seconds()
    };
    let rules = json!([
        rule("HighErrorRate", json!(300), &[computed()]),
        rule("HighErrorRate", json!("600"), std::slice::from_ref(&warning)),
        {"name": "recorded", "type": "recording", "query": "x"}, 5, null
    ]);
    let found = prometheus_says(json!([computed(), warning]), rules).await;
    assert_eq!((started(&found, "critical"), started(&found, "warning")), (300, 600), "two rules of one name");
    assert_eq!(found.remarks, [""; 0]);
    let found = prometheus_says(json!([computed()]), json!([rule("HighErrorRate", json!(10), &[])])).await;
    assert_eq!(started(&found, "critical"), 10, "a rule that lists no alerts is known by its name");
    let groups = json!({"groups": [{"interval": 60, "rules": [rule("HighErrorRate", json!(90), &[computed()])]}]});
    let server = Server::start(plays(success(json!({"alerts": [computed()]})), success(groups))).await;
    let found = told(&asked("prometheus", &server).await.0);
    assert_eq!(started(&found, "critical"), 120, "it fires when it is evaluated");
    for odd in [json!(null), json!(-5), json!("soon"), json!(1e300)] {
        let found = prometheus_says(json!([computed()]), json!([rule("HighErrorRate", odd, &[computed()])])).await;
        assert_eq!(started(&found, "critical"), 0);
    }
}

#[tokio::test]
async fn a_pending_alert_stays_pending_and_prometheus_oddities_cost_no_alert() {
    for (change, check) in [
        (json!({"state": "pending"}), (|alert| alert.state == AlertState::Pending) as fn(&Alert) -> bool),
        (json!({"state": "unknown"}), |alert| alert.state == AlertState::Firing),
        (json!({"annotations": null}), |alert| alert.annotations.is_empty()),
        (json!({"activeAt": "2026-05-28T22:26:31.123456789+02:00"}), |alert| {
            alert.starts_at == moment("2026-05-28T20:26:31.123456789Z")
        }),
        (json!({"value": null, "keepFiringSince": "x"}), |alert| alert.fingerprint == fingerprint_of(alert)),
    ] {
        let found = prometheus_says(json!([with(computed(), change.clone())]), json!([])).await;
        assert!(matches!(&found.alerts[..], [alert] if check(alert)), "{change}: {found:?}");
    }
    let found = prometheus_says(json!([{"labels": {}}, computed(), {"state": "firing"}]), json!(null)).await;
    assert_eq!((found.alerts.len(), found.remarks.len()), (1, 1));
    assert_eq!(prometheus_says(json!(null), json!([])).await, AlertFinding::default());
}

#[tokio::test]
async fn rules_that_cannot_be_had_cost_the_for_and_nothing_else() {
    let alerts = success(json!({"alerts": [computed()]}));
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v1/alerts" => Reply::json(alerts.clone()),
        _ => Reply::status(422, r#"{"status":"error","errorType":"bad_data","error":"no rules here"}"#),
    })
    .await;
    let (findings, outcome) = asked("prometheus", &server).await;
    let found = told(&findings);
    assert_eq!((found.alerts.len(), outcome), (1, Ok(())));
    assert!(found.remarks[0].contains("answered 422: no rules here"), "{found:?}");
    let requests = server.requests();
    let rules = requests.iter().find(|request| request.path == "/api/v1/rules").unwrap();
    assert_eq!(rules.parameter("type"), Some("alert"));
    assert_eq!(rules.parameter("rule_name%5B%5D").or(rules.parameter("rule_name[]")), Some("HighErrorRate"));
}

fn objective() -> WatchedObjective {
    WatchedObjective {
        reach: None,
        id: ObjectiveId { service: "alipay".into(), objective: "x".into() },
        objective: Objective {
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
        },
    }
}

#[tokio::test]
async fn a_server_that_measures_but_knows_no_alerts_is_well_and_says_why_there_are_none() {
    for (reply, sentence) in [
        (Reply::status(404, "404 page not found\n"), "answered 404 for /api/v1/alerts"),
        (Reply::status(500, r#"{"status":"error","error":"ruler is away"}"#), "answered 500: ruler is away"),
        (Reply::json(r#"{"status":"error","error":"not today"}"#), "without data: not today"),
        (Reply::json(r#"{"status":"success","data":[1,2]}"#), "cannot be read"),
    ] {
        for objectives in [vec![], vec![objective()]] {
            let reply = reply.clone();
            let server = Server::start(move |request| match request.path.as_str() {
                "/api/v1/alerts" => reply.clone(),
                "/api/v1/query_range" => Reply::json(success(json!({"resultType": "matrix", "result": []}))),
                "/api/v1/query" => Reply::json(success(json!({"resultType": "vector", "result": []}))),
                _ => Reply::status(404, "404 page not found\n"),
            })
            .await;
            let list = Watchlist { objectives, ..Watchlist::default() };
            let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), list);
            let (findings, outcome) = seat.poll().await;
            assert_eq!(outcome, Ok(()), "the source is healthy");
            let is_told = |finding: &Finding| matches!(finding, Finding::NoAlerts(why) if why.contains(sentence));
            assert!(findings.iter().any(is_told), "{sentence}: {findings:?}");
        }
    }
}

#[tokio::test]
async fn alerts_come_though_a_query_hangs_the_server_up() {
    let alerts = success(json!({"alerts": [computed()]}));
    let rules = success(json!({"groups": []}));
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v1/alerts" => Reply::json(alerts.clone()),
        "/api/v1/rules" => Reply::json(rules.clone()),
        _ => Reply::status(502, "bad gateway"),
    })
    .await;
    let list = Watchlist { objectives: vec![objective()], ..Watchlist::default() };
    let mut seat = Seat::start("prometheus", &Endpoint::at(server.url()), list);
    let (findings, outcome) = seat.poll().await;
    assert_eq!((told(&findings).alerts.len(), outcome), (1, Ok(())), "who answers something is there");
    let is_told = |finding: &Finding| matches!(finding, Finding::Unmeasured(_, _, why) if why.contains("502"));
    assert!(findings.iter().any(is_told), "{findings:?}");
}

#[tokio::test]
async fn hostile_text_in_an_alert_has_lost_its_teeth() {
    let evil = "\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\u{e0041}\nx";
    let (mut labels, mut annotations) = (json!({"alertname": evil}), json!({"summary": evil}));
    labels[evil] = json!(evil);
    annotations[evil] = json!(evil);
    let change = json!({"labels": labels, "annotations": annotations, "generatorURL": evil, "fingerprint": evil,
                        "status": {"state": evil, "silencedBy": [evil], "inhibitedBy": [evil], "mutedBy": [evil]}});
    let (found, _) = alertmanager_says(json!([with(managed(), change.clone())])).await;
    let pending = with(computed(), json!({"labels": change["labels"], "annotations": change["annotations"]}));
    for found in [found, prometheus_says(json!([pending]), json!([])).await] {
        let shown = format!("{found:?}");
        // A terminal's sequence is gone whole; what turns text around is kept as written, and the screen shows a mark for it.
        assert!(!shown.contains("owned") && shown.contains("x"), "{shown}");
        assert!(!["\\u{1b}", "\\u{9b}", "\\u{7}", "\\n"].iter().any(|control| shown.contains(control)), "{shown}");
        assert!(!shown.chars().any(char::is_control), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]
    #[test]
    fn a_mutated_answer_about_alerts_is_a_finding_or_a_sentence_and_never_a_panic(
        is_managed in any::<bool>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let alerts = success(json!({"alerts": [computed()]}));
        let rules = success(json!({"groups": [{"rules": [rule("HighErrorRate", json!(10), &[computed()])]}]}));
        let mutated = |text: &str| {
            let mut body = text.as_bytes().to_vec();
            for (place, kind, byte) in &edits {
                if body.is_empty() {
                    break;
                }
                let place = place.index(body.len());
                match kind {
                    0 => body[place] = *byte,
                    1 => { body.remove(place); }
                    2 => body.insert(place, b"0-e\"[{,}]9"[usize::from(*byte) % 10]),
                    _ => body.truncate(place.max(1)),
                }
            }
            body
        };
        let bodies = [mutated(&json!([managed()]).to_string()), mutated(&alerts), mutated(&rules)];
        let name = if is_managed { "alertmanager" } else { "prometheus" };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::start(move |request| match request.path.as_str() {
                "/api/v2/alerts" => Reply::json(bodies[0].clone()),
                "/api/v1/alerts" => Reply::json(bodies[1].clone()),
                "/api/v1/rules" => Reply::json(bodies[2].clone()),
                _ => Reply::status(404, "404 page not found\n"),
            }).await;
            asked(name, &server).await
        }).1.map_or_else(|reason| assert!(reason.starts_with(name), "{reason}"), |()| ());
    }
}

const RULES: &str = r#"
groups:
  - name: payments
    interval: 2s
    rules:
      - alert: HighErrorRate
        expr: label_replace(vector(0.18), "instance", "gateway-1", "", "") > 0.05
        for: 3s
        labels: { service: alipay, severity: critical, zone: "a \"b\" ü" }
        annotations: { summary: "{{ $value }} of payments fail" }
      - alert: SlowSettlement
        expr: vector(1)
        for: 1h
        labels: { service: blubank, severity: warning }
"#;

/// Polls until what is told is as it should be; a real server needs its seconds.
async fn until(name: &'static str, url: String, mut is_so: impl FnMut(&AlertFinding) -> bool) -> AlertFinding {
    let endpoint = Endpoint { every: Duration::from_millis(200), ..Endpoint::at(url) };
    let mut seat = Seat::start(name, &endpoint, Watchlist::default());
    for _ in 0..150 {
        let (findings, outcome) = seat.poll().await;
        assert_eq!(outcome, Ok(()));
        let found = told(&findings);
        if is_so(&found) {
            return found;
        }
    }
    panic!("{name} never told what was waited for");
}

#[tokio::test]
async fn a_rule_of_a_real_prometheus_fires_and_is_the_same_alert_at_a_real_alertmanager() {
    if !prometheus::is_installed() || !alertmanager::is_installed() {
        return;
    }
    let manager = Running::alertmanager();
    let begun = clock::wall();
    let server = Running::prometheus(RULES, manager.port);
    let is_high = |alert: &Alert| alert.name == "HighErrorRate" && alert.is_firing();
    let computed = until("prometheus", server.url(), |found| found.alerts.iter().any(is_high)).await;
    let passed_on = until("alertmanager", manager.url(), |found| found.alerts.iter().any(is_high)).await;
    assert_eq!((computed.remarks.len(), passed_on.remarks.len()), (0, 0));

    let ours = computed.alerts.iter().find(|alert| is_high(alert)).unwrap();
    let theirs = passed_on.alerts.iter().find(|alert| is_high(alert)).unwrap();
    let apart = (theirs.starts_at - ours.starts_at).abs();
    assert!(apart <= TimeDelta::milliseconds(1), "activeAt plus `for` is Alertmanager's start: {apart}");
    assert_eq!(ours.labels["zone"], "a \"b\" ü");
    assert_eq!(ours.annotations["summary"], "0.18 of payments fail");
    assert_eq!(theirs.labels["cluster"], "one", "an external label, which Prometheus does not show");
    assert_eq!(theirs.fingerprint, fingerprint_of(theirs), "the same function of labels");
    let value = ours.value.as_ref().unwrap();
    assert_eq!((value.shown().as_str(), value.bad), ("0.18", Some(Bad::High)), "the rule has an upper limit");
    assert_eq!(theirs.value, None, "Alertmanager passes it on without");
    let age = ours.age(clock::wall());
    assert!(age >= TimeDelta::zero() && age < clock::wall() - begun, "{age}");
    let pending = computed.alerts.iter().find(|alert| alert.name == "SlowSettlement").unwrap();
    assert_eq!(pending.state, AlertState::Pending);
    assert!(pending.starts_at > clock::wall() + TimeDelta::minutes(59));

    let mut live = Live::default();
    for (source, found) in [("prometheus", computed.clone()), ("alertmanager", passed_on.clone())] {
        live.take(Report { source, generation: 0, finding: Finding::Alerts(found) }, clock::wall());
    }
    let all = live.alerts(clock::wall());
    let lines: Vec<_> = all.iter().map(|one| format!("{} {}", one.alert.name, one.sources())).collect();
    assert_eq!(lines, ["HighErrorRate alertmanager, prometheus", "SlowSettlement prometheus"]);

    let host = tempfile::tempdir().unwrap();
    let (status, declared, _) = run(&host, &["declare", "-s", "alipay", "--severity", "sev1", "payments fail"]);
    assert_eq!((status, declared.trim()), (0, "INC-1"));
    let arguments = ["alerts", "--prometheus", &server.url(), "--alertmanager", &manager.url()];
    let (status, out, errors) = run(&host, &arguments);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((status, lines.len(), errors.as_str()), (0, 2, ""), "{out}");
    assert!(lines[0].contains("SEV1  firing     HighErrorRate") && lines[0].ends_with("INC-1"), "{out}");
    assert!(lines[1].contains("in 59 min  SEV2  pending    SlowSettlement"), "{out}");
    eprintln!("{out}");
    let (_, out, _) = run(&host, &[&arguments[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["alerts"][0]["incident"], "INC-1");
    assert_eq!(told["alerts"][0]["sources"], json!(["alertmanager", "prometheus"]));
    assert_eq!(told["alerts"][1]["incident"], Value::Null);
    assert_eq!(told["alerts"][0]["value"].as_str().map(|value| value.parse()), Some(Ok(0.18)));
}

#[tokio::test]
async fn a_real_alertmanager_shows_what_it_keeps_to_itself() {
    if !alertmanager::is_installed() {
        return;
    }
    let manager = Running::alertmanager();
    let soon = (clock::wall() + TimeDelta::minutes(10)).to_rfc3339();
    let alert =
        |name: &str| json!({"labels": {"alertname": name, "service": "alipay"}, "annotations": {"summary": name}});
    let over =
        with(alert("Over"), json!({"startsAt": "2026-05-28T20:26:41+02:00", "endsAt": "2026-05-28T21:26:41+02:00"}));
    let body = json!([alert("Firing"), alert("Quiet"), alert("Outage"), alert("Symptom"), over]);
    assert_eq!(manager.post("/api/v2/alerts", &body.to_string()).0, 200);
    let silence = json!({"matchers": [{"name": "alertname", "value": "Quiet", "isRegex": false, "isEqual": true}],
                         "startsAt": clock::wall().to_rfc3339(), "endsAt": soon, "createdBy": "dana", "comment": "known"});
    let (status, answer) = manager.post("/api/v2/silences", &silence.to_string());
    let silence: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 200, "{answer}");

    let state = |found: &AlertFinding, name: &str| {
        found.alerts.iter().find(|alert| alert.name == name).map(|alert| alert.state.clone())
    };
    let is_suppressed = |found: &AlertFinding, name: &str| {
        state(found, name).is_some_and(|state| matches!(state, AlertState::Suppressed { .. }))
    };
    let all =
        until("alertmanager", manager.url(), |found| is_suppressed(found, "Quiet") && is_suppressed(found, "Symptom"))
            .await;
    assert_eq!(state(&all, "Firing"), Some(AlertState::Firing));
    assert_eq!(state(&all, "Over"), None, "what is over is not shown");
    let Some(AlertState::Suppressed { silenced_by, .. }) = state(&all, "Quiet") else { panic!("{all:?}") };
    assert_eq!(silenced_by, [silence["silenceID"].as_str().unwrap()]);
    let outage = all.alerts.iter().find(|alert| alert.name == "Outage").unwrap();
    let Some(AlertState::Suppressed { inhibited_by, .. }) = state(&all, "Symptom") else { panic!("{all:?}") };
    assert_eq!(inhibited_by, std::slice::from_ref(&outage.fingerprint));
    assert_eq!(outage.fingerprint, fingerprint_of(outage));
}

fn run(host: &tempfile::TempDir, arguments: &[&str]) -> (i32, String, String) {
    output(command(host, arguments))
}

fn command(host: &tempfile::TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.args(arguments).args(["--as", "dana"]);
    for (name, folder) in [("XDG_STATE_HOME", "state"), ("XDG_CONFIG_HOME", "config")] {
        command.env(name, host.path().join(folder));
    }
    command
}

fn output(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The same while this thread goes on serving.
async fn run_beside(host: &tempfile::TempDir, arguments: &[&str]) -> (i32, String, String) {
    let command = command(host, arguments);
    tokio::task::spawn_blocking(move || output(command)).await.unwrap()
}

#[tokio::test]
async fn asking_for_alerts_says_what_is_missing_and_half_an_answer_is_one() {
    let host = tempfile::tempdir().unwrap();
    let (status, _, errors) = run_beside(&host, &["alerts"]).await;
    assert!(status == 2 && errors.contains("neither Prometheus nor Alertmanager is configured"), "{errors}");
    let nobody = format!("http://127.0.0.1:{}", refused_port().await);
    for name in SOURCES {
        let (status, _, errors) = run_beside(&host, &["alerts", &format!("--{name}"), &nobody]).await;
        assert!(status == 1 && errors.contains("refused the connection: is it running?"), "{errors}");
    }
    let body = json!([managed()]).to_string();
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v2/alerts" => Reply::json(body.clone()),
        _ => Reply::status(404, "404 page not found\n"),
    })
    .await;
    let (status, out, errors) =
        run_beside(&host, &["alerts", "--prometheus", &nobody, "--alertmanager", &server.url()]).await;
    assert!(status == 0 && errors.contains("prometheus at 127.0.0.1"), "{errors}");
    assert!(out.contains("firing     HighErrorRate") && out.contains("service=alipay, severity=critical"), "{out}");
    server.change(|_| Reply::json("[]"));
    let (status, out, _) = run_beside(&host, &["alerts", "--alertmanager", &server.url()]).await;
    assert_eq!((status, out.trim()), (0, "no alert is firing or pending (alertmanager)"));
}

#[tokio::test]
async fn alerts_are_asked_for_while_no_record_is_open_and_in_one_without_a_service() {
    let host = tempfile::tempdir().unwrap();
    for declared in [false, true] {
        if declared {
            let (status, ..) = run(&host, &["declare", "--severity", "sev2", "something is wrong"]);
            assert_eq!(status, 0);
        }
        let server = Server::start(|_| Reply::json("[]")).await;
        let mut console = command(&host, &["open", "--plain", "--alertmanager", &server.url()]);
        console.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut console = console.spawn().unwrap();
        let asked = async {
            while server.requests().iter().all(|request| request.path != "/api/v2/alerts") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(20), asked).await;
        console.kill().unwrap();
        console.wait().unwrap();
        in_time.unwrap_or_else(|_| panic!("nobody asked for alerts (declared: {declared})"));
    }
}

#[tokio::test]
async fn a_cluster_of_alertmanagers_tells_the_alerts_of_all_its_members() {
    let other = with(managed(), json!({"labels": {"alertname": "OnlyHere"}, "fingerprint": "abc"}));
    let muted = with(managed(), json!({"status": {"state": "suppressed", "silencedBy": ["s1"]}}));
    let answers = [json!([muted]), json!([managed(), other])];
    let mut servers = Vec::new();
    for answer in answers {
        servers.push(Server::start(move |_| Reply::json(answer.to_string())).await);
    }
    let dead = format!("http://127.0.0.1:{}", refused_port().await);
    let also = vec![dead, servers[1].url()];
    let endpoint = Endpoint { also, ..Endpoint::at(servers[0].url()) };
    let mut seat = Seat::start("alertmanager", &endpoint, Watchlist::default());
    let (findings, outcome) = seat.poll().await;
    let found = told(&findings);
    let firing: Vec<_> =
        found.alerts.iter().filter(|alert| alert.is_firing()).map(|alert| alert.name.as_str()).collect();
    assert_eq!(
        (found.alerts.len(), firing.len(), outcome),
        (2, 2, Ok(())),
        "a silence that only one of them knows hides nothing"
    );
    assert!(found.remarks.iter().any(|text| text.contains("tells nothing") && text.contains("refused")), "{found:?}");
}

#[tokio::test]
async fn severity_words_are_the_sites_own_and_what_always_fires_is_an_alarm_when_it_does_not() {
    let alert = |name: &str, severity: &str| {
        let labels = json!({"alertname": name, "severity": severity});
        with(computed(), json!({"labels": labels}))
    };
    let alerts =
        json!([alert("Watchdog", "none"), alert("Disk", "blocker"), alert("Card", "P1"), alert("Dash", "none")]);
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v1/alerts" => Reply::json(success(json!({ "alerts": alerts }))),
        "/api/v1/rules" => Reply::json(success(json!({"groups": []}))),
        _ => Reply::status(404, "404 page not found\n"),
    })
    .await;
    let mut rules = Rules::default();
    rules.severities.insert("blocker".into(), Some(Severity::Sev0));
    rules.expected = ["Watchdog".into(), "DeadMansSwitch".into()].into();
    let endpoint = Endpoint { alert_rules: rules, ..Endpoint::at(server.url()) };
    let mut seat = Seat::start("prometheus", &endpoint, Watchlist::default());
    let (findings, _) = seat.poll().await;
    let mut live = Live::default();
    live.take(Report { source: "prometheus", generation: 0, finding: Finding::Alerts(told(&findings)) }, clock::wall());
    let said = |one: &LiveAlert<'_>| (one.alert.name.to_string(), proposed_severity(one.alert), one.is_firing());
    let alerts: Vec<_> = live.alerts(clock::wall()).iter().map(said).collect();
    let expected = [
        ("Disk", Some(Severity::Sev0), true),
        ("DeadMansSwitch is missing", Some(Severity::Sev1), true),
        ("Card", Some(Severity::Sev1), true),
    ];
    let mut alarms: Vec<_> = alerts.iter().filter(|(.., is_firing)| *is_firing).cloned().collect();
    alarms.sort();
    let mut expected = expected.map(|(name, level, is)| (name.to_owned(), level, is));
    expected.sort();
    assert_eq!(alarms, expected, "{alerts:?}");
    let quiet: Vec<_> = alerts[3..].iter().map(|(name, ..)| name.as_str()).collect();
    assert!(quiet.contains(&"Watchdog") && quiet.contains(&"Dash"), "what is no alarm stands below: {alerts:?}");
}
