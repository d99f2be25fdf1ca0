//! What the sources report and how old it is: the only state that is not in the journal.
//!
//! Hides ageing: when a number stops being fresh is asked here, by nobody else. Bounded: a source that reports without end changes what is kept,
//! never how much.
//!
//! Invariant: a report of an older generation than what is watched is dropped, and its source ages as if it had said nothing; a failure never
//! removes data, it makes it age.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::{Alert, worst_first};
use crate::change::{Change, bounded};
use crate::slo::{Grid, Measured, Objective, ObjectiveId};
use crate::spans::compare::{Compared, Wanted};
use crate::spans::{SpanRow, Trace, TraceId};
use crate::text::CleanStr;

pub mod alerts;
pub mod exemplar;
pub mod panel;

pub use crate::spans::WatchedService;
pub use alerts::{LiveAlert, Reported};
pub use exemplar::{Exemplar, Exemplars, ExemplarsOf};
pub use panel::{Panel, Read, Scope, Standing};

/// The source of a drill.
pub const SIMULATED: SourceName = "simulated";

/// Under this name comes what one console of a drill was told because it asked.
pub const FACILITATOR: SourceName = "facilitator";
/// The most series that one objective keeps.
pub const MOST_SERIES: usize = 200;
/// The most rows that one table of spans keeps.
pub const MOST_ROWS: usize = 5_000;
/// The most alerts that one source keeps.
pub const MOST_ALERTS: usize = 1_000;
/// The most spans that one trace keeps.
pub const MOST_SPANS: usize = 5_000;

/// How often a source that has not said so polls.
const DEFAULT_PAUSE: TimeDelta = TimeDelta::seconds(15);

/// Names a source, for people and for the table of sources.
pub type SourceName = &'static str;

/// An objective to be watched.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedObjective {
    /// Its name among all services.
    pub id: ObjectiveId,
    /// What to ask and how to judge.
    pub objective: Objective,
    /// How far back it must be proven, where that is not as for the charts; then it has no chart.
    pub reach: Option<TimeDelta>,
}

/// More moments than any stretch that proves something has.
const MOST_MOMENTS: usize = 11_000;

impl WatchedObjective {
    /// The moments at which it must have been well, at a distance that its source can keep: a little more than the time that counts, because the newest
    /// of them may not have been sampled yet.
    pub fn proof_grid(&self, proof: TimeDelta, now: DateTime<Utc>, distance: TimeDelta) -> Grid {
        Grid::covering(self.reach.unwrap_or(proof) + self.objective.lag() + distance * 5, now, MOST_MOMENTS, distance)
    }
}

/// What the console wants to see; sources poll for it until it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Watchlist {
    /// Rises with each change; reports carry the one that they answer.
    pub generation: u64,
    /// Objectives, the impacted services' first.
    pub objectives: Vec<WatchedObjective>,
    /// How far the graphs reach back.
    pub span: TimeDelta,
    /// How many moments a graph has room for.
    pub points: usize,
    /// For how long an objective must have been well before it counts as normal again.
    pub proof: TimeDelta,
    /// Services whose spans are watched.
    pub services: Vec<WatchedService>,
    /// How far back spans are searched.
    pub lookback: TimeDelta,
}

impl Default for Watchlist {
    fn default() -> Self {
        Self {
            generation: 0,
            objectives: Vec::new(),
            span: TimeDelta::hours(1),
            points: 240,
            proof: TimeDelta::minutes(10),
            services: Vec::new(),
            lookback: TimeDelta::minutes(15),
        }
    }
}

/// What a source says.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Which source.
    pub source: SourceName,
    /// The generation of the watchlist that it answers.
    pub generation: u64,
    /// What it found.
    pub finding: Finding,
}

/// What a source found.
#[derive(Clone, Debug, PartialEq)]
pub enum Finding {
    /// The source began a life: where it looks, and how often.
    Ready {
        /// The endpoint without credentials, or the exercise.
        place: CleanStr,
        /// The pause between two polls.
        every: TimeDelta,
    },
    /// A question about an objective was answered.
    Measured(ObjectiveId, Scope, Box<Measured>),
    /// One question about an objective failed though the source answers others: why.
    Unmeasured(ObjectiveId, Scope, CleanStr),
    /// Error and slow spans were searched.
    Spans(SpanFinding),
    /// Alerts were read. They depend on nothing that is watched: no generation makes them old.
    Alerts(AlertFinding),
    /// Alerts could not be read though the source answers: a sentence with the reason and the way out.
    NoAlerts(CleanStr),
    /// A trace that somebody opened.
    Trace(Trace),
    /// The trace that somebody opened could not be had.
    NoTrace(TraceId, CleanStr),
    /// A healthy trace to lay beside one that is open.
    Compared(Box<Compared>),
    /// The requests that a metric's server keeps as examples of an objective.
    Exemplars(Exemplars),
    /// How many error spans were usual.
    Usual(Usual),
    /// What changed of late.
    Changes(ChangeFinding),
    /// By how much this machine's clock is ahead of the server's; zero where they agree.
    Clock(TimeDelta),
    /// A whole poll went well.
    Polled,
    /// A poll failed: a sentence with the reason and the way out; when it will try again.
    Failed {
        /// The sentence.
        reason: CleanStr,
        /// The pause before the next try.
        retry_in: TimeDelta,
    },
}

impl Finding {
    /// The answers to all questions about an objective, read off one chart: where any part of a world can be computed, as in pictures and tests.
    pub fn whole(id: &ObjectiveId, chart: &Measured) -> [Self; 4] {
        Scope::ALL.map(|scope| {
            let measured = match scope {
                Scope::Now | Scope::Burn => chart.at_end(),
                Scope::Proof | Scope::Chart => chart.clone(),
            };
            Self::Measured(id.clone(), scope, Box::new(measured))
        })
    }
}

/// The error and slow spans of all watched services.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SpanFinding {
    /// The causes of what failed, the newest first.
    pub errors: Vec<SpanRow>,
    /// Attempts that failed and were made good by another.
    pub mended: Vec<SpanRow>,
    /// Slow spans, the slowest first.
    pub slow: Vec<SpanRow>,
    /// How far back was searched.
    pub lookback: TimeDelta,
    /// What the reader must know: "limit of 200 traces reached: there may be more".
    pub remarks: Vec<CleanStr>,
    /// Which searches for error spans did not find all there is, and why: with one of those of a service nothing is proven of it.
    pub gaps: Vec<(CleanStr, CleanStr)>,
    /// What cannot be seen in the spans of a service though all were found: that a part is sampled, that they carry no status.
    pub unseen: Vec<(CleanStr, CleanStr)>,
}

/// The alerts of one source.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct AlertFinding {
    /// The alerts, those that need somebody most first.
    pub alerts: Vec<Alert>,
    /// How many more there were.
    pub left_out: usize,
    /// What the reader must know: "2 alerts cannot be read: …".
    pub remarks: Vec<CleanStr>,
    /// There may be more than was told: that an alert is not among them says nothing.
    pub is_partial: bool,
}

impl AlertFinding {
    /// Puts the alerts into their order, and keeps as many as a source may have.
    pub fn bounded(mut self) -> Self {
        self.alerts.sort_by(worst_first);
        self.left_out += self.alerts.len().saturating_sub(MOST_ALERTS);
        self.alerts.truncate(MOST_ALERTS);
        self
    }
}

/// The changes that one source knows of.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ChangeFinding {
    /// The last day's, the newest first.
    pub changes: Vec<Change>,
    /// How many more of them there are that are not kept in view.
    pub left_out: usize,
    /// What the reader must know: "3 lines cannot be read".
    pub remarks: Vec<CleanStr>,
}

/// What a person asks of a source once, beside the watching.
#[derive(Clone, Debug, PartialEq)]
pub enum Inquiry {
    /// Fetch a whole trace.
    Trace(TraceId),
    /// Find a healthy trace beside one that is open.
    Compare(Wanted),
    /// Find the requests that a metric's server keeps as examples.
    Exemplars(ExemplarsOf),
    /// Give a hint: in a drill.
    Hint,
    /// Let the one who would get in touch next in a drill do so now.
    Inject,
    /// Count the error spans of services in the time before a moment: what was usual before the incident.
    Usual(Before),
}

/// The time before a moment, as some services lived it.
#[derive(Clone, Debug, PartialEq)]
pub struct Before {
    /// The moment.
    pub until: DateTime<Utc>,
    /// How long before it.
    pub length: TimeDelta,
    /// The services, as the traces spell them.
    pub services: Vec<CleanStr>,
}

/// How many error spans a second of each service were usual, or why nobody knows.
#[derive(Clone, Debug, PartialEq)]
pub struct Usual {
    /// When that was.
    pub before: Before,
    /// Error spans a second by the services that they hurt; services without any may be absent.
    pub rates: Result<BTreeMap<Vec<CleanStr>, f64>, CleanStr>,
}

impl Usual {
    /// What a search of that time says. One that was cut short found too few: nobody is let off by that.
    pub fn of(before: &Before, errors: &[SpanRow]) -> Self {
        let mut rates = BTreeMap::new();
        let each = 1.0 / before.length.as_seconds_f64().max(1.0);
        for row in errors.iter().filter(|row| row.at < before.until && row.at >= before.until - before.length) {
            let hurt = before.services.iter().filter(|service| row.concerns(std::slice::from_ref(service)));
            *rates.entry(hurt.cloned().collect()).or_default() += each;
        }
        Self { before: before.clone(), rates: Ok(rates) }
    }
}

/// How fresh something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Younger than two intervals.
    Fresh,
    /// Older than two intervals: drawn grey.
    Stale,
    /// Older than five intervals: no data.
    Gone,
}

/// How a source is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// Where it looks.
    pub place: CleanStr,
    /// The pause between two polls.
    pub every: TimeDelta,
    /// When a poll last went well.
    pub good_at: Option<DateTime<Utc>>,
    /// Since when it fails, and why, if it does.
    pub failing: Option<(DateTime<Utc>, CleanStr)>,
    /// When it first reported, so that a source that never answered ages too.
    pub since: DateTime<Utc>,
    /// By how much this machine's clock is ahead of its, where it said so.
    pub ahead: Option<TimeDelta>,
}

impl Health {
    /// How fresh what it said last is.
    pub fn freshness(&self, now: DateTime<Utc>) -> Freshness {
        freshness(now - self.good_at.unwrap_or(self.since), self.every)
    }

    /// When that changes next if nothing comes.
    pub fn next_turn(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        next_turn(self.good_at.unwrap_or(self.since), self.every, now)
    }
}

/// Older than so many polls is stale …
const STALE_AFTER: i32 = 2;
/// … and older than so many is gone.
const GONE_AFTER: i32 = 5;

/// How fresh something of an age is when it should come so often.
pub fn freshness(age: TimeDelta, every: TimeDelta) -> Freshness {
    if age > every * GONE_AFTER {
        Freshness::Gone
    } else if age > every * STALE_AFTER {
        Freshness::Stale
    } else {
        Freshness::Fresh
    }
}

/// The next moment at which the [`freshness`] of something from a moment changes, if nothing newer comes.
pub fn next_turn(at: DateTime<Utc>, every: TimeDelta, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // At the limit itself it is still fresh.
    [STALE_AFTER, GONE_AFTER]
        .map(|times| at + every * times + TimeDelta::milliseconds(1))
        .into_iter()
        .find(|turn| *turn > now)
}

/// All that the sources said last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// The generation that is watched.
    pub generation: u64,
    /// When the console asked for it; absent before it asked for anything.
    pub asked_at: Option<DateTime<Utc>>,
    /// The sources, by name.
    pub sources: BTreeMap<SourceName, Health>,
    /// The objectives.
    pub panels: BTreeMap<ObjectiveId, Panel>,
    /// The spans: when, from which source, what.
    pub spans: Option<(DateTime<Utc>, SourceName, SpanFinding)>,
    /// The changes: by source, when, what.
    pub changes: BTreeMap<SourceName, (DateTime<Utc>, ChangeFinding)>,
    /// The trace that was opened last, or why it could not be.
    pub trace: Option<Result<Trace, (TraceId, CleanStr)>>,
    /// The exemplars that were asked for last.
    pub exemplars: Option<Exemplars>,
    /// The healthy trace that was found last, to lay beside one.
    pub compared: Option<Box<Compared>>,
    /// How many error spans were usual before the incident, where that was asked.
    pub usual: Option<Usual>,
    /// What each source said of alerts; [`Live::alerts`] is all of it as one list.
    pub reported: BTreeMap<SourceName, Reported>,
    /// The simulated world stands still: nothing ages.
    pub is_frozen: bool,
}

impl Live {
    /// As the next record finds it. Sources run before a record is open: what they said of themselves, of alerts and of changes is not that record's.
    pub fn of_next_record(self) -> Self {
        let Self {
            mut sources,
            mut changes,
            mut reported,
            is_frozen,
            generation: _,
            asked_at: _,
            panels: _,
            spans: _,
            trace: _,
            compared: _,
            exemplars: _,
            usual: _,
        } = self;
        // A drill's world ends with its record.
        for simulated in [SIMULATED, FACILITATOR] {
            sources.remove(simulated);
            changes.remove(simulated);
            reported.remove(simulated);
        }
        Self { sources, changes, reported, is_frozen, ..Self::default() }
    }

    /// From now on a generation is watched: what answers an older one is dropped, and a source that goes on answering only that one ages.
    pub fn ask(&mut self, generation: u64, now: DateTime<Utc>) {
        self.generation = generation;
        self.asked_at = Some(now);
    }

    /// Takes a report in; says whether anything that is shown may have changed.
    pub fn take(&mut self, report: Report, now: DateTime<Utc>) -> bool {
        let Report { source, generation, finding } = report;
        let health = self.sources.entry(source).or_insert_with(|| Health {
            place: CleanStr::default(),
            every: DEFAULT_PAUSE,
            good_at: None,
            failing: None,
            since: now,
            ahead: None,
        });
        // What was asked for before the last change of the watchlist answers a question that nobody asks any more.
        let is_current = generation == self.generation;
        match finding {
            Finding::Ready { place, every } => {
                health.place = place;
                health.every = every;
            }
            Finding::Clock(ahead) => return health.ahead.replace(ahead) != Some(ahead),
            Finding::Polled => {
                let changed = health.failing.take().is_some();
                // A source that was never told what is watched now is not well for those who look, however well it answers.
                if is_current {
                    health.good_at = Some(now);
                }
                return changed || is_current;
            }
            Finding::Failed { reason, .. } => match &mut health.failing {
                Some((_, known)) => *known = reason,
                None => health.failing = Some((now, reason)),
            },
            Finding::Measured(id, scope, mut measured) if is_current => {
                let more = measured.series.len().saturating_sub(MOST_SERIES);
                measured.series.truncate(MOST_SERIES);
                measured.left_out += more;
                self.take_read(id, scope, Ok(*measured), source, now);
            }
            Finding::Unmeasured(id, scope, problem) if is_current => {
                self.take_read(id, scope, Err(problem), source, now);
            }
            Finding::Spans(mut spans) if is_current => {
                spans.errors.truncate(MOST_ROWS);
                spans.mended.truncate(MOST_ROWS);
                spans.slow.truncate(MOST_ROWS);
                self.spans = Some((now, source, spans));
            }
            Finding::Measured(..) | Finding::Unmeasured(..) | Finding::Spans(_) => return false,
            Finding::Alerts(found) => {
                let found = found.bounded();
                let is_news = self.reported.get(source).is_none_or(|known| !known.says(&found));
                self.reported.insert(source, Reported { at: Some(now), found, problem: None });
                return is_news;
            }
            Finding::NoAlerts(problem) => self.reported.entry(source).or_default().problem = Some(problem),
            // No watchlist has a part in it.
            Finding::Changes(mut found) => {
                let (kept, left_out) = bounded(std::mem::take(&mut found.changes));
                found.changes = kept;
                found.left_out += left_out;
                self.changes.insert(source, (now, found));
            }
            Finding::Trace(mut trace) => {
                trace.spans.truncate(MOST_SPANS);
                self.trace = Some(Ok(trace));
            }
            Finding::Compared(found) => self.compared = Some(found),
            Finding::Exemplars(mut found) => {
                if let Ok(all) = &mut found.found {
                    all.truncate(exemplar::MOST_EXEMPLARS);
                }
                self.exemplars = Some(found);
            }
            // What is known stays when asking again fails.
            Finding::Usual(found) => {
                let is_known =
                    self.usual.as_ref().is_some_and(|usual| usual.before == found.before && usual.rates.is_ok());
                if !is_known || found.rates.is_ok() {
                    self.usual = Some(found);
                }
            }
            Finding::NoTrace(id, reason) => self.trace = Some(Err((id, reason))),
        }
        true
    }

    /// The clock that all was timed by was set: what is known stays as old as it was.
    pub fn time_moved(&mut self, by: TimeDelta) {
        let sources = self.sources.values_mut().flat_map(|health| {
            let Health { good_at, failing, since, .. } = health;
            good_at.iter_mut().chain(failing.iter_mut().map(|(at, _)| at)).chain([since])
        });
        let reads = self.panels.values_mut().flat_map(|panel| &mut panel.reads);
        let panels = reads.filter_map(|read| read.at.as_mut());
        let spans = self.spans.iter_mut().map(|(at, ..)| at);
        let changes = self.changes.values_mut().map(|(at, _)| at);
        let alerts = self.reported.values_mut().filter_map(|reported| reported.at.as_mut());
        for at in sources.chain(panels).chain(spans).chain(changes).chain(alerts).chain(&mut self.asked_at) {
            *at += by;
        }
    }

    /// Whether one of some sources has ever reported: one that is configured says so at once.
    pub fn has_any(&self, names: &[SourceName]) -> bool {
        names.iter().any(|name| self.sources.contains_key(name))
    }

    /// How fresh the headline of a panel is: it ages with the last good answer about this moment, whatever its source says of anything else.
    pub fn panel_freshness(&self, panel: &Panel, now: DateTime<Utc>) -> Freshness {
        self.read_freshness(panel, Scope::Now, now)
    }

    /// How fresh the answer to one question is; one that never came is gone.
    pub fn read_freshness(&self, panel: &Panel, scope: Scope, now: DateTime<Utc>) -> Freshness {
        panel.read(scope).at.map_or(Freshness::Gone, |at| self.age(at, panel.source, now))
    }

    /// How fresh the spans are.
    pub fn spans_freshness(&self, now: DateTime<Utc>) -> Option<Freshness> {
        self.spans.as_ref().map(|(at, source, _)| self.age(*at, source, now))
    }

    /// The changes of all sources since a moment, the newest first, each once.
    pub fn changes_since(&self, since: DateTime<Utc>) -> Vec<&Change> {
        let found = self.changes.values().flat_map(|(_, found)| &found.changes);
        let mut all: Vec<_> = found.filter(|change| change.at >= since).collect();
        // What lies in the future lies there by a wrong clock: it leads nothing.
        let now = self.changes_as_of().unwrap_or(since + TimeDelta::hours(2));
        all.sort_by_key(|change| (change.is_ahead(now), std::cmp::Reverse(change.at)));
        let mut known = BTreeSet::new();
        // A pipeline may both record a change and list it.
        all.retain(|change| known.insert((change.at, &change.service, &change.what)));
        all
    }

    /// How many changes of the last day are not kept in view.
    pub fn changes_left_out(&self) -> usize {
        self.changes.values().map(|(_, found)| found.left_out).sum()
    }

    /// As of when the changes of all their sources are known: when each was last well, or else when it told what it knows.
    pub fn changes_as_of(&self) -> Option<DateTime<Utc>> {
        let good = |source| self.sources.get(source).and_then(|health: &Health| health.good_at);
        self.changes.iter().map(|(source, (told, _))| good(source).unwrap_or(*told)).min()
    }

    /// How fresh the changes of the source that is worst off are: its last good poll counts, because a source tells changes only when there is a
    /// new one.
    pub fn changes_freshness(&self, now: DateTime<Utc>) -> Option<Freshness> {
        let freshness = |source| self.sources.get(source).map(|health: &Health| health.freshness(now));
        let worst = self.changes.keys().filter_map(freshness).max();
        if self.is_frozen { worst.map(|_| Freshness::Fresh) } else { worst }
    }

    fn age(&self, at: DateTime<Utc>, source: SourceName, now: DateTime<Utc>) -> Freshness {
        if self.is_frozen {
            return Freshness::Fresh;
        }
        freshness(now - at, self.every(source))
    }

    /// When the freshness of a panel changes next if nothing comes; never while nothing ages.
    pub fn next_panel_turn(&self, panel: &Panel, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        panel.reads.iter().filter_map(|read| self.turn(read.at?, panel.source, now)).min()
    }

    /// The same for the spans.
    pub fn next_spans_turn(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.spans.as_ref().and_then(|(at, source, _)| self.turn(*at, source, now))
    }

    /// The same for the source that turns first.
    pub fn next_source_turn(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_frozen {
            return None;
        }
        self.sources.values().filter_map(|health| health.next_turn(now)).min()
    }

    fn turn(&self, at: DateTime<Utc>, source: SourceName, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.is_frozen { None } else { next_turn(at, self.every(source), now) }
    }

    fn every(&self, source: SourceName) -> TimeDelta {
        self.sources.get(source).map_or(DEFAULT_PAUSE, |health| health.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_looked_at_again_exactly_when_it_turns_stale_and_gone() {
        let at = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let every = TimeDelta::seconds(15);
        let mut now = at;
        for (before, after) in [(Freshness::Fresh, Freshness::Stale), (Freshness::Stale, Freshness::Gone)] {
            let turn = next_turn(at, every, now).unwrap();
            assert_eq!(freshness(turn - TimeDelta::milliseconds(1) - at, every), before);
            assert_eq!(freshness(turn - at, every), after);
            now = turn;
        }
        assert_eq!(next_turn(at, every, now), None, "gone stays gone");
    }

    #[test]
    fn a_source_that_answers_only_an_older_question_ages_and_is_said_to() {
        let mut live = Live::default();
        let report = |generation, finding| Report { source: "prometheus", generation, finding };
        live.ask(1, at(0));
        live.take(report(1, Finding::Ready { place: "x".into(), every: TimeDelta::seconds(15) }), at(0));
        live.take(report(1, Finding::Polled), at(0));
        live.ask(2, at(10));
        for seconds in [15, 30, 45, 60, 75] {
            live.take(report(1, Finding::Polled), at(seconds));
        }
        assert_eq!(live.sources["prometheus"].freshness(at(29)), Freshness::Fresh);
        assert_eq!(live.sources["prometheus"].freshness(at(31)), Freshness::Stale);
        assert_eq!(live.sources["prometheus"].freshness(at(76)), Freshness::Gone);
        live.take(report(2, Finding::Polled), at(80));
        assert_eq!(live.sources["prometheus"].freshness(at(81)), Freshness::Fresh);
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).expect("a time")
    }

    fn change(seconds: i64, what: &str) -> Change {
        let at = at(seconds);
        let kind = crate::change::ChangeKind::Deploy;
        Change {
            at,
            kind,
            service: None,
            what: what.into(),
            by: "ci".into(),
            link: None,
            rollback: None,
            more: Default::default(),
        }
    }

    fn tell(live: &mut Live, source: SourceName, seconds: i64, finding: Finding) {
        live.take(Report { source, generation: 0, finding }, at(seconds));
    }

    #[test]
    fn changes_of_a_file_and_of_a_command_are_one_list_and_age_with_their_last_good_poll() {
        let mut live = Live { generation: 7, ..Live::default() };
        assert_eq!(live.changes_freshness(at(0)), None);
        for (source, changes) in [
            ("changes", vec![change(30, "c"), change(10, "a")]),
            ("change command", vec![change(20, "b"), change(10, "a")]),
        ] {
            tell(&mut live, source, 40, Finding::Ready { place: "x".into(), every: TimeDelta::seconds(15) });
            tell(&mut live, source, 40, Finding::Changes(ChangeFinding { changes, remarks: Vec::new(), left_out: 0 }));
            tell(&mut live, source, 40, Finding::Polled);
        }
        let what = |since| live.changes_since(at(since)).iter().map(|change| change.what.as_str()).collect::<Vec<_>>();
        assert_eq!((what(0), what(20)), (vec!["c", "b", "a"], vec!["c", "b"]));
        assert_eq!(live.changes_freshness(at(50)), Some(Freshness::Fresh));
        tell(&mut live, "changes", 100, Finding::Polled);
        tell(&mut live, "change command", 100, Finding::Failed { reason: "no".into(), retry_in: TimeDelta::zero() });
        assert_eq!(live.changes_freshness(at(101)), Some(Freshness::Stale), "the command was last well a minute ago");
        assert_eq!(live.changes_since(at(0)).len(), 3, "a failure removes nothing");
    }

    #[test]
    fn a_source_without_end_keeps_the_newest_changes_only() {
        let mut live = Live::default();
        let changes = (0..2_000).map(|age| change(-age, "x")).collect();
        tell(&mut live, "changes", 0, Finding::Changes(ChangeFinding { changes, remarks: Vec::new(), left_out: 0 }));
        assert_eq!(live.changes["changes"].1.changes.len(), crate::change::MOST_CHANGES);
    }
}
