//! What the entries leave behind: tasks, decisions, theories, drafts, offers, follow-ups, as they stand now.

use std::fmt;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::*;

/// An obligation that somebody put off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snooze {
    /// Who, when.
    pub mark: Mark,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why.
    pub reason: CleanStr,
}

/// What is affected, as far as triage knows.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Scope {
    /// Countries or regions.
    pub geography: Vec<CleanStr>,
    /// Partner banks.
    pub partners: Vec<CleanStr>,
    /// Whether a regulator must know.
    pub regulatory: Option<bool>,
    /// Whether nothing works at all.
    pub complete_outage: Option<bool>,
    /// The share of users that is affected, in per cent.
    pub users_percent: Option<f64>,
    /// How many customers were affected, when that was said; the newest last.
    pub customers: Vec<(DateTime<Utc>, u64)>,
}

impl Scope {
    /// Whether the last count found customers who are affected.
    pub fn is_anybody_counted(&self) -> bool {
        self.customers.last().is_some_and(|(_, count)| *count > 0)
    }

    /// How many customers are affected, and how many more than the time before.
    pub fn trend(&self) -> Option<(u64, Option<i64>)> {
        let (_, last) = self.customers.last()?;
        let before = self.customers.len().checked_sub(2).and_then(|place| self.customers.get(place));
        let by = before.map(|(_, count)| i64::try_from(*last).unwrap_or(i64::MAX) - i64::try_from(*count).unwrap_or(0));
        Some((*last, by))
    }
}

/// Work that was handed to somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The entry that assigned it.
    pub id: EntryId,
    /// Who assigned it, when.
    pub assigned: Mark,
    /// Who does it.
    pub to: Actor,
    /// What is to be done.
    pub what: CleanStr,
    /// When they call back.
    pub call_back: DateTime<Utc>,
    /// When they repeated it.
    pub read_back: Option<Mark>,
    /// The last call-back.
    pub answer: Option<(Mark, Answer, CleanStr)>,
}

impl Task {
    /// Whether a call-back is still due.
    pub fn is_open(&self) -> bool {
        match &self.answer {
            None | Some((_, Answer::More { .. }, _)) => true,
            Some((_, Answer::Done | Answer::DontKnow | Answer::Blocked | Answer::Dropped, _)) => false,
        }
    }
}

/// A proposal and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The entry that proposed it.
    pub id: EntryId,
    /// Who proposed it, when.
    pub proposed: Mark,
    /// What was proposed.
    pub proposal: DecisionProposed,
    /// Who objected, and why.
    pub objections: Vec<(Mark, CleanStr)>,
    /// What the Incident Commander decided.
    pub made: Option<(Mark, DecisionMade)>,
}

/// A theory.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// The entry that opened it.
    pub id: EntryId,
    /// Who opened it, when.
    pub opened: Mark,
    /// What it says, and who looks into it.
    pub theory: HypothesisOpened,
    /// Whether it was the cause, and what showed it.
    pub settled: Option<(Mark, bool, CleanStr)>,
}

/// A step that was done from a moment on, until it was opened again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticked {
    /// Which.
    pub step: StepRef,
    /// Since when.
    pub from: DateTime<Utc>,
    /// Until when, where it did not stay so.
    pub until: Option<DateTime<Utc>>,
}

impl Ticked {
    /// A step that stays done.
    pub fn since(step: StepRef, from: DateTime<Utc>) -> Self {
        Self { step, from, until: None }
    }
}

/// A text that waits for approval.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The entry that drafted it.
    pub id: EntryId,
    /// Who wrote it, when.
    pub mark: Mark,
    /// The text, its channels and its promise.
    pub update: StatusUpdate,
}

/// A role that is offered to somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The entry that offered it.
    pub id: EntryId,
    /// Who offered it, when.
    pub mark: Mark,
    /// The role.
    pub seat: Seat,
    /// Who shall take it.
    pub to: Actor,
    /// The brief.
    pub brief: CleanText,
}

/// How a step of a playbook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd {
    /// It was done.
    Done,
    /// Its command failed, and nobody did it in another way.
    Failed(CleanStr),
    /// It was passed over.
    Skipped(CleanStr),
}

impl fmt::Display for StepEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => out.write_str("done"),
            Self::Failed(how) => write!(out, "FAILED: {how}"),
            Self::Skipped(why) => write!(out, "skipped: {why}"),
        }
    }
}

/// Something that must not be forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    /// The `todo` line or the entry that it began with.
    pub id: EntryId,
    /// Who noted it, when.
    pub mark: Mark,
    /// What is to be done.
    pub what: CleanStr,
    /// Who does it.
    pub owner: Option<Actor>,
    /// Until the end of which day.
    pub due: Option<NaiveDate>,
    /// Where it stands.
    pub state: FollowUpState,
    /// Why it was dropped.
    pub reason: Option<CleanStr>,
}

/// A moment that was corrected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Who corrected it, when.
    pub mark: Mark,
    /// What stood there before.
    pub from: Option<DateTime<Utc>>,
    /// What stands there now.
    pub to: DateTime<Utc>,
    /// How that is known.
    pub reason: CleanStr,
}

/// How the incident ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// Who resolved it, when.
    pub mark: Mark,
    /// What was normal again, and what was not.
    pub proof: Vec<ProofLine>,
    /// The final status.
    pub final_status: Option<CleanText>,
    /// Why it was resolved without full proof.
    pub reason: Option<CleanStr>,
}

impl Facts {
    /// The zone in which times are read.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.zone.parse().unwrap_or(chrono_tz::UTC)
    }

    /// The severity that people must know of, and since when: the worst one that stands or stood. One that was taken back before anybody was late is
    /// owed to nobody.
    pub fn owed_severity(&self, grace: TimeDelta) -> Option<(Severity, DateTime<Utc>)> {
        let ends = self.severities.iter().skip(1).map(|(_, at)| Some(*at)).chain([None]);
        let lasted =
            self.severities.iter().zip(ends).filter(|((_, from), end)| end.is_none_or(|end| end - *from >= grace));
        lasted.map(|(known, _)| *known).min()
    }

    /// Whether somebody of the escalation matrix was told of a severity, or of a worse one.
    pub fn was_told(&self, position: &CleanStr, severity: Severity) -> bool {
        self.told.get(position).is_some_and(|(told, _)| *told <= severity)
    }

    /// What must be done before the incident can be closed.
    pub fn left_to_do(&self) -> Vec<Duty> {
        let mut left = Vec::new();
        if self.postmortem.is_none() {
            left.push(Duty::Postmortem);
        }
        if self.article.is_none() {
            left.push(Duty::Article);
        }
        let mut reviews: Vec<_> = self.services.iter().cloned().map(ReviewOf::Playbook).collect();
        // "Quarterly or after major incidents": the documents of the whole process, not of one service.
        if self.worst.is_some_and(|worst| worst <= Severity::Sev1) {
            reviews.extend([ReviewOf::Matrix, ReviewOf::Templates]);
        }
        left.extend(reviews.into_iter().filter(|of| !self.reviews.contains_key(of)).map(Duty::Review));
        let open = self.follow_ups.iter().filter(|item| item.state == FollowUpState::Open);
        left.extend(open.map(|item| Duty::FollowUp(item.id)));
        left
    }

    /// What keeps the incident from being closed, for people. A follow-up may outlive it once somebody owns it until a day.
    pub fn open_ends(&self) -> Vec<String> {
        let mut ends = Vec::new();
        for duty in self.left_to_do() {
            match duty {
                Duty::Postmortem => ends.push("the postmortem has no date and owner".to_owned()),
                Duty::Article => ends.push("no knowledge-base article is recorded".to_owned()),
                Duty::Review(ReviewOf::Playbook(service)) => {
                    ends.push(format!("the playbook of {service} is not reviewed"))
                }
                Duty::Review(ReviewOf::Matrix) => ends.push("the escalation matrix is not reviewed".to_owned()),
                Duty::Review(ReviewOf::Templates) => ends.push("the templates are not reviewed".to_owned()),
                Duty::FollowUp(id) => {
                    let item = self.follow_ups.iter().find(|item| item.id == id);
                    if let Some(item) = item.filter(|item| item.owner.is_none() || item.due.is_none()) {
                        ends.push(format!("the follow-up `{}` has no owner or no day", item.what));
                    }
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
        ends
    }

    /// Who handed a role over a short while ago and stays to advise.
    pub fn advisers(&self, now: DateTime<Utc>, stay: TimeDelta) -> impl Iterator<Item = (&Seat, &Mark)> {
        self.handed_over.iter().filter(move |(_, mark)| now < mark.at + stay)
    }

    /// A moment by which the process is measured, as it is known now.
    pub fn milestone(&self, which: Milestone) -> Option<DateTime<Utc>> {
        match which {
            Milestone::Detected => self.detected_at,
            Milestone::Acknowledged => self.acknowledged.as_ref().map(|mark| mark.at),
            Milestone::ImpactStart => self.impact.last().map(|window| window.start),
            Milestone::ImpactEnd => self.impact.last().and_then(|window| window.end),
            Milestone::Mitigated => self.mitigated_at.or(self.impact.end()),
            Milestone::Resolved => self.resolved_at,
        }
    }

    /// Tasks whose call-back is still due.
    pub fn open_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.iter().filter(|task| task.is_open())
    }
}

/// A command that was started, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The entry that started it.
    pub id: EntryId,
    /// Who started it, when.
    pub started: Mark,
    /// The frozen order.
    pub order: CommandStarted,
    /// What happened on the way.
    pub remarks: Vec<(Mark, Remark)>,
    /// How it ended.
    pub ended: Option<(Mark, CommandEnded)>,
}

impl Run {
    /// Whether its end is not known yet.
    pub fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether something of it may have happened.
    pub fn has_acted(&self) -> bool {
        !matches!(self.ending(), Some(Ending::NotStarted(_)))
    }

    /// Its end, if it has one.
    pub fn end(&self) -> Option<&CommandEnded> {
        self.ended.as_ref().map(|(_, body)| body)
    }

    /// How it ended, if it did.
    pub fn ending(&self) -> Option<&Ending> {
        self.ended.as_ref().map(|(_, body)| &body.ending)
    }
}

impl Facts {
    /// Whether a step is done or was passed over.
    pub fn is_through(&self, step: &StepRef) -> bool {
        matches!(self.steps.get(step), Some(StepState::Checked(_) | StepState::Skipped(..)))
    }

    /// Whether something that an exercise put into staging still stands there, as far as anybody knows.
    pub fn stands(&self, step: &StepRef) -> bool {
        let mut stands = false;
        for run in self.runs.iter().filter(|run| run.order.step.as_ref() == Some(step)) {
            match run.order.purpose {
                Purpose::Do => stands |= run.has_acted(),
                Purpose::Undo => stands &= !run.ending().is_some_and(Ending::is_success),
            }
        }
        stands
    }

    /// What exercises put into staging and nobody took back: what each put there is called.
    pub fn left_in_staging(&self) -> Vec<&CleanStr> {
        self.standing_runs().into_iter().map(|run| &run.order.title).collect()
    }

    /// The commands that put into staging what still stands there: of each the first one since nothing of it stood.
    pub fn standing_runs(&self) -> Vec<&Run> {
        let mut standing: Vec<&Run> = Vec::new();
        let of_exercise = |run: &&Run| run.order.step.as_ref().is_some_and(StepRef::is_of_exercise);
        for run in self.runs.iter().filter(of_exercise) {
            let is_same = |other: &&Run| other.order.step == run.order.step;
            match run.order.purpose {
                Purpose::Do if run.has_acted() && !standing.iter().any(is_same) => standing.push(run),
                Purpose::Undo if run.ending().is_some_and(Ending::is_success) => {
                    standing.retain(|other| !is_same(other))
                }
                Purpose::Do | Purpose::Undo => {}
            }
        }
        standing
    }

    /// What an exercise has put into staging so far, with when; what was never started is not there.
    pub fn staged(&self) -> Vec<(StepRef, DateTime<Utc>)> {
        let acted = |run: &&Run| run.order.purpose == Purpose::Do && run.has_acted();
        let named = |run: &Run| Some((run.order.step.clone().filter(StepRef::is_of_exercise)?, run.started.at));
        self.runs.iter().filter(acted).filter_map(named).collect()
    }

    /// The command that runs for a step now.
    pub fn running(&self, step: &StepRef) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.is_open() && run.order.step.as_ref() == Some(step))
    }

    /// The last command that was started for a step.
    pub fn last_run(&self, step: &StepRef) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.order.step.as_ref() == Some(step))
    }

    /// A run by the entry that started it.
    pub fn run(&self, id: EntryId) -> Option<&Run> {
        self.runs.iter().find(|run| run.id == id)
    }
}
