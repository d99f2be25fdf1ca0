//! A text that waits for somebody, as the configuration has its place by now.
//!
//! Hides what was frozen when it was approved: the system, the place in it, the parts of the page.
//!
//! Invariant: the text is the one that was approved; only where it goes changes, and what that is is said.

use std::collections::BTreeSet;

use super::{Reach, STATUSPAGE};
use crate::incident::{Act, Channel, Delivery, DeliveryQueued, DeliveryState, Incident, Publication};
use crate::text::CleanStr;

impl Reach {
    /// Where a text that did not go out would go now, and what is different; nothing where that is the same.
    pub fn as_of_now(&self, delivery: &Delivery, incident: &Incident) -> Option<(DeliveryQueued, String)> {
        let body = &delivery.body;
        let channel = body.channel?;
        let waits = matches!(
            delivery.state,
            DeliveryState::Failed { .. } | DeliveryState::Held { .. } | DeliveryState::Queued { .. }
        );
        if !waits || incident.is_private || !matches!(body.act, Act::Post | Act::Publish(_)) {
            return None;
        }
        let routes = || self.routes.iter().filter(|route| route.channel == channel);
        let route = routes().find(|route| route.service == body.service).or_else(|| routes().next())?;
        let act = match (&body.act, *route.service == *STATUSPAGE) {
            (Act::Publish(said), true) => Act::Publish(self.with_parts_of_now(channel, said, incident)),
            (_, true) => self.publication(channel, incident),
            (_, false) => Act::Post,
        };
        let (service, target) = (route.service.clone(), route.target.clone());
        let anew = DeliveryQueued { service, target, act, ..body.clone() };
        let mut changed = Vec::new();
        if (&anew.service, &anew.target) != (&body.service, &body.target) {
            changed.push(format!("to {} {}, not {} {}", anew.service, anew.target, body.service, body.target));
        }
        if parts(&anew.act) != parts(&body.act) {
            changed.push(format!("about {}, not {}", named(&anew.act), named(&body.act)));
        }
        (!changed.is_empty()).then(|| (anew, changed.join("; ")))
    }

    /// A publication without the parts that the configuration names no more, and with those of the affected services that took their place.
    fn with_parts_of_now(&self, page: Channel, said: &Publication, incident: &Incident) -> Publication {
        let known: BTreeSet<&CleanStr> =
            self.components.get(&page).into_iter().flat_map(|ours| ours.values()).collect();
        if said.components.iter().all(|part| known.contains(part)) {
            return said.clone();
        }
        let now = match self.publication(page, incident) {
            Act::Publish(now) => now.components,
            _ => BTreeSet::new(),
        };
        let kept = said.components.iter().filter(|part| known.contains(part)).cloned();
        Publication { components: kept.chain(now).collect(), ..said.clone() }
    }
}

fn parts(act: &Act) -> Option<&BTreeSet<CleanStr>> {
    match act {
        Act::Publish(said) => Some(&said.components),
        _ => None,
    }
}

fn named(act: &Act) -> String {
    let parts: Vec<&str> = parts(act).into_iter().flatten().map(CleanStr::as_str).collect();
    if parts.is_empty() { "no part of the page".to_owned() } else { parts.join(", ") }
}
