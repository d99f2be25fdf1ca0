//! The folder of a run, beside a journal that other accounts may be able to write.
//!
//! Hides what is believed of it: what its helper wrote belongs to the account whose folder it is; everybody who may write there may ask for
//! something.
//!
//! Invariant: what somebody else puts into a run's folder says nothing about how the run stands.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use rustix::fs::OFlags;

use super::{STATE, State};
use crate::journal::{Folder, Sharing};

/// What somebody asks of a run fits into so many bytes.
const MOST_ASKED: u64 = 1024;

/// A run's folder, opened: it stays the same one, whatever is put under its path.
#[derive(Debug)]
pub(super) struct Place(Folder);

impl Place {
    /// Makes the folder; an error says whether something was there already.
    pub(super) fn make(path: &Path, sharing: Sharing) -> io::Result<Self> {
        let (parent, name) = halves(path)?;
        let (journal, runs) = halves(parent)?;
        let journal = Folder::open(journal)?;
        let runs = match journal.make_folder(runs, sharing.directory_mode()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => journal.folder(runs)?,
            made => made?,
        };
        Ok(Self(runs.make_folder(name, sharing.directory_mode())?))
    }

    /// Opens one that is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let (parent, name) = halves(path)?;
        let (journal, runs) = halves(parent)?;
        Ok(Self(Folder::open(journal)?.folder(runs)?.folder(name)?))
    }

    /// The same, where it must be this account's.
    pub(super) fn open_own(path: &Path) -> io::Result<Self> {
        let place = Self::open(path)?;
        if place.0.is_own() { Ok(place) } else { Err(io::Error::other("it is another account's")) }
    }

    /// A file that the run's own account made, as it is.
    pub(super) fn file(&self, name: &str, how: OFlags) -> io::Result<File> {
        self.0.owners_file(name, how)
    }

    /// What stands in such a file, up to a limit.
    pub(super) fn read(&self, name: &str, most: usize) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(name, OFlags::RDONLY).ok()?.take(most as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// What somebody asks of the run: whoever may write here may ask.
    pub(super) fn asked(&self, name: &str) -> Option<String> {
        String::from_utf8(self.0.read(name, MOST_ASKED).ok()?).ok()
    }

    /// Makes a file that is not there yet, on stable storage.
    pub(super) fn make_file(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let mut file = self.0.make_file(name, mode)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Writes a small file so that a reader sees all of it or nothing; the folder's mode decides who may read it.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let is_shared = self.0.mode() & 0o070 != 0;
        self.0.replace(name, bytes, file_mode(if is_shared { Sharing::Group } else { Sharing::Private }))
    }

    /// Writes down who runs it.
    pub(super) fn tell(&self, state: &State) -> io::Result<()> {
        self.replace(STATE, &serde_json::to_vec(state)?)
    }

    /// Gives a file another name.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    /// Takes a file away; says whether one was there.
    pub(super) fn remove(&self, name: &str) -> bool {
        self.0.remove(name)
    }
}

/// The mode of a run's files: the others may read them, and nobody else writes them.
pub(super) fn file_mode(sharing: Sharing) -> u32 {
    match sharing {
        Sharing::Private => 0o600,
        Sharing::Group => 0o640,
    }
}

fn halves(path: &Path) -> io::Result<(&Path, &std::ffi::OsStr)> {
    path.parent().zip(path.file_name()).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
