//! Events v2, the team's webhook, Grafana, and Alertmanager's silences where a real one does not show the fault.

use super::*;

/// A server that keeps the bodies that pass a check.
async fn keeper(
    check: impl Fn(&Request, &Value) -> Checked<Reply> + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<Value>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let server = Server::start(move |request| {
        let said = if request.method == "GET" { Ok(json!({})) } else { body(request) };
        let reply = said.and_then(|said| check(request, &said).map(|reply| (said, reply)));
        match reply {
            Ok((said, reply)) => {
                keep.lock().unwrap().push(said);
                reply
            }
            Err(why) => answer(400, &json!({ "message": why })),
        }
    })
    .await;
    (server, kept)
}

#[tokio::test]
async fn an_event_is_triggered_acknowledged_and_resolved_by_one_key() {
    let (server, kept) = keeper(|request, said| {
        if request.path != "/v2/enqueue" || request.header("authorization").is_some() {
            return Err("the key stands in the body".to_owned());
        }
        let wanted = ["routing_key", "event_action", "dedup_key"];
        fields(said, &wanted, &["payload", "client", "client_url", "links", "images"])?;
        if said["event_action"] == "trigger" {
            let wanted = ["summary", "source", "severity"];
            fields(&said["payload"], &wanted, &["timestamp", "component", "group", "class", "custom_details"])?;
        }
        let accepted = json!({ "status": "success", "message": "Event processed", "dedup_key": said["dedup_key"] });
        Ok(answer(202, &accepted))
    })
    .await;
    let channel = open("pagerduty-events", &server);
    let begin = parcel("pagerduty-events", "pagerduty-events", opened(&[]));
    let remote = there(channel.deliver(&begin).await);
    let about = |act: Act| Parcel { about: Some(remote.clone()), ..parcel("pagerduty-events", "x", act) };
    there(channel.deliver(&about(Act::Acknowledge)).await);
    there(channel.deliver(&about(Act::Resolve)).await);
    assert!(matches!(channel.look_up(&begin).await, Receipt::NotThere { .. }), "the same key is harmless");
    let sent = kept.lock().unwrap().clone();
    let acts: Vec<_> =
        sent.iter().map(|one| (one["event_action"].as_str().unwrap(), one["dedup_key"].as_str())).collect();
    let key = Some("INC-1/1-7");
    assert_eq!(acts, [("trigger", key), ("acknowledge", key), ("resolve", key)]);
    assert_eq!((&sent[0]["payload"]["severity"], &sent[0]["routing_key"]), (&json!("critical"), &json!("secret-1234")));
    let invalid =
        json!({ "status": "invalid event", "message": "Event object is invalid", "errors": ["summary is missing"] });
    server.change(move |_| answer(400, &invalid));
    let why = refused(channel.deliver(&begin).await);
    assert!(why.contains("summary is missing") && !why.contains("secret-1234"), "{why}");
}

#[tokio::test]
async fn a_webhook_is_signed_and_keeps_its_id() {
    let (server, kept) = keeper(|request, _| {
        let header = |name: &str| request.header(name).ok_or(name.to_owned());
        let signed = format!("{}.{}.{}", header("webhook-id")?, header("webhook-timestamp")?, request.body);
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"secret-1234");
        let said = header("webhook-signature")?.strip_prefix("v1,").ok_or("version")?;
        let tag = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, said).map_err(|_| "base64")?;
        ring::hmac::verify(&key, signed.as_bytes(), &tag).map_err(|_| "signature")?;
        Ok(Reply::status(204, ""))
    })
    .await;
    let channel = open("webhook", &server);
    let begin = parcel("webhook", "webhook", opened(&[]));
    assert_eq!(there(channel.deliver(&begin).await).id, "INC-1/1-7");
    let sent = kept.lock().unwrap()[0].clone();
    assert_eq!((&sent["type"], &sent["data"]["severity"]), (&json!("incident.opened"), &json!("sev1")));
    server.change(|_| Reply::status(410, ""));
    assert!(refused(channel.deliver(&begin).await).contains("take [webhook] out"));
    server.change(|_| Reply::status(503, "").with("retry-after", "5"));
    let Receipt::NotThere { wait, .. } = channel.deliver(&begin).await else { panic!() };
    assert_eq!(wait, Some(TimeDelta::seconds(5)));
}

#[tokio::test]
async fn grafana_shows_a_region_from_the_beginning_to_the_end() {
    let (server, kept) = keeper(|request, said| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/annotations") => Ok(answer(200, &json!([]))),
        ("POST", "/api/annotations") => {
            fields(said, &["time", "tags", "text"], &[])?;
            Ok(answer(200, &json!({ "message": "Annotation added", "id": 17 })))
        }
        ("PATCH", "/api/annotations/17") => {
            fields(said, &["timeEnd"], &[])?;
            Ok(answer(200, &json!({ "message": "Annotation patched" })))
        }
        _ => Err("path".to_owned()),
    })
    .await;
    let channel = open("grafana", &server);
    let begin = parcel("grafana", "grafana", opened(&[]));
    let remote = there(channel.deliver(&begin).await);
    there(channel.deliver(&Parcel { about: Some(remote), ..parcel("grafana", "grafana", Act::Resolve) }).await);
    let sent = kept.lock().unwrap().clone();
    assert_eq!(sent[1]["tags"], json!(["warroom", "warroom:INC-1/1-7", "SEV1"]));
    assert_eq!((&sent[1]["time"], &sent[2]["timeEnd"]), (&json!(SENT * 1000), &json!(SENT * 1000)));
}

#[tokio::test]
async fn a_change_of_title_and_severity_and_a_reopening_reach_every_system_that_has_the_incident() {
    let change = || {
        Act::Change(Opened {
            title: "p99 over 9 s".into(),
            severity: Severity::Sev0,
            alerts: BTreeSet::new(),
            linked: Vec::new(),
        })
    };
    let account = PagerDuty::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let remote = there(channel.deliver(&parcel("pagerduty", "PALIPAY", opened(&[]))).await);
    let about = |act| Parcel { about: Some(remote.clone()), ..parcel("pagerduty", "PALIPAY", act) };
    for act in [change(), Act::Resolve, Act::Reopen] {
        there(channel.deliver(&about(act)).await);
    }
    there(channel.look_up(&about(Act::Reopen)).await);
    let state = account.0.lock().unwrap().incidents[0].clone();
    assert_eq!(
        (&state["title"], &state["urgency"], &state["priority"]["id"], &state["status"]),
        (&json!("p99 over 9 s"), &json!("high"), &json!("PRIO0"), &json!("acknowledged"))
    );
    let site = Jira::new(true);
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = jira_at(&server, true);
    let remote = there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
    let about = |act| Parcel { about: Some(remote.clone()), ..parcel("jira", "OPS", act) };
    for act in [change(), Act::Resolve, Act::Reopen] {
        there(channel.deliver(&about(act)).await);
    }
    there(channel.look_up(&about(Act::Reopen)).await);
    let state = site.state.lock().unwrap().issues[0].clone();
    assert_eq!(
        (&state["summary"], &state["priority"]["name"], &state["status"]),
        (&json!("INC-1: p99 over 9 s"), &json!("Highest"), &json!("indeterminate"))
    );
    for (service, act, expected) in [
        ("pagerduty-events", change(), vec![("/event_action", "trigger"), ("/payload/severity", "critical")]),
        ("pagerduty-events", Act::Reopen, vec![("/event_action", "trigger"), ("/dedup_key", "key")]),
        ("grafana", change(), vec![("/text", "INC-1 SEV0: p99 over 9 s")]),
        ("webhook", change(), vec![("/type", "incident.changed"), ("/data/severity", "sev0")]),
        ("webhook", Act::Reopen, vec![("/type", "incident.reopened")]),
    ] {
        let (server, kept) = keeper(|_, said| {
            Ok(answer(200, &json!({ "dedup_key": said["dedup_key"], "message": "Annotation patched" })))
        })
        .await;
        let parcel = Parcel { about: Some("key".into()), ..parcel(service, service, act) };
        there(open(service, &server).deliver(&parcel).await);
        let said = kept.lock().unwrap()[0].clone();
        for (pointer, value) in expected {
            assert_eq!(said.pointer(pointer), Some(&json!(value)), "{service}: {said}");
        }
    }
}

#[tokio::test]
async fn alertmanager_s_refusals_are_read_in_all_their_forms() {
    let silence = parcel(
        "alertmanager",
        "alertmanager",
        Act::Silence(Silencing {
            matchers: vec![Matcher::equal("service", "alipay")],
            until: DateTime::from_timestamp(SENT + 3600, 0).unwrap(),
        }),
    );
    let server = Server::start(|_| Reply::json("[]")).await;
    let channel = open("alertmanager", &server);
    for (status, said, expected) in [
        (400, json!("bad matcher format: bad{{"), "bad matcher format"),
        (422, json!({ "code": 612, "message": "matchers in body should have at least 1 items" }), "at least 1 items"),
    ] {
        server.change(move |request| {
            if request.method == "GET" { Reply::json("[]") } else { Reply::status(status, said.to_string()) }
        });
        let why = refused(channel.deliver(&silence).await);
        assert!(why.contains(expected), "{why}");
    }
    for status in [404, 500] {
        server.change(move |_| Reply::status(status, "\"silence not found\""));
        let end = Parcel { about: Some("gone".into()), ..parcel("alertmanager", "x", Act::Unsilence(silence.id)) };
        assert_eq!(there(channel.deliver(&end).await).id, "gone", "what is gone is ended");
    }
}
