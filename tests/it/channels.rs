//! The systems that warroom writes to: every request as it is described, and every way in which an answer can fail to come.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use warroom::channel::{CHANNELS, Channel, Setting, SystemSettings};
use warroom::incident::{
    Act, EntryId, IncidentId, Linked, Matcher, Opened, PageStatus, Parcel, Publication, Receipt, Remote, Severity,
    Silencing, Standing, Way,
};
use warroom::source::Endpoint;
use warroom::text::CleanStr;

use crate::support::http::{Reply, Request, Server};
use crate::support::services::jira::{self, Jira};
use crate::support::services::pagerduty::{self, PagerDuty};
use crate::support::services::slack::{self, Slack};
use crate::support::services::statuspage::{self, Statuspage};
use crate::support::services::{Checked, answer, body, fields};

mod chat;
mod clocks;
mod elsewhere;
mod events;
mod faults;
mod fits;
mod folders;
pub mod github;
pub mod mattermost;
mod more;
mod news;
pub mod opsgenie;
mod pager;
mod pages;
mod readers;
mod silences;
mod table;
mod teams;
mod tickets;
mod told;

const SENT: i64 = 1_790_000_000;

fn settings(said: impl IntoIterator<Item = (&'static str, Setting)>) -> SystemSettings {
    let mut settings = SystemSettings::default();
    for (key, setting) in said {
        let (section, key) = key.split_once('.').unwrap();
        settings.set(section, key, setting);
    }
    settings
}

pub fn open_at(name: &str, endpoint: &Endpoint) -> Box<dyn Channel> {
    open_with(name, endpoint, &SystemSettings::default())
}

fn open_with(name: &str, endpoint: &Endpoint, settings: &SystemSettings) -> Box<dyn Channel> {
    (CHANNELS.iter().find(|spec| spec.name == name).unwrap().open)(endpoint, settings).unwrap()
}

/// What a system asks before it writes.
fn asked(receipt: Receipt) -> (CleanStr, Vec<Way>) {
    match receipt {
        Receipt::Asks { why, ways } => (why, ways),
        other => panic!("{other:?}"),
    }
}

/// The same, when a person took the way with these words.
fn taking(parcel: &Parcel, ways: &[Way], words: &str) -> Parcel {
    let way = ways.iter().find(|way| way.words.contains(words)).unwrap_or_else(|| panic!("{ways:?}"));
    let choices = parcel.choices.iter().chain([&way.choice]).cloned().collect();
    Parcel { choices, ..parcel.clone() }
}

/// A channel to a server of the test, with its service's way to sign in.
pub fn open(name: &str, server: &Server) -> Box<dyn Channel> {
    let token = match name {
        "slack" => slack::TOKEN,
        "statuspage" => statuspage::TOKEN,
        "pagerduty" => pagerduty::TOKEN,
        "jira" => jira::TOKEN,
        _ => "secret-1234",
    };
    let endpoint = Endpoint { bearer_command: Some(printing(token)), ..Endpoint::at(server.url()) };
    open_at(name, &endpoint)
}

/// A program that prints a secret.
fn printing(secret: &str) -> Vec<String> {
    ["printf", "%s\\n", secret].map(str::to_owned).to_vec()
}

fn jira_at(server: &Server, is_cloud: bool) -> Box<dyn Channel> {
    if !is_cloud {
        return open("jira", server);
    }
    let (basic_user, basic_password_command) = (Some(jira::USER.to_owned()), Some(printing(jira::TOKEN)));
    open_at("jira", &Endpoint { basic_user, basic_password_command, ..Endpoint::at(server.url()) })
}

pub fn parcel(service: &str, target: &str, act: Act) -> Parcel {
    Parcel {
        id: EntryId { rid: 1, rseq: 7 },
        op: "INC-1/1-7".into(),
        service: service.into(),
        target: target.into(),
        act,
        text: "payments fail & we look".into(),
        from: Some("dana@qr.example".into()),
        incident: IncidentId::incident(1),
        about: None,
        made: None,
        sent_at: DateTime::from_timestamp(SENT, 0).unwrap(),
        is_dropped: false,
        choices: BTreeSet::new(),
        beside: Vec::new(),
        attached: Default::default(),
        standing: Standing::default(),
        first_sent_at: DateTime::from_timestamp(SENT, 0).unwrap(),
        record: "1-1".into(),
        ops: BTreeSet::from(["INC-1/1-7".into()]),
    }
}

fn opened(alerts: &[&str]) -> Act {
    Act::Open(Opened {
        title: "p99 over 2 s".into(),
        severity: Severity::Sev1,
        alerts: alerts.iter().map(|alert| CleanStr::new(alert)).collect(),
        linked: alerts
            .iter()
            .map(|alert| Linked {
                fingerprint: "5d4b".into(),
                labels: [("alertname".into(), CleanStr::new(alert))].into(),
            })
            .collect(),
    })
}

fn published(status: PageStatus) -> Act {
    Act::Publish(Publication {
        title: "p99 over 2 s".into(),
        severity: Severity::Sev1,
        status,
        components: BTreeSet::from(["c1".into()]),
        notifies: false,
    })
}

fn there(receipt: Receipt) -> Remote {
    match receipt {
        Receipt::There(remote) => remote,
        other => panic!("{other:?}"),
    }
}

fn refused(receipt: Receipt) -> CleanStr {
    match receipt {
        Receipt::Refused(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pagerduty_creates_acknowledges_notes_and_resolves_in_the_name_of_who_did_it() {
    let account = PagerDuty::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let begin = parcel("pagerduty", "PALIPAY", opened(&[]));
    assert!(matches!(channel.look_up(&begin).await, Receipt::NotThere { .. }));
    let remote = there(channel.deliver(&begin).await);
    assert_eq!((remote.id.as_str(), remote.name.as_deref()), ("Q4711", Some("4711")));
    assert_eq!(remote.link.as_deref(), Some("https://qr.pagerduty.example/incidents/Q4711"));
    // The same key again is no second incident.
    assert_eq!(there(channel.deliver(&begin).await).id, remote.id);
    assert_eq!(there(channel.look_up(&begin).await).id, remote.id);
    let about = |act: Act| Parcel { about: Some(remote.clone()), ..parcel("pagerduty", "PALIPAY", act) };
    assert!(matches!(channel.look_up(&about(Act::Acknowledge)).await, Receipt::NotThere { .. }));
    there(channel.deliver(&about(Act::Acknowledge)).await);
    // Somebody else's acknowledgement is not taken over.
    let again = Parcel { from: Some("bob@qr.example".into()), ..about(Act::Acknowledge) };
    there(channel.deliver(&again).await);
    there(channel.look_up(&again).await);
    there(channel.deliver(&about(Act::Note(BTreeSet::new()))).await);
    there(channel.look_up(&about(Act::Note(BTreeSet::new()))).await);
    there(channel.deliver(&about(Act::Tell)).await);
    let people = BTreeSet::from(["bob@qr.example".into()]);
    assert!(matches!(channel.look_up(&about(Act::Page(people.clone()))).await, Receipt::NotThere { .. }));
    there(channel.deliver(&about(Act::Page(people.clone()))).await);
    there(channel.look_up(&about(Act::Page(people))).await);
    there(channel.deliver(&Parcel { text: "all payments work".into(), ..about(Act::Resolve) }).await);
    let state = account.0.lock().unwrap();
    let act = |what: &str, words: &str| (what.to_owned(), "dana@qr.example".to_owned(), words.to_owned());
    assert_eq!(state.acts, [act("acknowledged", ""), act("resolved", "all payments work")]);
    assert_eq!(state.notes.len(), 1);
    assert_eq!(state.updates, [("Q4711".to_owned(), "payments fail & we look".to_owned())]);
    assert_eq!(state.paged, [("PUDANA".to_owned(), vec!["PUBOB".to_owned()])]);
    assert_eq!((state.incidents.len(), &state.incidents[0]["incident_key"]), (1, &json!("INC-1/1-7")));
}

#[tokio::test]
async fn pagerduty_adopts_the_incident_of_the_alert_and_never_guesses_between_two() {
    let account = PagerDuty::default();
    account.alerted("[FIRING:1] DiskFull");
    let number = account.alerted("[FIRING:1] HighErrorRate alipay");
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let remote = there(channel.deliver(&parcel("pagerduty", "PALIPAY", opened(&["HighErrorRate"]))).await);
    assert_eq!((remote.name.as_deref(), remote.is_adopted), (Some(number.to_string().as_str()), true));
    // The name of another alert in a title proves nothing, and what is the only one open is not ours for that.
    for alert in ["Other", "FIRING"] {
        let begin = parcel("pagerduty", "PALIPAY", opened(&[alert]));
        let Receipt::Asks { why, ways } = channel.deliver(&begin).await else { panic!("{alert}") };
        assert!(why.contains("#4711") && why.contains("#4712"), "{why}");
        assert_eq!(ways.len(), 3, "one of the two, or another one: {ways:?}");
        assert_eq!(account.0.lock().unwrap().incidents.len(), 2, "none was created");
    }
    let begin = parcel("pagerduty", "PALIPAY", opened(&["Other"]));
    let Receipt::Asks { ways, .. } = channel.deliver(&begin).await else { panic!() };
    let takes = |way: usize| Parcel { choices: [ways[way].choice.clone()].into(), ..begin.clone() };
    let adopted = there(channel.deliver(&takes(0)).await);
    assert!(adopted.is_adopted && ways[0].words.contains(&**adopted.name.as_ref().unwrap()), "{adopted:?}");
    let own = there(channel.deliver(&takes(2)).await);
    assert!(!own.is_adopted);
    assert_eq!(account.0.lock().unwrap().incidents.len(), 3);
    // A try of ours that nobody heard of is found, and is not called adopted.
    assert_eq!(there(channel.deliver(&begin).await), own);
}

#[tokio::test]
async fn pagerduty_pages_for_a_title_of_any_length_and_whom_it_knows() {
    let account = PagerDuty::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let title = "p99 of the gateway is over 2 s and ".repeat(40);
    let title = CleanStr::new(&title);
    let alerts = BTreeSet::new();
    let act = Act::Open(Opened { title, severity: Severity::Sev1, alerts, linked: Default::default() });
    let remote = there(channel.deliver(&parcel("pagerduty", "PALIPAY", act)).await);
    {
        let state = account.0.lock().unwrap();
        let short = state.incidents[0]["title"].as_str().unwrap();
        assert_eq!((short.chars().count(), short.ends_with('…')), (1024, true));
    }
    let page = |mails: &[&str]| {
        let people = mails.iter().map(|mail| CleanStr::new(mail)).collect();
        Parcel { about: Some(remote.clone()), ..parcel("pagerduty", "PALIPAY", Act::Page(people)) }
    };
    let both = page(&["bob@qr.example", "eve@qr.example"]);
    let paged = there(channel.deliver(&both).await).name.unwrap();
    assert!(paged.contains("not paged: eve@qr.example"), "{paged}");
    assert_eq!(account.0.lock().unwrap().paged, [("PUDANA".to_owned(), vec!["PUBOB".to_owned()])]);
    there(channel.look_up(&both).await);
    let why = refused(channel.deliver(&page(&["eve@qr.example"])).await);
    assert!(why.contains("not paged: eve@qr.example") && why.contains("call them"), "{why}");
}

#[tokio::test]
async fn pagerduty_s_refusals_say_what_helps() {
    let account = PagerDuty::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    let begin = parcel("pagerduty", "PALIPAY", opened(&[]));
    let why = refused(channel.deliver(&Parcel { from: None, ..begin.clone() }).await);
    assert!(why.contains("`email` of the person into [[people]]"), "{why}");
    let why = refused(channel.deliver(&Parcel { from: Some("eve@qr.example".into()), ..begin.clone() }).await);
    assert!(why.contains("Requester User Not Found") && why.contains("a user of PagerDuty"), "{why}");
    let why = refused(channel.deliver(&Parcel { target: "PNONE".into(), ..begin.clone() }).await);
    assert!(why.contains("Not Found") && why.contains("[pagerduty-services]"), "{why}");
    // All the shapes in which errors have been seen.
    for (status, said, expected) in [
        (400, json!({ "error": { "message": "Invalid", "code": 2001, "errors": "a string" } }), "a string"),
        (400, json!({ "error": ["one", "two"] }), "one; two"),
        (402, json!({ "error": { "message": "Payment Required" } }), "plan of this account"),
        (403, json!({ "error": { "message": "Access Denied" } }), "write access"),
        (413, json!({}), "413"),
    ] {
        server.change(move |_| answer(status, &said));
        let why = refused(channel.deliver(&begin).await);
        assert!(why.contains(expected) && !why.contains(pagerduty::TOKEN), "{why}");
    }
    server.change(|_| answer(401, &json!({ "error": { "message": "Unauthorized" } })));
    assert!(refused(channel.deliver(&begin).await).contains("check the program printf"));
    let limited = json!({ "error": { "message": "Rate Limit Exceeded", "code": 2020 } });
    server.change(move |_| answer(429, &limited).with("ratelimit-reset", "17"));
    let Receipt::NotThere { wait, .. } = channel.deliver(&begin).await else { panic!() };
    assert_eq!(wait, Some(TimeDelta::seconds(17)));
}

#[tokio::test]
async fn jira_keeps_a_ticket_with_lines_follow_ups_and_an_end_in_both_editions() {
    for is_cloud in [true, false] {
        let site = Jira::new(is_cloud);
        let kept = site.clone();
        let server = Server::start(move |request| kept.answer(request)).await;
        let channel = jira_at(&server, is_cloud);
        let begin = Parcel { text: "Summary\nfails\n\nImpact\nall".into(), ..parcel("jira", "OPS", opened(&[])) };
        let remote = there(channel.deliver(&begin).await);
        assert_eq!(remote.name.as_deref(), Some("OPS-1"));
        assert!(remote.link.as_deref().unwrap().ends_with("/browse/OPS-1"));
        assert_eq!(there(channel.deliver(&begin).await), remote, "it is found by its label");
        assert_eq!(there(channel.look_up(&begin).await), remote);
        let about = |act: Act| Parcel { about: Some(remote.clone()), ..parcel("jira", "OPS", act) };
        let note = about(Act::Note(BTreeSet::new()));
        assert!(matches!(channel.look_up(&note).await, Receipt::NotThere { .. }));
        there(channel.deliver(&note).await);
        there(channel.look_up(&note).await);
        there(channel.deliver(&about(Act::Describe)).await);
        let item = EntryId { rid: 3, rseq: 3 };
        let ticket = Parcel { op: "INC-1/1-8".into(), ..about(Act::Ticket(item)) };
        let follow_up = there(channel.deliver(&ticket).await);
        there(channel.deliver(&Parcel { about: Some(follow_up), ..about(Act::CloseTicket(item)) }).await);
        let end = Parcel { op: "INC-1/1-9".into(), ..about(Act::Resolve) };
        assert!(matches!(channel.look_up(&end).await, Receipt::NotThere { .. }));
        there(channel.deliver(&end).await);
        there(channel.look_up(&end).await);
        let state = site.state.lock().unwrap();
        let kinds: Vec<_> = state.issues.iter().map(|one| (&one["issuetype"]["name"], &one["status"])).collect();
        assert_eq!(kinds, [(&json!("Incident"), &json!("done")), (&json!("Task"), &json!("done"))]);
        assert_eq!(state.issues[0]["labels"], json!(["warroom", "warroom-inc-1-1-7"]));
        assert_eq!(state.issues[0]["priority"]["name"], "High");
        assert_eq!(state.links, [("OPS-1".to_owned(), "OPS-2".to_owned())]);
        assert_eq!(state.comments.len(), 3, "the line and two last words");
    }
}

#[tokio::test]
async fn jira_makes_do_with_the_kinds_and_fields_that_a_project_has() {
    let site = Jira::new(true);
    {
        let mut state = site.state.lock().unwrap();
        state.kinds = vec!["Task".to_owned()];
        state.has_no_priority = true;
    }
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = jira_at(&server, true);
    there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
    assert_eq!(site.state.lock().unwrap().issues[0]["labels"], json!(["warroom", "warroom-inc-1-1-7", "incident"]));
    site.state.lock().unwrap().kinds = vec!["Bug".to_owned(), "Story".to_owned()];
    let other = Parcel { op: "INC-1/1-8".into(), ..parcel("jira", "OPS", opened(&[])) };
    let why = refused(channel.deliver(&other).await);
    assert!(why.contains("no `Incident` in OPS: write one of Bug, Story into [jira-project]"), "{why}");
    // Who is not signed in sees nothing.
    let wrong = open("jira", &server);
    let why = refused(wrong.deliver(&other).await);
    assert!(why.contains("a wrong token looks like this too"), "{why}");
}

#[tokio::test]
async fn jira_ends_a_ticket_as_it_ended_and_asks_where_that_is_not_clear() {
    for (ends, is_dropped, expected) in [
        (&["Cancelled", "Done"][..], false, Some("Done")),
        (&["Cancelled", "Done"], true, Some("Cancelled")),
        (&["Shipped", "Archived"], false, None),
    ] {
        let site = Jira::new(true);
        site.state.lock().unwrap().ends = ends.iter().map(|name| (*name).to_owned()).collect();
        let kept = site.clone();
        let server = Server::start(move |request| kept.answer(request)).await;
        let channel = jira_at(&server, true);
        let remote = there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
        let item = EntryId { rid: 3, rseq: 3 };
        let end = Parcel {
            is_dropped,
            about: Some(remote),
            op: "INC-1/1-9".into(),
            ..parcel("jira", "OPS", Act::CloseTicket(item))
        };
        match expected {
            Some(_) => drop(there(channel.deliver(&end).await)),
            None => {
                let (why, ways) = asked(channel.deliver(&end).await);
                assert!(why.contains("set `done-status` in [jira-project]"), "{why}");
                there(channel.deliver(&taking(&end, &ways, "Archived")).await);
            }
        }
        let state = site.state.lock().unwrap();
        assert_eq!(state.ended_as.as_deref(), Some(expected.unwrap_or("Archived")));
        assert_eq!(state.comments.len(), 1, "why it ended is there once");
    }
}

#[tokio::test]
async fn slack_opens_a_channel_of_the_incident_s_own_and_keeps_what_stands_at_its_top() {
    let workspace = Slack::default();
    // Two other channels have the name and the next one, an archived one and one of the year before.
    workspace.opened("inc-4711", 1);
    workspace.opened("general", 1);
    workspace.opened("inc-4711-2", 1);
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let find = parcel("slack", "inc-4711", Act::FindRoom { since: DateTime::from_timestamp(SENT - 60, 0).unwrap() });
    let Receipt::NotYet { wait, why } = channel.deliver(&find).await else { panic!("it is another incident's") };
    assert!(wait == TimeDelta::seconds(15) && why.contains("`open-channel` opens it"), "{why}");
    let begin = parcel(
        "slack",
        "inc-4711",
        Act::OpenRoom { is_private: false, since: DateTime::from_timestamp(SENT - 60, 0).unwrap(), is_own_name: false },
    );
    let room = there(channel.deliver(&begin).await);
    assert_eq!(room.name.as_deref(), Some("inc-4711-3"));
    assert_eq!(there(channel.deliver(&begin).await), room, "it is known by its purpose");
    let about = |act: Act, text: &str| Parcel {
        about: Some(room.clone()),
        text: text.into(),
        ..parcel("slack", "inc-4711", act)
    };
    there(channel.deliver(&about(Act::Topic, &"long ".repeat(100))).await);
    let guests = BTreeSet::from(["U000DANA1".into(), "bob@qr.example".into(), "eve@qr.example".into()]);
    let invited = there(channel.deliver(&about(Act::Invite(guests), "")).await);
    assert!(invited.name.unwrap().contains("without eve@qr.example"));
    let pinned = there(channel.deliver(&about(Act::Pin, "SEV1 <!here>")).await);
    let edit = Parcel { made: Some(pinned.clone()), ..about(Act::Pin, "SEV2 now") };
    assert_eq!(there(channel.deliver(&edit).await), pinned);
    there(channel.deliver(&about(Act::Post, "a message")).await);
    assert_eq!(workspace.texts(&room.id), ["SEV2 now", "a message"]);
    {
        let state = workspace.0.lock().unwrap();
        assert_eq!(state.invited, ["U000DANA1", "U00000BOB"]);
        assert_eq!(state.pins, [(room.id.to_string(), pinned.id.to_string())]);
    }
    // What somebody else opened for the incident in the meantime is taken for it.
    let theirs = workspace.opened("inc-4713", SENT);
    let begin = Parcel { target: "inc-4713".into(), op: "INC-1/1-9".into(), ..begin };
    assert_eq!(there(channel.deliver(&begin).await).id, theirs.as_str());
    // What PagerDuty's integration opens is adopted.
    let theirs = workspace.opened("inc-4712", SENT);
    let find = Parcel { target: "inc-4712".into(), ..find };
    assert_eq!(there(channel.deliver(&find).await).id, theirs.as_str());
}
