//! What is half-typed in forms: it is kept whatever closes them, and the form opens with it again.
//!
//! Hides that a text is compared with the one with which its form opened after everything that happens, whoever changed it, and that it goes to the disk
//! within half a second or twenty characters.
//!
//! Invariant: a text goes only when what it became is state, when it is taken back to what the form opens with, or when its form says so; a form that
//! came back filled takes no answer before it can have been read.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::opened::DraftClock;
use super::overlay::{DECLARE, Shown};
use super::{Console, DRAFT_AFTER, DRAFT_CHARACTERS, Effect, Tone};
use crate::text::half_typed::HalfTyped;

/// What is said when a form opens with what was typed before.
const IS_BACK: &str = "what you had typed here is back; Ctrl+R takes it out";
/// What is said when a form closes with something typed.
const IS_KEPT: &str = "what you typed is kept: the form opens with it again";

/// Whether a form's text belongs to no record.
fn is_free(form: &str) -> bool {
    form.starts_with(DECLARE)
}

/// The half-typed texts of one record's forms, by the names of the forms.
#[derive(Debug, Default)]
pub(super) struct Forms {
    kept: BTreeMap<String, HalfTyped>,
    /// Forms whose text on the disk is another.
    unsaved: BTreeSet<String>,
    pub(super) clock: DraftClock,
    /// Forms that were handed in, and whose answer is not state yet.
    handed_in: Vec<String>,
}

impl Forms {
    /// What goes along to another record: what declares one belongs to none. What declared the one that is open now is settled.
    pub(super) fn of_next_record(&mut self, is_open: bool) -> Self {
        let mut last = std::mem::take(self);
        let declared = last.handed_in.iter().filter(|form| is_open && is_free(form));
        for form in declared {
            last.kept.remove(form);
            last.unsaved.insert(form.clone());
        }
        let unsaved: BTreeSet<String> = last.unsaved.into_iter().filter(|form| is_free(form)).collect();
        Self {
            clock: if unsaved.is_empty() { DraftClock::default() } else { last.clock },
            unsaved,
            kept: last.kept.into_iter().filter(|(form, _)| is_free(form)).collect(),
            handed_in: Vec::new(),
        }
    }

    /// Takes what a console that is gone had kept; what is typed here already comes first.
    pub(super) fn adopt(&mut self, forms: Vec<(String, HalfTyped)>) {
        for (form, half) in forms {
            self.kept.entry(form).or_insert(half);
        }
    }

    /// Forms whose answers are on their way.
    pub(super) fn hand_in(&mut self, forms: Vec<String>) {
        self.handed_in.extend(forms);
    }

    /// Those whose answer is state by now: it is all that was asked. What declares a record is, once that is open.
    fn settled(&mut self) -> Vec<String> {
        let (free, settled) = std::mem::take(&mut self.handed_in).into_iter().partition(|form| is_free(form));
        self.handed_in = free;
        settled
    }

    /// What was handed in did not become state: it is half-typed as before.
    pub(super) fn give_back(&mut self) -> Vec<String> {
        std::mem::take(&mut self.handed_in)
    }

    /// All texts, each behind the name of its form.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.kept.iter().map(|(form, half)| format!("{form}: {}", half.text()))
    }

    fn set(&mut self, form: String, half: Option<HalfTyped>, wall: DateTime<Utc>) {
        let had = self.kept.get(&form).map_or(0, HalfTyped::characters);
        let has = half.as_ref().map_or(0, HalfTyped::characters);
        match half {
            Some(half) => drop(self.kept.insert(form.clone(), half)),
            None => drop(self.kept.remove(&form)),
        }
        self.unsaved.insert(form);
        self.clock.changed_at.get_or_insert(wall);
        self.clock.changes += had.abs_diff(has).max(1);
    }

    fn take_unsaved(&mut self) -> Vec<(String, Option<HalfTyped>)> {
        self.clock = DraftClock::default();
        let unsaved = std::mem::take(&mut self.unsaved);
        unsaved.into_iter().map(|form| (form.clone(), self.kept.get(&form).cloned())).collect()
    }
}

impl Console {
    /// What of the forms is not on disk yet: each form's name, and its text where it has one.
    pub fn unsaved_forms(&self) -> Vec<(String, Option<HalfTyped>)> {
        let forms = &self.open.forms;
        forms.unsaved.iter().map(|form| (form.clone(), forms.kept.get(form).cloned())).collect()
    }

    /// Follows what is typed into a form, after everything that may have changed it.
    pub(super) fn keep_forms(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.begin_form(wall);
        if !self.may_write() {
            return;
        }
        if let Some((form, now)) = self.overlay.as_mut().and_then(Shown::half_typed)
            && self.open.forms.kept.get(&form) != now.as_ref()
            && !self.open.forms.handed_in.contains(&form)
        {
            self.open.forms.set(form, now, wall);
        }
        let is_settled = !self.own.is_waiting() && self.open.deferred.is_empty() && self.open.then.is_none();
        if is_settled {
            for form in self.open.forms.settled() {
                self.open.forms.set(form, None, wall);
                self.open.forms.clock.changes += DRAFT_CHARACTERS;
            }
        }
        let clock = self.open.forms.clock;
        let is_due = clock.changed_at.is_some_and(|at| wall >= at + DRAFT_AFTER) || clock.changes >= DRAFT_CHARACTERS;
        let opens_another = effects.iter().any(|effect| matches!(effect, Effect::Open(_)));
        if is_due || opens_another {
            // Before anything else: what opens another record would take them there.
            let kept = self.open.forms.take_unsaved().into_iter().map(|(form, half)| Effect::KeepForm(form, half));
            effects.splice(0..0, kept);
        }
    }

    /// Fills a form that was just opened with what was typed there before.
    fn begin_form(&mut self, wall: DateTime<Utc>) {
        let Some(shown) = &mut self.overlay else { return };
        let Some(form) = shown.begin() else { return };
        // Nobody is asked twice to declare the same: it was not declared.
        self.open.forms.handed_in.retain(|handed_in| *handed_in != form || !is_free(handed_in));
        let half = self.open.forms.kept.get(&form).filter(|_| !self.open.forms.handed_in.contains(&form));
        if let Some(half) = half {
            shown.restore(half);
            self.say(Tone::Said, IS_BACK.to_owned(), wall);
        }
    }

    /// What a console that is gone had half-typed in forms came with the record.
    pub(super) fn adopt_forms(&mut self, forms: Vec<(String, HalfTyped)>) {
        self.open.forms.adopt(forms);
        // A form that was opened before they came is filled as well, unless somebody types there already.
        if let Some(shown) = &mut self.overlay {
            shown.begin_again();
        }
    }

    /// Says of a form that is left with something in it that it is kept.
    pub(super) fn say_kept(&mut self, left: &Shown, wall: DateTime<Utc>) {
        if left.overlay.form().is_some_and(|form| self.open.forms.kept.contains_key(&form)) {
            self.say(Tone::Said, IS_KEPT.to_owned(), wall);
        }
    }
}
