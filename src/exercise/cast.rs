//! The people of an exercise: what they know, which role they can play, and what they answer when they call back.
//!
//! Hides how a task is understood: by the step or by the words that it names, and by what the room has done until then.
//!
//! Invariant: an answer is a function of the exercise, the task, the ticked steps and the time, so that every console of a room hears the same one;
//! it lies before the call-back that was asked for, and whoever has nothing to say to a task says so.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::Exercise;
use super::requests::is_done;
use crate::incident::{Answer, EntryId, Role, Task, TaskAnswered, Ticked};
use crate::text::CleanStr;
use crate::text::duration::Lapse;

/// What begins the key under which a call-back is noted: `call-back/TASK/TIME`.
pub const CALL_BACK: &str = "call-back";

/// Somebody who is around.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Person {
    /// Who.
    pub name: CleanStr,
    /// The role that they hold already.
    #[serde(default)]
    pub role: Option<Role>,
    /// What they know or do.
    pub about: CleanStr,
    /// The role in which the exercise lets them stand in where nobody holds it.
    #[serde(default)]
    pub plays: Option<Role>,
    /// How long they work on a task, where its call-back leaves them the time.
    #[serde(default = "a_minute")]
    pub takes: Lapse,
    /// What they answer when they call back: the first that fits.
    #[serde(default)]
    pub answers: Vec<Reply>,
}

fn a_minute() -> Lapse {
    Lapse::seconds(60)
}

/// What somebody answers when they call back.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reply {
    /// To which tasks; to any unless said.
    #[serde(default)]
    pub when: Option<Asked>,
    /// How the task stands then.
    #[serde(default)]
    pub ends: Ends,
    /// In their words.
    pub text: CleanStr,
}

/// Which tasks an answer fits: those that name the step or one of the words, as long as the room is so far and no farther.
#[derive(Clone, Debug, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Asked {
    /// The task names this step: `service/step`, or the words of its id.
    #[serde(default)]
    pub step: Option<CleanStr>,
    /// It has one of these words.
    #[serde(default)]
    pub words: Vec<CleanStr>,
    /// Steps that are all done by then.
    #[serde(default)]
    pub needs: Vec<CleanStr>,
    /// Steps of which none is.
    #[serde(default)]
    pub unless: Vec<CleanStr>,
}

/// How a task stands after a call-back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ends {
    /// It is done.
    #[default]
    Done,
    /// They do not know.
    DontKnow,
    /// Something is in the way.
    Blocked,
}

impl Ends {
    fn answer(self) -> Answer {
        match self {
            Self::Done => Answer::Done,
            Self::DontKnow => Answer::DontKnow,
            Self::Blocked => Answer::Blocked,
        }
    }
}

/// A call-back that came due.
#[derive(Clone, Debug, PartialEq)]
pub struct CallBack<'a> {
    /// Who calls back.
    pub person: &'a Person,
    /// When, on the drill's clock.
    pub at: DateTime<Utc>,
    /// The same for every console that hears it.
    pub key: String,
    /// What they say.
    pub answer: TaskAnswered,
}

impl Exercise {
    /// Who calls back until a moment, for the tasks that are open.
    pub fn call_backs(&self, tasks: &[Task], done: &[Ticked], now: DateTime<Utc>) -> Vec<CallBack<'_>> {
        let due = self.owed(tasks).filter(|(_, _, at)| *at <= now).map(|(task, person, at)| {
            let key = format!("{CALL_BACK}/{}/{}", task.id, task.call_back.timestamp());
            CallBack { person, at, key, answer: person.answer(task.id, &task.what, done, at) }
        });
        due.collect()
    }

    /// When the next one calls back after a moment.
    pub fn next_call_back(&self, tasks: &[Task], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.owed(tasks).map(|(_, _, at)| at).filter(|at| *at > now).min()
    }

    /// The open tasks of the exercise's people, and when each of them calls back.
    fn owed<'a, 'b>(&'a self, tasks: &'b [Task]) -> impl Iterator<Item = (&'b Task, &'a Person, DateTime<Utc>)> {
        tasks.iter().filter(|task| task.is_open()).filter_map(|task| {
            let person = self.person(&task.to)?;
            let asked = task.answer.as_ref().map_or(task.assigned.at, |(mark, ..)| mark.at);
            // A quarter of the time is left for whoever waits to hear it.
            let left = (task.call_back - asked).max(TimeDelta::zero());
            Some((task, person, asked + TimeDelta::from(person.takes).min(left * 3 / 4)))
        })
    }

    /// Somebody of the exercise.
    pub fn person(&self, name: &str) -> Option<&Person> {
        let name = name.trim().trim_start_matches('@');
        self.opening.people.iter().find(|person| person.name.eq_ignore_ascii_case(name))
    }

    /// Who can stand in for a role.
    pub fn players(&self, role: Role) -> impl Iterator<Item = &Person> {
        self.opening.people.iter().filter(move |person| person.plays == Some(role))
    }
}

impl Person {
    fn answer(&self, task: EntryId, what: &str, done: &[Ticked], at: DateTime<Utc>) -> TaskAnswered {
        let fits = |reply: &&Reply| reply.when.as_ref().is_none_or(|asked| asked.fits(what, done, at));
        match self.answers.iter().find(fits) {
            Some(reply) => TaskAnswered { task, answer: reply.ends.answer(), text: reply.text.clone() },
            None => {
                let text = format!("I cannot tell: ask somebody else. What I am here for: {}", self.about);
                TaskAnswered { task, answer: Answer::DontKnow, text: CleanStr::new(&text) }
            }
        }
    }
}

impl Asked {
    fn fits(&self, what: &str, done: &[Ticked], at: DateTime<Utc>) -> bool {
        let is_done = |step: &CleanStr| is_done(step, done, at);
        let names_step = self.step.as_ref().is_some_and(|step| {
            let id = step.split_once('/').map_or(step.as_str(), |(_, id)| id);
            names(what, id)
        });
        let is_named = names_step || self.words.iter().any(|words| names(what, words));
        let asks_nothing = self.step.is_none() && self.words.is_empty();
        (is_named || asks_nothing) && self.needs.iter().all(is_done) && !self.unless.iter().any(is_done)
    }
}

/// Whether a text has some words in their order, whatever stands between them and however large they are written.
fn names(text: &str, words: &str) -> bool {
    let split = |text: &str| -> Vec<String> {
        text.split(|letter: char| !letter.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (mut text, words) = (split(text).into_iter(), split(words));
    !words.is_empty() && words.iter().all(|word| text.any(|there| is_alike(&there, word)))
}

/// One log and many logs are the same question.
fn is_alike(one: &str, other: &str) -> bool {
    one == other || one.strip_suffix('s') == Some(other) || other.strip_suffix('s') == Some(one)
}

#[cfg(test)]
mod tests;
