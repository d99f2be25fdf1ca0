//! Which consoles are open on an incident.
//!
//! Hides that each holds a locked file beside the journal: the kernel drops the lock when a process ends, however it ends, so nobody sends heartbeats.
//!
//! Invariant: a file comes under its name only once it is locked and keeps its inode for life, so a file that can be locked belongs to nobody.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustix::fs::{FlockOperation, Mode, OFlags};
use serde::{Deserialize, Serialize};

use super::directory::{check_directory, make_file};
use super::{JournalError, Sharing};
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

    /// Makes the directory where there is none.
    pub(super) fn prepare(&self) -> Result<(), JournalError> {
        let made = match fs::create_dir(&self.path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(JournalError::io("creating", &self.path)(error)),
        };
        check_directory(&self.path, self.sharing, made)
    }

    /// Takes a place.
    pub fn take(&self, here: Presence) -> Result<Seat, JournalError> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if !(1..=64).contains(&here.console.len()) || !here.console.chars().all(fits) {
            return Err(JournalError::ConsoleName { name: here.console.to_string() });
        }
        self.prepare()?;
        let path = self.path.join(&*here.console);
        let unseen = self.path.join(format!(".{}", here.console));
        let sit = || -> io::Result<File> {
            make_file(&unseen, self.sharing)?;
            let file = File::options().read(true).write(true).open(&unseen)?;
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all_at(&block(&here), 0)?;
            fs::rename(&unseen, &path)?;
            Ok(file)
        };
        match sit() {
            Ok(file) => Ok(Seat { file, path, here }),
            Err(error) => {
                let _ = fs::remove_file(&unseen);
                Err(JournalError::io("taking a place in", &self.path)(error))
            }
        }
    }

    /// The consoles that are open, in the order in which they came; what dead ones left behind is removed.
    pub fn present(&self) -> Vec<Presence> {
        let Ok(items) = fs::read_dir(&self.path) else { return Vec::new() };
        let mut present: Vec<_> = items
            .flatten()
            .filter(|item| !item.file_name().as_encoded_bytes().starts_with(b"."))
            .filter_map(|item| self.look(&item.path()))
            .collect();
        present.sort_by(|one, other| (one.since, &one.console).cmp(&(other.since, &other.console)));
        present
    }

    /// Whether a console is open.
    pub fn is_alive(&self, console: &str) -> bool {
        // A name from a draft row is not ours to trust as a path.
        !console.contains('/') && !console.starts_with('.') && self.look(&self.path.join(console)).is_some()
    }

    fn look(&self, path: &Path) -> Option<Presence> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::empty()).ok()?);
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            let _ = fs::remove_file(path);
            return None;
        }
        let mut text = Vec::with_capacity(BLOCK);
        file.take(BLOCK as u64).read_to_end(&mut text).ok()?;
        serde_json::from_slice(text.trim_ascii_end()).ok()
    }
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
        let _ = fs::remove_file(&self.path);
    }
}

fn block(here: &Presence) -> Vec<u8> {
    let short = |text: &CleanStr| CleanStr::new(&text.chars().take(60).collect::<String>());
    let here = Presence { actor: short(&here.actor), layout: short(&here.layout), ..here.clone() };
    let mut block = serde_json::to_vec(&here).expect("a presence holds strings, numbers and a time only");
    block.resize(BLOCK, b' ');
    block
}
