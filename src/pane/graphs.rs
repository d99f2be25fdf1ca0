//! SLO graphs: one chart for each objective of the impacted services, with its limit, its value, its verdict, and how old all that is.

use std::collections::BTreeSet;

use chrono::{DateTime, Offset, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, acts_from_table};
use crate::incident::{Command, Event, Evidence, Phase, ServiceId};
use crate::live::panel::MEASURING;
use crate::live::{Exemplar, Exemplars, ExemplarsOf, Freshness, Inquiry, Panel, SIMULATED, Scope, Standing};
use crate::slo::number::plain;
use crate::slo::{Grid, Lasting, Measured, Objective, ObjectiveId, ObjectiveKind, Worst};
use crate::text::{columns, fit};
use crate::widget::chart::{Chart, Mark, Moments, Worse};
use crate::widget::digits::{self, Size};
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, line_columns, minutes, wrap};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Graphs,
    name: "graphs",
    about: "the objectives of the impacted services, live",
    make: || Box::new(Graphs::default()),
};

const ACTS: &[Act<Graphs>] = &[
    Act::look("down", &["Down", "j"], "the chart below", |pane, cx| pane.go(1, cx)),
    Act::look("up", &["Up", "k"], "the chart above", |pane, cx| pane.go(-1, cx)),
    Act::look("cursor-left", &["Left", "h"], "the value before, under a cursor", |pane, cx| pane.move_cursor(-1, cx)),
    Act::look("cursor-right", &["Right", "l"], "the value after", |pane, cx| pane.move_cursor(1, cx)),
    Act::look("cursor-back", &["Ctrl+Left", "H"], "ten values before", |pane, cx| pane.move_cursor(-10, cx)),
    Act::look("cursor-forth", &["Ctrl+Right"], "ten values after", |pane, cx| pane.move_cursor(10, cx)),
    Act::look("newest", &["End", "0"], "back to the newest value, without a cursor", |pane, _| pane.newest()),
    Act::look("shorter", &["["], "a shorter time range", |pane, _| pane.range(-1)),
    Act::look("longer", &["]"], "a longer time range", |pane, _| pane.range(1)),
    Act::look(
        "alone",
        &["Enter"],
        "on a point with an exemplar, open its trace; else show the selected chart alone, with its series, and all again",
        |pane, cx| pane.enter(cx),
    ),
    Act::look("exemplar", &["x"], "the next point to the left that has an exemplar", |pane, cx| pane.hop(cx)),
    Act::write("pin", &["p"], "pin the value under the cursor to the timeline as evidence", Graphs::pin),
];

/// The time ranges that the keys step through, in minutes.
const RANGES: [i64; 7] = [15, 30, 60, 180, 360, 720, 1440];

#[derive(Debug)]
struct Graphs {
    selection: Selection,
    range: usize,
    /// The moment under the cursor: it stays where it is while the graph moves on.
    cursor: Option<DateTime<Utc>>,
    is_alone: bool,
    /// Of which objective exemplars were asked for last, and when.
    asked: Option<(ObjectiveId, DateTime<Utc>)>,
}

/// Exemplars that were asked for so long ago are asked for again.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(30);

impl Default for Graphs {
    fn default() -> Self {
        Self { selection: Selection::default(), range: 2, cursor: None, is_alone: false, asked: None }
    }
}

/// An objective and what is known of it.
struct Shown<'a> {
    id: ObjectiveId,
    objective: &'a Objective,
    panel: Option<&'a Panel>,
}

impl<'a> Shown<'a> {
    /// The chart.
    fn measured(&self) -> Option<&'a Measured> {
        self.panel.and_then(|panel| panel.measured(Scope::Chart))
    }

    /// The values of this moment.
    fn now(&self) -> Option<&'a Measured> {
        self.panel.and_then(|panel| panel.measured(Scope::Now))
    }

    fn standing(&self, cx: &Cx<'a>) -> Standing<'a> {
        cx.live.standing(&self.id, self.objective)
    }

    /// Why the last try of any of its questions failed, or is not all of the answer.
    fn flaw(&self) -> Option<String> {
        let reads = || self.panel.iter().flat_map(|panel| &panel.reads);
        let failed = reads().find_map(|read| read.problem.as_ref()).map(ToString::to_string);
        let partial = || reads().filter_map(|read| read.measured.as_ref()).find_map(|one| one.partial.first());
        failed.or_else(|| partial().map(|why| format!("PARTIAL: {why}")))
    }

    fn is_partial(&self) -> bool {
        let reads = self.panel.iter().flat_map(|panel| &panel.reads);
        reads.filter_map(|read| read.measured.as_ref()).any(|one| !one.partial.is_empty())
    }
}

fn shown<'a>(cx: &Cx<'a>) -> Vec<Shown<'a>> {
    let mut all = Vec::new();
    for service in &cx.incident.services {
        let Some(playbook) = cx.catalogue.get(service) else { continue };
        for objective in &playbook.objectives {
            let id = ObjectiveId { service: service.clone(), objective: objective.id.clone() };
            let panel = cx.live.panels.get(&id);
            all.push(Shown { id, objective, panel });
        }
    }
    all
}

impl Graphs {
    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        self.selection.go(by, shown(cx).len());
        Vec::new()
    }

    fn move_cursor(&mut self, by: i32, cx: &Cx<'_>) -> Vec<Intent> {
        let all = shown(cx);
        let Some(grid) =
            all.get(self.selection.place(all.len())).and_then(Shown::measured).map(|measured| measured.grid)
        else {
            return vec![Intent::Say("there is no value yet to put a cursor on".to_owned())];
        };
        let here = self.cursor.unwrap_or_else(|| grid.end());
        let place = nearest(&grid, here) as i32 + by;
        self.cursor = Some(grid.at(place.clamp(0, grid.len.saturating_sub(1) as i32) as usize));
        self.ask_exemplars(cx)
    }

    /// Whoever puts a cursor on a chart looks at single requests: which of them the server keeps is asked then, and not with each poll.
    fn ask_exemplars(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let all = shown(cx);
        let Some(shown) = all.get(self.selection.place(all.len())) else { return Vec::new() };
        let Some(measured) = shown.measured() else { return Vec::new() };
        let is_new = self.asked.as_ref().is_none_or(|(id, at)| *id != shown.id || cx.wall - *at >= ASK_AGAIN);
        if !is_new || shown.panel.is_some_and(|panel| panel.source == SIMULATED) {
            return Vec::new();
        }
        self.asked = Some((shown.id.clone(), cx.wall));
        let Grid { start: from, .. } = measured.grid;
        let until = measured.grid.end() + measured.grid.resolution;
        let asked = ExemplarsOf { objective: shown.id.clone(), query: measured.query.clone(), from, until };
        vec![Intent::Inquire(Inquiry::Exemplars(asked))]
    }

    /// Goes to the next exemplar before the cursor.
    fn hop(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let asked = self.ask_exemplars(cx);
        let all = shown(cx);
        let Some(shown) = all.get(self.selection.place(all.len())) else { return asked };
        let Some(grid) = shown.measured().map(|measured| measured.grid) else { return asked };
        let here = self.cursor.map_or(grid.len, |at| nearest(&grid, at));
        let before = exemplars(shown, cx).iter().map(|one| nearest(&grid, one.at)).filter(|place| *place < here).max();
        match (before, &cx.live.exemplars) {
            (Some(place), _) => self.cursor = Some(grid.at(place)),
            (None, Some(Exemplars { objective, found: Err(why) })) if *objective == shown.id => {
                return vec![Intent::Say(why.to_string())];
            }
            (None, Some(Exemplars { objective, found: Ok(_) })) if *objective == shown.id => {
                return vec![Intent::Say("there is no exemplar further to the left".to_owned())];
            }
            (None, _) => return asked.into_iter().chain([Intent::Say("asking for exemplars …".to_owned())]).collect(),
        }
        asked
    }

    /// The exemplar under the cursor: of several the worst.
    fn under_cursor<'a>(&self, cx: &Cx<'a>) -> Option<&'a Exemplar> {
        let all = shown(cx);
        let shown = all.get(self.selection.place(all.len()))?;
        let (grid, cursor) = (shown.measured()?.grid, self.cursor?);
        let here = exemplars(shown, cx).iter().filter(|one| nearest(&grid, one.at) == nearest(&grid, cursor));
        here.max_by(|one, other| one.value.total_cmp(&other.value))
    }

    fn enter(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.under_cursor(cx) {
            Some(exemplar) => vec![Intent::OpenTrace(exemplar.trace.clone())],
            None => self.alone(),
        }
    }

    fn newest(&mut self) -> Vec<Intent> {
        self.cursor = None;
        Vec::new()
    }

    fn range(&mut self, by: isize) -> Vec<Intent> {
        self.range = self.range.saturating_add_signed(by).min(RANGES.len() - 1);
        vec![Intent::Watch(TimeDelta::minutes(RANGES[self.range]))]
    }

    fn alone(&mut self) -> Vec<Intent> {
        self.is_alone = !self.is_alone;
        Vec::new()
    }

    fn pin(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let all = shown(cx);
        let Some(shown) = all.get(self.selection.place(all.len())) else { return Vec::new() };
        let of_chart = |at| {
            shown
                .measured()
                .map(|measured| evidence(&shown.id.service, shown.objective, measured, nearest(&measured.grid, at)))
        };
        let of_now = || newest_evidence(&shown.id.service, shown.objective, shown.panel?);
        match self.cursor.map_or_else(of_now, of_chart) {
            Some(evidence) => vec![Intent::Command(Command::PinEvidence(evidence))],
            None => vec![Intent::Say("there is no value yet to pin".to_owned())],
        }
    }
}

/// The exemplars of an objective, as far as they were asked for.
fn exemplars<'a>(shown: &Shown<'_>, cx: &Cx<'a>) -> &'a [Exemplar] {
    match &cx.live.exemplars {
        Some(Exemplars { objective, found: Ok(all) }) if *objective == shown.id => all,
        Some(_) | None => &[],
    }
}

/// So many exemplars are marked: more lines would hide the chart.
const MOST_MARKS: usize = 12;

/// Marks for the moments of a chart that have the worst exemplars.
fn exemplar_marks(shown: &Shown<'_>, grid: &Grid, cx: &Cx<'_>) -> Vec<Mark> {
    let mut worst: Vec<&Exemplar> = exemplars(shown, cx).iter().collect();
    worst.sort_by(|one, other| other.value.total_cmp(&one.value));
    let places: BTreeSet<usize> = worst.into_iter().take(MOST_MARKS).map(|one| nearest(grid, one.at)).collect();
    places.into_iter().map(|place| Mark { at: grid.at(place), letter: EXEMPLAR }).collect()
}

/// How an exemplar is marked among the times of a chart.
const EXEMPLAR: char = '*';

/// A value of an objective as evidence.
fn evidence(service: &ServiceId, objective: &Objective, measured: &Measured, place: usize) -> Evidence {
    let worst = measured.worst_at(objective, place);
    Evidence::Graph {
        service: service.clone(),
        objective: objective.title.clone(),
        query: measured.query.clone(),
        from: measured.grid.start,
        to: measured.grid.end(),
        at: measured.grid.at(place),
        value: worst.map_or_else(|| "no data".to_owned(), |worst| worst.shown(objective)).into(),
        exact: worst.map_or_else(String::new, |worst| plain(worst.value)).into(),
        series: worst.and_then(|worst| worst.whose()).unwrap_or_default().into(),
    }
}

/// The value of an objective at this moment as evidence.
pub(crate) fn newest_evidence(service: &ServiceId, objective: &Objective, panel: &Panel) -> Option<Evidence> {
    let now = evidence(service, objective, panel.measured(Scope::Now)?, 0);
    let (Evidence::Graph { from, .. }, Some(chart)) = (&now, panel.measured(Scope::Chart)) else { return Some(now) };
    let start = chart.grid.start.min(*from);
    Some(match now {
        Evidence::Graph { service, objective, query, to, at, value, exact, series, .. } => {
            Evidence::Graph { service, objective, query, from: start, to, at, value, exact, series }
        }
        Evidence::Trace { .. } => now,
    })
}

fn nearest(grid: &Grid, at: DateTime<Utc>) -> usize {
    let steps = (at - grid.start).num_milliseconds() / grid.resolution.num_milliseconds().max(1);
    usize::try_from(steps.max(0)).unwrap_or(0).min(grid.len.saturating_sub(1))
}

impl Graphs {
    fn paint(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let all = shown(cx);
        if all.is_empty() {
            return nothing(area, buf, cx);
        }
        let selected = self.selection.place(all.len());
        let marks = marks(cx);
        if self.is_alone || all.len() < 2 || area.width < TWO_COLUMNS {
            return self.paint_column(&all, 0, selected, &marks, area, buf, cx, is_focused);
        }
        // Side by side charts are twice as high.
        let left = Rect { width: area.width / 2 - 1, ..area };
        let right = Rect { x: left.right() + 2, width: area.width - left.width - 2, ..area };
        let (one, other) = all.split_at(all.len().div_ceil(2));
        self.paint_column(one, 0, selected, &marks, left, buf, cx, is_focused);
        self.paint_column(other, one.len(), selected, &marks, right, buf, cx, is_focused);
    }

    /// Draws some objectives below each other, of which the first stands at a place of the whole list.
    #[expect(clippy::too_many_arguments, reason = "a column is its parts")]
    fn paint_column(
        &self,
        all: &[Shown<'_>],
        first: usize,
        selected: usize,
        marks: &[Mark],
        area: Rect,
        buf: &mut Buffer,
        cx: &Cx<'_>,
        is_focused: bool,
    ) {
        let is_mine = (first..first + all.len()).contains(&selected);
        let selected = selected.saturating_sub(first).min(all.len() - 1);
        let mut y = area.y;
        let shares = shares(all.len(), if is_mine { selected } else { 0 }, self.is_alone, area.height);
        // What stands in one row is aligned: names, values, and where the lines of levels begin.
        let in_rows = || shares.iter().filter(|(_, rows)| *rows == 1).map(|(place, _)| &all[*place]);
        let names = in_rows().map(|shown| columns(&shown.objective.title)).max().unwrap_or(0);
        let levels =
            in_rows().map(|shown| line_columns(&row_heading(shown, names, cx, None, false))).max().unwrap_or(0);
        for (place, rows) in shares {
            let part = Rect { y, height: rows, ..area };
            let is_selected = is_mine && place == selected;
            let is_here = is_focused && is_selected && shown(cx).len() > 1;
            let cursor = self.cursor.filter(|_| is_selected);
            if rows == 1 {
                let heading = row_heading(&all[place], names, cx, cursor, is_here);
                draw_row(&all[place], heading, levels, part, buf, cx);
            } else {
                draw_one(&all[place], marks, part, buf, cx, cursor, (is_here, self.is_alone));
            }
            y += rows;
        }
    }
}

impl Pane for Graphs {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self { range: self.range, is_alone: self.is_alone, ..Self::default() };
    }

    fn title(&self, _cx: &Cx<'_>) -> String {
        let range = RANGES[self.range];
        if range < 60 {
            format!("SLO graphs · last {range} min")
        } else {
            format!("SLO graphs · last {} h", range / 60)
        }
    }

    fn remark(&self, cx: &Cx<'_>) -> String {
        if let Some(exemplar) = self.under_cursor(cx) {
            return format!("Enter opens trace {}", fit(&exemplar.trace, 16));
        }
        let grid = shown(cx).iter().find_map(|shown| shown.measured().map(|measured| measured.grid));
        grid.map_or_else(String::new, |grid| {
            format!("to {} {} · {} s apart", cx.clock(grid.end()), cx.zone.name(), grid.resolution.num_seconds())
        })
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        self.paint(area, buf, cx, is_focused);
        None
    }
    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        let panels = shown(cx).into_iter().filter_map(|shown| shown.panel);
        let turn = panels.filter_map(|panel| cx.live.next_panel_turn(panel, cx.wall)).min()?;
        Some(cx.incident.clock().show(turn))
    }
}

/// A chart below so many rows says little; what has no room for it stands in one row with a line of levels.
const CHART_ROWS: u16 = 6;

/// From so many columns on charts stand side by side.
const TWO_COLUMNS: u16 = 160;
/// From so many rows on the one graph of the wall says its value in big letters.
const ROWS_WITH_BIG_VALUE: u16 = 24;

/// How many rows each objective gets, with its place. The selected one is always a chart; the others in their order, as long as there is room.
fn shares(count: usize, selected: usize, is_alone: bool, height: u16) -> Vec<(usize, u16)> {
    let many = u16::try_from(count).unwrap_or(u16::MAX);
    if is_alone || height < CHART_ROWS {
        return vec![(selected, height)];
    }
    if many > height - CHART_ROWS + 1 {
        // Not even a row for each: the page around the selected one.
        let rows = usize::from(height - CHART_ROWS);
        let first = selected.saturating_sub(rows / 2).min(count - rows - 1);
        return (first..=first + rows).map(|place| (place, if place == selected { CHART_ROWS } else { 1 })).collect();
    }
    let charts = ((height - many) / (CHART_ROWS - 1)).clamp(1, many);
    let others = (0..count).filter(|place| *place != selected).take(usize::from(charts) - 1);
    let expanded: Vec<usize> = others.chain([selected]).collect();
    let left = height - (many - charts);
    (0..count)
        .map(|place| match expanded.contains(&place) {
            true if place == selected => (place, left - (charts - 1) * (left / charts)),
            true => (place, left / charts),
            false => (place, 1),
        })
        .collect()
}

fn row_heading(
    shown: &Shown<'_>,
    names: usize,
    cx: &Cx<'_>,
    cursor: Option<DateTime<Utc>>,
    is_here: bool,
) -> Line<'static> {
    let freshness = shown.panel.map(|panel| cx.live.panel_freshness(panel, cx.wall));
    heading(shown, freshness, cx, cursor, is_here, names)
}

/// An objective in one row: what its heading says, and a line of levels in what is left of it.
fn draw_row(shown: &Shown<'_>, heading: Line<'static>, levels: usize, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let heading = fit_line(heading, usize::from(area.width));
    buf.set_line(area.x, area.y, &heading, area.width);
    let taken = u16::try_from(levels.max(line_columns(&heading)) + 2).unwrap_or(area.width).min(area.width);
    let rest = Rect { x: area.x + taken, width: area.width - taken, ..area };
    if let Some(measured) = shown.measured().filter(|_| rest.width >= 10) {
        let freshness = shown.panel.map(|panel| cx.live.panel_freshness(panel, cx.wall));
        draw_chart(shown, measured, freshness, &[], None, rest, buf, cx);
    }
}

/// Draws the worst objective alone: the one graph of the wall.
pub(crate) fn draw_worst(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let all = shown(cx);
    let burden = |shown: &&Shown<'_>| match shown.standing(cx).is_kept() {
        Some(false) => 2,
        None => 1,
        Some(true) => 0,
    };
    // Of equals the first: objectives stand in the order of their importance.
    match all.iter().rev().max_by_key(burden) {
        Some(shown) => {
            let taken = if area.height >= ROWS_WITH_BIG_VALUE { draw_big_value(shown, area, buf, cx) } else { 0 };
            let rest = Rect { y: area.y + taken, height: area.height - taken, ..area };
            draw_one(shown, &marks(cx), rest, buf, cx, None, (false, false));
        }
        None => nothing(area, buf, cx),
    }
}

/// What an objective is called and shows, for people who stand far away. Returns the rows that it took, with a blank one.
fn draw_big_value(shown: &Shown<'_>, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> u16 {
    let objective = shown.objective;
    let freshness = shown.panel.map(|panel| cx.live.panel_freshness(panel, cx.wall));
    let standing = shown.standing(cx);
    let (value, style) = match (freshness, standing.worst()) {
        // An old number is never shown as if it were the present one.
        (Some(Freshness::Gone), _) | (_, None) => (stands(&standing, None, cx), cx.theme.stale()),
        (Some(Freshness::Stale), Some(worst)) => (worst.shown(objective), cx.theme.stale()),
        (Some(Freshness::Fresh) | None, Some(worst)) => (worst.shown(objective), cx.theme.verdict(standing.is_kept())),
    };
    let room = Rect { height: Size::Medium.of("0").1, ..area };
    let both = [format!("{} {value}", objective.title), value].map(|text| text.to_uppercase());
    let Some((text, size)) = both
        .into_iter()
        .map(|text| (digits::largest_that_fits(&text, room, cx.theme.glyphs), text))
        .find_map(|(size, text)| (size >= Size::Medium).then_some((text, size)))
    else {
        return 0;
    };
    digits::draw(&text, size, room, style, cx.theme.glyphs, buf).height + 1
}

fn nothing(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let words = match cx.incident.services.first() {
        None => "the objectives of an impacted service stand here: A names the service".to_owned(),
        Some(service) if cx.catalogue.broken.contains_key(service) => {
            cx.catalogue.why_none(service).unwrap_or_default()
        }
        Some(service) if cx.catalogue.get(service).is_none() => {
            format!("no playbook for {service}: its objectives would stand in {service}.toml")
        }
        Some(service) => format!("no objectives for {service}: add them to its playbook file"),
    };
    draw_words(&words, area, buf, cx);
}

fn draw_one(
    shown: &Shown<'_>,
    marks: &[Mark],
    area: Rect,
    buf: &mut Buffer,
    cx: &Cx<'_>,
    cursor: Option<DateTime<Utc>>,
    (is_here, lists_series): (bool, bool),
) {
    if area.height == 0 {
        return;
    }
    let freshness = shown.panel.map(|panel| cx.live.panel_freshness(panel, cx.wall));
    let heading = fit_line(heading(shown, freshness, cx, cursor, is_here, 0), usize::from(area.width));
    buf.set_line(area.x, area.y, &heading, area.width);
    let plot = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let Some(measured) = shown.measured() else {
        return draw_words(&without_chart(shown, cx), plot, buf, cx);
    };
    // What is wrong, or the server said beside the data, stands under the heading, dimmed; it takes a line from the chart only where there is something.
    let remark = shown.flaw().or_else(|| measured.remarks.first().map(ToString::to_string));
    let plot = match remark.filter(|_| plot.height > 3) {
        Some(remark) => {
            let line = fit_line(Line::styled(remark, cx.theme.dim()), usize::from(plot.width));
            buf.set_line(plot.x, plot.y, &line, plot.width);
            Rect { y: plot.y + 1, height: plot.height - 1, ..plot }
        }
        None => plot,
    };
    let freshness = shown.panel.map(|panel| cx.live.read_freshness(panel, Scope::Chart, cx.wall));
    let now = shown.now().filter(|now| lists_series && now.series.len() > 1);
    let plot = match now {
        Some(now) => {
            let all = u16::try_from(now.series.len() + now.left_out.min(1)).unwrap_or(u16::MAX);
            let list = Rect { height: all.min(plot.height / 2), ..plot };
            let plot = Rect { height: plot.height - list.height, ..plot };
            draw_series(shown, now, Rect { y: plot.bottom(), ..list }, buf, cx);
            plot
        }
        None => plot,
    };
    let mut all = marks.to_vec();
    if cursor.is_some() {
        all.extend(exemplar_marks(shown, &measured.grid, cx));
    }
    draw_chart(shown, measured, freshness, &all, cursor, plot, buf, cx);
}

/// Why there is no chart.
fn without_chart(shown: &Shown<'_>, cx: &Cx<'_>) -> String {
    let problem = shown.panel.and_then(|panel| panel.read(Scope::Chart).problem.as_ref());
    // Whose failure it is matters: the spans' source says its own in its own pane.
    let measures = MEASURING.into_iter().filter_map(|name| cx.live.sources.get(name)).next();
    let failing = measures.and_then(|health| health.failing.as_ref());
    match (problem, failing) {
        (Some(problem), _) => problem.to_string(),
        (None, Some((since, why))) => format!("no data since {}: {why}", cx.clock(cx.incident.clock().show(*since))),
        (None, None) if !cx.live.has_any(&MEASURING) => {
            "no Prometheus is configured: --prometheus URL, or warroom config init".to_owned()
        }
        (None, None) => match cx.live.asked_at {
            Some(since) => {
                format!("asked at {}: waiting for the first answer", cx.clock(cx.incident.clock().show(since)))
            }
            None => "not asked yet".to_owned(),
        },
    }
}

fn draw_words(words: &str, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    for (line, y) in wrap(words, usize::from(area.width)).into_iter().zip(area.y..area.bottom()) {
        buf.set_line(area.x, y, &Line::styled(line, cx.theme.dim()), area.width);
    }
}

/// The series that an objective has now, the worst first, with as many as there is room for.
fn draw_series(shown: &Shown<'_>, measured: &Measured, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let objective = shown.objective;
    let badness = |value: f64| objective.side.badness(value).unwrap_or(f64::NEG_INFINITY);
    let mut all: Vec<(f64, &str)> = measured
        .series
        .iter()
        .filter_map(|series| Some((series.values.first().copied().flatten()?, series.name.as_str())))
        .collect();
    all.sort_by(|(one, _), (other, _)| badness(*other).total_cmp(&badness(*one)));
    let rows = usize::from(area.height);
    let room = if all.len() + measured.left_out > rows { rows.saturating_sub(1) } else { rows };
    let more = (all.len() + measured.left_out).saturating_sub(room);
    let mut lines: Vec<Line<'_>> = all
        .iter()
        .take(room)
        .map(|(value, name)| {
            let is_kept = objective.is_broken_by(*value).map(|is_broken| !is_broken);
            let worst = Worst { value: *value, name: None, is_beyond: measured.is_beyond(*value) };
            let value = Span::styled(format!("{:>10}", worst.shown(objective)), cx.theme.verdict(is_kept));
            Line::from(vec![value, Span::raw(format!("  {name}"))])
        })
        .collect();
    if more > 0 {
        lines.push(Line::styled(format!("{:>10}  and {more} more, none of them worse", ""), cx.theme.dim()));
    }
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
    }
}

#[expect(clippy::too_many_arguments, reason = "a chart is its parts")]
fn draw_chart(
    shown: &Shown<'_>,
    measured: &Measured,
    freshness: Option<Freshness>,
    marks: &[Mark],
    cursor: Option<DateTime<Utc>>,
    plot: Rect,
    buf: &mut Buffer,
    cx: &Cx<'_>,
) {
    let lines: Vec<&[Option<f64>]> = measured.series.iter().map(|series| series.values.as_slice()).collect();
    let unit = shown.objective.unit;
    let zone = cx.now.with_timezone(&cx.zone).offset().fix().local_minus_utc();
    let span = measured.grid.end() - measured.grid.start;
    let time = |at: DateTime<Utc>| {
        let local = at.with_timezone(&cx.zone);
        if span > TimeDelta::hours(23) {
            local.format("%d. %H:%M").to_string()
        } else {
            local.format("%H:%M").to_string()
        }
    };
    Chart {
        moments: Moments { start: measured.grid.start, step: measured.grid.resolution, len: measured.grid.len },
        lines: &lines,
        threshold: Some(shown.objective.limit()),
        worse: if shown.objective.side.is_more_worse() { Worse::Higher } else { Worse::Lower },
        value: &|value| unit.show(value),
        time: &time,
        zone: TimeDelta::seconds(i64::from(zone)),
        marks,
        cursor: cursor.map(|at| nearest(&measured.grid, at)),
        is_stale: freshness.is_some_and(|freshness| freshness != Freshness::Fresh),
    }
    .draw(plot, buf, cx.theme);
}

fn heading(
    shown: &Shown<'_>,
    freshness: Option<Freshness>,
    cx: &Cx<'_>,
    cursor: Option<DateTime<Utc>>,
    is_here: bool,
    names: usize,
) -> Line<'static> {
    let objective = shown.objective;
    let marker = if is_here { cx.theme.glyphs.here } else { " " };
    let mut spans = vec![Span::styled(format!("{marker}{:<names$}  ", objective.title), cx.theme.title(is_here))];
    let standing = shown.standing(cx);
    let limit = objective.limit_beside(standing.worst().map(|worst| worst.value), objective.side.sign());
    let value = standing.worst().map(|worst| worst.shown(objective));
    let at = || {
        let at = shown.panel.and_then(|panel| panel.read(Scope::Now).at);
        at.map(|at| cx.clock(cx.incident.clock().show(at))).unwrap_or_default()
    };
    let is_failed = shown.panel.is_some_and(|panel| panel.read(Scope::Now).problem.is_some());
    match (freshness, value) {
        (Some(Freshness::Gone), Some(value)) => {
            // An old number is never shown as if it were the present one.
            spans.push(Span::styled(format!("NO DATA since {}", at()), cx.theme.red()));
            spans.push(Span::styled(format!("  last {value}  {limit}"), cx.theme.stale()));
        }
        (Some(Freshness::Stale), Some(value)) => {
            spans.push(Span::styled(format!("{value}  {limit}  STALE, of {}", at()), cx.theme.stale()));
        }
        (Some(Freshness::Fresh) | None, Some(value)) if is_failed => {
            spans.push(Span::styled(format!("{value}  {limit}  FAILED since {}", at()), cx.theme.stale()));
        }
        (Some(Freshness::Fresh) | None, Some(value)) => {
            spans.push(Span::styled(format!("{value:>9}"), cx.theme.verdict(standing.is_kept())));
            spans.push(Span::raw(format!("  {limit}  ")));
            spans.push(Span::styled(stands(&standing, shown.now(), cx), cx.theme.verdict(standing.is_kept())));
            if let Some(whose) = standing.worst().and_then(|worst| worst.whose()) {
                spans.push(Span::raw(format!("  {whose}")));
            }
        }
        (_, None) => {
            let style =
                if standing.is_kept().is_some() { cx.theme.verdict(standing.is_kept()) } else { cx.theme.stale() };
            spans.push(Span::styled(format!("{limit}  {}", stands(&standing, shown.now(), cx)), style));
        }
    }
    if shown.is_partial() {
        spans.push(Span::styled("  PARTIAL", cx.theme.amber()));
    }
    if objective.kind == ObjectiveKind::Ratio
        && let Some(measured) = shown.panel.and_then(|panel| panel.measured(Scope::Burn))
    {
        let rates: Vec<String> = measured
            .burn
            .iter()
            .map(|rate| {
                let rate = rate.map_or_else(|| "?".to_owned(), |rate| format!("{rate:.1}"));
                format!("{rate}{}", cx.theme.glyphs.times)
            })
            .collect();
        spans.push(Span::raw(format!("  burn {}", rates.join(" / "))));
    }
    let Some(measured) = shown.measured() else { return Line::from(spans) };
    if measured.left_out > 0 {
        spans.push(Span::styled(format!("  {} more series are not drawn", measured.left_out), cx.theme.dim()));
    }
    if let Some(at) = cursor {
        let worst = measured.worst_at(objective, nearest(&measured.grid, at));
        let value = worst.map_or_else(|| "no data".to_owned(), |worst| worst.shown(objective));
        let whose = worst.and_then(|worst| worst.whose()).map(|whose| format!(" {whose}")).unwrap_or_default();
        spans.push(Span::styled(format!("  at {}: {value}{whose}", cx.clock(at)), cx.theme.accent()));
    }
    Line::from(spans)
}

/// The stretch without samples in a breach, in words.
pub(crate) fn gap(unknown: Option<(DateTime<Utc>, DateTime<Utc>)>, cx: &Cx<'_>) -> String {
    let time = |at: DateTime<Utc>| at.with_timezone(&cx.zone).format("%H:%M").to_string();
    unknown.map_or_else(String::new, |(from, until)| format!(", unknown {}–{}", time(from), time(until)))
}

/// How an objective stands, in words; the value at this moment stands beside them.
fn stands(standing: &Standing<'_>, now: Option<&Measured>, cx: &Cx<'_>) -> String {
    match standing {
        Standing::NotAsked => "not asked yet".to_owned(),
        Standing::Unanswered { since } => {
            format!("no answer since {}", cx.clock(cx.incident.clock().show(*since)))
        }
        Standing::Failed(why) => format!("FAILED: {why}"),
        Standing::Empty => "0 series".to_owned(),
        Standing::NoValue(Some(worst)) if worst.is_beyond => "beyond its buckets".to_owned(),
        Standing::NoValue(_) => "no data".to_owned(),
        Standing::Met(Some(_)) => "met".to_owned(),
        Standing::Met(None) => "met, 0 series".to_owned(),
        Standing::Breached { lasting: Lasting { since, at_least, unknown }, .. } => {
            let at_least = if *at_least { "at least " } else { "" };
            let until = now.map_or(cx.now, |measured| measured.grid.end());
            format!("BREACHED {at_least}{}{}", minutes(until - *since), gap(*unknown, cx))
        }
    }
}

/// What happened: declared, acknowledged, updates, mitigation, resolution, steps.
fn marks(cx: &Cx<'_>) -> Vec<Mark> {
    let letter = |event: &Event| {
        let entered = |phase| matches!(event, Event::PhaseEntered(body) if body.phase == phase);
        let marks = [
            (matches!(event, Event::Declared(_)), 'D'),
            (matches!(event, Event::Acknowledged(_)), 'A'),
            (matches!(event, Event::StatusUpdatePosted(_)), 'U'),
            (matches!(event, Event::DecisionMade(body) if body.go), 'X'),
            (entered(Phase::Mitigating), 'M'),
            (entered(Phase::Resolved), 'R'),
            (matches!(event, Event::StepChecked(_)), 'S'),
        ];
        marks.into_iter().find(|(is, _)| *is).map(|(_, letter)| letter)
    };
    let clock = cx.incident.clock();
    let changes = cx.live.changes.values().flat_map(|(_, found)| &found.changes);
    let changes = changes.map(|change| Mark { at: clock.show(change.at), letter: 'C' });
    let entries = cx.incident.entries();
    let entries = entries.filter_map(|entry| Some(Mark { at: cx.incident.time(entry), letter: letter(&entry.event)? }));
    changes.chain(entries).collect()
}
