//! Atlassian Statuspage: what customers and colleagues read.
//!
//! Hides that it has no key against doubles (a mark in the incident's metadata and a look at its updates take its place), that it takes one request a
//! second, and that resolving an incident leaves its components as they were.
//!
//! Invariant: mail goes to subscribers only where the delivery says so; what may be on a page is never put there again without a look.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use super::{
    Answering, Channel, Examining, Options, Telling, Wanted, absent, call, cannot, complaint, noted, read, receipt,
    taken, unknown,
};
use crate::checkup::Finding;
use crate::clock;
use crate::incident::{Act, PageStatus, Parcel, Publication, Receipt, Remote, Severity, Thing, Watched};
use crate::reach::STATUSPAGE;
use crate::source::http::{Failure, Limits, Site, Spelling};
use crate::source::{Endpoint, SourceError};

/// It counts requests over a minute, and takes one a second.
const PACE: Duration = Duration::from_millis(1000);
/// Without a word from it, the window of its limit is waited out.
const WINDOW: Duration = Duration::from_secs(60);
/// A page of a list.
const AT_ONCE: usize = 100;
/// So many pages of a list are read.
const MOST_PAGES: usize = 5;

/// Opens it.
pub(super) fn open(endpoint: &Endpoint, _: &Options) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(STATUSPAGE, endpoint, Limits::default(), Spelling::Word("OAuth "))?;
    Ok(Box::new(Statuspage { site, next: Mutex::new(Duration::ZERO) }))
}

#[derive(Debug)]
struct Statuspage {
    site: Site,
    /// Before this, by the clock that counts from the boot, nothing is asked.
    next: Mutex<Duration>,
}

#[derive(Debug, Deserialize)]
struct Incident {
    id: String,
    #[serde(default)]
    shortlink: Option<String>,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    incident_updates: Vec<Update>,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
}

#[derive(Debug, Deserialize)]
struct Update {
    #[serde(default)]
    id: String,
    #[serde(default)]
    created_at: Option<DateTime<Utc>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    status: String,
}

impl From<Incident> for Remote {
    fn from(incident: Incident) -> Self {
        let link = incident.shortlink.as_deref().map(Into::into);
        Self { id: incident.id.as_str().into(), name: None, link }
    }
}

impl Incident {
    fn mark(&self, key: &str) -> Option<&str> {
        self.metadata.get("warroom")?.get(key)?.as_str()
    }
}

impl Channel for Statuspage {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let Act::Publish(said) = &parcel.act else { return cannot(STATUSPAGE, parcel) };
            let known = match &parcel.made {
                Some(remote) => Some(remote.id.to_string()),
                // It may be there from a try that nobody heard of.
                None => match self.unresolved(parcel).await {
                    Ok(incidents) => {
                        let inc = parcel.incident.to_string();
                        incidents.into_iter().find(|one| one.mark("incident") == Some(&inc)).map(|one| one.id)
                    }
                    // Nothing was written yet, so nothing is unknown.
                    Err(failure) => return Receipt::NotThere { why: failure.reason, wait: wait(failure.retry_after) },
                },
            };
            let (method, path) = match known {
                Some(id) => (Method::PATCH, format!("pages/{}/incidents/{id}", parcel.target)),
                None => (Method::POST, format!("pages/{}/incidents", parcel.target)),
            };
            self.wait().await;
            let answer = match call(&self.site, method, &path, Some(&body(parcel, said))).await {
                Ok(answer) => answer,
                Err(failure) => return receipt(failure),
            };
            if matches!(answer.status, 420 | 429) {
                let failure = complaint(&self.site, &answer);
                return Receipt::NotThere { why: failure.reason, wait: wait(failure.retry_after.or(Some(WINDOW))) };
            }
            match taken::<Incident>(&self.site, answer).await {
                Ok(incident) => Receipt::There(incident.into()),
                Err(failure) => receipt(failure),
            }
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            let Some(Thing::Record) = watched.thing else { return Ok(Vec::new()) };
            self.wait().await;
            let path = format!("pages/{}/incidents/{}", watched.target, watched.remote.id);
            let incident: Incident = read(&self.site, &path, &[]).await.map_err(|failure| failure.reason)?;
            let mut news = Vec::new();
            for update in incident.incident_updates.iter().filter(|update| !update.id.is_empty()) {
                let body = update.body.as_deref().unwrap_or_default();
                let text = format!("{} on the page: {body}", update.status);
                news.push(noted(STATUSPAGE, &update.id, "", update.created_at.unwrap_or(watched.since), &text));
            }
            Ok(news)
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(async move {
            let mut findings = Vec::new();
            for route in wanted.reach.routes.iter().filter(|route| *route.service == *STATUSPAGE) {
                let what = format!("statuspage: {}", route.channel.name());
                self.wait().await;
                let path = format!("pages/{}/components", route.target);
                let query = [("page", "1"), ("per_page", "100")];
                let known: Vec<Named> = match read(&self.site, &path, &query).await {
                    Ok(known) => known,
                    Err(failure) => {
                        findings.push(Finding::wrong(&what, &failure.reason));
                        continue;
                    }
                };
                findings.push(Finding::fine(&what, &format!("{} components", known.len())));
                let ours = wanted.reach.components.get(&route.channel);
                for service in wanted.services {
                    let what = format!("{what}: component of {service}");
                    findings.push(match ours.and_then(|ours| ours.get(service)) {
                        Some(id) if known.iter().any(|one| one.id == **id) => Finding::fine(&what, id),
                        Some(id) => Finding::wrong(
                            &what,
                            &format!("the page has no component {id}: correct it in the configuration"),
                        ),
                        None => Finding::doubtful(&what, "none is named: the page will not say what is affected"),
                    });
                }
            }
            findings
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let Act::Publish(said) = &parcel.act else { return cannot(STATUSPAGE, parcel) };
            let found = match &parcel.made {
                Some(remote) => {
                    self.wait().await;
                    let path = format!("pages/{}/incidents/{}", parcel.target, remote.id);
                    let incident: Result<Incident, _> = read(&self.site, &path, &[]).await;
                    incident.map(|incident| has(&incident, parcel, said).then_some(incident))
                }
                None => self.all(parcel).await.map(|all| {
                    let inc = parcel.incident.to_string();
                    all.into_iter().find(|one| one.mark("incident") == Some(&inc) && has(one, parcel, said))
                }),
            };
            match found {
                Ok(Some(incident)) => Receipt::There(incident.into()),
                Ok(None) => absent(STATUSPAGE),
                Err(failure) => unknown(failure),
            }
        })
    }
}

impl Statuspage {
    async fn wait(&self) {
        let mut next = self.next.lock().await;
        let now = clock::boot();
        if let Some(pause) = next.checked_sub(now) {
            tokio::time::sleep(pause).await;
        }
        *next = now.max(*next) + PACE;
    }

    async fn unresolved(&self, parcel: &Parcel) -> Result<Vec<Incident>, Failure> {
        self.list(&format!("pages/{}/incidents/unresolved", parcel.target)).await
    }

    /// Resolved ones too: a text that was the last one may have arrived.
    async fn all(&self, parcel: &Parcel) -> Result<Vec<Incident>, Failure> {
        self.list(&format!("pages/{}/incidents", parcel.target)).await
    }

    async fn list(&self, path: &str) -> Result<Vec<Incident>, Failure> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            self.wait().await;
            let (page, limit) = (page.to_string(), AT_ONCE.to_string());
            let part: Vec<Incident> = read(&self.site, path, &[("page", &page), ("limit", &limit)]).await?;
            let is_last = part.len() < AT_ONCE;
            all.extend(part);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}

/// Whether the newest update is this one: the mark says so, and without one its words.
fn has(incident: &Incident, parcel: &Parcel, said: &Publication) -> bool {
    if let Some(op) = incident.mark("op") {
        return op == parcel.op.as_str();
    }
    let newest = incident.incident_updates.first();
    newest.is_some_and(|update| update.body.as_deref() == Some(&*parcel.text) && update.status == status(said.status))
}

fn wait(pause: Option<Duration>) -> Option<chrono::TimeDelta> {
    pause.and_then(|pause| chrono::TimeDelta::from_std(pause).ok())
}

fn status(status: PageStatus) -> &'static str {
    match status {
        PageStatus::Investigating => "investigating",
        PageStatus::Identified => "identified",
        PageStatus::Monitoring => "monitoring",
        PageStatus::Resolved => "resolved",
    }
}

fn body(parcel: &Parcel, said: &Publication) -> Value {
    let (impact, component) = match said.severity {
        Severity::Sev0 => ("critical", "major_outage"),
        Severity::Sev1 => ("major", "partial_outage"),
        Severity::Sev2 => ("minor", "degraded_performance"),
        Severity::Sev3 => ("none", "degraded_performance"),
    };
    let component = if said.status == PageStatus::Resolved { "operational" } else { component };
    let components: Map<String, Value> = said.components.iter().map(|id| (id.to_string(), json!(component))).collect();
    let ids: Vec<&str> = said.components.iter().map(|id| id.as_str()).collect();
    let name: String = said.title.chars().take(255).collect();
    json!({ "incident": {
        "name": name,
        "status": status(said.status),
        "impact_override": impact,
        "body": parcel.text.chars().take(25_000).collect::<String>(),
        "component_ids": ids,
        "components": components,
        "deliver_notifications": said.notifies,
        "metadata": { "warroom": { "op": parcel.op, "incident": parcel.incident.to_string() } },
    } })
}
