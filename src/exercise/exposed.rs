//! The raw metrics of an exercise: what the services themselves would expose for a Prometheus to scrape.
//!
//! Hides how counters come from rates: what happens in each tick is added up as time passes, so that the playbooks' own PromQL finds again what the charts show.
//!
//! Invariant: a counter never falls, whatever is ticked or ticked no more; buckets of a histogram rise with their bound.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::requests::{BOUNDS, Moment, TICK};
use super::{Aspect, Signal, World};
use crate::text::CleanStr;

/// A world that was not looked at for longer than this begins to count anew.
const LONGEST: i64 = 24 * 3_600_000;

/// A raw metric that carries what an objective shows.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exposed {
    /// Its name and labels.
    pub metric: Metric,
    /// Its type.
    pub kind: MetricKind,
    /// What of the signal it carries.
    #[serde(default)]
    pub of: Part,
    /// The factor between that and what is exposed.
    #[serde(default = "super::whole")]
    pub times: f64,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricKind {
    /// It only rises; its rate is the signal.
    Counter,
    /// It is the signal.
    Gauge,
    /// The latencies of the requests, counted into buckets.
    Histogram,
}

/// What of a signal a metric carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What it shows; of the share of failures, the requests that fail.
    #[default]
    Value,
    /// What is missing to the whole: of the share of failures, the requests that succeed; of another share, one minus it.
    Rest,
    /// The whole itself: of the share of failures, all requests; otherwise one.
    Whole,
    /// The moment, in seconds since 1970, that lies as many seconds back as it shows.
    Moment,
}

/// A metric's name with its labels, as Prometheus writes it: `requests_total{namespace="alipay"}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Metric {
    name: CleanStr,
    labels: Vec<(CleanStr, CleanStr)>,
}

impl TryFrom<String> for Metric {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_name = |name: &str, also: &str| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(|each| each.is_ascii_alphanumeric() || also.contains(each))
        };
        let read = || {
            let (name, rest) = text.split_once('{').map_or((text.as_str(), None), |(name, rest)| (name, Some(rest)));
            let mut labels = Vec::new();
            if let Some(rest) = rest {
                for label in rest.strip_suffix('}')?.split(',') {
                    let (key, value) = label.split_once('=')?;
                    let value = value.strip_prefix('"')?.strip_suffix('"')?;
                    if !is_name(key.trim(), "_") || value.contains(['"', '\\', '\n']) {
                        return None;
                    }
                    labels.push((CleanStr::new(key.trim()), CleanStr::new(value)));
                }
            }
            is_name(name, "_:").then(|| Self { name: CleanStr::new(name), labels })
        };
        read()
            .ok_or_else(|| format!("`{text}` is no metric: write name{{label=\"value\",…}}, without commas in a value"))
    }
}

impl Metric {
    fn with(&self, ending: &str, more: &[(&str, &str)]) -> Sample {
        let own = self.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let labels: Vec<_> = own.chain(more.iter().copied()).map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        Sample { family: self.name.clone(), line: format!("{}{ending}{{{}}}", self.name, labels.join(",")) }
    }
}

/// A line of the exposition, without its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Sample {
    family: CleanStr,
    line: String,
}

/// What was counted so far.
#[derive(Clone, Debug, Default)]
pub struct Exposition {
    /// Up to when, in milliseconds since the drill began.
    upto: Option<i64>,
    counted: BTreeMap<Sample, f64>,
}

impl Exposition {
    /// Counts up to a moment of a drill whose clock runs `speed` times as fast as the one that rates are read by.
    pub fn advance(&mut self, world: &World, now: DateTime<Utc>, speed: f64) {
        let now = world.course.offset(now);
        // It was there before the drill began: the first scrape finds counters that stand somewhere.
        let mut upto = self.upto.unwrap_or(-600_000).clamp(now.saturating_sub(LONGEST), now);
        while upto < now {
            let tick = upto.div_euclid(TICK);
            let end = ((tick + 1) * TICK).min(now);
            self.count(world, tick, (end - upto) as f64 / 1000.0 / speed);
            upto = end;
        }
        // A clock that was set back finds what was counted before it.
        self.upto = Some(self.upto.map_or(now, |before| before.max(now)));
    }

    fn count(&mut self, world: &World, tick: i64, seconds: f64) {
        let moment = world.course.moment(&world.exercise, tick * TICK);
        for signal in &world.exercise.signals {
            for exposed in signal.expose.iter().filter(|exposed| exposed.kind != MetricKind::Gauge) {
                for own in world.series_of(signal) {
                    let more = own.label.as_ref().map(|(key, value)| (key.as_str(), value.as_str()));
                    let more = more.as_slice();
                    let mut add = |sample: Sample, each: f64| {
                        *self.counted.entry(sample).or_default() += (each * exposed.times * seconds).max(0.0);
                    };
                    if exposed.kind == MetricKind::Histogram {
                        histogram(&exposed.metric, &moment, more, add);
                    } else {
                        let value = own.of(signal.noise, world.at(signal, tick), tick);
                        add(exposed.metric.with("", more), part(exposed.of, signal, &moment, value));
                    }
                }
            }
        }
    }

    /// The exposition in Prometheus' text format, gauges as they stand at a moment.
    pub fn text(&self, world: &World, now: DateTime<Utc>) -> String {
        let mut all: BTreeMap<Sample, f64> = self.counted.clone();
        let mut kinds = BTreeMap::new();
        for signal in &world.exercise.signals {
            for exposed in &signal.expose {
                kinds.insert(exposed.metric.name.clone(), exposed.kind);
                if exposed.kind != MetricKind::Gauge {
                    continue;
                }
                for own in world.series_of(signal) {
                    let shown = world.gauge(signal, &own, now);
                    let value = match exposed.of {
                        Part::Value => shown,
                        Part::Rest => (1.0 - shown).max(0.0),
                        Part::Whole => 1.0,
                        Part::Moment => now.timestamp_millis() as f64 / 1000.0 - shown,
                    };
                    let more = own.label.as_ref().map(|(key, value)| (key.as_str(), value.as_str()));
                    all.insert(exposed.metric.with("", more.as_slice()), value * exposed.times);
                }
            }
        }
        let mut out = String::new();
        let mut before = None;
        for (sample, value) in &all {
            if before != Some(&sample.family) {
                let kind = kinds.get(&sample.family).copied().unwrap_or(MetricKind::Gauge);
                let _ = writeln!(out, "# TYPE {} {kind}", sample.family);
                before = Some(&sample.family);
            }
            let _ = writeln!(out, "{} {value}", sample.line);
        }
        out
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// What a counter rises by in a second.
fn part(part: Part, signal: &Signal, moment: &Moment, value: f64) -> f64 {
    let is_share = signal.from == Some(Aspect::Errors);
    let failed = moment.rate * moment.failing() * signal.times;
    match part {
        Part::Value if is_share => failed,
        Part::Rest if is_share => moment.rate - failed,
        Part::Whole if is_share => moment.rate,
        Part::Value => value,
        Part::Rest => 1.0 - value,
        Part::Whole | Part::Moment => 1.0,
    }
}

fn histogram(metric: &Metric, moment: &Moment, more: &[(&str, &str)], mut add: impl FnMut(Sample, f64)) {
    for bound in BOUNDS {
        let bound_text = bound.to_string();
        add(metric.with("_bucket", &[more, &[("le", &bound_text)]].concat()), moment.rate * moment.within(bound));
    }
    add(metric.with("_bucket", &[more, &[("le", "+Inf")]].concat()), moment.rate);
    add(metric.with("_count", more), moment.rate);
    // A logarithmic normal distribution has this mean; nobody waits longer than the time-out.
    let mean = (moment.median * (moment.spread * moment.spread / 2.0).exp()).min(moment.timeout);
    add(metric.with("_sum", more), moment.rate * mean);
}
