//! What Statuspage answers: one struct for each question.
//!
//! Hides which parts of an answer may be missing or null.
//!
//! Invariant: what is not known of an answer does not keep the rest from being read.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::shown::Level;
use crate::incident::{PageStatus, Parcel, Remote};

/// Our part of an incident's metadata.
pub(super) const MARK: &str = "warroom";

/// A part of a page, of `GET pages/{page}/components`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Component {
    /// How the page finds it.
    pub id: String,
    /// How readers know it.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What it shows, in the page's word.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// It has no state of its own: it shows the worst of its parts.
    #[serde(default, deserialize_with = "or_default")]
    pub group: bool,
}

/// An incident or a maintenance, of `GET pages/{page}/incidents…`, and of what creates and changes one.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Incident {
    /// How the page finds it.
    pub id: String,
    /// What readers see at its top.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// Where it stands; a maintenance has words of its own.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// How bad: `none`, `minor`, `major`, `critical`, `maintenance`.
    #[serde(default, deserialize_with = "or_default")]
    pub impact: String,
    /// When anything of it was changed last.
    #[serde(default)]
    pub updated_at: Option<DateTime<Utc>>,
    /// Where a person reads it.
    #[serde(default)]
    pub shortlink: Option<String>,
    /// What programs keep there.
    #[serde(default)]
    pub metadata: Value,
    /// The parts of the page that it names, as they stand now.
    #[serde(default, deserialize_with = "or_default")]
    pub components: Vec<Component>,
    /// Its texts, the newest first.
    #[serde(default, deserialize_with = "or_default")]
    pub incident_updates: Vec<Update>,
}

/// A text of an incident.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Update {
    /// How the page finds it.
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    /// When it was written …
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
    /// … and when it was changed last.
    #[serde(default)]
    pub updated_at: Option<DateTime<Utc>>,
    /// The text.
    #[serde(default)]
    pub body: Option<String>,
    /// What the incident's state was with it.
    #[serde(default, deserialize_with = "or_default")]
    pub status: String,
    /// What it set components to.
    #[serde(default, deserialize_with = "lenient")]
    pub affected_components: Vec<Affected>,
}

/// What a text set a component to.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Affected {
    /// The component's ID.
    #[serde(default, deserialize_with = "or_default")]
    pub code: String,
    /// What it showed from then on.
    #[serde(default, deserialize_with = "or_default")]
    pub new_status: String,
}

impl Update {
    /// When somebody changed it after it was written; what is written in one go is not changed.
    pub(super) fn edited_at(&self) -> Option<DateTime<Utc>> {
        self.updated_at.filter(|at| self.created_at.is_some_and(|written| *at - written > TimeDelta::seconds(2)))
    }
}

impl From<Incident> for Remote {
    fn from(incident: Incident) -> Self {
        let link = incident.shortlink.as_deref().map(Into::into);
        Self { id: incident.id.as_str().into(), name: None, link, is_adopted: false }
    }
}

impl Incident {
    /// A word of ours in its metadata.
    pub(super) fn mark(&self, key: &str) -> Option<&str> {
        self.metadata.get(MARK)?.get(key)?.as_str()
    }

    /// How many pieces of a delivery's text are there: of the newest one the mark says so.
    pub(super) fn pieces_of(&self, op: &str) -> usize {
        if self.mark("op") != Some(op) {
            return 0;
        }
        let pieces = self.metadata.get(MARK).and_then(|mark| mark.get("pieces")).and_then(Value::as_u64);
        pieces.and_then(|pieces| usize::try_from(pieces).ok()).unwrap_or(usize::MAX)
    }

    /// Whether it is of the record: another journal may count an incident of the same number.
    pub(super) fn is_of(&self, parcel: &Parcel) -> bool {
        match self.mark("record") {
            Some(record) => *record == *parcel.record,
            None => self.mark("op").is_some_and(|op| parcel.ops.iter().any(|ours| **ours == *op)),
        }
    }

    /// What we said of components, by their IDs; absent where this is not ours, or a warroom that did not say it.
    fn marks(&self, key: &str) -> Option<BTreeMap<String, Level>> {
        let said = self.metadata.get(MARK)?.get(key)?.as_object()?;
        let levels = said.iter().filter_map(|(id, word)| Some((id.clone(), Level::of(word.as_str()?)?)));
        Some(levels.collect())
    }

    /// What components showed before it began.
    pub(super) fn before(&self) -> BTreeMap<String, Level> {
        self.marks("before").unwrap_or_default()
    }

    /// What it says of a component: in our words, else as its last text set it, else by its impact.
    pub(super) fn claim(&self, id: &str) -> Option<Level> {
        if let Some(claims) = self.marks("claims") {
            return claims.get(id).copied();
        }
        let mut set = self.incident_updates.iter().flat_map(|update| &update.affected_components);
        if let Some(set) = set.find(|set| set.code == id) {
            return Level::of(&set.new_status);
        }
        self.components.iter().find(|part| part.id == id)?;
        match self.impact.as_str() {
            "critical" => Some(Level::MajorOutage),
            "major" => Some(Level::PartialOutage),
            "minor" => Some(Level::DegradedPerformance),
            _ => None,
        }
    }

    /// The title that we gave it last, where it has another one now, and the key of that change: what we write next gives it ours again.
    pub(super) fn retitled(&self) -> Option<(&str, String)> {
        let ours = self.mark("name").filter(|ours| ours.trim() != self.name.trim() && !self.name.trim().is_empty())?;
        Some((ours, format!("title/{}/{}", self.mark("op").unwrap_or_default(), self.name)))
    }

    /// Whether it is over there.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.status.as_str(), "resolved" | "postmortem" | "completed")
    }

    /// Whether it is a maintenance that is being done.
    pub(super) fn is_maintenance(&self) -> bool {
        matches!(self.status.as_str(), "in_progress" | "verifying")
    }

    /// Whether it stands where we left it.
    pub(super) fn is_as_left(&self) -> bool {
        self.mark("status") == Some(&self.status)
    }
}

/// The page's word for where an incident stands.
pub(super) fn word(status: PageStatus) -> &'static str {
    match status {
        PageStatus::Investigating => "investigating",
        PageStatus::Identified => "identified",
        PageStatus::Monitoring => "monitoring",
        PageStatus::Resolved => "resolved",
    }
}

/// Null is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

/// A list, or whatever old texts have in its place.
fn lenient<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Affected>, D::Error> {
    let said = Value::deserialize(input)?;
    Ok(Vec::deserialize(said).unwrap_or_default())
}
