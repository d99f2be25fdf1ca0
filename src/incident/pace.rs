//! At which pace updates are due in one incident, where somebody changed it.
//!
//! Hides what a change does to a clock that runs already: a slower pace counts from the last update, a faster one from the change at the latest.
//!
//! Invariant: what was overdue when the pace was changed stays overdue; clocks and measures ask here.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Cadence, Facts};

impl Facts {
    /// The runbook's times, as they were changed for this incident.
    pub fn cadence(&self, usual: &Cadence) -> Cadence {
        match self.paces.last() {
            Some((_, pace)) => Cadence { update: pace.every(), external_again: pace.every(), ..*usual },
            None => *usual,
        }
    }

    /// When the update after one is due, whatever texts promise; `usual` is the runbook's pace.
    pub(super) fn next_due(&self, last: DateTime<Utc>, usual: TimeDelta) -> DateTime<Utc> {
        let before = self.paces.iter().rev().find(|(mark, _)| mark.at <= last);
        let mut due = last + before.map_or(usual, |(_, pace)| pace.every());
        for (mark, pace) in self.paces.iter().filter(|(mark, _)| mark.at > last) {
            if mark.at >= due {
                break;
            }
            let from_last = last + pace.every();
            due = if from_last >= mark.at { from_last } else { mark.at + pace.every() };
        }
        due
    }
}
