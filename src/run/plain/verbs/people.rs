//! Commands for roles, and for who is here and on call.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::lists;
use super::words::{first_word, given, lines, name, role};
use super::{Answer, InShell, Verb, usage, verb};
use crate::incident::brief::BriefKind;
use crate::incident::{Command, EntryId, HandoverOffered, Role, Seat};
use crate::pane::Cx;
use crate::text::{CleanText, is_gap};

pub(super) const VERBS: &[Verb] = &[
    verb("who", "", "who holds which role, and who is here", |session, _, wall| {
        let lines = who_lines(&session.cx(wall));
        session.answer(lines)
    })
    .of_record()
    .looks(),
    verb("oncall", "", "who is on call now and next, and how to reach them", |session, _, wall| {
        let text = session.cx(wall).on_call()?;
        session.answer(text.lines().map(str::to_owned).collect())
    })
    .shell(InShell::Own("oncall")),
    verb("card", "ic|comms|sme|scribe", "what a role does and says", card).of_record().looks(),
    verb("take-role", "ic|comms|sme [COMPONENT]|scribe", "take a role", take).or(&["take"]),
    verb("take-command", "", "take the role of Incident Commander", |session, _, wall| {
        session.ask(Command::TakeRole(Seat { role: Role::IncidentCommander, component: None }), wall)
    }),
    verb("leave-role", "ic|comms|sme [COMPONENT]|scribe [REASON]", "leave a role, or relieve its holder", leave)
        .or(&["leave"]),
    verb("assign-role", "ic|comms|sme [COMPONENT]|scribe NAME", "give an empty role to somebody", assign_role),
    verb(
        "handover",
        "ic|comms|sme|scribe NAME [BRIEF]",
        "offer your role to somebody; without words the brief is what :brief handover says",
        handover,
    ),
    verb("offers", "", "the roles that are offered, with numbers", |session, _, wall| {
        session.answer_list(lists::offers, "no role is offered: :handover offers yours", wall)
    })
    .of_record()
    .looks(),
    verb("accept-role", "[N]", "accept the role that you are offered", |session, rest, wall| {
        let offer = offer(session, rest, false, wall)?;
        session.ask(Command::AcceptRole(offer), wall)
    })
    .of(lists::offers)
    .or(&["accept"]),
    verb("decline-role", "[N] REASON", "decline the role that you are offered, or take your offer back", decline)
        .of(lists::offers)
        .or(&["decline"]),
];

fn take(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let Some(role) = role(word) else { return usage("take-role") };
    session.ask(Command::TakeRole(Seat { role, component: given(rest) }), wall)
}

fn leave(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let Some(role) = role(word) else { return usage("leave-role") };
    let cx = session.cx(wall);
    let held: Vec<_> = cx.incident.roles.iter().filter(|(seat, _)| seat.role == role).collect();
    // `:leave sme gateway gone home`: the component if somebody holds it, else one's own seat, else the only one.
    let named = held.iter().find(|(seat, _)| {
        seat.component.as_ref().is_some_and(|name| {
            rest.strip_prefix(name.as_str()).is_some_and(|after| after.is_empty() || after.starts_with(is_gap))
        })
    });
    let (seat, reason) = match named {
        Some((seat, _)) => ((*seat).clone(), rest[seat.component.as_ref().map_or(0, |name| name.len())..].trim()),
        None => {
            let own = held.iter().find(|(_, mark)| cx.is_me(&mark.by)).or(held.first());
            (own.map_or(Seat { role, component: None }, |(seat, _)| (*seat).clone()), rest)
        }
    };
    let reason = given(reason);
    session.ask(Command::LeaveRole(seat, reason), wall)
}

fn assign_role(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let Some(role) = role(word).filter(|_| !rest.is_empty()) else { return usage("assign-role") };
    // Only an SME has a component, which stands before the name.
    let roster = session.cx(wall).roster();
    let (component, holder) = if role == Role::Sme { roster.split_last(rest) } else { ("", rest) };
    session.ask(Command::AssignRole(Seat { role, component: given(component) }, name(holder)), wall)
}

fn handover(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let cx = session.cx(wall);
    let roster = cx.roster();
    let (to, brief) = roster.split(rest);
    let (Some(role), false) = (role(word), to.is_empty()) else { return usage("handover") };
    let own = cx.incident.roles.iter().find(|(seat, mark)| seat.role == role && cx.is_me(&mark.by));
    let component = own.and_then(|(seat, _)| seat.component.clone());
    let brief = if brief.is_empty() { CleanText::new(&cx.brief(BriefKind::Handover, None)) } else { lines(brief) };
    session.ask(Command::OfferRole(HandoverOffered { role, component, to: name(to), brief }), wall)
}

/// The offer of a number; without one the only offer that concerns this person.
fn offer(session: &Session, number: &str, is_end: bool, wall: DateTime<Utc>) -> Result<EntryId, String> {
    if !number.is_empty() {
        return session.numbers.offers.get(number);
    }
    let cx = session.cx(wall);
    let concerns = |to: &str, by: &str| cx.is_me(to) || (is_end && cx.is_me(by));
    let mut mine = cx.incident.offers.iter().filter(|offer| concerns(&offer.to, &offer.mark.by));
    match (mine.next(), mine.next()) {
        (Some(offer), None) => Ok(offer.id),
        (None, _) => Err("no role is offered to you: :offers lists them".to_owned()),
        (Some(_), Some(_)) => Err("several roles are offered: write the number of one (:offers)".to_owned()),
    }
}

fn decline(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, after) = first_word(rest);
    let has_number = word.parse::<usize>().is_ok();
    let (number, reason) = if has_number { (word, after) } else { ("", rest) };
    let offer = offer(session, number, true, wall)?;
    session.ask(Command::EndOffer(offer, given(reason)), wall)
}

fn card(session: &mut Session, rest: &str, _wall: DateTime<Utc>) -> Answer {
    let Some(role) = role(rest) else { return usage("card") };
    let card = role.card();
    let mut lines = vec![format!("the {}:", role.name())];
    lines.extend(card.duties.iter().map(|duty| format!("  {}", in_words(duty))));
    lines.push("says:".to_owned());
    lines.extend(card.phrases.iter().map(|phrase| format!("  {phrase}")));
    session.answer(lines)
}

/// A sentence with keys between brackets at its end, with the commands that stand for them here.
fn in_words(sentence: &str) -> String {
    let Some((before, keys)) = sentence.strip_suffix(')').and_then(|rest| rest.rsplit_once(" (")) else {
        return sentence.to_owned();
    };
    let all = crate::console::actions::all();
    let command = |key: &str| {
        let key = key.trim_start_matches("claim with ");
        all.iter().find(|action| action.writes && action.keys.contains(&key)).map(|action| format!(":{}", action.name))
    };
    match keys.split(", ").map(command).collect::<Option<Vec<_>>>() {
        Some(commands) => format!("{before} ({})", commands.join(", ")),
        None => sentence.to_owned(),
    }
}

/// Who holds which role, and who is here.
pub(in crate::run::plain) fn who_lines(cx: &Cx<'_>) -> Vec<String> {
    let role = |role: Role| {
        let holders = cx.incident.roles.iter().filter(|(seat, _)| seat.role == role).map(|(seat, mark)| {
            let part = cx.incident.part(seat);
            seat.component
                .as_ref()
                .map_or_else(|| format!("{}{part}", mark.by), |name| format!("{} for {name}", mark.by))
        });
        let holders: Vec<_> = holders.collect();
        let holders = if holders.is_empty() { "nobody".to_owned() } else { holders.join(", ") };
        format!("{} {holders}", role.short())
    };
    let mut lines = vec![format!("roles: {}", Role::ALL.map(role).join(" · "))];
    if !cx.present.is_empty() {
        let here: Vec<_> = cx.present.iter().map(|one| format!("{} ({})", one.actor, one.layout)).collect();
        lines.push(format!("here: {}", here.join(", ")));
    }
    lines
}
