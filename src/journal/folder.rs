//! A folder in which other accounts may put things, and the one way to the files in it.
//!
//! Hides descriptors and flags: everything is opened relative to the folder, without following a link and without waiting for a pipe, and what it
//! is and whose it is are read from the opened file. A new file has a name that nobody could guess, or must not be there yet.
//!
//! Invariant: nothing is written, read or given a mode through a link, nothing waits for a pipe, no read is without a limit. `tests/it/layers.rs`
//! finds the code of [`crate::journal`] and [`crate::runner`] that goes another way.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A folder, opened.
#[derive(Debug)]
pub struct Folder {
    held: File,
    owner: u32,
    mode: u32,
}

impl Folder {
    /// Opens a folder that somebody named, through whatever links they put on the way.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(rustix::fs::openat(CWD, path, FOLDER, Mode::empty())?.into())
    }

    /// Makes a folder at a path that somebody named, with those above it; says whether there was none.
    pub fn found(path: &Path, mode: u32) -> io::Result<bool> {
        if path.exists() {
            return Ok(false);
        }
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        match DirBuilder::new().mode(mode).create(path) {
            Ok(()) => Ok(true),
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens a folder in this one.
    pub fn folder(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let flags = FOLDER | OFlags::NOFOLLOW;
        Self::of(rustix::fs::openat(&self.held, name.as_ref(), flags, Mode::empty())?.into())
    }

    /// Makes a folder in this one with exactly a mode; an error says that something is there already.
    pub fn make_folder(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<Self> {
        rustix::fs::mkdirat(&self.held, name.as_ref(), Mode::RWXU)?;
        let made = self.folder(name)?;
        if made.owner != own() {
            return Err(io::Error::other("somebody put another folder in its place"));
        }
        made.give_mode(mode)
    }

    fn of(held: File) -> io::Result<Self> {
        let is = held.metadata()?;
        Ok(Self { held, owner: is.uid(), mode: is.mode() & 0o7777 })
    }

    /// What it is.
    pub fn about(&self) -> io::Result<Metadata> {
        self.held.metadata()
    }

    /// The account that it belongs to.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Whether it is this account's.
    pub fn is_own(&self) -> bool {
        self.owner == own()
    }

    /// Its permission bits when it was opened.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// The same folder after its permission bits were set.
    pub fn give_mode(self, mode: u32) -> io::Result<Self> {
        rustix::fs::fchmod(&self.held, Mode::from_raw_mode(mode))?;
        Ok(Self { mode, ..self })
    }

    /// The names in it.
    pub fn names(&self) -> io::Result<Vec<Vec<u8>>> {
        let mut names = Vec::new();
        for item in Dir::read_from(&self.held)? {
            let item = item?;
            let name = item.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(name.to_vec());
            }
        }
        Ok(names)
    }

    /// What stands under a name, a link itself included.
    pub fn look(&self, name: impl AsRef<OsStr>) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.held, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Whether this account may do something with what stands under a name.
    pub fn may(&self, name: impl AsRef<OsStr>, what: Access) -> io::Result<()> {
        Ok(rustix::fs::accessat(&self.held, name.as_ref(), what, AtFlags::EACCESS)?)
    }

    /// Opens a plain file, whoever made it.
    pub fn file(&self, name: impl AsRef<OsStr>, how: OFlags) -> io::Result<File> {
        let flags = how | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.held, name.as_ref(), flags, Mode::empty())?);
        let is = file.metadata()?;
        let writes = how.intersects(OFlags::WRONLY | OFlags::RDWR);
        match () {
            () if !is.is_file() => Err(io::Error::other("it is no plain file")),
            // The other name may be that of a file in somebody's home.
            () if writes && is.nlink() > 1 => Err(io::Error::other("it has a second name")),
            () => Ok(file),
        }
    }

    /// Opens a plain file that the folder's own account made.
    pub fn owners_file(&self, name: impl AsRef<OsStr>, how: OFlags) -> io::Result<File> {
        let file = self.file(name, how)?;
        let is = file.metadata()?;
        match is.uid() == self.owner && is.nlink() == 1 {
            true => Ok(file),
            false => Err(io::Error::other("another account put it there")),
        }
    }

    /// What stands in a plain file, whoever made it, up to a number of bytes.
    pub fn read(&self, name: impl AsRef<OsStr>, most: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(name, OFlags::RDONLY)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Makes a file that is not there yet, with exactly a mode.
    pub fn make_file(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // The narrow mode first: between the two calls nobody else may look in.
        let file = File::from(rustix::fs::openat(&self.held, name.as_ref(), flags, Mode::RUSR | Mode::WUSR)?);
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        Ok(file)
    }

    /// Makes an empty file that is not there yet, with exactly a mode, without ever holding it open: closing one drops SQLite's locks on it.
    pub fn make_empty(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<()> {
        let name = name.as_ref();
        rustix::fs::mknodat(&self.held, name, FileType::RegularFile, Mode::RUSR | Mode::WUSR, 0)?;
        match self.set_mode(name, mode) {
            // SQLite removed it again already; it makes its own.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            set => set,
        }
    }

    /// Sets the mode of what stands under a name, and not of what a link leads to, without opening it.
    pub fn set_mode(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = rustix::fs::openat(&self.held, name.as_ref(), flags, Mode::empty())?;
        if FileType::from_raw_mode(rustix::fs::fstat(&held)?.st_mode) == FileType::Symlink {
            return Err(Errno::LOOP.into());
        }
        let mode = Mode::from_raw_mode(mode);
        match rustix::fs::chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), mode) {
            // No /proc is here.
            Err(Errno::NOENT) => Ok(rustix::fs::chmodat(&self.held, name.as_ref(), mode, AtFlags::empty())?),
            set => Ok(set?),
        }
    }

    /// Writes a small file so that a reader sees all of it or what was there before.
    pub fn replace(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let new = format!(".{name}-{:016x}", super::random()?);
        let write = || {
            self.make_file(&new, mode)?.write_all(bytes)?;
            self.rename(&new, name)
        };
        write().inspect_err(|_| {
            self.remove(&new);
        })
    }

    /// Gives what stands under a name another one.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.held, from.as_ref(), &self.held, to.as_ref())?)
    }

    /// Takes a file or a link away; says whether something was there.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> bool {
        rustix::fs::unlinkat(&self.held, name.as_ref(), AtFlags::empty()).is_ok()
    }

    /// Brings its names to stable storage.
    pub fn save(&self) -> io::Result<()> {
        self.held.sync_all()
    }
}

/// The folder that a path's last name stands in, and that name.
pub(super) fn above(path: &Path) -> io::Result<(Folder, &OsStr)> {
    let missing = || io::Error::from(io::ErrorKind::InvalidInput);
    let (parent, name) = (path.parent().ok_or_else(missing)?, path.file_name().ok_or_else(missing)?);
    Ok((Folder::open(parent)?, name))
}

/// A name as the system has it.
pub(super) fn name_of(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

fn own() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn what_others_put_in_the_way_is_neither_read_nor_written_nor_given_a_mode_nor_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let (path, victim) = (home.path().join("shared"), home.path().join("bashrc"));
        fs::create_dir(&path).unwrap();
        fs::write(&victim, "mine\n").unwrap();
        fs::set_permissions(&victim, fs::Permissions::from_mode(0o600)).unwrap();
        let folder = Folder::open(&path).unwrap();
        symlink(&victim, path.join("link")).unwrap();
        fs::hard_link(&victim, path.join("second")).unwrap();
        rustix::fs::mknodat(CWD, path.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        fs::create_dir(path.join("folder")).unwrap();
        let (sender, done) = mpsc::channel();
        // A pipe that is waited for would hang here for ever.
        std::thread::spawn(move || {
            for name in ["link", "pipe", "folder", "nothing"] {
                assert!(folder.file(name, OFlags::RDONLY).is_err(), "{name}");
                assert!(folder.read(name, 10).is_err(), "{name}");
            }
            for name in ["link", "second", "pipe", "folder"] {
                assert!(folder.file(name, OFlags::WRONLY | OFlags::APPEND).is_err(), "{name}");
                assert!(folder.make_file(name, 0o660).is_err(), "{name}");
                assert!(folder.make_empty(name, 0o660).is_err(), "{name}");
                assert!(folder.make_folder(name, 0o770).is_err(), "{name}");
            }
            assert!(folder.set_mode("link", 0o666).is_err());
            assert!(folder.folder("link").is_err());
            folder.replace("link", b"0123456789abc", 0o640).unwrap();
            assert_eq!(folder.read("link", 10).unwrap(), b"0123456789", "no more than asked for");
            sender.send(()).unwrap();
        });
        done.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!((fs::read_to_string(&victim).unwrap().as_str(), mode(&victim)), ("mine\n", 0o600));
        assert_eq!(mode(&path.join("link")), 0o640);
    }

    #[test]
    fn a_link_to_a_folder_is_followed_where_a_person_named_it_and_nowhere_below() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("disk/runs")).unwrap();
        symlink(home.path().join("disk"), home.path().join("journal")).unwrap();
        symlink(home.path().join("disk/runs"), home.path().join("disk/planted")).unwrap();
        let folder = Folder::open(&home.path().join("journal")).unwrap();
        assert!(folder.folder("runs").is_ok() && folder.folder("planted").is_err());
    }
}
