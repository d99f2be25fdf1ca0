//! The lookout: what was wrong from when until when goes into the record, alerts that are linked and objectives in scope.
//!
//! Hides which console writes it: the first of those that are here and can say, and after a while the next one, so that a console that cannot see its
//! sources, or has only just begun, keeps nobody from knowing. What two of them write at once leaves one line ([`crate::incident::symptom`]).
//!
//! Invariant: only fresh and whole answers say that something ended; when nobody watched, that is what is written.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, Effect};
use crate::alert::{AlertState, Extremes, STATE_LABEL};
use crate::incident::{AlertLinked, Clock, Event, Peak, Phase, Symptom, SymptomBegan, SymptomEnded, SymptomOf};
use crate::live::{Freshness, LiveAlert, SourceName, Standing};
use crate::resolution::{Course, over};
use crate::slo::{Lasting, Objective, ObjectiveId};
use crate::text::CleanStr;

/// What comes back sooner never was over.
const SETTLED: TimeDelta = TimeDelta::minutes(2);
/// Since when a breach lasts is said by answers that come after the headline's.
const ANSWERED: TimeDelta = TimeDelta::seconds(10);
/// How much longer each next console waits for the ones before it.
const PATIENCE: TimeDelta = TimeDelta::seconds(20);
/// How much longer a console waits that did not see it itself: another one may know better.
const UNSEEN: TimeDelta = TimeDelta::seconds(60);
/// The pause after something was written.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// How often a source is asked that does not say it.
const USUAL: TimeDelta = TimeDelta::seconds(15);
/// Between two looks at alerts nothing is overlooked that lasts longer than so many polls.
const POLLS: i32 = 3;

/// When this process saw an alert last, who told it, and with which values.
#[derive(Clone, Debug)]
struct Seen {
    /// Since when it fires, as the record has it: one that comes back is another one.
    since: DateTime<Utc>,
    at: DateTime<Utc>,
    by: BTreeSet<SourceName>,
    values: Extremes,
    /// It was looked at from its beginning on, without a gap.
    is_whole: bool,
}

impl Seen {
    /// Takes what was told of an alert at a moment of the wall; `every` is how often that is.
    fn see(known: Option<Self>, since: DateTime<Utc>, alert: &LiveAlert<'_>, every: TimeDelta, clock: &Clock) -> Self {
        let told = || [Some(alert.alert), alert.twin].into_iter().flatten();
        let by = told().map(|alert| alert.source).collect();
        let is_near = |before: DateTime<Utc>| clock.show(alert.at) - before <= clock.passed(every) * POLLS;
        let known = known.filter(|known| known.since == since);
        let (mut values, is_whole) = match known {
            Some(known) => (known.values, known.is_whole && is_near(clock.show(known.at))),
            None => (Extremes::default(), is_near(since)),
        };
        if *alert.state != AlertState::Pending {
            told().filter_map(|one| one.value.as_ref()).for_each(|value| values.see(value, clock.show(alert.at)));
        }
        Self { since, at: alert.at, by, values, is_whole }
    }

    /// The worst value that is known of it.
    fn peak(&self) -> Option<Peak> {
        let (value, at) = self.values.worst()?;
        Some(Peak { value, series: CleanStr::default(), at, at_least: !self.is_whole })
    }
}

/// What this process saw, and what it waits to write.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    alerts: BTreeMap<CleanStr, Seen>,
    courses: BTreeMap<ObjectiveId, Course>,
    /// What is to be written, since when that is known here.
    noticed: BTreeMap<(SymptomOf, bool), DateTime<Utc>>,
    written_at: Option<DateTime<Utc>>,
    /// When there is something to write, in the incident's clock.
    pub(super) next: Option<DateTime<Utc>>,
    /// Something was told since the last look.
    pub(super) is_due: bool,
}

/// Something to write, and for how long the first console keeps it back.
struct Due {
    of: SymptomOf,
    event: Event,
    wait: TimeDelta,
}

impl Console {
    /// Writes what began and what ended, when it is this console's turn.
    pub(super) fn look_out(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        // All waits are by the incident's clock: a drill that is played fast has the record of one that is not.
        let now = self.open.incident.clock().show(wall);
        let has_come = self.open.lookout.next.is_some_and(|at| at <= now);
        if !std::mem::take(&mut self.open.lookout.is_due) && !has_come {
            return;
        }
        self.open.lookout.next = None;
        let is_played = self.open.incident.drill.is_some() && !self.open.incident.phase().is_live();
        if self.open.incident.is_blank()
            || !self.open.record.is_complete
            || is_played
            || self.open.incident.phase() == Phase::Closed
        {
            return;
        }
        let mut lookout = std::mem::take(&mut self.open.lookout);
        let mut due = self.look_at_objectives(&mut lookout, wall);
        due.extend(self.look_at_alerts(&mut lookout, wall));
        let is_due = |key: &(SymptomOf, bool)| due.iter().any(|one| one.key() == *key);
        lookout.noticed.retain(|key, _| is_due(key));
        let can_write = self.may_write() && self.open.record.unwritable.is_none();
        if let Some(rank) = self.rank().filter(|_| can_write) {
            let mut events = Vec::new();
            for one in due {
                let at = *lookout.noticed.entry(one.key()).or_insert(now) + one.wait + PATIENCE * rank;
                let at = at.max(lookout.written_at.map_or(at, |written| written + PAUSE));
                if at <= now && !self.own.is_waiting() {
                    events.push(one.event);
                } else {
                    lookout.next = Some(lookout.next.map_or(at, |next| next.min(at)).max(now + TimeDelta::seconds(1)));
                }
            }
            if !events.is_empty() {
                lookout.written_at = Some(now);
                let append = self.append(events, None, wall);
                effects.push(append);
            }
        }
        self.open.lookout = lookout;
    }

    /// How many consoles that write come before this one.
    fn rank(&self) -> Option<i32> {
        let me = &self.settings.console;
        let writers = self.open.present.iter().filter(|one| !one.looks_only);
        writers.clone().any(|one| one.console == *me).then(|| {
            let before = writers.filter(|one| one.console < *me).count();
            i32::try_from(before).unwrap_or(i32::MAX)
        })
    }

    fn look_at_objectives(&self, lookout: &mut Lookout, wall: DateTime<Utc>) -> Vec<Due> {
        let now = self.open.incident.clock().show(wall);
        let mut due = Vec::new();
        for service in &self.open.incident.services {
            let Some(playbook) = self.open.catalogue.get(service) else { continue };
            for objective in &playbook.objectives {
                let id = ObjectiveId { service: service.clone(), objective: objective.id.clone() };
                let of = SymptomOf::Objective { service: service.clone(), id: objective.id.clone() };
                let known = self.open.incident.symptom(&of);
                let lasting = known.filter(|symptom| symptom.over.is_none());
                let Some(panel) = self.live.panels.get(&id) else { continue };
                let is_fresh = self.live.panel_freshness(panel, wall) == Freshness::Fresh;
                let standing = panel.standing(objective);
                if let Some(symptom) = lasting {
                    let course = lookout.courses.entry(id).or_insert_with(|| Course::new(symptom.since));
                    if course.since != symptom.since {
                        *course = Course::new(symptom.since);
                    }
                    course.see(panel, objective);
                    let is_well = is_fresh && standing.is_kept() == Some(true);
                    let over = over(course, panel, objective).filter(|over| is_well && now - over.ended >= SETTLED);
                    due.extend(over.map(|over| {
                        let (ended, after) = (over.ended, over.after);
                        let peak = peak(course, objective);
                        let body = SymptomEnded { of: of.clone(), title: symptom.title.clone(), ended, after, peak };
                        let wait = if after.is_some() { UNSEEN } else { TimeDelta::zero() };
                        Due { of, event: Event::SymptomEnded(body), wait }
                    }));
                } else if is_fresh {
                    due.extend(began(of, known, &standing, objective));
                }
            }
        }
        due
    }

    fn look_at_alerts(&self, lookout: &mut Lookout, wall: DateTime<Utc>) -> Vec<Due> {
        if self.open.incident.alerts.is_empty() {
            return Vec::new();
        }
        let all = self.live.alerts(wall);
        let clock = self.open.incident.clock();
        let mut due = Vec::new();
        for linked in &self.open.incident.alerts {
            let of = SymptomOf::Alert { fingerprint: linked.fingerprint.clone() };
            let Some(known) = self.open.incident.symptom(&of) else { continue };
            // The fresher word of two on one alert.
            let there = all.iter().filter(|alert| is_it(alert, linked)).min_by_key(|alert| alert.freshness);
            if let Some(alert) = there {
                lookout.noticed.remove(&(of.clone(), false));
                if alert.freshness == Freshness::Fresh {
                    let every = self.live.sources.get(alert.alert.source).map_or(USUAL, |health| health.every);
                    let seen = lookout.alerts.remove(&linked.fingerprint);
                    let seen = Seen::see(seen, known.since, alert, every, &clock);
                    lookout.alerts.insert(linked.fingerprint.clone(), seen);
                    let again = known.over.as_ref().filter(|_| *alert.state != AlertState::Pending);
                    due.extend(again.map(|over| {
                        let since = alert.alert.starts_at.max(over.ended);
                        let body = SymptomBegan {
                            of: of.clone(),
                            title: linked.name.clone(),
                            since,
                            at_least: false,
                            value: CleanStr::default(),
                        };
                        Due { of: of.clone(), event: Event::SymptomBegan(body), wait: TimeDelta::zero() }
                    }));
                }
                continue;
            }
            if known.over.is_some() {
                continue;
            }
            let seen = lookout.alerts.get(&linked.fingerprint);
            let Some((answered, every)) = self.all_answered(seen, wall) else { continue };
            // That it was not there is known since the first answer without it.
            let first = *lookout.noticed.entry((of.clone(), false)).or_insert(clock.show(answered));
            let was_watched = seen.is_some_and(|seen| first - clock.show(seen.at) <= clock.passed(every) * POLLS);
            let after = seen.map_or(known.since, |seen| clock.show(seen.at).max(known.since));
            let body = SymptomEnded {
                of: of.clone(),
                title: linked.name.clone(),
                ended: first.max(after),
                after: (!was_watched).then_some(after),
                peak: seen.filter(|seen| seen.since == known.since).and_then(Seen::peak),
            };
            let wait = if was_watched { SETTLED } else { SETTLED + UNSEEN };
            due.push(Due { of, event: Event::SymptomEnded(body), wait });
        }
        due
    }

    /// When those answered last, freshly and in full, who told an alert, or where this process never saw it, all who tell alerts; and how often they are
    /// asked. Nothing where one of them did not.
    fn all_answered(&self, seen: Option<&Seen>, wall: DateTime<Utc>) -> Option<(DateTime<Utc>, TimeDelta)> {
        let asked = self.live.reported.iter().filter(|(source, _)| seen.is_none_or(|seen| seen.by.contains(*source)));
        let mut newest = None;
        for (source, reported) in asked {
            let is_fresh = self.live.alerts_freshness(source, wall) == Some(Freshness::Fresh);
            if !is_fresh || reported.problem.is_some() || reported.found.is_partial || reported.found.left_out > 0 {
                return None;
            }
            let every = self.live.sources.get(source).map_or(USUAL, |health| health.every);
            newest = newest.max(Some((reported.at?, every)));
        }
        newest
    }
}

impl Due {
    fn key(&self) -> (SymptomOf, bool) {
        (self.of.clone(), matches!(self.event, Event::SymptomBegan(_)))
    }
}

/// A breach that is not in the record.
fn began(of: SymptomOf, known: Option<&Symptom>, standing: &Standing<'_>, objective: &Objective) -> Option<Due> {
    let Standing::Breached { worst, lasting: Lasting { since, at_least, .. } } = standing else { return None };
    let SymptomOf::Objective { service, .. } = &of else { return None };
    let whose = worst.whose().map(|name| format!(" ({name})")).unwrap_or_default();
    let limit = objective.limit_beside(Some(worst.value), objective.side.word());
    let value = format!("{}{whose}, must be {limit}", worst.shown(objective));
    // What is in the record as over is another one.
    let ended = known.and_then(|symptom| symptom.over.as_ref()).map(|over| over.ended);
    let is_after = ended.is_some_and(|ended| ended >= *since);
    let body = SymptomBegan {
        title: CleanStr::new(&format!("{service} {}", objective.title)),
        since: ended.map_or(*since, |ended| ended.max(*since)),
        at_least: *at_least && !is_after,
        value: CleanStr::new(&value),
        of: of.clone(),
    };
    Some(Due { of, event: Event::SymptomBegan(body), wait: ANSWERED })
}

fn peak(course: &Course, objective: &Objective) -> Option<Peak> {
    let (value, series, at, at_least) = course.worst()?;
    Some(Peak { value: CleanStr::new(&objective.show(value)), series: series.clone(), at, at_least })
}

/// Whether a live alert is the one that was linked: by its identity, or as Prometheus says it, without the labels that it adds when it sends one.
fn is_it(alert: &LiveAlert<'_>, linked: &AlertLinked) -> bool {
    let has_its_labels = || {
        let each = [Some(alert.alert), alert.twin];
        each.into_iter().flatten().any(|alert| {
            let mut labels = alert.labels.iter().filter(|(key, _)| *key != STATE_LABEL);
            alert.name == linked.name && labels.all(|(key, value)| linked.labels.get(key) == Some(value))
        })
    };
    alert.fingerprints().contains(&&linked.fingerprint) || has_its_labels()
}
