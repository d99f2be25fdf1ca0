//! How a shell asks before something is sent, ended, or cannot be taken back.
//!
//! Hides whether somebody can be asked: on a terminal what will happen is shown and asked about; without one `--yes` says what is confirmed.
//!
//! Invariant: anything else than what would happen is no yes, and without a yes nothing is done.

use std::io::{BufRead, IsTerminal, Write};

use super::{Ending, say_error};
use crate::run::plain::Consent;

/// Whether somebody can be asked.
pub(super) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Prints a line of what would happen.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{}", crate::text::shown(line));
}

/// Whether it is confirmed: by its word, or by who sits at the terminal. Without, it is said that nothing was done.
pub(super) fn is_confirmed(subject: &str, consent: &Consent, word: Option<&String>) -> Result<bool, Ending> {
    let is_confirmed = match word {
        Some(word) => consent.is_meant_by(word),
        None if can_ask() => {
            let goes_on = asks(subject, consent)?;
            if !goes_on {
                say_error("nothing was done");
            }
            return Ok(goes_on);
        }
        None => false,
    };
    if !is_confirmed {
        consent.would.iter().for_each(|line| say(line));
        unconfirmed(consent, word);
    }
    Ok(is_confirmed)
}

/// Shows what would happen, and asks.
pub(super) fn asks(subject: &str, consent: &Consent) -> Result<bool, Ending> {
    say(&format!("{subject}: this"));
    consent.would.iter().for_each(|line| say(&format!("  {line}")));
    write!(std::io::stderr(), "Go on? y does it, anything else leaves: ")?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer)?;
    Ok(read > 0 && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Says that nothing was done, and which word would have it done.
pub(super) fn unconfirmed(consent: &Consent, word: Option<&String>) {
    let wanted = &consent.word;
    say_error(&match word {
        Some(given) => format!("--yes {given} confirms something else: write --yes '{wanted}'; nothing was done"),
        None => format!("nothing was done: confirm it with --yes '{wanted}'"),
    });
}
