//! The words of line mode, of its help and of a shell are one list, and a shell asks before it does what cannot be taken back.

use serde_json::json;
use warroom::run::plain::command_table;

use crate::plain::{Host, SOON};
use crate::support::http::{Reply, Server};
use crate::support::pty::{self, code};

/// Words of line mode that a shell has not; the table says for each in a sentence why.
const ONLY_IN_A_CONSOLE: [&str; 15] = [
    "quit",
    "trace",
    "span",
    "compare",
    "alert",
    "runbook",
    "confirm",
    "trust",
    "abort-drill",
    "stand-in",
    "staging",
    "inject",
    "facilitate",
    "facilitator",
    "hint",
];

fn shell(host: &Host, words: &[&str]) -> (i32, String, String) {
    let output = host.command(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (code(output.status), text(output.stdout), text(output.stderr))
}

/// The words of a help text by which commands are called: what stands first in a line or after a comma.
fn has_word(help: &str, word: &str) -> bool {
    let is_of_a_name = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '!';
    help.split(|letter: char| !is_of_a_name(letter)).any(|one| one == word)
}

#[test]
fn every_word_of_the_table_is_in_line_modes_help_and_in_a_shell_or_says_why_not() {
    let host = Host::new();
    host.declare();
    let (status, help) = host.script(&["open", "INC-1", "--plain"], ":help\n");
    assert_eq!(status, 0, "{help}");
    let overview = shell(&host, &["--help"]).1;
    let mut only_here = Vec::new();
    for row in command_table() {
        for name in &row.names {
            assert!(help.contains(&format!(":{name}")), ":help lacks :{name}");
        }
        let Some(command) = row.shell.strip_prefix("`warroom ").and_then(|rest| rest.strip_suffix('`')) else {
            assert!(row.shell.split(' ').count() > 4, "{}: a reason is a sentence: {}", row.names[0], row.shell);
            only_here.push(row.names[0]);
            continue;
        };
        let mut words = command.split(' ');
        let name = words.next().unwrap();
        assert!(has_word(&overview, name), "--help lacks {name}, which :{} is in a shell", row.names[0]);
        let explained = shell(&host, &[name, "--help"]).1;
        for flag in words {
            assert!(explained.contains(flag), "{name} --help lacks {flag}");
        }
        // The other names that people type are names in a shell, too, or mean something of its own there.
        for alias in &row.names[1..] {
            let (status, said, _) = shell(&host, &[alias, "--help"]);
            assert!(status == 0 && said.contains("Usage"), "{alias} is no word of a shell");
        }
    }
    assert_eq!(only_here, ONLY_IN_A_CONSOLE);
}

/// A Prometheus that knows these alerts.
async fn firing(names: &'static [(&'static str, &'static str)]) -> Server {
    Server::start(move |request| {
        let begun = (warroom::clock::wall() - chrono::TimeDelta::minutes(7)).to_rfc3339();
        let alert = |(name, service): &(&str, &str)| {
            json!({"labels": {"alertname": name, "service": service, "severity": "critical"},
                   "annotations": {"summary": format!("{name} of {service}")},
                   "state": "firing", "activeAt": begun, "value": "1e+00"})
        };
        let alerts: Vec<_> = names.iter().map(alert).collect();
        let data = if request.path == "/api/v1/alerts" { json!({"alerts": alerts}) } else { json!({"groups": []}) };
        Reply::json(json!({"status": "success", "data": data}).to_string())
    })
    .await
}

fn with_prometheus(server: &Server) -> Host {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), format!("[prometheus]\nurl = '{}'\n", server.url())).unwrap();
    host
}

#[tokio::test]
async fn an_incident_is_declared_from_alerts_in_a_shell_as_in_a_console() {
    let server = firing(&[("HighErrorRate", "alipay"), ("PoolExhausted", "alipay"), ("SlowLedger", "ledger")]).await;
    let host = with_prometheus(&server);
    tokio::task::spawn_blocking(move || {
        let (status, _, complaint) = shell(&host, &["declare", "--from", "NoSuchAlert"]);
        assert_eq!(status, 1, "{complaint}");
        assert!(complaint.contains("there is no alert `NoSuchAlert`: HighErrorRate"), "{complaint}");
        let (status, id, complaint) = shell(&host, &["declare", "--from", "HighErrorRate,PoolExhausted"]);
        assert_eq!((status, id.trim()), (0, "INC-1"), "{complaint}");
        let shown: serde_json::Value = serde_json::from_str(&host.run(&["show", "INC-1", "--json"]).1).unwrap();
        assert_eq!((&shown["severity"], &shown["services"]), (&json!("sev1"), &json!(["alipay"])), "{shown}");
        let text = host.run(&["show", "INC-1"]).1;
        assert!(text.contains("HighErrorRate of alipay"), "the alert proposes the title: {text}");
        assert!(text.contains("PoolExhausted"), "both are linked: {text}");
        let (status, _, complaint) = shell(&host, &["declare", "--from", "HighErrorRate"]);
        assert!(status == 1 && complaint.contains("HighErrorRate is linked to INC-1 already"), "{complaint}");
        // What is said counts more than what is proposed.
        let words = ["declare", "--from", "slowledger", "--severity", "sev3", "the ledger is slow"];
        assert_eq!(shell(&host, &words).1.trim(), "INC-2");
        let shown: serde_json::Value = serde_json::from_str(&host.run(&["show", "INC-2", "--json"]).1).unwrap();
        assert_eq!((&shown["severity"], &shown["title"]), (&json!("sev3"), &json!("the ledger is slow")), "{shown}");
        // Without alerts the severity is nobody's guess.
        assert_eq!(shell(&host, &["declare", "it is slow"]).0, 2);
    })
    .await
    .unwrap();
}

#[test]
fn a_change_becomes_a_theory_in_a_shell_by_the_word_that_its_line_has() {
    let host = Host::new();
    host.declare();
    for words in [&["version 4.12 went out", "--rollback", "deploy 4.11 again"][..], &["a flag was switched"]] {
        let words = [&["change", "-s", "alipay", "-k", "deploy", "--at", "-5m"], words].concat();
        assert_eq!(shell(&host, &words).0, 0);
    }
    let listed = host.run(&["changes"]).1;
    let line = listed.lines().find(|line| line.contains("version 4.12")).unwrap();
    let word = line.split(' ').next_back().unwrap();
    let (status, said, complaint) = shell(&host, &["theory-from", word]);
    assert_eq!(status, 0, "{said}{complaint}");
    let theories = host.run(&["theories"]).1;
    assert!(theories.contains("version 4.12 went out") && theories.contains("deploy 4.11 again"), "{theories}");
    let (status, _, complaint) = shell(&host, &["theory-from", "1"]);
    assert!(status == 1 && complaint.contains("warroom changes"), "{complaint}");
}

/// A playbook with a step that writes down how it was called, and its way back.
fn with_a_step(host: &Host, mark: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let books = host.home.path().join("config/warroom/playbooks");
    std::fs::create_dir_all(&books).unwrap();
    let script = host.home.path().join("drain");
    std::fs::write(
        &script,
        format!("#!/bin/sh\necho \"$*\" >> {}\necho \"said $*\"\n[ \"$1\" != bad ]\n", mark.display()),
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let script = script.display();
    let book = format!(
        r#"service = "ledger"
name = "Ledger"
public-name = "Ledger"
owner = "Ledger team (Mina)"
reviewed = 2026-11-01

[[steps]]
id = "drain"
title = "Drain a node"
phase = "triage"
look = "Look."
expect = "Well."
undo = "Undrain it."
do.command.argv = ["{script}", "{{how}}", "drain-{{node}}"]
do.command.undo = ["{script}", "good", "undrain-{{node}}"]
do.command.changes = true
do.command.environment = "production"
do.command.parameters.node = {{ word = "-", default = "node-1" }}
do.command.parameters.how = {{ word = "-", default = "good" }}
"#
    );
    std::fs::write(books.join("ledger.toml"), book).unwrap();
}

#[test]
fn a_step_runs_and_is_taken_back_in_a_shell_once_exactly_that_is_confirmed() {
    let host = Host::new();
    let mark = host.home.path().join("marks");
    let marks = || std::fs::read_to_string(&mark).unwrap_or_default();
    with_a_step(&host, &mark);
    let declared = shell(&host, &["declare", "-s", "ledger", "--severity", "sev1", "the ledger is slow"]);
    assert_eq!(declared.1.trim(), "INC-1", "{declared:?}");
    let (_, said, complaint) = shell(&host, &["run-step", "1"]);
    assert!(marks().is_empty() && (said + &complaint).contains("NOT NOW"), "{complaint}");
    assert_eq!(host.script(&["open", "INC-1", "--plain"], ":take-role sme\n:trust ledger\n:trust ledger 2\n").0, 0);
    let words = ["run-step", "1", "node=node-7"];
    let word = |words: &[&str]| {
        let (status, said, complaint) = shell(&host, words);
        assert_eq!((status, said.as_str()), (3, ""), "{complaint}");
        assert!(complaint.contains("PRODUCTION") && complaint.contains("drain-node-7"), "{complaint}");
        complaint.split("--yes '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned()
    };
    let confirms = word(&words);
    assert_eq!(
        shell(&host, &["run-step", "1", "node=node-8", "--yes", &confirms]).0,
        3,
        "another node is another thing"
    );
    assert_eq!(marks(), "", "nothing ran");
    let (status, said, complaint) = shell(&host, &[&words[..], &["--yes", &confirms]].concat());
    assert_eq!((status, marks().as_str()), (0, "good drain-node-7\n"), "{said}{complaint}");
    assert!(said.contains(" said good drain-node-7") && said.contains("exit 0"), "{said}");
    assert!(said.contains("does the expected result hold? then warroom check N"), "no key of a screen: {said}");
    assert!(host.run(&["runs"]).1.contains("exit 0"));
    // The way back goes to where the step went.
    let confirms = word(&["undo", "1"]);
    assert_eq!(shell(&host, &["undo", "1", "--yes", &confirms]).0, 0);
    assert_eq!(marks(), "good drain-node-7\ngood undrain-node-7\n");
    // What did not end well is no success.
    let words = ["run-step", "1", "node=node-7", "how=bad"];
    let confirms = word(&words);
    let (status, _, complaint) = shell(&host, &[&words[..], &["--yes", &confirms]].concat());
    assert_eq!(status, 1, "{complaint}");
    assert!(complaint.contains("Drain a node: exit 1"), "{complaint}");
}

#[test]
fn what_cannot_be_taken_back_is_shown_and_done_only_when_exactly_that_is_confirmed() {
    let host = Host::new();
    host.declare();
    assert_eq!(shell(&host, &["declare", "--severity", "sev2", "the same again"]).1.trim(), "INC-2");
    assert_eq!(shell(&host, &["note", "-i", "INC-1", "the customer is Jane"]).0, 0);
    assert_eq!(shell(&host, &["change", "Jane switched it"]).0, 0);
    let listed = host.run(&["redact", "INC-1"]).1;
    let line = listed.lines().find(|line| line.contains("Jane")).unwrap();
    let number = line.split_whitespace().next().unwrap();
    let acts: [(&[&str], &str, &[&str]); 3] = [
        (
            &["merge", "INC-2", "--into", "INC-1"],
            "merge:INC-2-into-INC-1",
            &["INC-2 (the same again) is closed", "into INC-1 (payments are slow)", "warroom unmerge INC-2"],
        ),
        (
            &["redact", "INC-1", number, "--reason", "a name"],
            &format!("redact:INC-1#{number}"),
            &["the customer is Jane", "nothing brings them back"],
        ),
        (&["redact", "--changes", "1"], "redact:change-c", &["Jane switched it", "nothing brings them back"]),
    ];
    let record = || format!("{}{}{}", host.run(&["show", "1"]).1, host.run(&["show", "2"]).1, host.run(&["changes"]).1);
    // The head counts seconds.
    let lines = |text: &str| text.lines().filter(|line| !line.contains(" for ")).count();
    for (words, confirms, shown) in acts {
        let before = lines(&record());
        let (status, said, complaint) = shell(&host, words);
        assert_eq!((status, said.as_str()), (3, ""), "{words:?}: {complaint}");
        for part in shown {
            assert!(complaint.contains(part), "{part} is not in {complaint}");
        }
        let word = complaint.split("--yes '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
        assert!(word.starts_with(confirms), "{word}");
        assert_eq!(shell(&host, &[words, &["--yes", "something else"]].concat()).0, 3);
        assert_eq!(lines(&record()), before, "{words:?} was done without a word");
        assert!(record().contains("Jane"));
        // On a terminal it is asked about.
        let folders = host.folders();
        let env: Vec<(&str, &str)> = folders.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let asked = [words, &["--as", "dana"]].concat();
        let mut terminal = pty::spawn(env!("CARGO_BIN_EXE_warroom").as_ref(), &asked, &env, (160, 30));
        terminal.wait_for("anything else leaves:", SOON);
        terminal.send("\n");
        assert_eq!(code(terminal.wait_exit(SOON)), 3);
        assert_eq!(lines(&record()), before, "{words:?} was done though nobody said yes");
        let (status, _, complaint) = shell(&host, &[words, &["--yes", &word]].concat());
        assert_eq!(status, 0, "{complaint}");
        // The same call again finds nothing to do, and asks nothing.
        if words[0] == "merge" {
            assert!(shell(&host, words).1.contains("nothing is left to do"));
            assert_eq!(shell(&host, &["unmerge", "INC-2", "--reason", "another one"]).0, 0);
        }
    }
    assert!(!record().contains("Jane"), "{}", record());
}
