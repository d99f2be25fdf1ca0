//! What somebody typed into a form and did not hand in, as it is kept.
//!
//! Invariant: only fields in which something was typed are in it; the others are filled anew when the form opens again.

use serde::{Deserialize, Serialize};

/// The fields of a form that hold another text than the one with which it opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfTyped {
    /// The texts in the order of the fields; nothing where nobody typed.
    pub texts: Vec<Option<String>>,
    /// What was chosen beside the texts, by its names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
}

impl HalfTyped {
    /// The same with each text changed, as it is masked before it reaches a file.
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let texts = self.texts.iter().map(|text| text.as_deref().map(&change)).collect();
        Self { texts, choices: self.choices.iter().map(|choice| change(choice)).collect() }
    }

    /// The length of all that was typed, in characters.
    pub fn characters(&self) -> usize {
        self.texts.iter().flatten().map(|text| text.chars().count()).sum()
    }

    /// What was typed as a text, each field on lines of its own.
    pub fn text(&self) -> String {
        self.texts.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
