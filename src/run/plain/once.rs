//! One command of line mode by itself: what a shell has it do.
//!
//! It is the console of line mode, from the same table, with the same refusals: the record is opened, the line is obeyed, and the end comes when what
//! it led to is on disk and has left, or is known not to have.
//!
//! Invariant: what leaves this machine, or ends something, is done only when exactly that was confirmed; until then nothing is written.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::super::shell::{Happened, Shell};
use super::super::signals::{Asked as Signal, Signals};
use super::super::{LONGEST_SLEEP, PATIENCE, Plan, clock, log};
use super::consent::{Consent, consent};
use super::streams::Paper;
use super::{Session, Wants, verbs};
use crate::console::overlay::delivery_line;
use crate::console::{Effect, Msg};
use crate::incident::{Delivery, DeliveryState};
use crate::source::changes;

/// How long a command that looks at the world waits for what the sources say first.
const FIRST_WORD: Duration = Duration::from_secs(6);

/// A command of a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellCommand {
    /// Its name in line mode.
    pub name: &'static str,
    /// What follows the name.
    pub words: String,
    /// What it must know of the world first.
    pub wants: Wants,
    /// What somebody confirmed.
    pub confirmed: Option<Confirmed>,
}

/// What somebody confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// The word that stands for it: `--yes WORD`.
    Word(String),
    /// What was shown on a terminal.
    Seen(Consent),
}

/// How a command went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Went {
    /// It is on disk.
    Done,
    /// What was asked is answered, and nothing was changed.
    Answered,
    /// The rules of the incident, or the world, say no.
    Refused,
    /// It was called wrongly.
    Misused,
    /// It waits for somebody's word; nothing was done.
    Unconfirmed(Consent),
    /// It is on disk, and what goes out has not arrived.
    Unsent,
    /// A signal ended it, with this status.
    Ended(u8),
}

/// What a command says, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellAnswer {
    /// How it went.
    pub went: Went,
    /// The lines of the answer.
    pub said: Vec<String>,
    /// What is wrong or was refused, in lines.
    pub complaints: Vec<String>,
}

/// Has one command done on the record that the plan opens.
pub fn once(plan: Plan, asked: &ShellCommand) -> anyhow::Result<ShellAnswer> {
    let runtime = crate::run::lacking::runtime()?;
    let result = runtime.block_on(run(plan, asked));
    runtime.shutdown_background();
    result
}

async fn run(mut plan: Plan, asked: &ShellCommand) -> anyhow::Result<ShellAnswer> {
    plan.settings.catalogue = crate::config::files::catalogue(&plan.playbooks);
    plan.settings.templates = crate::config::files::templates(&plan.templates);
    let sources: Vec<&'static str> = match asked.wants {
        Wants::Nothing => Vec::new(),
        Wants::World => plan.endpoints.iter().map(|(spec, _)| spec.name).collect(),
        Wants::Changes => {
            [changes::FILE].into_iter().chain(plan.change_command.as_ref().map(|_| changes::COMMAND)).collect()
        }
    };
    let mut signals = Signals::new()?;
    let _log = log::start(&plan.log);
    let mut session = Session::new(&plan, Paper::kept());
    session.console.spell_as(verbs::IN_SHELL);
    session.is_single = true;
    let mut shell = Shell::start(plan);
    let began = clock::boot();
    let mut went = None;
    let went = loop {
        let wall = clock::wall();
        while let Some(msg) = shell.answer() {
            session.handle(msg, wall, &mut shell);
        }
        session.give_up_waiting();
        if went.is_none()
            && session.is_open
            && !session.waits.history
            && session.has_heard(&sources, clock::boot() - began)
        {
            // What was told while it opened is no part of the answer.
            session.paper.take();
            went = Some(session.obey_once(asked, wall, &mut shell));
            continue;
        }
        let is_at_rest = !session.is_waiting() && !session.is_sending() && !session.is_running(wall);
        if is_at_rest && session.dialog.is_some() && matches!(went, Some(Went::Done | Went::Answered)) {
            went = Some(session.take_up(asked, wall, &mut shell));
            continue;
        }
        match &went {
            Some(went) if is_at_rest || matches!(went, Went::Unconfirmed(_)) => break went.clone(),
            None if session.has_failed => break Went::Refused,
            Some(_) | None => {}
        }
        let pause = session.pause(wall).min(Duration::from_millis(250)).min(LONGEST_SLEEP);
        let happened = tokio::select! {
            biased;
            asked = signals.next() => Heard::Asked(asked),
            happened = shell.next() => Heard::Shell(happened),
            () = tokio::time::sleep(pause) => Heard::Time,
        };
        let wall = clock::wall();
        match happened {
            Heard::Asked(Signal::Terminate(ending)) => {
                if session.is_running(wall) {
                    session.paper.line("! what was started runs on: :runs says how it goes, :cancel N ends it");
                }
                break Went::Ended(ending.status());
            }
            Heard::Asked(Signal::Suspend) => {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TTOU)?;
            }
            Heard::Asked(Signal::Resize | Signal::Continue) => {}
            Heard::Shell(happened) => {
                session.take(happened, wall, &mut shell);
                while let Some(happened) = shell.ready() {
                    session.take(happened, wall, &mut shell);
                }
            }
            Heard::Time => session.handle(Msg::Wake, wall, &mut shell),
        }
    };
    let went = session.ran(went, clock::wall());
    let unsent = session.unsent(clock::wall());
    shell.close(None, Vec::new(), None, PATIENCE).map_err(anyhow::Error::msg)?;
    Ok(session.answered(went, unsent))
}

/// Whether an effect changes something outside this process.
fn writes(effect: &Effect) -> bool {
    match effect {
        Effect::Append { .. }
        | Effect::Create(..)
        | Effect::StartDrill
        | Effect::Redact(_)
        | Effect::SaveDraft(_)
        | Effect::KeepForm(..)
        | Effect::ClearDraft
        | Effect::Merge { .. }
        | Effect::Unmerge(..)
        | Effect::Deliver(_)
        | Effect::Proceed(_)
        | Effect::Stop(_)
        | Effect::Copy(_)
        | Effect::Run(..)
        | Effect::WriteStarterConfig => true,
        // Of these only a postmortem is a file.
        Effect::Print(printout) => matches!(printout, crate::console::Printout::Postmortem(_)),
        Effect::Open(_)
        | Effect::List
        | Effect::LookBack(_)
        | Effect::Bell
        | Effect::Watch(_)
        | Effect::Simulate(_)
        | Effect::Progress(_)
        | Effect::LookUp(_)
        | Effect::Prove(_)
        | Effect::AskNews(_)
        | Effect::Inquire(_)
        | Effect::LookFor(..)
        | Effect::Page(_)
        | Effect::Read(_)
        | Effect::Runbook(_)
        | Effect::ShowLayout(_)
        | Effect::Repaint
        | Effect::Suspend
        | Effect::Quit => false,
    }
}

enum Heard {
    Asked(Signal),
    Shell(Happened),
    Time,
}

impl Session {
    /// Whether every source that is needed has said something, or was waited for long enough.
    fn has_heard(&self, sources: &[&'static str], waited: Duration) -> bool {
        let has_said = |name: &&'static str| {
            let health = self.console.live().sources.get(name);
            health.is_some_and(|health| health.good_at.is_some() || health.failing.is_some())
        };
        waited > FIRST_WORD || sources.iter().all(has_said)
    }

    /// Obeys the only line; what wants somebody's word and does not have it is not done.
    fn obey_once(&mut self, asked: &ShellCommand, wall: DateTime<Utc>, shell: &mut Shell) -> Went {
        let answer = verbs::obey_named(self, asked.name, &asked.words, wall);
        self.tell_notice();
        let effects = match answer {
            Ok(effects) => effects,
            Err(sentence) => {
                self.paper.say("! ", &sentence);
                return if verbs::is_usage(&sentence) { Went::Misused } else { Went::Refused };
            }
        };
        if let Some(consent) = consent(asked.name, &effects, &self.cx(wall)) {
            let is_confirmed = match &asked.confirmed {
                Some(Confirmed::Word(word)) => consent.is_meant_by(word),
                Some(Confirmed::Seen(seen)) => *seen == consent,
                None => false,
            };
            if !is_confirmed {
                return Went::Unconfirmed(consent);
            }
        }
        self.waits.returns |= effects.iter().any(|effect| matches!(effect, Effect::Append { .. }));
        let went = if effects.iter().any(writes) { Went::Done } else { Went::Answered };
        self.perform(effects, shell);
        went
    }

    /// What this console was to send and has not, in lines.
    fn unsent(&self, wall: DateTime<Utc>) -> Vec<String> {
        let cx = self.cx(wall);
        let is_mine = |delivery: &&Delivery| delivery.console == *cx.console;
        let is_stuck = |delivery: &&Delivery| match &delivery.state {
            DeliveryState::Queued { .. }
            | DeliveryState::Sending
            | DeliveryState::Failed { .. }
            | DeliveryState::Unconfirmed { .. } => true,
            DeliveryState::Held { .. }
            | DeliveryState::Sent(_)
            | DeliveryState::Gone { .. }
            | DeliveryState::ByHand
            | DeliveryState::Dropped { .. }
            | DeliveryState::Superseded { .. } => false,
        };
        let all = cx.incident.undelivered().filter(is_mine).filter(is_stuck);
        all.map(|delivery| format!("not sent: {}", delivery_line(delivery, &cx))).collect()
    }

    fn answered(mut self, went: Went, unsent: Vec<String>) -> ShellAnswer {
        let text = self.paper.take();
        let (mut said, mut complaints): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        let mut is_complaint = false;
        for line in text.lines() {
            // What goes on below a complaint belongs to it.
            is_complaint = line.starts_with("! ") || (is_complaint && line.starts_with("    "));
            let words = line.strip_prefix("! ").unwrap_or(line);
            // What people wrote stays as it is; only sentences name commands.
            let names_commands = is_complaint || line.starts_with("write :");
            let line = if names_commands { verbs::in_shell(words) } else { words.to_owned() };
            if is_complaint { complaints.push(line) } else { said.push(line) }
        }
        let went = match went {
            Went::Done | Went::Answered if self.has_failed => Went::Refused,
            Went::Done if !unsent.is_empty() => Went::Unsent,
            other => other,
        };
        if went == Went::Unsent {
            complaints.extend(unsent);
        }
        ShellAnswer { went, said, complaints }
    }
}
