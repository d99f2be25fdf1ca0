//! Proof that it is over: what live data says about each objective and about the error spans.
//!
//! Hides what counts as normal. What nobody measured proves nothing: it is listed as not met, with the reason.
//!
//! Invariant: pure; the same data at the same moment give the same lines.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::{Incident, ProofLine};
use crate::live::{Freshness, Live, Panel};
use crate::playbook::{Action, Catalogue, Query};
use crate::slo::{Objective, ObjectiveId};
use crate::text::CleanStr;

/// What has to be normal for so long, one line for each objective of the impacted services, and one for their error spans.
pub fn proof(
    incident: &Incident,
    live: &Live,
    catalogue: &Catalogue,
    normal_for: TimeDelta,
    wall: DateTime<Utc>,
) -> Vec<ProofLine> {
    let mut lines = Vec::new();
    let now = incident.clock().show(wall);
    for service in &incident.services {
        let Some(playbook) = catalogue.get(service) else {
            lines.push(line(format!("{service}"), false, "has no playbook, so nothing is measured".to_owned()));
            continue;
        };
        for objective in &playbook.objectives {
            let id = ObjectiveId { service: service.clone(), objective: objective.id.clone() };
            let panel = live.panels.get(&id);
            let fresh = panel.is_some_and(|panel| live.panel_freshness(panel, wall) == Freshness::Fresh);
            let (met, seen) = match panel.filter(|_| fresh) {
                None => (false, "no fresh data".to_owned()),
                Some(panel) => measured(panel, objective, normal_for, now),
            };
            lines.push(line(format!("{service} {}", objective.title), met, seen));
        }
        for step in &playbook.steps {
            let Some(Action::Verify(query)) = &step.action else { continue };
            let (seen, met) = measure(query, catalogue, live, wall, now).unwrap_or_else(|why| (why, false));
            lines.push(line(format!("{service} {}", step.title), met, seen));
        }
        if !playbook.traces.services.is_empty() {
            let (met, seen) = spans(live, &playbook.traces.services, normal_for, wall, now);
            lines.push(line(format!("{service} error spans"), met, seen));
        }
    }
    lines
}

/// What a step's query gives now, and whether that is as expected; the query must be that of an objective, which the charts measure.
pub fn measure(
    query: &Query,
    catalogue: &Catalogue,
    live: &Live,
    wall: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(String, bool), String> {
    let objectives = catalogue.iter().flat_map(|playbook| playbook.objectives.iter().map(move |one| (playbook, one)));
    let (playbook, objective) = objectives
        .into_iter()
        .find(|(_, objective)| *objective.expr == *query.promql)
        .ok_or("only the query of a chart can be asked from here for now: this one wants Prometheus by hand")?;
    let id = ObjectiveId { service: playbook.service.clone(), objective: objective.id.clone() };
    let panel = live.panels.get(&id).ok_or("nothing measured it yet: open the graphs (1)")?;
    if live.panel_freshness(panel, wall) != Freshness::Fresh {
        return Err("the newest value is not fresh: nothing is concluded from it".to_owned());
    }
    let measured = panel.measured.as_ref().ok_or("it was never measured")?;
    let grid = &measured.grid;
    let hold = query.hold.map_or_else(TimeDelta::zero, |hold| *hold);
    let from = now - hold - grid.resolution * 2;
    if hold > TimeDelta::zero() && (grid.len == 0 || grid.at(0) > from) {
        return Err(format!(
            "the charts reach back less than {hold}: ] in the graphs (1) makes them longer",
            hold = minutes(hold)
        ));
    }
    let places = (0..grid.len).filter(|place| grid.at(*place) >= from);
    let values: Vec<f64> = places.filter_map(|place| measured.worst_at(objective, place)).collect();
    let last = values.last().ok_or("there is no value in that time")?;
    let holds = values.iter().all(|value| query.expect.holds(*value));
    let hold = query.hold.map(|hold| format!(" for {hold}")).unwrap_or_default();
    Ok((format!("{} now, expected {}{hold}", objective.unit.show(*last), query.expect), holds))
}

fn minutes(length: TimeDelta) -> String {
    format!("{} min", length.num_minutes())
}

fn line(what: String, met: bool, seen: String) -> ProofLine {
    ProofLine { what: CleanStr::new(&what), met, seen: CleanStr::new(&seen) }
}

/// Inside its threshold at each moment of the time that counts, with data at the newest of them.
fn measured(panel: &Panel, objective: &Objective, normal_for: TimeDelta, now: DateTime<Utc>) -> (bool, String) {
    let Some(measured) = &panel.measured else { return (false, "was never measured".to_owned()) };
    let grid = &measured.grid;
    let mut inside: Option<DateTime<Utc>> = None;
    let mut worst = None;
    for place in (0..grid.len).rev() {
        let at = grid.at(place);
        if at < now - normal_for {
            break;
        }
        match measured.worst_at(objective, place).filter(|value| value.is_finite()) {
            Some(value) if objective.is_broken_by(value) == Some(false) => {
                inside = Some(at);
                worst.get_or_insert(value);
            }
            Some(value) => {
                let since = inside.map_or_else(|| "now".to_owned(), |_| minutes_ago(now - at));
                return (false, format!("{} {since}, must be {}", objective.unit.show(value), limit(objective)));
            }
            // A gap at the newest moment is an answer that is under way; a longer one is no proof.
            None if now - at <= grid.resolution * 3 => {}
            None => return (false, format!("no data {}", minutes_ago(now - at))),
        }
    }
    let enough = inside.is_some_and(|from| now - from >= normal_for - grid.resolution * 2);
    match worst {
        Some(value) if enough => {
            (true, format!("{}, normal for {} min", objective.unit.show(value), normal_for.num_minutes()))
        }
        Some(value) => {
            (false, format!("{}, but known for less than {} min", objective.unit.show(value), normal_for.num_minutes()))
        }
        None => (false, "no data".to_owned()),
    }
}

fn limit(objective: &Objective) -> String {
    objective.unit.show(objective.limit())
}

fn minutes_ago(age: TimeDelta) -> String {
    match age.num_minutes() {
        0 => "a moment ago".to_owned(),
        minutes => format!("{minutes} min ago"),
    }
}

/// How many error spans a second of each service were usual, where the search reached back at least five minutes before the incident.
pub fn usual_errors(live: &Live, detected_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<BTreeMap<CleanStr, f64>> {
    let (_, _, found) = live.spans.as_ref()?;
    let before = detected_at - (now - found.lookback);
    // A search that was cut short says nothing about its oldest part.
    if before < TimeDelta::minutes(5) || !found.remarks.is_empty() {
        return None;
    }
    let mut rates = BTreeMap::new();
    for row in found.errors.iter().filter(|row| row.at < detected_at) {
        *rates.entry(row.service.clone()).or_default() += 1.0 / before.num_seconds().max(1) as f64;
    }
    Some(rates)
}

/// No more error spans in the time that counts than in the same time before the incident; where that was never seen, none.
fn spans(
    live: &Live,
    services: &[CleanStr],
    normal_for: TimeDelta,
    wall: DateTime<Utc>,
    now: DateTime<Utc>,
) -> (bool, String) {
    if live.spans_freshness(wall) != Some(Freshness::Fresh) {
        return (false, "no fresh data".to_owned());
    }
    let Some((_, _, found)) = &live.spans else { return (false, "no data".to_owned()) };
    let ours = found.errors.iter().filter(|row| services.contains(&row.service));
    let recent = ours.filter(|row| row.at > now - normal_for).count();
    let rate =
        |rates: &BTreeMap<CleanStr, f64>| -> f64 { services.iter().filter_map(|service| rates.get(service)).sum() };
    let rate = live.usual_errors.as_ref().map_or(0.0, rate);
    let usual = (rate * normal_for.num_seconds() as f64).ceil() as usize;
    let usually = match live.usual_errors {
        Some(_) => format!("{usual} before the incident"),
        None => "what is usual was not seen".to_owned(),
    };
    (recent <= usual, format!("{recent} in {} min ({usually})", normal_for.num_minutes()))
}
