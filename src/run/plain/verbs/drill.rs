//! Commands for drills: what its room and its facilitator can ask of the exercise.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::commands::{take, take_offer};
use super::records::may_write;
use super::{Answer, InShell, Verb, verb};
use crate::console::overlay::{self, Offer};
use crate::console::{Effect, Printout};
use crate::incident::{Command, Phase};
use crate::live::Inquiry;

pub(super) const VERBS: &[Verb] = &[
    verb("drill", "[N]", "begin a drill and open it; in one: pause, hint, inject, stand-ins, briefs, abort", drill)
        .shell(InShell::Own("gameday")),
    verb("pre-brief", "", "the drill's goals and success criteria", |session, _, _| {
        let id = session.console.open_record().ok_or("no record is open")?;
        Ok(vec![Effect::Print(Printout::Briefing(id))])
    })
    .looks(),
    verb("debrief", "", "the drill's success criteria, met or not, so far", |session, _, _| {
        let id = session.console.open_record().ok_or("no record is open")?;
        Ok(vec![Effect::Print(Printout::Debrief(id))])
    })
    .looks(),
    verb("abort-drill", "[N]", "in a drill: end it before it is over; asks once more", |session, rest, wall| {
        match overlay::staged::abort(&session.cx(wall))? {
            Offer::Ask(ends) => {
                let sure = overlay::drill::sure(&ends);
                let rest = if rest.trim() == "yes" { &sure.rows.len().to_string() } else { rest };
                take(session, &sure, rest, ":abort-drill", wall)
            }
            offer => take_offer(session, offer, wall),
        }
    })
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
    verb("stand-in", "[N]", "in a drill: the exercise plays a role that nobody holds", |session, rest, wall| {
        let pick = overlay::drill::stand_ins(&session.cx(wall))?;
        if pick.rows.is_empty() {
            return Err(pick.empty.to_owned());
        }
        take(session, &pick, rest, ":stand-in", wall)
    })
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
    verb(
        "staging",
        "[N]",
        "in a drill in staging: its traffic and its faults, each with its way back",
        |session, rest, wall| {
            let pick = overlay::staged::staging(&session.cx(wall))?;
            take(session, &pick, rest, ":staging", wall)
        },
    )
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
    verb("pause-drill", "", "in a drill: its clock stands still for everybody", |session, _, wall| {
        session.ask(Command::PauseDrill(true), wall)
    }),
    verb("resume-drill", "", "in a drill: its clock runs again", |session, _, wall| {
        session.ask(Command::PauseDrill(false), wall)
    }),
    verb("inject", "", "in a drill, for its facilitator: who gets in touch next does so now", |session, _, _| {
        Ok(vec![session.console.to_facilitator(Inquiry::Inject)?])
    })
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
    verb(
        "facilitate",
        "take | message FROM, VIA: TEXT | fact TEXT | fault ID | delay 5m | aside TEXT | score N met WHY | leave",
        "in a drill: take its facilitator's part, inject by hand, note, score",
        |session, rest, wall| {
            let command = overlay::drill::facilitates(rest, &session.cx(wall))?;
            session.ask(command, wall)
        },
    )
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
    verb(
        "facilitator",
        "",
        "in a drill, for its facilitator alone: plan, faults, criteria, notes",
        |session, _, wall| {
            let text = overlay::drill::facilitator_sheet(&session.cx(wall))?;
            session.answer(text.lines().map(str::to_owned).collect())
        },
    )
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
    verb("hint", "", "in a drill: a hint from the facilitator", |session, _, _| {
        Ok(vec![session.console.to_facilitator(Inquiry::Hint)?])
    })
    .shell(InShell::Not("an exercise is played in a console: `warroom gameday`")),
];

fn drill(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    if cx.incident.drill.is_none() || cx.incident.phase() == Phase::Closed {
        may_write(session)?;
        return Ok(vec![Effect::StartDrill]);
    }
    let pick = overlay::drill::menu(&cx)?;
    take(session, &pick, rest, ":drill", wall)
}
