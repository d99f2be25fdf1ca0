//! Error spans and slow spans of the watched services, grouped; and the trace that was opened: as a waterfall, beside a healthy one, or one span whole.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

pub mod beside;
pub mod waterfall;
mod whole;

use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, Purpose, Question, acts_from_table};
use crate::incident::{Command, Evidence};
use crate::live::{Freshness, Inquiry, SIMULATED, SpanFinding};
use crate::slo::Unit;
use crate::spans::{SpanGroup, SpanOrder, SpanRow, Step, TraceId, group};
use crate::text::{CleanText, Sought};
use crate::widget::list::Selection;
use crate::widget::text::{duration, fit_line, relative, wrap};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Spans,
    name: "spans",
    about: "the causes of what failed, and slow spans, grouped; Enter opens a trace",
    make: || Box::new(Spans::default()),
};

const ACTS: &[Act<Spans>] = &[
    Act::look("down", &["Down", "j"], "the row below", |pane, cx| pane.go(1, cx)),
    Act::look("up", &["Up", "k"], "the row above", |pane, cx| pane.go(-1, cx)),
    Act::look("page-down", &["PgDn"], "ten rows down", |pane, cx| pane.go(10, cx)),
    Act::look("page-up", &["PgUp"], "ten rows up", |pane, cx| pane.go(-10, cx)),
    Act::look("first", &["Home", "g"], "the first row", |pane, cx| pane.go(isize::MIN, cx)),
    Act::look("last", &["End", "G"], "the last row", |pane, cx| pane.go(isize::MAX, cx)),
    Act::look("open", &["Enter"], "open the newest trace of the group; in a trace, read the span whole", Spans::open),
    Act::look("back", &["Esc", "Backspace"], "back to the trace, then to the groups", |pane, _| pane.back()),
    Act::look(
        "compare",
        &["c"],
        "in a trace: lay a healthy one of the same operation beside it, and back",
        Spans::compare,
    ),
    Act::look("slow", &["s"], "slow spans instead of error spans, and back", |pane, _| pane.other_table()),
    Act::look("order", &["o"], "the most frequent first, or the newest first", |pane, _| pane.reorder()),
    Act::look("filter", &["/"], "only rows that hold these words; in a span, look for words", |pane, _| {
        pane.ask_filter()
    }),
    Act::look("next", &["N"], "in a span: the next row with those words", Spans::next),
    Act::look("copy", &["y"], "copy the value, in a trace its id", Spans::copy),
    Act::look("pager", &["v"], "the span, the trace or the comparison whole, in $PAGER", Spans::read),
    Act::write("pin", &["p"], "pin the trace to the timeline as evidence", Spans::pin),
];

/// Which table is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Table {
    #[default]
    Errors,
    Slow,
}

#[derive(Debug, Default)]
struct Spans {
    table: Table,
    order: SpanOrder,
    filter: String,
    selection: Selection,
    open: Option<waterfall::Opened>,
    /// The groups, made when the sources said something; never while drawing.
    groups: Vec<SpanGroup>,
    made_of: Option<(DateTime<Utc>, Table, SpanOrder, String)>,
}

impl Spans {
    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        match &mut self.open {
            Some(open) => open.go(by, cx),
            None => self.selection.go(by, self.groups.len()),
        }
        Vec::new()
    }

    fn here(&self) -> Option<&SpanGroup> {
        self.groups.get(self.selection.place(self.groups.len()))
    }

    fn open(&mut self, _cx: &Cx<'_>) -> Vec<Intent> {
        if let Some(open) = &mut self.open {
            open.read_span();
            return Vec::new();
        }
        match self.here().map(|group| group.example.clone()) {
            Some(trace) => {
                self.open = Some(waterfall::Opened::new(trace.clone()));
                vec![Intent::Inquire(Inquiry::Trace(trace))]
            }
            None => vec![Intent::Say("there is no span to open".to_owned())],
        }
    }

    fn back(&mut self) -> Vec<Intent> {
        if self.open.as_mut().is_some_and(waterfall::Opened::step_back) {
            return Vec::new();
        }
        if self.open.take().is_none() {
            self.filter.clear();
        }
        Vec::new()
    }

    fn compare(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match &mut self.open {
            Some(open) => open.compare(cx),
            None => vec![Intent::Say("Enter opens a trace first".to_owned())],
        }
    }

    fn next(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match &mut self.open {
            Some(open) => open.search(None, cx),
            None => Vec::new(),
        }
    }

    fn copy(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match (&self.open, self.here()) {
            (Some(open), _) => vec![Intent::Copy(open.copied(cx))],
            (None, Some(group)) => vec![Intent::Copy(CleanText::new(&group.sample))],
            (None, None) => Vec::new(),
        }
    }

    fn read(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match &self.open {
            Some(open) => open.paged(cx),
            None => vec![Intent::Say("Enter opens a trace first".to_owned())],
        }
    }

    fn other_table(&mut self) -> Vec<Intent> {
        self.table = match self.table {
            Table::Errors => Table::Slow,
            Table::Slow => Table::Errors,
        };
        self.selection.select(0);
        self.open = None;
        Vec::new()
    }

    fn reorder(&mut self) -> Vec<Intent> {
        self.order = match self.order {
            SpanOrder::Count => SpanOrder::Newest,
            SpanOrder::Newest => SpanOrder::Count,
        };
        Vec::new()
    }

    fn ask_filter(&mut self) -> Vec<Intent> {
        if let Some(open) = &self.open {
            if !open.is_reading() {
                return vec![Intent::Say("Enter reads a span whole first".to_owned())];
            }
            return vec![Intent::Ask(Question {
                title: "look in this span for".to_owned(),
                text: String::new(),
                purpose: Purpose::Search(PaneId::Spans),
            })];
        }
        vec![Intent::Ask(Question {
            title: "only spans that hold these words (service, operation, error; empty shows all)".to_owned(),
            text: self.filter.clone(),
            purpose: Purpose::Search(PaneId::Spans),
        })]
    }

    fn pin(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let (trace, summary): (TraceId, String) = match (&self.open, self.here()) {
            (Some(open), _) => (open.trace.clone(), waterfall::summary(cx, &open.trace)),
            (None, Some(group)) => (group.example.clone(), sentence(group)),
            (None, None) => return vec![Intent::Say("there is no trace to pin".to_owned())],
        };
        vec![Intent::Command(Command::PinEvidence(Evidence::Trace { trace, summary: summary.into() }))]
    }

    fn matches(&self, row: &SpanRow) -> bool {
        Sought::words(&self.filter).is_in(&format!("{} {} {}", row.service, row.operation, row.error))
    }
}

/// A kind as evidence tells it: with the way from the newest one up to what the user saw.
fn sentence(group: &SpanGroup) -> String {
    let error = if group.error.is_empty() { "slow" } else { &group.error };
    let way: String = group.way.iter().map(|step| format!(" → {}", words(step))).collect();
    format!("{} {}: {error}, {}, worst {}{way}", group.service, group.operation, group.often(), length(group.worst))
}

/// A step in one line.
fn words(step: &Step) -> String {
    let error = if step.error.is_empty() { String::new() } else { format!(": {}", step.error) };
    format!("{} {}{error}", step.service, step.operation)
}

/// What folds below the selected kind: its newest text, whole, and what failed because of it.
fn below(group: &SpanGroup, width: u16) -> Vec<String> {
    let width = usize::from(width);
    let mut lines = Vec::new();
    if group.sample != group.error {
        lines.extend(wrap(&format!("e.g. {}", group.sample), width));
    }
    let led_to = group.led_to.iter().map(|(step, count)| format!("led to {count} × {}", words(step)));
    lines.extend(led_to);
    lines
}

/// How long a span took.
fn length(time: TimeDelta) -> String {
    Unit::Seconds.show(time.num_microseconds().map_or(f64::MAX, |micros| micros as f64 / 1e6))
}

impl Spans {
    fn paint(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        if let Some(open) = &self.open {
            return open.draw(area, buf, cx, is_focused);
        }
        let Some((_, _, finding)) = &cx.live.spans else { return no_spans(area, buf, cx) };
        // Where there is room the other table stands beside: slow ones at the right, or below.
        if area.width >= 150 && self.table == Table::Errors {
            let left = Rect { width: area.width * 3 / 5, ..area };
            let right = Rect { x: left.right() + 1, width: area.width - left.width - 1, ..area };
            self.table(left, buf, cx, is_focused, finding);
            slow_beside(right, buf, cx, finding);
        } else if area.height >= 11 && self.table == Table::Errors {
            let top = Rect { height: area.height * 3 / 5, ..area };
            let bottom = Rect { y: top.bottom(), height: area.height - top.height, ..area };
            self.table(top, buf, cx, is_focused, finding);
            slow_beside(bottom, buf, cx, finding);
        } else {
            self.table(area, buf, cx, is_focused, finding);
        }
    }
}

impl Pane for Spans {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self { table: self.table, order: self.order, ..Self::default() };
    }

    fn search(&mut self, words: &str, cx: &Cx<'_>) -> Vec<Intent> {
        if let Some(open) = &mut self.open {
            return open.search(Some(words), cx);
        }
        self.filter = words.to_owned();
        self.selection.select(0);
        self.refresh(cx);
        Vec::new()
    }

    fn open_trace(&mut self, trace: TraceId) {
        self.open = Some(waterfall::Opened::new(trace));
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        if let Some(open) = &mut self.open {
            open.refresh(cx);
        }
        let Some((at, _, finding)) = &cx.live.spans else {
            self.groups.clear();
            self.made_of = None;
            return;
        };
        let key = (*at, self.table, self.order, self.filter.clone());
        if self.made_of.as_ref() == Some(&key) {
            return;
        }
        // The selection stays on its group when the order changes below it.
        let chosen = self.here().map(identity);
        let rows = match self.table {
            Table::Errors => &finding.errors,
            Table::Slow => &finding.slow,
        };
        let rows: Vec<SpanRow> = rows.iter().filter(|row| self.matches(row)).cloned().collect();
        self.groups = group(&rows, finding.lookback, self.order);
        self.made_of = Some(key);
        let place = chosen.and_then(|chosen| self.groups.iter().position(|group| identity(group) == chosen));
        self.selection.select(place.unwrap_or(self.selection.place(self.groups.len())));
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        if let Some(open) = &self.open {
            return open.title();
        }
        let lookback = cx.live.spans.as_ref().map(|(_, _, finding)| finding.lookback);
        let lookback = lookback.map(|lookback| format!(" · {}", duration(lookback))).unwrap_or_default();
        let what = match self.table {
            Table::Errors => "error spans",
            Table::Slow => "slow spans",
        };
        let order = match self.order {
            SpanOrder::Count => "by count",
            SpanOrder::Newest => "newest first",
        };
        let filter = if self.filter.is_empty() { String::new() } else { format!(" · /{}", self.filter) };
        format!("{what}{lookback} · {order}{filter}")
    }

    fn remark(&self, cx: &Cx<'_>) -> String {
        let Some((at, ..)) = &cx.live.spans else { return String::new() };
        let at = cx.clock(cx.incident.clock().show(*at));
        match cx.live.spans_freshness(cx.wall) {
            Some(Freshness::Fresh) | None => format!("to {at}"),
            Some(Freshness::Stale) => format!("STALE, of {at}"),
            Some(Freshness::Gone) => format!("NO DATA since {at}"),
        }
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        self.paint(area, buf, cx, is_focused);
        None
    }
    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        cx.live.next_spans_turn(cx.wall).map(|turn| cx.incident.clock().show(turn))
    }
}

fn identity(group: &SpanGroup) -> (crate::text::CleanStr, crate::text::CleanStr, crate::text::CleanStr) {
    (group.service.clone(), group.operation.clone(), group.error.clone())
}

impl Spans {
    fn table(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool, finding: &SpanFinding) {
        let mut list = area;
        if let Some(remark) = finding.remarks.first().filter(|_| area.height > 2) {
            let line = fit_line(Line::styled(remark.to_string(), cx.theme.dim()), usize::from(area.width));
            buf.set_line(area.x, area.bottom() - 1, &line, area.width);
            list.height -= 1;
        }
        if self.groups.is_empty() {
            let words = match (self.filter.is_empty(), self.table) {
                (false, _) => "no span holds these words: Esc shows all",
                (true, Table::Errors) => "no error span was found",
                (true, Table::Slow) => "no slow span was found",
            };
            buf.set_line(
                list.x,
                list.y,
                &fit_line(Line::styled(words, cx.theme.dim()), usize::from(list.width)),
                list.width,
            );
            return;
        }
        let mended = finding.mended.iter().filter(|row| self.matches(row)).count();
        if let (true, true, Table::Errors) = (mended > 0, list.height > 3, self.table) {
            let words = format!("{mended} attempts failed and were made good by another: no causes");
            let line = fit_line(Line::styled(words, cx.theme.dim()), usize::from(list.width));
            buf.set_line(list.x, list.bottom() - 1, &line, list.width);
            list.height -= 1;
        }
        let details = self.here().map(|group| below(group, list.width)).unwrap_or_default();
        // Every kind counts more than the details of one.
        let kinds = u16::try_from(self.groups.len()).unwrap_or(u16::MAX);
        let room = list.height.saturating_sub(kinds).max(list.height / 6);
        let rows = u16::try_from(details.len()).unwrap_or(u16::MAX).min(room);
        list.height -= rows;
        for (line, y) in details.into_iter().zip(list.bottom()..list.bottom() + rows) {
            let line = fit_line(Line::styled(line, cx.theme.dim()), usize::from(list.width));
            buf.set_line(list.x, y, &line, list.width);
        }
        let is_stale = cx.live.spans_freshness(cx.wall) != Some(Freshness::Fresh);
        let selected = self.selection.place(self.groups.len());
        for (place, y) in self.selection.in_sight(self.groups.len(), list.height).zip(list.y..list.bottom()) {
            let line = row(&self.groups[place], place == selected, list.width, cx);
            let line = if is_stale { line.patch_style(cx.theme.stale()) } else { line };
            buf.set_line(list.x, y, &fit_line(line, usize::from(list.width)), list.width);
            if place == selected {
                buf.set_style(Rect { y, height: 1, ..list }, cx.theme.selection(is_focused));
            }
        }
    }
}

fn row(group: &SpanGroup, is_here: bool, width: u16, cx: &Cx<'_>) -> Line<'static> {
    let marker = if is_here { cx.theme.glyphs.here } else { " " };
    let rate = match group.rate {
        rate if rate >= 10.0 => format!("{rate:.0}/s"),
        rate if rate >= 1.0 => format!("{rate:.1}/s"),
        rate => format!("{:.1}/min", rate * 60.0),
    };
    let mut spans = vec![
        Span::raw(format!("{marker}{:>6} {rate:>9}  ", group.count)),
        Span::raw(format!("{:<16} {:<18} ", group.service, group.operation)),
        Span::styled(if group.error.is_empty() { "slow".to_owned() } else { group.error.to_string() }, cx.theme.red()),
    ];
    spans.push(Span::raw(format!("  worst {} median {}", length(group.worst), length(group.median))));
    if width >= 110 {
        spans.push(Span::styled(format!("  {}", relative(group.newest, cx.now)), cx.theme.dim()));
    }
    Line::from(spans)
}

fn slow_beside(area: Rect, buf: &mut Buffer, cx: &Cx<'_>, finding: &SpanFinding) {
    let title = Line::styled("slow spans (s)", cx.theme.title(false));
    buf.set_line(area.x, area.y, &title, area.width);
    let groups = group(&finding.slow, finding.lookback, SpanOrder::Count);
    for (group, y) in groups.iter().zip(area.y + 1..area.bottom()) {
        let line = Line::from(format!(
            "{:>6}  {} {}  worst {} median {}",
            group.count,
            group.service,
            group.operation,
            length(group.worst),
            length(group.median)
        ));
        buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
    }
}

fn no_spans(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let failing = cx.live.sources.get("jaeger").and_then(|health| health.failing.as_ref());
    let words = match failing {
        Some((since, why)) => format!("no spans since {}: {why}", cx.clock(cx.incident.clock().show(*since))),
        None if !cx.live.has_any(&["jaeger", SIMULATED]) => {
            "no Jaeger is configured: --jaeger URL, or warroom config init".to_owned()
        }
        None if cx.incident.services.is_empty() => {
            "spans of an impacted service stand here: A names the service".to_owned()
        }
        None => "waiting for the first answer".to_owned(),
    };
    for (line, y) in wrap(&words, usize::from(area.width)).into_iter().zip(area.y..area.bottom()) {
        buf.set_line(area.x, y, &Line::styled(line, cx.theme.dim()), area.width);
    }
}
