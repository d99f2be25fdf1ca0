//! What a reading gave, so that "none" cannot be said of what could not be read.
//!
//! Invariant: that there is nothing is known only of a whole reading; what is missing comes with its reason.

use crate::text::CleanText;

/// Something that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known<T> {
    /// All of it.
    Whole(T),
    /// Some of it, and a sentence that says what is missing and why.
    Part(T, CleanText),
    /// Nothing of it, and why.
    Unknown(CleanText),
}

impl<T> Known<T> {
    /// What was read, whole or not.
    pub fn what(&self) -> Option<&T> {
        match self {
            Self::Whole(what) | Self::Part(what, _) => Some(what),
            Self::Unknown(_) => None,
        }
    }

    /// Why it is not all.
    pub fn why(&self) -> Option<&CleanText> {
        match self {
            Self::Whole(_) => None,
            Self::Part(_, why) | Self::Unknown(why) => Some(why),
        }
    }

    /// What was read if it is all, else why it is not.
    pub fn whole(self) -> Result<T, CleanText> {
        match self {
            Self::Whole(what) => Ok(what),
            Self::Part(_, why) | Self::Unknown(why) => Err(why),
        }
    }

    /// The same with what was read made into something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Whole(what) => Known::Whole(change(what)),
            Self::Part(what, why) => Known::Part(change(what), why),
            Self::Unknown(why) => Known::Unknown(why),
        }
    }
}

impl<T: Default> Known<T> {
    /// What was read and why it is not all.
    pub fn parts(self) -> (T, Option<CleanText>) {
        match self {
            Self::Whole(what) => (what, None),
            Self::Part(what, why) => (what, Some(why)),
            Self::Unknown(why) => (T::default(), Some(why)),
        }
    }
}
