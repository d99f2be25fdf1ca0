//! A sentence for a person of whom the domain does not know where they read it.
//!
//! Hides nothing: moments and actions stand in it as what they are. The screen spells an action as its key and a moment in the incident's zone, line
//! mode spells it as a command, a shell as a subcommand.
//!
//! Invariant: no clock time and no key is part of the words.

use std::fmt;

use chrono::{DateTime, Utc};

use crate::text::CleanStr;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Words(String),
    /// A moment of the incident's clock.
    Moment(DateTime<Utc>),
    /// The name of an action that helps, as the palette has it.
    Action(&'static str),
}

/// A sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Saying(Vec<Piece>);

/// The name of an action, as a part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct By(pub &'static str);

impl Saying {
    /// The sentence with its moments and actions spelled.
    pub fn spelled(&self, moment: impl Fn(DateTime<Utc>) -> String, action: impl Fn(&str) -> String) -> String {
        let spell = |piece: &Piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Moment(at) => moment(*at),
            Piece::Action(name) => action(name),
        };
        self.0.iter().map(spell).collect()
    }

    /// The sentence for somebody of whom nothing is known but the zone: actions by their names.
    pub fn in_zone(&self, zone: chrono_tz::Tz) -> String {
        let moment = |at: DateTime<Utc>| at.with_timezone(&zone).format("%H:%M:%S %Z").to_string();
        self.spelled(moment, |name| format!("`{name}`"))
    }

    /// A sentence with another part at its end.
    #[must_use]
    pub fn and(mut self, piece: impl Into<Piece>) -> Self {
        self.0.push(piece.into());
        self
    }

    /// A sentence with another one behind it.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The actions that it names.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().filter_map(|piece| if let Piece::Action(name) = piece { Some(*name) } else { None })
    }
}

/// For logs: moments in UTC, which it says, and actions by their names.
impl fmt::Display for Saying {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.spelled(|at| at.format("%H:%M:%S UTC").to_string(), |name| format!("`{name}`")))
    }
}

impl<T: Into<String>> From<T> for Saying {
    fn from(words: T) -> Self {
        Self(vec![Piece::Words(words.into())])
    }
}

impl From<&str> for Piece {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

impl From<String> for Piece {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&CleanStr> for Piece {
    fn from(words: &CleanStr) -> Self {
        Self::Words(words.to_string())
    }
}

impl From<DateTime<Utc>> for Piece {
    fn from(at: DateTime<Utc>) -> Self {
        Self::Moment(at)
    }
}

impl From<By> for Piece {
    fn from(By(name): By) -> Self {
        Self::Action(name)
    }
}

/// Puts a sentence together: `says![&mark.by, " acknowledged at ", mark.at]`.
macro_rules! says {
    ($($piece:expr),+ $(,)?) => { $crate::incident::Saying::default()$(.and($piece))+ };
}
pub(crate) use says;
