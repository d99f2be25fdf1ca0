//! Facts about what is affected, who was told, and what is due: alerts, scope, escalation, snoozes, merging, clocks.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::StatusUpdate;
use crate::incident::cadence::Duty;
use crate::incident::entry::{Actor, EntryId, IncidentId};
use crate::incident::terms::Severity;
use crate::text::{CleanStr, CleanText};

/// An alert as it stood when it was linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLinked {
    /// The alert's identity at its source.
    pub fingerprint: CleanStr,
    /// Its name.
    pub name: CleanStr,
    /// When it fired: Alertmanager's `startsAt`, or Prometheus' `activeAt` plus the rule's `for`.
    pub starts_at: DateTime<Utc>,
    /// Its labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<CleanStr, CleanStr>,
}

/// What triage found; what is absent stays as it was.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct ScopeSet {
    /// Countries or regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geography: Option<Vec<CleanStr>>,
    /// Partner banks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partners: Option<Vec<CleanStr>>,
    /// Whether a regulator must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regulatory: Option<bool>,
    /// Whether nothing works at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_outage: Option<bool>,
    /// The share of users that is affected, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_percent: Option<f64>,
    /// How many customers are affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers: Option<u64>,
}

/// Somebody whom the escalation matrix names was told, or was not after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonTold {
    /// Their position, as the matrix names it ("CTO").
    pub position: CleanStr,
    /// How bad it was when they were told.
    pub severity: Severity,
    /// Who it was, and by which way they were reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<CleanStr>,
}

/// An obligation that is put off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObligationSnoozed {
    /// Which.
    pub duty: Duty,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: CleanStr,
}

/// From now on updates are due at another pace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CadenceSet {
    /// The time between two updates on each channel, in seconds.
    pub every_s: u32,
    /// Why: "overnight, the bank answers at eight".
    pub reason: CleanStr,
}

impl CadenceSet {
    /// The time between two updates.
    pub fn every(&self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.every_s))
    }
}

/// A text that waits for the Incident Commander's approval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UpdateDrafted {
    /// The text, its channels and its promise.
    pub update: StatusUpdate,
}

/// A draft that will not go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DraftDropped {
    /// The draft.
    pub draft: EntryId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// Another record was about the same: its earliest clocks count here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateMerged {
    /// The other record.
    pub from: IncidentId,
    /// When it was detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<DateTime<Utc>>,
    /// When it was acknowledged, by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<(DateTime<Utc>, Actor)>,
    /// Since when its customers hurt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact_start: Option<DateTime<Utc>>,
}

/// Two records were not about the same after all: what the merge changed in this one counts no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeUndone {
    /// The other record.
    pub other: IncidentId,
    /// How that is known.
    pub reason: CleanStr,
}

/// A line of the timeline of a record that was merged into this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineMerged {
    /// The other record.
    pub from: IncidentId,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who wrote it.
    pub actor: Actor,
    /// What kind of line it was.
    pub tag: CleanStr,
    /// What it said.
    pub text: CleanText,
}

/// A console's clock is not this one's: times of its entries are read with the difference taken off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSkewed {
    /// The console whose clock is off.
    pub console: CleanStr,
    /// By how much it is ahead, in milliseconds; negative when it is behind.
    pub ahead_ms: i64,
}
