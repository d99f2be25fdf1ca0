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
    let may = asking.is(&entry.actor)
        || asking.holds(incident, Role::Scribe)
        || asking.holds(incident, Role::IncidentCommander);
    if may {
        Ok(())
    } else {
        refuse(format!("this line is {}'s: they, the Scribe or the IC can change it", entry.actor))
    }
}
