//! What is hidden and what is not.

use proptest::prelude::*;

use super::*;
use regex::Regex;

const SECRETS: &str = include_str!("samples/secrets.txt");
const HARMLESS: &str = include_str!("samples/harmless.txt");

/// The texts of a table, with its escapes undone.
fn texts(table: &str) -> Vec<String> {
    let lines = table.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mark = "\u{0}";
    lines
        .map(|line| {
            let line = line.replace("\\\\", mark);
            let line = line.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t").replace("\\e", "\u{1b}");
            line.replace(mark, "\\")
        })
        .collect()
}

/// A text without the marks around what is secret in it, and the secrets.
fn marked(text: &str) -> (String, Vec<String>) {
    let secrets = text.split('⟦').skip(1).map(|rest| rest.split('⟧').next().unwrap_or_default().to_owned()).collect();
    (text.replace(['⟦', '⟧'], ""), secrets)
}

/// What is left of a secret: whole, or of a number more than its last four digits.
fn is_left(secret: &str, shown: &str) -> bool {
    let bare = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>();
    let (secret_letters, shown_letters) = (bare(secret), bare(shown));
    let is_number = secret_letters.chars().all(char::is_numeric) && secret_letters.chars().count() >= 12;
    if is_number {
        let head: String = secret_letters.chars().take(6).collect();
        let tail: String = secret_letters.chars().skip(secret_letters.chars().count() - 6).collect();
        return shown_letters.contains(&head) || shown_letters.contains(&tail);
    }
    shown.contains(secret)
}

#[test]
fn no_secret_of_the_table_is_shown() {
    let table = texts(SECRETS);
    assert!(table.len() >= 200, "{}", table.len());
    let mut leaked = Vec::new();
    for line in &table {
        let (text, secrets) = marked(line);
        assert!(!secrets.is_empty(), "nothing is marked in {line}");
        let shown = Mask::default().mask(&text);
        if secrets.iter().any(|secret| is_left(secret, &shown)) {
            leaked.push(format!("{line:?} -> {shown:?}"));
        }
        assert_eq!(Mask::default().mask(&shown), shown, "masked twice: {line}");
    }
    assert!(leaked.is_empty(), "{} leaked:\n{}", leaked.len(), leaked.join("\n"));
}

#[test]
fn no_harmless_text_of_the_table_is_changed() {
    let table = texts(HARMLESS);
    assert!(table.len() >= 100, "{}", table.len());
    let changed: Vec<String> = table
        .iter()
        .map(|text| (text, Mask::default().mask(text)))
        .filter(|(text, shown)| *text != shown)
        .map(|(text, shown)| format!("{text:?} -> {shown:?}"))
        .collect();
    assert!(changed.is_empty(), "{} changed:\n{}", changed.len(), changed.join("\n"));
}

#[test]
fn every_rule_finds_its_own_example() {
    for rule in rules::RULES {
        let pattern = Regex::new(&rules::plain(rule.pattern)).unwrap_or_else(|error| panic!("{}: {error}", rule.name));
        assert!(pattern.is_match(rule.example), "{} does not find {}", rule.name, rule.example);
        let shown = Mask::default().mask(rule.example);
        assert!(shown.contains('['), "{}: {shown}", rule.name);
    }
}

#[test]
fn of_secrets_that_share_letters_nothing_of_either_is_left() {
    let mask = Mask::new(["abcdefgh".to_owned(), "efghijklmn".to_owned(), "cdefgh".to_owned()]);
    assert_eq!(mask.mask("x abcdefghijklmn y, cdefgh"), "x [secret] y, [secret]");
    assert_eq!(mask.mask("efghijklmnefghijklmn"), "[secret][secret]");
}

#[test]
fn what_is_left_reads_on() {
    let mask = Mask::new(["hunter2hunter2".to_owned(), "ab".to_owned()]);
    let cases = [
        ("card 4111 1111 1111 1111 declined", "card [card …1111] declined"),
        ("login with hunter2hunter2 works", "login with [secret] works"),
        ("cab ab", "cab ab"),
        ("DB_PASSWORD=x1", "DB_PASSWORD=[secret]"),
        ("{\"password\": \"x1\", \"user\": \"dana\"}", "{\"password\": \"[secret]\", \"user\": \"dana\"}"),
        ("Authorization: Bearer abc", "Authorization: Bearer [secret]"),
        ("key AKIAABCDEFGHIJKLMNOP", "key [secret]"),
        ("postgres://app:pass@db/payments", "postgres://[secret]@db/payments"),
        ("password: x1, then restart", "password: [secret], then restart"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter",
            "[private key]\n[private key]\n[end of private key]\nafter",
        ),
    ];
    for (text, shown) in cases {
        assert_eq!(mask.mask(text), shown, "{text}");
    }
}

/// What a stream shows of a text that comes in two pieces.
fn in_two(mask: &Mask, text: &str, cut: usize) -> String {
    let mut lines = MaskedLines::new(mask.clone());
    let mut shown = lines.push(&text.as_bytes()[..cut]);
    shown.push_str(&lines.push(&text.as_bytes()[cut..]));
    shown.push_str(&lines.finish());
    shown
}

#[test]
fn a_secret_that_is_cut_between_two_pieces_is_hidden_all_the_same() {
    let text =
        "one\ntoken=abcdef and 4111 1111 1111 1111\n4242 4242\n4242 4242\npassword:\n  hunter2\nlast hunter2hunter2";
    let mask = Mask::new(["hunter2hunter2".to_owned()]);
    let whole = mask.mask(text);
    assert!(!whole.contains("4242 4242") && !whole.contains("hunter2"), "{whole}");
    for cut in 0..=text.len() {
        assert_eq!(in_two(&mask, text, cut), whole, "cut at {cut}");
    }
}

#[test]
fn a_line_that_never_ends_is_let_go_in_pieces_without_cutting_a_secret() {
    let mask = Mask::new(["hunter2hunter2".to_owned()]);
    let mut lines = MaskedLines::new(mask);
    let mut shown = String::new();
    for _ in 0..3_000 {
        shown.push_str(&lines.push(b"xx hunter2hunter2 4111 1111 1111 1111 "));
    }
    assert!(shown.len() > 10_000, "nothing waits for ever");
    shown.push_str(&lines.finish());
    assert!(!shown.contains("hunter2") && !shown.contains("1111 1"), "{shown}");
    assert_eq!(shown.matches(SECRET).count(), 3_000);
}

proptest! {
    #[test]
    fn masking_twice_changes_nothing_more(text in "\\PC{0,120}", secret in "[a-z]{6,9}") {
        let mask = Mask::new([secret]);
        let once = mask.mask(&text);
        prop_assert_eq!(mask.mask(&once), once);
    }

    #[test]
    fn no_text_of_names_signs_and_digits_breaks_it(text in "[a-z0-9 :=\"'\\\\\n.,\u{1b}\\[m4۱-]{0,200}(password|token)?[:= ]{0,3}[a-z0-9\n]{0,20}") {
        let once = Mask::default().mask(&text);
        prop_assert_eq!(Mask::default().mask(&once), once);
    }

    #[test]
    fn a_card_number_is_never_shown_however_it_is_grouped(
        body in proptest::collection::vec(0..10u8, 14),
        gaps in proptest::collection::vec(proptest::sample::select(vec!["", " ", "-", "  ", " - ", "\u{a0}", "\u{200b}"]), 15),
        before in proptest::sample::select(vec!["", "paid with ", "2026-11-29 14:10 ", "order 77 ", "\u{1b}[31m"]),
    ) {
        let digits = |check: u8| { let mut all = vec![4_u8]; all.extend(&body); all.push(check); all };
        let sum = |all: &[u8]| all.iter().rev().enumerate().map(|(place, digit)| {
            let doubled = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            if doubled > 9 { doubled - 9 } else { doubled }
        }).sum::<u32>();
        let check = (0..10_u8).find(|check| sum(&digits(*check)) % 10 == 0).unwrap_or(0);
        let all = digits(check);
        prop_assume!(all.iter().any(|digit| *digit != 4));
        let mut number = String::new();
        for (place, digit) in all.iter().enumerate() {
            // Groups of at least two: a gap behind every digit is a list of figures.
            if place > 1 && place % 2 == 0 && place / 2 < gaps.len() { number.push_str(gaps[place / 2].trim_end_matches("- ")); }
            number.push(char::from(b'0' + digit));
        }
        let shown = Mask::default().mask(&format!("{before}{number} today"));
        let bare: String = shown.chars().filter(char::is_ascii_digit).collect();
        let head: String = all.iter().take(10).map(|digit| char::from(b'0' + digit)).collect();
        prop_assert!(!bare.contains(&head), "{}", shown);
    }

    #[test]
    fn no_secret_is_shown_in_whatever_pieces_it_comes(
        words in proptest::collection::vec("[a-z =\n]{0,30} (4111 1111 1111 1111 |4111 1111\n1111 1111 |password: x1y2z3 |password:\n x1y2z3\n)?", 0..8),
        cuts in proptest::collection::vec(0..200_usize, 0..8),
    ) {
        let text: String = words.concat();
        let mut lines = MaskedLines::new(Mask::default());
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let mut shown: String = cuts.windows(2).map(|ends| lines.push(&text.as_bytes()[ends[0]..ends[1]])).collect();
        shown.push_str(&lines.finish());
        prop_assert!(!shown.contains("x1y2z3") && !shown.contains("4111"), "{}", shown);
    }
}

#[test]
fn of_a_number_that_is_still_being_typed_nothing_is_kept_that_a_card_begins_with() {
    let typed = "the card 4111 1111 1111 1111 again";
    for (end, _) in typed.char_indices() {
        let kept = Mask::default().mask_unfinished(&typed[..end]);
        assert!(!kept.contains("4111 1"), "{kept}");
    }
    assert_eq!(Mask::default().mask_unfinished(typed), "the card [card …1111] again");
    assert_eq!(Mask::default().mask_unfinished("p99 is 1800"), "p99 is 1800");
}
