//! Follows a run from any console of its machine: what it prints, that its time is over, how it ended.
//!
//! A thread per run looks at the files; it ends with the run, or when nobody listens any more.
//!
//! Invariant: however fast a command prints, a listener gets at most some hundred kilobytes a second; the rest is named by its size.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::OFlags;

use super::{END, END_BYTES, End, OUTPUT, OVERTIME, Place, STATE, Started, State};
use crate::clock;
use crate::text::printed::{News, Sheet};
use crate::text::{CleanText, TEXT_LINES};

const LOOK: Duration = Duration::from_millis(150);
/// At most so much is handed on at once; of more, the end.
const MOST: u64 = 48 * 1024;
/// A line is handed on in parts of so many bytes.
const LONGEST: usize = 1_900;
/// Between a start's line in the record and the first word in its folder there is a moment: at most so long, on the slowest machine.
const BIRTH: Duration = Duration::from_secs(10);

/// What a run says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// It printed something; so many bytes before that are only in the file.
    Printed(CleanText, u64),
    /// So many of the last lines that it printed, with the one that has not ended, are this text now: a meter moved on.
    Rewritten(CleanText, usize),
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
pub fn follow(folder: PathBuf, late: Duration, say: impl FnMut(Said) -> bool + Send + 'static) {
    let run = Followed { path: folder, place: None, began: clock::boot(), has_ended: None };
    in_thread(run, late, say);
}

/// The same for a command that was started here.
pub fn follow_own(folder: PathBuf, started: Started, say: impl FnMut(Said) -> bool + Send + 'static) {
    let Started { place, has_ended } = started;
    let run = Followed { path: folder, place: Some(place), began: clock::boot(), has_ended: Some(has_ended) };
    in_thread(run, Duration::ZERO, say);
}

fn in_thread(mut run: Followed, late: Duration, mut say: impl FnMut(Said) -> bool + Send + 'static) {
    let work = move || {
        let mut reader = Reader::new();
        if !say(Said::File(run.path.join(OUTPUT))) {
            return;
        }
        let mut is_overtime = false;
        let mut unwatched = None;
        loop {
            let stands = run.stands();
            // What was printed before the end was seen is said before the end.
            while let Some(said) = run.file(OUTPUT).and_then(|file| reader.next(&file)) {
                if !say(said) {
                    return;
                }
            }
            let was = std::mem::replace(&mut is_overtime, run.file(OVERTIME).is_some());
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
    if let Err(error) = std::thread::Builder::new().name("run".to_owned()).spawn(work) {
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

/// A run that is looked at.
struct Followed {
    path: PathBuf,
    /// Its folder, once it was seen: from then on it is that one, whatever is put under its path.
    place: Option<Place>,
    began: Duration,
    /// Whether its helper has ended, where this process started it.
    has_ended: Option<Arc<AtomicBool>>,
}

impl Followed {
    fn file(&self, name: &str) -> Option<File> {
        self.place.as_ref()?.file(name, OFlags::RDONLY).ok()
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_slice(&self.place.as_ref()?.read(name, END_BYTES)?).ok()
    }

    /// How it stands: as its helper wrote it, or because there is no helper. While its helper runs, an end is somebody else's.
    fn stands(&mut self) -> Stands {
        let ended = |end| Stands::Ended(Box::new(end));
        if self.place.is_none() {
            self.place = Place::open(&self.path).ok();
        }
        if self.has_ended.as_ref().is_some_and(|ended| !ended.load(Ordering::Acquire)) {
            return Stands::Running;
        }
        let state = self.read::<State>(STATE);
        if state.as_ref().is_some_and(|state| state.helper.is_alive()) {
            return Stands::Running;
        }
        // Looked for after its helper was seen to be gone: what it wrote last is there by then.
        if let Some(end) = self.read::<End>(END) {
            return ended(end);
        }
        // Its start is in the record before its folder is made: that takes a moment, and on another console this can come first.
        let is_young = clock::boot() - self.began < BIRTH;
        match (&self.place, state) {
            (None, _) | (Some(_), None) if is_young => Stands::Running,
            (None, _) | (Some(_), None) => {
                ended(End::unknown("it was never started here: the console was gone before it could"))
            }
            (Some(_), Some(State { child: Some(child), .. })) if child.is_alive() => Stands::Unwatched(child.pid),
            (Some(_), Some(State { child: Some(_), .. })) => {
                ended(End::unknown("its watcher was gone when it ended: look whether it did its work"))
            }
            (Some(_), Some(State { child: None, .. })) => {
                ended(End::unknown("its helper is gone: look whether it did its work"))
            }
        }
    }
}

/// Reads what a run prints as a terminal shows it: a meter is a line that changes.
struct Reader {
    at: u64,
    sheet: Sheet,
}

impl Reader {
    fn new() -> Self {
        Self { at: 0, sheet: Sheet::stamped(LONGEST) }
    }

    /// What came since the last look: whole lines, or what there is of a long one.
    fn next(&mut self, mut file: &File) -> Option<Said> {
        loop {
            let len = file.metadata().ok()?.len();
            let mut skipped = len.saturating_sub(self.at).saturating_sub(MOST);
            file.seek(SeekFrom::Start(self.at + skipped)).ok()?;
            let mut bytes = Vec::new();
            file.take(MOST).read_to_end(&mut bytes).ok()?;
            self.at += skipped;
            if skipped > 0 {
                self.sheet = Sheet::stamped(LONGEST);
                // A line whose beginning was left out may begin within a sequence.
                if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                    bytes.drain(..=end);
                    self.at += end as u64 + 1;
                    skipped += end as u64 + 1;
                }
            }
            bytes.truncate(whole(&self.sheet, &bytes));
            if bytes.is_empty() && skipped == 0 {
                return None;
            }
            self.at += bytes.len() as u64;
            self.sheet.take(&String::from_utf8_lossy(&bytes));
            match self.sheet.news() {
                Some(News { replaced: 0, text }) => return Some(Said::Printed(CleanText::new(&text), skipped)),
                Some(News { replaced, text }) => return Some(Said::Rewritten(CleanText::new(&text), replaced)),
                None if skipped > 0 => return Some(Said::Printed(CleanText::default(), skipped)),
                None => {}
            }
        }
    }
}

/// How much of what was read can be shown by now, in bytes. A letter or a sequence that is cut in two comes whole the
/// next time; bytes that are no letter are shown as such.
fn whole(sheet: &Sheet, bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    if let Err(error) = std::str::from_utf8(bytes)
        && error.error_len().is_none()
        && error.valid_up_to() > 0
    {
        end = error.valid_up_to();
    }
    // No more lines than a text holds; the rest comes with the next look.
    if let Some((at, _)) = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(TEXT_LINES - 2) {
        end = end.min(at + 1);
    }
    match std::str::from_utf8(&bytes[..end]).map(|text| sheet.takes(text)) {
        // What goes on and on is no sequence.
        Ok(open) if end - open <= LONGEST => open,
        Ok(_) | Err(_) => end,
    }
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
            std::fs::write(file.path(), &text).unwrap();
            let mut reader = Reader::new();
            let mut all = String::new();
            while let Some(said) = reader.next(&File::open(file.path()).unwrap()) {
                let Said::Printed(piece, 0) = said else { panic!("{said:?}") };
                all.push_str(&piece);
            }
            assert!(all.trim_end().ends_with(last));
            assert_eq!(all.replace('\n', ""), text.replace('\n', ""));
        }
    }

    #[test]
    fn a_line_that_is_written_over_is_replaced_behind_its_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut reader = Reader::new();
        let mut said = Vec::new();
        let mut text = String::new();
        for piece in ["10:00:00Z begins\n10:00:01Z \r10%", "\r50%\u{1b}", "[K\r9%\u{1b}[", "K\n10:00:02Z end\n"] {
            text.push_str(piece);
            std::fs::write(file.path(), &text).unwrap();
            while let Some(what) = reader.next(&File::open(file.path()).unwrap()) {
                said.push(what);
            }
        }
        let printed = |text: &str| Said::Printed(CleanText::new(text), 0);
        let rewritten = |text: &str| Said::Rewritten(CleanText::new(text), 1);
        assert_eq!(
            said,
            [
                printed("10:00:00Z begins\n10:00:01Z 10%"),
                rewritten("10:00:01Z 50%"),
                rewritten("10:00:01Z 9%%"),
                rewritten("10:00:01Z 9%\n10:00:02Z end\n"),
            ]
        );
    }

    #[test]
    fn what_comes_behind_a_gap_begins_with_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let line = "\u{1b}[2K10:00:00Z word\n";
        std::fs::write(file.path(), line.repeat(5_000)).unwrap();
        let Some(Said::Printed(text, skipped)) = Reader::new().next(&File::open(file.path()).unwrap()) else {
            panic!("nothing is said")
        };
        assert_eq!(skipped as usize % line.len(), 0);
        assert!(text.lines().all(|line| line == "10:00:00Z word"), "{text}");
    }
}
