//! What a shell reads: `show --follow`, the pager, colours, and streams that are full, closed or somebody else's.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use crate::plain::{Host, Plain, SOON};
use crate::support::pty::{self, Pty, code};

/// A host whose record has so many lines.
fn with_lines(count: usize) -> Host {
    let host = Host::new();
    host.declare();
    let script: String = (0..count).map(|number| format!("line number {number}\n")).collect();
    assert_eq!(host.script(&["open", "--plain"], &script).0, 0);
    host
}

/// A terminal on which a subcommand runs.
fn on_a_terminal(host: &Host, words: &[&str], more: &[(&str, &str)]) -> Pty {
    let folders = host.folders();
    let mut env: Vec<(&str, &str)> = folders.iter().map(|(name, value)| (*name, value.as_str())).collect();
    env.extend([("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")]);
    env.extend_from_slice(more);
    let words: Vec<&str> = words.iter().copied().chain(["--as", "dana"]).collect();
    pty::spawn(env!("CARGO_BIN_EXE_warroom").as_ref(), &words, &env, (100, 30))
}

#[test]
fn show_follows_the_record_through_a_pipe_until_ctrl_c() {
    let host = with_lines(3);
    let mut follower = Plain::spawn(&mut host.command(&["show", "INC-1", "--follow"]));
    follower.wait_for("note      line number 2  (dana)", SOON);
    assert_eq!(host.run(&["note", "somebody wrote this"]).0, 0);
    follower.wait_for("somebody wrote this  (dana)", SOON);
    assert_eq!(host.run(&["take", "ic"]).0, 0);
    follower.wait_for("dana is Incident Commander", SOON);
    follower.signal(Signal::WINCH);
    assert_eq!(host.run(&["note", "after a resize"]).0, 0);
    follower.wait_for("after a resize  (dana)", SOON);
    follower.signal(Signal::INT);
    assert_eq!(code(follower.wait_exit(SOON)), 130);
    let mut objects = Plain::spawn(&mut host.command(&["show", "-i", "INC-1", "-f", "--json"]));
    let line = objects.wait_for("after a resize", SOON);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap()["tag"], "note");
}

#[test]
fn show_ends_when_nobody_reads_and_says_when_the_record_is_gone() {
    let host = with_lines(1);
    let mut child = host.command(&["show", "INC-1", "--follow"]).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    drop(stdout);
    assert_eq!(code(crate::plain::exit_within(&mut child, SOON)), 0, "nobody reads any more");
    let mut child = host.command(&["show", "INC-1", "--follow"]).spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    while !first.contains("line number 0") {
        first.clear();
        stdout.read_line(&mut first).unwrap();
    }
    std::fs::remove_file(host.home.path().join("state/warroom/journal/INC-1.db")).unwrap();
    assert_eq!(code(crate::plain::exit_within(&mut child, SOON)), 1);
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert!(complaint.contains("INC-1 is gone"), "{complaint}");
}

#[test]
fn a_long_answer_goes_through_the_pager_and_one_that_is_left_early_is_no_error() {
    let host = with_lines(200);
    let pager = host.home.path().join("pager");
    std::fs::write(&pager, "#!/bin/sh\necho PAGED\nhead -n 3\necho LEFT EARLY\n").unwrap();
    std::fs::set_permissions(&pager, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let pager = pager.display().to_string();
    let mut paged = on_a_terminal(&host, &["show", "INC-1"], &[("PAGER", &pager)]);
    paged.wait_for("PAGED", SOON);
    paged.wait_for("LEFT EARLY", SOON);
    assert_eq!(code(paged.wait_exit(SOON)), 0);
    let mut plain = on_a_terminal(&host, &["--no-pager", "show", "INC-1"], &[("PAGER", &pager)]);
    plain.wait_for("line number 199", SOON);
    assert_eq!(code(plain.wait_exit(SOON)), 0);
    assert!(!plain.contents().contains("PAGED"));
    // Without a pager the answer is printed all the same.
    let mut none = on_a_terminal(&host, &["show", "INC-1"], &[("PAGER", "/nonexistent/pager")]);
    none.wait_for("line number 199", SOON);
    assert_eq!(code(none.wait_exit(SOON)), 0);
}

#[test]
fn colours_are_for_a_terminal_unless_somebody_says_otherwise() {
    let host = with_lines(1);
    let piped = |words: &[&str]| host.run(words).1.contains('\u{1b}');
    assert!(!piped(&["show", "INC-1"]) && !piped(&["list"]));
    assert!(piped(&["show", "INC-1", "--color", "always"]) && piped(&["--color", "always", "list"]));
    let seen = |words: &[&str], more: &[(&str, &str)]| {
        let mut terminal = on_a_terminal(&host, words, more);
        assert_eq!(code(terminal.wait_exit(SOON)), 0);
        terminal.raw().windows(3).any(|bytes| bytes == b"\x1b[2" || bytes == b"\x1b[1")
    };
    assert!(seen(&["show", "INC-1", "--no-pager"], &[]));
    assert!(!seen(&["show", "INC-1", "--no-pager"], &[("NO_COLOR", "1")]));
    assert!(!seen(&["show", "INC-1", "--no-pager", "--color", "never"], &[]));
}

#[test]
fn input_for_a_command_is_passed_on_or_refused_and_never_dropped() {
    let host = Host::new();
    host.declare();
    let piped = |words: &[&str], text: &str| {
        let mut child = host.command(words).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (code(output.status), text(output.stdout), text(output.stderr))
    };
    let (status, _, complaint) = piped(&["--as", "dana", "run", "--", "cat"], "x\n");
    assert_eq!(status, 2, "{complaint}");
    assert!(complaint.contains("--input passes it on"), "{complaint}");
    let (status, said, complaint) = piped(&["--as", "dana", "run", "--input", "--", "cat"], "for the command\n");
    assert_eq!((status, said.as_str()), (0, "for the command\n"), "{complaint}");
    let file = host.home.path().join("input");
    std::fs::write(&file, "of a file\n").unwrap();
    let output = host
        .command(&["--as", "dana", "run", "--input", "--", "cat"])
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "of a file\n");
    assert_eq!(host.run(&["--as", "dana", "run", "--", "true"]).0, 0);
}

#[test]
fn a_loop_over_a_list_of_incidents_is_never_taken_for_notes() {
    let host = Host::new();
    host.declare();
    assert_eq!(host.run(&["declare", "--severity", "sev3", "another one"]).0, 0);
    let list = host.home.path().join("list");
    std::fs::write(&list, "INC-1\nINC-2\n").unwrap();
    let folders: Vec<String> = host.folders().iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    let loop_ = format!(
        "export {}; while read id; do {} open $id --as dana; done < {}",
        folders.join(" "),
        env!("CARGO_BIN_EXE_warroom"),
        list.display()
    );
    let output = std::process::Command::new("sh").args(["-c", &loop_]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("INC-1 SEV2") && said.contains("INC-2 SEV3"), "{said}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("stdin is not read here: --plain"));
    let (_, record) = host.run(&["show", "INC-1"]);
    assert!(!record.contains("INC-2"), "the list became a note:\n{record}");
}

#[test]
fn an_answer_comes_whole_through_a_pipe_that_does_not_block() {
    let host = Host::new();
    host.declare();
    // More than a pipe holds.
    let script: String = (0..100).map(|number| format!("line number {number} {}\n", "-".repeat(1000))).collect();
    assert_eq!(host.script(&["open", "--plain"], &script).0, 0);
    let (read, write) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&write, true).unwrap();
    let mut child = host.command(&["show", "INC-1"]).stdout(write).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let mut said = String::new();
    BufReader::new(read).read_to_string(&mut said).unwrap();
    assert_eq!(code(child.wait().unwrap()), 0);
    assert!(said.contains("line number 99 -") && said.len() > 100_000, "it was cut after {} bytes", said.len());
}

#[test]
fn a_note_that_could_be_for_many_incidents_names_ten_of_them() {
    let host = Host::new();
    for number in 1..=14 {
        let severity = if number == 13 { "sev1" } else { "sev3" };
        assert_eq!(host.run(&["declare", "--severity", severity, &format!("incident {number}")]).0, 0);
    }
    let output = host.command(&["note", "for which one?"]).output().unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(code(output.status), 2);
    let named = complaint.lines().filter(|line| line.starts_with("INC-")).count();
    assert_eq!(named, 10, "{complaint}");
    assert!(
        complaint.contains("14 incidents are open: name one with -i\nINC-13 "),
        "the worst comes first: {complaint}"
    );
    assert!(complaint.contains("… 4 more: `warroom list` shows all"), "{complaint}");
}

#[test]
fn what_is_days_old_has_its_day_and_what_is_days_late_says_so_in_days() {
    let host = Host::new();
    let (status, id) = host.run(&["declare", "--severity", "sev2", "--at", "-3d", "slow since Friday"]);
    assert_eq!((status, id.trim()), (0, "INC-1"));
    assert_eq!(host.run(&["note", "--", "-2d it began here"]).0, 0);
    let day = (warroom::clock::wall() - chrono::TimeDelta::days(2)).format("%m-%d").to_string();
    let log = host.run(&["log"]).1;
    let line = log.lines().find(|line| line.contains("it began here")).unwrap();
    assert!(line.contains(&format!(" {day} ")), "a line of another day has its day: {log}");
    let of_today = log.lines().find(|line| line.contains("DECLARED")).unwrap();
    assert!(!of_today.contains(&warroom::clock::wall().format(" %m-%d ").to_string()), "one of today has none: {log}");
    let due = host.run(&["due"]).1;
    assert!(due.lines().next().is_some_and(|line| line.contains("OVERDUE by 2 d")), "{due}");
    let (_, said) = host.script(&["open", "INC-1", "--plain"], ":log\n:due\n");
    assert!(said.contains(&format!("{day} ")) && said.contains("OVERDUE by 2 d"), "{said}");
}
