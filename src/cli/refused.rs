//! What the machine refuses where no layer hands it on as an error: threads, random numbers, wake-ups.
//!
//! The standard library and tokio end the thread in such a case. That is no fault of this program, and its words help nobody.
//!
//! Invariant: a refusal of the machine ends with a sentence and status 1; a fault of our own stays a panic.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
use std::process::ExitCode;

use super::Ending;

/// How the words begin with which those libraries end a thread.
const WORDS: [&str; 5] = [
    "failed to generate random data",
    "failed to spawn thread",
    "OS can't spawn worker thread",
    "failed to wake I/O driver",
    "failed to spawn",
];

/// Runs the program, and makes a sentence of what the machine refused.
pub(super) fn said(run: impl FnOnce() -> Result<ExitCode, Ending>) -> Result<ExitCode, Ending> {
    let print = take_hook();
    set_hook(Box::new(move |panic| {
        if words(panic.payload()).is_none() {
            print(panic);
        }
    }));
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| match words(&*panic) {
        Some(words) => Err(Ending::Failure(format!(
            "this machine refuses what the program needs ({words}): free memory, processes or files, then start again; what was said to be recorded is"
        ))),
        None => resume_unwind(panic),
    })
}

fn words(payload: &(dyn std::any::Any + Send)) -> Option<String> {
    let text =
        payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied())?;
    WORDS.iter().any(|words| text.starts_with(words)).then(|| text.to_owned())
}
