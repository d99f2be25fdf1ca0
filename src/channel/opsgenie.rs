//! Opsgenie, and the alerts of Jira Service Management: an alert of ours, by an alias that makes repeating harmless.
//!
//! Hides that every write is answered with 202 and a request ID, and is done, or is not, some time later.
//!
//! Invariant: an alert is there when the status of its request names it, and not before: 202 says that somebody will look at it.

use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Home, Life, Parts, Rehearsal, Section, Takes};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Wanted, absent, cannot, found, noted, read, receipt, taken,
    unknown, without,
};
use crate::checkup::Finding;
use crate::incident::ended::{self, back_key, over_key};
use crate::incident::{Act, News, Opened, Parcel, Receipt, Remote, Severity, Watched, Way};
use crate::reach::{Habit, Lines, OPSGENIE};
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site, Spelling, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

/// The longest line that says what is wrong; the whole of a longer one stands before the description.
const MESSAGE: usize = 130;
/// The longest description.
const DESCRIPTION: usize = 15_000;
/// The longest note.
const NOTE: usize = 25_000;
/// The pauses before a request's status is asked for: ten seconds in all, then it is looked for later.
const PAUSES: [u64; 7] = [150, 350, 600, 1_000, 1_500, 2_500, 4_000];

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: OPSGENIE,
    open,
    keeps: Some((Habit { pages: true, lines: Lines::Updates, ..Habit::OF_TRACKER }, Home::Itself)),
    sections: &[Section { name: "opsgenie-teams", holds: Holds::Services(Takes::Text, Parts::Places) }],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::of(
        Takes::Text,
        Life::Alert,
        r#"# opsgenie = "Rehearsal"     # a team
"#,
    ),
};

/// Its part of the starter file.
const STARTER: &str = r#"[opsgenie]
# An alert of ours, in Opsgenie or in Jira Service Management: P1 to P4 by severity.
# url = "https://api.opsgenie.com/v2"    # in the EU: https://api.eu.opsgenie.com/v2; Jira: https://api.atlassian.com/jsm/ops/integration/v2
# bearer-env = "OPSGENIE_API_KEY"        # the key of an API integration that may read, create and update

[opsgenie-teams]
# Which team is called, by the names of playbooks; without this, the integration's own.
# alipay = "Payments"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("POST", "alerts", "an alert of ours", "an integration that may create", "opsgenie: writing"),
    asks(
        "GET",
        "alerts/*",
        "a lost request is looked for; its number",
        "an integration that may read",
        "opsgenie: key",
    ),
    asks("GET", "alerts/requests/*", "what became of a request", "an integration that may read", "opsgenie: key"),
    asks("POST", "alerts/*/acknowledge", "acknowledged", "an integration that may update", "opsgenie: writing"),
    asks("POST", "alerts/*/notes", "updates", "an integration that may update", "opsgenie: writing"),
    asks("GET", "alerts/*/notes", "a lost note is looked for", "an integration that may read", "opsgenie: key"),
    asks("POST", "alerts/*/close", "resolved", "an integration that may update", "opsgenie: writing"),
    asks("PUT", "alerts/*/priority", "severity", "an integration that may update", "opsgenie: writing"),
    asks("PUT", "alerts/*/message", "title", "an integration that may update", "opsgenie: writing"),
];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(OPSGENIE, endpoint, Limits::default(), Spelling::Word("GenieKey "))?;
    Ok(Box::new(Opsgenie { site }))
}

#[derive(Debug)]
struct Opsgenie {
    site: Site,
}

/// What a write is answered with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    request_id: String,
}

/// `alerts/requests/{id}`, and `alerts/{id}`.
#[derive(Debug, Deserialize)]
struct Said<T> {
    data: T,
}

/// What became of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Processed {
    is_success: bool,
    status: String,
    alert_id: String,
}

/// An alert there.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    id: String,
    #[serde(default)]
    tiny_id: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    acknowledged: bool,
    #[serde(default)]
    priority: String,
    /// When it came to stand as it stands, as it is written there.
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    report: Option<Report>,
}

/// What was done with an alert.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    closed_by: Option<String>,
}

/// A note of an alert.
#[derive(Debug, Deserialize)]
struct Note {
    #[serde(default)]
    note: String,
}

impl Alert {
    fn stamp(&self) -> &str {
        self.updated_at.as_deref().unwrap_or_default()
    }

    fn by(&self) -> String {
        let by = self.report.as_ref().and_then(|report| report.closed_by.as_deref());
        by.map(|by| format!(" by {by}")).unwrap_or_default()
    }
}

/// That it was closed there while we go on, or that such an end was taken back.
fn end_of(alert: &Alert, watched: &Watched) -> Option<News> {
    let at = alert.stamp().parse().unwrap_or(watched.since);
    if alert.status != "closed" {
        let over = watched.over.as_ref()?;
        let text = format!("alert {} is open there again", alert.tiny_id);
        return Some(noted(OPSGENIE, &back_key(&watched.remote.id, over), "", at, &text));
    }
    let who = alert.report.as_ref().and_then(|report| report.closed_by.as_deref()).unwrap_or_default();
    let text =
        format!("alert {} was closed there, and this incident is not over: `outbox` opens it again", alert.tiny_id);
    let key = over_key(&watched.remote.id, alert.stamp(), None);
    watched.is_live.then(|| noted(OPSGENIE, &key, who, at, &text))
}

impl Channel for Opsgenie {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let alias = parcel.about.as_ref().map(|about| alias(&about.id));
            match (&parcel.act, &alias) {
                (Act::Open(opened), _) => self.open(parcel, &self::alias(&parcel.op), opened).await,
                // A closed alert stays closed: the same alias begins another one.
                (Act::Reopen, Some(alias)) => self.open(parcel, alias, &again(parcel)).await,
                (Act::Change(said), Some(alias)) => self.change(parcel, said, alias).await,
                (Act::Acknowledge, Some(alias)) => {
                    self.act(parcel, Method::POST, alias, "acknowledge", &signed(parcel, "")).await
                }
                (Act::Note(_), Some(alias)) => {
                    self.act(parcel, Method::POST, alias, "notes", &signed(parcel, "")).await
                }
                (Act::Resolve, Some(alias)) => {
                    self.act(parcel, Method::POST, alias, "close", &signed(parcel, "")).await
                }
                (Act::Reopen | Act::Change(_) | Act::Acknowledge | Act::Note(_) | Act::Resolve, None) => {
                    without(OPSGENIE, parcel)
                }
                _ => cannot(OPSGENIE, parcel),
            }
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let alias = alias(parcel.about.as_ref().map_or(&parcel.op, |about| &about.id));
            let alert = match self.alert(&alias).await {
                Ok(Some(alert)) => alert,
                Ok(None) => return absent(OPSGENIE),
                Err(failure) => return unknown(failure),
            };
            let is_there = match &parcel.act {
                Act::Open(_) => true,
                Act::Reopen => alert.status != "closed",
                Act::Change(said) => {
                    alert.message == message(parcel, said) && alert.priority == priority(said.severity)
                }
                Act::Acknowledge => alert.acknowledged || alert.status == "closed",
                Act::Resolve => alert.status == "closed",
                Act::Note(_) => match self.has_note(&alias, &parcel.text).await {
                    Ok(has) => has,
                    Err(failure) => return unknown(failure),
                },
                _ => return cannot(OPSGENIE, parcel),
            };
            if is_there { Receipt::There(self.remote(&alias, &alert)) } else { absent(OPSGENIE) }
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            let alias = alias(&watched.remote.id);
            let alert = self.alert(&alias).await.map_err(|failure| failure.reason)?;
            Ok(alert.and_then(|alert| end_of(&alert, watched)).into_iter().collect())
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        let _ = wanted;
        Box::pin(async move {
            let what = "opsgenie: key";
            let asked: Result<Said<Vec<Alert>>, _> = read(&self.site, "alerts", &[("limit", "1")]).await;
            let write = "whether the key may create alerts shows when one is created: give its integration that right";
            vec![
                found(what, asked, |_| Finding::fine(what, "it may read alerts")),
                Finding::untried("opsgenie: writing", write),
            ]
        })
    }
}

impl Opsgenie {
    async fn open(&self, parcel: &Parcel, alias: &CleanStr, opened: &Opened) -> Receipt {
        let title = format!("{} {}: {}", parcel.incident, opened.severity, opened.title);
        let whole = if title.chars().count() > MESSAGE { format!("{title}\n\n") } else { String::new() };
        let mut body = json!({
            "message": message(parcel, opened),
            "alias": alias,
            "description": limited(&format!("{whole}{}", parcel.text), DESCRIPTION),
            "priority": priority(opened.severity),
            "source": "warroom",
            "tags": ["warroom", parcel.incident.to_string()],
            "details": { "incident": parcel.incident.to_string(), "severity": opened.severity.name() },
        });
        // Without one, the integration's own team has it.
        if *parcel.target != *OPSGENIE {
            body["responders"] = json!([{ "type": "team", "name": parcel.target }]);
        }
        if let Some(from) = &parcel.from {
            body["user"] = json!(limited(from, 100));
        }
        self.write(parcel, Method::POST, "alerts".into(), &body, alias).await
    }

    /// The priority first: it decides who is called.
    async fn change(&self, parcel: &Parcel, said: &Opened, alias: &CleanStr) -> Receipt {
        match self.alert(alias).await {
            // Nobody is called for what is closed there, however bad it gets.
            Ok(Some(alert)) if alert.status == "closed" && parcel.standing.phase.is_live() => {
                let choice = ended::again(OPSGENIE, alias, alert.stamp());
                if parcel.choices.contains(&choice) {
                    return self.open(parcel, alias, said).await;
                }
                let why = format!(
                    "alert {} was closed in Opsgenie{}: nobody is called for what is over",
                    alert.tiny_id,
                    alert.by()
                );
                let ways = vec![Way::new("open it again there, as it is now", &choice)];
                return Receipt::Asks { why: CleanStr::new(&why), ways };
            }
            Ok(_) => {}
            Err(failure) => return receipt(super::nothing_written(failure)),
        }
        let body = json!({ "priority": priority(said.severity) });
        match self.act(parcel, Method::PUT, alias, "priority", &body).await {
            Receipt::There(_) => {}
            other => return other,
        }
        self.act(parcel, Method::PUT, alias, "message", &json!({ "message": message(parcel, said) })).await
    }

    async fn act(
        &self,
        parcel: &Parcel,
        method: Method,
        alias: &CleanStr,
        what: &'static str,
        body: &Value,
    ) -> Receipt {
        self.write(parcel, method, Below::of("alerts/{}", &[alias]).then(what, &[]), body, alias).await
    }

    /// Hands a request in and waits until it was processed.
    async fn write(&self, parcel: &Parcel, method: Method, path: Below, body: &Value, alias: &CleanStr) -> Receipt {
        let request = match self.site.request(method, path) {
            Ok(request) if matches!(parcel.act, Act::Open(_) | Act::Reopen) => request,
            Ok(request) => request.query(&[("identifierType", "alias")]),
            Err(failure) => return receipt(failure),
        };
        let answer = match super::send(&self.site, request, Some(body)).await {
            Ok(answer) => answer,
            Err(failure) => return receipt(failure),
        };
        let accepted: Accepted = match taken(&self.site, answer).await {
            Ok(accepted) => accepted,
            Err(failure) => return receipt(failure),
        };
        for pause in PAUSES {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match self.processed(&accepted.request_id).await {
                Ok(Some(processed)) => return became(parcel, processed, self.named(alias).await),
                Ok(None) => {}
                Err(failure) => return unknown(failure),
            }
        }
        let why = format!("opsgenie took request {}, and has not processed it yet", accepted.request_id);
        Receipt::Unknown(CleanStr::new(&why))
    }

    /// What became of a request; nothing as long as it waits.
    async fn processed(&self, request: &str) -> Result<Option<Processed>, Failure> {
        match read::<Said<Processed>>(&self.site, Below::of("alerts/requests/{}", &[request]), &[]).await {
            Ok(said) => Ok(Some(said.data)),
            Err(failure) if failure.trouble == Trouble::Status(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn alert(&self, alias: &str) -> Result<Option<Alert>, Failure> {
        let query = [("identifierType", "alias")];
        match read::<Said<Alert>>(&self.site, Below::of("alerts/{}", &[alias]), &query).await {
            Ok(said) => Ok(Some(said.data)),
            Err(failure) if failure.trouble == Trouble::Status(404) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn has_note(&self, alias: &str, text: &str) -> Result<bool, Failure> {
        let path = Below::of("alerts/{}", &[alias]).then("notes", &[]);
        let query = [("identifierType", "alias"), ("limit", "100"), ("order", "desc")];
        let notes: Said<Vec<Note>> = read(&self.site, path, &query).await?;
        Ok(notes.data.iter().any(|one| one.note.trim() == limited(text, NOTE).trim()))
    }

    /// The alert with the number that people know; by its alias alone where it cannot be read in the moment.
    async fn named(&self, alias: &CleanStr) -> Remote {
        match self.alert(alias).await {
            Ok(Some(alert)) => self.remote(alias, &alert),
            Ok(None) | Err(_) => Remote::from(alias.as_str()),
        }
    }

    fn remote(&self, alias: &CleanStr, alert: &Alert) -> Remote {
        let name = (!alert.tiny_id.is_empty()).then(|| CleanStr::new(&alert.tiny_id));
        let base = self.site.base();
        // The web page stands beside the interface; Jira's own products have theirs elsewhere.
        let page = base.split_once("://api.").filter(|(_, host)| host.contains("opsgenie.com"));
        let link = page.map(|(scheme, host)| {
            let host = host.split('/').next().unwrap_or_default();
            CleanStr::new(&format!("{scheme}://app.{host}/alert/detail/{}/details", alert.id))
        });
        Remote { name, link, ..Remote::from(alias.as_str()) }
    }
}

/// What a processed request means.
fn became(parcel: &Parcel, processed: Processed, remote: Remote) -> Receipt {
    let status = processed.status.to_lowercase();
    let is_done_already = status.contains("already");
    let is_nothing_to_end = parcel.act == Act::Resolve && status.contains("does not exist");
    match processed.is_success {
        true if processed.alert_id.is_empty() => {
            Receipt::Unknown(CleanStr::new(&format!("opsgenie said `{}` and named no alert", processed.status)))
        }
        true => Receipt::There(remote),
        false if is_done_already || is_nothing_to_end => Receipt::There(remote),
        false => {
            let why = format!("opsgenie did not do it: {}: look there, or give it up here", processed.status);
            Receipt::Refused(CleanStr::new(&why))
        }
    }
}

/// The mark as it may stand in a path.
fn alias(mark: &CleanStr) -> CleanStr {
    CleanStr::new(&mark.replace('/', "_"))
}

fn signed(parcel: &Parcel, more: &str) -> Value {
    let mut body = json!({ "source": "warroom" });
    if let Some(from) = &parcel.from {
        body["user"] = json!(limited(from, 100));
    }
    let note = format!("{}{more}", parcel.text);
    if !note.trim().is_empty() {
        body["note"] = json!(limited(&note, NOTE));
    }
    body
}

/// What a reopened incident is called: as it is now.
fn again(parcel: &Parcel) -> Opened {
    Opened {
        title: parcel.standing.title.clone(),
        severity: parcel.standing.severity.unwrap_or(Severity::Sev2),
        alerts: Default::default(),
        linked: Vec::new(),
    }
}

fn message(parcel: &Parcel, opened: &Opened) -> String {
    limited(&format!("{} {}: {}", parcel.incident, opened.severity, opened.title), MESSAGE)
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev0 => "P1",
        Severity::Sev1 => "P2",
        Severity::Sev2 => "P3",
        Severity::Sev3 => "P4",
    }
}

fn limited(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let short: String = text.chars().take(most - 1).collect();
    format!("{short}…")
}
