//! The runbook's closed vocabularies: severities, phases, roles, kinds of notes, channels.
//!
//! Hides nothing: each word has one spelling in the journal, one on the screen and one order.
//!
//! Invariant: what a word is called in the journal never changes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::{CleanStr, bare};

/// How bad it is, by the runbook's escalation matrix; SEV0 is the worst and sorts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Complete outage or regulatory impact.
    Sev0,
    /// Major functionality loss affecting more than half of the users.
    Sev1,
    /// Partial degradation affecting a specific integration.
    Sev2,
    /// Minor bug or alert noise.
    Sev3,
}

impl Severity {
    /// All levels, the worst first.
    pub const ALL: [Self; 4] = [Self::Sev0, Self::Sev1, Self::Sev2, Self::Sev3];

    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sev0 => "SEV0",
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
        }
    }

    /// The runbook's definition.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Sev0 => "complete outage or regulatory impact",
            Self::Sev1 => "major functionality loss affecting > 50 % of users",
            Self::Sev2 => "partial degradation affecting a specific integration",
            Self::Sev3 => "minor bug or alert noise",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = bare(text).to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|level| lower == level.name().to_ascii_lowercase() || lower == level.name()[3..])
            .ok_or_else(|| format!("`{}` is no severity: sev0, sev1, sev2 or sev3", CleanStr::new(text)))
    }
}

/// Where the incident stands in the runbook's lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Something fired or somebody called.
    Detected,
    /// An Incident Commander said "mine".
    Acknowledged,
    /// Scope is being confirmed.
    Triage,
    /// Steps against it are being taken.
    Mitigating,
    /// Metrics and traces are back to normal.
    Resolved,
    /// Postmortem, article, follow-ups.
    PostIncident,
    /// Done.
    Closed,
}

impl Phase {
    /// All phases in their order.
    pub const ALL: [Self; 7] = [
        Self::Detected,
        Self::Acknowledged,
        Self::Triage,
        Self::Mitigating,
        Self::Resolved,
        Self::PostIncident,
        Self::Closed,
    ];

    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detected => "Detected",
            Self::Acknowledged => "Acknowledged",
            Self::Triage => "Triage",
            Self::Mitigating => "Mitigating",
            Self::Resolved => "Resolved",
            Self::PostIncident => "Post-incident",
            Self::Closed => "Closed",
        }
    }

    /// The one question that moves the incident on.
    pub fn question(self) -> &'static str {
        match self {
            Self::Detected => "Who commands, and is it real? Acknowledge.",
            Self::Acknowledged => "What is affected: services, places, partners, since when?",
            Self::Triage => "What will we do about it first?",
            Self::Mitigating => "Are metrics and traces back to normal?",
            Self::Resolved => "When is the postmortem, and who owns it?",
            Self::PostIncident => "Is every follow-up owned, and the playbook reviewed?",
            Self::Closed => "Nothing is left to do.",
        }
    }

    /// Whether customers may still be hurting: clocks run until here.
    pub fn is_live(self) -> bool {
        self < Self::Resolved
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The runbook's four roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Owns the plan, coordinates, communicates.
    IncidentCommander,
    /// Posts updates inside and to customers.
    CommunicationsLead,
    /// Troubleshoots a component.
    Sme,
    /// Documents timeline, actions, decisions.
    Scribe,
}

impl Role {
    /// All roles, in the order in which an empty one hurts.
    pub const ALL: [Self; 4] = [Self::IncidentCommander, Self::CommunicationsLead, Self::Sme, Self::Scribe];

    /// The full name.
    pub fn name(self) -> &'static str {
        match self {
            Self::IncidentCommander => "Incident Commander",
            Self::CommunicationsLead => "Communications Lead",
            Self::Sme => "Subject Matter Expert",
            Self::Scribe => "Scribe",
        }
    }

    /// The short name that people say.
    pub fn short(self) -> &'static str {
        match self {
            Self::IncidentCommander => "IC",
            Self::CommunicationsLead => "Comms",
            Self::Sme => "SME",
            Self::Scribe => "Scribe",
        }
    }
}

/// What kind of line a note is; the scribe's vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// Anything worth a line.
    #[default]
    Note,
    /// What was decided.
    Decision,
    /// What somebody does.
    Action,
    /// What somebody found out.
    Finding,
    /// What must not be forgotten; becomes a follow-up.
    Todo,
    /// Conditions, actions, needs.
    Can,
}

impl NoteKind {
    /// All kinds, in the order of the picker.
    pub const ALL: [Self; 6] = [Self::Note, Self::Decision, Self::Action, Self::Finding, Self::Todo, Self::Can];

    /// The word at the start of the scribe's line, and on the timeline.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Decision => "decision",
            Self::Action => "action",
            Self::Finding => "finding",
            Self::Todo => "todo",
            Self::Can => "can",
        }
    }
}

/// A place where updates are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The incident's own chat channel.
    IncidentChannel,
    /// `#status-qrpay`.
    StatusSlack,
    /// The internal status page.
    InternalPage,
    /// The status page that customers read.
    ExternalPage,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 4] = [Self::IncidentChannel, Self::StatusSlack, Self::InternalPage, Self::ExternalPage];

    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::IncidentChannel => "incident channel",
            Self::StatusSlack => "#status-qrpay",
            Self::InternalPage => "internal page",
            Self::ExternalPage => "external page",
        }
    }
}
