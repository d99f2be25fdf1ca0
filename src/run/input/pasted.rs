//! A paste between its brackets.
//!
//! Hides what belongs to it. The bytes of a paste cannot be told from keys, so all that comes up to its end marker is
//! its text, however long the terminal or the link stands still in the middle. A marker that never comes must not take
//! the keyboard away: one key that comes alone, with nothing for a second before and after it, is a person's, and
//! Ctrl+C or Esc pressed like that refuses the paste whole.
//!
//! Invariant: a paste becomes text whole or not at all, and nothing of it becomes a key.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyModifiers};

use super::Parser;
use crate::console::Pasting;

/// A paste above this is refused whole; it is read to its end all the same.
pub const PASTE_BYTES: usize = 1 << 20;
/// The begin of a paste.
pub(super) const PASTE_BEGIN: &[u8] = b"\x1b[200~";
/// The end of a paste.
pub(super) const PASTE_END: &[u8] = b"\x1b[201~";
/// A key is a person's when nothing comes for so long before it and after it.
const ALONE: Duration = Duration::from_secs(1);
/// A paste of which nothing came for so long stands still: the person is told, …
const STILL: Duration = Duration::from_secs(2);
/// … and told again after this.
const TOLD_AGAIN: Duration = Duration::from_secs(5);
/// No key has more bytes, pressed a few times.
const KEY_BYTES: usize = 40;
/// Ctrl+C so often at the end is somebody who does not wait between.
const INSISTING: &[u8] = b"\x03\x03\x03";
/// So many bytes in one read are no key of a person.
const BURST: usize = 16;

/// A paste that has begun.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Pasted {
    text: Vec<u8>,
    /// All of it, with what is too much.
    bytes: usize,
    /// So many bytes of the end marker were seen.
    marker: usize,
    /// What came since the last pause, as far as it can be keys.
    alone: Option<Vec<u8>>,
    /// So many bytes were there before that pause.
    before: usize,
    /// When it was told last that it stands still, since the last byte.
    told: Option<Duration>,
}

/// What the time makes of a paste that stands still.
pub(super) enum Still {
    /// It is told.
    Tell(Pasting),
    /// A person refused it.
    Refuse(Pasting),
    /// Nothing yet.
    Wait,
}

impl Pasted {
    /// Bytes come after a pause.
    pub(super) fn goes_on(&mut self, pause: Duration) {
        self.told = None;
        if pause >= ALONE {
            self.alone = Some(Vec::new());
            self.before = self.bytes;
        }
    }

    /// Takes a byte; says whether the paste is complete with it.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.alone = self.alone.take().filter(|keys| keys.len() < KEY_BYTES);
        if let Some(keys) = &mut self.alone {
            keys.push(byte);
        }
        if byte == PASTE_END[self.marker] {
            self.marker += 1;
            return self.marker == PASTE_END.len();
        }
        // What looked like the marker was text; only its first byte can begin it again.
        let seen = std::mem::take(&mut self.marker);
        self.add(&PASTE_END[..seen]);
        if byte == PASTE_END[0] {
            self.marker = 1;
        } else {
            self.add(&[byte]);
        }
        false
    }

    fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.bytes <= PASTE_BYTES {
            self.text.extend_from_slice(bytes);
        } else {
            self.text = Vec::new();
        }
    }

    /// What it comes to: a text, or why it is none.
    pub(super) fn end(self) -> Result<Event, Pasting> {
        if self.bytes > PASTE_BYTES {
            return Err(Pasting::TooLong(self.bytes));
        }
        Ok(Event::Paste(String::from_utf8_lossy(&self.text).replace('\u{fffd}', "")))
    }

    /// When [`Pasted::still`] should be asked, if nothing more comes after `touched`.
    pub(super) fn deadline(&self, touched: Duration) -> Duration {
        if self.is_refused() {
            return touched + ALONE;
        }
        self.told.map_or(touched + STILL, |told| told + TOLD_AGAIN)
    }

    /// What is to be done when nothing has come since `touched`.
    pub(super) fn still(&mut self, touched: Duration, now: Duration) -> Still {
        if now < self.deadline(touched) {
            return Still::Wait;
        }
        if self.is_refused() {
            let is_one_key = !self.text.ends_with(INSISTING);
            return Still::Refuse(Pasting::Refused(if is_one_key { self.before } else { self.bytes }));
        }
        self.told = Some(now);
        Still::Tell(Pasting::Still { bytes: self.bytes, seconds: now.saturating_sub(touched).as_secs() })
    }

    /// Whether a person's key that refuses it came last.
    fn is_refused(&self) -> bool {
        let insists = self.text.ends_with(INSISTING);
        insists || self.alone.as_deref().is_some_and(|keys| !keys.is_empty() && are_refusals(keys))
    }
}

/// Whether these bytes are Esc or Ctrl+C and nothing else, however the terminal sends them.
fn are_refusals(bytes: &[u8]) -> bool {
    let mut parser = Parser::new(false);
    let mut events = parser.feed(bytes, Duration::ZERO);
    events.extend(parser.timeout(STILL));
    let refuses = |event: &Event| match event {
        Event::Key(key) => {
            let is_control_c = key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL;
            key.code == KeyCode::Esc || is_control_c
        }
        Event::Paste(_) | Event::Mouse(_) | Event::Resize(..) | Event::FocusGained | Event::FocusLost => false,
    };
    !events.is_empty() && events.iter().all(refuses)
}

/// What may still come of a paste that was refused before its end.
#[derive(Debug)]
pub(super) struct Rest {
    /// It is quiet since the refusal, or since the last of it.
    is_quiet: bool,
    /// The last bytes that were dropped: the end marker may be cut anywhere.
    last: Vec<u8>,
}

/// What is left of a read in which the rest of a refused paste may be.
pub(super) struct Left<'a> {
    /// What was typed.
    pub(super) typed: &'a [u8],
    /// So many bytes of the paste were dropped, out of a quiet.
    pub(super) dropped: usize,
    /// Nothing more can come of it.
    pub(super) is_over: bool,
}

impl Rest {
    /// What may come after a refusal.
    pub(super) fn new() -> Self {
        // An Esc that refused it may have been the first byte of its end.
        Self { is_quiet: false, last: PASTE_END[..1].to_vec() }
    }

    /// Takes what was read after a pause.
    ///
    /// Keys that follow the refusal without a second's pause are taken for the paste too; later ones only where no
    /// person types so fast.
    pub(super) fn take<'a>(&mut self, bytes: &'a [u8], pause: Duration) -> Left<'a> {
        self.is_quiet |= pause >= ALONE;
        let place = |whole: &[u8], marker: &[u8]| whole.windows(marker.len()).position(|part| part == marker);
        if let Some(begin) = place(bytes, PASTE_BEGIN) {
            return Left { typed: &bytes[begin..], dropped: begin, is_over: true };
        }
        let was = if self.is_quiet { PASTE_END[..1].to_vec() } else { std::mem::take(&mut self.last) };
        let whole = [was.as_slice(), bytes].concat();
        if let Some(end) = place(&whole, PASTE_END) {
            let end = end + PASTE_END.len() - was.len();
            return Left { typed: &bytes[end..], dropped: if self.is_quiet { end } else { 0 }, is_over: true };
        }
        if self.is_quiet && bytes.len() < BURST {
            return Left { typed: bytes, dropped: 0, is_over: false };
        }
        let dropped = if std::mem::replace(&mut self.is_quiet, false) { bytes.len() } else { 0 };
        self.last = whole[whole.len().saturating_sub(PASTE_END.len() - 1)..].to_vec();
        Left { typed: &[], dropped, is_over: false }
    }
}
