//! An incident's own channel: looked for, opened, peopled, with a message at its top.
//!
//! Hides that a name is taken for ever, that lists show a new channel late, and that an invitation can succeed for some.
//!
//! Invariant: a channel that may have been opened is looked for until the lists have had time to show it, and is opened once.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::answers::{Done, Found, Invited, NotInvited, OneRoom, Refusal, Room, Rooms};
use super::{MOST_PAGES, Slack, escaped};
use crate::channel::{absent, nothing_written};
use crate::clock;
use crate::incident::{Parcel, Receipt, Remote};
use crate::reach::SLACK;
use crate::source::http::Failure;
use crate::text::CleanStr;

/// Where the channel's name is another one's, so many others are tried.
const MOST_NAMES: usize = 5;
/// A channel that another system opens is looked for this often …
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(15);
/// … and more often at the beginning, when it most likely comes.
const LOOK_SOON: TimeDelta = TimeDelta::seconds(4);
/// So long that is: what opens channels takes some seconds.
const SOON: TimeDelta = TimeDelta::minutes(11);
/// A server's clock may be so much behind when it says when a channel was opened.
const SOON_AFTER: TimeDelta = TimeDelta::seconds(2);
/// So long a list may not show a channel that is there.
const LISTED_BY: TimeDelta = TimeDelta::seconds(90);
/// Words that are about one guest, not about the channel.
const OF_A_GUEST: &[&str] = &[
    "user_not_found",
    "no_user",
    "user_is_restricted",
    "user_is_ultra_restricted",
    "cant_invite",
    "user_disabled",
    "account_inactive",
    "org_user_not_in_team",
    "cant_invite_self",
    "already_in_channel",
    "failed_for_some_users",
    "user_team_not_in_channel",
    "ura_max_channels",
];
/// These are as good as invited.
const IN_IT: &[&str] = &["already_in_channel", "cant_invite_self"];

impl Slack {
    /// Adopts the channel that another system opens for the incident; one that is older belongs to somebody else.
    pub(super) async fn find(&self, parcel: &Parcel, since: DateTime<Utc>) -> Result<Receipt, Failure> {
        let found = self.room(&parcel.target).await.map_err(nothing_written)?;
        let is_new = |room: &Room| !room.is_archived && !room.is_marked() && room.created >= since.timestamp();
        let Some(room) = found.filter(is_new) else {
            let why = format!("slack has no #{} of this incident yet: `open-channel` opens it", parcel.target);
            // It is as young as the incident, with the ten minutes that clocks and beginnings differ by.
            let wait = if clock::wall() - since < SOON { LOOK_SOON } else { LOOK_AGAIN };
            return Ok(Receipt::NotYet { why: CleanStr::new(&why), wait });
        };
        // Who is not in it can neither pin nor invite; where it is not allowed, that says so later.
        let _ = self.post::<Done>("conversations.join", &json!({ "channel": room.id })).await;
        Ok(Receipt::There(room.into()))
    }

    /// Opens the channel; where its name is taken by another one, under another name.
    pub(super) async fn create(
        &self,
        parcel: &Parcel,
        is_private: bool,
        since: Option<DateTime<Utc>>,
    ) -> Result<Receipt, Failure> {
        for number in 1..=MOST_NAMES {
            let name = if number == 1 { parcel.target.to_string() } else { format!("{}-{number}", parcel.target) };
            let body = json!({ "name": name, "is_private": is_private });
            let no = match self.post::<OneRoom>("conversations.create", &body).await? {
                Ok(OneRoom { channel: room }) => {
                    let body = json!({ "channel": room.id, "purpose": format!("warroom {}", parcel.op) });
                    // By this it is known again; it is there without it too.
                    let _ = self.post::<Done>("conversations.setPurpose", &body).await;
                    return Ok(Receipt::There(room.into()));
                }
                Err(no) => no,
            };
            if no.error != "name_taken" {
                return Ok(self.refusal(&no));
            }
            if let Some(room) = self.room(&name).await?.filter(|room| self.is_it(room, parcel, is_private, since)) {
                return Ok(Receipt::There(room.into()));
            }
        }
        let why = format!("#{} and {MOST_NAMES} names after it are other channels: rename one", parcel.target);
        Ok(Receipt::Refused(CleanStr::new(&why)))
    }

    /// Whether the channel was opened, where the answer was lost: a list that does not show it yet is no answer.
    pub(super) async fn opened(&self, parcel: &Parcel, is_private: bool, since: Option<DateTime<Utc>>) -> Receipt {
        match self.room(&parcel.target).await {
            Ok(Some(room)) if self.is_it(&room, parcel, is_private, since) => Receipt::There(room.into()),
            Ok(_) if clock::wall() - parcel.sent_at < LISTED_BY => Receipt::Unknown(
                "slack does not list it yet, and lists new channels late: it is looked for again".into(),
            ),
            Ok(_) => absent(SLACK),
            Err(failure) => Receipt::Unknown(failure.reason),
        }
    }

    /// Whether a channel is the one that a parcel opens: by its purpose, or one of the name that nobody has marked and that is young enough: as young as
    /// the incident where another system opens channels of that name, else no older than the first try, which was lost before the mark was set.
    fn is_it(&self, room: &Room, parcel: &Parcel, is_private: bool, since: Option<DateTime<Utc>>) -> bool {
        let since = since.unwrap_or(parcel.first_sent_at - SOON_AFTER - self.site.apart());
        let is_young = !room.is_archived && !room.is_marked() && room.created >= since.timestamp();
        // What was to be private does not go to one that everybody reads.
        room.is_of(parcel) || (is_young && (room.is_private || !is_private))
    }

    /// A channel by its name; private ones are seen where the token may.
    async fn room(&self, name: &str) -> Result<Option<Room>, Failure> {
        match self.listed(name, "public_channel,private_channel").await? {
            Ok(found) => Ok(found),
            // One scope that lacks refuses the whole question: what can be seen is looked at.
            Err(no) if no.error == "missing_scope" => match no.needed.as_deref() {
                Some("groups:read") => self.listed(name, "public_channel").await?.map_err(|no| self.refused(&no)),
                Some("channels:read") => self.listed(name, "private_channel").await?.map_err(|no| self.refused(&no)),
                _ => Err(self.refused(&no)),
            },
            Err(no) => Err(self.refused(&no)),
        }
    }

    async fn listed(&self, name: &str, types: &str) -> Result<Result<Option<Room>, Refusal>, Failure> {
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query = [("types", types), ("exclude_archived", "false"), ("limit", "200"), ("cursor", &cursor)];
            let page = match self.get::<Rooms>("conversations.list", &query).await? {
                Ok(page) => page,
                Err(no) => return Ok(Err(no)),
            };
            if let Some(room) = page.channels.into_iter().find(|room| room.name == name) {
                return Ok(Ok(Some(room)));
            }
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        Ok(Ok(None))
    }

    /// Asks people in; who could not be asked is named.
    pub(super) async fn invite(&self, people: &BTreeSet<CleanStr>, room: &Remote) -> Result<Receipt, Failure> {
        // By ID, as they are called here.
        let (mut users, mut left_out) = (Vec::new(), Vec::new());
        for person in people {
            if !person.contains('@') {
                users.push((person.to_string(), person.as_str()));
                continue;
            }
            match self.get::<Found>("users.lookupByEmail", &[("email", person)]).await.map_err(nothing_written)? {
                Ok(found) => users.push((found.user.id, person.as_str())),
                Err(no) if no.error == "users_not_found" => left_out.push(format!("{person} (not known to Slack)")),
                Err(no) => return Ok(self.refusal(&no)),
            }
        }
        if !users.is_empty() {
            let ids: Vec<&str> = users.iter().map(|(id, _)| id.as_str()).collect();
            let body = json!({ "channel": room.id, "users": ids.join(","), "force": true });
            let failed = match self.post::<Invited>("conversations.invite", &body).await? {
                Ok(invited) => invited.errors,
                Err(no) if OF_A_GUEST.contains(&no.error.as_str()) => each(no, &ids),
                Err(no) => return Ok(self.refusal_in(&no, Some(room))),
            };
            let called =
                |id: &str| users.iter().find(|(known, _)| known == id).map_or(id, |(_, called)| *called).to_owned();
            let failed = failed.iter().filter(|one| !IN_IT.contains(&one.error.as_str()));
            left_out.extend(failed.map(|one| format!("{} ({})", called(&one.user), one.error)));
        }
        let name = match left_out.is_empty() {
            true => return Ok(Receipt::There(room.clone())),
            false => format!("{} without {}", room.called(), left_out.join(", ")),
        };
        Ok(Receipt::There(Remote { name: Some(CleanStr::new(&name)), ..room.clone() }))
    }

    /// Keeps the message at the top of the channel; the first time it is posted and put there.
    pub(super) async fn pin(&self, parcel: &Parcel, room: &Remote) -> Result<Receipt, Failure> {
        if let Some(message) = &parcel.made {
            let body = json!({ "channel": room.id, "ts": message.id, "text": escaped(&parcel.text) });
            return Ok(match self.post::<Done>("chat.update", &body).await? {
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

    pub(super) async fn to_the_top(&self, room: &Remote, message: Remote) -> Result<Receipt, Failure> {
        let body = json!({ "channel": room.id, "timestamp": message.id });
        let why = match self.post::<Done>("pins.add", &body).await? {
            Err(no) if no.error != "already_pinned" => no.error,
            Ok(_) | Err(_) => return Ok(Receipt::There(Remote { name: None, ..message })),
        };
        let name = CleanStr::new(&format!("{}, not pinned ({why})", message.id));
        Ok(Receipt::There(Remote { name: Some(name), ..message }))
    }
}

/// An invitation that failed as a whole, for each of whom it was for.
fn each(no: Refusal, ids: &[&str]) -> Vec<NotInvited> {
    if !no.errors.is_empty() {
        return no.errors;
    }
    ids.iter().map(|id| NotInvited { user: (*id).to_owned(), error: no.error.clone() }).collect()
}
