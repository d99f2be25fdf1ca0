//! Proof that it is over: what live data says about each objective and about the error spans.
//!
//! Hides what counts as normal. What nobody measured proves nothing: it is listed as not met, with the reason.
//!
//! Invariant: pure; the same data at the same moment give the same lines.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::{Incident, ProofLine};
use crate::live::{Before, Freshness, Live, Panel};
use crate::playbook::{Action, Catalogue, Playbook, Step};
use crate::slo::{Objective, ObjectiveId, Side};
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
            let Some(Action::Verify(_)) = &step.action else { continue };
            let (seen, met) = measure(playbook, step, live, wall, now).unwrap_or_else(|why| (why, false));
            lines.push(line(format!("{service} {}", step.title), met, seen));
        }
        if !playbook.traces.services.is_empty() {
            let (met, seen) = spans(live, &playbook.traces.services, normal_for, wall, now);
            lines.push(line(format!("{service} error spans"), met, seen));
        }
    }
    lines
}

/// What a step's query gives now, and whether that is as expected.
pub fn measure(
    playbook: &Playbook,
    step: &Step,
    live: &Live,
    wall: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(String, bool), String> {
    let (Some(query), Some(objective)) = (step.query(), playbook.asks(step)) else {
        return Err("this step asks nothing".to_owned());
    };
    let id = ObjectiveId { service: playbook.service.clone(), objective: objective.id.clone() };
    let panel = live.panels.get(&id).ok_or("nobody answered it yet: is Prometheus configured?")?;
    if let Some(problem) = &panel.problem {
        return Err(format!("it could not be asked: {problem}"));
    }
    if live.panel_freshness(panel, wall) != Freshness::Fresh {
        return Err("the newest value is not fresh: nothing is concluded from it".to_owned());
    }
    let measured = panel.measured.as_ref().ok_or("it was never measured")?;
    let grid = &measured.grid;
    let hold = query.hold.map_or_else(TimeDelta::zero, |hold| *hold);
    let from = now - hold - grid.resolution * NOT_YET;
    if hold > TimeDelta::zero() && (grid.len == 0 || grid.at(0) > from) {
        return Err(format!(
            "the charts reach back less than {hold}: ] in the graphs (1) makes them longer",
            hold = minutes(hold)
        ));
    }
    let (mut last, mut holds): (Option<(f64, TimeDelta)>, _) = (None, true);
    for place in (0..grid.len).rev().take_while(|place| grid.at(*place) >= from) {
        let values = measured.series.iter().filter_map(|series| series.values.get(place).copied().flatten());
        let values: Vec<f64> = values.collect();
        let age = now - grid.at(place);
        // The newest moments may not have been scraped yet; a longer gap is no proof.
        if values.is_empty() && age > grid.resolution * NOT_YET && hold > TimeDelta::zero() {
            return Err(format!("there is no value {}", minutes_ago(age)));
        }
        holds &= values.iter().all(|value| query.expect.holds(*value));
        // Of several series the one that fails is shown.
        let shown = values.iter().find(|value| !query.expect.holds(**value)).or(values.first());
        last = last.or(shown.map(|value| (*value, age)));
    }
    let (last, age) = last.ok_or("there is no value in that time")?;
    let hold = query.hold.map(|hold| format!(" for {hold}")).unwrap_or_default();
    let ago = format!("{} s ago", age.num_seconds().max(0));
    Ok((format!("{} {ago}, expected {}{hold}", objective.unit.show(last), query.expect), holds))
}

/// How many roots of its expected number a count of spans may lie above it: one failed request leaves several.
const CHANCE: f64 = 3.0;
/// So many steps of a grid may be without a value at its end: they were not scraped yet.
const NOT_YET: i32 = 3;

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
            None if now - at <= grid.resolution * NOT_YET => {}
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
    let side = match objective.side {
        Side::Below => "below",
        Side::Above => "above",
    };
    format!("{side} {}", objective.unit.show(objective.limit()))
}

fn minutes_ago(age: TimeDelta) -> String {
    match age.num_minutes() {
        0 => "a moment ago".to_owned(),
        minutes => format!("{minutes} min ago"),
    }
}

/// What must be asked once to know how many error spans were usual: the quarter of an hour before the incident.
pub fn before(incident: &Incident, catalogue: &Catalogue) -> Option<Before> {
    let until = incident.detected_at.filter(|_| incident.phase().is_live())?;
    let playbooks = incident.services.iter().filter_map(|service| catalogue.get(service));
    let services: BTreeSet<_> = playbooks.flat_map(|playbook| &playbook.traces.services).cloned().collect();
    let services = Vec::from_iter(services);
    // The alert may be the last to know; what hurt before it is not usual.
    let until = incident.impact.start.map_or(until, |start| until.min(start));
    (!services.is_empty()).then_some(Before { until, length: TimeDelta::minutes(15), services })
}

/// No more error spans in the time that counts than in the same time before the incident, give or take what chance does; where that was never seen, none.
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
    let rates = live.usual.as_ref().map(|usual| usual.rates.as_ref());
    let rate: f64 = match rates {
        Some(Ok(rates)) => services.iter().filter_map(|service| rates.get(service)).sum(),
        Some(Err(_)) | None => 0.0,
    };
    let expected = rate * normal_for.as_seconds_f64();
    let usual = expected.ceil() as usize;
    let usually = match rates {
        Some(Ok(_)) if recent > usual && recent <= most(expected) => {
            format!("{usual} before the incident, so many by chance")
        }
        Some(Ok(_)) => format!("{usual} before the incident"),
        Some(Err(why)) => format!("what is usual is not known: {why}"),
        None => "what is usual was not asked yet".to_owned(),
    };
    (recent <= most(expected), format!("{recent} in {} min ({usually})", normal_for.num_minutes()))
}

/// The largest count that is still as usual. Counts of the same service differ by about their root: without room for that every second service that is
/// well again would be said not to be, and people would learn to write a reason and go on.
fn most(expected: f64) -> usize {
    (expected + CHANCE * expected.sqrt()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::most;

    #[test]
    fn a_few_more_error_spans_than_before_are_chance_and_half_as_many_again_are_not() {
        assert_eq!([0.0, 8.0, 60.0, 600.0].map(most), [0, 17, 84, 674]);
    }
}
