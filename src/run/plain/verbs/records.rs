//! Commands for this console and the records of this host.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::words::{first_word, given, settings, time_before};
use super::{Answer, InShell, Verb, help, usage, verb};
use crate::console::{Doubt, Effect};
use crate::incident::{Declared, Detection, IncidentId, Severity};
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("help", "[COMMAND]", "this list", help).shell(InShell::Own("help")),
    verb(
        "declare",
        "SERVICE 0|1|2|3 TITLE [at=TIME] [by=NAME] [link=URL]",
        "declare a new incident (service - if it is not known), detected at a time, reported by somebody, somewhere",
        |session, rest, wall| declare(session, rest, Doubt::Asked, wall),
    )
    .shell(InShell::Own("declare")),
    verb(
        "declare!",
        "SERVICE 0|1|2|3 TITLE [at=TIME] [by=NAME] [link=URL]",
        "the same, though another incident is open on the service",
        |session, rest, wall| declare(session, rest, Doubt::Anyway, wall),
    )
    .shell(InShell::Own("declare --anyway")),
    verb("open", "ID", "open another record", |_, rest, _| {
        let id: IncidentId = rest.parse().map_err(|error: crate::incident::NotAnIncident| error.to_string())?;
        Ok(vec![Effect::Open(id)])
    })
    .shell(InShell::Own("open")),
    verb("list", "", "the open incidents of this host", |_, _, _| Ok(vec![Effect::List])).shell(InShell::Own("list")),
    verb("quit", "", "leave; the record stays", |_, _, _| Ok(vec![Effect::Quit]))
        .shell(InShell::Not("a shell command leaves nothing open")),
];

pub(super) fn may_write(session: &Session) -> Result<(), String> {
    if session.is_read_only() { Err("this console only looks (--read-only)".to_owned()) } else { Ok(()) }
}

fn declare(session: &mut Session, rest: &str, doubt: Doubt, wall: DateTime<Utc>) -> Answer {
    let (words, found) = settings(rest, &["at", "by", "link"]);
    let (service, rest) = first_word(&words);
    let (level, title) = first_word(rest);
    if title.is_empty() {
        return usage("declare");
    }
    let severity: Severity = level.parse()?;
    let cx = session.cx(wall);
    let mut body = Declared {
        title: CleanStr::new(title),
        severity,
        service: (service != "-").then(|| CleanStr::new(service)),
        detected_at: Some(cx.wall),
        detection: Some(Detection::Report { by: cx.me.clone() }),
        zone: cx.zone.name().into(),
        link: None,
    };
    for (key, value) in found {
        match key {
            "at" => {
                let at = time_before(session, &value, wall)?;
                body.detected_at = Some(session.cx(wall).incident.clock().wall(at));
            }
            "by" => body.detection = Some(Detection::Report { by: CleanStr::new(&value) }),
            _ => body.link = given(&value),
        }
    }
    Ok(session.declare(body, Vec::new(), doubt, wall))
}
