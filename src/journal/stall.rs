//! Says that the disk does not answer, while the writer waits for it and can say nothing itself.
//!
//! Hides a thread that sleeps until the writer begins with something.
//!
//! Invariant: what is not on the disk after two seconds is said to be not there, and when it is, that is said too.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::thread::News;
use crate::clock;

/// A healthy disk answers within milliseconds; a busy one may take a second.
const LONG: Duration = Duration::from_millis(1500);

/// The writer's end.
#[derive(Debug)]
pub(super) struct Stall(Option<Sender<Step>>);

#[derive(Debug)]
enum Step {
    Begins(DateTime<Utc>),
    Ends,
}

impl Stall {
    /// Starts the thread; `say` tells the loop. Without a thread nobody hears of it.
    pub(super) fn watch(say: impl Fn(News) -> bool + Send + 'static) -> Self {
        let (steps, heard) = mpsc::channel();
        let work = move || {
            while let Ok(step) = heard.recv() {
                let Step::Begins(since) = step else { continue };
                match heard.recv_timeout(LONG) {
                    Ok(_) => continue,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if !say(News::Stalled(Some(since))) || heard.recv().is_err() || !say(News::Stalled(None)) {
                    return;
                }
            }
        };
        let spawned = std::thread::Builder::new().name("journal-stall".to_owned()).spawn(work);
        Self(
            spawned
                .inspect_err(|error| tracing::warn!(%error, "a disk that stalls is not noticed"))
                .ok()
                .map(|_| steps),
        )
    }

    /// Does something that waits for the disk.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let tell = |step| {
            if let Some(steps) = &self.0 {
                // The thread ends only when nobody listens any more.
                let _ = steps.send(step);
            }
        };
        tell(Step::Begins(clock::wall()));
        let done = work();
        tell(Step::Ends);
        done
    }
}
