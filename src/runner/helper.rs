//! The helper process: starts one command, writes what it prints, watches its time, and writes how it ended.
//!
//! It has a session of its own, so that no closed terminal takes it along, and no terminal at all. It waits; it never spins.
//!
//! Invariant: the end is written once, by a rename, after everything that was printed; a full disk loses what is printed, not the end.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};

use super::echo::{self, Echo};
use super::given;
use super::{
    CANCEL, END, END_BYTES, END_ROOM, End, GRANT, INTERRUPT, Living, OUTPUT, OVERTIME, Order, Place, State, left, look,
};
use crate::clock;
use crate::incident::{Capture, Captured, Ending};
use crate::text::mask::MaskedLines;
use crate::text::printed::{Sheet, printed};
use crate::text::{CleanStr, Exact};

/// How often requests and the child are looked at while nothing is printed.
const LOOK: Duration = Duration::from_millis(200);
/// A process that outlives the command may go on printing for so long.
const LEFT: Duration = Duration::from_secs(2);
/// The end carries so much of what was printed last.
const TAIL_LINES: usize = 20;
const TAIL_BYTES: usize = 4 * 1024;
/// Of a line of it so much.
const TAIL_LINE: usize = 800;

/// Runs the order in a folder; the exit status says only whether the helper itself could work.
pub fn run(folder: &Path) -> ExitCode {
    // Out of the console's session: what ends its terminal does not end this.
    let _ = rustix::process::setsid();
    match work(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn work(folder: &Path) -> io::Result<()> {
    let place = Place::open_own(folder)?;
    // The pipe is ours alone: whoever can write the folder cannot say what runs.
    let end = match Order::hear(io::stdin().lock()) {
        Ok((order, secrets)) => {
            crate::vault::take(secrets);
            attempts(&place, &order, |child| {
                // Whoever comes after a helper that was killed must know what still runs. A disk that is full now is no reason to stop.
                let child = i32::try_from(child.id()).ok().and_then(Living::of);
                let _ = place.tell(&State { helper: Living::own(), child });
            })
        }
        Err(error) => End::not_started(&error.to_string()),
    };
    write_end(&place, &end)
}

/// Runs it until it ends well, as often as its order says; the last end counts.
fn attempts(place: &Place, order: &Order, begun: impl Fn(&Child)) -> End {
    let began = clock::boot();
    let mut output = Output::open(place, order);
    let judging = &order.judging;
    for attempt in 1.. {
        let (child, pipes) = match spawn(order) {
            Ok(spawned) => spawned,
            Err(error) => {
                let program = order.argv.first().map(Exact::shown).unwrap_or_default();
                return End::not_started(&format!("{program}: {error}"));
            }
        };
        begun(&child);
        let mut end = watch(place, order, child, pipes, &mut output);
        end.took = clock::boot() - began;
        let is_success = match &end.ending {
            Ending::Exited(status) => {
                end.outcome = judging.outcome(*status);
                judging.is_success(*status)
            }
            Ending::Signalled(_) | Ending::NotStarted(_) | Ending::Stopped(_) | Ending::Unknown(_) => false,
        };
        if is_success || attempt > judging.retries || !rest(place, order, attempt, &end, &mut output) {
            end.captured = judging.capture.as_ref().filter(|_| is_success).map(|capture| output.captured(capture));
            return end;
        }
    }
    End::unknown("no attempt was made")
}

/// Rests before the next attempt; says whether there is one.
fn rest(place: &Place, order: &Order, attempt: u32, end: &End, output: &mut Output) -> bool {
    let (all, pause) = (order.judging.retries + 1, order.judging.pause_s);
    output.take(&format!("-- attempt {attempt} of {all}: {}; the next one in {pause} s --\n", end.ending));
    let until = clock::boot() + Duration::from_secs(pause);
    loop {
        if place.asked(CANCEL).is_some() {
            return false;
        }
        let now = clock::boot();
        if now >= until {
            output.whole.clear();
            return true;
        }
        std::thread::sleep(LOOK.min(until - now));
    }
}

fn as_os(text: &Exact) -> &OsStr {
    OsStr::from_bytes(text.as_bytes())
}

type Pipe = io::PipeReader;

/// A child and the ends of what it prints: one pipe for both, which keeps their order, or two where they go on to different places.
fn spawn(order: &Order) -> io::Result<(Child, Vec<Pipe>)> {
    let (program, arguments) = order.argv.split_first().ok_or_else(|| io::Error::other("there is no program"))?;
    if let Some(found) = &order.program {
        look::is_unchanged(found).map_err(io::Error::other)?;
    }
    let mut command = Command::new(as_os(order.program.as_ref().map_or(program, |found| &found.path)));
    // By the name that was written: some programs do different things under different names.
    command.arg0(as_os(program)).env_clear();
    for (name, value) in order.env.iter().filter_map(|name| Some((name.as_str(), std::env::var_os(name.as_str())?))) {
        command.env(name, value);
    }
    command.args(arguments.iter().map(as_os)).stdin(given::input(order)?).process_group(0);
    for (name, value) in [
        ("TERM", "dumb"),
        ("NO_COLOR", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("SSH_ASKPASS_REQUIRE", "never"),
        ("PAGER", "cat"),
    ] {
        command.env(name, value);
    }
    if let Some(directory) = &order.directory {
        command.current_dir(as_os(directory));
    }
    let mut pipes: Vec<Pipe> = Vec::new();
    // What is kept of an output is kept of stdout alone.
    let is_apart = (order.is_aloud && echo::goes_apart()) || order.judging.capture.is_some();
    if is_apart {
        let ((out, out_end), (err, err_end)) = (io::pipe()?, io::pipe()?);
        command.stdout(out_end).stderr(err_end);
        pipes.extend([out, err]);
    } else {
        let (both, end) = io::pipe()?;
        command.stdout(end.try_clone()?).stderr(end);
        pipes.push(both);
    }
    // The console's own files are for this account alone; what a command makes is as it would be in a shell.
    let narrow = rustix::process::umask(Mode::from_raw_mode(0o022));
    let spawned = command.spawn();
    rustix::process::umask(narrow);
    // With the command its ends of the pipes go: only the child's are left.
    drop(command);
    Ok((spawned?, pipes))
}

/// What was printed: the file, its end, and the counts.
struct Output {
    file: Option<File>,
    most: u64,
    kept: u64,
    bytes: u64,
    dropped: u64,
    /// The end of what was printed, as a terminal shows it: what stands in the file is what was printed.
    tail: Sheet,
    /// The next letter begins a line.
    is_new_line: bool,
    /// What stdout said, where something of it is kept; absent once it is too much.
    whole: String,
    is_too_much: bool,
}

/// Of an output so much is looked at for a value, in bytes.
const WHOLE: usize = 4 * 1024 * 1024;

impl Output {
    fn open(place: &Place, order: &Order) -> Self {
        let file = place.file(OUTPUT, OFlags::WRONLY | OFlags::APPEND).ok();
        Self {
            file,
            most: order.most,
            kept: 0,
            bytes: 0,
            dropped: 0,
            tail: Sheet::new(2 * TAIL_LINE),
            is_new_line: true,
            whole: String::new(),
            is_too_much: false,
        }
    }

    /// The same with the time before each line, in UTC.
    fn stamped(&mut self, text: &str) -> String {
        let now = clock::wall().format("%H:%M:%SZ ").to_string();
        let mut out = String::with_capacity(text.len() + now.len());
        for part in text.split_inclusive('\n') {
            if std::mem::replace(&mut self.is_new_line, part.ends_with('\n')) {
                out.push_str(&now);
            }
            out.push_str(part);
        }
        out
    }

    /// Keeps what stdout says for a value.
    fn keep(&mut self, text: &str) {
        self.is_too_much |= self.whole.len() + text.len() > WHOLE;
        if !self.is_too_much {
            self.whole.push_str(text);
        }
    }

    fn captured(&self, capture: &Capture) -> Captured {
        let found =
            if self.is_too_much { Err("it printed too much".to_owned()) } else { capture.of(&printed(&self.whole)) };
        match found {
            Ok(value) => Captured::Value(capture.name.clone(), value),
            Err(why) => Captured::Nothing(CleanStr::new(&why)),
        }
    }

    fn take(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let stamped = self.stamped(text);
        let room = self.most.saturating_sub(self.kept);
        let fits = u64::try_from(stamped.len()).unwrap_or(u64::MAX) <= room;
        let written = fits && self.file.as_mut().is_some_and(|file| file.write_all(stamped.as_bytes()).is_ok());
        if written {
            self.kept += stamped.len() as u64;
        } else {
            self.dropped += text.len() as u64;
            // Nothing goes in after a gap: what stands in the file is what was printed, from the start.
            self.most = self.kept;
        }
        self.tail.take(text);
        self.tail.forget();
    }

    /// The last lines. What was written over may have made a secret of words that were none.
    fn tail(&self) -> String {
        // Of a line that goes on and on the last words count: they say why it failed.
        let lines = self.tail.last(TAIL_LINES);
        let text = lines.iter().map(|line| last(line, TAIL_LINE)).collect::<String>();
        last(&crate::vault::mask().mask(&text), TAIL_BYTES)
    }
}

/// The end of a text, in so many bytes; what is cut off is marked.
fn last(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut from = text.len() - most;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    format!("…{}", text[from..].trim_start_matches('…'))
}

/// A piece of one of the two outputs; `None` at its end.
type Piece = (usize, Option<Vec<u8>>);

fn read_on(place: usize, mut from: impl Read + Send + 'static, to: SyncSender<Piece>) -> io::Result<()> {
    std::thread::Builder::new().name("output".to_owned()).spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
                Ok(count) => {
                    if to.send((place, Some(buffer[..count].to_vec()))).is_err() {
                        return;
                    }
                }
            }
        }
        let _ = to.send((place, None));
    })?;
    Ok(())
}

/// Where the stopping of a run stands.
enum Stopping {
    No,
    /// TERM was sent; KILL follows.
    Termed {
        why: CleanStr,
        kill_at: Duration,
    },
    /// KILL was sent.
    Killed {
        why: CleanStr,
    },
}

fn watch(place: &Place, order: &Order, mut child: Child, pipes: Vec<Pipe>, output: &mut Output) -> End {
    let places: Vec<u64> = pipes.iter().filter_map(left::place).collect();
    let keeps = order.judging.capture.is_some();
    let began = clock::boot();
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let (sender, pieces) = mpsc::sync_channel(16);
    let readers = pipes.into_iter().enumerate().map(|(place, pipe)| read_on(place, pipe, sender.clone()));
    let mut open = readers.filter(Result::is_ok).count();
    let mut echo = Echo::new(order.is_aloud);
    drop(sender);
    let mask = crate::vault::mask();
    let mut lines = [MaskedLines::new(mask.clone()), MaskedLines::new(mask)];
    let mut stopping = Stopping::No;
    let mut limit = Some(began + order.limit);
    let mut ended: Option<(ExitStatus, Duration)> = None;
    let mut looked = Duration::ZERO;
    // So long nothing was taken because nobody read, which is not the time of who goes on printing.
    let mut held = Duration::ZERO;
    loop {
        // Who reads slowly slows the command down, as in any pipe, but not its limit and its stop.
        let piece = if echo.has_room() { next(&pieces, open) } else { wait(&mut held) };
        match piece {
            Some((pipe, Some(bytes))) => {
                output.bytes += bytes.len() as u64;
                let text = lines[pipe].push(&bytes);
                output.take(&text);
                if keeps && pipe == 0 {
                    output.keep(&text);
                }
                echo.say(pipe, text);
            }
            Some((pipe, None)) => {
                let text = lines[pipe].finish();
                output.take(&text);
                if keeps && pipe == 0 {
                    output.keep(&text);
                }
                echo.say(pipe, text);
                open -= 1;
            }
            None => {}
        }
        let now = clock::boot();
        if let Some((_, at)) = ended
            && (open == 0 || now - at > LEFT + held)
        {
            if !matches!(stopping, Stopping::No) {
                // Who was asked to stop leaves nobody behind.
                send(group, Signal::KILL);
            }
            break;
        }
        // A loud command must not keep its own stop away, nor make this look a thousand times a second.
        if now - looked < LOOK / 2 && open > 0 {
            continue;
        }
        looked = now;
        if ended.is_none() {
            ended = child.try_wait().ok().flatten().map(|status| (status, now));
            if ended.is_some() {
                held = Duration::ZERO;
                continue;
            }
        }
        if matches!(stopping, Stopping::No)
            && let Some(by) = place.asked(CANCEL)
        {
            stopping = stop(group, format!("by {by}"), now + order.patience);
        }
        if place.remove(INTERRUPT) {
            send(group, Signal::INT);
        }
        if let Some(seconds) = place.asked(GRANT).and_then(|text| text.trim().parse().ok()) {
            place.remove(GRANT);
            place.remove(OVERTIME);
            limit = now.checked_add(Duration::from_secs(seconds));
        }
        if limit.is_some_and(|at| now >= at) {
            limit = None;
            if order.stops_at_limit && matches!(stopping, Stopping::No) {
                let why = format!("at its limit of {} s", (now - began).as_secs());
                stopping = stop(group, why, now + order.patience);
            } else {
                let _ = place.replace(OVERTIME, b"");
            }
        }
        if let Stopping::Termed { why, kill_at } = &stopping
            && now >= *kill_at
        {
            send(group, Signal::KILL);
            stopping = Stopping::Killed { why: why.clone() };
        }
    }
    for (pipe, lines) in lines.iter_mut().enumerate() {
        let text = lines.finish();
        output.take(&text);
        if keeps && pipe == 0 {
            output.keep(&text);
        }
        echo.say(pipe, text);
    }
    // Who reads slowly is waited for, until somebody stops or interrupts it.
    let unprinted = echo.finish(|| place.asked(CANCEL).is_some() || place.remove(INTERRUPT));
    // A child that is not reaped is none that was left.
    let left = if ended.is_some() { left::running(&places) } else { Vec::new() };
    let (status, at) = match ended {
        Some((status, at)) => (Some(status), at),
        None => (None, clock::boot()),
    };
    let ending = match (stopping, status) {
        (Stopping::Killed { why }, _) => Ending::Stopped(CleanStr::new(&format!("{why}, with KILL: it ignored TERM"))),
        (Stopping::Termed { why, .. }, _) => Ending::Stopped(why),
        (Stopping::No, Some(status)) => match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Exited(code),
            (None, Some(signal)) => Ending::Signalled(signal),
            (None, None) => Ending::Unknown(CleanStr::new("the system did not say how it ended")),
        },
        (Stopping::No, None) => Ending::Unknown(CleanStr::new("the system did not say how it ended")),
    };
    End {
        ending,
        took: at - began,
        bytes: output.bytes,
        dropped: output.dropped,
        tail: output.tail(),
        left_running: open > 0 || !left.is_empty(),
        left,
        outcome: None,
        captured: None,
        unprinted: unprinted.map(|why| CleanStr::new(&why)),
    }
}

fn wait(held: &mut Duration) -> Option<Piece> {
    let began = clock::boot();
    std::thread::sleep(LOOK / 10);
    *held += clock::boot() - began;
    None
}

/// The next piece, waiting for a while; without open outputs it only waits.
fn next(pieces: &Receiver<Piece>, open: usize) -> Option<Piece> {
    if open == 0 {
        std::thread::sleep(LOOK / 4);
        return None;
    }
    pieces.recv_timeout(LOOK).ok()
}

fn stop(group: Option<Pid>, why: String, kill_at: Duration) -> Stopping {
    send(group, Signal::TERM);
    Stopping::Termed { why: CleanStr::new(&why), kill_at }
}

fn send(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// Writes the end into the room that was taken for it, then gives it its name.
fn write_end(place: &Place, end: &End) -> io::Result<()> {
    let mut text = serde_json::to_vec(end)?;
    if text.len() > END_BYTES {
        text = serde_json::to_vec(&End { tail: String::new(), ..end.clone() })?;
    }
    // Blanks after the JSON are nothing to its reader.
    text.resize(END_BYTES, b' ');
    let mut file = place.file(END_ROOM, OFlags::WRONLY)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.sync_all()?;
    place.rename(END_ROOM, END)
}
