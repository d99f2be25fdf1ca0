//! A company's own words for tickets: their kinds, their ends, their links.
//!
//! Hides what is usual where nothing is said.
//!
//! Invariant: what nobody named is asked of the project or of a person, never guessed.

use crate::channel::SystemSettings;
use crate::text::CleanStr;

/// Which kinds of tickets Jira gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TicketTypes {
    /// An incident's.
    pub(super) incident: CleanStr,
    /// A SEV3's, which is handled within the squad.
    pub(super) backlog: CleanStr,
    /// A follow-up's.
    pub(super) follow_up: CleanStr,
}

/// A company's own words for the end of a ticket, where they are not the usual ones.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct TicketEnds {
    /// The status of what was done.
    pub(super) done_status: Option<CleanStr>,
    /// The status of a false alarm, and of what is not done after all.
    pub(super) dropped_status: Option<CleanStr>,
    /// The resolution of what was done.
    pub(super) done_resolution: Option<CleanStr>,
    /// The resolution of what is not done after all.
    pub(super) dropped_resolution: Option<CleanStr>,
    /// The kind of links between an incident's ticket and those of its follow-ups.
    pub(super) link_type: Option<CleanStr>,
}

impl TicketTypes {
    /// As the configuration has them.
    pub(super) fn of(settings: &SystemSettings) -> Self {
        let or = |key: &str, usual: &str| settings.text(key).cloned().unwrap_or_else(|| usual.into());
        Self {
            incident: or("jira-project.type", "Incident"),
            backlog: or("jira-project.backlog-type", "Task"),
            follow_up: or("jira-project.follow-up-type", "Task"),
        }
    }
}

impl TicketEnds {
    /// As the configuration has them.
    pub(super) fn of(settings: &SystemSettings) -> Self {
        let said = |key: &str| settings.text(key).cloned();
        Self {
            done_status: said("jira-project.done-status"),
            dropped_status: said("jira-project.dropped-status"),
            done_resolution: said("jira-project.done-resolution"),
            dropped_resolution: said("jira-project.dropped-resolution"),
            link_type: said("jira-project.link-type"),
        }
    }
}
