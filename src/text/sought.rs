//! Texts as they are compared by somebody who looks for one.
//!
//! Hides how many ways there are to write a letter: small or capital, accents composed or combining or left out, full
//! width, presentation forms and ligatures (NFKD of Unicode), what Arabic and Persian keyboards give for one letter,
//! joiners, the digits of other scripts, blanks that do not break.
//!
//! Invariant: two texts that are [`alike`] are [`folded`] alike too; both are for comparing, never for a screen or the
//! record.

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::screen::is_invisible;

/// A text for looking words up in: letter case and accents do not count, and what is written in several ways is written
/// in one.
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    in_one_form(text).filter(|letter| !is_accent(*letter)).flat_map(char::to_lowercase).flat_map(plain).collect()
}

/// A text for telling whether another one is the same: as [`folded`], but an accent makes another word.
pub fn alike(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    in_one_form(text).flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}

/// As [`folded`], but a capital letter stays one.
pub fn folded_cased(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    in_one_form(text).filter(|letter| !is_accent(*letter)).flat_map(plain).collect()
}

/// What somebody looks for in many texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sought(Vec<String>);

impl Sought {
    /// All the words, wherever they stand.
    pub fn words(asked: &str) -> Self {
        Self(folded(asked).split_whitespace().map(str::to_owned).collect())
    }

    /// The words as they follow each other.
    pub fn phrase(asked: &str) -> Self {
        Self(vec![folded(asked)].into_iter().filter(|words| !words.trim().is_empty()).collect())
    }

    /// Whether nothing is asked for.
    pub fn is_blank(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a text has all of it; any text has nothing.
    pub fn is_in(&self, text: &str) -> bool {
        let text = folded(text);
        self.0.iter().all(|words| text.contains(words))
    }
}

fn in_one_form(text: &str) -> impl Iterator<Item = char> {
    let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
    letters.filter(|letter| !is_invisible(*letter) && *letter != TATWEEL).map(one_form)
}

/// It draws an Arabic word longer, and says nothing.
const TATWEEL: char = '\u{640}';

/// What different keyboards give for one letter, digit or blank (the letters as in ICU's and Lucene's Persian
/// normalisation).
fn one_form(letter: char) -> char {
    match letter {
        'ي' | 'ى' | 'ے' => 'ی',
        'ك' => 'ک',
        'ہ' | 'ە' => 'ه',
        // The blanks that do not break have a compatibility form; those that are wide or narrow too.
        letter if letter.is_whitespace() && letter != '\n' => ' ',
        letter => super::digit(letter).and_then(|digit| char::from_digit(digit, 10)).unwrap_or(letter),
    }
}

/// Marks that a person leaves out: accents, and the vowel signs of Arabic and Hebrew. Vowels of Indic and Thai are
/// letters.
fn is_accent(letter: char) -> bool {
    matches!(u32::from(letter),
        0x300..=0x36F | 0x591..=0x5BD | 0x5BF | 0x5C1..=0x5C2 | 0x5C4..=0x5C5 | 0x5C7 | 0x610..=0x61A | 0x64B..=0x65F | 0x670
        | 0x6D6..=0x6DC | 0x6DF..=0x6E4 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Letters that Unicode does not take apart, as they are typed on a keyboard without them.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let (first, second) = match letter {
        'ß' => ('s', Some('s')),
        'ẞ' => ('S', Some('S')),
        'æ' => ('a', Some('e')),
        'Æ' => ('A', Some('E')),
        'œ' => ('o', Some('e')),
        'Œ' => ('O', Some('E')),
        'ø' => ('o', None),
        'Ø' => ('O', None),
        'ł' => ('l', None),
        'Ł' => ('L', None),
        'đ' => ('d', None),
        'Đ' => ('D', None),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        letter => (letter, None),
    };
    std::iter::once(first).chain(second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_in_several_ways_is_found_in_one() {
        for (one, other) in [
            ("می‌خواهم", "ميخواهم"),
            ("کاربر", "كاربر"),
            ("درگاه پرداخت ۱۲", "درگاه\u{a0}پرداخت 12"),
            ("الآن", "الان"),
            ("مُدير", "مدیر"),
            ("\u{fefb}", "لا"),
            ("P99 ١٢", "p99 12"),
            ("Zoë", "zoe\u{308}"),
            ("Zoë", "zoe"),
            ("Müller", "MULLER"),
            ("Straße", "STRASSE"),
            ("İzmir", "izmir"),
            ("ΟΔΟΣ", "οδος"),
            ("Ｇａｔｅｗａｙ", "gateway"),
            ("łódź", "lodz"),
            ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
            ("dana\u{202f}k", "Dana K"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert!(Sought::words("k12 درگاه").is_in("درگاه پرداخت K۱۲"));
        assert!(Sought::phrase("  ").is_blank() && Sought::words("").is_in("anything"));
        assert_ne!(folded("कि"), folded("क"), "a vowel is no accent");
    }

    #[test]
    fn an_accent_makes_another_name_and_the_way_of_writing_it_does_not() {
        assert_ne!(alike("Müller"), alike("Muller"));
        assert_eq!(alike("Müller"), alike("MU\u{308}LLER"));
        assert_eq!(alike("مهدي"), alike("مهدی"));
    }

    proptest! {
        #[test]
        fn what_is_alike_or_folded_stays_so(text in "\\PC*") {
            prop_assert_eq!(folded(&folded(&text)), folded(&text));
            prop_assert_eq!(folded(&alike(&text)), folded(&text));
            prop_assert!(Sought::phrase(&text).is_in(&text));
        }
    }
}
