//! A healthy trace of an operation, and the requests of now and then in figures.
//!
//! Hides that a search for one may find none, and that an answer may be too big. Only one trace of all that are read is kept.
//!
//! Invariant: what could not be searched is said, and is never "none".

use super::{Aim, Asker, Detail, Dialect, FEWEST_TRACES, Search, is_no_match, read_traces};
use crate::source::http::{Failure, Trouble, said};
use crate::spans::Trace;
use crate::spans::compare::{Census, Compared, Entry, Healthy, Period, Wanted, typical};
use crate::text::{CleanStr, many};

/// As many requests of each time are looked at.
const MOST_REQUESTS: usize = 100;

impl Asker {
    /// Looks for a healthy trace in each of the times, and counts the requests of that time and of now.
    pub(super) async fn compare(&self, wanted: Wanted) -> Compared {
        let Wanted { trace, entry, then, now } = wanted;
        let healthy = self.healthy(&entry, then, &now).await;
        Compared { trace, entry, healthy }
    }

    async fn healthy(&self, entry: &Entry, then: Vec<Period>, now: &Period) -> Result<Healthy, CleanStr> {
        let dialect = match self.known() {
            Some(dialect) => dialect,
            None => self.probe().await.map_err(|failure| failure.reason)?,
        };
        let mut seen = Vec::new();
        for period in then {
            let (census, trace) = self.requests(dialect, entry, &period).await?;
            match trace {
                Some(trace) => {
                    let now = self.requests(dialect, entry, now).await.map(|(census, _)| census);
                    return Ok(Healthy { trace, period, then: census, now });
                }
                None => seen.push(format!("{} in {}", many(census.requests, "trace"), period.what)),
            }
        }
        let Entry { service, operation } = entry;
        Err(format!("no healthy trace of {service} {operation} was found: {}", seen.join(", ")).into())
    }

    /// The requests of a time, and the healthy one that is most like the others.
    async fn requests(
        &self,
        dialect: Dialect,
        entry: &Entry,
        period: &Period,
    ) -> Result<(Census, Option<Trace>), CleanStr> {
        let mut search = Search {
            service: entry.service.clone(),
            operation: Some(entry.operation.clone()),
            aim: Aim::Anything,
            start: period.from,
            end: period.until,
            limit: MOST_REQUESTS,
        };
        loop {
            match self.of_operation(dialect, &search, entry).await {
                Ok(found) => return found,
                // What is only compared needs no second part: fewer of the newest do.
                Err(failure) if failure.trouble == Trouble::TooBig && search.limit / 4 >= FEWEST_TRACES => {
                    search.limit /= 4;
                }
                Err(failure) => return Err(failure.reason),
            }
        }
    }

    async fn of_operation(
        &self,
        dialect: Dialect,
        search: &Search,
        entry: &Entry,
    ) -> Result<Result<(Census, Option<Trace>), CleanStr>, Failure> {
        let (dialect, answer) = self.searched(dialect, search).await?;
        if is_no_match(dialect, &answer) {
            return Ok(Ok(Default::default()));
        }
        match answer.status {
            200 => {}
            400 | 422 | 501 => return Ok(Err(said(&answer.body))),
            _ => return Err(self.site.complaint(&answer)),
        }
        let (entry, limit) = (entry.clone(), search.limit);
        let watched = self.watched.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        self.site
            .parse(answer, move |text| {
                Ok(read_traces(dialect, text, Detail::Evidence, &watched)?.map(|traces| {
                    let census = Census { is_sample: traces.len() >= limit, ..Census::of(&traces, &entry) };
                    (census, typical(traces, &entry))
                }))
            })
            .await
    }
}
