use proptest::prelude::*;

use super::*;
use crate::incident::tests::{at, entry};
use crate::incident::{Event, Incident, IncidentId};

const CONSOLES: [&str; 3] = ["c1", "c2", "c3"];

fn queued(number: u64, target: &str) -> Event {
    let text = format!("update {number}");
    let (service, target) = ("slack".into(), target.into());
    let (channel, text) = (Some(Channel::StatusSlack), text.as_str().into());
    Event::DeliveryQueued(DeliveryQueued { service, channel, target, text, ..DeliveryQueued::default() })
}

fn state() -> impl Strategy<Value = DeliveryState> {
    prop_oneof![
        Just(DeliveryState::Queued { not_before: at(0), why: Some("503".into()), choice: None }),
        Just(DeliveryState::Sending),
        Just(DeliveryState::Sent("1.2".into())),
        Just(DeliveryState::Held { why: "public".into(), ways: Vec::new() }),
        Just(DeliveryState::Failed { why: "no scope".into() }),
        Just(DeliveryState::Unconfirmed { why: "time-out".into() }),
        Just(DeliveryState::Dropped { why: "told by phone".into() }),
    ]
}

proptest! {
    /// Whatever consoles say, in whatever order: a console that sends is alone, and after it only an answer, or somebody who looked, sends again.
    #[test]
    fn at_most_one_console_sends_and_nothing_unknown_is_sent_again(
        moves in prop::collection::vec((0_usize..3, 0_u32..6, state()), 0..60)
    ) {
        let id = EntryId { rid: 1, rseq: 1 };
        let mut incident = Incident::new(IncidentId::incident(1));
        incident.apply([entry(1, 1, 0, "c1", queued(1, "C1"))]);
        let mut seen = vec![incident.deliveries[0].state.clone()];
        for (place, (console, step, to)) in moves.into_iter().enumerate() {
            let body = DeliveryMoved { delivery: id, step, to: to.clone(), is_routine: false };
            let before = incident.deliveries[0].clone();
            incident.apply([entry(2 + console as u64, 1 + place as u64, 1 + place as i64, CONSOLES[console], Event::DeliveryMoved(body))]);
            let after = &incident.deliveries[0];
            if after.moves == before.moves {
                prop_assert_eq!(after, &before, "a void move changes nothing");
                continue;
            }
            prop_assert_eq!(after.moves, before.moves + 1);
            prop_assert_eq!(step, before.moves);
            prop_assert_eq!(&after.state, &to);
            seen.push(after.state.clone());
        }
        for pair in seen.windows(2) {
            if pair[1] == DeliveryState::Sending {
                let is_waiting = matches!(pair[0], DeliveryState::Queued { .. });
                prop_assert!(is_waiting, "sent only from the queue");
            }
            prop_assert!(!pair[0].is_over(), "what is over stays over");
        }
        let sends = seen.iter().filter(|state| **state == DeliveryState::Sending).count();
        // A try that ended before anything left, in the queue, is one as well: the pause grows by it.
        let held_up = seen.windows(2).filter(|pair| pair[0] != DeliveryState::Sending && is_setback(&pair[0], &pair[1])).count();
        prop_assert_eq!(incident.deliveries[0].tries as usize, sends + held_up);
    }
}

#[test]
fn a_newer_text_takes_the_place_of_what_was_not_sent_and_of_nothing_that_may_be_there() {
    let mut incident = Incident::new(IncidentId::incident(1));
    let ids: Vec<_> = (1..=4).map(|rseq| EntryId { rid: 1, rseq }).collect();
    let moved = |rseq, delivery, step, to| {
        entry(1, rseq, rseq as i64, "c1", Event::DeliveryMoved(DeliveryMoved { delivery, step, to, is_routine: false }))
    };
    incident.apply([
        entry(1, 1, 1, "c1", queued(1, "C1")),
        entry(1, 2, 2, "c1", queued(2, "C2")),
        moved(3, ids[0], 0, DeliveryState::Sending),
        moved(4, ids[0], 1, DeliveryState::Unconfirmed { why: "time-out".into() }),
    ]);
    incident.apply([entry(1, 5, 5, "c1", queued(3, "C1")), entry(1, 6, 6, "c1", queued(4, "C1"))]);
    let words: Vec<_> = incident.deliveries.iter().map(|delivery| delivery.state.word()).collect();
    assert_eq!(words, ["UNCONFIRMED", "WAITS", "superseded", "WAITS"]);
    assert_eq!(incident.undelivered().count(), 3);
}

#[test]
fn what_comes_back_unsent_after_a_newer_one_was_queued_is_not_sent_before_it() {
    let mut incident = Incident::new(IncidentId::incident(1));
    let first = EntryId { rid: 1, rseq: 1 };
    let moved = |rseq, step, to| {
        let body = DeliveryMoved { delivery: first, step, to, is_routine: false };
        entry(1, rseq, rseq as i64, "c1", Event::DeliveryMoved(body))
    };
    incident.apply([
        entry(1, 1, 1, "c1", queued(1, "C1")),
        moved(2, 0, DeliveryState::Sending),
        entry(1, 3, 3, "c1", queued(2, "C1")),
        moved(4, 1, DeliveryState::Queued { not_before: at(5), why: Some("429".into()), choice: None }),
    ]);
    let words: Vec<_> = incident.deliveries.iter().map(|delivery| delivery.state.word()).collect();
    assert_eq!(words, ["superseded", "WAITS"]);
}

#[test]
fn what_a_system_asks_waits_for_one_of_its_answers_and_is_asked_once() {
    let mut incident = Incident::new(IncidentId::incident(1));
    let ids: Vec<_> = (1..=2).map(|rseq| EntryId { rid: 1, rseq }).collect();
    let moved = |rseq, delivery, step, to| {
        entry(1, rseq, rseq as i64, "c1", Event::DeliveryMoved(DeliveryMoved { delivery, step, to, is_routine: false }))
    };
    let ways = vec![Way::new("send it anyway", "C1/shared"), Way::new("not there", "C1/never")];
    let asks = || DeliveryState::Held { why: "#status is shared".into(), ways: ways.clone() };
    let queued_as = |choice: Option<&str>| DeliveryState::Queued {
        not_before: at(9),
        why: None,
        choice: choice.map(CleanStr::new),
    };
    incident.apply([
        entry(1, 1, 1, "c1", queued(1, "C1")),
        entry(1, 2, 2, "c1", queued(2, "C2")),
        moved(3, ids[0], 0, DeliveryState::Sending),
        moved(4, ids[0], 1, asks()),
        moved(5, ids[1], 0, DeliveryState::Sending),
        moved(6, ids[1], 1, asks()),
        // Neither going on without an answer nor one that was not offered.
        moved(7, ids[0], 2, queued_as(None)),
        moved(8, ids[0], 2, queued_as(Some("C1/else"))),
    ]);
    let words =
        |incident: &Incident| -> Vec<_> { incident.deliveries.iter().map(|delivery| delivery.state.word()).collect() };
    assert_eq!(words(&incident), ["YOUR WORD", "YOUR WORD"]);
    assert!(incident.choices.is_empty());
    incident.apply([moved(9, ids[0], 2, queued_as(Some("C1/shared")))]);
    assert_eq!(words(&incident), ["WAITS", "WAITS"], "what waits for the same answer has it");
    let parcel = incident.deliveries[1].parcel(&incident);
    assert_eq!(parcel.choices, BTreeSet::from(["C1/shared".into()]));
}

#[test]
fn what_two_consoles_queue_in_one_moment_is_one_line_and_a_closed_incident_says_that_it_has_not_gone() {
    let page = || {
        let act = Act::Publish(crate::incident::Publication {
            title: "p99".into(),
            severity: Severity::Sev1,
            status: crate::incident::PageStatus::Resolved,
            components: Default::default(),
            notifies: false,
        });
        let (service, target, channel) = ("statuspage".into(), "outside".into(), Some(Channel::ExternalPage));
        let body =
            DeliveryQueued { service, target, channel, act, release: Release::OnWord, ..DeliveryQueued::default() };
        Event::DeliveryQueued(DeliveryQueued { text: "it works again".into(), ..body })
    };
    let closed = Event::PhaseEntered(crate::incident::PhaseEntered::plain(crate::incident::Phase::Closed));
    let all = [entry(1, 1, 0, "c1", page()), entry(2, 1, 1, "c2", page()), entry(1, 2, 2, "c1", closed)];
    let mut incident = Incident::new(IncidentId::incident(1));
    incident.apply(all);
    let waits = incident.timeline().lines().filter(|line| line.text.contains("waits until somebody sends it")).count();
    assert_eq!((incident.deliveries.len(), waits), (1, 1));
    assert_eq!(incident.question(), "1 message not sent yet: look at :outbox.");
}
