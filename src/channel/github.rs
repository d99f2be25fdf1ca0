//! GitHub Issues: an issue for the incident and one for each follow-up, on github.com or an Enterprise Server.
//!
//! Hides how an issue is known again (a comment of HTML in its text, which nobody sees, bears our mark), that a limit
//! of requests comes as 403, and how foreign text is kept from calling people and from becoming links to other issues.
//!
//! Invariant: of an issue's text only what stands between our marks is changed; an issue is made once for a mark;
//! nobody is called by what was quoted.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Home, Life, Means, Rehearsal, Section, Takes, key};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Tidied, Tidying, Wanted, absent, bears, but_addresses,
    cannot, noted, nothing_written, receipt, send, taken, unknown, without,
};
use crate::checkup::Finding;
use crate::incident::{Act, News, Opened, Parcel, Phase, Receipt, Remote, Thing, Watched};
use crate::reach::Habit;
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

/// Its name.
const NAME: &str = "github";

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: NAME,
    open,
    keeps: Some((
        Habit {
            acknowledges: false,
            ends: Phase::Closed,
            describes: true,
            example: "77, the number of an issue",
            ..Habit::OF_TRACKER
        },
        Home::Named,
    )),
    sections: &[Section {
        name: "github-issues",
        holds: Holds::Keys(&[
            key("repository", Takes::Repository, Means::Place),
            key("label", Takes::Text, Means::Preference),
        ]),
    }],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal::of(
        Takes::Repository,
        Life::Ticket,
        "# github = \"company/rehearsals\"   # a repository whose issues nobody reads\n",
    ),
};

/// Its part of the starter file.
const STARTER: &str = r#"[github]
# An issue for each incident and each of its follow-ups.
# url = "https://api.github.com"     # an Enterprise Server: https://HOST/api/v3
# bearer-env = "GITHUB_TOKEN"        # a fine-grained token or an app's: Issues read and write, for this repository alone

[github-issues]
# repository = "company/incidents"
# label = "incident"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks("GET", "repos/*/*/issues", "a lost issue is looked for", "Issues: read", "github: repository"),
    asks("POST", "repos/*/*/issues", "an issue, and one for each follow-up", "Issues: write", "github: repository"),
    asks(
        "GET",
        "repos/*/*/issues/*",
        "before its text follows; whether others closed it; `link-ticket`",
        "Issues: read",
        "github: repository",
    ),
    asks(
        "PATCH",
        "repos/*/*/issues/*",
        "its text follows; title; its end, and back; `doctor --rehearse` cleans up",
        "Issues: write",
        "github: repository",
    ),
];

/// Where our part of an issue's text begins and ends.
const BEGIN: &str = "<!-- warroom keeps what stands from here to its end -->";
const END: &str = "<!-- end of what warroom keeps -->";
/// GitHub takes so many letters of a title …
const TITLE_LETTERS: usize = 256;
/// … and of a text.
const BODY_LETTERS: usize = 65_536;
/// So many pages of issues are looked through.
const MOST_PAGES: usize = 5;
/// So many are on a page.
const PAGE: usize = 100;
/// A limit without a time is over after this.
const REST: TimeDelta = TimeDelta::seconds(60);
/// What happened there so soon around an act of ours is ours.
const AROUND: TimeDelta = TimeDelta::seconds(120);

/// Opens it.
fn open(endpoint: &Endpoint, settings: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let label = settings.text("github-issues.label").cloned();
    Ok(Box::new(GitHub { site: Site::open(NAME, endpoint, Limits::default())?, label }))
}

#[derive(Debug)]
struct GitHub {
    site: Site,
    /// The label of our issues.
    label: Option<CleanStr>,
}

/// An issue.
#[derive(Debug, Deserialize)]
struct Issue {
    number: u64,
    html_url: String,
    state: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    closed_at: Option<DateTime<Utc>>,
    #[serde(default)]
    closed_by: Option<User>,
    #[serde(default)]
    state_reason: Option<String>,
    /// Pull requests are listed with issues.
    #[serde(default)]
    pull_request: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: String,
}

/// A repository, as far as it concerns us.
#[derive(Debug, Deserialize)]
struct Repository {
    has_issues: bool,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    permissions: Permissions,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Permissions {
    admin: bool,
    maintain: bool,
    push: bool,
    triage: bool,
}

impl Channel for GitHub {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let done = match (&parcel.act, &parcel.about) {
                (Act::Open(opened), _) => self.create(parcel, &title(parcel, opened), "").await,
                (Act::Ticket(_), Some(incident)) => {
                    let above = format!("Follow-up of #{}", incident.id);
                    self.create(parcel, parcel.text.first_line(), &above).await
                }
                (Act::Adopt(number), _) => self.adopted(parcel, number.trim_start_matches('#')).await,
                (Act::Describe | Act::ChangeTicket(_), Some(about)) => self.describe(parcel, about).await,
                (Act::Change(said), Some(about)) => {
                    self.change(parcel, about, json!({ "title": shortened(&title(parcel, said)) })).await
                }
                (Act::Reopen, Some(about)) => self.change(parcel, about, json!({ "state": "open" })).await,
                (Act::Resolve | Act::CloseTicket(_), Some(about)) => {
                    let reason = if parcel.is_dropped { "not_planned" } else { "completed" };
                    self.change(parcel, about, json!({ "state": "closed", "state_reason": reason })).await
                }
                (
                    Act::Ticket(_)
                    | Act::Describe
                    | Act::ChangeTicket(_)
                    | Act::Change(_)
                    | Act::Reopen
                    | Act::Resolve
                    | Act::CloseTicket(_),
                    None,
                ) => return without(NAME, parcel),
                _ => return cannot(NAME, parcel),
            };
            done.map_or_else(limited, Receipt::There)
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match (&parcel.act, &parcel.about) {
                (Act::Open(_) | Act::Ticket(_), _) => match self.find(parcel).await {
                    Ok(Ok(Some(remote))) => Receipt::There(remote),
                    Ok(Ok(None)) => absent(NAME),
                    Ok(Err(why)) => Receipt::Unknown(why),
                    Err(failure) => unknown(failure),
                },
                // The same text, title or state twice is one.
                _ => absent(NAME),
            }
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move { self.closed(watched).await.map_err(|failure| failure.reason) })
    }

    fn tidy<'a>(&'a self, parcel: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        Box::pin(async move {
            // Issues can be deleted by administrators alone, and not by this interface.
            let closed = json!({ "state": "closed", "state_reason": "not_planned" });
            self.change(parcel, made, closed).await.map_err(|failure| failure.reason)?;
            Ok(Tidied::Removed("was closed as not planned"))
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(async move {
            let Some(crate::reach::Place::One(repository)) = wanted.reach.place(NAME) else {
                let why = "none is named: set `repository` in [github-issues]";
                return vec![Finding::wrong("github: repository", why)];
            };
            vec![self.repository(repository).await]
        })
    }
}

impl GitHub {
    fn request(&self, method: Method, path: Below) -> Result<reqwest::RequestBuilder, Failure> {
        let request = self.site.request(method, path)?;
        Ok(request.header("Accept", "application/vnd.github+json").header("X-GitHub-Api-Version", "2022-11-28"))
    }

    async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        path: Below,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        let answer = self.site.ask(self.request(Method::GET, path)?.query(query).send()).await?;
        taken(&self.site, answer).await
    }

    async fn write(&self, method: Method, path: Below, body: &Value) -> Result<Remote, Failure> {
        let answer = send(&self.site, self.request(method, path)?, Some(body)).await?;
        let issue: Issue = taken(&self.site, answer).await?;
        Ok(issue.remote())
    }

    async fn issue(&self, parcel: &Parcel, number: &str) -> Result<Issue, Failure> {
        self.get(issues(&parcel.target)?.then("{}", &[number]), &[]).await
    }

    /// Makes an issue; what does not fit into its title stands whole in its text.
    async fn create(&self, parcel: &Parcel, title: &str, above: &str) -> Result<Remote, Failure> {
        let body = body(parcel, above)?;
        let labels: Vec<&CleanStr> = self.label.iter().collect();
        let made = json!({ "title": shortened(title), "body": body, "labels": labels });
        self.write(Method::POST, issues(&parcel.target)?, &made).await
    }

    /// Renews our part of a text; where people took it out, it is added below.
    async fn describe(&self, parcel: &Parcel, about: &Remote) -> Result<Remote, Failure> {
        let known = self.issue(parcel, &about.id).await.map_err(nothing_written)?;
        let said = known.body.unwrap_or_default();
        let mark = mark_in(&said);
        let own = |above: &str| part(parcel, mark.as_deref().unwrap_or(&parcel.op), above);
        let body = match (said.find(BEGIN), said.find(END)) {
            (Some(begin), Some(end)) if begin < end => {
                let (before, after) = (&said[..begin], &said[end + END.len()..]);
                // The number of the incident above a follow-up's text stays.
                format!("{before}{}{after}", own(&above_of(&said[begin + BEGIN.len()..end])))
            }
            _ => format!("{}\n\n{}", said.trim_end(), own("")),
        };
        check(&body)?;
        self.change(parcel, about, json!({ "body": body })).await
    }

    async fn change(&self, parcel: &Parcel, about: &Remote, body: Value) -> Result<Remote, Failure> {
        let path = issues(&parcel.target)?.then("{}", &[&about.id]);
        self.write(Method::PATCH, path, &body).await.map(|made| Remote { is_adopted: about.is_adopted, ..made })
    }

    /// An issue that somebody opened, if it is there.
    async fn adopted(&self, parcel: &Parcel, number: &str) -> Result<Remote, Failure> {
        let issue = self.issue(parcel, number).await.map_err(nothing_written)?;
        if issue.pull_request.is_some() {
            return Err(ours(&format!("github: #{number} is a pull request: name an issue")));
        }
        Ok(Remote { is_adopted: true, ..issue.remote() })
    }

    /// The issue that bears our mark; why nobody can say where it may be further back.
    async fn find(&self, parcel: &Parcel) -> Result<Result<Option<Remote>, CleanStr>, Failure> {
        let since = parcel.first_sent_at - self.site.apart();
        let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
        for page in 1..=MOST_PAGES {
            let (page, each) = (page.to_string(), PAGE.to_string());
            let query = [
                ("state", "all"),
                ("sort", "created"),
                ("direction", "desc"),
                ("since", since.as_str()),
                ("per_page", each.as_str()),
                ("page", page.as_str()),
            ];
            let all: Vec<Issue> = self.get(issues(&parcel.target)?, &query).await?;
            let is_ours = |issue: &&Issue| {
                let body = issue.body.as_deref().unwrap_or_default();
                issue.pull_request.is_none() && parcel.ops.iter().any(|op| bears(body, &sign(op)))
            };
            if let Some(found) = all.iter().find(is_ours) {
                return Ok(Ok(Some(found.remote())));
            }
            if all.len() < PAGE {
                return Ok(Ok(None));
            }
        }
        let why = format!("github: not among the {} issues that changed since: look there", MOST_PAGES * PAGE);
        Ok(Err(CleanStr::new(&why)))
    }

    /// Whether somebody else closed it.
    async fn closed(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let path = issues(&watched.target)?.then("{}", &[&watched.remote.id]);
        let issue: Issue = self.get(path, &[]).await?;
        let Some(at) = issue.closed_at.filter(|at| issue.state == "closed" && *at >= watched.since) else {
            return Ok(Vec::new());
        };
        if watched.ours.iter().any(|ours| (*ours - at).abs() <= AROUND) {
            return Ok(Vec::new());
        }
        let who = issue.closed_by.as_ref().map(|user| user.login.as_str()).unwrap_or_default();
        let how = if issue.state_reason.as_deref() == Some("not_planned") { " as not planned" } else { "" };
        let key = format!("{}/closed/{}", issue.number, at.timestamp());
        let mut news = noted(NAME, &key, who, at, &format!("#{} was closed{how}", issue.number));
        news.noted.link = Some(CleanStr::new(&issue.html_url));
        news.closes = match watched.thing {
            Some(Thing::Ticket(item)) => Some(item),
            Some(_) | None => None,
        };
        Ok(vec![news])
    }

    /// Whether issues can be made, changed and closed.
    async fn repository(&self, repository: &CleanStr) -> Finding {
        let what = format!("github: repository {repository}");
        let path = match of_repository(repository) {
            Ok(path) => path,
            Err(failure) => return Finding::wrong(&what, &failure.reason),
        };
        let known: Repository = match self.get(path, &[]).await {
            Ok(known) => known,
            Err(failure) if failure.trouble == Trouble::Status(404) => {
                return Finding::wrong(&what, "the token does not see it: correct the name, or give the token access");
            }
            Err(failure) => return Finding::wrong(&what, &failure.reason),
        };
        let may = &known.permissions;
        if known.archived {
            Finding::wrong(&what, "is archived: name another one")
        } else if !known.has_issues {
            Finding::wrong(&what, "has no issues: turn them on in its settings")
        } else if may.admin || may.maintain || may.push || may.triage {
            Finding::fine(&what, "issues can be made, changed and closed")
        } else {
            // Whoever may only read can make issues, and cannot close them or give them labels.
            Finding::wrong(&what, "its issues cannot be changed: give the token's account the role Triage")
        }
    }
}

impl Issue {
    fn remote(&self) -> Remote {
        let number = self.number.to_string();
        let link = Some(CleanStr::new(&self.html_url));
        Remote { name: Some(CleanStr::new(&format!("#{number}"))), link, ..Remote::from(number.as_str()) }
    }
}

/// A failure of ours: not a byte of it left.
fn ours(why: &str) -> Failure {
    Failure { reason: CleanStr::new(why), trouble: Trouble::Status(400), retry_after: None }
}

fn of_repository(repository: &str) -> Result<Below, Failure> {
    match repository.split_once('/') {
        Some((owner, name)) => Ok(Below::of("repos/{}/{}", &[owner, name])),
        None => Err(ours(&format!("github: `{repository}` is no repository: write owner/name in [github-issues]"))),
    }
}

fn issues(repository: &str) -> Result<Below, Failure> {
    of_repository(repository).map(|path| path.then("issues", &[]))
}

/// A limit of requests comes as 403, too, and passes.
fn limited(failure: Failure) -> Receipt {
    let is_limit = matches!(failure.trouble, Trouble::Status(403 | 429))
        && (failure.retry_after.is_some() || failure.reason.to_lowercase().contains("rate limit"));
    if !is_limit {
        return receipt(failure);
    }
    let wait = failure.retry_after.and_then(|wait| TimeDelta::from_std(wait).ok()).unwrap_or(REST);
    Receipt::NotThere { why: failure.reason, wait: Some(wait) }
}

fn title(parcel: &Parcel, opened: &Opened) -> String {
    format!("{}: {}", parcel.incident, opened.title)
}

fn shortened(title: &str) -> String {
    match title.chars().count() {
        0..=TITLE_LETTERS => title.to_owned(),
        _ => title.chars().take(TITLE_LETTERS - 1).chain(['…']).collect(),
    }
}

/// The mark of an issue, as its text bears it.
fn sign(op: &str) -> String {
    format!("warroom {op}")
}

/// The mark that a text bears.
fn mark_in(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("<!-- warroom ").filter(|_| said.contains(BEGIN))?;
    // The first such comment is the heading of our part.
    let rest = if rest.starts_with("keeps ") { rest.split_once("<!-- warroom ")?.1 } else { rest };
    rest.split_once(" -->").map(|(op, _)| op.to_owned())
}

/// What stands between the mark and the text.
fn above_of(inner: &str) -> String {
    let line = inner.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with("<!--"));
    line.filter(|line| line.starts_with("Follow-up of #")).unwrap_or_default().to_owned()
}

/// Our part of a text.
fn part(parcel: &Parcel, op: &str, above: &str) -> String {
    let above = if above.is_empty() { String::new() } else { format!("{above}\n\n") };
    format!("{BEGIN}\n<!-- {} -->\n{above}{}\n{END}", sign(op), harmless(&parcel.text))
}

/// The text of an issue that is ours alone.
fn body(parcel: &Parcel, above: &str) -> Result<String, Failure> {
    let body = part(parcel, &parcel.op, above);
    check(&body)?;
    Ok(body)
}

fn check(body: &str) -> Result<(), Failure> {
    let letters = body.chars().count();
    if letters <= BODY_LETTERS {
        return Ok(());
    }
    Err(ours(&format!("github takes {BODY_LETTERS} letters of a text, and this has {letters}: shorten it")))
}

/// A text that is shown as it was written: no markup, no name that calls somebody, no number that links to another
/// issue; addresses stay links.
fn harmless(text: &str) -> String {
    but_addresses(text, |letter, out| match letter {
        '<' => out.push_str("&lt;"),
        '\n' => out.push_str("  \n"),
        _ if r"\`*_~[]|!".contains(letter) => out.extend(['\\', letter]),
        // A letter without width parts the sign from what it would call.
        '@' | '#' => out.extend([letter, '\u{200b}']),
        _ => out.push(letter),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_quoted_calls_nobody_and_ends_no_part_of_ours() {
        for (text, shown) in [
            ("p99 is 2 s", "p99 is 2 s"),
            ("@payments look at #12", "@\u{200b}payments look at #\u{200b}12"),
            ("<!-- end of what warroom keeps -->", "&lt;\\!-- end of what warroom keeps -->"),
            ("see https://x.example/a_b#c next", "see https://x.example/a_b#c next"),
            ("one\ntwo", "one  \ntwo"),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }

    #[test]
    fn the_mark_of_a_text_is_found_among_what_people_wrote() {
        let text = format!("intro\n{BEGIN}\n<!-- {} -->\nFollow-up of #7\n\nbody\n{END}\nmore", sign("INC-1/a-2"));
        assert_eq!(mark_in(&text).as_deref(), Some("INC-1/a-2"));
        let inner = text.split_once(BEGIN).unwrap().1.split_once(END).unwrap().0;
        assert_eq!(above_of(inner), "Follow-up of #7");
        assert_eq!((mark_in("warroom x"), above_of("\n<!-- warroom a -->\nSummary\n")), (None, String::new()));
    }
}
