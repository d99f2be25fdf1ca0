//! What a value is expected to be: a comparison and a number, such as `< 0.8`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::slo::Side;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Below.
    Less,
    /// Below, or just so.
    AtMost,
    /// Above.
    More,
    /// Above, or just so.
    AtLeast,
    /// Just so.
    Equal,
}

const SIGNS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

/// What a value is expected to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expectation {
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: f64,
}

impl Expectation {
    /// Which values are good.
    pub fn side(self) -> Side {
        match self.comparison {
            Comparison::Less => Side::Below,
            Comparison::AtMost => Side::AtMost,
            Comparison::Equal => Side::Equal(self.value),
            Comparison::More => Side::Above,
            Comparison::AtLeast => Side::AtLeast,
        }
    }

    /// Whether a value is as expected; what is no number never is.
    pub fn holds(self, value: f64) -> bool {
        match self.comparison {
            Comparison::Less => value < self.value,
            Comparison::AtMost => value <= self.value,
            Comparison::More => value > self.value,
            Comparison::AtLeast => value >= self.value,
            Comparison::Equal => (value - self.value).abs() <= f64::EPSILON * self.value.abs().max(1.0),
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = SIGNS.iter().find(|(_, comparison)| *comparison == self.comparison).map_or("", |(sign, _)| sign);
        write!(out, "{sign} {}", self.value)
    }
}

impl FromStr for Expectation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no expectation: write <, <=, ==, >= or > and a number, such as `< 0.8`");
        let text = text.trim();
        let (sign, comparison) = SIGNS.into_iter().find(|(sign, _)| text.starts_with(sign)).ok_or_else(wrong)?;
        let value: f64 = text[sign.len()..].trim().parse().map_err(|_| wrong())?;
        if value.is_finite() { Ok(Self { comparison, value }) } else { Err(wrong()) }
    }
}

impl<'de> Deserialize<'de> for Expectation {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expectation_reads_as_it_is_written() {
        for (text, below, above) in
            [("< 0.8", true, false), ("<=1", true, false), (">= 30", false, true), ("> 1", false, true)]
        {
            let expectation: Expectation = text.parse().unwrap();
            assert_eq!((expectation.holds(0.1), expectation.holds(100.0)), (below, above), "{text}");
            assert!(!expectation.holds(f64::NAN), "{text}");
            assert_eq!(expectation.to_string().parse::<Expectation>().unwrap(), expectation);
        }
        assert!("== 0".parse::<Expectation>().unwrap().holds(0.0));
        for wrong in ["0.8", "< x", "", "=< 1", "< inf", "!= 1"] {
            assert!(wrong.parse::<Expectation>().unwrap_err().contains("write <, <=, ==, >= or >"), "{wrong}");
        }
    }
}
