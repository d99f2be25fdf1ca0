//! How processes on one host wake each other.
//!
//! Hides inotify. SQLite's own files are no bell: the write to `-wal` is seen before the commit is, and the commit itself is a store to mapped memory
//! that no watcher hears of. So a file of our own is touched after each commit.
//!
//! Invariant: a bell that cannot be rung or heard costs time (whoever waits looks by itself after its timeout), never an entry.

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{OFlags, Timestamps, UTIME_NOW};

use super::folder::above;

/// The side that rings.
#[derive(Debug)]
pub(super) struct Bell(File);

impl Bell {
    pub(super) fn open(path: &Path) -> Option<Self> {
        above(path)
            .and_then(|(folder, name)| folder.file(name, OFlags::WRONLY))
            .inspect_err(|error| tracing::warn!(path = %path.display(), %error, "the bell cannot be rung"))
            .ok()
            .map(Self)
    }

    /// Touches the file: that needs no room on the disk.
    pub(super) fn ring(&self) {
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        if let Err(error) = rustix::fs::futimens(&self.0, &Timestamps { last_access: now, last_modification: now }) {
            tracing::warn!(%error, "the bell cannot be rung");
        }
    }
}

/// The side that listens.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: Option<OwnedFd>,
    bell: i32,
    seats: i32,
}

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Heard {
    /// Somebody may have written an entry.
    pub(super) bell: bool,
    /// A console came, went or changed.
    pub(super) seats: bool,
    /// The other descriptor is ready.
    pub(super) stop: bool,
}

impl Watch {
    /// Listens to a bell and to the directory of the consoles; where the system allows no more listeners, to nothing.
    pub(super) fn new(bell: &Path, seats: Option<&Path>) -> Self {
        let listen = || -> rustix::io::Result<Self> {
            let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
            let bell =
                inotify::add_watch(&inotify, bell, WatchFlags::ATTRIB | WatchFlags::MODIFY | WatchFlags::DONT_FOLLOW)?;
            let changes = WatchFlags::MODIFY
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::MOVED_TO
                | WatchFlags::DELETE
                | WatchFlags::DONT_FOLLOW;
            let seats = seats.map(|path| inotify::add_watch(&inotify, path, changes)).transpose()?.unwrap_or(-1);
            Ok(Self { inotify: Some(inotify), bell, seats })
        };
        listen().unwrap_or_else(|error| {
            tracing::warn!(%error, "no inotify: other consoles are seen later");
            Self { inotify: None, bell: -1, seats: -1 }
        })
    }

    /// Whether it hears anything.
    pub(super) fn is_listening(&self) -> bool {
        self.inotify.is_some()
    }

    /// Waits for the bell, the consoles, or the other descriptor.
    pub(super) fn wait(&self, stop: Option<BorrowedFd<'_>>, timeout: Duration) -> Heard {
        let sources = [self.inotify.as_ref().map(AsFd::as_fd), stop];
        let mut polled: Vec<_> =
            sources.iter().flatten().map(|source| PollFd::from_borrowed_fd(*source, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(timeout).ok();
        if rustix::event::poll(&mut polled, timeout.as_ref()).is_err() {
            // A signal: whoever waits comes back.
            return Heard::default();
        }
        let mut heard = Heard::default();
        if stop.is_some() {
            heard.stop = polled.last().is_some_and(|stop| !stop.revents().is_empty());
        }
        if let Some(inotify) = &self.inotify {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut events = inotify::Reader::new(inotify, &mut buffer);
            while let Ok(event) = events.next() {
                // An overflow has no watch: anything may have happened.
                let any = event.wd() < 0;
                heard.bell |= any || event.wd() == self.bell;
                heard.seats |= any || event.wd() == self.seats;
            }
        }
        heard
    }
}
