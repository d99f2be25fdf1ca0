//! Words that leave the file, though rows never do.
//!
//! Hides how SQLite forgets: a changed row leaves copies in freed space, in old versions of pages and in the write-ahead log.
//!
//! Invariant: only words go, and only those of an entry that an `entry-redacted` event names; identity, author, time and kind of the row stay, and
//! so does the hash that the next row keeps of the original. A row whose hash does not fit is excused only where both hold.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::chain::{Damage, What};
use super::{JournalError, SqliteJournal};
use crate::incident::{Entry, EntryId, Event};

/// How often the log is asked to empty itself while others read; each time waits as long as SQLite's busy handler does.
const SCRUBS: usize = 3;

impl SqliteJournal {
    /// Takes the words of an entry, and of corrections of it, out of the file; the event that says so was appended before. Doing it again does no
    /// harm: it finishes what an interrupted one left behind.
    pub fn redact(&mut self, id: EntryId) -> Result<(), JournalError> {
        let path = self.path().to_owned();
        let wrong = JournalError::sqlite(&path);
        let _writing = super::still::writing();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&wrong)?;
        if !named(&tx).map_err(&wrong)?.contains(&id) {
            return Err(JournalError::NotRedacted { path: path.clone(), entry: id });
        }
        let rows = concerned(&tx, id).map_err(&wrong)?;
        for entry in rows {
            let Some(event) = entry.event.without_words().filter(|left| *left != entry.event) else { continue };
            let (rid, rseq) = key(entry.id);
            let json = Entry { event, ..entry }.to_json();
            tx.execute("UPDATE ev SET entry = ?1 WHERE rid = ?2 AND rseq = ?3", params![json, rid, rseq])
                .map_err(&wrong)?;
        }
        tx.commit().map_err(&wrong)?;
        self.scrub()
    }

    /// Builds the file anew, so that freed space holds nothing, and empties the log.
    fn scrub(&mut self) -> Result<(), JournalError> {
        let wrong = JournalError::sqlite(self.path());
        // The temporary copy that VACUUM makes must not land in another directory.
        self.db.execute_batch("PRAGMA temp_store=MEMORY; VACUUM; PRAGMA temp_store=DEFAULT").map_err(&wrong)?;
        for _ in 0..SCRUBS {
            let is_busy: i64 =
                self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(&wrong)?;
            if is_busy == 0 {
                return Ok(());
            }
        }
        Err(JournalError::NotScrubbed { path: self.path().to_owned() })
    }
}

/// Takes out of a list of damages those that redactions explain, and says which entries these are.
pub(super) fn excuse(db: &Connection, damage: &mut Vec<Damage>) -> rusqlite::Result<Vec<EntryId>> {
    let mut excused = Vec::new();
    if !damage.iter().any(|damage| damage.what == What::Changed) {
        return Ok(excused);
    }
    let named = named(db)?;
    let mut kept = Vec::new();
    for damage in damage.drain(..) {
        let id = damage.entry.filter(|_| damage.what == What::Changed);
        match id.map(|id| is_redacted(db, id, &named).map(|is| is.then_some(id))).transpose() {
            Ok(Some(Some(id))) => excused.push(id),
            Ok(Some(None) | None) | Err(_) => kept.push(damage),
        }
    }
    *damage = kept;
    Ok(excused)
}

/// Whether a row holds no more words than a redaction leaves, and the record names it.
fn is_redacted(db: &Connection, id: EntryId, named: &BTreeSet<EntryId>) -> rusqlite::Result<bool> {
    let (rid, rseq) = key(id);
    let mut read = db.prepare_cached("SELECT entry FROM ev WHERE rid = ?1 AND rseq = ?2")?;
    let json: Option<String> = read.query_row([rid, rseq], |row| row.get(0)).optional()?;
    let entry = json.and_then(|json| Entry::from_json(&json).ok());
    Ok(entry.is_some_and(|entry| {
        entry.id == id
            && entry.event.is_without_words()
            && named.iter().any(|redacted| entry.event.is_redacted_with(id, *redacted))
    }))
}

/// The entries that the record says are redacted.
fn named(db: &Connection) -> rusqlite::Result<BTreeSet<EntryId>> {
    let mut read = db.prepare_cached("SELECT entry FROM ev WHERE kind = 'entry-redacted'")?;
    let found = read.query_map([], |row| row.get::<_, String>(0))?;
    Ok(found
        .flatten()
        .filter_map(|json| match Entry::from_json(&json).ok()?.event {
            Event::EntryRedacted(body) => Some(body.entry),
            _ => None,
        })
        .collect())
}

/// The entry, and the corrections of it.
fn concerned(db: &Connection, id: EntryId) -> rusqlite::Result<Vec<Entry>> {
    let (rid, rseq) = key(id);
    let mut read = db.prepare_cached("SELECT entry FROM ev WHERE (rid = ?1 AND rseq = ?2) OR kind = 'note-amended'")?;
    let found = read.query_map([rid, rseq], |row| row.get::<_, String>(0))?;
    let mut concerned = Vec::new();
    for json in found {
        // A correction that cannot be read now may hold the words: then nothing was taken out, and that is said.
        let entry = Entry::from_json(&json?).ok();
        concerned.extend(entry.filter(|entry| entry.event.is_redacted_with(entry.id, id)));
    }
    Ok(concerned)
}

fn key(id: EntryId) -> (i64, i64) {
    (i64::try_from(id.rid).unwrap_or(-1), i64::try_from(id.rseq).unwrap_or(-1))
}
