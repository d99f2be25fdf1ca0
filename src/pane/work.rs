//! Who does what: what waits for a decision, tasks with their call-backs, theories, follow-ups.
//!
//! Open things come first, in the order in which somebody waits for them; what was settled follows, dim.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::due::next_tick;
use super::{Act, Cx, FormKind, Intent, Item, Pane, PaneId, PaneSpec, acts_from_table};
use crate::incident::{Answer, Duty, FollowUpState, Task};
use crate::widget::list::Selection;
use crate::widget::text::{countdown, fit_line, minutes};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Work,
    name: "work",
    about: "proposals, tasks and call-backs, theories, follow-ups; Enter acts on one",
    make: || Box::new(Work::default()),
};

const ACTS: &[Act<Work>] = &[
    Act::look("down", &["Down", "j"], "the row below", |pane, cx| pane.go(1, cx)),
    Act::look("up", &["Up", "k"], "the row above", |pane, cx| pane.go(-1, cx)),
    Act::look("first", &["Home", "g"], "the first row", |pane, cx| pane.go(isize::MIN, cx)),
    Act::look("last", &["End", "G"], "the last row", |pane, cx| pane.go(isize::MAX, cx)),
    Act::write("act", &["Enter"], "answer, decide, settle: what can be done with the row", Work::act),
    Act::write("follow-up", &["+"], "note a follow-up", |_, _| vec![Intent::Form(FormKind::FollowUp(None))]),
];

#[derive(Debug, Default)]
struct Work {
    selection: Selection,
}

struct Row {
    item: Item,
    line: Line<'static>,
}

impl Work {
    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        self.selection.go(by, rows(cx).len());
        Vec::new()
    }

    fn act(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let rows = rows(cx);
        match rows.into_iter().nth(self.selection.place(usize::MAX)) {
            Some(row) => vec![Intent::ActOn(row.item)],
            None => vec![Intent::Say("nobody has been asked for anything yet: @ hands work to somebody".to_owned())],
        }
    }
}

/// A row: a word that says how it stands, who, what.
fn row(item: Item, word: String, style: Style, who: &str, what: String, cx: &Cx<'_>) -> Row {
    let line = Line::from(vec![
        Span::styled(format!("{word:>11} "), style),
        Span::styled(format!("{who:<8} "), cx.theme.text()),
        Span::styled(what, cx.theme.text()),
    ]);
    Row { item, line }
}

fn clock(due: DateTime<Utc>, start: DateTime<Utc>, cx: &Cx<'_>) -> (String, Style) {
    let left = due - cx.now;
    let style = if left <= TimeDelta::zero() {
        cx.theme.red()
    } else if left < (due - start) / 3 {
        cx.theme.amber()
    } else {
        cx.theme.text()
    };
    let word = if left <= TimeDelta::zero() { " LATE" } else { "" };
    (format!("{}{word}", countdown(left)), style)
}

fn rows(cx: &Cx<'_>) -> Vec<Row> {
    let incident = cx.incident;
    let mut rows = Vec::new();
    for offer in &incident.offers {
        let what = format!("{} offered by {}", offer.seat.role.name(), offer.mark.by);
        rows.push(row(Item::Duty(Duty::Accept(offer.id)), "accept?".to_owned(), cx.theme.amber(), &offer.to, what, cx));
    }
    for draft in &incident.drafts {
        let what = format!("text waits for approval: {}", draft.update.text.first_line());
        let item = Item::Duty(Duty::Approve(draft.id));
        rows.push(row(item, minutes(cx.now - draft.mark.at), cx.theme.amber(), &draft.mark.by, what, cx));
    }
    for decision in incident.decisions.iter().filter(|decision| decision.made.is_none()) {
        let (word, style) = clock(decision.proposal.until, decision.proposed.at, cx);
        let word = if cx.now < decision.proposal.until { word } else { "decide!".to_owned() };
        let objections = match decision.objections.len() {
            0 => "no objections so far".to_owned(),
            count => format!("{count} object: {}", decision.objections[count - 1].1),
        };
        let what = format!("PROPOSED {} · {objections}", decision.proposal.action);
        rows.push(row(Item::Duty(Duty::Decide(decision.id)), word, style, &decision.proposed.by, what, cx));
    }
    let mut open: Vec<&Task> = incident.open_tasks().collect();
    open.sort_by_key(|task| task.call_back);
    for task in open {
        let (word, style) = clock(task.call_back, task.assigned.at, cx);
        let heard = if task.read_back.is_some() { "" } else { " · not read back" };
        let what = format!("@{} {}{heard}", task.to, task.what);
        rows.push(row(Item::Duty(Duty::CallBack(task.id)), word, style, &task.to, what, cx));
    }
    for theory in incident.hypotheses.iter().filter(|theory| theory.settled.is_none()) {
        let who = theory.theory.owner.as_ref().unwrap_or(&theory.opened.by);
        let what = format!("theory: {}", theory.theory.text);
        rows.push(row(Item::Hypothesis(theory.id), "open".to_owned(), cx.theme.text(), who, what, cx));
    }
    for item in incident.follow_ups.iter().filter(|item| item.state == FollowUpState::Open) {
        let until = item.due.map_or_else(|| "no day".to_owned(), |day| format!("{}", day.format("%m-%d")));
        let who = item.owner.as_deref().unwrap_or("nobody");
        let style = if item.owner.is_none() { cx.theme.amber() } else { cx.theme.text() };
        rows.push(row(Item::Duty(Duty::FollowUp(item.id)), until, style, who, format!("todo: {}", item.what), cx));
    }
    rows.extend(settled(cx));
    rows
}

/// What is over, the newest first.
fn settled(cx: &Cx<'_>) -> Vec<Row> {
    let incident = cx.incident;
    let dim = |item: Item, word: &str, who: &str, what: String| {
        let line = Line::from(format!("{word:>11} {who:<8} {what}")).style(cx.theme.dim());
        Row { item, line }
    };
    let mut over: Vec<(DateTime<Utc>, Row)> = Vec::new();
    for decision in &incident.decisions {
        let Some((mark, made)) = &decision.made else { continue };
        let word = if made.go { "DECIDED" } else { "decided no" };
        let item = Item::Duty(Duty::Decide(decision.id));
        over.push((mark.at, dim(item, word, &mark.by, decision.proposal.action.to_string())));
    }
    for task in incident.tasks.iter().filter(|task| !task.is_open()) {
        let Some((mark, answer, text)) = &task.answer else { continue };
        let word = match answer {
            Answer::Done => "done",
            Answer::DontKnow => "don't know",
            Answer::Blocked => "BLOCKED",
            Answer::Dropped => "dropped",
            Answer::More { .. } => "more",
        };
        let item = Item::Duty(Duty::CallBack(task.id));
        over.push((mark.at, dim(item, word, &task.to, format!("{} · {text}", task.what))));
    }
    for theory in &incident.hypotheses {
        let Some((mark, holds, evidence)) = &theory.settled else { continue };
        let word = if *holds { "CONFIRMED" } else { "eliminated" };
        over.push((
            mark.at,
            dim(Item::Hypothesis(theory.id), word, &mark.by, format!("{} · {evidence}", theory.theory.text)),
        ));
    }
    for item in incident.follow_ups.iter().filter(|item| item.state != FollowUpState::Open) {
        let word = if item.state == FollowUpState::Done { "done" } else { "dropped" };
        let who = item.owner.as_deref().unwrap_or("nobody");
        over.push((item.mark.at, dim(Item::Duty(Duty::FollowUp(item.id)), word, who, format!("todo: {}", item.what))));
    }
    over.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    over.into_iter().map(|(_, row)| row).collect()
}

impl Pane for Work {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self::default();
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        let open = cx.incident.open_tasks().count();
        let proposals = cx.incident.decisions.iter().filter(|decision| decision.made.is_none()).count();
        format!("work · {} · {}", crate::text::many(open, "task"), crate::text::many(proposals, "proposal"))
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        let rows = rows(cx);
        let mut area = area;
        // Lamps are gentle: they give way to what people do.
        let spare = usize::from(area.height).saturating_sub(rows.len()).max(1);
        for lamp in cx.lamps().into_iter().take(spare) {
            if area.height > 2 {
                let line = Line::from(format!("{} {lamp}", cx.theme.glyphs.here)).style(cx.theme.amber());
                buf.set_line(area.x, area.y, &fit_line(line, usize::from(area.width)), area.width);
                area = Rect { y: area.y + 1, height: area.height - 1, ..area };
            }
        }
        if rows.is_empty() {
            let lines = [
                "nobody has been asked for anything yet",
                "@ hands work to a named person · V proposes · Y opens a theory",
            ];
            for (text, y) in lines.into_iter().zip(area.y..area.bottom()) {
                buf.set_line(
                    area.x,
                    y,
                    &fit_line(Line::from(text).style(cx.theme.dim()), usize::from(area.width)),
                    area.width,
                );
            }
        }
        let here = self.selection.place(rows.len());
        let sight = self.selection.in_sight(rows.len(), area.height);
        for ((place, row), y) in rows.into_iter().enumerate().skip(sight.start).zip(area.y..area.bottom()) {
            buf.set_line(area.x, y, &fit_line(row.line, usize::from(area.width)), area.width);
            if is_focused && place == here {
                buf.set_style(Rect { y, height: 1, ..area }, cx.theme.selection(true));
            }
        }
        None
    }

    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        let proposals = cx.incident.decisions.iter().filter(|decision| decision.made.is_none());
        let proposals = proposals.map(|decision| decision.proposal.until);
        // Seconds tick here only where they are the nearest thing that somebody waits for.
        let nearest =
            cx.incident.open_tasks().map(|task| task.call_back).chain(proposals).filter(|at| *at > cx.now).min();
        let minute = cx.now + TimeDelta::milliseconds(60_000 - cx.now.timestamp_millis().rem_euclid(60_000));
        let is_near = nearest.is_some_and(|at| at - cx.now < TimeDelta::minutes(2));
        if is_near { nearest.map(|at| next_tick(at, cx.now)) } else { Some(minute) }
    }
}
