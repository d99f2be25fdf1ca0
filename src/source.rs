//! What warroom reads: the outside systems, each behind one trait, and the loop that they share.
//!
//! Hides when a source is asked: at once, whenever the watchlist changes, every interval, and after a failure with a growing pause, for ever. A
//! source itself only says how one poll goes and how one question is answered.
//!
//! Invariant: a source's future may be dropped at any await and nothing is left behind; its first report is [`Finding::Ready`]; after each failed
//! poll it says why and when it tries again.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use crate::alert::Rules;
use crate::live::{Finding, Inquiry, Report, SourceName, Watchlist};
use crate::text::CleanStr;

pub mod alertmanager;
pub mod auth;
pub mod below;
pub mod changes;
pub mod gate;
pub mod http;
pub mod jaeger;
mod labels;
pub mod prometheus;
pub mod simulated;

use http::Failure;

/// One outside system that warroom reads.
pub trait Source: Send {
    /// Names it in reports.
    fn name(&self) -> SourceName;
    /// Reports until nobody listens any more.
    fn run(self: Box<Self>, desk: Desk) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Where a source sits: what it is asked and where it reports to.
#[derive(Debug)]
pub struct Desk {
    /// What is to be watched; when the sender is gone, the source ends.
    pub watch: watch::Receiver<Arc<Watchlist>>,
    /// Questions asked once; a newer one replaces the one that is under way.
    pub inquiries: mpsc::Receiver<Inquiry>,
    /// Where findings go; a full channel makes the source wait.
    pub reports: mpsc::Sender<Report>,
}

/// A kind of source.
#[derive(Clone, Copy, Debug)]
pub struct SourceSpec {
    /// Its name, which is its section in the configuration too.
    pub name: SourceName,
    /// Opens one, without asking the network.
    pub open: fn(&Endpoint) -> Result<Box<dyn Source>, SourceError>,
}

/// All kinds of sources that have an endpoint.
pub const SOURCES: &[SourceSpec] = &[
    SourceSpec { name: prometheus::NAME, open: prometheus::open },
    SourceSpec { name: alertmanager::NAME, open: alertmanager::open },
    SourceSpec { name: jaeger::NAME, open: jaeger::open },
];

/// Where a source is and how it is reached; a section of the configuration.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Endpoint {
    /// `http://` or `https://`, host, port, and the path prefix if there is one; no credentials.
    pub url: String,
    /// The file that holds a bearer token.
    #[serde(default)]
    pub bearer_file: Option<PathBuf>,
    /// The environment variable that holds a bearer token.
    #[serde(default)]
    pub bearer_env: Option<String>,
    /// The program, with its arguments, that prints a bearer token.
    #[serde(default)]
    pub bearer_command: Option<Vec<String>>,
    /// The user of basic authentication.
    #[serde(default)]
    pub basic_user: Option<String>,
    /// The file that holds the user's password.
    #[serde(default)]
    pub basic_password_file: Option<PathBuf>,
    /// The environment variable that holds the user's password.
    #[serde(default)]
    pub basic_password_env: Option<String>,
    /// The program, with its arguments, that prints the user's password.
    #[serde(default)]
    pub basic_password_command: Option<Vec<String>>,
    /// Further headers that are no secret, such as `X-Scope-OrgID`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Certificates (PEM) to trust instead of the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows `http://` to a host that is not this one.
    #[serde(default)]
    pub allow_plain_http: bool,
    /// The client's own certificate (PEM), where the server wants one …
    #[serde(default)]
    pub client_cert_file: Option<PathBuf>,
    /// … and its key (PEM).
    #[serde(default)]
    pub client_key_file: Option<PathBuf>,
    /// Further addresses of the same system: replicas of one Prometheus, the members of a cluster of Alertmanagers.
    #[serde(default)]
    pub also: Vec<String>,
    /// How its alerts are read.
    #[serde(skip)]
    pub alert_rules: Rules,
    /// The proxy to go through, or `none` for the direct way; absent: as the environment's variables have it.
    #[serde(default)]
    pub proxy: Option<String>,
    /// As whom to sign in at the proxy.
    #[serde(default)]
    pub proxy_user: Option<String>,
    /// The file that holds the password for the proxy.
    #[serde(default)]
    pub proxy_password_file: Option<PathBuf>,
    /// The environment variable that holds the password for the proxy.
    #[serde(default)]
    pub proxy_password_env: Option<String>,
    /// The program, with its arguments, that prints the password for the proxy.
    #[serde(default)]
    pub proxy_password_command: Option<Vec<String>>,
    /// The pause between two polls (`15s`).
    #[serde(default = "fifteen_seconds", deserialize_with = "duration")]
    pub every: Duration,
}

impl Endpoint {
    /// An endpoint that needs nothing but its address.
    pub fn at(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            bearer_file: None,
            bearer_env: None,
            bearer_command: None,
            basic_user: None,
            basic_password_file: None,
            basic_password_env: None,
            basic_password_command: None,
            headers: BTreeMap::new(),
            ca_file: None,
            client_cert_file: None,
            client_key_file: None,
            also: Vec::new(),
            alert_rules: Rules::default(),
            allow_plain_http: false,
            proxy: None,
            proxy_user: None,
            proxy_password_file: None,
            proxy_password_env: None,
            proxy_password_command: None,
            every: fifteen_seconds(),
        }
    }

    /// An endpoint of its own for each of its addresses.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        let urls = std::iter::once(&self.url).chain(&self.also);
        urls.map(|url| Self { url: url.clone(), also: Vec::new(), ..self.clone() })
    }
}

/// Shows no header's value and no user or password of an address, refused as they are, because this may stand in a log.
impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Endpoint")
            .field("url", &http::without_credentials(&self.url))
            .field("bearer_file", &self.bearer_file)
            .field("bearer_env", &self.bearer_env)
            .field("basic_user", &self.basic_user)
            .field("basic_password_file", &self.basic_password_file)
            .field("basic_password_env", &self.basic_password_env)
            .field("headers", &self.headers.keys())
            .field("ca_file", &self.ca_file)
            .field("client_cert_file", &self.client_cert_file)
            .field("also", &self.also.iter().map(|url| http::without_credentials(url)).collect::<Vec<_>>())
            .field("allow_plain_http", &self.allow_plain_http)
            .field("proxy", &self.proxy.as_deref().map(http::without_credentials))
            .field("every", &self.every)
            .finish()
    }
}

fn fifteen_seconds() -> Duration {
    Duration::from_secs(15)
}

fn duration<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(input)?;
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let read = units.iter().find_map(|(unit, millis)| {
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*millis)
    });
    match read {
        Some(millis @ 100..=3_600_000) => Ok(Duration::from_millis(millis)),
        Some(_) => Err(serde::de::Error::custom(format!("'{text}' is not between 100ms and 1h"))),
        None => Err(serde::de::Error::custom(format!("'{text}' is not a duration such as 15s or 1m"))),
    }
}

/// Why a source cannot be opened as it is configured: what to change, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The address cannot be used.
    #[error("the address of {name} {problem}")]
    Address {
        /// Which source.
        name: SourceName,
        /// What is wrong and what to write.
        problem: String,
    },
    /// The credentials cannot be used.
    #[error("the credentials of {name}: {problem}")]
    Credentials {
        /// Which source.
        name: SourceName,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Another setting cannot be used.
    #[error("{setting} of {name}: {problem}")]
    Setting {
        /// Which source.
        name: SourceName,
        /// The key in the configuration.
        setting: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// How one source polls and answers; [`attend`] decides when.
pub(crate) trait Poller: Send + Sync {
    /// Names it in reports.
    fn name(&self) -> SourceName;
    /// The endpoint without credentials.
    fn place(&self) -> CleanStr;
    /// Asks for all that is watched and tells each finding as it comes.
    fn poll<'a>(
        &'a self,
        list: &'a Watchlist,
        telling: &'a Telling,
    ) -> impl Future<Output = Result<(), Failure>> + Send + 'a;
    /// Answers a question, where it is one for this source.
    fn answer(&self, inquiry: Inquiry) -> impl Future<Output = Option<Finding>> + Send + '_;
}

/// Sends findings of one generation of the watchlist.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    source: SourceName,
    generation: u64,
    every: Duration,
    reports: mpsc::Sender<Report>,
}

impl Telling {
    /// Reports; when nobody listens any more, [`attend`] notices.
    pub(crate) async fn tell(&self, finding: Finding) {
        let report = Report { source: self.source, generation: self.generation, finding };
        let _ = self.reports.send(report).await;
    }

    /// Says by how much this machine's clock is off, where an answer told.
    pub(crate) async fn tell_clock(&self, site: &http::Site) {
        if let Some(ahead) = site.ahead() {
            self.tell(Finding::Clock(ahead)).await;
        }
    }

    /// Says where the source looks.
    pub(crate) async fn tell_ready(&self, place: CleanStr) {
        self.tell(Finding::Ready { place, every: delta(self.every) }).await;
    }
}

type Underway<'a, T> = Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>>;

/// Polls and answers until the watchlist's sender or the reports' receiver is gone.
pub(crate) async fn attend<P: Poller>(poller: P, every: Duration, desk: Desk) {
    let Desk { mut watch, mut inquiries, reports } = desk;
    let mut telling = Telling { source: poller.name(), generation: watch.borrow().generation, every, reports };
    let mut backoff = Backoff::default();
    let mut answer: Underway<'_, Option<Finding>> = None;
    let mut usual: Underway<'_, Option<Finding>> = None;
    let mut may_ask = true;
    let mut due = Instant::now();
    telling.tell_ready(poller.place()).await;
    loop {
        let list = watch.borrow_and_update().clone();
        telling.generation = list.generation;
        let mut poll: Underway<'_, Result<(), Failure>> = Some(Box::pin(poller.poll(&list, &telling)));
        let mut wake = due;
        loop {
            tokio::select! {
                outcome = finished(&mut poll) => {
                    poll = None;
                    match outcome {
                        Ok(()) => {
                            telling.tell(Finding::Polled).await;
                            backoff = Backoff::default();
                            due = next_due(due, every, Instant::now());
                            wake = due;
                        }
                        Err(failure) => {
                            let pause = backoff.next(failure.retry_after);
                            telling.tell(Finding::Failed { reason: failure.reason, retry_in: delta(pause) }).await;
                            due = Instant::now() + pause;
                            wake = due;
                        }
                    }
                }
                () = sleep_until(wake), if poll.is_none() => break,
                changed = watch.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // What was asked answers a question that nobody asks any more; the new one does not wait for a pause.
                    due = Instant::now();
                    break;
                }
                inquiry = inquiries.recv(), if may_ask => match inquiry {
                    // Of one kind the newest question counts; what the console asks takes nothing from what a person asks.
                    Some(inquiry @ Inquiry::Usual(_)) => usual = Some(Box::pin(poller.answer(inquiry))),
                    Some(Inquiry::Hint | Inquiry::Inject) => {}
                    Some(inquiry @ (Inquiry::Trace(_) | Inquiry::Compare(_) | Inquiry::Exemplars(_))) => answer = Some(Box::pin(poller.answer(inquiry))),
                    None => may_ask = false,
                },
                finding = finished(&mut answer) => {
                    answer = None;
                    if let Some(finding) = finding {
                        telling.tell(finding).await;
                    }
                }
                finding = finished(&mut usual) => {
                    usual = None;
                    if let Some(finding) = finding {
                        telling.tell(finding).await;
                    }
                }
                () = telling.reports.closed() => return,
            }
        }
    }
}

async fn finished<T>(underway: &mut Underway<'_, T>) -> T {
    match underway {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

/// The next moment on the raster of polls: a poll that takes long leaves moments out, it shifts none.
fn next_due(due: Instant, every: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due);
    let missed = late.as_millis() / every.as_millis().max(1);
    due + every * (u32::try_from(missed).unwrap_or(u32::MAX - 1) + 1)
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// The pauses after failures: 1, 2, 4 … 30 s, give or take a fifth, so that consoles do not knock in step.
#[derive(Clone, Copy, Debug, Default)]
struct Backoff {
    failures: u32,
}

impl Backoff {
    const LONGEST: Duration = Duration::from_secs(30);
    /// What is read is looked at again after this, whatever the server asks for: nobody waits an hour for a graph.
    const LONGEST_TOLD: Duration = Duration::from_secs(120);

    fn next(&mut self, told: Option<Duration>) -> Duration {
        let base = Duration::from_secs(1 << self.failures.min(5)).min(Self::LONGEST);
        self.failures = self.failures.saturating_add(1);
        let chance = getrandom::u32().unwrap_or(u32::MAX / 2);
        let jittered = base.mul_f64(0.8 + 0.4 * f64::from(chance) / f64::from(u32::MAX)).min(Self::LONGEST);
        told.map_or(jittered, |told| told.min(Self::LONGEST_TOLD).max(jittered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_failures_grows_to_half_a_minute_and_stays_there() {
        let mut backoff = Backoff::default();
        for base in [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0] {
            let pause = backoff.next(None).as_secs_f64();
            assert!((base * 0.8 - 1e-6..=(base * 1.2_f64).min(30.0)).contains(&pause), "{pause} for {base}");
        }
        assert_eq!(backoff.next(Some(Duration::from_secs(90))), Duration::from_secs(90), "a server may ask for more");
        assert_eq!(backoff.next(Some(Duration::from_secs(9_000))), Duration::from_secs(120), "but not for an hour");
    }

    #[tokio::test(start_paused = true)]
    async fn polls_do_not_drift_however_long_one_takes() {
        let start = Instant::now();
        let every = Duration::from_secs(15);
        for (took, next) in [(0, 15), (3, 15), (14, 15), (15, 30), (40, 45)] {
            assert_eq!(next_due(start, every, start + Duration::from_secs(took)) - start, Duration::from_secs(next));
        }
    }

    #[test]
    fn a_section_of_the_configuration_is_read_and_misspelt_keys_are_named() {
        let endpoint: Endpoint =
            toml::from_str("url = 'http://localhost:9090'\nevery = '30s'\nbasic-user = 'me'").unwrap();
        assert_eq!((endpoint.every, endpoint.basic_user.as_deref()), (Duration::from_secs(30), Some("me")));
        for (text, hint) in [
            ("url = 'x'\nevery = 'soon'", "not a duration"),
            ("url = 'x'\nevery = '1ms'", "not between"),
            ("url = 'x'\nbasic_user = 'me'", "basic_user"),
        ] {
            let error = toml::from_str::<Endpoint>(text).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
    }

    #[test]
    fn a_log_never_shows_what_is_secret_in_an_endpoint() {
        let mut endpoint = Endpoint::at("http://me:hunter2@localhost:1/x");
        endpoint.headers.insert("X-Api-Key".to_owned(), "hunter2".to_owned());
        endpoint.proxy = Some("http://me:hunter2@proxy:1".to_owned());
        assert!(!format!("{endpoint:?}").contains("hunter2"), "{endpoint:?}");
    }
}
