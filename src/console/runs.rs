//! Commands that run: asked for here, started once their entry has come back, followed until their end is in the record.
//!
//! The process that asked for the start starts it, once, when its own commit's entry is back from the record as it was confirmed, and was the first.
//! What it starts is what was confirmed, not what the record says. Every console of the same machine follows it; if the one that started it is gone, another one writes how it ended.
//!
//! Invariant: nothing starts that is not in the record; an end that nobody saw is written as unknown, and nothing is started again by itself.

use chrono::{DateTime, Utc};

use super::overlay::{self, Choice, Offer, Pick};
use super::{Console, Dirty, Effect, Tone};
use crate::exercise::staged::Keep;
use crate::incident::command::may_start;
use crate::incident::{
    By, Command, CommandEnded, CommandRemarked, CommandStarted, Ending, Entry, EntryId, Event, Program, Purpose,
    Remark, Run, says,
};
use crate::pane::{PaneId, RunAsk};
use crate::text::{CleanStr, CleanText};

/// What the shell shall do with a command.
#[derive(Clone, Debug, PartialEq)]
pub enum RunAct {
    /// Start it and follow it; what is put into staging only with somebody who takes it back.
    Start(Box<CommandStarted>, Option<Box<Keep>>),
    /// Follow it; another console started it, so its end is reported so many milliseconds late.
    Follow(u64),
    /// Stop it.
    Cancel,
    /// Give it so many seconds more.
    Grant(u64),
}

/// What the shell says of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum RunSaid {
    /// It printed something; so many bytes before that are only in the file.
    Printed(CleanText, u64),
    /// So many of the last lines that it printed, with the one that has not ended, are this text now.
    Rewritten(CleanText, usize),
    /// Where the whole of what it prints stands.
    File(CleanStr),
    /// Its time is over, and it goes on.
    Overtime,
    /// Its watcher is gone, and it still runs, as this process.
    Unwatched(i32),
    /// It ended, or nobody knows how it stands.
    Ended(CommandEnded),
}

impl Console {
    /// The own start of a command is on disk, word for word as it was confirmed: now it may run.
    fn started(&mut self, entry: &Entry, body: &CommandStarted, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if self.open.incident.run(entry.id).is_none() || !self.open.followed.insert(entry.id) {
            return;
        }
        let asking = self.cx(wall).asking_for(&Command::StartRun(body.clone()));
        if let Err(refusal) = may_start(&self.open.incident, entry.id, body, &asking) {
            return self.not_started(entry.id, &refusal.to_string(), wall, effects);
        }
        if let Some(then) = &mut self.open.then {
            then.started(body.step.as_ref(), entry.id);
        }
        let keep = match overlay::staged::keep(entry.id, body, &self.cx(wall)) {
            Ok(keep) => keep.map(Box::new),
            Err(why) => return self.not_started(entry.id, &why, wall, effects),
        };
        effects.push(Effect::Run(entry.id, RunAct::Start(Box::new(body.clone()), keep)));
        self.panes[PaneId::Output as usize].take_run(entry.id);
        self.set_focus(PaneId::Output);
    }

    /// Says of a command that stands in the record that it never began.
    pub(super) fn not_started(&mut self, run: EntryId, why: &str, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.open.followed.insert(run);
        if self.open.incident.run(run).is_none_or(|run| !run.is_open()) {
            return;
        }
        let ending = Ending::NotStarted(CleanStr::new(why));
        let body = CommandEnded {
            run,
            ending,
            took_ms: 0,
            bytes: 0,
            dropped: 0,
            tail: CleanText::default(),
            left_running: false,
            left: Vec::new(),
            outcome: None,
            captured: None,
        };
        self.command(Command::EndRun(body), None, wall, effects);
    }

    /// Follows what runs on this machine and is not followed yet.
    pub(super) fn follow_runs(&mut self, effects: &mut Vec<Effect>) {
        // What is on its way back may be started from here, and is followed by that.
        if !self.open.record.is_complete || self.own.is_waiting() {
            return;
        }
        let name: u64 = self.settings.console.bytes().map(u64::from).sum();
        for run in &self.open.incident.runs {
            if run.is_open() && run.order.host == self.settings.host && self.open.followed.insert(run.id) {
                effects.push(Effect::Run(run.id, RunAct::Follow(2_000 + name % 16 * 250)));
            }
        }
    }

    /// What the shell says of a command.
    pub(super) fn run_said(&mut self, id: EntryId, said: RunSaid, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match said {
            RunSaid::Printed(text, skipped) => {
                self.open.outputs.of(id).take(&text, skipped, wall);
                self.mark(&[PaneId::Output]);
            }
            RunSaid::Rewritten(text, replaced) => {
                self.open.outputs.of(id).rewrite(&text, replaced, wall);
                self.mark(&[PaneId::Output]);
            }
            RunSaid::Overtime => self.note_remark(id, Remark::Overtime, wall, effects),
            RunSaid::Unwatched(pid) => self.note_remark(id, Remark::Unwatched(pid), wall, effects),
            RunSaid::File(path) => self.open.outputs.of(id).file = Some(path),
            RunSaid::Ended(body) => {
                if let Some(then) = &mut self.open.then {
                    then.ended(id, &body.ending);
                }
                let Some(run) = self.open.incident.run(id) else { return };
                let title = run.order.title.clone();
                if run.is_open() && self.may_write() {
                    let has_succeeded = body.has_succeeded();
                    let tone = if has_succeeded { Tone::Said } else { Tone::Failed };
                    let of_playbook = run.order.step.as_ref().is_some_and(|step| !step.is_of_exercise());
                    let is_back = run.order.purpose == Purpose::Undo;
                    let words = match (has_succeeded, of_playbook) {
                        (true, true) if is_back => {
                            says!["the step is taken back: look whether all is as it was before"]
                        }
                        (true, true) => says!["does the expected result hold? then ", By("check")],
                        (false, true) => says![
                            "the playbook stops here: ",
                            By("run"),
                            ", ",
                            By("skip"),
                            ", ",
                            By("undo"),
                            ", ",
                            By("escalate"),
                            ", or ask somebody"
                        ],
                        (true | false, false) => says!["its last lines are on the timeline"],
                    };
                    let words = self.cx(wall).said(&words);
                    self.say(tone, format!("{title}: {} · {words}", body.how()), wall);
                    self.command(Command::EndRun(body), None, wall, effects);
                }
                self.mark(&[PaneId::Output, PaneId::Playbook]);
            }
        }
    }

    /// Has the programs looked for that a dialog names which has just opened.
    pub(super) fn look_for_programs(&mut self, effects: &mut Vec<Effect>) {
        let number = self.looks + 1;
        if let Some(overlay::Overlay::Run(dialog)) = self.overlay.as_mut().map(|shown| &mut shown.overlay)
            && let Some(programs) = dialog.programs_to_find(number)
        {
            self.looks = number;
            effects.push(Effect::LookFor(number, programs));
        }
    }

    /// What was found for the dialog that is open.
    pub(super) fn found(&mut self, number: u64, found: Vec<Result<Program, CleanStr>>) {
        if let Some(overlay::Overlay::Run(dialog)) = self.overlay.as_mut().map(|shown| &mut shown.overlay)
            && dialog.take_found(number, &found)
        {
            self.dirty = Dirty::ALL;
        }
    }

    /// Settles how much of a dialog the next frame shows.
    pub(super) fn measure_overlay(&mut self) {
        let Some(shown) = &mut self.overlay else { return };
        shown.drawn();
        if let overlay::Overlay::Run(dialog) = &mut shown.overlay {
            dialog.measure(self.screen, &self.settings.theme);
        }
    }

    /// Why a command is not even written down as started here: whatever led to it, with `--dry-run` nothing runs.
    pub(super) fn runs_nothing(&self, command: &Command) -> Option<&'static str> {
        let is_start = matches!(command, Command::StartRun(_));
        (is_start && self.settings.reach.is_dry).then_some("--dry-run: nothing runs from this console")
    }

    /// Notes what every console of the machine sees, unless it stands there already.
    fn note_remark(&mut self, id: EntryId, remark: Remark, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let is_new = |run: &Run| run.is_open() && run.remarks.last().is_none_or(|(_, last)| *last != remark);
        if self.may_write() && self.open.incident.run(id).is_some_and(is_new) {
            self.command(Command::RemarkRun(CommandRemarked { run: id, remark }), None, wall, effects);
        }
        self.mark(&[PaneId::Output]);
    }

    /// Shows what is offered, or does at once what needs no answer.
    pub(super) fn take_offer(&mut self, offer: Result<Offer, String>, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match offer {
            Ok(Offer::Show(overlay)) => self.show(*overlay),
            Ok(Offer::Ask(commands)) => {
                for command in commands {
                    self.command(command, None, wall, effects);
                }
            }
            Err(why) => self.say(Tone::Refused, why, wall),
        }
    }

    /// What a pane asks about commands.
    pub(super) fn run_asked(&mut self, ask: &RunAsk, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if let RunAsk::Page(run) = ask {
            return effects.push(Effect::Page(*run));
        }
        if !self.may_write() {
            let why = self.looks_only().to_owned();
            return self.say(Tone::Refused, why, wall);
        }
        match ask {
            RunAsk::Page(_) => {}
            RunAsk::Step(step, purpose) => {
                let offer = overlay::step(step, *purpose, &self.cx(wall));
                self.take_offer(offer, wall, effects);
            }
            RunAsk::Approve(service) => match overlay::approve(service, &self.cx(wall)) {
                Ok(overlay) => self.show(overlay),
                Err(why) => self.say(Tone::Refused, why, wall),
            },
            RunAsk::Cancel(id) => {
                let Some(run) = self.open.incident.run(*id) else { return };
                let body = CommandRemarked { run: *id, remark: Remark::CancelAsked };
                let what =
                    if run.order.changes { "it changes something: half of it may stay done" } else { "it looks" };
                let note = format!("started by {} · {what}", run.started.by);
                self.show(overlay::Overlay::Pick(Box::new(Pick {
                    title: format!("stop {}?", run.order.title),
                    notes: vec![note, "TERM to all its processes, KILL after ten seconds".to_owned()],
                    rows: vec![
                        ("no, let it run".to_owned(), Choice::Nothing),
                        ("stop it".to_owned(), Choice::Command(Box::new(Command::RemarkRun(body)))),
                    ],
                    empty: "",
                    selected: 0,
                    filter: None,
                })));
            }
            RunAsk::Grant(id, seconds) => {
                let body = CommandRemarked { run: *id, remark: Remark::Granted(*seconds) };
                self.command(Command::RemarkRun(body), None, wall, effects);
            }
        }
        self.dirty = Dirty::ALL;
    }

    /// An own remark is on disk: now it is done.
    pub(super) fn remarked(&mut self, body: &CommandRemarked, effects: &mut Vec<Effect>) {
        let act = match body.remark {
            Remark::CancelAsked => RunAct::Cancel,
            Remark::Granted(seconds) => RunAct::Grant(seconds),
            Remark::Overtime | Remark::Unwatched(_) => return,
        };
        effects.push(Effect::Run(body.run, act));
    }

    /// Own entries about commands that have come back.
    pub(super) fn run_came_back(&mut self, entry: &Entry, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match &entry.event {
            Event::CommandStarted(body) => self.started(entry, body, wall, effects),
            Event::CommandRemarked(body) => self.remarked(body, effects),
            Event::CommandVouched(body) => {
                let words = format!("you vouched for {}: its holder can start it now", body.title);
                self.say(Tone::Said, words, wall);
            }
            _ => {}
        }
    }
}
