//! What a typed line says: event times, kinds, and work that is handed to somebody.

use chrono::{DateTime, TimeDelta, Utc};

use super::CLOCK_GRACE;
use crate::incident::{Actor, NoteKind, TaskAssigned};
use crate::text::{CleanStr, CleanText};

/// What a line of the scribe says once its prefixes are read.
#[derive(Clone, Debug, PartialEq)]
pub struct ScribeLine {
    /// What kind of line.
    pub kind: NoteKind,
    /// When it happened, where the line says so.
    pub at: Option<DateTime<Utc>>,
    /// The rest.
    pub text: CleanText,
}

/// Reads `-5m text`, `14:10 text`, `decision text`, or both prefixes in either order. A time of day is the last one before `now` in the zone.
pub fn scribe_line(line: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> ScribeLine {
    let (mut kind, mut at, mut rest) = (None, None, line.trim_end());
    loop {
        let trimmed = rest.trim_start();
        let (word, after) = trimmed.split_once([' ', '\n']).unwrap_or((trimmed, ""));
        if at.is_none()
            && let Some(time) = event_time(word, now, zone)
            && !after.trim().is_empty()
        {
            (at, rest) = (Some(time), after);
        } else if kind.is_none()
            && let Some(found) = note_kind(word)
            && !after.trim().is_empty()
        {
            (kind, rest) = (Some(found), after);
        } else {
            break;
        }
    }
    ScribeLine { kind: kind.unwrap_or_default(), at, text: CleanText::new(rest.trim_start()) }
}

fn note_kind(word: &str) -> Option<NoteKind> {
    // A bare word could be the beginning of a sentence ("note that …"), so a kind ends with a colon; CAN is one only in capitals.
    let word = word.strip_suffix(':')?;
    NoteKind::ALL.into_iter().find(|kind| word.eq_ignore_ascii_case(kind.word()))
}

/// Reads `-5m`, `-90s`, `-1h` or `14:10[:30]`.
pub fn event_time(word: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    if let Some(back) = word.strip_prefix('-') {
        let unit = back.chars().next_back()?;
        let amount: i64 =
            back[..back.len() - unit.len_utf8()].parse().ok().filter(|amount| (0..=10_000).contains(amount))?;
        let by = match unit {
            's' => TimeDelta::seconds(amount),
            'm' => TimeDelta::minutes(amount),
            'h' => TimeDelta::hours(amount),
            _ => return None,
        };
        return Some(now - by);
    }
    let time = ["%H:%M", "%H:%M:%S"].into_iter().find_map(|form| chrono::NaiveTime::parse_from_str(word, form).ok())?;
    let today = now.with_timezone(&zone).date_naive();
    [today, today.pred_opt()?]
        .into_iter()
        .map(|day| day.and_time(time).and_local_timezone(zone))
        // In the hour that summer time repeats, the later one of the two that have been.
        .flat_map(|moment| [moment.latest(), moment.earliest()].into_iter().flatten())
        .map(|moment| moment.with_timezone(&Utc))
        .find(|moment| *moment <= now + CLOCK_GRACE)
}

/// Reads `@dana check p99 of the gateway 5m`: to whom, what, and when they call back. Nothing where the line does not begin with `@name`.
pub fn assignment(line: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> Option<Result<TaskAssigned, String>> {
    let (name, rest) = line.trim().strip_prefix('@')?.split_once(char::is_whitespace)?;
    if name.is_empty() {
        return None;
    }
    let without = || Err("say when they call back, at the end: @dana check p99 5m".to_owned());
    let Some((what, word)) = rest.trim().rsplit_once(char::is_whitespace) else { return Some(without()) };
    let after = word.strip_suffix(['m', 'h']).and_then(|number| number.parse::<i64>().ok());
    let after = after.map(|number| number.saturating_mul(if word.ends_with('h') { 60 } else { 1 }));
    if after.is_some_and(|minutes| minutes > 1440) {
        return Some(Err("a call-back is within a day: write 24h or less, or make it a follow-up".to_owned()));
    }
    let after = after.map(|minutes| TimeDelta::minutes(minutes.max(0)));
    let call_back = match after {
        Some(after) => Some(now + after),
        None => event_time(word, now + TimeDelta::hours(24), zone).filter(|at| *at > now && !word.starts_with('-')),
    };
    Some(match call_back {
        Some(call_back) => Ok(TaskAssigned { to: Actor::new(name), what: CleanStr::new(what), call_back }),
        None => without(),
    })
}
