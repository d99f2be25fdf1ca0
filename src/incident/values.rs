//! With which values a step was done: what its way back and its repetition begin with.
//!
//! Hides which of several runs is meant. A run stands until a way back with the same values has ended well.
//!
//! Invariant: a value comes from the record or from nowhere; what an older build did not write down is not guessed.

use std::collections::BTreeMap;

use super::{Captured, DryRun, Ending, Facts, Mark, Purpose, Run, StepRef};
use crate::text::{CleanStr, Exact};

/// A run of a step, or what stood for one where nothing runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DoneWith<'a> {
    /// Who, when.
    pub mark: &'a Mark,
    /// What a person was asked for then; a name that is missing is not known.
    pub values: &'a BTreeMap<CleanStr, Exact>,
}

impl Facts {
    /// With which values a step was last done, or tried.
    pub fn last_done_with(&self, step: &StepRef) -> Option<DoneWith<'_>> {
        let mut done = self.runs.iter().rev().filter(|run| run.order.step.as_ref() == Some(step));
        let done = done.find(|run| run.order.purpose == Purpose::Do).map(done_with);
        self.dry_run(step).or(done)
    }

    /// The newest value that a command kept under a name, with the run that found it.
    pub fn captured(&self, name: &CleanStr) -> Option<(&Run, &Exact)> {
        self.runs.iter().rev().find_map(|run| match &run.end()?.captured {
            Some(Captured::Value(known, value)) if known == name => Some((run, value)),
            Some(Captured::Value(..) | Captured::Nothing(_)) | None => None,
        })
    }

    /// With which values a step was done and not taken back; the newest last.
    pub fn standing_with(&self, step: &StepRef) -> Vec<DoneWith<'_>> {
        let mut standing: Vec<DoneWith<'_>> = Vec::new();
        let of_step = self.runs.iter().filter(|run| run.order.step.as_ref() == Some(step));
        for run in of_step.filter(|run| run.has_acted()) {
            match run.order.purpose {
                Purpose::Do => standing.push(done_with(run)),
                Purpose::Undo if run.ending().is_some_and(Ending::is_success) => {
                    // Without one of the same values it is not known what it took back: all stay listed.
                    if let Some(place) = standing.iter().rposition(|done| *done.values == run.order.values) {
                        standing.remove(place);
                    }
                }
                Purpose::Undo => {}
            }
        }
        standing.extend(self.dry_run(step));
        standing
    }

    /// What was last done for a step in a drill, where the word counts for the deed; elsewhere a dry run did nothing that could be taken back.
    fn dry_run(&self, step: &StepRef) -> Option<DoneWith<'_>> {
        self.drill.as_ref()?;
        let (mark, answer) = self.answers.get(step)?;
        let DryRun { purpose, values } = answer.dry.as_ref()?;
        (*purpose == Purpose::Do).then_some(DoneWith { mark, values })
    }
}

fn done_with(run: &Run) -> DoneWith<'_> {
    DoneWith { mark: &run.started, values: &run.order.values }
}
