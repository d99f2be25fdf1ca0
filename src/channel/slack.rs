//! Slack: messages to channels.
//!
//! Hides that Slack answers 200 to what it refuses, that it has no key against doubles (a mark in the message's metadata and a look at the channel's
//! history take its place), and how foreign text is kept from pinging a whole company.
//!
//! Invariant: the token stands in the header alone; `&`, `<` and `>` of the text are escaped, so that no mention or link is made of it; before a text
//! leaves it is known who reads it ([`audience`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use answers::{Done, Refusal};
use audience::Readers;
use rooms::Seen;

use super::calls::{Call, asks};
use super::spec::{ChannelSpec, Holds, Life, Means, Rehearsal, Section, Takes, key};
use super::{
    Answering, Channel, Examining, SystemSettings, Telling, Tidied, Tidying, Wanted, absent, cannot, fit, receipt,
    without,
};
use crate::incident::Channel as Told;
use crate::incident::{Act, Handle, Parcel, Receipt, Remote, Thing, Watched};
use crate::reach::SLACK;
use crate::source::http::{Answer, Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod answers;
mod audience;
mod blocks;
mod examine;
mod kept;
mod messages;
mod refusals;
mod rooms;
mod workspace;

/// With this reaction a message becomes a line of the timeline, as with a pin.
const PUSHPIN: &str = "pushpin";
/// So many pages of a list are read.
const MOST_PAGES: usize = 10;

/// What it is.
pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: SLACK,
    open,
    keeps: None,
    sections: &[Section {
        name: "slack-channels",
        holds: Holds::Keys(&[
            key("incident", Takes::SlackChannel, Means::Route(Told::IncidentChannel)),
            key("status", Takes::SlackChannel, Means::Route(Told::StatusSlack)),
            key("prefix", Takes::Text, Means::Option),
            key("private", Takes::Flag, Means::Preference),
            key("workspace", Takes::Id, Means::Option),
        ]),
    }],
    starter: STARTER,
    calls: CALLS,
    rehearsal: Rehearsal {
        keys: &[key("slack-rooms", Takes::Flag, Means::Preference)],
        ..Rehearsal::of(
            Takes::Id,
            Life::Chat,
            r#"# slack = "C0000TEST1"       # a channel
# slack-rooms = false        # true: channels of incidents are opened, and archived
"#,
        )
    },
};

/// Its part of the starter file.
const STARTER: &str = r#"[slack]
# Approved updates go out by themselves where this says so; without it they are told by hand.
# url = "https://slack.com/api"
# bearer-env = "SLACK_BOT_TOKEN"     # or: bearer-file, bearer-command; it needs chat:write and channels:history
# and the other keys of [prometheus]

[slack-channels]
# The IDs of channels, as the end of their details in Slack shows them.
# incident = "C0123456789"           # one channel for all incidents, where they have none of their own
# status = "C9876543210"             # #status-qrpay
# prefix = "inc-"                    # each incident has a channel of its own: inc-4711
# private = false
# workspace = "T0123456789"          # of an organisation (Enterprise Grid): the workspace incidents are in; doctor lists them

"#;

/// What an incident asks of it.
const CALLS: &[Call] = &[
    asks(
        "*",
        "conversations.info",
        "before a text: who reads the channel",
        "`channels:read`, of private ones `groups:read`",
        "slack: scope",
    ),
    asks("*", "conversations.members", "before a text: guests", "`channels:read` or `groups:read`", "slack: scope"),
    asks("*", "users.list", "before a text: guests", "`users:read`", "slack: scope users:read"),
    asks("*", "users.info", "names of people whose messages are noted", "`users:read`", "slack: scope users:read"),
    asks(
        "*",
        "chat.postMessage",
        "updates, the pinned message",
        "`chat:write`, and membership or `chat:write.public`",
        "slack: scope chat:write",
    ),
    asks("*", "chat.update", "the pinned message follows", "`chat:write`", "slack: scope chat:write"),
    asks(
        "*",
        "conversations.history",
        "a lost text is looked for; pinned and marked messages",
        "`channels:history`, of private ones `groups:history`",
        "slack: scope",
    ),
    asks(
        "*",
        "conversations.replies",
        "a lost text of a thread is looked for",
        "`channels:history`, of private ones `groups:history`",
        "slack: scope",
    ),
    asks("*", "chat.getPermalink", "links to messages", "membership", "slack: token"),
    asks(
        "*",
        "conversations.list",
        "the incident's channel is looked for; `link-channel`",
        "`channels:read`, of private ones `groups:read`",
        "slack: scope",
    ),
    asks(
        "*",
        "conversations.create",
        "`open-channel`",
        "`channels:manage`, of private ones `groups:write`; of an organisation's token `workspace` in [slack-channels]",
        "slack: scope",
    ),
    asks(
        "*",
        "conversations.join",
        "the channel that PagerDuty opened; `link-channel`",
        "`channels:join`",
        "slack: scope channels:join",
    ),
    asks("*", "conversations.setTopic", "the topic follows", "`channels:manage` or `groups:write`", "slack: scope"),
    asks("*", "conversations.setPurpose", "`open-channel`", "`channels:manage` or `groups:write`", "slack: scope"),
    asks("*", "conversations.invite", "who has a role", "`channels:manage` or `groups:write`", "slack: scope"),
    asks("*", "users.lookupByEmail", "who has a role", "`users:read.email`", "slack: scope users:read.email"),
    asks("*", "pins.add", "the pinned message", "`pins:write`", "slack: scope pins:write"),
    asks("*", "pins.list", "pinned messages become lines", "`pins:read`", "slack: scope"),
    asks("*", "auth.test", "who the app is", "a token that holds", "slack: token"),
    asks("*", "chat.delete", "`doctor --rehearse` cleans up", "`chat:write`", "slack: scope chat:write"),
    asks(
        "*",
        "conversations.archive",
        "`doctor --rehearse` cleans up",
        "`channels:manage` or `groups:write`",
        "slack: scope",
    ),
];

/// Opens the channel of an endpoint.
fn open(endpoint: &Endpoint, settings: &SystemSettings) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Slack {
        site: Site::open(SLACK, endpoint, Limits::default())?,
        wants_private: settings.is_on("slack-channels.private"),
        workspace: settings.text("slack-channels.workspace").cloned(),
        seen: Mutex::default(),
        links: Mutex::default(),
        names: Mutex::default(),
        older: Mutex::default(),
        rooms: Mutex::default(),
        guests: Mutex::default(),
    }))
}

/// When something was looked at, by the clock that counts from the boot, and what was seen.
type Looked<T> = Option<(Duration, T)>;

#[derive(Debug)]
struct Slack {
    site: Site,
    /// Incidents' own channels are for those who are invited only.
    wants_private: bool,
    /// The workspace that is meant, of a token that has many.
    workspace: Option<CleanStr>,
    /// Who reads each channel, by ID.
    seen: Mutex<BTreeMap<String, Readers>>,
    /// Where messages are read, by channel and message: that never changes.
    links: Mutex<BTreeMap<(String, String), CleanStr>>,
    /// What people are called, by ID.
    names: Mutex<BTreeMap<String, String>>,
    /// How far channels' older messages were looked over.
    older: Mutex<kept::Older>,
    /// The channels of the workspace, as far as they were listed.
    rooms: Mutex<rooms::Listing>,
    /// The guests of the workspace, by ID.
    guests: Mutex<Looked<Arc<BTreeMap<String, String>>>>,
}

impl Channel for Slack {
    fn site(&self) -> &Site {
        &self.site
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move { self.handed_over(parcel).await.unwrap_or_else(receipt) })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            let Some(Thing::Room) = watched.thing else { return Ok(Vec::new()) };
            self.kept(watched).await.map_err(|failure| failure.reason)
        })
    }

    fn tidy<'a>(&'a self, parcel: &'a Parcel, made: &'a Remote) -> Tidying<'a> {
        Box::pin(async move {
            let (method, body, how) = match &parcel.act {
                Act::OpenRoom { .. } => ("conversations.archive", json!({ "channel": made.id }), "was archived"),
                _ => ("chat.delete", json!({ "channel": parcel.target, "ts": made.id }), "was deleted"),
            };
            match self.post::<Done>(method, &body).await {
                Ok(Ok(_)) => Ok(Tidied::Removed(how)),
                Ok(Err(no)) => Err(self.refused(&no).reason),
                Err(failure) => Err(failure.reason),
            }
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(self.examined(wanted))
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            match (&parcel.act, &parcel.about) {
                (Act::Post, about) => {
                    self.history(parcel, about.as_ref().map_or(&parcel.target, |room| &room.id)).await
                }
                (Act::Pin, Some(room)) if parcel.made.is_none() => match self.history(parcel, &room.id).await {
                    Receipt::There(message) => {
                        self.to_the_top(room, message).await.unwrap_or_else(|failure| Receipt::Unknown(failure.reason))
                    }
                    other => other,
                },
                (Act::OpenRoom { is_private, since, is_own_name }, _) => {
                    self.opened(parcel, *is_private, Some(*since).filter(|_| !is_own_name)).await
                }
                (Act::FindRoom { since }, _) => match self.found(parcel, *since).await {
                    Ok(Seen::There(room)) => Receipt::There(room.into()),
                    Ok(Seen::Nowhere) => absent(SLACK),
                    Ok(Seen::Later) => {
                        Receipt::Unknown("slack has many channels: it is looked for among the rest soon".into())
                    }
                    Err(failure) => Receipt::Unknown(failure.reason),
                },
                // Done twice it is as done once; and nothing there says that a channel which others opened is ours.
                _ => absent(SLACK),
            }
        })
    }
}

impl Slack {
    async fn handed_over(&self, parcel: &Parcel) -> Result<Receipt, Failure> {
        let room = parcel.about.as_ref();
        if matches!(parcel.act, Act::Post | Act::Topic | Act::Pin) {
            let channel = room.map_or(&parcel.target, |room| &room.id);
            if let Some(question) = self.question(parcel, channel, self.wants_private && room.is_some()).await? {
                return Ok(question);
            }
        }
        match (&parcel.act, room) {
            (Act::Post, about) => self.message(parcel, about.map_or(&parcel.target, |room| &room.id)).await,
            (Act::FindRoom { since }, _) => self.find(parcel, *since).await,
            (Act::OpenRoom { is_private, since, is_own_name }, _) => {
                self.create(parcel, *is_private, Some(*since).filter(|_| !is_own_name)).await
            }
            (Act::AdoptRoom { name, is_private }, _) => self.adopted(parcel, name, *is_private).await,
            (Act::Topic, Some(room)) => {
                let body = json!({ "channel": room.id, "topic": topic(parcel.text.first_line()) });
                Ok(match self.post::<Done>("conversations.setTopic", &body).await? {
                    Ok(_) => Receipt::There(room.clone()),
                    Err(no) => self.refusal_in(&no, Some(room)),
                })
            }
            (Act::Invite(people), Some(room)) => self.invite(people, room).await,
            (Act::Pin, Some(room)) => self.pin(parcel, room).await,
            (Act::Topic | Act::Invite(_) | Act::Pin, None) => Ok(without(SLACK, parcel)),
            _ => Ok(cannot(SLACK, parcel)),
        }
    }

    /// Something that changes the workspace.
    async fn post<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &'static str,
        body: &Value,
    ) -> Result<Result<T, Refusal>, Failure> {
        self.site.may_write().await?;
        let answer = self.asked(method, body).await?;
        self.read(answer).await
    }

    async fn asked(&self, method: &'static str, body: &Value) -> Result<Answer, Failure> {
        let request = self
            .site
            .request(Method::POST, method)?
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .body(body.to_string());
        self.site.ask(request.send()).await
    }

    async fn get<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &'static str,
        query: &[(&str, &str)],
    ) -> Result<Result<T, Refusal>, Failure> {
        let query = query.iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>();
        let answer = self.site.ask(self.site.get(method)?.query(&query).send()).await?;
        self.read(answer).await
    }

    /// The same, where a refusal is a failure like another.
    async fn said<T: DeserializeOwned + Send + 'static>(
        &self,
        method: &'static str,
        query: &[(&str, &str)],
    ) -> Result<T, Failure> {
        self.get(method, query).await?.map_err(|no| self.refused(&no))
    }

    async fn read<T: DeserializeOwned + Send + 'static>(&self, answer: Answer) -> Result<Result<T, Refusal>, Failure> {
        if !answer.is_success() {
            return Err(self.site.complaint(&answer));
        }
        self.site.parse(answer, answers::read).await
    }

    /// That a question was refused.
    fn refused(&self, no: &Refusal) -> Failure {
        let (reason, pause) = match self.refusal(no) {
            Receipt::Refused(why) | Receipt::Unknown(why) | Receipt::Asks { why, .. } => (why, None),
            Receipt::NotThere { why, wait } => (why, wait.and_then(|wait| wait.to_std().ok())),
            Receipt::NotYet { why, .. } => (why, None),
            Receipt::There(_) => (CleanStr::default(), None),
        };
        let trouble = if pause.is_some() { Trouble::Status(429) } else { Trouble::Status(400) };
        Failure { reason, trouble, retry_after: pause }
    }

    /// What a refusal means, and what helps.
    fn refusal(&self, no: &Refusal) -> Receipt {
        refusals::meaning(self.site.label(), &self.masked(no), "")
    }

    /// The same, of something in the incident's own channel, which stands in no configuration.
    fn refusal_in(&self, no: &Refusal, room: Option<&Remote>) -> Receipt {
        let archived = room.map(|room| {
            format!(
                "somebody archived #{}: `open-channel` opens another one, `link-channel NAME` takes one that is there, or \
                 unarchive it and try again",
                room.called()
            )
        });
        refusals::meaning(self.site.label(), &self.masked(no), &archived.unwrap_or_default())
    }

    /// A moment of ours by Slack's clock, as far as its answers have said what that shows.
    fn theirs(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at.checked_sub_signed(self.site.ahead().unwrap_or_default()).unwrap_or(at)
    }

    fn masked(&self, no: &Refusal) -> Refusal {
        Refusal { error: self.site.echo(&no.error), ..no.clone() }
    }
}

/// A topic of a length that Slack takes, counted as it is written there.
fn topic(text: &str) -> String {
    let units = |text: &str| fit::plain(&escaped(text));
    let limit = fit::SLACK_TOPIC.letters;
    if units(text) <= limit {
        return escaped(text);
    }
    format!("{}…", escaped(fit::pieces(text, limit - 1, units)[0].trim_end()))
}

/// Text as Slack shows it: nothing in it is a mention, a link or a command.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(letter),
        }
    }
    out
}

/// How somebody is named so that they are told; absent where nobody knows their ID.
fn mention(name: &str, people: &[Handle]) -> Option<String> {
    let is_theirs = |handle: &&Handle| handle.names.iter().any(|known| known.to_lowercase() == name.to_lowercase());
    people.iter().find(is_theirs).map(|handle| format!("<@{}>", handle.id))
}

/// A text of ours: `@Leila Sadeghi` of the configuration is told, all else is text.
fn said(text: &str, people: &[Handle]) -> String {
    let mut names: Vec<(&str, &Handle)> =
        people.iter().flat_map(|handle| handle.names.iter().map(move |name| (name.as_str(), handle))).collect();
    // `@Leila Sadeghi` is not `@Leila`.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = (&rest[..at], &rest[at + 1..]);
        out.push_str(&escaped(before));
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
        let is_begin = !before.ends_with(is_word);
        let named = names.iter().filter(|_| is_begin).find(|(name, _)| {
            let head = after.get(..name.len()).unwrap_or_default();
            let ends =
                after.get(name.len()..).is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric()));
            head.to_lowercase() == name.to_lowercase() && ends
        });
        match named {
            Some((name, handle)) => {
                out.push_str(&format!("<@{}>", handle.id));
                rest = &after[name.len()..];
            }
            None => {
                out.push('@');
                rest = after;
            }
        }
    }
    out.push_str(&escaped(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_people_of_the_configuration_are_told_and_a_topic_fits_as_it_is_written() {
        let people = [Handle { names: vec!["Leila Sadeghi".into(), "leila".into()], id: "U0LEILA001".into() }];
        for (text, expected) in [
            ("@Leila Sadeghi takes it", "<@U0LEILA001> takes it"),
            ("ask @LEILA, and @bob", "ask <@U0LEILA001>, and @bob"),
            ("leila@qr.example and @leilani", "leila@qr.example and @leilani"),
            ("<@U9> <!channel> @here", "&lt;@U9&gt; &lt;!channel&gt; @here"),
        ] {
            assert_eq!(said(text, &people), expected);
        }
        assert_eq!(topic("SEV1 · a & b <!here>"), "SEV1 · a &amp; b &lt;!here&gt;");
        let long = topic(&"a & b ".repeat(100));
        assert!(fit::plain(&long) <= 250 && long.ends_with('…') && !long.ends_with("&a…"), "{long}");
    }
}
