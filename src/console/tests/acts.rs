//! What a console does, it does for what was confirmed in this very process; what stands in the file is only shown.

use proptest::prelude::*;

use super::*;
use crate::channel::spec::tracker;
use crate::console::runs::RunAct;
use crate::incident::event::fake::Filling;
use crate::incident::tests::order;
use crate::incident::{
    Act, Channel, ClockSkewed, CommandRemarked, DeliveryMoved, DeliveryQueued, DeliveryState, Ending, EntryRedacted,
    NoteAdded, Opened, Outcome, Parcel, Phase, PhaseEntered, Plain, Receipt, Release, Remark, RoleNamed, Route,
    StepClaimed, StepDone, StepRef, Way,
};
use crate::pane::Present;
use crate::reach::{PAGERDUTY, Place, Reach, Rooms, SLACK};

fn route() -> StepRef {
    StepRef { service: "alipay".into(), step: "route-to-backup".into() }
}

/// A desk of dana's, who may run what reroutes alipay.
fn ready() -> Desk {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let holder = "dana".into();
    let sme = RoleNamed { role: Role::Sme, component: None, holder, reason: None, is_played: false };
    desk.write("dana", Event::RoleTaken(sme));
    let step = StepRef { step: "backup-available".into(), ..route() };
    desk.write("dana", Event::StepChecked(StepDone { step, title: "Is the backup provider available?".into() }));
    desk.effects.clear();
    desk
}

/// Confirms the rerouting with its dialog; what the journal is asked to write is not written yet.
fn confirmed() -> (Desk, u64, Vec<Event>) {
    let mut desk = ready();
    desk.is_held = true;
    desk.key(KeyCode::Esc);
    desk.keys("3jjjje");
    desk.key(KeyCode::Enter);
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
    let asked = desk.effects.iter().find_map(|effect| match effect {
        Effect::Append { ticket, events, .. } => Some((*ticket, events.clone())),
        _ => None,
    });
    let (ticket, events) = asked.unwrap_or_else(|| panic!("{}", desk.screen()));
    desk.effects.clear();
    desk.is_held = false;
    (desk, ticket, events)
}

fn acts(desk: &Desk) -> Vec<&Effect> {
    let is_act = |effect: &&Effect| match effect {
        Effect::Run(_, act) => !matches!(act, RunAct::Follow(_)),
        Effect::Redact(_) | Effect::Deliver(_) => true,
        _ => false,
    };
    desk.effects.iter().filter(is_act).collect()
}

#[test]
fn rows_in_this_consoles_own_name_start_stop_and_redact_nothing() {
    for (access, is_wall) in [(Access::Full, false), (Access::ReadOnly, false), (Access::Full, true)] {
        let mut desk = ready();
        (desk.console.settings.access, desk.console.settings.is_wall) = (access, is_wall);
        let run = desk.write_as("dana", "c1", Event::CommandStarted(order(Some(route()), true)));
        for remark in [Remark::CancelAsked, Remark::Granted(600)] {
            desk.write_as("dana", "c1", Event::CommandRemarked(CommandRemarked { run, remark }));
        }
        let note = NoteAdded { kind: Default::default(), text: "x".into(), at: None };
        let entry = desk.write_as("dana", "c1", Event::NoteAdded(note));
        desk.write_as("dana", "c1", Event::EntryRedacted(EntryRedacted { entry, reason: "x".into() }));
        desk.pass(60);
        assert_eq!(acts(&desk), Vec::<&Effect>::new());
    }
}

#[test]
fn a_confirmed_command_starts_whichever_comes_first_its_entry_or_the_answer_of_the_commit() {
    for answer_first in [true, false] {
        let (mut desk, ticket, events) = confirmed();
        let entries: Vec<Entry> = events.into_iter().map(|event| desk.stamped("dana", "c1", event)).collect();
        let saved = Msg::Journal(JournalMsg::Saved(ticket, entries.iter().map(Entry::stamp).collect()));
        if answer_first {
            desk.tell(saved.clone());
        }
        assert!(acts(&desk).is_empty());
        desk.tell(Msg::Journal(JournalMsg::Entries(entries)));
        if !answer_first {
            assert!(acts(&desk).is_empty(), "that it stands there is not enough");
            desk.tell(saved);
        }
        assert!(matches!(acts(&desk)[..], [Effect::Run(_, RunAct::Start(..))]), "{:?}", acts(&desk));
    }
}

#[test]
fn what_the_record_gives_back_otherwise_starts_nothing_and_is_said_to_be_damage() {
    let changes: [fn(&mut Event); 3] = [
        |event| {
            if let Event::CommandStarted(body) = event {
                body.argv[1] = "delete".into();
            }
        },
        |event| {
            if let Event::CommandStarted(body) = event {
                body.limit_s += 1;
            }
        },
        |event| *event = Event::Acknowledged(crate::incident::Plain {}),
    ];
    for change in changes {
        let (mut desk, ticket, events) = confirmed();
        let mut entries: Vec<Entry> = events.into_iter().map(|event| desk.stamped("dana", "c1", event)).collect();
        let stamps = entries.iter().map(Entry::stamp).collect();
        change(&mut entries.last_mut().unwrap().event);
        desk.tell(Msg::Journal(JournalMsg::Entries(entries)));
        desk.tell(Msg::Journal(JournalMsg::Saved(ticket, stamps)));
        assert_eq!(acts(&desk), Vec::<&Effect>::new());
        assert!(desk.screen().contains("RECORD DAMAGED: entry"), "{}", desk.screen());
        let runs = &desk.console.incident().runs;
        assert!(runs.iter().all(|run| matches!(run.ending(), Some(Ending::NotStarted(_)))), "{runs:?}");
    }
}

#[test]
fn what_never_comes_back_starts_nothing_and_holds_nothing_up() {
    let (mut desk, ticket, events) = confirmed();
    let entries: Vec<Entry> = events.into_iter().map(|event| desk.stamped("dana", "c1", event)).collect();
    let others = |entry: &Entry| crate::incident::Stamp { id: EntryId { rid: 7, ..entry.id }, hash: entry.hash() };
    desk.tell(Msg::Journal(JournalMsg::Saved(ticket, entries.iter().map(others).collect())));
    desk.tell(Msg::Journal(JournalMsg::Entries(entries)));
    desk.pass(11);
    assert_eq!(acts(&desk), Vec::<&Effect>::new());
    assert!(desk.screen().contains("RECORD DAMAGED: entry"), "{}", desk.screen());
    assert!(!desk.console.is_waiting(), "the next thing can be asked for");
}

#[test]
fn who_leaves_the_role_or_lets_the_step_go_before_the_word_starts_nothing() {
    let sme = |desk: &mut Desk| {
        let holder = "dana".into();
        let sme = RoleNamed { role: Role::Sme, component: None, holder, reason: None, is_played: false };
        desk.write("bob", Event::RoleLeft(sme));
    };
    let claim = |desk: &mut Desk| {
        let body = StepDone { step: route(), title: "x".into() };
        desk.write("dana", Event::StepReleased(body));
    };
    for (leave, why) in
        [(&sme as &dyn Fn(&mut Desk), "it wants Subject Matter Expert"), (&claim, "you let this step go")]
    {
        let mut desk = ready();
        desk.write("dana", Event::StepClaimed(StepClaimed { step: route(), title: "x".into(), over: None }));
        desk.key(KeyCode::Esc);
        desk.keys("3jjjje");
        desk.key(KeyCode::Enter);
        desk.keys("alipay");
        leave(&mut desk);
        desk.key(KeyCode::Enter);
        assert_eq!(acts(&desk), Vec::<&Effect>::new());
        assert!(desk.said().contains(why), "{}", desk.said());
    }
}

#[test]
fn who_leaves_the_role_before_the_start_comes_back_starts_nothing_and_the_record_says_so() {
    let (mut desk, ticket, events) = confirmed();
    let holder = "dana".into();
    let sme = RoleNamed { role: Role::Sme, component: None, holder, reason: None, is_played: false };
    desk.write("bob", Event::RoleLeft(sme));
    desk.save(ticket, &events);
    assert_eq!(acts(&desk), Vec::<&Effect>::new());
    let ending = desk.console.incident().runs[0].ending().cloned();
    assert!(matches!(&ending, Some(Ending::NotStarted(why)) if why.contains("Subject Matter Expert")), "{ending:?}");
}

/// Slack, a page for customers, PagerDuty, and channels of incidents.
fn reach() -> Reach {
    let route =
        |channel, service: &str, target: &str| Route { channel, service: service.into(), target: target.into() };
    Reach {
        routes: vec![
            route(Channel::StatusSlack, "slack", "C012345678"),
            route(Channel::ExternalPage, "statuspage", "outside"),
        ],
        trackers: vec![tracker(PAGERDUTY, Place::One("PALIPAY".into())).unwrap()],
        rooms: Some(Rooms { prefix: "inc-".into(), is_private: false }),
        silences: true,
        ..Reach::default()
    }
}

fn queued(service: &str, target: &str, act: Act, release: Release) -> Event {
    let (service, target) = (service.into(), target.into());
    Event::DeliveryQueued(DeliveryQueued { service, target, act, text: "x".into(), release, ..Default::default() })
}

fn moved(delivery: EntryId, step: u32, to: DeliveryState) -> Event {
    Event::DeliveryMoved(DeliveryMoved { delivery, step, to, is_routine: false })
}

fn again() -> DeliveryState {
    DeliveryState::Queued { not_before: at(0), why: None, choice: None }
}

fn present(desk: &mut Desk, here: &[&str]) {
    let one = |name: &&str| Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: (*name).into(),
        looks_only: false,
        is_dry: false,
    };
    desk.tell(Msg::Journal(JournalMsg::Present(here.iter().map(one).collect())));
}

fn reaching(here: &[&str]) -> Desk {
    let mut desk = Desk::open_with(Settings { reach: reach(), ..settings(Layout::Ic) }, (120, 40));
    present(&mut desk, here);
    desk.effects.clear();
    desk
}

fn sent(desk: &Desk) -> Vec<Parcel> {
    let sent = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Deliver(parcel) | Effect::LookUp(parcel) => Some(parcel.clone()),
        _ => None,
    });
    sent.collect()
}

fn ask(desk: &mut Desk, command: Command) {
    let (wall, mut effects) = (desk.wall, Vec::new());
    desk.console.command(command, None, wall, &mut effects);
    for effect in effects {
        if let Effect::Append { ticket, events, .. } = &effect {
            desk.save(*ticket, events);
        }
        desk.effects.push(effect);
    }
}

#[test]
fn a_delivery_that_another_process_queued_is_sent_by_nobody_but_who_takes_it_over() {
    let mut desk = reaching(&["c1"]);
    let id = desk.write_as("bob", "c2", queued("slack", "C012345678", Act::Post, Release::AtOnce));
    desk.write_as("dana", "c1", queued("slack", "C012345678", Act::Tell, Release::AtOnce));
    desk.write_as("bob", "c2", queued("slack", "C0GENERAL", Act::Post, Release::AtOnce));
    desk.pass(120);
    assert_eq!(sent(&desk), []);
    assert!(desk.screen().contains("3 not sent (:outbox)"), "{}", desk.screen());
    let cx = desk.console.cx(desk.wall);
    assert_eq!(
        overlay::wants_a_hand(&cx)[0],
        "bob's console is gone: 2 things of it not sent yet: `outbox` sends from here"
    );
    let known = desk.console.incident().deliveries.iter().find(|known| known.id == id).unwrap();
    let (words, to) = overlay::ways(known, &cx).remove(0);
    assert_eq!(words.as_str(), "its console is gone: send it from here");
    ask(&mut desk, Command::MoveDelivery(DeliveryMoved { delivery: id, step: 0, to, is_routine: false }));
    assert_eq!(sent(&desk).iter().map(|parcel| parcel.id).collect::<Vec<_>>(), [id]);
}

#[test]
fn nobody_else_s_word_releases_what_waits_for_a_word_here() {
    let mut desk = reaching(&["c1"]);
    ask(
        &mut desk,
        Command::SendOut(Box::new(match queued("slack", "C012345678", Act::Post, Release::OnWord) {
            Event::DeliveryQueued(body) => body,
            _ => unreachable!(),
        })),
    );
    let id = desk.console.incident().deliveries.last().unwrap().id;
    desk.write_as("dana", "c1", moved(id, 0, again()));
    desk.pass(60);
    assert_eq!(sent(&desk), []);
}

#[test]
fn what_is_not_in_this_console_s_configuration_goes_nowhere_also_by_ones_own_hand() {
    let mut desk = reaching(&["c1"]);
    for (service, target) in
        [("slack", "C0GENERAL"), (PAGERDUTY, "POTHER"), ("statuspage", "inside"), (SLACK, "general")]
    {
        let Event::DeliveryQueued(body) = queued(service, target, Act::Post, Release::AtOnce) else { unreachable!() };
        ask(&mut desk, Command::SendOut(Box::new(body)));
    }
    desk.pass(60);
    assert_eq!(sent(&desk), []);
}

#[test]
fn other_systems_are_told_from_here_what_was_done_here_and_the_rest_on_a_person_s_word() {
    let mut desk = reaching(&["c1"]);
    desk.write(
        "bob",
        Event::RoleTaken(RoleNamed {
            role: Role::IncidentCommander,
            component: None,
            holder: "dana".into(),
            reason: None,
            is_played: false,
        }),
    );
    desk.pass(60);
    assert_eq!(sent(&desk), [], "others declared it");
    let left: Vec<String> = desk.console.cx(desk.wall).left.iter().map(|body| body.act.words()).collect();
    assert_eq!(left, ["open the incident"]);
    let body = desk.console.cx(desk.wall).left[0].clone();
    ask(&mut desk, Command::SendOut(Box::new(body)));
    let opening = sent(&desk).pop().unwrap();
    desk.tell(Msg::Delivered(opening.id, Receipt::There("P1".into())));
    desk.write("bob", Event::PhaseEntered(PhaseEntered::plain(Phase::Resolved)));
    desk.pass(60);
    assert_eq!(sent(&desk).len(), 1, "that it is over was not said here");
    ask(&mut desk, Command::Acknowledge);
    desk.pass(60);
    let acts: Vec<String> = sent(&desk).iter().map(|parcel| parcel.act.words()).collect();
    assert!(acts.contains(&"acknowledge".to_owned()) && !acts.contains(&"resolve".to_owned()), "{acts:?}");
}

/// An incident of PagerDuty that others say they opened for this record, under an id of their own.
fn opened_by_others(desk: &mut Desk, id: &str) -> EntryId {
    let opened = Opened {
        title: "x".into(),
        severity: crate::incident::Severity::Sev2,
        alerts: BTreeSet::new(),
        linked: Vec::new(),
    };
    let maker = desk.write_as("dana", "c1", queued(PAGERDUTY, "PALIPAY", Act::Open(opened), Release::AtOnce));
    desk.write_as("dana", "c1", moved(maker, 0, DeliveryState::Sending));
    desk.write_as("dana", "c1", moved(maker, 1, DeliveryState::Sent(id.into())));
    maker
}

fn command(desk: &mut Desk) {
    let (role, holder) = (Role::IncidentCommander, "dana".into());
    desk.write("bob", Event::RoleTaken(RoleNamed { role, component: None, holder, reason: None, is_played: false }));
}

fn proofs(desk: &Desk) -> Vec<&Parcel> {
    let asked =
        desk.effects.iter().filter_map(|effect| if let Effect::Prove(parcel) = effect { Some(parcel) } else { None });
    asked.collect()
}

#[test]
fn an_object_that_only_the_record_names_is_asked_for_by_its_mark_before_anything_goes_there() {
    let mut desk = reaching(&["c1"]);
    let maker = opened_by_others(&mut desk, "../services/X?y=");
    command(&mut desk);
    ask(&mut desk, Command::Acknowledge);
    desk.pass(60);
    assert_eq!(sent(&desk), []);
    let [proof] = proofs(&desk)[..] else { panic!("{:?}", proofs(&desk)) };
    assert_eq!((proof.id, &proof.about, &proof.made), (maker, &None, &None));
    desk.tell(Msg::Proved(maker, Receipt::Unknown("timeout".into())));
    desk.pass(5);
    assert_eq!((sent(&desk).len(), proofs(&desk).len()), (0, 1));
    desk.pass(15);
    assert_eq!(proofs(&desk).len(), 2, "it is asked again");
    desk.tell(Msg::Proved(maker, Receipt::There("P1".into())));
    let about: Vec<Option<String>> =
        sent(&desk).iter().map(|parcel| parcel.about.as_ref().map(|remote| remote.id.to_string())).collect();
    assert!(!about.is_empty() && about.iter().all(|about| about.as_deref() == Some("P1")), "{about:?}");
}

#[test]
fn a_message_at_the_top_that_others_edited_is_asked_for_by_the_mark_with_which_it_was_written() {
    let mut desk = reaching(&["c1", "c2"]);
    let made = |desk: &mut Desk, act: Act, text: &str, id: &str| {
        let body = DeliveryQueued {
            text: text.into(),
            service: SLACK.into(),
            target: "inc-1".into(),
            act,
            ..Default::default()
        };
        let maker = desk.write_as("bob", "c2", Event::DeliveryQueued(body));
        desk.write_as("bob", "c2", moved(maker, 0, DeliveryState::Sending));
        desk.write_as("bob", "c2", moved(maker, 1, DeliveryState::Sent(id.into())));
        maker
    };
    let room = made(&mut desk, Act::FindRoom { since: at(0) }, "", "C9");
    let written = made(&mut desk, Act::Pin, "as it was", "17.1");
    let edited = made(&mut desk, Act::Pin, "as it is", "17.1");
    let pin = DeliveryQueued {
        text: "as we have it".into(),
        service: SLACK.into(),
        target: "inc-1".into(),
        act: Act::Pin,
        ..Default::default()
    };
    desk.asks(Event::DeliveryQueued(pin));
    desk.pass(1);
    desk.tell(Msg::Proved(room, Receipt::There("C9".into())));
    desk.pass(1);
    let asked: Vec<EntryId> = proofs(&desk).iter().map(|parcel| parcel.id).filter(|id| *id != room).collect();
    assert_eq!(asked, [written], "an edit leaves no mark, so that {edited} is not asked for");
    desk.tell(Msg::Proved(written, Receipt::There("17.1".into())));
    desk.pass(1);
    let last = sent(&desk).into_iter().rfind(|parcel| parcel.act == Act::Pin).unwrap();
    let made = |remote: Option<crate::incident::Remote>| remote.map(|remote| remote.id.to_string());
    assert_eq!((made(last.about), made(last.made)), (Some("C9".to_owned()), Some("17.1".to_owned())));
}

#[test]
fn an_object_that_its_system_does_not_name_waits_for_a_person_and_so_does_what_is_done_there() {
    let mut desk = reaching(&["c1"]);
    let maker = opened_by_others(&mut desk, "PEVIL");
    command(&mut desk);
    ask(&mut desk, Command::Acknowledge);
    desk.tell(Msg::Proved(maker, Receipt::NotThere { why: "none".into(), wait: None }));
    desk.pass(60);
    assert_eq!(sent(&desk), []);
    let asks_news =
        |desk: &Desk| desk.effects.iter().any(|effect| matches!(effect, Effect::AskNews(one) if one.thing.is_some()));
    assert!(!asks_news(&desk), "what is done with an object of somebody else is nobody's news here");
    let held =
        desk.console.incident().undelivered().find(|known| matches!(known.state, DeliveryState::Held { .. })).cloned();
    let held = held.unwrap_or_else(|| panic!("{:?}", desk.console.incident().deliveries));
    let DeliveryState::Held { why, ways } = &held.state else { unreachable!() };
    assert_eq!(why.as_str(), "the record names PEVIL as its incident, and nothing in pagerduty says so: look there");
    // Somebody else's word for it is none here.
    let to = DeliveryState::Queued { not_before: at(0), why: None, choice: Some(ways[0].choice.clone()) };
    desk.write_as("dana", "c1", moved(held.id, held.moves, to.clone()));
    desk.pass(60);
    assert_eq!(sent(&desk), []);
}

#[test]
fn whoever_says_here_that_an_object_is_ours_lets_go_what_waits_for_it() {
    let mut desk = reaching(&["c1"]);
    let maker = opened_by_others(&mut desk, "P4711");
    command(&mut desk);
    ask(&mut desk, Command::Acknowledge);
    desk.tell(Msg::Proved(maker, Receipt::NotThere { why: "none".into(), wait: None }));
    desk.pass(60);
    let held =
        desk.console.incident().undelivered().find(|known| matches!(known.state, DeliveryState::Held { .. })).cloned();
    let held = held.unwrap_or_else(|| panic!("{:?}", desk.console.incident().deliveries));
    let DeliveryState::Held { ways, .. } = &held.state else { unreachable!() };
    let to = DeliveryState::Queued { not_before: at(0), why: None, choice: Some(ways[0].choice.clone()) };
    ask(&mut desk, Command::MoveDelivery(DeliveryMoved { delivery: held.id, step: held.moves, to, is_routine: false }));
    desk.pass(60);
    let about: Vec<_> = sent(&desk).into_iter().map(|parcel| parcel.about.unwrap().id.to_string()).collect();
    assert!(!about.is_empty() && about.iter().all(|about| about == "P4711"), "{about:?}");
}

#[test]
fn an_answer_that_others_gave_to_a_question_is_not_taken_here() {
    let mut desk = reaching(&["c1"]);
    let Event::DeliveryQueued(body) = queued("slack", "C012345678", Act::Post, Release::AtOnce) else { unreachable!() };
    ask(&mut desk, Command::SendOut(Box::new(body)));
    let own = sent(&desk)[0].id;
    let ways = vec![Way::new("customers read it too: send it", "C012345678/shared")];
    let asks = DeliveryState::Held { why: "customers read it too".into(), ways: ways.clone() };
    desk.tell(Msg::Delivered(own, Receipt::Asks { why: "customers read it too".into(), ways }));
    let theirs = desk.write_as("bob", "c1", queued("slack", "C012345678", Act::Tell, Release::AtOnce));
    desk.write_as("bob", "c1", moved(theirs, 0, DeliveryState::Sending));
    desk.write_as("bob", "c1", moved(theirs, 1, asks));
    let to = DeliveryState::Queued { not_before: at(0), why: None, choice: Some("C012345678/shared".into()) };
    desk.write_as("bob", "c1", moved(theirs, 2, to));
    desk.pass(60);
    assert!(desk.console.incident().choices.contains("C012345678/shared"), "it is shown");
    assert_eq!(sent(&desk).len(), 1, "and nothing goes out by it");
    let Event::DeliveryQueued(body) = queued("slack", "C012345678", Act::Post, Release::AtOnce) else { unreachable!() };
    ask(&mut desk, Command::SendOut(Box::new(body)));
    assert_eq!(sent(&desk).last().map(|parcel| parcel.choices.clone()), Some(BTreeSet::new()));
}

#[test]
fn nobody_who_writes_is_taken_along_by_what_others_say_of_a_merge() {
    let merged = || {
        let into = IncidentId::incident(9);
        Event::PhaseEntered(PhaseEntered { outcome: Some(Outcome::Merged(into)), ..PhaseEntered::plain(Phase::Closed) })
    };
    let goes = |desk: &Desk| desk.effects.iter().any(|effect| matches!(effect, Effect::Open(_) | Effect::ClearDraft));
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let entry = desk.write_as("omid", "c2", merged());
    assert!(desk.said().contains("omid merged this into INC-9, says the record"), "{}", desk.said());
    desk.pass(60);
    assert!(!goes(&desk), "{}", desk.screen());
    let mut wall = Desk::open_with(Settings { is_wall: true, ..settings(Layout::Ic) }, (120, 40));
    wall.write_as("omid", "c2", merged());
    assert!(
        wall.effects.contains(&Effect::Open(IncidentId::incident(9))),
        "a wall only shows: it shows where it goes on"
    );
    assert!(!wall.effects.contains(&Effect::ClearDraft));
    // This account wrote it in another process: that is no news from a stranger.
    let hash = desk.console.incident().entry(entry).unwrap().hash();
    desk.tell(Msg::Journal(JournalMsg::WrittenBeside([(entry, hash)].into())));
    assert!(goes(&desk));
}

/// Events that would make a console act, if it took them for orders.
fn any_order() -> impl Strategy<Value = Event> {
    let id = (1..4_u64, 1..30_u64).prop_map(|(rid, rseq)| EntryId { rid, rseq });
    let places = vec![("slack", "C012345678"), ("statuspage", "outside"), (PAGERDUTY, "PALIPAY"), ("slack", "inc-1")];
    let acts = vec![
        Act::Post,
        Act::Tell,
        Act::Acknowledge,
        Act::Resolve,
        Act::Topic,
        Act::Pin,
        Act::Page(BTreeSet::from(["bob".into()])),
    ];
    let release = prop::sample::select(vec![Release::AtOnce, Release::OnWord, Release::Never]);
    let states = vec![
        again(),
        DeliveryState::Sending,
        DeliveryState::Held { why: "x".into(), ways: Vec::new() },
        DeliveryState::Unconfirmed { why: "x".into() },
        DeliveryState::Failed { why: "x".into() },
        DeliveryState::Sent("../services/X?y=".into()),
    ];
    let remark = prop::sample::select(vec![Remark::CancelAsked, Remark::Granted(60), Remark::Overtime]);
    prop_oneof![
        (prop::sample::select(places), prop::sample::select(acts), release)
            .prop_map(|((service, target), act, release)| queued(service, target, act, release)),
        (id.clone(), 0..3_u32, prop::sample::select(states)).prop_map(|(id, step, to)| moved(id, step, to)),
        id.clone().prop_map(|entry| Event::EntryRedacted(EntryRedacted { entry, reason: "x".into() })),
        (id.clone(), remark).prop_map(|(run, remark)| Event::CommandRemarked(CommandRemarked { run, remark })),
        Just(Event::CommandStarted(order(Some(route()), true))),
        Just(Event::StepClaimed(StepClaimed { step: route(), title: "x".into(), over: None })),
        Just(Event::ClockSkewed(ClockSkewed { console: "c1".into(), ahead_ms: 60_000 })),
        Just(Event::Acknowledged(Plain {})),
    ]
}

/// Any event that there is, about things that there are here.
fn any_of_the_table() -> impl Strategy<Value = Event> {
    const TEXTS: [&str; 16] = [
        "dana",
        "bob",
        "c1",
        "c2",
        "slack",
        "C012345678",
        "statuspage",
        "outside",
        PAGERDUTY,
        "PALIPAY",
        "alipay",
        "route-to-backup",
        "bastion",
        "touch",
        "../services/X?y=",
        "inc-1",
    ];
    let kinds = prop::sample::select(Event::KINDS.to_vec());
    (kinds, any::<u64>()).prop_map(|(kind, seed)| Event::fake(kind, &Filling { texts: &TEXTS, seed }).expect(kind))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever others put into the file, under whatever name, before or after it was opened: a console reads, and does nothing else.
    #[test]
    fn no_sequence_of_entries_of_others_makes_any_console_do_anything_but_read(
        entries in prop::collection::vec((
            prop_oneof![any_order(), crate::incident::tests::any_event(), any_of_the_table()],
            prop::sample::select(vec!["c1", "c2", ""]),
            prop::sample::select(vec!["dana", "bob"]),
            0..40_i64,
        ), 1..30),
        opened_after in 0..30_usize,
        (mode, is_drill, is_shared) in (0..4_u8, any::<bool>(), any::<bool>()),
        here in prop::sample::subsequence(vec!["c1", "c2"], 0..=2),
    ) {
        let access = if mode == 1 { Access::ReadOnly } else { Access::Full };
        let reach = Reach { is_dry: mode == 3, ..reach() };
        let settings = Settings { access, is_wall: mode == 2, reach, is_shared, ..settings(Layout::Ic) };
        let mut desk = Desk::with(settings, (120, 40));
        if is_drill {
            desk.id = IncidentId::drill(1);
        }
        desk.is_held = true;
        desk.tell(Msg::Journal(JournalMsg::Opened(desk.id)));
        for (place, (event, console, actor, pause)) in entries.into_iter().enumerate() {
            if place == opened_after {
                desk.tell(Msg::Journal(JournalMsg::CaughtUp));
                present(&mut desk, &here);
            }
            desk.write_as(actor, console, event);
            desk.pass(pause);
        }
        desk.tell(Msg::Journal(JournalMsg::CaughtUp));
        present(&mut desk, &[]);
        desk.pass(600);
        let is_reading = |effect: &Effect| matches!(
            effect,
            Effect::List
                | Effect::LookBack(_)
                | Effect::Watch(_)
                | Effect::Simulate(_)
                | Effect::Progress(_)
                | Effect::Inquire(_)
                | Effect::AskNews(_)
                | Effect::Bell
                | Effect::Run(_, RunAct::Follow(_))
        ) || match effect {
            Effect::Prove(parcel) => parcel.about.is_none() && parcel.made.is_none(),
            // Who only looks is shown where it goes on.
            Effect::Open(_) => matches!(mode, 1 | 2),
            _ => false,
        };
        let others: Vec<&Effect> = desk.effects.iter().filter(|effect| !is_reading(effect)).collect();
        prop_assert!(others.is_empty(), "{others:?}");
    }
}
