//! Consoles on machines that lack what others have: containers, filters of system calls, limits that are used up.

use std::process::{Command, Stdio};

use super::{Host, SIZE, SOON, Typist, WARROOM, recorded};

/// What a machine lacks: how a program is begun there, and what is said of it; nothing where nothing is less.
type Lack = (&'static str, &'static str);

/// Begins a program where these system calls are refused.
const FILTER: &str = concat!("exec python3 ", env!("CARGO_MANIFEST_DIR"), "/tests/it/filter.py");

const LACKS: [Lack; 6] = [
    ("EMFILE inotify_init1 --", "inotify"),
    ("ENOSPC inotify_add_watch --", "inotify"),
    ("EPERM timerfd_create --", "timerfd"),
    ("EPERM memfd_create pidfd_open setsid prlimit64 --", ""),
    ("ENOSYS memfd_create pidfd_open statx clone3 timerfd_create inotify_init1 --", "inotify"),
    ("no /proc", "/proc"),
];

/// The line of a shell that runs `$0` with its arguments there.
fn line(lack: &str) -> String {
    match lack {
        "no /proc" => {
            "exec unshare -m sh -c 'mount -t tmpfs none /proc && exec \"$0\" \"$@\"' \"$0\" \"$@\"".to_owned()
        }
        calls => format!("{FILTER} {calls} \"$0\" \"$@\""),
    }
}

/// Whether this machine can be made to lack it: that takes Python, or root.
fn is_possible(lack: &str) -> bool {
    let tried = Command::new("sh").args(["-c", &line(lack), "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

#[test]
fn whatever_a_machine_lacks_a_console_opens_records_is_seen_by_others_and_says_once_what_is_less() {
    let host = Host::new().declared();
    let mut other = host.open(&["--as", "omid"]);
    for (number, (lack, said)) in LACKS.into_iter().enumerate() {
        if !is_possible(lack) {
            continue;
        }
        let line = line(lack);
        let mut console = host.start("sh", &["-c", &line, WARROOM, "open", "INC-1", "--role", "scribe"], &[], SIZE);
        console.wait_for("INC-1 SEV1", SOON);
        if !said.is_empty() {
            console.wait_for(&format!("this machine lacks {said}"), SOON);
        }
        console.wait_for("Ctrl+J new line", SOON);
        let note = format!("told under number {number}");
        console.note(&note);
        other.wait_until(&format!("{lack}: {note}"), SOON, |screen| recorded(&screen.contents(), &note));
        assert_eq!(String::from_utf8_lossy(console.raw()).contains("lacks"), !said.is_empty(), "{lack}");
        console.quit();
        let mut doctor = Command::new("sh");
        doctor.args(["-c", &line, WARROOM, "doctor"]).envs(host.env.iter().map(|(key, value)| (key, value)));
        let findings = String::from_utf8(doctor.output().unwrap().stdout).unwrap();
        let warned = findings.lines().any(|line| line.starts_with(&format!("warn  {said}: ")));
        assert!(said.is_empty() || warned, "{lack}: {findings}");
    }
    other.quit();
}

#[test]
fn where_nothing_can_be_waited_for_the_way_out_is_said() {
    let lack = "EPERM eventfd2 --";
    if !is_possible(lack) {
        return;
    }
    let host = Host::new().declared();
    let mut console = host.start("sh", &["-c", &line(lack), WARROOM, "open", "INC-1"], &[], SIZE);
    console.wait_for("eventfd2", SOON);
    console.wait_exit(SOON);
    super::given_back(&mut console);
}
