//! The playbook of an impacted service: its steps with their state, who and when, and the step in hand in full.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, RunAsk, acts_from_table};
use crate::incident::{
    Command, NoteAdded, NoteKind, Purpose, Run, ServiceId, StepDone, StepRef, StepSkipped, StepState,
};
use crate::playbook::{Action, Playbook, Query, Step};
use crate::text::exact::show_argv;
use crate::text::{CleanStr, CleanText};
use crate::widget::list::Selection;
use crate::widget::text::{duration, fit_line, wrap};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Playbook,
    name: "playbook",
    about: "the steps of the impacted service's playbook",
    make: || Box::new(PlaybookPane::default()),
};

const ACTS: &[Act<PlaybookPane>] = &[
    Act::look("down", &["Down", "j"], "the step below", |pane, cx| pane.go(1, cx)),
    Act::look("up", &["Up", "k"], "the step above", |pane, cx| pane.go(-1, cx)),
    Act::look("first", &["Home", "g"], "the first step", |pane, cx| pane.go(isize::MIN, cx)),
    Act::look("last", &["End", "G"], "the last step", |pane, cx| pane.go(isize::MAX, cx)),
    Act::look("detail", &["Enter", "v"], "show or hide the step in full", |pane, _| pane.toggle()),
    Act::write("check", &["x", "Space"], "the step is done", PlaybookPane::check),
    Act::write(
        "claim",
        &["c"],
        "work on the step, so that everybody sees it; taking it over wants a reason",
        PlaybookPane::claim,
    ),
    Act::write("release", &["r"], "let the step go", PlaybookPane::release),
    Act::write("run", &["e"], "do what the step says: shows what would run, and asks", |pane, cx| {
        pane.ask(Purpose::Do, cx)
    }),
    Act::write("undo", &["-"], "take the step back: shows what would run, and asks", |pane, cx| {
        pane.ask(Purpose::Undo, cx)
    }),
    Act::write(
        "trust",
        &["t"],
        "a playbook that is not the shipped one, or was changed: read it, and let it run",
        |pane, cx| {
            let broken = cx.incident.services.iter().find(|service| cx.catalogue.broken.contains_key(*service));
            let service = pane.playbook(cx).map(|playbook| &playbook.service).or(broken);
            service.map(|service| Intent::Run(RunAsk::Approve(service.clone()))).into_iter().collect()
        },
    ),
    Act::write("wrong", &["w"], "this step is wrong: note a follow-up", PlaybookPane::is_wrong),
    Act::write("skip", &["s"], "pass the step over, with a reason", PlaybookPane::skip),
    Act::write("reopen", &["o"], "open the step again", PlaybookPane::reopen),
    Act::look("other", &["]"], "the playbook of the next impacted service", |pane, cx| pane.turn(cx)),
];

#[derive(Debug)]
struct PlaybookPane {
    service: Option<ServiceId>,
    selection: Selection,
    shows_detail: bool,
}

impl Default for PlaybookPane {
    fn default() -> Self {
        Self { service: None, selection: Selection::default(), shows_detail: true }
    }
}

impl PlaybookPane {
    fn playbook<'a>(&self, cx: &Cx<'a>) -> Option<&'a Playbook> {
        let chosen = self.service.as_ref().filter(|service| cx.incident.services.contains(service));
        let first = || cx.incident.services.iter().find(|service| cx.catalogue.get(service).is_some());
        cx.catalogue.get(chosen.or_else(first)?)
    }

    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        self.selection.go(by, self.playbook(cx).map_or(0, |playbook| playbook.steps.len()));
        Vec::new()
    }

    fn toggle(&mut self) -> Vec<Intent> {
        self.shows_detail = !self.shows_detail;
        Vec::new()
    }

    fn turn(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let with_playbook: Vec<_> =
            cx.incident.services.iter().filter(|service| cx.catalogue.get(service).is_some()).collect();
        let here = self.playbook(cx).map(|playbook| &playbook.service);
        let place = with_playbook.iter().position(|service| Some(*service) == here).unwrap_or(0);
        self.service = with_playbook.get((place + 1) % with_playbook.len().max(1)).map(|service| (*service).clone());
        self.selection.select(0);
        Vec::new()
    }

    fn here<'a>(&self, cx: &Cx<'a>) -> Option<(&'a Playbook, &'a Step)> {
        let playbook = self.playbook(cx)?;
        Some((playbook, playbook.steps.get(self.selection.place(playbook.steps.len()))?))
    }

    fn done(&self, cx: &Cx<'_>) -> Option<StepDone> {
        let (playbook, step) = self.here(cx)?;
        Some(StepDone { step: playbook.step_ref(step), title: step.title.clone() })
    }

    fn check(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        self.done(cx).map(|body| Intent::Command(Command::CheckStep(body))).into_iter().collect()
    }

    fn claim(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        self.done(cx).map(|body| Intent::Command(Command::ClaimStep(body, None))).into_iter().collect()
    }

    fn release(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        self.done(cx).map(|body| Intent::Command(Command::ReleaseStep(body))).into_iter().collect()
    }

    fn skip(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let skip =
            self.done(cx).map(|StepDone { step, title }| StepSkipped { step, title, reason: CleanStr::default() });
        skip.map(|body| Intent::Command(Command::SkipStep(body))).into_iter().collect()
    }

    fn ask(&mut self, purpose: Purpose, cx: &Cx<'_>) -> Vec<Intent> {
        let here = self.here(cx);
        here.map(|(playbook, step)| Intent::Run(RunAsk::Step(playbook.step_ref(step), purpose))).into_iter().collect()
    }

    fn is_wrong(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let Some((playbook, step)) = self.here(cx) else { return Vec::new() };
        let text = format!("playbook step {} ({}) is wrong", playbook.step_ref(step), step.title);
        let note = NoteAdded { kind: NoteKind::Todo, text: CleanText::new(&text), at: None };
        vec![Intent::Command(Command::AddNote(note)), Intent::Say("noted as a follow-up".to_owned())]
    }

    fn reopen(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        self.done(cx).map(|body| Intent::Command(Command::ReopenStep(body))).into_iter().collect()
    }
}

/// How many steps are done or skipped.
fn progress(playbook: &Playbook, cx: &Cx<'_>) -> usize {
    playbook.steps.iter().filter(|step| cx.incident.is_through(&playbook.step_ref(step))).count()
}

impl PlaybookPane {
    fn paint(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let Some(playbook) = self.playbook(cx) else {
            let words = match cx.incident.services.first() {
                Some(service) if cx.catalogue.broken.contains_key(service) => {
                    cx.catalogue.why_none(service).unwrap_or_default()
                }
                Some(service) => {
                    format!("no playbook for {service}: add one as {service}.toml to the playbooks folder (:playbook)")
                }
                None => "the playbook of an impacted service stands here: A names the service".to_owned(),
            };
            for (line, y) in wrap(&words, usize::from(area.width)).into_iter().zip(area.y..area.bottom()) {
                buf.set_line(area.x, y, &Line::styled(line, cx.theme.dim()), area.width);
            }
            return;
        };
        let detail = if self.shows_detail {
            self.here(cx).map(|(book, step)| in_full(book, step, area.width, cx))
        } else {
            None
        };
        let detail = detail.unwrap_or_default();
        // The list comes first: what is done and what is next. The step in hand takes what is left, at least a third.
        let steps = u16::try_from(playbook.steps.len()).unwrap_or(u16::MAX);
        let least_list = steps.min(area.height - area.height / 3).max(1).min(area.height);
        let detail_rows =
            u16::try_from(detail.len()).unwrap_or(u16::MAX).saturating_add(1).min(area.height - least_list);
        let detail_rows = if detail.is_empty() { 0 } else { detail_rows };
        let list = Rect { height: area.height - detail_rows, ..area };
        let selected = self.selection.place(playbook.steps.len());
        let in_sight = self.selection.in_sight(playbook.steps.len(), list.height);
        for (place, y) in in_sight.zip(list.y..list.bottom()) {
            let step = &playbook.steps[place];
            let line = row(place, step, &playbook.step_ref(step), place == selected, cx);
            buf.set_line(list.x, y, &fit_line(line, usize::from(list.width)), list.width);
            if place == selected {
                buf.set_style(Rect { y, height: 1, ..list }, cx.theme.selection(is_focused));
            }
        }
        for (line, y) in detail.into_iter().zip(list.bottom() + 1..area.bottom()) {
            buf.set_line(area.x, y, &line, area.width);
        }
    }
}

impl Pane for PlaybookPane {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self { shows_detail: self.shows_detail, ..Self::default() };
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        self.playbook(cx).map_or_else(
            || "playbook".to_owned(),
            |playbook| {
                let is_changed = cx.loaded.get(&playbook.service).is_some_and(|loaded| loaded.text != playbook.text);
                let changed = if is_changed { " · file CHANGED (t)" } else { "" };
                let (done, all) = (progress(playbook, cx), playbook.steps.len());
                format!("playbook {} {done}/{all}{changed}", playbook.service)
            },
        )
    }

    fn remark(&self, cx: &Cx<'_>) -> String {
        let Some(playbook) = self.playbook(cx) else { return String::new() };
        let today = cx.now.with_timezone(&cx.zone).date_naive();
        match playbook.review_overdue(today) {
            Some(days) => format!("REVIEW OVERDUE {days} d · {}", playbook.owner),
            None => format!("reviewed {} d ago · {}", (today - playbook.reviewed).num_days(), playbook.owner),
        }
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        self.paint(area, buf, cx, is_focused);
        None
    }
    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        // "Dana, 40 s": in steps of ten seconds, then of minutes.
        let next = |at: DateTime<Utc>| {
            let age = cx.now - at;
            let unit = if age < TimeDelta::minutes(1) { 10_000 } else { 60_000 };
            cx.now + TimeDelta::milliseconds(unit - age.num_milliseconds().rem_euclid(unit))
        };
        cx.incident.claims.values().map(|mark| next(mark.at)).min()
    }
}

fn row(place: usize, step: &Step, name: &StepRef, is_here: bool, cx: &Cx<'_>) -> Line<'static> {
    let glyphs = cx.theme.glyphs;
    let marker = if is_here { glyphs.here } else { " " };
    let (glyph, words) = match cx.incident.steps.get(name) {
        _ if cx.incident.claims.contains_key(name) => {
            let mark = &cx.incident.claims[name];
            let run = cx.incident.last_run(name).map(|run| ran(run, mark.at)).unwrap_or_default();
            (glyphs.half, format!("{run}{} {} …", mark.by, claimed_for(cx.now - mark.at)))
        }
        Some(StepState::Checked(mark)) => (glyphs.done, format!("{} {}", mark.by, cx.minute(mark.at))),
        Some(StepState::Skipped(mark, reason)) => {
            (glyphs.crossed, format!("skipped, {} {}: {reason}", mark.by, cx.minute(mark.at)))
        }
        Some(StepState::Reopened(mark)) => (glyphs.empty, format!("open again, {} {}", mark.by, cx.minute(mark.at))),
        None => (glyphs.empty, String::new()),
    };
    let style = if words.is_empty() { cx.theme.text() } else { cx.theme.dim() };
    Line::from(vec![
        Span::raw(format!("{marker}{glyph} {} ", place + 1)),
        Span::raw(step.title.to_string()),
        Span::styled(format!("  {words}"), style),
    ])
}

/// How the last command of a claimed step stands, where it belongs to this claim.
fn ran(run: &Run, claimed: DateTime<Utc>) -> String {
    let what = match run.order.purpose {
        Purpose::Do => "",
        Purpose::Undo => "undo ",
    };
    match run.end() {
        _ if run.started.at < claimed => String::new(),
        None => format!("{what}RUNS · "),
        Some(end) if end.has_succeeded() => format!("{what}{}: does it hold? x · ", end.how()),
        Some(end) => format!("{what}{}: e again, s skip, - undo, S escalate · ", end.how()),
    }
}

/// How long somebody works on a step; seconds in tens, because nobody counts single ones.
fn claimed_for(length: TimeDelta) -> String {
    if length < TimeDelta::minutes(1) { format!("{} s", length.num_seconds() / 10 * 10) } else { duration(length) }
}

/// What the console can do for a step, as rows of a name and words.
pub(crate) fn offers(step: &Step) -> Vec<(&'static str, String)> {
    let asks = |query: &Query| {
        let hold = query.hold.map(|hold| format!(" for {hold}")).unwrap_or_default();
        format!("{} {}{hold}", query.promql, query.expect)
    };
    match &step.action {
        None => Vec::new(),
        Some(Action::Look(look)) => look.links.iter().map(|link| ("link", link.to_string())).collect(),
        Some(Action::Query(query)) => vec![("query", asks(query))],
        Some(Action::Verify(query)) => vec![("verify", asks(query))],
        Some(Action::Traces(traces)) => {
            let operation = traces.operation.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            vec![("traces", format!("{}{operation}: error spans a minute {}", traces.service, traces.expect))]
        }
        Some(Action::Command(command)) => {
            let mut rows = vec![("run", show_argv(&command.argv))];
            if !command.undo.is_empty() {
                rows.push(("undo by", show_argv(&command.undo)));
            }
            if let Some(environment) = command.environment {
                rows.push(("where", environment.badge().to_owned()));
            }
            rows
        }
        Some(Action::Choice(choice)) => {
            let ways: Vec<_> = choice.branches.iter().map(|branch| branch.name.as_str()).collect();
            vec![("choice", format!("{} {}", choice.question, ways.join(" / ")))]
        }
        Some(Action::Wait(wait)) => match (step.query(), wait.time) {
            (Some(query), _) => vec![("wait", asks(&query))],
            (None, Some(time)) => vec![("wait", format!("{time} after the claim"))],
            (None, None) => Vec::new(),
        },
        Some(Action::Notify(notify)) => vec![("tell", format!("{}: {}", notify.channel.name(), notify.text))],
    }
}

fn in_full(playbook: &Playbook, step: &Step, width: u16, cx: &Cx<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut part = |name: &str, text: &str| {
        for (place, line) in wrap(text, usize::from(width).saturating_sub(8).max(8)).into_iter().enumerate() {
            let name = if place == 0 { name } else { "" };
            lines.push(Line::from(vec![Span::styled(format!("{name:<8}"), cx.theme.dim()), Span::raw(line)]));
        }
    };
    let name = playbook.step_ref(step);
    let before = cx
        .past
        .iter()
        .flat_map(|past| &past.earlier)
        .filter_map(|past| Some(format!("{} {}", past.id, past.steps.get(&name)?)));
    let mut before: Vec<_> = before.collect();
    before.extend(
        cx.past.and_then(|past| past.unread.as_ref()).map(|_| "not all is known of earlier incidents".to_owned()),
    );
    if !before.is_empty() {
        part("before", &before.join(" · "));
    }
    part("look", &step.look);
    part("expect", &step.expect);
    part("undo", &step.undo);
    for (name, text) in offers(step) {
        part(name, &text);
    }
    let drilled = match (playbook.drilled, cx.catalogue.drills_unread.is_some()) {
        (Some(day), _) => day.to_string(),
        (None, false) => "never".to_owned(),
        (None, true) => "not known when".to_owned(),
    };
    part("kept", &format!("by {}, reviewed {}, drilled {drilled}", playbook.owner, playbook.reviewed));
    lines
}
