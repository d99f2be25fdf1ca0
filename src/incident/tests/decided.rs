//! Two people who decide the same thing at once: the first in the record's order holds, the other comes second and nothing of it leaves.

use super::*;

/// A room in which a text, an offer, a proposal, a task, a theory and customers' harm wait for somebody's word.
fn waiting() -> (Room, BTreeMap<&'static str, EntryId>) {
    let mut room = Room::declared();
    room.command_and_acknowledge(70);
    room.ask("leila", 80, Command::TakeRole(seat(Role::CommunicationsLead))).unwrap();
    room.ask("dana", 90, Command::StartImpact(at(10))).unwrap();
    let mut ids = BTreeMap::new();
    let asked: [(&'static str, &str, Command); 5] = [
        ("text", "leila", Command::PostUpdate(update(&[Channel::StatusSlack], None))),
        (
            "offer",
            "dana",
            Command::OfferRole(HandoverOffered {
                role: Role::IncidentCommander,
                component: None,
                to: "tom".into(),
                brief: "night shift".into(),
            }),
        ),
        (
            "task",
            "dana",
            Command::AssignTask(TaskAssigned { to: "omid".into(), what: "p99 5m".into(), call_back: at(900) }),
        ),
        (
            "theory",
            "dana",
            Command::OpenHypothesis(HypothesisOpened { text: "the pool".into(), owner: None, rollback: None }),
        ),
        ("step", "dana", Command::ClaimStep(StepDone { step: step(), title: "look".into() }, None)),
    ];
    for (name, who, command) in asked {
        ids.insert(name, EntryId { rid: 1, rseq: room.next });
        room.ask(who, 100, command).unwrap();
    }
    (room, ids)
}

fn step() -> StepRef {
    StepRef { service: "alipay".into(), step: "look".into() }
}

/// All that can be decided about one thing: who says what.
fn words(name: &str, id: EntryId) -> Vec<(&'static str, Command)> {
    let settle = |holds| {
        Command::SettleHypothesis(HypothesisSettled { hypothesis: id, holds, evidence: "pool at 100 %".into() })
    };
    let answer = |answer| Command::AnswerTask(TaskAnswered { task: id, answer, text: "said".into() });
    match name {
        "text" => vec![
            ("dana", Command::ApproveDraft(id, update(&[Channel::StatusSlack], None))),
            ("leila", Command::DropDraft(id, Some("wrong amount".into()))),
            ("dana", Command::DropDraft(id, Some("not so".into()))),
        ],
        "offer" => vec![
            ("tom", Command::AcceptRole(id)),
            ("tom", Command::EndOffer(id, Some("asleep".into()))),
            ("dana", Command::EndOffer(id, None)),
        ],
        "task" => vec![("omid", answer(Answer::Done)), ("dana", answer(Answer::Dropped))],
        "theory" => vec![("dana", settle(true)), ("omid", settle(false))],
        "step" => vec![
            ("dana", Command::CheckStep(StepDone { step: step(), title: "look".into() })),
            ("omid", Command::CheckStep(StepDone { step: step(), title: "look".into() })),
        ],
        "impact" => vec![("dana", Command::EndImpact(at(150))), ("omid", Command::EndImpact(at(160)))],
        other => panic!("{other}"),
    }
}

#[test]
fn of_two_decisions_about_one_thing_the_first_in_order_holds_and_the_other_is_told() {
    let (_, ids) = waiting();
    let things = ids.keys().copied().chain(["impact"]);
    for name in things {
        let id = ids.get(name).copied().unwrap_or(EntryId { rid: 0, rseq: 0 });
        let words = words(name, id);
        for (place, (one, first)) in words.iter().enumerate() {
            for (_, (other, second)) in words.iter().enumerate().filter(|(beside, _)| *beside != place) {
                let (mut room, _) = waiting();
                // Both see the same record; the first commit is in order before the second.
                let said =
                    |who: &str, command: &Command| decide(&room.incident, command.clone(), &asking(who, 200)).unwrap();
                let (earlier, later) = (said(one, first), said(other, second));
                let mut last = None;
                for (who, event) in
                    earlier.into_iter().map(|event| (one, event)).chain(later.into_iter().map(|event| (other, event)))
                {
                    last = Some(EntryId { rid: 1, rseq: room.next });
                    room.incident.apply([entry(1, room.next, 200 + i64::try_from(room.next).unwrap(), who, event)]);
                    room.next += 1;
                }
                let beaten = room.incident.beaten.get(&last.unwrap()).map(|mark| mark.by.to_string());
                assert_eq!(beaten.as_deref(), Some(*one), "{name}: {first:?} before {second:?}");
            }
        }
    }
}

#[test]
fn a_text_that_was_withdrawn_first_goes_nowhere_though_its_approval_was_written() {
    let (mut room, ids) = waiting();
    let text = update(&[Channel::StatusSlack], None);
    let approved = StatusUpdate { draft: Some(ids["text"]), ..text.clone() };
    let queued = || {
        Event::DeliveryQueued(DeliveryQueued {
            service: "slack".into(),
            channel: Some(Channel::StatusSlack),
            target: "C1".into(),
            text: text.text.clone(),
            ..DeliveryQueued::default()
        })
    };
    let withdrawn = Event::DraftDropped(DraftDropped { draft: ids["text"], reason: Some("wrong amount".into()) });
    room.incident.apply([
        entry(1, 50, 300, "leila", withdrawn),
        entry(1, 51, 301, "dana", Event::StatusUpdatePosted(approved.clone())),
        entry(1, 52, 301, "dana", queued()),
    ]);
    assert!(room.incident.deliveries.is_empty(), "what nobody stands behind is no delivery");
    assert!(room.incident.updates.is_empty());
    let lines: Vec<String> =
        room.incident.timeline().lines().filter(|line| line.tag == "draft").map(|line| line.text.to_string()).collect();
    assert_eq!(lines[1..], ["dropped (wrong amount)", "not sent: still on it"]);
    // The same words, written again and meant, go out.
    room.incident.apply([
        entry(1, 53, 302, "dana", Event::StatusUpdatePosted(StatusUpdate { draft: None, ..approved })),
        entry(1, 54, 302, "dana", queued()),
    ]);
    assert_eq!(room.incident.deliveries.len(), 1);
}

#[test]
fn command_that_was_offered_stays_offered_when_its_giver_leaves() {
    let (mut room, ids) = waiting();
    room.ask("dana", 200, Command::LeaveRole(seat(Role::IncidentCommander), None)).unwrap();
    let due = |room: &Room| {
        let rules = Rules { cadence: &Cadence::default(), tell: &[] };
        cadence::obligations(&room.incident, rules).first().map(|first| first.duty.clone())
    };
    assert_eq!(due(&room), Some(Duty::TakeCommand), "nobody commands: that is due before all else");
    room.ask("tom", 300, Command::AcceptRole(ids["offer"])).unwrap();
    assert_eq!(room.incident.holder(Role::IncidentCommander).map(ToString::to_string).as_deref(), Some("tom"));
    assert_ne!(due(&room), Some(Duty::TakeCommand));
}

#[test]
fn who_takes_an_empty_command_ends_what_was_offered_of_it() {
    let (mut room, ids) = waiting();
    room.ask("dana", 200, Command::LeaveRole(seat(Role::IncidentCommander), None)).unwrap();
    room.ask("omid", 210, Command::TakeRole(seat(Role::IncidentCommander))).unwrap();
    assert!(room.refusal("tom", 220, Command::AcceptRole(ids["offer"])).contains("has ended"));
    // And where both wrote at once, the first in order commands.
    let accepted = Event::HandoverAccepted(HandoverAccepted { offer: ids["offer"] });
    room.incident.apply([entry(1, 90, 230, "tom", accepted)]);
    assert_eq!(room.incident.holder(Role::IncidentCommander).map(ToString::to_string).as_deref(), Some("omid"));
}

#[test]
fn nobody_leaves_a_sev0_without_a_commander_and_a_word() {
    let mut room = Room::declared();
    room.command_and_acknowledge(70);
    room.ask("dana", 80, Command::SetSeverity(Severity::Sev0, None)).unwrap();
    let leave = |why: Option<&str>| Command::LeaveRole(seat(Role::IncidentCommander), why.map(CleanStr::new));
    assert!(room.refusal("dana", 90, leave(None)).contains("wants a reason"));
    room.ask("dana", 100, leave(Some("on the train"))).unwrap();
}
