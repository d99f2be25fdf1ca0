//! The wall screen: readable from four metres, nothing to scroll, nobody at the keys.
//!
//! Severity, service and phase in the largest letters that fit; the next obligation and its owner in big letters; one graph with its value; who is who;
//! the last three texts that people wrote. What does not fit in big letters stands in small ones.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Console;
use super::draw::objections;
use crate::incident::{Event, Obligation, Role, Severity};
use crate::pane::due::{alarm, grouped, urgency};
use crate::pane::{Cx, PaneId, graphs};
use crate::theme::Alarm;
use crate::widget::digits::{self, Size};
use crate::widget::frame::PaneFrame;
use crate::widget::text::{countdown, fit_line, line_columns, minutes, wrap};

/// Rows of the smallest big letters, with a blank row below.
const BIG_ROWS: u16 = 6;
/// The least rows of the countdown where words stand in big letters beside it.
const DIGIT_ROWS: u16 = 10;
/// The most rows of the screen, in percent, that severity, service and phase take.
const HEADLINE_PERCENT: u16 = 30;
/// So many texts that people wrote.
const TEXTS: usize = 3;

/// Draws the whole wall.
pub(super) fn draw(console: &Console, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    // From here on there are rows enough for second thoughts in big letters.
    let is_roomy = area.height >= 50 && area.width >= 160;
    let banner = headline(console, area, is_roomy, buf, cx);
    let mut rest = Rect { y: banner.bottom(), height: area.bottom() - banner.bottom(), ..area };
    if let Some(text) = objections(cx).filter(|_| rest.height > 1) {
        let line = fit_line(Line::from(format!(" {text}")).style(cx.theme.amber()), usize::from(rest.width));
        buf.set_line(rest.x, rest.y, &line, rest.width);
        rest = Rect { y: rest.y + 1, height: rest.height - 1, ..rest };
    }
    let mut texts = texts(cx, rest.width.saturating_sub(2), 2);
    let seats = if is_roomy { BIG_ROWS + 1 } else { 1 };
    let wanted = (seats + 2).saturating_add(u16::try_from(texts.len()).unwrap_or(u16::MAX));
    let foot_rows = wanted.min((rest.height / 3).max(3 + TEXTS as u16)).min(rest.height / 2);
    let middle = Rect { height: rest.height - foot_rows, ..rest };
    let left = Rect { width: middle.width / 2, ..middle };
    let right = Rect { x: left.right(), width: middle.width - left.width, ..middle };
    next(left, buf, cx);
    if let Some(pane) = console.panes.get(PaneId::Graphs as usize) {
        let inner = PaneFrame::new(pane.title(cx), false)
            .in_drill(cx.incident.drill.is_some())
            .remark(pane.remark(cx))
            .draw(right, buf, cx.theme);
        graphs::draw_worst(inner, buf, cx);
    }
    let foot = Rect { y: middle.bottom(), height: foot_rows, ..rest };
    let inner = PaneFrame::new("who, and what people wrote last", false)
        .in_drill(cx.incident.drill.is_some())
        .draw(foot, buf, cx.theme);
    let seats = Rect { height: seats.min(inner.height), ..inner };
    if is_roomy {
        big_seats(seats, buf, cx)
    } else {
        small_seats(seats, buf, cx)
    }
    let room = usize::from(inner.bottom().saturating_sub(seats.bottom()));
    if texts.len() > room {
        texts = self::texts(cx, inner.width, 1);
        // The newest matters most.
        texts.drain(..texts.len().saturating_sub(room));
    }
    for (line, y) in texts.into_iter().zip(seats.bottom()..inner.bottom()) {
        buf.set_line(inner.x, y, &line, inner.width);
    }
}

/// Writes a text as large as an area allows; where not even small big letters fit, as it is. Returns what it took.
fn write(text: &str, area: Rect, style: Style, buf: &mut Buffer, cx: &Cx<'_>) -> Rect {
    let large = text.to_uppercase();
    match digits::largest_that_fits(&large, area, cx.theme.glyphs) {
        Size::Text => {
            let line = fit_line(Line::from(text.to_owned()).style(style), usize::from(area.width));
            let taken = Rect { height: area.height.min(1), width: line_columns(&line) as u16, ..area };
            if !taken.is_empty() {
                buf.set_line(area.x, area.y, &line, area.width);
            }
            taken
        }
        size => digits::draw(&large, size, area, style, cx.theme.glyphs, buf),
    }
}

/// The lines of the headline: those in which the letters are highest, and of equals the fewer.
fn lines(console: &Console, cx: &Cx<'_>, room: Rect) -> Vec<String> {
    let incident = cx.incident;
    if incident.is_blank() {
        return vec![if cx.is_read { "no incident" } else { "reading" }.to_owned()];
    }
    let severity = incident.severity.unwrap_or(Severity::Sev3);
    let service = incident.services.first().map(|service| format!(" {service}")).unwrap_or_default();
    let drill = match (console.is_drill(), incident.clock().is_paused()) {
        (true, true) => "DRILL PAUSED ",
        (true, false) => "DRILL ",
        (false, _) => "",
    };
    let phase = incident.phase().name();
    let ways = [
        vec![format!("{drill}{severity}{service} {phase}")],
        vec![format!("{drill}{severity}{service}"), phase.to_owned()],
        // That it is a drill is said large before how far it is.
        vec![if drill.is_empty() { format!("{severity} {phase}") } else { format!("{drill}{severity}") }],
    ];
    let height = |lines: &Vec<String>| {
        let count = lines.len() as u16;
        let each = Rect { height: (room.height + 1).saturating_sub(count) / count, ..room };
        let size = |line: &String| {
            let large = line.to_uppercase();
            digits::largest_that_fits(&large, each, cx.theme.glyphs).of(&large).1
        };
        lines.iter().map(size).min().unwrap_or(0)
    };
    let best = ways.iter().map(height).max().unwrap_or(1);
    ways.into_iter().find(|lines| height(lines) == best).unwrap_or_default()
}

/// Severity, service and phase; below them since when, and in small letters what the large ones have no room for. Returns what it took.
fn headline(console: &Console, area: Rect, is_roomy: bool, buf: &mut Buffer, cx: &Cx<'_>) -> Rect {
    let incident = cx.incident;
    let alarm = match incident.severity.unwrap_or(Severity::Sev3) {
        _ if incident.is_blank() || !incident.phase().is_live() => Alarm::Calm,
        Severity::Sev0 | Severity::Sev1 => Alarm::Red,
        Severity::Sev2 => Alarm::Amber,
        Severity::Sev3 => Alarm::Calm,
    };
    let style = cx.theme.banner(alarm);
    let margin = u16::from(area.height >= 30);
    let inner = Rect { x: area.x + 1, y: area.y + margin, width: area.width.saturating_sub(2), ..area };
    let most = u16::try_from(u32::from(area.height) * u32::from(HEADLINE_PERCENT) / 100).unwrap_or(1).max(1);
    let lines = lines(console, cx, Rect { height: most, ..inner });
    let each = (most + 1).saturating_sub(lines.len() as u16) / (lines.len() as u16).max(1);
    let rows: Vec<String> = lines.iter().map(|line| line.to_uppercase()).collect();
    let room = Rect { height: each, ..inner };
    let size = rows.iter().map(|row| digits::largest_that_fits(row, room, cx.theme.glyphs)).min().unwrap_or(Size::Text);
    let high = size.of("0").1;
    let elapsed = incident.elapsed(cx.now).map(|elapsed| format!("{} since detection", minutes(elapsed)));
    let clock = cx.now.with_timezone(&cx.zone).format("%H:%M %Z").to_string();
    let second = if is_roomy { BIG_ROWS } else { 0 };
    let count = rows.len() as u16;
    let small_y = inner.y + count * (high + 1) - u16::from(high == 1) + second;
    let banner = Rect { height: (small_y + 1 - area.y).min(area.height), ..area };
    buf.set_style(banner, style);
    for (place, row) in rows.iter().enumerate() {
        let y = inner.y + place as u16 * (high + 1);
        let at = Rect { y, height: high, ..inner }.intersection(banner);
        digits::draw(row, size, at, style, cx.theme.glyphs, buf);
    }
    let mut small: Vec<String> = console.open_record().map(|id| id.to_string()).into_iter().collect();
    let phase = incident.phase().name();
    let is_said = incident.is_blank() || rows.iter().any(|row| row.contains(&phase.to_uppercase()));
    small.extend((!is_said).then(|| phase.to_owned()));
    small.push(incident.title.to_string());
    // What the record's disk or owner does not let be written; the wall writes nothing anyway.
    small.extend(console.open.record.only_read.as_ref().map(|_| "read-only".to_owned()));
    if is_roomy {
        let at = Rect { y: small_y - second, height: BIG_ROWS - 1, ..inner }.intersection(banner);
        let words: Vec<String> = elapsed.into_iter().chain([clock]).collect();
        write(&words.join("   "), at, style, buf, cx);
    } else {
        small.extend(elapsed);
        small.push(clock);
    }
    small.retain(|part| !part.is_empty());
    let line = fit_line(Line::from(small.join(" · ")).style(style), usize::from(inner.width));
    buf.set_line(inner.x, banner.bottom().saturating_sub(1), &line, inner.width);
    banner
}

/// What is due: how long, what, whose; below it the others.
fn next(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let obligations = cx.obligations();
    let rows = grouped(&obligations);
    let inner = PaneFrame::new("next", false).in_drill(cx.incident.drill.is_some()).draw(area, buf, cx.theme);
    let Some((name, nearest)) = rows.first() else {
        let words = if cx.is_read { "nothing is due" } else { "reading the record" };
        write(words, Rect { height: inner.height.min(BIG_ROWS), ..inner }, cx.theme.text(), buf, cx);
        return;
    };
    if inner.is_empty() {
        return;
    }
    let style = urgency(nearest, cx);
    let word = match alarm(nearest, cx) {
        Alarm::Calm => "",
        Alarm::Amber => "soon",
        Alarm::Red => "OVERDUE",
    };
    let what = nearest.name.to_string();
    let whose = format!("{} {word}", owner(nearest)).trim_end().to_owned();
    let is_big = |text: &str| {
        let (text, room) = (text.to_uppercase(), Rect { height: BIG_ROWS, ..inner });
        digits::largest_that_fits(&text, room, cx.theme.glyphs) >= Size::Medium
    };
    let listed = u16::try_from(rows.len() - 1).unwrap_or(u16::MAX).min(inner.height / 3);
    // The words grow where the digits stay the largest thing.
    let room = inner.height.saturating_sub(listed + 2 + DIGIT_ROWS) / BIG_ROWS;
    let words = [&what, &whose].into_iter().take(usize::from(room)).take_while(|text| is_big(text)).collect::<Vec<_>>();
    let word_rows = BIG_ROWS * words.len() as u16;
    let time = Rect { height: inner.height.saturating_sub(word_rows + listed + 2).max(1), ..inner };
    let mut y = write(&countdown(nearest.left(cx.now)), time, style, buf, cx).bottom() + 1;
    for text in &words {
        y = write(text, Rect { y, height: BIG_ROWS - 1, ..inner }, style, buf, cx).bottom() + 1;
    }
    // In small letters what the large ones do not say: several channels of one deadline are named there.
    let mut small = Vec::new();
    if words.is_empty() || *name != what {
        small.push(Line::from(format!("{name} · {whose}")).style(style));
    } else if words.len() == 1 {
        small.push(Line::from(whose.clone()).style(style));
    }
    // With room to spare the others stand in big letters too.
    let mut rest = rows[1..].iter().peekable();
    let rows_left = |y: u16, small: usize| inner.bottom().saturating_sub(y + u16::try_from(small).unwrap_or(u16::MAX));
    if !words.is_empty() {
        for line in small.drain(..) {
            buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
            y += 2;
        }
        while let Some((_, other)) = rest.peek() {
            let text = format!("{} {}", minutes(other.left(cx.now)), other.name);
            if rows_left(y, rest.len()) < BIG_ROWS || !is_big(&text) {
                break;
            }
            y = write(&text, Rect { y, height: BIG_ROWS - 1, ..inner }, urgency(other, cx), buf, cx).bottom() + 1;
            rest.next();
        }
    }
    small.extend(rest.map(|(name, other)| {
        Line::from(format!("{:>8}  {name} · {}", minutes(other.left(cx.now)), owner(other))).style(urgency(other, cx))
    }));
    let from = y.min(inner.bottom().saturating_sub(1));
    for (line, y) in small.into_iter().zip(from..inner.bottom()) {
        buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
    }
}

fn owner(obligation: &Obligation) -> &str {
    obligation.owner.as_deref().unwrap_or("nobody")
}

/// Who holds a role, and for how long, or that the exercise plays them.
fn seat<'a>(role: Role, cx: &Cx<'a>) -> (&'a str, String, Style) {
    match cx.incident.roles.iter().find(|(seat, _)| seat.role == role) {
        Some((seat, mark)) if cx.incident.played.contains(seat) => {
            (mark.by.as_str(), " · exercise".to_owned(), cx.theme.text())
        }
        Some((_, mark)) => (mark.by.as_str(), format!(" · {}", minutes(cx.now - mark.at)), cx.theme.text()),
        None => ("nobody", String::new(), cx.theme.amber()),
    }
}

fn small_seats(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let mut spans = Vec::new();
    for role in Role::ALL {
        let (name, _, style) = seat(role, cx);
        spans.push(Span::styled(format!("{} ", role.short()), cx.theme.dim()));
        spans.push(Span::styled(format!("{name}    "), style));
    }
    buf.set_line(area.x, area.y, &fit_line(Line::from(spans), usize::from(area.width)), area.width);
}

/// Each role a quarter of the width, with the name of its holder in big letters.
fn big_seats(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let width = area.width / Role::ALL.len() as u16;
    for (place, role) in Role::ALL.into_iter().enumerate() {
        let at = Rect { x: area.x + place as u16 * width, width: width.saturating_sub(2), ..area };
        let (name, since, style) = seat(role, cx);
        let line = fit_line(Line::styled(format!("{}{since}", role.name()), cx.theme.dim()), usize::from(at.width));
        buf.set_line(at.x, at.y, &line, at.width);
        let below = Rect { y: at.y + 1, height: at.height.saturating_sub(1).min(BIG_ROWS - 1), ..at };
        write(name, below.intersection(area), style, buf, cx);
    }
}

/// Whether a person wrote words, for others to read; what a person did is in the facts.
fn is_text(event: &Event) -> bool {
    matches!(
        event,
        Event::NoteAdded(_)
            | Event::StatusUpdatePosted(_)
            | Event::DecisionMade(_)
            | Event::DecisionProposed(_)
            | Event::TaskAnswered(_)
            | Event::HypothesisSettled(_)
            | Event::HandoverAccepted(_)
    )
}

/// The last texts that people wrote, the newest last, each in so many rows at most.
fn texts(cx: &Cx<'_>, width: u16, most: usize) -> Vec<Line<'static>> {
    let view = cx.incident.timeline();
    let written = cx.incident.entries().rev().filter(|entry| is_text(&entry.event));
    let standing = written.filter_map(|entry| view.line(view.place(entry.id)?)).filter(|line| line.struck.is_none());
    let mut newest: Vec<_> = standing.take(TEXTS).collect();
    newest.reverse();
    if newest.is_empty() {
        return vec![Line::styled("what people write stands here: n on a console, or warroom note", cx.theme.dim())];
    }
    let mut lines = Vec::new();
    for line in newest {
        let head = format!("{}  {:<9} ", cx.minute(line.at), line.tag);
        let indent = head.chars().count();
        let text = format!("{} · {}", line.text.to_string().replace('\n', " "), line.actor);
        let parts = wrap(&text, usize::from(width).saturating_sub(indent).max(8));
        let rest = parts.get(most..).is_some_and(|rest| !rest.is_empty());
        for (place, part) in parts.iter().take(most).enumerate() {
            // What does not fit any more ends in a mark, in the last row.
            let part = if rest && place + 1 == most { parts[place..].join(" ") } else { part.clone() };
            let head = if place == 0 { head.clone() } else { " ".repeat(indent) };
            let row = Line::from(vec![Span::styled(head, cx.theme.dim()), Span::styled(part, cx.theme.human())]);
            lines.push(fit_line(row, usize::from(width)));
        }
    }
    lines
}
