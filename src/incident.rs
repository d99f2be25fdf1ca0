//! An incident: the state that all entries of its journal fold into.
//!
//! Hides how entries that arrive late, twice or out of order are put in their place. What a person may do is [`command`]'s business, what is due is
//! [`cadence`]'s, how it reads is [`timeline`]'s.
//!
//! Invariant: the fold is total and order-independent. Any set of entries, in any order, with duplicates, gives one state; nothing here returns a
//! `Result`. Entries that make no sense where they stand are kept, shown and counted; entries of a newer build are kept as unrecognised.

pub mod brief;
pub mod bulletin;
pub mod cadence;
pub mod card;
mod clocks;
pub mod command;
pub mod delivery;
pub mod ended;
pub mod entry;
pub mod event;
pub mod facilitation;
mod fold;
pub mod foreign;
pub mod gate;
pub mod heard;
pub mod impact;
pub mod judging;
pub mod lamp;
pub mod leftover;
pub mod measures;
mod merge;
mod pace;
pub mod postmortem;
mod redaction;
pub mod review;
mod saying;
pub mod standing;
pub mod state;
pub mod symptom;
pub mod terms;
pub mod timeline;
mod unfinished;
pub mod values;
pub mod when;
pub mod wording;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::{CleanStr, CleanText};
pub use bulletin::{Attached, Bulletin, FACTS, Handle, Owner};
pub use cadence::{Cadence, Duty, Obligation, Rules, Urgency};
use clocks::{Clocks, Reading};
pub use command::{Asking, Command, Refusal};
pub use delivery::{About, Beside, Delivery, LONGEST_TURN, Parcel, Receipt, Route, Thing};
pub use entry::*;
pub use event::*;
pub use facilitation::{Facilitated, Facilitation};
pub use foreign::{Foreign, News, Paged, Watched};
pub use heard::{Fate, Heard, Telling};
pub use impact::{Impact, Stretch, Window};
pub use judging::{Capture, Judging, Meaning};
pub use redaction::REDACTED;
pub(crate) use saying::says;
pub use saying::{By, Piece, Saying};
pub use standing::{Happened, Happening, Standing};
pub use state::*;
pub use symptom::Symptom;
pub use terms::*;
pub use timeline::{Line, Timeline};
pub use unfinished::unfinished;

/// The clock of an incident: the wall clock, or for a drill the one that its first entry set running, and that stands still while the drill is paused.
#[derive(Clone, Debug, PartialEq)]
pub struct Clock {
    start: DateTime<Utc>,
    speed: f64,
    /// In their order; the last one may go on.
    pauses: Option<Arc<[Pause]>>,
}

/// From when to when the wall clock ran alone.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pause {
    from: DateTime<Utc>,
    to: Option<DateTime<Utc>>,
}

/// Clocks of different speed agree to this.
const ROUNDED: TimeDelta = TimeDelta::milliseconds(2);
/// What comes after a pause of which nobody knows the end is so far away.
const FAR: TimeDelta = TimeDelta::days(36_500);

impl Default for Clock {
    fn default() -> Self {
        Self { start: DateTime::UNIX_EPOCH, speed: 1.0, pauses: None }
    }
}

impl Clock {
    /// A clock that shows `start` when the wall clock does, and runs `speed` times as fast.
    pub fn new(start: DateTime<Utc>, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { start, speed, pauses: None }
    }

    /// The same clock, standing still from this moment of the wall clock on; `None` where it does already.
    fn paused(&self, wall: DateTime<Utc>) -> Option<Self> {
        let before = self.pauses.as_deref().unwrap_or_default();
        let from = before.iter().filter_map(|pause| pause.to).fold(wall, DateTime::max);
        let all = before.iter().copied().chain([Pause { from, to: None }]).collect();
        (!self.is_paused()).then(|| Self { pauses: Some(all), ..self.clone() })
    }

    /// The same clock, running again from this moment of the wall clock on; `None` where it does already.
    fn resumed(&self, wall: DateTime<Utc>) -> Option<Self> {
        let (last, before) = self.pauses.as_deref()?.split_last()?;
        let ended = Pause { to: Some(wall.max(last.from)), ..*last };
        let all = before.iter().copied().chain([ended]).collect();
        self.is_paused().then(|| Self { pauses: Some(all), ..self.clone() })
    }

    /// Whether it stands still, until somebody lets the drill go on.
    pub fn is_paused(&self) -> bool {
        self.pauses.as_deref().and_then(|pauses| pauses.last()).is_some_and(|pause| pause.to.is_none())
    }

    /// What this clock shows at a moment of the wall clock.
    pub fn show(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        let stood = |pause: &Pause| (pause.to.map_or(wall, |to| to.min(wall)) - pause.from).max(TimeDelta::zero());
        let wall = wall - self.pauses.as_deref().unwrap_or_default().iter().map(stood).sum::<TimeDelta>();
        if self.speed == 1.0 { wall } else { scaled(self.start, wall - self.start, self.speed) }
    }

    /// The first millisecond of the wall clock at which this clock shows `at` or later: whoever wakes up then does not wake too early. While it stands
    /// still, what is to come is a century away.
    pub fn wall(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let mut wall = if self.speed == 1.0 { at } else { self.first_wall(at) };
        for pause in self.pauses.as_deref().unwrap_or_default().iter() {
            match pause.to {
                Some(to) if wall > pause.from => wall += to - pause.from,
                // What it shows while it stands still is no moment to wake up for: a loop that did would never sleep.
                None if wall + ROUNDED > pause.from => wall += FAR,
                Some(_) | None => {}
            }
        }
        wall
    }

    fn first_wall(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let milliseconds = (at - self.start).num_milliseconds() as f64 / self.speed;
        self.start.checked_add_signed(TimeDelta::milliseconds(milliseconds.ceil() as i64)).unwrap_or(self.start)
    }

    /// How much passes on this clock while so much passes on the wall.
    pub fn passed(&self, wall: TimeDelta) -> TimeDelta {
        if self.speed == 1.0 { wall } else { scaled(self.start, wall, self.speed) - self.start }
    }

    /// How many times as fast as the wall clock it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

fn scaled(start: DateTime<Utc>, by: TimeDelta, factor: f64) -> DateTime<Utc> {
    let milliseconds = by.num_milliseconds() as f64 * factor;
    start.checked_add_signed(TimeDelta::milliseconds(milliseconds as i64)).unwrap_or(start)
}

/// How far a drill is: what its room did, and the clock that it goes by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// The ticked steps, since when.
    pub done: Vec<Ticked>,
    /// The drill's clock with its pauses, once it is known.
    pub clock: Option<Clock>,
    /// What was put into staging, since when.
    pub staged: Vec<(StepRef, DateTime<Utc>)>,
    /// The open tasks of those who are not here: the exercise may play them.
    pub tasks: Vec<Task>,
    /// What the facilitator did by hand.
    pub hand: Facilitation,
}

/// Somebody at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When, in the incident's clock.
    pub at: DateTime<Utc>,
    /// Who.
    pub by: Actor,
}

/// What has become of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Done.
    Checked(Mark),
    /// Passed over, with the reason.
    Skipped(Mark, CleanStr),
    /// Open again after it was done or skipped.
    Reopened(Mark),
}

/// A status update as it was told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The entry that recorded it.
    pub id: EntryId,
    /// When and by whom.
    pub mark: Mark,
    /// What, where, and what it promised.
    pub update: StatusUpdate,
}

impl Told {
    /// When it was told, as far as nobody but the person who recorded it knows.
    pub fn at(&self) -> DateTime<Utc> {
        self.update.told_at.unwrap_or(self.mark.at)
    }
}

/// A role and, of an SME, the component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// The role.
    pub role: Role,
    /// The component of an SME.
    pub component: Option<CleanStr>,
}

/// What the entries say so far; derived, never written.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Facts {
    /// Who declared it, when …
    pub declared: Option<Mark>,
    /// … and the entry that did: a random name of the record, which no other journal gives.
    pub record: Option<EntryId>,
    /// What is wrong.
    pub title: CleanStr,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// The highest severity reached: measures use it.
    pub worst: Option<Severity>,
    /// Nobody hears of it but those who are paged and those in its own chat channel.
    pub is_private: bool,
    /// Where it stands, since when.
    pub phase: Option<(Phase, DateTime<Utc>)>,
    /// What is affected, in the order in which it was named.
    pub services: Vec<ServiceId>,
    /// When it was detected; absent reads "not recorded".
    pub detected_at: Option<DateTime<Utc>>,
    /// Who told us.
    pub detection: Option<Detection>,
    /// Who acknowledged it first.
    pub acknowledged: Option<Mark>,
    /// When it was resolved, the last time.
    pub resolved_at: Option<DateTime<Utc>>,
    /// When customers hurt.
    pub impact: Impact,
    /// Who holds which role since when.
    pub roles: BTreeMap<Seat, Mark>,
    /// Those of them that the exercise of a drill plays.
    pub played: BTreeSet<Seat>,
    /// Steps that somebody touched.
    pub steps: BTreeMap<StepRef, StepState>,
    /// What was done from when until when, in the order of the ticks: opening a step again does not undo its past.
    pub ticks: Vec<Ticked>,
    /// Updates, in their order.
    pub updates: Vec<Told>,
    /// The drill's four facts, if it is one.
    pub drill: Option<DrillStarted>,
    /// What the drill's facilitator did.
    pub facilitation: Facilitation,
    /// The zone in which times are read (IANA name).
    pub zone: CleanStr,
    /// Entries that a newer build wrote.
    pub unrecognised: usize,
    /// Entries that make no sense where they stand.
    pub senseless: usize,
    /// Entries that came second: what they wanted had been done already, by whom and when.
    pub beaten: BTreeMap<EntryId, Mark>,
    /// Each severity that it had, with the moment at which it began.
    pub severities: Vec<(Severity, DateTime<Utc>)>,
    /// Since when it runs again after it was over.
    pub reopened_at: Option<DateTime<Utc>>,
    /// Alerts that belong to it.
    pub alerts: Vec<AlertLinked>,
    /// From when until when its alerts fired and objectives in scope were broken, in the order in which that was recorded.
    pub symptoms: Vec<Symptom>,
    /// What is affected beside the services.
    pub scope: Scope,
    /// Somebody said that no customer is affected, and nobody said the opposite since.
    pub nobody_affected: Option<Mark>,
    /// Whom the escalation matrix names and who was told, at which severity.
    pub told: BTreeMap<CleanStr, (Severity, Mark)>,
    /// Records whose merge with this one was taken back, and after which entry that was.
    unmerged: BTreeMap<IncidentId, OrderKey>,
    /// Who changed the pace of updates, when, to what; the newest last.
    pub paces: Vec<(Mark, CadenceSet)>,
    /// Obligations that were put off.
    pub snoozes: BTreeMap<Duty, Snooze>,
    /// Texts that wait for approval.
    pub drafts: Vec<Draft>,
    /// Roles that are offered.
    pub offers: Vec<Offer>,
    /// Since when nobody commands, where somebody did before.
    pub uncommanded_since: Option<DateTime<Utc>>,
    /// Drafts and offers that were answered, by whom and when first: sent or withdrawn, accepted or declined.
    settled: BTreeMap<EntryId, Mark>,
    /// Of each journal file the last text that was approved when somebody had withdrawn or sent it, and up to which entry it reaches: what was
    /// written behind it to carry it out carries nothing.
    overtaken: BTreeMap<u64, (u64, CleanText)>,
    /// Who handed over which role, when: they stay as advisers for a while.
    pub handed_over: BTreeMap<Seat, Mark>,
    /// Work that was handed out.
    pub tasks: Vec<Task>,
    /// Proposals and decisions.
    pub decisions: Vec<Decision>,
    /// Theories.
    pub hypotheses: Vec<Hypothesis>,
    /// Commands that were started, in their order.
    pub runs: Vec<Run>,
    /// What steps that look have found last.
    pub answers: BTreeMap<StepRef, (Mark, StepAnswered)>,
    /// Who vouched for which frozen command, the newest last.
    pub vouched: Vec<(Mark, CommandVouched)>,
    /// Playbooks from outside whose commands may run, by their digest.
    pub approved_playbooks: BTreeMap<CleanStr, Mark>,
    /// The versions of playbooks that count here.
    pub playbooks: BTreeMap<ServiceId, PlaybookFrozen>,
    /// Since when another version of a playbook counts than the first, and who chose so.
    pub playbooks_changed: BTreeMap<ServiceId, Mark>,
    /// What goes out, in the order in which it was queued.
    pub deliveries: Vec<Delivery>,
    /// The ways out that people took where another system raised a question.
    pub choices: BTreeSet<CleanStr>,
    /// What was done in other systems, by system and by what it is called there.
    pub foreign: BTreeMap<(CleanStr, CleanStr), Foreign>,
    /// Steps that somebody works on.
    pub claims: BTreeMap<StepRef, Mark>,
    /// When mitigation took hold, where somebody said so.
    pub mitigated_at: Option<DateTime<Utc>>,
    /// How it ended, the last time.
    pub resolution: Option<Resolution>,
    /// As what it was closed.
    pub outcome: Option<Outcome>,
    /// Who closed it and why.
    pub closing: Option<leftover::Closing>,
    /// How often it was reopened.
    pub reopened: u32,
    /// The postmortem's date and owner.
    pub postmortem: Option<PostmortemScheduled>,
    /// The knowledge-base article.
    pub article: Option<ArticleRecorded>,
    /// Documents that were reviewed.
    pub reviews: BTreeMap<ReviewOf, Mark>,
    /// What must not be forgotten.
    pub follow_ups: Vec<FollowUp>,
    /// Moments that were corrected; the last one counts.
    pub corrections: BTreeMap<Milestone, Vec<Correction>>,
    /// Records that were merged into this one.
    pub merged: Vec<IncidentId>,
    /// Consoles whose clocks are off, and by how many milliseconds they are ahead.
    pub skews: BTreeMap<CleanStr, i64>,
    /// When each phase was entered, by whom.
    pub phases: Vec<(Phase, Mark)>,
    clock: Clock,
    clocks: Clocks,
    /// Consoles of which it was told that their clocks are off.
    told_off: BTreeSet<CleanStr>,
    timeline: Timeline,
}

/// One incident, folded from its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    id: IncidentId,
    entries: BTreeMap<OrderKey, Entry>,
    places: HashMap<EntryId, OrderKey>,
    disputed: BTreeSet<EntryId>,
    /// Whose words a redaction takes.
    redacted: BTreeSet<EntryId>,
    facts: Facts,
}

impl std::ops::Deref for Incident {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl Incident {
    /// An incident of which nothing is known yet.
    pub fn new(id: IncidentId) -> Self {
        Self {
            id,
            entries: BTreeMap::new(),
            places: HashMap::new(),
            disputed: BTreeSet::new(),
            redacted: BTreeSet::new(),
            facts: Facts::default(),
        }
    }

    /// The incident that a set of entries gives.
    pub fn replay(id: IncidentId, entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut incident = Self::new(id);
        incident.apply(entries);
        incident
    }

    /// Takes entries in, in any order and as often as they come.
    pub fn apply(&mut self, entries: impl IntoIterator<Item = Entry>) {
        let mut late = false;
        for entry in entries {
            late |= self.insert(entry);
        }
        if late {
            let clocks = Clocks::of(self.entries.values());
            let unmerged = merge::unmerged(self.entries.values());
            self.facts = Facts { skews: clocks.said.clone(), clocks, unmerged, ..Facts::default() };
            let redacted = redaction::redacted(self.entries.values());
            for entry in self.entries.values() {
                match redaction::bare(entry, &redacted) {
                    Some(bare) => self.facts.fold(&bare),
                    None => self.facts.fold(entry),
                }
            }
            let Self { entries, facts, .. } = self;
            let Facts { clock, clocks, timeline, .. } = facts;
            timeline.arrange(entries, Reading { clock, clocks });
        }
    }

    /// Puts one entry in its place; says whether the state must be built anew.
    fn insert(&mut self, entry: Entry) -> bool {
        let key = entry.order();
        if let Event::EntryRedacted(body) = &entry.event {
            self.redacted.insert(body.entry);
        }
        if let Some(&place) = self.places.get(&entry.id) {
            let Some(known) = self.entries.get(&place) else { return false };
            if *known == entry {
                return false;
            }
            // Two different entries under one identity: a copied or edited file. Everybody keeps the same one, and it is counted.
            self.disputed.insert(entry.id);
            if (place, known.to_json()) <= (key, entry.to_json()) {
                return false;
            }
            self.entries.remove(&place);
            self.places.insert(entry.id, key);
            self.entries.insert(key, entry);
            return true;
        }
        let in_order = self.entries.last_key_value().is_none_or(|(last, _)| *last < key);
        self.places.insert(entry.id, key);
        if in_order {
            let drill_before = self.facts.clock.clone();
            self.facts.fold(&entry);
            let Facts { clock, clocks, timeline, .. } = &mut self.facts;
            timeline.append(&entry, Reading { clock, clocks });
            let clock_changed = drill_before != self.facts.clock && !self.entries.is_empty();
            // Times that were read with a clock that was off must be read again, and what a merge changed must not have been.
            // So must what a redacted entry has told: its words are in titles, tasks, updates by now.
            let is_skew = matches!(
                entry.event,
                Event::ClockSkewed(_) | Event::ClockJumped(_) | Event::EntryRedacted(_) | Event::MergeUndone(_)
            );
            // A redaction may be known before what it takes the words of: a correction of a note, or an entry of a machine whose clock is behind.
            let is_bare = self.redacted.iter().any(|id| entry.event.is_redacted_with(entry.id, *id));
            self.entries.insert(key, entry);
            return clock_changed || is_skew || is_bare;
        }
        self.entries.insert(key, entry);
        true
    }

    /// The name of the incident.
    pub fn id(&self) -> IncidentId {
        self.id
    }

    /// Whether nobody has declared it (yet).
    pub fn is_blank(&self) -> bool {
        self.facts.declared.is_none()
    }

    /// All entries in the order that everybody sees.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// An entry by its identity.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(self.places.get(&id)?)
    }

    /// Identities under which two different entries came.
    pub fn disputed(&self) -> usize {
        self.disputed.len()
    }

    /// The timeline.
    pub fn timeline(&self) -> timeline::View<'_> {
        timeline::View::new(self)
    }

    /// By how much a console's clock is known to be ahead.
    pub fn ahead(&self, console: &CleanStr) -> TimeDelta {
        self.facts.clocks.ahead_now(console)
    }

    /// How the steps that somebody began have ended so far.
    pub fn step_ends(&self) -> BTreeMap<StepRef, StepEnd> {
        let mut ends = BTreeMap::new();
        for run in &self.runs {
            if let (Some(step), Some(end), Purpose::Do) = (&run.order.step, run.end(), run.order.purpose) {
                let end = if end.has_succeeded() { StepEnd::Done } else { StepEnd::Failed(end.how().into()) };
                ends.insert(step.clone(), end);
            }
        }
        for (step, state) in &self.steps {
            match state {
                StepState::Checked(_) => ends.insert(step.clone(), StepEnd::Done),
                StepState::Skipped(_, reason) => ends.insert(step.clone(), StepEnd::Skipped(reason.clone())),
                StepState::Reopened(_) => None,
            };
        }
        ends
    }

    /// When an entry was written, in the incident's clock.
    pub fn time(&self, entry: &Entry) -> DateTime<Utc> {
        self.facts.time(entry)
    }
}

impl Facts {
    fn reading(&self) -> Reading<'_> {
        Reading { clock: &self.clock, clocks: &self.clocks }
    }

    fn time(&self, entry: &Entry) -> DateTime<Utc> {
        self.reading().time(entry)
    }

    /// The clock that this incident is read by.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Where it stands; an undeclared incident is merely detected.
    pub fn phase(&self) -> Phase {
        self.phase.map_or(Phase::Detected, |(phase, _)| phase)
    }

    /// Who holds a role; of several SMEs the first.
    pub fn holder(&self, role: Role) -> Option<&Actor> {
        self.roles.iter().find(|(seat, _)| seat.role == role).map(|(_, mark)| &mark.by)
    }

    /// Who owes what a role does; a part that the exercise plays answers call-backs and does nothing else.
    pub fn doer(&self, role: Role) -> Option<&Actor> {
        let mut seats = self.roles.iter().filter(|(seat, _)| seat.role == role && !self.played.contains(seat));
        seats.next().map(|(_, mark)| &mark.by)
    }

    /// What is said behind the name of whoever holds a seat: nothing, unless the exercise plays them.
    pub fn part(&self, seat: &Seat) -> &'static str {
        if self.played.contains(seat) { " (played by the exercise)" } else { "" }
    }

    /// Whether somebody holds a role.
    pub fn holds(&self, actor: &str, role: Role) -> bool {
        self.roles.iter().any(|(seat, mark)| seat.role == role && mark.by == *actor)
    }

    /// Time from detection to acknowledgement; absent while either is not recorded.
    pub fn time_to_acknowledge(&self) -> Option<TimeDelta> {
        Some(self.acknowledged.as_ref()?.at - self.detected_at?)
    }

    /// Time from detection (or, where nobody recorded it, from the declaration) until resolution or now.
    pub fn elapsed(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let start = self.detected_at.or(self.declared.as_ref().map(|mark| mark.at))?;
        Some(self.resolved_at.unwrap_or(now) - start)
    }
}

#[cfg(test)]
pub(crate) mod tests;
