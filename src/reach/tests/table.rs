//! The table of incident changes and systems: every cell.

use super::*;
use crate::incident::{ImpactAt, ServiceNamed};

/// The systems of the table, in its order.
const SYSTEMS: [&str; 7] = [PAGERDUTY, PAGERDUTY_EVENTS, JIRA, GRAFANA, WEBHOOK, SLACK, STATUSPAGE];

/// What each system is told of a change, without what it is called before it: an empty cell is told nothing.
type Cells = [&'static str; 7];

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

/// An incident that every system has, with a page that says what customers are not told any more when it changes.
fn everywhere() -> Story {
    let one = |service: &str| Tracker { service: service.into(), place: Place::One(service.into()) };
    let mut all = reach();
    all.trackers.extend([PAGERDUTY_EVENTS, GRAFANA, WEBHOOK].map(one));
    let inside = BTreeMap::from([("alipay".into(), "c9".into())]);
    all.components.insert(Channel::InternalPage, inside);
    let mut story = Story::new(all);
    story.ask();
    story.arrive();
    story.command();
    let room = story.reach.open_room(&story.incident).unwrap();
    story.say(Event::DeliveryQueued(room));
    story.say(Event::ImpactStarted(from(0)));
    settle(&mut story);
    update(&mut story);
    settle(&mut story);
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

/// What a change makes each system be told, in words.
fn told(story: &mut Story, change: impl FnOnce(&mut Story)) -> Vec<String> {
    let before = story.incident.deliveries.len();
    change(story);
    settle(story);
    let new = &story.incident.deliveries[before..];
    let cell = |service: &str| {
        let mut words: Vec<String> = Vec::new();
        for one in new.iter().filter(|one| *one.body.service == *service) {
            let word = match &one.body.act {
                Act::Publish(said) => {
                    let waits = if matches!(one.state, DeliveryState::Held { .. }) { " on a word" } else { "" };
                    format!("{}{waits}", said.status.word())
                }
                Act::Note(_) => "lines".to_owned(),
                act => act.words(),
            };
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.join(", ")
    };
    SYSTEMS.iter().map(|service| cell(service)).collect()
}

type Change = fn(&mut Story);

fn table() -> Vec<(&'static str, Change, Cells)> {
    const NAMED: &str = "title and severity";
    vec![
        (
            "title",
            |story| story.say(Event::TitleSet(TitleSet { title: "p99 over 9 s".into() })),
            [
                NAMED,
                NAMED,
                "title and severity, description, lines",
                NAMED,
                "title and severity, lines",
                "topic, pinned status",
                "",
            ],
        ),
        (
            "severity",
            |story| story.say(Event::SeverityRaised(SeveritySet { to: Severity::Sev0, reason: None })),
            [
                NAMED,
                NAMED,
                "title and severity, description, lines",
                NAMED,
                "title and severity, what happened, as data, lines",
                "topic, pinned status",
                "",
            ],
        ),
        (
            "an update",
            update,
            ["lines", "", "lines", "", "what happened, as data, lines", "message, pinned status", "investigating"],
        ),
        (
            "a service more",
            |story| story.say(Event::ServiceAdded(ServiceNamed { service: "qr".into() })),
            ["", "", "description, lines", "", "lines", "pinned status", ""],
        ),
        (
            "end of impact",
            |story| story.say(Event::ImpactEnded(to(90))),
            ["lines", "", "description, lines", "", "lines", "pinned status", "monitoring, monitoring on a word"],
        ),
        (
            "resolved",
            |story| story.say(phase(Phase::Resolved)),
            [
                "resolve",
                "resolve",
                "lines",
                "resolve",
                "what happened, as data, lines, resolve",
                "topic, pinned status",
                "resolved, resolved on a word",
            ],
        ),
        (
            "false alarm",
            |story| story.say(over(Outcome::FalseAlarm)),
            [
                "resolve",
                "resolve",
                "lines, resolve",
                "resolve",
                "what happened, as data, lines, resolve",
                "topic, pinned status",
                "resolved, resolved on a word",
            ],
        ),
        (
            "backlog",
            |story| story.say(over(Outcome::Backlog)),
            [
                "resolve",
                "resolve",
                "lines, resolve",
                "resolve",
                "what happened, as data, lines, resolve",
                "topic, pinned status",
                "resolved, resolved on a word",
            ],
        ),
        (
            "merge",
            |story| story.say(over(Outcome::Merged(IncidentId::incident(2)))),
            [
                "resolve",
                "resolve",
                "lines, resolve",
                "resolve",
                "what happened, as data, lines, resolve",
                "topic, pinned status",
                "resolved, resolved on a word",
            ],
        ),
        (
            "reopened",
            |story| {
                for step in [Phase::Resolved, Phase::Closed] {
                    story.say(phase(step));
                    settle(story);
                }
                story.say(phase(Phase::Triage));
            },
            [
                "resolve, reopen",
                "resolve, reopen",
                "lines, resolve, reopen",
                "resolve",
                "what happened, as data, lines, resolve, reopen",
                "topic, pinned status",
                "resolved, resolved on a word",
            ],
        ),
    ]
}

#[test]
fn each_change_reaches_each_system_as_the_table_says() {
    let mut wrong = Vec::new();
    for (name, change, expected) in table() {
        let cells = told(&mut everywhere(), change);
        for ((system, cell), expected) in SYSTEMS.iter().zip(&cells).zip(expected) {
            if cell != expected {
                wrong.push(format!("{name} in {system}: {cell:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
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
