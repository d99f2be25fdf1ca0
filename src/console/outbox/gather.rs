//! Lines for a system whose readers get a mail for each text: gathered, and told as one.
//!
//! Hides that other consoles tell lines there too.
//!
//! Invariant: a place gets one text in that time from all consoles of the record together; what is over, or is left, is told at once.

use super::super::Console;
use super::{Act, DateTime, Delivery, DeliveryQueued, DeliveryState, EntryId, Utc};

impl Console {
    /// Until when lines for a place are gathered before they are queued, so that many go as one.
    pub(super) fn gathers_until(&self, body: &DeliveryQueued, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.next_text(body, None, now)
    }

    /// Until when queued lines wait, because those of another console went there a moment ago, or go there first.
    pub(super) fn waits_for_others(&self, delivery: &Delivery, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.settings.reach.gathers(&delivery.body.service)?;
        let is_queued = matches!(delivery.state, DeliveryState::Queued { .. });
        self.next_text(&delivery.body, Some(delivery.id), now).filter(|_| is_queued)
    }

    fn next_text(&self, body: &DeliveryQueued, own: Option<EntryId>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let gathers = matches!(body.act, Act::Note(_)) && self.open.incident.phase().is_live();
        if self.open.outbox.is_left || !gathers {
            return None;
        }
        let until = self.open.incident.next_text(body, own, self.settings.reach.gathers(&body.service), now)?;
        (until > now).then_some(until)
    }

    /// Nobody will be here to tell later what is gathered now.
    pub(crate) fn gathers_no_more(&mut self) {
        self.open.outbox.is_left = true;
        self.open.outbox.looked_at = 0;
    }
}
