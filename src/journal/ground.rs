//! Whether the files of an open record still are the ones that stand under its name.
//!
//! SQLite writes on into a file that was deleted, moved away or replaced meanwhile, and nobody who opens the record later finds that. So the
//! files are looked at before and after each commit, and every other second in between.
//!
//! Invariant: what was written while this says that all is well stands in the file of the record's name.

use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::directory::with_suffix;
use super::folder::above;
use super::{JournalError, What, verify};

/// The files of a record that must stay the same as long as it is open, and what they are called.
const FILES: [(&str, &str); 3] = [("", "the file"), ("-wal", "its log"), ("-shm", "the memory of its log")];

/// Which of them SQLite has in memory.
const MEMORY: usize = 2;

/// The files as they were when they were opened.
#[derive(Debug)]
pub(super) struct Ground {
    path: PathBuf,
    known: [Option<(u64, u64)>; 3],
    sizes: [i64; 3],
    /// Something got shorter: that may have been a clean-up of ours.
    is_doubtful: bool,
}

impl Ground {
    /// The files of a record that was opened a moment ago.
    pub(super) fn of(path: &Path) -> Self {
        let mut ground = Self { path: path.to_owned(), known: [None; 3], sizes: [0; 3], is_doubtful: false };
        for (place, (suffix, _)) in FILES.iter().enumerate() {
            let file = with_suffix(path, suffix);
            if let Ok(is) = above(&file).and_then(|(folder, name)| folder.look(name)) {
                ground.known[place] = Some((is.st_dev, is.st_ino));
                ground.sizes[place] = is.st_size;
            }
        }
        ground
    }

    /// Whether they all are in their places, whole, and may be written.
    pub(super) fn check(&mut self) -> Result<(), JournalError> {
        let lost = |path: &Path, how: String| JournalError::Lost { path: path.to_owned(), how };
        for (place, (suffix, name)) in FILES.iter().enumerate() {
            let Some(known) = self.known[place] else { continue };
            let file = with_suffix(&self.path, suffix);
            let looked = above(&file).and_then(|(folder, name)| {
                let is = folder.look(name)?;
                folder.may(name, Access::READ_OK | Access::WRITE_OK)?;
                Ok(is)
            });
            let is = match looked {
                Ok(is) => is,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(lost(&self.path, format!("{name} was deleted or moved away")));
                }
                Err(error) => return Err(lost(&self.path, format!("{name} cannot be reached any more: {error}"))),
            };
            if (is.st_dev, is.st_ino) != known {
                return Err(lost(&self.path, format!("another file stands where {name} was")));
            }
            // SQLite has it in memory, and whoever touches memory whose file has ended is killed (SIGBUS). Nobody makes it shorter who works on the record.
            if place == MEMORY && is.st_size < self.sizes[place] {
                return Err(lost(&self.path, format!("{name} was cut short")));
            }
            self.is_doubtful |= is.st_size < self.sizes[place];
            self.sizes[place] = is.st_size;
        }
        if self.is_doubtful {
            // Taking out what was redacted makes files shorter too: then all is sound.
            if let Some(reason) = breakage(&self.path)? {
                return Err(JournalError::Damaged { path: self.path.clone(), reason });
            }
            self.is_doubtful = false;
        }
        Ok(())
    }
}

impl Ground {
    /// Fails where the memory that SQLite shares of the record is not whole: then not even reading may touch it.
    pub(super) fn check_memory(&self) -> Result<(), JournalError> {
        let file = with_suffix(&self.path, FILES[MEMORY].0);
        let size = above(&file).and_then(|(folder, name)| folder.look(name)).map(|is| is.st_size);
        // One that is gone, or another one in its place, is what `check` says; what is mapped is whole then.
        match size.is_ok_and(|size| size < self.sizes[MEMORY]) {
            true => {
                Err(JournalError::Lost { path: self.path.clone(), how: format!("{} was cut short", FILES[MEMORY].1) })
            }
            false => Ok(()),
        }
    }
}

/// SQLite makes the memory of a log larger by so many bytes.
const MEMORY_PIECE: i64 = 32 * 1024;

/// Whether a record has a log whose memory is whole. One that was cut short kills who touches it, and a connection shares what another one of its
/// process has mapped: such a record is read without it.
pub(super) fn has_whole_memory(path: &Path) -> bool {
    let file = with_suffix(path, FILES[MEMORY].0);
    let size = above(&file).and_then(|(folder, name)| folder.look(name)).map(|is| is.st_size);
    size.is_ok_and(|size| size > 0 && size % MEMORY_PIECE == 0)
}

/// Whether a record has a log whose memory is not whole.
pub(super) fn has_cut_memory(path: &Path) -> bool {
    let file = with_suffix(path, FILES[MEMORY].0);
    above(&file).and_then(|(folder, name)| folder.look(name)).is_ok() && !has_whole_memory(path)
}

/// What is broken in a record so that writing would make it worse.
pub(super) fn breakage(path: &Path) -> Result<Option<String>, JournalError> {
    Ok(verify(path)?.damage.iter().find(|damage| is_broken(&damage.what)).map(ToString::to_string))
}

/// Whether writing on would make it worse: the file itself is broken, not only the words in it changed.
pub(super) fn is_broken(what: &What) -> bool {
    match what {
        What::Structure(_) | What::Unreadable { .. } => true,
        What::NotAnEntry(_) | What::Disagrees(_) | What::Changed | What::Missing(_) | What::Repeated => false,
    }
}
