//! What a system keeps of an incident, and which act makes it, needs it, or says all that an older one would.
//!
//! Hides which acts belong together.
//!
//! Invariant: an act that needs something is handed over only where that is there.

use crate::incident::{Act, EntryId};

/// What a system keeps of an incident, once it was made there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// The incident itself: PagerDuty's incident, the ticket, the entry of a status page.
    Record,
    /// The chat channel.
    Room,
    /// The message at its top.
    Pinned,
    /// The ticket of a follow-up.
    Ticket(EntryId),
    /// A silence, by what asked for it.
    Silence(EntryId),
}

impl Thing {
    /// What it is called where it is missed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "incident",
            Self::Room => "channel",
            Self::Pinned => "pinned message",
            Self::Ticket(_) => "ticket",
            Self::Silence(_) => "silence",
        }
    }
}

impl Act {
    /// What there is when it is done; `id` is its delivery.
    pub fn makes(&self, id: EntryId) -> Option<Thing> {
        match self {
            Self::Open(_) | Self::Publish(_) | Self::Adopt(_) => Some(Thing::Record),
            Self::FindRoom { .. } | Self::OpenRoom { .. } | Self::AdoptRoom { .. } => Some(Thing::Room),
            Self::Pin => Some(Thing::Pinned),
            Self::Ticket(item) => Some(Thing::Ticket(*item)),
            Self::Silence(_) => Some(Thing::Silence(id)),
            Self::Post
            | Self::Change(_)
            | Self::Reopen
            | Self::Acknowledge
            | Self::Describe
            | Self::Note(_)
            | Self::Report(_)
            | Self::Resolve
            | Self::Tell
            | Self::Topic
            | Self::Invite(_)
            | Self::Page(_)
            | Self::Escalate(_)
            | Self::Reassign(_)
            | Self::Merge(_)
            | Self::ChangeTicket(_)
            | Self::CloseTicket(_)
            | Self::Unsilence(_) => None,
        }
    }

    /// What must be there before.
    pub fn needs(&self) -> Option<Thing> {
        match self {
            Self::Change(_)
            | Self::Reopen
            | Self::Acknowledge
            | Self::Describe
            | Self::Note(_)
            | Self::Report(_)
            | Self::Resolve
            | Self::Tell
            | Self::Page(_)
            | Self::Escalate(_)
            | Self::Reassign(_)
            | Self::Merge(_)
            | Self::Ticket(_) => Some(Thing::Record),
            Self::Topic | Self::Invite(_) | Self::Pin => Some(Thing::Room),
            Self::ChangeTicket(item) | Self::CloseTicket(item) => Some(Thing::Ticket(*item)),
            Self::Unsilence(silence) => Some(Thing::Silence(*silence)),
            Self::Post
            | Self::Open(_)
            | Self::Adopt(_)
            | Self::Publish(_)
            | Self::FindRoom { .. }
            | Self::OpenRoom { .. }
            | Self::AdoptRoom { .. }
            | Self::Silence(_) => None,
        }
    }

    /// Whether the newest of its kind says all that the older ones would.
    pub(super) fn replaces(&self, older: &Self) -> bool {
        let is_of_one_ticket =
            matches!((self, older), (Self::ChangeTicket(one), Self::ChangeTicket(other)) if one == other);
        is_of_one_ticket
            || matches!(
                (self, older),
                (Self::Post, Self::Post)
                    | (Self::Tell, Self::Tell)
                    | (Self::Publish(_), Self::Publish(_))
                    | (Self::Topic, Self::Topic)
                    | (Self::Pin, Self::Pin)
                    | (Self::Describe, Self::Describe)
                    | (Self::Change(_), Self::Change(_))
                    | (Self::OpenRoom { .. } | Self::AdoptRoom { .. }, Self::FindRoom { .. })
            )
    }
}
