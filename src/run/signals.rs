//! The signals that a console obeys, as one stream.
//!
//! Hides six of tokio's. What a signal means is said here once; what to do about it is the loop's.
//!
//! Invariant: [`Signals::next`] may be dropped at any await without losing a signal.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What somebody outside asks of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The window has another size (SIGWINCH).
    Resize,
    /// End in good order; the name says which signal it was.
    Terminate(Ending),
    /// Give the terminal back and stop (SIGTSTP).
    Suspend,
    /// Running again (SIGCONT): the screen belongs to somebody else until it is painted anew.
    Continue,
}

/// The signals that end a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `kill`, or the machine going down.
    Term,
    /// `kill -INT`; Ctrl+C is a key.
    Int,
    /// The terminal is gone.
    Hup,
}

impl Ending {
    /// The signal's name, as in `kill -l`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
            Self::Hup => "SIGHUP",
        }
    }

    /// The exit status by which a shell tells that a program ended on this signal.
    pub fn status(self) -> u8 {
        match self {
            Self::Term => 128 + 15,
            Self::Int => 128 + 2,
            Self::Hup => 128 + 1,
        }
    }
}

/// The stream of signals.
#[derive(Debug)]
pub struct Signals {
    resize: Signal,
    term: Signal,
    int: Signal,
    hup: Signal,
    suspend: Signal,
    proceed: Signal,
}

impl Signals {
    /// Starts listening; from now on none of these signals has its default effect.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            resize: signal(SignalKind::window_change())?,
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            proceed: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// The next signal; cancel-safe. Endings come first, several of one kind count as one.
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            biased;
            _ = self.term.recv() => Asked::Terminate(Ending::Term),
            _ = self.hup.recv() => Asked::Terminate(Ending::Hup),
            _ = self.int.recv() => Asked::Terminate(Ending::Int),
            _ = self.suspend.recv() => Asked::Suspend,
            _ = self.proceed.recv() => Asked::Continue,
            _ = self.resize.recv() => Asked::Resize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Signal, getpid, kill_process};

    #[tokio::test]
    async fn every_signal_is_named() {
        let mut signals = Signals::new().unwrap();
        let cases = [
            (Signal::WINCH, Asked::Resize),
            (Signal::TSTP, Asked::Suspend),
            (Signal::CONT, Asked::Continue),
            (Signal::TERM, Asked::Terminate(Ending::Term)),
            (Signal::INT, Asked::Terminate(Ending::Int)),
            (Signal::HUP, Asked::Terminate(Ending::Hup)),
        ];
        for (sent, asked) in cases {
            kill_process(getpid(), sent).unwrap();
            assert_eq!(signals.next().await, asked);
        }
    }
}
