//! What warroom writes to: the systems that a text can be sent to, each behind one trait.
//!
//! Hides what a system's answers, refusals and silences mean for a text: whether it is there, is not there, or nobody knows.
//!
//! Invariant: a request that may have reached the system and was not answered is [`Receipt::Unknown`], never a failure that invites another try.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::change::Change;
use crate::checkup::Finding;
use crate::incident::{ForeignNoted, News, Parcel, Receipt, Remote, ServiceId, Watched};
use crate::oncall::Person;
use crate::reach::Reach;
use crate::source::below::Below;
use crate::source::http::{Answer, Failure, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::{CleanStr, CleanText};

pub mod calls;
mod events;
pub mod fit;
mod github;
mod grafana;
mod jira;
mod mattermost;
mod opsgenie;
mod pagerduty;
pub mod settings;
mod silences;
mod slack;
pub mod spec;
mod statuspage;
mod teams;
pub mod webhook;

pub use settings::{Setting, SystemSettings};
pub use spec::ChannelSpec;

/// An answer that is on its way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Receipt> + Send + 'a>>;

/// Findings that are on their way.
pub type Examining<'a> = Pin<Box<dyn Future<Output = Vec<Finding>> + Send + 'a>>;

/// What became of something that was there for a rehearsal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tidied {
    /// It was taken away, in the system's own word for it.
    Removed(&'static str),
    /// It ended with the rehearsal, and nothing is taken away there.
    Over,
}

/// A cleaning up that is on its way, or why something stays.
pub type Tidying<'a> = Pin<Box<dyn Future<Output = Result<Tidied, CleanStr>> + Send + 'a>>;

/// What a system should be able to do for us.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What goes where.
    pub reach: &'a Reach,
    /// The services that have a playbook.
    pub services: &'a [ServiceId],
    /// Who is on call now, where a rotation says so.
    pub on_call: Option<&'a Person>,
}

/// News that are on their way, or why there are none.
pub type Telling<'a> = Pin<Box<dyn Future<Output = Result<Vec<News>, CleanStr>> + Send + 'a>>;

/// A system that takes texts.
pub trait Channel: Send + Sync + fmt::Debug {
    /// The server behind it.
    fn site(&self) -> &Site;
    /// Hands a text over.
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a>;
    /// Says whether a text that was handed over is there.
    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a>;
    /// Looks whether it would do what it is for; changes nothing there.
    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a>;
    /// Takes away what a rehearsal made there; what ends by itself stays in a system's lists.
    fn tidy<'a>(&'a self, parcel: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        let _ = (parcel, made);
        Box::pin(async { Ok(Tidied::Over) })
    }
    /// Says what others did with something there; a system that cannot say has no news.
    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        let _ = watched;
        Box::pin(async { Ok(Vec::new()) })
    }
}

/// How a system is opened.
pub type Open = fn(&Endpoint, &SystemSettings) -> Result<Box<dyn Channel>, SourceError>;

/// All kinds of systems that are written to.
pub const CHANNELS: &[ChannelSpec] = &[
    slack::SPEC,
    statuspage::SPEC,
    pagerduty::SPEC,
    events::SPEC,
    opsgenie::SPEC,
    teams::SPEC,
    mattermost::SPEC,
    jira::SPEC,
    github::SPEC,
    silences::SPEC,
    grafana::SPEC,
    webhook::SPEC,
];

/// Tells PagerDuty of a change that may be a cause; says whether it has it.
pub async fn announce(endpoint: &Endpoint, change: &Change) -> Result<Receipt, SourceError> {
    events::announce(endpoint, change).await
}

/// A JSON request that changes something there: its answer, whatever the status.
async fn call(site: &Site, method: Method, path: impl Into<Below>, body: Option<&Value>) -> Result<Answer, Failure> {
    send(site, site.request(method, path)?, body).await
}

/// The same, of a request that is prepared: every write of every system leaves here, after it is in the record.
async fn send(site: &Site, request: RequestBuilder, body: Option<&Value>) -> Result<Answer, Failure> {
    site.may_write().await?;
    exchange(site, request, body).await
}

/// A question that is too long for an address.
async fn question(site: &Site, path: impl Into<Below>, body: &Value) -> Result<Answer, Failure> {
    exchange(site, site.request(Method::POST, path)?, Some(body)).await
}

async fn exchange(site: &Site, request: RequestBuilder, body: Option<&Value>) -> Result<Answer, Failure> {
    let request = match body {
        Some(body) => request.header(CONTENT_TYPE, "application/json").body(body.to_string()),
        None => request,
    };
    site.ask(request.send()).await
}

/// A JSON answer to a question; anything but a success is a failure.
async fn read<T: DeserializeOwned + Send + 'static>(
    site: &Site,
    path: impl Into<Below>,
    query: &[(&str, &str)],
) -> Result<T, Failure> {
    let answer = site.ask(site.get(path)?.query(query).send()).await?;
    taken(site, answer).await
}

/// What a success says.
async fn taken<T: DeserializeOwned + Send + 'static>(site: &Site, answer: Answer) -> Result<T, Failure> {
    if !answer.is_success() {
        return Err(complaint(site, &answer));
    }
    site.parse(answer, |text| serde_json::from_str(text)).await
}

/// The sentence for an answer that is no success, in the system's own words where it has some.
fn complaint(site: &Site, answer: &Answer) -> Failure {
    let usual = site.complaint(answer);
    let words = serde_json::from_slice(&answer.body).map(|said| words_of(&said)).unwrap_or_default();
    if words.is_empty() || matches!(answer.status, 401 | 429) {
        return usual;
    }
    let reason =
        CleanStr::new(&format!("{} answered {}: {}", site.label(), answer.status, site.echo(&words.join("; "))));
    Failure { reason, ..usual }
}

/// All sentences of an error, however deep a system puts them.
fn words_of(said: &Value) -> Vec<String> {
    match said {
        Value::String(text) if !text.trim().is_empty() => vec![text.trim().chars().take(300).collect()],
        Value::Array(all) => all.iter().flat_map(words_of).collect(),
        Value::Object(fields) => {
            let known = ["message", "error", "errors", "errorMessages"];
            let said: Vec<_> = known.iter().filter_map(|key| fields.get(*key)).flat_map(words_of).collect();
            // `errors` of Jira is a map from fields to sentences.
            if said.is_empty() {
                fields
                    .iter()
                    .flat_map(|(key, value)| match value {
                        Value::String(text) => vec![format!("{key}: {text}")],
                        _ => Vec::new(),
                    })
                    .collect()
            } else {
                said
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => Vec::new(),
    }
}

/// Something that was done there.
fn noted(service: &str, key: &str, who: &str, at: DateTime<Utc>, text: &str) -> News {
    let (service, key, who) = (CleanStr::new(service), CleanStr::new(key), CleanStr::new(who));
    News {
        noted: ForeignNoted { service, key, who, at, text: CleanText::new(text), link: None, answers: None },
        closes: None,
    }
}

/// What a question found, as the text of a finding; its failure, as another.
fn found<T>(what: &str, answer: Result<T, Failure>, seen: impl FnOnce(T) -> Finding) -> Finding {
    match answer {
        Ok(answer) => seen(answer),
        Err(failure) => Finding::wrong(what, &failure.reason),
    }
}

/// Whether the secret of a system that cannot be asked is there.
async fn secret_finding(name: &str, site: &Site) -> Finding {
    match site.secret().await {
        Ok(Some(_)) => {
            Finding::untried(name, "the secret can be read; whether it is right shows when something is sent")
        }
        Ok(None) => Finding::wrong(name, "has no secret: set bearer-env"),
        Err(failure) => Finding::wrong(name, &failure.reason),
    }
}

/// Whether the server's clock and ours agree.
pub fn clock_finding(what: &str, date: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<Finding> {
    let off = (now - date?).num_seconds();
    let what = format!("{what}: clock");
    let way = if off > 0 { "ahead of" } else { "behind" };
    let why = format!("this machine's clock is {} s {way} the server's: set it (NTP)", off.abs());
    match off.abs() {
        // A date counts whole seconds, and the answer takes a moment.
        0..=2 => None,
        3..=30 => Some(Finding::doubtful(&what, &why)),
        _ => Some(Finding::wrong(&what, &why)),
    }
}

/// The object that a success names; one that names none is no success: a login page answers 200, too.
async fn naming(site: &Site, answer: Answer, key: &str) -> Result<Value, Failure> {
    let said: Value = taken(site, answer).await?;
    match said.get(key) {
        Some(object) if !object.is_null() => Ok(object.clone()),
        Some(_) | None => Err(unnamed(site, key)),
    }
}

/// A success that says nothing, where that is how this system says that it is done.
fn silent(site: &Site, answer: &Answer) -> Result<(), Failure> {
    match answer.is_success() {
        true if answer.body.trim_ascii().is_empty() => Ok(()),
        true => Err(unnamed(site, "what was asked of it")),
        false => Err(complaint(site, answer)),
    }
}

fn unnamed(site: &Site, what: &str) -> Failure {
    let why = format!("answered with success and did not name {what}: is a login page or a proxy before it?");
    site.failure(Trouble::Garbled, why)
}

/// What a question that nobody could answer says of a text: nothing.
fn unknown(failure: Failure) -> Receipt {
    Receipt::Unknown(failure.reason)
}

/// A text in which each letter stands as `write` has it, so that it is shown as it was written; addresses stay links.
fn but_addresses(text: &str, write: impl Fn(char, &mut String)) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        if word.starts_with("https://") || word.starts_with("http://") {
            out.push_str(word);
        } else {
            word.chars().for_each(|letter| write(letter, &mut out));
        }
    }
    out
}

/// Deletes something there: how a rehearsal is cleaned up.
async fn removed(site: &Site, path: Below) -> Result<Tidied, CleanStr> {
    match call(site, Method::DELETE, path, None).await {
        Ok(answer) if answer.is_success() => Ok(Tidied::Removed("was deleted")),
        Ok(answer) => Err(complaint(site, &answer).reason),
        Err(failure) => Err(failure.reason),
    }
}

/// A system is asked for something that it does not do.
fn cannot(service: &str, parcel: &Parcel) -> Receipt {
    Receipt::Refused(CleanStr::new(&format!("{service} has no {}: give it up here", parcel.act.words())))
}

/// A system is told something of what it does not have.
fn without(service: &str, parcel: &Parcel) -> Receipt {
    Receipt::Refused(CleanStr::new(&format!(
        "{service}: nothing is known there that `{}` is about",
        parcel.act.words()
    )))
}

/// Whether a text bears a mark as a whole: `…:18` is no part of `…:186`.
fn bears(text: &str, mark: &str) -> bool {
    let is_inner = |letter: char| letter.is_ascii_alphanumeric() || letter == ':' || letter == '-';
    text.match_indices(mark).any(|(place, _)| {
        let before = text[..place].chars().next_back();
        let after = text[place + mark.len()..].chars().next();
        !before.is_some_and(is_inner) && !after.is_some_and(is_inner)
    })
}

/// It is not there, and goes out again.
fn absent(service: &str) -> Receipt {
    Receipt::NotThere { why: CleanStr::new(&format!("{service} does not have it")), wait: None }
}

/// What a failure of a request that writes means.
fn receipt(failure: Failure) -> Receipt {
    let Failure { reason, trouble, retry_after } = failure;
    let wait = retry_after.and_then(|wait| chrono::TimeDelta::from_std(wait).ok());
    match trouble {
        // Not a byte of it was sent.
        Trouble::Unreached | Trouble::Tls | Trouble::Ours => Receipt::NotThere { why: reason, wait },
        Trouble::Status(420 | 429) => Receipt::NotThere { why: reason, wait },
        // It took too long, somebody else was writing, it is locked, it came too early: that passes, and something of it may be there.
        Trouble::Status(408 | 409 | 423 | 425) => Receipt::Unknown(reason),
        Trouble::Status(status) if (300..500).contains(&status) => Receipt::Refused(reason),
        Trouble::Away | Trouble::Late | Trouble::TooBig | Trouble::Garbled | Trouble::Status(_) => {
            Receipt::Unknown(reason)
        }
    }
}

/// A question before anything was written failed: nothing of it is unknown.
fn nothing_written(failure: Failure) -> Failure {
    match failure.trouble {
        Trouble::Status(status) if status < 500 && !matches!(status, 408 | 409 | 423 | 425) => failure,
        _ => Failure { trouble: Trouble::Unreached, ..failure },
    }
}

/// A refusal in a sentence: who, what it said, and the way out.
fn refused(who: &str, said: &str, way_out: &str) -> CleanStr {
    CleanStr::new(&format!("{who} says {said}{}{way_out}", if way_out.is_empty() { "" } else { ": " }))
}

#[cfg(test)]
mod tests {
    use super::bears;

    #[test]
    fn a_mark_is_found_as_a_whole_and_never_in_a_longer_one() {
        let mark = "INC-1/7adcc1de71887d25:18";
        for (text, is_there) in [
            ("(warroom INC-1/7adcc1de71887d25:18)", true),
            ("INC-1/7adcc1de71887d25:18", true),
            ("a INC-1/7adcc1de71887d25:18, b", true),
            ("(warroom INC-1/7adcc1de71887d25:186)", false),
            ("(warroom XINC-1/7adcc1de71887d25:18)", false),
            ("INC-1/7adcc1de71887d25:18-2", false),
            ("INC-1/7adcc1de71887d25:186 and INC-1/7adcc1de71887d25:18", true),
            ("", false),
        ] {
            assert_eq!(bears(text, mark), is_there, "{text}");
        }
    }
}
