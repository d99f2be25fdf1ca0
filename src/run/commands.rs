//! Commands: what the console wants of one becomes a helper, a file, a thread that follows.
//!
//! Invariant: nothing here waits on the loop; what fails comes back as the end of that command.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::shell::Shell;
use crate::console::Msg;
use crate::console::runs::{RunAct, RunSaid};
use crate::incident::{EntryId, IncidentId, Purpose, StepRef};
use crate::runner::{self, Order, Said, StartError};
use crate::text::{CleanStr, Exact};

impl Shell {
    /// Does something with a command of the open record.
    pub(super) fn run_command(&mut self, run: EntryId, act: RunAct) {
        let Some(folder) = self.open_id().map(|id| self.run_folder(id, run)) else { return };
        let sharing = self.plan.journal.sharing;
        let (me, said) = (self.plan.settings.me.to_string(), self.runs.0.clone());
        let tell = move |what: Said| match &what {
            // Nothing but the question whether anybody is there.
            Said::Printed(text, 0) if text.is_empty() => !said.is_closed(),
            Said::Printed(..)
            | Said::Rewritten(..)
            | Said::File(_)
            | Said::Overtime
            | Said::Unwatched(_)
            | Said::Ended(_) => said.blocking_send((run, what)).is_ok(),
        };
        let proof = self.proof_before(&act);
        let is_dry = self.plan.settings.reach.is_dry;
        let keeper = self.plan.keeper.clone();
        let act = move || match act {
            RunAct::Start(body, keep) => {
                if is_dry {
                    tell(Said::Ended(runner::End::not_started("--dry-run: nothing runs from this console")));
                    return;
                }
                if let Err(why) = proof.map_or(Ok(()), |proof| proof()) {
                    tell(Said::Ended(runner::End::not_started(&why)));
                    return;
                }
                // What is put there without somebody who takes it back may stand there for ever.
                if let Some(Err(why)) = keep.map(|keep| super::keeper::begin(&keep, &keeper)) {
                    tell(Said::Ended(runner::End::not_started(&why)));
                    return;
                }
                let started = runner::start(&folder, &Order::of(&body, sharing), sharing);
                match started {
                    Ok(started) => runner::follow_own(folder, started, tell),
                    // A folder that is there before its command was put there by somebody: what it says counts for nothing.
                    Err(
                        error @ (StartError::AlreadyStarted | StartError::Unwritable { .. } | StartError::NoHelper(_)),
                    ) => {
                        tell(Said::Ended(runner::End::not_started(&error.to_string())));
                    }
                }
            }
            RunAct::Follow(late) => runner::follow(folder, Duration::from_millis(late), tell),
            RunAct::Cancel => report(runner::cancel(&folder, &me), &folder),
            RunAct::Grant(seconds) => report(runner::grant(&folder, Duration::from_secs(seconds)), &folder),
        };
        tokio::task::spawn_blocking(act);
    }

    /// Looks for programs, each in its folder, and says what was found.
    pub(super) fn look_for(&self, number: u64, programs: Vec<(Exact, Exact)>) {
        let back = self.back();
        tokio::task::spawn_blocking(move || {
            let look = |(name, folder): &(Exact, Exact)| {
                runner::look::look_up(name, folder).map_err(|why| CleanStr::new(&why))
            };
            let found = programs.iter().map(look).collect();
            // A console that is gone needs no answer.
            let _ = back.blocking_send(Msg::Found(number, found));
        });
    }

    /// What must be proved right before a command: an address that was staging when the drill began may lead elsewhere by now. What is there is
    /// always taken back.
    fn proof_before(&self, act: &RunAct) -> Option<impl FnOnce() -> Result<(), String> + Send + use<>> {
        let RunAct::Start(body, _) = act else { return None };
        let is_put = body.purpose == Purpose::Do && body.step.as_ref().is_some_and(StepRef::is_of_exercise);
        if !is_put {
            return None;
        }
        let to_prove = self.plan.to_prove.clone();
        Some(move || match to_prove {
            Some(Ok(claim)) => super::staging::prove(&claim.endpoint, &claim.marks).map(|_| ()),
            Some(Err(why)) => Err(why.to_string()),
            None => Err("no [staging] is configured here".to_owned()),
        })
    }

    /// Where the output of a command of the open record stands.
    pub(super) fn output_file(&self, run: EntryId) -> Option<PathBuf> {
        Some(runner::output(&self.run_folder(self.open_id()?, run)))
    }

    fn run_folder(&self, id: IncidentId, run: EntryId) -> PathBuf {
        runner::folder(&self.plan.journal.directory, id, run)
    }
}

fn report(done: std::io::Result<()>, folder: &Path) {
    if let Err(error) = done {
        tracing::error!("{}: {error}", folder.display());
    }
}

/// What a follower says, as the console hears it.
pub(super) fn said(run: EntryId, said: Said) -> RunSaid {
    match said {
        Said::Printed(text, skipped) => RunSaid::Printed(text, skipped),
        Said::Rewritten(text, replaced) => RunSaid::Rewritten(text, replaced),
        Said::Overtime => RunSaid::Overtime,
        Said::Unwatched(pid) => RunSaid::Unwatched(pid),
        Said::File(path) => RunSaid::File(CleanStr::new(&path.to_string_lossy())),
        Said::Ended(end) => RunSaid::Ended(end.of_run(run)),
    }
}
