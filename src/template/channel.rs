//! How an approved text reads in a channel: in chat, on the two status pages, in the mail of subscribers.
//!
//! Hides which system and which act make a reader of which kind. A person writes and approves one text; what each kind of reader needs around it, such as
//! the severity in a mail, says the template of the channel.
//!
//! ```text
//! {# owner: Reliability Engineering Lead; reviewed: 2026-11-30 #}
//! {{ severity }} {{ incident_id }}: {{ title }}
//!
//! {{ text }}
//! ```
//!
//! Invariant: the approved text stands in what leaves, whole; customers read no word of the company's own, and nobody reads that something is not known.

use std::fmt;

use chrono::NaiveDate;

use super::{Audience, Facts, NotRendered, Status, read};
use crate::incident::{Act, Channel, DeliveryQueued};
use crate::text::document::Flaw;
use crate::text::{CleanStr, CleanText};

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// The templates of channels that ship with the program: file name and text.
        pub const SHIPPED: [(&str, &str); 4] = [$((
            concat!("playbooks/templates/", $name, ".txt"),
            include_str!(concat!("../../playbooks/templates/", $name, ".txt")),
        )),*];
    };
}

shipped!("channel-chat", "channel-internal-page", "channel-external-page", "channel-mail");

/// Who reads a text where it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reader {
    /// The company, in Slack or Teams.
    Chat,
    /// The company, on its own status page.
    InternalPage,
    /// Customers, on the public status page.
    ExternalPage,
    /// Those who subscribed to an incident in PagerDuty, by mail.
    Mail,
}

impl Reader {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Chat, Self::InternalPage, Self::ExternalPage, Self::Mail];

    /// The word in the template's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::InternalPage => "internal-page",
            Self::ExternalPage => "external-page",
            Self::Mail => "mail",
        }
    }

    /// What the place is to people.
    pub fn place(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::InternalPage => "the internal page",
            Self::ExternalPage => "the external page",
            Self::Mail => "a mail",
        }
    }

    /// The name of its file, without the ending.
    pub fn file_name(self) -> String {
        format!("channel-{}", self.name())
    }

    /// Whose words may be used.
    pub fn audience(self) -> Audience {
        match self {
            Self::Chat => Audience::Slack,
            Self::InternalPage | Self::Mail => Audience::Internal,
            Self::ExternalPage => Audience::External,
        }
    }

    /// Who reads something that goes out; nobody where it is no text of a person.
    pub fn of(body: &DeliveryQueued) -> Option<Self> {
        match (&body.act, body.channel) {
            (Act::Post | Act::Publish(_), Some(Channel::ExternalPage)) => Some(Self::ExternalPage),
            (Act::Post | Act::Publish(_), Some(Channel::InternalPage)) => Some(Self::InternalPage),
            (Act::Post, _) => Some(Self::Chat),
            (Act::Tell, _) => Some(Self::Mail),
            _ => None,
        }
    }

    /// The reader that the name of a file says, whatever its folder.
    pub fn of_file(file: &str) -> Option<Self> {
        let stem = file.rsplit(['/', '\\']).next()?.strip_suffix(".txt")?;
        Self::ALL.into_iter().find(|reader| reader.file_name() == stem)
    }
}

/// The words of a channel around an approved text, read and tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelTemplate {
    /// Who reads it.
    pub reader: Reader,
    /// Where it was read.
    pub file: CleanStr,
    /// Who keeps it.
    pub owner: CleanStr,
    /// When somebody last read it against the world.
    pub reviewed: NaiveDate,
    /// The text below its first line.
    pub(super) body: String,
}

impl ChannelTemplate {
    /// Reads one and tries it with invented facts; the flaw names the file and the place.
    pub fn parse(file: &str, reader: Reader, text: &str) -> Result<Self, Box<Flaw>> {
        read::parse_channel(file, reader, text)
    }

    /// A text as it leaves for that channel.
    pub fn render(&self, text: &str, facts: &Facts, status: Status) -> Result<CleanText, NotRendered> {
        read::render_channel(self, text, facts, status).map_err(|flaw| NotRendered(flaw.to_string()))
    }
}

impl fmt::Display for ChannelTemplate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.reader.file_name())
    }
}

#[cfg(test)]
mod tests;
