//! PagerDuty's REST interface: the incident there, who has it, its end, and people who are paged.
//!
//! Hides that every write is done in somebody's name, that a second incident with the same key is refused with an error that means success, and that
//! what was done already is looked at before it is done again.
//!
//! Invariant: nothing is acknowledged in the name of anybody but the person who acknowledged; an incident is created at most once for a key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderName};
use serde_json::{Value, json};

use answers::{Incident, Incidents, LogEntries, LogEntry, Note, Notes, OneIncident, Responder, User, Users};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Home, Life, Means, Parts, Rehearsal, Section, Takes, key};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Wanted, absent, cannot, naming, noted, receipt, send,
    taken, unknown, without,
};
use crate::incident::ended::followed;
use crate::incident::foreign::{ALSO_OPEN, ANSWER};
use crate::incident::{Act, News, Opened, Parcel, Receipt, Remote, Severity, Thing, Watched};
use crate::reach::{Habit, Lines, PAGERDUTY};
use crate::source::below::Below;
use crate::source::http::{Answer, Failure, Limits, Site, Spelling, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod acts;
mod adopt;
mod answers;
mod elsewhere;
mod examine;

/// The version that is spoken.
const VERSION: &str = "application/vnd.pagerduty+json;version=2";
/// In whose name.
const FROM: HeaderName = HeaderName::from_static("from");
/// A request is dated by the server: it may be so much before it was sent.
const BEFORE: TimeDelta = TimeDelta::seconds(2);
/// The longest title.
const TITLE: usize = 1024;
/// What the log has so near to something that we sent is taken for that: clocks differ, and a try may take long.
const OURS_WITHIN: TimeDelta = TimeDelta::minutes(5);
/// A page of a list.
const AT_ONCE: &str = "100";

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: PAGERDUTY,
    open,
    keeps: Some((Habit { pages: true, lines: Lines::Updates, ..Habit::OF_TRACKER }, Home::Named)),
    sections: &[
        Section { name: "pagerduty-services", holds: Holds::Services(Takes::Id, Parts::Places) },
        Section {
            name: "pagerduty-options",
            holds: Holds::Keys(&[
                key("status-updates", Takes::Flag, Means::Preference),
                key("stands-in", Takes::Text, Means::Preference),
                key("change-events", Takes::Flag, Means::Preference),
            ]),
        },
        Section {
            name: "pagerduty-priorities",
            holds: Holds::Keys(&[
                key("sev0", Takes::Text, Means::Option),
                key("sev1", Takes::Text, Means::Option),
                key("sev2", Takes::Text, Means::Option),
                key("sev3", Takes::Text, Means::Option),
            ]),
        },
    ],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::of(
        Takes::Id,
        Life::Alert,
        r#"# pagerduty = "PTEST01"      # a service that pages nobody, or somebody who knows
"#,
    ),
};

/// Its part of the starter file.
const STARTER: &str = r#"[pagerduty]
# url = "https://api.pagerduty.com"  # in the EU: https://api.eu.pagerduty.com
# bearer-env = "PAGERDUTY_TOKEN"     # an API key; who acts there is told from the e-mail addresses of [[people]]

[pagerduty-services]
# The IDs of PagerDuty's services, by the names of playbooks.
# alipay = "PABC123"

[pagerduty-options]
# status-updates = false             # true: updates go to those who subscribed to the incident in PagerDuty, too
# stands-in = "oncall@example.com"   # in whose name an incident is opened by somebody without an address; it acknowledges nothing
# change-events = false              # true: `warroom change` tells PagerDuty too, with the routing key of [pagerduty-events]

[pagerduty-priorities]
# What your account calls its priorities; without this, one that is called like the severity is taken.
# sev0 = "P1"
# sev1 = "P2"
# sev2 = "P3"
# sev3 = "P5"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks(
        "GET",
        "incidents",
        "the alert's incident is looked for; others on the service",
        "a service in [pagerduty-services]",
        "pagerduty: service of",
    ),
    asks("GET", "incidents/*", "before each change; who answered a page; `link-incident`", "a key", "pagerduty: key"),
    asks("GET", "incidents/*/alerts", "whether an incident is the linked alert's", "a key", "pagerduty: key"),
    asks(
        "POST",
        "incidents",
        "an incident of ours",
        "a service that is not disabled and pages somebody; a user for `From`; no other field: PagerDuty's interface demands none",
        "pagerduty: on call of",
    ),
    asks(
        "PUT",
        "incidents/*",
        "acknowledge, resolve, title, severity, `escalate`, `reassign`",
        "a key that may write; a user for `From`",
        "pagerduty: user",
    ),
    asks("PUT", "incidents/*/merge", "`link-incident`", "a key that may write; a user for `From`", "pagerduty: user"),
    asks(
        "GET",
        "priorities",
        "the priority of a severity",
        "a plan with priorities; names in [pagerduty-priorities]",
        "pagerduty: priorities",
    ),
    asks("GET", "incidents/*/notes", "a lost note is looked for", "a key", "pagerduty: key"),
    asks("POST", "incidents/*/notes", "updates", "a user for `From`", "pagerduty: user"),
    asks(
        "POST",
        "incidents/*/status_updates",
        "subscribers",
        "a plan with status updates; a user for `From`",
        "pagerduty: user",
    ),
    asks(
        "POST",
        "incidents/*/responder_requests",
        "`page`",
        "a plan with response plays; users for all of them",
        "pagerduty: user",
    ),
    asks(
        "GET",
        "incidents/*/log_entries",
        "what others did there; a lost escalation is looked for",
        "a key",
        "pagerduty: key",
    ),
    asks("GET", "users", "people by their address", "a key that may read users", "pagerduty: user"),
];

/// Opens it.
fn open(endpoint: &Endpoint, settings: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(PAGERDUTY, endpoint, Limits::default(), Spelling::KeyOrToken("Token token="))?;
    let named = |severity: Severity| {
        let key = format!("pagerduty-priorities.{}", severity.name().to_lowercase());
        Some((severity, settings.text(&key)?.clone()))
    };
    let priorities = Severity::ALL.into_iter().filter_map(named).collect();
    Ok(Box::new(PagerDuty { site, priorities, users: Mutex::default() }))
}

#[derive(Debug)]
struct PagerDuty {
    site: Site,
    /// What the account calls the priority of each severity.
    priorities: BTreeMap<Severity, CleanStr>,
    /// Who is who by their address: that does not change, and is asked once.
    users: Mutex<BTreeMap<String, String>>,
}

impl Channel for PagerDuty {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            if let Act::Open(opened) = &parcel.act {
                return self.begin(parcel, opened).await;
            }
            if let Act::Adopt(number) = &parcel.act {
                return match self.adopted(number).await {
                    Ok(remote) => Receipt::There(remote),
                    Err(failure) => untouched(failure),
                };
            }
            let parcel = &elsewhere::where_it_is(parcel);
            let Some(about) = &parcel.about else { return without(PAGERDUTY, parcel) };
            let path = Below::of("incidents/{}", &[&about.id]);
            let incident = match self.met(parcel, &path).await {
                Ok(incident) => incident,
                Err(receipt) => return receipt,
            };
            match &parcel.act {
                Act::Acknowledge | Act::Resolve | Act::Reopen => self.change(parcel, incident, path.clone()).await,
                Act::Change(said) => self.rename(parcel, said, path.clone()).await,
                Act::Note(_) => {
                    let body = json!({ "note": { "content": parcel.text } });
                    self.write(parcel, Method::POST, path.clone().then("notes", &[]), &body, "note").await
                }
                Act::Tell => {
                    let body = json!({ "message": parcel.text });
                    self.write(parcel, Method::POST, path.clone().then("status_updates", &[]), &body, "status_update")
                        .await
                }
                Act::Page(people) => self.page(parcel, people, path.clone()).await,
                Act::Escalate(level) => self.escalate(parcel, *level, path.clone()).await,
                Act::Reassign(people) => self.reassign(parcel, people, path.clone()).await,
                Act::Merge(other) => {
                    // People know the number; the list of what is merged wants the ID.
                    let other = match self.adopted(&other.id).await {
                        Ok(other) => other,
                        Err(failure) => return untouched(failure),
                    };
                    let source = json!({ "id": other.id, "type": "incident_reference" });
                    let body = json!({ "source_incidents": [source] });
                    self.write(parcel, Method::PUT, path.clone().then("merge", &[]), &body, "incident").await
                }
                _ => cannot(PAGERDUTY, parcel),
            }
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            match watched.thing {
                Some(Thing::Record) => self.told(watched).await.map_err(|failure| failure.reason),
                _ => Ok(Vec::new()),
            }
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(self.examined(wanted))
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let parcel = &elsewhere::where_it_is(parcel);
            let found = match (&parcel.act, &parcel.about) {
                (Act::Open(_), _) => self.by_key(parcel).await,
                (Act::Adopt(number), _) => self.adopted(number).await.map(Some),
                (Act::Change(said), Some(about)) => self.renamed(said, about).await,
                (Act::Escalate(_), Some(about)) => self.escalated(parcel, about).await,
                (Act::Reassign(people), Some(about)) => self.reassigned(people, about).await,
                (Act::Acknowledge | Act::Resolve | Act::Reopen, Some(about)) => {
                    let incident = self.get::<OneIncident>(Below::of("incidents/{}", &[&about.id]), &[]).await;
                    incident.map(|one| is_done(&parcel.act, &one.incident).then(|| one.incident.into()))
                }
                (Act::Note(_), Some(about)) => {
                    let notes = self.get::<Notes>(Below::of("incidents/{}/notes", &[&about.id]), &[]).await;
                    let is_ours = |note: &Note| note.content.trim() == parcel.text.trim();
                    notes.map(|list| list.notes.iter().any(is_ours).then(|| about.clone()))
                }
                (Act::Page(people), Some(about)) => self.paged(parcel, people, about).await,
                // What was merged is over there.
                (Act::Merge(other), Some(about)) => {
                    let incident = self.get::<OneIncident>(Below::of("incidents/{}", &[&other.id]), &[]).await;
                    incident.map(|one| (one.incident.status == "resolved").then(|| about.clone()))
                }
                // What subscribers were told cannot be read back.
                (Act::Tell, Some(_)) => {
                    return Receipt::Unknown("pagerduty does not say which status updates it sent: look there".into());
                }
                _ => return without(PAGERDUTY, parcel),
            };
            match found {
                Ok(Some(remote)) => Receipt::There(remote),
                Ok(None) => absent(PAGERDUTY),
                Err(failure) => unknown(failure),
            }
        })
    }
}

impl PagerDuty {
    /// What others did with the incident. What came through the interface is our own doing, and known, unless it is a person's at a time at which nothing
    /// left from here.
    async fn told(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let remote = followed(PAGERDUTY, &watched.remote, &watched.choices);
        let path = Below::of("incidents/{}", &[&remote.id]);
        let since = watched.since.to_rfc3339();
        let query = [("is_overview", "true"), ("since", &since), ("include[]", "channels"), ("limit", AT_ONCE)];
        let log: LogEntries = self.get(path.clone().then("log_entries", &[]), &query).await?;
        let is_a_person = |entry: &LogEntry| entry.agent.as_ref().is_some_and(|agent| agent.kind.starts_with("user"));
        let is_at_ours = |entry: &LogEntry| watched.ours.iter().any(|at| (entry.created_at - *at).abs() < OURS_WITHIN);
        let is_ours = |entry: &LogEntry| {
            let is_by_api = entry.channel.as_ref().is_some_and(|channel| channel.kind.contains("api"));
            is_by_api && (!is_a_person(entry) || watched.ours.is_empty() || is_at_ours(entry))
        };
        let one: OneIncident = self.get(path.clone(), &[]).await?;
        let mut news: Vec<News> = elsewhere::end_of(&one.incident, watched).into_iter().collect();
        // Its end is told already, with what it means.
        let is_told = |entry: &LogEntry| {
            entry.kind == "notify_log_entry" || (entry.kind == "resolve_log_entry" && !news.is_empty())
        };
        let told: Vec<_> = log.log_entries.iter().filter(|entry| !is_ours(entry) && !is_told(entry)).collect();
        for entry in told {
            let who = entry.agent.as_ref().and_then(|agent| agent.summary.as_deref()).unwrap_or_default();
            news.push(noted(PAGERDUTY, &entry.id, who, entry.created_at, &entry.summary));
        }
        let into = one.incident.went_into();
        for other in self.open_on(&watched.target).await?.incidents {
            let is_ours = *remote.id == *other.id || into.as_ref().is_some_and(|into| *into.id == *other.id);
            let Some(number) = other.incident_number.filter(|_| !is_ours) else { continue };
            let text =
                format!("#{number} {} is open on this service too: `link-incident {number}` merges it", other.title);
            let at = other.created_at.unwrap_or(watched.since);
            let mut news_of = noted(PAGERDUTY, &format!("{ALSO_OPEN}/{}", other.id), "", at, &text);
            news_of.noted.link = other.html_url.as_deref().map(Into::into);
            news.push(news_of);
        }
        if watched.paged.is_empty() {
            return Ok(news);
        }
        for mail in &watched.paged {
            let Some(id) = self.user(mail).await? else { continue };
            let is_theirs = |one: &&Responder| one.user.as_ref().is_some_and(|user| user.id == id);
            let Some(found) = one.incident.incidents_responders.iter().find(is_theirs) else { continue };
            let word = match found.state.as_str() {
                "joined" | "accepted" => "accepted",
                "declined" => "declined",
                _ => continue,
            };
            let at = found.updated_at.unwrap_or(watched.since);
            news.push(noted(PAGERDUTY, &format!("{ANSWER}/{mail}/{word}"), mail, at, &format!("{word} the page")));
        }
        Ok(news)
    }

    /// What is open on a service there, the newest first.
    async fn open_on(&self, service: &str) -> Result<Incidents, Failure> {
        let open = [
            ("statuses[]", "triggered"),
            ("statuses[]", "acknowledged"),
            ("service_ids[]", service),
            ("sort_by", "created_at:desc"),
            ("limit", AT_ONCE),
        ];
        self.get("incidents", &open).await
    }

    /// Adopts the incident that the alert opened there, or opens one.
    async fn begin(&self, parcel: &Parcel, opened: &Opened) -> Receipt {
        if !opened.alerts.is_empty() {
            match self.known(parcel, opened).await {
                Ok(Ok(Some(incident))) => {
                    let is_adopted = incident.incident_key.as_deref() != Some(&*parcel.op);
                    return Receipt::There(Remote { is_adopted, ..incident.into() });
                }
                Ok(Ok(None)) => {}
                Ok(Err(question)) => return question,
                // Nothing was written yet, so nothing is unknown.
                Err(failure) => return untouched(failure),
            }
        }
        let (title, details) = headed(&opened.title, &parcel.text);
        // People are paged with or without it.
        let priority = self.priority(opened.severity).await.unwrap_or_default();
        let urgency = urgency(opened.severity);
        let mut body = json!({ "incident": {
            "type": "incident",
            "title": title,
            "service": { "id": parcel.target, "type": "service_reference" },
            "urgency": urgency,
            "incident_key": parcel.op,
            "body": { "type": "incident_body", "details": details },
        } });
        if let Some(one) = priority {
            body["incident"]["priority"] = json!({ "id": one.id, "type": "priority_reference" });
        }
        let answer = match self.ask(parcel, Method::POST, "incidents".into(), &body).await {
            Ok(answer) => answer,
            Err(receipt) => return receipt,
        };
        if is_there_already(&answer) {
            return match self.by_key(parcel).await {
                Ok(Some(remote)) => Receipt::There(remote),
                Ok(None) => Receipt::Unknown("pagerduty says that it is there, and does not find it".into()),
                Err(failure) => unknown(failure),
            };
        }
        match taken::<OneIncident>(&self.site, answer).await {
            Ok(one) => Receipt::There(one.incident.into()),
            Err(failure) => refusal(failure),
        }
    }

    /// Acknowledges or resolves, unless that was done already: doing it again would give the incident to somebody else.
    async fn change(&self, parcel: &Parcel, incident: Incident, path: Below) -> Receipt {
        if is_done(&parcel.act, &incident) {
            return Receipt::There(incident.into());
        }
        // The answer must show what was asked for: one that names the incident and another status did not take it.
        let mut incident = json!({ "type": "incident_reference", "status": "acknowledged" });
        if parcel.act == Act::Resolve {
            incident["status"] = json!("resolved");
            if !parcel.text.trim().is_empty() {
                incident["resolution"] = json!(parcel.text);
            }
        }
        let answer = match self.ask(parcel, Method::PUT, path, &json!({ "incident": incident })).await {
            Ok(answer) => answer,
            Err(receipt) => return receipt,
        };
        match taken::<OneIncident>(&self.site, answer).await {
            Ok(one) if is_done(&parcel.act, &one.incident) => {
                Receipt::There(parcel.about.clone().unwrap_or_else(|| one.incident.into()))
            }
            Ok(one) => {
                let why = format!("pagerduty answered that it is {}", one.incident.status);
                Receipt::Unknown(CleanStr::new(&why))
            }
            Err(failure) => refusal(failure),
        }
    }

    async fn page(&self, parcel: &Parcel, people: &BTreeSet<CleanStr>, path: Below) -> Receipt {
        let Some(from) = &parcel.from else { return nobody() };
        let (mut users, mut strangers) = (Vec::new(), Vec::new());
        let requester = match self.user(from).await {
            Ok(Some(id)) => id,
            Ok(None) => return Receipt::Refused(unknown_to(&[from])),
            Err(failure) => return untouched(failure),
        };
        for mail in people {
            match self.user(mail).await {
                Ok(Some(id)) => users.push(id),
                Ok(None) => strangers.push(mail),
                Err(failure) => return untouched(failure),
            }
        }
        if users.is_empty() {
            return Receipt::Refused(unknown_to(&strangers));
        }
        let targets: Vec<_> = users
            .iter()
            .map(|id| json!({ "responder_request_target": { "id": id, "type": "user_reference" } }))
            .collect();
        let body = json!({ "requester_id": requester, "message": parcel.text, "responder_request_targets": targets });
        match self.write(parcel, Method::POST, path.then("responder_requests", &[]), &body, "responder_request").await {
            // Who can be paged is paged; who cannot is named.
            Receipt::There(about) if !strangers.is_empty() => {
                let name = format!("{}; {}", about.called(), unknown_to(&strangers));
                Receipt::There(Remote { name: Some(CleanStr::new(&name)), ..about })
            }
            other => other,
        }
    }

    /// Whether all of them were asked to come by this page; an earlier one of the same person says nothing of it.
    async fn paged(
        &self,
        parcel: &Parcel,
        people: &BTreeSet<CleanStr>,
        about: &Remote,
    ) -> Result<Option<Remote>, Failure> {
        let mut wanted = Vec::new();
        for mail in people {
            wanted.extend(self.user(mail).await?);
        }
        let one: OneIncident = self.get(Below::of("incidents/{}", &[&about.id]), &[]).await?;
        let since = parcel.first_sent_at - BEFORE - self.site.apart();
        let is_by_this = |one: &&Responder| {
            one.requested_at.is_some_and(|at| at >= since) && one.message.as_deref() == Some(&*parcel.text)
        };
        let asked = one.incident.incidents_responders.iter().filter(is_by_this);
        let asked = asked.filter_map(|one| one.user.as_ref());
        let asked: BTreeSet<&str> = asked.map(|user| user.id.as_str()).collect();
        let all = !wanted.is_empty() && wanted.iter().all(|id| asked.contains(id.as_str()));
        Ok(all.then(|| about.clone()))
    }

    async fn user(&self, mail: &str) -> Result<Option<String>, Failure> {
        let known = self.users.lock().unwrap_or_else(PoisonError::into_inner).get(mail).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let users: Users = self.get("users", &[("query", mail), ("limit", AT_ONCE)]).await?;
        let is_it = |user: &User| user.email.eq_ignore_ascii_case(mail);
        let found = users.users.into_iter().find(is_it).map(|user| user.id);
        if let Some(id) = &found {
            self.users.lock().unwrap_or_else(PoisonError::into_inner).insert(mail.to_owned(), id.clone());
        }
        Ok(found)
    }

    async fn by_key(&self, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let query = [
            ("incident_key", parcel.op.as_str()),
            ("service_ids[]", parcel.target.as_str()),
            ("date_range", "all"),
            ("limit", AT_ONCE),
        ];
        let found: Incidents = self.get("incidents", &query).await?;
        Ok(found.incidents.into_iter().next().map(Remote::from))
    }

    async fn get<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        path: impl Into<Below>,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let request = self.site.get(path)?.header(ACCEPT, VERSION).query(query);
        let answer = self.site.ask(request.send()).await?;
        taken(&self.site, answer).await
    }

    /// Writes in the name of who did it here; the answer names what was written.
    async fn write(&self, parcel: &Parcel, method: Method, path: Below, body: &Value, named: &str) -> Receipt {
        let answer = match self.ask(parcel, method, path, body).await {
            Ok(answer) => answer,
            Err(receipt) => return receipt,
        };
        match naming(&self.site, answer, named).await {
            Ok(_) => Receipt::There(parcel.about.clone().unwrap_or_else(|| Remote::from(""))),
            Err(failure) => refusal(failure),
        }
    }

    async fn ask(&self, parcel: &Parcel, method: Method, path: Below, body: &Value) -> Result<Answer, Receipt> {
        let Some(from) = &parcel.from else { return Err(nobody()) };
        let request = self.site.request(method, path).map_err(receipt)?;
        let request = request.header(ACCEPT, VERSION).header(FROM, from.as_str());
        send(&self.site, request, Some(body)).await.map_err(receipt)
    }
}

/// A title that is within the limit, and the text with the whole of a longer one before it: nobody is paged by what is refused.
fn headed(title: &str, text: &str) -> (String, String) {
    if title.chars().count() <= TITLE {
        return (title.to_owned(), text.to_owned());
    }
    let short: String = title.chars().take(TITLE - 1).collect();
    (format!("{short}…"), format!("{title}\n\n{text}"))
}

fn urgency(severity: Severity) -> &'static str {
    if severity == Severity::Sev3 { "low" } else { "high" }
}

fn is_done(act: &Act, incident: &Incident) -> bool {
    match act {
        Act::Acknowledge => matches!(incident.status.as_str(), "acknowledged" | "resolved"),
        Act::Reopen => incident.status != "resolved",
        _ => incident.status == "resolved",
    }
}

/// An open incident has the key already: what was wanted is there.
fn is_there_already(answer: &Answer) -> bool {
    answer.status == 400 && String::from_utf8_lossy(&answer.body).contains("matching dedup key already exists")
}

/// A question before anything was written failed.
fn untouched(failure: Failure) -> Receipt {
    match failure.trouble {
        Trouble::Status(status) if (400..500).contains(&status) && status != 429 => refusal(failure),
        _ => {
            let wait = failure.retry_after.and_then(|wait| chrono::TimeDelta::from_std(wait).ok());
            Receipt::NotThere { why: failure.reason, wait }
        }
    }
}

/// Who cannot be paged, and what helps.
fn unknown_to(mails: &[&CleanStr]) -> CleanStr {
    let mails: Vec<&str> = mails.iter().map(|mail| mail.as_str()).collect();
    let why = format!(
        "not paged: {}, whom pagerduty does not know: call them, or correct `email` in [[people]]",
        mails.join(", ")
    );
    CleanStr::new(&why)
}

fn nobody() -> Receipt {
    Receipt::Refused("pagerduty wants to know who does this: write the `email` of the person into [[people]]".into())
}

/// What a refusal means, and what helps.
fn refusal(failure: Failure) -> Receipt {
    let known = [
        ("From", "the `email` of the person in [[people]] must be that of a user of PagerDuty"),
        ("Requester User Not Found", "the `email` of the person in [[people]] must be that of a user of PagerDuty"),
        ("Not Found", "check the IDs in [pagerduty-services]"),
        ("answered 402", "the plan of this account does not include that"),
        ("answered 403", "the key may not do that: it needs write access"),
    ];
    match receipt(failure) {
        Receipt::Refused(why) => {
            let hint = known.iter().find(|(part, _)| why.contains(part)).map(|(_, hint)| format!(": {hint}"));
            Receipt::Refused(CleanStr::new(&format!("{why}{}", hint.unwrap_or_default())))
        }
        other => other,
    }
}
