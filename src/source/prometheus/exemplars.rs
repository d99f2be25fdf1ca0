//! What Prometheus knows beside the numbers of a histogram: single requests with their traces, and where its buckets end.
//!
//! Hides that traces are labelled in several spellings, and that a server without a store of exemplars answers as one that has none.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tokio::time::Instant;

use super::envelope::Number;
use super::{Problem, Server};
use crate::live::exemplar::MOST_EXEMPLARS;
use crate::live::{Exemplar, Exemplars, ExemplarsOf};
use crate::slo::{Measured, Objective, Side, promql};
use crate::source::http::{Failure, said};
use crate::text::CleanStr;

/// Labels under which clients put the id of a trace.
const TRACE_LABELS: [&str; 6] = ["trace_id", "traceID", "traceId", "TraceID", "trace.id", "traceid"];
/// Buckets change with a release: so long what is known of them holds.
const HOLDS: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    data: Vec<OfSeries>,
}

#[derive(Deserialize)]
struct OfSeries {
    #[serde(default)]
    exemplars: Vec<WireExemplar>,
}

#[derive(Deserialize)]
struct WireExemplar {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    value: Number,
    timestamp: f64,
}

impl Server {
    /// The exemplars of an objective in a time.
    pub(super) async fn exemplars(&self, asked: ExemplarsOf) -> Exemplars {
        let found = self.all_exemplars(&asked).await.unwrap_or_else(|failure| Err(failure.reason));
        Exemplars { objective: asked.objective, found }
    }

    async fn all_exemplars(&self, asked: &ExemplarsOf) -> Result<Result<Vec<Exemplar>, CleanStr>, Failure> {
        let time = |at: DateTime<Utc>| format!("{}.{:03}", at.timestamp(), at.timestamp_subsec_millis());
        let query = [("query", asked.query.to_string()), ("start", time(asked.from)), ("end", time(asked.until))];
        let request = self.site.get("api/v1/query_exemplars")?.query(&query);
        let answer = self.site.ask(request.send()).await?;
        match answer.status {
            200 => {}
            404 | 405 | 501 => return Ok(Err("this server keeps no exemplars".into())),
            400 | 422 => return Ok(Err(said(&answer.body))),
            _ => return Err(self.site.complaint(&answer)),
        }
        let wire: Wire = self.site.parse(answer, |text| serde_json::from_str(text)).await?;
        let read = |one: WireExemplar| {
            let trace = TRACE_LABELS.iter().find_map(|name| one.labels.get(*name))?;
            let at = DateTime::from_timestamp_millis((one.timestamp * 1000.0) as i64)?;
            Some(Exemplar { at, value: one.value.0, trace: CleanStr::field(trace) })
        };
        let mut all: Vec<Exemplar> = wire.data.into_iter().flat_map(|one| one.exemplars).filter_map(read).collect();
        all.sort_by(|one, other| other.value.total_cmp(&one.value));
        all.truncate(MOST_EXEMPLARS);
        all.sort_by_key(|one| one.at);
        all.dedup_by(|one, other| one.trace == other.trace && one.at == other.at);
        Ok(Ok(all))
    }

    /// Says of a quantile where its buckets end. One that lies there proves nothing against a limit beyond them.
    pub(super) async fn bounded(&self, found: Measured, objective: &Objective, now: DateTime<Utc>) -> Measured {
        let Some(buckets) = promql::buckets(&found.query) else { return found };
        let Some(ceiling) = self.ceiling(buckets, now).await else { return found };
        let mut found = Measured { ceiling: Some(ceiling), ..found };
        let is_there = found.series.iter().flat_map(|one| &one.values).flatten().any(|value| found.is_beyond(*value));
        if is_there && objective.side.is_more_worse() && objective.is_broken_by(ceiling) == Some(false) {
            let (end, limit) = (objective.unit.show(ceiling), objective.unit.show(objective.limit()));
            let why = format!("the buckets end at {end}: what lies beyond may be over the limit of {limit}");
            found.partial.push(why.into());
        }
        found
    }

    /// The greatest bound of buckets, but for the one without a bound.
    async fn ceiling(&self, buckets: &str, now: DateTime<Utc>) -> Option<f64> {
        let known = || self.bounds.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, bound)) = known().get(buckets).copied().filter(|(at, _)| at.elapsed() < HOLDS) {
            return bound;
        }
        let query = format!("count by (le) (\n{buckets}\n)");
        let found = match self.instant(&query, Side::AtMost, now).await {
            Ok(found) => found,
            Err(Problem::Query(_)) => Default::default(),
            // It is asked again with the next values.
            Err(Problem::Server(_)) => return None,
        };
        let bounds = found.series.iter().filter_map(|one| one.name.strip_prefix("le=")?.parse::<f64>().ok());
        let bound = bounds.filter(|bound| bound.is_finite()).reduce(f64::max);
        let mut known = known();
        if known.len() > MOST_KNOWN {
            known.clear();
        }
        known.insert(buckets.to_owned(), (Instant::now(), bound));
        bound
    }
}

/// Of so many buckets the end is remembered.
const MOST_KNOWN: usize = 500;
