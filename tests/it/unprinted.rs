//! Answers that cannot be printed: whoever reads the exit status must not believe that nothing happened where something did, nor the other way round.

use std::io::{Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use warroom::incident::{IncidentId, Via};
use warroom::journal::{JournalDir, Sharing};
use warroom::run::plain::in_shell_by_subject;

use crate::plain::Host;
use crate::support::pty::code;

/// Where an answer goes that nobody gets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sink {
    /// A disk that is full.
    Full,
    /// A reader that is gone.
    Closed,
}

impl Sink {
    fn open(self) -> Stdio {
        match self {
            Self::Full => Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap()),
            Self::Closed => {
                let (ours, theirs) = UnixStream::pair().unwrap();
                drop(theirs);
                Stdio::from(OwnedFd::from(ours))
            }
        }
    }
}

fn into(sink: Sink, host: &Host, words: &[&str]) -> (i32, String) {
    let mut command = host.command(words);
    // In a loop over a list stdin is the list, and nobody's notes: every reader of the one description moves its place.
    let mut list = tempfile::tempfile().unwrap();
    list.write_all(b"INC-1\nINC-2\n").and_then(|()| list.rewind()).unwrap();
    // `run` says that its command does not get it.
    if words[0] != "run" {
        command.stdin(list.try_clone().unwrap());
    }
    let output = command.current_dir(host.home.path()).stdout(sink.open()).output().unwrap();
    assert_eq!(list.stream_position().unwrap(), 0, "{words:?} reads the list of the loop that it stands in");
    (code(output.status), String::from_utf8(output.stderr).unwrap())
}

/// The same, confirmed where it wants to be.
fn confirmed(sink: Sink, host: &Host, words: &[&str]) -> (i32, String) {
    let (status, complaint) = into(sink, host, words);
    let word = complaint.split("--yes '").nth(1).and_then(|rest| rest.split('\'').next()).filter(|_| status == 3);
    match word.map(str::to_owned) {
        Some(word) => into(sink, host, &[words, &["--yes", &word]].concat()),
        None => (status, complaint),
    }
}

/// What a subcommand of a shell's own does with an answer that nobody gets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// It does something and says so.
    Does,
    /// It only looks.
    Looks,
    /// It prints nothing, or is a console or a server, which says what happens in another way.
    Apart,
}

/// Every subcommand that is not from line mode's table.
const OWN: [(&[&str], Kind); 47] = [
    (&["declare", "--severity", "sev2", "another one"], Kind::Does),
    (&["note", "-i", "INC-1", "a line"], Kind::Apart),
    (&["change", "something went out"], Kind::Apart),
    (&["run", "-i", "INC-1", "--", "true"], Kind::Apart),
    (&["run", "-i", "INC-1", "--dry-run", "--", "true"], Kind::Looks),
    (&["postmortem", "INC-1"], Kind::Does),
    (&["postmortem", "INC-1", "--out", "-"], Kind::Looks),
    (&["merge", "INC-2", "--into", "INC-1"], Kind::Does),
    (&["unmerge", "INC-2", "--reason", "it is not"], Kind::Does),
    (&["redact", "INC-1"], Kind::Looks),
    (&["redact", "INC-1", "1", "--reason", "a name"], Kind::Does),
    (&["redact", "--changes"], Kind::Looks),
    (&["redact", "--changes", "1"], Kind::Does),
    (&["amend-time", "INC-1", "detected", "-5m", "--reason", "the log says so"], Kind::Does),
    (&["brief", "INC-1"], Kind::Looks),
    (&["followups"], Kind::Looks),
    (&["report"], Kind::Looks),
    (&["open"], Kind::Apart),
    (&["listen"], Kind::Apart),
    (&["alerts"], Kind::Apart),
    (&["list"], Kind::Looks),
    (&["list", "--json"], Kind::Looks),
    (&["show", "INC-1"], Kind::Looks),
    (&["show", "INC-1", "--json"], Kind::Looks),
    (&["oncall"], Kind::Apart),
    (&["doctor"], Kind::Looks),
    (&["changes"], Kind::Looks),
    (&["keys"], Kind::Looks),
    (&["journal", "verify"], Kind::Looks),
    (&["journal", "export", "INC-1"], Kind::Looks),
    (&["journal", "fill", "3"], Kind::Does),
    (&["playbook", "list"], Kind::Looks),
    (&["playbook", "show", "alipay"], Kind::Looks),
    (&["playbook", "check"], Kind::Looks),
    (&["playbook", "new", "ledger"], Kind::Looks),
    (&["template", "list"], Kind::Looks),
    (&["template", "check"], Kind::Looks),
    (&["config", "init"], Kind::Does),
    (&["config", "show"], Kind::Looks),
    (&["config", "path"], Kind::Looks),
    (&["config", "check"], Kind::Looks),
    (&["gameday", "run"], Kind::Apart),
    (&["gameday", "list"], Kind::Looks),
    (&["gameday", "brief"], Kind::Looks),
    (&["gameday", "debrief", "DRILL-1"], Kind::Looks),
    (&["gameday", "debrief", "DRILL-1", "--out", "."], Kind::Does),
    (&["help"], Kind::Apart),
];

/// The rest of `gameday`, which is like its others.
const LIKE_THEM: [&str; 5] = ["gameday check", "gameday new", "gameday teams", "gameday serve", "gameday calendar"];

/// The subcommands that a help text lists.
fn listed(host: &Host, words: &[&str]) -> Vec<String> {
    let help = host.run(&[words, &["--help"]].concat()).1;
    let part = help.split("Commands:\n").nth(1).unwrap_or_default();
    let part = part.split("\n\n").next().unwrap_or_default();
    let name = |line: &str| {
        line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?.split(' ').next().map(str::to_owned)
    };
    part.lines().filter_map(name).filter(|name| !name.is_empty()).collect()
}

#[test]
fn the_list_of_subcommands_is_whole() {
    let host = Host::new();
    let known: Vec<String> = OWN.iter().map(|(words, _)| words.join(" ")).collect();
    let is_known = |name: &str| known.iter().any(|one| one == name || one.starts_with(&format!("{name} ")));
    let all = listed(&host, &[]);
    assert!(all.len() > 20, "{all:?}");
    for name in &all {
        assert!(is_known(name), "{name} is not tried");
        for below in listed(&host, &[name]).iter().filter(|below| *below != "help" && name != "help") {
            let name = format!("{name} {below}");
            assert!(is_known(&name) || LIKE_THEM.contains(&name.as_str()), "{name} is not tried");
        }
    }
}

#[test]
fn a_subcommand_that_did_something_says_so_though_its_answer_cannot_be_printed() {
    for sink in [Sink::Full, Sink::Closed] {
        let host = Host::new();
        host.declare();
        assert_eq!(host.run(&["note", "-i", "INC-1", "the customer is Jane"]).0, 0);
        assert_eq!(host.run(&["change", "something went out"]).0, 0);
        let (status, said) = host.script(&["gameday", "--plain"], "");
        assert_eq!(status, 0, "{said}");
        for (words, kind) in OWN {
            let (status, complaint) = match kind {
                Kind::Apart => continue,
                Kind::Does | Kind::Looks => confirmed(sink, &host, words),
            };
            match (kind, sink) {
                (Kind::Does, _) => {
                    assert_eq!(status, 4, "{words:?} into {sink:?}: {complaint}");
                    assert!(complaint.contains("done, printing failed ("), "{words:?}: {complaint}");
                }
                (Kind::Looks, Sink::Full) => {
                    assert_eq!(status, 1, "{words:?}: {complaint}");
                    assert!(
                        complaint.contains("No space left") && !complaint.contains("done"),
                        "{words:?}: {complaint}"
                    );
                }
                // `| head` is no failure of what is only read.
                (Kind::Looks, Sink::Closed) => assert_eq!(status, 0, "{words:?}: {complaint}"),
                (Kind::Apart, _) => unreachable!(),
            }
        }
        // All of it was done.
        assert!(host.home.path().join("INC-1-postmortem.md").exists());
        assert!(host.home.path().join("DRILL-1-debrief.md").exists());
        assert!(host.home.path().join("config/warroom/config.toml").exists());
        let shown = host.run(&["show", "INC-2"]).1;
        assert!(shown.contains("another one") && shown.contains("MERGE"), "{shown}");
        assert!(!host.run(&["changes"]).1.contains("something went out"));
    }
}

/// Words with which commands of line mode do something in a record that was just declared, in this order.
const WORDS: [(&str, &str); 37] = [
    ("cadence", "1h overnight"),
    ("severity", "1"),
    ("title", "payments are slow again"),
    ("private", ""),
    ("triage", "users=60"),
    ("add-service", "blubank"),
    ("remove-service", "blubank"),
    ("impact-start", "alipay -10m"),
    ("impact-end", "alipay -5m"),
    ("card", "ic"),
    ("assign", "@omid check p99 5m"),
    ("read-back", "1"),
    ("more", "1 5m"),
    ("done", "1 it is fine"),
    ("propose", "restart | some fail | start again"),
    ("object", "1 it is risky"),
    ("decide", "1 yes it costs little"),
    ("theory", "the pool is exhausted"),
    ("eliminated", "1 it is not"),
    ("step", "1"),
    ("claim", "1"),
    ("release", "1"),
    ("check", "1"),
    ("skip", "2 not here"),
    ("reopen", "1"),
    ("wrong", "1"),
    ("fill-template", "slack"),
    ("update", "payments fail"),
    ("told", ""),
    ("page", ""),
    ("amend", "2 payments hang"),
    ("strike", "2 a slip"),
    ("follow-up", "grow the pool"),
    ("handover", "ic sara take over"),
    ("leave-role", "ic I go home"),
    ("acknowledge", ""),
    ("phase", "mitigating it is found"),
];

#[test]
fn no_command_of_line_mode_leaves_somebody_in_doubt_whether_it_was_done() {
    let host = Host::new();
    host.declare();
    assert_eq!(host.run(&["take", "ic"]).0, 0);
    assert_eq!(host.run(&["note", "a line"]).0, 0);
    let folder = host.home.path().join("state/warroom/journal");
    let entries = || {
        let dir = JournalDir::open(&folder, Sharing::Private).unwrap();
        let id: IncidentId = "INC-1".parse().unwrap();
        dir.journal(id, Via::default()).unwrap().all().unwrap().0.len()
    };
    let mut told = 0;
    for verb in in_shell_by_subject().flat_map(|(_, verbs)| verbs) {
        let known = WORDS.iter().find(|(name, _)| *name == verb.name).map(|(_, words)| *words);
        let words: Vec<&str> = known.unwrap_or("999 zzz").split(' ').filter(|word| !word.is_empty()).collect();
        let before = entries();
        let all = [&[verb.name], &words[..]].concat();
        // What would end the incident is only asked for.
        let done = if known.is_some() { confirmed } else { into };
        let (status, complaint) = done(Sink::Full, &host, &all);
        let is_written = entries() > before;
        let name = verb.name;
        match status {
            // Nothing was to be printed.
            0 => assert!(is_written || words.is_empty(), "{name}: {complaint}"),
            4 => assert!(is_written && complaint.contains("done, printing failed ("), "{name}: {complaint}"),
            5 => assert!(is_written && complaint.contains("not sent: "), "{name}: {complaint}"),
            1..=3 => {
                assert!(!is_written && !complaint.contains("done, printing"), "{name} ended with {status}: {complaint}")
            }
            other => panic!("{name} ended with {other}: {complaint}"),
        }
        assert!(!verb.looks || [1, 2].contains(&status), "{name} only looks, and ended with {status}: {complaint}");
        told += usize::from(status == 4);
    }
    assert!(told >= 20, "only {told} did something and could not say it");
}
