//! What is due, until when, and whose it is.
//!
//! Hides the runbook's rules for each clock. An obligation is derived from the record, never stored: a clock is reset only by the recorded act.
//!
//! Invariant: same incident, same list; nothing here knows what time it is but by its argument.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

/// The runbook's times; config can change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// The IC acknowledges within this.
    pub acknowledge: TimeDelta,
    /// Each internal channel hears something at least this often.
    pub update: TimeDelta,
    /// Customers hear something after this much impact.
    pub external: TimeDelta,
    /// What the shipped customer template promises.
    pub external_again: TimeDelta,
    /// The target for resolving a SEV1 or SEV2.
    pub resolve: TimeDelta,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            acknowledge: TimeDelta::minutes(5),
            update: TimeDelta::minutes(15),
            external: TimeDelta::minutes(15),
            external_again: TimeDelta::minutes(30),
            resolve: TimeDelta::minutes(30),
        }
    }
}

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Duty {
    /// Acknowledge the alert.
    Acknowledge,
    /// Tell a channel how it goes.
    Update(Channel),
}

impl Duty {
    /// Whose it is.
    pub fn role(self) -> Role {
        match self {
            Self::Acknowledge => Role::IncidentCommander,
            Self::Update(_) => Role::CommunicationsLead,
        }
    }

    /// What to call it.
    pub fn name(self) -> String {
        match self {
            Self::Acknowledge => "acknowledge".to_owned(),
            Self::Update(channel) => format!("update {}", channel.name()),
        }
    }
}

/// How near it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// There is time.
    Calm,
    /// The last third of its time has begun.
    Soon,
    /// It is late.
    Overdue,
}

/// Something with a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// What.
    pub duty: Duty,
    /// Who holds the role that owes it.
    pub owner: Option<Actor>,
    /// Since when the clock runs.
    pub start: DateTime<Utc>,
    /// Until when.
    pub due: DateTime<Utc>,
}

impl Obligation {
    /// Time left; negative when overdue.
    pub fn left(&self, now: DateTime<Utc>) -> TimeDelta {
        self.due - now
    }

    /// How near it is.
    pub fn urgency(&self, now: DateTime<Utc>) -> Urgency {
        if now >= self.due {
            Urgency::Overdue
        } else if now >= self.amber() {
            Urgency::Soon
        } else {
            Urgency::Calm
        }
    }

    /// When it turns amber.
    pub fn amber(&self) -> DateTime<Utc> {
        self.due - (self.due - self.start).max(TimeDelta::zero()) / 3
    }
}

/// All that is due, the nearest first.
pub fn obligations(facts: &Facts, cadence: &Cadence) -> Vec<Obligation> {
    let mut all = Vec::new();
    if facts.declared.is_none() || !facts.phase().is_live() {
        return all;
    }
    let mut owe = |duty: Duty, start: DateTime<Utc>, due: DateTime<Utc>| {
        all.push(Obligation { duty, owner: facts.holder(duty.role()).cloned(), start, due });
    };
    match &facts.acknowledged {
        None => {
            if let Some(start) = facts.detected_at.or(facts.declared.as_ref().map(|mark| mark.at)) {
                owe(Duty::Acknowledge, start, start + cadence.acknowledge);
            }
        }
        Some(acknowledged) => {
            for channel in [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage] {
                let last = facts.last_update(channel);
                let start = last.map_or(acknowledged.at, |told| told.mark.at);
                let regular = start + cadence.update;
                let promised = last.and_then(|told| told.update.promised_next);
                owe(Duty::Update(channel), start, promised.map_or(regular, |promised| promised.min(regular)));
            }
        }
    }
    if let Some((start, due)) = external(facts, cadence) {
        owe(Duty::Update(Channel::ExternalPage), start, due);
    }
    all.sort_by_key(|obligation| (obligation.due, obligation.duty));
    all
}

/// The external page is due after so much customer impact; once told, when the last text promised.
fn external(facts: &Facts, cadence: &Cadence) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let start = facts.impact.start?;
    let told = facts
        .updates
        .iter()
        .rev()
        .find(|told| told.update.channels.contains(&Channel::ExternalPage) && told.mark.at >= start);
    match (told, facts.impact.end) {
        (Some(told), None) => {
            Some((told.mark.at, told.update.promised_next.unwrap_or(told.mark.at + cadence.external_again)))
        }
        (Some(_), Some(_)) => None,
        (None, Some(end)) if end - start <= cadence.external => None,
        (None, _) => Some((start, start + cadence.external)),
    }
}

/// The nearest update of the internal channels: the countdown that is always on the screen.
pub fn next_update(obligations: &[Obligation]) -> Option<&Obligation> {
    obligations
        .iter()
        .find(|obligation| matches!(obligation.duty, Duty::Update(channel) if channel != Channel::ExternalPage))
}
