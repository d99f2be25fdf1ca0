//! What the configuration says of the systems that are written to, by section and key.
//!
//! Hides that each system reads its own: nobody else knows what a key of it means.
//!
//! Invariant: a value here was checked where it was read, and is of the kind that its [`super::spec::Key`] names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::text::CleanStr;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// An ID, a name, a text.
    Text(CleanStr),
    /// Yes or no.
    Flag(bool),
    /// Values of fields, by their IDs.
    Fields(BTreeMap<String, Value>),
}

/// What is said, by `section.key`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SystemSettings(BTreeMap<String, Setting>);

impl SystemSettings {
    /// Takes a value; one that was said before gives way.
    pub fn set(&mut self, section: &str, key: &str, setting: Setting) {
        self.0.insert(format!("{section}.{key}"), setting);
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<&CleanStr> {
        match self.0.get(key)? {
            Setting::Text(text) => Some(text),
            Setting::Flag(_) | Setting::Fields(_) => None,
        }
    }

    /// Whether a key says yes; nothing said is no.
    pub fn is_on(&self, key: &str) -> bool {
        matches!(self.0.get(key), Some(Setting::Flag(true)))
    }

    /// The fields of a key.
    pub fn fields(&self, key: &str) -> BTreeMap<String, Value> {
        match self.0.get(key) {
            Some(Setting::Fields(fields)) => fields.clone(),
            Some(Setting::Text(_) | Setting::Flag(_)) | None => BTreeMap::new(),
        }
    }

    /// Whether a key says something: a text, a field, a yes.
    pub fn says(&self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Setting::Text(_)) => true,
            Some(Setting::Flag(is_on)) => *is_on,
            Some(Setting::Fields(fields)) => !fields.is_empty(),
            None => false,
        }
    }

    /// All texts of a section, by their keys.
    pub fn section(&self, section: &str) -> BTreeMap<CleanStr, CleanStr> {
        let of_section = self.0.iter().filter_map(|(key, setting)| {
            let key = key.strip_prefix(section)?.strip_prefix('.')?;
            match setting {
                Setting::Text(text) => Some((CleanStr::new(key), text.clone())),
                Setting::Flag(_) | Setting::Fields(_) => None,
            }
        });
        of_section.collect()
    }
}
