//! Facts about commands that a console runs: the frozen order, what happened on the way, how it ended; and what a step that looks has answered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::StepRef;
use crate::incident::entry::{EntryId, ServiceId};
use crate::incident::judging::{Judging, Meaning};
use crate::text::{CleanStr, CleanText, Exact};

/// What a command of a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// To do what the step says.
    #[default]
    Do,
    /// To take it back.
    Undo,
}

/// What identifies a command: program, arguments and directory, each with its length, so that no two are alike.
pub fn command_digest(argv: &[Exact], directory: Option<&Exact>) -> CleanStr {
    let mut hash = blake3::Hasher::new();
    for part in argv.iter().map(Exact::as_bytes).chain([directory.map_or(&[][..], Exact::as_bytes)]) {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    CleanStr::new(hash.finalize().to_hex().as_str())
}

/// A program's file: exactly this runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its absolute path.
    pub path: Exact,
    /// BLAKE3 of what stands in it, as hex.
    pub digest: CleanStr,
}

/// A command as it was shown and confirmed, written before it starts; the run is named by this entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandStarted {
    /// The step it belongs to; absent for `warroom run -- CMD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepRef>,
    /// What it is called.
    pub title: CleanStr,
    /// Whether it does the step or takes it back.
    #[serde(default)]
    pub purpose: Purpose,
    /// Program and arguments, exactly as they run; what looks like a secret is masked here.
    pub argv: Vec<Exact>,
    /// What a person was asked for, by the names of the parameters; absent in records of older builds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<CleanStr, Exact>,
    /// Where it runs; absent for the console's own directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<Exact>,
    /// The file that runs, as it was found when the dialog opened; absent in records of older builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Program>,
    /// The variables that it gets, by name; absent in records of older builds, whose commands got all of the console's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<CleanStr>,
    /// What came before in name only, and was said to be enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub despite: Vec<CleanStr>,
    /// BLAKE3 over arguments and directory as the playbook has them, as hex: the same on every console.
    pub digest: CleanStr,
    /// The badge of where it acts, such as `PRODUCTION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<CleanStr>,
    /// Whether it changes anything.
    #[serde(default)]
    pub changes: bool,
    /// Its time limit in seconds.
    pub limit_s: u64,
    /// At its limit it is stopped; else it is flagged, and somebody decides.
    #[serde(default)]
    pub stops_at_limit: bool,
    /// How its end is judged, and how often it is tried.
    #[serde(default, skip_serializing_if = "Judging::is_usual")]
    pub judging: Judging,
    /// How long what it puts into staging stays there at most, in seconds; absent for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays_s: Option<u64>,
    /// The machine it runs on.
    pub host: CleanStr,
}

/// Something that happened to a run on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remark {
    /// Its time is over; it goes on, because half a change is worse than a slow one.
    Overtime,
    /// Somebody asked for its end.
    CancelAsked,
    /// Somebody gave it more time, in seconds.
    Granted(u64),
    /// Its watcher is gone, and the command still runs, as this process.
    Unwatched(i32),
}

impl Remark {
    /// Whether several consoles see it at once, so that only the first word on it counts.
    pub fn is_noted_once(&self) -> bool {
        match self {
            Self::Overtime | Self::Unwatched(_) => true,
            Self::CancelAsked | Self::Granted(_) => false,
        }
    }
}

/// Something happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandRemarked {
    /// The run.
    pub run: EntryId,
    /// What.
    pub remark: Remark,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It left by itself, with this status.
    Exited(i32),
    /// A signal ended it: its number.
    Signalled(i32),
    /// It was never started: why.
    NotStarted(CleanStr),
    /// It was stopped: by whom or by what.
    Stopped(CleanStr),
    /// Nobody knows: why. It is not run again by itself.
    Unknown(CleanStr),
}

impl Ending {
    /// Whether it left by itself with status 0.
    pub fn is_success(&self) -> bool {
        *self == Self::Exited(0)
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(out, "exit {code}"),
            Self::Signalled(signal) => write!(out, "ended by signal {signal}"),
            Self::NotStarted(why) => write!(out, "NOT STARTED: {why}"),
            Self::Stopped(why) => write!(out, "STOPPED: {why}"),
            Self::Unknown(why) => write!(out, "UNKNOWN: {why}"),
        }
    }
}

/// A run ended; the first word on it counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandEnded {
    /// The run.
    pub run: EntryId,
    /// How.
    pub ending: Ending,
    /// How long it ran, in milliseconds.
    pub took_ms: u64,
    /// How much it printed, in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// How much of that was not kept, in bytes.
    #[serde(default)]
    pub dropped: u64,
    /// The last lines, masked.
    #[serde(default)]
    pub tail: CleanText,
    /// Whether processes that it had started were still there.
    #[serde(default)]
    pub left_running: bool,
    /// Those processes, as far as they could be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftRunning>,
    /// What its status means, where its file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Meaning>,
    /// What of its output was kept, under the name of a placeholder; or why nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Captured>,
}

/// A process that a command left running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftRunning {
    /// Its number.
    pub pid: i32,
    /// What it is called.
    pub name: CleanStr,
}

/// What was to be kept of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Captured {
    /// A value, under the name of a placeholder.
    Value(CleanStr, Exact),
    /// Nothing: why.
    Nothing(CleanStr),
}

impl CommandEnded {
    /// Whether it ended well, as its file judges it.
    pub fn has_succeeded(&self) -> bool {
        match (&self.ending, &self.outcome) {
            (Ending::Exited(_), Some(outcome)) => outcome.is_success,
            (ending, _) => ending.is_success(),
        }
    }

    /// How it ended, with what its file calls that.
    pub fn how(&self) -> String {
        let name = self.outcome.as_ref().and_then(|outcome| outcome.name.as_ref());
        match name {
            Some(name) => format!("{}: {name}", self.ending),
            None => self.ending.to_string(),
        }
    }

    /// What it left running, in words; empty where that is nothing.
    pub fn left_in_words(&self) -> String {
        let names: Vec<_> = self.left.iter().map(|one| format!("{} ({})", one.pid, one.name)).collect();
        match (names.as_slice(), self.left_running) {
            ([], false) => String::new(),
            ([], true) => "processes".to_owned(),
            (names, _) => names.join(", "),
        }
    }
}

/// A second person read the same frozen order and vouches for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommandVouched {
    /// Whose step.
    #[serde(flatten)]
    pub step: StepRef,
    /// What it is called.
    pub title: CleanStr,
    /// The digest of what they saw.
    pub digest: CleanStr,
}

/// What a step that looks, waits or asks has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepAnswered {
    /// The step.
    #[serde(flatten)]
    pub step: StepRef,
    /// What it is called.
    pub title: CleanStr,
    /// What was found, or which branch was taken.
    pub answer: CleanStr,
    /// Whether that is what was expected; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<bool>,
    /// The command that would have run, where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry: Option<DryRun>,
}

/// A command that was shown and confirmed where nothing runs: in a drill, or with `--dry-run`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DryRun {
    /// Whether it would have done the step or taken it back.
    #[serde(default)]
    pub purpose: Purpose,
    /// What a person was asked for, by the names of the parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<CleanStr, Exact>,
}

/// Somebody read a playbook that does not ship with the program: its commands may run in this incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaybookApproved {
    /// Whose playbook.
    pub service: ServiceId,
    /// BLAKE3 of the file that was read, as hex.
    pub digest: CleanStr,
}

/// The version of a playbook that this incident uses, whole: whatever happens to the file, everybody works by the same steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaybookFrozen {
    /// Whose playbook.
    pub service: ServiceId,
    /// BLAKE3 of the text, as hex.
    pub digest: CleanStr,
    /// The file, byte for byte.
    pub text: String,
    /// The digest of the version that it takes the place of, where somebody chose so; else the first one counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<CleanStr>,
}
