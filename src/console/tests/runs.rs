//! Commands on the screen: what is shown is what starts, once, and nothing starts by accident.

use super::*;
use crate::console::runs::{RunAct, RunSaid};
use crate::incident::{CommandEnded, CommandStarted, Ending, RoleNamed, StepDone, StepRef};
use crate::text::CleanText;

pub(super) fn step(id: &str) -> StepRef {
    StepRef { service: "alipay".into(), step: id.into() }
}

/// A desk at a real incident on alipay, whose expert has done what comes before the rerouting.
pub(super) fn ready() -> Desk {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let holder = "dana".into();
    desk.write(
        "dana",
        Event::RoleTaken(RoleNamed { role: Role::Sme, component: None, holder, reason: None, is_played: false }),
    );
    let body = StepDone { step: step("backup-available"), title: "Is the backup provider available?".into() };
    desk.write("dana", Event::StepChecked(body));
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Char('3'));
    for _ in 0..4 {
        desk.keys("j");
    }
    desk
}

pub(super) fn starts(desk: &Desk) -> Vec<CommandStarted> {
    let started = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Run(_, RunAct::Start(body, _)) => Some((**body).clone()),
        _ => None,
    });
    started.collect()
}

#[test]
fn a_command_starts_only_after_form_dialog_and_typed_word_and_exactly_as_shown() {
    let mut desk = ready();
    desk.keys("e");
    assert!(desk.screen().contains("with what?"), "{}", desk.screen());
    desk.key(KeyCode::Enter);
    let shown = desk.screen();
    for words in ["flagctl set alipay.route backup --percent=10", "PRODUCTION", "type alipay and Enter", "percent = 10"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    desk.key(KeyCode::Enter);
    assert!(starts(&desk).is_empty() && desk.console.incident().runs.is_empty(), "Enter alone starts nothing");
    desk.tell(Msg::Input(InputEvent::Paste("alipay".to_owned())));
    desk.wall += TimeDelta::seconds(1);
    desk.key(KeyCode::Enter);
    assert!(starts(&desk).is_empty(), "a paste never confirms");
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    let started = starts(&desk);
    assert_eq!(started.len(), 1);
    assert_eq!(started[0].argv, ["flagctl", "set", "alipay.route", "backup", "--percent=10"]);
    assert_eq!(started[0], desk.console.incident().runs[0].order, "what starts is what is in the record");
    assert!(!started[0].stops_at_limit && started[0].changes);
    // It prints, on the screen beside everything else; it ends, and that stands in the record once.
    let run = desk.console.incident().runs[0].id;
    desk.tell(Msg::Run(run, RunSaid::Printed(CleanText::new("10 % routed\n"), 0)));
    assert!(desk.screen().contains("10 % routed"), "{}", desk.screen());
    let body = CommandEnded {
        run,
        ending: Ending::Exited(0),
        took_ms: 12_000,
        bytes: 12,
        dropped: 0,
        tail: "10 % routed\n".into(),
        left_running: false,
        left: Vec::new(),
        outcome: None,
        captured: None,
    };
    desk.tell(Msg::Run(run, RunSaid::Ended(body.clone())));
    desk.tell(Msg::Run(run, RunSaid::Ended(body)));
    assert_eq!(desk.console.incident().runs[0].ending(), Some(&Ending::Exited(0)));
    assert!(desk.console.incident().beaten.is_empty());
    assert!(starts(&desk).len() == 1, "nothing starts again by itself");
}

#[test]
fn a_value_that_would_be_an_option_stays_in_the_form() {
    let mut desk = ready();
    desk.keys("e");
    desk.key(KeyCode::Backspace);
    desk.key(KeyCode::Backspace);
    desk.keys("-1");
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("`-1` is no whole number from 1 to 100"), "{}", desk.screen());
}

#[test]
fn an_observer_and_somebody_without_the_role_run_nothing() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Char('3'));
    for _ in 0..4 {
        desk.keys("j");
    }
    desk.keys("e");
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("NOT NOW") && desk.screen().contains("Subject Matter Expert"), "{}", desk.screen());
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    assert!(starts(&desk).is_empty());
    desk.console.settings.access = Access::ReadOnly;
    desk.key(KeyCode::Esc);
    desk.keys("e");
    assert!(starts(&desk).is_empty() && desk.console.incident().runs.is_empty());
}

#[test]
fn without_a_journal_that_takes_entries_nothing_runs() {
    let mut desk = ready();
    desk.tell(Msg::Journal(JournalMsg::Unwritable("disk full".into())));
    desk.keys("e");
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("NOT NOW"), "{}", desk.screen());
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    assert!(starts(&desk).is_empty());
}

#[test]
fn who_comes_back_follows_what_still_runs_and_never_starts_it() {
    let mut desk = ready();
    desk.keys("e");
    desk.key(KeyCode::Enter);
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    let id = desk.console.incident().id();
    let run = desk.console.incident().runs[0].id;
    let mut back = Desk::with(Settings { console: "another".into(), ..settings(Layout::Sme) }, (120, 40));
    back.effects.clear();
    for msg in [JournalMsg::Opened(id), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        back.tell(Msg::Journal(msg));
    }
    assert!(starts(&back).is_empty());
    let follows = back.effects.iter().filter(|effect| matches!(effect, Effect::Run(_, RunAct::Follow(_))));
    assert_eq!(follows.count(), 1);
    back.tell(Msg::Run(run, RunSaid::Printed("one\ntwo\n".into(), 0)));
    back.key(KeyCode::Esc);
    back.key(KeyCode::Char('9'));
    assert!(back.screen().contains("two"), "{}", back.screen());
}

#[test]
fn a_waiting_step_is_held_against_what_the_sources_measured_and_only_that() {
    let mut desk = ready();
    desk.keys("Ge");
    assert!(desk.said().contains("nobody answered it yet"), "{}", desk.said());
    desk.report();
    desk.keys("e");
    let (_, answer) = &desk.console.incident().answers[&step("confirm-recovery")];
    assert!(answer.answer.contains("expected < 0.8 for 10m"), "{}", answer.answer);
    assert!(answer.holds.is_some());
    desk.pass(120);
    desk.keys("e");
    assert!(desk.said().contains("not fresh"), "{}", desk.said());
}

#[test]
fn a_verify_step_of_the_playbook_is_part_of_the_proof() {
    let text = crate::playbook::SHIPPED[0].1.replace("do.wait = ", "do.verify = ");
    let mut catalogue = Catalogue::shipped();
    catalogue.take("alipay.toml", &text);
    let mut desk = Desk::open_with(Settings { catalogue, ..settings(Layout::Ic) }, (120, 40));
    let line = |desk: &Desk| {
        let proof = desk.console.proof(desk.wall);
        proof.into_iter().find(|line| *line.what == *"alipay Confirm that payments flow again").unwrap()
    };
    assert!(!line(&desk).met, "what nobody measured proves nothing");
    desk.report();
    assert!(line(&desk).seen.contains("expected < 0.8 for 10m"), "{}", line(&desk).seen);
}

#[test]
fn the_proof_in_the_form_of_the_end_is_never_older_than_the_screen() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys(":resolve");
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("alipay p99 latency: nobody answered it yet"), "{}", desk.screen());
    desk.report();
    let screen = desk.screen();
    assert!(screen.contains("final status") && !screen.contains("alipay p99 latency: nobody"), "{screen}");
    // Nothing came for a quarter of an hour: what was measured then proves nothing now.
    desk.pass(900);
    assert!(desk.screen().contains("alipay p99 latency: the newest value is not fresh"), "{}", desk.screen());
}

#[test]
fn the_output_pane_goes_along_with_the_run_that_takes_it_and_names_the_file_of_what_has_left_it() {
    let mut desk = ready();
    desk.keys("e");
    desk.key(KeyCode::Enter);
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    let first = desk.console.incident().runs[0].id;
    let lines: String = (0..60).map(|number| format!("first {number}\n")).collect();
    desk.tell(Msg::Run(first, RunSaid::Printed(CleanText::new(&lines), 0)));
    // Somebody reads above the end.
    for _ in 0..4 {
        desk.key(KeyCode::PageUp);
    }
    assert!(!desk.screen().contains("first 59"), "{}", desk.screen());
    let body = CommandEnded {
        run: first,
        ending: Ending::Exited(0),
        took_ms: 12_000,
        bytes: 12,
        dropped: 0,
        tail: "first 59\n".into(),
        left_running: false,
        left: Vec::new(),
        outcome: None,
        captured: None,
    };
    desk.tell(Msg::Run(first, RunSaid::Ended(body)));
    desk.key(KeyCode::Esc);
    desk.keys("3e");
    desk.key(KeyCode::Enter);
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    let runs = &desk.console.incident().runs;
    assert_eq!(runs.len(), 2, "{}", desk.screen());
    let second = runs[1].id;
    desk.tell(Msg::Run(second, RunSaid::Printed("second line\n".into(), 0)));
    let screen = desk.screen();
    assert!(screen.contains("second line") && !screen.contains("first 10"), "it follows the new run: {screen}");
    // Of much output the beginning is only in the file, and the pane says in which and how it is opened.
    desk.tell(Msg::Run(second, RunSaid::File("/state/INC-1.runs/2/output".into())));
    let much: String = (0..12_000).map(|number| format!("much {number}\n")).collect();
    desk.tell(Msg::Run(second, RunSaid::Printed(CleanText::new(&much), 0)));
    desk.key(KeyCode::Char('9'));
    desk.keys("z");
    assert!(desk.screen().contains("much 11999"), "{}", desk.screen());
    desk.key(KeyCode::Home);
    let screen = desk.screen();
    assert!(screen.contains("the lines before stand in /state/INC-1.runs/2/output (o opens it)"), "{screen}");
    desk.effects.clear();
    desk.keys("o");
    assert!(desk.effects.iter().any(|effect| matches!(effect, Effect::Page(_))), "{:?}", desk.effects);
}

#[test]
fn after_the_way_back_nobody_is_told_to_tick_the_step() {
    let mut desk = ready();
    desk.keys("e");
    desk.key(KeyCode::Enter);
    desk.wall += TimeDelta::seconds(1);
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    let there = starts(&desk)[0].clone();
    let end = |run| CommandEnded {
        run,
        ending: Ending::Exited(0),
        took_ms: 12_000,
        bytes: 0,
        dropped: 0,
        tail: "".into(),
        left_running: false,
        left: Vec::new(),
        outcome: None,
        captured: None,
    };
    let run = desk.console.incident().runs[0].id;
    desk.tell(Msg::Run(run, RunSaid::Ended(end(run))));
    assert!(desk.said().contains("does the expected result hold?"), "{}", desk.said());
    desk.write("dana", Event::CommandStarted(CommandStarted { purpose: crate::incident::Purpose::Undo, ..there }));
    let back = desk.console.incident().runs[1].id;
    desk.tell(Msg::Run(back, RunSaid::Ended(end(back))));
    assert!(desk.said().contains("the step is taken back: look whether all is as it was before"), "{}", desk.said());
}
