//! What this account's processes wrote, kept where nobody else can write.
//!
//! A journal says who wrote what, and whoever can write the journal can say so falsely. A console that goes on with what another one of its account
//! left behind must know it from somewhere else: each process notes the number and the hash of what it is about to commit in a file of its own, in
//! the account's private state folder.
//!
//! Hides how it is known that a process is gone: its number, its start and the machine's start are the name of its file.
//!
//! Invariant: a folder or a file that another account could write says nothing; what could not be noted costs nobody an entry.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};

use super::process::Process;
use crate::clock;
use crate::incident::{Entry, EntryId};
use crate::text::CleanStr;

/// The longest file that is read, in bytes: some hundred thousand entries.
const MOST: u64 = 32 * 1024 * 1024;
/// A file that nobody wrote to for so long is removed.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// The notes of this account's processes.
#[derive(Clone, Debug)]
pub struct Ledger {
    folder: PathBuf,
}

/// What this account's processes wrote: the hash of each entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// This process, and those that are gone.
    pub left: BTreeMap<EntryId, CleanStr>,
    /// Others that still run.
    pub beside: BTreeMap<EntryId, CleanStr>,
}

impl Ledger {
    /// In a folder, which is made with the first note.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Notes what this process is about to commit.
    pub(super) fn note(&self, entries: &[Entry]) {
        if let Err(error) = self.write(entries) {
            tracing::warn!("{}: what this console writes is not noted: {error}", self.folder.display());
        }
    }

    fn write(&self, entries: &[Entry]) -> io::Result<()> {
        let own = Process::own().ok_or_else(|| io::Error::other("no /proc is here"))?;
        if !self.folder.exists() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        }
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = self.open_folder()?;
        let file = rustix::fs::openat(&folder, name_of(&own), flags, Mode::RUSR | Mode::WUSR)?;
        let lines: String = entries.iter().map(|entry| format!("{} {}\n", entry.id, entry.hash())).collect();
        File::from(file).write_all(lines.as_bytes())
    }

    /// What this account's processes noted: of an entry several hashes, between blanks, where one of them was killed before it could commit what another
    /// one's entry took the number of.
    pub fn noted(&self) -> Noted {
        let mut noted = Noted::default();
        let Ok(folder) = self.open_folder() else { return noted };
        let own = Process::own();
        for item in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let Some(process) = item.file_name().to_str().and_then(process_of) else { continue };
            let is_beside = own.as_ref() != Some(&process) && process.is_alive();
            if let Some(text) = read(&folder, &process) {
                let into = if is_beside { &mut noted.beside } else { &mut noted.left };
                let lines = text.lines().filter_map(|line| {
                    let (id, hash) = line.split_once(' ')?;
                    Some((id.parse().ok()?, hash))
                });
                for (id, hash) in lines {
                    let known: &mut CleanStr = into.entry(id).or_default();
                    *known = match known.as_str() {
                        "" => CleanStr::new(hash),
                        hashes if hashes.split(' ').any(|one| one == hash) => continue,
                        hashes => CleanStr::new(&format!("{hashes} {hash}")),
                    };
                }
            } else if !is_beside {
                let _ = fs::remove_file(item.path());
            }
        }
        noted
    }

    /// The folder, where nobody else can write it.
    fn open_folder(&self) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = File::from(rustix::fs::open(&self.folder, flags, Mode::empty())?);
        if is_private(&folder)? { Ok(folder) } else { Err(io::Error::other("others can write there")) }
    }

    /// The folder's path.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

fn is_private(file: &File) -> io::Result<bool> {
    let is = file.metadata()?;
    Ok(is.uid() == rustix::process::geteuid().as_raw() && is.mode() & 0o022 == 0)
}

/// A file's text; nothing where it is old.
fn read(folder: &File, process: &Process) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::openat(folder, name_of(process), flags, Mode::empty()).ok()?);
    let is = file.metadata().ok()?;
    let age = clock::wall().timestamp().saturating_sub(is.mtime());
    if !is.is_file() || !is_private(&file).ok()? || age > i64::try_from(KEPT.as_secs()).unwrap_or(i64::MAX) {
        return None;
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}

fn name_of(process: &Process) -> String {
    format!("{}-{}-{}", process.pid, process.started, process.boot)
}

fn process_of(name: &str) -> Option<Process> {
    let (pid, rest) = name.split_once('-')?;
    let (started, boot) = rest.split_once('-')?;
    Some(Process { pid: pid.parse().ok()?, started: started.parse().ok()?, boot: boot.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::incident::tests::entry;
    use crate::incident::{Event, Plain};

    #[test]
    fn a_number_that_was_noted_and_never_committed_hides_no_later_entry_of_it() {
        let home = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(home.path().join("own"));
        let [first, second] = ["dana", "omid"].map(|who| entry(1, 1, 0, who, Event::Acknowledged(Plain {})));
        for written in [&first, &second, &first] {
            ledger.note(std::slice::from_ref(written));
        }
        let both = format!("{} {}", first.hash(), second.hash());
        assert_eq!(ledger.noted().left, BTreeMap::from([(first.id, CleanStr::new(&both))]));
    }

    #[test]
    fn what_this_process_and_gone_ones_wrote_is_known_and_what_a_living_one_writes_is_its_own() {
        let home = tempfile::tempdir().unwrap();
        let ledger = Ledger::in_folder(home.path().join("own"));
        let written = entry(1, 1, 0, "dana", Event::Acknowledged(Plain {}));
        ledger.note(std::slice::from_ref(&written));
        let known = BTreeMap::from([(written.id, written.hash())]);
        assert_eq!(ledger.noted().left, known);
        let own = Process::own().unwrap();
        let file = |process: &Process| ledger.folder().join(name_of(process));
        // Another start of the same number: that process is gone.
        let gone = Process { started: own.started + 1, ..own.clone() };
        fs::rename(file(&own), file(&gone)).unwrap();
        assert_eq!(ledger.noted().left, known);
        let init = Process::of(1).unwrap();
        fs::rename(file(&gone), file(&init)).unwrap();
        assert_eq!(ledger.noted(), Noted { left: BTreeMap::new(), beside: known });
        fs::rename(file(&init), file(&gone)).unwrap();
        fs::set_permissions(ledger.folder(), fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(ledger.noted(), Noted::default(), "anybody of the group may have put it there");
    }
}
