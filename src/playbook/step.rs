//! A step of a playbook: what to look at or do, what should come of it, and the way back.
//!
//! Hides how a step's action is written: `do.<kind> = { … }`, externally tagged, so that a misspelt field is refused where it stands.
//!
//! Invariant: a step has words for all four questions, also where the answer is "nothing to undo".

use serde::Deserialize;

use super::command::CommandStep;
use super::expect::Expectation;
use crate::incident::{Channel, Phase};
use crate::slo::promql;
use crate::text::document::{Complaint, name, said, trimmed};
use crate::text::duration::Lapse;
use crate::text::{CleanStr, CleanText};

/// A step of a playbook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Step {
    /// Unique in its file; the journal keeps it.
    pub id: CleanStr,
    /// What it is called.
    pub title: CleanStr,
    /// What to look at or do.
    #[serde(deserialize_with = "trimmed")]
    pub look: CleanText,
    /// What should come of it.
    #[serde(deserialize_with = "trimmed")]
    pub expect: CleanText,
    /// How to take it back.
    #[serde(deserialize_with = "trimmed")]
    pub undo: CleanText,
    /// In which phase it is usually taken: triage looks, mitigation changes.
    #[serde(default)]
    pub phase: Option<Phase>,
    /// What the console can do for it.
    #[serde(default, rename = "do")]
    pub action: Option<Action>,
}

/// What the console can do for a step.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Show where to look.
    Look(Look),
    /// Ask Prometheus, and hold the answer against what is expected.
    Query(Query),
    /// Look at the error spans of a service.
    Traces(Traces),
    /// Run a command.
    Command(Box<CommandStep>),
    /// Decide between named ways.
    Choice(Choice),
    /// Wait for a measurement, or for a time.
    Wait(Wait),
    /// Ask Prometheus once more when the incident is about to be resolved.
    Verify(Query),
    /// Draft a message.
    Notify(Notify),
}

/// Places to look at; shown as text, never fetched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Look {
    /// Addresses of dashboards and documents.
    pub links: Vec<CleanStr>,
}

/// A question to Prometheus with the answer that is expected.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Query {
    /// PromQL, as it stands in the file; `$window` stands for five minutes.
    pub promql: CleanText,
    /// What each value must be, such as `< 0.8`.
    pub expect: Expectation,
    /// For how long it must have been so; absent for now.
    #[serde(default)]
    pub hold: Option<Lapse>,
}

/// A look at the error spans of a service.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Traces {
    /// The service, as Jaeger spells it.
    pub service: CleanStr,
    /// One operation of it; absent for all.
    #[serde(default)]
    pub operation: Option<CleanStr>,
    /// Error spans a minute, over what the console has searched: what they must be.
    pub expect: Expectation,
}

/// A decision between named ways.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Choice {
    /// What is asked.
    pub question: CleanStr,
    /// The ways.
    pub branches: Vec<Branch>,
}

/// One way of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Branch {
    /// Its name.
    pub name: CleanStr,
    /// The step with which it goes on; absent for the next.
    #[serde(default)]
    pub then: Option<CleanStr>,
}

/// What is waited for: a measurement, or a time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wait {
    /// PromQL; with `expect`.
    #[serde(default)]
    pub promql: Option<CleanText>,
    /// What each value must be.
    #[serde(default)]
    pub expect: Option<Expectation>,
    /// For how long it must have been so.
    #[serde(default)]
    pub hold: Option<Lapse>,
    /// So long since the step was claimed.
    #[serde(default)]
    pub time: Option<Lapse>,
}

/// A message to draft.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Notify {
    /// Where it goes.
    pub channel: Channel,
    /// What it says.
    pub text: CleanText,
}

impl Step {
    /// What Prometheus is asked for this step, if it is.
    pub fn query(&self) -> Option<Query> {
        match self.action.as_ref()? {
            Action::Query(query) | Action::Verify(query) => Some(query.clone()),
            Action::Wait(Wait { promql: Some(promql), expect: Some(expect), hold, .. }) => {
                Some(Query { promql: promql.clone(), expect: *expect, hold: *hold })
            }
            Action::Wait(_)
            | Action::Look(_)
            | Action::Traces(_)
            | Action::Command(_)
            | Action::Choice(_)
            | Action::Notify(_) => None,
        }
    }

    /// Its command, if it has one.
    pub fn command(&self) -> Option<&CommandStep> {
        match self.action.as_ref()? {
            Action::Command(command) => Some(command),
            Action::Look(_)
            | Action::Query(_)
            | Action::Traces(_)
            | Action::Choice(_)
            | Action::Wait(_)
            | Action::Verify(_)
            | Action::Notify(_) => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), Complaint> {
        name(&self.id, "id")?;
        said(&self.title, "title")?;
        said(&self.look, "look")?;
        said(&self.expect, "expect")?;
        said(&self.undo, "undo")?;
        let within = |kind: &'static str| move |complaint: Complaint| complaint.within(["do".into(), kind.into()]);
        let query = |query: &Query| asked(&query.promql);
        match &self.action {
            None => Ok(()),
            Some(Action::Look(look)) if look.links.is_empty() => {
                let complaint = Complaint::new(["links".into()], "is empty: name an address, or leave `do` out");
                Err(within("look")(complaint))
            }
            Some(Action::Look(_)) => Ok(()),
            Some(Action::Query(asked)) => query(asked).map_err(within("query")),
            Some(Action::Verify(asked)) => query(asked).map_err(within("verify")),
            Some(Action::Traces(traces)) => said(&traces.service, "service").map_err(within("traces")),
            Some(Action::Command(command)) => command.check().map_err(within("command")),
            Some(Action::Choice(choice)) => choice.check().map_err(within("choice")),
            Some(Action::Wait(wait)) => wait.check().map_err(within("wait")),
            Some(Action::Notify(notify)) => said(&notify.text, "text").map_err(within("notify")),
        }
    }
}

fn asked(text: &str) -> Result<(), Complaint> {
    said(text, "promql")?;
    promql::check(text).map(drop).map_err(|fault| Complaint::new(["promql".into()], fault.to_string()))
}

impl Choice {
    fn check(&self) -> Result<(), Complaint> {
        said(&self.question, "question")?;
        if self.branches.len() < 2 {
            return Err(Complaint::new(["branches".into()], "has less than two ways: then there is nothing to choose"));
        }
        for (place, branch) in self.branches.iter().enumerate() {
            said(&branch.name, "name").map_err(|complaint| complaint.within(["branches".into(), place.into()]))?;
        }
        Ok(())
    }
}

impl Wait {
    fn check(&self) -> Result<(), Complaint> {
        match (&self.promql, &self.expect, &self.time) {
            (Some(text), Some(_), None) => asked(text),
            (None, None, Some(time)) if !time.is_zero() => Ok(()),
            _ => Err(Complaint::new(
                ["promql".into()],
                "a wait has either `promql` and `expect`, or a `time` above zero",
            )),
        }
    }
}
