//! Commands one after the other: the next is asked for once the one before it has ended, however it ended.
//!
//! Hides what is waited for: the end of a command that was started, or of one that was asked to stop; and, before a drill closes, that nothing of it
//! stands in staging.
//!
//! Invariant: one that fails, hangs or is refused keeps none of those after it from their turn; what did not work is said at the end, and once more as
//! long as it stands.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, Effect, Tone};
use crate::incident::{Command, CommandRemarked, Ending, EntryId, Phase, Remark, StepRef};
use crate::text::CleanStr;

/// Between TERM and KILL, and a while until the end is in the record, in seconds: who takes longer is not waited for.
const PATIENCE_S: i64 = 16;

/// What is done once something has ended.
#[derive(Debug)]
pub(crate) struct Then {
    step: Option<StepRef>,
    /// The command itself, once it was started from here …
    run: Option<EntryId>,
    /// … and how it ended, as its helper told this process.
    ended: Option<Ending>,
    /// What it is called.
    title: CleanStr,
    /// How long it is waited for at most …
    patience: TimeDelta,
    /// … and until when, from the first look on.
    until: Option<DateTime<Utc>>,
    /// What before it did not end well, by name.
    failed: Vec<CleanStr>,
    /// Nothing is waited for but that nothing stands in staging.
    is_for_clear: bool,
    rest: Vec<Command>,
}

impl Then {
    /// What follows a command, where its end is worth waiting for.
    pub(super) fn after(command: &Command, rest: Vec<Command>) -> Option<Self> {
        let (step, run, title, seconds) = match command {
            Command::StartRun(order) => (order.step.clone(), None, order.title.clone(), order.limit_s),
            Command::RemarkRun(CommandRemarked { run, remark: Remark::CancelAsked }) => {
                (None, Some(*run), "what still runs".into(), 0)
            }
            _ => return None,
        };
        let patience = TimeDelta::seconds(PATIENCE_S.saturating_add(i64::try_from(seconds).unwrap_or(3_600)));
        let (ended, until, failed) = (None, None, Vec::new());
        Some(Self { step, run, ended, title, patience, until, failed, is_for_clear: false, rest })
    }

    /// A command of this step was started from here.
    pub(super) fn started(&mut self, step: Option<&StepRef>, run: EntryId) {
        if self.run.is_none() && !self.is_for_clear && self.step.as_ref() == step {
            self.run = Some(run);
        }
    }

    /// A command ended, as its helper told this process.
    pub(super) fn ended(&mut self, run: EntryId, ending: &Ending) {
        if self.run == Some(run) {
            self.ended = Some(ending.clone());
        }
    }

    /// When it is not waited for any longer.
    pub(super) fn wakes(&self) -> Option<DateTime<Utc>> {
        self.until.filter(|_| !self.is_for_clear)
    }
}

impl Console {
    /// Of what is asked together what is done at once, and what waits until a command among it has ended.
    pub(crate) fn in_turn(&self, mut commands: Vec<Command>) -> (Vec<Command>, Option<Then>) {
        let waits = |command: &Command| Then::after(command, Vec::new()).is_some();
        let first = commands.iter().position(waits);
        let rest = first.map(|place| commands.split_off(place + 1)).unwrap_or_default();
        let then = commands.last().filter(|_| !rest.is_empty()).and_then(|last| Then::after(last, rest));
        (commands, then)
    }

    /// Keeps what waits, once its beginning was granted.
    pub(crate) fn keep_turn(&mut self, then: Option<Then>) {
        if then.is_some() {
            self.open.then = then;
        }
    }

    /// Asks for all of it now, and keeps what waits.
    pub(super) fn ask_in_turn(
        &mut self,
        (commands, then): (Vec<Command>, Option<Then>),
        wall: DateTime<Utc>,
        effects: &mut Vec<Effect>,
    ) {
        for command in commands {
            self.command(command, None, wall, effects);
        }
        self.keep_turn(then);
    }

    /// Goes on once a command has ended and the record has it, or its time is over.
    pub(super) fn go_on(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let Some(then) = &mut self.open.then else { return };
        if then.is_for_clear {
            if self.open.incident.left_in_staging().is_empty() {
                let rest = self.open.then.take().map(|then| then.rest).unwrap_or_default();
                self.ask_in_turn((rest, None), wall, effects);
            }
            return;
        }
        let until = *then.until.get_or_insert(wall + then.patience);
        let is_over = then.run.and_then(|run| self.open.incident.run(run)).is_some_and(|run| !run.is_open());
        let is_told = is_over && then.ended.is_some();
        if !is_told && wall < until {
            return;
        }
        let Some(mut then) = self.open.then.take() else { return };
        // What was stopped to make way ended as it should.
        if then.step.is_some() && !then.ended.as_ref().is_some_and(Ending::is_success) {
            let title = then.title.clone();
            let how = then.ended.as_ref().map_or_else(|| "has not ended in its time".to_owned(), ToString::to_string);
            self.say(Tone::Failed, format!("{title}: {how}; the others go on"), wall);
            then.failed.push(title);
        }
        self.next_turn(then, wall, effects);
    }

    /// Asks for what comes next; what is refused is passed over.
    fn next_turn(&mut self, then: Then, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let Then { mut failed, mut rest, .. } = then;
        while !rest.is_empty() {
            let command = rest.remove(0);
            let is_close = matches!(command, Command::EnterPhase(Phase::Closed, _));
            if is_close && !self.open.incident.left_in_staging().is_empty() {
                let left: Vec<_> = self.open.incident.left_in_staging().iter().map(ToString::to_string).collect();
                let words = format!(
                    "STILL IN STAGING: {}: it is tried again by itself, and the drill closes once it is gone",
                    left.join("; ")
                );
                self.say(Tone::Failed, words, wall);
                rest.insert(0, command);
                let run = None;
                self.open.then = Some(Then {
                    step: None,
                    run,
                    ended: None,
                    title: CleanStr::default(),
                    patience: TimeDelta::zero(),
                    until: None,
                    failed,
                    is_for_clear: true,
                    rest,
                });
                return;
            }
            if let Err(refusal) = self.decide(command.clone(), wall) {
                // Somebody else was faster, most often: then there is nothing left to do.
                if let Command::StartRun(order) = &command
                    && order.step.as_ref().is_some_and(|step| self.open.incident.stands(step))
                {
                    let title = order.title.clone();
                    self.say(Tone::Failed, format!("{title}: {refusal}; the others go on"), wall);
                    failed.push(title);
                }
                continue;
            }
            self.command(command.clone(), None, wall, effects);
            if let Some(next) = Then::after(&command, Vec::new()) {
                self.open.then = Some(Then { failed, rest, ..next });
                return;
            }
        }
    }
}
