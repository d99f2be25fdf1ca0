//! What an incident leaves undone: what resolving, closing and the postmortem say by name.
//!
//! Hides what still counts as undone once nobody is in the room any more.
//!
//! Invariant: whatever is listed here is in the record, and goes from the list by a recorded act alone.

use chrono::{DateTime, Utc};

use super::cadence::{last_promise, never_told};
use super::*;

impl Incident {
    /// What the phase asks of people; at its end, that something has not reached its place.
    pub fn question(&self) -> String {
        match self.undelivered().count() {
            count if count > 0 && self.phase() == Phase::Closed => {
                format!("{} not sent yet: look at :outbox.", crate::text::many(count, "message"))
            }
            _ => self.phase().question().to_owned(),
        }
    }
}

/// What is undone, a sentence each: impact without an end, people who were not told, texts that did not go out, work and proposals without an answer.
pub fn unfinished(incident: &Incident, rules: Rules<'_>) -> Vec<String> {
    let facts: &Facts = incident;
    if facts.declared.is_none() || matches!(facts.outcome, Some(Outcome::FalseAlarm | Outcome::Merged(_))) {
        return Vec::new();
    }
    let is_drill = facts.drill.is_some();
    let zone = facts.zone();
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%b %-d %H:%M %Z").to_string();
    let mut all = Vec::new();
    if let Some((start, None)) = facts.impact.latest()
        && !is_drill
    {
        all.push(format!("customers hurt since {}, and no end of it is recorded", time(start)));
    }
    let page = Channel::ExternalPage.name();
    let promised = facts.resolved_at.and_then(|resolved| last_promise(facts, resolved));
    if promised.is_some() {
        all.push(format!("the {page} does not say yet that it is over"));
    } else if let Some((start, _)) = never_told(facts, rules.cadence).filter(|_| !is_drill) {
        all.push(format!("the {page} never said that customers hurt since {}", time(start)));
    }
    if is_drill {
        // What people owe each other in a drill ends with it.
        return all;
    }
    if let Some((severity, _)) = facts.owed_severity(rules.cadence.tell) {
        let untold = rules.tell.iter().filter(|position| !facts.was_told(position, severity));
        all.extend(untold.map(|position| format!("the {position} was not told of {severity}")));
    }
    for draft in &facts.drafts {
        let channels: Vec<_> = draft.update.channels.iter().map(|channel| channel.name()).collect();
        all.push(format!(
            "{}'s text of {} for {} was not sent",
            draft.mark.by,
            time(draft.mark.at),
            channels.join(", ")
        ));
    }
    let stuck = incident.undelivered().filter(|one| match one.state {
        DeliveryState::Failed { .. } | DeliveryState::Unconfirmed { .. } | DeliveryState::Held { .. } => true,
        // It goes out by itself, or is over.
        DeliveryState::Queued { .. }
        | DeliveryState::Sending
        | DeliveryState::Sent(_)
        | DeliveryState::Gone { .. }
        | DeliveryState::ByHand
        | DeliveryState::Superseded { .. }
        | DeliveryState::Dropped { .. } => false,
    });
    all.extend(stuck.map(|one| format!("{} is {}", one.place(), one.state.word())));
    for task in facts.open_tasks() {
        all.push(format!("@{} has not answered for `{}`, due {}", task.to, task.what, time(task.call_back)));
    }
    for decision in facts.decisions.iter().filter(|decision| decision.made.is_none()) {
        all.push(format!("nobody decided on `{}`", decision.proposal.action));
    }
    all
}
