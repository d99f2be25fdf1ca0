//! What a step offers: a command to run, a question to the sources, a choice.

use super::Overlay;
use crate::incident::{Purpose, StepRef};
use crate::pane::Cx;

/// What to show for a step, or why there is nothing.
pub(crate) fn step(step: &StepRef, _purpose: Purpose, cx: &Cx<'_>) -> Result<Overlay, String> {
    cx.catalogue.step(step).ok_or("no playbook has this step any more")?;
    Err("this step has nothing to run: x says that it is done".to_owned())
}
