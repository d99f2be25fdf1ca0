//! The traces of an exercise: single requests, drawn from the same model that the charts show.
//!
//! Hides that no trace is stored: its id holds the second and the number of the request, so that a trace which somebody opens is drawn again, the same.
//!
//! Invariant: the row in the table and the span in its trace agree in name, time, duration and error.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::noise::{mix, mix2, normal, unit};
use super::requests::{Course, Moment};
use super::{Cause, Failure, Hop, World};
use crate::live::{SpanFinding, Watchlist};
use crate::spans::compare::{Census, Compared, Healthy, Period, Wanted, typical};
use crate::spans::{Outcome, Rows, Span, SpanLog, Trace, TraceId, WatchedService};
use crate::text::CleanStr;

/// As many error spans as a search gives at most; slow ones are fewer still.
const MOST_ERRORS: usize = 2_000;
const MOST_SLOW: usize = 500;
/// As many requests as one search looks at: some milliseconds of work.
const MOST_REQUESTS: u64 = 40_000;
/// As many traces of a time are compared …
const MOST_COMPARED: usize = 200;
/// … of as many of its newest seconds.
const MOST_SECONDS: usize = 3_600;

/// A traced request.
struct Request<'a> {
    /// The whole seconds from the drill's beginning.
    second: i64,
    number: u32,
    bits: u64,
    /// When the outermost operation begins, in milliseconds since the drill began.
    begins: f64,
    /// How long the innermost operation takes, in seconds.
    latency: f64,
    failure: Option<&'a Failure>,
}

/// One operation of a request: times in seconds from its beginning.
struct Timing<'a> {
    hop: &'a Hop,
    depth: usize,
    from: f64,
    takes: f64,
    error: Option<&'a CleanStr>,
}

/// What the last search found of each request that has ended: the next one looks at nearly the same ones.
#[derive(Debug, Default)]
pub struct Searched {
    /// With other faults, other help or other services it is worth nothing.
    of: Option<(Course, Vec<WatchedService>)>,
    rows: BTreeMap<(i64, u32), Rows>,
    /// When that was; before it some of them had not ended.
    at: DateTime<Utc>,
}

impl Searched {
    /// Forgets what does not hold for this course, these services, this moment, and the seconds from this one on.
    fn keep(&mut self, course: &Course, services: &[WatchedService], now: DateTime<Utc>, first: i64) {
        if now < self.at || self.of.as_ref().is_none_or(|(known, of)| known != course || of != services) {
            self.of = Some((course.clone(), services.to_vec()));
            self.rows.clear();
        }
        self.at = now;
        self.rows = self.rows.split_off(&(first, 0));
    }
}

impl World {
    /// The error and slow spans of the watched services up to `now`.
    pub fn spans(&self, watchlist: &Watchlist, now: DateTime<Utc>) -> SpanFinding {
        self.search(watchlist, now, &mut Searched::default())
    }

    /// The same, with what the last search found; the answer does not depend on it.
    pub fn search(&self, watchlist: &Watchlist, now: DateTime<Utc>, searched: &mut Searched) -> SpanFinding {
        let mut finding = SpanFinding { lookback: watchlist.lookback, ..SpanFinding::default() };
        let second_of = |at| self.course.offset(at).div_euclid(1000);
        let (first, last) = (second_of(now - watchlist.lookback), second_of(now));
        searched.keep(&self.course, &watchlist.services, now, first);
        let mut seen = 0;
        for second in (first..=last).rev() {
            let moment = self.course.moment(&self.exercise, second * 1000);
            for number in 0..self.traced(&moment, second) {
                seen += 1;
                let request = self.request(&moment, second, number);
                self.take(&request, watchlist, now, searched, &mut finding);
            }
            if seen >= MOST_REQUESTS || finding.errors.len() >= MOST_ERRORS {
                let reached = TimeDelta::seconds(last - second);
                finding.remarks.push(CleanStr::new(&format!(
                    "the newest {} min of {} min were searched: there is more",
                    reached.num_minutes().max(1),
                    watchlist.lookback.num_minutes()
                )));
                break;
            }
        }
        finding.errors.sort_by(|one, other| other.at.cmp(&one.at).then_with(|| one.span.cmp(&other.span)));
        finding.slow.sort_by(|one, other| other.duration.cmp(&one.duration).then_with(|| one.span.cmp(&other.span)));
        finding.errors.truncate(MOST_ERRORS);
        finding.slow.truncate(MOST_SLOW);
        finding.mended.truncate(MOST_ERRORS);
        let share = self.exercise.requests.traced;
        if share > 0.0 && share < 1.0 {
            finding.remarks.push(CleanStr::new(&format!("{:.0} % of the requests are traced", share * 100.0)));
        }
        finding
    }

    /// A whole trace, drawn again from its id.
    pub fn trace(&self, id: &TraceId) -> Option<Trace> {
        if id.len() != 32 || !id.is_ascii() {
            return None;
        }
        let high = u64::from_str_radix(&id[..16], 16).ok()?;
        let low = u64::from_str_radix(&id[16..], 16).ok()?;
        if low != mix2(self.seed, high) {
            return None;
        }
        let packed = scramble(high, self.seed, [3, 2, 1, 0]);
        let number = packed as u32;
        let second = i64::from((packed >> 32) as u32 as i32);
        let moment = self.course.moment(&self.exercise, second * 1000);
        let request = (number < self.traced(&moment, second)).then(|| self.request(&moment, second, number))?;
        Some(self.whole(&request, id.clone()))
    }

    /// A healthy trace of the first time that has one, and the requests of that time beside those of now.
    pub fn compare(&self, wanted: &Wanted) -> Compared {
        let Wanted { trace, entry, then, now } = wanted;
        let found = then.iter().find_map(|period| {
            let traces = self.newest(period);
            let then = Census { is_sample: true, ..Census::of(&traces, entry) };
            let trace = typical(traces, entry)?;
            let now = Ok(Census { is_sample: true, ..Census::of(&self.newest(now), entry) });
            Some(Healthy { trace, period: period.clone(), then, now })
        });
        let why = || format!("no healthy trace of {} {} was found", entry.service, entry.operation).into();
        Compared { trace: trace.clone(), entry: entry.clone(), healthy: found.ok_or_else(why) }
    }

    /// The newest traces of a time.
    fn newest(&self, period: &Period) -> Vec<Trace> {
        let mut traces = Vec::new();
        for second in (period.from.timestamp()..period.until.timestamp()).rev().take(MOST_SECONDS) {
            let moment = self.course.moment(&self.exercise, second * 1000);
            for number in 0..self.traced(&moment, second) {
                let request = self.request(&moment, second, number);
                traces.push(self.whole(&request, self.id(&request)));
                if traces.len() >= MOST_COMPARED {
                    return traces;
                }
            }
        }
        traces
    }

    /// All spans of a request.
    fn whole(&self, request: &Request<'_>, id: TraceId) -> Trace {
        let mut spans = Vec::new();
        for (place, timing) in self.timings(request).iter().enumerate() {
            spans.push(self.span(request, place, timing));
            self.beside(request, place, timing, &mut spans);
        }
        Trace { id, spans, warnings: Vec::new() }
    }

    /// How many requests of a second leave a trace.
    fn traced(&self, moment: &Moment, second: i64) -> u32 {
        let expected = moment.rate * self.exercise.requests.traced;
        (expected + unit(mix2(self.seed ^ 0x7ac3, second as u64))).min(1_000.0) as u32
    }

    fn request(&self, moment: &Moment, second: i64, number: u32) -> Request<'_> {
        let bits = mix2(self.seed ^ 0x2e91, ((second as u64) << 20) ^ u64::from(number));
        let begins = second as f64 * 1000.0 + (unit(mix(bits ^ 1)) * 1000.0).floor();
        if unit(mix(bits ^ 2)) < moment.refused {
            let failure = self.failure(Cause::Refusal, second, bits);
            let takes = failure.map_or(0.0, |failure| failure.takes.as_seconds());
            let latency = (takes * (0.8 + 0.4 * unit(mix(bits ^ 3)))).max(0.001);
            return Request { second, number, bits, begins, latency, failure };
        }
        let latency = moment.median * (moment.spread * normal(mix(bits ^ 4))).exp();
        let failure = (latency > moment.timeout).then(|| self.failure(Cause::Timeout, second, bits)).flatten();
        Request { second, number, bits, begins, latency: latency.min(moment.timeout), failure }
    }

    /// In which way a request of a second fails.
    fn failure(&self, cause: Cause, second: i64, bits: u64) -> Option<&Failure> {
        let faults = &self.exercise.faults;
        let weight = |failure: &Failure| {
            let place = failure.fault.as_ref().map(|id| faults.iter().position(|fault| fault.id == *id));
            match place {
                _ if failure.when != cause => 0.0,
                None => failure.share,
                Some(Some(place)) => failure.share * self.course.strength(&self.exercise, place, second * 1000),
                Some(None) => 0.0,
            }
        };
        let failures = &self.exercise.requests.failures;
        let all: f64 = failures.iter().map(weight).sum();
        let mut rest = unit(mix(bits ^ 5)) * all;
        failures.iter().filter(|failure| weight(failure) > 0.0).find(|failure| {
            rest -= weight(failure);
            rest < 0.0
        })
    }

    /// The operations of a request, the outermost first.
    fn timings(&self, request: &Request<'_>) -> Vec<Timing<'_>> {
        let requests = &self.exercise.requests;
        let innermost = requests.path.len().saturating_sub(1);
        let (broken, error) = match request.failure {
            Some(failure) => {
                let at = failure.hop.map_or(innermost, |hop| hop - 1).min(innermost);
                // Borrowed from the exercise itself, so that it outlives the request.
                let error = requests.failures.iter().find(|known| *known == failure).map(|known| &known.error);
                (at, error)
            }
            None => (innermost, None),
        };
        let own = |depth: usize| {
            let shake = 0.7 + 0.6 * unit(mix2(request.bits, depth as u64));
            requests.path[depth].takes.as_seconds() * shake
        };
        let mut timings = Vec::with_capacity(broken + 2);
        let mut from = 0.0;
        for (depth, hop) in requests.path.iter().enumerate().take(broken) {
            let inner: f64 = (depth..broken).map(own).sum();
            let error = error.and(hop.fails.as_ref());
            timings.push(Timing { hop, depth, from, takes: request.latency + inner, error });
            // Two thirds of an operation's own time pass before it calls the next one.
            from += own(depth) * 0.67;
        }
        let late = request.failure.is_some_and(|failure| failure.when == Cause::Timeout);
        let attempts = if late { requests.attempts } else { 1 };
        let takes = request.latency / f64::from(attempts);
        for attempt in 0..attempts {
            let from = from + takes * f64::from(attempt);
            timings.push(Timing { hop: &requests.path[broken], depth: broken, from, takes, error });
        }
        timings
    }

    fn take(
        &self,
        request: &Request<'_>,
        watchlist: &Watchlist,
        now: DateTime<Utc>,
        searched: &mut Searched,
        finding: &mut SpanFinding,
    ) {
        let slowest = watchlist.services.iter().filter_map(|watched| watched.slow).min();
        let overhead: f64 = self.exercise.requests.path.iter().map(|hop| hop.takes.as_seconds() * 1.3).sum();
        let is_slow = slowest.is_some_and(|slow| request.latency + overhead >= slow.num_milliseconds() as f64 / 1000.0);
        if request.failure.is_none() && !is_slow {
            return;
        }
        let key = (request.second, request.number);
        let rows = searched.rows.get(&key).cloned().unwrap_or_else(|| {
            let mut trace = self.whole(request, self.id(request));
            // A span is known when it has ended.
            let all = trace.spans.len();
            trace.spans.retain(|span| span.end() <= now);
            let rows = trace.rows(&watchlist.services);
            if trace.spans.len() == all {
                searched.rows.insert(key, rows.clone());
            }
            rows
        });
        finding.errors.extend(rows.errors);
        finding.mended.extend(rows.mended);
        finding.slow.extend(rows.slow);
    }

    fn id(&self, request: &Request<'_>) -> TraceId {
        let packed = (u64::from(request.second as i32 as u32) << 32) | u64::from(request.number);
        let high = scramble(packed, self.seed, [0, 1, 2, 3]);
        CleanStr::new(&format!("{high:016x}{:016x}", mix2(self.seed, high)))
    }

    fn span(&self, request: &Request<'_>, place: usize, timing: &Timing<'_>) -> Span {
        let (start, duration) = self.times(request, timing.from, timing.takes);
        let mut tags: Vec<(CleanStr, CleanStr)> =
            timing.hop.tags.iter().map(|(key, value)| (CleanStr::new(key), value.clone())).collect();
        let mut logs = Vec::new();
        let status = match (timing.error, request.failure) {
            (Some(error), Some(failure)) => {
                tags.push(("otel.status_code".into(), "ERROR".into()));
                tags.push(("error".into(), "true".into()));
                if timing.hop.fails.as_ref() != Some(error) {
                    logs.push(exception(failure, timing, start + duration));
                }
                failure.status
            }
            _ => 200,
        };
        tags.push(("http.response.status_code".into(), CleanStr::new(&status.to_string())));
        Span {
            id: span_id(request, place, 0),
            parent: timing.depth.checked_sub(1).map(|above| span_id(request, above, 0)),
            service: timing.hop.service.clone(),
            operation: timing.hop.operation.clone(),
            start,
            duration,
            outcome: timing.error.map_or(Outcome::Fine, |error| Outcome::Error(error.clone())),
            http_status: Some(status),
            tags,
            logs,
            ..Span::default()
        }
    }

    /// When a part of a request began, and how long it took, in microseconds that are the same on every day.
    fn times(&self, request: &Request<'_>, from: f64, takes: f64) -> (DateTime<Utc>, TimeDelta) {
        let since = ((request.begins + from * 1000.0) * 1000.0).floor() as i64;
        let start = self.course.start().checked_add_signed(TimeDelta::microseconds(since));
        (start.unwrap_or(DateTime::UNIX_EPOCH), TimeDelta::microseconds((takes * 1e6) as i64))
    }

    /// The short operations that a hop does before it calls the next one.
    fn beside(&self, request: &Request<'_>, place: usize, timing: &Timing<'_>, spans: &mut Vec<Span>) {
        let mut from = timing.from;
        for (index, beside) in timing.hop.beside.iter().enumerate() {
            let shake = 0.6 + 0.8 * unit(mix2(request.bits ^ 0xbe, (place * 32 + index) as u64));
            let takes = (beside.takes.as_seconds() * shake).min(timing.takes);
            let (start, duration) = self.times(request, from, takes);
            from = (from + takes).min(timing.from + timing.takes);
            spans.push(Span {
                id: span_id(request, place, index + 1),
                parent: Some(span_id(request, place, 0)),
                service: beside.service.clone(),
                operation: beside.operation.clone(),
                start,
                duration,
                ..Span::default()
            });
        }
    }
}

fn exception(failure: &Failure, timing: &Timing<'_>, at: DateTime<Utc>) -> SpanLog {
    let stack = format!("{}: {} at {}.{}", failure.exception, failure.error, timing.hop.service, timing.hop.operation);
    let fields = [
        ("event", "exception"),
        ("exception.type", &failure.exception),
        ("exception.message", &failure.error),
        ("exception.stacktrace", &stack),
    ];
    SpanLog { at, fields: fields.map(|(key, value)| (CleanStr::new(key), CleanStr::new(value))).to_vec() }
}

fn span_id(request: &Request<'_>, place: usize, beside: usize) -> CleanStr {
    CleanStr::new(&format!("{:016x}", mix2(request.bits, (place * 64 + beside + 1_000) as u64)))
}

/// A permutation of 64 bits (four Feistel rounds); with the rounds in the other order it undoes itself.
fn scramble(bits: u64, seed: u64, rounds: [u64; 4]) -> u64 {
    let (mut left, mut right) = ((bits >> 32) as u32, bits as u32);
    for round in rounds {
        let mixed = mix2(seed ^ round, u64::from(right)) as u32;
        (left, right) = (right, left ^ mixed);
    }
    // The halves leave crossed, so that the same walk leads back.
    (u64::from(right) << 32) | u64::from(left)
}
