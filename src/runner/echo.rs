//! Says again what a command prints: for `warroom run`, on the outputs that its helper has from it.
//!
//! Hides the thread that writes, so that a reader who is slow, or gone, does not keep the helper from its work.
//!
//! Invariant: what came from the command's stderr goes to stderr; the order within each of them holds. Nothing is cut
//! where somebody reads slowly, or made the descriptor non-blocking; what cannot be written is an error that is told.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// So many pieces may wait.
const WAITING: usize = 32;
/// How often somebody is asked at the end whether the rest is still wanted.
const LOOK: Duration = Duration::from_millis(200);

/// The way of what is printed to the helper's own outputs.
pub(super) struct Echo {
    to: Option<SyncSender<(usize, String)>>,
    over: Receiver<Result<(), Errno>>,
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
            let _ = done.send(say(&pieces));
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

    /// Waits until all is said, as any program in a pipe waits for its reader; or until nobody wants the rest. Gives
    /// why something was not said.
    pub(super) fn finish(&mut self, is_over: impl Fn() -> bool) -> Option<String> {
        while !self.has_room() {
            if is_over() {
                return None;
            }
            std::thread::sleep(LOOK / 10);
        }
        // Whoever wrote last said why it ended.
        self.to = None;
        loop {
            match self.over.recv_timeout(LOOK) {
                Ok(Ok(()) | Err(Errno::PIPE)) | Err(RecvTimeoutError::Disconnected) => return None,
                Ok(Err(error)) => return Some(io::Error::from(error).to_string()),
                Err(RecvTimeoutError::Timeout) if is_over() => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

fn say(pieces: &Receiver<(usize, String)>) -> Result<(), Errno> {
    while let Ok((place, text)) = pieces.recv() {
        match place {
            0 => write(rustix::stdio::stdout(), text.as_bytes())?,
            _ => write(rustix::stdio::stderr(), text.as_bytes())?,
        }
    }
    Ok(())
}

/// Writes all of it; waits where it does not fit now.
fn write(to: BorrowedFd<'_>, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
