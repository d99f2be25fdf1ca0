//! What of a duplicate goes along into the record in which the work goes on.
//!
//! Hides how a line that went along is recognised there, so that a merge that was cut short is finished by doing it again.

use std::collections::{BTreeMap, HashSet};

use super::{
    CleanStr, DuplicateMerged, Entry, Event, Facts, Incident, IncidentId, LineMerged, OrderKey, Outcome, PhaseEntered,
};

/// With which records a merge was taken back, and by which entry for the last time.
pub(super) fn unmerged<'a>(entries: impl Iterator<Item = &'a Entry>) -> BTreeMap<IncidentId, OrderKey> {
    let undone = entries.filter_map(|entry| match &entry.event {
        Event::MergeUndone(body) => Some((body.other, entry.order())),
        _ => None,
    });
    // In their order: the last one stays.
    undone.collect()
}

impl Facts {
    /// Whether what an entry says of a merge with a record was taken back later.
    pub(super) fn is_undone(&self, other: IncidentId, entry: &Entry) -> bool {
        self.unmerged.get(&other).is_some_and(|undone| entry.order() < *undone)
    }
}

impl Incident {
    /// The earliest clocks of this incident, for the one in which it goes on.
    pub fn as_duplicate(&self) -> DuplicateMerged {
        DuplicateMerged {
            from: self.id(),
            detected_at: self.detected_at,
            acknowledged: self.acknowledged.as_ref().map(|mark| (mark.at, mark.by.clone())),
            impact_start: self.impact.start(),
        }
    }

    /// The lines of a duplicate that are not here yet. Struck ones stay behind; redacted ones come without their words.
    pub fn missing_of(&self, duplicate: &Self) -> Vec<LineMerged> {
        let known: HashSet<_> = self
            .entries()
            .filter_map(|entry| match &entry.event {
                Event::LineMerged(line) if line.from == duplicate.id() && !self.is_undone(line.from, entry) => {
                    Some((line.at.timestamp_millis(), &*line.actor, &*line.tag))
                }
                _ => None,
            })
            .collect();
        duplicate
            .timeline()
            .lines()
            .filter(|line| line.struck.is_none())
            .filter(|line| {
                let event = duplicate.entry(line.id).map(|entry| &entry.event);
                !matches!(event, Some(Event::PhaseEntered(PhaseEntered { outcome: Some(Outcome::Merged(_)), .. })))
            })
            .filter(|line| !known.contains(&(line.at.timestamp_millis(), &*line.actor, line.tag)))
            .map(|line| LineMerged {
                from: duplicate.id(),
                at: line.at,
                actor: line.actor,
                tag: CleanStr::new(line.tag),
                text: line.text,
            })
            .collect()
    }
}
