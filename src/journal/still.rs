//! Keeps a process from being stopped in the middle of a write: all others on the host would wait for its lock until it goes on.
//!
//! Invariant: while somebody holds a [`Still`], this process holds no lock of a record that others need.

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::time::Duration;

use crate::clock;

static WRITERS: RwLock<()> = RwLock::new(());
/// How often it is looked whether the last writer is through.
const LOOK: Duration = Duration::from_millis(2);

/// A moment in which nothing is written, as long as it is held.
#[derive(Debug)]
pub struct Still {
    _held: RwLockWriteGuard<'static, ()>,
}

impl Still {
    /// Waits for the writers of this process, at most so long: a disk that does not answer must not hold up a person for ever.
    pub fn within(patience: Duration) -> Option<Self> {
        let until = clock::boot() + patience;
        loop {
            match WRITERS.try_write() {
                Ok(held) => return Some(Self { _held: held }),
                Err(TryLockError::Poisoned(held)) => return Some(Self { _held: held.into_inner() }),
                Err(TryLockError::WouldBlock) if clock::boot() >= until => return None,
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
            }
        }
    }
}

/// Held by whoever has a lock that others wait for.
pub(super) fn writing() -> RwLockReadGuard<'static, ()> {
    WRITERS.read().unwrap_or_else(PoisonError::into_inner)
}
