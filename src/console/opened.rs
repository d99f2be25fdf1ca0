//! The record that is open in a console, as one value, and what becomes of the console when another is opened or none can be.
//!
//! Hides what else of the console speaks of the last record: an overlay that asked about it, and what sources said because of it.
//!
//! Invariant: nothing that was learnt, told or asked of one record is known, told or asked of the next: an [`OpenRecord`] is replaced whole.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Utc};

use super::forms::Forms;
use super::lookout::Lookout;
use super::outbox::Outbox;
use super::record::Record;
use super::remotes::Remotes;
use super::{Console, Dirty, Tone, turns};
use crate::incident::{Command, Duty, EntryId, Incident, IncidentId, Progress, ServiceId};
use crate::live::Before;
use crate::output::Outputs;
use crate::pane::{History, PANES, PaneId, Present};
use crate::playbook::Catalogue;
use crate::text::CleanStr;

/// All that belongs to the record that is open, and goes with it.
#[derive(Debug)]
pub(super) struct OpenRecord {
    /// What its entries say.
    pub(super) incident: Incident,
    /// Which it is and how it does.
    pub(super) record: Record,
    /// Who else has it open.
    pub(super) present: Vec<Present>,
    /// What its commands print.
    pub(super) outputs: Outputs,
    /// What waits for the end of a command.
    pub(super) then: Option<turns::Then>,
    /// Commands that the shell follows for this console.
    pub(super) followed: BTreeSet<EntryId>,
    /// What was asked while something else was being written.
    pub(super) deferred: VecDeque<(Command, Option<(PaneId, String)>)>,
    /// The half-typed line that is saved beside it.
    pub(super) draft: DraftClock,
    /// What is half-typed in forms.
    pub(super) forms: Forms,
    /// When somebody pressed a key before the last pause of ten minutes, in the incident's clock.
    pub(super) away_since: Option<DateTime<Utc>>,
    /// When each part of the screen changes by itself, in the incident's clock; the header is the last.
    pub(super) wakes: [Option<DateTime<Utc>>; PANES.len() + 1],
    /// When the next wait of this person is over, in the incident's clock.
    pub(super) next_wait: Option<DateTime<Utc>>,
    /// What is sent from here.
    pub(super) outbox: Outbox,
    /// What is watched for its sake.
    pub(super) lookout: Lookout,
    /// What only it names in other systems, and what those said.
    pub(super) remotes: Remotes,
    /// What sources were asked for as usual, and when.
    pub(super) usual_asked: Option<(Before, DateTime<Utc>)>,
    /// The playbooks as it goes by them; the settings have those of the files.
    pub(super) catalogue: Catalogue,
    /// Which versions those are.
    pub(super) frozen: Vec<CleanStr>,
    /// Versions of files that were offered already.
    pub(super) offered: BTreeSet<CleanStr>,
    /// What the world of a drill was told.
    pub(super) progress_told: Progress,
    /// Incidents of the same services before it.
    pub(super) past: Option<History>,
    /// Which services those were looked up for.
    pub(super) past_of: Vec<ServiceId>,
    /// For what the bell rang.
    pub(super) rung: BTreeSet<Duty>,
}

/// Since when, and by how much, the half-typed line is not on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct DraftClock {
    pub(super) changed_at: Option<DateTime<Utc>>,
    pub(super) changes: usize,
}

impl OpenRecord {
    /// A record of which nothing was read yet, or none.
    pub(super) fn new(id: Option<IncidentId>, catalogue: Catalogue) -> Self {
        Self {
            incident: Incident::new(id.unwrap_or(IncidentId::incident(1))),
            record: Record { id, ..Record::default() },
            present: Vec::new(),
            outputs: Outputs::default(),
            then: None,
            followed: BTreeSet::new(),
            deferred: VecDeque::new(),
            draft: DraftClock::default(),
            forms: Forms::default(),
            away_since: None,
            wakes: [None; PANES.len() + 1],
            next_wait: None,
            outbox: Outbox::default(),
            lookout: Lookout::default(),
            remotes: Remotes::default(),
            usual_asked: None,
            catalogue,
            frozen: Vec::new(),
            offered: BTreeSet::new(),
            progress_told: Progress::default(),
            past: None,
            past_of: Vec::new(),
            rung: BTreeSet::new(),
        }
    }
}

impl Console {
    /// Another record is open here now.
    pub(super) fn opened(&mut self, id: IncidentId, wall: DateTime<Utc>) {
        let last = self.open.record.id;
        self.turn_to(Some(id));
        if let Some(last) = last.filter(|last| *last != id)
            && self.overlay.as_ref().is_some_and(|shown| shown.overlay.is_about_the_record())
        {
            self.overlay = None;
            self.say(Tone::Refused, format!("{id} is open now: what was asked about {last} is closed, undone"), wall);
        }
        if self.panes.iter().any(|pane| pane.draft().is_some()) {
            self.open.draft.changed_at = Some(wall);
            self.say(Tone::Said, format!("your half-typed line came along to {id}; Enter would record it here"), wall);
        }
    }

    /// No record is open any more.
    pub(super) fn leave_record(&mut self) {
        self.turn_to(None);
    }

    /// What was the last record's goes: as one value, and out of the two values that speak of this process too.
    fn turn_to(&mut self, id: Option<IncidentId>) {
        let forms = self.open.forms.of_next_record(id.is_some());
        self.open = OpenRecord { forms, ..OpenRecord::new(id, self.settings.catalogue.clone()) };
        self.live = std::mem::take(&mut self.live).of_next_record();
        self.own = std::mem::take(&mut self.own).of_next_record();
        self.panes.iter_mut().for_each(|pane| pane.turn_to_next_record());
        self.start = None;
        self.dirty = Dirty::ALL;
    }
}
