//! Objectives of a service, and what a value means against them.
//!
//! Hides the arithmetic of the SRE workbook: a *ratio* objective promises a share of good events over time and is judged by how fast its error
//! budget burns; a *threshold* objective promises that a value stays on one side of a limit.
//!
//! Invariant: a value that is missing or not a number is never inside an objective and never outside it: it is no data. What is beyond every limit
//! breaks one.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::incident::ServiceId;
use crate::text::CleanStr;
use crate::text::duration::Lapse;

mod measured;

pub use measured::{Measured, Worst};

/// Names an objective among all services.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectiveId {
    /// Whose it is.
    pub service: ServiceId,
    /// The id in the playbook file.
    pub objective: CleanStr,
}

/// What an objective promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ObjectiveKind {
    /// `expr` is the share of bad events; `target` the share of good ones that is promised (0.995).
    Ratio,
    /// `expr` is a value that stays on the right side of `target`.
    Threshold,
}

/// On which side of its limit a value is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Good below the limit.
    #[default]
    Below,
    /// Good above the limit.
    Above,
}

impl Side {
    /// How bad a value is: the greater the worse. Absent for what is no number.
    pub fn badness(self, value: f64) -> Option<f64> {
        let badness = match self {
            Self::Below => value,
            Self::Above => -value,
        };
        (!value.is_nan()).then_some(badness)
    }
}

/// The unit of an objective's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// A share between 0 and 1, shown in percent.
    Ratio,
    /// Seconds.
    Seconds,
    /// A number of things.
    Count,
    /// Things per second.
    #[serde(rename = "per-second")]
    PerSecond,
}

/// A promise about a service that can be measured.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Objective {
    /// Unique in its file.
    pub id: CleanStr,
    /// What the chart is called.
    pub title: CleanStr,
    /// What it promises.
    pub kind: ObjectiveKind,
    /// PromQL; `$window` is replaced by a duration.
    pub expr: String,
    /// The promise, in the unit.
    pub target: f64,
    /// The unit of the value.
    pub unit: Unit,
    /// On which side it is good.
    #[serde(default)]
    pub side: Side,
    /// What `$window` means in the graph (`5m` unless said).
    #[serde(default = "five_minutes")]
    pub window: CleanStr,
    /// What it means that the query finds no series.
    #[serde(default)]
    pub absent: Absent,
    /// How often its values are sampled (`15s` unless said): proof is asked for at this distance, however coarse the chart is.
    #[serde(default)]
    pub every: Option<Lapse>,
}

/// What it means that a query finds nothing: an `absent(…)`, or a comparison in PromQL, gives no series as long as all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Absent {
    /// Nobody knows: it is no data.
    #[default]
    Unknown,
    /// All is well.
    Met,
}

/// How often values are sampled unless the objective says so.
const SAMPLED_EVERY: TimeDelta = TimeDelta::seconds(15);

fn five_minutes() -> CleanStr {
    CleanStr::new("5m")
}

/// The windows over which a ratio's burn rate is shown, as PromQL writes them.
pub const BURN_WINDOWS: [&str; 3] = ["5m", "1h", "6h"];

impl Objective {
    /// The value at which the promise is broken: a ratio's error budget, or the threshold.
    pub fn limit(&self) -> f64 {
        match self.kind {
            ObjectiveKind::Ratio => 1.0 - self.target,
            ObjectiveKind::Threshold => self.target,
        }
    }

    /// The PromQL with a window filled in.
    pub fn query(&self, window: &str) -> String {
        self.expr.replace("$window", window)
    }

    /// Whether the query looks at a window, not at one moment.
    pub fn is_windowed(&self) -> bool {
        self.expr.contains("$window")
    }

    /// Whether a value breaks the promise. What is no number says nothing, and neither does an infinity on the good side: it comes of a division. One on
    /// the bad side is beyond every limit.
    pub fn is_broken_by(&self, value: f64) -> Option<bool> {
        let badness = self.side.badness(value)?;
        if badness == f64::NEG_INFINITY {
            return None;
        }
        Some(match self.side {
            Side::Below => value >= self.limit(),
            Side::Above => value <= self.limit(),
        })
    }

    /// The distance of two samples.
    pub fn resolution(&self) -> TimeDelta {
        self.every.map_or(SAMPLED_EVERY, TimeDelta::from).max(TimeDelta::seconds(1))
    }

    /// How many times too fast an error ratio spends the budget: 1 spends it exactly.
    pub fn burn_rate(&self, error_ratio: f64) -> Option<f64> {
        let budget = 1.0 - self.target;
        (self.kind == ObjectiveKind::Ratio && budget > 0.0 && error_ratio.is_finite()).then(|| error_ratio / budget)
    }
}

impl Unit {
    /// A value for people, with its unit.
    pub fn show(self, value: f64) -> String {
        if !value.is_finite() {
            return if value.is_nan() { "NaN".to_owned() } else { format!("{value:+}") };
        }
        match self {
            Self::Ratio => format!("{} %", significant(value * 100.0)),
            Self::Seconds if value.abs() < 1.0 => format!("{} ms", significant(value * 1000.0)),
            Self::Seconds => format!("{} s", significant(value)),
            Self::Count => thousands(value),
            Self::PerSecond => format!("{}/s", thousands(value)),
        }
    }
}

fn significant(value: f64) -> String {
    let magnitude = value.abs();
    let digits = if magnitude >= 100.0 || magnitude == 0.0 {
        0
    } else if magnitude >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}

fn thousands(value: f64) -> String {
    match value.abs() {
        size if size >= 1e9 => format!("{} G", significant(value / 1e9)),
        size if size >= 1e6 => format!("{} M", significant(value / 1e6)),
        size if size >= 1e4 => format!("{} k", significant(value / 1e3)),
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        _ => significant(value),
    }
}

/// One series over a grid of moments; a moment without a sample is `None`, which is not zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What tells it from the others of its objective (`instance=a`), empty for the only one.
    pub name: CleanStr,
    /// A value for each moment of the grid; NaN and the infinities are kept as they came, and drawn as gaps.
    pub values: Vec<Option<f64>>,
}

/// Resolutions that people can divide by, in seconds; beyond them whole hours.
const NICE_RESOLUTIONS: [i64; 15] = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600];

/// A grid of moments: `start`, `start + resolution`, … up to and with `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The distance of two moments (Prometheus' `step`).
    pub resolution: TimeDelta,
    /// How many moments.
    pub len: usize,
}

impl Grid {
    /// The grid that covers `span` up to `end`, aligned to its resolution so that it does not jitter, with at most `points` moments and
    /// nothing finer than `finest`.
    pub fn covering(span: TimeDelta, end: DateTime<Utc>, points: usize, finest: TimeDelta) -> Self {
        let points = points.clamp(2, 11_000) as i64;
        let span = span.num_seconds().max(1);
        let least = (span + points - 2).div_euclid(points - 1).max(finest.num_seconds()).max(1);
        let resolution = NICE_RESOLUTIONS.into_iter().find(|nice| *nice >= least);
        let resolution = resolution.unwrap_or_else(|| (least + 3599) / 3600 * 3600);
        let last = end.timestamp().div_euclid(resolution) * resolution;
        let len = span / resolution + 1;
        let start = DateTime::from_timestamp(last - (len - 1) * resolution, 0).unwrap_or(end);
        Self { start, resolution: TimeDelta::seconds(resolution), len: len as usize }
    }

    /// The moment at a place.
    pub fn at(&self, place: usize) -> DateTime<Utc> {
        self.start + self.resolution * i32::try_from(place).unwrap_or(i32::MAX)
    }

    /// The last moment.
    pub fn end(&self) -> DateTime<Utc> {
        self.at(self.len.saturating_sub(1))
    }

    /// The place of a moment that lies on the grid.
    pub fn place(&self, at: DateTime<Utc>) -> Option<usize> {
        let steps = (at - self.start).num_milliseconds();
        let resolution = self.resolution.num_milliseconds().max(1);
        let place = usize::try_from(steps.div_euclid(resolution)).ok()?;
        (steps >= 0 && steps % resolution == 0 && place < self.len).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(kind: ObjectiveKind, target: f64) -> Objective {
        Objective {
            id: "x".into(),
            title: "x".into(),
            kind,
            expr: "sum(rate(x[$window]))".to_owned(),
            target,
            unit: Unit::Ratio,
            side: Side::Below,
            window: five_minutes(),
            absent: Absent::Unknown,
            every: None,
        }
    }

    fn measured(values: &[Option<f64>]) -> Measured {
        let end = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let grid = Grid {
            start: end - TimeDelta::seconds(15 * (values.len() as i64 - 1)),
            resolution: TimeDelta::seconds(15),
            len: values.len(),
        };
        Measured::over(grid, vec![Series { name: "".into(), values: values.to_vec() }], "x")
    }

    #[test]
    fn an_error_ratio_of_36_times_the_budget_burns_36_times_too_fast() {
        let slo = objective(ObjectiveKind::Ratio, 0.995);
        assert!((slo.burn_rate(0.18).unwrap() - 36.0).abs() < 1e-9);
        assert_eq!(slo.burn_rate(f64::NAN), None);
        assert_eq!(objective(ObjectiveKind::Threshold, 0.8).burn_rate(0.1), None);
    }

    #[test]
    fn a_breach_lasts_since_its_first_sample_and_what_is_missing_breaks_nothing() {
        let slo = objective(ObjectiveKind::Threshold, 0.8);
        let since = |values: &[Option<f64>]| measured(values).broken_since(&slo);
        let third = measured(&[Some(0.1), Some(0.2), Some(0.9), Some(1.0)]);
        assert_eq!(third.broken_since(&slo), Some((third.grid.at(2), false)));
        let whole = measured(&[Some(0.9), Some(1.0)]);
        assert_eq!(whole.broken_since(&slo), Some((whole.grid.start, true)));
        assert_eq!(since(&[Some(0.9), None, None]), None);
        assert_eq!(since(&[Some(0.9), Some(f64::NAN)]), None);
        assert_eq!(since(&[Some(0.9), Some(0.1)]), None);
    }

    #[test]
    fn what_is_beyond_every_limit_breaks_one_and_what_comes_of_a_division_says_nothing() {
        let mut slo = objective(ObjectiveKind::Threshold, 0.8);
        let said = |slo: &Objective| [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(|value| slo.is_broken_by(value));
        assert_eq!(said(&slo), [Some(true), None, None]);
        slo.side = Side::Above;
        assert_eq!(said(&slo), [None, Some(true), None]);
    }

    #[test]
    fn a_grid_is_aligned_and_never_asks_for_more_than_prometheus_gives() {
        let end = DateTime::from_timestamp(1_780_000_007, 0).unwrap();
        let hour = Grid::covering(TimeDelta::hours(1), end, 241, TimeDelta::seconds(15));
        assert_eq!((hour.resolution, hour.len), (TimeDelta::seconds(15), 241));
        assert_eq!(hour.end().timestamp() % 15, 0);
        assert!(hour.end() <= end && end - hour.end() < hour.resolution);
        assert!(Grid::covering(TimeDelta::days(90), end, 100_000, TimeDelta::seconds(1)).len <= 11_000);
        assert_eq!(hour.place(hour.at(7)), Some(7));
    }

    #[test]
    fn values_are_shown_with_their_unit() {
        for (unit, value, shown) in [
            (Unit::Ratio, 0.18, "18.0 %"),
            (Unit::Ratio, 0.005, "0.50 %"),
            (Unit::Seconds, 3.74, "3.74 s"),
            (Unit::Seconds, 0.08, "80.0 ms"),
            (Unit::Count, 12_300.0, "12.3 k"),
            (Unit::Count, 41.0, "41"),
            (Unit::PerSecond, 41.0, "41/s"),
            (Unit::Seconds, f64::NAN, "NaN"),
            (Unit::Seconds, f64::INFINITY, "+inf"),
        ] {
            assert_eq!(unit.show(value), shown);
        }
    }
}
