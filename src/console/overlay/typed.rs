//! What a person types into an overlay: which of its texts are kept when it closes, and under which name.
//!
//! Invariant: there is no other place that knows which overlay has a draft. Every overlay answers here, without a wildcard: one that is added later does
//! not compile before it is said whether what is typed there is kept.

use super::Overlay;
use super::compose::Compose;
use super::declare::DeclareForm;
use crate::incident::{Channel, Severity};
use crate::pane::Purpose;
use crate::template::{Audience, Status};
use crate::text::half_typed::HalfTyped;
use crate::widget::editor::Editor;

/// The name of the form that declares an incident: its draft belongs to no record.
pub(crate) const DECLARE: &str = "Declare";

impl Overlay {
    /// The name under which its texts are kept; nothing where no text of a person is typed: a search, a word that confirms.
    pub(crate) fn form(&self) -> Option<String> {
        match self {
            Self::Help { .. }
            | Self::Palette(_)
            | Self::Pick(_)
            | Self::Records(..)
            | Self::Text(_)
            // The word that starts a command is an answer, and never there before it is typed.
            | Self::Run(_) => None,
            Self::Ask(ask) => match &ask.question.purpose {
                Purpose::Search(_) | Purpose::Merge { .. } => None,
                purpose @ (Purpose::Title
                | Purpose::Reason(_)
                | Purpose::Amend(_)
                | Purpose::ImpactStart
                | Purpose::ImpactEnd
                | Purpose::Service
                | Purpose::Component
                | Purpose::Unmerge
                | Purpose::Facilitate) => Some(name(&format!("{purpose:?}"))),
            },
            Self::Declare(form) => match form.alerts.first() {
                // What is declared from alerts belongs to these alerts.
                Some(first) => Some(format!("{DECLARE} {}", first.fingerprint)),
                None => Some(DECLARE.to_owned()),
            },
            Self::Compose(compose) => Some(match compose.draft {
                Some(draft) => format!("Update {draft}"),
                None => "Update".to_owned(),
            }),
            Self::Form(form) => Some(name(&format!("{:?}", form.kind))),
        }
    }

    /// The fields whose text is kept, in an order that stays.
    fn editors(&mut self) -> Vec<&mut Editor> {
        match self {
            Self::Help { .. } | Self::Palette(_) | Self::Pick(_) | Self::Records(..) | Self::Text(_) | Self::Run(_) => {
                Vec::new()
            }
            Self::Ask(ask) => vec![&mut ask.editor],
            Self::Declare(form) => vec![&mut form.title, &mut form.link],
            Self::Compose(compose) => vec![&mut compose.text],
            // A word that confirms is typed anew.
            Self::Form(form) => {
                form.fields.iter_mut().filter(|field| !field.is_typed).map(|field| &mut field.editor).collect()
            }
        }
    }

    /// The texts as they stand there now.
    pub(super) fn texts(&mut self) -> Vec<String> {
        self.editors().into_iter().map(|editor| editor.text().to_string()).collect()
    }

    /// What differs from the texts with which it opened; nothing where nobody typed.
    pub(super) fn half_typed(&mut self, opened_with: &[String]) -> Option<HalfTyped> {
        let given = match self {
            Self::Compose(compose) => Some(compose.rendered().to_owned()),
            _ => None,
        };
        let texts: Vec<Option<String>> = self
            .texts()
            .into_iter()
            .enumerate()
            .map(|(place, text)| {
                let is_given = opened_with.get(place) == Some(&text) || given.as_ref() == Some(&text);
                (!is_given).then_some(text)
            })
            .collect();
        let is_typed = texts.iter().any(Option::is_some);
        is_typed.then(|| HalfTyped { texts, choices: self.choices() })
    }

    /// Puts texts back where they were typed.
    pub(super) fn fill(&mut self, half: &HalfTyped) {
        for (editor, text) in self.editors().into_iter().zip(&half.texts) {
            if let Some(text) = text {
                editor.set_text(text);
            }
        }
        match self {
            Self::Declare(form) => form.choose(&half.choices),
            Self::Compose(compose) => compose.choose(&half.choices),
            Self::Help { .. }
            | Self::Palette(_)
            | Self::Pick(_)
            | Self::Records(..)
            | Self::Text(_)
            | Self::Run(_)
            | Self::Ask(_)
            | Self::Form(_) => {}
        }
    }

    fn choices(&self) -> Vec<String> {
        match self {
            Self::Declare(form) => form.choices(),
            Self::Compose(compose) => compose.choices(),
            Self::Help { .. }
            | Self::Palette(_)
            | Self::Pick(_)
            | Self::Records(..)
            | Self::Text(_)
            | Self::Run(_)
            | Self::Ask(_)
            | Self::Form(_) => Vec::new(),
        }
    }
}

/// A name that tells what is asked and of what, and holds no text of anybody: its first word, and a digest of the rest.
fn name(asked: &str) -> String {
    let word: String = asked.chars().take_while(|letter| letter.is_ascii_alphanumeric()).collect();
    if word == asked { word } else { format!("{word} {}", &blake3::hash(asked.as_bytes()).to_hex()[..16]) }
}

fn chosen<T: Copy + std::fmt::Debug>(all: &[T], word: &str) -> Option<T> {
    all.iter().copied().find(|one| format!("{one:?}") == word)
}

impl Compose {
    fn choices(&self) -> Vec<String> {
        let channels = self.channels.iter().map(|channel| format!("{channel:?}"));
        let fixed = [format!("{:?}", self.audience), format!("{:?}", self.status), self.promise.to_string()];
        fixed.into_iter().chain(channels).collect()
    }

    fn choose(&mut self, choices: &[String]) {
        let [audience, status, promise, channels @ ..] = choices else { return };
        self.audience = chosen(&Audience::ALL, audience).unwrap_or(self.audience);
        self.status = chosen(&Status::ALL, status).unwrap_or(self.status);
        self.promise_again(promise.parse().unwrap_or(self.promise));
        self.channels = channels.iter().filter_map(|channel| chosen(&Channel::ALL, channel)).collect();
    }
}

impl DeclareForm {
    fn choices(&self) -> Vec<String> {
        let service = self.services.get(self.service).and_then(|(service, _)| service.as_ref());
        let service = service.map(|service| service.as_str().to_owned()).unwrap_or_default();
        let severity = Severity::ALL.get(self.severity).map(|severity| format!("{severity:?}")).unwrap_or_default();
        vec![service, severity, self.is_private.to_string()]
    }

    fn choose(&mut self, choices: &[String]) {
        let [service, severity, is_private] = choices else { return };
        let is_it = |offered: &Option<crate::incident::ServiceId>| {
            offered.as_ref().map_or("", |offered| offered.as_str()) == service
        };
        self.service = self.services.iter().position(|(offered, _)| is_it(offered)).unwrap_or(self.service);
        self.severity = chosen(&Severity::ALL, severity).map_or(self.severity, |severity| severity as usize);
        self.is_private |= is_private == "true";
    }
}
