//! What people do in PagerDuty itself with the incident that we page for: met before the next thing is written, and told.

use super::news::{texts, watched};
use super::*;
use warroom::incident::{News, Phase, Thing, Watched};

async fn account() -> (PagerDuty, Server, Box<dyn Channel>) {
    let account = PagerDuty::default();
    account.alerted("ours");
    account.alerted("theirs");
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    (account, server, channel)
}

fn about(act: Act) -> Parcel {
    let now = warroom::run::clock::wall();
    Parcel { about: Some("Q4711".into()), sent_at: now, first_sent_at: now, ..parcel("pagerduty", "PALIPAY", act) }
}

fn bob() -> BTreeSet<CleanStr> {
    BTreeSet::from(["bob@qr.example".into()])
}

#[tokio::test]
async fn nobody_is_called_for_what_somebody_resolved_there_until_a_person_says_so() {
    let (account, _server, channel) = account().await;
    for (round, who) in ["Eve", "Grace"].into_iter().enumerate() {
        account.resolved_by("Q4711", who);
        for act in [Act::Page(bob()), Act::Escalate(2), Act::Reassign(bob())] {
            let (why, ways) = asked(channel.deliver(&about(act.clone())).await);
            assert!(why.starts_with(&format!("#4711 was resolved in PagerDuty by {who}")), "{act:?}: {why}");
            assert_eq!(ways.len(), 1);
        }
        let page = about(Act::Page(bob()));
        let (_, ways) = asked(channel.deliver(&page).await);
        assert_eq!(account.0.lock().unwrap().paged.len(), round, "nobody was called");
        there(channel.deliver(&taking(&page, &ways, "open it again")).await);
        let state = account.0.lock().unwrap();
        assert_eq!((state.paged.len(), &state.incidents[0]["status"]), (round + 1, &json!("acknowledged")));
    }
    // What is over here too is over.
    account.resolved_by("Q4711", "Eve");
    let standing = Standing { phase: Phase::Resolved, ..Standing::default() };
    there(channel.deliver(&Parcel { standing, ..about(Act::Page(bob())) }).await);
}

#[tokio::test]
async fn what_was_merged_by_hand_is_gone_on_with_or_left_alone_as_a_person_says() {
    let (account, _server, channel) = account().await;
    account.merged_by("Q4711", "Q4712", "Eve");
    for act in [Act::Note(BTreeSet::new()), Act::Tell, Act::Acknowledge, Act::Resolve, Act::Change(changed())] {
        let (why, ways) = asked(channel.deliver(&about(act.clone())).await);
        assert_eq!((&*why, ways.len()), ("#4711 was merged into #4712 in PagerDuty", 2), "{act:?}");
    }
    let page = about(Act::Page(bob()));
    let (_, ways) = asked(channel.deliver(&page).await);
    assert_eq!(ways.len(), 1, "who is to be called is called for one that is open, or not at all");
    let remote = there(channel.deliver(&taking(&page, &ways, "go on with that one")).await);
    assert_eq!((remote.id.as_str(), remote.called().as_str()), ("Q4712", "4712"));
    // One word is enough for all that follows, also for what is looked up and told.
    let choices = BTreeSet::from([ways[0].choice.clone()]);
    let followed = |act| Parcel { choices: choices.clone(), ..about(act) };
    there(channel.look_up(&followed(Act::Page(bob()))).await);
    there(channel.deliver(&followed(Act::Note(BTreeSet::new()))).await);
    there(channel.deliver(&followed(Act::Resolve)).await);
    let watch = watched("pagerduty", "PALIPAY", Some(Thing::Record), "Q4711");
    {
        let state = account.0.lock().unwrap();
        assert_eq!(state.notes[0].0, "Q4712");
        assert_eq!(state.incidents[1]["status"], "resolved");
    }
    let news = channel.news(&Watched { choices, is_live: false, ..watch }).await.unwrap();
    assert_eq!(texts(&news), [""; 0], "it is not told as one that is open beside ours");
    let (_, ways) = asked(channel.deliver(&about(Act::Note(BTreeSet::new()))).await);
    there(channel.deliver(&taking(&about(Act::Note(BTreeSet::new())), &ways, "leave #4712 alone")).await);
    assert_eq!(account.0.lock().unwrap().notes[1].0, "Q4711");
}

fn changed() -> Opened {
    Opened { title: "worse".into(), severity: Severity::Sev0, alerts: BTreeSet::new(), linked: Vec::new() }
}

#[tokio::test]
async fn whoever_was_given_it_there_meanwhile_keeps_it_until_a_person_says_otherwise() {
    let (account, _server, channel) = account().await;
    account.given_by("Q4711", "PUDANA", "Grace");
    let before = about(Act::Reassign(bob()));
    there(channel.deliver(&before).await);
    let late = about(Act::Reassign(bob()));
    account.given_by("Q4711", "PUDANA", "Eve");
    let (why, ways) = asked(channel.deliver(&late).await);
    assert!(why.ends_with("Reassigned to PUDANA by Eve"), "{why}");
    let assignee = || account.0.lock().unwrap().incidents[0]["assignments"][0]["assignee"]["id"].clone();
    assert_eq!(assignee(), "PUDANA");
    there(channel.deliver(&taking(&late, &ways, "all the same")).await);
    assert_eq!(assignee(), "PUBOB");
}

#[tokio::test]
async fn an_end_there_is_told_while_we_go_on_and_so_is_what_takes_it_back() {
    let (account, _server, channel) = account().await;
    let watch = watched("pagerduty", "PALIPAY", Some(Thing::Record), "Q4711");
    let first =
        |news: Vec<News>| (news[0].noted.who.clone(), news[0].noted.text.to_string(), news[0].noted.key.clone());
    account.resolved_by("Q4711", "Eve");
    let (who, text, key) = first(channel.news(&watch).await.unwrap());
    assert_eq!(who, "Eve");
    assert_eq!(text, "#4711 was resolved there, and this incident is not over: `outbox` opens it again");
    let lines = channel.news(&watch).await.unwrap();
    assert!(!texts(&lines).contains(&"Resolved by Eve"), "once: {lines:?}");
    let ended = Watched { is_live: false, ..watch.clone() };
    assert_eq!(texts(&channel.news(&ended).await.unwrap())[0], "Resolved by Eve", "as it should be");
    account.0.lock().unwrap().incidents[0]["status"] = json!("triggered");
    let over = key.rsplit('/').next().map(CleanStr::new);
    let (_, text, back) = first(channel.news(&Watched { over, ..watch.clone() }).await.unwrap());
    assert_eq!((text.as_str(), back.starts_with("back/Q4711/")), ("#4711 is open there again", true));
    account.merged_by("Q4711", "Q4712", "Eve");
    let all = channel.news(&watch).await.unwrap();
    assert!(!texts(&all).iter().any(|text| text.contains("open on this service too")), "that is ours now: {all:?}");
    let (_, text, key) = first(all);
    assert_eq!(text, "#4711 was merged into #4712 there: `outbox` goes on with that one");
    assert!(key.ends_with("/Q4712/4712"), "{key}");
}
