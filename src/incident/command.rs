//! What a person may ask of an incident, and what comes of it.
//!
//! Hides every rule that can say no. Only this module refuses, with a sentence for a person that names the way out; the fold accepts all that was
//! written.
//!
//! Invariant: `decide` changes nothing; what it returns becomes state only after the journal has it.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::oncall::Roster;
use crate::text::is_blank;

mod after;
mod course;
mod lines;
mod names;
mod room;
mod run;
mod scribe;
mod tell;
mod work;

pub use scribe::{ScribeLine, assignment, scribe_line, scribe_line_since};

/// How far in the future an event time may lie: clocks of two hosts differ a little.
pub(super) const CLOCK_GRACE: TimeDelta = TimeDelta::seconds(60);

/// What a person asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Declare the incident.
    Declare(Declared),
    /// Make it a drill.
    StartDrill(DrillStarted),
    /// Let the drill's clock stand still (`true`), or run again.
    PauseDrill(bool),
    /// What the facilitator of a drill does.
    Facilitate(Facilitated),
    /// Give it another title.
    SetTitle(CleanStr),
    /// Keep it private, or do not any more.
    SetPrivacy(bool),
    /// Raise or lower the severity; lowering wants a reason.
    SetSeverity(Severity, Option<CleanStr>),
    /// Move it to a phase; reopening wants a reason.
    EnterPhase(Phase, Option<CleanStr>),
    /// Say "mine".
    Acknowledge,
    /// Name an affected service.
    AddService(ServiceId),
    /// Take an affected service back.
    RemoveService(ServiceId),
    /// Say since when customers hurt.
    StartImpact(DateTime<Utc>),
    /// Customers of one service hurt since a moment.
    StartImpactOf(ServiceId, DateTime<Utc>),
    /// Say since when they do not.
    EndImpact(DateTime<Utc>),
    /// Customers of one service do not hurt any more, since a moment; it stays in the scope.
    EndImpactOf(ServiceId, DateTime<Utc>),
    /// Take a role.
    TakeRole(Seat),
    /// Leave a role, or relieve its holder with a reason.
    LeaveRole(Seat, Option<CleanStr>),
    /// Write a line.
    AddNote(NoteAdded),
    /// Correct a line.
    AmendNote(NoteAmended),
    /// Strike a line through.
    StrikeNote(NoteStruck),
    /// Pin a graph or a trace.
    PinEvidence(Evidence),
    /// Tick a step.
    CheckStep(StepDone),
    /// A step is done though its command failed: why.
    CheckAnyway(StepDone, CleanStr),
    /// Pass a step over.
    SkipStep(StepSkipped),
    /// Open a step again.
    ReopenStep(StepDone),
    /// Record that an update was told; from anybody but the IC it becomes a draft.
    PostUpdate(StatusUpdate),
    /// Record that a console's clock jumped.
    NoteClockJump(ClockJumped),
    /// Record that another console's clock is off.
    NoteClockSkew(ClockSkewed),
    /// Say that an alert belongs to this incident.
    LinkAlert(AlertLinked),
    /// Say what is affected.
    SetScope(ScopeSet),
    /// Say that no customer is affected; where some were recorded as affected, with a reason.
    DenyImpact(Option<CleanStr>),
    /// Tick somebody of the escalation matrix off: told.
    MarkTold(PersonTold),
    /// Take the tick back.
    MarkNotTold(CleanStr),
    /// Have updates due at another pace from now on, with a reason.
    SetCadence(TimeDelta, Option<CleanStr>),
    /// Put an obligation off, with a reason.
    Snooze(ObligationSnoozed),
    /// Approve a draft, as Incident Commander; its text may have been edited.
    ApproveDraft(EntryId, StatusUpdate),
    /// Record a draft of internal text on the Communications Lead's word alone.
    PostAlone(EntryId, Option<CleanStr>),
    /// Drop a draft.
    DropDraft(EntryId, Option<CleanStr>),
    /// Give a role to somebody who is there.
    AssignRole(Seat, Actor),
    /// Have the exercise of a drill play a role that nobody holds.
    StandIn(Role, Actor),
    /// Offer one's role to somebody, with a brief.
    OfferRole(HandoverOffered),
    /// Accept an offered role.
    AcceptRole(EntryId),
    /// Decline an offered role, or take the offer back.
    EndOffer(EntryId, Option<CleanStr>),
    /// Hand work to a named person.
    AssignTask(TaskAssigned),
    /// Repeat a task: it was heard.
    ReadBack(EntryId),
    /// Call back.
    AnswerTask(TaskAnswered),
    /// Propose what to do.
    Propose(DecisionProposed),
    /// Object to a proposal.
    Object(ObjectionRaised),
    /// Decide on a proposal, as Incident Commander.
    Decide {
        /// The proposal.
        decision: EntryId,
        /// Whether it is done.
        go: bool,
        /// Why, where one is wanted.
        reason: Option<CleanStr>,
    },
    /// Open a theory.
    OpenHypothesis(HypothesisOpened),
    /// Settle a theory, with what showed it.
    SettleHypothesis(HypothesisSettled),
    /// Claim a step; taking it over wants a reason.
    ClaimStep(StepDone, Option<CleanStr>),
    /// Let a step go.
    ReleaseStep(StepDone),
    /// Resolve, with the proof that was taken.
    Resolve {
        /// What is normal again and what is not.
        proof: Vec<ProofLine>,
        /// The final status, in words.
        final_status: CleanText,
        /// Why without full proof.
        reason: Option<CleanStr>,
    },
    /// Close as a false alarm, or as something for the squad's backlog.
    CloseAs(Outcome, Option<CleanStr>),
    /// Give the postmortem a date and an owner.
    SchedulePostmortem(PostmortemScheduled),
    /// Name the knowledge-base article.
    RecordArticle(ArticleRecorded),
    /// Record that a document was reviewed.
    Review(Reviewed),
    /// Begin or change a follow-up.
    SetFollowUp(FollowUpSet),
    /// Correct a moment, with a reason.
    AmendTime(TimeAmended),
    /// Show a line's text no more, with a reason.
    Redact(EntryRedacted),
    /// Take a duplicate's clocks and lines in.
    Merge(DuplicateMerged, Vec<LineMerged>),
    /// Take a merge with another record back, with a reason.
    Unmerge(IncidentId, Option<CleanStr>),
    /// Start a command that was shown and confirmed.
    StartRun(CommandStarted),
    /// Record what happened to a command on its way.
    RemarkRun(CommandRemarked),
    /// Record how a command ended.
    EndRun(CommandEnded),
    /// Vouch for a command that wants a second person.
    Vouch(CommandVouched),
    /// Record what a step that looks has found.
    AnswerStep(StepAnswered),
    /// Let a playbook from outside run its commands.
    ApprovePlaybook(PlaybookApproved),
    /// Say what became of something that goes out.
    MoveDelivery(DeliveryMoved),
    /// Have another system do something.
    SendOut(Box<DeliveryQueued>),
    /// Go on with another version of a playbook.
    ReplacePlaybook(PlaybookFrozen),
}

/// Who asks, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Who.
    pub actor: Actor,
    /// When, in the incident's clock.
    pub now: DateTime<Utc>,
    /// Whose consoles are on the incident.
    pub present: Vec<Actor>,
    /// The runbook's times.
    pub cadence: Cadence,
    /// The positions of the escalation matrix that must know.
    pub tell: Vec<CleanStr>,
    /// Whom a name can mean.
    pub roster: Roster,
    /// What the command wants that is to be started, as its playbook says.
    pub needs: Option<gate::Needs>,
    /// Several accounts write one record, and each can write in the name of any other.
    pub is_shared: bool,
}

impl Asking {
    /// Somebody who asks from outside a console, by the runbook's own times.
    pub fn new(actor: Actor, now: DateTime<Utc>) -> Self {
        Self {
            actor,
            now,
            present: Vec::new(),
            cadence: Cadence::default(),
            tell: Vec::new(),
            roster: Roster::default(),
            needs: None,
            is_shared: false,
        }
    }
}

/// Why not: a sentence for the status line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be.
    #[error("{0}")]
    No(Saying),
    /// It can be once a reason is given: see [`Command::with_reason`].
    #[error("{0}")]
    WantsReason(Saying),
}

impl Refusal {
    /// What it says.
    pub fn saying(&self) -> &Saying {
        match self {
            Self::No(saying) | Self::WantsReason(saying) => saying,
        }
    }
}

fn refuse<T>(why: impl Into<Saying>) -> Result<T, Refusal> {
    Err(Refusal::No(why.into()))
}

fn want_reason<T>(why: impl Into<Saying>) -> Result<T, Refusal> {
    Err(Refusal::WantsReason(why.into()))
}

impl Command {
    /// The same command with a reason, where it has room for one.
    pub fn with_reason(self, reason: CleanStr) -> Self {
        match self {
            Self::SetSeverity(to, _) => Self::SetSeverity(to, Some(reason)),
            Self::EnterPhase(phase, _) => Self::EnterPhase(phase, Some(reason)),
            Self::LeaveRole(seat, _) => Self::LeaveRole(seat, Some(reason)),
            Self::SkipStep(body) => Self::SkipStep(StepSkipped { reason, ..body }),
            Self::CheckStep(body) => Self::CheckAnyway(body, reason),
            Self::CheckAnyway(body, _) => Self::CheckAnyway(body, reason),
            Self::StrikeNote(body) => Self::StrikeNote(NoteStruck { reason: Some(reason), ..body }),
            Self::Unmerge(other, _) => Self::Unmerge(other, Some(reason)),
            Self::SetCadence(every, _) => Self::SetCadence(every, Some(reason)),
            Self::Snooze(body) => Self::Snooze(ObligationSnoozed { reason, ..body }),
            Self::PostAlone(draft, _) => Self::PostAlone(draft, Some(reason)),
            Self::DropDraft(draft, _) => Self::DropDraft(draft, Some(reason)),
            Self::EndOffer(offer, _) => Self::EndOffer(offer, Some(reason)),
            Self::Decide { decision, go, .. } => Self::Decide { decision, go, reason: Some(reason) },
            Self::SettleHypothesis(body) => Self::SettleHypothesis(HypothesisSettled { evidence: reason, ..body }),
            Self::ClaimStep(body, _) => Self::ClaimStep(body, Some(reason)),
            Self::Resolve { proof, final_status, .. } => Self::Resolve { proof, final_status, reason: Some(reason) },
            Self::CloseAs(outcome, _) => Self::CloseAs(outcome, Some(reason)),
            Self::SetFollowUp(body) => Self::SetFollowUp(FollowUpSet { reason: Some(reason), ..body }),
            Self::DenyImpact(_) => Self::DenyImpact(Some(reason)),
            Self::SchedulePostmortem(body) => {
                Self::SchedulePostmortem(PostmortemScheduled { reason: Some(reason), ..body })
            }
            Self::AmendTime(body) => Self::AmendTime(TimeAmended { reason, ..body }),
            Self::Redact(body) => Self::Redact(EntryRedacted { reason, ..body }),
            Self::AnswerTask(body) => Self::AnswerTask(TaskAnswered { text: reason, ..body }),
            Self::MoveDelivery(body) => match body.to {
                DeliveryState::Dropped { .. } => {
                    Self::MoveDelivery(DeliveryMoved { to: DeliveryState::Dropped { why: reason }, ..body })
                }
                _ => Self::MoveDelivery(body),
            },
            other @ (Self::Declare(_)
            | Self::StartDrill(_)
            | Self::PauseDrill(_)
            | Self::Facilitate(_)
            | Self::SetTitle(_)
            | Self::SetPrivacy(_)
            | Self::Acknowledge
            | Self::AddService(_)
            | Self::RemoveService(_)
            | Self::StartImpact(_)
            | Self::StartImpactOf(..)
            | Self::EndImpact(_)
            | Self::EndImpactOf(..)
            | Self::TakeRole(_)
            | Self::AddNote(_)
            | Self::AmendNote(_)
            | Self::PinEvidence(_)
            | Self::ReopenStep(_)
            | Self::PostUpdate(_)
            | Self::NoteClockJump(_)
            | Self::NoteClockSkew(_)
            | Self::LinkAlert(_)
            | Self::SetScope(_)
            | Self::SendOut(_)
            | Self::MarkTold(_)
            | Self::MarkNotTold(_)
            | Self::ApproveDraft(..)
            | Self::AssignRole(..)
            | Self::StandIn(..)
            | Self::OfferRole(_)
            | Self::AcceptRole(_)
            | Self::AssignTask(_)
            | Self::ReadBack(_)
            | Self::Propose(_)
            | Self::Object(_)
            | Self::OpenHypothesis(_)
            | Self::ReleaseStep(_)
            | Self::RecordArticle(_)
            | Self::Review(_)
            | Self::Merge(..)
            | Self::StartRun(_)
            | Self::RemarkRun(_)
            | Self::EndRun(_)
            | Self::Vouch(_)
            | Self::AnswerStep(_)
            | Self::ApprovePlaybook(_)
            | Self::ReplacePlaybook(_)) => other,
        }
    }
}

/// The events that a command leads to, or why it does not.
pub fn decide(incident: &Incident, command: Command, asking: &Asking) -> Result<Vec<Event>, Refusal> {
    let events = events_of(incident, command, asking)?;
    room::fits(&events)?;
    Ok(events)
}

fn events_of(incident: &Incident, command: Command, asking: &Asking) -> Result<Vec<Event>, Refusal> {
    let now = asking.now;
    match &command {
        Command::Declare(_) | Command::StartDrill(_) | Command::NoteClockJump(_) | Command::NoteClockSkew(_) => {}
        _ if incident.is_blank() => {
            return refuse(says!["no incident is declared yet: ", By("declare"), " declares one"]);
        }
        Command::EnterPhase(..)
        | Command::AddNote(_)
        | Command::AmendNote(_)
        | Command::StrikeNote(_)
        | Command::SetFollowUp(_)
        | Command::AmendTime(_)
        // Who was not told yet still has to be.
        | Command::MarkTold(_)
        | Command::MarkNotTold(_)
        | Command::Unmerge(..)
        | Command::RemarkRun(_)
        | Command::EndRun(_)
        | Command::Redact(_)
        // What is owed to other systems is delivered after the end.
        | Command::MoveDelivery(_) => {}
        // What a drill left in staging can be taken back for ever.
        Command::StartRun(body)
            if body.purpose == Purpose::Undo && body.step.as_ref().is_some_and(StepRef::is_of_exercise) => {}
        _ if incident.phase() == Phase::Closed => {
            return refuse(says![
                incident.id().to_string(),
                " is closed: reopen it first (",
                By("phase"),
                ", with a reason)"
            ]);
        }
        _ => {}
    }
    let events = match names::settled(command, incident, asking)? {
        Command::Declare(body) => vec![course::declare(incident, body, now)?],
        Command::StartDrill(body) => vec![course::start_drill(incident, body)?],
        Command::PauseDrill(is_pause) => vec![course::pause_drill(incident, is_pause)?],
        Command::Facilitate(act) => vec![facilitation::decide(incident, act, asking)?],
        Command::SetTitle(title) => {
            said(&title, "the title")?;
            vec![Event::TitleSet(TitleSet { title })]
        }
        Command::SetSeverity(to, reason) => vec![course::set_severity(incident, to, reason)?],
        Command::EnterPhase(phase, reason) => vec![course::enter(incident, phase, reason, asking)?],
        Command::Acknowledge => course::acknowledge(incident, asking)?,
        Command::AddService(service) => vec![course::add_service(incident, service)?],
        Command::RemoveService(service) => vec![course::remove_service(incident, service)?],
        Command::StartImpact(at) => vec![course::start_impact(incident, None, at, now)?],
        Command::StartImpactOf(service, at) => vec![course::start_impact(incident, Some(service), at, now)?],
        Command::EndImpact(at) => vec![course::end_impact(incident, None, at, now)?],
        Command::EndImpactOf(service, at) => vec![course::end_impact(incident, Some(service), at, now)?],
        Command::TakeRole(seat) => vec![work::take(incident, seat, asking)?],
        Command::LeaveRole(seat, reason) => vec![work::leave(incident, seat, reason, asking)?],
        Command::AddNote(body) => vec![lines::add(incident, body, now)?],
        Command::AmendNote(body) => vec![lines::amend(incident, body, asking)?],
        Command::StrikeNote(body) => vec![lines::strike(incident, body, asking)?],
        Command::PinEvidence(evidence) => vec![Event::EvidencePinned(EvidencePinned { evidence })],
        Command::CheckStep(body) => run::check(incident, body, None)?,
        Command::CheckAnyway(body, reason) => run::check(incident, body, Some(reason))?,
        Command::SkipStep(body) => {
            if let Some(StepState::Checked(mark)) = incident.steps.get(&body.step) {
                return refuse(says![&mark.by, " did this step at ", mark.at, ": ", By("reopen"), " opens it again"]);
            }
            if body.reason.trim().is_empty() {
                return want_reason("skipping a step wants a reason");
            }
            vec![Event::StepSkipped(body)]
        }
        Command::ReopenStep(body) => match incident.steps.get(&body.step) {
            Some(StepState::Checked(_) | StepState::Skipped(..)) => vec![Event::StepReopened(body)],
            Some(StepState::Reopened(_)) | None => return refuse("this step is open"),
        },
        Command::PostUpdate(update) => vec![tell::post(incident, update, asking)?],
        Command::ApproveDraft(draft, update) => vec![tell::approve(incident, draft, update, asking)?],
        Command::PostAlone(draft, reason) => vec![tell::post_alone(incident, draft, reason, asking)?],
        Command::DropDraft(draft, reason) => vec![tell::drop_draft(incident, draft, reason, asking)?],
        Command::MarkTold(body) => vec![tell::mark_told(incident, body, asking)?],
        Command::MarkNotTold(position) => vec![tell::mark_not_told(incident, position)?],
        Command::SetCadence(every, reason) => vec![tell::set_cadence(incident, every, reason, asking)?],
        Command::Snooze(body) => vec![tell::snooze(body, asking)?],
        Command::NoteClockJump(body) => vec![Event::ClockJumped(body)],
        Command::NoteClockSkew(body) => vec![Event::ClockSkewed(body)],
        Command::LinkAlert(body) => {
            if incident.alerts.iter().any(|alert| alert.fingerprint == body.fingerprint) {
                return refuse(format!("{} is linked already", body.name));
            }
            vec![Event::AlertLinked(body)]
        }
        Command::SetScope(body) => vec![course::scope(body)?],
        Command::DenyImpact(reason) => vec![course::deny_impact(incident, reason)?],
        Command::AssignRole(seat, holder) => vec![work::assign_role(incident, seat, holder)?],
        Command::StandIn(role, holder) => vec![work::stand_in(incident, role, holder, asking)?],
        Command::OfferRole(body) => vec![work::offer_role(incident, body, asking)?],
        Command::AcceptRole(offer) => vec![work::accept_role(incident, offer, asking)?],
        Command::EndOffer(offer, reason) => vec![work::end_offer(incident, offer, reason, asking)?],
        Command::AssignTask(body) => vec![work::assign(body, asking)?],
        Command::ReadBack(task) => vec![work::read_back(incident, task, asking)?],
        Command::AnswerTask(body) => vec![work::answer(incident, body, asking)?],
        Command::Propose(body) => vec![work::propose(body, asking)?],
        Command::Object(body) => vec![work::object(incident, body)?],
        Command::Decide { decision, go, reason } => vec![work::make_decision(incident, decision, go, reason, asking)?],
        Command::OpenHypothesis(body) => {
            said(&body.text, "the theory")?;
            vec![Event::HypothesisOpened(body)]
        }
        Command::SettleHypothesis(body) => vec![work::settle(incident, body)?],
        Command::StartRun(body) => vec![run::start(incident, body, asking)?],
        Command::RemarkRun(body) => vec![run::remark(incident, body)?],
        Command::EndRun(body) => vec![run::end(incident, body)?],
        Command::Vouch(body) => vec![run::vouch(incident, body, asking)?],
        Command::AnswerStep(body) => vec![Event::StepAnswered(body)],
        Command::ApprovePlaybook(body) => {
            if let Some(mark) = incident.approved_playbooks.get(&body.digest) {
                return refuse(says![&mark.by, " approved this playbook at ", mark.at]);
            }
            vec![Event::PlaybookApproved(body)]
        }
        Command::MoveDelivery(body) => {
            let delivery = incident.deliveries.iter().find(|delivery| delivery.id == body.delivery);
            let Some(delivery) = delivery else { return refuse("nothing like that goes out here") };
            if delivery.moves != body.step || !delivery.state.leads_to(&body.to) {
                return refuse(format!("it is {} already: look again", delivery.state.word()));
            }
            if matches!(&body.to, DeliveryState::Dropped { why } if why.is_blank()) {
                return want_reason("why is it given up?");
            }
            vec![Event::DeliveryMoved(body)]
        }
        Command::SetPrivacy(is_private) => {
            if incident.is_private == is_private {
                return refuse(if is_private { "it is private already" } else { "it is not private" });
            }
            vec![Event::PrivacySet(PrivacySet { is_private })]
        }
        Command::SendOut(body) => {
            if incident.is_asked(&body) {
                return refuse(format!("somebody asked {} for that already: look at :outbox", body.service));
            }
            vec![Event::DeliveryQueued(*body)]
        }
        Command::ReplacePlaybook(body) => {
            let known = incident.playbooks.get(&body.service).map(|known| &known.digest);
            if known != body.replaces.as_ref() || known == Some(&body.digest) {
                return refuse(format!("the playbook of {} was replaced by somebody else: look again", body.service));
            }
            vec![Event::PlaybookFrozen(body)]
        }
        Command::ClaimStep(body, reason) => vec![work::claim(incident, body, reason, asking)?],
        Command::ReleaseStep(body) => match incident.claims.get(&body.step) {
            Some(mark) if asking.is(&mark.by) => vec![Event::StepReleased(body)],
            Some(mark) => {
                return refuse(says![&mark.by, " works on this step: ", By("claim"), " takes it over, with a reason"]);
            }
            None => return refuse("nobody works on this step"),
        },
        Command::Resolve { proof, final_status, reason } => {
            vec![after::resolve(incident, proof, final_status, reason)?]
        }
        Command::CloseAs(outcome, reason) => vec![after::close_as(incident, outcome, reason, asking)?],
        Command::SchedulePostmortem(body) => vec![after::schedule(incident, body, asking)?],
        Command::RecordArticle(body) => vec![after::article(body)?],
        Command::Review(body) => vec![after::review(body)?],
        Command::SetFollowUp(body) => vec![after::follow_up(incident, body)?],
        Command::AmendTime(body) => vec![after::amend_time(incident, body, now)?],
        Command::Redact(body) => after::redact(incident, body)?,
        Command::Merge(body, lines) => after::merge(incident, body, lines)?,
        Command::Unmerge(other, reason) => vec![after::unmerge(incident, other, reason)?],
    };
    Ok(events)
}

/// Whether a command that stands in the record may start now, as when it was asked for.
pub fn may_start(incident: &Incident, run: EntryId, body: &CommandStarted, asking: &Asking) -> Result<(), Refusal> {
    run::may_start(incident, body, asking, Some(run))
}

fn said(text: &str, what: &str) -> Result<(), Refusal> {
    if is_blank(text) { refuse(format!("{what} is empty")) } else { Ok(()) }
}

fn past(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if at > now + CLOCK_GRACE {
        return refuse(says![at, " lies in the future"]);
    }
    Ok(())
}
