//! Lines of the timeline that go to another system as one text, whichever consoles told them.
//!
//! Hides that each console tells its own lines, and that several may want to at the same moment.
//!
//! Invariant: every console finds the same order, that of the record: of two texts the one that was queued first goes first.

use super::{Act, DateTime, Delivery, DeliveryQueued, DeliveryState, EntryId, Facts, TimeDelta, Utc};

/// A text whose turn it is, and that has not gone after so long, is waited for no more: its console may be gone.
pub const LONGEST_TURN: TimeDelta = TimeDelta::seconds(30);

impl Delivery {
    /// When it is to be handed over, as far as the record says; nothing where it is not on its way.
    fn due(&self) -> Option<DateTime<Utc>> {
        match &self.state {
            DeliveryState::Queued { not_before, .. } => Some(self.since.max(*not_before)),
            DeliveryState::Sending => Some(self.since),
            DeliveryState::Held { .. }
            | DeliveryState::Sent(_)
            | DeliveryState::Gone { .. }
            | DeliveryState::ByHand
            | DeliveryState::Failed { .. }
            | DeliveryState::Unconfirmed { .. }
            | DeliveryState::Superseded { .. }
            | DeliveryState::Dropped { .. } => None,
        }
    }
}

impl Facts {
    /// When lines may go to a place at the earliest: after those that are on their way there, and where the place wants to be told seldom `pause` after
    /// the last ones that went, whichever console told them. `own` is that text itself, where it is queued: what stands behind it waits for it.
    pub fn next_text(
        &self,
        at: &DeliveryQueued,
        own: Option<EntryId>,
        pause: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let place = self.deliveries.iter().position(|known| Some(known.id) == own).unwrap_or(self.deliveries.len());
        let others = || {
            let all = self.deliveries.iter().enumerate();
            all.filter(|(_, known)| Some(known.id) != own && known.is_at(at) && matches!(known.body.act, Act::Note(_)))
        };
        // After a clock was set back nothing waits for what lies ahead.
        let went = others().filter_map(|(_, known)| known.sent_at.filter(|sent| *sent <= now)).max();
        let free = pause.and_then(|pause| Some(went? + pause));
        let first = others().filter(|(there, _)| *there < place).filter_map(|(_, known)| known.due());
        let turn = first.map(|due| free.map_or(due, |free| due.max(free)) + LONGEST_TURN).max();
        free.max(turn)
    }
}
