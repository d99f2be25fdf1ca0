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
        let mut reader = Reader { at: 0 };
        if !say(Said::File(run.path.join(OUTPUT))) {
            return;
        }
        let mut is_overtime = false;
        let mut unwatched = None;
        loop {
            let stands = run.stands();
            // What was printed before the end was seen is said before the end.
            while let Some((text, skipped)) = run.file(OUTPUT).and_then(|file| reader.next(file)) {
                if !say(Said::Printed(text, skipped)) {
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

struct Reader {
    at: u64,
}

impl Reader {
    /// What came since the last look: whole lines, or what there is of a long one.
    fn next(&mut self, mut file: File) -> Option<(CleanText, u64)> {
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
            std::fs::write(file.path(), &text).unwrap();
            let mut reader = Reader { at: 0 };
            let mut all = String::new();
            while let Some((piece, skipped)) = reader.next(File::open(file.path()).unwrap()) {
                assert_eq!(skipped, 0);
                all.push_str(&piece);
            }
            assert!(all.trim_end().ends_with(last));
            assert_eq!(all.replace('\n', ""), text.replace('\n', ""));
        }
    }
}
