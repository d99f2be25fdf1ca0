//! Text as it was written, for the record; and what a screen shows of it.
//!
//! Two steps. The *record* keeps a text as somebody wrote it: [`CleanStr`] is one line, [`CleanText`] keeps its line breaks. Zero-width joiners (half
//! of the words of Persian have one), emoji families, marks of direction and tags stay. Only what is no text goes: control characters, and with them
//! whole terminal sequences (`ESC [ 31 m`). The *screen* ([`shown`]) shows what a terminal draws alike everywhere, and puts a visible mark where
//! something would harm it: overrides of the direction, hidden tags, piles of accents. [`columns`], [`fit`] and all of [`crate::widget::text`] measure
//! what is shown; the encoder is the last barrier, not the first.
//!
//! Invariant: cleaning is total and idempotent and never cuts; whatever the bytes were, the result holds no control character. How long a text may be
//! is asked where it enters ([`too_long`]) and where it becomes part of a record ([`crate::incident::command::decide`]).

pub mod changed;
pub mod document;
pub mod duration;
pub mod exact;
pub mod half_typed;
pub mod markup;
pub mod mask;
pub mod printed;
mod screen;
mod sequence;
mod sought;
pub mod times;
mod words;

use std::borrow::Borrow;
use std::fmt;
use std::ops::Deref;

pub use exact::Exact;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use screen::{MARK, columns, fit, is_harmful, is_invisible, shown};
pub use sought::{Sought, alike, folded, folded_cased};
pub use words::{bare, first_word, is_gap, last_word};

/// The longest word or sentence that is kept of what another system says, in bytes.
pub const FIELD_BYTES: usize = 4096;
/// The longest text that an entry of a record takes, in bytes.
pub const TEXT_BYTES: usize = 64 * 1024;
/// The most lines that a text takes where people type or pipe: the editor costs time per line.
pub const TEXT_LINES: usize = 2000;

/// So many of something, as people say it: `1 line`, `2 lines`, `3 entries`; `one` is the word for one of them.
pub fn many<N: fmt::Display + PartialEq + From<u8>>(count: N, one: &str) -> String {
    match one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        _ if count == N::from(1) => format!("{count} {one}"),
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {one}s"),
    }
}

/// One line of text as it was written: see the module for what was taken out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CleanStr(Box<str>);

/// Text of several lines as it was written; lines are separated by `\n`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CleanText(Box<str>);

impl CleanStr {
    /// Cleans a text into one line: line breaks and tabs become single spaces.
    pub fn new(text: &str) -> Self {
        Self(sequence::cleaned(text, line_letter).into())
    }

    /// Cleans what another system says into one line of at most [`FIELD_BYTES`]; what is cut off ends in `…`, so that nobody takes it for the whole.
    pub fn field(text: &str) -> Self {
        // A label of megabytes is not walked for its beginning.
        let head = beginning(text, FIELD_BYTES * 4);
        let clean = Self::new(head);
        if clean.len() <= FIELD_BYTES && head.len() == text.len() {
            return clean;
        }
        Self(format!("{}…", beginning(&clean, FIELD_BYTES - '…'.len_utf8())).into())
    }

    /// The text as a plain string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says nothing that anybody could see.
    pub fn is_blank(&self) -> bool {
        is_blank(&self.0)
    }
}

impl CleanText {
    /// Cleans a text and keeps its line breaks (`\r\n` and `\r` count as one) and tabs.
    pub fn new(text: &str) -> Self {
        if !text.contains('\r') {
            return Self(sequence::cleaned(text, text_letter).into());
        }
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        Self(sequence::cleaned(&unix, text_letter).into())
    }

    /// The text as a plain string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first line, for places that have room for one.
    pub fn first_line(&self) -> &str {
        self.0.split('\n').next().unwrap_or_default()
    }
}

/// Whether a text says nothing that anybody could see.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|letter| letter.is_whitespace() || is_invisible(letter))
}

/// Why a text is longer than an entry takes, with both numbers; nothing where it fits.
pub fn too_long(text: &str) -> Option<String> {
    let (bytes, lines) = (text.len(), text.lines().count());
    if bytes > TEXT_BYTES {
        return Some(too_many_bytes(bytes));
    }
    (lines > TEXT_LINES).then(|| {
        format!(
            "this text has {} lines, and at most {} fit: put the rest into another one",
            thousands(lines),
            thousands(TEXT_LINES)
        )
    })
}

/// Why so many bytes are more than an entry takes.
pub fn too_many_bytes(bytes: usize) -> String {
    format!(
        "this text has {} bytes, and at most {} (64 KB) fit into an entry: put the rest into another one",
        thousands(bytes),
        thousands(TEXT_BYTES)
    )
}

/// The zeros of the scripts in which people type numbers: Latin, Arabic, Persian, those of India and of Southeast Asia, full-width.
const ZEROS: [u32; 20] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0, 0xF20,
    0x1040, 0x17E0, 0x1810, 0xFF10,
];

/// The value of a decimal digit, in any script in which people type numbers.
pub fn digit(letter: char) -> Option<u32> {
    let code = u32::from(letter);
    let plain = ZEROS.iter().find_map(|zero| code.checked_sub(*zero).filter(|value| *value < 10));
    // Mathematical digits: five alphabets, one after the other.
    plain.or_else(|| code.checked_sub(0x1D7CE).filter(|place| *place < 50).map(|place| place % 10))
}

pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The longest beginning of at most so many bytes that ends between two characters.
fn beginning(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What a line keeps for a character that a text may hold.
fn line_letter(letter: char) -> Option<char> {
    match letter {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter => (!letter.is_control()).then_some(letter),
    }
}

fn text_letter(letter: char) -> Option<char> {
    match letter {
        '\n' | '\t' => Some(letter),
        '\u{2028}' | '\u{2029}' => Some('\n'),
        letter => (!letter.is_control()).then_some(letter),
    }
}

macro_rules! text_type {
    ($name:ident) => {
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                screen::pad(&self.0, out)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, out)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(&text)
            }
        }
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }
        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.serialize_str(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        out.write_str("a text")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name::new(text))
                    }
                }
                input.deserialize_str(Visitor)
            }
        }
    };
}
text_type!(CleanStr);
text_type!(CleanText);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_of_something_is_one_and_more_are_more() {
        let said = [many(1_usize, "line"), many(0_u64, "entry"), many(2_usize, "entry"), many(3_u32, "day")];
        assert_eq!(said, ["1 line", "0 entries", "2 entries", "3 days"]);
    }

    #[test]
    fn what_people_write_stays_as_they_wrote_it() {
        let line = [
            "می‌خواهم درگاه را راه‌اندازی کنم",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{26a0}\u{fe0f} \u{1f44d}\u{1f3fd} 1\u{fe0f}\u{20e3}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "क्\u{200d}ष श\u{200c}र",
            "\u{200f}(abc)\u{200e} \u{2068}dana\u{2069}",
            "soft\u{ad}hyphen zero\u{200b}width",
            "葛\u{e0100}飾",
            "a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}b",
            "کیك ۱۴:۱۰",
        ];
        for written in line {
            assert_eq!(CleanStr::new(written).as_str(), written);
            assert_eq!(CleanText::new(written).as_str(), written);
            let json = serde_json::to_string(&CleanStr::new(written)).unwrap();
            assert_eq!(serde_json::from_str::<CleanStr>(&json).unwrap().as_str(), written, "and through the journal");
        }
        assert_eq!(CleanText::new("a\tb\r\nc\rd\n").as_str(), "a\tb\nc\nd\n");
    }

    #[test]
    fn cleaning_never_cuts() {
        let line = "x".repeat(70_000);
        assert_eq!(CleanStr::new(&line).len(), 70_000);
        assert_eq!(CleanText::new(&"x\n".repeat(50_000)).len(), 100_000);
        assert_eq!(CleanStr::new(&"\u{301}".repeat(100_000)).len(), 200_000);
        assert_eq!(
            too_long(&line).unwrap(),
            "this text has 70,000 bytes, and at most 65,536 (64 KB) fit into an entry: put the rest into another one"
        );
        assert_eq!(
            too_long(&"x\n".repeat(5000)).unwrap(),
            "this text has 5,000 lines, and at most 2,000 fit: put the rest into another one"
        );
        assert_eq!(too_long("a note"), None);
    }

    #[test]
    fn what_another_system_says_is_cut_with_a_mark() {
        let long = CleanStr::field(&"é".repeat(1 << 20));
        assert!(long.len() <= FIELD_BYTES && long.ends_with('…'), "{}", long.len());
        assert_eq!(CleanStr::field("timeout\n").as_str(), "timeout ");
    }

    #[test]
    fn blank_is_what_nobody_can_see() {
        for (text, is_blank) in
            [("", true), (" \u{200b}\u{200f}\u{feff}", true), ("\u{200c}ب", false), ("\u{202e}", false)]
        {
            assert_eq!(CleanStr::new(text).is_blank(), is_blank, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn cleaning_is_safe_and_idempotent(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC*") {
            for dirty in [String::from_utf8_lossy(&bytes).into_owned(), text] {
                let line = CleanStr::new(&dirty);
                prop_assert!(line.chars().all(|letter| !letter.is_control()));
                prop_assert_eq!(CleanStr::new(&line), line);
                let text = CleanText::new(&dirty);
                prop_assert!(text.chars().all(|letter| matches!(letter, '\n' | '\t') || !letter.is_control()));
                prop_assert_eq!(CleanText::new(&text), text);
            }
        }

        #[test]
        fn a_text_without_control_characters_is_kept_letter_by_letter(text in "[^\\p{Cc}\u{2028}\u{2029}]*") {
            prop_assert_eq!(CleanStr::new(&text).to_string(), text.clone());
            prop_assert_eq!(CleanText::new(&text).to_string(), text);
        }
    }
}
