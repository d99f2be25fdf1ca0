//! What a person types, from the terminal's bytes to events.
//!
//! Hides an incremental parser of keys, pastes, mouse and the terminal's answers, and the one ambiguity of terminals: Esc is a key and
//! the beginning of others, so it waits for [`Parser::deadline`]. What a paste is, and how a person gets out of one,
//! stands in `input::pasted`.
//!
//! Invariant: any bytes give events and no panic; how they were cut into reads changes nothing; at most [`PASTE_BYTES`] and a little
//! are held; nothing of a paste becomes a key.

mod pasted;

use std::io;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyModifiers};
use rustix::io::Errno;

use super::clock;
use super::encoder::Habits;
use super::keys;
use super::tty::Tty;
use crate::console::Pasting;
use crate::theme::Ground;
pub use pasted::PASTE_BYTES;
use pasted::{Pasted, Rest, Still};

/// How long after a paste action keys are ignored: a paste can carry its own end marker and then a real `y`.
pub const PASTE_GUARD: Duration = Duration::from_millis(250);

/// How long Esc may be the beginning of a key, here and over SSH.
const ESC: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(100)];
/// A sequence that has begun for sure may take longer; afterwards it is dropped.
const SEQUENCE: Duration = Duration::from_millis(250);
/// No key has more parameters.
const PARAMETER_BYTES: usize = 64;
/// Of an answer so many bytes are looked at.
const ANSWER_BYTES: usize = 64;
/// What is read before the loop gets its turn.
const BATCH_BYTES: usize = 64 * 1024;

/// The incremental parser.
#[derive(Debug)]
pub struct Parser {
    state: State,
    patience: Duration,
    /// When the last byte came.
    touched: Duration,
    pasted: Option<Duration>,
    /// What may still come of a paste that was refused before its end.
    rest: Option<Rest>,
    /// What became of pastes that are no events.
    pastings: Vec<Pasting>,
    ground: Option<Ground>,
    draws_wide: Option<bool>,
    /// The terminal said that it has kitty's keyboard protocol.
    has_keyboard: bool,
    /// An Esc that another one follows: the key, or the Alt of an arrow (PuTTY, iTerm2).
    owed: bool,
}

#[derive(Debug, PartialEq)]
enum State {
    Ground,
    /// After ESC.
    Escape,
    /// After `ESC [`; `None` when there were too many parameters.
    Csi(Option<Vec<u8>>),
    /// In a `CSI` with intermediate bytes, which no key has.
    CsiAnswer,
    /// After `ESC [ [`.
    Linux,
    /// After `ESC O`.
    Ss3(Vec<u8>),
    /// In OSC, DCS, APC, PM or SOS: dropped up to its end.
    Text {
        begin: u8,
        empty: bool,
        escape: bool,
        /// How an answer (OSC) begins.
        said: Vec<u8>,
    },
    /// The three bytes of an old mouse report.
    OldMouse(u8),
    /// Some bytes of a letter.
    Letter {
        bytes: [u8; 4],
        have: usize,
        need: usize,
        held: KeyModifiers,
    },
    /// In a paste.
    Paste(Pasted),
}

impl Parser {
    /// A parser that waits longer for the rest of an Esc when the bytes come over SSH.
    pub fn new(over_ssh: bool) -> Self {
        Self {
            state: State::Ground,
            patience: ESC[usize::from(over_ssh)],
            touched: Duration::ZERO,
            pasted: None,
            rest: None,
            pastings: Vec::new(),
            ground: None,
            draws_wide: None,
            has_keyboard: false,
            owed: false,
        }
    }

    /// Takes bytes and gives the events that are complete.
    pub fn feed(&mut self, bytes: &[u8], now: Duration) -> Vec<Event> {
        let mut events = Vec::new();
        if bytes.is_empty() {
            return events;
        }
        let pause = now.saturating_sub(self.touched);
        self.touched = now;
        if let State::Paste(pasted) = &mut self.state {
            pasted.goes_on(pause);
        }
        for byte in self.typed(bytes, pause) {
            self.step(*byte, now, &mut events);
        }
        events
    }

    /// What is left of bytes without what still comes of a paste that was refused.
    fn typed<'a>(&mut self, bytes: &'a [u8], pause: Duration) -> &'a [u8] {
        let Some(rest) = &mut self.rest else { return bytes };
        let left = rest.take(bytes, pause);
        if left.dropped > 0 {
            self.pastings.push(Pasting::Rest(left.dropped));
        }
        if left.is_over {
            self.rest = None;
        }
        left.typed
    }

    /// When [`Parser::timeout`] should be called, if no byte comes.
    pub fn deadline(&self) -> Option<Duration> {
        let wait = match &self.state {
            State::Ground | State::Letter { .. } => return None,
            State::Escape => self.patience,
            State::Csi(_)
            | State::CsiAnswer
            | State::Linux
            | State::Ss3(_)
            | State::Text { .. }
            | State::OldMouse(_) => SEQUENCE,
            State::Paste(pasted) => return Some(pasted.deadline(self.touched)),
        };
        Some(self.touched + wait)
    }

    /// Ends what is pending when its time is over: Esc becomes the key.
    pub fn timeout(&mut self, now: Duration) -> Vec<Event> {
        if self.deadline().is_none_or(|at| now < at) {
            return Vec::new();
        }
        if let State::Paste(pasted) = &mut self.state {
            match pasted.still(self.touched, now) {
                Still::Tell(pasting) => self.pastings.push(pasting),
                Still::Refuse(pasting) => {
                    self.state = State::Ground;
                    // Keys that are pressed at once count as little as the ones before.
                    self.touched = now;
                    self.pasted = Some(now);
                    self.rest = Some(Rest::new());
                    self.pastings.push(pasting);
                }
                Still::Wait => {}
            }
            return Vec::new();
        }
        let mut events = Vec::new();
        self.pay(&mut events);
        let alt = |byte: u8| vec![keys::byte(byte, KeyModifiers::ALT)];
        events.extend(match std::mem::replace(&mut self.state, State::Ground) {
            State::Escape => vec![keys::key(KeyCode::Esc, KeyModifiers::NONE)],
            State::Csi(Some(parameters)) if parameters.is_empty() => alt(b'['),
            State::Ss3(parameters) if parameters.is_empty() => alt(b'O'),
            State::Text { begin, empty: true, escape: false, .. } => alt(begin),
            State::Ground
            | State::Paste(_)
            | State::Csi(_)
            | State::CsiAnswer
            | State::Linux
            | State::Ss3(_)
            | State::Text { .. }
            | State::OldMouse(_)
            | State::Letter { .. } => Vec::new(),
        });
        events
    }

    /// Gives an Esc that turned out to be a key.
    fn pay(&mut self, events: &mut Vec<Event>) {
        if std::mem::take(&mut self.owed) {
            events.push(keys::key(KeyCode::Esc, KeyModifiers::NONE));
        }
    }

    /// Gives what a sequence means. Two Esc before an arrow to the side are its Alt.
    fn meant(&mut self, event: Option<Event>, events: &mut Vec<Event>) {
        match event {
            Some(Event::Key(key)) if self.owed && matches!(key.code, KeyCode::Left | KeyCode::Right) => {
                self.owed = false;
                events.push(keys::key(key.code, key.modifiers | KeyModifiers::ALT));
            }
            other => {
                self.pay(events);
                events.extend(other);
            }
        }
    }

    /// Whether the terminal said that it has kitty's keyboard protocol, once.
    pub fn take_keyboard(&mut self) -> bool {
        std::mem::take(&mut self.has_keyboard)
    }

    /// Whether a paste ended less than [`PASTE_GUARD`] ago or is still coming: action keys are not a person's now.
    pub fn is_guarded(&self, now: Duration) -> bool {
        matches!(self.state, State::Paste(_)) || self.pasted.is_some_and(|at| now < at + PASTE_GUARD)
    }

    /// What the terminal said of its ground, once.
    pub fn take_ground(&mut self) -> Option<Ground> {
        self.ground.take()
    }

    /// Whether the terminal drew wide what is of ambiguous width, as it answered [`super::encoder::Habits::ASK`], once.
    pub fn take_draws_wide(&mut self) -> Option<bool> {
        self.draws_wide.take()
    }

    /// When the last paste ended.
    pub fn pasted(&self) -> Option<Duration> {
        self.pasted
    }

    /// What became of pastes that are no events, in their order.
    pub fn take_pastings(&mut self) -> Vec<Pasting> {
        std::mem::take(&mut self.pastings)
    }

    fn step(&mut self, byte: u8, now: Duration, events: &mut Vec<Event>) {
        match &mut self.state {
            State::Ground => self.ground(byte, KeyModifiers::NONE, events),
            State::Escape => self.escape(byte, events),
            State::Csi(_) => self.csi(byte, events),
            State::CsiAnswer => {
                if byte == 0x1b {
                    self.state = State::Escape;
                } else if matches!(byte, 0x40..=0x7e | 0x18 | 0x1a) {
                    self.state = State::Ground;
                }
            }
            State::Linux => {
                self.state = State::Ground;
                match keys::linux(byte) {
                    Some(event) => self.meant(Some(event), events),
                    None => self.ground(byte, KeyModifiers::NONE, events),
                }
            }
            State::Ss3(parameters) => match byte {
                b'0'..=b'9' | b';' if parameters.len() < PARAMETER_BYTES => parameters.push(byte),
                _ => {
                    let event = keys::ss3(parameters, byte);
                    self.state = State::Ground;
                    match event {
                        Some(event) => self.meant(Some(event), events),
                        None => self.ground(byte, KeyModifiers::NONE, events),
                    }
                }
            },
            State::Text { begin, empty, escape, said } => match (byte, *escape) {
                (b'\\', true) | (0x07, _) => {
                    if *begin == b']' {
                        self.ground = Ground::of_answer(said).or(self.ground);
                    }
                    self.state = State::Ground;
                }
                (0x18 | 0x1a, _) => self.state = State::Ground,
                (0x1b, _) => *escape = true,
                (_, true) => {
                    // ESC ended it, and begins something else.
                    self.state = State::Escape;
                    self.escape(byte, events);
                }
                (_, false) => {
                    *empty = false;
                    if said.len() < ANSWER_BYTES {
                        said.push(byte);
                    }
                }
            },
            State::OldMouse(left) => {
                *left -= 1;
                if *left == 0 {
                    self.state = State::Ground;
                }
            }
            State::Letter { .. } => self.letter(byte, events),
            State::Paste(_) => self.pasting(byte, now, events),
        }
    }

    fn ground(&mut self, byte: u8, held: KeyModifiers, events: &mut Vec<Event>) {
        self.pay(events);
        let need = match byte {
            0x1b => {
                self.state = State::Escape;
                return;
            }
            0..=0x7f => {
                events.push(keys::byte(byte, held));
                return;
            }
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            // Not a beginning of UTF-8: nobody typed that.
            _ => return,
        };
        self.state = State::Letter { bytes: [byte, 0, 0, 0], have: 1, need, held };
    }

    fn letter(&mut self, byte: u8, events: &mut Vec<Event>) {
        let State::Letter { bytes, have, need, held } = &mut self.state else { return };
        if !matches!(byte, 0x80..=0xbf) {
            self.state = State::Ground;
            self.ground(byte, KeyModifiers::NONE, events);
            return;
        }
        bytes[*have] = byte;
        *have += 1;
        if have == need {
            let text = std::str::from_utf8(&bytes[..*need]).ok();
            events.extend(text.and_then(|text| text.chars().next()).map(|letter| keys::letter(letter, *held)));
            self.state = State::Ground;
        }
    }

    fn escape(&mut self, byte: u8, events: &mut Vec<Event>) {
        self.state = match byte {
            b'[' => State::Csi(Some(Vec::new())),
            b'O' => State::Ss3(Vec::new()),
            b']' | b'P' | b'_' | b'^' | b'X' => {
                self.pay(events);
                State::Text { begin: byte, empty: true, escape: false, said: Vec::new() }
            }
            0x1b => {
                // Esc twice, or Esc and then a key of several bytes.
                self.pay(events);
                self.owed = true;
                State::Escape
            }
            _ => {
                self.state = State::Ground;
                return self.ground(byte, KeyModifiers::ALT, events);
            }
        };
    }

    fn csi(&mut self, byte: u8, events: &mut Vec<Event>) {
        let State::Csi(kept) = &mut self.state else { return };
        let Some(parameters) = kept else {
            self.state = State::CsiAnswer;
            return self.step(byte, Duration::ZERO, events);
        };
        match byte {
            b'[' if parameters.is_empty() => self.state = State::Linux,
            b'M' if parameters.is_empty() => {
                self.state = State::OldMouse(3);
                self.pay(events);
            }
            b'0'..=b'?' if parameters.len() >= PARAMETER_BYTES => *kept = None,
            b'0'..=b'?' => parameters.push(byte),
            // rxvt ends keys with Shift by a dollar sign, which everywhere else is no end.
            b'$' if !parameters.is_empty() && parameters.iter().all(u8::is_ascii_digit) => {
                let event = keys::csi(parameters, byte);
                self.state = State::Ground;
                self.meant(event, events);
            }
            b' '..=b'/' => self.state = State::CsiAnswer,
            b'@'..=b'~' => {
                if byte == b'R' {
                    self.draws_wide = Habits::of_answer(parameters).or(self.draws_wide);
                }
                if byte == b'~' && parameters == b"200" {
                    self.state = State::Paste(Pasted::default());
                    return self.pay(events);
                }
                self.has_keyboard |= byte == b'u' && parameters.first() == Some(&b'?');
                let event = keys::csi(parameters, byte);
                self.state = State::Ground;
                self.meant(event, events);
            }
            0x1b => self.state = State::Escape,
            // A control or a letter in the middle: the sequence is broken, the byte was typed.
            _ => {
                self.state = State::Ground;
                self.ground(byte, KeyModifiers::NONE, events);
            }
        }
    }

    fn pasting(&mut self, byte: u8, now: Duration, events: &mut Vec<Event>) {
        let State::Paste(pasted) = &mut self.state else { return };
        if !pasted.take(byte) {
            return;
        }
        let whole = std::mem::take(pasted);
        self.state = State::Ground;
        self.pasted = Some(now);
        match whole.end() {
            Ok(event) => events.push(event),
            Err(pasting) => self.pastings.push(pasting),
        }
    }
}

/// What a read of the terminal gave.
#[derive(Debug, PartialEq)]
pub enum Typed {
    /// Everything that was there at once.
    Events(Vec<Event>),
    /// What became of pastes that are no events; what was read with them follows.
    Pastings(Vec<Pasting>),
    /// What the terminal says of its ground.
    Ground(Ground),
    /// Whether it draws in two columns what is of ambiguous width.
    DrawsWide(bool),
    /// The terminal has kitty's keyboard protocol.
    Keyboard,
    /// The terminal is gone: save and end.
    Lost,
}

/// The person's side of the terminal.
#[derive(Debug)]
pub struct Input {
    parser: Parser,
    /// What was read and is not given out yet.
    events: Vec<Event>,
}

impl Input {
    /// Reads with the patience that the link needs.
    pub fn new(over_ssh: bool) -> Self {
        Self { parser: Parser::new(over_ssh), events: Vec::new() }
    }

    /// Whether keys may still belong to a paste: see [`Parser::is_guarded`].
    pub fn is_guarded(&self, now: Duration) -> bool {
        self.parser.is_guarded(now)
    }

    /// Waits for events; cancel-safe, because bytes are read and parsed without an await between.
    pub async fn next(&mut self, tty: &Tty) -> Typed {
        loop {
            if let Some(ground) = self.parser.take_ground() {
                return Typed::Ground(ground);
            }
            if let Some(draws_wide) = self.parser.take_draws_wide() {
                return Typed::DrawsWide(draws_wide);
            }
            if self.parser.take_keyboard() {
                return Typed::Keyboard;
            }
            // First: what comes with a paste is no answer, also where the paste is none.
            let pastings = self.parser.take_pastings();
            if !pastings.is_empty() {
                return Typed::Pastings(pastings);
            }
            if !self.events.is_empty() {
                return Typed::Events(std::mem::take(&mut self.events));
            }
            // Without a half-read key there is nothing to time: a timer costs a system call even if it never rings.
            let ready = match self.parser.deadline() {
                Some(at) => {
                    let pause = at.saturating_sub(clock::boot());
                    tokio::time::timeout(pause, tty.fd().readable()).await.ok()
                }
                None => Some(tty.fd().readable().await),
            };
            self.events = match ready {
                // Of a process that stood still the time is over, and the rest of the key is there all the same.
                None => match self.drain(tty.fd().get_ref()) {
                    Ok(events) => events,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.parser.timeout(clock::boot()),
                    Err(_) => return Typed::Lost,
                },
                Some(Err(_)) => return Typed::Lost,
                Some(Ok(mut guard)) => match guard.try_io(|fd| self.drain(fd)) {
                    Err(_) => continue,
                    Ok(Ok(events)) => events,
                    Ok(Err(_)) => return Typed::Lost,
                },
            };
        }
    }

    /// Reads what is there. `WouldBlock` only when nothing was.
    fn drain(&mut self, fd: impl std::os::fd::AsFd) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        let mut buffer = [0; 4096];
        let mut total = 0;
        while total < BATCH_BYTES {
            match rustix::io::read(&fd, &mut buffer) {
                Ok(count) if count > 0 => {
                    total += count;
                    events.extend(self.parser.feed(&buffer[..count], clock::boot()));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if total == 0 => return Err(io::ErrorKind::WouldBlock.into()),
                Err(Errno::AGAIN) => break,
                // What was typed before the end still counts; the next read says that it is the end.
                Ok(_) | Err(_) if !events.is_empty() => break,
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(events)
    }
}

#[cfg(test)]
mod tests;
