//! A terminal says on what ground it draws, and tmux has a clipboard of its own.

use std::process::Command;

use super::{Host, SIZE, SOON, Typist, WARROOM};
use crate::support::pty::Pty;

/// The amber of the theme for a light ground.
const DARK_AMBER: vt100::Color = vt100::Color::Rgb(0x8a, 0x4b, 0);

fn shows(screen: &vt100::Screen, colour: vt100::Color) -> bool {
    let (rows, columns) = screen.size();
    let mut cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
    // A blank keeps the colour of what stood there before, which nobody sees.
    let is_so = |cell: &vt100::Cell| cell.fgcolor() == colour && !cell.contents().trim().is_empty();
    cells.any(|(row, column)| screen.cell(row, column).is_some_and(is_so))
}

fn drill(host: &Host, more: &[(&str, &str)]) -> Pty {
    let env = [&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], more].concat();
    let mut console = host.start(WARROOM, &["gameday"], &env, SIZE);
    console.wait_for("DRILL-1 SEV", SOON);
    console
}

#[test]
fn a_terminal_that_answers_that_it_is_light_gets_colours_that_are_legible_there() {
    let host = Host::new();
    let mut console = drill(&host, &[]);
    assert!(console.raw().windows(5).any(|bytes| bytes == b"]11;?"), "the terminal is asked");
    assert!(!shows(console.screen(), DARK_AMBER));
    console.send("\x1b]11;rgb:fdfd/f6f6/e3e3\x1b\\");
    console.wait_until("the colours for light", SOON, |screen| shows(screen, DARK_AMBER));
    console.send("\x1b]11;rgb:0000/0000/0000\x07");
    console.wait_until("the colours for dark", SOON, |screen| !shows(screen, DARK_AMBER));
    console.quit();
}

#[test]
fn a_variable_is_the_first_guess_and_the_configuration_has_the_last_word() {
    let host = Host::new();
    let mut console = drill(&host, &[("COLORFGBG", "0;15")]);
    console.wait_until("the colours for light", SOON, |screen| shows(screen, DARK_AMBER));
    console.quit();
    let host = Host::new();
    let mut console = drill(&host, &[("COLORFGBG", "0;15"), ("WARROOM_SCREEN__THEME", "dark")]);
    assert!(!shows(console.screen(), DARK_AMBER));
    assert!(!console.raw().windows(5).any(|bytes| bytes == b"]11;?"), "what is known is not asked");
    console.quit();
}

/// A tmux of its own, which ends with the test.
struct Tmux {
    socket: String,
}

impl Tmux {
    fn is_installed() -> bool {
        Command::new("tmux").arg("-V").output().is_ok()
    }

    fn start(host: &Host, clipboard: &str) -> (Self, Pty) {
        let tmux = Self { socket: host.folder.path().join("tmux").to_str().unwrap().to_owned() };
        let settings = host.folder.path().join("tmux.conf");
        std::fs::write(&settings, format!("set -g set-clipboard {clipboard}\n")).unwrap();
        let settings = settings.to_str().unwrap();
        let arguments = ["-S", &tmux.socket, "-f", settings, "new-session", WARROOM, "gameday"];
        let mut console = host.start("tmux", &arguments, &[("TERM", "xterm-256color")], SIZE);
        console.wait_for("DRILL-1 SEV", SOON);
        (tmux, console)
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").args(["-S", &self.socket]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.ask(&["kill-server"]);
    }
}

#[test]
fn inside_tmux_a_copy_reaches_its_buffer_and_the_terminal_though_it_takes_no_escape_codes_from_programs() {
    if !Tmux::is_installed() {
        return;
    }
    for (clipboard, said, reaches) in [
        ("external", "copied: in tmux's buffer", true),
        ("on", "copied: in tmux's buffer", true),
        ("off", "not in the clipboard, because tmux says", false),
    ] {
        let host = Host::new();
        let (tmux, mut console) = Tmux::start(&host, clipboard);
        // The brief, to read aloud, and its key for copying.
        console.type_for("b", "y copies");
        console.send("y");
        console.wait_for(said, SOON);
        assert!(tmux.ask(&["show-buffer"]).contains("DRILL-1"), "{clipboard}");
        let got = console.raw().windows(5).any(|bytes| bytes == b"\x1b]52;");
        assert_eq!(got, reaches, "{clipboard}");
    }
}
