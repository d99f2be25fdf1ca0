//! Waits that end by themselves, and the bell of what is overdue.
//!
//! Hides who writes that a wait is over: the console of the person who claimed it, so that it is written once and in their name.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::overlay::{wait_end, waited};
use super::{Console, Effect};
use crate::incident::{Command, Duty, Event, Mark, StepRef, StepState, Urgency, command};

impl Console {
    /// The open steps that this console's person claimed here: a claim that only stands in the record ticks nothing in their name.
    fn own_claims(&self) -> impl Iterator<Item = (&StepRef, &Mark)> {
        let is_open = |step: &StepRef| {
            !matches!(self.open.incident.steps.get(step), Some(StepState::Checked(_) | StepState::Skipped(..)))
        };
        let was_claimed_here = |step: &StepRef| {
            self.own
                .events(&self.open.incident)
                .any(|event| matches!(event, Event::StepClaimed(body) if body.step == *step))
        };
        let claims = self.open.incident.claims.iter();
        claims.filter(move |(step, mark)| self.is_mine(&mark.by) && is_open(step) && was_claimed_here(step))
    }

    /// Ticks the waits of this person that are over, and settles when the next one is.
    pub(super) fn end_waits(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.open.next_wait = None;
        // What was asked before comes back first, so that nothing is written twice.
        let has_room = !self.own.is_waiting() && self.open.record.unwritable.is_none();
        if !self.may_write() || !self.open.record.is_complete || !has_room {
            return;
        }
        let cx = self.cx(wall);
        let asking = cx.asking();
        let is_granted = |asked: &Vec<Command>| {
            asked.iter().all(|command| command::decide(&self.open.incident, command.clone(), &asking).is_ok())
        };
        let over: Vec<_> = self.own_claims().filter_map(|(step, _)| waited(step, &cx)).filter(is_granted).collect();
        let ends = self.own_claims().filter_map(|(name, _)| {
            let step = self.open.catalogue.get(&name.service)?.step(&name.step)?;
            wait_end(name, step, &self.open.incident)
        });
        self.open.next_wait = ends.filter(|end| *end > cx.now).min();
        for command in over.into_iter().flatten() {
            self.command(command, None, wall, effects);
        }
    }

    /// Rings once for each thing that becomes overdue, where the configuration wants it.
    pub(super) fn ring(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if !self.settings.rings || !self.open.record.is_complete {
            return;
        }
        let cx = self.cx(wall);
        let late = cx.obligations().into_iter().filter(|one| one.urgency(cx.now) == Urgency::Overdue);
        let late: BTreeSet<Duty> = late.map(|one| one.duty).collect();
        if !late.is_subset(&self.open.rung) {
            effects.push(Effect::Bell);
        }
        self.open.rung = late;
    }
}
