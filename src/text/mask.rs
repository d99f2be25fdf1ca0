//! Masks what must not be in a record: card numbers, tokens, passwords, known secrets.
//!
//! Hides what counts as one. A mask errs to the side of hiding: a word after `password=` is hidden, whatever it is.
//!
//! Invariant: masking twice changes nothing more; it never fails, and takes time in proportion to the text.

use super::{digit, is_invisible};

/// What stands in the place of a secret.
const SECRET: &str = "[secret]";
/// A secret by value that is shorter would hide half of every text.
const SHORTEST: usize = 6;
/// A line that does not end is let go in pieces of this size, in bytes …
const PIECE: usize = 8 * 1024;
/// … of which the end stays behind, so that nothing is cut in two.
const OVERLAP: usize = 256;

/// What is masked: patterns always, and these values.
#[derive(Clone, Debug, Default)]
pub struct Mask {
    values: Vec<String>,
}

impl Mask {
    /// A mask that knows some secrets by their value; the longest is hidden first.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.trim().len() >= SHORTEST).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self { values }
    }

    /// A text without what must not be in a record.
    pub fn mask(&self, text: &str) -> String {
        let text = self.hide_values(text.to_owned());
        let mut in_key = false;
        let lines: Vec<String> = text.split('\n').map(|line| mask_line(line, &mut in_key)).collect();
        lines.join("\n")
    }

    fn hide_values(&self, mut text: String) -> String {
        for value in &self.values {
            if text.contains(value.as_str()) {
                text = text.replace(value.as_str(), SECRET);
            }
        }
        text
    }
}

fn mask_line(line: &str, in_key: &mut bool) -> String {
    if line.contains("-----BEGIN ") && line.contains("PRIVATE KEY") {
        *in_key = !line.contains("-----END ");
        return "[private key]".to_owned();
    }
    if *in_key {
        *in_key = !line.contains("-----END ");
        return if *in_key { "[private key]".to_owned() } else { "[end of private key]".to_owned() };
    }
    cards(&words(line))
}

/// What the word before says about the next one.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    /// `password`: a `:` or `=` may follow.
    Key,
    /// `password:`, `token =`: the next word is the secret.
    Secret,
    /// `Bearer`: the next word is a token if it looks like one.
    Scheme,
}

fn is_delimiter(letter: char) -> bool {
    letter.is_whitespace() || "\"'`,;&|()<>{}".contains(letter)
}

fn words(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut before = Before::Nothing;
    for piece in line.split_inclusive(is_delimiter) {
        let end = piece.chars().next_back().filter(|letter| is_delimiter(*letter));
        let word = &piece[..piece.len() - end.map_or(0, char::len_utf8)];
        if !word.is_empty() {
            let (masked, then) = mask_word(word, before);
            out.push_str(&masked);
            before = then;
        }
        out.extend(end);
    }
    out
}

fn mask_word(word: &str, before: Before) -> (String, Before) {
    if word == SECRET {
        return (word.to_owned(), Before::Nothing);
    }
    let is_scheme = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
    match before {
        Before::Key if matches!(word, ":" | "=" | "=>") => return (word.to_owned(), Before::Secret),
        Before::Secret if is_scheme => return (word.to_owned(), Before::Secret),
        Before::Secret => return (SECRET.to_owned(), Before::Nothing),
        Before::Scheme if word.len() >= 16 => return (SECRET.to_owned(), Before::Nothing),
        Before::Key | Before::Scheme | Before::Nothing => {}
    }
    if is_scheme {
        return (word.to_owned(), Before::Scheme);
    }
    if is_token(word) {
        return (SECRET.to_owned(), Before::Nothing);
    }
    if let Some((scheme, rest)) = word.split_once("://")
        && let Some((who, host)) = rest.split_once('@')
        && who.contains(':')
        && !who.contains('/')
    {
        return (format!("{scheme}://{SECRET}@{host}"), Before::Nothing);
    }
    if let Some(place) = word.find(['=', ':']) {
        let (key, value) = (&word[..place], &word[place + 1..]);
        if is_key(key) {
            let sign = &word[place..=place];
            return match value {
                "" => (word.to_owned(), Before::Secret),
                _ if value == SECRET => (word.to_owned(), Before::Nothing),
                _ => (format!("{key}{sign}{SECRET}"), Before::Nothing),
            };
        }
        // A token inside a longer word: `url=ghp_…`.
        if is_token(value) {
            return (format!("{}{SECRET}", &word[..=place]), Before::Nothing);
        }
    }
    (word.to_owned(), if is_key(word) { Before::Key } else { Before::Nothing })
}

fn is_key(word: &str) -> bool {
    const KEYS: [&str; 11] = [
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "apikey",
        "api_key",
        "api-key",
        "authorization",
        "access_key",
        "private_key",
    ];
    let lower = word.trim_start_matches('-').to_ascii_lowercase();
    KEYS.iter().any(|key| lower.ends_with(key))
}

/// Whether a word looks like a credential by itself.
fn is_token(word: &str) -> bool {
    let is_code = |rest: &str, least: usize| {
        rest.len() >= least && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    const PREFIXES: [(&str, usize); 12] = [
        ("AKIA", 16),
        ("ASIA", 16),
        ("ghp_", 20),
        ("gho_", 20),
        ("ghs_", 20),
        ("github_pat_", 20),
        ("xoxb-", 10),
        ("xoxp-", 10),
        ("xoxa-", 10),
        ("xoxs-", 10),
        ("glpat-", 16),
        ("sk_live_", 10),
    ];
    if PREFIXES.iter().any(|(prefix, least)| word.strip_prefix(prefix).is_some_and(|rest| is_code(rest, *least))) {
        return true;
    }
    // A JSON web token: three parts, of which the first two begin like encoded JSON.
    let mut parts = word.split('.');
    let (first, second, third) = (parts.next(), parts.next(), parts.next());
    let begins = |part: Option<&str>| part.is_some_and(|part| part.starts_with("eyJ") && is_code(part, 10));
    begins(first) && begins(second) && third.is_some_and(|part| is_code(part, 4))
}

/// Hides numbers of 13 to 19 digits whose check digit is right, but for the last four.
fn cards(line: &str) -> String {
    if line.chars().filter(|letter| digit(*letter).is_some()).count() < 13 {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let (mut place, mut copied, mut before) = (0, 0, ' ');
    while let Some(letter) = line[place..].chars().next() {
        if digit(letter).is_none() || before.is_alphanumeric() {
            (place, before) = (place + letter.len_utf8(), letter);
            continue;
        }
        let (end, digits) = number(line, place);
        before = '0';
        if (13..=19).contains(&digits.len()) && passes_luhn(&digits) {
            out.push_str(&line[copied..place]);
            out.push_str("[card …");
            out.extend(digits[digits.len() - 4..].iter().map(ToString::to_string));
            out.push(']');
            copied = end;
        }
        place = end;
    }
    out.push_str(&line[copied..]);
    out
}

/// A run of digits of any script with single blanks or dashes, or what nobody sees, between them: where it ends, and the digits.
fn number(line: &str, from: usize) -> (usize, Vec<u32>) {
    let (mut digits, mut end, mut is_parted) = (Vec::new(), from, false);
    for (at, letter) in line[from..].char_indices() {
        match digit(letter) {
            Some(value) => {
                digits.push(value);
                (end, is_parted) = (from + at + letter.len_utf8(), false);
            }
            None if is_invisible(letter) => {}
            None if !is_parted && matches!(letter, ' ' | '-' | '\u{a0}' | '\u{202f}') => is_parted = true,
            None => break,
        }
    }
    (end, digits)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, *digit * 2) {
            (0, double) => double / 2,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// Masks bytes that come in pieces: whole lines, and pieces of a line that does not end.
#[derive(Debug)]
pub struct MaskedLines {
    mask: Mask,
    waiting: Vec<u8>,
    in_key: bool,
}

impl MaskedLines {
    /// Masks what is pushed from now on.
    pub fn new(mask: Mask) -> Self {
        Self { mask, waiting: Vec::new(), in_key: false }
    }

    /// Takes a piece; gives what can be shown by now.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.waiting.extend_from_slice(bytes);
        let end = match self.waiting.iter().rposition(|byte| *byte == b'\n') {
            Some(place) => place + 1,
            None if self.waiting.len() > PIECE => {
                let most = self.waiting.len() - OVERLAP;
                let is_end = |byte: &u8| byte.is_ascii_whitespace();
                self.waiting[..most].iter().rposition(is_end).map_or(most, |place| place + 1)
            }
            None => return String::new(),
        };
        let rest = self.waiting.split_off(end);
        let whole = std::mem::replace(&mut self.waiting, rest);
        self.show(&whole)
    }

    /// What is left, at the end.
    pub fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.waiting);
        self.show(&rest)
    }

    fn show(&mut self, bytes: &[u8]) -> String {
        let text = self.mask.hide_values(String::from_utf8_lossy(bytes).into_owned());
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| match line {
                "" => String::new(),
                _ => mask_line(line, &mut self.in_key),
            })
            .collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests;
