//! Walks over a text and takes the terminal sequences out of it: the one place at which they are told from words.
//!
//! Hides their shapes (ECMA-48), which are those of the kept parser (`anstyle_parse`), and what is done where one does
//! not end:
//!
//! - A sequence ends where its shape does. One that is cut off, by the end of its line or text, by another sequence or
//!   by a letter that no sequence holds (`ESC [ 31 é`), is gone as far as it went: nothing of it is taken for words,
//!   and no word behind it is taken for a part of it.
//! - A string (OSC, DCS, SOS, PM, APC, the title of `screen`) ends with ST or BEL, on its line. Where that is missing,
//!   its first word goes (`8;;http://x`, `0;title`), and what follows the first blank is text.
//! - An ESC before a letter that begins no sequence (`ESC b`) goes alone.
//!
//! Invariant: what stays is a subsequence of the text, letter by letter; it takes time in proportion to the text.

use anstyle_parse::state::{Action, State, state_change};

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Letters, none of which controls anything.
    Words(&'a str),
    /// A control character by itself.
    Control(char),
    /// A control sequence (CSI): its parameters and the letter that says what it does.
    Csi(&'a str, char),
}

/// A text without sequences, each letter as `keep` has it.
pub(super) fn cleaned(text: &str, keep: impl Fn(char) -> Option<char>) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    parts(text, |part| match part {
        Part::Words(words) => out.extend(words.chars().filter_map(&keep)),
        Part::Control(letter) => out.extend(keep(letter)),
        Part::Csi(..) => {}
    });
    out
}

/// A text without what colours it; what moves the cursor in it or erases stays, for [`super::printed`].
pub(super) fn with_moves(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    parts(text, |part| match part {
        Part::Words(words) => out.push_str(words),
        Part::Control(letter) => out.push(letter),
        Part::Csi(numbers, last) => {
            if matches!(last, 'A'..='H' | 'J' | 'K' | 'f')
                && numbers.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b';'))
            {
                out.extend(["\u{1b}[", numbers]);
                out.push(last);
            }
        }
    });
    out
}

/// Says a text piece by piece, without its sequences but for those that are [`Part::Csi`].
pub(super) fn parts<'a>(text: &'a str, mut each: impl FnMut(Part<'a>)) {
    let mut rest = text;
    while !rest.is_empty() {
        let Some(at) = rest.find(char::is_control) else { return each(Part::Words(rest)) };
        if at > 0 {
            each(Part::Words(&rest[..at]));
            rest = &rest[at..];
        }
        let letter = rest.chars().next().unwrap_or_default();
        let length = match beginning(letter) {
            None => {
                each(Part::Control(letter));
                letter.len_utf8()
            }
            Some(state) => {
                let (length, csi) = sequence(rest, state);
                csi.into_iter().for_each(&mut each);
                length
            }
        };
        rest = &rest[length..];
    }
}

/// Where what may be the beginning of a sequence stands at the end of a text that goes on; the text's end where there
/// is none.
pub(super) fn open_end(text: &str) -> usize {
    let begins = |letter: char| beginning(letter).is_some();
    let line = text.rfind('\n').map_or(0, |at| at + 1);
    let Some(at) = text[line..].rfind(begins).map(|at| line + at) else { return text.len() };
    let tail = &text[at..];
    let state = tail.chars().next().and_then(beginning).unwrap_or_default();
    // With what would end a sequence, or a string, it would be longer: so it has not ended.
    let is_open = ["[", "\u{7}"].iter().any(|more| sequence(&format!("{tail}{more}"), state).0 > tail.len());
    if is_open { at } else { text.len() }
}

/// What a letter begins: ESC and the C1 characters, as terminals take them in UTF-8.
fn beginning(letter: char) -> Option<State> {
    match letter {
        '\u{1b}' => Some(State::Escape),
        '\u{9b}' => Some(State::CsiEntry),
        '\u{90}' => Some(State::DcsEntry),
        '\u{9d}' => Some(State::OscString),
        '\u{98}' | '\u{9e}' | '\u{9f}' => Some(State::SosPmApcString),
        _ => None,
    }
}

/// The length of the sequence with which a text begins, in bytes, and what it is where it is a CSI.
fn sequence(text: &str, begun: State) -> (usize, Option<Part<'_>>) {
    let mut state = begun;
    let mut body = text.chars().next().map_or(0, char::len_utf8);
    for (at, letter) in text.char_indices().skip(1) {
        let behind = at + letter.len_utf8();
        if is_string(state) {
            match letter {
                '\u{7}' | '\u{9c}' => return (behind, None),
                '\u{1b}' if text[at..].starts_with(ST) => return (at + ST.len(), None),
                '\u{18}' | '\u{1a}' => return (behind, None),
                letter if beginning(letter).is_some() => return (at, None),
                letter if letter.is_control() => return (body + first_word(&text[body..at]), None),
                letter if !letter.is_ascii() => continue,
                _ => {}
            }
        } else if !letter.is_ascii() || letter.is_control() {
            return (at, None);
        }
        if state == State::Escape && letter == 'k' && is_title(&text[behind..]) {
            (state, body) = (State::SosPmApcString, behind);
            continue;
        }
        // `ESC SP F` and its like; a blank behind any other ESC is one.
        if state == State::Escape && letter == ' ' && !text[behind..].starts_with(['F', 'G', 'L', 'M', 'N']) {
            return (at, None);
        }
        let Ok(byte) = u8::try_from(letter) else { return (at, None) };
        let (next, action) = state_change(state, byte);
        match action {
            Action::CsiDispatch => return (behind, Some(Part::Csi(&text[body..at], letter))),
            Action::EscDispatch if state == State::Escape && !FUNCTIONS.contains(letter) => return (at, None),
            Action::EscDispatch => return (behind, None),
            _ if next == State::Ground => return (behind, None),
            _ if next == State::Anywhere => {}
            _ if state == State::Escape => (state, body) = (next, behind),
            _ => state = next,
        }
    }
    let end = if is_string(state) { body + first_word(&text[body..]) } else { text.len() };
    (end, None)
}

/// What ends a string.
const ST: &str = "\u{1b}\\";
/// The letters that are a function of the terminal right behind an ESC: `ESC 7`, `ESC M`. Before any other the ESC is a
/// stray one.
const FUNCTIONS: &str = "6789=>cDEHMNOZ\\";

/// Whether a string is being read: it takes letters that are no parameters.
fn is_string(state: State) -> bool {
    match state {
        State::OscString
        | State::SosPmApcString
        | State::DcsEntry
        | State::DcsIgnore
        | State::DcsIntermediate
        | State::DcsParam
        | State::DcsPassthrough => true,
        State::Anywhere
        | State::CsiEntry
        | State::CsiIgnore
        | State::CsiIntermediate
        | State::CsiParam
        | State::Escape
        | State::EscapeIntermediate
        | State::Ground
        | State::Utf8 => false,
    }
}

/// Whether a title as `screen` takes it (`ESC k title ST`) goes on here: without its end it is a word.
fn is_title(text: &str) -> bool {
    text.find(char::is_control).is_some_and(|at| text[at..].starts_with(ST))
}

/// The length of the first word of a string that does not end.
fn first_word(text: &str) -> usize {
    text.find(char::is_whitespace).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use crate::text::{CleanStr, CleanText};

    #[test]
    fn terminal_sequences_go_whole_and_what_is_no_sequence_stays() {
        for (dirty, clean) in [
            ("\u{1b}[31mERROR\u{1b}[0m db", "ERROR db"),
            ("\u{1b}[1;38;5;208mslow\u{1b}(B\u{1b}[m", "slow"),
            ("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\ end", "link end"),
            ("\u{9b}31mred\u{7}", "red"),
            ("\u{1b}Pq#0\u{1b}\\x", "x"),
            ("\u{1b}k~/src\u{1b}\\$ ", "$ "),
            ("a\u{1b}b\u{0}c\u{7f}", "abc"),
        ] {
            assert_eq!(CleanStr::new(dirty).as_str(), clean, "{dirty:?}");
        }
    }

    #[test]
    fn of_a_sequence_that_does_not_end_nothing_is_left_and_no_word_behind_it_goes() {
        for (dirty, clean) in [
            ("\u{1b}[31é and text", "é and text"),
            ("cut off \u{1b}[38;5;2", "cut off "),
            ("cut off \u{1b}", "cut off "),
            ("\u{1b}[31\nthe next line", "\nthe next line"),
            ("\u{1b}[3\u{1b}[1mbold", "bold"),
            ("\u{1b}]0;never ends", " ends"),
            ("\u{1b}]8;;http://x/y", ""),
            ("\u{1b}]8;;http://x\nnext line\u{7}", "\nnext line"),
            ("\u{1b}]8;;http://x\u{1b}[4mlink\u{1b}[0m", "link"),
            ("\u{1b}Pq#0;2;0\nnext", "\nnext"),
            ("\u{1b}_Gf=100;AAAA", ""),
            ("\u{1b}kill it", "kill it"),
            ("\u{1b} and more", " and more"),
            ("\u{1b}پرداخت", "پرداخت"),
            ("\u{9d}0;title\u{9c}text", "text"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(CleanText::new(dirty).as_str(), clean, "{dirty:?}");
        }
    }

    #[test]
    fn what_may_go_on_is_held_back() {
        for (text, end) in [
            ("abc", 3),
            ("abc\u{1b}", 3),
            ("abc\u{1b}[3", 3),
            ("abc\u{1b}[31m", 8),
            ("abc\u{1b}[31é", 9),
            ("\u{1b}]8;;http://", 0),
            ("\u{1b}[1mx\u{1b}(", 5),
        ] {
            assert_eq!(super::open_end(text), end, "{text:?}");
        }
    }

    #[test]
    fn megabytes_of_beginnings_take_no_time() {
        for beginning in ["\u{1b}]", "\u{1b}k", "\u{1b}[1", "\u{1b}P q", "\u{9d}\u{1b}"] {
            let left = CleanText::new(&format!("{}the end", beginning.repeat(50_000)));
            assert!(left.ends_with("end"), "{beginning:?}");
        }
    }
}
