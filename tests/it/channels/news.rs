//! What others do in the systems, as it comes in.

use std::collections::BTreeMap;

use warroom::incident::{News, Thing, Watched};

use super::*;
use crate::support::alertmanager::{Running, is_installed};

pub fn watched(service: &str, target: &str, thing: Option<Thing>, remote: &str) -> Watched {
    Watched {
        incident: IncidentId::incident(1),
        service: service.into(),
        target: target.into(),
        thing,
        remote: remote.into(),
        since: DateTime::from_timestamp(SENT - 600, 0).unwrap(),
        labels: Vec::new(),
        paged: Vec::new(),
        ours: Vec::new(),
        planned: Default::default(),
        choices: BTreeSet::new(),
        is_live: true,
        over: None,
        known: BTreeSet::new(),
    }
}

pub fn texts(news: &[News]) -> Vec<&str> {
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
    // Somebody corrects what stands there, and somebody resolves it.
    let edited = json!({ "id": "u9", "status": "monitoring", "body": "It is better in NL.",
                         "created_at": "2026-11-24T09:00:00Z", "updated_at": "2026-11-24T09:07:00Z" });
    let resolved = json!({ "id": "u10", "status": "resolved", "body": "It is over.", "created_at": "2026-11-24T09:20:00Z",
                           "updated_at": "2026-11-24T09:20:01Z" });
    {
        let mut state = page.0.lock().unwrap();
        let updates = state.incidents[0].1["incident_updates"].as_array_mut().unwrap();
        updates[0] = edited;
        updates.insert(0, resolved);
    }
    let news = channel.news(&watch).await.unwrap();
    let told = ["resolved on the page: It is over.", "monitoring on the page, edited: It is better in NL."];
    assert_eq!(texts(&news)[..2], told);
    let at = |place: usize| news[place].noted.at.to_rfc3339();
    assert_eq!((at(0).as_str(), at(1).as_str()), ("2026-11-24T09:20:00+00:00", "2026-11-24T09:07:00+00:00"));
    assert_eq!(news[1].noted.key, "u9", "an edit amends the line of the text");
    server.change(|_| Reply::status(503, ""));
    assert!(channel.news(&watch).await.unwrap_err().contains("503"));
}

#[tokio::test]
async fn a_title_that_somebody_changed_on_the_page_is_told_until_our_next_text_gives_it_ours() {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let first = parcel("statuspage", "outside", published(PageStatus::Investigating));
    let remote = there(channel.deliver(&first).await);
    let watch = watched("statuspage", "outside", Some(Thing::Record), &remote.id);
    let titles = |news: Vec<News>| -> Vec<_> {
        let told = news.into_iter().filter(|one| one.noted.key.starts_with("title/"));
        told.map(|one| (one.noted.key.to_string(), one.noted.text.to_string(), one.noted.at.to_rfc3339())).collect()
    };
    assert_eq!(titles(channel.news(&watch).await.unwrap()), [], "it has ours");
    let rename = |name: &str| {
        let mut state = page.0.lock().unwrap();
        state.incidents[0].1["name"] = json!(name);
        state.incidents[0].1["updated_at"] = json!("2026-11-24T09:07:00Z");
    };
    let ours = page.0.lock().unwrap().incidents[0].1["name"].as_str().unwrap().to_owned();
    for name in ["Payments in NL are slow", "Payments in BE are slow"] {
        rename(name);
        let text = format!("somebody changed the title on the page to \"{name}\" (from here: \"{ours}\")");
        let key = format!("title/{}/{name}", first.op);
        assert_eq!(titles(channel.news(&watch).await.unwrap()), [(key, text, "2026-11-24T09:07:00+00:00".to_owned())]);
    }
    let next = Parcel {
        op: "INC-1/1-9".into(),
        made: Some(remote),
        ..parcel("statuspage", "outside", published(PageStatus::Monitoring))
    };
    there(channel.deliver(&next).await);
    assert_eq!(titles(channel.news(&watch).await.unwrap()), [], "our text brought our title back");
    rename("Payments in BE are slow");
    let again = titles(channel.news(&watch).await.unwrap());
    assert_eq!(again[0].0, "title/INC-1/1-9/Payments in BE are slow", "changed again: another line");
    // What an older warroom published says no title: nobody knows whose it is.
    page.0.lock().unwrap().incidents[0].1["metadata"]["warroom"].as_object_mut().unwrap().remove("name");
    assert_eq!(titles(channel.news(&watch).await.unwrap()), []);
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
    let planned = BTreeMap::from([(ours.op.clone(), until)]);
    let watch = Watched { labels, planned: planned.clone(), ..watched("alertmanager", "x", None, "") };
    let news = channel.news(&watch).await.unwrap();
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(news[0].noted.text.contains("may hit our alerts: planned work") && news[0].noted.who == "eve");
    let end = Parcel { about: Some(remote.clone()), ..parcel("alertmanager", "x", Act::Unsilence(ours.id)) };
    there(channel.deliver(&end).await);
    assert!(matches!(channel.look_up(&ours).await, Receipt::NotThere { .. }), "it is over");
    there(channel.deliver(&end).await);
    // An hour too early: that is somebody's doing, and nobody's name is guessed.
    let watch = Watched { planned, ..watched("alertmanager", "x", None, "") };
    let news = channel.news(&watch).await.unwrap();
    let early = "somebody ended the silence `payments fail & we look` in Alertmanager, 60 min before its time";
    assert_eq!((texts(&news), news[0].noted.who.as_str()), (vec![early], ""));
    assert!((news[0].noted.at - warroom::run::clock::wall()).abs() < TimeDelta::minutes(1), "when it happened there");
    // Another one comes to its end by itself, and a third, of another person, is ended.
    let (sent_at, soon) = (warroom::run::clock::wall(), warroom::run::clock::wall() + TimeDelta::seconds(2));
    let matchers = vec![Matcher::equal("service", "alipay")];
    let short = Act::Silence(Silencing { matchers, until: soon });
    let short = Parcel { sent_at, op: "INC-1/1-9".into(), ..parcel("alertmanager", "x", short) };
    there(channel.deliver(&short).await);
    let planned = BTreeMap::from([(short.op.clone(), soon)]);
    let labels = vec![BTreeMap::from([("service".into(), "alipay".into())])];
    let (_, all) = crate::support::prometheus::get(server.port, "/api/v2/silences").unwrap();
    let all: Vec<Value> = serde_json::from_str(&all).unwrap();
    let of_eve = all.iter().find(|one| one["comment"] == "planned work").unwrap()["id"].as_str().unwrap().to_owned();
    let of_eve = Parcel { about: Some(of_eve.as_str().into()), ..parcel("alertmanager", "x", Act::Unsilence(ours.id)) };
    there(channel.deliver(&of_eve).await);
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    let watch = Watched { planned, labels, ..watched("alertmanager", "x", None, "") };
    let news = channel.news(&watch).await.unwrap();
    let ends: BTreeSet<_> = news.iter().map(|one| (&*one.noted.text, one.noted.who.as_str())).collect();
    for told in [
        "the silence `payments fail & we look` has ended, as planned",
        "a silence of eve that may hit our alerts has ended: planned work",
    ] {
        assert!(ends.contains(&(told, "")), "{told}: {ends:?}");
    }
}

#[tokio::test]
async fn what_a_person_does_in_pagerduty_is_told_in_their_name_by_whatever_way_they_did_it() {
    let account = PagerDuty::default();
    account.alerted("ours");
    account.logged("Acknowledged by Grace", "Grace", "mobile");
    account.logged("Reassigned to Omid by Grace", "Grace", "web_ui");
    account.logged("Acknowledged by Eve", "Eve", "api");
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let now = warroom::run::clock::wall();
    let watch = |ours: TimeDelta| Watched {
        ours: vec![now - ours],
        ..watched("pagerduty", "PALIPAY", Some(Thing::Record), "Q4711")
    };
    let told = |news: Vec<News>| {
        news.into_iter().map(|one| format!("{}: {}", one.noted.who, &*one.noted.text)).collect::<Vec<_>>()
    };
    let by_people = ["Grace: Acknowledged by Grace", "Grace: Reassigned to Omid by Grace"];
    let late = told(channel.news(&watch(TimeDelta::minutes(30))).await.unwrap());
    assert_eq!(late[..2], by_people);
    assert_eq!(late[2..], ["Eve: Acknowledged by Eve"], "a script of Eve's, while nothing left from here");
    assert_eq!(told(channel.news(&watch(TimeDelta::minutes(1))).await.unwrap()), by_people, "that was us");
}
