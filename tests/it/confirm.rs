//! Pastes and keys that were typed ahead, through a real terminal and through tmux: none of them confirms a command, and a person's own hand does.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::plain::{Host, Plain, SOON};
use crate::support::pty::{self, Pty};
use crate::support::until;

const BINARY: &str = env!("CARGO_BIN_EXE_warroom");
const ASKS: &str = "type alipay and Enter";
/// Longer than a dialog must have been on the screen.
const READ: Duration = Duration::from_millis(500);
/// As long keys count as a part of the paste before them.
const GUARD: Duration = Duration::from_millis(300);
const HAND: Duration = Duration::from_millis(90);

/// An incident whose playbook has one command, approved, that leaves a mark.
struct Scene {
    host: Host,
}

impl Scene {
    fn new() -> Self {
        let host = Host::new();
        let folder = host.home.path().join("config/warroom/playbooks");
        fs::create_dir_all(&folder).unwrap();
        let mark = host.home.path().join("ran").display().to_string();
        let text = format!(
            "service = \"alipay\"\nname = \"Alipay\"\npublic-name = \"Alipay\"\nowner = \"Payments\"\nreviewed = 2026-09-01\n\n[[steps]]\n\
             id = \"one\"\ntitle = \"One\"\nlook = \"Look.\"\nexpect = \"Well.\"\nundo = \"Back.\"\n\
             do.command = {{ argv = [\"touch\", \"{mark}\"], changes = true }}\n"
        );
        fs::write(folder.join("alipay.toml"), text).unwrap();
        host.declare();
        let mut plain = Plain::spawn(host.command(&["open", "INC-1", "--plain"]).stdin(Stdio::piped()));
        plain.ready();
        plain.type_in(":trust alipay yes\n");
        plain.wait_for("may run its commands", SOON);
        plain.type_in(":quit\n");
        plain.wait_exit(SOON);
        Self { host }
    }

    fn env(&self) -> Vec<(String, String)> {
        let command = self.host.command(&[]);
        let text = |text: &OsStr| text.to_str().unwrap().to_owned();
        command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect()
    }

    fn terminal(&self) -> Pty {
        let env = self.env();
        let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut console = pty::spawn(OsStr::new(BINARY), &["open", "INC-1", "--as", "dana"], &env, (120, 40));
        console.wait_for("payments are slow", SOON);
        console.send("\x1b");
        std::thread::sleep(READ);
        console.send("3");
        console.wait_for("One", SOON);
        console
    }

    fn has_run(&self) -> bool {
        self.host.home.path().join("ran").exists()
    }
}

fn leave(console: &mut Pty) {
    console.send("\x1b");
    console.wait_until("the dialog is gone", SOON, |screen| !screen.contents().contains(ASKS));
}

#[test]
fn of_two_hundred_pastes_and_type_aheads_none_confirms_and_a_hand_does() {
    let scene = Scene::new();
    let mut console = scene.terminal();
    let ahead =
        ["ealipay\r", "e\x1b[200~alipay\r\x1b[201~\r", "ealipay\ralipay\r\r", "e\x1b[200~alipay\x1b[201~\r\r\r"];
    for (number, keys) in ahead.iter().cycle().take(160).enumerate() {
        if number % 3 == 0 {
            // As a slow line would cut it.
            for piece in keys.as_bytes().chunks(3) {
                console.send(piece);
                std::thread::sleep(Duration::from_millis(4));
            }
        } else {
            console.send(keys);
        }
        console.wait_for(ASKS, SOON);
        leave(&mut console);
        assert!(!scene.has_run(), "{keys:?} confirmed at try {number}");
        // A key right behind a paste is taken for a part of it.
        std::thread::sleep(if keys.contains("200~") { GUARD } else { Duration::ZERO });
    }
    let pasted = ["alipay\r", "\x1b[200~alipay\r\x1b[201~\r", "alipay\r\ralipay\r", "\x1b[200~alipay\x1b[201~\r\r\r"];
    for keys in pasted.iter().cycle().take(40) {
        console.send("e");
        console.wait_for(ASKS, SOON);
        std::thread::sleep(READ);
        console.send(keys);
        console.wait_for("came with a paste", SOON);
        leave(&mut console);
        assert!(!scene.has_run(), "{keys:?} confirmed");
        std::thread::sleep(GUARD);
    }
    console.send("e");
    console.wait_for(ASKS, SOON);
    std::thread::sleep(READ);
    for letter in "alipay\r".chars() {
        console.send(letter.to_string());
        std::thread::sleep(HAND);
    }
    until("it runs", || scene.has_run());
}

/// A tmux server of its own.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn run(&self, arguments: &[&str]) -> String {
        let output =
            Command::new("tmux").args(["-L", &self.socket, "-f", "/dev/null"]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What stands in one of its windows.
    fn window(&self, place: usize) -> String {
        self.run(&["capture-pane", "-p", "-t", &format!(":{place}")])
    }

    fn shows(&self, place: usize, text: &str) {
        until(text, || self.window(place).contains(text));
    }

    /// Hands a line of commands to tmux at once.
    fn all(&self, commands: impl IntoIterator<Item = String>) {
        let words: Vec<String> = commands.into_iter().collect();
        let line: Vec<&str> = words.iter().flat_map(|one| one.split(' ').chain([";"])).collect();
        self.run(&line);
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// Consoles that stand beside each other, so that what has to be waited for is waited for once.
const WINDOWS: usize = 4;
/// How often a dialog is opened in each.
const ROUNDS: usize = 10;
/// Pastes into each dialog.
const PASTES: usize = 5;

/// With what the test above pastes through a terminal these are 200 with brackets and 200 without.
#[test]
fn in_tmux_no_pasted_buffer_confirms_with_or_without_brackets() {
    if Command::new("tmux").arg("-V").output().is_err() {
        return;
    }
    let scene = Scene::new();
    let tmux = Tmux { socket: format!("warroom-{}", std::process::id()) };
    let env: Vec<String> = scene.env().iter().map(|(name, value)| format!("{name}='{value}'")).collect();
    let command = format!("env {} TERM=tmux-256color {BINARY} open INC-1 --as dana", env.join(" "));
    tmux.run(&["new-session", "-d", "-x", "120", "-y", "40", &command]);
    (1..WINDOWS).for_each(|_| drop(tmux.run(&["new-window", "-d", &command])));
    tmux.run(&["set-buffer", "-b", "word", "alipay\n"]);
    tmux.run(&["set-buffer", "-b", "ahead", "ealipay\nalipay\n"]);
    (0..WINDOWS).for_each(|place| tmux.shows(place, "payments are slow"));
    tmux.all((0..WINDOWS).map(|place| format!("send-keys -t :{place} Escape")));
    std::thread::sleep(READ);
    tmux.all((0..WINDOWS).map(|place| format!("send-keys -t :{place} 3")));
    let mut pasted = [0, 0];
    for round in 0..ROUNDS {
        // The buffer opens the dialog, or comes when it has been read for long.
        let is_ahead = round % 2 == 0;
        let with_brackets = |place: usize| (place + round / 2).is_multiple_of(2);
        let opens = |place: &usize| !is_ahead || with_brackets(*place);
        tmux.all((0..WINDOWS).filter(opens).map(|place| format!("send-keys -t :{place} e")));
        if !is_ahead {
            (0..WINDOWS).for_each(|place| tmux.shows(place, ASKS));
            std::thread::sleep(READ);
        }
        for _ in 0..PASTES {
            tmux.all((0..WINDOWS).map(|place| match (with_brackets(place), is_ahead) {
                (true, _) => format!("paste-buffer -p -b word -t :{place}"),
                (false, true) => format!("paste-buffer -b ahead -t :{place}"),
                (false, false) => format!("paste-buffer -b word -t :{place}"),
            }));
            (0..WINDOWS).for_each(|place| pasted[usize::from(with_brackets(place))] += 1);
            std::thread::sleep(Duration::from_millis(20));
        }
        (0..WINDOWS).for_each(|place| tmux.shows(place, ASKS));
        tmux.all((0..WINDOWS).map(|place| format!("send-keys -t :{place} Escape")));
        for place in 0..WINDOWS {
            until("the dialog is gone", || !tmux.window(place).contains(ASKS));
        }
        assert!(!scene.has_run(), "in round {round}");
        std::thread::sleep(GUARD);
    }
    assert_eq!(pasted, [100, 100], "without brackets, and with");
    // A hand confirms in each of them: the dialogs were alive.
    tmux.run(&["send-keys", "-t", ":1", "e"]);
    tmux.shows(1, ASKS);
    std::thread::sleep(READ);
    for letter in ["a", "l", "i", "p", "a", "y", "Enter"] {
        tmux.run(&["send-keys", "-t", ":1", letter]);
        std::thread::sleep(HAND);
    }
    until("it runs", || scene.has_run());
}
