//! Shows a file or a text in the person's pager, or a link that the terminal opens.
//!
//! Invariant: it has the terminal to itself until it ends; a text goes to it by a pipe, and to no disk.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::text::{CleanStr, CleanText};

/// What is shown.
#[derive(Debug)]
pub(super) enum Paged {
    /// A file.
    File(PathBuf),
    /// A text.
    Text(CleanText),
    /// An address of the web, for a terminal that opens links (OSC 8).
    Link(CleanStr),
}

/// What is tried where `PAGER` says nothing.
const USUAL: [&str; 2] = ["less", "more"];

/// Shows it; waits until the pager is closed.
pub(super) fn show(paged: &Paged) -> Result<(), String> {
    if let Paged::Link(address) = paged {
        return link(address).map_err(|error| format!("the link cannot be shown: {error}"));
    }
    let said = std::env::var("PAGER").unwrap_or_default();
    let said: Vec<&str> = said.split_whitespace().collect();
    let usual = USUAL.iter().map(|name| vec![*name]);
    let mut why = String::new();
    for words in [said].into_iter().filter(|words| !words.is_empty()).chain(usual) {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        match run(command, paged) {
            Ok(()) => return Ok(()),
            Err(error) => why = format!("{}: {error}", words[0]),
        }
    }
    Err(match paged {
        Paged::File(file) => format!("no pager can be started ({why}); the output stands in {}", file.display()),
        Paged::Text(_) | Paged::Link(_) => format!("no pager can be started ({why}): PAGER names one"),
    })
}

fn run(mut command: Command, paged: &Paged) -> std::io::Result<()> {
    match paged {
        Paged::File(file) => command.arg(file).status().map(drop),
        Paged::Text(text) => {
            let mut pager = command.stdin(Stdio::piped()).spawn()?;
            if let Some(mut input) = pager.stdin.take() {
                // Whoever closes the pager before the end wants no more.
                let _ = input.write_all(text.as_bytes());
            }
            pager.wait().map(drop)
        }
        Paged::Link(_) => Ok(()),
    }
}

/// Shows an address as a link on the terminal itself, until Enter.
fn link(address: &str) -> std::io::Result<()> {
    let mut terminal = super::tty::lines()?;
    let shown = format!(
        "\r\nThe runbook is not in a folder of this machine. Its address, as a link:\r\n\r\n  \
         \x1b]8;;{address}\x1b\\{address}\x1b]8;;\x1b\\\r\n\r\nEnter goes back.\r\n"
    );
    terminal.write_all(shown.as_bytes())?;
    let mut letter = [0_u8; 1];
    while terminal.read(&mut letter)? > 0 && !matches!(letter[0], b'\n' | b'\r') {}
    Ok(())
}
