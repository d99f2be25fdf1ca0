//! Commands for what follows an incident: postmortem, article, reviews, follow-ups, corrected times.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::Session;
use super::super::lists;
use super::words::{first_word, given, name, settings, time_before};
use super::{Answer, Verb, usage, verb};
use crate::console::overlay::moment;
use crate::incident::{
    ArticleRecorded, Command, EntryId, FollowUpSet, FollowUpState, Milestone, PostmortemScheduled, ReviewOf, Reviewed,
    TimeAmended,
};
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("postmortem", "YYYY-MM-DD HH:MM OWNER", "give the postmortem a date and an owner", postmortem),
    verb("article", "URL", "name the knowledge-base article", |session, rest, wall| {
        session.ask(Command::RecordArticle(ArticleRecorded { url: CleanStr::new(rest) }), wall)
    }),
    verb(
        "review",
        "playbook SERVICE OUTCOME | matrix OUTCOME | templates OUTCOME",
        "record a review and what it changed; \"nothing\" is an outcome",
        review,
    ),
    verb("follow-ups", "", "the follow-ups, with numbers", |session, _, wall| {
        session.answer_list(lists::follow_ups, "no follow-up is noted: todo: TEXT notes one", wall)
    })
    .or(&["followups"]),
    verb(
        "follow-up",
        "N [owner=NAME] [due=YYYY-MM-DD] | N done | N dropped REASON | N open | TEXT [owner=…] [due=…]",
        "change a follow-up, or note one",
        follow_up,
    )
    .or(&["followup"]),
    verb(
        "amend-time",
        "detected|acknowledged|impact-start|impact-end|mitigated|resolved TIME REASON",
        "correct when something was; both values stay in the record",
        amend_time,
    ),
];

fn postmortem(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (day, rest) = first_word(rest);
    let (time, owner) = first_word(rest);
    if owner.is_empty() {
        return usage("postmortem");
    }
    let text = format!("{day} {time}");
    let at = moment(&text, &session.cx(wall))
        .ok_or_else(|| format!("`{}` is no date: write 2026-11-24 10:00", CleanStr::new(&text)))?;
    session.ask(Command::SchedulePostmortem(PostmortemScheduled { at, owner: name(owner) }), wall)
}

fn review(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let (of, outcome) = match word.to_lowercase().as_str() {
        "matrix" => (ReviewOf::Matrix, rest),
        "templates" => (ReviewOf::Templates, rest),
        "playbook" => {
            let (service, outcome) = first_word(rest);
            (ReviewOf::Playbook(CleanStr::new(service)), outcome)
        }
        _ => return usage("review"),
    };
    if outcome.is_empty() {
        return usage("review");
    }
    session.ask(Command::Review(Reviewed { of, outcome: CleanStr::new(outcome) }), wall)
}

fn follow_up(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (first, after) = first_word(rest);
    if first.is_empty() {
        return usage("follow-up");
    }
    let item: Option<EntryId> = match first.parse::<usize>() {
        Ok(_) => Some(session.numbers.follow_ups.get(first)?),
        Err(_) => None,
    };
    let (words, found) = settings(if item.is_some() { after } else { rest }, &["owner", "due"]);
    let mut body = FollowUpSet { item, what: None, owner: None, due: None, state: None, reason: None };
    for (key, value) in found {
        if key == "owner" {
            body.owner = Some(name(&value));
        } else {
            let no = |_| format!("`{}` is no day: write 2026-12-07", CleanStr::new(&value));
            body.due = Some(value.parse::<NaiveDate>().map_err(no)?);
        }
    }
    if item.is_none() {
        body.what = given(&words);
        return session.ask(Command::SetFollowUp(body), wall);
    }
    let (word, reason) = first_word(&words);
    body.state = match word.to_lowercase().as_str() {
        "done" => Some(FollowUpState::Done),
        "dropped" | "drop" => Some(FollowUpState::Dropped),
        "open" => Some(FollowUpState::Open),
        "" if body.owner.is_some() || body.due.is_some() => None,
        _ => return usage("follow-up"),
    };
    body.reason = given(reason);
    session.ask(Command::SetFollowUp(body), wall)
}

fn amend_time(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let (time, reason) = first_word(rest);
    let which = Milestone::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(word));
    let (Some(which), false) = (which, time.is_empty()) else { return usage("amend-time") };
    let to = time_before(time, &session.cx(wall))?;
    session.ask(Command::AmendTime(TimeAmended { which, to, reason: CleanStr::new(reason) }), wall)
}
