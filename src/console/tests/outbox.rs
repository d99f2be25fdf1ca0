//! What goes out: written down before, once, and never again without knowing.

use std::collections::BTreeMap;

use super::*;
use crate::channel::spec::tracker;
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
        is_dry: false,
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
            desk.save(*ticket, events);
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
    // The system's own pause has grown to a minute and a quarter at most.
    desk.pass(80);
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
        desk.pass(5);
        assert_eq!(looked(&desk), 2);
        let receipt =
            if there { Receipt::There("17.1".into()) } else { Receipt::NotThere { why: "no".into(), wait: None } };
        desk.tell(Msg::LookedUp(id, receipt));
        desk.tell(Msg::Wake);
        assert_eq!((words(&desk), handed(&desk).len()), (vec![if there { "SENT" } else { "WAITS" }], 1));
        // The system did not take it and could not be asked: that is two pauses.
        desk.pass(3);
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
    desk.pass(60);
    assert_eq!(
        (words(&desk), handed(&desk).len(), looked(&desk)),
        (vec!["SENDING"], 0, 0),
        "its name alone is no proof"
    );
    let of_c2 = desk.left_by("c2");
    desk.tell(Msg::Journal(JournalMsg::LeftBehind(of_c2)));
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

/// A console whose text for customers waits for its turn before it is written.
fn paced() -> (Desk, Reach) {
    let page = Route { channel: Channel::ExternalPage, service: "statuspage".into(), target: "p1".into() };
    let reach = Reach { routes: vec![page], ..Reach::default() };
    let mut desk = Desk::open_with(Settings { reach: reach.clone(), ..settings(Layout::Comms) }, (120, 40));
    command(&mut desk);
    present(&mut desk, &["c1"]);
    desk.is_paced = true;
    post(&mut desk, "we look into it");
    assert_eq!((words(&desk), handed(&desk).len()), (vec!["WAITS"], 1));
    (desk, reach)
}

fn goes_on(desk: &Desk) -> usize {
    desk.effects.iter().filter(|effect| matches!(effect, Effect::Proceed(_))).count()
}

#[test]
fn what_was_killed_before_its_first_write_waits_and_goes_out_by_itself() {
    let (mut desk, reach) = paced();
    desk.pass(3);
    assert_eq!((words(&desk), handed(&desk).len(), goes_on(&desk)), (vec!["WAITS"], 1, 0));
    let mut again = restarted(desk, reach);
    again.tell(Msg::Wake);
    let id = handed(&again)[0].id;
    assert_eq!((words(&again), goes_on(&again)), (vec!["SENDING"], 1), "in the record, and then it goes on");
    again.tell(Msg::Delivered(id, Receipt::There("1".into())));
    assert_eq!(words(&again), ["SENT"], "nobody was asked for a word");
}

#[test]
fn what_somebody_gave_up_while_it_waited_for_its_turn_is_not_written() {
    let (mut desk, _) = paced();
    let id = handed(&desk)[0].id;
    let to = DeliveryState::Dropped { why: "it is over".into() };
    desk.asks(Event::DeliveryMoved(DeliveryMoved { delivery: id, step: 0, to, is_routine: false }));
    desk.tell(Msg::Ready(id));
    desk.tell(Msg::Delivered(id, Receipt::NotThere { why: "late".into(), wait: None }));
    assert_eq!((words(&desk), goes_on(&desk)), (vec!["dropped"], 0));
    assert!(desk.effects.contains(&Effect::Stop(id)));
}

#[test]
fn what_is_known_before_anything_is_written_is_said_as_it_is() {
    for (receipt, word) in [
        (Receipt::There("1".into()), "SENT"),
        (Receipt::Refused("no page of that name".into()), "FAILED"),
        (Receipt::Asks { why: "it is resolved there".into(), ways: Vec::new() }, "YOUR WORD"),
        (Receipt::NotThere { why: "away".into(), wait: None }, "WAITS"),
        (Receipt::Unknown("away".into()), "WAITS"),
    ] {
        let (mut desk, _) = paced();
        let id = handed(&desk)[0].id;
        desk.tell(Msg::Delivered(id, receipt));
        desk.tell(Msg::Wake);
        assert_eq!((words(&desk), goes_on(&desk)), (vec![word], 0));
        let tries = desk.console.incident().deliveries[0].tries;
        assert_eq!(tries, u32::from(word != "YOUR WORD"), "{word}");
    }
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

#[test]
fn a_text_that_did_not_get_there_is_due_at_once_and_its_key_leads_to_what_helps() {
    let mut desk = desk(&["c1"]);
    desk.write("dana", Event::Acknowledged(crate::incident::Plain {}));
    post(&mut desk, "we look into it");
    let id = handed(&desk)[0].id;
    assert!(desk.screen().contains("on its way"), "{}", desk.screen());
    desk.tell(Msg::Delivered(id, Receipt::Refused("slack says is_archived".into())));
    let screen = desk.screen();
    assert!(screen.contains("OVERDUE") && screen.contains("FAILED"), "{screen}");
    desk.console.act_on(
        &crate::pane::Item::Duty(crate::incident::Duty::Update(Channel::StatusSlack)),
        desk.wall,
        &mut Vec::new(),
    );
    let screen = desk.screen();
    assert!(screen.contains("try again") && screen.contains("it was told by hand"), "{screen}");
    let wall = desk.wall;
    let by_hand = DeliveryMoved { delivery: id, step: 2, to: DeliveryState::ByHand, is_routine: false };
    let mut effects = Vec::new();
    desk.console.command(Command::MoveDelivery(by_hand), None, wall, &mut effects);
    let Some(Effect::Append { events, .. }) = effects.pop() else { panic!("{effects:?}") };
    desk.write_as("dana", "c1", events[0].clone());
    assert_eq!(desk.console.incident().unheard(Channel::StatusSlack), None);
}

#[test]
fn a_dry_run_changes_nothing_for_others_and_others_go_on_sending() {
    let dry = Settings { reach: Reach { is_dry: true, ..reach() }, console: "c0".into(), ..settings(Layout::Comms) };
    let mut dry = Desk::open_with(dry, (120, 40));
    command(&mut dry);
    let is_dry = |name: &&str| *name == "c0";
    let here = ["c0", "c1"].map(|name| Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: name.into(),
        looks_only: false,
        is_dry: is_dry(&name),
    });
    dry.tell(Msg::Journal(JournalMsg::Present(here.to_vec())));
    let queued = DeliveryQueued {
        service: "slack".into(),
        channel: Some(Channel::StatusSlack),
        target: "C012345678".into(),
        text: "from c1".into(),
        ..DeliveryQueued::default()
    };
    dry.write_as("bob", "c1", Event::DeliveryQueued(queued));
    let id = dry.console.incident().deliveries[0].id;
    dry.pass(120);
    let (wall, mut effects) = (dry.wall, Vec::new());
    let drop = DeliveryState::Dropped { why: "dry".into() };
    for to in [drop, DeliveryState::ByHand] {
        let body = DeliveryMoved { delivery: id, step: 0, to, is_routine: false };
        dry.console.command(Command::MoveDelivery(body), None, wall, &mut effects);
    }
    assert_eq!((effects, handed(&dry).len(), words(&dry)), (Vec::new(), 0, vec!["WAITS"]));
    assert!(dry.said().contains("dry run"), "{}", dry.said());
    post(&mut dry, "only here");
    assert_eq!(words(&dry), ["WAITS"], "a text of its own is told by hand");
    // The other console sends its text, and asks for news though the dry one stands before it.
    let entries: Vec<Entry> = dry.console.incident().entries().cloned().collect();
    let mut other = Desk::with(Settings { reach: reach(), ..settings(Layout::Comms) }, (120, 40));
    (other.rseq, other.hlc, other.wall) = (dry.rseq, dry.hlc, dry.wall);
    let left = JournalMsg::LeftBehind(dry.left_by("c1"));
    for msg in [left, JournalMsg::Opened(IncidentId::incident(1)), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        other.tell(Msg::Journal(msg));
    }
    other.tell(Msg::Journal(JournalMsg::Present(here.to_vec())));
    other.tell(Msg::Wake);
    assert_eq!(handed(&other).len(), 1);
}

#[test]
fn what_waits_in_a_closed_record_goes_on_until_it_is_done_also_in_a_console_that_opens_it_later() {
    let mut desk = desk(&["c1"]);
    post(&mut desk, "we look into it");
    let id = handed(&desk)[0].id;
    desk.tell(Msg::Delivered(id, Receipt::NotThere { why: "slack answered 429".into(), wait: None }));
    let closed = crate::incident::PhaseEntered {
        outcome: Some(crate::incident::Outcome::FalseAlarm),
        ..crate::incident::PhaseEntered::plain(crate::incident::Phase::Closed)
    };
    desk.write("dana", Event::PhaseEntered(closed));
    assert_eq!(words(&desk), ["WAITS"]);
    let mut desk = restarted(desk, reach());
    desk.pass(5);
    let again = handed(&desk);
    assert_eq!((words(&desk), again.len()), (vec!["SENDING"], 1));
    desk.tell(Msg::Delivered(id, Receipt::There("17.1".into())));
    assert_eq!(words(&desk), ["SENT"]);
}

/// What a system that takes nothing answers to a text, and to the question for it.
type Bad = (fn() -> Receipt, fn() -> Receipt);

/// Whatever is answered, for twenty minutes: few errands, few entries, and a line for each text, not for each try.
#[test]
fn whatever_a_system_answers_it_is_asked_seldom_and_the_record_stays_short() {
    let lost = || Receipt::Unknown("answered 503".into());
    let absent = || Receipt::NotThere { why: "it is not there".into(), wait: None };
    let hour = || Receipt::NotThere { why: "answered 429".into(), wait: Some(TimeDelta::hours(1)) };
    let all: [(Bad, usize); 5] =
        [((lost, absent), 70), ((lost, lost), 70), ((absent, absent), 70), ((hour, absent), 1), ((lost, hour), 70)];
    for (place, ((taken, found), most)) in all.into_iter().enumerate() {
        let mut desk = desk(&["c1"]);
        for number in 0..10 {
            let body = DeliveryQueued {
                service: "slack".into(),
                channel: Some(Channel::StatusSlack),
                target: format!("C{number}").as_str().into(),
                text: format!("text {number}").as_str().into(),
                ..DeliveryQueued::default()
            };
            desk.write_as("dana", "c1", Event::DeliveryQueued(body));
        }
        desk.tell(Msg::Wake);
        let (mut answered, mut errands) = (0, Vec::new());
        let (before, lines) = (desk.console.incident().len(), desk.console.incident().timeline().len());
        for _ in 0..20 * 60 * 4 {
            while let Some(effect) = desk.effects.get(answered).cloned() {
                answered += 1;
                match effect {
                    Effect::Deliver(parcel) => {
                        errands.push(desk.wall);
                        desk.tell(Msg::Delivered(parcel.id, taken()));
                    }
                    Effect::LookUp(parcel) => {
                        errands.push(desk.wall);
                        desk.tell(Msg::LookedUp(parcel.id, found()));
                    }
                    _ => {}
                }
            }
            desk.wall += TimeDelta::milliseconds(250);
            desk.tell(Msg::Wake);
        }
        // Before anything is known of a system, all ten go out at once.
        assert!(errands.len() <= most + 9, "{place}: {}", errands.len());
        for (first, at) in errands.iter().enumerate() {
            let within = errands[first..].iter().take_while(|other| **other - *at < TimeDelta::minutes(1)).count();
            assert!(within <= crate::console::pace::MOST_A_MINUTE, "{place}: {within} in a minute");
        }
        let incident = desk.console.incident();
        assert!(incident.len() - before <= errands.len() * 3, "{place}: {} entries", incident.len() - before);
        assert!(incident.timeline().len() - lines <= 10, "{place}: one line for each text");
    }
}

#[test]
fn a_long_pause_of_a_system_is_obeyed_by_all_that_goes_there_and_stands_in_the_header() {
    let mut desk = desk(&["c1"]);
    post(&mut desk, "we look into it");
    let id = handed(&desk)[0].id;
    desk.tell(Msg::Rests("slack".into(), TimeDelta::minutes(90)));
    desk.tell(Msg::Delivered(id, Receipt::Unknown("answered 503".into())));
    desk.pass(3600);
    assert_eq!(looked(&desk), 0, "a question is a request too");
    desk.pass(1801);
    assert_eq!(looked(&desk), 1);
    desk.tell(Msg::Rests("slack".into(), TimeDelta::minutes(30)));
    desk.tell(Msg::LookedUp(id, Receipt::NotThere { why: "it is not there".into(), wait: None }));
    desk.tell(Msg::Wake);
    let screen = desk.screen();
    let until = desk.wall + TimeDelta::minutes(30);
    let says = format!("again at {}", until.format("%H:%M"));
    assert!(screen.lines().take(2).any(|line| line.contains(&says)), "{says} in {screen}");
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
    for msg in [
        JournalMsg::LeftBehind(desk.left_by("c1")),
        JournalMsg::Opened(IncidentId::incident(1)),
        JournalMsg::Entries(entries),
        JournalMsg::CaughtUp,
    ] {
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
                DeliveryState::Superseded { .. }
                | DeliveryState::Dropped { .. }
                | DeliveryState::Gone { .. }
                | DeliveryState::ByHand => {
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

#[test]
fn lines_for_a_ticket_go_once_a_minute_and_the_last_ones_when_it_is_over_or_somebody_leaves() {
    let place = crate::reach::Place::One("OPS".into());
    let tracker = tracker(crate::reach::JIRA, place).unwrap();
    let reach = Reach { trackers: vec![tracker], ..Reach::default() };
    let mut desk = Desk::open_with(Settings { reach, ..settings(Layout::Comms) }, (120, 40));
    command(&mut desk);
    present(&mut desk, &["c1"]);
    let arrive = |desk: &mut Desk| {
        let mut lines = 0;
        for _ in 0..6 {
            desk.tell(Msg::Wake);
            let open: Vec<_> = desk.console.incident().undelivered().cloned().collect();
            for one in open.iter().filter(|one| one.state == DeliveryState::Sending) {
                lines += usize::from(matches!(one.body.act, crate::incident::Act::Note(_)));
                desk.tell(Msg::Delivered(one.id, Receipt::There("OPS-1".into())));
            }
        }
        lines
    };
    let opened = crate::incident::Opened {
        title: "p99".into(),
        severity: crate::incident::Severity::Sev1,
        alerts: Default::default(),
        linked: Vec::new(),
    };
    // What others declared is theirs to open; this ticket is this console's.
    desk.asks(Event::DeliveryQueued(DeliveryQueued {
        service: crate::reach::JIRA.into(),
        target: "OPS".into(),
        act: crate::incident::Act::Open(opened),
        ..DeliveryQueued::default()
    }));
    arrive(&mut desk);
    desk.pass(61);
    arrive(&mut desk);
    desk.pass(61);
    let note = |desk: &mut Desk, text: &str| {
        let note = crate::incident::NoteAdded { kind: crate::incident::NoteKind::Finding, text: text.into(), at: None };
        desk.asks(Event::NoteAdded(note));
    };
    note(&mut desk, "one");
    assert_eq!(arrive(&mut desk), 1);
    for text in ["two", "three", "four"] {
        note(&mut desk, text);
        desk.pass(10);
        assert_eq!(arrive(&mut desk), 0, "{text} waits for the minute");
    }
    desk.pass(40);
    assert_eq!(arrive(&mut desk), 1, "three lines in one comment");
    note(&mut desk, "five");
    assert_eq!(arrive(&mut desk), 0);
    desk.console.gathers_no_more();
    assert_eq!(arrive(&mut desk), 1, "who leaves tells the rest");
}
