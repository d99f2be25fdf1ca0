//! An overlay with what is known of its being read: a dialog that nobody can have read yet takes no answer.
//!
//! Invariant: only what is put here anew begins unread; an overlay that stays keeps when it was first seen.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent};

use super::{Choice, Overlay};
use crate::console::keys::Chord;
use crate::incident::{Command, Remark};
use crate::pane::Purpose;
use crate::text::half_typed::HalfTyped;

/// Nobody reads a dialog and answers it in less.
const READING: TimeDelta = TimeDelta::milliseconds(400);

/// What stands above the panes, and since when it is on the terminal.
pub(crate) struct Shown {
    pub(crate) overlay: Overlay,
    /// A frame with it was begun.
    is_drawn: bool,
    /// When such a frame had been written.
    seen: Option<DateTime<Utc>>,
    /// The texts with which it opened.
    opened_with: Option<Vec<String>>,
    /// Something that was typed before came back in it.
    is_restored: bool,
    /// The forms that led here: what was typed there goes with the answer that is given here.
    from: Vec<String>,
}

impl Shown {
    /// An overlay that nobody has seen yet.
    pub(crate) fn new(overlay: Overlay) -> Self {
        Self { overlay, is_drawn: false, seen: None, opened_with: None, is_restored: false, from: Vec::new() }
    }

    /// An overlay to which another one led.
    pub(crate) fn led_from(last: &Self, overlay: Overlay) -> Self {
        Self { from: last.forms(), ..Self::new(overlay) }
    }

    /// The same, with an answer that settles these forms as well.
    pub(crate) fn settling(self, forms: Vec<String>) -> Self {
        Self { from: forms, ..self }
    }

    /// The forms whose texts go with its answer.
    pub(crate) fn forms(&self) -> Vec<String> {
        self.from.iter().cloned().chain(self.overlay.form()).collect()
    }

    /// Notes the texts with which it opened, once, and says which form it is then.
    pub(crate) fn begin(&mut self) -> Option<String> {
        let form = self.overlay.form().filter(|_| self.opened_with.is_none())?;
        self.opened_with = Some(self.overlay.texts());
        Some(form)
    }

    /// The texts as they stand there now.
    #[cfg(test)]
    pub(crate) fn texts(&mut self) -> Vec<String> {
        self.overlay.texts()
    }

    /// Opens it anew where nobody has typed yet: what was typed before has just come.
    pub(crate) fn begin_again(&mut self) {
        if self.half_typed().is_some_and(|(_, half)| half.is_none()) {
            self.opened_with = None;
        }
    }

    /// Puts back what was typed before.
    pub(crate) fn restore(&mut self, half: &HalfTyped) {
        self.overlay.fill(half);
        self.is_restored = true;
    }

    /// Puts the texts back with which it opened.
    pub(crate) fn open_anew(&mut self) {
        if let Some(texts) = &self.opened_with {
            let texts = texts.iter().cloned().map(Some).collect();
            self.overlay.fill(&HalfTyped { texts, choices: Vec::new() });
            self.is_restored = false;
        }
    }

    /// Whether Ctrl+R takes out what was typed here; an update's text is written anew from its template by the same key.
    pub(crate) fn takes_out(&self) -> bool {
        let is_template = matches!(&self.overlay, Overlay::Compose(compose) if compose.draft.is_none());
        self.overlay.form().is_some() && !is_template
    }

    /// Which form it is, and what is typed there now; nothing where no text is kept.
    pub(crate) fn half_typed(&mut self) -> Option<(String, Option<HalfTyped>)> {
        let opened_with = self.opened_with.as_ref()?;
        Some((self.overlay.form()?, self.overlay.half_typed(opened_with)))
    }

    /// It is part of the frame that is begun now.
    pub(crate) fn drawn(&mut self) {
        self.is_drawn = true;
    }

    /// The last frame has been written.
    pub(crate) fn written(&mut self, wall: DateTime<Utc>) {
        if self.is_drawn {
            self.seen.get_or_insert(wall);
        }
    }

    /// Whether a key is an answer that a person must give by hand, after reading. Moving in a dialog, and leaving it, is none.
    pub(crate) fn is_answered_by_hand(&self, key: KeyEvent) -> bool {
        let moves = matches!(
            key.code,
            KeyCode::Up
                | KeyCode::Down
                | KeyCode::PageUp
                | KeyCode::PageDown
                | KeyCode::Tab
                | KeyCode::BackTab
                | KeyCode::Esc
        );
        // Text may be typed ahead into a form; what hands it in may not. The word that starts a command is an answer from its first letter on.
        let acts = matches!(self.overlay, Overlay::Run(_)) || self.overlay.is_answered_by(Chord::from(key));
        // A text that came back is not sent by a key that was pressed before it could be read.
        (self.overlay.confirms() || self.is_restored) && acts && !moves
    }

    /// Whether a key comes before the dialog can have been read.
    pub(crate) fn is_early(&self, key: KeyEvent, wall: DateTime<Utc>) -> bool {
        // A clock that jumps may make the time since look like anything; it must not lock the dialog.
        let is_read = self.seen.is_some_and(|at| (wall - at).abs() >= READING);
        self.is_answered_by_hand(key) && !is_read
    }
}

impl Overlay {
    /// Whether its answer is a word that a person stands for: something runs, or what may run is decided, or something cannot be taken back.
    pub(crate) fn confirms(&self) -> bool {
        match self {
            Self::Run(_) => true,
            Self::Pick(pick) => pick.rows.iter().any(|(_, choice)| is_grave(choice)),
            Self::Form(form) => form.fields.iter().any(|field| field.is_typed),
            Self::Ask(ask) => matches!(ask.question.purpose, Purpose::Merge { .. }),
            Self::Help { .. }
            | Self::Palette(_)
            | Self::Records(..)
            | Self::Declare(_)
            | Self::Compose(_)
            | Self::Text(_) => false,
        }
    }
}

fn is_grave(choice: &Choice) -> bool {
    let Choice::Command(command) = choice else { return false };
    match &**command {
        Command::ApprovePlaybook(_) | Command::ReplacePlaybook(_) | Command::StartRun(_) | Command::Vouch(_) => true,
        Command::RemarkRun(body) => body.remark == Remark::CancelAsked,
        _ => false,
    }
}
