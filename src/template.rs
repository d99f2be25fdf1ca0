//! The words that go out: templates of status updates, the check of a text before it is told, and the promise that it makes.
//!
//! Hides the template language (minijinja, cut down to conditions, loops and a few filters) and the English that is looked for in a text. Sixteen
//! templates ship with the program, one for each audience and status, and four that say how an approved text reads in a channel ([`channel`]); a file of
//! the same name in a configured folder replaces the shipped one.
//!
//! ```text
//! {# owner: Reliability Engineering Lead; reviewed: 2026-11-01; promise: 30m #}
//! We are investigating elevated errors for {{SERVICE}}. Payments may fail intermittently. Next update in 30 minutes.
//! ```
//!
//! Invariant: a template that was read renders with any facts in bounded time and memory, or says why not; one that could not be read is a problem
//! that is shown, and the shipped one works.

pub mod channel;
mod facts;
mod hosts;
mod lint;
mod read;
mod scan;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};

use crate::incident::{Act, Channel, DeliveryQueued, Incident, PageStatus, Phase};
use crate::playbook::Frequency;
use crate::text::document::Flaw;
use crate::text::duration::Lapse;
use crate::text::markup::without_markup;
pub use crate::text::times::promise;
use crate::text::{CleanStr, CleanText};
pub use channel::{ChannelTemplate, Reader};
pub use facts::{Facts, MISSING, Service, VARIABLES, Variable};
pub use lint::{MOST, Remark, Rule, Vocabulary, lint};
pub use read::TEMPLATE_BYTES;

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        /// The templates that ship with the program: file name and text.
        pub const SHIPPED: [(&str, &str); 16] = [$((
            concat!("playbooks/templates/", $name, ".txt"),
            include_str!(concat!("../playbooks/templates/", $name, ".txt")),
        )),*];
    };
}

shipped!(
    "slack-investigating",
    "slack-identified",
    "slack-monitoring",
    "slack-resolved",
    "internal-investigating",
    "internal-identified",
    "internal-monitoring",
    "internal-resolved",
    "external-investigating",
    "external-identified",
    "external-monitoring",
    "external-resolved",
    "executive-investigating",
    "executive-identified",
    "executive-monitoring",
    "executive-resolved",
);

/// Who reads a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Audience {
    /// The company, in Slack.
    Slack,
    /// The company, on the internal status page.
    Internal,
    /// Customers, on the status page that everybody can read.
    External,
    /// Those who are told by the escalation matrix.
    Executive,
}

impl Audience {
    /// All audiences.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Internal, Self::External, Self::Executive];

    /// The word in a template's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Internal => "internal",
            Self::External => "external",
            Self::Executive => "executive",
        }
    }

    /// Who reads a channel.
    pub fn of(channel: Channel) -> Self {
        match channel {
            Channel::IncidentChannel | Channel::StatusSlack => Self::Slack,
            Channel::InternalPage => Self::Internal,
            Channel::ExternalPage => Self::External,
        }
    }

    /// The most letters that a text may have there.
    pub fn longest(self) -> Option<usize> {
        match self {
            Self::Slack => Some(2000),
            Self::Internal | Self::External | Self::Executive => None,
        }
    }
}

/// What an update says of the incident as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// The cause is being looked for.
    Investigating,
    /// The cause is known and being worked on.
    Identified,
    /// A mitigation is in place and is being watched.
    Monitoring,
    /// It is over.
    Resolved,
}

impl Status {
    /// All of them, in their usual order.
    pub const ALL: [Self; 4] = [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// The word in a template's name, and on status pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }

    /// As a status page has it.
    pub fn of_page(status: PageStatus) -> Self {
        match status {
            PageStatus::Investigating => Self::Investigating,
            PageStatus::Identified => Self::Identified,
            PageStatus::Monitoring => Self::Monitoring,
            PageStatus::Resolved => Self::Resolved,
        }
    }

    /// The usual one: nothing is called identified before somebody confirmed the cause; monitoring is for a person to choose.
    pub fn of(incident: &Incident) -> Self {
        let is_known =
            incident.hypotheses.iter().any(|known| known.settled.as_ref().is_some_and(|(_, holds, _)| *holds));
        match incident.phase() {
            Phase::Mitigating if is_known => Self::Identified,
            Phase::Detected | Phase::Acknowledged | Phase::Triage | Phase::Mitigating => Self::Investigating,
            Phase::Resolved | Phase::PostIncident | Phase::Closed => Self::Resolved,
        }
    }
}

/// What a template was made for; its name is `<audience>-<status>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateName {
    /// Who reads it.
    pub audience: Audience,
    /// What it says.
    pub status: Status,
}

impl TemplateName {
    /// All sixteen.
    pub fn all() -> impl Iterator<Item = Self> {
        Audience::ALL.into_iter().flat_map(|audience| Status::ALL.map(|status| Self { audience, status }))
    }

    /// The name that a file carries, whatever its folder.
    pub fn of_file(file: &str) -> Option<Self> {
        let stem = file.rsplit(['/', '\\']).next()?.strip_suffix(".txt")?;
        Self::all().find(|name| name.to_string() == stem)
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{}-{}", self.audience.name(), self.status.name()))
    }
}

/// The names that files of templates may have, without their ending.
pub fn names() -> Vec<String> {
    let channels = Reader::ALL.into_iter().map(|reader| reader.file_name());
    TemplateName::all().map(|name| name.to_string()).chain(channels).collect()
}

/// A template that was read and tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// What it is for.
    pub name: TemplateName,
    /// Where it was read.
    pub file: CleanStr,
    /// Who keeps it.
    pub owner: CleanStr,
    /// When somebody last read it against the world.
    pub reviewed: NaiveDate,
    /// In what time it promises the next update.
    pub promise: Option<Lapse>,
    /// The text below its first line.
    body: String,
}

/// A template filled with facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The text, to be edited.
    pub text: CleanText,
    /// The time of the next update, as this text promises it.
    pub promise: Option<DateTime<Utc>>,
}

/// Why a template gave no text: a sentence that names the file, the place and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotRendered(pub String);

impl Template {
    /// By how many days the review is late, if it is: a quarter is allowed.
    pub fn review_overdue(&self, today: NaiveDate) -> Option<i64> {
        let late = (today - Frequency::Quarterly.after(self.reviewed)).num_days();
        (late > 0).then_some(late)
    }

    /// Fills it with facts. The promise is what the text says; where it says nothing, nothing is promised.
    pub fn render(&self, facts: &Facts) -> Result<Rendered, NotRendered> {
        let text = read::render(self, facts).map_err(|flaw| NotRendered(flaw.to_string()))?;
        let promise = promise(&text, facts.now, facts.zone);
        Ok(Rendered { text, promise })
    }
}

/// All templates, and what is wrong with those that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Templates {
    templates: BTreeMap<TemplateName, Template>,
    channels: BTreeMap<Reader, ChannelTemplate>,
    /// A sentence for each file that could not be read; the shipped template stands in for it.
    pub problems: Vec<String>,
}

impl Templates {
    /// The templates that ship with the program.
    pub fn shipped() -> Self {
        static READ: LazyLock<Templates> = LazyLock::new(|| {
            let all = SHIPPED.into_iter().chain(channel::SHIPPED);
            all.fold(Templates::default(), |templates, (file, text)| templates.with(file, text))
        });
        READ.clone()
    }

    /// Reads a template and tries it; `file` says by its name what it is for, and is named in the flaw.
    pub fn parse(file: &str, text: &str) -> Result<Template, Box<Flaw>> {
        read::parse(file, text)
    }

    /// Takes a file in: it replaces the template of the same name, or becomes a problem.
    pub fn with(mut self, file: &str, text: &str) -> Self {
        if let Some(reader) = Reader::of_file(file) {
            match ChannelTemplate::parse(file, reader, text) {
                Ok(template) => {
                    self.channels.insert(reader, template);
                }
                Err(flaw) => self.problems.push(flaw.to_string()),
            }
            return self;
        }
        match Self::parse(file, text) {
            Ok(template) => {
                self.templates.insert(template.name, template);
            }
            Err(flaw) => self.problems.push(flaw.to_string()),
        }
        self
    }

    /// The template for an audience and a status.
    pub fn get(&self, audience: Audience, status: Status) -> Option<&Template> {
        self.templates.get(&TemplateName { audience, status })
    }

    /// All templates, by audience and status.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }

    /// The templates of channels.
    pub fn channels(&self) -> impl Iterator<Item = &ChannelTemplate> {
        self.channels.values()
    }

    /// Whether none was read yet.
    pub fn is_empty(&self) -> bool {
        self.templates.is_empty()
    }

    /// An approved text as it leaves, where that is another one: with the words of its channel, and outside of Slack without Slack's markup.
    pub fn worded(
        &self,
        body: &DeliveryQueued,
        is_slack: bool,
        facts: &Facts,
        incident: &Incident,
    ) -> Option<CleanText> {
        let reader = Reader::of(body)?;
        let text = if is_slack { body.text.to_string() } else { without_markup(&body.text) };
        let status = match &body.act {
            Act::Publish(said) => Status::of_page(said.status),
            _ => Status::of(incident),
        };
        // What the text says itself is not said once more.
        let next_update = facts.next_update.filter(|_| promise(&text, facts.now, facts.zone).is_none());
        let facts = Facts { next_update, ..facts.clone() };
        let filled = self.channels.get(&reader).and_then(|template| template.render(&text, &facts, status).ok());
        Some(filled.unwrap_or_else(|| CleanText::new(&text))).filter(|worded| *worded != body.text)
    }

    /// Drafts an update.
    pub fn render(&self, audience: Audience, status: Status, facts: &Facts) -> Result<Rendered, NotRendered> {
        let name = TemplateName { audience, status };
        let template = self.templates.get(&name);
        let missing = || NotRendered(format!("there is no template {name}: write {name}.txt in the templates folder"));
        template.ok_or_else(missing)?.render(facts)
    }
}

#[cfg(test)]
mod tests;
