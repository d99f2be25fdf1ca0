//! Whether the terminal's ground is dark or light.
//!
//! Hides in how many ways a terminal says so: a variable that some set, and an answer (OSC 11) that most give.
//!
//! Invariant: what cannot be understood decides nothing.

use super::BuiltIn;

/// The question for the colour of the ground; terminals that do not know it keep quiet.
pub const ASK: &[u8] = b"\x1b]11;?\x1b\\";

/// The ground of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Light letters on it.
    Dark,
    /// Dark letters on it.
    Light,
}

impl Ground {
    /// What `COLORFGBG` says: `15;0`, or with a third part in the middle; the last one is the ground.
    pub fn of_variable(value: &str) -> Option<Self> {
        let number: u8 = value.rsplit(';').next().filter(|_| value.contains(';'))?.trim().parse().ok()?;
        match number {
            // White and the light half, of which 8 is a dark gray.
            7 | 9..=15 => Some(Self::Light),
            0..=6 | 8 => Some(Self::Dark),
            16.. => None,
        }
    }

    /// What the answer to [`ASK`] says, without its brackets: `11;rgb:ffff/ffff/ffff`, also `rgba:` and `#ffffff`.
    pub fn of_answer(answer: &[u8]) -> Option<Self> {
        let colour = std::str::from_utf8(answer).ok()?.strip_prefix("11;")?.trim();
        let parts: Vec<String> = match colour.strip_prefix('#') {
            Some(hex) if hex.len().is_multiple_of(3) && hex.is_ascii() && !hex.is_empty() => {
                let size = hex.len() / 3;
                (0..3).map(|place| hex[place * size..(place + 1) * size].to_owned()).collect()
            }
            Some(_) => return None,
            None => {
                let numbers = colour.strip_prefix("rgb:").or_else(|| colour.strip_prefix("rgba:"))?;
                numbers.split('/').take(3).map(str::to_owned).collect()
            }
        };
        let part = |text: &String| {
            let most =
                16_u32.checked_pow(u32::try_from(text.len()).ok()?).filter(|most| (16..=65536).contains(most))? - 1;
            Some(f64::from(u32::from_str_radix(text, 16).ok()?) / f64::from(most))
        };
        let [red, green, blue] = parts.iter().map(part).collect::<Option<Vec<_>>>()?.try_into().ok()?;
        // Of equal parts green is the brightest and blue the darkest to the eye.
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        Some(if luma > 0.5 { Self::Light } else { Self::Dark })
    }

    /// The theme that is legible on it.
    pub fn theme(self) -> BuiltIn {
        match self {
            Self::Dark => BuiltIn::Dark,
            Self::Light => BuiltIn::Light,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_says_in_many_ways_whether_it_is_light() {
        use Ground::{Dark, Light};
        for (said, ground) in [
            ("11;rgb:ffff/ffff/ffff", Some(Light)),
            ("11;rgb:fd/f6/e3", Some(Light)),
            ("11;rgb:0000/2b2b/3636", Some(Dark)),
            ("11;rgba:0000/0000/0000/cccc", Some(Dark)),
            ("11;#fdf6e3", Some(Light)),
            ("11;#123", Some(Dark)),
            ("11;rgb:f/f/f", Some(Light)),
            ("10;rgb:ffff/ffff/ffff", None),
            ("11;rgb:ffff/ffff", None),
            ("11;rgb:zzzz/ffff/ffff", None),
            ("11;rgb:fffff/ffff/ffff", None),
            ("11;#äöü", None),
            ("11;?", None),
            ("", None),
        ] {
            assert_eq!(Ground::of_answer(said.as_bytes()), ground, "{said}");
        }
        for (said, ground) in [
            ("15;0", Some(Dark)),
            ("0;15", Some(Light)),
            ("0;default;7", Some(Light)),
            ("7;8", Some(Dark)),
            ("12;default", None),
            ("15", None),
            ("", None),
        ] {
            assert_eq!(Ground::of_variable(said), ground, "{said}");
        }
    }
}
