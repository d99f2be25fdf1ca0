//! A record as it is on a disk on which nothing can be written: its file and its log, put together in memory.
//!
//! SQLite wants to write before it reads a file with a write-ahead log. A backup, a snapshot, a disk that was remounted read-only, or a file that
//! belongs to somebody else can only be read; so the log's committed pages are laid over the file here, as a checkpoint would.
//!
//! Invariant: what a snapshot shows was committed, and all of it together; nothing is written, not even a lock.

use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::OFlags;

use super::directory::with_suffix;
use super::folder::above;
use super::{JournalError, schema};

/// A larger file, or log, is not a record that this reads into memory, in bytes.
const MOST: u64 = 1 << 30;
/// Whoever writes meanwhile is given way so often.
const TRIES: usize = 5;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// By this one tells whether a record's file or log was written since: which file, how long, when.
pub(super) type Stamp = [Option<String>; 2];

/// How a record's file and log are now.
pub(super) fn stamp(path: &Path) -> Stamp {
    files(path).map(|file| {
        let is = above(&file).and_then(|(folder, name)| folder.look(name)).ok()?;
        Some(format!("{} {} {}.{}", is.st_ino, is.st_size, is.st_mtime, is.st_mtime_nsec))
    })
}

fn files(path: &Path) -> [PathBuf; 2] {
    [path.to_owned(), with_suffix(path, "-wal")]
}

/// A connection to a copy in memory, and how the files were when it was made.
pub(super) fn open(path: &Path) -> Result<(Connection, Stamp), JournalError> {
    let wrong = JournalError::sqlite(path);
    for _ in 0..TRIES {
        let before = stamp(path);
        let [file, log] = files(path);
        let mut bytes = whole(&file).map_err(JournalError::io("reading", path))?;
        let log = match whole(&log) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(JournalError::io("reading", &log))?,
        };
        if stamp(path) != before {
            std::thread::sleep(PAUSE);
            continue;
        }
        lay_over(&mut bytes, &log);
        // The copy has no log.
        if let Some([write, read]) = bytes.get_mut(18..20) {
            (*write, *read) = (1, 1);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_in_memory_with_flags(flags).map_err(&wrong)?;
        if !bytes.is_empty() {
            db.deserialize_read_exact("main", &*bytes, bytes.len(), true).map_err(&wrong)?;
        }
        schema::harden(&db).map_err(&wrong)?;
        return Ok((db, before));
    }
    Err(JournalError::Busy { path: path.to_owned() })
}

fn whole(path: &Path) -> std::io::Result<Vec<u8>> {
    let (folder, name) = above(path)?;
    let file = folder.file(name, OFlags::RDONLY)?;
    let length = file.metadata()?.len();
    if length > MOST {
        return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The header of a log and of a page in it, in bytes.
const LOG_HEADER: usize = 32;
const PAGE_HEADER: usize = 24;

/// Lays what was committed in a log over the file's pages (<https://sqlite.org/fileformat2.html#walformat>).
fn lay_over(file: &mut Vec<u8>, log: &[u8]) {
    let Some(header) = log.get(..LOG_HEADER) else { return };
    let is_big = match number(header, 0) {
        0x377f_0682 => false,
        0x377f_0683 => true,
        _ => return,
    };
    let page = number(header, 8) as usize;
    let mut sum = checksum((0, 0), &header[..24], is_big);
    if !(512..=65536).contains(&page) || !page.is_power_of_two() || sum != (number(header, 24), number(header, 28)) {
        return;
    }
    let mut pending: Vec<(usize, &[u8])> = Vec::new();
    for frame in log[LOG_HEADER..].chunks_exact(PAGE_HEADER + page) {
        let (about, content) = frame.split_at(PAGE_HEADER);
        sum = checksum(checksum(sum, &about[..8], is_big), content, is_big);
        let is_of_this_log = about[8..16] == header[16..24];
        let place = number(about, 0) as usize;
        // From the first page on that does not fit, the rest is of an older log, or was never finished.
        if !is_of_this_log || sum != (number(about, 16), number(about, 20)) || place == 0 {
            return;
        }
        pending.push((place - 1, content));
        let pages = number(about, 4) as usize;
        if pages > 0 && pages as u64 * page as u64 <= MOST {
            file.resize(pages * page, 0);
            for (place, content) in pending.drain(..).filter(|(place, _)| *place < pages) {
                file[place * page..][..page].copy_from_slice(content);
            }
        }
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum((mut one, mut two): (u32, u32), bytes: &[u8], is_big: bool) -> (u32, u32) {
    let word = |four: &[u8]| {
        let four = four.try_into().unwrap_or_default();
        if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    for eight in bytes.chunks_exact(8) {
        one = one.wrapping_add(word(&eight[..4])).wrapping_add(two);
        two = two.wrapping_add(word(&eight[4..])).wrapping_add(one);
    }
    (one, two)
}
