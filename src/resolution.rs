//! Proof that it is over: what live data says about each objective and about the error spans.
//!
//! Hides what counts as normal. What nobody measured proves nothing, and neither does what was measured in part: it is listed as not met, with the
//! reason. Proof is read off the answer to a question of its own, at the objective's own resolution, never off a chart.
//!
//! Invariant: pure; the same data at the same moment give the same lines.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use crate::incident::{Incident, ProofLine};
use crate::live::{Before, Freshness, Live, Panel, Read, Scope};
use crate::playbook::{Action, Catalogue, Playbook, Step};
use crate::slo::{Absent, Measured, Objective, ObjectiveId};
use crate::text::CleanStr;

mod breach;

pub use breach::{Course, Over, over};

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
            let why = catalogue.why_none(service);
            let why = why.unwrap_or_else(|| "has no playbook, so nothing is measured".to_owned());
            lines.push(line(format!("{service}"), false, why));
            continue;
        };
        for objective in &playbook.objectives {
            let id = ObjectiveId { service: service.clone(), objective: objective.id.clone() };
            let proven =
                proven(live.panels.get(&id), live, wall).and_then(|proof| well(proof, objective, normal_for, now));
            let (met, seen) = proven.map_or_else(|why| (false, why), |seen| (true, seen));
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
    let measured = proven(Some(panel), live, wall)?;
    let grid = &measured.grid;
    let hold = query.hold.map_or_else(TimeDelta::zero, |hold| *hold);
    let from = now - hold - grid.resolution * NOT_YET;
    if hold > TimeDelta::zero() && (grid.len == 0 || grid.at(0) > from) {
        return Err(format!("the answer reaches back less than {hold}", hold = minutes(hold)));
    }
    let (mut last, mut holds): (Option<(f64, TimeDelta)>, _) = (None, true);
    for place in (0..grid.len).rev().take_while(|place| grid.at(*place) >= from) {
        let all = measured.series.iter().map(|series| &series.values).chain([&measured.rest]);
        let values: Vec<f64> = all.filter_map(|values| values.get(place).copied().flatten()).collect();
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

/// The answer that may prove something: asked lately, answered, and whole.
fn proven<'a>(panel: Option<&'a Panel>, live: &Live, wall: DateTime<Utc>) -> Result<&'a Measured, String> {
    let panel = panel.ok_or("nobody answered it yet: is Prometheus configured?")?;
    let Read { measured, problem, .. } = panel.read(Scope::Proof);
    if let Some(problem) = problem {
        return Err(format!("it could not be asked: {problem}"));
    }
    let measured = measured.as_ref().ok_or("it was not answered yet")?;
    if live.read_freshness(panel, Scope::Proof, wall) != Freshness::Fresh {
        return Err("the newest value is not fresh: nothing is concluded from it".to_owned());
    }
    match measured.partial.first() {
        Some(why) => Err(format!("the answer is not all of it: {why}")),
        None => Ok(measured),
    }
}

/// Inside its threshold at each moment of the time that counts, with data at the newest of them; or why that cannot be said.
fn well(
    measured: &Measured,
    objective: &Objective,
    normal_for: TimeDelta,
    now: DateTime<Utc>,
) -> Result<String, String> {
    let grid = &measured.grid;
    // Samples that come late prove nothing of the time for which there are none yet: the time that counts ends where they do.
    let (shown, now) = (now, now - objective.lag());
    let ago = |at: DateTime<Utc>| minutes_ago(shown - at);
    let mut inside: Option<DateTime<Utc>> = None;
    let mut newest = None;
    for place in (0..grid.len).rev() {
        let at = grid.at(place);
        if at < now - normal_for {
            break;
        }
        // What has come already of the time that does not count yet may be bad news, and no good one.
        if at > now
            && measured.worst_at(objective, place).and_then(|worst| objective.is_broken_by(worst.value)) != Some(true)
        {
            continue;
        }
        let worst = measured.worst_at(objective, place);
        match worst.map(|worst| (worst, objective.is_broken_by(worst.value))) {
            Some((worst, Some(false))) => {
                inside = Some(at);
                newest.get_or_insert(worst.shown(objective));
            }
            Some((worst, Some(true))) => {
                let since = inside.map_or_else(|| "now".to_owned(), |_| ago(at));
                let whose = worst.whose().map(|name| format!(" ({name})")).unwrap_or_default();
                let limit = objective.limit_beside(Some(worst.value), objective.side.word());
                return Err(format!("{}{whose} {since}, must be {limit}", worst.shown(objective)));
            }
            None if objective.absent == Absent::Met => inside = Some(at),
            // A gap at the newest moment is an answer that is under way; a longer one is no proof.
            Some((_, None)) | None if now - at <= grid.resolution * NOT_YET => {}
            Some((worst, None)) => {
                return Err(format!("{} {}", objective.unit.show(worst.value), ago(at)));
            }
            None if measured.series.is_empty() => return Err("no data: the query finds no series".to_owned()),
            None => return Err(format!("no data {}", ago(at))),
        }
    }
    let from = inside.ok_or("no data")?;
    let length = normal_for.num_minutes();
    let value = newest.unwrap_or_else(|| "no series, which is well here".to_owned());
    if now - from >= normal_for - grid.resolution * 2 {
        let lag = if shown > now { format!(" up to {}", ago(now)) } else { String::new() };
        Ok(format!("{value}, normal for {length} min{lag}"))
    } else {
        Err(format!("{value}, but known for less than {length} min"))
    }
}

fn minutes_ago(age: TimeDelta) -> String {
    match age.num_minutes() {
        0 => "a moment ago".to_owned(),
        minutes => format!("{minutes} min ago"),
    }
}

/// Since when every objective of the affected services has been inside its limit, as it was measured; absent where one is not, or where none was outside
/// as far back as the charts reach.
pub fn normal_since(
    incident: &Incident,
    live: &Live,
    catalogue: &Catalogue,
    wall: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let mut since = None;
    for service in &incident.services {
        for objective in &catalogue.get(service)?.objectives {
            let panel = live.panels.get(&ObjectiveId { service: service.clone(), objective: objective.id.clone() })?;
            let is_well = panel.standing(objective).is_kept() == Some(true);
            if !is_well || live.panel_freshness(panel, wall) != Freshness::Fresh {
                return None;
            }
            // The proof is finer, the chart reaches further.
            let ended = |scope| panel.measured(scope).and_then(|measured| last_ended(measured, objective));
            since = since.max(ended(Scope::Proof).or_else(|| ended(Scope::Chart)));
        }
    }
    since
}

/// The first moment after the last one at which an objective was broken.
fn last_ended(measured: &Measured, objective: &Objective) -> Option<DateTime<Utc>> {
    let is_broken = |place: &usize| {
        measured.worst_at(objective, *place).and_then(|worst| objective.is_broken_by(worst.value)) == Some(true)
    };
    let last = (0..measured.grid.len).rev().find(is_broken)?;
    (last + 1 < measured.grid.len).then(|| measured.grid.at(last + 1))
}

/// What must be asked once to know how many error spans were usual: the quarter of an hour before the incident.
pub fn before(incident: &Incident, catalogue: &Catalogue) -> Option<Before> {
    let until = incident.detected_at.filter(|_| incident.phase().is_live())?;
    let playbooks = incident.services.iter().filter_map(|service| catalogue.get(service));
    let services: BTreeSet<_> = playbooks.flat_map(|playbook| &playbook.traces.services).cloned().collect();
    let services = Vec::from_iter(services);
    // The alert may be the last to know; what hurt before it is not usual.
    let until = incident.impact.start().map_or(until, |start| until.min(start));
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
    if let Some((service, why)) = found.gaps.iter().find(|(service, _)| services.contains(service)) {
        return (false, format!("not all error spans of {service} were found: {why}"));
    }
    let ours = found.errors.iter().filter(|row| row.concerns(services));
    let recent = ours.filter(|row| row.at > now - normal_for).count();
    let rates = live.usual.as_ref().map(|usual| usual.rates.as_ref());
    let rate: f64 = match rates {
        Some(Ok(rates)) => {
            let ours = rates.iter().filter(|(hurt, _)| hurt.iter().any(|hurt| services.contains(hurt)));
            ours.map(|(_, rate)| rate).sum()
        }
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
    // What cannot be seen is said beside what is: the person who resolves decides.
    let unseen = found.unseen.iter().filter(|(service, _)| services.contains(service));
    let unseen: String = unseen.map(|(service, why)| format!("; {service}: {why}")).collect();
    (recent <= most(expected), format!("{recent} in {} min ({usually}){unseen}", normal_for.num_minutes()))
}

/// The largest count that is still as usual. Counts of the same service differ by about their root: without room for that every second service that is
/// well again would be said not to be, and people would learn to write a reason and go on.
fn most(expected: f64) -> usize {
    (expected + CHANCE * expected.sqrt()).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{Finding, Report};
    use crate::slo::tests::counted;
    use crate::slo::{Grid, Series};
    use crate::text::duration::Lapse;

    #[test]
    fn a_few_more_error_spans_than_before_are_chance_and_half_as_many_again_are_not() {
        assert_eq!([0.0, 8.0, 60.0, 600.0].map(most), [0, 17, 84, 674]);
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    /// What a proof says of quarters of a minute up to now.
    fn proof_of(objective: &Objective, scope: Scope, change: impl FnOnce(&mut Measured)) -> Result<String, String> {
        let id = ObjectiveId { service: "alipay".into(), objective: "x".into() };
        let resolution = TimeDelta::seconds(15);
        let grid = Grid { start: at(0) - resolution * 45, resolution, len: 46 };
        let series = vec![Series { name: "pod=a".into(), values: vec![Some(0.5); 46] }];
        let mut measured = Measured::over(grid, series, "x");
        change(&mut measured);
        let mut live = Live::default();
        let finding = Finding::Measured(id.clone(), scope, Box::new(measured));
        live.take(Report { source: "prometheus", generation: 0, finding }, at(0));
        let proof = proven(live.panels.get(&id), &live, at(2))?;
        well(proof, objective, TimeDelta::minutes(10), at(2))
    }

    #[test]
    fn what_was_outside_is_normal_since_the_first_measured_moment_inside() {
        let slo = counted(Absent::Unknown);
        let resolution = TimeDelta::seconds(15);
        let grid = Grid { start: at(0), resolution, len: 5 };
        let over = |values: [f64; 5]| {
            let values = values.into_iter().map(Some).collect();
            Measured::over(grid, vec![Series { name: "".into(), values }], "x")
        };
        assert_eq!(last_ended(&over([0.1, 2.0, 2.0, 0.1, 0.1]), &slo), Some(at(45)));
        assert_eq!(last_ended(&over([0.1; 5]), &slo), None, "it never was outside");
        assert_eq!(last_ended(&over([2.0; 5]), &slo), None, "it still is");
    }

    #[test]
    fn only_whole_and_fresh_answers_to_its_own_question_prove_anything() {
        let (unknown, met) = (counted(Absent::Unknown), counted(Absent::Met));
        assert_eq!(proof_of(&unknown, Scope::Proof, |_| {}), Ok("0.50, normal for 10 min".to_owned()));
        let why = proof_of(&unknown, Scope::Chart, |_| {}).unwrap_err();
        assert_eq!(why, "it was not answered yet", "a chart is no proof");
        let partial = |measured: &mut Measured| measured.partial.push("No StoreAPIs matched for this query".into());
        let why = proof_of(&unknown, Scope::Proof, partial).unwrap_err();
        assert_eq!(why, "the answer is not all of it: No StoreAPIs matched for this query");
        let why = proof_of(&unknown, Scope::Proof, |measured| measured.series[0].values[30] = Some(7.0)).unwrap_err();
        assert_eq!(why, "7 (pod=a) 3 min ago, must be at most 1");
        // Of those that were left out, too.
        let rest = |measured: &mut Measured| measured.rest = vec![Some(7.0); 46];
        let why = proof_of(&unknown, Scope::Proof, rest).unwrap_err();
        assert_eq!(why, "7 (a series that is not listed) now, must be at most 1");
        let endless = |measured: &mut Measured| measured.series[0].values[45] = Some(f64::INFINITY);
        assert_eq!(proof_of(&unknown, Scope::Proof, endless).unwrap_err(), "infinite (pod=a) now, must be at most 1");
        // Late samples: the last ten minutes are not there yet, and the time before them counts.
        let late = Objective { lag: Some(Lapse::seconds(600)), ..unknown.clone() };
        let missing = |measured: &mut Measured| measured.series[0].values[20..].fill(None);
        assert_eq!(proof_of(&unknown, Scope::Proof, missing).unwrap_err(), "no data a moment ago");
        let why = proof_of(&late, Scope::Proof, missing).unwrap_err();
        assert!(why.contains("known for less than 10 min"), "{why}");
        let none = |measured: &mut Measured| measured.series.clear();
        assert_eq!(proof_of(&unknown, Scope::Proof, none).unwrap_err(), "no data: the query finds no series");
        let well = proof_of(&met, Scope::Proof, |measured| measured.series.clear());
        assert_eq!(well, Ok("no series, which is well here, normal for 10 min".to_owned()));
    }
}
