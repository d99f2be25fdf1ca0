//! Line mode: the real binary on pipes, and on terminals that know no escape codes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use warroom::run::clock;

use crate::support::pty::{self, code};

pub const SOON: Duration = Duration::from_secs(60);
const BINARY: &str = env!("CARGO_BIN_EXE_warroom");

/// A host with nothing on it but a journal.
pub struct Host {
    pub home: tempfile::TempDir,
}

impl Host {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    pub fn folders(&self) -> [(&'static str, String); 2] {
        let folder = |name: &str| self.home.path().join(name).display().to_string();
        [("XDG_STATE_HOME", folder("state")), ("XDG_CONFIG_HOME", folder("config"))]
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
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
    pub fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.command(arguments).output().unwrap();
        (code(output.status), String::from_utf8(output.stdout).unwrap())
    }

    pub fn declare(&self) {
        let (status, id) = self.run(&["declare", "-s", "alipay", "--severity", "sev2", "payments are slow"]);
        assert_eq!((status, id.trim()), (0, "INC-1"));
    }

    /// Runs a script of typed lines to the end of the input.
    pub fn script(&self, arguments: &[&str], lines: &str) -> (i32, String) {
        let mut plain = self.start(arguments);
        plain.type_in(lines);
        plain.stdin = None;
        let status = plain.wait_exit(SOON);
        (code(status), plain.rest())
    }

    pub fn start(&self, arguments: &[&str]) -> Plain {
        Plain::spawn(self.command(arguments).stdin(Stdio::piped()))
    }
}

/// A running console in line mode; what it says is read line by line.
pub struct Plain {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Plain {
    pub fn spawn(command: &mut Command) -> Self {
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

    pub fn type_in(&mut self, lines: &str) {
        self.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    /// The first line from here on that holds a text.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str, patience: Duration) -> String {
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

    /// Says the word that was made up for what was shown last.
    #[track_caller]
    pub fn confirm(&mut self) {
        let word = self.word();
        self.type_in(&format!(":confirm {word}\n"));
    }

    /// The word that was made up for what is shown next.
    #[track_caller]
    pub fn word(&mut self) -> String {
        let line = self.wait_for(":confirm ", SOON);
        line.split(":confirm ").nth(1).and_then(|rest| rest.split(':').next()).unwrap().to_owned()
    }

    /// A line that holds a text, among those that were said already or that come.
    #[track_caller]
    pub fn said_or_says(&mut self, text: &str, patience: Duration) -> String {
        match self.seen.iter().find(|line| line.contains(text)) {
            Some(line) => line.clone(),
            None => self.wait_for(text, patience),
        }
    }

    /// What it says for a while.
    pub fn listen(&mut self, patience: Duration) -> Vec<String> {
        let until = clock::boot() + patience;
        let mut said = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(until.saturating_sub(clock::boot())) {
            said.push(line);
        }
        said
    }

    /// Ends the input.
    pub fn end(&mut self) {
        self.stdin = None;
    }

    pub fn ready(&mut self) {
        self.wait_for(":help lists the commands", SOON);
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    #[track_caller]
    pub fn wait_exit(&mut self, patience: Duration) -> ExitStatus {
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
pub fn exit_within(child: &mut Child, patience: Duration) -> ExitStatus {
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
            "\nDRILL 1 Check the alipay namespace",
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
    let line = plain.wait_for("first line", crate::support::promised(Duration::from_secs(1)));
    assert!(line.contains(" note first line"), "{line}");
    assert_eq!(plain.wait_for("second line", SOON), "    second line (omid)");
    assert!(clock::boot() - before < crate::support::promised(Duration::from_secs(3)), "process start included");
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
    let mut plain = host.start(&["gameday", "--plain", "--speed", "25"]);
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
    assert_in_order(&said, &["note ?? -> 4 s ... 50 %? (dana)", "step [x] Check", "roles: IC nobody - Comms"]);
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
        (":ack", "! the Incident Commander acknowledges, and nobody is: take command first (:take-role ic|comms|sme)"),
        (":sev 3", "! lowering from SEV2 to SEV3 wants a reason: write it at the end of the same line"),
        (":sev bad", "! `bad` is no severity: sev0, sev1, sev2 or sev3"),
        (":phase triage", "! nobody has acknowledged yet: the Incident Commander does that first (:acknowledge)"),
        (":phase later", "! write :phase NAME [REASON]"),
        (":take chef", "! write :take-role ic|comms|sme [COMPONENT]|scribe"),
        (":leave ic", "! nobody is Incident Commander"),
        (":check 99", "! there is no step 99: they go from 1 to"),
        (":check", "! write :check N"),
        (":skip 1", "! skipping a step wants a reason: write it at the end of the same line"),
        (":impact noon", "! `noon` is no time: write now, -5m, 14:10"),
        (":impact-end", "! no customer impact is recorded: say first when it began"),
        (":snooze acknowledge 5m later", "! the acknowledge clock cannot be put off"),
        (":snooze 1", "! write :snooze WHAT 5m REASON"),
        (":snooze 1 5m later", "! there is no obligation `1`: :due lists them"),
        (":triage places=NL", "! write :triage geography=NL,DE"),
        (":triage outage=perhaps", "! `perhaps` for outage: write yes or no"),
        ("@everybody look 5m", "! work goes to a named person: @dana check p99 5m"),
        ("@li look", "! say when they call back, at the end: @dana check p99 5m"),
        (":tasks", "! no task is open: @dana check p99 5m hands work to dana"),
        (":propose restart it | fees", "! write :propose ACTION | RISK | UNDO [| PLAN B]"),
        (":decide 1 perhaps", "! write :decide N yes|no [REASON]"),
        (":accept", "! no role is offered to you: :offers lists them"),
        (":handover ic li all yours", "! nobody is Incident Commander: it is taken, not handed over"),
        (":template slack soon", "! write :template slack|internal|external|executive"),
        (":approve 1", "! there is no text 1: :drafts lists them"),
        (":false-alarm", "! how is it known that this is a false alarm? write it at the end of the same line"),
        (
            ":resolve all is well",
            "! nobody has acknowledged yet: the Incident Commander does that first (:acknowledge)",
        ),
        (":resolve! a reason alone", "! write :resolve! REASON | FINAL STATUS"),
        (":review matrix", "! write :review playbook SERVICE OUTCOME"),
        (":postmortem someday 10:00 li", "! `someday 10:00` is no time: write 5m"),
        (":amend-time resolved -5m the log", "! it is not resolved: there is no such time to correct"),
        (":oncall", "! no on-call rotation is configured"),
        (":past", "! no earlier incident of an affected service is on this host"),
        (":link 1", "! there is no alert 1: :alerts lists them"),
        (":declare-from burst", "! no alerts began together lately"),
        (":changes", "! no change is known"),
        (":open nonsense", "! `nonsense` is not an incident"),
        (":declare alipay 1", "! write :declare SERVICE 0|1|2|3 TITLE"),
        (":draft", "! no half-typed line was left here"),
        (":frobnicate", "! no command `:frobnicate`: :help lists them"),
        (":update", "! write :update [external] [-10m | told TIME] TEXT"),
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
fn a_read_only_console_follows_changes_nothing_and_ends_with_its_input() {
    let host = Host::new();
    host.declare();
    let mut typist = host.start(&["open", "--plain", "--read-only"]);
    typist.type_in("a note\n:take ic\n:drill\n:who\n");
    for _ in 0..3 {
        typist.wait_for("! this console only looks (--read-only)", SOON);
    }
    typist.wait_for("roles: IC nobody", SOON);
    let mut follower = host.start(&["open", "--plain", "--read-only"]);
    follower.ready();
    assert_eq!(host.run(&["note", "what the follower hears"]).0, 0);
    follower.wait_for("what the follower hears", SOON);
    follower.signal(Signal::TERM);
    assert_eq!(code(follower.wait_exit(crate::support::promised(Duration::from_secs(2)))), 143);
    typist.type_in(":quit\n");
    assert_eq!(code(typist.wait_exit(SOON)), 0);
    let (status, said) = host.script(&["open", "--plain", "--read-only"], ":who\n");
    assert_eq!(status, 0, "{said}");
    assert_in_order(&said, &["INC-1", "roles: IC nobody"]);
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
        assert_eq!(code(plain.wait_exit(crate::support::promised(Duration::from_secs(2)))), status);
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
    let via = Via { uid: 0, pid: 1, console: "gone".into(), ..Via::default() };
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
            "! no record is open yet: :declare SERVICE 0|1|2|3 TITLE declares an incident",
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

/// A console of somebody, on the record that is open.
fn console_of(host: &Host, name: &str) -> Plain {
    let mut plain = host.start(&["open", "INC-1", "--plain", "--as", name]);
    plain.ready();
    plain
}

#[test]
fn an_incident_is_run_from_its_declaration_to_its_postmortem_by_line_mode_alone() {
    let host = Host::new();
    let mut dana = host.start(&["open", "--plain"]);
    dana.type_in(":declare alipay 2 payments fail by=Support link=https://tickets/7 at=-3m\n");
    dana.ready();
    dana.type_in(":take-command\n:acknowledge\n:severity 1 half of the users\n");
    dana.wait_for("ACK acknowledged (dana)", SOON);
    dana.wait_for("DUE SOON: tell the Director of Engineering, by ", SOON);
    let mut omid = console_of(&host, "omid");
    dana.wait_for("omid is here", SOON);

    // Who knows, what is affected.
    dana.type_in(":told\n:told director-of-e Ana Ruiz, by phone\n");
    dana.wait_for("position director-of-engineering Director of Engineering: NOT told of SEV1 yet", SOON);
    dana.wait_for("told the Director of Engineering knows of SEV1 (Ana Ruiz, by phone)", SOON);
    dana.type_in(":triage geography=NL,DE partners=Blu Bank, ING users=60 customers=1200 regulatory=yes impact=-5m\n");
    let scope = dana.wait_for(" scope places: NL, DE; partner banks: Blu Bank, ING; regulatory impact: yes; ", SOON);
    assert!(scope.contains("60 % of users; 1200 customers"), "{scope}");
    dana.wait_for("regulatory impact: SEV0 by the matrix (:severity 0 sets it)", SOON);
    dana.type_in(":phase triage\n:assign-role sme alipay lena\n:phase mitigating\n");
    dana.wait_for("role lena is Subject Matter Expert for alipay", SOON);

    // Work and its call-back.
    dana.type_in("@omid check p99 of the gateway 5m\n");
    let task = omid.wait_for("FOR YOU: task 1 @omid check p99 of the gateway (dana, calls back at ", SOON);
    assert!(task.contains("(:read-back 1, then :done 1)"), "{task}");
    omid.type_in(":read-back 1\n:more 1 5m reading the graphs\n:claim 1\n:check 1\n:call-back 1 done p99 is 4 s\n");
    dana.wait_for("task read back: @omid check p99 of the gateway (omid)", SOON);
    dana.wait_for("step claimed: ", SOON);
    dana.wait_for("@omid check p99 of the gateway · done: p99 is 4 s (omid)", SOON);
    dana.wait_for("called back: @omid check p99", SOON);
    omid.type_in(":theory the 13:52 deploy of the gateway | omid | roll back\n:theory the pool\n:eliminated 2 it is half empty\n");
    dana.wait_for("eliminated: the pool; it is half empty", SOON);

    // A proposal: nobody is asked twice, the IC decides.
    omid.type_in(":propose route to the backup provider | fees | set the flag back | stop the retries\n");
    let proposal = dana.wait_for("PROPOSED: proposal 1 route to the backup provider (omid; risk: fees; ", SOON);
    assert!(proposal.contains("any strong objections? until ") && proposal.contains("(:object 1 WHY)"), "{proposal}");
    omid.type_in(":decide 1 yes\n:object 1 it is full until 15:00\n");
    omid.wait_for("! the Incident Commander decides: that is dana", SOON);
    dana.wait_for("OBJECT route to the backup provider: it is full until 15:00 (omid)", SOON);
    dana.type_in(":decide 1 yes\n:decide 1 yes half of it is enough\n");
    dana.wait_for("! there are objections: going ahead wants a reason: write it at the end", SOON);
    dana.wait_for("DECIDE route to the backup provider (half of it is enough)", SOON);

    // A text of Comms that the IC approves.
    omid.type_in(":take comms\n:template external identified\n:update external We know of it and work on it. Gateway host 10.0.0.7 is slow.\n");
    let refused = omid.wait_for("! `10.0.0.7` (host name)", SOON);
    assert!(refused.ends_with("(:update! takes it as it is)"), "{refused}");
    omid.type_in(":update external Some payments fail. We work on it.\n:update external we test the forms\n");
    dana.wait_for("WAITS FOR APPROVAL: text 1 omid's for external page, of ", SOON);
    dana.wait_for("WAITS FOR APPROVAL: text 2 omid's", SOON);
    dana.type_in(
        ":drafts\n:drop-draft 2\n:drop-draft 2 nobody needs it\n:approve 1 Some payments fail. We know why.\n",
    );
    dana.wait_for("! sending omid's text back wants a reason: write it at the end", SOON);
    dana.wait_for("UPDATE to external page: Some payments fail. We know why. (dana)", SOON);
    dana.wait_for("done: update external page", SOON);
    dana.type_in(":due\n");
    let due = dana.wait_for(" due: update incident channel, #status-qrpay, internal page, by ", SOON);
    let number = due.split(' ').next().unwrap();
    dana.type_in(&format!(":snooze {number} 5m the bank's call runs\n"));
    for channel in ["incident channel", "#status-qrpay", "internal page"] {
        dana.wait_for(&format!("snooze update {channel} until "), SOON);
    }

    // The role changes hands.
    dana.type_in(":handover ic omid you know it all\n");
    omid.wait_for("FOR YOU: offer 1 Incident Commander, from dana to omid (:accept 1, or :decline 1 REASON)", SOON);
    omid.type_in(":decline\n:accept\n");
    omid.wait_for("! declining a role wants a reason: write it at the end of the same line", SOON);
    dana.wait_for("HANDOVER Incident Commander accepted from dana", SOON);

    // The end, and what follows it.
    omid.type_in(":impact-end\n:confirmed 1 it went with the rollback\n:resolve\n:resolve payments flow again\n");
    omid.wait_for("proof: NOT MET alipay p99 latency: ", SOON);
    omid.wait_for("Cause: the 13:52 deploy of the gateway. Done: route to the backup provider.", SOON);
    omid.wait_for("Resolving now wants a reason: write :resolve! REASON | FINAL STATUS", SOON);
    omid.type_in(":resolve! its graphs are in another tool | payments flow again\n");
    dana.wait_for("RESOLVED Resolved (its graphs are in another tool)", SOON);
    dana.wait_for("due: postmortem: date and owner, by ", SOON);
    omid.type_in(":update! external Card payments work normally again.\n");
    dana.wait_for("Card payments work normally again.", SOON);
    dana.type_in("todo: alert on the pool\nfinding: hunter2\n:log 2\n:redact 2 it held a password\n:amend 1 alert before the pool is full\n");
    dana.wait_for(" is redacted: ", SOON);
    dana.wait_for("now reads: alert before the pool is full", SOON);
    let soon = clock::wall() + chrono::TimeDelta::hours(20);
    dana.type_in(&format!(":postmortem {} dana\n", soon.format("%Y-%m-%d %H:%M")));
    dana.wait_for(", dana owns it (dana)", SOON);
    dana.type_in(":article https://wiki/alipay\n:review playbook alipay one step is new\n:review matrix nothing\n");
    dana.type_in(
        ":review templates nothing\n:follow-up 1 owner=omid due=2099-12-07\n:amend-time detected -10m gateway log\n",
    );
    dana.wait_for("detected is ", SOON);
    dana.type_in(":follow-ups\n:phase post-incident\n:phase closed\n");
    dana.wait_for("follow-up 1 ", SOON);
    // Who was not told yet, by name: that outlives the incident.
    dana.wait_for("was not told of SEV", SOON);
    dana.type_in(":phase closed they hear it in the morning\n:told\n:quit\n");
    dana.wait_for(": NOT told of SEV", SOON);
    omid.wait_for("phase Closed (they hear it in the morning) (dana)", SOON);
    assert_eq!(code(dana.wait_exit(SOON)), 0);
    omid.stdin = None;
    assert_eq!(code(omid.wait_exit(SOON)), 0);
    let (status, text) = host.run(&["postmortem", "INC-1", "--out", "-"]);
    assert_eq!(status, 0);
    for part in ["route to the backup provider", "the 13:52 deploy of the gateway", "alert", "half of it is enough"] {
        assert!(text.contains(part), "{part} is not in the postmortem:\n{text}");
    }
    assert!(!text.contains("hunter2") && text.contains("omid"), "{text}");
}

#[test]
fn what_concerns_all_records_of_the_host_is_asked_from_inside_one_of_them() {
    let host = Host::new();
    host.declare();
    assert_eq!(host.run(&["declare", "--anyway", "-s", "alipay", "--severity", "sev2", "the same"]).1.trim(), "INC-2");
    let mut command = host.command(&["open", "INC-1", "--plain"]);
    let folder = host.home.path().canonicalize().unwrap();
    let mut plain = Plain::spawn(command.current_dir(&folder).stdin(Stdio::piped()));
    plain.type_in("todo: raise the pool limit\n:merge INC-2 into\n:merge INC-2 into INC-1\n:report\n:report soon\n");
    plain.type_in(":all-follow-ups\n:write-postmortem\n:oncall\n");
    plain.stdin = None;
    let status = plain.wait_exit(SOON);
    let said = plain.rest();
    assert_eq!(code(status), 0, "{said}");
    let file = folder.join("INC-1-postmortem.md").display().to_string();
    let words = [
        "! write :merge DUPLICATE into ID",
        "INC-2 goes on in INC-1: its lines and earliest clocks are there, and it is closed",
        "1 incident",
        "false alarms and duplicates (not counted)",
        "! `soon` is no period: write 30d or 2026-05-01",
        "raise the pool limit",
        &file,
        "# Postmortem INC-1",
        "no on-call rotation is configured",
    ];
    assert_in_order(&said, &words);
    assert!(folder.join("INC-1-postmortem.md").exists());
}

#[test]
fn a_number_goes_on_to_mean_what_was_read() {
    let host = Host::new();
    host.declare();
    let script = "@li one 5m\n@li two 5m\n:tasks\n:drop 1 not needed\n@li three 1m\n:tasks\n:done 2\n:done 7\n:done x\n\
                  first line\nsecond line\n:log 2\n:strike 1 wrong\n:log 1\n:strike 1 wrong too\n:strike 2\n";
    let (status, said) = host.script(&["open", "--plain"], script);
    assert_eq!(status, 0, "{said}");
    assert_in_order(
        &said,
        &[
            "\ntask 1 @li one",
            "\ntask 2 @li two",
            "\ntask 3 @li three",
            "\ntask 2 @li two",
            "task @li two · done",
            "! there is no task 7: :tasks lists them",
            "! `x` is no number of a task: :tasks lists them",
            "is struck through: first line",
            "is struck through: second line",
            "! there is no line 2: :log lists them",
        ],
    );
}

#[tokio::test]
async fn an_alert_is_said_when_it_fires_and_an_incident_is_declared_from_it() {
    use crate::support::http::{Reply, Server};
    let started = clock::wall() - chrono::TimeDelta::minutes(2);
    let answer = serde_json::json!([{
        "annotations": {"summary": "18 % of payments fail"},
        "endsAt": "2099-05-28T20:30:41.123Z", "fingerprint": "09c11e48a7b5ffdf", "receivers": [{"name": "pager"}],
        "startsAt": started.to_rfc3339(), "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": started.to_rfc3339(), "generatorURL": "http://vm/graph",
        "labels": {"alertname": "HighErrorRate", "service": "alipay", "severity": "critical"}
    }])
    .to_string();
    let server = Server::start(move |_| Reply::json(answer.clone())).await;
    let url = server.url();
    let typist = tokio::task::spawn_blocking(move || {
        let host = Host::new();
        let mut plain = host.start(&["open", "--plain", "--alertmanager", &url]);
        let alert = plain.wait_for("ALERT: alert 1 HighErrorRate SEV", SOON);
        assert!(alert.contains(" firing since ") && alert.contains("(:declare-from 1)"), "{alert}");
        plain.type_in(":link 1\n:declare-from 1 1\n");
        plain.wait_for("! no record is open yet", SOON);
        plain.wait_for("INC-1 SEV1 18 % of payments fail", SOON);
        plain.wait_for("due: acknowledge, by ", SOON);
        plain.ready();
        // The record's own sources tell it again.
        plain.wait_for("ALERT: alert 1 HighErrorRate", SOON);
        plain.type_in(":alerts\n:link 1\n:declare-from 1\n:quit\n");
        assert_eq!(code(plain.wait_exit(SOON)), 0);
        let said = plain.rest();
        assert_in_order(
            &said,
            &[", linked to INC-1) ", "! HighErrorRate is linked already", "! HighErrorRate is linked to INC-1 already"],
        );
        assert!(!said.contains("does not fire any more"), "{said}");
    });
    typist.await.unwrap();
}

#[tokio::test]
async fn a_storm_is_told_by_rule_and_by_service_and_a_hundred_labels_are_kept() {
    use crate::support::http::{Reply, Server};
    let at = (clock::wall() - chrono::TimeDelta::minutes(2)).to_rfc3339();
    let alert = |rule: &str, service: &str, pod: usize| {
        let mut labels =
            serde_json::json!({"alertname": rule, "service": service, "severity": "warning", "pod": pod.to_string()});
        for number in 0..96 {
            labels[format!("label_{number:02}")] = format!("value of {number}").into();
        }
        serde_json::json!({"annotations": {"summary": format!("{rule} on {pod}")}, "endsAt": "2099-05-28T20:30:41.123Z",
            "fingerprint": format!("{service}{pod:012x}"), "receivers": [{"name": "pager"}], "startsAt": at, "updatedAt": at,
            "status": {"inhibitedBy": [], "silencedBy": [], "state": "active"}, "generatorURL": "http://vm/graph", "labels": labels})
    };
    let storm: Vec<_> = (0..20)
        .map(|pod| alert("KubePodCrashLooping", if pod < 12 { "ledger" } else { "wallet" }, pod))
        .chain([alert("DiskFull", "wallet", 99)])
        .collect();
    let answer = serde_json::json!(storm).to_string();
    let server = Server::start(move |_| Reply::json(answer.clone())).await;
    let url = server.url();
    let typist = tokio::task::spawn_blocking(move || {
        let host = Host::new();
        host.declare();
        let mut plain = host.start(&["open", "INC-1", "--plain", "--alertmanager", &url]);
        plain.wait_for("KubePodCrashLooping", SOON);
        plain.type_in(":alerts by rule\n");
        plain.wait_for("KubePodCrashLooping: 20 firing", SOON);
        plain.wait_for("DiskFull: 1 firing", SOON);
        plain.type_in(":alerts by service\n");
        plain.wait_for("ledger: 12 firing", SOON);
        plain.wait_for("wallet: 9 firing", SOON);
        plain.type_in(":alerts by pod\n");
        plain.wait_for("! write :alerts [by rule | by service]", SOON);
        plain.type_in(":alert DiskFull\n:quit\n");
        assert_eq!(code(plain.wait_exit(SOON)), 0);
        let said = plain.rest();
        for number in 0..96 {
            assert!(said.contains(&format!("label_{number:02}=value of {number}")), "{number} is gone: {said}");
        }
    });
    typist.await.unwrap();
}

#[test]
fn a_list_can_be_asked_for_some_incidents_in_a_form_for_programs_and_the_worst_comes_first() {
    let host = Host::new();
    for (service, severity, title) in
        [("alipay", "sev2", "slow"), ("blubank", "sev1", "payments fail"), ("alipay", "sev3", "noise")]
    {
        assert_eq!(host.run(&["declare", title, "--severity", severity, "-s", service, "--anyway"]).0, 0);
    }
    let (_, all) = host.run(&["list"]);
    let ids: Vec<_> = all.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["INC-2", "INC-1", "INC-3"], "{all}");
    let (_, tsv) = host.run(&["list", "-o", "tsv", "--service", "alipay", "--severity", "sev2,sev1", "--since", "1h"]);
    let rows: Vec<Vec<&str>> = tsv.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((rows.len(), rows[0][0], rows[1][0], rows[1][6]), (2, "id", "INC-1", "slow"), "{tsv}");
    let (_, jsonl) = host.run(&["list", "-o", "jsonl", "--open"]);
    let of = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["severity"].clone();
    assert_eq!(jsonl.lines().map(of).collect::<Vec<_>>(), ["sev1", "sev2", "sev3"], "{jsonl}");
    assert_eq!(host.run(&["list", "-o", "jsonl", "--severity", "sev0"]), (0, String::new()));
    assert!(host.run(&["list", "--severity", "sev0"]).1.contains("no record is like that"));
}
