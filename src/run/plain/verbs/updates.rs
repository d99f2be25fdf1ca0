//! Commands for what is told: updates, their drafts and templates, and the people whom the severity names.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::lists;
use super::super::numbers::{key, named};
use super::words::{first_word, given, leading_time, lines};
use super::{Answer, InShell, Verb, usage, verb};
use crate::console::overlay::send;
use crate::console::overlay::{again, delivery_line, further, held_back, left_line, update_facts, ways};
use crate::incident::{Channel, Command, DeliveryMoved, EntryId, PersonTold, Severity, StatusUpdate};
use crate::pane::Cx;
use crate::reach;
use crate::template::{self, Audience, Rule, Status};
use crate::text::{CleanStr, CleanText, last_word};

/// Whether a text that the check warns of is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Warned,
    AsItIs,
}

pub(super) const VERBS: &[Verb] = &[
    verb(
        "outbox",
        "[N [WAY [REASON]] | again]",
        "what goes out, with numbers; what can be done with one, and doing it; again tries all once more",
        outbox,
    )
    .of_record(),
    verb(
        "update",
        "[external] [-10m | told TIME] TEXT",
        "an update for the channels that are due; but by the IC it waits for approval; with a time: it was told by hand then",
        |session, rest, wall| update(session, rest, Care::Warned, wall),
    ),
    verb(
        "update!",
        "[external] [-10m | told TIME] TEXT",
        "the same, though the check of the text warns",
        |session, rest, wall| update(session, rest, Care::AsItIs, wall),
    )
    .shell(InShell::Anyway("update")),
    verb(
        "template",
        "slack|internal|external|executive [investigating|identified|monitoring|resolved]",
        "a template filled from the record, to write an update from (\\n in a text begins a line)",
        template,
    )
    .shell(InShell::As("fill-template"))
    .looks()
    .live(),
    verb("drafts", "", "the texts that wait for approval, with numbers", |session, _, wall| {
        session.answer_list(lists::drafts, "no text waits for approval: :update TEXT writes one", wall)
    })
    .of_record()
    .looks(),
    verb("approve", "N [TEXT]", "approve a text, as it is or as you write it", approve).of(lists::drafts),
    verb("send-alone", "N REASON", "record it on the Communications Lead's word alone", |session, rest, wall| {
        let (draft, reason) = numbered(session, "send-alone", rest)?;
        session.ask(Command::PostAlone(draft, given(reason)), wall)
    })
    .of(lists::drafts),
    verb("drop-draft", "N [REASON]", "drop a text, or send somebody's back", |session, rest, wall| {
        let (draft, reason) = numbered(session, "drop-draft", rest)?;
        session.ask(Command::DropDraft(draft, given(reason)), wall)
    })
    .of(lists::drafts),
    verb("open-channel", "", "open the incident's own chat channel", |session, _, wall| {
        let asked = send::open_channel(&session.cx(wall))?;
        session.ask(asked, wall)
    }),
    verb(
        "page",
        "WHO[, WHO …] PAGE",
        "page people through PagerDuty; the last word says so",
        |session, rest, wall| {
            let (names, word) = and_last_word(rest);
            let (asked, left_out) = send::page(names, word, &session.cx(wall))?;
            let effects = session.ask(asked, wall)?;
            if !left_out.is_empty() {
                session.answer(vec![format!("! not paged: {}", left_out.join(", "))])?;
            }
            Ok(effects)
        },
    ),
    verb(
        "link-incident",
        "NUMBER",
        "merge another open incident of PagerDuty, by its number, into this one",
        |session, rest, wall| {
            let asked = send::link_incident(rest, &session.cx(wall))?;
            session.ask(asked, wall)
        },
    ),
    verb("link-ticket", "KEY", "a ticket that exists is this incident's", |session, rest, wall| {
        let cx = session.cx(wall);
        let asked = send::link(&cx.reach.ticket_system(), rest, &cx)?;
        session.ask(asked, wall)
    }),
    verb("link-channel", "NAME", "a channel that exists in Slack is this incident's", |session, rest, wall| {
        let asked = send::link(reach::SLACK, rest, &session.cx(wall))?;
        session.ask(asked, wall)
    }),
    verb("link-page", "ID", "an incident that exists on the status page is this one", |session, rest, wall| {
        let asked = send::link(reach::STATUSPAGE, rest, &session.cx(wall))?;
        session.ask(asked, wall)
    }),
    verb(
        "escalate",
        "[LEVEL] PAGE",
        "call a level of PagerDuty's escalation policy, the second without a number; the last word says so",
        |session, rest, wall| {
            let (level, word) = last_word(rest).unwrap_or(("2", rest));
            let asked = send::escalate(level, word, &session.cx(wall))?;
            session.ask(asked, wall)
        },
    ),
    verb(
        "reassign",
        "WHO[, WHO …] PAGE",
        "give the incident to others in PagerDuty, who are called; the last word says so",
        |session, rest, wall| {
            let (names, word) = and_last_word(rest);
            let asked = send::reassign(names, word, &session.cx(wall))?;
            session.ask(asked, wall)
        },
    ),
    verb("told", "[POSITION [HOW]]", "the people whom the severity names; with one of them: somebody told them", told)
        .of_record()
        .of(lists::positions),
    verb("not-told", "POSITION", "nobody told them after all", |session, rest, wall| {
        if rest.is_empty() {
            return usage("not-told");
        }
        let position = position(session, rest, wall)?;
        session.ask(Command::MarkNotTold(position), wall)
    }),
];

/// The draft that a number names, and what follows the number.
fn outbox(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let all = &cx.incident.deliveries;
    let (number, rest) = first_word(rest);
    if number.is_empty() {
        let lines = all.iter().map(|one| delivery_line(one, &cx)).chain(cx.left.iter().map(left_line));
        let mut lines: Vec<_> = lines.enumerate().map(|(place, line)| format!("{} {line}", place + 1)).collect();
        lines.extend(held_back(&cx));
        if lines.is_empty() {
            return Err("nothing goes out: texts are told by hand where [slack] does not say otherwise".to_owned());
        }
        return session.answer(lines);
    }
    if number == "again" {
        let again = again(&cx);
        if again.is_empty() {
            return Err("nothing failed, and nothing waits for its next try".to_owned());
        }
        let mut effects = Vec::new();
        for moved in again {
            effects.extend(session.ask(moved, wall)?);
        }
        return Ok(effects);
    }
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    if let Some(body) = place.and_then(|place| cx.left.get(place.checked_sub(all.len())?)) {
        if first_word(rest).0 != "1" {
            let lines = vec![left_line(body), format!("  :outbox {number} 1: send it from here")];
            return session.answer(lines);
        }
        return session.ask(Command::SendOut(Box::new(body.clone())), wall);
    }
    let Some(delivery) = place.and_then(|place| all.get(place)) else {
        return Err(format!("there is no {}: :outbox lists {}", CleanStr::new(number), all.len()));
    };
    let ways = ways(delivery, &cx);
    let (way, reason) = first_word(rest);
    let chosen = way.parse::<usize>().ok();
    let further = further(delivery, &cx);
    let besides = chosen.and_then(|way| further.get(way.checked_sub(ways.len() + 1)?));
    if let Some((_, commands)) = besides {
        let mut effects = Vec::new();
        for command in commands.clone() {
            effects.extend(session.ask(command, wall)?);
        }
        return Ok(effects);
    }
    let Some((_, to)) = chosen.and_then(|way| ways.get(way.checked_sub(1)?)) else {
        let mut lines = vec![delivery_line(delivery, &cx)];
        lines.extend(delivery.words(cx.incident).lines().map(|line| format!("  {line}")));
        lines.extend(
            ways.iter().enumerate().map(|(place, (words, _))| format!("  :outbox {number} {}: {words}", place + 1)),
        );
        let all = further.iter().enumerate();
        lines.extend(all.map(|(place, (words, _))| format!("  :outbox {number} {}: {words}", ways.len() + 1 + place)));
        return session.answer(lines);
    };
    let (delivery, step, to) = (delivery.id, delivery.moves, to.clone());
    let moved = Command::MoveDelivery(DeliveryMoved { delivery, step, to, is_routine: false });
    let moved = if reason.is_empty() { moved } else { moved.with_reason(CleanStr::new(reason)) };
    session.ask(moved, wall)
}

/// Names, and the word after them that says so; a single word is a name.
fn and_last_word(rest: &str) -> (&str, &str) {
    last_word(rest).unwrap_or((rest, ""))
}

fn numbered<'a>(session: &Session, name: &str, rest: &'a str) -> Result<(EntryId, &'a str), String> {
    let (number, rest) = first_word(rest);
    if number.is_empty() {
        return usage(name);
    }
    Ok((session.numbers.drafts.get(number)?, rest))
}

/// A text that may go out, or why not.
fn checked(text: CleanText, is_public: bool, care: Care, cx: &Cx<'_>) -> Result<CleanText, String> {
    let remarks = lists::remarks(&text, is_public, cx);
    if let Some(remark) = remarks.iter().find(|remark| matches!(remark.rule, Rule::Unfilled | Rule::Card)) {
        return Err(remark.to_string());
    }
    match (remarks.first(), care) {
        (Some(remark), Care::Warned) => Err(format!("{remark} (:update! takes it as it is)")),
        (Some(_), Care::AsItIs) | (None, _) => Ok(text),
    }
}

/// When the next text is promised: what the text says counts before the usual time.
fn promised(text: &str, cx: &Cx<'_>) -> DateTime<Utc> {
    let said = template::promise(text, cx.now, cx.zone).filter(|at| *at > cx.now);
    said.unwrap_or(cx.now + cx.cadence.update)
}

fn update(session: &mut Session, rest: &str, care: Care, wall: DateTime<Utc>) -> Answer {
    let (word, after) = first_word(rest);
    let is_external = word.eq_ignore_ascii_case("external");
    let rest = if is_external { after } else { rest };
    // A text for people may begin with a clock time: only what cannot be its beginning says when it was told.
    let (first, behind) = first_word(rest);
    let (told_at, rest) = match first.eq_ignore_ascii_case("told") {
        true => leading_time(session, behind, wall).map(|(at, rest)| (Some(at), rest))?,
        false if first.starts_with('-') && first.len() > 1 && first.as_bytes()[1].is_ascii_digit() => {
            leading_time(session, rest, wall).map(|(at, rest)| (Some(at), rest))?
        }
        false => (None, rest),
    };
    let cx = session.cx(wall);
    let text = lines(rest);
    if text.is_empty() {
        return usage("update");
    }
    let due = cx.obligations().into_iter().filter_map(|one| one.duty.channel());
    let due = due.filter(|channel| *channel != Channel::ExternalPage);
    let mut channels: BTreeSet<Channel> = if is_external { [Channel::ExternalPage].into() } else { due.collect() };
    if channels.is_empty() {
        channels.extend([Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage]);
    }
    // People have read it: what the check would say of it comes too late.
    let text = if told_at.is_some() { text } else { checked(text, is_external, care, &cx)? };
    let promised_next = match told_at {
        None => Some(promised(&text, &cx)),
        Some(told) => template::promise(&text, told, cx.zone).filter(|at| *at > told),
    };
    let update = StatusUpdate { channels, text, promised_next, told_at, ..StatusUpdate::default() };
    session.ask(Command::PostUpdate(update), wall)
}

fn approve(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (id, text) = numbered(session, "approve", rest)?;
    let cx = session.cx(wall);
    let draft = cx.incident.drafts.iter().find(|draft| draft.id == id).map(|draft| draft.update.clone());
    // One that is gone is refused in the words of the domain, which know who was faster.
    let draft = draft.unwrap_or_default();
    let is_public = draft.channels.contains(&Channel::ExternalPage);
    let is_new = !text.is_empty();
    let text = if is_new { lines(text) } else { draft.text };
    // What the check warns of was seen with :drafts: whoever approves has judged it.
    let text = checked(text, is_public, Care::AsItIs, &cx)?;
    let promise = draft.promised_next.filter(|next| !is_new && *next > cx.now);
    let promised_next = promise.or_else(|| Some(promised(&text, &cx)));
    let update = StatusUpdate { channels: draft.channels, text, promised_next, ..StatusUpdate::default() };
    session.ask(Command::ApproveDraft(id, update), wall)
}

fn template(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (audience, status) = first_word(rest);
    let cx = session.cx(wall);
    let audience = Audience::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(audience));
    let known = Status::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(status));
    let status = if status.is_empty() { Some(Status::of(cx.incident)) } else { known };
    let (Some(audience), Some(status)) = (audience, status) else { return usage("template") };
    let facts = update_facts(audience, Some(cx.now + cx.cadence.update), &cx);
    let rendered = cx.templates.render(audience, status, &facts).map_err(|why| why.to_string())?;
    session.answer(rendered.text.lines().map(str::to_owned).collect())
}

/// The position that a word names.
fn position(session: &Session, word: &str, wall: DateTime<Utc>) -> Result<CleanStr, String> {
    let cx = session.cx(wall);
    let all = cx.to_tell().into_iter().chain(cx.incident.told.keys().cloned());
    let all: BTreeSet<CleanStr> = all.collect();
    named(word, all.into_iter().map(|position| (key(&position), position)).collect(), "position", ":told")
}

fn told(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, how) = first_word(rest);
    if number.is_empty() {
        let none = "nobody must be told at this severity; a SEV3 is handled within the squad (:backlog WHERE)";
        return session.answer_list(lists::positions, none, wall);
    }
    let position = position(session, number, wall)?;
    let severity = session.cx(wall).owed_severity().unwrap_or(Severity::Sev3);
    session.ask(Command::MarkTold(PersonTold { position, severity, how: given(how) }), wall)
}
