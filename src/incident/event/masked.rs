//! An event without what must not be in a record.
//!
//! Hides where the texts of an event are: every string of its body is one, so that an event that is added later cannot miss the mask. What stays as it is:
//! the ids of entries, files that are named by their digest, and a line that its writer asked to keep.
//!
//! Invariant: the kind of an event never changes, and masking twice is the same as once.

use serde_json::Value;

use super::Event;
use crate::incident::entry::EntryId;
use crate::text::mask::Mask;

/// Bodies in which a digest names the exact bytes: a masked copy would be another file.
const FILES: [(&str, &str); 2] = [("playbook-frozen", "text"), ("drill-started", "source")];

/// A line that begins with this is kept as its writer typed it, though something in it looks like a secret: a test card, an order number. The word
/// stays in the line, and the line has its author: everybody sees who vouched for it.
pub const AS_TYPED: &str = "as-typed:";

impl Event {
    /// The event without card numbers, tokens and passwords in any of its texts.
    pub fn masked(self, mask: &Mask) -> Self {
        let is_kept = match &self {
            // What runs must be what was confirmed: whoever makes the order masks what the record shows of it.
            Self::CommandStarted(_) => true,
            Self::NoteAdded(body) => body.text.starts_with(AS_TYPED),
            Self::NoteAmended(body) => body.text.as_ref().is_some_and(|text| text.starts_with(AS_TYPED)),
            _ => false,
        };
        let body = self.body().ok().and_then(|body| serde_json::from_str::<Value>(body.get()).ok());
        let Some(mut body) = body.filter(|_| !is_kept) else { return self };
        let kind = self.kind().to_owned();
        if !mask_strings(&mut body, mask, &|name| FILES.contains(&(&kind, name))) {
            return self;
        }
        let masked = serde_json::value::to_raw_value(&body).map(|body| Self::from_wire(&kind, &body));
        masked.unwrap_or(self)
    }
}

/// Masks every string of a JSON value but those of excepted fields; says whether that changed anything.
pub fn mask_strings(value: &mut Value, mask: &Mask, is_excepted: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => {
            // The hexadecimal digits of an id can look like a card number.
            if text.parse::<EntryId>().is_ok() {
                return false;
            }
            let masked = mask.mask(text);
            let has_changed = masked != *text;
            *text = masked;
            has_changed
        }
        // Every one, even after the first that changed.
        Value::Array(values) => {
            values.iter_mut().filter_map(|value| mask_strings(value, mask, is_excepted).then_some(())).count() > 0
        }
        Value::Object(fields) => {
            let texts = fields.iter_mut().filter(|(name, _)| !is_excepted(name));
            texts.filter_map(|(_, value)| mask_strings(value, mask, is_excepted).then_some(())).count() > 0
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
