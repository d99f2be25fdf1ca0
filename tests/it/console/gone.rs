//! Consoles that end without a word of their own, and what their terminal is like afterwards.

use std::path::Path;

use rustix::process::Signal;

use super::{Host, SIZE, SOON, WARROOM, given_back};
use crate::support::pty::code;

/// What the terminal's minder says.
const GONE: &str = "warroom is gone without a word";

/// Signals that no program can handle, or that this one does not: each stands for those whose default is to end the
/// process.
const DEADLY: [Signal; 6] = [Signal::KILL, Signal::ILL, Signal::FPE, Signal::TRAP, Signal::PROF, Signal::POWER];

#[test]
fn whatever_signal_ends_a_console_its_terminal_is_given_back_and_the_log_is_named() {
    let host = Host::new().declared();
    for signal in DEADLY {
        let mut console = host.open(&[]);
        // The minder begins after the first frame; the log says when the console is there.
        console.wait_for("INC-1 SEV1", SOON);
        console.kill(signal);
        assert_eq!(code(console.wait_exit(SOON)), 128 + signal.as_raw(), "{signal:?}");
        console.wait_for(GONE, SOON);
        console.wait_for("Its log: ", SOON);
        given_back(&mut console);
    }
}

#[test]
fn a_console_without_memory_or_stack_gives_its_terminal_back() {
    for fault in ["out-of-memory", "stack-overflow"] {
        let host = Host::new();
        let mut console = host.start(WARROOM, &["gameday", "--fault", fault], &[], SIZE);
        assert_eq!(code(console.wait_exit(SOON)), 128 + Signal::ABORT.as_raw(), "{fault}");
        console.wait_for(GONE, SOON);
        given_back(&mut console);
    }
}

#[test]
fn a_panic_in_another_thread_is_told_when_the_screen_is_left_with_the_way_to_report_it() {
    let host = Host::new();
    let mut console = host.console(&["gameday", "--fault", "panic-thread"]);
    console.wait_for("p99 latency", SOON);
    assert!(!String::from_utf8_lossy(console.raw()).contains("panicked at"), "the screen is in use");
    console.send("q");
    console.send("q");
    console.wait_exit(SOON);
    given_back(&mut console);
    let said = console.contents();
    for part in ["a part of it failed", "To report it", "thread asked: panicked at", "a fault that was asked for"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn no_minder_stays_when_a_console_is_left() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    console.wait_for("INC-1 SEV1", SOON);
    let tasks = format!("/proc/{0}/task/{0}/children", console.pid().as_raw_nonzero());
    let children = std::fs::read_to_string(tasks).unwrap();
    let minders: Vec<&str> = children.split_whitespace().filter(|pid| is_minder(pid)).collect();
    assert_eq!(minders.len(), 1, "{children}");
    console.kill(Signal::TERM);
    assert_eq!(code(console.wait_exit(SOON)), 128 + Signal::TERM.as_raw());
    crate::support::until("the minder's end", || {
        !Path::new("/proc").join(minders[0]).exists() || !is_minder(minders[0])
    });
    assert!(!console.contents().contains(GONE));
}

fn is_minder(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(warroom::run::minder::WORD))
}

/// An account that may not open the terminal by any name.
const OTHER: &str = "61021";

#[test]
fn a_console_on_a_terminal_of_somebody_else_leaves_it_to_the_shell_as_it_was_even_when_it_is_killed() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let host = Host::new().declared();
    let folder = host.folder.path();
    let shell = |line: &str| {
        assert!(std::process::Command::new("sh").args(["-c", line]).current_dir(folder).status().unwrap().success());
    };
    shell(&format!("cp {WARROOM} warroom && chown -R {OTHER} ."));
    let at = folder.display();
    // As `su` from another account without a terminal of its own: the description is the one that the shell reads from.
    let script = format!(
        "setsid -w sh -c 'echo $$ > {at}/pid; exec setpriv --reuid {OTHER} --regid {OTHER} --clear-groups -- {at}/warroom open INC-1'
         while [ ! -e {at}/go ]; do sleep 0.05; done
         echo; read answer; echo \"read <$answer>\"; grep flags /proc/self/fdinfo/0"
    );
    let mut console = host.start("sh", &["-c", &script], &[], SIZE);
    console.wait_for("INC-1 SEV1", SOON);
    let pid = std::fs::read_to_string(folder.join("pid")).unwrap();
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, Signal::KILL).unwrap();
    console.wait_for(GONE, SOON);
    std::fs::write(folder.join("go"), "").unwrap();
    console.send("an answer\r");
    console.wait_for("read <an answer>", SOON);
    console.wait_for("flags:", SOON);
    assert_eq!(code(console.wait_exit(SOON)), 0);
    let said = console.contents();
    let flags = said.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
    let flags = u32::from_str_radix(flags, 8).unwrap();
    assert_eq!(flags & rustix::fs::OFlags::NONBLOCK.bits(), 0, "{said}");
    given_back(&mut console);
}
