//! What changed between two texts, line by line.
//!
//! Hides the algorithm. It is shown at approval: what a draft was begun with against what the record would draft now.
//!
//! Invariant: the lines that are kept or gone are the old text, those that are kept or new are the new one.

use similar::{ChangeTag, TextDiff};

/// A line of one text or of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It stands in both.
    Kept(String),
    /// It stood in the old text only.
    Gone(String),
    /// It stands in the new text only.
    New(String),
}

impl Changed {
    /// The line.
    pub fn line(&self) -> &str {
        match self {
            Self::Kept(line) | Self::Gone(line) | Self::New(line) => line,
        }
    }

    /// Whether it stands in one text only.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Kept(_) => false,
            Self::Gone(_) | Self::New(_) => true,
        }
    }
}

/// Says line by line what changed; no line [`Changed::is_change`] where nothing did.
pub fn changed(old: &str, new: &str) -> Vec<Changed> {
    // Lines without their ends, so that a last line without a newline is no change.
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let difference = TextDiff::from_slices(&old, &new);
    difference
        .iter_all_changes()
        .map(|change| {
            let line = change.value().to_owned();
            match change.tag() {
                ChangeTag::Equal => Changed::Kept(line),
                ChangeTag::Delete => Changed::Gone(line),
                ChangeTag::Insert => Changed::New(line),
            }
        })
        .collect()
}
