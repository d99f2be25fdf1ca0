//! The world of an exercise: what the objectives show at any time.
//!
//! Hides how a chart comes from the model: over the objective's window the requests of each tick are counted into a histogram, as Prometheus would
//! have, and each series of the chart lies beside that with a tremble of its own. What a query averages over its window is averaged here, tremble included.
//!
//! Invariant: a value is a function of exercise, seed, ticked steps and the time since the drill began, whatever was asked before and on whatever day;
//! it is finite and never negative, and nothing is known of the future.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};

use super::noise::{key, mix2, signed, tremble};
use super::requests::{BOUNDS, Course, TICK, quantile};
use super::{Aspect, Exercise, Signal, Stock};
use crate::incident::Ticked;
use crate::live::{MOST_SERIES, WatchedObjective};
use crate::playbook::is_question;
use crate::slo::{BURN_WINDOWS, Grid, Measured, Objective, ObjectiveKind, Series, Side, Unit};
use crate::text::CleanStr;
use crate::text::duration::Lapse;

/// The world of one drill.
#[derive(Clone, Debug)]
pub struct World {
    pub(super) exercise: Exercise,
    pub(super) seed: u64,
    pub(super) course: Course,
}

/// One series of a signal.
pub(super) struct Own {
    /// The key of its tremble.
    key: u64,
    /// Its factor beside the others.
    beside: f64,
    /// The label that tells it apart, where there are several.
    pub(super) label: Option<(CleanStr, CleanStr)>,
}

/// What all series of a chart have in common.
enum Base {
    /// One value for each known moment.
    Shown(Vec<f64>),
    /// Values of ticks, and which of them are averaged for each known moment.
    Ticked(Vec<(i64, f64)>, Vec<Range<usize>>),
}

/// The requests of one tick, counted.
#[derive(Clone, Copy)]
struct Counted {
    all: f64,
    failed: f64,
    below: [f64; 16],
}

impl World {
    /// The world that an exercise, a seed and a start give.
    pub fn new(exercise: &Exercise, seed: u64, start: DateTime<Utc>) -> Self {
        Self { exercise: exercise.clone(), seed, course: Course::new(exercise, seed, start) }
    }

    /// The exercise.
    pub fn exercise(&self) -> &Exercise {
        &self.exercise
    }

    /// Says which faults a facilitator began by hand; it counts with the steps that are told next.
    pub fn set_begun_by_hand(&mut self, faults: &[(CleanStr, DateTime<Utc>)]) {
        self.course.set_begun_by_hand(&self.exercise, faults);
    }

    /// Says which steps are ticked, and since when: some of them help.
    pub fn set_steps_done(&mut self, done: &[Ticked]) {
        self.course.set_steps_done(&self.exercise, done);
    }

    /// Whether it has an answer: a chart that the exercise does not mention is well; a step's question is not made up.
    pub fn simulates(&self, watched: &WatchedObjective) -> bool {
        !is_question(&watched.objective) || self.signal(watched).is_some()
    }

    /// A grid up to a moment, aligned to the drill's beginning as others are to the clock: two drills are looked at at the same moments.
    pub fn aligned(&self, end: DateTime<Utc>, grid: impl FnOnce(DateTime<Utc>) -> Grid) -> Grid {
        let start = self.course.start();
        let since = grid(DateTime::UNIX_EPOCH + (end - start));
        Grid { start: start + (since.start - DateTime::UNIX_EPOCH), ..since }
    }

    /// What an objective shows on a grid of moments; moments after `now` have no value yet.
    pub fn measured(&self, watched: &WatchedObjective, grid: Grid, now: DateTime<Utc>) -> Measured {
        let objective = &watched.objective;
        let signal = self.signal(watched);
        let window = objective.window.parse().unwrap_or(Lapse::seconds(300));
        let known = (0..grid.len).take_while(|place| grid.at(*place) <= now).count();
        let base = self.base(objective, signal, window, grid, known);
        let wanted = signal.map_or(1, |signal| signal.series as usize);
        let series =
            (0..wanted.min(MOST_SERIES)).map(|place| self.series(watched, signal, place, grid, &base)).collect();
        Measured {
            left_out: wanted.saturating_sub(MOST_SERIES),
            burn: self.burn(objective, signal, now),
            ..Measured::over(grid, series, &objective.query(&objective.window))
        }
    }

    /// The first series of what an objective shows.
    pub(super) fn first_series(&self, watched: &WatchedObjective, grid: Grid, now: DateTime<Utc>) -> Vec<Option<f64>> {
        let objective = &watched.objective;
        let signal = self.signal(watched);
        let window = objective.window.parse().unwrap_or(Lapse::seconds(300));
        let known = (0..grid.len).take_while(|place| grid.at(*place) <= now).count();
        let base = self.base(objective, signal, window, grid, known);
        self.series(watched, signal, 0, grid, &base).values
    }

    fn signal(&self, watched: &WatchedObjective) -> Option<&Signal> {
        let matches = |signal: &&Signal| {
            signal.objective.split_once('/').is_some_and(|(service, objective)| {
                watched.id.service == *service && watched.id.objective == *objective
            })
        };
        self.exercise.signals.iter().find(matches)
    }

    fn base(&self, objective: &Objective, signal: Option<&Signal>, window: Lapse, grid: Grid, known: usize) -> Base {
        let Some(signal) = signal else { return Base::Shown(vec![healthy(objective); known]) };
        if let Some(stock) = &signal.stock {
            return Base::Shown(self.stock(signal, stock, grid, known));
        }
        let Some(last) = known.checked_sub(1) else { return Base::Shown(Vec::new()) };
        let Some(aspect @ (Aspect::Latency | Aspect::Errors)) = signal.from else {
            if signal.from.is_none() && !objective.is_windowed() {
                return Base::Shown(
                    (0..known).map(|place| self.at(signal, self.course.tick(grid.at(place)))).collect(),
                );
            }
            let (ticks, windows) = self.ticks(window, grid, last);
            return Base::Ticked(ticks.into_iter().map(|tick| (tick, self.at(signal, tick))).collect(), windows);
        };
        let (ticks, windows) = self.ticks(window, grid, last);
        let counted: Vec<Counted> = ticks.into_iter().map(|tick| self.count(aspect, tick)).collect();
        let value = |window: Range<usize>| aspect_of(aspect, counted[window].iter().copied()) * signal.times;
        Base::Shown(windows.into_iter().map(value).collect())
    }

    /// What a signal that is no percentile or share of many requests shows at a tick.
    pub(super) fn at(&self, signal: &Signal, tick: i64) -> f64 {
        let requests = || self.course.moment(&self.exercise, tick * TICK);
        match signal.from {
            Some(Aspect::Completed) => {
                let moment = requests();
                moment.rate * (1.0 - moment.failing()) * signal.times
            }
            Some(Aspect::Rate) => requests().rate * signal.times,
            // One tick's requests alone.
            Some(aspect) => aspect_of(aspect, std::iter::once(self.count(aspect, tick))) * signal.times,
            None => self.level(signal, tick * TICK),
        }
    }

    /// What a gauge of a signal shows at a moment.
    pub(super) fn gauge(&self, signal: &Signal, own: &Own, now: DateTime<Utc>) -> f64 {
        let tick = self.course.tick(now);
        let value = match &signal.stock {
            Some(stock) => {
                let grid = Grid { start: now, resolution: TimeDelta::milliseconds(TICK), len: 1 };
                self.stock(signal, stock, grid, 1).pop().unwrap_or(stock.usual)
            }
            None => self.at(signal, tick),
        };
        own.of(signal.noise, value, tick)
    }

    /// All series of a signal.
    pub(super) fn series_of<'a>(&'a self, signal: &'a Signal) -> impl Iterator<Item = Own> + 'a {
        (0..signal.series as usize).map(|place| self.own(&signal.objective, Some(signal), place))
    }

    /// A series of an objective, `service/objective`.
    fn own(&self, objective: &str, signal: Option<&Signal>, place: usize) -> Own {
        let (service, objective) = objective.split_once('/').unwrap_or_default();
        let key = mix2(key(self.seed, objective), place as u64);
        let label = signal
            .filter(|signal| signal.series > 1)
            .map(|signal| (signal.label.clone(), CleanStr::from(format!("{service}-{}", place + 1))));
        Own { key, beside: signal.map_or(1.0, |signal| 1.0 + signal.apart * signed(key)), label }
    }

    fn count(&self, aspect: Aspect, tick: i64) -> Counted {
        let moment = self.course.moment(&self.exercise, tick * TICK);
        let mut counted = Counted { all: moment.rate, failed: 0.0, below: [0.0; 16] };
        match aspect {
            Aspect::Latency => counted.below = BOUNDS.map(|bound| moment.rate * moment.within(bound)),
            Aspect::Errors => counted.failed = moment.rate * moment.failing(),
            Aspect::Rate | Aspect::Completed => {}
        }
        counted
    }

    /// A queue over time: what comes and does not go is in it. It fills from the first fault on, whatever is looked at.
    fn stock(&self, signal: &Signal, stock: &Stock, grid: Grid, known: usize) -> Vec<f64> {
        let places = || 0..self.exercise.faults.len();
        let flows: Vec<(usize, f64)> = places()
            .filter_map(|place| Some((place, *self.exercise.faults[place].flows.get(signal.objective.as_str())?)))
            .collect();
        let first = places().filter_map(|place| self.course.begins(place)).min().unwrap_or(i64::MAX).div_euclid(TICK);
        let (mut at, mut level) = (first, stock.usual);
        let mut values = Vec::with_capacity(known);
        for place in 0..known {
            let end = self.course.tick(grid.at(place));
            while at < end {
                let outflow = flows.iter().fold(stock.outflow, |outflow, (fault, factor)| {
                    outflow * (1.0 + (factor - 1.0) * self.course.strength(&self.exercise, *fault, at * TICK))
                });
                let change = (stock.inflow - outflow) * (TICK as f64 / 1000.0);
                level = (level + change).clamp(stock.usual, 1e12);
                at += 1;
            }
            values.push(level);
        }
        values
    }

    fn level(&self, signal: &Signal, at: i64) -> f64 {
        let usual = signal.level.unwrap_or_default();
        let moved = self.exercise.faults.iter().enumerate().filter_map(|(place, fault)| {
            let full = fault.levels.get(signal.objective.as_str())?;
            Some((full - usual) * self.course.strength(&self.exercise, place, at))
        });
        (usual + moved.sum::<f64>()).max(0.0)
    }

    fn series(
        &self,
        watched: &WatchedObjective,
        signal: Option<&Signal>,
        place: usize,
        grid: Grid,
        base: &Base,
    ) -> Series {
        let noise = signal.map_or(0.02, |signal| signal.noise);
        let own = self.own(&format!("{}/{}", watched.id.service, watched.id.objective), signal, place);
        let most = if watched.objective.unit == Unit::Ratio { 1.0 } else { f64::MAX };
        let mut values = vec![None; grid.len];
        match base {
            Base::Shown(base) => {
                for (place, (value, base)) in values.iter_mut().zip(base).enumerate() {
                    *value = Some(own.of(noise, *base, self.course.tick(grid.at(place))));
                }
            }
            Base::Ticked(ticks, windows) => {
                let each: Vec<f64> = ticks.iter().map(|(tick, value)| own.of(noise, *value, *tick)).collect();
                for (value, window) in values.iter_mut().zip(windows) {
                    let window = &each[window.clone()];
                    *value = Some(window.iter().sum::<f64>() / window.len() as f64);
                }
            }
        }
        values.iter_mut().flatten().for_each(|value| *value = value.clamp(0.0, most));
        let name = own.label.map(|(key, value)| CleanStr::from(format!("{key}={value}"))).unwrap_or_default();
        Series { name, values }
    }

    /// The ticks that the windows of a grid's first moments cover, and which of them belong to each moment.
    /// Where windows overlap each tick stands once; where they lie apart only the ticks inside do.
    fn ticks(&self, window: Lapse, grid: Grid, last: usize) -> (Vec<i64>, Vec<Range<usize>>) {
        let each = (window.num_milliseconds() / TICK).max(1);
        let ends = (0..=last).map(|place| self.course.tick(grid.at(place)));
        if grid.resolution.num_milliseconds() <= each * TICK {
            let first = self.course.tick(grid.start) - each + 1;
            let range = |end: i64| (end - each + 1 - first) as usize..(end + 1 - first) as usize;
            return ((first..=self.course.tick(grid.at(last))).collect(), ends.map(range).collect());
        }
        let ranges = (0..=last).map(|place| place * each as usize..(place + 1) * each as usize).collect();
        (ends.flat_map(|end| end - each + 1..=end).collect(), ranges)
    }

    fn burn(&self, objective: &Objective, signal: Option<&Signal>, now: DateTime<Utc>) -> [Option<f64>; 3] {
        BURN_WINDOWS.map(|window| {
            if objective.kind != ObjectiveKind::Ratio {
                return None;
            }
            let window: Lapse = window.parse().ok()?;
            let end = self.course.tick(now);
            let ticks = (window.num_milliseconds() / TICK).max(1);
            let range = end - ticks + 1..=end;
            let average = match signal {
                None => healthy(objective),
                Some(Signal { from: Some(aspect @ Aspect::Errors), times, .. }) => {
                    times * aspect_of(*aspect, range.map(|tick| self.count(*aspect, tick)))
                }
                Some(signal) => range.map(|tick| self.at(signal, tick)).sum::<f64>() / ticks as f64,
            };
            objective.burn_rate(average.clamp(0.0, 1.0))
        })
    }
}

impl Own {
    /// Its value at a tick, trembling, where the signal has this one.
    pub(super) fn of(&self, noise: f64, value: f64, tick: i64) -> f64 {
        value * self.beside * (1.0 + noise * tremble(self.key, tick))
    }
}

/// What requests show together as a percentile or a share; of one tick alone, how many there are.
fn aspect_of(aspect: Aspect, counted: impl Iterator<Item = Counted>) -> f64 {
    let mut sum = Counted { all: 0.0, failed: 0.0, below: [0.0; 16] };
    for one in counted {
        sum.all += one.all;
        sum.failed += one.failed;
        if aspect == Aspect::Latency {
            for (sum, one) in sum.below.iter_mut().zip(one.below) {
                *sum += one;
            }
        }
    }
    match aspect {
        Aspect::Latency => quantile(0.99, &sum.below, sum.all),
        Aspect::Errors if sum.all > 0.0 => (sum.failed / sum.all).clamp(0.0, 1.0),
        Aspect::Errors => 0.0,
        Aspect::Rate | Aspect::Completed => sum.all,
    }
}

/// What an objective shows that the exercise does not speak of: it is well inside.
fn healthy(objective: &Objective) -> f64 {
    match (objective.kind, objective.side) {
        (ObjectiveKind::Ratio, _) => objective.limit() * 0.15,
        (ObjectiveKind::Threshold, Side::Below | Side::AtMost) if objective.limit() > 0.0 => objective.limit() * 0.4,
        (ObjectiveKind::Threshold, Side::Below | Side::AtMost) => objective.limit() - 1.0,
        (ObjectiveKind::Threshold, Side::Above | Side::AtLeast) if objective.unit == Unit::Ratio => {
            (1.0 + objective.limit()) / 2.0
        }
        (ObjectiveKind::Threshold, Side::Above | Side::AtLeast) => objective.limit().abs() * 1.6 + 1.0,
        (ObjectiveKind::Threshold, Side::Between { from, to }) => (from + to) / 2.0,
        (ObjectiveKind::Threshold, Side::Equal(only)) => only,
    }
}
