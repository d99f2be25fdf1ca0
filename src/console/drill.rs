//! What a console does for a drill: it tells the world how far its room is.
//!
//! Hides whom the exercise may play: nobody who is here.
//!
//! Invariant: the world hears of a change once, and of nothing outside drills.

use super::{Console, Effect};
use crate::incident::{Progress, Task};

impl Console {
    /// In a drill the world reacts to what people did.
    pub(super) fn tell_progress(&mut self, effects: &mut Vec<Effect>) {
        if self.incident.drill.is_none() {
            return;
        }
        let progress = Progress {
            done: self.incident.steps_done(),
            clock: Some(self.incident.clock()),
            staged: self.incident.staged(),
            tasks: self.tasks_of_absent(),
        };
        if progress != self.progress_told {
            self.progress_told.clone_from(&progress);
            effects.push(Effect::Progress(progress));
        }
    }

    /// Whoever is here calls back themselves, whatever the exercise calls its people.
    fn tasks_of_absent(&self) -> Vec<Task> {
        let is_here = |name: &str| {
            let here = self.present.iter().map(|one| &one.actor).chain([&self.settings.me]);
            here.into_iter().any(|actor| actor.eq_ignore_ascii_case(name.trim().trim_start_matches('@')))
        };
        self.incident.open_tasks().filter(|task| !is_here(&task.to)).cloned().collect()
    }
}
