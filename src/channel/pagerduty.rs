//! PagerDuty's REST interface: the incident there, who has it, its end, and people who are paged.
//!
//! Hides that every write is done in somebody's name, that a second incident with the same key is refused with an error that means success, and that
//! what was done already is looked at before it is done again.
//!
//! Invariant: nothing is acknowledged in the name of anybody but the person who acknowledged; an incident is created at most once for a key.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderName};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answering, Channel, Examining, Options, Telling, Wanted, absent, cannot, naming, noted, receipt, send, taken,
    unknown, without,
};
use crate::checkup::Finding;
use crate::incident::foreign::{ALSO_OPEN, ANSWER};
use crate::incident::{Act, News, Opened, Parcel, Receipt, Remote, Severity, Thing, Watched};
use crate::oncall::Person;
use crate::reach::{PAGERDUTY, Place};
use crate::source::below::Below;
use crate::source::http::{Answer, Failure, Limits, Site, Spelling, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod adopt;

/// The version that is spoken.
const VERSION: &str = "application/vnd.pagerduty+json;version=2";
/// In whose name.
const FROM: HeaderName = HeaderName::from_static("from");
/// A request is dated by the server: it may be so much before it was sent.
const BEFORE: TimeDelta = TimeDelta::seconds(2);
/// A page of a list.
const AT_ONCE: &str = "100";

/// Opens it.
pub(super) fn open(endpoint: &Endpoint, _: &Options) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(PAGERDUTY, endpoint, Limits::default(), Spelling::Word("Token token="))?;
    Ok(Box::new(PagerDuty { site }))
}

#[derive(Debug)]
struct PagerDuty {
    site: Site,
}

#[derive(Debug, Deserialize)]
struct One {
    incident: Incident,
}

#[derive(Debug, Deserialize)]
struct Many {
    #[serde(default)]
    incidents: Vec<Incident>,
}

#[derive(Debug, Deserialize)]
struct Incident {
    id: String,
    #[serde(default)]
    incident_number: Option<u64>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    incident_key: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    #[serde(default)]
    incidents_responders: Vec<Responder>,
}

#[derive(Debug, Deserialize)]
struct Abilities {}

#[derive(Debug, Deserialize)]
struct OneService {
    service: Service,
}

#[derive(Debug, Deserialize)]
struct Service {
    #[serde(default)]
    summary: String,
    #[serde(default)]
    escalation_policy: Option<Reference>,
}

#[derive(Debug, Deserialize)]
struct Reference {
    id: String,
}

#[derive(Debug, Deserialize)]
struct OnCalls {
    #[serde(default)]
    oncalls: Vec<OnCall>,
}

#[derive(Debug, Deserialize)]
struct OnCall {
    user: OnCallUser,
    #[serde(default)]
    escalation_level: u32,
}

#[derive(Debug, Deserialize)]
struct OnCallUser {
    #[serde(default)]
    email: String,
    #[serde(default)]
    summary: String,
}

#[derive(Debug, Deserialize)]
struct LogEntries {
    #[serde(default)]
    log_entries: Vec<LogEntry>,
}

#[derive(Debug, Deserialize)]
struct LogEntry {
    id: String,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    summary: String,
    created_at: DateTime<Utc>,
    #[serde(default)]
    agent: Option<Agent>,
    #[serde(default)]
    channel: Option<Agent>,
}

#[derive(Debug, Deserialize)]
struct Agent {
    #[serde(default)]
    summary: Option<String>,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Responder {
    #[serde(default)]
    state: String,
    #[serde(default)]
    updated_at: Option<DateTime<Utc>>,
    #[serde(default)]
    requested_at: Option<DateTime<Utc>>,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    user: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
    #[serde(default)]
    email: String,
}

#[derive(Debug, Deserialize)]
struct Users {
    #[serde(default)]
    users: Vec<User>,
}

#[derive(Debug, Default, Deserialize)]
struct Priorities {
    #[serde(default)]
    priorities: Vec<Priority>,
}

#[derive(Debug, Deserialize)]
struct Priority {
    id: String,
    #[serde(default)]
    name: String,
}

#[derive(Debug, Deserialize)]
struct Notes {
    #[serde(default)]
    notes: Vec<Note>,
}

#[derive(Debug, Deserialize)]
struct Note {
    #[serde(default)]
    content: String,
}

impl From<Incident> for Remote {
    fn from(incident: Incident) -> Self {
        let name = incident.incident_number.map(|number| CleanStr::new(&number.to_string()));
        let link = incident.html_url.as_deref().map(Into::into);
        Self { id: incident.id.as_str().into(), name, link, is_adopted: false }
    }
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
            let Some(about) = &parcel.about else { return without(PAGERDUTY, parcel) };
            let path = Below::of("incidents/{}", &[&about.id]);
            match &parcel.act {
                Act::Acknowledge | Act::Resolve | Act::Reopen => self.change(parcel, path.clone()).await,
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
                Act::Merge(other) => {
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
        Box::pin(async move {
            let abilities: Result<Abilities, _> = self.get("abilities", &[]).await;
            if let Err(failure) = abilities {
                return vec![Finding::wrong(PAGERDUTY, &failure.reason)];
            }
            let mut findings = vec![Finding::fine("pagerduty: key", "")];
            let place = wanted.reach.place(PAGERDUTY);
            let mut policies = BTreeSet::new();
            for name in wanted.services {
                let what = format!("pagerduty: service of {name}");
                let id = match place {
                    Some(Place::Of(places)) => places.get(name),
                    _ => None,
                };
                let Some(id) = id else {
                    findings.push(Finding::doubtful(
                        &what,
                        "none is named in [pagerduty-services]: nobody is paged for it",
                    ));
                    continue;
                };
                let known: Result<OneService, _> = self.get(Below::of("services/{}", &[id]), &[]).await;
                findings.push(match known {
                    Ok(known) => {
                        policies.extend(known.service.escalation_policy.map(|policy| policy.id));
                        Finding::fine(&what, &known.service.summary)
                    }
                    Err(failure) => Finding::wrong(&what, &format!("{}: correct [pagerduty-services]", failure.reason)),
                });
            }
            for person in &wanted.reach.people {
                let Some(mail) = &person.email else { continue };
                let what = format!("pagerduty: user {mail}");
                findings.push(match self.user(mail).await {
                    Ok(Some(_)) => Finding::fine(&what, &person.name),
                    Ok(None) => {
                        Finding::doubtful(&what, "nobody there has this address: they can neither act nor be paged")
                    }
                    Err(failure) => Finding::wrong(&what, &failure.reason),
                });
            }
            if let Some(person) = wanted.on_call {
                findings.extend(self.schedules(&policies, person).await);
            }
            findings
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let found = match (&parcel.act, &parcel.about) {
                (Act::Open(_), _) => self.by_key(parcel).await,
                (Act::Change(_), Some(_)) => return absent(PAGERDUTY),
                (Act::Acknowledge | Act::Resolve | Act::Reopen, Some(about)) => {
                    let incident = self.get::<One>(Below::of("incidents/{}", &[&about.id]), &[]).await;
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
                    let incident = self.get::<One>(Below::of("incidents/{}", &[&other.id]), &[]).await;
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
    /// What others did with the incident; what was done from here came through the interface, and is known.
    async fn told(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let path = Below::of("incidents/{}", &[&watched.remote.id]);
        let since = watched.since.to_rfc3339();
        let query = [("is_overview", "true"), ("since", &since), ("include[]", "channels"), ("limit", AT_ONCE)];
        let log: LogEntries = self.get(path.clone().then("log_entries", &[]), &query).await?;
        let is_ours = |entry: &LogEntry| entry.channel.as_ref().is_some_and(|channel| channel.kind.contains("api"));
        let mut news = Vec::new();
        for entry in log.log_entries.iter().filter(|entry| !is_ours(entry) && entry.kind != "notify_log_entry") {
            let who = entry.agent.as_ref().and_then(|agent| agent.summary.as_deref()).unwrap_or_default();
            news.push(noted(PAGERDUTY, &entry.id, who, entry.created_at, &entry.summary));
        }
        for other in self.open_on(&watched.target).await?.incidents {
            let Some(number) = other.incident_number.filter(|_| *watched.remote.id != *other.id) else { continue };
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
        let one: One = self.get(path.clone(), &[]).await?;
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

    /// Whether the first level of each escalation policy is who the rotation says.
    async fn schedules(&self, policies: &BTreeSet<String>, person: &Person) -> Vec<Finding> {
        let mut findings = Vec::new();
        for policy in policies {
            let what = format!("pagerduty: on call of policy {policy}");
            let query = [("escalation_policy_ids[]", policy.as_str()), ("include[]", "users"), ("limit", AT_ONCE)];
            let on_call: OnCalls = match self.get("oncalls", &query).await {
                Ok(on_call) => on_call,
                Err(failure) => {
                    findings.push(Finding::wrong(&what, &failure.reason));
                    continue;
                }
            };
            let first: Vec<_> = on_call.oncalls.iter().filter(|one| one.escalation_level == 1).collect();
            let mail = person.email.as_deref().unwrap_or_default();
            let is_same =
                |one: &&&OnCall| one.user.email.eq_ignore_ascii_case(mail) || one.user.summary == *person.name;
            let names: Vec<&str> = first.iter().map(|one| one.user.summary.as_str()).collect();
            findings.push(match first.iter().find(is_same) {
                Some(_) => Finding::fine(&what, &person.name),
                None => {
                    let theirs = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
                    Finding::doubtful(
                        &what,
                        &format!("PagerDuty says {theirs}, [oncall] says {}: correct one", person.name),
                    )
                }
            });
        }
        findings
    }

    /// What is open on a service there, the newest first.
    async fn open_on(&self, service: &str) -> Result<Many, Failure> {
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
        let urgency = urgency(opened.severity);
        let body = json!({ "incident": {
            "type": "incident",
            "title": opened.title,
            "service": { "id": parcel.target, "type": "service_reference" },
            "urgency": urgency,
            "incident_key": parcel.op,
            "body": { "type": "incident_body", "details": parcel.text },
        } });
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
        match taken::<One>(&self.site, answer).await {
            Ok(one) => Receipt::There(one.incident.into()),
            Err(failure) => refusal(failure),
        }
    }

    /// Acknowledges or resolves, unless that was done already: doing it again would give the incident to somebody else.
    async fn change(&self, parcel: &Parcel, path: Below) -> Receipt {
        match self.get::<One>(path.clone(), &[]).await {
            Ok(one) if is_done(&parcel.act, &one.incident) => return Receipt::There(one.incident.into()),
            Ok(_) => {}
            Err(failure) => return untouched(failure),
        }
        let mut incident = json!({ "type": "incident_reference", "status": "acknowledged" });
        if parcel.act == Act::Resolve {
            incident["status"] = json!("resolved");
            if !parcel.text.trim().is_empty() {
                incident["resolution"] = json!(parcel.text);
            }
        }
        self.write(parcel, Method::PUT, path, &json!({ "incident": incident }), "incident").await
    }

    /// Gives it the title and the severity that it has now; a priority where the account has one of that name.
    async fn rename(&self, parcel: &Parcel, said: &Opened, path: Below) -> Receipt {
        let mut incident =
            json!({ "type": "incident_reference", "title": said.title, "urgency": urgency(said.severity) });
        // Accounts whose plan has no priorities answer with a refusal.
        let known = self.get::<Priorities>("priorities", &[]).await.unwrap_or_default().priorities;
        let is_it = |one: &&Priority| one.name.eq_ignore_ascii_case(said.severity.name());
        if let Some(priority) = known.iter().find(is_it) {
            incident["priority"] = json!({ "id": priority.id, "type": "priority_reference" });
        }
        self.write(parcel, Method::PUT, path, &json!({ "incident": incident }), "incident").await
    }

    async fn page(&self, parcel: &Parcel, people: &BTreeSet<CleanStr>, path: Below) -> Receipt {
        let mut users = Vec::new();
        let requester = parcel.from.iter();
        for mail in requester.chain(people) {
            match self.user(mail).await {
                Ok(Some(id)) => users.push(id),
                Ok(None) => {
                    let why = format!("pagerduty knows nobody by {mail}: correct `email` in [[people]]");
                    return Receipt::Refused(CleanStr::new(&why));
                }
                Err(failure) => return untouched(failure),
            }
        }
        let Some((requester, users)) = users.split_first().filter(|_| parcel.from.is_some()) else { return nobody() };
        let targets: Vec<_> = users
            .iter()
            .map(|id| json!({ "responder_request_target": { "id": id, "type": "user_reference" } }))
            .collect();
        let body = json!({ "requester_id": requester, "message": parcel.text, "responder_request_targets": targets });
        self.write(parcel, Method::POST, path.clone().then("responder_requests", &[]), &body, "responder_request").await
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
        let one: One = self.get(Below::of("incidents/{}", &[&about.id]), &[]).await?;
        let since = parcel.first_sent_at - BEFORE - self.site.apart();
        let is_by_this = |one: &&Responder| {
            one.requested_at.is_some_and(|at| at >= since) && one.message.as_deref() == Some(&*parcel.text)
        };
        let asked = one.incident.incidents_responders.iter().filter(is_by_this);
        let asked = asked.filter_map(|one| one.user.as_ref());
        let asked: BTreeSet<&str> = asked.map(|user| user.id.as_str()).collect();
        let all = wanted.len() == people.len() && wanted.iter().all(|id| asked.contains(id.as_str()));
        Ok(all.then(|| about.clone()))
    }

    async fn user(&self, mail: &str) -> Result<Option<String>, Failure> {
        let users: Users = self.get("users", &[("query", mail), ("limit", AT_ONCE)]).await?;
        let is_it = |user: &User| user.email.eq_ignore_ascii_case(mail);
        Ok(users.users.into_iter().find(is_it).map(|user| user.id))
    }

    async fn by_key(&self, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let query = [
            ("incident_key", parcel.op.as_str()),
            ("service_ids[]", parcel.target.as_str()),
            ("date_range", "all"),
            ("limit", AT_ONCE),
        ];
        let found: Many = self.get("incidents", &query).await?;
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
