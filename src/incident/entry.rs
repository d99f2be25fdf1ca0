//! Entries of the journal: who wrote what when, and the identities by which they are named.
//!
//! Hides the JSON shape of an entry.
//!
//! Invariant: reading an entry never fails because of its event, and writing what was read gives the same JSON value.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::event::Event;
use crate::text::{CleanStr, bare};

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
        let (series, digits) = match bare(text).split_once('-') {
            Some((word, digits)) if word.eq_ignore_ascii_case("inc") => (Series::Incident, digits),
            Some((word, digits)) if word.eq_ignore_ascii_case("drill") => (Series::Drill, digits),
            Some(_) => return Err(refuse()),
            None => (Series::Incident, bare(text)),
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
    /// The machine on which it runs; blank in records of older builds.
    #[serde(default, skip_serializing_if = "CleanStr::is_blank")]
    pub host: CleanStr,
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

/// An entry by its number and by what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Its identity.
    pub id: EntryId,
    /// What it says, in a hash; see [`Entry::hash`].
    pub hash: CleanStr,
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

    /// What it says, in a hash: BLAKE3 of its canonical JSON, as hex.
    pub fn hash(&self) -> CleanStr {
        CleanStr::new(blake3::hash(self.to_json().as_bytes()).to_hex().as_str())
    }

    /// Its number, and what it says in a hash.
    pub fn stamp(&self) -> Stamp {
        Stamp { id: self.id, hash: self.hash() }
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
