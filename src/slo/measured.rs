//! What one query about an objective found: series over a grid of moments, and which of them is worst.
//!
//! Hides that a query may find more series than are kept: those that are left out count in every value that is called the worst.
//!
//! Invariant: [`Measured::worst_at`] is the worst of all series that the server gave, kept or not.

use chrono::{DateTime, Utc};

use super::{Grid, Objective, Series};
use crate::text::{CleanStr, CleanText};

/// What a query returned.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The moments.
    pub grid: Grid,
    /// The worst series, at most [`crate::live::MOST_SERIES`].
    pub series: Vec<Series>,
    /// How many more there were.
    pub left_out: usize,
    /// The worst value of those at each moment; empty where none was left out.
    pub rest: Vec<Option<f64>>,
    /// The greatest bound of the buckets that a quantile is read from: a value of this is at least that.
    pub ceiling: Option<f64>,
    /// The PromQL as it was sent.
    pub query: CleanText,
    /// Burn rates over [`super::BURN_WINDOWS`], of a ratio; `None` where nothing can be said.
    pub burn: [Option<f64>; 3],
    /// What the server said beside the data (infos, "native histogram: …").
    pub remarks: Vec<CleanStr>,
    /// Why this is not all of it ("No StoreAPIs matched"); what is not all proves nothing.
    pub partial: Vec<CleanStr>,
}

/// So many moments in a row without a sample are a gap; fewer are a scrape that was missed.
const MISSED: usize = 3;

/// Since when something lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasting {
    /// The first moment that is known.
    pub since: DateTime<Utc>,
    /// It may have begun before that.
    pub at_least: bool,
    /// The first and the last moment without samples inside or just before it.
    pub unknown: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// The worst value at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worst<'a> {
    /// The value.
    pub value: f64,
    /// Whose it is, as [`Series::name`] says; absent where that series is one that was left out.
    pub name: Option<&'a CleanStr>,
    /// It lies in the last bucket of its histogram: it is at least this.
    pub is_beyond: bool,
}

impl<'a> Worst<'a> {
    /// The value in words, with a sign where it is at least that.
    pub fn shown(self, objective: &Objective) -> String {
        let value = objective.show(self.value);
        if self.is_beyond { format!("> {value}") } else { value }
    }

    /// Whose value it is, where there are several it could be.
    pub fn whose(self) -> Option<&'a str> {
        match self.name {
            Some(name) if name.is_empty() => None,
            Some(name) => Some(name.as_str()),
            None => Some("a series that is not listed"),
        }
    }
}

impl Measured {
    /// Series of which nothing is to be said beside their values.
    pub fn over(grid: Grid, series: Vec<Series>, query: &str) -> Self {
        Self {
            grid,
            series,
            left_out: 0,
            rest: Vec::new(),
            ceiling: None,
            query: CleanText::new(query),
            burn: [None; 3],
            remarks: Vec::new(),
            partial: Vec::new(),
        }
    }

    /// The same at its last moment alone.
    pub fn at_end(&self) -> Self {
        let last = self.grid.len.saturating_sub(1);
        let cut = |values: &[Option<f64>]| values.get(last).copied().into_iter().collect();
        let series = self.series.iter().map(|one| Series { name: one.name.clone(), values: cut(&one.values) });
        Self {
            grid: Grid { start: self.grid.end(), len: 1, ..self.grid },
            series: series.filter(|one: &Series| one.values.iter().any(Option::is_some)).collect(),
            rest: cut(&self.rest),
            ..self.clone()
        }
    }

    /// Whether a value is where a quantile stops because its last bucket has no end.
    pub fn is_beyond(&self, value: f64) -> bool {
        self.ceiling.is_some_and(|ceiling| value >= ceiling)
    }

    /// The worst of all series at a moment, from the objective's point of view; what is no number counts only where there is nothing else.
    pub fn worst_at(&self, objective: &Objective, place: usize) -> Option<Worst<'_>> {
        let at = |values: &[Option<f64>]| values.get(place).copied().flatten();
        let worst = |value: f64, name| Worst { value, name, is_beyond: self.is_beyond(value) };
        let kept = self.series.iter().filter_map(|one| Some(worst(at(&one.values)?, Some(&one.name))));
        let rest = at(&self.rest).map(|value| worst(value, None));
        // Of equals the first.
        kept.chain(rest).reduce(|one, other| {
            let is_worse = match (objective.side.badness(one.value), objective.side.badness(other.value)) {
                (Some(one), Some(other)) => other > one,
                (None, Some(_)) => true,
                (Some(_) | None, None) => false,
            };
            if is_worse { other } else { one }
        })
    }

    /// The newest value, and when it was sampled. The grid's last moment may not have been scraped yet, so the one before it counts too.
    pub fn newest(&self, objective: &Objective) -> Option<(DateTime<Utc>, Worst<'_>)> {
        (self.grid.len.saturating_sub(2)..self.grid.len)
            .rev()
            .find_map(|place| Some((self.grid.at(place), self.worst_at(objective, place)?)))
    }

    /// Since when the promise has been broken up to the newest value. What is missing ends no breach: it is left open, and named.
    pub fn broken_since(&self, objective: &Objective) -> Option<Lasting> {
        let is_broken =
            |place: usize| self.worst_at(objective, place).and_then(|worst| objective.is_broken_by(worst.value));
        let (at, _) = self.newest(objective)?;
        let newest = self.grid.place(at)?;
        // What says nothing now is no breach of now.
        if is_broken(newest) != Some(true) {
            return None;
        }
        let mut first = None;
        let (mut from, mut until) = (None, None);
        let mut gap: Option<(usize, usize)> = None;
        let mut has_begun = false;
        for place in (0..=newest).rev() {
            match is_broken(place) {
                Some(true) => {
                    first = Some(place);
                    if let Some((low, high)) = gap.take().filter(|(low, high)| high - low >= MISSED) {
                        (from, until) = (Some(low), until.or(Some(high)));
                    }
                }
                Some(false) => {
                    has_begun = true;
                    break;
                }
                None => gap = Some((place, gap.map_or(place, |(_, high)| high))),
            }
        }
        let first = first?;
        // A gap just before it: it may have begun in there.
        if has_begun && let Some((low, high)) = gap.filter(|(low, high)| high - low >= MISSED) {
            (from, until) = (Some(low), until.or(Some(high)));
        }
        let unknown = from.zip(until).map(|(from, until)| (self.grid.at(from), self.grid.at(until)));
        Some(Lasting { since: self.grid.at(first), at_least: !has_begun || unknown.is_some(), unknown })
    }
}
