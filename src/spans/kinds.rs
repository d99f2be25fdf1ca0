//! Kinds of error spans: rows that say the same of different orders, keys, numbers and addresses, put together.
//!
//! Hides the rule by which two texts are one kind ([`template`]): numbers, ids, addresses of hosts and of mail give way to `*`; a code stays, because
//! HTTP 502 is not HTTP 503.
//!
//! Invariant: a template of a template is the same template, and a kind keeps one whole text as it came.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{SpanOrder, SpanRow, Step, TraceId};
use crate::text::CleanStr;

/// Stands for what differs.
const ANY: char = '*';
/// The most kinds of consequences that a kind keeps.
const MOST_LED_TO: usize = 8;

/// Rows with the same service, and operations and errors of the same kind.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanGroup {
    /// Which service.
    pub service: CleanStr,
    /// Which operation, as a template.
    pub operation: CleanStr,
    /// What went wrong, as a template.
    pub error: CleanStr,
    /// What went wrong in the newest of them, whole.
    pub sample: CleanStr,
    /// How many.
    pub count: usize,
    /// How many requests.
    pub requests: usize,
    /// How many of all requests with an error that is.
    pub share: f64,
    /// How many of them failed after the request was answered.
    pub late: usize,
    /// How many a second, over the time that was searched.
    pub rate: f64,
    /// The longest.
    pub worst: TimeDelta,
    /// The middle one.
    pub median: TimeDelta,
    /// When the oldest began.
    pub oldest: DateTime<Utc>,
    /// When the newest began.
    pub newest: DateTime<Utc>,
    /// The newest one's trace, to open.
    pub example: TraceId,
    /// The way from the newest one up to what the user saw.
    pub way: Vec<Step>,
    /// What failed because of them, as templates, with how often; the most frequent first.
    pub led_to: Vec<(Step, usize)>,
}

impl SpanGroup {
    /// How often it was seen, in words.
    pub fn often(&self) -> String {
        if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) }
    }
}

/// Puts rows of one kind together; `lookback` is the time that was searched.
pub fn group(rows: &[SpanRow], lookback: TimeDelta, order: SpanOrder) -> Vec<SpanGroup> {
    let mut groups: BTreeMap<(&CleanStr, CleanStr, CleanStr), Vec<&SpanRow>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.service, operation(&row.operation), template(&row.error))).or_default().push(row);
    }
    let requests = |rows: &mut dyn Iterator<Item = &SpanRow>| rows.map(|row| &row.trace).collect::<BTreeSet<_>>().len();
    let all = requests(&mut rows.iter());
    let seconds = lookback.as_seconds_f64().max(1.0);
    let summed = |((service, operation, error), rows): ((&CleanStr, CleanStr, CleanStr), Vec<&SpanRow>)| {
        let newest = rows.iter().max_by_key(|row| (row.at, &row.trace))?;
        let mut durations: Vec<TimeDelta> = rows.iter().map(|row| row.duration).collect();
        durations.sort_unstable();
        let hurt = requests(&mut rows.iter().copied());
        Some(SpanGroup {
            service: service.clone(),
            operation,
            error,
            sample: newest.error.clone(),
            count: rows.len(),
            requests: hurt,
            share: hurt as f64 / all.max(1) as f64,
            late: rows.iter().filter(|row| row.is_late).count(),
            rate: rows.len() as f64 / seconds,
            worst: *durations.last()?,
            median: durations[(durations.len() - 1) / 2],
            oldest: rows.iter().map(|row| row.at).min()?,
            newest: newest.at,
            example: newest.trace.clone(),
            way: newest.way.clone(),
            led_to: led_to(&rows),
        })
    };
    let mut groups: Vec<SpanGroup> = groups.into_iter().filter_map(summed).collect();
    match order {
        SpanOrder::Count => {
            groups.sort_by_key(|group| (Reverse(group.requests), Reverse(group.count), Reverse(group.newest)))
        }
        SpanOrder::Newest => groups.sort_by_key(|group| (Reverse(group.newest), Reverse(group.count))),
    }
    groups
}

fn led_to(rows: &[&SpanRow]) -> Vec<(Step, usize)> {
    let mut counts: BTreeMap<Step, usize> = BTreeMap::new();
    for row in rows {
        let kinds = row.way.iter().chain(&row.beside).map(|step| Step {
            service: step.service.clone(),
            operation: operation(&step.operation),
            error: template(&step.error),
        });
        for kind in kinds.collect::<BTreeSet<_>>() {
            *counts.entry(kind).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    counts.truncate(MOST_LED_TO);
    counts
}

/// The kind of an operation: parts of a path that are ids give way.
pub fn operation(name: &CleanStr) -> CleanStr {
    if !name.contains('/') || !name.bytes().any(|byte| byte.is_ascii_digit()) {
        return name.clone();
    }
    let part = |part: &str| {
        let is_id = part.bytes().all(|byte| byte.is_ascii_digit()) || *template(part) == *ANY.to_string();
        if is_id && !part.is_empty() { ANY.to_string() } else { part.to_owned() }
    };
    CleanStr::new(&name.split('/').map(part).collect::<Vec<_>>().join("/"))
}

/// The kind of an error's text.
///
/// Read in runs of letters and digits. A run of digits is a number, and stays only behind a word that makes it a code (`CODES`); a run of both is an
/// id, unless it reads like a name (`psycopg2`, `db1`, `sha256`: letters and at most three digits; `250ms`: a number with its unit). Numbers and ids
/// that dots, colons and hyphens join are one (an address, a UUID, a time).
pub fn template(text: &str) -> CleanStr {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        if let Some(end) = uuid(&letters, at).or_else(|| mail(&letters, at)) {
            out.push(ANY);
            at = end;
            continue;
        }
        if !letters[at].is_ascii_alphanumeric() {
            out.push(letters[at]);
            at += 1;
            continue;
        }
        let end = run(&letters, at);
        match shape(&letters[at..end], &out) {
            Shape::Word => out.extend(&letters[at..end]),
            Shape::Any => out.push(ANY),
            Shape::Unit(digits) => {
                out.push(ANY);
                out.extend(&letters[at + digits..end]);
            }
        }
        at = end;
    }
    CleanStr::new(&joined(&out))
}

/// Behind these words a number is a code, and tells kinds apart.
const CODES: [&str; 9] = ["http", "status", "code", "errno", "error", "sqlstate", "ora", "grpc", "err"];

/// Behind these words a number of three digits is a status.
const ANSWERED: [&str; 4] = ["answered", "returned", "got", "response"];

/// What a run of letters and digits is.
enum Shape {
    Word,
    Any,
    /// A number of so many digits with its unit.
    Unit(usize),
}

fn shape(run: &[char], before: &str) -> Shape {
    let digits = run.iter().filter(|letter| letter.is_ascii_digit()).count();
    let leading = run.iter().take_while(|letter| letter.is_ascii_digit()).count();
    let tail: String = run[leading..].iter().collect();
    let units = [
        "ms", "us", "ns", "s", "m", "h", "d", "k", "b", "kb", "mb", "gb", "kib", "mib", "gib", "x", "th", "st", "nd",
        "rd",
    ];
    match (digits, leading) {
        (0, _) if run.len() >= 16 && run.iter().all(char::is_ascii_hexdigit) => Shape::Any,
        (0, _) => Shape::Word,
        (all, lead) if all == lead && lead == run.len() => {
            let word = before.trim_end_matches(|letter: char| !letter.is_ascii_alphanumeric() && letter != ANY);
            let start = word.rfind(|letter: char| !letter.is_ascii_alphanumeric()).map_or(0, |place| place + 1);
            let word = word[start..].to_ascii_lowercase();
            // `504 upstream did not answer` begins with a status, and so does what stands behind a colon.
            let begins = before.is_empty() || before.ends_with(": ") || ANSWERED.contains(&word.as_str());
            let is_status = begins && run.len() == 3 && matches!(run[0], '4' | '5');
            let is_code = is_status || run.len() <= 5 && CODES.contains(&word.as_str());
            if is_code { Shape::Word } else { Shape::Any }
        }
        (all, lead) if all == lead && units.contains(&tail.to_ascii_lowercase().as_str()) => Shape::Unit(lead),
        // Letters, then a few digits: a name.
        (all, 0) if all <= 3 && run[run.len() - all..].iter().all(char::is_ascii_digit) => Shape::Word,
        // k8s, e2e, i18n, OAuth2Error: too few digits for an id.
        (all, 0) if all <= 2 && (run.len() <= 4 || run.len() >= 8 && all == 1) => Shape::Word,
        _ => Shape::Any,
    }
}

fn run(letters: &[char], from: usize) -> usize {
    letters[from..].iter().position(|letter| !letter.is_ascii_alphanumeric()).map_or(letters.len(), |len| from + len)
}

fn uuid(letters: &[char], from: usize) -> Option<usize> {
    let mut at = from;
    for (place, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if place > 0 {
            (letters.get(at) == Some(&'-')).then_some(())?;
            at += 1;
        }
        let part = letters.get(at..at + length)?;
        part.iter().all(char::is_ascii_hexdigit).then_some(())?;
        at += length;
    }
    letters.get(at).is_none_or(|letter| !letter.is_ascii_alphanumeric()).then_some(at)
}

/// The end of an address of mail that begins here, at the beginning of a word.
fn mail(letters: &[char], from: usize) -> Option<usize> {
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || "._%+-".contains(*letter);
    let begins = letters[from].is_ascii_alphanumeric() && (from == 0 || !is_part(&letters[from - 1]));
    let name = letters[from..].iter().take_while(|letter| is_part(letter)).count();
    let host = from + name + 1;
    if !begins || name > 64 || letters.get(host - 1) != Some(&'@') {
        return None;
    }
    let length =
        letters[host..].iter().take_while(|letter| letter.is_ascii_alphanumeric() || ".-".contains(**letter)).count();
    let end =
        host + length - letters[host..host + length].iter().rev().take_while(|letter| ".-".contains(**letter)).count();
    letters[host..end].contains(&'.').then_some(end)
}

/// Several that are joined by nothing but signs become one.
fn joined(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        if letter != ANY {
            continue;
        }
        loop {
            let mut ahead = letters.clone();
            while ahead.next_if(|sign| ".:-_/,+".contains(*sign)).is_some() {}
            if ahead.next_if_eq(&ANY).is_none() {
                break;
            }
            letters = ahead;
        }
    }
    out
}
