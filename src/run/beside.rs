//! Other incidents of this host that bear on what a status page shows.
//!
//! Hides that they stand in records of their own, which are read when a text is handed over: what was open a moment before counts.
//!
//! Invariant: a private incident lends its number and its severity, and nothing of what it is about.

use std::collections::BTreeSet;

use super::JournalPlace;
use crate::incident::{Act, Beside, DeliveryState, Incident, Parcel, Phase, Route, Series, Severity, Via};
use crate::reach::{Reach, STATUSPAGE};

/// Those that are open and affect parts of the page that a parcel is for.
pub(super) fn beside(place: &JournalPlace, reach: &Reach, parcel: &Parcel) -> anyhow::Result<Vec<Beside>> {
    let of_page = |route: &&Route| *route.service == *STATUSPAGE && route.target == parcel.target;
    let Some(route) = reach.routes.iter().find(of_page) else { return Ok(Vec::new()) };
    let Some(parts) = reach.components.get(&route.channel) else { return Ok(Vec::new()) };
    let dir = place.open()?;
    let mut found = Vec::new();
    for id in dir.ids()?.into_iter().filter(|id| id.series == Series::Incident && *id != parcel.incident) {
        let landmarks = dir.journal(id, Via::default()).and_then(|mut journal| journal.landmarks());
        // One that cannot be read is named by `journal verify`; it keeps no text from customers.
        let Ok(incident) = landmarks.map(|(entries, _)| Incident::replay(id, entries)) else { continue };
        let components: BTreeSet<_> =
            incident.services.iter().filter_map(|service| parts.get(service).cloned()).collect();
        if incident.declared.is_none() || incident.phase() >= Phase::Resolved || components.is_empty() {
            continue;
        }
        let on_page = incident.deliveries.iter().rev().find_map(|known| match (&known.state, &known.body.act) {
            (DeliveryState::Sent(remote), Act::Publish(_)) if known.body.target == parcel.target => {
                Some(remote.id.clone())
            }
            _ => None,
        });
        found.push(Beside { incident: id, severity: incident.severity.unwrap_or(Severity::Sev2), components, on_page });
    }
    Ok(found)
}
