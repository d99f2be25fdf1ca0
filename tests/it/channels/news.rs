//! What others do in the systems, as it comes in.

use std::collections::BTreeMap;

use warroom::incident::{News, Thing, Watched};

use super::*;
use crate::support::alertmanager::{Running, is_installed};

fn watched(service: &str, target: &str, thing: Option<Thing>, remote: &str) -> Watched {
    Watched {
        incident: IncidentId::incident(1),
        service: service.into(),
        target: target.into(),
        thing,
        remote: remote.into(),
        since: DateTime::from_timestamp(SENT - 600, 0).unwrap(),
        labels: Vec::new(),
        paged: Vec::new(),
    }
}

fn texts(news: &[News]) -> Vec<&str> {
    news.iter().map(|one| &*one.noted.text).collect()
}

#[tokio::test]
async fn every_update_of_the_page_is_told_with_its_words() {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let remote = there(channel.deliver(&parcel("statuspage", "outside", published(PageStatus::Investigating))).await);
    page.0.lock().unwrap().incidents[0].1["incident_updates"].as_array_mut().unwrap().insert(
        0,
        json!({ "id": "u9", "status": "monitoring", "body": "It is better.", "created_at": "2026-11-24T09:00:00Z" }),
    );
    let watch = watched("statuspage", "outside", Some(Thing::Record), &remote.id);
    let news = channel.news(&watch).await.unwrap();
    let told = ["monitoring on the page: It is better.", "investigating on the page: payments fail & we look"];
    assert_eq!(texts(&news), told, "the console knows which of them it sent");
    server.change(|_| Reply::status(503, ""));
    assert!(channel.news(&watch).await.unwrap_err().contains("503"));
}

#[tokio::test]
async fn a_second_page_of_the_same_person_is_confirmed_by_its_own_trace() {
    let account = PagerDuty::default();
    account.alerted("ours");
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let page = |text: &str, sent_at: DateTime<chrono::Utc>| Parcel {
        about: Some("Q4711".into()),
        text: text.into(),
        first_sent_at: sent_at,
        ..parcel("pagerduty", "PALIPAY", Act::Page(BTreeSet::from(["bob@qr.example".into()])))
    };
    let now = warroom::run::clock::wall();
    there(channel.deliver(&page("please join", now)).await);
    there(channel.look_up(&page("please join", now)).await);
    // The second one was lost: what the first one has left behind is not its trace.
    let second = page("please join again", now);
    assert!(matches!(channel.look_up(&second).await, Receipt::NotThere { .. }));
    let later = page("please join", now + TimeDelta::minutes(5));
    assert!(matches!(channel.look_up(&later).await, Receipt::NotThere { .. }));
}

#[tokio::test]
async fn an_incident_of_pagerduty_that_is_open_beside_ours_is_told_and_is_gone_when_it_was_merged() {
    let account = PagerDuty::default();
    for title in ["ours", "bank timeouts & more"] {
        account.alerted(title);
    }
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let watch = watched("pagerduty", "PALIPAY", Some(Thing::Record), "Q4711");
    let news = channel.news(&watch).await.unwrap();
    let told = "#4712 bank timeouts & more is open on this service too: `link-incident 4712` merges it";
    assert_eq!(texts(&news), [told]);
    assert_eq!(news[0].noted.key, "open/Q4712");
    assert!(news[0].noted.link.is_some());
    let merge = Act::Merge(Remote { name: Some("4712".into()), ..Remote::from("Q4712") });
    let merge = Parcel { about: Some("Q4711".into()), ..parcel("pagerduty", "PALIPAY", merge) };
    assert!(matches!(channel.look_up(&merge).await, Receipt::NotThere { .. }));
    assert_eq!(there(channel.deliver(&merge).await).id, "Q4711");
    assert_eq!(there(channel.look_up(&merge).await).id, "Q4711");
    let by = merge.from.unwrap().to_string();
    assert_eq!(account.0.lock().unwrap().merged, [("Q4712".to_owned(), "Q4711".to_owned(), by)]);
    assert_eq!(texts(&channel.news(&watch).await.unwrap()), [""; 0]);
}

#[tokio::test]
async fn an_edit_of_a_kept_message_has_the_key_of_the_message() {
    let workspace = Slack::default();
    let room = workspace.opened("inc-1", SENT);
    workspace.kept(&room, "1790000001.000100", "the bank says no");
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let watch = watched("slack", "inc-1", Some(Thing::Room), &room);
    let first = channel.news(&watch).await.unwrap();
    workspace.kept(&room, "1790000001.000100", "the bank says yes");
    let second = channel.news(&watch).await.unwrap();
    assert_eq!((texts(&first), texts(&second)), (vec!["the bank says no"], vec!["the bank says yes"]));
    assert_eq!(first[0].noted.key, second[0].noted.key);
    assert_eq!(second[0].noted.at.timestamp(), 1_790_000_001);
}

#[tokio::test]
async fn a_silence_that_somebody_else_makes_is_news_where_it_hits_our_alerts() {
    if !is_installed() {
        return;
    }
    let server = Running::alertmanager();
    let silence = |service: &str, comment: &str| {
        let now = warroom::run::clock::wall();
        let matchers = [json!({ "name": "service", "value": service, "isRegex": false, "isEqual": true })];
        let body = json!({
            "matchers": matchers, "startsAt": now.to_rfc3339(), "createdBy": "eve", "comment": comment,
            "endsAt": (now + TimeDelta::hours(1)).to_rfc3339(),
        });
        assert_eq!(server.post("/api/v2/silences", &body.to_string()).0, 200);
    };
    silence("alipay", "planned work");
    silence("blubank", "something else");
    let channel = open_at("alertmanager", &Endpoint::at(server.url()));
    let until = warroom::run::clock::wall() + TimeDelta::hours(1);
    let matchers = vec![Matcher::equal("service", "alipay")];
    let sent_at = warroom::run::clock::wall();
    let ours = Parcel { sent_at, ..parcel("alertmanager", "x", Act::Silence(Silencing { matchers, until })) };
    let remote = there(channel.deliver(&ours).await);
    assert_eq!(there(channel.deliver(&ours).await), remote, "it is there once");
    assert_eq!(there(channel.look_up(&ours).await), remote);
    let labels = vec![BTreeMap::from([("service".into(), "alipay".into()), ("alertname".into(), "X".into())])];
    let news = channel.news(&Watched { labels, ..watched("alertmanager", "x", None, "") }).await.unwrap();
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(news[0].noted.text.contains("may hit our alerts: planned work") && news[0].noted.who == "eve");
    let end = Parcel { about: Some(remote), ..parcel("alertmanager", "x", Act::Unsilence(ours.id)) };
    there(channel.deliver(&end).await);
    assert!(matches!(channel.look_up(&ours).await, Receipt::NotThere { .. }), "it is over");
    there(channel.deliver(&end).await);
}
