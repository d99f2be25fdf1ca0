//! Rules for the course of an incident: declaring, severity, phases, scope and customer impact.

use super::*;

pub(super) fn declare(incident: &Incident, body: Declared, now: DateTime<Utc>) -> Result<Event, Refusal> {
    if !incident.is_blank() {
        return refuse(format!("{} is declared already", incident.id()));
    }
    said(&body.title, "the title")?;
    if let Some(at) = body.detected_at {
        past(at, now)?;
    }
    Ok(Event::Declared(body))
}

pub(super) fn start_drill(incident: &Incident, body: DrillStarted) -> Result<Event, Refusal> {
    if incident.drill.is_some() {
        return refuse(format!("{} is a drill already", incident.id()));
    }
    Ok(Event::DrillStarted(body))
}

/// Lets the drill's clock stand still (`true`), or run again.
pub(super) fn pause_drill(incident: &Incident, is_pause: bool) -> Result<Event, Refusal> {
    if incident.drill.is_none() {
        return refuse(format!("{} is no drill: its clock never stands still", incident.id()));
    }
    match (is_pause, incident.clock().is_paused()) {
        (true, true) => refuse("the drill is paused already: `resume-drill` lets it go on".to_owned()),
        (false, false) => refuse("the drill is not paused".to_owned()),
        (true, false) => Ok(Event::DrillPaused(Plain {})),
        (false, true) => Ok(Event::DrillResumed(Plain {})),
    }
}

pub(super) fn set_severity(incident: &Incident, to: Severity, reason: Option<CleanStr>) -> Result<Event, Refusal> {
    match incident.severity {
        Some(from) if from == to => refuse(format!("the severity is {to} already")),
        Some(from) if to > from => {
            let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) else {
                return want_reason(format!("lowering from {from} to {to} wants a reason"));
            };
            Ok(Event::SeverityLowered(SeveritySet { to, reason: Some(reason) }))
        }
        _ => Ok(Event::SeverityRaised(SeveritySet { to, reason })),
    }
}

/// Nobody closes the record of what still stands in staging.
pub(super) fn nothing_left(incident: &Incident) -> Result<(), Refusal> {
    let left: Vec<_> = incident.left_in_staging().into_iter().map(CleanStr::as_str).collect();
    if left.is_empty() {
        return Ok(());
    }
    refuse(format!("still in staging: {}: abort-drill, or staging, takes it back first", left.join(", ")))
}

pub(super) fn enter(
    incident: &Incident,
    phase: Phase,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let from = incident.phase();
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    if phase == from {
        return refuse(format!("the phase is {phase} already"));
    }
    after::goes_on_here(incident)?;
    if phase == Phase::Closed {
        nothing_left(incident)?;
    }
    // A drill may be aborted at any time: where somebody facilitates it by them, or by who commands.
    if phase == Phase::Closed && incident.drill.is_some() && reason.is_some() {
        facilitation::may_abort(incident, asking)?;
        return Ok(Event::PhaseEntered(PhaseEntered { reason, ..PhaseEntered::plain(phase) }));
    }
    if incident.acknowledged.is_none() && phase != Phase::Closed {
        return refuse(says![
            "nobody has acknowledged yet: the Incident Commander does that first (",
            By("acknowledge"),
            ")"
        ]);
    }
    if phase == Phase::Detected {
        return refuse("an incident that was acknowledged cannot become undetected");
    }
    if !from.is_live() && phase.is_live() {
        if phase != Phase::Triage {
            return refuse(format!("a {} incident is reopened into Triage", from.name().to_lowercase()));
        }
        if reason.is_none() {
            return want_reason("reopening wants a reason");
        }
    }
    if phase == Phase::Resolved && from.is_live() {
        return refuse(says!["resolving asks for proof: ", By("resolve"), " takes it"]);
    }
    if phase == Phase::PostIncident && from.is_live() {
        return refuse(says!["it is not resolved yet: resolve it first (", By("resolve"), ")"]);
    }
    if phase == Phase::Closed && from.is_live() {
        return refuse(says![
            "it is not resolved yet: resolve it (",
            By("resolve"),
            "), or close it as a false alarm (",
            By("false-alarm"),
            ")"
        ]);
    }
    if phase == Phase::Closed && reason.is_none() {
        // A drill leaves no paperwork.
        let mut ends = unfinished(incident, Rules { cadence: &asking.cadence, tell: &asking.tell });
        if incident.drill.is_none() {
            ends.extend(incident.open_ends());
        }
        ends.extend(incident.unsent());
        if !ends.is_empty() {
            return want_reason(format!("{}: closing without wants a reason", ends.join("; ")));
        }
    }
    Ok(Event::PhaseEntered(PhaseEntered { reason, ..PhaseEntered::plain(phase) }))
}

pub(super) fn acknowledge(incident: &Incident, asking: &Asking) -> Result<Vec<Event>, Refusal> {
    if let Some(mark) = &incident.acknowledged {
        return refuse(says![&mark.by, " acknowledged at ", mark.at]);
    }
    if !asking.holds(incident, Role::IncidentCommander) {
        return match incident.holder(Role::IncidentCommander) {
            Some(commander) => refuse(format!("the Incident Commander acknowledges: that is {commander}")),
            None => refuse(says![
                "the Incident Commander acknowledges, and nobody is: take command first (",
                By("take-role"),
                ")"
            ]),
        };
    }
    let mut events = vec![Event::Acknowledged(Plain {})];
    if incident.phase() == Phase::Detected {
        events.push(Event::PhaseEntered(PhaseEntered::plain(Phase::Acknowledged)));
    }
    Ok(events)
}

pub(super) fn add_service(incident: &Incident, service: ServiceId) -> Result<Event, Refusal> {
    said(&service, "the service")?;
    if incident.services.contains(&service) {
        return refuse(format!("{service} is in the scope already"));
    }
    Ok(Event::ServiceAdded(ServiceNamed { service }))
}

pub(super) fn remove_service(incident: &Incident, service: ServiceId) -> Result<Event, Refusal> {
    if !incident.services.contains(&service) {
        return refuse(format!("{service} is not in the scope"));
    }
    Ok(Event::ServiceRemoved(ServiceNamed { service }))
}

pub(super) fn start_impact(
    incident: &Incident,
    service: Option<ServiceId>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Event, Refusal> {
    past(at, now)?;
    affected(incident, service.as_ref())?;
    Ok(Event::ImpactStarted(ImpactAt { at, service, is_first: false }))
}

pub(super) fn end_impact(
    incident: &Incident,
    service: Option<ServiceId>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Event, Refusal> {
    past(at, now)?;
    affected(incident, service.as_ref())?;
    let impact = &incident.impact;
    match (impact.ends(service.as_ref()), impact.ended(service.as_ref())) {
        (Some(open), _) if at < open.start => refuse("customer impact cannot end before it began"),
        (Some(_), _) => Ok(Event::ImpactEnded(ImpactAt { at, service, is_first: true })),
        (None, Some((end, mark))) => refuse(says![
            "customer impact ended at ",
            end,
            format!(", {} said: ", mark.by),
            By("amend-time"),
            " puts that right"
        ]),
        (None, None) => refuse("no customer impact is recorded: say first when it began"),
    }
}

fn affected(incident: &Incident, service: Option<&ServiceId>) -> Result<(), Refusal> {
    match service.filter(|service| !incident.services.contains(service)) {
        Some(service) => refuse(says![format!("{service} is not in the scope: "), By("add-service"), " adds it"]),
        None => Ok(()),
    }
}

pub(super) fn scope(body: ScopeSet) -> Result<Event, Refusal> {
    if let Some(share) = body.users_percent
        && !(0.0..=100.0).contains(&share)
    {
        return refuse(format!("{share} % of users: a share lies between 0 and 100"));
    }
    if body == ScopeSet::default() {
        return refuse("nothing was changed");
    }
    Ok(Event::ScopeSet(body))
}

/// Whoever takes back that customers were affected knows that they were recorded, and says how it is known better.
pub(super) fn deny_impact(incident: &Incident, reason: Option<CleanStr>) -> Result<Event, Refusal> {
    let reason = reason.filter(|reason| !reason.is_blank());
    let scope = &incident.scope;
    let recorded = match (incident.impact.start(), incident.impact.end()) {
        (Some(start), Some(end)) => Some(says!["customers hurt from ", start, " to ", end]),
        (Some(start), None) => Some(says!["customers hurt since ", start, " (", By("impact-end"), " says until when)"]),
        (None, _) if scope.is_anybody_counted() => {
            scope.trend().map(|(count, _)| format!("{count} customers affected").into())
        }
        (None, _) => scope
            .users_percent
            .filter(|share| *share > 0.0)
            .map(|share| format!("{share} % of the users affected").into()),
    };
    match (recorded, &reason) {
        (Some(recorded), None) => want_reason(
            Saying::from("recorded is: ").then(recorded).and(". Saying that nobody was affected at all wants a reason"),
        ),
        // Nothing to take back: the reason would be one for nothing.
        (None, _) => Ok(Event::NoCustomerAffected(NoImpact::default())),
        (Some(_), Some(_)) => Ok(Event::NoCustomerAffected(NoImpact { reason })),
    }
}
