//! What Jira answers: one struct for each question.
//!
//! Hides where Cloud and Data Center put the same thing, and which parts may be missing or null.
//!
//! Invariant: a question's answer is read by its own struct, and a part that nobody asked for cannot keep it from being read.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `serverInfo`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerInfo {
    /// `Cloud`, or `Server`.
    #[serde(default, deserialize_with = "or_default")]
    pub deployment_type: String,
    /// The address that people use; the one that programs use may be a gateway's.
    #[serde(default, deserialize_with = "or_default")]
    pub base_url: String,
}

/// `myself`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Myself {
    /// How people call it.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
}

/// `project/{key}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project {
    /// `software`, `business`, `service_desk`.
    #[serde(default, deserialize_with = "or_default")]
    pub project_type_key: String,
    /// How people call it.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

impl Project {
    /// Whether comments there are read by customers unless they are internal.
    pub(super) fn has_customers(&self) -> bool {
        self.project_type_key == "service_desk"
    }
}

/// `issue/createmeta/{project}/issuetypes`, a page of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kinds {
    /// The kinds of tickets.
    #[serde(default, alias = "values")]
    pub issue_types: Vec<Kind>,
    /// How many there are on all pages.
    #[serde(default)]
    pub total: Option<usize>,
}

/// A kind of tickets.
#[derive(Debug, Deserialize)]
pub(super) struct Kind {
    /// How it is found.
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    /// How people call it.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// `issue/createmeta/{project}/issuetypes/{id}`, a page of it.
#[derive(Debug, Deserialize)]
pub(super) struct FieldList {
    /// The fields of such a ticket.
    #[serde(default, alias = "values")]
    pub fields: Vec<Described>,
    /// How many there are on all pages.
    #[serde(default)]
    pub total: Option<usize>,
}

/// A field that a ticket can have.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Described {
    /// How it is set.
    #[serde(default, deserialize_with = "or_default")]
    pub field_id: String,
    /// The same, where nothing else says it.
    #[serde(default, deserialize_with = "or_default")]
    pub key: String,
    /// How people call it.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// No ticket is made without it.
    #[serde(default, deserialize_with = "or_default")]
    pub required: bool,
    /// It has a value where none is given.
    #[serde(default, deserialize_with = "or_default")]
    pub has_default_value: bool,
}

impl Described {
    /// How it is set.
    pub(super) fn id(&self) -> &str {
        if self.field_id.is_empty() { &self.key } else { &self.field_id }
    }
}

/// `mypermissions`.
#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    /// Those that were asked about, by name.
    #[serde(default)]
    pub permissions: BTreeMap<String, Permission>,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission {
    /// It is there.
    #[serde(default, deserialize_with = "or_default")]
    pub have_permission: bool,
}

impl Permissions {
    /// Whether one is there; what is not named is not known to lack.
    pub(super) fn has(&self, name: &str) -> bool {
        self.permissions.get(name).is_none_or(|one| one.have_permission)
    }
}

/// What creates a ticket.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    /// How people call it.
    pub key: String,
}

/// `search`, `search/jql`.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    /// A page of it.
    #[serde(default)]
    pub issues: Vec<Created>,
}

/// `issue/{key}`.
#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    /// The fields that were asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub fields: Fields,
}

/// Fields of a ticket.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Fields {
    /// Where it stands.
    #[serde(default)]
    pub status: Option<Status>,
}

/// Where a ticket stands, or is to stand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    /// The workflow's own word.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What that means to every workflow.
    #[serde(default, deserialize_with = "or_default")]
    pub status_category: Category,
}

/// What a status means to every workflow: `new`, `indeterminate`, `done`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Category {
    /// The word, which is not translated.
    #[serde(default, deserialize_with = "or_default")]
    pub key: String,
}

/// `issue/{key}/transitions`.
#[derive(Debug, Deserialize)]
pub(super) struct Transitions {
    /// The ways from where it stands.
    #[serde(default)]
    pub transitions: Vec<Transition>,
}

/// A way to another status.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Transition {
    /// How it is asked for.
    pub id: String,
    /// Where it leads.
    #[serde(default, deserialize_with = "or_default")]
    pub to: Status,
    /// The fields of its screen, by name.
    #[serde(default)]
    pub fields: Value,
}

/// Null is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
