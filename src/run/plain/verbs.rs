//! The commands of line mode: their names, what they are called with, and what they do.
//!
//! Hides how a line of words becomes a command of the incident. What may be done is decided by [`crate::incident::command`] alone. Names are those of
//! the palette; the short words that people type are aliases.
//!
//! Invariant: a line that cannot be obeyed ends in a sentence that names the way out; nothing here is state.

mod after;
mod alerts;
mod commands;
mod decide;
mod drill;
mod lifecycle;
mod look;
mod people;
mod records;
mod scope;
mod steps;
mod tasks;
mod updates;
mod words;
mod written;

use chrono::{DateTime, Utc};

use super::Session;
use crate::console::Effect;
use crate::incident::Refusal;
use crate::pane::{Cx, Spelling};
use crate::text::CleanStr;
pub(super) use people::who_lines;
use words::first_word;

/// How many lines `:log` shows unless it is told.
pub(super) const LINES: usize = 10;

/// What a line leads to: effects, or a sentence that says why not.
pub(super) type Answer = Result<Vec<Effect>, String>;

/// What a command does with the words behind its name.
type Run = fn(&mut Session, &str, DateTime<Utc>) -> Answer;

/// A command of line mode.
#[derive(Clone, Copy)]
struct Verb {
    /// Its name: where the palette has such an action, the name that it has there.
    name: &'static str,
    /// Other names.
    aliases: &'static [&'static str],
    /// What follows the name.
    form: &'static str,
    /// What it does.
    help: &'static str,
    run: Run,
}

const fn verb(name: &'static str, form: &'static str, help: &'static str, run: Run) -> Verb {
    Verb { name, aliases: &[], form, help, run }
}

impl Verb {
    /// The same command by other names too.
    const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// All commands by subject, in the order of help.
const SUBJECTS: &[(&str, &[Verb])] = &[
    ("this console", records::VERBS),
    ("where it stands", look::VERBS),
    ("alerts", alerts::VERBS),
    ("how it goes on", lifecycle::VERBS),
    ("what is affected", scope::VERBS),
    ("who does what", people::VERBS),
    ("tasks", tasks::VERBS),
    ("decisions and theories", decide::VERBS),
    ("the playbook", steps::VERBS),
    ("commands", commands::VERBS),
    ("what is told", updates::VERBS),
    ("what is written", written::VERBS),
    ("a drill", drill::VERBS),
    ("afterwards", after::VERBS),
];

fn all() -> impl Iterator<Item = &'static Verb> {
    SUBJECTS.iter().flat_map(|(_, verbs)| *verbs)
}

/// How line mode spells an action: as its command, with what belongs behind it.
pub(super) const COMMANDS: Spelling = Spelling { action: as_command, names_zone: false };

fn as_command(name: &str) -> String {
    let form = all().find(|verb| verb.is_called(name)).map(|verb| verb.form).unwrap_or_default();
    // What may be left out is left out.
    let needed = form.split(" [").next().filter(|form| !form.starts_with('[')).unwrap_or_default();
    format!(":{name} {needed}").trim_end().to_owned()
}

/// Obeys a line: a command after a colon, work for `@somebody`, or a note.
pub(super) fn obey(session: &mut Session, line: &str, wall: DateTime<Utc>) -> Answer {
    session.numbers.learn(&session.console.view(wall));
    let Some(command) = line.strip_prefix(':') else {
        return match line.starts_with('@') {
            true => tasks::assign(session, line, wall),
            false => written::note(session, line, wall),
        };
    };
    let (name, rest) = first_word(command);
    match all().find(|verb| verb.is_called(name)) {
        Some(verb) => (verb.run)(session, rest, wall),
        None => Err(format!("no command `:{}`: :help lists them", CleanStr::new(name))),
    }
}

/// Records the half-typed line of an earlier console, whose typing began then; it is never a command.
pub(super) fn record_draft(session: &mut Session, line: &str, began: DateTime<Utc>, wall: DateTime<Utc>) -> Answer {
    session.numbers.learn(&session.console.view(wall));
    written::note_since(session, line, Some(began), wall)
}

/// The sentence of a refusal, in the words of line mode.
pub(super) fn refusal(refusal: &Refusal, cx: &Cx<'_>) -> String {
    let sentence = cx.said(refusal.saying());
    match refusal {
        Refusal::No(_) => sentence,
        Refusal::WantsReason(_) if sentence.ends_with('?') => {
            format!("{sentence} write it at the end of the same line")
        }
        Refusal::WantsReason(_) => format!("{sentence}: write it at the end of the same line"),
    }
}

fn usage<T>(name: &str) -> Result<T, String> {
    let form = all().find(|verb| verb.is_called(name)).map_or("", |verb| verb.form);
    Err(format!("write :{name} {form}"))
}

fn help(session: &mut Session, rest: &str, _wall: DateTime<Utc>) -> Answer {
    let line = |verb: &Verb| {
        let gap = if verb.form.is_empty() { "" } else { " " };
        let aliases: String = verb.aliases.iter().map(|alias| format!(", :{alias}")).collect();
        format!("  :{}{aliases}{gap}{}: {}", verb.name, verb.form, verb.help)
    };
    let rest = rest.trim_start_matches(':');
    if !rest.is_empty() {
        let Some(verb) = all().find(|verb| verb.is_called(rest)) else {
            return Err(format!("no command `:{}`: :help lists them", CleanStr::new(rest)));
        };
        return session.answer(vec![line(verb)]);
    }
    let mut lines: Vec<String> = [
        "A line of text is a note; -5m or 14:10 before it says when it happened; decision: action: finding: todo: CAN: say what it is.",
        "A blank before a line makes it a note though it begins with a colon or an @.",
        "@dana check p99 5m hands work to dana, who calls back in five minutes.",
        "N is the number that a list gave; what has a number keeps it. Commands:",
    ]
    .map(str::to_owned)
    .into();
    for (subject, verbs) in SUBJECTS {
        lines.push(format!("{subject}:"));
        lines.extend(verbs.iter().map(line));
    }
    lines.push(
        "The end of the input ends the console once all that was typed is on disk; with --read-only it goes on and follows."
            .to_owned(),
    );
    session.answer(lines)
}

#[cfg(test)]
mod tests;
