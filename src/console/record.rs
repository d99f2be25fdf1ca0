//! What the journal says to the console: entries that become state, answers to what was asked, and how the record is doing.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, Dirty, DraftClock, Effect, JournalMsg, Tone};
use crate::incident::{ClockJumped, Command, Entry, Incident, IncidentId};
use crate::live::Live;
use crate::pane::PaneId;
use crate::text::CleanText;

/// How the record is doing.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Record {
    pub(super) id: Option<IncidentId>,
    pub(super) is_complete: bool,
    pub(super) unwritable: Option<CleanText>,
    pub(super) damage: Vec<CleanText>,
}

/// What waits for the journal's answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pending {
    pub(super) events: usize,
    pub(super) give_back: Option<(PaneId, String)>,
}

/// How many entries this console has sent to the journal, and how many of them came back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OwnEntries {
    pub(super) sent: usize,
    pub(super) back: usize,
}

impl Console {
    pub(super) fn journal(&mut self, msg: JournalMsg, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match msg {
            JournalMsg::Opened(id) => {
                self.incident = Incident::new(id);
                self.record = Record { id: Some(id), ..Record::default() };
                self.live = Live { is_frozen: self.settings.is_frozen, ..Live::default() };
                self.start = None;
                self.present.clear();
                self.pending.clear();
                self.deferred.clear();
                self.own = OwnEntries::default();
                if self.panes.iter().any(|pane| pane.draft().is_some()) {
                    self.draft.changed_at = Some(wall);
                    self.say(
                        Tone::Said,
                        format!("your half-typed line came along to {id}; Enter would record it here"),
                        wall,
                    );
                }
                self.dirty = Dirty::ALL;
            }
            JournalMsg::Draft(text) => {
                self.panes[PaneId::Timeline as usize].give_back(&text);
                self.draft.changed_at = Some(wall);
                self.say(Tone::Said, "your half-typed line is back".to_owned(), wall);
                self.mark(&[PaneId::Timeline]);
            }
            JournalMsg::Entries(entries) => {
                let was_drill = self.incident.drill.is_some();
                if self.record.is_complete {
                    let is_own = |entry: &&Entry| entry.via.console == self.settings.console;
                    self.own.back += entries.iter().filter(is_own).count();
                }
                self.incident.apply(entries);
                if let (false, Some(drill)) = (was_drill, &self.incident.drill) {
                    effects.push(Effect::Simulate(drill.clone()));
                }
                self.dirty = Dirty::ALL;
            }
            JournalMsg::CaughtUp => {
                self.record.is_complete = true;
                self.dirty = Dirty::ALL;
            }
            JournalMsg::Saved(ticket) => {
                if self.pending.remove(&ticket).is_some_and(|pending| pending.give_back.is_some()) {
                    let text = self.panes.iter().find_map(|pane| pane.draft());
                    self.draft = DraftClock::default();
                    effects.push(text.map_or(Effect::ClearDraft, Effect::SaveDraft));
                }
            }
            JournalMsg::NotSaved(ticket, why) => {
                if let Some(Pending { events, give_back }) = self.pending.remove(&ticket) {
                    self.own.sent = self.own.sent.saturating_sub(events);
                    if let Some((pane, text)) = give_back {
                        self.panes[pane as usize].give_back(&text);
                        self.mark(&[pane]);
                        // It is half-typed again, and must outlive this console.
                        self.draft.changed_at = Some(wall);
                    }
                }
                self.say(Tone::Failed, format!("NOT SAVED: {why}"), wall);
            }
            JournalMsg::Unwritable(why) => {
                self.record.unwritable = Some(why);
                self.dirty.add(Dirty::HEADER);
            }
            JournalMsg::Writable => {
                self.record.unwritable = None;
                self.dirty.add(Dirty::HEADER);
                self.say(Tone::Said, "the journal can be written again".to_owned(), wall);
            }
            JournalMsg::Damaged(damage) => {
                self.record.damage = damage;
                self.dirty.add(Dirty::HEADER);
            }
            JournalMsg::Unopened(why) => {
                self.record = Record::default();
                self.show_start();
                effects.push(Effect::List);
                self.say(Tone::Failed, why.to_string(), wall);
            }
            JournalMsg::Present(present) => {
                self.present = present;
                self.dirty.add(Dirty::HEADER);
                self.mark(&[PaneId::Facts]);
            }
        }
    }

    pub(super) fn clock_jumped(&mut self, by: TimeDelta, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.dirty = Dirty::ALL;
        // What was timed by the old clock keeps its distance: else nothing would be saved and keys ignored until the new one is there.
        for at in [&mut self.pasted_at, &mut self.looked_at, &mut self.draft.changed_at].into_iter().flatten() {
            *at += by;
        }
        self.say(Tone::Failed, format!("the wall clock jumped by {} s: countdowns follow it", by.num_seconds()), wall);
        if self.record.id.is_some() && self.may_write() {
            self.command(Command::NoteClockJump(ClockJumped { by_ms: by.num_milliseconds() }), None, wall, effects);
        }
    }
}
