//! The commands of line mode as subcommands of a shell: one table, the same refusals, nothing sent without a word.

use std::process::Stdio;

use rustix::process::Signal;
use warroom::run::plain::{command_table, in_shell, in_shell_by_subject};

use crate::plain::{Host, SOON};
use crate::support::http::{Reply, Server};
use crate::support::pty::{self, code};
use crate::support::services::slack::{STATUS, Slack, TOKEN};

/// How a subcommand ended, and what it said on both streams.
fn shell(host: &Host, words: &[&str]) -> (i32, String, String) {
    let output = host.command(words).env("SLACK", TOKEN).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (code(output.status), text(output.stdout), text(output.stderr))
}

/// Words without what differs from one run to the next: times, and the zone that a shell names.
fn timeless(text: &str) -> String {
    let words = text.replace(" UTC", "");
    words.chars().map(|letter| if letter.is_ascii_digit() { '0' } else { letter }).collect()
}

#[test]
fn every_command_of_line_mode_is_a_subcommand_and_refuses_in_the_same_words() {
    let (here, there) = (Host::new(), Host::new());
    here.declare();
    there.declare();
    // Both hosts go through the same commands, so that their records go on being alike.
    let verbs: Vec<_> = in_shell_by_subject().flat_map(|(_, verbs)| verbs).collect();
    let script: String = verbs.iter().map(|verb| format!(":{} 999 zzz\n:card ic\n", verb.line)).collect();
    let (status, said) = there.script(&["open", "--plain"], &script);
    assert_eq!(status, 0, "{said}");
    let line_mode: Vec<&str> = said.lines().collect();
    let (mut refused, mut from) = (0, 0);
    for verb in &verbs {
        let (mut status, _, mut complaint) = shell(&here, &[verb.name, "-i", "INC-1", "999", "zzz"]);
        assert!(!complaint.contains("unrecognized") && !complaint.contains("Usage:"), "{}: {complaint}", verb.name);
        if status == 3 {
            let word = complaint.split("--yes '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
            (status, _, complaint) = shell(&here, &[verb.name, "999", "zzz", "--yes", &word]);
        }
        let answer = line_mode[from..].iter().position(|line| *line == "the Incident Commander:").unwrap() + from;
        let sentences = line_mode[from..answer].iter().filter_map(|line| line.strip_prefix("! "));
        let sentences: Vec<String> = sentences.map(|line| timeless(&in_shell(line))).collect();
        from = answer + 1;
        let said = complaint.lines().filter_map(|line| line.strip_prefix("warroom: ")).map(timeless);
        let said: Vec<String> = said.collect();
        // A shell names lines, alerts and silences by what lasts, line mode by the last list: the sentence says where either stands.
        let names_nothing = |all: &[String]| matches!(all, [one] if ["no line", "no alert", "no silence"].iter().any(|no| one.contains(no)));
        if !(names_nothing(&said) && names_nothing(&sentences)) {
            assert_eq!(said, sentences, "{} in a shell, and in line mode", verb.name);
        }
        assert_eq!(status == 0, sentences.is_empty(), "{} ended with {status}: {complaint}", verb.name);
        refused += usize::from(status != 0);
    }
    assert!(refused > 25 && verbs.len() > 50, "{refused} of {} were refused", verbs.len());
    let help = shell(&here, &["--help"]).1;
    for verb in verbs {
        assert!(help.contains(verb.name), "--help lacks {}", verb.name);
        let (status, explained, _) = shell(&here, &[verb.name, "--help"]);
        assert_eq!((status, explained.contains("Usage")), (0, true), "{}", verb.name);
    }
    // Of the others the table says in a sentence what there is instead.
    let is_command = |shell: &str| shell.starts_with("`warroom ") && shell.ends_with('`');
    for row in command_table().filter(|row| is_command(&row.shell) && row.names[0] != "help") {
        let name = row.shell.trim_matches('`').split(' ').nth(1).unwrap().to_owned();
        assert_eq!(shell(&here, &[&name, "--help"]).0, 0, "{name} is in the table, and no subcommand");
    }
}

#[test]
fn an_incident_is_run_from_a_shell_with_flags_in_any_place_and_numbers_that_last() {
    let host = Host::new();
    host.declare();
    let done = |words: &[&str]| {
        let (status, said, complaint) = shell(&host, words);
        assert_eq!(status, 0, "{words:?}: {complaint}");
        said
    };
    done(&["-i", "INC-1", "take", "ic"]);
    assert!(done(&["ack", "--incident", "1"]).contains("ACK acknowledged (dana)"));
    done(&["impact-start", "-5m"]);
    done(&["assign", "@omid", "check", "p99", "5m", "-i", "INC-1"]);
    done(&["assign", "@sara", "look", "at", "the", "pool", "5m"]);
    assert!(done(&["tasks"]).contains("task 2 @sara look at the pool"));
    done(&["done", "1", "it is fine"]);
    // The number of the second task is the second's, though it is the only one now.
    assert!(done(&["tasks"]).starts_with("task 2 @sara"));
    assert!(done(&["blocked", "2", "no access"]).contains("@sara look at the pool"));
    let (status, _, complaint) = shell(&host, &["done", "7"]);
    assert_eq!(status, 1);
    assert!(complaint.contains("there is no task 7: warroom tasks lists them"), "{complaint}");
    done(&["propose", "restart it | some fail | restart it again"]);
    done(&["decide", "1", "yes", "it costs little"]);
    let due = done(&["due"]);
    let word = due.lines().find_map(|line| line.split(' ').next().filter(|word| word.starts_with("tell-"))).unwrap();
    assert!(done(&["snooze", word, "5m", "they sleep"]).contains("snooze "));
    let told = done(&["told"]);
    let position = told.split(' ').nth(1).unwrap();
    assert!(done(&["told", position, "by phone"]).contains("by phone"));
    // A line is named by its number in the record, wherever it stands among the last ones.
    done(&["note", "a typo"]);
    let shown = done(&["show", "INC-1"]);
    let number = shown.lines().find(|line| line.contains("a typo")).and_then(|line| line.rsplit('#').next()).unwrap();
    done(&["note", "another line"]);
    assert!(done(&["log"]).contains(&format!("#{number} ")));
    assert!(done(&["amend", number, "no typo"]).contains("now reads: no typo"));
    assert!(done(&["strike", &format!("#{number}"), "not needed"]).contains("is struck through"));
    let (status, _, complaint) = shell(&host, &["strike", "4711"]);
    assert!(status == 1 && complaint.contains("INC-1 has no line #4711"), "{complaint}");
    let (_, said) = host.script(&["open", "--plain"], &format!(":amend #{number} in line mode, too\n"));
    assert!(said.contains("now reads: in line mode, too"), "{said}");
    // What it says of a moment it says in the incident's zone, and names it.
    let (status, _, complaint) = shell(&host, &["ack"]);
    assert_eq!(status, 1);
    assert!(complaint.contains("dana acknowledged at ") && complaint.contains(" UTC"), "{complaint}");
    assert_eq!(shell(&host, &["list", "-i", "INC-1"]).0, 2, "a list is not about one incident");
    assert_eq!(shell(&host, &["show", "INC-1", "-i", "INC-2"]).0, 2, "two are named");
}

#[test]
fn in_a_shell_a_moment_is_in_the_incidents_zone() {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "zone = \"Asia/Tehran\"\n").unwrap();
    host.declare();
    assert_eq!(shell(&host, &["take", "ic"]).0, 0);
    assert_eq!(shell(&host, &["ack"]).0, 0);
    let (_, _, complaint) = shell(&host, &["ack"]);
    assert!(complaint.contains(" +0330"), "{complaint}");
    let (_, _, complaint) = shell(&host, &["redact", "INC-1", "99", "--reason", "x"]);
    assert!(!complaint.contains("UTC"), "{complaint}");
}

#[test]
fn a_name_in_a_shell_means_whom_it_means_in_a_console() {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    let people = "[[people]]\nname = \"Omid Karimi\"\nlogin = \"omid\"\n[[people]]\nname = \"Omid Rad\"\n\
                  [[people]]\nname = \"Sara Ahmadi\"\naliases = [\"sa\"]\n";
    std::fs::write(folder.join("config.toml"), people).unwrap();
    host.declare();
    assert!(shell(&host, &["assign", "@sa", "check", "p99", "5m"]).1.contains("@Sara Ahmadi check p99"));
    let (status, _, complaint) = shell(&host, &["assign", "@nobody-knows", "check", "p99", "5m"]);
    let (_, line) = host.script(&["open", "--plain"], ":assign @nobody-knows check p99 5m\n");
    let refusal = line.lines().find_map(|line| line.strip_prefix("! ")).map(in_shell);
    assert_eq!(refusal.as_deref(), complaint.trim_end().strip_prefix("warroom: "), "{line}");
    assert_eq!(status, i32::from(refusal.is_some()));
}

/// A Slack that takes every message, or none.
async fn slack(takes: bool) -> Server {
    let slack = Slack::default();
    Server::start(move |request| {
        let is_post = request.path.ends_with("postMessage");
        if is_post && !takes { Reply::json(r#"{"ok":false,"error":"is_archived"}"#) } else { slack.answer(request) }
    })
    .await
}

fn with_slack(server: &Server) -> Host {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "[slack]\nurl = \"{}/api\"\nbearer-env = \"SLACK\"\n[slack-channels]\nstatus = \"{STATUS}\"\n",
        server.url()
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
    host.declare();
    host
}

fn posts(server: &Server) -> usize {
    server.requests().iter().filter(|request| request.path.ends_with("postMessage")).count()
}

#[tokio::test]
async fn what_goes_out_names_its_target_and_is_sent_only_when_exactly_that_is_confirmed() {
    let server = slack(true).await;
    let host = with_slack(&server);
    let (host, server) = tokio::task::spawn_blocking(move || {
        assert_eq!(shell(&host, &["take", "ic"]).0, 0);
        let (status, said, complaint) = shell(&host, &["update", "payments fail"]);
        assert_eq!((status, said.as_str()), (3, ""), "{complaint}");
        for words in ["to slack C012345678 (#status-qrpay): message", "payments fail", "--yes '"] {
            assert!(complaint.contains(words), "{words} is not in {complaint}");
        }
        assert_eq!(shell(&host, &["update", "payments fail", "--yes", "slack:C0OTHER"]).0, 3);
        assert_eq!(shell(&host, &["update", "payments fail", "--dry-run"]).0, 0);
        assert_eq!(posts(&server), 0, "nobody confirmed it");
        assert!(!host.run(&["show", "INC-1"]).1.contains("payments fail"), "nothing is on record either");
        (host, server)
    })
    .await
    .unwrap();
    let (host, server) = tokio::task::spawn_blocking(move || {
        let word = "internal-page,incident-channel,slack:C012345678";
        let (status, said, complaint) = shell(&host, &["update", "payments fail", "--yes", word]);
        assert_eq!(status, 0, "{said}{complaint}");
        (host, server)
    })
    .await
    .unwrap();
    assert_eq!(posts(&server), 1);
    drop(host);
}

#[tokio::test]
async fn what_is_on_disk_and_was_refused_elsewhere_has_a_status_of_its_own() {
    let server = slack(false).await;
    let host = with_slack(&server);
    tokio::task::spawn_blocking(move || {
        assert_eq!(shell(&host, &["take", "ic"]).0, 0);
        let word = "internal-page,incident-channel,slack:C012345678";
        let (status, said, complaint) = shell(&host, &["update", "payments fail", "--yes", word]);
        assert_eq!(status, 5, "{said}{complaint}");
        assert!(complaint.contains("not sent: ") && complaint.contains("archived"), "{complaint}");
    })
    .await
    .unwrap();
}

#[test]
fn on_a_terminal_the_end_of_an_incident_is_asked_about() {
    let host = Host::new();
    host.declare();
    let say = |answer: &str| {
        let folders = host.folders();
        let env: Vec<(&str, &str)> = folders.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let words = ["false-alarm", "it was a test", "--as", "dana"];
        let mut asked = pty::spawn(env!("CARGO_BIN_EXE_warroom").as_ref(), &words, &env, (100, 30));
        asked.wait_for("INC-1 enters the phase Closed", SOON);
        asked.wait_for("anything else leaves:", SOON);
        asked.send(answer);
        code(asked.wait_exit(SOON))
    };
    assert_eq!(say("\n"), 3);
    assert_eq!(host.run(&["show", "INC-1"]).1.matches("false alarm").count(), 0);
    assert_eq!(say("y\n"), 0);
    assert!(host.run(&["show", "INC-1"]).1.contains("Closed"));
}

#[test]
fn each_exit_status_is_as_the_table_says() {
    let host = Host::new();
    host.declare();
    assert_eq!(shell(&host, &["note", "a line"]).0, 0);
    assert_eq!(shell(&host, &["ack"]).0, 1, "refused");
    assert_eq!(shell(&host, &["snooze"]).0, 2, "called wrongly");
    assert_eq!(shell(&host, &["note", "-i", "nonsense", "x"]).0, 2, "called wrongly");
    assert_eq!(shell(&host, &["false-alarm", "it was a test"]).0, 3, "not confirmed");
    // A disk that is full takes no answer; what was done is done.
    let full = || Stdio::from(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let declared = host
        .command(&["declare", "--severity", "sev2", "another one"])
        .stdout(full())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let complaint = String::from_utf8(declared.stderr).unwrap();
    assert_eq!(code(declared.status), 4, "{complaint}");
    assert!(
        complaint.contains("done, printing failed (No space left") && complaint.contains("): INC-2"),
        "{complaint}"
    );
    assert_eq!(host.run(&["show", "INC-2"]).0, 0, "it is there");
    assert_eq!(code(host.command(&["list"]).stdout(full()).output().unwrap().status), 1, "nothing was done");
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mut follower = host.start(&["open", "INC-1", "--plain", "--read-only"]);
        follower.ready();
        follower.signal(signal);
        assert_eq!(code(follower.wait_exit(SOON)), status);
    }
}

#[test]
fn a_proof_that_is_asked_for_resolves_nothing_and_the_shell_hears_it() {
    let host = Host::new();
    host.declare();
    let (status, said, complaint) = shell(&host, &["resolve", "-i", "INC-1"]);
    assert_eq!(
        (status, complaint.as_str()),
        (2, "warroom: write warroom resolve FINAL STATUS: nothing was resolved yet\n")
    );
    assert!(
        said.contains("proof: ") && said.contains("left undone: ") && said.contains("final status so far: "),
        "{said}"
    );
    assert!(host.run(&["show", "INC-1"]).1.contains("Detected"), "it goes on");
}

#[tokio::test]
async fn a_silence_in_a_shell_names_what_it_keeps_quiet_or_says_that_nobody_knows() {
    let begun = warroom::run::clock::wall().to_rfc3339();
    let alert = |name: &str| {
        serde_json::json!({
            "annotations": {}, "startsAt": begun, "updatedAt": begun, "endsAt": "0001-01-01T00:00:00Z",
            "fingerprint": format!("{name:0>16}"), "receivers": [], "generatorURL": "http://vm/g",
            "status": { "inhibitedBy": [], "silencedBy": [], "state": "active" },
            "labels": { "alertname": name, "service": "alipay", "severity": "critical" },
        })
    };
    let told = serde_json::json!([alert("HighErrorRate"), alert("PoolFull")]).to_string();
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v2/alerts" => Reply::json(told.clone()),
        _ => Reply::status(404, "404 page not found\n"),
    })
    .await;
    let url = server.url();
    let asked = tokio::task::spawn_blocking(move || {
        let host = Host::new();
        host.declare();
        let asks = |url: &str| {
            let words = ["silence", "30m", "alertname=~\"High.*\"", "the backup", "-i", "INC-1"];
            let output = host.command(&words).env("WARROOM_ALERTMANAGER__URL", url).output().unwrap();
            (code(output.status), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        // Nothing listens at the other place.
        (asks(&url), asks("http://127.0.0.1:9"))
    });
    let (known, unknown) = asked.await.unwrap();
    assert_eq!(known.0, 3, "{}{}", known.2, known.2);
    assert!(
        known.2.contains("  keeps quiet now: HighErrorRate\n") && !known.2.contains("not all known"),
        "{}",
        known.2
    );
    assert_eq!(unknown.0, 3, "{}{}", unknown.2, unknown.2);
    let unheard = "  which alerts it keeps quiet is not all known: alertmanager has told none\n";
    assert!(unknown.2.contains(unheard), "{}", unknown.2);
}
