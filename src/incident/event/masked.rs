//! An event without what must not be in a record.
//!
//! Hides where the texts of an event are: every string of its body is one, so that an event that is added later cannot miss the mask. What stays as it is:
//! the ids of entries, files that are named by their digest, and a line that its writer asked to keep.
//!
//! What runs is what was confirmed, and comes from the memory of who confirmed it: of a command the record keeps the words without their secrets, and
//! the digest of what they were.
//!
//! Invariant: the kind of an event never changes, and masking twice is the same as once.

use serde_json::Value;

use super::Event;
use crate::incident::entry::EntryId;
use crate::text::mask::Mask;

/// Bodies in which a digest names the exact bytes: a masked copy would be another file.
const FILES: [(&str, &str); 2] = [("playbook-frozen", "text"), ("drill-started", "source")];

/// The field in which the words of a command line stand.
const ARGV: &str = "argv";

/// A line that begins with this is kept as its writer typed it, though something in it looks like a secret: a test card, an order number. The word
/// stays in the line, and the line has its author: everybody sees who vouched for it.
pub const AS_TYPED: &str = "as-typed:";

impl Event {
    /// The event without card numbers, tokens and passwords in any of its texts.
    pub fn masked(self, mask: &Mask) -> Self {
        let is_kept = match &self {
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
        Value::Array(bytes) if as_bytes(bytes).is_some() => {
            let text = String::from_utf8_lossy(&as_bytes(bytes).unwrap_or_default()).into_owned();
            let masked = mask.mask(&text);
            let has_changed = masked != text;
            if has_changed {
                *value = Value::String(masked);
            }
            has_changed
        }
        // Every one, even after the first that changed.
        Value::Array(values) => {
            values.iter_mut().filter_map(|value| mask_strings(value, mask, is_excepted).then_some(())).count() > 0
        }
        Value::Object(fields) => {
            let texts = fields.iter_mut().filter(|(name, _)| !is_excepted(name));
            let changed = texts.filter_map(|(name, value)| {
                let is_line = name == ARGV && mask_line(value, mask);
                (mask_strings(value, mask, is_excepted) || is_line).then_some(())
            });
            changed.count() > 0
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Masks the words of a command line that the word before them or the program tells to be secret: `--password X`, `curl -u dana:X`, `mysql -pX`.
fn mask_line(words: &mut Value, mask: &Mask) -> bool {
    let Value::Array(words) = words else { return false };
    let texts: Vec<String> = words.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect();
    let program = texts.first().map_or("", |path| path.rsplit('/').next().unwrap_or_default());
    let mut has_changed = false;
    for (place, word) in words.iter_mut().enumerate().skip(1) {
        let before = if place == 1 { format!("{program} ") } else { format!("{program} {} ", texts[place - 1]) };
        let masked = mask.mask(&format!("{before}{}", texts[place]));
        if let Some(hidden) = masked.strip_prefix(&before).filter(|hidden| *hidden != texts[place]) {
            *word = Value::String(hidden.to_owned());
            has_changed = true;
        }
    }
    has_changed
}

/// The bytes of a word that is no text, as it is written in an entry.
fn as_bytes(values: &[Value]) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = values.iter().map(|value| u8::try_from(value.as_u64()?).ok()).collect();
    bytes.filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::incident::Event;
    use crate::incident::tests::order;
    use crate::text::Exact;
    use crate::text::mask::Mask;

    #[test]
    fn of_a_command_line_the_record_keeps_everything_but_the_secrets() {
        let hidden = [
            (vec!["curl", "-u", "dana:hunter2x", "https://pay"], vec!["curl", "-u", "dana:[secret]", "https://pay"]),
            (vec!["/usr/bin/mysql", "-h", "db", "-phunter2x"], vec!["/usr/bin/mysql", "-h", "db", "-p[secret]"]),
            (vec!["tool", "--password", "hunter2x", "-v"], vec!["tool", "--password", "[secret]", "-v"]),
            (vec!["refund", "4111111111111111"], vec!["refund", "[card …1111]"]),
            (vec!["kubectl", "rollout", "restart it"], vec!["kubectl", "rollout", "restart it"]),
        ];
        for (typed, kept) in hidden {
            let words = |words: &[&str]| words.iter().map(Exact::new).collect::<Vec<_>>();
            let started = |argv: &[&str]| {
                let mut body = order(None, true);
                body.argv = words(argv);
                Event::CommandStarted(body)
            };
            let masked = started(&typed).masked(&Mask::default());
            assert_eq!(masked, started(&kept), "the rest of the order, and its digest, stay");
            assert_eq!(masked.clone().masked(&Mask::default()), masked);
        }
        let mut body = order(None, true);
        body.argv = vec!["refund".into(), Exact::new(b"\xff 4111111111111111")];
        let Event::CommandStarted(body) = Event::CommandStarted(body).masked(&Mask::default()) else { unreachable!() };
        assert_eq!(body.argv[1].text(), "\u{fffd} [card …1111]", "also where it is no text");
    }
}
