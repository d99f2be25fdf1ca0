//! What this console sends to other systems.
//!
//! Hides which console does it: the one that queued it; if that one is gone, whoever moves first in the record. A move that came second has no
//! effect, and nothing is sent before the own move has come back from the record as the first.
//!
//! Invariant: `sending` is on disk before the first byte leaves; what may be there is looked for before anything is sent again.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, Effect, Tone};
use crate::incident::{
    About, Act, Command, Delivery, DeliveryMoved, DeliveryState, EntryId, Event, Parcel, Receipt, StatusUpdate,
};
use crate::text::CleanStr;

/// What was sent a moment ago may not be found yet.
const FIRST_LOOK: TimeDelta = TimeDelta::seconds(5);
/// So much later than the one before it a console asks for what is missing.
const TURN: TimeDelta = TimeDelta::seconds(3);
/// What customers read is not sent by itself so long after it was approved.
const STALE: TimeDelta = TimeDelta::minutes(5);
/// What could not be asked is asked again after this, longer from time to time.
const NEXT_LOOK: TimeDelta = TimeDelta::seconds(15);
/// After so many looks that said nothing a person must decide.
const MOST_LOOKS: u32 = 20;

/// What this console has on its hands.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// After how many moves each is being sent by this console, since it opened the record.
    sending: BTreeMap<EntryId, u32>,
    /// What was handed over or asked about, and after how many moves: once for each.
    handed: BTreeMap<EntryId, u32>,
    /// What the answer makes of it, until that is in the record.
    answered: BTreeMap<EntryId, (u32, DeliveryState)>,
    /// How often each was looked for, and when it is again.
    looks: BTreeMap<EntryId, (u32, DateTime<Utc>)>,
    /// How many entries there were when it was last asked what is missing elsewhere …
    looked_at: usize,
    /// … and since when something is that somebody else may ask for.
    missing_since: Option<DateTime<Utc>>,
    /// When other systems were last asked what was done there, in the incident's clock.
    pub(super) asked_news: Option<DateTime<Utc>>,
    /// The incident ran while it was open here.
    was_open: bool,
    /// When there is something to do next, in the incident's clock.
    pub(super) next: Option<DateTime<Utc>>,
}

impl Console {
    /// Events, and behind an approved text what takes it to the systems that are configured here.
    pub(super) fn with_deliveries(&self, mut events: Vec<Event>) -> Vec<Event> {
        let posted =
            |event: &Event| if let Event::StatusUpdatePosted(update) = event { Some(update.clone()) } else { None };
        let updates: Vec<StatusUpdate> = events.iter().filter_map(posted).collect();
        let posts = updates.iter().flat_map(|update| self.settings.reach.posts(update, &self.incident));
        events.extend(posts.map(Event::DeliveryQueued));
        events
    }

    /// Asks for what other systems should know and nobody has asked for: the first console of those that are here does, the next one a little later.
    fn ask_for_missing(&mut self, now: DateTime<Utc>, effects: &mut Vec<Effect>) -> Option<DateTime<Utc>> {
        // A record that was closed before is read, not followed.
        self.outbox.was_open |= self.incident.phase() != crate::incident::Phase::Closed;
        if self.settings.reach.is_empty() || !self.outbox.was_open {
            return None;
        }
        let entries = self.incident.len();
        if self.outbox.looked_at == entries && self.outbox.missing_since.is_none() {
            return None;
        }
        self.outbox.looked_at = entries;
        let missing = self.settings.reach.missing(&self.incident);
        if missing.is_empty() {
            self.outbox.missing_since = None;
            return None;
        }
        let me = &self.settings.console;
        let before = self.present.iter().filter(|one| one.console < *me).count();
        let due = *self.outbox.missing_since.get_or_insert(now) + TURN * i32::try_from(before.min(20)).unwrap_or(20);
        if now < due {
            return Some(due);
        }
        self.outbox.missing_since = None;
        let events = missing.into_iter().map(Event::DeliveryQueued).collect();
        let append = self.append(events, None);
        effects.push(append);
        None
    }

    /// Whether this console can reach a delivery's system, and it is its turn.
    fn is_ours(&self, delivery: &Delivery) -> bool {
        let me = &self.settings.console;
        let is_here = |console: &CleanStr| self.present.iter().any(|one| one.console == *console);
        let can = self.settings.reach.serves(&delivery.body.service) && !self.settings.reach.is_dry;
        can && (delivery.console == *me || (is_here(me) && !is_here(&delivery.console)))
    }

    /// Moves what can be moved; what comes back from the record as ours is handed over.
    pub(super) fn send_out(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.outbox.next = None;
        let has_room = self.own.back >= self.own.sent && self.record.unwritable.is_none();
        if !self.may_write() || !self.record.is_complete || !has_room {
            return;
        }
        let (now, me) = (self.incident.clock().show(wall), self.settings.console.clone());
        self.outbox.next = self.ask_for_missing(now, effects);
        if !effects.is_empty() && self.own.back < self.own.sent {
            return;
        }
        let open: Vec<Delivery> =
            self.incident.undelivered().filter(|delivery| self.is_ours(delivery)).cloned().collect();
        let mut next = self.outbox.next.into_iter().chain(self.ask_news(now, effects)).min();
        let mut later = |at: DateTime<Utc>| next = Some(next.map_or(at, |next| next.min(at)));
        let mut before: Vec<&Delivery> = Vec::new();
        for delivery in &open {
            let id = delivery.id;
            // What goes to one place goes there in its order.
            let is_behind = before.iter().any(|first| first.is_beside(delivery));
            if matches!(delivery.state, DeliveryState::Queued { .. } | DeliveryState::Sending) {
                before.push(delivery);
            }
            let is_sending = delivery.console == me && self.outbox.sending.get(&id) == Some(&delivery.moves);
            let is_handed = self.outbox.handed.get(&id) == Some(&delivery.moves);
            if let Some((step, to)) = self.outbox.answered.get(&id)
                && *step == delivery.moves
            {
                let to = to.clone();
                self.move_on(delivery, to, wall, effects);
                continue;
            }
            match &delivery.state {
                DeliveryState::Queued { .. } if is_behind => {}
                DeliveryState::Queued { not_before, .. } if *not_before > now => later(*not_before),
                DeliveryState::Queued { why, .. } if delivery.is_delicate() && now - delivery.approved_at > STALE => {
                    let why = why.as_deref().unwrap_or("nobody could send it");
                    let why = format!("approved {} min ago and not sent ({why}): read it again", STALE.num_minutes());
                    self.move_on(
                        delivery,
                        DeliveryState::Held { why: CleanStr::new(&why), ways: Vec::new() },
                        wall,
                        effects,
                    );
                }
                DeliveryState::Queued { .. } => match self.incident.about(delivery) {
                    About::Awaited(_) => {}
                    About::Missing(thing) => {
                        let why = format!("{} has no {} that this is about", delivery.body.service, thing.name());
                        self.move_on(delivery, DeliveryState::Dropped { why: CleanStr::new(&why) }, wall, effects);
                    }
                    About::Nothing | About::There(_) => {
                        self.outbox.sending.insert(id, delivery.moves + 1);
                        self.move_on(delivery, DeliveryState::Sending, wall, effects);
                    }
                },
                DeliveryState::Sending if is_sending && !is_handed => {
                    effects.push(Effect::Deliver(self.parcel(delivery)));
                    self.outbox.handed.insert(id, delivery.moves);
                }
                DeliveryState::Sending if is_sending => {}
                DeliveryState::Sending => {
                    let why = "the console that sent it has left the record".into();
                    self.move_on(delivery, DeliveryState::Unconfirmed { why }, wall, effects);
                }
                DeliveryState::Unconfirmed { .. } if !is_handed => {
                    let (count, due) = *self.outbox.looks.entry(id).or_insert((0, delivery.since + FIRST_LOOK));
                    if due > now {
                        later(due);
                    } else if count < MOST_LOOKS {
                        effects.push(Effect::LookUp(self.parcel(delivery)));
                        self.outbox.handed.insert(id, delivery.moves);
                    }
                }
                _ => {}
            }
        }
        self.outbox.next = next;
    }

    /// Whether something that was approved here is on its way, or about to be.
    pub(crate) fn is_sending(&self) -> bool {
        let me = &self.settings.console;
        let is_ours = |delivery: &&Delivery| delivery.console == *me && self.is_ours(delivery);
        self.incident.undelivered().filter(is_ours).any(|delivery| match &delivery.state {
            DeliveryState::Queued { .. } => delivery.tries == 0,
            DeliveryState::Sending => true,
            _ => false,
        })
    }

    /// As the system's clock has it.
    fn parcel(&self, delivery: &Delivery) -> Parcel {
        let parcel = delivery.parcel(&self.incident);
        Parcel { sent_at: self.incident.clock().wall(parcel.sent_at), ..parcel }
    }

    fn delivery(&self, id: EntryId) -> Option<Delivery> {
        self.incident.deliveries.iter().find(|delivery| delivery.id == id).cloned()
    }

    pub(super) fn delivered(&mut self, id: EntryId, receipt: Receipt, wall: DateTime<Utc>) {
        let Some(delivery) = self.delivery(id) else { return };
        let now = self.incident.clock().show(wall);
        let to = match receipt {
            Receipt::There(remote) => DeliveryState::Sent(remote),
            Receipt::NotThere { why, wait } => {
                let not_before = now + wait.unwrap_or_else(|| delivery.pause());
                DeliveryState::Queued { not_before, why: Some(why), choice: None }
            }
            Receipt::Refused(why) => {
                self.say(Tone::Failed, format!("{} did not take the text: {why}", delivery.place()), wall);
                DeliveryState::Failed { why }
            }
            Receipt::Unknown(why) => DeliveryState::Unconfirmed { why },
            Receipt::Asks { why, ways } => {
                self.say(Tone::Failed, format!("{} waits for your word (:outbox): {why}", delivery.place()), wall);
                DeliveryState::Held { why, ways }
            }
        };
        self.outbox.answered.insert(id, (delivery.moves, to));
    }

    pub(super) fn looked_up(&mut self, id: EntryId, receipt: Receipt, wall: DateTime<Utc>) {
        let Some(delivery) = self.delivery(id) else { return };
        let now = self.incident.clock().show(wall);
        let to = match receipt {
            Receipt::There(remote) => DeliveryState::Sent(remote),
            Receipt::NotThere { why, .. } => {
                let place = self.incident.deliveries.iter().position(|other| other.id == id).unwrap_or_default();
                let mut newer = self.incident.deliveries[place..].iter().skip(1);
                // A newer text for the same place says more than this one would by now.
                if newer.any(|other| other.replaces(&delivery)) {
                    DeliveryState::Dropped { why: "it is not there, and a newer text was queued".into() }
                } else if delivery.is_delicate() {
                    DeliveryState::Held {
                        why: format!("{why}: send it again only if nobody has seen it").as_str().into(),
                        ways: Vec::new(),
                    }
                } else {
                    DeliveryState::Queued { not_before: now, why: Some(why), choice: None }
                }
            }
            Receipt::Refused(why) | Receipt::Unknown(why) | Receipt::Asks { why, .. } => {
                let looks = self.outbox.looks.entry(id).or_insert((0, now));
                looks.0 += 1;
                looks.1 = now + NEXT_LOOK * i32::try_from(looks.0).unwrap_or(i32::MAX).min(8);
                self.outbox.handed.remove(&id);
                if looks.0 == MOST_LOOKS {
                    let words = format!("nobody knows whether {} has the text: {why}", delivery.place());
                    self.say(Tone::Failed, words, wall);
                }
                return;
            }
        };
        self.outbox.answered.insert(id, (delivery.moves, to));
    }

    /// Who was faster has said it: that is no news for anybody.
    fn move_on(&mut self, delivery: &Delivery, to: DeliveryState, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let keeps_up = matches!(
            delivery.body.act,
            Act::Describe | Act::Note(_) | Act::Topic | Act::Pin | Act::Invite(_) | Act::Tell
        );
        let is_routine = keeps_up && matches!(to, DeliveryState::Sent(_)) && delivery.tries < 2;
        let (delivery, step) = (delivery.id, delivery.moves);
        self.command(Command::MoveDelivery(DeliveryMoved { delivery, step, to, is_routine }), None, wall, effects);
    }
}
