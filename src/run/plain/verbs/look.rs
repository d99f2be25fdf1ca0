//! Commands that only look: what is due, measured, firing, changed, and the brief to read aloud.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::lists;
use super::super::numbers::named;
use super::super::told::{group_line, objective_line, objectives, way_words};
use super::traces::kinds;
use super::words::{first_word, given, time_before, time_to_come};
use super::{Answer, InShell, Verb, usage, verb};
use crate::console::overlay::{NO_CHANGE, changes_unknown, every};
use crate::incident::brief::BriefKind;
use crate::incident::{Command, Evidence, ObligationSnoozed};
use crate::pane::Past;
use crate::pane::due::grouped;
use crate::pane::graphs::newest_evidence;
use crate::text::{CleanStr, Sought};

pub(super) const VERBS: &[Verb] = &[
    verb("due", "", "what is due, until when, whose it is, with the word that names it", due).of_record().looks(),
    verb("cadence", "1h REASON", "have updates due at another pace in this incident from now on", cadence),
    verb("snooze", "WHAT 5m REASON", "put what is due off for some minutes; WHAT is its word in :due", snooze)
        .of(lists::numbered_due),
    verb("brief", "[handover | since TIME]", "the brief, to read aloud", brief)
        .of_record()
        .shell(InShell::Own("brief")),
    verb("lamps", "", "what an experienced commander would notice by now", |session, _, wall| {
        let mut lamps = session.cx(wall).lamps();
        if lamps.is_empty() {
            lamps.push("nothing stands out".to_owned());
        }
        session.answer(lamps)
    })
    .of_record()
    .looks(),
    verb("slo", "", "the objectives: verdict, value, limit", slo).of_record().looks().live(),
    verb("pin", "OBJECTIVE | trace N", "the newest value, or a trace of the Nth kind of :spans, as evidence", pin)
        .live(),
    verb("past", "", "the last incidents of the affected services, and what ended them", past).of_record().looks(),
    verb("other-changes", "", "changes of services that are not affected", |session, _, wall| {
        changes(session, "others", wall)
    })
    .shell(InShell::Own("changes")),
    verb(
        "changes",
        "[others | -s SERVICE -k KIND -b NAME | WORDS]",
        "deploys, flags and Terraform of the last two hours, with numbers: ours first",
        changes,
    )
    .shell(InShell::Own("changes")),
];

fn changes(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    if rest.trim().is_empty() {
        let unknown = changes_unknown(&session.cx(wall));
        let none = unknown.map_or_else(|| NO_CHANGE.to_owned(), |why| format!("what was changed is not known: {why}"));
        return session.answer_list(lists::changes, &none, wall);
    }
    let cx = session.console.view(wall);
    let lines = lists::changes_like(&mut session.numbers, rest, &cx)?;
    if lines.is_empty() {
        return Err(match changes_unknown(&cx) {
            None => "no change of the last two hours is like that".to_owned(),
            Some(why) => format!("whether a change of the last two hours is like that is not known: {why}"),
        });
    }
    session.answer(lines)
}

fn past(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let line = |past: &Past| {
        let ended = if past.ended_by.is_blank() { "nobody said what ended it" } else { past.ended_by.as_str() };
        format!("{} {} {}: {ended}", past.at.format("%Y-%m-%d"), past.id, past.title)
    };
    let cx = session.cx(wall);
    if cx.incident.services.is_empty() {
        return Err("no service is named as affected yet: :add-service NAME".to_owned());
    }
    let Some(known) = cx.past else {
        return Err("the records of this host were not looked through yet: ask again".to_owned());
    };
    let mut lines: Vec<_> = known.earlier.iter().map(line).collect();
    match &known.unread {
        Some(why) if lines.is_empty() => return Err(format!("which incidents there were before is not known: {why}")),
        Some(why) => lines.push(format!("not all is known: {why}")),
        None if lines.is_empty() => {
            return Err("no earlier incident of an affected service is on this host".to_owned());
        }
        None => {}
    }
    session.answer(lines)
}

fn due(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.console.view(wall);
    let mut lines = lists::numbered_due(&mut session.numbers, &cx);
    if lines.is_empty() {
        lines.push(format!("nothing is due. {}", cx.incident.question()));
    }
    session.answer(lines)
}

fn cadence(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (length, reason) = first_word(rest);
    if length.is_empty() {
        return usage("cadence");
    }
    let every =
        every(length).ok_or_else(|| format!("`{}` is no length of time: write 30m or 1h", CleanStr::new(length)))?;
    session.ask(Command::SetCadence(every, given(reason)), wall)
}

fn snooze(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    let (length, reason) = first_word(rest);
    if length.is_empty() {
        return usage("snooze");
    }
    let due = session.console.view(wall).obligations();
    let due: Vec<_> = due.into_iter().map(|one| (session.numbers.word_of(&one.duty), one.duty)).collect();
    let duty = named(word, due, "obligation", ":due")?;
    let until = time_to_come(session, length, wall)?;
    let cx = session.cx(wall);
    // One line of the list stands for all channels that hear something at the same time.
    let all = cx.obligations();
    let rows = grouped(&all);
    let row = rows.iter().position(|(_, one)| one.duty == duty);
    let place = |duty| all.iter().position(|one| one.duty == duty);
    let from = place(duty.clone());
    let to = row.and_then(|row| rows.get(row + 1).map_or(Some(all.len()), |(_, next)| place(next.duty.clone())));
    // A channel that stands in the row of another one is put off by itself.
    let duties: Vec<_> = from
        .zip(to)
        .map_or_else(|| vec![duty], |(from, to)| all[from..to].iter().map(|one| one.duty.clone()).collect());
    let reason = CleanStr::new(reason);
    let put_off = |duty| Command::Snooze(ObligationSnoozed { duty, until, reason: reason.clone() });
    session.ask_all(duties.into_iter().map(put_off), wall)
}

fn brief(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let text = match first_word(rest) {
        ("", _) => session.cx(wall).brief(BriefKind::Recap, None),
        (word, "") if word.eq_ignore_ascii_case("handover") => session.cx(wall).brief(BriefKind::Handover, None),
        (word, time) if word.eq_ignore_ascii_case("since") => {
            let since = time_before(session, time, wall)?;
            session.cx(wall).brief(BriefKind::LateJoiner, Some(since))
        }
        _ => return usage("brief"),
    };
    session.answer(text.lines().map(str::to_owned).collect())
}

fn slo(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let all = objectives(&cx);
    if all.is_empty() {
        return Err("no objectives are watched: they stand in the playbook file of an affected service".to_owned());
    }
    let lines =
        all.into_iter().map(|(id, objective)| objective_line(&id, objective, cx.live.panels.get(&id), &cx)).collect();
    session.answer(lines)
}

fn pin(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let (first, number) = first_word(rest);
    if first == "trace" {
        if session.is_single {
            return Err(
                "a kind of error spans has its number only as long as a console is open: `warroom open` pins it"
                    .to_owned(),
            );
        }
        let Ok(number) = number.trim().parse::<usize>() else { return usage("pin") };
        let Some((_, _, finding)) = &cx.live.spans else {
            return Err("no spans yet: there is nothing to pin".to_owned());
        };
        let groups = kinds(finding);
        let Some(kind) = number.checked_sub(1).and_then(|place| groups.get(place)) else {
            return Err(format!("there is no kind {number} of spans: :spans lists {}", groups.len()));
        };
        let (trace, summary) =
            (kind.example.clone(), CleanStr::new(&format!("{}{}", group_line(kind, &cx), way_words(kind))));
        return session.ask(Command::PinEvidence(Evidence::Trace { trace, summary }), wall);
    }
    let words = Sought::phrase(rest.trim());
    let all = objectives(&cx);
    let mut named = all.iter().filter(|(_, objective)| !words.is_blank() && words.is_in(&objective.title));
    let Some((id, objective)) = named.next() else {
        let titles: Vec<_> = all.iter().map(|(_, objective)| objective.title.as_str()).collect();
        return Err(format!("write :pin and one of {}", titles.join(", ")));
    };
    let panel = cx.live.panels.get(id);
    let Some(evidence) = panel.and_then(|panel| newest_evidence(&id.service, objective, panel)) else {
        return Err("there is no value yet to pin".to_owned());
    };
    session.ask(Command::PinEvidence(evidence), wall)
}
