//! The one way in which warroom asks a server over HTTP.
//!
//! Hides TLS, deadlines, limits, credentials, and what a server's or the network's misbehaviour is called in a sentence for a person.
//!
//! Invariant: no redirect is followed, nothing is read beyond a limit that counts after decompression, every wait on the network ends, and no
//! sentence holds a credential.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Certificate, Client, Identity, Method, RequestBuilder, Response, Url};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::auth::Auth;
pub use super::auth::Spelling;
use super::below::Below;
use super::gate::Gate;
use super::{Endpoint, SourceError};
use crate::clock;
use crate::live::SourceName;
use crate::text::CleanStr;

mod tls;
mod way;

use way::Hop;
pub use way::{DIRECT, Way};

/// How long and how much a server may talk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer, the first included.
    pub idle: Duration,
    /// For the whole answer.
    pub total: Duration,
    /// The bytes of an answer, after decompression.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            idle: Duration::from_secs(5),
            total: Duration::from_secs(15),
            bytes: 8 * 1024 * 1024,
        }
    }
}

impl Limits {
    /// Traces are large.
    pub fn of_traces() -> Self {
        Self { bytes: 32 * 1024 * 1024, ..Self::default() }
    }
}

/// The most requests that one server gets at once.
const AT_ONCE: usize = 6;
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 24 * 3600);
/// A parse above this many bytes leaves the loop's thread.
const BIG_PARSE: usize = 256 * 1024;
/// Clocks that differ by no more than this agree: a date counts whole seconds, and an answer takes a moment.
const SAME_TIME: TimeDelta = TimeDelta::seconds(3);
/// How much of an answer that makes no sense is shown.
const EXCERPT: usize = 300;

/// What kind of failure it was, for those who treat kinds differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No connection was made: not a byte of the request was sent.
    Unreached,
    /// One side speaks TLS where the other does not.
    Tls,
    /// The connection broke.
    Away,
    /// It took too long.
    Late,
    /// The answer was above the limit.
    TooBig,
    /// A status that is no success.
    Status(u16),
    /// The answer makes no sense.
    Garbled,
    /// Our side cannot ask (credentials cannot be read).
    Ours,
}

/// Why an answer could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    /// A sentence with the reason and the way out.
    pub reason: CleanStr,
    /// Its kind.
    pub trouble: Trouble,
    /// How long the server wants to be left alone.
    pub retry_after: Option<Duration>,
}

/// What a server answered, whatever its status (but a redirect, which is a [`Failure`]).
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
    /// The path that was asked.
    pub path: String,
    /// What the server's clock showed, where it says so.
    pub date: Option<DateTime<Utc>>,
    /// What a token of Slack may do.
    pub scopes: Option<String>,
    /// The run of a workflow that took the request.
    pub run: Option<String>,
    retry_after: Option<Duration>,
}

impl Answer {
    /// Whether the status is a success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A server that is asked, with everything that belongs to asking it.
pub struct Site {
    client: Client,
    base: String,
    label: String,
    place: CleanStr,
    limits: Limits,
    at_once: Semaphore,
    auth: Option<Auth>,
    /// A certificate says who asks.
    has_certificate: bool,
    is_plain: bool,
    /// The proxy on the way.
    hop: Option<Arc<Hop>>,
    header: Arc<Mutex<Result<Option<HeaderValue>, String>>>,
    ahead: Mutex<Option<TimeDelta>>,
    /// How long the server wants to be left alone, as its last refusal said.
    rest: Mutex<Option<Duration>>,
    /// What the errand that is run now passes before it writes.
    gate: Mutex<Option<Arc<Gate>>>,
}

impl fmt::Debug for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Site").field("base", &self.base).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Site {
    /// Prepares to ask a server; reads files that the endpoint names, but not the network.
    pub fn open(name: SourceName, endpoint: &Endpoint, limits: Limits) -> Result<Self, SourceError> {
        Self::open_as(name, endpoint, limits, Spelling::Bearer)
    }

    /// The same, where a service spells its tokens in a way of its own.
    pub fn open_as(
        name: SourceName,
        endpoint: &Endpoint,
        limits: Limits,
        spelling: Spelling,
    ) -> Result<Self, SourceError> {
        let url = address(name, endpoint)?;
        let hop =
            Hop::of(endpoint, &url).map_err(|(setting, problem)| SourceError::Setting { name, setting, problem })?;
        let client = client(name, endpoint, &url, limits, hop.as_ref())?;
        let auth = Auth::of(name, endpoint, spelling)?;
        let header = auth.as_ref().map(|auth| auth.header(&client)).transpose().map(Option::flatten);
        if let Err(problem) = header {
            return Err(SourceError::Credentials { name, problem });
        }
        let host = match url.port() {
            Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
            None => url.host_str().unwrap_or_default().to_owned(),
        };
        Ok(Self {
            client,
            base: url.as_str().trim_end_matches('/').to_owned(),
            label: format!("{name} at {host}"),
            place: CleanStr::field(url.as_str().trim_end_matches('/')),
            limits,
            at_once: Semaphore::new(AT_ONCE),
            auth,
            has_certificate: endpoint.client_cert_file.is_some(),
            is_plain: url.scheme() == "http",
            hop: hop.map(Arc::new),
            header: Arc::new(Mutex::new(header)),
            ahead: Mutex::default(),
            rest: Mutex::new(None),
            gate: Mutex::default(),
        })
    }

    /// The client, for libraries that make their own requests; it has no credentials, see [`Site::authorization`].
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The address without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The address for people.
    pub fn place(&self) -> &CleanStr {
        &self.place
    }

    /// How long the server wants to be left alone, where an answer since the last call said so: whatever was asked, and whatever became of it.
    pub fn take_rest(&self) -> Option<Duration> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What is written from here on passes a gate first; what is only asked does not.
    pub fn guard(&self, gate: Option<Arc<Gate>>) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = gate;
    }

    /// Waits until something may be written; a gate that stays shut is a failure of which nothing has left.
    pub async fn may_write(&self) -> Result<(), Failure> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match gate {
            Some(gate) if !gate.pass().await => {
                let why = "was not written to: that it goes out could not be written down in time".to_owned();
                Err(self.failure(Trouble::Unreached, why))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// How far this machine's clock and the server's are apart, as far as its answers have said: by so much earlier it is looked for what was sent.
    pub fn apart(&self) -> TimeDelta {
        self.ahead().unwrap_or_default().abs()
    }

    /// What the server said, without the secrets that it was told.
    pub fn echo(&self, said: &str) -> String {
        crate::vault::mask().mask(said)
    }

    /// How sentences name the server: `prometheus at localhost:9090`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The header that says who is asking, if one is configured.
    pub fn authorization(&self) -> Result<Option<HeaderValue>, Failure> {
        let header = self.header.lock().unwrap_or_else(PoisonError::into_inner).clone();
        header.map_err(|problem| Failure {
            reason: CleanStr::field(&format!("the credentials for {}: {problem}", self.label)),
            trouble: Trouble::Ours,
            retry_after: None,
        })
    }

    /// The secret that stands in no header, where one is configured.
    pub async fn secret(&self) -> Result<Option<SecretString>, Failure> {
        let Some(auth) = self.auth.clone() else { return Ok(None) };
        let secret = tokio::task::spawn_blocking(move || auth.secret()).await;
        let problem = match secret {
            Ok(Ok(secret)) => return Ok(Some(secret)),
            Ok(Err(problem)) => problem,
            Err(_) => "could not be read".to_owned(),
        };
        Err(Failure {
            reason: CleanStr::field(&format!("the credentials for {}: {problem}", self.label)),
            trouble: Trouble::Ours,
            retry_after: None,
        })
    }

    /// The server's time, as far as its answers told it: what is asked about a moment is asked about the right one.
    pub fn now(&self) -> DateTime<Utc> {
        let own = clock::wall();
        own.checked_sub_signed(self.ahead().unwrap_or_default()).unwrap_or(own)
    }

    /// By how much this machine's clock is ahead of the server's; nothing where they agree as well as a date in whole seconds can tell. Absent until an
    /// answer had a date.
    pub fn ahead(&self) -> Option<TimeDelta> {
        *self.ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares the clocks. What a cache kept says nothing, and a difference that only the way of the answer makes is none.
    fn compare_clocks(&self, date: Option<DateTime<Utc>>, is_kept: bool) {
        let Some(date) = date.filter(|_| !is_kept) else { return };
        let ahead = clock::wall() - (date + TimeDelta::milliseconds(500));
        let ahead = if ahead.abs() <= SAME_TIME { TimeDelta::zero() } else { ahead };
        let mut known = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none_or(|known| (ahead - known).abs() > SAME_TIME) {
            *known = Some(ahead);
        }
    }

    /// Begins a GET below the base address.
    pub fn get(&self, path: impl Into<Below>) -> Result<RequestBuilder, Failure> {
        self.request(Method::GET, path)
    }

    /// Begins a request below the base address, signed in.
    pub fn request(&self, method: Method, path: impl Into<Below>) -> Result<RequestBuilder, Failure> {
        let path = path.into().text().map_err(|value| {
            let value = CleanStr::new(&value);
            self.failure(Trouble::Ours, format!("was not asked: `{value}` names nothing there"))
        })?;
        let slash = if path.is_empty() { "" } else { "/" };
        let mut request = self.client.request(method, format!("{}{slash}{path}", self.base));
        if let Some(header) = self.authorization()? {
            request = request.header(reqwest::header::AUTHORIZATION, header);
        }
        Ok(request)
    }

    /// Sends a request and reads its answer, inside all limits.
    pub async fn ask<E: Error + 'static>(
        &self,
        request: impl Future<Output = Result<Response, E>>,
    ) -> Result<Answer, Failure> {
        let _permit = self.at_once.acquire().await;
        let answer = match tokio::time::timeout(self.limits.total, self.read(request)).await {
            Ok(answer) => {
                if let Some(hop) = self.hop.clone().filter(|hop| hop.take_refusal()) {
                    // What cannot be read now is asked for again at the next refusal.
                    let _ = tokio::task::spawn_blocking(move || hop.read_again()).await;
                }
                answer?
            }
            Err(_) => {
                let limit = self.limits.total.as_secs_f64();
                return Err(self.failure(Trouble::Late, format!("was still answering after {limit} s")));
            }
        };
        if answer.status == 401 {
            self.read_secret_again().await;
        }
        if let Some(rest) = answer.retry_after.filter(|_| !answer.is_success()) {
            let mut known = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(known.map_or(rest, |known| known.max(rest)));
        }
        Ok(answer)
    }

    async fn read<E: Error + 'static>(
        &self,
        request: impl Future<Output = Result<Response, E>>,
    ) -> Result<Answer, Failure> {
        let mut response = request.await.map_err(|error| self.explain(&error))?;
        let status = response.status().as_u16();
        if let Some(hop) = self.hop.as_ref().filter(|_| status == 407) {
            // The proxy's word: the server has seen nothing of the request.
            return Err(self.failure(Trouble::Unreached, hop.wants_credentials()));
        }
        let path = response.url().path().to_owned();
        if response.status().is_redirection() {
            let target = response.headers().get(LOCATION).and_then(|target| target.to_str().ok());
            let target = target.and_then(|target| response.url().join(target).ok());
            let target = target.map_or("nowhere".to_owned(), |url| url.origin().ascii_serialization());
            return Err(self.failure(
                Trouble::Status(status),
                format!(
                    "answered {status}, a redirect to {target}, which is not followed: \
                     if that is the right server, put its address into the configuration"
                ),
            ));
        }
        let retry_after = retry_after(response.headers(), clock::wall());
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let date = text("date").and_then(|date| DateTime::parse_from_rfc2822(&date).ok());
        let (date, scopes) = (date.map(|date| date.with_timezone(&Utc)), text("x-oauth-scopes"));
        let run = text("x-ms-workflow-run-id");
        self.compare_clocks(date, response.headers().contains_key("age"));
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.limits.bytes => {
                    let limit = self.limits.bytes / (1024 * 1024);
                    return Err(self.failure(Trouble::TooBig, format!("sent more than {limit} MiB: ask for less")));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Answer { status, body, path, date, scopes, run, retry_after }),
                Err(error) => return Err(self.explain(&error)),
            }
        }
    }

    /// Reads a JSON answer; what is big is read off the loop's thread.
    pub async fn parse<T, F>(&self, answer: Answer, read: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&str) -> Result<T, serde_json::Error> + Send + 'static,
    {
        let is_big = answer.body.len() > BIG_PARSE;
        let work = move || {
            let text = String::from_utf8_lossy(&answer.body);
            let read = read(&text);
            drop(text);
            read.map_err(|error| Box::new((answer, error)))
        };
        let read = if is_big { tokio::task::spawn_blocking(work).await } else { Ok(work()) };
        match read {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failed)) => Err(self.garbled(&failed.0, &failed.1)),
            Err(_) => Err(self.failure(Trouble::Garbled, "sent an answer that cannot be read".to_owned())),
        }
    }

    /// The sentence for an answer whose status is no success, or that is not what was expected.
    pub fn complaint(&self, answer: &Answer) -> Failure {
        let status = answer.status;
        let said = said(&answer.body);
        let what = match status {
            401 => {
                let what = match &self.auth {
                    Some(auth) => format!("answered 401: the credentials are wrong or expired: check {}", auth.hint()),
                    None => "answered 401: it wants credentials: set bearer-file, bearer-env or basic-user".to_owned(),
                };
                what + &self.hop.as_ref().map(|hop| hop.or_its_own()).unwrap_or_default()
            }
            403 => match &self.auth {
                Some(auth) => format!("answered 403: these credentials may not read here: check {}", auth.hint()),
                None => "answered 403: it may want credentials: set bearer-file, bearer-env or basic-user".to_owned(),
            },
            404 => format!("answered 404 for {}: is the path in the address right?", answer.path),
            429 if said.is_empty() || is_page(&answer.body) => "answered 429: it is asked too often".to_owned(),
            429 => format!("answered 429: it is asked too often: {said}"),
            _ if self.is_plain && tls::wants_tls(&answer.body) => tls::IS_TLS.to_owned(),
            _ if is_page(&answer.body) => {
                format!("answered {status} with a web page instead of data: is a login page or a proxy before it?")
            }
            _ if said.is_empty() => format!("answered {status} without a word"),
            _ => format!("answered {status}: {said}"),
        };
        let is_mistaken = self.is_plain && tls::wants_tls(&answer.body);
        let trouble = if is_mistaken { Trouble::Tls } else { Trouble::Status(status) };
        Failure { retry_after: answer.retry_after, ..self.failure(trouble, what) }
    }

    fn garbled(&self, answer: &Answer, error: &serde_json::Error) -> Failure {
        if is_page(&answer.body) {
            return Failure { trouble: Trouble::Garbled, ..self.complaint(answer) };
        }
        // Where it stopped reading it quotes what stands there.
        let (said, why) = (excerpt(&answer.body), quoted(&error.to_string()));
        self.failure(Trouble::Garbled, format!("sent something that cannot be read ({why}): {said}"))
    }

    /// A failure of this server: `what` follows its name.
    pub fn failure(&self, trouble: Trouble, what: String) -> Failure {
        Failure { reason: CleanStr::field(&format!("{} {what}", self.label)), trouble, retry_after: None }
    }

    fn explain(&self, error: &(dyn Error + 'static)) -> Failure {
        if let Some(what) = self.hop.as_ref().and_then(|hop| hop.broke(error)) {
            return self.failure(Trouble::Unreached, what);
        }
        let mut innermost = error;
        let mut next = Some(error);
        let mut is_connecting = false;
        while let Some(error) = next {
            innermost = error;
            next = error.source();
            if let Some(known) = error.downcast_ref::<reqwest::Error>() {
                is_connecting |= known.is_connect();
                if known.is_timeout() {
                    let what = if known.is_connect() {
                        format!("did not take a connection within {} s", self.limits.connect.as_secs_f64())
                    } else {
                        format!("said nothing for {} s", self.limits.idle.as_secs_f64())
                    };
                    let trouble = if known.is_connect() { Trouble::Unreached } else { Trouble::Late };
                    // A server without TLS may wait for the rest of what it takes for a request.
                    let or = match known.is_connect() && !self.is_plain {
                        true => ", is a firewall between, or does that port not speak TLS (then write http://)?",
                        false => ", or is a firewall between?",
                    };
                    return self.failure(trouble, format!("{what}: is it overloaded{or}"));
                }
            }
            if let Some(known) = error.downcast_ref::<rustls::Error>() {
                return self.untrusted(known);
            }
            if self.is_plain && error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
                return self.failure(Trouble::Tls, tls::IS_NOT_HTTP.to_owned());
            }
            if let Some(known) = error.downcast_ref::<io::Error>() {
                if let Some(inner) = tls::inside(known) {
                    return self.untrusted(inner);
                }
                if known.kind() == io::ErrorKind::ConnectionRefused {
                    return self.failure(Trouble::Unreached, "refused the connection: is it running?".to_owned());
                }
            }
            if error.to_string().starts_with("dns error") {
                return self.failure(
                    Trouble::Unreached,
                    "cannot be found: its name does not resolve: check the address".to_owned(),
                );
            }
        }
        let what = if is_connecting { "cannot be reached" } else { "broke the connection off" };
        // An innermost error of the client itself would print the address with its query.
        let why = if innermost.is::<reqwest::Error>() { String::new() } else { format!(": {innermost}") };
        let trouble = if is_connecting { Trouble::Unreached } else { Trouble::Away };
        self.failure(trouble, format!("{what}{why}"))
    }

    fn untrusted(&self, error: &rustls::Error) -> Failure {
        let trouble = if tls::is_plain_text(error) { Trouble::Tls } else { Trouble::Unreached };
        self.failure(trouble, tls::words(error, self.has_certificate))
    }

    /// A token that was refused may have been replaced in the meantime: the next request uses what is there now.
    pub async fn read_secret_again(&self) {
        if let Some(hop) = self.hop.clone() {
            // Some proxies say 401 of their own; what cannot be read now is asked for again at the next refusal.
            let _ = tokio::task::spawn_blocking(move || hop.read_again()).await;
        }
        let Some(auth) = self.auth.clone() else { return };
        let client = self.client.clone();
        let Ok(fresh) = tokio::task::spawn_blocking(move || auth.header(&client)).await else { return };
        *self.header.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

/// An address without user, password and query, for logs.
pub fn without_credentials(address: &str) -> String {
    match Url::parse(address) {
        Ok(mut url) if url.has_host() => {
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.into()
        }
        Ok(_) | Err(_) => "(not an address)".to_owned(),
    }
}

fn address(name: SourceName, endpoint: &Endpoint) -> Result<Url, SourceError> {
    let bad = |problem: String| SourceError::Address { name, problem };
    let url = Url::parse(endpoint.url.trim());
    let url = url.ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.ok_or_else(|| bad("is no address: write it as http://localhost:9090".to_owned()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("holds a user or a password: take them out and set basic-user with basic-password-file, \
                        or bearer-file"
            .to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("ends with a query or a fragment: leave out what begins with ? or #".to_owned()));
    }
    if url.scheme() == "http" && !way::is_here(&url) && !endpoint.allow_plain_http {
        return Err(bad(format!(
            "is plain http to another host ({}): use https, or set allow-plain-http = true",
            url.host_str().unwrap_or_default()
        )));
    }
    Ok(url)
}

/// The certificate with which a client shows who it is, where one is configured.
fn identity(name: SourceName, endpoint: &Endpoint) -> Result<Option<Identity>, SourceError> {
    let setting = |setting, problem| SourceError::Setting { name, setting, problem };
    let (certificate, key) = match (&endpoint.client_cert_file, &endpoint.client_key_file) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            return Err(setting("client-key-file", "is missing: the certificate needs its key".to_owned()));
        }
        (None, Some(_)) => return Err(setting("client-cert-file", "is missing: the key is set".to_owned())),
    };
    let read = |key: &'static str, path: &std::path::Path| {
        std::fs::read(path).map_err(|error| setting(key, format!("{}: {error}", path.display())))
    };
    let mut pem = read("client-cert-file", certificate)?;
    pem.push(b'\n');
    pem.extend(read("client-key-file", key)?);
    let wrong =
        |_| setting("client-cert-file", format!("{}: no certificate with this key in PEM", certificate.display()));
    Identity::from_pem(&pem).map(Some).map_err(wrong)
}

fn client(
    name: SourceName,
    endpoint: &Endpoint,
    url: &Url,
    limits: Limits,
    hop: Option<&Hop>,
) -> Result<Client, SourceError> {
    // An Err says that a provider is installed already, which is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let setting = |setting, problem| SourceError::Setting { name, setting, problem };
    let mut headers = HeaderMap::new();
    for (key, value) in &endpoint.headers {
        let parsed = HeaderName::from_bytes(key.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let Some((key, mut value)) = parsed else {
            return Err(setting("headers", format!("'{}' is no header", CleanStr::field(key))));
        };
        if ["authorization", "proxy-authorization", "cookie", "host"].contains(&key.as_str()) {
            return Err(setting("headers", format!("'{key}' is not set here: use bearer-file or basic-user")));
        }
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    let mut builder = Client::builder()
        .user_agent(concat!("warroom/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle)
        .pool_max_idle_per_host(AT_ONCE);
    builder = match (&endpoint.ca_file, url.scheme()) {
        // Without any store on the machine even a client for plain http cannot be built.
        (_, "http") if !hop.is_some_and(Hop::is_tls) => builder.tls_certs_only([]),
        (None, _) => builder,
        (Some(path), _) => {
            let problem = |problem: String| setting("ca-file", format!("{}: {problem}", path.display()));
            let pem = std::fs::read(path).map_err(|error| problem(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(problem("holds no certificate in PEM".to_owned()));
            }
            builder.tls_certs_only(certificates)
        }
    };
    if let Some(identity) = identity(name, endpoint)? {
        builder = builder.identity(identity);
    }
    // What the environment says is read by ourselves, so that it can be shown.
    builder = builder.no_proxy();
    if let Some(hop) = hop {
        builder = builder.proxy(hop.proxy());
    }
    builder.build().map_err(|error| {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        setting("ca-file", format!("no connection can be made secure ({why}): name a file of certificates"))
    })
}

/// Reads how long to wait in all its spellings: seconds or a date, and the rate limits' headers.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let until = |at: DateTime<Utc>| (at - now).to_std().unwrap_or_default();
    let seconds = |text: &str| text.parse().ok().map(Duration::from_secs);
    let told = text("retry-after").and_then(|text| {
        seconds(text).or_else(|| Some(until(DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc))))
    });
    let reset = || text("ratelimit-reset").and_then(seconds);
    let dated = || {
        let text = text("x-ratelimit-reset")?;
        let date = DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc));
        let date = date.or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%MZ").map(|at| at.and_utc()));
        date.ok().map(until)
    };
    told.or_else(reset).or_else(dated).map(|pause| pause.min(LONGEST_PAUSE))
}

fn is_page(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    start.first() == Some(&b'<')
}

/// What a server says of an error in its own words: the sentence in its JSON, in whichever of the usual places that stands; else the beginning of it.
pub(super) fn said(body: &[u8]) -> CleanStr {
    use serde_json::Value;
    fn sentence(value: &Value) -> Option<&str> {
        match value {
            Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            Value::Array(all) => all.iter().find_map(sentence),
            Value::Object(all) => ["error", "message", "msg", "errors", "detail", "reason"]
                .iter()
                .find_map(|key| sentence(all.get(*key)?)),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    match sentence(&told) {
        Some(text) => excerpt(text.as_bytes()),
        None => excerpt(body),
    }
}

/// What a server said, for a sentence or a remark: every word of a server that people read comes through here.
pub(super) fn quoted(text: &str) -> CleanStr {
    excerpt(text.as_bytes())
}

/// The beginning of an answer, clean; a server that echoes what it was sent must not bring a token to the screen.
pub(super) fn excerpt(body: &[u8]) -> CleanStr {
    let text = String::from_utf8_lossy(&body[..body.len().min(2 * EXCERPT)]);
    let masked = crate::vault::mask().mask(text.trim());
    let end = (0..=masked.len().min(EXCERPT)).rev().find(|end| masked.is_char_boundary(*end)).unwrap_or(0);
    CleanStr::field(&masked[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_say_in_four_ways_how_long_to_wait() {
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        for (name, value, seconds) in [
            ("retry-after", "7", Some(7)),
            ("retry-after", "Thu, 28 May 2026 20:26:50 GMT", Some(10)),
            ("retry-after", "Thu, 28 May 2020 20:26:50 GMT", Some(0)),
            ("ratelimit-reset", "12", Some(12)),
            ("x-ratelimit-reset", "2026-05-28T20:28Z", Some(80)),
            ("retry-after", "9000", Some(9000)),
            ("retry-after", "99999999", Some(30 * 24 * 3600)),
            ("retry-after", "soon", None),
        ] {
            let headers = HeaderMap::from_iter([(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_static(value),
            )]);
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{name}: {value}");
        }
    }

    #[test]
    fn addresses_that_would_leak_or_cannot_work_are_refused_with_the_way_out() {
        for (url, hint) in [
            ("localhost:9090", "write it as http"),
            ("ftp://localhost", "write it as http"),
            ("http://me:hunter2@localhost:1", "basic-user"),
            ("http://localhost/?api_key=hunter2", "leave out"),
            ("http://prometheus.example:9090", "allow-plain-http"),
            ("", "write it as http"),
        ] {
            let error = Site::open("prometheus", &Endpoint::at(url), Limits::default()).unwrap_err().to_string();
            assert!(error.contains(hint) && !error.contains("hunter2"), "{error}");
        }
        for url in ["http://localhost:9090/prom/", "http://127.0.0.1", "http://[::1]:9"] {
            let site = Site::open("prometheus", &Endpoint::at(url), Limits::default()).unwrap();
            assert!(!site.base().ends_with('/'));
        }
    }

    #[test]
    fn the_promised_limits_are_the_ones_in_use() {
        let Limits { connect, idle, total, bytes } = Limits::default();
        assert_eq!((connect.as_secs(), idle.as_secs(), total.as_secs(), bytes), (3, 5, 15, 8 << 20));
        assert_eq!(Limits::of_traces().bytes, 32 << 20);
    }
}
