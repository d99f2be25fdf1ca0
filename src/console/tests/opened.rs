//! Another record and back: what belongs to a record goes with it.

use super::*;
use crate::incident::{DrillStarted, Duty, Progress, StepDone, StepRef};

fn opens(desk: &mut Desk, id: IncidentId, entries: Vec<Entry>) {
    desk.id = id;
    for msg in [JournalMsg::Opened(id), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        desk.tell(Msg::Journal(msg));
    }
}

fn told(desk: &Desk) -> Vec<Progress> {
    let told = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Progress(progress) => Some(progress.clone()),
        _ => None,
    });
    told.collect()
}

#[test]
fn another_record_and_back_leaves_the_world_of_a_drill_where_it_was_and_its_time_goes_on() {
    let (drill, other) = (IncidentId::drill(1), IncidentId::incident(1));
    let mut desk = Desk::open_record(drill, settings(Layout::Ic), (120, 40));
    let started = DrillStarted {
        exercise: "alipay-timeout-storm".into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: None,
        staging: None,
    };
    desk.write("bob", Event::DrillStarted(started.clone()));
    let step = StepRef { service: "alipay".into(), step: "backup-available".into() };
    desk.write("dana", Event::StepChecked(StepDone { step, title: "Is the backup provider available?".into() }));
    desk.pass(300);
    let before = told(&desk).pop().unwrap();
    assert!(!before.done.is_empty());
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    let elsewhere = Desk::open(Layout::Ic, (120, 40)).console.incident().entries().cloned().collect();
    opens(&mut desk, other, elsewhere);
    desk.pass(60);
    desk.effects.clear();
    opens(&mut desk, drill, entries);
    assert!(desk.effects.contains(&Effect::Simulate(started)));
    // The world is built anew, and hears all that it knew; its clock is that of the record, which did not stop.
    assert_eq!(told(&desk).pop(), Some(before));
}

#[test]
fn nothing_that_was_learnt_told_or_asked_of_one_record_is_so_of_the_next() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let (wall, console) = (desk.wall, &mut desk.console);
    console.away_since = Some(wall);
    console.next_wait = Some(wall);
    console.offered.insert("a version".into());
    console.rung.insert(Duty::Acknowledge);
    console.followed.insert(EntryId { rid: 1, rseq: 1 });
    console.past_of.push("alipay".into());
    console.deferred.push_back((Command::Acknowledge, None));
    console.record.damage.push("damaged".into());
    console.outputs.of(EntryId { rid: 1, rseq: 1 }).take(&"x".into(), 0, wall);
    console.span = TimeDelta::hours(3);
    desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(2))));
    let Console { away_since, next_wait, offered, rung, followed, past_of, deferred, record, .. } = &desk.console;
    assert_eq!((away_since, next_wait, offered.len(), rung.len(), followed.len()), (&None, &None, 0, 0, 0));
    assert_eq!(
        (past_of.len(), deferred.len(), record.damage.len(), record.id),
        (0, 0, 0, Some(IncidentId::incident(2)))
    );
    assert_eq!(desk.console.span, TimeDelta::hours(3), "how far somebody looks back is theirs");
}
