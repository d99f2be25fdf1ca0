//! What each channel was really told, and when.
//!
//! Hides what stands between an approved text and its readers: a text that a system takes counts once that system's own answer names it, one for a
//! channel that leads nowhere counts when a person recorded it, and one that a newer text replaced stands or falls with the newer one.
//!
//! Invariant: clocks, measures and lists ask here; an approved text alone satisfies nothing.

use super::{Channel, CleanText, DateTime, Delivery, DeliveryState, EntryId, Facts, Mark, Release, Utc};

/// A text that a channel was to hear.
#[derive(Clone, Debug, PartialEq)]
pub struct Telling<'a> {
    /// The entry that recorded it: the update, or the delivery of a text that is no update.
    pub id: EntryId,
    /// Who recorded it, when.
    pub recorded: &'a Mark,
    /// The text.
    pub text: &'a CleanText,
    /// When it promises the next one.
    pub promised_next: Option<DateTime<Utc>>,
    /// What became of it.
    pub fate: Fate<'a>,
}

/// What became of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate<'a> {
    /// The channel has it since then: its system says so, or a person told it by hand.
    Told(DateTime<Utc>),
    /// It waits for its system, or is being sent.
    OnItsWay(&'a Delivery),
    /// It was refused, held, given up, or nobody knows: a person must do something.
    Stuck(&'a Delivery),
}

/// Something that a channel heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: DateTime<Utc>,
    /// When it was promised to hear the next.
    pub promised_next: Option<DateTime<Utc>>,
}

impl Facts {
    /// All texts that a channel was to hear, in the order in which they were recorded.
    pub fn tellings(&self, channel: Channel) -> Vec<Telling<'_>> {
        let leaves = |known: &&Delivery| known.body.channel == Some(channel) && known.body.release != Release::Never;
        let sent: Vec<&Delivery> = self.deliveries.iter().filter(leaves).collect();
        let updates = self.updates.iter().filter(|told| told.update.channels.contains(&channel)).map(|told| {
            // Two systems may stand behind one channel: it was told when both have the text.
            let fates = sent.iter().filter(|known| known.update == Some(told.id)).map(|known| self.fate(known));
            Telling {
                id: told.id,
                recorded: &told.mark,
                text: &told.update.text,
                promised_next: told.update.promised_next,
                fate: fates.reduce(worse).unwrap_or(Fate::Told(told.at())),
            }
        });
        let others = sent.iter().filter(|known| known.update.is_none()).map(|known| Telling {
            id: known.id,
            recorded: &known.queued,
            text: &known.body.text,
            promised_next: None,
            fate: self.fate(known),
        });
        let mut all: Vec<_> = updates.chain(others).collect();
        all.sort_by_key(|telling| match telling.fate {
            Fate::Told(at) => at,
            Fate::OnItsWay(_) | Fate::Stuck(_) => telling.recorded.at,
        });
        all
    }

    /// What a channel heard, by time.
    pub fn heard(&self, channel: Channel) -> Vec<Heard> {
        let told = self.tellings(channel).into_iter().filter_map(|telling| match telling.fate {
            Fate::Told(at) => Some(Heard { at, promised_next: telling.promised_next }),
            Fate::OnItsWay(_) | Fate::Stuck(_) => None,
        });
        let mut heard: Vec<_> = told.collect();
        heard.sort_by_key(|heard| heard.at);
        heard
    }

    /// What a channel heard last.
    pub fn last_heard(&self, channel: Channel) -> Option<Heard> {
        self.heard(channel).pop()
    }

    /// The newest text for a channel, where the channel does not have it.
    pub fn unheard(&self, channel: Channel) -> Option<Fate<'_>> {
        self.tellings(channel).pop().map(|newest| newest.fate).filter(|fate| !matches!(fate, Fate::Told(_)))
    }

    fn fate<'a>(&'a self, mut delivery: &'a Delivery) -> Fate<'a> {
        // Each one that takes another's place is newer: this ends.
        while let DeliveryState::Superseded { by } = delivery.state {
            let mut newer = self.deliveries.iter().skip_while(|known| known.id != delivery.id).skip(1);
            match newer.find(|known| known.id == by) {
                Some(newer) => delivery = newer,
                None => return Fate::Stuck(delivery),
            }
        }
        match &delivery.state {
            DeliveryState::Sent(_) => Fate::Told(delivery.sent_at.unwrap_or(delivery.since)),
            DeliveryState::ByHand => Fate::Told(delivery.since),
            DeliveryState::Queued { .. } | DeliveryState::Sending => Fate::OnItsWay(delivery),
            DeliveryState::Held { .. }
            | DeliveryState::Gone { .. }
            | DeliveryState::Failed { .. }
            | DeliveryState::Unconfirmed { .. }
            | DeliveryState::Superseded { .. }
            | DeliveryState::Dropped { .. } => Fate::Stuck(delivery),
        }
    }
}

/// Of two places behind one channel the one that has the text later, or not at all.
fn worse<'a>(one: Fate<'a>, other: Fate<'a>) -> Fate<'a> {
    match (one, other) {
        (Fate::Told(one), Fate::Told(other)) => Fate::Told(one.max(other)),
        (stuck @ Fate::Stuck(_), _) | (_, stuck @ Fate::Stuck(_)) => stuck,
        (way @ Fate::OnItsWay(_), Fate::Told(_) | Fate::OnItsWay(_)) | (Fate::Told(_), way @ Fate::OnItsWay(_)) => way,
    }
}

#[cfg(test)]
mod tests;
