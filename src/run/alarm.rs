//! One alarm clock for the loop, on the clock that counts suspend.
//!
//! Hides a timer descriptor. The runtime's own timers stand still while the machine sleeps, and setting one writes to an event descriptor each time:
//! once a second for nothing while a countdown runs.
//!
//! Invariant: waiting may be dropped at any time; the next wait sets the alarm anew.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

/// The loop's alarm clock.
#[derive(Debug)]
pub struct Alarm {
    /// Nothing where the system has no timer left for us, or a filter of system calls keeps it: the runtime's own must
    /// do.
    fd: Option<AsyncFd<Arc<OwnedFd>>>,
}

impl Alarm {
    /// An alarm that is not set. Needs a running runtime.
    pub fn unset() -> Self {
        let timer = || -> io::Result<_> {
            let fd = timerfd_create(TimerfdClockId::Boottime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            super::tty::watch(Arc::new(fd))
        };
        let fd = timer().inspect_err(|error| tracing::warn!(%error, "no timer that counts the sleep of this machine"));
        Self { fd: fd.ok() }
    }

    /// Returns after so long, suspend included; cancel-safe.
    pub async fn after(&self, pause: Duration) {
        let nothing = Timespec { tv_sec: 0, tv_nsec: 0 };
        // Zero would switch the alarm off.
        let pause = pause.max(Duration::from_nanos(1));
        let value = Timespec::try_from(pause).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let once = Itimerspec { it_interval: nothing, it_value: value };
        let Some(timer) = &self.fd else { return tokio::time::sleep(pause).await };
        if timerfd_settime(timer, TimerfdTimerFlags::empty(), &once).is_err() {
            return tokio::time::sleep(pause).await;
        }
        loop {
            let Ok(mut guard) = timer.readable().await else { return tokio::time::sleep(pause).await };
            let mut count = [0; 8];
            // An alarm that was set for a wait that is over may have left its mark; setting it anew took that away.
            if guard.try_io(|fd| Ok(rustix::io::read(fd, &mut count)?)).is_ok() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_timer_of_the_system_the_alarm_rings_all_the_same() {
        let alarm = Alarm { fd: None };
        let before = crate::clock::boot();
        alarm.after(Duration::from_millis(20)).await;
        assert!(crate::clock::boot() - before >= Duration::from_millis(20));
    }

    #[tokio::test]
    async fn the_alarm_rings_again_after_a_wait_that_was_given_up() {
        let alarm = Alarm::unset();
        let before = crate::clock::boot();
        tokio::select! {
            biased;
            () = alarm.after(Duration::from_secs(600)) => unreachable!("ten minutes have not passed"),
            () = std::future::ready(()) => {}
        }
        alarm.after(Duration::from_millis(20)).await;
        alarm.after(Duration::ZERO).await;
        let passed = crate::clock::boot() - before;
        assert!(passed >= Duration::from_millis(20) && passed < Duration::from_secs(60), "{passed:?}");
    }
}
