//! What a person may ask of an incident, and what comes of it.
//!
//! Hides every rule that can say no. Only this module refuses, with a sentence for a person that names the way out; the fold accepts all that was
//! written.
//!
//! Invariant: `decide` changes nothing; what it returns becomes state only after the journal has it.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;
use crate::text::CleanText;

/// How far in the future an event time may lie: clocks of two hosts differ a little.
const CLOCK_GRACE: TimeDelta = TimeDelta::seconds(60);

/// What a person asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Declare the incident.
    Declare(Declared),
    /// Make it a drill.
    StartDrill(DrillStarted),
    /// Give it another title.
    SetTitle(CleanStr),
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
    /// Say since when they do not.
    EndImpact(DateTime<Utc>),
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
    /// Pass a step over.
    SkipStep(StepSkipped),
    /// Open a step again.
    ReopenStep(StepDone),
    /// Record that an update was told.
    PostUpdate(StatusUpdate),
    /// Record that a console's clock jumped.
    NoteClockJump(ClockJumped),
}

/// Who asks, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asking {
    /// Who.
    pub actor: Actor,
    /// When, in the incident's clock.
    pub now: DateTime<Utc>,
}

/// Why not: a sentence for the status line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be.
    #[error("{0}")]
    No(String),
    /// It can be once a reason is given: see [`Command::with_reason`].
    #[error("{0}")]
    WantsReason(String),
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::No(why.into()))
}

fn want_reason<T>(why: impl Into<String>) -> Result<T, Refusal> {
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
            Self::StrikeNote(body) => Self::StrikeNote(NoteStruck { reason: Some(reason), ..body }),
            other @ (Self::Declare(_)
            | Self::StartDrill(_)
            | Self::SetTitle(_)
            | Self::Acknowledge
            | Self::AddService(_)
            | Self::RemoveService(_)
            | Self::StartImpact(_)
            | Self::EndImpact(_)
            | Self::TakeRole(_)
            | Self::AddNote(_)
            | Self::AmendNote(_)
            | Self::PinEvidence(_)
            | Self::CheckStep(_)
            | Self::ReopenStep(_)
            | Self::PostUpdate(_)
            | Self::NoteClockJump(_)) => other,
        }
    }
}

/// The events that a command leads to, or why it does not.
pub fn decide(incident: &Incident, command: Command, asking: &Asking) -> Result<Vec<Event>, Refusal> {
    let now = asking.now;
    match &command {
        Command::Declare(_) | Command::StartDrill(_) | Command::NoteClockJump(_) => {}
        _ if incident.is_blank() => return refuse("no incident is declared yet: D declares one"),
        Command::EnterPhase(..) | Command::AddNote(_) | Command::AmendNote(_) | Command::StrikeNote(_) => {}
        _ if incident.phase() == Phase::Closed => {
            return refuse(format!("{} is closed: reopen it first (:phase, with a reason)", incident.id()));
        }
        _ => {}
    }
    let events = match command {
        Command::Declare(body) => vec![declare(incident, body, now)?],
        Command::StartDrill(body) => {
            if incident.drill.is_some() {
                return refuse(format!("{} is a drill already", incident.id()));
            }
            vec![Event::DrillStarted(body)]
        }
        Command::SetTitle(title) => {
            said(&title, "the title")?;
            vec![Event::TitleSet(TitleSet { title })]
        }
        Command::SetSeverity(to, reason) => vec![set_severity(incident, to, reason)?],
        Command::EnterPhase(phase, reason) => vec![enter(incident, phase, reason)?],
        Command::Acknowledge => acknowledge(incident, asking)?,
        Command::AddService(service) => {
            said(&service, "the service")?;
            if incident.services.contains(&service) {
                return refuse(format!("{service} is in the scope already"));
            }
            vec![Event::ServiceAdded(ServiceNamed { service })]
        }
        Command::RemoveService(service) => {
            if !incident.services.contains(&service) {
                return refuse(format!("{service} is not in the scope"));
            }
            vec![Event::ServiceRemoved(ServiceNamed { service })]
        }
        Command::StartImpact(at) => {
            past(at, now)?;
            vec![Event::ImpactStarted(ImpactAt { at })]
        }
        Command::EndImpact(at) => {
            past(at, now)?;
            match incident.impact.start {
                None => return refuse("no customer impact is recorded: say first when it began"),
                Some(start) if at < start => return refuse("customer impact cannot end before it began"),
                Some(_) => vec![Event::ImpactEnded(ImpactAt { at })],
            }
        }
        Command::TakeRole(seat) => vec![take(incident, seat, asking)?],
        Command::LeaveRole(seat, reason) => vec![leave(incident, seat, reason, asking)?],
        Command::AddNote(body) => {
            said(&body.text, "the line")?;
            if let Some(at) = body.at {
                past(at, now)?;
            }
            vec![Event::NoteAdded(body)]
        }
        Command::AmendNote(body) => vec![amend(incident, body, asking)?],
        Command::StrikeNote(body) => {
            own_note(incident, body.note, asking)?;
            if incident.facts.timeline.is_struck(body.note) {
                return refuse("this line is struck through already");
            }
            vec![Event::NoteStruck(body)]
        }
        Command::PinEvidence(evidence) => vec![Event::EvidencePinned(EvidencePinned { evidence })],
        Command::CheckStep(body) => {
            if let Some(StepState::Checked(mark)) = incident.steps.get(&body.step) {
                return refuse(format!("{} did this step at {}: o opens it again", mark.by, mark.at.format("%H:%M")));
            }
            vec![Event::StepChecked(body)]
        }
        Command::SkipStep(body) => {
            if let Some(StepState::Checked(mark)) = incident.steps.get(&body.step) {
                return refuse(format!("{} did this step at {}: o opens it again", mark.by, mark.at.format("%H:%M")));
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
        Command::PostUpdate(update) => vec![post(update, now)?],
        Command::NoteClockJump(body) => vec![Event::ClockJumped(body)],
    };
    Ok(events)
}

fn said(text: &str, what: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() { refuse(format!("{what} is empty")) } else { Ok(()) }
}

fn past(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), Refusal> {
    if at > now + CLOCK_GRACE {
        return refuse(format!("{} lies in the future", at.format("%H:%M:%S UTC")));
    }
    Ok(())
}

fn declare(incident: &Incident, body: Declared, now: DateTime<Utc>) -> Result<Event, Refusal> {
    if !incident.is_blank() {
        return refuse(format!("{} is declared already", incident.id()));
    }
    said(&body.title, "the title")?;
    if let Some(at) = body.detected_at {
        past(at, now)?;
    }
    Ok(Event::Declared(body))
}

fn set_severity(incident: &Incident, to: Severity, reason: Option<CleanStr>) -> Result<Event, Refusal> {
    match incident.severity {
        Some(from) if from == to => refuse(format!("the severity is {to} already")),
        Some(from) if to > from => {
            let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) else {
                return want_reason(format!("lowering from {from} to {to} wants a reason"));
            };
            Ok(Event::SeverityLowered(SeveritySet { to, reason: Some(reason) }))
        }
        _ => Ok(Event::SeverityRaised(SeveritySet { to, reason })),
    }
}

fn enter(incident: &Incident, phase: Phase, reason: Option<CleanStr>) -> Result<Event, Refusal> {
    let from = incident.phase();
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    if phase == from {
        return refuse(format!("the phase is {phase} already"));
    }
    if incident.acknowledged.is_none() && phase != Phase::Closed {
        return refuse("nobody has acknowledged yet: the Incident Commander does that first (a)");
    }
    if phase == Phase::Detected {
        return refuse("an incident that was acknowledged cannot become undetected");
    }
    if !from.is_live() && phase.is_live() {
        if phase != Phase::Triage {
            return refuse(format!("a {} incident is reopened into Triage", from.name().to_lowercase()));
        }
        if reason.is_none() {
            return want_reason("reopening wants a reason");
        }
    }
    if phase == Phase::PostIncident && from.is_live() {
        return refuse("it is not resolved yet: resolve it first (:phase resolved)");
    }
    if phase == Phase::Closed && from.is_live() && reason.is_none() {
        return want_reason("closing an incident that is not resolved wants a reason (false alarm, duplicate)");
    }
    Ok(Event::PhaseEntered(PhaseEntered { phase, reason }))
}

fn acknowledge(incident: &Incident, asking: &Asking) -> Result<Vec<Event>, Refusal> {
    if let Some(mark) = &incident.acknowledged {
        return refuse(format!("{} acknowledged at {}", mark.by, mark.at.format("%H:%M:%S UTC")));
    }
    if !incident.holds(&asking.actor, Role::IncidentCommander) {
        return match incident.holder(Role::IncidentCommander) {
            Some(commander) => refuse(format!("the Incident Commander acknowledges: that is {commander}")),
            None => refuse("the Incident Commander acknowledges, and nobody is: take command first (R)"),
        };
    }
    let mut events = vec![Event::Acknowledged(Plain {})];
    if incident.phase() == Phase::Detected {
        events.push(Event::PhaseEntered(PhaseEntered { phase: Phase::Acknowledged, reason: None }));
    }
    Ok(events)
}

fn take(incident: &Incident, seat: Seat, asking: &Asking) -> Result<Event, Refusal> {
    if let Some(mark) = incident.roles.get(&seat) {
        let name = seat.role.name();
        return if mark.by == asking.actor {
            refuse(format!("you are {name} already"))
        } else {
            refuse(format!(
                "{} is {name} since {}: relieve them with a reason (:relieve)",
                mark.by,
                mark.at.format("%H:%M")
            ))
        };
    }
    if seat.component.is_some() && seat.role != Role::Sme {
        return refuse("only a Subject Matter Expert has a component");
    }
    let Seat { role, component } = seat;
    Ok(Event::RoleTaken(RoleNamed { role, component, holder: asking.actor.clone(), reason: None }))
}

fn leave(incident: &Incident, seat: Seat, reason: Option<CleanStr>, asking: &Asking) -> Result<Event, Refusal> {
    let Some(mark) = incident.roles.get(&seat) else {
        return refuse(format!("nobody is {}", seat.role.name()));
    };
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    if mark.by != asking.actor && reason.is_none() {
        return want_reason(format!("relieving {} wants a reason", mark.by));
    }
    let holder = mark.by.clone();
    Ok(Event::RoleLeft(RoleNamed { role: seat.role, component: seat.component, holder, reason }))
}

fn own_note(incident: &Incident, note: EntryId, asking: &Asking) -> Result<(), Refusal> {
    let Some(entry) = incident.entry(note) else { return refuse("this line is not in the journal") };
    if !matches!(entry.event, Event::NoteAdded(_)) {
        return refuse("only lines that a person wrote can be changed; the others say what was done");
    }
    let may = entry.actor == asking.actor
        || incident.holds(&asking.actor, Role::Scribe)
        || incident.holds(&asking.actor, Role::IncidentCommander);
    if may {
        Ok(())
    } else {
        refuse(format!("this line is {}'s: they, the Scribe or the IC can change it", entry.actor))
    }
}

fn amend(incident: &Incident, body: NoteAmended, asking: &Asking) -> Result<Event, Refusal> {
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

fn post(update: StatusUpdate, now: DateTime<Utc>) -> Result<Event, Refusal> {
    said(&update.text, "the update")?;
    if update.channels.is_empty() {
        return refuse("an update goes to at least one channel");
    }
    match update.promised_next {
        Some(next) if next <= now => refuse("the promised time of the next update has passed already"),
        Some(next) if next > now + TimeDelta::hours(24) => {
            refuse("nobody waits a day for the next update: promise less")
        }
        Some(_) | None => Ok(Event::StatusUpdatePosted(update)),
    }
}

/// What a line of the scribe says once its prefixes are read.
#[derive(Clone, Debug, PartialEq)]
pub struct ScribeLine {
    /// What kind of line.
    pub kind: NoteKind,
    /// When it happened, where the line says so.
    pub at: Option<DateTime<Utc>>,
    /// The rest.
    pub text: CleanText,
}

/// Reads `-5m text`, `14:10 text`, `decision text`, or both prefixes in either order. A time of day is the last one before `now` in the zone.
pub fn scribe_line(line: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> ScribeLine {
    let (mut kind, mut at, mut rest) = (None, None, line.trim_end());
    loop {
        let trimmed = rest.trim_start();
        let (word, after) = trimmed.split_once([' ', '\n']).unwrap_or((trimmed, ""));
        if at.is_none()
            && let Some(time) = event_time(word, now, zone)
            && !after.trim().is_empty()
        {
            (at, rest) = (Some(time), after);
        } else if kind.is_none()
            && let Some(found) = note_kind(word)
            && !after.trim().is_empty()
        {
            (kind, rest) = (Some(found), after);
        } else {
            break;
        }
    }
    ScribeLine { kind: kind.unwrap_or_default(), at, text: CleanText::new(rest.trim_start()) }
}

fn note_kind(word: &str) -> Option<NoteKind> {
    // A bare word could be the beginning of a sentence ("note that …"), so a kind ends with a colon; CAN is one only in capitals.
    let word = word.strip_suffix(':')?;
    NoteKind::ALL.into_iter().find(|kind| word.eq_ignore_ascii_case(kind.word()))
}

/// Reads `-5m`, `-90s`, `-1h` or `14:10[:30]`.
pub fn event_time(word: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
    if let Some(back) = word.strip_prefix('-') {
        let unit = back.chars().next_back()?;
        let amount: i64 =
            back[..back.len() - unit.len_utf8()].parse().ok().filter(|amount| (0..=10_000).contains(amount))?;
        let by = match unit {
            's' => TimeDelta::seconds(amount),
            'm' => TimeDelta::minutes(amount),
            'h' => TimeDelta::hours(amount),
            _ => return None,
        };
        return Some(now - by);
    }
    let time = ["%H:%M", "%H:%M:%S"].into_iter().find_map(|form| chrono::NaiveTime::parse_from_str(word, form).ok())?;
    let today = now.with_timezone(&zone).date_naive();
    [today, today.pred_opt()?]
        .into_iter()
        .filter_map(|day| day.and_time(time).and_local_timezone(zone).latest())
        .map(|moment| moment.with_timezone(&Utc))
        .find(|moment| *moment <= now + CLOCK_GRACE)
}
