//! One of several: severities, phases, roles, services, records.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent};

use super::{Outcome, Overlay};
use crate::console::{Known, Summary};
use crate::incident::{Command, EntryId, Event, IncidentId, Phase, Purpose as RunFor, Role, Seat, Severity, StepRef};
use crate::pane::{Cx, FormKind, Item, Purpose, Question};
use crate::text::{CleanStr, CleanText, Exact, Sought};
use crate::widget::editor::edit_at_end;
use crate::widget::text::countdown;

/// What a row of a picker stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Choice {
    /// Ask this of the incident.
    Command(Box<Command>),
    /// Ask all of these of the incident.
    Commands(Vec<Command>),
    /// Show what would run for a step, or take it back.
    Run(StepRef, RunFor),
    /// Show what would run for a step, with values for its placeholders.
    RunWith(StepRef, BTreeMap<CleanStr, Exact>),
    /// Do what has this name in the palette.
    Act(&'static str),
    /// Leave it as it is.
    Nothing,
    /// Ask the person for more.
    Ask(Box<Question>),
    /// Open a record.
    Open(IncidentId),
    /// Begin a record with these events, although another one is open on its service.
    Declare(Vec<Event>),
    /// Offer what can be done with something that goes out.
    Delivery(EntryId),
    /// Read a text under a heading.
    Read(String, CleanText),
    /// Ask for what a form asks.
    Form(Box<FormKind>),
    /// Offer what can be done with an item.
    Item(Item),
    /// Declare an incident from alerts, by their fingerprints.
    DeclareFrom(Vec<CleanStr>),
}

/// A list, of which one row is taken: with the arrows and Enter, or with its number.
pub(crate) struct Pick {
    pub(crate) title: String,
    /// What one should know before choosing.
    pub(crate) notes: Vec<String>,
    pub(crate) rows: Vec<(String, Choice)>,
    pub(crate) empty: &'static str,
    pub(crate) selected: usize,
    /// Words that a row must have to be shown, while somebody narrows the list with `/`.
    pub(crate) filter: Option<String>,
}

impl Pick {
    /// The rows that are shown, each with its place.
    pub(super) fn sifted(&self) -> Vec<(usize, &str)> {
        let words = Sought::words(self.filter.as_deref().unwrap_or_default());
        let all = self.rows.iter().enumerate().map(|(place, (text, _))| (place, text.as_str()));
        all.filter(|(_, text)| words.is_in(text)).collect()
    }

    /// Takes a key of somebody who narrows the list; what is no letter of theirs goes on.
    fn filter_key(&mut self, key: KeyEvent) -> bool {
        let Some(filter) = &mut self.filter else { return false };
        if key.code == KeyCode::Backspace && filter.is_empty() {
            self.filter = None;
        } else if !edit_at_end(filter, key) {
            // A letter with Ctrl or Alt is no number and no answer here.
            return matches!(key.code, KeyCode::Char(_));
        }
        self.selected = 0;
        true
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Outcome {
        if self.filter_key(key) {
            return Outcome::Stay;
        }
        let last = self.sifted().len().saturating_sub(1);
        match key.code {
            KeyCode::Char('/') => {
                self.filter = Some(String::new());
                Outcome::Stay
            }
            KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab => {
                self.selected = (self.selected + 1).min(last);
                Outcome::Stay
            }
            KeyCode::Up | KeyCode::Char('k') | KeyCode::BackTab => {
                self.selected = self.selected.saturating_sub(1);
                Outcome::Stay
            }
            KeyCode::Home => {
                self.selected = 0;
                Outcome::Stay
            }
            KeyCode::End => {
                self.selected = last;
                Outcome::Stay
            }
            KeyCode::Enter => match self.sifted().get(self.selected).map(|(place, _)| *place) {
                Some(place) => self.take(place),
                None => Outcome::Stay,
            },
            KeyCode::Char('q') => Outcome::Close,
            KeyCode::Char(digit) => match digit.to_digit(10) {
                Some(number) if number > 0 => self.take(number as usize - 1),
                _ => Outcome::Stay,
            },
            _ => Outcome::Stay,
        }
    }

    fn take(&self, place: usize) -> Outcome {
        self.rows.get(place).map_or(Outcome::Stay, |(_, choice)| Outcome::Chosen(choice.clone()))
    }
}

fn pick(title: &str, empty: &'static str, rows: Vec<(String, Choice)>, selected: usize) -> Overlay {
    Overlay::Pick(Box::new(Pick { title: title.to_owned(), notes: Vec::new(), rows, empty, selected, filter: None }))
}

fn command(command: Command) -> Choice {
    Choice::Command(Box::new(command))
}

/// Severities, at the present one.
pub(crate) fn severity(cx: &Cx<'_>) -> Overlay {
    let rows = Severity::ALL
        .into_iter()
        .map(|level| (format!("{level}  {}", level.definition()), command(Command::SetSeverity(level, None))))
        .collect();
    let selected = cx.incident.severity.map_or(1, |level| level as usize);
    pick("severity: lowering asks for a reason", "", rows, selected)
}

/// Phases, at the one that follows.
pub(crate) fn phase(cx: &Cx<'_>) -> Overlay {
    let here = cx.incident.phase();
    let phases: Vec<Phase> =
        Phase::ALL.into_iter().filter(|phase| *phase > Phase::Acknowledged && *phase != here).collect();
    let selected = phases.iter().position(|phase| *phase > here).unwrap_or(0);
    let rows = phases
        .into_iter()
        .map(|phase| (format!("{phase:<14} {}", phase.question()), command(Command::EnterPhase(phase, None))))
        .collect();
    pick(&format!("phase: it is {here}. {}", here.question()), "", rows, selected)
}

/// Roles to take, at the first that is empty.
pub(crate) fn take_role(cx: &Cx<'_>) -> Overlay {
    let mut rows = Vec::new();
    for role in Role::ALL {
        let seats = cx.incident.roles.iter().filter(|(seat, _)| seat.role == role);
        let holders: Vec<String> = seats.map(|(seat, mark)| format!("{}{}", mark.by, cx.incident.part(seat))).collect();
        let held = if holders.is_empty() { "nobody yet".to_owned() } else { holders.join(", ") };
        rows.push((format!("{:<22} {held}", role.name()), command(Command::TakeRole(Seat { role, component: None }))));
    }
    let question = Question {
        title: "expert for which component?".to_owned(),
        text: cx.incident.services.first().map(ToString::to_string).unwrap_or_default(),
        purpose: Purpose::Component,
    };
    rows.push(("Subject Matter Expert for one component …".to_owned(), Choice::Ask(Box::new(question))));
    let selected = Role::ALL.into_iter().position(|role| cx.incident.holder(role).is_none()).unwrap_or(0);
    pick("take which role?", "", rows, selected)
}

/// Roles that somebody holds.
pub(crate) fn leave_role(cx: &Cx<'_>) -> Overlay {
    let rows: Vec<_> = cx
        .incident
        .roles
        .iter()
        .map(|(seat, mark)| {
            let component = seat.component.as_ref().map(|name| format!(" for {name}")).unwrap_or_default();
            (
                format!("{}{component}: {}{}", seat.role.name(), mark.by, cx.incident.part(seat)),
                command(Command::LeaveRole(seat.clone(), None)),
            )
        })
        .collect();
    pick("who leaves which role? (relieving somebody else asks for a reason)", "nobody holds a role", rows, 0)
}

/// Services that have a playbook and are not in the scope yet.
pub(crate) fn add_service(cx: &Cx<'_>) -> Overlay {
    let mut rows: Vec<_> = cx
        .catalogue
        .iter()
        .filter(|playbook| !cx.incident.services.contains(&playbook.service))
        .map(|playbook| {
            (
                format!("{:<12} {}", playbook.service, playbook.name),
                command(Command::AddService(playbook.service.clone())),
            )
        })
        .collect();
    let question = Question { title: "which service?".to_owned(), text: String::new(), purpose: Purpose::Service };
    rows.push(("another one, without a playbook …".to_owned(), Choice::Ask(Box::new(question))));
    pick("which service is affected too?", "", rows, 0)
}

/// Services of the scope.
pub(crate) fn remove_service(cx: &Cx<'_>) -> Overlay {
    let rows = cx
        .incident
        .services
        .iter()
        .map(|service| (service.to_string(), command(Command::RemoveService(service.clone()))))
        .collect();
    pick("which service is not affected after all?", "no service is in the scope", rows, 0)
}

/// What a record of this host is picked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordsFor {
    /// It is opened.
    Opening,
    /// It and the open one are about the same thing.
    Merging,
}

/// Records of this host.
///
/// Without a list they are being read; that there is none is said of a whole list only.
pub(crate) fn records(
    known: Option<&Known<Vec<Summary>>>,
    why: RecordsFor,
    here: Option<IncidentId>,
    wall: DateTime<Utc>,
) -> Box<Pick> {
    let list = known.and_then(Known::what).map(Vec::as_slice).unwrap_or_default();
    let lacks = known.and_then(Known::why);
    let line = |summary: &Summary| summary_line(summary, wall);
    let (title, empty, rows) = match (why, here) {
        (RecordsFor::Opening, _) => {
            let rows = list.iter().map(|summary| (line(summary), Choice::Open(summary.id))).collect();
            ("open which record?", "there is no record on this host yet", rows)
        }
        (RecordsFor::Merging, None) => ("merge", "no record is open", Vec::new()),
        (RecordsFor::Merging, Some(here)) => {
            let others = list.iter().filter(|summary| summary.id != here);
            let rows = others.flat_map(|other| {
                let ways = [(other.id, here), (here, other.id)];
                ways.map(|(duplicate, into)| {
                    let (id, line) = (other.id, line(other));
                    let what = if into == here { format!("{id} goes on here") } else { format!("goes on in {id}") };
                    (format!("{what}: {line}"), Choice::Ask(Box::new(merge(duplicate, into))))
                })
            });
            ("merge: which one is the duplicate?", "no other incident is open on this host", rows.collect())
        }
    };
    let empty = match (known.is_some(), lacks.is_some()) {
        (true, false) => empty,
        (true, true) => "which records there are is not known",
        (false, _) => "reading the records of this host …",
    };
    let notes = lacks.map(|why| format!("not all is known: {why}")).into_iter().collect();
    Box::new(Pick { title: title.to_owned(), notes, rows, empty, selected: 0, filter: None })
}

fn merge(duplicate: IncidentId, into: IncidentId) -> Question {
    Question {
        title: format!("{duplicate} is closed, its lines and earliest clocks go on in {into}: type {duplicate}"),
        text: String::new(),
        purpose: Purpose::Merge { duplicate, into },
    }
}

/// A record in one line: how bad, whose, what is due next.
pub(crate) fn summary_line(summary: &Summary, wall: DateTime<Utc>) -> String {
    let severity = summary.severity.map_or("", Severity::name);
    let service = summary.service.as_deref().unwrap_or("-");
    let commander = summary.commander.as_ref().map_or_else(|| "no IC".to_owned(), |name| format!("IC {name}"));
    let since = summary.declared_at.map(|at| at.format(", declared %m-%d %H:%M UTC").to_string()).unwrap_or_default();
    let next = summary.next.as_ref().map(|(name, due)| format!(" · {name} {}", countdown(*due - wall)));
    let next = next.unwrap_or_default();
    let unsent = match summary.unsent.len() {
        0 => String::new(),
        count => format!(" · {count} NOT SENT"),
    };
    let standing = match summary.standing.as_slice() {
        [] => String::new(),
        all => format!(" · STILL IN STAGING: {}", all.join("; ")),
    };
    format!(
        "{:<9} {severity:<5} {:<13} {service:<11} {} · {commander}{standing}{next}{unsent}{since}",
        summary.id,
        summary.phase.name(),
        summary.title
    )
}
