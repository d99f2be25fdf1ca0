//! What others did elsewhere: asked for by one console, noted once, stopping nothing.

use super::*;
use crate::channel::spec::tracker;
use crate::incident::{
    Act, DeliveryMoved, DeliveryQueued, DeliveryState, EntryId, FollowUpState, ForeignNoted, News, NoteAdded, NoteKind,
    Opened, Severity, Watched,
};
use crate::pane::Present;
use crate::reach::{Place, Reach};

fn reach() -> Reach {
    Reach { trackers: vec![tracker("jira", Place::One("OPS".into())).unwrap()], ..Reach::default() }
}

/// A console on an incident whose ticket is there.
fn desk(here: &[&str]) -> Desk {
    let mut desk = Desk::open_with(Settings { reach: reach(), ..settings(Layout::Ic) }, (120, 40));
    let opened = Opened { title: "x".into(), severity: Severity::Sev2, alerts: [].into(), linked: Vec::new() };
    let body = DeliveryQueued {
        service: "jira".into(),
        target: "OPS".into(),
        act: Act::Open(opened),
        ..DeliveryQueued::default()
    };
    desk.write_as("bob", "c0", Event::DeliveryQueued(body));
    let id = desk.console.incident().deliveries[0].id;
    for (step, to) in [DeliveryState::Sending, DeliveryState::Sent("OPS-1".into())].into_iter().enumerate() {
        let body = DeliveryMoved { delivery: id, step: step as u32, to, is_routine: false };
        desk.write_as("bob", "c0", Event::DeliveryMoved(body));
    }
    let of_c0 = desk.left_by("c0");
    desk.tell(Msg::Journal(JournalMsg::WrittenBeside(of_c0)));
    let here = here.iter().map(|name| Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: (*name).into(),
        looks_only: false,
        is_dry: false,
    });
    desk.tell(Msg::Journal(JournalMsg::Present(here.collect())));
    desk
}

fn asked(desk: &Desk) -> Vec<Watched> {
    let asked = desk.effects.iter().filter_map(|effect| match effect {
        Effect::AskNews(watched) => Some(watched.clone()),
        _ => None,
    });
    asked.collect()
}

fn news(text: &str, closes: Option<EntryId>) -> Msg {
    let noted = ForeignNoted {
        service: "jira".into(),
        key: "OPS-1/Done".into(),
        who: "eve".into(),
        at: at(30),
        text: text.into(),
        link: None,
        answers: None,
    };
    Msg::News("jira".into(), Ok(vec![News { noted, closes }]))
}

fn lines(desk: &Desk) -> Vec<String> {
    let incident = desk.console.incident();
    let noted = incident.timeline().lines().filter(|line| line.tag == "in");
    noted.map(|line| format!("{}: {}", line.actor, line.text)).collect()
}

#[test]
fn one_console_of_those_that_are_here_asks_and_again_after_a_pause() {
    let mut first = desk(&["c1", "c2"]);
    first.pass(1);
    assert_eq!(asked(&first).len(), 1);
    first.pass(15);
    assert_eq!(asked(&first).len(), 1);
    first.pass(10);
    assert_eq!(asked(&first).len(), 2);
    assert_eq!(asked(&first)[0].remote.id, "OPS-1");
    let mut second = desk(&["c0", "c1"]);
    second.pass(60);
    assert_eq!(asked(&second), [], "the other one does");
}

#[test]
fn what_is_told_twice_is_noted_once_and_what_was_changed_there_is_amended_here() {
    let mut desk = desk(&["c1"]);
    desk.tell(news("OPS-1 is Done now", None));
    desk.tell(news("OPS-1 is Done now", None));
    assert_eq!(lines(&desk), ["eve (Jira): jira: OPS-1 is Done now"]);
    // Another console saw it at the same moment.
    let Msg::News(_, Ok(told)) = news("OPS-1 is Done now", None) else { unreachable!() };
    desk.write_as("bob", "c0", Event::ForeignNoted(told[0].noted.clone()));
    assert_eq!(lines(&desk).len(), 1);
    for _ in 0..2 {
        desk.tell(news("OPS-1 is Closed now", None));
        assert_eq!(lines(&desk), ["eve (Jira): OPS-1 is Closed now"]);
    }
    let amended = desk.console.incident().timeline().lines().find(|line| line.tag == "in").unwrap().amended;
    assert_eq!(amended.map(|(times, _)| times), Some(1));
    assert!(desk.console.incident().acknowledged.is_none(), "no clock is stopped by it");
}

#[test]
fn what_was_sent_from_here_is_no_news() {
    let mut desk = desk(&["c1"]);
    let text = "All payments work again.";
    let sent = DeliveryQueued {
        service: "jira".into(),
        target: "OPS".into(),
        act: Act::Resolve,
        text: text.into(),
        ..DeliveryQueued::default()
    };
    desk.write_as("bob", "c0", Event::DeliveryQueued(sent));
    desk.tell(news(&format!("resolved: {text}"), None));
    assert_eq!(lines(&desk), [""; 0]);
}

#[test]
fn a_follow_up_whose_ticket_is_done_is_done() {
    let mut desk = desk(&["c1"]);
    desk.write("dana", Event::NoteAdded(NoteAdded { kind: NoteKind::Todo, text: "raise the limit".into(), at: None }));
    let item = desk.console.incident().follow_ups[0].id;
    desk.tell(news("OPS-1 is Done now", Some(item)));
    assert_eq!(desk.console.incident().follow_ups[0].state, FollowUpState::Done);
}

/// However many tickets and follow-ups there are, a system of an incident in which nothing happens is asked seldom, and each of its things has its turn.
#[test]
fn a_quiet_incident_asks_a_system_seldom_and_each_thing_in_turn() {
    let mut desk = desk(&["c1"]);
    for number in 0..25 {
        let body = crate::incident::FollowUpSet { what: Some("x".into()), ..Default::default() };
        let item = desk.write_as("bob", "c0", Event::FollowUpSet(body));
        let body = DeliveryQueued {
            service: "jira".into(),
            target: "OPS".into(),
            act: Act::Ticket(item),
            ..DeliveryQueued::default()
        };
        let id = desk.write_as("bob", "c0", Event::DeliveryQueued(body));
        let remote = format!("OPS-{}", number + 2);
        for (step, to) in [DeliveryState::Sending, DeliveryState::Sent(remote.as_str().into())].into_iter().enumerate()
        {
            let body = DeliveryMoved { delivery: id, step: step as u32, to, is_routine: false };
            desk.write_as("bob", "c0", Event::DeliveryMoved(body));
        }
    }
    // Each is known to be ours: a process of this account wrote the systems' answers.
    let of_c0 = desk.left_by("c0");
    desk.tell(Msg::Journal(JournalMsg::WrittenBeside(of_c0)));
    let mut times = Vec::new();
    let mut seen = desk.effects.len();
    let mut things = std::collections::BTreeSet::new();
    for _ in 0..30 * 60 / 5 {
        desk.pass(5);
        for effect in &desk.effects[seen..] {
            if let Effect::AskNews(watched) = effect {
                times.push(desk.wall);
                things.insert(watched.remote.id.clone());
            }
        }
        seen = desk.effects.len();
    }
    assert_eq!(things.len(), 26, "{things:?}");
    for (first, at) in times.iter().enumerate() {
        let within = times[first..].iter().take_while(|other| **other - *at < TimeDelta::minutes(1)).count();
        // Each is three requests at most.
        assert!(within <= 6, "{within} in a minute");
    }
}
