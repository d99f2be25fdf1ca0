//! What can be done with a proposal, a task, a theory, a draft, an offer, a follow-up: one row for each act.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::pick::{Choice, Pick};
use super::{Overlay, compose};
use crate::change::Change;
use crate::incident::{
    Answer, Command, Duty, EntryId, FollowUpSet, FollowUpState, Hypothesis, Milestone, NoteKind, Role, Seat, Severity,
    StepRef, TaskAnswered,
};
use crate::pane::{Cx, FormKind, Item};
use crate::text::{CleanStr, Exact};

fn pick(title: String, notes: Vec<String>, empty: &'static str, rows: Vec<(String, Choice)>) -> Overlay {
    Overlay::Pick(Box::new(Pick { title, notes, rows, empty, selected: 0, filter: None }))
}

fn command(words: impl Into<String>, command: Command) -> (String, Choice) {
    (words.into(), Choice::Command(Box::new(command)))
}

fn form(words: impl Into<String>, kind: FormKind) -> (String, Choice) {
    (words.into(), Choice::Form(Box::new(kind)))
}

/// What can be done with an item; nothing where it is gone.
pub(crate) fn act_on(item: &Item, cx: &Cx<'_>) -> Option<Overlay> {
    match item {
        Item::Hypothesis(id) => theory(*id, cx),
        Item::Alert(fingerprint) => super::alert::act_on(fingerprint, cx),
        Item::Duty(duty) => match duty {
            Duty::Acknowledge | Duty::Update(_) => None,
            Duty::TakeCommand => Some(super::take_role(cx)),
            Duty::Accept(id) => offer(*id, cx),
            Duty::Decide(id) => decision(*id, cx),
            Duty::Approve(id) => draft(*id, cx),
            Duty::CallBack(id) => task(*id, cx),
            Duty::Tell(position) => {
                let severity = cx.incident.severity.unwrap_or(Severity::Sev3);
                Some(super::form(FormKind::Told { position: position.clone(), severity }, cx))
            }
            Duty::Postmortem => Some(super::form(FormKind::Postmortem, cx)),
            Duty::Article => Some(super::form(FormKind::Article, cx)),
            Duty::Review(of) => Some(super::form(FormKind::Review(of.clone()), cx)),
            Duty::FollowUp(id) => follow_up(*id, cx),
            Duty::TakeBack(_) => super::staged::staging(cx).ok().map(|pick| Overlay::Pick(Box::new(pick))),
        },
    }
}

fn task(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let task = cx.incident.tasks.iter().find(|task| task.id == id)?;
    let answer = |answer| Command::AnswerTask(TaskAnswered { task: id, answer, text: Default::default() });
    let say = |answer| FormKind::Answer { task: id, answer };
    let more = |minutes| Answer::More { until: cx.now + TimeDelta::minutes(minutes) };
    let mut rows = Vec::new();
    if task.read_back.is_none() {
        rows.push(command("read back: it was heard", Command::ReadBack(id)));
    }
    rows.push(form("done …", say(Answer::Done)));
    rows.extend([5, 10, 15].map(|minutes| command(format!("needs {minutes} min more"), answer(more(minutes)))));
    rows.push(form("do not know …", say(Answer::DontKnow)));
    rows.push(form("blocked …", say(Answer::Blocked)));
    rows.push(form("not wanted any more …", say(Answer::Dropped)));
    let assigned = format!(
        "from {} at {}, calls back at {}",
        task.assigned.by,
        cx.clock(task.assigned.at),
        cx.clock(task.call_back)
    );
    Some(pick(format!("@{} {}", task.to, task.what), vec![assigned], "", rows))
}

fn decision(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let decision = cx.incident.decisions.iter().find(|decision| decision.id == id)?;
    let proposal = &decision.proposal;
    let mut notes = vec![format!("risk: {}", proposal.risk), format!("way back: {}", proposal.undo)];
    notes.extend(proposal.plan_b.as_ref().map(|plan| format!("plan B: {plan}")));
    notes.extend(decision.objections.iter().map(|(mark, text)| format!("{} objects: {text}", mark.by)));
    let mut here: Vec<&str> = cx.present.iter().map(|present| present.actor.as_str()).collect();
    here.sort_unstable();
    here.dedup();
    notes.push(format!("consoles present: {}", here.join(", ")));
    let rows = vec![
        command("do it (the IC decides)", Command::Decide { decision: id, go: true, reason: None }),
        command("do not do it …", Command::Decide { decision: id, go: false, reason: None }),
        form("object …", FormKind::Objection(id)),
    ];
    Some(pick(format!("proposed by {}: {}", decision.proposed.by, proposal.action), notes, "", rows))
}

fn theory(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let theory = cx.incident.hypotheses.iter().find(|theory| theory.id == id)?;
    let notes = theory.theory.rollback.iter().map(|step| format!("rollback: {step}")).collect();
    let mut rows = vec![
        form("eliminated …", FormKind::Settle { hypothesis: id, holds: false }),
        form("confirmed: it was the cause …", FormKind::Settle { hypothesis: id, holds: true }),
    ];
    if let Ok((step, values)) = way_back(theory, cx) {
        rows.push((format!("roll back: {step}, shown before it runs"), Choice::RunWith(step, values)));
    }
    Some(pick(theory.theory.text.to_string(), notes, "", rows))
}

/// The step that would take a theory's cause back, with the values that the change came with; else why there is none.
pub(crate) fn way_back(theory: &Hypothesis, cx: &Cx<'_>) -> Result<(StepRef, BTreeMap<CleanStr, Exact>), String> {
    let words = theory.theory.rollback.as_ref().ok_or("nobody said what would take it back")?;
    let mut parts = words.split_whitespace();
    let step = parts.next().and_then(|name| name.split_once('/'));
    let (service, id) = step.ok_or_else(|| format!("`{words}` is no step of a playbook: write service/step"))?;
    let step = StepRef { service: service.into(), step: id.into() };
    let known = cx.catalogue.step(&step).ok_or_else(|| format!("the playbook of {service} has no step `{id}`"))?;
    let command = known.command().ok_or_else(|| format!("{} runs no command", known.title))?;
    // A sender's value for a placeholder that this step does not have is nothing to it.
    let value = |part: &str| {
        let (name, value) = part.split_once('=')?;
        command.parameters.contains_key(name).then(|| (CleanStr::new(name), Exact::new(value)))
    };
    Ok((step, parts.filter_map(value).collect()))
}

fn draft(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let draft = cx.incident.drafts.iter().find(|draft| draft.id == id)?;
    if cx.i_hold(Role::IncidentCommander) {
        return Some(compose::approve(draft, cx));
    }
    let rows = vec![
        command("record it on the Communications Lead's word alone …", Command::PostAlone(id, None)),
        command("drop it", Command::DropDraft(id, None)),
    ];
    let notes = draft.update.text.lines().take(8).map(str::to_owned).collect();
    Some(pick(format!("{}'s text waits for the IC's approval", draft.mark.by), notes, "", rows))
}

fn offer(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let offer = cx.incident.offers.iter().find(|offer| offer.id == id)?;
    let notes = offer.brief.lines().take(14).map(str::to_owned).collect();
    let rows = vec![
        command(format!("accept: I am {} from now on", offer.seat.role.name()), Command::AcceptRole(id)),
        command("decline …", Command::EndOffer(id, None)),
    ];
    Some(pick(format!("{} hands {} over to {}", offer.mark.by, offer.seat.role.name(), offer.to), notes, "", rows))
}

fn follow_up(id: EntryId, cx: &Cx<'_>) -> Option<Overlay> {
    let item = cx.incident.follow_ups.iter().find(|item| item.id == id)?;
    let set = |state| {
        Command::SetFollowUp(FollowUpSet {
            item: Some(id),
            what: None,
            owner: None,
            due: None,
            state: Some(state),
            reason: None,
        })
    };
    let rows = vec![
        form("owner and day …", FormKind::FollowUp(Some(id))),
        command("done", set(FollowUpState::Done)),
        command("will not be done …", set(FollowUpState::Dropped)),
        command("open again", set(FollowUpState::Open)),
    ];
    Some(pick(item.what.to_string(), vec![format!("noted by {}", item.mark.by)], "", rows))
}

/// Open tasks, the next call-back first.
pub(crate) fn call_backs(cx: &Cx<'_>) -> Overlay {
    let mut open: Vec<_> = cx.incident.open_tasks().collect();
    open.sort_by_key(|task| task.call_back);
    let rows = open.into_iter().map(|task| {
        let words = format!("{}  @{} {}", cx.clock(task.call_back), task.to, task.what);
        (words, Choice::Item(Item::Duty(Duty::CallBack(task.id))))
    });
    pick("call-backs".to_owned(), Vec::new(), "no task is open: @ hands work to somebody", rows.collect())
}

/// Proposals that wait.
pub(crate) fn decisions(cx: &Cx<'_>) -> Overlay {
    let open = cx.incident.decisions.iter().filter(|decision| decision.made.is_none());
    let rows = open
        .map(|decision| (decision.proposal.action.to_string(), Choice::Item(Item::Duty(Duty::Decide(decision.id)))));
    pick("decide on which proposal?".to_owned(), Vec::new(), "nothing is proposed: V proposes", rows.collect())
}

/// Texts that wait for approval.
pub(crate) fn drafts(cx: &Cx<'_>) -> Overlay {
    let rows = cx.incident.drafts.iter().map(|draft| {
        let words = format!("{} {}: {}", cx.clock(draft.mark.at), draft.mark.by, draft.update.text.first_line());
        (words, Choice::Item(Item::Duty(Duty::Approve(draft.id))))
    });
    pick("which text?".to_owned(), Vec::new(), "no text waits for approval: u writes one", rows.collect())
}

/// Roles that are offered.
pub(crate) fn offers(cx: &Cx<'_>) -> Overlay {
    let rows = cx.incident.offers.iter().map(|offer| {
        let words = format!("{} from {} to {}", offer.seat.role.name(), offer.mark.by, offer.to);
        (words, Choice::Item(Item::Duty(Duty::Accept(offer.id))))
    });
    pick("which role?".to_owned(), Vec::new(), "no role is offered (:handover offers yours)", rows.collect())
}

/// The people whom the escalation matrix names, with what they know.
pub(crate) fn people_to_tell(cx: &Cx<'_>) -> Overlay {
    let severity = cx.owed_severity().unwrap_or(Severity::Sev3);
    let rows = cx.to_tell().into_iter().map(|position| {
        let told = cx.incident.told.get(&position).filter(|(told, _)| *told <= severity);
        match told {
            Some((_, mark)) => {
                let words =
                    format!("{} {position}: told by {} at {}", cx.theme.glyphs.done, mark.by, cx.clock(mark.at));
                command(words, Command::MarkNotTold(position))
            }
            None => form(format!("  {position}: not told yet"), FormKind::Told { position, severity }),
        }
    });
    let rows = rows.collect();
    pick(
        format!("who must know of {severity}? (a tick says that somebody told them; nobody is paged from here)"),
        Vec::new(),
        "SEV3: handle it within the squad, log it for the backlog (:backlog)",
        rows,
    )
}

/// Follow-ups, the open ones first.
pub(crate) fn follow_ups(cx: &Cx<'_>) -> Overlay {
    let mut items: Vec<_> = cx.incident.follow_ups.iter().collect();
    items.sort_by_key(|item| item.state);
    let mut rows: Vec<_> = items
        .into_iter()
        .map(|item| {
            let owner = item.owner.as_deref().unwrap_or("nobody");
            let words = format!("{:<8} {owner:<8} {}", format!("{:?}", item.state).to_lowercase(), item.what);
            (words, Choice::Item(Item::Duty(Duty::FollowUp(item.id))))
        })
        .collect();
    rows.push(form(
        format!("another one … (or `{}:` in the scribe's line)", NoteKind::Todo.word()),
        FormKind::FollowUp(None),
    ));
    pick("follow-ups".to_owned(), Vec::new(), "", rows)
}

/// What must be reviewed.
pub(crate) fn reviews(cx: &Cx<'_>) -> Overlay {
    let left = cx.obligations().into_iter().filter(|one| matches!(one.duty, Duty::Review(_)));
    let rows = left.map(|one| (one.name.to_string(), Choice::Item(Item::Duty(one.duty)))).collect();
    pick("review what?".to_owned(), Vec::new(), "no review is due", rows)
}

/// Roles that nobody holds, to be given to somebody.
pub(crate) fn assign_role(cx: &Cx<'_>) -> Overlay {
    let empty = Role::ALL.into_iter().filter(|role| *role == Role::Sme || cx.incident.holder(*role).is_none());
    let rows = empty.map(|role| form(format!("{} …", role.name()), FormKind::Assign(Seat { role, component: None })));
    pick("give which role?".to_owned(), Vec::new(), "every role is held: handing over does it (M)", rows.collect())
}

/// The moments by which the process is measured.
pub(crate) fn milestones(cx: &Cx<'_>) -> Overlay {
    let rows = Milestone::ALL.into_iter().map(|which| {
        let known = cx.incident.milestone(which).map_or_else(|| "not recorded".to_owned(), |at| cx.clock(at));
        form(format!("{:<13} {known}", which.name()), FormKind::AmendTime(which))
    });
    pick("correct which moment?".to_owned(), Vec::new(), "", rows.collect())
}

/// So many rows of changes are listed at once.
const MOST_ROWS: usize = 300;

/// What was changed in the last two hours: of the affected services and of what they depend on first; one becomes a theory with its way back.
pub(crate) fn changes(cx: &Cx<'_>) -> Overlay {
    let (ours, others) = lately(cx);
    changes_of("what was changed in the last two hours? Enter makes one a theory", &ours, others.len(), cx)
}

/// The same of the services that are not affected.
pub(crate) fn other_changes(cx: &Cx<'_>) -> Overlay {
    let (_, others) = lately(cx);
    changes_of("what was changed elsewhere in the last two hours? Enter makes one a theory", &others, 0, cx)
}

fn changes_of(title: &str, all: &[&Change], others: usize, cx: &Cx<'_>) -> Overlay {
    let row = |change: &&Change| {
        let line = change_line(change, cx);
        let rollback = change.way_back().map(|words| words.to_string()).unwrap_or_default();
        let text = format!("the {line}");
        (line, Choice::Form(Box::new(FormKind::Hypothesis { text, rollback })))
    };
    let mut rows: Vec<_> = all.iter().take(MOST_ROWS).map(row).collect();
    if others > 0 {
        rows.push((format!("and {others} of other services: Enter lists them"), Choice::Act("other-changes")));
    }
    let notes = changes_notes(all.len().saturating_sub(MOST_ROWS), cx);
    let empty = match changes_unknown(cx) {
        None => NO_CHANGE,
        Some(_) => "what was changed is not known",
    };
    pick(title.to_owned(), notes, empty, rows)
}

/// The changes of the last two hours: those of the affected services, of what they depend on and of everybody; and those of others.
pub(crate) fn lately<'a>(cx: &Cx<'a>) -> (Vec<&'a Change>, Vec<&'a Change>) {
    let ours = cx.catalogue.around(&cx.incident.services);
    cx.live.changes_since(cx.wall - TimeDelta::hours(2)).into_iter().partition(|change| change.touches(&ours))
}

/// A change with its time, which is marked where some clock is wrong.
pub(crate) fn change_line(change: &Change, cx: &Cx<'_>) -> String {
    let at = cx.minute(cx.incident.clock().show(change.at));
    let mark = if change.is_ahead(cx.wall) { " IN THE FUTURE, by a wrong clock:" } else { "" };
    format!("{at}{mark} {}", change.line())
}

/// What is said where all was asked, and nothing was changed.
pub(crate) const NO_CHANGE: &str =
    "no change is known: warroom change records one, or a command of the config tells them";

/// Why it is not known that nothing else was changed: a source of changes fails.
pub(crate) fn changes_unknown(cx: &Cx<'_>) -> Option<String> {
    let failing = |name: &&'static str| {
        let (_, why) = cx.live.sources.get(*name)?.failing.as_ref()?;
        Some(format!("{name}: {why}"))
    };
    ["changes", "change command"].iter().find_map(failing)
}

/// What one must know of the whole list: how old it is, and what is not in it.
pub(crate) fn changes_notes(cut: usize, cx: &Cx<'_>) -> Vec<String> {
    let mut notes: Vec<_> = changes_unknown(cx).into_iter().collect();
    if let Some(at) = cx.live.changes_as_of() {
        notes.push(format!("as of {}", cx.clock(cx.incident.clock().show(at))));
    }
    let left_out = cx.live.changes_left_out() + cut;
    if left_out > 0 {
        notes.push(format!("{left_out} more are not shown: warroom changes -s SERVICE lists all"));
    }
    notes
}
