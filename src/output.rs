//! What commands print, as much of it as a console keeps: a ring of lines for each run.
//!
//! Hides how lines are put together from pieces. The whole stands in a file beside the journal.
//!
//! Invariant: bounded, whatever a command prints; a line keeps its number while the ring moves on.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};

use crate::incident::EntryId;
use crate::text::{CleanStr, CleanText, Sought, TEXT_BYTES, TEXT_LINES};

/// A ring holds so many lines.
pub const MOST_LINES: usize = 5_000;
/// So many runs have one; the oldest gives way.
const MOST_RUNS: usize = 12;
/// A line that does not end is cut here.
const LONGEST: usize = 2_000;

/// What one command printed.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Output {
    lines: VecDeque<CleanStr>,
    partial: String,
    /// How many lines have left the ring.
    gone: usize,
    /// The file that has all of it.
    pub file: Option<CleanStr>,
    /// When it last printed something, on the wall's clock.
    pub last_at: Option<DateTime<Utc>>,
}

impl Output {
    /// Takes a piece in; `skipped` bytes before it are only in the file.
    pub fn take(&mut self, text: &CleanText, skipped: u64, wall: DateTime<Utc>) {
        self.last_at = Some(wall);
        if skipped > 0 {
            self.end_line();
            let file = self.file.as_ref().map_or("the file", CleanStr::as_str);
            self.push(&format!("… {} more only in {file} …", crate::text::many(skipped, "byte")));
        }
        for (place, part) in text.split('\n').enumerate() {
            if place > 0 {
                self.end_line();
            }
            self.partial.push_str(part);
            if self.partial.len() > LONGEST {
                self.end_line();
            }
        }
    }

    /// Puts a text in the place of so many of the last lines, with the one that has not ended.
    pub fn rewrite(&mut self, text: &CleanText, replaced: usize, wall: DateTime<Utc>) {
        self.partial.clear();
        let keep = self.lines.len().saturating_sub(replaced.saturating_sub(1));
        self.lines.truncate(keep);
        self.take(text, 0, wall);
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.partial);
        self.push(&line);
    }

    fn push(&mut self, line: &str) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
            self.gone += 1;
        }
        self.lines.push_back(CleanStr::new(line));
    }

    /// How many lines there were, with those that have left the ring and the one that has not ended.
    pub fn len(&self) -> usize {
        self.gone + self.lines.len() + usize::from(!self.partial.is_empty())
    }

    /// Whether nothing was printed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of the first line that is still here.
    pub fn first(&self) -> usize {
        self.gone
    }

    /// A line by its number; empty where it has left the ring.
    pub fn line(&self, number: usize) -> &str {
        let place = number.checked_sub(self.gone);
        match place {
            Some(place) if place == self.lines.len() => &self.partial,
            Some(place) => self.lines.get(place).map_or("", CleanStr::as_str),
            None => "",
        }
    }

    /// The last of what is here, as much as a text holds.
    pub fn text(&self) -> CleanText {
        let mut room = TEXT_BYTES;
        let fits = |number: &usize| {
            let bytes = self.line(*number).len() + 1;
            let fits = bytes <= room;
            room = room.saturating_sub(bytes);
            fits
        };
        let mut lines: Vec<&str> = (self.first()..self.len())
            .rev()
            .take(TEXT_LINES)
            .take_while(fits)
            .map(|number| self.line(number))
            .collect();
        lines.reverse();
        CleanText::new(&lines.join("\n"))
    }

    /// The next line from a number on that has some words, without regard to case; it goes round.
    pub fn find(&self, words: &str, from: usize) -> Option<usize> {
        let words = Sought::phrase(words);
        let has = |number: &usize| words.is_in(self.line(*number));
        (from..self.len()).find(has).or_else(|| (self.first()..from.min(self.len())).find(has))
    }
}

/// What the commands of a record printed.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Outputs {
    of: BTreeMap<EntryId, Output>,
    order: VecDeque<EntryId>,
}

impl Outputs {
    /// What a run printed, as far as it is known here.
    pub fn get(&self, run: EntryId) -> Option<&Output> {
        self.of.get(&run)
    }

    /// What a run prints, to take more in.
    pub fn of(&mut self, run: EntryId) -> &mut Output {
        if !self.of.contains_key(&run) {
            if self.order.len() == MOST_RUNS
                && let Some(oldest) = self.order.pop_front()
            {
                self.of.remove(&oldest);
            }
            self.order.push_back(run);
        }
        self.of.entry(run).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    #[test]
    fn pieces_become_lines_wherever_they_are_cut() {
        let text = "one\ntwo\n\nthree";
        for cut in 0..=text.len() {
            let mut output = Output::default();
            output.take(&CleanText::new(&text[..cut]), 0, at());
            output.take(&CleanText::new(&text[cut..]), 0, at());
            assert_eq!(output.text(), CleanText::new(text), "cut at {cut}");
        }
    }

    #[test]
    fn a_meter_changes_its_line_and_adds_none() {
        let mut output = Output::default();
        output.take(&CleanText::new("begin\na: 1%\nb: 1%"), 0, at());
        output.rewrite(&CleanText::new("b: 2%"), 1, at());
        assert_eq!(output.text(), CleanText::new("begin\na: 1%\nb: 2%"));
        output.rewrite(&CleanText::new("a: 9%\nb: 9%\nend"), 2, at());
        assert_eq!((output.text(), output.len()), (CleanText::new("begin\na: 9%\nb: 9%\nend"), 4));
        output.rewrite(&CleanText::default(), 99, at());
        assert!(output.is_empty());
    }

    #[test]
    fn a_ring_is_bounded_and_lines_keep_their_numbers() {
        let mut output = Output::default();
        for number in 0..MOST_LINES + 10 {
            output.take(&CleanText::new(&format!("line {number}\n")), 0, at());
        }
        assert_eq!(output.first(), 10);
        assert_eq!(output.line(9), "");
        assert_eq!(output.line(4_000), "line 4000");
        assert_eq!(output.find("LINE 4000", 4_001), Some(4_000));
        output.take(&CleanText::new("x"), 99, at());
        assert!(output.text().contains("99 bytes more only in the file"));
    }

    #[test]
    fn a_line_that_never_ends_is_cut() {
        let mut output = Output::default();
        for _ in 0..100 {
            output.take(&CleanText::new(&"x".repeat(1_000)), 0, at());
        }
        assert!(output.len() > 30, "{}", output.len());
        assert!((0..output.len()).all(|number| output.line(number).len() <= 3_000));
    }

    #[test]
    fn the_oldest_run_gives_way() {
        let mut outputs = Outputs::default();
        for rseq in 1..=20 {
            outputs.of(EntryId { rid: 1, rseq }).take(&CleanText::new("x"), 0, at());
        }
        assert!(outputs.get(EntryId { rid: 1, rseq: 1 }).is_none());
        assert!(outputs.get(EntryId { rid: 1, rseq: 20 }).is_some());
    }
}
