//! What the clocks of consoles were off, as the entries say.
//!
//! Hides how a clock that was found off and a clock that was set come together: what a console's clock was ahead is known at one point of its entries
//! (where another console compared it; else at the end, where it is taken as right), and from there it follows its jumps, back and forth.
//!
//! Invariant: a function of the entries in their common order; each console's own jumps count once, and only for what that console wrote.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Clock, Entry, Event, OrderKey};
use crate::text::CleanStr;

/// What is known of every console's clock that was ever off.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Clocks {
    /// After which entry a console's clock had moved by so many milliseconds in all.
    jumps: BTreeMap<CleanStr, Vec<(OrderKey, i64)>>,
    /// Where a console was found off, and by how much.
    found: BTreeMap<CleanStr, (OrderKey, i64)>,
    /// The same as it was said, by a clock that may have been set later.
    pub(super) said: BTreeMap<CleanStr, i64>,
}

impl Clocks {
    /// Reads them from all entries, in their order. The first word on a console counts, and none of a console that was found off before.
    pub(super) fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut clocks = Self::default();
        let mut observers = Vec::new();
        for entry in entries {
            match &entry.event {
                Event::ClockSkewed(body)
                    if !clocks.found.contains_key(&entry.via.console) && !clocks.found.contains_key(&body.console) =>
                {
                    clocks.said.insert(body.console.clone(), body.ahead_ms);
                    clocks.found.insert(body.console.clone(), (entry.order(), body.ahead_ms));
                    observers.push((body.console.clone(), entry));
                }
                Event::ClockJumped(body) => {
                    let jumps = clocks.jumps.entry(entry.via.console.clone()).or_default();
                    let before = jumps.last().map_or(0, |(_, sum)| *sum);
                    jumps.push((entry.order(), before.saturating_add(body.by_ms)));
                }
                _ => {}
            }
        }
        // What a console compared with may have been set later itself.
        for (console, entry) in observers {
            // What was compared with a server keeps its value: it moves with its own jumps alone.
            if console == entry.via.console {
                continue;
            }
            let own = clocks.moved_after(&entry.via.console, entry.order());
            if let Some((_, ahead)) = clocks.found.get_mut(&console) {
                *ahead = ahead.saturating_sub(own);
            }
        }
        clocks
    }

    /// By how much a console's clock had moved in all when an entry was written.
    fn moved(&self, console: &CleanStr, at: OrderKey) -> i64 {
        let Some(jumps) = self.jumps.get(console) else { return 0 };
        let place = jumps.partition_point(|(key, _)| *key <= at);
        place.checked_sub(1).and_then(|place| jumps.get(place)).map_or(0, |(_, sum)| *sum)
    }

    fn moved_after(&self, console: &CleanStr, at: OrderKey) -> i64 {
        let all = self.jumps.get(console).and_then(|jumps| jumps.last()).map_or(0, |(_, sum)| *sum);
        all.saturating_sub(self.moved(console, at))
    }

    /// By how much a console's clock is ahead after all that is known.
    pub(super) fn ahead_now(&self, console: &CleanStr) -> TimeDelta {
        let Some((found, ahead)) = self.found.get(console) else { return TimeDelta::zero() };
        TimeDelta::try_milliseconds(ahead.saturating_add(self.moved_after(console, *found))).unwrap_or_default()
    }

    /// By how much the clock was ahead that stamped an entry.
    pub(super) fn ahead(&self, console: &CleanStr, at: OrderKey) -> TimeDelta {
        if self.jumps.is_empty() && self.found.is_empty() {
            return TimeDelta::zero();
        }
        let ahead = match self.found.get(console) {
            Some((found, ahead)) => {
                ahead.saturating_add(self.moved(console, at)).saturating_sub(self.moved(console, *found))
            }
            None => self.moved_after(console, at).saturating_neg(),
        };
        TimeDelta::try_milliseconds(ahead).unwrap_or_default()
    }
}

/// How the times of entries are read: by the incident's clock, with what a console's clock was off taken off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) clock: &'a Clock,
    pub(super) clocks: &'a Clocks,
}

impl Reading<'_> {
    /// When an entry was written, in the incident's clock.
    pub(super) fn time(&self, entry: &Entry) -> DateTime<Utc> {
        self.clock.show(self.wall(entry))
    }

    /// When an entry was written, on a wall clock that is right.
    pub(super) fn wall(&self, entry: &Entry) -> DateTime<Utc> {
        let ahead = self.clocks.ahead(&entry.via.console, entry.order());
        entry.wall.checked_sub_signed(ahead).unwrap_or(entry.wall)
    }

    /// What an entry says, its times read like its own.
    pub(super) fn event<'e>(&self, entry: &'e Entry) -> Cow<'e, Event> {
        let ahead = self.clocks.ahead(&entry.via.console, entry.order());
        if ahead.is_zero() {
            return Cow::Borrowed(&entry.event);
        }
        Cow::Owned(entry.event.clone().shifted(-self.clock.passed(ahead)))
    }
}
