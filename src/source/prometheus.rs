//! Prometheus: what objectives show at this moment, over the stretch that proves something, and over a chart; burn rates; and alerts.
//!
//! Hides its HTTP API: range and instant queries by POST (by GET where that is refused), through `prometheus-http-query` on our own client. The answers
//! are read here and not by that crate, because it drops warnings, has no limit, and fails on native histograms.
//!
//! Invariant: each question stands alone (`round`): one that is bad, slow or refused hides no other. A moment without a sample stays without. A
//! server that measures but has no alerts to ask for is a healthy one.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use prometheus_http_query::Client;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use tokio::time::Instant;

use super::http::{Answer, Failure, Limits, Site, Trouble};
use super::labels::Reading;
use super::{Desk, Endpoint, Poller, Source, SourceError, Telling, attend};
use crate::live::{Finding, Inquiry, Scope, SourceName, WatchedObjective, Watchlist};
use crate::slo::{BURN_WINDOWS, Grid, Measured, Objective, ObjectiveKind, Side};
use crate::text::CleanStr;

mod alerts;
mod envelope;
mod exemplars;
mod round;

use envelope::{Envelope, Findings};

/// Its name in reports and in the configuration.
pub const NAME: SourceName = "prometheus";
/// The server is told to give up shortly before we stop listening, because its sentence is better than ours.
const PATIENCE: Duration = Duration::from_millis(4_500);
/// What is not needed is waited for so long.
const SHORT: Duration = Duration::from_secs(2);

/// Opens the source of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    let reading = Arc::new(Reading::by(&endpoint.alert_rules));
    let servers = endpoint.each().map(|endpoint| {
        let site = Site::open(NAME, &endpoint, Limits::default())?;
        let client = Client::from(site.client().clone(), site.base());
        let client =
            client.map_err(|error| SourceError::Address { name: NAME, problem: format!("cannot be used: {error}") })?;
        let (version, is_get, reading) = (Mutex::default(), AtomicBool::new(false), reading.clone());
        Ok(Arc::new(Server { site, client, version, is_get, reading, bounds: Mutex::default() }))
    });
    let servers = servers.collect::<Result<_, _>>()?;
    let asker = Asker { servers, place: AtomicUsize::new(0), underway: tokio::sync::Mutex::default() };
    Ok(Box::new(Prometheus { asker, every: endpoint.every }))
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

/// The addresses of one Prometheus, in the order in which they are preferred.
struct Asker {
    servers: Vec<Arc<Server>>,
    /// The one that answered last.
    place: AtomicUsize,
    underway: tokio::sync::Mutex<round::Underway>,
}

/// The server, and how it wants to be asked.
struct Server {
    site: Site,
    client: Client,
    /// `None` until it was asked for; then what stands behind the address, empty if the server does not say.
    version: Mutex<Option<String>>,
    /// It refused a POST and took a GET.
    is_get: AtomicBool,
    reading: Arc<Reading>,
    /// The greatest bound of the buckets behind each quantile, and when it was asked for.
    bounds: Mutex<HashMap<String, (Instant, Option<f64>)>>,
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
        self.server().place()
    }

    /// Asks the server that answered last, and where nothing answers there the others, one after the other.
    async fn poll<'a>(&'a self, list: &'a Watchlist, telling: &'a Telling) -> Result<(), Failure> {
        let mut underway = self.underway.lock().await;
        let mut first = None;
        for _ in 0..self.servers.len() {
            let server = self.server();
            // Its answer also tells the right time, before anything is asked about a moment.
            server.learn_version(telling).await;
            telling.tell_clock(&server.site).await;
            match underway.round(server, list, telling).await {
                Ok(()) => return Ok(()),
                Err(failure) => first = first.or(Some(failure)),
            }
            if self.servers.len() > 1 {
                // What is under way there answers too late.
                *underway = round::Underway::default();
                self.place.fetch_add(1, Ordering::Relaxed);
                telling.tell_ready(self.place()).await;
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Prometheus has no traces: questions for one are another source's.
    async fn answer(&self, inquiry: Inquiry) -> Option<Finding> {
        match inquiry {
            Inquiry::Exemplars(asked) => Some(Finding::Exemplars(self.server().exemplars(asked).await)),
            Inquiry::Trace(_) | Inquiry::Compare(_) | Inquiry::Usual(_) | Inquiry::Hint | Inquiry::Inject => None,
        }
    }
}

impl Asker {
    fn server(&self) -> &Arc<Server> {
        &self.servers[self.place.load(Ordering::Relaxed) % self.servers.len()]
    }
}

impl Server {
    fn place(&self) -> CleanStr {
        let version = self.version.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match version {
            Some(version) if !version.is_empty() => format!("{} (version {version})", self.site.place()).into(),
            Some(_) | None => self.site.place().clone(),
        }
    }

    /// Whether a server that gave no alerts is well all the same: many that answer queries know no rules.
    async fn probe(&self, failure: &Failure) -> Result<(), Failure> {
        match failure.trouble {
            Trouble::Unreached | Trouble::Tls | Trouble::Away | Trouble::Late | Trouble::Ours => {
                return Err(failure.clone());
            }
            Trouble::Status(_) | Trouble::Garbled | Trouble::TooBig => {}
        }
        match self.instant("vector(1)", Side::Below, self.site.now()).await {
            Ok(_) | Err(Problem::Query(_)) => Ok(()),
            Err(Problem::Server(failure)) => Err(failure),
        }
    }

    /// Asks one question about an objective.
    async fn measure(&self, watched: &WatchedObjective, scope: Scope, list: &Watched) -> Result<Measured, Problem> {
        let objective = &watched.objective;
        // Of samples that come late the newest are those of a while ago.
        let now = match scope {
            Scope::Now | Scope::Burn => self.site.now() - objective.lag(),
            Scope::Proof | Scope::Chart => self.site.now(),
        };
        let query = objective.query(&objective.window);
        let finest = objective.resolution();
        let grid = match scope {
            Scope::Burn => return self.burn(objective, now).await,
            Scope::Now => {
                let found = self.instant(&query, objective.side, now).await?.over(moment(now), &query);
                return Ok(self.bounded(found, objective, now).await);
            }
            Scope::Proof => watched.proof_grid(list.proof, now, finest),
            Scope::Chart => Grid::covering(list.span, now, list.points, finest),
        };
        let found = self.range(&query, objective.side, grid).await?.over(grid, &query);
        Ok(self.bounded(found, objective, now).await)
    }

    /// How fast a ratio burns its budget, over each window that can be had.
    async fn burn(&self, objective: &Objective, now: DateTime<Utc>) -> Result<Measured, Problem> {
        let grid = moment(now);
        let mut all = Measured::over(grid, Vec::new(), &objective.query("$window"));
        if !objective.is_windowed() {
            all.remarks.push("no burn rates: the expression has no $window".into());
            return Ok(all);
        }
        let mut first = None;
        for (place, window) in BURN_WINDOWS.into_iter().enumerate() {
            match self.instant(&objective.query(window), objective.side, now).await {
                Ok(found) => {
                    let found = found.over(grid, "");
                    all.burn[place] = found.worst_at(objective, 0).and_then(|worst| objective.burn_rate(worst.value));
                    all.partial.extend(found.partial);
                }
                Err(problem) => {
                    let reason = match &problem {
                        Problem::Query(reason) => reason,
                        Problem::Server(failure) => &failure.reason,
                    };
                    all.remarks.push(format!("no burn rate over {window}: {reason}").into());
                    first = first.or(Some(problem));
                }
            }
        }
        // One that failed leaves the others; without any the question failed.
        match first {
            Some(problem) if all.remarks.len() == BURN_WINDOWS.len() => Err(problem),
            Some(_) | None => Ok(all),
        }
    }

    async fn range(&self, query: &str, side: Side, grid: Grid) -> Result<Findings, Problem> {
        let (start, end) = (grid.start.timestamp(), grid.end().timestamp());
        let authorization = self.site.authorization()?;
        let request = || {
            let request = self.client.query_range(query, start, end, grid.resolution.as_seconds_f64());
            let request = request.timeout(PATIENCE.as_millis() as i64);
            match authorization.clone() {
                Some(header) => request.header(AUTHORIZATION, header),
                None => request,
            }
        };
        let answer = self.by_post_or_get(|| request().post_raw(), || request().get_raw()).await?;
        self.read(answer, side, grid).await
    }

    /// What an instant query finds, over a grid of its one moment.
    async fn instant(&self, query: &str, side: Side, now: DateTime<Utc>) -> Result<Findings, Problem> {
        let authorization = self.site.authorization()?;
        let request = || {
            let request = self.client.query(query).at(now.timestamp()).timeout(PATIENCE.as_millis() as i64);
            match authorization.clone() {
                Some(header) => request.header(AUTHORIZATION, header),
                None => request,
            }
        };
        let answer = self.by_post_or_get(|| request().post_raw(), || request().get_raw()).await?;
        self.read(answer, side, moment(now)).await
    }

    /// Asks by POST, because a query may be longer than an address; by GET where a proxy lets nothing else through, and then always.
    async fn by_post_or_get<P, G, E>(&self, post: impl Fn() -> P, get: impl Fn() -> G) -> Result<Answer, Failure>
    where
        P: Future<Output = Result<reqwest::Response, E>>,
        G: Future<Output = Result<reqwest::Response, E>>,
        E: std::error::Error + 'static,
    {
        if self.is_get.load(Ordering::Relaxed) {
            return self.site.ask(get()).await;
        }
        let answer = self.site.ask(post()).await?;
        if !matches!(answer.status, 403 | 405 | 501) {
            return Ok(answer);
        }
        let other = self.site.ask(get()).await?;
        if matches!(other.status, 403 | 405 | 501) {
            return Ok(answer);
        }
        self.is_get.store(true, Ordering::Relaxed);
        Ok(other)
    }

    async fn read(&self, answer: Answer, side: Side, grid: Grid) -> Result<Findings, Problem> {
        let status = answer.status;
        // A status of our own making (a proxy's, a missing path) carries no envelope; what does is Prometheus itself.
        let is_its_own = answer.is_success() || matches!(status, 400 | 422 | 503);
        if !is_its_own {
            return Err(self.site.complaint(&answer).into());
        }
        let complaint = (!answer.is_success()).then(|| self.site.complaint(&answer));
        let envelope = self.site.parse(answer, move |text| Envelope::read(text, &grid, side)).await;
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
        let asked = tokio::time::timeout(SHORT, self.site.ask(request.send())).await;
        let version = match asked {
            Ok(Ok(answer)) => {
                let told = self.site.parse(answer, |text| serde_json::from_str::<Told>(text)).await;
                told.map(|told| told.data.version.chars().take(40).collect()).unwrap_or_default()
            }
            // It is not there yet, and its questions say so.
            Ok(Err(failure)) if matches!(failure.trouble, Trouble::Unreached | Trouble::Tls) => return,
            Ok(Err(_)) | Err(_) => String::new(),
        };
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
        telling.tell_ready(self.place()).await;
    }
}

/// What must be known of a watchlist to ask one of its questions.
#[derive(Clone, Copy, Debug)]
struct Watched {
    span: TimeDelta,
    points: usize,
    proof: TimeDelta,
}

impl Watched {
    fn of(list: &Watchlist) -> Self {
        Self { span: list.span, points: list.points, proof: list.proof }
    }
}

/// What is asked about an objective: one that only a step asks has no chart, and only a ratio has a budget to burn.
fn scopes(watched: &WatchedObjective) -> impl Iterator<Item = Scope> + use<> {
    let (is_charted, is_ratio) = (watched.reach.is_none(), watched.objective.kind == ObjectiveKind::Ratio);
    Scope::ALL.into_iter().filter(move |scope| match scope {
        Scope::Now | Scope::Proof => true,
        Scope::Chart => is_charted,
        Scope::Burn => is_charted && is_ratio,
    })
}

/// The grid of one moment, in whole seconds as it is asked for.
fn moment(now: DateTime<Utc>) -> Grid {
    let start = DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now);
    Grid { start, resolution: TimeDelta::seconds(1), len: 1 }
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
