//! What fills the placeholders of a command, over everything that can happen to a step: done, repeated, taken back, on this console, on another one,
//! after a restart.

use std::collections::BTreeMap;

use super::*;
use crate::console::overlay::{self, RunDialog};
use crate::incident::{PlaybookApproved, Purpose, RoleNamed, StepRef};

const BOOK: &str = r#"
service = "alipay"
name = "Alipay"
public-name = "Alipay"
owner = "Payments"
reviewed = 2026-09-01

[[steps]]
id = "drain"
title = "Drain a node"
look = "Look."
expect = "It is drained."
undo = "Undrain it."
do.command.argv = ["mark", "drain-{node}", "{zone}", "--n={count}", "{tag}"]
do.command.undo = ["mark", "undrain-{node}", "{zone}", "--n={count}", "{tag}"]
do.command.changes = true
do.command.parameters.node = { word = "-", default = "node-1" }
do.command.parameters.zone = { one-of = ["a", "b\tc  d"], default = "a" }
do.command.parameters.count = { int = [1, 9], default = "1" }
do.command.parameters.tag = { fill = "{incident}" }
"#;

pub(super) fn drain() -> StepRef {
    StepRef { service: "alipay".into(), step: "drain".into() }
}

pub(super) fn with_book(console: &str) -> Settings {
    let mut catalogue = Catalogue::default();
    catalogue.take("alipay.toml", BOOK);
    assert!(catalogue.problems.is_empty(), "{:?}", catalogue.problems);
    Settings { catalogue, console: console.into(), ..settings(Layout::Sme) }
}

/// A desk whose expert has approved the playbook.
fn desk() -> Desk {
    let mut desk = Desk::open_with(with_book("c1"), (120, 40));
    let holder = "dana".into();
    desk.write(
        "dana",
        Event::RoleTaken(RoleNamed { role: Role::Sme, component: None, holder, reason: None, is_played: false }),
    );
    let digest = desk.console.settings.catalogue.get("alipay").unwrap().digest();
    desk.write("dana", Event::PlaybookApproved(PlaybookApproved { service: "alipay".into(), digest }));
    desk
}

/// Another console on the same record, which reads all of it anew.
fn another(desk: &Desk, name: &str) -> Desk {
    let mut other = Desk::with(with_book(name), (120, 40));
    other.wall = desk.wall;
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    for msg in [JournalMsg::Opened(desk.id), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        other.tell(Msg::Journal(msg));
    }
    other
}

fn shown(desk: &Desk, purpose: Purpose, said: &[(&str, &str)]) -> Result<RunDialog, String> {
    let given: BTreeMap<_, _> = said.iter().map(|(name, value)| ((*name).into(), Exact::new(value))).collect();
    overlay::with_values(&drain(), purpose, &given, &desk.console.view(desk.wall))
}

fn run(desk: &mut Desk, purpose: Purpose, said: &[(&str, &str)], code: i32) {
    let dialog = shown(desk, purpose, said).unwrap();
    assert_eq!(dialog.blocked, None);
    desk.console.settings.me = "dana".into();
    let effects = {
        let mut effects = Vec::new();
        desk.console.command(Command::StartRun(dialog.order), None, desk.wall, &mut effects);
        effects
    };
    let Some(Effect::Append { ticket, events, .. }) = effects.into_iter().next() else { panic!("{}", desk.said()) };
    desk.save(ticket, &events);
    desk.pass(60);
    desk.end_newest(code);
    desk.pass(60);
}

const SAID: [(&str, &str); 3] = [("node", "node-7"), ("zone", "b\tc  d"), ("count", "9")];

#[test]
fn undo_and_repetition_begin_with_what_the_run_used_on_every_console_and_say_so() {
    let mut desk = desk();
    let first = shown(&desk, Purpose::Do, &[]).unwrap();
    assert_eq!(
        first.filled,
        [
            "node = node-1 (the playbook's default)",
            "zone = a (the playbook's default)",
            "count = 1 (the playbook's default)",
            "tag = INC-1 (from the record)"
        ]
    );
    let said = shown(&desk, Purpose::Do, &SAID).unwrap();
    assert!(said.filled[..3].iter().all(|line| line.ends_with("(as you said)")), "{:?}", said.filled);
    assert!(shown(&desk, Purpose::Undo, &[]).is_err(), "nothing was done yet: no default stands in for it");
    let at = desk.console.view(desk.wall).minute(desk.wall);
    run(&mut desk, Purpose::Do, &SAID, 0);
    let (second, restarted) = (another(&desk, "c2"), another(&desk, "c1"));
    for (where_, desk) in [("here", &desk), ("second console", &second), ("after a restart", &restarted)] {
        for (purpose, program) in [(Purpose::Do, "drain-node-7"), (Purpose::Undo, "undrain-node-7")] {
            let dialog = shown(desk, purpose, &[]).unwrap();
            assert_eq!(dialog.order.argv, ["mark", program, "b\tc  d", "--n=9", "INC-1"], "{where_} {purpose:?}");
            let origin = format!("(from the run at {at})");
            assert!(dialog.filled[..3].iter().all(|line| line.ends_with(&origin)), "{where_}: {:?}", dialog.filled);
            assert_eq!(dialog.filled[3], "tag = INC-1 (from the record)");
        }
    }
}

#[test]
fn the_form_begins_with_what_the_run_used_and_gives_it_back_to_the_letter() {
    let mut desk = desk();
    run(&mut desk, Purpose::Do, &SAID, 0);
    desk.key(KeyCode::Esc);
    desk.keys("3-");
    let screen = desk.screen();
    assert!(screen.contains(r"zone: a, $'b\tc  d'") && screen.contains("count: 1 to 9"), "what may be said: {screen}");
    assert!(screen.contains("node = node-7 (from the run at") && screen.contains(r"zone = $'b\tc  d'"), "{screen}");
    for _ in 0..3 {
        desk.key(KeyCode::Enter);
    }
    let screen = desk.screen();
    assert!(screen.contains(r"mark undrain-node-7 $'b\tc  d' --n=9 INC-1"), "{screen}");
}

#[test]
fn several_runs_are_taken_back_from_the_newest_and_the_others_are_named() {
    let mut desk = desk();
    run(&mut desk, Purpose::Do, &SAID, 0);
    run(&mut desk, Purpose::Do, &[("node", "node-8")], 0);
    let dialog = shown(&desk, Purpose::Undo, &[]).unwrap();
    assert_eq!(dialog.order.argv[1], "undrain-node-8");
    assert!(dialog.notes.iter().any(|note| note.contains("not taken back") && note.contains("node = node-7")));
    // A way back that failed took nothing back.
    run(&mut desk, Purpose::Undo, &[], 1);
    assert_eq!(shown(&desk, Purpose::Undo, &[]).unwrap().order.argv[1], "undrain-node-8");
    run(&mut desk, Purpose::Undo, &[], 0);
    let last = desk.console.incident().timeline().lines().last().unwrap().text.to_string();
    assert!(last.starts_with("UNDO Drain a node: exit 0"), "no end of the step itself: {last}");
    assert_eq!(shown(&desk, Purpose::Undo, &[]).unwrap().order.argv[1], "undrain-node-7");
    run(&mut desk, Purpose::Undo, &[], 0);
    let why = shown(&desk, Purpose::Undo, &[]).err().unwrap();
    assert!(why.contains("wants a value"), "{why}");
}

#[test]
fn the_way_back_of_a_run_of_an_older_build_asks_for_every_value() {
    let mut desk = desk();
    let old = crate::incident::CommandStarted {
        values: BTreeMap::new(),
        step: Some(drain()),
        ..shown(&desk, Purpose::Do, &SAID).unwrap().order
    };
    desk.write("dana", Event::CommandStarted(old));
    desk.end_newest(0);
    for missing in ["node", "zone", "count"] {
        let others: Vec<_> = SAID.into_iter().filter(|(name, _)| *name != missing).collect();
        let why = shown(&desk, Purpose::Undo, &others).err().unwrap();
        assert!(why.starts_with(&format!("{missing} wants a value")), "{why}");
    }
    desk.key(KeyCode::Esc);
    desk.keys("3-");
    let screen = desk.screen();
    assert!(screen.contains("with what?") && !screen.contains("node-1") && !screen.contains("default"), "{screen}");
}

#[test]
fn a_dry_run_shows_what_would_have_run_and_runs_nothing_whatever_leads_to_it() {
    let mut desk = desk();
    desk.console.settings.reach.is_dry = true;
    let mut dialog = shown(&desk, Purpose::Do, &SAID).unwrap();
    dialog.is_printed();
    assert!(dialog.notes.iter().any(|note| note.starts_with("--dry-run: nothing runs")), "{:?}", dialog.notes);
    let order = dialog.order.clone();
    for command in dialog.confirm("alipay", &desk.console.view(desk.wall)).unwrap() {
        assert!(matches!(command, Command::AnswerStep(_)), "{command:?}");
        desk.console.command(command, None, desk.wall, &mut desk.effects);
    }
    let written = desk.effects.iter().any(
        |effect| matches!(effect, Effect::Append { events, .. } if format!("{events:?}").contains("dry run: mark drain-node-7")),
    );
    assert!(written, "what would have run is written down");
    // The boundary itself: a start that came from anywhere is refused.
    let mut effects = Vec::new();
    desk.console.own = std::mem::take(&mut desk.console.own).of_next_record();
    desk.console.command(Command::StartRun(order.clone()), None, desk.wall, &mut effects);
    assert!(effects.is_empty() && desk.said().contains("--dry-run: nothing runs"), "{}", desk.said());
    assert!(desk.console.request(Command::StartRun(order), desk.wall).is_err());
    assert!(desk.console.incident().runs.is_empty());
}

#[test]
fn an_approval_covers_the_bytes_of_a_file_and_a_changed_comment_line_end_or_mark_wants_another() {
    let mut desk = desk();
    let before = shown(&desk, Purpose::Do, &[]).unwrap();
    assert_eq!(before.blocked, None);
    let load = |desk: &mut Desk, text: &str| {
        let mut catalogue = Catalogue::default();
        catalogue.take("alipay.toml", text);
        assert_eq!(catalogue.problems, Vec::<String>::new());
        desk.tell(Msg::Catalogue(Box::new(catalogue)));
    };
    for changed in [
        format!("{BOOK}# nothing else was changed\n"),
        BOOK.replace('\n', "\r\n"),
        format!("\u{feff}{BOOK}"),
        BOOK.replacen('\n', " \n", 1),
    ] {
        load(&mut desk, &changed);
        let now = shown(&desk, Purpose::Do, &[]).unwrap();
        assert!(now.blocked.is_some_and(|why| format!("{why:?}").contains("is not the shipped one")), "{changed}");
        for order in [before.order.clone(), now.order] {
            let mut effects = Vec::new();
            desk.console.command(Command::StartRun(order), None, desk.wall, &mut effects);
            let is_start = |effect: &Effect| matches!(effect, Effect::Append { .. });
            assert!(!effects.iter().any(is_start), "{}", desk.said());
        }
    }
    load(&mut desk, BOOK);
    assert_eq!(shown(&desk, Purpose::Do, &[]).unwrap().blocked, None, "the same bytes are approved");
}

#[test]
fn a_way_back_of_another_version_than_that_of_the_run_says_so() {
    let mut desk = desk();
    let frozen = |desk: &Desk, replaces: Option<CleanStr>| {
        Event::PlaybookFrozen(desk.console.settings.catalogue.get("alipay").unwrap().frozen(replaces))
    };
    let first = frozen(&desk, None);
    desk.write("dana", first);
    run(&mut desk, Purpose::Do, &SAID, 0);
    let noted = |desk: &Desk| {
        let notes = shown(desk, Purpose::Undo, &[]).unwrap().notes;
        notes.iter().any(|note| note.starts_with("ANOTHER VERSION of the playbook counts since"))
    };
    assert!(!noted(&desk), "the same version");
    let used = desk.console.settings.catalogue.get("alipay").unwrap().digest();
    let mut catalogue = Catalogue::default();
    catalogue.take("alipay.toml", &BOOK.replace("undrain-{node}", "wipe-{node}"));
    desk.tell(Msg::Catalogue(Box::new(catalogue)));
    desk.pass(60);
    assert!(!noted(&desk), "a file that nobody took over changes nothing");
    let second = frozen(&desk, Some(used));
    desk.write("dana", second);
    assert_eq!(shown(&desk, Purpose::Undo, &[]).unwrap().order.argv[1], "wipe-node-7");
    assert!(noted(&desk));
    desk.key(KeyCode::Esc);
    desk.keys("3-");
    let screen = desk.screen();
    assert!(screen.contains("ANOTHER VERSION of the playbook"), "{screen}");
}
