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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{Event, NoteAdded, NoteKind};

    const TOKEN: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    const CARD: &str = "4539 1488 0343 6467";

    fn waiting() -> Waiting {
        let text = format!("the key is {TOKEN}, the card {CARD}").as_str().into();
        let note = Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text, at: None });
        [(7, vec![NewEntry::new("dana".into(), note)])].into()
    }

    #[test]
    fn no_secret_reaches_the_file_of_what_is_not_on_the_disk_nor_the_words_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let half = format!("half of it: DB_PASSWORD=hunter2hunter2 {TOKEN}\n{CARD} and {}", &CARD[..17]);
        let id = IncidentId::incident(1);
        let kept = rescue(&folder.path().join("log"), id, &waiting(), Some(&half), true).unwrap_err();
        let file = std::fs::read_dir(folder.path().join("rescue")).unwrap().next().unwrap().unwrap();
        let written = std::fs::read_to_string(file.path()).unwrap();
        // Where no folder can be made, the words themselves are said.
        let nowhere = folder.path().join("log");
        std::fs::write(&nowhere, "").unwrap();
        let said = rescue(&nowhere.join("log"), id, &waiting(), Some(&half), true).unwrap_err();
        assert!(kept.contains("an entry and a half-typed line, kept in "), "{kept}");
        assert!(said.contains("not kept in a file either"), "{said}");
        for text in [&kept, &written, &said] {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let is_bare = !["ghp_", "hunter2", "1488 0343", "4539"].iter().any(|part| text.contains(part));
            assert!(is_bare && !digits.contains("453914880343"), "{text}");
        }
        assert!(written.contains("the key is") && written.contains("half-typed \u{b7} half of it"), "{written}");
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "nobody else reads it");
    }
}
