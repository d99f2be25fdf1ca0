//! For any failure of any read: no sentence claims that there is nothing.
//!
//! A home in which there is one of everything, and programs for which one look at its files fails, at each call in
//! turn. What they say of absence must be what they say of it when nothing fails.

use std::collections::BTreeSet;
use std::process::Command;

use regex::Regex;

use crate::plain::Host;
use crate::support::failing::{self, Said};

/// A home with an open incident, one that is over, a drill, a change, a follow-up, a playbook and a template of one's
/// own.
fn home() -> Host {
    let host = Host::new();
    host.declare();
    for words in [
        &["note", "-i", "INC-1", "todo: raise the pool limit"][..],
        &["declare", "-s", "alipay", "--severity", "sev2", "an earlier one", "--anyway"],
        &["false-alarm", "a test", "-i", "INC-2", "--yes", "false-alarm:INC-2"],
        &["change", "-s", "alipay", "rolled out 2.1"],
    ] {
        assert_eq!(host.run(words).0, 0, "{words:?}");
    }
    assert_eq!(host.script(&["gameday", "--plain"], "").0, 0);
    let folder = host.home.path().join("config/warroom/playbooks");
    std::fs::create_dir_all(&folder).unwrap();
    let playbook = "service = \"kafka\"\nowner = \"Data team\"\nreviewed = 2026-11-30\n[[steps]]\nid = \"look\"\ntitle = \"look at the lag\"\n";
    std::fs::write(folder.join("kafka.toml"), playbook).unwrap();
    host
}

/// What is asked, and what is typed then.
const ASKED: [(&[&str], &str); 12] = [
    (&["list"], ""),
    (&["list", "--all"], ""),
    (&["show", "INC-1"], ""),
    (&["changes"], ""),
    (&["report"], ""),
    (&["followups"], ""),
    (&["gameday", "list"], ""),
    (&["past", "-i", "INC-1"], ""),
    (&["note", "it goes on"], ""),
    (&["doctor"], ""),
    (&["playbook", "list"], ""),
    (&["open", "INC-1", "--plain", "--read-only"], ":list\n:past\n:changes\n:report\n:all-follow-ups\n:log\n:steps\n"),
];

/// The sentences that say that there is nothing of something; what changes from one run to the next is left out.
fn absences(said: &Said) -> BTreeSet<String> {
    let absence =
        Regex::new(r"(?i)\b(none|nothing|empty|nobody|never|not there)\b|\bno [a-z]+|(^|[^0-9:.])0 [a-z]").unwrap();
    let changing = Regex::new(r"[0-9a-f]{7,}|\d+").unwrap();
    // These say that something is not known, or not done: no absence.
    let known = Regex::new(
        r"nothing (that was saved is lost|that is written now would be found there|of the record is known from this reading)|NOT WHOLE: 0 incidents could be read|^.*(due|OVERDUE|DUE SOON): .*|^MTT. .*",
    )
    .unwrap();
    let lines = said.out.lines().chain(said.errors.lines()).map(str::trim);
    let lines = lines.map(|line| known.replace_all(line, "").into_owned()).filter(|line| absence.is_match(line));
    lines.map(|line| changing.replace_all(&line, "N").into_owned()).collect()
}

fn asked(host: &Host, words: &[&str]) -> Command {
    let mut command = host.command(words);
    command.env("HOME", host.home.path()).env("PATH", "/usr/bin:/bin").env("TZ", "UTC");
    command
}

/// Lets each so-many-th look at a file fail, from one on; what claimed absence then.
fn sweep(host: &Host, words: &[&str], input: &str, from: usize, step: usize) -> Vec<String> {
    let folder = host.home.path();
    let healthy = match failing::run(&asked(host, words), folder, input, None) {
        Ok(healthy) => healthy,
        Err(error) => {
            eprintln!("not tried: no program can be followed here ({error})");
            return Vec::new();
        }
    };
    assert!(healthy.calls.len() > 4, "{words:?}: {}{}", healthy.out, healthy.errors);
    let usual = absences(&healthy);
    let mut wrong = Vec::new();
    for place in (from..healthy.calls.len()).step_by(step) {
        let said = failing::run(&asked(host, words), folder, input, Some(place)).unwrap();
        // A page that was not given once is as if it were damaged: what is left is told, and that it is not all.
        let is_told = said.errors.contains("is damaged, and told as far as it can be read");
        let claims: Vec<_> = absences(&said).difference(&usual).filter(|_| !is_told).cloned().collect();
        if !claims.is_empty() {
            let what = said.calls.get(place).cloned().unwrap_or_default();
            wrong.push(format!("{words:?}, {place}: {what} fails:\n    {}", claims.join("\n    ")));
        }
    }
    wrong
}

#[test]
fn a_read_that_fails_is_never_told_as_if_there_were_nothing() {
    // Every verb, and of each a handful of its reads; the test below tries all.
    let host = home();
    let all = ASKED.iter().enumerate();
    let wrong: Vec<_> =
        all.flat_map(|(place, (words, input))| sweep(&host, words, input, 29 + 7 * place, 149)).collect();
    assert!(wrong.is_empty(), "{} claim absence:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "takes minutes: every look at every file fails once for every verb"]
fn no_read_at_all_that_fails_is_told_as_if_there_were_nothing() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let all = ASKED.iter().filter(|(words, _)| words.join(" ").contains(&only));
    let wrong: Vec<_> = all.flat_map(|(words, input)| sweep(&home(), words, input, 0, 1)).collect();
    assert!(wrong.is_empty(), "{} claim absence:\n{}", wrong.len(), wrong.join("\n"));
}
