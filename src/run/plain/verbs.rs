//! The commands of line mode: their names, what they are called with, and what they do.
//!
//! Hides how a line of words becomes a command of the incident. What may be done is decided by [`crate::incident::command`] alone.
//!
//! Invariant: a line that cannot be obeyed ends in a sentence that names the way out; nothing here is state.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::Session;
use super::told::{due_lines, group_line, objective_line, objectives};
use crate::console::Effect;
use crate::incident::command::{event_time, scribe_line};
use crate::incident::{
    Channel, Command, Declared, Detection, IncidentId, NoteAdded, Phase, Refusal, Role, Seat, Severity, StatusUpdate,
    StepDone, StepSkipped, StepState,
};
use crate::pane::Cx;
use crate::playbook::{Action, Playbook, Step};
use crate::spans::{SpanOrder, group};
use crate::text::{CleanStr, CleanText};
use crate::widget::text::relative;

/// How many kinds of spans `:spans` lists.
const MOST_KINDS: usize = 20;
/// How many lines `:log` shows unless it is told.
pub(super) const LINES: usize = 10;

/// What a line leads to: effects, or a sentence that says why not.
pub(super) type Answer = Result<Vec<Effect>, String>;

/// A command of line mode.
pub(super) struct Verb {
    /// Its name.
    pub name: &'static str,
    /// What follows the name.
    pub form: &'static str,
    /// What it does.
    pub help: &'static str,
    run: fn(&mut Session, &str, DateTime<Utc>) -> Answer,
}

const fn verb(
    name: &'static str,
    form: &'static str,
    help: &'static str,
    run: fn(&mut Session, &str, DateTime<Utc>) -> Answer,
) -> Verb {
    Verb { name, form, help, run }
}

/// All commands, in the order of help.
pub(super) const VERBS: &[Verb] = &[
    verb("help", "", "this list", help),
    verb("ack", "", "acknowledge, as Incident Commander", |session, _, wall| session.ask(Command::Acknowledge, wall)),
    verb("take", "ic|comms|sme [COMPONENT]|scribe", "take a role", take),
    verb("leave", "ic|comms|sme [COMPONENT]|scribe [REASON]", "leave a role, or relieve its holder", leave),
    verb("sev", "0|1|2|3 [REASON]", "raise or lower the severity; lowering wants the reason", severity),
    verb("phase", "NAME [REASON]", "triage, mitigating, resolved, post-incident, closed", phase),
    verb("resolve", "", "metrics and traces are back to normal", |session, _, wall| {
        session.ask(Command::EnterPhase(Phase::Resolved, None), wall)
    }),
    verb("title", "TEXT", "give the incident another title", |session, rest, wall| {
        session.ask(Command::SetTitle(CleanStr::new(rest)), wall)
    }),
    verb("service", "NAME", "name another affected service", |session, rest, wall| {
        session.ask(Command::AddService(CleanStr::new(rest)), wall)
    }),
    verb("unservice", "NAME", "a service is not affected after all", |session, rest, wall| {
        session.ask(Command::RemoveService(CleanStr::new(rest)), wall)
    }),
    verb("impact", "[TIME]", "customers hurt since now, -5m or 14:10", |session, rest, wall| {
        let at = time(session, rest, wall)?;
        session.ask(Command::StartImpact(at), wall)
    }),
    verb("impact-end", "[TIME]", "customers do not hurt any more since now, -5m or 14:10", |session, rest, wall| {
        let at = time(session, rest, wall)?;
        session.ask(Command::EndImpact(at), wall)
    }),
    verb("update", "[external] TEXT", "record an update that was told, in the channels that are due", update),
    verb("steps", "", "the playbook's steps with their numbers", steps),
    verb("step", "N", "a step in full: look, expect, undo", step),
    verb("check", "N", "the step is done", |session, rest, wall| {
        let body = step_done(&session.cx(wall), "check", rest)?;
        session.ask(Command::CheckStep(body), wall)
    }),
    verb("skip", "N REASON", "pass the step over", |session, rest, wall| {
        let (number, reason) = first_word(rest);
        let StepDone { step, title } = step_done(&session.cx(wall), "skip", number)?;
        session.ask(Command::SkipStep(StepSkipped { step, title, reason: CleanStr::new(reason) }), wall)
    }),
    verb("reopen", "N", "open the step again", |session, rest, wall| {
        let body = step_done(&session.cx(wall), "reopen", rest)?;
        session.ask(Command::ReopenStep(body), wall)
    }),
    verb("due", "", "what is due, until when, whose it is", due),
    verb("who", "", "who holds which role, and who is here", |session, _, wall| {
        let lines = who_lines(&session.cx(wall));
        session.answer(lines)
    }),
    verb("slo", "", "the objectives: verdict, value, limit", slo),
    verb("spans", "", "kinds of error spans, the most frequent first, and slow ones", spans),
    verb("log", "[N]", "the last lines of the timeline", log),
    verb("draft", "", "record the half-typed line that an earlier console left", |session, _, wall| {
        session.record_draft(wall)
    }),
    verb("declare", "SERVICE 0|1|2|3 TITLE", "declare a new incident (service - if it is not known)", declare),
    verb("open", "ID", "open another record", |_, rest, _| {
        let id: IncidentId = rest.parse().map_err(|error: crate::incident::NotAnIncident| error.to_string())?;
        Ok(vec![Effect::Open(id)])
    }),
    verb("list", "", "the open incidents of this host", |_, _, _| Ok(vec![Effect::List])),
    verb("drill", "", "begin the drill and open it", |session, _, _| {
        if session.is_read_only() {
            return Err("this console only looks (--read-only)".to_owned());
        }
        Ok(vec![Effect::StartDrill])
    }),
    verb("quit", "", "leave; the record stays", |_, _, _| Ok(vec![Effect::Quit])),
];

/// What a refusal of the domain tells a person with keys, and what it means here.
const HINTS: [(&str, &str); 6] = [
    ("D declares one", ":declare SERVICE SEVERITY TITLE does that"),
    ("take command first (R)", "take command first (:take ic)"),
    ("does that first (a)", "does that first (:ack)"),
    ("o opens it again", ":reopen N opens it again"),
    ("(:relieve)", "(:leave ROLE REASON, then :take ROLE)"),
    ("reopen it first (:phase, with a reason)", "reopen it first (:phase triage REASON)"),
];

/// Obeys a line: a command after a colon, or a note.
pub(super) fn obey(session: &mut Session, line: &str, wall: DateTime<Utc>) -> Answer {
    let Some(command) = line.strip_prefix(':') else { return note(session, line, wall) };
    let (name, rest) = first_word(command);
    match VERBS.iter().find(|verb| verb.name.eq_ignore_ascii_case(name)) {
        Some(verb) => (verb.run)(session, rest, wall),
        None => Err(format!("no command `:{}`: :help lists them", CleanStr::new(name))),
    }
}

/// The sentence of a refusal, in the words of line mode.
pub(super) fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::No(sentence) => in_line_mode(sentence),
        Refusal::WantsReason(sentence) => format!("{sentence}: write it at the end of the same line"),
    }
}

/// A sentence that names keys, with the commands that stand for them here.
pub(super) fn in_line_mode(sentence: &str) -> String {
    HINTS.iter().fold(sentence.to_owned(), |sentence, (key, command)| sentence.replace(key, command))
}

fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

fn usage<T>(name: &str) -> Result<T, String> {
    let form = VERBS.iter().find(|verb| verb.name == name).map_or("", |verb| verb.form);
    Err(format!("write :{name} {form}"))
}

fn note(session: &mut Session, line: &str, wall: DateTime<Utc>) -> Answer {
    if line.trim().is_empty() {
        return Ok(Vec::new());
    }
    let cx = session.cx(wall);
    let line = scribe_line(line, cx.now, cx.zone);
    let body = NoteAdded { kind: line.kind, text: CleanText::new(line.text.trim_end()), at: line.at };
    session.ask(Command::AddNote(body), wall)
}

fn help(session: &mut Session, _rest: &str, _wall: DateTime<Utc>) -> Answer {
    let mut lines = vec![
        "A line of text is a note; -5m or 14:10 before it says when it happened; decision: action: finding: todo: CAN: say what it is."
            .to_owned(),
        "A blank before a line makes it a note though it begins with a colon. Commands:".to_owned(),
    ];
    lines.extend(VERBS.iter().map(|verb| {
        let gap = if verb.form.is_empty() { "" } else { " " };
        format!("  :{}{gap}{}: {}", verb.name, verb.form, verb.help)
    }));
    lines.push(
        "The end of the input ends the console once all that was typed is on disk; with --read-only it goes on and follows."
            .to_owned(),
    );
    session.answer(lines)
}

fn role(word: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.short().eq_ignore_ascii_case(word))
}

fn component(text: &str) -> Option<CleanStr> {
    Some(CleanStr::new(text)).filter(|name| !name.is_empty())
}

fn take(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let Some(role) = role(word) else { return usage("take") };
    session.ask(Command::TakeRole(Seat { role, component: component(rest) }), wall)
}

fn leave(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let Some(role) = role(word) else { return usage("leave") };
    let cx = session.cx(wall);
    let held: Vec<_> = cx.incident.roles.iter().filter(|(seat, _)| seat.role == role).collect();
    // `:leave sme gateway gone home`: the component if somebody holds it, else one's own seat, else the only one.
    let named = held.iter().find(|(seat, _)| {
        seat.component.as_ref().is_some_and(|name| {
            rest.strip_prefix(name.as_str()).is_some_and(|after| after.is_empty() || after.starts_with(' '))
        })
    });
    let (seat, reason) = match named {
        Some((seat, _)) => ((*seat).clone(), rest[seat.component.as_ref().map_or(0, |name| name.len())..].trim()),
        None => {
            let own = held.iter().find(|(_, mark)| mark.by == *cx.me).or(held.first());
            (own.map_or(Seat { role, component: None }, |(seat, _)| (*seat).clone()), rest)
        }
    };
    let reason = component(reason);
    session.ask(Command::LeaveRole(seat, reason), wall)
}

fn severity(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, reason) = first_word(rest);
    let level: Severity = word.parse()?;
    session.ask(Command::SetSeverity(level, component(reason)), wall)
}

fn phase(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, reason) = first_word(rest);
    let Some(phase) = Phase::ALL.into_iter().find(|phase| phase.name().eq_ignore_ascii_case(word)) else {
        return usage("phase");
    };
    session.ask(Command::EnterPhase(phase, component(reason)), wall)
}

fn time(session: &Session, word: &str, wall: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let cx = session.cx(wall);
    match word {
        "" | "now" => Ok(cx.now),
        word => event_time(word, cx.now, cx.zone)
            .ok_or_else(|| format!("`{}` is no time: write now, -5m or 14:10", CleanStr::new(word))),
    }
}

fn update(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let (word, after) = first_word(rest);
    let is_external = word.eq_ignore_ascii_case("external");
    let text = if is_external { after } else { rest };
    if text.is_empty() {
        return usage("update");
    }
    let due = cx.obligations().into_iter().filter_map(|one| one.duty.channel());
    let due = due.filter(|channel| *channel != Channel::ExternalPage);
    let mut channels: BTreeSet<Channel> = if is_external { [Channel::ExternalPage].into() } else { due.collect() };
    if channels.is_empty() {
        channels.extend([Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage]);
    }
    let promised_next = Some(cx.now + cx.cadence.update);
    session.ask(
        Command::PostUpdate(StatusUpdate {
            channels,
            text: CleanText::new(text),
            promised_next,
            ..StatusUpdate::default()
        }),
        wall,
    )
}

/// The steps of all services in the scope, in the order of their numbers.
fn all_steps<'a>(cx: &Cx<'a>) -> Vec<(&'a Playbook, &'a Step)> {
    let playbooks = cx.incident.services.iter().filter_map(|service| cx.catalogue.get(service));
    playbooks.flat_map(|playbook| playbook.steps.iter().map(move |step| (playbook, step))).collect()
}

fn numbered<'a>(cx: &Cx<'a>, name: &str, word: &str) -> Result<(&'a Playbook, &'a Step), String> {
    let Ok(number) = word.parse::<usize>() else { return usage(name) };
    let steps = all_steps(cx);
    match number.checked_sub(1).and_then(|place| steps.get(place)) {
        Some(found) => Ok(*found),
        None if steps.is_empty() => Err(no_steps(cx)),
        None => Err(format!("there is no step {number}: they go from 1 to {} (:steps)", steps.len())),
    }
}

fn no_steps(cx: &Cx<'_>) -> String {
    match cx.incident.services.first() {
        Some(service) => format!("no playbook for {service}: add one as {service}.toml to the playbooks folder"),
        None => "no service is affected yet: :service NAME names one, and its playbook comes with it".to_owned(),
    }
}

fn step_done(cx: &Cx<'_>, name: &str, word: &str) -> Result<StepDone, String> {
    let (playbook, step) = numbered(cx, name, word)?;
    Ok(StepDone { step: playbook.step_ref(step), title: step.title.clone() })
}

fn steps(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let steps = all_steps(&cx);
    if steps.is_empty() {
        return Err(no_steps(&cx));
    }
    let several = cx.incident.services.len() > 1;
    let lines = steps.iter().enumerate().map(|(place, (playbook, step))| {
        let state = match cx.incident.steps.get(&playbook.step_ref(step)) {
            Some(StepState::Checked(mark)) => format!("done, {} {}", mark.by, cx.clock(mark.at)),
            Some(StepState::Skipped(mark, why)) => format!("skipped, {} {}: {why}", mark.by, cx.clock(mark.at)),
            Some(StepState::Reopened(mark)) => format!("open again, {} {}", mark.by, cx.clock(mark.at)),
            None => "open".to_owned(),
        };
        let service = if several { format!("{}: ", playbook.service) } else { String::new() };
        format!("{} {service}{} ({state})", place + 1, step.title)
    });
    let lines = lines.collect();
    session.answer(lines)
}

fn step(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (_, step) = numbered(&session.cx(wall), "step", rest)?;
    let mut lines = vec![step.title.to_string()];
    lines.extend([("look", &step.look), ("expect", &step.expect), ("undo", &step.undo)].map(|(name, text)| {
        let text = text.replace('\n', " ");
        format!("  {name}: {text}")
    }));
    match &step.action {
        Some(Action::Look(look)) => lines.extend(look.links.iter().map(|link| format!("  link: {link}"))),
        None => {}
    }
    session.answer(lines)
}

fn due(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let mut lines = due_lines(&cx);
    if lines.is_empty() {
        lines.push(format!("nothing is due. {}", cx.incident.phase().question()));
    }
    session.answer(lines)
}

/// Who holds which role, and who is here.
pub(super) fn who_lines(cx: &Cx<'_>) -> Vec<String> {
    let role = |role: Role| {
        let holders = cx.incident.roles.iter().filter(|(seat, _)| seat.role == role).map(|(seat, mark)| {
            seat.component.as_ref().map_or_else(|| mark.by.to_string(), |name| format!("{} for {name}", mark.by))
        });
        let holders: Vec<_> = holders.collect();
        let holders = if holders.is_empty() { "nobody".to_owned() } else { holders.join(", ") };
        format!("{} {holders}", role.short())
    };
    let mut lines = vec![format!("roles: {}", Role::ALL.map(role).join(" · "))];
    if !cx.present.is_empty() {
        let here: Vec<_> = cx.present.iter().map(|one| format!("{} ({})", one.actor, one.layout)).collect();
        lines.push(format!("here: {}", here.join(", ")));
    }
    lines
}

fn slo(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let all = objectives(&cx);
    if all.is_empty() {
        return Err("no objectives are watched: they stand in the playbook file of an affected service".to_owned());
    }
    let lines =
        all.into_iter().map(|(id, objective)| objective_line(&id, objective, cx.live.panels.get(&id), &cx)).collect();
    session.answer(lines)
}

fn spans(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let Some((at, source, finding)) = &cx.live.spans else {
        return Err("no spans yet: they come from Jaeger, for the services that a playbook names".to_owned());
    };
    let mut lines = Vec::new();
    for (name, rows) in [("error", &finding.errors), ("slow", &finding.slow)] {
        let groups = group(rows, finding.lookback, SpanOrder::Count);
        let none = if groups.is_empty() { " none" } else { "" };
        lines.push(format!("{name} spans, from {source}, {}:{none}", relative(*at, wall)));
        lines.extend(groups.iter().take(MOST_KINDS).map(|group| format!("  {}", group_line(group))));
        if groups.len() > MOST_KINDS {
            lines.push(format!("  and {} more kinds", groups.len() - MOST_KINDS));
        }
    }
    lines.extend(finding.remarks.iter().map(|remark| format!("  {remark}")));
    session.answer(lines)
}

fn log(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let count = match rest {
        "" => LINES,
        word => match word.parse() {
            Ok(count) => count,
            Err(_) => return usage("log"),
        },
    };
    session.print_log(count, wall);
    Ok(Vec::new())
}

fn declare(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (service, rest) = first_word(rest);
    let (level, title) = first_word(rest);
    if title.is_empty() {
        return usage("declare");
    }
    let severity: Severity = level.parse()?;
    let cx = session.cx(wall);
    let body = Declared {
        title: CleanStr::new(title),
        severity,
        service: (service != "-").then(|| CleanStr::new(service)),
        detected_at: Some(wall),
        detection: Some(Detection::Report { by: cx.me.clone() }),
        zone: cx.zone.name().into(),
        link: None,
    };
    Ok(session.declare(body, wall))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_a_refusal_names_has_its_command_here() {
        let refusals = include_str!("../../incident/command.rs");
        for (key, _) in HINTS {
            assert!(refusals.contains(key), "no refusal says {key:?} any more");
        }
    }
}
