//! Asking the sources once, for an answer without a console.
//!
//! Hides that a source is made to run for ever: each is listened to until its first poll is over, then ended.
//!
//! Invariant: it ends, whatever the servers do: each source's own deadlines hold, and one above them all.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::alert::title;
use crate::clock;
use crate::live::{Finding, Live, Report, Watchlist};
use crate::source::{Desk, Endpoint, SourceSpec};
use crate::text::CleanStr;

/// Longer than the deadlines of a source add up to.
const PATIENCE: Duration = Duration::from_secs(40);
/// The pause between two rounds of questions, where they are asked again.
const AGAIN: Duration = Duration::from_secs(15);

/// What one round of questions gave.
#[derive(Debug, Default)]
pub struct Asked {
    /// What the sources said.
    pub live: Live,
    /// Why those that gave no alerts did not, each in a sentence.
    pub problems: Vec<CleanStr>,
}

/// Lets each source poll once, with nothing watched but alerts.
pub fn ask(endpoints: Vec<(&'static SourceSpec, Endpoint)>) -> anyhow::Result<Asked> {
    let runtime = crate::run::lacking::runtime()?;
    let asked = runtime.block_on(round(endpoints));
    runtime.shutdown_background();
    Ok(asked)
}

/// Asks again and again, and tells the titles of what fires whenever that changes.
pub(super) async fn watch(endpoints: Vec<(&'static SourceSpec, Endpoint)>, told: mpsc::Sender<Vec<CleanStr>>) {
    let mut known = Vec::new();
    loop {
        let asked = round(endpoints.clone()).await;
        let alerts = asked.live.alerts(clock::wall());
        let firing: Vec<CleanStr> = alerts.iter().filter(|one| one.is_firing()).map(|one| title(one.alert)).collect();
        // What nobody answers for is no end of an alert.
        let is_over = asked.problems.is_empty() || !firing.is_empty();
        if firing != known && is_over {
            known.clone_from(&firing);
            if told.send(firing).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn round(endpoints: Vec<(&'static SourceSpec, Endpoint)>) -> Asked {
    let (_list, watch) = watch::channel(Arc::new(Watchlist::default()));
    let (told, mut reports) = mpsc::channel(16);
    let mut asked = Asked::default();
    let mut tasks = JoinSet::new();
    let mut waiting = Vec::new();
    let mut questions = Vec::new();
    for (spec, endpoint) in endpoints {
        match (spec.open)(&endpoint) {
            Ok(source) => {
                let (question, inquiries) = mpsc::channel(1);
                questions.push(question);
                waiting.push(spec.name);
                tasks.spawn(source.run(Desk { watch: watch.clone(), inquiries, reports: told.clone() }));
            }
            Err(error) => asked.problems.push(error.to_string().into()),
        }
    }
    drop(told);
    let listening = async {
        while !waiting.is_empty()
            && let Some(report) = reports.recv().await
        {
            waiting.retain(|name| *name != report.source || !is_last(&report));
            match &report.finding {
                Finding::Failed { reason, .. } | Finding::NoAlerts(reason) => asked.problems.push(reason.clone()),
                Finding::Ready { .. }
                | Finding::Measured(..)
                | Finding::Unmeasured(..)
                | Finding::Spans(_)
                | Finding::Alerts(_)
                | Finding::Changes(_)
                | Finding::Trace(_)
                | Finding::NoTrace(..)
                | Finding::Usual(_)
                | Finding::Compared(_)
                | Finding::Exemplars(_)
                | Finding::Clock(_)
                | Finding::Polled => {}
            }
            asked.live.take(report, clock::wall());
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, listening).await.is_ok();
    if !in_time || !waiting.is_empty() {
        asked.problems.extend(waiting.iter().map(|name| format!("{name} did not come to an end").into()));
    }
    asked
}

fn is_last(report: &Report) -> bool {
    matches!(report.finding, Finding::Polled | Finding::Failed { .. })
}
