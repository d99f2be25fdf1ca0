//! Consoles that are killed, stalled, starved, closed and stopped.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use warroom::run::clock;

use super::{ESC, Host, SIZE, SOON, Typist, WARROOM, given_back, recorded};
use crate::support::pty::{Pty, Reading, assert_no_stray_escapes, code};

#[test]
fn a_panic_on_the_loop_gives_the_terminal_back_and_says_why() {
    for stalled in [false, true] {
        let host = Host::new();
        let mut console = host.start(WARROOM, &["gameday", "--fault", "panic-loop"], &[], SIZE);
        if stalled {
            console.stall();
        }
        assert_eq!(code(console.wait_exit(SOON)), 101, "stalled: {stalled}");
        console.assert_modes_as_before();
        console.resume();
        console.wait_for("a fault that was asked for", SOON);
        given_back(&mut console);
        // The drill may have begun; if so it is whole.
        host.assert_sound();
    }
}

#[test]
fn a_panic_in_a_task_is_said_and_the_console_goes_on() {
    let host = Host::new();
    let mut console = host.console(&["gameday", "--fault", "panic-task"]);
    console.wait_for("crashed", SOON);
    console.wait_for("DRILL-1 SEV", SOON);
    console.wait_for("p99 latency", SOON);
    console.note("still here");
    console.wait_until("data", SOON, |screen| screen.contents().contains("met"));
    assert!(!String::from_utf8_lossy(console.raw()).contains("panicked at"));
    console.quit();
}

#[test]
fn kill_9_right_after_a_note_was_recorded_loses_nothing() {
    acknowledged_notes_survive(3);
}

#[test]
#[ignore = "200 consoles are killed; takes minutes"]
fn two_hundred_killed_consoles_lose_nothing() {
    acknowledged_notes_survive(200);
}

fn acknowledged_notes_survive(rounds: usize) {
    let host = Host::new().declared();
    for round in 0..rounds {
        let mut console = host.open(&["--role", "scribe"]);
        console.wait_for("Ctrl+J new line", SOON);
        let text = format!("told in round {round}");
        console.send(&text);
        // Long enough that it is kept as half-typed as well.
        console.watch(Duration::from_millis(if round % 2 == 0 { 700 } else { 0 }));
        console.send("\r");
        console.wait_until(&text, SOON, |screen| recorded(&screen.contents(), &text));
        console.kill(Signal::KILL);
        assert_eq!(code(console.wait_exit(SOON)), 137);
    }
    for round in 0..rounds {
        assert_eq!(host.times("INC-1", &format!("told in round {round}")), 1);
    }
    host.assert_sound();
    // What was recorded is no half-typed line: it does not come back to be recorded twice.
    let mut console = host.open(&["--role", "scribe"]);
    console.watch(Duration::from_millis(300));
    assert!(!console.contents().contains("your half-typed line is back"));
}

#[test]
fn a_half_typed_line_comes_back_after_kill_9() {
    let host = Host::new().declared();
    // (how long the pause before the end, how much must be there at least); the short one is what a disk needs.
    let whole = "gateway pool exhausted, all 500 in use";
    for (pause, least) in [(1000, whole.len()), (100, whole.len() - 20)] {
        let mut console = host.open(&["--role", "scribe"]);
        console.wait_for("Ctrl+J new line", SOON);
        for letter in whole.chars() {
            console.send(letter.to_string());
        }
        console.wait_for(whole, SOON);
        console.watch(Duration::from_millis(pause));
        console.kill(Signal::KILL);
        console.wait_exit(SOON);
        // Somebody else does not get it.
        let mut other = host.open(&["--as", "omid", "--role", "scribe"]);
        other.watch(Duration::from_millis(200));
        assert!(!other.contents().contains(&whole[..20]));
        other.kill(Signal::KILL);
        let mut again = host.open(&["--role", "scribe"]);
        again.wait_for(&whole[..least], SOON);
        again.wait_for("your half-typed line is back", SOON);
        // It goes on where it stopped; thrown away it is gone for good.
        again.type_for("!", "!");
        again.send("\x15");
        again.watch(Duration::from_millis(700));
        again.send("\x11");
        assert_eq!(code(again.wait_exit(SOON)), 0);
    }
    let mut console = host.open(&["--role", "scribe"]);
    console.watch(Duration::from_millis(300));
    assert!(!console.contents().contains("gateway"), "{}", console.contents());
    assert_eq!(host.texts("INC-1").iter().filter(|text| text.contains("gateway")).count(), 0);
}

#[test]
fn a_half_typed_line_survives_quitting_and_sigterm() {
    let host = Host::new().declared();
    for leave in ["\x11", "TERM", "HUP"] {
        let mut console = host.open(&["--role", "scribe"]);
        let text = format!("not yet said {}", leave.trim_matches('\x11'));
        console.type_for(&text, &text);
        match leave {
            "TERM" => console.kill(Signal::TERM),
            "HUP" => console.kill(Signal::HUP),
            key => console.send(key),
        }
        console.wait_exit(SOON);
        let mut again = host.open(&["--role", "scribe"]);
        again.wait_for(&text, SOON);
        again.send("\x15");
        again.watch(Duration::from_millis(700));
    }
}

#[test]
fn a_terminal_that_stands_still_holds_up_nobody() {
    stall(Duration::from_secs(2));
}

#[test]
#[ignore = "ten seconds of standing still"]
fn a_terminal_that_stands_still_for_long_holds_up_nobody() {
    stall(Duration::from_secs(10));
}

fn stall(time: Duration) {
    // Two consoles: one is read again, one is left while nobody reads.
    let host = Host::new();
    let mut console = host.console(&["gameday", "--speed", "60"]);
    console.wait_for("p99 latency", SOON);
    console.stall();
    let before = console.processor_ticks();
    std::thread::sleep(time / 2);
    console.send("ntyped while nobody looked\r");
    std::thread::sleep(time / 2);
    let used = console.processor_ticks() - before;
    assert!(u128::from(used) * 10 < time.as_millis() / 2 * 3, "{used} ticks of processor time in {time:?}");
    // What was typed is recorded although nothing could be shown.
    assert_eq!(host.times("DRILL-1", "typed while nobody looked"), 1);
    console.resume();
    console.wait_until("what was typed", Duration::from_secs(2), |screen| {
        recorded(&screen.contents(), "typed while nobody looked")
    });
    // Up to the end of a frame: the next one may be on its way.
    let raw = console.raw();
    let end = raw.windows(8).rposition(|bytes| bytes == b"\x1b[?2026l").map_or(0, |at| at + 8);
    assert_no_stray_escapes(&raw[..end]);
    console.stall();
    std::thread::sleep(Duration::from_millis(700));
    console.send("\x11");
    let from = clock::boot();
    assert_eq!(code(console.wait_exit(SOON)), 0);
    let took = clock::boot() - from;
    eprintln!("quitting against a wall took {took:?}");
    assert!(took < crate::support::promised(Duration::from_secs(1)), "quitting took {took:?}");
    console.resume();
    given_back(&mut console);
}

#[test]
fn behind_a_slow_link_the_screen_is_at_most_two_seconds_old() {
    let host = Host::new();
    let mut console = host.console(&["gameday", "--speed", "60"]);
    console.wait_for("p99 latency", SOON);
    console.watch(Duration::from_secs(1));
    console.read_as(Reading::Limited(8192));
    console.watch(Duration::from_secs(1));
    // A key goes through everything that is queued before it: how long it takes is how old the screen is.
    let mut oldest = Duration::ZERO;
    for round in 0..3 {
        let text = format!("round {round}");
        let from = clock::boot();
        console.send("n");
        console.send(&text);
        console.wait_for(&text, SOON);
        oldest = oldest.max(clock::boot() - from);
        console.send(format!("\x15{ESC}"));
        console.watch(Duration::from_millis(300));
    }
    // The clock of the drill runs a minute a second.
    let start = drill_start(&host);
    for _ in 0..20 {
        console.watch(Duration::from_millis(100));
        let age = age(&mut console, start);
        oldest = oldest.max(age.unwrap_or_default());
    }
    eprintln!("behind 8 KB/s the screen was at most {oldest:?} old");
    assert!(oldest <= crate::support::promised(Duration::from_secs(2)), "the screen was {oldest:?} old");
}

/// When the drill began, by its record.
fn drill_start(host: &Host) -> chrono::DateTime<chrono::Utc> {
    let export = host.say(&["journal", "export", "DRILL-1"]);
    let at = export.find("\"start\":\"").unwrap() + "\"start\":\"".len();
    export[at..].split('"').next().unwrap().parse().unwrap()
}

/// How old the minute in the header is, in wall time: the drill's clock runs 60 times as fast.
fn age(console: &mut Pty, start: chrono::DateTime<chrono::Utc>) -> Option<Duration> {
    let header = console.row(0);
    let clock = header.split_whitespace().rev().find(|word| word.len() == 5 && word.contains(':'))?;
    let (hours, minutes) = clock.split_once(':')?;
    let shown = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    let now = warroom::run::clock::wall();
    let drill = start + (now - start) * 60;
    let of_day = drill.time().signed_duration_since(chrono::NaiveTime::MIN).num_milliseconds();
    // The minute that is shown lasts until the next one.
    let behind = (of_day - (shown + 1) * 60_000).rem_euclid(86_400_000);
    let behind = if behind > 43_200_000 { 0 } else { behind };
    Some(Duration::from_millis(u64::try_from(behind / 60).unwrap()))
}

#[test]
fn a_closed_terminal_ends_the_console_at_once_without_spinning() {
    let host = Host::new();
    let mut console = host.drill();
    console.watch(Duration::from_millis(500));
    let before = console.processor_ticks();
    let from = clock::boot();
    console.close();
    let status = code(console.wait_exit(crate::support::promised(Duration::from_secs(2))));
    assert_eq!(status, 129);
    let took = clock::boot() - from;
    eprintln!("out {took:?} after the terminal closed, with {before} ticks used before");
    assert!(took < crate::support::promised(Duration::from_secs(1)));
    host.assert_sound();
}

#[test]
fn signals_end_the_console_and_give_the_terminal_back() {
    let host = Host::new().declared();
    let others = [
        (Signal::QUIT, 131),
        (Signal::USR1, 138),
        (Signal::USR2, 140),
        (Signal::ALARM, 142),
        (Signal::XCPU, 152),
        (Signal::ABORT, 134),
    ];
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)].into_iter().chain(others) {
        for stalled in [false, true] {
            let mut console = if stalled {
                let mut console = host.console(&["gameday", "--speed", "60"]);
                console.wait_for("p99 latency", SOON);
                console.stall();
                std::thread::sleep(Duration::from_millis(500));
                console
            } else {
                host.open(&[])
            };
            let from = clock::boot();
            console.kill(signal);
            assert_eq!(
                code(console.wait_exit(crate::support::promised(Duration::from_secs(2)))),
                status,
                "{signal:?}, stalled: {stalled}"
            );
            assert!(
                clock::boot() - from < crate::support::promised(Duration::from_secs(1)),
                "{signal:?} took {:?}",
                clock::boot() - from
            );
            console.resume();
            given_back(&mut console);
        }
    }
}

#[test]
fn ctrl_z_and_fg_twenty_times_bring_the_same_screen_back() {
    let host = Host::new().declared();
    let mut shell = host.start("bash", &["--norc", "--noprofile", "-i"], &[("PS1", "prompt> ")], SIZE);
    shell.wait_for("prompt>", SOON);
    shell.send(format!("{WARROOM} open INC-1\r"));
    shell.wait_for("INC-1 SEV1", SOON);
    shell.type_for("nkept while away", "kept while away");
    for round in 0..20 {
        // From the line and from single keys.
        shell.send("\x1a");
        shell.wait_until("the shell", SOON, |screen| {
            !screen.alternate_screen() && screen.contents().trim_end().ends_with("prompt>")
        });
        shell.send(format!("echo $((40+{round}))\r"));
        shell.wait_for(&format!("\n{}\n", 40 + round), SOON);
        if round == 10 {
            host.say(&["note", "written meanwhile"]);
        }
        shell.send("fg\r");
        shell.wait_until("the same screen", SOON, |screen| {
            let contents = screen.contents();
            screen.alternate_screen()
                && contents.contains("kept while away")
                && contents.contains("INC-1 SEV1")
                && !contents.contains("prompt>")
        });
    }
    shell.wait_for("written meanwhile", SOON);
    shell.send(format!("\x15{ESC}q"));
    // What is typed before the prompt is there may be thrown away with what was meant for the console.
    shell.wait_until("the shell", SOON, |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("prompt>")
    });
    shell.send("echo status $?\r");
    shell.wait_for("status 0", SOON);
}

#[test]
fn what_a_console_creates_is_its_owners_alone() {
    let host = Host::new();
    let mut console = host.console(&[]);
    console.wait_for("no incident is open on this host", SOON);
    console.type_for("w", "wrote ");
    console.type_for("g", "DRILL-1 SEV");
    console.note("for the log");
    let mut seen = 0;
    let mut look = |folder: &Path| {
        walk(folder, &mut |path, mode| {
            seen += 1;
            let is_folder = path.is_dir();
            let allowed = if is_folder { 0o700 } else { 0o600 };
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}, not {allowed:o}", path.display());
        })
    };
    look(&host.state().join("warroom"));
    look(&host.folder.path().join("config/warroom"));
    assert!(seen > 5, "{seen} files");
    console.quit();
}

fn walk(path: &Path, see: &mut impl FnMut(&Path, u32)) {
    let mode = std::fs::symlink_metadata(path).unwrap().permissions().mode();
    see(path, mode & 0o7777);
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            walk(&entry.unwrap().path(), see);
        }
    }
}

#[test]
fn without_a_terminal_no_escape_byte_is_written() {
    let host = Host::new().declared();
    for note in 0..50 {
        host.say(&["note", &format!("line {note}")]);
    }
    for script in [
        "\"$0\" list | head -1",
        "\"$0\" list --all --json | head -c 1",
        "\"$0\" show INC-1 | head -1",
        "\"$0\" journal export INC-1 | head -1",
        "\"$0\" keys | head -1",
        "\"$0\" playbook list | head -1",
    ] {
        let mut command = host.command("bash");
        let output = command.args(["-o", "pipefail", "-c", script, WARROOM]).output().unwrap();
        assert_eq!(code(output.status), 0, "{script}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{script}: {output:?}");
        assert!(!output.stdout.contains(&0x1b), "{script}");
    }
    for arguments in [&["gameday"][..], &["open", "INC-1"], &[], &["open", "INC-77"], &["--help"], &["nonsense"]] {
        for term in ["dumb", "xterm-256color"] {
            let output = host.command(WARROOM).args(arguments).env("TERM", term).output().unwrap();
            assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{arguments:?}: {output:?}");
        }
    }
}

/// A journal that may not grow: every file beyond so many blocks of 1,024 bytes is refused.
#[test]
fn a_full_disk_is_said_nothing_typed_is_lost_and_it_recovers_by_itself() {
    let host = Host::new().declared();
    // The largest file is the record; leave it some room for the first notes.
    let mut largest = 0;
    walk(&host.state(), &mut |path, _| largest = largest.max(std::fs::metadata(path).unwrap().len()));
    let blocks = largest / 1024 + 100;
    let script = format!("ulimit -S -f {blocks}; exec {WARROOM} open INC-1 --role scribe");
    let mut console = host.start("bash", &["-c", &script], &[], SIZE);
    console.wait_for("INC-1 SEV1", SOON);
    console.wait_for("Ctrl+J new line", SOON);
    let filler = "the disk fills up ".repeat(60);
    let text = |note: usize| format!("{note:03} {filler}end {note:03}");
    let mut recorded_notes = 0;
    for note in 0..200 {
        console.send(format!("\x1b[200~{}\x1b[201~", text(note)));
        console.wait_for(&format!("end {note:03}"), SOON);
        console.watch(Duration::from_millis(260));
        console.send("\r");
        console.wait_until("an answer", SOON, |screen| {
            recorded(&screen.contents(), &format!("{note:03} the disk")) || screen.contents().contains("NOT SAVED")
        });
        if console.contents().contains("NOT SAVED") {
            break;
        }
        recorded_notes += 1;
    }
    console.wait_until("the banner", SOON, |screen| screen.rows(0, 120).next().unwrap().contains("NOT SAVED"));
    // The answer to the note itself, which gives the text back: above the keys, where it does not fit beside them.
    console.wait_until("a refusal at the foot", SOON, |screen| {
        screen.rows(0, 120).skip(30).any(|row| row.contains("NOT SAVED"))
    });
    // What was typed is in the line, and more can be typed; looking goes on.
    console.wait_for(&format!("end {recorded_notes:03}"), SOON);
    console.type_for(" and more", "and more");
    console.send(ESC);
    console.type_for("?", "every action by its name");
    console.send(ESC);
    console.wait_until("no help", SOON, |screen| !screen.contents().contains("every action by its name"));
    console.send("z");
    console.wait_until("one pane", SOON, |screen| !screen.contents().contains("SLO graphs"));
    console.type_for("z", "SLO graphs");
    // An act is refused aloud, and not kept for later. It is shorter than a note: not even that must fit any more.
    limit_files(&host, &console, "4096:");
    // Another sentence takes the place of the first refusal, so that the next one is seen to come.
    console.type_for("a", "take command first");
    console.send("R1");
    console.wait_until("another refusal at the foot", SOON, |screen| {
        screen.rows(0, 120).skip(30).any(|row| row.contains("NOT SAVED"))
    });
    // The cause goes away: no restart is needed.
    limit_files(&host, &console, "unlimited");
    console.wait_until("the end of the banner", SOON, |screen| !screen.contents().contains("NOT SAVED"));
    console.type_for("n", "Ctrl+J new line");
    console.send("\r");
    let text = format!("{} and more", text(recorded_notes));
    let until = clock::boot() + SOON;
    while host.times("INC-1", text.trim()) == 0 {
        assert!(clock::boot() < until, "{:?}", host.texts("INC-1").last());
        console.watch(Duration::from_millis(50));
    }
    let filled = |text: &&String| text.contains("the disk fills up");
    assert_eq!(host.texts("INC-1").iter().filter(filled).count(), recorded_notes + 1);
    assert!(host.record("INC-1")["roles"].as_array().unwrap().is_empty(), "an act that was refused was done later");
    eprintln!("{recorded_notes} notes fitted before the disk was full");
    console.send(ESC);
    console.quit();
    host.assert_sound();
}

/// How large a file the console may write from now on.
fn limit_files(host: &Host, console: &Pty, bytes: &str) {
    let pid = console.pid().as_raw_nonzero().to_string();
    let limited = host.command("prlimit").args([&format!("--fsize={bytes}"), "--pid", &pid]).output().unwrap();
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
}
