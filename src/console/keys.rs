//! Keys as words: `a`, `G`, `Ctrl+W`, `Shift+Tab`, `F5`, `Enter`.
//!
//! Hides how a terminal reports a key: with or without the shift that made a letter large, as `BackTab` or as a shifted Tab.
//!
//! Invariant: a chord that is shown is read back as itself.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with its modifiers, in one spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl From<KeyEvent> for Chord {
    fn from(key: KeyEvent) -> Self {
        let mut modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match key.code {
            KeyCode::Char(letter) => {
                // The letter itself says whether Shift was held; with Ctrl the case says nothing.
                modifiers -= KeyModifiers::SHIFT;
                let lower = modifiers.contains(KeyModifiers::CONTROL);
                KeyCode::Char(if lower { letter.to_ascii_lowercase() } else { letter })
            }
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            other => other,
        };
        if code == KeyCode::BackTab {
            modifiers -= KeyModifiers::SHIFT;
        }
        Self { code, modifiers }
    }
}

impl Chord {
    /// Whether it works while letters are text: Tab, F-keys and Ctrl chords do.
    pub fn is_global(self) -> bool {
        self.modifiers.contains(KeyModifiers::CONTROL)
            || matches!(self.code, KeyCode::Tab | KeyCode::BackTab | KeyCode::F(_))
    }

    /// The key with its modifiers.
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// The key without its modifiers.
    pub(crate) fn code(self) -> KeyCode {
        self.code
    }

    /// Whether it types or deletes a letter and nothing else.
    pub fn is_text(self) -> bool {
        self.modifiers.is_empty() && matches!(self.code, KeyCode::Char(_) | KeyCode::Backspace)
    }
}

/// Reads a chord: modifiers and a key, joined by `+`.
pub fn parse(text: &str) -> Option<Chord> {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('+').filter(|(_, after)| !after.is_empty()) {
        modifiers |= match name {
            "Ctrl" => KeyModifiers::CONTROL,
            "Alt" => KeyModifiers::ALT,
            "Shift" => KeyModifiers::SHIFT,
            _ => return None,
        };
        rest = after;
    }
    let code = match rest {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Space" => KeyCode::Char(' '),
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PgUp" => KeyCode::PageUp,
        "PgDn" => KeyCode::PageDown,
        "Del" => KeyCode::Delete,
        "Backspace" => KeyCode::Backspace,
        _ => {
            let mut letters = rest.chars();
            match (letters.next(), letters.next()) {
                (Some(letter), None) => KeyCode::Char(letter),
                (Some('F'), Some(_)) => KeyCode::F(rest[1..].parse().ok().filter(|number| (1..=12).contains(number))?),
                _ => return None,
            }
        }
    };
    Some(Chord::from(KeyEvent::new(code, modifiers)))
}

impl fmt::Display for Chord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            out.write_str("Ctrl+")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            out.write_str("Alt+")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            out.write_str("Shift+")?;
        }
        match self.code {
            KeyCode::Char(' ') => out.write_str("Space"),
            KeyCode::Char(letter) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                write!(out, "{}", letter.to_ascii_uppercase())
            }
            KeyCode::Char(letter) => write!(out, "{letter}"),
            KeyCode::Enter => out.write_str("Enter"),
            KeyCode::Esc => out.write_str("Esc"),
            KeyCode::Tab => out.write_str("Tab"),
            KeyCode::BackTab => out.write_str("Shift+Tab"),
            KeyCode::Up => out.write_str("Up"),
            KeyCode::Down => out.write_str("Down"),
            KeyCode::Left => out.write_str("Left"),
            KeyCode::Right => out.write_str("Right"),
            KeyCode::Home => out.write_str("Home"),
            KeyCode::End => out.write_str("End"),
            KeyCode::PageUp => out.write_str("PgUp"),
            KeyCode::PageDown => out.write_str("PgDn"),
            KeyCode::Delete => out.write_str("Del"),
            KeyCode::Backspace => out.write_str("Backspace"),
            KeyCode::F(number) => write!(out, "F{number}"),
            other => write!(out, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chord_that_is_shown_is_read_back_as_itself() {
        for text in ["a", "G", "?", "+", "Ctrl+W", "Shift+Tab", "F5", "Enter", "Space", "Ctrl+Right", "PgDn", "["] {
            assert_eq!(parse(text).map(|chord| chord.to_string()), Some(text.to_owned()));
        }
        assert_eq!(parse("Hyper+a"), None);
        assert_eq!(parse("F99"), None);
    }

    #[test]
    fn a_shifted_letter_is_the_letter_however_the_terminal_says_it() {
        let shifted = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(Some(Chord::from(shifted)), parse("G"));
        let back = KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT);
        assert_eq!(Some(Chord::from(back)), parse("Shift+Tab"));
    }
}
