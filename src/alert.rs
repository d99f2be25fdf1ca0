//! Alerts: what a monitoring system says is wrong, before a person has judged it.
//!
//! Hides that one alert reaches us twice: Prometheus computes it, Alertmanager passes it on with labels of its own, and both count as the same. What an
//! alert proposes (severity, title, service) is derived here and decided by nobody but people.
//!
//! Invariant: nothing here hides an alert. What cannot be told apart stays apart; what is suppressed is marked, never dropped.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::{Incident, IncidentId, ServiceId, Severity};
use crate::text::CleanStr;

pub mod declaring;
mod rules;
mod title;
mod twins;
mod value;

pub use rules::{Judged, Rules, silence};
pub use title::{runbook, title};
pub use twins::{Twin, twins};
pub use value::{AlertValue, Bad, Extremes};

/// Alerts that began within this time of each other suggest one incident.
pub const BURST_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// So many alerts are a burst.
pub const BURST_OF: usize = 3;
/// A burst whose last alert began before this is no news any more.
const BURST_LASTS: TimeDelta = TimeDelta::hours(1);

/// The label that names an alert.
pub const NAME_LABEL: &str = "alertname";
/// The label that names a service outright.
const SERVICE_LABEL: &str = "service";
/// The label that Prometheus puts on its own series `ALERTS`, which is no part of an alert's identity.
pub(crate) const STATE_LABEL: &str = "alertstate";

/// How an alert stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertState {
    /// It is so.
    Firing,
    /// It is so, but not yet for as long as its rule wants.
    Pending,
    /// It is so, and Alertmanager tells nobody.
    Suppressed {
        /// Silences, by their ids.
        silenced_by: Vec<CleanStr>,
        /// Other alerts that stand for it, by their fingerprints.
        inhibited_by: Vec<CleanStr>,
        /// Time intervals, by their names.
        muted_by: Vec<CleanStr>,
    },
}

impl AlertState {
    /// The word on the screen.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Pending => "pending",
            Self::Suppressed { silenced_by, inhibited_by, .. } => match (silenced_by.len(), inhibited_by.len()) {
                (1.., _) => "silenced",
                (0, 1..) => "inhibited",
                (0, 0) => "muted",
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Firing => 0,
            Self::Pending => 1,
            Self::Suppressed { .. } => 2,
        }
    }
}

/// One alert as a source says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Which source said it.
    pub source: &'static str,
    /// Its identity: Alertmanager's, or the same function of the labels that Prometheus gave ([`fingerprint`]).
    pub fingerprint: CleanStr,
    /// What the rule is called.
    pub name: CleanStr,
    /// Its labels, the name's among them.
    pub labels: BTreeMap<CleanStr, CleanStr>,
    /// Its annotations.
    pub annotations: BTreeMap<CleanStr, CleanStr>,
    /// How it stands.
    pub state: AlertState,
    /// When it fired: after the rule's `for`. Of a pending one the moment at which it will, unless it ends before.
    pub starts_at: DateTime<Utc>,
    /// Where its rule can be looked at; a text to show, never a link to follow.
    pub generator_url: Option<CleanStr>,
    /// What its expression gave, where its source says it.
    pub value: Option<AlertValue>,
    /// What it means at this site; judged where it came in.
    pub judged: Judged,
}

impl Alert {
    /// How long it has been firing; nothing while its start lies ahead.
    pub fn age(&self, now: DateTime<Utc>) -> TimeDelta {
        (now - self.starts_at).max(TimeDelta::zero())
    }

    /// The word of its severity label.
    pub fn severity(&self) -> Option<&CleanStr> {
        self.labels.get("severity").filter(|word| !word.is_empty())
    }

    /// The service that it is about: of those that its labels name in the order of this site, the first with a playbook, else the one that its label
    /// `service` names.
    pub fn service(&self, is_known: impl Fn(&str) -> bool) -> Option<ServiceId> {
        let named = &self.judged.services;
        let known = named.iter().find(|(label, value)| *label == SERVICE_LABEL || is_known(value));
        known.map(|(_, value)| ServiceId::from(value.as_str()))
    }

    /// Whether it fires and Alertmanager would tell somebody.
    pub fn is_firing(&self) -> bool {
        self.state == AlertState::Firing
    }

    /// Whether that is an alarm: one that fires all the time, or has the severity of what nobody is called for, is none.
    pub fn is_alarm(&self) -> bool {
        !self.judged.is_noise
    }

    /// The labels that are no part of its name, for a line: `instance=a, service=alipay`.
    pub fn label_line(&self) -> String {
        let others = self.labels.iter().filter(|(key, _)| *key != NAME_LABEL && *key != STATE_LABEL);
        others.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
    }
}

/// The severity that an alert's label proposes at this site; a person decides.
pub fn proposed_severity(alert: &Alert) -> Option<Severity> {
    alert.judged.level
}

/// Alertmanager's fingerprint of a set of labels, sorted by their names: 64-bit FNV-1a over names and values, each followed by a byte that
/// UTF-8 does not have. So an alert has the same identity at Prometheus, as long as that adds no external labels.
pub fn fingerprint<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> CleanStr {
    let mut sum: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |byte: u8| sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for (name, value) in labels {
        name.bytes().for_each(&mut add);
        add(0xff);
        value.bytes().for_each(&mut add);
        add(0xff);
    }
    CleanStr::new(&format!("{sum:016x}"))
}

/// What an incident covers while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Which incident.
    pub incident: IncidentId,
    /// The fingerprints of the alerts that are linked to it.
    pub linked: Vec<CleanStr>,
    /// The services in its scope.
    pub services: Vec<ServiceId>,
}

/// How an incident covers an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// The alert is linked to it.
    Linked(IncidentId),
    /// The alert's service is in its scope.
    InScope(IncidentId),
}

impl Cover {
    /// Which incident.
    pub fn incident(self) -> IncidentId {
        match self {
            Self::Linked(id) | Self::InScope(id) => id,
        }
    }
}

impl Coverage {
    /// What an incident covers; nothing once it is resolved, because what fires then is news.
    pub fn of(incident: &Incident) -> Option<Self> {
        let runs = !incident.is_blank() && incident.phase().is_live();
        runs.then(|| Self {
            incident: incident.id(),
            linked: incident.alerts.iter().map(|alert| alert.fingerprint.clone()).collect(),
            services: incident.services.clone(),
        })
    }
}

/// The incident that covers an alert: the one that it is linked to, else the first in whose scope its service is.
pub fn covered_by<'a>(
    fingerprints: &[&CleanStr],
    service: Option<&ServiceId>,
    open: impl IntoIterator<Item = &'a Coverage>,
) -> Option<Cover> {
    let mut by_scope = None;
    for coverage in open {
        if fingerprints.iter().any(|fingerprint| coverage.linked.contains(fingerprint)) {
            return Some(Cover::Linked(coverage.incident));
        }
        if by_scope.is_none() && service.is_some_and(|service| coverage.services.contains(service)) {
            by_scope = Some(Cover::InScope(coverage.incident));
        }
    }
    by_scope
}

/// Several alerts that began together: one incident, most likely.
#[derive(Clone, Debug, PartialEq)]
pub struct Burst<'a> {
    /// The alerts, the first one first.
    pub alerts: Vec<&'a Alert>,
    /// When the first of them began.
    pub since: DateTime<Utc>,
}

impl Burst<'_> {
    /// The names of the alerts, each once, in the order in which they began.
    pub fn names(&self) -> Vec<&CleanStr> {
        let mut seen = BTreeSet::new();
        self.alerts.iter().map(|alert| &alert.name).filter(|name| seen.insert(name.as_str())).collect()
    }

    /// The names of the alerts with how many there are of each, in the order in which they began.
    pub fn rules(&self) -> Vec<(&CleanStr, usize)> {
        let count = |name: &CleanStr| self.alerts.iter().filter(|alert| alert.name == *name).count();
        self.names().into_iter().map(|name| (name, count(name))).collect()
    }

    /// The services that the alerts are about with how many there are of each, in the order in which they began.
    pub fn by_service(&self, is_known: impl Fn(&str) -> bool) -> Vec<(ServiceId, usize)> {
        let count = |service: &ServiceId| {
            self.alerts.iter().filter(|alert| alert.service(&is_known).as_ref() == Some(service)).count()
        };
        self.services(&is_known).into_iter().map(|service| (service.clone(), count(&service))).collect()
    }

    /// The services that the alerts are about, each once, in the order in which they began.
    pub fn services(&self, is_known: impl Fn(&str) -> bool) -> Vec<ServiceId> {
        let mut services: Vec<ServiceId> = Vec::new();
        for service in self.alerts.iter().filter_map(|alert| alert.service(&is_known)) {
            if !services.contains(&service) {
                services.push(service);
            }
        }
        services
    }
}

/// The newest burst: three or more firing alerts that began within five minutes, the last of them in the past hour.
pub fn burst<'a>(alerts: impl IntoIterator<Item = &'a Alert>, now: DateTime<Utc>) -> Option<Burst<'a>> {
    burst_among(alerts.into_iter().filter(|alert| alert.is_firing() && alert.is_alarm()).collect(), now)
}

/// The newest burst among alerts that are known to fire.
pub(crate) fn burst_among(mut firing: Vec<&Alert>, now: DateTime<Utc>) -> Option<Burst<'_>> {
    firing.sort_by(|one, other| newest_first(other, one));
    let last_of = |from: usize| {
        let end = firing[from].starts_at + BURST_WITHIN;
        from + firing[from..].partition_point(|alert| alert.starts_at <= end)
    };
    let mut newest: Option<std::ops::Range<usize>> = None;
    for from in 0..firing.len() {
        let range = from..last_of(from);
        // Of two that end with the same alert the earlier one holds the later one.
        if range.len() >= BURST_OF && newest.as_ref().is_none_or(|newest| range.end > newest.end) {
            newest = Some(range);
        }
    }
    let alerts = firing[newest?].to_vec();
    let (first, last) = (alerts.first()?.starts_at, alerts.last()?.starts_at);
    (now - last <= BURST_LASTS).then_some(Burst { alerts, since: first })
}

/// Orders alerts for reading by time: the newest first.
pub fn newest_first(one: &Alert, other: &Alert) -> Ordering {
    other.starts_at.cmp(&one.starts_at).then_with(|| identity(one).cmp(&identity(other)))
}

/// Orders alerts for reading by need: firing before pending before suppressed, the worst severity first, then the newest.
pub fn worst_first(one: &Alert, other: &Alert) -> Ordering {
    worst_first_as((one, &one.state), (other, &other.state))
}

/// Orders alerts for reading by need where their states are known better than they themselves say.
pub(crate) fn worst_first_as(one: (&Alert, &AlertState), other: (&Alert, &AlertState)) -> Ordering {
    // What is no alarm stands below all that is one.
    let need = |(alert, state): (&Alert, &AlertState)| {
        // An alert that proposes nothing may be anything: it stands above alert noise.
        (!alert.is_alarm(), state.rank(), proposed_severity(alert).map_or(5, |severity| severity as u8 * 2))
    };
    need(one).cmp(&need(other)).then_with(|| newest_first(one.0, other.0))
}

fn identity(alert: &Alert) -> (&str, &str) {
    (&alert.name, &alert.fingerprint)
}

#[cfg(test)]
mod tests;
