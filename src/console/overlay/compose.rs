//! A status update: text, the channels where it was told, and the time that it promises for the next.
//!
//! Nothing is sent from here: the update is recorded as told by hand.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Outcome, Overlay};
use crate::incident::{Channel, StatusUpdate};
use crate::pane::Cx;
use crate::text::CleanText;
use crate::widget::editor::Editor;

/// The promises that one key steps through, in minutes.
const PROMISES: [i64; 5] = [10, 15, 20, 30, 60];

/// The parts, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text,
    Channels,
    Promise,
}

/// A status update, half-typed.
pub(crate) struct Compose {
    pub(crate) part: Part,
    pub(crate) text: Editor,
    pub(crate) channels: BTreeSet<Channel>,
    pub(crate) at_channel: usize,
    pub(crate) promise: usize,
    pub(crate) previous: Option<CleanText>,
}

/// A draft that knows the incident; the channels that are due the soonest are ticked.
pub(crate) fn compose(cx: &Cx<'_>) -> Overlay {
    let obligations = cx.obligations();
    let due: Vec<_> =
        obligations.iter().filter_map(|obligation| Some((obligation.duty.channel()?, obligation.due))).collect();
    let mut channels: BTreeSet<Channel> =
        due.iter().filter(|(channel, _)| *channel != Channel::ExternalPage).map(|(channel, _)| *channel).collect();
    if channels.is_empty() {
        channels.extend([Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage]);
    }
    let service = cx.incident.services.first().and_then(|service| cx.catalogue.get(service));
    let name = service.map_or_else(|| "the service".to_owned(), |playbook| playbook.name.to_string());
    let draft = format!(
        "{} {} - {name}\nImpact: {}\nMitigation: ",
        cx.incident.severity.map_or("", |level| level.name()),
        cx.incident.id(),
        cx.incident.title
    );
    Overlay::Compose(Box::new(Compose {
        part: Part::Text,
        text: super::filled(Editor::lines(), &draft),
        channels,
        at_channel: 0,
        promise: 1,
        previous: cx.incident.updates.last().map(|told| told.update.text.clone()),
    }))
}

impl Compose {
    /// The minutes that are promised.
    pub(crate) fn minutes(&self) -> i64 {
        PROMISES[self.promise]
    }

    pub(super) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        let is_save = key.code == KeyCode::Char('s') && key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            _ if is_save => return self.finish(cx),
            KeyCode::Tab => {
                self.part = match self.part {
                    Part::Text => Part::Channels,
                    Part::Channels => Part::Promise,
                    Part::Promise => Part::Text,
                }
            }
            KeyCode::BackTab => {
                self.part = match self.part {
                    Part::Text => Part::Promise,
                    Part::Channels => Part::Text,
                    Part::Promise => Part::Channels,
                }
            }
            _ => match self.part {
                Part::Text => {
                    self.text.key(key);
                }
                Part::Channels => self.channel_key(key),
                Part::Promise => match key.code {
                    KeyCode::Left | KeyCode::Down => self.promise = self.promise.saturating_sub(1),
                    KeyCode::Right | KeyCode::Up => self.promise = (self.promise + 1).min(PROMISES.len() - 1),
                    _ => {}
                },
            },
        }
        Outcome::Stay
    }

    pub(super) fn paste(&mut self, text: &str) {
        if self.part == Part::Text {
            self.text.insert_paste(text);
        }
    }

    fn channel_key(&mut self, key: KeyEvent) {
        let last = Channel::ALL.len() - 1;
        match key.code {
            KeyCode::Left | KeyCode::Up => self.at_channel = self.at_channel.saturating_sub(1),
            KeyCode::Right | KeyCode::Down => self.at_channel = (self.at_channel + 1).min(last),
            KeyCode::Char(' ') | KeyCode::Enter => {
                let channel = Channel::ALL[self.at_channel];
                if !self.channels.remove(&channel) {
                    self.channels.insert(channel);
                }
            }
            _ => {}
        }
    }

    fn finish(&self, cx: &Cx<'_>) -> Outcome {
        let text = self.text.text();
        if let Some(empty) = text.lines().find(|line| line.trim_end().ends_with(':')) {
            return Outcome::Refuse(format!("`{}` says nothing yet: fill it in, or take the line out", empty.trim()));
        }
        Outcome::Post(StatusUpdate {
            channels: self.channels.clone(),
            text: CleanText::new(self.text.text().trim()),
            promised_next: Some(cx.now + TimeDelta::minutes(self.minutes())),
            ..StatusUpdate::default()
        })
    }
}
