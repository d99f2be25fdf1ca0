//! The versions of playbooks that an incident goes by.
//!
//! Hides when a version is written down: with the first thing that somebody does with one of its steps. From then on every console shows the same
//! steps, whatever happens to the files. A drill is played by the files as they are.

use super::Console;
use crate::incident::Event;

impl Console {
    /// Events, and before them the versions of the playbooks whose steps they touch for the first time.
    pub(super) fn with_versions(&self, events: Vec<Event>) -> Vec<Event> {
        if self.incident.drill.is_some() {
            return events;
        }
        let mut first = Vec::new();
        for step in events.iter().filter_map(Event::step) {
            let is_known = self.incident.playbooks.contains_key(&step.service)
                || first
                    .iter()
                    .any(|event| matches!(event, Event::PlaybookFrozen(body) if body.service == step.service));
            if let (false, Some(playbook)) = (is_known, self.loaded.get(&step.service)) {
                first.push(Event::PlaybookFrozen(playbook.frozen(None)));
            }
        }
        first.extend(events);
        first
    }

    /// Takes the incident's versions into use, where they changed.
    pub(super) fn learn_versions(&mut self) {
        if !self.incident.playbooks.values().map(|version| &version.digest).eq(&self.frozen) {
            self.use_frozen();
        }
    }

    pub(super) fn use_frozen(&mut self) {
        self.frozen = self.incident.playbooks.values().map(|version| version.digest.clone()).collect();
        self.settings.catalogue = self.loaded.with_frozen(self.incident.playbooks.values());
    }
}
