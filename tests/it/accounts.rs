//! Two accounts of one machine that share a record by their group: what one of them writes, the other one's console shows and never does.
//!
//! The victim's consoles and the attacker's writes run as two accounts of their own, by number; that takes root, or `sudo` without a password. Elsewhere
//! these tests say that they were left out, and the whole check does not let them be.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use serde_json::value::RawValue;
use warroom::incident::{Actor, EntryId, Event, IncidentId, Series, Via};
use warroom::journal::{Journal, JournalDir, NewEntry, Sharing};

use crate::support::http::{Reply, Server};
use crate::support::pty::{self, Pty};
use crate::support::until;

const SOON: Duration = Duration::from_secs(60);
/// What a console would have done by now.
const LONG_ENOUGH: Duration = Duration::from_millis(2500);
const INC: IncidentId = IncidentId { series: Series::Incident, number: 1 };
const DRILL: IncidentId = IncidentId { series: Series::Drill, number: 1 };
/// Numbers that no account of the machine has.
const VICTIM: u32 = 61_001;
const ATTACKER: u32 = 61_002;
const GROUP: u32 = 61_010;

/// What goes before a command that needs root; nothing where neither root nor `sudo` is to be had.
fn as_root() -> Option<Vec<OsString>> {
    if rustix::process::geteuid().is_root() {
        return Some(Vec::new());
    }
    let asked = Command::new("sudo").args(["-n", "true"]).output();
    asked.is_ok_and(|output| output.status.success()).then(|| vec!["sudo".into(), "-n".into()])
}

/// A machine with a folder that a group shares, and two accounts of that group.
struct Machine {
    root: Vec<OsString>,
    home: tempfile::TempDir,
}

impl Drop for Machine {
    fn drop(&mut self) {
        // What the accounts own goes with what their owner may remove.
        self.run_as_root(&["rm", "-rf", &self.path("shared"), &self.path("61001"), &self.path("61002")]);
    }
}

impl Machine {
    /// Nothing where these tests are left out.
    fn new() -> Option<Self> {
        let Some(root) = as_root() else {
            assert!(
                std::env::var_os("WARROOM_REQUIRE_SERVERS").is_none(),
                "two accounts need root, or sudo without a password"
            );
            eprintln!("left out: two accounts need root, or sudo without a password");
            return None;
        };
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let machine = Self { root, home };
        for (name, from) in
            [("warroom", PathBuf::from(env!("CARGO_BIN_EXE_warroom"))), ("tests", std::env::current_exe().unwrap())]
        {
            // Where the build lies other accounts may not reach it.
            let to = machine.home.path().join(name);
            // By another process where it is copied: a file that this one has open for writing cannot be started.
            let is_copied = || std::process::Command::new("cp").args([&from, &to]).status().unwrap().success();
            assert!(fs::hard_link(&from, &to).is_ok() || is_copied());
        }
        let group = GROUP.to_string();
        for (account, mode, name) in [(VICTIM, "2770", "shared"), (VICTIM, "700", "61001"), (ATTACKER, "700", "61002")]
        {
            let made = machine.run_as_root(&[
                "install",
                "-d",
                "-m",
                mode,
                "-o",
                &account.to_string(),
                "-g",
                &group,
                &machine.path(name),
            ]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        }
        Some(machine)
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }

    fn run_as_root(&self, arguments: &[&str]) -> Output {
        let words: Vec<OsString> = self.root.iter().cloned().chain(arguments.iter().map(OsString::from)).collect();
        Command::new(&words[0]).args(&words[1..]).output().unwrap()
    }

    /// A command line that an account runs, with nothing of this process's environment.
    fn words(&self, account: u32, env: &[(&str, &str)], program: &str, arguments: &[&str]) -> Vec<OsString> {
        let home = self.path(&account.to_string());
        let mut words = self.root.clone();
        let (account, group) = (account.to_string(), GROUP.to_string());
        words.extend(
            ["setpriv", "--reuid", &account, "--regid", &group, "--clear-groups", "--", "env", "-i"]
                .map(OsString::from),
        );
        words.push(format!("HOME={home}").into());
        words.extend(["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TERM=xterm-256color", "USER=dana"].map(OsString::from));
        words.extend(env.iter().map(|(name, value)| format!("{name}={value}").into()));
        words.push(self.path(program).into());
        words.extend(arguments.iter().map(OsString::from));
        words
    }

    fn run(&self, account: u32, env: &[(&str, &str)], program: &str, arguments: &[&str]) -> Output {
        let words = self.words(account, env, program, arguments);
        Command::new(&words[0]).args(&words[1..]).output().unwrap()
    }

    /// Runs warroom as the victim; it must succeed.
    fn says(&self, arguments: &[&str]) -> String {
        let output = self.run(VICTIM, &[], "warroom", arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Gives the victim a configuration: the shared folder, and these sections.
    fn configure(&self, sections: &str) {
        let folder = self.home.path().join("config");
        fs::create_dir_all(&folder).unwrap();
        let text = format!("[journal]\ndir = \"{}/journal\"\nsharing = \"group\"\n{sections}", self.path("shared"));
        fs::write(folder.join("config.toml"), text).unwrap();
        fs::set_permissions(folder.join("config.toml"), fs::Permissions::from_mode(0o644)).unwrap();
        let to = format!("{}/.config/warroom", self.path("61001"));
        self.run_as_root(&["mkdir", "-p", &to]);
        self.run_as_root(&["cp", &folder.join("config.toml").display().to_string(), &to]);
        self.run_as_root(&["chown", "-R", &format!("{VICTIM}:{GROUP}"), &format!("{}/.config", self.path("61001"))]);
    }

    fn declare(&self) {
        assert_eq!(self.says(&["declare", "-s", "alipay", "--severity", "sev2", "payments are slow"]).trim(), "INC-1");
    }

    /// A console of the victim's, on a terminal.
    fn console(&self, arguments: &[&str]) -> Pty {
        let words = self.words(VICTIM, &[("TOKEN", "xoxb-secret")], "warroom", arguments);
        pty::spawn(&words[0], &words[1..], &[], (140, 44))
    }

    /// The name of the console that is open on a record; everybody of the group can read it there.
    fn console_of(&self, id: IncidentId) -> String {
        let here = format!("{}/journal/{id}.here", self.path("shared"));
        let name = || {
            let listed = self.run_as_root(&["ls", &here]).stdout;
            String::from_utf8(listed).unwrap().lines().next().map(str::to_owned)
        };
        until("a console is there", || name().is_some());
        name().unwrap()
    }

    /// Has the attacker's account write entries in the name of the victim's console.
    fn forge(&self, id: IncidentId, console: &str, events: &[Event]) -> Vec<EntryId> {
        let wire = |event: &Event| {
            let entry = warroom::incident::Entry { event: event.clone(), ..blank(id) };
            let whole: serde_json::Value = serde_json::from_str(&entry.to_json()).unwrap();
            json!({ "kind": whole["kind"], "body": whole["body"] })
        };
        let events = serde_json::Value::from(events.iter().map(wire).collect::<Vec<_>>()).to_string();
        let said =
            self.attack(&[("WARROOM_ID", &id.to_string()), ("WARROOM_CONSOLE", console), ("WARROOM_EVENTS", &events)]);
        said.split_whitespace().map(|id| id.parse().unwrap()).collect()
    }

    /// Has the attacker's account run SQL on the file of a record.
    fn sql(&self, id: IncidentId, sql: &str) {
        self.attack(&[("WARROOM_ID", &id.to_string()), ("WARROOM_SQL", sql)]);
    }

    fn attack(&self, env: &[(&str, &str)]) -> String {
        let folder = format!("{}/journal", self.path("shared"));
        let env: Vec<(&str, &str)> = env.iter().copied().chain([("WARROOM_DIR", folder.as_str())]).collect();
        let arguments = ["--exact", "accounts::somebody_else_writes", "--ignored", "--nocapture", "--test-threads=1"];
        let output = self.run(ATTACKER, &env, "tests", &arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        said.split_once("@wrote").and_then(|(_, rest)| rest.lines().next()).unwrap_or_default().to_owned()
    }

    fn mark(&self) -> String {
        format!("{}/mark", self.path("61001"))
    }

    fn has_run(&self) -> bool {
        self.run_as_root(&["test", "-e", &self.mark()]).status.success()
    }
}

fn blank(id: IncidentId) -> warroom::incident::Entry {
    let text = format!(
        r#"{{"v":1,"inc":"{id}","rid":"0000000000000001","rseq":1,"hlc":"0000000000000001","wall":"2026-05-28T20:27:00Z",
           "actor":"dana","via":{{"uid":0,"pid":1,"console":"c1"}},"kind":"acknowledged","body":{{}},"prev":""}}"#
    );
    warroom::incident::Entry::from_json(&text).unwrap()
}

/// The attacker's side, in a process of that account.
#[test]
#[ignore = "run by the tests of this file, under another account"]
fn somebody_else_writes() {
    let Ok(folder) = std::env::var("WARROOM_DIR") else { return };
    let id: IncidentId = std::env::var("WARROOM_ID").unwrap().parse().unwrap();
    if let Ok(sql) = std::env::var("WARROOM_SQL") {
        let db = rusqlite::Connection::open(Path::new(&folder).join(format!("{id}.db"))).unwrap();
        db.busy_timeout(SOON).unwrap();
        return db.execute_batch(&sql).unwrap();
    }
    let (uid, pid) = (rustix::process::getuid().as_raw(), std::process::id());
    let via = Via { uid, pid, console: std::env::var("WARROOM_CONSOLE").unwrap().as_str().into(), ..Via::default() };
    let events: Vec<serde_json::Value> = serde_json::from_str(&std::env::var("WARROOM_EVENTS").unwrap()).unwrap();
    let new = |event: &serde_json::Value| {
        let body = RawValue::from_string(event["body"].to_string()).unwrap();
        NewEntry::new(Actor::from("dana"), Event::from_wire(event["kind"].as_str().unwrap(), &body))
    };
    let entries: Vec<NewEntry> = events.iter().map(new).collect();
    let dir = JournalDir::open(folder, Sharing::Group).unwrap();
    let written = dir.journal(id, via).unwrap().append(&entries).unwrap();
    let ids: Vec<String> = written.iter().map(|entry| entry.id.to_string()).collect();
    writeln!(std::io::stdout(), "@wrote {}", ids.join(" ")).unwrap();
}

fn event(kind: &str, body: &serde_json::Value) -> Event {
    let event = Event::from_wire(kind, &RawValue::from_string(body.to_string()).unwrap());
    assert!(!matches!(event, Event::Unrecognised { .. }), "{kind}: {body}");
    event
}

/// A start as a console writes it, of a program that leaves a mark.
fn start(machine: &Machine) -> Event {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let body = json!({
        "title": "forged", "argv": ["touch", machine.mark()], "digest": "00", "changes": false, "limit_s": 60, "host": host.trim(),
    });
    event("command-started", &body)
}

/// What an attacker would have done in other systems, with the victim's token.
fn deliveries() -> Vec<Event> {
    let queued = |body: serde_json::Value| event("delivery-queued", &body);
    vec![
        queued(json!({ "service": "slack", "channel": "status-slack", "target": "C012345678", "text": "all is lost" })),
        queued(json!({ "service": "slack", "target": "C0GENERAL", "text": "all is lost" })),
        queued(
            json!({ "service": "statuspage", "channel": "external-page", "target": "outside", "text": "all is lost" }),
        ),
        queued(json!({ "service": "pagerduty", "target": "PALIPAY", "act": "resolve" })),
        queued(json!({ "service": "pagerduty", "target": "PALIPAY",
                       "act": { "open": { "title": "x", "severity": "sev2" } } })),
    ]
}

/// Everything at once: a start with its remarks, deliveries that are under way, a question answered, a redaction, a merge.
fn attack(machine: &Machine, id: IncidentId) {
    let console = machine.console_of(id);
    for name in [console.as_str(), "c00000000"] {
        let run = machine.forge(id, name, &[start(machine)])[0].to_string();
        let queued = machine.forge(id, name, &deliveries());
        let moved = |delivery: &EntryId, step: u32, to: serde_json::Value| {
            event("delivery-moved", &json!({ "delivery": delivery.to_string(), "step": step, "to": to }))
        };
        let ways = json!([{ "words": "send it", "choice": "C012345678/shared" }]);
        let now = "2026-05-28T20:27:00Z";
        let opened = &queued[4];
        let mut events = vec![
            event("command-remarked", &json!({ "run": run, "remark": "cancel-asked" })),
            event("command-remarked", &json!({ "run": run, "remark": { "granted": 600 } })),
            event("entry-redacted", &json!({ "entry": queued[0].to_string(), "reason": "x" })),
            moved(&queued[0], 0, json!({ "state": "sending" })),
            moved(&queued[1], 0, json!({ "state": "held", "why": "x", "ways": ways })),
            moved(&queued[1], 1, json!({ "state": "queued", "not_before": now, "choice": "C012345678/shared" })),
            moved(&queued[2], 0, json!({ "state": "queued", "not_before": now })),
            // The object that a later act of the victim's would be about.
            moved(opened, 0, json!({ "state": "sending" })),
            moved(opened, 1, json!({ "state": "sent", "remote": "../services/X?y=" })),
        ];
        if name != console {
            events.push(event("phase-entered", &json!({ "phase": "closed", "outcome": { "merged": "INC-9" } })));
        }
        machine.forge(id, name, &events);
    }
}

#[tokio::test]
async fn what_another_account_writes_runs_nothing_and_nothing_leaves_whatever_console_is_open() {
    let server = Server::start(|_| Reply::json(r#"{"ok":true,"incidents":[],"incident":{"id":"P1"}}"#)).await;
    let url = server.url();
    let sections = format!(
        "[slack]\nurl = \"{url}/api\"\nbearer-env = \"TOKEN\"\n[slack-channels]\nstatus = \"C012345678\"\nprefix = \"inc-\"\n\
         [statuspage]\nurl = \"{url}/v1\"\nbearer-env = \"TOKEN\"\n[statuspage-pages]\nexternal = \"outside\"\n\
         [pagerduty]\nurl = \"{url}\"\nbearer-env = \"TOKEN\"\n[pagerduty-services]\nalipay = \"PALIPAY\"\n"
    );
    let attacked = tokio::task::spawn_blocking(move || {
        let modes: [&[&str]; 5] = [&[], &["--read-only"], &["--wall"], &["--dry-run"], &["--plain"]];
        for mode in modes {
            let Some(machine) = Machine::new() else { return };
            machine.configure(&sections);
            machine.declare();
            let mut console = machine.console(&[&["open", "INC-1"][..], mode].concat());
            console.wait_for("payments are slow", SOON);
            attack(&machine, INC);
            std::thread::sleep(LONG_ENOUGH);
            assert!(!machine.has_run(), "{mode:?}");
        }
        let Some(machine) = Machine::new() else { return };
        machine.configure(&sections);
        let mut console = machine.console(&["gameday", "--plain"]);
        console.wait_for("DRILL-1", SOON);
        attack(&machine, DRILL);
        std::thread::sleep(LONG_ENOUGH);
        assert!(!machine.has_run(), "a drill");
    });
    attacked.await.unwrap();
    let asked: Vec<String> = server.requests().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    // Doctor asks Slack by POST who the token is.
    let is_question = |asked: &String| asked.starts_with("GET ") || asked == "POST /api/auth.test";
    assert!(asked.iter().all(is_question), "{asked:?}");
    assert!(asked.iter().all(|asked| !asked.contains("..") && !asked.contains("services/X")), "{asked:?}");
}

/// A playbook of the victim's with one command that leaves a mark, approved in INC-1.
fn with_command(machine: &Machine, more: &str) {
    let text = format!(
        "service = \"alipay\"\nname = \"Alipay\"\npublic-name = \"Alipay\"\nowner = \"Payments\"\nreviewed = 2026-09-01\n\n[[steps]]\n\
         id = \"one\"\ntitle = \"One\"\nlook = \"Look.\"\nexpect = \"Well.\"\nundo = \"Back.\"\n\
         do.command = {{ argv = [\"touch\", \"{}\"], changes = true{more} }}\n",
        machine.mark()
    );
    let file = machine.home.path().join("alipay.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let to = format!("{}/.config/warroom/playbooks", machine.path("61001"));
    machine.run_as_root(&["mkdir", "-p", &to]);
    machine.run_as_root(&["cp", &file.display().to_string(), &to]);
    machine.run_as_root(&["chown", "-R", &format!("{VICTIM}:{GROUP}"), &to]);
    machine.declare();
    let mut console = machine.console(&["open", "INC-1", "--plain"]);
    console.wait_for("payments are slow", SOON);
    console.send(":trust alipay yes\r");
    console.wait_for("may run its commands", SOON);
    console.send(":quit\r");
    console.wait_exit(SOON);
}

/// Opens the step's dialog, reads it, and gives its word by hand.
fn dialog(machine: &Machine) -> Pty {
    let mut console = machine.console(&["open", "INC-1"]);
    console.wait_for("payments are slow", SOON);
    console.send("\x1b");
    std::thread::sleep(Duration::from_millis(500));
    console.send("3");
    console.wait_for("One", SOON);
    console.send("e");
    console
}

fn by_hand(console: &mut Pty, word: &str) {
    std::thread::sleep(Duration::from_millis(600));
    for letter in word.chars().chain(['\r']) {
        console.send(letter.to_string());
        std::thread::sleep(Duration::from_millis(90));
    }
}

#[test]
fn a_trigger_of_another_account_between_dialog_and_word_runs_nothing_and_is_named_in_the_header() {
    let Some(machine) = Machine::new() else { return };
    machine.configure("");
    with_command(&machine, "");
    let mut console = dialog(&machine);
    console.wait_for("type alipay and Enter", SOON);
    let evil = format!("{}/evil", machine.path("61001"));
    machine.sql(
        INC,
        &format!(
            "CREATE TRIGGER evil AFTER INSERT ON ev WHEN NEW.kind = 'command-started' BEGIN \
         UPDATE ev SET entry = replace(NEW.entry, '{}', '{evil}') WHERE lseq = NEW.lseq; END",
            machine.mark()
        ),
    );
    by_hand(&mut console, "alipay");
    console.wait_for("NOT SAVED", SOON);
    std::thread::sleep(LONG_ENOUGH);
    assert!(!machine.has_run() && !machine.run_as_root(&["test", "-e", &evil]).status.success());
    let verified = machine.run(VICTIM, &[], "warroom", &["journal", "verify", "INC-1"]);
    let said = [verified.stdout, verified.stderr].concat();
    assert!(!verified.status.success() && String::from_utf8_lossy(&said).contains("trigger `evil`"));
}

#[test]
fn history_that_another_account_rewrites_is_named_in_the_header_and_by_verify() {
    let Some(machine) = Machine::new() else { return };
    machine.configure("");
    machine.declare();
    machine.says(&["note", "-i", "INC-1", "dana saw it first"]);
    machine.sql(
        INC,
        "UPDATE ev SET entry = replace(entry, 'dana saw it first', 'nobody saw anything') WHERE kind = 'note-added'",
    );
    let mut console = machine.console(&["open", "INC-1"]);
    console.wait_for("RECORD DAMAGED", SOON);
    let verified = machine.run(VICTIM, &[], "warroom", &["journal", "verify", "INC-1"]);
    assert!(!verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn in_a_shared_record_no_row_makes_a_second_person() {
    let Some(machine) = Machine::new() else { return };
    machine.configure("");
    with_command(&machine, ", second-person = true");
    let digest = {
        let argv = ["touch".into(), machine.mark().as_str().into()];
        warroom::incident::command_digest(&argv, None)
    };
    let vouched = json!({ "service": "alipay", "step": "one", "title": "One", "digest": digest.as_str() });
    machine.forge(INC, "c9", &[event("command-vouched", &vouched)]);
    let mut console = dialog(&machine);
    console.wait_for("it wants a second person, and in a record", SOON);
    by_hand(&mut console, "alipay");
    by_hand(&mut console, "vouch");
    std::thread::sleep(LONG_ENOUGH);
    assert!(!machine.has_run());
}

#[test]
fn a_record_that_a_group_shares_works_for_both_of_its_accounts() {
    let Some(machine) = Machine::new() else { return };
    machine.configure("");
    machine.declare();
    let note = event("note-added", &json!({ "text": "from the other account" }));
    machine.forge(INC, "c9", &[note]);
    assert!(machine.says(&["show", "INC-1"]).contains("from the other account"));
    let verified = machine.says(&["journal", "verify", "INC-1"]);
    assert!(verified.contains("INC-1"), "{verified}");
}

/// SQLite waits for ever for the other end of a pipe that it may only read.
#[test]
fn pipes_and_links_in_the_place_of_records_and_their_logs_hang_nobody_and_are_named() {
    let Some(machine) = Machine::new() else { return };
    machine.configure("");
    machine.declare();
    machine.says(&["declare", "-s", "blubank", "--severity", "sev3", "another", "--anyway"]);
    let journal = format!("{}/journal", machine.path("shared"));
    let planted = format!(
        "cd {journal} && mkfifo -m 644 INC-3.db DRILL-1.db INC-2.db-journal && rm -f INC-2.db-wal INC-2.db-shm && \
         mkfifo -m 644 INC-2.db-wal && ln -s {}/mark INC-4.db && mkdir INC-5.db && rm -rf INC-1.runs && ln -s {}/mark INC-1.runs",
        machine.path("61001"),
        machine.path("61001")
    );
    let attacker = ["setpriv", "--reuid", "61002", "--regid", "61010", "--clear-groups", "--", "sh", "-c", &planted];
    let made = machine.run_as_root(&attacker);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for (arguments, names) in [
        (&["list"][..], &["INC-2", "INC-3", "INC-4", "INC-5"][..]),
        (&["journal", "verify"], &["INC-2", "INC-3", "INC-4", "INC-5", "DRILL-1"]),
        (&["show", "INC-3"], &["INC-3.db"]),
        (&["show", "INC-2"], &["INC-2.db-"]),
        (&["note", "-i", "INC-3", "x"], &["INC-3.db"]),
        (&["note", "-i", "INC-2", "x"], &["INC-2.db-"]),
        (&["open", "INC-2", "--plain"], &["INC-2.db-"]),
        (&["journal", "export", "INC-3"], &["INC-3.db"]),
        (&["report"], &["INC-3"]),
        (&["note", "-i", "INC-1", "the others go on"], &[]),
        (&["declare", "-s", "shop", "--severity", "sev3", "a third", "--anyway"], &["INC-6"]),
        (&["run", "-i", "INC-1", "--", "touch", &machine.mark()], &["nothing was started"]),
    ] {
        let words = machine.words(VICTIM, &[], "warroom", arguments);
        let output = Command::new("timeout").arg("20").args(words).stdin(std::process::Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_ne!(output.status.code(), Some(124), "{arguments:?} hangs: {said}");
        for name in names {
            assert!(said.contains(name), "{arguments:?} names {name}: {said}");
        }
    }
    assert!(!machine.has_run());
}
