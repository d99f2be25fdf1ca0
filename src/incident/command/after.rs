//! Rules for the end and what follows it.

use super::*;

pub(super) fn resolve(
    incident: &Incident,
    proof: Vec<ProofLine>,
    final_status: CleanText,
    reason: Option<CleanStr>,
) -> Result<Event, Refusal> {
    if incident.acknowledged.is_none() {
        return refuse(says![
            "nobody has acknowledged yet: the Incident Commander does that first (",
            By("acknowledge"),
            ")"
        ]);
    }
    if !incident.phase().is_live() {
        let by = incident.resolution.as_ref().map(|resolution| &resolution.mark);
        return refuse(
            by.map_or_else(|| "it is resolved already".into(), |mark| says![&mark.by, " resolved it at ", mark.at]),
        );
    }
    said(&final_status, "the final status")?;
    let reason = reason.filter(|reason| !reason.is_blank());
    if reason.is_none() {
        if proof.is_empty() {
            return want_reason("nothing proves that it is over: resolving wants a reason");
        }
        let unmet: Vec<_> =
            proof.iter().filter(|line| !line.met).map(|line| format!("{} ({})", line.what, line.seen)).collect();
        if !unmet.is_empty() {
            return want_reason(format!("not back to normal: {}. Resolving now wants a reason", unmet.join(", ")));
        }
    }
    let phase = PhaseEntered::plain(Phase::Resolved);
    Ok(Event::PhaseEntered(PhaseEntered { reason, proof, final_status: Some(final_status), ..phase }))
}

pub(super) fn close_as(
    incident: &Incident,
    outcome: Outcome,
    reason: Option<CleanStr>,
    asking: &Asking,
) -> Result<Event, Refusal> {
    let reason = reason.filter(|reason| !reason.is_blank());
    course::nothing_left(incident)?;
    let left = unfinished(incident, Rules { cadence: &asking.cadence, tell: &asking.tell });
    match outcome {
        Outcome::Done => return refuse(says!["an incident that is done is closed by its phase (", By("phase"), ")"]),
        Outcome::Backlog if incident.severity != Some(Severity::Sev3) => {
            return refuse("only a SEV3 is handled within the squad and logged for the backlog");
        }
        Outcome::Backlog | Outcome::FalseAlarm if incident.impact.is_known() && incident.drill.is_none() => {
            return refuse(says![
                "customers are recorded as hurt: resolve it (",
                By("resolve"),
                "), or say how it is known that nobody was (",
                By("no-impact"),
                ")",
            ]);
        }
        // A lower severity takes nothing back that was owed before.
        Outcome::Backlog if !left.is_empty() => {
            let undone = format!("left undone: {}. Do it, or resolve the incident (", left.join("; "));
            return refuse(says![undone, By("resolve"), ")"]);
        }
        Outcome::Merged(into) if into == incident.id() => return refuse("a record cannot be merged into itself"),
        Outcome::FalseAlarm if reason.is_none() => {
            return want_reason(format!("how is it known that this is a false alarm?{}", incident.not_gone_out()));
        }
        Outcome::Backlog if reason.is_none() => {
            return want_reason(format!("where in the backlog is it?{}", incident.not_gone_out()));
        }
        Outcome::FalseAlarm | Outcome::Backlog | Outcome::Merged(_) => {}
    }
    let phase = PhaseEntered::plain(Phase::Closed);
    Ok(Event::PhaseEntered(PhaseEntered { reason, outcome: Some(outcome), ..phase }))
}

pub(super) fn schedule(incident: &Incident, body: PostmortemScheduled, asking: &Asking) -> Result<Event, Refusal> {
    said(&body.owner, "the owner")?;
    let Some(resolved) = incident.resolved_at else {
        return refuse("the postmortem is scheduled once the incident is resolved");
    };
    let latest = resolved + asking.cadence.postmortem;
    let zone = incident.facts.zone();
    let moment = |at: DateTime<Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M %Z").to_string();
    if body.at < resolved {
        return refuse("the postmortem comes after the end of the incident");
    }
    if body.at < asking.now - CLOCK_GRACE {
        return refuse(format!("{} is over: when will the postmortem be held?", moment(body.at)));
    }
    let reason = body.reason.filter(|reason| !reason.is_blank());
    if body.at > latest && reason.is_none() {
        let hours = asking.cadence.postmortem.num_hours();
        return want_reason(format!(
            "the postmortem is held within {hours} h, that is until {}: a later one wants a reason",
            moment(latest)
        ));
    }
    Ok(Event::PostmortemScheduled(PostmortemScheduled { reason, ..body }))
}

pub(super) fn article(body: ArticleRecorded) -> Result<Event, Refusal> {
    let url = body.url.trim();
    let is_address =
        ["http://", "https://"].iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| rest.len() > 3));
    if !is_address || url.contains(char::is_whitespace) {
        return refuse("where is the article? Its address begins with https://");
    }
    Ok(Event::ArticleRecorded(body))
}

pub(super) fn review(body: Reviewed) -> Result<Event, Refusal> {
    said(&body.outcome, "what the review changed (\"nothing\" is an answer)")?;
    Ok(Event::Reviewed(body))
}

pub(super) fn follow_up(incident: &Incident, body: FollowUpSet) -> Result<Event, Refusal> {
    match body.item {
        None => said(body.what.as_deref().unwrap_or_default(), "the follow-up")?,
        Some(id) if !incident.follow_ups.iter().any(|item| item.id == id) => {
            return refuse("this follow-up is not in the record");
        }
        Some(_) => {
            if let Some(what) = &body.what {
                said(what, "the follow-up")?;
            }
        }
    }
    let is_without_reason = body.reason.as_ref().is_none_or(CleanStr::is_blank);
    if body.state == Some(FollowUpState::Dropped) && is_without_reason {
        return want_reason("dropping a follow-up wants a reason");
    }
    Ok(Event::FollowUpSet(body))
}

pub(super) fn amend_time(incident: &Incident, body: TimeAmended, now: DateTime<Utc>) -> Result<Event, Refusal> {
    past(body.to, now)?;
    let known = incident.milestone(body.which);
    match body.which {
        Milestone::Resolved if known.is_none() => {
            return refuse("it is not resolved: there is no such time to correct");
        }
        Milestone::Acknowledged if known.is_none() => {
            return refuse("nobody has acknowledged: there is no such time to correct");
        }
        Milestone::ImpactEnd if !incident.impact.is_known() => {
            return refuse("no customer impact is recorded: say first when it began");
        }
        Milestone::Detected
        | Milestone::Acknowledged
        | Milestone::ImpactStart
        | Milestone::ImpactEnd
        | Milestone::Mitigated
        | Milestone::Resolved => {}
    }
    if known == Some(body.to) {
        return refuse(format!("{} is that already", body.which.name()));
    }
    if body.reason.is_blank() {
        return want_reason(format!("correcting `{}` wants a reason", body.which.name()));
    }
    Ok(Event::TimeAmended(body))
}

/// The redaction of an entry, and of the copies of its words that wait for other systems.
pub(super) fn redact(incident: &Incident, body: EntryRedacted) -> Result<Vec<Event>, Refusal> {
    let Some(entry) = incident.entry(body.entry) else { return refuse("this line is not in the journal") };
    if entry.event.without_words().is_none() {
        return refuse("there are no words in this line to redact: it only says what was done and when");
    }
    if body.reason.is_blank() {
        return want_reason("redacting a line wants a reason");
    }
    let copies = redaction::copies(incident, entry);
    let others = copies.into_iter().map(|entry| EntryRedacted { entry, reason: body.reason.clone() });
    Ok(std::iter::once(body.clone()).chain(others).map(Event::EntryRedacted).collect())
}

/// What goes on in another record is written there.
pub(super) fn goes_on_here(incident: &Incident) -> Result<(), Refusal> {
    match incident.outcome {
        Some(Outcome::Merged(into)) => {
            let goes_on = format!("{} goes on in {into}: open that one, or take the merge back (", incident.id());
            refuse(says![goes_on, By("unmerge"), ")"])
        }
        Some(Outcome::Done | Outcome::FalseAlarm | Outcome::Backlog) | None => Ok(()),
    }
}

pub(super) fn merge(incident: &Incident, body: DuplicateMerged, lines: Vec<LineMerged>) -> Result<Vec<Event>, Refusal> {
    if body.from == incident.id() {
        return refuse("a record cannot be merged into itself");
    }
    if incident.merged.contains(&body.from) {
        return refuse(format!("{} is merged into this record already", body.from));
    }
    if body.from.series != incident.id().series {
        return refuse("drills and incidents are not merged");
    }
    Ok([Event::DuplicateMerged(body)].into_iter().chain(lines.into_iter().map(Event::LineMerged)).collect())
}

pub(super) fn unmerge(incident: &Incident, other: IncidentId, reason: Option<CleanStr>) -> Result<Event, Refusal> {
    if !incident.merged.contains(&other) && incident.outcome != Some(Outcome::Merged(other)) {
        return refuse(format!("{other} is not merged with {}", incident.id()));
    }
    match reason.filter(|reason| !reason.is_blank()) {
        Some(reason) => Ok(Event::MergeUndone(MergeUndone { other, reason })),
        None => want_reason(format!("taking the merge with {other} back wants a reason: how is it known?")),
    }
}
