//! Roles and styles: what a thing means decides how it looks.
//!
//! Hides colours. A theme file says how a dozen roles look ([`Theme::parse`]); every concrete style is derived from
//! them here, so a user's file never has to know what panes exist, and a pane never names a colour. Characters that not
//! every terminal has are in `glyphs`.
//!
//! Invariant: colour is never the only carrier of a meaning; with [`Depth::NoColour`] no style holds any colour,
//! because crossterm would end bold and reverse with it.

mod glyphs;
pub mod ground;
mod paint;
mod terminal;

use std::ops::Range;

use ratatui::style::{Modifier, Style};
use serde::Deserialize;

pub use glyphs::{Glyphs, ascii_of, ascii_only};
pub use ground::Ground;
pub use paint::{Depth, Paint};
pub use terminal::Family;

/// A set of colours that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltIn {
    /// For a dark background.
    #[default]
    Dark,
    /// For a light background.
    Light,
    /// Nothing dim, alarms on a ground of their own.
    HighContrast,
    /// Without any colour.
    Plain,
}

impl BuiltIn {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Dark, Self::Light, Self::HighContrast, Self::Plain];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::Plain => "plain",
        }
    }

    /// The one with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|built_in| built_in.name() == name)
    }

    fn source(self) -> &'static str {
        match self {
            Self::Dark => include_str!("../themes/dark.toml"),
            Self::Light => include_str!("../themes/light.toml"),
            Self::HighContrast => include_str!("../themes/high-contrast.toml"),
            Self::Plain => include_str!("../themes/plain.toml"),
        }
    }
}

/// How near something is that must not happen, or how bad what has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// Nothing to do now.
    Calm,
    /// Soon.
    Amber,
    /// Late, or broken.
    Red,
}

/// Why a theme file cannot be used: file, line, column, what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ThemeError {
    /// The name of the file as the person knows it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there, with the choices.
    pub message: String,
}

/// How everything looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    roles: Roles,
    /// The characters to draw with.
    pub glyphs: &'static Glyphs,
}

#[derive(Clone, Debug, PartialEq)]
struct Roles {
    text: Style,
    dim: Style,
    accent: Style,
    good: Style,
    amber: Style,
    red: Style,
    border: Style,
    selection: Style,
    key: Style,
    human: Style,
    machine: Style,
    struck: Style,
    drill: Style,
    series: Vec<Style>,
}

/// A theme file as it is written: each role that it leaves out looks as in `base`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ThemeFile {
    #[serde(default)]
    base: BuiltIn,
    text: Option<Paint>,
    dim: Option<Paint>,
    accent: Option<Paint>,
    good: Option<Paint>,
    amber: Option<Paint>,
    red: Option<Paint>,
    border: Option<Paint>,
    selection: Option<Paint>,
    key: Option<Paint>,
    human: Option<Paint>,
    machine: Option<Paint>,
    struck: Option<Paint>,
    drill: Option<Paint>,
    series: Option<Vec<Paint>>,
}

impl ThemeFile {
    fn roles(self, base: &Roles, depth: Depth) -> Roles {
        let style = |paint: Option<Paint>, base: Style| paint.map_or(base, |paint| paint.style(depth));
        let series = match self.series {
            Some(list) if !list.is_empty() => list.into_iter().map(|paint| paint.style(depth)).collect(),
            Some(_) | None => base.series.clone(),
        };
        Roles {
            text: style(self.text, base.text),
            dim: style(self.dim, base.dim),
            accent: style(self.accent, base.accent),
            good: style(self.good, base.good),
            amber: style(self.amber, base.amber),
            red: style(self.red, base.red),
            border: style(self.border, base.border),
            selection: style(self.selection, base.selection),
            key: style(self.key, base.key),
            human: style(self.human, base.human),
            machine: style(self.machine, base.machine),
            struck: style(self.struck, base.struck),
            drill: style(self.drill, base.drill),
            series,
        }
    }
}

impl Default for Theme {
    fn default() -> Self {
        Self::built_in(BuiltIn::default(), Depth::Sixteen)
    }
}

impl Theme {
    /// A theme that comes with the program, as far as the terminal can show it; without colour it is always
    /// [`BuiltIn::Plain`].
    pub fn built_in(built_in: BuiltIn, depth: Depth) -> Self {
        let built_in = if depth == Depth::NoColour { BuiltIn::Plain } else { built_in };
        let file: ThemeFile = toml::from_str(built_in.source()).expect("a test reads every built-in theme");
        Self { roles: file.roles(&Roles::nothing(), depth), glyphs: &Glyphs::UNICODE }
    }

    /// The theme of a file's text, over its `base`; without colour the file is checked but [`BuiltIn::Plain`] is what
    /// it gives.
    pub fn parse(file: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let parsed: ThemeFile = toml::from_str(text).map_err(|error| {
            let (line, column) = place(text, error.span().unwrap_or(0..0));
            ThemeError { file: file.to_owned(), line, column, message: error.message().to_owned() }
        })?;
        let base = Self::built_in(parsed.base, depth);
        if depth == Depth::NoColour {
            return Ok(base);
        }
        Ok(Self { roles: parsed.roles(&base.roles, depth), ..base })
    }

    /// The same theme for a terminal that cannot show more than ASCII.
    #[must_use]
    pub fn in_ascii(self) -> Self {
        Self { glyphs: &Glyphs::ASCII, ..self }
    }

    /// Ordinary words and numbers.
    pub fn text(&self) -> Style {
        self.roles.text
    }

    /// What is there but does not matter now: units, hints, placeholders.
    pub fn dim(&self) -> Style {
        self.roles.dim
    }

    /// Where the keys go. For focus only.
    pub fn accent(&self) -> Style {
        self.roles.accent
    }

    /// What is well and worth saying so.
    pub fn good(&self) -> Style {
        self.roles.good
    }

    /// What will soon be bad.
    pub fn amber(&self) -> Style {
        self.roles.amber
    }

    /// What is bad.
    pub fn red(&self) -> Style {
        self.roles.red
    }

    /// A title of a pane.
    pub fn title(&self, is_focused: bool) -> Style {
        if is_focused { self.roles.accent } else { self.roles.text.add_modifier(Modifier::BOLD) }
    }

    /// The border of a pane.
    pub fn border(&self, is_focused: bool) -> Style {
        if is_focused { self.roles.accent } else { self.roles.border }
    }

    /// The selected row; in a pane without focus it only stays findable.
    pub fn selection(&self, is_focused: bool) -> Style {
        if is_focused { self.roles.selection } else { Style::new().add_modifier(Modifier::BOLD) }
    }

    /// A severity from 0 (the worst) to 3.
    pub fn severity(&self, level: u8) -> Style {
        match level {
            0 => self.banner(Alarm::Red),
            1 => self.roles.red,
            2 => self.roles.amber,
            _ => self.roles.text,
        }
    }

    /// A clock that runs towards something.
    pub fn urgency(&self, alarm: Alarm) -> Style {
        match alarm {
            Alarm::Calm => self.roles.text,
            Alarm::Amber => self.roles.amber,
            Alarm::Red => self.roles.red,
        }
    }

    /// A whole line that says how things stand: the wall's header, a banner.
    pub fn banner(&self, alarm: Alarm) -> Style {
        match alarm {
            Alarm::Calm => self.roles.text.add_modifier(Modifier::BOLD),
            Alarm::Amber => self.roles.amber.add_modifier(Modifier::REVERSED | Modifier::BOLD),
            Alarm::Red => self.roles.red.add_modifier(Modifier::REVERSED | Modifier::BOLD),
        }
    }

    /// Whether a promise is kept; `None` where nothing can be said.
    pub fn verdict(&self, is_kept: Option<bool>) -> Style {
        match is_kept {
            Some(true) => self.roles.good,
            Some(false) => self.roles.red,
            None => self.stale(),
        }
    }

    /// Data that is older than it should be.
    pub fn stale(&self) -> Style {
        self.roles.dim
    }

    /// The name of a key.
    pub fn key(&self) -> Style {
        self.roles.key
    }

    /// The letters that a search found.
    pub fn found(&self) -> Style {
        self.roles.text.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// A line that a person wrote.
    pub fn human(&self) -> Style {
        self.roles.human
    }

    /// A line that a program wrote.
    pub fn machine(&self) -> Style {
        self.roles.machine
    }

    /// A line that was taken back.
    pub fn struck(&self) -> Style {
        self.roles.struck
    }

    /// What belongs to a drill: nothing real looks like it, and it never looks like harm.
    pub fn drill(&self) -> Style {
        self.roles.drill
    }

    /// The badge that says so.
    pub fn drill_banner(&self) -> Style {
        self.roles.drill.add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// The series at a place of a chart; colours repeat when they run out.
    pub fn series(&self, place: usize) -> Style {
        self.roles.series[place % self.roles.series.len()]
    }

    /// The line that a series must not cross.
    pub fn threshold(&self) -> Style {
        self.roles.amber
    }

    /// The scale and the times of a chart.
    pub fn axis(&self) -> Style {
        self.roles.dim
    }
}

impl Roles {
    /// What a built-in theme is laid over; a test sees that each built-in sets every role itself.
    fn nothing() -> Self {
        let none = Style::new();
        Self {
            text: none,
            dim: none,
            accent: none,
            good: none,
            amber: none,
            red: none,
            border: none,
            selection: none,
            key: none,
            human: none,
            machine: none,
            struck: none,
            drill: none,
            series: vec![none],
        }
    }
}

/// Line and column, from 1, of the beginning of a place in a text.
fn place(text: &str, at: Range<usize>) -> (usize, usize) {
    let before = text.get(..at.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Color;

    #[test]
    fn every_built_in_theme_sets_every_role() {
        for built_in in BuiltIn::ALL {
            let file: toml::Table = toml::from_str(built_in.source()).unwrap();
            assert_eq!(file.len(), 14, "{}", built_in.name());
            assert_eq!(BuiltIn::named(built_in.name()), Some(built_in));
            let theme = Theme::built_in(built_in, Depth::Full);
            assert_ne!(theme.amber(), theme.red(), "{}", built_in.name());
            assert_ne!(theme.text(), theme.red(), "{}", built_in.name());
            assert_ne!(theme.drill(), theme.red(), "{}", built_in.name());
        }
    }

    #[test]
    fn without_colour_no_style_holds_one_whatever_the_file_says() {
        let own = Theme::parse("mine.toml", "base = 'dark'\nred = 'light-red on #102030'", Depth::NoColour).unwrap();
        for theme in [own, Theme::built_in(BuiltIn::HighContrast, Depth::NoColour)] {
            let styles = [
                theme.text(),
                theme.dim(),
                theme.accent(),
                theme.good(),
                theme.amber(),
                theme.red(),
                theme.title(true),
                theme.border(false),
                theme.selection(true),
                theme.severity(0),
                theme.urgency(Alarm::Amber),
                theme.banner(Alarm::Red),
                theme.verdict(None),
                theme.key(),
                theme.found(),
                theme.human(),
                theme.machine(),
                theme.struck(),
                theme.drill(),
                theme.drill_banner(),
                theme.series(0),
                theme.series(1),
                theme.threshold(),
                theme.axis(),
            ];
            for style in styles {
                assert!(
                    matches!((style.fg, style.bg), (None | Some(Color::Reset), None | Some(Color::Reset))),
                    "{style:?}"
                );
            }
            assert!(theme.red().add_modifier.contains(Modifier::REVERSED), "red is still seen");
        }
    }

    #[test]
    fn a_file_changes_what_it_names_and_keeps_the_rest() {
        let dark = Theme::default();
        let mine = Theme::parse("mine.toml", "red = 'bold underline red on black'\nseries = ['blue']", Depth::Sixteen)
            .unwrap();
        let bold_underlined = Modifier::BOLD | Modifier::UNDERLINED;
        assert_eq!(mine.red(), Style::new().fg(Color::Red).bg(Color::Black).add_modifier(bold_underlined));
        assert_eq!((mine.amber(), mine.accent()), (dark.amber(), dark.accent()));
        assert_eq!((mine.series(0), mine.series(7)), (Style::new().fg(Color::Blue), Style::new().fg(Color::Blue)));
    }

    #[test]
    fn a_mistake_is_named_with_file_line_column_and_the_choices() {
        for (text, place, words) in [
            ("text = 'default'\nredd = 'red'", (2, 1), "redd"),
            ("base = 'drak'", (1, 8), "`high-contrast`"),
            ("\namber = 'orange'", (2, 9), "light-yellow"),
            ("amber = 'red on'", (1, 9), "after `on`"),
            ("series = ['red', 4]", (1, 18), "string"),
            ("text = ", (1, 8), ""),
        ] {
            let error = Theme::parse("mine.toml", text, Depth::Full).unwrap_err();
            assert_eq!((error.line, error.column), place, "{text}: {error}");
            assert!(error.to_string().starts_with(&format!("mine.toml:{}:{}: ", place.0, place.1)), "{error}");
            assert!(error.message.contains(words), "{error}");
        }
    }
}
