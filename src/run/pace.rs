//! Tells what a person types from what arrives at once.
//!
//! A paste without brackets, and what was typed while nothing could be shown, come as keys like any others. Nobody presses four different keys in a
//! twentieth of a second, so that many are called a flood, and a flood confirms nothing.
//!
//! Invariant: the same key again and again is no flood: a held arrow over a slow link comes like that.

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{Event, KeyEvent};

/// So many keys …
const KEYS: usize = 4;
/// … within so long are more than a person presses.
const WITHIN: Duration = Duration::from_millis(50);

/// The last keys and when they came.
#[derive(Debug, Default)]
pub struct Pace {
    last: VecDeque<(Duration, KeyEvent)>,
}

impl Pace {
    /// Takes what was read at once; says whether it belongs to a flood.
    pub fn take(&mut self, events: &[Event], now: Duration) -> bool {
        let mut is_flood = false;
        for event in events {
            let Event::Key(key) = event else { continue };
            self.last.push_back((now, *key));
            while self.last.len() > KEYS {
                self.last.pop_front();
            }
            let came_at_once = self.last.front().is_some_and(|(at, _)| now.saturating_sub(*at) <= WITHIN);
            let differ = self.last.iter().any(|(_, one)| one.code != key.code);
            is_flood |= self.last.len() == KEYS && came_at_once && differ;
        }
        is_flood
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::{KeyCode, KeyModifiers};

    fn keys(text: &str) -> Vec<Event> {
        text.chars().map(|letter| Event::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE))).collect()
    }

    #[test]
    fn what_comes_at_once_is_a_flood_and_what_a_person_types_or_holds_down_is_not() {
        let at = Duration::from_millis;
        assert!(Pace::default().take(&keys("alipay"), at(0)));
        assert!(!Pace::default().take(&keys("jjjjjjjj"), at(0)), "a held key");
        assert!(!Pace::default().take(&keys("ali"), at(0)), "three fingers");
        let mut pasted = Pace::default();
        let pieces: Vec<bool> =
            keys("alipay").iter().zip(0..).map(|(key, n)| pasted.take(std::slice::from_ref(key), at(n))).collect();
        assert_eq!(pieces, [false, false, false, true, true, true], "however it was cut into reads");
        let mut typed = Pace::default();
        for (key, n) in keys("the fastest typist of all").iter().zip(0..) {
            assert!(!typed.take(std::slice::from_ref(key), at(n * 40)), "25 keys a second");
        }
    }
}
