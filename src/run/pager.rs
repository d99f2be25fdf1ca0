//! Shows a file in the person's pager.
//!
//! Invariant: it has the terminal to itself until it ends.

use std::path::Path;
use std::process::Command;

/// What is tried where `PAGER` says nothing.
const USUAL: [&str; 2] = ["less", "more"];

/// Shows a file; waits until the pager is closed.
pub(super) fn show(file: &Path) -> Result<(), String> {
    let said = std::env::var("PAGER").unwrap_or_default();
    let said: Vec<&str> = said.split_whitespace().collect();
    let usual = USUAL.iter().map(|name| vec![*name]);
    let mut why = String::new();
    for words in [said].into_iter().filter(|words| !words.is_empty()).chain(usual) {
        match Command::new(words[0]).args(&words[1..]).arg(file).status() {
            Ok(_) => return Ok(()),
            Err(error) => why = format!("{}: {error}", words[0]),
        }
    }
    Err(format!("no pager can be started ({why}); the output stands in {}", file.display()))
}
