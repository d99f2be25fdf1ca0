//! `warroom show`: an incident in lines or as JSON, and what comes to it from now on.
//!
//! Hides the layout of a line, and how the record is watched.
//!
//! Invariant: a line that was printed is on stdout before the next thing is waited for; when the record is damaged or gone, or nobody reads any more, it
//! says so or ends.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::answers::{board, opened, read_record, via};
use super::out::{Ink, Out, Tint};
use super::{Ending, say_error};
use crate::config::Config;
use crate::console::overlay::summary_line;
use crate::incident::timeline::Hand;
use crate::incident::{Channel, Entry, EntryId, Event, Fate, Incident, IncidentId, Line};
use crate::journal::{Journal, JournalDir, SqliteJournal};
use crate::run::{clock, records};

/// How often it is looked whether anybody still reads, and whether the record is still there.
const LOOK: Duration = Duration::from_secs(1);
/// So many lines of the record are read at once.
const PIECE: usize = 1000;

/// Prints an incident; with `follows` also what comes, until Ctrl-C.
pub(super) fn show(
    config: &Config,
    id: IncidentId,
    as_json: bool,
    follows: bool,
    ink: Ink,
) -> Result<ExitCode, Ending> {
    let dir = opened(config)?;
    if follows {
        return follow(config, &dir, id, as_json, ink);
    }
    let incident = read_record(&dir, id)?;
    let mut out = super::out::out(ink);
    match as_json {
        true => writeln!(out, "{}", whole(&incident))?,
        false => print_all(config, &incident, &mut out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print_all(config: &Config, incident: &Incident, out: &mut Out) -> Result<(), Ending> {
    let summary = summary_line(&records::summary(incident, &board(config)), clock::wall());
    out.tinted(incident.severity.map_or(Tint::Plain, Tint::of), &summary)?;
    writeln!(out, "\n")?;
    let time = |at: Option<DateTime<Utc>>| at.map_or_else(|| "not recorded".to_owned(), |at| stamp(at, incident));
    writeln!(out, "detected      {}", time(incident.detected_at))?;
    writeln!(out, "acknowledged  {}", time(incident.acknowledged.as_ref().map(|mark| mark.at)))?;
    for (start, end) in incident.impact.stretches() {
        let end = end.map_or_else(|| "now".to_owned(), |end| time(Some(end)));
        writeln!(out, "impact        {} to {end}", time(Some(start)))?;
    }
    if !incident.impact.is_known() {
        writeln!(out, "impact        {}", time(None))?;
    }
    writeln!(out, "resolved      {}", time(incident.resolved_at))?;
    for (seat, mark) in &incident.roles {
        writeln!(out, "{:<13} {}{} since {}", seat.role.short(), mark.by, incident.part(seat), time(Some(mark.at)))?;
    }
    for unsent in incident.unsent_at(clock::wall()) {
        writeln!(out, "not sent      {unsent}")?;
    }
    writeln!(out)?;
    let view = incident.timeline();
    for (place, line) in view.lines().enumerate() {
        print_line(&line, view.hand(place) == Some(Hand::Human), incident, out)?;
    }
    Ok(())
}

/// A moment in the incident's zone, which it names.
fn stamp(at: DateTime<Utc>, incident: &Incident) -> String {
    at.with_timezone(&incident.zone()).format("%Y-%m-%d %H:%M:%S %Z").to_string()
}

fn print_line(line: &Line, is_of_a_person: bool, incident: &Incident, out: &mut Out) -> std::io::Result<()> {
    let struck = if line.struck.is_some() { " [struck]" } else { "" };
    let amended = if line.amended.is_some() { " [amended]" } else { "" };
    let at = stamp(line.at, incident);
    let indent = format!("\n{:1$}", "", at.len() + 11);
    let text = line.text.replace('\n', &indent);
    out.tinted(Tint::Dim, &at)?;
    write!(out, " ")?;
    out.tinted(if is_of_a_person { Tint::Bold } else { Tint::Dim }, &format!("{:<9}", line.tag))?;
    writeln!(out, " {text}{amended}{struck}  ({})  #{}", line.actor, line.id.rseq)
}

fn line_json(line: &Line) -> Value {
    json!({
        "entry": line.id, "at": line.at, "entered": line.entered, "actor": line.actor, "tag": line.tag,
        "text": line.text, "original": line.original,
        "struck": line.struck.as_ref().map(|strike| json!({ "by": strike.by, "reason": strike.reason })),
    })
}

/// The record and what comes to it, until somebody ends it or nobody reads.
fn follow(config: &Config, dir: &JournalDir, id: IncidentId, as_json: bool, ink: Ink) -> Result<ExitCode, Ending> {
    let mut journal = dir.journal(id, via("show"))?;
    let mut incident = Incident::new(id);
    let mut out = super::out::out(ink);
    let (mut to, mut is_first, mut complained) = (0, true, std::collections::BTreeSet::new());
    loop {
        let (entries, damage) = read_on(&mut journal, &mut to)?;
        for what in damage {
            let what = format!("{id} is damaged: {what}");
            if complained.insert(what.clone()) {
                say_error(&what);
            }
        }
        incident.apply(entries.iter().cloned());
        if is_first {
            match as_json {
                true => incident.timeline().lines().try_for_each(|line| writeln!(out, "{}", line_json(&line)))?,
                false => print_all(config, &incident, &mut out)?,
            }
        } else {
            for entry in &entries {
                print_entry(entry, &incident, as_json, &mut out)?;
            }
        }
        out.flush()?;
        is_first = false;
        while !journal.wait(LOOK) {
            if !dir.path(id).exists() {
                return Err(Ending::Failure(format!("{id} is gone: {} is not there any more", dir.path(id).display())));
            }
            if is_unread() {
                return Ok(ExitCode::SUCCESS);
            }
        }
    }
}

fn read_on(journal: &mut SqliteJournal, to: &mut u64) -> Result<(Vec<Entry>, Vec<String>), Ending> {
    let (mut entries, mut damage) = (Vec::new(), Vec::new());
    loop {
        let tail = journal.tail(*to, PIECE)?;
        *to = tail.to.max(*to);
        entries.extend(tail.entries.into_iter().map(|(_, entry)| entry));
        damage.extend(tail.damage.iter().map(ToString::to_string));
        if !tail.more {
            return Ok((entries, damage));
        }
    }
}

/// What an entry says: its line, or the line of another one that it changed.
fn print_entry(entry: &Entry, incident: &Incident, as_json: bool, out: &mut Out) -> std::io::Result<()> {
    let about: EntryId = match &entry.event {
        Event::NoteAmended(body) => body.note,
        Event::NoteStruck(body) => body.note,
        Event::EntryRedacted(body) => body.entry,
        _ => entry.id,
    };
    let view = incident.timeline();
    let Some(place) = view.place(about) else { return Ok(()) };
    let Some(line) = view.line(place) else { return Ok(()) };
    match as_json {
        true => writeln!(out, "{}", line_json(&line)),
        false => print_line(&line, view.hand(place) == Some(Hand::Human), incident, out),
    }
}

/// Whether stdout is a pipe that nobody reads any more.
fn is_unread() -> bool {
    let mut stdout = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut stdout, Some(&now)).is_ok_and(|count| count > 0)
        && stdout[0].revents().intersects(PollFlags::ERR | PollFlags::HUP)
}

/// The whole incident as JSON.
fn whole(incident: &Incident) -> Value {
    let timeline: Vec<_> = incident.timeline().lines().map(|line| line_json(&line)).collect();
    let roles: Vec<_> = incident
        .roles
        .iter()
        .map(|(seat, mark)| {
            json!({ "role": seat.role, "component": seat.component, "holder": mark.by, "since": mark.at,
                    "played": incident.played.contains(seat) })
        })
        .collect();
    let updates: Vec<_> = incident
        .updates
        .iter()
        .map(|told| {
            let heard = Channel::ALL.into_iter().flat_map(|channel| {
                let tellings = incident.tellings(channel).into_iter().filter(|telling| telling.id == told.id);
                tellings.map(move |telling| (json!(channel), telling.fate)).collect::<Vec<_>>()
            });
            let heard = heard.map(|(channel, fate)| match fate {
                Fate::Told(at) => json!({ "channel": channel, "heard": at }),
                Fate::OnItsWay(delivery) | Fate::Stuck(delivery) => {
                    json!({ "channel": channel, "heard": null, "state": delivery.state.word() })
                }
            });
            let heard: Vec<_> = heard.collect();
            json!({ "heard": heard, "at": told.at(), "recorded": told.mark.at, "by": told.mark.by, "text": told.update.text,
                    "channels": told.update.channels, "promised_next": told.update.promised_next })
        })
        .collect();
    let windows: Vec<_> = incident
        .impact
        .windows()
        .iter()
        .map(|window| json!({ "service": window.service, "start": window.start, "end": window.end }))
        .collect();
    let waiting: Vec<_> = incident
        .undelivered()
        .map(|one| {
            json!({ "delivery": one.id, "service": one.body.service, "what": one.place_in(incident),
                    "state": one.state.word(), "since": one.since, "tries": one.tries, "why": one.state.why() })
        })
        .collect();
    json!({
        "id": incident.id(), "title": incident.title, "severity": incident.severity, "worst_severity": incident.worst,
        "phase": incident.phase(), "services": incident.services, "zone": incident.zone,
        "declared_at": incident.declared.as_ref().map(|mark| mark.at),
        "detected_at": incident.detected_at,
        "acknowledged_at": incident.acknowledged.as_ref().map(|mark| mark.at),
        "resolved_at": incident.resolved_at,
        "impact": { "start": incident.impact.start(), "end": incident.impact.end(), "windows": windows },
        "seconds_to_acknowledge": incident.time_to_acknowledge().map(|time| time.num_seconds()),
        "roles": roles, "updates": updates, "not_sent": incident.unsent_at(clock::wall()), "waiting": waiting,
        "timeline": timeline,
    })
}
