//! The scribe's line at a real terminal: alphabets, long lines, times, and what a lost console had half typed.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use super::{ESC, Host, SOON, Typist};
use crate::support::pty::{Pty, code};

/// A Persian word with its joiner, an emoji family, a keycap, a flag with tags, marks of direction.
const WRITTEN: [&str; 4] = [
    "می\u{200c}خواهم درگاه را راه\u{200c}اندازی کنم",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{26a0}\u{fe0f} 1\u{fe0f}\u{20e3}",
    "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} desk",
    "\u{200f}(abc)\u{200e} \u{2068}dana\u{2069}",
];

fn piped(host: &Host, text: &str) -> (i32, String) {
    let mut note = host.command(super::WARROOM);
    let mut child = note.arg("note").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (code(output.status), String::from_utf8(output.stderr).unwrap())
}

/// Pastes into the scribe's line and records it; right behind a paste a key is taken for a part of it.
fn paste(console: &mut Pty, text: &str) {
    console.send(format!("\x1b[200~{text}\x1b[201~"));
    console.watch(Duration::from_millis(600));
    console.send(format!("\r{ESC}"));
    console.watch(Duration::from_millis(50));
}

#[test]
fn what_people_write_is_in_the_record_as_they_wrote_it_however_it_came() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    for written in WRITTEN {
        host.say(&["note", written]);
        assert_eq!(piped(&host, &format!("{written}\n")), (0, String::new()));
        console.send("n");
        console.send(format!("{written}\r{ESC}"));
        console.send("n");
        paste(&mut console, written);
    }
    crate::support::until("the last note", || host.times("INC-1", WRITTEN[3]) == 4);
    for written in WRITTEN {
        assert_eq!(host.times("INC-1", written), 4, "{written:?} in {:?}", host.texts("INC-1"));
    }
    console.quit();
    host.assert_sound();
}

#[test]
fn lam_and_alef_take_a_cell_each_and_shift_nothing() {
    let host = Host::new().declared();
    host.say(&["note", &format!("الان {}end", "لا ".repeat(6))]);
    let mut console = host.open(&[]);
    console.send("4z");
    console.wait_until("the whole name", SOON, |screen| {
        screen.rows(0, 120).any(|row| row.contains("لا لا") && row.trim_end().ends_with("dana│"))
    });
    console.send("n");
    console.send("الان لا لا x");
    console.wait_until("the cursor behind the text", SOON, |screen| {
        let (row, column) = screen.cursor_position();
        let line: Vec<String> = (0..120)
            .map(|at| screen.cell(row, at).map(|cell| cell.contents().to_owned()).unwrap_or_default())
            .collect();
        column > 12 && line[usize::from(column) - 1] == "x" && line[usize::from(column)].trim().is_empty()
    });
    console.send(ESC);
    console.quit();
}

#[test]
fn a_long_line_is_kept_whole_or_refused_with_both_numbers() {
    let host = Host::new().declared();
    let line = format!("{{\"trace\":\"{}\",\"cause\":\"the reason\"}}", "0123456-".repeat(500));
    host.say(&["note", &line]);
    assert_eq!(piped(&host, &format!("{line}\n")), (0, String::new()));
    let mut console = host.open(&[]);
    console.send("n");
    paste(&mut console, &line);
    crate::support::until("three whole notes", || host.times("INC-1", &line) == 3);
    let monster = "x".repeat(70_000);
    let (status, why) = piped(&host, &monster);
    assert_eq!(status, 1);
    assert!(why.contains("70,000 bytes, and at most 65,536 (64 KB)"), "{why}");
    let refused = host.run(&["note", &monster]);
    assert_eq!(code(refused.status), 1);
    assert!(String::from_utf8(refused.stderr).unwrap().contains("70,000 bytes, and at most 65,536"));
    let title = host.run(&["declare", "--severity", "sev3", &monster]);
    assert_ne!(code(title.status), 0);
    assert!(String::from_utf8(title.stderr).unwrap().contains("70,000 bytes, and at most 65,536"));
    assert_eq!(host.texts("INC-1").iter().filter(|text| text.contains("xxx")).count(), 0, "never a part");
    console.quit();
}

#[test]
fn a_time_is_said_back_where_it_is_not_plain_and_kept_as_text_where_it_cannot_be() {
    let host = Host::new().declared();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let yesterday = host.run(&["note", "yesterday 23:50 the queue grew"]);
    assert_eq!(code(yesterday.status), 0);
    let said = text(yesterday.stderr);
    assert!(said.contains("was understood as yesterday 23:50 UTC"), "{said}");
    let skipped = host.run(&["note", "2026-02-30 10:00 no such day"]);
    assert_eq!((code(skipped.status), host.times("INC-1", "2026-02-30 10:00 no such day")), (0, 1));
    let said = text(skipped.stderr);
    assert!(said.contains("there is no 2026-02-30 in the calendar; the line is kept as text"), "{said}");
    host.say(&["note", "10:1 ratio of errors"]);
    assert_eq!(host.times("INC-1", "10:1 ratio of errors"), 1);
    // The same in a console: what was understood stands before the line, and a doubt asks.
    let mut console = host.open(&[]);
    console.send("nyesterday 23:50 typed");
    console.wait_for("yesterday 23:50 UTC note", SOON);
    console.send("\r");
    console.wait_for("recorded for yesterday 23:50 UTC", SOON);
    console.send("2026-02-30 10:00 typed");
    console.wait_for("? there is no 2026-02-30 in the calendar", SOON);
    console.send("\r");
    console.wait_for("Enter again records the line as text", SOON);
    assert_eq!(host.times("INC-1", "2026-02-30 10:00 typed"), 0);
    console.send("\r");
    crate::support::until("the line as text", || host.times("INC-1", "2026-02-30 10:00 typed") == 1);
    console.send(ESC);
    console.quit();
}

#[test]
fn a_restored_line_keeps_when_its_typing_began_its_event_time_and_its_kind() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    let before = warroom::clock::wall();
    console.send("n-5m decision: half a line");
    console.wait_for("half a line", SOON);
    console.watch(Duration::from_millis(1500));
    let typed = warroom::clock::wall();
    console.kill(rustix::process::Signal::KILL);
    console.wait_exit(SOON);
    drop(console);
    std::thread::sleep(Duration::from_secs(3));
    let mut console = host.open(&[]);
    console.wait_for("your half-typed line is back", SOON);
    console.send("n");
    console.send(" went on\r");
    crate::support::until("the line", || host.times("INC-1", "half a line went on") == 1);
    let record = host.record("INC-1");
    let line =
        record["timeline"].as_array().unwrap().iter().find(|line| line["text"] == "half a line went on").unwrap();
    let at: chrono::DateTime<chrono::Utc> = line["at"].as_str().unwrap().parse().unwrap();
    let five = chrono::TimeDelta::minutes(5);
    assert_eq!(line["tag"], "DECISION");
    assert!(before - five <= at && at <= typed - five, "{at} is not five minutes before {before} to {typed}");
    // A line without a time of its own is of when its typing began.
    let begun = warroom::clock::wall();
    console.send("no time of its own");
    console.watch(Duration::from_millis(1500));
    let ended = warroom::clock::wall();
    console.kill(rustix::process::Signal::HUP);
    console.wait_exit(SOON);
    std::thread::sleep(Duration::from_secs(2));
    let mut console = host.open(&[]);
    console.wait_for("your half-typed line is back", SOON);
    console.send("n");
    console.send("\r");
    crate::support::until("the line", || host.times("INC-1", "no time of its own") == 1);
    let record = host.record("INC-1");
    let line = record["timeline"].as_array().unwrap().iter().find(|line| line["text"] == "no time of its own").unwrap();
    let at: chrono::DateTime<chrono::Utc> = line["at"].as_str().unwrap().parse().unwrap();
    assert!(begun - chrono::TimeDelta::seconds(1) <= at && at <= ended, "{at} is not between {begun} and {ended}");
    console.send(ESC);
    console.quit();
}

/// Types half a line, Esc and the key of the help in one piece: the line stays as it was, and the help opens.
fn escape_and_help(console: &mut Pty, gap: Duration) {
    console.send("n");
    console.send("half a line");
    console.wait_for("half a line", SOON);
    console.send("\x1b");
    std::thread::sleep(gap);
    console.send("?");
    console.wait_for("every key", SOON);
    console.send(ESC);
    console.wait_until("the line", SOON, |screen| {
        let shown = screen.contents();
        shown.contains("half a line") && !shown.contains("every key")
    });
    assert!(!console.contents().contains("half a line?"));
}

#[test]
fn esc_and_a_key_behind_it_are_both_taken_when_they_come_as_one() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    escape_and_help(&mut console, Duration::ZERO);
    console.quit();
}

#[test]
fn esc_and_a_key_behind_it_are_both_taken_through_tmux() {
    if std::process::Command::new("tmux").arg("-V").output().is_err() {
        return;
    }
    let host = Host::new().declared();
    let rules = host.state().join("tmux.conf");
    std::fs::write(&rules, "set -s escape-time 500\nset -g status off\n").unwrap();
    let socket = host.state().join("tmux.socket");
    let socket = socket.to_str().unwrap();
    let arguments = ["-S", socket, "-f", rules.to_str().unwrap(), "new-session", super::WARROOM, "open", "INC-1"];
    let mut console = host.start("tmux", &arguments, &[], super::SIZE);
    console.wait_for("INC-1 SEV1", SOON);
    escape_and_help(&mut console, Duration::from_millis(60));
    host.command("tmux").args(["-S", socket, "kill-server"]).output().unwrap();
    console.wait_exit(SOON);
}
