//! Commands for this console and the records of this host.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::words::{first_word, given, settings, time_before};
use super::{Answer, Verb, help, usage, verb};
use crate::alert::{proposed_severity, title};
use crate::console::{Effect, first_events};
use crate::incident::{AlertLinked, Asking, Command, Declared, Detection, Event, IncidentId, Series, Severity};
use crate::live::LiveAlert;
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("help", "[COMMAND]", "this list", help),
    verb(
        "declare",
        "SERVICE 0|1|2|3 TITLE [at=TIME] [by=NAME] [link=URL]",
        "declare a new incident (service - if it is not known), detected at a time, reported by somebody, somewhere",
        declare,
    ),
    verb("declare-from", "N [0|1|2|3] [TITLE]", "declare a new incident from an alert of :alerts", declare_from),
    verb("link", "N", "an alert of :alerts belongs to this incident", |session, rest, wall| {
        if rest.is_empty() {
            return usage("link");
        }
        let print = session.numbers.alerts.get(rest)?;
        let body = linked(&find(&print, &session.cx(wall).live.alerts(wall))?);
        session.ask(Command::LinkAlert(body), wall)
    }),
    verb("open", "ID", "open another record", |_, rest, _| {
        let id: IncidentId = rest.parse().map_err(|error: crate::incident::NotAnIncident| error.to_string())?;
        Ok(vec![Effect::Open(id)])
    }),
    verb("list", "", "the open incidents of this host", |_, _, _| Ok(vec![Effect::List])),
    verb("drill", "", "begin the drill and open it", |session, _, _| {
        may_write(session)?;
        Ok(vec![Effect::StartDrill])
    }),
    verb("quit", "", "leave; the record stays", |_, _, _| Ok(vec![Effect::Quit])),
];

fn may_write(session: &Session) -> Result<(), String> {
    if session.is_read_only() { Err("this console only looks (--read-only)".to_owned()) } else { Ok(()) }
}

fn declare(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
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
        detected_at: Some(wall),
        detection: Some(Detection::Report { by: cx.me.clone() }),
        zone: cx.zone.name().into(),
        link: None,
    };
    for (key, value) in found {
        match key {
            "at" => body.detected_at = Some(cx.incident.clock().wall(time_before(&value, &cx)?)),
            "by" => body.detection = Some(Detection::Report { by: CleanStr::new(&value) }),
            _ => body.link = given(&value),
        }
    }
    Ok(session.declare(body, wall))
}

fn declare_from(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, rest) = first_word(rest);
    if number.is_empty() {
        return usage("declare-from");
    }
    may_write(session)?;
    let print = session.numbers.alerts.get(number)?;
    let cx = session.cx(wall);
    let alerts = cx.live.alerts(wall);
    let live = find(&print, &alerts)?;
    if cx.incident.alerts.iter().any(|linked| live.fingerprints().contains(&&linked.fingerprint)) {
        return Err(format!("{} is linked to {} already", live.alert.name, cx.incident.id()));
    }
    let (word, after) = first_word(rest);
    let (severity, rest) = match word.parse::<Severity>() {
        Ok(severity) => (severity, after),
        Err(_) => (proposed_severity(live.alert).unwrap_or(Severity::Sev2), rest),
    };
    let body = Declared {
        title: given(rest).unwrap_or_else(|| title(live.alert)),
        severity,
        service: live.alert.service(|name| cx.catalogue.get(name).is_some()),
        // Until it has fired, nobody could have known.
        detected_at: Some(live.alert.starts_at.min(wall)),
        detection: Some(Detection::Alert { name: live.alert.name.clone() }),
        zone: cx.zone.name().into(),
        link: None,
    };
    let linked = Event::AlertLinked(linked(&live));
    let mut events =
        first_events(body, &Asking::new(cx.me.clone(), wall)).map_err(|refusal| super::refusal(&refusal))?;
    events.push(linked);
    Ok(vec![Effect::Create(Series::Incident, events)])
}

fn find<'a>(print: &CleanStr, alerts: &[LiveAlert<'a>]) -> Result<LiveAlert<'a>, String> {
    let found = alerts.iter().find(|live| live.fingerprints().contains(&print));
    found.cloned().ok_or_else(|| "this alert does not fire any more: :alerts lists those that do".to_owned())
}

fn linked(live: &LiveAlert<'_>) -> AlertLinked {
    AlertLinked {
        fingerprint: live.alert.fingerprint.clone(),
        name: live.alert.name.clone(),
        starts_at: live.alert.starts_at,
        labels: live.alert.labels.clone(),
    }
}
