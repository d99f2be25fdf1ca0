//! What an alert is called, and where its runbook is.
//!
//! Hides markup, templates that failed, and texts that are too long for a title.
//!
//! Invariant: a title is one line of plain words, never empty, at most [`MOST`] columns.

use super::Alert;
use crate::text::{CleanStr, columns};

/// The longest title, in columns.
const MOST: usize = 120;
/// Where a title is looked for, the best first; the alert's name is the last resort.
const WORDS: [&str; 6] = ["summary", "title", "description", "message", "rule_name", "rulename"];
/// Where a runbook's address stands.
const RUNBOOK: [&str; 6] = ["runbook_url", "runbook", "runbookURL", "runbook-url", "runbook_link", "playbook_url"];

/// The title that an alert proposes: its summary, else its description, its message, its rule's name or its own.
pub fn title(alert: &Alert) -> CleanStr {
    let said = |name: &str| alert.annotations.get(name).or_else(|| alert.labels.get(name));
    let words = WORDS.iter().filter_map(|name| said(name)).map(|text| plain(text)).find(|text| !text.is_empty());
    words.map_or_else(|| alert.name.clone(), |text| CleanStr::new(&cut(&text)))
}

/// The address of an alert's runbook.
pub fn runbook(alert: &Alert) -> Option<&CleanStr> {
    RUNBOOK
        .iter()
        .find_map(|name| alert.annotations.get(*name).or_else(|| alert.labels.get(*name)))
        .filter(|url| !url.is_blank())
}

/// A text without markup. One whose template failed says nothing: neither does what is left of it.
fn plain(text: &str) -> String {
    if text.contains("<error expanding template") || text.contains("{{") || text.contains("<no value>") {
        return String::new();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let (taken, said) = markup(rest).unwrap_or((letter.len_utf8(), &rest[..letter.len_utf8()]));
        out.push_str(said);
        rest = &rest[taken..];
    }
    // Slack: *bold*. A star between blanks is a star.
    let bare = |word: &&str| if word.trim_matches('*').is_empty() { word.len() } else { 0 };
    let words = out.split_whitespace().map(|word| if bare(&word) > 0 { word } else { word.trim_matches('*') });
    words.collect::<Vec<_>>().join(" ").trim_matches(|letter| "#`".contains(letter)).trim().to_owned()
}

/// How many bytes of markup a text begins with, and the words that they hold.
fn markup(text: &str) -> Option<(usize, &str)> {
    if let Some(inner) = text.strip_prefix('<') {
        let end = inner.find('>')?;
        let inside = &inner[..end];
        // Slack: <https://x|the panel>; HTML: <b>.
        let is_tag = inside.trim_start_matches('/').starts_with(|letter: char| letter.is_ascii_alphabetic());
        let words = inside.split_once('|').map_or("", |(_, words)| words);
        return is_tag.then_some((end + 2, words));
    }
    if let Some(inner) = text.strip_prefix('[') {
        // Markdown: [the panel](https://x).
        let (words, rest) = inner.split_once("](")?;
        let end = rest.find(')')?;
        return (!words.contains('[')).then_some((1 + words.len() + 2 + end + 1, words));
    }
    ["**", "__", "`"].iter().find(|mark| text.starts_with(**mark)).map(|mark| (mark.len(), ""))
}

/// A text that fits, cut behind a word.
fn cut(text: &str) -> String {
    if columns(text) <= MOST {
        return text.to_owned();
    }
    let mut out = String::new();
    for word in text.split(' ') {
        if columns(&out) + columns(word) + 2 > MOST {
            break;
        }
        out.push_str(word);
        out.push(' ');
    }
    // One word that is longer than a title is cut where it must be.
    if out.is_empty() { crate::text::fit(text, MOST).into_owned() } else { format!("{}…", out.trim_end()) }
}
