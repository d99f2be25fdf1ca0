//! The form that declares an incident: service, severity, title. Enter goes on, and declares at the last field.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Outcome, Overlay};
use crate::incident::{Declared, ServiceId, Severity};
use crate::pane::Cx;
use crate::playbook::Catalogue;
use crate::text::CleanStr;
use crate::widget::editor::Editor;

/// The fields, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Service,
    Severity,
    Title,
}

/// A new incident, half-typed.
pub(crate) struct DeclareForm {
    pub(crate) field: Field,
    pub(crate) services: Vec<(Option<ServiceId>, String)>,
    pub(crate) service: usize,
    pub(crate) severity: usize,
    pub(crate) title: Editor,
}

/// What the service field offers.
fn services(catalogue: &Catalogue) -> Vec<(Option<ServiceId>, String)> {
    let known = catalogue.iter();
    let named =
        known.map(|playbook| (Some(playbook.service.clone()), format!("{} · {}", playbook.service, playbook.name)));
    named.chain([(None, "not known yet".to_owned())]).collect()
}

/// An empty form.
pub(crate) fn declare(cx: &Cx<'_>) -> Overlay {
    Overlay::Declare(Box::new(DeclareForm {
        field: Field::Service,
        services: services(cx.catalogue),
        service: 0,
        severity: Severity::Sev2 as usize,
        title: Editor::one_line(),
    }))
}

impl DeclareForm {
    /// Offers the services of playbooks that were read after the form was opened; what was chosen stays chosen.
    pub(crate) fn offer(&mut self, catalogue: &Catalogue) {
        let chosen = self.services.get(self.service).and_then(|(service, _)| service.clone());
        self.services = services(catalogue);
        self.service =
            self.services.iter().position(|(service, _)| chosen.is_some() && *service == chosen).unwrap_or(0);
    }

    pub(super) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        match key.code {
            KeyCode::Tab => self.field = self.next(),
            KeyCode::BackTab => {
                self.field = match self.field {
                    Field::Service => Field::Title,
                    Field::Severity => Field::Service,
                    Field::Title => Field::Severity,
                }
            }
            KeyCode::Enter if self.field == Field::Title => return self.finish(cx),
            KeyCode::Enter => self.field = self.next(),
            _ => match self.field {
                Field::Service => choose(&mut self.service, self.services.len(), key, 1),
                Field::Severity => choose(&mut self.severity, Severity::ALL.len(), key, 0),
                Field::Title => {
                    self.title.key(key);
                }
            },
        }
        Outcome::Stay
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.field == Field::Title {
            self.title.insert_paste(text);
        }
    }

    fn next(&self) -> Field {
        match self.field {
            Field::Service => Field::Severity,
            Field::Severity => Field::Title,
            Field::Title => Field::Service,
        }
    }

    fn finish(&self, cx: &Cx<'_>) -> Outcome {
        let title = CleanStr::new(self.title.text().trim());
        if title.is_empty() {
            return Outcome::Refuse("a title says in a few words what is wrong: type one".to_owned());
        }
        Outcome::Declare(Box::new(Declared {
            title,
            severity: Severity::ALL[self.severity],
            service: self.services[self.service].0.clone(),
            // Somebody types this by hand because somebody told them now: the report's own time.
            detected_at: Some(cx.wall),
            detection: Some(crate::incident::Detection::Report { by: cx.me.clone() }),
            zone: cx.zone.name().into(),
            link: None,
        }))
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
