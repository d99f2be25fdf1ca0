//! Commands that a console runs: who may start one, and what may be said of it.

use super::{Asking, By, Refusal, refuse, says, want_reason};
use crate::incident::gate::{self, Asker, Needs};
use crate::incident::{
    CommandEnded, CommandRemarked, CommandStarted, CommandVouched, EntryId, Event, Incident, NoteAdded, NoteKind,
    Purpose, Run, StepDone, StepState,
};
use crate::text::{CleanStr, CleanText, Exact};

/// A step runs once at a time, by the person who has it, and not again once it is done.
pub(super) fn start(incident: &Incident, body: CommandStarted, asking: &Asking) -> Result<Event, Refusal> {
    if body.argv.first().is_none_or(Exact::is_blank) {
        return refuse("there is no program to run");
    }
    may_start(incident, &body, asking, None)?;
    if let Some(step) = body.step.as_ref().filter(|step| step.is_of_exercise()) {
        match (body.purpose, incident.stands(step)) {
            (Purpose::Do, true) => return refuse("it stands there already, or nobody knows: take it back first"),
            (Purpose::Undo, false) => return refuse("it does not stand there any more: nothing is left to take back"),
            (Purpose::Do, false) | (Purpose::Undo, true) => {}
        }
    }
    if let Some(step) = &body.step {
        if let Some(run) = incident.running(step) {
            return refuse(says![&run.started.by, " runs this step since ", run.started.at]);
        }
        match incident.claims.get(step) {
            Some(mark) if !asking.is(&mark.by) => {
                return refuse(says![&mark.by, " works on this step: ", By("claim"), " takes it over, with a reason"]);
            }
            Some(_) | None => {}
        }
        if let (Purpose::Do, Some(StepState::Checked(mark))) = (body.purpose, incident.steps.get(step)) {
            return refuse(says![&mark.by, " did this step at ", mark.at, ": ", By("reopen"), " opens it again"]);
        }
    }
    Ok(Event::CommandStarted(body))
}

/// What is asked before a command is written down, and once more right before it starts: by then somebody may have left a role or a claim.
pub(super) fn may_start(
    incident: &Incident,
    body: &CommandStarted,
    asking: &Asking,
    own: Option<EntryId>,
) -> Result<(), Refusal> {
    let of_playbook = body.step.as_ref().filter(|step| !step.is_of_exercise());
    if incident.drill.is_some() && (of_playbook.is_some() || body.step.is_none()) {
        return refuse(format!("{} is a drill: nothing runs for it", incident.id()));
    }
    let Some(step) = of_playbook else { return Ok(()) };
    let is_of = |needs: &&Needs| needs.step == *step && needs.purpose == body.purpose && needs.digest == body.digest;
    let Some(needs) = asking.needs.as_ref().filter(is_of) else {
        return refuse(format!("no playbook says any more what {} needs: look at the step again", body.title));
    };
    let asker = Asker {
        me: &asking.actor,
        now: asking.now,
        may_write: true,
        is_writable: true,
        own,
        is_shared: asking.is_shared,
    };
    gate::may_run(incident, needs, asker).map_err(Refusal::No)
}

/// A step is done once; one whose command did not end well is not done without a word.
pub(super) fn check(incident: &Incident, body: StepDone, reason: Option<CleanStr>) -> Result<Vec<Event>, Refusal> {
    if let Some(StepState::Checked(mark)) = incident.steps.get(&body.step) {
        return refuse(says![&mark.by, " did this step at ", mark.at, ": ", By("reopen"), " opens it again"]);
    }
    let mut runs = incident.runs.iter().rev().filter(|run| run.order.step.as_ref() == Some(&body.step));
    let failed = runs.next().filter(|run| run.order.purpose == Purpose::Do);
    let failed = failed.and_then(Run::end).filter(|end| !end.has_succeeded()).map(CommandEnded::how);
    match (failed, reason.filter(|reason| !reason.is_blank())) {
        (None, _) => Ok(vec![Event::StepChecked(body)]),
        (Some(ending), None) => want_reason(format!("its command ended with {ending}: why is it done all the same?")),
        (Some(ending), Some(reason)) => {
            let text = format!("{} is done though its command ended with {ending}: {reason}", body.title);
            let note = NoteAdded { kind: NoteKind::Note, text: CleanText::new(&text), at: None };
            Ok(vec![Event::StepChecked(body), Event::NoteAdded(note)])
        }
    }
}

pub(super) fn remark(incident: &Incident, body: CommandRemarked) -> Result<Event, Refusal> {
    match incident.run(body.run) {
        None => refuse("there is no such command in this record"),
        Some(run) if !run.is_open() => refuse(format!("{} has ended", run.order.title)),
        Some(_) => Ok(Event::CommandRemarked(body)),
    }
}

pub(super) fn end(incident: &Incident, body: CommandEnded) -> Result<Event, Refusal> {
    match incident.run(body.run) {
        None => refuse("there is no such command in this record"),
        Some(run) if !run.is_open() => refuse(format!("how {} ended is recorded", run.order.title)),
        Some(_) => Ok(Event::CommandEnded(body)),
    }
}

/// Nobody vouches twice, and nobody for a step in their own hands.
pub(super) fn vouch(incident: &Incident, body: CommandVouched, asking: &Asking) -> Result<Event, Refusal> {
    if incident.claims.get(&body.step).is_some_and(|mark| asking.is(&mark.by)) {
        return refuse("you work on this step: somebody else must read it and vouch for it");
    }
    if asking.is_shared {
        return refuse(gate::NO_SECOND);
    }
    if incident.vouched.iter().any(|(mark, known)| asking.is(&mark.by) && known.digest == body.digest) {
        return refuse("you vouched for this command already");
    }
    Ok(Event::CommandVouched(body))
}
