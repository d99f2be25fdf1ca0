//! The shared record: one SQLite file per incident, written first, shared by all processes of the host.
//!
//! Hides how an entry becomes durable ([`sqlite`]), who may read the files ([`directory`]), what others may have put there ([`Folder`]), how processes wake each other ([`bell`]), who is there
//! (`presence`), and the threads that keep all of it off the loop ([`thread`]).
//!
//! Invariant: what was acknowledged is on stable storage and stays; rows are never changed or deleted, but for redacted words; what cannot be read is named, never left
//! out in silence.

pub mod bell;
mod chain;
pub mod changes;
pub mod directory;
mod disk;
mod draft;
mod error;
mod fill;
mod folder;
mod ground;
pub mod ledger;
pub mod ordinary;
mod presence;
pub mod process;
mod redact;
mod schema;
mod snapshot;
mod sound;
pub mod sqlite;
mod stall;
mod still;
pub mod thread;
pub mod verify;

use std::time::Duration;

pub use chain::{Damage, What};
pub use changes::ChangeFile;
pub use directory::{JournalDir, Sharing};
pub use error::JournalError;
pub use fill::fill;
pub use folder::Folder;
pub use ledger::{Ledger, Noted};
pub use presence::Presence;
pub use sound::{Sound, Trouble, trouble};
pub use sqlite::SqliteJournal;
pub use still::Still;
pub use thread::{JournalHandle, JournalThread, Me, News, NotTaken, Request};
pub use verify::{Verification, export, verify};

use crate::incident::{Actor, Entry, EntryId, Event};

/// What becomes an entry once the journal has stamped it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// Who did it.
    pub actor: Actor,
    /// The fact.
    pub event: Event,
    /// The entry that was acted on, where there is one.
    pub after: Option<EntryId>,
}

impl NewEntry {
    /// A fact that acts on no particular entry; what must not be in a record is taken out here, and nowhere else.
    pub fn new(actor: Actor, event: Event) -> Self {
        Self { actor, event: event.masked(&crate::vault::mask()), after: None }
    }
}

/// A piece of the journal, in the order of arrival.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Tail {
    /// The entries that could be read, each with its line (`lseq`).
    pub entries: Vec<(u64, Entry)>,
    /// The line up to which this piece reaches, damaged lines included: the next piece begins after it.
    pub to: u64,
    /// Whether there was more than was asked for.
    pub more: bool,
    /// What was wrong on the way.
    pub damage: Vec<Damage>,
}

/// What a console needs of a journal. A relay to other hosts adds `merge`, `unsent` and `cursor` in its time.
pub trait Journal: Send {
    /// Writes entries, all or none. When it returns they are on stable storage and the other processes have been woken.
    fn append(&mut self, new: &[NewEntry]) -> Result<Vec<Entry>, JournalError>;

    /// Reads at most `max` lines after a line; 0 is before the first. Damaged lines are reported and passed over.
    fn tail(&mut self, after: u64, max: usize) -> Result<Tail, JournalError>;

    /// Waits until somebody may have written, and says whether the bell rang; true at the first call, because nobody listened before it.
    fn wait(&mut self, timeout: Duration) -> bool;
}

fn random() -> std::io::Result<u64> {
    getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests;
