//! What is due: the countdown to the next update in big digits, the nearest other obligation beside it, and the whole list.
//!
//! Seconds tick on the nearest obligation only; everything else is in minutes, so that a screen on which nothing happens costs next to nothing.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::due::{alarm, grouped, next_tick, remedy, urgency, width};
use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, acts_from_table};
use crate::incident::{Obligation, Phase, cadence};
use crate::theme::Alarm;
use crate::widget::digits;
use crate::widget::text::{countdown, fit_line, minutes};

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
    Act::write("satisfy", &["Enter"], "do what is due: acknowledge, or compose the update", Next::satisfy),
];

/// The list of obligations, and which one is selected.
#[derive(Debug, Default)]
struct Next {
    selected: usize,
}

impl Next {
    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        let last = grouped(&cx.obligations()).len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
        Vec::new()
    }

    fn satisfy(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let obligations = cx.obligations();
        match grouped(&obligations).get(self.selected) {
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
        let area = if area.height >= 8 {
            let question = Line::styled(cx.incident.phase().question(), cx.theme.dim());
            buf.set_line(area.x, area.bottom() - 1, &fit_line(question, usize::from(area.width)), area.width);
            Rect { height: area.height - 1, ..area }
        } else {
            area
        };
        // The update is always here under its name; what is due sooner stands beside it, never instead.
        let nearest = &obligations[0];
        let big = cadence::next_update(&obligations).unwrap_or(nearest);
        let top = Rect { height: area.height.min(2), ..area };
        let used = draw_big(big, big.due == nearest.due, top, buf, cx);
        let list =
            if area.height >= 6 { Rect { y: area.y + 3, height: area.height - 3, ..area } } else { Rect::default() };
        if nearest.due != big.due {
            let rest = Rect { x: area.x + used + 2, width: area.width.saturating_sub(used + 2), ..top };
            let left = countdown(nearest.left(cx.now));
            let lines = [format!("sooner: {}", nearest.name), format!("{left}  {}", owner(nearest))];
            for (text, y) in lines.into_iter().zip(rest.y..rest.bottom()) {
                let line = fit_line(Line::from(text).style(urgency(nearest, cx)), usize::from(rest.width));
                buf.set_line(rest.x, y, &line, rest.width);
            }
        }
        for ((place, (name, obligation)), y) in rows.iter().enumerate().zip(list.y..list.bottom()) {
            let is_here = is_focused && place == self.selected;
            let word = match alarm(obligation, cx) {
                Alarm::Calm => "",
                Alarm::Amber => " soon",
                Alarm::Red => " OVERDUE",
            };
            let marker = if is_here { cx.theme.glyphs.here } else { " " };
            let line = Line::from(vec![
                Span::styled(
                    format!("{marker}{:>9}{word}  ", minutes(obligation.left(cx.now))),
                    urgency(obligation, cx),
                ),
                Span::raw(format!("{name} · ")),
                Span::raw(owner(obligation).to_owned()),
                Span::styled(format!("  {}", remedy(&obligation.duty).1), cx.theme.key()),
            ]);
            buf.set_line(list.x, y, &fit_line(line, usize::from(list.width)), list.width);
            if is_here {
                buf.set_style(Rect { y, height: 1, ..list }, cx.theme.selection(true));
            }
        }
    }
}

impl Pane for Next {
    acts_from_table!();

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
    let text = if ticks { countdown(left) } else { left.num_minutes().to_string() };
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
    let unit = if ticks { "" } else { "min " };
    let lines = [
        format!("{unit}{word} {name}"),
        format!("{} · {} {}", owner(obligation), remedy(&obligation.duty).1, remedy(&obligation.duty).0),
    ];
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    for (line, y) in lines.into_iter().zip(area.y..area.bottom()) {
        let room = area.right().saturating_sub(x);
        buf.set_line(x, y, &fit_line(Line::from(line).style(style), usize::from(room)), room);
    }
    taken.width + 2 + widest
}

fn nothing_due(cx: &Cx<'_>) -> Vec<Line<'static>> {
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
    vec![Line::from(words), Line::styled(cx.incident.phase().question(), cx.theme.dim())]
}
