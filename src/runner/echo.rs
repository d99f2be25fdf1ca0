//! Says again what a command prints: for `warroom run`, on the outputs that its helper has from it.
//!
//! Hides the thread that writes, so that a reader who is slow, or gone, does not keep the helper from its work.
//!
//! Invariant: what came from the command's stderr goes to stderr; the order within each of them holds.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Duration;

/// So many pieces may wait.
const WAITING: usize = 32;
/// Who reads nothing for so long at the end gets the rest from the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way of what is printed to the helper's own outputs.
pub(super) struct Echo {
    to: Option<SyncSender<(usize, String)>>,
    over: Receiver<()>,
    held: Option<(usize, String)>,
}

/// Whether stdout and stderr lead to different places here; on one terminal they are one.
pub(super) fn goes_apart() -> bool {
    let place = |about: rustix::fs::Stat| (about.st_dev, about.st_ino);
    let of = |fd: rustix::fd::BorrowedFd<'_>| rustix::fs::fstat(fd).ok().map(place);
    of(io::stdout().as_fd()) != of(io::stderr().as_fd())
}

impl Echo {
    /// Says everything again, or nothing.
    pub(super) fn new(is_aloud: bool) -> Self {
        let (to, pieces) = mpsc::sync_channel(WAITING);
        let (done, over) = mpsc::sync_channel(1);
        let write = move || {
            say(&pieces);
            let _ = done.send(());
        };
        let writes = is_aloud && std::thread::Builder::new().name("echo".to_owned()).spawn(write).is_ok();
        Self { to: writes.then_some(to), over, held: None }
    }

    /// Whether another piece can be taken.
    pub(super) fn has_room(&mut self) -> bool {
        if let Some((place, text)) = self.held.take() {
            self.say(place, text);
        }
        self.held.is_none()
    }

    /// Takes a piece; one that finds no room is held.
    pub(super) fn say(&mut self, place: usize, text: String) {
        let Some(to) = self.to.as_ref().filter(|_| !text.is_empty()) else { return };
        match to.try_send((place, text)) {
            Err(mpsc::TrySendError::Full(piece)) => self.held = Some(piece),
            // Nobody listens any more; the command goes on all the same.
            Err(mpsc::TrySendError::Disconnected(_)) => self.to = None,
            Ok(()) => {}
        }
    }

    /// Waits a while until all is said.
    pub(super) fn finish(&mut self) {
        let Some(to) = self.to.take() else { return };
        if let Some(piece) = self.held.take() {
            let _ = to.send(piece);
        }
        drop(to);
        let _ = self.over.recv_timeout(PATIENCE);
    }
}

fn say(pieces: &Receiver<(usize, String)>) {
    while let Ok((place, text)) = pieces.recv() {
        let written = match place {
            0 => io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()),
            _ => io::stderr().write_all(text.as_bytes()),
        };
        if written.is_err() {
            return;
        }
    }
}
