//! What programs print for a terminal, wherever it comes in: no rest of a sequence, the last state of a meter, and
//! every word.

use std::io::{Read, Seek, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use warroom::text::printed::printed;
use warroom::text::{CleanText, TEXT_BYTES};

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

/// Where people give words in a shell: the subcommand, and what stands before and behind the text.
const DOORS: [(&str, &str, &str); 14] = [
    ("note -i INC-1", "", ""),
    ("title -i INC-1", "", ""),
    ("theory -i INC-1", "", ""),
    ("eliminated -i INC-1", "1 ", ""),
    ("propose -i INC-1", "", " | fees | back"),
    ("propose -i INC-1", "restart | ", " | back"),
    ("object -i INC-1", "1 ", ""),
    ("decide -i INC-1", "1 yes ", ""),
    ("follow-up -i INC-1", "", ""),
    ("done -i INC-1", "1 ", ""),
    ("skip -i INC-1", "2 ", ""),
    ("severity -i INC-1", "1 ", ""),
    ("handover -i INC-1", "ic sara ", ""),
    ("declare --severity sev3", "", ""),
];

#[test]
fn at_every_door_a_text_is_kept_whole_or_refused_with_both_numbers_and_nothing_of_it_stays() {
    let host = Host::new();
    host.declare();
    for words in
        [&["take", "ic"][..], &["theory", "the pool"], &["propose", "a | b | c"], &["assign", "@omid check 5m"]]
    {
        assert_eq!(host.run(words).0, 0, "{words:?}");
    }
    let records = || -> Vec<u8> {
        let folder = host.home.path().join("state/warroom/journal");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.filter(|file| file.is_file()).flat_map(|file| std::fs::read(file).unwrap()).collect()
    };
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for (place, (words, before, behind)) in DOORS.into_iter().enumerate() {
        let words: Vec<&str> = words.split(' ').collect();
        for (is_piped, bytes, fits) in
            [(false, TEXT_BYTES + 1, false), (true, TEXT_BYTES + 1, false), (place % 2 == 0, 60_000, true)]
        {
            if is_piped && !behind.is_empty() {
                continue;
            }
            let mark = format!("door{place}way{is_piped}{bytes}");
            let text = format!("{mark} {} {mark}", "é".repeat((bytes - 2 * mark.len() - 2) / 2));
            let text = format!("{text}{}", "x".repeat(bytes - text.len()));
            let (given, piped_text) = if is_piped { ("-", text.as_str()) } else { (text.as_str(), "") };
            let all = format!("{before}{given}{behind}");
            let parts = before.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>();
            let tail = all.strip_prefix(before).unwrap();
            let told = [&words[..], &parts, &[tail]].concat();
            let (status, _, complaint) = piped(&mut host.command(&told), piped_text.as_bytes());
            let kept = records();
            if fits {
                assert_eq!(status, 0, "{words:?}: {complaint}");
                let (_, shown) = host.run(&["show", if words[0] == "declare" { "INC-2" } else { "INC-1" }]);
                assert!(shown.contains(&mark), "{words:?}");
                // A database keeps a long text in pages: its export has it in one piece.
                let id = if words[0] == "declare" { "INC-2" } else { "INC-1" };
                assert!(host.run(&["journal", "export", id]).1.contains(&text), "{words:?} keeps a part");
            } else {
                assert!([1, 2].contains(&status), "{words:?}: {complaint}");
                assert!(complaint.contains("65,5") && complaint.contains("at most 65,536"), "{words:?}: {complaint}");
                assert!(!has(&kept, &mark), "{words:?} was refused, and a part of it stays");
            }
        }
    }
}

#[test]
fn any_bytes_leave_the_text_that_a_terminal_shows_of_them() {
    let host = Host::new();
    host.declare();
    let mut seed: u32 = 1;
    let mut next = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed >> 16
    };
    let pieces: [&[u8]; 14] = [
        b"\x1b[",
        b"\x1b]8;;",
        b"31m",
        b"word ",
        "\u{645}\u{6cc}\u{200c}\u{62e}".as_bytes(),
        b"\r",
        b"\n",
        b"\x08",
        b"\x07",
        b"\xff",
        b"\x1b\\",
        "\u{9b}".as_bytes(),
        b"\t",
        b"\x00",
    ];
    for _ in 0..8 {
        let bytes: Vec<u8> = (0..60)
            .flat_map(|_| pieces[usize::try_from(next()).unwrap() % pieces.len()].to_vec())
            .chain(*b" end")
            .collect();
        let (status, _, complaint) = piped(&mut host.command(&["note", "-i", "INC-1"]), &bytes);
        assert_eq!(status, 0, "{bytes:?}: {complaint}");
        let shown = CleanText::new(&printed(&String::from_utf8_lossy(&bytes)));
        assert_eq!(last(&host).as_str().unwrap().trim(), shown.trim(), "{bytes:?}");
    }
}

#[test]
fn line_mode_gives_a_slow_reader_all_of_it_and_says_what_it_did_where_nothing_can_be_printed() {
    let host = Host::new();
    host.declare();
    let lines: String = (0..200).map(|number| format!("line number {number} {}\n", "-".repeat(1_000))).collect();
    let (mut read, write) = std::io::pipe().unwrap();
    let mut list = tempfile::tempfile().unwrap();
    list.write_all(lines.as_bytes()).and_then(|()| list.rewind()).unwrap();
    let mut child = host.command(&["open", "INC-1", "--plain"]).stdin(list).stdout(write).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let mut said = String::new();
    read.read_to_string(&mut said).unwrap();
    assert_eq!(code(child.wait().unwrap()), 0);
    assert!(said.contains("line number 199") && said.len() > 200_000, "it was cut after {} bytes", said.len());
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = host.command(&["open", "INC-1", "--plain"]);
    let (status, _, complaint) = piped(command.stdout(full), b"the last words\n");
    let is_kept = last(&host) == "the last words";
    assert_eq!(status, if is_kept { 4 } else { 1 }, "{complaint}");
    assert_eq!(complaint.contains("done, printing failed (No space left"), is_kept, "{complaint}");
}
