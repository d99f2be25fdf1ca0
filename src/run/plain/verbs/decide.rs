//! Commands for proposals, objections and decisions, and for theories about the cause.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::lists;
use super::words::{fields, first_word, given};
use super::{Answer, Verb, usage, verb};
use crate::console::overlay;
use crate::incident::{Command, DecisionProposed, HypothesisOpened, HypothesisSettled, ObjectionRaised, Purpose};
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb("propose", "ACTION | RISK | UNDO [| PLAN B]", "propose what to do: objections are asked for", propose),
    verb("decisions", "", "the proposals that wait, with numbers", |session, _, wall| {
        session.answer_list(lists::decisions, "nothing is proposed: :propose ACTION | RISK | UNDO does that", wall)
    }).of_record().looks(),
    verb("object", "N WHY", "object to a proposal", |session, rest, wall| {
        let (number, text) = first_word(rest);
        if number.is_empty() {
            return usage("object");
        }
        let decision = session.numbers.decisions.get(number)?;
        session.ask(Command::Object(ObjectionRaised { decision, text: CleanStr::new(text) }), wall)
    }).of(lists::decisions),
    verb("decide", "N yes|no [REASON]", "decide on a proposal, as Incident Commander", decide).of(lists::decisions),
    verb("theory", "TEXT [| WHO LOOKS] [| ROLLBACK]", "open a theory about the cause", theory),
    verb(
        "theory-from",
        "N|WORD",
        "a change of :changes, by its number or by the word at the end of its line in a shell, becomes a theory with its way back",
        theory_from,
    )
    .on_changes(),
    verb("theories", "", "the theories, with numbers", |session, _, wall| {
        session.answer_list(lists::theories, "no theory is open: :theory TEXT opens one", wall)
    }).of_record().looks(),
    verb(
        "roll-back",
        "N",
        "show what would take a theory's cause back, and start it once that is confirmed",
        roll_back,
    ),
    verb("eliminated", "N EVIDENCE", "a theory does not hold", |session, rest, wall| {
        settle(session, "eliminated", false, rest, wall)
    }).of(lists::theories),
    verb("confirmed", "N EVIDENCE", "a theory was the cause", |session, rest, wall| {
        settle(session, "confirmed", true, rest, wall)
    }).of(lists::theories),
];

fn propose(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let [action, risk, undo, plan_b] = fields(rest);
    if undo.is_empty() {
        return usage("propose");
    }
    let cx = session.cx(wall);
    let body = DecisionProposed {
        action: CleanStr::new(action),
        risk: CleanStr::new(risk),
        undo: CleanStr::new(undo),
        plan_b: given(plan_b),
        until: cx.now + cx.cadence.objections,
    };
    session.ask(Command::Propose(body), wall)
}

fn decide(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, rest) = first_word(rest);
    let (word, reason) = first_word(rest);
    let go = match word.to_lowercase().as_str() {
        "yes" | "y" => true,
        "no" | "n" => false,
        _ => return usage("decide"),
    };
    let decision = session.numbers.decisions.get(number)?;
    session.ask(Command::Decide { decision, go, reason: given(reason) }, wall)
}

fn theory(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let [text, who, rollback] = fields(rest);
    if text.is_empty() {
        return usage("theory");
    }
    let owner = given(who).map(|_| super::words::name(who)).unwrap_or_else(|| session.cx(wall).me.clone());
    let body = HypothesisOpened { text: CleanStr::new(text), owner: Some(owner), rollback: given(rollback) };
    session.ask(Command::OpenHypothesis(body), wall)
}

fn theory_from(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    if rest.is_empty() {
        return usage("theory-from");
    }
    let change =
        match session.is_single && rest.parse::<usize>().is_ok() {
            true => return Err(
                "a number lasts only as long as a console is open: name the word at the end of its line in :changes"
                    .to_owned(),
            ),
            false => session.numbers.change(rest)?,
        };
    let cx = session.cx(wall);
    let text = CleanStr::new(&format!("the {}", overlay::change_line(&change, &cx)));
    let body = HypothesisOpened { text, owner: Some(cx.me.clone()), rollback: change.way_back() };
    session.ask(Command::OpenHypothesis(body), wall)
}

/// What a theory's way back would run, to be confirmed.
fn roll_back(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    if rest.trim().is_empty() {
        return usage("roll-back");
    }
    let id = session.numbers.theories.get(rest)?;
    let cx = session.cx(wall);
    let theory =
        cx.incident.hypotheses.iter().find(|theory| theory.id == id).ok_or("this theory is not in the record")?;
    let (step, values) = overlay::way_back(theory, &cx)?;
    let dialog = overlay::with_values(&step, Purpose::Do, &values, &cx)?;
    super::commands::show_dialog(session, dialog)
}

fn settle(session: &mut Session, name: &str, holds: bool, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (number, evidence) = first_word(rest);
    if number.is_empty() {
        return usage(name);
    }
    let hypothesis = session.numbers.theories.get(number)?;
    let body = HypothesisSettled { hypothesis, holds, evidence: CleanStr::new(evidence) };
    session.ask(Command::SettleHypothesis(body), wall)
}
