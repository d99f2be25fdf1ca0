//! What a terminal has, by its name (`TERM`).
//!
//! Hides the families that have less than today's emulators. Whoever knows better says so in the configuration
//! (`screen.unicode`, `screen.colours`).
//!
//! Invariant: a name that nobody knows gets the least that every terminal with a cursor has.

use super::Depth;

/// A family of terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// An emulator of today.
    Modern,
    /// The console of a Linux machine: a font of 256 or 512 glyphs, sixteen colours, no second screen.
    LinuxConsole,
    /// A DEC terminal, a serial line that says it is one, or a terminal of which nothing is known: no colours, ASCII,
    /// no second screen.
    Vt100,
    /// It has no cursor that ANSI codes move: the line mode.
    Dumb,
}

impl Family {
    /// The family of a name; none is like `unknown`.
    pub fn named(term: Option<&str>) -> Self {
        let term = term.unwrap_or_default();
        let is_dec = term.strip_prefix("vt").is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()));
        match term {
            "dumb" | "vt52" => Self::Dumb,
            "" | "unknown" | "network" | "dialup" => Self::Vt100,
            _ if is_dec => Self::Vt100,
            _ if term == "linux" || term.starts_with("linux-") => Self::LinuxConsole,
            _ => Self::Modern,
        }
    }

    /// The most colours that it has.
    pub fn most_colours(self) -> Depth {
        match self {
            Self::Modern => Depth::Full,
            Self::LinuxConsole => Depth::Sixteen,
            Self::Vt100 | Self::Dumb => Depth::NoColour,
        }
    }

    /// Whether it answers questions, or keeps quiet about those that it does not know; another one would print them.
    pub fn answers(self) -> bool {
        self == Self::Modern
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_what_its_family_has() {
        use Family::*;
        for (term, family, colours) in [
            (Some("xterm-256color"), Modern, Depth::Full),
            (Some("tmux-256color"), Modern, Depth::Full),
            (Some("vte-256color"), Modern, Depth::Full),
            (Some("linux"), LinuxConsole, Depth::Sixteen),
            (Some("linux-16color"), LinuxConsole, Depth::Sixteen),
            (Some("vt100"), Vt100, Depth::NoColour),
            (Some("vt102"), Vt100, Depth::NoColour),
            (Some("vt220"), Vt100, Depth::NoColour),
            (Some("unknown"), Vt100, Depth::NoColour),
            (Some(""), Vt100, Depth::NoColour),
            (None, Vt100, Depth::NoColour),
            (Some("vt52"), Dumb, Depth::NoColour),
            (Some("dumb"), Dumb, Depth::NoColour),
        ] {
            assert_eq!((Family::named(term), Family::named(term).most_colours()), (family, colours), "{term:?}");
        }
    }
}
