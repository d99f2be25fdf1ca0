//! What another system keeps of this incident, and somebody ended there while it goes on: closed, or made part of another one.
//!
//! Hides how such an end is kept among what others did, and what takes it back: its opening there, or from here.
//!
//! Invariant: an end counts for the object that the record has now; a word about one end is none for the next.

use std::collections::BTreeSet;

use super::foreign::Foreign;
use super::{Act, CleanStr, DateTime, DeliveryState, EntryId, Facts, Remote, Thing, Utc};

/// Systems that tell of an end there.
const TELLING: [&str; 3] = ["pagerduty", "opsgenie", "jira"];
/// What begins the key of an end: `over/ID/STAMP`, and `over/ID/STAMP/INTO/NUMBER` where it went into another one.
const OVER: &str = "over";
/// What begins the key of what takes an end back: `back/ID/STAMP`.
const BACK: &str = "back";
/// So many times an object is followed into another one.
const MOST_TIMES: usize = 10;

/// The key of an end, by the moment at which the system has it.
pub fn over_key(id: &str, stamp: &str, into: Option<&Remote>) -> String {
    let into = into.map(|into| format!("/{}/{}", into.id, into.called())).unwrap_or_default();
    format!("{OVER}/{id}/{stamp}{into}")
}

/// The key of what takes it back.
pub fn back_key(id: &str, stamp: &str) -> String {
    format!("{BACK}/{id}/{stamp}")
}

/// What is remembered when a person opens something again that was ended there at that moment.
pub fn again(service: &str, id: &str, stamp: &str) -> CleanStr {
    CleanStr::new(&format!("{service}/again/{id}/{stamp}"))
}

/// What is remembered when a person goes on with what something went into.
pub fn went_into(service: &str, id: &str, into: &Remote) -> CleanStr {
    CleanStr::new(&format!("{service}/into/{id}/{}/{}", into.id, into.called()))
}

/// Where an object of a system is by now, as people here have said: what went into another one is that one.
pub fn followed(service: &str, remote: &Remote, choices: &BTreeSet<CleanStr>) -> Remote {
    let mut now = remote.clone();
    for _ in 0..MOST_TIMES {
        let prefix = format!("{service}/into/{}/", now.id);
        let Some((id, number)) = choices.iter().find_map(|choice| choice.strip_prefix(&prefix)?.split_once('/')) else {
            break;
        };
        now = Remote { name: Some(CleanStr::new(number)), link: None, is_adopted: true, ..Remote::from(id) };
    }
    now
}

/// An incident of ours that somebody ended in another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedThere {
    /// The delivery that made it.
    pub maker: EntryId,
    /// Which system.
    pub service: CleanStr,
    /// What it is there.
    pub remote: Remote,
    /// When, as the system writes it: no other end has the same.
    pub stamp: CleanStr,
    /// When.
    pub at: DateTime<Utc>,
    /// What it went into, where it did.
    pub into: Option<Remote>,
}

impl Facts {
    /// What was ended elsewhere while this goes on, and has not been taken back.
    pub fn ended_there(&self) -> Vec<EndedThere> {
        if !self.phase().is_live() {
            return Vec::new();
        }
        TELLING.iter().filter_map(|service| self.ended_in(service)).collect()
    }

    fn ended_in(&self, service: &str) -> Option<EndedThere> {
        let of_service = |known: &&super::Delivery| *known.body.service == *service;
        let makes = |known: &&super::Delivery| known.body.act.makes(known.id) == Some(Thing::Record);
        let maker = self.deliveries.iter().filter(of_service).filter(makes).rfind(|known| known.remote().is_some())?;
        let remote = followed(service, maker.remote()?, &self.choices);
        let ends = self.foreign.iter().filter(|((system, _), _)| *system == *service);
        let ends = ends.filter_map(|((_, key), noted)| parsed(key, &remote.id, noted));
        let (stamp, at, into) = ends.max_by_key(|(_, at, _)| *at)?;
        let is_back = self.foreign.contains_key(&(service.into(), back_key(&remote.id, &stamp).as_str().into()))
            || self.choices.contains(&again(service, &remote.id, &stamp));
        let reopens = |known: &super::Delivery| {
            known.body.act == Act::Reopen && matches!(known.state, DeliveryState::Sent(_)) && known.since >= at
        };
        let is_back = is_back || self.deliveries.iter().filter(of_service).any(reopens);
        (!is_back).then(|| EndedThere { maker: maker.id, service: service.into(), remote, stamp, at, into })
    }
}

/// An end of an object, out of its key.
fn parsed(key: &str, id: &str, noted: &Foreign) -> Option<(CleanStr, DateTime<Utc>, Option<Remote>)> {
    let rest = key.strip_prefix(OVER)?.strip_prefix('/')?.strip_prefix(id)?.strip_prefix('/')?;
    let mut parts = rest.split('/');
    let stamp = CleanStr::new(parts.next()?);
    let into = parts.next().map(|into| Remote { name: parts.next().map(CleanStr::new), ..Remote::from(into) });
    Some((stamp, noted.at, into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_into_another_is_followed_as_people_said_and_never_in_circles() {
        let number = |id: &str, number: &str| Remote { name: Some(number.into()), ..Remote::from(id) };
        let first = number("Q1", "1");
        let second = went_into("pagerduty", "Q1", &number("Q2", "2"));
        let third = went_into("pagerduty", "Q2", &number("Q3", "3"));
        let none = BTreeSet::new();
        assert_eq!(followed("pagerduty", &first, &none), first);
        let all = BTreeSet::from([second.clone(), third]);
        assert_eq!(followed("pagerduty", &first, &all).called().as_str(), "3");
        assert_eq!(followed("opsgenie", &first, &all), first, "what was said of one system");
        let back = went_into("pagerduty", "Q2", &first);
        let circle = followed("pagerduty", &first, &BTreeSet::from([second, back]));
        assert!(["Q1", "Q2"].contains(&circle.id.as_str()));
    }
}
