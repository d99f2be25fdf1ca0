//! A chart of values over time: lines in Braille, the threshold under them, scale, times, events and a cursor.
//!
//! Hides how moments become columns and values rows ([`place`], `scale`), and what is drawn where there is no Braille
//! (`dots`). Where there are more samples than columns of dots, a column shows everything from the least to the
//! greatest of them.
//!
//! Invariant: a moment without a finite value is a gap, never a guess: no line is drawn across it, no bar stands there.

mod dots;
pub mod place;
mod scale;

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::text::{columns, fit};
use crate::theme::Theme;
use dots::Dots;
pub use place::{Moments, Places};
use scale::Scale;

/// Above so many lines they are a crowd: all dim but the worst.
const CROWD: usize = 8;
/// Below so many rows a chart is a bar of levels.
const LEAST_ROWS: u16 = 3;
/// From so many rows on there is one for the times.
const ROWS_WITH_TIMES: u16 = 4;
/// Below so many columns there is no scale.
const LEAST_COLUMNS_WITH_SCALE: u16 = 16;

/// On which side values are worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Worse {
    /// High ones: latency, errors. The scale begins at zero.
    #[default]
    Higher,
    /// Low ones: availability. The scale begins near the lowest, where zero is far away.
    Lower,
}

/// Something that happened: a dotted line down to a letter among the times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: DateTime<Utc>,
    /// What, in a letter that is one column wide.
    pub letter: char,
}

/// A chart, as values: see [`Chart::draw`].
#[derive(Clone, Copy)]
pub struct Chart<'a> {
    /// The moments that all lines share.
    pub moments: Moments,
    /// Of each line a value for each moment; missing, NaN and infinite ones are gaps.
    pub lines: &'a [&'a [Option<f64>]],
    /// The value that should not be crossed.
    pub threshold: Option<f64>,
    /// Which side of it is bad.
    pub worse: Worse,
    /// A value for people, with its unit.
    pub value: &'a dyn Fn(f64) -> String,
    /// A moment for people, in their zone.
    pub time: &'a dyn Fn(DateTime<Utc>) -> String,
    /// How far their zone is from UTC, so that times stand at full hours there.
    pub zone: TimeDelta,
    /// What happened.
    pub marks: &'a [Mark],
    /// The sample under the cursor.
    pub cursor: Option<usize>,
    /// Everything is older than it should be.
    pub is_stale: bool,
}

/// A label beside the scale, where no line can run over it.
struct Label {
    /// Its row of the plot.
    row: u16,
    text: String,
    kind: Labelled,
}

/// What a label says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Labelled {
    /// A round number of the scale.
    Tick,
    /// The threshold, in its row.
    Threshold,
    /// The threshold, which is out of sight above.
    Above,
    /// The threshold, which is out of sight below.
    Below,
}

impl Label {
    /// The columns that it takes, with the arrow of what is out of sight.
    fn columns(&self) -> u16 {
        let arrow = match self.kind {
            Labelled::Tick | Labelled::Threshold => 0,
            Labelled::Above | Labelled::Below => 1,
        };
        columns(&self.text) as u16 + arrow
    }
}

/// Where the parts of a chart are.
struct Layout {
    scale: Scale,
    /// The threshold, then the scale's labels from the lowest.
    labels: Vec<Label>,
    plot: Rect,
    times: Option<Rect>,
}

impl Chart<'_> {
    /// Where the samples are in an area: for a cursor that moves by columns.
    pub fn places(&self, area: Rect) -> Places {
        Places::new(self.moments, self.layout(area).plot)
    }

    /// Draws into an area that is blank.
    ///
    /// ```text
    ///    4 ┤                    ⡠⠒⠊⠉⠒⠤⣀⡠⠤⠒⠒⠉
    ///    2 ┤                ⣀⠔⠁   ┆
    /// 0.80 ┤┄┄┄┄┄┄┄┄┄┄┄┄┄┄⠔⠁┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
    ///       ╵13:30       ╵13:45   D   ╵14:00
    /// ```
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        let layout = self.layout(area);
        let places = Places::new(self.moments, layout.plot);
        if area.height < LEAST_ROWS {
            self.draw_levels(&layout, &places, buf, theme);
        } else {
            // Of a crowd only the worst stands out.
            let worst = if self.lines.len() > CROWD { self.worst() } else { None };
            let dots = self.dots(&layout, &places, worst, theme);
            self.draw_scale(area, &layout, buf, theme);
            self.draw_marks(&layout, &places, buf, theme);
            self.draw_threshold(&layout, buf, theme);
            dots.draw(layout.plot, buf, |line| self.style(line, worst, theme));
            self.draw_times(&layout, &places, buf, theme);
        }
        if let Some(x) = self.cursor.and_then(|place| places.column(place)) {
            for y in layout.plot.top()..layout.plot.bottom() {
                buf[(x, y)].set_style(theme.selection(true));
            }
        }
    }

    fn layout(&self, area: Rect) -> Layout {
        let (min, max) = self.extremes();
        let has_times = area.height >= ROWS_WITH_TIMES;
        let rows = area.height - u16::from(has_times);
        let scale = Scale::around(min, max, self.threshold, self.worse, usize::from(rows));
        let mut plot = Rect { height: rows, ..area };
        let mut labels = Vec::new();
        if area.height >= LEAST_ROWS && area.width >= LEAST_COLUMNS_WITH_SCALE {
            let room = usize::from(area.width / 3);
            // The threshold comes first: a label of the scale in its row makes way.
            labels.extend(self.threshold_label(&scale, rows));
            for tick in scale.ticks() {
                let (row, text) = (scale.row(tick, rows), (self.value)(tick));
                if labels.iter().all(|label| label.row != row && label.text != text) {
                    labels.push(Label { row, text, kind: Labelled::Tick });
                }
            }
            for label in &mut labels {
                label.text = fit(&label.text, room).into_owned();
            }
            // A label, a blank, and the line of the scale.
            let wide = labels.iter().map(Label::columns).max().unwrap_or(0) + 2;
            plot = Rect { x: area.x + wide, width: area.width - wide, ..plot };
        }
        let times = has_times.then(|| Rect { y: area.bottom() - 1, height: 1, ..plot });
        Layout { scale, labels, plot, times }
    }

    /// The least and the greatest value that can be drawn.
    fn extremes(&self) -> (f64, f64) {
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in self.lines.iter().flat_map(|line| line.iter().take(self.moments.len)).flatten() {
            if value.is_finite() {
                min = min.min(*value);
                max = max.max(*value);
            }
        }
        (min, max)
    }

    /// Which of a crowd ends worst.
    fn worst(&self) -> Option<usize> {
        let last = |line: &[Option<f64>]| {
            let newest = line.iter().take(self.moments.len).rev().flatten().find(|value| value.is_finite())?;
            Some(match self.worse {
                Worse::Higher => *newest,
                Worse::Lower => -newest,
            })
        };
        let ends = self.lines.iter().enumerate().filter_map(|(line, values)| Some((last(values)?, line)));
        ends.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, line)| line)
    }

    fn style(&self, line: usize, worst: Option<usize>, theme: &Theme) -> Style {
        if self.is_stale {
            theme.stale()
        } else if self.lines.len() <= CROWD {
            theme.series(line)
        } else if Some(line) == worst {
            theme.series(0)
        } else {
            theme.dim()
        }
    }

    fn dots(&self, layout: &Layout, places: &Places, worst: Option<usize>, theme: &Theme) -> Dots {
        let mut dots = Dots::new(layout.plot, theme.glyphs.is_unicode);
        let spots = places.spots();
        // What is drawn last owns the cells that it shares: the worst, or the first.
        let others = (0..self.lines.len()).rev().filter(|line| Some(*line) != worst);
        for line in others.chain(worst) {
            dots.trace(line, self.lines[line], &spots, &layout.scale);
        }
        dots
    }

    fn draw_scale(&self, area: Rect, layout: &Layout, buf: &mut Buffer, theme: &Theme) {
        let Some(line) = layout.plot.x.checked_sub(1).filter(|line| *line > area.x) else { return };
        for label in &layout.labels {
            let (arrow, style) = match label.kind {
                Labelled::Tick => ("", theme.axis()),
                Labelled::Threshold => ("", theme.threshold()),
                Labelled::Above => (theme.glyphs.up, theme.threshold()),
                Labelled::Below => (theme.glyphs.down, theme.threshold()),
            };
            let y = layout.plot.y + label.row;
            let x = line.saturating_sub(1 + label.columns()).max(area.x);
            buf.set_stringn(x, y, format!("{arrow}{}", label.text), usize::from(line - x), style);
            if arrow.is_empty() {
                put(buf, line, y, theme.glyphs.scale, style);
            }
        }
    }

    fn draw_marks(&self, layout: &Layout, places: &Places, buf: &mut Buffer, theme: &Theme) {
        for x in self.marks.iter().filter_map(|mark| places.column_of(mark.at)) {
            for y in layout.plot.top()..layout.plot.bottom() {
                put(buf, x, y, theme.glyphs.dotted, theme.axis());
            }
        }
    }

    fn draw_threshold(&self, layout: &Layout, buf: &mut Buffer, theme: &Theme) {
        let threshold = self.threshold().filter(|threshold| layout.scale.beyond(*threshold).is_none());
        let Some(threshold) = threshold else { return };
        let row = layout.scale.row(threshold, layout.plot.height);
        for x in layout.plot.left()..layout.plot.right() {
            put(buf, x, layout.plot.y + row, theme.glyphs.dashed, theme.threshold());
        }
    }

    /// The threshold's value beside the scale: in its row, or, out of sight, with an arrow near the edge that it is beyond.
    fn threshold_label(&self, scale: &Scale, rows: u16) -> Option<Label> {
        let threshold = self.threshold()?;
        let value = (self.value)(threshold);
        Some(match scale.beyond(threshold) {
            None => Label { row: scale.row(threshold, rows), text: value, kind: Labelled::Threshold },
            Some(true) => Label { row: 1, text: value, kind: Labelled::Above },
            Some(false) => Label { row: rows.saturating_sub(2), text: value, kind: Labelled::Below },
        })
    }

    fn threshold(&self) -> Option<f64> {
        self.threshold.filter(|threshold| threshold.is_finite())
    }

    fn draw_times(&self, layout: &Layout, places: &Places, buf: &mut Buffer, theme: &Theme) {
        let Some(times) = layout.times else { return };
        let mut taken = vec![false; usize::from(times.width)];
        for mark in self.marks {
            if let Some(x) = places.column_of(mark.at) {
                put(buf, x, times.y, mark.letter.encode_utf8(&mut [0; 4]), theme.text());
                taken[usize::from(x - times.x)] = true;
            }
        }
        let wide = columns(&(self.time)(self.moments.start)) as u16 + 1;
        for tick in places.ticks(wide + 3, self.zone) {
            let Some(x) = places.column_of(tick) else { continue };
            let label = (self.time)(tick);
            let start = usize::from(x - times.x);
            let end = start + 1 + columns(&label);
            if end <= taken.len() && !taken[start..end].contains(&true) {
                put(buf, x, times.y, theme.glyphs.moment, theme.axis());
                buf.set_stringn(x + 1, times.y, &label, usize::from(times.right() - x - 1), theme.axis());
                // A blank between two labels.
                taken[start..(end + 1).min(times.width.into())].fill(true);
            }
        }
    }

    /// One bar a column: the worst of all lines there, red where it breaks the threshold.
    fn draw_levels(&self, layout: &Layout, places: &Places, buf: &mut Buffer, theme: &Theme) {
        let plot = layout.plot;
        let mut bars: Vec<Option<f64>> = vec![None; usize::from(plot.width)];
        let spots = places.spots();
        for line in self.lines {
            let mut before: Option<(usize, f64)> = None;
            for (value, spot) in line.iter().zip(&spots) {
                let Some(value) = value.filter(|value| value.is_finite()) else {
                    before = None;
                    continue;
                };
                let column = usize::from(spot / 2);
                // A sample lasts until the next one, where samples are wider than columns.
                if let Some((from, held)) = before {
                    (from + 1..column).for_each(|between| self.raise(&mut bars[between], held));
                }
                self.raise(&mut bars[column], value);
                before = Some((column, value));
            }
        }
        let levels = theme.glyphs.levels;
        let most = usize::from(plot.height) * levels.len();
        for (x, bar) in (plot.left()..plot.right()).zip(bars) {
            let Some(value) = bar else { continue };
            let height = ((layout.scale.share(value) * most as f64).ceil() as usize).clamp(1, most);
            let is_broken = self.threshold.is_some_and(|threshold| match self.worse {
                Worse::Higher => value >= threshold,
                Worse::Lower => value <= threshold,
            });
            let style = if self.is_stale {
                theme.stale()
            } else if is_broken {
                theme.red()
            } else {
                theme.series(0)
            };
            for (below, y) in (plot.top()..plot.bottom()).rev().enumerate() {
                let level = height.saturating_sub(below * levels.len()).min(levels.len());
                if level > 0 {
                    put(buf, x, y, levels[level - 1], style);
                }
            }
        }
    }

    fn raise(&self, bar: &mut Option<f64>, value: f64) {
        *bar = Some(match (*bar, self.worse) {
            (None, _) => value,
            (Some(known), Worse::Higher) => known.max(value),
            (Some(known), Worse::Lower) => known.min(value),
        });
    }
}

/// Draws a cell anew: what lay under it leaves no emphasis behind.
fn put(buf: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    let cell = &mut buf[(x, y)];
    cell.reset();
    cell.set_symbol(symbol).set_style(style);
}

#[cfg(test)]
mod tests;
