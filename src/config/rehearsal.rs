//! Where incidents are rehearsed: places that are there for it.
//!
//! Hides nothing: what is not named is not written to.
//!
//! Invariant: a place is named by itself, never taken from where incidents go.

use crate::channel::spec::{Takes, spec};
use crate::channel::{CHANNELS, SystemSettings};
use crate::reach;
use crate::text::CleanStr;

/// The places for `doctor --rehearse`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// The place in each system; of one that has no places, its name.
    pub places: Vec<(&'static str, CleanStr)>,
    /// Channels of incidents are opened, and archived.
    pub has_rooms: bool,
    /// A component of the status page.
    pub component: Option<CleanStr>,
}

impl Rehearsal {
    /// As the configuration names them.
    pub(super) fn of(settings: &SystemSettings) -> Self {
        let place = |name: &'static str| {
            let key = format!("rehearsal.{name}");
            let place = match spec(name)?.rehearsal.place? {
                Takes::Flag => settings.is_on(&key).then(|| name.into()),
                Takes::Id | Takes::SlackChannel | Takes::Repository | Takes::Text | Takes::Fields => {
                    settings.text(&key).cloned()
                }
            };
            Some((name, place?))
        };
        Self {
            places: CHANNELS.iter().filter_map(|spec| place(spec.name)).collect(),
            has_rooms: settings.is_on(&format!("rehearsal.{}-rooms", reach::SLACK)),
            component: settings.text(&format!("rehearsal.{}-component", reach::STATUSPAGE)).cloned(),
        }
    }
}
