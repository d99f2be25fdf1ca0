//! What a typed line says: event times, kinds, and work that is handed to somebody.

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::when::{self, Leading, Side, When};
use crate::incident::{Actor, NoteKind, TaskAssigned};
use crate::oncall::Roster;
use crate::text::{CleanStr, CleanText, bare, digit};

/// What a line of the scribe says once its prefixes are read.
#[derive(Clone, Debug, PartialEq)]
pub struct ScribeLine {
    /// What kind of line.
    pub kind: NoteKind,
    /// When it happened, where the line says so.
    pub at: Option<DateTime<Utc>>,
    /// How that time was understood.
    pub when: Option<When>,
    /// The rest.
    pub text: CleanText,
    /// Why what looks like its time is none, and what to write; the text has it then.
    pub doubt: Option<String>,
}

/// Reads `-5m text`, `14:10 text`, `yesterday 23:50 text`, `decision: text`, or both prefixes in either order. A time of day is the last one before `now`
/// in the zone: see [`when::leading`].
pub fn scribe_line(line: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> ScribeLine {
    scribe_line_since(line, now, now, zone)
}

/// The same for a line whose typing began earlier, perhaps in a console that is gone: its time is read as it was meant then, and where that cannot be,
/// as it is meant now.
pub fn scribe_line_since(line: &str, began: DateTime<Utc>, now: DateTime<Utc>, zone: chrono_tz::Tz) -> ScribeLine {
    let (mut kind, mut when, mut doubt, mut rest) = (None, None, None, line.trim_end());
    loop {
        let trimmed = rest.trim_start();
        let (word, after) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
        let word = bare(word);
        if when.is_none() {
            let then = when::leading(trimmed, began, zone);
            let is_then = began == now || matches!(then, Leading::Time(..));
            match if is_then { then } else { when::leading(trimmed, now, zone) } {
                Leading::Time(time, end) if !trimmed[end..].trim().is_empty() => {
                    (when, rest) = (Some(time), &trimmed[end..]);
                    continue;
                }
                Leading::Doubt(why) => {
                    doubt = Some(why);
                    break;
                }
                Leading::Time(..) | Leading::None => {}
            }
        }
        match note_kind(word).filter(|_| kind.is_none() && !after.trim().is_empty()) {
            Some(found) => (kind, rest) = (Some(found), after),
            None => break,
        }
    }
    // A line break behind the time goes with it; what the first line is indented by is the text's.
    let text = CleanText::new(rest.trim_start());
    ScribeLine { kind: kind.unwrap_or_default(), at: when.as_ref().map(|when| when.at), when, text, doubt }
}

fn note_kind(word: &str) -> Option<NoteKind> {
    // A bare word could be the beginning of a sentence ("note that …"), so a kind ends with a colon; CAN is one only in capitals.
    let word = word.strip_suffix(':')?;
    NoteKind::ALL.into_iter().find(|kind| word.eq_ignore_ascii_case(kind.word()))
}

/// Reads `@dana check p99 of the gateway 5m`, `@"Omid Karimi" …`: to whom, what, and when they call back. Nothing where the line does not begin with `@name`.
pub fn assignment(
    line: &str,
    now: DateTime<Utc>,
    zone: chrono_tz::Tz,
    roster: &Roster,
) -> Option<Result<TaskAssigned, String>> {
    let (name, rest) =
        roster.split(line.trim().strip_prefix('@').filter(|rest| !rest.starts_with(char::is_whitespace))?);
    if name.is_empty() || rest.is_empty() {
        return None;
    }
    let without = || Err("say when they call back, at the end: @dana check p99 5m".to_owned());
    let rest = rest.trim();
    // `tomorrow 09:00` and `10:30 CET` are two words.
    let (mut what, mut call_back) = (rest, Err(None));
    for (space, _) in rest.char_indices().rev().filter(|(_, letter)| letter.is_whitespace()).take(2) {
        let word = rest[space..].trim();
        match when::read(word, now, zone, Side::Coming) {
            Ok(when) => (what, call_back) = (rest[..space].trim_end(), Ok(when.at)),
            Err(why) if call_back.is_err() && word.contains(|letter| digit(letter).is_some()) => {
                call_back = Err(Some(why))
            }
            Err(_) => {}
        }
    }
    Some(match call_back {
        Ok(at) if at > now + TimeDelta::hours(24) => {
            Err("a call-back is within a day: write 24h or less, or make it a follow-up".to_owned())
        }
        Ok(call_back) if !what.is_empty() => {
            Ok(TaskAssigned { to: Actor::new(name), what: CleanStr::new(what), call_back })
        }
        Ok(_) | Err(None) => without(),
        Err(Some(why)) => Err(format!("when do they call back? {why}")),
    })
}
