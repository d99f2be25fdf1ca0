//! An incident's own channel: looked for, opened, peopled, with a message at its top.
//!
//! Hides that a name is taken for ever, that lists show a new channel late, and that an invitation can succeed for some.
//!
//! Invariant: a channel that may have been opened is looked for until the lists have had time to show it, and is opened once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::answers::{Done, Found, Invited, NotInvited, OneRoom, Refusal, Room, Rooms};
use super::{Slack, refusals};
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
/// The list takes twenty requests a minute from all consoles together.
const MOST_LISTS: usize = 15;
const MINUTE: Duration = Duration::from_secs(60);
/// A list that is read on in a while is asked for again after this.
const READ_ON: TimeDelta = TimeDelta::seconds(30);
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

/// Whether a channel of a name is there.
#[derive(Debug)]
pub(super) enum Seen {
    /// It is.
    There(Room),
    /// The whole list has none.
    Nowhere,
    /// The list is long, and is read on in a while.
    Later,
}

/// The list of the workspace's channels, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Listing {
    known: BTreeMap<String, Room>,
    /// Where it is read on; empty at its beginning.
    cursor: String,
    /// The kinds of channels that the token may list, where those are not all.
    types: Option<&'static str>,
    /// When it was asked within the last minute, by the clock that counts from the boot.
    asked: VecDeque<Duration>,
}

impl Listing {
    /// Whether a page may be asked for, and that it is.
    fn may_ask(&mut self, now: Duration) -> bool {
        while self.asked.front().is_some_and(|at| now.saturating_sub(*at) >= MINUTE) {
            self.asked.pop_front();
        }
        let may = self.asked.len() < MOST_LISTS;
        if may {
            self.asked.push_back(now);
        }
        may
    }
}

impl Slack {
    /// Adopts the channel that another system opens for the incident; one that is older belongs to somebody else.
    pub(super) async fn find(&self, parcel: &Parcel, since: DateTime<Utc>) -> Result<Receipt, Failure> {
        let found = self.found(parcel, since).await.map_err(nothing_written)?;
        let since = self.theirs(since);
        let room = match found {
            Seen::There(room) => Some(room),
            Seen::Nowhere => None,
            Seen::Later => {
                let why = format!("slack has many channels, and #{} is looked for among the rest soon", parcel.target);
                return Ok(Receipt::NotYet { why: CleanStr::new(&why), wait: READ_ON });
            }
        };
        let Some(room) = room else {
            let why = format!(
                "slack has no #{} of this incident yet: `open-channel` opens it, `link-channel` takes one that is there",
                parcel.target
            );
            // It is as young as the incident, with the ten minutes that clocks and beginnings differ by.
            let wait = if clock::wall() - since < SOON { LOOK_SOON } else { LOOK_AGAIN };
            return Ok(Receipt::NotYet { why: CleanStr::new(&why), wait });
        };
        // Who is not in it can neither pin nor invite; where it is not allowed, that says so later.
        let _ = self.post::<Done>("conversations.join", &json!({ "channel": room.id })).await;
        Ok(Receipt::There(room.into()))
    }

    /// Takes a channel that somebody opened, by its name or its ID: one that is another incident's is not taken.
    pub(super) async fn adopted(&self, parcel: &Parcel, name: &str, is_private: bool) -> Result<Receipt, Failure> {
        let refused = |why: String| Ok(Receipt::Refused(CleanStr::new(&why)));
        let is_id = name.len() >= 9 && name.starts_with(['C', 'G']) && !name.contains(char::is_lowercase);
        let seen = if is_id {
            match self.get::<OneRoom>("conversations.info", &[("channel", name)]).await.map_err(nothing_written)? {
                Ok(one) => Seen::There(one.channel),
                Err(no) if no.error == "channel_not_found" => Seen::Nowhere,
                Err(no) => return Ok(self.refusal(&no)),
            }
        } else {
            self.room(&name.to_lowercase()).await.map_err(nothing_written)?
        };
        let room = match seen {
            Seen::There(room) => room,
            Seen::Later => {
                let why = format!("slack has many channels, and #{name} is looked for among the rest soon");
                return Ok(Receipt::NotYet { why: CleanStr::new(&why), wait: READ_ON });
            }
            Seen::Nowhere => {
                return refused(format!(
                    "slack shows no #{name}: is it written so, and is the app in it if it is private?"
                ));
            }
        };
        if room.is_archived {
            return refused(format!("#{} is archived: unarchive it, or link another one", room.name));
        }
        if is_private && !room.is_private {
            return refused(format!(
                "everybody reads #{}, and this incident is for those who are invited: make the channel private, or link another one",
                room.name
            ));
        }
        if room.is_marked() && !room.is_of_record(parcel) {
            return refused(format!("#{} is another incident's ({}): link another one", room.name, room.purpose.value));
        }
        let (is_in, name) = (room.is_private || room.is_member == Some(true), room.name.clone());
        let joined = self.post::<Done>("conversations.join", &json!({ "channel": room.id })).await;
        let remote = Remote { is_adopted: true, ..room.into() };
        Ok(Receipt::There(match joined {
            // Who is not in it can neither write nor pin there.
            Ok(Err(no)) if !is_in => {
                let name = CleanStr::new(&format!("{name}, and the app is not in it ({}): /invite it", no.error));
                Remote { name: Some(name), ..remote }
            }
            Ok(_) | Err(_) => remote,
        }))
    }

    /// The channel that another system has opened for the incident by now.
    pub(super) async fn found(&self, parcel: &Parcel, since: DateTime<Utc>) -> Result<Seen, Failure> {
        let since = self.theirs(since);
        let is_new = |room: &Room| !room.is_archived && !room.is_marked() && room.created >= since.timestamp();
        Ok(match self.room(&parcel.target).await? {
            Seen::There(room) if !is_new(&room) => Seen::Nowhere,
            seen => seen,
        })
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
            let body = self.in_workspace(json!({ "name": name, "is_private": is_private }));
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
            match self.room(&name).await? {
                Seen::There(room) if self.is_it(&room, parcel, is_private, since) => {
                    return Ok(Receipt::There(room.into()));
                }
                // The name is taken, and by whom is not known yet.
                Seen::Later => {
                    let why = format!("#{name} is taken, and whether it is this incident's is looked up soon");
                    return Ok(Receipt::NotThere { why: CleanStr::new(&why), wait: Some(READ_ON) });
                }
                Seen::There(_) | Seen::Nowhere => {}
            }
        }
        let why = format!("#{} and {MOST_NAMES} names after it are other channels: rename one", parcel.target);
        Ok(Receipt::Refused(CleanStr::new(&why)))
    }

    /// Whether the channel was opened, where the answer was lost: a list that does not show it yet is no answer.
    pub(super) async fn opened(&self, parcel: &Parcel, is_private: bool, since: Option<DateTime<Utc>>) -> Receipt {
        match self.room(&parcel.target).await {
            Ok(Seen::There(room)) if self.is_it(&room, parcel, is_private, since) => Receipt::There(room.into()),
            Ok(Seen::Later) => Receipt::Unknown("slack has many channels: it is looked for among the rest soon".into()),
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
        let since = self.theirs(since.unwrap_or(parcel.first_sent_at - SOON_AFTER));
        let is_young = !room.is_archived && !room.is_marked() && room.created >= since.timestamp();
        // What was to be private does not go to one that everybody reads.
        room.is_of(parcel) || (is_young && (room.is_private || !is_private))
    }

    /// A channel by its name; private ones are seen where the token may. The list is read on from where it was left, within its tier.
    async fn room(&self, name: &str) -> Result<Seen, Failure> {
        let mut listing = self.rooms.lock().await;
        if let Some(room) = listing.known.get(name).cloned() {
            // It was there a while ago: how it is now is asked of itself.
            let seen = match self.get::<OneRoom>("conversations.info", &[("channel", &room.id)]).await? {
                Ok(one) if one.channel.name == name => Some(one.channel),
                Ok(_) => None,
                Err(no) if no.error == "channel_not_found" => None,
                Err(_) => Some(room),
            };
            match seen {
                Some(room) => {
                    listing.known.insert(name.to_owned(), room.clone());
                    return Ok(Seen::There(room));
                }
                None => listing.known.remove(name),
            };
        }
        let now = clock::boot();
        loop {
            if !listing.may_ask(now) {
                return Ok(Seen::Later);
            }
            let types = listing.types.unwrap_or("public_channel,private_channel");
            let team = self.team();
            let cursor = ("cursor", listing.cursor.as_str());
            let query = [("types", types), ("exclude_archived", "false"), ("limit", "200"), cursor, ("team_id", team)];
            let page = match self.get::<Rooms>("conversations.list", &query).await? {
                Ok(page) => page,
                // One scope that lacks refuses the whole question: what can be seen is looked at.
                Err(no) if no.error == "missing_scope" && listing.types.is_none() => {
                    listing.types = match no.needed.as_deref() {
                        Some("groups:read") => Some("public_channel"),
                        Some("channels:read") => Some("private_channel"),
                        _ => return Err(self.refused(&no)),
                    };
                    continue;
                }
                Err(no) if no.error == "invalid_cursor" && !listing.cursor.is_empty() => {
                    listing.cursor.clear();
                    continue;
                }
                Err(no) => return Err(self.refused(&no)),
            };
            listing.known.extend(page.channels.into_iter().map(|room| (room.name.clone(), room)));
            listing.cursor = page.response_metadata.next_cursor;
            if let Some(room) = listing.known.get(name).cloned() {
                return Ok(Seen::There(room));
            }
            if listing.cursor.is_empty() {
                // What is new is on the list when it is read again from its beginning.
                return Ok(Seen::Nowhere);
            }
        }
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
            left_out.extend(failed.map(|one| format!("{} ({})", called(&one.user), refusals::of_guest(&one.error))));
        }
        let name = match left_out.is_empty() {
            true => return Ok(Receipt::There(room.clone())),
            false => format!("{} without {}", room.called(), left_out.join(", ")),
        };
        Ok(Receipt::There(Remote { name: Some(CleanStr::new(&name)), ..room.clone() }))
    }

    /// Puts a message to the top of its channel.
    pub(super) async fn to_the_top(&self, room: &Remote, message: Remote) -> Result<Receipt, Failure> {
        let body = json!({ "channel": room.id, "timestamp": message.id });
        let why = match self.post::<Done>("pins.add", &body).await? {
            Err(no) if no.error != "already_pinned" => refusals::of_pin(&no),
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
