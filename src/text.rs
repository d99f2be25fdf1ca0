//! Text that came from outside and is safe to show.
//!
//! A terminal is a machine that obeys what it is shown, and ratatui passes bidirectional overrides, tag characters and cells of 200 KB through to
//! it. So text is cleaned once, where it enters (a label, a span name, a note, a key press of a paste), and carries the fact in its type from then
//! on: [`CleanStr`] is one line, [`CleanText`] keeps its line breaks.
//!
//! Invariant: cleaning is total and idempotent; whatever the bytes were, the result holds no control, format, tag or variation character and no
//! cluster above one base and four marks or 32 bytes.

pub mod changed;
pub mod document;
pub mod duration;
pub mod mask;

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The longest field that is kept, in bytes.
pub const FIELD_BYTES: usize = 4096;
/// The longest line that is kept, in terminal columns.
pub const LINE_COLUMNS: usize = 2000;
/// The longest text of several lines that is kept, in bytes.
pub const TEXT_BYTES: usize = 64 * 1024;
/// The most lines that a text of several lines keeps: the editor costs time per line.
pub const TEXT_LINES: usize = 2000;

const CLUSTER_CHARS: usize = 5;
const CLUSTER_BYTES: usize = 32;

/// One line of text that is safe to show: see the module for what was taken out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CleanStr(Box<str>);

/// Text of several lines that is safe to show; lines are separated by `\n`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CleanText(Box<str>);

impl CleanStr {
    /// Cleans a text into one line: line breaks and tabs become single spaces.
    pub fn new(text: &str) -> Self {
        Self(clean_line(text, FIELD_BYTES).into())
    }

    /// The text as a plain string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says nothing.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl CleanText {
    /// Cleans a text and keeps its line breaks (`\r\n` and `\r` count as one).
    pub fn new(text: &str) -> Self {
        if is_plain(text) && text.len() <= LINE_COLUMNS {
            return Self(text.into());
        }
        let unix = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut out = String::with_capacity(unix.len().min(TEXT_BYTES));
        for (index, line) in unix.split('\n').take(TEXT_LINES).enumerate() {
            let line = clean_line(line, TEXT_BYTES);
            if out.len() + line.len() + 1 > TEXT_BYTES {
                break;
            }
            if index > 0 {
                out.push('\n');
            }
            out.push_str(&line);
        }
        Self(out.into())
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

/// Whether a text is longer than a [`CleanText`] keeps, so that a caller can refuse it instead of losing its end.
pub fn is_too_long(text: &str) -> bool {
    text.len() > TEXT_BYTES || text.lines().count() > TEXT_LINES
}

/// The columns that a text takes on the screen.
pub fn columns(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The longest beginning of a text that fits into so many columns; a text that is cut ends with `…`.
pub fn fit(text: &str, room: usize) -> Cow<'_, str> {
    if text.len() <= room || columns(text) <= room {
        return Cow::Borrowed(text);
    }
    if room == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut out = String::new();
    for cluster in text.graphemes(true) {
        let width = columns(cluster);
        if used + width > room - 1 {
            break;
        }
        used += width;
        out.push_str(cluster);
    }
    out.push('…');
    Cow::Owned(out)
}

fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) || text.chars().all(is_common)
}

/// Letters and signs that stand alone: each is a cluster of its own, has a width, and no more columns than bytes. A replay reads
/// thousands of lines, and finding clusters is the slowest part of it.
fn is_common(letter: char) -> bool {
    matches!(u32::from(letter),
        0x20..=0x7E | 0xA1..=0xAC | 0xAE..=0x24F | 0x391..=0x3A1 | 0x3A3..=0x3C9 | 0x410..=0x44F | 0x2010..=0x2026 | 0x20A0..=0x20BF
        | 0x2190..=0x21FF | 0x3001..=0x3029 | 0x3041..=0x3096 | 0x30A1..=0x30FA | 0x4E00..=0x9FFF | 0xFF01..=0xFF60)
}

fn clean_line(text: &str, most_bytes: usize) -> String {
    if text.len() <= LINE_COLUMNS && text.len() <= most_bytes && is_plain(text) {
        return text.to_owned();
    }
    // A run far beyond the limit cannot reach the result: do not walk megabytes for it.
    let mut head = text.len().min(most_bytes.saturating_mul(4));
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    let mut line: String = text[..head].chars().filter_map(harmless).collect();
    // Cutting one cluster can join it to the next (Hangul), so repeat until nothing changes; each round is shorter.
    loop {
        let cut = cut_clusters(&line, most_bytes);
        if cut.len() == line.len() {
            return cut;
        }
        line = cut;
    }
}

fn harmless(letter: char) -> Option<char> {
    match letter {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => Some(' '),
        letter if letter.is_control() || is_format(letter) => None,
        letter => Some(letter),
    }
}

/// General category Cf of Unicode 16, the variation selectors, and fillers that draw nothing.
fn is_format(letter: char) -> bool {
    matches!(u32::from(letter),
        0xAD | 0x34F | 0x600..=0x605 | 0x61C | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
        | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB
        | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0xE0000..=0xE0FFF)
}

fn cut_clusters(line: &str, most_bytes: usize) -> String {
    let mut out = String::with_capacity(line.len());
    let mut used = 0;
    for cluster in line.graphemes(true) {
        let mut end = 0;
        for (at, letter) in cluster.char_indices().take(CLUSTER_CHARS) {
            if at + letter.len_utf8() > CLUSTER_BYTES {
                break;
            }
            end = at + letter.len_utf8();
        }
        let cluster = &cluster[..end];
        let width = columns(cluster);
        // A cluster without width would hang on whatever stands before it on the screen.
        if width == 0 {
            continue;
        }
        if used + width > LINE_COLUMNS || out.len() + cluster.len() > most_bytes {
            break;
        }
        used += width;
        out.push_str(cluster);
    }
    out
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
                out.pad(&self.0)
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
    fn an_escape_sequence_in_a_label_loses_its_teeth() {
        let cases = [
            ("\u{1b}[31mred\u{7}", "[31mred"),
            ("a\u{202e}b\u{2066}c", "abc"),
            ("one\ntwo\tthree", "one two three"),
            ("tag\u{e0041}\u{e007f}", "tag"),
            ("warn \u{26a0}\u{fe0f} sign", "warn \u{26a0} sign"),
            ("\u{301}leading mark", "leading mark"),
            ("\u{9b}31m", "31m"),
            ("zero\u{200b}width", "zerowidth"),
        ];
        for (dirty, clean) in cases {
            assert_eq!(CleanStr::new(dirty).as_str(), clean, "{dirty:?}");
        }
    }

    #[test]
    fn a_bomb_of_combining_marks_becomes_one_small_cluster() {
        let bomb = format!("a{}b", "\u{301}".repeat(100_000));
        assert_eq!(
            CleanStr::new(&bomb).as_str(),
            "a\u{301}\u{301}\u{301}\u{301}",
            "and the rest lies beyond the limit"
        );
        assert_eq!(
            CleanStr::new("a\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}b").as_str(),
            "a\u{301}\u{301}\u{301}\u{301}b"
        );
    }

    #[test]
    fn common_letters_are_what_the_long_way_leaves_alone() {
        let common: Vec<char> = ('\0'..=char::MAX).filter(|letter| is_common(*letter)).collect();
        assert!(common.len() > 20_000);
        for pair in common.windows(2).chain([&['ß', 'é'][..], &['a', '支'], &['©', '↔'], &['に', 'ん']]) {
            let text: String = pair.iter().collect();
            assert_eq!(text.graphemes(true).count(), 2, "{text:?}");
            assert_eq!(pair.iter().copied().filter_map(harmless).collect::<String>(), text);
            assert_eq!(cut_clusters(&text, 100), text);
            assert!(columns(&text) <= text.len());
        }
    }

    #[test]
    fn a_text_keeps_its_lines_and_a_field_stays_short() {
        assert_eq!(CleanText::new("a\r\nb\rc\n").as_str(), "a\nb\nc\n");
        assert_eq!(CleanStr::new(&"x".repeat(9000)).len(), LINE_COLUMNS);
        assert!(CleanText::new(&"x\n".repeat(5000)).lines().count() <= TEXT_LINES);
        assert!(is_too_long(&"x\n".repeat(5000)) && !is_too_long("a note"));
    }

    #[test]
    fn fitting_counts_columns_and_says_what_was_cut() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("支付宝", 5), "支付…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn cleaning_is_safe_and_idempotent(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC*") {
            for dirty in [String::from_utf8_lossy(&bytes).into_owned(), text] {
                let line = CleanStr::new(&dirty);
                prop_assert!(line.chars().all(|letter| !letter.is_control() && !is_format(letter)));
                prop_assert!(line.graphemes(true).all(|cluster| cluster.len() <= CLUSTER_BYTES && cluster.chars().count() <= CLUSTER_CHARS));
                prop_assert_eq!(CleanStr::new(&line), line);
                let text = CleanText::new(&dirty);
                prop_assert!(text.chars().all(|letter| letter == '\n' || (!letter.is_control() && !is_format(letter))));
                prop_assert_eq!(CleanText::new(&text), text);
            }
        }
    }
}
