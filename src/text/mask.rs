//! Masks what must not be in a record: card numbers, tokens, passwords, known secrets.
//!
//! Hides what counts as one: `rules` by their shape, `named` by the name before them, `card` numbers, and what this process knows by value. A mask
//! errs to the side of hiding: a word after `password=` is hidden, whatever it is.
//!
//! Invariant: masking twice changes nothing more; it never fails, and takes time in proportion to the text.

mod card;
mod named;
mod rules;

use aho_corasick::AhoCorasick;

use super::sequence;

/// What stands in the place of a secret.
const SECRET: &str = "[secret]";
/// What stands in the place of a private key.
const KEY: &str = "[private key]";
/// A secret by value that is shorter would hide half of every text.
const SHORTEST: usize = 6;
/// A line that does not end is let go in pieces of this size, in bytes …
const PIECE: usize = 8 * 1024;
/// … of which the end stays behind, so that nothing is cut in two.
const OVERLAP: usize = 256;

/// What is masked: patterns always, and these values.
#[derive(Clone, Default)]
pub struct Mask {
    values: std::sync::Arc<[String]>,
    /// Finds all of them in one walk over a text, however many they are.
    finder: Option<AhoCorasick>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Mask({} secrets)", self.values.len())
    }
}

impl Mask {
    /// A mask that knows some secrets by their value; the longest is hidden first.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.trim().len() >= SHORTEST).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        // The automaton fails to build beyond four billion states only; then each value is looked for by itself.
        let finder = if values.is_empty() { None } else { AhoCorasick::new(&values).ok() };
        Self { values: values.into(), finder }
    }

    /// A mask that knows one more secret, in the spellings in which it travels: as it is, in a URL, in JSON, and in Base64.
    #[must_use]
    pub fn with(&self, secret: &str) -> Self {
        use base64::Engine as _;
        let secret = secret.trim();
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
        let escape = |byte: u8| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        let in_url: String = secret.bytes().map(escape).collect();
        let in_json = secret.replace('\\', "\\\\").replace('"', "\\\"").replace('/', "\\/");
        let encoded = base64::engine::general_purpose::STANDARD.encode(secret);
        let new = [secret.to_owned(), in_url, in_json, encoded].into_iter().filter(|_| secret.len() >= SHORTEST);
        Self::new(self.values.iter().cloned().chain(new))
    }

    /// What is known by value.
    pub(crate) fn values(&self) -> &[String] {
        &self.values
    }

    /// Makes the rules ready: some 10 ms that the first line should not wait for.
    pub fn prepare() {
        rules::prepare();
        named::prepare();
    }

    /// A text without what must not be in a record.
    pub fn mask(&self, text: &str) -> String {
        self.hide(text, &mut false)
    }

    /// A text that somebody still types, without what more digits could make a card number of: until it is whole nobody can tell.
    pub fn mask_unfinished(&self, text: &str) -> String {
        self.mask(&text[..card::open_end(text).unwrap_or(text.len())])
    }

    /// What a text became by masking, where a person is to give it again.
    pub fn has_hidden(masked: &str) -> bool {
        [SECRET, KEY, "[card …"].iter().any(|mark| masked.contains(mark))
    }

    fn hide(&self, text: &str, in_key: &mut bool) -> String {
        self.hide_bare(bare(text), in_key)
    }

    /// Hides what is secret in a text without sequences.
    fn hide_bare(&self, text: String, in_key: &mut bool) -> String {
        let text = self.hide_values(text);
        let lines: Vec<String> = text.split('\n').map(|line| mask_keys(line, in_key)).collect();
        card::hide(&named::hide(&rules::hide(lines.join("\n"))))
    }

    fn hide_values(&self, mut text: String) -> String {
        let Some(finder) = &self.finder else {
            for value in self.values.iter() {
                text = text.replace(value.as_str(), SECRET);
            }
            return text;
        };
        // Secrets that share letters are one stretch: nothing of either stays.
        let mut stretches: Vec<std::ops::Range<usize>> = Vec::new();
        for found in finder.find_overlapping_iter(&text) {
            let mut range = found.range();
            while let Some(before) = stretches.pop_if(|before| before.end > range.start) {
                range.start = range.start.min(before.start);
            }
            stretches.push(range);
        }
        for stretch in stretches.into_iter().rev() {
            text.replace_range(stretch, SECRET);
        }
        text
    }
}

/// Where card numbers stand in a text, each with its last four digits.
pub fn cards(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    card::find(text)
}

/// Hides private keys, which go over many lines.
fn mask_keys(line: &str, in_key: &mut bool) -> String {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    if *in_key {
        let Some((_, rest)) = line.split_once(END) else { return KEY.to_owned() };
        *in_key = false;
        let after = rest.split_once("-----").map_or("", |(_, after)| after);
        return format!("[end of private key]{}", mask_keys(after, in_key));
    }
    let begin = line.match_indices(BEGIN).map(|(place, _)| place).find(|place| is_private(&line[*place..]));
    let Some(place) = begin else { return line.to_owned() };
    let (head, body) = line.split_at(place);
    match body.split_once(END) {
        Some((_, rest)) => {
            let after = rest.split_once("-----").map_or("", |(_, after)| after);
            format!("{head}{KEY}{}", mask_keys(after, in_key))
        }
        None => {
            *in_key = true;
            format!("{head}{KEY}")
        }
    }
}

/// Whether a PEM heading is that of a private key: `-----BEGIN EC PRIVATE KEY-----`.
fn is_private(heading: &str) -> bool {
    let title = heading.trim_start_matches('-').split("-----").next().unwrap_or_default();
    title.contains("PRIVATE KEY")
}

/// A text without the sequences by which a program colours its output or moves the cursor: a secret behind one is a secret.
fn bare(text: &str) -> String {
    sequence::cleaned(text, Some)
}

/// Masks bytes that come in pieces: whole lines, states of a meter, and pieces of a line that does not end.
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
        // A meter ends each of its states with CR; one that ends the piece may belong to a line's end.
        let is_end =
            |pair: &[u8]| pair[0] == b'\n' || pair[0] == b'\r' && pair.get(1).is_some_and(|next| *next != b'\n');
        let ends = (0..self.waiting.len()).rev().find(|place| is_end(&self.waiting[*place..]));
        let end = match ends {
            Some(place) => place + 1,
            None if self.waiting.len() > PIECE => {
                let most = self.waiting.len() - OVERLAP;
                let is_end = |byte: &u8| byte.is_ascii_whitespace();
                self.waiting[..most].iter().rposition(is_end).map_or(most, |place| place + 1)
            }
            None => return String::new(),
        };
        let end = held_back(&self.waiting, end);
        let rest = self.waiting.split_off(end);
        let whole = std::mem::replace(&mut self.waiting, rest);
        self.show(&whole)
    }

    /// What is left, at the end.
    pub fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.waiting);
        self.show(&rest)
    }

    /// A line in which nothing is hidden keeps what moves the cursor in it, for [`crate::text::printed`]; one with a
    /// secret is its words alone.
    fn show(&mut self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let bare = bare(&text);
        let masked = self.mask.hide_bare(bare.clone(), &mut self.in_key);
        if bare.len() == text.len() || masked.matches('\n').count() != bare.matches('\n').count() {
            return masked;
        }
        let lines = text.split('\n').zip(bare.split('\n')).zip(masked.split('\n'));
        let lines = lines.map(
            |((raw, bare), masked)| {
                if bare == masked { sequence::with_moves(raw) } else { masked.to_owned() }
            },
        );
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Where a text is cut that goes on: not behind half a card number, nor between a name and the secret in the next line.
fn held_back(text: &[u8], end: usize) -> usize {
    // A cut before the name may fall into a number that ends in its line: until nothing is cut in two.
    let mut end = end;
    loop {
        let earlier = held_once(text, end);
        if earlier == end {
            return end;
        }
        end = earlier;
    }
}

fn held_once(text: &[u8], end: usize) -> usize {
    let mut from = end.saturating_sub(OVERLAP);
    while from < end && text[from] & 0xC0 == 0x80 {
        from += 1;
    }
    let Ok(tail) = std::str::from_utf8(&text[from..end]) else { return end };
    let line = tail.trim_end_matches('\n').rfind('\n').map_or(0, |place| place + 1);
    let name = named::is_open(&tail[line..]).then_some(line);
    let held = card::open_end(tail).into_iter().chain(name).min();
    match held {
        // What fills the whole piece is let go: nothing waits for ever.
        Some(place) if from + place > 0 || end < PIECE => from + place,
        Some(_) | None => end,
    }
}

#[cfg(test)]
mod tests;
