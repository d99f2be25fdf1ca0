//! Exemplars: single requests that a metric's server keeps beside its numbers, with the traces that they left.

use chrono::{DateTime, Utc};

use crate::slo::ObjectiveId;
use crate::spans::TraceId;
use crate::text::{CleanStr, CleanText};

/// The most that are kept of one objective.
pub const MOST_EXEMPLARS: usize = 500;

/// A request that the server keeps as an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// When it was measured.
    pub at: DateTime<Utc>,
    /// What was measured of it, as the metric counts it.
    pub value: f64,
    /// Its trace.
    pub trace: TraceId,
}

/// Which exemplars are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemplarsOf {
    /// Of which objective.
    pub objective: ObjectiveId,
    /// Its PromQL.
    pub query: CleanText,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// The exemplars of an objective, or why there are none to be had.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplars {
    /// Of which objective.
    pub objective: ObjectiveId,
    /// The exemplars, the oldest first.
    pub found: Result<Vec<Exemplar>, CleanStr>,
}
