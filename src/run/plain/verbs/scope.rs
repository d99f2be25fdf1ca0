//! Commands for what is affected, since when.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::words::{first_word, given, settings, time_before};
use super::{Answer, Verb, usage, verb};
use crate::incident::{Command, ScopeSet, ServiceId, impact};
use crate::text::CleanStr;

/// What `:triage` may say.
const KEYS: [&str; 7] = ["geography", "partners", "users", "customers", "outage", "regulatory", "impact"];

pub(super) const VERBS: &[Verb] = &[
    verb(
        "triage",
        "geography=NL,DE partners=BluBank users=60 customers=1200 outage=no regulatory=no impact=-5m|nobody",
        "say what is affected; what is left out stays as it is",
        triage,
    ),
    verb("add-service", "NAME", "name another affected service", |session, rest, wall| {
        session.ask(Command::AddService(CleanStr::new(rest)), wall)
    })
    .or(&["service"]),
    verb("remove-service", "NAME", "a service is not affected after all", |session, rest, wall| {
        session.ask(Command::RemoveService(CleanStr::new(rest)), wall)
    })
    .or(&["unservice"]),
    verb("impact-start", "[SERVICE] [TIME]", "customers hurt since now, -5m or 14:10", |session, rest, wall| {
        let (service, rest) = whose(session, rest, wall);
        let at = time_before(session, rest, wall)?;
        let whole = Command::StartImpact(at);
        session.ask(service.map_or(whole, |service| Command::StartImpactOf(service, at)), wall)
    })
    .or(&["impact"]),
    verb(
        "impact-end",
        "[SERVICE] [TIME]",
        "customers do not hurt any more since now, -5m or 14:10",
        |session, rest, wall| {
            let (service, rest) = whose(session, rest, wall);
            let at = time_before(session, rest, wall)?;
            let whole = Command::EndImpact(at);
            session.ask(service.map_or(whole, |service| Command::EndImpactOf(service, at)), wall)
        },
    ),
    verb("no-impact", "[REASON]", "no customer is affected", |session, rest, wall| {
        session.ask(Command::DenyImpact(given(rest)), wall)
    }),
];

/// A service of the scope as the first word, and the rest.
fn whose<'a>(session: &mut Session, rest: &'a str, wall: DateTime<Utc>) -> (Option<ServiceId>, &'a str) {
    impact::whose(rest, &session.cx(wall).incident.services)
}

fn list(text: &str) -> Vec<CleanStr> {
    text.split([',', ';']).map(str::trim).filter(|name| !name.is_empty()).map(CleanStr::new).collect()
}

fn flag(key: &str, text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        other => Err(format!("`{}` for {key}: write yes or no", CleanStr::new(other))),
    }
}

fn triage(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (before, found) = settings(rest, &KEYS);
    if !before.is_empty() || found.is_empty() {
        return usage("triage");
    }
    let mut body = ScopeSet::default();
    let mut impact = None;
    for (key, value) in found {
        match key {
            "geography" => body.geography = Some(list(&value)),
            "partners" => body.partners = Some(list(&value)),
            "users" => {
                let share = value.trim_end_matches(['%', ' ']).parse();
                let no = |_| format!("`{}` is no share of users: write a number from 0 to 100", CleanStr::new(&value));
                body.users_percent = Some(share.map_err(no)?);
            }
            "customers" => {
                let no = |_| format!("`{}` is no number of customers", CleanStr::new(&value));
                body.customers = Some(value.replace([' ', '.', ','], "").parse().map_err(no)?);
            }
            "outage" => body.complete_outage = Some(flag(key, &value)?),
            "regulatory" => body.regulatory = Some(flag(key, &value)?),
            _ => {
                let (word, why) = first_word(&value);
                let is_nobody = ["nobody", "none"].contains(&word.to_lowercase().as_str());
                impact = Some(match is_nobody {
                    true => Command::DenyImpact(given(why)),
                    false => Command::StartImpact(time_before(session, &value, wall)?),
                });
            }
        }
    }
    let scope = (body != ScopeSet::default()).then_some(Command::SetScope(body));
    session.ask_all(scope.into_iter().chain(impact), wall)
}
