//! What the disk under a journal can do: locks, shared memory and waiting for stable storage, between several processes.
//!
//! Hides the names of file systems. Those that several machines share are refused by name, because their locks hold on one machine only, and no
//! trial on one machine shows it; local ones are known; all others, such as an encrypted home, are tried once.
//!
//! Invariant: a journal lies where SQLite's write-ahead log is safe.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::directory::with_suffix;
use super::folder::{Folder, above};
use super::{JournalError, schema};

/// What is known of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A disk of this machine.
    Local,
    /// Of this machine as far as one can tell; whether it does what is needed must be tried.
    Untried,
    /// Several machines can have it open at once; what it is called.
    Shared(&'static str),
}

/// The kind of the file system under a folder.
pub(super) fn kind(path: &Path) -> std::io::Result<Kind> {
    let magic = rustix::fs::statfs(path)?.f_type as i64 as u32;
    Ok(of(magic, &mounted(path).unwrap_or_default()))
}

/// By the magic number of `statfs(2)`, and the name that a FUSE file system is mounted by.
fn of(magic: u32, name: &str) -> Kind {
    Kind::Shared(match magic {
        0x6969 => "NFS",
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
        0x5346_414F => "AFS",
        0x7375_7245 => "Coda",
        0x564C => "NCP",
        0x0102_1997 => "9P",
        0x00C3_6400 => "Ceph",
        0x0116_1970 => "GFS2",
        0x7461_636F => "OCFS2",
        0x0BD0_0BD0 => "Lustre",
        0x6573_5546 => match name.strip_prefix("fuse.").unwrap_or(name) {
            "sshfs" => "sshfs",
            "glusterfs" | "fuse.glusterfs" => "GlusterFS",
            "ceph" | "ceph-fuse" => "Ceph",
            "s3fs" | "goofys" | "mountpoint-s3" | "gcsfuse" | "blobfuse" | "blobfuse2" => "a bucket in a cloud",
            "rclone" => "rclone",
            "davfs" | "davfs2" => "WebDAV",
            "smbnetfs" => "SMB",
            _ => return Kind::Untried,
        },
        // ext, tmpfs, btrfs, XFS, overlay, f2fs, ZFS, bcachefs.
        0xEF53 | 0x0102_1994 | 0x9123_683E | 0x5846_5342 | 0x794C_7630 | 0xF2F5_2010 | 0x2FC1_2FC1 | 0xCA45_1A4E => {
            return Kind::Local;
        }
        _ => return Kind::Untried,
    })
}

/// The name of the file system under a folder, as `/proc/self/mountinfo` has it: the last mount of its device.
fn mounted(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let device = Folder::open(path).and_then(|folder| folder.about()).ok()?.dev();
    let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    let (proc, table) = above(Path::new("/proc/self/mountinfo")).ok()?;
    let table = String::from_utf8_lossy(&proc.read(table, 1 << 20).ok()?).into_owned();
    let line = table.lines().rfind(|line| line.split(' ').nth(2) == Some(&device))?;
    Some(line.split_once(" - ")?.1.split(' ').next()?.to_owned())
}

/// Tries with a file of its own whether two connections share a write-ahead log here, and whether the disk is waited for.
pub(super) fn tried(path: &Path) -> Result<(), JournalError> {
    let folder = Folder::open(path).map_err(JournalError::io("opening", path))?;
    let name = format!(".probe-{:016x}.db", super::random().map_err(JournalError::io("naming a file in", path))?);
    let done = shares(&path.join(&name));
    for suffix in ["", "-wal", "-shm", "-journal"] {
        folder.remove(with_suffix(Path::new(&name), suffix));
    }
    match done {
        Ok(None) => folder.save().map_err(JournalError::io("saving", path)),
        Ok(Some(lacks)) => Err(JournalError::Ground { path: path.to_owned(), lacks: lacks.to_owned() }),
        Err(error) => match JournalError::sqlite(path)(error) {
            // Viewing goes on; the first write says it.
            JournalError::Full { .. } => Ok(()),
            why => Err(JournalError::Ground { path: path.to_owned(), lacks: lacking(&why) }),
        },
    }
}

/// What a trial found missing, from how it failed.
fn lacking(why: &JournalError) -> String {
    match why {
        JournalError::Busy { .. } => "locks".to_owned(),
        JournalError::Sqlite { source, .. } => format!("the locks and the shared memory that SQLite needs ({source})"),
        JournalError::Refused { .. } | JournalError::ReadOnly { .. } | JournalError::Unread { .. } => {
            "files that can be written, shared and waited for".to_owned()
        }
        other => other.to_string(),
    }
}

/// What two connections cannot do with a file here; nothing where they can do all.
fn shares(path: &Path) -> rusqlite::Result<Option<&'static str>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let (one, other) = (Connection::open_with_flags(path, flags)?, Connection::open_with_flags(path, flags)?);
    schema::harden(&one)?;
    let mode: String = one.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Ok(Some("shared memory"));
    }
    one.execute_batch("PRAGMA synchronous=FULL; CREATE TABLE t(x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")?;
    // What one has locked the other must not get.
    if other.execute_batch("BEGIN IMMEDIATE").is_ok() {
        return Ok(Some("locks"));
    }
    // Waits for the disk.
    one.execute_batch("COMMIT")?;
    let count: i64 = other.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?;
    Ok((count != 1).then_some("shared memory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_of_several_machines_is_refused_by_name_and_a_single_person_s_is_tried() {
        for (magic, mounted, name) in
            [(0x6969, "nfs4", "NFS"), (0xFF53_4D42, "cifs", "SMB"), (0x6573_5546, "fuse.sshfs", "sshfs")]
        {
            assert_eq!(of(magic, mounted), Kind::Shared(name));
        }
        for (magic, mounted) in [(0xEF53, "ext4"), (0x0102_1994, "tmpfs"), (0x9123_683E, "btrfs"), (0x5846_5342, "xfs")]
        {
            assert_eq!(of(magic, mounted), Kind::Local);
        }
        for mounted in ["fuse.gocryptfs", "fuse.encfs", "fuseblk", "fuse"] {
            assert_eq!(of(0x6573_5546, mounted), Kind::Untried);
        }
    }

    #[test]
    fn a_disk_that_does_what_is_needed_passes_and_nothing_of_the_trial_stays() {
        let folder = tempfile::tempdir().unwrap();
        tried(folder.path()).unwrap();
        assert_eq!(Folder::open(folder.path()).unwrap().names().unwrap(), Vec::<Vec<u8>>::new());
    }
}
