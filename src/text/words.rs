//! The words of what somebody typed or pasted.
//!
//! Hides how many letters are blanks: a no-break space of a French or Persian keyboard, a wide one of a Chinese, a thin
//! one of a web page; and that a word may come with marks of direction around it, which nobody sees.
//!
//! Invariant: what is parsed goes through here; what is kept is kept as it was written.

/// Whether a letter stands between words: a blank of any width, breaking or not or none at all, or a mark of direction.
pub fn is_gap(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A text without blanks and marks of direction around it.
pub fn bare(text: &str) -> &str {
    text.trim_matches(is_gap)
}

/// The first word of a text, and the rest; both [`bare`].
pub fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(is_gap);
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (bare(word), bare(rest))
}

/// What stands before the last word of a text, and that word; both [`bare`]; nothing where there is a single word.
pub fn last_word(text: &str) -> Option<(&str, &str)> {
    let (before, word) = text.trim_end_matches(is_gap).rsplit_once(char::is_whitespace)?;
    Some((bare(before), bare(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_of_any_kind_ends_a_word_and_what_nobody_sees_belongs_to_none() {
        for blank in [' ', '\t', '\u{a0}', '\u{2007}', '\u{2009}', '\u{202f}', '\u{3000}'] {
            for mark in ["", "\u{200e}", "\u{200f}", "\u{feff}", "\u{200b}"] {
                let typed = format!("{mark}{blank}sev1{mark}{blank}{blank}card payments{mark}{blank}fail{blank}{mark}");
                let (word, rest) = first_word(&typed);
                assert_eq!(word, "sev1", "{typed:?}");
                assert_eq!(rest, format!("card payments{mark}{blank}fail"), "{typed:?}");
                assert_eq!(last_word(&typed).unwrap().1, "fail", "{typed:?}");
                assert_eq!(bare(&format!("{mark}{blank}go{blank}{mark}")), "go");
            }
        }
        assert_eq!(first_word("\u{a0}"), ("", ""));
        assert_eq!(
            first_word("می\u{200c}خواهم بروم"),
            ("می\u{200c}خواهم", "بروم"),
            "a joiner in a word is of the word"
        );
        assert_eq!(last_word("alone"), None);
        assert_eq!(bare("seen \u{26a0}\u{fe0f} "), "seen \u{26a0}\u{fe0f}", "a selector is of the letter before it");
    }
}
