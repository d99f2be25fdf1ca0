//! What goes out, and what became of it.
//!
//! Hides how two consoles that move a delivery at once come to one answer: a move says how many came before it, and the first of those that say the
//! same counts.
//!
//! Invariant: of a delivery at most one console is sending; what is not known to be absent is never sent again without a person's word.

use super::{
    Channel, CleanStr, CleanText, DateTime, DeliveryMoved, DeliveryQueued, DeliveryState, EntryId, Facts, IncidentId,
    Mark, TimeDelta, Utc,
};

/// Nothing waits longer for its next try unless the system says so.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// Where a channel leads: a system, and what the channel is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it is to people.
    pub channel: Channel,
    /// Which system.
    pub service: CleanStr,
    /// What it is to that system.
    pub target: CleanStr,
}

/// What a system is handed, or is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// Which delivery.
    pub id: EntryId,
    /// What the system is told to remember, so that it can be found there.
    pub op: CleanStr,
    /// Which system.
    pub service: CleanStr,
    /// Where in it.
    pub target: CleanStr,
    /// The text.
    pub text: CleanText,
    /// When it was sent, of what is looked for.
    pub sent_at: DateTime<Utc>,
}

/// What a system said to a parcel, or to the question whether it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is there, by this name.
    There(CleanStr),
    /// It is certainly not there.
    NotThere {
        /// Why.
        why: CleanStr,
        /// How long the system wants to be left alone.
        wait: Option<TimeDelta>,
    },
    /// The system refuses it, now and later: why, and the way out.
    Refused(CleanStr),
    /// Nobody knows: why.
    Unknown(CleanStr),
}

/// A text on its way to another system.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The entry that queued it: with the incident's name before it, it is what the other system is told to remember.
    pub id: EntryId,
    /// Who approved the text, and when.
    pub queued: Mark,
    /// What goes where.
    pub body: DeliveryQueued,
    /// Where it stands …
    pub state: DeliveryState,
    /// … since when …
    pub since: DateTime<Utc>,
    /// … and which console moved it there.
    pub console: CleanStr,
    /// How many moves there were.
    pub moves: u32,
    /// How often it was sent.
    pub tries: u32,
}

impl Delivery {
    /// Where it goes, for people.
    pub fn place(&self) -> String {
        format!("{} ({})", self.body.channel.name(), self.body.service)
    }

    /// As it is handed over.
    pub fn parcel(&self, incident: IncidentId) -> Parcel {
        Parcel {
            id: self.id,
            op: CleanStr::new(&format!("{incident}/{}", self.id)),
            service: self.body.service.clone(),
            target: self.body.target.clone(),
            text: self.body.text.clone(),
            sent_at: self.since,
        }
    }

    /// The pause before it is tried again, after what kept it back: longer from try to try, and not the same for all that wait.
    pub fn pause(&self) -> TimeDelta {
        let seconds = 1_i64 << self.tries.saturating_sub(1).min(6);
        let spread = (self.id.rseq.wrapping_mul(0x9e37_79b9) >> 7) % 500;
        (TimeDelta::seconds(seconds) + TimeDelta::milliseconds(spread as i64)).min(LONGEST_PAUSE)
    }

    /// The text.
    pub fn text(&self) -> &CleanText {
        &self.body.text
    }

    /// Which channel it is for.
    pub fn channel(&self) -> Channel {
        self.body.channel
    }
}

impl Facts {
    pub(super) fn queue(&mut self, id: EntryId, body: &DeliveryQueued, mark: Mark, console: &CleanStr) {
        // Who reads a channel wants to know how it is now, not how it was while the channel was down.
        for older in &mut self.deliveries {
            let next = DeliveryState::Superseded { by: id };
            let is_same = older.body.service == body.service && older.body.target == body.target;
            if is_same && older.state.leads_to(&next) {
                (older.state, older.since) = (next, mark.at);
            }
        }
        self.deliveries.push(Delivery {
            id,
            state: DeliveryState::Queued { not_before: mark.at, why: None },
            since: mark.at,
            queued: mark,
            body: body.clone(),
            console: console.clone(),
            moves: 0,
            tries: 0,
        });
    }

    pub(super) fn move_delivery(&mut self, body: &DeliveryMoved, at: DateTime<Utc>, console: &CleanStr) -> bool {
        let Some(delivery) = self.deliveries.iter_mut().find(|delivery| delivery.id == body.delivery) else {
            return false;
        };
        if delivery.moves != body.step || !delivery.state.leads_to(&body.to) {
            return false;
        }
        delivery.tries += u32::from(body.to == DeliveryState::Sending);
        delivery.moves += 1;
        (delivery.state, delivery.since, delivery.console) = (body.to.clone(), at, console.clone());
        true
    }

    /// What has not reached its place, the oldest first.
    pub fn undelivered(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|delivery| !delivery.state.is_over())
    }
}

#[cfg(test)]
mod tests;
