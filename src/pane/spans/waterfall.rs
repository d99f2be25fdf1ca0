//! A trace as a waterfall: who called whom, when, how long, and which span is to blame.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span as Words};

use super::length;
use crate::pane::Cx;
use crate::spans::{Branch, Cause, Outcome, Role, Span, Trace, TraceId, Verdict, Why};
use crate::text::fit;
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, wrap};

/// The trace that is open.
#[derive(Debug)]
pub(super) struct Opened {
    /// Which.
    pub(super) trace: TraceId,
    /// The row that is selected.
    selection: Selection,
    /// Whether the selected span is shown in full.
    pub(super) shows_detail: bool,
    /// How many rows of that were passed.
    passed: usize,
    /// What was made of the trace when it came.
    read: Option<Read>,
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

/// So many rows is a page.
const PAGE: usize = 10;
/// No pane is narrower: there a span's words take most rows.
const NARROWEST: u16 = 40;

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
        Self { trace, selection: Selection::default(), shows_detail: false, passed: 0, read: None }
    }

    /// Makes of the trace what is drawn, once it is there.
    pub(super) fn refresh(&mut self, cx: &Cx<'_>) {
        if let Ok(trace) = trace(cx, &self.trace)
            && self.read.as_ref().is_none_or(|read| !read.is_of(trace))
        {
            self.read = Some(Read::of(trace));
        }
    }

    /// Selects the row so many below; while a span is shown in full, pages go through it.
    pub(super) fn go(&mut self, by: isize, cx: &Cx<'_>) {
        if self.shows_detail && by.unsigned_abs() == PAGE {
            let place = trace(cx, &self.trace).ok().and_then(|trace| {
                let tree = trace.waterfall();
                Some(&trace.spans[tree.get(self.selection.place(tree.len()))?.span])
            });
            let most = place.map_or(0, |span| in_full(span, NARROWEST, cx).len());
            self.passed = self.passed.saturating_add_signed(by).min(most.saturating_sub(1));
            return;
        }
        self.passed = 0;
        self.selection.go(by, trace(cx, &self.trace).map_or(0, |trace| trace.waterfall().len()));
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
        let detail = match tree.get(selected) {
            Some(branch) if self.shows_detail => in_full(&trace.spans[branch.span], area.width, cx),
            Some(_) | None => Vec::new(),
        };
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
        let style = if causes.is_empty() { cx.theme.good() } else { cx.theme.red() };
        // The rows matter more than a third cause.
        let heads = u16::try_from(head.len()).unwrap_or(u16::MAX).min((area.height / 4).max(1));
        for (line, y) in head.into_iter().zip(area.y..area.y + heads) {
            buf.set_line(area.x, y, &fit_line(Line::styled(line, style), usize::from(area.width)), area.width);
        }
        let body = Rect { y: area.y + heads, height: area.height - heads, ..area };
        let detail_rows = u16::try_from(detail.len()).unwrap_or(u16::MAX).min(body.height * 2 / 3);
        let list = Rect { height: body.height - detail_rows, ..body };
        // Never further than the last rows; while there are more, the last one says so.
        let room = usize::from(detail_rows);
        let passed = self.passed.min(detail.len().saturating_sub(room));
        let more = detail.len().saturating_sub(passed + room);
        let mut detail: Vec<Line<'static>> = detail.into_iter().skip(passed).take(room).collect();
        if let (Some(last), true) = (detail.last_mut(), more > 0) {
            *last = Line::styled(format!("… {} more: PgDn", crate::text::many(more + 1, "line")), cx.theme.dim());
        }
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
        for (line, y) in detail.into_iter().zip(list.bottom()..body.bottom()) {
            buf.set_line(body.x, y, &fit_line(line, usize::from(body.width)), body.width);
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
    let (mark, note) = match (role, &span.outcome) {
        (Role::Cause(_), _) => (glyphs.crossed, ""),
        (Role::Way(_), _) => ("!", ""),
        (Role::Consequence(_), _) => ("!", " (after the cause)"),
        (Role::MadeGood, _) => ("~", " (made good)"),
        (Role::Handled, _) => ("~", " (handled)"),
        (Role::None, Outcome::Error(_)) => ("!", ""),
        (Role::None, Outcome::Fine) => (" ", ""),
    };
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

fn in_full(span: &Span, width: u16, cx: &Cx<'_>) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut pair = |name: &str, value: &str| {
        for (place, line) in wrap(value, usize::from(width).saturating_sub(24).max(8)).into_iter().enumerate() {
            let name = if place == 0 { fit(name, 22).into_owned() } else { String::new() };
            lines.push(Line::from(vec![Words::styled(format!("{name:<24}"), cx.theme.dim()), Words::raw(line)]));
        }
    };
    match &span.outcome {
        Outcome::Error(error) => pair("error", error),
        Outcome::Fine => {}
    }
    for warning in &span.warnings {
        pair("warning", warning);
    }
    for (key, value) in &span.tags {
        pair(key, value);
    }
    for log in &span.logs {
        let offset = length(log.at - span.start);
        for (key, value) in &log.fields {
            pair(&format!("+{offset} {key}"), value);
        }
    }
    lines
}
