//! What a room can ask of its drill, in one list; and whom the exercise can play.
//!
//! Invariant: nothing is done here that has no name of its own: each row stands for a word of the palette, or for a command.

use chrono::TimeDelta;

use super::pick::{Choice, Pick};
use super::staged::exercise_of;
use crate::console::actions;
use crate::incident::facilitation::WORDS;
use crate::incident::measures::spoken;
use crate::incident::{Command, Facilitated, Phase, Role};
use crate::pane::{Cx, is_here};

/// Everything that is there for drills, the most wanted first.
pub(crate) fn menu(cx: &Cx<'_>) -> Result<Pick, String> {
    let drill = cx.incident.drill.as_ref().ok_or("that is for drills: this is none")?;
    let is_paused = cx.incident.clock().is_paused();
    let is_over = cx.incident.phase() == Phase::Closed;
    let words = [
        ("pause-drill", !is_paused && !is_over),
        ("resume-drill", is_paused),
        ("hint", !is_over),
        ("inject", !is_over),
        ("stand-in", !is_over),
        ("staging", drill.staging.is_some()),
        ("pre-brief", true),
        ("debrief", true),
        ("facilitate", true),
        ("facilitator", true),
        ("abort-drill", !is_over),
    ];
    let shown = words.into_iter().filter(|(_, is_shown)| *is_shown);
    // That all this is for drills stands above it.
    let about = |help: &'static str| match help.split_once(": ") {
        Some((before, rest)) if before.starts_with("in a drill") => rest,
        Some(_) | None => help,
    };
    let row = |name| Some((format!("{name:<13} {}", about(actions::named(name)?.help)), Choice::Act(name)));
    let rows = shown.filter_map(|(name, _)| row(name));
    let state = match (is_over, is_paused) {
        (true, _) => "it is over",
        (false, true) => "it is paused",
        (false, false) => "its clock runs",
    };
    Ok(Pick {
        title: format!("drill: {}, {state}", drill.exercise),
        notes: Vec::new(),
        rows: rows.collect(),
        empty: "",
        selected: 0,
        filter: None,
    })
}

/// The roles that nobody holds, and who of the exercise can play each.
pub(crate) fn stand_ins(cx: &Cx<'_>) -> Result<Pick, String> {
    if cx.incident.drill.is_none() {
        return Err("stand-ins are for drills: this is none".to_owned());
    }
    let exercise = exercise_of(cx.incident)?;
    let mut rows = Vec::new();
    let mut notes = vec!["they call back when work is handed to them (@); R takes the role from them".to_owned()];
    for role in Role::ALL.into_iter().filter(|role| cx.incident.holder(*role).is_none()) {
        let before = rows.len();
        for person in exercise.players(role).filter(|person| !is_here(&person.name, cx.present, cx.me)) {
            let line = format!("{:<22} {}: {}", role.name(), person.name, person.about);
            rows.push((line, Choice::Command(Box::new(Command::StandIn(role, person.name.clone())))));
        }
        if rows.len() == before {
            notes.push(format!("{}: nobody of this exercise plays it (R takes it)", role.name()));
        }
    }
    Ok(Pick {
        title: "who shall be played by the exercise?".to_owned(),
        notes,
        rows,
        empty: "no role is empty that somebody of this exercise could play",
        selected: 0,
        filter: None,
    })
}

/// What the facilitator of a drill typed, where the exercise has what it names.
pub(crate) fn facilitates(typed: &str, cx: &Cx<'_>) -> Result<Command, String> {
    let act = Facilitated::parse(typed)?;
    if cx.incident.drill.is_none() {
        return Err("a facilitator is for drills: this is none".to_owned());
    }
    let exercise = exercise_of(cx.incident)?;
    match &act {
        Facilitated::Fault { fault } if !exercise.faults.iter().any(|one| one.id == *fault) => {
            let known: Vec<_> = exercise.faults.iter().map(|one| one.id.as_str()).collect();
            return Err(format!("the exercise has no fault `{fault}`: it has {}", known.join(", ")));
        }
        Facilitated::Fault { .. } if cx.incident.drill.as_ref().is_some_and(|drill| drill.staging.is_some()) => {
            return Err("this drill is played in staging: `staging` puts its faults there".to_owned());
        }
        Facilitated::Score { criterion, .. } if *criterion as usize > exercise.success.len() => {
            return Err(format!("its success criteria go from 1 to {}", exercise.success.len()));
        }
        _ => {}
    }
    Ok(Command::Facilitate(act))
}

/// What the facilitator alone reads: what is planned, what can be begun by hand, the criteria with their numbers, and the asides so far.
pub(crate) fn facilitator_sheet(cx: &Cx<'_>) -> Result<String, String> {
    if cx.incident.drill.is_none() {
        return Err("a facilitator is for drills: this is none".to_owned());
    }
    let hand = &cx.incident.facilitation;
    let by = hand.by.as_ref().filter(|mark| cx.is_me(&mark.by));
    if by.is_none() {
        return Err(match &hand.by {
            Some(mark) => format!("{} facilitates this drill: this is for them alone", mark.by),
            None => "nobody facilitates this drill: `facilitate` and then `take` does".to_owned(),
        });
    }
    let exercise = exercise_of(cx.incident)?;
    let mut lines = vec![WORDS.to_owned(), String::new(), "planned:".to_owned()];
    let planned = exercise.injects.iter().filter_map(|one| Some((one.at?, one)));
    let start = cx.incident.drill.as_ref().map_or(cx.now, |drill| drill.start);
    lines.extend(planned.map(|(at, one)| {
        // As it comes now, after every delay; a plan that was moved is no answer to what comes next.
        let comes = hand.delayed(start + TimeDelta::from(at)) - start;
        let moved = if comes == TimeDelta::from(at) { String::new() } else { format!(" (planned for {at})") };
        format!("  {}{moved} {} ({}): {}", spoken(comes), one.from, one.via, one.text.first_line())
    }));
    lines.push("faults:".to_owned());
    lines.extend(exercise.faults.iter().map(|one| {
        let begun = hand.faults.iter().rev().find(|(fault, _)| *fault == one.id);
        let begun = begun.map(|(_, at)| format!(" · begun by hand at {}", cx.clock(*at)));
        format!("  {}: {}{}", one.id, one.what, begun.unwrap_or_default())
    }));
    lines.push("success criteria:".to_owned());
    lines.extend(exercise.success.iter().zip(1_u32..).map(|(one, number)| {
        let scored = hand.scores.get(&number).map(|(_, is_met, why)| {
            format!(" · scored {}: {}", if *is_met { "met" } else { "missed" }, why.first_line())
        });
        format!("  {number} {}{}", one.what, scored.unwrap_or_default())
    }));
    lines.push("asides:".to_owned());
    lines.extend(hand.asides.iter().map(|(mark, text)| format!("  {} {}", cx.clock(mark.at), text)));
    Ok(lines.join("\n"))
}

/// Asks once more before a drill ends for everybody.
pub(crate) fn sure(ends: &[Command]) -> Pick {
    let end = ends.iter().map(|command| {
        ("end it for everybody: it counts as abandoned".to_owned(), Choice::Command(Box::new(command.clone())))
    });
    Pick {
        title: "abort the drill?".to_owned(),
        notes: Vec::new(),
        rows: std::iter::once(("no, it goes on".to_owned(), Choice::Nothing)).chain(end).collect(),
        empty: "",
        selected: 0,
        filter: None,
    }
}
