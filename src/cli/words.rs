//! What `warroom template list|check` say.
//!
//! Hides the layout of these texts.
//!
//! Invariant: the exit status is 0 only when every template that was looked at can be used, and what it gives may go out.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use super::{Ending, print};
use crate::config::{Config, files};
use crate::run::clock;
use crate::template::{ChannelTemplate, Facts, Reader, Template, TemplateName, Templates, Vocabulary, lint, names};
use crate::text::CleanStr;

pub(super) fn list(config: &Config) -> Result<ExitCode, Ending> {
    let templates = files::templates(&config.templates);
    let today = clock::wall().date_naive();
    let mut out = super::out::out(super::out::Ink::Never);
    for template in templates.iter() {
        let review = match template.review_overdue(today) {
            Some(days) => format!("REVIEW OVERDUE {days} d"),
            None => format!("reviewed {}", template.reviewed),
        };
        let promise = template.promise.map_or_else(|| "-".to_owned(), |promise| format!("next in {promise}"));
        let own = if is_shipped(template) { String::new() } else { format!("  {}", template.file) };
        writeln!(out, "{:<24} {promise:<12} {review:<22} {}{own}", template.name, template.owner)?;
    }
    for template in templates.channels() {
        let own = if template.file.starts_with("playbooks/templates/") {
            String::new()
        } else {
            format!("  {}", template.file)
        };
        let reviewed = format!("reviewed {}", template.reviewed);
        writeln!(out, "{template:<24} {:<12} {reviewed:<22} {}{own}", "-", template.owner)?;
    }
    for problem in &templates.problems {
        writeln!(out, "{problem}")?;
    }
    Ok(if templates.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn is_shipped(template: &Template) -> bool {
    crate::template::SHIPPED.iter().any(|(file, _)| template.file == *file)
}

pub(super) fn check(config: &Config, file: Option<&Path>) -> Result<ExitCode, Ending> {
    let vocabulary = Vocabulary::of(&files::catalogue(&config.playbooks));
    let Some(file) = file else { return check_all(config, &vocabulary) };
    let shown = CleanStr::new(&file.to_string_lossy());
    let text = files::text(file).map_err(Ending::Usage)?;
    if let Some(reader) = Reader::of_file(&file.to_string_lossy()) {
        ChannelTemplate::parse(&file.to_string_lossy(), reader, &text)
            .map_err(|flaw| Ending::Failure(flaw.to_string()))?;
        return print(&format!("{shown}: fine, for texts in {}", reader.place()));
    }
    if TemplateName::of_file(&file.to_string_lossy()).is_none() {
        let known = names().join(", ");
        let sentence = format!("{shown}: the name says what a template is for: {known}, and .txt");
        return Err(Ending::Usage(sentence));
    }
    let template =
        Templates::parse(&file.to_string_lossy(), &text).map_err(|flaw| Ending::Failure(flaw.to_string()))?;
    let remarks = remarks(&template, config, &vocabulary)?;
    if remarks.is_empty() {
        return print(&format!("{shown}: fine, for {} updates to {}", template.name.status.name(), reader(&template)));
    }
    Err(Ending::Failure(remarks.join("\n")))
}

fn reader(template: &Template) -> &'static str {
    template.name.audience.name()
}

fn check_all(config: &Config, vocabulary: &Vocabulary) -> Result<ExitCode, Ending> {
    let templates = files::templates(&config.templates);
    let mut problems = templates.problems.clone();
    let mut out = super::out::out(super::out::Ink::Never);
    for template in templates.iter() {
        let remarks = remarks(template, config, vocabulary)?;
        if remarks.is_empty() {
            writeln!(out, "{:<24} fine", template.name)?;
        }
        problems.extend(remarks);
    }
    for template in templates.channels() {
        writeln!(out, "{template:<24} fine")?;
    }
    if problems.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Ending::Failure(problems.join("\n"))) }
}

/// What the check of a text says of a template that is filled with the facts of an invented incident.
fn remarks(template: &Template, config: &Config, vocabulary: &Vocabulary) -> Result<Vec<String>, Ending> {
    let facts = Facts::sample(clock::wall(), config.zone.0);
    let rendered = template.render(&facts).map_err(|error| Ending::Failure(error.to_string()))?;
    let remarks = lint(&rendered.text, template.name.audience, vocabulary);
    Ok(remarks.iter().map(|remark| format!("{}: {remark}", template.file)).collect())
}
