//! The same commands in a shell.
//!
//! Hides what a shell calls them, and how a sentence that names one reads there.
//!
//! Invariant: there is no second table: what stands in that of line mode is in a shell, or says why not.

use chrono::{DateTime, Utc};

use super::{Answer, InShell, SUBJECTS, Verb, Wants, all, run};
use crate::incident::Saying;
use crate::pane::Spelling;
use crate::run::plain::Session;

/// A command as a shell has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShellVerb {
    /// Its name in a shell.
    pub name: &'static str,
    /// Other names there.
    pub aliases: &'static [&'static str],
    /// What follows.
    pub form: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Its name in line mode.
    pub line: &'static str,
    /// The command of line mode that does it though something speaks against it: `--anyway`.
    pub anyway: Option<&'static str>,
    /// It writes nothing.
    pub looks: bool,
    /// What it must know of the world first.
    pub wants: Wants,
}

fn in_a_shell(verb: &'static Verb) -> Option<ShellVerb> {
    let name = match verb.shell {
        InShell::Same => verb.name,
        InShell::As(name) => name,
        InShell::Own(_) | InShell::Anyway(_) | InShell::Not(_) => return None,
    };
    let anyway = all().find(|other| other.shell == InShell::Anyway(verb.name)).map(|other| other.name);
    let Verb { aliases, form, help, looks, wants, .. } = *verb;
    Some(ShellVerb { name, aliases, form, help, line: verb.name, anyway, looks, wants })
}

/// All commands that a shell has from this table, by subject.
pub fn in_shell_by_subject() -> impl Iterator<Item = (&'static str, Vec<ShellVerb>)> {
    let of_subject = |verbs: &'static [Verb]| verbs.iter().filter_map(in_a_shell).collect::<Vec<_>>();
    SUBJECTS.iter().map(move |(subject, verbs)| (*subject, of_subject(verbs))).filter(|(_, verbs)| !verbs.is_empty())
}

/// A command, as a table of all has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRow {
    /// Its names in line mode.
    pub names: Vec<&'static str>,
    /// What follows.
    pub form: &'static str,
    /// What a shell has of it, or why it has not.
    pub shell: String,
    /// What it does.
    pub help: &'static str,
}

/// Every command of line mode, and what a shell has of it.
pub fn command_table() -> impl Iterator<Item = CommandRow> {
    all().map(|verb| {
        let shell = match verb.shell {
            InShell::Not(why) => why.to_owned(),
            InShell::Same | InShell::As(_) | InShell::Own(_) | InShell::Anyway(_) => {
                format!("`{}`", spelled(verb.name).unwrap_or_default())
            }
        };
        let names = [verb.name].into_iter().chain(verb.aliases.iter().copied()).collect();
        CommandRow { names, form: verb.form, shell, help: verb.help }
    })
}

/// How a shell spells an action: as the subcommand, with what belongs behind it. A moment says its zone: nothing else there does.
pub(in crate::run::plain) const IN_SHELL: Spelling = Spelling { action: as_subcommand, names_zone: true };

fn as_subcommand(name: &str) -> String {
    in_shell(&super::as_command(name))
}

/// What the command of line mode is in a shell, where it is there.
fn spelled(name: &str) -> Option<String> {
    let (bare, verb) = (name.trim_end_matches('!'), all().find(|verb| verb.is_called(name))?);
    let other = match verb.shell {
        InShell::Same => bare.to_owned(),
        InShell::As(name) | InShell::Own(name) => name.to_owned(),
        InShell::Anyway(name) => format!("{name} --anyway"),
        InShell::Not(_) => return None,
    };
    Some(format!("warroom {other}"))
}

/// A sentence of line mode as it reads in a shell: `:told` becomes `warroom told`.
pub fn in_shell(sentence: &str) -> String {
    let mut out = String::with_capacity(sentence.len());
    let mut before = ' ';
    let mut rest = sentence;
    while let Some(letter) = rest.chars().next() {
        let begins = letter == ':' && !before.is_alphanumeric() && before != ':';
        let length =
            rest[letter.len_utf8()..].find(|one: char| !(one.is_ascii_lowercase() || one == '-' || one == '!'));
        let name = &rest[letter.len_utf8()..length.map_or(rest.len(), |length| length + letter.len_utf8())];
        match spelled(name).filter(|_| begins && !name.is_empty()) {
            Some(words) => {
                out.push_str(&words);
                before = 'x';
                rest = &rest[letter.len_utf8() + name.len()..];
            }
            None => {
                out.push(letter);
                before = letter;
                rest = &rest[letter.len_utf8()..];
            }
        }
    }
    out
}

/// A sentence of the domain for a shell: moments in a zone, which they name, actions as subcommands.
pub fn said_in_shell(saying: &Saying, zone: chrono_tz::Tz) -> String {
    saying.spelled(|at| at.with_timezone(&zone).format("%H:%M:%S %Z").to_string(), as_subcommand)
}

/// Whether a sentence says how a command is called.
pub(in crate::run::plain) fn is_usage(sentence: &str) -> bool {
    sentence.starts_with("write :")
}

/// Obeys one command by its name in line mode.
pub(in crate::run::plain) fn obey_named(session: &mut Session, name: &str, words: &str, wall: DateTime<Utc>) -> Answer {
    session.numbers.learn(&session.console.view(wall));
    match all().find(|verb| verb.name == name) {
        Some(verb) => run(verb, session, words, wall),
        None => Err(format!("no command `:{name}`: :help lists them")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_command_of_line_mode_is_in_a_shell_or_says_why_not_and_no_name_means_two() {
        let mut names = BTreeSet::new();
        for (_, verbs) in in_shell_by_subject() {
            for verb in verbs {
                assert!(names.insert(verb.name), "{} means two commands in a shell", verb.name);
            }
        }
        for verb in all() {
            match verb.shell {
                InShell::Same => assert!(names.contains(verb.name), "{}", verb.name),
                InShell::As(name) => assert!(names.contains(name), "{name}"),
                InShell::Anyway(name) => assert!(all().any(|other| other.name == name), "{name}"),
                InShell::Not(why) => assert!(why.len() > 20, "{}: {why}", verb.name),
                InShell::Own(_) => {}
            }
        }
        assert!(names.len() > 50, "{names:?}");
    }

    #[test]
    fn a_sentence_of_line_mode_names_the_subcommand_in_a_shell() {
        for (line, shell) in [
            ("there is no task 7: :tasks lists them", "there is no task 7: warroom tasks lists them"),
            ("write :resolve! REASON | FINAL STATUS", "write warroom resolve --anyway REASON | FINAL STATUS"),
            ("first (:take-role ic|comms|sme)", "first (warroom take-role ic|comms|sme)"),
            ("at 14:10:30, a::b, http://x:ack", "at 14:10:30, a::b, http://x:ack"),
            ("press :confirm or :nothing", "press :confirm or :nothing"),
        ] {
            assert_eq!(in_shell(line), shell);
        }
    }
}
