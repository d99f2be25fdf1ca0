//! How this site's alerts are to be read: what its severity words mean, and which alerts are none.
//!
//! Hides that every company has words of its own, and that some alerts always fire to show that the way of all others is open.
//!
//! Invariant: it is applied once, where alerts come in; nobody behind that looks at a label's word for what it means.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Alert, AlertState, NAME_LABEL, SERVICE_LABEL, fingerprint};
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

/// Which labels name a service unless the site says otherwise.
const SERVICE_LABELS: [&str; 7] =
    ["service", "namespace", "app", "app_kubernetes_io_name", "application", "deployment", "job"];
/// Parts of the names of what measures others: an alert that it tells is about those, never about itself.
const SCRAPERS: [&str; 8] = [
    "kube-state-metrics",
    "node-exporter",
    "node_exporter",
    "blackbox",
    "cadvisor",
    "kubelet",
    "pushgateway",
    "prometheus-operator",
];

/// What an alert means here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// The severity that it proposes.
    pub level: Option<Severity>,
    /// It is no alarm, whatever its state.
    pub is_noise: bool,
    /// What its labels name as its service, the likeliest first, each with the label.
    pub services: Vec<(CleanStr, CleanStr)>,
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
    /// The labels that may name the service, the likeliest first.
    pub service_labels: Vec<CleanStr>,
    /// What the values of these labels are called in the playbooks.
    pub services: BTreeMap<CleanStr, CleanStr>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            severities: WORDS.into_iter().map(|(word, level)| (CleanStr::new(word), level)).collect(),
            ignored: NO_ALARMS.into_iter().map(CleanStr::new).collect(),
            expected: BTreeSet::new(),
            service_labels: SERVICE_LABELS.into_iter().map(CleanStr::new).collect(),
            services: BTreeMap::new(),
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
        let services = self.services_of(&alert);
        alert.judged = Judged { level: level.flatten(), is_noise, services };
        alert
    }

    /// What the labels of an alert name as its service, by the names of the playbooks. That of who measured is none.
    fn services_of(&self, alert: &Alert) -> Vec<(CleanStr, CleanStr)> {
        let value = |label: &CleanStr| alert.labels.get(label).filter(|value| !value.is_blank());
        let is_scraper = |value: &str| SCRAPERS.iter().any(|part| value.contains(part));
        let named = self.service_labels.iter().filter_map(|label| Some((label, value(label)?)));
        let named = named.filter_map(|(label, value)| match self.services.get(value) {
            // What the site maps is meant, whichever label it stands in.
            Some(service) => Some((CleanStr::new(SERVICE_LABEL), service.clone())),
            None => (!is_scraper(value)).then(|| (label.clone(), value.clone())),
        });
        named.collect()
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
        value: None,
        judged: Judged { level: Some(Severity::Sev1), is_noise: false, services: Vec::new() },
        name: missing,
    }
}
