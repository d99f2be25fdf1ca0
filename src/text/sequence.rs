//! Takes control characters out of a text, and with them the terminal sequences that they begin.
//!
//! Hides the shapes of sequences (ECMA-48): `ESC [ 31 m`, `ESC ] 8 ; ; URL BEL`, `ESC ( B`. Of a sequence that does not end in its shape only the
//! control character goes: what was not for the terminal is text.
//!
//! Invariant: what stays is a subsequence of the text, letter by letter, but for those that the caller replaces.

/// A text without sequences, each letter as `keep` has it.
pub(super) fn cleaned(text: &str, keep: impl Fn(char) -> Option<char>) -> String {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '\u{1b}' => rest = after_escape(rest).unwrap_or(rest),
            '\u{9b}' => rest = after_csi(rest).unwrap_or(rest),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => rest = after_string(rest).unwrap_or(rest),
            letter => out.extend(keep(letter)),
        }
    }
    out
}

fn after_escape(rest: &str) -> Option<&str> {
    let first = rest.chars().next()?;
    match first {
        '[' => after_csi(&rest[1..]),
        ']' | 'P' | 'X' | '^' | '_' => after_string(&rest[1..]),
        // A charset (`ESC ( B`): what `tput sgr0` writes behind each colour.
        ' '..='/' => {
            let end = rest.trim_start_matches(|letter| matches!(letter, ' '..='/'));
            end.starts_with(|letter| matches!(letter, '0'..='~')).then(|| &end[1..])
        }
        _ => None,
    }
}

fn after_csi(rest: &str) -> Option<&str> {
    let parameters = rest.trim_start_matches(|letter| matches!(letter, '0'..='?'));
    let end = parameters.trim_start_matches(|letter| matches!(letter, ' '..='/'));
    end.starts_with(|letter| matches!(letter, '@'..='~')).then(|| &end[1..])
}

/// Behind a string of OSC and its like; it ends with BEL or ST, on the same line.
fn after_string(rest: &str) -> Option<&str> {
    for (at, letter) in rest.char_indices() {
        match letter {
            '\u{7}' | '\u{9c}' => return Some(&rest[at + letter.len_utf8()..]),
            '\u{1b}' => return rest[at + 1..].strip_prefix('\\'),
            // Whatever else controls a terminal does not stand in a string: this was none.
            letter if letter.is_control() => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::text::{CleanStr, CleanText};

    #[test]
    fn terminal_sequences_go_whole_and_what_is_no_sequence_stays() {
        for (dirty, clean) in [
            ("\u{1b}[31mERROR\u{1b}[0m db", "ERROR db"),
            ("\u{1b}[1;38;5;208mslow\u{1b}(B\u{1b}[m", "slow"),
            ("\u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\ end", "link end"),
            ("\u{9b}31mred\u{7}", "red"),
            ("\u{1b}Pq#0\u{1b}\\x", "x"),
            ("\u{1b}[31é and text", "[31é and text"),
            ("\u{1b}]0;never ends", "]0;never ends"),
            ("a\u{1b}b\u{0}c\u{7f}", "abc"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(CleanStr::new(dirty).as_str(), clean, "{dirty:?}");
        }
        assert_eq!(CleanText::new("\u{1b}]0;open\nnext line\u{7}").as_str(), "]0;open\nnext line");
    }

    #[test]
    fn megabytes_of_beginnings_take_no_time() {
        let text = "\u{1b}]".repeat(50_000);
        assert_eq!(CleanText::new(&text).len(), 50_000);
    }
}
