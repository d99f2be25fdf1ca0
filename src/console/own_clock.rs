//! The own clock, and what the record says that it is off.
//!
//! Hides that two times are in use: what comes in and what goes out is by the own clock, everything between is by the right time.
//!
//! Invariant: when the own clock is set, or found off, nothing old looks new and nothing waits for the time between.

use chrono::{DateTime, TimeDelta, Utc};

use super::record::SKEW;
use super::{Console, Dirty, Effect, Tone};
use crate::incident::{ClockSkewed, Command, Event};
use crate::live::SourceName;

/// A difference of clocks for people.
fn lapse(by: TimeDelta) -> String {
    match by.num_seconds() {
        seconds @ ..=119 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 30) / 60),
    }
}

impl Console {
    /// The right time, where this console's own clock is known to be off: everything inside reckons with it.
    pub(crate) fn right(&self, own: DateTime<Utc>) -> DateTime<Utc> {
        own.checked_sub_signed(self.ahead).unwrap_or(own)
    }

    /// What the own clock shows at a right time.
    pub(crate) fn own(&self, right: DateTime<Utc>) -> DateTime<Utc> {
        right.checked_add_signed(self.ahead).unwrap_or(right)
    }

    /// What the record says of the own clock may be new: then it is another time, for all that was timed.
    pub(super) fn learn_own_clock(&mut self, own: DateTime<Utc>) -> DateTime<Utc> {
        // The record's word counts, because everybody reads by it; without one, what a server said.
        let is_on_record = self.open.incident.skews.contains_key(&self.settings.console);
        let ahead = if is_on_record { self.open.incident.ahead(&self.settings.console) } else { self.off_by };
        let known = std::mem::replace(&mut self.ahead, ahead);
        if known != self.ahead {
            self.time_moved(known - self.ahead);
        }
        self.right(own)
    }

    /// A server said by how much the own clock is ahead of its: everything here reckons with the server's time from now on, and it is said once.
    pub(super) fn compare_clocks(&mut self, source: SourceName, wall: DateTime<Utc>) {
        let Some(ahead) = self.live.sources.get(source).and_then(|health| health.ahead) else { return };
        // One server's word is enough, and of two that differ the one that measures knows better.
        let is_first = source == "prometheus" || !self.live.sources.contains_key("prometheus");
        if !is_first || (ahead - self.off_by).abs() <= SKEW {
            return;
        }
        self.off_by = ahead;
        let way = if ahead > TimeDelta::zero() { "ahead of" } else { "behind" };
        let by = lapse(ahead.abs());
        let sentence = match ahead.is_zero() {
            true => format!("this machine's clock agrees with {source}'s again"),
            false => format!("this machine's clock is {by} {way} {source}'s: times here are {source}'s; set it (NTP)"),
        };
        self.say(if ahead.is_zero() { Tone::Said } else { Tone::Failed }, sentence, wall);
    }

    /// How the own clock is off, for the header; nothing where it is right.
    pub(super) fn clock_in_words(&self) -> Option<String> {
        let way = if self.ahead > TimeDelta::zero() { "ahead" } else { "behind" };
        (self.ahead.abs() > SKEW).then(|| format!("own clock {} {way}", lapse(self.ahead.abs())))
    }

    /// Writes once into the record that the own clock is off: whoever reads what was written here takes that off.
    pub(super) fn note_own_clock(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let is_off = self.off_by.abs() > SKEW && !self.open.incident.skews.contains_key(&self.settings.console);
        let may_note = self.open.record.is_complete && self.may_write() && self.open.incident.drill.is_none();
        if !is_off || !may_note || self.noted_clock_in == self.open.record.id {
            return;
        }
        self.noted_clock_in = self.open.record.id;
        let body = ClockSkewed { console: self.settings.console.clone(), ahead_ms: self.off_by.num_milliseconds() };
        self.command(Command::NoteClockSkew(body), None, wall, effects);
    }

    /// What was timed by the clock before keeps its distance: nothing waits for the time between, and nothing old looks new.
    pub(super) fn time_moved(&mut self, by: TimeDelta) {
        let (draft, forms) = (&mut self.open.draft, &mut self.open.forms.clock);
        let typed = [&mut draft.changed_at, &mut forms.changed_at];
        let timed = [&mut self.pasted_at, &mut self.looked_at, &mut self.jumped_at].into_iter().chain(typed);
        let notice = self.messages.now.iter_mut().map(|notice| &mut notice.until);
        for at in timed.flatten().chain(notice) {
            *at += by;
        }
        self.live.time_moved(by);
        self.dirty = Dirty::ALL;
    }

    /// An entry is stamped by the own clock, and whoever reads it takes off what that is ahead: of the times inside too.
    pub(super) fn by_own_clock(&self, events: Vec<Event>) -> Vec<Event> {
        let ahead = self.open.incident.clock().passed(self.ahead);
        if ahead.is_zero() { events } else { events.into_iter().map(|event| event.shifted(ahead)).collect() }
    }
}
