//! Whether a record is as it was written, without reading it all each time.
//!
//! Hides a small file in the account's own folder that says which files were read to their end and found sound. A file that was touched since then
//! has another stamp, whatever time it shows: the kernel sets it.
//!
//! Invariant: a damaged record is read again each time; where nothing can be noted, everything is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::directory::with_suffix;
use super::folder::above;
use super::ground::is_broken;
use super::{JournalDir, JournalError, verify};
use crate::incident::IncidentId;

/// The file's name.
const NAME: &str = "sound";
/// So much of it is read, in bytes: some ten thousand records.
const MOST: u64 = 1 << 20;

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// A sentence that names the record and the first damage.
    pub why: String,
    /// Writing would make it worse, or cannot be done.
    pub is_broken: bool,
}

/// The records of a journal directory, looked over.
#[derive(Debug)]
pub struct Sound<'a> {
    dir: &'a JournalDir,
    file: Option<PathBuf>,
    known: BTreeSet<String>,
    /// What was found sound this time.
    now: BTreeSet<String>,
}

impl<'a> Sound<'a> {
    /// With what this account found before.
    pub fn of(dir: &'a JournalDir) -> Self {
        let file = dir.ledger().map(|ledger| ledger.folder().with_file_name(NAME));
        let known = file.as_deref().and_then(read).unwrap_or_default();
        Self { dir, file, known, now: BTreeSet::new() }
    }

    /// What is wrong with a record; nothing where all is as it was written.
    pub fn trouble(&mut self, id: IncidentId) -> Option<Trouble> {
        let path = self.dir.path(id);
        // Before it is read: what happens meanwhile gives it another one.
        let stamp = stamp(&path);
        if let Some(stamp) = stamp.as_ref().filter(|stamp| self.known.contains(*stamp)) {
            self.now.insert(stamp.clone());
            return None;
        }
        let damage = match verify(&path) {
            Ok(found) => found.damage,
            Err(error) => return Some(Trouble { why: format!("{id} cannot be read: {error}"), is_broken: true }),
        };
        let Some(first) = damage.first() else {
            self.now.extend(stamp);
            return None;
        };
        let more = match damage.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let why = format!("{id} is DAMAGED: {first}{more} (`warroom journal verify {id}` names all)");
        Some(Trouble { why, is_broken: damage.iter().any(|damage| is_broken(&damage.what)) })
    }
}

impl Drop for Sound<'_> {
    fn drop(&mut self) {
        let Some(file) = self.file.as_deref().filter(|_| !self.now.is_subset(&self.known)) else { return };
        let lines: String = self.known.union(&self.now).map(|stamp| format!("{stamp}\n")).collect();
        // Too much of it is old: what is there is noted again as it is looked at.
        let lines =
            if lines.len() as u64 > MOST { self.now.iter().map(|stamp| format!("{stamp}\n")).collect() } else { lines };
        if let Err(error) = write(file, &lines) {
            tracing::warn!("{}: which records are sound is not kept: {error}", file.display());
        }
    }
}

/// One record, looked over.
pub fn trouble(dir: &JournalDir, id: IncidentId) -> Option<Trouble> {
    Sound::of(dir).trouble(id)
}

/// Which file it is and when it was touched, with its log; nothing where there is none.
pub(super) fn stamp(path: &Path) -> Option<String> {
    let mut stamp = String::new();
    for suffix in ["", "-wal"] {
        let file = with_suffix(path, suffix);
        match above(&file).and_then(|(folder, name)| folder.look(name)) {
            Ok(is) => {
                stamp += &format!("{}:{}:{}:{}.{} ", is.st_dev, is.st_ino, is.st_size, is.st_ctime, is.st_ctime_nsec);
            }
            Err(_) if suffix.is_empty() => return None,
            Err(_) => {}
        }
    }
    Some(stamp.trim_end().to_owned())
}

fn read(file: &Path) -> Option<BTreeSet<String>> {
    let (folder, name) = above(file).ok()?;
    // What others can write says nothing.
    if !folder.is_own() || folder.mode() & 0o022 != 0 {
        return None;
    }
    let text = String::from_utf8(folder.read(name, MOST).ok()?).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

fn write(file: &Path, lines: &str) -> Result<(), JournalError> {
    let failed = || JournalError::io("writing", file);
    let (folder, name) = above(file).map_err(failed())?;
    folder.replace(&name.to_string_lossy(), lines.as_bytes(), 0o600).map_err(failed())
}
