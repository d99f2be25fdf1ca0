//! The commands of line mode as subcommands: `warroom ack -i INC-1`.
//!
//! Hides that they come from the table of line mode ([`plain::in_shell_by_subject`]).
//!
//! Invariant: nothing is sent or ended that was not confirmed: on a terminal what will happen is shown and asked about; without one `--yes` says what is
//! confirmed, and anything else than what would happen is no yes.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};

use super::answers::{meant, opened};
use super::confirm::{asks as asks_for, can_ask, say, unconfirmed};
use super::status::Status;
use super::{Common, Does, Ending, Screen, args, say_error, start};
use crate::config::{Config, Inputs};
use crate::pane::Access;
use crate::run::plain::{self, Confirmed, ShellCommand, ShellVerb, Wants, Went};
use crate::run::{Opening, records};

/// All of them, by subject.
fn by_subject(known: &[String]) -> Vec<(&'static str, Vec<ShellVerb>)> {
    let is_new = |verb: &ShellVerb| !known.iter().any(|name| name == verb.name);
    plain::in_shell_by_subject()
        .map(|(subject, verbs)| (subject, verbs.into_iter().filter(is_new).collect::<Vec<_>>()))
        .filter(|(_, verbs)| !verbs.is_empty())
        .collect()
}

/// Adds them to the command line.
pub(super) fn added_to(command: Command) -> Command {
    let known: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let all = by_subject(&known);
    let mut help = String::from(
        "Commands for an incident, as in line mode (`warroom ack -i INC-1`; `warroom help ack` explains one):\n",
    );
    for (subject, verbs) in &all {
        let names: Vec<_> = verbs.iter().map(|verb| verb.name).collect();
        let _ = writeln!(help, "  {subject}: {}", names.join(", "));
    }
    let command = command.after_help(format!("{help}\n{}", super::status::table()));
    command.subcommands(all.into_iter().flat_map(|(_, verbs)| verbs).map(|verb| subcommand(&verb, &known)))
}

fn subcommand(verb: &ShellVerb, known: &[String]) -> Command {
    let aliases = verb.aliases.iter().filter(|alias| !known.iter().any(|name| name == *alias));
    let mut command = Command::new(verb.name)
        .about(sentence(verb.help))
        .hide(true)
        .visible_aliases(aliases.copied().collect::<Vec<_>>())
        .arg(
            Arg::new("words")
                .num_args(0..)
                .value_name(if verb.form.is_empty() { "WORDS" } else { verb.form })
                .help("What belongs to it; a lone - reads it from stdin, and `\\n` begins a line of a text"),
        );
    if !verb.looks {
        command = command
            .arg(
                Arg::new("yes")
                    .long("yes")
                    .value_name("WHAT")
                    .help("Confirms what would be sent or ended, by the words that stand for it; asked on a terminal"),
            )
            .arg(
                Arg::new("dry-run")
                    .long("dry-run")
                    .action(ArgAction::SetTrue)
                    .help("Say what would be sent, and do nothing of it"),
            );
    }
    if verb.anyway.is_some() {
        let help = "Though something speaks against it";
        command = command.arg(Arg::new("anyway").long("anyway").action(ArgAction::SetTrue).help(help));
    }
    command
}

/// A help text with a capital letter, as the other subcommands have it.
fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Every command with what follows it and what it does, as README and `warroom keys --commands` have them.
pub(super) fn table(markdown: bool) -> String {
    let mut out =
        String::from(if markdown { "| command | in a shell | what it does |\n| --- | --- | --- |\n" } else { "" });
    for row in plain::command_table() {
        let names = row.names.iter().map(|name| format!(":{name}")).collect::<Vec<_>>().join(", ");
        let (form, shell, help) = (row.form.replace('|', "\\|"), row.shell, row.help);
        let form = if form.is_empty() { form } else { format!(" {form}") };
        let _ = match markdown {
            true => writeln!(out, "| `{names}{form}` | {shell} | {help} |"),
            false => writeln!(out, "  {names}{}\n      {shell}: {help}", form.replace("\\|", "|")),
        };
    }
    out.trim_end().to_owned()
}

/// The command that a name means, if it is one of these.
pub(super) fn named(name: &str) -> Option<ShellVerb> {
    plain::in_shell_by_subject().flat_map(|(_, verbs)| verbs).find(|verb| verb.name == name)
}

/// Has a command done.
pub(super) fn run(
    config: &Config,
    inputs: &Inputs,
    common: &Common,
    verb: &ShellVerb,
    matches: &ArgMatches,
    does: &mut Does,
) -> Result<ExitCode, Ending> {
    let given: Vec<String> = matches.get_many("words").map(|all| all.cloned().collect()).unwrap_or_default();
    let given: Vec<String> = given.iter().map(|word| args::typed(word)).collect();
    let words = match given.split_last() {
        Some((last, before)) if last == "-" => {
            let text = super::piped()?;
            before.iter().map(String::as_str).chain([text.trim_end()]).collect::<Vec<_>>().join(" ")
        }
        _ => given.join(" "),
    };
    let is_set = |name: &str| matches.try_get_one::<bool>(name).ok().flatten() == Some(&true);
    let name = verb.anyway.filter(|_| is_set("anyway")).unwrap_or(verb.line);
    let word = matches.try_get_one::<String>("yes").ok().flatten();
    let dir = opened(config)?;
    let named = meant(config, &dir, common.incident)?;
    let id = records::going_on(&dir, named)?.id();
    if id != named {
        say_error(&format!("{named} goes on in {id}: this is done there"));
    }
    if let Some(trouble) = crate::journal::trouble(&dir, id) {
        say_error(&trouble.why);
    }
    drop(dir);
    let plan = || -> Result<_, Ending> {
        let screen = Screen { read_only: verb.looks, ..Screen::default() };
        let mut plan = start::plan(config, Opening::Record(id), &screen, inputs)?;
        // What says nothing of the world does not ask it.
        match verb.wants {
            Wants::World => {}
            Wants::Changes => plan.endpoints = Vec::new(),
            Wants::Nothing => (plan.endpoints, plan.change_command) = (Vec::new(), None),
        }
        debug_assert!(!verb.looks || plan.settings.access == Access::ReadOnly);
        Ok(plan)
    };
    let mut asked = ShellCommand { name, words, wants: verb.wants, confirmed: word.cloned().map(Confirmed::Word) };
    if is_set("dry-run") {
        asked.confirmed = None;
    }
    let mut answered = plain::once(plan()?, &asked)?;
    let asks = can_ask() && word.is_none();
    if let (Went::Unconfirmed(consent), true) = (answered.went.clone(), asks && !is_set("dry-run")) {
        answered.said.iter().for_each(|line| say(line));
        if !asks_for(&id.to_string(), &consent)? {
            say_error("nothing was done");
            return Ok(Status::Unconfirmed.into());
        }
        asked.confirmed = Some(Confirmed::Seen(consent));
        answered = plain::once(plan()?, &asked)?;
        if matches!(answered.went, Went::Unconfirmed(_)) {
            say_error("it changed while you read it: nothing was done");
        }
    }
    *does = Does::it(matches!(answered.went, Went::Done));
    tell(answered, word, is_set("dry-run"))
}

/// Prints the answer; what was done stays done, whatever becomes of the printing.
fn tell(answered: plain::ShellAnswer, word: Option<&String>, is_dry: bool) -> Result<ExitCode, Ending> {
    let plain::ShellAnswer { went, said, complaints } = answered;
    // What goes on below a sentence belongs to it.
    complaints.iter().for_each(|line| if line.starts_with("    ") { say(line) } else { say_error(line) });
    let status = match went {
        Went::Done | Went::Answered => Status::Done,
        Went::Refused => Status::Refused,
        Went::Misused => Status::Misused,
        Went::Unsent => Status::Unsent,
        Went::Ended(number) => return Ok(ExitCode::from(number)),
        Went::Unconfirmed(consent) => {
            said.iter().for_each(|line| say(line));
            consent.would.iter().for_each(|line| say(line));
            if is_dry {
                say_error("--dry-run: nothing was done");
                return Ok(Status::Done.into());
            }
            unconfirmed(&consent, word);
            return Ok(Status::Unconfirmed.into());
        }
    };
    if said.is_empty() {
        return Ok(status.into());
    }
    match (super::print(&said.join("\n")), status) {
        (Err(ending), Status::Done) => Err(ending),
        (Ok(_) | Err(_), _) => Ok(status.into()),
    }
}
