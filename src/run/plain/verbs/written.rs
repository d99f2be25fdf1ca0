//! Commands for the timeline: lines that are written, corrected, struck, redacted.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::numbers::entry_numbered;
use super::words::{first_word, given, lines, understood};
use super::{Answer, InShell, LINES, Verb, usage, verb};
use crate::incident::command::scribe_line_since;
use crate::incident::when::{self, Leading};
use crate::incident::{Command, EntryId, EntryRedacted, NoteAdded, NoteAmended, NoteStruck};
use crate::text::{CleanStr, CleanText};

pub(super) const VERBS: &[Verb] = &[
    verb("note", "TEXT", "write a line on the timeline, as a line without a command does", note)
        .shell(InShell::Own("note")),
    verb("log", "[N]", "the last lines of the timeline, with numbers", log).of_record().looks(),
    verb(
        "amend",
        "N [TIME] TEXT",
        "correct a line of the last :log, or #N of the record; the first wording stays",
        amend,
    ),
    verb("strike", "N [REASON]", "strike a line of the last :log through; it stays readable", |session, rest, wall| {
        let (note, reason) = line(session, "strike", rest)?;
        session.ask(Command::StrikeNote(NoteStruck { note, reason: given(reason) }), wall)
    }),
    verb("redact", "N REASON", "show and keep the text of a line of the last :log no more", |session, rest, wall| {
        let (entry, reason) = line(session, "redact", rest)?;
        session.ask(Command::Redact(EntryRedacted { entry, reason: CleanStr::new(reason) }), wall)
    })
    .shell(InShell::Own("redact")),
    verb("draft", "", "record the half-typed line that an earlier console left", |session, _, wall| {
        session.record_draft(wall)
    }),
];

/// The line that a number names, and what follows the number.
fn line<'a>(session: &Session, name: &str, rest: &'a str) -> Result<(EntryId, &'a str), String> {
    let (number, rest) = first_word(rest);
    if number.is_empty() {
        return usage(name);
    }
    let has_record_number = number.starts_with('#') || session.is_single;
    let id = if has_record_number {
        entry_numbered(session.console.incident(), number)?
    } else {
        session.numbers.lines.get(number)?
    };
    Ok((id, rest))
}

fn amend(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (note, rest) = line(session, "amend", rest)?;
    let cx = session.cx(wall);
    let (at, text) = match when::leading(rest, cx.now, cx.zone) {
        Leading::Time(when, end) => (Some(understood(session, &when, wall)), rest[end..].trim()),
        Leading::Doubt(why) => return Err(why),
        Leading::None => (None, rest),
    };
    let text = Some(lines(text)).filter(|text| !text.is_empty());
    session.ask(Command::AmendNote(NoteAmended { note, text, at }), wall)
}

/// A line of text: a note.
pub(super) fn note(session: &mut Session, line: &str, wall: DateTime<Utc>) -> Answer {
    note_since(session, line, None, wall)
}

/// The same for a line whose typing began at a moment of the wall clock: it is of then.
pub(super) fn note_since(
    session: &mut Session,
    line: &str,
    began: Option<DateTime<Utc>>,
    wall: DateTime<Utc>,
) -> Answer {
    if line.trim().is_empty() {
        return Ok(Vec::new());
    }
    let cx = session.cx(wall);
    let began = began.map(|at| cx.incident.clock().show(at));
    let line = scribe_line_since(line, began.unwrap_or(cx.now), cx.now, cx.zone);
    if let Some(why) = &line.doubt {
        session.paper.line(&format!("! {why}; the line is kept as text, with the time of now"));
    }
    if let Some(when) = &line.when {
        understood(session, when, wall);
    }
    let body = NoteAdded { kind: line.kind, text: CleanText::new(line.text.trim_end()), at: line.at.or(began) };
    session.ask(Command::AddNote(body), wall)
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
