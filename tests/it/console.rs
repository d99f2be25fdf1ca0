//! The real program under a terminal, end to end: what a person types, sees and finds again.
//!
//! Hides where a test's host keeps its state: each [`Host`] has folders of its own, and all its consoles share them.

mod clocks;
mod desk;
mod faults;
mod gone;
mod grounds;
mod hostile;
mod lacking;
mod letters;
mod own_clock;
mod resize;
mod scribe;
mod sources;
mod stalled;
mod story;
mod terminals;
mod together;
mod vanished;

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::http::{Reply, Request, Server};
use crate::support::pty::{Pty, assert_no_stray_escapes, code, spawn};

const WARROOM: &str = env!("CARGO_BIN_EXE_warroom");
/// Longer than anything here takes on a busy machine; a wait ends when what it waits for is there.
const SOON: Duration = Duration::from_secs(60);
const SIZE: (u16, u16) = (120, 40);
/// Esc as the newer key protocols send it: unlike the lone byte it needs no pause behind it.
const ESC: &str = "\x1b[27u";

/// A machine with nothing on it yet.
struct Host {
    folder: TempDir,
    env: Vec<(&'static str, String)>,
}

impl Host {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let below = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let env = vec![
            ("XDG_STATE_HOME", below("state")),
            ("XDG_CONFIG_HOME", below("config")),
            ("HOME", below("home")),
            ("LOGNAME", "dana".to_owned()),
            ("LC_ALL", String::new()),
            ("LC_CTYPE", String::new()),
            ("LANG", "C.UTF-8".to_owned()),
            ("RUST_BACKTRACE", "0".to_owned()),
        ];
        Self { folder, env }
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state")
    }

    /// Any program under a terminal of this machine.
    fn start(&self, program: &str, arguments: &[&str], more: &[(&str, &str)], size: (u16, u16)) -> Pty {
        let mut env: Vec<(&str, &str)> = self.env.iter().map(|(key, value)| (*key, value.as_str())).collect();
        env.extend(more);
        spawn(OsStr::new(program), arguments, &env, size)
    }

    /// warroom under a terminal.
    fn console(&self, arguments: &[&str]) -> Pty {
        self.start(WARROOM, arguments, &[], SIZE)
    }

    /// A drill that is on the screen.
    fn drill(&self) -> Pty {
        let mut console = self.console(&["gameday"]);
        console.wait_for("DRILL-1 SEV", SOON);
        console
    }

    /// An incident on `alipay`, declared from the shell.
    fn declared(self) -> Self {
        assert_eq!(self.say(&["declare", "-s", "alipay", "--severity", "sev1", "payments time out"]), "INC-1\n");
        self
    }

    /// A console on INC-1 that shows it.
    fn open(&self, arguments: &[&str]) -> Pty {
        let mut console = self.console(&[&["open", "INC-1"], arguments].concat());
        console.wait_until("INC-1", SOON, |screen| {
            ["INC-1 SEV1", "INC-1 · payments"].iter().any(|text| screen.contents().contains(text))
        });
        console
    }

    /// warroom without a terminal.
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(WARROOM).args(arguments).output().unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.env.iter().map(|(key, value)| (key, value))).stdin(Stdio::null());
        command
    }

    /// What warroom says, which must go well.
    #[track_caller]
    fn say(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy).concat();
        assert_eq!(code(output.status), 0, "warroom {}: {said}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A record as `show --json` gives it.
    #[track_caller]
    fn record(&self, id: &str) -> Value {
        serde_json::from_str(&self.say(&["show", id, "--json"])).unwrap()
    }

    /// The texts of a record's timeline.
    #[track_caller]
    fn texts(&self, id: &str) -> Vec<String> {
        let record = self.record(id);
        record["timeline"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    }

    /// How often a text stands in a record.
    #[track_caller]
    fn times(&self, id: &str, text: &str) -> usize {
        self.texts(id).iter().filter(|line| *line == text).count()
    }

    #[track_caller]
    fn assert_sound(&self) {
        let verdict = self.say(&["journal", "verify"]);
        assert!(verdict.lines().all(|line| line.contains("sound")), "{verdict}");
    }
}

/// A played server on a thread of its own, because the test itself waits for a terminal.
struct Played {
    server: Server,
    _end: tokio::sync::oneshot::Sender<()>,
}

fn play(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Played {
    let (started, server) = std::sync::mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            started.send(Server::start(handler).await).unwrap();
            let _ = ended.await;
        });
    });
    Played { server: server.recv().unwrap(), _end: end }
}

impl std::ops::Deref for Played {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

/// What a console is made to do by its keys, seen on its screen.
trait Typist {
    /// Types, and waits for a text.
    fn type_for(&mut self, keys: &str, text: &str);
    /// Writes a note and waits until it stands on the timeline.
    fn note(&mut self, text: &str);
    /// Leaves; the terminal must be as it was.
    fn quit(self);
}

impl Typist for Pty {
    #[track_caller]
    fn type_for(&mut self, keys: &str, text: &str) {
        self.send(keys);
        self.wait_for(text, SOON);
    }

    #[track_caller]
    fn note(&mut self, text: &str) {
        self.send(format!("n{text}\r"));
        let stands = |screen: &vt100::Screen| recorded(&screen.contents(), text);
        self.wait_until(&format!("the note {text:?}"), SOON, stands);
        // Letters are keys again.
        self.send(ESC);
    }

    #[track_caller]
    fn quit(mut self) {
        self.send("q");
        assert_eq!(code(self.wait_exit(SOON)), 0);
        given_back(&mut self);
        assert_no_stray_escapes(self.raw());
    }
}

/// Whether a text stands on the timeline: in a row that begins with a time with seconds.
fn recorded(contents: &str, text: &str) -> bool {
    contents.lines().any(|row| {
        let row = row.trim_matches(|letter: char| "│| ".contains(letter));
        row.contains(text) && row.as_bytes().get(2) == Some(&b':') && row.as_bytes().get(5) == Some(&b':')
    })
}

/// Fails unless the shell has its terminal again.
#[track_caller]
fn given_back(terminal: &mut Pty) {
    terminal.wait_until("the shell's screen", SOON, |screen| {
        !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
    });
    terminal.assert_modes_as_before();
}
