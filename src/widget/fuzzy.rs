//! Ranking of names by the letters that a person remembers of them.
//!
//! Hides the matcher (nucleo's) and its memory.
//!
//! Invariant: the same question over the same names gives the same order; with no question everything matches in the
//! order in which it came.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::text::folded_cased;

/// A name that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its place among the names.
    pub index: usize,
    /// How well: more is better.
    pub score: u32,
    /// Which of its letters matched, counted in grapheme clusters, rising.
    pub letters: Vec<usize>,
}

/// The names that match, the best first; of equals the one that came first.
///
/// Words of the question may come in any order; an upper-case letter matches only itself, a lower-case one both.
pub fn rank<'a>(question: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<Hit> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(&folded_cased(question), CaseMatching::Smart, Normalization::Smart);
    let (mut room, mut letters) = (Vec::<(char, usize)>::new(), Vec::new());
    let mut hits: Vec<Hit> = names
        .into_iter()
        .enumerate()
        .filter_map(|(index, name)| {
            letters.clear();
            // Each letter that is compared, and the cluster that it comes from.
            room.clear();
            let clusters = name.graphemes(true).enumerate();
            room.extend(clusters.flat_map(|(place, cluster)| {
                folded_cased(cluster).chars().map(|letter| (letter, place)).collect::<Vec<_>>()
            }));
            let compared: Vec<char> = room.iter().map(|(letter, _)| *letter).collect();
            let score = pattern.indices(Utf32Str::Unicode(&compared), &mut matcher, &mut letters)?;
            let mut letters: Vec<usize> = letters.iter().filter_map(|at| Some(room.get(*at as usize)?.1)).collect();
            letters.sort_unstable();
            letters.dedup();
            Some(Hit { index, score, letters })
        })
        .collect();
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.score));
    hits
}

/// A name with the letters that matched in a style of their own.
pub fn highlight(name: &str, letters: &[usize], base: Style, found: Style) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut run = String::new();
    let mut run_is_found = false;
    for (place, cluster) in name.graphemes(true).enumerate() {
        let is_found = letters.binary_search(&place).is_ok();
        if is_found != run_is_found && !run.is_empty() {
            spans.push(Span::styled(std::mem::take(&mut run), if run_is_found { base.patch(found) } else { base }));
        }
        run_is_found = is_found;
        run.push_str(cluster);
    }
    if !run.is_empty() {
        spans.push(Span::styled(run, if run_is_found { base.patch(found) } else { base }));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    const NAMES: [&str; 5] =
        ["take a role", "raise the severity", "post a status update", "strike a note", "Stand down"];

    fn found(question: &str) -> Vec<&'static str> {
        rank(question, NAMES).into_iter().map(|hit| NAMES[hit.index]).collect()
    }

    #[test]
    fn a_few_letters_find_the_action() {
        assert_eq!(found("")[..], NAMES[..], "no question: all, in their order");
        assert_eq!(found("sev")[0], "raise the severity");
        assert_eq!(found("stup")[0], "post a status update");
        assert_eq!(found("update post"), ["post a status update"], "words in any order");
        assert_eq!(found("S"), ["Stand down"], "an upper-case letter means itself");
        assert!(found("zzz").is_empty());
    }

    #[test]
    fn the_letters_that_matched_stand_out() {
        let hit = rank("role", ["take a role"]).remove(0);
        assert_eq!(hit.letters, [7, 8, 9, 10]);
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let line = highlight("take a role", &hit.letters, Style::new(), bold);
        assert_eq!(line, Line::from(vec![Span::raw("take a "), Span::styled("role", bold)]));
    }

    proptest! {
        #[test]
        fn any_question_to_any_names_has_an_answer(question in "\\PC*", names in proptest::collection::vec("\\PC*", 0..8)) {
            for hit in rank(&question, names.iter().map(String::as_str)) {
                let name = &names[hit.index];
                let clusters = name.graphemes(true).count();
                prop_assert!(hit.letters.iter().all(|letter| *letter < clusters));
                let line = highlight(name, &hit.letters, Style::new(), Style::new());
                prop_assert_eq!(line.spans.iter().map(|span| span.content.as_ref()).collect::<String>(), name.clone());
            }
        }
    }
}
