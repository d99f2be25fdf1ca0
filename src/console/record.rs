//! What the journal says to the console: entries that become state, answers to what was asked, and how the record is doing.

use chrono::{DateTime, TimeDelta, Utc};

use super::opened::DraftClock;
use super::overlay;
use super::own::Back;
use super::{Console, Dirty, Effect, JournalMsg, Tone};
use crate::incident::when;
use crate::incident::{By, ClockJumped, ClockSkewed, Command, Entry, EntryId, Event, IncidentId, Outcome, Role, says};
use crate::oncall::is_same;
use crate::pane::PaneId;
use crate::text::{CleanStr, CleanText};

/// A clock that is further ahead than this is off.
pub(super) const SKEW: TimeDelta = TimeDelta::seconds(2);
/// So many damages are kept; `warroom journal verify` tells all.
const MOST_DAMAGE: usize = 20;
/// For so long after a jump of the own clock nothing is concluded from others' times.
const AFTER_A_JUMP: TimeDelta = TimeDelta::seconds(10);

/// How the record is doing.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Record {
    pub(super) id: Option<IncidentId>,
    pub(super) is_complete: bool,
    pub(super) unwritable: Option<CleanText>,
    /// Why it can only be read here: nothing that was entered is lost, because nothing is taken.
    pub(super) only_read: Option<CleanText>,
    /// Since when the disk has not answered.
    pub(super) stalled: Option<DateTime<Utc>>,
    pub(super) damage: Vec<CleanText>,
    /// Somebody merged it into this record while it was open here: the console follows as soon as nothing is being asked.
    pub(super) goes_on_in: Option<(IncidentId, Entry)>,
    /// What fires outside while a drill is played.
    pub(super) real_alerts: Vec<CleanStr>,
}

/// The time that a person gave to what is recorded.
fn told_time(event: &Event) -> Option<DateTime<Utc>> {
    match event {
        Event::Declared(body) => body.detected_at,
        Event::NoteAdded(body) => body.at,
        Event::NoteAmended(body) => body.at,
        Event::ImpactStarted(body) | Event::ImpactEnded(body) => Some(body.at),
        Event::TimeAmended(body) => Some(body.to),
        _ => None,
    }
}

/// What is said beside that an entry could not be written, where it was typed into a form.
const FORM_IS_KEPT: &str = "; the form opens again with what you typed";

impl Console {
    /// Whether a name is that of whoever sits here, whichever of their names it is.
    pub(super) fn is_mine(&self, name: &str) -> bool {
        is_same(&self.settings.matrix.people, &self.settings.me, name)
    }

    pub(super) fn journal(&mut self, msg: JournalMsg, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match msg {
            JournalMsg::Opened(id) => self.opened(id, wall),
            JournalMsg::Draft(text, began) => {
                self.panes[PaneId::Timeline as usize].give_back(&text, Some(began));
                self.open.draft.changed_at = Some(wall);
                self.say(Tone::Said, "your half-typed line is back".to_owned(), wall);
                self.mark(&[PaneId::Timeline]);
            }
            JournalMsg::HalfTyped(forms) => self.adopt_forms(forms),
            JournalMsg::Entries(entries) => {
                let was_drill = self.open.incident.drill.is_some();
                let is_live = self.open.record.is_complete;
                let skewed = if is_live { self.skewed(&entries, wall) } else { None };
                let heard: Vec<EntryId> =
                    if is_live { entries.iter().map(|entry| entry.id).collect() } else { Vec::new() };
                let was_open = self.open.incident.outcome.is_none();
                let closing =
                    |entry: &&Entry| matches!(&entry.event, Event::PhaseEntered(body) if body.outcome.is_some());
                let closed_by = entries.iter().rev().find(closing).cloned();
                let (own, others): (Vec<Entry>, Vec<Entry>) =
                    entries.into_iter().partition(|entry| self.own.expects(entry));
                self.take_of_others(others);
                self.open.incident.apply(own);
                if let (true, true, Some(Outcome::Merged(into))) = (is_live, was_open, self.open.incident.outcome) {
                    self.open.record.goes_on_in = closed_by.map(|entry| (into, entry));
                    self.say_merged(wall);
                }
                self.take_own(wall, effects);
                self.hear(&heard, wall);
                if let Some(body) = skewed {
                    self.command(Command::NoteClockSkew(body), None, wall, effects);
                }
                if let (false, Some(drill)) = (was_drill, &self.open.incident.drill) {
                    effects.push(Effect::Simulate(drill.clone()));
                    if self.may_write() && !self.settings.is_wall {
                        self.say(
                            Tone::Said,
                            "this is a DRILL: F lists what it offers, `pre-brief` tells its goals, `debrief` how it stands"
                                .to_owned(),
                            wall,
                        );
                    }
                    // The world of the drill has sources of its own.
                    (self.live.sources, self.live.reported) = Default::default();
                }
                self.dirty = Dirty::ALL;
            }
            JournalMsg::CaughtUp => {
                let is_first = !std::mem::replace(&mut self.open.record.is_complete, true);
                if is_first {
                    self.brief_who_joins_late(wall);
                }
                if self.own.left_more() || is_first {
                    self.settle_left();
                }
                self.dirty = Dirty::ALL;
            }
            JournalMsg::Saved(ticket, stamps) => {
                if self.own.saved(ticket, stamps, wall) {
                    let text = self.panes.iter().find_map(|pane| pane.draft());
                    self.open.draft = DraftClock::default();
                    effects.push(text.map_or(Effect::ClearDraft, Effect::SaveDraft));
                }
                self.settle_left_more();
            }
            JournalMsg::NotSaved(ticket, why) => {
                if let Some((pane, text)) = self.own.not_saved(ticket).and_then(|asked| asked.give_back) {
                    self.panes[pane as usize].give_back(&text, None);
                    self.mark(&[pane]);
                    // It is half-typed again, and must outlive this console.
                    self.open.draft.changed_at = Some(wall);
                }
                self.settle_left_more();
                let kept = if self.open.forms.give_back().is_empty() { "" } else { FORM_IS_KEPT };
                self.say(Tone::Failed, format!("NOT SAVED: {why}{kept}"), wall);
            }
            JournalMsg::Unwritable(why) => {
                self.open.record.unwritable = Some(why);
                self.dirty.add(Dirty::HEADER);
            }
            JournalMsg::OnlyRead(why) => {
                self.open.record.only_read = Some(why.clone());
                self.open.record.unwritable = Some(why);
                self.dirty = Dirty::ALL;
            }
            JournalMsg::Writable => {
                (self.open.record.unwritable, self.open.record.only_read) = (None, None);
                self.dirty.add(Dirty::HEADER);
                self.say(Tone::Said, "the journal can be written again".to_owned(), wall);
            }
            JournalMsg::Stalled(since) => {
                self.open.record.stalled = since;
                self.dirty.add(Dirty::HEADER);
            }
            JournalMsg::Damaged(damage) => {
                for what in damage {
                    self.note_damage(what);
                }
            }
            JournalMsg::Unopened(why) => {
                self.leave_record();
                self.show_start();
                effects.push(Effect::List);
                self.say(Tone::Failed, why.to_string(), wall);
            }
            JournalMsg::LeftBehind(left) => {
                self.own.inherit(left);
                self.settle_left_more();
            }
            JournalMsg::WrittenBeside(written) => self.own.stand_beside(written),
            JournalMsg::Present(present) => {
                self.open.present = present;
                self.dirty.add(Dirty::HEADER);
                self.mark(&[PaneId::Facts]);
            }
        }
    }

    /// Whether this console is taken along to another record. Nobody who writes is, by what only stands in this one: what is half-typed here would be
    /// written elsewhere. What another process of this account wrote is known a moment later.
    fn goes_along(&self, closed_by: &Entry) -> bool {
        !self.may_write() || self.own.knows(closed_by)
    }

    fn say_merged(&mut self, wall: DateTime<Utc>) {
        let Some((into, entry)) = self.open.record.goes_on_in.as_ref().filter(|(_, entry)| !self.goes_along(entry))
        else {
            return;
        };
        let saying =
            says![&entry.actor, format!(" merged this into {into}, says the record: "), By("open"), " goes there"];
        let words = self.cx(wall).said(&saying);
        self.say(Tone::Failed, words, wall);
    }

    /// Goes along to the record in which the work goes on; what is half-typed comes along.
    pub(super) fn follow_merge(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        if self.overlay.is_some() || self.own.is_waiting() {
            return;
        }
        let goes_along = |(_, entry): &&(IncidentId, Entry)| self.goes_along(entry);
        let into = self.open.record.goes_on_in.as_ref().filter(goes_along).map(|(into, _)| *into);
        let (Some(here), Some(into)) = (self.open.record.id, into) else { return };
        self.open.record.goes_on_in = None;
        if self.may_write() {
            // The line goes along: it is not to come back here as well.
            effects.push(Effect::ClearDraft);
        }
        effects.push(Effect::Open(into));
        self.say(Tone::Said, format!("{here} goes on in {into}: this console went along"), wall);
    }

    /// Settles what processes that are gone turned out to have written.
    fn settle_left_more(&mut self) {
        if self.own.left_more() {
            self.settle_left();
        }
    }

    /// Takes what this process wrote and the record gave back; only that is acted on.
    pub(super) fn take_own(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let mut same = Vec::new();
        for back in self.own.returned(&self.open.incident, wall) {
            match back {
                Back::Same(entry) => same.push(*entry),
                Back::Differs(id, event) => self.differs(id, &event, wall, effects),
            }
        }
        if same.iter().any(|entry| self.open.outbox.takes_back(entry.id)) {
            self.settle_left();
        }
        self.came_back(&same, wall, effects);
    }

    /// What was confirmed here is not what the record has: nothing is done with either.
    fn differs(&mut self, id: EntryId, event: &Event, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let words =
            format!("entry {id} is not what was confirmed here: somebody changed the file; nothing was done with it");
        self.note_damage(CleanText::new(&words));
        self.say(Tone::Failed, words, wall);
        if matches!(event, Event::CommandStarted(_)) {
            self.not_started(id, "the record does not have what was confirmed", wall, effects);
        }
    }

    fn note_damage(&mut self, what: CleanText) {
        if self.open.record.damage.len() < MOST_DAMAGE && !self.open.record.damage.contains(&what) {
            self.open.record.damage.push(what);
        }
        self.dirty.add(Dirty::HEADER);
    }

    /// What the own entries led to: who was faster, whom a severity names, what a role does.
    fn came_back(&mut self, own: &[Entry], wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        for entry in own {
            if let Some(first) = self.open.incident.beaten.get(&entry.id) {
                let (by, at) = (first.by.clone(), self.cx(wall).clock(first.at));
                self.say(Tone::Refused, format!("{by} was faster, at {at}: what you did has no effect"), wall);
                continue;
            }
            if let Some(at) = told_time(&entry.event) {
                let (now, zone) = (self.cx(wall).now, self.cx(wall).zone);
                if !when::is_of_today(at, now, zone) {
                    self.say(Tone::Said, format!("recorded for {}", when::in_words(at, now, zone)), wall);
                }
            }
            // Nothing takes the keys from somebody who types, or who reads something else already.
            let is_busy = self.overlay.is_some() || self.panes[self.focus as usize].is_typing();
            match &entry.event {
                Event::SeverityRaised(_) if !is_busy && !self.cx(wall).to_tell().is_empty() => {
                    let pick = overlay::people_to_tell(&self.cx(wall));
                    self.show(pick);
                }
                Event::RoleTaken(body) if !is_busy && self.is_mine(&body.holder) => self.show_card(body.role),
                Event::HandoverAccepted(_) if !is_busy => {
                    let seat = self.open.incident.roles.iter().find(|(_, mark)| self.is_mine(&mark.by));
                    if let Some(role) = seat.map(|(seat, _)| seat.role) {
                        self.show_card(role);
                    }
                }
                Event::EntryRedacted(body) => effects.push(Effect::Redact(body.entry)),
                Event::UpdateDrafted(_) => {
                    let who = self.open.incident.holder(Role::IncidentCommander);
                    let who = who.map_or("the Incident Commander", |name| name.as_str()).to_owned();
                    self.say(Tone::Said, format!("the text waits for {who} to approve it"), wall);
                }
                _ => self.run_came_back(entry, wall, effects),
            }
        }
    }

    /// An entry of another console that was written at another time than now: that console's clock is off. Only what comes in while both run
    /// tells, and each console is found off once.
    fn skewed(&self, entries: &[Entry], wall: DateTime<Utc>) -> Option<ClockSkewed> {
        let known = &self.open.incident.skews;
        // What was stamped just before the own clock was set back looks as if its writer were ahead.
        let has_jumped = self.jumped_at.is_some_and(|at| wall - at < AFTER_A_JUMP);
        if !self.may_write() || has_jumped || known.contains_key(&self.settings.console) {
            return None;
        }
        entries.iter().find_map(|entry| {
            let ahead = entry.wall - self.own(wall);
            // One that is here, and not only named in an entry.
            let is_here = self.open.present.iter().any(|one| one.console == entry.via.console);
            let is_other =
                is_here && entry.via.console != self.settings.console && !known.contains_key(&entry.via.console);
            // One that knows it says so itself.
            let knows_it =
                |said: &Entry| matches!(&said.event, Event::ClockSkewed(body) if body.console == entry.via.console);
            let is_other = is_other && self.is_first_beside(&entry.via.console) && !entries.iter().any(knows_it);
            // One that is behind may have come late; one that is ahead cannot.
            (is_other && ahead > SKEW)
                .then(|| ClockSkewed { console: entry.via.console.clone(), ahead_ms: ahead.num_milliseconds() })
        })
    }

    pub(super) fn clock_jumped(&mut self, by: TimeDelta, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.time_moved(by);
        self.jumped_at = Some(wall);
        self.say(Tone::Failed, format!("the wall clock jumped by {} s: countdowns follow it", by.num_seconds()), wall);
        if self.open.record.id.is_some() && self.may_write() {
            self.command(Command::NoteClockJump(ClockJumped { by_ms: by.num_milliseconds() }), None, wall, effects);
        }
    }
}
