//! `warroom playbook`: list, show, check, and begin one from a Markdown runbook.
//!
//! Exit status: 0 fine, 1 a file is wrong, 2 the command line is.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::answers::playbooks;
use super::start::surroundings;
use super::{Ending, print};
use crate::clock;
use crate::config::{Config, files};
use crate::incident::Purpose;
use crate::pane::playbook::offers;
use crate::playbook::surroundings::Surroundings;
use crate::playbook::{Aliases, Playbook, runbook};
use crate::runner::look::look_up;
use crate::text::{CleanStr, Exact};

/// Prints a playbook as one reads it aloud.
pub(super) fn show(config: &Config, service: &str) -> Result<ExitCode, Ending> {
    let catalogue = files::catalogue(&config.playbooks);
    let Some(playbook) = catalogue.get(service) else {
        let known: Vec<_> = catalogue.iter().map(|playbook| playbook.service.as_str()).collect();
        if let Some(why) = catalogue.why_none(service) {
            return Err(Ending::Failure(why));
        }
        let service = CleanStr::new(service);
        return Err(Ending::Usage(format!("there is no playbook of `{service}`: there are {}", known.join(", "))));
    };
    let mut out = format!(
        "{} ({}), kept by {}, reviewed {}\n",
        playbook.name, playbook.service, playbook.owner, playbook.reviewed
    );
    if let Some(variant) = &playbook.variant {
        let _ = writeln!(out, "  for {variant}");
    }
    for contact in &playbook.contacts {
        let _ = writeln!(out, "  {}: {}", contact.name, contact.how);
    }
    for (place, step) in playbook.steps.iter().enumerate() {
        let _ = writeln!(out, "\n{} {} ({})", place + 1, step.title, step.id);
        let words = [("look", &step.look), ("expect", &step.expect), ("undo", &step.undo)];
        let words = words.into_iter().map(|(name, text)| (name, text.replace('\n', " ")));
        for (name, text) in words.chain(offers(step)) {
            let _ = writeln!(out, "  {name:<9}{text}");
        }
    }
    print(out.trim_end())
}

/// Checks some files or all playbooks, and says which programs this machine does not have.
pub(super) fn check(config: &Config, files: &[PathBuf]) -> Result<ExitCode, Ending> {
    if files.is_empty() {
        let status = playbooks(config)?;
        let catalogue = files::catalogue(&config.playbooks);
        let around = surroundings(config);
        let missing: Vec<String> =
            catalogue.iter().flat_map(|playbook| missing(playbook, &config.commands, &around)).collect();
        if !missing.is_empty() {
            print(&missing.join("\n"))?;
        }
        return Ok(status);
    }
    if let Some((file, error)) = files.iter().find_map(|file| Some((file, std::fs::metadata(file).err()?))) {
        return Err(Ending::Usage(format!("{}: {error}", file.display())));
    }
    let (mut lines, mut wrong) = (Vec::new(), Vec::new());
    for file in files {
        match checked(config, file) {
            Ok(fine) => lines.extend(fine),
            Err(why) => wrong.push(why),
        }
    }
    if !lines.is_empty() {
        print(&lines.join("\n"))?;
    }
    if wrong.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Ending::Failure(wrong.join("\n"))) }
}

/// What is to be said of the playbooks in a file that is fine.
fn checked(config: &Config, file: &Path) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for text in files::playbooks(file)? {
        let playbook = Playbook::parse(&file.display().to_string(), &text).map_err(|flaw| flaw.to_string())?;
        lines.push(format!(
            "{}: fine, {} for {}",
            file.display(),
            crate::text::many(playbook.steps.len(), "step"),
            playbook.service
        ));
        lines.extend(playbook.doubts().into_iter().map(|doubt| format!("! {doubt}")));
        lines.extend(missing(&playbook, &config.commands, &surroundings(config)));
    }
    Ok(lines)
}

/// A line for each program of a playbook that is not on this machine.
fn missing(playbook: &Playbook, aliases: &Aliases, around: &Surroundings) -> Vec<String> {
    let mut steps: BTreeMap<&Exact, BTreeSet<&str>> = BTreeMap::new();
    let is_shipped = playbook.foreign.is_none();
    let mut others = BTreeSet::new();
    for step in &playbook.steps {
        let Some(command) = step.command() else { continue };
        for program in [Purpose::Do, Purpose::Undo].iter().filter_map(|purpose| command.argv(*purpose).first()) {
            let program = aliases.get(program).and_then(|words| words.first()).unwrap_or(program);
            if !is_there(program) {
                steps.entry(program).or_default().insert(&step.id);
            } else if let Err(why) = look_up(program, &around.folder(command.directory.as_ref(), is_shipped)) {
                others.insert(format!("{}: step {}: {why}", playbook.service, step.id));
            }
        }
    }
    let line = |(program, steps): (&Exact, BTreeSet<&str>)| {
        let steps: Vec<_> = steps.into_iter().collect();
        format!(
            "{}: `{}` is not on this machine (steps {}): `[commands]` in the configuration names another",
            playbook.service,
            program.shown(),
            steps.join(", ")
        )
    };
    steps.into_iter().map(line).chain(others).collect()
}

fn is_there(program: &Exact) -> bool {
    let program = OsStr::from_bytes(program.as_bytes());
    if program.as_bytes().contains(&b'/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Prints the beginning of a playbook from a Markdown runbook, or with one step to begin with.
pub(super) fn begin(service: &str, from: Option<&Path>) -> Result<ExitCode, Ending> {
    let text = match from {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| Ending::Usage(format!("{}: {error}", file.display())))?
        }
        None => "* Look at the dashboards of the service\n".to_owned(),
    };
    let written = runbook::begin(service, &text, clock::wall().date_naive());
    let file = from.map(|file| format!("{}: ", file.display())).unwrap_or_default();
    print(written.map_err(|why| Ending::Usage(format!("{file}{why}")))?.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_here_is_named_with_its_steps() {
        let catalogue = crate::playbook::Catalogue::shipped();
        let playbook = catalogue.get("alipay").unwrap();
        let aliases =
            Aliases::from([("flagctl".into(), vec!["/nowhere/flagctl".into()]), ("kubectl".into(), vec!["sh".into()])]);
        let around = Surroundings { directory: "/".into(), home: "/".into(), ..Surroundings::default() };
        assert_eq!(
            missing(playbook, &aliases, &around),
            [
                "alipay: `/nowhere/flagctl` is not on this machine (steps route-to-backup, shed-retries): `[commands]` in the configuration names another"
            ]
        );
    }
}
