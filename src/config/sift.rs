//! Reads a file that may be wrong in several places: names them all, and keeps what is right.
//!
//! Hides that a reader stops at the first mistake: what is wrong is taken out line by line, and the rest is read again.
//!
//! Invariant: a section in which something is wrong is left out as a whole, because half of a sign-in or of a route is worse than none; only a list of
//! people loses no more than the entry that is wrong.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use toml::de::DeTable;

use crate::text::document::{Flaw, read};

/// So many mistakes are named; whoever has more sees the rest after mending these.
const MOST: usize = 30;
/// A list of entries that stand for themselves.
const ENTRIES: &str = "people";

/// What a file holds.
pub(super) struct Sifted {
    /// Its values, without the sections that are wrong.
    pub(super) values: toml::Table,
    /// What is wrong.
    pub(super) flaws: Vec<Flaw>,
    /// The sections that were left out; one without a name when nothing of the file can be relied on.
    pub(super) left_out: BTreeSet<String>,
}

/// Reads a file as far as it is right; `T` knows which keys there are, and what their values may be.
pub(super) fn sift<T: DeserializeOwned>(file: &str, text: &str) -> Sifted {
    let mut sifted = Sifted { values: toml::Table::new(), flaws: Vec::new(), left_out: BTreeSet::new() };
    let was_toml = is_toml(text);
    let mut lines: Vec<&str> = text.split('\n').collect();
    loop {
        let rest = lines.join("\n");
        let Err(flaw) = read::<T>(file, &rest) else {
            sifted.flaws.sort_by_key(|flaw| (flaw.line, flaw.column));
            sifted.values = read(file, &rest).unwrap_or_default();
            let left_out = &sifted.left_out;
            sifted.values.retain(|section, _| section == ENTRIES || !left_out.contains(section));
            return sifted;
        };
        let at = flaw.line - 1;
        let has_line = lines.get(at).is_some_and(|line| !line.trim().is_empty());
        // What breaks only because something before it was taken out is no mistake of its own.
        if !was_toml || is_toml(&rest) {
            sifted.flaws.push(*flaw);
        }
        if !has_line || sifted.flaws.len() >= MOST {
            sifted.left_out.insert(String::new());
            return sifted;
        }
        sifted.left_out.insert(section(&lines, at));
        take_out(&mut lines, at);
    }
}

fn is_toml(text: &str) -> bool {
    DeTable::parse(text).is_ok()
}

fn is_heading(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// The first part of the heading above a line; without one, the line's own key.
fn section(lines: &[&str], at: usize) -> String {
    let heading = lines[..=at].iter().rev().find(|line| is_heading(line));
    let name = heading.map_or_else(|| lines[at].split(['=', '.']).next().unwrap_or_default(), |line| line.trim());
    let name = name.trim_matches(['[', ']', ' ', '"', '\'', '\t', '\r']);
    name.split(['.', ']', ' ']).next().unwrap_or_default().to_owned()
}

/// Empties a line; below a heading all up to the next one, otherwise as many as its value takes.
fn take_out(lines: &mut [&str], at: usize) {
    let is_whole = is_heading(lines[at]);
    lines[at] = "";
    for below in at + 1..lines.len() {
        if is_heading(lines[below]) || (!is_whole && is_toml(&lines.join("\n"))) {
            return;
        }
        lines[below] = "";
    }
}

#[cfg(test)]
mod tests {
    use super::super::partial::Partial;
    use super::*;

    fn sifted(text: &str) -> (Vec<String>, String, Vec<String>) {
        let found = sift::<Partial>("c.toml", text);
        let flaws = found.flaws.iter().map(|flaw| format!("{}:{}", flaw.line, flaw.key)).collect();
        (flaws, found.values.to_string(), found.left_out.into_iter().collect())
    }

    #[test]
    fn every_mistake_of_a_file_is_named_and_the_sections_that_are_right_stay() {
        let text = "zone = 'Mars'\n[me]\nname = 'dana'\n[screen]\ntheme = 'light'\nmouse = 3\ncolors = 1\n[jornal]\ndir = 'x'\n\
                    [oncall]\nweeks = [\n  { name = 'A', who = 'B' },\n  { name = 'C', person = 'D' },\n]\n[cadence]\nupdate = '20m'\n";
        let (flaws, values, left_out) = sifted(text);
        assert_eq!(flaws, ["1:zone", "6:screen.mouse", "7:screen.colors", "8:jornal", "12:oncall.weeks[1].who"]);
        assert_eq!(left_out, ["jornal", "oncall", "screen", "zone"]);
        assert_eq!(values, "[cadence]\nupdate = \"20m\"\n\n[me]\nname = \"dana\"\n");
    }

    #[test]
    fn text_that_is_no_toml_takes_only_its_own_section_along() {
        let text = "[journal]\ndir = '/srv/j'\n[prometheus]\nurl = http://localhost:9090\nevery = '1s'\n[slack\nurl = 'https://x'\n[me]\nname = 'dana'\n";
        let (flaws, values, left_out) = sifted(text);
        assert_eq!(flaws.len(), 2, "{flaws:?}");
        assert_eq!(left_out, ["prometheus", "slack"]);
        assert_eq!(values, "[journal]\ndir = \"/srv/j\"\n\n[me]\nname = \"dana\"\n");
    }

    #[test]
    fn one_person_with_a_mistake_leaves_the_others_reachable() {
        let text = "[[people]]\nname = 'Dana'\nphone = '1'\n[[people]]\nphone = '2'\n[[people]]\nname = 'Li'\n";
        let (flaws, values, _) = sifted(text);
        assert_eq!(flaws, ["4:people[2]"]);
        assert!(values.contains("Dana") && values.contains("Li") && !values.contains("'2'"), "{values}");
    }
}
