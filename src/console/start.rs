//! The start screen: no record is open, and these are the ways on.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keys::Chord;
use super::{Console, Dirty, Effect, Notice, Summary, Tone, overlay};
use crate::pane::Cx;
use crate::widget::frame::{PaneFrame, centred};
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, wrap};

/// The keys of the start screen, for the footer.
pub(crate) const HINTS: [(&str, &str); 6] =
    [("Enter", "open"), ("D", "declare"), ("g", "drill"), ("w", "starter config"), ("?", "help"), ("q", "quit")];

/// The ways on from here that are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Declare,
    Drill,
    Config,
}

const WAYS: [(Way, &str, &str); 3] = [
    (Way::Declare, "D", "declare an incident"),
    (Way::Drill, "g", "run the drill Alipay Timeout Storm (simulated: needs no server)"),
    (Way::Config, "w", "write a starter config that says where Prometheus and Jaeger are"),
];

/// What the start screen knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Start {
    list: Vec<Summary>,
    selection: Selection,
}

impl Start {
    pub(crate) fn take(&mut self, list: Vec<Summary>) {
        self.list = list;
    }

    fn rows(&self) -> usize {
        self.list.len() + WAYS.len()
    }

    pub(crate) fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, notice: Option<&Notice>) {
        let rows = u16::try_from(self.rows()).unwrap_or(u16::MAX).saturating_add(8);
        let area = centred(area, 100, rows.max(12));
        let inner = PaneFrame::new("warroom", true).remark(cx.me.to_string()).draw(area, buf, cx.theme);
        let inside = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), ..inner };
        // From the bottom up: what was said or refused, the ways on, and above them as many records as there is room for.
        let said = notice.map(|notice| wrap(&notice.text, usize::from(inside.width))).unwrap_or_default();
        let said_rows = u16::try_from(said.len()).unwrap_or(u16::MAX).clamp(1, 2);
        let said_y = inner.bottom().saturating_sub(said_rows).max(inner.y);
        for (line, y) in said.into_iter().zip(said_y..inner.bottom()) {
            let line = Line::styled(line, notice.map_or(cx.theme.text(), |notice| notice.tone.style(cx.theme)));
            buf.set_line(inside.x, y, &fit_line(line, usize::from(inside.width)), inside.width);
        }
        let blank = u16::from(inner.height >= 9);
        let ways_y = said_y.saturating_sub(WAYS.len() as u16 + blank).max(inner.y);
        for ((place, (_, key, words)), y) in WAYS.iter().enumerate().zip(ways_y..said_y) {
            let line = self.row(self.list.len() + place, format!("{key}  {words}"), cx);
            buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
        }
        let records = inner.y + blank..ways_y.saturating_sub(blank);
        if self.list.is_empty() {
            let line = Line::styled("no incident is open on this host", cx.theme.dim());
            if !records.is_empty() {
                buf.set_line(inside.x, records.start, &fit_line(line, usize::from(inside.width)), inside.width);
            }
            return;
        }
        let room = u16::try_from(records.len()).unwrap_or(u16::MAX);
        for (place, y) in self.selection.in_sight(self.list.len(), room).zip(records) {
            let line = self.row(place, overlay::summary_line(&self.list[place]), cx);
            buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
        }
    }

    fn row(&self, place: usize, text: String, cx: &Cx<'_>) -> Line<'static> {
        let is_here = place == self.selection.place(self.rows());
        let marker = if is_here { cx.theme.glyphs.here } else { " " };
        let line = Line::from(vec![Span::raw(format!("{marker} ")), Span::raw(text)]);
        if is_here { line.style(cx.theme.selection(true)) } else { line }
    }
}

impl Console {
    /// Takes a key of the start screen; says whether it was one.
    pub(super) fn start_key(&mut self, chord: Chord, wall: DateTime<Utc>, effects: &mut Vec<Effect>) -> bool {
        let Some(start) = &mut self.start else { return false };
        let key = |code| Chord::from(KeyEvent::new(code, KeyModifiers::NONE));
        self.dirty = Dirty::ALL;
        let way = if chord == key(KeyCode::Down) || chord == key(KeyCode::Char('j')) {
            start.selection.go(1, start.rows());
            return true;
        } else if chord == key(KeyCode::Up) || chord == key(KeyCode::Char('k')) {
            start.selection.go(-1, start.rows());
            return true;
        } else if chord == key(KeyCode::Enter) {
            let selected = start.selection.place(start.rows());
            if let Some(summary) = start.list.get(selected) {
                effects.push(Effect::Open(summary.id));
                return true;
            }
            WAYS[selected - start.list.len()].0
        } else if chord == key(KeyCode::Char('D')) {
            Way::Declare
        } else if chord == key(KeyCode::Char('g')) {
            Way::Drill
        } else if chord == key(KeyCode::Char('w')) {
            Way::Config
        } else {
            return false;
        };
        match way {
            Way::Declare => {
                let form = overlay::declare(&self.cx(wall));
                self.show(form);
            }
            Way::Drill | Way::Config if !self.may_write() => {
                self.say(Tone::Refused, self.looks_only().to_owned(), wall);
            }
            Way::Drill => effects.push(Effect::StartDrill),
            Way::Config => effects.push(Effect::WriteStarterConfig),
        }
        true
    }
}
