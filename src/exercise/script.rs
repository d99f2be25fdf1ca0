//! What happens in the room beside the graphs: who gets in touch, which hints there are, and by what one sees that it went well.
//!
//! Hides when something is due.
//!
//! Invariant: what is due is a function of the exercise, the ticked steps and the time; it is told in the order in which it came due.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::requests::done_at;
use super::{Exercise, Trigger};
use crate::incident::{Facilitation, Severity, Ticked};
use crate::text::document::trimmed;
use crate::text::duration::Lapse;
use crate::text::{CleanStr, CleanText};

/// What begins the key under which a hint is noted: `hint/2`.
pub const HINT: &str = "hint";

/// Somebody gets in touch with the room.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Inject {
    /// Unique in its file.
    pub id: CleanStr,
    /// When, told from the start of the drill.
    #[serde(default)]
    pub at: Option<Lapse>,
    /// After which step, where it is an answer to what the room does.
    #[serde(default)]
    pub when: Option<Trigger>,
    /// Who.
    pub from: CleanStr,
    /// How: telephone, mail, chat.
    pub via: CleanStr,
    /// What they say.
    #[serde(deserialize_with = "trimmed")]
    pub text: CleanText,
}

/// What a step shows to whoever does it, where no server of the exercise answers: a dry run shows nothing by itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shown {
    /// The step: `service/step`.
    pub step: CleanStr,
    /// Steps of which one, done before, makes it show something else.
    #[serde(default)]
    pub unless: Vec<CleanStr>,
    /// What stands there.
    #[serde(deserialize_with = "trimmed")]
    pub text: CleanText,
}

/// What helps a room that is stuck.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hint {
    /// When it is given without being asked for, told from the start of the drill.
    #[serde(default)]
    pub at: Option<Lapse>,
    /// Steps of which one, done, makes it needless.
    #[serde(default)]
    pub unless: Vec<CleanStr>,
    /// What it says.
    #[serde(deserialize_with = "trimmed")]
    pub text: CleanText,
}

/// By what one sees that something went well.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Criterion {
    /// In words, for the pre-brief and the debrief.
    pub what: CleanStr,
    /// How the record shows it.
    pub rule: Rule,
}

/// How a record shows that something went well. Lengths of time begin with the alert unless said.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Rule {
    /// It was acknowledged within this time.
    Acknowledged(Lapse),
    /// All four roles were held within this time.
    Roles(Lapse),
    /// Its severity was at least this.
    Severity(Severity),
    /// The first update stood on an internal channel within this time of the acknowledgement.
    FirstUpdate(Lapse),
    /// No internal update came late.
    Cadence,
    /// The external page was told within this time of customer impact.
    External(Lapse),
    /// The Incident Commander decided on a proposal within this time.
    Decided(Lapse),
    /// A step was done.
    Done {
        /// `service/step`.
        step: CleanStr,
        /// Before this one, if that was done at all.
        #[serde(default)]
        before: Option<CleanStr>,
        /// Within this time.
        #[serde(default)]
        within: Option<Lapse>,
    },
    /// A wrong turn was not taken: this fault did not begin.
    Avoided(CleanStr),
    /// What was done took hold within this time.
    Mitigated(Lapse),
    /// It was resolved with everything back to normal.
    Proven,
    /// Whoever facilitates says so.
    Scored,
}

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cue<'a> {
    /// Somebody gets in touch.
    Inject(&'a Inject),
    /// A hint, counted from 1.
    Hint(usize, &'a Hint),
}

impl Exercise {
    /// What came due from the start to a moment, with when.
    pub fn cues(
        &self,
        done: &[Ticked],
        hand: &Facilitation,
        start: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Vec<(DateTime<Utc>, Cue<'_>)> {
        let mut due = self.all_cues(done, hand, start);
        due.retain(|(at, _)| *at <= now);
        due.sort_by_key(|(at, _)| *at);
        due
    }

    /// When something comes due next after a moment, as far as the steps that are ticked so far tell.
    pub fn next_cue(
        &self,
        done: &[Ticked],
        hand: &Facilitation,
        start: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        self.all_cues(done, hand, start).into_iter().map(|(at, _)| at).filter(|at| *at > now).min()
    }

    fn all_cues(&self, done: &[Ticked], hand: &Facilitation, start: DateTime<Utc>) -> Vec<(DateTime<Utc>, Cue<'_>)> {
        let mut due = Vec::new();
        for inject in &self.injects {
            let at = inject.at.map(|at| hand.delayed(start + TimeDelta::from(at)));
            due.extend(at.or_else(|| inject.when.as_ref()?.pulled(done)).map(|at| (at, Cue::Inject(inject))));
        }
        for (place, hint) in self.hints.iter().enumerate() {
            let Some(at) = hint.at.map(|at| hand.delayed(start + TimeDelta::from(at))) else { continue };
            // Once given it stays given: only what was done before counts.
            let is_needless = hint.unless.iter().any(|name| done_at(name, done).is_some_and(|before| before <= at));
            due.extend((!is_needless).then_some((at, Cue::Hint(place + 1, hint))));
        }
        due
    }

    /// What the ticked steps showed until a moment, with when: of a step the first that fits.
    pub fn shown(&self, done: &[Ticked], now: DateTime<Utc>) -> Vec<(DateTime<Utc>, &Shown)> {
        let mut all: Vec<(DateTime<Utc>, &Shown)> = Vec::new();
        for shown in &self.shows {
            let Some(at) = done_at(&shown.step, done).filter(|at| *at <= now) else { continue };
            let is_other = shown.unless.iter().any(|name| done_at(name, done).is_some_and(|before| before < at));
            if !is_other && !all.iter().any(|(_, known)| known.step == shown.step) {
                all.push((at, shown));
            }
        }
        all
    }

    /// Who gets in touch next, where somebody wants it now, after those (by id) who did.
    pub fn next_inject(&self, told: &[&str]) -> Option<&Inject> {
        // An answer to what the room does waits for that.
        self.injects.iter().filter(|inject| inject.at.is_some()).find(|inject| !told.contains(&inject.id.as_str()))
    }

    /// The next hint for a room that asks, after so many that it was given; nothing when there are no more.
    pub fn next_hint(&self, given: &[usize], done: &[Ticked]) -> Option<(usize, &Hint)> {
        let is_wanted = |(place, hint): &(usize, &Hint)| {
            !given.contains(place) && !hint.unless.iter().any(|name| done_at(name, done).is_some())
        };
        self.hints.iter().enumerate().map(|(place, hint)| (place + 1, hint)).find(is_wanted)
    }
}
