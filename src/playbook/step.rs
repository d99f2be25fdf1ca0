//! A step of a playbook: what to look at or do, what should come of it, and the way back.
//!
//! Hides how a step's action is written: `do.<kind> = { … }`, externally tagged, so that a misspelt field is refused where it stands.
//!
//! Invariant: a step has words for all four questions, also where the answer is "nothing to undo".

use serde::Deserialize;

use crate::incident::Phase;
use crate::text::document::{Complaint, name, said, trimmed};
use crate::text::{CleanStr, CleanText};

/// A step of a playbook.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Unique in its file; the journal keeps it.
    pub id: CleanStr,
    /// What it is called.
    pub title: CleanStr,
    /// What to look at or do.
    #[serde(deserialize_with = "trimmed")]
    pub look: CleanText,
    /// What should come of it.
    #[serde(deserialize_with = "trimmed")]
    pub expect: CleanText,
    /// How to take it back.
    #[serde(deserialize_with = "trimmed")]
    pub undo: CleanText,
    /// In which phase it is usually taken: triage looks, mitigation changes.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// What the console can do for it.
    #[serde(default, rename = "do")]
    pub action: Option<Action>,
}

/// What the console can do for a step.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Show where to look.
    Look(Look),
}

/// Places to look at; shown as text, never fetched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Look {
    /// Addresses of dashboards and documents.
    pub links: Vec<CleanStr>,
}

impl Step {
    pub(super) fn check(&self) -> Result<(), Complaint> {
        name(&self.id, "id")?;
        said(&self.title, "title")?;
        said(&self.look, "look")?;
        said(&self.expect, "expect")?;
        said(&self.undo, "undo")?;
        match &self.action {
            Some(Action::Look(look)) if look.links.is_empty() => {
                let path = ["do".into(), "look".into(), "links".into()];
                Err(Complaint::new(path, "is empty: name an address, or leave `do` out"))
            }
            Some(Action::Look(_)) | None => Ok(()),
        }
    }
}
