//! Jira, Cloud and Data Center: a ticket for the incident and one for each follow-up.
//!
//! Hides how the two differ (documents or plain text, two searches, where the kinds of tickets are listed), that transitions are called differently in
//! every workflow, and that Cloud finds a new ticket only after a while.
//!
//! Invariant: a ticket is made once for a label of ours; where nobody can say whether it was made, a person is asked; every comment is internal, so
//! that customers of a service project never read what was said inside.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use answers::{Created, Found, Issue, Kind, Kinds, ServerInfo, Transitions};
use ends::{Deciding, Ending, Next};
use texts::document;

use super::{
    Answering, Channel, Examining, Options, Telling, Wanted, absent, bears, call, cannot, complaint, naming, noted,
    nothing_written, read, receipt, silent, taken, unknown, without,
};
use crate::clock;
use crate::incident::{Act, News, Opened, Parcel, Receipt, Remote, Severity, Thing, Watched};
use crate::reach::{JIRA, TicketEnds, TicketTypes};
use crate::source::below::Below;
use crate::source::http::{Answer, Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod answers;
mod ends;
mod examine;
mod texts;

/// The longest summary.
const SUMMARY: usize = 255;
/// What the configuration does not set.
const OURS: [&str; 5] = ["project", "issuetype", "summary", "description", "labels"];
/// No way to the end has more steps.
const MOST_STEPS: usize = 6;
/// So many pages of a list are read.
const MOST_PAGES: usize = 10;
/// What every project has.
const PLAIN_TYPE: &str = "Task";

/// Opens it.
pub(super) fn open(endpoint: &Endpoint, options: &Options) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open(JIRA, endpoint, Limits::default())?;
    Ok(Box::new(Jira {
        site,
        types: options.ticket_types.clone(),
        ends: options.ticket_ends.clone(),
        fields: options.ticket_fields.clone(),
        server: OnceCell::new(),
    }))
}

#[derive(Debug)]
struct Jira {
    site: Site,
    types: TicketTypes,
    ends: TicketEnds,
    /// What every ticket of the project has besides, by the IDs of fields.
    fields: BTreeMap<String, Value>,
    server: OnceCell<Server>,
}

/// What it says of itself.
#[derive(Clone, Debug)]
struct Server {
    edition: Edition,
    /// Where people read it, where that is said: programs may ask a gateway.
    address: Option<String>,
}

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edition {
    Cloud,
    DataCenter,
}

impl Channel for Jira {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let edition = match self.edition().await {
                Ok(edition) => edition,
                Err(failure) => return untouched(failure),
            };
            let receipt = match (&parcel.act, &parcel.about) {
                (Act::Open(opened), _) => {
                    let kind =
                        if opened.severity == Severity::Sev3 { &self.types.backlog } else { &self.types.incident };
                    let summary = format!("{}: {}", parcel.incident, opened.title);
                    self.create(edition, parcel, kind, &summary, Some(opened.severity)).await
                }
                (Act::Ticket(_), Some(about)) => {
                    let made =
                        self.create(edition, parcel, &self.types.follow_up, parcel.text.first_line(), None).await;
                    match made {
                        Ok(Receipt::There(made)) => Ok(Receipt::There(self.linked(edition, about, made).await)),
                        other => other,
                    }
                }
                (Act::Note(_), Some(about)) => self.comment(edition, parcel, about).await,
                (Act::Describe, Some(about)) => {
                    let body = json!({ "fields": { "description": document(edition, &parcel.text) } });
                    self.write(Method::PUT, api(edition).then("issue/{}", &[&about.id]), &body, about).await
                }
                (Act::Change(said), Some(about)) => self.rename(edition, parcel, said, about).await,
                (Act::Reopen, Some(about)) => self.reopen(edition, about).await,
                (Act::Resolve | Act::CloseTicket(_), Some(about)) => self.end(edition, parcel, about).await,
                (
                    Act::Ticket(_)
                    | Act::Note(_)
                    | Act::Change(_)
                    | Act::Reopen
                    | Act::Describe
                    | Act::Resolve
                    | Act::CloseTicket(_),
                    None,
                ) => return without(JIRA, parcel),
                _ => return cannot(JIRA, parcel),
            };
            receipt.unwrap_or_else(refusal)
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move { self.moved(watched).await.map_err(|failure| failure.reason) })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(self.examined(wanted))
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let edition = match self.edition().await {
                Ok(edition) => edition,
                Err(failure) => return unknown(failure),
            };
            let found = match (&parcel.act, &parcel.about) {
                (Act::Open(_) | Act::Ticket(_), _) => match self.find(edition, parcel).await {
                    Ok(None) if edition == Edition::Cloud => {
                        let why = "jira does not find it, and finds new tickets only after some minutes: look there";
                        return Receipt::Unknown(why.into());
                    }
                    other => other,
                },
                (Act::Note(_), Some(about)) => self.has_comment(edition, parcel, about).await,
                (Act::Reopen, Some(about)) => {
                    self.is_done(edition, about).await.map(|is_done| (!is_done).then(|| about.clone()))
                }
                (Act::Resolve | Act::CloseTicket(_), Some(about)) => {
                    let is_over = async {
                        Ok(self.is_done(edition, about).await? && self.has_last_words(edition, parcel, about).await?)
                    };
                    is_over.await.map(|is_over| is_over.then(|| about.clone()))
                }
                // The same description twice is one.
                _ => return absent(JIRA),
            };
            match found {
                Ok(Some(remote)) => Receipt::There(remote),
                Ok(None) => absent(JIRA),
                Err(failure) => unknown(failure),
            }
        })
    }
}

impl Jira {
    /// Whether somebody moved a ticket, and the follow-up that is done with it.
    async fn moved(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let edition = self.edition().await?;
        let key = &watched.remote.id;
        let issue: Issue = self.get(api(edition).then("issue/{}", &[key]), &[("fields", "status")]).await?;
        let Some(status) = issue.fields.status else { return Ok(Vec::new()) };
        // As it was made: no news.
        if status.status_category.key == "new" {
            return Ok(Vec::new());
        }
        let is_done = status.status_category.key == "done";
        let text = format!("{key} is {} now", if status.name.is_empty() { "done" } else { &status.name });
        let mut news = noted(JIRA, &format!("{key}/{}", status.name), "", clock::wall(), &text);
        news.noted.link = watched.remote.link.clone();
        if let (Some(Thing::Ticket(item)), true) = (watched.thing, is_done) {
            news.closes = Some(item);
        }
        Ok(vec![news])
    }

    async fn edition(&self) -> Result<Edition, Failure> {
        let ask = async {
            let info: ServerInfo = self.get("rest/api/2/serverInfo", &[]).await?;
            let edition = if info.deployment_type == "Cloud" { Edition::Cloud } else { Edition::DataCenter };
            let address = info.base_url.trim_end_matches('/').to_owned();
            Ok(Server { edition, address: address.starts_with("http").then_some(address) })
        };
        Ok(self.server.get_or_try_init(|| ask).await?.edition)
    }

    /// All kinds of tickets of a project.
    async fn kinds(&self, edition: Edition, project: &str) -> Result<Vec<Kind>, Failure> {
        let path = api(edition).then("issue/createmeta/{}/issuetypes", &[project]);
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let at = all.len().to_string();
            let page: Kinds = self.get(path.clone(), &[("startAt", &at), ("maxResults", "50")]).await?;
            let is_last = page.issue_types.is_empty();
            all.extend(page.issue_types);
            if is_last || page.total.is_none_or(|total| all.len() >= total) {
                break;
            }
        }
        Ok(all)
    }

    async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        path: impl Into<Below>,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        read(&self.site, path, query).await
    }

    /// Makes a ticket, unless one with its label is there.
    async fn create(
        &self,
        edition: Edition,
        parcel: &Parcel,
        kind: &str,
        summary: &str,
        severity: Option<Severity>,
    ) -> Result<Receipt, Failure> {
        if let Some(remote) = self.find(edition, parcel).await.map_err(nothing_written)? {
            return Ok(Receipt::There(remote));
        }
        let kinds = self.kinds(edition, &parcel.target).await.map_err(nothing_written)?;
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
        let is_there = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        let mut labels = vec!["warroom".to_owned(), label(parcel)];
        let kind = match kind {
            kind if is_there(kind) => kind,
            // Whoever has no such kind finds it by a label.
            kind if is_there(PLAIN_TYPE) => {
                labels.push(kind.to_lowercase().replace(' ', "-"));
                PLAIN_TYPE
            }
            kind => {
                let why = format!(
                    "jira has no `{kind}` in {}: write one of {} into [jira-project]",
                    parcel.target,
                    names.join(", ")
                );
                return Ok(Receipt::Refused(CleanStr::new(&why)));
            }
        };
        let summary: String = summary.replace(['\n', '\r'], " ").chars().take(SUMMARY).collect();
        let mut fields = json!({
            "project": { "key": parcel.target },
            "issuetype": { "name": kind },
            "summary": summary,
            "description": document(edition, &parcel.text),
            "labels": labels,
        });
        for (id, value) in self.fields.iter().filter(|(id, _)| !OURS.contains(&id.as_str())) {
            fields[id] = value.clone();
        }
        if let Some(severity) = severity.filter(|_| !self.fields.contains_key("priority")) {
            fields["priority"] = json!({ "name": priority(severity) });
        }
        let path = api(edition).then("issue", &[]);
        let mut answer = call(&self.site, Method::POST, path.clone(), Some(&json!({ "fields": fields }))).await?;
        if is_about_priority(&answer) {
            // Not on the screen of this project: a ticket without it is better than none.
            fields.as_object_mut().map(|fields| fields.remove("priority"));
            answer = call(&self.site, Method::POST, path.clone(), Some(&json!({ "fields": fields }))).await?;
        }
        let made: Created = taken(&self.site, answer).await?;
        Ok(Receipt::There(self.remote(&made.key)))
    }

    fn remote(&self, key: &str) -> Remote {
        let address = self.server.get().and_then(|server| server.address.as_deref()).unwrap_or(self.site.base());
        let link = CleanStr::new(&format!("{address}/browse/{key}"));
        Remote { id: key.into(), name: Some(key.into()), link: Some(link), is_adopted: false }
    }

    async fn find(&self, edition: Edition, parcel: &Parcel) -> Result<Option<Remote>, Failure> {
        let jql = format!("project = \"{}\" AND labels = \"{}\"", parcel.target, label(parcel));
        let found: Found = match edition {
            Edition::Cloud => {
                let body = json!({ "jql": jql, "fields": ["summary"], "maxResults": 2 });
                let answer = call(&self.site, Method::POST, "rest/api/3/search/jql", Some(&body)).await?;
                taken(&self.site, answer).await?
            }
            Edition::DataCenter => {
                let query = [("jql", jql.as_str()), ("fields", "summary"), ("startAt", "0"), ("maxResults", "2")];
                self.get("rest/api/2/search", &query).await?
            }
        };
        Ok(found.issues.first().map(|issue| self.remote(&issue.key)))
    }

    /// The follow-up's ticket, tied to the incident's; that it could not be tied is said, and no reason to make another.
    async fn linked(&self, edition: Edition, about: &Remote, made: Remote) -> Remote {
        let body = json!({
            "type": { "name": "Relates" },
            "inwardIssue": { "key": about.id },
            "outwardIssue": { "key": made.id },
        });
        match call(&self.site, Method::POST, api(edition).then("issueLink", &[]), Some(&body)).await {
            Ok(answer) if answer.is_success() => made,
            Ok(answer) => unlinked(made, &complaint(&self.site, &answer)),
            Err(failure) => unlinked(made, &failure),
        }
    }

    async fn write(&self, method: Method, path: Below, body: &Value, about: &Remote) -> Result<Receipt, Failure> {
        let answer = call(&self.site, method, path, Some(body)).await?;
        silent(&self.site, &answer)?;
        Ok(Receipt::There(about.clone()))
    }

    /// Moves a ticket to where it is done, whatever that is called in its workflow, with its last words.
    async fn end(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Receipt, Failure> {
        // A comment beside a transition is dropped where that has no screen, and in a service project customers read it.
        let why = match self.last_words(edition, parcel, about).await? {
            Receipt::There(_) => None,
            Receipt::Refused(why) => Some(why),
            other => return Ok(other),
        };
        let ended = match self.is_done(edition, about).await.map_err(nothing_written)? {
            true => Receipt::There(about.clone()),
            false => self.moved_on(edition, parcel, about).await?,
        };
        Ok(match (ended, why) {
            (Receipt::There(about), Some(why)) => {
                let name = format!("{}, without its last words ({why})", about.called());
                Receipt::There(Remote { name: Some(CleanStr::new(&name)), ..about })
            }
            (ended, _) => ended,
        })
    }

    /// Why it is over, once.
    async fn last_words(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Receipt, Failure> {
        if self.has_last_words(edition, parcel, about).await.map_err(nothing_written)? {
            return Ok(Receipt::There(about.clone()));
        }
        Ok(self.comment(edition, parcel, about).await.unwrap_or_else(refusal))
    }

    async fn has_last_words(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<bool, Failure> {
        Ok(parcel.text.trim().is_empty() || self.has_comment(edition, parcel, about).await?.is_some())
    }

    /// Moves it step by step to where it is over.
    async fn moved_on(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Receipt, Failure> {
        let deciding = Deciding {
            project: &parcel.target,
            key: &about.id,
            ending: if parcel.is_dropped { Ending::Dropped } else { Ending::Done },
            ends: &self.ends,
            choices: &parcel.choices,
        };
        let path = api(edition).then("issue/{}/transitions", &[&about.id]);
        let mut been = BTreeSet::new();
        for _ in 0..MOST_STEPS {
            let known: Transitions =
                self.get(path.clone(), &[("expand", "transitions.fields")]).await.map_err(nothing_written)?;
            let (id, resolution, is_end, status) = match deciding.next(&known.transitions, &been) {
                Next::Go { id, resolution, is_end, status } => (id, resolution, is_end, status),
                Next::Ask { why, ways } => return Ok(Receipt::Asks { why, ways }),
                Next::Nowhere => break,
            };
            let mut body = json!({ "transition": { "id": id } });
            if let Some(resolution) = resolution {
                body["fields"] = json!({ "resolution": { "name": resolution } });
            }
            let moved = self.write(Method::POST, path.clone(), &body, about).await?;
            if is_end || !matches!(moved, Receipt::There(_)) {
                return Ok(moved);
            }
            been.insert(status);
        }
        let why = format!("jira has no way from where {} stands to a status that is done: close it there", about.id);
        Ok(Receipt::Refused(CleanStr::new(&why)))
    }

    /// A comment that only people of the company read; where a project has no customers, that makes no difference.
    async fn comment(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Receipt, Failure> {
        // The mark stands first: whatever is cut off, it is found again.
        let text = format!("({})\n{}", mark(parcel), parcel.text);
        let path = api(edition).then("issue/{}/comment", &[&about.id]);
        let internal = json!([{ "key": "sd.public.comment", "value": { "internal": true } }]);
        let body = json!({ "body": document(edition, &text), "properties": internal });
        let answer = call(&self.site, Method::POST, path.clone(), Some(&body)).await?;
        naming(&self.site, answer, "id").await.map(|_| Receipt::There(about.clone()))
    }

    /// Gives a ticket the summary and the priority that the incident has now.
    async fn rename(
        &self,
        edition: Edition,
        parcel: &Parcel,
        said: &Opened,
        about: &Remote,
    ) -> Result<Receipt, Failure> {
        let summary: String =
            format!("{}: {}", parcel.incident, said.title).replace(['\n', '\r'], " ").chars().take(SUMMARY).collect();
        let path = api(edition).then("issue/{}", &[&about.id]);
        let mut fields = json!({ "summary": summary });
        if !self.fields.contains_key("priority") {
            fields["priority"] = json!({ "name": priority(said.severity) });
        }
        let mut answer = call(&self.site, Method::PUT, path.clone(), Some(&json!({ "fields": fields }))).await?;
        if is_about_priority(&answer) {
            fields.as_object_mut().map(|fields| fields.remove("priority"));
            answer = call(&self.site, Method::PUT, path.clone(), Some(&json!({ "fields": fields }))).await?;
        }
        silent(&self.site, &answer)?;
        Ok(Receipt::There(about.clone()))
    }

    /// Moves a ticket that is done to where it is worked on.
    async fn reopen(&self, edition: Edition, about: &Remote) -> Result<Receipt, Failure> {
        if !self.is_done(edition, about).await.map_err(nothing_written)? {
            return Ok(Receipt::There(about.clone()));
        }
        let path = api(edition).then("issue/{}/transitions", &[&about.id]);
        let known: Transitions =
            self.get(path.clone(), &[("expand", "transitions.fields")]).await.map_err(nothing_written)?;
        let leads_to = |category: &str| known.transitions.iter().find(|one| one.to.status_category.key == category);
        let Some(to) = leads_to("indeterminate").or_else(|| leads_to("new")) else {
            let why = format!("jira has no way back from where {} stands: reopen it there", about.id);
            return Ok(Receipt::Refused(CleanStr::new(&why)));
        };
        self.write(Method::POST, path.clone(), &json!({ "transition": { "id": to.id } }), about).await
    }

    async fn is_done(&self, edition: Edition, about: &Remote) -> Result<bool, Failure> {
        let path = api(edition).then("issue/{}", &[&about.id]);
        let issue: Issue = self.get(path.clone(), &[("fields", "status")]).await?;
        Ok(issue.fields.status.is_some_and(|status| status.status_category.key == "done"))
    }

    async fn has_comment(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Option<Remote>, Failure> {
        let path = api(edition).then("issue/{}/comment", &[&about.id]);
        let comments: Value = self.get(path.clone(), &[("orderBy", "-created"), ("maxResults", "100")]).await?;
        Ok(bears(&comments.to_string(), &mark(parcel)).then(|| about.clone()))
    }
}

fn api(edition: Edition) -> Below {
    Below::from(match edition {
        Edition::Cloud => "rest/api/3",
        Edition::DataCenter => "rest/api/2",
    })
}

/// The label by which a ticket is found again.
fn label(parcel: &Parcel) -> String {
    format!("warroom-{}", parcel.op.to_lowercase().replace('/', "-"))
}

/// The end of a comment, by which it is found again.
fn mark(parcel: &Parcel) -> String {
    format!("warroom {}", parcel.op)
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev0 => "Highest",
        Severity::Sev1 => "High",
        Severity::Sev2 => "Medium",
        Severity::Sev3 => "Low",
    }
}

fn is_about_priority(answer: &Answer) -> bool {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let errors = said.get("errors").and_then(Value::as_object);
    answer.status == 400 && errors.is_some_and(|errors| errors.len() == 1 && errors.contains_key("priority"))
}

fn unlinked(made: Remote, failure: &Failure) -> Remote {
    let name = format!("{}, not linked ({})", made.id, failure.reason);
    Remote { name: Some(CleanStr::new(&name)), ..made }
}

fn untouched(failure: Failure) -> Receipt {
    refusal(nothing_written(failure))
}

/// What a refusal means, and what helps.
fn refusal(failure: Failure) -> Receipt {
    let is_hidden = failure.trouble == Trouble::Status(404);
    match receipt(failure) {
        // Who is not signed in sees nothing, which looks as if it were not there.
        Receipt::Refused(why) if is_hidden => {
            let hint = "a wrong token looks like this too: check the credentials and the key in [jira-project]";
            Receipt::Refused(CleanStr::new(&format!("{why}: {hint}")))
        }
        other => other,
    }
}
