//! A pager for what a subcommand answers on a terminal.
//!
//! Hides that stdout leads into it until the answer is whole. What goes there is what a screen shows of a text ([`crate::text::shown`]); colours stay.
//!
//! Invariant: where no pager can be had the answer is printed as without one; one that is left early is no error.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use crate::text::shown;

/// Ctrl-C is the pager's while it runs.
const SIGINT: i32 = 2;
/// `less` ends by itself where all fits on the screen, keeps colours, and leaves the text on the screen.
const LESS: &str = "FRX";

/// A pager that runs; what is printed goes there until this is dropped.
pub(super) struct Paged {
    child: Child,
    stdout: OwnedFd,
    passing: Option<JoinHandle<()>>,
}

impl Paged {
    /// Starts one, where somebody looks.
    pub(super) fn start() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok();
        if !io::stdout().is_terminal() || variable("TERM").is_none_or(|term| term.is_empty() || term == "dumb") {
            return None;
        }
        let said = variable("PAGER").unwrap_or_else(|| "less".to_owned());
        let (program, rest) = match said.split_whitespace().collect::<Vec<_>>().split_first() {
            Some((program, rest)) if *program != "cat" => {
                ((*program).to_owned(), rest.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
            }
            Some(_) | None => return None,
        };
        let mut command = Command::new(program);
        command.args(rest).stdin(Stdio::piped());
        if variable("LESS").is_none() {
            command.env("LESS", LESS);
        }
        let mut child = command.spawn().ok()?;
        let lines = child.stdin.take()?;
        let stdout = rustix::io::dup(rustix::stdio::stdout()).ok()?;
        let (read, write) = io::pipe().ok()?;
        rustix::stdio::dup2_stdout(&write).ok()?;
        drop(write);
        let _ = signal_hook::flag::register(SIGINT, Arc::<AtomicBool>::default());
        let passing = std::thread::Builder::new().name("pager".to_owned()).spawn(move || pass_on(read, lines)).ok();
        Some(Self { child, stdout, passing })
    }
}

impl Drop for Paged {
    fn drop(&mut self) {
        // The end of the text: nobody else holds the way into it.
        let _ = rustix::stdio::dup2_stdout(&self.stdout);
        if let Some(passing) = self.passing.take() {
            let _ = passing.join();
        }
        let _ = self.child.wait();
    }
}

/// Passes lines on as a screen shows them, until either side is gone.
fn pass_on(read: io::PipeReader, mut to: ChildStdin) {
    let mut lines = BufReader::new(read);
    let mut line = Vec::new();
    while let Ok(1..) = lines.read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        if to.write_all(seen(&text).as_bytes()).is_err() {
            return;
        }
        line.clear();
    }
}

/// What a screen shows of a text; colours are no part of it and stay.
fn seen(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&shown(&rest[..at]));
        let after = &rest[at + 2..];
        let length = after.find(|letter: char| !(letter.is_ascii_digit() || letter == ';')).unwrap_or(after.len());
        if after[length..].starts_with('m') {
            out.push_str(&rest[at..at + 2 + length + 1]);
            rest = &after[length + 1..];
        } else {
            rest = after;
        }
    }
    out.push_str(&shown(rest));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_gets_colours_and_no_other_sequence() {
        assert_eq!(
            seen("\u{1b}[1;31mSEV0\u{1b}[0m a\u{1b}[2Jb\n"),
            "\u{1b}[1;31mSEV0\u{1b}[0m aJb\n".replace("aJ", "a2J")
        );
    }
}
