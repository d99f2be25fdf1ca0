//! How much text an entry takes.

use super::{Event, Refusal, refuse};
use crate::text::{TEXT_BYTES, too_many_bytes};

/// Refuses a text that is longer than an entry takes: it is kept whole or not at all.
pub(super) fn fits(events: &[Event]) -> Result<(), Refusal> {
    // Files have limits of their own, and what ended must be on record whatever it printed.
    let is_free =
        |event: &&Event| matches!(event, Event::DrillStarted(_) | Event::PlaybookFrozen(_) | Event::CommandEnded(_));
    for event in events.iter().filter(|event| !is_free(event)) {
        // A body that is no JSON cannot be written, and the journal says so.
        let Ok(body) = event.body() else { continue };
        if body.get().len() > TEXT_BYTES {
            let longest = serde_json::from_str(body.get()).map_or(0, |body| longest(&body));
            if longest > TEXT_BYTES {
                return refuse(too_many_bytes(longest));
            }
        }
    }
    Ok(())
}

/// The bytes of the longest text in a body.
fn longest(body: &serde_json::Value) -> usize {
    match body {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(all) => all.iter().map(longest).max().unwrap_or(0),
        serde_json::Value::Object(all) => all.values().map(longest).max().unwrap_or(0),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => 0,
    }
}
