//! What a screen shows of a text, and how many columns that takes.
//!
//! Hides what terminals disagree about. They agree on letters with up to a handful of marks, and on non-joiners between
//! letters, which take no room. They do not on emoji that are joined into one (two columns or eight), on variation
//! selectors, and on joiners (tmux puts the letter that it is given next, wherever that belongs, into the cell of a
//! joiner): the parts are shown side by side, selectors and joiners not at all. What would turn a line around, hide
//! words in it, or grow out of its row is replaced by [`MARK`].
//!
//! Invariant: what is shown holds no control character but line breaks, no override, tag or variation selector, and no cluster above
//! [`CLUSTER_CHARS`] letters or [`CLUSTER_BYTES`] bytes; what is shown of it is itself; [`columns`] is the sum of what its clusters take, each in cells
//! of its own (lam and alef are two, as terminals print them).

use std::borrow::Cow;
use std::fmt;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands on the screen in the place of something that would harm it.
pub const MARK: char = '\u{fffd}';

/// A cluster of more is a pile of accents, not a letter of a script.
const CLUSTER_CHARS: usize = 12;
const CLUSTER_BYTES: usize = 32;

/// What a screen shows of a text; line breaks stay.
pub fn shown(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut now = step(text);
    // What goes can join its neighbours (Hangul, flags), so repeat until nothing changes.
    loop {
        let next = step(&now);
        if next == now {
            break;
        }
        now = next;
    }
    if now == text { Cow::Borrowed(text) } else { Cow::Owned(now) }
}

fn step(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        push(cluster, &mut out);
    }
    out
}

/// Appends what is shown of a cluster.
fn push(cluster: &str, out: &mut String) {
    let mut letters = cluster.chars();
    let (first, rest) = (letters.next(), letters.next());
    if let (Some(letter), None) = (first, rest) {
        return match letter {
            '\n' => out.push('\n'),
            '\t' => out.push(' '),
            letter if is_common(letter) => out.push(letter),
            letter if is_invisible(letter) => {}
            letter if letter.is_control() || is_harmful(letter) || UnicodeWidthStr::width(cluster) == 0 => {
                out.push(MARK)
            }
            letter => out.push(letter),
        };
    }
    let begin = out.len();
    let is_joined_emoji = cluster.contains('\u{200d}') && cluster.chars().any(is_pictured);
    let is_flag = cluster.starts_with('\u{1f3f4}');
    let (mut kept, mut is_marked) = (0, false);
    for letter in cluster.chars() {
        match letter {
            '\u{200c}' if kept > 0 => out.push(letter),
            '\u{e0020}'..='\u{e007f}' if is_flag => {}
            letter if is_invisible(letter) => {}
            letter if letter.is_control() || is_harmful(letter) => is_marked = true,
            letter => {
                kept += 1;
                out.push(letter);
            }
        }
        if !is_joined_emoji && (kept > CLUSTER_CHARS - 1 || out.len() - begin > CLUSTER_BYTES - 4) {
            is_marked |= out.len() - begin < cluster.len();
            break;
        }
    }
    // A cluster without width would hang on whatever stands before it.
    if kept > 0 && UnicodeWidthStr::width(&out[begin..]) == 0 {
        out.truncate(begin);
        is_marked = true;
    }
    if is_marked {
        out.push(MARK);
    }
}

/// The columns that a text takes on the screen, as it is [`shown`].
pub fn columns(text: &str) -> usize {
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return text.len();
    }
    shown(text).graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The longest beginning of what is shown of a text that fits into so many columns; what is cut ends with `…`.
pub fn fit(text: &str, room: usize) -> Cow<'_, str> {
    if room == 0 {
        return Cow::Borrowed("");
    }
    // Nobody waits for the end of a megabyte of which a row is shown.
    let head = super::beginning(text, room.saturating_mul(2 * CLUSTER_BYTES).saturating_add(1024));
    let visible = shown(head);
    let mut used = 0;
    // The end of the longest beginning that leaves a column for the mark.
    let mut cut = 0;
    for (at, cluster) in visible.grapheme_indices(true) {
        used += UnicodeWidthStr::width(cluster);
        if used < room {
            cut = at + cluster.len();
        }
        if used > room {
            return Cow::Owned(format!("{}…", &visible[..cut]));
        }
    }
    if head.len() < text.len() { Cow::Owned(format!("{}…", &visible[..cut])) } else { visible }
}

/// Prints a text as `{:<16}` asks: columns are counted, not characters.
pub(super) fn pad(text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(width) = out.width().filter(|_| out.precision().is_none()) else { return out.pad(text) };
    let missing = width.saturating_sub(columns(text));
    let before = match out.align() {
        Some(fmt::Alignment::Right) => missing,
        Some(fmt::Alignment::Center) => missing / 2,
        Some(fmt::Alignment::Left) | None => 0,
    };
    write!(out, "{:before$}{text}{:after$}", "", "", after = missing - before)
}

/// Whether every letter is shown as it is, and takes what it takes alone.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) || text.chars().all(is_common)
}

/// Letters and signs that stand alone: each is a cluster of its own, has a width, and no more columns than bytes. A replay reads
/// thousands of lines, and finding clusters is the slowest part of it.
fn is_common(letter: char) -> bool {
    matches!(u32::from(letter),
        0x20..=0x7E | 0xA1..=0xAC | 0xAE..=0x24F | 0x391..=0x3A1 | 0x3A3..=0x3C9 | 0x410..=0x44F | 0x2010..=0x2026 | 0x20A0..=0x20BF
        | 0x2190..=0x21FF | 0x3001..=0x3029 | 0x3041..=0x3096 | 0x30A1..=0x30FA | 0x4E00..=0x9FFF | 0xFF01..=0xFF60)
}

/// Whether a character takes no room and does no harm: joiners, soft hyphens, single marks of direction, variation selectors.
pub fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter),
        0xAD | 0x34F | 0x61C | 0x180B..=0x180F | 0x200B..=0x200F | 0x2060..=0x2064 | 0xFE00..=0xFE0F | 0xFEFF | 0xE0100..=0xE01EF)
}

/// Whether a character turns text around, hides in it, or draws nothing where something is: what is left of Unicode's format characters (Cf of
/// Unicode 16) and the fillers.
pub fn is_harmful(letter: char) -> bool {
    matches!(u32::from(letter),
        0x600..=0x605 | 0x6DD | 0x70F | 0x890..=0x891 | 0x8E2 | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x2028..=0x2029 | 0x202A..=0x202E
        | 0x2065..=0x206F | 0x3164 | 0xFFA0 | 0xFFF0..=0xFFFB | 0x110BD | 0x110CD | 0x13430..=0x1343F | 0x1BCA0..=0x1BCA3
        | 0x1D173..=0x1D17A | 0xE0000..=0xE00FF | 0xE01F0..=0xE0FFF)
}

/// Whether a letter is a picture, of which a joiner makes one with the next.
fn is_pictured(letter: char) -> bool {
    matches!(u32::from(letter), 0x2190..=0x21FF | 0x2300..=0x23FF | 0x2600..=0x27BF | 0x2B00..=0x2BFF | 0x1F000..=0x1FAFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_harm_the_screen_is_a_mark_and_what_could_not_is_shown() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        for (written, on_screen, width) in [
            ("می‌خواهم", "می‌خواهم", 7),
            (family, "\u{1f468}\u{1f469}\u{1f467}", 6),
            ("warn \u{26a0}\u{fe0f} sign", "warn \u{26a0} sign", 11),
            ("\u{1f44d}\u{1f3fd}", "\u{1f44d}\u{1f3fd}", 2),
            ("\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}", "\u{1f3f4}", 2),
            ("a\u{202e}b\u{2066}c", "a\u{fffd}b\u{fffd}c", 5),
            ("tag\u{e0041}\u{e007f}", "tag\u{fffd}", 4),
            ("zero\u{200b}width", "zerowidth", 9),
            ("ශ්\u{200d}රී", "ශ්රී", 2),
            ("\u{200f}شنبه\u{200e}", "شنبه", 4),
            ("\u{301}leading mark", "\u{fffd}leading mark", 13),
            ("\u{3164}", "\u{fffd}", 1),
            ("one\ttwo", "one two", 7),
            ("\u{1b}[31m", "\u{fffd}[31m", 5),
            ("لا", "لا", 2),
            ("الان لا", "الان لا", 7),
        ] {
            assert_eq!((shown(written).as_ref(), columns(written)), (on_screen, width), "{written:?}");
        }
    }

    #[test]
    fn a_pile_of_accents_is_one_letter_and_a_mark() {
        let pile = format!("a{}b", "\u{301}".repeat(100_000));
        let on_screen = shown(&pile);
        assert_eq!(columns(&pile), 3);
        assert!(
            on_screen.len() < 40 && on_screen.starts_with('a') && on_screen.ends_with("\u{fffd}b"),
            "{on_screen:?}"
        );
    }

    #[test]
    fn fitting_counts_columns_and_says_what_was_cut() {
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("支付宝", 5), "支付…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit("لالا", 3), "لا…");
        assert_eq!(fit(&"x".repeat(1 << 20), 4), "xxx…");
    }

    #[test]
    fn padding_counts_columns() {
        use crate::text::CleanStr;
        let name = CleanStr::new("支付");
        assert_eq!(format!("{name:<6}|{name:>6}|{name:^6}|"), "支付  |  支付| 支付 |");
    }

    #[test]
    fn words_are_found_however_they_were_typed() {}

    #[test]
    fn common_letters_are_what_the_long_way_leaves_alone() {
        let common: Vec<char> = ('\0'..=char::MAX).filter(|letter| is_common(*letter)).collect();
        assert!(common.len() > 20_000);
        for pair in common.windows(2).chain([&['ß', 'é'][..], &['a', '支'], &['©', '↔'], &['に', 'ん']]) {
            let text: String = pair.iter().collect();
            assert_eq!(text.graphemes(true).count(), 2, "{text:?}");
            assert_eq!(step(&text), text);
            assert!(UnicodeWidthStr::width(text.as_str()) <= text.len());
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_safe_and_shown_as_it_is(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC*", room in 0_usize..40) {
            for dirty in [String::from_utf8_lossy(&bytes).into_owned(), text] {
                let visible = shown(&dirty);
                prop_assert!(visible.chars().all(|letter| letter == '\n' || (!letter.is_control() && !is_harmful(letter))));
                prop_assert!(visible.graphemes(true).all(|cluster| cluster.len() <= CLUSTER_BYTES && cluster.chars().count() <= CLUSTER_CHARS + 1), "{:?}", visible);
                prop_assert_eq!(shown(&visible), visible.clone());
                prop_assert_eq!(columns(&visible), columns(&dirty));
                prop_assert!(columns(&fit(&dirty.replace('\n', " "), room)) <= room);
            }
        }
    }
}
