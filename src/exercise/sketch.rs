//! Words about an exercise, and a sketch to begin one with.
//!
//! Hides the layout of both.
//!
//! Invariant: a sketch is an exercise that can be read, and its signals are the playbook's objectives.

use std::fmt::Write as _;

use super::Exercise;
use super::script::Rule;
use crate::incident::Staging;
use crate::playbook::{Catalogue, Playbook};
use crate::slo::Side;

impl Exercise {
    /// The pre-brief: what is read aloud before it starts.
    pub fn briefing(&self, staging: Option<&Staging>) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "DRILL: {} ({}, {}, {})\n", self.title, self.service, self.scenario, self.duration);
        for paragraph in self.brief.trim().split("\n\n") {
            // The file breaks its lines where the file is wide.
            let _ = writeln!(text, "{}\n", paragraph.replace('\n', " "));
        }
        let _ = match staging {
            None => writeln!(text, "The world is simulated.\n"),
            Some(staging) => writeln!(
                text,
                "IN STAGING, at {} ({}). The world is real. `staging` puts traffic and faults there and takes them back, each shown and \
                 confirmed; nothing else is run from here: what the playbook says is done in staging by hand, then ticked. When the alert fires, link it \
                 (8, then l): the clocks run since it fired. `abort-drill` takes back all that stands.\n",
                staging.prometheus, staging.proof
            ),
        };
        let _ = writeln!(text, "Goals");
        for goal in &self.goals {
            let _ = writeln!(text, "- {goal}");
        }
        let _ = writeln!(text, "\nIt went well when");
        for criterion in &self.success {
            let _ = writeln!(text, "- {}", criterion.what);
        }
        if !self.opening.people.is_empty() {
            let _ = writeln!(text, "\nAround");
        }
        for person in &self.opening.people {
            let part = person.plays.map(|role| format!(" (can stand in as {})", role.short())).unwrap_or_default();
            let _ = writeln!(text, "- {}: {}{part}", person.name, person.about);
        }
        let _ = write!(
            text,
            "\nF (`drill`) lists what a drill offers. A role that nobody holds can be played by the exercise: `stand-in`. Stuck? `hint` gives a hint. Afterwards `debrief` tells what was met; a real alert stands in the header, and D leaves the drill for it."
        );
        text
    }

    /// What it names that no playbook has.
    pub fn missing(&self, catalogue: &Catalogue) -> Vec<String> {
        let mut missing = Vec::new();
        if catalogue.get(&self.service).is_none() {
            missing.push(format!("no playbook is named `{}`", self.service));
        }
        for signal in &self.signals {
            let has = signal.objective.split_once('/').is_some_and(|(service, id)| {
                catalogue.get(service).is_some_and(|playbook| playbook.objectives.iter().any(|one| *one.id == *id))
            });
            if !has {
                missing.push(format!("no playbook has the objective `{}`", signal.objective));
            }
        }
        let triggers = self.faults.iter().filter_map(|fault| fault.when.as_ref());
        let triggers = triggers.chain(self.injects.iter().filter_map(|inject| inject.when.as_ref()));
        let mut steps: Vec<_> = triggers.flat_map(|trigger| trigger.unless.iter().chain([&trigger.step])).collect();
        steps.extend(self.relief.iter().flat_map(|relief| relief.needs.iter().chain([&relief.step])));
        steps.extend(self.hints.iter().flat_map(|hint| &hint.unless));
        steps.extend(self.shows.iter().flat_map(|shown| shown.unless.iter().chain([&shown.step])));
        let asked =
            self.opening.people.iter().flat_map(|person| &person.answers).filter_map(|reply| reply.when.as_ref());
        steps.extend(asked.flat_map(|asked| asked.step.iter().chain(&asked.needs).chain(&asked.unless)));
        for criterion in &self.success {
            if let Rule::Done { step, before, .. } = &criterion.rule {
                steps.push(step);
                steps.extend(before);
            }
        }
        steps.sort();
        steps.dedup();
        for step in steps {
            let has = step.split_once('/').is_some_and(|(service, id)| {
                catalogue.get(service).is_some_and(|playbook| playbook.step(id).is_some())
            });
            if !has {
                missing.push(format!("no playbook has the step `{step}`"));
            }
        }
        missing.extend(self.guards(catalogue).err());
        missing
    }

    /// An exercise to begin a file with: a service's objectives, one fault, and its last mitigating step as the cure.
    pub fn sketch(playbook: &Playbook) -> String {
        let service = &playbook.service;
        let is_cure = |step: &&crate::playbook::Step| step.phase == Some(crate::incident::Phase::Mitigating);
        let cure = playbook.steps.iter().find(is_cure).or(playbook.steps.first()).map_or("step", |step| &step.id);
        let mut text = format!(
            r#"# GameDay exercise. What each key means: src/exercise.rs, src/exercise/script.rs and src/exercise/cast.rs. Look at it with `warroom gameday check FILE`.

title = "{name} exercise"
service = "{service}"
scenario = "Say what is simulated"
frequency = "quarterly"
duration = "30m"
goals = ["say what people should have learnt"]
brief = "This is a drill: nobody is paged, and nobody outside hears of it."

[[success]]
what = "an Incident Commander has acknowledged within 5 minutes of the alert"
rule = {{ acknowledged = "5m" }}

[[success]]
what = "everything was normal again before the incident was resolved"
rule = "proven"

[opening]
title = "Say what is wrong"
severity = "sev2"
alert = "SayWhichAlertFired"
fired = "60s"

# Somebody whom the exercise plays: work that is handed to them is answered. `stand-in` lets them hold the role that nobody has.
[[opening.people]]
name = "somebody"
about = "say what they know"
plays = "sme"
answers = [
    {{ when = {{ step = "{service}/{cure}" }}, text = "say what they answer to a task that names this step" }},
]

[requests]
rate = 20.0
median = "120ms"
spread = 0.5
timeout = "3s"
errors = 0.0003
traced = 0.3

[[requests.path]]
service = "{traced}"
operation = "say what it does"

[[requests.failures]]
when = "timeout"
error = "no answer in time"
exception = "TimeoutException"
status = 504

[[requests.failures]]
when = "refusal"
error = "refused"
exception = "RefusedException"
status = 503
takes = "40ms"

[[faults]]
id = "broken"
what = "say what is broken"
at = "-3m"
ramp = "60s"
latency = 4.0
errors = 0.1

[[relief]]
step = "{service}/{cure}"
fault = "broken"
after = "30s"
ramp = "2m"

[[injects]]
id = "support"
at = "3m"
from = "Support"
via = "chat"
text = "Say what customers see."

[[hints]]
at = "8m"
unless = ["{service}/{cure}"]
text = "Say what helps a room that is stuck."

# In staging (`gameday run FILE --live`): what puts traffic and the fault there, each with its way back. See src/exercise/staged.rs.
# [[staging]]
# id = "fault"
# kind = "fault"     # or traffic
# what = "say what it does there"
# command = {{ argv = ["kubectl", "scale", "deploy/x", "--replicas=0"], undo = ["kubectl", "scale", "deploy/x", "--replicas=2"] }}
"#,
            name = playbook.name,
            traced = playbook.traces.services.first().unwrap_or(service),
        );
        for objective in &playbook.objectives {
            let limit = objective.limit();
            let level = match objective.side {
                Side::Below | Side::AtMost => limit * 0.4,
                Side::Above | Side::AtLeast => limit * 1.2,
                Side::Between { from, to } => (from + to) / 2.0,
                Side::Equal(only) => only,
            };
            let _ = write!(
                text,
                "\n[[signals]]\nobjective = \"{service}/{}\"\nlevel = {level:?}\nnoise = 0.03\n",
                objective.id
            );
        }
        text
    }
}
