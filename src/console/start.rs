//! The start screen: no record is open, and these are the ways on.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keys::Chord;
use super::{Console, Dirty, Effect, Summary, Tone, overlay};
use crate::pane::Cx;
use crate::widget::frame::{PaneFrame, centred};
use crate::widget::text::fit_line;

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
    (Way::Drill, "g", "run the drill Alipay Timeout Storm (simulated: needs no server, changes nothing)"),
    (Way::Config, "w", "write a starter config that says where Prometheus and Jaeger are"),
];

/// What the start screen knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Start {
    list: Vec<Summary>,
    selected: usize,
}

impl Start {
    pub(crate) fn take(&mut self, list: Vec<Summary>) {
        self.list = list;
        self.selected = self.selected.min(self.rows() - 1);
    }

    fn rows(&self) -> usize {
        self.list.len() + WAYS.len()
    }

    pub(crate) fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let rows = u16::try_from(self.rows()).unwrap_or(u16::MAX).saturating_add(6);
        let area = centred(area, 100, rows.max(12));
        let inner = PaneFrame::new("warroom", true).remark(cx.me.to_string()).draw(area, buf, cx.theme);
        let mut lines: Vec<Line<'_>> = vec![Line::from("")];
        if self.list.is_empty() {
            lines.push(Line::styled("  no incident is open on this host", cx.theme.dim()));
        }
        for (place, summary) in self.list.iter().enumerate() {
            lines.push(self.row(place, overlay::summary_line(summary), cx));
        }
        lines.push(Line::from(""));
        for (place, (_, key, words)) in WAYS.iter().enumerate() {
            lines.push(self.row(self.list.len() + place, format!("{key}  {words}"), cx));
        }
        for (y, line) in (inner.y..inner.bottom()).zip(lines) {
            buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
        }
    }

    fn row(&self, place: usize, text: String, cx: &Cx<'_>) -> Line<'static> {
        let is_here = place == self.selected;
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
            start.selected = (start.selected + 1).min(start.rows() - 1);
            return true;
        } else if chord == key(KeyCode::Up) || chord == key(KeyCode::Char('k')) {
            start.selected = start.selected.saturating_sub(1);
            return true;
        } else if chord == key(KeyCode::Enter) {
            if let Some(summary) = start.list.get(start.selected) {
                effects.push(Effect::Open(summary.id));
                return true;
            }
            WAYS[start.selected - start.list.len()].0
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
