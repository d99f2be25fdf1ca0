//! That a record is made of plain files alone.
//!
//! Hides that SQLite opens by name, and waits for ever for the other end of a pipe that somebody put there.

use std::io::{Error, ErrorKind};
use std::path::Path;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::JournalError;
use super::directory::with_suffix;
use super::folder::above;

/// Refuses a record of which a part is a pipe, a link, a device or a folder; asked before each time that SQLite opens one.
pub(super) fn refuse_others(path: &Path) -> Result<(), JournalError> {
    let absolute = std::path::absolute(path).map_err(JournalError::io("finding", path))?;
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let name = with_suffix(&absolute, suffix);
        // What is not there, or cannot be looked at, SQLite says in its own words.
        let Ok(is) = above(&name).and_then(|(folder, name)| folder.look(name)) else { continue };
        let why = match FileType::from_raw_mode(is.st_mode) {
            FileType::RegularFile => continue,
            FileType::Symlink => Error::from(Errno::LOOP),
            _ => Error::new(ErrorKind::InvalidInput, "it is no plain file"),
        };
        return Err(JournalError::io("opening", &name)(why));
    }
    Ok(())
}
