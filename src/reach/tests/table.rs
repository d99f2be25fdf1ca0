//! The table of incident changes and systems in README.md: every cell is what a story leads to.

use super::*;
use crate::channel::spec::tracker;
use crate::incident::{ImpactAt, ServiceNamed};

/// The systems of the table, and how its head calls them.
const SYSTEMS: [(&str, &str); 8] = [
    (PAGERDUTY, "PagerDuty"),
    (PAGERDUTY_EVENTS, "Events"),
    (OPSGENIE, "Opsgenie"),
    (JIRA, "Jira"),
    (GRAFANA, "Grafana"),
    (WEBHOOK, "webhook"),
    (SLACK, "Slack channel"),
    (STATUSPAGE, "pages"),
];

fn from(seconds: i64) -> ImpactAt {
    ImpactAt { at: at(seconds), service: None, is_first: false }
}

fn to(seconds: i64) -> ImpactAt {
    ImpactAt { is_first: true, ..from(seconds) }
}

fn phase(phase: Phase) -> Event {
    let final_status = (phase == Phase::Resolved).then(|| "all payments work".into());
    Event::PhaseEntered(PhaseEntered { final_status, reason: Some("x".into()), ..PhaseEntered::plain(phase) })
}

fn over(outcome: Outcome) -> Event {
    Event::PhaseEntered(PhaseEntered {
        outcome: Some(outcome),
        reason: Some("x".into()),
        ..PhaseEntered::plain(Phase::Closed)
    })
}

/// An incident that every system has.
fn fresh() -> Story {
    let one = |service: &str| tracker(service, Place::One(service.into())).unwrap();
    let mut all = reach();
    all.trackers.extend([PAGERDUTY_EVENTS, OPSGENIE, GRAFANA, WEBHOOK].map(one));
    let inside = BTreeMap::from([("alipay".into(), "c9".into())]);
    all.components.insert(Channel::InternalPage, inside);
    let mut story = Story::new(all);
    story.ask();
    story.arrive();
    let room = story.reach.open_room(&story.incident).unwrap();
    story.say(Event::DeliveryQueued(room));
    settle(&mut story);
    story
}

/// The same, of which every page was told, in somebody's hands.
fn everywhere() -> Story {
    let mut story = fresh();
    story.command();
    story.say(Event::ImpactStarted(from(0)));
    settle(&mut story);
    update(&mut story);
    settle(&mut story);
    story
}

/// The same, closed, with pages that say so.
fn over_and_done() -> Story {
    let mut story = everywhere();
    for step in [Phase::Resolved, Phase::Closed] {
        story.say(phase(step));
        settle(&mut story);
    }
    story
}

fn update(story: &mut Story) {
    let channels = [Channel::InternalPage, Channel::ExternalPage, Channel::IncidentChannel].into();
    let text = format!("we look, {}", story.incident.updates.len());
    let said = StatusUpdate { channels, text: text.as_str().into(), ..StatusUpdate::default() };
    story.say(Event::StatusUpdatePosted(said.clone()));
    for post in story.reach.posts(&said, &story.incident) {
        story.say(Event::DeliveryQueued(post));
    }
}

fn settle(story: &mut Story) {
    for _ in 0..4 {
        story.ask();
        story.arrive();
    }
}

/// What a delivery does in its system, as the table says it.
fn in_words(known: &Delivery, incident: &Incident) -> String {
    let service = known.body.service.as_str();
    let said = match (&known.body.act, service) {
        (Act::Change(_), PAGERDUTY) => "title, urgency, priority",
        (Act::Change(_), PAGERDUTY_EVENTS) => "the same alert again",
        (Act::Change(_), OPSGENIE) => "message, priority",
        (Act::Change(_), JIRA) => "summary, priority",
        (Act::Change(_), GRAFANA) => "text",
        (Act::Change(_), WEBHOOK) => "`incident.changed`",
        (Act::Acknowledge, WEBHOOK) => "`incident.acknowledged`",
        (Act::Acknowledge, _) => "acknowledged, in that name",
        (Act::Note(_), JIRA) => "a comment",
        (Act::Note(_), WEBHOOK) => "`incident.noted`",
        (Act::Note(_), _) => "a note",
        (Act::Resolve, OPSGENIE) => "closed",
        (Act::Resolve, JIRA) => "done",
        (Act::Resolve, GRAFANA) => "the region ends",
        (Act::Resolve, WEBHOOK) => "`incident.resolved`",
        (Act::Resolve, _) => "resolved",
        (Act::Reopen, PAGERDUTY) => "acknowledged again",
        (Act::Reopen, PAGERDUTY_EVENTS) => "triggered again",
        (Act::Reopen, OPSGENIE) => "opened again",
        (Act::Reopen, JIRA) => "back in work",
        (Act::Reopen, WEBHOOK) => "`incident.reopened`",
        (Act::Post, SLACK) => "a message in the thread",
        (Act::Pin, SLACK) => "pinned message",
        (Act::Report(id), WEBHOOK) => {
            return format!("`incident.{}`", incident.happening(*id).unwrap().what.name());
        }
        (Act::Publish(said), STATUSPAGE) => {
            let is_public = known.body.channel == Some(Channel::ExternalPage);
            let place = if is_public { "external" } else { "internal" };
            let waits = if matches!(known.state, DeliveryState::Held { .. }) { ", on somebody's word" } else { "" };
            let parts = if said.components.is_empty() { ", its parts as they were before" } else { "" };
            return format!("{place}: {}{parts}{waits}", said.status.word());
        }
        (act, _) => return act.words(),
    };
    said.to_owned()
}

/// What a change makes each system be told, in words.
fn told(mut story: Story, change: Change) -> Vec<String> {
    let before = story.incident.deliveries.len();
    change(&mut story);
    settle(&mut story);
    let new = &story.incident.deliveries[before..];
    let cell = |service: &str| {
        let mut words: Vec<String> = Vec::new();
        let here = new.iter().filter(|one| *one.body.service == *service);
        for word in here.map(|one| in_words(one, &story.incident)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.join("; ")
    };
    SYSTEMS.iter().map(|(service, _)| cell(service)).collect()
}

type Change = fn(&mut Story);

/// A row of the table: its name, the story before it, and what happens.
type Happening = (&'static str, fn() -> Story, Change);

/// Each change, and what it happens to.
fn changes() -> Vec<Happening> {
    let note = |story: &mut Story| {
        story.say(Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: "the bank says no".into(), at: None }));
    };
    vec![
        ("acknowledged", fresh, |story| story.say(Event::Acknowledged(Plain {}))),
        ("title", everywhere, |story| story.say(Event::TitleSet(TitleSet { title: "p99 over 9 s".into() }))),
        ("severity", everywhere, |story| {
            story.say(Event::SeverityRaised(SeveritySet { to: Severity::Sev0, reason: None }));
        }),
        ("a line of a person", everywhere, note),
        ("an update", everywhere, update),
        ("a service more", everywhere, |story| story.say(Event::ServiceAdded(ServiceNamed { service: "qr".into() }))),
        ("end of impact", everywhere, |story| story.say(Event::ImpactEnded(to(90)))),
        ("resolved", everywhere, |story| story.say(phase(Phase::Resolved))),
        (
            "closed",
            || {
                let mut story = everywhere();
                story.say(phase(Phase::Resolved));
                settle(&mut story);
                story
            },
            |story| story.say(phase(Phase::Closed)),
        ),
        ("false alarm", everywhere, |story| story.say(over(Outcome::FalseAlarm))),
        ("backlog", everywhere, |story| story.say(over(Outcome::Backlog))),
        ("merged into another", everywhere, |story| story.say(over(Outcome::Merged(IncidentId::incident(2))))),
        ("reopened", over_and_done, |story| story.say(phase(Phase::Triage))),
    ]
}

/// The manual says what the record leads to, and no more.
#[test]
fn each_change_reaches_each_system_as_the_table_of_readme_says() {
    let mut table = format!("| change | {} |\n", SYSTEMS.map(|(_, name)| name).join(" | "));
    table += &format!("|{}\n", " --- |".repeat(SYSTEMS.len() + 1));
    for (name, before, change) in changes() {
        table += &format!("| {name} | {} |\n", told(before(), change).join(" | "))
            .replace("|  |", "| |")
            .replace("|  |", "| |");
    }
    let readme = include_str!("../../../README.md");
    let (_, after) = readme.split_once("<!-- changes -->\n").unwrap();
    let (said, _) = after.split_once("<!-- /changes -->").unwrap();
    assert!(said == table, "README's table of changes is another one; this is what the stories lead to:\n{table}");
}

/// Two consoles look at the same record: what both ask for in the same moment is done once, whatever happened.
#[test]
fn what_two_consoles_ask_for_in_the_same_moment_counts_once() {
    for (name, before, change) in changes() {
        let mut story = before();
        change(&mut story);
        for _ in 0..4 {
            let (known, missing) = (story.incident.deliveries.len(), story.reach.missing(&story.incident));
            for body in missing.iter().chain(&missing) {
                story.say(Event::DeliveryQueued(body.clone()));
            }
            let new: Vec<_> = story.incident.deliveries[known..].iter().map(|one| &one.body).collect();
            assert_eq!(new, missing.iter().collect::<Vec<_>>(), "{name}");
            story.arrive();
        }
    }
}

/// What a page is told after it was over, or as good as over, is what is true then.
#[test]
fn a_page_of_a_reopened_incident_is_told_once_that_it_goes_on_whatever_it_said_before() {
    let last = |story: &Story, channel: Channel| {
        let of = story.incident.deliveries.iter().rev().find(|known| known.body.channel == Some(channel)).unwrap();
        let Act::Publish(said) = &of.body.act else { panic!("{of:?}") };
        (said.status, said.components.len(), of.state.clone(), of.body.text.to_string())
    };
    let goes_on = "This is not over yet. We have reopened it and are working on it.";
    for (what, eases) in [("resolved alone", false), ("impact ended before", true)] {
        let mut story = everywhere();
        if eases {
            story.say(Event::ImpactEnded(to(90)));
            settle(&mut story);
        }
        for step in [Phase::Resolved, Phase::Closed] {
            story.say(phase(step));
            settle(&mut story);
        }
        let before = story.incident.deliveries.iter().filter(|known| known.body.channel.is_some()).count();
        story.say(phase(Phase::Triage));
        settle(&mut story);
        let (status, parts, state, text) = last(&story, Channel::ExternalPage);
        assert_eq!((status, parts, text.as_str()), (PageStatus::Investigating, 1, goes_on), "{what}");
        assert!(matches!(state, DeliveryState::Held { .. }), "{what}: customers are told on somebody's word");
        let (status, parts, state, text) = last(&story, Channel::InternalPage);
        assert_eq!((status, parts), (PageStatus::Investigating, 1), "{what}");
        assert!(matches!(state, DeliveryState::Sent(_)) && text.starts_with("The incident was reopened at "), "{text}");
        settle(&mut story);
        let after = story.incident.deliveries.iter().filter(|known| known.body.channel.is_some()).count();
        assert_eq!(after, before + 2, "{what}: once");
        // What was to say that it is over is not offered any more.
        let is_stale = |known: &&Delivery| matches!(known.state, DeliveryState::Held { .. }) && known.round == 0;
        assert_eq!(story.incident.deliveries.iter().filter(is_stale).count(), 0, "{what}");
        // What somebody writes now says what is so now: the cause is known and worked on, until customers are well again.
        story.say(phase(Phase::Mitigating));
        update(&mut story);
        assert_eq!(last(&story, Channel::ExternalPage).0, PageStatus::Identified, "{what}");
        story.say(Event::ImpactStarted(from(400)));
        story.say(Event::ImpactEnded(to(500)));
        settle(&mut story);
        assert_eq!(last(&story, Channel::ExternalPage).0, PageStatus::Monitoring, "{what}");
    }
}

/// When customers are not affected any more the parts of the page are put back, though the incident goes on, and are named again when they are.
#[test]
fn with_the_end_of_impact_components_are_put_back_and_with_the_next_they_are_named_again() {
    let mut story = everywhere();
    let named = |story: &Story| {
        let of = |known: &Delivery| match &known.body.act {
            Act::Publish(said) => Some((known.body.channel, said.components.len())),
            _ => None,
        };
        story.incident.deliveries.iter().rev().filter_map(of).take(2).map(|(_, count)| count).collect::<Vec<_>>()
    };
    assert_eq!(named(&story), [1, 1]);
    story.say(Event::ImpactEnded(to(90)));
    settle(&mut story);
    assert_eq!(named(&story), [0, 0]);
    story.say(Event::ImpactStarted(from(120)));
    update(&mut story);
    assert_eq!(named(&story), [1, 1]);
}
