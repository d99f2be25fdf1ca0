//! Two people do the same thing at once: one of them did it on every console, and the other is told who did.

use proptest::prelude::*;
use warroom::incident::{
    Answer, Channel, Command, DecisionMade, DecisionProposed, Entry, EntryId, Event, Incident, NoteAdded, NoteKind,
    Phase, PhaseEntered, Plain, Refusal, Role, RoleNamed, Severity, StatusUpdate, StepClaimed, StepDone, StepRef,
    StepState, TaskAnswered, TaskAssigned,
};

use crate::support::room::{INC, Room, at, entry, seat};

/// What two people may do at the same moment.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    Command,
    Acknowledge,
    Claim,
    Check,
    Approve,
    Decide,
    Answer,
    Resolve,
}

const ACTS: [Act; 8] =
    [Act::Command, Act::Acknowledge, Act::Claim, Act::Check, Act::Approve, Act::Decide, Act::Answer, Act::Resolve];

/// What was there before: the room, and the draft, the proposal and the task in it.
struct Before {
    room: Room,
    draft: EntryId,
    proposal: EntryId,
    task: EntryId,
}

fn before(act: Act) -> Before {
    let mut room = match act {
        Act::Command | Act::Acknowledge => Room::declared(Severity::Sev1),
        _ => Room::commanded(Severity::Sev1),
    };
    if act == Act::Acknowledge {
        room.does("dana", 70, Command::TakeRole(seat(Role::IncidentCommander)));
    }
    let task = TaskAssigned { to: "omid".into(), what: "check the pool".into(), call_back: at(600) };
    let task = room.does("li", 150, Command::AssignTask(task));
    let proposal = DecisionProposed {
        action: "route to the backup".into(),
        risk: "fees".into(),
        undo: "set the flag back".into(),
        plan_b: None,
        until: at(160),
    };
    let proposal = room.does("bob", 155, Command::Propose(proposal));
    let draft = room.next_draft();
    Before { room, draft, proposal, task }
}

impl Room {
    /// A text of the Communications Lead's.
    fn next_draft(&mut self) -> EntryId {
        let event = Event::UpdateDrafted(warroom::incident::UpdateDrafted { update: text("we look into it") });
        let drafted = entry(9, 1, at(158), "cora", "cora", event);
        self.entries.push(drafted.clone());
        self.incident.apply([drafted.clone()]);
        drafted.id
    }
}

fn text(text: &str) -> StatusUpdate {
    StatusUpdate { channels: [Channel::StatusSlack].into(), text: text.into(), ..StatusUpdate::default() }
}

fn step() -> StepDone {
    let step = StepRef { service: "alipay".into(), step: "route-to-backup".into() };
    StepDone { step, title: "Route to the backup".into() }
}

impl Act {
    /// The events that somebody's console writes, which has not heard of the other one.
    fn events(self, who: &str, before: &Before) -> Vec<Event> {
        let phase = PhaseEntered::plain;
        match self {
            Self::Command => vec![Event::RoleTaken(RoleNamed {
                role: Role::IncidentCommander,
                component: None,
                holder: who.into(),
                reason: None,
                is_played: false,
            })],
            Self::Acknowledge => {
                vec![Event::Acknowledged(Plain {}), Event::PhaseEntered(phase(Phase::Acknowledged))]
            }
            Self::Claim => {
                let StepDone { step, title } = step();
                vec![Event::StepClaimed(StepClaimed { step, title, over: None })]
            }
            Self::Check => vec![Event::StepChecked(step())],
            Self::Approve => {
                vec![Event::StatusUpdatePosted(StatusUpdate {
                    draft: Some(before.draft),
                    ..text(&format!("says {who}"))
                })]
            }
            Self::Decide => vec![Event::DecisionMade(DecisionMade {
                decision: before.proposal,
                go: true,
                present: Vec::new(),
                reason: None,
            })],
            Self::Answer => {
                vec![Event::TaskAnswered(TaskAnswered { task: before.task, answer: Answer::Done, text: who.into() })]
            }
            Self::Resolve => vec![Event::PhaseEntered(PhaseEntered {
                reason: Some("seen by eye".into()),
                final_status: Some("payments flow".into()),
                ..phase(Phase::Resolved)
            })],
        }
    }

    /// The same as a person would ask for it who sees the other one's entry.
    fn command(self, before: &Before) -> Command {
        match self {
            Self::Command => Command::TakeRole(seat(Role::IncidentCommander)),
            Self::Acknowledge => Command::Acknowledge,
            Self::Claim => Command::ClaimStep(step(), None),
            Self::Check => Command::CheckStep(step()),
            Self::Approve => Command::ApproveDraft(before.draft, text("we look into it")),
            Self::Decide => Command::Decide { decision: before.proposal, go: true, reason: Some("now".into()) },
            Self::Answer => {
                Command::AnswerTask(TaskAnswered { task: before.task, answer: Answer::Done, text: Default::default() })
            }
            Self::Resolve => Command::Resolve {
                proof: Vec::new(),
                final_status: "payments flow".into(),
                reason: Some("seen by eye".into()),
            },
        }
    }

    /// Who did it, as the record says.
    fn doer(self, incident: &Incident, before: &Before) -> Option<String> {
        match self {
            Self::Command => incident.holder(Role::IncidentCommander).map(|holder| holder.to_string()),
            Self::Acknowledge => incident.acknowledged.as_ref().map(|mark| mark.by.to_string()),
            Self::Claim => incident.claims.get(&step().step).map(|mark| mark.by.to_string()),
            Self::Check => match incident.steps.get(&step().step) {
                Some(StepState::Checked(mark)) => Some(mark.by.to_string()),
                _ => None,
            },
            Self::Approve => {
                let sent: Vec<_> =
                    incident.updates.iter().filter(|told| told.update.draft == Some(before.draft)).collect();
                assert!(sent.len() <= 1, "a text goes out once");
                sent.first().map(|told| told.mark.by.to_string())
            }
            Self::Decide => {
                let decision = incident.decisions.iter().find(|decision| decision.id == before.proposal);
                decision.and_then(|decision| decision.made.as_ref()).map(|(mark, _)| mark.by.to_string())
            }
            Self::Answer => {
                let task = incident.tasks.iter().find(|task| task.id == before.task);
                task.and_then(|task| task.answer.as_ref()).map(|(mark, ..)| mark.by.to_string())
            }
            Self::Resolve => incident.resolution.as_ref().map(|resolution| resolution.mark.by.to_string()),
        }
    }
}

/// The entries of two consoles on two hosts that do an act at their own seconds.
fn both(act: Act, before: &Before, omid: i64, sara: i64) -> (Vec<Entry>, Vec<Entry>) {
    let stamp = |rid: u64, who: &str, seconds: i64| -> Vec<Entry> {
        let events = act.events(who, before).into_iter().enumerate();
        events.map(|(place, event)| entry(rid, place as u64 + 1, at(seconds), who, who, event)).collect()
    };
    (stamp(2, "omid", omid), stamp(3, "sara", sara))
}

#[test]
fn whoever_was_first_did_it_on_every_console_and_the_others_line_says_who() {
    for act in ACTS {
        let before = before(act);
        // In the same millisecond the order is that of the hosts' numbers.
        for (omid, sara, first, second) in
            [(200, 201, "omid", "sara"), (201, 200, "sara", "omid"), (200, 200, "omid", "sara")]
        {
            let (his, hers) = both(act, &before, omid, sara);
            let mut replicas = Vec::new();
            for order in [[&his, &hers], [&hers, &his]] {
                let mut incident = before.room.incident.clone();
                for entries in order {
                    incident.apply(entries.iter().cloned());
                }
                replicas.push(incident);
            }
            assert_eq!(replicas[0], replicas[1], "{act:?}");
            for incident in &replicas {
                assert_eq!(act.doer(incident, &before).as_deref(), Some(first), "{act:?} at {omid} and {sara}");
                let lost = if second == "omid" { &his } else { &hers };
                assert_eq!(incident.beaten.len(), lost.len(), "{act:?}");
                for entry in lost {
                    assert_eq!(incident.beaten[&entry.id].by, *first, "{act:?}");
                    let place = incident.timeline().place(entry.id).unwrap();
                    let line = incident.timeline().line(place).unwrap();
                    assert_eq!((line.actor.as_str(), line.beaten.unwrap().by.as_str()), (second, first), "{act:?}");
                }
            }
        }
    }
}

#[test]
fn whoever_asks_after_that_is_refused_with_the_name_of_the_one_who_did() {
    for act in ACTS {
        let before = before(act);
        let (his, _) = both(act, &before, 200, 0);
        let mut room = before.room.clone();
        room.incident.apply(his);
        // Whoever may ask at all: the Incident Commander, or the one whose work it is.
        let asks = if act == Act::Command || act == Act::Claim { "sara" } else { "dana" };
        let refused = room.ask(asks, 230, act.command(&before)).unwrap_err();
        assert!(refused.to_string().contains("omid"), "{act:?}: {refused}");
        assert_eq!(matches!(refused, Refusal::WantsReason(_)), act == Act::Claim, "{act:?}: a claim can be taken over");
    }
}

#[test]
fn a_step_that_is_taken_over_from_somebody_who_lost_it_meanwhile_stays_with_the_third() {
    let over = |from: &str| {
        let StepDone { step, title } = step();
        let over = warroom::incident::TakenOver { from: from.into(), reason: "they left".into() };
        Event::StepClaimed(StepClaimed { step, title, over: Some(over) })
    };
    let before = before(Act::Claim);
    let (his, _) = both(Act::Claim, &before, 200, 0);
    let sara = entry(3, 1, at(210), "sara", "sara", over("omid"));
    let bob = entry(4, 1, at(211), "bob", "bob", over("omid"));
    let mut incident = before.room.incident.clone();
    incident.apply([bob.clone(), sara, his[0].clone()]);
    assert_eq!(Act::Claim.doer(&incident, &before).as_deref(), Some("sara"));
    assert_eq!(incident.beaten[&bob.id].by, "sara");
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_one_winner_on_all_replicas(
        act in prop::sample::select(ACTS.to_vec()),
        omid in 200..204_i64,
        sara in 200..204_i64,
        notes in prop::collection::vec((4..7_u64, 195..210_i64), 0..6),
        shuffle in any::<u64>(),
    ) {
        let before = before(act);
        let (his, hers) = both(act, &before, omid, sara);
        let noise = notes.iter().enumerate().map(|(place, (rid, seconds))| {
            let note = NoteAdded { kind: NoteKind::Note, text: "meanwhile".into(), at: None };
            entry(*rid, place as u64 + 1, at(*seconds), "li", "li", Event::NoteAdded(note))
        });
        let mut all: Vec<Entry> =
            before.room.entries.iter().cloned().chain(his).chain(hers).chain(noise).collect();
        let whole = Incident::replay(INC, all.clone());
        let mut state = shuffle | 1;
        for place in (1..all.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            all.swap(place, (state >> 33) as usize % (place + 1));
        }
        let mut one_by_one = Incident::new(INC);
        for entry in all {
            one_by_one.apply([entry]);
        }
        prop_assert_eq!(&whole, &one_by_one);
        let winner = if omid <= sara { "omid" } else { "sara" };
        prop_assert_eq!(act.doer(&whole, &before), Some(winner.to_owned()));
        prop_assert_eq!(whole.beaten.len(), act.events("x", &before).len());
        prop_assert!(whole.beaten.values().all(|mark| mark.by == *winner));
    }
}
