//! What goes out, and what became of it.
//!
//! Hides how two consoles that move a delivery at once come to one answer: a move says how many came before it, and the first of those that say the
//! same counts.
//!
//! Invariant: of a delivery at most one console is sending; what is not known to be absent is never sent again without a person's word.

use std::collections::BTreeSet;

use super::{
    Act, Attached, Channel, CleanStr, CleanText, DateTime, DeliveryMoved, DeliveryQueued, DeliveryState, EntryId,
    Facts, FollowUpState, Incident, IncidentId, Mark, Outcome, Owner, Release, Remote, Severity, Standing, TimeDelta,
    Told, Utc, Way,
};

use crate::text::markup::without_markup;

mod gathered;
mod given_up;
mod thing;

pub use gathered::LONGEST_TURN;
pub use thing::Thing;

/// The pause before the next try grows to this …
const LONG_PAUSE: TimeDelta = TimeDelta::seconds(60);
/// … and, after so many tries, to five times as much.
const MANY_TRIES: u32 = 60;

/// Where a channel leads: a system, and what the channel is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it is to people.
    pub channel: Channel,
    /// Which system.
    pub service: CleanStr,
    /// What it is to that system.
    pub target: CleanStr,
}

/// What a system is handed, or is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct Parcel {
    /// Which delivery.
    pub id: EntryId,
    /// What the system is told to remember, so that it can be found there: no delivery of another journal has the same.
    pub op: CleanStr,
    /// The mark of the record: every journal counts its incidents from 1, and each record has a random name of its own.
    pub record: CleanStr,
    /// The marks of all that this record has sent to the same place: what was made before records had marks bears one of them.
    pub ops: BTreeSet<CleanStr>,
    /// Which system.
    pub service: CleanStr,
    /// Where in it.
    pub target: CleanStr,
    /// What is done there.
    pub act: Act,
    /// The text.
    pub text: CleanText,
    /// On whose behalf, by the name that the system knows.
    pub from: Option<CleanStr>,
    /// Which incident, as people call it.
    pub incident: IncidentId,
    /// What it is about, where that was made there.
    pub about: Option<Remote>,
    /// What it makes, where that is there already.
    pub made: Option<Remote>,
    /// When it was sent, of what is looked for …
    pub sent_at: DateTime<Utc>,
    /// … and when it was sent the first time.
    pub first_sent_at: DateTime<Utc>,
    /// What it ends was not done: a false alarm, or a follow-up that was dropped.
    pub is_dropped: bool,
    /// The ways out that people took where a system asked, in this incident.
    pub choices: BTreeSet<CleanStr>,
    /// Other incidents that bear on what a page shows, as this host's records had them when it was handed over.
    pub beside: Vec<Beside>,
    /// What goes with it, as it is when it leaves.
    pub attached: Attached,
    /// How the incident stood when it was handed over.
    pub standing: Standing,
}

/// What a system said to a parcel, or to the question whether it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is there.
    There(Remote),
    /// It is not there yet, and the system is well: something that others make is waited for.
    NotYet {
        /// What is waited for.
        why: CleanStr,
        /// How long until it is looked for again.
        wait: TimeDelta,
    },
    /// It is certainly not there.
    NotThere {
        /// Why.
        why: CleanStr,
        /// How long the system wants to be left alone.
        wait: Option<TimeDelta>,
    },
    /// The system refuses it, now and later: why, and the way out.
    Refused(CleanStr),
    /// Nobody knows: why.
    Unknown(CleanStr),
    /// Nothing was written, because a person must decide first.
    Asks {
        /// What is the matter, in a sentence.
        why: CleanStr,
        /// The ways out, the safest first.
        ways: Vec<Way>,
    },
}

/// Another open incident of this host that affects parts of a page too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Which.
    pub incident: IncidentId,
    /// How bad; nothing where its record cannot be read.
    pub severity: Option<Severity>,
    /// The parts of the page that it affects, or may affect.
    pub components: BTreeSet<CleanStr>,
    /// What it is on that page, where it was published there.
    pub on_page: Option<CleanStr>,
}

/// Systems that say nothing of what they have, and keep what they are told under a key of ours: repeating is harmless, absence cannot be proved.
const SILENT: [&str; 3] = ["pagerduty-events", "webhook", "opsgenie"];

/// Systems that call people.
const PAGERS: [&str; 3] = ["pagerduty", "pagerduty-events", "opsgenie"];

/// Whether people are called from a system.
pub(super) fn calls_from(service: &str) -> bool {
    PAGERS.contains(&service)
}

/// A text on its way to another system.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The entry that queued it: with the incident's name before it, it is what the other system is told to remember.
    pub id: EntryId,
    /// Who approved the text, and when.
    pub queued: Mark,
    /// What goes where.
    pub body: DeliveryQueued,
    /// Where it stands …
    pub state: DeliveryState,
    /// … since when …
    pub since: DateTime<Utc>,
    /// … and which console moved it there, as that says …
    pub console: CleanStr,
    /// … with which entry: whoever wrote that has it in hand.
    pub by: EntryId,
    /// How many moves there were.
    pub moves: u32,
    /// How often it was tried.
    pub tries: u32,
    /// When a person last said that it goes out.
    pub approved_at: DateTime<Utc>,
    /// When it was handed over, the first time …
    pub first_sent_at: Option<DateTime<Utc>>,
    /// … and the last time.
    pub sent_at: Option<DateTime<Utc>>,
    /// The status update of which this is the text.
    pub update: Option<EntryId>,
    /// After how many reopenings it was asked for.
    pub round: u32,
    /// A try went wrong since a person last said that it goes out.
    pub has_failed: bool,
    /// A try ended in silence, and nothing has proved since that its system does not have it.
    pub may_be_there: bool,
    /// It was given up because the record was closed: a reopened one asks for it anew.
    pub has_lapsed: bool,
}

/// Whether what a delivery is about is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// It is about nothing in particular.
    Nothing,
    /// It is.
    There(Remote),
    /// Not yet.
    Awaited(Thing),
    /// It will never be.
    Missing(Thing),
}

impl Delivery {
    /// Where it goes, for people.
    pub fn place(&self) -> String {
        match self.body.channel {
            Some(channel) => format!("{} ({})", channel.name(), self.body.service),
            None => format!("{}: {}", self.body.service, self.body.act.words()),
        }
    }

    /// Whether customers, subscribers or paged people would notice if it came twice or too late: only a person sends it again.
    pub fn is_delicate(&self) -> bool {
        self.body.channel == Some(Channel::ExternalPage)
            || matches!(self.body.act, Act::Page(_) | Act::Escalate(_) | Act::Merge(_) | Act::Tell)
    }

    /// Whether people are called by it: of no use once it is over.
    pub fn calls_people(&self) -> bool {
        match &self.body.act {
            Act::Open(_) => PAGERS.contains(&self.body.service.as_str()),
            // There, each of them triggers the alert anew where it is not open.
            Act::Change(_) => *self.body.service == *"pagerduty-events",
            Act::Reopen => ["pagerduty-events", "opsgenie"].contains(&self.body.service.as_str()),
            Act::Page(_)
            | Act::Escalate(_)
            | Act::Reassign(_)
            | Act::FindRoom { .. }
            | Act::OpenRoom { .. }
            | Act::Invite(_) => true,
            Act::Post
            | Act::Acknowledge
            | Act::Describe
            | Act::Note(_)
            | Act::Report(_)
            | Act::Resolve
            | Act::Tell
            | Act::Publish(_)
            | Act::Topic
            | Act::Pin
            | Act::Adopt(_)
            | Act::AdoptRoom { .. }
            | Act::Merge(_)
            | Act::Ticket(_)
            | Act::ChangeTicket(_)
            | Act::CloseTicket(_)
            | Act::Silence(_)
            | Act::Unsilence(_) => false,
        }
    }

    /// Whether it goes to that place of that system.
    fn is_at(&self, at: &DeliveryQueued) -> bool {
        self.body.service == at.service && self.body.target == at.target
    }

    /// Whether both go to one place of one system.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.body.service == other.body.service && self.body.target == other.body.target
    }

    /// Whether this one, which is newer, says all that the other one would.
    pub fn replaces(&self, older: &Self) -> bool {
        self.is_beside(older) && self.body.act.replaces(&older.body.act)
    }

    /// As it is handed over.
    pub fn parcel(&self, incident: &Incident) -> Parcel {
        let about = match incident.about(self) {
            About::There(remote) => Some(remote),
            About::Nothing | About::Awaited(_) | About::Missing(_) => None,
        };
        let made = self.body.act.makes(self.id).and_then(|thing| incident.made(&self.body, thing).cloned());
        let here = incident.deliveries.iter().filter(|known| known.is_beside(self));
        Parcel {
            record: CleanStr::new(&incident.record.map(|id| id.to_string()).unwrap_or_default()),
            ops: here.map(|known| incident.op(known.id)).collect(),
            first_sent_at: self.first_sent_at.unwrap_or(self.since),
            incident: incident.id(),
            about,
            made,
            act: self.body.act.clone(),
            from: self.body.from.clone(),
            id: self.id,
            op: incident.op(self.id),
            service: self.body.service.clone(),
            target: self.body.target.clone(),
            text: self.words(incident),
            sent_at: self.since,
            is_dropped: incident.is_dropped(&self.body.act),
            choices: incident.choices.clone(),
            beside: Vec::new(),
            attached: self.attached(incident),
            standing: incident.standing(if let Act::Report(told) = self.body.act { Some(told) } else { None }),
        }
    }

    /// What goes with it; who is known where is for whoever knows people.
    fn attached(&self, incident: &Incident) -> Attached {
        let mut attached = Attached::default();
        match &self.body.act {
            // A text for the incident's own channel goes below the message at its top.
            Act::Post if incident.made(&self.body, Thing::Room).is_some() => {
                attached.thread = incident.made(&self.body, Thing::Pinned).cloned();
            }
            Act::Pin => attached.bulletin = Some(incident.bulletin()),
            Act::Open(_) => attached.facts = incident.in_facts(),
            Act::Ticket(item) | Act::ChangeTicket(item) => {
                attached.facts = incident.in_facts();
                let item = incident.follow_ups.iter().find(|one| one.id == *item);
                attached.due = item.and_then(|item| item.due);
                let owner = item.and_then(|item| item.owner.clone());
                attached.owner = owner.map(|name| Owner { name, mail: None });
            }
            _ => {}
        }
        attached
    }

    /// The pause before it is tried again, whatever kept it back: longer from try to try, and not the same for all that wait.
    pub fn pause(&self) -> TimeDelta {
        let longest = if self.tries > MANY_TRIES { LONG_PAUSE * 5 } else { LONG_PAUSE };
        let pause = TimeDelta::seconds(1_i64 << self.tries.saturating_sub(1).min(9)).min(longest);
        let share = (self.id.rseq.wrapping_mul(0x9e37_79b9) >> 7) % 250;
        pause + TimeDelta::milliseconds(pause.num_milliseconds() * share as i64 / 1000)
    }

    /// Whether it keeps something in step that is told anew with the next change.
    pub fn keeps_up(&self) -> bool {
        matches!(
            self.body.act,
            Act::Change(_)
                | Act::Describe
                | Act::Note(_)
                | Act::Report(_)
                | Act::Topic
                | Act::Pin
                | Act::Invite(_)
                | Act::Tell
        )
    }

    /// What is said: the text, or the lines of the timeline as they read now.
    pub fn words(&self, incident: &Incident) -> CleanText {
        let Act::Note(ids) = &self.body.act else { return self.worded().clone() };
        let (timeline, zone) = (incident.timeline(), incident.zone());
        let lines = timeline.lines().filter(|line| ids.contains(&line.id));
        let lines = lines.map(|line| {
            let at = line.at.with_timezone(&zone).format("%H:%M %Z");
            let struck = if line.struck.is_some() { "(struck) " } else { "" };
            // An update was written for chat first.
            let text = if line.tag == "UPDATE" { without_markup(&line.text) } else { line.text.to_string() };
            format!("{at} {} [{}] {struck}{text}", line.actor, line.tag)
        });
        CleanText::new(&lines.collect::<Vec<_>>().join("\n"))
    }

    /// What a system is told to remember, so that it can be found there.
    pub fn mark(&self, incident: &Incident) -> CleanStr {
        incident.op(self.id)
    }

    /// What the system made of it, as the record says.
    pub fn remote(&self) -> Option<&Remote> {
        match &self.state {
            DeliveryState::Sent(remote) => Some(remote),
            DeliveryState::Queued { .. }
            | DeliveryState::Held { .. }
            | DeliveryState::Sending
            | DeliveryState::ByHand
            | DeliveryState::Failed { .. }
            | DeliveryState::Unconfirmed { .. }
            | DeliveryState::Gone { .. }
            | DeliveryState::Superseded { .. }
            | DeliveryState::Dropped { .. } => None,
        }
    }

    /// Whether nothing was made of it, and nothing will be.
    fn is_given_up(&self) -> bool {
        use DeliveryState::{Dropped, Gone, Superseded};
        matches!(self.state, Dropped { .. } | Superseded { .. } | Gone { .. })
    }

    /// The text as it leaves.
    pub fn worded(&self) -> &CleanText {
        self.body.worded.as_ref().unwrap_or(&self.body.text)
    }

    /// The text as it was approved.
    pub fn text(&self) -> &CleanText {
        &self.body.text
    }
}

impl Incident {
    /// What a system is told to remember of a delivery.
    fn op(&self, id: EntryId) -> CleanStr {
        CleanStr::new(&format!("{}/{id}", self.id()))
    }

    /// Whether what a delivery is about is there.
    pub fn about(&self, delivery: &Delivery) -> About {
        let Some(thing) = self.subject(delivery) else { return About::Nothing };
        match self.made(&delivery.body, thing) {
            Some(remote) => About::There(remote.clone()),
            None if self.makers(&delivery.body, thing).any(|maker| !maker.is_given_up()) => About::Awaited(thing),
            None => match self.makers(&delivery.body, thing).filter(|maker| maker.may_be_there).last() {
                // Its key is ours: what may be there can be ended.
                Some(maker) => About::There(Remote::from(self.op(maker.id).as_str())),
                None => About::Missing(thing),
            },
        }
    }
}

/// Whether a delivery takes an update to one of its channels.
fn is_text_of(told: &Told, body: &DeliveryQueued) -> bool {
    body.channel.is_some_and(|channel| told.update.channels.contains(&channel)) && told.update.text == body.text
}

impl Facts {
    /// Whether it counts: of two consoles that ask for one thing, the first does.
    pub(super) fn queue(&mut self, id: EntryId, body: &DeliveryQueued, mark: Mark, console: &CleanStr) -> bool {
        if self.is_overtaken(id, body) || self.is_asked(body) {
            return false;
        }
        let state = match body.release {
            Release::AtOnce => DeliveryState::Queued { not_before: mark.at, why: None, choice: None },
            Release::OnWord => {
                DeliveryState::Held { why: "it goes out when somebody says so".into(), ways: Vec::new() }
            }
            Release::Never => DeliveryState::Dropped { why: "nothing leaves this room: it is for practice".into() },
        };
        let is_its_text = |told: &&Told| is_text_of(told, body);
        let newest = Delivery {
            update: self.updates.iter().rev().find(is_its_text).map(|told| told.id),
            sent_at: None,
            first_sent_at: None,
            round: self.reopened,
            has_failed: false,
            may_be_there: false,
            has_lapsed: false,
            id,
            state,
            since: mark.at,
            approved_at: mark.at,
            queued: mark,
            body: body.clone(),
            console: console.clone(),
            by: id,
            moves: 0,
            tries: 0,
        };
        // Who reads a channel wants to know how it is now, not how it was while the channel was down.
        let next = DeliveryState::Superseded { by: id };
        for older in &mut self.deliveries {
            if body.release != Release::Never && newest.replaces(older) && older.state.leads_to(&next) {
                (older.state, older.since) = (next.clone(), newest.since);
            }
        }
        self.deliveries.push(newest);
        true
    }

    /// Whether this stands right behind an approval that came second, in one commit with it, and was to carry its text out.
    fn is_overtaken(&mut self, id: EntryId, body: &DeliveryQueued) -> bool {
        match self.overtaken.get_mut(&id.rid) {
            Some((last, text)) if id.rseq == *last + 1 && *text == body.text => {
                *last = id.rseq;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Whether somebody asked for this already. Texts of people are never the same one.
    pub fn is_asked(&self, body: &DeliveryQueued) -> bool {
        let is_alike = |act: &Act| match (&body.act, act) {
            // What is opened is described with it.
            (Act::Describe | Act::Change(_), Act::Open(_)) => true,
            (Act::ChangeTicket(item), Act::Ticket(of) | Act::ChangeTicket(of)) => item == of,
            (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
        };
        // What a channel was given that is used no more says nothing of the one that is.
        let since = if body.act.needs() == Some(Thing::Room) { self.since_room(body) } else { &self.deliveries };
        // What somebody removed there has to be told anew, and so has all that stood in it.
        let is_gone = |known: &Delivery| matches!(known.state, DeliveryState::Gone { .. });
        let is_record_gone = |known: &Delivery| {
            known.is_at(body) && is_gone(known) && known.body.act.makes(known.id) == Some(Thing::Record)
        };
        let needs_record = body.act.needs() == Some(Thing::Record);
        let from = since.iter().rposition(|known| needs_record && is_record_gone(known)).map_or(0, |place| place + 1);
        let mut alike = since[from..].iter().filter(|known| {
            known.body.service == body.service
                && known.body.target == body.target
                && is_alike(&known.body.act)
                && !is_gone(known)
        });
        match &body.act {
            // What a page is told by itself is told once, also where two consoles thought of it in the same moment.
            Act::Publish(_) => {
                let is_of_a_person = self.updates.iter().any(|told| is_text_of(told, body));
                !is_of_a_person
                    && alike.next_back().is_some_and(|last| {
                        let is_same = (&last.body.act, &last.body.text) == (&body.act, &body.text);
                        is_same && last.round == self.reopened
                    })
            }
            Act::Post
            | Act::Tell
            | Act::Page(_)
            | Act::Escalate(_)
            | Act::Reassign(_)
            | Act::Adopt(_)
            | Act::AdoptRoom { .. }
            | Act::Merge(_)
            | Act::Silence(_) => false,
            Act::Topic | Act::Pin | Act::Describe | Act::ChangeTicket(_) => {
                alike.next_back().is_some_and(|last| last.body.text == body.text)
            }
            Act::Change(said) => alike.next_back().is_some_and(|last| match &last.body.act {
                Act::Open(known) | Act::Change(known) => (&known.title, known.severity) == (&said.title, said.severity),
                _ => false,
            }),
            // Once for each time that it ended, or went on.
            Act::Reopen if self.ended_there().iter().any(|one| one.service == body.service) => {
                alike.any(|known| !known.state.is_over())
            }
            Act::Resolve | Act::Reopen => alike.any(|known| known.round == self.reopened),
            Act::OpenRoom { .. } if self.is_room_lost(body) => {
                let since = self.since_room(body).iter().skip(1);
                since
                    .filter(|known| known.is_at(body))
                    .any(|known| matches!(known.body.act, Act::OpenRoom { .. }) && !known.is_given_up())
            }
            Act::Open(_) => alike.any(|known| !known.is_of_the_past(self)),
            Act::Acknowledge | Act::FindRoom { .. } | Act::OpenRoom { .. } => alike.next().is_some(),
            Act::Note(_)
            | Act::Report(_)
            | Act::Invite(_)
            | Act::Ticket(_)
            | Act::CloseTicket(_)
            | Act::Unsilence(_) => alike.any(|known| known.body.act == body.act),
        }
    }

    /// What another system keeps of it, where it was made there, as the record says.
    pub fn made<'a>(&'a self, at: &'a DeliveryQueued, thing: Thing) -> Option<&'a Remote> {
        self.maker(at, thing).and_then(Delivery::remote)
    }

    /// The delivery that made what another system keeps of it, the newest.
    pub fn maker<'a>(&'a self, at: &'a DeliveryQueued, thing: Thing) -> Option<&'a Delivery> {
        let is_sent = |maker: &&'a Delivery| maker.remote().is_some();
        if thing == Thing::Pinned {
            // The message at the top of a channel that is used no more is not the one of this one.
            let since = self.since_room(at).iter().filter(|known| known.is_at(at));
            return since.filter(|known| known.body.act.makes(known.id) == Some(thing)).rfind(is_sent);
        }
        self.makers(at, thing).filter(is_sent).last()
    }

    fn makers<'a>(&'a self, at: &'a DeliveryQueued, thing: Thing) -> impl Iterator<Item = &'a Delivery> {
        let is_there = move |known: &&Delivery| known.body.service == at.service && known.body.target == at.target;
        self.deliveries.iter().filter(is_there).filter(move |known| known.body.act.makes(known.id) == Some(thing))
    }

    /// What was queued since the chat channel that is used now was opened, that itself first; all, where there is none.
    pub fn since_room(&self, at: &DeliveryQueued) -> &[Delivery] {
        let made = self.deliveries.iter().rposition(|known| {
            known.is_at(at)
                && known.body.act.makes(known.id) == Some(Thing::Room)
                && matches!(known.state, DeliveryState::Sent(_))
        });
        &self.deliveries[made.unwrap_or(0)..]
    }

    /// Whether something failed in the chat channel since it was opened: it may be archived, and another one may be opened.
    pub fn is_room_lost(&self, at: &DeliveryQueued) -> bool {
        let mut since = self.since_room(at).iter().filter(|known| known.is_at(at));
        self.made(at, Thing::Room).is_some() && since.any(|known| matches!(known.state, DeliveryState::Failed { .. }))
    }

    /// What a delivery is about.
    pub fn subject(&self, delivery: &Delivery) -> Option<Thing> {
        // A text goes to a channel that somebody named, or to one that is being made.
        let made_here = || self.makers(&delivery.body, Thing::Room).next().map(|_| Thing::Room);
        match (delivery.body.act.needs(), &delivery.body.act) {
            (Some(thing), _) => Some(thing),
            (None, Act::Post) => made_here(),
            (None, _) => None,
        }
    }

    pub(super) fn move_delivery(
        &mut self,
        entry: EntryId,
        body: &DeliveryMoved,
        at: DateTime<Utc>,
        console: &CleanStr,
    ) -> bool {
        let is_closed = matches!(self.phase, Some((super::Phase::Closed, _)));
        let Some(place) = self.deliveries.iter().position(|delivery| delivery.id == body.delivery) else {
            return false;
        };
        let (older, newer) = self.deliveries.split_at_mut(place + 1);
        let Some(delivery) = older.last_mut() else { return false };
        if delivery.moves != body.step || !delivery.state.leads_to(&body.to) {
            return false;
        }
        if matches!(
            (&delivery.state, &body.to),
            (
                DeliveryState::Held { .. } | DeliveryState::Failed { .. } | DeliveryState::Queued { .. },
                DeliveryState::Queued { .. }
            )
        ) && !is_setback(&delivery.state, &body.to)
        {
            (delivery.approved_at, delivery.has_failed) = (at, false);
        }
        match (&delivery.state, &body.to) {
            (DeliveryState::Sending, DeliveryState::Unconfirmed { .. }) => delivery.may_be_there = true,
            // Somebody looked, and it is not there; of a system that says nothing of what it has, nobody can.
            (DeliveryState::Unconfirmed { .. }, DeliveryState::Queued { .. } | DeliveryState::Held { .. }) => {
                delivery.may_be_there &= SILENT.contains(&delivery.body.service.as_str());
            }
            _ => {}
        }
        delivery.has_lapsed |= is_closed && delivery.calls_people() && matches!(body.to, DeliveryState::Dropped { .. });
        let chosen = delivery.state.chosen(&body.to).cloned();
        let is_setback = is_setback(&delivery.state, &body.to);
        delivery.has_failed |= is_setback;
        if is_setback && delivery.state != DeliveryState::Sending {
            // Of this try nothing left.
            delivery.tries += 1;
        }
        if body.to == DeliveryState::Sending {
            (delivery.tries, delivery.sent_at) = (delivery.tries + 1, Some(at));
            delivery.first_sent_at.get_or_insert(at);
        }
        let gone = match (&delivery.state, &body.to) {
            (DeliveryState::Sent(remote), DeliveryState::Gone { why }) => Some((remote.id.clone(), why.clone())),
            _ => None,
        };
        delivery.moves += 1;
        (delivery.state, delivery.since, delivery.console) = (body.to.clone(), at, console.clone());
        delivery.by = entry;
        // What came back unsent while a newer one was queued is not sent after all.
        let replaced = newer.iter().find(|newer| newer.replaces(delivery)).map(|newer| newer.id);
        let next = replaced.map(|by| DeliveryState::Superseded { by });
        if let Some(next) = next.filter(|next| delivery.state.leads_to(next)) {
            delivery.state = next;
        }
        if let Some(choice) = chosen {
            self.choose(choice, at, entry);
        }
        if let Some((remote, why)) = gone {
            self.lose(place, &remote, &why, at);
        }
        true
    }

    /// Remembers the way out that a person took; what else waits for the same answer has it, and is in the hands of whoever gave it.
    fn choose(&mut self, choice: CleanStr, at: DateTime<Utc>, by: EntryId) {
        for waiting in &mut self.deliveries {
            let DeliveryState::Held { ways, .. } = &waiting.state else { continue };
            if ways.iter().any(|way| way.choice == choice) {
                waiting.state = DeliveryState::Queued { not_before: at, why: None, choice: None };
                (waiting.since, waiting.approved_at, waiting.by) = (at, at, by);
            }
        }
        self.choices.insert(choice);
    }

    /// Whether a move is worth a line: that it first went wrong is, and how it ended; no try between them is.
    pub(super) fn is_news(&self, body: &DeliveryMoved) -> bool {
        let Some(delivery) = self.deliveries.iter().find(|known| known.id == body.delivery) else { return true };
        let is_known = || {
            // What keeps something in step says nothing that is not known of its system already.
            let fails = |known: &&Delivery| known.has_failed && known.body.service == delivery.body.service;
            delivery.has_failed || (delivery.keeps_up() && self.undelivered().any(|known| fails(&known)))
        };
        match &body.to {
            DeliveryState::Sending => false,
            DeliveryState::Queued { .. } | DeliveryState::Unconfirmed { .. } => {
                is_setback(&delivery.state, &body.to) && !is_known()
            }
            DeliveryState::Held { .. }
            | DeliveryState::Sent(_)
            | DeliveryState::Gone { .. }
            | DeliveryState::ByHand
            | DeliveryState::Failed { .. }
            | DeliveryState::Superseded { .. }
            | DeliveryState::Dropped { .. } => true,
        }
    }

    /// Whether what an act ends was not done after all.
    fn is_dropped(&self, act: &Act) -> bool {
        match act {
            Act::CloseTicket(item) => {
                self.follow_ups.iter().any(|one| one.id == *item && one.state == FollowUpState::Dropped)
            }
            Act::Resolve => matches!(self.outcome, Some(Outcome::FalseAlarm | Outcome::Merged(_))),
            _ => false,
        }
    }

    /// What has not reached its place, the oldest first.
    pub fn undelivered(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|delivery| !delivery.state.is_over())
    }
}

/// Whether a try has gone wrong.
fn is_setback(from: &DeliveryState, to: &DeliveryState) -> bool {
    match (from, to) {
        (DeliveryState::Sending, DeliveryState::Queued { .. } | DeliveryState::Unconfirmed { .. }) => true,
        // It was prepared, and of it nothing left.
        (DeliveryState::Queued { .. }, DeliveryState::Queued { why, .. }) => why.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
