//! What is hidden and what is not.

use proptest::prelude::*;

use super::*;

#[test]
fn secrets_are_hidden_and_other_words_are_not() {
    let mask = Mask::new(["hunter2hunter2".to_owned(), "ab".to_owned()]);
    let cases = [
        ("card 4111 1111 1111 1111 declined", "card [card …1111] declined"),
        ("card 4111-1111-1111-1111, order 12", "card [card …1111], order 12"),
        ("order 4111 1111 1111 1112 is no card", "order 4111 1111 1111 1112 is no card"),
        ("trace 00000000000000000000", "trace 00000000000000000000"),
        ("login with hunter2hunter2 works", "login with [secret] works"),
        ("cab ab", "cab ab"),
        ("DB_PASSWORD=x1", "DB_PASSWORD=[secret]"),
        ("password: x1 ok", "password: [secret] ok"),
        ("{\"password\": \"x1\", \"user\": \"dana\"}", "{\"password\": \"[secret]\", \"user\": \"dana\"}"),
        ("Authorization: Bearer abc", "Authorization: Bearer [secret]"),
        ("send Bearer abcdefghijklmnopqrst now", "send Bearer [secret] now"),
        ("the bearer of news", "the bearer of news"),
        ("--token=abc", "--token=[secret]"),
        ("key AKIAABCDEFGHIJKLMNOP", "key [secret]"),
        ("ghp_0123456789abcdefghijABCD pushed", "[secret] pushed"),
        ("postgres://app:pass@db/payments", "postgres://[secret]@db/payments"),
        ("https://grafana.example/d/x?from=now-1h", "https://grafana.example/d/x?from=now-1h"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdef", "[secret]"),
        ("token.refresh: 401 expired", "token.refresh: 401 expired"),
        ("p99 3.74 s at 14:10", "p99 3.74 s at 14:10"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nafter",
            "[private key]\n[private key]\n[end of private key]\nafter",
        ),
    ];
    for (text, shown) in cases {
        assert_eq!(mask.mask(text), shown, "{text}");
    }
}

#[test]
fn a_secret_that_is_cut_between_two_pieces_is_hidden_all_the_same() {
    let text = "one\ntoken=abcdef and 4111 1111 1111 1111\nlast hunter2hunter2";
    let mask = Mask::new(["hunter2hunter2".to_owned()]);
    let whole = mask.mask(text);
    for cut in 0..=text.len() {
        let mut lines = MaskedLines::new(mask.clone());
        let mut shown = lines.push(&text.as_bytes()[..cut]);
        shown.push_str(&lines.push(&text.as_bytes()[cut..]));
        shown.push_str(&lines.finish());
        assert_eq!(shown, whole, "cut at {cut}");
    }
}

#[test]
fn a_line_that_never_ends_is_let_go_in_pieces_without_cutting_a_secret() {
    let mask = Mask::new(["hunter2hunter2".to_owned()]);
    let mut lines = MaskedLines::new(mask);
    let mut shown = String::new();
    for _ in 0..3_000 {
        shown.push_str(&lines.push(b"xx hunter2hunter2 "));
    }
    assert!(shown.len() > 10_000, "nothing waits for ever");
    shown.push_str(&lines.finish());
    assert!(!shown.contains("hunter2"), "{shown}");
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
    fn a_valid_card_number_is_never_shown(body in proptest::collection::vec(0..10u32, 12..18)) {
        let check = (0..10u32).find(|check| {
            let mut all = body.clone();
            all.push(*check);
            passes_luhn(&all)
        });
        prop_assume!(check.is_some());
        let digits: Vec<u32> = body.iter().chain(&check).copied().collect();
        // In whatever digits, and with what nobody sees between them.
        for (zero, between) in [('0', ""), ('0', "\u{200b}"), ('0', "\u{a0}"), ('۰', ""), ('٠', "\u{200c}"), ('０', " ")] {
            let letter = |digit: &u32| char::from_u32(u32::from(zero) + digit).unwrap().to_string();
            let number = digits.iter().map(letter).collect::<Vec<_>>().join(between);
            let shown = Mask::default().mask(&format!("paid with {number} today"));
            prop_assert!(!shown.contains(&number), "{}", shown);
        }
    }
}
