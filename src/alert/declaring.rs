//! The incident that alerts propose, and what stands against declaring it.
//!
//! Hides nothing that a person must decide: title, severity and service are proposals.

use chrono::{DateTime, Utc};

use super::{Alert, Cover, proposed_severity, title};
use crate::incident::{AlertLinked, Declared, Detection, IncidentId, ServiceId, Severity};
use crate::text::CleanStr;

/// An alert from which an incident is declared.
#[derive(Clone, Debug)]
pub struct Ground<'a> {
    /// The alert.
    pub alert: &'a Alert,
    /// The service that it is about.
    pub service: Option<ServiceId>,
    /// The open incident that covers it.
    pub cover: Option<Cover>,
}

/// Why no incident is declared from some alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Against {
    /// One is linked to an open incident.
    Linked(CleanStr, IncidentId),
    /// An open incident has the service of one in its scope; it may be another matter.
    InScope(CleanStr, IncidentId),
}

/// What stands against declaring an incident from alerts.
pub fn against(grounds: &[Ground<'_>]) -> Option<Against> {
    let said = |ground: &Ground<'_>| {
        let name = ground.alert.name.clone();
        Some(match ground.cover? {
            Cover::Linked(id) => Against::Linked(name, id),
            Cover::InScope(id) => Against::InScope(name, id),
        })
    };
    let all: Vec<_> = grounds.iter().filter_map(said).collect();
    all.iter().find(|one| matches!(one, Against::Linked(..))).or(all.first()).cloned()
}

/// The incident that alerts propose, the first of them named first; nothing without an alert.
pub fn proposed(
    grounds: &[Ground<'_>],
    severity: Option<Severity>,
    named: Option<CleanStr>,
    zone: &str,
    now: DateTime<Utc>,
) -> Option<Declared> {
    let alert = grounds.first()?.alert;
    let worst = grounds.iter().filter_map(|one| proposed_severity(one.alert)).min();
    Some(Declared {
        title: named.unwrap_or_else(|| title(alert)),
        severity: severity.or(worst).unwrap_or(Severity::Sev2),
        service: grounds.iter().find_map(|one| one.service.clone()),
        // Until it has fired, nobody could have known.
        detected_at: Some(alert.starts_at.min(now)),
        detection: Some(Detection::Alert { name: alert.name.clone() }),
        zone: zone.into(),
        link: alert.generator_url.clone(),
    })
}

/// What a record keeps of an alert.
pub fn linked(alert: &Alert) -> AlertLinked {
    AlertLinked {
        fingerprint: alert.fingerprint.clone(),
        name: alert.name.clone(),
        starts_at: alert.starts_at,
        labels: alert.labels.clone(),
    }
}
