//! Which messages were recorded, so that a sender who repeats one does not have it recorded twice.
//!
//! Hides a small file in the account's own folder: a listener that is started again knows what the one before it took.
//!
//! Invariant: an id is known as long as its message could still be repeated; a file that cannot be written costs memory of it at the next start, and no
//! message.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// So many messages are known.
const MOST: usize = 65_536;
/// The longest file that is read, in bytes.
const MOST_BYTES: u64 = 16 << 20;

/// The messages that were recorded, the newest last.
#[derive(Debug)]
pub(super) struct Known {
    ids: VecDeque<(i64, String)>,
    path: PathBuf,
    span: i64,
}

impl Known {
    /// Those of a file that can still be repeated at a moment, in seconds since 1970: none that is older than a span, in seconds.
    pub(super) fn in_file(path: PathBuf, now: i64, span: i64) -> Self {
        let lines = read(&path).unwrap_or_default();
        let known = lines.lines().filter_map(|line| {
            let (at, id) = line.split_once(' ')?;
            Some((at.parse().ok()?, id.to_owned()))
        });
        let ids = known.filter(|(at, _)| *at >= now - span).collect();
        Self { ids, path, span }
    }

    /// Whether a message was recorded.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.iter().any(|(_, known)| known == id)
    }

    /// Notes that a message was recorded.
    pub(super) fn add(&mut self, at: i64, id: String) {
        self.ids.push_back((at, id));
        self.ids.retain(|(then, _)| *then >= at - self.span);
        if self.ids.len() > MOST {
            self.ids.pop_front();
        }
        let lines: String = self.ids.iter().map(|(at, id)| format!("{at} {id}\n")).collect();
        if let Err(error) = write(&self.path, &lines) {
            tracing::warn!("{}: which changes were taken is not kept: {error}", self.path.display());
        }
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut text = String::new();
    File::from(rustix::fs::open(path, flags, Mode::empty())?).take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes the file anew; it is on disk, whole or as it was before, when this returns.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let random = getrandom::u64().map_err(|error| std::io::Error::other(error.to_string()))?;
    let new = path.with_extension(format!("{random:016x}"));
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(&new, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}
