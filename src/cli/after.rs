//! Subcommands for what follows an incident: postmortem, brief, follow-ups, report, merging, redacting, correcting times.
//!
//! Hides how words of a command line become what the record is asked, and the shapes of the JSON.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde_json::json;

use super::answers::{actor, asking, moment, opened, read_record, refused, tell, via};
use super::confirm::is_confirmed;
use super::status::Status;
use super::{Ending, one_record, print};
use crate::config::{Config, files};
use crate::incident::brief::{BriefKind, brief};
use crate::incident::command::decide;
use crate::incident::measures::Measure;
use crate::incident::postmortem::postmortem;
use crate::incident::when::Side;
use crate::incident::{
    Command, EntryId, EntryRedacted, Event, Incident, IncidentId, Milestone, Outcome, Rules, TimeAmended,
};
use crate::journal::{Journal, JournalDir, NewEntry};
use crate::report::{Completion, FOLLOW_UPS_UNKNOWN, Listed, Mean, Period, Row, follow_ups, report};
use crate::run::merge::Merging;
use crate::run::plain::Consent;
use crate::run::postmortem::write_postmortem;
use crate::run::{clock, records};
use crate::text::CleanStr;

/// Subcommands for what follows an incident.
#[derive(Debug, Subcommand)]
pub(super) enum AfterSub {
    /// Write the postmortem (Markdown) and the calendar file of its review
    Postmortem {
        /// INC-42, 42, or DRILL-3; as -i
        incident: Option<IncidentId>,
        /// Into this folder; `-` prints the Markdown
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Print a brief to read aloud: where do we stand?
    Brief {
        /// INC-42, 42, or DRILL-3; as -i
        incident: Option<IncidentId>,
        /// For the next holder of a role
        #[arg(long, conflicts_with = "since")]
        handover: bool,
        /// For somebody who left then: 14:10, -20m, or a date and time
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        since: Option<String>,
    },
    /// List the follow-ups of all incidents
    Followups {
        /// Done and dropped ones too
        #[arg(long)]
        all: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print process health over a period: MTTA, MTTR, cadence, GameDays, what is overdue
    Report {
        /// Since so long (30d) or since a day (2026-05-01); all without
        #[arg(long, value_name = "30d|DATE")]
        since: Option<String>,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Merge a duplicate into another incident: its lines and its earliest clocks go there, and it is closed
    Merge {
        /// The duplicate
        duplicate: IncidentId,
        /// Where it goes on
        #[arg(long, value_name = "INC")]
        into: IncidentId,
        /// Confirms it, by the words that stand for it; asked on a terminal
        #[arg(long, value_name = "WHAT")]
        yes: Option<String>,
    },
    /// Take a merge back: the duplicate is open again, and its lines and clocks are no part of the other record any more
    Unmerge {
        /// The record that was merged
        duplicate: IncidentId,
        /// How it is known that it was something else
        #[arg(long)]
        reason: String,
    },
    /// Take the words of a line out of the record for good; without a line, list those that can be
    Redact {
        /// Which record
        #[arg(required_unless_present = "changes")]
        incident: Option<IncidentId>,
        /// The line's number, as the list shows it, or its id
        #[arg(requires = "reason")]
        entry: Option<String>,
        /// Why
        #[arg(long)]
        reason: Option<String>,
        /// Of the recorded changes the one with this number; without a number, list them
        #[arg(long, value_name = "NUMBER", num_args = 0..=1, conflicts_with_all = ["incident", "entry"])]
        changes: Option<Option<usize>>,
        /// Confirms it, by the words that stand for it; asked on a terminal
        #[arg(long, value_name = "WHAT")]
        yes: Option<String>,
    },
    /// Correct a time by which the process is measured; both values stay in the record
    AmendTime {
        /// Which record
        incident: IncidentId,
        /// detected, acknowledged, impact-start, impact-end, mitigated or resolved
        #[arg(value_parser = milestone)]
        which: Milestone,
        /// When it really was: 14:10, -20m, or 2026-05-28 14:10
        #[arg(allow_hyphen_values = true)]
        time: String,
        /// How that is known
        #[arg(long)]
        reason: String,
    },
}

fn milestone(word: &str) -> Result<Milestone, String> {
    let names: Vec<_> = Milestone::ALL.iter().map(|which| which.name()).collect();
    Milestone::ALL.into_iter().find(|which| which.name() == word).ok_or_else(|| format!("choose {}", names.join(", ")))
}

/// Does what a subcommand of this file asks.
pub(super) fn run(config: &Config, command: AfterSub, flag: Option<IncidentId>) -> Result<ExitCode, Ending> {
    match command {
        AfterSub::Postmortem { incident, out } => tell_postmortem(config, one_record(incident, flag)?, &out),
        AfterSub::Brief { incident, handover, since } => {
            tell_brief(config, one_record(incident, flag)?, handover, since.as_deref())
        }
        AfterSub::Followups { all, json } => tell_follow_ups(config, all, json),
        AfterSub::Report { since, json } => process_health(config, since.as_deref(), json),
        AfterSub::Merge { duplicate, into, yes } => merge(config, duplicate, into, yes.as_ref()),
        AfterSub::Unmerge { duplicate, reason } => {
            let merging = Merging { actor: actor(config), via: via("merge"), cadence: config.cadence };
            print(&merging.undo(&opened(config)?, duplicate, &CleanStr::new(&reason))?)
        }
        AfterSub::Redact { incident: None, changes, yes, .. } => redact_change(config, changes.flatten(), yes.as_ref()),
        AfterSub::Redact { incident: Some(incident), entry: None, .. } => {
            redactable(config, one_record(Some(incident), flag)?)
        }
        AfterSub::Redact { incident: Some(incident), entry: Some(entry), reason, yes, .. } => {
            let reason = reason.unwrap_or_default();
            redact(config, one_record(Some(incident), flag)?, &entry, &reason, yes.as_ref())
        }
        AfterSub::AmendTime { incident, which, time, reason } => {
            amend_time(config, one_record(Some(incident), flag)?, which, &time, &reason)
        }
    }
}

impl AfterSub {
    /// Whether what it prints is for reading.
    pub(super) fn is_read(&self) -> bool {
        match self {
            Self::Brief { .. } | Self::Followups { .. } | Self::Report { .. } => true,
            Self::Postmortem { .. }
            | Self::Merge { .. }
            | Self::Unmerge { .. }
            | Self::Redact { .. }
            | Self::AmendTime { .. } => false,
        }
    }

    /// Whether it does something that stays done though the answer cannot be printed.
    pub(super) fn does(&self) -> bool {
        match self {
            Self::Merge { .. } | Self::Unmerge { .. } | Self::AmendTime { .. } => true,
            Self::Postmortem { out, .. } => out != Path::new("-"),
            Self::Redact { entry, changes, .. } => entry.is_some() || matches!(changes, Some(Some(_))),
            Self::Brief { .. } | Self::Followups { .. } | Self::Report { .. } => false,
        }
    }

    /// Whether it is about one record, so that `-i` says which.
    pub(super) fn is_of_one_record(&self) -> bool {
        match self {
            Self::Postmortem { .. } | Self::Brief { .. } | Self::Redact { .. } | Self::AmendTime { .. } => true,
            Self::Followups { .. } | Self::Report { .. } | Self::Merge { .. } | Self::Unmerge { .. } => false,
        }
    }
}

/// Asks an incident, and writes what comes of it.
fn ask(config: &Config, dir: &JournalDir, incident: &Incident, command: Command, console: &str) -> Result<(), Ending> {
    let asking = asking(config, incident, incident.clock().show(clock::wall()));
    let events = decide(incident, command, &asking).map_err(|refusal| refused(&refusal, incident))?;
    append(config, dir, incident.id(), events, console)
}

fn append(config: &Config, dir: &JournalDir, id: IncidentId, events: Vec<Event>, console: &str) -> Result<(), Ending> {
    let me = actor(config);
    let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(me.clone(), event)).collect();
    dir.journal(id, via(console))?.append(&entries)?;
    Ok(())
}

fn tell_postmortem(config: &Config, id: IncidentId, out: &Path) -> Result<ExitCode, Ending> {
    let incident = read_record(&opened(config)?, id)?;
    let wall = clock::wall();
    let tell = tell(config, &incident);
    let rules = Rules { cadence: &config.cadence, tell: &tell };
    if out == Path::new("-") {
        return print(postmortem(&incident, rules, incident.clock().show(wall)).trim_end());
    }
    let written = write_postmortem(&incident, rules, out, wall)?;
    if let Some(remark) = written.remark {
        super::say_error(&remark);
    }
    let paths: Vec<_> = written.paths.iter().map(|path| path.display().to_string()).collect();
    print(&paths.join("\n"))
}

fn tell_brief(config: &Config, id: IncidentId, handover: bool, since: Option<&str>) -> Result<ExitCode, Ending> {
    let incident = read_record(&opened(config)?, id)?;
    let now = incident.clock().show(clock::wall());
    let since = since.map(|since| moment(since, now, incident.zone(), Side::Past)).transpose()?;
    let kind = match since {
        Some(_) => BriefKind::LateJoiner,
        None if handover => BriefKind::Handover,
        None => BriefKind::Recap,
    };
    let tell = tell(config, &incident);
    let rules = Rules { cadence: &config.cadence, tell: &tell };
    print(&brief(&incident, kind, now, since, rules))
}

/// All records of a journal, and why some are not among them: that is said, and the others are told.
pub(super) fn all(dir: &JournalDir) -> Result<(Vec<Incident>, Vec<String>), Ending> {
    let (all, left_out) = records::all(dir)?;
    left_out.iter().for_each(|why| super::say_error(why));
    Ok((all, left_out))
}

fn tell_follow_ups(config: &Config, with_done: bool, as_json: bool) -> Result<ExitCode, Ending> {
    let (records, left_out) = all(&opened(config)?)?;
    let list = follow_ups(&records, with_done, clock::wall());
    if as_json {
        let items: Vec<_> = list
            .iter()
            .map(|Listed { incident, item, is_late }| {
                json!({ "incident": incident, "entry": item.id, "what": item.what, "owner": item.owner, "due": item.due,
                        "state": item.state, "reason": item.reason, "overdue": is_late })
            })
            .collect();
        return print(&json!({ "follow_ups": items, "not_read": left_out }).to_string());
    }
    if list.is_empty() {
        return print(match left_out.is_empty() {
            true => "no follow-up is open (--all shows done ones too)",
            false => FOLLOW_UPS_UNKNOWN,
        });
    }
    print(&list.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn process_health(config: &Config, since: Option<&str>, as_json: bool) -> Result<ExitCode, Ending> {
    let now = clock::wall();
    let beginning = |text: &str| match Period::beginning(text, now, config.zone.0) {
        Some(at) => Ok(at),
        None => moment(text, now, config.zone.0, Side::Past),
    };
    let from = since.map(beginning).transpose()?;
    let (records, left_out) = all(&opened(config)?)?;
    let catalogue = files::catalogue(&config.playbooks);
    let today = now.with_timezone(&config.zone.0).date_naive();
    let report = report(&records, left_out.clone(), &catalogue, &config.cadence, Period { from, to: now }, today);
    if !as_json {
        let missing = super::doctor::without_ticket(config, &records);
        let missing: String = missing.iter().map(|(id, title)| format!("\n  {id} {title}")).collect();
        let missing = if missing.is_empty() { missing } else { format!("\n\nincidents without a ticket:{missing}") };
        return print(&format!("{}{missing}", report.to_string().trim_end()));
    }
    let rows = |rows: &[Row]| rows.iter().map(row_json).collect::<Vec<_>>();
    let by: serde_json::Map<_, _> =
        report.resolve_by.iter().map(|(level, mean)| (level.name().to_owned(), mean_json(mean))).collect();
    let overdue: Vec<_> = report
        .overdue
        .iter()
        .map(|late| json!({ "incident": late.id, "what": late.what, "owner": late.owner, "due": late.due }))
        .collect();
    let reviews: Vec<_> = report
        .reviews
        .iter()
        .map(|late| json!({ "service": late.service, "owner": late.owner, "reviewed": late.reviewed, "days": late.days }))
        .collect();
    let gameday = match report.gameday {
        Completion::Practised { staged, completed, abandoned, on_schedule: (kept, of) } => {
            json!({ "state": "practised", "in_staging": staged, "simulated": completed, "abandoned": abandoned,
                    "on_schedule": kept, "scheduled": of })
        }
        Completion::NotRecorded => json!({ "state": "not-recorded" }),
    };
    let missing: Vec<_> = super::doctor::without_ticket(config, &records).into_iter().map(|(id, _)| id).collect();
    let whole = json!({
        "without_ticket": missing, "not_read": left_out,
        "from": report.period.from, "to": report.period.to,
        "mttd": mean_json(&report.detect),
        "mtta": mean_json(&report.acknowledge), "mttr": mean_json(&report.resolve), "mttr_by_severity": by,
        "targets": { "mtta_seconds": report.targets.0.num_seconds(), "mttr_seconds": report.targets.1.num_seconds() },
        "cadence": { "owed": report.cadence.0, "kept": report.cadence.1,
                     "longest_silence_seconds": report.worst_silence.map(|gap| gap.num_seconds()) },
        "external": { "mean": mean_json(&report.external), "due": report.external_due.0, "in_time": report.external_due.1 },
        "gameday": gameday, "incidents": rows(&report.incidents), "drills": rows(&report.drills),
        "left_out": rows(&report.left_out), "overdue_follow_ups": overdue,
        "follow_ups_without_owner_or_day": report.unowned, "overdue_reviews": reviews,
    });
    print(&whole.to_string())
}

fn measure_json(measure: Measure) -> serde_json::Value {
    let state = match measure {
        Measure::Value(_) => "recorded",
        Measure::NotRecorded => "not-recorded",
        Measure::Invalid => "invalid",
    };
    json!({ "state": state, "seconds": measure.value().map(|length| length.num_seconds()) })
}

fn mean_json(mean: &Mean) -> serde_json::Value {
    json!({ "seconds": mean.mean.map(|mean| mean.num_seconds()), "of": mean.of, "met": mean.met,
            "not_recorded": mean.not_recorded, "invalid": mean.invalid, "overdue": mean.overdue,
            "oldest_seconds": mean.oldest.map(|age| age.num_seconds()) })
}

fn row_json(row: &Row) -> serde_json::Value {
    let cadence: Vec<_> = row
        .measures
        .cadence
        .iter()
        .map(|kept| {
            json!({ "channel": kept.channel, "owed": kept.owed, "kept": kept.kept,
                    "longest_silence_seconds": kept.worst.map(|gap| gap.num_seconds()) })
        })
        .collect();
    let measures = &row.measures;
    json!({
        "id": row.id, "title": row.title, "at": row.at, "worst_severity": measures.severity, "outcome": row.outcome,
        "detect": measure_json(measures.detect), "acknowledge": measure_json(measures.acknowledge), "mitigate": measure_json(measures.mitigate),
        "resolve": measure_json(measures.resolve), "impact": measure_json(measures.impact),
        "external": measure_json(measures.external), "external_in_time": measures.external_kept, "cadence": cadence,
    })
}

fn merge(config: &Config, from: IncidentId, into: IncidentId, yes: Option<&String>) -> Result<ExitCode, Ending> {
    let merging = Merging { actor: actor(config), via: via("merge"), cadence: config.cadence };
    let dir = opened(config)?;
    let would = merging.would(&dir, from, into)?;
    let consent = Consent { would, word: format!("merge:{from}-into-{into}") };
    if !consent.would.is_empty() && !is_confirmed(&from.to_string(), &consent, yes)? {
        return Ok(Status::Unconfirmed.into());
    }
    print(&merging.merge(&dir, from, into)?)
}

/// Whether people's words stand in an entry that may be redacted.
fn is_redactable(event: &Event) -> bool {
    event.without_words().is_some_and(|left| left != *event)
}

fn redactable(config: &Config, id: IncidentId) -> Result<ExitCode, Ending> {
    let incident = read_record(&opened(config)?, id)?;
    let zone = incident.zone();
    let mut out = super::out::out(super::out::Ink::Never);
    for line in incident.timeline().lines() {
        let is_listed = incident.entry(line.id).is_some_and(|entry| is_redactable(&entry.event));
        if is_listed && line.redacted.is_none() {
            let at = line.at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
            let number = number_of(&incident, line.id);
            writeln!(out, "{number:>6}  {at} {:<9} {} ({})", line.tag, line.text.first_line(), line.actor)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The short number of an entry where it is the only one of it, else its whole id.
fn number_of(incident: &Incident, id: EntryId) -> String {
    let is_only = incident.entries().filter(|entry| entry.id.rseq == id.rseq).count() == 1;
    if is_only { id.rseq.to_string() } else { id.to_string() }
}

fn entry_named(incident: &Incident, word: &str) -> Result<EntryId, Ending> {
    if let Ok(id) = word.parse::<EntryId>() {
        return Ok(id);
    }
    let id = incident.id();
    let number: u64 = word.trim_start_matches('#').parse().map_err(|_| {
        Ending::Usage(format!(
            "`{}` names no line: `warroom redact {id}` lists them with their numbers",
            CleanStr::new(word)
        ))
    })?;
    let found: Vec<_> = incident.entries().filter(|entry| entry.id.rseq == number).map(|entry| entry.id).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(Ending::Failure(format!("{id} has no entry {number}: `warroom redact {id}` lists the lines"))),
        several => {
            let ids: Vec<_> = several.iter().map(ToString::to_string).collect();
            Err(Ending::Usage(format!("several entries have this number: name one of {}", ids.join(", "))))
        }
    }
}

/// What redacting an entry would do, and the word for it.
fn redaction(incident: &Incident, entry: EntryId) -> Consent {
    let (id, number, zone) = (incident.id(), number_of(incident, entry), incident.zone());
    let line = incident.timeline().lines().find(|line| line.id == entry);
    let line = line.map_or_else(String::new, |line| {
        let at = line.at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %Z");
        format!(": {at} {} {} ({})", line.tag, line.text.first_line(), line.actor)
    });
    let would = vec![
        format!("the words of entry {number} go out of the record and out of its file{line}"),
        "nothing brings them back; that it was redacted, by whom and why stays on the timeline".to_owned(),
    ];
    Consent { would, word: format!("redact:{id}#{number}") }
}

fn redact(config: &Config, id: IncidentId, word: &str, reason: &str, yes: Option<&String>) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    let incident = read_record(&dir, id)?;
    let entry = entry_named(&incident, word)?;
    let before: Option<Event> = incident.entry(entry).map(|entry| entry.event.clone());
    let is_said =
        incident.entries().any(|other| matches!(&other.event, Event::EntryRedacted(body) if body.entry == entry));
    if !is_said {
        let command = Command::Redact(EntryRedacted { entry, reason: reason.into() });
        let asking = asking(config, &incident, incident.clock().show(clock::wall()));
        let events = decide(&incident, command, &asking).map_err(|refusal| refused(&refusal, &incident))?;
        if !is_confirmed(&id.to_string(), &redaction(&incident, entry), yes)? {
            return Ok(Status::Unconfirmed.into());
        }
        append(config, &dir, id, events, "redact")?;
    }
    redact_files(&dir, id)?;
    // A line that went along into another record is another line there.
    if let (Some(Outcome::Merged(into)), Some(Event::NoteAdded(note))) = (incident.outcome, &before) {
        let target = records::read(&dir, into)?;
        for copy in target.entries() {
            if let Event::LineMerged(line) = &copy.event
                && line.from == id
                && line.text == note.text
            {
                let number = number_of(&target, copy.id);
                super::say_error(&format!(
                    "a copy of this line went along into {into}: warroom redact {into} {number} --reason …"
                ));
            }
        }
    }
    let number = number_of(&incident, entry);
    print(&if is_said {
        format!("{id}: entry {number} was redacted before; its words are out of the file")
    } else {
        format!("{id}: entry {number} is redacted and its words are out of the file")
    })
}

/// Takes the words of a recorded change out of the file of changes; without a number, lists them.
fn redact_change(config: &Config, number: Option<usize>, yes: Option<&String>) -> Result<ExitCode, Ending> {
    let file = opened(config)?.changes();
    let Some(number) = number else {
        let mut out = super::out::out(super::out::Ink::Never);
        for (number, change) in file.numbered()? {
            writeln!(out, "{number:>6}  {}", super::changes::line(&change, config.zone.0, crate::run::clock::wall()))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let line = |change: &crate::change::Change| super::changes::line(change, config.zone.0, crate::run::clock::wall());
    let Some((_, change)) = file.numbered()?.into_iter().find(|(known, _)| *known == number) else {
        return Err(Ending::Failure(format!("there is no change {number}: `warroom redact --changes` lists them")));
    };
    let would = vec![
        format!("the words of change {number} go out of the file of changes: {}", line(&change)),
        "nothing brings them back".to_owned(),
    ];
    let consent = Consent { would, word: format!("redact:change-{}", change.word()) };
    if !is_confirmed("changes", &consent, yes)? {
        return Ok(Status::Unconfirmed.into());
    }
    match file.redact(number)? {
        Some(_) => print(&format!("change {number} is redacted and its words are out of the file")),
        None => Err(Ending::Failure(format!("there is no change {number}: `warroom redact --changes` lists them"))),
    }
}

/// Takes out of the files what the record says is redacted: rows, and what commands printed. An interrupted redaction is finished by it.
fn redact_files(dir: &JournalDir, id: IncidentId) -> Result<(), Ending> {
    let incident = records::read(dir, id)?;
    let mut journal = dir.journal(id, via("redact"))?;
    let named = incident.entries().filter_map(|entry| match &entry.event {
        Event::EntryRedacted(body) => Some(body.entry),
        _ => None,
    });
    for entry in named {
        if incident.entry(entry).is_some_and(|entry| is_redactable(&entry.event)) {
            journal.redact(entry)?;
        }
        crate::runner::redact_output(&crate::runner::folder(dir.directory(), id, entry))?;
    }
    Ok(())
}

fn amend_time(config: &Config, id: IncidentId, which: Milestone, time: &str, reason: &str) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    let incident = read_record(&dir, id)?;
    let (now, zone) = (incident.clock().show(clock::wall()), incident.zone());
    let to = moment(time, now, zone, Side::Past)?;
    ask(config, &dir, &incident, Command::AmendTime(TimeAmended { which, to, reason: reason.into() }), "amend-time")?;
    let shown = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S %Z").to_string();
    let before = incident.milestone(which).map_or_else(|| "not recorded".to_owned(), shown);
    print(&format!("{id}: {} is {} (before: {before})", which.name(), shown(to)))
}
