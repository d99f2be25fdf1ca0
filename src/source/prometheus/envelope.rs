//! The envelope of Prometheus' answers, read into series over a grid.
//!
//! Hides the shapes of results (matrix, vector, scalar, string, native histograms), that numbers come as strings, and in how many ways a server says
//! that this is not all. Of more series than can be kept the worst are, and what the others show at each moment is kept as one line.
//!
//! Invariant: whatever the text, reading it gives findings or an error, in memory that grows with the grid and not with the text; no series is left
//! out before its values were looked at.

use std::collections::BTreeMap;
use std::fmt;

use chrono::DateTime;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::live::MOST_SERIES;
use crate::slo::{Grid, Measured, Series, Side};
use crate::source::http::quoted;
use crate::text::CleanStr;

const NATIVE_HISTOGRAM: &str = "native histogram, drawn as its p50 and p99: histogram_quantile(0.99, sum(rate(name[5m]))) or histogram_avg says which is meant";
/// What is drawn of a native histogram.
const DRAWN: [(&str, f64); 2] = [("p50", 0.5), ("p99", 0.99)];
/// More remarks than this say nothing more.
const MOST_REMARKS: usize = 8;

/// What a query found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The series over the grid.
    pub(super) series: Vec<Series>,
    /// How many more there were.
    pub(super) left_out: usize,
    /// The worst value of those at each moment.
    pub(super) rest: Vec<Option<f64>>,
    /// Infos, and what cannot be drawn.
    pub(super) remarks: Vec<CleanStr>,
    /// Why this is not all of it.
    pub(super) partial: Vec<CleanStr>,
}

impl Findings {
    /// The same as what a query measured.
    pub(super) fn over(self, grid: Grid, query: &str) -> Measured {
        let Self { series, left_out, rest, remarks, partial } = self;
        Measured { left_out, rest, remarks, partial, ..Measured::over(grid, series, query) }
    }
}

/// An answer.
#[derive(Debug)]
pub(super) enum Envelope {
    /// With data.
    Found(Findings),
    /// With an error, of a kind (`bad_data`, `execution`, `timeout`).
    Refused {
        /// The kind.
        kind: CleanStr,
        /// The server's sentence.
        sentence: CleanStr,
    },
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    status: Option<String>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(rename = "errorType", default)]
    error_type: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    infos: Option<Vec<String>>,
    /// VictoriaMetrics: some of its stores did not answer.
    #[serde(rename = "isPartial", default)]
    is_partial: bool,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(rename = "resultType")]
    kind: String,
    #[serde(borrow)]
    result: &'a RawValue,
}

impl Envelope {
    /// Reads an answer to a query over the grid; an instant query has a grid of one moment. The side says which values are bad.
    pub(super) fn read(text: &str, grid: &Grid, side: Side) -> Result<Self, serde_json::Error> {
        let wire: Wire<'_> = serde_json::from_str(text)?;
        if wire.status.as_deref() != Some("success") {
            let Some(sentence) = wire.error else { return Err(Error::missing_field("status")) };
            return Ok(Self::Refused {
                kind: quoted(wire.error_type.as_deref().unwrap_or("error")),
                sentence: quoted(&sentence),
            });
        }
        let data = wire.data.ok_or_else(|| Error::missing_field("data"))?;
        let data: Data<'_> = serde_json::from_str(data.get())?;
        let mut found = Findings::default();
        match data.kind.as_str() {
            "matrix" | "vector" => {
                let mut input = serde_json::Deserializer::from_str(data.result.get());
                let Kept { series: read, left_out, rest } = AllSeries { grid, side }.deserialize(&mut input)?;
                if read.iter().any(|series| series.has_histograms) {
                    found.remarks.push(NATIVE_HISTOGRAM.into());
                }
                let is_empty = |series: &OneSeries| series.has_histograms && series.values.iter().all(Option::is_none);
                let read: Vec<OneSeries> = read.into_iter().filter(|series| !is_empty(series)).collect();
                (found.left_out, found.rest) = (left_out, rest);
                found.series = named(read);
            }
            "scalar" => {
                let Sample(at, value): Sample = serde_json::from_str(data.result.get())?;
                let mut values = vec![None; grid.len];
                put(&mut values, grid, at.0, value.0);
                found.series.push(Series { name: CleanStr::default(), values });
            }
            "string" => found.remarks.push("the expression gives a text, which cannot be drawn".into()),
            other => {
                let kind = quoted(other);
                found.remarks.push(format!("the expression gives a {kind}, which cannot be drawn").into());
            }
        }
        let clean = |said: Option<Vec<String>>| said.into_iter().flatten().map(|text| quoted(&text)).take(MOST_REMARKS);
        found.partial.extend(clean(wire.warnings));
        found.partial.extend(wire.is_partial.then(|| "some of the server's stores did not answer".into()));
        found.remarks.extend(clean(wire.infos));
        Ok(Self::Found(found))
    }
}

/// Names series by the labels in which they differ, so that the only one has no name.
fn named(read: Vec<OneSeries>) -> Vec<Series> {
    let mut kinds: BTreeMap<&str, (Option<&CleanStr>, usize, bool)> = BTreeMap::new();
    for series in &read {
        for (key, value) in &series.labels {
            let (first, count, is_mixed) = kinds.entry(key).or_insert((None, 0, false));
            *is_mixed |= first.get_or_insert(value) != &value;
            *count += 1;
        }
    }
    let differs =
        |key: &CleanStr| kinds.get(key.as_str()).is_some_and(|(_, count, is_mixed)| *is_mixed || *count != read.len());
    let name = |series: &OneSeries| {
        let parts = series.labels.iter().filter(|(key, _)| differs(key));
        let parts: Vec<String> = parts
            .map(|(key, value)| if key == "__name__" { value.to_string() } else { format!("{key}={value}") })
            .collect();
        CleanStr::field(&parts.join(", "))
    };
    let names: Vec<CleanStr> = read.iter().map(name).collect();
    names.into_iter().zip(read).map(|(name, series)| Series { name, values: series.values }).collect()
}

fn put(values: &mut [Option<f64>], grid: &Grid, at: f64, value: f64) {
    let millis = (at * 1000.0).round();
    // Some compatible servers answer off the grid by a rounding: a second is nearer than any two moments are.
    if let Some(moment) = DateTime::from_timestamp_millis(millis as i64) {
        let resolution = grid.resolution.num_milliseconds().max(1);
        let half = (resolution / 2).min(500);
        let steps = (moment - grid.start).num_milliseconds() + half;
        let place = usize::try_from(steps.div_euclid(resolution)).ok();
        if let Some(slot) = place.filter(|_| steps.rem_euclid(resolution) <= 2 * half).and_then(|at| values.get_mut(at))
        {
            *slot = Some(value);
        }
    }
}

/// A number that may stand in a string, as `"1.7e-01"`, `"NaN"` or `"+Inf"`.
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a number, or a number in a string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map(Number).map_err(|_| E::custom("a sample that is no number"))
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number))
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number as f64))
            }
        }
        input.deserialize_any(Read)
    }
}

#[derive(Deserialize)]
struct Sample(Number, Number);

struct OneSeries {
    labels: BTreeMap<CleanStr, CleanStr>,
    values: Vec<Option<f64>>,
    has_histograms: bool,
}

/// The series that are kept, and what the others come to.
#[derive(Default)]
struct Kept {
    series: Vec<OneSeries>,
    left_out: usize,
    rest: Vec<Option<f64>>,
}

impl Kept {
    /// Lets go of all but the worst: by their newest value, then by their worst one. Of equals the first stay.
    fn bound(&mut self, side: Side) {
        if self.series.len() <= MOST_SERIES {
            return;
        }
        let least = f64::NEG_INFINITY;
        let rank = |series: &OneSeries| {
            let badness = || series.values.iter().flatten().map(|value| side.badness(*value).unwrap_or(least));
            (badness().next_back().unwrap_or(least), badness().fold(least, f64::max))
        };
        let mut ranked: Vec<(usize, (f64, f64))> = self.series.iter().map(rank).enumerate().collect();
        ranked.sort_by(|(_, one), (_, other)| other.0.total_cmp(&one.0).then(other.1.total_cmp(&one.1)));
        let mut stays = vec![false; self.series.len()];
        ranked.iter().take(MOST_SERIES).for_each(|(place, _)| stays[*place] = true);
        let mut stays = stays.into_iter();
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.series).into_iter().partition(|_| stays.next().unwrap_or_default());
        self.series = kept;
        self.left_out += gone.len();
        for series in gone {
            self.rest.resize(series.values.len(), None);
            for (rest, value) in self.rest.iter_mut().zip(series.values) {
                let badness = |value: Option<f64>| value.map(|value| side.badness(value).unwrap_or(least));
                // Nothing is less than a value that is no number, and that less than any other.
                if badness(value) > badness(*rest) {
                    *rest = value;
                }
            }
        }
    }
}

struct AllSeries<'g> {
    grid: &'g Grid,
    side: Side,
}

impl<'de> DeserializeSeed<'de> for AllSeries<'_> {
    type Value = Kept;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for AllSeries<'_> {
    type Value = Kept;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of series")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<Self::Value, A::Error> {
        let mut kept = Kept::default();
        while let Some(series) = input.next_element_seed(SeriesOver { grid: self.grid })? {
            kept.series.extend(series);
            if kept.series.len() >= 2 * MOST_SERIES {
                kept.bound(self.side);
            }
        }
        kept.bound(self.side);
        Ok(kept)
    }
}

struct SeriesOver<'g> {
    grid: &'g Grid,
}

impl<'de> DeserializeSeed<'de> for SeriesOver<'_> {
    type Value = Vec<OneSeries>;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Vec<OneSeries>, D::Error> {
        input.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SeriesOver<'_> {
    type Value = Vec<OneSeries>;
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a series with its labels and samples")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut input: A) -> Result<Vec<OneSeries>, A::Error> {
        let mut drawn = Vec::new();
        let mut series =
            OneSeries { labels: BTreeMap::new(), values: vec![None; self.grid.len], has_histograms: false };
        while let Some(key) = input.next_key::<String>()? {
            match key.as_str() {
                "metric" => series.labels = input.next_value()?,
                "value" => {
                    let Sample(at, value) = input.next_value()?;
                    put(&mut series.values, self.grid, at.0, value.0);
                }
                "values" => {
                    input.next_value_seed(Samples { values: &mut series.values, grid: self.grid })?;
                }
                "histogram" => {
                    drawn = self.draw([input.next_value::<HistogramSample>()?]);
                    series.has_histograms = true;
                }
                "histograms" => {
                    drawn = self.draw(input.next_value::<Vec<HistogramSample>>()?);
                    series.has_histograms = true;
                }
                _ => {
                    input.next_value::<IgnoredAny>()?;
                }
            }
        }
        if drawn.iter().all(|(_, values)| values.iter().all(Option::is_none)) {
            return Ok(vec![series]);
        }
        let named = |(name, values): (&str, Vec<Option<f64>>)| {
            let mut labels = series.labels.clone();
            labels.insert("quantile".into(), name.into());
            OneSeries { labels, values, has_histograms: true }
        };
        let mut all: Vec<OneSeries> = std::mem::take(&mut drawn).into_iter().map(named).collect();
        // A series may have been counted in plain numbers before.
        all.extend(series.values.iter().any(Option::is_some).then_some(series));
        Ok(all)
    }
}

impl SeriesOver<'_> {
    /// The lines that are drawn of native histograms.
    fn draw(&self, samples: impl IntoIterator<Item = HistogramSample>) -> Vec<(&'static str, Vec<Option<f64>>)> {
        let mut drawn: Vec<_> = DRAWN.iter().map(|(name, _)| (*name, vec![None; self.grid.len])).collect();
        for HistogramSample(at, histogram) in samples {
            for ((_, values), (_, quantile)) in drawn.iter_mut().zip(DRAWN) {
                if let Some(value) = histogram.quantile(quantile) {
                    put(values, self.grid, at.0, value);
                }
            }
        }
        drawn
    }
}

#[derive(Deserialize)]
struct HistogramSample(Number, Histogram);

/// A native histogram: buckets from the lowest, those without anything in them left out.
#[derive(Deserialize)]
struct Histogram {
    #[serde(default)]
    buckets: Vec<Bucket>,
}

/// Which bounds belong to it, the bounds, and how many lie in it.
#[derive(Deserialize)]
struct Bucket(IgnoredAny, Number, Number, Number);

impl Histogram {
    /// A quantile; inside of a bucket as if it were filled evenly.
    fn quantile(&self, quantile: f64) -> Option<f64> {
        let all: f64 = self.buckets.iter().map(|Bucket(.., count)| count.0).sum();
        let (rank, mut below) = (quantile * all, 0.0);
        for Bucket(_, from, until, count) in self.buckets.iter().filter(|Bucket(.., count)| count.0 > 0.0) {
            if below + count.0 >= rank {
                let value = from.0 + (until.0 - from.0) * ((rank - below) / count.0).clamp(0.0, 1.0);
                return value.is_finite().then_some(value).or(Some(from.0)).filter(|value| value.is_finite());
            }
            below += count.0;
        }
        None
    }
}

struct Samples<'v> {
    values: &'v mut [Option<f64>],
    grid: &'v Grid,
}

impl<'de> DeserializeSeed<'de> for Samples<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Samples<'_> {
    type Value = ();
    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list of samples")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut input: A) -> Result<(), A::Error> {
        while let Some(Sample(at, value)) = input.next_element()? {
            put(self.values, self.grid, at.0, value.0);
        }
        Ok(())
    }
}
