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

use answers::{Created, Issue, Kind, Kinds, LinkTypes, ServerInfo, Transitions};
use ends::{Deciding, Ending, Next};
use texts::document;
use words::{TicketEnds, TicketTypes};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Home, Life, Means, Rehearsal, Section, Takes, key};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Tidying, Wanted, absent, bears, call, cannot, complaint,
    fit, naming, nothing_written, read, receipt, removed, silent, taken, unknown, without,
};
use crate::incident::{Act, Opened, Parcel, Phase, Receipt, Remote, Severity, Watched};
use crate::reach::{Habit, JIRA, Lines};
use crate::source::below::Below;
use crate::source::http::{Answer, Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod answers;
mod demanded;
mod ends;
mod examine;
mod link;
mod people;
mod search;
mod section;
mod texts;
mod words;

/// What the configuration does not set.
const OURS: [&str; 5] = ["project", "issuetype", "summary", "description", "labels"];
/// What a ticket can do without.
const OPTIONAL: [&str; 3] = ["priority", "assignee", "duedate"];
/// What a link without a direction is called on a site that nobody changed.
const RELATES: &str = "Relates";
/// No way to the end has more steps.
const MOST_STEPS: usize = 6;
/// So many pages of a list are read.
const MOST_PAGES: usize = 10;
/// What every project has.
const PLAIN_TYPE: &str = "Task";

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: JIRA,
    open,
    keeps: Some((
        Habit {
            acknowledges: false,
            ends: Phase::Closed,
            lines: Lines::All,
            describes: true,
            example: "OPS-77",
            gathers_seconds: 60,
            ..Habit::OF_TRACKER
        },
        Home::Named,
    )),
    sections: &[Section {
        name: "jira-project",
        holds: Holds::Keys(&[
            key("key", Takes::Id, Means::Place),
            key("type", Takes::Text, Means::Preference),
            key("backlog-type", Takes::Text, Means::Preference),
            key("follow-up-type", Takes::Text, Means::Preference),
            key("done-status", Takes::Text, Means::Preference),
            key("dropped-status", Takes::Text, Means::Preference),
            key("done-resolution", Takes::Text, Means::Preference),
            key("dropped-resolution", Takes::Text, Means::Preference),
            key("link-type", Takes::Text, Means::Preference),
            key("fields", Takes::Fields, Means::Preference),
        ]),
    }],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::of(
        Takes::Id,
        Life::Ticket,
        r#"# jira = "TEST"              # a project of the same kind as the one of incidents
"#,
    ),
};

/// Its part of the starter file.
const STARTER: &str = r#"[jira]
# url = "https://company.atlassian.net"  # or a Data Center, with its path
# basic-user = "bot@company.example"     # Cloud: with basic-password-env, an API token; Data Center: bearer-env
# basic-password-env = "JIRA_TOKEN"

[jira-project]
# key = "OPS"
# type = "Incident"
# backlog-type = "Task"                  # of a SEV3
# follow-up-type = "Task"
# done-status = "Done"                   # where a workflow has several ends, each by its own name; without these a person is asked
# dropped-status = "Canceled"            # of a false alarm, and of a follow-up that is dropped
# done-resolution = "Fixed"
# dropped-resolution = "Won't Do"
# link-type = "Relates"             # between the incident's ticket and those of its follow-ups

[jira-project.fields]
# What the project wants of every ticket besides, by the IDs that doctor names.
# customfield_10010 = { value = "Payments" }
# customfield_10030 = { ask = "Which product?" }   # a person chooses one of Jira's values before the ticket is made
# customfield_10011 = "{{service}} at {{detected}}"  # also incident, title, severity, services, declared-by, commander

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("GET", "serverInfo", "Cloud or Data Center", "the address", "jira: signed in"),
    asks("GET", "myself", "who the bot is", "a token that holds", "jira: signed in"),
    asks("GET", "mypermissions", "what may be done", "a token that holds", "jira: project"),
    asks("GET", "project/*", "the kind of project", "`BROWSE_PROJECTS`", "jira: project"),
    asks("GET", "issue/createmeta/*/issuetypes", "the kinds of tickets", "`CREATE_ISSUES`", "jira: project"),
    asks(
        "GET",
        "issue/createmeta/*/issuetypes/*",
        "required fields",
        "`CREATE_ISSUES`; fields in [jira-project.fields]",
        "jira: project",
    ),
    asks(
        "POST",
        "issue",
        "a ticket, and one for each follow-up",
        "`CREATE_ISSUES`, its required fields, `PRIORITY` on its screen or not",
        "jira: project",
    ),
    asks(
        "PUT",
        "issue/*",
        "the description follows; title, severity; owner and day of a follow-up",
        "`EDIT_ISSUES`",
        "jira: project",
    ),
    asks("GET", "issue/*", "whether others moved it; `link-ticket`", "`BROWSE_PROJECTS`", "jira: project"),
    asks("GET", "issue/*/properties/*", "a lost ticket is looked for", "`BROWSE_PROJECTS`", "jira: project"),
    asks("PUT", "issue/*/properties/*", "the mark of a ticket", "`EDIT_ISSUES`", "jira: project"),
    asks("POST", "issue/*/comment", "lines of the timeline", "`ADD_COMMENTS`", "jira: project"),
    asks("GET", "issue/*/comment", "a lost comment is looked for", "`BROWSE_PROJECTS`", "jira: project"),
    asks("GET", "issue/*/comment/*", "a lost comment is looked for", "`BROWSE_PROJECTS`", "jira: project"),
    asks("PUT", "issue/*/comment/*", "a comment that follows", "`EDIT_OWN_COMMENTS`", "jira: project"),
    asks("GET", "issue/*/transitions", "the way to its end", "`TRANSITION_ISSUES`", "jira: project"),
    asks(
        "POST",
        "issue/*/transitions",
        "its end, and back",
        "`TRANSITION_ISSUES`; `done-status` and others where there are several ends",
        "jira: project",
    ),
    asks("POST", "issueLink", "a follow-up belongs to its incident", "`LINK_ISSUES`", "jira: project"),
    asks("GET", "issueLinkType", "the kind of link", "issue links are on", "jira: project"),
    asks("GET", "search", "a lost ticket is looked for (Data Center)", "`BROWSE_PROJECTS`", "jira: project"),
    asks("POST", "search", "a lost ticket is looked for (Data Center)", "`BROWSE_PROJECTS`", "jira: project"),
    asks("*", "search/jql", "a lost ticket is looked for (Cloud)", "`BROWSE_PROJECTS`", "jira: project"),
    asks("GET", "user/search", "the owner of a follow-up", "`USER_PICKER`", "jira: signed in"),
    asks(
        "DELETE",
        "issue/*",
        "`doctor --rehearse` cleans up",
        "`DELETE_ISSUES`; without it the tickets stay as closed ones",
        "jira: project",
    ),
];

/// Opens it.
fn open(endpoint: &Endpoint, settings: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open(JIRA, endpoint, Limits::default())?;
    Ok(Box::new(Jira {
        site,
        types: TicketTypes::of(settings),
        ends: TicketEnds::of(settings),
        fields: settings.fields("jira-project.fields"),
        server: OnceCell::new(),
        link_kind: OnceCell::new(),
        me: OnceCell::new(),
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
    /// What links are called there.
    link_kind: OnceCell<String>,
    /// By what it knows us.
    me: OnceCell<Option<String>>,
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
                (Act::Adopt(key), _) => self.adopted(edition, key).await,
                (Act::Note(_), Some(about)) => self.comment(edition, parcel, about).await,
                (Act::Describe, Some(about)) => self.describe(edition, parcel, about).await,
                (Act::Change(said), Some(about)) => self.rename(edition, parcel, said, about).await,
                (Act::Reopen, Some(about)) => self.reopen(edition, about).await,
                (Act::ChangeTicket(_), Some(about)) => self.reassigned(edition, parcel, about).await,
                (Act::Resolve | Act::CloseTicket(_), Some(about)) => self.end(edition, parcel, about).await,
                (
                    Act::Ticket(_)
                    | Act::Note(_)
                    | Act::Change(_)
                    | Act::Reopen
                    | Act::Describe
                    | Act::Resolve
                    | Act::ChangeTicket(_)
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

    fn tidy<'a>(&'a self, _: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        Box::pin(async move {
            let edition = self.edition().await.map_err(|failure| failure.reason)?;
            removed(&self.site, api(edition).then("issue/{}", &[&made.id])).await
        })
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
                (Act::Open(_) | Act::Ticket(_), _) => return self.is_made(edition, parcel).await,
                (Act::Note(_) | Act::ChangeTicket(_), Some(about)) => self.has_comment(edition, parcel, about).await,
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
        let (summary, whole) = fit::title(summary, fit::JIRA_SUMMARY);
        let text = fit::body(whole.as_deref(), &parcel.text);
        let pieces = section::pieces(edition, &text);
        let description = match parcel.act {
            Act::Open(_) => section::new(edition, pieces[0]),
            _ => document(edition, pieces[0]),
        };
        let mut fields = json!({
            "project": { "key": parcel.target },
            "issuetype": { "name": kind },
            "summary": summary,
            "description": description,
            "labels": labels,
        });
        for (id, value) in self.fields.iter().filter(|(id, _)| !OURS.contains(&id.as_str())) {
            if demanded::question_in(value).is_none() {
                fields[id] = filled_in(value, &parcel.attached.facts);
            }
        }
        demanded::fill_in(parcel, &mut fields);
        let described = kinds.iter().find(|one| one.name.eq_ignore_ascii_case(kind));
        if let (Some(kind), asked) = (described, self.unanswered(&fields))
            && let Some(question) = self.question(edition, parcel, kind, &asked).await.map_err(nothing_written)?
        {
            return Ok(question);
        }
        if let Some(severity) = severity.filter(|_| !self.fields.contains_key("priority")) {
            fields["priority"] = json!({ "name": priority(severity) });
        }
        self.assign(edition, parcel, &mut fields).await?;
        let path = api(edition).then("issue", &[]);
        let body = |fields: &Value| json!({ "fields": fields, "properties": search::property(parcel) });
        let mut answer = call(&self.site, Method::POST, path.clone(), Some(&body(&fields))).await?;
        let left_out = without_what_no_screen_has(&answer, &mut fields);
        if !left_out.is_empty() {
            // A ticket without them is better than none.
            answer = call(&self.site, Method::POST, path.clone(), Some(&body(&fields))).await?;
        }
        if let (Some(kind), lacking) = (described, demanded::lacking(&answer, &fields))
            && let Some(question) = self.question(edition, parcel, kind, &lacking).await.map_err(nothing_written)?
        {
            return Ok(question);
        }
        let made: Created = taken(&self.site, answer).await?;
        let mut remote = self.remote(&made.key);
        let is_told: Vec<&str> = left_out.iter().map(String::as_str).filter(|name| *name != "priority").collect();
        if !is_told.is_empty() {
            let why = format!("{}, without {} (not on the project's screen)", made.key, is_told.join(" and "));
            remote.name = Some(CleanStr::new(&why));
        }
        // What did not fit follows below; that it could not be added is no reason to make another ticket.
        if let Err(failure) = self.rest_of_description(edition, parcel, &remote, &pieces[1..]).await {
            let why = format!("{}, without the end of its description ({})", made.key, failure.reason);
            remote.name = Some(CleanStr::new(&why));
        }
        Ok(Receipt::There(remote))
    }

    fn remote(&self, key: &str) -> Remote {
        let address = self.server.get().and_then(|server| server.address.as_deref()).unwrap_or(self.site.base());
        let link = CleanStr::new(&format!("{address}/browse/{key}"));
        Remote { id: key.into(), name: Some(key.into()), link: Some(link), is_adopted: false }
    }

    /// The follow-up's ticket, tied to the incident's; that it could not be tied is said, and no reason to make another.
    async fn linked(&self, edition: Edition, about: &Remote, made: Remote) -> Remote {
        let kind = match self.link_type(edition).await {
            Ok(kind) => kind,
            Err(failure) => return unlinked(made, &failure),
        };
        let body = json!({
            "type": { "name": kind },
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
        let path = api(edition).then("issue/{}/comment", &[&about.id]);
        let pieces = texts::pieces(edition, &parcel.text, 0);
        let count = pieces.len();
        let known = match count {
            1 => Vec::new(),
            _ => self.comments(edition, about).await.map_err(nothing_written)?,
        };
        for (place, piece) in pieces.into_iter().enumerate() {
            let mark = format!("{}{}", mark(parcel), fit::number(place, count));
            if known.iter().any(|one| bears(&one["body"].to_string(), &mark)) {
                continue;
            }
            // The mark stands first: by it each piece is found again.
            let text = format!("({mark})\n{piece}");
            let internal = json!([{ "key": "sd.public.comment", "value": { "internal": true } }]);
            let body = json!({ "body": document(edition, &text), "properties": internal });
            let answer = call(&self.site, Method::POST, path.clone(), Some(&body)).await?;
            naming(&self.site, answer, "id").await?;
        }
        Ok(Receipt::There(about.clone()))
    }

    /// Gives a ticket the summary and the priority that the incident has now.
    async fn rename(
        &self,
        edition: Edition,
        parcel: &Parcel,
        said: &Opened,
        about: &Remote,
    ) -> Result<Receipt, Failure> {
        // Where it is shortened, it stands whole in the description, which follows the record too.
        let (summary, _) = fit::title(&format!("{}: {}", parcel.incident, said.title), fit::JIRA_SUMMARY);
        let path = api(edition).then("issue/{}", &[&about.id]);
        let mut fields = json!({ "summary": summary });
        if !self.fields.contains_key("priority") {
            fields["priority"] = json!({ "name": priority(said.severity) });
        }
        let mut answer = call(&self.site, Method::PUT, path.clone(), Some(&json!({ "fields": fields }))).await?;
        if !without_what_no_screen_has(&answer, &mut fields).is_empty() {
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

    /// Whether all pieces of a comment are there.
    async fn has_comment(&self, edition: Edition, parcel: &Parcel, about: &Remote) -> Result<Option<Remote>, Failure> {
        let count = texts::pieces(edition, &parcel.text, 0).len();
        let known = self.comments(edition, about).await?;
        let is_there = |place| {
            let mark = format!("{}{}", mark(parcel), fit::number(place, count));
            known.iter().any(|one| bears(&one["body"].to_string(), &mark))
        };
        Ok((0..count).all(is_there).then(|| about.clone()))
    }

    /// The newest comments of a ticket.
    async fn comments(&self, edition: Edition, about: &Remote) -> Result<Vec<Value>, Failure> {
        let path = api(edition).then("issue/{}/comment", &[&about.id]);
        let said: Value = self.get(path, &[("orderBy", "-created"), ("maxResults", "100")]).await?;
        Ok(said.get("comments").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// What the site calls a link that has no direction, in its language.
    async fn link_type(&self, edition: Edition) -> Result<String, Failure> {
        let ask = async {
            let known: LinkTypes = self.get(api(edition).then("issueLinkType", &[]), &[]).await?;
            let all = known.issue_link_types;
            let named = |wanted: &str| all.iter().find(|one| one.name.to_lowercase() == wanted.to_lowercase());
            let wanted = self.ends.link_type.as_deref().and_then(named).or_else(|| named(RELATES));
            let found = wanted.or_else(|| all.iter().find(|one| one.inward == one.outward)).or(all.first());
            Ok::<_, Failure>(found.map_or(RELATES.to_owned(), |one| one.name.clone()))
        };
        match self.link_kind.get_or_try_init(|| ask).await {
            Ok(kind) => Ok(kind.clone()),
            // Where links are not listed, the name that every site begins with is tried.
            Err(failure) if matches!(failure.trouble, Trouble::Status(400..=499)) => Ok(RELATES.to_owned()),
            Err(failure) => Err(failure),
        }
    }
}

fn api(edition: Edition) -> Below {
    Below::from(match edition {
        Edition::Cloud => "rest/api/3",
        Edition::DataCenter => "rest/api/2",
    })
}

/// A value of the configuration with the incident's facts where their names stand between braces.
fn filled_in(value: &Value, facts: &BTreeMap<&'static str, String>) -> Value {
    match value {
        Value::String(text) => {
            let mut parts = text.split("{{");
            let mut out = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
                out.push_str(facts.get(name.trim()).map(String::as_str).unwrap_or_default());
                out.push_str(rest);
            }
            json!(out)
        }
        Value::Array(all) => all.iter().map(|one| filled_in(one, facts)).collect(),
        Value::Object(fields) => fields.iter().map(|(name, one)| (name.clone(), filled_in(one, facts))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The label by which a ticket is found again.
fn label(parcel: &Parcel) -> String {
    format!("warroom-{}", parcel.op.to_lowercase().replace('/', "-"))
}

/// The beginning of a comment, by which it is found again.
fn mark(parcel: &Parcel) -> String {
    mark_of(&parcel.op)
}

fn mark_of(what: &str) -> String {
    format!("warroom {what}")
}

fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Sev0 => "Highest",
        Severity::Sev1 => "High",
        Severity::Sev2 => "Medium",
        Severity::Sev3 => "Low",
    }
}

/// Takes out what a refusal is about, where it is about nothing else: fields that this project's screen does not have.
fn without_what_no_screen_has(answer: &Answer, fields: &mut Value) -> Vec<String> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(errors) = said.get("errors").and_then(Value::as_object).filter(|errors| !errors.is_empty()) else {
        return Vec::new();
    };
    let is_optional = |name: &String| OPTIONAL.contains(&name.as_str());
    if answer.status != 400 || !errors.keys().all(is_optional) {
        return Vec::new();
    }
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|name, _| !errors.contains_key(name));
    }
    errors.keys().cloned().collect()
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
            let hint = "where it was deleted there, `outbox` opens it again; a wrong token looks like this too: check the credentials and \
                        the key in [jira-project]";
            Receipt::Refused(CleanStr::new(&format!("{why}: {hint}")))
        }
        other => other,
    }
}
