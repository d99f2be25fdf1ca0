//! How a role looks, as a person writes it: `"light-red on black bold"`.
//!
//! Hides what a terminal can show: a colour that it has not becomes the nearest one that it has.
//!
//! Invariant: a style made for a [`Depth`] holds no colour beyond it.

use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::Family;

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// None, or the person wants none (`NO_COLOR`).
    NoColour,
    /// The sixteen named ones.
    #[default]
    Sixteen,
    /// The 256 of the xterm palette.
    Palette,
    /// Any.
    Full,
}

impl Depth {
    /// What the environment says of the terminal: `NO_COLOR` (set and not empty), `COLORTERM` and `TERM`.
    pub fn of(no_color: Option<&str>, colorterm: Option<&str>, term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        let most = Family::named(Some(term)).most_colours();
        if no_color.is_some_and(|value| !value.is_empty()) || most == Self::NoColour {
            Self::NoColour
        } else if most == Self::Sixteen {
            // What a login inherits from another terminal is not what this one has.
            Self::Sixteen
        } else if matches!(colorterm, Some("truecolor" | "24bit")) {
            Self::Full
        } else if term.contains("256color") && colorterm.is_some_and(|value| !value.is_empty()) {
            Self::Palette
        } else {
            Self::Sixteen
        }
    }
}

/// Colours and emphasis of a role, whatever the terminal can show: `black on yellow`, or with another look for terminals of 256 colours and more behind
/// a bar, `black on yellow | #8a4b00 bold`, because nobody knows how dark the sixteen named ones are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Paint {
    plain: Look,
    rich: Option<Look>,
}

/// One look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Look {
    front: Option<Color>,
    back: Option<Color>,
    emphasis: Modifier,
}

const COLOURS: [(&str, Color, [u8; 3]); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("gray", Color::Gray, [229, 229, 229]),
    ("dark-gray", Color::DarkGray, [127, 127, 127]),
    ("light-red", Color::LightRed, [255, 0, 0]),
    ("light-green", Color::LightGreen, [0, 255, 0]),
    ("light-yellow", Color::LightYellow, [255, 255, 0]),
    ("light-blue", Color::LightBlue, [92, 92, 255]),
    ("light-magenta", Color::LightMagenta, [255, 0, 255]),
    ("light-cyan", Color::LightCyan, [0, 255, 255]),
    ("white", Color::White, [255, 255, 255]),
];

const EMPHASES: [(&str, Modifier); 6] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
    ("strike", Modifier::CROSSED_OUT),
];

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.split_once('|') {
            Some((plain, rich)) => Self { plain: plain.parse()?, rich: Some(rich.parse()?) },
            None => Self { plain: text.parse()?, rich: None },
        })
    }
}

impl FromStr for Look {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut paint = Self::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            if let Some((_, emphasis)) = EMPHASES.iter().find(|(name, _)| *name == word) {
                paint.emphasis |= *emphasis;
            } else if word == "on" {
                let back = words.next().ok_or("a colour is missing after `on`")?;
                paint.back = colour(back)?;
            } else {
                paint.front = colour(word)?;
            }
        }
        Ok(paint)
    }
}

fn colour(word: &str) -> Result<Option<Color>, String> {
    if word == "default" {
        return Ok(None);
    }
    if let Some((_, colour, _)) = COLOURS.iter().find(|(name, ..)| *name == word) {
        return Ok(Some(*colour));
    }
    if let Ok(index) = word.parse() {
        return Ok(Some(Color::Indexed(index)));
    }
    let hex = word.strip_prefix('#').filter(|hex| hex.len() == 6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    if let Some(hex) = hex {
        return Ok(Some(Color::from_u32(hex)));
    }
    let names: Vec<&str> = COLOURS.iter().map(|(name, ..)| *name).collect();
    let emphases: Vec<&str> = EMPHASES.iter().map(|(name, _)| *name).collect();
    Err(format!(
        "`{word}` is neither a colour nor an emphasis: colours are default, {}, #rrggbb and 0 to 255, a ground is written \
         `on COLOUR`; emphases are {}",
        names.join(", "),
        emphases.join(", ")
    ))
}

impl Paint {
    /// The style for a terminal with so many colours.
    pub fn style(self, depth: Depth) -> Style {
        let look = self.rich.filter(|_| depth >= Depth::Palette).unwrap_or(self.plain);
        let shown = |colour: Option<Color>| colour.and_then(|colour| nearest(colour, depth));
        Style { fg: shown(look.front), bg: shown(look.back), ..Style::new().add_modifier(look.emphasis) }
    }
}

fn nearest(colour: Color, depth: Depth) -> Option<Color> {
    let rgb = match colour {
        Color::Rgb(red, green, blue) => [red, green, blue],
        Color::Indexed(index) => of_palette(index),
        named => return (depth > Depth::NoColour).then_some(named),
    };
    match depth {
        Depth::NoColour => None,
        Depth::Full => Some(colour),
        Depth::Palette if matches!(colour, Color::Indexed(_)) => Some(colour),
        Depth::Palette => (16..=255).min_by_key(|index| distance(of_palette(*index), rgb)).map(Color::Indexed),
        Depth::Sixteen => COLOURS.iter().min_by_key(|(.., known)| distance(*known, rgb)).map(|(_, named, _)| *named),
    }
}

/// The usual colours of the xterm palette: sixteen named, a cube of 6 × 6 × 6, 24 greys.
fn of_palette(index: u8) -> [u8; 3] {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        0..=15 => COLOURS[usize::from(index)].2,
        16..=231 => {
            let cube = usize::from(index - 16);
            [LEVELS[cube / 36], LEVELS[cube / 6 % 6], LEVELS[cube % 6]]
        }
        232..=255 => [8 + (index - 232) * 10; 3],
    }
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contrast of a colour on white, by WCAG 2: 4.5 is legible.
    fn contrast_on_white(colour: Color) -> f64 {
        let rgb = match colour {
            Color::Rgb(red, green, blue) => [red, green, blue],
            Color::Indexed(index) => of_palette(index),
            named => COLOURS.iter().find(|(_, known, _)| *known == named).unwrap().2,
        };
        let linear = rgb.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    }

    #[test]
    fn whatever_the_light_theme_draws_is_legible_on_white() {
        let file: toml::Table = toml::from_str(include_str!("../../themes/light.toml")).unwrap();
        let texts = file.values().flat_map(|value| match value {
            toml::Value::Array(list) => list.clone(),
            other => vec![other.clone()],
        });
        for text in texts.map(|value| value.as_str().unwrap().to_owned()) {
            for depth in [Depth::Sixteen, Depth::Palette, Depth::Full] {
                let style = paint(&text).style(depth);
                let Some(front) = style.fg.filter(|_| style.bg.is_none()) else { continue };
                // How dark the named ones are is the terminal's business; those that are light everywhere are not.
                let least = if matches!(front, Color::Rgb(..) | Color::Indexed(_)) { 4.5 } else { 2.0 };
                assert!(contrast_on_white(front) >= least, "{text} at {depth:?}: {:.1}", contrast_on_white(front));
            }
        }
    }

    #[test]
    fn a_look_behind_the_bar_is_for_terminals_that_have_the_colours() {
        let both = paint("black on yellow | #8a4b00 bold");
        assert_eq!(both.style(Depth::Sixteen), Style::new().fg(Color::Black).bg(Color::Yellow));
        let rich = Style::new().fg(Color::Rgb(0x8a, 0x4b, 0)).add_modifier(Modifier::BOLD);
        assert_eq!(both.style(Depth::Full), rich);
        assert!(Paint::try_from("red | orange".to_owned()).unwrap_err().contains("`orange`"));
    }

    fn paint(text: &str) -> Paint {
        Paint::try_from(text.to_owned()).unwrap()
    }

    #[test]
    fn a_colour_that_the_terminal_has_not_becomes_the_nearest_one() {
        for (text, sixteen, palette, full) in [
            ("#ff0a05", Color::LightRed, Color::Indexed(196), Color::Rgb(255, 10, 5)),
            ("196", Color::LightRed, Color::Indexed(196), Color::Indexed(196)),
            ("244", Color::DarkGray, Color::Indexed(244), Color::Indexed(244)),
            ("yellow", Color::Yellow, Color::Yellow, Color::Yellow),
        ] {
            assert_eq!(paint(text).style(Depth::NoColour).fg, None, "{text}");
            assert_eq!(paint(text).style(Depth::Sixteen).fg, Some(sixteen), "{text}");
            assert_eq!(paint(text).style(Depth::Palette).fg, Some(palette), "{text}");
            assert_eq!(paint(text).style(Depth::Full).fg, Some(full), "{text}");
        }
    }

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        for (no_color, colorterm, term, depth) in [
            (None, None, Some("xterm-256color"), Depth::Sixteen),
            (None, Some("truecolor"), Some("xterm-256color"), Depth::Full),
            (None, Some("yes"), Some("screen-256color"), Depth::Palette),
            (Some("1"), Some("truecolor"), Some("xterm"), Depth::NoColour),
            (Some(""), None, Some("xterm"), Depth::Sixteen),
            (None, None, Some("dumb"), Depth::NoColour),
            (None, Some("truecolor"), Some("linux"), Depth::Sixteen),
            (None, Some("truecolor"), Some("vt100"), Depth::NoColour),
            (None, None, Some("unknown"), Depth::NoColour),
            (None, None, None, Depth::NoColour),
        ] {
            assert_eq!(Depth::of(no_color, colorterm, term), depth, "{no_color:?} {colorterm:?} {term:?}");
        }
    }
}
