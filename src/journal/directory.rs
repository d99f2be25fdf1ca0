//! The directory that holds the incidents, and who may read it.
//!
//! Hides permission bits, file systems on which locks lie, and the race for the next number.
//!
//! Invariant: a private directory is 0700 with 0600 files, a shared one 2770 with 0660 files, whatever the umask; anything else is put right where
//! it is ours and empty, and refused otherwise. No file that SQLite may have open is ever opened here: closing it would drop SQLite's locks.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::FileType;
use rustix::io::Errno;

use super::disk::{self, Kind};
use super::folder::above;
use super::presence::Seats;
use super::{Folder, JournalError, Ledger, SqliteJournal};
use crate::incident::{IncidentId, Series, Via};

/// Who may read and write a journal directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sharing {
    /// One account.
    #[default]
    Private,
    /// All accounts of one Unix group.
    Group,
}

impl Sharing {
    /// The mode of a directory.
    pub fn directory_mode(self) -> u32 {
        match self {
            Self::Private => 0o700,
            Self::Group => 0o2770,
        }
    }

    /// The mode of a file.
    pub fn file_mode(self) -> u32 {
        match self {
            Self::Private => 0o600,
            Self::Group => 0o660,
        }
    }
}

/// A checked directory of incidents.
#[derive(Clone, Debug)]
pub struct JournalDir {
    path: PathBuf,
    sharing: Sharing,
    ledger: Option<Ledger>,
    /// Why nothing can be written here.
    only_read: Option<Arc<JournalError>>,
}

/// What stands beside the SQLite file: its write-ahead log, its shared memory, our doorbell.
const BESIDE: [&str; 3] = ["-wal", "-shm", ".bell"];

/// Numbers that are given have at most six digits: a file that somebody names higher ends no numbering.
const MOST_GIVEN: u32 = 999_999;

/// How many milliseconds another account gets between making a file and giving it its mode.
const PATIENCE: u32 = 20;

impl JournalDir {
    /// Checks a directory, or makes it. Refuses file systems that do not do what a journal needs, and modes that do not fit; what is on a disk that
    /// takes nothing, or belongs to somebody else, can be read as far as the system lets it.
    pub fn open(path: impl AsRef<Path>, sharing: Sharing) -> Result<Self, JournalError> {
        let path = std::path::absolute(path.as_ref()).map_err(JournalError::io("finding", path.as_ref()))?;
        let made = Folder::found(&path, sharing.directory_mode()).map_err(JournalError::io("creating", &path))?;
        let kind = disk::kind(&path).map_err(JournalError::io("reading", &path))?;
        if let Kind::Shared(filesystem) = kind {
            return Err(JournalError::NetworkFilesystem { path, filesystem });
        }
        let mine = check_directory(&path, sharing, made).and_then(|()| probe(&path));
        let only_read = match mine {
            Ok(()) if kind == Kind::Untried => {
                disk::tried(&path)?;
                None
            }
            Ok(()) => None,
            Err(why) if why.leaves_reading() && Folder::open(&path).and_then(|folder| folder.names()).is_ok() => {
                Some(Arc::new(why))
            }
            Err(why) => return Err(why),
        };
        Ok(Self { path, sharing, ledger: None, only_read })
    }

    /// The same, and what is written through it is noted as this account's own.
    #[must_use]
    pub fn noted_in(mut self, ledger: Ledger) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Why what is here can only be read, where that is so.
    pub fn only_read(&self) -> Option<JournalError> {
        let why = self.only_read.as_ref()?.in_short();
        Some(JournalError::OnlyRead { path: self.path.clone(), why })
    }

    /// Why a record can only be read, where that is so and was not said of the whole folder.
    pub fn only_read_record(&self, id: IncidentId) -> Option<JournalError> {
        let path = self.path(id);
        let why = self.writable(&path, id).err().filter(|why| self.only_read.is_none() && why.leaves_reading())?;
        Some(JournalError::OnlyRead { path, why: why.in_short() })
    }

    /// Where this account notes what it wrote.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }

    /// The directory itself.
    pub fn directory(&self) -> &Path {
        &self.path
    }

    /// Who may read and write it.
    pub fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// Where an incident's file is, or would be.
    pub fn path(&self, id: IncidentId) -> PathBuf {
        self.path.join(format!("{id}.db"))
    }

    /// The incidents and drills that are here, in the order of their numbers.
    pub fn ids(&self) -> Result<Vec<IncidentId>, JournalError> {
        let mut ids = Vec::new();
        let names = Folder::open(&self.path).and_then(|folder| folder.names());
        for name in names.map_err(JournalError::io("listing", &self.path))? {
            let Some(stem) = str::from_utf8(&name).ok().and_then(|name| name.strip_suffix(".db")) else { continue };
            // `inc-4.db` or `INC-04.db` would parse too, but only one spelling is the file of INC-4.
            if let Ok(id) = stem.parse::<IncidentId>()
                && id.to_string() == stem
            {
                ids.push(id);
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Claims the next free number; of several processes that ask at once, each gets its own.
    pub fn create(&self, series: Series) -> Result<IncidentId, JournalError> {
        if let Some(why) = self.only_read() {
            return Err(why);
        }
        let folder = Folder::open(&self.path).map_err(JournalError::io("opening", &self.path))?;
        let given = |id: &&IncidentId| id.series == series && id.number <= MOST_GIVEN;
        let mut number = self.ids()?.iter().filter(given).map(|id| id.number).max().unwrap_or(0);
        let id = loop {
            number = number.checked_add(1).ok_or_else(|| JournalError::NoNumber { path: self.path.clone() })?;
            let id = IncidentId { series, number };
            let path = self.path(id);
            match folder.make_empty(format!("{id}.db"), self.sharing.file_mode()) {
                Ok(()) => break id,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(JournalError::io("creating", &path)(error)),
            }
        };
        let opened = self.journal(id, Via::default()).and_then(|journal| {
            drop(journal);
            folder.save().map_err(JournalError::io("saving", &self.path))
        });
        if let Err(error) = opened {
            // Nobody was told this number yet, and an empty incident on a full disk helps nobody.
            folder.remove(format!("{id}.db"));
            return Err(error);
        }
        Ok(id)
    }

    /// Opens an incident that exists; what is written through it names `via` as its console.
    pub fn journal(&self, id: IncidentId, via: Via) -> Result<SqliteJournal, JournalError> {
        let path = self.path(id);
        if let Some(why) = &self.only_read {
            return self.reading(id, via, why.in_short());
        }
        match self.writable(&path, id) {
            Ok(()) => Ok(SqliteJournal::open(&path, id, via)?.noted_in(self.ledger.clone())),
            // One file of several may be somebody else's, as after one command under `sudo`: what can be read of it is
            // read.
            Err(why) if why.leaves_reading() => self.reading(id, via, why.in_short()).map_err(|_| why),
            Err(why) => Err(why),
        }
    }

    /// Whether the files of a record, or those that are made here, may be written.
    fn writable(&self, path: &Path, id: IncidentId) -> Result<(), JournalError> {
        match check_file(path, self.sharing) {
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::NoSuch { id, path: self.path.clone(), existing: self.ids()? });
            }
            checked => checked?,
        }
        for suffix in BESIDE {
            let beside = with_suffix(path, suffix);
            match make_file(&beside, self.sharing) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match check_file(&beside, self.sharing) {
                    // The last process to leave removes SQLite's files; SQLite makes them again with the main file's mode.
                    Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                    checked => checked?,
                },
                Err(error) => return Err(JournalError::io("creating", &beside)(error)),
            }
        }
        Ok(())
    }

    fn reading(&self, id: IncidentId, via: Via, why: String) -> Result<SqliteJournal, JournalError> {
        let path = self.path(id);
        match SqliteJournal::reading(&path, id, via, why) {
            Err(JournalError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(JournalError::NoSuch { id, path: self.path.clone(), existing: self.ids()? })
            }
            opened => opened,
        }
    }

    /// The consoles of an incident.
    pub fn seats(&self, id: IncidentId) -> Seats {
        Seats::new(self.path.join(format!("{id}.here")), self.sharing)
    }
}

/// A path with something added to its last name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn euid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Puts the mode of a directory right where it is ours and empty, and refuses it otherwise.
pub(super) fn check_directory(path: &Path, sharing: Sharing, made: bool) -> Result<(), JournalError> {
    let folder = match Folder::open(path) {
        Err(error) if error.raw_os_error() == Some(Errno::NOTDIR.raw_os_error()) => {
            return Err(JournalError::WrongKind { path: path.to_owned(), wanted: "directory" });
        }
        opened => opened.map_err(JournalError::io("reading", path))?,
    };
    check_folder(folder, path, sharing, made).map(|_| ())
}

/// The same for one that is open, which stands at a path.
pub(super) fn check_folder(folder: Folder, path: &Path, sharing: Sharing, made: bool) -> Result<Folder, JournalError> {
    let (found, wanted) = (folder.mode(), sharing.directory_mode());
    match sharing {
        Sharing::Private if !folder.is_own() => {
            return Err(JournalError::NotOurs { path: path.to_owned(), owner: folder.owner() });
        }
        Sharing::Private | Sharing::Group => {}
    }
    if found == wanted {
        return Ok(folder);
    }
    let empty = || folder.names().is_ok_and(|names| names.is_empty());
    if folder.is_own() && (made || empty()) {
        return folder.give_mode(wanted).map_err(JournalError::io("protecting", path));
    }
    settled(path, found, wanted)?;
    Ok(folder)
}

/// Makes an empty file, exclusively, with exactly the right mode, and without ever holding it open.
pub(super) fn make_file(path: &Path, sharing: Sharing) -> io::Result<()> {
    let (folder, name) = above(path)?;
    folder.make_empty(name, sharing.file_mode())
}

/// Puts the mode of a file right where it is ours, and refuses it otherwise.
pub(super) fn check_file(path: &Path, sharing: Sharing) -> Result<(), JournalError> {
    let (folder, name) = above(path).map_err(JournalError::io("reading", path))?;
    let is = folder.look(name).map_err(JournalError::io("reading", path))?;
    if FileType::from_raw_mode(is.st_mode) != FileType::RegularFile {
        return Err(JournalError::WrongKind { path: path.to_owned(), wanted: "plain file" });
    }
    match sharing {
        Sharing::Private if is.st_uid != euid() => {
            return Err(JournalError::NotOurs { path: path.to_owned(), owner: is.st_uid });
        }
        Sharing::Private | Sharing::Group => {}
    }
    let (found, wanted) = (is.st_mode & 0o7777, sharing.file_mode());
    if found == wanted {
        return Ok(());
    }
    let ours = is.st_uid == euid() || euid() == 0;
    match folder.set_mode(name, wanted) {
        Ok(()) if ours => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Ok(()) | Err(_) => settled(path, found, wanted),
    }
}

/// Gives another account, which may have made it a moment ago, the time to give it the right mode.
fn settled(path: &Path, found: u32, wanted: u32) -> Result<(), JournalError> {
    for _ in 0..PATIENCE {
        let look = above(path).and_then(|(folder, name)| folder.look(name));
        if look.map_err(JournalError::io("reading", path))?.st_mode & 0o7777 == wanted {
            return Ok(());
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    Err(JournalError::Mode { path: path.to_owned(), found, wanted })
}

/// Finds out whether files can be made here; a full disk is no reason to refuse, because viewing goes on.
fn probe(directory: &Path) -> Result<(), JournalError> {
    let random = super::random().map_err(JournalError::io("naming a file in", directory))?;
    let folder = Folder::open(directory).map_err(JournalError::io("opening", directory))?;
    let name = format!(".probe-{random:016x}");
    match folder.make_empty(&name, Sharing::Private.file_mode()) {
        Ok(()) => {
            folder.remove(&name);
            Ok(())
        }
        Err(error) => match error.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOSPC | Errno::DQUOT) => Ok(()),
            _ => Err(JournalError::io("writing to", directory)(error)),
        },
    }
}
