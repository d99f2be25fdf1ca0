//! The versions of playbooks that an incident goes by.
//!
//! Hides when a version is written down: when somebody approves it, or with the first thing that is done with one of its steps. From then on every console shows the same
//! steps, whatever happens to the files. A drill is played by the files as they are.

use chrono::{DateTime, Utc};

use super::overlay::Overlay;
use super::{Console, Dirty, Tone};
use crate::incident::Event;
use crate::playbook::{Catalogue, Step};

impl Console {
    /// Events, and before them the versions of the playbooks that they approve, or whose steps they touch, for the first time.
    pub(super) fn with_versions(&self, events: Vec<Event>) -> Vec<Event> {
        if self.open.incident.drill.is_some() {
            return events;
        }
        let mut first = Vec::new();
        let touched = |event: &Event| match event {
            Event::PlaybookApproved(body) => Some(body.service.clone()),
            other => other.step().map(|step| step.service.clone()),
        };
        for service in events.iter().filter_map(touched) {
            let is_known = self.open.incident.playbooks.contains_key(&service)
                || first.iter().any(|event| matches!(event, Event::PlaybookFrozen(body) if body.service == service));
            if let (false, Some(playbook)) = (is_known, self.settings.catalogue.get(&service)) {
                first.push(Event::PlaybookFrozen(playbook.frozen(None)));
            }
        }
        first.extend(events);
        first
    }

    /// Takes the incident's versions into use, where they changed.
    pub(super) fn learn_versions(&mut self) {
        if !self.open.incident.playbooks.values().map(|version| &version.digest).eq(&self.open.frozen) {
            self.use_frozen();
        }
    }

    /// The playbooks' files were read.
    pub(super) fn take_catalogue(&mut self, mut catalogue: Catalogue, wall: DateTime<Utc>) {
        if let Some(problem) = catalogue.problems.first() {
            self.say(Tone::Failed, problem.clone(), wall);
        }
        if let Some(Overlay::Declare(form)) = self.overlay.as_mut().map(|shown| &mut shown.overlay) {
            form.offer(&catalogue);
        }
        catalogue.remember(&self.settings.catalogue);
        self.settings.catalogue = catalogue;
        self.use_frozen();
        self.offer_versions(wall);
        self.dirty = Dirty::ALL;
    }

    /// Says once of each file that was changed in mid-incident that it can be looked at and taken over. Nothing changes by itself.
    fn offer_versions(&mut self, wall: DateTime<Utc>) {
        let mut lines = Vec::new();
        for version in self.open.incident.playbooks.values() {
            let Some(loaded) = self.settings.catalogue.get(&version.service) else { continue };
            let digest = loaded.digest();
            if digest == version.digest || !self.open.offered.insert(digest) {
                continue;
            }
            let steps = self.open.catalogue.get(&version.service).map_or(&[][..], |used| &used.steps);
            let differs = |step: &&Step| steps.iter().find(|used| used.id == step.id) != Some(step);
            let gone = steps.iter().filter(|used| loaded.step(&used.id).is_none()).count();
            let changed = loaded.steps.iter().filter(differs).count() + gone;
            let steps = crate::text::many(changed, "step");
            lines.push(format!("the file of the playbook of {} has changed: {steps}", version.service));
        }
        if !lines.is_empty() {
            let words = format!(
                "{}: t in the playbook (:trust) shows it, takes it over or keeps what is in use",
                lines.join("; ")
            );
            self.say(Tone::Said, words, wall);
        }
    }

    pub(super) fn use_frozen(&mut self) {
        self.open.frozen = self.open.incident.playbooks.values().map(|version| version.digest.clone()).collect();
        self.open.catalogue = self.settings.catalogue.with_frozen(self.open.incident.playbooks.values());
    }
}
