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
    /// How Cloud finds it.
    #[serde(default)]
    pub account_id: Option<String>,
    /// How Data Center finds it.
    #[serde(default)]
    pub name: Option<String>,
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
    /// What may stand in it, where that is a list.
    #[serde(default, deserialize_with = "or_default")]
    pub allowed_values: Vec<Value>,
    /// What it takes.
    #[serde(default, deserialize_with = "or_default")]
    pub schema: Schema,
}

/// What a field takes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Schema {
    /// `option`, or `array` of them.
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: String,
}

impl Described {
    /// How it is set.
    pub(super) fn id(&self) -> &str {
        if self.field_id.is_empty() { &self.key } else { &self.field_id }
    }

    /// Whether it takes several values.
    pub(super) fn takes_many(&self) -> bool {
        self.schema.kind == "array"
    }

    /// What a person can choose from: the ID and the words of each.
    pub(super) fn values(&self) -> Vec<(String, String)> {
        let value = |one: &Value| {
            let words = one["value"].as_str().or_else(|| one["name"].as_str())?;
            Some((one["id"].as_str()?.to_owned(), words.to_owned()))
        };
        self.allowed_values.iter().filter(|one| one["disabled"] != true).filter_map(value).collect()
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

/// `issue/{key}`, with what marks it.
#[derive(Debug, Deserialize)]
pub(super) struct Numbered {
    /// Its labels.
    #[serde(default, deserialize_with = "or_default")]
    pub fields: Labelled,
    /// What programs keep with it, by key.
    #[serde(default)]
    pub properties: Value,
}

/// The labels of a ticket.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Labelled {
    /// They.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: Vec<String>,
}

impl Numbered {
    /// Whether it is the ticket of a delivery: its property says so, or its label.
    pub(super) fn is_of(&self, op: &str, label: &str) -> bool {
        let marked = self.properties.get(super::search::PROPERTY).and_then(|mark| mark.get("op"));
        marked.and_then(Value::as_str) == Some(op) || self.fields.labels.iter().any(|known| known == label)
    }
}

/// `user/search`: Cloud knows people by `accountId`, Data Center by `name`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    /// How Cloud finds them.
    #[serde(default)]
    pub account_id: Option<String>,
    /// How Data Center finds them.
    #[serde(default)]
    pub name: Option<String>,
    /// Their address, where they show it.
    #[serde(default)]
    pub email_address: Option<String>,
    /// What people call them.
    #[serde(default, deserialize_with = "or_default")]
    pub display_name: String,
}

/// `issueLinkType`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkTypes {
    /// All of the site, in its language.
    #[serde(default)]
    pub issue_link_types: Vec<LinkType>,
}

/// A kind of links.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LinkType {
    /// What it is called.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// What one end says.
    #[serde(default, deserialize_with = "or_default")]
    pub inward: String,
    /// What the other one says: the same, where the link has no direction.
    #[serde(default, deserialize_with = "or_default")]
    pub outward: String,
}

/// `issue/{key}`.
#[derive(Debug, Deserialize)]
pub(super) struct Issue {
    /// The fields that were asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub fields: Fields,
    /// What was changed, where that was asked for.
    #[serde(default, deserialize_with = "or_default")]
    pub changelog: Changes,
}

/// What was changed in a ticket.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Changes {
    /// Each time that somebody changed something.
    #[serde(default, deserialize_with = "or_default")]
    pub histories: Vec<Change>,
}

/// What somebody changed at once.
#[derive(Debug, Deserialize)]
pub(super) struct Change {
    /// How it is found.
    #[serde(default, deserialize_with = "or_default")]
    pub id: String,
    /// Who did it.
    #[serde(default)]
    pub author: Option<User>,
    /// When, as Jira writes it: `2026-11-30T15:04:05.000+0000`.
    #[serde(default, deserialize_with = "or_default")]
    pub created: String,
    /// What.
    #[serde(default, deserialize_with = "or_default")]
    pub items: Vec<Changed>,
}

/// A field that was changed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    /// Its name: `status`.
    #[serde(default, deserialize_with = "or_default")]
    pub field: String,
    /// What it says now.
    #[serde(default, deserialize_with = "or_default")]
    pub to_string: String,
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
