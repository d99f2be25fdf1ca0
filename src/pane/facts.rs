//! Scope, people, consoles: the facts that a person who comes late asks for.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Act, Cx, Intent, Pane, PaneId, PaneSpec, acts_from_table};
use crate::incident::{Detection, Role, StepEnd};
use crate::widget::text::{countdown, fit_line, minutes};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Facts,
    name: "facts",
    about: "scope, people, and the consoles that are open on this incident",
    make: || Box::new(Facts::default()),
};

const ACTS: &[Act<Facts>] = &[
    Act::look("down", &["Down", "j"], "scroll down", |pane, _| pane.scroll(1)),
    Act::look("up", &["Up", "k"], "scroll up", |pane, _| pane.scroll(-1)),
];

#[derive(Debug, Default)]
struct Facts {
    top: usize,
}

impl Facts {
    fn scroll(&mut self, by: isize) -> Vec<Intent> {
        self.top = self.top.saturating_add_signed(by);
        Vec::new()
    }
}

impl Facts {
    fn paint(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let lines = lines(cx);
        let last = lines.len().saturating_sub(usize::from(area.height));
        for (line, y) in lines.into_iter().skip(self.top.min(last)).zip(area.y..area.bottom()) {
            buf.set_line(area.x, y, &fit_line(line, usize::from(area.width)), area.width);
        }
    }
}

impl Pane for Facts {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        *self = Self::default();
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        format!("facts · {}", cx.incident.phase())
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, _is_focused: bool) -> Option<Position> {
        self.paint(area, buf, cx);
        None
    }
    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        // Times in role are in minutes.
        cx.incident
            .roles
            .values()
            .map(|mark| {
                cx.now + TimeDelta::milliseconds(60_000 - (cx.now - mark.at).num_milliseconds().rem_euclid(60_000))
            })
            .min()
    }
}

fn lines(cx: &Cx<'_>) -> Vec<Line<'static>> {
    let incident = cx.incident;
    let fact = |name: &str, value: String| {
        Line::from(vec![Span::styled(format!("{name:<12} "), cx.theme.dim()), Span::raw(value)])
    };
    let recorded = |at: Option<DateTime<Utc>>| at.map_or_else(|| "not recorded".to_owned(), |at| cx.minute(at));
    let mut lines = vec![fact("title", incident.title.to_string())];
    let services: Vec<&str> = incident.services.iter().map(|service| service.as_str()).collect();
    lines.push(fact(
        "services",
        if services.is_empty() { "not named: A names one".to_owned() } else { services.join(", ") },
    ));
    let told = match &incident.detection {
        Some(Detection::Alert { name }) => format!(" (alert {name})"),
        Some(Detection::Report { by }) => format!(" (reported by {by})"),
        None => String::new(),
    };
    lines.push(fact("detected", format!("{}{told}", recorded(incident.detected_at))));
    let acknowledged = incident.acknowledged.as_ref().map(|mark| {
        let after = incident.time_to_acknowledge().map(|after| format!(", {} after detection", countdown(after)));
        format!("{} by {}{}", cx.minute(mark.at), mark.by, after.unwrap_or_default())
    });
    lines.push(fact("acknowledged", acknowledged.unwrap_or_else(|| "not recorded: the IC does it with a".to_owned())));
    lines.push(fact("impact", impact(cx)));
    lines.extend(scope(cx).into_iter().map(|(name, value)| fact(name, value)));
    for alert in &incident.alerts {
        lines.push(fact("alert", format!("{} since {}", alert.name, cx.minute(alert.starts_at))));
    }
    for (which, corrections) in &incident.corrections {
        for known in corrections {
            let from = recorded(known.from);
            let text =
                format!("{}: {} (was {from}), {}: {}", which.name(), cx.minute(known.to), known.mark.by, known.reason);
            lines.push(fact("corrected", text));
        }
    }
    lines.push(fact("resolved", recorded(incident.resolved_at)));
    lines.push(Line::from(""));
    for role in Role::ALL {
        let mut is_held = false;
        for (seat, mark) in incident.roles.iter().filter(|(seat, _)| seat.role == role) {
            is_held = true;
            let component = seat.component.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
            lines.push(fact(
                role.short(),
                format!("{}{component}{} for {}", mark.by, incident.part(seat), minutes(cx.now - mark.at)),
            ));
        }
        if !is_held {
            let mut line = fact(role.short(), "nobody".to_owned());
            line.spans[1].style = cx.theme.amber();
            line.spans.push(Span::styled("  R takes it", cx.theme.dim()));
            lines.push(line);
        }
    }
    lines.push(Line::from(""));
    for (seat, mark) in incident.advisers(cx.now, cx.cadence.adviser) {
        lines.push(fact(
            "adviser",
            format!("{} ({}) until {}", mark.by, seat.role.short(), cx.minute(mark.at + cx.cadence.adviser)),
        ));
    }
    if let Some(watch) = cx.rotation.and_then(|rotation| rotation.on_call(cx.now)) {
        let shift = watch.shift.map(|shift| format!(" ({shift})")).unwrap_or_default();
        lines.push(fact("on call", format!("{}{shift} until {}", watch.person, cx.minute(watch.until))));
    }
    for position in cx.to_tell() {
        let told =
            incident.told.get(&position).filter(|(told, _)| cx.owed_severity().is_some_and(|owed| *told <= owed));
        match told {
            Some((severity, mark)) => {
                lines.push(fact("told", format!("{position} of {severity}, {} {}", mark.by, cx.minute(mark.at))));
            }
            None => {
                let mut line = fact("tell", format!("{position}: not told yet"));
                line.spans[1].style = cx.theme.amber();
                line.spans.push(Span::styled("  E ticks", cx.theme.dim()));
                lines.push(line);
            }
        }
    }
    for past in cx.past.iter().flat_map(|past| &past.earlier) {
        let ended =
            if past.ended_by.is_blank() { "nobody said what ended it".to_owned() } else { past.ended_by.to_string() };
        let failed = past.steps.iter().filter(|(_, end)| matches!(end, StepEnd::Failed(_)));
        let failed: String = failed.map(|(step, _)| format!("; {step} failed")).collect();
        let day = past.at.format("%Y-%m-%d");
        lines.push(fact("before", format!("{day} {} {}: {ended}{failed}", past.id, past.title)));
    }
    if let Some(why) = cx.past.and_then(|past| past.unread.as_ref()) {
        let mut line = fact("before", format!("not all is known: {}", why.first_line()));
        line.spans[1].style = cx.theme.amber();
        lines.push(line);
    }
    for lamp in cx.lamps() {
        lines.push(fact("lamp", lamp));
    }
    for change in cx.live.changes_since(cx.wall - TimeDelta::hours(2)) {
        let service = change.service.as_ref().map(|service| format!(" {service}")).unwrap_or_default();
        let at = cx.minute(incident.clock().show(change.at));
        lines.push(fact("changed", format!("{at} {}{service}: {} ({})", change.kind.word(), change.what, change.by)));
    }
    for present in cx.present {
        lines.push(fact("here", format!("{} ({})", present.actor, present.layout)));
    }
    for service in &incident.services {
        let Some(playbook) = cx.catalogue.get(service) else { continue };
        for contact in &playbook.contacts {
            lines.push(fact("contact", format!("{}: {}", contact.name, contact.how)));
        }
    }
    if incident.unrecognised > 0 {
        lines.push(fact(
            "newer",
            format!("{} entries of a newer warroom are kept and not understood", incident.unrecognised),
        ));
    }
    if incident.senseless > 0 {
        lines.push(fact("senseless", format!("{} entries change nothing where they stand", incident.senseless)));
    }
    if incident.disputed() > 0 {
        lines.push(fact("disputed", format!("{} entries came twice with different words", incident.disputed())));
    }
    lines.extend(cx.catalogue.problems.iter().map(|problem| fact("playbook", problem.clone())));
    lines.extend(cx.catalogue.drills_unread.iter().map(|why| fact("drills", why.to_string())));
    lines
}

/// What triage found; what was not asked yet is left out.
fn scope(cx: &Cx<'_>) -> Vec<(&'static str, String)> {
    let scope = &cx.incident.scope;
    let list = |names: &[crate::text::CleanStr]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    let mut facts = Vec::new();
    if !scope.geography.is_empty() {
        facts.push(("places", list(&scope.geography)));
    }
    if !scope.partners.is_empty() {
        facts.push(("partners", list(&scope.partners)));
    }
    if let Some(share) = scope.users_percent {
        facts.push(("users", format!("{share} %")));
    }
    if let Some((count, trend)) = scope.trend() {
        let trend = trend.map(|by| format!(" ({by:+} since the count before)")).unwrap_or_default();
        facts.push(("customers", format!("{count}{trend}")));
    }
    if scope.complete_outage == Some(true) {
        facts.push(("outage", "complete".to_owned()));
    }
    if scope.regulatory == Some(true) {
        facts.push(("regulator", "must know".to_owned()));
    }
    facts
}

fn impact(cx: &Cx<'_>) -> String {
    let impact = &cx.incident.impact;
    if let (false, Some(mark)) = (impact.is_known(), &cx.incident.nobody_affected) {
        return format!("no customer is affected ({}, {})", mark.by, cx.minute(mark.at));
    }
    let wrong =
        impact.windows().iter().find_map(|window| Some((window.start, window.end.filter(|end| *end < window.start)?)));
    if let Some((start, end)) = wrong {
        return format!("invalid: {} to {}", cx.minute(start), cx.minute(end));
    }
    let Some((start, end)) = impact.latest() else { return "not recorded: I says since when".to_owned() };
    let before = match impact.stretches().len() - 1 {
        0 => String::new(),
        more => format!(", {} before", crate::text::many(more, "time")),
    };
    match end {
        None => format!("customers affected since {}{before}", cx.minute(start)),
        Some(end) => {
            let length = impact.length().unwrap_or(end - start);
            format!(
                "{} to {} ({}{})",
                cx.minute(start),
                cx.minute(end),
                minutes(length),
                if before.is_empty() { "" } else { " in all" }
            ) + &before
        }
    }
}
