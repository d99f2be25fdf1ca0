//! GameDay exercises: what is practised, how it opens, and the world that misbehaves.
//!
//! Hides the file format. [`World`] turns an exercise, a seed and a start into signals, alerts, spans and traces; it is a model, not a recording, so it goes
//! on for as long as anybody looks and gets better when the right steps are ticked.
//!
//! Invariant: an exercise that was read is complete: each fault, relief and signal that it names exists, and every number is finite.

mod alarms;
pub mod cast;
pub mod debrief;
pub mod exposed;
mod noise;
mod requests;
mod rules;
pub mod schedule;
pub mod script;
mod sketch;
pub mod staged;
pub mod tabletop;
mod traffic;
mod world;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::incident::{Declared, Detection, NoteAdded, NoteKind, ServiceId, Severity};
use crate::playbook::Frequency;
use crate::text::document::{self, Flaw, trimmed};
use crate::text::duration::{Lapse, Offset};
use crate::text::{CleanStr, CleanText, too_long};
pub use cast::Person;
pub use exposed::Exposed;
pub use script::{Criterion, Hint, Inject, Shown};
pub use staged::Staged;
pub use traffic::Searched;
pub use world::World;

/// An exercise of `playbooks/gameday/`, by its name.
macro_rules! shipped {
    ($name:literal) => {
        (
            $name,
            concat!("playbooks/gameday/", $name, ".toml"),
            include_str!(concat!("../playbooks/gameday/", $name, ".toml")),
        )
    };
}

/// The exercises that ship with the program: name, file name and text.
pub const SHIPPED: [(&str, &str, &str); 4] = [
    shipped!("alipay-timeout-storm"),
    shipped!("blubank-settlement-failure"),
    shipped!("yoomonea-regional-outage"),
    shipped!("qrpay-web-cache-eviction"),
];

/// An exercise as its file says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exercise {
    /// The file's name without its ending; the journal keeps it.
    #[serde(skip)]
    pub name: CleanStr,
    /// What it is called.
    pub title: CleanStr,
    /// Whose playbook is practised.
    pub service: ServiceId,
    /// The runbook's scenario.
    pub scenario: CleanStr,
    /// How often it is due.
    pub frequency: Frequency,
    /// How long it takes.
    pub duration: Lapse,
    /// What people should have learnt after it.
    pub goals: Vec<CleanStr>,
    /// By what one sees that it went well.
    pub success: Vec<Criterion>,
    /// What is read aloud before it starts.
    #[serde(deserialize_with = "trimmed")]
    pub brief: CleanText,
    /// The incident at the moment at which people join.
    pub opening: Opening,
    /// The requests of the service.
    pub requests: Requests,
    /// What the objectives show.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// What helps.
    #[serde(default)]
    pub relief: Vec<Relief>,
    /// Who gets in touch while it runs.
    #[serde(default)]
    pub injects: Vec<Inject>,
    /// What steps show to whoever does them.
    #[serde(default)]
    pub shows: Vec<Shown>,
    /// What helps a room that is stuck, in the order in which it is given.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// What puts traffic and faults into staging, where it is played there.
    #[serde(default)]
    pub staging: Vec<Staged>,
    /// When all of that is taken back at once.
    #[serde(default)]
    pub safety: Option<staged::Safety>,
}

/// The incident at the moment at which people join; its times lie before the start of the drill.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Opening {
    /// What is wrong.
    pub title: CleanStr,
    /// How bad it looks.
    pub severity: Severity,
    /// The alert that fired.
    pub alert: CleanStr,
    /// How long ago it fired.
    pub fired: Lapse,
    /// For how long customers have been hurting.
    #[serde(default)]
    pub impact: Option<Lapse>,
    /// Who is around.
    #[serde(default)]
    pub people: Vec<Person>,
    /// The first lines of the timeline.
    #[serde(default)]
    pub notes: Vec<OpeningNote>,
}

/// A line that stands on the timeline when people join.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpeningNote {
    /// How long ago.
    pub ago: Lapse,
    /// Who wrote it.
    pub by: CleanStr,
    /// What kind of line.
    #[serde(default)]
    pub kind: NoteKind,
    /// What it says.
    #[serde(deserialize_with = "trimmed")]
    pub text: CleanText,
}

/// The requests of the service: error ratio, latency and rate all come from these.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Requests {
    /// Requests a second on a usual day.
    pub rate: f64,
    /// The usual median latency.
    pub median: Lapse,
    /// How far latencies lie apart: the standard deviation of their logarithm.
    pub spread: f64,
    /// A request that takes longer fails.
    pub timeout: Lapse,
    /// How many attempts fit into that time.
    #[serde(default = "one")]
    pub attempts: u32,
    /// The share of requests that fail at once on a usual day.
    pub errors: f64,
    /// The share of requests that leave a trace.
    pub traced: f64,
    /// Through which services a request goes, the outermost first.
    pub path: Vec<Hop>,
    /// In which ways a request fails.
    pub failures: Vec<Failure>,
}

fn one() -> u32 {
    1
}

/// One operation on the path of a request.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Hop {
    /// Which service.
    pub service: CleanStr,
    /// What it does.
    pub operation: CleanStr,
    /// Its own part of the time; the innermost hop takes the request's latency.
    #[serde(default)]
    pub takes: Lapse,
    /// What it says when the hop below it fails; without, it shows no error.
    #[serde(default)]
    pub fails: Option<CleanStr>,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, CleanStr>,
    /// Short operations that it does besides, before the next hop.
    #[serde(default)]
    pub beside: Vec<Beside>,
}

/// A short operation that never fails.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Beside {
    /// Which service.
    pub service: CleanStr,
    /// What it does.
    pub operation: CleanStr,
    /// How long.
    pub takes: Lapse,
}

/// Why a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It took too long.
    Timeout,
    /// It was refused at once.
    Refusal,
}

/// One way in which a request fails.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failure {
    /// Why.
    pub when: Cause,
    /// Only while this fault is at work.
    #[serde(default)]
    pub fault: Option<CleanStr>,
    /// How many of the failures of this cause, relative to the others.
    #[serde(default = "whole")]
    pub share: f64,
    /// The operation of the path in which it fails, counted from 1; the innermost unless said.
    #[serde(default)]
    pub hop: Option<usize>,
    /// What the span says.
    pub error: CleanStr,
    /// The type of the exception.
    pub exception: CleanStr,
    /// The HTTP status that the caller sees.
    pub status: u16,
    /// How long a refusal takes.
    #[serde(default)]
    pub takes: Lapse,
}

fn whole() -> f64 {
    1.0
}

/// What of the requests an objective shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The 99th percentile of their latency.
    Latency,
    /// The share that fails.
    Errors,
    /// How many come in a second.
    Rate,
    /// How many succeed in a second.
    Completed,
}

/// What an objective shows: an aspect of the requests, or a level of its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signal {
    /// The objective: `service/objective`.
    pub objective: CleanStr,
    /// The aspect of the requests that it shows.
    #[serde(default)]
    pub from: Option<Aspect>,
    /// The factor between the aspect and what is shown.
    #[serde(default = "whole")]
    pub times: f64,
    /// Its usual level, where it shows no aspect of the requests.
    #[serde(default)]
    pub level: Option<f64>,
    /// What fills and drains it, where it is a queue.
    #[serde(default)]
    pub stock: Option<Stock>,
    /// How much it trembles, relative to its value.
    #[serde(default)]
    pub noise: f64,
    /// How many series it has.
    #[serde(default = "one")]
    pub series: u32,
    /// How far the series lie apart, relative to their value.
    #[serde(default)]
    pub apart: f64,
    /// The label that tells the series apart.
    #[serde(default = "instance")]
    pub label: CleanStr,
    /// The raw metrics that carry it for a Prometheus.
    #[serde(default)]
    pub expose: Vec<Exposed>,
}

/// A queue: what is in it when all is well, and what comes and could go in a second.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stock {
    /// It is never emptier.
    pub usual: f64,
    /// What comes in a second.
    pub inflow: f64,
    /// What can go in a second.
    pub outflow: f64,
}

fn instance() -> CleanStr {
    CleanStr::new("instance")
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Unique in its file.
    pub id: CleanStr,
    /// What it is, for the debrief.
    pub what: CleanStr,
    /// When it begins, told from the start of the drill.
    #[serde(default)]
    pub at: Option<Offset>,
    /// What begins it, where it is a wrong turn.
    #[serde(default)]
    pub when: Option<Trigger>,
    /// How long it takes to its full strength.
    pub ramp: Lapse,
    /// How long it stays, where it ends by itself.
    #[serde(default)]
    pub lasts: Option<Lapse>,
    /// The factor on the requests' median latency.
    #[serde(default = "whole")]
    pub latency: f64,
    /// The factor on the requests' rate.
    #[serde(default = "whole")]
    pub rate: f64,
    /// The share of requests that fail at once.
    #[serde(default)]
    pub errors: f64,
    /// The levels that it moves, by `service/objective`: the value at full strength.
    #[serde(default)]
    pub levels: BTreeMap<String, f64>,
    /// The factor on what leaves a stock, by `service/objective`.
    #[serde(default)]
    pub flows: BTreeMap<String, f64>,
}

/// A step that makes things worse, unless something was done before it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Trigger {
    /// The step: `service/step`.
    pub step: CleanStr,
    /// Steps of which one, done before, keeps it from happening.
    #[serde(default)]
    pub unless: Vec<CleanStr>,
    /// How long after the tick it begins.
    #[serde(default)]
    pub after: Lapse,
}

/// A step of a playbook that helps.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Relief {
    /// The step: `service/step`.
    pub step: CleanStr,
    /// The fault that it relieves.
    pub fault: CleanStr,
    /// How long after the tick it begins to help.
    pub after: Lapse,
    /// How long it takes from there to its full effect.
    pub ramp: Lapse,
    /// The share of the fault that it takes away.
    #[serde(default = "whole")]
    pub share: f64,
    /// Steps that must be done before it, or it does not help.
    #[serde(default)]
    pub needs: Vec<CleanStr>,
}

impl Exercise {
    /// Reads an exercise; `name` is the file's name without its ending.
    pub fn parse(name: &str, text: &str) -> Result<Self, Box<Flaw>> {
        let file = format!("{name}.toml");
        let mut exercise: Self = document::read(&file, text)?;
        if too_long(text).is_some() {
            let complaint =
                document::Complaint::new([], "is too long for the record: keep it below 64 KB and 2,000 lines");
            return Err(document::locate(&file, text, &complaint));
        }
        exercise.name = CleanStr::new(name);
        rules::check(&exercise).map_err(|complaint| document::locate(&file, text, &complaint))?;
        Ok(exercise)
    }

    /// The text of a shipped exercise.
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(known, _, _)| *known == name).map(|(_, _, text)| *text)
    }

    /// The declaration with which the drill opens.
    pub fn declaration(&self, start: DateTime<Utc>, zone: CleanStr) -> Declared {
        Declared {
            title: self.opening.title.clone(),
            severity: self.opening.severity,
            service: Some(self.service.clone()),
            detected_at: Some(start - *self.opening.fired),
            detection: Some(Detection::Alert { name: self.opening.alert.clone() }),
            zone,
            link: None,
        }
    }

    /// Since when customers hurt, if they do when the drill starts.
    pub fn impact_start(&self, start: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.opening.impact.map(|ago| start - *ago)
    }

    /// The first lines of the timeline: who wrote what.
    pub fn first_notes(&self, start: DateTime<Utc>) -> impl Iterator<Item = (CleanStr, NoteAdded)> {
        self.opening.notes.iter().map(move |note| {
            let added = NoteAdded { kind: note.kind, text: note.text.clone(), at: Some(start - *note.ago) };
            (note.by.clone(), added)
        })
    }

    /// When the first fault begins, told from the start of the drill.
    pub fn first_fault(&self) -> TimeDelta {
        self.faults.iter().filter_map(|fault| fault.at).map(|at| at.0).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
