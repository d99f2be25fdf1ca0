//! What a console does for a drill: it tells the world how far its room is, and asks the exercise for what the room wants.
//!
//! Hides whom the exercise may play: nobody who is here.
//!
//! Invariant: the world hears of a change once, and of nothing outside drills.

use chrono::{DateTime, TimeDelta, Utc};

use super::overlay::{self, Offer, Overlay, Pick};
use super::{Console, Effect, Tone};
use crate::incident::{EntryId, Event, Facilitated, Phase, Progress, Task};
use crate::live::{FACILITATOR, Inquiry};
use crate::pane::{Purpose, Question, is_here};

/// Who joins later than this after the start joins late.
pub(crate) const LATE: TimeDelta = TimeDelta::seconds(60);

impl Console {
    /// In a drill the world reacts to what people did.
    pub(super) fn tell_progress(&mut self, effects: &mut Vec<Effect>) {
        if self.open.incident.drill.is_none() {
            return;
        }
        let progress = Progress {
            done: self.open.incident.ticks.clone(),
            clock: Some(self.open.incident.clock()),
            staged: self.open.incident.staged(),
            tasks: self.tasks_of_absent(),
            hand: self.open.incident.facilitation.clone(),
        };
        if progress != self.open.progress_told {
            self.open.progress_told.clone_from(&progress);
            effects.push(Effect::Progress(progress));
        }
    }

    /// Everything that is there for drills.
    pub(super) fn show_drill(&mut self, wall: DateTime<Utc>, _effects: &mut Vec<Effect>) {
        let menu = overlay::drill::menu(&self.cx(wall));
        self.show_pick(menu, wall);
    }

    /// Whom the exercise can play.
    pub(super) fn show_stand_ins(&mut self, wall: DateTime<Utc>, _effects: &mut Vec<Effect>) {
        let pick = overlay::drill::stand_ins(&self.cx(wall));
        self.show_pick(pick, wall);
    }

    fn show_pick(&mut self, pick: Result<Pick, String>, wall: DateTime<Utc>) {
        match pick {
            Ok(pick) => self.show(Overlay::Pick(Box::new(pick))),
            Err(why) => self.say(Tone::Refused, why, wall),
        }
    }

    /// Ends the drill of everybody; where no word is asked for because of what stands in staging, a row is chosen.
    pub(super) fn abort_drill(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match overlay::staged::abort(&self.cx(wall)) {
            Ok(Offer::Ask(ends)) => self.show_pick(Ok(overlay::drill::sure(&ends)), wall),
            offer => self.take_offer(offer, wall, effects),
        }
    }

    /// Has whoever would get in touch next do so now.
    pub(super) fn ask_for_inject(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let said = "who would get in touch next does so now, if there is one more";
        self.ask_facilitator(Inquiry::Inject, said, wall, effects);
    }

    /// Asks for a hint; the answer is a line, or that there are no more.
    pub(super) fn ask_for_hint(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let said = "the facilitator was asked: a hint, if there is one more, comes as a line";
        self.ask_facilitator(Inquiry::Hint, said, wall, effects);
    }

    /// Whoever joins a drill that runs already has not heard what was read aloud before it began.
    pub(super) fn brief_who_joins_late(&mut self, wall: DateTime<Utc>) {
        let Some(drill) = &self.open.incident.drill else { return };
        let since = self.open.incident.clock().show(wall) - drill.start;
        let is_known = self.open.incident.entries().any(|entry| self.is_mine(&entry.actor));
        if is_known || since < LATE || self.open.incident.phase() == Phase::Closed || self.settings.is_wall {
            return;
        }
        let words =
            format!("you join this drill {} min in: pre-brief (F) has what was read aloud", since.num_minutes());
        self.say(Tone::Heard, words, wall);
    }

    /// Asks the facilitator what they do.
    pub(super) fn facilitate(&mut self, wall: DateTime<Utc>, _effects: &mut Vec<Effect>) {
        if !self.is_drill() {
            return self.say(Tone::Refused, "a facilitator is for drills: this is none".to_owned(), wall);
        }
        let text = if self.open.incident.facilitation.by.is_none() { "take" } else { "" }.to_owned();
        let title = "message FROM, VIA: TEXT · fact TEXT · fault ID · delay 5m · aside TEXT · score N met|missed WHY"
            .to_owned();
        self.ask(Question { title, text, purpose: Purpose::Facilitate });
    }

    /// What only the facilitator reads.
    pub(super) fn show_facilitator(&mut self, wall: DateTime<Utc>, _effects: &mut Vec<Effect>) {
        match overlay::drill::facilitator_sheet(&self.cx(wall)) {
            Ok(text) => self.show_text("for the facilitator alone", &text),
            Err(why) => self.say(Tone::Refused, why, wall),
        }
    }

    fn ask_facilitator(&mut self, what: Inquiry, said: &str, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match self.to_facilitator(what) {
            Ok(effect) => {
                effects.push(effect);
                self.say(Tone::Said, said.to_owned(), wall);
            }
            Err(why) => self.say(Tone::Refused, why, wall),
        }
    }

    /// What goes to the facilitator of a drill.
    pub(crate) fn to_facilitator(&self, what: Inquiry) -> Result<Effect, String> {
        if self.is_drill() {
            return Ok(Effect::Inquire(what));
        }
        let asked = if what == Inquiry::Hint { "hints" } else { "injects" };
        Err(format!("{asked} are for drills: this is not one"))
    }

    /// Says who of the exercise got in touch: a line that scrolls by among others is easily missed.
    pub(super) fn hear(&mut self, came: &[EntryId], wall: DateTime<Utc>) {
        if self.open.incident.drill.is_none() {
            return;
        }
        let newest = came.iter().rev().find_map(|id| {
            let entry = self.open.incident.entry(*id)?;
            let body = match &entry.event {
                Event::ForeignNoted(body) => body,
                // No line of the timeline shows it: whoever did it reads here that it counts, and nobody else does.
                Event::Facilitated(act) if !act.is_for_all() => {
                    let words = || (Tone::Said, format!("for you alone: {}", act.words()));
                    return self.is_mine(&entry.actor).then(words);
                }
                Event::Facilitated(Facilitated::Message { from, via, text }) => {
                    return Some((Tone::Heard, format!("message from {from}, {via}: {}", text.first_line())));
                }
                Event::Facilitated(Facilitated::Fact { text }) => {
                    return Some((Tone::Heard, format!("fact: {}", text.first_line())));
                }
                _ => return None,
            };
            let known = self.open.incident.foreign.get(&(body.service.clone(), body.key.clone()))?;
            let (who, how, text) = (&body.who, &body.service, body.text.first_line());
            let words = match &body.answers {
                Some(_) => format!("{who} calls back: {text}"),
                None if *how == *FACILITATOR => format!("{who}: {text}"),
                None => format!("message from {who}, {how}: {text}"),
            };
            (known.id == *id).then_some((Tone::Heard, words))
        });
        if let Some((tone, words)) = newest {
            self.say(tone, words, wall);
        }
    }

    /// Whoever is here calls back themselves, whatever the exercise calls its people.
    fn tasks_of_absent(&self) -> Vec<Task> {
        let is_absent = |task: &&Task| {
            let name = task.to.trim().trim_start_matches('@');
            !is_here(name, &self.open.present, &self.settings.me)
        };
        self.open.incident.open_tasks().filter(is_absent).cloned().collect()
    }
}
