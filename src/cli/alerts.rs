//! `warroom alerts`: what fires now, and which incident covers it.

use std::io::Write;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::answers::opened;
use super::{Ending, print, say_error};
use crate::alert::{AlertState, Cover, Coverage, covered_by, proposed_severity, title};
use crate::config::{Config, files};
use crate::incident::IncidentId;
use crate::live::LiveAlert;
use crate::playbook::Catalogue;
use crate::run::alerts::{Asked, ask};
use crate::run::clock;
use crate::run::records::{self, Board};
use crate::text::fit;
use crate::widget::text::duration;

/// The sources that tell alerts.
const TELLING: [&str; 2] = ["prometheus", "alertmanager"];
/// What one line has room for, of labels.
const LABELS: usize = 100;

/// What the sources say now; what they did not say is said on stderr.
pub(super) fn asked(config: &Config) -> Result<Asked, Ending> {
    let endpoints = super::start::endpoints(config).into_iter().filter(|(spec, _)| TELLING.contains(&spec.name));
    let endpoints: Vec<_> = endpoints.collect();
    if endpoints.is_empty() {
        let way = "neither Prometheus nor Alertmanager is configured: --prometheus URL, --alertmanager URL, or warroom config init";
        return Err(Ending::Usage(way.to_owned()));
    }
    let asked = ask(endpoints)?;
    let answered: Vec<_> = asked.live.reported.values().filter(|reported| reported.at.is_some()).collect();
    if answered.is_empty() {
        return Err(Ending::Failure(asked.problems.join("\n")));
    }
    asked.problems.iter().for_each(|problem| say_error(problem));
    let remarks = answered.iter().flat_map(|reported| &reported.found.remarks);
    remarks.for_each(|remark| say_error(remark));
    let left_out: usize = answered.iter().map(|reported| reported.found.left_out).sum();
    if left_out > 0 {
        say_error(&format!("{left_out} more alerts are not shown"));
    }
    Ok(asked)
}

pub(super) fn alerts(config: &Config, json: bool) -> Result<ExitCode, Ending> {
    let asked = asked(config)?;
    let open = open_incidents(config);
    let catalogue = files::catalogue(&config.playbooks);
    let (wall, mut lines) = (clock::wall(), Vec::new());
    let all = asked.live.alerts(wall);
    for live in &all {
        let incident = covering(live, &open, &catalogue);
        lines.push(if json { object(live, incident, &catalogue).to_string() } else { line(live, incident, wall) });
    }
    if json {
        return print(&format!("{{\"alerts\":[{}]}}", lines.join(",")));
    }
    if lines.is_empty() {
        let sources: Vec<_> = asked.live.reported.keys().copied().collect();
        return print(&format!("no alert is firing or pending ({})", sources.join(", ")));
    }
    let mut out = super::out::out(super::out::Ink::Never);
    for line in lines {
        writeln!(out, "{line}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The open incidents of this host; without a journal that can be read, alerts are shown all the same.
pub(super) fn open_incidents(config: &Config) -> Vec<Coverage> {
    let read = || -> anyhow::Result<Vec<Coverage>> {
        let (open, why) = records::list(&opened(config)?, records::Which::Open, &Board::default()).parts();
        if let Some(why) = why {
            say_error(&format!("not all that covers these alerts is known: {why}"));
        }
        Ok(open.into_iter().filter_map(|summary| summary.covers).collect())
    };
    read().unwrap_or_else(|error| {
        say_error(&format!("which incidents cover these alerts is not known: {error:#}"));
        Vec::new()
    })
}

fn covering(live: &LiveAlert<'_>, open: &[Coverage], catalogue: &Catalogue) -> Option<IncidentId> {
    let service = live.alert.service(|name| catalogue.get(name).is_some());
    covered_by(&live.fingerprints(), service.as_ref(), open).map(Cover::incident)
}

fn line(live: &LiveAlert<'_>, incident: Option<IncidentId>, wall: DateTime<Utc>) -> String {
    let alert = live.alert;
    let severity = proposed_severity(alert).map_or("-", |severity| severity.name());
    let when = if alert.starts_at > wall {
        format!("in {}", duration(alert.starts_at - wall))
    } else {
        duration(alert.age(wall))
    };
    let incident = incident.map_or_else(String::new, |id| format!("  {id}"));
    let labels = alert.label_line();
    format!(
        "{when:>9}  {severity:<4}  {:<9}  {:<28}  {}{incident}",
        live.state.word(),
        alert.name,
        fit(&labels, LABELS)
    )
}

fn object(live: &LiveAlert<'_>, incident: Option<IncidentId>, catalogue: &Catalogue) -> serde_json::Value {
    let alert = live.alert;
    let (silenced_by, inhibited_by, muted_by) = match live.state {
        AlertState::Firing | AlertState::Pending => (&[][..], &[][..], &[][..]),
        AlertState::Suppressed { silenced_by, inhibited_by, muted_by } => {
            (&silenced_by[..], &inhibited_by[..], &muted_by[..])
        }
    };
    let value = [Some(alert), live.twin].into_iter().flatten().find_map(|one| one.value.as_ref());
    json!({
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "title": title(alert),
        "state": live.state.word(),
        "starts_at": alert.starts_at,
        "severity": alert.severity(),
        "proposed_severity": proposed_severity(alert),
        "service": alert.service(|name| catalogue.get(name).is_some()),
        "labels": alert.labels,
        "annotations": alert.annotations,
        "silenced_by": silenced_by,
        "inhibited_by": inhibited_by,
        "muted_by": muted_by,
        "generator_url": alert.generator_url,
        "value": value.map(|value| &value.text),
        "sources": live.sources().split(", ").collect::<Vec<_>>(),
        "incident": incident,
    })
}
