//! In whose name PagerDuty is told something.
//!
//! Hides that it is looked up when the thing is sent, not when it was asked for: an address that was corrected in between counts.
//!
//! Invariant: nothing is acknowledged in the name of anybody but the person who acknowledged; PagerDuty gives the incident to whoever that is.

use super::{PAGERDUTY, Reach, SLACK, commander};
use crate::incident::{Act, Delivery, Incident};
use crate::text::markup::without_markup;
use crate::text::{CleanStr, CleanText};

impl Reach {
    /// The address in whose name a delivery goes out now.
    pub fn sender(&self, delivery: &Delivery, incident: &Incident) -> Option<CleanStr> {
        let body = &delivery.body;
        if *body.service != *PAGERDUTY {
            return body.from.clone();
        }
        if body.act == Act::Acknowledge {
            let by = incident.acknowledged.as_ref().and_then(|mark| self.mail(&mark.by));
            return by.or_else(|| body.from.clone());
        }
        let found = self.doers(&body.act, incident).into_iter().find_map(|who| self.mail(&who));
        found.or_else(|| body.from.clone()).or_else(|| self.stands_in.clone())
    }

    /// The text of a delivery as it goes out now: outside of chat without its markup, and where somebody else's name stands before it, it says whose doing
    /// it was.
    pub fn signed(&self, delivery: &Delivery, incident: &Incident, text: CleanText) -> CleanText {
        let text = match &delivery.body.act {
            Act::Post | Act::Publish(_) | Act::Tell if *delivery.body.service != *SLACK => {
                CleanText::new(&without_markup(&text))
            }
            _ => text,
        };
        let declared = incident.declared.as_ref().map(|mark| mark.by.as_str()).unwrap_or_default();
        let is_opening = *delivery.body.service == *PAGERDUTY && matches!(delivery.body.act, Act::Open(_));
        if !is_opening || self.mail(declared).is_some() {
            return text;
        }
        CleanText::new(&format!("Declared by {declared}, of whom no address is known here.\n\n{text}"))
    }

    /// Whose doing something is, the likeliest first.
    fn doers(&self, act: &Act, incident: &Incident) -> Vec<String> {
        let declared = || incident.declared.iter().map(|mark| mark.by.to_string());
        let had = || incident.acknowledged.iter().map(|mark| mark.by.to_string());
        let commands = || [commander(incident).to_owned()].into_iter();
        match act {
            Act::Open(_) => declared().chain(commands()).collect(),
            Act::Resolve => {
                let ended = incident.ended().into_iter().map(|ended| ended.mark.by.to_string());
                ended.chain(commands()).chain(had()).chain(declared()).collect()
            }
            // Who asked for it has said so in their own name.
            Act::Merge(_) | Act::Escalate(_) | Act::Reassign(_) | Act::Adopt(_) | Act::AdoptRoom { .. } => Vec::new(),
            Act::Acknowledge
            | Act::Change(_)
            | Act::Reopen
            | Act::Post
            | Act::Describe
            | Act::Note(_)
            | Act::Report(_)
            | Act::Tell
            | Act::Publish(_)
            | Act::FindRoom { .. }
            | Act::OpenRoom { .. }
            | Act::Topic
            | Act::Invite(_)
            | Act::Pin
            | Act::Page(_)
            | Act::Ticket(_)
            | Act::ChangeTicket(_)
            | Act::CloseTicket(_)
            | Act::Silence(_)
            | Act::Unsilence(_) => commands().chain(had()).chain(declared()).collect(),
        }
    }
}
