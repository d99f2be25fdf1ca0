//! Jaeger: error spans, slow spans and whole traces.
//!
//! Hides that Jaeger has two HTTP APIs, of which the older one is going away and the newer one came late, which of the two an endpoint speaks, and
//! that a search by error tag cannot find every error: each watched service is searched by tag, without it, and by duration.
//!
//! Invariant: only addresses below the configured one are asked, whatever a trace contains; a search that reached its limit says so; one that failed
//! hides nothing that another found, and keeps what it found before.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{Stream, StreamExt as _, iter};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::below::Below;
use super::http::{Answer, Failure, Limits, Site, Trouble};
use super::{Desk, Endpoint, Poller, Source, SourceError, Telling, attend};
use crate::live::{Finding, Inquiry, MOST_SPANS, SourceName, SpanFinding, Usual, WatchedService, Watchlist};
use crate::spans::evidence::has_status;
use crate::spans::{Rows, Span, Trace, TraceId};
use crate::text::CleanStr;

mod compare;
mod legacy;
mod lenient;
mod otlp;
mod searches;
mod settle;

use searches::Searches;
use settle::is_same_trace;

/// Its name in reports and in the configuration.
pub const NAME: SourceName = "jaeger";
/// Answers are large and are held while they are read: fewer at once than the client would allow.
const SEARCHES_AT_ONCE: usize = 3;
/// A search whose answer is too big goes on by halves of its time, until so many answers were: each is read for nothing …
const MOST_TOO_BIG: usize = 4;
/// … with no part shorter than this …
const SHORTEST_PART: TimeDelta = TimeDelta::seconds(10);
/// … and after that, for its newest part, for a quarter of the traces, down to this.
const FEWEST_TRACES: usize = 10;

/// Opens the source of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    let site = Site::open(NAME, endpoint, Limits::of_traces())?;
    let asker = Asker { site, dialect: Mutex::default(), known: Mutex::default(), watched: Mutex::default() };
    Ok(Box::new(Jaeger { asker, every: endpoint.every }))
}

struct Jaeger {
    asker: Asker,
    every: std::time::Duration,
}

impl Source for Jaeger {
    fn name(&self) -> SourceName {
        NAME
    }

    fn run(self: Box<Self>, desk: Desk) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(attend(self.asker, self.every, desk))
    }
}

struct Asker {
    site: Site,
    /// Which API the endpoint speaks; forgotten after a failure, because what comes back may be another version.
    dialect: Mutex<Option<Dialect>>,
    /// What each search found last, and how it failed since.
    known: Mutex<Searches>,
    /// The services that were watched last: what counts as an error of theirs is the same in a trace that is opened.
    watched: Mutex<Vec<WatchedService>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// `/api/traces`, Jaeger's internal JSON.
    Legacy,
    /// `/api/v3/traces`, OTLP JSON.
    Otlp,
}

impl Dialect {
    fn other(self) -> Self {
        match self {
            Self::Legacy => Self::Otlp,
            Self::Otlp => Self::Legacy,
        }
    }
}

/// How much of each span is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// What tells how it ended: for the tables.
    Evidence,
    /// Everything: for the waterfall.
    Whole,
}

/// What a search is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Aim {
    /// Traces with a span of the service whose `error` tag is true.
    TaggedErrors,
    /// Any trace of the service: an error may be marked in another way, or on a span of somebody else.
    Anything,
    /// Traces with a span of the service above its limit.
    Slow(TimeDelta),
}

impl Aim {
    fn limit(self) -> usize {
        match self {
            Self::TaggedErrors => 200,
            Self::Anything | Self::Slow(_) => 100,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::TaggedErrors => "error spans",
            Self::Anything => "traces",
            Self::Slow(_) => "slow spans",
        }
    }
}

/// One search of one service.
#[derive(Clone, Debug)]
struct Search {
    service: CleanStr,
    /// Only requests with this operation of the service.
    operation: Option<CleanStr>,
    aim: Aim,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    limit: usize,
}

/// What one search found, reduced to rows so that no trace is kept.
#[derive(Clone, Debug, Default)]
struct Found {
    traces: usize,
    /// As many traces as one part could have found at most; the fewest of all parts.
    limit: usize,
    /// Some part found as many as it could: there may be more.
    is_full: bool,
    /// In how many parts it was searched, because the answer was too big.
    parts: usize,
    /// How much of its time was not searched.
    unseen: TimeDelta,
    rows: Rows,
    seen: BTreeMap<CleanStr, Seen>,
}

impl Found {
    /// Takes in another part.
    fn add(&mut self, other: Self) {
        self.limit = if self.parts == 0 { other.limit } else { self.limit.min(other.limit) };
        self.traces += other.traces;
        self.is_full |= other.is_full;
        self.parts += 1;
        self.rows.errors.extend(other.rows.errors);
        self.rows.mended.extend(other.rows.mended);
        self.rows.slow.extend(other.rows.slow);
        for (service, seen) in other.seen {
            self.seen.entry(service).or_default().add(seen);
        }
    }
}

/// What the spans of a service say about themselves.
#[derive(Clone, Debug, Default)]
struct Seen {
    spans: usize,
    /// How many of them say anything about how they ended.
    with_status: usize,
    /// The smallest share of requests that a sampler says it keeps.
    sampled: Option<f64>,
    /// Answers from 400 to 499 that are no errors, by status.
    refused: BTreeMap<u16, usize>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.spans += other.spans;
        self.with_status += other.with_status;
        self.sampled = [self.sampled, other.sampled].into_iter().flatten().reduce(f64::min);
        for (status, count) in other.refused {
            *self.refused.entry(status).or_default() += count;
        }
    }
}

/// How a search ended, if not with the server being away.
enum Searched {
    Found(Found),
    Refused(CleanStr),
}

impl Poller for Asker {
    fn name(&self) -> SourceName {
        NAME
    }

    fn place(&self) -> CleanStr {
        self.site.place().clone()
    }

    async fn poll<'a>(&'a self, list: &'a Watchlist, telling: &'a Telling) -> Result<(), Failure> {
        let now = self.site.now();
        let polled = self.poll_at(list, telling, now).await;
        if polled.is_err() {
            self.remember(None);
        }
        polled
    }

    async fn answer(&self, inquiry: Inquiry) -> Option<Finding> {
        match inquiry {
            Inquiry::Trace(id) => Some(match self.trace(&id).await {
                Ok(Some(trace)) => Finding::Trace(trace),
                Ok(None) => {
                    let label = self.site.label();
                    let reason = format!("{label} has no trace {id}: it was not sampled, or it is too old or too new");
                    Finding::NoTrace(id, reason.into())
                }
                Err(failure) => Finding::NoTrace(id, failure.reason),
            }),
            Inquiry::Compare(wanted) => Some(Finding::Compared(Box::new(self.compare(wanted).await))),
            Inquiry::Exemplars(_) | Inquiry::Hint | Inquiry::Inject => None,
            Inquiry::Usual(before) => {
                let services = before.services.iter();
                let services = services.map(|service| WatchedService {
                    service: service.clone(),
                    slow: None,
                    ..WatchedService::default()
                });
                let found = self.search_once(&services.collect::<Vec<_>>(), before.length, before.until).await;
                Some(Finding::Usual(match found {
                    Ok(found) => Usual::of(&before, &found.errors),
                    Err(failure) => Usual { before, rates: Err(failure.reason) },
                }))
            }
        }
    }
}

impl Asker {
    /// Makes each search that does not wait after a failure, those that failed last at the end, and tells what all of them found so far.
    async fn poll_at(&self, list: &Watchlist, telling: &Telling, now: DateTime<Utc>) -> Result<(), Failure> {
        let dialect = self.dialect(&list.services).await?;
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&list.services);
        telling.tell_clock(&self.site).await;
        let wanted = searches_for(&list.services, list.lookback, self.site.now());
        let (well, unwell) = self.searches(|known| known.due(&wanted, now));
        let mut answered = wanted.is_empty();
        let mut first = None;
        let is_all = unwell.is_empty();
        for some in [well, unwell] {
            let is_any = !some.is_empty();
            let mut running = self.run(dialect, some, &list.services);
            while let Some((search, outcome)) = running.next().await {
                match &outcome {
                    Ok(_) => answered = true,
                    Err(failure) => first = first.or(Some(failure.clone())),
                }
                self.searches(|known| known.take(search, outcome, now));
            }
            // Those that hang are not waited for before the others are told; without any answer there is nothing to tell.
            if answered && (is_any || is_all) {
                let finding = self.searches(|known| known.finding(&wanted, &list.services, list.lookback, now));
                telling.tell(Finding::Spans(finding)).await;
            }
            if is_all {
                break;
            }
        }
        match first {
            Some(failure) if !answered => {
                self.searches(Searches::forget_pauses);
                Err(failure)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Searches some services once; what one search could not find is a gap.
    async fn search_once(
        &self,
        services: &[WatchedService],
        lookback: TimeDelta,
        end: DateTime<Utc>,
    ) -> Result<SpanFinding, Failure> {
        let dialect = self.dialect(services).await?;
        let wanted = searches_for(services, lookback, end);
        let mut searches = Searches::default();
        let mut running = self.run(dialect, wanted.clone(), services);
        while let Some((search, outcome)) = running.next().await {
            searches.take(search, Ok(outcome?), end);
        }
        Ok(searches.finding(&wanted, services, lookback, end))
    }

    async fn dialect(&self, services: &[WatchedService]) -> Result<Dialect, Failure> {
        match (self.known(), services.is_empty()) {
            (Some(dialect), false) => Ok(dialect),
            // Without a service to search for, asking for the dialect says whether the server is there.
            (Some(_) | None, _) => self.probe().await,
        }
    }

    fn searches<T>(&self, look: impl FnOnce(&mut Searches) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn run<'a>(
        &'a self,
        dialect: Dialect,
        searches: Vec<Search>,
        services: &[WatchedService],
    ) -> impl Stream<Item = (Search, Result<Searched, Failure>)> + Unpin + use<'a> {
        let watched = services.to_vec();
        let one = move |search: Search| {
            let watched = watched.clone();
            async move { (search.clone(), self.search(dialect, search, watched).await) }
        };
        Box::pin(iter(searches).map(one).buffer_unordered(SEARCHES_AT_ONCE))
    }

    /// Makes one search, the newest part of its time first where one answer is too big for all of it.
    async fn search(
        &self,
        dialect: Dialect,
        search: Search,
        watched: Vec<WatchedService>,
    ) -> Result<Searched, Failure> {
        let mut all = Found::default();
        let mut too_big = 0;
        let mut open = vec![search];
        while let Some(mut part) = open.pop() {
            let length = part.end - part.start;
            match self.part(dialect, &part, &watched).await {
                Ok(Searched::Found(found)) => all.add(found),
                Ok(Searched::Refused(why)) => return Ok(Searched::Refused(why)),
                Err(failure) if failure.trouble == Trouble::TooBig => {
                    too_big += 1;
                    if too_big < MOST_TOO_BIG && length / 2 >= SHORTEST_PART {
                        let middle = part.start + length / 2;
                        open.push(Search { end: middle, ..part.clone() });
                        open.push(Search { start: middle, ..part });
                    } else if all.parts == 0 && part.limit / 4 >= FEWEST_TRACES {
                        part.limit /= 4;
                        open.push(part);
                    } else if all.parts == 0 {
                        return Ok(Searched::Refused(failure.reason));
                    } else {
                        // The older parts are no smaller.
                        let left = open.drain(..).map(|part| part.end - part.start);
                        all.unseen += left.fold(length, |all, part| all + part);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(Searched::Found(all))
    }

    /// Asks for one part of a search's time.
    async fn part(&self, dialect: Dialect, part: &Search, watched: &[WatchedService]) -> Result<Searched, Failure> {
        let limit = part.limit;
        let (dialect, answer) = self.searched(dialect, part).await?;
        if is_no_match(dialect, &answer) {
            return Ok(Searched::Found(Found { limit, ..Found::default() }));
        }
        match answer.status {
            200 => {}
            400 | 422 | 501 => return Ok(Searched::Refused(super::http::said(&answer.body))),
            _ => return Err(self.site.complaint(&answer)),
        }
        let watched = watched.to_vec();
        let read = self.site.parse(answer, move |text| {
            Ok(match read_traces(dialect, text, Detail::Evidence, &watched)? {
                Ok(traces) => Ok(reduce(&traces, &watched, limit)),
                Err(refusal) => Err(refusal),
            })
        });
        Ok(read.await?.map_or_else(Searched::Refused, Searched::Found))
    }

    /// The answer to a search, and in which API: where a list of allowed paths lets the list of services through and not the search, the other API is
    /// tried, and what it answers with is asked from then on.
    async fn searched(&self, dialect: Dialect, search: &Search) -> Result<(Dialect, Answer), Failure> {
        let ask = async |dialect: Dialect| {
            let (path, query) = match dialect {
                Dialect::Legacy => legacy::search(search),
                Dialect::Otlp => otlp::search(search),
            };
            self.get(path, &query).await
        };
        let answer = ask(dialect).await?;
        if !is_refused(dialect, &answer) {
            return Ok((dialect, answer));
        }
        let other = dialect.other();
        match ask(other).await {
            Ok(second) if second.is_success() || is_no_match(other, &second) => {
                self.remember(Some(other));
                Ok((other, second))
            }
            Ok(_) | Err(_) => Ok((dialect, answer)),
        }
    }

    async fn trace(&self, id: &TraceId) -> Result<Option<Trace>, Failure> {
        let dialect = match self.known() {
            Some(dialect) => dialect,
            None => self.probe().await?,
        };
        let padded = lenient::trace_id(id);
        // A store that compares ids as texts may know a short id in its short form alone.
        let short = padded.strip_prefix("0000000000000000").filter(|_| padded.len() == 32);
        for id in std::iter::once(padded.as_str()).chain(short) {
            let path = match dialect {
                Dialect::Legacy => Below::of("api/traces/{}", &[id]),
                Dialect::Otlp => Below::of("api/v3/traces/{}", &[id]),
            };
            let answer = self.get(path, &[]).await?;
            if answer.status == 404 && says_not_found(&answer) {
                continue;
            }
            if !answer.is_success() {
                return Err(self.site.complaint(&answer));
            }
            let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let traces =
                self.site.parse(answer, move |text| read_traces(dialect, text, Detail::Whole, &watched)).await?;
            let traces = traces.unwrap_or_default();
            if let Some(trace) =
                traces.into_iter().find(|trace| is_same_trace(&trace.id, &padded) && !trace.spans.is_empty())
            {
                return Ok(Some(bounded(trace)));
            }
        }
        Ok(None)
    }

    /// Finds out which API the endpoint speaks. Where both are there the older one is taken: before v2.19 the newer one ignores the error tag.
    async fn probe(&self) -> Result<Dialect, Failure> {
        #[derive(Deserialize)]
        struct Legacy {
            data: Option<Vec<IgnoredAny>>,
            #[serde(default)]
            errors: Option<Vec<IgnoredAny>>,
        }
        #[derive(Deserialize)]
        struct Otlp {
            #[serde(default)]
            services: Option<Vec<IgnoredAny>>,
        }
        // A proxy may let one of them through and not the other: what is refused says nothing about its neighbour.
        let newer = self.get("api/v3/services", &[]).await;
        let older = self.get("api/services", &[]).await;
        let is_otlp = newer.as_ref().is_ok_and(|newer| {
            let told = serde_json::from_slice::<Otlp>(&newer.body);
            // `{}` is how the newer API says that it knows no service; any other object is somebody else's.
            newer.is_success() && told.is_ok_and(|told| told.services.is_some() || newer.body.trim_ascii() == b"{}")
        });
        let is_legacy = older.as_ref().is_ok_and(|older| {
            let told = serde_json::from_slice::<Legacy>(&older.body);
            let is_one = |told: Legacy| told.data.is_some() || told.errors.is_some();
            older.is_success() && told.is_ok_and(|told| is_one(told) || older.body.starts_with(b"{\"data\""))
        });
        let dialect = match (is_legacy, is_otlp) {
            (true, _) => Dialect::Legacy,
            (false, true) => Dialect::Otlp,
            (false, false) => {
                let (newer, older) = (newer?, older?);
                let is_plain = |answer: &Answer| matches!(answer.status, 404 | 200);
                if is_plain(&newer) && is_plain(&older) {
                    let what = "answers neither /api/v3/services nor /api/services as Jaeger does: \
                                is the address right, with its path prefix?";
                    return Err(self.site.failure(Trouble::Status(older.status), what.to_owned()));
                }
                return Err(self.site.complaint(if is_plain(&older) { &newer } else { &older }));
            }
        };
        self.remember(Some(dialect));
        Ok(dialect)
    }

    async fn get(&self, path: impl Into<Below>, query: &[(&'static str, String)]) -> Result<Answer, Failure> {
        let request = self.site.get(path)?.query(query);
        self.site.ask(request.send()).await
    }

    fn known(&self) -> Option<Dialect> {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, dialect: Option<Dialect>) {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = dialect;
    }
}

/// Each service is searched by tag, without it, and by duration where it has a limit.
fn searches_for(services: &[WatchedService], lookback: TimeDelta, end: DateTime<Utc>) -> Vec<Search> {
    let start = end.checked_sub_signed(lookback).unwrap_or(end);
    let each = services.iter().flat_map(|watched| {
        let aims = [Some(Aim::TaggedErrors), Some(Aim::Anything), watched.slow.map(Aim::Slow)];
        let search = |aim: Aim| Search {
            service: watched.service.clone(),
            operation: None,
            aim,
            start,
            end,
            limit: aim.limit(),
        };
        aims.into_iter().flatten().map(search)
    });
    each.collect()
}

fn reduce(traces: &[Trace], watched: &[WatchedService], limit: usize) -> Found {
    let mut found = Found { traces: traces.len(), limit, is_full: traces.len() >= limit, ..Found::default() };
    for trace in traces {
        let Rows { errors, mended, slow } = trace.rows(watched);
        found.rows.errors.extend(errors);
        found.rows.mended.extend(mended);
        found.rows.slow.extend(slow);
        for span in trace.spans.iter().filter(|span| watched.iter().any(|one| one.service == span.service)) {
            let seen = found.seen.entry(span.service.clone()).or_default();
            seen.spans += 1;
            seen.with_status += usize::from(has_status(span));
            if let Some(share) = sampled(span) {
                seen.sampled = Some(seen.sampled.map_or(share, |known| known.min(share)));
            }
            if let Some(status) = span.http_status.filter(|status| (400..500).contains(status) && !span.is_error()) {
                *seen.refused.entry(status).or_default() += 1;
            }
        }
    }
    found
}

/// Which share of requests its sampler keeps, as clients of Jaeger tag the first span of a trace.
fn sampled(span: &Span) -> Option<f64> {
    let tag = |name: &str| span.tags.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let share: f64 = tag("sampler.param")?.parse().ok()?;
    (tag("sampler.type") == Some("probabilistic") && share > 0.0 && share < 1.0).then_some(share)
}

/// Which HTTP statuses below 500 are errors of a service.
fn statuses_of<'a>(service: &CleanStr, watched: &'a [WatchedService]) -> &'a [u16] {
    watched.iter().find(|one| one.service == *service).map_or(&[], |one| &one.statuses)
}

/// Reads an answer with traces; the inner error is the server's own sentence in an answer that looks like a success.
fn read_traces(
    dialect: Dialect,
    text: &str,
    detail: Detail,
    watched: &[WatchedService],
) -> Result<Result<Vec<Trace>, CleanStr>, serde_json::Error> {
    let mut read = match dialect {
        Dialect::Legacy => legacy::read(text, detail, watched),
        Dialect::Otlp => otlp::read(text, detail, watched),
    }?;
    if let Ok(traces) = &mut read {
        traces.iter_mut().for_each(settle::settle);
    }
    Ok(read)
}

/// Whether a path is not let through, or is not there.
fn is_refused(dialect: Dialect, answer: &Answer) -> bool {
    matches!(answer.status, 403..=405) && !is_no_match(dialect, answer)
}

/// The newer API says 404 when nothing matches; the same status with another body means that the API is not there.
fn is_no_match(dialect: Dialect, answer: &Answer) -> bool {
    dialect == Dialect::Otlp && answer.status == 404 && says_not_found(answer)
}

fn says_not_found(answer: &Answer) -> bool {
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        error: Option<IgnoredAny>,
        #[serde(default)]
        errors: Option<IgnoredAny>,
        #[serde(default)]
        message: Option<IgnoredAny>,
    }
    serde_json::from_slice::<Told>(&answer.body)
        .is_ok_and(|told| told.error.is_some() || told.errors.is_some() || told.message.is_some())
}

fn bounded(mut trace: Trace) -> Trace {
    let all = trace.spans.len();
    if all > MOST_SPANS {
        trace.spans.sort_by_key(|span| (!span.is_error(), span.start));
        trace.spans.truncate(MOST_SPANS);
        trace.warnings.push(format!("{MOST_SPANS} of {all} spans are kept: the errors and the earliest").into());
    }
    trace
}
