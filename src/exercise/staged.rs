//! An exercise against staging: what puts traffic and faults there, and what takes them back.
//!
//! Hides how the record shows what still stands: a command that was started stands until its way back has ended well.
//!
//! Invariant: each of these commands has a way back, and none runs in a simulated drill.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::Exercise;
use crate::incident::{Incident, OF_EXERCISE, StepRef};
use crate::playbook::{Aliases, CommandStep};
use crate::text::CleanStr;

/// The staging environment that a console's configuration names.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The address of its Prometheus.
    pub prometheus: CleanStr,
    /// How the programs of exercises are called there.
    pub aliases: Aliases,
}

/// A command that puts something into staging.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Staged {
    /// Unique in its file.
    pub id: CleanStr,
    /// What it puts there.
    pub what: CleanStr,
    /// What it is.
    pub kind: StagedKind,
    /// The command, with its way back.
    pub command: CommandStep,
}

/// What a command puts into staging.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StagedKind {
    /// Requests that look like those of customers.
    Traffic,
    /// What goes wrong; the drill's clocks begin with the first one.
    Fault,
}

impl Staged {
    /// How the record names it.
    pub fn step(&self) -> StepRef {
        StepRef { service: OF_EXERCISE.into(), step: self.id.clone() }
    }
}

impl Exercise {
    /// A command of the exercise, as the record names it.
    pub fn staged(&self, step: &StepRef) -> Option<&Staged> {
        self.staging.iter().find(|one| one.step() == *step)
    }

    /// What was put into staging and not taken back, in the order of the file.
    pub fn standing(&self, incident: &Incident) -> Vec<&Staged> {
        self.staging.iter().filter(|one| incident.stands(&one.step())).collect()
    }

    /// When the first fault was put into staging, of what was put there.
    pub fn staged_since(&self, staged: &[(StepRef, DateTime<Utc>)]) -> Option<DateTime<Utc>> {
        let is_fault = |step: &StepRef| self.staged(step).is_some_and(|one| one.kind == StagedKind::Fault);
        staged.iter().filter(|(step, _)| is_fault(step)).map(|(_, at)| *at).min()
    }
}
