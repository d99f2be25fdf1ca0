//! What is due, until when, and whose it is.
//!
//! Hides the runbook's rules for each clock. An obligation is derived from the record, never stored: a clock is reset only by the recorded act, and
//! put off only by a recorded reason.
//!
//! Invariant: same incident, same rules, same list; nothing here knows what time it is.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::*;

/// So long does something stay in staging of which an older build did not write down how long, in seconds.
const STAYS_S: u64 = 1_800;

/// The runbook's times; config can change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    /// The IC acknowledges within this.
    pub acknowledge: TimeDelta,
    /// Each internal channel hears something at least this often.
    pub update: TimeDelta,
    /// Customers hear something after this much impact.
    pub external: TimeDelta,
    /// What the shipped customer template promises.
    pub external_again: TimeDelta,
    /// The target for resolving a SEV1 or SEV2.
    pub resolve: TimeDelta,
    /// People of the escalation matrix are told within this; they are due at once.
    pub tell: TimeDelta,
    /// After so long without the IC's answer, the Communications Lead may record internal text alone.
    pub approval_wait: TimeDelta,
    /// The longest that an obligation is put off at a time.
    pub snooze_cap: TimeDelta,
    /// Metrics and traces are normal for this long before the incident is resolved.
    pub proof: TimeDelta,
    /// The postmortem is held within this after the end.
    pub postmortem: TimeDelta,
    /// "Any strong objections?" is asked for this long.
    pub objections: TimeDelta,
    /// Who handed a role over stays as adviser for this long.
    pub adviser: TimeDelta,
}

impl Default for Cadence {
    fn default() -> Self {
        Self {
            acknowledge: TimeDelta::minutes(5),
            update: TimeDelta::minutes(15),
            external: TimeDelta::minutes(15),
            external_again: TimeDelta::minutes(30),
            resolve: TimeDelta::minutes(30),
            tell: TimeDelta::minutes(5),
            approval_wait: TimeDelta::minutes(3),
            snooze_cap: TimeDelta::minutes(15),
            proof: TimeDelta::minutes(10),
            postmortem: TimeDelta::hours(48),
            objections: TimeDelta::seconds(60),
            adviser: TimeDelta::minutes(15),
        }
    }
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// Acknowledge the alert.
    Acknowledge,
    /// Take command: it was acknowledged, and nobody is Incident Commander now.
    TakeCommand,
    /// Accept or decline an offered role.
    Accept(EntryId),
    /// Decide on a proposal after its objections.
    Decide(EntryId),
    /// Approve a drafted text, or drop it.
    Approve(EntryId),
    /// Call back about a task.
    CallBack(EntryId),
    /// Tell somebody of the escalation matrix, by their position.
    Tell(CleanStr),
    /// Tell a channel how it goes.
    Update(Channel),
    /// Give the postmortem a date and an owner.
    Postmortem,
    /// Write or update the knowledge-base article.
    Article,
    /// Review a document.
    Review(ReviewOf),
    /// Finish a follow-up, or at least give it an owner and a day.
    FollowUp(EntryId),
    /// Take back what a drill put into staging.
    TakeBack(StepRef),
}

impl Duty {
    /// Whose it is, where a role owes it and not a named person.
    pub fn role(&self) -> Role {
        match self {
            Self::Update(_) => Role::CommunicationsLead,
            Self::Acknowledge
            | Self::TakeCommand
            | Self::Accept(_)
            | Self::Decide(_)
            | Self::Approve(_)
            | Self::CallBack(_)
            | Self::Tell(_)
            | Self::Postmortem
            | Self::Article
            | Self::Review(_)
            | Self::FollowUp(_)
            | Self::TakeBack(_) => Role::IncidentCommander,
        }
    }

    /// The channel that hears something by it.
    pub fn channel(&self) -> Option<Channel> {
        if let Self::Update(channel) = self { Some(*channel) } else { None }
    }

    /// Whether it can be put off: the acknowledge clock, an empty command and what stands in staging never can.
    pub fn is_snoozable(&self) -> bool {
        !matches!(self, Self::Acknowledge | Self::TakeCommand | Self::TakeBack(_))
    }
}

/// How near it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// There is time.
    Calm,
    /// The last third of its time has begun.
    Soon,
    /// It is late.
    Overdue,
}

/// Something with a deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// What.
    pub duty: Duty,
    /// What to call it.
    pub name: CleanStr,
    /// Who owes it.
    pub owner: Option<Actor>,
    /// Since when the clock runs.
    pub start: DateTime<Utc>,
    /// When it turns amber.
    pub amber: DateTime<Utc>,
    /// Until when.
    pub due: DateTime<Utc>,
    /// Put off until `due`, by whom and why.
    pub snoozed: Option<Snooze>,
    /// What stands in the way of a text that was approved already: `on its way since 14:10`, `FAILED since 14:10`.
    pub way: Option<CleanStr>,
}

impl Obligation {
    /// Time left; negative when overdue.
    pub fn left(&self, now: DateTime<Utc>) -> TimeDelta {
        self.due - now
    }

    /// How near it is.
    pub fn urgency(&self, now: DateTime<Utc>) -> Urgency {
        if now >= self.due {
            Urgency::Overdue
        } else if now >= self.amber {
            Urgency::Soon
        } else {
            Urgency::Calm
        }
    }
}

impl Facts {
    /// Whether an obligation that is gone was met, and not merely dropped.
    pub fn has_met(&self, gone: &Obligation) -> bool {
        match &gone.duty {
            Duty::Acknowledge => self.acknowledged.is_some(),
            Duty::TakeCommand => self.holder(Role::IncidentCommander).is_some(),
            Duty::Accept(_) => {
                gone.owner.as_ref().is_some_and(|owner| self.roles.values().any(|mark| mark.by == *owner))
            }
            Duty::Decide(id) => self.decisions.iter().any(|decision| decision.id == *id && decision.made.is_some()),
            Duty::Approve(id) => self.updates.iter().any(|told| told.update.draft == Some(*id)),
            Duty::CallBack(id) => self.tasks.iter().any(|task| task.id == *id && task.answer.is_some()),
            Duty::Tell(position) => self.told.contains_key(position),
            Duty::Update(channel) => self.last_heard(*channel).is_some_and(|heard| heard.at > gone.start),
            Duty::Postmortem => self.postmortem.is_some(),
            Duty::Article => self.article.is_some(),
            Duty::Review(of) => self.reviews.contains_key(of),
            Duty::FollowUp(id) => {
                self.follow_ups.iter().any(|item| item.id == *id && item.state == FollowUpState::Done)
            }
            Duty::TakeBack(step) => !self.stands(step),
        }
    }
}

/// What decides beside the record: the times, and whom the escalation matrix names for it.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The runbook's times.
    pub cadence: &'a Cadence,
    /// The positions that must be told: those of the severity that is owed ([`Facts::owed_severity`]).
    pub tell: &'a [CleanStr],
}

/// All that is due, the nearest first.
pub fn obligations(facts: &Facts, rules: Rules<'_>) -> Vec<Obligation> {
    let mut list = List { facts, all: Vec::new() };
    if facts.declared.is_none() {
        return list.all;
    }
    match facts.phase() {
        Phase::Closed => when_closed(&mut list, rules),
        Phase::Resolved | Phase::PostIncident => afterwards(&mut list, rules),
        Phase::Detected | Phase::Acknowledged | Phase::Triage | Phase::Mitigating => while_it_runs(&mut list, rules),
    }
    in_staging(&mut list);
    // Without a commander nothing else on the list has an owner: that comes first.
    list.all.sort_by_key(|one| (one.duty != Duty::TakeCommand, one.due, one.duty.clone()));
    list.all
}

struct List<'a> {
    facts: &'a Facts,
    all: Vec<Obligation>,
}

impl List<'_> {
    /// A text that a channel is to hear. One that is on its way says so while the clock runs on; one that did not get there is due at once.
    fn owe_update(&mut self, channel: Channel, name: &str, start: DateTime<Utc>, due: DateTime<Utc>) {
        let clock = |at: DateTime<Utc>| at.with_timezone(&self.facts.zone()).format("%H:%M");
        let (way, start, due) = match self.facts.unheard(channel) {
            None | Some(Fate::Told(_)) => (None, start, due),
            Some(Fate::OnItsWay(delivery)) => {
                (Some(format!("on its way since {}", clock(delivery.approved_at))), start, due)
            }
            Some(Fate::Stuck(delivery)) => {
                let key = if delivery.state.is_over() { "" } else { " (:outbox)" };
                let way = format!("{} since {}{key}", delivery.state.word(), clock(delivery.since));
                (Some(way), delivery.since, delivery.since)
            }
        };
        let name = way.as_ref().map_or_else(|| name.to_owned(), |way| format!("{name}, {way}"));
        self.owe(Duty::Update(channel), name, start, due);
        if let Some(last) = self.all.last_mut() {
            last.way = way.as_deref().map(CleanStr::new);
        }
    }

    /// Texts that did not get to channels whose clocks do not run.
    fn owe_stuck(&mut self) {
        for channel in Channel::ALL {
            let Some(Fate::Stuck(delivery)) = self.facts.unheard(channel) else { continue };
            let is_owed = self.all.iter().any(|one| one.duty == Duty::Update(channel));
            // What somebody gave up is owed by a clock alone.
            if !is_owed && !delivery.state.is_over() {
                self.owe_update(channel, &format!("update {}", channel.name()), delivery.since, delivery.since);
            }
        }
    }

    fn owe(&mut self, duty: Duty, name: impl AsRef<str>, start: DateTime<Utc>, due: DateTime<Utc>) {
        let owner = self.facts.doer(duty.role()).cloned();
        self.owed_by(owner, duty, name, start, due);
    }

    fn owed_by(
        &mut self,
        owner: Option<Actor>,
        duty: Duty,
        name: impl AsRef<str>,
        start: DateTime<Utc>,
        due: DateTime<Utc>,
    ) {
        let snoozed = self.facts.snoozes.get(&duty).filter(|snooze| snooze.mark.at >= start).cloned();
        let due = snoozed.as_ref().map_or(due, |snooze| snooze.until.max(due));
        let amber = due - (due - start).max(TimeDelta::zero()) / 3;
        let name = CleanStr::new(name.as_ref());
        self.all.push(Obligation { duty, name, owner, start, amber, due, snoozed, way: None });
    }
}

fn while_it_runs(list: &mut List<'_>, rules: Rules<'_>) {
    let (facts, cadence) = (list.facts, rules.cadence);
    match &facts.acknowledged {
        None => {
            if let Some(start) = facts.detected_at.or(facts.declared.as_ref().map(|mark| mark.at)) {
                list.owe(Duty::Acknowledge, "acknowledge", start, start + cadence.acknowledge);
            }
        }
        Some(acknowledged) => {
            if facts.holder(Role::IncidentCommander).is_none() {
                let start = facts.uncommanded_since.unwrap_or(acknowledged.at);
                list.owe(Duty::TakeCommand, "take command: nobody is Incident Commander", start, start);
            }
            for channel in [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage] {
                // What was told, and promised, before it was reopened belongs to the time before.
                let last = facts.last_heard(channel).filter(|heard| facts.reopened_at.is_none_or(|at| heard.at >= at));
                let start = last.map_or(facts.reopened_at.unwrap_or(acknowledged.at), |heard| heard.at);
                let regular = facts.next_due(start, cadence.update);
                let promised = last.and_then(|heard| heard.promised_next);
                let due = promised.map_or(regular, |promised| promised.min(regular));
                list.owe_update(channel, &format!("update {}", channel.name()), start, due);
            }
        }
    }
    if let Some((start, due)) = external(facts, cadence) {
        let channel = Channel::ExternalPage;
        list.owe_update(channel, &format!("update {}", channel.name()), start, due);
    }
    list.owe_stuck();
    tells(list, rules);
    people(list, cadence);
}

/// What a drill put into staging, whatever became of the drill: whoever put it there owes its end; at once, where a way back was tried or the drill is over.
fn in_staging(list: &mut List<'_>) {
    let facts = list.facts;
    for run in facts.standing_runs() {
        let Some(step) = run.order.step.clone() else { continue };
        let start = run.started.at;
        let stays = i64::try_from(run.order.stays_s.unwrap_or(STAYS_S)).unwrap_or(i64::MAX / 2_000);
        let tried = facts.runs.iter().rev().filter(|other| other.order.step.as_ref() == Some(&step));
        let mut tried = tried.filter(|other| other.order.purpose == Purpose::Undo && other.started.at >= start);
        let is_due =
            tried.next().map(|other| other.started.at).or(facts.closing.as_ref().map(|closing| closing.mark.at));
        let due = is_due.unwrap_or(start + TimeDelta::seconds(stays)).min(start + TimeDelta::seconds(stays));
        let name = format!("take back from staging: {}", run.order.title);
        list.owed_by(Some(run.started.by.clone()), Duty::TakeBack(step), name, start, due);
    }
}

/// Whoever the severity names and nobody has told, whatever became of the incident since.
fn tells(list: &mut List<'_>, rules: Rules<'_>) {
    let (facts, cadence) = (list.facts, rules.cadence);
    let Some((severity, since)) = facts.owed_severity(cadence.tell) else { return };
    for position in rules.tell.iter().filter(|position| !facts.was_told(position, severity)) {
        list.owe(Duty::Tell(position.clone()), format!("tell the {position}"), since, since + cadence.tell);
        // Due at once: amber from the first second.
        if let Some(last) = list.all.last_mut() {
            last.amber = since;
        }
    }
}

/// What people asked of each other: it stays asked when the incident is over.
fn people(list: &mut List<'_>, cadence: &Cadence) {
    let facts = list.facts;
    for task in facts.tasks.iter().filter(|task| task.is_open()) {
        list.owed_by(
            Some(task.to.clone()),
            Duty::CallBack(task.id),
            format!("@{} {}", task.to, task.what),
            task.assigned.at,
            task.call_back,
        );
    }
    for decision in facts.decisions.iter().filter(|decision| decision.made.is_none()) {
        let name = format!("decide: {}", decision.proposal.action);
        list.owe(Duty::Decide(decision.id), name, decision.proposed.at, decision.proposal.until);
    }
    for draft in &facts.drafts {
        let due = draft.mark.at + cadence.approval_wait;
        list.owe(Duty::Approve(draft.id), format!("approve {}'s text", draft.mark.by), draft.mark.at, due);
    }
    for offer in &facts.offers {
        let name = format!("accept {} from {}", offer.seat.role.short(), offer.mark.by);
        let (start, to) = (offer.mark.at, Some(offer.to.clone()));
        list.owed_by(to, Duty::Accept(offer.id), name, start, start + TimeDelta::minutes(5));
    }
}

/// The external page is due after so much customer impact; once told, when the last text promised, though it be over by then.
fn external(facts: &Facts, cadence: &Cadence) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if facts.nobody_affected.is_some() {
        return None;
    }
    let times = facts.impact.stretches();
    // An earlier time of which customers never heard stays owed while another one began.
    if let Some(owed) = untold(facts, cadence, &times, None) {
        return Some(owed);
    }
    let (start, end) = *times.last()?;
    let heard = facts.last_heard(Channel::ExternalPage).filter(|heard| heard.at >= start)?;
    if end.is_some() {
        return Some((heard.at, heard.promised_next?));
    }
    match facts.reopened_at.filter(|at| heard.at < *at) {
        Some(reopened) => Some((reopened, reopened + cadence.external)),
        None => Some((heard.at, heard.promised_next.unwrap_or(facts.next_due(heard.at, cadence.external_again)))),
    }
}

/// The first time in which customers hurt for longer than the page may be silent, and since whose beginning it said nothing; one without an end
/// lasted until `ended`, where that is known.
fn untold(
    facts: &Facts,
    cadence: &Cadence,
    times: &[Stretch],
    ended: Option<DateTime<Utc>>,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let last = facts.last_heard(Channel::ExternalPage).map(|heard| heard.at);
    times.iter().find_map(|(start, end)| {
        let (until, due) = (end.or(ended), *start + cadence.external);
        let is_told = last.is_some_and(|last| last >= *start);
        (!is_told && until.is_none_or(|until| until > due)).then_some((*start, due))
    })
}

/// Customers who hurt for longer than the page may be silent, and never read a word of it.
pub(super) fn never_told(facts: &Facts, cadence: &Cadence) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    if facts.nobody_affected.is_some() {
        return None;
    }
    untold(facts, cadence, &facts.impact.stretches(), facts.resolved_at)
}

/// Whoever was promised another text, and has heard nothing since it was resolved, is told that it is over.
pub(super) fn last_promise(facts: &Facts, resolved: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let heard = facts.last_heard(Channel::ExternalPage).filter(|heard| heard.at < resolved)?;
    Some((heard.at, heard.promised_next?))
}

/// What closing does not settle: whoever had to know still has to, unless it was no incident or goes on elsewhere.
fn when_closed(list: &mut List<'_>, rules: Rules<'_>) {
    match list.facts.outcome {
        Some(Outcome::FalseAlarm | Outcome::Merged(_)) => {}
        Some(Outcome::Done | Outcome::Backlog) | None if list.facts.drill.is_some() => {}
        Some(Outcome::Done | Outcome::Backlog) | None => tells(list, rules),
    }
}

/// What is left once it is resolved; a drill and a false alarm leave no paperwork.
fn afterwards(list: &mut List<'_>, rules: Rules<'_>) {
    let (facts, cadence) = (list.facts, rules.cadence);
    let Some(resolved) = facts.resolved_at else { return };
    let channel = Channel::ExternalPage;
    if let Some((start, due)) = last_promise(facts, resolved) {
        list.owe_update(channel, &format!("tell {} that it is over", channel.name()), start, due);
    } else if let Some((start, due)) = never_told(facts, cadence).filter(|_| facts.drill.is_none()) {
        list.owe_update(channel, &format!("tell {} what happened", channel.name()), start, due);
    }
    list.owe_stuck();
    if facts.drill.is_some() {
        return;
    }
    tells(list, rules);
    people(list, cadence);
    let due = resolved + cadence.postmortem;
    for duty in facts.left_to_do() {
        match &duty {
            Duty::Postmortem => list.owe(duty, "postmortem: date and owner", resolved, due),
            Duty::Article => list.owe(duty, "knowledge-base article", resolved, due),
            Duty::Review(of) => {
                let name = match of {
                    ReviewOf::Playbook(service) => format!("review the playbook of {service}"),
                    ReviewOf::Matrix => "review the escalation matrix".to_owned(),
                    ReviewOf::Templates => "review the templates".to_owned(),
                };
                list.owe(duty, name, resolved, due);
            }
            Duty::FollowUp(id) => {
                let Some(item) = facts.follow_ups.iter().find(|item| item.id == *id) else { continue };
                let due = item.due.map_or(due, |day| end_of_day(day, facts.zone()));
                let owner = item.owner.clone().or_else(|| facts.holder(Role::IncidentCommander).cloned());
                list.owed_by(owner, duty, format!("follow-up: {}", item.what), item.mark.at, due);
            }
            Duty::Acknowledge
            | Duty::TakeCommand
            | Duty::Accept(_)
            | Duty::Decide(_)
            | Duty::Approve(_)
            | Duty::CallBack(_)
            | Duty::Tell(_)
            | Duty::Update(_)
            | Duty::TakeBack(_) => {}
        }
    }
}

fn end_of_day(day: chrono::NaiveDate, zone: chrono_tz::Tz) -> DateTime<Utc> {
    let midnight = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
    // Where the clocks go forth at midnight, the next day begins later; the longest gap is a whole day.
    (0..=100)
        .filter_map(|quarters| midnight.checked_add_signed(TimeDelta::minutes(15) * quarters))
        .find_map(|local| local.and_local_timezone(zone).earliest())
        .map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

/// The nearest update of the internal channels: the countdown that is always on the screen.
pub fn next_update(obligations: &[Obligation]) -> Option<&Obligation> {
    obligations
        .iter()
        .find(|obligation| matches!(obligation.duty, Duty::Update(channel) if channel != Channel::ExternalPage))
}
