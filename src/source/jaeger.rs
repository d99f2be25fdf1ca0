//! Jaeger: error spans, slow spans and whole traces.
//!
//! Hides that Jaeger has two HTTP APIs, of which the older one is going away and the newer one came late, which of the two an endpoint speaks, and
//! that a search by error tag cannot find every error: each watched service is searched by tag, without it, and by duration.
//!
//! Invariant: only addresses below the configured one are asked, whatever a trace contains; a search that reached its limit says so.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{StreamExt as _, iter};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::http::{Answer, Failure, Limits, Site, Trouble, segment};
use super::{Desk, Endpoint, Poller, Source, SourceError, Telling, attend};
use crate::clock;
use crate::live::{Finding, Inquiry, MOST_ROWS, MOST_SPANS, SourceName, SpanFinding, Usual, WatchedService, Watchlist};
use crate::spans::{SpanRow, Trace, TraceId};
use crate::text::CleanStr;

mod legacy;
mod lenient;
mod otlp;

/// Its name in reports and in the configuration.
pub const NAME: SourceName = "jaeger";
/// Answers are large and are held while they are read: fewer at once than the client would allow.
const SEARCHES_AT_ONCE: usize = 3;
/// A search whose answer is too big is tried again for a quarter of the traces, down to this.
const FEWEST_TRACES: usize = 10;

/// Opens the source of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    let site = Site::open(NAME, endpoint, Limits::of_traces())?;
    Ok(Box::new(Jaeger { asker: Asker { site, dialect: Mutex::default() }, every: endpoint.every }))
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    /// `/api/traces`, Jaeger's internal JSON.
    Legacy,
    /// `/api/v3/traces`, OTLP JSON.
    Otlp,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    aim: Aim,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    limit: usize,
}

/// What one search found, reduced to rows so that no trace is kept.
#[derive(Debug, Default)]
struct Found {
    traces: usize,
    errors: Vec<SpanRow>,
    slow: Vec<SpanRow>,
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
        let polled = self.search_all(&list.services, list.lookback, clock::wall()).await;
        match polled {
            Ok(finding) => {
                telling.tell(Finding::Spans(finding)).await;
                Ok(())
            }
            Err(failure) => {
                self.remember(None);
                Err(failure)
            }
        }
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
            Inquiry::Hint | Inquiry::Inject => None,
            Inquiry::Usual(before) => {
                let services = before.services.iter();
                let services = services.map(|service| WatchedService { service: service.clone(), slow: None });
                let found = self.search_all(&services.collect::<Vec<_>>(), before.length, before.until).await;
                Some(Finding::Usual(match found {
                    Ok(found) => Usual::of(&before, &found.errors),
                    Err(failure) => Usual { before, rates: Err(failure.reason) },
                }))
            }
        }
    }
}

impl Asker {
    async fn search_all(
        &self,
        services: &[WatchedService],
        lookback: TimeDelta,
        end: DateTime<Utc>,
    ) -> Result<SpanFinding, Failure> {
        let start = end.checked_sub_signed(lookback).unwrap_or(end);
        let dialect = match (self.known(), services.is_empty()) {
            (Some(dialect), false) => dialect,
            // Without a service to search for, asking for the dialect says whether the server is there.
            (Some(_) | None, _) => self.probe().await?,
        };
        let watched: Vec<(CleanStr, Option<TimeDelta>)> =
            services.iter().map(|watched| (watched.service.clone(), watched.slow)).collect();
        let searches = services.iter().flat_map(|watched| {
            aims(watched).map(|aim| Search { service: watched.service.clone(), aim, start, end, limit: aim.limit() })
        });
        let searches: Vec<Search> = searches.collect();
        let mut running = iter(searches)
            .map(|search| {
                let watched = watched.clone();
                async move { (search.clone(), self.search(dialect, search, watched).await) }
            })
            .buffered(SEARCHES_AT_ONCE);
        let mut errors = BTreeMap::new();
        let mut slow = BTreeMap::new();
        let mut remarks = Vec::new();
        while let Some((search, outcome)) = running.next().await {
            let service = &search.service;
            let what = search.aim.what();
            match outcome? {
                Searched::Refused(reason) => {
                    remarks.push(format!("{what} of {service} could not be searched: {reason}").into());
                }
                Searched::Found(found) => {
                    if let Some(remark) = remark(&search, &found, lookback) {
                        remarks.push(remark);
                    }
                    let key = |row: &SpanRow| (row.trace.clone(), row.span.clone());
                    errors.extend(found.errors.into_iter().map(|row| (key(&row), row)));
                    slow.extend(found.slow.into_iter().map(|row| (key(&row), row)));
                }
            }
        }
        let mut errors: Vec<SpanRow> = errors.into_values().collect();
        errors.sort_by_key(|row| Reverse(row.at));
        let mut slow: Vec<SpanRow> = slow.into_values().collect();
        slow.sort_by_key(|row| Reverse(row.duration));
        for (rows, what) in [(&mut errors, "error spans, the newest"), (&mut slow, "slow spans, the slowest")] {
            if rows.len() > MOST_ROWS {
                remarks.push(format!("{MOST_ROWS} of {} {what}, are kept", rows.len()).into());
                rows.truncate(MOST_ROWS);
            }
        }
        Ok(SpanFinding { errors, slow, lookback, remarks })
    }

    async fn search(
        &self,
        dialect: Dialect,
        mut search: Search,
        watched: Vec<(CleanStr, Option<TimeDelta>)>,
    ) -> Result<Searched, Failure> {
        loop {
            let (path, query) = match dialect {
                Dialect::Legacy => legacy::search(&search),
                Dialect::Otlp => otlp::search(&search),
            };
            let watched = watched.clone();
            let outcome = async {
                let answer = self.get(path, &query).await?;
                if is_no_match(dialect, &answer) {
                    return Ok(Searched::Found(Found::default()));
                }
                match answer.status {
                    200 => {}
                    400 | 422 | 501 => return Ok(Searched::Refused(said(&answer))),
                    _ => return Err(self.site.complaint(&answer)),
                }
                let read = self.site.parse(answer, move |text| {
                    Ok(match read_traces(dialect, text, Detail::Evidence)? {
                        Ok(traces) => Ok(reduce(&traces, &watched)),
                        Err(refusal) => Err(refusal),
                    })
                });
                Ok(match read.await? {
                    Ok(found) => Searched::Found(found),
                    Err(refusal) => Searched::Refused(refusal),
                })
            };
            match outcome.await {
                Err(failure) if failure.trouble == Trouble::TooBig => {
                    search.limit /= 4;
                    if search.limit < FEWEST_TRACES {
                        return Ok(Searched::Refused(failure.reason));
                    }
                }
                outcome => return outcome,
            }
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
                Dialect::Legacy => format!("api/traces/{}", segment(id)),
                Dialect::Otlp => format!("api/v3/traces/{}", segment(id)),
            };
            let answer = self.get(&path, &[]).await?;
            if answer.status == 404 && says_not_found(&answer) {
                continue;
            }
            if !answer.is_success() {
                return Err(self.site.complaint(&answer));
            }
            let traces = self.site.parse(answer, move |text| read_traces(dialect, text, Detail::Whole)).await?;
            let traces = traces.unwrap_or_default();
            if let Some(trace) = traces.into_iter().find(|trace| trace.id == padded && !trace.spans.is_empty()) {
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
        let newer = self.get("api/v3/services", &[]).await?;
        if matches!(newer.status, 401 | 403 | 429) {
            return Err(self.site.complaint(&newer));
        }
        let older = self.get("api/services", &[]).await?;
        let is_otlp = newer.is_success()
            && serde_json::from_slice::<Otlp>(&newer.body).is_ok_and(|told| {
                // `{}` is how the newer API says that it knows no service; any other object is somebody else's.
                told.services.is_some() || newer.body.trim_ascii() == b"{}"
            });
        let is_legacy = older.is_success()
            && serde_json::from_slice::<Legacy>(&older.body)
                .is_ok_and(|told| told.data.is_some() || told.errors.is_some() || older.body.starts_with(b"{\"data\""));
        let dialect = match (is_legacy, is_otlp) {
            (true, _) => Dialect::Legacy,
            (false, true) => Dialect::Otlp,
            (false, false) if matches!(newer.status, 404 | 200) && matches!(older.status, 404 | 200) => {
                let what = "answers neither /api/v3/services nor /api/services as Jaeger does: \
                            is the address right, with its path prefix?";
                return Err(self.site.failure(Trouble::Status(older.status), what.to_owned()));
            }
            (false, false) => {
                return Err(self.site.complaint(if older.is_success() { &newer } else { &older }));
            }
        };
        self.remember(Some(dialect));
        Ok(dialect)
    }

    async fn get(&self, path: &str, query: &[(&'static str, String)]) -> Result<Answer, Failure> {
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

fn aims(watched: &WatchedService) -> impl Iterator<Item = Aim> + use<> {
    [Some(Aim::TaggedErrors), Some(Aim::Anything), watched.slow.map(Aim::Slow)].into_iter().flatten()
}

/// What a reader of the tables must know about a search.
fn remark(search: &Search, found: &Found, lookback: TimeDelta) -> Option<CleanStr> {
    let Search { service, aim, limit, .. } = search;
    let is_full = found.traces >= *limit;
    let text = match aim {
        Aim::TaggedErrors | Aim::Slow(_) if is_full => {
            format!("limit of {limit} traces reached for {} of {service}: there may be more", aim.what())
        }
        Aim::Anything if is_full => {
            format!("errors of {service} without an error tag were looked for in {limit} traces only")
        }
        Aim::Anything if found.traces == 0 => {
            let minutes = lookback.num_minutes();
            format!("no trace of {service} in the last {minutes} min: is this its name in the traces?")
        }
        Aim::TaggedErrors | Aim::Slow(_) | Aim::Anything => return None,
    };
    Some(text.into())
}

fn reduce(traces: &[Trace], watched: &[(CleanStr, Option<TimeDelta>)]) -> Found {
    let mut found = Found { traces: traces.len(), ..Found::default() };
    for trace in traces {
        let (errors, slow) = trace.rows(watched);
        found.errors.extend(errors);
        found.slow.extend(slow);
    }
    found
}

/// Reads an answer with traces; the inner error is the server's own sentence in an answer that looks like a success.
fn read_traces(
    dialect: Dialect,
    text: &str,
    detail: Detail,
) -> Result<Result<Vec<Trace>, CleanStr>, serde_json::Error> {
    match dialect {
        Dialect::Legacy => legacy::read(text, detail),
        Dialect::Otlp => otlp::read(text, detail),
    }
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

/// The sentence in a refusal: JSON of either API (the content type lies), or plain text.
fn said(answer: &Answer) -> CleanStr {
    #[derive(Deserialize)]
    struct One {
        #[serde(alias = "message")]
        msg: String,
    }
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        error: Option<One>,
        #[serde(default)]
        errors: Option<Vec<One>>,
    }
    let told = serde_json::from_slice::<Told>(&answer.body).ok();
    let told = told.and_then(|told| told.error.or_else(|| told.errors?.into_iter().next()));
    told.map_or_else(|| super::http::excerpt(&answer.body), |one| CleanStr::field(&one.msg))
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
