//! Which exercise was played when, and when it comes round again.
//!
//! Hides how a record is matched with an exercise.
//!
//! Invariant: only what was played in staging, with its pre-brief and a filed debrief, makes an exercise due later; what was abandoned or still runs is
//! not even practice.

use chrono::{DateTime, NaiveDate, Utc};

use super::debrief::{Debrief, End, debrief};
use super::{Exercise, SHIPPED};
use crate::incident::{Cadence, DrillStarted, Incident};
use crate::text::document::Flaw;

/// An exercise and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// The exercise.
    pub exercise: Exercise,
    /// Its last run that was completed, wherever it was.
    pub last: Option<Debrief>,
    /// Its last run in staging that counts.
    pub staged: Option<Debrief>,
    /// How many runs in staging count.
    pub counted: usize,
    /// How many runs were completed that do not count: simulated, or without pre-brief or filed debrief.
    pub practised: usize,
    /// How many were abandoned.
    pub abandoned: usize,
    /// When it is due.
    pub due: NaiveDate,
    /// Whether that day has passed, or it was never practised.
    pub is_due: bool,
}

impl Exercise {
    /// The exercise of a drill: as it was when the drill began, where that is recorded.
    pub fn of(drill: &DrillStarted) -> Option<Result<Self, Box<Flaw>>> {
        let text = drill.source.as_deref().or_else(|| Self::shipped(&drill.exercise))?;
        Some(Self::parse(&drill.exercise, text))
    }

    /// All exercises that ship with the program.
    pub fn all_shipped() -> Vec<Self> {
        SHIPPED.iter().filter_map(|(name, _, text)| Self::parse(name, text).ok()).collect()
    }
}

/// What a drill's record says of its exercise, or in a sentence why it says nothing.
pub fn debrief_or_why(record: &Incident, cadence: &Cadence, now: DateTime<Utc>) -> Result<Debrief, String> {
    let id = record.id();
    let is_none = || format!("{id} is no drill");
    let drill = record.drill.as_ref().ok_or_else(is_none)?;
    let exercise = Exercise::of(drill)
        .ok_or_else(|| format!("{id} is a drill of {}, an exercise that this warroom does not have", drill.exercise))?
        .map_err(|flaw| format!("the exercise of {id} cannot be read: {flaw}"))?;
    debrief(&exercise, record, cadence, record.clock().show(now)).ok_or_else(is_none)
}

/// What a drill's record says of its exercise; nothing where it is no drill, or its exercise is not known.
pub fn debrief_of(record: &Incident, cadence: &Cadence, now: DateTime<Utc>) -> Option<Debrief> {
    debrief_or_why(record, cadence, now).ok()
}

/// What the drills among some records say of their exercises.
pub fn debriefs_of(records: &[Incident], cadence: &Cadence, now: DateTime<Utc>) -> Vec<Debrief> {
    records.iter().filter_map(|record| debrief_of(record, cadence, now)).collect()
}

/// The exercises, those that are due longest first.
pub fn schedule(exercises: Vec<Exercise>, debriefs: &[Debrief], now: DateTime<Utc>) -> Vec<Slot> {
    let today = now.date_naive();
    let slot = |exercise: Exercise| {
        let runs = || debriefs.iter().filter(|run| run.exercise == exercise.name);
        let completed = || runs().filter(|run| run.end == End::Completed);
        let newest = |run: &&Debrief| run.start;
        let last = completed().max_by_key(newest).cloned();
        let staged = completed().filter(|run| run.counts()).max_by_key(newest).cloned();
        let due = staged.as_ref().map_or(today, |run| exercise.frequency.after(run.start.date_naive()));
        let is_due = staged.is_none() || due <= today;
        let counted = completed().filter(|run| run.counts()).count();
        let practised = completed().count() - counted;
        let abandoned = runs().filter(|run| run.end == End::Abandoned).count();
        Slot { exercise, last, staged, counted, practised, abandoned, due, is_due }
    };
    let mut slots: Vec<Slot> = exercises.into_iter().map(slot).collect();
    slots.sort_by_key(|slot| (slot.staged.is_some(), slot.due, slot.last.as_ref().map(|run| run.start)));
    slots
}
