//! What commands print, line by line: what stands on paper does not change any more.
//!
//! Invariant: a line is printed once, when it has ended; of a meter that is its last state.

use std::collections::BTreeMap;

use crate::console::runs::RunSaid;
use crate::incident::EntryId;

/// The line of each command that has not ended.
#[derive(Debug, Default)]
pub(super) struct Meters(BTreeMap<EntryId, String>);

impl Meters {
    /// The lines that have ended with what is said of a command.
    pub(super) fn ended(&mut self, run: EntryId, said: &RunSaid) -> Vec<String> {
        let begun = self.0.remove(&run).unwrap_or_default();
        let (text, printed) = match said {
            RunSaid::Printed(text, 0) => (format!("{begun}{text}"), 0),
            // Behind a gap a line begins; the one before it ended somewhere in it.
            RunSaid::Printed(text, _) if begun.is_empty() => (text.to_string(), 0),
            RunSaid::Printed(text, _) => (format!("{begun}\n{text}"), 0),
            // Lines that were printed stay as they were then.
            RunSaid::Rewritten(text, replaced) => (text.to_string(), replaced.saturating_sub(1)),
            RunSaid::Ended(_) => return Some(begun).filter(|line| !line.is_empty()).into_iter().collect(),
            RunSaid::File(_) | RunSaid::Overtime | RunSaid::Unwatched(_) => (begun, 0),
        };
        let mut lines: Vec<String> = text.split('\n').skip(printed).map(str::to_owned).collect();
        if let Some(last) = lines.pop().filter(|last| !last.is_empty()) {
            self.0.insert(run, last);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_printed_when_it_has_ended_and_a_meter_once() {
        let mut meters = Meters::default();
        let run = EntryId { rid: 1, rseq: 1 };
        let mut said = Vec::new();
        for what in [
            RunSaid::Printed("begin\n10%".into(), 0),
            RunSaid::Rewritten("50%".into(), 1),
            RunSaid::Overtime,
            RunSaid::Rewritten("100%\nnext\n".into(), 1),
            RunSaid::Rewritten("NEXT\nlast".into(), 2),
            RunSaid::Printed(" line\nno end".into(), 0),
            RunSaid::Printed("behind a gap\n".into(), 99),
        ] {
            said.extend(meters.ended(run, &what));
        }
        assert_eq!(said, ["begin", "100%", "next", "last line", "no end", "behind a gap"]);
    }
}
