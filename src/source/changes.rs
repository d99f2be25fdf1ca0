//! Where changes are read: the journal's file of changes, and a command of the configuration that lists them.
//!
//! Hides when there is something new to say (the file is read again only when it is another one than before), and how a command is kept from hurting
//! the console: no shell, no input, no way to the screen, a time limit, a size limit, and an end for all that it started.
//!
//! Invariant: neither source ever waits for the other; a command that was dropped at any await is killed with its children.

use std::future::Future;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Backoff, Desk, Source, Telling, delta, next_due};
use crate::change::{self, Reading};
use crate::clock;
use crate::live::{ChangeFinding, Finding, SourceName};
use crate::text::{CleanStr, fit};

mod pushed;

/// The name of the source that reads the file.
pub const FILE: SourceName = "changes";
/// The name of the source that runs the command.
pub const COMMAND: SourceName = "change command";

/// The file is looked at so often where nothing tells that it was written to.
const LOOK: Duration = Duration::from_secs(20);
/// Several lines that are written at once are read at once.
const GATHER: Duration = Duration::from_millis(100);
/// So much of the end of the file is read: a hundred thousand changes.
const FILE_BYTES: u64 = 16 << 20;
/// A command has so much time.
const TIME: Duration = Duration::from_secs(10);
/// A command may print so much.
const OUTPUT_BYTES: u64 = 256 << 10;
/// So much of its complaint is read.
const COMPLAINT_BYTES: u64 = 4 << 10;

/// A source that follows a file of changes; one that is not there yet holds none.
pub fn file(path: PathBuf) -> Box<dyn Source> {
    Box::new(ChangeFile { path })
}

/// A source that runs a command, program and arguments, and reads what it prints: lines of JSON of the same shape as the file's.
pub fn command(argv: Vec<String>, every: Duration) -> Box<dyn Source> {
    Box::new(ChangeCommand { argv, every })
}

struct ChangeFile {
    path: PathBuf,
}

struct ChangeCommand {
    argv: Vec<String>,
    every: Duration,
}

impl Source for ChangeFile {
    fn name(&self) -> SourceName {
        FILE
    }

    fn run(self: Box<Self>, desk: Desk) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let place = CleanStr::field(&self.path.to_string_lossy());
        let pushed = pushed::watch(self.path.clone());
        Box::pin(attend(desk, FILE, place, LOOK, Some(pushed), FileState { path: self.path, seen: None }))
    }
}

impl Source for ChangeCommand {
    fn name(&self) -> SourceName {
        COMMAND
    }

    fn run(self: Box<Self>, desk: Desk) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let place = CleanStr::field(&self.argv.join(" "));
        Box::pin(attend(desk, COMMAND, place, self.every, None, CommandState { argv: self.argv }))
    }
}

/// How one of the two reads: something new, nothing new, or a failure, which is a sentence.
trait Reader: Send {
    fn read(&mut self) -> impl Future<Output = Result<Option<Reading>, CleanStr>> + Send + '_;
}

struct FileState {
    path: PathBuf,
    seen: Option<Seen>,
}

/// By this one tells whether a file is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen {
    inode: u64,
    length: u64,
    modified: Option<SystemTime>,
}

impl Reader for FileState {
    async fn read(&mut self) -> Result<Option<Reading>, CleanStr> {
        let (path, before) = (self.path.clone(), self.seen);
        let look = tokio::task::spawn_blocking(move || read_if_changed(&path, before)).await;
        let found = look.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let (seen, reading) = found.map_err(|error| {
            CleanStr::field(&format!("{} cannot be read: {error}", CleanStr::field(&self.path.to_string_lossy())))
        })?;
        self.seen = seen;
        Ok(reading)
    }
}

/// What is there now, and the changes at its end where that is not what was seen before.
fn read_if_changed(path: &Path, before: Option<Seen>) -> std::io::Result<(Option<Seen>, Option<Reading>)> {
    use rustix::fs::{Mode, OFlags};
    use std::os::unix::fs::MetadataExt;
    // A pipe in its place is not waited for.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut file = match rustix::fs::open(path, flags, Mode::empty()).map_err(std::io::Error::from) {
        Ok(file) => std::fs::File::from(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok((None, Some(Reading::default()))),
        Err(error) => return Err(error),
    };
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(std::io::Error::other("it is no plain file"));
    }
    let seen = Some(Seen { inode: about.ino(), length: about.len(), modified: about.modified().ok() });
    if seen == before {
        return Ok((seen, None));
    }
    let start = about.len().saturating_sub(FILE_BYTES);
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.take(about.len() - start).read_to_end(&mut bytes)?;
    let whole = if start == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len()) };
    Ok((seen, Some(change::read(&bytes[whole..]))))
}

struct CommandState {
    argv: Vec<String>,
}

impl Reader for CommandState {
    async fn read(&mut self) -> Result<Option<Reading>, CleanStr> {
        ask(&self.argv).await.map(Some)
    }
}

/// Runs a command once and reads the changes that it prints; a failure is a sentence with the way out.
pub async fn ask(argv: &[String]) -> Result<Reading, CleanStr> {
    let name = CleanStr::field(&fit(&CleanStr::field(&argv.join(" ")), 60));
    let sentence = |what: &str| {
        CleanStr::field(&format!("the command `{name}` {what}: try it in a shell, or correct `command` in [changes]"))
    };
    let Some((program, arguments)) = argv.split_first() else { return Err(sentence("is empty")) };
    // A group of its own: it ends as a whole, and Ctrl+C at the console is not meant for it.
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|error| sentence(&format!("cannot be run ({error})")))?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let whole = async {
        // Both at once: a command that complains at length must not wait for us to listen.
        let (output, complaint) = tokio::try_join!(all_of(stdout, OUTPUT_BYTES), some_of(stderr, COMPLAINT_BYTES))?;
        std::io::Result::Ok((output, complaint, child.wait().await?))
    };
    let (output, complaint, status) = match tokio::time::timeout(TIME, whole).await {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            return Err(sentence(&format!("prints more than {} KB and was ended", OUTPUT_BYTES >> 10)));
        }
        Ok(Err(error)) => return Err(sentence(&format!("cannot be listened to ({error})"))),
        Err(_) => return Err(sentence(&format!("did not end within {} s and was ended", TIME.as_secs()))),
    };
    // It is gone, and its number may be another's by now.
    group.0 = None;
    if !status.success() {
        let complaint = String::from_utf8_lossy(&complaint);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).map(CleanStr::field);
        let said = last.map_or_else(String::new, |line| format!(" ({})", fit(&line, 120)));
        return Err(sentence(&format!("failed with {status}{said}")));
    }
    let mut reading = change::read(&output);
    // Nobody is still writing: half a line at the end is as wrong as any other.
    reading.damaged += usize::from(std::mem::take(&mut reading.is_torn));
    Ok(reading)
}

/// A running command's process group; killed when this goes.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

/// All that is said; more than so many bytes are an error.
async fn all_of(from: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(most + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() as u64 > most { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// The beginning of what is said; the rest is heard and forgotten.
async fn some_of(from: Option<impl AsyncRead + Unpin>, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        (&mut from).take(most).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

/// Reads and tells until the watchlist's sender or the reports' receiver is gone.
async fn attend(
    desk: Desk,
    source: SourceName,
    place: CleanStr,
    every: Duration,
    mut pushed: Option<mpsc::Receiver<()>>,
    mut reader: impl Reader,
) {
    let Desk { mut watch, mut inquiries, reports } = desk;
    let generation = watch.borrow_and_update().generation;
    // A look at the file costs nothing, telling of it wakes the console: three looks are one poll, unless there is something new.
    let told_every = every.max(3 * LOOK);
    let mut telling = Telling { source, generation, every: told_every, reports };
    let (mut backoff, mut reading, mut known) = (Backoff::default(), Reading::default(), None);
    let (mut due, mut told, mut may_ask) = (Instant::now(), None::<Instant>, true);
    telling.tell_ready(place).await;
    loop {
        let outcome = {
            let read = async {
                tokio::select! {
                    () = sleep_until(due) => {}
                    () = heard(&mut pushed) => tokio::time::sleep(GATHER).await,
                }
                reader.read().await
            };
            tokio::pin!(read);
            loop {
                tokio::select! {
                    outcome = &mut read => break outcome,
                    // What is watched has no part in what changed: a command that runs goes on.
                    changed = watch.changed() => match changed {
                        Ok(()) => telling.generation = watch.borrow_and_update().generation,
                        Err(_) => return,
                    },
                    inquiry = inquiries.recv(), if may_ask => may_ask = inquiry.is_some(),
                    () = telling.reports.closed() => return,
                }
            }
        };
        match outcome {
            Ok(new) => {
                reading = new.unwrap_or(reading);
                // Also of what is known already: a day after it happened, a change leaves the list.
                let found = finding(&reading);
                let is_new = known.as_ref() != Some(&found);
                if is_new {
                    telling.tell(Finding::Changes(found.clone())).await;
                    known = Some(found);
                }
                let now = Instant::now();
                if is_new || told.is_none_or(|told| now - told >= told_every) {
                    telling.tell(Finding::Polled).await;
                    told = Some(now);
                }
                backoff = Backoff::default();
                due = next_due(due, every, now);
            }
            Err(reason) => {
                // What failed is not tried again sooner than what went well.
                let pause = backoff.next(None).max(every);
                telling.tell(Finding::Failed { reason, retry_in: delta(pause) }).await;
                told = None;
                due = Instant::now() + pause;
            }
        }
    }
}

/// Waits until somebody has written; for ever where nobody would say so.
async fn heard(pushed: &mut Option<mpsc::Receiver<()>>) {
    match pushed {
        Some(from) => {
            if from.recv().await.is_none() {
                *pushed = None;
                std::future::pending().await
            }
        }
        None => std::future::pending().await,
    }
}

fn finding(reading: &Reading) -> ChangeFinding {
    let mut remarks = match reading.damaged {
        0 => Vec::new(),
        1 => vec![CleanStr::field("1 line of the changes cannot be read")],
        more => vec![CleanStr::field(&format!("{} of the changes cannot be read", crate::text::many(more, "line")))],
    };
    let (changes, left_out) = change::recent(&reading.changes, clock::wall());
    if left_out > 0 {
        let most = change::MOST_CHANGES;
        remarks.push(CleanStr::field(&format!("{left_out} changes are not kept in view: of each service {most} are")));
    }
    ChangeFinding { changes, left_out, remarks }
}
