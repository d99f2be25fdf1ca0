//! An objective as it stands in a file.
//!
//! Hides the two ways to write a limit, and numbers with units.

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::number::{self, Written as Kind};
use super::{Absent, Objective, ObjectiveKind, Side, Unit, five_minutes};
use crate::text::CleanStr;
use crate::text::duration::Lapse;

/// All that may be written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Written {
    id: CleanStr,
    title: CleanStr,
    kind: ObjectiveKind,
    expr: String,
    #[serde(default)]
    target: Option<Amount>,
    unit: Unit,
    #[serde(default)]
    side: Option<OldSide>,
    #[serde(default)]
    limit: Option<CleanStr>,
    #[serde(default = "five_minutes")]
    window: CleanStr,
    #[serde(default)]
    absent: Absent,
    #[serde(default)]
    every: Option<Lapse>,
    #[serde(default)]
    lag: Option<Lapse>,
}

/// On which side of the target values are good; the target itself is, too.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OldSide {
    Below,
    Above,
}

/// A number, or a text of one with its unit.
struct Amount {
    value: f64,
    kind: Option<Kind>,
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Amount;
            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a number, or a text such as \"99.95%\" or \"512MiB\"")
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<Amount, E> {
                Ok(Amount { value: value as f64, kind: None })
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<Amount, E> {
                Ok(Amount { value: value as f64, kind: None })
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<Amount, E> {
                Ok(Amount { value, kind: None })
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                let (value, kind) = number::read(text).map_err(E::custom)?;
                Ok(Amount { value, kind })
            }
        }
        input.deserialize_any(Read)
    }
}

impl Amount {
    /// The number in the measure of a unit.
    fn in_unit(self, unit: Unit) -> Result<f64, String> {
        match self.kind {
            Some(kind) if !kind.fits(unit) => {
                Err(format!("the limit has a unit that `{unit}` does not have", unit = unit.name()))
            }
            Some(Kind::Share) if unit == Unit::Percent => Ok(self.value * 100.0),
            Some(_) | None => Ok(self.value),
        }
    }
}

impl TryFrom<Written> for Objective {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { id, title, kind, expr, target, unit, side, limit, window, absent, every, lag } = written;
        let (target, side) = match (target, side, limit) {
            (Some(target), side, None) => {
                let side = match side {
                    Some(OldSide::Below) | None => Side::AtMost,
                    Some(OldSide::Above) => Side::AtLeast,
                };
                (target.in_unit(unit)?, side)
            }
            (None, None, Some(limit)) if kind == ObjectiveKind::Threshold => meant(&limit, unit)?,
            (None, None, Some(_)) => {
                return Err("a ratio objective has a `target`, the share of good events".to_owned());
            }
            (None, _, None) => return Err("missing field `target`: the promise, such as 0.995 or \"250ms\"".to_owned()),
            (_, _, Some(_)) => return Err("`limit` says all: leave out `target` and `side`".to_owned()),
        };
        Ok(Self { id, title, kind, expr, target, unit, side, window, absent, every, lag })
    }
}

/// A limit as it is meant.
fn meant(text: &str, unit: Unit) -> Result<(f64, Side), String> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let amount = |text: &str| {
        let (value, kind) = number::read(text)?;
        Amount { value, kind }.in_unit(unit)
    };
    let one = || amount(rest);
    Ok(match word {
        "below" => (one()?, Side::Below),
        "at-most" => (one()?, Side::AtMost),
        "above" => (one()?, Side::Above),
        "at-least" => (one()?, Side::AtLeast),
        "equal" => {
            let only = one()?;
            (only, Side::Equal(only))
        }
        "between" => {
            let Some((from, to)) = rest.split_once(" and ") else {
                return Err(format!("`{text}` has no two ends: write `between 2 and 8`"));
            };
            let (from, to) = (amount(from)?, amount(to)?);
            if from > to {
                return Err(format!("`{text}` holds nothing: the lower end comes first"));
            }
            (to, Side::Between { from, to })
        }
        _ => {
            return Err(format!(
                "`{text}` is no limit: write below, at-most, above, at-least or equal and a number, or `between 2 and 8`"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(unit: &str, rest: &str) -> Result<(f64, Side), String> {
        let text =
            format!("id = \"x\"\ntitle = \"x\"\nkind = \"threshold\"\nexpr = \"x\"\nunit = \"{unit}\"\n{rest}\n");
        toml::from_str::<Objective>(&text).map(|one| (one.target, one.side)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        for (unit, rest, target, side) in [
            ("count", "target = 0", 0.0, Side::AtMost),
            ("count", "target = 1\nside = \"above\"", 1.0, Side::AtLeast),
            ("count", "limit = \"below 10k\"", 10_000.0, Side::Below),
            ("bytes", "limit = \"at-most 512MiB\"", 536_870_912.0, Side::AtMost),
            ("ratio", "limit = \"at-least 99.95%\"", 0.9995, Side::AtLeast),
            ("ratio", "target = \"99.95%\"", 0.9995, Side::AtMost),
            ("percent", "limit = \"below 80%\"", 80.0, Side::Below),
            ("seconds", "limit = \"between 10ms and 250ms\"", 0.25, Side::Between { from: 0.01, to: 0.25 }),
            ("count", "limit = \"equal -3\"", -3.0, Side::Equal(-3.0)),
            ("EUR", "limit = \"above 0\"", 0.0, Side::Above),
        ] {
            assert_eq!(objective(unit, rest), Ok((target, side)), "{unit} {rest}");
        }
        for (unit, rest, why) in [
            ("seconds", "target = \"512MiB\"", "the limit has a unit that `seconds` does not have"),
            ("count", "limit = \"under 3\"", "is no limit"),
            ("count", "limit = \"between 8 and 2\"", "the lower end comes first"),
            ("count", "limit = \"below 3\"\ntarget = 3", "`limit` says all"),
            ("count", "", "missing field `target`"),
            ("furlongs", "target = 1", "unknown unit `furlongs`"),
        ] {
            let said = objective(unit, rest).unwrap_err();
            assert!(said.contains(why), "{unit} {rest}: {said}");
        }
    }
}
