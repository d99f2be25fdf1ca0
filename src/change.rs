//! Changes to what runs: deploys, flags, Terraform applies; what responders look at first.
//!
//! Hides the JSON lines in which they are kept and in which a command may print them.
//!
//! Invariant: reading never fails: a line that is no change is counted and passed over, and an end without a line break is no damage.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::incident::{Actor, ServiceId};
use crate::text::CleanStr;

/// Changes beyond this age are not looked at while an incident runs.
pub const RECENT: TimeDelta = TimeDelta::hours(24);
/// The most changes that are kept in view.
pub const MOST_CHANGES: usize = 500;
/// A change that lies further ahead is not shown yet: another machine's clock may be off by minutes, not by more.
const AHEAD: TimeDelta = TimeDelta::minutes(15);

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ChangeKind {
    /// A version went out.
    Deploy,
    /// A feature flag was switched.
    Flag,
    /// Infrastructure was applied.
    Terraform,
    /// A setting was changed.
    Config,
    /// Anything else.
    #[default]
    Other,
}

impl ChangeKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Deploy, Self::Flag, Self::Terraform, Self::Config, Self::Other];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Flag => "flag",
            Self::Terraform => "terraform",
            Self::Config => "config",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

impl FromStr for ChangeKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<_> = Self::ALL.iter().map(|kind| kind.word()).collect();
        let is = |kind: &Self| kind.word().eq_ignore_ascii_case(text.trim());
        Self::ALL.into_iter().find(is).ok_or_else(|| format!("choose {}", words.join(", ")))
    }
}

impl Serialize for ChangeKind {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for ChangeKind {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        // A pipeline's word that is not ours is no reason to lose the change.
        Ok(CleanStr::deserialize(input)?.parse().unwrap_or_default())
    }
}

/// One change to what runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When it took effect.
    #[serde(serialize_with = "to_the_millisecond")]
    pub at: DateTime<Utc>,
    /// What kind.
    #[serde(default)]
    pub kind: ChangeKind,
    /// The service that it touched, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// What changed, in a line.
    #[serde(deserialize_with = "said")]
    pub what: CleanStr,
    /// Who did it; empty where nobody said.
    #[serde(default)]
    pub by: Actor,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<CleanStr>,
    /// How to undo it: the id of a step of the service's playbook, or words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<CleanStr>,
}

fn to_the_millisecond<S: Serializer>(at: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn said<'de, D: Deserializer<'de>>(input: D) -> Result<CleanStr, D::Error> {
    let text = CleanStr::deserialize(input)?;
    if text.trim().is_empty() {
        return Err(serde::de::Error::custom("says nothing"));
    }
    Ok(text)
}

impl Change {
    /// The change as a line of JSON, without its line break.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a change holds strings and a time only")
    }
}

/// What lines of JSON hold.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Reading {
    /// The changes, in the order of their lines.
    pub changes: Vec<Change>,
    /// How many lines are no change.
    pub damaged: usize,
    /// Whether the end is half a line, as a crash leaves it.
    pub is_torn: bool,
}

/// Reads lines of JSON; blank ones do not count.
pub fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(line.trim_ascii()) {
            Ok(change) => reading.changes.push(change),
            Err(_) if line.ends_with(b"\n") => reading.damaged += 1,
            Err(_) => reading.is_torn = true,
        }
    }
    reading
}

/// The changes of the last day, the newest first, at most [`MOST_CHANGES`].
pub fn recent(changes: &[Change], now: DateTime<Utc>) -> Vec<Change> {
    // Of two at the same moment, the one that was written later comes first.
    let mut recent: Vec<_> =
        changes.iter().rev().filter(|change| change.at > now - RECENT && change.at <= now + AHEAD).collect();
    recent.sort_by_key(|change| std::cmp::Reverse(change.at));
    recent.into_iter().take(MOST_CHANGES).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_change_is_read_back_as_it_was_written() {
        let whole = Change {
            at: at("2026-11-23T14:10:00.250Z"),
            kind: ChangeKind::Terraform,
            service: Some("yoomonea".into()),
            what: "failover to payments-secondary".into(),
            by: "dana".into(),
            link: Some("https://ci/1".into()),
            rollback: Some("failover-back".into()),
        };
        let least = Change {
            kind: ChangeKind::Other,
            service: None,
            by: Actor::default(),
            link: None,
            rollback: None,
            ..whole.clone()
        };
        for change in [whole, least] {
            assert_eq!(read(change.to_json().as_bytes()).changes, [change]);
        }
    }

    #[test]
    fn what_a_pipeline_prints_is_taken_as_far_as_it_can_be_understood() {
        let good = r#"{"at":"2026-11-23T15:10:00+01:00","what":"v42"}"#;
        for (line, changes, damaged, is_torn) in [
            (format!("{good}\n"), 1, 0, false),
            (good.to_owned(), 1, 0, false),
            (format!("{good}\r\n\n   \n{good}\n"), 2, 0, false),
            (r#"{"at":"2026-11-23T14:10:00Z","what":"v42","kind":"Deploy","ticket":7}"#.to_owned(), 1, 0, false),
            (r#"{"at":"2026-11-23T14:10:00Z","what":"v42","kind":"helm"}"#.to_owned(), 1, 0, false),
            (format!("nonsense\n{good}\n"), 1, 1, false),
            (format!("{good}\n{{\"at\":\"2026-11-23T14:1"), 1, 0, true),
            (format!("{good}{good}\n{good}\n"), 1, 1, false),
            ("{\"at\":\"yesterday\",\"what\":\"x\"}\n{\"what\":\"x\"}\n[]\n".to_owned(), 0, 3, false),
            ("{\"at\":\"2026-11-23T14:10:00Z\",\"what\":\" \"}\n".to_owned(), 0, 1, false),
            ("\u{0}\u{0}\u{0}\n\u{feff}\n".to_owned(), 0, 2, false),
            (String::new(), 0, 0, false),
        ] {
            let reading = read(line.as_bytes());
            assert_eq!(
                (reading.changes.len(), reading.damaged, reading.is_torn),
                (changes, damaged, is_torn),
                "{line}"
            );
            for change in reading.changes {
                assert_eq!((&*change.what, change.at), ("v42", at("2026-11-23T14:10:00Z")));
            }
        }
        assert_eq!(read(b"\xff\xfe\n").damaged, 1);
    }

    #[test]
    fn the_last_day_is_recent_the_newest_first_and_a_clock_that_is_far_ahead_does_not_stay_on_top() {
        let now = at("2026-11-23T12:00:00Z");
        let change = |minutes: i64, what: &str| Change {
            at: now - TimeDelta::minutes(minutes),
            kind: ChangeKind::Deploy,
            service: None,
            what: what.into(),
            by: Actor::default(),
            link: None,
            rollback: None,
        };
        let all = [
            change(5, "b"),
            change(1440, "a day"),
            change(1, "a"),
            change(-3, "a clock that is ahead"),
            change(-60, "tomorrow"),
            change(5, "b, written later"),
        ];
        let what: Vec<_> = recent(&all, now).into_iter().map(|change| change.what).collect();
        assert_eq!(what, ["a clock that is ahead", "a", "b, written later", "b"]);
        let many: Vec<_> = (0..MOST_CHANGES + 7).map(|_| change(1, "x")).collect();
        assert_eq!(recent(&many, now).len(), MOST_CHANGES);
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let reading = read(&bytes);
            prop_assert!(reading.changes.len() + reading.damaged <= bytes.iter().filter(|byte| **byte == b'\n').count() + 1);
        }
    }
}
