//! Where subcommands print.
//!
//! Hides whether somebody looks at it: a terminal gets what a screen shows of a text ([`crate::text::shown`]); a pipe and a file get it as it was
//! written.

use std::io::{self, IsTerminal, Stdout, StdoutLock, Write};

use crate::text::shown;

/// stdout, for texts.
pub(super) struct Out {
    inner: StdoutLock<'static>,
    is_seen: bool,
}

/// Opens stdout for texts.
pub(super) fn out() -> Out {
    let stdout: Stdout = io::stdout();
    let is_seen = stdout.is_terminal();
    Out { inner: stdout.lock(), is_seen }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes) {
            Ok(text) if self.is_seen => self.inner.write_all(shown(text).as_bytes())?,
            Ok(_) | Err(_) => self.inner.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
