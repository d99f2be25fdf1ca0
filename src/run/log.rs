//! The log: rotated files below the state folder, never the screen and never a shared folder.
//!
//! Invariant: no secret reaches it: each line is masked as it is written, whoever said it.

use std::io::{self, Write};
use std::path::Path;

/// Logs to a rotated file below the state folder; without one there is no log, and that is no reason not to start.
pub(crate) fn start(folder: &Path) -> Option<tracing_appender::non_blocking::WorkerGuard> {
    use tracing::level_filters::LevelFilter;
    use tracing_appender::rolling::{RollingFileAppender, Rotation};
    // The appender would complain on stderr, in the middle of the screen.
    std::fs::create_dir_all(folder).ok()?;
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("warroom")
        .filename_suffix("log")
        .max_log_files(7)
        .build(folder)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let level = std::env::var("WARROOM_LOG").ok().and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    tracing_subscriber::fmt()
        .with_writer(move || Masked(writer.clone()))
        .with_ansi(false)
        .with_max_level(level)
        .try_init()
        .ok()?;
    Some(guard)
}

/// A writer of whole lines that hides what is secret in them.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = crate::vault::mask().mask(&String::from_utf8_lossy(line));
        self.0.write_all(masked.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_that_quotes_a_token_is_masked() {
        let mut log = Masked(Vec::new());
        log.write_all(b"the gateway said: password=hunter2\n").unwrap();
        assert_eq!(String::from_utf8(log.0).unwrap(), "the gateway said: password=[secret]\n");
    }
}
