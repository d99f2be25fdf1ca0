//! What must hold of an exercise beyond the types of its keys.
//!
//! Hides the list of rules; each complaint names the way to the value that breaks one.
//!
//! Invariant: after these checks the world can compute without looking back: no name is missing, no number is senseless.

use std::collections::BTreeSet;

use super::cast::{Asked, Reply};
use super::exposed::{Exposed, MetricKind, Part};
use super::script::Rule;
use super::staged::Stop;
use super::{Aspect, Cause, Exercise, Fault, Requests, Signal, Trigger};
use crate::incident::Role;
use crate::text::CleanStr;
use crate::text::document::{Complaint, Key, name, said};
use crate::text::duration::Lapse;

/// More than this a second would make the traces of a quarter of an hour slow to look through.
const MOST_TRACES: f64 = 100.0;
const MOST_SERIES: u32 = 1_000;

pub(super) fn check(exercise: &Exercise) -> Result<(), Complaint> {
    name(&exercise.service, "service")?;
    said(&exercise.title, "title")?;
    said(&exercise.scenario, "scenario")?;
    said(&exercise.brief, "brief")?;
    for (key, is_empty) in [("goals", exercise.goals.is_empty()), ("success", exercise.success.is_empty())] {
        if is_empty {
            return Err(Complaint::new([key.into()], "is empty: the pre-brief needs at least one"));
        }
    }
    let opening = &exercise.opening;
    said(&opening.title, "title").map_err(|complaint| complaint.within(["opening".into()]))?;
    said(&opening.alert, "alert").map_err(|complaint| complaint.within(["opening".into()]))?;
    let faults = faults(exercise)?;
    requests(&exercise.requests, &faults).map_err(|complaint| complaint.within(["requests".into()]))?;
    signals(&exercise.signals)?;
    for (place, relief) in exercise.relief.iter().enumerate() {
        let check = || {
            pair(&relief.step, "step")?;
            known(&faults, &relief.fault, "fault")?;
            within(relief.share, "share", 0.0, 1.0)?;
            pairs(&relief.needs, "needs")
        };
        check().map_err(|complaint| complaint.within(["relief".into(), place.into()]))?;
    }
    staging(exercise)?;
    cast(exercise).map_err(|complaint| complaint.within(["opening".into()]))?;
    script(exercise, &faults)
}

/// Who is around is one person, knows something, and every answer can come.
fn cast(exercise: &Exercise) -> Result<(), Complaint> {
    let mut names = BTreeSet::new();
    for (place, person) in exercise.opening.people.iter().enumerate() {
        let mut check = || {
            said(&person.name, "name")?;
            if person.name.trim().starts_with('@') {
                return Err(Complaint::new(
                    ["name".into()],
                    "stands without its @, which work that is handed to them has",
                ));
            }
            said(&person.about, "about")?;
            if !names.insert(person.name.to_lowercase()) {
                return Err(Complaint::new(["name".into()], format!("`{}` stands twice in this file", person.name)));
            }
            if person.plays == Some(Role::IncidentCommander) {
                let why = "nobody plays the Incident Commander: write sme, scribe or communications-lead";
                return Err(Complaint::new(["plays".into()], why));
            }
            for (place, reply) in person.answers.iter().enumerate() {
                let is_last = place + 1 == person.answers.len();
                check_reply(reply, is_last).map_err(|complaint| complaint.within(["answers".into(), place.into()]))?;
            }
            Ok(())
        };
        check().map_err(|complaint| complaint.within(["people".into(), place.into()]))?;
    }
    Ok(())
}

fn check_reply(reply: &Reply, is_last: bool) -> Result<(), Complaint> {
    said(&reply.text, "text")?;
    let Some(asked) = &reply.when else {
        let why = "fits every task, so those below it are never said: put it last, or say `when`";
        return if is_last { Ok(()) } else { Err(Complaint::new([], why)) };
    };
    let check = || {
        if *asked == Asked::default() {
            return Err(Complaint::new([], "says nothing: name a `step`, `words`, `needs` or `unless`"));
        }
        asked.step.as_ref().map_or(Ok(()), |step| pair(step, "step"))?;
        for (place, words) in asked.words.iter().enumerate() {
            if !words.chars().any(char::is_alphanumeric) {
                return Err(Complaint::new(["words".into(), place.into()], "is no word that a task could have"));
            }
        }
        pairs(&asked.needs, "needs")?;
        pairs(&asked.unless, "unless")
    };
    check().map_err(|complaint| complaint.within(["when".into()]))
}

/// What is put into staging must be taken back from there by a command that is known beforehand.
fn staging(exercise: &Exercise) -> Result<(), Complaint> {
    let mut ids = BTreeSet::new();
    for (place, staged) in exercise.staging.iter().enumerate() {
        let check = || {
            name(&staged.id, "id")?;
            said(&staged.what, "what")?;
            let command = &staged.command;
            if staged.stays.is_some_and(Lapse::is_zero) {
                return Err(Complaint::new(["stays".into()], "is zero: nothing would ever stand there"));
            }
            let wrong = |key: &str, why: &str| Err(Complaint::new(["command".into(), key.into()], why));
            command.check().map_err(|complaint| complaint.within(["command".into()]))?;
            if command.undo.is_empty() {
                return wrong("undo", "is missing: what is put into staging must be taken back");
            }
            if !command.parameters.is_empty() {
                return wrong("parameters", "are for steps of a playbook: write what runs as it is");
            }
            if command.confirm.as_ref().is_some_and(|word| word.is_blank() || word.trim() != word.as_str()) {
                return wrong("confirm", "is no word that can be typed: leave it out, and the id is typed");
            }
            // What is not honoured here must not look as if it were.
            let for_playbooks = [
                ("environment", command.environment.is_some()),
                ("second-person", command.second_person),
                ("roles", !command.roles.is_empty()),
                ("needs", !command.needs.is_empty()),
            ];
            if let Some((key, _)) = for_playbooks.into_iter().find(|(_, is_said)| *is_said) {
                return wrong(key, "is for steps of a playbook: what is put into staging is confirmed by its word");
            }
            if ids.contains(staged.id.as_str()) {
                return Err(Complaint::new(["id".into()], format!("`{}` stands twice in this file", staged.id)));
            }
            Ok(())
        };
        check().map_err(|complaint| complaint.within(["staging".into(), place.into()]))?;
        ids.insert(staged.id.as_str());
    }
    let stops = exercise.safety.iter().flat_map(|safety| &safety.stop);
    for (place, stop) in stops.enumerate() {
        stopped_by(stop).map_err(|complaint| complaint.within(["safety".into(), "stop".into(), place.into()]))?;
    }
    Ok(())
}

/// What stops a drill is one thing with one limit.
fn stopped_by(stop: &Stop) -> Result<(), Complaint> {
    let wrong = |key: &str, why: &str| Err(Complaint::new([key.into()], why));
    match (&stop.objective, &stop.query) {
        (Some(name), None) => pair(name, "objective")?,
        (None, Some(query)) if crate::text::is_blank(query) => return wrong("query", "is empty"),
        (None, Some(_)) if stop.above.is_none() && stop.below.is_none() => {
            return wrong("query", "has no limit: say `above` or `below`");
        }
        (None, Some(query)) => {
            crate::slo::promql::check(query).map_err(|fault| Complaint::new(["query".into()], fault.to_string()))?;
        }
        (Some(_), Some(_)) | (None, None) => return wrong("objective", "or `query`: say one of them"),
    }
    if stop.above.is_some() && stop.below.is_some() {
        return wrong("above", "and `below`: one of them is the limit");
    }
    for (key, limit) in [("above", stop.above), ("below", stop.below)] {
        if limit.is_some_and(|limit| !limit.is_finite()) {
            return wrong(key, "is no number");
        }
    }
    Ok(())
}

fn script(exercise: &Exercise, faults: &BTreeSet<&str>) -> Result<(), Complaint> {
    let mut ids = BTreeSet::new();
    for (place, inject) in exercise.injects.iter().enumerate() {
        let check = || {
            name(&inject.id, "id")?;
            said(&inject.from, "from")?;
            said(&inject.via, "via")?;
            said(&inject.text, "text")?;
            one_of(inject.at.is_some(), inject.when.as_ref())?;
            if ids.contains(inject.id.as_str()) {
                return Err(Complaint::new(["id".into()], format!("`{}` stands twice in this file", inject.id)));
            }
            Ok(())
        };
        check().map_err(|complaint| complaint.within(["injects".into(), place.into()]))?;
        ids.insert(inject.id.as_str());
    }
    for (place, shown) in exercise.shows.iter().enumerate() {
        let check = || {
            pair(&shown.step, "step")?;
            said(&shown.text, "text")?;
            pairs(&shown.unless, "unless")
        };
        check().map_err(|complaint| complaint.within(["shows".into(), place.into()]))?;
    }
    for (place, hint) in exercise.hints.iter().enumerate() {
        let check = || said(&hint.text, "text").and_then(|()| pairs(&hint.unless, "unless"));
        check().map_err(|complaint| complaint.within(["hints".into(), place.into()]))?;
    }
    for (place, criterion) in exercise.success.iter().enumerate() {
        let check = || {
            said(&criterion.what, "what")?;
            let at = |complaint: Complaint| complaint.within(["rule".into()]);
            match &criterion.rule {
                Rule::Done { step, before, .. } => {
                    let check =
                        pair(step, "step").and_then(|()| before.as_ref().map_or(Ok(()), |step| pair(step, "before")));
                    check.map_err(|complaint| at(complaint.within(["done".into()])))
                }
                Rule::Avoided(fault) => known(faults, fault, "avoided").map_err(at),
                _ => Ok(()),
            }
        };
        check().map_err(|complaint| complaint.within(["success".into(), place.into()]))?;
    }
    Ok(())
}

fn pairs(all: &[CleanStr], key: &str) -> Result<(), Complaint> {
    for (place, one) in all.iter().enumerate() {
        pair(one, "").map_err(|complaint| Complaint { path: vec![key.into(), place.into()], ..complaint })?;
    }
    Ok(())
}

/// Something begins at a time or with a step.
fn one_of(has_time: bool, trigger: Option<&Trigger>) -> Result<(), Complaint> {
    match (has_time, trigger) {
        (true, None) => Ok(()),
        (false, Some(trigger)) => pair(&trigger.step, "step")
            .and_then(|()| pairs(&trigger.unless, "unless"))
            .map_err(|complaint| complaint.within(["when".into()])),
        (true, Some(_)) => Err(Complaint::new(["when".into()], "either `at` or `when`, not both")),
        (false, None) => Err(Complaint::new([], "needs `at`, a time, or `when`, a step")),
    }
}

fn within(value: f64, key: &str, least: f64, most: f64) -> Result<(), Complaint> {
    if value.is_finite() && (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Complaint::new([key.into()], format!("{value} is out of range: write {least} to {most}")))
}

fn pair(text: &str, key: &str) -> Result<(), Complaint> {
    let is_pair = text.split_once('/').is_some_and(|(service, id)| name(service, "").is_ok() && name(id, "").is_ok());
    if is_pair {
        return Ok(());
    }
    Err(Complaint::new([key.into()], "is no reference: write `service/id`, as in the service's playbook file"))
}

fn known(faults: &BTreeSet<&str>, fault: &str, key: &str) -> Result<(), Complaint> {
    if faults.contains(fault) {
        return Ok(());
    }
    let choices: Vec<_> = faults.iter().map(|fault| format!("`{fault}`")).collect();
    Err(Complaint::new([key.into()], format!("no fault has this id: choose {}", choices.join(", "))))
}

fn faults(exercise: &Exercise) -> Result<BTreeSet<&str>, Complaint> {
    // At a table nothing goes wrong but what people say.
    let is_tabletop = !exercise.injects.is_empty() && exercise.success.iter().any(|one| one.rule == Rule::Scored);
    if exercise.faults.is_empty() && !is_tabletop {
        return Err(Complaint::new(["faults".into()], "is empty: an exercise has at least one [[faults]]"));
    }
    let named = |which: fn(&Signal) -> bool| -> BTreeSet<&str> {
        exercise.signals.iter().filter(|signal| which(signal)).map(|signal| signal.objective.as_str()).collect()
    };
    let (levels, stocks) = (named(|signal| signal.level.is_some()), named(|signal| signal.stock.is_some()));
    let mut ids = BTreeSet::new();
    for (place, fault) in exercise.faults.iter().enumerate() {
        let here = || -> [Key; 2] { ["faults".into(), place.into()] };
        check_fault(fault, &levels, &stocks).map_err(|complaint| complaint.within(here()))?;
        if !ids.insert(fault.id.as_str()) {
            return Err(
                Complaint::new(["id".into()], format!("`{}` stands twice in this file", fault.id)).within(here())
            );
        }
    }
    Ok(ids)
}

fn check_fault(fault: &Fault, levels: &BTreeSet<&str>, stocks: &BTreeSet<&str>) -> Result<(), Complaint> {
    name(&fault.id, "id")?;
    said(&fault.what, "what")?;
    one_of(fault.at.is_some(), fault.when.as_ref())?;
    for (stock, factor) in &fault.flows {
        if !stocks.contains(stock.as_str()) {
            let path = [Key::from("flows"), Key::from(stock.as_str())];
            return Err(Complaint::new(path, "no signal with a `stock` has this objective"));
        }
        within(*factor, stock, 0.0, 100.0).map_err(|complaint| complaint.within(["flows".into()]))?;
    }
    within(fault.latency, "latency", 0.01, 1_000.0)?;
    within(fault.rate, "rate", 0.0, 100.0)?;
    within(fault.errors, "errors", 0.0, 1.0)?;
    for (level, value) in &fault.levels {
        let path = [Key::from("levels"), Key::from(level.as_str())];
        if !levels.contains(level.as_str()) {
            return Err(Complaint::new(path, "no signal with a `level` has this objective"));
        }
        within(*value, level, 0.0, 1e12).map_err(|complaint| complaint.within(["levels".into()]))?;
    }
    Ok(())
}

fn requests(requests: &Requests, faults: &BTreeSet<&str>) -> Result<(), Complaint> {
    within(requests.rate, "rate", 0.01, 1e6)?;
    within(requests.spread, "spread", 0.01, 3.0)?;
    within(requests.errors, "errors", 0.0, 1.0)?;
    within(requests.traced, "traced", 0.0, 1.0)?;
    if requests.rate * requests.traced > MOST_TRACES {
        let message = format!("more than {MOST_TRACES} traces a second: lower `traced`");
        return Err(Complaint::new(["traced".into()], message));
    }
    for (key, lapse) in [("median", requests.median), ("timeout", requests.timeout)] {
        if lapse.is_zero() {
            return Err(Complaint::new([key.into()], "is zero: a request takes some time"));
        }
    }
    if !(1..=5).contains(&requests.attempts) {
        return Err(Complaint::new(["attempts".into()], "is out of range: write 1 to 5"));
    }
    if requests.path.is_empty() || requests.path.len() > 20 {
        return Err(Complaint::new(["path".into()], "a request goes through 1 to 20 [[requests.path]]"));
    }
    for (place, hop) in requests.path.iter().enumerate() {
        let check = || said(&hop.service, "service").and_then(|()| said(&hop.operation, "operation"));
        check().map_err(|complaint| complaint.within(["path".into(), place.into()]))?;
    }
    for (place, failure) in requests.failures.iter().enumerate() {
        let check = || {
            said(&failure.error, "error")?;
            within(failure.share, "share", 0.0, 1e6)?;
            if let Some(fault) = &failure.fault {
                known(faults, fault, "fault")?;
            }
            if failure.hop.is_some_and(|hop| !(1..=requests.path.len()).contains(&hop)) {
                let message = format!("is not on the path: write 1 to {}", requests.path.len());
                return Err(Complaint::new(["hop".into()], message));
            }
            Ok(())
        };
        check().map_err(|complaint| complaint.within(["failures".into(), place.into()]))?;
    }
    for (cause, word) in [(Cause::Timeout, "timeout"), (Cause::Refusal, "refusal")] {
        let is_covered =
            |failure: &super::Failure| failure.when == cause && failure.fault.is_none() && failure.share > 0.0;
        if !requests.failures.iter().any(is_covered) {
            let message = format!(
                "one with `when = \"{word}\"`, a share and no fault is needed: what such a failure looks like on a usual day"
            );
            return Err(Complaint::new(["failures".into()], message));
        }
    }
    Ok(())
}

fn in_stock(complaint: Complaint) -> Complaint {
    complaint.within(["stock".into()])
}

/// What a Prometheus computes from the raw metric must be what the chart shows.
fn expose(signal: &Signal, exposed: &Exposed) -> Result<(), Complaint> {
    use MetricKind::{Counter, Gauge, Histogram};
    within(exposed.times, "times", 0.0, 1e9)?;
    let fits = match (signal.from, exposed.kind) {
        (Some(Aspect::Latency), kind) => kind == Histogram,
        (_, Histogram) => false,
        (Some(_), kind) => kind == Counter,
        (None, Counter) => signal.stock.is_none(),
        (None, Gauge) => true,
    };
    if !fits {
        let message =
            "does not fit: a latency needs a histogram, errors, rate and completed a counter, a stock a gauge";
        return Err(Complaint::new(["kind".into()], message));
    }
    if exposed.of == Part::Moment && exposed.kind != Gauge {
        return Err(Complaint::new(["of".into()], "a moment is a gauge's"));
    }
    if matches!(signal.from, Some(Aspect::Latency | Aspect::Errors)) && (signal.noise != 0.0 || exposed.times != 1.0) {
        let message = "a percentile and a share come from the requests themselves: keep `noise` and these `times` away";
        return Err(Complaint::new(["times".into()], message));
    }
    Ok(())
}

fn signals(signals: &[Signal]) -> Result<(), Complaint> {
    let mut objectives = BTreeSet::new();
    for (place, signal) in signals.iter().enumerate() {
        let check = || {
            pair(&signal.objective, "objective")?;
            within(signal.times, "times", 0.0, 1e9)?;
            within(signal.noise, "noise", 0.0, 1.0)?;
            within(signal.apart, "apart", 0.0, 1.0)?;
            if !(1..=MOST_SERIES).contains(&signal.series) {
                return Err(Complaint::new(["series".into()], format!("is out of range: write 1 to {MOST_SERIES}")));
            }
            match (signal.from, signal.level, &signal.stock) {
                (Some(_), None, None) => Ok(()),
                (None, Some(level), None) => within(level, "level", 0.0, 1e12),
                (None, None, Some(stock)) => {
                    let flows = [("usual", stock.usual), ("inflow", stock.inflow), ("outflow", stock.outflow)];
                    flows.into_iter().try_for_each(|(key, value)| within(value, key, 0.0, 1e9)).map_err(in_stock)
                }
                (None, None, None) => {
                    Err(Complaint::new([], "needs `from` (latency, errors, rate, completed), a `level` or a `stock`"))
                }
                _ => Err(Complaint::new([], "has two of `from`, `level` and `stock`: keep one")),
            }?;
            for (place, exposed) in signal.expose.iter().enumerate() {
                expose(signal, exposed).map_err(|complaint| complaint.within(["expose".into(), place.into()]))?;
            }
            Ok(())
        };
        check().map_err(|complaint| complaint.within(["signals".into(), place.into()]))?;
        if !objectives.insert(&signal.objective) {
            let path = ["signals".into(), place.into(), "objective".into()];
            return Err(Complaint::new(path, format!("`{}` stands twice in this file", signal.objective)));
        }
    }
    Ok(())
}
