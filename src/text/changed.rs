//! What changed between two texts, line by line.
//!
//! Hides the algorithm. It is shown where a person approves something that was changed.
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

/// What changed, as people read it: what is gone after a minus, what is new after a plus, with some lines around; empty where nothing did.
pub fn difference(old: &str, new: &str) -> String {
    // Split at line feeds alone: a carriage return is a change like any other.
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_terminator('\n').collect(), new.split_terminator('\n').collect());
    let mut out = String::new();
    for group in TextDiff::from_slices(&old, &new).grouped_ops(AROUND) {
        if !out.is_empty() {
            out.push_str("  …\n");
        }
        let changes = group.iter().flat_map(|op| op.iter_slices(&old, &new));
        for (tag, lines) in changes {
            let sign = match tag {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            for line in lines {
                out.push_str(&format!("{sign} {line}\n"));
            }
        }
    }
    out
}

/// How many lines that did not change stand around those that did.
const AROUND: usize = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_shows_what_went_and_came_with_little_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni";
        let new = old.replace('b', "B").replace("h\n", "");
        assert_eq!(difference(old, &new), "  a\n- b\n+ B\n  c\n  d\n  …\n  f\n  g\n- h\n  i\n");
        assert_eq!(difference(old, old), "");
    }

    #[test]
    fn each_line_is_kept_gone_or_new() {
        let kept = |line: &str| Changed::Kept(line.to_owned());
        assert_eq!(
            changed("a\nb\nc", "a\nB\nc\nd\n"),
            [
                kept("a"),
                Changed::Gone("b".to_owned()),
                Changed::New("B".to_owned()),
                kept("c"),
                Changed::New("d".to_owned())
            ]
        );
        assert!(changed("a\nb", "a\nb\n").iter().all(|line| !line.is_change()));
        assert_eq!(changed("", ""), []);
    }

    proptest! {
        #[test]
        fn what_changed_is_both_texts_line_by_line(old in "[ab\n]{0,30}", new in "[ab\n]{0,30}") {
            let lines = changed(&old, &new);
            let of = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
            let old_lines: Vec<_> = lines.iter().filter(|line| !matches!(line, Changed::New(_))).map(|line| line.line().to_owned()).collect();
            let new_lines: Vec<_> = lines.iter().filter(|line| !matches!(line, Changed::Gone(_))).map(|line| line.line().to_owned()).collect();
            prop_assert_eq!(old_lines, of(&old));
            prop_assert_eq!(new_lines, of(&new));
        }
    }
}
