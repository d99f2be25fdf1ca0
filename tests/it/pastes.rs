//! Pastes through a real terminal: with brackets, however long they stall, and without.

use std::ffi::OsStr;
use std::time::Duration;

use crate::plain::{Host, SOON};
use crate::support::pty::{self, Pty};
use crate::support::until;

/// Longer than keys count as a part of the paste before them.
const GUARD: Duration = Duration::from_millis(300);

/// A console on INC-1, in which the scribe's line is open.
fn scribe(host: &Host) -> Pty {
    let command = host.command(&[]);
    let text = |text: &OsStr| text.to_str().unwrap().to_owned();
    let env: Vec<(String, String)> =
        command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
    let env: Vec<_> = env.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let binary = OsStr::new(env!("CARGO_BIN_EXE_warroom"));
    let mut console = pty::spawn(binary, &["open", "INC-1", "--as", "dana"], &env, (120, 40));
    console.wait_for("payments are slow", SOON);
    console.send("\x1b[27u");
    console.send("n");
    console.wait_for("Ctrl+J new line", SOON);
    console
}

/// The notes of the record.
fn notes(host: &Host) -> Vec<String> {
    let db = rusqlite::Connection::open(host.home.path().join("state/warroom/journal/INC-1.db")).unwrap();
    let mut rows = db.prepare("SELECT entry FROM ev ORDER BY rowid").unwrap();
    let entries = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let entries = entries.map(|entry| serde_json::from_str::<serde_json::Value>(&entry.unwrap()).unwrap());
    let is_note = |entry: &serde_json::Value| entry["kind"] == "note-added";
    entries.filter(is_note).map(|entry| entry["body"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_paste_that_stalls_is_text_to_its_end_and_one_that_never_ends_is_refused_by_ctrl_c() {
    let host = Host::new();
    host.declare();
    let mut console = scribe(&host);
    console.send("\x1b[200~first line\r");
    console.wait_for("a paste is coming: 11 bytes so far", SOON);
    // Longer than a paste could once stall before its rest became keys.
    console.wait_for("none for 7 s", SOON);
    console.send("q\rRA second line\x1b[201~");
    console.wait_for("RA second line", SOON);
    assert!(!console.contents().contains("a paste is coming") && notes(&host).is_empty());
    console.watch(GUARD);
    console.send("\r");
    until("one note", || notes(&host) == ["first line\nq\nRA second line"]);
    console.send("\x1b[200~never\rended");
    console.wait_for("a paste is coming", SOON);
    console.send("\x03");
    console.wait_for("refused whole: nothing of its 11 bytes", SOON);
    console.watch(Duration::from_millis(1_200));
    console.send("typed by hand");
    console.wait_for("typed by hand", SOON);
    console.send("\r");
    until("another note", || notes(&host).len() == 2);
    assert_eq!(notes(&host)[1], "typed by hand");
}
