//! What the status pages are told by themselves: the end, that customers are not affected any more, and that it goes on after all.
//!
//! Hides how it is known what a page says now: from what was told to it, round by round.
//!
//! Invariant: a page that says something untrue is told what is true, once a round; what customers read waits for somebody's word.

use super::eased::{eased, eased_at, is_affected, reopened};
use super::{Reach, STATUSPAGE};
use crate::incident::{
    Act, Channel, Delivery, DeliveryQueued, DeliveryState, Incident, PageStatus, Phase, Publication, Release, Route,
    Severity,
};
use crate::text::CleanText;

/// What a page was told so far.
#[derive(Default)]
struct Said {
    /// It says that something is wrong.
    is_open: bool,
    /// In this round it was told anything …
    is_told: bool,
    /// … that it is over …
    is_ended: bool,
    /// … or that customers are not affected any more.
    is_eased: bool,
    /// The last that it was told, or is to be told, is from an earlier round, and says that it is over or as good as.
    is_outdated: bool,
}

fn ends(act: &Act) -> bool {
    matches!(act, Act::Publish(said) if said.status == PageStatus::Resolved)
}

fn eases(act: &Act) -> bool {
    matches!(act, Act::Publish(said) if said.status == PageStatus::Monitoring && said.components.is_empty())
}

impl Said {
    fn of(incident: &Incident, route: &Route) -> Self {
        let is_here = |known: &&Delivery| known.body.service == route.service && known.body.target == route.target;
        let mut said = Self::default();
        for known in incident.deliveries.iter().filter(is_here) {
            let act = &known.body.act;
            let is_now = known.round == incident.reopened;
            let (is_open, counts) = match &known.state {
                DeliveryState::Sent(remote) => (!incident.is_kept(remote) && !ends(act), !incident.is_kept(remote)),
                DeliveryState::Queued { .. }
                | DeliveryState::Sending
                | DeliveryState::Held { .. }
                | DeliveryState::Unconfirmed { .. } => (!ends(act), true),
                // It changed nothing of what stands there.
                DeliveryState::ByHand
                | DeliveryState::Failed { .. }
                | DeliveryState::Superseded { .. }
                | DeliveryState::Dropped { .. } => (said.is_open, false),
                DeliveryState::Gone { .. } => (false, false),
            };
            said.is_open = is_open;
            if counts && matches!(act, Act::Publish(_)) {
                said.is_outdated = !is_now && (ends(act) || eases(act));
            }
            said.is_told |= is_now && matches!(act, Act::Publish(_));
            said.is_ended |= is_now && ends(act);
            said.is_eased |= is_now && (ends(act) || eases(act));
        }
        said
    }
}

impl Reach {
    pub(super) fn publication(&self, page: Channel, incident: &Incident) -> Act {
        let known = self.components.get(&page);
        // When customers are not affected any more, the parts of the page are put back to what they were.
        let affected = incident.services.iter().filter(|service| is_affected(incident, service));
        let components = affected.filter_map(|service| known?.get(service).cloned());
        Act::Publish(Publication {
            title: incident.title.clone(),
            severity: incident.severity.unwrap_or(Severity::Sev2),
            status: page_status(incident),
            components: components.collect(),
            notifies: page == Channel::ExternalPage && self.notifies,
        })
    }

    /// A page that says something is wrong must not go on saying so, nor that customers are affected when they are not, nor that it is over when it is not.
    pub(super) fn of_pages(&self, incident: &Incident, wanted: &mut Vec<DeliveryQueued>) {
        for route in self.routes.iter().filter(|route| *route.service == *STATUSPAGE) {
            let is_public = route.channel == Channel::ExternalPage;
            let Some(text) = due(incident, &Said::of(incident, route), is_public) else { continue };
            wanted.push(DeliveryQueued {
                service: route.service.clone(),
                channel: Some(route.channel),
                target: route.target.clone(),
                act: self.publication(route.channel, incident),
                text,
                release: if is_public || incident.is_private { Release::OnWord } else { Release::AtOnce },
                ..DeliveryQueued::default()
            });
        }
    }
}

/// What a page is to be told now.
fn due(incident: &Incident, said: &Said, is_public: bool) -> Option<CleanText> {
    if let Some(ended) = incident.ended() {
        return (said.is_open && !said.is_ended).then_some(ended.public);
    }
    if eased_at(incident).is_some() {
        return (said.is_open && !said.is_eased).then(|| eased(incident, is_public));
    }
    let goes_on = incident.phase().is_live() && said.is_outdated && !said.is_told;
    goes_on.then(|| reopened(incident, is_public))
}

/// What is true now: what was mitigated before it was reopened is not.
fn page_status(incident: &Incident) -> PageStatus {
    let is_of_now = |at: &_| incident.reopened_at.is_none_or(|reopened| *at >= reopened);
    let is_mitigated = incident.mitigated_at.filter(is_of_now).or(eased_at(incident)).is_some();
    match incident.phase() {
        phase if phase >= Phase::Resolved => PageStatus::Resolved,
        _ if is_mitigated => PageStatus::Monitoring,
        Phase::Mitigating => PageStatus::Identified,
        _ => PageStatus::Investigating,
    }
}
