//! What an exercise puts into staging and takes back: offered one by one, each shown and confirmed by its word; an abort takes back all that stands.
//!
//! Invariant: nothing is offered but in a drill that was proved to be in staging, and only where this console's own configuration names that staging.

use super::pick::{Choice, Pick};
use super::run::{Again, Confirms, Reading, RunDialog};
use super::step::{DRY, Offer, dry_run};
use crate::exercise::staged::{Asked, Keep, Site};
use crate::exercise::{Exercise, Staged};
use crate::incident::{
    Command, CommandRemarked, CommandStarted, EntryId, Incident, Phase, Purpose, Remark, StepRef, command_digest,
};
use crate::pane::{Access, Cx};
use crate::playbook::{Aliases, Facts};
use crate::text::CleanStr;
use crate::text::duration::Lapse;
use crate::text::exact::show_argv;

/// The badge of what runs in staging.
const STAGING: &str = "STAGING";

/// What the exercise can put into staging, and what of it stands there.
pub(crate) fn staging(cx: &Cx<'_>) -> Result<Pick, String> {
    let (exercise, _) = place(cx)?;
    let standing = exercise.standing(cx.incident);
    let rows = exercise.staging.iter().map(|staged| {
        let stands = standing.iter().any(|one| one.id == staged.id);
        let (act, purpose) = if stands { ("TAKE BACK", Purpose::Undo) } else { ("put there", Purpose::Do) };
        let running = if cx.incident.running(&staged.step()).is_some() { " (runs now)" } else { "" };
        (format!("{act}: {}{running}", staged.what), Choice::Run(staged.step(), purpose))
    });
    Ok(Pick {
        title: "staging: traffic and faults of this exercise".to_owned(),
        notes: vec!["each is shown and asks for a word before it runs".to_owned()],
        rows: rows.collect(),
        empty: "this exercise puts nothing into staging: add [[staging]] to its file",
        selected: 0,
        filter: None,
    })
}

/// The exercise and the staging in which it is played, where this console may act there.
fn place<'a>(cx: &Cx<'a>) -> Result<(Exercise, &'a Site), String> {
    let drill = cx.incident.drill.as_ref().ok_or("traffic and faults are for drills: this is none")?;
    let staging =
        drill.staging.as_ref().ok_or("this drill is simulated: `gameday run NAME --live` plays in staging")?;
    let site = cx.staging.filter(|site| site.prometheus == staging.prometheus).ok_or_else(|| {
        format!(
            "this drill is played at {}: no [staging] of this console's configuration proved to be that place",
            staging.prometheus
        )
    })?;
    let exercise = exercise_of(cx.incident)?;
    Ok((exercise, site))
}

/// The exercise of a drill.
pub(super) fn exercise_of(incident: &Incident) -> Result<Exercise, String> {
    let exercise = incident.drill.as_ref().and_then(Exercise::of).and_then(Result::ok);
    exercise.ok_or_else(|| "this warroom cannot read the drill's exercise".to_owned())
}

/// A command of the exercise, to be confirmed.
pub(super) fn offer(step: &StepRef, purpose: Purpose, cx: &Cx<'_>) -> Result<Offer, String> {
    let dialog = dialog(step, purpose, cx)?;
    Ok(Offer::Show(Box::new(dialog.overlay())))
}

pub(crate) fn dialog(step: &StepRef, purpose: Purpose, cx: &Cx<'_>) -> Result<RunDialog, String> {
    let (exercise, site) = place(cx)?;
    let staged = exercise.staged(step).ok_or("the exercise has no such command")?;
    let (order, filled_in) = order(staged, purpose, cx, &site.aliases)?;
    let way_back = match purpose {
        Purpose::Do => show_argv(&self::order(staged, Purpose::Undo, cx, &site.aliases)?.0.argv),
        Purpose::Undo => "`staging` puts it there again".to_owned(),
    };
    let expect = match purpose {
        Purpose::Do => format!("{} at {}", staged.what, site.prometheus),
        Purpose::Undo => format!("gone: {}", staged.what),
    };
    let stays = if purpose == Purpose::Do { stays(staged, &exercise, site, cx)? } else { Vec::new() };
    let (notes, confirms) = if cx.reach.is_dry {
        (vec![DRY.to_owned()], Confirms::DryRun(vec![Command::AnswerStep(dry_run(step, &order))]))
    } else {
        (stays, Confirms::Start)
    };
    let stands = exercise.standing(cx.incident).iter().any(|one| one.id == staged.id);
    let doubt = match purpose {
        Purpose::Do if stands => Some("it stands there already, or nobody knows: take it back first".to_owned()),
        Purpose::Do | Purpose::Undo => None,
    };
    Ok(RunDialog {
        word: staged.command.confirm.clone().unwrap_or_else(|| staged.id.clone()),
        blocked: barred(cx).or_else(|| running(staged, cx)).or(doubt),
        order,
        also: Vec::new(),
        filled: filled_in,
        expect: CleanStr::new(&expect),
        undo: CleanStr::new(&way_back),
        notes,
        is_claimed: false,
        may_vouch: false,
        confirms,
        reading: Reading::new(Again::Staged(step.clone(), purpose)),
    })
}

/// Ends a drill before it is over; what it put into staging is taken back first, by one word for all of it.
pub(crate) fn abort(cx: &Cx<'_>) -> Result<Offer, String> {
    if cx.incident.drill.is_none() {
        return Err("only a drill is aborted: this is none".to_owned());
    }
    let close = Command::EnterPhase(Phase::Closed, Some("the drill was aborted".into()));
    let exercise = exercise_of(cx.incident).ok();
    let mut standing = exercise.as_ref().map(|exercise| exercise.standing(cx.incident)).unwrap_or_default();
    // What was put there on top of something is taken back before it.
    standing.reverse();
    if standing.is_empty() {
        return Ok(Offer::Ask(vec![close]));
    }
    let (_, site) = place(cx)?;
    let (mut commands, mut orders, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for staged in &standing {
        // What is being put there now is stopped first; what is being taken back needs nobody else.
        match cx.incident.running(&staged.step()) {
            Some(run) if run.order.purpose == Purpose::Undo => {
                notes.push(format!("{} is being taken back now", staged.what));
                continue;
            }
            Some(run) => {
                notes.push(format!("stops first what still puts it there: {}", staged.what));
                let body = CommandRemarked { run: run.id, remark: Remark::CancelAsked };
                commands.push(Command::RemarkRun(body));
            }
            None => {}
        }
        let order = order(staged, Purpose::Undo, cx, &site.aliases)?.0;
        commands.push(Command::StartRun(order.clone()));
        orders.push(order);
    }
    let Some((first, rest)) = orders.split_first() else {
        return Err("all that stands in staging is being taken back now: wait for its end (9)".to_owned());
    };
    let confirms = if cx.reach.is_dry {
        notes.push(DRY.to_owned());
        notes.push("the drill goes on: what stands in staging must be taken back by a console that runs".to_owned());
        let dry = |order: &CommandStarted| Some(Command::AnswerStep(dry_run(order.step.as_ref()?, order)));
        Confirms::DryRun(orders.iter().filter_map(dry).collect())
    } else {
        notes.push("each is stopped at its own limit, and none keeps the others from their turn".to_owned());
        commands.push(close);
        Confirms::Each(commands, "one after the other, and the drill ends when all is back")
    };
    Ok(Offer::Show(Box::new(
        RunDialog {
            order: CommandStarted { title: "abort the drill".into(), ..first.clone() },
            also: rest.iter().map(|order| order.argv.clone()).collect(),
            filled: Vec::new(),
            expect: CleanStr::new(&format!(
                "staging as it was: {}",
                standing.iter().map(|one| one.what.as_str()).collect::<Vec<_>>().join("; ")
            )),
            undo: "none: the drill is over, and counts as abandoned".into(),
            notes,
            blocked: barred(cx),
            word: "abort".into(),
            is_claimed: false,
            may_vouch: false,
            confirms,
            reading: Reading::new(Again::Abort),
        }
        .overlay(),
    )))
}

/// What takes something of an exercise back, though nobody is there, once its time is over; nothing for every other command.
pub(crate) fn keep(run: EntryId, body: &CommandStarted, cx: &Cx<'_>) -> Result<Option<Keep>, String> {
    let Some(step) = body.step.as_ref().filter(|step| step.is_of_exercise() && body.purpose == Purpose::Do) else {
        return Ok(None);
    };
    let (exercise, site) = place(cx)?;
    let staged = exercise.staged(step).ok_or("the exercise has no such command")?;
    let undo = order(staged, Purpose::Undo, cx, &site.aliases)?.0;
    let mut guards = exercise.guards(cx.catalogue)?;
    guards.retain(|guard| guard.at == Asked::Staging || site.has_production);
    let incident = cx.incident.id();
    let stays_s = body.stays_s.unwrap_or_else(|| seconds(staged.stays()));
    Ok(Some(Keep { incident, run, undo, stays_s, every_s: seconds(exercise.guarded_every()), guards }))
}

fn seconds(time: Lapse) -> u64 {
    u64::try_from(time.num_seconds()).unwrap_or(1).max(1)
}

/// What somebody should know who puts something there.
fn stays(staged: &Staged, exercise: &Exercise, site: &Site, cx: &Cx<'_>) -> Result<Vec<String>, String> {
    let guards = exercise.guards(cx.catalogue)?;
    let asked: Vec<_> = guards.iter().filter(|guard| guard.at == Asked::Staging || site.has_production).collect();
    let stop = match asked.as_slice() {
        [] => "safety stop: NONE, no [prometheus] of production is configured here".to_owned(),
        all => {
            let names: Vec<_> = all.iter().map(|guard| guard.what.as_str()).collect();
            format!("safety stop, all is taken back at once: {} beyond its limit", names.join(", or "))
        }
    };
    Ok(vec![format!("stays {} at most: then it is taken back, though every console is closed", staged.stays()), stop])
}

fn barred(cx: &Cx<'_>) -> Option<String> {
    if cx.access != Access::Full {
        return Some("this console only looks: nothing runs from here".to_owned());
    }
    (!cx.is_writable).then(|| "the journal cannot be written, so nothing runs".to_owned())
}

fn running(staged: &Staged, cx: &Cx<'_>) -> Option<String> {
    let run = cx.incident.running(&staged.step())?;
    Some(format!("{} runs it since {}: wait for its end (9)", run.started.by, cx.clock(run.started.at)))
}

/// Freezes what would run.
fn order(
    staged: &Staged,
    purpose: Purpose,
    cx: &Cx<'_>,
    aliases: &Aliases,
) -> Result<(CommandStarted, Vec<String>), String> {
    let command = &staged.command;
    let facts = Facts { incident: cx.incident.id().to_string(), service: String::new() };
    let resolved = command
        .resolve(purpose, &Default::default(), &facts, aliases)
        .map_err(|wrong| format!("{} {}", wrong.parameter, wrong.why))?;
    let drill = cx.incident.drill.as_ref();
    let is_shipped = drill.is_some_and(|drill| drill.source.as_deref() == Exercise::shipped(&drill.exercise));
    let digest = command_digest(&resolved.argv, command.directory.as_ref());
    let title = match purpose {
        Purpose::Do => staged.what.clone(),
        Purpose::Undo => CleanStr::new(&format!("take back: {}", staged.what)),
    };
    let order = CommandStarted {
        step: Some(staged.step()),
        title,
        purpose,
        argv: resolved.argv,
        values: Default::default(),
        program: None,
        despite: Vec::new(),
        env: cx.around.environment(&command.env)?,
        directory: Some(cx.around.folder(command.directory.as_ref(), is_shipped)),
        digest,
        environment: Some(STAGING.into()),
        changes: true,
        limit_s: u64::try_from(command.limit().num_seconds()).unwrap_or(60).max(1),
        // A way back that hangs must not keep the next attempt away; half a fault is for somebody to decide.
        stops_at_limit: purpose == Purpose::Undo,
        judging: Default::default(),
        stays_s: (purpose == Purpose::Do).then(|| seconds(staged.stays())),
        host: cx.host.clone(),
    };
    Ok((order, resolved.filled))
}
