//! Label sets and times as alerting systems really send them: what Prometheus and Alertmanager have in common.
//!
//! Hides nulls, numbers and booleans in the place of texts, and times that mean "never".
//!
//! Invariant: one alert that makes no sense is counted, and hides no other.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Datelike, Utc};
use serde::de::{Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::alert::{Alert, AlertState, AlertValue, Judged, NAME_LABEL, Rules, fingerprint, silence};
use crate::live::SourceName;
use crate::text::CleanStr;

/// More labels or annotations than this are not kept.
const MOST_WORDS: usize = 512;
/// More elements than this are counted and not read: a screen shows a handful, a person reads fewer.
const MOST_READ: usize = 20_000;

/// An alert as its parts came in, before it is cleaned.
pub(super) struct Parts {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) state: AlertState,
    pub(super) starts_at: DateTime<Utc>,
    pub(super) generator_url: Option<String>,
    /// What the rule's expression gave.
    pub(super) value: Option<AlertValue>,
    /// What the source says; otherwise it is computed from the labels.
    pub(super) fingerprint: Option<String>,
}

impl Parts {
    fn alert(self, source: SourceName, rules: &Rules) -> Alert {
        let name = self.labels.get(NAME_LABEL).map(|name| CleanStr::field(name)).filter(|name| !name.is_empty());
        let identity = self.fingerprint.filter(|text| !text.is_empty()).map(|text| CleanStr::field(&text));
        rules.judge(Alert {
            source,
            fingerprint: identity.unwrap_or_else(|| identity_of(&self.labels)),
            name: name.unwrap_or_else(|| CleanStr::field("alert without a name")),
            labels: clean(self.labels),
            annotations: clean(self.annotations),
            state: self.state,
            starts_at: self.starts_at,
            generator_url: self.generator_url.filter(|url| !url.is_empty()).map(|text| CleanStr::field(&text)),
            value: self.value,
            judged: Judged::default(),
        })
    }
}

/// How a source's alerts are read, and since when one that should always fire did not.
#[derive(Debug, Default)]
pub(super) struct Reading {
    rules: Rules,
    missing: Mutex<BTreeMap<CleanStr, DateTime<Utc>>>,
}

impl Reading {
    pub(super) fn by(rules: &Rules) -> Self {
        Self { rules: rules.clone(), missing: Mutex::default() }
    }

    pub(super) fn alert(&self, parts: Parts, source: SourceName) -> Alert {
        parts.alert(source, &self.rules)
    }

    /// Adds an alarm for each alert that should be among these, fire, and does not.
    pub(super) fn with_silences(&self, mut alerts: Vec<Alert>, source: SourceName, now: DateTime<Utc>) -> Vec<Alert> {
        let mut known = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        let missing: BTreeMap<CleanStr, DateTime<Utc>> =
            self.rules.missing(&alerts).map(|name| (name.clone(), known.get(name).copied().unwrap_or(now))).collect();
        alerts.extend(missing.iter().map(|(name, since)| silence(source, name, *since)));
        *known = missing;
        alerts
    }
}

/// The fingerprint of labels as they came.
pub(super) fn identity_of(labels: &BTreeMap<String, String>) -> CleanStr {
    fingerprint(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}

fn clean(words: BTreeMap<String, String>) -> BTreeMap<CleanStr, CleanStr> {
    // What an alert is proposed by must not fall to the limit.
    let (first, others): (Vec<_>, Vec<_>) = words.into_iter().partition(|(key, _)| {
        [NAME_LABEL, "severity", "service", "namespace", "job", "summary", "description"].contains(&key.as_str())
    });
    let gone = (first.len() + others.len()).saturating_sub(MOST_WORDS);
    let kept = first.into_iter().chain(others).take(MOST_WORDS);
    let mut kept: BTreeMap<_, _> = kept.map(|(key, value)| (CleanStr::field(&key), CleanStr::field(&value))).collect();
    if gone > 0 {
        kept.insert("…".into(), format!("{gone} more are not kept").into());
    }
    kept
}

/// A set of labels or annotations; absent and null are the empty one.
pub(super) fn words(value: &Value) -> Option<BTreeMap<String, String>> {
    match value {
        Value::Null => Some(BTreeMap::new()),
        Value::Object(map) => Some(map.iter().map(|(key, value)| (key.clone(), word(value))).collect()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// A text, or what stands in its place.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A list of texts; what is none is empty.
pub(super) fn list(value: &Value) -> Vec<CleanStr> {
    match value {
        Value::Array(all) => all.iter().take(MOST_WORDS).map(|one| CleanStr::field(&word(one))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Vec::new(),
    }
}

/// A time; Go's zero time means that there is none.
pub(super) fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(value.as_str()?.trim()).ok()?.with_timezone(&Utc);
    (1971..=9999).contains(&at.year()).then_some(at)
}

/// The elements of a list, each read by itself, so that one that makes no sense is counted and hides no other.
#[derive(Debug)]
pub(super) struct Each<T> {
    /// What could be read.
    pub(super) read: Vec<T>,
    /// How many could not.
    pub(super) unreadable: usize,
    /// How many came after too many.
    pub(super) left_out: usize,
}

impl<T> Default for Each<T> {
    fn default() -> Self {
        Self { read: Vec::new(), unreadable: 0, left_out: 0 }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Each<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Elements(PhantomData).deserialize(input)
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Elements<T> {
    type Value = Each<T>;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Each<T>, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Elements<T> {
    type Value = Each<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Each<T>, E> {
        Ok(Each::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Each<T>, A::Error> {
        let mut each = Each::default();
        while each.read.len() < MOST_READ {
            match input.next_element::<&RawValue>()? {
                Some(element) => match serde_json::from_str(element.get()) {
                    Ok(element) => each.read.push(element),
                    Err(_) => each.unreadable += 1,
                },
                None => return Ok(each),
            }
        }
        while input.next_element::<IgnoredAny>()?.is_some() {
            each.left_out += 1;
        }
        Ok(each)
    }
}

/// The sentence about alerts that make no sense.
pub(super) fn unreadable(count: usize) -> Option<CleanStr> {
    match count {
        0 => None,
        1 => Some("1 alert cannot be read: it has no labels or does not say since when".into()),
        _ => Some(format!("{count} alerts cannot be read: they have no labels or do not say since when").into()),
    }
}
