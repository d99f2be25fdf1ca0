//! The moment before the first byte of something that changes another system.
//!
//! Hides who is asked for leave: whoever keeps the gate writes down that it goes out, and opens it then.
//!
//! Invariant: what waits at a gate has written nothing; a gate that was opened stays open, one that was shut lets nothing through.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, oneshot};

/// A record that takes longer than this to write down that something goes out is in trouble.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an errand passes before it writes, once.
#[derive(Debug)]
pub struct Gate {
    stage: Mutex<Stage>,
    is_called_off: AtomicBool,
}

#[derive(Debug)]
enum Stage {
    Shut(oneshot::Sender<()>, oneshot::Receiver<()>),
    Open,
    Closed,
}

/// Who lets an errand through.
#[derive(Debug)]
pub struct Keeper {
    /// The errand stands before its first write.
    pub ready: oneshot::Receiver<()>,
    /// Opens the gate.
    pub go: oneshot::Sender<()>,
}

impl Gate {
    /// A gate that is shut, and its keeper.
    pub fn new() -> (Self, Keeper) {
        let ((ready, is_ready), (go, may_go)) = (oneshot::channel(), oneshot::channel());
        let gate = Self { stage: Mutex::new(Stage::Shut(ready, may_go)), is_called_off: AtomicBool::new(false) };
        (gate, Keeper { ready: is_ready, go })
    }

    /// Says that the errand is not wanted any more.
    pub fn call_off(&self) {
        self.is_called_off.store(true, Ordering::SeqCst);
    }

    /// Whether nobody waits for what becomes of it.
    pub fn is_called_off(&self) -> bool {
        self.is_called_off.load(Ordering::SeqCst)
    }

    /// Waits until something may be written; false where it may not.
    pub(super) async fn pass(&self) -> bool {
        let mut stage = self.stage.lock().await;
        let next = match std::mem::replace(&mut *stage, Stage::Closed) {
            Stage::Shut(ready, may_go) => {
                let is_open =
                    ready.send(()).is_ok() && matches!(tokio::time::timeout(PATIENCE, may_go).await, Ok(Ok(())));
                if is_open { Stage::Open } else { Stage::Closed }
            }
            known => known,
        };
        *stage = next;
        matches!(*stage, Stage::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_passes_before_the_gate_is_opened_and_nothing_passes_one_that_nobody_opens() {
        let (gate, Keeper { ready, go }) = Gate::new();
        let keeper = async {
            ready.await.unwrap();
            go.send(()).unwrap();
        };
        assert!(tokio::join!(gate.pass(), keeper).0);
        assert!(gate.pass().await, "it stays open");
        let (gate, keeper) = Gate::new();
        drop(keeper.go);
        assert!(!gate.pass().await);
        let (gate, _keeper) = Gate::new();
        assert!(!gate.pass().await, "after a while");
        assert!(!gate.pass().await);
    }
}
