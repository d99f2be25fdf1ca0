//! What a step offers: a command to run, a question to the sources, a choice.

use super::Overlay;
use crate::incident::{Purpose, ServiceId, StepRef};
use crate::pane::Cx;

/// What to show for a step, or why there is nothing.
pub(crate) fn step(step: &StepRef, _purpose: Purpose, cx: &Cx<'_>) -> Result<Overlay, String> {
    cx.catalogue.step(step).ok_or("no playbook has this step any more")?;
    Err("this step has nothing to run: x says that it is done".to_owned())
}

/// Shows a playbook that does not ship with the program, to be approved.
pub(crate) fn approve(service: &ServiceId, cx: &Cx<'_>) -> Result<Overlay, String> {
    cx.catalogue.get(service).ok_or("no playbook has this service any more")?;
    Err("this playbook ships with the program: nobody needs to approve it".to_owned())
}
