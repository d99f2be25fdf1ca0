//! `warroom doctor`: whether everything that an incident needs is there.
//!
//! Hides nothing but the order of the lines.

mod journal;

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde_json::json;

use self::journal::Found;
use super::start::{channels, endpoints, locale_is_utf8};
use super::{Ending, print};
use crate::channel::calls;
use crate::checkup::{Finding, Verdict, sum};
use crate::config::{Config, Inputs, files};
use crate::incident::{Act, DeliveryState, Incident, IncidentId, Phase};
use crate::journal::JournalDir;
use crate::oncall::known_as;
use crate::run::encoder::Habits;
use crate::run::lacking::lacking;
use crate::run::{clock, doctor, records};
use crate::source::http::Way;
use crate::text::CleanStr;
use crate::theme::Depth;

pub(super) fn doctor(config: &Config, inputs: &Inputs, as_json: bool, is_rehearsed: bool) -> Result<ExitCode, Ending> {
    let catalogue = files::catalogue(&config.playbooks);
    let journal = Found::of(config);
    let mut findings = on_this_machine(config, inputs, &journal);
    findings.extend(catalogue.problems.iter().map(|problem| Finding::wrong("playbooks", problem)));
    findings.push(Finding::fine("playbooks", &crate::text::many(catalogue.playbooks.len(), "service")));
    findings.extend(crate::config::remarks(config).iter().map(|remark| Finding::doubtful("people", remark)));
    let watch = config.rotation.as_ref().and_then(|rotation| rotation.on_call(clock::wall()));
    let on_call =
        watch.and_then(|watch| known_as(&config.people, &watch.person).first().map(|person| (*person).clone()));
    let patient = doctor::Patient {
        sources: endpoints(config),
        channels: channels(config),
        options: config.settings.clone(),
        reach: config.reach.clone(),
        catalogue,
        on_call,
    };
    let is_there = |name: &str| {
        patient.sources.iter().any(|(spec, _)| spec.name == name)
            || patient.channels.iter().any(|(spec, _)| spec.name == name)
    };
    let known = ["prometheus", "alertmanager", "jaeger", "pagerduty", "slack", "statuspage", "jira"];
    let missing: Vec<_> = known.into_iter().filter(|name| !is_there(name)).collect();
    findings.extend(doctor::examine(&patient)?);
    findings.extend(missing.iter().map(|name| Finding::untried(name, "not configured")));
    findings.extend(journal.read(|dir| tickets(config, dir)));
    findings.extend(journal.read(in_staging));
    if is_rehearsed {
        findings.extend(super::rehearse::rehearse(config, &patient.options)?);
    }
    let is_wrong = findings.iter().any(|finding| finding.verdict == Verdict::Wrong);
    if as_json {
        print(&json!({ "is_fine": !is_wrong, "findings": findings }).to_string())?;
    } else {
        let lines: Vec<_> = findings.iter().map(Finding::line).collect();
        print(&format!("{}\n{}", lines.join("\n"), sum(&findings)))?;
    }
    Ok(if is_wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn on_this_machine(config: &Config, inputs: &Inputs, journal: &Found) -> Vec<Finding> {
    let mut findings = Vec::new();
    let file = inputs.overrides.config.clone().unwrap_or_else(|| inputs.places.user_file());
    findings.extend(doctor::mode("configuration", &file, 0o022, "chmod go-w"));
    findings.push(journal.finding());
    let depth = Depth::of(
        std::env::var("NO_COLOR").ok().as_deref(),
        std::env::var("COLORTERM").ok().as_deref(),
        std::env::var("TERM").ok().as_deref(),
    );
    findings.extend(proxies(config));
    findings.push(match (std::io::stdout().is_terminal(), locale_is_utf8()) {
        (false, _) => Finding::untried("terminal", "the output is none"),
        (true, true) => {
            let turns = if Habits::of_environment(|name| std::env::var(name).ok()).isolates {
                "turns right-to-left text around, and is told where each text begins and ends"
            } else {
                "gets right-to-left text in the order in which it is written"
            };
            Finding::fine("terminal", &format!("UTF-8, {depth:?}, {turns}"))
        }
        (true, false) => {
            Finding::doubtful("terminal", "the locale is not UTF-8: charts are drawn in ASCII (LC_ALL=C.UTF-8)")
        }
    });
    findings.extend(lacking().iter().map(|one| Finding::doubtful(one.what, &one.why)));
    findings
}

/// Which way each system is asked.
pub(super) fn ways(config: &Config) -> Vec<(&'static str, Way)> {
    let read = endpoints(config).into_iter().map(|(spec, endpoint)| (spec.name, endpoint));
    let written = channels(config).into_iter().map(|(spec, endpoint)| (spec.name, endpoint));
    let mut all: Vec<(&str, Way)> = Vec::new();
    for (name, endpoint) in read.chain(written) {
        // Alertmanager is read and written, in one way.
        if !all.iter().any(|(known, _)| *known == name) {
            all.push((name, Way::of(&endpoint)));
        }
    }
    all
}

/// The proxies on the way to other systems, a line each, and those that are named and cannot be used.
fn proxies(config: &Config) -> Vec<Finding> {
    let mut through: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut ignored = BTreeSet::new();
    for (name, way) in ways(config) {
        ignored.extend(way.ignored);
        if let Some(proxy) = way.proxy {
            through.entry(format!("{proxy} ({})", way.why)).or_default().push(name);
        }
    }
    let ignored = ignored.iter().map(|why| Finding::doubtful("proxy", why));
    let used = through.iter().map(|(proxy, names)| Finding::fine("proxy", &format!("{proxy}: {}", names.join(", "))));
    ignored.chain(used).collect()
}

/// `doctor --explain`: the calls, and which way each system is asked here.
pub(super) fn explain(config: &Config) -> Result<ExitCode, Ending> {
    let ways = ways(config);
    let mut text = calls::explained();
    if !ways.is_empty() {
        text += "\n# Ways\n\n| system | way | because |\n| --- | --- | --- |\n";
    }
    for (name, way) in ways {
        let through = way.proxy.map_or_else(|| "directly".to_owned(), |proxy| format!("through {proxy}"));
        text += &format!("| {name} | {through} | {} |\n", way.ignored.unwrap_or(way.why));
    }
    print(text.trim_end())
}

/// Incidents that run and have no ticket, where tickets are kept.
pub(super) fn without_ticket(config: &Config, all: &[Incident]) -> Vec<(IncidentId, CleanStr)> {
    let lacks = |incident: &&Incident| {
        let has = incident.deliveries.iter().any(|known| {
            config.reach.ticket_systems().any(|system| *system == known.body.service)
                && matches!((&known.body.act, &known.state), (Act::Open(_), DeliveryState::Sent(_)))
        });
        incident.drill.is_none() && incident.phase() != Phase::Closed && incident.declared.is_some() && !has
    };
    let keeps = config.reach.ticket_systems().next().is_some();
    let all = all.iter().filter(|_| keeps).filter(lacks);
    all.map(|incident| (incident.id(), incident.title.clone())).collect()
}

/// What drills put into staging and nobody took back.
fn in_staging(dir: &JournalDir) -> Vec<Finding> {
    let (list, unread) = records::list(dir, records::Which::Open, &records::Board::default()).parts();
    let unread = unread.map(|why| {
        Finding::doubtful("records", &format!("whether a drill left something in staging is not known of all: {why}"))
    });
    let standing = list.into_iter().filter(|one| !one.standing.is_empty()).map(|one| {
        let (id, what) = (one.id, one.standing.join("; "));
        Finding::wrong(&id.to_string(), &format!("still in staging: {what}: `warroom open {id}`, then `staging`"))
    });
    standing.chain(unread).collect()
}

fn tickets(config: &Config, dir: &JournalDir) -> Vec<Finding> {
    let (all, unread) = records::all(dir).unwrap_or_else(|error| (Vec::new(), vec![format!("{error:#}")]));
    let keeps = config.reach.ticket_systems().next().is_some();
    let unread = unread
        .first()
        .filter(|_| keeps)
        .map(|why| Finding::doubtful("tickets", &format!("whether every incident has a ticket is not known: {why}")));
    let finding = |(id, title): (IncidentId, CleanStr)| {
        Finding::doubtful(
            &id.to_string(),
            &format!("{title}: it has no ticket: open it in a console that reaches {}", config.reach.ticket_system()),
        )
    };
    without_ticket(config, &all).into_iter().map(finding).chain(unread).collect()
}
