//! What this console wrote in this process: as it was asked, as the journal's commit named it, and as the record gave it back.
//!
//! Hides in which order the journal says that something is on disk and shows it: either can come first.
//!
//! Invariant: nothing is done for an entry but the one that this process asked for, that its own commit numbered, and that the record gave back word
//! for word. Names of consoles, hosts and people that stand in an entry decide nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::{Entry, EntryId, Event, Incident, Stamp};
use crate::pane::PaneId;
use crate::text::CleanStr;

/// What is on disk comes back within milliseconds; what has not after so long is not in the record.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(10);

/// What waits for the journal's answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    /// As it was confirmed here.
    pub(super) events: Vec<Event>,
    /// The typed line that it was, to be given back where it cannot be saved.
    pub(super) give_back: Option<(PaneId, String)>,
}

/// How an own entry came back.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Back {
    /// Word for word; the entry as this process wrote it.
    Same(Box<Entry>),
    /// Another one stands in its place, or none at all.
    Differs(EntryId, Box<Event>),
}

/// What this process committed.
#[derive(Clone, Debug)]
struct Due {
    /// As it was confirmed here; what must not be in a record is masked there.
    event: Event,
    /// What the commit made of it.
    hash: CleanStr,
    since: DateTime<Utc>,
}

/// All that this console wrote to the open record.
#[derive(Debug, Default)]
pub(super) struct Own {
    ticket: u64,
    asked: BTreeMap<u64, Asked>,
    /// On disk and not seen in the record.
    due: BTreeMap<EntryId, Due>,
    /// Seen in the record as the commit made it, by the hash of each: as it was confirmed here.
    back: BTreeMap<EntryId, (CleanStr, Event)>,
    /// What processes of this account wrote that are gone, by the hash of each entry; from a file that only this account can write.
    left_behind: BTreeMap<EntryId, CleanStr>,
    /// Those of them that this process did not ask for.
    strange: BTreeMap<EntryId, CleanStr>,
    /// What processes of this account wrote that still run, from the same place.
    beside: BTreeMap<EntryId, CleanStr>,
}

impl Own {
    /// As the next record finds it: nothing waits any more. What came back stays known: a record is opened again, and no two entries have one number.
    pub(super) fn of_next_record(self) -> Self {
        let Self { ticket, back, left_behind, strange, beside, asked: _, due: _ } = self;
        Self { ticket, back, left_behind, strange, beside, ..Self::default() }
    }

    /// Keeps what the journal is asked to write; its ticket comes back.
    pub(super) fn ask(&mut self, events: Vec<Event>, give_back: Option<(PaneId, String)>) -> u64 {
        self.ticket += 1;
        self.asked.insert(self.ticket, Asked { events, give_back });
        self.ticket
    }

    /// The journal's commit of a ticket gave these numbers; whether a typed line was among it comes back.
    pub(super) fn saved(&mut self, ticket: u64, stamps: Vec<Stamp>, since: DateTime<Utc>) -> bool {
        let Some(Asked { events, give_back }) = self.asked.remove(&ticket) else { return false };
        let due = stamps.into_iter().zip(events);
        self.due.extend(due.map(|(Stamp { id, hash }, event)| (id, Due { event, hash, since })));
        give_back.is_some()
    }

    /// The journal did not write this.
    pub(super) fn not_saved(&mut self, ticket: u64) -> Option<Asked> {
        self.asked.remove(&ticket)
    }

    /// What processes of this account have noted that are gone, and this one.
    pub(super) fn inherit(&mut self, left: BTreeMap<EntryId, CleanStr>) {
        self.left_behind = left;
    }

    /// Whether processes that are gone turned out to have written something. While this one writes, its own entries cannot be told from theirs.
    pub(super) fn left_more(&mut self) -> bool {
        if !self.asked.is_empty() {
            return false;
        }
        let is_ours = |id: &EntryId| self.back.contains_key(id) || self.due.contains_key(id);
        let strange = self.left_behind.iter().filter(|(id, _)| !is_ours(id));
        let strange: BTreeMap<_, _> = strange.map(|(id, hash)| (*id, hash.clone())).collect();
        let is_new = strange != self.strange;
        self.strange = strange;
        is_new
    }

    /// Whether an entry is this process's own, or one of this account whose process is gone: as it was written, and not only by what stands in it.
    pub(super) fn vouches_for(&self, entry: &Entry) -> bool {
        let hash = self.back.get(&entry.id).map(|(hash, _)| hash).or_else(|| self.left_behind.get(&entry.id));
        hash.is_some_and(|hash| is_noted(hash, entry))
    }

    /// What processes of this account have written that still run.
    pub(super) fn stand_beside(&mut self, written: BTreeMap<EntryId, CleanStr>) {
        self.beside = written;
    }

    /// Whether a process of this account wrote an entry, gone or not: what another one wrote may be believed, and is not gone on with.
    pub(super) fn knows(&self, entry: &Entry) -> bool {
        self.vouches_for(entry) || self.beside.get(&entry.id).is_some_and(|hash| is_noted(hash, entry))
    }

    /// Whether this process wrote an entry of this number.
    pub(super) fn wrote(&self, id: EntryId) -> bool {
        self.back.contains_key(&id)
    }

    /// Whether an entry is, or looks like, one that this process has just asked for.
    pub(super) fn expects(&self, entry: &Entry) -> bool {
        let is_asked =
            |event: &Event| event.kind() == entry.event.kind() && event.as_read().as_ref() == Some(&entry.event);
        self.due.contains_key(&entry.id) || self.asked.values().any(|asked| asked.events.iter().any(is_asked))
    }

    /// Whether something that was asked for is not state yet.
    pub(super) fn is_waiting(&self) -> bool {
        !(self.asked.is_empty() && self.due.is_empty())
    }

    /// What has come back by now, in the order in which it was written.
    pub(super) fn returned(&mut self, incident: &Incident, now: DateTime<Utc>) -> Vec<Back> {
        let mut returned = Vec::new();
        self.due.retain(|id, due| {
            let Some(entry) = incident.entry(*id) else {
                let is_lost = now - due.since > LOST_AFTER;
                if is_lost {
                    returned.push(Back::Differs(*id, Box::new(due.event.clone())));
                }
                return !is_lost;
            };
            returned.push(if entry.hash() == due.hash {
                self.back.insert(*id, (due.hash.clone(), due.event.clone()));
                Back::Same(Box::new(Entry { event: due.event.clone(), ..entry.clone() }))
            } else {
                Back::Differs(*id, Box::new(due.event.clone()))
            });
            false
        });
        returned
    }

    /// When what is on disk must have come back.
    pub(super) fn next_loss(&self) -> Option<DateTime<Utc>> {
        self.due.values().map(|due| due.since + LOST_AFTER + TimeDelta::milliseconds(1)).min()
    }

    /// The own entries of a record that came back, as they were confirmed here.
    pub(super) fn events<'a>(&'a self, incident: &'a Incident) -> impl Iterator<Item = &'a Event> {
        self.back.iter().filter(|(id, _)| incident.entry(**id).is_some()).map(|(_, (_, event))| event)
    }
}

/// Whether an entry's hash is among those that were noted of its number.
fn is_noted(hashes: &str, entry: &Entry) -> bool {
    let own = entry.hash();
    hashes.split(' ').any(|noted| *noted == *own)
}
