//! Hears at once that the file of changes was written to.
//!
//! Hides inotify and the thread that waits for it. The folder is watched, because the file may not be there yet.
//!
//! Invariant: where the system allows no listener nothing is heard, and whoever waits looks by itself.

use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// It is asked so often, in seconds, whether anybody still listens.
const LOOK_S: i64 = 1;

/// Tells of every write to a file until nobody listens any more.
pub(super) fn watch(path: PathBuf) -> Receiver<()> {
    let (to, from) = mpsc::channel(1);
    let run = move || {
        if let Err(error) = listen(&path, &to) {
            tracing::warn!(%error, "no inotify: changes are seen later");
        }
        // A channel that ended would be taken for a word: it stays open as long as somebody listens.
        while !to.is_closed() {
            std::thread::sleep(std::time::Duration::from_secs(LOOK_S.unsigned_abs()));
        }
    };
    if let Err(error) = std::thread::Builder::new().name("changes".to_owned()).spawn(run) {
        tracing::warn!(%error, "changes are seen later");
    }
    from
}

fn listen(path: &Path, to: &Sender<()>) -> rustix::io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let written = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
    inotify::add_watch(&inotify, folder, written)?;
    let timeout = Timespec { tv_sec: LOOK_S, tv_nsec: 0 };
    while !to.is_closed() {
        let mut polled = [PollFd::new(&inotify, PollFlags::IN)];
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&inotify, &mut buffer);
        let mut is_written = false;
        while let Ok(event) = events.next() {
            // An overflow has no name: anything may have happened.
            is_written |= event.file_name().is_none_or(|one| one.to_bytes() == name.as_encoded_bytes());
        }
        if is_written {
            // One that waits already is enough.
            let _ = to.try_send(());
        }
    }
    Ok(())
}
