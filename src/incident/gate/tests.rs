//! Who may start what, as a table, and as a property.

use proptest::prelude::*;

use super::*;
use crate::incident::tests::{Room, at, order};
use crate::incident::{Command, CommandVouched, PlaybookApproved, Seat, StepDone};

fn step(id: &str) -> StepRef {
    StepRef { service: "alipay".into(), step: id.into() }
}

fn asker(me: &Actor) -> Asker<'_> {
    Asker { me, now: at(600), may_write: true, is_writable: true, own: None, is_shared: false }
}

fn sme(room: &mut Room, who: &str) {
    room.ask(who, 100, Command::TakeRole(Seat { role: Role::Sme, component: Some(who.into()) })).unwrap();
}

#[test]
fn each_thing_that_is_missing_is_named_with_its_way_out() {
    let here = step("route");
    let (omid, dana) = (Actor::from("omid"), Actor::from("dana"));
    let needs = Needs {
        step: here.clone(),
        purpose: Purpose::Do,
        roles: vec![Role::Sme],
        second_person: true,
        earlier: vec![(step("available"), "Is the backup available?".into())],
        digest: "abcdef0123456789".into(),
        foreign_playbook: Some("f00d".into()),
    };
    let mut room = Room::declared();
    let why = |room: &Room| may_run(&room.incident, &needs, asker(&omid)).err().unwrap_or_default().to_string();
    let looks = Asker { may_write: false, ..asker(&omid) };
    assert_eq!(
        may_run(&room.incident, &needs, looks).unwrap_err().to_string(),
        "this console only looks: nothing runs from here"
    );
    let full = Asker { is_writable: false, ..asker(&omid) };
    assert!(
        may_run(&room.incident, &needs, full).unwrap_err().to_string().starts_with("the journal cannot be written")
    );
    assert!(why(&room).contains("`trust` shows it and approves it"), "{}", why(&room));
    let body = PlaybookApproved { service: "alipay".into(), digest: "f00d".into() };
    room.ask("dana", 90, Command::ApprovePlaybook(body)).unwrap();
    assert_eq!(why(&room), "it wants Subject Matter Expert: `take-role` takes a role");
    sme(&mut room, "omid");
    assert_eq!(why(&room), "first: Is the backup available?");
    let done = StepDone { step: step("available"), title: "Is the backup available?".into() };
    room.ask("omid", 110, Command::CheckStep(done)).unwrap();
    assert!(why(&room).starts_with("it wants a second person"), "{}", why(&room));
    let vouch = |digest: &str| {
        Command::Vouch(CommandVouched { step: step("route"), title: "Route".into(), digest: digest.into() })
    };
    room.ask("omid", 120, vouch("abcdef0123456789")).unwrap();
    assert!(why(&room).starts_with("it wants a second person"), "one's own word is no second person");
    room.ask("dana", 121, vouch("another order")).unwrap();
    assert!(why(&room).starts_with("it wants a second person"), "another order was vouched for");
    room.ask("dana", 122, vouch("abcdef0123456789")).unwrap();
    assert_eq!(why(&room), "");
    let in_a_group = Asker { is_shared: true, ..asker(&omid) };
    let refused = may_run(&room.incident, &needs, in_a_group).unwrap_err().to_string();
    assert!(
        refused.contains("nobody can be shown to be one"),
        "whoever writes the record can write dana's name: {refused}"
    );
    let late = Asker { now: at(122 + 1801), ..asker(&omid) };
    assert!(may_run(&room.incident, &needs, late).is_err(), "a word is good for half an hour");
    room.ask("omid", 130, Command::StartRun(order(Some(step("route")), true))).unwrap();
    assert!(why(&room).starts_with("omid runs it since"));
    assert!(may_run(&room.incident, &needs, asker(&dana)).is_err());
}

#[test]
fn the_way_back_is_not_barred_by_what_comes_first() {
    let here = step("route");
    let omid = Actor::from("omid");
    let mut room = Room::declared();
    let done = StepDone { step: here.clone(), title: "Route".into() };
    room.ask("omid", 110, Command::CheckStep(done)).unwrap();
    let undo = Needs {
        step: here.clone(),
        purpose: Purpose::Undo,
        roles: Vec::new(),
        second_person: false,
        earlier: vec![(step("available"), "Available?".into())],
        digest: "d".into(),
        foreign_playbook: None,
    };
    assert_eq!(may_run(&room.incident, &undo, asker(&omid)), Ok(()));
    let again = Needs { purpose: Purpose::Do, ..undo };
    assert_eq!(
        may_run(&room.incident, &again, asker(&omid)).unwrap_err().to_string(),
        "it is done: `reopen` opens it again"
    );
}

proptest! {
    #[test]
    fn nothing_passes_without_write_access_journal_role_and_second_person(
        entries in crate::incident::tests::any_entries(),
        (may_write, is_writable, second_person) in any::<(bool, bool, bool)>(),
        me in "[ab]",
        role in prop::sample::select(Role::ALL.to_vec()),
    ) {
        let incident = Incident::replay("INC-42".parse().unwrap(), entries);
        let (me, here) = (Actor::from(me.as_str()), step("route"));
        let needs = Needs {
            step: here.clone(),
            purpose: Purpose::Do,
            roles: vec![role],
            second_person,
            earlier: Vec::new(),
            digest: "d".into(),
            foreign_playbook: None,
        };
        let passed = may_run(&incident, &needs, Asker { now: at(900), may_write, is_writable, ..asker(&me) }).is_ok();
        if passed {
            let is_played = incident.played.iter().any(|seat| seat.role == role);
            prop_assert!(may_write && is_writable && !second_person && (holds(&incident, &me, role) || is_played));
            prop_assert!(incident.phase() != Phase::Closed && incident.running(&here).is_none());
        }
    }
}

#[test]
fn what_came_before_in_name_only_is_named_with_who_said_so() {
    let here = step("route");
    let needs = Needs {
        step: here.clone(),
        purpose: Purpose::Do,
        roles: Vec::new(),
        second_person: false,
        earlier: vec![
            (step("looked"), "Look".into()),
            (step("drained"), "Drain".into()),
            (step("asked"), "Ask".into()),
        ],
        digest: "d".into(),
        foreign_playbook: None,
    };
    let mut room = Room::declared();
    for id in ["looked", "drained"] {
        room.ask("omid", 100, Command::CheckStep(StepDone { step: step(id), title: id.into() })).unwrap();
    }
    let skipped =
        crate::incident::StepSkipped { step: step("asked"), title: "Ask".into(), reason: "nobody is there".into() };
    room.ask("bob", 101, Command::SkipStep(skipped)).unwrap();
    let has_command = |step: &StepRef| step.step == "drained";
    let doubts = doubts(&room.incident, &needs, has_command);
    assert_eq!(
        doubts.iter().map(|line| line.as_str()).collect::<Vec<_>>(),
        ["Drain was ticked by omid, and its command never ran", "Ask was skipped by bob: nobody is there"]
    );
    let back = Needs { purpose: Purpose::Undo, ..needs };
    assert!(super::doubts(&room.incident, &back, has_command).is_empty(), "the way back is never barred");
}
