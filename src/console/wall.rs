//! The wall screen: readable from four metres, nothing to scroll, nobody at the keys.
//!
//! Severity, service and phase in the largest letters that fit; the next obligation in big digits; one graph; who is who; the last three lines that
//! people wrote.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Console;
use crate::incident::timeline::Hand;
use crate::incident::{Role, Severity};
use crate::pane::due::{alarm, grouped, urgency};
use crate::pane::{Cx, PaneId, graphs, holder_name};
use crate::theme::Alarm;
use crate::widget::digits;
use crate::widget::frame::PaneFrame;
use crate::widget::text::{countdown, fit_line, minutes};

/// Draws the whole wall.
pub(super) fn draw(console: &Console, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let banner = Rect { height: (area.height / 5).clamp(3, 14).min(area.height), ..area };
    headline(console, banner, buf, cx);
    let rest = Rect { y: banner.bottom(), height: area.height - banner.height, ..area };
    let foot_rows = (rest.height / 4).clamp(3, 7).min(rest.height);
    let middle = Rect { height: rest.height - foot_rows, ..rest };
    let foot = Rect { y: middle.bottom(), height: foot_rows, ..rest };
    let left = Rect { width: middle.width / 2, ..middle };
    let right = Rect { x: left.right(), width: middle.width - left.width, ..middle };
    next(left, buf, cx);
    if let Some(pane) = console.panes.get(PaneId::Graphs as usize) {
        let inner = PaneFrame::new(pane.title(cx), false).remark(pane.remark(cx)).draw(right, buf, cx.theme);
        graphs::draw_worst(inner, buf, cx);
    }
    people(foot, buf, cx);
}

fn headline(console: &Console, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let incident = cx.incident;
    let severity = incident.severity.unwrap_or(Severity::Sev3);
    let service = incident.services.first().map(|service| format!(" {service}")).unwrap_or_default();
    let drill = if console.is_drill() { "DRILL " } else { "" };
    let words = format!("{drill}{severity}{service} {}", incident.phase().name());
    let words = if incident.is_blank() { "no incident".to_owned() } else { words };
    let alarm = match severity {
        _ if incident.is_blank() || !incident.phase().is_live() => Alarm::Calm,
        Severity::Sev0 | Severity::Sev1 => Alarm::Red,
        Severity::Sev2 => Alarm::Amber,
        Severity::Sev3 => Alarm::Calm,
    };
    let style = cx.theme.banner(alarm);
    buf.set_style(area, style);
    let inner =
        Rect { x: area.x + 1, y: area.y, width: area.width.saturating_sub(2), height: area.height.saturating_sub(1) };
    // The last row says in small letters what the large ones have no room for.
    let mut large = words.to_uppercase();
    let mut size = digits::largest_that_fits(&large, inner, cx.theme.glyphs);
    if size == digits::Size::Text {
        large = format!("{severity} {}", incident.phase().name()).to_uppercase();
        size = digits::largest_that_fits(&large, inner, cx.theme.glyphs);
    }
    digits::draw(&large, size, inner, style, cx.theme.glyphs, buf);
    let elapsed =
        incident.elapsed(cx.now).map(|elapsed| format!(" · {} since detection", minutes(elapsed))).unwrap_or_default();
    let small = format!(
        "{} · {}{elapsed} · {}",
        console.open_record().map(|id| id.to_string()).unwrap_or_default(),
        incident.title,
        cx.now.with_timezone(&cx.zone).format("%H:%M %Z")
    );
    let line = fit_line(Line::from(small).style(style), usize::from(inner.width));
    buf.set_line(inner.x, area.bottom().saturating_sub(1), &line, inner.width);
}

fn next(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let obligations = cx.obligations();
    let rows = grouped(&obligations);
    let inner = PaneFrame::new("next", false).draw(area, buf, cx.theme);
    let Some((name, nearest)) = rows.first() else {
        buf.set_line(inner.x, inner.y, &Line::from("nothing is due"), inner.width);
        return;
    };
    let style = urgency(nearest, cx);
    let others = u16::try_from(rows.len() - 1).unwrap_or(0).min(inner.height / 3);
    let digits_area = Rect { height: inner.height.saturating_sub(others + 2), ..inner };
    let left = countdown(nearest.left(cx.now));
    let size = digits::largest_that_fits(&left, digits_area, cx.theme.glyphs);
    let taken = digits::draw(&left, size, digits_area, style, cx.theme.glyphs, buf);
    let word = match alarm(nearest, cx) {
        Alarm::Calm => "",
        Alarm::Amber => " · soon",
        Alarm::Red => " · OVERDUE",
    };
    let owner = nearest.owner.as_deref().unwrap_or("nobody");
    let y = (taken.bottom() + 1).min(inner.bottom().saturating_sub(1));
    let line = Line::from(format!("{name} · {owner}{word}")).style(style);
    buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
    for ((name, obligation), y) in rows.iter().skip(1).zip(y + 1..inner.bottom()) {
        let owner = obligation.owner.as_deref().unwrap_or("nobody");
        let line = Line::from(format!("{:>8}  {name} · {owner}", minutes(obligation.left(cx.now))))
            .style(urgency(obligation, cx));
        buf.set_line(inner.x, y, &fit_line(line, usize::from(inner.width)), inner.width);
    }
}

fn people(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
    let inner = PaneFrame::new("who, and what people wrote last", false).draw(area, buf, cx.theme);
    let mut spans = Vec::new();
    for role in Role::ALL {
        let name = holder_name(cx.incident, role);
        let style = if name == "nobody" { cx.theme.amber() } else { cx.theme.text() };
        spans.push(Span::styled(format!("{} ", role.short()), cx.theme.dim()));
        spans.push(Span::styled(format!("{name}    "), style));
    }
    buf.set_line(inner.x, inner.y, &fit_line(Line::from(spans), usize::from(inner.width)), inner.width);
    let view = cx.incident.timeline();
    let human: Vec<_> = (0..view.len())
        .rev()
        .filter(|place| view.hand(*place) == Some(Hand::Human))
        .filter_map(|place| view.line(place))
        .take(3)
        .collect();
    for (line, y) in human.into_iter().rev().zip(inner.y + 1..inner.bottom()) {
        let text = format!("{}  {:<9} {}  {}", cx.minute(line.at), line.tag, line.text.first_line(), line.actor);
        buf.set_line(inner.x, y, &fit_line(Line::from(text), usize::from(inner.width)), inner.width);
    }
}
