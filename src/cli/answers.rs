//! Subcommands that answer and end.

use std::io::Write;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::start::host;
use super::{Ending, print};
use crate::config::{Config, files};
use crate::console::overlay::summary_line;
use crate::console::{Summary, actions};
use crate::incident::command::decide;
use crate::incident::when::{self, Side};
use crate::incident::{Actor, Asking, Command, Incident, IncidentId, NoteAdded, NoteKind, Refusal, Series, Via};
use crate::journal::{self, Journal, JournalDir, JournalError, NewEntry};
use crate::oncall::canonical;
use crate::pane::{PANES, roster, to_tell};
use crate::run::plain::said_in_shell;
use crate::run::records::{self, Board};
use crate::run::{JournalPlace, clock};
use crate::text::{CleanStr, CleanText};

/// Where the configuration says that the journal is.
pub(super) fn place(config: &Config) -> JournalPlace {
    let sharing = match config.sharing {
        crate::config::Sharing::Private => crate::journal::Sharing::Private,
        crate::config::Sharing::Group => crate::journal::Sharing::Group,
    };
    JournalPlace { directory: config.journal.clone(), sharing, own: config.log.with_file_name("own") }
}

/// Whether several accounts write one record.
pub(super) fn is_shared(config: &Config) -> bool {
    match config.sharing {
        crate::config::Sharing::Private => false,
        crate::config::Sharing::Group => true,
    }
}

/// Who acts: `--as`, else the configuration, else the login name; somebody of `[[people]]` by the name that they have there.
pub(super) fn actor(config: &Config) -> Actor {
    let said = config.name.clone();
    let said = said.unwrap_or_else(|| Actor::new(&login_name(rustix::process::getuid().as_raw())));
    canonical(&config.people, &said)
}

/// The name that the login set, else what the account file says of the user id.
fn login_name(uid: u32) -> String {
    let of_environment =
        ["LOGNAME", "USER"].into_iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    let of_account = || {
        let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next().filter(|name| !name.is_empty())?;
            (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        })
    };
    of_environment.or_else(of_account).unwrap_or_else(|| format!("uid{uid}"))
}

/// A moment as somebody writes it; how it was understood is said on stderr where that is not plain: another day, another zone.
pub(super) fn moment(text: &str, now: DateTime<Utc>, zone: chrono_tz::Tz, side: Side) -> Result<DateTime<Utc>, Ending> {
    let text = &super::args::typed(text);
    let when = when::read(text, now, zone, side).map_err(|why| Ending::Usage(why.to_string()))?;
    if when.is_telling(now, zone) {
        super::say_error(&format!("`{}` was understood as {}", text.trim(), when.words(now, zone)));
    }
    Ok(when.at)
}

/// Which process writes.
pub(super) fn via(console: &str) -> Via {
    Via { uid: rustix::process::getuid().as_raw(), pid: std::process::id(), console: console.into(), host: host() }
}

/// Who asks an incident, and by which rules: the same people, positions and times as in a console.
pub(super) fn asking(config: &Config, incident: &Incident, now: DateTime<Utc>) -> Asking {
    let me = actor(config);
    let roster = roster(&config.people, [me.clone()], incident, config.rotation.as_ref());
    let (tell, is_shared) = (tell(config, incident), is_shared(config));
    Asking { cadence: incident.cadence(&config.cadence), tell, roster, is_shared, ..Asking::new(me, now) }
}

/// The positions that must know of an incident.
pub(super) fn tell(config: &Config, incident: &Incident) -> Vec<CleanStr> {
    to_tell(incident, &config.matrix, &files::catalogue(&config.playbooks), &config.cadence)
}

/// A refusal as a shell reads it: moments in the incident's zone, actions as subcommands.
pub(super) fn refused(refusal: &Refusal, incident: &Incident) -> Ending {
    Ending::Failure(said_in_shell(refusal.saying(), incident.zone()))
}

/// The journal; where it can only be read, that is said beside what is printed of it.
pub(super) fn opened(config: &Config) -> Result<JournalDir, JournalError> {
    let dir = place(config).open()?;
    if let Some(why) = dir.only_read() {
        super::say_error(&why.to_string());
    }
    Ok(dir)
}

/// A record; what is wrong with it is said beside what is printed of it.
pub(super) fn read_record(dir: &JournalDir, id: IncidentId) -> anyhow::Result<Incident> {
    let (mut incident, mut lacks) = records::read_with(dir, id)?;
    let trouble = journal::trouble(dir, id);
    if lacks.is_some() && trouble.is_none() {
        // The disk did not give all of it, and then it did: what is told must be what is there.
        (incident, lacks) = records::read_with(dir, id)?;
        if let Some(why) = &lacks {
            anyhow::bail!("{why}; looked over, the record is sound: ask again, the disk may be failing");
        }
    }
    if let Some(why) = dir.only_read_record(id) {
        super::say_error(&why.to_string());
    }
    if let Some(why) = trouble.map(|trouble| trouble.why).or(lacks) {
        super::say_error(&why);
    }
    Ok(incident)
}

/// By which rules records are listed.
pub(super) fn board(config: &Config) -> Board {
    Board { cadence: config.cadence, matrix: config.matrix.clone(), catalogue: files::catalogue(&config.playbooks) }
}

pub(super) fn summary_json(summary: &Summary) -> serde_json::Value {
    json!({
        "id": summary.id,
        "title": summary.title,
        "severity": summary.severity,
        "phase": summary.phase,
        "service": summary.service,
        "commander": summary.commander,
        "declared_at": summary.declared_at,
        "not_sent": summary.unsent, "still_in_staging": summary.standing,
        "next": summary.next.as_ref().map(|(name, due)| json!({ "name": name, "due": due })),
    })
}

pub(super) fn note(
    config: &Config,
    id: Option<IncidentId>,
    kind: Option<NoteKind>,
    text: &str,
) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    let named = meant(config, &dir, id)?;
    let me = actor(config);
    let incident = records::going_on(&dir, named)?;
    let id = incident.id();
    if id != named {
        super::say_error(&format!("{named} goes on in {id}: the note stands there"));
    }
    if let Some(trouble) = journal::trouble(&dir, id) {
        if trouble.is_broken {
            return Err(Ending::Failure(format!(
                "{}; the note is NOT SAVED: writing would make it worse; `warroom journal export {id}` saves what can be read",
                trouble.why
            )));
        }
        super::say_error(&trouble.why);
    }
    let now = incident.clock().show(clock::wall());
    let zone = incident.zone.parse().unwrap_or(chrono_tz::UTC);
    let line = crate::incident::command::scribe_line(text, now, zone);
    if let Some(why) = &line.doubt {
        super::say_error(&format!("{why}; the line is kept as text, with the time of now"));
    }
    if let Some(when) = line.when.as_ref().filter(|when| when.is_telling(now, zone)) {
        super::say_error(&format!("the time of the line was understood as {}", when.words(now, zone)));
    }
    let body = NoteAdded { kind: kind.unwrap_or(line.kind), text: CleanText::new(line.text.trim_end()), at: line.at };
    let events = decide(&incident, Command::AddNote(body), &asking(config, &incident, now))
        .map_err(|refusal| refused(&refusal, &incident))?;
    let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(me.clone(), event)).collect();
    dir.journal(id, via("note"))?.append(&entries)?;
    Ok(ExitCode::SUCCESS)
}

/// The incident that was named, or the only one that is open.
pub(super) fn meant(config: &Config, dir: &JournalDir, id: Option<IncidentId>) -> Result<IncidentId, Ending> {
    match id {
        Some(id) => Ok(id),
        None => {
            let mut open = records::list(dir, records::Which::Open, &board(config)).whole().map_err(|why| {
                Ending::Failure(format!("which incidents are open is not known: {why}; name one with -i"))
            })?;
            // A drill that left something in staging is listed, and is never the one that is meant.
            open.retain(|one| one.id.series == crate::incident::Series::Incident);
            only_open(&open)
        }
    }
}

/// So many incidents are named where one must be chosen.
const MOST_NAMED: usize = 10;

fn only_open(open: &[Summary]) -> Result<IncidentId, Ending> {
    match open {
        [only] => Ok(only.id),
        [] => Err(Ending::Usage("no incident is open: name one with -i, or declare one".to_owned())),
        several => {
            let count = several.len();
            let mut sorted: Vec<&Summary> = several.iter().collect();
            sorted.sort_by_key(|summary| summary.rank());
            let mut lines: Vec<_> =
                sorted.iter().take(MOST_NAMED).map(|summary| summary_line(summary, clock::wall())).collect();
            if count > MOST_NAMED {
                lines.push(format!("… {} more: `warroom list` shows all", count - MOST_NAMED));
            }
            Err(Ending::Usage(format!("{count} incidents are open: name one with -i\n{}", lines.join("\n"))))
        }
    }
}

/// Why a record that has no file cannot be opened.
fn missing(dir: &JournalDir, id: IncidentId, console: &str) -> Ending {
    let why = dir.journal(id, via(console)).err();
    why.map_or_else(|| Ending::Failure(format!("{id} was begun this moment: ask again")), Into::into)
}

pub(super) fn verify(config: &Config, id: Option<IncidentId>) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    let ids = match id {
        Some(id) if !dir.path(id).exists() => {
            return Err(missing(&dir, id, "verify"));
        }
        Some(id) => vec![id],
        None => dir.ids()?,
    };
    let mut out = super::out::out(super::out::Ink::Never);
    let mut is_sound = true;
    for id in ids {
        match crate::journal::verify(&dir.path(id)) {
            Ok(verification) if verification.is_sound() => {
                let redacted = match verification.redacted.len() {
                    0 => String::new(),
                    count => format!(", {count} redacted"),
                };
                writeln!(out, "{id}: sound, {}{redacted}", crate::text::many(verification.entries, "entry"))?
            }
            Ok(verification) => {
                is_sound = false;
                writeln!(out, "{id}: DAMAGED, {} can be read", crate::text::many(verification.entries, "entry"))?;
                for damage in &verification.damage {
                    writeln!(out, "  {damage}")?;
                }
            }
            Err(error) => {
                is_sound = false;
                writeln!(out, "{id}: {error}")?;
            }
        }
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

pub(super) fn export(config: &Config, id: IncidentId) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    if !dir.path(id).exists() {
        return Err(missing(&dir, id, "export"));
    }
    let found = crate::journal::export(&dir.path(id), super::out::out(super::out::Ink::Never))?;
    if found.is_sound() {
        Ok(ExitCode::SUCCESS)
    } else {
        Err(Ending::Failure(format!("{id} is damaged: warroom journal verify {id}")))
    }
}

pub(super) fn fill(config: &Config, entries: usize, seed: u64) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    let id = dir.create(Series::Incident)?;
    crate::journal::fill(&dir, id, entries, seed)?;
    print(&id.to_string())
}

pub(super) fn playbooks(config: &Config) -> Result<ExitCode, Ending> {
    let catalogue = files::catalogue(&config.playbooks);
    let today = clock::wall().date_naive();
    let mut out = super::out::out(super::out::Ink::Never);
    for playbook in catalogue.iter() {
        let review = match playbook.review_overdue(today) {
            Some(days) => format!("REVIEW OVERDUE {days} d"),
            None => format!("reviewed {}", playbook.reviewed),
        };
        let (steps, objectives) = (playbook.steps.len(), playbook.objectives.len());
        writeln!(
            out,
            "{:<12} {steps:>2} steps {objectives} objectives  {review:<22} {}{}",
            playbook.service,
            playbook.owner,
            playbook.variant.as_ref().map(|variant| format!(" · for {variant}")).unwrap_or_default()
        )?;
    }
    for problem in &catalogue.problems {
        writeln!(out, "{problem}")?;
    }
    Ok(if catalogue.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

pub(super) fn keys(markdown: bool) -> Result<ExitCode, Ending> {
    print(&key_table(markdown))
}

/// Every key, as README and `warroom keys` show it.
pub(super) fn key_table(markdown: bool) -> String {
    let mut out = String::new();
    let all = actions::all();
    let mut section = |title: &str, scope: actions::Scope| {
        let heading = if markdown {
            format!("**{title}**\n\n| key | name | what it does |\n| --- | --- | --- |\n")
        } else {
            format!("{title}\n")
        };
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&heading);
        for listed in all.iter().filter(|listed| listed.scope == scope) {
            let line = if markdown {
                let keys: Vec<String> = listed.keys.iter().map(|key| format!("`{key}`")).collect();
                format!("| {} | `{}` | {} |\n", keys.join(" "), listed.full_name(), listed.help)
            } else {
                format!("  {:<16} {:<26} {}\n", listed.keys.join(" "), listed.full_name(), listed.help)
            };
            out.push_str(&line);
        }
    };
    section("everywhere", actions::Scope::Everywhere);
    for (place, spec) in PANES.iter().enumerate() {
        section(&format!("{} {}: {}", place + 1, spec.name, spec.about), actions::Scope::Pane(spec.id));
    }
    out.trim_end().to_owned()
}
