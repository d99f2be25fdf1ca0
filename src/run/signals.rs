//! The signals that a console obeys, as one stream.
//!
//! Hides a dozen of tokio's. What a signal means is said here once; what to do about it is the loop's.
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
    /// Another one that ends a program which does not handle it: its name, and its number.
    Other(&'static str, u8),
}

/// The signals that would end the console with the terminal as it was left: a quit key of a shell, a limit of processor
/// time, somebody's `kill`.
const OTHERS: [(&str, rustix::process::Signal); 6] = [
    ("SIGQUIT", rustix::process::Signal::QUIT),
    ("SIGUSR1", rustix::process::Signal::USR1),
    ("SIGUSR2", rustix::process::Signal::USR2),
    ("SIGALRM", rustix::process::Signal::ALARM),
    ("SIGXCPU", rustix::process::Signal::XCPU),
    ("SIGABRT", rustix::process::Signal::ABORT),
];

impl Ending {
    /// The signal's name, as in `kill -l`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Term => "SIGTERM",
            Self::Int => "SIGINT",
            Self::Hup => "SIGHUP",
            Self::Other(name, _) => name,
        }
    }

    /// The exit status by which a shell tells that a program ended on this signal.
    pub fn status(self) -> u8 {
        match self {
            Self::Term => 128 + 15,
            Self::Int => 128 + 2,
            Self::Hup => 128 + 1,
            Self::Other(_, number) => 128 + number,
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
    others: [(Ending, Signal); OTHERS.len()],
}

impl Signals {
    /// Starts listening; from now on none of these signals has its default effect.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn new() -> io::Result<Self> {
        let of = |place: usize| -> io::Result<(Ending, Signal)> {
            let (name, kind) = OTHERS[place];
            let number = u8::try_from(kind.as_raw()).unwrap_or_default();
            Ok((Ending::Other(name, number), signal(SignalKind::from_raw(kind.as_raw()))?))
        };
        Ok(Self {
            others: [of(0)?, of(1)?, of(2)?, of(3)?, of(4)?, of(5)?],
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
            ending = other(&mut self.others) => Asked::Terminate(ending),
            _ = self.suspend.recv() => Asked::Suspend,
            _ = self.proceed.recv() => Asked::Continue,
            _ = self.resize.recv() => Asked::Resize,
        }
    }
}

/// The first of the others that comes.
async fn other(signals: &mut [(Ending, Signal)]) -> Ending {
    std::future::poll_fn(|cx| {
        let came = signals.iter_mut().find_map(|(ending, signal)| signal.poll_recv(cx).is_ready().then_some(*ending));
        came.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
    })
    .await
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
        let others = OTHERS.map(|(name, kind)| (kind, Asked::Terminate(Ending::Other(name, kind.as_raw() as u8))));
        let cases: Vec<_> = cases.into_iter().chain(others).collect();
        for (sent, asked) in cases {
            kill_process(getpid(), sent).unwrap();
            assert_eq!(signals.next().await, asked);
        }
    }
}
