//! An incident that ends while a pager still takes nothing: what it may have is resolved there, and what it never had is said to be nothing.

use std::collections::BTreeSet;

use super::*;
use crate::channel::spec::tracker;
use crate::incident::{Act, DeliveryState, Outcome, Parcel, Phase, PhaseEntered, Receipt, Severity, SeveritySet};
use crate::pane::Present;
use crate::reach::{PAGERDUTY_EVENTS, Place, Reach};

/// What becomes of a trigger.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    /// It is taken, and the answer says so.
    Taken,
    /// It is taken, and the answer is lost.
    TakenUnseen,
    /// It is not taken, and nobody can tell.
    LostUnseen,
    /// Not a byte of it was taken.
    Unreached,
}

/// Events v2 as it really is: alerts that are open, by key, and what was done when.
#[derive(Debug, Default)]
struct Pager {
    open: BTreeSet<CleanStr>,
    acts: Vec<(&'static str, DateTime<Utc>)>,
    answered: usize,
}

impl Pager {
    /// Answers all that is asked of it.
    fn answer(&mut self, desk: &mut Desk, fates: &mut impl Iterator<Item = Fate>) {
        while let Some(effect) = desk.effects.get(self.answered).cloned() {
            self.answered += 1;
            match effect {
                Effect::Deliver(parcel) => {
                    let receipt = self.take(&parcel, desk.wall, fates);
                    desk.tell(Msg::Delivered(parcel.id, receipt));
                }
                Effect::LookUp(parcel) => {
                    let why = "an event with the same key changes nothing twice".into();
                    desk.tell(Msg::LookedUp(parcel.id, Receipt::NotThere { why, wait: None }));
                }
                _ => {}
            }
        }
    }

    fn take(&mut self, parcel: &Parcel, at: DateTime<Utc>, fates: &mut impl Iterator<Item = Fate>) -> Receipt {
        let key = parcel.about.as_ref().map_or(&parcel.op, |about| &about.id).clone();
        let receipt = Receipt::There(key.as_str().into());
        match &parcel.act {
            Act::Open(_) | Act::Change(_) | Act::Reopen => {
                let fate = fates.next().unwrap_or(Fate::Taken);
                if matches!(fate, Fate::Taken | Fate::TakenUnseen) {
                    self.acts.push(("trigger", at));
                    self.open.insert(key);
                }
                match fate {
                    Fate::Taken => receipt,
                    Fate::TakenUnseen | Fate::LostUnseen => Receipt::Unknown("answered 503".into()),
                    Fate::Unreached => Receipt::NotThere { why: "refused the connection".into(), wait: None },
                }
            }
            Act::Resolve => {
                self.acts.push(("resolve", at));
                self.open.remove(&key);
                receipt
            }
            _ => receipt,
        }
    }
}

fn desk() -> Desk {
    let tracker = tracker(PAGERDUTY_EVENTS, Place::One(PAGERDUTY_EVENTS.into())).unwrap();
    let reach = Reach { trackers: vec![tracker], ..Reach::default() };
    let mut desk = Desk::with(Settings { reach, ..settings(Layout::Ic) }, (120, 40));
    desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(1))));
    desk.tell(Msg::Journal(JournalMsg::CaughtUp));
    let me =
        Present { actor: "dana".into(), layout: "ic".into(), console: "c1".into(), looks_only: false, is_dry: false };
    desk.tell(Msg::Journal(JournalMsg::Present(vec![me])));
    desk.asks(declared());
    desk.tell(Msg::Wake);
    desk
}

fn close(desk: &mut Desk) {
    let closed = PhaseEntered { outcome: Some(Outcome::FalseAlarm), ..PhaseEntered::plain(Phase::Closed) };
    desk.asks(Event::PhaseEntered(closed));
    desk.tell(Msg::Wake);
}

fn fate() -> impl proptest::strategy::Strategy<Value = Fate> {
    proptest::sample::select(vec![Fate::Taken, Fate::TakenUnseen, Fate::LostUnseen, Fate::Unreached])
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    /// Whatever became of each trigger and whenever the record was closed: no alert stays open, nobody is called after the end, and a pager that
    /// surely never had it gets no resolve.
    #[test]
    fn no_alert_outlives_its_incident_and_what_never_arrived_needs_no_end(
        fates in proptest::collection::vec(fate(), 0..8),
        closes_after in 0_usize..40,
        worse_after in proptest::option::of(0_usize..40),
    ) {
        let (mut desk, mut pager) = (desk(), Pager::default());
        let mut fates = fates.into_iter();
        let (mut may_have_it, mut closed_at) = (false, None);
        for step in 0..200 {
            if worse_after == Some(step) && closed_at.is_none() {
                desk.asks(Event::SeverityRaised(SeveritySet { to: Severity::Sev0, reason: None }));
            }
            if step == closes_after {
                close(&mut desk);
                closed_at = Some(desk.wall);
            }
            let mut seen = std::iter::from_fn(|| {
                let next = fates.next();
                may_have_it |= next != Some(Fate::Unreached);
                next
            });
            pager.answer(&mut desk, &mut seen);
            desk.pass(7);
        }
        let closed_at = closed_at.unwrap();
        let deliveries = &desk.console.incident().deliveries;
        proptest::prop_assert!(pager.open.is_empty(), "{:?}\n{deliveries:?}", pager.acts);
        let is_late = |(act, at): &(&str, DateTime<Utc>)| *act == "trigger" && *at > closed_at;
        proptest::prop_assert!(!pager.acts.iter().any(is_late), "{:?}", pager.acts);
        proptest::prop_assert!(deliveries.iter().all(|one| one.state.is_over()), "{deliveries:?}");
        let resolves = pager.acts.iter().filter(|(act, _)| *act == "resolve").count();
        proptest::prop_assert_eq!(resolves, usize::from(may_have_it), "{:?}", deliveries);
        let ended = deliveries.iter().find(|one| one.body.act == Act::Resolve);
        if let Some(DeliveryState::Dropped { why }) = ended.map(|one| &one.state) {
            proptest::prop_assert!(!may_have_it && why.contains("there is nothing to resolve"), "{why}");
        }
    }
}

#[test]
fn a_reopened_incident_whose_call_lapsed_with_the_first_end_calls_again() {
    let (mut desk, mut pager) = (desk(), Pager::default());
    pager.answer(&mut desk, &mut [Fate::Unreached].into_iter());
    close(&mut desk);
    desk.pass(60);
    assert!(pager.acts.is_empty());
    desk.asks(Event::PhaseEntered(PhaseEntered::plain(Phase::Triage)));
    for _ in 0..20 {
        pager.answer(&mut desk, &mut std::iter::empty());
        desk.pass(7);
    }
    let acts: Vec<_> = pager.acts.iter().map(|(act, _)| *act).collect();
    assert_eq!(acts, ["trigger"], "{:?}", desk.console.incident().deliveries);
}
