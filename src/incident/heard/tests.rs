use super::*;
use crate::incident::tests::{at, entry};
use crate::incident::{
    Cadence, Declared, DeliveryMoved, DeliveryQueued, Duty, Event, Incident, IncidentId, Obligation, Phase,
    PhaseEntered, Plain, Remote, Rules, Severity, StatusUpdate, Urgency, cadence, measures,
};
use chrono::TimeDelta;

const SLACK: Channel = Channel::StatusSlack;

/// A record that is written to second by second.
struct Record {
    incident: Incident,
    rseq: u64,
}

impl Record {
    /// Declared and acknowledged in the first second.
    fn begun() -> Self {
        let mut record = Self { incident: Incident::new(IncidentId::incident(1)), rseq: 0 };
        record.write(0, declared());
        record.write(0, Event::Acknowledged(Plain {}));
        record
    }

    fn write(&mut self, seconds: i64, event: Event) -> EntryId {
        self.rseq += 1;
        let entry = entry(1, self.rseq, seconds, "dana", event);
        let id = entry.id;
        self.incident.apply([entry]);
        id
    }

    /// A text for a channel, and what takes it to each of some places.
    fn update(&mut self, seconds: i64, channel: Channel, text: &str, places: &[&str]) -> Vec<EntryId> {
        let update = StatusUpdate { channels: [channel].into(), text: text.into(), ..StatusUpdate::default() };
        self.write(seconds, Event::StatusUpdatePosted(update));
        let queue = |target: &&str| {
            let body = DeliveryQueued {
                service: "slack".into(),
                channel: Some(channel),
                target: (*target).into(),
                text: text.into(),
                ..DeliveryQueued::default()
            };
            self.write(seconds, Event::DeliveryQueued(body))
        };
        places.iter().map(queue).collect()
    }

    /// Moves a delivery through states, one a second.
    fn moves(&mut self, seconds: i64, delivery: EntryId, states: &[DeliveryState]) {
        for (place, to) in states.iter().enumerate() {
            let known = self.incident.deliveries.iter().find(|known| known.id == delivery).unwrap();
            let body = DeliveryMoved { delivery, step: known.moves, to: to.clone(), is_routine: false };
            assert!(known.state.leads_to(to), "{:?} to {to:?}", known.state);
            self.write(seconds + place as i64, Event::DeliveryMoved(body));
        }
    }

    fn owed(&self, channel: Channel) -> Option<Obligation> {
        let all = cadence::obligations(&self.incident, Rules { cadence: &Cadence::default(), tell: &[] });
        all.into_iter().find(|one| one.duty == Duty::Update(channel))
    }

    fn kept(&self, until: i64) -> (usize, usize) {
        let measures = measures::measures(&self.incident, &Cadence::default(), at(until));
        let kept = measures.cadence.into_iter().find(|kept| kept.channel == SLACK).unwrap();
        (kept.owed, kept.kept)
    }
}

fn declared() -> Event {
    Event::Declared(Declared {
        title: "p99 over 2 s".into(),
        severity: Severity::Sev1,
        service: Some("alipay".into()),
        detected_at: Some(at(0)),
        detection: None,
        zone: "UTC".into(),
        link: None,
    })
}

fn sent() -> DeliveryState {
    DeliveryState::Sent("17.1".into())
}

fn failed() -> DeliveryState {
    DeliveryState::Failed { why: "slack says is_archived".into() }
}

fn unconfirmed() -> DeliveryState {
    DeliveryState::Unconfirmed { why: "said nothing for 5 s".into() }
}

fn again() -> DeliveryState {
    DeliveryState::Queued { not_before: at(0), why: None, choice: None }
}

/// Whatever becomes of an approved text, only the system's own answer or a person's word satisfies its clock; what is stuck is due at once.
#[test]
fn a_clock_is_satisfied_by_what_the_channel_has_and_by_nothing_else() {
    use DeliveryState::{ByHand, Sending};
    let held = DeliveryState::Held { why: "public".into(), ways: Vec::new() };
    let dropped = DeliveryState::Dropped { why: "never mind".into() };
    let table: &[(&[DeliveryState], Option<i64>, Option<i64>)] = &[
        // The moves from the 600th second on, when it was told, since when it is stuck.
        (&[], None, None),
        (&[Sending], None, None),
        (&[Sending, sent()], Some(600), None),
        (&[Sending, failed()], None, Some(601)),
        (&[Sending, failed(), again(), Sending, sent()], Some(603), None),
        (&[Sending, failed(), ByHand], Some(602), None),
        (&[Sending, unconfirmed()], None, Some(601)),
        (&[Sending, unconfirmed(), sent()], Some(600), None),
        (&[Sending, unconfirmed(), ByHand], Some(602), None),
        (std::slice::from_ref(&held), None, Some(600)),
        (&[held.clone(), ByHand], Some(601), None),
        (&[dropped], None, Some(600)),
        (&[ByHand], Some(600), None),
    ];
    for (moves, told, stuck) in table {
        let mut record = Record::begun();
        let ids = record.update(600, SLACK, "we look into it", &["C1"]);
        record.moves(600, ids[0], moves);
        let heard = record.incident.last_heard(SLACK).map(|heard| heard.at);
        assert_eq!(heard, told.map(at), "{moves:?}");
        let owed = record.owed(SLACK).unwrap();
        let due = stuck.map_or(at(told.unwrap_or(0)) + TimeDelta::minutes(15), at);
        assert_eq!(owed.due, due, "{moves:?}: {owed:?}");
        assert_eq!(owed.urgency(at(610)) == Urgency::Overdue, stuck.is_some(), "{moves:?}");
        let says = owed.name.as_str();
        match (told, stuck) {
            (Some(_), _) => assert_eq!(says, "update #status-qrpay"),
            (None, Some(_)) => assert!(says.contains(" since 20:"), "{says}"),
            (None, None) => assert_eq!(says, "update #status-qrpay, on its way since 20:36"),
        }
        let before = Record::begun().owed(SLACK).unwrap();
        assert_eq!(record.incident.has_met(&before), told.is_some(), "{moves:?}");
        // At the 1,500th second one was due at 900, or 15 minutes after it was told.
        let expected = if told.is_some() { (1, 1) } else { (1, 0) };
        assert_eq!(record.kept(1_490), expected, "{moves:?}");
    }
}

#[test]
fn what_is_on_its_way_too_long_is_overdue_like_silence() {
    let mut record = Record::begun();
    record.update(600, SLACK, "we look into it", &["C1"]);
    let owed = record.owed(SLACK).unwrap();
    assert_eq!((owed.urgency(at(610)), owed.urgency(at(900))), (Urgency::Soon, Urgency::Overdue));
}

#[test]
fn a_channel_that_leads_nowhere_is_told_when_a_person_says_so_and_so_is_one_in_a_drill() {
    let mut record = Record::begun();
    record.update(600, SLACK, "told by phone", &[]);
    assert_eq!(record.incident.last_heard(SLACK).unwrap().at, at(600));
    record.update(700, SLACK, "for practice", &[]);
    let body = DeliveryQueued {
        service: "slack".into(),
        channel: Some(SLACK),
        target: "C1".into(),
        text: "for practice".into(),
        release: Release::Never,
        ..DeliveryQueued::default()
    };
    record.write(700, Event::DeliveryQueued(body));
    assert_eq!(record.incident.last_heard(SLACK).unwrap().at, at(700));
}

#[test]
fn two_systems_behind_one_channel_both_count_and_two_channels_in_one_place_are_told_at_once() {
    let mut record = Record::begun();
    let ids = record.update(600, SLACK, "we look into it", &["C1", "C2"]);
    record.moves(600, ids[0], &[DeliveryState::Sending, sent()]);
    assert_eq!(record.incident.last_heard(SLACK), None);
    record.moves(620, ids[1], &[DeliveryState::Sending, sent()]);
    assert_eq!(record.incident.last_heard(SLACK).unwrap().at, at(620));
    // The second delivery takes the place of the first: one message tells both channels.
    let both = StatusUpdate {
        channels: [Channel::IncidentChannel, SLACK].into(),
        text: "one place".into(),
        ..StatusUpdate::default()
    };
    record.write(700, Event::StatusUpdatePosted(both));
    let queue = |channel| {
        let (service, target, text) = ("slack".into(), "C9".into(), "one place".into());
        let channel = Some(channel);
        Event::DeliveryQueued(DeliveryQueued { service, channel, target, text, ..DeliveryQueued::default() })
    };
    record.write(700, queue(Channel::IncidentChannel));
    let last = record.write(700, queue(SLACK));
    record.moves(705, last, &[DeliveryState::Sending, sent()]);
    for channel in [Channel::IncidentChannel, SLACK] {
        assert_eq!(record.incident.last_heard(channel).unwrap().at, at(705), "{channel:?}");
    }
}

#[test]
fn of_many_texts_the_newest_decides_and_a_replaced_one_counts_with_what_replaced_it() {
    let mut record = Record::begun();
    let first = record.update(300, SLACK, "first", &["C1"]);
    record.moves(300, first[0], &[DeliveryState::Sending, failed()]);
    assert_eq!(record.owed(SLACK).unwrap().due, at(301));
    let second = record.update(400, SLACK, "second", &["C1"]);
    assert_eq!(record.owed(SLACK).unwrap().due, at(900), "on its way: the first one is superseded");
    record.moves(400, second[0], &[DeliveryState::Sending, sent()]);
    let heard: Vec<_> = record.incident.heard(SLACK).into_iter().map(|heard| heard.at).collect();
    assert_eq!(heard, [at(400), at(400)]);
    assert_eq!(record.owed(SLACK).unwrap().due, at(400 + 900));
}

#[test]
fn a_page_that_was_not_told_of_the_end_is_still_owed_after_it() {
    let mut record = Record::begun();
    let page = Channel::ExternalPage;
    record.write(900, Event::PhaseEntered(PhaseEntered::plain(Phase::Resolved)));
    assert_eq!(record.owed(page), None);
    let last = DeliveryQueued {
        service: "statuspage".into(),
        channel: Some(page),
        target: "p1".into(),
        text: "This is resolved.".into(),
        release: Release::OnWord,
        ..DeliveryQueued::default()
    };
    let id = record.write(901, Event::DeliveryQueued(last));
    let owed = record.owed(page).unwrap();
    assert_eq!((owed.due, owed.way.as_deref()), (at(901), Some("YOUR WORD since 20:41 (:outbox)")));
    record.moves(950, id, &[again(), DeliveryState::Sending, DeliveryState::Sent(Remote::from("inc9"))]);
    assert_eq!(record.owed(page), None);
    assert_eq!(record.incident.last_heard(page).unwrap().at, at(951));
}
