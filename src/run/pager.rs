//! Shows a file or a text in the person's pager.
//!
//! Invariant: it has the terminal to itself until it ends; a text goes to it by a pipe, and to no disk.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::text::CleanText;

/// What is shown.
#[derive(Debug)]
pub(super) enum Paged {
    /// A file.
    File(PathBuf),
    /// A text.
    Text(CleanText),
}

/// What is tried where `PAGER` says nothing.
const USUAL: [&str; 2] = ["less", "more"];

/// Shows it; waits until the pager is closed.
pub(super) fn show(paged: &Paged) -> Result<(), String> {
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
        Paged::Text(_) => format!("no pager can be started ({why}): PAGER names one"),
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
    }
}
