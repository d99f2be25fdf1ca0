//! Gentle lamps: what an experienced commander would notice by now.
//!
//! Hides the limits. A lamp asks a question; it obliges nobody.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

/// So long without an answer to a page, and the next one is paged.
const NO_ANSWER: TimeDelta = TimeDelta::minutes(5);
/// So long in a role, and somebody should ask.
const LONG_IN_ROLE: TimeDelta = TimeDelta::hours(4);
/// So long without a task, and somebody may be released.
const IDLE: TimeDelta = TimeDelta::minutes(20);
/// So long into mitigation, there should be a plan B.
const NO_PLAN_B: TimeDelta = TimeDelta::minutes(15);
/// So long, and shifts must be planned.
const LONG_INCIDENT: TimeDelta = TimeDelta::hours(6);
/// More people than this are too many for one Incident Commander.
const SPAN_OF_CONTROL: usize = 7;

/// What stands out, the most pressing first, each as one sentence.
pub fn lamps(facts: &Facts, present: &[Actor], now: DateTime<Utc>) -> Vec<String> {
    if facts.declared.is_none() || !facts.phase().is_live() {
        return Vec::new();
    }
    let mut lamps = Vec::new();
    // Nobody would come, whatever is asked for.
    for ended in facts.ended_there() {
        let (called, service) = (ended.remote.called(), &ended.service);
        lamps.push(match &ended.into {
            Some(into) => {
                format!("{called} was merged into #{} in {service}: go on with that one (:outbox)", into.called())
            }
            None if !super::delivery::calls_from(service) => {
                format!("{called} is done in {service}, and this is not over (:outbox opens it again)")
            }
            None => format!(
                "{called} is over in {service}, and this is not: nobody is called there (:outbox opens it again)"
            ),
        });
    }
    let commander = facts.holder(Role::IncidentCommander);
    if facts.acknowledged.is_some() {
        for role in [Role::IncidentCommander, Role::CommunicationsLead, Role::Sme, Role::Scribe] {
            if facts.holder(role).is_none() {
                lamps.push(format!("nobody is {}", role.name()));
            }
        }
    }
    for paged in facts.paged() {
        let length = now - paged.at;
        match &paged.answer {
            Some((word, _)) if word.as_str() == "declined" => {
                lamps.push(format!("{} declined the page: page somebody else (:page)", paged.mail));
            }
            None if length > NO_ANSWER => {
                let (mail, minutes) = (&paged.mail, length.num_minutes());
                lamps.push(format!(
                    "{mail} was paged {minutes} min ago and has not answered: page the next one (:page)"
                ));
            }
            Some(_) | None => {}
        }
    }
    if let Some(commander) = commander
        && facts.holds(commander, Role::Sme)
    {
        lamps.push(format!("{commander} is Incident Commander and expert at once: the IC does not run commands"));
    }
    let mut reports: Vec<&Actor> =
        facts.open_tasks().filter(|task| Some(&task.assigned.by) == commander).map(|task| &task.to).collect();
    reports.extend(facts.roles.values().map(|mark| &mark.by).filter(|name| Some(*name) != commander));
    reports.sort();
    reports.dedup();
    if reports.len() > SPAN_OF_CONTROL {
        lamps.push(format!("{} people report to the IC: split the work, with a lead for each part", reports.len()));
    }
    for (seat, mark) in &facts.roles {
        let length = now - mark.at;
        if length > LONG_IN_ROLE {
            lamps.push(format!("{} is {} for {} h: hand over?", mark.by, seat.role.short(), length.num_hours()));
        }
    }
    let mitigating = facts.phases.last().filter(|(phase, _)| *phase == Phase::Mitigating).map(|(_, mark)| mark.at);
    let has_plan_b = facts.decisions.iter().any(|decision| decision.proposal.plan_b.is_some());
    if mitigating.is_some_and(|since| now - since > NO_PLAN_B) && !has_plan_b {
        lamps.push("no plan B after 15 min: what if this does not help?".to_owned());
    }
    for name in present {
        let has_role = facts.roles.values().any(|mark| mark.by == *name);
        let asked = facts.tasks.iter().filter(|task| task.to == *name);
        let last = asked
            .map(|task| if task.is_open() { now } else { task.answer.as_ref().map_or(now, |(mark, ..)| mark.at) })
            .max();
        let since = last.or(facts.declared.as_ref().map(|mark| mark.at));
        if !has_role && since.is_some_and(|since| now - since > IDLE) {
            lamps.push(format!("nobody has asked {name} for anything in 20 min: release?"));
        }
    }
    if facts.elapsed(now).is_some_and(|elapsed| elapsed > LONG_INCIDENT) {
        lamps.push("a long incident: plan shifts, food and handovers".to_owned());
    }
    lamps
}

/// The next moment at which a lamp may light by itself.
pub fn next_lamp(facts: &Facts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let roles = facts.roles.values().map(|mark| mark.at + LONG_IN_ROLE);
    let phases = facts.phases.last().map(|(_, mark)| mark.at + NO_PLAN_B);
    let tasks = facts.tasks.iter().filter_map(|task| task.answer.as_ref()).map(|(mark, ..)| mark.at + IDLE);
    let declared = facts.declared.as_ref().map(|mark| mark.at + IDLE);
    let pages = facts.paged().into_iter().filter(|paged| paged.answer.is_none()).map(|paged| paged.at + NO_ANSWER);
    roles
        .chain(phases)
        .chain(pages)
        .chain(tasks)
        .chain(declared)
        .filter(|at| *at > now)
        .min()
        .map(|at| at + TimeDelta::seconds(1))
}
