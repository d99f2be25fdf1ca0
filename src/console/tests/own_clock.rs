//! A console whose own clock is off, and others have said so.

use super::*;
use crate::incident::{ClockJumped, ClockSkewed, NoteAdded, NoteKind, TaskAssigned};

/// A desk whose clock is three minutes ahead, before anybody knows; what others write carries the right time.
pub(super) fn ahead() -> Desk {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.report();
    desk.wall += TimeDelta::seconds(180);
    desk.report();
    desk
}

/// That this console's clock is that far ahead.
pub(super) fn skewed() -> Event {
    Event::ClockSkewed(ClockSkewed { console: "c1".into(), ahead_ms: 180_000 })
}

/// Somebody whose clock is right writes at this moment.
pub(super) fn elsewhere(desk: &mut Desk, event: Event) {
    let own = desk.wall;
    desk.wall -= TimeDelta::seconds(180);
    desk.rseq += 1;
    desk.hlc = desk.hlc.next(desk.wall);
    let mut entry = desk.console.incident().entries().last().unwrap().clone();
    entry.id.rseq = desk.rseq;
    (entry.hlc, entry.wall, entry.event) = (desk.hlc, desk.wall, event);
    (entry.actor, entry.via) = ("bob".into(), Via { console: "elsewhere".into(), ..Via::default() });
    desk.wall = own;
    desk.tell(Msg::Journal(JournalMsg::Entries(vec![entry])));
}

#[test]
fn countdowns_entries_and_ages_are_right_once_another_console_has_said_how_far_ahead_it_is() {
    let mut desk = ahead();
    // Declared 60 s after detection; acknowledged is due 5 min after detection: the own clock says 1:00 left.
    assert!(desk.screen().contains("1 min soon  acknowledge"), "{}", desk.screen());
    elsewhere(&mut desk, skewed());
    let screen = desk.screen();
    assert!(screen.contains("4 min       acknowledge"), "{screen}");
    assert!(!screen.contains("STALE") && !screen.contains("NO DATA"), "{screen}");
    let wake = desk.console.next_wake().unwrap();
    assert!(wake > desk.wall && wake <= desk.wall + TimeDelta::seconds(1), "{wake} {}", desk.wall);
    // What is written here stands at the right time, the times inside too.
    let (now, right) = (desk.wall, desk.wall - TimeDelta::seconds(180));
    let call_back = right + TimeDelta::minutes(5);
    let task = TaskAssigned { to: "bob".into(), what: "look".into(), call_back };
    desk.console.command(Command::AssignTask(task), None, right, &mut Vec::new());
    let append = desk
        .console
        .request(Command::AddNote(NoteAdded { kind: NoteKind::Note, text: "a line".into(), at: Some(right) }), now);
    let Ok(Effect::Append { events, .. }) = append else { panic!("{append:?}") };
    for event in events {
        desk.write_as("dana", "c1", event);
    }
    let incident = desk.console.incident();
    let line = incident.timeline().lines().find(|line| *line.text == *"a line").unwrap();
    assert_eq!((line.at, line.entered), (right, right));
    // Data ages from when it came, not from when the clock was understood.
    desk.wall += TimeDelta::seconds(40);
    desk.tell(Msg::Wake);
    assert!(desk.screen().contains("STALE"), "{}", desk.screen());
}

#[test]
fn a_clock_that_is_set_right_again_is_right_at_once_and_makes_nothing_old_look_new() {
    let mut desk = ahead();
    elsewhere(&mut desk, skewed());
    desk.screen();
    desk.wall -= TimeDelta::seconds(180);
    desk.tell(Msg::ClockJumped(TimeDelta::seconds(-180)));
    let jumped = Event::ClockJumped(ClockJumped { by_ms: -180_000 });
    assert!(desk.console.incident().entries().any(|entry| entry.event == jumped));
    assert!(desk.screen().contains("4 min       acknowledge"), "{}", desk.screen());
    desk.wall += TimeDelta::seconds(40);
    desk.tell(Msg::Wake);
    assert!(desk.screen().contains("STALE"), "{}", desk.screen());
}

#[test]
fn a_console_that_says_itself_that_its_clock_is_off_is_not_told_of_by_those_who_read_that() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let here = ["c1", "elsewhere"].map(|name| crate::pane::Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: name.into(),
        looks_only: false,
        is_dry: false,
    });
    desk.tell(Msg::Journal(JournalMsg::Present(here.into())));
    let asked = |desk: &Desk| {
        let is_skew = |effect: &&Effect| matches!(effect, Effect::Append { events, .. } if matches!(events[..], [Event::ClockSkewed(_)]));
        desk.effects.iter().filter(is_skew).count()
    };
    let lines = |desk: &Desk| {
        desk.console
            .incident()
            .timeline()
            .lines()
            .filter(|line| line.text.contains("is read without that") || line.tag == "clock")
            .count()
    };
    desk.wall += TimeDelta::minutes(10);
    let skewed = Event::ClockSkewed(ClockSkewed { console: "elsewhere".into(), ahead_ms: 600_000 });
    let own = desk.stamped("bob", "elsewhere", skewed.clone());
    desk.wall -= TimeDelta::minutes(10);
    desk.tell(Msg::Journal(JournalMsg::Entries(vec![own])));
    assert_eq!((asked(&desk), lines(&desk)), (0, 1));
    // Where both found out at once it stands there once.
    desk.write_as("dana", "c1", skewed);
    assert_eq!(lines(&desk), 1);
}
