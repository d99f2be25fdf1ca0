//! Prometheus: objectives measured over a grid of moments, burn rates, and alerts.
//!
//! Hides its HTTP API: a range query by POST for each objective and instant queries for the burn rates, through `prometheus-http-query` on our own
//! client. The answers are read here and not by that crate, because it drops warnings, has no limit, and fails on native histograms.
//!
//! Invariant: one bad query makes its own objective unmeasured and nothing else; a moment without a sample stays without; a server that measures but
//! has no alerts to ask for is a healthy one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{join, join_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use prometheus_http_query::Client;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;

use super::http::{Answer, Failure, Limits, Site, Trouble};
use super::{Desk, Endpoint, Poller, Source, SourceError, Telling, attend};
use crate::clock;
use crate::live::{Finding, Inquiry, SourceName, WatchedObjective, Watchlist};
use crate::slo::{BURN_WINDOWS, Grid, Measured, ObjectiveKind};
use crate::text::CleanStr;

mod alerts;
mod envelope;

use envelope::{Envelope, Findings};

/// Its name in reports and in the configuration.
pub const NAME: SourceName = "prometheus";
/// A graph is not finer than this, because servers are rarely scraped more often.
const FINEST: TimeDelta = TimeDelta::seconds(15);
/// The server is told to give up shortly before we stop listening, because its sentence is better than ours.
const PATIENCE: Duration = Duration::from_millis(4_500);

/// Opens the source of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    let site = Site::open(NAME, endpoint, Limits::default())?;
    let client = Client::from(site.client().clone(), site.base());
    let client =
        client.map_err(|error| SourceError::Address { name: NAME, problem: format!("cannot be used: {error}") })?;
    Ok(Box::new(Prometheus { asker: Asker { site, client, version: Mutex::default() }, every: endpoint.every }))
}

struct Prometheus {
    asker: Asker,
    every: Duration,
}

impl Source for Prometheus {
    fn name(&self) -> SourceName {
        NAME
    }

    fn run(self: Box<Self>, desk: Desk) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(attend(self.asker, self.every, desk))
    }
}

struct Asker {
    site: Site,
    client: Client,
    /// `None` until it was asked for; then what stands behind the address, empty if the server does not say.
    version: Mutex<Option<String>>,
}

/// Why one query gave nothing.
enum Problem {
    /// The query is bad or too heavy: the objective's own problem.
    Query(CleanStr),
    /// The server is.
    Server(Failure),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Server(failure)
    }
}

impl Poller for Asker {
    fn name(&self) -> SourceName {
        NAME
    }

    fn place(&self) -> CleanStr {
        let version = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match version {
            Some(version) if !version.is_empty() => format!("{} (version {version})", self.site.place()).into(),
            Some(_) | None => self.site.place().clone(),
        }
    }

    async fn poll<'a>(&'a self, list: &'a Watchlist, telling: &'a Telling) -> Result<(), Failure> {
        let now = clock::wall();
        let alerts = async {
            let found = self.alerts().await?;
            telling.tell(Finding::Alerts(found)).await;
            Ok::<_, Failure>(())
        };
        let (alerts, measured) = join(alerts, self.measure_all(list, telling, now)).await;
        measured?;
        if let Err(failure) = alerts {
            if list.objectives.is_empty() {
                self.probe(&failure, now).await?;
            }
            telling.tell(Finding::NoAlerts(failure.reason)).await;
        }
        self.learn_version(telling).await;
        Ok(())
    }

    /// Prometheus has no traces: questions for one are another source's.
    async fn answer(&self, inquiry: Inquiry) -> Option<Finding> {
        match inquiry {
            Inquiry::Trace(_) | Inquiry::Usual(_) | Inquiry::Hint | Inquiry::Inject => None,
        }
    }
}

impl Asker {
    /// Whether a server that gave no alerts is well all the same: many that answer queries know no rules.
    async fn probe(&self, failure: &Failure, now: DateTime<Utc>) -> Result<(), Failure> {
        match failure.trouble {
            Trouble::Unreached | Trouble::Away | Trouble::Late | Trouble::Ours => return Err(failure.clone()),
            Trouble::Status(_) | Trouble::Garbled | Trouble::TooBig => {}
        }
        match self.instant("vector(1)", now).await {
            Ok(_) | Err(Problem::Query(_)) => Ok(()),
            Err(Problem::Server(failure)) => Err(failure),
        }
    }

    async fn measure_all(&self, list: &Watchlist, telling: &Telling, now: DateTime<Utc>) -> Result<(), Failure> {
        let mut has_answered = false;
        let mut asked: FuturesUnordered<_> = list
            .objectives
            .iter()
            .map(|watched| async move {
                let grid = Grid::covering(watched.reach.unwrap_or(list.span), now, list.points, FINEST);
                (watched, self.measure(watched, grid, now).await)
            })
            .collect();
        while let Some((watched, outcome)) = asked.next().await {
            let id = watched.id.clone();
            match outcome {
                Ok(measured) => {
                    has_answered = true;
                    telling.tell(Finding::Measured(id, measured)).await;
                }
                Err(Problem::Query(reason)) => {
                    has_answered = true;
                    telling.tell(Finding::Unmeasured(id, reason)).await;
                }
                // A server that answers others is well; one that has answered nobody so far is not, and the rest need not wait for it.
                Err(Problem::Server(failure))
                    if has_answered && matches!(failure.trouble, Trouble::Late | Trouble::TooBig) =>
                {
                    telling.tell(Finding::Unmeasured(id, failure.reason)).await;
                }
                Err(Problem::Server(failure)) if failure.trouble == Trouble::TooBig => {
                    has_answered = true;
                    telling.tell(Finding::Unmeasured(id, failure.reason)).await;
                }
                Err(Problem::Server(failure)) => return Err(failure),
            }
        }
        Ok(())
    }

    async fn measure(&self, watched: &WatchedObjective, grid: Grid, now: DateTime<Utc>) -> Result<Measured, Problem> {
        let objective = &watched.objective;
        let query = objective.query(&objective.window);
        let is_ratio = objective.kind == ObjectiveKind::Ratio;
        let has_window = objective.expr.contains("$window");
        let windows: &[&str] = if is_ratio && has_window { &BURN_WINDOWS } else { &[] };
        let queries: Vec<String> = windows.iter().map(|window| objective.query(window)).collect();
        let burns = join_all(queries.iter().map(|query| self.instant(query, now)));
        let (found, burns) = tokio::try_join!(self.range(&query, grid), async { Ok::<_, Problem>(burns.await) })?;

        let mut remarks = found.remarks;
        let mut burn = [None; 3];
        for (place, (window, ratios)) in windows.iter().zip(burns).enumerate() {
            match ratios {
                Ok(ratios) => {
                    let rates = ratios.into_iter().filter_map(|ratio| objective.burn_rate(ratio));
                    burn[place] = rates.reduce(f64::max);
                }
                Err(Problem::Query(reason)) => remarks.push(format!("no burn rate over {window}: {reason}").into()),
                Err(Problem::Server(failure)) => match failure.trouble {
                    Trouble::Late | Trouble::TooBig => {
                        remarks.push(format!("no burn rate over {window}: {}", failure.reason).into());
                    }
                    Trouble::Unreached | Trouble::Away | Trouble::Status(_) | Trouble::Garbled | Trouble::Ours => {
                        return Err(failure.into());
                    }
                },
            }
        }
        if is_ratio && !has_window {
            remarks.push("no burn rates: the expression has no $window".into());
        }
        Ok(Measured {
            grid,
            series: found.series,
            left_out: found.left_out,
            query: query.as_str().into(),
            burn,
            remarks,
        })
    }

    async fn range(&self, query: &str, grid: Grid) -> Result<Findings, Problem> {
        let (start, end) = (grid.start.timestamp(), grid.end().timestamp());
        let mut request = self
            .client
            .query_range(query, start, end, grid.resolution.as_seconds_f64())
            .timeout(PATIENCE.as_millis() as i64);
        if let Some(header) = self.site.authorization()? {
            request = request.header(AUTHORIZATION, header);
        }
        let answer = self.site.ask(request.post_raw()).await?;
        self.read(answer, grid).await
    }

    /// The values of an instant query, one for each series.
    async fn instant(&self, query: &str, now: DateTime<Utc>) -> Result<Vec<f64>, Problem> {
        let mut request = self.client.query(query).at(now.timestamp()).timeout(PATIENCE.as_millis() as i64);
        if let Some(header) = self.site.authorization()? {
            request = request.header(AUTHORIZATION, header);
        }
        let answer = self.site.ask(request.post_raw()).await?;
        let moment = DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now);
        let grid = Grid { start: moment, resolution: TimeDelta::seconds(1), len: 1 };
        let found = self.read(answer, grid).await?;
        Ok(found.series.into_iter().filter_map(|series| series.values.first().copied().flatten()).collect())
    }

    async fn read(&self, answer: Answer, grid: Grid) -> Result<Findings, Problem> {
        let status = answer.status;
        // A status of our own making (a proxy's, a missing path) carries no envelope; what does is Prometheus itself.
        let is_its_own = answer.is_success() || matches!(status, 400 | 422 | 503);
        if !is_its_own {
            return Err(self.site.complaint(&answer).into());
        }
        let complaint = (!answer.is_success()).then(|| self.site.complaint(&answer));
        let envelope = self.site.parse(answer, move |text| Envelope::read(text, &grid)).await;
        match (envelope, complaint) {
            (Ok(Envelope::Found(findings)), None) => Ok(findings),
            (Ok(Envelope::Refused { kind, sentence }), complaint) => match complaint {
                // "unavailable" and the like are no fault of the query.
                Some(complaint) if status == 503 && kind != "timeout" && !sentence.contains("timed out") => {
                    Err(complaint.into())
                }
                Some(_) | None => Err(Problem::Query(refusal(&kind, &sentence))),
            },
            (_, Some(complaint)) => Err(complaint.into()),
            (Err(failure), None) => Err(failure.into()),
        }
    }

    /// Asks once which version it is; a server that does not say is as good.
    async fn learn_version(&self, telling: &Telling) {
        #[derive(Deserialize)]
        struct Told {
            data: Build,
        }
        #[derive(Deserialize)]
        struct Build {
            version: String,
        }
        if self.version.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
            return;
        }
        let Ok(request) = self.site.get("api/v1/status/buildinfo") else { return };
        let Ok(answer) = self.site.ask(request.send()).await else { return };
        let told = self.site.parse(answer, |text| serde_json::from_str::<Told>(text)).await;
        let version = told.map(|told| told.data.version.chars().take(40).collect()).unwrap_or_default();
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
        telling.tell_ready(self.place()).await;
    }
}

fn refusal(kind: &str, sentence: &str) -> CleanStr {
    let is_late = ["deadline exceeded", "timed out", "context canceled"].iter().any(|words| sentence.contains(words));
    let text = if is_late || kind == "timeout" {
        format!("the query takes longer than {} s: look at less time, or record it", PATIENCE.as_secs_f64())
    } else {
        format!("the query is refused ({kind}): {sentence}")
    };
    text.into()
}
