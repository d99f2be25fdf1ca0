//! The log: rotated files below the state folder, never the screen and never a shared folder.

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
    tracing_subscriber::fmt().with_writer(writer).with_ansi(false).with_max_level(level).try_init().ok()?;
    Some(guard)
}
