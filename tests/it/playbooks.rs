//! Playbooks and exercises with mistakes in them.

use warroom::exercise::Exercise;
use warroom::playbook::Playbook;
use warroom::text::document::Flaw;

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
