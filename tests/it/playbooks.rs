//! Playbooks and exercises with mistakes in them.

use std::fs;

use warroom::exercise::Exercise;
use warroom::playbook::Playbook;
use warroom::text::document::Flaw;

use crate::plain::Host;

/// Mutants of a document, always the same: letters changed, lines doubled, dropped, cut and swapped, values replaced, keys misspelt.
pub fn mutations(text: &str, count: usize) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % most.max(1) as u64) as usize
    };
    let values = [
        "\"\"",
        "-1",
        "nan",
        "[]",
        "{}",
        "99999999999999999999",
        "\"\u{202e}\u{0}\"",
        "true",
        "2026-02-30",
        "'",
        "[[[[",
        "1e400",
    ];
    (0..count)
        .map(|round| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let place = loop {
                let place = next(lines.len());
                if lines[place].contains('=') || round % 3 == 0 {
                    break place;
                }
            };
            match round % 8 {
                0 => lines.insert(place, lines[place].clone()),
                1 => lines[place] = lines[place].chars().take(next(20)).collect(),
                2 => lines[place].insert(0, 'x'),
                3 => {
                    let (key, _) = lines[place].split_once('=').unwrap_or(("x", ""));
                    lines[place] = format!("{key}= {}", values[next(values.len())]);
                }
                4 => {
                    let letters = ['[', ']', '"', '=', '\u{0}', '\\', 'é', '{', '\t', '#'];
                    let at = lines[place].char_indices().nth(next(30)).map_or(0, |(at, _)| at);
                    lines[place].insert(at, letters[next(letters.len())]);
                }
                5 => {
                    let other = next(lines.len());
                    lines.swap(place, other);
                }
                6 => {
                    lines.remove(place);
                }
                _ => lines[place] = lines[place].replacen(" = ", "-x = ", 1),
            }
            lines.join("\n")
        })
        .collect()
}

fn judge(file: &str, mutants: &[String], read: impl Fn(&str) -> Result<(), Box<Flaw>>) {
    let mut refused = 0;
    for mutant in mutants {
        if let Err(flaw) = read(mutant) {
            refused += 1;
            let lines = mutant.lines().count() + 1;
            assert!((1..=lines).contains(&flaw.line) && flaw.column >= 1, "{flaw}");
            assert!(flaw.to_string().starts_with(&format!("{file}:{}:{}: ", flaw.line, flaw.column)), "{flaw}");
            assert!(!flaw.message.is_empty(), "{flaw}");
        }
    }
    assert!(refused * 2 >= mutants.len(), "{file}: {refused} of {} were refused", mutants.len());
}

#[test]
fn two_hundred_mutated_playbooks_are_read_or_refused_with_their_position() {
    let mutants = mutations(include_str!("../../playbooks/blubank.toml"), 200);
    judge("blubank.toml", &mutants, |text| Playbook::parse("blubank.toml", text).map(|_| ()));
}

#[test]
fn two_hundred_mutated_exercises_are_read_or_refused_with_their_position() {
    let mutants = mutations(include_str!("../../playbooks/gameday/alipay-timeout-storm.toml"), 200);
    judge("storm.toml", &mutants, |text| {
        let exercise = Exercise::parse("storm", text)?;
        // What was read can be played.
        let start = chrono::DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let world = warroom::exercise::World::new(&exercise, 1, start);
        let list = warroom::live::Watchlist { lookback: chrono::TimeDelta::seconds(30), ..Default::default() };
        world.spans(&list, start + chrono::TimeDelta::minutes(3));
        Ok(())
    });
}

const BOOK: &str = r#"service = "alipay"
name = "Alipay"
public-name = "Alipay"
owner = "Payments"
reviewed = 2026-09-01
# a comment

[[steps]]
id = "one"
title = "One"
look = "Look."
expect = "Well."
undo = "Back."
do.command = { argv = ["true"], changes = true }
"#;

#[test]
fn what_cleaning_would_change_in_a_playbook_is_refused_with_its_place_in_values_and_comments() {
    let host = Host::new();
    let file = host.home.path().join("alipay.toml");
    let check = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let output = host.command(&["playbook", "check", file.to_str().unwrap()]).output().unwrap();
        [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat()
    };
    let (value, comment) = (":11:8: `steps[1].look`: has a letter that nobody would see", ":6:5: ");
    for hidden in ["\u{202e}", "\u{2066}", "\u{200b}", "\u{200f}", "\u{2028}", "\u{9b}", "\u{85}", "\u{e0041}"] {
        let said = check(BOOK.replace("Look.", &format!("Lo{hidden}ok.")).as_bytes());
        assert!(said.contains(&format!("alipay.toml{value}")), "{hidden:?}: {said}");
        let said = check(BOOK.replace("a comment", &format!("a {hidden} comment")).as_bytes());
        assert!(said.contains(&format!("alipay.toml{comment}")), "{hidden:?}: {said}");
    }
    for (bytes, place) in [
        (BOOK.replace("Look.", "Lo\u{1b}[2Jok."), ":11:11: "),
        (BOOK.replace("Look.", "Lo\rok."), ":11:11: "),
        (BOOK.replace("a comment", "a\rb = 1"), ":6:"),
        (BOOK.replace("a comment", "a\u{1b}[2J"), ":6:"),
        (BOOK.replace("Look.", &format!("o{}", "\u{301}".repeat(40))), ":11:8: "),
    ] {
        let said = check(bytes.as_bytes());
        assert!(said.contains(&format!("alipay.toml{place}")), "{place}: {said}");
    }
    for (from, place) in [("Look.", ":11:9: is not UTF-8"), ("a comment", ":6:3: is not UTF-8")] {
        let at = BOOK.find(from).unwrap();
        let bytes = [&BOOK.as_bytes()[..at], &[0xff, 0xfe], &BOOK.as_bytes()[at..]].concat();
        let said = check(&bytes);
        assert!(said.contains(&format!("alipay.toml{place}")), "{place}: {said}");
    }
    // What an editor of another system writes, and what a language joins its letters with, hides nothing.
    for fine in [
        BOOK.to_owned(),
        BOOK.replace('\n', "\r\n"),
        format!("\u{feff}{BOOK}"),
        BOOK.replace("a comment", "می\u{200c}خواهم \u{26a0}\u{fe0f}"),
    ] {
        let said = check(fine.as_bytes());
        assert!(said.contains("alipay.toml: fine, 1 step for alipay"), "{said}");
    }
}
