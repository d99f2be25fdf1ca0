//! The words of a command line before clap reads them: `-5m` is a time, and no flag.
//!
//! Hides the mark that says so on the way through clap.
//!
//! Invariant: what stands behind `--`, and what belongs to a flag, is left as it is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Stands before a word that is no flag; nobody types it.
const MARK: char = '\u{2}';

/// The words, with each that begins with a minus and a digit marked as one.
pub(super) fn shielded(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let (mut out, mut is_open): (Vec<OsString>, _) = (Vec::new(), true);
    for word in words {
        is_open &= word != "--";
        let is_of_flag = out.last().is_some_and(|before| before.as_bytes().starts_with(b"--"));
        let is_time = matches!(word.as_bytes(), [b'-', digit, ..] if digit.is_ascii_digit());
        out.push(if is_open && is_time && !is_of_flag { marked(&word) } else { word });
    }
    out
}

fn marked(word: &OsStr) -> OsString {
    let mut bytes = MARK.to_string().into_bytes();
    bytes.extend_from_slice(word.as_bytes());
    OsString::from_vec(bytes)
}

/// A word as it was typed.
pub(super) fn typed(word: &str) -> String {
    word.strip_prefix(MARK).unwrap_or(word).to_owned()
}

/// Words as they were typed, in one line.
pub(super) fn joined(words: &[String]) -> String {
    words.iter().map(|word| typed(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_no_flag_and_comes_out_as_it_was_typed() {
        let words = ["warroom", "impact-start", "-5m", "-i", "INC-1", "--at", "-5m", "--", "-5m"];
        let through = shielded(words.iter().map(OsString::from));
        assert_eq!(through[2], "\u{2}-5m");
        assert_eq!(through[6], "-5m", "it belongs to its flag");
        assert_eq!(through[8], "-5m", "it stands behind --");
        let back: Vec<String> = through.iter().map(|word| typed(&word.to_string_lossy())).collect();
        assert_eq!(back, words);
    }
}
