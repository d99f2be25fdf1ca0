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

use super::{Answering, Channel, receipt, refused};
use crate::incident::{Parcel, Receipt};
use crate::source::http::{Answer, Failure, Limits, Site};
use crate::source::{Endpoint, SourceError};

/// Its name in the configuration and the record.
pub const NAME: &str = "slack";
/// The mark of our messages in their metadata.
const MARK: &str = "warroom";
/// Clocks differ: a message is looked for from so long before it was sent.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
/// So many pages of a channel's history are read for one message.
const MOST_PAGES: usize = 10;

/// Opens the channel of an endpoint.
pub fn open(endpoint: &Endpoint) -> Result<Box<dyn Channel>, SourceError> {
    Ok(Box::new(Slack { site: Site::open(NAME, endpoint, Limits::default())? }))
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
    response_metadata: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct Message {
    ts: String,
    #[serde(default)]
    metadata: Option<Metadata>,
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
            let body = json!({
                "channel": parcel.target,
                "text": escaped(&parcel.text),
                "metadata": { "event_type": MARK, "event_payload": { "op": parcel.op } },
                "unfurl_links": false,
                "unfurl_media": false,
            });
            match self.post("chat.postMessage", &body).await {
                Ok(Told { ok: true, ts: Some(ts), .. }) => Receipt::There(ts.as_str().into()),
                Ok(Told { ok: true, .. }) => Receipt::Unknown("slack took the message and did not name it".into()),
                Ok(told) => self.refusal(&told),
                Err(failure) => receipt(failure),
            }
        })
    }

    fn look_up<'a>(&'a self, parcel: &'a Parcel) -> Answering<'a> {
        Box::pin(async move {
            let oldest = (parcel.sent_at - BEFORE).timestamp().to_string();
            let mut cursor = String::new();
            for _ in 0..MOST_PAGES {
                let query = [
                    ("channel", parcel.target.as_str()),
                    ("oldest", &oldest),
                    ("include_all_metadata", "true"),
                    ("limit", "200"),
                    ("cursor", &cursor),
                ];
                let told = match self.get("conversations.history", &query).await {
                    Ok(told) if told.ok => told,
                    Ok(told) => {
                        return match self.refusal(&told) {
                            // That the question is refused says nothing of the message.
                            Receipt::Refused(why) | Receipt::NotThere { why, .. } => Receipt::Unknown(why),
                            other => other,
                        };
                    }
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
            Receipt::Unknown(format!("it is not among the newest {} messages", MOST_PAGES * 200).into())
        })
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
        let mut request = self.site.client().post(format!("{}/{method}", self.site.base()));
        if let Some(header) = self.site.authorization()? {
            request = request.header(AUTHORIZATION, header);
        }
        let request = request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.to_string());
        let answer = self.site.ask(request.send()).await?;
        self.read(answer).await
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
            "msg_too_long" | "no_text" => "change the text",
            _ => "",
        };
        Receipt::Refused(refused(self.site.label(), error, way_out))
    }
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
