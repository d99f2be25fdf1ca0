//! What other systems say was done there.
//!
//! Hides which console asks: the first of those that are here, so that a system is asked once, however many look on.
//!
//! Invariant: what is told twice is noted once, and nothing that is told stops a clock.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::pace::Free;
use super::{Console, Effect, Tone};
use crate::incident::{
    Act, Command, Delivery, DeliveryState, EntryId, Event, FollowUpSet, FollowUpState, ForeignNoted, News, NoteAmended,
    Phase, Thing, Watched,
};
use crate::live::{FACILITATOR, SIMULATED};
use crate::pane::Present;
use crate::reach::ALERTMANAGER;
use crate::text::CleanStr;
use crate::text::markup::without_markup;

/// The pause between two questions.
const PAUSE: TimeDelta = TimeDelta::seconds(20);
/// Of one system so many things are asked about at a time, each with a few requests: twenty a minute in all, however many there are.
const AT_A_TIME: usize = 2;
/// Clocks differ: what happened so long before is news too.
const BEFORE: TimeDelta = TimeDelta::minutes(2);

impl Console {
    /// Asks what was done elsewhere, when it is time; says when that is next.
    pub(super) fn ask_news(&mut self, now: DateTime<Utc>, effects: &mut Vec<Effect>) -> Option<DateTime<Utc>> {
        let reach = &self.settings.reach;
        let is_asked =
            !reach.is_dry && self.open.incident.drill.is_none() && self.open.incident.phase() != Phase::Closed;
        if !is_asked || !self.is_first_here(|one| one.is_dry) {
            return None;
        }
        let (watched, unproven) = self.watched();
        if watched.is_empty() && unproven.is_empty() {
            return None;
        }
        let due = self.open.outbox.asked_news.map_or(now, |at| at + PAUSE);
        if now < due {
            return Some(due);
        }
        self.open.outbox.asked_news = Some(now);
        for maker in unproven {
            self.prove(&maker, now, effects);
        }
        let mut watched = watched;
        // Where there are more than the budget allows, each has its turn.
        let turn = usize::try_from(now.timestamp() / PAUSE.num_seconds()).unwrap_or_default();
        let first = turn % watched.len().max(1);
        watched.rotate_left(first);
        let mut asked: BTreeMap<CleanStr, usize> = BTreeMap::new();
        for one in watched {
            let count = asked.entry(one.service.clone()).or_default();
            if *count == AT_A_TIME {
                continue;
            }
            *count += 1;
            let is_left_alone = self.pace.paused(&one.service, now).is_some();
            if !is_left_alone && self.news_pace.free(&one.service, now, 0) == Free::Now {
                self.news_pace.asked(&one.service, now);
                effects.push(Effect::AskNews(one));
            }
        }
        Some(now + PAUSE)
    }

    /// Whether this console does what one of them does for all; some cannot.
    fn is_first_here(&self, cannot: impl Fn(&Present) -> bool + Clone) -> bool {
        let me = &self.settings.console;
        // Who only looks can write nothing down: if that were the first, nobody would.
        let mut writers =
            self.open.present.iter().filter(|one| !one.looks_only && !cannot(one)).map(|one| &one.console);
        writers.clone().any(|console| console == me) && writers.all(|console| console >= me)
    }

    /// Whether this console is the first of those that write, but for one.
    pub(super) fn is_first_beside(&self, other: &CleanStr) -> bool {
        let me = &self.settings.console;
        self.open.present.iter().filter(|one| !one.looks_only && one.console != *other).all(|one| one.console >= *me)
    }

    /// Whether it is the end of a silence that somebody asked for here: that is a line already.
    fn ended_here(&self, noted: &ForeignNoted) -> bool {
        let Some(silence) = noted.key.strip_suffix("/end").filter(|_| *noted.service == *ALERTMANAGER) else {
            return false;
        };
        let is_ended = |id: EntryId| {
            self.open
                .incident
                .deliveries
                .iter()
                .any(|known| known.body.act == Act::Unsilence(id) && matches!(known.state, DeliveryState::Sent(_)))
        };
        let mut made = self.open.incident.deliveries.iter().filter(|known| match &known.state {
            DeliveryState::Sent(remote) => *remote.id == *silence,
            _ => false,
        });
        made.any(|known| is_ended(known.id))
    }

    /// What is there because of this incident; and what made things of which nothing but the record says that they are ours: those are not asked about.
    fn watched(&self) -> (Vec<Watched>, Vec<Delivery>) {
        let (incident, reach) = (&self.open.incident, &self.settings.reach);
        let begin = incident.detected_at.into_iter().chain(incident.declared.as_ref().map(|mark| mark.at)).min();
        let since = incident.clock().wall(begin.unwrap_or_default()) - BEFORE;
        let paged: Vec<CleanStr> = incident.paged().into_iter().map(|paged| paged.mail).collect();
        let ended = incident.ended_there();
        let watch = |service: &CleanStr, target: &CleanStr, thing, remote| Watched {
            incident: incident.id(),
            service: service.clone(),
            target: target.clone(),
            thing,
            remote,
            since,
            labels: Vec::new(),
            paged: Vec::new(),
            ours: incident.sent_to(service),
            planned: BTreeMap::new(),
            choices: self.choices(),
            is_live: incident.phase().is_live(),
            known: incident.foreign.keys().filter(|(of, _)| of == service).map(|(_, key)| key.clone()).collect(),
            over: ended.iter().find(|one| one.service == *service).map(|one| one.stamp.clone()),
        };
        let (mut all, mut unproven) = (Vec::new(), Vec::new());
        for known in incident.deliveries.iter().filter(|known| reach.serves(&known.body.service)) {
            let Some(thing) = known.remote().and(known.body.act.makes(known.id)) else { continue };
            let is_news = match thing {
                // One entry on a page is made once and told of many times.
                Thing::Record => !all.iter().any(|one: &Watched| {
                    one.service == known.body.service && one.target == known.body.target && one.thing == Some(thing)
                }),
                Thing::Room => true,
                Thing::Ticket(item) => {
                    incident.follow_ups.iter().any(|one| one.id == item && one.state == FollowUpState::Open)
                }
                Thing::Pinned | Thing::Silence(_) => false,
            };
            let newest = if thing == Thing::Record { incident.maker(&known.body, thing) } else { Some(known) };
            let Some(maker) = newest.filter(|_| is_news) else { continue };
            if let Some(remote) = self.ours(maker) {
                let paged = paged.clone();
                all.push(Watched { paged, ..watch(&known.body.service, &known.body.target, Some(thing), remote) });
            } else {
                unproven.push(maker.clone());
            }
        }
        let has_silenced = incident.deliveries.iter().any(|known| matches!(known.body.act, Act::Silence(_)));
        if reach.silences && (has_silenced || !incident.alerts.is_empty()) {
            let labels = incident.alerts.iter().map(|alert| alert.labels.clone()).collect();
            let name = CleanStr::new(ALERTMANAGER);
            let planned = incident.planned_ends();
            all.push(Watched { labels, planned, ..watch(&name, &name, None, Default::default()) });
        }
        (all, unproven)
    }

    /// Notes what is new. That a system cannot be asked changes nothing here: what goes there says so.
    pub(super) fn take_news(
        &mut self,
        service: &CleanStr,
        news: Result<Vec<News>, CleanStr>,
        wall: DateTime<Utc>,
        effects: &mut Vec<Effect>,
    ) {
        let now = self.open.incident.clock().show(wall);
        let news = match news {
            Ok(news) => {
                self.news_pace.went_well(service);
                news
            }
            // Whoever asked the facilitator is not left without an answer.
            Err(why) if *service == *FACILITATOR => return self.say(Tone::Said, why.to_string(), wall),
            Err(_) => return self.news_pace.failed(service, now),
        };
        if *service == *SIMULATED && !self.is_first_here(|_| false) {
            // Each console has its own copy of the drill's world, and they all say the same.
            return;
        }
        if self.open.incident.drill.is_some() && !self.open.incident.phase().is_live() {
            // A drill is over when it is resolved or aborted: nobody plays any more, and the world behind it does not know.
            return;
        }
        if !self.may_write() || self.open.record.unwritable.is_some() || self.own.is_waiting() {
            // It is told again.
            return;
        }
        let mut events = Vec::new();
        for News { mut noted, closes } in news {
            noted.at = self.open.incident.clock().show(noted.at);
            // What a system tells back is no news.
            let mut sent = self.open.incident.deliveries.iter().filter(|known| known.body.service == *service);
            let tells = |text: &str| !text.is_empty() && noted.text.ends_with(text);
            if sent.any(|known| tells(known.text()) || tells(known.worded()) || tells(&without_markup(known.worded())))
            {
                continue;
            }
            if self.ended_here(&noted) {
                continue;
            }
            let known = self.open.incident.foreign.get(&(noted.service.clone(), noted.key.clone()));
            match known {
                Some(known) if known.text != noted.text => {
                    let newest = self
                        .open
                        .incident
                        .timeline()
                        .place(known.id)
                        .and_then(|at| self.open.incident.timeline().line(at));
                    let shown = newest.is_some_and(|line| line.text.contains(&*noted.text));
                    if !shown {
                        let text = Some(noted.text.clone());
                        events.push(Event::NoteAmended(NoteAmended { note: known.id, text, at: None }));
                    }
                }
                Some(_) => {}
                None => {
                    events.push(Event::ForeignNoted(noted.clone()));
                }
            }
            let is_open = |item| {
                self.open.incident.follow_ups.iter().any(|one| one.id == item && one.state == FollowUpState::Open)
            };
            if let Some(item) = closes.filter(|item| is_open(*item)) {
                let body = FollowUpSet {
                    item: Some(item),
                    state: Some(FollowUpState::Done),
                    reason: Some(noted.text.first_line().into()),
                    ..FollowUpSet::default()
                };
                self.command(Command::SetFollowUp(body), None, wall, effects);
            }
        }
        if !events.is_empty() {
            let append = self.append(events, None, wall);
            effects.push(append);
        }
    }
}
