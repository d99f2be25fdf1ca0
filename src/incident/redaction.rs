//! What is left of an event once its words are taken out.
//!
//! Hides which parts of an event are words (they go) and which say what happened when (they stay, so that the record folds as before): the words are a
//! table of field names, asked for every event alike, so that an event that is added later is redacted without a line here.
//!
//! Invariant: taking the words out twice is the same as once; an event that has none to take is left alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

/// What stands where words were.
pub const REDACTED: &str = "(redacted)";

/// Fields in which people's words stand, whatever the event.
const WORDS: [&str; 31] = [
    "action",
    "argv",
    "brief",
    "directory",
    "final_status",
    "geography",
    "how",
    "labels",
    "link",
    "objective",
    "partners",
    "plan_b",
    "query",
    "reason",
    "risk",
    "rollback",
    "seen",
    "series",
    "summary",
    "tail",
    "text",
    "worded",
    "title",
    "trace",
    "undo",
    "url",
    "value",
    "values",
    "what",
    "why",
    "words",
];

/// Fields with words that earlier builds left in a redacted entry: what they left is not taken for a change of the file.
const WORDS_SINCE: [&str; 7] = ["despite", "exact", "not-started", "nothing", "outcomes", "stopped", "unknown"];

/// Fields that hold words in one kind of event and something else in another.
const WORDS_OF: [(&str, &str); 3] =
    [("hypothesis-settled", "evidence"), ("reviewed", "outcome"), ("step-answered", "answer")];

impl Event {
    /// The event without its words; nothing for an event that has none.
    pub fn without_words(&self) -> Option<Self> {
        self.without(&|name| WORDS.contains(&name) || WORDS_SINCE.contains(&name))
    }

    fn without(&self, is_word: &dyn Fn(&str) -> bool) -> Option<Self> {
        // How an entry was redacted is said for ever; files are known by their digest.
        if matches!(
            self,
            Self::EntryRedacted(_) | Self::PlaybookFrozen(_) | Self::DrillStarted(_) | Self::Unrecognised { .. }
        ) {
            return None;
        }
        let kind = self.kind().to_owned();
        let mut body: Value = serde_json::from_str(self.body().ok()?.get()).ok()?;
        if !take_words(&mut body, &|name| is_word(name) || WORDS_OF.contains(&(&kind, name)), false) {
            return None;
        }
        let body = serde_json::value::to_raw_value(&body).ok()?;
        Some(Self::from_wire(&kind, &body))
            .filter(|left| left.kind() == kind && !matches!(left, Self::Unrecognised { .. }))
    }

    /// Whether this is what is left of an event after [`Event::without_words`], of this build or of an earlier one.
    pub fn is_without_words(&self) -> bool {
        self.without(&|name| WORDS.contains(&name)).as_ref() == Some(self)
    }

    /// Whether a redaction of this entry takes this event's words too: the entry itself, corrections of it, and the text that a draft became.
    pub fn is_redacted_with(&self, own: EntryId, redacted: EntryId) -> bool {
        own == redacted
            || match self {
                Self::NoteAmended(body) => body.note == redacted,
                Self::StatusUpdatePosted(body) => body.draft == Some(redacted),
                _ => false,
            }
    }
}

/// Takes the words out of a JSON value; says whether there were any, or their place.
fn take_words(value: &mut Value, names_words: &dyn Fn(&str) -> bool, is_word: bool) -> bool {
    match value {
        Value::String(text) if is_word && !text.is_empty() => {
            REDACTED.clone_into(text);
            true
        }
        Value::Array(values) => {
            values.iter_mut().filter_map(|value| take_words(value, names_words, is_word).then_some(())).count() > 0
        }
        Value::Object(fields) => {
            let taken = fields
                .iter_mut()
                .filter_map(|(name, value)| take_words(value, names_words, is_word || names_words(name)).then_some(()));
            taken.count() > 0
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The entries whose words are gone, of all that are known.
pub(super) fn redacted<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeSet<EntryId> {
    entries
        .filter_map(|entry| if let Event::EntryRedacted(body) = &entry.event { Some(body.entry) } else { None })
        .collect()
}

/// An entry as it counts: without its words where a redaction names it or what it corrects.
pub(super) fn bare(entry: &Entry, redacted: &BTreeSet<EntryId>) -> Option<Entry> {
    let is_gone = redacted.iter().any(|id| entry.event.is_redacted_with(entry.id, *id));
    let event = is_gone.then(|| entry.event.without_words()).flatten()?;
    Some(Entry { event, ..entry.clone() })
}

/// Other entries that say the same words: what was queued for other systems of an update, the other end of a command.
pub(super) fn copies(incident: &Incident, of: &Entry) -> Vec<EntryId> {
    let text = match &of.event {
        Event::StatusUpdatePosted(update) => Some(&update.text),
        Event::UpdateDrafted(draft) => Some(&draft.update.text),
        _ => None,
    };
    let run = match &of.event {
        Event::CommandStarted(_) => Some(of.id),
        Event::CommandEnded(body) => Some(body.run),
        _ => None,
    };
    let says_it = |entry: &&Entry| match &entry.event {
        Event::DeliveryQueued(body) => text.is_some_and(|text| body.text == *text),
        Event::CommandStarted(_) => run == Some(entry.id) && entry.id != of.id,
        Event::CommandEnded(body) => run == Some(body.run) && entry.id != of.id,
        _ => false,
    };
    incident.entries().filter(says_it).map(|entry| entry.id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::incident::event::fake::Filling;

    /// What stays of an event: who, where, which thing, by its name or number. Whatever else a body holds are words, and go.
    const STAYS: &[&str] = &[
        "acknowledged",
        "actor",
        "adopt",
        "alerts",
        "by",
        "choice",
        "component",
        "components",
        "console",
        "digest",
        "env",
        "environment",
        "fault",
        "fingerprint",
        "from",
        "holder",
        "host",
        "id",
        "invite",
        "keeps",
        "key",
        "matchers",
        "name",
        "owner",
        "page",
        "path",
        "playbook",
        "position",
        "present",
        "reassign",
        "remote",
        "service",
        "step",
        "tag",
        "target",
        "tell",
        "to",
        "via",
        "who",
        "zone",
    ];

    fn names_of(value: &Value, name: &str, word: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::String(text) if text.contains(word) => {
                found.insert(name.to_owned());
            }
            Value::Array(values) => values.iter().for_each(|value| names_of(value, name, word, found)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| names_of(value, name, word, found)),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    #[test]
    fn of_every_event_only_names_and_numbers_stay_once_its_words_are_taken_out() {
        let mut left = BTreeSet::new();
        for kind in Event::KINDS {
            for seed in 0..100 {
                let event = Event::fake(kind, &Filling { texts: &["kangaroo"], seed }).unwrap();
                if matches!(event, Event::EntryRedacted(_) | Event::PlaybookFrozen(_) | Event::DrillStarted(_)) {
                    continue;
                }
                let bare = event.without_words().unwrap_or(event);
                let body = serde_json::from_str(bare.body().unwrap().get()).unwrap();
                names_of(&body, kind, "kangaroo", &mut left);
            }
        }
        assert_eq!(
            left.iter().map(String::as_str).collect::<Vec<_>>(),
            STAYS,
            "words that cannot be redacted, or a new name"
        );
    }
}
