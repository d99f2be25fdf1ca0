//! A trace as a waterfall: who called whom, when, how long, and which span is to blame.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::beside::Beside;
use super::length;
use super::whole::Whole;
use crate::pane::{Cx, Intent};
use crate::spans::{Branch, Cause, Outcome, Role, Span, Trace, TraceId, Verdict, Why};
use crate::text::{CleanText, fit};
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, wrap};

/// The trace that is open.
#[derive(Debug)]
pub(super) struct Opened {
    /// Which.
    pub(super) trace: TraceId,
    /// The row that is selected.
    selection: Selection,
    /// What is shown of it.
    view: View,
    /// What was made of the trace when it came.
    read: Option<Read>,
}

/// What is shown of a trace.
#[derive(Debug)]
enum View {
    /// All its spans.
    Rows,
    /// The selected one, whole.
    Span(Whole),
    /// It, beside a healthy one.
    Beside(Beside),
}

/// What is made of a trace once, and drawn often.
#[derive(Debug)]
struct Read {
    /// Of which trace, and of how many of its spans.
    of: (TraceId, usize),
    tree: Vec<Branch>,
    verdict: Verdict,
    /// How long each span took without its children.
    own: Vec<TimeDelta>,
    /// Which stretches of each span the request waited for, in microseconds.
    critical: HashMap<usize, Vec<(i64, i64)>>,
    /// The calls that were made one after another, in words.
    repeat: Option<String>,
    bounds: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl Read {
    fn of(trace: &Trace) -> Self {
        let mut critical: HashMap<usize, Vec<(i64, i64)>> = HashMap::new();
        for section in trace.critical_path() {
            critical.entry(section.span).or_default().push((section.from, section.until));
        }
        let repeat = trace.repeats().first().map(|repeat| {
            let (count, took) = (repeat.calls.len(), length(repeat.took));
            let whole = length(trace.spans[repeat.parent].duration);
            format!("{count} × {} one after another, {took} of {whole}", repeat.what)
        });
        Self {
            of: (trace.id.clone(), trace.spans.len()),
            tree: trace.waterfall(),
            verdict: trace.verdict(|_| true),
            own: trace.own_times(),
            critical,
            repeat,
            bounds: trace.bounds(),
        }
    }

    fn is_of(&self, trace: &Trace) -> bool {
        self.of.0 == trace.id && self.of.1 == trace.spans.len()
    }
}

/// What a trace says, in one line.
pub(super) fn summary(cx: &Cx<'_>, id: &TraceId) -> String {
    match trace(cx, id) {
        Ok(trace) => {
            let causes = trace.verdict(|_| true).causes;
            match causes.first() {
                Some(cause) => format!("{}{}", blame(trace, cause), way(trace, cause)),
                None => format!("{}, no error", crate::text::many(trace.spans.len(), "span")),
            }
        }
        Err(_) => "not read yet".to_owned(),
    }
}

/// A cause in one line.
fn blame(trace: &Trace, cause: &Cause) -> String {
    let span = &trace.spans[cause.span];
    let after = match cause.why {
        Why::Failed => format!(" after {}", length(span.duration)),
        // Its words say how long.
        Why::WaitedFor { .. } | Why::GaveUpOn { .. } => String::new(),
    };
    let late = if cause.is_late { ", after the answer" } else { "" };
    format!("{} {}: {}{after}{late}", span.service, span.operation, trace.words(cause))
}

/// The way from a cause up to what the user saw.
fn way(trace: &Trace, cause: &Cause) -> String {
    cause.way.iter().map(|span| format!(" → {}", super::words(&trace.step(*span)))).collect()
}

fn trace<'a>(cx: &Cx<'a>, id: &TraceId) -> Result<&'a Trace, String> {
    match &cx.live.trace {
        Some(Ok(trace)) if trace.id == *id => Ok(trace),
        Some(Err((failed, why))) if failed == id => Err(why.to_string()),
        Some(_) | None => Err("reading the trace …".to_owned()),
    }
}

impl Opened {
    /// A trace that was just opened; its spans may still be on their way.
    pub(super) fn new(trace: TraceId) -> Self {
        Self { trace, selection: Selection::default(), view: View::Rows, read: None }
    }

    /// What stands above it.
    pub(super) fn title(&self) -> String {
        match self.view {
            View::Rows => format!("trace {}", self.trace),
            View::Span(_) => format!("span of trace {}", self.trace),
            View::Beside(_) => format!("trace {} beside a healthy one", self.trace),
        }
    }

    /// Makes of the trace what is drawn, once it is there.
    pub(super) fn refresh(&mut self, cx: &Cx<'_>) {
        let Ok(trace) = trace(cx, &self.trace) else { return };
        if self.read.as_ref().is_none_or(|read| !read.is_of(trace)) {
            self.read = Some(Read::of(trace));
        }
        if let View::Beside(beside) = &mut self.view {
            beside.refresh(trace, cx);
        }
    }

    /// The span that is selected.
    fn here<'a>(&self, cx: &Cx<'a>) -> Option<&'a Span> {
        let trace = trace(cx, &self.trace).ok()?;
        let read = self.read.as_ref().filter(|read| read.is_of(trace))?;
        let branch = read.tree.get(self.selection.place(read.tree.len()))?;
        trace.spans.get(branch.span)
    }

    /// Reads the selected span whole, or goes back to all of them.
    pub(super) fn read_span(&mut self) {
        self.view = match self.view {
            View::Rows => View::Span(Whole::default()),
            View::Span(_) | View::Beside(_) => View::Rows,
        };
    }

    /// Goes back to all spans; says whether it was anywhere else.
    pub(super) fn step_back(&mut self) -> bool {
        !matches!(std::mem::replace(&mut self.view, View::Rows), View::Rows)
    }

    /// Lays a healthy trace beside it, or takes that away again.
    pub(super) fn compare(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        if matches!(self.view, View::Beside(_)) {
            self.view = View::Rows;
            return Vec::new();
        }
        let Ok(trace) = trace(cx, &self.trace) else {
            return vec![Intent::Say("the trace is not read yet".to_owned())];
        };
        match Beside::ask(trace, cx) {
            Some(inquiry) => {
                self.view = View::Beside(Beside::default());
                vec![Intent::Inquire(inquiry)]
            }
            None => vec![Intent::Say("this trace has no span".to_owned())],
        }
    }

    /// Whether a span is read whole.
    pub(super) fn is_reading(&self) -> bool {
        matches!(self.view, View::Span(_))
    }

    /// Looks in the span that is read for words, without any for those of before.
    pub(super) fn search(&mut self, words: Option<&str>, cx: &Cx<'_>) -> Vec<Intent> {
        let Some(span) = self.here(cx) else { return Vec::new() };
        let View::Span(whole) = &mut self.view else {
            return vec![Intent::Say("Enter reads a span whole first".to_owned())];
        };
        let found = match words {
            Some(words) => whole.search(words, span, cx),
            None => whole.next(span, cx),
        };
        found.err().map(Intent::Say).into_iter().collect()
    }

    /// What `y` copies: the value, or the trace's id.
    pub(super) fn copied(&self, cx: &Cx<'_>) -> CleanText {
        match (&self.view, self.here(cx)) {
            (View::Span(whole), Some(span)) => whole.here(span, cx).map(|field| field.value).unwrap_or_default(),
            (View::Rows | View::Beside(_), _) | (View::Span(_), None) => CleanText::new(&self.trace),
        }
    }

    /// What is on the screen, whole, for a pager.
    pub(super) fn paged(&self, cx: &Cx<'_>) -> Vec<Intent> {
        let Ok(trace) = trace(cx, &self.trace) else {
            return vec![Intent::Say("the trace is not read yet".to_owned())];
        };
        let text = match (&self.view, self.here(cx)) {
            (View::Span(_), Some(span)) => span.in_full(),
            (View::Beside(_), _) => {
                let said = super::beside::answer(trace, cx).map(|compared| super::beside::lines(trace, compared, cx));
                let lines = said.into_iter().flatten().map(|line| format!("{}\n", line.text));
                CleanText::new(&lines.collect::<String>())
            }
            (View::Rows | View::Span(_), _) => CleanText::new(&in_words(trace).join("\n")),
        };
        vec![Intent::Read(text)]
    }

    /// Selects the row so many below.
    pub(super) fn go(&mut self, by: isize, cx: &Cx<'_>) {
        let here = self.here(cx);
        match &mut self.view {
            View::Rows => {
                let rows = self.read.as_ref().map_or(0, |read| read.tree.len());
                self.selection.go(by, rows);
            }
            View::Span(whole) => {
                if let Some(span) = here {
                    whole.go(by, span, cx);
                }
            }
            View::Beside(beside) => beside.go(by, cx),
        }
    }

    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let trace = match trace(cx, &self.trace) {
            Ok(trace) => trace,
            Err(why) => {
                for (line, y) in wrap(&why, usize::from(area.width)).into_iter().zip(area.y..area.bottom()) {
                    buf.set_line(area.x, y, &Line::styled(line, cx.theme.dim()), area.width);
                }
                return;
            }
        };
        let made;
        let read = match &self.read {
            Some(read) if read.is_of(trace) => read,
            Some(_) | None => {
                made = Read::of(trace);
                &made
            }
        };
        let Read { tree, verdict: Verdict { causes, roles }, own, .. } = read;
        let selected = self.selection.place(tree.len());
        match (&self.view, tree.get(selected)) {
            (View::Span(whole), Some(branch)) => {
                return whole.draw(&trace.spans[branch.span], area, buf, cx, is_focused);
            }
            (View::Beside(beside), _) => return beside.draw(area, buf, cx),
            (View::Rows | View::Span(_), _) => {}
        }
        let head = heads(trace, read);
        let style = if causes.is_empty() { cx.theme.good() } else { cx.theme.red() };
        // The rows matter more than a third cause.
        let heads = u16::try_from(head.len()).unwrap_or(u16::MAX).min((area.height / 4).max(1));
        for (line, y) in head.into_iter().zip(area.y..area.y + heads) {
            buf.set_line(area.x, y, &fit_line(Line::styled(line, style), usize::from(area.width)), area.width);
        }
        let list = Rect { y: area.y + heads, height: area.height - heads, ..area };
        for (place, y) in self.selection.in_sight(tree.len(), list.height).zip(list.y..list.bottom()) {
            let branch = &tree[place];
            let row = Rect { y, height: 1, ..list };
            let span = &trace.spans[branch.span];
            let label = Label { span, branch, role: roles[branch.span], own: own[branch.span] };
            draw_row(&label, read, row, buf, cx);
            if place == selected {
                buf.set_style(Rect { width: names_width(row), ..row }, cx.theme.selection(is_focused));
            }
        }
    }
}

/// From so many columns on a row has room for a span's own time.
const ROOMY: u16 = 100;

/// The columns that names take; times and bars have the rest.
fn names_width(row: Rect) -> u16 {
    row.width * 45 / 100
}

/// One row.
struct Label<'a> {
    span: &'a Span,
    branch: &'a Branch,
    role: Role,
    /// How long it took without its children.
    own: TimeDelta,
}

fn draw_row(label: &Label<'_>, shown: &Read, row: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let Label { span, branch, role, own } = *label;
    let Branch { depth, is_orphan, .. } = *branch;
    let bounds = shown.bounds;
    let glyphs = cx.theme.glyphs;
    let names = names_width(row);
    let (mark, note) = mark_of(role, &span.outcome, glyphs.crossed);
    let status =
        span.http_status.filter(|status| *status >= 400).map(|status| format!(" {status}")).unwrap_or_default();
    let orphan = if is_orphan { "(parent missing) " } else { "" };
    let indent = " ".repeat(usize::from(depth.min(20)) * 2);
    let name = format!("{mark} {indent}{orphan}{} {}{status}{note}", span.service, span.operation);
    let style = match (role, &span.outcome) {
        (Role::Cause(_) | Role::Way(_), _) | (Role::Consequence(_) | Role::None, Outcome::Error(_)) => cx.theme.red(),
        (Role::MadeGood | Role::Handled, _) => cx.theme.dim(),
        (Role::Consequence(_) | Role::None, Outcome::Fine) => cx.theme.text(),
    };
    buf.set_stringn(row.x, row.y, fit(&name, usize::from(names)), usize::from(names), style);
    // What it did itself stands beside what it took, where there is room.
    let (time, wanted) = if row.width >= ROOMY {
        (format!(" {:>8} {:>8} self ", length(span.duration), length(own)), 24)
    } else {
        (format!(" {:>8} ", length(span.duration)), 10)
    };
    let time_width = wanted.min(row.width - names);
    buf.set_stringn(row.x + names, row.y, time, usize::from(time_width), style);
    let bar = Rect { x: row.x + names + time_width, width: row.width - names - time_width, ..row };
    let Some((start, end)) = bounds.filter(|_| bar.width > 0) else { return };
    // Clocks of two hosts differ: what lies outside its parent is clamped to the trace, the numbers stay as they came.
    let whole = (end - start).max(TimeDelta::microseconds(1)).num_microseconds().unwrap_or(i64::MAX) as f64;
    let column = |at: DateTime<Utc>| {
        let into = (at - start).num_microseconds().unwrap_or(0) as f64 / whole;
        (into.clamp(0.0, 1.0) * f64::from(bar.width)) as u16
    };
    let from = column(span.start).min(bar.width - 1);
    let to = column(span.end()).clamp(from + 1, bar.width);
    // What lies outside altogether stands at the edge, with the way that it lies.
    let outside = if span.end() < start { Some((0, "<")) } else { (span.start > end).then_some((bar.width - 1, ">")) };
    if let Some((x, sign)) = outside {
        buf[(bar.x + x, bar.y)].set_symbol(sign).set_style(style);
        return;
    }
    let block = if glyphs.is_unicode { "▇" } else { "=" };
    // What nobody waited for is drawn thin: it did not make the request slow.
    let thin = if glyphs.is_unicode { "─" } else { "-" };
    let at = |x: u16| start.timestamp_micros() + (whole * f64::from(x) / f64::from(bar.width)) as i64;
    let sections = shown.critical.get(&branch.span).map_or(&[][..], |sections| sections);
    for x in from..to {
        let (begin, end) = (at(x), at(x + 1));
        let is_critical = sections.iter().any(|(from, until)| *from < end && *until > begin);
        buf[(bar.x + x, bar.y)].set_symbol(if is_critical { block } else { thin }).set_style(style);
    }
}

/// What is to be said of a trace above its rows.
fn heads(trace: &Trace, read: &Read) -> Vec<String> {
    let causes = &read.verdict.causes;
    let mut head: Vec<String> = causes.iter().map(|cause| format!("blame: {}", blame(trace, cause))).collect();
    if head.is_empty() {
        head.push("no error in this trace".to_owned());
    }
    let warning = trace.warnings.first().map(|warning| format!(" · {warning}")).unwrap_or_default();
    head[0] = format!("{} · {}{warning}", head[0], crate::text::many(trace.spans.len(), "span"));
    if let Some(cause) = causes.first().filter(|cause| !cause.way.is_empty()) {
        head.insert(1, format!("  the way up:{}", way(trace, cause)));
    }
    head.extend(read.repeat.clone());
    head
}

/// The sign of a span in the margin, and what is said behind its name.
fn mark_of(role: Role, outcome: &Outcome, crossed: &'static str) -> (&'static str, &'static str) {
    match (role, outcome) {
        (Role::Cause(_), _) => (crossed, ""),
        (Role::Way(_), _) => ("!", ""),
        (Role::Consequence(_), _) => ("!", " (after the cause)"),
        (Role::MadeGood, _) => ("~", " (made good)"),
        (Role::Handled, _) => ("~", " (handled)"),
        (Role::None, Outcome::Error(_)) => ("!", ""),
        (Role::None, Outcome::Fine) => (" ", ""),
    }
}

/// The spans of a trace in the order of its waterfall, as places in [`Trace::spans`].
pub fn order(trace: &Trace) -> Vec<usize> {
    trace.waterfall().into_iter().map(|branch| branch.span).collect()
}

/// A trace in words: what is to be said of it, and a numbered line for each span.
pub fn in_words(trace: &Trace) -> Vec<String> {
    let read = Read::of(trace);
    let mut lines = heads(trace, &read);
    lines.extend(trace.warnings.iter().skip(1).map(ToString::to_string));
    let start = read.bounds.map(|(start, _)| start);
    for (place, branch) in read.tree.iter().enumerate() {
        let span = &trace.spans[branch.span];
        let (mark, note) = mark_of(read.verdict.roles[branch.span], &span.outcome, "X");
        let after = start.map(|start| format!(" +{}", length(span.start - start))).unwrap_or_default();
        let waited = if read.critical.contains_key(&branch.span) { ", waited for" } else { "" };
        let error = match &span.outcome {
            Outcome::Error(error) => format!(": {error}"),
            Outcome::Fine => String::new(),
        };
        let indent = "  ".repeat(usize::from(branch.depth.min(20)));
        let orphan = if branch.is_orphan { "(parent missing) " } else { "" };
        lines.push(format!(
            "span {} {mark} {indent}{orphan}{} {}{note}{after} took {}, itself {}{waited}{error}",
            place + 1,
            span.service,
            span.operation,
            length(span.duration),
            length(read.own[branch.span]),
        ));
    }
    lines
}
