//! How many bytes the machine may send to the terminal, so that what is shown stays fresh on a slow link.
//!
//! Hides a token bucket. Below a non-blocking terminal SSH and TCP swallow over a megabyte, so "it took the bytes" says nothing about
//! when they are seen; only sending less than the link carries keeps the picture young. Keys are never delayed, but they are paid for.
//!
//! Invariant: over any stretch of time the machine's frames take at most the burst plus the rate, and come at most 30 a second in the long run.

use std::time::Duration;

/// The time between two machine-driven frames, in the long run.
pub const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// So many frames may come close together: a console that opens shows each thing as it arrives.
const FRAMES_AT_ONCE: u32 = 4;
/// Bytes a second and at once, for a terminal on this machine.
const LOCAL: (f64, f64) = (256.0 * 1024.0, 64.0 * 1024.0);
/// The same over SSH: three quarters of a 64 kbit/s line, and at once no more than such a line carries in two seconds.
const REMOTE: (f64, f64) = (6.0 * 1024.0, 12.0 * 1024.0);
/// However slow a terminal was, a line of text a second gets through.
const LEAST_RATE: f64 = 1024.0;
/// By how much a rate that was lowered grows again in a second.
const RECOVERY: f64 = 1.25;
/// What lies in the kernel's queues when a terminal stops taking bytes.
const QUEUE: f64 = 16.0 * 1024.0;

/// The allowance for bytes; times are on the boot clock.
#[derive(Clone, Debug)]
pub struct Budget {
    most_rate: f64,
    most_burst: f64,
    rate: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
    /// When the next frame would go if none had come close together.
    slot: Duration,
}

impl Budget {
    /// A full bucket for a terminal here, or behind SSH.
    ///
    /// `line` is what the configuration says that the line carries, in bytes per second: three quarters of that, wherever the terminal is.
    pub fn new(over_ssh: bool, line: Option<u32>, now: Duration) -> Self {
        let (rate, burst) = match line {
            Some(line) => (f64::from(line) * 0.75, f64::from(line) * 1.5),
            None if over_ssh => REMOTE,
            None => LOCAL,
        };
        Self { most_rate: rate, most_burst: burst, rate, burst, tokens: burst, at: now, slot: now }
    }

    /// When the next machine-driven frame may go: now, or later.
    pub fn next_frame(&self, now: Duration) -> Duration {
        let tokens = self.tokens + self.rate * now.saturating_sub(self.at).as_secs_f64();
        let paid = if tokens >= 0.0 { now } else { now + Duration::from_secs_f64(-tokens / self.rate) };
        paid.max(self.slot.saturating_sub(FRAME * (FRAMES_AT_ONCE - 1)))
    }

    /// A frame of so many bytes goes out.
    pub fn spend(&mut self, bytes: usize, now: Duration) {
        self.refill(now);
        self.tokens -= count(bytes);
        self.slot = self.slot.max(now) + FRAME;
    }

    /// The terminal took no more for a while, then so many bytes in that time: from now on it is asked for three quarters of that.
    pub fn drained(&mut self, bytes: usize, took: Duration, now: Duration) {
        self.refill(now);
        let seconds = took.as_secs_f64().max(0.001);
        let least = LEAST_RATE.min(self.most_rate);
        self.rate = (count(bytes) / seconds * 0.75).clamp(least, self.rate.max(least));
        // A second's worth at once; and what is queued already must be seen before the next picture is drawn.
        self.burst = self.burst.min(self.rate);
        self.tokens = self.tokens.min(-QUEUE.min(self.rate));
    }

    fn refill(&mut self, now: Duration) {
        let seconds = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.tokens += self.rate * seconds;
        let growth = RECOVERY.powf(seconds.min(60.0));
        self.rate = (self.rate * growth).min(self.most_rate);
        self.burst = (self.burst * growth).min(self.most_burst);
        self.tokens = self.tokens.min(self.burst);
    }
}

fn count(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Sends frames of one size as often as the budget allows, and returns the bytes sent by then.
    fn greedy(budget: &mut Budget, frame: usize, from: Duration, until: Duration) -> usize {
        let (mut now, mut sent) = (from, 0);
        loop {
            now = budget.next_frame(now);
            if now >= until {
                return sent;
            }
            budget.spend(frame, now);
            sent += frame;
        }
    }

    #[test]
    fn a_minute_of_graphs_over_ssh_fits_into_the_link() {
        let mut budget = Budget::new(true, None, at(0));
        let sent = greedy(&mut budget, 2000, at(0), at(60_000));
        assert!(sent <= 12 * 1024 + 6 * 1024 * 60 + 2000, "{sent}");
        assert!(sent >= 6 * 1024 * 59, "and uses it: {sent}");
    }

    #[test]
    fn a_line_that_is_known_to_be_slow_is_sent_no_more_than_it_carries() {
        for over_ssh in [false, true] {
            let mut budget = Budget::new(over_ssh, Some(400), at(0));
            let sent = greedy(&mut budget, 200, at(0), at(60_000));
            assert!((300 * 59..=600 + 300 * 60 + 200).contains(&sent), "{sent}");
            budget.drained(8192, at(1000), at(60_000));
            let sent = greedy(&mut budget, 200, at(60_000), at(120_000));
            assert!(sent <= 300 * 60 + 800, "and measuring raises it never above that: {sent}");
        }
    }

    #[test]
    fn thirty_small_frames_a_second_at_most() {
        let mut budget = Budget::new(false, None, at(0));
        let sent = greedy(&mut budget, 1, at(0), at(10_000));
        assert!((299..=304).contains(&sent), "{sent}");
    }

    #[test]
    fn keys_are_paid_for_by_the_graphs() {
        let mut budget = Budget::new(true, None, at(0));
        budget.spend(12 * 1024, at(0));
        budget.spend(6 * 1024, at(10));
        let next = budget.next_frame(at(20));
        assert!(next > at(900) && next < at(1100), "{next:?}");
    }

    #[test]
    fn a_slow_reader_lowers_the_rate_and_a_quick_one_raises_it_again() {
        let mut budget = Budget::new(false, None, at(0));
        budget.drained(8192, at(1000), at(1000));
        assert_eq!(budget.next_frame(at(1000)), at(2000), "the queue is seen first");
        let sent = greedy(&mut budget, 1000, at(2000), at(4000));
        assert!(sent < 8192 * 3, "{sent}");
        let sent = greedy(&mut budget, 1000, at(60_000), at(61_000));
        assert!(sent > 29_000, "only the frames are limited: {sent}");
    }
}
