//! Words of people inside a Markdown document.
//!
//! Hides which letters Markdown would read as its own.
//!
//! Invariant: escaped text stays one paragraph of plain words, wherever in a line or a table it stands.

/// The text with every letter that Markdown would take for its own made harmless. Addresses stay as they are, as links.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('\n', " ");
    let words: Vec<_> =
        text.split(' ').map(|word| if is_address(word) { format!("<{word}>") } else { escape_word(word) }).collect();
    let mut out = words.join(" ");
    // What begins a list, a heading or an underline only does so at the beginning of a line.
    let digits = out.bytes().take_while(u8::is_ascii_digit).count();
    match out.as_bytes().get(digits) {
        Some(b'-' | b'+' | b'=') if digits == 0 => out.insert(0, '\\'),
        Some(b'.' | b')') if digits > 0 => out.insert(digits, '\\'),
        Some(_) | None => {}
    }
    out
}

/// An address as a link, where it is one; else as words.
pub(super) fn link(address: &str) -> String {
    if is_address(address) { format!("<{address}>") } else { escape(address) }
}

fn escape_word(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    for letter in word.chars() {
        let is_markup =
            matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '#' | '&' | '$' | '!');
        if is_markup {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn is_address(word: &str) -> bool {
    let rest = ["http://", "https://"].iter().find_map(|scheme| word.strip_prefix(scheme));
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/?#@%+,;=&".contains(letter);
    rest.is_some_and(|rest| rest.len() > 2 && rest.chars().all(is_plain))
}
