//! Other incidents of this host that bear on what a status page shows.
//!
//! Hides that they stand in records of their own, which are read when a text is handed over: what was open a moment before counts.
//!
//! Invariant: a private incident lends its number and its severity, and nothing of what it is about; one that cannot be
//! read may affect anything.

use std::collections::BTreeSet;

use super::JournalPlace;
use crate::incident::{Act, Beside, DeliveryState, Incident, IncidentId, Phase, Route, Series, Severity, Via};
use crate::reach::{Reach, STATUSPAGE};

/// Those that are open beside an incident and affect parts of a page.
pub(super) fn beside(place: &JournalPlace, reach: &Reach, own: IncidentId, page: &str) -> anyhow::Result<Vec<Beside>> {
    let of_page = |route: &&Route| *route.service == *STATUSPAGE && *route.target == *page;
    let Some(route) = reach.routes.iter().find(of_page) else { return Ok(Vec::new()) };
    let Some(parts) = reach.components.get(&route.channel) else { return Ok(Vec::new()) };
    let dir = place.open()?;
    let mut found = Vec::new();
    for id in dir.ids()?.into_iter().filter(|id| id.series == Series::Incident && *id != own) {
        let landmarks = dir.journal(id, Via::default()).and_then(|mut journal| journal.landmarks());
        let (incident, is_whole) = match landmarks {
            Ok((entries, damage)) => (Some(Incident::replay(id, entries)), damage.is_empty()),
            Err(_) => (None, false),
        };
        let incident = incident.filter(|incident| is_whole || incident.phase() == Phase::Closed);
        let Some(incident) = incident else {
            // Nobody knows what it affects: `journal verify` says why. It keeps no text from customers, and no part is
            // said to be well over it.
            let components = parts.values().cloned().collect();
            found.push(Beside { incident: id, severity: None, components, on_page: None });
            continue;
        };
        let components: BTreeSet<_> =
            incident.services.iter().filter_map(|service| parts.get(service).cloned()).collect();
        if incident.declared.is_none() || incident.phase() >= Phase::Resolved || components.is_empty() {
            continue;
        }
        let on_page = incident.deliveries.iter().rev().find_map(|known| match (&known.state, &known.body.act) {
            (DeliveryState::Sent(remote), Act::Publish(_)) if *known.body.target == *page => Some(remote.id.clone()),
            _ => None,
        });
        let severity = Some(incident.severity.unwrap_or(Severity::Sev2));
        found.push(Beside { incident: id, severity, components, on_page });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::records::create;
    use super::*;
    use crate::incident::{Channel, Declared, Event, PhaseEntered};
    use crate::journal::NewEntry;

    fn declared(service: &str) -> NewEntry {
        let body = Declared {
            title: "payments hang".into(),
            severity: Severity::Sev0,
            service: Some(service.into()),
            detected_at: None,
            detection: None,
            zone: "UTC".into(),
            link: None,
        };
        NewEntry::new("dana".into(), Event::Declared(body))
    }

    #[test]
    fn what_cannot_be_read_may_affect_every_part_of_the_page_until_it_is_closed() {
        let home = tempfile::tempdir().unwrap();
        let place = JournalPlace {
            directory: home.path().join("j"),
            sharing: Default::default(),
            own: home.path().join("own"),
        };
        let make = |entries: &[NewEntry]| create(&place, Series::Incident, Via::default(), entries).unwrap();
        let (mine, known, unread) =
            (make(&[declared("alipay")]), make(&[declared("alipay")]), make(&[declared("other")]));
        let closed =
            Event::PhaseEntered(PhaseEntered { reason: Some("x".into()), ..PhaseEntered::plain(Phase::Closed) });
        let over = make(&[declared("alipay"), NewEntry::new("dana".into(), closed)]);
        let spoil = |id: IncidentId| {
            let db = rusqlite::Connection::open(place.directory.join(format!("{id}.db"))).unwrap();
            assert_eq!(db.execute("UPDATE ev SET entry = '{}' WHERE lseq = 1", []).unwrap(), 1);
        };
        spoil(unread);
        spoil(over);
        let page = Route { channel: Channel::ExternalPage, service: STATUSPAGE.into(), target: "outside".into() };
        let parts = BTreeMap::from([("alipay".into(), "c1".into()), ("wechatpay".into(), "c2".into())]);
        let reach = Reach {
            routes: vec![page],
            components: BTreeMap::from([(Channel::ExternalPage, parts)]),
            ..Reach::default()
        };
        let found = beside(&place, &reach, mine, "outside").unwrap();
        let said: Vec<_> = found.iter().map(|one| (one.incident, one.severity, one.components.len())).collect();
        assert_eq!(said, [(known, Some(Severity::Sev0), 1), (unread, None, 2)]);
    }
}
