//! The version of a playbook that an incident goes by.

use super::*;
use crate::incident::{StepDone, StepEnd, StepRef};
use crate::pane::{History, Past};
use crate::playbook::Playbook;

fn step(id: &str) -> StepRef {
    StepRef { service: "alipay".into(), step: id.into() }
}

/// The shipped playbook with another title for its first step.
fn changed() -> Catalogue {
    let text = crate::playbook::SHIPPED[0].1;
    let title = &Playbook::parse("x", text).unwrap().steps[0].title;
    let mut catalogue = Catalogue::shipped();
    catalogue.take("alipay.toml", &text.replacen(title.as_str(), "Look at the new dashboard", 1));
    assert_eq!(catalogue.problems, Vec::<String>::new());
    catalogue
}

fn frozen(desk: &Desk) -> usize {
    desk.console.incident().entries().filter(|entry| matches!(entry.event, Event::PlaybookFrozen(_))).count()
}

#[test]
fn the_first_step_that_somebody_touches_fixes_the_version_and_a_changed_file_waits_for_a_yes() {
    let mut desk = Desk::open(Layout::Sme, (120, 40));
    desk.key(KeyCode::Esc);
    desk.keys("n note");
    desk.key(KeyCode::Enter);
    assert_eq!(frozen(&desk), 0, "a note fixes nothing");
    desk.key(KeyCode::Esc);
    desk.keys("3cx");
    assert_eq!(frozen(&desk), 1, "once, whatever comes after");
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    // Another console was started after the file was changed: it shows what the incident goes by, and that there is more.
    let mut late = Desk::with(Settings { catalogue: changed(), ..settings(Layout::Sme) }, (120, 40));
    late.rseq = desk.rseq;
    late.hlc = desk.hlc;
    late.wall = desk.wall;
    for msg in [JournalMsg::Opened(IncidentId::incident(1)), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        late.tell(Msg::Journal(msg));
    }
    let screen = late.screen();
    assert!(!screen.contains("Look at the new") && screen.contains("CHANGED"), "{screen}");
    late.key(KeyCode::Esc);
    late.keys("3t");
    let screen = late.screen();
    assert!(screen.contains("was changed while this incident goes by it"), "{screen}");
    late.keys("2");
    let screen = late.screen();
    assert!(screen.contains("+ title = \"Look at the new dashboard\""), "{screen}");
    late.key(KeyCode::Esc);
    assert!(!late.screen().contains("1 Look at the new"), "reading changes nothing");
    late.keys("t3");
    assert_eq!(frozen(&late), 2);
    let screen = late.screen();
    assert!(screen.contains("Look at the new") && !screen.contains("CHANGED"), "{screen}");
    // Its commands wait for an approval of their own, which shows what differs from the shipped one.
    late.keys("t");
    let screen = late.screen();
    assert!(screen.contains("may the playbook of alipay run") && screen.contains("read what differs"), "{screen}");
}

#[test]
fn in_a_drill_the_files_count_as_they_are_and_nothing_is_fixed() {
    let mut desk = Desk::with(settings(Layout::Sme), (120, 40));
    desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(1))));
    let started = crate::incident::DrillStarted {
        exercise: EXERCISE.into(),
        seed: 1,
        start: desk.wall,
        speed: 1.0,
        source: None,
        staging: None,
    };
    desk.write("dana", Event::DrillStarted(started));
    desk.write("dana", declared());
    desk.tell(Msg::Journal(JournalMsg::CaughtUp));
    desk.console.command(
        Command::CheckStep(StepDone { step: step("namespace-latency"), title: "x".into() }),
        None,
        desk.wall,
        &mut Vec::new(),
    );
    assert_eq!(frozen(&desk), 0);
}

#[test]
fn how_a_step_ended_in_the_last_incidents_stands_beside_it() {
    let mut desk = Desk::open(Layout::Sme, (120, 40));
    let first = desk.console.settings.catalogue.get("alipay").unwrap().steps[0].id.clone();
    let past = |number, end| Past {
        id: IncidentId::incident(number),
        title: "as before".into(),
        at: at(0),
        ended_by: "a restart".into(),
        steps: [(step(&first), end)].into(),
    };
    let failed = StepEnd::Failed("exit 3".into());
    let earlier = vec![past(9, failed), past(8, StepEnd::Done)];
    desk.tell(Msg::Past(History { earlier: earlier.clone(), unread: None }));
    let screen = desk.screen();
    assert!(screen.contains("before  INC-9 FAILED: exit 3 · INC-8 done") && !screen.contains("not all"), "{screen}");
    desk.tell(Msg::Past(History { earlier, unread: Some("INC-7 cannot be read: permission denied".into()) }));
    desk.key(KeyCode::Esc);
    desk.keys("6z");
    assert!(desk.screen().contains(&format!("a restart; alipay/{first} failed")), "{}", desk.screen());
    assert!(desk.screen().contains("not all is known: INC-7 cannot be read"), "{}", desk.screen());
}
