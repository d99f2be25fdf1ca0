//! Runs commands so that they outlive the console: each under a small helper process of its own that writes what it prints and how it ended.
//!
//! Hides processes, signals and files. A run has a folder beside the journal: what was printed (masked, capped), how it ended, and the requests to
//! stop it or to give it more time. What shall run goes to the helper through a pipe that nobody else has, and stands in no file. Making that folder is the one act that only one of all starters can do.
//!
//! Invariant: no shell, no terminal for children, no secret on disk; one folder runs once; what is not known is said to be unknown.

mod echo;
mod follow;
mod given;
mod helper;
mod left;
pub mod look;
mod order;
mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::incident::{Captured, CommandEnded, Ending, EntryId, IncidentId, LeftRunning, Meaning};
use crate::journal::Sharing;
use crate::journal::process::Process;
use crate::text::CleanStr;

pub use follow::{Said, follow, follow_own};
pub use helper::run as run_helper;
pub use order::Order;
use place::Place;

/// The hidden word after which the binary is a helper.
pub const HELPER: &str = "__command";

const OUTPUT: &str = "output";
const STATE: &str = "state.json";
const END: &str = "end.json";
const END_ROOM: &str = "end.json.new";
const CANCEL: &str = "cancel";
const GRANT: &str = "grant";
const INTERRUPT: &str = "interrupt";
const OVERTIME: &str = "overtime";
/// What an end can take at most; so much is reserved before anything starts.
const END_BYTES: usize = 16 * 1024;

/// Why a command was not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder of the run is there already.
    #[error("it was started already")]
    AlreadyStarted,
    /// The disk, most likely.
    #[error("nothing was started: writing {path}: {error}")]
    Unwritable {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The helper could not be started.
    #[error("nothing was started: the helper process: {0}")]
    NoHelper(io::Error),
}

/// How a run ended, as its helper wrote it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// How.
    pub ending: Ending,
    /// How long it ran.
    pub took: Duration,
    /// How much it printed, in bytes.
    pub bytes: u64,
    /// How much of that is not in the file.
    pub dropped: u64,
    /// The last lines, masked.
    pub tail: String,
    /// Whether processes that it had started were still there.
    pub left_running: bool,
    /// Those processes, as far as they could be seen.
    #[serde(default)]
    pub left: Vec<LeftRunning>,
    /// What its status means, where its file says so.
    #[serde(default)]
    pub outcome: Option<Meaning>,
    /// What was to be kept of its output.
    #[serde(default)]
    pub captured: Option<Captured>,
    /// Why what it printed could not be said again where it was started; it stands in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unprinted: Option<CleanStr>,
}

impl End {
    /// As the record has it.
    pub fn of_run(self, run: EntryId) -> CommandEnded {
        let Self { ending, took, bytes, dropped, tail, left_running, left, outcome, captured, unprinted: _ } = self;
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let tail = crate::text::CleanText::new(&tail);
        CommandEnded { run, ending, took_ms, bytes, dropped, tail, left_running, left, outcome, captured }
    }

    /// The end of something of which nobody knows how it ended.
    pub fn unknown(why: &str) -> Self {
        Self {
            ending: Ending::Unknown(CleanStr::new(why)),
            took: Duration::ZERO,
            bytes: 0,
            dropped: 0,
            tail: String::new(),
            left_running: false,
            left: Vec::new(),
            outcome: None,
            captured: None,
            unprinted: None,
        }
    }

    /// The end of something that never began.
    pub fn not_started(why: &str) -> Self {
        Self { ending: Ending::NotStarted(CleanStr::new(why)), ..Self::unknown("") }
    }
}

/// The folder of a run, beside the journal.
pub fn folder(journal: &Path, incident: IncidentId, run: EntryId) -> PathBuf {
    journal.join(format!("{incident}.runs")).join(format!("{:016x}-{}", run.rid, run.rseq))
}

/// Whether any command ever ran for an incident here.
pub fn has_run(journal: &Path, incident: IncidentId) -> bool {
    crate::journal::Folder::open(&journal.join(format!("{incident}.runs"))).is_ok()
}

/// The file that has all that a run prints.
pub fn output(folder: &Path) -> PathBuf {
    folder.join(OUTPUT)
}

/// A command that was started here: how it ended is not taken from a file before its helper has ended.
#[derive(Debug)]
pub struct Started {
    place: Place,
    has_ended: Arc<AtomicBool>,
}

/// Starts a command under a helper of its own, unless its folder is there already.
pub fn start(folder: &Path, order: &Order, sharing: Sharing) -> Result<Started, StartError> {
    // This very program, also where its file was replaced while it ran.
    start_with(Path::new("/proc/self/exe"), folder, order, sharing)
}

/// The same, with another build of this program as helper.
pub fn start_with(program: &Path, folder: &Path, order: &Order, sharing: Sharing) -> Result<Started, StartError> {
    let unwritable = |error| StartError::Unwritable { path: folder.to_owned(), error };
    let place = match Place::make(folder, sharing) {
        Ok(place) => place,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(StartError::AlreadyStarted),
        Err(error) => return Err(unwritable(error)),
    };
    // Until there is a helper, this process is who a run depends on: however long its birth takes, nobody gives it up before.
    place.tell(&State { helper: Living::own(), child: None }).map_err(unwritable)?;
    // Room for the end is taken before there is anything to end: a disk that fills up later cannot hide how it went.
    for (name, bytes) in [(END_ROOM, vec![b' '; END_BYTES]), (OUTPUT, Vec::new())] {
        place.make_file(name, &bytes, order.mode).map_err(unwritable)?;
    }
    let mut helper = Command::new(program)
        .arg(HELPER)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(if order.is_aloud { Stdio::inherit() } else { Stdio::null() })
        .stderr(if order.is_aloud { Stdio::inherit() } else { Stdio::null() })
        .spawn()
        .map_err(StartError::NoHelper)
        .inspect_err(|_| {
            place.remove(STATE);
        })?;
    // Before it hears what to do: a later word is its own, and one that died at once is seen to be dead.
    let born = place.tell(&State { helper: Living::numbered(helper.id()), child: None });
    let told = helper.stdin.take().ok_or_else(|| io::ErrorKind::BrokenPipe.into());
    let told = born.and(told).and_then(|pipe| order.tell(&crate::vault::remembered(), pipe));
    let has_ended = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&has_ended);
    // Somebody must take its exit status, or it stays as a zombie as long as this console.
    let waits = move || {
        let _ = helper.wait();
        ended.store(true, Ordering::Release);
    };
    if std::thread::Builder::new().name("helper".to_owned()).spawn(waits).is_err() {
        tracing::warn!("nobody waits for the helper of {}", folder.display());
        // Then its number says whether it runs, as on every other console.
        has_ended.store(true, Ordering::Release);
    }
    // A helper that did not get the whole order starts nothing.
    told.map_err(StartError::NoHelper)?;
    Ok(Started { place, has_ended })
}

/// Asks for the end of a run; its helper sees it within a quarter of a second.
pub fn cancel(folder: &Path, by: &str) -> io::Result<()> {
    Place::open(folder)?.replace(CANCEL, by.as_bytes())
}

/// Has a run interrupted as Ctrl+C would: what comes of that is its own affair.
pub fn interrupt(folder: &Path) -> io::Result<()> {
    Place::open(folder)?.replace(INTERRUPT, b"")
}

/// Gives a run more time, counted from now.
pub fn grant(folder: &Path, more: Duration) -> io::Result<()> {
    Place::open(folder)?.replace(GRANT, more.as_secs().to_string().as_bytes())
}

/// Takes away what a command printed, whose entry is redacted; a folder that is not there holds nothing.
pub fn redact_output(folder: &Path) -> io::Result<()> {
    let place = match Place::open(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        place => place?,
    };
    let words = crate::incident::REDACTED;
    let left = format!("{words}\n").into_bytes();
    // What was taken out before is left alone: a redaction goes through all that the record names.
    if place.read(OUTPUT, left.len() + 1).as_ref() != Some(&left) {
        place.replace(OUTPUT, &left)?;
    }
    let end = place.read(END, END_BYTES).and_then(|bytes| serde_json::from_slice::<End>(&bytes).ok());
    let Some(end) = end.filter(|end| end.tail != words) else { return Ok(()) };
    place.replace(END, &serde_json::to_vec(&End { tail: words.into(), captured: None, ..end })?)
}

/// Who runs something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    /// Who watches.
    #[serde(flatten)]
    helper: Living,
    /// The command itself, once it was started.
    #[serde(default)]
    child: Option<Living>,
}

/// A process, so that another one of the same number is not taken for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Living {
    #[serde(rename = "helper")]
    pid: i32,
    started: u64,
    boot: String,
}

impl Living {
    fn of(pid: i32) -> Option<Self> {
        let Process { pid, started, boot } = Process::of(pid)?;
        Some(Self { pid, started, boot })
    }

    /// The process of a number that the system gave; one that is gone already is none that lives.
    fn numbered(pid: u32) -> Self {
        let pid = i32::try_from(pid).unwrap_or_default();
        Self::of(pid).unwrap_or(Self { pid, started: 0, boot: String::new() })
    }

    fn own() -> Self {
        Self::numbered(std::process::id())
    }

    fn is_alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }
}
