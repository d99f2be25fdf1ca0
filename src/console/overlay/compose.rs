//! A status update: drafted from a template and the record, checked, and approved or handed to the Incident Commander.
//!
//! Nothing is sent from here: what is approved goes into the record, from there to the systems that are configured, and else is told by hand. A text that is edited is never replaced by a template unasked.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Outcome, Overlay, taken, typed};
use crate::incident::timeline::{Hand, View};
use crate::incident::{Channel, Command, Draft, EntryId, Obligation, Role, StatusUpdate, Told, Urgency};
use crate::pane::Cx;
use crate::template::{self, Audience, Facts, Remark, Rule, Service, Status, Vocabulary};
use crate::text::{CleanStr, CleanText};
use crate::widget::editor::Editor;

/// The promises that one key steps through, in minutes.
const PROMISES: [i64; 5] = [10, 15, 20, 30, 60];
/// So many lines of what changed since are shown.
const SINCE: usize = 5;

/// The parts, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text,
    Template,
    Channels,
    Promise,
}

/// A status update, half-typed.
pub(crate) struct Compose {
    pub(crate) part: Part,
    pub(crate) text: Editor,
    pub(crate) audience: Audience,
    pub(crate) status: Status,
    /// The text as the template gave it: a text that differs was edited.
    rendered: CleanText,
    pub(crate) channels: BTreeSet<Channel>,
    pub(crate) at_channel: usize,
    pub(crate) promise: usize,
    pub(crate) previous: Option<CleanText>,
    /// The draft that is approved here.
    pub(crate) draft: Option<EntryId>,
    /// What people recorded since the last text, or since the draft was written.
    pub(crate) since: Vec<CleanStr>,
    /// The text that was warned of: the second Ctrl+S takes it as it is.
    warned: Option<CleanText>,
}

/// A draft that knows the incident; the channels that are due the soonest are ticked.
pub(crate) fn compose(cx: &Cx<'_>) -> Overlay {
    let obligations = cx.obligations();
    let first = obligations.iter().find(|one| one.duty.channel().is_some());
    // Customers come first only when they wait already, or when nobody else does: the usual text is the one for inside.
    let waits = |one: &Obligation| one.urgency(cx.now) != Urgency::Calm || !cx.incident.phase().is_live();
    let is_external = first.is_some_and(|one| one.duty.channel() == Some(Channel::ExternalPage) && waits(one));
    let audience = if is_external { Audience::External } else { Audience::Slack };
    let last = cx.incident.updates.last();
    let mut compose = Compose {
        part: Part::Text,
        text: Editor::lines(),
        audience,
        status: Status::of(cx.incident),
        rendered: CleanText::default(),
        channels: channels_of(audience),
        at_channel: 0,
        promise: usual_promise(audience, cx),
        previous: last.map(|told| told.update.text.clone()),
        draft: None,
        since: since(last.map(Told::at), cx),
        warned: None,
    };
    compose.render(cx);
    Overlay::Compose(Box::new(compose))
}

/// Somebody's draft, for the Incident Commander to approve.
pub(crate) fn approve(draft: &Draft, cx: &Cx<'_>) -> Overlay {
    let update = &draft.update;
    let left = update.promised_next.map(|next| (next - cx.now).num_minutes());
    let promise = PROMISES.iter().position(|minutes| left.is_some_and(|left| left <= *minutes)).unwrap_or(1);
    let is_external = update.channels.contains(&Channel::ExternalPage);
    Overlay::Compose(Box::new(Compose {
        part: Part::Text,
        text: super::filled(Editor::lines(), &update.text),
        audience: if is_external { Audience::External } else { Audience::Slack },
        status: Status::of(cx.incident),
        rendered: CleanText::default(),
        channels: update.channels.clone(),
        at_channel: 0,
        promise,
        previous: cx.incident.updates.last().map(|told| told.update.text.clone()),
        draft: Some(draft.id),
        since: since(Some(draft.mark.at), cx),
        warned: None,
    }))
}

/// The place in [`PROMISES`] that the cadence asks of those who read it.
fn usual_promise(audience: Audience, cx: &Cx<'_>) -> usize {
    if !cx.incident.paces.is_empty() {
        // What is promised keeps the pace that somebody set.
        return PROMISES.iter().rposition(|minutes| TimeDelta::minutes(*minutes) <= cx.cadence.update).unwrap_or(0);
    }
    match audience {
        Audience::Slack | Audience::Internal | Audience::Executive => 1,
        Audience::External => 3,
    }
}

fn channels_of(audience: Audience) -> BTreeSet<Channel> {
    match audience {
        Audience::Slack => [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage].into(),
        Audience::Internal => [Channel::InternalPage].into(),
        Audience::External => [Channel::ExternalPage].into(),
        Audience::Executive => [Channel::IncidentChannel].into(),
    }
}

/// The newest lines since a moment of which something is said, the newest last.
fn newest(at: Option<DateTime<Utc>>, view: View<'_>, line: impl Fn(usize) -> Option<CleanStr>) -> Vec<CleanStr> {
    let is_recent = |place: &usize| view.at(*place).is_some_and(|happened| at.is_none_or(|at| happened > at));
    let mut lines: Vec<_> = (0..view.len()).rev().take_while(is_recent).filter_map(line).take(SINCE).collect();
    lines.reverse();
    lines
}

/// What people recorded since a moment, the newest last.
pub(crate) fn since(at: Option<DateTime<Utc>>, cx: &Cx<'_>) -> Vec<CleanStr> {
    let view = cx.incident.timeline();
    newest(at, view, |place| {
        let line = view.line(place)?;
        let is_told = ["UPDATE", "draft"].contains(&line.tag);
        let is_said = view.hand(place) == Some(Hand::Human) && line.struck.is_none() && line.beaten.is_none();
        let words = || CleanStr::new(&format!("{} {}: {}", cx.minute(line.at), line.tag, line.text.first_line()));
        (is_said && !is_told).then(words)
    })
}

/// What is news to those who read a text since they were told the last time, the oldest first.
fn news(audience: Audience, cx: &Cx<'_>) -> Vec<CleanStr> {
    let channels = channels_of(audience);
    let is_theirs = |told: &&Told| told.update.channels.iter().any(|channel| channels.contains(channel));
    let last = cx.incident.updates.iter().rev().find(is_theirs).map(Told::at);
    let view = cx.incident.timeline();
    newest(last, view, |place| Some(CleanStr::new(&format!("{} {}", cx.minute(view.at(place)?), view.news(place)?))))
}

/// What a template may know of the incident, for those who read it.
pub(crate) fn facts(audience: Audience, next_update: Option<DateTime<Utc>>, cx: &Cx<'_>) -> Facts {
    let incident = cx.incident;
    let services = incident.services.iter().map(|service| match cx.catalogue.get(service) {
        Some(playbook) => Service { name: playbook.name.clone(), public: Some(playbook.public_name.clone()) },
        None => Service { name: service.clone(), public: None },
    });
    let list = |names: &[CleanStr]| {
        let names: Vec<&str> = names.iter().map(CleanStr::as_str).collect();
        Some(CleanStr::new(&names.join(", "))).filter(|names| !names.is_empty())
    };
    let scope = &incident.scope;
    let customers = match (scope.users_percent, scope.trend()) {
        (Some(share), _) => Some(format!("about {share} % of users")),
        (None, Some((count, _))) => Some(format!("about {count} customers")),
        (None, None) => None,
    };
    // What is done now: the newest decision or the newest task that runs, or the step that somebody works on.
    let decided =
        incident.decisions.iter().rev().find(|decision| decision.made.as_ref().is_some_and(|(_, made)| made.go));
    let task = incident.tasks.iter().rev().find(|task| task.is_open());
    let (current_action, action_owner) = match (decided, task) {
        (Some(decision), _) => (Some(&decision.proposal.action), Some(decision.proposed.by.clone())),
        (None, Some(task)) => (Some(&task.what), Some(task.to.clone())),
        (None, None) => (None, None),
    };
    Facts {
        incident_id: Some(incident.id()),
        services: services.collect(),
        severity: incident.severity,
        title: Some(incident.title.clone()),
        summary: Some(CleanText::new(&incident.title)),
        customers: customers.map(|text| CleanStr::new(&text)),
        geography: list(&scope.geography),
        partners: list(&scope.partners),
        current_action: current_action.map(|action| CleanText::new(action)),
        action_owner,
        commander: incident.holder(Role::IncidentCommander).cloned(),
        since: news(audience, cx),
        next_update,
        started: incident.impact.start().or(incident.detected_at),
        resolved: cx.normal_since(),
        ..Facts::empty(cx.now, cx.zone)
    }
}

impl Compose {
    /// The minutes that are promised, where the text itself promises nothing.
    pub(crate) fn minutes(&self) -> i64 {
        PROMISES[self.promise]
    }

    /// Whether another text follows: the last one of an incident promises none, unless it says so itself.
    pub(crate) fn promises_another(&self, cx: &Cx<'_>) -> bool {
        self.status != Status::Resolved || template::promise(&self.text.text(), cx.now, cx.zone).is_some()
    }

    /// When the next text is promised: what the text says counts before what was chosen.
    pub(crate) fn promised(&self, cx: &Cx<'_>) -> DateTime<Utc> {
        let said = template::promise(&self.text.text(), cx.now, cx.zone).filter(|at| *at > cx.now);
        said.unwrap_or(cx.now + TimeDelta::minutes(self.minutes()))
    }

    /// What should not go out like this.
    pub(crate) fn remarks(&self, cx: &Cx<'_>) -> Vec<Remark> {
        let is_public = self.channels.contains(&Channel::ExternalPage);
        let audience = if is_public { Audience::External } else { self.audience };
        let people = cx.incident.roles.values().map(|mark| mark.by.as_str());
        template::lint(&self.text.text(), audience, &Vocabulary::of(cx.catalogue).with_people(people))
    }

    /// The text as the template gave it.
    pub(super) fn rendered(&self) -> &str {
        &self.rendered
    }

    /// Chooses a promise that was chosen before, where there is still such a one.
    pub(super) fn promise_again(&mut self, place: usize) {
        self.promise = if place < PROMISES.len() { place } else { self.promise };
    }

    fn is_edited(&self) -> bool {
        self.draft.is_some() || self.text.text() != self.rendered
    }

    fn render(&mut self, cx: &Cx<'_>) {
        let next = cx.now + TimeDelta::minutes(self.minutes());
        let text = match cx.templates.render(self.audience, self.status, &facts(self.audience, Some(next), cx)) {
            Ok(rendered) => rendered.text,
            Err(_) => CleanText::new(&format!("{}: {}", cx.incident.id(), cx.incident.title)),
        };
        self.text = super::filled(Editor::lines(), &text);
        self.rendered = self.text.text();
    }

    pub(super) fn key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        let control = |letter| key.code == KeyCode::Char(letter) && key.modifiers.contains(KeyModifiers::CONTROL);
        if control('s') {
            return self.finish(cx);
        }
        if let (true, Some(draft)) = (control('x'), self.draft) {
            return Outcome::HandIn(vec![Command::DropDraft(draft, None)]);
        }
        if control('r') && self.draft.is_none() {
            self.render(cx);
            return Outcome::Stay;
        }
        match key.code {
            KeyCode::Tab => {
                self.part = match self.part {
                    Part::Text => Part::Template,
                    Part::Template => Part::Channels,
                    Part::Channels => Part::Promise,
                    Part::Promise => Part::Text,
                }
            }
            KeyCode::BackTab => {
                self.part = match self.part {
                    Part::Text => Part::Promise,
                    Part::Template => Part::Text,
                    Part::Channels => Part::Template,
                    Part::Promise => Part::Channels,
                }
            }
            _ => match self.part {
                Part::Text => return typed(self.text.key(key)),
                Part::Template => return self.template_key(key, cx),
                Part::Channels => self.channel_key(key),
                Part::Promise => {
                    let is_edited = self.is_edited();
                    match key.code {
                        KeyCode::Left | KeyCode::Down => self.promise = self.promise.saturating_sub(1),
                        KeyCode::Right | KeyCode::Up => self.promise = (self.promise + 1).min(PROMISES.len() - 1),
                        _ => {}
                    }
                    if !is_edited {
                        self.render(cx);
                    }
                }
            },
        }
        Outcome::Stay
    }

    pub(super) fn paste(&mut self, text: &str) -> Result<(), String> {
        match self.part {
            Part::Text => taken(self.text.insert_paste(text)),
            Part::Template | Part::Channels | Part::Promise => Err("Tab goes to the text, which takes it".to_owned()),
        }
    }

    fn template_key(&mut self, key: KeyEvent, cx: &Cx<'_>) -> Outcome {
        let step = |place: usize, by: isize, count: usize| (place + count).saturating_add_signed(by) % count;
        let audience = Audience::ALL.iter().position(|one| *one == self.audience).unwrap_or(0);
        let status = Status::ALL.iter().position(|one| *one == self.status).unwrap_or(0);
        let (audience, status) = match key.code {
            KeyCode::Left => (step(audience, -1, Audience::ALL.len()), status),
            KeyCode::Right => (step(audience, 1, Audience::ALL.len()), status),
            KeyCode::Up => (audience, step(status, -1, Status::ALL.len())),
            KeyCode::Down => (audience, step(status, 1, Status::ALL.len())),
            _ => return Outcome::Stay,
        };
        if self.is_edited() {
            return Outcome::Refuse("the text was edited: Ctrl+R writes it anew from the template".to_owned());
        }
        if Audience::ALL[audience] != self.audience {
            self.channels = channels_of(Audience::ALL[audience]);
            self.promise = usual_promise(Audience::ALL[audience], cx);
        }
        (self.audience, self.status) = (Audience::ALL[audience], Status::ALL[status]);
        self.render(cx);
        Outcome::Stay
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

    fn finish(&mut self, cx: &Cx<'_>) -> Outcome {
        let text = CleanText::new(self.text.text().trim());
        let remarks = self.remarks(cx);
        if let Some(remark) = remarks.iter().find(|remark| matches!(remark.rule, Rule::Unfilled | Rule::Card)) {
            return Outcome::Refuse(remark.to_string());
        }
        if let Some(empty) = says_nothing(&text) {
            return Outcome::Refuse(format!("`{}` says nothing yet: fill it in, or take the line out", empty.trim()));
        }
        if let Some(remark) = remarks.first()
            && self.warned.as_ref() != Some(&text)
        {
            self.warned = Some(text);
            return Outcome::Refuse(format!("{remark} (Ctrl+S once more takes it as it is)"));
        }
        Outcome::Post(StatusUpdate { text, ..self.update(cx) }, self.draft)
    }

    /// The update as it stands here.
    fn update(&self, cx: &Cx<'_>) -> StatusUpdate {
        StatusUpdate {
            channels: self.channels.clone(),
            text: CleanText::new(self.text.text().trim()),
            promised_next: self.promises_another(cx).then(|| self.promised(cx)),
            ..StatusUpdate::default()
        }
    }

    /// The text as each channel gets it that is ticked, in lines; nothing where none goes out by itself.
    pub(super) fn leaves(&self, cx: &Cx<'_>) -> Vec<String> {
        let all = super::as_it_leaves(&self.update(cx), cx).into_iter();
        let lines = all.flat_map(|(place, text)| {
            let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
            std::iter::once(format!("{place}:")).chain(lines)
        });
        lines.collect()
    }
}

/// A line that announces something, with nothing behind it: a list below it is what it announces.
fn says_nothing(text: &str) -> Option<&str> {
    let is_item = |line: &&str| line.trim_start().starts_with("• ") || line.trim_start().starts_with("- ");
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim_end().ends_with(':') && !is_item(&line) && !lines.peek().is_some_and(is_item) {
            return Some(line);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::says_nothing;

    #[test]
    fn a_list_of_what_happened_fills_the_line_above_it_and_an_empty_line_is_named() {
        assert_eq!(
            says_nothing("Since the last update:\n• 14:11 in: Support: what may we say:\n• 14:12 note: it falls"),
            None
        );
        assert_eq!(says_nothing("Impact: slow\nCustomers:\nNext Update: 14:32"), Some("Customers:"));
        assert_eq!(says_nothing("Impact: slow\nSince the last update:"), Some("Since the last update:"));
    }
}
