//! The alerts of all sources as one list.
//!
//! Hides which source said what, and when: an alert that Prometheus and Alertmanager both tell of stands here once, as fresh as the fresher of the two.
//!
//! Invariant: an alert leaves this list only when a source that had it answers without it; while its source fails, it ages.

use chrono::{DateTime, Utc};

use super::{AlertFinding, Freshness, Live, SourceName};
use crate::alert::{Alert, AlertState, Burst, burst_among, twins, worst_first_as};
use crate::text::CleanStr;

/// The source whose word on an alert's identity, start and suppression counts most.
const ALERTMANAGER: SourceName = "alertmanager";

/// What one source said of alerts last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// When it was taken in; absent if alerts never could be read.
    pub at: Option<DateTime<Utc>>,
    /// The alerts.
    pub found: AlertFinding,
    /// Why the last try failed though the source answers, if it did.
    pub problem: Option<CleanStr>,
}

impl Reported {
    pub(super) fn says(&self, found: &AlertFinding) -> bool {
        self.problem.is_none() && self.found == *found
    }
}

/// An alert with its age as news.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveAlert<'a> {
    /// The alert: Alertmanager's word where it has one.
    pub alert: &'a Alert,
    /// The same alert as Prometheus says it, where both do.
    pub twin: Option<&'a Alert>,
    /// The twin's labels differ: it is taken for the same by its rule, its start and its words.
    pub is_likely: bool,
    /// How it stands, by whichever of the two is fresher.
    pub state: &'a AlertState,
    /// When it was said last.
    pub at: DateTime<Utc>,
    /// How fresh that is. What is not fresh may be over, or not be told any more.
    pub freshness: Freshness,
}

impl LiveAlert<'_> {
    /// The identities under which it may be linked to an incident; the first one is the one to link it by.
    pub fn fingerprints(&self) -> Vec<&CleanStr> {
        [Some(self.alert), self.twin].into_iter().flatten().map(|alert| &alert.fingerprint).collect()
    }

    /// Whether it is an alarm that fires, nobody suppressed it, and it was said lately.
    pub fn is_firing(&self) -> bool {
        *self.state == AlertState::Firing && self.freshness == Freshness::Fresh && self.alert.is_alarm()
    }

    /// Who says so: `alertmanager`, or `alertmanager, prometheus`.
    pub fn sources(&self) -> String {
        let all = [Some(self.alert), self.twin].into_iter().flatten().map(|alert| alert.source);
        all.collect::<Vec<_>>().join(", ")
    }
}

impl Live {
    /// All alerts, each once, those that need somebody most first.
    pub fn alerts(&self, wall: DateTime<Utc>) -> Vec<LiveAlert<'_>> {
        let managed = self.reported.get(ALERTMANAGER).map_or(&[][..], |reported| &reported.found.alerts);
        let mut taken: Vec<Option<LiveAlert<'_>>> = self.one_by_one(ALERTMANAGER, wall).map(Some).collect();
        let mut all = Vec::new();
        for (source, reported) in self.reported.iter().filter(|(source, _)| **source != ALERTMANAGER) {
            let found = twins(&reported.found.alerts, managed);
            for (single, twin) in self.one_by_one(source, wall).zip(found) {
                match twin.and_then(|twin| Some((taken[twin.place].take()?, twin.is_likely))) {
                    Some((known, is_likely)) => all.push(LiveAlert { is_likely, ..joined(known, single) }),
                    // A third source cannot be the twin of a pair.
                    None => all.push(single),
                }
            }
        }
        all.extend(taken.into_iter().flatten());
        all.sort_by(|one, other| worst_first_as((one.alert, one.state), (other.alert, other.state)));
        all
    }

    /// Alerts of which somebody should know that they began together: fresh ones that fire and that the caller does not know to be covered.
    pub fn burst(
        &self,
        wall: DateTime<Utc>,
        now: DateTime<Utc>,
        is_covered: impl Fn(&LiveAlert<'_>) -> bool,
    ) -> Option<Burst<'_>> {
        let open = self.alerts(wall).into_iter().filter(|alert| alert.is_firing() && !is_covered(alert));
        burst_among(open.map(|alert| alert.alert).collect(), now)
    }

    /// How fresh the alerts of a source are; absent if it never told any.
    pub fn alerts_freshness(&self, source: &str, wall: DateTime<Utc>) -> Option<Freshness> {
        let (name, reported) = self.reported.get_key_value(source)?;
        Some(self.age(reported.at?, name, wall))
    }

    /// When the freshness of some source's alerts changes next if nothing comes.
    pub fn next_alerts_turn(&self, wall: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.reported.iter().filter_map(|(name, reported)| self.turn(reported.at?, name, wall)).min()
    }

    fn one_by_one(&self, source: SourceName, wall: DateTime<Utc>) -> impl Iterator<Item = LiveAlert<'_>> {
        let told = self.reported.get(source).and_then(|reported| Some((reported.at?, reported)));
        told.into_iter().flat_map(move |(at, reported)| {
            let freshness = self.age(at, source, wall);
            let single =
                move |alert| LiveAlert { alert, twin: None, is_likely: false, state: &alert.state, at, freshness };
            reported.found.alerts.iter().map(single)
        })
    }
}

/// One alert of two: who it is says Alertmanager, whether it still stands the fresher one.
fn joined<'a>(managed: LiveAlert<'a>, other: LiveAlert<'a>) -> LiveAlert<'a> {
    // Equally fresh, Alertmanager knows more: only it sees silences. An old silence is no reason to keep quiet about a fresh alert.
    let fresher = if other.freshness < managed.freshness { &other } else { &managed };
    LiveAlert {
        alert: managed.alert,
        twin: Some(other.alert),
        is_likely: false,
        state: fresher.state,
        at: managed.at.max(other.at),
        freshness: fresher.freshness,
    }
}

#[cfg(test)]
mod tests;
