//! Facts about what goes out to other systems: that it waits, and what became of each try.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::incident::entry::EntryId;
use crate::incident::terms::Channel;
use crate::text::{CleanStr, CleanText};

/// A text that is to reach another system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryQueued {
    /// Which system: `slack`.
    pub service: CleanStr,
    /// What the channel is to people.
    pub channel: Channel,
    /// What the channel is to the system.
    pub target: CleanStr,
    /// The text, as it was approved.
    pub text: CleanText,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryMoved {
    /// Which.
    pub delivery: EntryId,
    /// How many moves came before: of two consoles that move it at once, the first does.
    pub step: u32,
    /// To where.
    pub to: DeliveryState,
}

/// Where a delivery stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It waits to be sent; nothing of it is there.
    Queued {
        /// Not before.
        not_before: DateTime<Utc>,
        /// Why it is here again, where it was tried.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<CleanStr>,
    },
    /// A console sends it: from here on nobody knows until there is an answer.
    Sending,
    /// It is there.
    Sent {
        /// What it is called there.
        remote: CleanStr,
    },
    /// The system refused it; trying again as it is would change nothing.
    Failed {
        /// Why, and the way out.
        why: CleanStr,
    },
    /// It may be there or not.
    Unconfirmed {
        /// Why nobody knows.
        why: CleanStr,
    },
    /// A newer text for the same place took its place before it was sent.
    Superseded {
        /// Which.
        by: EntryId,
    },
    /// Somebody gave it up.
    Dropped {
        /// Why.
        why: CleanStr,
    },
}

impl DeliveryState {
    /// Whether nothing can become of it any more.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Sent { .. } | Self::Superseded { .. } | Self::Dropped { .. } => true,
            Self::Queued { .. } | Self::Sending | Self::Failed { .. } | Self::Unconfirmed { .. } => false,
        }
    }

    /// Whether this may follow: nothing is sent again before somebody looked, or said so.
    pub fn leads_to(&self, next: &Self) -> bool {
        use DeliveryState::*;
        match (self, next) {
            (Queued { .. }, Sending | Superseded { .. } | Dropped { .. })
            | (Sending, Sent { .. } | Queued { .. } | Failed { .. } | Unconfirmed { .. })
            | (Unconfirmed { .. }, Sent { .. } | Queued { .. } | Dropped { .. })
            | (Failed { .. }, Queued { .. } | Superseded { .. } | Dropped { .. }) => true,
            (Queued { .. } | Sending | Unconfirmed { .. } | Failed { .. }, _)
            | (Sent { .. } | Superseded { .. } | Dropped { .. }, _) => false,
        }
    }

    /// In a word, for lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "WAITS",
            Self::Sending => "SENDING",
            Self::Sent { .. } => "SENT",
            Self::Failed { .. } => "FAILED",
            Self::Unconfirmed { .. } => "UNCONFIRMED",
            Self::Superseded { .. } => "superseded",
            Self::Dropped { .. } => "dropped",
        }
    }

    /// Why it stands there, where there is a reason.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Queued { why, .. } => why.as_deref(),
            Self::Failed { why } | Self::Unconfirmed { why } | Self::Dropped { why } => Some(why),
            Self::Sending | Self::Sent { .. } | Self::Superseded { .. } => None,
        }
    }
}
