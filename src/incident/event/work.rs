//! Facts about who does what: tasks with a call-back, decisions with objections, hypotheses, hand-overs, claimed steps.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::StepRef;
use crate::incident::entry::{Actor, EntryId};
use crate::incident::terms::Role;
use crate::text::{CleanStr, CleanText};

/// Work handed to a named person, who calls back at a time; the task is named by its entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskAssigned {
    /// Who does it.
    pub to: Actor,
    /// What is to be done.
    pub what: CleanStr,
    /// When they call back.
    pub call_back: DateTime<Utc>,
}

/// The person repeated the task: it was heard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskReadBack {
    /// The task.
    pub task: EntryId,
}

/// What a call-back says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is done.
    Done,
    /// It takes until then.
    More {
        /// The next call-back.
        until: DateTime<Utc>,
    },
    /// They do not know; somebody else may.
    DontKnow,
    /// Something is in the way.
    Blocked,
    /// It is not wanted any more.
    Dropped,
}

/// A call-back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAnswered {
    /// The task.
    pub task: EntryId,
    /// How it stands.
    pub answer: Answer,
    /// In their words.
    #[serde(default, skip_serializing_if = "CleanStr::is_blank")]
    pub text: CleanStr,
}

/// A proposal that waits for objections until a time, and then for the Incident Commander.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionProposed {
    /// What would be done.
    pub action: CleanStr,
    /// What can go wrong.
    pub risk: CleanStr,
    /// How to take it back.
    pub undo: CleanStr,
    /// What comes next if it does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_b: Option<CleanStr>,
    /// "Any strong objections?" is asked until here.
    pub until: DateTime<Utc>,
}

/// Somebody objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectionRaised {
    /// The proposal.
    pub decision: EntryId,
    /// Why.
    pub text: CleanStr,
}

/// The Incident Commander decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionMade {
    /// The proposal.
    pub decision: EntryId,
    /// Whether it is done.
    pub go: bool,
    /// Whose consoles were present.
    #[serde(default)]
    pub present: Vec<Actor>,
    /// Why, where it was early, against objections, or against the proposal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// A theory about the cause, so that two people do not chase it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HypothesisOpened {
    /// What may be the cause.
    pub text: CleanStr,
    /// Who looks into it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Actor>,
    /// What would take it back, where the theory is a recent change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<CleanStr>,
}

/// The end of a theory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HypothesisSettled {
    /// The theory.
    pub hypothesis: EntryId,
    /// Whether it was the cause.
    pub holds: bool,
    /// What showed it.
    pub evidence: CleanStr,
}

/// A role is offered to somebody, with the brief that was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandoverOffered {
    /// The role.
    pub role: Role,
    /// Of an SME: for which component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<CleanStr>,
    /// Who shall take it.
    pub to: Actor,
    /// The brief.
    pub brief: CleanText,
}

/// The offered role was accepted; the one who had it stays as adviser for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandoverAccepted {
    /// The offer.
    pub offer: EntryId,
}

/// The offered role was declined, or the offer taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandoverEnded {
    /// The offer.
    pub offer: EntryId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// A step that somebody works on; everybody sees whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepClaimed {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// Its title.
    pub title: CleanStr,
    /// From whom it is taken over, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<TakenOver>,
}

/// A claim that changed hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TakenOver {
    /// Whose claim it was.
    pub from: Actor,
    /// Why.
    pub reason: CleanStr,
}
