//! Commands for what follows an incident: postmortem, article, reviews, follow-ups, corrected times.

use chrono::{DateTime, NaiveDate, Utc};

use super::super::Session;
use super::super::lists;
use super::records::may_write;
use super::words::{first_word, given, leading_time, name, settings, time_to_come};
use super::{Answer, InShell, Verb, usage, verb};
use crate::console::{Effect, Printout};
use crate::incident::{
    ArticleRecorded, Command, EntryId, FollowUpSet, FollowUpState, IncidentId, Milestone, PostmortemScheduled,
    ReviewOf, Reviewed, TimeAmended,
};
use crate::report::Period;
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("postmortem", "YYYY-MM-DD HH:MM OWNER [REASON]", "give the postmortem a date and an owner", postmortem)
        .shell(InShell::As("schedule-postmortem")),
    verb("write-postmortem", "", "write the postmortem and its calendar entry into files here", |session, _, _| {
        may_write(session)?;
        match session.console.open_record() {
            Some(id) => Ok(vec![Effect::Print(Printout::Postmortem(id))]),
            None => Err("no record is open: :open ID opens one".to_owned()),
        }
    })
    .shell(InShell::Own("postmortem")),
    verb("merge", "DUPLICATE into ID", "close a duplicate; its lines and earliest clocks go along", merge)
        .shell(InShell::Own("merge")),
    verb("unmerge", "DUPLICATE REASON", "take a merge back: the duplicate is open again", unmerge)
        .shell(InShell::Own("unmerge")),
    verb("all-follow-ups", "[done]", "the follow-ups of all incidents; with done also those", |_, rest, _| {
        Ok(vec![Effect::Print(Printout::FollowUps { with_done: rest.trim() == "done" })])
    })
    .shell(InShell::Own("followups")),
    verb("report", "[30d | YYYY-MM-DD]", "process health: MTTA, MTTR, cadence, what is overdue", report)
        .shell(InShell::Own("report")),
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
    .of_record()
    .looks()
    .or(&["followups"]),
    verb(
        "follow-up",
        "N [owner=NAME] [due=YYYY-MM-DD] | N done | N dropped REASON | N open | TEXT [owner=…] [due=…]",
        "change a follow-up, or note one",
        follow_up,
    )
    .of(lists::follow_ups)
    .or(&["followup"]),
    verb(
        "amend-time",
        "detected|acknowledged|impact-start|impact-end|mitigated|resolved TIME REASON",
        "correct when something was; both values stay in the record",
        amend_time,
    )
    .shell(InShell::Own("amend-time")),
];

fn merge(session: &mut Session, rest: &str, _wall: DateTime<Utc>) -> Answer {
    may_write(session)?;
    let (duplicate, rest) = first_word(rest);
    let (into, other) = first_word(rest);
    if !into.eq_ignore_ascii_case("into") || other.is_empty() {
        return usage("merge");
    }
    let id = |text: &str| text.parse::<IncidentId>().map_err(|error| error.to_string());
    Ok(vec![Effect::Merge { duplicate: id(duplicate)?, into: id(other)? }])
}

fn unmerge(session: &mut Session, rest: &str, _wall: DateTime<Utc>) -> Answer {
    may_write(session)?;
    let (duplicate, reason) = first_word(rest);
    let Some(reason) = given(reason) else { return usage("unmerge") };
    let duplicate = duplicate.parse::<IncidentId>().map_err(|error| error.to_string())?;
    Ok(vec![Effect::Unmerge(duplicate, reason)])
}

fn report(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let from = match rest.trim() {
        "" => None,
        text => Some(
            Period::beginning(text, wall, session.cx(wall).zone)
                .ok_or_else(|| format!("`{}` is no period: write 30d or 2026-05-01", CleanStr::new(text)))?,
        ),
    };
    Ok(vec![Effect::Print(Printout::Report(from))])
}

fn postmortem(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (day, rest) = first_word(rest);
    let (time, rest) = first_word(rest);
    let roster = session.cx(wall).roster();
    let (owner, reason) = roster.split(rest);
    if owner.is_empty() {
        return usage("postmortem");
    }
    let text = format!("{day} {time}");
    let at = time_to_come(session, &text, wall)?;
    session
        .ask(Command::SchedulePostmortem(PostmortemScheduled { at, owner: name(owner), reason: given(reason) }), wall)
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
    let time = first_word(rest).0;
    let which = Milestone::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(word));
    let (Some(which), false) = (which, time.is_empty()) else { return usage("amend-time") };
    let (to, reason) = leading_time(session, rest, wall)?;
    session.ask(Command::AmendTime(TimeAmended { which, to, reason: CleanStr::new(reason) }), wall)
}
