//! Exit statuses: which there are, and what each means.
//!
//! Invariant: `--help` and README are made of, or held against, this one table, and no subcommand ends with a number that is not in it (but `run`,
//! which ends as its command does).

use std::process::ExitCode;

/// How a subcommand ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// All is well.
    Done,
    /// The rules or the world said no.
    Refused,
    /// The call was wrong.
    Misused,
    /// It waits for a word.
    Unconfirmed,
    /// It is done, and nobody could be told.
    Unprinted,
    /// It is done here, and has not arrived elsewhere.
    Unsent,
    /// The terminal is gone.
    HungUp,
    /// Ctrl-C.
    Interrupted,
    /// Another signal.
    Terminated,
}

impl Status {
    /// All of them, by number.
    const ALL: [Self; 9] = [
        Self::Done,
        Self::Refused,
        Self::Misused,
        Self::Unconfirmed,
        Self::Unprinted,
        Self::Unsent,
        Self::HungUp,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The number that the shell sees.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Misused => 2,
            Self::Unconfirmed => 3,
            Self::Unprinted => 4,
            Self::Unsent => 5,
            Self::HungUp => 129,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// What it means.
    fn means(self) -> &'static str {
        match self {
            Self::Done => "done; what was given is on disk",
            Self::Refused => "failed, or refused by the incident's rules",
            Self::Misused => "called wrongly: nothing was done",
            Self::Unconfirmed => "wants to be confirmed (--yes): nothing was done",
            Self::Unprinted => "done, but the answer could not be printed",
            Self::Unsent => "on disk, but what goes out has not arrived",
            Self::HungUp => "the terminal was closed",
            Self::Interrupted => "ended by Ctrl-C",
            Self::Terminated => "ended by a signal",
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.number())
    }
}

/// The table, as `--help` has it.
pub(super) fn table() -> String {
    let rows: Vec<_> = Status::ALL.iter().map(|one| format!("  {:<4} {}", one.number(), one.means())).collect();
    format!(
        "Exit statuses:\n{}\n  (`run` ends as the command that it ran; with 4 where that ended well and its output could not be printed)",
        rows.join("\n")
    )
}
