//! What goes out because somebody asked for it: a page, an escalation, a merge, a link.
//!
//! Hides where in a system an incident is, and what it is called there.
//!
//! Invariant: nothing here is asked for by itself; each has the name of who asked.

use std::collections::BTreeSet;

use super::{PAGERDUTY, Place, Reach, SLACK, commander, description, opening};
use crate::incident::ended::EndedThere;
use crate::incident::{Act, Delivery, DeliveryQueued, DeliveryState, Incident, Remote};
use crate::text::{CleanStr, CleanText};

impl Reach {
    /// What pages people, when somebody says so; nothing where PagerDuty does not know the incident, or has nobody's address.
    pub fn page(&self, names: &[CleanStr], incident: &Incident) -> Option<DeliveryQueued> {
        let opening = opening(PAGERDUTY, incident);
        let people: BTreeSet<CleanStr> = names.iter().filter_map(|name| self.mail(name)).collect();
        let opening = opening.filter(|_| !people.is_empty())?;
        let title = &incident.title;
        let severity = incident.severity.map(|severity| severity.to_string()).unwrap_or_default();
        Some(DeliveryQueued {
            service: PAGERDUTY.into(),
            target: opening.body.target.clone(),
            act: Act::Page(people),
            text: CleanText::new(&format!("{severity} {title}: please join")),
            from: self.mail(commander(incident)),
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }

    /// What makes another incident of PagerDuty, by its number, part of this one, when somebody says so.
    pub fn merge(&self, number: &str, me: &str, incident: &Incident) -> Option<DeliveryQueued> {
        let number = number.trim().trim_start_matches('#');
        let told = incident.also_open(PAGERDUTY).into_iter().find(|(other, _)| other.called().as_str() == number);
        // One of another service is known by its number alone until PagerDuty was asked.
        let by_number = || {
            let is_number = !number.is_empty() && number.chars().all(|letter| letter.is_ascii_digit());
            let is_it = |known: &Delivery| {
                let is_open = !matches!(known.state, DeliveryState::Dropped { .. });
                is_open && matches!(&known.body.act, Act::Merge(other) if *other.called().as_str() == *number)
            };
            (is_number && !incident.deliveries.iter().any(is_it))
                .then(|| Remote { name: Some(number.into()), ..Remote::from(number) })
        };
        let other = told.map(|(other, _)| other).or_else(by_number)?;
        let ended = incident.ended_there();
        let is_into = |one: &&EndedThere| one.into.as_ref().is_some_and(|into| *into.called().as_str() == *number);
        // Ours went into it already: that one is ours now.
        if let Some(ended) = ended.iter().find(is_into) {
            return self.take_up(ended, me, incident);
        }
        if opening(PAGERDUTY, incident).is_none_or(|opening| matches!(opening.state, DeliveryState::Dropped { .. })) {
            return self.adopt(PAGERDUTY, number, me, incident);
        }
        Some(DeliveryQueued {
            service: PAGERDUTY.into(),
            target: opening(PAGERDUTY, incident)?.body.target.clone(),
            act: Act::Merge(other),
            from: self.mail(me),
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }

    /// What takes up again what somebody ended in a system that calls people, when somebody says so: it is opened again there, or what it went into is ours.
    pub fn take_up(&self, ended: &EndedThere, me: &str, incident: &Incident) -> Option<DeliveryQueued> {
        let maker = incident.deliveries.iter().find(|known| known.id == ended.maker)?;
        if let Some(into) = &ended.into {
            return self.adopt(&ended.service, into.called(), me, incident);
        }
        Some(DeliveryQueued {
            service: ended.service.clone(),
            target: maker.body.target.clone(),
            act: Act::Reopen,
            text: description(incident),
            from: self.mail(me),
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }

    /// What calls the people of a level of the escalation policy, when somebody says so.
    pub fn escalate(&self, level: u32, me: &str, incident: &Incident) -> Option<DeliveryQueued> {
        self.of_pager(Act::Escalate(level), me, incident)
    }

    /// What gives the incident to people in PagerDuty, when somebody says so; nothing where nobody's address is known.
    pub fn reassign(&self, names: &[CleanStr], me: &str, incident: &Incident) -> Option<DeliveryQueued> {
        let people: BTreeSet<CleanStr> = names.iter().filter_map(|name| self.mail(name)).collect();
        (!people.is_empty()).then(|| self.of_pager(Act::Reassign(people), me, incident)).flatten()
    }

    /// What makes something that somebody opened in a system this incident's, when somebody says so.
    pub fn adopt(&self, service: &str, name: &str, me: &str, incident: &Incident) -> Option<DeliveryQueued> {
        let of_route = || self.routes.iter().rev().find(|route| *route.service == *service);
        let (target, channel) = match (opening(service, incident), self.place(service)) {
            (Some(opening), _) => (opening.body.target.clone(), None),
            (None, Some(Place::One(target))) => (target.clone(), None),
            (None, Some(Place::Of(places))) => {
                let own = incident.services.iter().find_map(|service| places.get(service));
                (own.or_else(|| places.values().next())?.clone(), None)
            }
            (None, None) => of_route().map(|route| (route.target.clone(), Some(route.channel)))?,
        };
        Some(DeliveryQueued {
            service: service.into(),
            channel,
            target,
            act: Act::Adopt(name.into()),
            from: self.mail(me),
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }

    /// What makes a channel that somebody opened the incident's, when somebody says so; nothing where incidents have no channels.
    pub fn adopt_room(&self, name: &str, incident: &Incident) -> Option<DeliveryQueued> {
        Some(DeliveryQueued {
            service: SLACK.into(),
            target: self.room_name(incident)?,
            act: Act::AdoptRoom {
                name: name.into(),
                is_private: self.rooms.as_ref()?.is_private || incident.is_private,
            },
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }

    fn of_pager(&self, act: Act, me: &str, incident: &Incident) -> Option<DeliveryQueued> {
        Some(DeliveryQueued {
            service: PAGERDUTY.into(),
            target: opening(PAGERDUTY, incident)?.body.target.clone(),
            act,
            from: self.mail(me),
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }
}
