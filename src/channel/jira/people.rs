//! Who does a follow-up, and who moved a ticket.
//!
//! Hides that Cloud knows people by an account's ID and Data Center by a name, and that addresses may be hidden.
//!
//! Invariant: nobody is guessed: a ticket goes to somebody only where one person answers to the address.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};

use super::answers::{Change, Issue, Myself, User};
use super::{Edition, Jira, api, without_what_no_screen_has};
use crate::channel::{call, noted, nothing_written, silent};
use crate::clock;
use crate::incident::ended::{back_key, over_key};
use crate::incident::{News, Parcel, Receipt, Remote, Thing, Watched};
use crate::reach::JIRA;
use crate::source::http::{Failure, Trouble};
use crate::text::CleanStr;

impl Jira {
    /// Puts a follow-up's owner and day into its ticket's fields, where they are known there.
    pub(super) async fn assign(&self, edition: Edition, parcel: &Parcel, fields: &mut Value) -> Result<(), Failure> {
        if let Some(due) = parcel.attached.due.filter(|_| !self.fields.contains_key("duedate")) {
            fields["duedate"] = json!(due.format("%F").to_string());
        }
        let mail = parcel.attached.owner.as_ref().and_then(|owner| owner.mail.as_deref());
        let Some(mail) = mail.filter(|_| !self.fields.contains_key("assignee")) else { return Ok(()) };
        if let Some(user) = self.user(edition, mail).await.map_err(nothing_written)? {
            fields["assignee"] = match (user.account_id, user.name) {
                (Some(id), _) => json!({ "accountId": id }),
                (None, name) => json!({ "name": name }),
            };
        }
        Ok(())
    }

    /// Gives a follow-up's ticket the owner and the day that it has now, and says so in a comment: whoever is not known there is named by that alone. What
    /// others wrote into its description stays.
    pub(super) async fn reassigned(
        &self,
        edition: Edition,
        parcel: &Parcel,
        about: &Remote,
    ) -> Result<Receipt, Failure> {
        let mut fields = json!({});
        self.assign(edition, parcel, &mut fields).await?;
        let mut left_out = Vec::new();
        while fields.as_object().is_some_and(|fields| !fields.is_empty()) {
            let path = api(edition).then("issue/{}", &[&about.id]);
            let answer = call(&self.site, Method::PUT, path, Some(&json!({ "fields": fields }))).await?;
            let without = without_what_no_screen_has(&answer, &mut fields);
            if without.is_empty() {
                silent(&self.site, &answer)?;
                break;
            }
            left_out.extend(without);
        }
        let told = match self.has_comment(edition, parcel, about).await.map_err(nothing_written)? {
            Some(about) => Receipt::There(about),
            None => self.comment(edition, parcel, about).await?,
        };
        Ok(match (told, left_out.is_empty()) {
            (Receipt::There(about), false) => {
                let why =
                    format!("{}, in a comment, without {} (not on its screen)", about.called(), left_out.join(" and "));
                Receipt::There(Remote { name: Some(CleanStr::new(&why)), ..about })
            }
            (told, _) => told,
        })
    }

    /// The one who answers to an address.
    async fn user(&self, edition: Edition, mail: &str) -> Result<Option<User>, Failure> {
        let key = match edition {
            Edition::Cloud => "query",
            Edition::DataCenter => "username",
        };
        let query = [(key, mail), ("maxResults", "5")];
        let found: Vec<User> = match self.get(api(edition).then("user/search", &[]), &query).await {
            Ok(found) => found,
            // Who may not look for people leaves the ticket to whoever reads its text, which names them.
            Err(failure) if matches!(failure.trouble, Trouble::Status(400..=499)) => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let is_theirs = |user: &&User| user.email_address.as_deref().is_some_and(|one| one.eq_ignore_ascii_case(mail));
        Ok(match (found.iter().find(is_theirs), found.as_slice()) {
            (Some(user), _) => Some(user.clone()),
            (None, [only]) if only.email_address.as_deref().is_none_or(str::is_empty) => Some(only.clone()),
            (None, _) => None,
        })
    }

    /// Whether others moved a ticket, each time that they did, and the follow-up that is done with it.
    pub(super) async fn moved(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let edition = self.edition().await?;
        let key = &watched.remote.id;
        let query = [("fields", "status"), ("expand", "changelog")];
        let issue: Issue = self.get(api(edition).then("issue/{}", &[key]), &query).await?;
        let Some(status) = issue.fields.status else { return Ok(Vec::new()) };
        let is_done = status.status_category.key == "done";
        let me = self.myself(edition).await;
        let is_ours = |change: &Change| me.is_some() && change.author.as_ref().and_then(known_as) == me;
        let mut news = Vec::new();
        for change in &issue.changelog.histories {
            let Some(to) = change.items.iter().find(|item| item.field == "status").map(|item| &item.to_string) else {
                continue;
            };
            if is_ours(change) {
                continue;
            }
            let who = change.author.as_ref().map(|user| user.display_name.as_str()).unwrap_or_default();
            let at = at(&change.created).unwrap_or_else(clock::wall);
            news.push(noted(JIRA, &format!("{key}/{}", change.id), who, at, &format!("{key} is {to} now")));
        }
        // As it was made: no news. A Jira that tells no changes tells where the ticket stands.
        if news.is_empty() && issue.changelog.histories.is_empty() && status.status_category.key != "new" {
            let text = format!("{key} is {} now", if status.name.is_empty() { "done" } else { &status.name });
            news.push(noted(JIRA, &format!("{key}/{}", status.name), "", clock::wall(), &text));
        }
        news.extend(end_of(&issue.changelog.histories, is_done, watched));
        for one in &mut news {
            one.noted.link = watched.remote.link.clone();
        }
        if let (Some(Thing::Ticket(item)), true, Some(last)) = (watched.thing, is_done, news.last_mut()) {
            last.closes = Some(item);
        }
        // Who does not know its own name would take its own titles for somebody else's.
        for change in issue.changelog.histories.iter().filter(|change| me.is_some() && !is_ours(change)) {
            let Some(item) = change.items.iter().find(|item| item.field == "summary") else { continue };
            let who = change.author.as_ref().map(|user| user.display_name.as_str()).unwrap_or_default();
            let at = at(&change.created).unwrap_or_else(clock::wall);
            let text = format!("{key} is called \"{}\" now", item.to_string);
            let mut called = noted(JIRA, &format!("{key}/{}/title", change.id), who, at, &text);
            called.noted.link = watched.remote.link.clone();
            news.push(called);
        }
        Ok(news)
    }

    /// By what it knows us; where it does not say, nothing is taken for ours.
    async fn myself(&self, edition: Edition) -> Option<String> {
        let ask = async {
            let me: Myself = self.get(api(edition).then("myself", &[]), &[]).await?;
            Ok::<_, Failure>(me.account_id.or(me.name))
        };
        self.me.get_or_try_init(|| ask).await.ok().cloned().flatten()
    }
}

fn known_as(user: &User) -> Option<String> {
    user.account_id.clone().or_else(|| user.name.clone())
}

/// That our ticket is done while we go on, or that such an end was taken back.
fn end_of(changes: &[Change], is_done: bool, watched: &Watched) -> Option<News> {
    let key = &watched.remote.id;
    if watched.thing != Some(Thing::Record) {
        return None;
    }
    // Nothing but a move is an end; what comes first in the list differs between Cloud and Data Center.
    let moves = changes.iter().filter(|change| change.items.iter().any(|item| item.field == "status"));
    let last = moves.max_by_key(|change| at(&change.created));
    match (&watched.over, is_done) {
        (Some(over), false) => {
            Some(noted(JIRA, &back_key(key, over), "", clock::wall(), &format!("{key} is open there again")))
        }
        (_, true) if watched.is_live => {
            let stamp = last.map_or("done", |change| change.id.as_str());
            let at = last.and_then(|change| at(&change.created)).unwrap_or_else(clock::wall);
            let text = format!("{key} is done there, and this incident is not over: `outbox` opens it again");
            Some(noted(JIRA, &over_key(key, stamp, None), "", at, &text))
        }
        (_, _) => None,
    }
}

/// A time as Jira writes it.
fn at(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    at.ok().map(|at| at.with_timezone(&Utc))
}
