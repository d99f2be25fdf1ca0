//! The configuration of a subcommand: the whole of it, or what is right of it.
//!
//! Hides what somebody is asked or told when a file is wrong.
//!
//! Invariant: a broken file keeps nobody from the record; nothing is written to a journal that may be another one than the team's.

use std::io::{BufRead, IsTerminal, Write};

use super::{Ending, say_error};
use crate::config::{Config, Inputs, Salvaged};

/// The configuration, or all that is wrong with it.
pub(super) fn whole(inputs: &Inputs) -> Result<Config, Ending> {
    Config::load(inputs).map(|loaded| loaded.config).map_err(|error| Ending::Usage(error.to_string()))
}

/// What is right of the configuration; what is left out is said, and in front of a full screen asked about.
pub(super) fn part(inputs: &Inputs, has_screen: bool) -> Result<Config, Ending> {
    let usage = |error: crate::config::ConfigError| Ending::Usage(error.to_string());
    let Salvaged { loaded, flaws, has_lost_the_journal } = Config::salvage(inputs).map_err(usage)?;
    if flaws.is_empty() {
        return Ok(loaded.config);
    }
    let asks = has_screen && std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let journal = loaded.config.journal.display();
    if has_lost_the_journal && !asks {
        return Err(Ending::Usage(format!(
            "{}\nso it is not known where the journal is: name it with --journal DIR, or go on with --no-config (then it is {journal})",
            flaws.join("\n")
        )));
    }
    for flaw in &flaws {
        say_error(flaw);
    }
    let left_out = "what is wrong there is left out, the rest of the configuration counts";
    if !asks {
        say_error(&format!("{left_out}: warroom config check"));
        return Ok(loaded.config);
    }
    let place = if has_lost_the_journal { format!("; the journal would be {journal}") } else { String::new() };
    let mut out = super::out::out(super::out::Ink::Never);
    write!(out, "{left_out}{place}.\nStart like that? Enter starts, anything else leaves: ")?;
    out.flush()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer)?;
    if read == 0 || !matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes") {
        return Err(Ending::Usage("not started: mend the configuration, or start with --no-config".to_owned()));
    }
    Ok(loaded.config)
}
