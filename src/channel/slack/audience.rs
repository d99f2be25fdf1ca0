//! Who reads a channel, looked at before a text leaves for it.
//!
//! Hides in how many ways a channel can have readers from outside: shared with another company, about to be, guests in it, public where it was to be
//! private.
//!
//! Invariant: a text that was meant inside goes to a channel with outsiders only when a person said so for this incident; that nobody can say who
//! reads is a reason to ask, too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Slack;
use super::answers::{Members, OneRoom, People, Room};
use crate::channel::nothing_written;
use crate::checkup::Finding;
use crate::clock;
use crate::incident::{Parcel, Receipt, Way};
use crate::source::http::Failure;
use crate::text::CleanStr;

/// So long a look at a channel counts.
const FRESH: Duration = Duration::from_secs(60);
/// So long the list of the workspace's guests counts.
const GUESTS_FRESH: Duration = Duration::from_secs(3600);
/// So many pages of people are read, a thousand each.
const MOST_PAGES: usize = 5;
/// So many guests are named.
const MOST_NAMED: usize = 3;

/// Who reads a channel.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    /// When that was looked at, by the clock that counts from the boot.
    at: Duration,
    /// How people call the channel.
    name: String,
    /// What is the matter with them.
    matters: Vec<Matter>,
}

/// Something about who reads a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matter {
    /// Another company reads it.
    Shared,
    /// Another company is invited.
    Pending,
    /// Other workspaces of this company read it.
    Organisation,
    /// Guests are in it, by name.
    Guests(Vec<String>),
    /// Everybody reads it where only those who are invited should.
    Public,
    /// Slack does not say.
    Unknown(String),
}

impl Matter {
    /// What is remembered of a person's word, with the facts that it was for.
    fn key(&self, channel: &str) -> String {
        let what = match self {
            Self::Shared => "shared".to_owned(),
            Self::Pending => "pending".to_owned(),
            Self::Organisation => "organisation".to_owned(),
            Self::Guests(names) => format!("guests/{}", names.join(",")),
            Self::Public => "public".to_owned(),
            Self::Unknown(_) => "unknown".to_owned(),
        };
        format!("slack/{channel}/{what}")
    }

    /// What is the matter, in a sentence.
    pub(super) fn said(&self) -> String {
        match self {
            Self::Shared => "it is shared with another company, which reads what is written there".to_owned(),
            Self::Pending => {
                "another company is invited to share it, and reads what is written there when it accepts".to_owned()
            }
            Self::Organisation => "it is shared with other workspaces of your organisation".to_owned(),
            Self::Guests(names) => {
                let more = names.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let named = names[..names.len().min(MOST_NAMED)].join(", ");
                format!("guests are in it, who read what is written there: {named}{more}")
            }
            Self::Public => {
                "it is public, and [slack-channels] wants incidents' channels private: everybody reads it".to_owned()
            }
            Self::Unknown(why) => format!("Slack does not say who reads it ({why})"),
        }
    }

    /// Whether people outside of the company, or more than were meant, read it.
    fn is_outside(&self) -> bool {
        !matches!(self, Self::Organisation)
    }
}

/// What a channel says of itself.
pub(super) fn of_room(room: &Room, wants_private: bool) -> Vec<Matter> {
    let mut matters = Vec::new();
    // An older answer says only that it is shared, and not with whom.
    if room.is_ext_shared || (room.is_shared && !room.is_org_shared) {
        matters.push(Matter::Shared);
    } else if room.is_pending_ext_shared {
        matters.push(Matter::Pending);
    }
    if room.is_org_shared {
        matters.push(Matter::Organisation);
    }
    if wants_private && !room.is_private {
        matters.push(Matter::Public);
    }
    matters
}

impl Slack {
    /// What a person must decide before a text leaves for a channel; nothing where only those read it who should.
    pub(super) async fn question(
        &self,
        parcel: &Parcel,
        channel: &str,
        wants_private: bool,
    ) -> Result<Option<Receipt>, Failure> {
        let (name, matters) = self.readers(channel, wants_private).await?;
        let is_open = |matter: &&Matter| {
            let key = matter.key(channel);
            matter.is_outside() && !parcel.choices.iter().any(|choice| **choice == *key)
        };
        let Some(matter) = matters.iter().find(is_open) else { return Ok(None) };
        let named = if name.is_empty() { channel.to_owned() } else { format!("#{name}") };
        let why = CleanStr::new(&format!("{named}: {}", matter.said()));
        let way = Way::new("send it: they may read this and what follows of this incident", &matter.key(channel));
        Ok(Some(Receipt::Asks { why, ways: vec![way] }))
    }

    /// Who reads a channel, as it is now; where Slack refuses the question for another reason than a scope, the text itself will say why.
    async fn readers(&self, channel: &str, wants_private: bool) -> Result<(String, Vec<Matter>), Failure> {
        let now = clock::boot();
        let mut seen = self.seen.lock().await;
        if let Some(known) = seen.get(channel).filter(|known| now.saturating_sub(known.at) < FRESH) {
            return Ok((known.name.clone(), known.matters.clone()));
        }
        let asked = self.get::<OneRoom>("conversations.info", &[("channel", channel)]).await;
        let room = match asked.map_err(nothing_written)? {
            Ok(one) => one.channel,
            Err(no) if no.error == "missing_scope" => {
                let why = format!("the token lacks {}", no.needed.as_deref().unwrap_or("a scope"));
                return Ok((String::new(), vec![Matter::Unknown(why)]));
            }
            Err(_) => return Ok((String::new(), Vec::new())),
        };
        let mut matters = of_room(&room, wants_private);
        // Where the token may not ask for guests, doctor says so.
        if let Ok(Ok(guests)) = self.guests_in(channel).await {
            matters.extend((!guests.is_empty()).then_some(Matter::Guests(guests)));
        }
        let (name, kept) = (room.name, matters.clone());
        seen.insert(channel.to_owned(), Readers { at: now, name: name.clone(), matters: kept });
        Ok((name, matters))
    }

    /// The names of the guests of a channel, or why Slack does not say.
    pub(super) async fn guests_in(&self, channel: &str) -> Result<Result<Vec<String>, String>, Failure> {
        let guests = match self.guests().await? {
            Ok(guests) => guests,
            Err(why) => return Ok(Err(why)),
        };
        let mut names = Vec::new();
        let mut cursor = String::new();
        if guests.is_empty() {
            return Ok(Ok(names));
        }
        for _ in 0..MOST_PAGES {
            let query = [("channel", channel), ("limit", "1000"), ("cursor", &cursor)];
            let page = match self.get::<Members>("conversations.members", &query).await? {
                Ok(page) => page,
                Err(no) => return Ok(Err(self.refused(&no).reason.to_string())),
            };
            names.extend(page.members.iter().filter_map(|id| guests.get(id).cloned()));
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                names.sort();
                return Ok(Ok(names));
            }
        }
        Ok(Err(format!("more than {} people are in it", MOST_PAGES * 1000)))
    }

    /// All guests of the workspace, by ID.
    async fn guests(&self) -> Result<Result<Arc<BTreeMap<String, String>>, String>, Failure> {
        let mut kept = self.guests.lock().await;
        let now = clock::boot();
        if let Some((at, guests)) = &*kept
            && now.saturating_sub(*at) < GUESTS_FRESH
        {
            return Ok(Ok(guests.clone()));
        }
        let (mut guests, mut cursor) = (BTreeMap::new(), String::new());
        for _ in 0..MOST_PAGES {
            let query = [("limit", "1000"), ("cursor", &cursor), ("team_id", self.team())];
            let page = match self.get::<People>("users.list", &query).await? {
                Ok(page) => page,
                Err(no) => {
                    let needed = no.needed.as_ref().map(|scope| format!("the token lacks {scope}"));
                    return Ok(Err(needed.unwrap_or_else(|| self.refused(&no).reason.to_string())));
                }
            };
            let is_guest =
                |one: &super::answers::Person| !one.deleted && (one.is_restricted || one.is_ultra_restricted);
            guests.extend(page.members.into_iter().filter(is_guest).map(|one| {
                let name = if one.real_name.is_empty() { one.id.clone() } else { one.real_name };
                (one.id, name)
            }));
            cursor = page.response_metadata.next_cursor;
            if cursor.is_empty() {
                let guests = Arc::new(guests);
                *kept = Some((now, guests.clone()));
                return Ok(Ok(guests));
            }
        }
        Ok(Err(format!("the workspace has more than {} people", MOST_PAGES * 1000)))
    }

    /// What doctor says of a channel's readers.
    pub(super) async fn of_readers(&self, what: &str, room: &Room) -> Vec<Finding> {
        let what = format!("{what}: readers");
        let mut matters = of_room(room, false);
        let guests = match self.guests_in(&room.id).await {
            Ok(Ok(guests)) => {
                matters.extend((!guests.is_empty()).then_some(Matter::Guests(guests)));
                None
            }
            Ok(Err(why)) => Some(why),
            Err(failure) => Some(failure.reason.to_string()),
        };
        let asks =
            |matter: &Matter| if matter.is_outside() { ": each incident asks before its first text" } else { "" };
        let mut findings: Vec<_> = matters
            .iter()
            .map(|matter| Finding::doubtful(&what, &format!("{}{}", matter.said(), asks(matter))))
            .collect();
        findings.extend(guests.map(|why| Finding::untried(&what, &format!("whether guests are in it: {why}"))));
        if findings.is_empty() {
            findings.push(Finding::fine(&what, "nobody from outside"));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_reader_from_outside_is_seen() {
        let room = |said: &str| serde_json::from_str::<Room>(said).unwrap();
        for (said, wants_private, expected) in [
            (r#"{"id":"C1"}"#, false, vec![]),
            (r#"{"id":"C1","is_shared":true,"is_ext_shared":true}"#, false, vec![Matter::Shared]),
            (r#"{"id":"C1","is_shared":true}"#, false, vec![Matter::Shared]),
            (r#"{"id":"C1","is_pending_ext_shared":true}"#, false, vec![Matter::Pending]),
            (r#"{"id":"C1","is_shared":true,"is_org_shared":true}"#, false, vec![Matter::Organisation]),
            (
                r#"{"id":"C1","is_shared":true,"is_org_shared":true,"is_ext_shared":true}"#,
                false,
                vec![Matter::Shared, Matter::Organisation],
            ),
            (r#"{"id":"C1","is_private":false}"#, true, vec![Matter::Public]),
            (r#"{"id":"C1","is_private":true}"#, true, vec![]),
        ] {
            assert_eq!(of_room(&room(said), wants_private), expected, "{said}");
        }
        let keys: std::collections::BTreeSet<_> = [
            Matter::Shared,
            Matter::Pending,
            Matter::Public,
            Matter::Guests(vec!["Ann".to_owned()]),
            Matter::Guests(vec!["Ann".to_owned(), "Bob".to_owned()]),
            Matter::Unknown("x".to_owned()),
        ]
        .iter()
        .map(|matter| matter.key("C1"))
        .collect();
        assert_eq!(keys.len(), 6, "a word for one fact is none for another");
    }
}
