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
async fn alertmanager_s_refusals_are_read_in_all_their_forms() {
    let silence = parcel(
        "alertmanager",
        "alertmanager",
        Act::Silence(Silencing {
            matchers: vec![("service".into(), "alipay".into())],
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
