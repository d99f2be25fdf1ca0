//! How an incident ended, for those who are told elsewhere, and what other systems still lack when it does.
//!
//! Hides that there are four ways out (resolved, a false alarm, the squad's backlog, merged into another record), each with its own words.
//!
//! Invariant: what was queued goes out whatever the phase; nothing that stands open in another system is left out of the list.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Act, CleanStr, CleanText, DateTime, Delivery, DeliveryState, Facts, Incident, Mark, Outcome, PageStatus, Phase,
    Publication, Remote, Thing, TimeDelta, Utc,
};

/// What waits for longer has nobody who sends it.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(1);

/// That somebody closed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Who, when.
    pub mark: Mark,
    /// Why, where one was given.
    pub reason: Option<CleanStr>,
    /// Of a duplicate: what the record in which it goes on has as well, by what systems call it.
    pub keeps: BTreeSet<CleanStr>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Who said so, when.
    pub mark: Mark,
    /// The last words for those who work on it.
    pub words: CleanText,
    /// The last words for those who read a status page.
    pub public: CleanText,
}

impl Facts {
    /// How it ended, once it is resolved or closed.
    pub fn ended(&self) -> Option<Ended> {
        if self.phase().is_live() {
            return None;
        }
        let reason = |closing: &Closing| closing.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let (mark, words, public) = match (&self.closing, self.outcome, &self.resolution) {
            (Some(closing), Some(Outcome::FalseAlarm), _) => (
                &closing.mark,
                format!("A false alarm{}", reason(closing)),
                "This was a false alarm: nothing was affected.".to_owned(),
            ),
            (Some(closing), Some(Outcome::Backlog), _) => (
                &closing.mark,
                format!("Goes on in the backlog{}", reason(closing)),
                "This is handled as a minor issue and closed here.".to_owned(),
            ),
            (Some(closing), Some(Outcome::Merged(into)), _) => {
                (&closing.mark, format!("Goes on in {into}"), "This goes on together with another incident.".to_owned())
            }
            (_, _, Some(resolution)) => {
                let said = resolution.final_status.as_ref().map(ToString::to_string);
                let public = said.clone().unwrap_or_else(|| "This is resolved.".to_owned());
                (&resolution.mark, said.unwrap_or_default(), public)
            }
            (Some(closing), _, None) => {
                (&closing.mark, format!("Closed{}", reason(closing)), "This is over.".to_owned())
            }
            (None, _, None) => return None,
        };
        Some(Ended { mark: mark.clone(), words: CleanText::new(&words), public: CleanText::new(&public) })
    }

    /// Whether the record in which this one goes on has the same thing in a system, and ends it there.
    pub fn is_kept(&self, remote: &Remote) -> bool {
        self.closing.as_ref().is_some_and(|closing| closing.keeps.contains(&remote.id))
    }

    /// What has not got to other systems and does not get there by itself in a moment, and pages that say that it goes on.
    pub fn unsent(&self) -> Vec<String> {
        self.unsent_but(|_| true)
    }

    /// The same for somebody who looks from outside, where no console may be open: what should have been on its way and is not counts, too.
    pub fn unsent_at(&self, now: DateTime<Utc>) -> Vec<String> {
        self.unsent_but(|delivery| now - delivery.since < ON_ITS_WAY)
    }

    fn unsent_but(&self, goes_by_itself: impl Fn(&Delivery) -> bool) -> Vec<String> {
        let mut places: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for delivery in self.undelivered() {
            let is_moving = matches!(delivery.state, DeliveryState::Queued { .. } | DeliveryState::Sending);
            if !is_moving || delivery.has_failed || !goes_by_itself(delivery) {
                *places.entry((delivery.place_in(self), delivery.state.word())).or_default() += 1;
            }
        }
        let mut list: Vec<_> = places
            .into_iter()
            .map(|((place, word), count)| match count {
                1 => format!("{place} {word}"),
                count => format!("{place} {word} ({count})"),
            })
            .collect();
        list.extend(self.pages_that_go_on());
        list
    }

    /// Pages whose last word is not that it is over, where nothing waits that says so.
    fn pages_that_go_on(&self) -> Vec<String> {
        let mut last: BTreeMap<(&CleanStr, &CleanStr), (String, &Publication)> = BTreeMap::new();
        for delivery in &self.deliveries {
            let Act::Publish(said) = &delivery.body.act else { continue };
            let counts = match delivery.state {
                DeliveryState::Sent(_)
                | DeliveryState::ByHand
                | DeliveryState::Queued { .. }
                | DeliveryState::Sending
                | DeliveryState::Held { .. }
                | DeliveryState::Unconfirmed { .. } => true,
                DeliveryState::Failed { .. }
                | DeliveryState::Gone { .. }
                | DeliveryState::Superseded { .. }
                | DeliveryState::Dropped { .. } => false,
            };
            if counts {
                last.insert((&delivery.body.service, &delivery.body.target), (delivery.place(), said));
            }
        }
        let goes_on = last.into_values().filter(|(_, said)| said.status != PageStatus::Resolved);
        goes_on.map(|(place, said)| format!("{place} says {}", said.status.word())).collect()
    }
}

impl Incident {
    /// What two records have in common in other systems, by what these call it.
    pub fn shared_with(&self, other: &Self) -> BTreeSet<CleanStr> {
        self.records_elsewhere().intersection(&other.records_elsewhere()).cloned().collect()
    }

    fn records_elsewhere(&self) -> BTreeSet<CleanStr> {
        let made = self.deliveries.iter().filter_map(|known| match (&known.state, known.body.act.makes(known.id)) {
            (DeliveryState::Sent(remote), Some(Thing::Record | Thing::Room)) => Some(remote.id.clone()),
            _ => None,
        });
        made.collect()
    }

    /// What is asked of whoever closes it while something has not gone out.
    pub(super) fn not_gone_out(&self) -> String {
        let unsent = self.unsent();
        if unsent.is_empty() { String::new() } else { format!(" Not gone out: {}.", unsent.join("; ")) }
    }
}

impl Phase {
    /// Whether a console goes on with what is left of it elsewhere, so long after it was closed.
    pub fn is_followed(self, closed_for: chrono::TimeDelta) -> bool {
        self != Self::Closed || closed_for < chrono::TimeDelta::days(7)
    }
}
