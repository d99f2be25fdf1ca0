//! How obligations look wherever they stand: in the header, in their pane, on the wall.
//!
//! Invariant: colour never says alone what a word does not say too.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::style::{Modifier, Style};

use super::Cx;
use crate::incident::{Channel, Duty, Fate, Incident, Obligation, Role, Urgency};
use crate::text::columns;
use crate::theme::{Alarm, Theme};

/// The style of an obligation; an overdue one blinks until somebody looks.
pub fn urgency(obligation: &Obligation, cx: &Cx<'_>) -> Style {
    alarm_style(
        cx.theme,
        alarm(obligation, cx),
        obligation.urgency(cx.now) == Urgency::Overdue && is_blinking(obligation, cx),
    )
}

/// The style of an obligation among many, which does not blink: one that does is enough, and each costs bytes once a second.
pub fn steady(obligation: &Obligation, cx: &Cx<'_>) -> Style {
    alarm_style(cx.theme, alarm(obligation, cx), false)
}

/// How an obligation stands, as the theme says it.
pub fn alarm(obligation: &Obligation, cx: &Cx<'_>) -> Alarm {
    match obligation.urgency(cx.now) {
        Urgency::Calm => Alarm::Calm,
        Urgency::Soon => Alarm::Amber,
        Urgency::Overdue => Alarm::Red,
    }
}

fn is_blinking(obligation: &Obligation, cx: &Cx<'_>) -> bool {
    let due = cx.incident.clock().wall(obligation.due);
    cx.looked_at.is_none_or(|at| at < due) && (cx.now - obligation.due).num_seconds() % 2 == 0
}

fn alarm_style(theme: &Theme, alarm: Alarm, is_reversed: bool) -> Style {
    let style = theme.urgency(alarm);
    if is_reversed { style.add_modifier(Modifier::REVERSED) } else { style }
}

/// The next moment at which the countdown to `due` turns over: its seconds within the last hour, its minutes before and after that.
pub fn next_tick(due: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let left = due - now;
    let unit = if left.abs() < TimeDelta::hours(1) { 1_000 } else { 60_000 };
    let into = left.num_milliseconds().rem_euclid(unit);
    now + TimeDelta::milliseconds(if into == 0 { unit } else { into })
}

/// Obligations with the same deadline in one line: "incident channel, #status-qrpay, internal page".
pub fn grouped(obligations: &[Obligation]) -> Vec<(String, &Obligation)> {
    let mut rows: Vec<(Vec<&str>, &Obligation)> = Vec::new();
    for obligation in obligations {
        let name = obligation.duty.channel().map_or(obligation.name.as_str(), |channel| channel.name());
        let is_internal = |duty: &Duty| duty.channel().is_some_and(|channel| channel != Channel::ExternalPage);
        match rows.last_mut() {
            Some((names, first))
                if (first.due, &first.way) == (obligation.due, &obligation.way)
                    && is_internal(&first.duty)
                    && is_internal(&obligation.duty) =>
            {
                names.push(name);
            }
            Some(_) | None => rows.push((vec![name], obligation)),
        }
    }
    rows.into_iter()
        .map(|(names, obligation)| {
            let update = obligation.duty.channel().is_some();
            let way = obligation.way.as_ref().filter(|_| update).map(|way| format!(" ({way})")).unwrap_or_default();
            (format!("{}{}{way}", if update { "update " } else { "" }, names.join(", ")), obligation)
        })
        .collect()
}

/// The action that satisfies a duty, and its key.
pub fn remedy(duty: &Duty, incident: &Incident) -> (&'static str, &'static str) {
    match duty {
        // The Incident Commander acknowledges: somebody has to be that first.
        Duty::Acknowledge if incident.holder(Role::IncidentCommander).is_none() => ("take command", "R"),
        Duty::Acknowledge => ("acknowledge", "a"),
        Duty::TakeCommand => ("take command", "R"),
        Duty::Accept(_) => ("accept-role", "Enter"),
        Duty::Decide(_) => ("decide", "X"),
        Duty::Approve(_) => ("approve", "U"),
        Duty::CallBack(_) => ("call-back", "C"),
        Duty::Tell(_) => ("told", "E"),
        // It was approved: what is left is to get it there, or to say that it is.
        Duty::Update(channel) if is_stuck(*channel, incident) => ("send or told by hand", "Enter"),
        Duty::Update(_) => ("update", "u"),
        Duty::Postmortem => ("postmortem", "Enter"),
        Duty::Article => ("article", "Enter"),
        Duty::Review(_) => ("review", "Enter"),
        Duty::FollowUp(_) => ("follow-up", "Enter"),
        Duty::TakeBack(_) => ("staging", "Enter"),
    }
}

fn is_stuck(channel: Channel, incident: &Incident) -> bool {
    matches!(incident.unheard(channel), Some(Fate::Stuck(delivery)) if !delivery.state.is_over())
}

/// A width that a text takes, as the buffer counts it.
pub fn width(text: &str) -> u16 {
    u16::try_from(columns(text)).unwrap_or(u16::MAX)
}
