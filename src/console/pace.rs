//! How often this console asks each other system: a pause after each failure, and a budget for each minute.
//!
//! Hides how a pause grows, and that a system which fails is asked one thing at a time until it takes something.
//!
//! Invariant: whatever a system answers, it is asked at most [`MOST_A_MINUTE`] times in any minute, never before a pause that it asked for is over,
//! and ever more seldom while it takes nothing.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::CleanStr;

/// The most errands to one system in any minute.
pub(super) const MOST_A_MINUTE: usize = 40;
const MINUTE: TimeDelta = TimeDelta::seconds(60);
/// The pause grows to this …
const LONG: TimeDelta = TimeDelta::seconds(60);
/// … and, after this many failures in a row, to five times as much.
const MANY: u32 = 60;

/// When a system may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Free {
    /// Now.
    Now,
    /// Not before this.
    At(DateTime<Utc>),
    /// Once it has answered what is under way.
    AfterAnswer,
}

/// All systems that were asked.
#[derive(Debug, Default)]
pub(super) struct Pace {
    systems: BTreeMap<CleanStr, System>,
}

#[derive(Debug, Default)]
struct System {
    /// When it was asked within the last minute, the oldest first.
    asked: VecDeque<DateTime<Utc>>,
    /// How often in a row it took nothing.
    failures: u32,
    /// From when until when it is left alone.
    pause: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Pace {
    /// When a system may be asked, of which so many answers are awaited.
    pub(super) fn free(&self, service: &CleanStr, now: DateTime<Utc>, awaited: usize) -> Free {
        let Some(system) = self.systems.get(service) else { return Free::Now };
        if let Some(until) = self.paused(service, now) {
            return Free::At(until);
        }
        if system.failures > 0 && awaited > 0 {
            return Free::AfterAnswer;
        }
        // After a clock was set back, what lies ahead of it was no minute ago.
        let mut recent = system.asked.iter().filter(|at| (now - MINUTE..=now).contains(*at));
        match recent.clone().count() >= MOST_A_MINUTE {
            true => Free::At(*recent.next().unwrap_or(&now) + MINUTE + TimeDelta::milliseconds(1)),
            false => Free::Now,
        }
    }

    /// Until when a system is left alone.
    pub(super) fn paused(&self, service: &CleanStr, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (from, until) = self.systems.get(service)?.pause?;
        (from..until).contains(&now).then_some(until)
    }

    /// It is asked now.
    pub(super) fn asked(&mut self, service: &CleanStr, now: DateTime<Utc>) {
        let system = self.systems.entry(service.clone()).or_default();
        system.asked.push_back(now);
        if system.asked.len() > MOST_A_MINUTE {
            system.asked.pop_front();
        }
    }

    /// It took something.
    pub(super) fn went_well(&mut self, service: &CleanStr) {
        if let Some(system) = self.systems.get_mut(service) {
            system.failures = 0;
        }
    }

    /// It took nothing, whatever it said instead.
    pub(super) fn failed(&mut self, service: &CleanStr, now: DateTime<Utc>) {
        let failures = {
            let system = self.systems.entry(service.clone()).or_default();
            system.failures = system.failures.saturating_add(1);
            system.failures
        };
        let longest = if failures > MANY { LONG * 5 } else { LONG };
        let pause = (TimeDelta::seconds(1) * 2_i32.pow((failures - 1).min(9))).min(longest);
        let spread = service.bytes().fold(failures, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
        self.rest(service, now, jittered(pause, u64::from(spread)));
    }

    /// It wants to be left alone for so long.
    pub(super) fn rest(&mut self, service: &CleanStr, now: DateTime<Utc>, wait: TimeDelta) {
        let until = self.paused(service, now).map_or(now + wait, |until| until.max(now + wait));
        self.systems.entry(service.clone()).or_default().pause = Some((now, until));
    }
}

/// A pause and up to a quarter more, so that all that wait do not come back at once.
pub(super) fn jittered(pause: TimeDelta, seed: u64) -> TimeDelta {
    let share = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) % 250;
    pause + TimeDelta::milliseconds(pause.num_milliseconds() * share as i64 / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::tests::at;

    proptest::proptest! {
        /// Whatever is answered and however fast, in no minute is a system asked more often than its budget allows.
        #[test]
        fn no_answer_makes_a_console_ask_more_often_than_its_budget(
            answers in proptest::collection::vec((0_u8..4, 0_i64..3_000), 1..400)
        ) {
            let (mut pace, service, mut now, mut asked) = (Pace::default(), CleanStr::new("slack"), at(0), Vec::new());
            for (answer, passed) in answers {
                now += TimeDelta::milliseconds(passed);
                while pace.free(&service, now, 0) == Free::Now {
                    pace.asked(&service, now);
                    asked.push(now);
                    match answer {
                        0 => pace.went_well(&service),
                        1 => pace.failed(&service, now),
                        2 => pace.rest(&service, now, TimeDelta::seconds(30)),
                        _ => {}
                    }
                }
                // Whoever waits as long as it says is let through: after the pause, and then after the minute.
                let mut later = now;
                for _ in 0..3 {
                    if let Free::At(at) = pace.free(&service, later, 0) {
                        proptest::prop_assert!(at > later);
                        later = at;
                    }
                }
                proptest::prop_assert_eq!(pace.free(&service, later, 0), Free::Now);
            }
            for (place, at) in asked.iter().enumerate() {
                let within = asked[place..].iter().take_while(|other| **other - *at <= MINUTE).count();
                proptest::prop_assert!(within <= MOST_A_MINUTE, "{within}");
            }
        }
    }

    #[test]
    fn a_system_that_takes_nothing_is_asked_ever_more_seldom_and_at_once_when_it_takes_something() {
        let (mut pace, service, mut now) = (Pace::default(), CleanStr::new("slack"), at(0));
        let mut pauses = Vec::new();
        for _ in 0..70 {
            pace.failed(&service, now);
            let until = pace.paused(&service, now).unwrap();
            pauses.push((until - now).num_seconds());
            now = until;
        }
        assert!(pauses[..6].is_sorted() && pauses[0] == 1, "{pauses:?}");
        assert!(pauses[7..60].iter().all(|pause| (60..=75).contains(pause)), "{pauses:?}");
        assert!(pauses[61..].iter().all(|pause| (300..=375).contains(pause)), "{pauses:?}");
        assert_eq!(pace.free(&service, now, 1), Free::AfterAnswer, "one thing at a time");
        pace.went_well(&service);
        assert_eq!(pace.free(&service, now, 1), Free::Now);
    }

    #[test]
    fn a_pause_that_was_asked_for_holds_however_long_and_ends_with_a_clock_that_was_set_back() {
        let (mut pace, service) = (Pace::default(), CleanStr::new("jira"));
        pace.rest(&service, at(0), TimeDelta::hours(30));
        pace.failed(&service, at(0));
        assert_eq!(pace.free(&service, at(60), 0), Free::At(at(30 * 3600)));
        assert_eq!(pace.free(&service, at(-60), 0), Free::Now);
        assert_eq!(pace.free(&CleanStr::new("slack"), at(60), 0), Free::Now, "others go on");
    }
}
