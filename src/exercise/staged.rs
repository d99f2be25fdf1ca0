//! An exercise against staging: what puts traffic and faults there, and what takes them back.
//!
//! Hides how the record shows what still stands: a command that was started stands until its way back has ended well.
//!
//! Invariant: each of these commands has a way back, and none runs in a simulated drill.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Exercise;
use crate::incident::{CommandStarted, EntryId, Incident, IncidentId, OF_EXERCISE, StepRef};
use crate::playbook::{Aliases, Catalogue, CommandStep};
use crate::slo::Side;
use crate::text::duration::Lapse;
use crate::text::{CleanStr, CleanText};

/// The staging environment that a console's configuration names.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The address of its Prometheus.
    pub prometheus: CleanStr,
    /// How the programs of exercises are called there.
    pub aliases: Aliases,
    /// Whether a Prometheus of production is known, which can stop a drill.
    pub has_production: bool,
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
    /// How long it stays at most: afterwards it is taken back though every console is closed (30 minutes unless said).
    #[serde(default)]
    pub stays: Option<Lapse>,
}

/// So long does what an exercise puts into staging stay there unless its file says otherwise, in minutes.
const STAYS: u32 = 30;

/// When all of it is taken back at once, whoever is there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Safety {
    /// How often it is asked (15 seconds unless said).
    #[serde(default)]
    pub every: Option<Lapse>,
    /// What must not be beyond its limit; without any, all objectives of the exercise's service in production.
    #[serde(default)]
    pub stop: Vec<Stop>,
}

/// A value beyond which the drill is no drill any more.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stop {
    /// An objective of a playbook, as `service/objective`; its own limit counts unless one is given.
    #[serde(default)]
    pub objective: Option<CleanStr>,
    /// Or PromQL.
    #[serde(default)]
    pub query: Option<CleanText>,
    /// What it measures, in words; an objective's title unless said.
    #[serde(default)]
    pub what: Option<CleanStr>,
    /// Above this it stops.
    #[serde(default)]
    pub above: Option<f64>,
    /// Below this it stops.
    #[serde(default)]
    pub below: Option<f64>,
    /// Which Prometheus is asked.
    #[serde(default)]
    pub at: Asked,
}

/// Which Prometheus is asked for what stops a drill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// `[prometheus]` of the configuration.
    #[default]
    Production,
    /// `[staging.prometheus]`.
    Staging,
}

/// A value that is asked for while something stands in staging.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// What it measures, in words.
    pub what: CleanStr,
    /// PromQL.
    pub query: String,
    /// Beyond this it stops.
    pub limit: f64,
    /// Whether above is beyond; else below is.
    pub is_upper: bool,
    /// Which Prometheus is asked.
    pub at: Asked,
}

/// What a keeper is told: what it takes back, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keep {
    /// Which drill.
    pub incident: IncidentId,
    /// The command that puts it there.
    pub run: EntryId,
    /// What takes it back, exactly.
    pub undo: CommandStarted,
    /// How long it stays at most, in seconds.
    pub stays_s: u64,
    /// How often what stops it is asked for, in seconds.
    pub every_s: u64,
    /// What stops it.
    pub guards: Vec<Guard>,
}

impl Guard {
    /// Whether a value is beyond the limit; what is no number is not known, and is not.
    pub fn is_beyond(&self, value: f64) -> bool {
        if self.is_upper { value > self.limit } else { value < self.limit }
    }
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

    /// How long it stays at most.
    pub fn stays(&self) -> Lapse {
        self.stays.unwrap_or_else(|| Lapse::seconds(STAYS * 60))
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

    /// What stops it, as the playbooks have it; or what of it no playbook has.
    pub fn guards(&self, catalogue: &Catalogue) -> Result<Vec<Guard>, String> {
        let of_objective = |service: &str, id: &str, stop: Option<&Stop>| {
            let playbook = catalogue.get(service)?;
            let objective = playbook.objectives.iter().find(|one| one.id.as_str() == id)?;
            let (limit, is_upper) = match stop.map(|stop| (stop.above, stop.below)) {
                Some((Some(above), _)) => (above, true),
                Some((None, Some(below))) => (below, false),
                Some((None, None)) | None => (objective.limit(), objective.side == Side::Below),
            };
            let title = format!("{service}: {}", objective.title);
            let what = stop.and_then(|stop| stop.what.clone()).unwrap_or_else(|| CleanStr::new(&title));
            let at = stop.map(|stop| stop.at).unwrap_or_default();
            Some(Guard { what, query: objective.query(&objective.window), limit, is_upper, at })
        };
        let stops = self.safety.iter().flat_map(|safety| &safety.stop);
        let mut guards = Vec::new();
        for stop in stops {
            if let Some(name) = &stop.objective {
                let (service, id) = name.split_once('/').unwrap_or_default();
                let guard = of_objective(service, id, Some(stop));
                guards.push(guard.ok_or_else(|| format!("safety: no playbook has the objective {name}"))?);
            } else if let Some(query) = &stop.query {
                let (limit, is_upper) =
                    stop.above.map_or((stop.below.unwrap_or_default(), false), |above| (above, true));
                let what = stop.what.clone().unwrap_or_else(|| CleanStr::new(query));
                guards.push(Guard { what, query: query.to_string(), limit, is_upper, at: stop.at });
            }
        }
        if guards.is_empty()
            && let Some(playbook) = catalogue.get(&self.service)
        {
            let all = playbook.objectives.iter();
            guards.extend(all.filter_map(|one| of_objective(&self.service, &one.id, None)));
        }
        Ok(guards)
    }

    /// How often what stops it is asked for.
    pub fn guarded_every(&self) -> Lapse {
        self.safety.as_ref().and_then(|safety| safety.every).unwrap_or_else(|| Lapse::seconds(15))
    }

    /// When the first fault was put into staging, of what was put there.
    pub fn staged_since(&self, staged: &[(StepRef, DateTime<Utc>)]) -> Option<DateTime<Utc>> {
        let is_fault = |step: &StepRef| self.staged(step).is_some_and(|one| one.kind == StagedKind::Fault);
        staged.iter().filter(|(step, _)| is_fault(step)).map(|(_, at)| *at).min()
    }
}
