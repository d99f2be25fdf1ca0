//! The commands of line mode and of a shell: their names, what they are called with, and what they do.
//!
//! Hides how a line of words becomes a command of the incident. What may be done is decided by [`crate::incident::command`] alone. Names are those of
//! the palette; the short words that people type are aliases. What a shell has of them stands in the same table ([`InShell`]).
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
mod shell;
mod steps;
mod tasks;
mod traces;
mod updates;
mod words;
mod written;

use chrono::{DateTime, Utc};

use super::Session;
use super::numbers::Numbers;
use crate::console::Effect;
use crate::incident::Refusal;
use crate::pane::{Cx, Spelling};
use crate::text::CleanStr;
pub(super) use people::who_lines;
pub use shell::{CommandRow, ShellVerb, command_table, in_shell, in_shell_by_subject, said_in_shell};
pub(super) use shell::{IN_SHELL, is_usage, obey_named};
pub(super) use traces::{Awaited, came};
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
    /// Whether a shell has it too.
    shell: InShell,
    /// The list in which stands what its first word names.
    list: Option<List>,
    /// It writes nothing.
    looks: bool,
    /// It tells what stands in the open record: where none is open, that is said, and not that there is nothing.
    of_record: bool,
    /// What it must know of the world first.
    wants: Wants,
}

/// What a command must know of the world before it is obeyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Nothing but the record.
    Nothing,
    /// What the sources say.
    World,
    /// What was changed of late.
    Changes,
}

/// What is there of a kind, a line each, by the number or the word that names it.
type List = fn(&mut Numbers, &Cx<'_>) -> Vec<String>;

/// Whether a shell has a command of line mode too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InShell {
    /// By the same name.
    Same,
    /// By this name, because a shell calls something else by its own.
    As(&'static str),
    /// A shell has a subcommand of its own for it.
    Own(&'static str),
    /// It is another command with `--anyway`.
    Anyway(&'static str),
    /// It makes no sense as one command: why, and what does it there.
    Not(&'static str),
}

const fn verb(name: &'static str, form: &'static str, help: &'static str, run: Run) -> Verb {
    Verb {
        name,
        aliases: &[],
        form,
        help,
        run,
        shell: InShell::Same,
        list: None,
        looks: false,
        of_record: false,
        wants: Wants::Nothing,
    }
}

impl Verb {
    /// The same command by other names too.
    const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// What it is in a shell.
    const fn shell(self, shell: InShell) -> Self {
        Self { shell, ..self }
    }

    /// Its first word names something of a list; one that is not there is answered with the list.
    const fn of(self, list: List) -> Self {
        Self { list: Some(list), ..self }
    }

    /// It writes nothing.
    const fn looks(self) -> Self {
        Self { looks: true, ..self }
    }

    /// It tells what stands in the open record.
    const fn of_record(self) -> Self {
        Self { of_record: true, ..self }
    }

    /// It wants to know what the sources say.
    const fn live(self) -> Self {
        Self { wants: Wants::World, ..self }
    }

    /// It wants to know what was changed of late.
    const fn on_changes(self) -> Self {
        Self { wants: Wants::Changes, ..self }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// All commands by subject, in the order of help.
const SUBJECTS: &[(&str, &[Verb])] = &[
    ("this console", records::VERBS),
    ("where it stands", look::VERBS),
    ("traces", traces::VERBS),
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
        Some(verb) => run(verb, session, rest, wall),
        None => Err(format!("no command `:{}`: :help lists them", CleanStr::new(name))),
    }
}

/// Runs a command; where its first word names nothing that is there, the answer has the list of what is.
fn run(verb: &Verb, session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    if verb.of_record && !session.is_open {
        return Err("no record is open here: :open ID opens one, :list tells which there are".to_owned());
    }
    let answer = (verb.run)(session, rest, wall);
    let (Err(sentence), Some(list)) = (&answer, verb.list) else { return answer };
    let word = first_word(rest).0;
    let lines = list(&mut session.numbers, &session.console.view(wall));
    let names_it = |line: &String| line.split(' ').take(2).any(|one| one == word);
    if word.is_empty() || lines.is_empty() || lines.iter().any(names_it) {
        return answer;
    }
    Err(format!("{sentence}\n{}", lines.join("\n")))
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
