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

use chrono::TimeDelta;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use answers::{Done, History, MARK, Permalink, Posted, Refusal};
use audience::Readers;

use super::{Answering, Channel, Examining, Options, Telling, Wanted, absent, cannot, noted, receipt, without};
use crate::incident::{Act, News, Parcel, Receipt, Remote, Thing, Watched};
use crate::reach::SLACK;
use crate::source::http::{Answer, Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

mod answers;
mod audience;
mod examine;
mod refusals;
mod rooms;

/// Clocks differ: a message is looked for from so long before it was sent.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
/// With this reaction a message becomes a line of the timeline, as with a pin.
const PUSHPIN: &str = "pushpin";
/// So many pages of a list are read.
const MOST_PAGES: usize = 10;

/// Opens the channel of an endpoint.
pub(super) fn open(endpoint: &Endpoint, options: &Options) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Slack {
        site: Site::open(SLACK, endpoint, Limits::default())?,
        wants_private: options.private_rooms,
        seen: Mutex::default(),
        links: Mutex::default(),
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
    /// Who reads each channel, by ID.
    seen: Mutex<BTreeMap<String, Readers>>,
    /// Where messages are read, by channel and message: that never changes.
    links: Mutex<BTreeMap<(String, String), CleanStr>>,
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
                // Done twice it is as done once.
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
            (Act::Topic, Some(room)) => {
                let topic: String = parcel.text.first_line().chars().take(250).collect();
                let body = json!({ "channel": room.id, "topic": topic });
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

    /// The messages that somebody pinned or marked with a pushpin.
    async fn kept(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let oldest = watched.since.timestamp().to_string();
        let query = [
            ("channel", watched.remote.id.as_str()),
            ("oldest", &oldest),
            ("include_all_metadata", "true"),
            ("limit", "200"),
        ];
        let history: History = self.said("conversations.history", &query).await?;
        let mut news = Vec::new();
        for message in history.messages.iter().filter(|message| !message.is_ours()) {
            let is_marked = message.reactions.iter().any(|reaction| reaction.name == PUSHPIN);
            if !is_marked && message.pinned_to.is_empty() {
                continue;
            }
            let seconds = message.ts.split('.').next().and_then(|seconds| seconds.parse().ok());
            let at = seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0)).unwrap_or(watched.since);
            let key = format!("{}/{}", watched.remote.id, message.ts);
            let who = if message.user.is_empty() { &message.username } else { &message.user };
            let mut kept = noted(SLACK, &key, who, at, &unescaped(&message.words()));
            kept.noted.link = self.link(&watched.remote.id, &message.ts).await?;
            news.push(kept);
        }
        Ok(news)
    }

    /// Where a person reads a message.
    async fn link(&self, channel: &str, ts: &str) -> Result<Option<CleanStr>, Failure> {
        let key = (channel.to_owned(), ts.to_owned());
        if let Some(link) = self.links.lock().await.get(&key) {
            return Ok(Some(link.clone()));
        }
        let link = self.get::<Permalink>("chat.getPermalink", &[("channel", channel), ("message_ts", ts)]).await?;
        let link: Option<CleanStr> = link.ok().map(|link| link.permalink.as_str().into());
        if let Some(link) = &link {
            self.links.lock().await.insert(key, link.clone());
        }
        Ok(link)
    }

    async fn message(&self, parcel: &Parcel, channel: &str) -> Result<Receipt, Failure> {
        let body = json!({
            "channel": channel,
            "text": escaped(&parcel.text),
            "metadata": { "event_type": MARK, "event_payload": { "op": parcel.op, "record": parcel.record } },
            "unfurl_links": false,
            "unfurl_media": false,
        });
        Ok(match self.post::<Posted>("chat.postMessage", &body).await? {
            Ok(Posted { ts: Some(ts) }) => Receipt::There(ts.as_str().into()),
            Ok(Posted { ts: None }) => Receipt::Unknown("slack took the message and did not name it".into()),
            Err(no) => self.refusal_in(&no, parcel.about.as_ref()),
        })
    }

    /// Whether a message of ours is in a channel.
    async fn history(&self, parcel: &Parcel, channel: &str) -> Receipt {
        let oldest = (parcel.first_sent_at - BEFORE - self.site.apart()).timestamp().to_string();
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query = [
                ("channel", channel),
                ("oldest", &oldest),
                ("include_all_metadata", "true"),
                ("limit", "200"),
                ("cursor", &cursor),
            ];
            let page: History = match self.said("conversations.history", &query).await {
                Ok(page) => page,
                // That the question is refused says nothing of the message.
                Err(failure) => return Receipt::Unknown(failure.reason),
            };
            if let Some(message) = page.messages.iter().find(|message| message.is(&parcel.op)) {
                return Receipt::There(message.ts.as_str().into());
            }
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                let why = "slack does not have it: it is sent again".into();
                return Receipt::NotThere { why, wait: None };
            }
        }
        Receipt::Unknown(format!("it is not among the newest {} messages", MOST_PAGES * 200).as_str().into())
    }

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
                "somebody archived #{}: `open-channel` opens another one, or unarchive it and try again",
                room.called()
            )
        });
        refusals::meaning(self.site.label(), &self.masked(no), &archived.unwrap_or_default())
    }

    fn masked(&self, no: &Refusal) -> Refusal {
        Refusal { error: self.site.echo(&no.error), ..no.clone() }
    }
}

/// Text of Slack as people read it.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
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
