//! Words that came with other blanks than the space bar gives: pasted from a web page, a chat, a document in Persian or
//! French.

use std::fs;
use std::path::Path;

use crate::plain::Host;

/// What each line of a script says, in the order of an incident; `_` stands for a blank.
const SCRIPT: &str = ":sev_1_
:take_ic
:ack
-5m_decision:_roll_back_the_gateway
action:_-3m_looking_at_it
todo:_write_it_up
@omid_check_p99_of_the_gateway_5m
:more_1_5m_longer
:impact_alipay_-10m
:impact-end_alipay_-1m
:service_gateway
:theory_the_deploy_|_omid_|_alipay/rollback
:eliminated_1_not_it
:propose_drain_|_slow_|_undrain
:decide_1_yes_good
:cadence_20m_calm
:amend_1_-4m_other_words
:strike_1_wrong
:claim_1_mine
:skip_1_no_need
:silence_30m_alertname=\"X\",_service=~\"a.*\"_too_loud
:log_5
:list
:open_INC-1
";

/// What the script leads to, without times and blanks.
fn led_to(between: &str) -> String {
    let host = Host::new();
    host.declare();
    let (status, said) = host.script(&["open", "INC-1", "--plain"], &SCRIPT.replace('_', between));
    let same = |letter: char| match letter {
        letter if letter.is_ascii_digit() => Some('0'),
        letter if letter == '\n' || !warroom::text::is_gap(letter) => Some(letter),
        _ => None,
    };
    // What comes from beside, whenever it comes, is no answer.
    let is_answer = |line: &&str| !line.contains(" changes answers ") && !line.contains(" lamp: ");
    let said: Vec<_> = said.lines().filter(is_answer).collect();
    format!("{status}\n{}", said.join("\n").chars().filter_map(same).collect::<String>())
}

#[test]
fn a_line_typed_with_blanks_that_do_not_break_does_what_it_does_with_plain_ones() {
    let blanks = ["\u{a0}", "\u{202f}", "\u{3000}\u{200f}", "\u{feff} \u{200e}"];
    let (plain, others) = std::thread::scope(|scope| {
        let others = blanks.map(|blank| scope.spawn(move || led_to(blank)));
        (led_to(" "), others.map(|one| one.join().unwrap()))
    });
    assert!(plain.contains("SEV0") && !plain.contains("nocommand"), "{plain}");
    for (blank, led_to) in blanks.iter().zip(others) {
        for (one, other) in plain.lines().zip(led_to.lines()) {
            assert_eq!(other, one, "with {blank:?}:\n{led_to}\ninstead of:\n{plain}");
        }
        assert_eq!(led_to.lines().count(), plain.lines().count(), "{led_to}");
    }
}

/// Formats of machines, in which a blank is one byte; all else is parsed by `text::words`, or with
/// `char::is_whitespace`.
const MACHINES: [&str; 15] = [
    "channel/webhook.rs",
    "cli/verbs.rs",
    "config/show.rs",
    "console/own.rs",
    "incident/event/fake.rs",
    "journal/disk.rs",
    "journal/ledger.rs",
    "oncall/roster.rs",
    "run/intake.rs",
    "run/known.rs",
    "run/plain/once.rs",
    "run/plain/verbs.rs",
    "runner/left.rs",
    "text/exact.rs",
    "text/mask.rs",
];

#[test]
fn no_word_that_a_person_types_ends_at_the_space_bar_alone() {
    let mut found = Vec::new();
    sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")), &mut |path, text| {
        let name = path.to_str().unwrap().rsplit_once("/src/").unwrap().1.to_owned();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let parses = [
            "split_once(' ')",
            "rsplit_once(' ')",
            "split_once(\" \")",
            "splitn(2, ' ')",
            "splitn(3, ' ')",
            "starts_with(' ')",
            "strip_prefix(' ')",
            "ascii_whitespace",
        ];
        let is_words = parses.iter().any(|one| code.contains(one));
        if is_words && !MACHINES.contains(&name.as_str()) {
            found.push(name);
        }
    });
    found.retain(|name| !name.ends_with("tests.rs") && !name.contains("/tests/"));
    assert_eq!(found, ["template/scan.rs", "text/mask/named.rs"], "read words with `text::first_word` and its like");
}

fn sources(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, look);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
