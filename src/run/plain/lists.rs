//! What is in the record and at the sources as numbered lines.
//!
//! Hides how each kind of thing reads in words. The same lines answer a command and tell what is new.
//!
//! Invariant: each line begins with the number by which a command names the thing.

use chrono::{DateTime, TimeDelta, Utc};

use super::numbers::{Numbers, key};
use super::told::owner;
use crate::alert::{Cover, proposed_severity};
use crate::change::{Change, ChangeFilter};
use crate::console::overlay::{self, since, wants_a_hand};
use crate::incident::{
    Answer, Channel, Decision, Draft, FollowUp, FollowUpState, Hypothesis, Offer, Severity, StatusUpdate, Task, Urgency,
};
use crate::live::Freshness;
use crate::pane::Cx;
use crate::pane::alerts::{Seen, burst, burst_line, seen};
use crate::pane::due::grouped;
use crate::template::{Audience, Remark, Vocabulary, lint};
use crate::text::{CleanStr, CleanText, Sought, fit};
use crate::widget::text::{duration, relative};

/// Columns for the labels of an alert.
const LABELS: usize = 80;

/// The names of channels in one phrase.
pub(super) fn channels<'a>(all: impl IntoIterator<Item = &'a Channel>) -> String {
    all.into_iter().map(|channel| channel.name()).collect::<Vec<_>>().join(", ")
}

/// A text in one line.
fn one_line(text: &CleanText) -> String {
    text.trim().replace('\n', " / ")
}

/// A moment to come: with its date where that is not today's.
pub(super) fn until(at: DateTime<Utc>, cx: &Cx<'_>) -> String {
    let day = |at: DateTime<Utc>| at.with_timezone(&cx.zone).date_naive();
    if day(at) == day(cx.now) { cx.clock(at) } else { cx.minute(at) }
}

/// A task: whose, what, when they call back, what they said.
pub(super) fn task(task: &Task, cx: &Cx<'_>) -> String {
    let heard = if task.read_back.is_some() { "" } else { ", not read back" };
    let Task { to, what, call_back, .. } = task;
    let state = match &task.answer {
        None | Some((_, Answer::More { .. }, _)) => {
            let late = if *call_back <= cx.now { ", LATE" } else { "" };
            format!("calls back at {}{late}{heard}", until(*call_back, cx))
        }
        Some((mark, answer, text)) => {
            let word = match answer {
                Answer::Done => "done",
                Answer::More { .. } => "more time",
                Answer::DontKnow => "does not know",
                Answer::Blocked => "BLOCKED",
                Answer::Dropped => "dropped",
            };
            let text = if text.is_blank() { String::new() } else { format!(": {text}") };
            format!("{word} at {}{text}", cx.clock(mark.at))
        }
    };
    format!("@{to} {what} ({}, {state})", task.assigned.by)
}

/// The tasks whose call-back is due, the next one first.
pub(super) fn tasks(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let mut open: Vec<&Task> = cx.incident.open_tasks().collect();
    open.sort_by_key(|task| task.call_back);
    open.into_iter().map(|one| format!("task {} {}", numbers.tasks.of(&one.id), task(one, cx))).collect()
}

/// A proposal: what, its risk, the way back, what stands against it, and how long that is asked.
pub(super) fn decision(decision: &Decision, cx: &Cx<'_>) -> String {
    let proposal = &decision.proposal;
    let plan_b = proposal.plan_b.as_ref().map(|plan| format!("; plan B: {plan}")).unwrap_or_default();
    let left = proposal.until - cx.now;
    let asked = if left > TimeDelta::zero() {
        format!("any strong objections? until {}, {} left", cx.clock(proposal.until), duration(left))
    } else {
        "waits for the IC to decide".to_owned()
    };
    let objections: String =
        decision.objections.iter().map(|(mark, text)| format!("; {} objects: {text}", mark.by)).collect();
    format!(
        "{} ({}; risk: {}; undo: {}{plan_b}{objections}): {asked}",
        proposal.action, decision.proposed.by, proposal.risk, proposal.undo
    )
}

/// The proposals that wait.
pub(super) fn decisions(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let open = cx.incident.decisions.iter().filter(|decision| decision.made.is_none());
    open.map(|one| format!("proposal {} {}", numbers.decisions.of(&one.id), decision(one, cx))).collect()
}

fn theory(theory: &Hypothesis) -> String {
    let who = theory.theory.owner.as_ref().map_or("nobody", |owner| owner.as_str());
    let rollback = theory.theory.rollback.as_ref().map(|step| format!("; rollback: {step}")).unwrap_or_default();
    let state = match &theory.settled {
        None => format!("{who} looks"),
        Some((_, true, evidence)) => format!("CONFIRMED: {evidence}"),
        Some((_, false, evidence)) => format!("eliminated: {evidence}"),
    };
    format!("{} ({state}{rollback})", theory.theory.text)
}

/// All theories, the open ones first.
pub(super) fn theories(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let mut all: Vec<_> = cx.incident.hypotheses.iter().collect();
    all.sort_by_key(|theory| theory.settled.is_some());
    all.into_iter().map(|one| format!("theory {} {}", numbers.theories.of(&one.id), theory(one))).collect()
}

/// What should not go out like this.
pub(super) fn remarks(text: &str, is_public: bool, cx: &Cx<'_>) -> Vec<Remark> {
    let audience = if is_public { Audience::External } else { Audience::Slack };
    let people = cx.incident.roles.values().map(|mark| mark.by.as_str());
    lint(text, audience, &Vocabulary::of(cx.catalogue).with_people(people))
}

/// A text that waits: whose, for whom, since when, how it reads.
pub(super) fn draft(draft: &Draft, cx: &Cx<'_>) -> String {
    let StatusUpdate { channels: to, text, .. } = &draft.update;
    format!("{}'s for {}, of {}: {}", draft.mark.by, channels(to), cx.clock(draft.mark.at), one_line(text))
}

/// The texts that wait for approval, with what changed since each was begun and what should not go out like this.
pub(super) fn drafts(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for one in &cx.incident.drafts {
        lines.push(format!("text {} {}", numbers.drafts.of(&one.id), draft(one, cx)));
        lines.extend(since(Some(one.mark.at), cx).iter().map(|line| format!("    since then: {line}")));
        let is_public = one.update.channels.contains(&Channel::ExternalPage);
        lines.extend(remarks(&one.update.text, is_public, cx).iter().map(|remark| format!("    check: {remark}")));
    }
    lines
}

/// An offered role: whose, to whom.
pub(super) fn offer(offer: &Offer) -> String {
    let component = offer.seat.component.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
    format!("{}{component}, from {} to {}", offer.seat.role.name(), offer.mark.by, offer.to)
}

/// The roles that are offered.
pub(super) fn offers(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    cx.incident.offers.iter().map(|one| format!("offer {} {}", numbers.offers.of(&one.id), offer(one))).collect()
}

fn follow_up(item: &FollowUp) -> String {
    let owner = item.owner.as_ref().map_or("nobody", |owner| owner.as_str());
    let until = item.due.map_or_else(|| "no day".to_owned(), |day| format!("until {day}"));
    let state = match item.state {
        FollowUpState::Open => "open",
        FollowUpState::Done => "done",
        FollowUpState::Dropped => "dropped",
    };
    let reason = item.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{} ({owner}, {until}, {state}{reason})", item.what)
}

/// All follow-ups, the open ones first.
pub(super) fn follow_ups(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let mut all: Vec<_> = cx.incident.follow_ups.iter().collect();
    all.sort_by_key(|item| item.state);
    all.into_iter().map(|one| format!("follow-up {} {}", numbers.follow_ups.of(&one.id), follow_up(one))).collect()
}

/// The people whom the severity names, with what they know.
pub(super) fn positions(_: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let severity = cx.owed_severity().unwrap_or(Severity::Sev3);
    let line = |position: CleanStr| {
        let told = cx.incident.told.get(&position).filter(|(told, _)| *told <= severity);
        let state = told.map_or_else(
            || {
                let phone = cx.phone_of(&position).map(|phone| format!("; {phone}")).unwrap_or_default();
                format!("NOT told of {severity} yet{phone}")
            },
            |(_, mark)| format!("told by {} at {}", mark.by, cx.clock(mark.at)),
        );
        format!("position {} {position}: {state}", key(&position))
    };
    cx.to_tell().into_iter().map(line).collect()
}

/// An alert: how it stands, since when, what it says, and which incident covers it.
pub(super) fn alert(seen: &Seen<'_>, cx: &Cx<'_>) -> String {
    let alert = seen.live.alert;
    let cover = match seen.cover {
        Some(Cover::Linked(id)) => format!(", linked to {id}"),
        Some(Cover::InScope(id)) => format!(", its service is in the scope of {id}"),
        None => String::new(),
    };
    let severity = proposed_severity(alert).map(|severity| format!(" {severity}")).unwrap_or_default();
    let old = if seen.live.freshness == Freshness::Fresh { "" } else { ", its source is silent" };
    format!(
        "{}{severity} {} since {} ({}{cover}{old}) {}",
        alert.name,
        seen.live.state.word(),
        cx.clock(alert.starts_at),
        relative(alert.starts_at, cx.now),
        fit(&alert.label_line(), LABELS)
    )
}

/// All alerts, those that need somebody most first, and whether some began together.
pub(super) fn alerts(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let all = seen(cx);
    let line = |seen: &Seen<'_>| format!("alert {} {}", numbers.alerts.of(seen.fingerprint()), alert(seen, cx));
    all.iter().map(line).chain(burst(cx).map(|burst| burst_line(&burst, cx))).collect()
}

/// So many changes are listed at once.
const MOST_CHANGES: usize = 200;

/// What was changed in the last two hours: of the affected services and of what they depend on first, and how many there are of others.
pub(super) fn changes(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let (ours, others) = overlay::lately(cx);
    let mut lines = changes_of(numbers, &ours, cx);
    if !others.is_empty() {
        lines.push(format!("and {} of other services: :changes others, or :changes -s SERVICE", others.len()));
    }
    lines
}

/// The changes of the last two hours that somebody asks for: `others`, `-s SERVICE -k KIND -b NAME`, or words that a line must have.
pub(super) fn changes_like(numbers: &mut Numbers, asked: &str, cx: &Cx<'_>) -> Result<Vec<String>, String> {
    let (ours, others) = overlay::lately(cx);
    if asked.trim() == "others" {
        return Ok(changes_of(numbers, &others, cx));
    }
    let (mut filter, mut words) = (ChangeFilter::default(), Vec::new());
    let mut parts = asked.split_whitespace();
    while let Some(part) = parts.next() {
        match part {
            "-s" => filter.service = parts.next().map(str::to_owned),
            "-k" => filter.kind = parts.next().map(str::parse).transpose()?,
            "-b" => filter.by = parts.next().map(str::to_owned),
            word => words.push(word),
        }
    }
    let words = Sought::words(&words.join(" "));
    let has = |change: &&Change| filter.takes(change) && words.is_in(&change.line());
    let all: Vec<_> = ours.into_iter().chain(others).filter(has).collect();
    Ok(changes_of(numbers, &all, cx))
}

fn changes_of(numbers: &mut Numbers, all: &[&Change], cx: &Cx<'_>) -> Vec<String> {
    let line = |change: &&Change| {
        let rollback = change.way_back().map(|step| format!("; rollback: {step}")).unwrap_or_default();
        let number = numbers.changes.of(change);
        format!("change {number} {}{rollback}", overlay::change_line(change, cx))
    };
    let mut lines: Vec<_> = all.iter().take(MOST_CHANGES).map(line).collect();
    if !lines.is_empty() {
        lines.extend(overlay::changes_notes(all.len().saturating_sub(MOST_CHANGES), cx));
    }
    lines
}

/// What is due, in one line each, without numbers.
pub(super) fn due(cx: &Cx<'_>) -> Vec<String> {
    let waits = wants_a_hand(cx).into_iter().map(|line| format!("due: {line}"));
    all_due(cx).into_iter().map(|(_, line)| line).chain(waits).collect()
}

/// What is due, with the words by which it is put off.
pub(super) fn numbered_due(numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
    let due = all_due(cx).into_iter().map(|(duty, line)| format!("{} {line}", numbers.word_of(&duty)));
    let waits = wants_a_hand(cx).into_iter().map(|line| format!("due: {line}"));
    due.chain(waits).collect()
}

fn all_due(cx: &Cx<'_>) -> Vec<(crate::incident::Duty, String)> {
    let line = |(name, one): (String, &crate::incident::Obligation)| {
        let left = one.left(cx.now);
        let left = if left < TimeDelta::zero() {
            format!("OVERDUE by {}", duration(-left))
        } else {
            let soon = if one.urgency(cx.now) == Urgency::Soon { "soon, " } else { "" };
            format!("{soon}{} left", duration(left))
        };
        let snoozed = one.snoozed.as_ref().map(|one| format!(", put off by {}: {}", one.mark.by, one.reason));
        let line =
            format!("due: {name}, by {}, {left}, {}{}", until(one.due, cx), owner(one), snoozed.unwrap_or_default());
        (one.duty.clone(), line)
    };
    grouped(&cx.obligations()).into_iter().map(line).collect()
}
