//! What a person does: keys and pastes, and which part of the screen they are for.
//!
//! Invariant: an overlay takes every key while it is there; a key that came with a paste never acts.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{Event as InputEvent, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

use super::keys::{self, Chord};
use super::opened::DraftClock;
use super::overlay::Overlay;
use super::{
    AWAY, CAME_WITH_A_PASTE, Console, DRAFT_AFTER, DRAFT_CHARACTERS, Dirty, Effect, PASTE_GUARD, Tone, actions, layouts,
};
use crate::pane::PaneId;

/// What is said of a key that came before a dialog can have been read.
const CAME_TOO_EARLY: &str = "that key came before this could be read: press it again";

/// Whether a key with Alt edits a text, as in readline: by words, or a line break.
fn edits(key: KeyEvent) -> bool {
    match layouts::on_latin(key).code {
        KeyCode::Char(letter) => matches!(letter.to_ascii_lowercase(), 'b' | 'f' | 'd') && !layouts::is_chord(key),
        KeyCode::Left | KeyCode::Right | KeyCode::Backspace | KeyCode::Delete => true,
        _ => false,
    }
}

impl Console {
    pub(super) fn input(&mut self, event: InputEvent, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        match event {
            InputEvent::Key(key) => {
                if self.looked_at.is_none_or(|at| wall - at > TimeDelta::seconds(1)) {
                    // A key press is a look: what blinked stops.
                    self.dirty.add(Dirty::HEADER);
                    self.mark(&[PaneId::Next]);
                }
                if let Some(at) = self.looked_at.filter(|at| wall - *at > AWAY) {
                    self.open.away_since = Some(self.open.incident.clock().show(at));
                }
                self.looked_at = Some(wall);
                for key in self.pressed(key, wall) {
                    self.key(key, wall, effects);
                }
            }
            InputEvent::Paste(text) => self.paste(&text, wall, effects),
            InputEvent::Resize(width, height) => {
                self.screen = Rect::new(0, 0, width, height);
                self.dirty = Dirty::ALL;
            }
            InputEvent::Mouse(event) => self.mouse(event, wall, effects),
            InputEvent::FocusGained | InputEvent::FocusLost => {}
        }
    }

    /// The keys that a person pressed.
    ///
    /// Esc and a key behind it come as one with Alt where something on the way (tmux's `escape-time`, a slow link) puts
    /// them together, and only a terminal with a key protocol can tell the two apart. Where no text is typed no key
    /// needs Alt, so they are two. In a text, what edits by words is an edit (Ctrl+Z takes it back), and all else is
    /// two keys there too. Enter with Shift or Alt breaks the line, and hands nothing in.
    fn pressed(&mut self, key: KeyEvent, wall: DateTime<Utc>) -> Vec<KeyEvent> {
        let (has_alt, is_certain) =
            (key.modifiers.contains(KeyModifiers::ALT), key.modifiers.contains(KeyModifiers::META));
        let key = KeyEvent { modifiers: key.modifiers - KeyModifiers::META, ..key };
        let takes_text = self.takes_text();
        let breaks = KeyModifiers::ALT | KeyModifiers::SHIFT;
        if takes_text && key.code == KeyCode::Enter && key.modifiers.intersects(breaks) {
            return vec![KeyEvent::new(KeyCode::Char('j'), KeyModifiers::CONTROL)];
        }
        if !has_alt {
            return vec![key];
        }
        if takes_text && edits(key) {
            return vec![layouts::on_latin(key)];
        }
        if is_certain {
            self.say(Tone::Refused, format!("{} is no key here", Chord::from(key)), wall);
            return Vec::new();
        }
        let alone = KeyEvent { modifiers: key.modifiers - KeyModifiers::ALT, ..key };
        vec![KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE), alone]
    }

    /// Whether a key ends a line of what is typed, or leaves the text: in a text that comes at once it is a part of
    /// that.
    ///
    /// Where a command is confirmed nothing that comes at once counts anyway.
    pub fn breaks_a_text(&self, event: &InputEvent, wall: DateTime<Utc>) -> bool {
        let InputEvent::Key(key) = event else { return false };
        let is_confirming = self.overlay.as_ref().is_some_and(|shown| matches!(shown.overlay, Overlay::Run(_)));
        if is_confirming || !self.takes_text() {
            return false;
        }
        match key.code {
            KeyCode::Enter => key.modifiers.is_empty(),
            KeyCode::Char('j') => key.modifiers == KeyModifiers::CONTROL,
            // Out of the scribe's line, where the rest would be commands.
            KeyCode::Tab => {
                let pane = &self.panes[self.focus as usize];
                self.overlay.is_none() && self.start.is_none() && !pane.completes(&self.cx(wall))
            }
            _ => false,
        }
    }

    /// Whether a letter that is typed now becomes text.
    fn takes_text(&self) -> bool {
        match (&self.overlay, &self.start) {
            (Some(shown), _) => shown.overlay.takes_text(),
            (None, Some(start)) => start.is_filtering(),
            (None, None) => self.panes[self.focus as usize].is_typing(),
        }
    }

    pub(crate) fn key(&mut self, key: KeyEvent, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        // A command is the key that somebody presses, whichever letter the layout has on it.
        let is_command = layouts::is_chord(key) || !self.takes_text();
        let key = if is_command { layouts::on_latin(key) } else { key };
        let chord = Chord::from(key);
        let just_pasted = self.pasted_at.is_some_and(|at| wall - at < PASTE_GUARD);
        if let Some(mut shown) = self.overlay.take() {
            self.dirty = Dirty::ALL;
            if actions::is_way_out(chord) {
                return self.say_kept(&shown, wall);
            }
            if keys::parse("Ctrl+R") == Some(chord) && shown.takes_out() {
                shown.open_anew();
                self.overlay = Some(shown);
                return;
            }
            let just_flooded = self.flooded_at.is_some_and(|at| wall - at < PASTE_GUARD);
            let is_no_answer = just_pasted && shown.overlay.is_answered_by(chord);
            if is_no_answer || just_flooded && shown.is_answered_by_hand(key) {
                self.overlay = Some(shown);
                return self.say(Tone::Refused, CAME_WITH_A_PASTE.to_owned(), wall);
            }
            if shown.is_early(key, wall) {
                self.overlay = Some(shown);
                return self.say(Tone::Refused, CAME_TOO_EARLY.to_owned(), wall);
            }
            let outcome = shown.overlay.key(key, &self.cx(wall));
            return self.overlay_outcome(shown, outcome, wall, effects);
        }
        let is_typing = self.start.is_none() && self.panes[self.focus as usize].is_typing();
        if just_pasted && !(is_typing && chord.is_text()) {
            return self.say(Tone::Refused, CAME_WITH_A_PASTE.to_owned(), wall);
        }
        if self.start.is_some() && self.start_key(chord, wall, effects) {
            return;
        }
        let completes =
            is_typing && chord.code() == KeyCode::Tab && self.panes[self.focus as usize].completes(&self.cx(wall));
        let global = actions::global(chord).filter(|_| !completes && (!is_typing || chord.is_global()));
        if let Some(action) = global {
            return self.perform_global(action, wall, effects);
        }
        if self.start.is_some() {
            return;
        }
        let focus = self.focus as usize;
        if is_typing {
            self.mark(&[self.focus]);
            let intents = self.with_pane(focus, wall, |pane, cx| pane.type_key(key, cx));
            if !self.panes[focus].is_typing() {
                // The hints in the footer are for single keys again.
                self.dirty.add(Dirty::FOOTER);
            }
            self.open.draft.changed_at.get_or_insert(wall);
            self.open.draft.changes += 1;
            return self.intents(intents, wall, effects);
        }
        let acts = self.panes[focus].acts();
        if let Some(place) = acts.iter().position(|act| act.keys.iter().any(|name| keys::parse(name) == Some(chord))) {
            self.perform_in_pane(self.focus, place, wall, effects);
        }
    }

    /// All that was drawn is on the terminal now.
    pub fn frame_is_out(&mut self, own: DateTime<Utc>) {
        let wall = self.right(own);
        if let Some(shown) = &mut self.overlay {
            shown.written(wall);
        }
    }

    /// More keys came at once than a person presses: they are no answer to a dialog, and what they wrote into it is gone.
    pub(super) fn flooded(&mut self, wall: DateTime<Utc>) {
        self.flooded_at = Some(wall);
        if let Some(Overlay::Run(dialog)) = self.overlay.as_mut().map(|shown| &mut shown.overlay) {
            dialog.reading.editor.set_text("");
            self.dirty = Dirty::ALL;
        }
    }

    /// Saves half-typed text a moment after it changed.
    pub(super) fn keep_draft(&mut self, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        let Some(changed_at) = self.open.draft.changed_at else { return };
        if wall < changed_at + DRAFT_AFTER && self.open.draft.changes < DRAFT_CHARACTERS {
            return;
        }
        self.open.draft = DraftClock::default();
        if self.open.record.id.is_some() {
            let text = self.panes.iter().find_map(|pane| pane.draft());
            effects.push(text.map_or(Effect::ClearDraft, Effect::SaveDraft));
        }
    }
}
