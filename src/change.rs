//! Changes to what runs: deploys, flags, Terraform applies; what responders look at first.
//!
//! Hides the JSON lines in which they are kept and in which a command may print them.
//!
//! Invariant: reading never fails: a line that is no change is counted and passed over, and an end without a line break is no damage.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::incident::{Actor, ServiceId};
use crate::text::{CleanStr, Sought, bare};

/// Changes beyond this age are not looked at while an incident runs.
pub const RECENT: TimeDelta = TimeDelta::hours(24);
/// The most changes of one service that are kept in view.
pub const MOST_CHANGES: usize = 500;
/// A change that lies further ahead is marked, and leads no list: another machine's clock may be off by minutes, not by more.
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
        let is = |kind: &Self| kind.word().eq_ignore_ascii_case(bare(text));
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
    /// What else its sender said.
    #[serde(flatten)]
    pub more: More,
}

/// What senders say of a change beside the usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct More {
    /// More services that it touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceId>,
    /// What it is called by its sender: what comes with the same name is the same change, further on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<CleanStr>,
    /// How it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ChangeStatus>,
    /// Where: `production`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<CleanStr>,
    /// The version before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<CleanStr>,
    /// The version after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CleanStr>,
    /// What the way back is to be filled with, by the names of its placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<CleanStr, CleanStr>,
    /// The way that it went, the oldest first; put together from what came with the same name.
    #[serde(skip)]
    pub course: Vec<(DateTime<Utc>, ChangeStatus)>,
}

/// How a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeStatus {
    /// It waits or runs.
    Started,
    /// It is out.
    Succeeded,
    /// It did not get out, or not whole.
    Failed,
    /// It was taken back.
    RolledBack,
}

impl ChangeStatus {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Succeeded => "succeeded",
            Self::Failed => "FAILED",
            Self::RolledBack => "rolled back",
        }
    }
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

/// By what a list of changes is narrowed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Of this service.
    pub service: Option<String>,
    /// Of this kind.
    pub kind: Option<ChangeKind>,
    /// By somebody whose name has this in it.
    pub by: Option<String>,
}

impl ChangeFilter {
    /// Whether a change is wanted.
    pub fn takes(&self, change: &Change) -> bool {
        let has = |text: &str, part: &String| Sought::phrase(part).is_in(text);
        self.service.as_ref().is_none_or(|name| change.services().any(|service| service.eq_ignore_ascii_case(name)))
            && self.kind.is_none_or(|kind| change.kind == kind)
            && self.by.as_ref().is_none_or(|part| has(&change.by, part))
    }
}

impl Change {
    /// All services that it touched; none where it is everybody's.
    pub fn services(&self) -> impl Iterator<Item = &ServiceId> {
        let more = self.more.services.iter().filter(|one| self.service.as_ref() != Some(*one));
        self.service.iter().chain(more)
    }

    /// Whether it lies so far in the future that some clock is wrong.
    pub fn is_ahead(&self, now: DateTime<Utc>) -> bool {
        self.at > now + AHEAD
    }

    /// Whether it touches one of some services, or says of none that it touches it.
    pub fn touches(&self, services: &BTreeSet<&str>) -> bool {
        let mut of = self.services().peekable();
        of.peek().is_none() || of.any(|service| services.contains(service.as_str()))
    }

    /// What it is, in a line without its time: kind, services, what, version, environment, course, who.
    pub fn line(&self) -> String {
        let services: Vec<_> = self.services().map(|one| one.as_str()).collect();
        let services = if services.is_empty() { String::new() } else { format!(" {}", services.join(", ")) };
        let more = &self.more;
        let version = match (&more.before, &more.after) {
            (Some(before), Some(after)) => format!(", {before} -> {after}"),
            (None, Some(after)) => format!(", to {after}"),
            (Some(before), None) => format!(", from {before}"),
            (None, None) => String::new(),
        };
        let place = more.environment.as_ref().map(|place| format!(" in {place}")).unwrap_or_default();
        let course = match more.course.as_slice() {
            [] => more.status.map(|status| format!(", {}", status.words())).unwrap_or_default(),
            [(_, only)] => format!(", {}", only.words()),
            all => {
                let steps: Vec<_> =
                    all.iter().map(|(at, status)| format!("{} {}", at.format("%H:%M:%SZ"), status.words())).collect();
                format!(", {}", steps.join(", "))
            }
        };
        let by = if self.by.is_blank() { String::new() } else { format!(" ({})", self.by) };
        format!("{}{services}: {}{version}{place}{course}{by}", self.kind, self.what)
    }

    /// A word that names it in a shell, where no number lasts: of its sender's name for it, or else of when, of what and what it was.
    pub fn word(&self) -> String {
        let named = self.more.id.as_ref().map(ToString::to_string);
        let services: Vec<_> = self.services().map(|one| one.as_str()).collect();
        let told = || format!("{}|{}|{}|{}", self.at.timestamp_millis(), self.kind, services.join(","), self.what);
        let hash = blake3::hash(named.unwrap_or_else(told).as_bytes()).to_hex();
        format!("c{}", &hash[..6])
    }

    /// The step that takes it back, with its values, as a theory keeps it: `alipay/rollback version=4.11`; else the words.
    pub fn way_back(&self) -> Option<CleanStr> {
        let words = self.rollback.as_ref()?;
        let is_step = !words.is_blank() && !words.contains(char::is_whitespace);
        let service = self.services().next().filter(|_| is_step);
        let Some(service) = service else { return Some(words.clone()) };
        let step = if words.contains('/') { words.to_string() } else { format!("{service}/{words}") };
        let values: String = self.more.values.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        Some(CleanStr::new(&format!("{step}{values}")))
    }

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

/// What comes with the same name, by the same sender, is one change with its course; the last word on everything else counts.
pub fn together(changes: Vec<Change>) -> Vec<Change> {
    let mut places: HashMap<CleanStr, usize> = HashMap::new();
    let mut all: Vec<Change> = Vec::with_capacity(changes.len());
    for mut change in changes {
        change.more.course.extend(change.more.status.map(|status| (change.at, status)));
        let Some(id) = change.more.id.clone() else {
            all.push(change);
            continue;
        };
        match places.get(&id) {
            None => {
                places.insert(id, all.len());
                all.push(change);
            }
            Some(place) => all[*place].go_on(change),
        }
    }
    all
}

impl Change {
    /// The same change, heard of once more.
    fn go_on(&mut self, later: Self) {
        let mut course = std::mem::take(&mut self.more.course);
        course.extend(later.more.course.iter().copied());
        course.sort_by_key(|(at, _)| *at);
        course.dedup();
        let before = std::mem::replace(self, later);
        let more = &mut self.more;
        more.status = course.last().map(|(_, status)| *status);
        // It took effect when it was out; until then, when it was last heard of.
        let out = course.iter().find(|(_, status)| *status == ChangeStatus::Succeeded);
        self.at = out.or(course.last()).map_or(self.at, |(at, _)| *at);
        more.course = course;
        more.before = more.before.take().or(before.more.before);
        more.after = more.after.take().or(before.more.after);
        more.environment = more.environment.take().or(before.more.environment);
        if more.services.is_empty() {
            more.services = before.more.services;
        }
        // What was said once of the way back holds until it is said anew.
        for (name, value) in before.more.values {
            more.values.entry(name).or_insert(value);
        }
        self.link = self.link.take().or(before.link);
        self.rollback = self.rollback.take().or(before.rollback);
        if self.by.is_blank() {
            self.by = before.by;
        }
    }
}

/// The changes of the last day, the newest first; those that lie in the future last. Of each service at most [`MOST_CHANGES`]: a flood of one hides
/// none of another. How many were left out comes with them.
pub fn recent(changes: &[Change], now: DateTime<Utc>) -> (Vec<Change>, usize) {
    let changes = together(changes.to_vec());
    // Of two at the same moment, the one that was written later comes first.
    let mut recent: Vec<Change> = changes.into_iter().rev().filter(|change| change.at > now - RECENT).collect();
    recent.sort_by_key(|change| (change.is_ahead(now), std::cmp::Reverse(change.at)));
    bounded(recent)
}

/// The first changes of each service, at most [`MOST_CHANGES`], and how many more there are: a flood of one hides none of another.
pub fn bounded(mut changes: Vec<Change>) -> (Vec<Change>, usize) {
    let before = changes.len();
    let mut count: HashMap<Option<ServiceId>, usize> = HashMap::new();
    changes.retain(|change| {
        let count = count.entry(change.service.clone()).or_default();
        *count += 1;
        *count <= MOST_CHANGES
    });
    let left_out = before - changes.len();
    (changes, left_out)
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
            more: More {
                services: vec!["alipay".into()],
                id: Some("gh/7".into()),
                status: Some(ChangeStatus::RolledBack),
                environment: Some("production".into()),
                before: Some("4.11".into()),
                after: Some("4.12".into()),
                values: BTreeMap::from([("version".into(), "4.11".into())]),
                course: Vec::new(),
            },
        };
        let least = Change {
            kind: ChangeKind::Other,
            service: None,
            by: Actor::default(),
            link: None,
            rollback: None,
            more: More::default(),
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
            more: More::default(),
        };
        let all = [
            change(5, "b"),
            change(1440, "a day"),
            change(1, "a"),
            change(-3, "a clock that is ahead"),
            change(-60, "tomorrow"),
            change(5, "b, written later"),
        ];
        let what: Vec<_> = recent(&all, now).0.into_iter().map(|change| change.what).collect();
        assert_eq!(what, ["a clock that is ahead", "a", "b, written later", "b", "tomorrow"]);
        let mut many: Vec<_> = (0..MOST_CHANGES + 7).map(|_| change(1, "x")).collect();
        many.insert(0, Change { service: Some("alipay".into()), ..change(40, "ours") });
        let (kept, left_out) = recent(&many, now);
        assert_eq!((kept.len(), left_out), (MOST_CHANGES + 1, 7));
        assert_eq!(kept.last().map(|change| change.what.as_str()), Some("ours"), "a flood hides nothing of others");
    }

    #[test]
    fn what_a_sender_calls_by_one_name_is_one_change_with_its_course() {
        let heard = |minutes: i64, status: ChangeStatus, after: Option<&str>| Change {
            at: at("2026-11-23T12:00:00Z") + TimeDelta::minutes(minutes),
            kind: ChangeKind::Deploy,
            service: Some("alipay".into()),
            what: "4.12".into(),
            by: "ci".into(),
            link: None,
            rollback: Some("rollback".into()),
            more: More {
                id: Some("gh/7".into()),
                status: Some(status),
                after: after.map(CleanStr::from),
                values: BTreeMap::from([("version".into(), "4.11".into())]),
                ..More::default()
            },
        };
        let started = heard(0, ChangeStatus::Started, Some("9f2c"));
        let mut out = heard(3, ChangeStatus::Succeeded, None);
        // The second message says no more than that it is out.
        (out.rollback, out.more.values) = (None, BTreeMap::new());
        for order in [vec![started.clone(), out.clone()], vec![out, started]] {
            let [one] = &together(order)[..] else { panic!("one change") };
            assert_eq!((one.at, one.more.status), (at("2026-11-23T12:03:00Z"), Some(ChangeStatus::Succeeded)));
            assert_eq!(one.line(), "deploy alipay: 4.12, to 9f2c, 12:00:00Z started, 12:03:00Z succeeded (ci)");
            assert_eq!(one.way_back().as_deref(), Some("alipay/rollback version=4.11"));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_fail(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let reading = read(&bytes);
            prop_assert!(reading.changes.len() + reading.damaged <= bytes.iter().filter(|byte| **byte == b'\n').count() + 1);
        }
    }
}
