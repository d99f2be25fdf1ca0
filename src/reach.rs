//! What an incident means for other systems: which of them are told what, and when.
//!
//! Hides how systems differ: a pager is acknowledged and closed, a ticket is described and gets the timeline, a chat channel has a topic, guests and a
//! pinned message. A [`Habit`] names these differences; everything else here follows
//! from the record.
//!
//! Invariant: [`Reach::missing`] is a function of the record alone, and names nothing that was asked for before: two consoles ask for the same, and
//! what a person gave up is not asked for again. Nothing here says anything to customers that nobody approved.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::timeline::Hand;
use crate::incident::{
    Act, Attached, Channel, Delivery, DeliveryQueued, DeliveryState, EntryId, Event, FollowUpState, Handle, Incident,
    Linked, Opened, Phase, Release, Role, Route, ServiceId, Severity, StatusUpdate, Thing,
};
use crate::oncall::{Person, known_as};
use crate::text::{CleanStr, CleanText};

mod anew;
mod asked;
mod eased;
mod pages;
mod sender;

/// Slack.
pub const SLACK: &str = "slack";
/// Statuspage.
pub const STATUSPAGE: &str = "statuspage";
/// PagerDuty, by its REST interface.
pub const PAGERDUTY: &str = "pagerduty";
/// PagerDuty, by events.
pub const PAGERDUTY_EVENTS: &str = "pagerduty-events";
/// Jira.
pub const JIRA: &str = "jira";
/// Grafana's annotations.
pub const GRAFANA: &str = "grafana";
/// A webhook of the team's own.
pub const WEBHOOK: &str = "webhook";
/// Opsgenie, and the alerts of Jira Service Management.
pub const OPSGENIE: &str = "opsgenie";
/// Microsoft Teams.
pub const TEAMS: &str = "teams";
/// Alertmanager, for silences.
pub const ALERTMANAGER: &str = "alertmanager";

/// A chat channel that is older than the incident by more than this is another one's.
const ROOM_BEFORE: TimeDelta = TimeDelta::minutes(10);
/// The most letters of lines that go as one: every system takes so many …
const MOST_LETTERS: usize = 20_000;
/// … with the time, the name and the kind before each line.
const HEAD: usize = 80;

/// Which lines of the timeline a system gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// None of them.
    None,
    /// Updates, and when customers began and ceased to be affected.
    Updates,
    /// What people wrote.
    All,
}

/// What a system that keeps incidents is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habit {
    /// It calls people, who must know of a private incident, too.
    pub pages: bool,
    /// It is told who has it in hand.
    pub acknowledges: bool,
    /// With this phase it is over there.
    pub ends: Phase,
    /// Which lines it gets.
    pub lines: Lines,
    /// It keeps a description that follows the record, and a ticket for each follow-up.
    pub describes: bool,
    /// What is over there can go on.
    pub reopens: bool,
    /// Programs read it: phases, severities, roles and updates are told as data.
    pub reports: bool,
    /// What a name of something looks like there.
    pub example: &'static str,
    /// Lines are gathered for so many seconds before they go as one: whoever follows a ticket gets a mail for each
    /// comment.
    pub gathers_seconds: u32,
}

impl Habit {
    /// What is usual: it is acknowledged, over when the incident is resolved, and can go on; no line goes there.
    pub const OF_TRACKER: Self = Self {
        pages: false,
        acknowledges: true,
        ends: Phase::Resolved,
        lines: Lines::None,
        describes: false,
        reopens: true,
        reports: false,
        example: "the ID that it has there",
        gathers_seconds: 0,
    };
}

/// A system that keeps incidents, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracker {
    /// Which system.
    pub service: CleanStr,
    /// One place for all incidents, or one for each service.
    pub place: Place,
    /// What it is told.
    pub habit: Habit,
}

/// Where in a system an incident belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Always there.
    One(CleanStr),
    /// Where the first affected service belongs.
    Of(BTreeMap<ServiceId, CleanStr>),
}

/// How chat channels of incidents are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rooms {
    /// What stands before the number.
    pub prefix: CleanStr,
    /// They are for those who are invited only.
    pub is_private: bool,
}

/// The systems that can be reached from here, and what they know our things by.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reach {
    /// Where texts of the runbook's channels go; what leads nowhere is told by hand.
    pub routes: Vec<Route>,
    /// Systems that keep incidents.
    pub trackers: Vec<Tracker>,
    /// Chat channels of incidents, where they are used.
    pub rooms: Option<Rooms>,
    /// The parts of the status pages, by service.
    pub components: BTreeMap<Channel, BTreeMap<ServiceId, CleanStr>>,
    /// Whether subscribers of the external page get mail.
    pub notifies: bool,
    /// Whether those who subscribed to an incident in PagerDuty get the updates.
    pub tells_subscribers: bool,
    /// Who goes by which name where.
    pub people: Vec<Person>,
    /// The address in whose name PagerDuty is told what somebody did of whom no address is known.
    pub stands_in: Option<CleanStr>,
    /// Silences can be made.
    pub silences: bool,
    /// PagerDuty hears of changes that are recorded with `warroom change`.
    pub tells_changes: bool,
    /// Nothing leaves this console.
    pub is_dry: bool,
}

impl Reach {
    /// Whether a system can be reached from here.
    pub fn serves(&self, service: &str) -> bool {
        *service == *ALERTMANAGER && self.silences
            || *service == *SLACK && self.rooms.is_some()
            || self.routes.iter().any(|route| *route.service == *service)
            || self.trackers.iter().any(|tracker| *tracker.service == *service)
    }

    /// Whether the configuration names the place of a delivery: what only the record names is nowhere to send anything.
    pub fn leads_to(&self, body: &DeliveryQueued) -> bool {
        let is_route = |route: &Route| {
            route.service == body.service
                && route.target == body.target
                && body.channel.is_none_or(|channel| channel == route.channel)
        };
        let is_room = |rooms: &Rooms| {
            let is_inside = matches!(body.channel, None | Some(Channel::IncidentChannel));
            is_inside && body.target.starts_with(&rooms.prefix.to_lowercase())
        };
        let is_place = |place: &Place| match place {
            Place::One(target) => *target == body.target,
            Place::Of(targets) => targets.values().any(|target| *target == body.target),
        };
        self.routes.iter().any(is_route)
            || *body.service == *SLACK && self.rooms.as_ref().is_some_and(is_room)
            || *body.service == *ALERTMANAGER && self.silences && *body.target == *ALERTMANAGER
            || self.place(&body.service).is_some_and(is_place)
    }

    /// A system that keeps incidents, by its name.
    pub fn tracker(&self, service: &str) -> Option<&Tracker> {
        self.trackers.iter().find(|tracker| *tracker.service == *service)
    }

    /// Where in a system that keeps incidents they belong.
    pub fn place(&self, service: &str) -> Option<&Place> {
        self.tracker(service).map(|tracker| &tracker.place)
    }

    /// How long lines for a system are gathered before they go as one.
    pub fn gathers(&self, service: &str) -> Option<TimeDelta> {
        let habit = self.tracker(service)?.habit;
        (habit.gathers_seconds > 0).then(|| TimeDelta::seconds(habit.gathers_seconds.into()))
    }

    /// The systems that keep tickets of incidents and follow-ups.
    pub fn ticket_systems(&self) -> impl Iterator<Item = &CleanStr> {
        self.trackers.iter().filter(|tracker| tracker.habit.describes).map(|tracker| &tracker.service)
    }

    /// The one in which a ticket is linked.
    pub fn ticket_system(&self) -> CleanStr {
        self.ticket_systems().next().cloned().unwrap_or_else(|| JIRA.into())
    }

    /// Whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.trackers.is_empty() && self.rooms.is_none() && !self.silences
    }

    /// The system that a channel's texts go to by themselves.
    pub fn leads(&self, channel: Channel, incident: &Incident) -> Option<&str> {
        if self.is_dry {
            return None;
        }
        let mut routes = self.routes.iter().filter(|_| !incident.is_private);
        let route = routes.find(|route| route.channel == channel).map(|route| route.service.as_str());
        let has_room = channel == Channel::IncidentChannel && room(incident).is_some();
        route.or(has_room.then_some(SLACK))
    }

    /// The systems in which an incident of a service begins when it is declared here.
    pub fn opens(&self, service: Option<&ServiceId>) -> Vec<&str> {
        let is_kept = |tracker: &&Tracker| match &tracker.place {
            Place::One(_) => true,
            Place::Of(places) => service.is_some_and(|service| places.contains_key(service)),
        };
        if self.is_dry {
            return Vec::new();
        }
        self.trackers.iter().filter(is_kept).map(|tracker| tracker.service.as_str()).collect()
    }

    /// When something that is asked for now may go out.
    pub fn release(&self, incident: &Incident) -> Release {
        if incident.drill.is_some() { Release::Never } else { Release::AtOnce }
    }

    /// Where an approved text goes.
    pub fn posts(&self, update: &StatusUpdate, incident: &Incident) -> Vec<DeliveryQueued> {
        if self.is_dry { Vec::new() } else { self.texts(update, incident) }
    }

    /// What a dry run does not send: what would be asked for now, and the last text where it leads somewhere.
    pub fn held_back(&self, incident: &Incident) -> Vec<DeliveryQueued> {
        if !self.is_dry || incident.drill.is_some() {
            return Vec::new();
        }
        let mut all = self.wanted(incident);
        let is_unsent = |id| incident.deliveries.iter().all(|known| known.update != Some(id));
        let last = incident.updates.last().filter(|told| is_unsent(told.id));
        all.extend(last.into_iter().flat_map(|told| self.texts(&told.update, incident)));
        all
    }

    fn texts(&self, update: &StatusUpdate, incident: &Incident) -> Vec<DeliveryQueued> {
        if update.told_at.is_some() {
            return Vec::new();
        }
        let release = self.release(incident);
        let mut posts = Vec::new();
        let routes = self.routes.iter().filter(|_| !incident.is_private);
        for route in routes.filter(|route| update.channels.contains(&route.channel)) {
            let act = if *route.service == *STATUSPAGE { self.publication(route.channel, incident) } else { Act::Post };
            posts.push(DeliveryQueued {
                service: route.service.clone(),
                channel: Some(route.channel),
                target: route.target.clone(),
                act,
                text: update.text.clone(),
                release,
                ..DeliveryQueued::default()
            });
        }
        let is_inside = update.channels.iter().any(|channel| *channel != Channel::ExternalPage);
        if let Some(opening) = opening(PAGERDUTY, incident).filter(|_| self.tells_subscribers && is_inside) {
            posts.push(DeliveryQueued {
                service: PAGERDUTY.into(),
                target: opening.body.target.clone(),
                act: Act::Tell,
                text: update.text.clone(),
                from: self.mail(commander(incident)),
                release,
                ..DeliveryQueued::default()
            });
        }
        let has_route = posts.iter().any(|post| post.channel == Some(Channel::IncidentChannel));
        if let Some(room) = room(incident)
            && update.channels.contains(&Channel::IncidentChannel)
            && !has_route
        {
            posts.push(DeliveryQueued {
                service: SLACK.into(),
                channel: Some(Channel::IncidentChannel),
                target: room.clone(),
                text: update.text.clone(),
                release,
                ..DeliveryQueued::default()
            });
        }
        posts
    }

    /// What other systems are to be told and nobody has asked for yet.
    pub fn missing(&self, incident: &Incident) -> Vec<DeliveryQueued> {
        if self.is_dry { Vec::new() } else { self.wanted(incident) }
    }

    fn wanted(&self, incident: &Incident) -> Vec<DeliveryQueued> {
        if incident.declared.is_none() {
            return Vec::new();
        }
        let release = self.release(incident);
        let mut wanted = Vec::new();
        for tracker in &self.trackers {
            self.of_tracker(tracker, incident, &mut wanted);
        }
        if self.rooms.is_some() {
            self.of_room(incident, &mut wanted);
        }
        self.of_pages(incident, &mut wanted);
        for body in &mut wanted {
            body.release = if release == Release::Never { Release::Never } else { body.release };
        }
        wanted.retain(|body| !incident.is_asked(body));
        wanted
    }

    fn of_tracker(&self, tracker: &Tracker, incident: &Incident, wanted: &mut Vec<DeliveryQueued>) {
        let habit = &tracker.habit;
        let opening = opening(&tracker.service, incident);
        let target = match (opening, &tracker.place) {
            (Some(opening), _) => opening.body.target.clone(),
            (None, Place::One(target)) => target.clone(),
            (None, Place::Of(places)) => {
                match incident.services.iter().find_map(|service| places.get(service)) {
                    Some(target) => target.clone(),
                    // Nobody said where incidents of this service belong.
                    None => return,
                }
            }
        };
        // Whoever is paged must know; whoever can read tickets, dashboards or a webhook need not.
        if incident.is_private && !habit.pages {
            return;
        }
        let mut ask = |act: Act, text: CleanText, from: Option<CleanStr>| {
            let (service, target) = (tracker.service.clone(), target.clone());
            wanted.push(DeliveryQueued { service, target, act, text, from, ..DeliveryQueued::default() });
        };
        let Some(opening) = opening else {
            if incident.phase() < Phase::Resolved {
                let by = incident.declared.as_ref().and_then(|mark| self.mail(&mark.by));
                ask(Act::Open(opened(incident)), description(incident), by);
            }
            return;
        };
        let is_linked = incident.made(&opening.body, Thing::Record).is_some();
        let is_given_up = matches!(opening.state, DeliveryState::Dropped { .. }) && !is_linked;
        if is_given_up && opening.body.release != Release::Never {
            // Somebody said that it is not kept there; of what may be there all the same, the end is told.
            if let Some(ended) = incident.ended().filter(|_| opening.may_be_there && incident.phase() >= habit.ends) {
                ask(Act::Resolve, ended.words, self.mail(&ended.mark.by));
            }
            return;
        }
        if let Some(mark) = incident.acknowledged.as_ref().filter(|_| habit.acknowledges) {
            ask(Act::Acknowledge, CleanText::default(), self.mail(&mark.by));
        }
        if incident.phase() != Phase::Closed {
            ask(
                Act::Change(Opened { alerts: BTreeSet::new(), linked: Vec::new(), ..opened(incident) }),
                description(incident),
                None,
            );
        }
        let was_ended = |known: &&Delivery| {
            let is_here = known.body.service == tracker.service && known.body.target == target;
            let is_of_this = (opening.round..incident.reopened).contains(&known.round);
            is_here && known.body.act == Act::Resolve && is_of_this
        };
        // Where an end was told, the going on is told; the region of an annotation grows with its next end.
        if incident.phase().is_live() && habit.reopens && incident.deliveries.iter().any(|known| was_ended(&known)) {
            ask(Act::Reopen, description(incident), None);
        }
        if habit.describes {
            ask(Act::Describe, description(incident), None);
            for item in &incident.follow_ups {
                if item.state == FollowUpState::Open {
                    let owner = item.owner.as_ref().map(|owner| format!("\nOwner: {owner}")).unwrap_or_default();
                    let due = item.due.map(|due| format!("\nDue: {due}")).unwrap_or_default();
                    let text = CleanText::new(&format!("{}{owner}{due}", item.what));
                    let is_made = incident.made(&opening.body, Thing::Ticket(item.id)).is_some();
                    let act = if is_made { Act::ChangeTicket } else { Act::Ticket };
                    ask(act(item.id), text, None);
                } else if incident.made(&opening.body, Thing::Ticket(item.id)).is_some() {
                    let why = item.reason.as_deref().unwrap_or("done, says the incident's record");
                    ask(Act::CloseTicket(item.id), CleanText::new(why), None);
                }
            }
        }
        if habit.reports {
            for entry in incident.happened_since(opening.queued.at) {
                ask(Act::Report(entry), CleanText::default(), None);
            }
        }
        let lines = untold(tracker, incident);
        if !lines.is_empty() {
            ask(Act::Note(lines), CleanText::default(), self.mail(commander(incident)));
        }
        if incident.phase() >= habit.ends
            && let Some(ended) = incident.ended()
            && !incident.made(&opening.body, Thing::Record).is_some_and(|remote| incident.is_kept(remote))
        {
            ask(Act::Resolve, ended.words, self.mail(&ended.mark.by));
        }
    }

    fn of_room(&self, incident: &Incident, wanted: &mut Vec<DeliveryQueued>) {
        let ask = |target: &CleanStr, act: Act, text: &str| DeliveryQueued {
            service: SLACK.into(),
            target: target.clone(),
            act,
            text: CleanText::new(text),
            ..DeliveryQueued::default()
        };
        let Some(room) = room(incident) else {
            // Only PagerDuty opens one by itself; before it has a number there is nothing to look for.
            if let (Some(name), true) = (self.room_name(incident), number(incident).is_some() && !incident.is_private) {
                wanted.push(ask(&name, Act::FindRoom { since: begin(incident) }, ""));
            }
            return;
        };
        let is_there = incident.made(&ask(room, Act::Topic, ""), Thing::Room).is_some();
        if !is_there {
            return;
        }
        let text = topic(incident);
        wanted.push(ask(room, Act::Topic, &text));
        wanted.push(ask(room, Act::Pin, &incident.bulletin().text()));
        if incident.phase() == Phase::Closed {
            return;
        }
        let holders = incident.roles.values().map(|mark| mark.by.as_str());
        let names: BTreeSet<&str> = holders.chain(incident.told.keys().map(CleanStr::as_str)).collect();
        let asked: BTreeSet<&CleanStr> = incident
            .since_room(&ask(room, Act::Topic, ""))
            .iter()
            .filter_map(|known| match &known.body.act {
                Act::Invite(people) => Some(people),
                _ => None,
            })
            .flatten()
            .collect();
        let guests: BTreeSet<CleanStr> =
            names.into_iter().filter_map(|name| self.guest(name)).filter(|guest| !asked.contains(guest)).collect();
        if !guests.is_empty() {
            wanted.push(ask(room, Act::Invite(guests), ""));
        }
    }

    /// What the incident's chat channel is called, or would be.
    pub fn room_name(&self, incident: &Incident) -> Option<CleanStr> {
        if let Some(room) = room(incident) {
            return Some(room.clone());
        }
        let prefix = &self.rooms.as_ref()?.prefix;
        let number = number(incident).cloned().unwrap_or_else(|| CleanStr::new(&incident.id().to_string()));
        let (prefix, number) = (prefix.to_lowercase(), number.to_lowercase());
        // `inc-` before `INC-101` is said once.
        let number = number.strip_prefix(&prefix).unwrap_or(&number);
        Some(CleanStr::new(&format!("{prefix}{number}")))
    }

    /// What opens the chat channel, when somebody says so.
    pub fn open_room(&self, incident: &Incident) -> Option<DeliveryQueued> {
        let is_private = self.rooms.as_ref()?.is_private || incident.is_private;
        Some(DeliveryQueued {
            service: SLACK.into(),
            target: self.room_name(incident)?,
            // PagerDuty counts for all; each journal counts from 1.
            act: Act::OpenRoom { is_private, since: begin(incident), is_own_name: number(incident).is_none() },
            release: self.release(incident),
            ..DeliveryQueued::default()
        })
    }

    /// Those of some people whom nobody can page, each with how they are reached: `Leila Sadeghi (call +49 30 1)`.
    pub fn not_paged(&self, names: &[CleanStr]) -> Vec<String> {
        let cannot = names.iter().filter(|name| self.mail(name).is_none());
        let called = cannot.map(|name| {
            let phone = known_as(&self.people, name).into_iter().find_map(|person| person.phone.as_ref());
            match phone {
                Some(phone) => format!("{name} (call {phone})"),
                None => format!("{name} (write `email` or `phone` into [[people]])"),
            }
        });
        called.collect()
    }

    /// Whether somebody can be paged by name.
    pub fn can_page(&self, name: &str) -> bool {
        self.mail(name).is_some() && self.trackers.iter().any(|tracker| *tracker.service == *PAGERDUTY)
    }

    fn mail(&self, name: &str) -> Option<CleanStr> {
        known_as(&self.people, name).into_iter().find_map(|person| person.email.clone())
    }

    /// What goes with something, with the names by which other systems know people.
    pub fn addressed(&self, mut attached: Attached) -> Attached {
        attached.people = self.handles();
        if let Some(owner) = &mut attached.owner {
            owner.mail = self.mail(&owner.name);
        }
        attached
    }

    /// Those whose ID in Slack is known.
    fn handles(&self) -> Vec<Handle> {
        let known = self.people.iter().filter_map(|person| {
            let id = person.slack.as_ref().filter(|id| id.starts_with(['U', 'W']) && id.len() >= 9)?;
            let names = [&person.name].into_iter().chain(&person.aliases).chain(&person.login).cloned();
            Some(Handle { names: names.collect(), id: id.clone() })
        });
        known.collect()
    }

    /// By what Slack knows somebody: an ID, else the address.
    fn guest(&self, name: &str) -> Option<CleanStr> {
        let known = known_as(&self.people, name);
        let is_id = |id: &&CleanStr| id.starts_with(['U', 'W']) && id.len() >= 9;
        let id = known.iter().find_map(|person| person.slack.as_ref().filter(is_id).cloned());
        id.or_else(|| known.iter().find_map(|person| person.email.clone()))
    }
}

/// The name of the incident's chat channel, once somebody looks for it or opens it.
pub fn room(incident: &Incident) -> Option<&CleanStr> {
    let mut makers = incident.deliveries.iter().filter(|known| known.body.act.makes(known.id) == Some(Thing::Room));
    makers.next_back().map(|known| &known.body.target)
}

/// What began the incident in a system.
fn opening<'a>(service: &str, incident: &'a Incident) -> Option<&'a Delivery> {
    let mut all = incident.deliveries.iter().filter(|known| !known.is_of_the_past(incident));
    all.find(|known| *known.body.service == *service && matches!(known.body.act, Act::Open(_)))
}

/// A chat channel that is older belongs to something else.
fn begin(incident: &Incident) -> DateTime<Utc> {
    let begin = incident.detected_at.into_iter().chain(incident.declared.as_ref().map(|mark| mark.at));
    begin.min().unwrap_or_default() - ROOM_BEFORE
}

/// PagerDuty's number of the incident.
fn number(incident: &Incident) -> Option<&CleanStr> {
    incident.deliveries.iter().find_map(|known| match (&known.state, &known.body.act) {
        (DeliveryState::Sent(remote), Act::Open(_)) if *known.body.service == *PAGERDUTY => remote.name.as_ref(),
        _ => None,
    })
}

fn commander(incident: &Incident) -> &str {
    incident.holder(Role::IncidentCommander).map(CleanStr::as_str).unwrap_or_default()
}

fn opened(incident: &Incident) -> Opened {
    Opened {
        title: incident.title.clone(),
        severity: incident.severity.unwrap_or(Severity::Sev2),
        alerts: incident.alerts.iter().map(|alert| alert.name.clone()).collect(),
        linked: incident
            .alerts
            .iter()
            .map(|alert| Linked { fingerprint: alert.fingerprint.clone(), labels: alert.labels.clone() })
            .collect(),
    }
}

/// The lines of people that a tracker was not handed yet.
fn untold(tracker: &Tracker, incident: &Incident) -> BTreeSet<EntryId> {
    let habit = &tracker.habit;
    if habit.lines == Lines::None {
        return BTreeSet::new();
    }
    let mut told = BTreeSet::new();
    let mut since = None;
    for known in incident.deliveries.iter().filter(|known| known.body.service == tracker.service) {
        match &known.body.act {
            Act::Note(lines) => told.extend(lines),
            // What was there before is in the description.
            Act::Open(_) => since = Some(known.queued.at),
            _ => {}
        }
    }
    let Some(since) = since else { return told };
    let timeline = incident.timeline();
    let (mut untold, mut letters) = (BTreeSet::new(), 0);
    for place in 0..timeline.len() {
        let Some(entry) = timeline.id(place).and_then(|id| incident.entry(id)) else { continue };
        let is_late = incident.time(entry) < since;
        let is_theirs = matches!(&entry.event, Event::ForeignNoted(body) if body.service == tracker.service);
        let is_ours = match habit.lines {
            _ if is_theirs => false,
            Lines::None => false,
            Lines::Updates => {
                matches!(entry.event, Event::StatusUpdatePosted(_) | Event::ImpactStarted(_) | Event::ImpactEnded(_))
            }
            Lines::All => timeline.hand(place) == Some(Hand::Human),
        };
        if !is_ours || is_late || told.contains(&entry.id) {
            continue;
        }
        letters += timeline.line(place).map_or(0, |line| line.text.len() + HEAD);
        // What does not fit goes with the next ones: nothing is cut.
        if letters > MOST_LETTERS && !untold.is_empty() {
            break;
        }
        untold.insert(entry.id);
    }
    untold
}

fn topic(incident: &Incident) -> String {
    let severity = incident.severity.map(|severity| severity.to_string()).unwrap_or_default();
    let commander = incident.holder(Role::IncidentCommander).map_or("nobody yet", CleanStr::as_str);
    // Where it is too long for the system, that shortens it; whole it stands in the pinned message.
    format!("{severity} · {} · IC {commander} · {}", incident.phase().name(), incident.title)
}

/// What a ticket says of the incident: summary, impact, root cause, mitigation, follow-ups.
fn description(incident: &Incident) -> CleanText {
    let zone = incident.zone();
    let clock = |at: DateTime<Utc>| at.with_timezone(&zone).format("%F %H:%M %Z").to_string();
    let severity = incident.severity.map(|severity| severity.to_string()).unwrap_or_default();
    let mut text = format!("Summary\n{} {severity}: {}\n", incident.id(), incident.title);
    if let Some(detected) = incident.detected_at {
        text += &format!("Detected {}\n", clock(detected));
    }
    let services: Vec<_> = incident.services.iter().map(CleanStr::as_str).collect();
    let mut part = |heading: &str, lines: Vec<String>, none: &str| {
        text += &format!("\n{heading}\n");
        text += &if lines.is_empty() { none.to_owned() } else { lines.join("\n") };
        text += "\n";
    };
    let mut impact = Vec::new();
    if !services.is_empty() {
        impact.push(format!("Services: {}", services.join(", ")));
    }
    for (start, end) in incident.impact.stretches() {
        let end = end.map_or("now".to_owned(), clock);
        impact.push(format!("Customers affected from {} to {end}", clock(start)));
    }
    if let Some((customers, _)) = incident.scope.trend() {
        impact.push(format!("Customers affected: {customers}"));
    }
    if incident.nobody_affected.is_some() {
        impact.push("No customer is affected".to_owned());
    }
    part("Impact", impact, "not known yet");
    let causes = incident.hypotheses.iter().filter_map(|known| match &known.settled {
        Some((_, true, evidence)) => Some(format!("{} ({evidence})", known.theory.text)),
        _ => None,
    });
    part("Root cause", causes.collect(), "not known yet");
    let made = incident.decisions.iter().filter_map(|decision| {
        let (mark, made) = decision.made.as_ref()?;
        made.go.then(|| format!("{} {}", clock(mark.at), decision.proposal.action))
    });
    part("Mitigation", made.collect(), "nothing decided yet");
    let follow_ups = incident.follow_ups.iter().map(|item| {
        let owner = item.owner.as_ref().map(|owner| format!(" ({owner})")).unwrap_or_default();
        let state = match item.state {
            FollowUpState::Open => "",
            FollowUpState::Done => " [done]",
            FollowUpState::Dropped => " [dropped]",
        };
        format!("- {}{owner}{state}", item.what)
    });
    part("Follow-ups", follow_ups.collect(), "none yet");
    CleanText::new(text.trim_end())
}

#[cfg(test)]
mod tests;
