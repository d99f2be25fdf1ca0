//! Commands for work that is handed to a named person, who reads it back and calls back.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::lists;
use super::words::{first_word, time_to_come};
use super::{Answer, Verb, usage, verb};
use crate::incident::command::assignment;
use crate::incident::{Answer as CallBack, Command, TaskAnswered};
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("work", "", "all that waits for somebody: offers, texts, proposals, tasks, theories, follow-ups", work)
        .of_record()
        .looks(),
    verb("tasks", "", "the tasks whose call-back is due, with numbers", |session, _, wall| {
        session.answer_list(lists::tasks, "no task is open: @dana check p99 5m hands work to dana", wall)
    })
    .of_record()
    .looks(),
    verb("assign", "@NAME TEXT 5m", "hand work to a named person, who calls back in or at a time", assign),
    verb("read-back", "N", "the task was heard", |session, rest, wall| {
        if rest.is_empty() {
            return usage("read-back");
        }
        let task = session.numbers.tasks.get(rest)?;
        session.ask(Command::ReadBack(task), wall)
    })
    .of(lists::tasks),
    verb("call-back", "N done|more|dont-know|blocked|drop …", "answer for a task", call_back).of(lists::tasks),
    verb("done", "N [TEXT]", "the task is done", |session, rest, wall| {
        answer(session, "done", CallBack::Done, rest, wall)
    })
    .of(lists::tasks),
    verb("more", "N 5m [TEXT]", "the task takes so much longer", more).of(lists::tasks),
    verb("dont-know", "N [TEXT]", "nothing is known; somebody else may know", |session, rest, wall| {
        answer(session, "dont-know", CallBack::DontKnow, rest, wall)
    })
    .of(lists::tasks),
    verb("blocked", "N TEXT", "something is in the way of the task", |session, rest, wall| {
        answer(session, "blocked", CallBack::Blocked, rest, wall)
    })
    .of(lists::tasks),
    verb("drop", "N TEXT", "the task is not wanted any more", |session, rest, wall| {
        answer(session, "drop", CallBack::Dropped, rest, wall)
    })
    .of(lists::tasks),
];

fn work(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.console.view(wall);
    let numbers = &mut session.numbers;
    let mut lines = lists::offers(numbers, &cx);
    lines.extend(lists::drafts(numbers, &cx));
    lines.extend(lists::decisions(numbers, &cx));
    lines.extend(lists::tasks(numbers, &cx));
    lines.extend(lists::theories(numbers, &cx));
    lines.extend(lists::follow_ups(numbers, &cx));
    if lines.is_empty() {
        return Err("nobody has been asked for anything yet: @dana check p99 5m hands work to dana".to_owned());
    }
    session.answer(lines)
}

/// Hands work to somebody: `@dana check p99 5m`.
pub(super) fn assign(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let line = if rest.starts_with('@') { rest.to_owned() } else { format!("@{rest}") };
    let body = assignment(&line, cx.now, cx.zone, &cx.roster())
        .unwrap_or_else(|| Err("say who does what, and when they call back: @dana check p99 5m".to_owned()))?;
    session.ask(Command::AssignTask(body), wall)
}

fn call_back(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, rest) = first_word(rest);
    let (word, rest) = first_word(rest);
    let rest = format!("{number} {rest}");
    match word.to_lowercase().as_str() {
        "done" => answer(session, "call-back", CallBack::Done, &rest, wall),
        "more" => more(session, &rest, wall),
        "dont-know" => answer(session, "call-back", CallBack::DontKnow, &rest, wall),
        "blocked" => answer(session, "call-back", CallBack::Blocked, &rest, wall),
        "drop" | "dropped" => answer(session, "call-back", CallBack::Dropped, &rest, wall),
        _ => usage("call-back"),
    }
}

fn more(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, rest) = first_word(rest);
    let (length, text) = first_word(rest);
    if length.is_empty() {
        return usage("more");
    }
    let until = time_to_come(session, length, wall)?;
    answer(session, "more", CallBack::More { until }, &format!("{number} {text}"), wall)
}

fn answer(session: &mut Session, name: &str, answer: CallBack, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, text) = first_word(rest);
    if number.is_empty() {
        return usage(name);
    }
    let task = session.numbers.tasks.get(number)?;
    session.ask(Command::AnswerTask(TaskAnswered { task, answer, text: CleanStr::new(text) }), wall)
}
