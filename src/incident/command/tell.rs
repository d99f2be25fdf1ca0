//! Rules for what is told: updates and their approval, the people of the escalation matrix, and what may be put off.

use super::*;
use crate::text::times::promise;

/// An update: recorded as told where the Incident Commander says it, a draft from anybody else.
pub(super) fn post(incident: &Incident, update: StatusUpdate, asking: &Asking) -> Result<Event, Refusal> {
    let update = StatusUpdate { draft: None, reason: None, ..sound(incident, update, asking.now)? };
    let is_internal = !update.channels.contains(&Channel::ExternalPage);
    if update.told_at.is_some() {
        // It is out already: whoever told it says so, and nobody can approve it any more.
        return Ok(Event::StatusUpdatePosted(update));
    }
    if asking.holds(incident, Role::IncidentCommander) {
        return Ok(Event::StatusUpdatePosted(update));
    }
    // Nobody could approve: silence inside the company would be worse. Customers still hear only what somebody approved.
    if is_internal && incident.holder(Role::IncidentCommander).is_none() {
        return Ok(Event::StatusUpdatePosted(StatusUpdate { reason: Some("nobody commands yet".into()), ..update }));
    }
    Ok(Event::UpdateDrafted(UpdateDrafted { update }))
}

fn sound(incident: &Incident, update: StatusUpdate, now: DateTime<Utc>) -> Result<StatusUpdate, Refusal> {
    said(&update.text, "the update")?;
    if update.channels.is_empty() {
        return refuse("an update goes to at least one channel");
    }
    if let Some(told) = update.told_at {
        past(told, now)?;
        // What it promised was promised then.
        return Ok(update);
    }
    kept(incident, &update.text, now)?;
    match update.promised_next {
        Some(next) if next <= now => refuse("the promised time of the next update has passed already"),
        Some(next) if next > now + TimeDelta::hours(24) => {
            refuse("nobody waits a day for the next update: promise less")
        }
        Some(_) | None => Ok(update),
    }
}

/// A text that waited may promise a moment that is over by now: nobody may read it as it is.
fn kept(incident: &Incident, text: &CleanText, now: DateTime<Utc>) -> Result<(), Refusal> {
    let zone = incident.facts.zone();
    match promise(text, now, zone).filter(|said| *said <= now) {
        Some(said) => {
            let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%H:%M %Z").to_string();
            let (said, now) = (time(said), time(now));
            refuse(format!("the text promises the next update at {said}, and it is {now}: write it with another time"))
        }
        None => Ok(()),
    }
}

fn draft(incident: &Incident, id: EntryId) -> Result<&Draft, Refusal> {
    if let Some(draft) = incident.drafts.iter().find(|draft| draft.id == id) {
        return Ok(draft);
    }
    match incident.updates.iter().find(|told| told.update.draft == Some(id)) {
        Some(told) => refuse(says![&told.mark.by, " sent this text at ", told.mark.at]),
        None => refuse("this draft was dropped"),
    }
}

pub(super) fn approve(
    incident: &Incident,
    id: EntryId,
    update: StatusUpdate,
    asking: &Asking,
) -> Result<Event, Refusal> {
    draft(incident, id)?;
    if !asking.holds(incident, Role::IncidentCommander) {
        let who = incident.holder(Role::IncidentCommander).map_or("nobody yet", |holder| holder.as_str());
        return refuse(format!("the Incident Commander approves: that is {who}"));
    }
    let update = sound(incident, update, asking.now)?;
    Ok(Event::StatusUpdatePosted(StatusUpdate { draft: Some(id), reason: None, ..update }))
}

pub(super) fn post_alone(
    incident: &Incident,
    id: EntryId,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let draft = draft(incident, id)?;
    if draft.update.channels.contains(&Channel::ExternalPage) {
        return refuse("what customers read goes out only when the Incident Commander approves it");
    }
    if !asking.holds(incident, Role::CommunicationsLead) {
        return refuse("only the Communications Lead may record a text without approval");
    }
    let waited = asking.now - draft.mark.at;
    if waited < asking.cadence.approval_wait {
        let left = (asking.cadence.approval_wait - waited).num_seconds();
        return refuse(format!("the Incident Commander has {left} s more to answer"));
    }
    let Some(reason) = reason.filter(|reason| !reason.is_blank()) else {
        return want_reason("going ahead without the Incident Commander wants a reason");
    };
    kept(incident, &draft.update.text, asking.now)?;
    // Its promise may have passed while it waited.
    let promised_next = draft.update.promised_next.filter(|next| *next > asking.now);
    let update = StatusUpdate { draft: Some(id), reason: Some(reason), promised_next, ..draft.update.clone() };
    Ok(Event::StatusUpdatePosted(update))
}

pub(super) fn drop_draft(
    incident: &Incident,
    id: EntryId,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let draft = draft(incident, id)?;
    let is_own = asking.is(&draft.mark.by);
    if !is_own && !asking.holds(incident, Role::IncidentCommander) {
        return refuse(format!("{} or the Incident Commander drops this text", draft.mark.by));
    }
    if !is_own && reason.as_ref().is_none_or(CleanStr::is_blank) {
        return want_reason(format!("sending {}'s text back wants a reason", draft.mark.by));
    }
    Ok(Event::DraftDropped(DraftDropped { draft: id, reason }))
}

pub(super) fn mark_told(incident: &Incident, body: PersonTold, asking: &Asking) -> Result<Event, Refusal> {
    said(&body.position, "the position")?;
    // Whoever hears of it now hears how bad it was, too.
    let owed = incident.owed_severity(asking.cadence.tell).map(|(severity, _)| severity);
    let body = PersonTold { severity: owed.map_or(body.severity, |owed| owed.min(body.severity)), ..body };
    match incident.told.get(&body.position) {
        Some((severity, mark)) if *severity <= body.severity => {
            refuse(says![&mark.by, format!(" told the {} at ", body.position), mark.at])
        }
        Some(_) | None => Ok(Event::PersonTold(body)),
    }
}

pub(super) fn mark_not_told(incident: &Incident, position: CleanStr) -> Result<Event, Refusal> {
    let Some((severity, _)) = incident.told.get(&position) else {
        return refuse(format!("nobody has told the {position} yet"));
    };
    Ok(Event::PersonNotTold(PersonTold { position, severity: *severity, how: None }))
}

/// The Incident Commander answers for how often people hear something.
pub(super) fn set_cadence(
    incident: &Incident,
    every: TimeDelta,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let commander = incident.holder(Role::IncidentCommander);
    if let Some(commander) = commander.filter(|_| !asking.holds(incident, Role::IncidentCommander)) {
        return refuse(format!("the Incident Commander changes the pace: that is {commander}"));
    }
    if every < TimeDelta::minutes(5) || every > TimeDelta::hours(24) {
        return refuse("updates are due every 5m to 24h: write 1h");
    }
    if incident.cadence(&asking.cadence).update == every && incident.cadence(&asking.cadence).external_again == every {
        return refuse(format!("an update is due every {} already", measures::spoken(every)));
    }
    let Some(reason) = reason.filter(|reason| !reason.is_blank()) else {
        return want_reason(format!("an update every {} from now on wants a reason", measures::spoken(every)));
    };
    let every_s = u32::try_from(every.num_seconds()).unwrap_or(u32::MAX);
    Ok(Event::CadenceSet(CadenceSet { every_s, reason }))
}

pub(super) fn snooze(body: ObligationSnoozed, asking: &Asking) -> Result<Event, Refusal> {
    if !body.duty.is_snoozable() {
        return refuse("the acknowledge clock cannot be put off");
    }
    let cap = asking.cadence.snooze_cap;
    if body.until > asking.now + cap {
        return refuse(format!("it can be put off by {} min at a time", cap.num_minutes()));
    }
    if body.until <= asking.now {
        return refuse("that moment has passed already");
    }
    if body.reason.is_blank() {
        return want_reason("putting it off wants a reason");
    }
    Ok(Event::ObligationSnoozed(body))
}
