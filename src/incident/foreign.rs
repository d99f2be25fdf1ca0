//! What was done in other systems: noted once, stopping no clock by itself.
//!
//! Hides how a change there is told apart from one that is known: by what the system calls it.
//!
//! Invariant: of two consoles that note one thing, the first does; what is noted changes nothing but the timeline, who answered a page, and in a drill
//! the task whose call-back it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Act, CleanStr, CleanText, DateTime, Delivery, DeliveryState, EntryId, Facts, ForeignNoted, Incident, IncidentId,
    Remote, Thing, Utc,
};

/// What begins the key of an answer to a page: `answer/MAIL/WORD`.
pub const ANSWER: &str = "answer";

/// What begins the key of an open incident that is not ours: `open/ID`.
pub const ALSO_OPEN: &str = "open";

/// Something noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The entry that noted it.
    pub id: EntryId,
    /// Its text, as it was noted.
    pub text: CleanText,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Where a person reads it.
    pub link: Option<CleanStr>,
}

/// Something in another system that is looked after.
#[derive(Clone, Debug, PartialEq)]
pub struct Watched {
    /// Which incident it belongs to.
    pub incident: IncidentId,
    /// Which system.
    pub service: CleanStr,
    /// Where in it.
    pub target: CleanStr,
    /// What it is to us; absent where the system as a whole is looked after.
    pub thing: Option<Thing>,
    /// What it is there.
    pub remote: Remote,
    /// Since when; what is older is no news.
    pub since: DateTime<Utc>,
    /// The labels of the incident's alerts.
    pub labels: Vec<BTreeMap<CleanStr, CleanStr>>,
    /// By which address who was paged is known here.
    pub paged: Vec<CleanStr>,
    /// When we did something there ourselves: what came through its interface then is our own doing.
    pub ours: Vec<DateTime<Utc>>,
    /// When each of our silences is to end, by its mark.
    pub planned: BTreeMap<CleanStr, DateTime<Utc>>,
    /// The ways out that people took where a system asked, in this incident.
    pub choices: BTreeSet<CleanStr>,
    /// The incident goes on: an end there is one that somebody should know of.
    pub is_live: bool,
    /// The end there that is known, by its moment.
    pub over: Option<CleanStr>,
    /// What was noted of this system already, by key: nothing is asked for a line that is there.
    pub known: BTreeSet<CleanStr>,
}

/// What a system tells of something that is looked after.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What was done there.
    pub noted: ForeignNoted,
    /// The follow-up that is done with it.
    pub closes: Option<EntryId>,
}

/// Somebody who was paged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged {
    /// By which address.
    pub mail: CleanStr,
    /// When.
    pub at: DateTime<Utc>,
    /// What they answered, and when.
    pub answer: Option<(CleanStr, DateTime<Utc>)>,
}

/// Whether a person said that ours went into this one.
fn is_into(choice: &str, id: &str) -> bool {
    let parts: Vec<&str> = choice.split('/').collect();
    matches!(parts[..], [_, "into", _, into, ..] if into == id)
}

impl Incident {
    /// When something was handed to a system, by the clock on the wall.
    pub fn sent_to(&self, service: &str) -> Vec<DateTime<Utc>> {
        let here = self.deliveries.iter().filter(|known| *known.body.service == *service);
        let times = here.flat_map(|known| known.first_sent_at.into_iter().chain(known.sent_at));
        times.map(|at| self.clock().wall(at)).collect()
    }

    /// When each silence that was asked for here is to end, by the mark that it bears there.
    pub fn planned_ends(&self) -> BTreeMap<CleanStr, DateTime<Utc>> {
        let asked = self.deliveries.iter().filter_map(|known| match &known.body.act {
            Act::Silence(said) => Some((known.mark(self), said.until)),
            _ => None,
        });
        asked.collect()
    }
}

impl Facts {
    /// Whether it counts.
    pub(super) fn note_foreign(&mut self, id: EntryId, body: &ForeignNoted) -> bool {
        let key = (body.service.clone(), body.key.clone());
        if self.foreign.contains_key(&key) {
            return false;
        }
        self.foreign.insert(key, Foreign { id, text: body.text.clone(), at: body.at, link: body.link.clone() });
        true
    }

    /// Open incidents of another system that were told of here and are no part of this one yet, with the words in which they were told.
    pub fn also_open(&self, service: &str) -> Vec<(Remote, &CleanText)> {
        let merged: Vec<&CleanStr> = self
            .deliveries
            .iter()
            .filter(|known| !matches!(known.state, DeliveryState::Dropped { .. }))
            .filter_map(|known| match &known.body.act {
                Act::Merge(other) => Some(&other.id),
                _ => None,
            })
            .collect();
        let others =
            self.foreign.iter().filter(|((system, _), _)| *system == *service).filter_map(|((_, key), noted)| {
                let id = CleanStr::new(key.strip_prefix(ALSO_OPEN)?.strip_prefix('/')?);
                if self.choices.iter().any(|choice| is_into(choice, &id)) {
                    return None;
                }
                let number = noted.text.strip_prefix('#')?.split_whitespace().next()?;
                let (name, link) = (Some(CleanStr::new(number)), noted.link.clone());
                let other = Remote { name, link, id, is_adopted: false };
                (!merged.contains(&&other.id)).then_some((other, &noted.text))
            });
        others.collect()
    }

    /// Who was paged, and what came of it, the latest page of each person.
    pub fn paged(&self) -> Vec<Paged> {
        let mut latest: BTreeMap<CleanStr, Paged> = BTreeMap::new();
        let is_sent = |known: &&Delivery| matches!(known.state, DeliveryState::Sent(_));
        for known in self.deliveries.iter().filter(is_sent) {
            let Act::Page(people) = &known.body.act else { continue };
            for mail in people {
                let answers = self.foreign.iter().filter_map(|((_, key), noted)| {
                    let (of, word) = key.strip_prefix(ANSWER)?.strip_prefix('/')?.rsplit_once('/')?;
                    (of == mail.as_str()).then(|| (CleanStr::new(word), noted.at))
                });
                let answer = answers.filter(|(_, at)| *at >= known.queued.at).max_by_key(|(_, at)| *at);
                latest.insert(mail.clone(), Paged { mail: mail.clone(), at: known.since, answer });
            }
        }
        latest.into_values().collect()
    }
}
