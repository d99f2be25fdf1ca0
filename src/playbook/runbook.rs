//! The beginning of a playbook from a runbook in Markdown.
//!
//! Hides which parts of a document are steps. Of a document that has a section of the service only that section is taken, with its sub-headings.
//! Each list item is a step, whole, with what is nested in it; a heading with prose is one as well. Code is what a person runs by hand: it stands in
//! the words of its step, and nothing here is ever a command.
//!
//! Invariant: every word of the section is in the playbook: in a step, or in the comments at its end.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::NaiveDate;

use super::Playbook;
use super::markdown::{Block, blocks, words_of};
use crate::text::{CleanStr, CleanText, columns};

/// The longest title, in columns; the whole stands below it.
const TITLE: usize = 72;
/// The longest id, in letters, without the number that makes it unique; 64 are allowed.
const ID: usize = 56;

/// What will be a step.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Draft {
    title: String,
    look: String,
    /// The headings that stand before it.
    headings: Vec<String>,
}

/// Writes the beginning of a playbook of a service from a runbook; refused where there is nothing to make a step of.
pub fn begin(service: &str, runbook: &str, today: NaiveDate) -> Result<String, String> {
    let all = blocks(runbook);
    let own = section(&all, service);
    let mut taken = Taken::default();
    own.iter().for_each(|block| taken.take(block));
    if taken.steps.is_empty() {
        return Err(match own.len() {
            0 => "there is no text to make steps of".to_owned(),
            _ => format!("the section of `{service}` has no text to make steps of"),
        });
    }
    let written = taken.written(service, today);
    // What does not read is not handed out.
    let checked = Playbook::parse("the new playbook", &written);
    checked.map(|_| written).map_err(|flaw| format!("no playbook comes of it: {flaw}"))
}

/// The parts under the headings that name a service; all where none does.
fn section<'a>(all: &'a [Block], service: &str) -> Vec<&'a Block> {
    let mut own = Vec::new();
    let mut level = None;
    for block in all {
        if let Block::Heading(here, text) = block {
            level = match level {
                Some(open) if *here > open => Some(open),
                _ => names(text, service).then_some(*here),
            };
        }
        if level.is_some() {
            own.push(block);
        }
    }
    // A heading alone is no section.
    let has_text = own.iter().any(|block| !matches!(block, Block::Heading(..)));
    if has_text { own } else { all.iter().collect() }
}

/// Whether the words of a heading hold the name of a service: `qrpay-web` is in "Core QRPay Web", `pay` is not in "Payments".
fn names(heading: &str, service: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let (heading, wanted) = (words(heading), words(service).concat());
    (0..heading.len()).any(|from| {
        let mut run = String::new();
        heading[from..].iter().any(|word| {
            run.push_str(word);
            run == wanted
        })
    })
}

/// What was made of a section so far.
#[derive(Default)]
struct Taken {
    steps: Vec<Draft>,
    /// The heading that what follows stands under, with its level.
    heading: Option<String>,
    /// Headings that no step has taken up.
    waiting: Vec<String>,
    /// Whether a step of the present heading exists, which takes what follows it.
    is_open: bool,
    unplaced: Vec<String>,
}

impl Taken {
    fn take(&mut self, block: &Block) {
        match block {
            Block::Heading(level, text) => {
                self.waiting.push(format!("{} {text}", "#".repeat(usize::from(*level))));
                (self.heading, self.is_open) = (Some(text.clone()), false);
            }
            Block::Aside(text) => self.unplaced.push(text.clone()),
            Block::List(_, items) if is_contents(items) => self.unplaced.push(words_of(block)),
            Block::List(_, items) => {
                for item in items {
                    let look = detail(item, 0);
                    if !look.trim().is_empty() {
                        self.push(title_of(&look), look);
                    }
                }
            }
            Block::Text(_) | Block::Code(..) | Block::Table(_) => {
                let text = detail(std::slice::from_ref(block), 0);
                if text.trim().is_empty() {
                    return;
                }
                // What stands below a step, and before the next heading, belongs to it: most often what to type.
                match self.steps.last_mut().filter(|_| self.is_open) {
                    Some(step) => {
                        step.look.push('\n');
                        step.look.push_str(&text);
                    }
                    None => {
                        let title = self.heading.clone().unwrap_or_default();
                        let title = if title.is_empty() { title_of(&text) } else { title_of(&title) };
                        self.push(title, text);
                    }
                }
            }
        }
    }

    fn push(&mut self, title: String, look: String) {
        self.steps.push(Draft { title, look, headings: std::mem::take(&mut self.waiting) });
        self.is_open = true;
    }

    fn written(&self, service: &str, today: NaiveDate) -> String {
        let mut out = format!(
            "service = {0}\nname = {0}\npublic-name = {0}\nowner = \"who keeps this file\"\nreviewed = {today}\n",
            quoted(CleanStr::new(service).as_str())
        );
        let mut known = BTreeSet::new();
        for (place, step) in self.steps.iter().enumerate() {
            let id = unique(slug(&step.title, place + 1), &mut known);
            out.push('\n');
            step.headings.iter().for_each(|heading| comment(heading, &mut out));
            let _ = write!(
                out,
                "[[steps]]\nid = {}\ntitle = {}\nlook = {}\nexpect = \"what should be seen\"\nundo = \"how to take it back\"\n",
                quoted(&id),
                quoted(CleanStr::new(&step.title).as_str()),
                quoted(CleanText::new(&step.look).as_str())
            );
        }
        if !(self.unplaced.is_empty() && self.waiting.is_empty()) {
            out.push_str("\n# What has no place in a step:\n");
            self.waiting.iter().chain(&self.unplaced).for_each(|text| comment(text, &mut out));
        }
        out
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn comment(text: &str, out: &mut String) {
    for line in CleanText::new(text).lines() {
        let _ = writeln!(out, "# {}", line.replace('\t', " "));
    }
}

/// Whether a list is a table of contents: nothing but links into the document.
fn is_contents(items: &[Vec<Block>]) -> bool {
    let is_link = |text: &str| text.ends_with(')') && text.contains("(#") && !text.contains('\n');
    !items.is_empty()
        && items.iter().all(|item| {
            let mut blocks = item.iter();
            matches!(blocks.next(), Some(Block::Text(text)) if is_link(text))
                && blocks.all(|block| matches!(block, Block::List(_, items) if is_contents(items)))
        })
}

/// Blocks as the words of a step; what is nested is indented.
fn detail(blocks: &[Block], depth: usize) -> String {
    let indent = "  ".repeat(depth);
    let mut lines: Vec<String> = Vec::new();
    let mut push = |text: &str| lines.extend(text.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()));
    for block in blocks {
        match block {
            Block::Heading(_, text) | Block::Text(text) | Block::Aside(text) => push(text),
            Block::Code(about, code) => {
                let about = if about.is_empty() { String::new() } else { format!(" ({about})") };
                push(&format!("by hand{about}:"));
                push(&code.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"));
            }
            Block::Table(rows) => rows.iter().for_each(|row| push(&row.join(" | "))),
            Block::List(first, items) => {
                for (place, item) in items.iter().enumerate() {
                    let mark = first.map_or_else(|| "-".to_owned(), |first| format!("{}.", first + place as u64));
                    let inner = detail(item, 1);
                    push(&format!("{mark} {}", inner.trim_start()));
                }
            }
        }
    }
    lines.join("\n")
}

/// The first sentence of a text, without marks, no longer than a title may be.
fn title_of(text: &str) -> String {
    let first = text.trim_start().lines().next().unwrap_or_default();
    let bare = first.replace(['`', '*'], "");
    let bare = bare.trim().trim_start_matches("[x] ");
    let sentence = bare.split_inclusive(". ").next().unwrap_or(bare).trim();
    let whole = sentence.trim_end_matches(['.', ':']).trim();
    if columns(whole) <= TITLE {
        return if whole.is_empty() { "a step".to_owned() } else { whole.to_owned() };
    }
    let mut title = String::new();
    for word in whole.split(' ') {
        if columns(&title) + columns(word) + 2 > TITLE {
            break;
        }
        title.push_str(if title.is_empty() { "" } else { " " });
        title.push_str(word);
    }
    if title.is_empty() { crate::text::fit(whole, TITLE).into_owned() } else { format!("{title} …") }
}

/// A name for a step: its first words, in small letters.
fn slug(text: &str, place: usize) -> String {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words.take(5).map(str::to_lowercase) {
        let word = &word[..word.len().min(ID)];
        if !slug.is_empty() && slug.len() + word.len() + 1 > ID {
            break;
        }
        slug.push_str(if slug.is_empty() { "" } else { "-" });
        slug.push_str(word);
    }
    match slug.chars().next() {
        // Another alphabet has no letters for a name.
        None => format!("step-{place}"),
        Some(letter) if letter.is_ascii_lowercase() => slug,
        Some(_) => format!("step-{}", &slug[..slug.len().min(ID - 5)]),
    }
}

fn unique(id: String, known: &mut BTreeSet<String>) -> String {
    let mut name = id.clone();
    let mut number = 2;
    while !known.insert(name.clone()) {
        name = format!("{id}-{number}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests;
