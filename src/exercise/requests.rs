//! The requests of the service at a moment, and how bad the faults are then.
//!
//! Hides the arithmetic: latencies are log-normal, faults stretch them, a request beyond the time-out fails. The chart's percentile and ratio are
//! this model's, the traces are drawn from it, so they tell one story.
//!
//! Invariant: a moment is a function of exercise, seed, ticked steps and the time since the drill began, whatever the date; shares lie in 0..=1 and
//! everything is finite.

use chrono::{DateTime, TimeDelta, Utc};

use super::noise::{below, key, smooth, tremble};
use super::{Exercise, Fault, Relief, Trigger};
use crate::incident::{StepRef, Ticked};
use crate::text::CleanStr;

/// The world moves in ticks of this many milliseconds, as a server that is scraped every ten seconds.
pub(super) const TICK: i64 = 10_000;
/// Upper bounds of the latency histogram, in seconds; the last one is infinite.
pub(super) const BOUNDS: [f64; 16] =
    [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0];
const DAY: f64 = 86_400.0;

/// The requests at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Requests a second.
    pub(super) rate: f64,
    /// Their median latency in seconds.
    pub(super) median: f64,
    /// The standard deviation of the latency's logarithm.
    pub(super) spread: f64,
    /// The latency at which a request fails, in seconds.
    pub(super) timeout: f64,
    /// The share that is refused at once.
    pub(super) refused: f64,
}

impl Moment {
    /// The share of requests that take at most so many seconds.
    pub(super) fn within(&self, seconds: f64) -> f64 {
        if seconds >= self.timeout { 1.0 } else { below((seconds / self.median).ln() / self.spread) }
    }

    /// The share of requests that fail.
    pub(super) fn failing(&self) -> f64 {
        let late = 1.0 - below((self.timeout / self.median).ln() / self.spread);
        (self.refused + (1.0 - self.refused) * late).clamp(0.0, 1.0)
    }
}

/// A relief whose step was ticked.
#[derive(Clone, Debug, PartialEq)]
struct Help {
    fault: usize,
    from: i64,
    until: Option<i64>,
    ramp: f64,
    share: f64,
}

/// The faults over time, with what was done against them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Course {
    /// When the drill began. All other times are milliseconds since then, so that a seed gives the same drill on any day.
    start: DateTime<Utc>,
    /// What was begun by hand, and when.
    by_hand: Vec<(usize, i64)>,
    /// When each fault begins, if it does.
    begins: Vec<Option<i64>>,
    help: Vec<Help>,
    noise: [u64; 3],
}

impl Course {
    pub(super) fn new(exercise: &Exercise, seed: u64, start: DateTime<Utc>) -> Self {
        let noise = ["rate", "median", "refused"].map(|name| key(seed, name));
        let mut course = Self { start, by_hand: Vec::new(), begins: Vec::new(), help: Vec::new(), noise };
        course.set_steps_done(exercise, &[]);
        course
    }

    pub(super) fn set_steps_done(&mut self, exercise: &Exercise, done: &[Ticked]) {
        self.help = exercise.relief.iter().flat_map(|relief| self.help(exercise, relief, done)).collect();
        let begins = |fault: &Fault| match (&fault.at, &fault.when) {
            (Some(at), _) => Some(at.0.num_milliseconds()),
            (None, Some(trigger)) => Some(self.offset(trigger.pulled(done)?)),
            (None, None) => None,
        };
        self.begins = exercise.faults.iter().map(begins).collect();
        for (place, at) in &self.by_hand {
            let begins = &mut self.begins[*place];
            *begins = Some(begins.map_or(*at, |planned| planned.min(*at)));
        }
    }

    /// Faults that somebody began by hand; they count with the next steps that are told.
    pub(super) fn set_begun_by_hand(&mut self, exercise: &Exercise, faults: &[(CleanStr, DateTime<Utc>)]) {
        let place = |id: &CleanStr| exercise.faults.iter().position(|fault| fault.id == *id);
        let known = faults.iter().filter_map(|(id, at)| Some((place(id)?, self.offset(*at))));
        self.by_hand = known.collect();
    }

    /// When the drill began.
    pub(super) fn start(&self) -> DateTime<Utc> {
        self.start
    }

    /// The milliseconds from the drill's beginning to a time; negative before it.
    pub(super) fn offset(&self, at: DateTime<Utc>) -> i64 {
        (at - self.start).num_milliseconds()
    }

    /// The tick that a time belongs to; the drill begins with tick 0.
    pub(super) fn tick(&self, at: DateTime<Utc>) -> i64 {
        self.offset(at).div_euclid(TICK)
    }

    /// When a fault began or will begin, if it does, in milliseconds since the drill began.
    pub(super) fn begins(&self, fault: usize) -> Option<i64> {
        self.begins.get(fault).copied().flatten()
    }

    /// How strong a fault is at a time (milliseconds since the drill began): 0 to 1.
    pub(super) fn strength(&self, exercise: &Exercise, fault: usize, at: i64) -> f64 {
        let Some(spec) = exercise.faults.get(fault) else { return 0.0 };
        let Some(begins) = self.begins(fault).filter(|begins| at > *begins) else { return 0.0 };
        let ramp = (spec.ramp.num_milliseconds() as f64).max(1.0);
        let mut strength = smooth((at - begins) as f64 / ramp);
        if let Some(lasts) = spec.lasts {
            strength *= 1.0 - smooth((at - begins - lasts.num_milliseconds()) as f64 / ramp);
        }
        for help in self.help.iter().filter(|help| help.fault == fault) {
            let taken_back = help.until.map_or(0.0, |until| smooth((at - until) as f64 / help.ramp));
            strength *= 1.0 - help.share * smooth((at - help.from) as f64 / help.ramp) * (1.0 - taken_back);
        }
        strength
    }

    /// The requests at a time (milliseconds since the drill began).
    pub(super) fn moment(&self, exercise: &Exercise, at: i64) -> Moment {
        let requests = &exercise.requests;
        let tick = at.div_euclid(TICK);
        let seconds = at as f64 / 1000.0;
        // More people pay in the afternoon than at night. A drill begins at nine in the morning, whatever clocks say: the same seed is the same drill.
        let hour = 1.0 + 0.08 * (std::f64::consts::TAU * seconds / DAY).sin();
        let mut moment = Moment {
            rate: requests.rate * hour * (1.0 + 0.05 * tremble(self.noise[0], tick)),
            median: requests.median.as_seconds() * (1.0 + 0.06 * tremble(self.noise[1], tick)),
            spread: requests.spread,
            timeout: requests.timeout.as_seconds(),
            refused: requests.errors,
        };
        for (place, fault) in exercise.faults.iter().enumerate() {
            let strength = self.strength(exercise, place, at);
            if strength > 0.0 {
                moment.rate *= 1.0 + (fault.rate - 1.0) * strength;
                moment.median *= fault.latency.powf(strength);
                moment.refused += fault.errors * strength;
            }
        }
        // Faults upon faults must not leave the numbers that can be computed with.
        moment.rate = moment.rate.clamp(0.0, 1e9);
        moment.median = moment.median.clamp(1e-6, 1e9);
        moment.refused = (moment.refused * (1.0 + 0.2 * tremble(self.noise[2], tick))).clamp(0.0, 1.0);
        moment
    }

    /// What each tick of a step helps: whether what it needs was done is judged at that moment, and never again.
    fn help<'a>(
        &'a self,
        exercise: &'a Exercise,
        relief: &'a Relief,
        done: &'a [Ticked],
    ) -> impl Iterator<Item = Help> + 'a {
        ticks(&relief.step, done).filter_map(|ticked| {
            let can_help = relief.needs.iter().all(|need| is_done(need, done, ticked.from));
            can_help.then_some(())?;
            Some(Help {
                fault: exercise.faults.iter().position(|fault| fault.id == relief.fault)?,
                from: self.offset(ticked.from.checked_add_signed(TimeDelta::from(relief.after))?),
                until: ticked.until.map(|until| self.offset(until)),
                ramp: (relief.ramp.num_milliseconds() as f64).max(1.0),
                share: relief.share,
            })
        })
    }
}

/// The times for which a step, `service/step`, was done.
fn ticks<'a>(name: &'a str, done: &'a [Ticked]) -> impl Iterator<Item = &'a Ticked> {
    let names = move |step: &StepRef| {
        name.split_once('/').is_some_and(|(service, id)| step.service == *service && step.step == *id)
    };
    done.iter().filter(move |ticked| names(&ticked.step))
}

/// When a step was ticked for the first time.
pub(super) fn done_at(name: &str, done: &[Ticked]) -> Option<DateTime<Utc>> {
    ticks(name, done).map(|ticked| ticked.from).min()
}

/// Whether a step was done at a moment.
pub(super) fn is_done(name: &str, done: &[Ticked], at: DateTime<Utc>) -> bool {
    ticks(name, done).any(|ticked| ticked.from <= at && ticked.until.is_none_or(|until| at < until))
}

impl Trigger {
    /// When it begins what it begins, if the steps that were done made it: by the first tick that nothing kept from it.
    pub(super) fn pulled(&self, done: &[Ticked]) -> Option<DateTime<Utc>> {
        let is_kept = |ticked: &&Ticked| self.unless.iter().any(|name| is_done(name, done, ticked.from));
        let first = ticks(&self.step, done).filter(|ticked| !is_kept(ticked)).map(|ticked| ticked.from).min()?;
        first.checked_add_signed(TimeDelta::from(self.after))
    }
}

/// What `histogram_quantile` makes of counts below [`BOUNDS`]: linear inside a bucket.
pub(super) fn quantile(quantile: f64, below: &[f64; 16], all: f64) -> f64 {
    let rank = quantile * all;
    let Some(place) = below.iter().position(|count| *count >= rank) else { return BOUNDS[BOUNDS.len() - 1] };
    let (from, before) = if place == 0 { (0.0, 0.0) } else { (BOUNDS[place - 1], below[place - 1]) };
    let inside = below[place] - before;
    if inside <= 0.0 {
        BOUNDS[place]
    } else {
        from + (BOUNDS[place] - from) * ((rank - before) / inside).clamp(0.0, 1.0)
    }
}
