//! The systems that are written to, and what goes where in them.
//!
//! Hides which sections belong together: an endpoint says how a system is reached, its further sections what our things
//! are called there.
//!
//! Invariant: what has no endpoint is not part of the reach; a section that names things of a system without one is refused.

use std::collections::BTreeMap;

use super::partial::Partial;
use super::{Endpoint, Layer, Places, endpoint, kept, layers};
use crate::channel::spec::{Holds, Home, Key, Means, Parts, Takes};
use crate::channel::{CHANNELS, ChannelSpec, SystemSettings};
use crate::incident::{Channel, Route, ServiceId};
use crate::oncall::Person;
use crate::reach::{self, Place, Reach, Rooms, Tracker};
use crate::text::CleanStr;

/// How they are reached, and what goes where.
pub(super) fn written(
    said: &Partial,
    people: &[Person],
    layers: &[Layer],
    places: &Places,
    flaws: &mut Vec<String>,
) -> (BTreeMap<&'static str, Endpoint>, Reach) {
    let mut written = BTreeMap::new();
    for spec in CHANNELS {
        let of_readers = (spec.name == reach::ALERTMANAGER).then_some(&said.alertmanager);
        let Some(section) = said.endpoints.get(spec.name).or(of_readers) else { continue };
        if let Some(endpoint) = kept(endpoint(spec.name, section.clone(), layers, places), flaws) {
            written.insert(spec.name, endpoint);
        }
    }
    let mut reach = Reach { people: people.to_vec(), ..Reach::default() };
    for spec in CHANNELS {
        let named = Named { spec, settings: &said.settings, is_there: written.contains_key(spec.name) };
        named.check(layers, flaws);
        if named.is_there {
            named.lay_into(&mut reach);
        }
    }
    let settings = &said.settings;
    if let Some(prefix) = settings.text("slack-channels.prefix").filter(|_| written.contains_key(reach::SLACK)) {
        reach.rooms = Some(Rooms { prefix: prefix.clone(), is_private: settings.is_on("slack-channels.private") });
    }
    reach.notifies = settings.is_on("statuspage-pages.notify-subscribers");
    reach.tells_subscribers = settings.is_on("pagerduty-options.status-updates");
    reach.stands_in = settings.text("pagerduty-options.stands-in").cloned();
    reach.silences = written.contains_key(reach::ALERTMANAGER);
    let tells_changes = "pagerduty-options.change-events";
    reach.tells_changes = settings.is_on(tells_changes) && written.contains_key(reach::PAGERDUTY_EVENTS);
    if settings.is_on(tells_changes) && !reach.tells_changes {
        flaws.push(without_address(tells_changes, reach::PAGERDUTY_EVENTS, layers));
    }
    (written, reach)
}

fn without_address(key: &str, service: &str, layers: &[Layer]) -> String {
    let message = format!("names things of a system without an address: set `url` in [{service}]");
    format!("{}: `{key}`: {message}", layers::origin(layers, key))
}

/// What the configuration says of a system beside its address.
struct Named<'a> {
    spec: &'static ChannelSpec,
    settings: &'a SystemSettings,
    /// It has an address.
    is_there: bool,
}

impl Named<'_> {
    /// What says something of a system without an address is a mistake, but for mere preferences.
    fn check(&self, layers: &[Layer], flaws: &mut Vec<String>) {
        if self.is_there {
            return;
        }
        for section in self.spec.sections {
            match section.holds {
                Holds::Keys(keys) => {
                    let said = |key: &&Key| self.settings.says(&format!("{}.{}", section.name, key.name));
                    let needs = keys.iter().filter(|key| key.means != Means::Preference).filter(said);
                    flaws.extend(
                        needs.map(|key| {
                            without_address(&format!("{}.{}", section.name, key.name), self.spec.name, layers)
                        }),
                    );
                }
                // Components alone lead nowhere: the page that they are parts of is a key of its own.
                Holds::Services(_, Parts::Components(_)) => {}
                Holds::Services(_, Parts::Places) => {
                    if let Some((service, _)) = self.settings.section(section.name).first_key_value() {
                        flaws.push(without_address(&format!("{}.{service}", section.name), self.spec.name, layers));
                    }
                }
            }
        }
    }

    fn lay_into(&self, reach: &mut Reach) {
        let mut place = None;
        for section in self.spec.sections {
            match section.holds {
                Holds::Keys(keys) => {
                    for key in keys {
                        let name = format!("{}.{}", section.name, key.name);
                        match key.means {
                            Means::Route(channel) => reach.routes.extend(self.route(channel, key.takes, &name)),
                            Means::Place => place = self.settings.text(&name).cloned().map(Place::One),
                            Means::Option | Means::Preference => {}
                        }
                    }
                }
                Holds::Services(_, parts) => {
                    let by_service: BTreeMap<ServiceId, CleanStr> = self.settings.section(section.name);
                    match parts {
                        Parts::Places => place = (!by_service.is_empty()).then_some(Place::Of(by_service)),
                        Parts::Components(page) => drop(reach.components.insert(page, by_service)),
                    }
                }
            }
        }
        let Some((habit, home)) = self.spec.keeps else { return };
        let itself = (home == Home::Itself).then(|| Place::One(self.spec.name.into()));
        if let Some(place) = place.or(itself) {
            reach.trackers.push(Tracker { service: self.spec.name.into(), place, habit });
        }
    }

    /// Where a key leads: to the place that it names, or to the system as a whole.
    fn route(&self, channel: Channel, kind: Takes, key: &str) -> Option<Route> {
        let target = match kind {
            Takes::Flag => self.settings.is_on(key).then(|| self.spec.name.into()),
            Takes::Id | Takes::SlackChannel | Takes::Repository | Takes::Text | Takes::Fields => {
                self.settings.text(key).cloned()
            }
        };
        Some(Route { channel, service: self.spec.name.into(), target: target? })
    }
}
