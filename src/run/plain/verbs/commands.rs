//! Commands of steps: what would run is shown and kept as it is; `:confirm` starts exactly that.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::super::{Proposal, Session};
use super::steps::{numbered, step_done};
use super::words::first_word;
use super::{Answer, InShell, Verb, usage, verb};
use crate::clock;
use crate::console::Effect;
use crate::console::overlay::{self, Choice, GO, Offer, Overlay, Pick, RunDialog};
use crate::incident::{Command, CommandRemarked, NoteAdded, NoteKind, Program, Purpose, Remark, Run};
use crate::text::{CleanStr, CleanText, Exact, bare};

pub(super) const VERBS: &[Verb] = &[
    verb(
        "run",
        "N [NAME=VALUE …]",
        "show what a step would run, and start it once that is confirmed",
        |session, rest, wall| show(session, rest, Purpose::Do, wall),
    )
    .shell(InShell::As("run-step")),
    verb(
        "undo",
        "N [NAME=VALUE …]",
        "show what would take a step back, and start it once that is confirmed",
        |session, rest, wall| show(session, rest, Purpose::Undo, wall),
    ),
    verb("confirm", "[WORD]", "start what was shown last, with the word that it asked for", confirm)
        .shell(InShell::Not("what `warroom run-step`, `undo` and `roll-back` show is confirmed there with --yes")),
    verb("runs", "", "the commands of this record", runs).of_record().looks(),
    verb("cancel", "N", "stop a command (:runs has the numbers)", |session, rest, wall| {
        remark(session, rest, "cancel", Remark::CancelAsked, wall)
    }),
    verb("more-time", "N", "give a command five minutes more", |session, rest, wall| {
        remark(session, rest, "more-time", Remark::Granted(300), wall)
    }),
    verb(
        "trust",
        "SERVICE [N]",
        "show what a playbook from outside would run, or how its file was changed; then choose",
        trust,
    )
    .shell(InShell::Not("a playbook from outside is read before it is trusted: `warroom open`")),
    verb("wrong", "N", "a step is wrong: note a follow-up", |session, rest, wall| {
        let body = step_done(&session.cx(wall), "wrong", rest)?;
        let text = CleanText::new(&format!("playbook step {} ({}) is wrong", body.step, body.title));
        session.ask(Command::AddNote(NoteAdded { kind: NoteKind::Todo, text, at: None }), wall)
    }),
];

fn show(session: &mut Session, rest: &str, purpose: Purpose, wall: DateTime<Utc>) -> Answer {
    session.dialog = None;
    let (number, rest) = first_word(rest);
    let cx = session.cx(wall);
    let (playbook, step) = numbered(&cx, "run", number)?;
    let name = playbook.step_ref(step);
    if step.command().is_none() {
        return match overlay::step(&name, purpose, &cx)? {
            Offer::Ask(commands) => session.ask_all(commands, wall),
            Offer::Show(overlay) => match *overlay {
                Overlay::Pick(pick) => take(session, &pick, rest, &format!(":run {number}"), wall),
                _ => Err("that is done on the screen".to_owned()),
            },
        };
    }
    let mut given = BTreeMap::new();
    for word in rest.split_whitespace() {
        let (name, value) =
            word.split_once('=').ok_or_else(|| format!("`{}` is no NAME=VALUE", CleanStr::new(word)))?;
        given.insert(CleanStr::new(name), Exact::new(value));
    }
    let dialog = overlay::with_values(&name, purpose, &given, &cx)?;
    show_dialog(session, dialog)
}

/// What is offered: shown, or done at once.
pub(super) fn take_offer(session: &mut Session, offer: Offer, wall: DateTime<Utc>) -> Answer {
    match offer {
        Offer::Ask(commands) => session.ask_all(commands, wall),
        Offer::Show(overlay) => match *overlay {
            Overlay::Run(dialog) => show_dialog(session, *dialog),
            _ => Err("that is done on the screen".to_owned()),
        },
    }
}

/// Keeps what would run until its word is said; it is told once its programs were looked for.
pub(super) fn show_dialog(session: &mut Session, mut dialog: RunDialog) -> Answer {
    session.looks += 1;
    dialog.is_printed();
    let programs = dialog.programs_to_find(session.looks);
    session.dialog = Some(Proposal { dialog, code: String::new() });
    match programs {
        Some(programs) => Ok(vec![Effect::LookFor(session.looks, programs)]),
        None => {
            let lines = told(session);
            // A shell shows it with the word that it wants.
            if session.is_single { Ok(Vec::new()) } else { session.answer(lines) }
        }
    }
}

/// What would run, and the word that was made up for it this time: no script and no paste can know it before.
fn told(session: &mut Session) -> Vec<String> {
    let Some(Proposal { dialog, code }) = &mut session.dialog else { return Vec::new() };
    let seed = format!("{}{}{:?}", dialog.order.digest, session.looks, clock::wall());
    *code = blake3::hash(seed.as_bytes()).to_hex().chars().filter(char::is_ascii_alphabetic).take(4).collect();
    let mut lines = vec![dialog.heading()];
    lines.extend(dialog.parts().into_iter().map(|(name, text)| format!("  {name:<8} {text}")));
    lines.push(match dialog.words() {
        words if words.is_empty() => "  it cannot be started now".to_owned(),
        words => {
            let ways: Vec<_> = words.iter().map(|(word, then)| format!(":confirm {word}-{code}: {then}")).collect();
            format!("  {}", ways.join(" · "))
        }
    });
    lines
}

impl Session {
    /// What was found for what was shown last: now it is told.
    pub(in crate::run::plain) fn found(&mut self, number: u64, found: &[Result<Program, CleanStr>]) {
        self.waits.answer = false;
        if self.dialog.as_mut().is_some_and(|asked| asked.dialog.take_found(number, found)) {
            let lines = told(self);
            if !self.is_single {
                lines.iter().for_each(|line| self.paper.line(line));
            }
        }
    }
}

/// The rows of a picker with their numbers, or what the row of a number stands for.
pub(super) fn take(session: &mut Session, pick: &Pick, rest: &str, again: &str, wall: DateTime<Utc>) -> Answer {
    let Ok(number) = rest.trim().parse::<usize>() else {
        let mut lines = vec![pick.title.clone()];
        lines.extend(pick.notes.iter().map(|note| format!("  {note}")));
        lines.extend(pick.rows.iter().enumerate().map(|(place, (row, _))| format!("  {again} {}: {row}", place + 1)));
        return session.answer(lines);
    };
    match number.checked_sub(1).and_then(|place| pick.rows.get(place)) {
        Some((_, Choice::Command(command))) => session.ask((**command).clone(), wall),
        Some((_, Choice::Run(step, purpose))) => {
            let offer = overlay::step(step, *purpose, &session.cx(wall))?;
            take_offer(session, offer, wall)
        }
        Some((_, Choice::RunWith(step, values))) => {
            let dialog = overlay::with_values(step, Purpose::Do, values, &session.cx(wall))?;
            show_dialog(session, dialog)
        }
        Some((_, Choice::Act(name))) => match super::all().find(|verb| verb.is_called(name)) {
            Some(verb) => (verb.run)(session, "", wall),
            None => Err("that is done on the screen".to_owned()),
        },
        Some((_, Choice::Read(_, text))) => session.answer(text.lines().map(str::to_owned).collect()),
        Some(_) => Ok(Vec::new()),
        None => Err(format!("there is no way {number}: they go from 1 to {}", pick.rows.len())),
    }
}

fn confirm(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let Some(Proposal { dialog, code }) = &session.dialog else {
        return Err("nothing was shown yet: :run N shows what a step would run".to_owned());
    };
    if code.is_empty() {
        return Err("the program is still being looked for".to_owned());
    }
    let word = bare(rest).strip_suffix(code.as_str()).and_then(|word| word.strip_suffix('-'));
    let said = dialog.words().into_iter().find(|(known, _)| word == Some(known.as_str()));
    let Some((word, _)) = said else {
        let ways: Vec<_> = dialog.words().iter().map(|(word, _)| format!(":confirm {word}-{code}")).collect();
        return Err(match (&dialog.blocked, ways.is_empty()) {
            (Some(why), true) => why.clone(),
            (None, true) => "it cannot be started now".to_owned(),
            (_, false) => format!("write {}: nothing has run", ways.join(" or ")),
        });
    };
    let typed = if word == GO { "" } else { word.as_str() };
    if let Some(why) = dialog.is_stale(&session.cx(wall)) {
        return Err(why);
    }
    let commands = dialog.confirm(typed, &session.cx(wall))?;
    session.dialog = None;
    session.ask_all(commands, wall)
}

fn numbered_run<'a>(session: &'a Session, rest: &str, name: &str, wall: DateTime<Utc>) -> Result<&'a Run, String> {
    let Ok(number) = rest.trim().parse::<usize>() else { return usage(name) };
    let runs = &session.cx(wall).incident.runs;
    number.checked_sub(1).and_then(|place| runs.get(place)).ok_or_else(|| match runs.len() {
        0 => "no command was started here".to_owned(),
        count => format!("there is no command {number}: they go from 1 to {count} (:runs)"),
    })
}

fn remark(session: &mut Session, rest: &str, name: &str, remark: Remark, wall: DateTime<Utc>) -> Answer {
    let run = numbered_run(session, rest, name, wall)?.id;
    session.ask(Command::RemarkRun(CommandRemarked { run, remark }), wall)
}

fn runs(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let line = |(place, run): (usize, &Run)| {
        let how = run.ending().map_or_else(|| "runs".to_owned(), ToString::to_string);
        let (by, at) = (&run.started.by, cx.clock(run.started.at));
        format!("{} {at} {by}: {} · {how}", place + 1, run.order.title)
    };
    let mut lines: Vec<String> = cx.incident.runs.iter().enumerate().map(line).collect();
    if lines.is_empty() {
        lines.push("no command was started here: :run N shows what a step would run".to_owned());
    }
    session.answer(lines)
}

fn trust(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (service, word) = first_word(rest);
    let service = CleanStr::new(service);
    match overlay::approve(&service, &session.cx(wall))? {
        Overlay::Pick(pick) => {
            // The last that does something; below it one can only read.
            let does = |(_, choice): &(String, Choice)| matches!(choice, Choice::Command(_));
            let yes = pick.rows.iter().rposition(does).map_or(0, |place| place + 1).to_string();
            let word = if bare(word) == "yes" { &yes } else { word };
            take(session, &pick, word, &format!(":trust {service}"), wall)
        }
        _ => Err("that is done on the screen".to_owned()),
    }
}
