//! A merge that is taken back was never there.

use super::*;

fn other() -> IncidentId {
    IncidentId::incident(43)
}

fn merge() -> Command {
    let body = DuplicateMerged {
        from: other(),
        detected_at: Some(at(-600)),
        acknowledged: Some((at(-500), "omid".into())),
        impact_start: Some(at(-700)),
    };
    let line = |seconds: i64, text: &str| LineMerged {
        from: other(),
        at: at(seconds),
        actor: "omid".into(),
        tag: "note".into(),
        text: text.into(),
    };
    Command::Merge(body, vec![line(-400, "pool exhausted"), line(-300, "restarted")])
}

fn unmerge() -> Command {
    Command::Unmerge(other(), Some("another bank".into()))
}

fn lines(incident: &Incident) -> Vec<String> {
    incident.timeline().lines().map(|line| line.text.to_string()).collect()
}

#[test]
fn what_a_merge_changed_goes_with_it_and_what_came_since_stays() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    room.ask("dana", 130, Command::DenyImpact(None)).unwrap();
    let before = room.incident.clone();
    room.ask("dana", 200, merge()).unwrap();
    assert_eq!(room.incident.milestone(Milestone::ImpactStart), Some(at(-700)));
    room.ask("dana", 300, Command::AddNote(note("written since"))).unwrap();
    assert!(matches!(room.ask("dana", 400, Command::Unmerge(other(), None)), Err(Refusal::WantsReason(_))));
    room.ask("dana", 400, unmerge()).unwrap();
    let (now, before) = (&room.incident, &before);
    for which in Milestone::ALL {
        assert_eq!(now.milestone(which), before.milestone(which), "{}", which.name());
    }
    assert_eq!((&now.phases, now.phase, &now.merged), (&before.phases, before.phase, &Vec::new()));
    assert_eq!((&now.nobody_affected, now.senseless), (&before.nobody_affected, 0));
    let told = lines(now);
    assert!(!told.iter().any(|line| line.contains("pool exhausted")), "{told:?}");
    assert!(told.iter().any(|line| line == "written since"));
    assert!(told.iter().any(|line| line == "INC-43 was about something else after all: another bank"), "{told:?}");
    // And it can be merged again, with its lines.
    room.ask("dana", 500, merge()).unwrap();
    assert_eq!((room.incident.merged.len(), room.incident.milestone(Milestone::Detected)), (1, Some(at(-600))));
    assert_eq!(lines(&room.incident).iter().filter(|line| line.contains("pool exhausted")).count(), 1);
    let replayed = Incident::replay(INC, room.incident.entries().rev().cloned());
    assert_eq!(&replayed, &room.incident, "in any order");
}

#[test]
fn a_duplicate_takes_no_notes_and_is_open_again_where_it_was_once_the_merge_is_taken_back() {
    let mut room = Room::declared();
    room.command_and_acknowledge(120);
    let phases = room.incident.phases.clone();
    room.ask("dana", 200, Command::CloseAs(Outcome::Merged(other()), None)).unwrap();
    let goes_on = "INC-42 goes on in INC-43: open that one, or take the merge back (`unmerge`)";
    assert_eq!(room.refusal("dana", 210, Command::AddNote(note("late"))), goes_on);
    assert_eq!(room.refusal("dana", 210, Command::EnterPhase(Phase::Triage, Some("not the same".into()))), goes_on);
    room.ask("dana", 220, unmerge()).unwrap();
    assert_eq!((room.incident.outcome, &room.incident.phases), (None, &phases));
    room.ask("dana", 230, Command::AddNote(note("late"))).unwrap();
    assert_eq!(room.refusal("dana", 240, unmerge()), "INC-43 is not merged with INC-42");
}
