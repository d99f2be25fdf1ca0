//! Numbers as people read them: with a unit, as short as they may be, and never two numbers in one text.
//!
//! Hides scales (µs to days, KiB, SI prefixes to E), how many digits a number needs, and what is said of what is no number.
//!
//! Invariant: of two numbers that [`Unit::beside`] shows together the texts are equal only if the numbers are, and the greater one never reads as the
//! smaller. [`Unit::show`] alone never shows zero for what is not zero.

use super::Unit;

/// Digits of a number that stands alone; below one of its scale it has one less.
const DIGITS: usize = 3;
/// More digits than this are not tried: then both numbers stand as they came.
const MOST_DIGITS: usize = 12;
/// What a kernel gives for "no limit": 2^64 − 1, and 2^63 − 1 down to whole pages.
const ENDLESS: [f64; 3] = [18_446_744_073_709_551_615.0, 9_223_372_036_854_775_807.0, 9_223_372_036_854_771_712.0];

impl Unit {
    /// A value for people, with its unit.
    pub fn show(self, value: f64) -> String {
        self.words(value).unwrap_or_else(|| self.rounded(value, 0).0)
    }

    /// A value and its limit, with as many digits as tell them apart.
    pub fn beside(self, value: f64, limit: f64) -> (String, String) {
        let (Some(order), None, None) = (value.partial_cmp(&limit), self.words(value), self.words(limit)) else {
            return (self.show(value), self.show(limit));
        };
        let mut apart = None;
        for more in 0..=MOST_DIGITS - DIGITS {
            let (one, other) = (self.rounded(value, more), self.rounded(limit, more));
            if (one.0 == other.0) != order.is_eq() || one.1.partial_cmp(&other.1) != Some(order) {
                continue;
            }
            // A limit of 99.995 % is not to read 100.0 %: it has the digits with which it was written, if these are not many.
            if (other.1 - limit).abs() <= limit.abs() * 1e-9 {
                return (one.0, other.0);
            }
            apart = apart.or(Some((one.0, other.0)));
        }
        apart.unwrap_or_else(|| (self.exact(value), self.exact(limit)))
    }

    /// What is no number, or stands for no limit, in words.
    fn words(self, value: f64) -> Option<String> {
        if value.is_nan() {
            return Some("not a number".to_owned());
        }
        if value.is_infinite() {
            return Some(if value > 0.0 { "infinite" } else { "minus infinite" }.to_owned());
        }
        let is_endless = match self {
            Self::Count | Self::Bytes => ENDLESS.contains(&value),
            Self::Ratio | Self::Percent | Self::Seconds | Self::PerSecond | Self::BytesPerSecond | Self::Money(_) => {
                false
            }
        };
        is_endless.then(|| "no limit".to_owned())
    }

    /// A number with so many more digits than usual, and the number that this text says.
    fn rounded(self, value: f64, more: usize) -> (String, f64) {
        let digits = DIGITS + more;
        match self {
            Self::Ratio => scaled(value, digits, &[(0.01, " %")]),
            Self::Percent => scaled(value, digits, &[(1.0, " %")]),
            Self::Seconds => scaled(value, digits, SECONDS),
            Self::Count => counted(value, digits, ""),
            Self::PerSecond => counted(value, digits, "/s"),
            Self::Bytes => scaled(value, digits, BYTES),
            Self::BytesPerSecond => {
                let (text, shown) = scaled(value, digits, BYTES);
                (format!("{text}/s"), shown)
            }
            Self::Money(currency) => counted(value, digits, &format!(" {currency}")),
        }
    }

    /// Its name in a file.
    pub(super) fn name(self) -> String {
        match self {
            Self::Ratio => "ratio".to_owned(),
            Self::Percent => "percent".to_owned(),
            Self::Seconds => "seconds".to_owned(),
            Self::Count => "count".to_owned(),
            Self::PerSecond => "per-second".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::BytesPerSecond => "bytes-per-second".to_owned(),
            Self::Money(currency) => currency.to_string(),
        }
    }

    /// A number as it came, in its own unit.
    fn exact(self, value: f64) -> String {
        let unit = match self {
            Self::Ratio => " (of 1)".to_owned(),
            Self::Percent => " %".to_owned(),
            Self::Seconds => " s".to_owned(),
            Self::Count => String::new(),
            Self::PerSecond => "/s".to_owned(),
            Self::Bytes => " B".to_owned(),
            Self::BytesPerSecond => " B/s".to_owned(),
            Self::Money(currency) => format!(" {currency}"),
        };
        format!("{}{unit}", plain(value))
    }
}

/// A number in the fewest digits that say it exactly.
pub fn plain(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-5..1e16).contains(&size) { format!("{value}") } else { format!("{value:e}") }
}

type Scale = (f64, &'static str);

const SECONDS: &[Scale] =
    &[(86_400.0, " d"), (3_600.0, " h"), (60.0, " min"), (1.0, " s"), (1e-3, " ms"), (1e-6, " µs"), (1e-9, " ns")];
const BYTES: &[Scale] = &[
    (1_152_921_504_606_846_976.0, " EiB"),
    (1_125_899_906_842_624.0, " PiB"),
    (1_099_511_627_776.0, " TiB"),
    (1_073_741_824.0, " GiB"),
    (1_048_576.0, " MiB"),
    (1_024.0, " KiB"),
    (1.0, " B"),
];
const COUNTS: &[Scale] = &[(1e18, " E"), (1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k"), (1.0, "")];

/// From this number on counts have a prefix.
const FIRST_PREFIX: f64 = 1e4;
/// From so many of a larger unit of time on, that unit is used: 119 s, but 2.00 min.
const FROM: [(f64, f64); 3] = [(60.0, 120.0), (3_600.0, 7_200.0), (86_400.0, 172_800.0)];

/// A whole number below the first prefix stands as it is.
fn counted(value: f64, digits: usize, unit: &str) -> (String, f64) {
    if value.fract() == 0.0 && value.abs() < FIRST_PREFIX {
        return (format!("{}{unit}", value + 0.0), value);
    }
    let (text, shown) = scaled(value, digits, COUNTS);
    (format!("{text}{unit}"), shown)
}

/// A number in the largest of some scales that it reaches once it is rounded.
fn scaled(value: f64, digits: usize, scales: &[Scale]) -> (String, f64) {
    let least = scales.last().map_or(1.0, |scale| scale.0);
    let size = round(value, digits).abs();
    let reaches = |scale: f64| {
        let from = FROM.iter().find(|(known, _)| *known == scale).filter(|_| scales.len() == SECONDS.len());
        let from = from.map_or(scale, |(_, from)| *from);
        size >= if scale == 1e3 { FIRST_PREFIX } else { from }
    };
    let (scale, unit) = scales
        .iter()
        .copied()
        // Nothing at all is said in the unit itself: 0 s.
        .find(|(scale, _)| if value == 0.0 { *scale == 1.0 } else { reaches(*scale) })
        .unwrap_or((least, scales.last().map_or("", |scale| scale.1)));
    let inner = divided(value, scale);
    if !inner.is_finite() {
        // A share of 10^307 has no percentage.
        let text = format!("{value:.*e}", digits - 1);
        let shown = text.parse().unwrap_or(value);
        return (format!("{text} (of 1)"), shown);
    }
    let (text, mantissa) = mantissa(inner, digits);
    (format!("{text}{unit}"), mantissa * scale)
}

/// Divides by a scale; a power of ten is multiplied by instead, which is closer.
fn divided(value: f64, scale: f64) -> f64 {
    if scale < 1.0 { value * (1.0 / scale).round() } else { value / scale }
}

/// A number in its scale: no digits behind the point from a hundred on, one from ten on, else two; more where it is smaller, and where more are wanted.
fn mantissa(value: f64, digits: usize) -> (String, f64) {
    let size = round(value, digits).abs();
    if size == 0.0 {
        return ("0".to_owned(), 0.0);
    }
    let whole = (size.log10().floor() as i32).saturating_add(1);
    if !(-3..=6).contains(&whole) {
        let text = format!("{:.*e}", digits - 1, value);
        let shown = text.parse().unwrap_or(value);
        return (text, shown);
    }
    let behind = match whole {
        whole if whole >= 1 => digits as i32 - whole,
        // One digit less: 0.50, 0.0032.
        whole => digits as i32 - 1 - whole,
    };
    let text = format!("{value:.*}", behind.max(0) as usize);
    let shown = text.parse().unwrap_or(value);
    (text, shown)
}

/// A number with so many digits.
fn round(value: f64, digits: usize) -> f64 {
    format!("{value:.*e}", digits.max(1) - 1).parse().unwrap_or(value)
}

/// Reads a number with a unit as people write it into a file: `99.95%`, `512MiB`, `250ms`, `1.5k`; and which kind of unit it had.
pub fn read(text: &str) -> Result<(f64, Option<Written>), String> {
    let text = text.trim();
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || ".+-_eE".contains(letter))).unwrap_or(text.len());
    // `1e3` is a number, `1EiB` is not.
    let cut = (0..=end).rev().filter(|cut| text.is_char_boundary(*cut));
    let split = cut.into_iter().find_map(|cut| {
        let number: f64 = text[..cut].replace('_', "").parse().ok()?;
        Some((number, text[cut..].trim()))
    });
    let Some((number, unit)) = split.filter(|(number, _)| number.is_finite()) else {
        return Err(format!("`{text}` is no number: write one such as 0.8, \"99.95%\", \"512MiB\" or \"250ms\""));
    };
    let known = match unit {
        "" => return Ok((number, None)),
        "%" => (0.01, Written::Share),
        "ns" => (1e-9, Written::Time),
        "us" | "µs" => (1e-6, Written::Time),
        "ms" => (1e-3, Written::Time),
        "s" => (1.0, Written::Time),
        "m" | "min" => (60.0, Written::Time),
        "h" => (3_600.0, Written::Time),
        "d" => (86_400.0, Written::Time),
        "B" => (1.0, Written::Bytes),
        "k" => (1e3, Written::Count),
        "M" => (1e6, Written::Count),
        "G" => (1e9, Written::Count),
        "T" => (1e12, Written::Count),
        _ => {
            let bytes = ["K", "M", "G", "T", "P", "E"].iter().zip(1..).find_map(|(prefix, power)| {
                let rest =
                    unit.strip_prefix(prefix).or_else(|| (*prefix == "K").then(|| unit.strip_prefix('k')).flatten())?;
                match rest {
                    "iB" | "i" => Some(1024_f64.powi(power)),
                    "B" => Some(1000_f64.powi(power)),
                    _ => None,
                }
            });
            let Some(bytes) = bytes else {
                return Err(format!(
                    "`{unit}` is no unit of `{text}`: %, ns, us, ms, s, min, h, d, B, KiB … EiB, kB … EB, k, M, G or T"
                ));
            };
            (bytes, Written::Bytes)
        }
    };
    // A division by a power of ten is the closest to what is written: 99.95 % is 0.9995.
    let value = if known.0 < 1.0 { number / (1.0 / known.0).round() } else { number * known.0 };
    Ok((value, Some(known.1)))
}

/// Which kind of unit stood behind a number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// `%`.
    Share,
    /// A time.
    Time,
    /// A size.
    Bytes,
    /// A prefix alone.
    Count,
}

impl Written {
    /// Whether a value of a unit can be written like this.
    pub fn fits(self, unit: Unit) -> bool {
        match unit {
            Unit::Ratio | Unit::Percent => self == Self::Share,
            Unit::Seconds => self == Self::Time,
            Unit::Bytes | Unit::BytesPerSecond => matches!(self, Self::Bytes | Self::Count),
            Unit::Count | Unit::PerSecond | Unit::Money(_) => self == Self::Count,
        }
    }
}
