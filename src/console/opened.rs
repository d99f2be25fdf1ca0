//! What becomes of a console when another record is opened in it, or none can be.
//!
//! Hides what belongs to the console and whoever sits at it, and is kept; everything else belongs to the record that was open, and is as in a console
//! that has just begun. What is added to a console is forgotten with its record, unless it is named here.
//!
//! Invariant: nothing that was learnt, told or asked of one record is known, told or asked of the next.

use chrono::{DateTime, Utc};

use super::record::Record;
use super::{Console, Dirty, Tone};
use crate::incident::{Incident, IncidentId};
use crate::live::{Live, SIMULATED};

impl Console {
    /// Another record is open here now.
    pub(super) fn opened(&mut self, id: IncidentId, wall: DateTime<Utc>) {
        self.leave_record();
        self.incident = Incident::new(id);
        self.record = Record { id: Some(id), ..Record::default() };
        if self.panes.iter().any(|pane| pane.draft().is_some()) {
            self.draft.changed_at = Some(wall);
            self.say(Tone::Said, format!("your half-typed line came along to {id}; Enter would record it here"), wall);
        }
    }

    /// No record is open any more: the console is as one that has just begun, but for what is its own.
    pub(super) fn leave_record(&mut self) {
        let blank = || Self::new(self.settings.clone(), self.screen);
        let (placeholder, fresh) = (blank(), blank());
        let is_frozen = self.settings.is_frozen;
        let Self {
            // Who sits here, how the screen is arranged, and what is half-typed and half-read on it.
            settings,
            panes,
            focus,
            is_zoomed,
            overlay,
            messages,
            spelling,
            span,
            // When keys came, and what is known of this machine's clock.
            pasted_at,
            flooded_at,
            looked_at,
            jumped_at,
            ahead,
            off_by,
            noted_clock_in,
            // What this process wrote, and numbers that never come twice: an answer to a question about the last record is none about this one.
            own,
            looks,
            watchlist,
            // What was read of this host: its playbooks, and which alerts its records cover.
            loaded,
            covers,
            // Sources run before a record is open: what they said of themselves and of alerts is not that record's.
            live: Live { mut sources, reported, changes, .. },
            ..
        } = std::mem::replace(self, placeholder);
        sources.remove(SIMULATED);
        let catalogue = loaded.with_frozen(std::iter::empty());
        *self = Self {
            settings: super::Settings { catalogue, ..settings },
            panes,
            focus,
            is_zoomed,
            overlay,
            messages,
            spelling,
            span,
            pasted_at,
            flooded_at,
            looked_at,
            jumped_at,
            ahead,
            off_by,
            noted_clock_in,
            own: own.of_next_record(),
            looks,
            watchlist,
            loaded,
            covers,
            live: Live { sources, reported, changes, is_frozen, ..Live::default() },
            dirty: Dirty::ALL,
            ..fresh
        };
    }
}
