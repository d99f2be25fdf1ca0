//! Lines for a ticket from several consoles of one record: whoever follows it gets one mail a minute.

use super::*;
use crate::channel::spec::tracker;
use crate::incident::{Act, DeliveryQueued, NoteAdded, NoteKind, Opened, Receipt, Severity};
use crate::reach::{JIRA, Place, Reach};

const NAMES: [&str; 3] = ["c1", "c2", "c3"];

/// Consoles that share a record, on one clock.
struct Room {
    desks: Vec<Desk>,
    log: Vec<Entry>,
    rseq: u64,
    hlc: Hlc,
    /// When each comment was written, and by which console.
    comments: Vec<(i64, &'static str, String)>,
}

impl Room {
    fn new() -> Self {
        let tracker = tracker(JIRA, Place::One("OPS".into())).unwrap();
        let desk = |name: &str| {
            let reach = Reach { trackers: vec![tracker.clone()], ..Reach::default() };
            let settings = Settings { reach, console: name.into(), ..settings(Layout::Comms) };
            let mut desk = Desk { is_held: true, ..Desk::with(settings, (80, 24)) };
            desk.tell(Msg::Journal(JournalMsg::Opened(desk.id)));
            desk.tell(Msg::Journal(JournalMsg::CaughtUp));
            desk
        };
        let mut room = Self {
            desks: NAMES.iter().map(|name| desk(name)).collect(),
            log: Vec::new(),
            rseq: 0,
            hlc: Hlc::default(),
            comments: Vec::new(),
        };
        let present = NAMES.map(|name| Present {
            actor: "dana".into(),
            layout: "comms".into(),
            console: name.into(),
            looks_only: false,
            is_dry: false,
        });
        for desk in &mut room.desks {
            desk.tell(Msg::Journal(JournalMsg::Present(present.to_vec())));
        }
        room.asks(0, declared());
        let opened =
            Opened { title: "p99".into(), severity: Severity::Sev1, alerts: Default::default(), linked: Vec::new() };
        let queued = DeliveryQueued {
            service: JIRA.into(),
            target: "OPS".into(),
            act: Act::Open(opened),
            ..DeliveryQueued::default()
        };
        room.asks(0, Event::DeliveryQueued(queued));
        room.settle();
        room
    }

    /// A console writes something.
    fn asks(&mut self, place: usize, event: Event) {
        let wall = self.desks[place].wall;
        let effect = self.desks[place].console.append(vec![event], None, wall);
        self.desks[place].effects.push(effect);
    }

    fn note(&mut self, place: usize, text: &str) {
        self.asks(place, Event::NoteAdded(NoteAdded { kind: NoteKind::Finding, text: text.into(), at: None }));
    }

    /// Carries entries and answers to and fro until nothing moves. All consoles act before any of them hears of the others.
    fn settle(&mut self) {
        loop {
            let all: Vec<Vec<Effect>> = self.desks.iter_mut().map(|desk| std::mem::take(&mut desk.effects)).collect();
            if all.iter().all(Vec::is_empty) {
                return;
            }
            let mut answers = Vec::new();
            for (place, effects) in all.into_iter().enumerate() {
                for effect in effects {
                    match effect {
                        Effect::Append { ticket, events, .. } => self.commit(place, ticket, &events, &mut answers),
                        Effect::Prove(parcel) => {
                            answers.push((place, Msg::Proved(parcel.id, Receipt::There("OPS-1".into()))));
                        }
                        Effect::Deliver(parcel) => answers.push((place, Msg::Ready(parcel.id))),
                        Effect::Proceed(id) => {
                            self.writes(place, id);
                            answers.push((place, Msg::Delivered(id, Receipt::There("OPS-1".into()))));
                        }
                        _ => {}
                    }
                }
            }
            for (place, msg) in answers {
                self.desks[place].tell(msg);
            }
        }
    }

    /// As the journal does: what comes later stands later, and everybody reads it in that order.
    fn commit(&mut self, place: usize, ticket: u64, events: &[Event], answers: &mut Vec<(usize, Msg)>) {
        let mut entries = Vec::new();
        for event in events {
            self.rseq += 1;
            self.hlc = self.hlc.next(self.desks[place].wall);
            let mut entry = self.desks[place].stamped("dana", NAMES[place], event.clone());
            (entry.id, entry.hlc) = (EntryId { rid: 1, rseq: self.rseq }, self.hlc);
            entries.push(entry);
        }
        self.log.extend(entries.iter().cloned());
        answers.extend((0..self.desks.len()).map(|to| (to, Msg::Journal(JournalMsg::Entries(entries.clone())))));
        let stamps = entries.iter().map(Entry::stamp).collect();
        answers.push((place, Msg::Journal(JournalMsg::Saved(ticket, stamps))));
    }

    fn writes(&mut self, place: usize, id: EntryId) {
        let desk = &self.desks[place];
        let incident = desk.console.incident();
        let delivery = incident.deliveries.iter().find(|one| one.id == id).unwrap();
        if let Act::Note(_) = &delivery.body.act {
            let words = delivery.words(incident).to_string();
            self.comments.push(((desk.wall - at(0)).num_seconds(), NAMES[place], words));
        }
    }

    fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            for desk in &mut self.desks {
                desk.wall += TimeDelta::seconds(1);
                let wall = desk.wall;
                // A console sleeps until it wants to be woken.
                if desk.console.next_wake().is_some_and(|at| at <= wall) {
                    desk.tell(Msg::Wake);
                }
            }
            self.settle();
        }
    }
}

#[test]
fn a_ticket_gets_one_comment_a_minute_from_all_consoles_together_and_none_waits_for_ever() {
    let mut room = Room::new();
    room.pass(120);
    room.comments.clear();
    for minute in 0..6 {
        for place in 0..NAMES.len() {
            room.note(place, &format!("line {minute} of {place}"));
        }
        room.settle();
        room.pass(60);
    }
    room.pass(240);
    let times: Vec<i64> = room.comments.iter().map(|(at, ..)| *at).collect();
    assert!(times.windows(2).all(|two| two[1] - two[0] >= 60), "{:?}", room.comments);
    // Every line was told once, by the console that has it, and each console had its turn.
    for (place, name) in NAMES.iter().enumerate() {
        for minute in 0..6 {
            let line = format!("line {minute} of {place}");
            let told = room.comments.iter().filter(|(_, _, text)| text.contains(&line));
            assert_eq!(told.map(|(_, name, _)| *name).collect::<Vec<_>>(), [*name], "{line}: {:?}", room.comments);
        }
    }
}

#[test]
fn lines_of_a_console_that_is_gone_hold_nobody_up_for_long() {
    let mut room = Room::new();
    room.pass(120);
    room.comments.clear();
    // The third queues its lines and is gone before anything leaves.
    room.note(2, "of the third");
    while !room.desks[0]
        .console
        .incident()
        .deliveries
        .iter()
        .any(|one| matches!(one.body.act, Act::Note(_)) && one.moves == 0)
    {
        let effects = std::mem::take(&mut room.desks[2].effects);
        assert!(!effects.is_empty());
        let mut answers = Vec::new();
        for effect in effects {
            if let Effect::Append { ticket, events, .. } = effect {
                room.commit(2, ticket, &events, &mut answers);
            }
        }
        for (place, msg) in answers {
            room.desks[place].tell(msg);
        }
    }
    room.desks.truncate(2);
    room.note(0, "of the first");
    room.note(1, "of the second");
    room.settle();
    room.pass(29);
    assert_eq!(room.comments, [], "the first in the record is waited for");
    room.pass(180);
    let names: Vec<&str> = room.comments.iter().map(|(_, name, _)| *name).collect();
    assert_eq!(names, ["c1", "c2"], "{:?}", room.comments);
}
