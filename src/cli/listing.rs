//! `warroom list`: which records, in which order, in which form.
//!
//! Hides the three forms for programs. One JSON document, one JSON object a line, or columns between tabs; all have the same fields in the same order.
//!
//! Invariant: a filter that matches nothing gives an empty answer of the same form, and ends with 0.

use std::io::Write;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::out::{Ink, Tint};
use super::{Ending, print};
use crate::config::Config;
use crate::console::Summary;
use crate::console::overlay::summary_line;
use crate::incident::{Phase, Series, Severity};
use crate::journal::Sound;
use crate::run::{clock, records};
use crate::text::duration::Lapse;

/// How an answer is written for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// One JSON document
    Json,
    /// A JSON object a line
    Jsonl,
    /// Columns between tabs, with a heading
    Tsv,
}

/// What `list` was asked for.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Listing {
    /// As JSON: {"incidents":[{"id":…}]}; the same as -o json
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// For programs: json, jsonl or tsv
    #[arg(short, long, value_enum, value_name = "FORM")]
    output: Option<Form>,
    /// Closed ones and drills too
    #[arg(long, conflicts_with = "open")]
    all: bool,
    /// Only those that are not closed: what is listed without --all
    #[arg(long)]
    open: bool,
    /// Only those whose first service this is
    #[arg(short, long, value_name = "NAME")]
    service: Option<String>,
    /// Only of these severities
    #[arg(long, value_name = "sev0|sev1|…", value_delimiter = ',')]
    severity: Vec<Severity>,
    /// Only those that were declared so lately: 2h, 30d
    #[arg(long, value_name = "TIME")]
    since: Option<Lapse>,
}

impl Listing {
    fn takes(&self, one: &Summary, now: DateTime<Utc>) -> bool {
        let is_of = |service: &String| one.service.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(service));
        let is_late = |since: Lapse| one.declared_at.is_some_and(|at| at >= now - chrono::TimeDelta::from(since));
        self.service.as_ref().is_none_or(is_of)
            && (self.severity.is_empty() || one.severity.is_some_and(|level| self.severity.contains(&level)))
            && self.since.is_none_or(is_late)
    }
}

/// Lists records, what runs first, then the worst, then the newest.
pub(super) fn list(config: &Config, asked: &Listing, ink: Ink) -> Result<ExitCode, Ending> {
    let (dir, now) = (super::answers::opened(config)?, clock::wall());
    let board = super::answers::board(config);
    let which = if asked.all { records::Which::All } else { records::Which::Open };
    let (mut list, unread) = records::list(&dir, which, &board).parts();
    list.retain(|one| asked.takes(one, now));
    list.sort_by_key(Summary::rank);
    // What cannot be read is in no list, and what is damaged looks whole.
    let (mut sound, mut told) = (Sound::of(&dir), Vec::new());
    for id in dir.ids()?.into_iter().filter(|id| asked.all || id.series == Series::Incident) {
        if let Some(trouble) = sound.trouble(id) {
            super::say_error(&trouble.why);
            told.push(format!("{id} "));
        }
    }
    // What other systems still lack does not end with the incident.
    let (mut closed, unread_closed) = match asked.all {
        true => (Vec::new(), None),
        false => records::list(&dir, records::Which::Incidents, &board).parts(),
    };
    let unread = unread.or(unread_closed);
    // A disk that fails now and then lets the second look pass: the list is not whole all the same. Each cause is told
    // once.
    if let Some(why) = unread.as_ref().filter(|why| !told.iter().any(|name| why.starts_with(name.as_str()))) {
        super::say_error(&format!("not all that is here is known: {why}"));
    }
    closed.retain(|one| one.phase == Phase::Closed && !one.unsent.is_empty() && asked.takes(one, now));
    match asked.output.or(asked.json.then_some(Form::Json)) {
        Some(Form::Json) => {
            let (incidents, closed): (Vec<_>, Vec<_>) =
                (list.iter().map(fields).collect(), closed.iter().map(fields).collect());
            // Whoever reads only this must not take what could not be read for what is not there.
            let mut whole = json!({ "incidents": incidents, "closed_and_not_sent": closed });
            if let Some(why) = &unread {
                whole["not_read"] = json!([why.to_string()]);
            }
            print(&whole.to_string())
        }
        Some(Form::Jsonl) => lines(list.iter().map(|one| fields(one).to_string()).collect()),
        Some(Form::Tsv) => {
            let heading = COLUMNS.join("\t");
            lines(std::iter::once(heading).chain(list.iter().map(row)).collect())
        }
        None => {
            let mut said: Vec<(Tint, String)> = Vec::new();
            for one in &list {
                said.push((one.severity.map_or(Tint::Plain, Tint::of), summary_line(one, now)));
                let unsent = one.unsent.iter().map(|unsent| format!("          not sent: {unsent}"));
                said.extend(unsent.map(|line| (Tint::Amber, line)));
            }
            if unread.is_some() && said.is_empty() {
                let unknown = "not all records can be read, so which incidents are open is not known";
                said.push((Tint::Amber, unknown.to_owned()));
            }
            if said.is_empty() {
                let is_filtered = asked.service.is_some() || !asked.severity.is_empty() || asked.since.is_some();
                let none = if is_filtered {
                    "no record is like that: --all looks among closed ones and drills, too"
                } else {
                    "no incident is open (warroom declare, or warroom gameday for an exercise); --all lists drills, too"
                };
                said.push((Tint::Plain, none.to_owned()));
            }
            for one in closed {
                let id = one.id;
                let unsent = one.unsent.join("; ");
                let line = format!("{id} is closed, and not all has gone out: {unsent} (warroom open {id})");
                said.push((Tint::Amber, line));
            }
            let mut out = super::out::out(ink);
            for (tint, line) in said {
                out.tinted(tint, &line)?;
                writeln!(out)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Nothing at all where there is no line.
fn lines(lines: Vec<String>) -> Result<ExitCode, Ending> {
    if lines.is_empty() { Ok(ExitCode::SUCCESS) } else { print(&lines.join("\n")) }
}

/// The columns of the form with tabs.
const COLUMNS: [&str; 7] = ["id", "severity", "phase", "service", "commander", "declared_at", "title"];

fn row(one: &Summary) -> String {
    let fields = fields(one);
    let cell = |name: &&str| match &fields[*name] {
        Value::Null => String::new(),
        Value::String(text) => text.replace(['\t', '\n'], " "),
        other => other.to_string(),
    };
    COLUMNS.iter().map(cell).collect::<Vec<_>>().join("\t")
}

fn fields(summary: &Summary) -> Value {
    super::answers::summary_json(summary)
}
