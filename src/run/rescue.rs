//! What was entered and is not on the disk when a console ends.
//!
//! Hides a file in the account's state folder. It is written without waiting for the disk, which does not answer: the system keeps it until it does.
//!
//! Invariant: nothing that was entered is gone without a word; where no file can be written, the words themselves are said.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::clock;
use crate::incident::{ENTRY_VERSION, Entry, EntryId, Hlc, IncidentId, Via};
use crate::journal::NewEntry;

/// Entries that the journal has not answered for, by their tickets.
pub(super) type Waiting = BTreeMap<u64, Vec<NewEntry>>;

/// Keeps what waits, and says so in a sentence with the name of the file; nothing where all is on the disk.
pub(super) fn rescue(
    log: &Path,
    id: IncidentId,
    waiting: &Waiting,
    draft: Option<&str>,
    in_time: bool,
) -> Result<(), String> {
    let entries: Vec<&NewEntry> = waiting.values().flatten().collect();
    // Entries are masked as they are made; this line is none yet.
    let draft = draft.map(|text| crate::vault::mask().mask_unfinished(text));
    if entries.is_empty() && draft.is_none() {
        return match in_time {
            true => Ok(()),
            false => Err(format!("{id}: the disk does not answer; everything that was entered was on it before")),
        };
    }
    let mut text = String::new();
    for entry in &entries {
        let _ = writeln!(text, "{}", line(id, entry));
    }
    if let Some(draft) = &draft {
        let _ = writeln!(text, "half-typed · {draft}");
    }
    let mut what = match entries.len() {
        0 => Vec::new(),
        1 => vec!["an entry".to_owned()],
        count => vec![crate::text::many(count, "entry")],
    };
    what.extend(draft.as_ref().map(|_| "a half-typed line".to_owned()));
    let what = what.join(" and ");
    let later = format!("look with `warroom show {id}` what is in the record when the disk answers");
    Err(match keep(&log.with_file_name("rescue"), id, &text) {
        Ok(path) => format!("{id}: NOT ON DISK: {what}, kept in {}; {later}", path.display()),
        Err(error) => format!("{id}: NOT ON DISK, and not kept in a file either ({error}): {what}; {later}\n{text}"),
    })
}

/// An entry as an export has it, as far as it got.
fn line(id: IncidentId, entry: &NewEntry) -> String {
    Entry {
        v: ENTRY_VERSION,
        inc: id,
        id: EntryId { rid: 0, rseq: 0 },
        hlc: Hlc(0),
        wall: clock::wall(),
        actor: entry.actor.clone(),
        via: Via::default(),
        event: entry.event.clone(),
        after: entry.after,
        prev: String::new(),
    }
    .to_json()
}

fn keep(folder: &Path, id: IncidentId, text: &str) -> std::io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let path = folder.join(format!("{id}-{}.txt", clock::wall().format("%Y%m%dT%H%M%S%3fZ")));
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(text.as_bytes())?;
    Ok(path)
}
