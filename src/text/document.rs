//! Reads a TOML document, and says where it is wrong.
//!
//! Hides how a position in the text becomes the name of a key and back: what `serde` refuses has a position and no key, what our own rules refuse
//! has a key and no position, and a person wants both.
//!
//! Invariant: every flaw has a line and a column, counted from 1, whatever was read.

use std::fmt;
use std::ops::Range;

use chrono::NaiveDate;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use toml::de::{DeTable, DeValue};

use super::{CleanStr, CleanText, is_harmful, is_invisible, shown};

/// A bigger document is not read: nobody writes one by hand.
pub const DOCUMENT_BYTES: usize = 256 * 1024;

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The file, as the reader knows it.
    pub file: CleanStr,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key, with the tables that it stands in; empty where the text is no TOML.
    pub key: CleanStr,
    /// What is wrong, and what could stand there.
    pub message: CleanStr,
}

impl fmt::Display for Flaw {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: ", self.file, self.line, self.column)?;
        if !self.key.is_empty() {
            write!(out, "`{}`: ", self.key)?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Flaw {}

/// A step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The value of a key.
    Named(String),
    /// A place in a list.
    Place(usize),
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<usize> for Key {
    fn from(place: usize) -> Self {
        Self::Place(place)
    }
}

/// A rule of ours that a value breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The way to the value.
    pub path: Vec<Key>,
    /// What is wrong with it, and what could stand there.
    pub message: String,
}

impl Complaint {
    /// A complaint about the value at the end of a path.
    pub fn new(path: impl IntoIterator<Item = Key>, message: impl Into<String>) -> Self {
        Self { path: path.into_iter().collect(), message: message.into() }
    }

    /// The same complaint, seen from further outside.
    pub fn within(mut self, outer: impl IntoIterator<Item = Key>) -> Self {
        self.path = outer.into_iter().chain(self.path).collect();
        self
    }
}

/// Reads a document; `file` names it in the flaw.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Box<Flaw>> {
    if text.len() > DOCUMENT_BYTES {
        let message = format!("the file has {} bytes, and at most {DOCUMENT_BYTES} are read", text.len());
        return Err(flaw(file, text, 0, &[], &message));
    }
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let path = path_at(text, &span);
        flaw(file, text, span.start, &path, &with_guess(error.message()))
    })
}

/// The word that somebody most likely meant, if one is near.
pub fn nearest<'a>(word: &str, choices: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let near = |choice: &&str| strsim::jaro_winkler(&lower, &choice.to_lowercase());
    let best = choices.into_iter().max_by(|one, other| near(one).total_cmp(&near(other)))?;
    (near(&best) > 0.8 && best != word).then_some(best)
}

/// A refusal of an unknown name says at its end which one was meant, as far as one can guess.
fn with_guess(message: &str) -> String {
    let unknown = ["unknown field `", "unknown variant `"].into_iter().find_map(|begin| message.strip_prefix(begin));
    let guess = unknown.and_then(|rest| {
        let (word, choices) = rest.split_once('`')?;
        nearest(word, choices.split('`').skip(1).step_by(2))
    });
    guess.map_or_else(|| message.to_owned(), |guess| format!("{message}; did you mean `{guess}`?"))
}

/// The text of a key at the top of a document, however wrong the rest of it is.
pub fn text_at(text: &str, key: &str) -> Option<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    match table.get_ref().get(key)?.get_ref() {
        DeValue::String(value) => Some(value.to_string()),
        _ => None,
    }
}

/// Gives a complaint its position.
pub fn locate(file: &str, text: &str, complaint: &Complaint) -> Box<Flaw> {
    let position = position_of(text, &complaint.path).unwrap_or(0);
    flaw(file, text, position, &complaint.path, &complaint.message)
}

/// A flaw at a byte of the text.
pub(crate) fn flaw(file: &str, text: &str, position: usize, path: &[Key], message: &str) -> Box<Flaw> {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    let before = &text[..position];
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    Box::new(Flaw {
        file: CleanStr::new(file),
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
        key: CleanStr::new(&written(path)),
        message: CleanStr::new(message),
    })
}

/// Refuses a value of which a person would not see what stands in the file: letters that cannot be seen, a text that is too long to show. Values
/// that are kept byte for byte, and shown with escapes, may hold anything. Letters that only join or dress others are fine in prose.
pub fn check_letters(file: &str, text: &str, is_exact: fn(&[Key]) -> bool) -> Result<(), Box<Flaw>> {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut path = Vec::new();
    if let Some((position, message)) = unseen_in(table.get_ref(), &mut path, is_exact) {
        return Err(flaw(file, text, position, &path, &message));
    }
    match unseen_between(text, table.get_ref()) {
        Some((position, message)) => Err(flaw(file, text, position, &[], &message)),
        None => Ok(()),
    }
}

/// What nobody would see of a file between its values: in a comment above all, which whoever approves the file reads too.
fn unseen_between(text: &str, table: &DeTable<'_>) -> Option<(usize, String)> {
    let mut values = Vec::new();
    for value in table.values() {
        spans_of_texts(value.get_ref(), value.span(), &mut values);
    }
    values.sort_by_key(|span| span.start);
    // A mark of the byte order is how some editors begin a file.
    let mut from = text.len() - text.trim_start_matches('\u{feff}').len();
    values.push(text.len()..text.len());
    for value in values {
        for line in text.get(from..value.start).unwrap_or_default().split_inclusive('\n') {
            if let Some(message) = unseen(line) {
                let hidden = line.char_indices().find(|(_, letter)| unseen(letter.encode_utf8(&mut [0; 4])).is_some());
                return Some((from + hidden.map_or(0, |(at, _)| at), message));
            }
            from += line.len();
        }
        from = value.end;
    }
    None
}

fn spans_of_texts(value: &DeValue<'_>, span: Range<usize>, spans: &mut Vec<Range<usize>>) {
    match value {
        DeValue::String(_) => spans.push(span),
        DeValue::Table(table) => {
            table.values().for_each(|value| spans_of_texts(value.get_ref(), value.span(), spans));
        }
        DeValue::Array(list) => list.iter().for_each(|value| spans_of_texts(value.get_ref(), value.span(), spans)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

fn unseen_in(table: &DeTable<'_>, path: &mut Vec<Key>, is_exact: fn(&[Key]) -> bool) -> Option<(usize, String)> {
    table.iter().find_map(|(key, value)| {
        path.push(Key::Named(key.get_ref().to_string()));
        let found = unseen(key.get_ref()).map(|message| (key.span().start, message));
        let found = found.or_else(|| unseen_at(value.get_ref(), value.span().start, path, is_exact));
        if found.is_none() {
            path.pop();
        }
        found
    })
}

fn unseen_at(
    value: &DeValue<'_>,
    start: usize,
    path: &mut Vec<Key>,
    is_exact: fn(&[Key]) -> bool,
) -> Option<(usize, String)> {
    match value {
        DeValue::Table(table) => unseen_in(table, path, is_exact),
        DeValue::Array(list) => list.iter().enumerate().find_map(|(place, item)| {
            path.push(Key::Place(place));
            let found = unseen_at(item.get_ref(), item.span().start, path, is_exact);
            if found.is_none() {
                path.pop();
            }
            found
        }),
        DeValue::String(text) if !is_exact(path) => unseen(text).map(|message| (start, message)),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            None
        }
    }
}

/// What of a text nobody would see on the screen.
fn unseen(text: &str) -> Option<String> {
    // Joiners, variation selectors and soft hyphens change how the letter beside them looks, not what is said.
    let dresses = |letter: &char| matches!(letter, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    let plain: String = text.replace("\r\n", "\n").chars().filter(|letter| !dresses(letter)).collect();
    let is_hidden = |letter: &char| match letter {
        '\n' | '\t' => false,
        letter => letter.is_control() || is_harmful(*letter) || is_invisible(*letter),
    };
    match plain.chars().find(is_hidden) {
        Some(letter) => Some(format!("has a letter that nobody would see (U+{:04X}): take it out", u32::from(letter))),
        None if shown(&plain.replace('\t', " ")) != plain.replace('\t', " ") => {
            Some("has more marks on a letter than are shown: take them out".to_owned())
        }
        None => None,
    }
}

fn written(path: &[Key]) -> String {
    let mut out = String::new();
    for key in path {
        match key {
            Key::Named(name) if out.is_empty() => out += name,
            Key::Named(name) => out += &format!(".{name}"),
            // People count from 1.
            Key::Place(place) => out += &format!("[{}]", place + 1),
        }
    }
    out
}

/// The innermost key whose name or value holds a span.
fn path_at(text: &str, span: &Range<usize>) -> Vec<Key> {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut path = Vec::new();
    if !descend(table.get_ref(), span, &mut path) {
        path.extend(key_on_line(text, span.start).map(Key::from));
    }
    path
}

/// The bare key that a line which is no TOML begins with.
fn key_on_line(text: &str, position: usize) -> Option<&str> {
    let start = text.get(..position)?.rfind('\n').map_or(0, |end| end + 1);
    let (key, _) = text[start..].lines().next()?.split_once('=')?;
    let key = key.trim();
    let is_bare = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'-' | b'_' | b'.');
    (!key.is_empty() && key.bytes().all(is_bare)).then_some(key)
}

fn holds(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end && outer.start < outer.end
}

fn descend(table: &DeTable<'_>, span: &Range<usize>, path: &mut Vec<Key>) -> bool {
    for (key, value) in table.iter() {
        path.push(Key::Named(key.get_ref().to_string()));
        if into(value.get_ref(), span, path) || holds(&key.span(), span) || holds(&value.span(), span) {
            return true;
        }
        path.pop();
    }
    false
}

fn into(value: &DeValue<'_>, span: &Range<usize>, path: &mut Vec<Key>) -> bool {
    match value {
        DeValue::Table(table) => descend(table, span, path),
        DeValue::Array(list) => list.iter().enumerate().any(|(place, item)| {
            path.push(Key::Place(place));
            let found = into(item.get_ref(), span, path) || holds(&item.span(), span);
            if !found {
                path.pop();
            }
            found
        }),
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            false
        }
    }
}

/// Where the value at the end of a path stands, or the innermost table on the way that exists.
fn position_of(text: &str, path: &[Key]) -> Option<usize> {
    let (table, _) = DeTable::parse_recoverable(text);
    let (first, rest) = path.split_first()?;
    let Key::Named(name) = first else { return None };
    let value = table.get_ref().get(name.as_str())?;
    let mut position = value.span().start;
    let mut value = value.get_ref();
    for key in rest {
        let next = match key {
            Key::Named(name) => value.as_table().and_then(|table| table.get(name.as_str())),
            Key::Place(place) => value.as_array().and_then(|list| list.get(*place)),
        };
        let Some(next) = next else { break };
        position = next.span().start;
        value = next.get_ref();
    }
    Some(position)
}

/// Reads a TOML date (`2026-10-14`, without quotes).
pub fn date<'de, D: Deserializer<'de>>(input: D) -> Result<NaiveDate, D::Error> {
    let date = toml::value::Date::deserialize(input)?;
    NaiveDate::from_ymd_opt(i32::from(date.year), u32::from(date.month), u32::from(date.day))
        .ok_or_else(|| D::Error::custom("no such day: a date is written 2026-10-14, without quotes"))
}

/// Reads a TOML date that may be absent.
pub fn maybe_date<'de, D: Deserializer<'de>>(input: D) -> Result<Option<NaiveDate>, D::Error> {
    date(input).map(Some)
}

/// A rule for text that a person must have written.
pub fn said(text: &str, key: &str) -> Result<(), Complaint> {
    if text.trim().is_empty() {
        return Err(Complaint::new([key.into()], "is empty: say something here"));
    }
    Ok(())
}

/// A rule for names that stand in references: short, lower case, without spaces.
pub fn name(text: &str, key: &str) -> Result<(), Complaint> {
    let is_letter = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    if text.is_empty() || text.len() > 64 || !text.bytes().all(is_letter) {
        let shown = super::fit(text, 40);
        let message = format!("`{shown}` is no name: use lower-case letters, digits and `-`, at most 64 of them");
        return Err(Complaint::new([key.into()], message));
    }
    Ok(())
}

/// A text of several lines without the blank ones at its ends.
pub fn trimmed<'de, D: Deserializer<'de>>(input: D) -> Result<CleanText, D::Error> {
    let text = CleanText::deserialize(input)?;
    Ok(CleanText::new(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its refusals are of interest")]
    struct Sample {
        name: String,
        #[serde(default)]
        steps: Vec<SampleStep>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its refusals are of interest")]
    struct SampleStep {
        id: String,
        count: Option<u8>,
    }

    #[test]
    fn a_flaw_names_file_line_column_key_and_the_choices() {
        for (text, expected) in [
            (
                "nmae = 'x'",
                "f.toml:1:1: `nmae`: unknown field `nmae`, expected `name` or `steps`; did you mean `name`?",
            ),
            (
                "name = 'x'\n[[steps]]\nid = 'a'\n[[steps]]\nid = 'b'\ncuont = 3\n",
                "f.toml:6:1: `steps[2].cuont`: unknown field `cuont`, expected `id` or `count`; did you mean `count`?",
            ),
            (
                "name = 'x'\n[[steps]]\nid = 'a'\ncount = 'many'\n",
                "f.toml:4:9: `steps[1].count`: invalid type: string \"many\", expected u8",
            ),
            ("name = 'x'\n[[steps]]\ncount = 1\n", "f.toml:2:1: `steps[1]`: missing field `id`"),
            ("name = 'ünï' x", "f.toml:1:14: `name`: unexpected key or value, expected newline, `#`"),
        ] {
            let flaw = read::<Sample>("f.toml", text).unwrap_err();
            assert_eq!(flaw.to_string(), expected);
        }
    }

    #[test]
    fn a_rule_of_ours_is_shown_where_the_value_stands() {
        let text = "name = 'x'\n[[steps]]\nid = 'a'\n[[steps]]\nid = 'A b'\n";
        let complaint = name("A b", "id").unwrap_err().within(["steps".into(), 1.into()]);
        let flaw = locate("f.toml", text, &complaint);
        assert_eq!((flaw.line, flaw.column, flaw.key.as_str()), (5, 6, "steps[2].id"));
    }
}
