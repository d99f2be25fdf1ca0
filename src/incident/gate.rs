//! The gate before every command: who may start it, when, and after what.
//!
//! An interlock and an audit record, not access control: whoever sits here holds the same credentials outside warroom.
//!
//! Invariant: pure; what it lets through, the record says who asked for it, in which role, and who vouched.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Actor, By, EntryId, Incident, Phase, Purpose, Role, Saying, StepRef, StepState, says};
use crate::text::CleanStr;

/// A second person's word is good for so long.
const VOUCHED_FOR: TimeDelta = TimeDelta::minutes(30);

/// Why nobody vouches where a group shares the record, and what helps.
pub(super) const NO_SECOND: &str = "it wants a second person, and in a record that a group shares nobody can be shown to be one: any account of the \
                                    group can write any name. Read it together, run it outside by hand, and note who did";

/// What a command wants before it may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Its step.
    pub step: StepRef,
    /// To do it or to take it back.
    pub purpose: Purpose,
    /// Who may: one of these roles; empty for anybody.
    pub roles: Vec<Role>,
    /// Somebody else must have read it and vouched.
    pub second_person: bool,
    /// Steps that must be done first, with their titles.
    pub earlier: Vec<(StepRef, CleanStr)>,
    /// The digest of what would run.
    pub digest: CleanStr,
    /// The digest of the playbook, where somebody must have approved it; absent for one that ships with the program.
    pub foreign_playbook: Option<CleanStr>,
}

/// Who asks, when, with what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asker<'a> {
    /// Who.
    pub me: &'a Actor,
    /// When, in the incident's clock.
    pub now: DateTime<Utc>,
    /// The console may write.
    pub may_write: bool,
    /// The journal takes entries.
    pub is_writable: bool,
    /// The run itself, where it stands in the record already and is about to be started.
    pub own: Option<EntryId>,
    /// Several accounts write one record, and each can write in the name of any other: nobody can be shown there to be a second person.
    pub is_shared: bool,
}

/// Whether it may start; else a sentence with the way out.
pub fn may_run(incident: &Incident, needs: &Needs, asker: Asker<'_>) -> Result<(), Saying> {
    if !asker.may_write {
        return Err("this console only looks: nothing runs from here".into());
    }
    if !asker.is_writable {
        return Err(
            "the journal cannot be written, so nothing runs: what is not on disk before it starts is lost".into()
        );
    }
    if incident.is_blank() || incident.phase() == Phase::Closed {
        return Err("no incident is open".into());
    }
    if let Some(digest) = &needs.foreign_playbook
        && !incident.approved_playbooks.contains_key(digest)
    {
        let service = &needs.step.service;
        return Err(says![
            format!("the playbook of {service} is not the shipped one: "),
            By("trust"),
            " shows it and approves it"
        ]);
    }
    let running = incident.running(&needs.step).filter(|run| asker.own != Some(run.id));
    if let Some(run) = running {
        return Err(says![&run.started.by, " runs it since ", run.started.at]);
    }
    if let Some(claim) = incident.claims.get(&needs.step).filter(|claim| claim.by != *asker.me) {
        return Err(says![&claim.by, " works on it: ", By("claim"), " takes it over, with a reason"]);
    }
    // Where the exercise of a drill plays a role, whoever is there is its hands.
    let may = |role: &Role| holds(incident, asker.me, *role) || incident.played.iter().any(|seat| seat.role == *role);
    if !needs.roles.is_empty() && !needs.roles.iter().any(may) {
        let names: Vec<_> = needs.roles.iter().map(|role| role.name()).collect();
        return Err(says![format!("it wants {}: ", names.join(" or ")), By("take-role"), " takes a role"]);
    }
    let is_done = |step: &StepRef| matches!(incident.steps.get(step), Some(StepState::Checked(_)));
    match needs.purpose {
        Purpose::Do if is_done(&needs.step) => return Err(says!["it is done: ", By("reopen"), " opens it again"]),
        Purpose::Do => {
            if let Some((_, title)) = needs.earlier.iter().find(|(step, _)| !incident.is_through(step)) {
                return Err(format!("first: {title}").into());
            }
        }
        // The way back is never barred by what should have come first.
        Purpose::Undo => {}
    }
    if needs.second_person && asker.is_shared {
        return Err(NO_SECOND.into());
    }
    if needs.second_person && !vouched(incident, needs, asker) {
        let digest = needs.digest.get(..12).unwrap_or(&needs.digest);
        return Err(
            format!("it wants a second person: somebody else opens this step, reads {digest} and types vouch").into()
        );
    }
    Ok(())
}

/// What came before in name only: steps that were passed over, and steps that were ticked though their command did not end well. Who goes on all
/// the same says so with a word of its own, and the record has it.
pub fn doubts(incident: &Incident, needs: &Needs, has_command: impl Fn(&StepRef) -> bool) -> Vec<CleanStr> {
    if needs.purpose == Purpose::Undo {
        return Vec::new();
    }
    let doubt = |(step, title): &(StepRef, CleanStr)| match incident.steps.get(step)? {
        StepState::Skipped(mark, why) => Some(format!("{title} was skipped by {}: {why}", mark.by)),
        // In a drill nothing runs, and the tick is the deed.
        StepState::Checked(mark) if incident.drill.is_none() && has_command(step) => {
            let mut runs = incident.runs.iter().rev().filter(|run| run.order.step.as_ref() == Some(step));
            let last = runs.find(|run| run.order.purpose == Purpose::Do && !run.is_open());
            match last.and_then(|run| run.end()) {
                Some(end) if end.has_succeeded() => None,
                Some(end) => {
                    Some(format!("{title} was ticked by {}, and its command ended with {}", mark.by, end.how()))
                }
                None => Some(format!("{title} was ticked by {}, and its command never ran", mark.by)),
            }
        }
        StepState::Checked(_) | StepState::Reopened(_) => None,
    };
    needs.earlier.iter().filter_map(doubt).map(|line| CleanStr::new(&line)).collect()
}

/// Whether somebody holds a role, for any component.
pub fn holds(incident: &Incident, actor: &Actor, role: Role) -> bool {
    incident.roles.iter().any(|(seat, mark)| seat.role == role && mark.by == *actor)
}

fn vouched(incident: &Incident, needs: &Needs, asker: Asker<'_>) -> bool {
    incident.vouched.iter().any(|(mark, body)| {
        mark.by != *asker.me
            && body.step == needs.step
            && body.digest == needs.digest
            && asker.now - mark.at <= VOUCHED_FOR
    })
}

#[cfg(test)]
mod tests;
