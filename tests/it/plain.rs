//! Line mode: the real binary on pipes, and on terminals that know no escape codes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use warroom::run::clock;

use crate::support::pty::{self, code};

const SOON: Duration = Duration::from_secs(10);
const BINARY: &str = env!("CARGO_BIN_EXE_warroom");

/// A host with nothing on it but a journal.
struct Host {
    home: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn folders(&self) -> [(&'static str, String); 2] {
        let folder = |name: &str| self.home.path().join(name).display().to_string();
        [("XDG_STATE_HOME", folder("state")), ("XDG_CONFIG_HOME", folder("config"))]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.args(arguments).envs(self.folders());
        if !arguments.contains(&"--as") {
            command.args(["--as", "dana"]);
        }
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs to the end; gives the status and what stood on stdout.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).output().unwrap();
        (code(output.status), String::from_utf8(output.stdout).unwrap())
    }

    fn declare(&self) {
        let (status, id) = self.run(&["declare", "-s", "alipay", "--severity", "sev2", "payments are slow"]);
        assert_eq!((status, id.trim()), (0, "INC-1"));
    }

    /// Runs a script of typed lines to the end of the input.
    fn script(&self, arguments: &[&str], lines: &str) -> (i32, String) {
        let mut plain = self.start(arguments);
        plain.type_in(lines);
        plain.stdin = None;
        let status = plain.wait_exit(SOON);
        (code(status), plain.rest())
    }

    fn start(&self, arguments: &[&str]) -> Plain {
        Plain::spawn(self.command(arguments).stdin(Stdio::piped()))
    }
}

/// A running console in line mode; what it says is read line by line.
struct Plain {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Plain {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { stdin: child.stdin.take(), child, lines, seen: Vec::new() }
    }

    fn type_in(&mut self, lines: &str) {
        self.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    /// The first line from here on that holds a text.
    #[track_caller]
    fn wait_for(&mut self, text: &str, patience: Duration) -> String {
        let until = clock::boot() + patience;
        loop {
            match self.lines.recv_timeout(until.saturating_sub(clock::boot())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(_) => panic!("no line with {text:?} within {patience:?} after:\n{}", self.seen.join("\n")),
            }
        }
    }

    fn ready(&mut self) {
        self.wait_for(":help lists the commands", SOON);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    #[track_caller]
    fn wait_exit(&mut self, patience: Duration) -> ExitStatus {
        exit_within(&mut self.child, patience)
    }

    /// Everything that was said, once it has ended.
    fn rest(&mut self) -> String {
        let rest: Vec<String> = self.seen.drain(..).chain(self.lines.iter()).collect();
        rest.join("\n")
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn exit_within(child: &mut Child, patience: Duration) -> ExitStatus {
    let until = clock::boot() + patience;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(clock::boot() < until, "it still runs after {patience:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Each text in some line after the line of the text before.
#[track_caller]
fn assert_in_order(all: &str, texts: &[&str]) {
    let mut rest = all;
    for text in texts {
        let Some(at) = rest.find(text) else { panic!("{text:?} is missing, or out of order, in:\n{all}") };
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn a_whole_gameday_can_be_run_over_a_pipe() {
    let host = Host::new();
    let script = ":take ic\n:ack\n-5m finding: pool exhausted\n:steps\n:check 1\n:skip 2 no synthetic checks here\n\
                  :update we know and look into it\n:due\n:log 2\n:quit\n";
    let (status, said) = host.script(&["gameday", "--plain"], script);
    assert_eq!(status, 0, "{said}");
    assert_in_order(
        &said,
        &[
            "DRILL-1 SEV2 Payments through Alipay",
            "due: acknowledge, by ",
            "timeline, 6 lines:",
            "DECLARED SEV2",
            "role dana is Incident Commander (dana)",
            "ACK acknowledged (dana)",
            "done: acknowledge",
            "due: update incident channel, #status-qrpay, internal page, by ",
            "finding pool exhausted (dana, entered ",
            "\n1 Check the alipay namespace",
            "(open)",
            "step ✓ Check the alipay namespace",
            "step skipped Verify the upstream endpoint",
            "we know and look into it",
            "done: update incident channel",
            " due: update ",
            "timeline, the last 2 of ",
        ],
    );
    assert!(said.contains("slo: alipay p99 latency BREACHED"), "{said}");
    assert!(!said.contains('\u{1b}'));
    let (_, record) = host.run(&["show", "DRILL-1"]);
    assert!(record.contains("pool exhausted"), "{record}");
}

#[test]
fn what_another_process_writes_is_said_within_a_second() {
    let host = Host::new();
    host.declare();
    let mut plain = host.start(&["open", "--plain"]);
    plain.ready();
    let before = clock::boot();
    assert_eq!(host.run(&["note", "--as", "omid", "first line\nsecond line"]).0, 0);
    let line = plain.wait_for("first line", Duration::from_secs(1));
    assert!(line.contains(" note first line"), "{line}");
    assert_eq!(plain.wait_for("second line", SOON), "    second line (omid)");
    assert!(clock::boot() - before < Duration::from_secs(3), "process start included");
    let mut other = host.start(&["open", "--plain", "--role", "scribe"]);
    plain.wait_for("dana is here (scribe layout)", SOON);
    other.ready();
    other.type_in(":take scribe\n");
    plain.wait_for("role dana is Scribe", SOON);
    other.type_in(":quit\n");
    plain.wait_for("dana left (scribe layout)", SOON);
    assert_eq!(code(other.wait_exit(SOON)), 0);
}

#[test]
fn a_deadline_is_said_when_it_comes_near_and_when_it_has_passed_once_each() {
    let host = Host::new();
    let mut plain = host.start(&["gameday", "--plain", "--speed", "80"]);
    plain.wait_for("DUE SOON: acknowledge, by ", SOON);
    plain.wait_for("OVERDUE: acknowledge, by ", SOON);
    plain.type_in(":due\n:take ic\n:ack\n");
    plain.wait_for("due: acknowledge, by ", SOON);
    plain.wait_for("done: acknowledge", SOON);
    plain.type_in(":quit\n");
    assert_eq!(code(plain.wait_exit(SOON)), 0);
    let said = plain.rest();
    for once in ["DUE SOON: acknowledge", "OVERDUE: acknowledge", "done: acknowledge"] {
        assert_eq!(said.matches(once).count(), 1, "{once} in:\n{said}");
    }
}

#[test]
fn without_a_terminal_or_on_a_dumb_one_no_escape_byte_is_written() {
    let host = Host::new();
    host.declare();
    let (status, said) = host.run(&["open"]);
    assert_eq!(status, 0);
    assert_in_order(&said, &["INC-1 SEV2 payments are slow", ":help lists the commands"]);
    assert!(!said.contains('\u{1b}'), "no terminal at all: {said:?}");

    let folders = host.folders();
    let mut env: Vec<(&str, &str)> = folders.iter().map(|(name, value)| (*name, value.as_str())).collect();
    env.extend([("TERM", "dumb"), ("LC_ALL", "C.UTF-8")]);
    let mut dumb = pty::spawn(OsStr::new(BINARY), &["open", "--as", "dana"], &env, (100, 40));
    dumb.wait_for(":help lists the commands", SOON);
    dumb.send("typed on a dumb terminal\n");
    dumb.wait_for("note typed on a dumb terminal (dana)", SOON);
    dumb.send(b"\x04");
    assert_eq!(code(dumb.wait_exit(SOON)), 0, "the end of the input");
    assert!(!dumb.raw().contains(&0x1b));
}

#[test]
fn outside_a_utf8_locale_every_byte_is_ascii() {
    let host = Host::new();
    host.declare();
    assert_eq!(host.run(&["note", "支付 → 4 s … 50 %\u{202e}"]).0, 0);
    let mut plain = Plain::spawn(host.command(&["open", "--plain"]).env("LC_ALL", "C").stdin(Stdio::piped()));
    plain.ready();
    plain.type_in(":steps\n:check 1\n:who\n:help\n:quit\n");
    assert_eq!(code(plain.wait_exit(SOON)), 0);
    let said = plain.rest();
    assert!(said.is_ascii(), "{said}");
    assert_in_order(&said, &["note ?? -> 4 s ... 50 % (dana)", "step [x] Check", "roles: IC nobody - Comms"]);
}

#[test]
fn head_takes_one_line_and_the_console_ends_quietly() {
    let host = Host::new();
    host.declare();
    let mut child = host.command(&["open", "--plain"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    drop(stdout);
    assert_eq!(first, "INC-1 SEV2 payments are slow\n");
    let status = exit_within(&mut child, Duration::from_secs(2));
    assert_eq!(code(status), 0, "nobody reads any more, though somebody could still type");
    let mut complaints = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaints).unwrap();
    assert!(!complaints.contains("pipe") && !complaints.contains("panicked"), "{complaints}");
}

#[test]
fn what_cannot_be_is_refused_with_the_way_out() {
    let host = Host::new();
    host.declare();
    let cases = [
        (":ack", "! the Incident Commander acknowledges, and nobody is: take command first (:take ic)"),
        (":sev 3", "! lowering from SEV2 to SEV3 wants a reason: write it at the end of the same line"),
        (":sev bad", "! `bad` is no severity: sev0, sev1, sev2 or sev3"),
        (":phase triage", "! nobody has acknowledged yet: the Incident Commander does that first (:ack)"),
        (":phase later", "! write :phase NAME [REASON]"),
        (":take chef", "! write :take-role ic|comms|sme [COMPONENT]|scribe"),
        (":leave ic", "! nobody is Incident Commander"),
        (":check 99", "! there is no step 99: they go from 1 to"),
        (":check", "! write :check N"),
        (":skip 1", "! skipping a step wants a reason: write it at the end of the same line"),
        (":impact noon", "! `noon` is no time: write now, -5m or 14:10"),
        (":impact-end", "! no customer impact is recorded: say first when it began"),
        (":open nonsense", "! `nonsense` is not an incident"),
        (":declare alipay 1", "! write :declare SERVICE 0|1|2|3 TITLE"),
        (":draft", "! no half-typed line was left here"),
        (":frobnicate", "! no command `:frobnicate`: :help lists them"),
        (":update", "! write :update [external] TEXT"),
    ];
    let script: String = cases.iter().map(|(line, _)| format!("{line}\n")).collect();
    let (status, said) = host.script(&["open", "--plain"], &script);
    assert_eq!(status, 0, "a refusal is an answer");
    let answers: Vec<_> = cases.iter().map(|(_, answer)| *answer).collect();
    assert_in_order(&said, &answers);
    let (_, record) = host.run(&["show", "INC-1"]);
    let timeline = record.lines().filter(|line| line.starts_with("20")).count();
    assert_eq!(timeline, 1, "nothing of this was recorded: {record}");
}

#[test]
fn a_read_only_console_follows_without_a_typist_and_changes_nothing() {
    let host = Host::new();
    host.declare();
    let mut typist = host.start(&["open", "--plain", "--read-only"]);
    typist.type_in("a note\n:take ic\n:drill\n:who\n");
    for _ in 0..3 {
        typist.wait_for("! this console only looks (--read-only)", SOON);
    }
    typist.wait_for("roles: IC nobody", SOON);
    let mut follower = Plain::spawn(&mut host.command(&["open", "--plain", "--read-only"]));
    follower.ready();
    assert_eq!(host.run(&["note", "what the follower hears"]).0, 0);
    follower.wait_for("what the follower hears", SOON);
    follower.signal(Signal::TERM);
    assert_eq!(code(follower.wait_exit(Duration::from_secs(2))), 143);
    typist.type_in(":quit\n");
    assert_eq!(code(typist.wait_exit(SOON)), 0);
}

#[test]
fn the_end_of_the_input_comes_after_everything_typed_is_on_disk() {
    let host = Host::new();
    host.declare();
    let script: String = (0..40).map(|number| format!("typed line {number} of a script\n")).collect();
    let (status, said) = host.script(&["open", "--plain"], script.trim_end());
    assert_eq!(status, 0);
    let (_, record) = host.run(&["show", "INC-1"]);
    for number in 0..40 {
        let words = format!("typed line {number} of a script (dana)");
        assert!(said.contains(&words), "{words} was not said:\n{said}");
        assert!(record.contains(&format!("typed line {number} of a script  (dana)")), "not on disk:\n{record}");
    }
    let (status, said) = host.script(&["open", "INC-7", "--plain"], "");
    assert_eq!(status, 1, "what was asked for could not be opened: {said}");
    assert_in_order(&said, &["! ", "INC-7", "INC-1     SEV2"]);
}

#[test]
fn a_signal_ends_it_with_its_status_even_when_nobody_reads() {
    let host = Host::new();
    host.declare();
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let mut plain = host.start(&["open", "--plain"]);
        plain.ready();
        plain.type_in(&format!("before signal {}\n", signal.as_raw()));
        plain.wait_for("before signal", SOON);
        plain.signal(signal);
        assert_eq!(code(plain.wait_exit(Duration::from_secs(2))), status);
    }
    // A pipe takes 64 KB; then the writing thread waits for a reader that never comes.
    let mut child = host.command(&["open", "--plain"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for _ in 0..200 {
        stdin.write_all(b":help\n").unwrap();
    }
    stdin.write_all(b"written though nobody reads\n").unwrap();
    let until = clock::boot() + SOON;
    while !host.run(&["show", "INC-1"]).1.contains("written though nobody reads") {
        assert!(clock::boot() < until, "the loop waits for the reader");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(code(exit_within(&mut child, Duration::from_secs(2))), 143);
}

#[test]
fn a_line_that_a_dead_console_left_half_typed_can_be_recorded() {
    use warroom::incident::{IncidentId, Via};
    use warroom::journal::{JournalDir, Sharing};
    let host = Host::new();
    host.declare();
    let folder = host.home.path().join("state/warroom/journal");
    let dir = JournalDir::open(folder, Sharing::Private).unwrap();
    let via = Via { uid: 0, pid: 1, console: "gone".into() };
    let mut journal = dir.journal(IncidentId::incident(1), via).unwrap();
    journal.save_draft(&"dana".into(), "finding: :the pool is\nexhausted").unwrap();
    drop(journal);
    let (_, said) = host.script(&["open", "--plain"], "");
    assert_in_order(&said, &["you left a half-typed line (:draft records it): finding: :the pool is", "    exhausted"]);
    let (status, said) = host.script(&["open", "--plain"], ":draft\n:draft\n");
    assert_eq!(status, 0, "it was kept until now: {said}");
    assert_in_order(&said, &["finding :the pool is", "    exhausted (dana)", "! no half-typed line was left here"]);
    let (_, said) = host.script(&["open", "--plain"], "");
    assert!(!said.contains("half-typed"), "{said}");
}

#[test]
fn with_no_record_open_the_lines_say_how_to_begin_and_declaring_begins() {
    let host = Host::new();
    let script = "too early\n:declare alipay 1 payments fail\nnow it is written\n:take sme gateway\n:list\n\
                  :leave sme gateway going home\n:sev 0 everything is down\n:unservice alipay\n:title all payments fail\n";
    let (status, said) = host.script(&["open", "--plain"], script);
    assert_eq!(status, 0, "{said}");
    assert_in_order(
        &said,
        &[
            "no incident is open: :declare",
            "! no record is open yet: :declare SERVICE SEVERITY TITLE",
            "INC-1 SEV1 payments fail",
            "note now it is written (dana)",
            "role dana is Subject Matter Expert for gateway",
            "INC-1     SEV1",
            "role dana is no longer Subject Matter Expert for gateway (going home)",
            "SEVERITY raised to SEV0 (everything is down)",
            "scope alipay is not affected",
            "title all payments fail",
        ],
    );
}
