//! How this site's alerts are to be read: what its severity words mean, and which alerts are none.
//!
//! Hides that every company has words of its own, and that some alerts always fire to show that the way of all others is open.
//!
//! Invariant: it is applied once, where alerts come in; nobody behind that looks at a label's word for what it means.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Alert, AlertState, NAME_LABEL, fingerprint};
use crate::incident::Severity;
use crate::text::CleanStr;

/// What is read into a severity word unless the site says otherwise.
const WORDS: [(&str, Option<Severity>); 18] = [
    ("emergency", Some(Severity::Sev0)),
    ("p0", Some(Severity::Sev0)),
    ("s0", Some(Severity::Sev0)),
    ("critical", Some(Severity::Sev1)),
    ("page", Some(Severity::Sev1)),
    ("p1", Some(Severity::Sev1)),
    ("s1", Some(Severity::Sev1)),
    ("error", Some(Severity::Sev2)),
    ("high", Some(Severity::Sev2)),
    ("warning", Some(Severity::Sev2)),
    ("p2", Some(Severity::Sev2)),
    ("s2", Some(Severity::Sev2)),
    ("info", Some(Severity::Sev3)),
    ("ticket", Some(Severity::Sev3)),
    ("p3", Some(Severity::Sev3)),
    ("s3", Some(Severity::Sev3)),
    ("low", Some(Severity::Sev3)),
    ("none", None),
];
/// Alerts of the usual rules that fire all the time and mean nothing by it.
const NO_ALARMS: [&str; 2] = ["Watchdog", "InfoInhibitor"];

/// What an alert means here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The severity that it proposes.
    pub level: Option<Severity>,
    /// It is no alarm, whatever its state.
    pub is_noise: bool,
}

/// How alerts are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What the words of the severity label mean, in lower case; one that means no severity marks what is no alarm.
    pub severities: BTreeMap<CleanStr, Option<Severity>>,
    /// The names of alerts that are no alarms.
    pub ignored: BTreeSet<CleanStr>,
    /// The names of alerts that always fire: when one does not, that is an alarm.
    pub expected: BTreeSet<CleanStr>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            severities: WORDS.into_iter().map(|(word, level)| (CleanStr::new(word), level)).collect(),
            ignored: NO_ALARMS.into_iter().map(CleanStr::new).collect(),
            expected: BTreeSet::new(),
        }
    }
}

impl Rules {
    /// What a word of the severity label means: `Some(None)` is the word of what is no alarm.
    fn level(&self, word: &str) -> Option<Option<Severity>> {
        let word = word.trim().to_ascii_lowercase();
        let known = self.severities.get(word.as_str()).copied();
        // A bare number means something else in other companies' labels.
        known.or_else(|| word.starts_with("sev").then(|| word.parse().ok()).flatten().map(Some))
    }

    /// Says what an alert means.
    pub fn judge(&self, mut alert: Alert) -> Alert {
        let level = alert.severity().and_then(|word| self.level(word));
        let is_noise = level == Some(None) || self.ignored.contains(&alert.name);
        alert.judged = Judged { level: level.flatten(), is_noise };
        alert
    }

    /// The alerts that should fire and do not.
    pub fn missing(&self, alerts: &[Alert]) -> impl Iterator<Item = &CleanStr> {
        let is_there = |name: &CleanStr| alerts.iter().any(|alert| alert.name == *name && alert.is_firing());
        self.expected.iter().filter(move |name| !is_there(name))
    }
}

/// The alarm that an alert does not fire which always should: nobody would hear of any other.
pub fn silence(source: &'static str, name: &CleanStr, since: DateTime<Utc>) -> Alert {
    let missing = CleanStr::new(&format!("{name} is missing"));
    let words = [(NAME_LABEL, missing.as_str()), ("severity", "critical")];
    let summary = format!("{name} always fires, and does not: other alerts may not come through either");
    Alert {
        source,
        fingerprint: fingerprint(words),
        labels: words.into_iter().map(|(key, value)| (CleanStr::new(key), CleanStr::new(value))).collect(),
        annotations: BTreeMap::from([(CleanStr::new("summary"), CleanStr::new(&summary))]),
        state: AlertState::Firing,
        starts_at: since,
        generator_url: None,
        judged: Judged { level: Some(Severity::Sev1), is_noise: false },
        name: missing,
    }
}
