//! A keeper: a small process of its own that takes one thing of a drill back from staging when its time is over, though every console is closed.
//!
//! One is begun before each command that puts something there; without it that command does not start. It reads the record and does nothing as long as
//! all is well. It acts once the time is over, a way back was begun and failed, the drill was closed, or a value is beyond its limit; then it tries,
//! with growing pauses, until nothing stands any more.
//!
//! Hides the pipe on which it is told what to do, and how it hears of what consoles did meanwhile.
//!
//! Invariant: what takes it back is what it was told at its birth, never what stands in a file; what it does is in the record before it is done.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command as Process, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::{JournalPlace, clock, staging};
use crate::exercise::staged::{Asked, Guard, Keep};
use crate::incident::command::decide;
use crate::incident::{
    Asking, Command, CommandEnded, CommandStarted, EntryId, Event, ForeignNoted, Incident, Phase, Purpose, Run,
    StepRef, Via,
};
use crate::journal::{Journal, JournalDir, NewEntry, SqliteJournal};
use crate::live::FACILITATOR;
use crate::runner::{self, Order, Said};
use crate::source::Endpoint;
use crate::text::{CleanStr, CleanText};

/// The hidden subcommand that makes the binary a keeper.
pub const KEEPER: &str = "__keep";
/// What a keeper says once it has all that it needs.
const READY: &str = "kept";
/// Who acts, in the record.
const ACTOR: &str = "warroom";
/// How often it looks, where no bell rings.
const LOOK: Duration = Duration::from_secs(1);
/// A command whose start never came into the record is not waited for longer.
const BIRTH: Duration = Duration::from_secs(60);
/// The pauses between attempts; the last one again and again.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
];
/// So long after its limit a way back is waited for that was told to stop.
const STOPPING: Duration = Duration::from_secs(15);
/// So many times in a row may the question for a limit stay without an answer before that is said.
const UNANSWERED: u32 = 3;
/// What it is told is shorter than this, in bytes.
const MOST: u64 = 8 << 20;

/// Begins a keeper and waits until it has all that it needs, or says why it has not.
pub fn begin(keep: &Keep, flags: &[std::ffi::OsString]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("nobody could take it back: the keeper: {error}");
    let told = serde_json::to_vec(keep).map_err(|error| failed(error.into()))?;
    let mut child = Process::new("/proc/self/exe")
        .args(flags)
        .arg(KEEPER)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    // With the pipe its end is said: half of what is told is no order, as JSON shows.
    let sent = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(&told));
    let mut said = String::new();
    let heard = child.stdout.take().map_or(Ok(0), |pipe| BufReader::new(pipe).read_line(&mut said));
    let waits = move || {
        let _ = child.wait();
    };
    if std::thread::Builder::new().name("keeper".to_owned()).spawn(waits).is_err() {
        tracing::warn!("nobody waits for the keeper");
    }
    sent.and(heard).map_err(failed)?;
    match said.trim() {
        READY => Ok(()),
        "" => Err("nobody could take it back: the keeper ended at once".to_owned()),
        why => Err(format!("nobody could take it back: {}", CleanStr::new(why))),
    }
}

/// What a keeper has from its configuration.
pub struct Keeper {
    /// The journal.
    pub journal: JournalPlace,
    /// Who writes.
    pub via: Via,
    /// The Prometheus of production, where one is known.
    pub production: Option<Endpoint>,
    /// The Prometheus of staging, where one is known.
    pub staging: Option<Endpoint>,
}

impl Keeper {
    /// Is a keeper until nothing is left to be taken back.
    pub fn run(self) -> ExitCode {
        // Out of the console's session: what ends its terminal does not end this.
        let _ = rustix::process::setsid();
        let begun = self.hear();
        let said = begun.as_ref().err().map_or(READY, |why| why.as_str());
        let mut out = std::io::stdout();
        let told = writeln!(out, "{}", said.replace('\n', " ")).and_then(|()| out.flush());
        match begun {
            Ok(mut watch) if told.is_ok() => {
                watch.run();
                ExitCode::SUCCESS
            }
            Ok(_) | Err(_) => ExitCode::FAILURE,
        }
    }

    fn hear(self) -> Result<Watch, String> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MOST).read_to_end(&mut bytes);
        read.map_err(|error| error.to_string())?;
        let mut keep: Keep = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let (program, folder) = (keep.undo.argv.first(), keep.undo.directory.as_ref());
        let (program, folder) = program.zip(folder).ok_or("its way back names no program")?;
        keep.undo.program = Some(runner::look::look_up(program, folder)?);
        let dir = self.journal.open().map_err(|error| error.to_string())?;
        let journal = dir.journal(keep.incident, self.via.clone()).map_err(|error| error.to_string())?;
        let record = Incident::replay(keep.incident, Vec::new());
        let step = keep.undo.step.clone().ok_or("its way back belongs to no step")?;
        let began = clock::boot();
        let asked = Questions { next: began, unanswered: 0, is_said: false };
        Ok(Watch {
            keeper: self,
            keep,
            step,
            dir,
            journal,
            record,
            read_to: 0,
            began,
            asked,
            beyond: None,
            tries: 0,
            next: began,
            is_stopping: false,
        })
    }
}

/// The questions for what stops a drill.
struct Questions {
    next: Duration,
    unanswered: u32,
    is_said: bool,
}

/// What it watches over.
struct Watch {
    keeper: Keeper,
    keep: Keep,
    step: StepRef,
    dir: JournalDir,
    journal: SqliteJournal,
    record: Incident,
    read_to: u64,
    /// All times are those since the machine started: no clock that is set moves them.
    began: Duration,
    asked: Questions,
    /// What was beyond its limit: that is not taken back by its being well again.
    beyond: Option<String>,
    tries: usize,
    next: Duration,
    is_stopping: bool,
}

impl Watch {
    fn run(&mut self) {
        loop {
            self.journal.wait(LOOK);
            // Without its record nothing can be written down, so nothing is done: a folder that was taken away does not come back.
            if !self.dir.directory().is_dir() {
                return;
            }
            self.read();
            let now = clock::boot();
            let is_known = self.record.run(self.keep.run).is_some();
            if !is_known && now - self.began < BIRTH {
                continue;
            }
            if !self.record.stands(&self.step) {
                return;
            }
            self.ask(now);
            let Some(why) = self.cause(now).filter(|_| now >= self.next) else { continue };
            self.take_back(&why);
        }
    }

    /// What was written since the last look.
    fn read(&mut self) {
        while let Ok(tail) = self.journal.tail(self.read_to, 1_000) {
            self.read_to = tail.to;
            self.record.apply(tail.entries.into_iter().map(|(_, entry)| entry));
            if !tail.more {
                return;
            }
        }
    }

    /// Why it is taken back now, if it is.
    fn cause(&self, now: Duration) -> Option<String> {
        if let Some(beyond) = &self.beyond {
            return Some(beyond.clone());
        }
        let stays = Duration::from_secs(self.keep.stays_s);
        if now - self.began >= stays {
            return Some(format!("its {} are over", spoken(stays)));
        }
        if self.record.phase() == Phase::Closed {
            return Some("the drill is closed".to_owned());
        }
        let of_step = |run: &&Run| run.order.step.as_ref() == Some(&self.step);
        let last = self.record.runs.iter().rev().find(of_step)?;
        let is_failed = last.order.purpose == Purpose::Undo && last.ending().is_some_and(|ending| !ending.is_success());
        is_failed.then(|| "its way back did not end well".to_owned())
    }

    /// Asks for what stops the drill, when it is time.
    fn ask(&mut self, now: Duration) {
        if self.beyond.is_some() || now < self.asked.next || self.keep.guards.is_empty() {
            return;
        }
        self.asked.next = now + Duration::from_secs(self.keep.every_s);
        let mut failure = None;
        for guard in &self.keep.guards {
            let endpoint = match guard.at {
                Asked::Production => self.keeper.production.as_ref(),
                Asked::Staging => self.keeper.staging.as_ref(),
            };
            let Some(endpoint) = endpoint else { continue };
            match staging::values(endpoint, &guard.query) {
                Ok(values) => {
                    if let Some(value) = values.into_iter().find(|value| guard.is_beyond(*value)) {
                        self.beyond = Some(words(guard, value));
                        break;
                    }
                }
                Err(why) => failure = Some(format!("{}: {why}", guard.what)),
            }
        }
        if let Some(why) = self.beyond.clone() {
            self.say("safety-stop", &format!("SAFETY STOP: {why}. All of the drill is taken back from staging now."));
            return;
        }
        self.asked.unanswered = if failure.is_some() { self.asked.unanswered + 1 } else { 0 };
        if let Some(why) = failure.filter(|_| self.asked.unanswered >= UNANSWERED && !self.asked.is_said) {
            self.asked.is_said = true;
            self.say("safety-blind", &format!("the safety stop sees nothing: {why}"));
        }
    }

    /// Tries once. What others do for the same end is waited for.
    fn take_back(&mut self, why: &str) {
        if let Some(run) = self.record.running(&self.step) {
            let (id, purpose, limit) = (run.id, run.order.purpose, Duration::from_secs(run.order.limit_s));
            match purpose {
                Purpose::Undo => return self.wait_for(id, limit + STOPPING),
                Purpose::Do => {
                    // What still puts it there must end before it can be taken back.
                    if !std::mem::replace(&mut self.is_stopping, true) {
                        let folder = runner::folder(self.dir.directory(), self.keep.incident, id);
                        let _ = runner::cancel(&folder, ACTOR);
                    }
                    return self.wait_for(id, STOPPING);
                }
            }
        }
        if self.tries == 0 && self.beyond.is_none() {
            let key = format!("kept/{}", self.keep.run);
            self.say(&key, &format!("{}: {why}: it is taken back by itself", self.title()));
        }
        let pause = PAUSES[self.tries.min(PAUSES.len() - 1)];
        self.tries += 1;
        let title = CleanStr::new(&format!("{} ({why}, attempt {})", self.keep.undo.title, self.tries));
        let body = CommandStarted { title, ..self.keep.undo.clone() };
        if let Some(run) = self.start(body) {
            let limit = Duration::from_secs(self.keep.undo.limit_s);
            self.wait_for(run, limit + STOPPING);
        }
        self.next = clock::boot() + pause;
    }

    /// What was put there.
    fn title(&self) -> CleanStr {
        self.record.run(self.keep.run).map_or_else(|| self.step.step.clone(), |run| run.order.title.clone())
    }

    /// Writes the start down, and starts it if nobody was faster.
    fn start(&mut self, body: CommandStarted) -> Option<EntryId> {
        let events = decide(&self.record, Command::StartRun(body), &self.asking()).ok()?;
        let written = self.append(events);
        let run = written.iter().find(|entry| matches!(entry.event, Event::CommandStarted(_)))?.id;
        self.read();
        let is_first = self.record.running(&self.step).is_some_and(|known| known.id == run)
            && self
                .record
                .runs
                .iter()
                .filter(|known| known.is_open())
                .all(|known| known.id == run || known.order.step.as_ref() != Some(&self.step));
        if !is_first {
            self.end(runner::End::not_started("somebody else takes it back").of_run(run));
            return None;
        }
        let (folder, sharing) = (runner::folder(self.dir.directory(), self.keep.incident, run), self.dir.sharing());
        if let Err(error) = runner::start(&folder, &Order::of(&self.keep.undo, sharing), sharing) {
            self.end(runner::End::not_started(&error.to_string()).of_run(run));
            return None;
        }
        Some(run)
    }

    /// Waits for the end of a command, at most so long, and writes it down where no console was faster.
    fn wait_for(&mut self, run: EntryId, most: Duration) {
        let folder = runner::folder(self.dir.directory(), self.keep.incident, run);
        let (sender, said) = mpsc::channel();
        runner::follow(folder, Duration::ZERO, move |what| sender.send(what).is_ok());
        let until = clock::boot() + most;
        while let Some(left) = until.checked_sub(clock::boot()) {
            match said.recv_timeout(left.min(LOOK)) {
                Ok(Said::Ended(end)) => {
                    self.read();
                    return self.end(end.of_run(run));
                }
                Ok(Said::Printed(..) | Said::Rewritten(..) | Said::File(_) | Said::Overtime | Said::Unwatched(_))
                | Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn end(&mut self, body: CommandEnded) {
        if let Ok(events) = decide(&self.record, Command::EndRun(body), &self.asking()) {
            self.append(events);
            self.read();
        }
    }

    /// Says something to everybody who has the drill open, once.
    fn say(&mut self, key: &str, text: &str) {
        let is_said = |known: &&(CleanStr, CleanStr)| *known.0 == *FACILITATOR && *known.1 == *key;
        if self.record.foreign.keys().any(|known| is_said(&known)) {
            return;
        }
        let note = ForeignNoted {
            service: FACILITATOR.into(),
            key: key.into(),
            who: ACTOR.into(),
            at: clock::wall(),
            text: CleanText::new(text),
            link: None,
            answers: None,
        };
        self.append(vec![Event::ForeignNoted(note)]);
        self.read();
    }

    fn asking(&self) -> Asking {
        Asking::new(CleanStr::new(ACTOR), self.record.clock().show(clock::wall()))
    }

    fn append(&mut self, events: Vec<Event>) -> Vec<crate::incident::Entry> {
        let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(CleanStr::new(ACTOR), event)).collect();
        // A disk that is full now may have room at the next attempt; nothing starts that is not in the record.
        self.journal.append(&entries).unwrap_or_default()
    }
}

/// What is beyond what, in words.
fn words(guard: &Guard, value: f64) -> String {
    let place = match guard.at {
        Asked::Production => "production",
        Asked::Staging => "staging",
    };
    let side = if guard.is_upper { "above" } else { "below" };
    format!("{} of {place} is {value}, {side} its limit {}", guard.what, guard.limit)
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
