//! `warroom run -- CMD`: runs a command as a playbook's step does, with its output here, on every console, and as evidence on the timeline.
//!
//! Invariant: its start is in the record before it starts; its exit status passes through.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Ending;
use super::answers::{actor, asking, meant, opened, read_record, refused, via};
use super::start::{host, surroundings};
use super::status::Status;
use crate::clock;
use crate::config::{Config, files};
use crate::incident::command::decide;
use crate::incident::{
    Asking, Command, CommandStarted, Ending as RunEnding, Event, IncidentId, Purpose, StepRef, command_digest,
};
use crate::journal::{Journal, NewEntry};
use crate::run::records;
use crate::runner::{self, Order, Said};
use crate::text::duration::Lapse;
use crate::text::exact::show_argv;
use crate::text::{CleanStr, Exact};

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
/// What a shell says of a program that is not there, and of one that a signal ended (plus its number).
const NOT_FOUND: u8 = 127;
const SIGNALLED: i32 = 128;
/// Nobody knows how it ended, or it was stopped.
const NO_STATUS: u8 = 125;

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// The playbook's step that it belongs to: restart-workers, or blubank/restart-workers
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Stop it after this time
    #[arg(long, value_name = "TIME", default_value = "10m")]
    timeout: Lapse,
    /// Give it this variable too: it gets only the usual ones
    #[arg(long, value_name = "NAME")]
    env: Vec<CleanStr>,
    /// Pass stdin on to it; without, a command gets no input
    #[arg(long)]
    input: bool,
    /// Run and record nothing: print what would run
    #[arg(long)]
    dry_run: bool,
    /// The program and its arguments, after `--`
    #[arg(last = true, required = true)]
    argv: Vec<OsString>,
}

impl Asked {
    /// Whether something runs.
    pub(super) fn does(&self) -> bool {
        !self.dry_run
    }
}

pub(super) fn run(config: &Config, named: Option<IncidentId>, asked: &Asked) -> Result<ExitCode, Ending> {
    if !asked.input && is_input_waiting() {
        return Err(Ending::Usage(
            "something waits on stdin, and the command would not get it: --input passes it on, < /dev/null says that it is not meant"
                .to_owned(),
        ));
    }
    let dir = opened(config)?;
    let id = meant(config, &dir, named)?;
    let incident = read_record(&dir, id)?;
    let (me, now) = (actor(config), incident.clock().show(clock::wall()));
    let step = asked.step.as_deref().map(|name| step(config, &incident, name)).transpose()?;
    let argv: Vec<Exact> = asked.argv.iter().map(|word| Exact::new(word.as_bytes())).collect();
    let directory = std::env::current_dir().ok().map(|here| Exact::new(here.as_os_str().as_bytes()));
    if asked.dry_run {
        let place = directory.as_ref().map(|place| format!(" in {}", place.shown())).unwrap_or_default();
        return super::print(&format!("would run {}{place} on {} for {id}: nothing ran", show_argv(&argv), host()));
    }
    let here = directory.clone().unwrap_or_else(|| Exact::new("/"));
    let program = match runner::look::look_up(&argv[0], &here) {
        Ok(program) => program,
        Err(why) => {
            super::say_error(&why);
            return Ok(ExitCode::from(NOT_FOUND));
        }
    };
    let env = surroundings(config).environment(&asked.env).map_err(Ending::Usage)?;
    let body = CommandStarted {
        title: step.as_ref().map_or_else(|| argv[0].clean(), |(_, title)| title.clone()),
        step: step.map(|(step, _)| step),
        purpose: Purpose::Do,
        digest: command_digest(&argv, directory.as_ref()),
        argv,
        values: Default::default(),
        program: Some(program),
        despite: Vec::new(),
        env,
        directory,
        environment: None,
        changes: false,
        limit_s: u64::try_from(asked.timeout.num_seconds()).unwrap_or(600).max(1),
        stops_at_limit: true,
        judging: Default::default(),
        stays_s: None,
        host: host(),
    };
    let needs = body.step.as_ref().and_then(|step| {
        files::catalogue(&config.playbooks).with_frozen(incident.playbooks.values()).get(&step.service)?.needs(&body)
    });
    let asking = Asking { needs, ..asking(config, &incident, now) };
    let events =
        decide(&incident, Command::StartRun(body.clone()), &asking).map_err(|refusal| refused(&refusal, &incident))?;
    let mut journal = dir.journal(id, via("run"))?;
    let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(me.clone(), event)).collect();
    let written = journal.append(&entries)?;
    let Some(run) = written.iter().find(|entry| matches!(entry.event, Event::CommandStarted(_))) else {
        return Err(Ending::Failure("the journal did not give the start back".to_owned()));
    };
    // What runs is what was typed; the record has it without the secrets in it.
    let order = Order { is_aloud: true, input: asked.input.then(std::process::id), ..Order::of(&body, dir.sharing()) };
    let folder = runner::folder(dir.directory(), id, run.id);
    let end = match runner::start(&folder, &order, dir.sharing()) {
        Ok(started) => follow(&folder, started, &me),
        Err(error) => runner::End::not_started(&error.to_string()),
    };
    let status = match &end.ending {
        RunEnding::Exited(code) => u8::try_from(*code).unwrap_or(1),
        RunEnding::Signalled(signal) => u8::try_from(SIGNALLED + signal).unwrap_or(NO_STATUS),
        RunEnding::NotStarted(why) => {
            super::say_error(why);
            NOT_FOUND
        }
        RunEnding::Stopped(why) | RunEnding::Unknown(why) => {
            super::say_error(why);
            NO_STATUS
        }
    };
    let unprinted = end.unprinted.clone();
    let incident = records::read(&dir, id)?;
    // Where a console was faster, it stands in the record already.
    if let Ok(events) = decide(&incident, Command::EndRun(end.of_run(run.id)), &asking) {
        let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(me.clone(), event)).collect();
        journal.append(&entries)?;
    }
    if let Some(why) = unprinted {
        let file = runner::output(&folder);
        super::say_error(&format!("done, printing failed ({why}): what it printed is in {}", file.display()));
        // A status of its own, unless the command has one that says more.
        return Ok(if status == 0 { Status::Unprinted.into() } else { ExitCode::from(status) });
    }
    Ok(ExitCode::from(status))
}

/// Whether something can be read from stdin now that nobody would read: in a pipe, or in a file behind what was read of it.
pub(super) fn is_input_waiting() -> bool {
    use rustix::fs::FileType;
    let stdin = rustix::stdio::stdin();
    let Ok(what) = rustix::fs::fstat(stdin) else { return false };
    match FileType::from_raw_mode(what.st_mode) {
        FileType::RegularFile => {
            let here = rustix::fs::seek(stdin, rustix::fs::SeekFrom::Current(0)).unwrap_or_default();
            u64::try_from(what.st_size).is_ok_and(|size| here < size)
        }
        FileType::Fifo | FileType::Socket => {
            let mut ask = [PollFd::from_borrowed_fd(stdin, PollFlags::IN)];
            let soon = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            poll(&mut ask, Some(&soon)).is_ok_and(|count| count > 0) && ask[0].revents().contains(PollFlags::IN)
        }
        _ => false,
    }
}

/// A step of the affected services' playbooks.
fn step(config: &Config, incident: &crate::incident::Incident, name: &str) -> Result<(StepRef, CleanStr), Ending> {
    let catalogue = files::catalogue(&config.playbooks);
    let (service, id) = name.split_once('/').map_or((None, name), |(service, id)| (Some(service), id));
    let mut steps = incident.services.iter().filter(|one| service.is_none_or(|service| one.as_str() == service));
    let found = steps.find_map(|service| {
        let playbook = catalogue.get(service)?;
        playbook.step(id).map(|step| (playbook.step_ref(step), step.title.clone()))
    });
    found.ok_or_else(|| {
        Ending::Usage(format!("no playbook of an affected service has a step `{}`", CleanStr::new(name)))
    })
}

/// Waits for its end; its helper says what it prints. Ctrl+C is for the command, which may do with it what it likes; whoever ends this ends the command.
fn follow(folder: &std::path::Path, started: runner::Started, me: &str) -> runner::End {
    let asked = |signal| {
        let flag = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal, Arc::clone(&flag));
        flag
    };
    let (interrupted, ended) = (asked(SIGINT), [asked(SIGTERM), asked(SIGHUP)]);
    let (sender, said) = mpsc::channel();
    runner::follow_own(folder.to_owned(), started, move |what| sender.send(what).is_ok());
    let unwritable = || super::say_error("it cannot be stopped from here: its folder cannot be written");
    loop {
        if interrupted.swap(false, Ordering::Relaxed) && runner::interrupt(folder).is_err() {
            unwritable();
        }
        if ended.iter().any(|flag| flag.swap(false, Ordering::Relaxed)) && runner::cancel(folder, me).is_err() {
            unwritable();
        }
        match said.recv_timeout(Duration::from_millis(200)) {
            Ok(Said::Ended(end)) => return end,
            Ok(Said::Unwatched(pid)) => {
                super::say_error(&format!("its watcher is gone, and it still runs, as process {pid}"));
            }
            Ok(Said::Printed(..) | Said::Rewritten(..) | Said::File(_) | Said::Overtime)
            | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return runner::End::unknown("its follower ended"),
        }
    }
}
