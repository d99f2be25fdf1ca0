//! What goes out: written down before, once, and never again without knowing.

use std::collections::BTreeMap;

use super::*;
use crate::incident::{
    Channel, DeliveryMoved, DeliveryQueued, DeliveryState, Entry, EntryId, Parcel, Receipt, Route, StatusUpdate,
};
use crate::pane::Present;
use crate::reach::Reach;

fn reach() -> Reach {
    Reach { routes: vec![route()], ..Reach::default() }
}

fn route() -> Route {
    Route { channel: Channel::StatusSlack, service: "slack".into(), target: "C012345678".into() }
}

/// Dana commands at a console from which Slack can be reached; everybody of `here` is present.
fn desk(here: &[&str]) -> Desk {
    let mut desk = Desk::open_with(Settings { reach: reach(), ..settings(Layout::Comms) }, (120, 40));
    command(&mut desk);
    present(&mut desk, here);
    desk
}

fn command(desk: &mut Desk) {
    let commander = crate::incident::RoleNamed {
        role: Role::IncidentCommander,
        component: None,
        holder: "dana".into(),
        reason: None,
        is_played: false,
    };
    desk.write("dana", Event::RoleTaken(commander));
}

fn present(desk: &mut Desk, here: &[&str]) {
    let present = here.iter().map(|name| Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: (*name).into(),
        looks_only: false,
    });
    desk.tell(Msg::Journal(JournalMsg::Present(present.collect())));
}

fn post(desk: &mut Desk, text: &str) {
    let update = StatusUpdate {
        channels: [Channel::StatusSlack, Channel::ExternalPage].into(),
        text: text.into(),
        ..StatusUpdate::default()
    };
    let (wall, mut effects) = (desk.wall, Vec::new());
    desk.console.command(Command::PostUpdate(update), None, wall, &mut effects);
    for effect in effects {
        if let Effect::Append { ticket, events, .. } = &effect {
            for event in events.clone() {
                desk.write_as("dana", "c1", event);
            }
            desk.tell(Msg::Journal(JournalMsg::Saved(*ticket)));
        }
    }
}

fn handed(desk: &Desk) -> Vec<Parcel> {
    let handed = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Deliver(parcel) => Some(parcel.clone()),
        _ => None,
    });
    handed.collect()
}

fn looked(desk: &Desk) -> usize {
    desk.effects.iter().filter(|effect| matches!(effect, Effect::LookUp(_))).count()
}

fn words(desk: &Desk) -> Vec<&'static str> {
    desk.console.incident().deliveries.iter().map(|delivery| delivery.state.word()).collect()
}

#[test]
fn an_approved_text_goes_to_the_channels_that_lead_somewhere_and_is_in_the_record_before_it_leaves() {
    let mut desk = desk(&["c1"]);
    post(&mut desk, "we look into it");
    let parcels = handed(&desk);
    assert_eq!(parcels.len(), 1, "the external page leads nowhere: it is told by hand");
    assert_eq!((parcels[0].target.as_str(), parcels[0].text.as_str()), ("C012345678", "we look into it"));
    assert_eq!(words(&desk), ["SENDING"]);
    desk.tell(Msg::Wake);
    assert_eq!(handed(&desk).len(), 1, "once");
    desk.tell(Msg::Delivered(parcels[0].id, Receipt::There("17.1".into())));
    assert_eq!(words(&desk), ["SENT"]);
    desk.pass(600);
    assert_eq!((handed(&desk).len(), looked(&desk)), (1, 0));
}

#[test]
fn while_a_channel_is_down_texts_wait_and_when_it_is_back_only_the_newest_goes_out() {
    let mut desk = desk(&["c1"]);
    for number in 0..30 {
        post(&mut desk, &format!("update {number}"));
        if let Some(parcel) = handed(&desk).last().cloned()
            && words(&desk).last() == Some(&"SENDING")
        {
            let why = "slack refused the connection".into();
            desk.tell(Msg::Delivered(parcel.id, Receipt::NotThere { why, wait: None }));
        }
        desk.pass(40);
        while words(&desk).last() == Some(&"SENDING") {
            let parcel = handed(&desk).last().cloned().unwrap();
            desk.tell(Msg::Delivered(parcel.id, Receipt::NotThere { why: "down".into(), wait: None }));
        }
    }
    let waiting = desk.console.incident().undelivered().count();
    assert_eq!(waiting, 1, "{:?}", words(&desk));
    desk.pass(61);
    let last = handed(&desk).last().cloned().unwrap();
    assert_eq!(last.text.as_str(), "update 29");
    desk.tell(Msg::Delivered(last.id, Receipt::There("17.9".into())));
    let sent = words(&desk).into_iter().filter(|word| *word == "SENT").count();
    assert_eq!((sent, words(&desk).len()), (1, 30));
}

#[test]
fn what_may_be_there_is_looked_for_and_sent_again_only_if_it_is_not() {
    for there in [true, false] {
        let mut desk = desk(&["c1"]);
        post(&mut desk, "we look into it");
        let id = handed(&desk)[0].id;
        desk.tell(Msg::Delivered(id, Receipt::Unknown("said nothing for 5 s".into())));
        assert_eq!((words(&desk), looked(&desk)), (vec!["UNCONFIRMED"], 0));
        desk.pass(5);
        assert_eq!((looked(&desk), handed(&desk).len()), (1, 1));
        desk.tell(Msg::LookedUp(id, Receipt::Unknown("still away".into())));
        desk.pass(14);
        assert_eq!(looked(&desk), 1);
        desk.pass(1);
        assert_eq!(looked(&desk), 2);
        let receipt =
            if there { Receipt::There("17.1".into()) } else { Receipt::NotThere { why: "no".into(), wait: None } };
        desk.tell(Msg::LookedUp(id, receipt));
        desk.tell(Msg::Wake);
        assert_eq!((words(&desk), handed(&desk).len()), if there { (vec!["SENT"], 1) } else { (vec!["SENDING"], 2) });
    }
}

#[test]
fn of_a_console_that_is_gone_what_waited_is_sent_and_what_was_being_sent_is_looked_for() {
    let mut desk = desk(&["c1", "c2"]);
    let body = || DeliveryQueued {
        service: "slack".into(),
        channel: Some(Channel::StatusSlack),
        target: "C012345678".into(),
        text: "from c2".into(),
        ..DeliveryQueued::default()
    };
    desk.write_as("bob", "c2", Event::DeliveryQueued(body()));
    desk.tell(Msg::Wake);
    assert_eq!((words(&desk), handed(&desk).len()), (vec!["WAITS"], 0), "c2 does that");
    let id = desk.console.incident().deliveries[0].id;
    desk.write_as(
        "bob",
        "c2",
        Event::DeliveryMoved(DeliveryMoved { delivery: id, step: 0, to: DeliveryState::Sending, is_routine: false }),
    );
    assert_eq!(handed(&desk).len(), 0);
    present(&mut desk, &["c1"]);
    desk.tell(Msg::Wake);
    assert_eq!((words(&desk), handed(&desk).len()), (vec!["UNCONFIRMED"], 0));
    desk.pass(6);
    assert_eq!(looked(&desk), 1);
    // Two consoles move at once: the own move came second, so nothing is sent.
    desk.is_held = true;
    desk.tell(Msg::LookedUp(id, Receipt::NotThere { why: "no".into(), wait: None }));
    let queued = DeliveryState::Queued { not_before: desk.wall, why: None, choice: None };
    desk.write_as(
        "omid",
        "c3",
        Event::DeliveryMoved(DeliveryMoved { delivery: id, step: 2, to: queued, is_routine: false }),
    );
    desk.write_as(
        "omid",
        "c3",
        Event::DeliveryMoved(DeliveryMoved { delivery: id, step: 3, to: DeliveryState::Sending, is_routine: false }),
    );
    assert_eq!(handed(&desk).len(), 0);
}

#[test]
fn a_console_that_left_the_record_while_it_sent_does_not_send_again_when_it_is_back() {
    let mut desk = desk(&["c1"]);
    post(&mut desk, "we look into it");
    assert_eq!(handed(&desk).len(), 1);
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    for msg in [JournalMsg::Opened(IncidentId::incident(1)), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        desk.tell(Msg::Journal(msg));
    }
    present(&mut desk, &["c1"]);
    desk.tell(Msg::Wake);
    assert_eq!((words(&desk), handed(&desk).len()), (vec!["UNCONFIRMED"], 1));
}

#[test]
fn neither_a_drill_nor_a_console_that_only_looks_sends_anything() {
    let mut drill = Desk::with(Settings { reach: reach(), ..settings(Layout::Ic) }, (120, 40));
    drill.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(1))));
    let started = crate::incident::DrillStarted {
        exercise: EXERCISE.into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: None,
        staging: None,
    };
    drill.write("dana", Event::DrillStarted(started));
    drill.write("dana", declared());
    drill.tell(Msg::Journal(JournalMsg::CaughtUp));
    command(&mut drill);
    post(&mut drill, "we look into it");
    let all = &drill.console.incident().deliveries;
    assert!(all.len() == 1 && all[0].state.is_over(), "what would have gone out can be read: {all:?}");
    assert_eq!(handed(&drill).len(), 0);
    let looks = Settings { reach: reach(), access: Access::ReadOnly, console: "c9".into(), ..settings(Layout::Ic) };
    let mut looks = Desk::open_with(looks, (120, 40));
    let body = DeliveryQueued {
        service: "slack".into(),
        channel: Some(Channel::StatusSlack),
        target: "C012345678".into(),
        text: "x".into(),
        ..DeliveryQueued::default()
    };
    looks.write_as("bob", "gone", Event::DeliveryQueued(body));
    present(&mut looks, &["c9"]);
    looks.pass(60);
    assert_eq!((handed(&looks).len(), words(&looks)), (0, vec!["WAITS"]));
}

/// Another system, as it really is: which deliveries it has, and how often.
#[derive(Default)]
struct Elsewhere {
    has: BTreeMap<EntryId, usize>,
    /// Effects of the console that were answered.
    answered: usize,
}

impl Elsewhere {
    /// The next thing that is asked of it.
    fn asked(&mut self, desk: &Desk) -> Option<(Parcel, bool)> {
        while let Some(effect) = desk.effects.get(self.answered) {
            self.answered += 1;
            match effect {
                Effect::Deliver(parcel) => return Some((parcel.clone(), true)),
                Effect::LookUp(parcel) => return Some((parcel.clone(), false)),
                _ => {}
            }
        }
        None
    }

    /// Answers it: truthfully, or as `fate` has it.
    fn answer(&mut self, desk: &mut Desk, fate: u8) {
        let Some((parcel, is_new)) = self.asked(desk) else { return };
        let id = parcel.id;
        let lost = || Receipt::Unknown("said nothing".into());
        let away = || Receipt::NotThere { why: "away".into(), wait: None };
        if !is_new {
            let truth = if self.has.contains_key(&id) { Receipt::There("1".into()) } else { away() };
            return desk.tell(Msg::LookedUp(id, if fate % 3 == 1 { lost() } else { truth }));
        }
        let takes = matches!(fate % 6, 0..=2);
        if takes {
            *self.has.entry(id).or_default() += 1;
        }
        let receipt = match fate % 6 {
            0 | 1 => Receipt::There("1".into()),
            2 | 3 => lost(),
            4 => away(),
            _ => Receipt::Refused("no".into()),
        };
        desk.tell(Msg::Delivered(id, receipt));
    }
}

/// A new console on the same record.
fn restarted(desk: Desk, reach: Reach) -> Desk {
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    let mut again = Desk::with(Settings { reach, ..settings(Layout::Comms) }, (120, 40));
    (again.rseq, again.hlc, again.wall) = (desk.rseq, desk.hlc, desk.wall);
    for msg in [JournalMsg::Opened(IncidentId::incident(1)), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        again.tell(Msg::Journal(msg));
    }
    present(&mut again, &["c1"]);
    again
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(96))]

    /// Whatever is answered, lost or killed: nothing is there twice, and in the end nothing is lost without a word.
    #[test]
    fn nothing_is_there_twice_and_nothing_is_lost_silently(
        acts in proptest::collection::vec((0_u8..10, proptest::prelude::any::<u8>()), 1..60)
    ) {
        let page = Route { channel: Channel::ExternalPage, service: "statuspage".into(), target: "p1".into() };
        let reach = Reach { routes: vec![route(), page], ..Reach::default() };
        let mut desk = Desk::open_with(Settings { reach: reach.clone(), ..settings(Layout::Comms) }, (120, 40));
        command(&mut desk);
        present(&mut desk, &["c1"]);
        let (mut elsewhere, mut texts) = (Elsewhere::default(), 0);
        for (act, fate) in acts {
            match act {
                0 | 1 if texts < 5 => {
                    texts += 1;
                    post(&mut desk, &format!("text {texts}"));
                }
                2 => {
                    // It is killed; what it had handed over may have arrived.
                    while let Some((parcel, is_new)) = elsewhere.asked(&desk) {
                        if is_new && fate % 2 == 0 {
                            *elsewhere.has.entry(parcel.id).or_default() += 1;
                        }
                    }
                    desk = restarted(desk, reach.clone());
                    elsewhere.answered = 0;
                }
                3..=6 => elsewhere.answer(&mut desk, fate),
                _ => desk.pass(i64::from(fate) * 2),
            }
            proptest::prop_assert!(elsewhere.has.values().all(|count| *count <= 1), "{:?}", elsewhere.has);
        }
        // All is well from here on.
        for _ in 0..60 {
            for _ in 0..10 {
                elsewhere.answer(&mut desk, 0);
            }
            desk.pass(60);
        }
        for delivery in &desk.console.incident().deliveries {
            let is_there = elsewhere.has.contains_key(&delivery.id);
            let (word, is_public) = (delivery.state.word(), delivery.is_delicate());
            match &delivery.state {
                DeliveryState::Sent(_) => proptest::prop_assert!(is_there),
                DeliveryState::Superseded { .. } | DeliveryState::Dropped { .. } | DeliveryState::ByHand => {
                    proptest::prop_assert!(!is_there);
                }
                DeliveryState::Held { .. } => proptest::prop_assert!(is_public && !is_there),
                DeliveryState::Failed { .. } => proptest::prop_assert!(!is_there),
                DeliveryState::Queued { .. } | DeliveryState::Sending | DeliveryState::Unconfirmed { .. } => {
                    proptest::prop_assert!(false, "{word} for ever");
                }
            }
        }
        proptest::prop_assert!(elsewhere.has.values().all(|count| *count == 1));
    }
}
