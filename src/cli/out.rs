//! Where subcommands print.
//!
//! Hides whether somebody looks at it: a terminal gets what a screen shows of a text ([`crate::text::shown`]); a pipe and a file get it as it was
//! written. Hides too that somebody who shares the descriptor made it non-blocking: what does not fit now is waited for.
//!
//! Invariant: what is printed is printed whole, or an error says that it is not.

use std::io::{self, IsTerminal, LineWriter, Write};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::text::shown;

/// stdout, for texts.
pub(super) struct Out {
    inner: LineWriter<Raw>,
    is_seen: bool,
}

/// Opens stdout for texts.
pub(super) fn out() -> Out {
    Out { inner: raw(), is_seen: io::stdout().is_terminal() }
}

/// Opens stdout for bytes.
pub(super) fn raw() -> LineWriter<Raw> {
    LineWriter::new(Raw)
}

/// Prints a text and the end of its last line.
pub(super) fn write(text: &str) -> io::Result<()> {
    let mut out = out();
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
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
