//! What became of deliveries that nothing came of: given up with the end of the record, or removed in their system.
//!
//! Hides that a reopened record asks for some of them anew.

use super::{Act, CleanStr, DateTime, Delivery, DeliveryState, EntryId, Facts, Utc};

impl Delivery {
    /// Why it is given up where the record was closed first, and what that means for its end.
    pub fn lapsed_why(&self) -> CleanStr {
        let why = if self.may_be_there {
            format!("the incident was closed while nobody knew whether {} had it: its end is sent", self.body.service)
        } else {
            "the incident was closed before anybody was called".to_owned()
        };
        CleanStr::new(&why)
    }

    /// Whether it was given up with the end of an earlier stretch of the incident, or somebody removed there what it had made: it is asked for anew.
    pub fn is_of_the_past(&self, incident: &Facts) -> bool {
        self.has_lapsed && self.round < incident.reopened || matches!(self.state, DeliveryState::Gone { .. })
    }

    /// Where it goes and what it is about, for people who see several of them.
    pub fn place_in(&self, incident: &Facts) -> String {
        let service = &self.body.service;
        let of_item = |item: EntryId, what: &str| {
            let known = incident.follow_ups.iter().find(|one| one.id == item)?;
            Some(format!("{service}: {what} `{}`", known.what))
        };
        let of_silence = |silence: EntryId| {
            let known = incident.deliveries.iter().find(|one| one.id == silence)?;
            Some(format!("{service}: end: {}", known.body.act.words()))
        };
        let named = match &self.body.act {
            Act::Ticket(item) => of_item(*item, "ticket of"),
            Act::ChangeTicket(item) => of_item(*item, "owner and day of"),
            Act::CloseTicket(item) => of_item(*item, "close the ticket of"),
            Act::Unsilence(silence) => of_silence(*silence),
            _ => None,
        };
        named.unwrap_or_else(|| self.place())
    }
}

impl Facts {
    /// An object that is gone is gone for all that made it: an entry of a page is made once, and told of many times.
    pub(super) fn lose(&mut self, place: usize, remote: &CleanStr, why: &CleanStr, at: DateTime<Utc>) {
        let (service, target) =
            (self.deliveries[place].body.service.clone(), self.deliveries[place].body.target.clone());
        for known in self.deliveries.iter_mut().filter(|known| known.body.service == service) {
            let is_it = matches!(&known.state, DeliveryState::Sent(made) if made.id == *remote);
            if is_it && known.body.target == target && known.body.act.makes(known.id).is_some() {
                (known.state, known.since) = (DeliveryState::Gone { why: why.clone() }, at);
            }
        }
    }
}
