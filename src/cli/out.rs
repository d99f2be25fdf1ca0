//! Where subcommands print.
//!
//! Hides whether somebody looks at it: a terminal gets what a screen shows of a text ([`crate::text::shown`]); a pipe and a file get it as it was
//! written. Hides too that somebody who shares the descriptor made it non-blocking: what does not fit now is waited for.
//!
//! Invariant: what is printed is printed whole, or an error that is known as one of stdout says that it is not.

use std::io::{self, IsTerminal, LineWriter, Write};

use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::incident::Severity;
use crate::text::shown;

/// When an answer has colours: `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Ink {
    /// On a terminal, where `NO_COLOR` does not say otherwise
    #[default]
    Auto,
    /// Also in a pipe
    Always,
    /// Never
    Never,
}

impl Ink {
    /// The same once and for all, as long as stdout is what it was at the start.
    pub(super) fn settled(self) -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        match self {
            Self::Auto if io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb => Self::Always,
            Self::Auto | Self::Never => Self::Never,
            Self::Always => Self::Always,
        }
    }
}

/// How a piece of an answer stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tint {
    /// Not at all.
    Plain,
    /// As what people wrote.
    Bold,
    /// As what is only beside it.
    Dim,
    /// As something to look at.
    Amber,
    /// As something bad.
    Red,
}

impl Tint {
    /// How bad it is.
    pub(super) fn of(severity: Severity) -> Self {
        match severity {
            Severity::Sev0 | Severity::Sev1 => Self::Red,
            Severity::Sev2 => Self::Amber,
            Severity::Sev3 => Self::Plain,
        }
    }

    /// The sequence that begins it.
    fn begins(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\u{1b}[1m",
            Self::Dim => "\u{1b}[2m",
            Self::Amber => "\u{1b}[33m",
            Self::Red => "\u{1b}[1;31m",
        }
    }
}

/// stdout, for texts.
pub(super) struct Out {
    inner: LineWriter<Raw>,
    is_seen: bool,
    ink: Ink,
}

/// Opens stdout for texts.
pub(super) fn out(ink: Ink) -> Out {
    Out { inner: raw(), is_seen: io::stdout().is_terminal(), ink: ink.settled() }
}

impl Out {
    /// Prints a piece that stands out.
    pub(super) fn tinted(&mut self, tint: Tint, text: &str) -> io::Result<()> {
        if self.ink != Ink::Always || tint == Tint::Plain {
            return self.write_all(text.as_bytes());
        }
        self.inner.write_all(tint.begins().as_bytes())?;
        self.write_all(text.as_bytes())?;
        self.inner.write_all(b"\x1b[0m")
    }
}

/// Opens stdout for bytes.
pub(super) fn raw() -> LineWriter<Raw> {
    LineWriter::new(Raw)
}

/// Prints a text and the end of its last line.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut out = out(Ink::Never);
    writeln!(out, "{text}")?;
    out.flush()
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) if self.is_seen => self.inner.write_all(shown(text).as_bytes())?,
            Err(_) if self.is_seen => self.inner.write_all(shown(&String::from_utf8_lossy(bytes)).as_bytes())?,
            Ok(_) | Err(_) => self.inner.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// An error of stdout, and of nothing else: a file that is full is another matter.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct OfStdout(Errno);

/// Whether an error says that an answer could not be printed.
pub(super) fn is_of_stdout(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<OfStdout>())
}

/// The descriptor itself; waits where it would not block.
pub(super) struct Raw;

impl Write for Raw {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let stdout = rustix::stdio::stdout();
        loop {
            match rustix::io::write(stdout, bytes) {
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::from_borrowed_fd(stdout, PollFlags::OUT)], None);
                }
                Err(error) => return Err(io::Error::new(error.kind(), OfStdout(error))),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
