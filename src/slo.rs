//! Objectives of a service, and what a value means against them.
//!
//! Hides the arithmetic of the SRE workbook: a *ratio* objective promises a share of good events over time and is judged by how fast its error
//! budget burns; a *threshold* objective promises that a value stays on one side of a limit.
//!
//! Invariant: a value that is missing or not a number is never inside an objective and never outside it: it is no data. What is beyond every limit
//! breaks one.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};

use crate::incident::ServiceId;
use crate::text::CleanStr;
use crate::text::duration::Lapse;

mod measured;
pub mod number;
#[cfg(test)]
mod number_tests;
pub mod promql;
mod written;

pub use measured::{Lasting, Measured, Worst};

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

/// Which values are good.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub enum Side {
    /// Below the limit.
    Below,
    /// At the limit, or below.
    #[default]
    AtMost,
    /// Above the limit.
    Above,
    /// At the limit, or above.
    AtLeast,
    /// From one number to another, with both.
    Between {
        /// The lowest good value.
        from: f64,
        /// The highest good value.
        to: f64,
    },
    /// This number alone.
    Equal(f64),
}

impl Side {
    /// How bad a value is: the greater the worse. Absent for what is no number.
    pub fn badness(self, value: f64) -> Option<f64> {
        let badness = match self {
            Self::Below | Self::AtMost => value,
            Self::Above | Self::AtLeast => -value,
            Self::Between { from, to } => (from - value).max(value - to),
            Self::Equal(only) => (value - only).abs(),
        };
        (!value.is_nan()).then_some(badness)
    }

    /// Whether more is worse, as far as one direction says it.
    pub fn is_more_worse(self) -> bool {
        match self {
            Self::Below | Self::AtMost | Self::Between { .. } | Self::Equal(_) => true,
            Self::Above | Self::AtLeast => false,
        }
    }

    /// The sign before its limit.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "≤",
            Self::Above => ">",
            Self::AtLeast => "≥",
            Self::Between { .. } => "within",
            Self::Equal(_) => "=",
        }
    }

    /// The same in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Below => "below",
            Self::AtMost => "at most",
            Self::Above => "above",
            Self::AtLeast => "at least",
            Self::Between { .. } => "within",
            Self::Equal(_) => "equal to",
        }
    }
}

/// A currency by its three letters (ISO 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currency([u8; 3]);

impl fmt::Display for Currency {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(out, "{}", char::from(*letter)))
    }
}

/// The unit of an objective's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share between 0 and 1, shown in percent.
    Ratio,
    /// A share between 0 and 100.
    Percent,
    /// Seconds.
    Seconds,
    /// A number of things.
    Count,
    /// Things per second.
    PerSecond,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Money.
    Money(Currency),
}

impl FromStr for Unit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match (text, text.as_bytes()) {
            ("ratio", _) => Self::Ratio,
            ("percent", _) => Self::Percent,
            ("seconds", _) => Self::Seconds,
            ("count", _) => Self::Count,
            ("per-second", _) => Self::PerSecond,
            ("bytes", _) => Self::Bytes,
            ("bytes-per-second", _) => Self::BytesPerSecond,
            (_, [one, two, three]) if text.bytes().all(|letter| letter.is_ascii_uppercase()) => {
                Self::Money(Currency([*one, *two, *three]))
            }
            _ => {
                return Err(format!(
                    "unknown unit `{text}`, expected `ratio`, `percent`, `seconds`, `count`, `per-second`, `bytes`, \
                     `bytes-per-second` or a currency such as `EUR`"
                ));
            }
        })
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        CleanStr::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A promise about a service that can be measured. In a file its limit stands as `target` with `side`, where the limit itself is good, or as `limit`,
/// which says how it is meant: `below 0.8`, `at-most 512MiB`, `above 0`, `at-least 99.95%`, `between 2 and 8`, `equal 3`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "written::Written")]
pub struct Objective {
    /// Unique in its file.
    pub id: CleanStr,
    /// What the chart is called.
    pub title: CleanStr,
    /// What it promises.
    pub kind: ObjectiveKind,
    /// PromQL as it stands in the file; [`promql`] says what is filled in.
    pub expr: String,
    /// The promise, in the unit.
    pub target: f64,
    /// The unit of the value.
    pub unit: Unit,
    /// Which values are good.
    pub side: Side,
    /// What `$window` means in the graph (`5m` unless said).
    pub window: CleanStr,
    /// What it means that the query finds no series.
    pub absent: Absent,
    /// How often its values are sampled (`15s` unless said): proof is asked for at this distance, however coarse the chart is.
    pub every: Option<Lapse>,
    /// How late its samples come, as those of CloudWatch do: the newest value is that of so long ago, and proof ends there.
    pub lag: Option<Lapse>,
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
const SAMPLED_EVERY: Lapse = Lapse::seconds(15);

fn five_minutes() -> CleanStr {
    CleanStr::new("5m")
}

/// What is left of 1 when a share is taken away, without the noise of floating point: 1 − 0.999 is 0.001.
fn rest_of(share: f64) -> f64 {
    let rest = 1.0 - share;
    format!("{rest:.15}").parse().unwrap_or(rest)
}

/// The windows over which a ratio's burn rate is shown, as PromQL writes them.
pub const BURN_WINDOWS: [&str; 3] = ["5m", "1h", "6h"];

impl Objective {
    /// The value at which the promise is broken: a ratio's error budget, or the threshold.
    pub fn limit(&self) -> f64 {
        match self.kind {
            ObjectiveKind::Ratio => rest_of(self.target),
            ObjectiveKind::Threshold => self.target,
        }
    }

    /// The limit as a sentence needs it, with its sign or word before it; beside a value with as many digits as tell the two apart.
    pub fn limit_beside(&self, value: Option<f64>, before: &str) -> String {
        let beside = |limit: f64| value.map_or_else(|| self.unit.show(limit), |value| self.unit.beside(value, limit).1);
        match self.side {
            Side::Between { from, to } => format!("{before} {} and {}", beside(from), beside(to)),
            Side::Below | Side::AtMost | Side::Above | Side::AtLeast | Side::Equal(_) => {
                format!("{before} {}", beside(self.limit()))
            }
        }
    }

    /// A value with as many digits as tell it from the limit that it is next to.
    pub fn show(&self, value: f64) -> String {
        let limit = match self.side {
            Side::Between { from, to } if (value - from).abs() < (value - to).abs() => from,
            Side::Between { to, .. } => to,
            Side::Below | Side::AtMost | Side::Above | Side::AtLeast | Side::Equal(_) => self.limit(),
        };
        self.unit.beside(value, limit).0
    }

    /// How late its samples come.
    pub fn lag(&self) -> TimeDelta {
        self.lag.map_or_else(TimeDelta::zero, TimeDelta::from)
    }

    /// The PromQL with a window filled in.
    pub fn query(&self, window: &str) -> String {
        promql::filled(&self.expr, window, self.every.unwrap_or(SAMPLED_EVERY))
    }

    /// Whether the query looks at a window, not at one moment.
    pub fn is_windowed(&self) -> bool {
        promql::is_windowed(&self.expr)
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
            Side::AtMost => value > self.limit(),
            Side::Above => value <= self.limit(),
            Side::AtLeast => value < self.limit(),
            Side::Between { from, to } => !(from..=to).contains(&value),
            // What was computed differs from what is written in its last digit.
            Side::Equal(only) => (value - only).abs() > 1e-12 * only.abs().max(1.0),
        })
    }

    /// Why no value that can come meets its limit, or none breaks it.
    pub fn doubt(&self) -> Option<String> {
        let is_never_negative = match self.unit {
            Unit::Ratio | Unit::Percent | Unit::Count | Unit::PerSecond | Unit::Bytes | Unit::BytesPerSecond => true,
            Unit::Seconds | Unit::Money(_) => false,
        };
        let most = match self.unit {
            Unit::Ratio => 1.0,
            Unit::Percent => 100.0,
            Unit::Seconds | Unit::Count | Unit::PerSecond | Unit::Bytes | Unit::BytesPerSecond | Unit::Money(_) => {
                f64::INFINITY
            }
        };
        let limit = self.limit_beside(None, self.side.word());
        let never = format!("`{}`: no value is {limit}, so it is always broken", self.id);
        let always = format!("`{}`: every value is {limit}, so it is never broken", self.id);
        match self.side {
            Side::Below if is_never_negative && self.limit() <= 0.0 => {
                Some(format!("{never}: is `at-most {}` meant?", number::plain(self.limit())))
            }
            Side::AtMost if is_never_negative && self.limit() < 0.0 => Some(never),
            Side::Above if self.limit() >= most => {
                Some(format!("{never}: is `at-least {}` meant?", number::plain(self.limit())))
            }
            Side::AtLeast if self.limit() > most => Some(never),
            Side::AtLeast if is_never_negative && self.limit() <= 0.0 => Some(always),
            Side::AtMost if self.limit() >= most => Some(always),
            Side::Below | Side::AtMost | Side::Above | Side::AtLeast | Side::Between { .. } | Side::Equal(_) => None,
        }
    }

    /// The distance of two samples.
    pub fn resolution(&self) -> TimeDelta {
        TimeDelta::from(self.every.unwrap_or(SAMPLED_EVERY)).max(TimeDelta::seconds(1))
    }

    /// How many times too fast an error ratio spends the budget: 1 spends it exactly.
    pub fn burn_rate(&self, error_ratio: f64) -> Option<f64> {
        let budget = rest_of(self.target);
        (self.kind == ObjectiveKind::Ratio && budget > 0.0 && error_ratio.is_finite()).then(|| error_ratio / budget)
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
pub(crate) mod tests {
    use super::*;

    /// A count that is to be at most 1.
    pub(crate) fn counted(absent: Absent) -> Objective {
        let unit = Unit::Count;
        Objective { expr: "x".to_owned(), unit, absent, ..objective(ObjectiveKind::Threshold, 1.0) }
    }

    fn objective(kind: ObjectiveKind, target: f64) -> Objective {
        Objective {
            id: "x".into(),
            title: "x".into(),
            kind,
            expr: "sum(rate(x[$window]))".to_owned(),
            target,
            unit: Unit::Ratio,
            side: Side::AtMost,
            window: five_minutes(),
            absent: Absent::Unknown,
            every: None,
            lag: None,
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
        let lasting = |since, at_least| Some(Lasting { since, at_least, unknown: None });
        let third = measured(&[Some(0.1), Some(0.2), Some(0.9), Some(1.0)]);
        assert_eq!(third.broken_since(&slo), lasting(third.grid.at(2), false));
        let whole = measured(&[Some(0.9), Some(1.0)]);
        assert_eq!(whole.broken_since(&slo), lasting(whole.grid.start, true));
        assert_eq!(since(&[Some(0.9), None, None]), None);
        assert_eq!(since(&[Some(0.9), Some(f64::NAN)]), None);
        assert_eq!(since(&[Some(0.9), Some(0.1)]), None);
    }

    #[test]
    fn a_gap_ends_no_breach_and_is_named() {
        let slo = objective(ObjectiveKind::Threshold, 0.8);
        let bad = [Some(0.9); 3];
        let gap = [None; 6];
        let both = measured(&[&[Some(0.1)], &bad[..], &gap[..], &bad[..]].concat());
        let unknown = Some((both.grid.at(4), both.grid.at(9)));
        assert_eq!(both.broken_since(&slo), Some(Lasting { since: both.grid.at(1), at_least: true, unknown }));
        // It may have begun while nobody measured.
        let after = measured(&[&[Some(0.1)], &gap[..], &bad[..]].concat());
        let unknown = Some((after.grid.at(1), after.grid.at(6)));
        assert_eq!(after.broken_since(&slo), Some(Lasting { since: after.grid.at(7), at_least: true, unknown }));
        let beginning = measured(&[&gap[..], &bad[..]].concat());
        assert_eq!(
            beginning.broken_since(&slo),
            Some(Lasting { since: beginning.grid.at(6), at_least: true, unknown: None })
        );
        // One scrape that was missed says nothing.
        let missed = measured(&[Some(0.1), Some(0.9), None, Some(0.9)]);
        assert_eq!(
            missed.broken_since(&slo),
            Some(Lasting { since: missed.grid.at(1), at_least: false, unknown: None })
        );
    }

    #[test]
    fn a_limit_is_kept_as_it_is_meant() {
        let kept = |side: Side, target: f64, value: f64| {
            Objective { side, ..objective(ObjectiveKind::Threshold, target) }.is_broken_by(value).map(|is| !is)
        };
        let between = Side::Between { from: 2.0, to: 8.0 };
        for (side, target, good, bad) in [
            (Side::Below, 3.0, vec![2.9, -1.0], vec![3.0, 3.1]),
            (Side::AtMost, 3.0, vec![2.9, 3.0], vec![3.1]),
            (Side::Above, 3.0, vec![3.1], vec![3.0, 2.9]),
            (Side::AtLeast, 3.0, vec![3.0, 3.1], vec![2.9]),
            (between, 8.0, vec![2.0, 5.0, 8.0], vec![1.9, 8.1, f64::INFINITY]),
            (Side::Equal(3.0), 3.0, vec![3.0], vec![2.9, 3.1]),
            (Side::AtMost, 0.0, vec![0.0, -1.0], vec![1.0]),
        ] {
            assert!(good.iter().all(|value| kept(side, target, *value) == Some(true)), "{side:?}");
            assert!(bad.iter().all(|value| kept(side, target, *value) == Some(false)), "{side:?}");
        }
        let ratio = objective(ObjectiveKind::Ratio, 0.999);
        assert_eq!((ratio.limit(), ratio.is_broken_by(0.001)), (0.001, Some(false)), "the budget is not overdrawn");
    }

    #[test]
    fn a_limit_that_nothing_can_meet_or_break_is_told() {
        let doubt =
            |unit, side, target| Objective { unit, side, ..objective(ObjectiveKind::Threshold, target) }.doubt();
        let why = doubt(Unit::Count, Side::Below, 0.0).unwrap();
        assert_eq!(why, "`x`: no value is below 0, so it is always broken: is `at-most 0` meant?");
        assert!(doubt(Unit::Ratio, Side::Above, 1.0).unwrap().contains("is `at-least 1` meant?"));
        assert!(doubt(Unit::Ratio, Side::AtMost, 1.0).unwrap().contains("never broken"));
        assert_eq!(doubt(Unit::Count, Side::AtMost, 0.0), None);
        assert_eq!(doubt(Unit::Seconds, Side::Below, 0.0), None, "an offset may be negative");
    }

    #[test]
    fn what_is_beyond_every_limit_breaks_one_and_what_comes_of_a_division_says_nothing() {
        let mut slo = objective(ObjectiveKind::Threshold, 0.8);
        let said = |slo: &Objective| [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(|value| slo.is_broken_by(value));
        assert_eq!(said(&slo), [Some(true), None, None]);
        slo.side = Side::AtLeast;
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
}
