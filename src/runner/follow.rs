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
use crate::text::{CleanText, TEXT_LINES};

const LOOK: Duration = Duration::from_millis(150);
/// At most so much is handed on at once; of more, the end.
const MOST: u64 = 48 * 1024;
/// A line is handed on in parts of so many bytes.
const LONGEST: usize = 1_900;
/// A helper says who it is within so long.
const BIRTH: Duration = Duration::from_secs(5);

/// What a run says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It printed something; so many bytes before that are only in the file.
    Printed(CleanText, u64),
    /// Where the whole of what it prints stands.
    File(PathBuf),
    /// Its time is over, and it goes on.
    Overtime,
    /// Its watcher is gone, and the command still runs, as this process.
    Unwatched(i32),
    /// It ended, or nobody will ever know how.
    Ended(End),
}

/// Follows a run until its end; `say` returns whether somebody still listens. Its end is said so much later than it is seen.
pub fn follow(folder: PathBuf, late: Duration, mut say: impl FnMut(Said) -> bool + Send + 'static) {
    let run = move || {
        let mut reader = Reader { path: folder.join(OUTPUT), at: 0 };
        let began = clock::boot();
        if !say(Said::File(folder.join(OUTPUT))) {
            return;
        }
        let mut is_overtime = false;
        let mut unwatched = None;
        loop {
            let stands = stands(&folder, began);
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
            match stands {
                Stands::Ended(end) => {
                    std::thread::sleep(late);
                    say(Said::Ended(*end));
                    return;
                }
                Stands::Unwatched(pid) => {
                    if unwatched.replace(pid) != Some(pid) && !say(Said::Unwatched(pid)) {
                        return;
                    }
                }
                Stands::Running => {}
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

/// How a run stands, as far as its folder and its processes show.
enum Stands {
    Running,
    /// Its helper is gone, and the command itself is not.
    Unwatched(i32),
    Ended(Box<End>),
}

/// How it stands: as its helper wrote it, or because there is no helper.
fn stands(folder: &Path, began: Duration) -> Stands {
    let ended = |end| Stands::Ended(Box::new(end));
    let written = || serde_json::from_slice::<End>(&fs::read(folder.join(END)).ok()?).ok();
    if let Some(end) = written() {
        return ended(end);
    }
    // Its start is in the record before its folder is made: that takes a moment, and on another console this can come first.
    let is_young = clock::boot() - began < BIRTH;
    if !folder.exists() {
        if is_young {
            return Stands::Running;
        }
        return ended(End::unknown("it was never started here: the console was gone before it could"));
    }
    // It may have ended between the two looks.
    let or_unknown = |why: &str| ended(written().unwrap_or_else(|| End::unknown(why)));
    match fs::read(folder.join(STATE)).ok().and_then(|text| serde_json::from_slice::<State>(&text).ok()) {
        Some(state) if state.helper.is_alive() => Stands::Running,
        Some(State { child: Some(child), .. }) if child.is_alive() => Stands::Unwatched(child.pid),
        Some(State { child: Some(_), .. }) => {
            or_unknown("its watcher was gone when it ended: look whether it did its work")
        }
        Some(State { child: None, .. }) => or_unknown("its helper is gone: look whether it did its work"),
        None if is_young => Stands::Running,
        None => or_unknown("its helper never began: look whether it did its work"),
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
        // No more lines than a text holds; the rest comes with the next look.
        if let Some(end) = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(TEXT_LINES - 2) {
            self.at -= (bytes.len() - (end.0 + 1)) as u64;
            bytes.truncate(end.0 + 1);
        }
        Some((CleanText::new(&folded(&String::from_utf8_lossy(&bytes))), skipped))
    }
}

/// A text in which no line is longer than a text holds: what would be cut off goes on in the next line.
fn folded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut length = 0;
    for letter in text.chars() {
        length = if letter == '\n' { 0 } else { length + letter.len_utf8() };
        if length > LONGEST {
            out.push('\n');
            length = letter.len_utf8();
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_printed_every_word_of_it_is_handed_on() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let long = format!("{}THE-END-OF-IT", "y".repeat(30_000));
        let many: String = (0..9_000).map(|line| format!("{line}\n")).collect();
        for (text, last) in [(long, "THE-END-OF-IT"), (many, "8999")] {
            fs::write(file.path(), &text).unwrap();
            let mut reader = Reader { path: file.path().to_owned(), at: 0 };
            let mut all = String::new();
            while let Some((piece, skipped)) = reader.next() {
                assert_eq!(skipped, 0);
                all.push_str(&piece);
            }
            assert!(all.trim_end().ends_with(last));
            assert_eq!(all.replace('\n', ""), text.replace('\n', ""));
        }
    }
}
