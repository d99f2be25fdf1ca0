//! What a command prints: live on every console of its machine, to scroll, to search, to copy; cancel and more time.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, Purpose, Question, RunAsk, acts_from_table};
use crate::incident::wording::argv_in_brief;
use crate::incident::{Captured, EntryId, Remark, Run};
use crate::output::Output;
use crate::widget::text::{duration, fit_line};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Output,
    name: "output",
    about: "what commands print, how they ended; cancel, more time",
    make: || Box::new(OutputPane::default()),
};

/// A command that has printed nothing for so long is flagged, not stopped.
const SILENT: TimeDelta = TimeDelta::seconds(30);

const ACTS: &[Act<OutputPane>] = &[
    Act::look("down", &["Down", "j"], "down a line", |pane, cx| pane.scroll(1, cx)),
    Act::look("up", &["Up", "k"], "up a line", |pane, cx| pane.scroll(-1, cx)),
    Act::look("page-down", &["PgDn"], "down a page", |pane, cx| pane.scroll(15, cx)),
    Act::look("page-up", &["PgUp"], "up a page", |pane, cx| pane.scroll(-15, cx)),
    Act::look("first", &["Home", "g"], "the first line", |pane, cx| pane.scroll(isize::MIN, cx)),
    Act::look("last", &["End", "G"], "the last line, and stay there", |pane, _| pane.follow()),
    Act::look("before", &["["], "the command before", |pane, cx| pane.turn(-1, cx)),
    Act::look("after", &["]"], "the command after", |pane, cx| pane.turn(1, cx)),
    Act::look("search", &["/"], "look for words", |_, _| {
        vec![Intent::Ask(Question {
            title: "look for".to_owned(),
            text: String::new(),
            purpose: Purpose::Search(PaneId::Output),
        })]
    }),
    Act::look("next", &["N"], "the next line with those words", |pane, cx| pane.find(cx)),
    Act::look("copy", &["y"], "copy what is here to the clipboard", OutputPane::copy),
    Act::look("pager", &["o"], "all of it, in $PAGER", OutputPane::page),
    Act::write("cancel", &["x"], "stop the command; asks first", OutputPane::cancel),
    Act::write("more-time", &["+"], "give the command five minutes more", OutputPane::grant),
];

#[derive(Debug, Default)]
struct OutputPane {
    /// Absent: the newest.
    run: Option<EntryId>,
    /// The first line shown; absent: the end.
    top: Option<usize>,
    words: String,
}

impl OutputPane {
    fn run<'a>(&self, cx: &Cx<'a>) -> Option<&'a Run> {
        self.run.and_then(|id| cx.incident.run(id)).or_else(|| cx.incident.runs.last())
    }

    fn output<'a>(&self, cx: &Cx<'a>) -> Option<&'a Output> {
        cx.outputs.get(self.run(cx)?.id)
    }

    fn scroll(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        if let Some(output) = self.output(cx) {
            let end = output.len();
            let here = self.top.unwrap_or(end.saturating_sub(1));
            let to = here.saturating_add_signed(by).max(output.first());
            self.top = (to < end).then_some(to);
        }
        Vec::new()
    }

    fn follow(&mut self) -> Vec<Intent> {
        self.top = None;
        Vec::new()
    }

    fn turn(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        let runs = &cx.incident.runs;
        let here = self.run(cx).and_then(|run| runs.iter().position(|known| known.id == run.id)).unwrap_or(0);
        let to = here.saturating_add_signed(by).min(runs.len().saturating_sub(1));
        self.run = runs.get(to).filter(|_| to + 1 < runs.len()).map(|run| run.id);
        self.follow()
    }

    fn find(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let Some(output) = self.output(cx) else { return Vec::new() };
        let from = self.top.map_or(output.first(), |top| top + 1);
        match output.find(&self.words, from) {
            _ if self.words.is_empty() => vec![Intent::Say("/ says what to look for".to_owned())],
            Some(number) => {
                self.top = Some(number);
                Vec::new()
            }
            None => vec![Intent::Say(format!("`{}` is not in what is here", self.words))],
        }
    }

    fn copy(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        self.output(cx).map(|output| Intent::Copy(output.text())).into_iter().collect()
    }

    fn page(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        // What ended before this console opened is followed by nobody, and its file is here all the same.
        let is_here = |run: &Run| {
            run.order.host == *cx.host || cx.outputs.get(run.id).is_some_and(|output| output.file.is_some())
        };
        match self.run(cx).map(|run| (run.id, is_here(run))) {
            Some((run, true)) => vec![Intent::Run(RunAsk::Page(run))],
            Some((_, false)) => vec![Intent::Say("its output stands on the machine on which it ran".to_owned())],
            None => vec![Intent::Say("no command was started here".to_owned())],
        }
    }

    fn cancel(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.run(cx) {
            Some(run) if run.is_open() => vec![Intent::Run(RunAsk::Cancel(run.id))],
            Some(_) | None => vec![Intent::Say("no command runs".to_owned())],
        }
    }

    fn grant(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.run(cx) {
            Some(run) if run.is_open() => vec![Intent::Run(RunAsk::Grant(run.id, 300))],
            Some(_) | None => vec![Intent::Say("no command runs".to_owned())],
        }
    }
}

fn dim_line(text: String, cx: &Cx<'_>) -> Line<'static> {
    Line::from(text).style(cx.theme.dim())
}

/// How a run stands, in a few words: `runs 12 s`, `exit 0 after 12 s`; flags come with a word.
fn standing(run: &Run, cx: &Cx<'_>) -> (String, bool) {
    let Some((_, end)) = &run.ended else {
        let mut words = format!("runs {}", duration(cx.now - run.started.at));
        let mut is_flagged = false;
        let last = cx.outputs.get(run.id).and_then(|output| output.last_at);
        if let Some(silent) = last.map(|at| cx.wall - at).filter(|silent| *silent >= SILENT) {
            words.push_str(&format!(" · SILENT {}", duration(silent)));
            is_flagged = true;
        }
        match run.remarks.last().map(|(_, remark)| remark) {
            Some(Remark::Overtime) => {
                words.push_str(" · OVER ITS TIME: + gives more, x stops it");
                is_flagged = true;
            }
            Some(Remark::Unwatched(pid)) => {
                words.push_str(&format!(" · ITS WATCHER IS GONE: process {pid}"));
                is_flagged = true;
            }
            Some(Remark::CancelAsked) => {
                words.push_str(" · STOPPING");
                is_flagged = true;
            }
            Some(Remark::Granted(_)) | None => {}
        }
        return (words, is_flagged);
    };
    let left = match end.left_in_words() {
        none if none.is_empty() => String::new(),
        names => format!(" · LEFT RUNNING: {names}"),
    };
    let kept = match &end.captured {
        Some(Captured::Value(name, value)) => format!(" · kept {name} = {}", value.shown()),
        Some(Captured::Nothing(why)) => format!(" · NOTHING KEPT: {why}"),
        None => String::new(),
    };
    let words = format!("{} after {:.1} s{kept}{left}", end.how(), end.took_ms as f64 / 1000.0);
    (words, !end.has_succeeded())
}

impl Pane for OutputPane {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self::default();
    }

    fn take_run(&mut self, run: EntryId) {
        (self.run, self.top) = (Some(run), None);
    }

    fn search(&mut self, words: &str, cx: &Cx<'_>) -> Vec<Intent> {
        self.words = words.to_owned();
        self.find(cx)
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        match self.run(cx) {
            Some(run) => format!("output · {}", run.order.title),
            None => "output".to_owned(),
        }
    }

    fn remark(&self, cx: &Cx<'_>) -> String {
        let Some(run) = self.run(cx) else { return String::new() };
        let place = cx.incident.runs.iter().position(|known| known.id == run.id).unwrap_or(0);
        format!("{} {} · {} of {}", run.started.by, cx.minute(run.started.at), place + 1, cx.incident.runs.len())
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, _is_focused: bool) -> Option<Position> {
        for (line, y) in self.lines(cx, usize::from(area.height)).into_iter().zip(area.y..area.bottom()) {
            buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
        }
        None
    }

    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        // Seconds pass on the screen while something runs; after a minute, tens of them.
        let run = self.run(cx).filter(|run| run.is_open())?;
        let age = (cx.now - run.started.at).num_milliseconds();
        let unit = if age < 60_000 { 1_000 } else { 10_000 };
        Some(cx.now + TimeDelta::milliseconds(unit - age.rem_euclid(unit)))
    }
}

impl OutputPane {
    /// What stands in so many rows: how the run stands, then what it printed.
    fn lines(&self, cx: &Cx<'_>, rows: usize) -> Vec<Line<'static>> {
        let dim = |text: &'static str| Line::from(text).style(cx.theme.dim());
        let Some(run) = self.run(cx) else {
            return vec![dim("what a command prints stands here: e runs a playbook's step (3)")];
        };
        let (words, is_flagged) = standing(run, cx);
        let style = match (run.is_open(), is_flagged) {
            (_, true) => cx.theme.amber(),
            (true, false) => cx.theme.text(),
            (false, false) => cx.theme.dim(),
        };
        let badge = run.order.environment.as_ref().map(|badge| format!(" {badge} ")).unwrap_or_default();
        let mut lines = vec![Line::from(vec![
            Span::styled(format!("{words} "), style),
            Span::styled(badge, cx.theme.red()),
            Span::styled(format!(" {} $ {}", run.order.host, argv_in_brief(&run.order.argv)), cx.theme.dim()),
        ])];
        let rows = rows.saturating_sub(1);
        let tail = run.ended.as_ref().map(|(_, end)| &end.tail).filter(|tail| !tail.trim().is_empty());
        match (cx.outputs.get(run.id).filter(|output| !output.is_empty()), tail) {
            (Some(output), _) => {
                let top = self.top.unwrap_or(output.len().saturating_sub(rows)).max(output.first());
                let numbers = top..output.len().min(top + rows);
                lines.extend(numbers.map(|number| Line::from(output.line(number).replace('\t', "    "))));
                // What has left the ring is not gone.
                if let (Some(file), true) = (&output.file, top > 0 && top == output.first()) {
                    lines.insert(1, dim_line(format!("the lines before stand in {file} (o opens it)"), cx));
                    lines.truncate(rows + 1);
                }
            }
            // On another machine, or long ago: the record has the last lines.
            (None, Some(tail)) => lines.extend(tail.lines().map(|line| Line::from(line.to_owned()))),
            (None, None) if run.is_open() => lines.push(dim("nothing printed yet")),
            (None, None) => lines.push(dim("it printed nothing")),
        }
        lines
    }
}
