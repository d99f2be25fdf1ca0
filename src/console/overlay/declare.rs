//! The form that declares an incident: service, severity, title, source. Enter goes on, and declares from the title on.
//!
//! Hides what alerts propose: a form that begins with some is filled, and links them in the act that declares.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Outcome, Overlay, filled, taken, typed};
use crate::alert::{proposed_severity, title};
use crate::incident::{AlertLinked, Declared, Detection, ServiceId, Severity};
use crate::pane::{Cx, alerts};
use crate::playbook::Catalogue;
use crate::reach::PAGERDUTY;
use crate::text::CleanStr;
use crate::widget::editor::Editor;

/// The fields, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Service,
    Severity,
    Title,
    Link,
}

const FIELDS: [Field; 4] = [Field::Service, Field::Severity, Field::Title, Field::Link];

/// A new incident, half-typed.
pub(crate) struct DeclareForm {
    pub(crate) field: Field,
    pub(crate) services: Vec<(Option<ServiceId>, String)>,
    pub(crate) service: usize,
    pub(crate) is_private: bool,
    pub(crate) severity: usize,
    pub(crate) title: Editor,
    pub(crate) link: Editor,
    /// The alerts that it begins with, the first one first.
    pub(crate) alerts: Vec<AlertLinked>,
}

/// What the service field offers.
fn services(catalogue: &Catalogue, chosen: Option<&ServiceId>) -> Vec<(Option<ServiceId>, String)> {
    let known = catalogue.iter();
    let named =
        known.map(|playbook| (Some(playbook.service.clone()), format!("{} · {}", playbook.service, playbook.name)));
    // An alert may be about something that nobody wrote a playbook for.
    let other = chosen.filter(|service| catalogue.get(service).is_none());
    let other = other.map(|service| (Some(service.clone()), format!("{service} · no playbook")));
    named.chain(other).chain([(None, "not known yet".to_owned())]).collect()
}

/// An empty form.
pub(crate) fn declare(cx: &Cx<'_>) -> Overlay {
    Overlay::Declare(Box::new(DeclareForm {
        field: Field::Service,
        services: services(cx.catalogue, None),
        service: 0,
        is_private: false,
        severity: Severity::Sev2 as usize,
        title: Editor::one_line(),
        link: Editor::one_line(),
        alerts: Vec::new(),
    }))
}

/// A form that is filled with what alerts propose; or why nothing can be declared from them.
pub(crate) fn declare_from(fingerprints: &[CleanStr], cx: &Cx<'_>) -> Result<Overlay, String> {
    if cx.incident.drill.is_some() {
        return Err("this is a drill, and its alerts are simulated: l links one to it".to_owned());
    }
    let mut seen = alerts::seen(cx);
    seen.retain(|seen| seen.live.fingerprints().iter().any(|one| fingerprints.contains(one)));
    seen.sort_by_key(|seen| seen.live.alert.starts_at);
    let Some(first) = seen.first() else {
        return Err("that alert is over: D declares an incident without one".to_owned());
    };
    let service = seen.iter().find_map(|seen| seen.service.clone());
    let services = services(cx.catalogue, service.as_ref());
    let known = services.iter().position(|(offered, _)| *offered == service);
    let worst = seen.iter().filter_map(|seen| proposed_severity(seen.live.alert)).min();
    Ok(Overlay::Declare(Box::new(DeclareForm {
        // What the alert knows is filled in: what it means is left to say.
        field: Field::Title,
        service: known.unwrap_or(services.len().saturating_sub(1)),
        is_private: false,
        services,
        severity: worst.unwrap_or(Severity::Sev2) as usize,
        title: filled(Editor::one_line(), &title(first.live.alert)),
        link: filled(Editor::one_line(), first.live.alert.generator_url.as_deref().unwrap_or_default()),
        alerts: seen.iter().map(alerts::Seen::linked).collect(),
    })))
}

impl DeclareForm {
    /// Offers the services of playbooks that were read after the form was opened; what was chosen stays chosen.
    pub(crate) fn offer(&mut self, catalogue: &Catalogue) {
        let chosen = self.services.get(self.service).and_then(|(service, _)| service.clone());
        self.services = services(catalogue, chosen.as_ref());
        self.service =
            self.services.iter().position(|(service, _)| chosen.is_some() && *service == chosen).unwrap_or(0);
    }

    /// What one should know before declaring.
    pub(crate) fn notes(&self, cx: &Cx<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        match self.alerts.as_slice() {
            [] => {}
            [one] => notes.push(format!("{} fires since {}: {}", one.name, cx.minute(one.starts_at), self.clock(cx))),
            [first, others @ ..] => {
                let names: Vec<_> = others.iter().map(|alert| alert.name.as_str()).collect();
                notes.push(format!("{} fires since {}: {}", first.name, cx.minute(first.starts_at), self.clock(cx)));
                notes.push(format!("linked with it: {}", names.join(", ")));
            }
        }
        let by_now = cx.covers.iter().find(|open| self.alerts.iter().any(|one| open.linked.contains(&one.fingerprint)));
        notes.extend(by_now.map(|open| format!("{} is linked to this alert already: Esc leaves", open.incident)));
        let on_call = cx.rotation.and_then(|rotation| rotation.on_call(cx.wall));
        notes.extend(on_call.map(|watch| {
            let shift = watch.shift.map(|shift| format!(" ({shift})")).unwrap_or_default();
            format!("on call as IC until {}: {}{shift}", cx.minute(watch.until), watch.person)
        }));
        let service = self.services.get(self.service).and_then(|(service, _)| service.as_ref());
        let opens = if self.is_private { Vec::new() } else { cx.reach.opens(service) };
        if self.is_private {
            notes.push("PRIVATE: no public channel, status page or ticket hears of it (p)".to_owned());
        }
        if !opens.is_empty() {
            let is_new = self.alerts.is_empty() && opens.contains(&PAGERDUTY);
            let pages = if is_new { ", which pages who is on call there" } else { "" };
            notes.push(format!("declaring opens it in {}{pages}", opens.join(", ")));
        }
        notes
    }

    /// Until when somebody acknowledges; it counts from the first alert.
    fn clock(&self, cx: &Cx<'_>) -> String {
        // A moment and no countdown: nothing ticks in a form.
        let due = self.detected_at(cx) + cx.cadence.acknowledge;
        let word = if due < cx.wall { "was to be acknowledged" } else { "acknowledge" };
        format!("{word} by {}", cx.clock(due))
    }

    fn detected_at(&self, cx: &Cx<'_>) -> chrono::DateTime<chrono::Utc> {
        // Somebody types this by hand because somebody told them now: the report's own time. So is an alert that is still pending.
        self.alerts.iter().map(|alert| alert.starts_at).min().map_or(cx.wall, |at| at.min(cx.wall))
    }

    /// Whether a letter that is typed now becomes text.
    pub(super) fn takes_text(&self) -> bool {
        matches!(self.field, Field::Title | Field::Link)
    }

    pub(super) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        match key.code {
            KeyCode::Tab => self.field = self.next(1),
            KeyCode::BackTab => self.field = self.next(FIELDS.len() - 1),
            KeyCode::Enter if matches!(self.field, Field::Title | Field::Link) => return self.finish(cx),
            KeyCode::Enter => self.field = self.next(1),
            _ => match self.field {
                Field::Service | Field::Severity if key.code == KeyCode::Char('p') => {
                    self.is_private = !self.is_private
                }
                Field::Service => choose(&mut self.service, self.services.len(), key, 1),
                Field::Severity => choose(&mut self.severity, Severity::ALL.len(), key, 0),
                Field::Title => return typed(self.title.key(key)),
                Field::Link => return typed(self.link.key(key)),
            },
        }
        Outcome::Stay
    }

    pub(super) fn paste(&mut self, text: &str) -> Result<(), String> {
        match self.field {
            Field::Service | Field::Severity => Err("Tab goes to the title, which takes it".to_owned()),
            Field::Title => taken(self.title.insert_paste(text)),
            Field::Link => taken(self.link.insert_paste(text)),
        }
    }

    fn next(&self, by: usize) -> Field {
        FIELDS[(self.field as usize + by) % FIELDS.len()]
    }

    fn finish(&mut self, cx: &Cx<'_>) -> Outcome {
        let title = CleanStr::new(self.title.text().trim());
        if title.is_empty() {
            self.field = Field::Title;
            return Outcome::Refuse("a title says in a few words what is wrong: type one".to_owned());
        }
        let link = CleanStr::new(self.link.text().trim());
        let detection = match self.alerts.first() {
            Some(alert) => Detection::Alert { name: alert.name.clone() },
            None => Detection::Report { by: cx.me.clone() },
        };
        let body = Declared {
            title,
            severity: Severity::ALL[self.severity],
            service: self.services[self.service].0.clone(),
            detected_at: Some(self.detected_at(cx)),
            detection: Some(detection),
            zone: cx.zone.name().into(),
            link: (!link.is_empty()).then_some(link),
        };
        Outcome::Declare(Box::new(body), self.alerts.clone(), self.is_private)
    }
}

/// Moves a choice with the arrows, or with a number (the first row is `first`).
fn choose(choice: &mut usize, rows: usize, key: KeyEvent, first: u32) {
    match key.code {
        KeyCode::Down | KeyCode::Right | KeyCode::Char('j') => *choice = (*choice + 1).min(rows.saturating_sub(1)),
        KeyCode::Up | KeyCode::Left | KeyCode::Char('k') => *choice = choice.saturating_sub(1),
        KeyCode::Char(digit) => {
            if let Some(number) =
                digit.to_digit(10).and_then(|number| number.checked_sub(first)).map(|number| number as usize)
                && number < rows
            {
                *choice = number;
            }
        }
        _ => {}
    }
}
