//! PagerDuty beyond opening and closing: priorities of the account's own list, escalation, assignment, links, and changes.

use warroom::change::{Change, ChangeKind};
use warroom::channel::announce;

use super::*;

async fn account() -> (PagerDuty, Server, Box<dyn Channel>) {
    let account = PagerDuty::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let endpoint = Endpoint { bearer_command: Some(printing(pagerduty::TOKEN)), ..Endpoint::at(server.url()) };
    let named = |name: &str| Setting::Text(name.into());
    let said = [("pagerduty-priorities.sev1", named("Major")), ("pagerduty-priorities.sev2", named("Gone"))];
    let channel = open_with("pagerduty", &endpoint, &settings(said));
    (account, server, channel)
}

fn about(remote: &Remote, act: Act) -> Parcel {
    Parcel { about: Some(remote.clone()), ..parcel("pagerduty", "PALIPAY", act) }
}

fn change(title: &str, severity: Severity) -> Act {
    Act::Change(Opened { title: title.into(), severity, alerts: BTreeSet::new(), linked: Vec::new() })
}

#[tokio::test]
async fn a_priority_is_the_one_that_the_configuration_names_from_the_account_s_own_list() {
    let (account, _server, channel) = account().await;
    let remote = there(channel.deliver(&parcel("pagerduty", "PALIPAY", opened(&[]))).await);
    let priority = || account.0.lock().unwrap().incidents[0]["priority"]["id"].clone();
    assert_eq!(priority(), "PRIO9");
    let worse = about(&remote, change("worse", Severity::Sev0));
    assert!(matches!(channel.look_up(&worse).await, Receipt::NotThere { .. }), "its own trace");
    there(channel.deliver(&worse).await);
    assert_eq!(priority(), "PRIO0", "by the severity's own name");
    there(channel.look_up(&worse).await);
    let unknown = about(&remote, change("worse", Severity::Sev2));
    there(channel.deliver(&unknown).await);
    assert_eq!(account.0.lock().unwrap().incidents[0]["urgency"], "high");
}

#[tokio::test]
async fn an_escalation_and_a_new_assignee_are_there_when_pagerduty_shows_them() {
    let (account, server, channel) = account().await;
    let remote = there(channel.deliver(&parcel("pagerduty", "PALIPAY", opened(&[]))).await);
    account.logged("Escalated by Grace", "Grace", "web_ui");
    let sent_at = warroom::run::clock::wall();
    let now = |act| Parcel { sent_at, first_sent_at: sent_at, ..about(&remote, act) };
    let second = now(Act::Escalate(2));
    assert!(matches!(channel.look_up(&second).await, Receipt::NotThere { .. }), "Grace did that");
    there(channel.deliver(&second).await);
    there(channel.look_up(&second).await);
    let bob = now(Act::Reassign(["bob@qr.example".into()].into()));
    assert!(matches!(channel.look_up(&bob).await, Receipt::NotThere { .. }));
    there(channel.deliver(&bob).await);
    there(channel.look_up(&bob).await);
    let stranger = now(Act::Reassign(["bob@qr.example".into(), "who@qr.example".into()].into()));
    assert!(refused(channel.deliver(&stranger).await).contains("who@qr.example"));
    // A success that shows something else is none.
    let kept = account.clone();
    server.change(move |request| match request.method.as_str() {
        "PUT" => answer(200, &json!({ "incident": { "id": "Q4711", "status": "triggered", "assignments": [] } })),
        _ => kept.answer(request),
    });
    let dana = now(Act::Reassign(["dana@qr.example".into()].into()));
    for act in [dana, now(Act::Acknowledge), now(Act::Resolve)] {
        let receipt = channel.deliver(&act).await;
        assert!(matches!(receipt, Receipt::Unknown(_)), "{receipt:?}");
    }
}

#[tokio::test]
async fn an_incident_of_any_service_is_merged_or_taken_over_by_its_number() {
    let (account, _server, channel) = account().await;
    let remote = there(channel.deliver(&parcel("pagerduty", "PALIPAY", opened(&[]))).await);
    let number = account.alerted("another service");
    let other = Remote::from(number.to_string().as_str());
    there(channel.deliver(&about(&remote, Act::Merge(other))).await);
    assert_eq!(account.0.lock().unwrap().merged[0].0, format!("Q{number}"));
    let adopted = there(channel.deliver(&parcel("pagerduty", "PALIPAY", Act::Adopt("4711".into()))).await);
    assert_eq!((adopted.id.as_str(), adopted.called().as_str(), adopted.is_adopted), ("Q4711", "4711", true));
    let why = refused(channel.deliver(&parcel("pagerduty", "PALIPAY", Act::Adopt("9999".into()))).await);
    assert!(why.contains("Not Found"), "{why}");
}

fn deploy() -> Change {
    Change {
        at: DateTime::from_timestamp(SENT, 0).unwrap(),
        kind: ChangeKind::Deploy,
        service: Some("alipay".into()),
        what: "2.14.1".into(),
        by: "ci".into(),
        link: Some("https://ci.example/17".into()),
        rollback: None,
        more: Default::default(),
    }
}

#[tokio::test]
async fn a_change_is_announced_as_a_change_event_and_a_refusal_does_not_show_the_key() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keep = kept.clone();
    let server = Server::start(move |request| {
        let said = body(request).unwrap();
        let checked = fields(&said, &["routing_key", "payload"], &["links", "images"])
            .and_then(|()| fields(&said["payload"], &["summary"], &["source", "timestamp", "custom_details"]));
        if let Err(why) = checked {
            return answer(400, &json!({ "status": "invalid event", "message": "bad", "errors": [why] }));
        }
        keep.lock().unwrap().push((request.path.clone(), said));
        answer(202, &json!({ "message": "Change event processed", "status": "success" }))
    })
    .await;
    let endpoint =
        Endpoint { bearer_command: Some(printing("r0ut1ng-key-of-32-letters-000000")), ..Endpoint::at(server.url()) };
    there(announce(&endpoint, &deploy()).await.unwrap());
    let (path, said) = kept.lock().unwrap()[0].clone();
    assert_eq!(path, "/v2/change/enqueue");
    assert_eq!(
        (&said["payload"]["summary"], &said["links"][0]["href"], &said["payload"]["custom_details"]["by"]),
        (&json!("alipay: 2.14.1"), &json!("https://ci.example/17"), &json!("ci"))
    );
    server.change(|_| answer(400, &json!({ "message": "no such key r0ut1ng-key-of-32-letters-000000" })));
    let why = refused(announce(&endpoint, &deploy()).await.unwrap());
    assert!(!why.contains("r0ut1ng"), "{why}");
    server.change(|_| Reply::status(200, "<html>log in</html>"));
    assert!(matches!(announce(&endpoint, &deploy()).await.unwrap(), Receipt::Unknown(_)));
}

#[tokio::test]
async fn a_ticket_and_an_entry_of_the_page_that_exist_are_taken_over_by_name_if_they_are_there() {
    let site = Jira::new(true);
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = jira_at(&server, true);
    let made = there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
    let adopted = there(channel.deliver(&parcel("jira", "OPS", Act::Adopt(made.id.clone()))).await);
    assert_eq!((&adopted.id, &adopted.link, adopted.is_adopted), (&made.id, &made.link, true));
    refused(channel.deliver(&parcel("jira", "OPS", Act::Adopt("OPS-999".into()))).await);
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let made = there(channel.deliver(&parcel("statuspage", "outside", published(PageStatus::Investigating))).await);
    let adopted = there(channel.deliver(&parcel("statuspage", "outside", Act::Adopt(made.id.clone()))).await);
    assert_eq!((&adopted.id, adopted.is_adopted), (&made.id, true));
    refused(channel.deliver(&parcel("statuspage", "outside", Act::Adopt("none".into()))).await);
}
