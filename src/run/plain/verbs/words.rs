//! How the words behind a command are read: first words, fields, times, settings, names.
//!
//! Invariant: what cannot be read is quoted back with an example.

use chrono::{DateTime, Utc};

use super::super::Session;
use crate::console::overlay::{coming, past};
use crate::incident::when::{self, Leading, When};
use crate::incident::{Actor, Role};
use crate::text::{CleanStr, CleanText};

/// The first word, and what follows it.
pub(super) fn first_word(text: &str) -> (&str, &str) {
    crate::text::first_word(text)
}

/// The fields between bars; as many as are asked for, the ones that are missing empty.
pub(super) fn fields<const N: usize>(text: &str) -> [&str; N] {
    let mut parts = text.splitn(N, '|').map(str::trim);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// A text, if it says anything.
pub(super) fn given(text: &str) -> Option<CleanStr> {
    Some(CleanStr::new(text.trim())).filter(|text| !text.is_blank())
}

/// A person as they were written; whoever decides on the command finds out who that is.
pub(super) fn name(word: &str) -> Actor {
    Actor::new(word.trim().trim_start_matches('@'))
}

/// A role by its short name.
pub(super) fn role(word: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.short().eq_ignore_ascii_case(word))
}

/// A text of several lines: `\\n` stands for the end of one.
pub(super) fn lines(text: &str) -> CleanText {
    CleanText::new(text.replace("\\n", "\n").trim())
}

/// A time that was; how it was understood is said where that is not plain.
pub(super) fn time_before(session: &mut Session, word: &str, wall: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let word = if word.trim().is_empty() { "now" } else { word };
    let when = past(word, &session.cx(wall))?;
    Ok(understood(session, &when, wall))
}

/// The time that was with which a text begins, and what follows it.
pub(super) fn leading_time<'a>(
    session: &mut Session,
    text: &'a str,
    wall: DateTime<Utc>,
) -> Result<(DateTime<Utc>, &'a str), String> {
    let cx = session.cx(wall);
    match when::leading(text.trim_start(), cx.now, cx.zone) {
        Leading::Time(when, end) => Ok((understood(session, &when, wall), text.trim_start()[end..].trim())),
        Leading::Doubt(why) => Err(why),
        Leading::None => {
            let (word, rest) = first_word(text);
            Ok((time_before(session, word, wall)?, rest))
        }
    }
}

/// A time to come.
pub(super) fn time_to_come(session: &mut Session, word: &str, wall: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let when = coming(word, &session.cx(wall))?;
    Ok(understood(session, &when, wall))
}

/// Says how a time was understood: another day, another zone, an hour that comes twice.
pub(super) fn understood(session: &mut Session, when: &When, wall: DateTime<Utc>) -> DateTime<Utc> {
    let cx = session.console.view(wall);
    if when.is_telling(cx.now, cx.zone) {
        session.paper.line(&format!("understood: {}", when.words(cx.now, cx.zone)));
    }
    when.at
}

/// `key=value` pairs: words without a key belong to the value before them; what stands before the first key comes first.
pub(super) fn settings<'a>(text: &'a str, keys: &[&'static str]) -> (String, Vec<(&'static str, String)>) {
    let mut before: Vec<&'a str> = Vec::new();
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for word in text.split_whitespace() {
        let pair = word.split_once('=').and_then(|(key, value)| {
            let key = keys.iter().find(|known| known.eq_ignore_ascii_case(key))?;
            Some((*key, value))
        });
        match (pair, found.last_mut()) {
            (Some((key, value)), _) => found.push((key, value.to_owned())),
            (None, Some((_, value))) => {
                value.push(' ');
                value.push_str(word);
            }
            (None, None) => before.push(word),
        }
    }
    (before.join(" "), found)
}
