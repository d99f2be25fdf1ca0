//! What can go wrong between a console and its files.
//!
//! Hides SQLite's and the system's codes behind sentences that name the file and the way out.
//!
//! Invariant: every sentence starts in lower case and says what a person can do.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::folder::above;
use crate::incident::{EntryId, IncidentId};

/// Why the journal could not do it.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Locks and shared memory do not work there.
    #[error("{} is on {filesystem}, where several processes cannot share a journal safely: choose a directory on a local disk (journal.dir)", path.display())]
    NetworkFilesystem {
        /// The directory.
        path: PathBuf,
        /// What the system calls it.
        filesystem: &'static str,
    },
    /// The file system there was tried, and does not do what a journal needs.
    #[error("{} is on a file system without {lacks}: choose a directory on a local disk (journal.dir)", path.display())]
    Ground {
        /// The directory.
        path: PathBuf,
        /// What it does not do.
        lacks: String,
    },
    /// There is something else in its place.
    #[error("{} is not a {wanted}: choose another place for the journal (journal.dir)", path.display())]
    WrongKind {
        /// What is there.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
    },
    /// Others could read or write what they must not, or the team cannot.
    #[error("{} has mode {found:o}, and this journal wants {wanted:o}: run `chmod {wanted:o} {}`", path.display(), path.display())]
    Mode {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        found: u32,
        /// What they should be.
        wanted: u32,
    },
    /// A private journal belongs to one account.
    #[error("{} belongs to another account ({}): {}, or share a directory with `journal.sharing = \"group\"`", path.display(), account(*owner), given_back(*owner, path))]
    NotOurs {
        /// The file or directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// The system said no.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done, as "creating".
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system keeps this account from it.
    #[error("{doing} {}: permission denied: {whose}", path.display())]
    Denied {
        /// What was being done, as "creating".
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Whose it is, and what gives it back.
        whose: String,
    },
    /// There is no such incident.
    #[error("there is no {id} in {}: {}", path.display(), choices(existing))]
    NoSuch {
        /// What was asked for.
        id: IncidentId,
        /// The directory.
        path: PathBuf,
        /// What there is.
        existing: Vec<IncidentId>,
    },
    /// A newer warroom made it.
    #[error("{} was written by a newer warroom (journal format {found}, this one reads up to {known}): update warroom", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The disk is full.
    #[error("the disk is full, {} cannot grow: free some space; nothing that was saved is lost", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The disk refused.
    #[error("the disk refused to write {}: it is full, over a limit, or failing; nothing that was saved is lost", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
    },
    /// The disk did not give back what stands there.
    #[error("the disk does not give {} back ({why}): it is failing, or not all there; nothing of the record is known from this reading", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// We may only read.
    #[error("{} cannot be written by this account: its directory wants mode 2770 and a group that you are in (journal.sharing = \"group\")", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// It can be looked at here, and no more.
    #[error("{} is read-only here: {why}", path.display())]
    OnlyRead {
        /// The file or directory.
        path: PathBuf,
        /// Why nothing can be written, in a sentence with the way out.
        why: String,
    },
    /// Somebody writes for too long.
    #[error("another process has been writing to {} for more than 5 s: try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error("{} is damaged ({reason}): keep it, `warroom journal verify` says where, `journal export` saves what can be read", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it showed.
        reason: String,
    },
    /// The file of that name is not the one that is open.
    #[error("{}: {how}, so nothing that is written now would be found there: put it back under that name, or open the record again", path.display())]
    Lost {
        /// The file.
        path: PathBuf,
        /// What became of which part of it.
        how: String,
    },
    /// The file is something else.
    #[error("{} is not a journal: move it away, or choose another directory (journal.dir)", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// It holds more than a journal does.
    #[error("{} holds {what}, which warroom never puts there: somebody changed the file; keep a copy, `warroom journal verify` names all of it, sqlite3 takes it out", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The first thing that does not belong there.
        what: String,
    },
    /// SQLite would not keep its promise.
    #[error("{}: {promise}: this build cannot keep the journal safely, use one as it was released", path.display())]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// What is missing.
        promise: &'static str,
    },
    /// The clock shows a time that no entry can carry.
    #[error("the system's clock shows the year {year}: set it, then write again")]
    Clock {
        /// What it shows.
        year: i32,
    },
    /// A console's name becomes a file's name.
    #[error("`{name}` cannot name a console: use 1 to 64 letters, digits, `-` or `_`")]
    ConsoleName {
        /// The name.
        name: String,
    },
    /// Nothing in the record says that this entry is redacted.
    #[error("nothing in {} says that entry {entry} is redacted: record that first (warroom redact)", path.display())]
    NotRedacted {
        /// The file.
        path: PathBuf,
        /// The entry.
        entry: EntryId,
    },
    /// The words are out of the record, and a copy of them is still in the file.
    #[error("the words are out of the record, but others keep {} busy, and a copy may still be in its log: redact the same entry again", path.display())]
    NotScrubbed {
        /// The file.
        path: PathBuf,
    },
    /// There is no number left.
    #[error("{} has no number left for another incident: choose another directory (journal.dir)", path.display())]
    NoNumber {
        /// The directory.
        path: PathBuf,
    },
    /// A change must fit into one write.
    #[error(
        "the change takes {bytes} bytes, and at most {most} are written: shorten the text, and put the rest behind a link"
    )]
    ChangeTooLong {
        /// What it takes.
        bytes: usize,
        /// What there is room for.
        most: usize,
    },
    /// Anything else that SQLite says.
    #[error("{}: {source}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

/// An account in words.
fn account(owner: u32) -> String {
    if owner == 0 { "root".to_owned() } else { format!("uid {owner}") }
}

/// How a file comes back to this account.
fn given_back(owner: u32, path: &Path) -> String {
    let me = rustix::process::geteuid().as_raw();
    // What one command under `sudo` leaves behind.
    let command = format!("`sudo chown -R {me} {}`", path.display());
    match owner {
        0 => format!("{command} gives it back to you"),
        _ => format!("run warroom as that account, have it given to you ({command})"),
    }
}

/// Whose a path is that the system keeps this account from, and what helps: said of the part of it that can be looked
/// at.
fn whose(path: &Path) -> String {
    for part in path.ancestors() {
        let Ok(is) = above(part).and_then(|(folder, name)| folder.look(name)) else { continue };
        let (mode, shown) = (is.st_mode & 0o7777, part.display());
        return if is.st_uid == rustix::process::geteuid().as_raw() {
            format!("{shown} is yours and has mode {mode:o}: `chmod u+rwX {shown}`")
        } else {
            let way = given_back(is.st_uid, part);
            format!("{shown} belongs to another account ({}) and has mode {mode:o}: {way}", account(is.st_uid))
        };
    }
    "whose it is cannot be seen".to_owned()
}

/// Whether it was reading that failed, and not writing.
fn is_of_reading(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let code = error.sqlite_error().map(|error| error.extended_code);
    let reading = [
        ffi::SQLITE_IOERR_READ,
        ffi::SQLITE_IOERR_SHORT_READ,
        ffi::SQLITE_IOERR_FSTAT,
        ffi::SQLITE_IOERR_ACCESS,
        ffi::SQLITE_IOERR_SEEK,
        ffi::SQLITE_IOERR_CORRUPTFS,
    ];
    code.is_some_and(|code| reading.contains(&code))
}

fn choices(existing: &[IncidentId]) -> String {
    if existing.is_empty() {
        return "there is no incident yet, `warroom declare` makes one".to_owned();
    }
    let newest: Vec<_> = existing.iter().rev().take(8).map(ToString::to_string).collect();
    let more = if existing.len() > newest.len() { " and older ones" } else { "" };
    format!("there is {}{more}", newest.join(", "))
}

impl JournalError {
    /// Why only reading is left, for a sentence that has named the file or the folder already.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::NotOurs { path, owner } => {
                format!("it belongs to another account ({}): {}", account(*owner), given_back(*owner, path))
            }
            Self::Denied { whose, .. } => whose.clone(),
            Self::Io { source, .. } if source.raw_os_error() == Some(rustix::io::Errno::ROFS.raw_os_error()) => {
                "its disk is mounted read-only".to_owned()
            }
            Self::OnlyRead { why, .. } => why.clone(),
            other => other.to_string(),
        }
    }

    /// What stands somewhere cannot be seen.
    pub fn looking_at(path: &Path, source: io::Error) -> Self {
        Self::io("looking at", path)(source)
    }

    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
            Some(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => Self::Full { path: path.to_owned() },
            Some(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => {
                Self::Denied { doing, path: path.to_owned(), whose: whose(path) }
            }
            _ => Self::Io { doing, path: path.to_owned(), source },
        }
    }

    pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            let Some(code) = source.sqlite_error_code() else { return Self::Sqlite { path, source } };
            match code {
                ErrorCode::DiskFull => Self::Full { path },
                ErrorCode::SystemIoFailure if is_of_reading(&source) => Self::Unread { path, why: source.to_string() },
                ErrorCode::SystemIoFailure => Self::Refused { path },
                ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Self::ReadOnly { path },
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Busy { path },
                ErrorCode::DatabaseCorrupt => Self::Damaged { path, reason: source.to_string() },
                ErrorCode::NotADatabase => Self::NotAJournal { path },
                _ => Self::Sqlite { path, source },
            }
        }
    }

    /// Whether what is there can be read all the same: the disk or its owner lets nobody write.
    pub(super) fn leaves_reading(&self) -> bool {
        match self {
            Self::NotOurs { .. } | Self::Denied { .. } | Self::ReadOnly { .. } | Self::OnlyRead { .. } => true,
            Self::Io { source, .. } => {
                use rustix::io::Errno;
                let errno = source.raw_os_error().map(Errno::from_raw_os_error);
                errno == Some(Errno::ROFS)
            }
            Self::NetworkFilesystem { .. }
            | Self::Ground { .. }
            | Self::WrongKind { .. }
            | Self::Mode { .. }
            | Self::NoSuch { .. }
            | Self::Newer { .. }
            | Self::Full { .. }
            | Self::Refused { .. }
            | Self::Unread { .. }
            | Self::Busy { .. }
            | Self::Damaged { .. }
            | Self::Lost { .. }
            | Self::NotAJournal { .. }
            | Self::Foreign { .. }
            | Self::Unsafe { .. }
            | Self::Clock { .. }
            | Self::ConsoleName { .. }
            | Self::NotRedacted { .. }
            | Self::NotScrubbed { .. }
            | Self::NoNumber { .. }
            | Self::ChangeTooLong { .. }
            | Self::Sqlite { .. } => false,
        }
    }

    /// Whether nothing can be written until somebody helps: the console refuses acts and shows a red bar meanwhile.
    pub fn is_unwritable(&self) -> bool {
        match self {
            Self::Full { .. }
            | Self::Refused { .. }
            | Self::Unread { .. }
            | Self::Denied { .. }
            | Self::ReadOnly { .. }
            | Self::OnlyRead { .. }
            | Self::Damaged { .. }
            | Self::Lost { .. }
            | Self::Foreign { .. }
            | Self::Io { .. } => true,
            Self::NetworkFilesystem { .. }
            | Self::Ground { .. }
            | Self::WrongKind { .. }
            | Self::Mode { .. }
            | Self::NotOurs { .. }
            | Self::NoSuch { .. }
            | Self::Newer { .. }
            | Self::Busy { .. }
            | Self::NotAJournal { .. }
            | Self::Unsafe { .. }
            | Self::Clock { .. }
            | Self::ConsoleName { .. }
            | Self::NotRedacted { .. }
            | Self::NotScrubbed { .. }
            | Self::NoNumber { .. }
            | Self::ChangeTooLong { .. }
            | Self::Sqlite { .. } => false,
        }
    }
}
