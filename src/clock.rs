//! The only place that reads a clock.
//!
//! Hides which clocks there are: deadlines are wall-clock facts, and a jump of the wall clock is told from the passing of time by a clock that counts
//! suspend (`CLOCK_BOOTTIME`; Rust's `Instant` stops while the machine sleeps).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// A disagreement of the two clocks above this is a jump.
pub const JUMP: TimeDelta = TimeDelta::seconds(1);

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn wall() -> DateTime<Utc> {
    Utc::now()
}

/// Time since boot, suspend included.
pub fn boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Compares the two clocks from reading to reading.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    wall: DateTime<Utc>,
    boot: Duration,
}

impl Watch {
    /// Starts from a reading.
    pub fn new(wall: DateTime<Utc>, boot: Duration) -> Self {
        Self { wall, boot }
    }

    /// By how much the wall clock jumped since the last reading, where it did.
    pub fn check(&mut self, wall: DateTime<Utc>, boot: Duration) -> Option<TimeDelta> {
        let passed = TimeDelta::from_std(boot.saturating_sub(self.boot)).unwrap_or(TimeDelta::MAX);
        let jump = (wall - self.wall) - passed;
        *self = Self { wall, boot };
        (jump.abs() > JUMP).then_some(jump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_of_suspend_is_no_jump_and_a_stepped_clock_is() {
        let evening = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let mut watch = Watch::new(evening, Duration::from_secs(100));
        let night = TimeDelta::hours(8);
        assert_eq!(watch.check(evening + night, Duration::from_secs(100 + 8 * 3600)), None);
        let back = evening + night - TimeDelta::hours(1);
        assert_eq!(watch.check(back, Duration::from_secs(100 + 8 * 3600)), Some(TimeDelta::hours(-1)));
        assert_eq!(watch.check(back + TimeDelta::seconds(5), Duration::from_secs(105 + 8 * 3600)), None);
    }
}
