//! The file of changes in a journal directory: one line of JSON each, appended by whoever deploys.
//!
//! Hides locks, half lines and modes. A line is one write to the end of the file, under a lock of the file, then synced: a process that dies in
//! between leaves half a line at the end, which readers pass over and the next append takes away.
//!
//! Invariant: a change whose append returned is on stable storage, and nothing but its words is ever touched again, when somebody redacts them; what
//! cannot be read is counted, never an error.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::directory::{check_file, make_file};
use super::folder::above;
use super::{JournalDir, JournalError, Sharing};
use crate::change::{self, Change, Reading};
use crate::incident::{REDACTED, mask_strings};
use crate::vault;

/// The longest line: one write of a page is not torn by another one.
const LINE_BYTES: usize = 4096;
/// The most of the file's end that is read.
const READ_BYTES: u64 = 16 << 20;
/// The most that is looked through where a line is to go.
const MOST_BYTES: u64 = 256 << 20;
/// How long somebody else may hold the lock: an append takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);
const NAP: Duration = Duration::from_millis(5);

/// The name of the file.
const NAME: &str = "changes.jsonl";

/// The changes of a journal directory.
#[derive(Clone, Debug)]
pub struct ChangeFile {
    path: PathBuf,
    sharing: Sharing,
}

/// A change as its line says it, without what must not be in a file.
fn masked(change: &Change) -> String {
    let line = change.to_json();
    let Ok(mut value) = serde_json::from_str(&line) else { return line };
    let has_changed = mask_strings(&mut value, &vault::mask(), &|_| false);
    if has_changed { value.to_string() } else { line }
}

/// Where the changes of a journal directory are, without looking whether it is there.
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join(NAME)
}

impl JournalDir {
    /// The file of changes.
    pub fn changes(&self) -> ChangeFile {
        ChangeFile { path: path_in(self.directory()), sharing: self.sharing() }
    }
}

impl ChangeFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a change; it is on stable storage when this returns.
    pub fn append(&self, change: &Change) -> Result<(), JournalError> {
        let mut line = masked(change).into_bytes();
        line.push(b'\n');
        if line.len() > LINE_BYTES {
            return Err(JournalError::ChangeTooLong { bytes: line.len(), most: LINE_BYTES });
        }
        match make_file(&self.path, self.sharing) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(JournalError::io("creating", &self.path)(error)),
        }
        check_file(&self.path, self.sharing)?;
        let (folder, name) = above(&self.path).map_err(JournalError::io("opening", &self.path))?;
        let file = folder.file(name, OFlags::RDWR | OFlags::APPEND).map_err(JournalError::io("opening", &self.path))?;
        let _writing = super::still::writing();
        self.lock(&file)?;
        self.write(&file, &line).map_err(JournalError::io("writing to", &self.path))?;
        // The next one need not wait for this one's disk.
        let _ = file.unlock();
        file.sync_data().map_err(JournalError::io("saving", &self.path))?;
        // Always: whoever made the file may have died before its name was saved.
        folder.save().map_err(JournalError::io("saving", &self.path))
    }

    /// All changes, as far back as the last 16 MiB of the file reach; none where there is no file.
    pub fn read(&self) -> Result<Reading, JournalError> {
        read_end(&self.path, READ_BYTES).map_err(JournalError::io("reading", &self.path))
    }

    /// All changes with the numbers of their lines, the first of which is 1.
    pub fn numbered(&self) -> Result<Vec<(usize, Change)>, JournalError> {
        let bytes = match above(&self.path).and_then(|(folder, name)| folder.file(name, OFlags::RDONLY)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            file => file.and_then(|file| all_of(&file)),
        };
        let bytes = bytes.map_err(JournalError::io("reading", &self.path))?;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').zip(1..);
        Ok(lines.filter_map(|(line, number)| Some((number, change::read(line).changes.pop()?))).collect())
    }

    /// Takes the words of a change out of its line for good; that something was changed, when, where and by whom stays. Nothing where there is no such
    /// change. The line keeps its place and its length: whoever reads the file meanwhile misses nothing.
    pub fn redact(&self, number: usize) -> Result<Option<Change>, JournalError> {
        check_file(&self.path, self.sharing)?;
        let file = above(&self.path).and_then(|(folder, name)| folder.file(name, OFlags::RDWR));
        let file = file.map_err(JournalError::io("opening", &self.path))?;
        let _writing = super::still::writing();
        self.lock(&file)?;
        let bytes = all_of(&file).map_err(JournalError::io("reading", &self.path))?;
        let Some((line, start)) = line_of(&bytes, number) else { return Ok(None) };
        let Some(change) = change::read(line).changes.pop() else { return Ok(None) };
        let room = line.trim_ascii_end().len();
        let left = |what: &str| Change { what: what.into(), link: None, rollback: None, ..change.clone() };
        // A short change has no room for the whole word.
        let word = (1..=REDACTED.len())
            .rev()
            .map(|length| left(&REDACTED[..length]))
            .find(|left| left.to_json().len() <= room);
        let Some(left) = word else { return Ok(None) };
        let text = format!("{:<room$}", left.to_json());
        let written = file.write_all_at(text.as_bytes(), start as u64).and_then(|()| file.sync_data());
        written.map_err(JournalError::io("writing to", &self.path))?;
        Ok(Some(left))
    }

    fn lock(&self, file: &File) -> Result<(), JournalError> {
        let mut waited = Duration::ZERO;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(JournalError::io("locking", &self.path)(error));
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) if waited < PATIENCE => {
                    std::thread::sleep(NAP);
                    waited += NAP;
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {
                    return Err(JournalError::Busy { path: self.path.clone() });
                }
            }
        }
    }

    fn write(&self, mut file: &File, line: &[u8]) -> io::Result<()> {
        let line = match mend(file)? {
            End::Whole => line.to_vec(),
            End::NoLineBreak => [b"\n", line].concat(),
        };
        let before = file.metadata()?.len();
        let written = loop {
            match file.write(&line) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => break written,
            }
        };
        match written {
            Ok(written) if written == line.len() => Ok(()),
            written => {
                // Half a line helps nobody; where it cannot be taken back, readers pass over it.
                let _ = file.set_len(before);
                written.and(Err(Errno::NOSPC.into()))
            }
        }
    }
}

fn all_of(file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A line by its number, and where it begins.
fn line_of(bytes: &[u8], number: usize) -> Option<(&[u8], usize)> {
    let mut start = 0;
    for (line, at) in bytes.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        if at == number {
            return Some((line, start));
        }
        start += line.len();
    }
    None
}

/// How the file ends.
enum End {
    /// With a line break, or there is nothing in it.
    Whole,
    /// With a line that only lacks its line break.
    NoLineBreak,
}

/// Takes half a line away from the end: whoever wrote it was never told that it is saved. Text that is none of ours stays.
fn mend(mut file: &File) -> io::Result<End> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(LINE_BYTES as u64 + 1);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(LINE_BYTES as u64 + 1).read_to_end(&mut end)?;
    if end.is_empty() || end.ends_with(b"\n") {
        return Ok(End::Whole);
    }
    let half = end.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let is_ours = half > 0 || start == 0;
    if !is_ours || !change::read(&end[half..]).is_torn {
        return Ok(End::NoLineBreak);
    }
    file.set_len(start + half as u64)?;
    Ok(End::Whole)
}

/// Reads the lines that lie wholly in the last bytes of a file.
fn read_end(path: &Path, most: u64) -> io::Result<Reading> {
    let mut file = match above(path).and_then(|(folder, name)| folder.file(name, OFlags::RDONLY)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Reading::default()),
        file => file?,
    };
    // What is written meanwhile is the next reader's.
    let length = file.metadata()?.len();
    let start = length.saturating_sub(most);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(length - start).read_to_end(&mut bytes)?;
    let whole = if start == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()) };
    Ok(change::read(&bytes[whole..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn change(what: &str) -> Change {
        let json = format!(r#"{{"at":"2026-11-23T14:10:00Z","what":"{what}"}}"#);
        change::read(json.as_bytes()).changes.remove(0)
    }

    fn room() -> (tempfile::TempDir, ChangeFile) {
        let folder = tempfile::tempdir().unwrap();
        let dir = JournalDir::open(folder.path().join("journal"), Sharing::Private).unwrap();
        let file = dir.changes();
        (folder, file)
    }

    fn length(path: &Path) -> u64 {
        fs::metadata(path).map_or(0, |about| about.len())
    }

    fn what(reading: &Reading) -> Vec<&str> {
        reading.changes.iter().map(|change| change.what.as_str()).collect()
    }

    #[test]
    fn half_a_line_is_passed_over_and_gone_after_the_next_append_and_other_damage_stays_and_is_counted() {
        let (good, other) = (change("one").to_json(), change("two").to_json());
        let half = &good[..good.len() - 3];
        let long = "x".repeat(LINE_BYTES + 100);
        for (text, before, damaged_before, after, damaged_after) in [
            (String::new(), vec![], 0, vec!["new"], 0),
            (format!("{good}\n"), vec!["one"], 0, vec!["one", "new"], 0),
            (format!("{good}\n{half}"), vec!["one"], 0, vec!["one", "new"], 0),
            (half.to_owned(), vec![], 0, vec!["new"], 0),
            (format!("{good}\n{other}"), vec!["one", "two"], 0, vec!["one", "two", "new"], 0),
            (format!("{good}\nnonsense\n{other}\n"), vec!["one", "two"], 1, vec!["one", "two", "new"], 1),
            (format!("{half}\n{other}\n{half}"), vec!["two"], 1, vec!["two", "new"], 1),
            (format!("\n\n{good}\n\n"), vec!["one"], 0, vec!["one", "new"], 0),
            // None of ours: it stays where it is.
            (format!("{good}\n{long}"), vec!["one"], 0, vec!["one", "new"], 1),
            (long.clone(), vec![], 0, vec!["new"], 1),
        ] {
            let (_folder, file) = room();
            make_file(file.path(), Sharing::Private).unwrap();
            fs::write(file.path(), &text).unwrap();
            let reading = file.read().unwrap();
            assert_eq!((what(&reading), reading.damaged), (before, damaged_before), "{text}");
            file.append(&change("new")).unwrap();
            let reading = file.read().unwrap();
            assert_eq!((what(&reading), reading.damaged, reading.is_torn), (after, damaged_after, false), "{text}");
        }
    }

    #[test]
    fn the_words_of_a_change_go_and_the_rest_of_the_file_stays_byte_for_byte() {
        let (_folder, file) = room();
        let whole = Change {
            link: Some("https://ci.example/kangaroo".into()),
            rollback: Some("ask kangaroo".into()),
            by: "omid".into(),
            ..change("kangaroo was deployed")
        };
        for change in [change("one"), whole.clone(), change("x"), change("three")] {
            file.append(&change).unwrap();
        }
        let before = fs::read(file.path()).unwrap();
        let left = file.redact(2).unwrap().unwrap();
        assert_eq!(left, Change { what: REDACTED.into(), link: None, rollback: None, ..whole });
        assert!(file.redact(3).unwrap().is_some(), "short as it is");
        assert_eq!((file.redact(0).unwrap(), file.redact(9).unwrap()), (None, None));
        let after = fs::read(file.path()).unwrap();
        let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (before, after) = (lines(&before), lines(&after));
        assert_eq!((&before[0], &before[3], before[1].len()), (&after[0], &after[3], after[1].len()));
        assert_eq!(file.numbered().unwrap()[1], (2, left));
        assert_eq!(what(&file.read().unwrap()), ["one", REDACTED, "(", "three"]);
    }

    #[test]
    fn only_the_end_of_a_huge_file_is_read_and_its_first_half_line_is_no_damage() {
        let (_folder, file) = room();
        for number in 0..50 {
            file.append(&change(&format!("change {number:02}"))).unwrap();
        }
        let line = length(file.path()) / 50;
        let reading = read_end(file.path(), line * 3 + 7).unwrap();
        assert_eq!((what(&reading), reading.damaged), (vec!["change 47", "change 48", "change 49"], 0));
    }

    #[test]
    fn a_change_that_does_not_fit_into_a_line_is_refused_with_the_way_out() {
        let (_folder, file) = room();
        let mut change = change("x");
        change.what = "w".repeat(2000).into();
        change.link = Some("l".repeat(2000).into());
        change.rollback = Some("r".repeat(2000).into());
        let refused = file.append(&change).unwrap_err().to_string();
        assert!(refused.contains("at most 4096") && refused.contains("shorten"), "{refused}");
        assert_eq!(length(file.path()), 0);
    }
}
