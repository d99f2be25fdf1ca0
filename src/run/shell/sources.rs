//! The sources of the open record: which of them run, what they are asked, and the world of a drill.
//!
//! Hides that a source which crashed is started again.
//!
//! Invariant: what the sources of one record say never reaches the next one.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{Outcome, Shell, WAITING};
use crate::console::Msg;
use crate::exercise::Exercise;
use crate::incident::{Clock, DrillStarted, Progress};
use crate::live::{Report, SourceName, Watchlist};
use crate::source::{Desk, Endpoint, Source, SourceError, SourceSpec, changes, simulated};
use crate::text::{CleanStr, CleanText};

/// A source that crashed is started again after this.
pub(super) const RESTART: Duration = Duration::from_secs(2);

/// Hands on what a task says, as messages, until either side is gone.
async fn pass_on<T>(mut said: mpsc::Receiver<T>, back: mpsc::Sender<Msg>, msg: impl Fn(T) -> Msg) {
    while let Some(said) = said.recv().await {
        if back.send(msg(said)).await.is_err() {
            return;
        }
    }
}

impl Shell {
    pub(super) fn watch(&mut self, watchlist: Watchlist) {
        self.watch.send_replace(Arc::new(watchlist));
    }

    /// Starts the sources, where they do not run: alerts are to be seen before anything is watched, and without any record.
    pub(super) fn start_sources(&mut self) {
        if self.drill.is_some() || !self.inquiries.is_empty() {
            return;
        }
        for (spec, endpoint) in self.plan.endpoints.clone() {
            self.start_source(spec, endpoint, Duration::ZERO);
        }
        for name in [changes::FILE, changes::COMMAND] {
            self.start_changes(name, Duration::ZERO);
        }
    }

    /// Starts a source of changes, where there is one of the name.
    pub(super) fn start_changes(&mut self, name: SourceName, delay: Duration) -> bool {
        let plan = &self.plan;
        let source = match &plan.change_command {
            _ if name == changes::FILE => {
                Some(changes::file(crate::journal::changes::path_in(&plan.journal.directory)))
            }
            Some((argv, every)) if name == changes::COMMAND => Some(changes::command(argv.clone(), *every)),
            Some(_) | None => None,
        };
        let is_there = source.is_some();
        if let Some(source) = source {
            self.spawn_source(name, move || Ok(source), delay);
        }
        is_there
    }

    pub(super) fn start_source(&mut self, spec: &'static SourceSpec, endpoint: Endpoint, delay: Duration) {
        self.spawn_source(spec.name, move || (spec.open)(&endpoint), delay);
    }

    fn spawn_source(
        &mut self,
        name: SourceName,
        open: impl FnOnce() -> Result<Box<dyn Source>, SourceError> + Send + 'static,
        delay: Duration,
    ) {
        let (questions, inquiries) = mpsc::channel(16);
        self.inquiries.push(questions);
        let (watch, reports) = (self.watch.subscribe(), self.reports.0.clone());
        let handle = self.tasks.spawn(async move {
            tokio::time::sleep(delay).await;
            // Making a client reads the certificates of the system.
            let opened = tokio::task::spawn_blocking(open).await;
            match opened {
                Ok(Ok(source)) => source.run(Desk { watch, inquiries, reports }).await,
                Ok(Err(error)) => {
                    let reason = CleanStr::new(&error.to_string());
                    let finding = crate::live::Finding::Failed { reason, retry_in: TimeDelta::zero() };
                    drop(inquiries);
                    let _ = reports.send(Report { source: name, generation: 0, finding }).await;
                    // Nothing changes until somebody changes the configuration.
                    std::future::pending::<()>().await;
                }
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
            Outcome::Source(name)
        });
        self.names.insert(handle.id(), name);
    }

    pub(super) fn simulate(&mut self, drill: DrillStarted) {
        self.end_sources();
        self.drill = Some(drill.clone());
        // That of another drill is none of this one's.
        self.progress.send_replace(Progress::default());
        let exercise = match Exercise::of(&drill) {
            Some(Ok(exercise)) => exercise,
            Some(Err(flaw)) => return self.answers.push_back(Msg::Failed(CleanText::new(&flaw.to_string()))),
            None => {
                let why = format!("this warroom does not have the exercise {}: its world stays empty", drill.exercise);
                return self.answers.push_back(Msg::Failed(CleanText::new(&why)));
            }
        };
        if let Some(staging) = &drill.staging {
            let is_there = |(spec, endpoint): &(&'static SourceSpec, Endpoint)| {
                spec.name == "prometheus" && endpoint.url == staging.prometheus.as_str()
            };
            if !self.plan.staging.iter().any(is_there) {
                let why = format!(
                    "this drill is played in staging at {}, and [staging] of this console's configuration does not lead there: nothing is measured here",
                    staging.prometheus
                );
                self.answers.push_back(Msg::Failed(CleanText::new(&why)));
            } else {
                self.prove_staging();
                for (spec, endpoint) in self.plan.staging.clone() {
                    self.start_source(spec, endpoint, Duration::ZERO);
                }
            }
        }
        let simulation = simulated::Simulation {
            exercise,
            seed: drill.seed,
            start: drill.start,
            clock: Clock::new(drill.start, drill.speed),
            frozen: self.plan.settings.is_frozen,
            is_staged: drill.staging.is_some(),
        };
        let (questions, inquiries) = mpsc::channel(16);
        self.inquiries.push(questions);
        let (watch, progress, reports) = (self.watch.subscribe(), self.progress.subscribe(), self.reports.0.clone());
        // What people of the exercise say comes in as it would from any other system.
        let (told, people) = mpsc::channel(WAITING);
        let back = self.receipts.0.clone();
        let handle = self.tasks.spawn(async move {
            let news = pass_on(people, back, |(who, news): simulated::Told| Msg::News(who.into(), news));
            tokio::join!(simulated::run(simulation, watch, progress, inquiries, reports, told), news);
            Outcome::Source("simulated")
        });
        self.names.insert(handle.id(), "simulated");
        self.watch_outside();
    }

    /// Whoever joins a drill in staging puts nothing there before the place proved here, too, to be one.
    fn prove_staging(&mut self) {
        let begun_here = self.plan.drill.staging.is_some();
        let Some(to_prove) = self.plan.to_prove.clone().filter(|_| !begun_here) else { return };
        let back = self.receipts.0.clone();
        let handle = self.tasks.spawn(async move {
            let proved = match to_prove {
                Ok(claim) => match super::super::staging::ask(&claim.endpoint, &claim.marks).await {
                    Ok(_) => Ok(claim.site),
                    Err(why) => Err(CleanStr::new(&why)),
                },
                Err(why) => Err(why),
            };
            let _ = back.send(Msg::Staging(proved)).await;
            Outcome::Source("proof of staging")
        });
        self.names.insert(handle.id(), "proof of staging");
    }

    /// A drill never hides a real alert.
    fn watch_outside(&mut self) {
        let tells_alerts = |spec: &SourceSpec| ["prometheus", "alertmanager"].contains(&spec.name);
        let endpoints: Vec<_> = self.plan.endpoints.iter().filter(|(spec, _)| tells_alerts(spec)).cloned().collect();
        if endpoints.is_empty() || self.plan.settings.is_frozen {
            return;
        }
        let (told, firing) = mpsc::channel(WAITING);
        let back = self.receipts.0.clone();
        let handle = self.tasks.spawn(async move {
            tokio::join!(super::super::alerts::watch(endpoints, told), pass_on(firing, back, Msg::RealAlerts));
            Outcome::Source("real alerts")
        });
        self.names.insert(handle.id(), "real alerts");
    }

    pub(super) fn end_sources(&mut self) {
        self.tasks.abort_all();
        self.tasks = JoinSet::new();
        self.names.clear();
        self.inquiries.clear();
        self.drill = None;
        // What they said last must not reach the next record.
        self.reports = mpsc::channel(WAITING);
    }
}
