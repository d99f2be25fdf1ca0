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

/// Types keys one after the other, with so many milliseconds between two.
fn typed(console: &Pty, keys: &str, pause: u64) {
    for letter in keys.chars() {
        console.send(letter.to_string());
        std::thread::sleep(Duration::from_millis(pause));
    }
}

#[test]
fn several_lines_that_come_at_once_without_brackets_are_one_text_to_be_confirmed() {
    let host = Host::new();
    host.declare();
    let mut console = scribe(&host);
    let (text, whole) = ("timeout talking to alipay\rretry 3 of 3\rq\rR gives up\r", "R gives up");
    let mut kept = Vec::new();
    for piece in [text.len(), 7, 64] {
        for bytes in text.as_bytes().chunks(piece) {
            console.send(bytes);
            std::thread::sleep(Duration::from_millis(3));
        }
        console.wait_for(whole, SOON);
        console.watch(GUARD);
        assert_eq!(notes(&host), kept, "nobody confirmed it");
        console.send("\r");
        kept.push(text.trim_end().replace('\r', "\n"));
        until("it is one note", || notes(&host) == kept);
        console.wait_for("▸       note", SOON);
    }
    // Somebody who types fast, and a program that types slowly, record each line.
    typed(&console, "one\rtwo\r", 45);
    kept.extend(["one".to_owned(), "two".to_owned()]);
    until("two notes", || notes(&host) == kept);
    console.send("a line that a program types\r");
    kept.push("a line that a program types".to_owned());
    until("one more", || notes(&host) == kept);
}

#[test]
fn several_lines_that_come_at_once_into_a_form_stay_in_their_field() {
    let host = Host::new();
    host.declare();
    let mut console = scribe(&host);
    console.send("\x1b[27u");
    console.send("Y");
    console.wait_for("a theory about the cause", SOON);
    console.send("the gateway pool\ris exhausted\rq\r");
    console.wait_for("the gateway pool is exhausted q", SOON);
    assert!(console.contents().contains("a theory about the cause"), "{}", console.contents());
}
