//! Looks at what stands between the braces of a template, before it is ever rendered.
//!
//! Hides just enough of the template language to know tags, filters, tests and names by their places: the engine itself finds a misspelt filter only
//! when it comes to it, perhaps in a branch that is first taken at night.
//!
//! Invariant: a text that the engine accepts is split here the way the engine splits it; anything else gives words at places inside the text.

use std::ops::Range;

/// The tags that templates may use: conditions, loops, a name for a value, and text as it stands.
pub(super) const TAGS: [&str; 9] = ["if", "elif", "else", "endif", "for", "endfor", "set", "raw", "endraw"];
/// The filters that templates may use.
pub(super) const FILTERS: [&str; 15] = [
    "capitalize",
    "default",
    "first",
    "indent",
    "join",
    "last",
    "length",
    "lower",
    "replace",
    "reverse",
    "sort",
    "title",
    "trim",
    "unique",
    "upper",
];
/// The tests that templates may use after `is`.
pub(super) const TESTS: [&str; 5] = ["defined", "undefined", "in", "startingwith", "endingwith"];

/// What a word between braces is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Tag,
    Filter,
    Test,
    Attribute,
    Name,
}

/// A word between braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) range: Range<usize>,
    pub(super) part: Part,
}

/// Every word between the braces of a template.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(open) = next_brace(text, at) {
        let is_tag = text[open..].starts_with("{%");
        if text[open..].starts_with("{#") {
            at = text[open..].find("#}").map_or(text.len(), |end| open + end + 2);
            continue;
        }
        let before = all.len();
        at = inside(text, open + 2, is_tag, &mut all);
        let is_raw = is_tag && all.get(before).is_some_and(|word| &text[word.range.clone()] == "raw");
        if is_raw {
            at = end_of_raw(text, at);
        }
    }
    all
}

fn next_brace(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.as_bytes().windows(2).position(|pair| matches!(pair, b"{{" | b"{%" | b"{#")).map(|place| from + place)
}

/// After `{% raw %}` everything is text until its end.
fn end_of_raw(text: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(open) = text[at..].find("{%").map(|place| at + place) {
        let tag = text[open + 2..].trim_start_matches(['-', '+']).trim_start();
        let Some(close) = text[open..].find("%}") else { break };
        if tag.starts_with("endraw") {
            return open + close + 2;
        }
        at = open + 2;
    }
    text.len()
}

/// Reads to the closing brace, and gives the place after it.
fn inside(text: &str, from: usize, is_tag: bool, all: &mut Vec<Word>) -> usize {
    let bytes = text.as_bytes();
    let close: &[u8; 2] = if is_tag { b"%}" } else { b"}}" };
    let mut at = from;
    // The last thing before a word, which says what the word is.
    let mut before = if is_tag { Part::Tag } else { Part::Name };
    // Braces of a map, so that its `}}` closes no tag.
    let mut depth = 0_usize;
    while at < bytes.len() {
        if depth == 0 && bytes[at..].starts_with(close) {
            return at + 2;
        }
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                before = Part::Name;
            }
            letter if letter.is_ascii_alphabetic() || letter == b'_' => {
                let size = bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let word = &text[at..at + size];
                before = match (before, word) {
                    (Part::Name, "is") => Part::Test,
                    (Part::Test, "not") => Part::Test,
                    (part, _) => {
                        all.push(Word { range: at..at + size, part });
                        Part::Name
                    }
                };
                at += size;
            }
            // A number, so that the letters of `0x1F` are no name.
            digit if digit.is_ascii_digit() => {
                at += bytes[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                before = Part::Name;
            }
            other => {
                match other {
                    b'{' => depth += 1,
                    b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                before = match other {
                    b'|' => Part::Filter,
                    b'.' => Part::Attribute,
                    b'-' | b'+' if before == Part::Tag => Part::Tag,
                    other if other.is_ascii_whitespace() => before,
                    _ => Part::Name,
                };
                at += 1;
            }
        }
    }
    text.len()
}
