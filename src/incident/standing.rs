//! How an incident stands when something of it is handed to another system, and what happened as data.
//!
//! Hides which entry says what: a role can be taken, left or handed over, and a severity raised or lowered.
//!
//! Invariant: it is computed when the thing leaves, not when it was queued; no copy of it stays in the record.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    Channel, CleanStr, CleanText, DateTime, EntryId, Event, Incident, Outcome, Phase, Role, Severity, TimeDelta, Utc,
};

/// How it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What is wrong, in one line.
    pub title: CleanStr,
    /// How bad.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub phase: Phase,
    /// Who commands.
    pub commander: Option<CleanStr>,
    /// What is affected.
    pub services: BTreeSet<CleanStr>,
    /// When the next update was promised.
    pub next_update: Option<DateTime<Utc>>,
    /// By which zone its people read times.
    pub zone: chrono_tz::Tz,
    /// What happened, where that is what is told.
    pub happening: Option<Happening>,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            title: CleanStr::default(),
            severity: None,
            phase: Phase::Detected,
            commander: None,
            services: BTreeSet::new(),
            next_update: None,
            zone: chrono_tz::UTC,
            happening: None,
        }
    }
}

/// Something that happened, as data.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// When.
    pub at: DateTime<Utc>,
    /// Whose doing it was.
    pub by: CleanStr,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Happened {
    /// It moved to a phase.
    Phase {
        /// Which.
        phase: Phase,
        /// Why, where somebody said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<CleanStr>,
        /// As what it was closed.
        #[serde(skip_serializing_if = "Option::is_none")]
        outcome: Option<Outcome>,
    },
    /// It is worse or less bad than was thought.
    Severity {
        /// How bad from now on.
        severity: Severity,
        /// `raised` or `lowered`.
        change: &'static str,
        /// Why, where somebody said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<CleanStr>,
    },
    /// Somebody took or left a role.
    Role {
        /// Which.
        role: Role,
        /// Of an expert: for what.
        #[serde(skip_serializing_if = "Option::is_none")]
        component: Option<CleanStr>,
        /// Who.
        holder: CleanStr,
        /// `taken` or `left`.
        change: &'static str,
    },
    /// An update was told.
    Update {
        /// Where.
        channels: BTreeSet<Channel>,
        /// Its words.
        text: CleanText,
        /// When the next one was promised.
        #[serde(skip_serializing_if = "Option::is_none")]
        promised_next: Option<DateTime<Utc>>,
    },
}

impl Happened {
    /// The last part of its name: `phase`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Phase { .. } => "phase",
            Self::Severity { .. } => "severity",
            Self::Role { .. } => "role",
            Self::Update { .. } => "update",
        }
    }
}

impl Incident {
    /// How it stands, with what an entry says that happened.
    pub(super) fn standing(&self, told: Option<EntryId>) -> Standing {
        let last = self.updates.last().filter(|_| self.phase() < Phase::Resolved);
        Standing {
            title: self.title.clone(),
            severity: self.severity,
            phase: self.phase(),
            commander: self.holder(Role::IncidentCommander).cloned(),
            services: self.services.iter().cloned().collect(),
            next_update: last.and_then(|told| told.update.promised_next),
            zone: self.zone(),
            happening: told.and_then(|id| self.happening(id)),
        }
    }

    /// What an entry says that happened, where programs elsewhere hear of it.
    pub fn happening(&self, id: EntryId) -> Option<Happening> {
        let entry = self.entry(id)?;
        let what = match &entry.event {
            Event::PhaseEntered(body) => {
                Happened::Phase { phase: body.phase, reason: body.reason.clone(), outcome: body.outcome }
            }
            Event::SeverityRaised(body) => {
                Happened::Severity { severity: body.to, change: "raised", reason: body.reason.clone() }
            }
            Event::SeverityLowered(body) => {
                Happened::Severity { severity: body.to, change: "lowered", reason: body.reason.clone() }
            }
            Event::RoleTaken(body) | Event::RoleLeft(body) => Happened::Role {
                role: body.role,
                component: body.component.clone(),
                holder: body.holder.clone(),
                change: if matches!(entry.event, Event::RoleTaken(_)) { "taken" } else { "left" },
            },
            Event::HandoverAccepted(body) => match &self.entry(body.offer)?.event {
                Event::HandoverOffered(offer) => Happened::Role {
                    role: offer.role,
                    component: offer.component.clone(),
                    holder: offer.to.clone(),
                    change: "taken",
                },
                _ => return None,
            },
            Event::StatusUpdatePosted(body) => Happened::Update {
                channels: body.channels.clone(),
                text: body.text.clone(),
                promised_next: body.promised_next,
            },
            _ => return None,
        };
        Some(Happening { at: self.time(entry), by: entry.actor.clone(), what })
    }

    /// What happened since a moment, the oldest first.
    pub fn happened_since(&self, since: DateTime<Utc>) -> Vec<EntryId> {
        // What was said in the same moment belongs to it.
        let is_new = |at: DateTime<Utc>| at > since - TimeDelta::milliseconds(1);
        let all = self.entries().filter(|entry| is_new(self.time(entry)));
        all.filter(|entry| self.happening(entry.id).is_some()).map(|entry| entry.id).collect()
    }
}
