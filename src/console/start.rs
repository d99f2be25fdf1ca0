//! The start screen: no record is open, and these are the ways on.

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keys::Chord;
use super::message::fitted;
use super::{Console, Dirty, Effect, Known, Notice, Summary, Tone, overlay};
use crate::alert::title;
use crate::incident::Severity;
use crate::live::Freshness;
use crate::pane::{Cx, alerts};
use crate::text::{CleanStr, CleanText, Sought};
use crate::widget::editor::edit_at_end;
use crate::widget::frame::{PaneFrame, centred};
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, wrap};

/// The keys of the start screen, for the footer.
pub(crate) const HINTS: [(&str, &str); 7] = [
    ("Enter", "open"),
    ("/", "filter"),
    ("D", "declare"),
    ("g", "drill"),
    ("w", "starter config"),
    ("?", "help"),
    ("q", "quit"),
];
/// The keys while a filter is typed.
pub(crate) const FILTER_HINTS: [(&str, &str); 4] =
    [("Enter", "open"), ("Up Down", "choose"), ("Esc", "all of them"), ("F1", "help")];

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
    /// All records, the most urgent first.
    all: Vec<Summary>,
    /// Those that the filter leaves.
    list: Vec<Summary>,
    selection: Selection,
    filter: String,
    is_filtering: bool,
    /// How much of the journal that is; nothing before it was read.
    reading: Reading,
}

/// How much of the journal was read.
#[derive(Clone, Debug, Default, PartialEq)]
enum Reading {
    /// Nothing yet.
    #[default]
    Begun,
    /// All of it.
    Whole,
    /// Not all, or nothing: why.
    Lacks(CleanText),
}

impl Start {
    /// Other records; the row that was selected stays selected, wherever it is now.
    pub(crate) fn take(&mut self, known: Known<Vec<Summary>>) {
        let (list, why) = known.parts();
        self.reading = why.map_or(Reading::Whole, Reading::Lacks);
        let (place, before) = (self.selection.place(usize::MAX), self.list.len());
        let selected = self.list.get(place).map(|summary| summary.id);
        self.all = list;
        self.sift();
        match selected.and_then(|id| self.list.iter().position(|summary| summary.id == id)) {
            Some(place) => self.selection.select(place),
            // An alert or a way on, which stand below the records.
            None if place > 0 && place >= before => self.selection.select(self.list.len() + place - before),
            None => {}
        }
    }

    /// Whether letters go into the filter.
    pub(crate) fn is_filtering(&self) -> bool {
        self.is_filtering
    }

    fn sift(&mut self) {
        let words = Sought::words(&self.filter);
        let has = |summary: &&Summary| {
            let severity = summary.severity.map_or("", Severity::name);
            let service = summary.service.as_deref().unwrap_or_default();
            let commander = summary.commander.as_deref().unwrap_or_default();
            let (id, phase, title) = (summary.id, summary.phase.name(), &summary.title);
            words.is_in(&format!("{id} {severity} {phase} {service} {commander} {title}"))
        };
        self.list = self.all.iter().filter(has).cloned().collect();
    }

    fn filter_key(&mut self, chord: Chord) -> bool {
        match chord.code() {
            KeyCode::Backspace if self.filter.is_empty() => self.is_filtering = false,
            KeyCode::Esc => {
                self.filter.clear();
                self.is_filtering = false;
            }
            _ if !edit_at_end(&mut self.filter, chord.event()) => return false,
            _ => {}
        }
        self.sift();
        self.selection.select(0);
        true
    }

    /// What is missing of the list, in lines of a width.
    fn lacks(&self, width: u16) -> Vec<String> {
        match &self.reading {
            Reading::Lacks(why) => wrap(why, usize::from(width)),
            Reading::Begun | Reading::Whole => Vec::new(),
        }
    }

    /// What the list is, above it: that there is nothing only where all was read.
    fn heading(&self, cx: &Cx<'_>) -> Line<'static> {
        match (&self.reading, self.all.is_empty()) {
            (Reading::Begun, true) => Line::styled("reading which incidents are open …", cx.theme.dim()),
            (Reading::Whole, true) => Line::styled("no incident is open on this host", cx.theme.dim()),
            (Reading::Lacks(_), true) => Line::styled("which incidents are open is not known:", cx.theme.red()),
            (Reading::Lacks(_), false) => Line::styled("not all that is open is known:", cx.theme.red()),
            (Reading::Begun | Reading::Whole, false) => self.count(cx),
        }
    }

    /// How many there are, in words.
    fn count(&self, cx: &Cx<'_>) -> Line<'static> {
        let all = self.all.len();
        let are = if all == 1 { "incident is" } else { "incidents are" };
        let words = match (self.is_filtering || !self.filter.is_empty(), all) {
            (true, _) => {
                let cursor = if self.is_filtering { "_" } else { "" };
                format!("/{}{cursor}  {} of {all}", self.filter, self.list.len())
            }
            (false, 1) => format!("1 {are} open on this host"),
            (false, _) => format!("{all} {are} open on this host, worst and newest first"),
        };
        Line::styled(words, cx.theme.dim())
    }

    /// The rows that can be selected: records, alerts, and the ways on.
    fn rows(&self, alerts: &[AlertRow]) -> usize {
        self.list.len() + alerts.len() + WAYS.len()
    }

    pub(crate) fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, notice: Option<&Notice>) {
        let alerts = alert_rows(cx);
        let all = self.rows(&alerts);
        let broken = u16::try_from(cx.catalogue.broken.len()).unwrap_or(u16::MAX);
        let lacks = self.lacks(area.width.min(100).saturating_sub(6));
        // Each cause is told once.
        let notice = notice.filter(|notice| self.reading != Reading::Lacks(CleanText::new(&notice.text)));
        let headings = if alerts.is_empty() { 0 } else { 2 } + u16::from(!self.all.is_empty());
        let rows = u16::try_from(all + lacks.len()).unwrap_or(u16::MAX).saturating_add(8 + headings);
        let rows = rows.saturating_add(broken);
        let area = centred(area, 100, rows.max(12));
        let inner = PaneFrame::new("warroom", true).remark(cx.me.to_string()).draw(area, buf, cx.theme);
        let inside = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), ..inner };
        // From the bottom up: what was said or refused, the ways on, and above them as many records as there is room for.
        let said = notice.map(|notice| wrap(&notice.text, usize::from(inside.width))).unwrap_or_default();
        let said = match said.len() > 3 {
            true => notice.map(|notice| fitted(&notice.text, usize::from(inside.width), 3)).unwrap_or_default(),
            false => said,
        };
        let said_rows = u16::try_from(said.len()).unwrap_or(u16::MAX).max(1);
        let said_y = inner.bottom().saturating_sub(said_rows).max(inner.y);
        for (line, y) in said.into_iter().zip(said_y..inner.bottom()) {
            let line = Line::styled(line, notice.map_or(cx.theme.text(), |notice| notice.tone.style(cx.theme)));
            buf.set_line(inside.x, y, &fit_line(line, usize::from(inside.width)), inside.width);
        }
        let blank = u16::from(inner.height >= 9);
        let ways_y = said_y.saturating_sub(WAYS.len() as u16 + blank).max(inner.y);
        for ((place, (_, key, words)), y) in WAYS.iter().enumerate().zip(ways_y..said_y) {
            let line = self.row(all - WAYS.len() + place, all, format!("{key}  {words}"), cx);
            buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
        }
        let mut records = inner.y + blank..ways_y.saturating_sub(blank);
        if !alerts.is_empty() {
            // Below the records, so that an alert that comes moves none of them from under a finger; at least half of the room.
            let others = u16::try_from(self.list.len().max(1)).unwrap_or(u16::MAX) + blank;
            let all_rows = u16::try_from(records.len()).unwrap_or(u16::MAX);
            let wanted = u16::try_from(alerts.len() + 1).unwrap_or(u16::MAX);
            let room = wanted.min(all_rows.saturating_sub(others).max(all_rows.div_ceil(2)));
            let mut y = records.end - room;
            records.end = y.saturating_sub(blank).max(records.start);
            if room > 1 {
                let words = "alerts that no open incident covers: Enter or d declares one from it";
                let line = Line::styled(words, cx.theme.amber());
                buf.set_line(inside.x, y, &fit_line(line, usize::from(inside.width)), inside.width);
                y += 1;
            }
            let here = self.selection.place(all).saturating_sub(self.list.len());
            let mut selection = Selection::default();
            selection.select(here.min(alerts.len() - 1));
            let end = ways_y.saturating_sub(blank);
            let sight = selection.in_sight(alerts.len(), end.saturating_sub(y));
            for (place, y) in sight.zip(y..end) {
                let line = self.row(self.list.len() + place, all, alerts[place].words.clone(), cx);
                buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
            }
        }
        if records.is_empty() {
            return;
        }
        // A service that has none of its own steps must be known before it is needed.
        for (service, (why, _)) in &cx.catalogue.broken {
            if records.len() < 3 {
                break;
            }
            let words = format!("the playbook of {service} cannot be read: {why}");
            let line = Line::styled(words, cx.theme.red());
            buf.set_line(inside.x, records.start, &fit_line(line, usize::from(inside.width)), inside.width);
            records.start += 1;
        }
        let heading = self.heading(cx);
        let mut room = u16::try_from(records.len()).unwrap_or(u16::MAX);
        // Where one row is left, it is a record's.
        if self.list.is_empty() || room > 1 {
            buf.set_line(inside.x, records.start, &fit_line(heading, usize::from(inside.width)), inside.width);
            records.start += 1;
            room -= 1;
        }
        // The remedy stands at the end of a sentence: it must fit, and records keep a row where there are some.
        let most = usize::from(room.saturating_sub(u16::from(!self.list.is_empty())));
        for line in lacks.into_iter().take(most) {
            buf.set_line(inside.x, records.start, &Line::styled(line, cx.theme.red()), inside.width);
            records.start += 1;
            room -= 1;
        }
        if self.list.len() > usize::from(room) && room > 1 {
            room -= 1;
            let sight = self.selection.in_sight(self.list.len(), room);
            let (above, below) = (sight.start, self.list.len() - sight.end);
            let words = match (above, below) {
                (0, below) => format!("… {below} more: PgDn, or / finds one"),
                (above, 0) => format!("… {above} more above"),
                (above, below) => format!("… {below} more below, {above} above"),
            };
            let y = records.start + room;
            let line = Line::styled(words, cx.theme.amber());
            buf.set_line(inside.x, y, &fit_line(line, usize::from(inside.width)), inside.width);
        }
        for (place, y) in self.selection.in_sight(self.list.len(), room).zip(records) {
            let line = self.row(place, all, overlay::summary_line(&self.list[place], cx.wall), cx);
            buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
        }
    }

    fn row(&self, place: usize, rows: usize, text: String, cx: &Cx<'_>) -> Line<'static> {
        let is_here = place == self.selection.place(rows);
        let marker = if is_here { cx.theme.glyphs.here } else { " " };
        let line = Line::from(vec![Span::raw(format!("{marker} ")), Span::raw(text)]);
        if is_here { line.style(cx.theme.selection(true)) } else { line }
    }
}

/// A row that stands for a burst or for one alert.
struct AlertRow {
    words: String,
    /// The alerts' fingerprints.
    alerts: Vec<CleanStr>,
}

fn alert_rows(cx: &Cx<'_>) -> Vec<AlertRow> {
    let burst = alerts::burst(cx);
    let burst = burst.map(|burst| AlertRow { words: alerts::burst_line(&burst, cx), alerts: alerts::of_burst(&burst) });
    let single = alerts::uncovered(cx).into_iter().map(|seen| {
        let stale = match seen.live.freshness {
            Freshness::Fresh => "",
            Freshness::Stale => "STALE  ",
            Freshness::Gone => "NO DATA  ",
        };
        let words = alerts::words(&seen, cx, 0).concat();
        let words = format!("{words} {stale}{}", title(seen.live.alert));
        AlertRow { words, alerts: vec![seen.fingerprint().clone()] }
    });
    burst.into_iter().chain(single).collect()
}

impl Console {
    /// Takes a key of the start screen; says whether it was one.
    pub(super) fn start_key(&mut self, chord: Chord, wall: DateTime<Utc>, effects: &mut Vec<Effect>) -> bool {
        let alerts = if self.start.is_some() { alert_rows(&self.cx(wall)) } else { Vec::new() };
        let Some(start) = &mut self.start else { return false };
        let rows = start.rows(&alerts);
        let selected = start.selection.place(rows);
        let alert = selected.checked_sub(start.list.len()).and_then(|place| alerts.get(place));
        let key = |code| Chord::from(KeyEvent::new(code, KeyModifiers::NONE));
        self.dirty = Dirty::ALL;
        if start.is_filtering && start.filter_key(chord) {
            return true;
        }
        let far = [(KeyCode::PageDown, 10), (KeyCode::PageUp, -10), (KeyCode::Home, isize::MIN)];
        if let Some((_, by)) = far.into_iter().find(|(code, _)| chord == key(*code)) {
            start.selection.go(by, rows);
            return true;
        }
        if chord == key(KeyCode::End) {
            start.selection.select(start.list.len().saturating_sub(1));
            return true;
        }
        if chord == key(KeyCode::Char('/')) && !start.all.is_empty() {
            start.is_filtering = true;
            return true;
        }
        if chord == key(KeyCode::Esc) && !start.filter.is_empty() {
            return start.filter_key(chord);
        }
        let way = if chord == key(KeyCode::Down) || chord == key(KeyCode::Char('j')) {
            start.selection.go(1, rows);
            return true;
        } else if chord == key(KeyCode::Up) || chord == key(KeyCode::Char('k')) {
            start.selection.go(-1, rows);
            return true;
        } else if chord == key(KeyCode::Enter) {
            if let Some(alert) = alert {
                self.declare_from(&alert.alerts, wall, effects);
                return true;
            }
            if let Some(summary) = start.list.get(selected) {
                effects.push(Effect::Open(summary.id));
                return true;
            }
            WAYS[selected - start.list.len() - alerts.len()].0
        } else if chord == key(KeyCode::Char('D')) {
            Way::Declare
        } else if chord == key(KeyCode::Char('d')) {
            // From the selected alert, else from the first, which needs somebody most.
            match alert.or(alerts.first()) {
                Some(alert) => self.declare_from(&alert.alerts, wall, effects),
                None => {
                    let none = "no alert fires without an incident: D declares one";
                    let said = alerts::none_or_unknown(none, &self.cx(wall));
                    self.say(Tone::Refused, said, wall);
                }
            }
            return true;
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
