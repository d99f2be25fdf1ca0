//! The own clock, and what the record says that it is off.
//!
//! Hides that two times are in use: what comes in and what goes out is by the own clock, everything between is by the right time.
//!
//! Invariant: when the own clock is set, or found off, nothing old looks new and nothing waits for the time between.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, Dirty};
use crate::incident::Event;

impl Console {
    /// The right time, where this console's own clock is known to be off: everything inside reckons with it.
    pub(crate) fn right(&self, own: DateTime<Utc>) -> DateTime<Utc> {
        own.checked_sub_signed(self.ahead).unwrap_or(own)
    }

    /// What the own clock shows at a right time.
    pub(crate) fn own(&self, right: DateTime<Utc>) -> DateTime<Utc> {
        right.checked_add_signed(self.ahead).unwrap_or(right)
    }

    /// What the record says of the own clock may be new: then it is another time, for all that was timed.
    pub(super) fn learn_own_clock(&mut self, own: DateTime<Utc>) -> DateTime<Utc> {
        let known = std::mem::replace(&mut self.ahead, self.incident.ahead(&self.settings.console));
        if known != self.ahead {
            self.time_moved(known - self.ahead);
        }
        self.right(own)
    }

    /// What was timed by the clock before keeps its distance: nothing waits for the time between, and nothing old looks new.
    pub(super) fn time_moved(&mut self, by: TimeDelta) {
        let timed = [&mut self.pasted_at, &mut self.looked_at, &mut self.draft.changed_at, &mut self.jumped_at];
        let notice = self.notice.iter_mut().map(|notice| &mut notice.until);
        for at in timed.into_iter().flatten().chain(notice) {
            *at += by;
        }
        self.live.time_moved(by);
        self.dirty = Dirty::ALL;
    }

    /// An entry is stamped by the own clock, and whoever reads it takes off what that is ahead: of the times inside too.
    pub(super) fn by_own_clock(&self, events: Vec<Event>) -> Vec<Event> {
        let ahead = self.incident.clock().passed(self.ahead);
        if ahead.is_zero() { events } else { events.into_iter().map(|event| event.shifted(ahead)).collect() }
    }
}
