//! Lengths of time as PromQL writes them: `500ms`, `15m`, `1d12h`.
//!
//! Hides the syntax, which config, playbooks, exercises and queries share, so that `5m` means the same in all of them.
//!
//! Invariant: what is shown parses to the same length; a length is never negative.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::CleanStr;

/// The units, the longest first; each may stand once, in this order.
const UNITS: [(&str, i64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
/// A century: longer than anything that is meant, and far from where arithmetic with dates ends.
const LONGEST: i64 = 100 * 365 * 86_400_000;

/// A length of time, zero or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lapse(TimeDelta);

/// A text that is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no length of time: write numbers with units, the longest first, such as 500ms, 15m or 1d12h (y w d h m s ms)"
)]
pub struct NotALapse(pub CleanStr);

impl Lapse {
    /// A length of whole seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self(TimeDelta::seconds(seconds as i64))
    }

    /// The length in seconds.
    pub fn as_seconds(self) -> f64 {
        self.0.num_milliseconds() as f64 / 1000.0
    }

    /// So many times as long; no longer than a century.
    pub fn times(self, count: i64) -> Self {
        Self(TimeDelta::milliseconds(self.0.num_milliseconds().saturating_mul(count).min(LONGEST)))
    }

    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Lapse> for TimeDelta {
    fn from(lapse: Lapse) -> Self {
        lapse.0
    }
}

impl Deref for Lapse {
    type Target = TimeDelta;

    fn deref(&self) -> &TimeDelta {
        &self.0
    }
}

impl FromStr for Lapse {
    type Err = NotALapse;

    fn from_str(text: &str) -> Result<Self, NotALapse> {
        if text == "0" {
            return Ok(Self::default());
        }
        milliseconds(text)
            .map(|total| Self(TimeDelta::milliseconds(total)))
            .ok_or_else(|| NotALapse(CleanStr::new(super::fit(text, 40).as_ref())))
    }
}

fn milliseconds(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (_, size) = units.find(|(unit, _)| *unit == &rest[..letters])?;
        rest = &rest[letters..];
        total = total.checked_add(number.checked_mul(*size)?)?;
    }
    (!text.is_empty() && total <= LONGEST).then_some(total)
}

impl fmt::Display for Lapse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.num_milliseconds();
        if rest == 0 {
            return out.pad("0s");
        }
        let mut text = String::new();
        for (unit, size) in UNITS {
            if rest >= size {
                text += &format!("{}{unit}", rest / size);
                rest %= size;
            }
        }
        out.pad(&text)
    }
}

impl Serialize for Lapse {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lapse {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A moment told from another one: `-4m` is four minutes before it, `90s` one and a half after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Offset(pub TimeDelta);

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(input)?;
        let (size, sign) = text.strip_prefix('-').map_or((&*text, 1), |size| (size, -1));
        let lapse: Lapse = size.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(*lapse * sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_length_of_time_is_written_the_way_promql_writes_it() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("15s", 15_000),
            ("5m", 300_000),
            ("1d12h", 129_600_000),
            ("1h30m15s", 5_415_000),
            ("2w", 1_209_600_000),
            ("1y", 31_536_000_000),
            ("0s", 0),
            ("0", 0),
        ] {
            assert_eq!(text.parse::<Lapse>().unwrap().num_milliseconds(), milliseconds, "{text}");
        }
        for wrong in
            ["", "5", "m", "5 m", "-5m", "5m1h", "1m1m", "5M", "1.5h", "99999999999999999y", "101y", "5µs", "５m"]
        {
            let refusal = wrong.parse::<Lapse>().unwrap_err().to_string();
            assert!(refusal.contains("1d12h"), "{wrong}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(milliseconds in 0..LONGEST) {
            let lapse = Lapse(TimeDelta::milliseconds(milliseconds));
            prop_assert_eq!(lapse.to_string().parse(), Ok(lapse));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*", near in "[0-9ywdhms]{0,12}") {
            let _ = (text.parse::<Lapse>(), near.parse::<Lapse>());
        }
    }
}
