//! A source at its desk, with the test in the console's chair.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use warroom::live::{Finding, Inquiry, Report, Watchlist};
use warroom::source::{Desk, Endpoint, SOURCES, Source, SourceError};

/// A running source.
pub struct Seat {
    pub watch: watch::Sender<Arc<Watchlist>>,
    pub inquiries: mpsc::Sender<Inquiry>,
    pub reports: mpsc::Receiver<Report>,
    pub task: JoinHandle<()>,
    /// Where it said last that it looks.
    pub place: String,
}

/// Opens a source by its name.
pub fn open(name: &str, endpoint: &Endpoint) -> Result<Box<dyn Source>, SourceError> {
    (SOURCES.iter().find(|spec| spec.name == name).unwrap().open)(endpoint)
}

impl Seat {
    /// Starts a source.
    pub fn start(name: &str, endpoint: &Endpoint, list: Watchlist) -> Self {
        Self::of(open(name, endpoint).unwrap(), list)
    }

    /// Starts a source that is open.
    pub fn of(source: Box<dyn Source>, list: Watchlist) -> Self {
        let (watch, watched) = watch::channel(Arc::new(list));
        let (inquiries, asked) = mpsc::channel(4);
        let (told, reports) = mpsc::channel(16);
        let desk = Desk { watch: watched, inquiries: asked, reports: told };
        Self { watch, inquiries, reports, task: tokio::spawn(source.run(desk)), place: String::new() }
    }

    /// The next finding; a test that waits for more than half a minute has found a bug.
    pub async fn next(&mut self) -> Finding {
        self.next_report().await.finding
    }

    /// The next report.
    pub async fn next_report(&mut self) -> Report {
        let wait = tokio::time::timeout(Duration::from_secs(30), self.reports.recv());
        wait.await.expect("a report comes").expect("the source runs")
    }

    /// The next finding that is of a kind.
    pub async fn until<T>(&mut self, mut is: impl FnMut(Finding) -> Option<T>) -> T {
        loop {
            if let Some(found) = is(self.next().await) {
                return found;
            }
        }
    }

    /// Everything up to the end of the poll but where the source looks: `Ok` if it went well, else the sentence.
    pub async fn poll(&mut self) -> (Vec<Finding>, Result<(), String>) {
        let mut findings = Vec::new();
        loop {
            match self.next().await {
                Finding::Polled => return (findings, Ok(())),
                Finding::Failed { reason, .. } => return (findings, Err(reason.to_string())),
                Finding::Ready { place, .. } => self.place = place.to_string(),
                finding => findings.push(finding),
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.task.abort();
    }
}
