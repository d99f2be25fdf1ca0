//! The timeline: the scribe's reading of the journal.
//!
//! Hides that a line stands at the time when something happened, not when it was written; that corrections and strikes come as later entries; and
//! that a line's words are made when it is shown, not kept.
//!
//! Invariant: every entry is one line, or a change to one; nothing that was written is ever out of reach.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::wording::{news, wording};
use super::*;

/// An entry that arrives later than this after its own time says so.
const LATE: TimeDelta = TimeDelta::seconds(60);

/// The order of lines, and what became of them.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Timeline {
    order: Vec<(DateTime<Utc>, OrderKey)>,
    amendments: HashMap<EntryId, Vec<Amendment>>,
    struck: HashMap<EntryId, Strike>,
    redacted: HashMap<EntryId, Strike>,
    /// What another line says already.
    hidden: HashSet<EntryId>,
}

#[derive(Clone, Debug, PartialEq)]
struct Amendment {
    id: EntryId,
    by: Actor,
    body: NoteAmended,
}

/// Who struck a line, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Who.
    pub by: Actor,
    /// Why, if somebody said.
    pub reason: Option<CleanStr>,
}

/// Whether a person or a machine wrote a line: machine lines fold away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// A person's words or decisions.
    Human,
    /// A consequence that a console wrote down.
    Machine,
}

/// One line as it reads now.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The entry.
    pub id: EntryId,
    /// When it happened, in the incident's clock.
    pub at: DateTime<Utc>,
    /// When it was written down, in the incident's clock.
    pub entered: DateTime<Utc>,
    /// Whose words they are: who wrote it; of what was said elsewhere whoever said it there.
    pub actor: Actor,
    /// A word that says what kind of line it is.
    pub tag: &'static str,
    /// What it says.
    pub text: CleanText,
    /// Person or machine.
    pub hand: Hand,
    /// Corrected so many times, the last time by whom.
    pub amended: Option<(usize, Actor)>,
    /// What it said first, where it was corrected.
    pub original: Option<CleanText>,
    /// Struck through.
    pub struck: Option<Strike>,
    /// Its words are shown no more.
    pub redacted: Option<Strike>,
    /// Without effect, because somebody was first.
    pub beaten: Option<Mark>,
}

impl Line {
    /// How much later than it happened it was written down, where that is worth saying.
    pub fn lateness(&self) -> Option<TimeDelta> {
        let late = self.entered - self.at;
        (late >= LATE).then_some(late)
    }
}

/// Whether an event has a line of its own: what changes another line has none, nor has each try to send something.
fn has_line(event: &Event) -> bool {
    match event {
        Event::NoteAmended(_) | Event::NoteStruck(_) | Event::EntryRedacted(_) => false,
        // Nothing comes of it unless somebody reads this.
        Event::DeliveryQueued(body) => body.release == Release::OnWord,
        Event::DeliveryMoved(body) => !body.is_routine,
        Event::Facilitated(act) => act.is_for_all(),
        _ => true,
    }
}

impl Timeline {
    pub(super) fn append(&mut self, entry: &Entry, reading: Reading<'_>) {
        match &entry.event {
            Event::NoteAmended(body) => {
                let moved = body.at.is_some();
                if let Some(place) = moved.then(|| self.order.iter().position(|(_, key)| key.id == body.note)).flatten()
                {
                    let (at, key) = self.order.remove(place);
                    self.place(self.moved_to(&body.note).unwrap_or(at), key);
                }
            }
            event if !has_line(event) || self.hidden.contains(&entry.id) => {}
            _ => {
                let at = self.moved_to(&entry.id).unwrap_or_else(|| happened(entry, reading));
                self.place(at, entry.order());
            }
        }
    }

    pub(super) fn arrange(&mut self, entries: &BTreeMap<OrderKey, Entry>, reading: Reading<'_>) {
        self.order = entries
            .values()
            .filter(|entry| has_line(&entry.event) && !self.hidden.contains(&entry.id))
            .map(|entry| (self.moved_to(&entry.id).unwrap_or_else(|| happened(entry, reading)), entry.order()))
            .collect();
        self.order.sort_unstable();
    }

    fn place(&mut self, at: DateTime<Utc>, key: OrderKey) {
        let place = self.order.partition_point(|other| *other < (at, key));
        self.order.insert(place, (at, key));
    }

    fn moved_to(&self, note: &EntryId) -> Option<DateTime<Utc>> {
        self.amendments.get(note)?.iter().rev().find_map(|amendment| amendment.body.at)
    }

    pub(super) fn amend(&mut self, entry: &Entry, body: &NoteAmended) -> bool {
        let amendment = Amendment { id: entry.id, by: entry.actor.clone(), body: body.clone() };
        self.amendments.entry(body.note).or_default().push(amendment);
        body.text.is_some() || body.at.is_some()
    }

    /// Shows no line for an entry that says what another one says already.
    pub(super) fn hide(&mut self, id: EntryId) {
        self.hidden.insert(id);
    }

    pub(super) fn is_struck(&self, note: EntryId) -> bool {
        self.struck.contains_key(&note)
    }

    pub(super) fn strike(&mut self, entry: &Entry, body: &NoteStruck) -> bool {
        let first = !self.struck.contains_key(&body.note);
        self.struck.entry(body.note).or_insert_with(|| Strike { by: entry.actor.clone(), reason: body.reason.clone() });
        first
    }

    pub(super) fn redact(&mut self, entry: &Entry, body: &EntryRedacted) -> bool {
        let strike = Strike { by: entry.actor.clone(), reason: Some(body.reason.clone()) };
        self.redacted.insert(body.entry, strike).is_none()
    }
}

/// Whether nobody did it: a console found it out and wrote it down, and any other one could have.
fn is_machines(event: &Event) -> bool {
    match event {
        Event::ClockJumped(_) | Event::ClockSkewed(_) | Event::CommandEnded(_) => true,
        Event::SymptomBegan(_) | Event::SymptomEnded(_) => true,
        Event::CommandRemarked(body) => body.remark == Remark::Overtime,
        Event::DeliveryMoved(body) => match body.to {
            DeliveryState::Held { .. }
            | DeliveryState::Sending
            | DeliveryState::Sent(_)
            | DeliveryState::Failed { .. }
            | DeliveryState::Unconfirmed { .. }
            | DeliveryState::Superseded { .. } => true,
            // Somebody's word.
            DeliveryState::Queued { .. }
            | DeliveryState::Gone { .. }
            | DeliveryState::ByHand
            | DeliveryState::Dropped { .. } => false,
        },
        _ => false,
    }
}

/// Whose words a line has: the console that noted what was said elsewhere, or what came of something, said nothing.
fn author(entry: &Entry) -> Actor {
    match &entry.event {
        event if is_machines(event) && entry.via.host.is_blank() => "warroom".into(),
        event if is_machines(event) => Actor::new(&format!("warroom on {}", entry.via.host)),
        Event::ForeignNoted(body) => outside(body),
        _ => entry.actor.clone(),
    }
}

/// Who did something in another system: `Grace (PagerDuty)`; the system alone, where it does not say.
fn outside(body: &ForeignNoted) -> Actor {
    let system = match body.service.as_str() {
        "pagerduty" => "PagerDuty",
        "slack" => "Slack",
        "jira" => "Jira",
        "statuspage" => "Statuspage",
        "alertmanager" => "Alertmanager",
        "opsgenie" => "Opsgenie",
        // People of a drill are in the room, and so are those of systems that are no places.
        _ if body.who.is_blank() => return body.service.clone(),
        _ => return body.who.clone(),
    };
    if body.who.is_blank() { system.into() } else { Actor::new(&format!("{} ({system})", body.who)) }
}

fn happened(entry: &Entry, reading: Reading<'_>) -> DateTime<Utc> {
    match &*reading.event(entry) {
        Event::NoteAdded(NoteAdded { at: Some(at), .. })
        | Event::StatusUpdatePosted(StatusUpdate { told_at: Some(at), .. })
        | Event::LineMerged(LineMerged { at, .. })
        | Event::ForeignNoted(ForeignNoted { at, .. })
        | Event::SymptomBegan(SymptomBegan { since: at, .. })
        | Event::SymptomEnded(SymptomEnded { ended: at, .. }) => *at,
        _ => reading.time(entry),
    }
}

/// The timeline of one incident, to be read.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    incident: &'a Incident,
}

impl<'a> View<'a> {
    pub(super) fn new(incident: &'a Incident) -> Self {
        Self { incident }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.incident.facts.timeline.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the line at a place was written by a person; cheaper than the line itself.
    pub fn hand(&self, place: usize) -> Option<Hand> {
        self.entry_at(place).map(|entry| hand(&entry.event))
    }

    /// The identity of the line at a place.
    pub fn id(&self, place: usize) -> Option<EntryId> {
        self.incident.facts.timeline.order.get(place).map(|(_, key)| key.id)
    }

    /// When what the line at a place tells happened; cheaper than the line itself.
    pub fn at(&self, place: usize) -> Option<DateTime<Utc>> {
        self.incident.facts.timeline.order.get(place).map(|(at, _)| *at)
    }

    /// What the line at a place says to those who are not in the room, where it is news to them; not what was proposed, asked for or tried.
    pub fn news(&self, place: usize) -> Option<CleanText> {
        let entry = self.entry_at(place)?;
        let line = self.line(place)?;
        let is_beaten = self.incident.facts.beaten.contains_key(&entry.id);
        let stands = line.struck.is_none() && line.redacted.is_none() && !is_beaten;
        stands.then(|| news(&self.incident.facts.reading().event(entry), line.text.first_line(), self.incident))?
    }

    /// Where a line stands.
    pub fn place(&self, id: EntryId) -> Option<usize> {
        // Lines are looked up from the newest: that is where people work.
        self.incident.facts.timeline.order.iter().rposition(|(_, key)| key.id == id)
    }

    /// The line at a place.
    pub fn line(&self, place: usize) -> Option<Line> {
        let entry = self.entry_at(place)?;
        let timeline = &self.incident.facts.timeline;
        let (at, _) = timeline.order.get(place)?;
        let amendments = timeline.amendments.get(&entry.id).map_or(&[][..], Vec::as_slice);
        let (tag, first) = wording(&self.incident.facts.reading().event(entry), self.incident);
        let beaten = self.incident.facts.beaten.get(&entry.id);
        let (tag, first) = match (&entry.event, beaten) {
            // Nothing ran: it must not read as if something had.
            (Event::CommandStarted(body), Some(by)) => {
                ("run", CleanText::new(&format!("{}: not started, {} was first", body.title, by.by)))
            }
            // Nobody has read it.
            (Event::StatusUpdatePosted(update), Some(_)) => {
                ("draft", CleanText::new(&format!("not sent: {}", update.text)))
            }
            (Event::DraftDropped(_), Some(_)) => ("draft", CleanText::new("not withdrawn")),
            _ => (tag, first),
        };
        let redacted = timeline.redacted.get(&entry.id);
        let gone = |strike: &Strike| {
            let why = strike.reason.as_deref().unwrap_or_default();
            CleanText::new(&format!("(redacted by {}: {why})", strike.by))
        };
        let text = match redacted {
            Some(_) => None,
            // A correction can be redacted by itself: what stood there before stays as it was.
            None => amendments.iter().rev().find_map(|amendment| {
                let text = amendment.body.text.as_ref()?;
                Some(timeline.redacted.get(&amendment.id).map_or_else(|| text.clone(), gone))
            }),
        };
        let first = redacted.map_or(first, gone);
        Some(Line {
            id: entry.id,
            at: *at,
            entered: self.incident.time(entry),
            actor: author(entry),
            tag,
            original: text.as_ref().map(|_| first.clone()),
            text: text.unwrap_or(first),
            hand: hand(&entry.event),
            amended: amendments.last().map(|last| (amendments.len(), last.by.clone())),
            struck: timeline.struck.get(&entry.id).cloned(),
            redacted: redacted.cloned(),
            beaten: beaten.filter(|_| !matches!(entry.event, Event::CommandStarted(_))).cloned(),
        })
    }

    /// All lines, the oldest first.
    pub fn lines(self) -> impl DoubleEndedIterator<Item = Line> + 'a {
        (0..self.len()).filter_map(move |place| self.line(place))
    }

    fn entry_at(&self, place: usize) -> Option<&'a Entry> {
        let (_, key) = self.incident.facts.timeline.order.get(place)?;
        self.incident.entries.get(key)
    }
}

fn hand(event: &Event) -> Hand {
    match event {
        // The ends are somebody's word; the steps on the way follow from what was done.
        Event::PhaseEntered(body) if body.phase >= Phase::Resolved => Hand::Human,
        Event::PhaseEntered(_) => Hand::Machine,
        Event::DrillPaused(_) | Event::DrillResumed(_) | Event::Facilitated(_) => Hand::Human,
        Event::DrillStarted(_)
        | Event::ClockJumped(_)
        | Event::ClockSkewed(_)
        | Event::Unrecognised { .. }
        | Event::PlaybookFrozen(_)
        | Event::DeliveryQueued(_)
        | Event::DeliveryMoved(_)
        | Event::StepClaimed(_)
        | Event::StepReleased(_)
        | Event::TaskReadBack(_) => Hand::Machine,
        Event::CommandStarted(_)
        | Event::CommandRemarked(_)
        | Event::CommandEnded(_)
        | Event::CommandVouched(_)
        | Event::StepAnswered(_)
        | Event::PlaybookApproved(_) => Hand::Human,
        Event::Declared(_)
        | Event::TitleSet(_)
        | Event::PrivacySet(_)
        | Event::SeverityRaised(_)
        | Event::SeverityLowered(_)
        | Event::Acknowledged(_)
        | Event::ServiceAdded(_)
        | Event::ServiceRemoved(_)
        | Event::ImpactStarted(_)
        | Event::ImpactEnded(_)
        | Event::RoleTaken(_)
        | Event::RoleLeft(_)
        | Event::NoteAdded(_)
        | Event::NoteAmended(_)
        | Event::NoteStruck(_)
        | Event::EvidencePinned(_)
        | Event::StepChecked(_)
        | Event::StepSkipped(_)
        | Event::StepReopened(_)
        | Event::StatusUpdatePosted(_)
        | Event::AlertLinked(_)
        | Event::SymptomBegan(_)
        | Event::SymptomEnded(_)
        | Event::ScopeSet(_)
        | Event::NoCustomerAffected(_)
        | Event::PersonTold(_)
        | Event::PersonNotTold(_)
        | Event::ObligationSnoozed(_)
        | Event::CadenceSet(_)
        | Event::UpdateDrafted(_)
        | Event::DraftDropped(_)
        | Event::ForeignNoted(_)
        | Event::HandoverOffered(_)
        | Event::HandoverAccepted(_)
        | Event::HandoverEnded(_)
        | Event::TaskAssigned(_)
        | Event::TaskAnswered(_)
        | Event::DecisionProposed(_)
        | Event::ObjectionRaised(_)
        | Event::DecisionMade(_)
        | Event::HypothesisOpened(_)
        | Event::HypothesisSettled(_)
        | Event::PostmortemScheduled(_)
        | Event::ArticleRecorded(_)
        | Event::Reviewed(_)
        | Event::FollowUpSet(_)
        | Event::TimeAmended(_)
        | Event::EntryRedacted(_)
        | Event::DuplicateMerged(_)
        | Event::MergeUndone(_)
        | Event::LineMerged(_) => Hand::Human,
    }
}
