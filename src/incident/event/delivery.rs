//! Facts about what goes out to other systems: that it waits, and what became of each try.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Silencing, TaskAnswered};
use crate::incident::entry::EntryId;
use crate::incident::terms::{Channel, Severity};
use crate::text::{CleanStr, CleanText};

/// Something that another system is to be told.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct DeliveryQueued {
    /// Which system: `slack`.
    pub service: CleanStr,
    /// What the place is to people, where it is one of the runbook's channels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What the place is to the system.
    pub target: CleanStr,
    /// What is done there.
    #[serde(default, skip_serializing_if = "Act::is_post")]
    pub act: Act,
    /// The text, as it was approved.
    #[serde(default)]
    pub text: CleanText,
    /// The text as it leaves, where the template of its channel makes another one of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worded: Option<CleanText>,
    /// On whose behalf, by the name that the system knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<CleanStr>,
    /// When it may go.
    #[serde(default, skip_serializing_if = "Release::is_at_once")]
    pub release: Release,
}

/// When something may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// It was approved.
    #[default]
    AtOnce,
    /// Somebody must say so first.
    OnWord,
    /// Never: in a drill, and where nothing is to leave this console.
    Never,
}

impl Release {
    fn is_at_once(&self) -> bool {
        *self == Self::AtOnce
    }
}

/// What is done in another system.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// A text for those who read there.
    #[default]
    Post,
    /// The incident begins there; what is there already is adopted.
    Open(Opened),
    /// It is called otherwise, or is worse or less bad.
    Change(Opened),
    /// It goes on after it was over.
    Reopen,
    /// Somebody has it in hand.
    Acknowledge,
    /// What the system says of the incident as a whole.
    Describe,
    /// Something that happened is told as data, for programs; what it was is looked up when it leaves.
    Report(EntryId),
    /// Lines of the timeline are added to it; their words are looked up when they leave, so that no copy of them stays behind.
    Note(BTreeSet<EntryId>),
    /// It is over there.
    Resolve,
    /// Those who subscribed to it are told.
    Tell,
    /// Readers of a status page are told.
    Publish(Publication),
    /// The incident's chat channel is looked for, where another system opens it.
    FindRoom {
        /// It is younger than this; an older one of the same name is another incident's.
        since: DateTime<Utc>,
    },
    /// The incident's chat channel is opened.
    OpenRoom {
        /// For those who are invited only.
        is_private: bool,
        /// One of the same name that is younger than this is taken for it, where another system opens channels of that name.
        since: DateTime<Utc>,
        /// Its name counts from this journal alone: a channel that has it and not the mark of this delivery is another record's.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_own_name: bool,
    },
    /// A channel that somebody opened there is the incident's from now on, by its name or ID.
    AdoptRoom {
        /// As it was written.
        name: CleanStr,
        /// One that everybody reads is not taken.
        is_private: bool,
    },
    /// The line at the top of the chat channel.
    Topic,
    /// People are asked into the chat channel.
    Invite(BTreeSet<CleanStr>),
    /// The message that says how it stands, at the top of the chat channel.
    Pin,
    /// People are paged.
    Page(BTreeSet<CleanStr>),
    /// The people of this level of its escalation policy are called.
    Escalate(u32),
    /// Other people have it from now on.
    Reassign(BTreeSet<CleanStr>),
    /// What somebody opened there is this incident's from now on, by the name that people there have for it.
    Adopt(CleanStr),
    /// Another incident of that system is made part of this one there.
    Merge(Remote),
    /// A follow-up gets a ticket of its own.
    Ticket(EntryId),
    /// Another one does it, or until another day.
    ChangeTicket(EntryId),
    /// That ticket is done.
    CloseTicket(EntryId),
    /// Alerts are kept quiet.
    Silence(Silencing),
    /// They are heard again.
    Unsilence(EntryId),
}

/// How an incident begins in another system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// What is wrong, in one line.
    pub title: CleanStr,
    /// How bad.
    pub severity: Severity,
    /// The names of alerts that told us: the system may have it already.
    #[serde(default)]
    pub alerts: BTreeSet<CleanStr>,
    /// These alerts, by what proves that another system means the same ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<Linked>,
}

/// What an alert is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    /// Prometheus' and Alertmanager's name of its labels.
    pub fingerprint: CleanStr,
    /// The labels.
    #[serde(default)]
    pub labels: BTreeMap<CleanStr, CleanStr>,
}

/// What readers of a status page see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// What is wrong, in one line.
    pub title: CleanStr,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub status: PageStatus,
    /// The parts of the page that are affected.
    #[serde(default)]
    pub components: BTreeSet<CleanStr>,
    /// Whether subscribers get mail.
    #[serde(default)]
    pub notifies: bool,
}

/// Where an incident stands, in the four words of a status page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageStatus {
    /// Nobody knows the cause yet.
    Investigating,
    /// It is being put right.
    Identified,
    /// It seems right, and is watched.
    Monitoring,
    /// It is over.
    Resolved,
}

impl PageStatus {
    /// The word that readers of a page see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

impl Act {
    fn is_post(&self) -> bool {
        *self == Self::Post
    }

    /// What it is, for people.
    pub fn words(&self) -> String {
        match self {
            Self::Post => "message".to_owned(),
            Self::Open(_) => "open the incident".to_owned(),
            Self::Change(_) => "title and severity".to_owned(),
            Self::Reopen => "reopen".to_owned(),
            Self::Acknowledge => "acknowledge".to_owned(),
            Self::Describe => "description".to_owned(),
            Self::Report(_) => "what happened, as data".to_owned(),
            Self::Note(lines) if lines.len() == 1 => "a line of the timeline".to_owned(),
            Self::Note(lines) => format!("{} of the timeline", crate::text::many(lines.len(), "line")),
            Self::Resolve => "resolve".to_owned(),
            Self::Tell => "status update".to_owned(),
            Self::Publish(_) => "status page".to_owned(),
            Self::FindRoom { .. } => "find the channel".to_owned(),
            Self::OpenRoom { .. } => "open the channel".to_owned(),
            Self::AdoptRoom { name, .. } => format!("link #{name}"),
            Self::Topic => "topic".to_owned(),
            Self::Invite(people) => format!("invite {}", joined(people)),
            Self::Pin => "pinned status".to_owned(),
            Self::Page(people) => format!("page {}", joined(people)),
            Self::Escalate(level) => format!("escalate to level {level}"),
            Self::Reassign(people) => format!("give it to {}", joined(people)),
            Self::Adopt(name) => format!("link {name}"),
            Self::Merge(other) => format!("merge #{} into it", other.called()),
            Self::Ticket(_) => "ticket of a follow-up".to_owned(),
            Self::ChangeTicket(_) => "owner and day of a follow-up".to_owned(),
            Self::CloseTicket(_) => "close a follow-up's ticket".to_owned(),
            Self::Silence(silencing) => {
                let labels: Vec<String> = silencing.matchers.iter().map(ToString::to_string).collect();
                format!("silence {}", labels.join(" "))
            }
            Self::Unsilence(_) => "end the silence".to_owned(),
        }
    }
}

fn joined(people: &BTreeSet<CleanStr>) -> String {
    people.iter().map(CleanStr::as_str).collect::<Vec<_>>().join(", ")
}

/// What something is in another system.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Remote {
    /// How the system finds it.
    #[serde(rename = "remote")]
    pub id: CleanStr,
    /// How people call it: `4711`, `OPS-42`, `inc-4711`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<CleanStr>,
    /// Where a person reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<CleanStr>,
    /// It was there already: others made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_adopted: bool,
}

impl From<&str> for Remote {
    fn from(id: &str) -> Self {
        Self { id: id.into(), name: None, link: None, is_adopted: false }
    }
}

impl Remote {
    /// What people call it.
    pub fn called(&self) -> &CleanStr {
        self.name.as_ref().unwrap_or(&self.id)
    }
}

/// Something that was done in another system, as that system tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignNoted {
    /// Which system.
    pub service: CleanStr,
    /// What it is called there: two consoles that see it note it once.
    pub key: CleanStr,
    /// Who did it, as the system calls them.
    pub who: CleanStr,
    /// When, by the system's clock.
    pub at: DateTime<Utc>,
    /// What it was.
    pub text: CleanText,
    /// Where a person reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<CleanStr>,
    /// In a drill: the call-back that somebody of its exercise answers with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<TaskAnswered>,
}

/// A way out of a question that a system raises before anything is written there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// What it is, for people: `send it, and leave the component as it stands`.
    pub words: CleanStr,
    /// What is remembered when somebody takes it: names the question with its facts, so that other facts are another question.
    pub choice: CleanStr,
}

impl Way {
    /// A way with what is remembered of it.
    pub fn new(words: &str, choice: &str) -> Self {
        Self { words: words.into(), choice: choice.into() }
    }
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
    /// It went as it always does: worth no line of the timeline.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_routine: bool,
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
        /// The way out that a person took, where there was a question: one of those that were offered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<CleanStr>,
    },
    /// It waits until a person says that it goes out; nothing of it is there.
    Held {
        /// Why nobody but a person can.
        why: CleanStr,
        /// The ways out of a question; without any, it goes out as it is.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ways: Vec<Way>,
    },
    /// A console sends it: from here on nobody knows until there is an answer.
    Sending,
    /// It is there.
    Sent(Remote),
    /// It was there, and somebody removed it there.
    Gone {
        /// How that is known.
        why: CleanStr,
    },
    /// A person told it by hand; its system never gets it.
    ByHand,
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
            Self::Sent(_) | Self::Gone { .. } | Self::ByHand | Self::Superseded { .. } | Self::Dropped { .. } => true,
            Self::Queued { .. }
            | Self::Held { .. }
            | Self::Sending
            | Self::Failed { .. }
            | Self::Unconfirmed { .. } => false,
        }
    }

    /// Whether this may follow: nothing is sent again before somebody looked, or said so.
    pub fn leads_to(&self, next: &Self) -> bool {
        use DeliveryState::*;
        match (self, next) {
            // Where something is asked, only an answer leads on.
            (Held { ways, .. }, Queued { .. }) => ways.is_empty() || self.chosen(next).is_some(),
            // Somebody else may take it in hand as it is.
            (Queued { .. }, Queued { .. } | Sending | Held { .. } | ByHand | Superseded { .. } | Dropped { .. })
            | (Held { .. } | Failed { .. }, Queued { .. } | ByHand | Superseded { .. } | Dropped { .. })
            // A system may look before it writes, and ask.
            | (Sending, Sent(_) | Queued { .. } | Held { .. } | Failed { .. } | Unconfirmed { .. })
            | (Sent(_), Gone { .. })
            | (Unconfirmed { .. }, Unconfirmed { .. } | Sent(_) | Queued { .. } | Held { .. } | ByHand | Dropped { .. }) => true,
            (Queued { .. } | Held { .. } | Sending | Unconfirmed { .. } | Failed { .. }, _)
            | (Sent(_) | Gone { .. } | ByHand | Superseded { .. } | Dropped { .. }, _) => false,
        }
    }

    /// The way out that is taken with a move from here to there: one of those that were offered.
    pub fn chosen<'a>(&self, next: &'a Self) -> Option<&'a CleanStr> {
        let (Self::Held { ways, .. }, Self::Queued { choice: Some(choice), .. }) = (self, next) else { return None };
        ways.iter().any(|way| way.choice == *choice).then_some(choice)
    }

    /// In a word, for lists.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "WAITS",
            Self::Held { .. } => "YOUR WORD",
            Self::Sending => "SENDING",
            Self::Sent(_) => "SENT",
            Self::Gone { .. } => "gone there",
            Self::ByHand => "BY HAND",
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
            Self::Held { why, .. }
            | Self::Failed { why }
            | Self::Unconfirmed { why }
            | Self::Gone { why }
            | Self::Dropped { why } => Some(why),
            Self::Sending | Self::Sent(_) | Self::ByHand | Self::Superseded { .. } => None,
        }
    }
}
