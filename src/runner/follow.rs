//! Follows a run from any console of its machine: what it prints, that its time is over, how it ended.
//!
//! A thread per run looks at the files; it ends with the run, or when nobody listens any more.
//!
//! Invariant: however fast a command prints, a listener gets at most some hundred kilobytes a second; the rest is named by its size.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{END, End, OUTPUT, OVERTIME, STATE, State};
use crate::clock;
use crate::text::CleanText;

const LOOK: Duration = Duration::from_millis(150);
/// At most so much is handed on at once; of more, the end.
const MOST: u64 = 48 * 1024;
/// A helper says who it is within so long.
const BIRTH: Duration = Duration::from_secs(5);

/// What a run says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It printed something; so many bytes before that are only in the file.
    Printed(CleanText, u64),
    /// Its time is over, and it goes on.
    Overtime,
    /// It ended, or nobody will ever know how.
    Ended(End),
}

/// Follows a run until its end; `say` returns whether somebody still listens. Its end is said so much later than it is seen.
pub fn follow(folder: PathBuf, late: Duration, mut say: impl FnMut(Said) -> bool + Send + 'static) {
    let run = move || {
        let mut reader = Reader { path: folder.join(OUTPUT), at: 0 };
        let began = clock::boot();
        let mut is_overtime = false;
        loop {
            let end = end(&folder, began);
            // What was printed before the end was seen is said before the end.
            while let Some((text, skipped)) = reader.next() {
                if !say(Said::Printed(text, skipped)) {
                    return;
                }
            }
            let was = std::mem::replace(&mut is_overtime, folder.join(OVERTIME).exists());
            if is_overtime && !was && !say(Said::Overtime) {
                return;
            }
            if let Some(end) = end {
                std::thread::sleep(late);
                say(Said::Ended(end));
                return;
            }
            std::thread::sleep(LOOK);
            // Nothing to say, but somebody must still be there to hear it.
            if !say(Said::Printed(CleanText::default(), 0)) {
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("run".to_owned()).spawn(run) {
        tracing::error!("a command is not followed: {error}");
    }
}

/// How it ended, as its helper wrote it, or because there is no helper.
fn end(folder: &Path, began: Duration) -> Option<End> {
    let written = || serde_json::from_slice::<End>(&fs::read(folder.join(END)).ok()?).ok();
    if let Some(end) = written() {
        return Some(end);
    }
    // Its start is in the record before its folder is made: that takes a moment, and on another console this can come first.
    let is_young = clock::boot() - began < BIRTH;
    if !folder.exists() {
        if is_young {
            return None;
        }
        return Some(End::unknown("it was never started here: the console was gone before it could"));
    }
    match fs::read(folder.join(STATE)).ok().and_then(|text| serde_json::from_slice::<State>(&text).ok()) {
        Some(state) if state.is_alive() => None,
        // It may have ended between the two looks.
        Some(_) => written().or_else(|| Some(End::unknown("its helper is gone: look whether it did its work"))),
        None if is_young => None,
        None => written().or_else(|| Some(End::unknown("its helper never began: look whether it did its work"))),
    }
}

struct Reader {
    path: PathBuf,
    at: u64,
}

impl Reader {
    /// What came since the last look: whole lines, or what there is of a long one.
    fn next(&mut self) -> Option<(CleanText, u64)> {
        let mut file = File::open(&self.path).ok()?;
        let len = file.metadata().ok()?.len();
        let skipped = len.saturating_sub(self.at).saturating_sub(MOST);
        file.seek(SeekFrom::Start(self.at + skipped)).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).ok()?;
        if bytes.is_empty() {
            return None;
        }
        self.at += skipped + bytes.len() as u64;
        // A letter that is cut in two comes whole the next time; bytes that are no letter are shown as such.
        if let Err(error) = std::str::from_utf8(&bytes)
            && error.error_len().is_none()
            && error.valid_up_to() > 0
        {
            self.at -= (bytes.len() - error.valid_up_to()) as u64;
            bytes.truncate(error.valid_up_to());
        }
        Some((CleanText::new(&String::from_utf8_lossy(&bytes)), skipped))
    }
}
