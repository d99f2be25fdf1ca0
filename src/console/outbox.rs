//! What this console sends to other systems.
//!
//! Hides which console does it: the one whose process put it where it stands; if that one is gone, another one of its account, or whoever takes it
//! over. A move that came second has no effect, and nothing is sent before the own move has come back from the record as the first.
//!
//! Invariant: what this process sends it queued, released or took over itself, for a place that its own configuration names; that a delivery stands in
//! the record sends nothing, and nothing leaves a drill. `sending` is on disk directly before the first byte leaves, after all that is only asked, so
//! that what never left waits; what may be there is looked for before anything is sent again; whatever a system answers, [`super::pace`] says when it is asked again, to take something as to find it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::opened::OpenRecord;
use super::pace::{Free, jittered};
use super::remotes::Named;
use super::{Console, Effect, Tone};
use crate::incident::{
    About, Act, Command, Delivery, DeliveryMoved, DeliveryQueued, DeliveryState, Entry, EntryId, Event, Incident,
    Parcel, Phase, Receipt, Series, StatusUpdate,
};
use crate::incident::{Refusal, command};
use crate::text::CleanStr;

mod gather;

/// What was sent a moment ago may not be found yet.
const FIRST_LOOK: TimeDelta = TimeDelta::seconds(5);
/// What customers read is not sent by itself so long after it was approved.
const STALE: TimeDelta = TimeDelta::minutes(5);
/// What could not be asked is asked again after this, longer from time to time.
const NEXT_LOOK: TimeDelta = TimeDelta::seconds(15);
/// After so many looks that said nothing a person must decide.
const MOST_LOOKS: u32 = 20;
/// An answer that did not come for so long will not come.
const LOST: TimeDelta = TimeDelta::minutes(2);

/// How a delivery is looked for.
#[derive(Clone, Copy, Debug)]
struct Looks {
    /// After how many of its moves.
    moves: u32,
    /// How often it was looked for since.
    count: u32,
    /// When it is next.
    due: DateTime<Utc>,
}

/// Something that is prepared: of it nothing has left.
#[derive(Clone, Copy, Debug)]
struct Prepared {
    /// After how many of its moves.
    moves: u32,
    /// Since when.
    since: DateTime<Utc>,
    /// It stands before its first write.
    is_ready: bool,
}

/// What this console has on its hands.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What is prepared, up to its first write.
    prepared: BTreeMap<EntryId, Prepared>,
    /// After how many moves each is being sent by this console, since it opened the record.
    sending: BTreeMap<EntryId, u32>,
    /// What was handed over or asked about, and after how many moves: once for each.
    handed: BTreeMap<EntryId, u32>,
    /// What the answer makes of it, until that is in the record.
    answered: BTreeMap<EntryId, (u32, DeliveryState)>,
    /// The same, of what was there before anything was written, or was refused: where it stands after it is said to be sent.
    then: BTreeMap<EntryId, (u32, DeliveryState)>,
    /// How often each was looked for, and when it is again.
    looks: BTreeMap<EntryId, Looks>,
    /// How many entries there were when it was last asked what is missing elsewhere.
    looked_at: usize,
    /// Until when lines are gathered.
    gathers: Option<DateTime<Utc>>,
    /// Whoever sits here leaves.
    is_left: bool,
    /// What other systems should know because of what others wrote: they tell it themselves, or a person here says that it goes out.
    left: Vec<DeliveryQueued>,
    /// Entries that were taken for others' while something of our own was on its way.
    doubtful: BTreeSet<EntryId>,
    /// When other systems were last asked what was done there, in the incident's clock.
    pub(super) asked_news: Option<DateTime<Utc>>,
    /// The incident ran while it was open here, or was closed a short while before.
    was_open: bool,
    /// When there is something to do next, in the incident's clock.
    pub(super) next: Option<DateTime<Utc>>,
}

/// What is among the first and not among the others; of lines of the timeline, those that are not.
fn without(all: &[DeliveryQueued], others: &[DeliveryQueued]) -> Vec<DeliveryQueued> {
    let is_beside =
        |one: &DeliveryQueued, other: &DeliveryQueued| one.service == other.service && one.target == other.target;
    let rest = all.iter().filter_map(|one| {
        let Act::Note(lines) = &one.act else { return (!others.contains(one)).then(|| one.clone()) };
        let told: BTreeSet<&EntryId> = others
            .iter()
            .filter(|other| is_beside(one, other))
            .filter_map(|other| if let Act::Note(lines) = &other.act { Some(lines) } else { None })
            .flatten()
            .collect();
        let lines: BTreeSet<EntryId> = lines.iter().filter(|line| !told.contains(line)).copied().collect();
        (!lines.is_empty()).then(|| DeliveryQueued { act: Act::Note(lines), ..one.clone() })
    });
    rest.collect()
}

impl Outbox {
    /// Something stands before its first write.
    pub(super) fn is_ready(&mut self, id: EntryId) {
        if let Some(prepared) = self.prepared.get_mut(&id) {
            prepared.is_ready = true;
        }
    }

    /// What is prepared of a delivery as it stands.
    fn prepared(&self, delivery: &Delivery) -> Option<&Prepared> {
        let is_waiting = matches!(delivery.state, DeliveryState::Queued { .. });
        self.prepared.get(&delivery.id).filter(|prepared| is_waiting && prepared.moves == delivery.moves)
    }

    /// What the answer makes of a delivery, where there is one.
    fn answer(&self, delivery: &Delivery) -> Option<&DeliveryState> {
        let known = [&self.answered, &self.then].into_iter().filter_map(|known| known.get(&delivery.id));
        known.filter(|(step, _)| *step == delivery.moves).map(|(_, to)| to).next()
    }

    /// Whether an own entry was taken for somebody else's before the journal said whose it is.
    pub(super) fn takes_back(&mut self, id: EntryId) -> bool {
        self.doubtful.remove(&id)
    }
}

impl Console {
    /// What a command leads to here. A dry run sends nothing, and decides nothing about what others send.
    pub(super) fn decide(&self, command: Command, wall: DateTime<Utc>) -> Result<Vec<Event>, Refusal> {
        if self.settings.reach.is_dry && matches!(command, Command::MoveDelivery(_) | Command::SendOut(_)) {
            let why = "this console is a dry run: it sends nothing, and decides nothing about what others send";
            return Err(Refusal::No(why.into()));
        }
        let asking = self.cx(wall).asking_for(&command);
        command::decide(&self.open.incident, command, &asking)
    }

    /// Events, and behind an approved text what takes it to the systems that are configured here.
    pub(super) fn with_deliveries(&self, mut events: Vec<Event>) -> Vec<Event> {
        let posted =
            |event: &Event| if let Event::StatusUpdatePosted(update) = event { Some(update.clone()) } else { None };
        let updates: Vec<StatusUpdate> = events.iter().filter_map(posted).collect();
        let posts = updates.iter().flat_map(|update| self.settings.reach.posts(update, &self.open.incident));
        events.extend(posts.map(Event::DeliveryQueued));
        events
    }

    /// Events in which each text that goes out reads as its channel's template says: all that is queued passes here, and what was confirmed is what leaves.
    pub(super) fn worded(&self, mut events: Vec<Event>, wall: DateTime<Utc>) -> Vec<Event> {
        let posted =
            |event: &Event| if let Event::StatusUpdatePosted(update) = event { Some(update.clone()) } else { None };
        let updates: Vec<StatusUpdate> = events.iter().filter_map(posted).collect();
        let cx = self.cx(wall);
        for event in &mut events {
            if let Event::DeliveryQueued(body) = event {
                let promised = updates.iter().find(|update| update.text == body.text);
                body.worded = super::overlay::worded(body, promised.and_then(|update| update.promised_next), &cx);
            }
        }
        events
    }

    /// Asks for what other systems should know because of what was done here.
    fn ask_for_missing(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let now = self.open.incident.clock().show(wall);
        // What was closed long ago is read, not followed.
        let closed_for = self.open.incident.closing.as_ref().map_or(TimeDelta::zero(), |closing| now - closing.mark.at);
        self.open.outbox.was_open |= self.open.incident.phase().is_followed(closed_for);
        let entries = self.open.incident.len();
        let is_known =
            self.open.outbox.looked_at == entries && self.open.outbox.gathers.is_none_or(|until| now < until);
        // Without the templates of the channels nobody knows how a text leaves.
        let is_early = self.settings.templates.is_empty();
        if self.settings.reach.is_empty() || !self.open.outbox.was_open || is_known || is_early {
            return;
        }
        self.open.outbox.looked_at = entries;
        let all = self.settings.reach.missing(&self.open.incident);
        // What was told in the meantime is left no more.
        self.open.outbox.left = without(&self.open.outbox.left, &without(&self.open.outbox.left, &all));
        let mut missing = self.without_lines_of_others(without(&all, &self.open.outbox.left));
        self.open.outbox.gathers = None;
        missing.retain(|body| {
            let until = self.gathers_until(body, now);
            self.open.outbox.gathers = self.open.outbox.gathers.max(until);
            until.is_none()
        });
        if !missing.is_empty() {
            let append = self.append(missing.into_iter().map(Event::DeliveryQueued).collect(), None, wall);
            effects.push(append);
        }
    }

    /// What is missing, without the lines that others wrote: their console tells those, and until it has they are left. A line has its author whatever
    /// else is known by then, so that two consoles that write at once tell each line once.
    fn without_lines_of_others(&mut self, missing: Vec<DeliveryQueued>) -> Vec<DeliveryQueued> {
        let is_own = |line: &EntryId| self.open.incident.entry(*line).is_some_and(|entry| self.own.vouches_for(entry));
        let (mut own, mut others) = (Vec::new(), Vec::new());
        for one in missing {
            let Act::Note(lines) = &one.act else {
                own.push(one);
                continue;
            };
            let (mine, theirs): (BTreeSet<EntryId>, BTreeSet<EntryId>) = lines.iter().copied().partition(is_own);
            let of = |lines: BTreeSet<EntryId>| DeliveryQueued { act: Act::Note(lines), ..one.clone() };
            own.extend((!mine.is_empty()).then(|| of(mine)));
            others.extend((!theirs.is_empty()).then(|| of(theirs)));
        }
        self.open.outbox.left.extend(others);
        own
    }

    /// Takes in what others wrote; what that means for other systems is theirs to tell.
    pub(super) fn take_of_others(&mut self, entries: Vec<Entry>) {
        let is_followed = self.open.record.is_complete && !self.settings.reach.is_empty() && !entries.is_empty();
        if !is_followed {
            return self.open.incident.apply(entries);
        }
        if self.own.is_waiting() {
            self.open.outbox.doubtful.extend(entries.iter().map(|entry| entry.id));
        } else {
            self.open.outbox.doubtful.clear();
        }
        let before = self.settings.reach.missing(&self.open.incident);
        self.open.incident.apply(entries);
        let after = self.settings.reach.missing(&self.open.incident);
        let new = without(&after, &before).into_iter().filter_map(|body| self.without_own_lines(body));
        let new: Vec<DeliveryQueued> = new.collect();
        self.open.outbox.left.extend(new);
    }

    /// What others are to tell, without the lines that this console wrote: it tells those itself.
    fn without_own_lines(&self, body: DeliveryQueued) -> Option<DeliveryQueued> {
        let Act::Note(lines) = &body.act else { return Some(body) };
        let is_own = |entry: &Entry| self.own.vouches_for(entry) || self.own.expects(entry);
        let is_theirs = |line: &EntryId| !self.open.incident.entry(*line).is_some_and(is_own);
        let theirs: BTreeSet<EntryId> = lines.iter().filter(|line| is_theirs(line)).copied().collect();
        (!theirs.is_empty()).then_some(DeliveryQueued { act: Act::Note(theirs), ..body })
    }

    /// Settles what others left, of a record that was just read, or whose writers turned out to be gone.
    pub(super) fn settle_left(&mut self) {
        let reach = &self.settings.reach;
        if reach.is_empty() || !self.open.record.is_complete {
            return;
        }
        let others: Vec<Entry> =
            self.open.incident.entries().filter(|entry| !self.own.vouches_for(entry)).cloned().collect();
        let theirs = if others.is_empty() {
            Vec::new()
        } else {
            reach.missing(&Incident::replay(self.open.incident.id(), others))
        };
        self.open.outbox.left = theirs;
        // What is missing is asked for anew.
        self.open.outbox.looked_at = 0;
    }

    /// What other systems are not told of what others did.
    pub(super) fn left_to_tell(&self) -> &[DeliveryQueued] {
        &self.open.outbox.left
    }

    /// Whether something may leave at all: in earnest, to a place that this console's own configuration names.
    pub(super) fn may_leave(&self, delivery: &Delivery) -> bool {
        let reach = &self.settings.reach;
        let is_drill = self.open.incident.drill.is_some() || self.open.incident.id().series == Series::Drill;
        !is_drill && !reach.is_dry && reach.serves(&delivery.body.service) && reach.leads_to(&delivery.body)
    }

    /// Whether this process put a delivery where it stands, or one of this account that is gone.
    fn is_ours(&self, delivery: &Delivery) -> bool {
        self.may_leave(delivery)
            && self.open.incident.entry(delivery.by).is_some_and(|entry| self.own.vouches_for(entry))
    }

    /// Moves what can be moved; what comes back from the record as ours is handed over.
    pub(super) fn send_out(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.open.outbox.next = None;
        let has_room = !self.own.is_waiting() && self.open.record.unwritable.is_none();
        if !self.may_write() || !self.open.record.is_complete || !has_room {
            return;
        }
        let now = self.open.incident.clock().show(wall);
        self.ask_for_missing(wall, effects);
        if !effects.is_empty() && self.own.is_waiting() {
            return;
        }
        self.stop_what_moved(effects);
        let open: Vec<Delivery> =
            self.open.incident.undelivered().filter(|delivery| self.is_ours(delivery)).cloned().collect();
        let mut next = self.ask_news(now, effects);
        let mut later = |at: DateTime<Utc>| next = Some(next.map_or(at, |next| next.min(at)));
        if let Some(until) = self.open.outbox.gathers {
            later(until);
        }
        let waits: BTreeMap<EntryId, DateTime<Utc>> =
            open.iter().filter_map(|delivery| Some((delivery.id, self.waits_for_others(delivery, now)?))).collect();
        // What goes to one place goes there in its order, but for lines that wait for those of another console.
        let on_the_way = |delivery: &Delivery| {
            matches!(delivery.state, DeliveryState::Queued { .. } | DeliveryState::Sending)
                && !waits.contains_key(&delivery.id)
        };
        let is_behind =
            |place: usize| open[..place].iter().any(|first| on_the_way(first) && first.is_beside(&open[place]));
        let mut turns: Vec<(usize, &Delivery)> = open.iter().enumerate().collect();
        // Where a system takes one thing at a time, what it has refused to take often does not stand before the rest.
        turns.sort_by_key(|(_, delivery)| delivery.tries);
        let is_closed = self.open.incident.phase() == Phase::Closed;
        let mut awaited: BTreeMap<&CleanStr, usize> = BTreeMap::new();
        for delivery in open.iter().filter(|delivery| self.is_awaited(delivery, now)) {
            *awaited.entry(&delivery.body.service).or_default() += 1;
        }
        for (place, delivery) in turns {
            let (id, service) = (delivery.id, &delivery.body.service);
            if let Some(to) = self.open.outbox.answer(delivery).cloned() {
                self.move_on(delivery, to, wall, effects);
                continue;
            }
            let prepared = self.open.outbox.prepared(delivery).copied();
            let mut may_ask = |console: &mut Self| {
                let count = awaited.entry(service).or_default();
                match console.pace.free(service, now, *count) {
                    Free::Now => {
                        *count += 1;
                        console.pace.asked(service, now);
                        return true;
                    }
                    Free::At(at) => later(at),
                    Free::AfterAnswer => later(now + LOST),
                }
                false
            };
            let is_sending = self.own.wrote(delivery.by) && self.open.outbox.sending.get(&id) == Some(&delivery.moves);
            let is_handed = self.open.outbox.handed.get(&id) == Some(&delivery.moves);
            match &delivery.state {
                DeliveryState::Queued { .. } if waits.contains_key(&id) => {
                    if self.open.outbox.prepared.remove(&id).is_some() {
                        effects.push(Effect::Stop(id));
                    }
                    waits.get(&id).copied().into_iter().for_each(&mut later);
                }
                DeliveryState::Queued { .. } if prepared.is_none() && is_behind(place) => {}
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
                DeliveryState::Queued { .. } if is_closed && delivery.calls_people() => {
                    self.move_on(delivery, DeliveryState::Dropped { why: delivery.lapsed_why() }, wall, effects);
                }
                DeliveryState::Queued { .. } => match self.open.incident.about(delivery) {
                    About::Awaited(_) => {}
                    About::Missing(thing) => {
                        let why = match delivery.body.act {
                            Act::Resolve => {
                                format!("{service} never had the {}: there is nothing to resolve", thing.name())
                            }
                            _ => format!("{service} has no {} that this is about", thing.name()),
                        };
                        self.move_on(delivery, DeliveryState::Dropped { why: CleanStr::new(&why) }, wall, effects);
                    }
                    About::Nothing | About::There(_) if prepared.is_some_and(|prepared| prepared.is_ready) => {
                        self.open.outbox.sending.insert(id, delivery.moves + 1);
                        self.move_on(delivery, DeliveryState::Sending, wall, effects);
                    }
                    About::Nothing | About::There(_) if prepared.is_some() => {}
                    About::Nothing | About::There(_) => match self.named(delivery, now, effects) {
                        Named::Known if may_ask(self) => {
                            effects.push(Effect::Deliver(self.parcel(delivery)));
                            let prepared = Prepared { moves: delivery.moves, since: now, is_ready: false };
                            self.open.outbox.prepared.insert(id, prepared);
                        }
                        Named::Known => {}
                        Named::Awaited => self.next_proof().into_iter().for_each(&mut later),
                        Named::Unproven(held) => self.move_on(delivery, held, wall, effects),
                    },
                },
                DeliveryState::Sending if is_sending && !is_handed => {
                    effects.push(Effect::Proceed(id));
                    self.open.outbox.handed.insert(id, delivery.moves);
                }
                DeliveryState::Sending if is_sending => {}
                DeliveryState::Sending => {
                    let why = "the console that sent it has left the record".into();
                    self.move_on(delivery, DeliveryState::Unconfirmed { why }, wall, effects);
                }
                DeliveryState::Unconfirmed { .. } if !is_handed => {
                    let looks = self.looks(delivery);
                    if looks.due > now {
                        later(looks.due);
                    } else if looks.count < MOST_LOOKS && may_ask(self) {
                        effects.push(Effect::LookUp(self.parcel(delivery)));
                        self.open.outbox.handed.insert(id, delivery.moves);
                    }
                }
                _ => {}
            }
        }
        self.open.outbox.next = next;
    }

    /// What is prepared of something that stands elsewhere by now is not written: somebody gave it up, told it by hand, or a newer text says more.
    fn stop_what_moved(&mut self, effects: &mut Vec<Effect>) {
        let OpenRecord { incident, outbox, .. } = &mut self.open;
        outbox.prepared.retain(|id, prepared| {
            let delivery = incident.deliveries.iter().find(|delivery| delivery.id == *id);
            let stands = delivery.is_some_and(|delivery| {
                delivery.moves == prepared.moves && matches!(delivery.state, DeliveryState::Queued { .. })
            });
            // Its own move to `sending` is no reason.
            let is_sent = outbox.sending.get(id) == Some(&(prepared.moves + 1))
                && delivery.is_some_and(|delivery| delivery.state == DeliveryState::Sending);
            if !stands && !is_sent {
                effects.push(Effect::Stop(*id));
            }
            stands
        });
    }

    /// Whether a system owes this console an answer about a delivery.
    fn is_awaited(&self, delivery: &Delivery, now: DateTime<Utc>) -> bool {
        let (id, moves) = (delivery.id, delivery.moves);
        let is_answered = self.open.outbox.answer(delivery).is_some();
        if let Some(prepared) = self.open.outbox.prepared(delivery) {
            return !is_answered && now - prepared.since < LOST;
        }
        let is_asked = match &delivery.state {
            DeliveryState::Sending => self.open.outbox.sending.get(&id) == Some(&moves),
            DeliveryState::Unconfirmed { .. } => self.open.outbox.handed.get(&id) == Some(&moves),
            DeliveryState::Queued { .. }
            | DeliveryState::Held { .. }
            | DeliveryState::Sent(_)
            | DeliveryState::Gone { .. }
            | DeliveryState::ByHand
            | DeliveryState::Failed { .. }
            | DeliveryState::Superseded { .. }
            | DeliveryState::Dropped { .. } => false,
        };
        is_asked && !is_answered && now - delivery.since < LOST
    }

    /// How something that may be there is looked for; each new try begins it anew, and later.
    fn looks(&mut self, delivery: &Delivery) -> Looks {
        let first = FIRST_LOOK * 2_i32.pow(delivery.tries.saturating_sub(1).min(4));
        let begun = Looks { moves: delivery.moves, count: 0, due: delivery.since + first };
        let looks = self.open.outbox.looks.entry(delivery.id).or_insert(begun);
        if looks.moves != delivery.moves {
            *looks = begun;
        }
        *looks
    }

    /// Whether something that was approved here is on its way, or about to be.
    pub(crate) fn is_sending(&self) -> bool {
        let is_ours = |delivery: &&Delivery| self.own.wrote(delivery.by) && self.is_ours(delivery);
        self.open.incident.undelivered().filter(is_ours).any(|delivery| match &delivery.state {
            DeliveryState::Queued { .. } => delivery.tries == 0,
            DeliveryState::Sending => true,
            _ => false,
        })
    }

    /// What does not go out while this console is closed, and who sends it then, in lines.
    pub(crate) fn left_behind(&self, wall: DateTime<Utc>) -> Vec<String> {
        let writes = self.may_write() && self.open.record.is_complete && self.open.incident.drill.is_none();
        if writes { super::overlay::left_behind(&self.cx(wall)) } else { Vec::new() }
    }

    /// As the system's clock has it.
    pub(super) fn parcel(&self, delivery: &Delivery) -> Parcel {
        let parcel = delivery.parcel(&self.open.incident);
        let clock = self.open.incident.clock();
        let (sent_at, first_sent_at) = (clock.wall(parcel.sent_at), clock.wall(parcel.first_sent_at));
        let reach = &self.settings.reach;
        let from = reach.sender(delivery, &self.open.incident);
        let text = reach.signed(delivery, &self.open.incident, parcel.text);
        let attached = reach.addressed(parcel.attached);
        self.named_in(delivery, Parcel { sent_at, first_sent_at, from, text, attached, ..parcel })
    }

    fn delivery(&self, id: EntryId) -> Option<Delivery> {
        self.open.incident.deliveries.iter().find(|delivery| delivery.id == id).cloned()
    }

    pub(super) fn delivered(&mut self, id: EntryId, receipt: Receipt, wall: DateTime<Utc>) {
        let Some(delivery) = self.delivery(id) else { return };
        let now = self.open.incident.clock().show(wall);
        let service = &delivery.body.service;
        let is_unwritten = self.open.outbox.prepared(&delivery).is_some();
        if !is_unwritten && delivery.state != DeliveryState::Sending {
            // It stands elsewhere by now: what this one says is about nothing any more.
            return;
        }
        let receipt = match receipt {
            // What nobody knows of something that never left is not where it is.
            Receipt::Unknown(why) if is_unwritten => Receipt::NotThere { why, wait: None },
            known => known,
        };
        let to = match receipt {
            Receipt::There(remote) => {
                self.pace.went_well(service);
                DeliveryState::Sent(remote)
            }
            Receipt::NotYet { why, wait } => {
                DeliveryState::Queued { not_before: now + wait.max(delivery.pause()), why: Some(why), choice: None }
            }
            Receipt::NotThere { why, wait } => {
                self.pace.failed(service, now);
                self.pace.rest(service, now, wait.unwrap_or_default());
                self.queued_again(&delivery, now, why)
            }
            Receipt::Refused(why) => {
                self.say(Tone::Failed, format!("{} did not take the text: {why}", delivery.place()), wall);
                DeliveryState::Failed { why }
            }
            Receipt::Unknown(why) => {
                self.pace.failed(service, now);
                DeliveryState::Unconfirmed { why }
            }
            Receipt::Asks { why, ways } => {
                self.say(Tone::Failed, format!("{} waits for your word (:outbox): {why}", delivery.place()), wall);
                DeliveryState::Held { why, ways }
            }
        };
        self.open.outbox.prepared.remove(&id);
        if is_unwritten && !delivery.state.leads_to(&to) {
            // It was found there, or refused, before anything was written.
            self.open.outbox.then.insert(id, (delivery.moves + 1, to));
            self.open.outbox.sending.insert(id, delivery.moves + 1);
            self.open.outbox.handed.insert(id, delivery.moves + 1);
            self.open.outbox.answered.insert(id, (delivery.moves, DeliveryState::Sending));
            return;
        }
        self.open.outbox.answered.insert(id, (delivery.moves, to));
    }

    /// A system wants to be left alone for so long.
    pub(super) fn rests(&mut self, service: &CleanStr, wait: TimeDelta, wall: DateTime<Utc>) {
        let clock = self.open.incident.clock();
        self.pace.rest(service, clock.show(wall), clock.passed(wait));
    }

    /// It waits for its own pause, and for that of its system.
    fn queued_again(&self, delivery: &Delivery, now: DateTime<Utc>, why: CleanStr) -> DeliveryState {
        let own = now + delivery.pause();
        let not_before = self.pace.paused(&delivery.body.service, now).map_or(own, |until| until.max(own));
        DeliveryState::Queued { not_before, why: Some(why), choice: None }
    }

    pub(super) fn looked_up(&mut self, id: EntryId, receipt: Receipt, wall: DateTime<Utc>) {
        let Some(delivery) = self.delivery(id) else { return };
        let now = self.open.incident.clock().show(wall);
        let service = &delivery.body.service;
        let to = match receipt {
            Receipt::There(remote) => {
                self.pace.went_well(service);
                DeliveryState::Sent(remote)
            }
            Receipt::NotThere { why, .. } | Receipt::NotYet { why, .. } => {
                let place = self.open.incident.deliveries.iter().position(|other| other.id == id).unwrap_or_default();
                let mut newer = self.open.incident.deliveries[place..].iter().skip(1);
                // A newer text for the same place says more than this one would by now.
                if newer.any(|other| other.replaces(&delivery)) {
                    DeliveryState::Dropped { why: "it is not there, and a newer text was queued".into() }
                } else if delivery.is_delicate() {
                    DeliveryState::Held {
                        why: format!("{why}: send it again only if nobody has seen it").as_str().into(),
                        ways: Vec::new(),
                    }
                } else {
                    self.queued_again(&delivery, now, why)
                }
            }
            Receipt::Refused(why) | Receipt::Unknown(why) | Receipt::Asks { why, .. } => {
                self.pace.failed(service, now);
                let mut looks = self.looks(&delivery);
                looks.count += 1;
                let pause = NEXT_LOOK * i32::try_from(looks.count).unwrap_or(i32::MAX).min(8);
                looks.due = now + jittered(pause, id.rseq + u64::from(looks.count));
                self.open.outbox.looks.insert(id, looks);
                self.open.outbox.handed.remove(&id);
                if looks.count == MOST_LOOKS {
                    let words = format!("nobody knows whether {} has the text: {why}", delivery.place());
                    self.say(Tone::Failed, words, wall);
                }
                return;
            }
        };
        self.open.outbox.answered.insert(id, (delivery.moves, to));
    }

    /// Who was faster has said it: that is no news for anybody.
    fn move_on(&mut self, delivery: &Delivery, to: DeliveryState, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let is_routine = delivery.keeps_up() && matches!(to, DeliveryState::Sent(_)) && !delivery.has_failed;
        let (delivery, step) = (delivery.id, delivery.moves);
        self.command(Command::MoveDelivery(DeliveryMoved { delivery, step, to, is_routine }), None, wall, effects);
    }
}
