//! Facts about the end and what follows it: proof, postmortem, article, reviews, follow-ups, corrected times, redaction.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::incident::entry::{Actor, EntryId, IncidentId, ServiceId};
use crate::text::CleanStr;

/// One thing that had to be normal again, as it was when the incident was resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofLine {
    /// What was looked at.
    pub what: CleanStr,
    /// Whether it was normal.
    pub met: bool,
    /// What was seen.
    pub seen: CleanStr,
}

/// How an incident was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that had to follow was done.
    Done,
    /// It was no incident.
    FalseAlarm,
    /// It is handled within the squad and logged for the backlog.
    Backlog,
    /// It goes on in another record.
    Merged(IncidentId),
}

/// The date and the owner of the postmortem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostmortemScheduled {
    /// When people meet.
    pub at: DateTime<Utc>,
    /// Who writes it.
    pub owner: Actor,
    /// Why it is held later than the runbook wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// The knowledge-base article was written or updated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleRecorded {
    /// Where it is.
    pub url: CleanStr,
}

/// What is reviewed after an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewOf {
    /// A service's playbook.
    Playbook(ServiceId),
    /// The escalation matrix.
    Matrix,
    /// The communication templates.
    Templates,
}

/// A document was reviewed in the light of this incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reviewed {
    /// Which.
    pub of: ReviewOf,
    /// What was changed; "nothing" is an answer.
    pub outcome: CleanStr,
}

/// Where a follow-up stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FollowUpState {
    /// It is to be done.
    #[default]
    Open,
    /// It is done.
    Done,
    /// It will not be done.
    Dropped,
}

/// A follow-up came to be or changed; what is absent stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FollowUpSet {
    /// The `todo` line or the entry that it began with; absent: this entry begins one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<EntryId>,
    /// What is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<CleanStr>,
    /// Who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Actor>,
    /// Until the end of which day, in the incident's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<NaiveDate>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<FollowUpState>,
    /// Why, where it was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// A moment by which the process is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Milestone {
    /// The alert fired, or the report came.
    Detected,
    /// The Incident Commander said "mine".
    Acknowledged,
    /// Customers began to hurt.
    ImpactStart,
    /// Customers ceased to hurt.
    ImpactEnd,
    /// What was done took hold.
    Mitigated,
    /// Metrics and traces were back to normal.
    Resolved,
}

impl Milestone {
    /// All of them, in their order.
    pub const ALL: [Self; 6] =
        [Self::Detected, Self::Acknowledged, Self::ImpactStart, Self::ImpactEnd, Self::Mitigated, Self::Resolved];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Acknowledged => "acknowledged",
            Self::ImpactStart => "impact-start",
            Self::ImpactEnd => "impact-end",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
        }
    }
}

/// A moment was corrected: clocks and measures follow, both values stay in the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeAmended {
    /// Which moment.
    pub which: Milestone,
    /// When it really was.
    pub to: DateTime<Utc>,
    /// How that is known.
    pub reason: CleanStr,
}

/// A line's text is shown no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRedacted {
    /// The entry.
    pub entry: EntryId,
    /// Why.
    pub reason: CleanStr,
}
