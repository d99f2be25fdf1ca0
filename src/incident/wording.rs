//! How each entry reads on the timeline.
//!
//! Hides the sentence of every event; a line's words are made when it is shown, with what is known then.

use chrono::{DateTime, Utc};

use super::*;
use crate::text::Exact;
use crate::text::exact::show_argv;

/// A line of the timeline shows so many letters of a command line.
const BRIEF_ARGV: usize = 1_000;

/// The tag and the words of an event.
pub fn wording(event: &Event, incident: &Incident) -> (&'static str, CleanText) {
    let facts: &Facts = incident;
    let because = |reason: &Option<CleanStr>| reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let component = |body: &RoleNamed| body.component.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    let (tag, text) = match event {
        Event::Declared(body) => {
            let service = body.service.as_ref().map(|service| format!(" on {service}")).unwrap_or_default();
            let told = match &body.detection {
                Some(Detection::Alert { name }) => format!(", from alert {name}"),
                Some(Detection::Report { by }) => format!(", reported by {by}"),
                None => String::new(),
            };
            let link = body.link.as_ref().filter(|link| !link.is_blank()).map(|link| format!(", {link}"));
            ("DECLARED", format!("{} {}{service}{told}{}", body.severity, body.title, link.unwrap_or_default()))
        }
        Event::DrillStarted(body) => ("drill", format!("{}, seed {}, speed {}×", body.exercise, body.seed, body.speed)),
        Event::DrillPaused(_) => ("drill", "paused: its clock stands still".to_owned()),
        Event::DrillResumed(_) => ("drill", "goes on".to_owned()),
        Event::Facilitated(act) => act.wording(),
        Event::PrivacySet(body) if body.is_private => {
            ("PRIVATE", "no public channel, status page or ticket hears of it".to_owned())
        }
        Event::PrivacySet(_) => ("PRIVATE", "not any more".to_owned()),
        Event::TitleSet(body) => ("title", body.title.to_string()),
        Event::SeverityRaised(body) => ("SEVERITY", format!("raised to {}{}", body.to, because(&body.reason))),
        Event::SeverityLowered(body) => ("SEVERITY", format!("lowered to {}{}", body.to, because(&body.reason))),
        Event::Acknowledged(_) => ("ACK", "acknowledged".to_owned()),
        Event::PhaseEntered(body) => return phase(body),
        Event::ServiceAdded(body) => ("scope", format!("{} is affected", body.service)),
        Event::ServiceRemoved(body) => ("scope", format!("{} is not affected", body.service)),
        Event::ImpactStarted(body) => ("IMPACT", format!("customers affected since {}", time(body.at, facts))),
        Event::ImpactEnded(body) => ("IMPACT", format!("customers no longer affected since {}", time(body.at, facts))),
        Event::RoleTaken(body) => {
            let part = if body.is_played { ", played by the exercise" } else { "" };
            ("role", format!("{} is {}{}{part}", body.holder, body.role.name(), component(body)))
        }
        Event::RoleLeft(body) => (
            "role",
            format!("{} is no longer {}{}{}", body.holder, body.role.name(), component(body), because(&body.reason)),
        ),
        Event::NoteAdded(body) => {
            let tag = match body.kind {
                NoteKind::Note => "note",
                NoteKind::Decision => "DECISION",
                NoteKind::Action => "action",
                NoteKind::Finding => "finding",
                NoteKind::Todo => "todo",
                NoteKind::Can => "CAN",
            };
            return (tag, body.text.clone());
        }
        Event::NoteAmended(_) => ("amend", "a line was corrected".to_owned()),
        Event::NoteStruck(_) => ("strike", "a line was struck through".to_owned()),
        Event::EvidencePinned(EvidencePinned { evidence }) => match evidence {
            Evidence::Graph { service, objective, query, at, value, exact, series, .. } => {
                let whose = if series.is_blank() { String::new() } else { format!(" ({series})") };
                // The number itself, where the text beside it is shorter.
                let is_said = exact.is_blank() || value.split(' ').next() == Some(exact.as_str());
                let exact = if is_said { String::new() } else { format!(" [{exact}]") };
                // A query of several lines stands on its own: in one line its comments would hide the rest.
                let before = if query.contains('\n') { "\n" } else { " · " };
                let at = time(*at, facts);
                ("evidence", format!("{service} {objective} = {value}{exact}{whose} at {at}{before}{query}"))
            }
            Evidence::Trace { trace, summary } => ("evidence", format!("trace {trace}: {summary}")),
        },
        Event::StepChecked(body) => ("step", format!("✓ {} ({})", body.title, body.step)),
        Event::StepSkipped(body) => ("step", format!("skipped {} ({}): {}", body.title, body.step, body.reason)),
        Event::StepReopened(body) => ("step", format!("open again: {} ({})", body.title, body.step)),
        Event::StatusUpdatePosted(update) => {
            let channels: Vec<_> = update.channels.iter().map(|channel| channel.name()).collect();
            let by_hand = if update.told_at.is_some() { ", told by hand" } else { "" };
            ("UPDATE", format!("to {}{by_hand}{}: {}", channels.join(", "), because(&update.reason), update.text))
        }
        Event::ClockJumped(body) => ("clock", format!("the wall clock moved by {:+.1} s", body.by_ms as f64 / 1000.0)),
        Event::ClockSkewed(body) => {
            let way = if body.ahead_ms < 0 { "behind" } else { "ahead" };
            let by = body.ahead_ms.unsigned_abs() as f64 / 1000.0;
            (
                "clock",
                format!("the clock of console {} is {by:.1} s {way}: its times are read without that", body.console),
            )
        }
        Event::AlertLinked(body) => ("ALERT", format!("{} fired at {}", body.name, time(body.starts_at, facts))),
        Event::SymptomBegan(body) => (symptom_tag(&body.of), symptom_began(body, facts)),
        Event::SymptomEnded(body) => (symptom_tag(&body.of), symptom_ended(body, facts)),
        Event::ScopeSet(body) => ("scope", scope(body)),
        Event::NoCustomerAffected(body) => (
            "IMPACT",
            match &body.reason {
                Some(reason) => format!("no customer was affected after all: {reason}"),
                None => "no customer is affected".to_owned(),
            },
        ),
        Event::PersonTold(body) => ("told", {
            let how = body.how.as_ref().map(|how| format!(" ({how})")).unwrap_or_default();
            format!("the {} knows of {}{how}", body.position, body.severity)
        }),
        Event::PersonNotTold(body) => ("told", format!("the {} does not know after all", body.position)),
        Event::CadenceSet(body) => {
            ("CADENCE", format!("an update every {} from now on: {}", measures::spoken(body.every()), body.reason))
        }
        Event::ObligationSnoozed(body) => {
            ("snooze", format!("{} until {}: {}", duty(&body.duty, facts), time(body.until, facts), body.reason))
        }
        Event::UpdateDrafted(body) => ("draft", format!("waits for approval: {}", body.update.text)),
        Event::DraftDropped(body) => ("draft", format!("dropped{}", because(&body.reason))),
        Event::HandoverOffered(body) => {
            ("handover", format!("{} offered to {}. Brief: {}", body.role.name(), body.to, body.brief))
        }
        Event::HandoverAccepted(body) => ("HANDOVER", accepted(body, incident)),
        Event::HandoverEnded(body) => ("handover", format!("not handed over{}", because(&body.reason))),
        Event::TaskAssigned(body) => {
            ("TASK", format!("@{} {}, calls back at {}", body.to, body.what, time(body.call_back, facts)))
        }
        Event::TaskReadBack(body) => ("task", format!("read back: {}", task(body.task, facts))),
        Event::TaskAnswered(body) => ("task", answered(body, facts)),
        Event::DecisionProposed(body) => ("PROPOSE", {
            let plan_b = body.plan_b.as_ref().map(|plan| format!("; plan B: {plan}")).unwrap_or_default();
            format!("{} (risk: {}; undo: {}{plan_b})", body.action, body.risk, body.undo)
        }),
        Event::ObjectionRaised(body) => ("OBJECT", format!("{}: {}", proposal(body.decision, facts), body.text)),
        Event::DecisionMade(body) => ("DECIDE", decided(body, facts)),
        Event::HypothesisOpened(body) => ("theory", {
            let owner = body.owner.as_ref().map(|owner| format!(" ({owner} looks)")).unwrap_or_default();
            let rollback = body.rollback.as_ref().map(|step| format!("; rollback: {step}")).unwrap_or_default();
            format!("{}{owner}{rollback}", body.text)
        }),
        Event::HypothesisSettled(body) => ("theory", {
            let known = facts.hypotheses.iter().find(|known| known.id == body.hypothesis);
            let text = known.map_or("a theory", |known| known.theory.text.as_str());
            let word = if body.holds { "CONFIRMED" } else { "eliminated" };
            format!("{word}: {text}; {}", body.evidence)
        }),
        Event::StepClaimed(body) => ("step", {
            let over = body.over.as_ref().map(|over| format!(", taken over from {}: {}", over.from, over.reason));
            format!("claimed: {} ({}){}", body.title, body.step, over.unwrap_or_default())
        }),
        Event::StepReleased(body) => ("step", format!("let go: {} ({})", body.title, body.step)),
        Event::PostmortemScheduled(body) => ("after", {
            let at = body.at.with_timezone(&facts.zone()).format("%Y-%m-%d %H:%M %Z");
            format!("postmortem on {at}, {} owns it{}", body.owner, because(&body.reason))
        }),
        Event::ArticleRecorded(body) => ("after", format!("knowledge-base article: {}", body.url)),
        Event::Reviewed(body) => ("after", {
            let what = match &body.of {
                ReviewOf::Playbook(service) => format!("playbook of {service}"),
                ReviewOf::Matrix => "escalation matrix".to_owned(),
                ReviewOf::Templates => "templates".to_owned(),
            };
            format!("{what} reviewed: {}", body.outcome)
        }),
        Event::FollowUpSet(body) => ("todo", follow_up(body, facts)),
        Event::TimeAmended(body) => ("time", {
            let before = facts.corrections.get(&body.which).into_iter().flatten();
            let before = before.filter(|known| known.to == body.to && known.reason == body.reason);
            let from = before.filter_map(|known| known.from).next_back();
            let from = from.map_or_else(|| "not recorded".to_owned(), |at| time(at, facts));
            format!("{} is {} (before: {from}): {}", body.which.name(), time(body.to, facts), body.reason)
        }),
        Event::EntryRedacted(_) => ("redact", "a line was redacted".to_owned()),
        Event::MergeUndone(body) => {
            ("UNMERGED", format!("{} was about something else after all: {}", body.other, body.reason))
        }
        Event::DuplicateMerged(body) => ("MERGED", format!("{} was about the same; its lines follow", body.from)),
        Event::LineMerged(body) => ("merged", format!("{} {} {}: {}", body.from, body.actor, body.tag, body.text)),
        Event::CommandStarted(body) => ("RUN", command(body)),
        Event::CommandRemarked(body) => ("run", {
            let what = match body.remark {
                Remark::Overtime => "is over its time and goes on: give it more, or cancel it".to_owned(),
                Remark::CancelAsked => "shall end".to_owned(),
                Remark::Granted(seconds) => format!("may go on for {seconds} s"),
                Remark::Unwatched(pid) => {
                    format!("still runs as process {pid}, and its watcher is gone: nobody will know its status")
                }
            };
            format!("{} {what}", run_title(body.run, facts))
        }),
        Event::CommandEnded(body) => return ("run", ended(body, facts)),
        Event::CommandVouched(body) => {
            ("vouch", format!("read and vouches for: {} ({}), {:.12}", body.title, body.step, body.digest.as_str()))
        }
        Event::StepAnswered(body) => ("step", {
            let word = match body.holds {
                Some(true) => ": as expected",
                Some(false) => ": NOT as expected",
                None => "",
            };
            format!("{} ({}): {}{word}", body.title, body.step, body.answer)
        }),
        Event::PlaybookApproved(body) => (
            "playbook",
            format!("the playbook of {} may run its commands ({:.12})", body.service, body.digest.as_str()),
        ),
        Event::DeliveryQueued(body) => (
            "out",
            match body.channel {
                Some(channel) if body.release == Release::OnWord => {
                    format!("YOUR WORD: {} ({}) waits until somebody sends it (:outbox)", channel.name(), body.service)
                }
                Some(channel) => format!("waits for {} ({})", channel.name(), body.service),
                None => format!("waits for {}: {}", body.service, body.act.words()),
            },
        ),
        Event::ForeignNoted(body) => ("in", {
            let link = body.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
            // Whoever said it stands beside the line, as its author.
            let from = if body.who.is_blank() { String::new() } else { format!("{}: ", body.service) };
            match &body.answers {
                Some(answer) => format!("{from}{}", answered(answer, facts)),
                None => format!("{from}{}{link}", body.text),
            }
        }),
        Event::DeliveryMoved(body) => ("out", {
            let why = body.to.why().map(|why| format!(": {why}")).unwrap_or_default();
            let delivery = facts.deliveries.iter().find(|delivery| delivery.id == body.delivery);
            let place = delivery.map_or_else(|| body.delivery.to_string(), Delivery::place);
            let called = match (&body.to, delivery) {
                (DeliveryState::Sent(remote), Some(delivery)) if delivery.body.act.makes(delivery.id).is_some() => {
                    let link = remote.link.as_ref().map(|link| format!(" {link}")).unwrap_or_default();
                    let adopted = if remote.is_adopted { " (adopted)" } else { "" };
                    format!(" as {}{link}{adopted}", remote.called())
                }
                _ => String::new(),
            };
            format!("{} to {place}{called}{why}", body.to.word())
        }),
        Event::PlaybookFrozen(body) => ("playbook", {
            let version = format!("version {:.12} of the playbook of {}", body.digest.as_str(), body.service);
            match &body.replaces {
                None => format!("this incident uses {version}"),
                Some(_) => format!("from here on {version} counts"),
            }
        }),
        Event::Unrecognised { kind, .. } => ("newer", format!("`{kind}`: written by a newer warroom")),
    };
    (tag, CleanText::new(&text))
}

/// `Restart workers (blubank/restart): kubectl … on bastion, PRODUCTION`.
fn command(body: &CommandStarted) -> String {
    let step = body.step.as_ref().map(|step| format!(" ({step})")).unwrap_or_default();
    let undo = match body.purpose {
        Purpose::Do => "",
        Purpose::Undo => "UNDO ",
    };
    let place = body.directory.as_ref().map(|place| format!(" in {}", place.shown())).unwrap_or_default();
    let badge = body.environment.as_ref().map(|badge| format!(", {badge}")).unwrap_or_default();
    format!("{undo}{}{step}: {}{place} on {}{badge}", body.title, argv_in_brief(&body.argv), body.host)
        + &although(&body.despite)
}

/// What came before in name only.
fn although(despite: &[CleanStr]) -> String {
    if despite.is_empty() { String::new() } else { format!(", although {}", despite.join("; ")) }
}

/// A command line for a place that has no room for a script; how much is left out is said.
pub fn argv_in_brief(argv: &[Exact]) -> String {
    let whole = show_argv(argv);
    if whole.len() <= BRIEF_ARGV {
        return whole;
    }
    // What is shown is ASCII, so every byte is a letter.
    format!("{} … ({} more letters)", &whole[..BRIEF_ARGV], whole.len() - BRIEF_ARGV)
}

fn run_title(id: EntryId, facts: &Facts) -> &str {
    facts.run(id).map_or("a command", |run| run.order.title.as_str())
}

/// How it ended, how long it took, where, how much it printed, and its last lines.
fn ended(body: &CommandEnded, facts: &Facts) -> CleanText {
    let host = facts.run(body.run).map(|run| format!(" on {}", run.order.host)).unwrap_or_default();
    let took = body.took_ms as f64 / 1000.0;
    let lost = if body.dropped > 0 {
        format!(", {} of it not kept", crate::text::many(body.dropped, "byte"))
    } else {
        String::new()
    };
    let left = match body.left_in_words() {
        none if none.is_empty() => none,
        names => format!(", left running: {names}"),
    };
    let kept = match &body.captured {
        Some(Captured::Value(name, value)) => format!(", kept {name} = {}", value.shown()),
        Some(Captured::Nothing(why)) => format!(", nothing kept: {why}"),
        None => String::new(),
    };
    // The end of the way back is not the end of the step.
    let is_back = facts.run(body.run).is_some_and(|run| run.order.purpose == Purpose::Undo);
    let back = if is_back { "UNDO " } else { "" };
    let mut text = format!(
        "{back}{}: {} after {took:.1} s{host}, {}{lost}{kept}{left}",
        run_title(body.run, facts),
        body.how(),
        crate::text::many(body.bytes, "byte")
    );
    if !body.tail.trim().is_empty() {
        text.push('\n');
        text.push_str(&body.tail);
    }
    CleanText::new(&text)
}

/// A time of day in the incident's zone, with the zone.
fn time(at: DateTime<Utc>, facts: &Facts) -> String {
    at.with_timezone(&facts.zone()).format("%H:%M:%S %Z").to_string()
}

fn phase(body: &PhaseEntered) -> (&'static str, CleanText) {
    let mut text = body.phase.to_string();
    match body.outcome {
        Some(Outcome::FalseAlarm) => text.push_str(": false alarm"),
        Some(Outcome::Backlog) => text.push_str(": handled within the squad, logged for the backlog"),
        Some(Outcome::Merged(into)) => text.push_str(&format!(": goes on in {into}")),
        Some(Outcome::Done) | None => {}
    }
    if let Some(reason) = &body.reason {
        text.push_str(&format!(" ({reason})"));
    }
    if body.phase == Phase::Resolved && !body.proof.is_empty() {
        let met = body.proof.iter().filter(|line| line.met).count();
        text.push_str(&format!(", proof {met} of {}", body.proof.len()));
        let unmet = body.proof.iter().filter(|line| !line.met);
        let unmet: Vec<_> = unmet.map(|line| format!("{}: {}", line.what, line.seen)).collect();
        if !unmet.is_empty() {
            text.push_str(&format!("; not met: {}", unmet.join(", ")));
        }
    }
    if let Some(status) = &body.final_status {
        text.push_str(&format!(". {status}"));
    }
    let tag = if body.phase == Phase::Resolved { "RESOLVED" } else { "phase" };
    (tag, CleanText::new(&text))
}

fn symptom_tag(of: &SymptomOf) -> &'static str {
    match of {
        SymptomOf::Alert { .. } => "ALERT",
        SymptomOf::Objective { .. } => "BREACH",
    }
}

/// `alipay Error ratio outside its limit since 14:02:15 UTC: 18.2 % (pod=p12), must be below 0.50 %`.
fn symptom_began(body: &SymptomBegan, facts: &Facts) -> String {
    let how = match body.of {
        SymptomOf::Alert { .. } => "fires again",
        SymptomOf::Objective { .. } => "outside its limit",
    };
    let least = if body.at_least { ", or longer" } else { "" };
    let value = if body.value.is_blank() { String::new() } else { format!(": {}", body.value) };
    format!("{} {how} since {}{least}{value}", body.title, time(body.since, facts))
}

/// `alipay Error ratio inside again since 14:22:15 UTC, after 20 min; worst 23.1 % (pod=p12) at 14:05:30 UTC`.
fn symptom_ended(body: &SymptomEnded, facts: &Facts) -> String {
    let how = match body.of {
        SymptomOf::Alert { .. } => "no longer fires",
        SymptomOf::Objective { .. } => "inside its limit again",
    };
    let when = match body.after {
        None => format!("{how} since {}", time(body.ended, facts)),
        Some(after) => format!(
            "{how} at {}; nobody saw since when: the last time it was known to be wrong is {}",
            time(body.ended, facts),
            time(after, facts)
        ),
    };
    let ours = facts.symptoms.iter().find(|symptom| symptom.over.as_ref() == Some(body));
    let lasted = ours.and_then(symptom::Symptom::lasted).map(|lasted| format!(", after {lasted}")).unwrap_or_default();
    let peak = match (&body.peak, &body.of) {
        (Some(peak), _) => format!("; worst {}", worst(peak, facts)),
        (None, SymptomOf::Alert { .. }) => "; no value known".to_owned(),
        (None, SymptomOf::Objective { .. }) => String::new(),
    };
    format!("{} {when}{lasted}{peak}", body.title)
}

/// The worst value, whose it was and when: `23.1 % (pod=p12) at 14:05:30 UTC`.
fn worst(peak: &Peak, facts: &Facts) -> String {
    let whose = if peak.series.is_blank() { String::new() } else { format!(" ({})", peak.series) };
    let least = if peak.at_least { " of what was measured" } else { "" };
    format!("{}{whose} at {}{least}", peak.value, time(peak.at, facts))
}

fn scope(body: &ScopeSet) -> String {
    let list = |names: &[CleanStr]| {
        let names: Vec<_> = names.iter().map(CleanStr::as_str).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let yes = |is: bool| if is { "yes" } else { "no" };
    let parts = [
        body.geography.as_deref().map(|places| format!("places: {}", list(places))),
        body.partners.as_deref().map(|partners| format!("partner banks: {}", list(partners))),
        body.regulatory.map(|is| format!("regulatory impact: {}", yes(is))),
        body.complete_outage.map(|is| format!("complete outage: {}", yes(is))),
        body.users_percent.map(|share| format!("{share} % of users")),
        body.customers.map(|count| format!("{count} customers")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn accepted(body: &HandoverAccepted, incident: &Incident) -> String {
    let offer = incident.entry(body.offer);
    let Some(Entry { actor, event: Event::HandoverOffered(offer), .. }) = offer else {
        return "accepted; who had the role stays as adviser".to_owned();
    };
    format!("{} accepted from {actor}, who stays as adviser", offer.role.name())
}

fn task(id: EntryId, facts: &Facts) -> String {
    let task = facts.tasks.iter().find(|task| task.id == id);
    task.map_or_else(|| "a task".to_owned(), |task| format!("@{} {}", task.to, task.what))
}

/// Which task, how it stands, and in their words.
fn answered(body: &TaskAnswered, facts: &Facts) -> String {
    let how = match body.answer {
        Answer::Done => "done".to_owned(),
        Answer::More { until } => format!("needs until {}", time(until, facts)),
        Answer::DontKnow => "do not know".to_owned(),
        Answer::Blocked => "BLOCKED".to_owned(),
        Answer::Dropped => "dropped".to_owned(),
    };
    let text = if body.text.is_blank() { String::new() } else { format!(": {}", body.text) };
    format!("{} · {how}{text}", task(body.task, facts))
}

fn proposal(id: EntryId, facts: &Facts) -> &str {
    let decision = facts.decisions.iter().find(|decision| decision.id == id);
    decision.map_or("a proposal", |decision| decision.proposal.action.as_str())
}

/// What an event says to those who are not in the room; `reads` is its first line on the timeline.
pub(super) fn news(event: &Event, reads: &str, facts: &Facts) -> Option<CleanText> {
    let text = match event {
        Event::NoteAdded(body) => match body.kind {
            NoteKind::Note | NoteKind::Decision | NoteKind::Action | NoteKind::Finding => reads.to_owned(),
            // For the room: what somebody must not forget, and what somebody needs.
            NoteKind::Todo | NoteKind::Can => return None,
        },
        Event::SeverityRaised(_) | Event::SeverityLowered(_) => format!("severity {reads}"),
        Event::ServiceAdded(_)
        | Event::ServiceRemoved(_)
        | Event::ScopeSet(_)
        | Event::ImpactStarted(_)
        | Event::ImpactEnded(_)
        | Event::NoCustomerAffected(_) => reads.to_owned(),
        Event::StepChecked(body) => format!("done: {}", body.title),
        Event::DecisionMade(body) => {
            let word = if body.go { "decided" } else { "decided against" };
            format!("{word}: {}", proposal(body.decision, facts))
        }
        Event::HypothesisSettled(body) => {
            let theory = facts.hypotheses.iter().find(|one| one.id == body.hypothesis)?;
            let word = if body.holds { "cause confirmed" } else { "ruled out as the cause" };
            format!("{word}: {}", theory.theory.text)
        }
        _ => return None,
    };
    Some(CleanText::new(&text))
}

/// One line: what, its risk, the way back, who objected, who was there.
fn decided(body: &DecisionMade, facts: &Facts) -> String {
    let word = if body.go { "" } else { "NOT: " };
    let because = body.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    let Some(decision) = facts.decisions.iter().find(|decision| decision.id == body.decision) else {
        return format!("{word}a proposal{because}");
    };
    let objections: Vec<_> = decision.objections.iter().map(|(mark, text)| format!("{}: {text}", mark.by)).collect();
    let objections = match objections.as_slice() {
        [] => unopposed(decision),
        objections => objections.join(", "),
    };
    let present: Vec<_> = body.present.iter().map(CleanStr::as_str).collect();
    let present = if present.is_empty() { String::new() } else { format!("; present: {}", present.join(", ")) };
    let DecisionProposed { action, risk, undo, .. } = &decision.proposal;
    format!("{word}{action}{because} (risk: {risk}; undo: {undo}; {objections}{present})")
}

/// That nobody objected, and whether everybody had the time for it.
fn unopposed(decision: &Decision) -> String {
    let asked_for = decision.proposal.until - decision.proposed.at;
    match decision.made.as_ref().map(|(mark, _)| mark).filter(|mark| mark.at < decision.proposal.until) {
        Some(mark) => {
            let after = (mark.at - decision.proposed.at).num_seconds().max(0);
            format!("no objections in {after} s, {} cut it short of {} s", mark.by, asked_for.num_seconds().max(0))
        }
        None => "no objections".to_owned(),
    }
}

fn follow_up(body: &FollowUpSet, facts: &Facts) -> String {
    let known = facts.follow_ups.iter().find(|item| Some(item.id) == body.item);
    let what = body.what.as_ref().or(known.map(|item| &item.what)).map_or("a follow-up", CleanStr::as_str);
    let parts = [
        body.owner.as_ref().map(|owner| owner.to_string()),
        body.due.map(|day| format!("until {day}")),
        body.state.map(|state| match state {
            FollowUpState::Open => "open".to_owned(),
            FollowUpState::Done => "done".to_owned(),
            FollowUpState::Dropped => "dropped".to_owned(),
        }),
        body.reason.as_ref().map(|reason| reason.to_string()),
    ];
    format!("{what}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// What to call a duty that the record names.
fn duty(duty: &Duty, facts: &Facts) -> String {
    match duty {
        Duty::Acknowledge => "acknowledge".to_owned(),
        Duty::TakeCommand => "take command".to_owned(),
        Duty::Accept(_) => "accept the role".to_owned(),
        Duty::Decide(id) => format!("decide: {}", proposal(*id, facts)),
        Duty::Approve(_) => "approve the text".to_owned(),
        Duty::CallBack(id) => task(*id, facts),
        Duty::Tell(position) => format!("tell the {position}"),
        Duty::Update(channel) => format!("update {}", channel.name()),
        Duty::Postmortem => "postmortem".to_owned(),
        Duty::Article => "knowledge-base article".to_owned(),
        Duty::Review(_) => "review".to_owned(),
        Duty::FollowUp(_) => "follow-up".to_owned(),
        Duty::TakeBack(step) => format!("take back {}", step.step),
    }
}
