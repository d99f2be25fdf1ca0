//! Changes: the file, the commands, and the two sources.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::Value;
use warroom::change::{Change, ChangeKind};
use warroom::clock;
use warroom::journal::{JournalDir, Sharing};
use warroom::live::{ChangeFinding, Finding, Watchlist};
use warroom::source::changes;

use crate::support::source::Seat;

fn change(what: &str) -> Change {
    let at = chrono::DateTime::from_timestamp_millis(clock::wall().timestamp_millis()).unwrap();
    Change {
        at,
        kind: ChangeKind::Deploy,
        service: Some("alipay".into()),
        what: what.into(),
        by: "ci".into(),
        link: None,
        rollback: None,
        more: Default::default(),
    }
}

fn what(found: &ChangeFinding) -> Vec<&str> {
    found.changes.iter().map(|change| change.what.as_str()).collect()
}

#[test]
fn eight_pipelines_that_append_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = JournalDir::open(folder.path().join("journal"), Sharing::Private).unwrap();
    std::thread::scope(|scope| {
        for pipeline in 0..8 {
            let file = dir.changes();
            scope.spawn(move || {
                for number in 0..25 {
                    file.append(&change(&format!("{pipeline} {number} {}", "x".repeat(number * 70)))).unwrap();
                }
            });
        }
    });
    let reading = dir.changes().read().unwrap();
    assert_eq!((reading.changes.len(), reading.damaged, reading.is_torn), (200, 0, false));
    for pipeline in 0..8 {
        let own = reading.changes.iter().filter(|change| change.what.starts_with(&format!("{pipeline} ")));
        let numbers: Vec<usize> = own.map(|one| one.what.split(' ').nth(1).unwrap().parse().unwrap()).collect();
        assert_eq!(numbers, (0..25).collect::<Vec<_>>(), "in the order in which it wrote");
    }
}

#[test]
fn the_file_of_changes_has_the_modes_of_the_journal_and_a_link_in_its_place_is_refused() {
    for (sharing, mode) in [(Sharing::Private, 0o600), (Sharing::Group, 0o660)] {
        let folder = tempfile::tempdir().unwrap();
        let dir = JournalDir::open(folder.path().join("journal"), sharing).unwrap();
        let file = dir.changes();
        assert!(file.read().unwrap().changes.is_empty(), "there is none yet");
        file.append(&change("one")).unwrap();
        let has = || fs::metadata(file.path()).unwrap().permissions().mode() & 0o7777;
        assert_eq!(has(), mode);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o666)).unwrap();
        file.append(&change("two")).unwrap();
        assert_eq!((has(), file.read().unwrap().changes.len()), (mode, 2), "it is put right");
        let elsewhere = folder.path().join("elsewhere");
        fs::rename(file.path(), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, file.path()).unwrap();
        assert!(file.append(&change("three")).unwrap_err().to_string().contains("is not a plain file"));
        assert!(dir.ids().unwrap().is_empty(), "it is no incident");
    }
}

/// Runs the real program on a home of its own.
fn warroom(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
    command.args(["--as", "dana"]).args(arguments).env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_change_that_was_recorded_is_listed_with_how_to_undo_it() {
    let home = tempfile::tempdir().unwrap();
    let none = warroom(home.path(), &["changes"]);
    assert!(none.status.success() && text(&none.stdout).starts_with("nothing changed in the last 2h"), "{none:?}");
    let told = ["change", "-s", "alipay", "--kind", "deploy", "--at", "-5m", "--link", "https://ci/1"];
    let told = warroom(home.path(), &[&told[..], &["--rollback", "route-to-backup", "gateway v42"]].concat());
    assert!(told.status.success() && told.stdout.is_empty() && told.stderr.is_empty(), "{told:?}");
    let flag = warroom(home.path(), &["change", "-s", "nowhere", "-k", "flag", "new", "checkout", "on"]);
    assert!(flag.status.success() && text(&flag.stderr).contains("recorded, but no playbook is named `nowhere`"));
    assert!(warroom(home.path(), &["change", "--at", "-3h", "an old one"]).status.success());
    let list = text(&warroom(home.path(), &["changes"]).stdout);
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines.len(), 2, "{list}");
    assert!(lines[0].contains("flag") && lines[0].contains("new checkout on  (by dana)"), "the newest first: {list}");
    let end = "deploy    alipay       gateway v42  (by dana; undo: route-to-backup; https://ci/1)";
    assert!(lines[1].contains(end), "{list}");
    let json = warroom(home.path(), &["changes", "--json", "--since", "1d"]);
    let whole: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(whole["changes"].as_array().unwrap().len(), 3);
    assert_eq!((&whole["changes"][1]["rollback"], &whole["unreadable_lines"]), (&"route-to-backup".into(), &0.into()));
    for (arguments, status, sentence) in [
        (&["change", "-s", "alipay"][..], 2, "say what changed"),
        (&["change", "--at", "soon", "x"], 2, "`soon` is no time"),
        (&["change", "--at", "2126-01-01", "x"], 2, "2126-01-01 is more than ten years away"),
        (&["change", "--kind", "helm", "x"], 2, "choose deploy, flag, terraform, config, other"),
        (&["changes", "--since", "yesterday"], 2, "is no length of time"),
    ] {
        let refused = warroom(home.path(), arguments);
        assert_eq!(refused.status.code(), Some(status), "{arguments:?}");
        assert!(text(&refused.stderr).contains(sentence), "{refused:?}");
    }
}

#[test]
fn a_change_that_does_not_fit_on_the_disk_is_said_and_leaves_no_half_line() {
    let home = tempfile::tempdir().unwrap();
    let mut saved = 0;
    let refused = loop {
        // 1,024 or 512 bytes, as the shell counts: two to ten lines.
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -f 1; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_warroom"), "change"]);
        command.arg("a line of some length").env("XDG_STATE_HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
        let output = command.output().unwrap();
        if !output.status.success() {
            break output;
        }
        saved += 1;
        assert!(saved < 20, "the limit holds");
    };
    assert!(saved > 1 && refused.status.code() == Some(1), "{saved}: {refused:?}");
    let bytes = fs::read(home.path().join("warroom/journal/changes.jsonl")).unwrap();
    let reading = warroom::change::read(&bytes);
    assert_eq!((reading.changes.len(), reading.damaged, reading.is_torn), (saved, 0, false), "{refused:?}");
}

#[test]
fn what_the_configured_command_prints_is_listed_too_and_its_failure_is_said() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("warroom");
    fs::create_dir_all(&folder).unwrap();
    let at = clock::wall().to_rfc3339();
    let program = format!("printf '{{\"at\":\"{at}\",\"what\":\"from the pipeline\"}}\\\\nnonsense\\\\n'");
    fs::write(folder.join("config.toml"), format!("[changes]\ncommand = ['sh', '-c', \"\"\"{program}\"\"\"]\n"))
        .unwrap();
    assert!(warroom(home.path(), &["change", "by hand"]).status.success());
    let list = warroom(home.path(), &["changes"]);
    assert!(list.status.success() && text(&list.stdout).contains("from the pipeline"), "{list:?}");
    assert!(text(&list.stdout).contains("by hand") && text(&list.stderr).contains("1 line of the changes"), "{list:?}");
    fs::write(folder.join("config.toml"), "[changes]\ncommand = ['/nowhere/deploys']\n").unwrap();
    let list = warroom(home.path(), &["changes"]);
    assert_eq!((list.status.code(), text(&list.stdout).lines().count()), (Some(1), 1), "{list:?}");
    assert!(text(&list.stderr).contains("the command `/nowhere/deploys` cannot be run"), "{list:?}");
}

/// The next list of changes, and that the poll went well.
async fn changes(seat: &mut Seat) -> ChangeFinding {
    let found = seat.until(|found| if let Finding::Changes(found) = found { Some(found) } else { None }).await;
    assert_eq!(seat.next().await, Finding::Polled);
    found
}

#[tokio::test(start_paused = true)]
async fn the_file_is_read_when_it_appears_grows_and_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let dir = JournalDir::open(folder.path().join("journal"), Sharing::Private).unwrap();
    let file = dir.changes();
    let seat = || Seat::of(changes::file(file.path().to_owned()), Watchlist::default());
    assert_eq!(changes(&mut seat()).await, ChangeFinding::default(), "no file is no failure");
    file.append(&change("one")).unwrap();
    let mut watching = seat();
    assert_eq!(what(&changes(&mut watching).await), ["one"]);
    let mut old = change("of the day before yesterday");
    old.at -= chrono::TimeDelta::days(2);
    file.append(&old).unwrap();
    file.append(&change("two")).unwrap();
    // At the next look, five seconds of the clock later.
    assert_eq!(what(&changes(&mut watching).await), ["two", "one"], "the newest first, and a day of them");
    let mut text = fs::read(file.path()).unwrap();
    text.splice(0..0, *b"nonsense\n");
    fs::write(file.path(), [&text, &b"{\"at\":"[..]].concat()).unwrap();
    let found = changes(&mut seat()).await;
    assert_eq!(what(&found), ["two", "one"]);
    assert_eq!(found.remarks, ["1 line of the changes cannot be read"]);
    fs::remove_file(file.path()).unwrap();
    fs::create_dir(file.path()).unwrap();
    let failure = seat().poll().await.1.unwrap_err();
    assert!(failure.contains("changes.jsonl cannot be read: it is no plain file"), "{failure}");
}

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

#[tokio::test]
async fn a_commands_lines_are_changes_and_each_of_its_failures_is_a_sentence() {
    let line = change("v42").to_json();
    let mut seat =
        Seat::of(changes::command(shell(&format!("echo '{line}'")), Duration::from_secs(60)), Watchlist::default());
    assert_eq!(what(&changes(&mut seat).await), ["v42"]);
    for (argv, sentence) in [
        (shell("echo oops >&2; echo; echo no network >&2; exit 3"), "failed with exit status: 3 (no network)"),
        (shell("yes"), "prints more than 256 KB and was ended"),
        (vec!["/nowhere/deploys".to_owned()], "cannot be run (No such file or directory"),
        (shell("kill -9 $$"), "failed with signal: 9"),
        (Vec::new(), "is empty"),
    ] {
        let failure = changes::ask(&argv).await.unwrap_err();
        assert!(failure.contains(sentence), "{failure}");
        assert!(failure.contains("correct `command` in [changes]"), "{failure}");
        let mut seat = Seat::of(changes::command(argv, Duration::from_secs(60)), Watchlist::default());
        assert_eq!(seat.poll().await.1.unwrap_err(), failure.to_string());
    }
    // A megabyte of complaints stops nobody, there is nothing to read from, and there is no shell unless one is asked for.
    let loud = format!("head -c 1000000 /dev/zero >&2; cat; echo '{line}'; printf half");
    let reading = changes::ask(&shell(&loud)).await.unwrap();
    assert_eq!((reading.changes.len(), reading.damaged), (1, 1));
    let plain = ["echo", "$HOME;", &line].map(str::to_owned);
    assert_eq!(changes::ask(&plain).await.unwrap().damaged, 1, "the words are printed as they are");
}

/// Whether a process is still there.
fn is_there(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[tokio::test]
async fn a_command_that_hangs_goes_with_its_children_when_the_console_does() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let script = format!("sleep 600 & echo $! $$ > {0}.new; mv {0}.new {0}; wait", pids.display());
    let seat = Seat::of(changes::command(shell(&script), Duration::from_secs(60)), Watchlist::default());
    let both = loop {
        match fs::read_to_string(&pids) {
            Ok(text) => break text,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert!(both.split_whitespace().all(is_there), "{both}");
    let begun = tokio::time::Instant::now();
    drop(seat);
    while both.split_whitespace().any(is_there) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{both}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_ended_after_ten_seconds() {
    let failure = changes::ask(&shell("sleep 600")).await.unwrap_err();
    assert!(failure.contains("did not end within 10 s and was ended"), "{failure}");
}

#[tokio::test]
async fn a_pipeline_posts_a_signed_change_and_every_console_of_the_folder_can_read_it() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "a secret of the team\n").unwrap();
    let warroom = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_warroom"));
        command.args(arguments).env("XDG_STATE_HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
        command
    };
    let file = secret.to_str().unwrap();
    let listen = ["listen", "--address", "127.0.0.1:0", "--secret-file", file];
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = warroom(&listen).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "everybody can read the secret");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("secret"), "{refused:?}");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = warroom(&["listen", "--address", "0.0.0.0:0", "--secret-file", file]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("put a proxy in front"), "{refused:?}");

    struct Ended(std::process::Child);
    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let piped = std::process::Stdio::piped;
    let mut child = Ended(warroom(&listen).stdout(piped()).stderr(piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().rsplit(' ').next().unwrap().to_owned();
    let body = r#"{"at":"2026-11-24T10:00:00Z","kind":"deploy","service":"alipay","what":"gateway 4.12","by":"ci"}"#;
    let post = async |secret: &str| {
        let at = clock::wall().timestamp();
        let signature = warroom::channel::webhook::sign(secret, "m1", at, body);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let request = client.post(&url).header("webhook-id", "m1").header("webhook-timestamp", at);
        request.header("webhook-signature", signature).body(body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("not the secret of the team").await, 401);
    assert_eq!((post("a secret of the team").await, post("a secret of the team").await), (200, 200));
    drop(child);
    let listed = warroom(&["changes", "--since", "9000h", "--json"]).output().unwrap();
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["changes"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed["changes"][0]["what"], "gateway 4.12");
}
