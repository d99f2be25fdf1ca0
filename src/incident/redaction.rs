//! What is left of an event once its words are taken out.
//!
//! Hides which parts of an event are words (they go) and which say what happened when (they stay, so that the record folds as before).
//!
//! Invariant: taking the words out twice is the same as once; an event that has none to take is left alone.

use super::*;

/// What stands where words were.
pub const REDACTED: &str = "(redacted)";

impl Event {
    /// The event without its words; nothing for an event that says what was done and is never redacted.
    pub fn without_words(&self) -> Option<Self> {
        let line = || CleanStr::new(REDACTED);
        Some(match self {
            Self::NoteAdded(body) => Self::NoteAdded(NoteAdded { text: REDACTED.into(), ..body.clone() }),
            Self::NoteAmended(body) => {
                let text = body.text.as_ref().map(|_| REDACTED.into());
                Self::NoteAmended(NoteAmended { text, ..body.clone() })
            }
            Self::LineMerged(body) => Self::LineMerged(LineMerged { text: REDACTED.into(), ..body.clone() }),
            Self::EvidencePinned(EvidencePinned { evidence }) => Self::EvidencePinned(EvidencePinned {
                evidence: match evidence {
                    Evidence::Graph { service, from, to, at, series, .. } => Evidence::Graph {
                        service: service.clone(),
                        objective: line(),
                        query: line(),
                        from: *from,
                        to: *to,
                        at: *at,
                        value: line(),
                        series: if series.is_blank() { CleanStr::default() } else { line() },
                    },
                    Evidence::Trace { .. } => Evidence::Trace { trace: line(), summary: line() },
                },
            }),
            _ => return None,
        })
    }

    /// Whether this is what is left of an event after [`Event::without_words`].
    pub fn is_without_words(&self) -> bool {
        self.without_words().as_ref() == Some(self)
    }

    /// Whether a redaction of this entry takes this event's words too: the entry itself, and corrections of it.
    pub fn is_redacted_with(&self, own: EntryId, redacted: EntryId) -> bool {
        own == redacted || matches!(self, Self::NoteAmended(body) if body.note == redacted)
    }
}
