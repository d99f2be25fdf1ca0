use proptest::prelude::*;

use super::*;
use crate::incident::command::Command;
use crate::incident::tests::{Room, any_entries, at};

fn room() -> Room {
    let mut room = Room::declared();
    let mut ask = |actor: &str, seconds: i64, command: Command| room.ask(actor, seconds, command).unwrap();
    ask("dana", 90, Command::TakeRole(Seat { role: Role::IncidentCommander, component: None }));
    ask("dana", 100, Command::Acknowledge);
    ask("dana", 110, Command::StartImpact(at(-30)));
    ask(
        "lena",
        120,
        Command::OpenHypothesis(HypothesisOpened {
            text: "the token expired".into(),
            owner: Some("omid".into()),
            rollback: None,
        }),
    );
    let task = TaskAssigned { to: "omid".into(), what: "check p99 of the gateway".into(), call_back: at(700) };
    ask("dana", 130, Command::AssignTask(task));
    let proposal = DecisionProposed {
        action: "route to the backup provider".into(),
        risk: "fees".into(),
        undo: "route back".into(),
        plan_b: Some("stop payments".into()),
        until: at(200),
    };
    ask("omid", 140, Command::Propose(proposal));
    let decision = room.incident.decisions[0].id;
    room.ask("dana", 260, Command::Decide { decision, go: true, reason: None }).unwrap();
    room
}

fn read(incident: &Incident, kind: BriefKind, now: i64, since: Option<i64>) -> String {
    let rules = Rules { cadence: &Cadence::default(), tell: &["CTO".into()] };
    brief(incident, kind, at(now), since.map(at), rules).to_string()
}

#[test]
fn a_recap_says_what_how_bad_since_when_who_what_runs_and_what_comes_next() {
    let room = room();
    let text = read(&room.incident, BriefKind::Recap, 400, None);
    for part in [
        "INC-42, SEV1: p99 over 2 s",
        "It is 20:33 UTC. Phase: Acknowledged",
        "Detected: 20:26; acknowledged: 20:28 by dana; customers hurt since 20:26.",
        "Scope: alipay.",
        "People: IC dana; Comms nobody; SME nobody; Scribe nobody.",
        "- 20:31 route to the backup provider (dana)",
        "- @omid check p99 of the gateway, calls back at 20:38, not read back",
        "- the token expired (omid looks)",
        "- tell the CTO: dana, OVERDUE by 40 s",
        "Plan B: stop payments",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn who_comes_back_hears_what_happened_since_and_no_line_that_was_struck_or_redacted() {
    let mut room = room();
    let note = |text: &str| Command::AddNote(NoteAdded { kind: NoteKind::Finding, text: text.into(), at: None });
    room.ask("li", 300, note("the pool is exhausted")).unwrap();
    room.ask("li", 310, note("the secret is hunter2")).unwrap();
    room.ask("li", 320, note("the wrong pool")).unwrap();
    let id = |text: &str| room.incident.timeline().lines().find(|line| line.text == text).unwrap().id;
    let (secret, wrong) = (id("the secret is hunter2"), id("the wrong pool"));
    room.ask("li", 330, Command::Redact(EntryRedacted { entry: secret, reason: "a password".into() })).unwrap();
    room.ask("li", 340, Command::StrikeNote(NoteStruck { note: wrong, reason: None })).unwrap();
    let text = read(&room.incident, BriefKind::LateJoiner, 400, Some(255));
    assert!(text.contains("Since 20:30 (2 min 25 s ago)"), "{text}");
    assert!(text.contains("20:31 finding the pool is exhausted (li)") && text.contains("DECIDE"), "{text}");
    assert!(
        !text.contains("hunter2") && !text.contains("wrong pool") && !text.contains("acknowledged (dana)"),
        "{text}"
    );
}

#[test]
fn a_handover_of_a_busy_incident_still_fits_into_25_lines() {
    let mut room = room();
    for number in 0..30 {
        let at_second = 300 + number;
        let task =
            TaskAssigned { to: "omid".into(), what: format!("task {number}").into(), call_back: at(900 + number) };
        room.ask("dana", at_second, Command::AssignTask(task)).unwrap();
        let theory = HypothesisOpened { text: format!("theory {number}").into(), owner: None, rollback: None };
        room.ask("lena", at_second, Command::OpenHypothesis(theory)).unwrap();
        let note = NoteAdded { kind: NoteKind::Decision, text: format!("decision {number}").into(), at: None };
        room.ask("li", at_second, Command::AddNote(note)).unwrap();
        let proposal =
            DecisionProposed { action: "x".into(), risk: "y".into(), undo: "z".into(), plan_b: None, until: at(900) };
        room.ask("li", at_second, Command::Propose(proposal)).unwrap();
    }
    for kind in [BriefKind::Recap, BriefKind::LateJoiner, BriefKind::Handover] {
        let text = read(&room.incident, kind, 1200, Some(0));
        assert!(text.lines().count() <= MOST_LINES, "{kind:?}\n{text}");
        assert!(text.contains("(and ") && text.contains("\nPlan B: stop payments"), "nothing is cut off\n{text}");
    }
}

proptest! {
    #[test]
    fn a_brief_can_be_had_of_any_incident_at_any_time(entries in any_entries(), now in -1000..5000i64, since in -1000..5000i64) {
        let incident = Incident::replay(IncidentId::incident(42), entries);
        for kind in [BriefKind::Recap, BriefKind::LateJoiner, BriefKind::Handover] {
            prop_assert!(read(&incident, kind, now, Some(since)).lines().count() <= MOST_LINES);
        }
    }
}
