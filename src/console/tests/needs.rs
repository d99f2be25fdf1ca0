//! A step that counts as done in name only, and the step that needs it.

use super::*;
use crate::console::overlay::{self, RunDialog};
use crate::incident::{PlaybookApproved, Purpose, RoleNamed, StepDone, StepRef, StepSkipped};

const BOOK: &str = r#"
service = "alipay"
name = "Alipay"
public-name = "Alipay"
owner = "Payments"
reviewed = 2026-09-01

[[steps]]
id = "drain"
title = "Drain the node"
look = "Look."
expect = "It is drained."
undo = "Undrain it."
do.command = { argv = ["mark", "drain"] }

[[steps]]
id = "restart"
title = "Restart the node"
look = "Look."
expect = "It answers."
undo = "Nothing."
do.command = { argv = ["mark", "restart"], needs = ["drain"] }

[[steps]]
id = "wipe"
title = "Wipe the node"
look = "Look."
expect = "It is empty."
undo = "Nothing."
do.command = { argv = ["mark", "wipe"], changes = true, needs = ["drain"] }
"#;

fn step(id: &str) -> StepRef {
    StepRef { service: "alipay".into(), step: id.into() }
}

fn desk() -> Desk {
    let mut catalogue = Catalogue::default();
    catalogue.take("alipay.toml", BOOK);
    assert!(catalogue.problems.is_empty(), "{:?}", catalogue.problems);
    let mut desk = Desk::open_with(Settings { catalogue, ..settings(Layout::Sme) }, (120, 40));
    let (role, holder) = (Role::Sme, "dana".into());
    desk.write("dana", Event::RoleTaken(RoleNamed { role, component: None, holder, reason: None, is_played: false }));
    let digest = desk.console.settings.catalogue.get("alipay").unwrap().digest();
    desk.write("dana", Event::PlaybookApproved(PlaybookApproved { service: "alipay".into(), digest }));
    desk
}

fn dialog(desk: &Desk, id: &str) -> RunDialog {
    overlay::with_values(&step(id), Purpose::Do, &BTreeMap::new(), &desk.console.view(desk.wall)).unwrap()
}

/// Starts the command of a step as if its dialog had been confirmed, and has it end.
fn run(desk: &mut Desk, id: &str, code: i32) {
    let order = dialog(desk, id).order;
    desk.console.settings.me = "dana".into();
    let mut effects = Vec::new();
    desk.console.command(Command::StartRun(order), None, desk.wall, &mut effects);
    let Some(Effect::Append { ticket, events, .. }) = effects.into_iter().next() else { panic!("{}", desk.said()) };
    desk.save(ticket, &events);
    desk.pass(60);
    desk.end_newest(code);
}

#[test]
fn what_was_only_ticked_or_skipped_is_needed_all_the_same_and_wants_a_word_that_says_so() {
    let ticked = Event::StepChecked(StepDone { step: step("drain"), title: "Drain the node".into() });
    let skipped = Event::StepSkipped(StepSkipped {
        step: step("drain"),
        title: "Drain the node".into(),
        reason: "no time".into(),
    });
    assert!(dialog(&desk(), "wipe").blocked.is_some(), "what was not done at all bars the way");
    for (event, failed, doubt) in [
        (ticked.clone(), false, "Drain the node was ticked by omid, and its command never ran"),
        (ticked, true, "Drain the node was ticked by omid, and its command ended with exit 3"),
        (skipped, false, "Drain the node was skipped by omid: no time"),
    ] {
        let mut desk = desk();
        if failed {
            run(&mut desk, "drain", 3);
        }
        desk.write("omid", event);
        // Also one that changes nothing and would start with Enter alone.
        for id in ["restart", "wipe"] {
            let dialog = dialog(&desk, id);
            assert_eq!(dialog.blocked, None, "{doubt}");
            assert!(dialog.notes.iter().any(|note| note.starts_with(doubt)), "{:?}", dialog.notes);
            assert!(dialog.word.contains("anyway"), "{id}: {}", dialog.word);
            assert_eq!(dialog.order.despite, [doubt], "the record says despite what");
        }
        run(&mut desk, "wipe", 0);
        let told: Vec<String> = desk.console.incident().timeline().lines().map(|line| line.text.to_string()).collect();
        assert!(told.iter().any(|line| line.contains(&format!("although {doubt}"))), "{told:?}");
    }
}

#[test]
fn what_really_ran_is_needed_without_another_word() {
    let mut desk = desk();
    run(&mut desk, "drain", 0);
    desk.write("omid", Event::StepChecked(StepDone { step: step("drain"), title: "Drain the node".into() }));
    let dialog = dialog(&desk, "wipe");
    assert!(dialog.order.despite.is_empty() && !dialog.word.contains("anyway"), "{}", dialog.word);
}
