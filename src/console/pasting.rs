//! A paste as it comes in: taken where text is typed, or refused whole and said.
//!
//! Invariant: no paste goes nowhere without a word, and none is taken in part.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, DRAFT_CHARACTERS, Dirty, Effect, Notice, Tone};
use crate::text::{thousands, too_many_bytes};

/// What becomes of a paste that does not simply arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pasting {
    /// Its end has not come, and nothing more came for a while.
    Still {
        /// So much of it is here.
        bytes: usize,
        /// Nothing came for so long, in seconds.
        seconds: u64,
    },
    /// A person refused it before its end, after so many bytes.
    Refused(usize),
    /// It is longer than anything that can be pasted: so many bytes.
    TooLong(usize),
    /// So many bytes more came of one that was refused, and were dropped.
    Rest(usize),
}

/// How long it stays said that a paste stands still; it is told again before that.
const STILL_SAID: TimeDelta = TimeDelta::seconds(8);

/// So many bytes, in words.
fn of(bytes: usize) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{} bytes", thousands(bytes)) }
}

impl Console {
    /// Says what becomes of a paste.
    pub(super) fn pasting(&mut self, pasting: Pasting, wall: DateTime<Utc>) {
        let (why, bytes) = match pasting {
            Pasting::Still { bytes, seconds } => {
                self.is_paste_awaited = true;
                let text = format!(
                    "a paste is coming: {} so far, none for {seconds} s; until it ends, keys are part of it. Ctrl+C, \
                     pressed once, refuses it",
                    of(bytes)
                );
                return self.set_notice(Some(Notice { text, tone: Tone::Refused, until: wall + STILL_SAID }));
            }
            Pasting::TooLong(bytes) => (format!("the paste was not taken: {}", too_many_bytes(bytes)), bytes),
            Pasting::Refused(bytes) => {
                let why = format!(
                    "the paste was refused whole: nothing of its {} was taken. Keys count again after a second without \
                     any",
                    of(bytes)
                );
                (why, bytes)
            }
            Pasting::Rest(bytes) => (format!("{} more of the refused paste came and were dropped", of(bytes)), bytes),
        };
        tracing::info!("a paste of {bytes} bytes was not taken");
        self.pasted_at = Some(wall);
        self.is_paste_awaited = false;
        self.say(Tone::Refused, why, wall);
    }

    /// Takes a paste that is complete.
    pub(super) fn paste(&mut self, text: &str, wall: DateTime<Utc>, effects: &mut Vec<Effect>) {
        self.pasted_at = Some(wall);
        if std::mem::take(&mut self.is_paste_awaited) {
            self.set_notice(None);
        }
        if let Some(shown) = &mut self.overlay {
            let refused = shown.overlay.paste(text);
            self.dirty = Dirty::ALL;
            if let Err(why) = refused {
                self.say(Tone::Refused, format!("the paste was not taken: {why}"), wall);
            }
            return;
        }
        let focus = self.focus as usize;
        if self.start.is_none() && self.panes[focus].is_typing() {
            let intents = self.with_pane(focus, wall, |pane, cx| pane.type_paste(text, cx));
            self.mark(&[self.focus]);
            self.open.draft.changed_at.get_or_insert(wall);
            self.open.draft.changes += DRAFT_CHARACTERS;
            self.intents(intents, wall, effects);
        } else {
            self.say(Tone::Refused, "pasted text goes into the scribe's line: n opens it".to_owned(), wall);
        }
    }
}
