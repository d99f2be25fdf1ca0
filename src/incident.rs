//! An incident: the state that all entries of its journal fold into.
//!
//! Hides how entries that arrive late, twice or out of order are put in their place. What a person may do is [`command`]'s business, what is due is
//! [`cadence`]'s, how it reads is [`timeline`]'s.
//!
//! Invariant: the fold is total and order-independent. Any set of entries, in any order, with duplicates, gives one state; nothing here returns a
//! `Result`. Entries that make no sense where they stand are kept, shown and counted; entries of a newer build are kept as unrecognised.

pub mod cadence;
pub mod command;
pub mod entry;
pub mod event;
pub mod terms;
pub mod timeline;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::CleanStr;
pub use cadence::{Cadence, Duty, Obligation, Urgency};
pub use command::{Asking, Command, Refusal};
pub use entry::*;
pub use event::*;
pub use terms::*;
pub use timeline::{Line, Timeline};

/// The clock of an incident: the wall clock, or for a drill the one that its first entry set running.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    start: DateTime<Utc>,
    speed: f64,
}

impl Default for Clock {
    fn default() -> Self {
        Self { start: DateTime::UNIX_EPOCH, speed: 1.0 }
    }
}

impl Clock {
    /// A clock that shows `start` when the wall clock does, and runs `speed` times as fast.
    pub fn new(start: DateTime<Utc>, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { start, speed }
    }

    /// What this clock shows at a moment of the wall clock.
    pub fn show(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        if self.speed == 1.0 { wall } else { scaled(self.start, wall - self.start, self.speed) }
    }

    /// When the wall clock shows the moment at which this clock shows `at`.
    pub fn wall(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.speed == 1.0 { at } else { scaled(self.start, at - self.start, 1.0 / self.speed) }
    }

    /// How many times as fast as the wall clock it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

fn scaled(start: DateTime<Utc>, by: TimeDelta, factor: f64) -> DateTime<Utc> {
    let milliseconds = by.num_milliseconds() as f64 * factor;
    start.checked_add_signed(TimeDelta::milliseconds(milliseconds as i64)).unwrap_or(start)
}

/// Somebody at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, in the incident's clock.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: Actor,
}

/// When customers hurt.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Impact {
    /// Since when.
    pub start: Option<DateTime<Utc>>,
    /// Until when.
    pub end: Option<DateTime<Utc>>,
}

/// What has become of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Done.
    Checked(Mark),
    /// Passed over, with the reason.
    Skipped(Mark, CleanStr),
    /// Open again after it was done or skipped.
    Reopened(Mark),
}

/// A status update as it was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// When and by whom.
    pub mark: Mark,
    /// What, where, and what it promised.
    pub update: StatusUpdate,
}

/// A role and, of an SME, the component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// The role.
    pub role: Role,
    /// The component of an SME.
    pub component: Option<CleanStr>,
}

/// What the entries say so far; derived, never written.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Facts {
    /// Who declared it, when.
    pub declared: Option<Mark>,
    /// What is wrong.
    pub title: CleanStr,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// The highest severity reached: measures use it.
    pub worst: Option<Severity>,
    /// Where it stands, since when.
    pub phase: Option<(Phase, DateTime<Utc>)>,
    /// What is affected, in the order in which it was named.
    pub services: Vec<ServiceId>,
    /// When it was detected; absent reads "not recorded".
    pub detected_at: Option<DateTime<Utc>>,
    /// Who told us.
    pub detection: Option<Detection>,
    /// Who acknowledged it first.
    pub acknowledged: Option<Mark>,
    /// When it was resolved, the last time.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When customers hurt.
    pub impact: Impact,
    /// Who holds which role since when.
    pub roles: BTreeMap<Seat, Mark>,
    /// Steps that somebody touched.
    pub steps: BTreeMap<StepRef, StepState>,
    /// Updates, in their order.
    pub updates: Vec<Told>,
    /// The drill's four facts, if it is one.
    pub drill: Option<DrillStarted>,
    /// The zone in which times are read (IANA name).
    pub zone: CleanStr,
    /// Entries that a newer build wrote.
    pub unrecognised: usize,
    /// Entries that make no sense where they stand.
    pub senseless: usize,
    clock: Clock,
    timeline: Timeline,
}

/// One incident, folded from its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    id: IncidentId,
    entries: BTreeMap<OrderKey, Entry>,
    places: HashMap<EntryId, OrderKey>,
    disputed: BTreeSet<EntryId>,
    facts: Facts,
}

impl std::ops::Deref for Incident {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl Incident {
    /// An incident of which nothing is known yet.
    pub fn new(id: IncidentId) -> Self {
        Self {
            id,
            entries: BTreeMap::new(),
            places: HashMap::new(),
            disputed: BTreeSet::new(),
            facts: Facts::default(),
        }
    }

    /// The incident that a set of entries gives.
    pub fn replay(id: IncidentId, entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut incident = Self::new(id);
        incident.apply(entries);
        incident
    }

    /// Takes entries in, in any order and as often as they come.
    pub fn apply(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let mut late = false;
        for entry in entries {
            late |= self.insert(entry);
        }
        if late {
            self.facts = Facts::default();
            for entry in self.entries.values() {
                self.facts.fold(entry);
            }
            self.facts.timeline.arrange(&self.entries, &self.facts.clock);
        }
    }

    /// Puts one entry in its place; says whether the state must be built anew.
    fn insert(&mut self, entry: Entry) -> bool {
        let key = entry.order();
        if let Some(&place) = self.places.get(&entry.id) {
            let Some(known) = self.entries.get(&place) else { return false };
            if *known == entry {
                return false;
            }
            // Two different entries under one identity: a copied or edited file. Everybody keeps the same one, and it is counted.
            self.disputed.insert(entry.id);
            if (place, known.to_json()) <= (key, entry.to_json()) {
                return false;
            }
            self.entries.remove(&place);
            self.places.insert(entry.id, key);
            self.entries.insert(key, entry);
            return true;
        }
        let in_order = self.entries.last_key_value().is_none_or(|(last, _)| *last < key);
        self.places.insert(entry.id, key);
        if in_order {
            let drill_before = self.facts.clock;
            self.facts.fold(&entry);
            self.facts.timeline.append(&entry, &self.facts.clock);
            let clock_changed = drill_before != self.facts.clock && !self.entries.is_empty();
            self.entries.insert(key, entry);
            return clock_changed;
        }
        self.entries.insert(key, entry);
        true
    }

    /// The name of the incident.
    pub fn id(&self) -> IncidentId {
        self.id
    }

    /// Whether nobody has declared it (yet).
    pub fn is_blank(&self) -> bool {
        self.facts.declared.is_none()
    }

    /// All entries in the order that everybody sees.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry by its identity.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(self.places.get(&id)?)
    }

    /// Identities under which two different entries came.
    pub fn disputed(&self) -> usize {
        self.disputed.len()
    }

    /// The timeline.
    pub fn timeline(&self) -> timeline::View<'_> {
        timeline::View::new(self)
    }

    /// When an entry was written, in the incident's clock.
    pub fn time(&self, entry: &Entry) -> DateTime<Utc> {
        self.facts.clock.show(entry.wall)
    }
}

impl Facts {
    /// The clock that this incident is read by.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Where it stands; an undeclared incident is merely detected.
    pub fn phase(&self) -> Phase {
        self.phase.map_or(Phase::Detected, |(phase, _)| phase)
    }

    /// Who holds a role; of several SMEs the first.
    pub fn holder(&self, role: Role) -> Option<&Actor> {
        self.roles.iter().find(|(seat, _)| seat.role == role).map(|(_, mark)| &mark.by)
    }

    /// Whether somebody holds a role.
    pub fn holds(&self, actor: &str, role: Role) -> bool {
        self.roles.iter().any(|(seat, mark)| seat.role == role && mark.by == *actor)
    }

    /// Time from detection to acknowledgement; absent while either is not recorded.
    pub fn time_to_acknowledge(&self) -> Option<TimeDelta> {
        Some(self.acknowledged.as_ref()?.at - self.detected_at?)
    }

    /// Time from detection (or, where nobody recorded it, from the declaration) until resolution or now.
    pub fn elapsed(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let start = self.detected_at.or(self.declared.as_ref().map(|mark| mark.at))?;
        Some(self.resolved_at.unwrap_or(now) - start)
    }

    /// The last update on a channel.
    pub fn last_update(&self, channel: Channel) -> Option<&Told> {
        self.updates.iter().rev().find(|told| told.update.channels.contains(&channel))
    }

    fn fold(&mut self, entry: &Entry) {
        let mark = Mark { at: self.clock.show(entry.wall), by: entry.actor.clone() };
        let sensible = match &entry.event {
            Event::Declared(body) => self.declare(body, mark),
            Event::DrillStarted(body) => self.start_drill(body),
            Event::TitleSet(body) => {
                self.title = body.title.clone();
                true
            }
            Event::SeverityRaised(body) | Event::SeverityLowered(body) => {
                self.severity = Some(body.to);
                self.worst = Some(self.worst.map_or(body.to, |worst| worst.min(body.to)));
                true
            }
            Event::Acknowledged(_) => {
                let first = self.acknowledged.is_none();
                self.acknowledged.get_or_insert(mark);
                first
            }
            Event::PhaseEntered(body) => {
                if body.phase == Phase::Resolved {
                    self.resolved_at = Some(mark.at);
                } else if body.phase.is_live() {
                    self.resolved_at = None;
                }
                self.phase = Some((body.phase, mark.at));
                true
            }
            Event::ServiceAdded(body) => {
                let new = !self.services.contains(&body.service);
                if new {
                    self.services.push(body.service.clone());
                }
                new
            }
            Event::ServiceRemoved(body) => {
                let before = self.services.len();
                self.services.retain(|service| *service != body.service);
                self.services.len() < before
            }
            Event::ImpactStarted(body) => {
                self.impact = Impact { start: Some(body.at), end: None };
                true
            }
            Event::ImpactEnded(body) => {
                self.impact.end = Some(body.at);
                self.impact.start.is_some()
            }
            Event::RoleTaken(body) => self.seat(body, mark.at),
            Event::RoleLeft(body) => {
                let seat = Seat { role: body.role, component: body.component.clone() };
                let held = self.roles.get(&seat).is_some_and(|mark| mark.by == body.holder);
                if held {
                    self.roles.remove(&seat);
                }
                held
            }
            Event::NoteAdded(_) | Event::EvidencePinned(_) | Event::ClockJumped(_) => true,
            Event::NoteAmended(body) => self.timeline.amend(entry, body),
            Event::NoteStruck(body) => self.timeline.strike(entry, body),
            Event::StepChecked(body) => {
                self.steps.insert(body.step.clone(), StepState::Checked(mark));
                true
            }
            Event::StepSkipped(body) => {
                self.steps.insert(body.step.clone(), StepState::Skipped(mark, body.reason.clone()));
                true
            }
            Event::StepReopened(body) => self.steps.insert(body.step.clone(), StepState::Reopened(mark)).is_some(),
            Event::StatusUpdatePosted(update) => {
                self.updates.push(Told { mark, update: update.clone() });
                true
            }
            Event::Unrecognised { .. } => {
                self.unrecognised += 1;
                true
            }
        };
        if !sensible {
            self.senseless += 1;
        }
    }

    fn declare(&mut self, body: &Declared, mark: Mark) -> bool {
        if self.declared.is_some() {
            return false;
        }
        self.phase.get_or_insert((Phase::Detected, mark.at));
        self.title = body.title.clone();
        self.severity = Some(body.severity);
        self.worst = Some(self.worst.map_or(body.severity, |worst| worst.min(body.severity)));
        self.services.extend(body.service.iter().cloned());
        self.detected_at = body.detected_at;
        self.detection.clone_from(&body.detection);
        self.zone = body.zone.clone();
        self.declared = Some(mark);
        true
    }

    fn start_drill(&mut self, body: &DrillStarted) -> bool {
        if self.drill.is_some() {
            return false;
        }
        self.clock = Clock::new(body.start, body.speed);
        self.drill = Some(body.clone());
        true
    }

    /// The first in order wins an exclusive role; a later claim stands on the timeline and changes nothing.
    fn seat(&mut self, body: &RoleNamed, at: DateTime<Utc>) -> bool {
        let seat = Seat { role: body.role, component: body.component.clone() };
        if self.roles.contains_key(&seat) {
            return false;
        }
        self.roles.insert(seat, Mark { at, by: body.holder.clone() });
        true
    }
}

#[cfg(test)]
pub(crate) mod tests;
