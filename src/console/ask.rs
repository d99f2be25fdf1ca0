//! What is asked of the incident here, and how it goes to the journal.
//!
//! Hides that what is asked in one breath is decided one after the other, each once the one before it is state.
//!
//! Invariant: nothing goes to the journal that was not decided against what the record is now.

use chrono::{DateTime, Utc};

use super::{Console, Effect, Question, Tone, nothing_open};
use crate::incident::{Command, Event, Refusal};
use crate::pane::{PaneId, Purpose};

impl Console {
    /// Decides a command; what comes of it goes to the journal, and comes back from there.
    pub(crate) fn command(
        &mut self,
        command: Command,
        from: Option<(PaneId, String)>,
        wall: DateTime<Utc>,
        effects: &mut Vec<Effect>,
    ) {
        let give_back = |console: &mut Self| {
            if let Some((pane, text)) = &from {
                console.panes[*pane as usize].give_back(text, None);
            }
            console.open.forms.give_back()
        };
        if !self.may_write() {
            give_back(self);
            return self.say(Tone::Refused, self.looks_only().to_owned(), wall);
        }
        // "Take command, acknowledge" typed in one breath: the second is decided when the first has come back as state.
        if self.own.is_waiting() {
            return self.open.deferred.push_back((command, from));
        }
        if let Some(why) = self.runs_nothing(&command) {
            give_back(self);
            return self.say(Tone::Refused, why.to_owned(), wall);
        }
        match self.decide(command.clone(), wall) {
            Ok(events) if self.open.record.id.is_some() => {
                let append = self.append(events, from, wall);
                effects.push(append);
            }
            Ok(_) => {
                give_back(self);
                self.refuse(&nothing_open(), wall);
            }
            Err(Refusal::WantsReason(saying)) => {
                let forms = give_back(self);
                self.ask(Question {
                    title: self.cx(wall).said(&saying),
                    text: String::new(),
                    purpose: Purpose::Reason(Box::new(command)),
                });
                // The answer is what records them.
                self.overlay = self.overlay.take().map(|shown| shown.settling(forms));
            }
            Err(refusal @ Refusal::No(_)) => {
                give_back(self);
                self.refuse(&refusal, wall);
            }
        }
    }

    /// Asks something of the incident for a caller without overlays: a refusal comes back, also one that wants a reason.
    pub(crate) fn request(&mut self, command: Command, own: DateTime<Utc>) -> Result<Effect, Refusal> {
        let wall = self.right(own);
        if !self.may_write() {
            return Err(Refusal::No(self.looks_only().into()));
        }
        if self.open.record.id.is_none() {
            return Err(nothing_open());
        }
        if let Some(why) = self.runs_nothing(&command) {
            return Err(Refusal::No(why.into()));
        }
        let events = self.decide(command, wall)?;
        Ok(self.append(events, None, wall))
    }

    pub(super) fn append(
        &mut self,
        events: Vec<Event>,
        give_back: Option<(PaneId, String)>,
        wall: DateTime<Utc>,
    ) -> Effect {
        let events = self.worded(self.with_deliveries(self.with_versions(events)), wall);
        let events = self.by_own_clock(events);
        if self.notice().is_some_and(|notice| notice.tone == Tone::Refused) {
            // What was refused before may be true no longer.
            self.set_notice(None);
        }
        let settles_draft = give_back.is_some();
        let ticket = self.own.ask(events.clone(), give_back);
        Effect::Append { ticket, events, settles_draft }
    }
}
