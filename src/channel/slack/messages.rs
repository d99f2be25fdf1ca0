//! Messages: posted in as many pieces as it takes, below the pinned one where there is one, and found again.
//!
//! Hides that Slack keeps a message's replies apart from its channel, and how a piece of a text is told from another one.
//!
//! Invariant: a text is there when all of its pieces are; a piece that is there is not posted again.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::answers::{History, MARK, Posted};
use super::{MOST_PAGES, Slack, blocks, escaped, said};
use crate::channel::fit::{self, SLACK_MESSAGE};
use crate::channel::nothing_written;
use crate::incident::{Parcel, Receipt, Remote};
use crate::source::http::Failure;

/// Clocks differ by little even where they agree: a message is looked for from so long before it was sent.
const BEFORE: TimeDelta = TimeDelta::minutes(2);
/// The same, before any answer has said what the server's clock shows.
const LONG_BEFORE: TimeDelta = TimeDelta::hours(1);
/// Words with which a thread refuses a reply that its channel takes.
const NO_THREAD: &[&str] = &[
    "thread_not_found",
    "message_not_found",
    "cannot_reply_to_message",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
];

/// How many units a piece is to Slack, which counts what is escaped.
fn units(text: &str) -> usize {
    fit::plain(&escaped(text))
}

/// What was found of a text: its pieces by number, and whether everything was looked at.
#[derive(Debug, Default)]
struct Seen {
    pieces: BTreeMap<usize, String>,
    is_whole: bool,
}

impl Slack {
    /// Posts a text; what is there of it already stays as it is.
    pub(super) async fn message(&self, parcel: &Parcel, channel: &str) -> Result<Receipt, Failure> {
        let pieces = fit::pieces(&parcel.text, SLACK_MESSAGE.letters, units);
        let count = pieces.len();
        let known = match count {
            1 => Seen::default(),
            _ => self.seen_of(parcel, channel, count).await.map_err(nothing_written)?,
        };
        let (mut first, mut thread) = (known.pieces.get(&0).cloned(), parcel.attached.thread.as_ref());
        for (place, piece) in pieces.into_iter().enumerate() {
            if known.pieces.contains_key(&place) {
                continue;
            }
            let body = self.piece(parcel, channel, piece, (place, count));
            let mut said = None;
            if let Some(pinned) = thread {
                let mut reply = body.clone();
                // Who reads the channel sees it without opening the thread.
                (reply["thread_ts"], reply["reply_broadcast"]) = (json!(pinned.id), json!(true));
                match self.post::<Posted>("chat.postMessage", &reply).await? {
                    Err(no) if NO_THREAD.contains(&no.error.as_str()) => thread = None,
                    other => said = Some(other),
                }
            }
            let said = match said {
                Some(said) => said,
                None => self.post::<Posted>("chat.postMessage", &body).await?,
            };
            match said {
                Ok(Posted { ts: Some(ts) }) => first = first.or(Some(ts)),
                Ok(Posted { ts: None }) => {
                    return Ok(Receipt::Unknown("slack took the message and did not name it".into()));
                }
                Err(no) => return Ok(self.refusal_in(&no, parcel.about.as_ref())),
            }
        }
        Ok(match first {
            Some(ts) => Receipt::There(ts.as_str().into()),
            None => Receipt::Unknown("slack did not name the message".into()),
        })
    }

    fn piece(&self, parcel: &Parcel, channel: &str, piece: &str, (place, count): (usize, usize)) -> Value {
        let mut payload = json!({ "op": parcel.op, "record": parcel.record });
        if count > 1 {
            (payload["part"], payload["of"]) = (json!(place + 1), json!(count));
        }
        let mut body = json!({
            "channel": channel,
            "text": said(piece, &parcel.attached.people),
            "metadata": { "event_type": MARK, "event_payload": payload },
            "unfurl_links": false,
            "unfurl_media": false,
        });
        if let Some(bulletin) = &parcel.attached.bulletin {
            body["blocks"] = blocks::of(bulletin, &parcel.attached.people);
        }
        body
    }

    /// Whether a message of ours is in a channel, or below its pinned message.
    pub(super) async fn history(&self, parcel: &Parcel, channel: &str) -> Receipt {
        let count = fit::pieces(&parcel.text, SLACK_MESSAGE.letters, units).len();
        match self.seen_of(parcel, channel, count).await {
            Ok(seen) if seen.pieces.len() >= count => {
                Receipt::There(seen.pieces.values().next().map(String::as_str).unwrap_or_default().into())
            }
            Ok(Seen { is_whole: true, pieces }) => {
                let why = match pieces.len() {
                    0 => "slack does not have it: it is sent again".to_owned(),
                    there => format!("slack has {there} of its {count} pieces: the others are sent"),
                };
                Receipt::NotThere { why: why.as_str().into(), wait: None }
            }
            Ok(_) => {
                Receipt::Unknown(format!("it is not among the newest {} messages", MOST_PAGES * 200).as_str().into())
            }
            // That the question is refused says nothing of the message.
            Err(failure) => Receipt::Unknown(failure.reason),
        }
    }

    async fn seen_of(&self, parcel: &Parcel, channel: &str, count: usize) -> Result<Seen, Failure> {
        let mut seen = self.looked_through("conversations.history", &[("channel", channel)], parcel, count).await?;
        if let Some(pinned) = parcel.attached.thread.as_ref().filter(|_| seen.pieces.len() < count) {
            let query = [("channel", channel), ("ts", pinned.id.as_str())];
            let below = self.looked_through("conversations.replies", &query, parcel, count).await?;
            seen.pieces.extend(below.pieces);
            seen.is_whole &= below.is_whole;
        }
        Ok(seen)
    }

    async fn looked_through(
        &self,
        method: &'static str,
        place: &[(&str, &str)],
        parcel: &Parcel,
        count: usize,
    ) -> Result<Seen, Failure> {
        let oldest = self.theirs(parcel.first_sent_at) - if self.site.ahead().is_some() { BEFORE } else { LONG_BEFORE };
        let oldest = oldest.timestamp().to_string();
        let (mut seen, mut cursor) = (Seen::default(), String::new());
        for _ in 0..MOST_PAGES {
            let rest =
                [("oldest", oldest.as_str()), ("include_all_metadata", "true"), ("limit", "200"), ("cursor", &cursor)];
            let query = [place, &rest].concat();
            let page: History = match self.get(method, &query).await? {
                Ok(page) => page,
                // There is no such thread any more, and nothing below it.
                Err(no) if method.ends_with("replies") && NO_THREAD.contains(&no.error.as_str()) => {
                    return Ok(Seen { is_whole: true, ..seen });
                }
                Err(no) => return Err(self.refused(&no)),
            };
            for message in &page.messages {
                if let Some(place) = message.piece_of(&parcel.op) {
                    seen.pieces.entry(place).or_insert_with(|| message.ts.clone());
                }
            }
            cursor = page.response_metadata.next_cursor;
            seen.is_whole = cursor.is_empty();
            if seen.is_whole || seen.pieces.len() >= count {
                break;
            }
        }
        Ok(seen)
    }

    /// Keeps the message at the top of the channel; the first time it is posted and put there.
    pub(super) async fn pin(&self, parcel: &Parcel, room: &Remote) -> Result<Receipt, Failure> {
        if let Some(message) = &parcel.made {
            let text = fit::pieces(&parcel.text, SLACK_MESSAGE.letters, units)[0];
            let mut body = json!({
                "channel": room.id,
                "ts": message.id,
                "text": said(text, &parcel.attached.people),
            });
            if let Some(bulletin) = &parcel.attached.bulletin {
                body["blocks"] = blocks::of(bulletin, &parcel.attached.people);
            }
            return Ok(match self.post::<super::answers::Done>("chat.update", &body).await? {
                Ok(_) => Receipt::There(message.clone()),
                Err(no) => self.refusal_in(&no, Some(room)),
            });
        }
        match self.message(parcel, &room.id).await? {
            // It is posted: that it could not be put to the top is no reason to post it again.
            Receipt::There(message) => {
                Ok(self.to_the_top(room, message.clone()).await.unwrap_or(Receipt::There(message)))
            }
            other => Ok(other),
        }
    }
}
