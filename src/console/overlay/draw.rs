//! How overlays look: a frame in the middle, above the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::compose::{Compose, Part};
use super::declare::{DeclareForm, Field};
use super::{Ask, Overlay, Palette, Pick, Reading};
use crate::console::actions::{self, Listed, Scope};
use crate::incident::{Channel, Role, Severity};
use crate::pane::{Cx, PANES, Purpose};
use crate::text::columns;
use crate::widget::frame::{PaneFrame, centred, clear};
use crate::widget::fuzzy;
use crate::widget::text::{fit_line, wrap};

/// The most columns of a list of choices, with its frame.
const PICK_WIDTH: u16 = 96;

impl Overlay {
    /// Draws it; says where the terminal's cursor belongs.
    pub(crate) fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        match self {
            Self::Help { top } => {
                help(*top, screen, buf, cx);
                None
            }
            Self::Palette(palette) => palette.draw(screen, buf, cx),
            Self::Pick(pick) | Self::Records(pick, _) => {
                pick.draw(screen, buf, cx);
                None
            }
            Self::Ask(ask) => ask.draw(screen, buf, cx),
            Self::Declare(form) => form.draw(screen, buf, cx),
            Self::Compose(compose) => compose.draw(screen, buf, cx),
            Self::Form(form) => form.draw(screen, buf, cx),
            Self::Run(dialog) => dialog.draw(screen, buf, cx),
            Self::Text(reading) => {
                reading.draw(screen, buf, cx);
                None
            }
        }
    }
}

/// A frame that says so in a drill: at the smallest sizes it covers the header.
pub(super) fn frame(
    title: &str,
    hint: &str,
    width: u16,
    height: u16,
    screen: Rect,
    buf: &mut Buffer,
    cx: &Cx<'_>,
) -> Rect {
    let area = centred(screen, width, height);
    clear(area, buf);
    let mark = if cx.incident.drill.is_some() { "DRILL · " } else { "" };
    PaneFrame::new(format!("{mark}{title}"), true).hint(hint.to_owned()).draw(area, buf, cx.theme)
}

pub(super) fn put(line: Line<'_>, y: u16, area: Rect, buf: &mut Buffer) {
    if y < area.bottom() {
        buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
    }
}

/// The keys of an action as help and palette show them.
fn key_names(listed: &Listed) -> String {
    if listed.keys.is_empty() { format!(":{}", listed.name) } else { listed.keys.join(" ") }
}

fn help(top: usize, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let inner = frame(
        "every key",
        "Up Down scroll · any other key closes",
        96,
        screen.height.saturating_sub(2),
        screen,
        buf,
        cx,
    );
    let all = actions::all();
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut section = |title: String, scope: Scope| {
        if !lines.is_empty() {
            lines.push(Line::from(""));
        }
        lines.push(Line::styled(title, cx.theme.title(false)));
        for listed in all.iter().filter(|listed| listed.scope == scope) {
            lines.push(Line::from(vec![
                Span::styled(format!("  {:<18}", key_names(listed)), cx.theme.key()),
                Span::raw(listed.help),
            ]));
        }
    };
    section("everywhere".to_owned(), Scope::Everywhere);
    for (place, spec) in PANES.iter().enumerate() {
        section(format!("{} {} · {}", place + 1, spec.name, spec.about), Scope::Pane(spec.id));
    }
    lines.push(Line::from(""));
    lines.push(Line::styled("the scribe's line", cx.theme.title(false)));
    for (what, means) in [
        ("-5m text", "it happened five minutes ago (-90s, -2h)"),
        ("14:10 text", "it happened at 14:10, in the incident's zone"),
        ("decision: text", "a kind of line: note, decision, action, finding, todo, can"),
        ("Ctrl+J", "a new line, as Alt+Enter and Shift+Enter; Enter records; a paste never does"),
        ("Alt+B Alt+F Alt+D", "by words, in every text field, as arrows with Ctrl or Alt; Alt+Backspace"),
        ("Ctrl+_  Ctrl+Y", "take back and do again, while typing"),
        ("Esc", "leave the line; what was typed stays"),
    ] {
        lines.push(Line::from(vec![Span::styled(format!("  {what:<18}"), cx.theme.key()), Span::raw(means)]));
    }
    let last = lines.len().saturating_sub(usize::from(inner.height));
    for (line, y) in lines.into_iter().skip(top.min(last)).zip(inner.y..inner.bottom()) {
        put(line, y, inner, buf);
    }
}

impl Palette {
    fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let keys = if self.found.is_empty() { "Esc leaves" } else { "Enter runs · Esc leaves" };
        let inner = frame("commands", keys, 90, 18, screen, buf, cx);
        let cursor =
            self.editor.draw(Rect { height: 1, ..inner }, buf, cx.theme, Line::from(":"), "type a part of its name");
        let rows = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
        let first = (self.selected + 1).saturating_sub(usize::from(rows.height));
        for ((place, hit), y) in self.found.iter().enumerate().skip(first).zip(rows.y..rows.bottom()) {
            let listed = &self.all[hit.index];
            let is_here = place == self.selected;
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            let mut line = fuzzy::highlight(&Palette::name(listed), &hit.letters, cx.theme.text(), cx.theme.found());
            line.spans.insert(0, Span::raw(format!("{marker} ")));
            line.spans
                .push(Span::styled(format!("  {}", listed.keys.first().copied().unwrap_or_default()), cx.theme.key()));
            put(if is_here { line.style(cx.theme.selection(true)) } else { line }, y, rows, buf);
        }
        cursor
    }
}

impl Pick {
    /// The keys that do something here: where no row is, none is taken.
    fn keys(&self) -> &'static str {
        if self.rows.is_empty() {
            "Esc leaves"
        } else if self.sifted().is_empty() {
            "Backspace widens · Esc leaves"
        } else {
            "Enter takes · / narrows · Esc leaves"
        }
    }

    fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let rows = u16::try_from(self.rows.len().max(1)).unwrap_or(u16::MAX);
        // What is the matter is read here whole: a choice hangs on it.
        let width = usize::from(PICK_WIDTH.min(screen.width).saturating_sub(5)).max(1);
        let said: Vec<String> = self.notes.iter().flat_map(|note| wrap(note, width)).collect();
        let height = rows.saturating_add(u16::try_from(said.len()).unwrap_or(u16::MAX)).saturating_add(2);
        let title = match &self.filter {
            Some(words) => format!("{} · /{words}_", self.title),
            None => self.title.clone(),
        };
        let inner = frame(&title, self.keys(), PICK_WIDTH, height, screen, buf, cx);
        // Where it does not fit, the notes give way to the choices, and say so.
        let room = usize::from(inner.height.saturating_sub(rows));
        let notes = u16::try_from(said.len().min(room)).unwrap_or(u16::MAX);
        for (place, (note, y)) in said.iter().zip(inner.y..inner.y + notes).enumerate() {
            let rest = said.len() - place;
            let line = if place + 1 == room && rest > 1 {
                Line::styled(format!("  … {} more", crate::text::many(rest, "line")), cx.theme.amber())
            } else {
                Line::styled(format!("  {note}"), cx.theme.dim())
            };
            put(line, y, inner, buf);
        }
        let inner = Rect { y: inner.y + notes, height: inner.height - notes, ..inner };
        if self.rows.is_empty() {
            put(Line::styled(self.empty, cx.theme.dim()), inner.y, inner, buf);
        }
        // The columns of a list hold beyond its ninth row.
        let digits = self.rows.len().to_string().len();
        let sifted = self.sifted();
        if sifted.is_empty() && !self.rows.is_empty() {
            put(Line::styled("no row has these words", cx.theme.dim()), inner.y, inner, buf);
        }
        // What does not fit is not out of sight without a word.
        let is_cut = sifted.len() > usize::from(inner.height) && inner.height > 1;
        let room = usize::from(inner.height) - usize::from(is_cut);
        let first = (self.selected + 1).saturating_sub(room);
        if is_cut {
            let words =
                format!("  … {} rows, these are {} to {}", sifted.len(), first + 1, (first + room).min(sifted.len()));
            put(Line::styled(words, cx.theme.amber()), inner.bottom() - 1, inner, buf);
        }
        for (at, ((place, text), y)) in sifted
            .into_iter()
            .enumerate()
            .skip(first)
            .take(room)
            .zip(inner.y..inner.bottom())
            .map(|((at, row), y)| (at, (row, y)))
        {
            let is_here = at == self.selected;
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            let line = Line::from(format!("{marker} {:>digits$} {text}", place + 1));
            put(if is_here { line.style(cx.theme.selection(true)) } else { line }, y, inner, buf);
        }
    }
}

impl Reading {
    fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let width = usize::from(screen.width.saturating_sub(6).min(94));
        let rows: Vec<String> = self.text.lines().flat_map(|line| wrap(line, width)).collect();
        let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2);
        let inner = frame(&self.title, "Up Down scroll · y copies · any other key closes", 98, height, screen, buf, cx);
        let last = rows.len().saturating_sub(usize::from(inner.height));
        for (row, y) in rows.into_iter().skip(self.top.min(last)).zip(inner.y..inner.bottom()) {
            put(Line::raw(row), y, inner, buf);
        }
    }
}

impl Ask {
    fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let (question, hint) = (&self.question.title, "Enter answers · Esc leaves");
        let width = screen.width.min(96);
        if columns(question) + columns(hint) + 20 <= usize::from(width) {
            let inner = frame(question, hint, 96, 3, screen, buf, cx);
            return self.editor.draw(inner, buf, cx.theme, Line::default(), "");
        }
        // What does not fit into the frame stands below it in full: what is asked for comes last in the sentence.
        let room = usize::from(width.saturating_sub(4).max(1));
        let parts: Vec<_> = question.split_inclusive("; ").flat_map(|part| wrap(part.trim_end(), room)).collect();
        let most = usize::from(screen.height.saturating_sub(5).max(2));
        let height = u16::try_from(parts.len().min(most)).unwrap_or(u16::MAX).saturating_add(3);
        let title = if matches!(self.question.purpose, Purpose::Reason(_)) {
            "why?"
        } else if matches!(self.question.purpose, Purpose::Facilitate) {
            "facilitate"
        } else {
            "?"
        };
        let mut inner = frame(title, hint, 96, height, screen, buf, cx);
        let hidden = parts.len().saturating_sub(most);
        let kept = if hidden > 0 { most.saturating_sub(2) } else { parts.len() };
        let more = (hidden > 0).then(|| format!("… {} more lines", parts.len() - kept - 1));
        let rest = parts.last().filter(|_| hidden > 0).cloned();
        for line in parts.into_iter().take(kept).chain(more).chain(rest) {
            put(Line::raw(line), inner.y, inner, buf);
            inner = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
        }
        self.editor.draw(inner, buf, cx.theme, Line::default(), "")
    }
}

impl DeclareForm {
    fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let notes = self.notes(cx);
        let fixed = 10 + u16::try_from(notes.len()).unwrap_or(u16::MAX);
        let rows = u16::try_from(self.services.len()).unwrap_or(u16::MAX);
        let height = rows.saturating_add(fixed).saturating_add(2);
        let hint = "Enter goes on, at the title it declares · p private · Tab · Esc leaves";
        // No `frame`, which says so in a drill: what is declared is none.
        let area = centred(screen, 96, height);
        clear(area, buf);
        let inner =
            PaneFrame::new("declare an incident".to_owned(), true).hint(hint.to_owned()).draw(area, buf, cx.theme);
        // Where it does not fit, services go out of sight before the title does.
        let rows = rows.min(inner.height.saturating_sub(fixed).max(1));
        let first = (self.service + 1).saturating_sub(usize::from(rows));
        let mut inner = inner;
        for note in notes {
            put(Line::styled(format!("  {note}"), cx.theme.amber()), inner.y, inner, buf);
            inner = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1), ..inner };
        }
        let mut y = inner.y;
        let heading = |text: &str, is_here: bool| {
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            Line::from(format!("{marker} {text}")).style(cx.theme.title(is_here))
        };
        let option = |text: String, is_chosen: bool, is_here: bool| {
            let marker = if is_chosen { cx.theme.glyphs.full } else { cx.theme.glyphs.empty };
            let line = Line::from(format!("    {marker} {text}"));
            if is_chosen { line.style(cx.theme.selection(is_here)) } else { line }
        };
        put(heading("service", self.field == Field::Service), y, inner, buf);
        for (place, (_, name)) in self.services.iter().enumerate().skip(first).take(usize::from(rows)) {
            y += 1;
            put(
                option(format!("{} {name}", place + 1), place == self.service, self.field == Field::Service),
                y,
                inner,
                buf,
            );
        }
        y += 1;
        put(heading("severity", self.field == Field::Severity), y, inner, buf);
        for (place, level) in Severity::ALL.into_iter().enumerate() {
            y += 1;
            let text = format!("{place} {level}  {}", level.definition());
            put(option(text, place == self.severity, self.field == Field::Severity), y, inner, buf);
        }
        y += 1;
        put(heading("title: what is wrong, in a few words", self.field == Field::Title), y, inner, buf);
        let line = Rect { x: inner.x + 4, y: y + 1, width: inner.width.saturating_sub(4), height: 1 };
        let cursor =
            self.title.draw(line.intersection(inner), buf, cx.theme, Line::default(), "p99 over 2 s on payments");
        y += 2;
        put(heading("source: a ticket, a message (may stay empty)", self.field == Field::Link), y, inner, buf);
        let line = Rect { x: inner.x + 4, y: y + 1, width: inner.width.saturating_sub(4), height: 1 };
        let at_link = self.link.draw(line.intersection(inner), buf, cx.theme, Line::default(), "https://");
        match self.field {
            Field::Title => cursor,
            Field::Link => at_link,
            Field::Service | Field::Severity => None,
        }
    }
}

/// Texts as they leave; how much is below what fits is said.
fn as_it_leaves(lines: &[String], area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let width = usize::from(area.width);
    let wrapped: Vec<String> = lines.iter().flat_map(|line| wrap(line, width)).collect();
    let height = usize::from(area.height);
    let fits = if wrapped.len() > height { height.saturating_sub(1) } else { height };
    let more = wrapped.len().saturating_sub(fits);
    let last = (more > 0).then(|| Line::styled(format!("… {} more", crate::text::many(more, "line")), cx.theme.dim()));
    let shown = wrapped.iter().take(fits).map(|line| Line::styled(line.clone(), cx.theme.text()));
    for (y, line) in (area.y..area.bottom()).zip(shown.chain(last)) {
        put(line, y, area, buf);
    }
}

impl Compose {
    fn draw(&self, screen: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> Option<Position> {
        let is_own = cx.i_hold(Role::IncidentCommander);
        let is_drill = cx.incident.drill.is_some();
        let service = |channel| cx.reach.leads(channel, cx.incident).filter(|_| !is_drill);
        let goes_out = self.channels.iter().any(|channel| service(*channel).is_some());
        let (title, hint) = match (self.draft, is_own) {
            (Some(_), _) if goes_out => (
                "approve this text: it goes out where it is marked, the rest by hand",
                "Ctrl+S approves and SENDS · Ctrl+X sends it back · Tab next part · Esc leaves",
            ),
            (None, true) if goes_out => (
                "status update: it goes out where it is marked, the rest by hand",
                "Ctrl+S approves and SENDS · Tab next part · Esc leaves",
            ),
            (Some(_), _) => (
                "approve this text, then tell it by hand",
                "Ctrl+S approves · Ctrl+X sends it back · Tab next part · Esc leaves",
            ),
            (None, true) => (
                "status update: tell it, then record it here",
                "Ctrl+S records that it was told · Tab next part · Esc leaves",
            ),
            (None, false) => {
                ("status update: the IC approves it", "Ctrl+S hands it to the IC · Tab next part · Esc leaves")
            }
        };
        let inner = frame(title, hint, 100, screen.height.min(28), screen, buf, cx);
        let heading = |text: String, is_here: bool| {
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            Line::from(format!("{marker} {text}")).style(cx.theme.title(is_here))
        };
        // The text keeps at least a third; what it rests on takes what is left.
        let remarks = self.remarks(cx);
        let fixed = 5 + u16::from(!remarks.is_empty());
        let mut spare = inner.height.saturating_sub(fixed + (inner.height / 3).max(4));
        let mut y = inner.y;
        let mut aside = |words: &str, lines: Vec<String>, y: &mut u16, buf: &mut Buffer| {
            if spare < 2 || lines.is_empty() {
                return;
            }
            put(Line::styled(format!("  {words}"), cx.theme.dim()), *y, inner, buf);
            *y += 1;
            spare -= 1;
            for line in lines.into_iter().take(usize::from(spare)) {
                put(Line::styled(format!("    {line}"), cx.theme.dim()), *y, inner, buf);
                *y += 1;
                spare -= 1;
            }
        };
        let previous = self.previous.iter().flat_map(|text| text.lines()).take(3).map(str::to_owned).collect();
        aside("the last one said:", previous, &mut y, buf);
        let words = if self.draft.is_some() { "recorded since this was written:" } else { "recorded since:" };
        aside(words, self.since.iter().map(ToString::to_string).collect(), &mut y, buf);
        // Where it is chosen who gets it stands what they get.
        let leaves = if self.part == Part::Channels && !is_drill { self.leaves(cx) } else { Vec::new() };
        let words = match (leaves.is_empty(), goes_out) {
            (false, _) => "text, as it leaves",
            (true, true) => "text (how it reads in each channel stands here at \u{201c}told where\u{201d})",
            (true, false) => "text",
        };
        put(heading(words.to_owned(), self.part == Part::Text), y, inner, buf);
        let below = inner.bottom().saturating_sub(fixed - 1);
        let area = Rect {
            x: inner.x + 4,
            y: y + 1,
            width: inner.width.saturating_sub(4),
            height: below.saturating_sub(y + 1),
        };
        let area = area.intersection(inner);
        let cursor = if leaves.is_empty() {
            let hint = "what is known, what is done, what comes next";
            self.text.draw(area, buf, cx.theme, Line::default(), hint)
        } else {
            as_it_leaves(&leaves, area, buf, cx);
            None
        };
        y = below;
        if let Some(remark) = remarks.first() {
            put(Line::styled(format!("  {remark}"), cx.theme.amber()), y, inner, buf);
            y += 1;
        }
        let mut services: Vec<&str> = crate::incident::Channel::ALL.into_iter().filter_map(service).collect();
        services.sort_unstable();
        services.dedup();
        let where_to = match services.as_slice() {
            [] => "told where, by hand (Space ticks)".to_owned(),
            _ => format!(
                "told where, {} by {}, else by hand (Space ticks)",
                cx.theme.glyphs.here,
                services.join(" and ")
            ),
        };
        let template = format!(
            "template: {} · {} (Left Right: who reads it, Up Down: how far it is)",
            self.audience.name(),
            self.status.name()
        );
        put(heading(template, self.part == Part::Template), y, inner, buf);
        put(heading(where_to, self.part == Part::Channels), y + 1, inner, buf);
        let mut spans = vec![Span::raw("    ")];
        for (place, channel) in Channel::ALL.into_iter().enumerate() {
            let tick = if self.channels.contains(&channel) { cx.theme.glyphs.done } else { " " };
            let is_here = self.part == Part::Channels && place == self.at_channel;
            let style = if is_here { cx.theme.selection(true) } else { cx.theme.text() };
            let out = if service(channel).is_some() { cx.theme.glyphs.here } else { "" };
            spans.push(Span::styled(format!("[{tick}] {}{out}", channel.name()), style));
            spans.push(Span::raw("  "));
        }
        put(Line::from(spans), y + 2, inner, buf);
        let promise = if self.promises_another(cx) {
            format!(
                "the next one is promised for {} (Left Right: in {} min)",
                cx.clock(self.promised(cx)),
                self.minutes()
            )
        } else {
            "this is the last one: no other is promised".to_owned()
        };
        put(heading(promise, self.part == Part::Promise), y + 3, inner, buf);
        cursor.filter(|_| self.part == Part::Text)
    }
}
