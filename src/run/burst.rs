//! A text of several lines that comes at once: a paste into a terminal that sets no brackets around it.
//!
//! Such a paste comes as keys, and each of its line breaks as the Enter that records a line. What tells it from a
//! person is the pace alone:
//!
//! - Keys that follow each other within `PACE` (20 ms, 50 keys a second) are a burst. Nobody types four keys at that
//!   pace.
//! - Enter (Ctrl+J, and Tab where it would leave the text) waits: `AFTER_A_PERSON` (20 ms) behind a key of a person,
//!   `IN_A_BURST` (100 ms) behind two keys or more of a burst, because a link cuts a burst anywhere. Keys that follow
//!   in that time are held with it until the burst pauses.
//! - A burst of four keys or more with text behind a line break is one paste, to be confirmed like any other. Anything
//!   else is given on as it was pressed: one line with its Enter, and the lines of a program that types slower than
//!   that, are keys.
//!
//! Invariant: no key is lost and none changes its place; without a line break nothing waits.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::input::PASTE_GUARD;
use crate::console::{Msg, Pasting};
use crate::text::TEXT_BYTES;

/// Keys of a burst follow each other in less.
const PACE: Duration = Duration::from_millis(20);
/// How long a line break waits for more behind what a person typed.
const AFTER_A_PERSON: Duration = Duration::from_millis(20);
/// And behind what came at once.
const IN_A_BURST: Duration = Duration::from_millis(100);
/// So soon behind a burst that was a paste, a line break is of its rest: alone, and behind keys that came at once too.
const ITS_REST: [Duration; 2] = [PASTE_GUARD, Duration::from_secs(1)];
/// A burst of fewer keys may be two fingers at once.
const KEYS: usize = 4;

/// The keys that came last.
#[derive(Debug, Default)]
pub struct Burst {
    /// How many came at that pace, and were given on.
    before: usize,
    /// A line break and all behind it.
    held: Vec<KeyEvent>,
    /// So many more than can be kept.
    too_many: usize,
    last: Duration,
    /// When a burst ended that was a paste.
    ended: Option<Duration>,
}

impl Burst {
    /// Takes what came, and gives what is to be handled now. `breaks` says that the key would end a line, or leave the
    /// text that is typed.
    pub fn take(&mut self, event: Event, now: Duration, breaks: bool) -> Vec<Msg> {
        let mut given = self.timeout(now);
        let Event::Key(key) = event else {
            given.extend(self.end(now));
            given.push(Msg::Input(event));
            return given;
        };
        let is_fast = now.saturating_sub(self.last) <= PACE;
        self.last = now;
        if !is_fast {
            self.before = 0;
        }
        if breaks || !self.held.is_empty() && letter(key).is_some() {
            self.hold(key);
        } else {
            if !self.held.is_empty() {
                given.extend(self.end(now));
            }
            self.before = if letter(key).is_some() { self.before + 1 } else { 0 };
            given.push(Msg::Input(event));
        }
        given
    }

    fn hold(&mut self, key: KeyEvent) {
        if self.held.len() <= TEXT_BYTES {
            self.held.push(key);
        } else {
            self.too_many += 1;
        }
    }

    /// When [`Burst::timeout`] should be called, if no key comes.
    pub fn deadline(&self) -> Option<Duration> {
        let wait = match (self.held.len(), self.before) {
            (0, _) => return None,
            (1, 0 | 1) => AFTER_A_PERSON,
            (1, _) => IN_A_BURST,
            _ => PACE,
        };
        Some(self.last + wait)
    }

    /// Gives what was held, when its time is over.
    pub fn timeout(&mut self, now: Duration) -> Vec<Msg> {
        let is_over = self.deadline().is_some_and(|at| now > at);
        if is_over { self.end(self.last) } else { Vec::new() }
    }

    /// Gives what is held: as a paste, or as the keys that it is.
    pub fn end(&mut self, now: Duration) -> Vec<Msg> {
        let held = std::mem::take(&mut self.held);
        let too_many = std::mem::take(&mut self.too_many);
        let before = std::mem::take(&mut self.before);
        let since = self.ended.map_or(Duration::MAX, |at| now.saturating_sub(at));
        let is_rest = since <= ITS_REST[usize::from(before > 1)];
        let has_text = held.iter().skip(1).any(|key| matches!(key.code, KeyCode::Char(_)) && !is_line_break(*key));
        let differ = held.iter().any(|key| Some(key.code) != held.first().map(|first| first.code));
        if !held.is_empty() && (is_rest || has_text && differ && before + held.len() >= KEYS) {
            self.ended = Some(now);
            if too_many > 0 {
                return vec![Msg::Pasting(Pasting::TooLong(held.len() + too_many))];
            }
            let text = held.iter().filter_map(|key| letter(*key)).collect();
            return vec![Msg::Input(Event::Paste(text))];
        }
        if !held.is_empty() {
            // Somebody pressed Enter: what comes now is no rest of anything.
            self.ended = None;
        }
        held.into_iter().map(|key| Msg::Input(Event::Key(key))).collect()
    }
}

fn is_line_break(key: KeyEvent) -> bool {
    letter(key).is_some_and(|letter| matches!(letter, '\r' | '\n'))
}

/// What a key would be as a character of a text.
fn letter(key: KeyEvent) -> Option<char> {
    let is_bare = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    match key.code {
        KeyCode::Char(letter) if is_bare => Some(letter),
        KeyCode::Char('j') if key.modifiers == KeyModifiers::CONTROL => Some('\n'),
        KeyCode::Enter if key.modifiers.is_empty() => Some('\r'),
        KeyCode::Tab if key.modifiers.is_empty() => Some('\t'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the console gets of keys, each with its time in milliseconds; a line break breaks wherever one is typed.
    fn given(keys: impl IntoIterator<Item = (u64, char)>) -> String {
        let mut burst = Burst::default();
        let mut all = Vec::new();
        for (at, letter) in keys {
            let now = Duration::from_millis(at);
            while let Some(due) = burst.deadline().filter(|due| *due < now) {
                all.extend(burst.timeout(due + Duration::from_nanos(1)));
            }
            let (code, modifiers) = match letter {
                '\r' => (KeyCode::Enter, KeyModifiers::NONE),
                '\n' => (KeyCode::Char('j'), KeyModifiers::CONTROL),
                '\x13' => (KeyCode::Char('s'), KeyModifiers::CONTROL),
                letter => (KeyCode::Char(letter), KeyModifiers::NONE),
            };
            all.extend(burst.take(Event::Key(KeyEvent::new(code, modifiers)), now, matches!(letter, '\r' | '\n')));
        }
        all.extend(burst.timeout(Duration::from_secs(600)));
        let words = |msg: Msg| match msg {
            Msg::Input(Event::Paste(text)) => format!("[{}]", text.replace('\r', "/").replace('\n', "|")),
            Msg::Input(Event::Key(key)) => match key.code {
                KeyCode::Enter => "<Enter>".to_owned(),
                KeyCode::Char(letter) if key.modifiers.is_empty() => letter.to_string(),
                other => format!("<{other:?}>"),
            },
            other => format!("{other:?}"),
        };
        all.into_iter().map(words).collect()
    }

    /// A text whose keys come so many milliseconds after each other.
    fn every(pause: u64, text: &str) -> Vec<(u64, char)> {
        text.chars().zip(0..).map(|(letter, place)| (1_000 + place * pause, letter)).collect()
    }

    #[test]
    fn several_lines_at_once_are_one_paste_however_they_are_cut() {
        let text = "one\rtwo\r\rthree\r";
        assert_eq!(given(every(0, text)), "one[/two//three/]");
        assert_eq!(given(every(7, text)), "one[/two//three/]");
        assert_eq!(given(every(0, "one\r\ntwo\nthree")), "one[/|two|three]");
        for cut in 1..text.len() {
            for gap in [1, 5, 15, 60, 90] {
                let late = |(place, letter): (usize, char)| (1_000 + if place < cut { 0 } else { gap }, letter);
                let all = given(text.chars().enumerate().map(late));
                assert!(!all.contains("<Enter>"), "cut at {cut} for {gap} ms: {all}");
                assert_eq!(all.replace(['[', ']'], ""), text.replace('\r', "/"), "cut at {cut} for {gap} ms");
            }
        }
        // Pieces of a slow link, each a moment later than a burst pauses.
        let pieces = text.chars().enumerate().map(|(place, letter)| (1_000 + 60 * (place as u64 / 4), letter));
        assert!(!given(pieces).contains("<Enter>"));
    }

    #[test]
    fn a_person_who_types_fast_and_a_program_that_types_slowly_press_enter() {
        for text in ["one\rtwo\rthree\r", "y\rn\r", "\r\r\r", "ok\r"] {
            let pressed = text.replace('\r', "<Enter>");
            for pause in [21, 25, 33, 100] {
                assert_eq!(given(every(pause, text)), pressed, "{pause} ms");
            }
        }
        // Two fingers at once, then one.
        assert_eq!(given([(0, 'o'), (90, 'k'), (105, '\r'), (120, 'n'), (260, 'o')]), "ok<Enter>no");
        assert_eq!(given(every(0, "a line that a program types\r")), "a line that a program types<Enter>");
        assert_eq!(given(every(0, "\r\r\r\r\r\r")), "<Enter>".repeat(6), "a held key");
        assert_eq!(given(every(30, "\r\r\r\r\r\r")), "<Enter>".repeat(6), "a held key");
    }

    #[test]
    fn what_is_no_letter_ends_the_burst_and_comes_behind_it() {
        assert_eq!(given(every(0, "one\rtwo\x13")), "one[/two]<Char('s')>");
        assert_eq!(given(every(0, "a\r\x13")), "a<Enter><Char('s')>");
    }

    #[test]
    fn a_burst_that_no_entry_takes_is_refused_with_its_size() {
        let text = format!("one\r{}", "x".repeat(100_000));
        assert_eq!(given(every(0, &text)), format!("one{:?}", Msg::Pasting(Pasting::TooLong(100_001))));
    }
}
