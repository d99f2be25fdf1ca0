//! What `doctor` finds of the journal's folder: one thing, said once, whatever else wants to read it.
//!
//! Hides that looking must not make the folder.
//!
//! Invariant: that the folder is not there is said only where the system says so.

use std::io::ErrorKind;

use crate::checkup::Finding;
use crate::cli::answers::place;
use crate::config::Config;
use crate::journal::{JournalDir, JournalError};

/// The journal's folder, as it was found.
#[derive(Debug)]
pub(super) enum Found {
    /// There is none.
    NotThere,
    /// It can be opened.
    There(JournalDir),
    /// Whether there is one, or what is in it, is not known: why.
    Unknown(JournalError),
}

impl Found {
    /// Looks.
    pub(super) fn of(config: &Config) -> Self {
        match std::fs::metadata(&config.journal) {
            Err(error) if error.kind() == ErrorKind::NotFound => Self::NotThere,
            Err(error) => Self::Unknown(JournalError::looking_at(&config.journal, error)),
            Ok(_) => place(config).open().map_or_else(Self::Unknown, Self::There),
        }
    }

    /// What is said of it.
    pub(super) fn finding(&self) -> Finding {
        match self {
            Self::NotThere => Finding::untried("journal", "not there yet: the first incident makes it"),
            Self::Unknown(why) => Finding::wrong("journal", &why.to_string()),
            Self::There(dir) => match dir.only_read() {
                Some(why) => Finding::doubtful("journal", &why.to_string()),
                None => {
                    let mode = dir.sharing().directory_mode();
                    Finding::fine("journal", &format!("{} ({mode:04o})", dir.directory().display()))
                }
            },
        }
    }

    /// What is made of its records, where there are any to be read; what was said of the folder is not said again.
    pub(super) fn read(&self, look: impl FnOnce(&JournalDir) -> Vec<Finding>) -> Vec<Finding> {
        match self {
            Self::There(dir) => look(dir),
            Self::NotThere | Self::Unknown(_) => Vec::new(),
        }
    }
}
