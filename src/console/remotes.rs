//! Which objects of other systems this console touches.
//!
//! A record says which incident of PagerDuty, which ticket and which channel are its own, and whoever can write the record can name another one there.
//!
//! Hides how it is known that one is ours: a process of this account wrote down the system's answer, or the system, asked by the mark of the delivery,
//! names it now; where neither is so, a person here says that it is.
//!
//! Invariant: no id that stands in the record alone is in anything that leaves, nor in a question about what was done there.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Console, Effect};
use crate::incident::{Delivery, DeliveryState, EntryId, Event, Parcel, Receipt, Remote, Thing, Way};
use crate::text::CleanStr;

/// What a system did not say is asked again after this.
const AGAIN: TimeDelta = TimeDelta::seconds(15);

/// What systems said when they were asked for the object of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Proof {
    /// No answer yet.
    Asked,
    /// This one bears its mark.
    Is(Remote),
    /// None bears it.
    None,
    /// It did not say; it is asked again then.
    Unsaid(DateTime<Utc>),
}

/// What is known of objects that others say are ours, by the delivery that made each.
#[derive(Debug, Default)]
pub(super) struct Remotes {
    pub(super) proofs: BTreeMap<EntryId, Proof>,
}

/// What a delivery may be sent with.
#[derive(Debug, PartialEq)]
pub(super) enum Named {
    /// All that it names is known to be ours, or it names nothing.
    Known,
    /// A system is being asked.
    Awaited,
    /// A person must say: why, and the way out.
    Unproven(DeliveryState),
}

/// What is remembered when a person says that an object is ours.
fn choice(maker: &Delivery, remote: &Remote) -> CleanStr {
    CleanStr::new(&format!("{}/ours/{}", maker.body.service, remote.id))
}

impl Console {
    /// The ways out that people took at consoles of this account.
    pub(super) fn choices(&self) -> BTreeSet<CleanStr> {
        let taken = self.open.incident.entries().filter_map(|entry| match &entry.event {
            Event::DeliveryMoved(body) => match &body.to {
                DeliveryState::Queued { choice: Some(choice), .. } => Some((entry, choice)),
                _ => None,
            },
            _ => None,
        });
        let is_ours = |choice: &CleanStr| self.open.incident.choices.contains(choice);
        taken
            .filter(|(entry, choice)| is_ours(choice) && self.own.knows(entry))
            .map(|(_, choice)| choice.clone())
            .collect()
    }

    /// All deliveries that made, or later changed, the object that this one names; the oldest first.
    fn of_one_object<'a>(&'a self, maker: &'a Delivery) -> impl Iterator<Item = &'a Delivery> {
        let (thing, id) = (maker.body.act.makes(maker.id), maker.remote().map(|remote| &remote.id));
        self.open.incident.deliveries.iter().filter(move |one| {
            let is_it = one.remote().map(|remote| &remote.id) == id && one.body.act.makes(one.id) == thing;
            id.is_some() && is_it && one.is_beside(maker)
        })
    }

    /// The delivery whose mark the object bears: a message at the top is written once and edited from then on, a page has the mark of its last text.
    fn marked_by<'a>(&'a self, maker: &'a Delivery) -> &'a Delivery {
        let is_edited = maker.body.act.makes(maker.id) == Some(Thing::Pinned);
        is_edited.then(|| self.of_one_object(maker).next()).flatten().unwrap_or(maker)
    }

    /// What a delivery made in another system, where that is known to be ours.
    pub(super) fn ours(&self, maker: &Delivery) -> Option<Remote> {
        let said = maker.remote()?;
        let knows = |one: &&Delivery| self.open.incident.entry(one.by).is_some_and(|entry| self.own.knows(entry));
        if let Some(known) = self.of_one_object(maker).filter(knows).last() {
            return known.remote().cloned();
        }
        // What is called by the mark of this very delivery can be nothing else.
        let is_mark = *said.id == *maker.mark(&self.open.incident);
        if is_mark || self.choices().contains(&choice(maker, said)) {
            return Some(said.clone());
        }
        match self.open.remotes.proofs.get(&self.marked_by(maker).id) {
            Some(Proof::Is(remote)) => Some(remote.clone()),
            Some(Proof::Asked | Proof::None | Proof::Unsaid(_)) | None => None,
        }
    }

    /// Which deliveries made what this one is about, and what it makes anew.
    fn makers(&self, delivery: &Delivery) -> Vec<Delivery> {
        let about = self.open.incident.subject(delivery);
        let made = delivery.body.act.makes(delivery.id);
        let of = |thing: Thing| self.open.incident.maker(&delivery.body, thing).filter(|maker| maker.id != delivery.id);
        about.into_iter().chain(made).filter_map(of).cloned().collect()
    }

    /// Whether all that a delivery names in other systems is ours; what is not known is asked for.
    pub(super) fn named(&mut self, delivery: &Delivery, now: DateTime<Utc>, effects: &mut Vec<Effect>) -> Named {
        for maker in self.makers(delivery) {
            match self.prove(&maker, now, effects) {
                Named::Known => {}
                other => return other,
            }
        }
        Named::Known
    }

    /// Has a system asked for the object that a delivery made there, unless it is known to be ours.
    pub(super) fn prove(&mut self, maker: &Delivery, now: DateTime<Utc>, effects: &mut Vec<Effect>) -> Named {
        if self.ours(maker).is_some() {
            return Named::Known;
        }
        if !self.may_leave(maker) {
            return Named::Awaited;
        }
        let marked = self.marked_by(maker).clone();
        match self.open.remotes.proofs.get(&marked.id) {
            Some(Proof::None) => return self.unproven(maker),
            Some(Proof::Asked | Proof::Is(_)) => return Named::Awaited,
            Some(Proof::Unsaid(at)) if *at > now => return Named::Awaited,
            Some(Proof::Unsaid(_)) | None => {}
        }
        // A message is looked for in its channel: that comes first.
        let about =
            self.open.incident.subject(maker).and_then(|thing| self.open.incident.maker(&maker.body, thing)).cloned();
        if let Some(about) = about.filter(|about| about.id != maker.id) {
            match self.prove(&about, now, effects) {
                Named::Known => {}
                other => return other,
            }
        }
        self.open.remotes.proofs.insert(marked.id, Proof::Asked);
        effects.push(Effect::Prove(Parcel { made: None, ..self.parcel(&marked) }));
        Named::Awaited
    }

    /// Nothing in the system proves it: somebody here must say so.
    fn unproven(&self, maker: &Delivery) -> Named {
        let Some(remote) = maker.remote() else { return Named::Awaited };
        let service = &maker.body.service;
        let what = maker.body.act.makes(maker.id).map_or("it", Thing::name);
        let called = match &remote.name {
            Some(name) => format!("{name} ({})", remote.id),
            None => remote.id.to_string(),
        };
        let why = format!("the record names {called} as its {what}, and nothing in {service} says so: look there");
        let way = Way::new(&format!("{called} is ours: go on with it"), &choice(maker, remote));
        Named::Unproven(DeliveryState::Held { why: CleanStr::new(&why), ways: vec![way] })
    }

    /// What a system said to the question for an object.
    pub(super) fn proved(&mut self, maker: EntryId, receipt: Receipt, wall: DateTime<Utc>) {
        let proof = match receipt {
            Receipt::There(remote) => Proof::Is(remote),
            Receipt::NotThere { .. } | Receipt::NotYet { .. } => Proof::None,
            Receipt::Refused(_) | Receipt::Unknown(_) | Receipt::Asks { .. } => {
                Proof::Unsaid(self.open.incident.clock().show(wall) + AGAIN)
            }
        };
        self.open.remotes.proofs.insert(maker, proof);
    }

    /// When a system is asked once more.
    pub(super) fn next_proof(&self) -> Option<DateTime<Utc>> {
        let later = self.open.remotes.proofs.values().filter_map(|proof| match proof {
            Proof::Unsaid(at) => Some(*at),
            Proof::Asked | Proof::Is(_) | Proof::None => None,
        });
        later.min()
    }

    /// A parcel that names nothing but what is ours.
    pub(super) fn named_in(&self, delivery: &Delivery, parcel: Parcel) -> Parcel {
        let of = |thing: Option<Thing>| {
            thing.and_then(|thing| self.open.incident.maker(&delivery.body, thing)).and_then(|maker| self.ours(maker))
        };
        // What is called by the mark of one of our deliveries can be nothing else.
        let is_mark = |remote: &&Remote| {
            self.open.incident.deliveries.iter().any(|one| *one.mark(&self.open.incident) == *remote.id)
        };
        let marked = parcel.about.as_ref().filter(is_mark).cloned();
        let about = marked.or_else(|| parcel.about.as_ref().and_then(|_| of(self.open.incident.subject(delivery))));
        let made = parcel.made.as_ref().and_then(|_| of(delivery.body.act.makes(delivery.id)));
        Parcel { about, made, choices: self.choices(), ..parcel }
    }
}
