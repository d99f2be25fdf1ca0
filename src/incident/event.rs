//! What the journal holds: entries, and the facts (events) inside them.
//!
//! Hides the JSON shape of an entry. An event of a newer build is kept as [`Event::Unrecognised`] with its body, so that an older console neither
//! loses nor rewrites it.
//!
//! Invariant: reading an entry never fails because of its event, and writing what was read gives the same JSON value.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::text::{CleanStr, CleanText};

/// The version of the entry format that this build writes.
pub const ENTRY_VERSION: u16 = 1;

/// Whether a record belongs to a real incident or to an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// A real incident, `INC-<n>`.
    Incident,
    /// A GameDay drill, `DRILL-<n>`: never counted as an incident.
    Drill,
}

impl Series {
    /// The letters before the number.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Incident => "INC",
            Self::Drill => "DRILL",
        }
    }
}

/// The name of a record: `INC-42` or `DRILL-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId {
    /// Real or drill.
    pub series: Series,
    /// Counts from 1 in each journal directory.
    pub number: u32,
}

impl IncidentId {
    /// The id of a real incident.
    pub fn incident(number: u32) -> Self {
        Self { series: Series::Incident, number }
    }

    /// The id of a drill.
    pub fn drill(number: u32) -> Self {
        Self { series: Series::Drill, number }
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&format!("{}-{}", self.series.prefix(), self.number))
    }
}

/// A text that is not the name of an incident.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an incident: write INC-42, inc-42, 42, or DRILL-3 for a drill")]
pub struct NotAnIncident(pub String);

impl FromStr for IncidentId {
    type Err = NotAnIncident;

    fn from_str(text: &str) -> Result<Self, NotAnIncident> {
        let refuse = || NotAnIncident(CleanStr::new(text).to_string());
        let (series, digits) = match text.trim().split_once('-') {
            Some((word, digits)) if word.eq_ignore_ascii_case("inc") => (Series::Incident, digits),
            Some((word, digits)) if word.eq_ignore_ascii_case("drill") => (Series::Drill, digits),
            Some(_) => return Err(refuse()),
            None => (Series::Incident, text.trim()),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse());
        }
        let number = digits.parse().map_err(|_| refuse())?;
        if number == 0 {
            return Err(refuse());
        }
        Ok(Self { series, number })
    }
}

macro_rules! as_string {
    ($name:ty) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        out.write_str("a text")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                input.deserialize_str(Visitor)
            }
        }
    };
}
as_string!(IncidentId);

/// The identity of an entry: which journal file it was first written to, and its place there. Written `<rid as hex>:<rseq>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EntryId {
    /// Random 63-bit number of the journal file of origin.
    pub rid: u64,
    /// Dense counter in that file, from 1.
    pub rseq: u64,
}

impl fmt::Display for EntryId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}:{}", self.rid, self.rseq)
    }
}

impl FromStr for EntryId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once(':')
            .and_then(|(rid, rseq)| Some(Self { rid: u64::from_str_radix(rid, 16).ok()?, rseq: rseq.parse().ok()? }))
            .ok_or_else(|| "an entry id is written <hex>:<number>".to_owned())
    }
}
as_string!(EntryId);

/// A hybrid logical clock reading: 48 bits of milliseconds since 1970, 16 bits of counter. Written as 16 hex digits, which sort like the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hlc(pub u64);

impl Hlc {
    /// The reading that follows this one at a wall time: never backwards, whatever the wall clock does.
    pub fn next(self, wall: DateTime<Utc>) -> Self {
        let milliseconds = u64::try_from(wall.timestamp_millis()).unwrap_or(0) & 0xffff_ffff_ffff;
        Self((milliseconds << 16).max(self.0.saturating_add(1)))
    }
}

impl fmt::Display for Hlc {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }
}

impl FromStr for Hlc {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        u64::from_str_radix(text, 16).map(Self).map_err(|_| "a clock reading is 16 hex digits".to_owned())
    }
}
as_string!(Hlc);

/// The person that an entry names as its author; self-asserted within the Unix group that shares the journal.
pub type Actor = CleanStr;

/// The name of a service, as its playbook file and its labels spell it (`alipay`).
pub type ServiceId = CleanStr;

/// Which console wrote an entry.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Via {
    /// The Unix account.
    pub uid: u32,
    /// The process.
    pub pid: u32,
    /// The console's own name, random for each start.
    pub console: CleanStr,
}

/// A stamped line of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Version of the format that wrote it.
    pub v: u16,
    /// The incident that it belongs to.
    pub inc: IncidentId,
    /// Its identity.
    pub id: EntryId,
    /// Its place in the order that people see.
    pub hlc: Hlc,
    /// The raw clock of the origin when it was written.
    pub wall: DateTime<Utc>,
    /// Who did it.
    pub actor: Actor,
    /// Through which console.
    pub via: Via,
    /// The fact.
    pub event: Event,
    /// The entry that was acted on, where there is one.
    pub after: Option<EntryId>,
    /// BLAKE3 of the previous entry of the same file as it is stored, as hex; empty for the first.
    pub prev: String,
}

/// Where an entry stands in the order that everybody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// First by clock,
    pub hlc: Hlc,
    /// then by identity.
    pub id: EntryId,
}

impl Entry {
    /// Its place in the order that everybody sees.
    pub fn order(&self) -> OrderKey {
        OrderKey { hlc: self.hlc, id: self.id }
    }

    /// The entry as one line of canonical JSON: fixed field order, no spaces.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an entry holds strings, numbers and JSON values only")
    }

    /// Reads an entry; fails only where the envelope itself is damaged.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

#[derive(Serialize)]
struct WireOut<'a> {
    v: u16,
    inc: IncidentId,
    rid: String,
    rseq: u64,
    hlc: Hlc,
    wall: String,
    actor: &'a str,
    via: &'a Via,
    kind: &'a str,
    body: Box<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<EntryId>,
    prev: &'a str,
}

#[derive(Deserialize)]
struct WireIn<'a> {
    v: u16,
    inc: IncidentId,
    rid: &'a str,
    rseq: u64,
    hlc: Hlc,
    #[serde(deserialize_with = "wall")]
    wall: DateTime<Utc>,
    actor: Actor,
    via: Via,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(default)]
    after: Option<EntryId>,
    #[serde(default)]
    prev: String,
}

/// Reads a time; the form that this build writes (`2026-11-23T14:00:00.125Z`) without chrono's general parser, because a replay reads thousands.
fn wall<'de, D: Deserializer<'de>>(input: D) -> Result<DateTime<Utc>, D::Error> {
    struct Visitor;
    impl serde::de::Visitor<'_> for Visitor {
        type Value = DateTime<Utc>;
        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a time")
        }
        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
            own_time(text.as_bytes()).map_or_else(|| text.parse().map_err(E::custom), Ok)
        }
    }
    input.deserialize_str(Visitor)
}

fn own_time(text: &[u8]) -> Option<DateTime<Utc>> {
    let number = |from: usize, to: usize| {
        text[from..to]
            .iter()
            .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let milliseconds = match (text.len(), text.last()) {
        (20, Some(b'Z')) => 0,
        (24, Some(b'Z')) if text[19] == b'.' => number(20, 23)?,
        _ => return None,
    };
    if (text[4], text[7], text[10], text[13], text[16]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let date = chrono::NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 7)?, number(8, 10)?)?;
    Some(date.and_hms_milli_opt(number(11, 13)?, number(14, 16)?, number(17, 19)?, milliseconds)?.and_utc())
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        WireOut {
            v: self.v,
            inc: self.inc,
            rid: format!("{:016x}", self.id.rid),
            rseq: self.id.rseq,
            hlc: self.hlc,
            wall: self.wall.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            actor: &self.actor,
            via: &self.via,
            kind: self.event.kind(),
            body: self.event.body().map_err(serde::ser::Error::custom)?,
            after: self.after,
            prev: &self.prev,
        }
        .serialize(out)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let wire = WireIn::deserialize(input)?;
        let rid = u64::from_str_radix(wire.rid, 16).map_err(|_| D::Error::custom("rid is 16 hex digits"))?;
        Ok(Self {
            v: wire.v,
            inc: wire.inc,
            id: EntryId { rid, rseq: wire.rseq },
            hlc: wire.hlc,
            wall: wire.wall,
            actor: wire.actor,
            via: wire.via,
            event: Event::from_wire(&wire.kind, wire.body),
            after: wire.after,
            prev: wire.prev,
        })
    }
}

/// How bad it is, by the runbook's escalation matrix; SEV0 is the worst and sorts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Complete outage or regulatory impact.
    Sev0,
    /// Major functionality loss affecting more than half of the users.
    Sev1,
    /// Partial degradation affecting a specific integration.
    Sev2,
    /// Minor bug or alert noise.
    Sev3,
}

impl Severity {
    /// All levels, the worst first.
    pub const ALL: [Self; 4] = [Self::Sev0, Self::Sev1, Self::Sev2, Self::Sev3];

    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sev0 => "SEV0",
            Self::Sev1 => "SEV1",
            Self::Sev2 => "SEV2",
            Self::Sev3 => "SEV3",
        }
    }

    /// The runbook's definition.
    pub fn definition(self) -> &'static str {
        match self {
            Self::Sev0 => "complete outage or regulatory impact",
            Self::Sev1 => "major functionality loss affecting > 50 % of users",
            Self::Sev2 => "partial degradation affecting a specific integration",
            Self::Sev3 => "minor bug or alert noise",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|level| lower == level.name().to_ascii_lowercase() || lower == level.name()[3..])
            .ok_or_else(|| format!("`{}` is no severity: sev0, sev1, sev2 or sev3", CleanStr::new(text)))
    }
}

/// Where the incident stands in the runbook's lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Something fired or somebody called.
    Detected,
    /// An Incident Commander said "mine".
    Acknowledged,
    /// Scope is being confirmed.
    Triage,
    /// Steps against it are being taken.
    Mitigating,
    /// Metrics and traces are back to normal.
    Resolved,
    /// Postmortem, article, follow-ups.
    PostIncident,
    /// Done.
    Closed,
}

impl Phase {
    /// All phases in their order.
    pub const ALL: [Self; 7] = [
        Self::Detected,
        Self::Acknowledged,
        Self::Triage,
        Self::Mitigating,
        Self::Resolved,
        Self::PostIncident,
        Self::Closed,
    ];

    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Detected => "Detected",
            Self::Acknowledged => "Acknowledged",
            Self::Triage => "Triage",
            Self::Mitigating => "Mitigating",
            Self::Resolved => "Resolved",
            Self::PostIncident => "Post-incident",
            Self::Closed => "Closed",
        }
    }

    /// The one question that moves the incident on.
    pub fn question(self) -> &'static str {
        match self {
            Self::Detected => "Who commands, and is it real? Acknowledge.",
            Self::Acknowledged => "What is affected: services, places, partners, since when?",
            Self::Triage => "What will we do about it first?",
            Self::Mitigating => "Are metrics and traces back to normal?",
            Self::Resolved => "When is the postmortem, and who owns it?",
            Self::PostIncident => "Is every follow-up owned, and the playbook reviewed?",
            Self::Closed => "Nothing is left to do.",
        }
    }

    /// Whether customers may still be hurting: clocks run until here.
    pub fn is_live(self) -> bool {
        self < Self::Resolved
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// The runbook's four roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Owns the plan, coordinates, communicates.
    IncidentCommander,
    /// Posts updates inside and to customers.
    CommunicationsLead,
    /// Troubleshoots a component.
    Sme,
    /// Documents timeline, actions, decisions.
    Scribe,
}

impl Role {
    /// All roles, in the order in which an empty one hurts.
    pub const ALL: [Self; 4] = [Self::IncidentCommander, Self::CommunicationsLead, Self::Sme, Self::Scribe];

    /// The full name.
    pub fn name(self) -> &'static str {
        match self {
            Self::IncidentCommander => "Incident Commander",
            Self::CommunicationsLead => "Communications Lead",
            Self::Sme => "Subject Matter Expert",
            Self::Scribe => "Scribe",
        }
    }

    /// The short name that people say.
    pub fn short(self) -> &'static str {
        match self {
            Self::IncidentCommander => "IC",
            Self::CommunicationsLead => "Comms",
            Self::Sme => "SME",
            Self::Scribe => "Scribe",
        }
    }
}

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
    /// The exercise file itself, so that a console without the file rebuilds the world too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<CleanText>,
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
}

fn utc() -> CleanStr {
    CleanStr::new("UTC")
}

/// What kind of line a note is; the scribe's vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoteKind {
    /// Anything worth a line.
    #[default]
    Note,
    /// What was decided.
    Decision,
    /// What somebody does.
    Action,
    /// What somebody found out.
    Finding,
    /// What must not be forgotten; becomes a follow-up.
    Todo,
    /// Conditions, actions, needs.
    Can,
}

impl NoteKind {
    /// All kinds, in the order of the picker.
    pub const ALL: [Self; 6] = [Self::Note, Self::Decision, Self::Action, Self::Finding, Self::Todo, Self::Can];

    /// The word at the start of the scribe's line, and on the timeline.
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Decision => "decision",
            Self::Action => "action",
            Self::Finding => "finding",
            Self::Todo => "todo",
            Self::Can => "can",
        }
    }
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
        /// The PromQL as it was sent.
        query: CleanStr,
        /// Start of what was on the screen.
        from: DateTime<Utc>,
        /// Its end.
        to: DateTime<Utc>,
        /// The moment under the cursor.
        at: DateTime<Utc>,
        /// The value there, with its unit; "no data" is a value too.
        value: CleanStr,
    },
    /// A trace.
    Trace {
        /// Its id, as hex.
        trace: CleanStr,
        /// What the deepest error says.
        summary: CleanStr,
    },
}

/// A step of a playbook: `alipay/route-to-backup`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepRef {
    /// Whose playbook.
    pub service: ServiceId,
    /// The step's id in that file.
    pub step: CleanStr,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// Where it was told.
    pub channels: BTreeSet<Channel>,
    /// The text.
    pub text: CleanText,
    /// When the next one was promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised_next: Option<DateTime<Utc>>,
}

/// A place where updates are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The incident's own chat channel.
    IncidentChannel,
    /// `#status-qrpay`.
    StatusSlack,
    /// The internal status page.
    InternalPage,
    /// The status page that customers read.
    ExternalPage,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 4] = [Self::IncidentChannel, Self::StatusSlack, Self::InternalPage, Self::ExternalPage];

    /// The name on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::IncidentChannel => "incident channel",
            Self::StatusSlack => "#status-qrpay",
            Self::InternalPage => "internal page",
            Self::ExternalPage => "external page",
        }
    }
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

        impl Event {
            /// The name in the journal; stable for ever.
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $kind,)*
                    Self::Unrecognised { kind, .. } => kind,
                }
            }

            fn body(&self) -> Result<Box<RawValue>, serde_json::Error> {
                match self {
                    $(Self::$variant(body) => serde_json::value::to_raw_value(body),)*
                    Self::Unrecognised { body, .. } => serde_json::value::to_raw_value(body),
                }
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
}

/// A service that is or is no longer affected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceNamed {
    /// The service.
    pub service: ServiceId,
}

/// When customers began or ceased to hurt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImpactAt {
    /// The moment, in the incident's clock.
    pub at: DateTime<Utc>,
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
    /// Its title changed.
    TitleSet(TitleSet) = "title-set",
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incident_is_named_the_way_people_write_it() {
        for (text, id) in [
            ("42", IncidentId::incident(42)),
            ("inc-42", IncidentId::incident(42)),
            (" INC-7 ", IncidentId::incident(7)),
            ("drill-3", IncidentId::drill(3)),
        ] {
            assert_eq!(text.parse(), Ok(id));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for wrong in ["", "INC-", "inc--1", "INC-0", "../etc", "INC-99999999999", "foo-1", "+4"] {
            assert!(wrong.parse::<IncidentId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_reads_the_same_by_the_short_way_and_by_the_long_one() {
        for text in ["2026-11-23T14:00:00Z", "2024-02-29T23:59:59.999Z", "1970-01-01T00:00:00.001Z"] {
            assert_eq!(own_time(text.as_bytes()), Some(text.parse().unwrap()), "{text}");
        }
        for other in [
            "2026-02-30T14:00:00Z",
            "2026-11-23T14:00:00+01:00",
            "2026-11-23 14:00:00Z",
            "2026-11-23T24:00:00Z",
            "",
            "Z",
        ] {
            assert_eq!(own_time(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_clock_reading_never_goes_back_whatever_the_wall_clock_does() {
        let noon = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let first = Hlc::default().next(noon);
        let after_a_step_back = first.next(noon - chrono::Duration::hours(2));
        assert!(first < after_a_step_back && after_a_step_back < first.next(noon + chrono::Duration::milliseconds(5)));
        assert_eq!(first.to_string().parse(), Ok(first));
    }

    #[test]
    fn an_entry_of_a_newer_build_survives_an_older_one() {
        let json = r#"{"v":9,"inc":"INC-4","rid":"00000000000000ff","rseq":3,"hlc":"019f000000000001","wall":"2026-11-23T14:00:00.125Z","actor":"dana","via":{"uid":0,"pid":7,"console":"c1"},"kind":"task-assigned","body":{"to":"omid","minutes":5,"nested":[1,{"a":null}]},"prev":"ab"}"#;
        let entry = Entry::from_json(json).unwrap();
        assert!(matches!(&entry.event, Event::Unrecognised { kind, .. } if kind == "task-assigned"));
        let again: serde_json::Value = serde_json::from_str(&entry.to_json()).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(json).unwrap());
        assert_eq!(Entry::from_json(&entry.to_json()).unwrap(), entry);
    }

    #[test]
    fn a_known_kind_with_a_body_from_the_future_is_kept_not_guessed() {
        let raw = RawValue::from_string(r#"{"to":"sev9"}"#.to_owned()).unwrap();
        assert!(matches!(Event::from_wire("severity-raised", &raw), Event::Unrecognised { .. }));
    }
}
