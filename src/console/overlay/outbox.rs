//! What goes out, and what a person can do where it does not get there by itself.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::Overlay;
use super::pick::{Choice, Pick};
use crate::incident::{Act, Command, Delivery, DeliveryMoved, DeliveryQueued, DeliveryState, EntryId, Thing};
use crate::pane::Cx;
use crate::reach::PAGERDUTY;
use crate::text::{CleanStr, CleanText, columns, fit};
use crate::widget::text::duration;

/// How many of those that are over are listed.
const MOST_OVER: usize = 20;

/// The most columns of the places of a list.
const PLACES: usize = 34;

/// A delivery in one line: where it stands since when, where it goes, and why it is not there.
pub(crate) fn delivery_line(delivery: &Delivery, cx: &Cx<'_>) -> String {
    line(delivery, 0, cx)
}

/// The same in a list, whose places take so many columns.
fn line(delivery: &Delivery, room: usize, cx: &Cx<'_>) -> String {
    let since = duration((cx.now - delivery.since).max(TimeDelta::zero()));
    let why = delivery.state.why().map(|why| format!(" · {why}")).unwrap_or_default();
    let next = match &delivery.state {
        DeliveryState::Queued { not_before, .. } if *not_before > cx.now => {
            format!(" · next try at {}", cx.clock(*not_before))
        }
        DeliveryState::Sent(remote) => {
            let how = if remote.is_adopted { "adopted" } else { "as" };
            format!(" · {how} {} {}", remote.called(), remote.link.as_deref().unwrap_or_default())
        }
        _ => String::new(),
    };
    let words = delivery.words(cx.incident);
    // What a description or a topic says is read by opening it.
    let says = match &delivery.body.act {
        Act::Post | Act::Publish(_) | Act::Note(_) | Act::Tell => format!(": {}", fit(words.first_line(), 40)),
        _ => String::new(),
    };
    let (word, place) = (delivery.state.word(), delivery.place_in(cx.incident));
    let place = if room == 0 { place } else { fit(&place, room).into_owned() };
    let gap = " ".repeat(room.saturating_sub(columns(&place)));
    format!("{word:<11} {since:>8}  {place}{gap}{}{says}{next}{why}{}", ended(delivery, cx), answers(delivery, cx))
}

/// What paged people have answered, and how long ago.
fn answers(delivery: &Delivery, cx: &Cx<'_>) -> String {
    let Act::Page(people) = &delivery.body.act else { return String::new() };
    let paged = cx.incident.paged();
    let theirs = paged.iter().filter(|paged| people.contains(&paged.mail)).map(|paged| match &paged.answer {
        Some((word, at)) => format!(" · {} {word} {} ago", paged.mail, duration((cx.now - *at).max(TimeDelta::zero()))),
        None => format!(" · {} NO ANSWER for {}", paged.mail, duration((cx.now - paged.at).max(TimeDelta::zero()))),
    });
    theirs.collect()
}

/// That somebody ended there what it made.
fn ended(delivery: &Delivery, cx: &Cx<'_>) -> String {
    let ended = cx.incident.ended_there().into_iter().find(|one| one.maker == delivery.id);
    let ago = |at: DateTime<Utc>| duration((cx.now - at).max(TimeDelta::zero()));
    match ended {
        Some(one) => match &one.into {
            Some(into) => format!(" · MERGED INTO #{} there {} ago", into.called(), ago(one.at)),
            None => format!(" · OVER THERE since {}", ago(one.at)),
        },
        None => String::new(),
    }
}

/// All that goes out: first what is not there, then what was ended there, then the newest of what is.
fn listed<'a>(cx: &Cx<'a>) -> Vec<&'a Delivery> {
    let ended: BTreeSet<EntryId> = cx.incident.ended_there().into_iter().map(|one| one.maker).collect();
    let over = || cx.incident.deliveries.iter().rev().filter(|delivery| delivery.state.is_over());
    let taken = over().filter(|one| ended.contains(&one.id));
    let others = over().filter(|one| !ended.contains(&one.id)).take(MOST_OVER);
    cx.incident.undelivered().chain(taken).chain(others).collect()
}

/// What a dry run does not send, in lines.
pub(crate) fn held_back(cx: &Cx<'_>) -> Vec<String> {
    let line = |body: DeliveryQueued| {
        let place = match body.channel {
            Some(channel) => format!("{} ({})", channel.name(), body.service),
            None => format!("{}: {}", body.service, body.act.words()),
        };
        format!("dry run, not sent: {place} {}", fit(body.text.first_line(), 40))
    };
    cx.reach.held_back(cx.incident).into_iter().map(line).collect()
}

/// The list.
pub(crate) fn outbox(cx: &Cx<'_>) -> Overlay {
    let listed = listed(cx);
    let room = listed.iter().map(|one| columns(&one.place_in(cx.incident))).max().unwrap_or_default().min(PLACES);
    let again = again(cx);
    let all = (again.len() > 1).then(|| (format!("try all {} again now", again.len()), Choice::Commands(again)));
    let rows = listed.into_iter().map(|one| (line(one, room, cx), Choice::Delivery(one.id)));
    let rows = all.into_iter().chain(rows);
    let left = cx
        .left
        .iter()
        .map(|body| (left_line(body), Choice::Command(Box::new(Command::SendOut(Box::new(body.clone()))))));
    let rows = rows.chain(left);
    Overlay::Pick(Box::new(Pick {
        title: "what goes out".to_owned(),
        notes: held_back(cx),
        rows: rows.collect(),
        empty: "nothing: texts are told by hand where [slack] of the configuration does not say otherwise",
        selected: 0,
        filter: None,
    }))
}

/// What tries everything again that failed, or that waits for its next try; a system that wants to be left alone still is.
pub(crate) fn again(cx: &Cx<'_>) -> Vec<Command> {
    let may_go = cx.incident.undelivered().filter(|one| match &one.state {
        DeliveryState::Failed { .. } => true,
        DeliveryState::Queued { not_before, why, .. } => why.is_some() && *not_before > cx.now,
        // Whether it is there is asked, or a person says so.
        DeliveryState::Held { .. }
        | DeliveryState::Sending
        | DeliveryState::Sent(_)
        | DeliveryState::Gone { .. }
        | DeliveryState::ByHand
        | DeliveryState::Unconfirmed { .. }
        | DeliveryState::Superseded { .. }
        | DeliveryState::Dropped { .. } => false,
    });
    let moved = may_go.map(|one| {
        let to = DeliveryState::Queued { not_before: cx.now, why: None, choice: None };
        Command::MoveDelivery(DeliveryMoved { delivery: one.id, step: one.moves, to, is_routine: false })
    });
    moved.collect()
}

/// What a console leaves behind when it is closed, and who sends it, in lines.
pub(crate) fn left_behind(cx: &Cx<'_>) -> Vec<String> {
    let waits: Vec<&Delivery> = cx.incident.undelivered().collect();
    if waits.is_empty() || cx.reach.is_dry {
        return Vec::new();
    }
    let id = cx.incident.id();
    let others = || cx.present.iter().filter(|one| one.console != *cx.console && !one.looks_only && !one.is_dry);
    let mut lines =
        vec![format!("{id}: {} not gone out:", if waits.len() == 1 { "1 thing has" } else { "these have" })];
    lines.extend(waits.iter().map(|one| format!("  {:<11} {}", one.state.word(), one.place_in(cx.incident))));
    lines.push(match (others().find(|one| one.actor == *cx.me), others().next()) {
        (Some(own), _) => format!("your console {} goes on with it", own.console),
        (None, Some(other)) => {
            format!("nobody sends it until `warroom open {id}`, or {} takes it over (`outbox`)", other.actor)
        }
        (None, None) => format!("nobody sends it until `warroom open {id}`"),
    });
    lines
}

/// Something that another system was not told, in one line.
pub(crate) fn left_line(body: &DeliveryQueued) -> String {
    format!("{:<11} {:>8}  {}: {} · others did this: send it from here", "NOT TOLD", "", body.service, body.act.words())
}

/// Whether whoever has a delivery in hand is not here any more.
pub(crate) fn is_orphan(delivery: &Delivery, cx: &Cx<'_>) -> bool {
    let is_on_its_way = matches!(
        delivery.state,
        DeliveryState::Queued { .. } | DeliveryState::Sending | DeliveryState::Unconfirmed { .. }
    );
    let is_here = delivery.console == *cx.console || cx.present.iter().any(|one| one.console == delivery.console);
    is_on_its_way && !is_here && cx.incident.drill.is_none()
}

/// What waits for somebody to take it in hand: a person's act, and so a thing that is due.
pub(crate) fn wants_a_hand(cx: &Cx<'_>) -> Vec<String> {
    let orphans: Vec<&Delivery> = cx.incident.undelivered().filter(|one| is_orphan(one, cx)).collect();
    let things = |count: usize| crate::text::many(count, "thing");
    let mut lines = Vec::new();
    if let Some(first) = orphans.first() {
        let by = match first.console.as_str() {
            "" => "somebody".to_owned(),
            _ => {
                cx.incident.entry(first.by).map_or_else(|| first.queued.by.to_string(), |entry| entry.actor.to_string())
            }
        };
        lines.push(format!(
            "{by}'s console is gone: {} of it not sent yet: `outbox` sends from here",
            things(orphans.len())
        ));
    }
    if !cx.left.is_empty() {
        let services: BTreeSet<&CleanStr> = cx.left.iter().map(|body| &body.service).collect();
        let services: Vec<&str> = services.into_iter().map(CleanStr::as_str).collect();
        let (what, is) = (things(cx.left.len()), if cx.left.len() == 1 { "is" } else { "are" });
        lines.push(format!("{what} that others did {is} not told to {}: `outbox` tells", services.join(", ")));
    }
    lines
}

/// What a person may decide about a delivery.
pub(crate) fn ways(delivery: &Delivery, cx: &Cx<'_>) -> Vec<(CleanStr, DeliveryState)> {
    let queued = |choice| DeliveryState::Queued { not_before: cx.now, why: None, choice };
    let again = || queued(None);
    let dropped = || DeliveryState::Dropped { why: CleanStr::default() };
    let unknown = || DeliveryState::Unconfirmed { why: "the console that sent it is gone".into() };
    let taken = match &delivery.state {
        DeliveryState::Queued { .. } => Some(("its console is gone: send it from here", again())),
        DeliveryState::Sending => Some(("its console is gone: look from here whether it is there", unknown())),
        DeliveryState::Unconfirmed { .. } => Some(("its console is gone: look from here again", unknown())),
        _ => None,
    };
    let taken = taken.filter(|_| is_orphan(delivery, cx));
    let mut all = match &delivery.state {
        DeliveryState::Unconfirmed { .. } => vec![
            ("I looked, it is not there: send it again", again()),
            ("I looked, it is there", DeliveryState::Sent("seen by a person".into())),
            ("give it up …", dropped()),
        ],
        DeliveryState::Held { ways, .. } if !ways.is_empty() => {
            let offered = ways.iter().map(|way| (way.words.as_str(), queued(Some(way.choice.clone()))));
            offered.chain([("give it up …", dropped())]).collect()
        }
        DeliveryState::Held { .. } => vec![("send it out now", again()), ("give it up …", dropped())],
        DeliveryState::Failed { .. } => vec![("try again", again()), ("give it up …", dropped())],
        DeliveryState::Queued { not_before, .. } if *not_before > cx.now => {
            vec![("try again now", again()), ("give it up …", dropped())]
        }
        DeliveryState::Queued { .. } => vec![("give it up …", dropped())],
        DeliveryState::Sent(_) if can_be_made_again(delivery, cx) => {
            let why = "somebody looked: it is not there any more".into();
            vec![("it was deleted there: open it again", DeliveryState::Gone { why })]
        }
        DeliveryState::Sending
        | DeliveryState::Gone { .. }
        | DeliveryState::Sent { .. }
        | DeliveryState::ByHand
        | DeliveryState::Superseded { .. }
        | DeliveryState::Dropped { .. } => Vec::new(),
    };
    let is_sent = matches!(delivery.state, DeliveryState::Sent(_));
    if delivery.body.channel.is_some() && !all.is_empty() && !is_sent {
        // Before the last way, which gives it up.
        all.insert(all.len() - 1, ("it was told by hand", DeliveryState::ByHand));
    }
    let fitting = taken.into_iter().chain(all).filter(|(_, to)| delivery.state.leads_to(to));
    fitting.map(|(words, to)| (words.into(), to)).collect()
}

/// What can be done besides moving it, in commands.
pub(crate) fn further(delivery: &Delivery, cx: &Cx<'_>) -> Vec<(String, Vec<Command>)> {
    taken_up(delivery, cx).into_iter().chain(made_again(delivery, cx)).chain(anew(delivery, cx)).collect()
}

/// What takes up again what was made there and somebody ended.
fn taken_up(delivery: &Delivery, cx: &Cx<'_>) -> Option<(String, Vec<Command>)> {
    let ended = cx.incident.ended_there().into_iter().find(|one| one.maker == delivery.id)?;
    let body = cx.reach.take_up(&ended, cx.me, cx.incident)?;
    let words = match &ended.into {
        Some(into) => format!("it was merged into #{}: go on with that one", into.called()),
        None => "it was ended there: open it again".to_owned(),
    };
    Some((words, vec![Command::SendOut(Box::new(body))]))
}

/// What makes again there what somebody deleted, where that is why this failed; it goes out after that.
fn made_again(delivery: &Delivery, cx: &Cx<'_>) -> Option<(String, Vec<Command>)> {
    if !matches!(delivery.state, DeliveryState::Failed { .. }) {
        return None;
    }
    let about = cx.incident.subject(delivery).filter(|thing| *thing != Thing::Room);
    let thing = about.or_else(|| delivery.body.act.makes(delivery.id))?;
    let maker = cx.incident.maker(&delivery.body, thing).filter(|maker| can_be_made_again(maker, cx))?;
    let moved = |one: &Delivery, to| {
        let body = DeliveryMoved { delivery: one.id, step: one.moves, to, is_routine: false };
        Command::MoveDelivery(body)
    };
    let gone = DeliveryState::Gone { why: "somebody looked: it is not there any more".into() };
    let again = DeliveryState::Queued { not_before: cx.now, why: None, choice: None };
    let words = format!("the {} was deleted there: make it again, and send this", thing.name());
    Some((words, vec![moved(maker, gone), moved(delivery, again)]))
}

/// What sends a text to where the configuration has it by now, in place of where it was to go when it was approved.
fn anew(delivery: &Delivery, cx: &Cx<'_>) -> Option<(String, Vec<Command>)> {
    let (body, changed) = cx.reach.as_of_now(delivery, cx.incident)?;
    let why = CleanStr::new(&format!("sent as the configuration has it now: {changed}"));
    let to = DeliveryState::Dropped { why };
    let dropped = DeliveryMoved { delivery: delivery.id, step: delivery.moves, to, is_routine: false };
    let commands = vec![Command::MoveDelivery(dropped), Command::SendOut(Box::new(body))];
    Some((format!("send it as the configuration has it now: {changed}"), commands))
}

/// Whether what it made there would be made again if somebody removed it.
fn can_be_made_again(delivery: &Delivery, cx: &Cx<'_>) -> bool {
    let is_live = cx.incident.phase().is_live() && cx.reach.leads_to(&delivery.body);
    // Nobody can delete an incident of PagerDuty's; what was ended there has a way of its own.
    is_live
        && *delivery.body.service != *PAGERDUTY
        && matches!(delivery.body.act, Act::Open(_) | Act::Ticket(_) | Act::Pin)
}

/// What can be done with one of them.
pub(crate) fn delivery(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let delivery = cx.incident.deliveries.iter().find(|delivery| delivery.id == id)?;
    let mut rows =
        vec![("read and copy the text".to_owned(), Choice::Read(delivery.place(), delivery.words(cx.incident)))];
    rows.push(("where it stands, in full".to_owned(), {
        let line = delivery_line(delivery, cx);
        let link = match &delivery.state {
            DeliveryState::Sent(remote) => remote.link.clone(),
            _ => None,
        };
        let link = link.map(|link| format!("\n{link}")).unwrap_or_default();
        Choice::Read(delivery.place(), CleanText::new(&format!("{line}{link}")))
    }));
    // What met something there has its way out first.
    rows.extend(taken_up(delivery, cx).map(|(words, commands)| (words, Choice::Commands(commands))));
    for (words, to) in ways(delivery, cx) {
        let body = DeliveryMoved { delivery: id, step: delivery.moves, to, is_routine: false };
        rows.push((words.to_string(), Choice::Command(Box::new(Command::MoveDelivery(body)))));
    }
    let others = made_again(delivery, cx).into_iter().chain(anew(delivery, cx));
    rows.extend(others.map(|(words, commands)| (words, Choice::Commands(commands))));
    Some(Overlay::Pick(Box::new(Pick {
        title: delivery.place_in(cx.incident),
        notes: vec![delivery_line(delivery, cx), format!("approved by {}", delivery.queued.by)],
        rows,
        empty: "",
        selected: 0,
        filter: None,
    })))
}
