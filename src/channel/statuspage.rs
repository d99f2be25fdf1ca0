//! Atlassian Statuspage: what customers and colleagues read.
//!
//! Hides that it has no key against doubles (a mark in the incident's metadata and a look at its updates take its place), that it takes one request a
//! second over a minute, and that resolving an incident leaves its components as they were: [`shown`] computes what they are to show.
//!
//! Invariant: mail goes to subscribers only where the delivery says so; what may be on a page is never put there again without a look; the page is read
//! right before each write, and never says better than the worst that is open.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use answers::{Component, Incident, MARK};
use shown::{Level, Question, Seen, Shown};

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Life, Means, Parts, Rehearsal, Section, Takes, key};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Tidying, Wanted, absent, call, cannot, complaint, fit,
    noted, read, removed, taken, unknown,
};
use crate::checkup::Finding;
use crate::clock;
use crate::incident::Channel as Told;
use crate::incident::{Act, PageStatus, Parcel, Publication, Receipt, Remote, Severity, Thing, Watched};
use crate::reach::STATUSPAGE;
use crate::source::below::Below;
use crate::source::http::{Failure, Limits, Site, Spelling, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod answers;
mod shown;

/// It counts requests over a minute, and takes one a second …
const PACE: Duration = Duration::from_millis(1000);
/// … of which so many may come at once: a third of the minute's share, so that other consoles have theirs.
const BURST: Duration = Duration::from_secs(20);
/// Without a word from it, the window of its limit is waited out.
const WINDOW: Duration = Duration::from_secs(60);
/// A page of a list.
const AT_ONCE: usize = 100;
/// So many pages of a list are read.
const MOST_PAGES: usize = 5;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: STATUSPAGE,
    open,
    keeps: None,
    sections: &[
        Section {
            name: "statuspage-pages",
            holds: Holds::Keys(&[
                key("internal", Takes::Id, Means::Route(Told::InternalPage)),
                key("external", Takes::Id, Means::Route(Told::ExternalPage)),
                key("notify-subscribers", Takes::Flag, Means::Preference),
            ]),
        },
        Section {
            name: "external-components",
            holds: Holds::Services(Takes::Id, Parts::Components(Told::ExternalPage)),
        },
        Section {
            name: "internal-components",
            holds: Holds::Services(Takes::Id, Parts::Components(Told::InternalPage)),
        },
    ],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal {
        keys: &[key("statuspage-component", Takes::Id, Means::Preference)],
        ..Rehearsal::of(
            Takes::Id,
            Life::Page,
            r#"# statuspage = "te5tpage"    # a page that nobody reads
# statuspage-component = "te5tc0mp"
"#,
        )
    },
};

/// Its part of the starter file.
const STARTER: &str = r#"[statuspage]
# url = "https://api.statuspage.io/v1"
# bearer-env = "STATUSPAGE_API_KEY"

[statuspage-pages]
# internal = "abc123"
# external = "def456"
# notify-subscribers = false         # true: updates of the external page are mailed to its subscribers

[external-components]
# The IDs of the external page's components, by the names of playbooks; [internal-components] for the other page.
# alipay = "c0mp0n3nt"

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks(
        "GET",
        "pages/*/components",
        "before a text: what stands there",
        "a key that may read the page",
        "statuspage:",
    ),
    asks(
        "GET",
        "pages/*/components/*",
        "after a text: what a component shows",
        "a key that may read the page",
        "statuspage:",
    ),
    asks(
        "PATCH",
        "pages/*/components/*",
        "a component goes back to what it was",
        "a component that is no group",
        "statuspage:",
    ),
    asks("GET", "pages/*/incidents", "a lost text is looked for", "a key that may read the page", "statuspage:"),
    asks(
        "GET",
        "pages/*/incidents/unresolved",
        "what else is open on the page",
        "a key that may read the page",
        "statuspage:",
    ),
    asks(
        "GET",
        "pages/*/incidents/active_maintenance",
        "maintenances of the page",
        "a key that may read the page",
        "statuspage:",
    ),
    asks(
        "GET",
        "pages/*/incidents/*",
        "what others wrote there; `link-page`",
        "a key that may read the page",
        "statuspage:",
    ),
    asks("POST", "pages/*/incidents", "the first text of a page", "a key of somebody who may publish", "statuspage:"),
    asks("PATCH", "pages/*/incidents/*", "each further text", "a key of somebody who may publish", "statuspage:"),
    asks("PUT", "pages/*/incidents/*", "each further text", "a key of somebody who may publish", "statuspage:"),
    asks(
        "DELETE",
        "pages/*/incidents/*",
        "`doctor --rehearse` cleans up",
        "a key of somebody who may publish",
        "statuspage:",
    ),
];

/// Opens it.
fn open(endpoint: &Endpoint, _: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    let site = Site::open_as(STATUSPAGE, endpoint, Limits::default(), Spelling::Word("OAuth "))?;
    Ok(Box::new(Statuspage { site, next: Mutex::new(Duration::ZERO) }))
}

#[derive(Debug)]
struct Statuspage {
    site: Site,
    /// When the turns that are taken are used up, by the clock that counts from the boot.
    next: Mutex<Duration>,
}

impl Channel for Statuspage {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            if let Act::Adopt(id) = &parcel.act {
                self.wait().await;
                let path = Below::of("pages/{}/incidents/{}", &[&parcel.target, id]);
                return match read::<Incident>(&self.site, path, &[]).await {
                    Ok(known) => {
                        let (name, link) =
                            (Some(CleanStr::new(&known.name)), known.shortlink.as_deref().map(Into::into));
                        Receipt::There(Remote { name, link, is_adopted: true, ..Remote::from(known.id.as_str()) })
                    }
                    Err(failure) => super::receipt(super::nothing_written(failure)),
                };
            }
            let Act::Publish(said) = &parcel.act else { return cannot(STATUSPAGE, parcel) };
            match self.publish(parcel, said).await {
                Ok(receipt) => receipt,
                // Nothing was written yet, so nothing is unknown.
                Err(failure) => Receipt::NotThere { why: failure.reason, wait: wait(failure.retry_after) },
            }
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            let Some(Thing::Record) = watched.thing else { return Ok(Vec::new()) };
            self.wait().await;
            let path = Below::of("pages/{}/incidents/{}", &[&watched.target, &watched.remote.id]);
            let incident: Incident = read(&self.site, path, &[]).await.map_err(|failure| failure.reason)?;
            let mut news = Vec::new();
            for update in incident.incident_updates.iter().filter(|update| !update.id.is_empty()) {
                let body = update.body.as_deref().unwrap_or_default();
                let edited = update.edited_at();
                let how = if edited.is_some() { "on the page, edited" } else { "on the page" };
                let at = edited.or(update.created_at).unwrap_or(watched.since);
                // The page does not say who wrote it.
                news.push(noted(STATUSPAGE, &update.id, "", at, &format!("{} {how}: {body}", update.status)));
            }
            if let Some((was, key)) = incident.retitled() {
                let at = incident.updated_at.unwrap_or(watched.since);
                let text =
                    format!("somebody changed the title on the page to \"{}\" (from here: \"{was}\")", incident.name);
                news.push(noted(STATUSPAGE, &key, "", at, &text));
            }
            Ok(news)
        })
    }

    fn tidy<'a>(&'a self, parcel: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        Box::pin(async move {
            self.wait().await;
            removed(&self.site, Below::of("pages/{}/incidents/{}", &[&parcel.target, &made.id])).await
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(async move {
            let mut findings = Vec::new();
            for route in wanted.reach.routes.iter().filter(|route| *route.service == *STATUSPAGE) {
                let what = format!("statuspage: {}", route.channel.name());
                let known = match self.components(&route.target).await {
                    Ok(known) => known,
                    Err(failure) => {
                        findings.push(Finding::wrong(&what, &failure.reason));
                        continue;
                    }
                };
                findings.push(Finding::fine(&what, &format!("{} components", known.len())));
                findings.extend(self.maintained(&what, &route.target).await);
                let ours = wanted.reach.components.get(&route.channel);
                for service in wanted.services {
                    let what = format!("{what}: component of {service}");
                    findings.push(match ours.and_then(|ours| ours.get(service)) {
                        Some(id) => of_component(&what, id, &known),
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
                    let path = Below::of("pages/{}/incidents/{}", &[&parcel.target, &remote.id]);
                    let incident: Result<Incident, _> = read(&self.site, path, &[]).await;
                    incident.map(|incident| has(&incident, parcel, said).then_some(incident))
                }
                None => {
                    let ours = |one: &Incident| one.is_of(parcel) && has(one, parcel, said);
                    self.all(parcel).await.map(|all| all.into_iter().find(ours))
                }
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
    /// Waits for the next turn that the page's limit leaves.
    async fn wait(&self) {
        let pause = {
            let mut next = self.next.lock().await;
            let (pause, then) = turn(*next, clock::boot());
            *next = then;
            pause
        };
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    /// Looks at the page, computes what it is to show, and writes; a failure is one of before anything was written.
    async fn publish(&self, parcel: &Parcel, said: &Publication) -> Result<Receipt, Failure> {
        let page = &parcel.target;
        let maintenances = self.maintenances(page).await?;
        let (components, unresolved) = (self.components(page).await?, self.unresolved(page).await?);
        let seen = Seen { components, unresolved, maintenances };
        let own = match self.own(parcel, said, &seen.unresolved).await? {
            Ok(own) => own,
            Err(Question { why, ways }) => return Ok(Receipt::Asks { why, ways }),
        };
        let shown = match shown::shown(parcel, said, own.as_ref(), &seen) {
            Ok(shown) => shown,
            Err(Question { why, ways }) => return Ok(Receipt::Asks { why, ways }),
        };
        let said = Said::new(parcel, said);
        let mut receipt = None;
        let mut own = own;
        // What is there of it from a try that nobody heard of is not told again.
        let there = own.as_ref().map_or(0, |own| own.pieces_of(&parcel.op));
        for place in there..said.pieces.len() {
            let (method, path) = match &own {
                Some(own) => (Method::PATCH, Below::of("pages/{}/incidents/{}", &[page, &own.id])),
                None => (Method::POST, Below::of("pages/{}/incidents", &[page])),
            };
            self.wait().await;
            let answer = match call(&self.site, method, path, Some(&said.body(parcel, &shown, place))).await {
                Ok(answer) => answer,
                Err(failure) => {
                    receipt = Some(super::receipt(failure));
                    break;
                }
            };
            if matches!(answer.status, 420 | 429) {
                let failure = complaint(&self.site, &answer);
                let wait = wait(failure.retry_after.or(Some(WINDOW)));
                receipt = Some(Receipt::NotThere { why: failure.reason, wait });
                break;
            }
            match taken::<Incident>(&self.site, answer).await {
                Ok(incident) => own = Some(incident),
                Err(failure) => {
                    receipt = Some(super::receipt(failure));
                    break;
                }
            }
        }
        Ok(match (receipt, own) {
            (Some(receipt), _) => receipt,
            (None, Some(incident)) => {
                self.correct(page, &incident.id, &shown).await;
                Receipt::There(incident.into())
            }
            (None, None) => Receipt::Unknown("statuspage did not name the incident".into()),
        })
    }

    /// Our incident on the page; what others did with it there is met before anything is written.
    async fn own(
        &self,
        parcel: &Parcel,
        said: &Publication,
        unresolved: &[Incident],
    ) -> Result<Result<Option<Incident>, Question>, Failure> {
        // It may be there from a try that nobody heard of.
        let by_mark = || unresolved.iter().find(|one| one.is_of(parcel)).cloned();
        let Some(made) = &parcel.made else { return Ok(Ok(by_mark())) };
        let is_chosen = |choice: &str| parcel.choices.iter().any(|taken| **taken == *choice);
        let anew = format!("page/{}/{}/anew", parcel.target, made.id);
        if is_chosen(&anew) {
            return Ok(Ok(by_mark()));
        }
        self.wait().await;
        let path = Below::of("pages/{}/incidents/{}", &[&parcel.target, &made.id]);
        let found: Incident = match read(&self.site, path, &[]).await {
            Ok(found) => found,
            Err(failure) if failure.trouble == Trouble::Status(404) => {
                let ways = [("send it as a new incident on the page".to_owned(), anew)];
                return Ok(Err(Question::new("the page's incident was deleted there", &ways)));
            }
            Err(failure) => return Err(failure),
        };
        let is_the_end = said.status == PageStatus::Resolved && found.status == "resolved";
        if !found.is_over() || found.is_as_left() || is_the_end {
            return Ok(Ok(Some(found)));
        }
        let newest = found.incident_updates.first().map(|update| update.id.as_str()).unwrap_or_default();
        let again = format!("page/{}/{}/again/{newest}", parcel.target, made.id);
        if is_chosen(&again) {
            return Ok(Ok(Some(found)));
        }
        let what = if found.status == "postmortem" { "resolved there, with a postmortem" } else { "resolved there" };
        let ways = [
            ("send it as a new incident on the page".to_owned(), anew),
            (format!("send it: the page's incident is {} again", answers::word(said.status)), again),
        ];
        Ok(Err(Question::new(&format!("somebody has {what}, by hand, what this text is about"), &ways)))
    }

    /// What was published by somebody else in the same moment counts too: what is too good by now is put right without a word to readers.
    async fn correct(&self, page: &str, own: &str, shown: &Shown) {
        let Ok(unresolved) = self.unresolved(page).await else { return };
        for (id, level) in shown::too_good(shown, own, &unresolved) {
            self.wait().await;
            let body = json!({ "component": { "status": level.word() } });
            let put =
                call(&self.site, Method::PATCH, Below::of("pages/{}/components/{}", &[page, &id]), Some(&body)).await;
            if let Err(failure) = put {
                tracing::warn!("{id} of page {page} shows better than what is open: {}", failure.reason);
            }
        }
    }

    async fn components(&self, page: &str) -> Result<Vec<Component>, Failure> {
        self.list(Below::of("pages/{}/components", &[page]), "per_page").await
    }

    /// What is being done by plan; a page that has no such list has none.
    async fn maintenances(&self, page: &str) -> Result<Vec<Incident>, Failure> {
        match self.list(Below::of("pages/{}/incidents/active_maintenance", &[page]), "per_page").await {
            Err(failure) if failure.trouble == Trouble::Status(404) => Ok(Vec::new()),
            other => other,
        }
    }

    async fn maintained(&self, what: &str, page: &str) -> Vec<Finding> {
        let what = format!("{what}: maintenance");
        match self.maintenances(page).await {
            Ok(all) => all.iter().map(|one| Finding::doubtful(&what, &format!("{} is being done", one.name))).collect(),
            Err(failure) => vec![Finding::wrong(&what, &failure.reason)],
        }
    }

    async fn unresolved(&self, page: &str) -> Result<Vec<Incident>, Failure> {
        self.list(Below::of("pages/{}/incidents/unresolved", &[page]), "per_page").await
    }

    /// Resolved ones too: a text that was the last one may have arrived.
    async fn all(&self, parcel: &Parcel) -> Result<Vec<Incident>, Failure> {
        self.list(Below::of("pages/{}/incidents", &[&parcel.target]), "limit").await
    }

    /// A whole list; `size` is what the number of entries of a page is called there.
    async fn list<T: DeserializeOwned + Send + 'static>(&self, path: Below, size: &str) -> Result<Vec<T>, Failure> {
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            self.wait().await;
            let (page, limit) = (page.to_string(), AT_ONCE.to_string());
            let part: Vec<T> = read(&self.site, path.clone(), &[("page", &page), (size, &limit)]).await?;
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
    if incident.mark("op").is_some() {
        return incident.pieces_of(&parcel.op) >= Said::new(parcel, said).pieces.len();
    }
    let newest = incident.incident_updates.first();
    newest.is_some_and(|update| {
        update.body.as_deref() == Some(&*parcel.text) && update.status == answers::word(said.status)
    })
}

fn wait(pause: Option<Duration>) -> Option<chrono::TimeDelta> {
    pause.and_then(|pause| chrono::TimeDelta::from_std(pause).ok())
}

/// How long to wait, and when the turn after that is: a minute's share may be used at once, and after that one a second.
fn turn(next: Duration, now: Duration) -> (Duration, Duration) {
    let next = next.max(now);
    (next.saturating_sub(now + BURST), next + PACE)
}

fn of_component(what: &str, id: &str, known: &[Component]) -> Finding {
    match known.iter().find(|one| one.id == id) {
        Some(part) if part.group => {
            Finding::wrong(what, &format!("{id} is a group, and only its parts can be set: name one of them"))
        }
        Some(part) => match Level::of(&part.status) {
            Some(Level::Operational) | None => Finding::fine(what, id),
            Some(level) => {
                Finding::doubtful(what, &format!("{id} shows {} now: that is put back at the end", level.word()))
            }
        },
        None => Finding::wrong(what, &format!("the page has no component {id}: correct it in the configuration")),
    }
}

/// What readers are told, in as many updates as its length takes.
struct Said<'a> {
    said: &'a Publication,
    name: String,
    pieces: Vec<String>,
}

impl<'a> Said<'a> {
    fn new(parcel: &Parcel, said: &'a Publication) -> Self {
        let (name, whole) = fit::title(&said.title, fit::PAGE_NAME);
        let text = fit::body(whole.as_deref(), &parcel.text);
        let pieces = fit::pieces(&text, fit::PAGE_BODY.letters, fit::plain);
        Self { said, name, pieces: pieces.into_iter().map(str::to_owned).collect() }
    }

    fn body(&self, parcel: &Parcel, shown: &Shown, place: usize) -> Value {
        let impact = match self.said.severity {
            Severity::Sev0 => "critical",
            Severity::Sev1 => "major",
            Severity::Sev2 => "minor",
            Severity::Sev3 => "none",
        };
        let words = |levels: &BTreeMap<String, Level>| -> Map<String, Value> {
            levels.iter().map(|(id, level)| (id.clone(), json!(level.word()))).collect()
        };
        let ids: BTreeSet<&String> = shown.set.keys().chain(shown.claims.keys()).collect();
        let mut mark = json!({
            "op": parcel.op,
            "incident": parcel.incident.to_string(),
            "record": parcel.record,
            "status": answers::word(self.said.status),
            "name": self.name,
            "claims": words(&shown.claims),
            "before": words(&shown.before),
        });
        if self.pieces.len() > 1 {
            mark["pieces"] = json!(place + 1);
        }
        json!({ "incident": {
            "name": self.name,
            "status": answers::word(self.said.status),
            "impact_override": impact,
            "body": self.pieces[place],
            "component_ids": ids,
            "components": words(&shown.set),
            "deliver_notifications": self.said.notifies,
            "metadata": { MARK: mark },
        } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_s_share_goes_at_once_and_then_one_a_second() {
        let (mut next, now) = (Duration::ZERO, Duration::from_secs(1000));
        let mut pauses = Vec::new();
        for _ in 0..24 {
            let (pause, then) = turn(next, now);
            pauses.push(pause.as_secs());
            next = then;
        }
        assert_eq!(pauses[..21], [0; 21]);
        assert_eq!(pauses[21..], [1, 2, 3]);
        assert_eq!(turn(next, now + Duration::from_secs(60)).0, Duration::ZERO);
    }
}
