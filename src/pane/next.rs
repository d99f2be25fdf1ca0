//! What is due: the countdown to the next update in big digits, the nearest other obligation beside it, and the whole list.
//!
//! Seconds tick on the nearest obligation only; everything else is in minutes, so that a screen on which nothing happens costs next to nothing.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::due::{alarm, grouped, next_tick, remedy, steady, urgency, width};
use super::{Act, Cx, FormKind, Intent, Pane, PaneId, PaneSpec, acts_from_table};
use crate::incident::{Obligation, Phase, cadence};
use crate::theme::Alarm;
use crate::widget::digits;
use crate::widget::list::Selection;
use crate::widget::text::{countdown, fit_line, minutes, wrap};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Next,
    name: "next",
    about: "what is due, when, whose it is, and which key satisfies it",
    make: || Box::new(Next::default()),
};

const ACTS: &[Act<Next>] = &[
    Act::look("down", &["Down", "j"], "the obligation below", |pane, cx| pane.go(1, cx)),
    Act::look("up", &["Up", "k"], "the obligation above", |pane, cx| pane.go(-1, cx)),
    Act::write("satisfy", &["Enter"], "do what is due", Next::satisfy),
    Act::write("snooze", &["s"], "put it off for some minutes, with a reason", Next::snooze),
];

/// The list of obligations, and which one is selected.
#[derive(Debug, Default)]
struct Next {
    selection: Selection,
}

impl Next {
    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        self.selection.go(by, grouped(&cx.obligations()).len());
        Vec::new()
    }

    fn snooze(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let obligations = cx.obligations();
        let rows = grouped(&obligations);
        match rows.get(self.selection.place(rows.len())) {
            Some((_, obligation)) if !obligation.duty.is_snoozable() => {
                vec![Intent::Say("the acknowledge clock cannot be put off".to_owned())]
            }
            Some((_, obligation)) => vec![Intent::Form(FormKind::Snooze(obligation.duty.clone()))],
            None => vec![Intent::Say("nothing is due".to_owned())],
        }
    }

    fn satisfy(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let obligations = cx.obligations();
        let rows = grouped(&obligations);
        match rows.get(self.selection.place(rows.len())) {
            Some((_, obligation)) => vec![Intent::Satisfy(obligation.duty.clone())],
            None => vec![Intent::Say("nothing is due".to_owned())],
        }
    }
}

impl Next {
    fn paint(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let obligations = cx.obligations();
        let rows = grouped(&obligations);
        if rows.is_empty() {
            for (line, y) in nothing_due(cx).into_iter().zip(area.y..area.bottom()) {
                buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
            }
            return;
        }
        let asked = draw_question(area, buf, cx);
        let area = Rect { height: area.height - asked, ..area };
        // The update is always here under its name; what is due sooner stands beside it, never instead.
        let nearest = &obligations[0];
        let big = cadence::next_update(&obligations).unwrap_or(nearest);
        let top = Rect { height: area.height.min(2), ..area };
        let used = draw_big(big, big.due == nearest.due, top, buf, cx);
        let below = Rect { y: area.y + top.height, height: area.height - top.height, ..area };
        let taken = if nearest.due == big.due { 0 } else { draw_sooner(nearest, used, top, below, buf, cx) };
        if below.height >= taken + 2 {
            // A blank row between what is pressing and all that is due.
            let gone = taken + 1;
            let list = Rect { y: below.y + gone, height: below.height - gone, ..below };
            self.draw_list(&rows, list, buf, cx, is_focused);
        }
    }

    fn draw_list(&self, rows: &[(String, &Obligation)], area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) {
        let selected = self.selection.place(rows.len());
        let words = rows.iter().map(|(_, obligation)| width(urgency_word(obligation, cx))).max().unwrap_or(0);
        let entry = |place: usize, is_whole: bool| {
            let (name, obligation) = &rows[place];
            let is_here = is_focused && place == selected;
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            let time = minutes(obligation.left(cx.now));
            let head = format!("{marker}{time:>9}{:<1$}  ", urgency_word(obligation, cx), usize::from(words));
            let indent = usize::from(width(&head));
            let key = format!("  {}", remedy(&obligation.duty, cx.incident).1);
            let put_off = if obligation.snoozed.is_some() { " (put off)" } else { "" };
            let text = format!("{name} · {}{put_off}", owner(obligation));
            let room = usize::from(area.width).saturating_sub(indent + key.len()).max(8);
            let parts = if is_whole { wrap(&text, room) } else { vec![text] };
            let last = parts.len() - 1;
            parts
                .into_iter()
                .enumerate()
                .map(|(part, text)| {
                    let head = if part == 0 { head.clone() } else { " ".repeat(indent) };
                    let key = if part == last { key.clone() } else { String::new() };
                    let line = Line::from(vec![
                        Span::styled(head, steady(obligation, cx)),
                        Span::raw(text),
                        Span::styled(key, cx.theme.key()),
                    ]);
                    (is_here, line)
                })
                .collect::<Vec<_>>()
        };
        // Whole names where there is room for all of them, a row each where there is not.
        let whole: Vec<_> = (0..rows.len()).flat_map(|place| entry(place, true)).collect();
        let lines = if whole.len() <= usize::from(area.height) {
            whole
        } else {
            self.selection.in_sight(rows.len(), area.height).flat_map(|place| entry(place, false)).collect()
        };
        for ((is_here, line), y) in lines.into_iter().zip(area.y..area.bottom()) {
            buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
            if is_here {
                buf.set_style(Rect { y, height: 1, ..area }, cx.theme.selection(true));
            }
        }
    }
}

/// The question that moves the phase on, in the last rows, where there is room for more than what is due. Returns the rows that it took.
fn draw_question(area: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> u16 {
    if area.height < 8 {
        return 0;
    }
    let lamp = cx.lamps().into_iter().next();
    let mut lines: Vec<String> = lamp
        .iter()
        .flat_map(|lamp| wrap(&format!("{} {lamp}", cx.theme.glyphs.here), usize::from(area.width)))
        .collect();
    lines.extend(wrap(&cx.incident.question(), usize::from(area.width)));
    if area.height < 10 {
        lines = vec![lines.swap_remove(0)];
    }
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height / 4);
    for (line, y) in lines.into_iter().zip(area.bottom() - rows..area.bottom()) {
        let line = fit_line(Line::styled(line, cx.theme.dim()), usize::from(area.width));
        buf.set_line(area.x, y, &line, area.width);
    }
    rows
}

/// What is due sooner than the update in big digits, or overdue: beside it where both rows fit whole, else in a row below. Returns the rows taken below.
fn draw_sooner(obligation: &Obligation, used: u16, beside: Rect, below: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> u16 {
    let (left, name, style) = (obligation.left(cx.now), &obligation.name, urgency(obligation, cx));
    let is_late = left < chrono::TimeDelta::zero();
    let (left, what) = if is_late { (countdown(-left), "OVERDUE") } else { (countdown(left), "sooner") };
    let rest = Rect { x: beside.x + used + 2, width: beside.width.saturating_sub(used + 2), ..beside };
    let lines = [format!("{what}: {name}"), format!("{left}  {}", owner(obligation))];
    if rest.height >= 2 && lines.iter().all(|line| width(line) <= rest.width) {
        for (line, y) in lines.into_iter().zip(rest.y..rest.bottom()) {
            buf.set_line(rest.x, y, &Line::from(line).style(style), rest.width);
        }
        return 0;
    }
    if below.height == 0 {
        return 0;
    }
    let line = match is_late {
        true => format!("{what} {left}: {name} · {}", owner(obligation)),
        false => format!("{left} {what}: {name} · {}", owner(obligation)),
    };
    let line = Line::from(line).style(style);
    buf.set_line(below.x, below.y, &fit_line(line, usize::from(below.width)), below.width);
    1
}

fn urgency_word(obligation: &Obligation, cx: &Cx<'_>) -> &'static str {
    match alarm(obligation, cx) {
        Alarm::Calm => "",
        Alarm::Amber => " soon",
        Alarm::Red => " OVERDUE",
    }
}

impl Pane for Next {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self::default();
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        format!("next · {}", cx.incident.phase().name().to_uppercase())
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        self.paint(area, buf, cx, is_focused);
        None
    }
    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        let obligations = cx.obligations();
        let nearest = obligations.first()?;
        let minute = |due: DateTime<Utc>| {
            cx.now + TimeDelta::milliseconds((due - cx.now).num_milliseconds().rem_euclid(60_000) + 1)
        };
        let turns = obligations.iter().flat_map(|one| [one.amber, one.due, minute(one.due)]).filter(|at| *at > cx.now);
        turns.chain([next_tick(nearest.due, cx.now)]).min()
    }
}

fn owner(obligation: &Obligation) -> &str {
    obligation.owner.as_deref().unwrap_or("nobody")
}

/// The countdown in big digits with its name beside it; seconds only where they tick.
fn draw_big(obligation: &Obligation, ticks: bool, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) -> u16 {
    let left = obligation.left(cx.now);
    // Where something else is due sooner, this one stands still for a minute at a time.
    let is_long = left.num_hours().abs() >= 2;
    // Nobody counts three days in minutes.
    let text = if ticks || is_long { countdown(left) } else { left.num_minutes().to_string() };
    let style = urgency(obligation, cx);
    let room = Rect { width: area.width * 2 / 3, ..area };
    let size = digits::largest_that_fits(&text, room, cx.theme.glyphs);
    let taken = digits::draw(&text, size, area, style, cx.theme.glyphs, buf);
    let word = match alarm(obligation, cx) {
        Alarm::Calm => "until the next",
        Alarm::Amber => "soon: the next",
        Alarm::Red => "OVERDUE: the",
    };
    let x = area.x + taken.width + 2;
    let name = if obligation.duty.channel().is_some() { "update" } else { obligation.name.as_str() };
    let unit = if ticks || is_long { "" } else { "min " };
    let (act, key) = remedy(&obligation.duty, cx.incident);
    let lines = [format!("{unit}{word} {name}"), format!("{} · {key} {act}", owner(obligation))];
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        let room = area.right().saturating_sub(x);
        buf.set_line(x, y, &fit_line(Line::from(line).style(style), usize::from(room)), room);
    }
    taken.width + 2 + widest
}

fn nothing_due(cx: &Cx<'_>) -> Vec<Line<'static>> {
    if !cx.is_read {
        return vec![Line::from("reading the record …")];
    }
    if cx.incident.is_blank() {
        return vec![
            Line::from("nothing is due: no incident is declared"),
            Line::styled("D declares one", cx.theme.dim()),
        ];
    }
    let words = match cx.incident.phase() {
        Phase::Resolved => "resolved: nothing is due to be told",
        Phase::PostIncident | Phase::Closed => "nothing is due",
        Phase::Detected | Phase::Acknowledged | Phase::Triage | Phase::Mitigating => "nothing is promised",
    };
    vec![Line::from(words), Line::styled(cx.incident.question(), cx.theme.dim())]
}
