//! What Slack answers: one struct for each method.
//!
//! Hides that a refusal comes with a 200, and which parts of an answer may be missing, empty or null.
//!
//! Invariant: a method's answer is read by its own struct, and a part that nobody asked for cannot keep it from being read.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::channel::bears;
use crate::incident::{Parcel, Remote};

/// The mark of our messages in their metadata.
pub(super) const MARK: &str = "warroom";

/// What a refusal says, of any method.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Refusal {
    /// Its word: `channel_not_found`.
    #[serde(default)]
    pub error: String,
    /// The argument that is missing or wrong.
    #[serde(default)]
    pub arg: Option<String>,
    /// The scope that it takes.
    #[serde(default)]
    pub needed: Option<String>,
    /// The scopes that the token has.
    #[serde(default)]
    pub provided: Option<String>,
    /// Of an invitation: whom it failed for.
    #[serde(default, deserialize_with = "or_default")]
    pub errors: Vec<NotInvited>,
}

/// Reads an answer: what the method says, or its refusal.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<Result<T, Refusal>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Envelope {
        ok: bool,
    }
    let said: Value = serde_json::from_str(text)?;
    let is_ok = Envelope::deserialize(&said)?.ok;
    Ok(if is_ok { Ok(T::deserialize(said)?) } else { Err(Refusal::deserialize(said)?) })
}

/// Of a method that only does something: nothing more than that it is done.
#[derive(Debug, Deserialize)]
pub(super) struct Done {}

/// `auth.test`: its `user` is a name.
#[derive(Debug, Deserialize)]
pub(super) struct AuthTest {
    /// The workspace's name; an organisation's token may have none.
    #[serde(default, deserialize_with = "or_default")]
    pub team: String,
    /// The workspace, by ID.
    #[serde(default, deserialize_with = "or_default")]
    pub team_id: String,
    /// Who the app is there, by ID.
    #[serde(default, deserialize_with = "or_default")]
    pub user_id: String,
    /// The organisation, by ID, where the workspace is one of several.
    #[serde(default, deserialize_with = "or_default")]
    pub enterprise_id: String,
    /// The token is the organisation's, and good for many workspaces.
    #[serde(default, deserialize_with = "or_default")]
    pub is_enterprise_install: bool,
}

/// `auth.teams.list`: the workspaces of an organisation that the app was let into.
#[derive(Debug, Deserialize)]
pub(super) struct Workspaces {
    /// A page of them.
    #[serde(default)]
    pub teams: Vec<Workspace>,
    /// The next one.
    #[serde(default, deserialize_with = "or_default")]
    pub response_metadata: Paging,
}

/// A workspace of an organisation.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Workspace {
    /// How it is found.
    pub id: String,
    /// How people call it.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
}

/// `conversations.info`, `conversations.create`: one channel.
#[derive(Debug, Deserialize)]
pub(super) struct OneRoom {
    /// It.
    pub channel: Room,
}

/// `conversations.list`.
#[derive(Debug, Deserialize)]
pub(super) struct Rooms {
    /// A page of it.
    #[serde(default)]
    pub channels: Vec<Room>,
    /// The next one.
    #[serde(default, deserialize_with = "or_default")]
    pub response_metadata: Paging,
}

/// `conversations.members`.
#[derive(Debug, Deserialize)]
pub(super) struct Members {
    /// Who is in the channel, by ID.
    #[serde(default)]
    pub members: Vec<String>,
    /// The next page.
    #[serde(default, deserialize_with = "or_default")]
    pub response_metadata: Paging,
}

/// `users.list`: its `members` are people, not IDs.
#[derive(Debug, Deserialize)]
pub(super) struct People {
    /// A page of them.
    #[serde(default)]
    pub members: Vec<Person>,
    /// The next one.
    #[serde(default, deserialize_with = "or_default")]
    pub response_metadata: Paging,
}

/// `users.lookupByEmail`: its `user` is an object.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    /// Who it is.
    pub user: Person,
}

/// `conversations.history`.
#[derive(Debug, Deserialize)]
pub(super) struct History {
    /// A page of it, the newest first.
    #[serde(default)]
    pub messages: Vec<Message>,
    /// The next one.
    #[serde(default, deserialize_with = "or_default")]
    pub response_metadata: Paging,
}

/// `chat.postMessage`: its `channel` is an ID.
#[derive(Debug, Deserialize)]
pub(super) struct Posted {
    /// How the message is found.
    #[serde(default)]
    pub ts: Option<String>,
}

/// `conversations.invite`: with `force` those who could not be invited stand beside the success.
#[derive(Debug, Deserialize)]
pub(super) struct Invited {
    /// Whom it failed for.
    #[serde(default, deserialize_with = "or_default")]
    pub errors: Vec<NotInvited>,
}

/// `chat.getPermalink`.
#[derive(Debug, Deserialize)]
pub(super) struct Permalink {
    /// Where a person reads the message.
    pub permalink: String,
}

/// Somebody who could not be invited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct NotInvited {
    /// Who, by ID.
    #[serde(default, deserialize_with = "or_default")]
    pub user: String,
    /// Why, in a word.
    #[serde(default, deserialize_with = "or_default")]
    pub error: String,
}

/// A channel.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Room {
    /// How it is found.
    pub id: String,
    /// How people call it, without `#`.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// When it was made, in seconds.
    #[serde(default, deserialize_with = "or_default")]
    pub created: i64,
    /// Nobody can write there any more.
    #[serde(default, deserialize_with = "or_default")]
    pub is_archived: bool,
    /// Only who is invited reads it.
    #[serde(default, deserialize_with = "or_default")]
    pub is_private: bool,
    /// The app is in it; a list does not say.
    #[serde(default)]
    pub is_member: Option<bool>,
    /// Shared with another workspace, of this company or another one.
    #[serde(default, deserialize_with = "or_default")]
    pub is_shared: bool,
    /// Shared with another company.
    #[serde(default, deserialize_with = "or_default")]
    pub is_ext_shared: bool,
    /// Another company is invited.
    #[serde(default, deserialize_with = "or_default")]
    pub is_pending_ext_shared: bool,
    /// Shared between workspaces of one company.
    #[serde(default, deserialize_with = "or_default")]
    pub is_org_shared: bool,
    /// Nobody writes there but who may.
    #[serde(default, deserialize_with = "or_default")]
    pub is_read_only: bool,
    /// What else is set of it.
    #[serde(default, deserialize_with = "or_default")]
    pub properties: Properties,
    /// What it is for, in words.
    #[serde(default, deserialize_with = "or_default")]
    pub purpose: Words,
}

/// What is set of a channel.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Properties {
    /// Who may post, where not everybody may.
    #[serde(default)]
    pub posting_restricted_to: Option<Restricted>,
}

/// Those who may do something.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Restricted {
    /// By ID; whole kinds of people stand beside them.
    #[serde(default, deserialize_with = "or_default")]
    pub user: Vec<String>,
}

/// A topic or a purpose.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Words {
    /// The words.
    #[serde(default, deserialize_with = "or_default")]
    pub value: String,
}

/// Somebody of the workspace, or of another one.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Person {
    /// How they are found.
    pub id: String,
    /// How they call themselves.
    #[serde(default, deserialize_with = "or_default")]
    pub real_name: String,
    /// What the workspace calls them, where nothing else is said.
    #[serde(default, deserialize_with = "or_default")]
    pub name: String,
    /// A guest of several channels.
    #[serde(default, deserialize_with = "or_default")]
    pub is_restricted: bool,
    /// A guest of one channel.
    #[serde(default, deserialize_with = "or_default")]
    pub is_ultra_restricted: bool,
    /// Gone.
    #[serde(default, deserialize_with = "or_default")]
    pub deleted: bool,
}

/// A message.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Message {
    /// How it is found.
    #[serde(default)]
    pub ts: String,
    /// Its text, which may be empty where blocks, files or attachments say it.
    #[serde(default, deserialize_with = "or_default")]
    pub text: String,
    /// Who wrote it, by ID.
    #[serde(default, deserialize_with = "or_default")]
    pub user: String,
    /// Where it is pinned.
    #[serde(default, deserialize_with = "or_default")]
    pub pinned_to: Vec<String>,
    /// Its reactions.
    #[serde(default, deserialize_with = "or_default")]
    pub reactions: Vec<Reaction>,
    /// The app's name for itself, of a message that an app wrote.
    #[serde(default, deserialize_with = "or_default")]
    pub username: String,
    /// The app that wrote it.
    #[serde(default)]
    pub bot_profile: Value,
    /// Its parts, of a message that has a layout.
    #[serde(default)]
    pub blocks: Value,
    /// What older apps have in place of blocks.
    #[serde(default)]
    pub attachments: Value,
    /// Files that came with it.
    #[serde(default)]
    pub files: Value,
    /// What programs keep with it.
    #[serde(default)]
    pub metadata: Option<Metadata>,
}

/// `users.info`: its `user` is an object.
#[derive(Debug, Deserialize)]
pub(super) struct OnePerson {
    /// Who it is.
    pub user: Person,
}

/// `pins.list`.
#[derive(Debug, Deserialize)]
pub(super) struct Pins {
    /// What is pinned, files too.
    #[serde(default)]
    pub items: Vec<Pin>,
}

/// Something that is pinned.
#[derive(Debug, Deserialize)]
pub(super) struct Pin {
    /// The message, where it is one.
    #[serde(default)]
    pub message: Option<Message>,
}

/// A reaction to a message.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Reaction {
    /// Its name.
    pub name: String,
}

/// What programs keep with a message.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    /// Whose it is.
    #[serde(default)]
    pub event_type: String,
    /// What it is.
    #[serde(default)]
    pub event_payload: Value,
}

/// Where a list goes on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Paging {
    /// Empty at the end.
    #[serde(default, deserialize_with = "or_default")]
    pub next_cursor: String,
}

impl Room {
    /// Whether its purpose says that a parcel opened it.
    pub(super) fn is_of(&self, parcel: &Parcel) -> bool {
        bears(&self.purpose.value, &parcel.op)
    }

    /// Whether this incident has opened it, at whichever try.
    pub(super) fn is_of_record(&self, parcel: &Parcel) -> bool {
        parcel.ops.iter().any(|op| bears(&self.purpose.value, op))
    }

    /// Whether posting there is for some, and not for this one by name.
    pub(super) fn is_restricted_for(&self, user: &str) -> bool {
        let restricted = self.properties.posting_restricted_to.as_ref();
        let is_named = restricted.is_some_and(|restricted| restricted.user.iter().any(|one| one == user));
        (self.is_read_only || restricted.is_some()) && !is_named
    }

    /// Whether some record has opened it.
    pub(super) fn is_marked(&self) -> bool {
        self.purpose.value.starts_with("warroom ")
    }
}

impl From<Room> for Remote {
    fn from(room: Room) -> Self {
        Self { name: Some(room.name.as_str().into()), ..Self::from(room.id.as_str()) }
    }
}

impl Person {
    /// What people call them.
    pub(super) fn called(&self) -> &str {
        [&self.real_name, &self.name].into_iter().find(|name| !name.is_empty()).unwrap_or(&self.id)
    }
}

impl Message {
    /// Which piece of a delivery's text it is; the only one where it is not in pieces.
    pub(super) fn piece_of(&self, op: &str) -> Option<usize> {
        let metadata = self.metadata.as_ref().filter(|metadata| metadata.event_type == MARK)?;
        let said = &metadata.event_payload;
        (said.get("op").and_then(Value::as_str) == Some(op)).then(|| {
            let part = said.get("part").and_then(Value::as_u64).and_then(|part| usize::try_from(part).ok());
            part.map_or(0, |part| part.saturating_sub(1))
        })
    }

    /// Whether it is a message of ours at all.
    pub(super) fn is_ours(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.event_type == MARK)
    }

    /// Its words, wherever they stand; never nothing.
    pub(super) fn words(&self) -> String {
        if !self.text.trim().is_empty() {
            return self.text.clone();
        }
        let mut said = Vec::new();
        words_of(&self.blocks, &["text"], &mut said);
        words_of(&self.attachments, &["fallback"], &mut said);
        if said.is_empty() {
            words_of(&self.attachments, &["pretext", "title", "text"], &mut said);
        }
        let mut files = Vec::new();
        words_of(&self.files, &["title", "name"], &mut files);
        said.extend(files.first().map(|name| format!("(file {name})")));
        if said.is_empty() { "(a message without words)".to_owned() } else { said.join(" ") }
    }
}

/// All texts below some keys, in their order.
fn words_of(said: &Value, keys: &[&str], into: &mut Vec<String>) {
    match said {
        Value::Array(all) => all.iter().for_each(|one| words_of(one, keys, into)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if keys.contains(&key.as_str()) && !text.trim().is_empty() => {
                        into.push(text.trim().to_owned());
                    }
                    Value::Array(_) | Value::Object(_) => words_of(value, keys, into),
                    Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
                }
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Null is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(input: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(input)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
