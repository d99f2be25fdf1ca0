//! Rules for the lines that people write: adding, correcting, striking through.

use super::*;

pub(super) fn add(incident: &Incident, body: NoteAdded, now: DateTime<Utc>) -> Result<Event, Refusal> {
    after::goes_on_here(incident)?;
    said(&body.text, "the line")?;
    if let Some(at) = body.at {
        past(at, now)?;
    }
    Ok(Event::NoteAdded(body))
}

pub(super) fn amend(incident: &Incident, body: NoteAmended, asking: &Asking) -> Result<Event, Refusal> {
    if let Some(told) = incident.updates.iter().find(|told| told.id == body.note) {
        return amend_told(incident, told, body, asking);
    }
    own_note(incident, body.note, asking)?;
    match (&body.text, body.at) {
        (None, None) => return refuse("nothing was changed"),
        (Some(text), _) => said(text, "the line")?,
        (None, Some(_)) => {}
    }
    if let Some(at) = body.at {
        past(at, asking.now)?;
    }
    Ok(Event::NoteAmended(body))
}

/// When an update was told can be put right where a person told it; what it said cannot, and when a system got it is what that system says.
fn amend_told(incident: &Incident, told: &Told, body: NoteAmended, asking: &Asking) -> Result<Event, Refusal> {
    changes(&told.mark.by, incident, asking)?;
    if body.text.as_ref().is_some_and(|text| *text != told.update.text) {
        return refuse(says!["people have read this text: ", By("update"), " tells them what is right"]);
    }
    if let Some(sent) =
        incident.deliveries.iter().find(|known| known.update == Some(told.id) && known.sent_at.is_some())
    {
        return refuse(format!("{} has this text since it was sent: that moment is its own", sent.body.service));
    }
    let Some(at) = body.at else { return refuse("nothing was changed") };
    past(at, asking.now)?;
    Ok(Event::NoteAmended(NoteAmended { text: None, ..body }))
}

pub(super) fn strike(incident: &Incident, body: NoteStruck, asking: &Asking) -> Result<Event, Refusal> {
    own_note(incident, body.note, asking)?;
    if incident.facts.timeline.is_struck(body.note) {
        return refuse("this line is struck through already");
    }
    Ok(Event::NoteStruck(body))
}

/// Whoever wrote a line, the Scribe and the Incident Commander may change it.
fn own_note(incident: &Incident, note: EntryId, asking: &Asking) -> Result<(), Refusal> {
    let Some(entry) = incident.entry(note) else { return refuse("this line is not in the journal") };
    if !matches!(entry.event, Event::NoteAdded(_)) {
        return refuse("only lines that a person wrote can be changed; the others say what was done");
    }
    changes(&entry.actor, incident, asking)
}

/// Whoever wrote a line, the Scribe and the Incident Commander.
fn changes(author: &Actor, incident: &Incident, asking: &Asking) -> Result<(), Refusal> {
    let may =
        asking.is(author) || asking.holds(incident, Role::Scribe) || asking.holds(incident, Role::IncidentCommander);
    if may { Ok(()) } else { refuse(format!("this line is {author}'s: they, the Scribe or the IC can change it")) }
}
