//! Which key of a Latin keyboard a letter of another alphabet stands on: single-letter commands work without switching the layout.
//!
//! The layouts are those of xkeyboard-config (`symbols/ru`, `symbols/ua`, `symbols/ir`), each beside the Latin one, row by row. Where a layout has the
//! ASCII letter itself under Shift (Persian: Shift+O is `]`), nothing can tell, and nothing is guessed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Pairs of rows: what is typed, and the Latin key under it.
const ROWS: &[(&str, &str)] = &[
    // Cyrillic, Russian.
    ("йцукенгшщзхъ", "qwertyuiop[]"),
    ("фывапролджэ", "asdfghjkl;'"),
    ("ячсмитьбюё", "zxcvbnm,.`"),
    ("ЙЦУКЕНГШЩЗХЪ", "QWERTYUIOP{}"),
    ("ФЫВАПРОЛДЖЭ", "ASDFGHJKL:\""),
    ("ЯЧСМИТЬБЮЁ", "ZXCVBNM<>~"),
    // Cyrillic, what Ukrainian has in other places.
    ("іїєІЇЄ", "s]'S}\""),
    // Persian.
    ("ضصثقفغعهخحجچ", "qwertyuiop[]"),
    ("شسیبلاتنمکگ", "asdfghjkl;'"),
    ("ظطزرذدپو", "zxcvbnm,"),
    ("\u{652}\u{64c}\u{64d}\u{64b}\u{64f}\u{650}\u{64e}\u{651}", "QWERTYUI"),
    ("ؤئيإأآة»«؛", "ASDFGHJKL\""),
    ("ك\u{653}ژ\u{670}\u{200c}\u{654}ء؟", "ZXCVBNM?"),
    ("۱۲۳۴۵۶۷۸۹۰", "1234567890"),
    ("١٢٣٤٥٦٧٨٩٠", "1234567890"),
];

/// The key as a Latin keyboard has it; one that a Latin keyboard has stays as it is.
pub(super) fn on_latin(key: KeyEvent) -> KeyEvent {
    let KeyCode::Char(typed) = key.code else { return key };
    if typed.is_ascii() {
        return key;
    }
    let pairs = ROWS.iter().flat_map(|(other, latin)| other.chars().zip(latin.chars()));
    match pairs.into_iter().find(|(other, _)| *other == typed) {
        Some((_, latin)) => KeyEvent { code: KeyCode::Char(latin), ..key },
        None => key,
    }
}

/// Whether a key is no letter of a text, whatever takes the letters.
pub(super) fn is_chord(key: KeyEvent) -> bool {
    key.modifiers.contains(KeyModifiers::CONTROL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_a_latin_key_under_each_letter_and_no_letter_twice() {
        let mut seen = std::collections::BTreeMap::new();
        for (other, latin) in ROWS {
            assert_eq!(other.chars().count(), latin.chars().count(), "{other}");
            assert!(latin.is_ascii(), "{latin}");
            for (letter, key) in other.chars().zip(latin.chars()) {
                assert!(!letter.is_ascii(), "{letter}");
                assert_eq!(*seen.entry(letter).or_insert(key), key, "{letter} stands on two keys");
            }
        }
    }

    /// The letter that a layout has on a Latin key.
    fn on(layout: std::ops::Range<usize>, key: char) -> Option<char> {
        let pairs = ROWS[layout].iter().flat_map(|(other, latin)| other.chars().zip(latin.chars()));
        pairs.into_iter().find(|(_, latin)| *latin == key).map(|(other, _)| other)
    }

    #[test]
    fn every_command_that_is_a_letter_answers_to_the_same_key_in_cyrillic_and_persian() {
        let names = crate::console::actions::all();
        let letters = names.iter().flat_map(|listed| listed.keys).filter_map(|key| {
            let mut letters = key.chars();
            letters.next().filter(|letter| letter.is_ascii_alphabetic() && letters.next().is_none())
        });
        for letter in letters {
            for (layout, unknown) in [(0..6, ""), (7..13, "OP")] {
                let typed = on(layout, letter);
                assert_eq!(typed.is_none(), unknown.contains(letter), "{letter} is {typed:?}");
                if let Some(typed) = typed {
                    let key = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
                    assert_eq!(on_latin(key(typed)), key(letter));
                }
            }
        }
    }
}
