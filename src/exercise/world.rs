//! The world of an exercise: what the objectives show at any time.
//!
//! Hides how a chart comes from the model: over the objective's window the requests of each tick are counted into a histogram, as Prometheus would
//! have, and each series of the chart lies beside that with a tremble of its own.
//!
//! Invariant: a value is a function of exercise, seed, ticked steps and time, whatever was asked before; it is finite and never negative, and nothing is
//! known of the future.

use chrono::{DateTime, Utc};

use super::noise::{key, mix2, signed, tremble};
use super::requests::{BOUNDS, Course, TICK, quantile, tick};
use super::{Aspect, Exercise, Signal, Stock};
use crate::incident::StepRef;
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

    /// Says which steps are ticked, and since when: some of them help.
    pub fn set_steps_done(&mut self, done: &[(StepRef, DateTime<Utc>)]) {
        self.course.set_steps_done(&self.exercise, done);
    }

    /// Whether it has an answer: a chart that the exercise does not mention is well; a step's question is not made up.
    pub fn simulates(&self, watched: &WatchedObjective) -> bool {
        !is_question(&watched.objective) || self.signal(watched).is_some()
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
            grid,
            series,
            left_out: wanted.saturating_sub(MOST_SERIES),
            query: CleanStr::new(&objective.query(&objective.window)),
            burn: self.burn(objective, signal, now),
            remarks: Vec::new(),
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

    /// What all series of a chart have in common: one value for each known moment.
    fn base(
        &self,
        objective: &Objective,
        signal: Option<&Signal>,
        window: Lapse,
        grid: Grid,
        known: usize,
    ) -> Vec<f64> {
        let Some(signal) = signal else { return vec![healthy(objective); known] };
        if let Some(stock) = &signal.stock {
            return self.stock(signal, stock, grid, known);
        }
        let Some(aspect) = signal.from else {
            return (0..known).map(|place| self.level(signal, tick(grid.at(place)) * TICK)).collect();
        };
        let Some(last) = known.checked_sub(1) else { return Vec::new() };
        let ticks = (window.num_milliseconds() / TICK).max(1);
        // Where windows overlap each tick is counted once; where they lie apart only the ticks inside are.
        let first = tick(grid.start) - ticks + 1;
        let overlap = grid.resolution.num_milliseconds() <= ticks * TICK;
        let counted: Vec<Counted> = if overlap {
            (first..=tick(grid.at(last))).map(|tick| self.count(aspect, tick)).collect()
        } else {
            Vec::new()
        };
        (0..known)
            .map(|place| {
                let end = tick(grid.at(place));
                let value = if overlap {
                    let from = usize::try_from(end - ticks + 1 - first).unwrap_or(0);
                    aspect_of(aspect, counted.iter().skip(from).take(ticks as usize).copied(), ticks)
                } else {
                    aspect_of(aspect, (end - ticks + 1..=end).map(|tick| self.count(aspect, tick)), ticks)
                };
                value * signal.times
            })
            .collect()
    }

    fn count(&self, aspect: Aspect, tick: i64) -> Counted {
        let moment = self.course.moment(&self.exercise, tick * TICK);
        let mut counted = Counted { all: moment.rate, failed: 0.0, below: [0.0; 16] };
        match aspect {
            Aspect::Latency => counted.below = BOUNDS.map(|bound| moment.rate * moment.within(bound)),
            Aspect::Errors | Aspect::Completed => counted.failed = moment.rate * moment.failing(),
            Aspect::Rate => {}
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
            let end = tick(grid.at(place));
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
        base: &[f64],
    ) -> Series {
        let noise = signal.map_or(0.02, |signal| signal.noise);
        let own = mix2(key(self.seed, &watched.id.objective), place as u64);
        let beside = signal.map_or(1.0, |signal| 1.0 + signal.apart * signed(own));
        let most = if watched.objective.unit == Unit::Ratio { 1.0 } else { f64::MAX };
        let (start, resolution) = (grid.start.timestamp_millis(), grid.resolution.num_milliseconds());
        let mut values = vec![None; grid.len];
        for (index, (value, base)) in values.iter_mut().zip(base).enumerate() {
            let tick = (start + resolution * index as i64).div_euclid(TICK);
            *value = Some((base * beside * (1.0 + noise * tremble(own, tick))).clamp(0.0, most));
        }
        let name = match signal {
            Some(signal) if signal.series > 1 => {
                CleanStr::new(&format!("{}={}-{}", signal.label, watched.id.service, place + 1))
            }
            Some(_) | None => CleanStr::default(),
        };
        Series { name, values }
    }

    fn burn(&self, objective: &Objective, signal: Option<&Signal>, now: DateTime<Utc>) -> [Option<f64>; 3] {
        BURN_WINDOWS.map(|window| {
            if objective.kind != ObjectiveKind::Ratio {
                return None;
            }
            let window: Lapse = window.parse().ok()?;
            let end = tick(now);
            let ticks = (window.num_milliseconds() / TICK).max(1);
            let range = end - ticks + 1..=end;
            let average = match signal {
                None => healthy(objective),
                Some(Signal { from: Some(aspect), times, .. }) => {
                    times * aspect_of(*aspect, range.map(|tick| self.count(*aspect, tick)), ticks)
                }
                Some(signal) => range.map(|tick| self.level(signal, tick * TICK)).sum::<f64>() / ticks as f64,
            };
            objective.burn_rate(average.clamp(0.0, 1.0))
        })
    }
}

fn aspect_of(aspect: Aspect, counted: impl Iterator<Item = Counted>, ticks: i64) -> f64 {
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
        Aspect::Rate => sum.all / ticks as f64,
        Aspect::Completed => ((sum.all - sum.failed) / ticks as f64).max(0.0),
    }
}

/// What an objective shows that the exercise does not speak of: it is well inside.
fn healthy(objective: &Objective) -> f64 {
    match (objective.kind, objective.side) {
        (ObjectiveKind::Ratio, Side::Below | Side::Above) => objective.limit() * 0.15,
        (ObjectiveKind::Threshold, Side::Below) => objective.limit() * 0.4,
        (ObjectiveKind::Threshold, Side::Above) if objective.unit == Unit::Ratio => (1.0 + objective.limit()) / 2.0,
        (ObjectiveKind::Threshold, Side::Above) => objective.limit() * 1.6 + 1.0,
    }
}
