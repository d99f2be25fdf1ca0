//! The systems that are written to, and what goes where in them.
//!
//! Hides which sections belong together: an endpoint says how a system is reached, the section beside it what our things are called there.
//!
//! Invariant: what has no endpoint is not part of the reach; a section that names things of a system without one is refused.

use std::collections::BTreeMap;

use super::partial::{EndpointPartial, Id, JiraProjectPartial, Partial, PrioritiesPartial};
use super::{Endpoint, Layer, Places, endpoint, kept, layers};
use crate::incident::{Channel, Route, ServiceId, Severity};
use crate::oncall::Person;
use crate::reach::{self, Place, Reach, Rooms, TicketEnds, TicketTypes, Tracker};
use crate::text::CleanStr;

/// How they are reached, and what goes where.
pub(super) fn written(
    said: &Partial,
    people: &[Person],
    layers: &[Layer],
    places: &Places,
    flaws: &mut Vec<String>,
) -> (BTreeMap<&'static str, Endpoint>, Reach) {
    let sections: [(&'static str, &EndpointPartial); 9] = [
        (reach::SLACK, &said.slack),
        (reach::PAGERDUTY, &said.pagerduty),
        (reach::PAGERDUTY_EVENTS, &said.pagerduty_events),
        (reach::STATUSPAGE, &said.statuspage),
        (reach::JIRA, &said.jira),
        (reach::GRAFANA, &said.grafana),
        (reach::WEBHOOK, &said.webhook),
        (reach::OPSGENIE, &said.opsgenie),
        (reach::TEAMS, &said.teams),
    ];
    let mut written = BTreeMap::new();
    for (name, section) in sections {
        if let Some(endpoint) = kept(endpoint(name, section.clone(), layers, places), flaws) {
            written.insert(name, endpoint);
        }
    }
    let silences = kept(endpoint(reach::ALERTMANAGER, said.alertmanager.clone(), layers, places), flaws);
    let silences = silences.map(|endpoint| written.insert(reach::ALERTMANAGER, endpoint)).is_some();
    let mut needs = |service: &str, section: &str, key: &str, is_said: bool| {
        let is_there = written.contains_key(service);
        if is_said && !is_there {
            let message = format!("names things of a system without an address: set `url` in [{service}]");
            let key = format!("{section}.{key}");
            flaws.push(format!("{}: `{key}`: {message}", layers::origin(layers, &key)));
        }
        is_said && is_there
    };
    let channels = &said.slack_channels;
    let pages = &said.statuspage_pages;
    let mut routes = Vec::new();
    let mut route = |channel, service: &str, target: &CleanStr| {
        routes.push(Route { channel, service: service.into(), target: target.clone() });
    };
    if let Some(target) = &channels.incident
        && needs(reach::SLACK, "slack-channels", "incident", true)
    {
        route(Channel::IncidentChannel, reach::SLACK, &target.0);
    }
    if let Some(target) = &channels.status
        && needs(reach::SLACK, "slack-channels", "status", true)
    {
        route(Channel::StatusSlack, reach::SLACK, &target.0);
    }
    if let Some(target) = &pages.internal
        && needs(reach::STATUSPAGE, "statuspage-pages", "internal", true)
    {
        route(Channel::InternalPage, reach::STATUSPAGE, &target.0);
    }
    if let Some(target) = &pages.external
        && needs(reach::STATUSPAGE, "statuspage-pages", "external", true)
    {
        route(Channel::ExternalPage, reach::STATUSPAGE, &target.0);
    }
    let posts = [("incident", said.teams_channels.incident), ("status", said.teams_channels.status)];
    for ((key, is_said), channel) in posts.into_iter().zip([Channel::IncidentChannel, Channel::StatusSlack]) {
        if needs(reach::TEAMS, "teams-channels", key, is_said.unwrap_or(false)) {
            routes.push(Route { channel, service: reach::TEAMS.into(), target: reach::TEAMS.into() });
        }
    }
    let mut trackers = Vec::new();
    let teams: BTreeMap<_, _> = said.opsgenie_teams.clone();
    if needs(reach::OPSGENIE, "opsgenie-teams", "…", !teams.is_empty()) {
        trackers.push(Tracker { service: reach::OPSGENIE.into(), place: Place::Of(teams) });
    } else if written.contains_key(reach::OPSGENIE) {
        trackers.push(Tracker { service: reach::OPSGENIE.into(), place: Place::One(reach::OPSGENIE.into()) });
    }
    if needs(reach::PAGERDUTY, "pagerduty-services", "…", !said.pagerduty_services.is_empty()) {
        let services = ids(&said.pagerduty_services);
        trackers.push(Tracker { service: reach::PAGERDUTY.into(), place: Place::Of(services) });
    }
    if let Some(key) = &said.jira_project.key
        && needs(reach::JIRA, "jira-project", "key", true)
    {
        trackers.push(Tracker { service: reach::JIRA.into(), place: Place::One(key.0.clone()) });
    }
    for name in [reach::PAGERDUTY_EVENTS, reach::GRAFANA, reach::WEBHOOK] {
        if written.contains_key(name) {
            trackers.push(Tracker { service: name.into(), place: Place::One(name.into()) });
        }
    }
    let rooms = channels
        .prefix
        .as_ref()
        .map(|prefix| Rooms { prefix: prefix.clone(), is_private: channels.private.unwrap_or(false) });
    let rooms = rooms.filter(|_| needs(reach::SLACK, "slack-channels", "prefix", true));
    let components = BTreeMap::from([
        (Channel::ExternalPage, ids(&said.external_components)),
        (Channel::InternalPage, ids(&said.internal_components)),
    ]);
    let notifies = pages.notify_subscribers.unwrap_or(false);
    let people = people.to_vec();
    let tells_subscribers = said.pagerduty_options.status_updates.unwrap_or(false);
    let stands_in = said.pagerduty_options.stands_in.clone();
    let tells_changes = said.pagerduty_options.change_events.unwrap_or(false);
    let tells_changes = needs(reach::PAGERDUTY_EVENTS, "pagerduty-options", "change-events", tells_changes);
    needs(reach::SLACK, "slack-channels", "workspace", channels.workspace.is_some());
    needs(reach::PAGERDUTY, "pagerduty-priorities", "…", said.pagerduty_priorities.named().next().is_some());
    (
        written,
        Reach {
            tells_subscribers,
            routes,
            trackers,
            rooms,
            components,
            notifies,
            people,
            stands_in,
            silences,
            tells_changes,
            is_dry: false,
        },
    )
}

fn ids(said: &BTreeMap<ServiceId, Id>) -> BTreeMap<ServiceId, CleanStr> {
    said.iter().map(|(service, id)| (service.clone(), id.0.clone())).collect()
}

/// What the company calls the end of a ticket.
pub(super) fn ticket_ends(said: &JiraProjectPartial) -> TicketEnds {
    TicketEnds {
        done_status: said.done_status.clone(),
        dropped_status: said.dropped_status.clone(),
        done_resolution: said.done_resolution.clone(),
        dropped_resolution: said.dropped_resolution.clone(),
        link_type: said.link_type.clone(),
    }
}

/// What PagerDuty's account calls the priority of each severity.
pub(super) fn priorities(said: &PrioritiesPartial) -> BTreeMap<Severity, CleanStr> {
    said.named().map(|(severity, name)| (severity, name.clone())).collect()
}

/// Which kinds of tickets Jira gets.
pub(super) fn ticket_types(said: JiraProjectPartial) -> TicketTypes {
    let or = |said: Option<CleanStr>, usual: &str| said.unwrap_or_else(|| usual.into());
    TicketTypes {
        incident: or(said.kind, "Incident"),
        backlog: or(said.backlog_type, "Task"),
        follow_up: or(said.follow_up_type, "Task"),
    }
}
