//! The further sections of the systems that are written to, read as their [`Section`]s say.
//!
//! Hides the rules for the kinds of values; they are applied while a file is read, so that a refusal has the value's
//! position.
//!
//! Invariant: a value that was read is of its key's kind.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::partial::said;
use crate::channel::spec::{Holds, Key, Means, Section, Takes};
use crate::channel::{CHANNELS, Setting, SystemSettings};
use crate::incident::FACTS;
use crate::text::{CleanStr, fit};

/// Where incidents are rehearsed: a key for each system, and what some have besides.
pub(super) static REHEARSAL: LazyLock<Section> = LazyLock::new(|| {
    let place = |name, kind| Key { name, takes: kind, means: Means::Preference };
    let of_systems = CHANNELS.iter().flat_map(|spec| {
        let own = spec.rehearsal.place.map(|kind| place(spec.name, kind));
        own.into_iter().chain(spec.rehearsal.keys.iter().copied())
    });
    Section { name: "rehearsal", holds: Holds::Keys(Vec::leak(of_systems.collect())) }
});

/// The further section of a name.
pub(super) fn further(name: &str) -> Option<&'static Section> {
    let of_systems = CHANNELS.iter().flat_map(|spec| spec.sections).find(|section| *section.name == *name);
    of_systems.or_else(|| (name == REHEARSAL.name).then(|| &*REHEARSAL))
}

/// A key that is none, as serde says it of a struct's.
fn unknown<E: Error>(name: &str, known: &[&str]) -> E {
    let all: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
    let all = match all.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        all => format!("one of {}", all.join(", ")),
    };
    E::custom(format!("unknown field `{name}`, expected {all}"))
}

/// A name that must be a known one: refused while it is read, so that the refusal has its position.
pub(super) struct Name<'a>(pub(super) &'a [&'static str]);

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<&'static str, D::Error> {
        let name = String::deserialize(input)?;
        self.0.iter().find(|known| ***known == *name).copied().ok_or_else(|| unknown(&name, self.0))
    }
}

/// A section that is being read.
pub(super) struct Of<'a> {
    /// Which.
    pub(super) section: &'static Section,
    /// What takes its values.
    pub(super) into: &'a mut SystemSettings,
}

impl<'de> DeserializeSeed<'de> for Of<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Of<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        match self.section.holds {
            Holds::Services(takes, _) => {
                while let Some(name) = map.next_key::<CleanStr>()? {
                    let setting = map.next_value_seed(Value(takes))?;
                    self.into.set(self.section.name, &name, setting);
                }
            }
            Holds::Keys(keys) => {
                let names: Vec<_> = keys.iter().map(|key| key.name).collect();
                while let Some(name) = map.next_key_seed(Name(&names))? {
                    let Some(key) = keys.iter().find(|key| key.name == name) else { continue };
                    let setting = map.next_value_seed(Value(key.takes))?;
                    self.into.set(self.section.name, name, setting);
                }
            }
        }
        Ok(())
    }
}

/// A value that is being read.
struct Value(Takes);

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Setting;

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Setting, D::Error> {
        let text = |text: Option<CleanStr>| Setting::Text(text.unwrap_or_default());
        match self.0 {
            Takes::Id => id(input).map(Setting::Text),
            Takes::SlackChannel => slack_channel(input).map(Setting::Text),
            Takes::Repository => repository(input).map(Setting::Text),
            Takes::Text => said(input).map(text),
            Takes::Flag => bool::deserialize(input).map(Setting::Flag),
            Takes::Fields => with_facts(input).map(Setting::Fields),
        }
    }
}

/// Values of fields, in which only facts that there are stand between braces.
fn with_facts<'de, D: Deserializer<'de>>(input: D) -> Result<BTreeMap<String, serde_json::Value>, D::Error> {
    fn check(value: &serde_json::Value) -> Result<(), String> {
        match value {
            serde_json::Value::String(text) => {
                for name in text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap_or_default().trim()) {
                    if !FACTS.contains(&name) {
                        let known = FACTS.join(", ");
                        return Err(format!(
                            "`{{{{{}}}}}` is no fact of an incident: there are {known}",
                            fit(name, 40)
                        ));
                    }
                }
                Ok(())
            }
            serde_json::Value::Array(all) => all.iter().try_for_each(check),
            serde_json::Value::Object(fields) => fields.values().try_for_each(check),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Ok(()),
        }
    }
    let fields = BTreeMap::deserialize(input)?;
    fields.values().try_for_each(check).map_err(serde::de::Error::custom)?;
    Ok(fields)
}

/// What a system calls something: letters, digits, `-` and `_`, so that it can stand in an address.
fn id<'de, D: Deserializer<'de>>(input: D) -> Result<CleanStr, D::Error> {
    let id = CleanStr::deserialize(input)?;
    if !is_plain(&id, "-_") {
        let shown = fit(&id, 40);
        return Err(D::Error::custom(format!("`{shown}` is no ID: it is made of letters, digits, - and _")));
    }
    Ok(id)
}

fn is_plain(id: &str, besides: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || besides.contains(letter);
    !id.is_empty() && id.len() <= 100 && id.chars().all(is_plain)
}

/// A repository by its owner and its name.
fn repository<'de, D: Deserializer<'de>>(input: D) -> Result<CleanStr, D::Error> {
    let said = CleanStr::deserialize(input)?;
    match said.split_once('/') {
        Some((owner, name)) if is_plain(owner, "-_") && is_plain(name, "-_.") => Ok(said),
        Some(_) | None => {
            let shown = fit(&said, 40);
            Err(D::Error::custom(format!("`{shown}` is no repository: write `owner/name`, as its address ends")))
        }
    }
}

/// The ID of a channel; names may change, and most of Slack's methods want the ID.
fn slack_channel<'de, D: Deserializer<'de>>(input: D) -> Result<CleanStr, D::Error> {
    let id = CleanStr::deserialize(input)?;
    let is_id = id.len() >= 9
        && id.starts_with(['C', 'G'])
        && id.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit());
    if !is_id {
        let shown = fit(&id, 40);
        let message = format!(
            "`{shown}` is no channel's ID: it begins with C, and stands at the end of the channel's details in Slack"
        );
        return Err(D::Error::custom(message));
    }
    Ok(id)
}
