//! Commands for the playbook's steps.
//!
//! Steps have the numbers of their places in the playbooks of the affected services.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::words::{first_word, given};
use super::{Answer, Verb, usage, verb};
use crate::incident::{Command, StepDone, StepSkipped, StepState};
use crate::pane::Cx;
use crate::pane::playbook::offers;
use crate::playbook::{Playbook, Step};
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("steps", "", "the playbook's steps with their numbers", steps).of_record().looks(),
    verb("step", "N", "a step in full: look, expect, undo", step).of_record().looks(),
    verb("claim", "N [REASON]", "you work on the step; taking it over wants the reason", |session, rest, wall| {
        let (number, reason) = first_word(rest);
        let body = step_done(&session.cx(wall), "claim", number)?;
        session.ask(Command::ClaimStep(body, given(reason)), wall)
    }),
    verb("release", "N", "let the step go", |session, rest, wall| {
        let body = step_done(&session.cx(wall), "release", rest)?;
        session.ask(Command::ReleaseStep(body), wall)
    }),
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
];

/// The steps of all services in the scope, in the order of their numbers.
fn all_steps<'a>(cx: &Cx<'a>) -> Vec<(&'a Playbook, &'a Step)> {
    let playbooks = cx.incident.services.iter().filter_map(|service| cx.catalogue.get(service));
    playbooks.flat_map(|playbook| playbook.steps.iter().map(move |step| (playbook, step))).collect()
}

pub(super) fn numbered<'a>(cx: &Cx<'a>, name: &str, word: &str) -> Result<(&'a Playbook, &'a Step), String> {
    let steps = all_steps(cx);
    // By its name in the playbook's file too, which stays when another service comes before it.
    let is_called = |(playbook, step): &&(&Playbook, &Step)| {
        word == step.id.as_str() || word.split_once('/') == Some((playbook.service.as_str(), step.id.as_str()))
    };
    if let Some(found) = steps.iter().find(is_called) {
        return Ok(*found);
    }
    let Ok(number) = word.parse::<usize>() else { return usage(name) };
    match number.checked_sub(1).and_then(|place| steps.get(place)) {
        Some(found) => Ok(*found),
        None if steps.is_empty() => Err(no_steps(cx)),
        None => Err(format!("there is no step {number}: they go from 1 to {} (:steps)", steps.len())),
    }
}

fn no_steps(cx: &Cx<'_>) -> String {
    match cx.incident.services.first() {
        Some(service) if cx.catalogue.broken.contains_key(service) => {
            cx.catalogue.why_none(service).unwrap_or_default()
        }
        Some(service) => format!("no playbook for {service}: add one as {service}.toml to the playbooks folder"),
        None => "no service is affected yet: :service NAME names one, and its playbook comes with it".to_owned(),
    }
}

pub(super) fn step_done(cx: &Cx<'_>, name: &str, word: &str) -> Result<StepDone, String> {
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
            None => match cx.incident.claims.get(&playbook.step_ref(step)) {
                Some(mark) => format!("open, {} works on it since {}", mark.by, cx.clock(mark.at)),
                None => "open".to_owned(),
            },
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
    lines.extend(offers(step).into_iter().map(|(name, text)| format!("  {name}: {text}")));
    session.answer(lines)
}
