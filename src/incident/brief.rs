//! What one says to somebody who asks "where do we stand?": recap, late joiner, handover.
//!
//! Hides what is worth saying and how much of it fits: a brief is read aloud.
//!
//! Invariant: at most 25 lines; a struck or redacted line is never quoted; the same incident at the same moment reads the same.

use chrono::{DateTime, TimeDelta, Utc};

use super::measures::spoken;
use super::timeline::Hand;
use super::*;
use crate::text::fit;

/// The most lines that one listens to.
pub const MOST_LINES: usize = 25;
/// The longest line, in columns.
const MOST_COLUMNS: usize = 160;
/// A late joiner who does not say when they left hears of this much.
const A_WHILE: TimeDelta = TimeDelta::minutes(30);

/// For whom the brief is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BriefKind {
    /// For everybody: where do we stand?
    Recap,
    /// For somebody who comes, or comes back: what happened since they left?
    LateJoiner,
    /// For the next holder of a role: what is owed, what runs, what comes next?
    Handover,
}

/// The brief, as text to read aloud. `since` is when a late joiner left.
pub fn brief(
    incident: &Incident,
    kind: BriefKind,
    now: DateTime<Utc>,
    since: Option<DateTime<Utc>>,
    rules: Rules<'_>,
) -> CleanText {
    let mut brief = Brief { incident, now, lines: Vec::new() };
    if incident.is_blank() {
        return CleanText::new(&format!("{}: nothing is declared yet.", incident.id()));
    }
    brief.what();
    brief.since_when();
    brief.scope();
    brief.people(rules.cadence.adviser);
    match kind {
        BriefKind::Recap => {
            brief.decisions(3);
            brief.tasks(3);
            brief.theories(3);
            brief.owed(rules, 4);
        }
        BriefKind::LateJoiner => {
            brief.since_you_left(since.unwrap_or(now - A_WHILE), 8);
            brief.tasks(2);
            brief.theories(2);
            brief.owed(rules, 2);
        }
        BriefKind::Handover => {
            brief.decisions(2);
            brief.tasks(4);
            brief.theories(2);
            brief.owed(rules, 5);
        }
    }
    brief.plan_b();
    brief.not_sent();
    brief.lines.truncate(MOST_LINES);
    CleanText::new(&brief.lines.join("\n"))
}

struct Brief<'a> {
    incident: &'a Incident,
    now: DateTime<Utc>,
    lines: Vec<String>,
}

impl Brief<'_> {
    fn say(&mut self, line: impl AsRef<str>) {
        self.lines.push(fit(line.as_ref(), MOST_COLUMNS).into_owned());
    }

    /// A heading with at most so many lines below it, or one line where there is nothing.
    fn list(&mut self, heading: &str, none: &str, items: Vec<String>, most: usize) {
        if items.is_empty() {
            self.say(format!("{heading}: {none}."));
            return;
        }
        let more = items.len().saturating_sub(most);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        self.say(format!("{heading}{more}:"));
        for item in items.iter().take(most) {
            self.say(format!("- {item}"));
        }
    }

    /// A time of day in the incident's zone; with the day where it is not today.
    fn time(&self, at: DateTime<Utc>) -> String {
        let zone = self.incident.zone();
        let at = at.with_timezone(&zone);
        let form = if at.date_naive() == self.now.with_timezone(&zone).date_naive() { "%H:%M" } else { "%b %-d %H:%M" };
        at.format(form).to_string()
    }

    fn ago(&self, at: DateTime<Utc>) -> String {
        let since = self.now - at;
        if since < TimeDelta::zero() { "to come".to_owned() } else { format!("{} ago", spoken(since)) }
    }

    fn what(&mut self) {
        let incident = self.incident;
        let severity = incident.severity.map_or("severity not recorded", Severity::name);
        let worst = incident.worst.filter(|worst| Some(*worst) != incident.severity);
        let worst = worst.map(|worst| format!(" (was {worst})")).unwrap_or_default();
        let drill = if incident.drill.is_some() { "DRILL, " } else { "" };
        self.say(format!("{drill}{}, {severity}{worst}: {}", incident.id(), incident.title));
        let phase = match &incident.phase {
            Some((phase, since)) => format!("{phase} since {} ({})", self.time(*since), self.ago(*since)),
            None => Phase::Detected.to_string(),
        };
        let zone = self.now.with_timezone(&incident.zone()).format("%H:%M %Z");
        self.say(format!("It is {zone}. Phase: {phase}."));
    }

    fn since_when(&mut self) {
        let incident = self.incident;
        let moment = |at: Option<DateTime<Utc>>| at.map_or_else(|| "not recorded".to_owned(), |at| self.time(at));
        let mut line = format!("Detected: {}", moment(incident.detected_at));
        match &incident.acknowledged {
            Some(mark) => line += &format!("; acknowledged: {} by {}", self.time(mark.at), mark.by),
            None => line += "; NOT acknowledged",
        }
        let hurt: Vec<_> = incident
            .impact
            .stretches()
            .into_iter()
            .map(|(start, end)| match end {
                Some(end) => format!("from {} to {}", self.time(start), self.time(end)),
                None => format!("since {}", self.time(start)),
            })
            .collect();
        line += &match hurt.is_empty() {
            false => format!("; customers hurt {}", hurt.join(" and ")),
            true if incident.nobody_affected.is_some() => "; no customer is affected".to_owned(),
            true => "; customer impact: not recorded".to_owned(),
        };
        if let Some(resolved) = incident.resolved_at {
            line += &format!("; resolved: {}", self.time(resolved));
        }
        self.say(line + ".");
    }

    fn scope(&mut self) {
        let line = scope_in_words(self.incident);
        self.say(format!("Scope: {line}."));
    }

    fn people(&mut self, adviser: TimeDelta) {
        let incident = self.incident;
        let mut parts = Vec::new();
        for role in Role::ALL {
            let seats = incident.roles.iter().filter(|(seat, _)| seat.role == role);
            let names: Vec<_> = seats
                .map(|(seat, mark)| match &seat.component {
                    Some(component) => format!("{} ({component})", mark.by),
                    None => format!("{}{}", mark.by, incident.part(seat)),
                })
                .collect();
            let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
            parts.push(format!("{} {names}", role.short()));
        }
        for (seat, mark) in incident.advisers(self.now, adviser) {
            parts.push(format!("{} advises as former {}", mark.by, seat.role.short()));
        }
        self.say(format!("People: {}.", parts.join("; ")));
    }

    fn decisions(&mut self, most: usize) {
        let incident = self.incident;
        let mut made: Vec<(DateTime<Utc>, String)> = incident
            .decisions
            .iter()
            .filter_map(|decision| {
                let (mark, body) = decision.made.as_ref()?;
                let word = if body.go { "" } else { "NOT: " };
                Some((mark.at, format!("{word}{} ({})", decision.proposal.action, mark.by)))
            })
            .collect();
        made.extend(noted(incident, NoteKind::Decision).map(|line| {
            let text = format!("{} ({})", line.text.first_line(), line.actor);
            (line.at, text)
        }));
        made.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let made = made.into_iter().map(|(at, text)| format!("{} {text}", self.time(at))).collect();
        self.list("Decided, the newest first", "nothing yet", made, most);
        let open: Vec<_> = incident.decisions.iter().filter(|decision| decision.made.is_none()).collect();
        if let Some(first) = open.first() {
            let more = if open.len() > 1 { format!(" (and {} more)", open.len() - 1) } else { String::new() };
            self.say(format!("Waits for a decision: {}{more}.", first.proposal.action));
        }
    }

    fn tasks(&mut self, most: usize) {
        let mut open: Vec<_> = self.incident.open_tasks().collect();
        open.sort_by_key(|task| task.call_back);
        let items = open
            .iter()
            .map(|task| {
                let late = if task.call_back < self.now { ", OVERDUE" } else { "" };
                let heard = if task.read_back.is_none() { ", not read back" } else { "" };
                format!("@{} {}, calls back at {}{late}{heard}", task.to, task.what, self.time(task.call_back))
            })
            .collect();
        self.list("Running", "no task", items, most);
    }

    fn theories(&mut self, most: usize) {
        let incident = self.incident;
        for known in &incident.hypotheses {
            if let Some((_, true, evidence)) = &known.settled {
                self.say(format!("Cause: {} ({evidence})", known.theory.text));
                break;
            }
        }
        let open = incident.hypotheses.iter().filter(|known| known.settled.is_none());
        let items = open
            .map(|known| match &known.theory.owner {
                Some(owner) => format!("{} ({owner} looks)", known.theory.text),
                None => format!("{} (nobody looks)", known.theory.text),
            })
            .collect();
        let out = incident.hypotheses.iter().filter(|known| matches!(known.settled, Some((_, false, _)))).count();
        let heading = if out > 0 { format!("Theories ({out} eliminated)") } else { "Theories".to_owned() };
        self.list(&heading, "none open", items, most);
    }

    fn owed(&mut self, rules: Rules<'_>, most: usize) {
        let items = cadence::obligations(self.incident, rules)
            .iter()
            .map(|one| {
                let owner = one.owner.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
                let left = one.left(self.now);
                let when = if left < TimeDelta::zero() {
                    format!("OVERDUE by {}", spoken(-left))
                } else {
                    format!("in {}", spoken(left))
                };
                format!("{}: {owner}, {when}", one.name)
            })
            .collect();
        self.list("Next", "nothing is due", items, most);
    }

    /// What people believe to be told and is not.
    fn not_sent(&mut self) {
        let open: Vec<_> =
            self.incident.undelivered().map(|one| format!("{}: {}", one.place(), one.state.word())).collect();
        if !open.is_empty() {
            let most = open.len();
            self.list("NOT SENT", "", open, most);
        }
    }

    fn plan_b(&mut self) {
        let incident = self.incident;
        let plans = incident.decisions.iter().rev().filter(|one| one.made.as_ref().is_none_or(|(_, made)| made.go));
        let plan = plans.filter_map(|decision| decision.proposal.plan_b.as_ref()).find(|plan| !plan.is_blank());
        match (plan, &incident.resolution) {
            (_, Some(resolution)) => {
                let status = resolution.final_status.as_ref().map_or("not recorded", |status| status.first_line());
                self.say(format!("How it ended: {status}"));
            }
            (Some(plan), None) => self.say(format!("Plan B: {plan}")),
            (None, None) if incident.phase().is_live() => self.say("Plan B: none is recorded."),
            (None, None) => {}
        }
    }

    fn since_you_left(&mut self, since: DateTime<Utc>, most: usize) {
        let incident = self.incident;
        let all: Vec<_> = incident
            .timeline()
            .lines()
            .filter(|line| line.at.max(line.entered) >= since && is_in_clear(line))
            .collect();
        let others = all.len();
        let mut told: Vec<_> = all.iter().filter(|line| weight(incident, line) <= Weight::Key).collect();
        // Where little happened, every human line is news.
        if told.len() < most {
            told = all.iter().filter(|line| line.hand == Hand::Human).collect();
        }
        let cut = told.len().saturating_sub(most);
        let items: Vec<_> = told
            .iter()
            .skip(cut)
            .map(|line| format!("{} {} {} ({})", self.time(line.at), line.tag, line.text.first_line(), line.actor))
            .collect();
        let shown = items.len();
        let left = others.saturating_sub(shown);
        let more = if left > 0 { format!(", {left} more lines on the timeline") } else { String::new() };
        let heading = format!("Since {} ({}{more})", self.time(since), self.ago(since));
        self.list(&heading, "nothing new", items, most);
    }
}

/// Scope in one line.
pub(super) fn scope_in_words(incident: &Incident) -> String {
    let list = |names: &[CleanStr]| names.iter().map(CleanStr::as_str).collect::<Vec<_>>().join(", ");
    let scope = &incident.scope;
    let mut parts = Vec::new();
    parts.push(if incident.services.is_empty() {
        "services not recorded".to_owned()
    } else {
        list(&incident.services)
    });
    if !scope.geography.is_empty() {
        parts.push(format!("in {}", list(&scope.geography)));
    }
    if !scope.partners.is_empty() {
        parts.push(format!("partner banks: {}", list(&scope.partners)));
    }
    if scope.complete_outage == Some(true) {
        parts.push("complete outage".to_owned());
    }
    if let Some(share) = scope.users_percent {
        parts.push(format!("{share} % of users"));
    }
    if let Some((count, by)) = scope.trend() {
        let trend = by.map(|by| format!(" ({by:+} since the count before)")).unwrap_or_default();
        parts.push(format!("{count} customers{trend}"));
    }
    match scope.regulatory {
        Some(true) => parts.push("regulatory impact".to_owned()),
        Some(false) => parts.push("no regulatory impact".to_owned()),
        None => {}
    }
    parts.join("; ")
}

/// Whether a line may be quoted.
pub(super) fn is_in_clear(line: &Line) -> bool {
    line.struck.is_none() && line.redacted.is_none()
}

/// Lines of a kind that may be quoted.
pub(super) fn noted(incident: &Incident, kind: NoteKind) -> impl Iterator<Item = Line> {
    let view = incident.timeline();
    (0..view.len()).filter_map(move |place| {
        let is_kind = view
            .id(place)
            .and_then(|id| incident.entry(id))
            .is_some_and(|entry| matches!(&entry.event, Event::NoteAdded(body) if body.kind == kind));
        // The words are made only for the few.
        if is_kind { view.line(place).filter(is_in_clear) } else { None }
    })
}

/// How much a line matters to somebody who was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// It changed where the incident stood.
    Turn,
    /// It says what was decided, found out or told.
    Key,
    /// It says what was seen and done on the way.
    Detail,
    /// A machine wrote it down.
    Machine,
}

/// How much a line matters.
pub(super) fn weight(incident: &Incident, line: &Line) -> Weight {
    let Some(entry) = incident.entry(line.id) else { return Weight::Machine };
    match &entry.event {
        _ if line.hand == Hand::Machine && !matches!(entry.event, Event::PhaseEntered(_)) => Weight::Machine,
        Event::Declared(_)
        | Event::TitleSet(_)
        | Event::PrivacySet(_)
        | Event::SeverityRaised(_)
        | Event::SeverityLowered(_)
        | Event::Acknowledged(_)
        | Event::PhaseEntered(_)
        | Event::ImpactStarted(_)
        | Event::ImpactEnded(_)
        | Event::NoCustomerAffected(_)
        | Event::CadenceSet(_)
        | Event::HandoverAccepted(_)
        | Event::DecisionMade(_)
        | Event::HypothesisSettled(_)
        | Event::DuplicateMerged(_)
        | Event::MergeUndone(_) => Weight::Turn,
        Event::StatusUpdatePosted(_)
        | Event::AlertLinked(_)
        | Event::SymptomBegan(_)
        | Event::SymptomEnded(_)
        | Event::TimeAmended(_) => Weight::Key,
        Event::RoleTaken(body) | Event::RoleLeft(body) if body.role == Role::IncidentCommander => Weight::Turn,
        Event::NoteAdded(body) => match body.kind {
            NoteKind::Decision | NoteKind::Finding => Weight::Key,
            NoteKind::Note | NoteKind::Action | NoteKind::Todo | NoteKind::Can => Weight::Detail,
        },
        Event::DrillStarted(_)
        | Event::DrillPaused(_)
        | Event::DrillResumed(_)
        | Event::Facilitated(_)
        | Event::ServiceAdded(_)
        | Event::ServiceRemoved(_)
        | Event::RoleTaken(_)
        | Event::RoleLeft(_)
        | Event::NoteAmended(_)
        | Event::NoteStruck(_)
        | Event::EvidencePinned(_)
        | Event::StepChecked(_)
        | Event::StepSkipped(_)
        | Event::StepReopened(_)
        | Event::ClockJumped(_)
        | Event::ClockSkewed(_)
        | Event::ScopeSet(_)
        | Event::PersonTold(_)
        | Event::PersonNotTold(_)
        | Event::ObligationSnoozed(_)
        | Event::UpdateDrafted(_)
        | Event::DraftDropped(_)
        | Event::HandoverOffered(_)
        | Event::HandoverEnded(_)
        | Event::TaskAssigned(_)
        | Event::TaskReadBack(_)
        | Event::TaskAnswered(_)
        | Event::DecisionProposed(_)
        | Event::ObjectionRaised(_)
        | Event::HypothesisOpened(_)
        | Event::StepClaimed(_)
        | Event::StepReleased(_)
        | Event::PostmortemScheduled(_)
        | Event::ArticleRecorded(_)
        | Event::Reviewed(_)
        | Event::FollowUpSet(_)
        | Event::EntryRedacted(_)
        | Event::LineMerged(_)
        | Event::CommandRemarked(_)
        | Event::CommandVouched(_)
        | Event::StepAnswered(_)
        | Event::PlaybookApproved(_)
        | Event::PlaybookFrozen(_)
        | Event::DeliveryQueued(_)
        | Event::DeliveryMoved(_)
        | Event::ForeignNoted(_)
        | Event::Unrecognised { .. } => Weight::Detail,
        Event::CommandStarted(body) if !body.changes => Weight::Detail,
        Event::CommandStarted(_) => Weight::Key,
        Event::CommandEnded(body) if body.has_succeeded() => Weight::Detail,
        Event::CommandEnded(_) => Weight::Key,
    }
}

#[cfg(test)]
mod tests;
