//! What a step offers: a command to run, a measurement, a choice, a text to draft.
//!
//! Invariant: in a drill nothing runs; what would have run is written down, and the simulated world reacts to the step.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::form::{Field, Form};
use super::pick::{Choice, Pick};
use super::run::{Again, Confirms, Reading, RunDialog, has_claimed};
use super::{Overlay, staged};
use crate::incident::gate::{self, Asker};
use crate::incident::values::DoneWith;
use crate::incident::wording::argv_in_brief;
use crate::incident::{
    Command, CommandStarted, DryRun, Incident, PlaybookApproved, Purpose, Role, ServiceId, StatusUpdate, StepAnswered,
    StepDone, StepRef, command_digest,
};
use crate::pane::{Access, Cx, FormKind};
use crate::playbook::{Action, CommandStep, Facts, Parameter, Playbook, Step, StepTraces, Value, Wait, Wrong};
use crate::resolution::measure;
use crate::text::changed::difference;
use crate::text::exact::{show_argv, visible};
use crate::text::mask::Mask;
use crate::text::{CleanStr, CleanText, Exact};

/// What is typed where something came before in name only.
const ALL_THE_SAME: &str = "anyway";
/// What is said where a console was started with `--dry-run`.
pub(super) const DRY: &str = "--dry-run: nothing runs from this console; what would have run is written down";

/// What comes of asking a step.
pub(crate) enum Offer {
    /// Something to read and to answer.
    Show(Box<Overlay>),
    /// It can be answered at once.
    Ask(Vec<Command>),
}

/// What a step offers, or why there is nothing.
pub(crate) fn step(name: &StepRef, purpose: Purpose, cx: &Cx<'_>) -> Result<Offer, String> {
    if name.is_of_exercise() {
        return staged::offer(name, purpose, cx);
    }
    let (playbook, step) = find(name, cx)?;
    let show = |overlay: Overlay| Ok(Offer::Show(Box::new(overlay)));
    let Some(action) = &step.action else {
        return Err("this step is done by hand: x says that it is done".to_owned());
    };
    if purpose == Purpose::Undo && step.command().is_none_or(|command| command.undo.is_empty()) {
        return Err(format!("this step is taken back by hand: {}", step.undo.first_line()));
    }
    match action {
        Action::Command(command) => {
            let asked = command.asked(purpose);
            if asked.is_empty() {
                let dialog = dialog(playbook, step, command, purpose, &BTreeMap::new(), cx);
                return show(dialog.map_err(|wrong| format!("{} {}", wrong.parameter, wrong.why))?.overlay());
            }
            let offered = offered(name, command, purpose, cx);
            let means: Vec<String> = asked
                .iter()
                .map(|(name, parameter)| (name, parameter.in_words()))
                .filter(|(_, words)| !words.is_empty())
                .map(|(name, words)| format!("{name}: {words}"))
                .collect();
            let fields = asked.into_iter().map(|(name, parameter)| {
                let text = offered.get(name).map(|value| value.exact.text()).unwrap_or_default();
                Field::said(name.to_string(), parameter.about.to_string(), &text)
            });
            let origin =
                |(name, value): (&CleanStr, &Value)| format!("{name} = {} ({})", value.exact.shown(), value.origin);
            let mut notes: Vec<String> = means.into_iter().chain(offered.iter().map(origin)).collect();
            notes.extend(others_standing(name, purpose, cx));
            notes.extend(another_version(name, purpose, cx));
            notes.push("what would run is shown next; nothing runs yet".to_owned());
            show(Overlay::Form(Box::new(Form {
                kind: FormKind::Parameters { step: name.clone(), purpose },
                title: format!("{}: with what?", step.title),
                notes,
                fields: fields.collect(),
                at: 0,
            })))
        }
        Action::Choice(choice) => {
            let rows = choice.branches.iter().map(|branch| {
                let then = branch.then.as_ref().map(|then| format!(" → {then}")).unwrap_or_default();
                let command = Command::AnswerStep(answered(name, step, &branch.name, None));
                (format!("{}{then}", branch.name), Choice::Command(Box::new(command)))
            });
            show(Overlay::Pick(Box::new(Pick {
                title: choice.question.to_string(),
                notes: Vec::new(),
                rows: rows.collect(),
                empty: "",
                selected: 0,
                filter: None,
            })))
        }
        Action::Notify(notify) => {
            let update =
                StatusUpdate { channels: [notify.channel].into(), text: notify.text.clone(), ..Default::default() };
            show(Overlay::Pick(Box::new(Pick {
                title: format!("a draft for {}: {}", notify.channel.name(), notify.text.first_line()),
                notes: vec!["the Incident Commander approves it; nothing is sent from here".to_owned()],
                rows: vec![
                    ("no".to_owned(), Choice::Nothing),
                    ("draft it".to_owned(), Choice::Command(Box::new(Command::PostUpdate(update)))),
                ],
                empty: "",
                selected: 0,
                filter: None,
            })))
        }
        Action::Traces(traces) => {
            let (seen, holds) = look_at(traces, cx)?;
            Ok(Offer::Ask(vec![Command::AnswerStep(answered(name, step, &seen, Some(holds)))]))
        }
        Action::Query(_) | Action::Verify(_) | Action::Wait(_) => {
            Ok(Offer::Ask(vec![Command::AnswerStep(asked_now(playbook, step, cx)?)]))
        }
        Action::Look(look) => {
            let links: Vec<_> = look.links.iter().map(CleanStr::as_str).collect();
            Err(format!("look there, y copies: {}", links.join(" · ")))
        }
    }
}

/// What a step's query or wait says now.
fn asked_now(playbook: &Playbook, step: &Step, cx: &Cx<'_>) -> Result<StepAnswered, String> {
    let name = playbook.step_ref(step);
    let Some(Action::Wait(Wait { promql: None, time, .. })) = &step.action else {
        let (seen, holds) = measure(playbook, step, cx.live, cx.wall, cx.now)?;
        return Ok(answered(&name, step, &seen, Some(holds)));
    };
    let end = wait_end(&name, step, cx.incident).ok_or("the time counts from the claim: c claims the step")?;
    let left = (end - cx.now).num_seconds();
    let time = time.unwrap_or_default();
    let seen = if left > 0 { format!("{left} s of {time} left") } else { format!("{time} are over") };
    Ok(answered(&name, step, &seen, Some(left <= 0)))
}

/// When a wait for a time is over: it counts from the claim.
pub(crate) fn wait_end(name: &StepRef, step: &Step, incident: &Incident) -> Option<DateTime<Utc>> {
    let Some(Action::Wait(Wait { promql: None, time: Some(time), .. })) = &step.action else { return None };
    Some(incident.claims.get(name)?.at + **time)
}

/// What ends a wait, if it has come.
pub(crate) fn waited(name: &StepRef, cx: &Cx<'_>) -> Option<Vec<Command>> {
    let (playbook, step) = find(name, cx).ok()?;
    let Some(Action::Wait(_)) = &step.action else { return None };
    let answer = asked_now(playbook, step, cx).ok().filter(|answer| answer.holds == Some(true))?;
    let done = StepDone { step: name.clone(), title: step.title.clone() };
    Some(vec![Command::AnswerStep(answer), Command::CheckStep(done)])
}

fn find<'a>(name: &StepRef, cx: &Cx<'a>) -> Result<(&'a Playbook, &'a Step), String> {
    let playbook = cx.catalogue.get(&name.service).ok_or("no playbook has this service any more")?;
    let step = playbook.step(&name.step).ok_or("the playbook does not have this step any more")?;
    Ok((playbook, step))
}

fn answered(name: &StepRef, step: &Step, answer: &str, holds: Option<bool>) -> StepAnswered {
    StepAnswered { step: name.clone(), title: step.title.clone(), answer: CleanStr::new(answer), holds, dry: None }
}

/// Error spans a minute of a service, over what the console has searched.
fn look_at(traces: &StepTraces, cx: &Cx<'_>) -> Result<(String, bool), String> {
    let (_, _, found) = cx.live.spans.as_ref().ok_or("no error spans were searched yet: is Jaeger configured?")?;
    if cx.live.spans_freshness(cx.wall) != Some(crate::live::Freshness::Fresh) {
        return Err("the spans here are not fresh: wait for the next search".to_owned());
    }
    let is_meant = |service: &str, operation: &str| {
        service == traces.service.as_str() && traces.operation.as_ref().is_none_or(|name| name.as_str() == operation)
    };
    let count = found.errors.iter().filter(|row| is_meant(&row.service, &row.operation)).count();
    let minutes = (found.lookback.num_seconds() as f64 / 60.0).max(1.0);
    let rate = count as f64 / minutes;
    let expected = traces.expect;
    Ok((
        format!("{rate:.1} error spans a minute ({count} in {minutes:.0} min), expected {expected}"),
        expected.holds(rate),
    ))
}

/// The dialog of a step's command with given values, in words where a form has fields.
pub(crate) fn with_values(
    name: &StepRef,
    purpose: Purpose,
    given: &BTreeMap<CleanStr, Exact>,
    cx: &Cx<'_>,
) -> Result<RunDialog, String> {
    let (playbook, step) = find(name, cx)?;
    let command = step.command().ok_or("this step has no command")?;
    if let Some((unknown, _)) = given.iter().find(|(name, _)| !command.parameters.contains_key(*name)) {
        return Err(format!("`{unknown}` is no parameter of this command"));
    }
    // What a form would begin with, nobody has to say.
    let mut values = offered(name, command, purpose, cx);
    values.extend(given.iter().map(|(name, said)| (name.clone(), Value::said(said.clone()))));
    dialog(playbook, step, command, purpose, &values, cx)
        .map_err(|wrong| format!("{} {}: write {}=VALUE", wrong.parameter, wrong.why, wrong.parameter))
}

/// The dialog of a step once more, as it would be now.
pub(super) fn once_more(
    name: &StepRef,
    purpose: Purpose,
    given: &BTreeMap<CleanStr, Value>,
    cx: &Cx<'_>,
) -> Result<RunDialog, String> {
    let (playbook, step) = find(name, cx)?;
    let command = step.command().ok_or("the playbook's step has no command any more")?;
    dialog(playbook, step, command, purpose, given, cx).map_err(|wrong| format!("{} {}", wrong.parameter, wrong.why))
}

/// The dialog with the answers of a form; else which field is wrong, and why.
pub(super) fn with_answers(
    name: &StepRef,
    purpose: Purpose,
    form: &Form,
    cx: &Cx<'_>,
) -> Result<Overlay, (usize, String)> {
    let (playbook, step) = find(name, cx).map_err(|why| (0, why))?;
    let command = step.command().ok_or((0, "the playbook's step has no command any more".to_owned()))?;
    let offered = offered(name, command, purpose, cx);
    let answers = form.fields.iter().enumerate();
    let given = answers.map(|(place, field)| {
        let name = CleanStr::new(&field.label);
        let said = form.answer(place);
        // What nobody touched is what was offered, with the letters that a form does not show.
        let value = match offered.get(&name).filter(|value| *value.exact.clean() == *said) {
            Some(value) => value.clone(),
            None => {
                let meant = command.parameters.get(&name).map(|parameter| parameter.meant(&said));
                Value::said(meant.unwrap_or_else(|| Exact::new(said.as_str())))
            }
        };
        (name, value)
    });
    match dialog(playbook, step, command, purpose, &given.collect(), cx) {
        Ok(dialog) => Ok(dialog.overlay()),
        Err(wrong) => {
            let place = form.fields.iter().position(|field| field.label == wrong.parameter.as_str()).unwrap_or(0);
            Err((place, format!("{}: {}", wrong.parameter, wrong.why)))
        }
    }
}

/// What a form begins with, each value with its origin: what the run used that is taken back or repeated; else the playbook's default. Where a run is
/// taken back of which a value is not known, nothing is offered: a default could name another machine.
fn offered(name: &StepRef, command: &CommandStep, purpose: Purpose, cx: &Cx<'_>) -> BTreeMap<CleanStr, Value> {
    let before = match purpose {
        Purpose::Do => cx.incident.last_done_with(name),
        Purpose::Undo => cx.incident.standing_with(name).pop(),
    };
    let value_of = |name: &CleanStr, parameter: &Parameter| {
        // What a step found after that is newer; a way back goes where its step went.
        if let Some((run, value)) = cx.incident.captured(name).filter(|_| purpose == Purpose::Do)
            && before.is_none_or(|done| done.mark.at < run.started.at)
        {
            let origin = format!("kept from {} at {}", run.order.title, cx.minute(run.started.at));
            return Some(Value { exact: value.clone(), origin });
        }
        let known = before.and_then(|run| Some((run.values.get(name)?, run.mark)));
        match (known, &parameter.default, purpose) {
            // What the record does not keep is asked for again, and nothing else stands in its place.
            (Some((exact, _)), _, _) if Mask::has_hidden(&exact.text()) => None,
            (Some((exact, mark)), _, _) => {
                let origin = format!("from the run at {}", cx.minute(mark.at));
                Some(Value { exact: exact.clone(), origin })
            }
            (None, Some(default), Purpose::Do) => {
                Some(Value { exact: default.clone(), origin: "the playbook's default".to_owned() })
            }
            (None, Some(_), Purpose::Undo) | (None, None, _) => None,
        }
    };
    let asked = command.asked(purpose).into_iter();
    asked.filter_map(|(name, parameter)| Some((name.clone(), value_of(name, parameter)?))).collect()
}

/// What else of a step stands that one way back does not take back.
fn others_standing(name: &StepRef, purpose: Purpose, cx: &Cx<'_>) -> Option<String> {
    let mut standing = cx.incident.standing_with(name);
    standing.pop().filter(|_| purpose == Purpose::Undo)?;
    let line = |done: &DoneWith<'_>| {
        let values: Vec<_> = done.values.iter().map(|(name, value)| format!("{name} = {}", value.shown())).collect();
        let values = if values.is_empty() { "once more".to_owned() } else { values.join(", ") };
        format!("{values} at {}", cx.minute(done.mark.at))
    };
    let others: Vec<_> = standing.iter().rev().map(line).collect();
    (!others.is_empty()).then(|| format!("also done and not taken back: {}", others.join("; ")))
}

/// That the way back is not that of the version by which the step was done: it may lead elsewhere.
fn another_version(name: &StepRef, purpose: Purpose, cx: &Cx<'_>) -> Option<String> {
    let done = cx.incident.standing_with(name).pop().filter(|_| purpose == Purpose::Undo)?.mark.at;
    let changed = cx.incident.playbooks_changed.get(&name.service).filter(|mark| mark.at > done)?.at;
    Some(format!(
        "ANOTHER VERSION of the playbook counts since {}: this is its way back, and no more that of the run at {}",
        cx.minute(changed),
        cx.minute(done)
    ))
}

/// Freezes what would run.
fn dialog(
    playbook: &Playbook,
    step: &Step,
    command: &CommandStep,
    purpose: Purpose,
    given: &BTreeMap<CleanStr, Value>,
    cx: &Cx<'_>,
) -> Result<RunDialog, Wrong> {
    let name = playbook.step_ref(step);
    let facts = Facts { incident: cx.incident.id().to_string(), service: playbook.service.to_string() };
    let resolved = command.resolve(purpose, given, &facts, cx.aliases)?;
    let around = cx.around;
    let digest = command_digest(&resolved.argv, command.directory.as_ref());
    let (env, withheld) = match around.environment(&command.env) {
        Ok(env) => (env, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let changes = command.changes || purpose == Purpose::Undo;
    let limit_s = u64::try_from(command.limit().num_seconds()).unwrap_or(60).max(1);
    let mut order = CommandStarted {
        step: Some(name.clone()),
        title: step.title.clone(),
        purpose,
        argv: resolved.argv,
        values: given.iter().map(|(name, value)| (name.clone(), value.exact.clone())).collect(),
        directory: Some(around.folder(command.directory.as_ref(), playbook.foreign.is_none())),
        program: None,
        despite: Vec::new(),
        env,
        digest,
        environment: match (cx.incident.drill.is_some(), command.environment) {
            // What stands red here would really happen; in a drill nothing does.
            (true, _) => Some("DRILL".into()),
            (false, environment) => environment.map(|environment| environment.badge().into()),
        },
        changes,
        limit_s,
        stops_at_limit: command.stops_at_limit() && purpose == Purpose::Do,
        judging: match purpose {
            Purpose::Do => command.judging(),
            Purpose::Undo => Default::default(),
        },
        stays_s: None,
        host: cx.host.clone(),
    };
    let asker = Asker {
        me: cx.me,
        now: cx.now,
        may_write: cx.access == Access::Full,
        is_writable: cx.is_writable,
        own: None,
        is_shared: cx.is_shared,
    };
    let needs = playbook.needs(&order);
    let has_command = |step: &StepRef| cx.catalogue.step(step).is_some_and(|step| step.command().is_some());
    order.despite = needs.as_ref().map(|needs| gate::doubts(cx.incident, needs, has_command)).unwrap_or_default();
    let blocked = needs.and_then(|needs| gate::may_run(cx.incident, &needs, asker).err()).map(|why| cx.said(&why));
    let blocked = blocked.or(withheld);
    let holder = cx.incident.claims.get(&name).map(|mark| &mark.by);
    let may_vouch = command.second_person && !cx.is_shared && holder.is_some_and(|holder| holder != cx.me);
    let mut notes: Vec<String> = others_standing(&name, purpose, cx).into_iter().collect();
    notes.extend(another_version(&name, purpose, cx));
    if order.judging.retries > 0 {
        let judging = &order.judging;
        notes.push(format!(
            "tried up to {} times, {} s apart, until it ends well",
            judging.retries + 1,
            judging.pause_s
        ));
    }
    notes.extend(order.despite.iter().map(|line| format!("{line}: whoever goes on says so with the word")));
    let is = |role| gate::holds(cx.incident, cx.me, role);
    if is(Role::IncidentCommander) && !is(Role::Sme) {
        notes.push("you are Incident Commander: commands are an expert's work".to_owned());
    }
    let is_drill = cx.incident.drill.is_some();
    if is_drill {
        notes.push(match &cx.incident.drill {
            Some(drill) if drill.staging.is_some() => {
                "DRILL: nothing runs from here, for playbooks name production; do it in staging by hand first"
                    .to_owned()
            }
            _ => "DRILL: nothing runs; the step is ticked, and the simulated world reacts".to_owned(),
        });
    } else if cx.reach.is_dry {
        notes.push(DRY.to_owned());
    }
    let word = match (&command.confirm, changes) {
        (Some(word), _) => word.clone(),
        (None, true) => playbook.service.clone(),
        (None, false) => CleanStr::default(),
    };
    let word = match (order.despite.is_empty(), word.is_empty()) {
        (true, _) => word,
        (false, true) => ALL_THE_SAME.into(),
        (false, false) => CleanStr::new(&format!("{word}-{ALL_THE_SAME}")),
    };
    let one_line = |text: &str| CleanStr::new(&text.replace('\n', " "));
    let (expect, way_back) = match purpose {
        Purpose::Do => (one_line(&step.expect), one_line(&step.undo)),
        Purpose::Undo => (one_line(&step.undo), "this takes the step back; running it does it again".into()),
    };
    let confirms = if is_drill || cx.reach.is_dry {
        let done = StepDone { step: name.clone(), title: step.title.clone() };
        let ticked = match purpose {
            Purpose::Do => Command::CheckStep(done),
            Purpose::Undo => Command::ReopenStep(done),
        };
        // Only a drill's world takes the word for the deed.
        let ticked = is_drill.then_some(ticked);
        Confirms::DryRun([Command::AnswerStep(dry_run(&name, &order))].into_iter().chain(ticked).collect())
    } else {
        Confirms::Start
    };
    Ok(RunDialog {
        order,
        also: Vec::new(),
        filled: resolved.filled,
        expect,
        undo: way_back,
        notes,
        blocked,
        word,
        is_claimed: has_claimed(Some(&name), cx),
        may_vouch,
        confirms,
        reading: Reading::new(Again::Step(name, purpose, given.clone())),
    })
}

/// What is written down where nothing runs.
pub(super) fn dry_run(name: &StepRef, order: &CommandStarted) -> StepAnswered {
    let what = match order.purpose {
        Purpose::Do => "dry run",
        Purpose::Undo => "dry run of the way back",
    };
    StepAnswered {
        step: name.clone(),
        title: order.title.clone(),
        answer: CleanStr::new(&format!("{what}: {}", argv_in_brief(&order.argv))),
        holds: None,
        dry: Some(DryRun { purpose: order.purpose, values: order.values.clone() }),
    }
}

/// Shows a playbook that does not ship with the program, or whose file was changed, to be approved.
pub(crate) fn approve(service: &ServiceId, cx: &Cx<'_>) -> Result<Overlay, String> {
    if let Some((why, Some(last))) = cx.catalogue.broken.get(service) {
        return Ok(take_last(service, why, last, cx));
    }
    let none = || cx.catalogue.why_none(service).unwrap_or_else(|| "no playbook has this service any more".to_owned());
    let playbook = cx.catalogue.get(service).ok_or_else(none)?;
    if let Some(loaded) = cx.loaded.get(service).filter(|loaded| loaded.text != playbook.text) {
        return Ok(replace(playbook, loaded));
    }
    let Some(digest) = &playbook.foreign else {
        return Err("this playbook ships with the program: nobody needs to approve it".to_owned());
    };
    if let Some(mark) = cx.incident.approved_playbooks.get(digest) {
        return Err(format!("{} approved it at {}", mark.by, cx.minute(mark.at)));
    }
    let commands = playbook.steps.iter().filter_map(|step| {
        let command = step.command()?;
        let way_back =
            if command.undo.is_empty() { String::new() } else { format!(" · back: {}", show_argv(&command.undo)) };
        Some(format!("{}: {}{way_back}", step.title, show_argv(&command.argv)))
    });
    let mut notes =
        vec![format!("kept by {}, reviewed {}, {:.12}", playbook.owner, playbook.reviewed, digest.as_str())];
    notes.extend(commands);
    let body = PlaybookApproved { service: service.clone(), digest: digest.clone() };
    let mut rows = vec![("no".to_owned(), Choice::Nothing)];
    if let Some(shipped) = playbook.shipped_text() {
        let what = "read what differs from the one that ships with the program";
        rows.push((what.to_owned(), read(service, &difference(shipped, &playbook.text))));
    }
    rows.push(("yes, I have read them".to_owned(), Choice::Command(Box::new(Command::ApprovePlaybook(body)))));
    let whole = Choice::Read(format!("playbook {service}"), CleanText::new(&visible(&playbook.text)));
    rows.push(("read the whole file".to_owned(), whole));
    Ok(Overlay::Pick(Box::new(Pick {
        title: format!("may the playbook of {service} run these commands in this incident?"),
        notes,
        rows,
        empty: "",
        selected: 0,
        filter: None,
    })))
}

/// The file is wrong: the last good version can be taken, by somebody who says so.
fn take_last(service: &ServiceId, why: &str, last: &Playbook, cx: &Cx<'_>) -> Overlay {
    let used = cx.incident.playbooks.get(service).map(|version| version.digest.clone());
    let version = Command::ReplacePlaybook(last.frozen(used));
    let what = if last.foreign.is_some() { "as it was read last" } else { "that ships with the program" };
    Overlay::Pick(Box::new(Pick {
        title: format!("the playbook of {service} cannot be read"),
        notes: vec![why.to_owned(), "mend the file: this console reads it anew by itself".to_owned()],
        rows: vec![
            ("go on without it".to_owned(), Choice::Nothing),
            (
                format!("take the one {what} ({:.12}), in this incident", last.digest().as_str()),
                Choice::Command(Box::new(version)),
            ),
        ],
        empty: "",
        selected: 0,
        filter: None,
    }))
}

fn read(service: &ServiceId, difference: &str) -> Choice {
    Choice::Read(format!("playbook {service}: - gone, + new"), CleanText::new(&visible(difference)))
}

/// The file was changed after the incident began to go by it.
fn replace(used: &Playbook, loaded: &Playbook) -> Overlay {
    let service = &used.service;
    let version = Command::ReplacePlaybook(loaded.frozen(Some(used.digest())));
    Overlay::Pick(Box::new(Pick {
        title: format!("the file of the playbook of {service} was changed while this incident goes by it"),
        notes: vec![
            format!("in use: {:.12}, reviewed {}", used.digest().as_str(), used.reviewed),
            format!("the file: {:.12}, reviewed {}", loaded.digest().as_str(), loaded.reviewed),
        ],
        rows: vec![
            ("stay with the version in use".to_owned(), Choice::Nothing),
            ("read what differs".to_owned(), read(service, &difference(&used.text, &loaded.text))),
            ("go on with the file as it is now, on every console".to_owned(), Choice::Command(Box::new(version))),
        ],
        empty: "",
        selected: 0,
        filter: None,
    }))
}
