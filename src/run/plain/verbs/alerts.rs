//! Commands for alerts: the list, linking, and the incident that is declared from some.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::lists;
use super::records::may_write;
use super::words::{first_word, given};
use super::{Answer, InShell, Verb, usage, verb};
use crate::alert::declaring::{Against, Ground, against, proposed};
use crate::console::overlay::send;
use crate::console::{Doubt, Effect};
use crate::incident::{Command, Severity, matchers};
use crate::pane::Cx;
use crate::pane::alerts::storm::{By, Group, groups, words};
use crate::pane::alerts::{Seen, burst, none_or_unknown, of_burst, runbook_of, seen, whole};
use crate::text::CleanStr;

pub(super) const VERBS: &[Verb] = &[
    verb(
        "alerts",
        "[by rule | by service]",
        "the alerts of all sources, with numbers, and which incident covers them; or how many there are of each",
        |session, rest, wall| {
            let by = match rest.trim() {
                "" => By::Each,
                "by rule" => By::Rule,
                "by service" => By::Service,
                _ => return usage("alerts"),
            };
            if by != By::Each {
                let cx = session.cx(wall);
                let line = |group: &Group<'_>| {
                    let [states, facts, parts] = words(group, by, &cx);
                    format!("{}: {states}, {facts} ({parts})", group.name)
                };
                let lines: Vec<String> = groups(&seen(&cx), by).iter().map(line).collect();
                if !lines.is_empty() {
                    return session.answer(lines);
                }
            }
            let none = "no alert is known: Prometheus and Alertmanager tell them, where they are configured";
            let none = none_or_unknown(none, &session.cx(wall));
            session.answer_list(lists::alerts, &none, wall)
        },
    )
    .shell(InShell::Own("alerts")),
    verb("alert", "N | NAME", "all that an alert carries: every label and annotation", |session, rest, wall| {
        let cx = session.cx(wall);
        let all = named(session, "alert", rest, &cx)?;
        let Some(first) = all.first() else { return usage("alert") };
        // One fact may be a text of several lines.
        let lines: Vec<String> = whole(first, &cx).iter().flat_map(|fact| fact.lines().map(str::to_owned)).collect();
        let lines = lines.into_iter().map(|line| line.replacen("runbook (r): ", "runbook: ", 1)).collect();
        session.answer(lines)
    })
    .looks()
    .live()
    .shell(InShell::Not(
        "an alert has its number only as long as a console is open: `warroom alerts --json` has all of it",
    )),
    verb(
        "runbook",
        "N | NAME",
        "the runbook that the alert names: its file here, or its address",
        |session, rest, wall| {
            let cx = session.cx(wall);
            let all = named(session, "runbook", rest, &cx)?;
            let Some(first) = all.first() else { return usage("runbook") };
            let Some(address) = runbook_of(first).cloned() else {
                return Err(format!("{} names no runbook", first.live.alert.name));
            };
            session.waits.answer = true;
            Ok(vec![Effect::Runbook(address)])
        },
    )
    .looks()
    .live()
    .shell(InShell::Not("an alert has its number only as long as a console is open: `warroom open --plain`")),
    verb(
        "silence",
        "TIME LABEL=\"VALUE\" … WHY",
        "keep alerts quiet for so long (also !=, =~, !~); says which ones that are, and `:silence! …` does it",
        |session, rest, wall| silence(session, rest, Care::Shown, wall),
    )
    .shell(InShell::Own("silence")),
    verb("silence!", "TIME LABEL=\"VALUE\" … WHY", "the same, and it is done", |session, rest, wall| {
        silence(session, rest, Care::Done, wall)
    })
    .shell(InShell::As("silence"))
    .live(),
    verb("unsilence", "[N]", "the silences of this incident; with a number: it ends", |session, rest, wall| {
        let all = send::silences(&session.cx(wall));
        if rest.is_empty() {
            let lines: Vec<_> =
                all.iter().enumerate().map(|(place, (words, _))| format!("{} {words}", place + 1)).collect();
            return match lines.is_empty() {
                true => Err("no silence of this incident is in force".to_owned()),
                false => session.answer(lines),
            };
        }
        let place = rest.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        match place.and_then(|place| all.into_iter().nth(place)) {
            Some((_, command)) => session.ask(command, wall),
            None => Err(format!("there is no {}: :unsilence lists them", CleanStr::new(rest))),
        }
    }),
    verb("link", "N[,N…]|NAME|burst", "these alerts belong to this incident", |session, rest, wall| {
        let cx = session.cx(wall);
        let links: Vec<_> = named(session, "link", rest, &cx)?.iter().map(Seen::linked).collect();
        session.ask_all(links.into_iter().map(Command::LinkAlert), wall)
    })
    .live(),
    verb(
        "declare-from",
        "N[,N…]|burst [0|1|2|3] [TITLE]",
        "declare a new incident from these alerts",
        |session, rest, wall| declare(session, rest, Covered::Refused, wall),
    )
    .shell(InShell::Own("declare --from")),
    verb(
        "declare-from!",
        "N[,N…]|burst [0|1|2|3] [TITLE]",
        "the same, though an open incident has their service in its scope",
        |session, rest, wall| declare(session, rest, Covered::Declared, wall),
    )
    .shell(InShell::Own("declare --anyway --from")),
];

/// What becomes of an alert whose service an open incident has in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Covered {
    Refused,
    Declared,
}

/// Whether a silence is shown or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Shown,
    Done,
}

/// `30m service="alipay" alertname="X" the backup is being filled`.
fn silence(session: &mut Session, rest: &str, care: Care, wall: DateTime<Utc>) -> Answer {
    let (time, rest) = first_word(rest);
    if time.is_empty() {
        return usage("silence");
    }
    let until = super::words::time_to_come(session, time, wall)?;
    let cx = session.cx(wall);
    let (matchers, why) = matchers(rest)?;
    let labels: Vec<String> = matchers.iter().map(ToString::to_string).collect();
    let (command, hit) = send::silence(matchers, until, &CleanStr::new(why), &cx)?;
    if care == Care::Done {
        return session.ask(command, wall);
    }
    let (count, unknown) = (hit.len(), send::unknown_hits(&cx));
    let mut lines = vec![labels.join(" ")];
    lines.extend(hit.into_iter().chain(unknown));
    lines.push(format!("{count} of the alerts that are known now; :silence! {time} {rest} keeps them quiet"));
    session.answer(lines)
}

/// The fingerprints that a word means: its number as long as this console is open, or every alert of that name.
fn meant(session: &Session, word: &str, cx: &Cx<'_>) -> Result<Vec<CleanStr>, String> {
    if word.parse::<usize>().is_ok() && !session.is_single {
        return Ok(vec![session.numbers.alerts.get(word)?]);
    }
    let all = seen(cx);
    let of_name = all.iter().filter(|seen| seen.live.alert.name.eq_ignore_ascii_case(word));
    let prints: Vec<CleanStr> = of_name.map(|seen| seen.fingerprint().clone()).collect();
    if !prints.is_empty() {
        return Ok(prints);
    }
    let names: Vec<&str> = all.iter().map(|seen| seen.live.alert.name.as_str()).collect();
    Err(match names.is_empty() {
        true => format!("there is no alert `{}`: {}", CleanStr::new(word), none_or_unknown("none is known", cx)),
        false => format!("there is no alert `{}`: name one of {}", CleanStr::new(word), names.join(", ")),
    })
}

/// The alerts that somebody names, the first one first.
fn named<'a>(session: &Session, name: &str, word: &str, cx: &Cx<'a>) -> Result<Vec<Seen<'a>>, String> {
    if word.is_empty() {
        return usage(name);
    }
    let prints = match burst(cx).filter(|_| word.eq_ignore_ascii_case("burst")) {
        Some(burst) => of_burst(&burst),
        None if word.eq_ignore_ascii_case("burst") => {
            return Err(none_or_unknown("no alerts began together lately", cx));
        }
        None => {
            let prints: Vec<Vec<CleanStr>> =
                word.split(',').map(|one| meant(session, one, cx)).collect::<Result<_, _>>()?;
            prints.concat()
        }
    };
    let all = seen(cx);
    let find = |print: &CleanStr| {
        let found = all.iter().find(|seen| seen.live.fingerprints().contains(&print));
        found.cloned().ok_or_else(|| "this alert is over: :alerts lists those that are not".to_owned())
    };
    let mut found = prints.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|seen| seen.live.alert.starts_at);
    Ok(found)
}

fn declare(session: &mut Session, rest: &str, covered: Covered, wall: DateTime<Utc>) -> Answer {
    let (word, rest) = first_word(rest);
    may_write(session)?;
    let cx = session.cx(wall);
    let all = named(session, "declare-from", word, &cx)?;
    if cx.incident.drill.is_some() {
        return Err("this is a drill, and its alerts are simulated: :link N links one to it".to_owned());
    }
    let mut grounds = Vec::new();
    for seen in &all {
        grounds.push(Ground { alert: seen.live.alert, service: seen.service.clone(), cover: seen.cover });
    }
    match against(&grounds) {
        Some(Against::Linked(name, id)) => return Err(format!("{name} is linked to {id} already")),
        Some(Against::InScope(name, id)) if covered == Covered::Refused => {
            return Err(format!(
                "{id} has the service of {name} in its scope: :link {word} there, or :declare-from! {word}"
            ));
        }
        Some(Against::InScope(..)) | None => {}
    }
    let (level, after) = first_word(rest);
    let (severity, words) = level.parse().map_or((None, rest), |severity: Severity| (Some(severity), after));
    let Some(body) = proposed(&grounds, severity, given(words), cx.zone.name(), wall) else {
        return usage("declare-from");
    };
    let links = all.iter().map(Seen::linked).collect();
    Ok(session.declare(body, links, Doubt::Asked, wall))
}
