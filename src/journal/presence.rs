//! Which consoles are open on an incident.
//!
//! Hides that each holds a locked file beside the journal: the kernel drops the lock when a process ends, however it ends, so nobody sends heartbeats.
//!
//! Invariant: a file comes under its name only once it is locked and keeps its inode for life, so a file that can be locked belongs to nobody.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::directory::check_folder;
use super::folder::{above, name_of};
use super::{Folder, JournalError, Sharing};
use crate::incident::Actor;
use crate::text::CleanStr;

/// One console that is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Presence {
    /// The console's own name.
    pub console: CleanStr,
    /// Who sits there.
    pub actor: Actor,
    /// Which role's layout it shows.
    pub layout: CleanStr,
    /// It writes nothing: a wall, or somebody who only reads.
    #[serde(default)]
    pub looks_only: bool,
    /// It sends nothing to other systems: a dry run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_dry: bool,
    /// Its process.
    pub pid: u32,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The consoles of one incident.
#[derive(Clone, Debug)]
pub struct Seats {
    path: PathBuf,
    sharing: Sharing,
}

/// This console's place among them; free again when it is dropped.
#[derive(Debug)]
pub struct Seat {
    file: File,
    folder: Folder,
    path: PathBuf,
    here: Presence,
}

/// Written as one block of this size, so that a reader never sees half of it.
const BLOCK: usize = 2048;

impl Seats {
    pub(super) fn new(path: PathBuf, sharing: Sharing) -> Self {
        Self { path, sharing }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory, made where there is none.
    fn make(&self) -> Result<Folder, JournalError> {
        let (journal, name) = above(&self.path).map_err(JournalError::io("opening", &self.path))?;
        match journal.make_folder(name, self.sharing.directory_mode()) {
            Ok(folder) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(JournalError::io("creating", &self.path)(error)),
        }
        let folder = journal.folder(name).map_err(JournalError::io("opening", &self.path))?;
        check_folder(folder, &self.path, self.sharing, false)
    }

    fn open(&self) -> io::Result<Folder> {
        let (journal, name) = above(&self.path)?;
        journal.folder(name)
    }

    /// Takes a place.
    pub fn take(&self, here: Presence) -> Result<Seat, JournalError> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if !(1..=64).contains(&here.console.len()) || !here.console.chars().all(fits) {
            return Err(JournalError::ConsoleName { name: here.console.to_string() });
        }
        let folder = self.make()?;
        let random = super::random().map_err(JournalError::io("naming a file in", &self.path))?;
        let unseen = format!(".{}-{random:016x}", here.console);
        let sit = || -> io::Result<File> {
            let file = folder.make_file(&unseen, self.sharing.file_mode())?;
            file.try_lock()?;
            file.write_all_at(&block(&here), 0)?;
            folder.rename(&unseen, &*here.console)?;
            Ok(file)
        };
        match sit() {
            Ok(file) => Ok(Seat { file, folder, path: self.path.join(&*here.console), here }),
            Err(error) => {
                folder.remove(&unseen);
                Err(JournalError::io("taking a place in", &self.path)(error))
            }
        }
    }

    /// The consoles that are open, in the order in which they came; what dead ones left behind is removed.
    pub fn present(&self) -> Vec<Presence> {
        let Ok((folder, names)) = self.open().and_then(|folder| folder.names().map(|names| (folder, names))) else {
            return Vec::new();
        };
        let names = names.iter().filter(|name| !name.starts_with(b"."));
        let mut present: Vec<_> = names.filter_map(|name| look(&folder, name_of(name))).collect();
        present.sort_by(|one, other| (one.since, &one.console).cmp(&(other.since, &other.console)));
        present
    }

    /// Whether a console is open, or may be: where that cannot be seen, nothing is taken from it.
    pub fn is_alive(&self, console: &str) -> bool {
        // A name from a draft row is not ours to trust as a path.
        if console.contains('/') || console.starts_with('.') {
            return false;
        }
        match self.open().and_then(|folder| Ok((folder.look(console)?, folder))) {
            Ok((_, folder)) => is_held(&folder, console),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

/// Whether somebody holds a place, or that cannot be seen.
fn is_held(folder: &Folder, name: &str) -> bool {
    match folder.file(name, OFlags::RDONLY) {
        Ok(file) => file.try_lock_shared().is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Who holds a place; one that nobody holds is taken away.
fn look(folder: &Folder, name: &OsStr) -> Option<Presence> {
    let file = folder.file(name, OFlags::RDONLY).ok()?;
    match file.try_lock_shared() {
        Ok(()) => {
            folder.remove(name);
            return None;
        }
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
    let mut text = Vec::with_capacity(BLOCK);
    file.take(BLOCK as u64).read_to_end(&mut text).ok()?;
    serde_json::from_slice(text.trim_ascii_end()).ok()
}

impl Seat {
    /// What the others see.
    pub fn here(&self) -> &Presence {
        &self.here
    }

    /// Says that this console shows another role's layout.
    pub fn set_layout(&mut self, layout: CleanStr) -> Result<(), JournalError> {
        let here = Presence { layout, ..self.here.clone() };
        self.file.write_all_at(&block(&here), 0).map_err(JournalError::io("writing", &self.path))?;
        self.here = here;
        Ok(())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.folder.remove(&*self.here.console);
    }
}

fn block(here: &Presence) -> Vec<u8> {
    let short = |text: &CleanStr| CleanStr::new(&text.chars().take(60).collect::<String>());
    let here = Presence { actor: short(&here.actor), layout: short(&here.layout), ..here.clone() };
    let mut block = serde_json::to_vec(&here).expect("a presence holds strings, numbers and a time only");
    block.resize(BLOCK, b' ');
    block
}
