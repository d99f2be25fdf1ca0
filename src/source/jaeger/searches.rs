//! What each search of Jaeger found last, put together.
//!
//! Hides that searches fail one by one: what failed keeps what it found before, waits a while that grows, and is named as a gap.
//!
//! Invariant: the finding holds the rows of every search that ever went well within its lookback, whatever became of the others.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Aim, Found, Search, Searched, Seen};
use crate::live::{MOST_ROWS, SpanFinding, WatchedService};
use crate::source::Backoff;
use crate::source::http::Failure;
use crate::spans::SpanRow;
use crate::text::CleanStr;

/// One search, from one round to the next.
type Key = (CleanStr, Aim);

/// How a search stands.
#[derive(Debug, Default)]
struct Known {
    /// When it last went well, and what it found.
    found: Option<(DateTime<Utc>, Found)>,
    /// Why the last try failed, if it did, and when the next one is.
    failed: Option<(CleanStr, DateTime<Utc>)>,
    backoff: Backoff,
}

/// All searches.
#[derive(Debug, Default)]
pub(super) struct Searches(BTreeMap<Key, Known>);

impl Searches {
    /// Which of some searches are to be made now: those that went well last, and those that did not and have waited long enough. Others are forgotten.
    pub(super) fn due(&mut self, wanted: &[Search], now: DateTime<Utc>) -> (Vec<Search>, Vec<Search>) {
        self.0.retain(|key, _| wanted.iter().any(|search| of(search) == *key));
        let failed = |search: &&Search| self.0.get(&of(search)).and_then(|known| known.failed.as_ref());
        let (unwell, well): (Vec<_>, Vec<_>) = wanted.iter().partition(|search| failed(search).is_some());
        let is_due = |search: &&Search| failed(search).is_none_or(|(_, again)| *again <= now);
        (well.into_iter().cloned().collect(), unwell.into_iter().filter(is_due).cloned().collect())
    }

    /// Nothing was answered: all of it is asked again as soon as the server is.
    pub(super) fn forget_pauses(&mut self) {
        for known in self.0.values_mut() {
            known.backoff = Backoff::default();
            known.failed = known.failed.take().map(|(why, _)| (why, DateTime::UNIX_EPOCH));
        }
    }

    /// Takes in how a search ended.
    pub(super) fn take(&mut self, search: Search, outcome: Result<Searched, Failure>, now: DateTime<Utc>) {
        let known = self.0.entry(of(&search)).or_default();
        let (why, retry_after): (_, Option<Duration>) = match outcome {
            Ok(Searched::Found(found)) => {
                *known = Known { found: Some((now, found)), ..Known::default() };
                return;
            }
            Ok(Searched::Refused(why)) => (why, None),
            Err(failure) => (failure.reason, failure.retry_after),
        };
        let pause = TimeDelta::from_std(known.backoff.next(retry_after)).unwrap_or_default();
        known.failed = Some((why, now + pause));
    }

    /// What all of some searches found.
    pub(super) fn finding(
        &self,
        wanted: &[Search],
        watched: &[WatchedService],
        lookback: TimeDelta,
        now: DateTime<Utc>,
    ) -> SpanFinding {
        let (mut errors, mut mended, mut slow) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut seen: BTreeMap<&CleanStr, &Seen> = BTreeMap::new();
        let mut finding = SpanFinding { lookback, ..SpanFinding::default() };
        let key = |row: &SpanRow| (row.trace.clone(), row.span.clone());
        for search in wanted {
            let Some(known) = self.0.get(&of(search)) else { continue };
            if let Some((at, found)) = &known.found {
                // What a search that fails found before leaves the tables with its time.
                let is_recent = |row: &&SpanRow| known.failed.is_none() || row.at >= now - lookback;
                let rows = |rows: &[SpanRow]| -> Vec<_> {
                    rows.iter().filter(is_recent).map(|row| (key(row), row.clone())).collect()
                };
                errors.extend(rows(&found.rows.errors));
                mended.extend(rows(&found.rows.mended));
                slow.extend(rows(&found.rows.slow));
                // The search without conditions is the only one that sees a service as it is.
                if search.aim == Aim::Anything {
                    seen.extend(found.seen.get_key_value(&search.service));
                }
                if known.failed.is_none() {
                    finding.remarks.extend(remarks(search, found, lookback));
                    finding.gaps.extend(gap(search, found));
                } else {
                    let (service, what, at) = (&search.service, search.aim.what(), at.format("%H:%M:%S UTC"));
                    finding.remarks.push(format!("{what} of {service} are those of {at}").into());
                }
            }
            if let Some((why, _)) = &known.failed {
                let (service, what) = (&search.service, search.aim.what());
                finding.remarks.push(format!("{what} of {service} could not be searched: {why}").into());
                if finds_errors(search.aim) {
                    finding.gaps.push((service.clone(), format!("{what} could not be searched: {why}").into()));
                }
            }
        }
        finding.errors = errors.into_values().collect();
        finding.errors.sort_by_key(|row: &SpanRow| Reverse(row.at));
        finding.mended = mended.into_values().collect();
        finding.mended.sort_by_key(|row: &SpanRow| Reverse(row.at));
        finding.mended.truncate(MOST_ROWS);
        for watched in watched {
            let seen = seen.get(&watched.service).copied();
            finding.unseen.extend(unseen(watched, seen).map(|why| (watched.service.clone(), why)));
            finding.remarks.extend(seen.and_then(|seen| refused(&watched.service, seen)));
        }
        for (service, why) in &finding.unseen {
            finding.remarks.push(format!("{service}: {why}").into());
        }
        for search in wanted.iter().filter(|search| search.aim == Aim::Anything) {
            let found = self.0.get(&of(search)).and_then(|known| known.found.as_ref());
            let full = found.map(|(_, found)| found).filter(|found| found.is_full);
            finding.unseen.extend(full.map(|found| {
                let why = format!("errors without a tag were looked for in {} traces only", found.traces);
                (search.service.clone(), why.into())
            }));
        }
        finding.slow = slow.into_values().collect();
        finding.slow.sort_by_key(|row: &SpanRow| Reverse(row.duration));
        let SpanFinding { errors, slow, remarks, .. } = &mut finding;
        for (rows, what) in [(errors, "error spans, the newest"), (slow, "slow spans, the slowest")] {
            if rows.len() > MOST_ROWS {
                remarks.push(format!("{MOST_ROWS} of {} {what}, are kept", rows.len()).into());
                rows.truncate(MOST_ROWS);
            }
        }
        finding
    }
}

fn of(search: &Search) -> Key {
    (search.service.clone(), search.aim)
}

fn finds_errors(aim: Aim) -> bool {
    match aim {
        Aim::TaggedErrors | Aim::Anything => true,
        Aim::Slow(_) => false,
    }
}

/// So many spans of a service without any status are no chance.
const ENOUGH: usize = 20;

/// What cannot be seen in the spans of a service.
fn unseen(watched: &WatchedService, seen: Option<&Seen>) -> impl Iterator<Item = CleanStr> {
    let share = watched.sampled.or(seen.and_then(|seen| seen.sampled)).filter(|share| *share < 1.0);
    let sampled = share.map(|share| format!("1 of {:.0} requests is traced", 1.0 / share).into());
    let is_silent = seen.is_some_and(|seen| seen.spans >= ENOUGH && seen.with_status == 0);
    let silent = is_silent.then(|| "its spans carry no status: whether they failed cannot be seen".into());
    sampled.into_iter().chain(silent)
}

/// Which answers from 400 to 499 there were, that count as no errors.
fn refused(service: &CleanStr, seen: &Seen) -> Option<CleanStr> {
    let each: Vec<_> = seen.refused.iter().map(|(status, count)| format!("{count} × {status}")).collect();
    (!each.is_empty())
        .then(|| format!("{service} answered {}: no errors unless error-statuses names them", each.join(", ")).into())
}

/// Why a search that went well did not find all errors. That of any trace is a sample on every busy service: it says so, and is no gap.
fn gap(search: &Search, found: &Found) -> Option<(CleanStr, CleanStr)> {
    if search.aim != Aim::TaggedErrors {
        return None;
    }
    let why = if found.unseen > TimeDelta::zero() {
        format!("{} of the time were not searched: the answers are too big", minutes(found.unseen))
    } else if found.is_full {
        format!("there were more than the {} traces of one search", found.limit)
    } else {
        return None;
    };
    Some((search.service.clone(), why.into()))
}

fn minutes(time: TimeDelta) -> String {
    match time.num_minutes() {
        0 => format!("{} s", time.num_seconds()),
        minutes => format!("{minutes} min"),
    }
}

/// What a reader of the tables must know about a search.
fn remarks(search: &Search, found: &Found, lookback: TimeDelta) -> Vec<CleanStr> {
    let Search { service, aim, .. } = search;
    let mut all = Vec::new();
    match aim {
        Aim::TaggedErrors | Aim::Slow(_) if found.is_full => {
            let what = aim.what();
            all.push(
                format!("limit of {} traces reached for {what} of {service}: there may be more", found.limit).into(),
            );
        }
        Aim::Anything if found.is_full => {
            let traces = found.traces;
            all.push(
                format!("errors of {service} without an error tag were looked for in {traces} traces only").into(),
            );
        }
        Aim::Anything if found.traces == 0 => {
            let minutes = lookback.num_minutes();
            all.push(
                format!("no trace of {service} in the last {minutes} min: is this its name in the traces?").into(),
            );
        }
        Aim::TaggedErrors | Aim::Slow(_) | Aim::Anything => {}
    }
    if found.unseen > TimeDelta::zero() {
        let (what, unseen, all_of_it) = (aim.what(), minutes(found.unseen), minutes(lookback));
        let why = "the answers are too big";
        all.push(format!("{what} of {service}: {unseen} of {all_of_it} were not searched, {why}").into());
    } else if found.parts > 1 {
        let (what, parts) = (aim.what(), found.parts);
        all.push(format!("{what} of {service} were searched in {parts} parts: one answer was too big").into());
    }
    all
}
