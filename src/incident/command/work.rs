//! Rules for who does what: roles, tasks, decisions, theories, steps.

use super::*;

/// Words that name nobody: "can someone" is the way work gets lost.
pub(super) const NOBODY: [&str; 10] =
    ["someone", "somebody", "anyone", "anybody", "everyone", "everybody", "all", "here", "channel", "team"];

pub(super) fn take(incident: &Incident, seat: Seat, asking: &Asking) -> Result<Event, Refusal> {
    if let Some(mark) = incident.roles.get(&seat).filter(|_| !incident.played.contains(&seat)) {
        let name = seat.role.name();
        return if asking.is(&mark.by) {
            refuse(format!("you are {name} already"))
        } else {
            refuse(says![
                &mark.by,
                format!(" is {name} since "),
                mark.at,
                ": relieve them with a reason (",
                By("leave-role"),
                ")"
            ])
        };
    }
    if seat.component.is_some() && seat.role != Role::Sme {
        return refuse("only a Subject Matter Expert has a component");
    }
    let Seat { role, component } = seat;
    Ok(Event::RoleTaken(RoleNamed { role, component, holder: asking.actor.clone(), reason: None, is_played: false }))
}

pub(super) fn leave(
    incident: &Incident,
    seat: Seat,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let Some(mark) = incident.roles.get(&seat) else {
        return refuse(format!("nobody is {}", seat.role.name()));
    };
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    if !asking.is(&mark.by) && reason.is_none() && !incident.played.contains(&seat) {
        return want_reason(format!("relieving {} wants a reason", mark.by));
    }
    let is_command = seat.role == Role::IncidentCommander && incident.phase().is_live();
    if is_command && reason.is_none() && incident.severity == Some(Severity::Sev0) {
        return want_reason(says![
            "a SEV0 without an Incident Commander wants a reason; ",
            By("handover"),
            " offers command, and it stays yours until somebody accepts"
        ]);
    }
    let holder = mark.by.clone();
    Ok(Event::RoleLeft(RoleNamed { role: seat.role, component: seat.component, holder, reason, is_played: false }))
}

pub(super) fn assign_role(incident: &Incident, seat: Seat, holder: Actor) -> Result<Event, Refusal> {
    said(&holder, "the name")?;
    if let Some(mark) = incident.roles.get(&seat).filter(|_| !incident.played.contains(&seat)) {
        return refuse(says![
            &mark.by,
            format!(" is {}: hand over (", seat.role.name()),
            By("handover"),
            "), or relieve with a reason"
        ]);
    }
    let Seat { role, component } = seat;
    Ok(Event::RoleTaken(RoleNamed { role, component, holder, reason: None, is_played: false }))
}

/// The exercise plays nobody who is there, and takes no role from anybody.
pub(super) fn stand_in(incident: &Incident, role: Role, holder: Actor, asking: &Asking) -> Result<Event, Refusal> {
    said(&holder, "the name")?;
    if incident.drill.is_none() {
        return refuse("stand-ins are for drills: this is none");
    }
    if role == Role::IncidentCommander {
        return refuse(says![
            "nobody plays the Incident Commander: somebody of you takes command (",
            By("take-role"),
            ")"
        ]);
    }
    if let Some(known) = incident.holder(role) {
        return refuse(format!("{known} is {} already", role.name()));
    }
    let mut here = asking.present.iter().chain([&asking.actor]);
    if here.any(|actor| actor.eq_ignore_ascii_case(&holder)) {
        return refuse(says![&holder, " is here: they take it themselves (", By("take-role"), ")"]);
    }
    Ok(Event::RoleTaken(RoleNamed { role, component: None, holder, reason: None, is_played: true }))
}

pub(super) fn offer_role(incident: &Incident, body: HandoverOffered, asking: &Asking) -> Result<Event, Refusal> {
    said(&body.to, "the name")?;
    let seat = Seat { role: body.role, component: body.component.clone() };
    match incident.roles.get(&seat) {
        Some(mark) if asking.is(&mark.by) => {}
        Some(mark) => return refuse(format!("{} is {}: only they hand it over", mark.by, seat.role.name())),
        None => return refuse(format!("nobody is {}: it is taken, not handed over", seat.role.name())),
    }
    if asking.is(&body.to) {
        return refuse("a role is handed over to somebody else");
    }
    if body.brief.trim().is_empty() {
        return refuse("a handover begins with a brief");
    }
    Ok(Event::HandoverOffered(body))
}

fn offer(incident: &Incident, id: EntryId) -> Result<&Offer, Refusal> {
    let known = incident.offers.iter().find(|offer| offer.id == id);
    known.ok_or_else(|| Refusal::No("this offer has ended".into()))
}

pub(super) fn accept_role(incident: &Incident, id: EntryId, asking: &Asking) -> Result<Event, Refusal> {
    let offer = offer(incident, id)?;
    if !asking.is(&offer.to) {
        return refuse(format!("{} is offered to {}", offer.seat.role.name(), offer.to));
    }
    Ok(Event::HandoverAccepted(HandoverAccepted { offer: id }))
}

pub(super) fn end_offer(
    incident: &Incident,
    id: EntryId,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let offer = offer(incident, id)?;
    if !asking.is(&offer.to) && !asking.is(&offer.mark.by) {
        return refuse(format!("{} or {} ends this offer", offer.to, offer.mark.by));
    }
    if asking.is(&offer.to) && reason.as_ref().is_none_or(CleanStr::is_blank) {
        return want_reason("declining a role wants a reason");
    }
    Ok(Event::HandoverEnded(HandoverEnded { offer: id, reason }))
}

pub(super) fn assign(body: TaskAssigned, asking: &Asking) -> Result<Event, Refusal> {
    said(&body.what, "the task")?;
    let name = body.to.trim().trim_start_matches('@').to_ascii_lowercase();
    if name.is_empty() || NOBODY.contains(&name.as_str()) {
        return refuse("work goes to a named person: @dana check p99 5m");
    }
    if body.call_back <= asking.now {
        return refuse("the call-back lies in the past");
    }
    Ok(Event::TaskAssigned(body))
}

fn task(incident: &Incident, id: EntryId) -> Result<&Task, Refusal> {
    incident.tasks.iter().find(|task| task.id == id).ok_or_else(|| Refusal::No("this task is not in the record".into()))
}

/// The person themselves; or who hears them: the Incident Commander, the Scribe, and whoever assigned it.
fn speaks_for(incident: &Incident, task: &Task, asking: &Asking) -> bool {
    asking.is(&task.to)
        || asking.is(&task.assigned.by)
        || asking.holds(incident, Role::Scribe)
        || asking.holds(incident, Role::IncidentCommander)
}

pub(super) fn read_back(incident: &Incident, id: EntryId, asking: &Asking) -> Result<Event, Refusal> {
    let task = task(incident, id)?;
    if let Some(mark) = &task.read_back {
        return refuse(says!["it was read back at ", mark.at]);
    }
    if !speaks_for(incident, task, asking) {
        return refuse(format!("{} reads it back", task.to));
    }
    Ok(Event::TaskReadBack(TaskReadBack { task: id }))
}

pub(super) fn answer(incident: &Incident, body: TaskAnswered, asking: &Asking) -> Result<Event, Refusal> {
    let task = task(incident, body.task)?;
    if let Some((mark, _, _)) = task.answer.as_ref().filter(|_| !task.is_open()) {
        return refuse(says![&mark.by, " answered at ", mark.at]);
    }
    if !speaks_for(incident, task, asking) {
        return refuse(format!("{} calls back, or the Scribe for them", task.to));
    }
    match body.answer {
        Answer::More { until } if until <= asking.now => return refuse("the call-back lies in the past"),
        Answer::Blocked | Answer::Dropped if body.text.is_blank() => return want_reason("what is in the way?"),
        Answer::More { .. } | Answer::Done | Answer::DontKnow | Answer::Blocked | Answer::Dropped => {}
    }
    Ok(Event::TaskAnswered(body))
}

pub(super) fn propose(body: DecisionProposed, asking: &Asking) -> Result<Event, Refusal> {
    said(&body.action, "the action")?;
    said(&body.risk, "the risk")?;
    said(&body.undo, "the way back")?;
    if body.until < asking.now || body.until > asking.now + TimeDelta::hours(1) {
        return refuse("objections are asked for between now and an hour from now");
    }
    Ok(Event::DecisionProposed(body))
}

fn open_decision(incident: &Incident, id: EntryId) -> Result<&Decision, Refusal> {
    let Some(decision) = incident.decisions.iter().find(|decision| decision.id == id) else {
        return refuse("this proposal is not in the record");
    };
    if let Some((mark, _)) = &decision.made {
        return refuse(says![&mark.by, " decided at ", mark.at]);
    }
    Ok(decision)
}

pub(super) fn object(incident: &Incident, body: ObjectionRaised) -> Result<Event, Refusal> {
    open_decision(incident, body.decision)?;
    said(&body.text, "the objection")?;
    Ok(Event::ObjectionRaised(body))
}

pub(super) fn make_decision(
    incident: &Incident,
    id: EntryId,
    go: bool,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let decision = open_decision(incident, id)?;
    if !asking.holds(incident, Role::IncidentCommander) {
        let who = incident.holder(Role::IncidentCommander).map_or("nobody yet", |holder| holder.as_str());
        return refuse(format!("the Incident Commander decides: that is {who}"));
    }
    let reason = reason.filter(|reason| !reason.is_blank());
    if reason.is_none() {
        let left = (decision.proposal.until - asking.now).num_seconds();
        if !go {
            return want_reason("deciding against it wants a reason");
        }
        if !decision.objections.is_empty() {
            return want_reason("there are objections: going ahead wants a reason");
        }
        if left > 0 {
            return want_reason(format!("objections are asked for {left} s more: deciding now wants a reason"));
        }
    }
    let mut present = asking.present.clone();
    present.sort();
    present.dedup();
    Ok(Event::DecisionMade(DecisionMade { decision: id, go, present, reason }))
}

pub(super) fn settle(incident: &Incident, body: HypothesisSettled) -> Result<Event, Refusal> {
    let Some(known) = incident.hypotheses.iter().find(|known| known.id == body.hypothesis) else {
        return refuse("this theory is not in the record");
    };
    if let Some((mark, ..)) = &known.settled {
        return refuse(says![&mark.by, " settled it at ", mark.at]);
    }
    if body.evidence.is_blank() {
        return want_reason("what showed it?");
    }
    Ok(Event::HypothesisSettled(body))
}

pub(super) fn claim(
    incident: &Incident,
    body: StepDone,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let StepDone { step, title } = body;
    if let Some(StepState::Checked(mark)) = incident.steps.get(&step) {
        return refuse(says![&mark.by, " did this step at ", mark.at, ": ", By("reopen"), " opens it again"]);
    }
    let over = match incident.claims.get(&step) {
        None => None,
        Some(mark) if asking.is(&mark.by) => return refuse("you work on this step already"),
        Some(mark) => match reason.filter(|reason| !reason.is_blank()) {
            Some(reason) => Some(TakenOver { from: mark.by.clone(), reason }),
            None => return want_reason(format!("{} works on this step: taking it over wants a reason", mark.by)),
        },
    };
    Ok(Event::StepClaimed(StepClaimed { step, title, over }))
}
