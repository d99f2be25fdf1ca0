//! The facts (events) inside the entries of a journal.
//!
//! Hides how an event is spelled in JSON. An event of a newer build is kept as [`Event::Unrecognised`] with its body, so that an older console neither
//! loses nor rewrites it.
//!
//! Invariant: reading an event never fails.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod after;
mod delivery;
#[cfg(test)]
pub(crate) mod fake;
mod masked;
mod run;
mod scope;
mod shift;
mod silencing;
mod symptom;
mod work;

pub use after::*;
pub use delivery::*;
pub use masked::{AS_TYPED, mask_strings};
pub use run::*;
pub use scope::*;
pub use silencing::*;
pub use symptom::*;
pub use work::*;

use super::entry::{Actor, EntryId, ServiceId};
use super::facilitation::Facilitated;
use super::terms::{Channel, NoteKind, Phase, Role, Severity};
use crate::text::{CleanStr, CleanText};

/// Who told us, which decides where the acknowledge clock starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detection {
    /// An alert; the time is Alertmanager's `startsAt`, or Prometheus' `activeAt` plus the rule's `for`.
    Alert {
        /// The alert's name.
        name: CleanStr,
    },
    /// A person.
    Report {
        /// Who reported it.
        by: CleanStr,
    },
}

/// An exercise that every console which joins rebuilds from these four facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrillStarted {
    /// The file's name under `playbooks/gameday/`.
    pub exercise: CleanStr,
    /// The same seed gives the same world.
    pub seed: u64,
    /// When the drill's clock showed this time, the wall clock did too.
    pub start: DateTime<Utc>,
    /// Seconds of the drill in one second of the wall clock.
    pub speed: f64,
    /// The exercise file itself, byte for byte, so that a console without the file rebuilds the world too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where it is played in earnest; absent for a simulated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging: Option<Staging>,
}

/// The staging environment in which a drill is played: its clock is the wall clock, its world is real.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staging {
    /// The address of its Prometheus.
    pub prometheus: CleanStr,
    /// By what it was known to be staging.
    pub proof: CleanStr,
    /// Whether the pre-brief stood on the screen before it began.
    pub is_briefed: bool,
}

/// The first event of every incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declared {
    /// What is wrong, in one line.
    pub title: CleanStr,
    /// How bad it looks.
    pub severity: Severity,
    /// What is affected; a report can come without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// When the alert fired or the report came; absent when nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<DateTime<Utc>>,
    /// Who told us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detection: Option<Detection>,
    /// The zone in which everybody reads this incident's times (IANA name).
    #[serde(default = "utc")]
    pub zone: CleanStr,
    /// Where the report stands: a ticket, a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<CleanStr>,
}

fn utc() -> CleanStr {
    CleanStr::new("UTC")
}

/// A line that somebody wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteAdded {
    /// What kind of line.
    #[serde(default)]
    pub kind: NoteKind,
    /// The text, of one or more lines.
    pub text: CleanText,
    /// When it happened, where that is not when it was entered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// A correction: what is given replaces, what is absent stays; both stand in the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteAmended {
    /// The note.
    pub note: EntryId,
    /// The new text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<CleanText>,
    /// The new event time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime<Utc>>,
}

/// A wrong line is struck through, never deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteStruck {
    /// The note.
    pub note: EntryId,
    /// Why, if somebody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// A graph or a trace that somebody pinned to the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// A value of an objective at a moment.
    Graph {
        /// Whose objective.
        service: ServiceId,
        /// The objective's title.
        objective: CleanStr,
        /// The PromQL as it was sent, with its line breaks and comments.
        query: CleanText,
        /// Start of what was on the screen.
        from: DateTime<Utc>,
        /// Its end.
        to: DateTime<Utc>,
        /// The moment under the cursor.
        at: DateTime<Utc>,
        /// The value there, with its unit; "no data" is a value too.
        value: CleanStr,
        /// The number as it came, in the objective's own unit; empty where there was none, and in records of earlier builds.
        #[serde(default, skip_serializing_if = "CleanStr::is_blank")]
        exact: CleanStr,
        /// Whose value it is, of several series (`pod=p12`); empty where there is one.
        #[serde(default, skip_serializing_if = "CleanStr::is_blank")]
        series: CleanStr,
    },
    /// A trace.
    Trace {
        /// Its id, as hex.
        trace: CleanStr,
        /// What the deepest error says.
        summary: CleanStr,
    },
}

/// In the place of a playbook's service, where a command is an exercise's own.
pub const OF_EXERCISE: &str = "gameday";

/// A step of a playbook: `alipay/route-to-backup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepRef {
    /// Whose playbook.
    pub service: ServiceId,
    /// The step's id in that file.
    pub step: CleanStr,
}

impl StepRef {
    /// Whether it is a command of an exercise: whoever is there may take it back.
    pub fn is_of_exercise(&self) -> bool {
        *self.service == *OF_EXERCISE
    }
}

impl fmt::Display for StepRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.service, self.step)
    }
}

/// A step and what its title was on the day, so that the timeline reads without the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDone {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// Its title.
    pub title: CleanStr,
}

/// A step that somebody passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepSkipped {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// Its title.
    pub title: CleanStr,
    /// Why.
    pub reason: CleanStr,
}

/// What went out, where, and what it promised.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// Where it was told.
    pub channels: BTreeSet<Channel>,
    /// The text.
    pub text: CleanText,
    /// When the next one was promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_next: Option<DateTime<Utc>>,
    /// The draft that was approved; absent where the Incident Commander wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<EntryId>,
    /// Why it went out on the Communications Lead's word alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
    /// When somebody told it by hand, where that was before it was recorded: no system is asked to say it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<DateTime<Utc>>,
}

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($body:ty) = $kind:literal,)*) => {
        /// A fact, in the past tense.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $variant($body),)*
            /// A fact that this build does not know; kept as it came.
            Unrecognised {
                /// The name that the newer build gave it.
                kind: String,
                /// Its body as it came.
                body: serde_json::Value,
            },
        }

        #[cfg(test)]
        impl Event {
            /// The names of all events that this build knows.
            pub(crate) const KINDS: &[&str] = &[$($kind,)*];

            fn made_up(kind: &str, filling: &fake::Filling<'_>) -> Option<Self> {
                match kind {
                    $($kind => fake::make::<$body>(filling).map(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl Event {
            /// The name in the journal; stable for ever.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Unrecognised { kind, .. } => kind,
                }
            }

            pub(super) fn body(&self) -> Result<Box<RawValue>, serde_json::Error> {
                match self {
                    $(Self::$variant(body) => serde_json::value::to_raw_value(body),)*
                    Self::Unrecognised { body, .. } => serde_json::value::to_raw_value(body),
                }
            }

            /// The event as whoever reads it from a record has it; nothing where it cannot be written.
            pub fn as_read(&self) -> Option<Self> {
                self.body().ok().map(|body| Self::from_wire(self.kind(), &body))
            }

            /// Reads an event; a kind or a body that this build does not know is kept as it is.
            pub fn from_wire(kind: &str, body: &RawValue) -> Self {
                let known = match kind {
                    $($kind => serde_json::from_str::<$body>(body.get()).ok().map(Self::$variant),)*
                    _ => None,
                };
                known.unwrap_or_else(|| Self::Unrecognised {
                    kind: kind.to_owned(),
                    body: serde_json::from_str(body.get()).unwrap_or_default(),
                })
            }
        }
    };
}

/// An event that says all with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plain {}

/// A new title.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TitleSet {
    /// What is wrong, in one line.
    pub title: CleanStr,
}

/// Who may hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacySet {
    /// Nobody but those who are paged and those in its own chat channel.
    pub is_private: bool,
}

/// A new severity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SeveritySet {
    /// The level from now on.
    pub to: Severity,
    /// Why; asked for when it is lowered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// A new phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseEntered {
    /// The phase from now on.
    pub phase: Phase,
    /// Why; asked for when it goes back or ends early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
    /// When it was resolved: what was normal again and what was not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<ProofLine>,
    /// When it was resolved: the final status, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_status: Option<CleanText>,
    /// When it was closed: as what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When it was closed as a duplicate: what the record in which it goes on has as well, by what other systems call it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub keeps: BTreeSet<CleanStr>,
}

impl PhaseEntered {
    /// A phase that needs no more words.
    pub fn plain(phase: Phase) -> Self {
        Self { phase, reason: None, proof: Vec::new(), final_status: None, outcome: None, keeps: BTreeSet::new() }
    }
}

/// A service that is or is no longer affected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceNamed {
    /// The service.
    pub service: ServiceId,
}

/// When customers began or ceased to hurt.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct ImpactAt {
    /// The moment, in the incident's clock.
    pub at: DateTime<Utc>,
    /// Of which service; absent of all that is affected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// An end that was written while none was known: a second one changes nothing. Older builds corrected an end by another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_first: bool,
}

/// No customer is affected.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NoImpact {
    /// How that is known, where affected customers were recorded before: this takes them back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
}

/// A role that changed hands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoleNamed {
    /// The role.
    pub role: Role,
    /// Of an SME: for which component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<CleanStr>,
    /// Who holds or held it.
    pub holder: Actor,
    /// Why, where somebody else relieved the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CleanStr>,
    /// In a drill: the exercise plays whoever holds it, until a person takes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_played: bool,
}

/// Evidence on the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvidencePinned {
    /// What was pinned.
    pub evidence: Evidence,
}

/// A clock that did not run evenly: what stood on the screen before cannot be compared with what stands there now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockJumped {
    /// By how much the wall clock moved against the clock that counts suspend, in milliseconds.
    pub by_ms: i64,
}

events! {
    /// The incident was declared.
    Declared(Declared) = "declared",
    /// The incident is a drill.
    DrillStarted(DrillStarted) = "drill-started",
    /// The drill's clock stands still.
    DrillPaused(Plain) = "drill-paused",
    /// It runs again.
    DrillResumed(Plain) = "drill-resumed",
    /// Its facilitator did something.
    Facilitated(Facilitated) = "facilitated",
    /// Its title changed.
    TitleSet(TitleSet) = "title-set",
    /// It became private, or ceased to be.
    PrivacySet(PrivacySet) = "privacy-set",
    /// It is worse than was thought.
    SeverityRaised(SeveritySet) = "severity-raised",
    /// It is less bad than was thought.
    SeverityLowered(SeveritySet) = "severity-lowered",
    /// The Incident Commander said "mine"; stops the acknowledge clock.
    Acknowledged(Plain) = "acknowledged",
    /// It moved to a phase.
    PhaseEntered(PhaseEntered) = "phase-entered",
    /// A service is affected.
    ServiceAdded(ServiceNamed) = "service-added",
    /// A service is not affected after all.
    ServiceRemoved(ServiceNamed) = "service-removed",
    /// Customers began to hurt.
    ImpactStarted(ImpactAt) = "impact-started",
    /// Customers ceased to hurt.
    ImpactEnded(ImpactAt) = "impact-ended",
    /// Somebody took a role.
    RoleTaken(RoleNamed) = "role-taken",
    /// Somebody left a role.
    RoleLeft(RoleNamed) = "role-left",
    /// Somebody wrote a line.
    NoteAdded(NoteAdded) = "note-added",
    /// A line was corrected.
    NoteAmended(NoteAmended) = "note-amended",
    /// A line was struck through.
    NoteStruck(NoteStruck) = "note-struck",
    /// A graph or a trace was pinned.
    EvidencePinned(EvidencePinned) = "evidence-pinned",
    /// A step was done.
    StepChecked(StepDone) = "step-checked",
    /// A step was passed over.
    StepSkipped(StepSkipped) = "step-skipped",
    /// A step is open again.
    StepReopened(StepDone) = "step-reopened",
    /// An update was told.
    StatusUpdatePosted(StatusUpdate) = "status-update-posted",
    /// A console saw its clock jump.
    ClockJumped(ClockJumped) = "clock-jumped",
    /// A console saw that another one's clock is off.
    ClockSkewed(ClockSkewed) = "clock-skewed",
    /// An alert belongs to it.
    AlertLinked(AlertLinked) = "alert-linked",
    /// Triage found what is affected.
    ScopeSet(ScopeSet) = "scope-set",
    /// No customer is affected.
    NoCustomerAffected(NoImpact) = "no-customer-affected",
    /// Somebody of the escalation matrix was told.
    PersonTold(PersonTold) = "person-told",
    /// They were not told after all.
    PersonNotTold(PersonTold) = "person-not-told",
    /// Updates are due at another pace from now on.
    CadenceSet(CadenceSet) = "cadence-set",
    /// Something that is due was put off.
    ObligationSnoozed(ObligationSnoozed) = "obligation-snoozed",
    /// A text waits for approval.
    UpdateDrafted(UpdateDrafted) = "update-drafted",
    /// A draft will not go out.
    DraftDropped(DraftDropped) = "draft-dropped",
    /// A role was offered.
    HandoverOffered(HandoverOffered) = "handover-offered",
    /// The offered role was taken over.
    HandoverAccepted(HandoverAccepted) = "handover-accepted",
    /// The offer ended without.
    HandoverEnded(HandoverEnded) = "handover-ended",
    /// Work was handed to somebody.
    TaskAssigned(TaskAssigned) = "task-assigned",
    /// They repeated it.
    TaskReadBack(TaskReadBack) = "task-read-back",
    /// They called back.
    TaskAnswered(TaskAnswered) = "task-answered",
    /// Somebody proposed what to do.
    DecisionProposed(DecisionProposed) = "decision-proposed",
    /// Somebody objects.
    ObjectionRaised(ObjectionRaised) = "objection-raised",
    /// The Incident Commander decided.
    DecisionMade(DecisionMade) = "decision-made",
    /// Somebody has a theory.
    HypothesisOpened(HypothesisOpened) = "hypothesis-opened",
    /// The theory was settled.
    HypothesisSettled(HypothesisSettled) = "hypothesis-settled",
    /// Somebody works on a step.
    StepClaimed(StepClaimed) = "step-claimed",
    /// They do not any more.
    StepReleased(StepDone) = "step-released",
    /// The postmortem has a date and an owner.
    PostmortemScheduled(PostmortemScheduled) = "postmortem-scheduled",
    /// The knowledge-base article is there.
    ArticleRecorded(ArticleRecorded) = "article-recorded",
    /// A document was reviewed.
    Reviewed(Reviewed) = "reviewed",
    /// A follow-up came to be or changed.
    FollowUpSet(FollowUpSet) = "follow-up-set",
    /// A moment was corrected.
    TimeAmended(TimeAmended) = "time-amended",
    /// A line's text is shown no more.
    EntryRedacted(EntryRedacted) = "entry-redacted",
    /// A duplicate was merged into this record.
    DuplicateMerged(DuplicateMerged) = "duplicate-merged",
    /// Two records were not about the same after all.
    MergeUndone(MergeUndone) = "merge-undone",
    /// A line of the duplicate.
    LineMerged(LineMerged) = "line-merged",
    /// A command was confirmed, and starts.
    CommandStarted(CommandStarted) = "command-started",
    /// Something happened to it on its way.
    CommandRemarked(CommandRemarked) = "command-remarked",
    /// It ended.
    CommandEnded(CommandEnded) = "command-ended",
    /// A second person vouches for a command.
    CommandVouched(CommandVouched) = "command-vouched",
    /// A step that looks has found something.
    StepAnswered(StepAnswered) = "step-answered",
    /// A changed playbook may run its commands.
    PlaybookApproved(PlaybookApproved) = "playbook-approved",
    /// The version of a playbook that counts here.
    PlaybookFrozen(PlaybookFrozen) = "playbook-frozen",
    /// A text is to reach another system.
    DeliveryQueued(DeliveryQueued) = "delivery-queued",
    /// What became of that.
    DeliveryMoved(DeliveryMoved) = "delivery-moved",
    /// Something was done in another system.
    ForeignNoted(ForeignNoted) = "foreign-noted",
    /// A linked alert or an objective in scope began to be wrong, or began again.
    SymptomBegan(SymptomBegan) = "symptom-began",
    /// It is not wrong any more.
    SymptomEnded(SymptomEnded) = "symptom-ended",
}

impl Event {
    /// The playbook step that it is about.
    pub fn step(&self) -> Option<&StepRef> {
        match self {
            Self::StepChecked(body) | Self::StepReopened(body) | Self::StepReleased(body) => Some(&body.step),
            Self::StepSkipped(body) => Some(&body.step),
            Self::StepClaimed(body) => Some(&body.step),
            Self::StepAnswered(body) => Some(&body.step),
            Self::CommandStarted(body) => body.step.as_ref(),
            _ => None,
        }
    }
}
