//! What this machine does not give to a program, and what is less without it: a container without `/proc`, a filter of
//! system calls, a limit that is used up.
//!
//! Hides how each is tried: once, by using it as a console does, for what a machine says of itself is not what it lets
//! a program do.
//!
//! Invariant: none of it keeps a console from opening, recording, and showing what others record.

use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

/// One thing that is lacking: what, why, and what that means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// What is not there, in a word or two, for the head of a line.
    pub what: &'static str,
    /// Why, as the system says it, and what is less without it.
    pub why: String,
}

impl Lacking {
    fn new(what: &'static str, error: impl std::fmt::Display, less: &str) -> Self {
        Self { what, why: format!("{error}; {less}") }
    }
}

/// What a try of each says; the system's own answers, so that a test can give others.
#[derive(Debug)]
struct Tried {
    process: std::io::Result<()>,
    listener: rustix::io::Result<()>,
    timer: rustix::io::Result<()>,
}

impl Tried {
    fn here() -> Self {
        Self {
            process: std::fs::metadata(Path::new("/proc/self/exe")).map(drop),
            // One limit counts the listeners, another what they listen to.
            listener: inotify::init(CreateFlags::CLOEXEC)
                .and_then(|listener| inotify::add_watch(&listener, "/", WatchFlags::ATTRIB))
                .map(drop),
            timer: timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::CLOEXEC).map(drop),
        }
    }

    fn lacking(self) -> Vec<Lacking> {
        let process = self.process.err().map(|error| {
            let less = "no command runs from here, consoles that were killed are noticed late, and only `reset` gives back a terminal that one left";
            Lacking::new("/proc", error, less)
        });
        let listener = self.listener.err().map(|error| {
            let less =
                "what other consoles write is seen within a second, not at once (its limits: `sysctl fs.inotify`)";
            Lacking::new("inotify", error, less)
        });
        let timer = self.timer.err().map(|error| {
            Lacking::new(
                "timerfd",
                error,
                "after this machine slept, countdowns are right only with the next key or news",
            )
        });
        process.into_iter().chain(listener).chain(timer).collect()
    }
}

/// Tries everything once.
pub fn lacking() -> Vec<Lacking> {
    Tried::here().lacking()
}

/// What everything that waits runs on.
///
/// # Errors
/// When the system refuses what waiting takes: that one thing nobody can do without.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(|error| {
        let why = format!(
            "this system lets warroom wait for nothing ({error}): it needs epoll and eventfd; allow `epoll_create1` and `eventfd2` in the filter of \
             system calls (seccomp, SystemCallFilter=@system-service), or raise the limit of open files (`ulimit -n`)"
        );
        std::io::Error::new(error.kind(), why)
    })
}

/// The same in one sentence, for a notice; nothing where nothing is lacking.
pub(super) fn notice() -> Option<String> {
    let all = lacking();
    let said: Vec<String> = all.iter().map(|one| format!("{} ({})", one.what, one.why)).collect();
    (!said.is_empty()).then(|| format!("this machine lacks {}", said.join(", and ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::io::Errno;

    #[test]
    fn each_that_is_lacking_is_named_with_what_is_less_and_nothing_else_is() {
        let well = || Tried { process: Ok(()), listener: Ok(()), timer: Ok(()) };
        assert_eq!(well().lacking(), []);
        let gone = || Err(std::io::Error::from(std::io::ErrorKind::NotFound));
        for (tried, what, less) in [
            (Tried { process: gone(), ..well() }, "/proc", "no command runs"),
            (Tried { listener: Err(Errno::MFILE), ..well() }, "inotify", "within a second"),
            (Tried { timer: Err(Errno::PERM), ..well() }, "timerfd", "countdowns"),
        ] {
            let [lacking] = <[Lacking; 1]>::try_from(tried.lacking()).unwrap();
            assert_eq!(lacking.what, what);
            assert!(lacking.why.contains(less), "{lacking:?}");
        }
    }
}
