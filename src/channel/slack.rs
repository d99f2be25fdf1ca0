//! Slack: messages to channels.
//!
//! Hides that Slack answers 200 to what it refuses, that it has no key against doubles (a mark in the message's metadata and a look at the channel's
//! history take its place), and how foreign text is kept from pinging a whole company.
//!
//! Invariant: the token stands in the header alone; `&`, `<` and `>` of the text are escaped, so that no mention or link is made of it.

use chrono::TimeDelta;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Answering, Channel, Examining, Options, Telling, Wanted, absent, cannot, noted, receipt, refused, without,
};
use crate::checkup::Finding;
use crate::incident::{Act, News, Parcel, Receipt, Remote, Thing, Watched};
use crate::reach::SLACK;
use crate::source::http::{Answer, Failure, Limits, Site, Trouble};
use crate::source::{Endpoint, SourceError};
use crate::text::CleanStr;

/// The mark of our messages in their metadata.
const MARK: &str = "warroom";
/// Clocks differ: a message is looked for from so long before it was sent.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
/// With this reaction a message becomes a line of the timeline, as with a pin.
const PUSHPIN: &str = "pushpin";
/// So many pages of a channel's history are read for one message.
const MOST_PAGES: usize = 10;

/// Where the channel's name is another one's, so many others are tried.
const MOST_NAMES: usize = 5;
/// A channel that another system opens is looked for this often.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(15);

/// Opens the channel of an endpoint.
pub(super) fn open(endpoint: &Endpoint, _: &Options) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Slack { site: Site::open(SLACK, endpoint, Limits::default())? }))
}

#[derive(Debug)]
struct Slack {
    site: Site,
}

/// What every answer begins with.
#[derive(Debug, Deserialize)]
struct Told {
    ok: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    needed: Option<String>,
    #[serde(default)]
    provided: Option<String>,
    #[serde(default)]
    ts: Option<String>,
    #[serde(default)]
    messages: Vec<Message>,
    #[serde(default)]
    channels: Vec<Room>,
    // A message names its channel, a new channel is one.
    #[serde(default, deserialize_with = "lenient")]
    channel: Option<Room>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    team: Option<String>,
    #[serde(default)]
    permalink: Option<String>,
    #[serde(default)]
    response_metadata: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct Message {
    ts: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    user: String,
    #[serde(default)]
    pinned_to: Vec<String>,
    #[serde(default)]
    reactions: Vec<Reaction>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize)]
struct Reaction {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    event_type: String,
    #[serde(default)]
    event_payload: Value,
}

#[derive(Debug, Default, Deserialize)]
struct Paging {
    #[serde(default)]
    next_cursor: String,
}

impl Channel for Slack {
    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let said = match (&parcel.act, &parcel.about) {
                (Act::Post, about) => {
                    self.message(parcel, about.as_ref().map_or(&parcel.target, |room| &room.id)).await
                }
                (Act::FindRoom { since }, _) => self.find(parcel, *since).await,
                (Act::OpenRoom { is_private, since }, _) => self.create(parcel, *is_private, *since).await,
                (Act::Topic, Some(room)) => {
                    let topic: String = parcel.text.first_line().chars().take(250).collect();
                    let body = json!({ "channel": room.id, "topic": topic });
                    self.done("conversations.setTopic", &body, room, &[]).await
                }
                (Act::Invite(people), Some(room)) => self.invite(people, room).await,
                (Act::Pin, Some(room)) => self.pin(parcel, room).await,
                (Act::Topic | Act::Invite(_) | Act::Pin, None) => Ok(without(SLACK, parcel)),
                _ => Ok(cannot(SLACK, parcel)),
            };
            said.unwrap_or_else(receipt)
        })
    }

    fn news<'a>(&'a self, watched: &'a Watched) -> Telling<'a> {
        Box::pin(async move {
            let Some(Thing::Room) = watched.thing else { return Ok(Vec::new()) };
            self.kept(watched).await.map_err(|failure| failure.reason)
        })
    }

    fn examine<'a>(&'a self, wanted: &'a Wanted<'a>) -> Examining<'a> {
        Box::pin(async move {
            let answer = match self.asked("auth.test", &json!({})).await {
                Ok(answer) => answer,
                Err(failure) => return vec![Finding::wrong(SLACK, &failure.reason)],
            };
            let scopes = answer.scopes.clone();
            let told = match self.read(answer).await {
                Ok(told) if told.ok => told,
                Ok(told) => return vec![Finding::wrong("slack: token", &self.failed(&told).reason)],
                Err(failure) => return vec![Finding::wrong(SLACK, &failure.reason)],
            };
            let mut findings = vec![Finding::fine("slack: token", told.team.as_deref().unwrap_or_default())];
            let mut needed = vec!["chat:write", "channels:history"];
            if wanted.reach.rooms.is_some() {
                needed.extend(["channels:manage", "channels:read", "channels:join", "pins:write"]);
                needed.extend(wanted.reach.people.iter().any(|one| one.email.is_some()).then_some("users:read.email"));
            }
            let has: Vec<&str> = scopes.as_deref().unwrap_or_default().split(',').map(str::trim).collect();
            for scope in needed {
                let what = format!("slack: scope {scope}");
                findings.push(match (&scopes, has.contains(&scope)) {
                    (None, _) => Finding::untried(&what, "slack does not say which scopes the token has"),
                    (Some(_), true) => Finding::fine(&what, ""),
                    (Some(_), false) => {
                        Finding::wrong(&what, "the token lacks it: add it to the app and install it again")
                    }
                });
            }
            for route in wanted.reach.routes.iter().filter(|route| *route.service == *SLACK) {
                let what = format!("slack: {} ({})", route.channel.name(), route.target);
                let known = self.get("conversations.info", &[("channel", &route.target)]).await;
                findings.push(match known {
                    Ok(told) if told.ok => {
                        let room = told.channel;
                        match room.as_ref().is_some_and(|room| room.is_archived) {
                            true => {
                                Finding::wrong(&what, "the channel is archived: name another one in [slack-channels]")
                            }
                            false => Finding::fine(&what, room.map_or("", |_| "known")),
                        }
                    }
                    Ok(told) => Finding::wrong(&what, &self.failed(&told).reason),
                    Err(failure) => Finding::wrong(&what, &failure.reason),
                });
            }
            findings
        })
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
                (Act::OpenRoom { .. }, _) => match self.room(&parcel.target).await {
                    Ok(Some(room)) if room.is_of(parcel) => Receipt::There(room.into()),
                    Ok(_) => absent(SLACK),
                    Err(failure) => Receipt::Unknown(failure.reason),
                },
                // Done twice it is as done once.
                _ => absent(SLACK),
            }
        })
    }
}

/// A channel, as lists show it.
#[derive(Clone, Debug, Deserialize)]
struct Room {
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    created: i64,
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    purpose: Purpose,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Purpose {
    #[serde(default)]
    value: String,
}

#[derive(Debug, Deserialize)]
struct User {
    id: String,
}

impl Room {
    fn is_of(&self, parcel: &Parcel) -> bool {
        self.purpose.value.contains(parcel.op.as_str())
    }
}

impl From<Room> for Remote {
    fn from(room: Room) -> Self {
        Self { id: room.id.as_str().into(), name: Some(room.name.as_str().into()), link: None }
    }
}

impl Slack {
    /// The messages that somebody pinned or marked with a pushpin.
    async fn kept(&self, watched: &Watched) -> Result<Vec<News>, Failure> {
        let oldest = watched.since.timestamp().to_string();
        let query = [
            ("channel", watched.remote.id.as_str()),
            ("oldest", &oldest),
            ("include_all_metadata", "true"),
            ("limit", "200"),
        ];
        let told = self.get("conversations.history", &query).await?;
        if !told.ok {
            return Err(self.failed(&told));
        }
        let mut news = Vec::new();
        for message in told.messages.iter().filter(|message| message.metadata.is_none()) {
            let is_marked = message.reactions.iter().any(|reaction| reaction.name == PUSHPIN);
            if !is_marked && message.pinned_to.is_empty() {
                continue;
            }
            let seconds = message.ts.split('.').next().and_then(|seconds| seconds.parse().ok());
            let at = seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0)).unwrap_or(watched.since);
            let key = format!("{}/{}", watched.remote.id, message.ts);
            let mut kept = noted(SLACK, &key, &message.user, at, &unescaped(&message.text));
            let query = [("channel", watched.remote.id.as_str()), ("message_ts", &message.ts)];
            kept.noted.link = self.get("chat.getPermalink", &query).await?.permalink.map(|link| link.as_str().into());
            news.push(kept);
        }
        Ok(news)
    }

    async fn message(&self, parcel: &Parcel, channel: &str) -> Result<Receipt, Failure> {
        let body = json!({
            "channel": channel,
            "text": escaped(&parcel.text),
            "metadata": { "event_type": MARK, "event_payload": { "op": parcel.op } },
            "unfurl_links": false,
            "unfurl_media": false,
        });
        Ok(match self.post("chat.postMessage", &body).await? {
            Told { ok: true, ts: Some(ts), .. } => Receipt::There(ts.as_str().into()),
            Told { ok: true, .. } => Receipt::Unknown("slack took the message and did not name it".into()),
            told => self.refusal(&told),
        })
    }

    /// Does what is the same when it is done twice; some errors say that it was done before.
    async fn done(&self, method: &str, body: &Value, remote: &Remote, fine: &[&str]) -> Result<Receipt, Failure> {
        let told = self.post(method, body).await?;
        let is_fine = told.ok || told.error.as_deref().is_some_and(|error| fine.contains(&error));
        Ok(if is_fine { Receipt::There(remote.clone()) } else { self.refusal(&told) })
    }

    /// Adopts the channel that another system opens for the incident; one that is older belongs to somebody else.
    async fn find(&self, parcel: &Parcel, since: chrono::DateTime<chrono::Utc>) -> Result<Receipt, Failure> {
        let found = self.room(&parcel.target).await?;
        let Some(room) = found.filter(|room| !room.is_archived && room.created >= since.timestamp()) else {
            let why = format!("slack has no #{} of this incident yet: `open-channel` opens it", parcel.target);
            return Ok(Receipt::NotThere { why: CleanStr::new(&why), wait: Some(LOOK_AGAIN) });
        };
        // Who is not in it can neither pin nor invite; where it is not allowed, that says so later.
        let _ = self.post("conversations.join", &json!({ "channel": room.id })).await;
        Ok(Receipt::There(room.into()))
    }

    /// Opens the channel; where its name is taken by another one, under another name.
    async fn create(
        &self,
        parcel: &Parcel,
        is_private: bool,
        since: chrono::DateTime<chrono::Utc>,
    ) -> Result<Receipt, Failure> {
        for number in 1..=MOST_NAMES {
            let name = if number == 1 { parcel.target.to_string() } else { format!("{}-{number}", parcel.target) };
            let body = json!({ "name": name, "is_private": is_private });
            let told = self.post("conversations.create", &body).await?;
            if let Told { ok: true, channel: Some(room), .. } = told {
                let body = json!({ "channel": room.id, "purpose": format!("warroom {}", parcel.op) });
                // By this it is known again; it is there without it too.
                let _ = self.post("conversations.setPurpose", &body).await;
                return Ok(Receipt::There(room.into()));
            }
            if told.error.as_deref() != Some("name_taken") {
                return Ok(self.refusal(&told));
            }
            // Ours from a try that nobody heard of, or one that another system opened for the incident in the meantime.
            let is_it = |room: &Room| room.is_of(parcel) || (!room.is_archived && room.created >= since.timestamp());
            if let Some(room) = self.room(&name).await?.filter(is_it) {
                return Ok(Receipt::There(room.into()));
            }
        }
        let why = format!("#{} and {MOST_NAMES} names after it are other channels: rename one", parcel.target);
        Ok(Receipt::Refused(CleanStr::new(&why)))
    }

    async fn room(&self, name: &str) -> Result<Option<Room>, Failure> {
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query = [
                ("types", "public_channel,private_channel"),
                ("exclude_archived", "false"),
                ("limit", "200"),
                ("cursor", &cursor),
            ];
            let told = self.get("conversations.list", &query).await?;
            if !told.ok {
                return Err(self.failed(&told));
            }
            if let Some(room) = told.channels.into_iter().find(|room| room.name == name) {
                return Ok(Some(room));
            }
            cursor = told.response_metadata.unwrap_or_default().next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    async fn invite(&self, people: &std::collections::BTreeSet<CleanStr>, room: &Remote) -> Result<Receipt, Failure> {
        let (mut users, mut strangers) = (Vec::new(), Vec::new());
        for person in people {
            if !person.contains('@') {
                users.push(person.to_string());
                continue;
            }
            match self.get("users.lookupByEmail", &[("email", person)]).await? {
                Told { ok: true, user: Some(user), .. } => users.push(user.id),
                Told { error: Some(error), .. } if error == "users_not_found" => strangers.push(person.as_str()),
                told => return Ok(self.refusal(&told)),
            }
        }
        let known = if strangers.is_empty() {
            room.clone()
        } else {
            let name = format!("{} without {}, whom Slack does not know", room.called(), strangers.join(", "));
            Remote { name: Some(CleanStr::new(&name)), ..room.clone() }
        };
        if users.is_empty() {
            return Ok(Receipt::There(known));
        }
        let body = json!({ "channel": room.id, "users": users.join(","), "force": true });
        self.done("conversations.invite", &body, &known, &["already_in_channel", "cant_invite_self"]).await
    }

    /// Keeps the message at the top of the channel; the first time it is posted and put there.
    async fn pin(&self, parcel: &Parcel, room: &Remote) -> Result<Receipt, Failure> {
        if let Some(message) = &parcel.made {
            let body = json!({ "channel": room.id, "ts": message.id, "text": escaped(&parcel.text) });
            return self.done("chat.update", &body, message, &[]).await;
        }
        match self.message(parcel, &room.id).await? {
            // It is posted: that it could not be put to the top is no reason to post it again.
            Receipt::There(message) => {
                Ok(self.to_the_top(room, message.clone()).await.unwrap_or(Receipt::There(message)))
            }
            other => Ok(other),
        }
    }

    async fn to_the_top(&self, room: &Remote, message: Remote) -> Result<Receipt, Failure> {
        let body = json!({ "channel": room.id, "timestamp": message.id });
        let told = self.post("pins.add", &body).await?;
        let is_there = told.ok || told.error.as_deref() == Some("already_pinned");
        let error = told.error.as_deref().unwrap_or("no reason");
        let name = (!is_there).then(|| CleanStr::new(&format!("{}, not pinned ({error})", message.id)));
        Ok(Receipt::There(Remote { name, ..message }))
    }

    /// Whether a message of ours is in a channel.
    async fn history(&self, parcel: &Parcel, channel: &str) -> Receipt {
        let oldest = (parcel.sent_at - BEFORE).timestamp().to_string();
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query = [
                ("channel", channel),
                ("oldest", &oldest),
                ("include_all_metadata", "true"),
                ("limit", "200"),
                ("cursor", &cursor),
            ];
            let told = match self.get("conversations.history", &query).await {
                Ok(told) if told.ok => told,
                // That the question is refused says nothing of the message.
                Ok(told) => return Receipt::Unknown(self.failed(&told).reason),
                Err(failure) => return Receipt::Unknown(failure.reason),
            };
            if let Some(message) = told.messages.iter().find(|message| message.is(&parcel.op)) {
                return Receipt::There(message.ts.as_str().into());
            }
            cursor = told.response_metadata.unwrap_or_default().next_cursor;
            if cursor.is_empty() {
                let why = "slack does not have it: it is sent again".into();
                return Receipt::NotThere { why, wait: None };
            }
        }
        Receipt::Unknown(format!("it is not among the newest {} messages", MOST_PAGES * 200).as_str().into())
    }
}

impl Message {
    fn is(&self, op: &str) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| {
            metadata.event_type == MARK && metadata.event_payload.get("op").and_then(Value::as_str) == Some(op)
        })
    }
}

impl Slack {
    async fn post(&self, method: &str, body: &Value) -> Result<Told, Failure> {
        let answer = self.asked(method, body).await?;
        self.read(answer).await
    }

    async fn asked(&self, method: &str, body: &Value) -> Result<Answer, Failure> {
        let mut request = self.site.client().post(format!("{}/{method}", self.site.base()));
        if let Some(header) = self.site.authorization()? {
            request = request.header(AUTHORIZATION, header);
        }
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.to_string());
        self.site.ask(request.send()).await
    }

    async fn get(&self, method: &str, query: &[(&str, &str)]) -> Result<Told, Failure> {
        let query = query.iter().filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>();
        let answer = self.site.ask(self.site.get(method)?.query(&query).send()).await?;
        self.read(answer).await
    }

    async fn read(&self, answer: Answer) -> Result<Told, Failure> {
        if !answer.is_success() {
            return Err(self.site.complaint(&answer));
        }
        self.site.parse(answer, |text| serde_json::from_str(text)).await
    }

    /// That a question was refused.
    fn failed(&self, told: &Told) -> Failure {
        let (reason, pause) = match self.refusal(told) {
            Receipt::Refused(why) | Receipt::Unknown(why) | Receipt::Asks { why, .. } => (why, None),
            Receipt::NotThere { why, wait } => (why, wait.and_then(|wait| wait.to_std().ok())),
            Receipt::There(_) => (CleanStr::default(), None),
        };
        let trouble = if pause.is_some() { Trouble::Status(429) } else { Trouble::Status(400) };
        Failure { reason, trouble, retry_after: pause }
    }

    /// What a refusal means for the message, and what helps.
    fn refusal(&self, told: &Told) -> Receipt {
        let error = told.error.as_deref().unwrap_or("no reason");
        let way_out = match error {
            "ratelimited" | "rate_limited" => {
                let why = "slack is asked too often".into();
                return Receipt::NotThere { why, wait: Some(TimeDelta::seconds(30)) };
            }
            "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
                return Receipt::Unknown(refused(self.site.label(), error, ""));
            }
            "missing_scope" => {
                let needed = told.needed.as_deref().unwrap_or("more");
                let provided = told.provided.as_deref().unwrap_or("none");
                let way_out = format!("the token needs the scope {needed}, and has {provided}");
                return Receipt::Refused(refused(self.site.label(), error, &way_out));
            }
            "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" | "account_inactive" => {
                "put a valid bot token where [slack] of the configuration points"
            }
            "not_in_channel" => "invite the app into the channel, or give it chat:write.public",
            "channel_not_found" => {
                "write the channel's ID (C…) into [slack-channels], and invite the app where it is private"
            }
            "is_archived" => "the channel is archived: name another one in [slack-channels]",
            "msg_too_long" | "no_text" | "too_long" => "change the text",
            "restricted_action" => "this workspace lets others do that only: ask who administers it",
            "invalid_name_specials" | "invalid_name_maxlength" | "invalid_name_punctuation" | "invalid_name" => {
                "correct `prefix` in [slack-channels]: lower-case letters, digits, - and _"
            }
            "cant_update_message" | "message_not_found" | "edit_window_closed" => {
                "the pinned message cannot be changed any more: post how it stands by hand"
            }
            _ => "",
        };
        Receipt::Refused(refused(self.site.label(), error, way_out))
    }
}

fn lenient<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<Room>, D::Error> {
    let value = Value::deserialize(input)?;
    Ok(Room::deserialize(value).ok())
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
