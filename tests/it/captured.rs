//! What programs print for a terminal, wherever it comes in: no rest of a sequence, the last state of a meter, and every word.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use warroom::text::TEXT_BYTES;

use crate::plain::Host;
use crate::support::pty::code;

/// The status, and what stood on stdout and stderr.
fn piped(command: &mut Command, bytes: &[u8]) -> (i32, String, String) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who refuses early reads no more of it.
    let _ = stdin.write_all(bytes);
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (code(output.status), text(output.stdout), text(output.stderr))
}

/// The text of the last entry, as the record has it.
fn last(host: &Host) -> serde_json::Value {
    let (status, shown) = host.run(&["show", "INC-1", "--json"]);
    assert_eq!(status, 0);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    shown["timeline"].as_array().unwrap().last().unwrap()["text"].clone()
}

#[test]
fn what_a_terminal_would_show_is_what_a_pipe_and_a_command_leave_in_the_record() {
    let host = Host::new();
    host.declare();
    for (given, kept) in [
        (
            "\x1b[31mERROR\x1b[0m db \x1b[1;38;5;208mslow\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07",
            "ERROR db slow link",
        ),
        ("pull\n\r10%\r50%\r100%\nend", "pull\n100%\nend"),
        ("\r\x1b[K10 of 100\r\x1b[K9 left", "9 left"),
        ("N\x08NA\x08A _\x08f_\x08n", "NA fn"),
        ("a: 1\nb: 1\n\x1b[2A\x1b[Ka: 2\n\x1b[Kb: 2\nall", "a: 2\nb: 2\nall"),
        ("\x1b[31\u{e9} and \x1b]0;title\x07text \x1bPq#1\x1b\\cut \x1b[38;5", "\u{e9} and text cut"),
        ("one\r\ntwo\r\nthree", "one\ntwo\nthree"),
        ("نرخ خطا\rنرخ ۲٪   ", "نرخ ۲٪"),
    ] {
        let (status, _, complaint) = piped(&mut host.command(&["note", "-i", "INC-1"]), given.as_bytes());
        assert_eq!(status, 0, "{given:?}: {complaint}");
        let note = last(&host);
        assert_eq!(note.as_str().unwrap().trim_end(), kept, "{given:?} as a note");
        let (status, said, complaint) =
            piped(&mut host.command(&["--as", "dana", "run", "-i", "INC-1", "--input", "--", "cat"]), given.as_bytes());
        assert_eq!(status, 0, "{given:?}: {complaint}");
        assert!(!said.contains("[31m") && !said.contains("]8;"), "{said:?}");
        let evidence = last(&host);
        let evidence = evidence.as_str().unwrap().trim_end();
        assert!(evidence.ends_with(kept), "{given:?} as evidence: {evidence:?}");
        assert!(!evidence.contains("10%") || kept.contains("10%"), "{evidence:?}");
    }
    // In line mode a line is a note.
    let (status, said) = host.script(&["open", "INC-1", "--plain"], "\x1b[1mbold\x1b[0m \x1b]8;;x\rnew\n");
    assert_eq!(status, 0, "{said}");
    assert_eq!(last(&host), "newd");
}

#[test]
fn a_meter_of_megabytes_is_one_line_and_a_text_beyond_the_limit_is_nothing_at_all() {
    let host = Host::new();
    host.declare();
    let meter: String = (0..40_000).map(|done| format!("\r\x1b[K{done} of 40000")).collect();
    assert!(meter.len() > 8 * TEXT_BYTES);
    assert_eq!(piped(&mut host.command(&["note", "-i", "INC-1"]), meter.as_bytes()).0, 0);
    assert_eq!(last(&host), "39999 of 40000");
    let long = "x".repeat(TEXT_BYTES);
    assert_eq!(piped(&mut host.command(&["note", "-i", "INC-1"]), long.as_bytes()).0, 0);
    assert_eq!(last(&host), long);
    let (status, _, complaint) = piped(&mut host.command(&["note", "-i", "INC-1"]), format!("{long}é").as_bytes());
    assert_eq!((status, last(&host)), (1, long.into()), "{complaint}");
    assert!(complaint.contains("65,538") && complaint.contains("65,536"), "{complaint}");
}

#[test]
fn a_reader_that_is_slow_gets_all_that_a_command_prints() {
    let host = Host::new();
    host.declare();
    for is_nonblocking in [false, true] {
        let (mut read, write) = std::io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&write, is_nonblocking).unwrap();
        let mut child = host
            .command(&["--as", "dana", "run", "-i", "INC-1", "--", "seq", "-f", "line %.0f", "40000"])
            .stdout(write)
            .spawn()
            .unwrap();
        // Longer than a helper once waited for its reader.
        std::thread::sleep(Duration::from_millis(3_500));
        let mut said = String::new();
        read.read_to_string(&mut said).unwrap();
        let all: String = (1..=40_000).map(|number| format!("line {number}\n")).collect();
        assert_eq!(said.len(), all.len(), "non-blocking: {is_nonblocking}");
        assert!(said == all && code(child.wait().unwrap()) == 0);
    }
}

#[test]
fn a_command_whose_output_could_not_be_printed_is_done_with_a_status_of_its_own() {
    let host = Host::new();
    host.declare();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for (script, status) in [("echo seen", 4), ("echo seen; exit 7", 7)] {
        let output = host
            .command(&["--as", "dana", "run", "-i", "INC-1", "--", "sh", "-c", script])
            .stdout(full())
            .output()
            .unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(code(output.status), status, "{complaint}");
        assert!(complaint.contains("done, printing failed (No space left"), "{complaint}");
        let file = complaint.split(" is in ").nth(1).unwrap().trim();
        assert!(std::fs::read_to_string(file).unwrap().ends_with("seen\n"), "{file}");
        assert!(last(&host).as_str().unwrap().ends_with("seen\n"));
    }
}
