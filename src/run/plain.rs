//! Line mode: the console without a screen, for pipes, dumb terminals and screen readers.
//!
//! State changes go out as lines, notes and `:commands` come in as lines. It is the same [`Console`] as on the screen, never drawn: what happens goes
//! into [`Console::handle`], and what changed is told in words.
//!
//! A typed line is obeyed once the record shows what the line before it led to, so that a script (`:take ic`, then `:ack`) means what it says. The end
//! of stdin ends the console as soon as the first state was told and everything typed is on disk: with status 0, or 1 if something could not be
//! saved or opened. A read-only console types nothing, so it goes on and follows (`warroom open --plain --read-only < /dev/null`) until a signal
//! comes or nobody reads stdout any more.
//!
//! Invariant: no byte of an escape sequence is ever written; leaving waits for no reader and for no typist.

mod consent;
mod lists;
mod meters;
mod numbers;
mod offered;
mod once;
mod streams;
mod told;
mod verbs;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use rustix::process::{Signal, getpid, kill_process};

use super::shell::{Happened, Shell};
use super::signals::{Asked, Ending, Signals};
use super::tty::stop;
use super::{LONGEST_SLEEP, Opening, PATIENCE, Plan, clock, log};
use crate::console::drill::LATE;
use crate::console::overlay::{RunDialog, summary_line};
use crate::console::runs::RunSaid;
use crate::console::{Console, Doubt, Effect, JournalMsg, Known, Msg, Notice, Summary, Tone};
use crate::exercise::Exercise;
use crate::incident::{AlertLinked, Command, Declared, Entry, EntryId, Event, Line, Series};
use crate::live::Finding;
use crate::pane::{Access, Cx};
use crate::text::{CleanText, many, too_many_bytes};
use crate::widget::text::duration;
pub use consent::Consent;
use numbers::Numbers;
pub use once::{Confirmed, ShellAnswer, ShellCommand, Went, once};
use streams::{Paper, Stdout, Typed, Written};
use told::Told;
use verbs::{Awaited, came};
pub use verbs::{CommandRow, ShellVerb, Wants, command_table, in_shell, in_shell_by_subject, said_in_shell};

/// How long the next typed line waits for what the one before it led to; a journal that is silent for so long is said to be.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long the way out waits for a slow reader.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Runs a console in line mode until it is left; gives the exit status. Where it takes no lines, stdin is left alone and the end comes at once.
pub fn plain(plan: Plan, takes_lines: bool) -> anyhow::Result<ExitCode> {
    let runtime = crate::run::lacking::runtime()?;
    let result = runtime.block_on(run(plan, takes_lines));
    runtime.shutdown_background();
    result.map(ExitCode::from)
}

async fn run(mut plan: Plan, takes_lines: bool) -> anyhow::Result<u8> {
    // No frame waits here, and the first line that is typed may name a step or a template.
    plan.settings.catalogue = crate::config::files::catalogue(&plan.playbooks);
    plan.settings.templates = crate::config::files::templates(&plan.templates);
    let mut signals = Signals::new()?;
    let paper = Paper::new(!plan.settings.theme.glyphs.is_unicode)?;
    let mut typed = if takes_lines { streams::read_stdin()? } else { streams::nothing() };
    let _log = log::start(&plan.log);
    let mut session = Session::new(&plan, paper);
    let mut shell = Shell::start(plan);
    let mut watch = clock::Watch::new(clock::wall(), clock::boot());
    let mut is_read = true;
    let mut status = loop {
        let wall = clock::wall();
        if let Some(jump) = watch.check(wall, clock::boot()) {
            session.handle(Msg::ClockJumped(jump), wall, &mut shell);
        }
        while let Some(msg) = shell.answer() {
            session.handle(msg, wall, &mut shell);
        }
        session.tell_news(wall);
        session.give_up_waiting();
        session.paper.flush();
        if shell.is_over() {
            break 0;
        }
        if session.is_done() {
            break u8::from(session.has_failed);
        }
        let (takes_lines, pause) = (session.takes_lines(), session.pause(wall));
        let happened = tokio::select! {
            biased;
            asked = signals.next() => Heard::Asked(asked),
            stdout = session.paper.next() => Heard::Stdout(stdout),
            happened = shell.next() => Heard::Shell(happened),
            typed = typed.recv(), if takes_lines => Heard::Typed(typed.unwrap_or(Typed::End)),
            () = tokio::time::sleep(pause) => Heard::Time,
        };
        let wall = clock::wall();
        match happened {
            Heard::Asked(Asked::Terminate(ending)) => {
                is_read = false;
                break ending.status();
            }
            Heard::Asked(Asked::Suspend) => {
                stop(|| kill_process(getpid(), Signal::TTOU))?;
            }
            Heard::Asked(Asked::Resize | Asked::Continue) | Heard::Stdout(Stdout::HasRoom) => {}
            Heard::Stdout(Stdout::Gone) => break 0,
            Heard::Shell(happened) => {
                session.take(happened, wall, &mut shell);
                while let Some(happened) = shell.ready() {
                    session.take(happened, wall, &mut shell);
                }
            }
            Heard::Typed(typed) => session.typed(typed, wall, &mut shell),
            Heard::Time => session.handle(Msg::Wake, wall, &mut shell),
        }
    };
    for line in session.console.left_behind(clock::wall()) {
        session.paper.line(&format!("! {line}"));
    }
    let closed = shell.close(None, Vec::new(), None, PATIENCE);
    // Who reads slowly gets all of it, as of any program in a pipe; a signal ends the waiting.
    if is_read {
        tokio::select! {
            () = session.paper.drain() => {}
            ending = terminated(&mut signals) => status = ending.status(),
        }
    }
    let saved = session.saved;
    let written = session.paper.close(LAST_WORDS);
    closed.map_err(anyhow::Error::msg)?;
    match written {
        Written::Everything | Written::Unread | Written::InTime => Ok(status),
        Written::Refused(error) if saved > 0 => Err(Unsaid { error, saved }.into()),
        Written::Refused(error) => Err(anyhow::Error::new(error).context("the output could not be written")),
    }
}

/// Something typed is on disk, and stdout took no answer.
#[derive(Debug, thiserror::Error)]
#[error("done, printing failed ({error}): {} of what was typed on disk, and nothing behind was read", many(*saved, "entry"))]
pub struct Unsaid {
    error: std::io::Error,
    saved: usize,
}

/// Waits for a signal that ends the console.
async fn terminated(signals: &mut Signals) -> Ending {
    loop {
        if let Asked::Terminate(ending) = signals.next().await {
            return ending;
        }
    }
}

enum Heard {
    Asked(Asked),
    Stdout(Stdout),
    Shell(Happened),
    Typed(Typed),
    Time,
}

/// What the next typed line, and the end, wait for.
#[derive(Debug, Default)]
struct Waits {
    /// Appends without an answer.
    tickets: BTreeSet<u64>,
    /// What was asked for must have come back from the record.
    returns: bool,
    /// A record is being opened.
    opening: bool,
    /// The shell reads records to answer.
    answer: bool,
    /// A source was asked for this, which is said when it comes.
    source: Option<Awaited>,
    /// The shell looks for earlier incidents: before it has, nobody knows that there are none.
    history: bool,
    /// Since when, on the clock that counts suspend.
    since: Duration,
}

/// What would run, and what was made up this time for the word that starts it.
struct Proposal {
    dialog: RunDialog,
    code: String,
}

/// A console in line mode.
struct Session {
    console: Console,
    access: Access,
    paper: Paper,
    told: Told,
    numbers: Numbers,
    /// What was shown last and waits for its word, frozen.
    dialog: Option<Proposal>,
    /// How often programs were looked for.
    looks: u64,
    waits: Waits,
    /// Everything of the open record was read, and its first state told.
    is_open: bool,
    /// Nobody named a record yet: the first list decides.
    is_choosing: bool,
    draft: Option<(CleanText, DateTime<Utc>)>,
    /// The append that records the draft: only when it is on disk the draft goes.
    draft_ticket: Option<u64>,
    /// The line that was obeyed last, to give it back when it cannot be saved.
    last_line: String,
    notice: Option<Notice>,
    has_ended: bool,
    has_failed: bool,
    /// It obeys one command of a shell: only what comes of that is told.
    is_single: bool,
    /// How many commands the record had before this one started its own.
    runs_before: Option<usize>,
    /// What commands print and have not ended.
    meters: meters::Meters,
    /// How often something was put on disk.
    saved: usize,
}

impl Session {
    fn new(plan: &Plan, paper: Paper) -> Self {
        let is_auto = plan.opening == Opening::Auto;
        let waits = Waits { opening: !is_auto, answer: is_auto, since: clock::boot(), ..Waits::default() };
        // Nothing is drawn; the width says how fine the objectives are measured.
        let mut console = Console::new(plan.settings.clone(), Rect::new(0, 0, 80, 24));
        console.spell_as(verbs::COMMANDS);
        Self {
            console,
            access: plan.settings.access,
            paper,
            told: Told::default(),
            numbers: Numbers::default(),
            dialog: None,
            looks: 0,
            waits,
            is_open: false,
            is_choosing: is_auto,
            draft: None,
            draft_ticket: None,
            last_line: String::new(),
            notice: None,
            has_ended: false,
            has_failed: false,
            is_single: false,
            runs_before: None,
            meters: Default::default(),
            saved: 0,
        }
    }

    fn cx(&self, wall: DateTime<Utc>) -> Cx<'_> {
        self.console.view(wall)
    }

    fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly
    }

    fn is_waiting(&self) -> bool {
        let Waits { tickets, returns, opening, answer, source, history, .. } = &self.waits;
        let is_writing = !tickets.is_empty() || (*returns && self.console.is_waiting());
        is_writing || *opening || *answer || source.is_some() || *history
    }

    fn takes_lines(&self) -> bool {
        !self.has_ended && !self.is_waiting()
    }

    fn is_done(&self) -> bool {
        self.has_ended && !self.is_waiting() && !self.is_sending()
    }

    /// What was approved here is on its way out: the end waits for it, but not for ever.
    fn is_sending(&self) -> bool {
        self.console.is_sending() && !self.patience().is_zero()
    }

    /// How long nothing needs to be done unless something happens.
    fn pause(&self, wall: DateTime<Utc>) -> Duration {
        let turns = self.is_open.then(|| self.told.next_change(&self.cx(wall))).flatten();
        let turns = turns.map(|at| self.console.own(at));
        let next = self.console.next_wake().into_iter().chain(turns).min();
        let next = next.map(|at| (at - wall).to_std().unwrap_or_default());
        let is_leaving = self.has_ended && self.is_sending();
        let patience = (self.is_waiting() || is_leaving).then(|| self.patience());
        next.into_iter().chain(patience).min().unwrap_or(LONGEST_SLEEP).min(LONGEST_SLEEP)
    }

    fn patience(&self) -> Duration {
        (self.waits.since + LONGEST_WAIT).saturating_sub(clock::boot())
    }

    /// The journal answers within milliseconds, or says why not; when it does neither, people shall know.
    fn give_up_waiting(&mut self) {
        if self.is_waiting() && self.patience().is_zero() {
            if !self.waits.tickets.is_empty() {
                self.paper.line("! the journal has not answered for 10 s: what was typed last may not be saved");
                self.has_failed = true;
            } else if self.waits.opening {
                self.paper.line("! the record was not read within 10 s: it opens as soon as it can be read");
                self.has_failed = true;
            }
            if self.waits.source.is_some() {
                self.paper.line("! the source of the traces has not answered for 10 s");
            }
            self.waits = Waits::default();
        }
    }

    fn take(&mut self, happened: Happened, wall: DateTime<Utc>, shell: &mut Shell) {
        for msg in shell.settle(happened) {
            self.handle(msg, wall, shell);
        }
    }

    fn handle(&mut self, msg: Msg, wall: DateTime<Utc>, shell: &mut Shell) {
        // What the console cannot tell afterwards is looked at before it goes in.
        let (mut new, mut lost, mut is_answer): (Vec<EntryId>, _, _) = (Vec::new(), String::new(), false);
        match &msg {
            Msg::Journal(JournalMsg::Opened(id)) => {
                self.paper.mark(id.series == Series::Drill);
                self.waits = Waits { opening: true, since: clock::boot(), ..Waits::default() };
                (self.is_open, self.draft, self.draft_ticket) = (false, None, None);
                self.numbers = Numbers::default();
                self.dialog = None;
            }
            Msg::Journal(JournalMsg::Entries(entries)) => {
                new.extend(entries.iter().map(|entry| entry.id));
            }
            Msg::Journal(JournalMsg::Draft(text, began)) => {
                // It stays on disk as it is, and is not typed into a line that nobody sees.
                self.paper.say("you left a half-typed line (:draft records it): ", text);
                self.draft = Some((text.clone(), *began));
                return;
            }
            Msg::Journal(JournalMsg::Saved(ticket, _)) => {
                self.saved += 1;
                self.waits.tickets.remove(ticket);
                if self.draft_ticket == Some(*ticket) {
                    (self.draft, self.draft_ticket) = (None, None);
                    shell.perform(Effect::ClearDraft);
                }
            }
            Msg::Journal(JournalMsg::NotSaved(ticket, _)) => {
                self.has_failed = true;
                self.draft_ticket = self.draft_ticket.filter(|draft| draft != ticket);
                if self.waits.tickets.remove(ticket) {
                    lost = std::mem::take(&mut self.last_line);
                }
            }
            Msg::Journal(JournalMsg::Unwritable(why)) => {
                self.paper.line(&format!("! the journal cannot be written: {why}"));
            }
            Msg::Journal(JournalMsg::OnlyRead(why)) => {
                self.paper.line(&format!("! the record is read-only here: {why}"))
            }
            Msg::Journal(JournalMsg::Stalled(Some(_))) => {
                self.paper.line("! NOT ON DISK: what was entered waits for the disk, which does not answer");
            }
            Msg::Journal(JournalMsg::Damaged(damage)) => {
                for what in damage {
                    self.paper.line(&format!("! the record is damaged: {what}"));
                }
            }
            Msg::Journal(JournalMsg::Unopened(_)) => {
                (self.waits.opening, self.is_open, self.has_failed) = (false, false, true);
            }
            Msg::IsOpen(known, _) => {
                (self.waits.opening, self.has_failed) = (false, true);
                for (id, title) in known {
                    self.paper.line(&format!(
                        "! is it {id} ({title})? :open {id} joins it; :declare! with the same words declares another one"
                    ));
                }
                return;
            }
            Msg::Failed(_) | Msg::Done(_) => self.waits.answer = false,
            Msg::Past(_) => self.waits.history = false,
            // What nobody asked for ends no waiting.
            Msg::Remark(_) => {}
            Msg::Printed(_, text) => {
                self.waits.answer = false;
                for line in text.lines() {
                    self.paper.line(line);
                }
            }
            Msg::RealAlerts(titles) => {
                for title in titles {
                    self.paper.line(&format!(
                        "! REAL ALERT: {title}: this is a drill; :pause-drill stops its clock, :declare leaves it"
                    ));
                }
            }
            Msg::Run(run, said) => {
                if let RunSaid::Printed(_, skipped @ 1..) = said {
                    let file = self.console.view(wall).outputs.get(*run).and_then(|output| output.file.clone());
                    let file = file.map_or_else(|| "the file".to_owned(), |file| file.to_string());
                    self.paper.line(&format!("| … {} more only in {file} …", crate::text::many(*skipped, "byte")));
                }
                for line in self.meters.ended(*run, said) {
                    self.paper.say("| ", &line);
                }
            }
            Msg::Found(number, found) => self.found(*number, found),
            // What was known before it was asked is no answer.
            Msg::Source(report) => {
                is_answer = matches!(report.finding, Finding::Trace(_) | Finding::NoTrace(..) | Finding::Compared(_))
            }
            Msg::Input(_)
            | Msg::Flood
            | Msg::Pasting(_)
            | Msg::Journal(
                JournalMsg::CaughtUp
                | JournalMsg::Writable
                | JournalMsg::HalfTyped(_)
                | JournalMsg::Stalled(None)
                | JournalMsg::Present(_)
                | JournalMsg::LeftBehind(_)
                | JournalMsg::WrittenBeside(_),
            )
            | Msg::TaskDied(_)
            | Msg::ClockJumped(_)
            | Msg::Catalogue(_)
            | Msg::Templates(_)
            | Msg::Listed(_)
            | Msg::Ready(_)
            | Msg::Delivered(..)
            | Msg::LookedUp(..)
            | Msg::Proved(..)
            | Msg::Rests(..)
            | Msg::Staging(_)
            | Msg::Theme(_)
            | Msg::News(..)
            | Msg::Wake => {}
        }
        let is_caught_up = msg == Msg::Journal(JournalMsg::CaughtUp);
        let list = if let Msg::Listed(list) = &msg { Some(list.clone()) } else { None };
        self.waits.returns &= self.console.is_waiting();
        let effects = self.console.handle(msg, wall);
        self.tell_notice();
        if is_answer {
            self.tell_awaited(wall);
        }
        if !lost.is_empty() {
            // What was typed must not be gone from the screen too.
            self.paper.say("! this was not saved: ", &lost);
        }
        if self.is_open {
            for id in new {
                self.tell_entry(id, wall);
            }
        } else if is_caught_up {
            self.tell_first_state(wall);
        }
        if let Some(list) = list {
            self.tell_list(&list);
        }
        self.perform(effects.into_vec(), shell);
    }

    fn perform(&mut self, effects: Vec<Effect>, shell: &mut Shell) {
        for effect in effects {
            let was_waiting = self.is_waiting();
            match &effect {
                Effect::Append { ticket, .. } => {
                    self.waits.tickets.insert(*ticket);
                    self.waits.returns = true;
                }
                Effect::Create(..) | Effect::StartDrill | Effect::Open(_) => self.waits.opening = true,
                Effect::List | Effect::Print(_) | Effect::Merge { .. } | Effect::Unmerge(..) | Effect::LookFor(..) => {
                    self.waits.answer = true
                }
                Effect::LookBack(_) => self.waits.history = true,
                Effect::SaveDraft(_)
                | Effect::KeepForm(..)
                | Effect::Redact(_)
                | Effect::Bell
                | Effect::ClearDraft
                | Effect::Watch(_)
                | Effect::Simulate(_)
                | Effect::Progress(_)
                | Effect::Inquire(_)
                | Effect::Deliver(_)
                | Effect::LookUp(_)
                | Effect::Proceed(_)
                | Effect::Stop(_)
                | Effect::Prove(_)
                | Effect::AskNews(_)
                | Effect::Copy(_)
                | Effect::Run(..)
                | Effect::Page(_)
                | Effect::Read(_)
                | Effect::Runbook(_)
                | Effect::ShowLayout(_)
                | Effect::WriteStarterConfig
                | Effect::Repaint
                | Effect::Suspend
                | Effect::Quit => {}
            }
            if !was_waiting {
                self.waits.since = clock::boot();
            }
            shell.perform(effect);
        }
    }

    fn typed(&mut self, typed: Typed, wall: DateTime<Utc>, shell: &mut Shell) {
        let answer = match typed {
            Typed::Line(line) => {
                self.waits.returns &= self.console.is_waiting();
                let answer = verbs::obey(self, &line, wall);
                self.last_line = line;
                answer
            }
            Typed::TooLong(bytes) => Err(format!("this line was not taken: {}", too_many_bytes(bytes))),
            Typed::End => {
                self.waits.since = clock::boot();
                self.has_ended = true;
                self.console.gathers_no_more();
                let effects = self.console.handle(Msg::Wake, wall);
                return self.perform(effects.into_vec(), shell);
            }
        };
        self.tell_notice();
        match answer {
            Ok(effects) => self.perform(effects, shell),
            Err(sentence) => self.paper.say("! ", &sentence),
        }
    }

    /// Asks something of the incident that is open.
    fn ask(&mut self, command: Command, wall: DateTime<Utc>) -> verbs::Answer {
        match self.console.request(command, wall) {
            Ok(effect) => Ok(vec![effect]),
            Err(refusal) => Err(verbs::refusal(&refusal, &self.cx(wall))),
        }
    }

    /// Asks several things, in this order, until one is refused.
    fn ask_all(&mut self, commands: impl IntoIterator<Item = Command>, wall: DateTime<Utc>) -> verbs::Answer {
        let mut effects = Vec::new();
        let (commands, then) = self.console.in_turn(commands.into_iter().collect());
        for command in commands {
            match self.ask(command, wall) {
                Ok(more) => effects.extend(more),
                Err(sentence) if effects.is_empty() => return Err(sentence),
                // What was granted is on its way already.
                Err(sentence) => {
                    self.paper.say("! ", &sentence);
                    return Ok(effects);
                }
            }
        }
        self.console.keep_turn(then);
        Ok(effects)
    }

    fn declare(&mut self, body: Declared, alerts: Vec<AlertLinked>, doubt: Doubt, wall: DateTime<Utc>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.console.declare(body, alerts, false, doubt, self.console.right(wall), &mut effects);
        effects
    }

    fn record_draft(&mut self, wall: DateTime<Utc>) -> verbs::Answer {
        let Some((text, began)) = self.draft.clone() else {
            return Err("no half-typed line was left here".to_owned());
        };
        let effects = verbs::record_draft(self, &text, began, wall)?;
        self.draft_ticket = effects
            .iter()
            .find_map(|effect| if let Effect::Append { ticket, .. } = effect { Some(*ticket) } else { None });
        Ok(effects)
    }

    fn answer(&mut self, lines: Vec<String>) -> verbs::Answer {
        for line in lines {
            self.paper.line(&line);
        }
        Ok(Vec::new())
    }

    /// The lines of a list with its numbers, or why there are none.
    fn answer_list(
        &mut self,
        list: fn(&mut Numbers, &Cx<'_>) -> Vec<String>,
        none: &str,
        wall: DateTime<Utc>,
    ) -> verbs::Answer {
        let lines = list(&mut self.numbers, &self.console.view(wall));
        if lines.is_empty() { Err(none.to_owned()) } else { self.answer(lines) }
    }

    fn tell_news(&mut self, wall: DateTime<Utc>) {
        let cx = self.console.view(wall);
        self.numbers.learn(&cx);
        let news = match (self.is_open, self.waits.opening) {
            (true, _) => self.told.news(self.console.name(), &mut self.numbers, &cx),
            (false, true) => return,
            (false, false) => self.told.alerts(&mut self.numbers, &cx),
        };
        for line in news {
            self.paper.line(&line);
        }
    }

    fn tell_awaited(&mut self, wall: DateTime<Utc>) {
        let Some(awaited) = self.waits.source.take() else { return };
        match came(&awaited, self, wall) {
            Some(lines) => lines.iter().for_each(|line| self.paper.line(line)),
            None => self.waits.source = Some(awaited),
        }
    }

    /// Waits for what a source is asked, and says it when it comes; an answer of before is none to this.
    fn await_source(&mut self, awaited: Awaited) {
        self.waits.source = Some(awaited);
        self.waits.since = clock::boot();
    }

    fn tell_notice(&mut self) {
        if self.console.notice() == self.notice.as_ref() {
            return;
        }
        self.notice = self.console.notice().cloned();
        if let Some(Notice { text, tone, .. }) = &self.notice {
            let heading = match tone {
                Tone::Said => "",
                Tone::Refused | Tone::Failed => "! ",
                // The line itself is said here.
                Tone::Heard => return,
            };
            self.paper.say(heading, text);
        }
    }

    fn tell_list(&mut self, known: &Known<Vec<Summary>>) {
        self.waits.answer = false;
        let list = known.what().map(Vec::as_slice).unwrap_or_default();
        // At the start the only open record of the host opens by itself.
        if std::mem::take(&mut self.is_choosing) && list.len() == 1 && known.why().is_none() {
            self.waits.opening = true;
            return;
        }
        for summary in list {
            self.paper.line(&summary_line(summary, clock::wall()));
        }
        if let Some(why) = known.why() {
            // Each cause is told once.
            let is_told = self.notice.as_ref().is_some_and(|notice| CleanText::new(&notice.text) == *why);
            let why = if is_told { String::new() } else { format!(": {why}") };
            self.paper.line(&format!("! which incidents are open is not all known{why}"));
            return;
        }
        let words = match (list.is_empty(), self.is_open) {
            (true, false) => "no incident is open: :declare SERVICE SEVERITY TITLE, :drill, or :open ID",
            (true, true) => "no other incident is open",
            (false, false) => "open one of them with :open ID, or :declare SERVICE SEVERITY TITLE",
            (false, true) => return,
        };
        self.paper.line(words);
    }

    /// The record in a few lines, when it opens.
    fn tell_first_state(&mut self, wall: DateTime<Utc>) {
        (self.is_open, self.waits.opening) = (true, false);
        let cx = self.console.view(wall);
        let incident = cx.incident;
        self.told = Told::begin(&cx);
        let mut lines = vec![if incident.is_blank() {
            format!("{}: no incident is declared in this record", incident.id())
        } else {
            let severity = incident.severity.map_or("", |level| level.name());
            format!("{} {severity} {}", incident.id(), incident.title)
        }];
        let since = incident.phase.map(|(_, at)| format!(" since {}", cx.clock(at))).unwrap_or_default();
        let elapsed = incident.elapsed(cx.now).map(|time| format!(" · {} in all", duration(time))).unwrap_or_default();
        lines.push(format!("phase: {}{since}{elapsed} · times are {}", incident.phase(), cx.zone));
        if !incident.services.is_empty() {
            lines.push(format!("affected: {}", incident.services.join(", ")));
        }
        lines.extend(verbs::who_lines(&cx));
        lines.extend(lists::due(&cx));
        // Whoever joins late has not heard what was read aloud.
        let drill = cx.incident.drill.as_ref().filter(|drill| cx.now - drill.start > LATE);
        let is_new = !cx.incident.entries().any(|entry| cx.is_me(&entry.actor));
        if let Some((drill, Some(Ok(exercise)))) = drill.filter(|_| is_new).map(|drill| (drill, Exercise::of(drill))) {
            lines.push(format!(
                "you join this drill {} min in; what was read aloud:",
                (cx.now - drill.start).num_minutes()
            ));
            lines.extend(exercise.briefing(drill.staging.as_ref()).lines().map(str::to_owned));
        }
        for line in lines {
            self.paper.line(&line);
        }
        self.print_log(verbs::LINES, wall);
        self.paper.line("a line of text is a note; :help lists the commands");
    }

    fn print_log(&mut self, count: usize, wall: DateTime<Utc>) {
        let cx = self.console.view(wall);
        let view = cx.incident.timeline();
        let shown = count.min(view.len());
        self.paper.line(&match view.len() {
            0 => "timeline: empty".to_owned(),
            all if all == shown => format!("timeline, {}:", crate::text::many(all, "line")),
            all => format!("timeline, the last {shown} of {}:", crate::text::many(all, "line")),
        });
        let lines: Vec<Line> = (view.len() - shown..view.len()).filter_map(|place| view.line(place)).collect();
        self.numbers.lines.renew(lines.iter().map(|line| line.id).collect());
        for (place, line) in lines.iter().enumerate() {
            let (heading, text) = line_words(line, &cx);
            let number = if self.is_single { format!("#{}", line.id.rseq) } else { (place + 1).to_string() };
            self.paper.say(&format!("{number} {heading}"), &text);
        }
    }

    /// An entry that came: its line, or what it did to an older one.
    fn tell_entry(&mut self, id: EntryId, wall: DateTime<Utc>) {
        let cx = self.console.view(wall);
        let Some(entry) = cx.incident.entry(id) else { return };
        if self.is_single && entry.via.console != *self.console.name() {
            return;
        }
        let (heading, text) = if let Event::NoteAmended(body) = &entry.event {
            changed(entry, body.note, "amend", "now reads", &cx)
        } else if let Event::NoteStruck(body) = &entry.event {
            changed(entry, body.note, "strike", "is struck through", &cx)
        } else if let Event::EntryRedacted(body) = &entry.event {
            changed(entry, body.entry, "redact", "is redacted", &cx)
        } else {
            let view = cx.incident.timeline();
            let Some(line) = view.place(id).and_then(|place| view.line(place)) else { return };
            line_words(&line, &cx)
        };
        self.paper.say(&heading, &text);
    }
}

/// A line of the timeline: when and what kind, then its words and who.
fn line_words(line: &Line, cx: &Cx<'_>) -> (String, String) {
    let late = line.lateness().map(|_| format!(", entered {}", cx.clock(line.entered))).unwrap_or_default();
    let amended = line.amended.as_ref().map(|(_, by)| format!(", amended by {by}")).unwrap_or_default();
    let struck = line.struck.as_ref().map(|strike| format!(", struck by {}", strike.by)).unwrap_or_default();
    let text = line.text.trim_end();
    (format!("{} {} ", cx.clock(line.at), line.tag), format!("{text} ({}{late}{amended}{struck})", line.actor))
}

/// A correction or a strike: when, whose line of when, and how it reads.
fn changed(entry: &Entry, note: EntryId, tag: &str, what: &str, cx: &Cx<'_>) -> (String, String) {
    let heading = format!("{} {tag} ", cx.clock(cx.incident.time(entry)));
    let view = cx.incident.timeline();
    let text = match view.place(note).and_then(|place| view.line(place)) {
        Some(line) => {
            let text = line.text.trim_end();
            format!("{}'s line of {} {what}: {text} ({})", line.actor, cx.clock(line.at), entry.actor)
        }
        None => format!("a line that is not here {what} ({})", entry.actor),
    };
    (heading, text)
}
