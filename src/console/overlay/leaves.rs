//! A text as each channel gets it.
//!
//! Hides that the words around it come from the template of the channel, and what they may say there.
//!
//! Invariant: what is shown here before a text is approved is what goes out, letter by letter.

use chrono::{DateTime, Utc};

use super::update_facts;
use crate::incident::{DeliveryQueued, StatusUpdate};
use crate::pane::Cx;
use crate::reach::SLACK;
use crate::template::Reader;
use crate::text::CleanText;

/// A text as it leaves, where the template of its channel makes another one of it.
pub(crate) fn worded(body: &DeliveryQueued, next_update: Option<DateTime<Utc>>, cx: &Cx<'_>) -> Option<CleanText> {
    let reader = Reader::of(body)?;
    cx.templates.worded(body, *body.service == *SLACK, &update_facts(reader.audience(), next_update, cx), cx.incident)
}

/// Every place to which an update goes by itself, as people call it, and the text that it gets.
pub(crate) fn as_it_leaves(update: &StatusUpdate, cx: &Cx<'_>) -> Vec<(String, CleanText)> {
    let posts = cx.reach.posts(update, cx.incident).into_iter();
    let posts = posts.map(|body| {
        let text = worded(&body, update.promised_next, cx).unwrap_or_else(|| body.text.clone());
        let place = match body.channel {
            Some(channel) => format!("{} ({})", channel.name(), body.service),
            None => format!("mail to subscribers ({})", body.service),
        };
        (place, text)
    });
    posts.collect()
}
