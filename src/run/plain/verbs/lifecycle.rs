//! Commands that move the incident on: acknowledge, severity, phases, the end.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::words::{fields, first_word, given, lines};
use super::{Answer, InShell, Verb, refusal, usage, verb};
use crate::incident::{Command, Outcome, Phase, ProofLine, Refusal, Severity};
use crate::text::{CleanStr, CleanText};

pub(super) const VERBS: &[Verb] = &[
    verb("acknowledge", "", "acknowledge, as Incident Commander", |session, _, wall| {
        session.ask(Command::Acknowledge, wall)
    })
    .or(&["ack"]),
    verb("severity", "0|1|2|3 [REASON]", "raise or lower the severity; lowering wants the reason", severity)
        .or(&["sev"]),
    verb("phase", "NAME [REASON]", "triage, mitigating, resolved, post-incident, closed", phase),
    verb("title", "TEXT", "give the incident another title", |session, rest, wall| {
        session.ask(Command::SetTitle(CleanStr::new(rest)), wall)
    }),
    verb("private", "[off]", "keep the incident private, or not any more", |session, rest, wall| match rest {
        "" => session.ask(Command::SetPrivacy(true), wall),
        "off" => session.ask(Command::SetPrivacy(false), wall),
        _ => usage("private"),
    }),
    verb("resolve", "[FINAL STATUS]", "the proof that it is over; with the final status: resolve on it", resolve)
        .live(),
    verb("resolve!", "REASON | FINAL STATUS", "resolve though something is not proven", |session, rest, wall| {
        let [reason, status] = fields(rest);
        if reason.is_empty() || status.is_empty() {
            return usage("resolve!");
        }
        let proof = session.console.proof(session.console.right(wall));
        let left = undone(session, wall);
        session.answer(left)?;
        session.ask(Command::Resolve { proof, final_status: lines(status), reason: given(reason) }, wall)
    })
    .shell(InShell::Anyway("resolve")),
    verb("false-alarm", "REASON", "close it: it was no incident", |session, rest, wall| {
        session.ask(Command::CloseAs(Outcome::FalseAlarm, given(rest)), wall)
    }),
    verb(
        "backlog",
        "WHERE",
        "close a SEV3: handled within the squad, logged for the backlog",
        |session, rest, wall| session.ask(Command::CloseAs(Outcome::Backlog, given(rest)), wall),
    ),
];

fn severity(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, reason) = first_word(rest);
    let level: Severity = word.parse()?;
    session.ask(Command::SetSeverity(level, given(reason)), wall)
}

fn phase(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, reason) = first_word(rest);
    let Some(phase) = Phase::ALL.into_iter().find(|phase| phase.name().eq_ignore_ascii_case(word)) else {
        return usage("phase");
    };
    session.ask(Command::EnterPhase(phase, given(reason)), wall)
}

/// What stays undone when the incident is over, a line each.
fn undone(session: &Session, wall: DateTime<Utc>) -> Vec<String> {
    session.cx(wall).unfinished().into_iter().map(|left| format!("left undone: {left}")).collect()
}

fn proof_line(line: &ProofLine) -> String {
    format!("proof: {} {}: {}", if line.met { "met" } else { "NOT MET" }, line.what, line.seen)
}

fn resolve(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let proof = session.console.proof(session.console.right(wall));
    let mut said: Vec<String> = proof.iter().map(proof_line).collect();
    if proof.is_empty() {
        said.push("proof: nothing could be measured".to_owned());
    }
    said.extend(undone(session, wall));
    let final_status = lines(rest);
    if final_status.is_empty() {
        said.push(format!("final status so far: {}", session.cx(wall).final_status()));
        session.answer(said)?;
        return Err("write :resolve FINAL STATUS: nothing was resolved yet".to_owned());
    }
    let resolve = |final_status: CleanText| Command::Resolve { proof, final_status, reason: None };
    match session.console.request(resolve(final_status), wall) {
        Ok(effect) => {
            session.answer(said)?;
            Ok(vec![effect])
        }
        Err(Refusal::WantsReason(sentence)) => {
            session.answer(said)?;
            Err(format!("{}: write :resolve! REASON | FINAL STATUS", session.cx(wall).said(&sentence)))
        }
        Err(no @ Refusal::No(_)) => Err(refusal(&no, &session.cx(wall))),
    }
}
