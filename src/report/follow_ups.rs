//! The follow-ups of all incidents in one list.

use std::fmt;

use chrono::{DateTime, Utc};

use super::is_past;
use crate::incident::{FollowUp, FollowUpState, Incident, IncidentId};
use crate::text::CleanStr;

/// A follow-up and the incident that it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Whose it is.
    pub incident: IncidentId,
    /// What is to be done.
    pub item: FollowUp,
    /// Whether it is open and its day has ended.
    pub is_late: bool,
}

impl fmt::Display for Listed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { incident, item, is_late } = self;
        let state = match item.state {
            FollowUpState::Open if *is_late => "OVERDUE",
            FollowUpState::Open => "open",
            FollowUpState::Done => "done",
            FollowUpState::Dropped => "dropped",
        };
        let due = item.due.map_or_else(|| "no day".to_owned(), |due| due.to_string());
        let owner = item.owner.as_ref().map_or("no owner", CleanStr::as_str);
        write!(out, "{incident:<8} {state:<8} {due:<10}  {owner:<12} {}", item.what)
    }
}

/// The open follow-ups of incidents, and on request the others; what is due first comes first, what has no day last. Drills have none that count.
pub fn follow_ups(records: &[Incident], with_done: bool, now: DateTime<Utc>) -> Vec<Listed> {
    let mut list = Vec::new();
    for record in records.iter().filter(|record| record.drill.is_none()) {
        for item in &record.follow_ups {
            let is_open = item.state == FollowUpState::Open;
            if is_open || with_done {
                let is_late = is_open && item.due.is_some_and(|due| is_past(due, record.zone(), now));
                list.push(Listed { incident: record.id(), item: item.clone(), is_late });
            }
        }
    }
    list.sort_by_key(|one| (one.item.due.is_none(), one.item.due, one.incident));
    list
}
