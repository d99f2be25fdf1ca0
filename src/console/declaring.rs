//! Declaring an incident: a record of its own, unless it is one that is open already.
//!
//! Invariant: nothing is declared twice without somebody saying so; that the open records cannot be read hinders nobody from declaring.

use chrono::{DateTime, Utc};

use super::overlay::{Choice, Overlay, Pick};
use super::{Console, Effect, Tone};
use crate::incident::{
    AlertLinked, Asking, Command, Declared, Event, Incident, IncidentId, PrivacySet, Series, command,
};
use crate::text::CleanStr;

/// Whether an incident is declared although another one is open on its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is asked first whether it is that one.
    Asked,
    /// Somebody knows of it.
    Anyway,
}

impl Console {
    /// Declares a new incident, in a record of its own that begins with the alerts that it came from.
    pub(crate) fn declare(
        &mut self,
        body: Declared,
        alerts: Vec<AlertLinked>,
        is_private: bool,
        doubt: Doubt,
        wall: DateTime<Utc>,
        effects: &mut Vec<Effect>,
    ) {
        if !self.may_write() {
            return self.say(Tone::Refused, self.looks_only().to_owned(), wall);
        }
        let blank = Incident::new(IncidentId::incident(1));
        let asking = Asking::new(self.settings.me.clone(), wall);
        match command::decide(&blank, Command::Declare(body), &asking) {
            Ok(mut events) => {
                events.extend(is_private.then_some(Event::PrivacySet(PrivacySet { is_private })));
                events.extend(alerts.into_iter().map(Event::AlertLinked));
                let events = events.into_iter().map(|event| event.shifted(self.ahead)).collect();
                effects.push(Effect::Create(Series::Incident, events, doubt));
            }
            Err(refusal) => self.refuse(&refusal, wall),
        }
    }

    /// Asks whether what somebody declares is one of the incidents that are open on its service.
    pub(super) fn is_it_that(&mut self, known: Vec<(IncidentId, CleanStr)>, events: Vec<Event>) {
        let names: Vec<_> = known.iter().map(|(id, _)| id.to_string()).collect();
        let join = known.into_iter().map(|(id, title)| (format!("it is: open {id} ({title})"), Choice::Open(id)));
        let another = ("it is another one: declare it".to_owned(), Choice::Declare(events));
        self.show(Overlay::Pick(Box::new(Pick {
            title: format!("is it {}? It is open on the same service", names.join(" or ")),
            notes: vec!["nothing is declared yet".to_owned()],
            rows: join.chain([another]).collect(),
            empty: "",
            selected: 0,
            filter: None,
        })));
    }
}
