//! Card numbers in running text.
//!
//! Hides how a number is found: digits of any script, with up to three separators between them, that begin like an
//! issuer's cards, have one of that issuer's lengths, and whose check digit is right (ISO/IEC 7812). A number inside a
//! word (a hash, a trace id), a UUID, a list of addresses or an amount in groups of three is none.
//!
//! Invariant: what stays of a number is its last four digits.

use std::ops::Range;

use crate::text::{digit, is_harmful, is_invisible};

/// At most so many separators stand between two digits of one number: ` - ` is three.
const MOST_SEPARATORS: usize = 3;
const SHORTEST: usize = 12;
const LONGEST: usize = 19;

/// Who issues: first digits from, to, and the lengths; from the schemes' published ranges.
const ISSUERS: &[(&str, &str, std::ops::RangeInclusive<usize>)] = &[
    ("4", "4", 13..=19),       // Visa: 13, 16, 19
    ("51", "55", 16..=16),     // Mastercard
    ("2221", "2720", 16..=16), // Mastercard
    ("34", "34", 15..=15),     // American Express
    ("37", "37", 15..=15),     // American Express
    ("300", "305", 14..=19),   // Diners Club
    ("3095", "3095", 14..=19), // Diners Club
    ("36", "36", 14..=19),     // Diners Club
    ("38", "39", 14..=19),     // Diners Club
    ("3528", "3589", 16..=19), // JCB
    ("6011", "6011", 16..=19), // Discover
    ("644", "649", 16..=19),   // Discover
    ("65", "65", 16..=19),     // Discover, RuPay
    ("62", "62", 16..=19),     // UnionPay
    ("81", "82", 16..=19),     // UnionPay, RuPay
    ("2200", "2204", 16..=19), // Mir
    ("9792", "9792", 16..=16), // Troy
    ("50", "50", 12..=19),     // Maestro, RuPay, Verve, Shetab
    ("56", "58", 12..=19),     // Maestro, Shetab
    ("60", "60", 16..=19),     // RuPay, Shetab
    ("61", "61", 16..=19),     // Shetab
    ("63", "63", 12..=19),     // Maestro, Shetab
    ("67", "67", 12..=19),     // Maestro
    ("1946", "1946", 16..=16), // BankAxept, older Shetab
];

/// A digit, where it stands, and what stands before it.
#[derive(Clone, Copy)]
struct Digit {
    from: usize,
    to: usize,
    value: u32,
    /// Separators between this digit and the one before: none inside a group.
    gap: usize,
}

/// Where card numbers stand in a text, each with its last four digits.
pub(super) fn find(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    // Most lines hold no number that long; they are walked once.
    let digits = if text.is_ascii() {
        text.bytes().filter(u8::is_ascii_digit).count()
    } else {
        text.chars().filter(|letter| letter.is_numeric()).count()
    };
    if digits < SHORTEST {
        return found;
    }
    for run in runs(text) {
        let mut first = 0;
        while first < run.len() {
            let starts = first == 0 || run[first].gap > 0;
            match starts.then(|| longest(text, &run, first)).flatten() {
                Some(end) => {
                    let last = run[end - 4..end].iter().filter_map(|digit| char::from_digit(digit.value, 10));
                    found.push((run[first].from..run[end - 1].to, last.collect()));
                    first = end;
                }
                None => first += 1,
            }
        }
    }
    found
}

/// Hides card numbers but for their last four digits.
pub(super) fn hide(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (place, last) in find(text) {
        out.push_str(&text[copied..place.start]);
        out.push_str(&format!("[card …{last}]"));
        copied = place.end;
    }
    out.push_str(&text[copied..]);
    out
}

/// Where the digits at the end of a text begin that more digits could make a card number of; for texts that come in pieces.
pub(super) fn open_end(text: &str) -> Option<usize> {
    let last = runs(text).pop()?;
    let end = last.last()?.to;
    let rest = &text[end..];
    if rest.chars().filter(|letter| !is_ignorable(*letter)).count() > MOST_SEPARATORS || !rest.chars().all(is_separator)
    {
        return None;
    }
    let may_begin =
        |first: usize| (first == 0 || last[first].gap > 0) && last.len() - first < LONGEST && last.len() - first >= 4;
    let first = (0..last.len()).find(|first| may_begin(*first) && issuers(&last[*first..]).next().is_some())?;
    Some(last[first].from)
}

/// Runs of digits that may belong together; one that touches a letter has been left out up to its next gap.
fn runs(text: &str) -> Vec<Vec<Digit>> {
    let mut all: Vec<Vec<Digit>> = Vec::new();
    let mut run: Vec<Digit> = Vec::new();
    let (mut gap, mut before, mut is_barred) = (0, None, false);
    for (from, letter) in text.char_indices() {
        if is_ignorable(letter) {
            continue;
        }
        match digit(letter) {
            Some(value) => {
                let is_new = before.is_none_or(|letter| digit(letter).is_none());
                if is_new && run.is_empty() {
                    gap = 0;
                }
                is_barred = if is_new { touches_word(text, from, before) } else { is_barred };
                if is_barred {
                    flush(&mut run, &mut all);
                } else {
                    run.push(Digit { from, to: from + letter.len_utf8(), value, gap });
                }
                gap = 0;
            }
            None if is_separator(letter) && gap < MOST_SEPARATORS => gap += 1,
            None => {
                // `4111…x`: the group that touches a word is no number.
                if is_word(letter) && gap == 0 {
                    while run.pop().is_some_and(|digit| digit.gap == 0) {}
                }
                flush(&mut run, &mut all);
                gap = 0;
            }
        }
        before = Some(letter);
    }
    flush(&mut run, &mut all);
    all
}

fn flush(run: &mut Vec<Digit>, all: &mut Vec<Vec<Digit>>) {
    if !run.is_empty() {
        all.push(std::mem::take(run));
    }
}

/// The end of the longest card number that begins at a digit.
fn longest(text: &str, run: &[Digit], first: usize) -> Option<usize> {
    let rest = &run[first..];
    let most = rest.len().min(LONGEST);
    (SHORTEST..=most).rev().map(|length| first + length).find(|end| {
        let number = &run[first..*end];
        let is_end = *end == run.len() || run[*end].gap > 0;
        is_end
            && issuers(number).any(|lengths| lengths.contains(&number.len()))
            && passes_luhn(number)
            && !is_other(text, run, first, *end)
    })
}

fn issuers(number: &[Digit]) -> impl Iterator<Item = &'static std::ops::RangeInclusive<usize>> {
    let begins: String = number.iter().take(4).filter_map(|digit| char::from_digit(digit.value, 10)).collect();
    ISSUERS.iter().filter_map(move |(from, to, lengths)| {
        let head = begins.get(..from.len())?;
        (head >= *from && head <= *to).then_some(lengths)
    })
}

/// Whether digits in groups are something else: an amount, a list of addresses, a UUID, a date with a time.
fn is_other(text: &str, run: &[Digit], first: usize, end: usize) -> bool {
    let number = &run[first..end];
    let mut groups = vec![0_usize];
    for (place, digit) in number.iter().enumerate() {
        if place > 0 && digit.gap > 0 {
            groups.push(0);
        }
        *groups.last_mut().unwrap_or(&mut 0) += 1;
    }
    if groups.len() > 3 && groups[0] <= 3 && groups[1..].iter().all(|group| *group == 3) {
        return true;
    }
    let piece = &text[number[0].from..number[number.len() - 1].to];
    let is_address = piece.matches('.').count() >= 3 && groups.iter().all(|group| *group <= 3);
    let around = text[..number[0].from].len().saturating_sub(24);
    let around = (around..).find(|place| text.is_char_boundary(*place)).unwrap_or(0);
    let after = (number[number.len() - 1].to + 16).min(text.len());
    let after = (after..).find(|place| text.is_char_boundary(*place)).unwrap_or(text.len());
    is_address || in_uuid(&text[around..after]) || is_named_otherwise(&text[around..number[0].from])
}

/// Whether the word right before says that the number is an id of a trace, or a place in a log: as long as a card's.
fn is_named_otherwise(before: &str) -> bool {
    const NAMES: [&str; 8] = ["trace_id", "traceid", "trace", "span_id", "spanid", "span", "parent_id", "offset"];
    let word = before
        .trim_end_matches(|letter: char| letter.is_whitespace() || ":=#\"'".contains(letter))
        .to_ascii_lowercase();
    before.len() > word.len() && NAMES.iter().any(|name| word.ends_with(name))
}

/// Whether a piece of text holds 8-4-4-4-12 hexadecimal digits.
fn in_uuid(piece: &str) -> bool {
    let words = piece.split(|letter: char| !(letter.is_ascii_hexdigit() || letter == '-'));
    words.into_iter().any(|word| {
        let parts: Vec<&str> = word.split('-').collect();
        parts.windows(5).any(|five| five.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]))
    })
}

fn passes_luhn(number: &[Digit]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit.value * 2) {
            (0, double) => double / 2,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10) && number.iter().any(|digit| digit.value != number[0].value)
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '-' | '.' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '·' | '\u{FF0D}')
}

/// What no reader sees: it neither joins nor parts.
fn is_ignorable(letter: char) -> bool {
    !letter.is_whitespace() && (is_invisible(letter) || is_harmful(letter) || letter.is_control())
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether a group of digits goes on from a word; the rest of a colour code (`[31m`) is no word.
fn touches_word(text: &str, from: usize, before: Option<char>) -> bool {
    let Some(letter) = before.filter(|letter| letter.is_alphabetic()) else { return false };
    if letter != 'm' {
        return true;
    }
    let head = text[..from].trim_end_matches(is_ignorable).trim_end_matches('m');
    !head.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == ';').ends_with('[')
}
