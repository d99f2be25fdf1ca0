use std::collections::BTreeMap;

use super::*;
use crate::channel::spec::tracker;
use crate::incident::tests::{at, entry};
use crate::incident::{
    AlertLinked, Declared, DeliveryMoved, DrillStarted, Entry, FollowUpSet, ForeignNoted, IncidentId, NoteAdded,
    NoteKind, Outcome, PageStatus, PhaseEntered, Plain, PrivacySet, Remote, RoleNamed, SeveritySet, TitleSet,
};

mod table;

fn reach() -> Reach {
    let person = |name: &str, slack: Option<&str>| Person {
        name: name.into(),
        email: Some(CleanStr::new(&format!("{name}@qr.example"))),
        slack: slack.map(Into::into),
        ..Person::default()
    };
    let pages = |channel, target: &str| Route { channel, service: STATUSPAGE.into(), target: target.into() };
    Reach {
        routes: vec![
            Route { channel: Channel::StatusSlack, service: SLACK.into(), target: "C012345678".into() },
            pages(Channel::InternalPage, "inside"),
            pages(Channel::ExternalPage, "outside"),
        ],
        trackers: vec![
            tracker(PAGERDUTY, Place::Of(BTreeMap::from([("alipay".into(), "PALIPAY".into())]))).unwrap(),
            tracker(JIRA, Place::One("OPS".into())).unwrap(),
        ],
        rooms: Some(Rooms { prefix: "inc-".into(), is_private: false }),
        components: BTreeMap::from([(Channel::ExternalPage, BTreeMap::from([("alipay".into(), "c1".into())]))]),
        people: vec![person("dana", Some("U12345678")), person("bob", None)],
        ..Reach::default()
    }
}

/// An incident whose record grows by what is asked for, as a console would.
struct Story {
    incident: Incident,
    reach: Reach,
    entries: u64,
}

impl Story {
    fn new(reach: Reach) -> Self {
        let mut story = Self { incident: Incident::new(IncidentId::incident(1)), reach, entries: 0 };
        story.say(Event::Declared(Declared {
            title: "p99 over 2 s".into(),
            severity: Severity::Sev1,
            service: Some("alipay".into()),
            detected_at: Some(at(0)),
            detection: None,
            zone: "UTC".into(),
            link: None,
        }));
        story
    }

    fn entry(&mut self, event: Event) -> Entry {
        self.entries += 1;
        let mut entry = entry(1, self.entries, self.entries as i64, "c1", event);
        entry.actor = "dana".into();
        entry
    }

    fn say(&mut self, event: Event) {
        let entry = self.entry(event);
        self.incident.apply([entry]);
    }

    /// Asks for what is missing, and says what that was.
    fn ask(&mut self) -> Vec<String> {
        let missing = self.reach.missing(&self.incident);
        let words = missing.iter().map(|body| format!("{} {}", body.service, body.act.words())).collect();
        for body in missing {
            self.say(Event::DeliveryQueued(body));
        }
        // Lines that did not fit into the first text go with the next ones.
        let mut again = self.reach.missing(&self.incident);
        again.retain(|body| !matches!(body.act, Act::Note(_)));
        assert_eq!(again, [], "what was asked for is not asked for again");
        words
    }

    fn settle(&mut self, place: usize, to: DeliveryState) {
        let delivery = &self.incident.deliveries[place];
        let (delivery, step) = (delivery.id, delivery.moves);
        self.say(Event::DeliveryMoved(DeliveryMoved { delivery, step, to, is_routine: true }));
    }

    /// Everything that waits arrives.
    fn arrive(&mut self) {
        for place in 0..self.incident.deliveries.len() {
            if let DeliveryState::Queued { .. } = self.incident.deliveries[place].state {
                let remote = Remote { id: "R".into(), name: Some("4711".into()), ..Remote::default() };
                self.settle(place, DeliveryState::Sending);
                self.settle(place, DeliveryState::Sent(remote));
            }
        }
    }

    fn command(&mut self) {
        self.say(Event::RoleTaken(RoleNamed {
            role: Role::IncidentCommander,
            component: None,
            holder: "dana".into(),
            reason: None,
            is_played: false,
        }));
        self.say(Event::Acknowledged(Plain {}));
    }
}

#[test]
fn another_incident_of_pagerduty_is_merged_once_by_what_was_told_of_it_or_by_its_number_alone() {
    let mut story = Story::new(reach());
    story.ask();
    story.arrive();
    let by_number = |story: &Story, number: &str| {
        let merge = story.reach.merge(number, "dana", &story.incident)?;
        if let Act::Merge(other) = merge.act { Some(other.id.to_string()) } else { None }
    };
    assert_eq!(by_number(&story, "4712").as_deref(), Some("4712"), "of another service");
    assert_eq!(by_number(&story, "the other one"), None);
    let noted = |key: &str, text: &str| {
        let (service, who, link) = (PAGERDUTY.into(), "".into(), None);
        Event::ForeignNoted(ForeignNoted {
            service,
            key: key.into(),
            who,
            at: at(5),
            text: text.into(),
            link,
            answers: None,
        })
    };
    story.say(noted("open/Q12", "#4712 x is open on this service too"));
    story.say(noted("L1", "#4713 was escalated"));
    assert_eq!(by_number(&story, "4713").as_deref(), Some("4713"), "the number in a line of the log names no ID");
    let merge = story.reach.merge("#4712", "dana", &story.incident).unwrap();
    let Act::Merge(other) = &merge.act else { panic!("{merge:?}") };
    assert_eq!((other.id.as_str(), merge.target.as_str()), ("Q12", "PALIPAY"));
    assert_eq!(merge.from.as_deref(), Some("dana@qr.example"));
    story.say(Event::DeliveryQueued(merge));
    assert_eq!(story.reach.merge("4712", "dana", &story.incident), None, "it is on its way");
}

#[test]
fn an_incident_is_opened_acknowledged_by_who_did_it_noted_and_ended_in_the_systems_that_keep_it() {
    let mut story = Story::new(reach());
    assert_eq!(story.ask(), ["pagerduty open the incident", "jira open the incident"]);
    assert_eq!(story.ask(), [""; 0]);
    assert_eq!(story.incident.deliveries[0].body.target, "PALIPAY");
    story.arrive();
    assert_eq!(story.ask(), ["slack find the channel"], "PagerDuty's Slack integration opens it");
    assert_eq!(story.incident.deliveries[2].body.target, "inc-4711");
    story.command();
    let asked = story.ask();
    assert_eq!(asked, ["pagerduty acknowledge", "jira 2 lines of the timeline"], "the channel is not there yet");
    let acknowledged = story.incident.deliveries.iter().find(|known| known.body.act == Act::Acknowledge).unwrap();
    assert_eq!(acknowledged.body.from.as_deref(), Some("dana@qr.example"));
    story.arrive();
    let asked = story.ask();
    assert_eq!(asked, ["slack topic", "slack pinned status", "slack invite U12345678"]);
    story.say(Event::PhaseEntered(PhaseEntered {
        final_status: Some("all payments work".into()),
        ..PhaseEntered::plain(Phase::Resolved)
    }));
    story.arrive();
    let asked = story.ask();
    let resolved = ["pagerduty resolve", "jira a line of the timeline", "slack topic", "slack pinned status"];
    assert_eq!(asked, resolved, "no page was told, so none is ended");
    story.arrive();
    story.say(Event::PhaseEntered(PhaseEntered::plain(Phase::Closed)));
    let closed = ["jira a line of the timeline", "jira resolve", "slack topic", "slack pinned status"];
    assert_eq!(story.ask(), closed);
}

#[test]
fn many_lines_go_as_one_and_a_line_goes_once() {
    let mut story = Story::new(Reach { trackers: reach().trackers[1..].to_vec(), ..Reach::default() });
    story.ask();
    story.arrive();
    let note = |text: &str| Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: text.into(), at: None });
    story.say(note("first"));
    assert_eq!(story.ask(), ["jira a line of the timeline"]);
    for _ in 0..50 {
        story.say(note("more"));
        let [wanted] = story.reach.missing(&story.incident).try_into().unwrap();
        let since = story.incident.deliveries[1].queued.at;
        let turn = story.incident.next_text(&wanted, None, None, since);
        assert_eq!(turn, Some(since + crate::incident::LONGEST_TURN), "while one is on its way the others wait for it");
    }
    story.arrive();
    assert_eq!(story.ask(), ["jira 50 lines of the timeline"]);
    story.arrive();
    assert_eq!(story.ask(), [""; 0]);
    let words = story.incident.deliveries[1].words(&story.incident);
    assert!(words.ends_with("UTC dana [note] first"), "{words}");
}

#[test]
fn follow_ups_get_tickets_that_are_closed_when_they_are_done() {
    let mut story = Story::new(Reach { trackers: reach().trackers[1..].to_vec(), ..Reach::default() });
    story.ask();
    story.arrive();
    story.say(Event::NoteAdded(NoteAdded { kind: NoteKind::Todo, text: "raise the limit".into(), at: None }));
    let asked = story.ask();
    assert_eq!(asked, ["jira description", "jira ticket of a follow-up", "jira a line of the timeline"]);
    story.arrive();
    let item = story.incident.follow_ups[0].id;
    let of_item = |owner: Option<&str>, day: Option<u32>| {
        let due = day.and_then(|day| chrono::NaiveDate::from_ymd_opt(2026, 12, day));
        Event::FollowUpSet(FollowUpSet {
            item: Some(item),
            owner: owner.map(Into::into),
            due,
            ..FollowUpSet::default()
        })
    };
    let changed = "jira owner and day of a follow-up".to_owned();
    for (owner, day) in [(Some("bob"), None), (None, Some(4)), (Some("dana"), Some(5))] {
        story.say(of_item(owner, day));
        assert!(story.ask().contains(&changed), "{owner:?} {day:?}");
        assert!(!story.ask().contains(&changed), "it is said once");
        story.arrive();
        assert!(!story.ask().contains(&changed), "it is said once");
    }
    let told = story.incident.deliveries.iter().rfind(|one| matches!(one.body.act, Act::ChangeTicket(_))).unwrap();
    assert_eq!(told.body.text.as_str(), "raise the limit\nOwner: dana\nDue: 2026-12-05");
    let state = Some(FollowUpState::Done);
    story.say(Event::FollowUpSet(FollowUpSet { item: Some(item), state, ..FollowUpSet::default() }));
    assert!(story.ask().contains(&"jira close a follow-up's ticket".to_owned()));
}

#[test]
fn a_page_that_says_something_is_wrong_is_ended_and_what_customers_read_waits_for_a_word() {
    let mut story = Story::new(Reach { trackers: Vec::new(), rooms: None, ..reach() });
    let update = StatusUpdate {
        channels: [Channel::InternalPage, Channel::ExternalPage, Channel::StatusSlack].into(),
        text: "payments fail".into(),
        ..StatusUpdate::default()
    };
    for post in story.reach.posts(&update, &story.incident) {
        story.say(Event::DeliveryQueued(post));
    }
    let Act::Publish(said) = &story.incident.deliveries[2].body.act else { panic!() };
    assert_eq!((said.components.first().map(CleanStr::as_str), said.notifies), (Some("c1"), false));
    story.arrive();
    assert_eq!(story.ask(), [""; 0]);
    story.say(Event::PhaseEntered(PhaseEntered {
        final_status: Some("all payments work".into()),
        ..PhaseEntered::plain(Phase::Resolved)
    }));
    assert_eq!(story.ask(), ["statuspage status page"; 2]);
    let words: Vec<_> = story.incident.deliveries[3..].iter().map(|known| known.state.word()).collect();
    assert_eq!(words, ["WAITS", "YOUR WORD"]);
}

#[test]
fn what_a_person_gave_up_is_not_asked_for_again_and_without_a_place_nothing_is() {
    let mut story = Story::new(reach());
    story.ask();
    story.settle(0, DeliveryState::Dropped { why: "it is there under another name".into() });
    story.command();
    assert!(!story.ask().iter().any(|words| words.starts_with("pagerduty")));
    let reach = Reach { trackers: reach().trackers[..1].to_vec(), ..Reach::default() };
    let mut other = Story::new(reach);
    other.reach.trackers[0].place = Place::Of(BTreeMap::new());
    assert_eq!(other.ask(), [""; 0]);
}

#[test]
fn of_a_private_incident_only_those_hear_who_are_paged_and_those_in_its_own_channel() {
    let mut story = Story::new(reach());
    story.say(Event::PrivacySet(PrivacySet { is_private: true }));
    assert_eq!(story.ask(), ["pagerduty open the incident"]);
    story.arrive();
    story.command();
    assert_eq!(story.ask(), ["pagerduty acknowledge"], "the channel that others open is public");
    let update = StatusUpdate { channels: Channel::ALL.into(), text: "x".into(), ..StatusUpdate::default() };
    assert_eq!(story.reach.posts(&update, &story.incident), []);
    let room = story.reach.open_room(&story.incident).unwrap();
    assert!(matches!(room.act, Act::OpenRoom { is_private: true, .. }));
    story.say(Event::DeliveryQueued(room));
    story.arrive();
    let posts = story.reach.posts(&update, &story.incident);
    let targets: Vec<_> = posts.iter().map(|post| post.target.as_str()).collect();
    assert_eq!(targets, ["inc-4711"]);
}

/// The ways out of an incident.
#[derive(Clone, Copy, Debug, PartialEq)]
enum WayOut {
    Resolved,
    FalseAlarm,
    Backlog,
    Merged,
    Reopened,
}

/// Every way out has its end in every system, once, in the name of somebody whom the system knows, and nothing of it is asked for twice.
#[test]
fn every_way_out_ends_the_incident_in_every_system() {
    let one = |service: &str| tracker(service, Place::One(service.into())).unwrap();
    let mut all = reach();
    all.trackers.extend([PAGERDUTY_EVENTS, GRAFANA, WEBHOOK].map(one));
    for way in [WayOut::Resolved, WayOut::FalseAlarm, WayOut::Backlog, WayOut::Merged, WayOut::Reopened] {
        let mut story = Story::new(all.clone());
        story.ask();
        story.arrive();
        story.command();
        story.ask();
        story.arrive();
        let update = StatusUpdate { channels: Channel::ALL.into(), text: "we look".into(), ..StatusUpdate::default() };
        for post in story.reach.posts(&update, &story.incident) {
            story.say(Event::DeliveryQueued(post));
        }
        story.arrive();
        story.ask();
        story.arrive();
        let phase = |phase, outcome| PhaseEntered {
            outcome,
            reason: Some("a test of the alarm".into()),
            final_status: (phase == Phase::Resolved).then(|| "all payments work".into()),
            ..PhaseEntered::plain(phase)
        };
        let steps = match way {
            WayOut::Resolved => vec![phase(Phase::Resolved, None), phase(Phase::Closed, None)],
            WayOut::FalseAlarm => vec![phase(Phase::Closed, Some(Outcome::FalseAlarm))],
            WayOut::Backlog => vec![phase(Phase::Closed, Some(Outcome::Backlog))],
            WayOut::Merged => vec![phase(Phase::Closed, Some(Outcome::Merged(IncidentId::incident(2))))],
            // The second end is an end, too, though its words are the same.
            WayOut::Reopened => vec![
                phase(Phase::Resolved, None),
                phase(Phase::Closed, None),
                phase(Phase::Triage, None),
                phase(Phase::Resolved, None),
                phase(Phase::Closed, None),
            ],
        };
        for step in steps {
            story.say(Event::PhaseEntered(step));
            for _ in 0..2 {
                story.ask();
                story.arrive();
            }
        }
        let ends = |service: &str, act: &dyn Fn(&Act) -> bool| {
            let of = story.incident.deliveries.iter().filter(|known| *known.body.service == *service);
            of.filter(|known| act(&known.body.act) && matches!(known.state, DeliveryState::Sent(_))).count()
        };
        let times = if way == WayOut::Reopened { 2 } else { 1 };
        for service in [PAGERDUTY, PAGERDUTY_EVENTS, JIRA, GRAFANA, WEBHOOK] {
            assert_eq!(ends(service, &|act| *act == Act::Resolve), times, "{way:?} in {service}");
        }
        let is_end = |act: &Act| matches!(act, Act::Publish(said) if said.status == PageStatus::Resolved);
        // The internal page by itself; what customers read waits for somebody's word.
        assert_eq!(ends(STATUSPAGE, &is_end), times, "{way:?}");
        let held: Vec<_> = story.incident.undelivered().map(|known| (known.body.channel, known.state.word())).collect();
        assert_eq!(held, [(Some(Channel::ExternalPage), "YOUR WORD")], "{way:?}");
        assert_eq!(story.incident.unsent(), ["external page (statuspage) YOUR WORD"]);
        let by = story.incident.deliveries.iter().filter(|known| known.body.act == Act::Resolve);
        let by: Vec<_> = by.filter(|known| *known.body.service == *PAGERDUTY).collect();
        let sender = |known: &&Delivery| all.sender(known, &story.incident);
        assert!(by.iter().all(|known| sender(known).as_deref() == Some("dana@qr.example")), "{way:?}");
    }
}

/// What changes in an incident is asked for once in every system that has it, and that can be told.
#[test]
fn every_change_of_an_incident_is_told_to_every_system_that_has_it() {
    let one = |service: &str| tracker(service, Place::One(service.into())).unwrap();
    let mut all = reach();
    all.trackers.extend([PAGERDUTY_EVENTS, GRAFANA, WEBHOOK].map(one));
    let trackers = [PAGERDUTY, PAGERDUTY_EVENTS, JIRA, GRAFANA, WEBHOOK];
    let title = Event::TitleSet(TitleSet { title: "p99 over 9 s".into() });
    let worse = Event::SeverityRaised(SeveritySet { to: Severity::Sev0, reason: None });
    let phase = |phase| {
        let final_status = (phase == Phase::Resolved).then(|| "all payments work".into());
        Event::PhaseEntered(PhaseEntered { final_status, reason: Some("x".into()), ..PhaseEntered::plain(phase) })
    };
    let table: [(Vec<Event>, &str, &[&str]); 4] = [
        (vec![title], "title and severity", &trackers),
        (vec![worse], "title and severity", &trackers),
        // The region of Grafana goes on to its next end; Jira's ticket was not done yet.
        (vec![phase(Phase::Resolved), phase(Phase::Triage)], "reopen", &[PAGERDUTY, PAGERDUTY_EVENTS, WEBHOOK]),
        (
            vec![phase(Phase::Resolved), phase(Phase::Closed), phase(Phase::Triage)],
            "reopen",
            &[PAGERDUTY, PAGERDUTY_EVENTS, JIRA, WEBHOOK],
        ),
    ];
    for (events, words, services) in table {
        let mut story = Story::new(all.clone());
        story.ask();
        story.arrive();
        story.command();
        for _ in 0..3 {
            story.ask();
            story.arrive();
        }
        let mut asked = Vec::new();
        for event in events {
            story.say(event);
            asked = story.ask();
            story.arrive();
        }
        let mut told: Vec<_> = services.iter().map(|service| format!("{service} {words}")).collect();
        let mut of_words: Vec<_> = asked.into_iter().filter(|one| one.ends_with(words)).collect();
        told.sort();
        of_words.sort();
        assert_eq!(of_words, told);
    }
}

#[test]
fn in_whose_name_something_is_done_is_looked_up_when_it_is_sent() {
    let mut story = Story::new(Reach { people: Vec::new(), ..reach() });
    story.ask();
    story.arrive();
    story.command();
    story.ask();
    let known = |act: &dyn Fn(&Act) -> bool| {
        let mut all = story.incident.deliveries.iter().filter(|known| *known.body.service == *PAGERDUTY);
        all.find(|known| act(&known.body.act)).unwrap()
    };
    let (open, mine) = (known(&|act| matches!(act, Act::Open(_))), known(&|act| *act == Act::Acknowledge));
    let nobody = &story.reach;
    assert_eq!((nobody.sender(open, &story.incident), nobody.sender(mine, &story.incident)), (None, None));
    let stands_in = Reach { stands_in: Some("oncall@qr.example".into()), ..story.reach.clone() };
    assert_eq!(stands_in.sender(open, &story.incident).as_deref(), Some("oncall@qr.example"));
    assert_eq!(stands_in.sender(mine, &story.incident), None, "it would be given to whoever that is");
    let said = stands_in.signed(open, &story.incident, "fails".into());
    assert!(said.starts_with("Declared by dana, of whom no address is known here."), "{said}");
    // The address was written down in the meantime.
    let corrected = reach();
    for delivery in [open, mine] {
        assert_eq!(corrected.sender(delivery, &story.incident).as_deref(), Some("dana@qr.example"));
    }
    assert_eq!(corrected.signed(open, &story.incident, "fails".into()).as_str(), "fails");
}

#[test]
fn what_a_duplicate_shares_with_the_record_that_goes_on_stays_open_for_it() {
    let (mut survivor, mut duplicate) = (Story::new(reach()), Story::new(reach()));
    for story in [&mut survivor, &mut duplicate] {
        story.ask();
        story.arrive();
        story.command();
        story.ask();
        story.arrive();
    }
    // In this test every system names everything alike: all that both have is shared.
    let keeps = survivor.incident.shared_with(&duplicate.incident);
    assert_eq!(keeps.len(), 1);
    let merged = PhaseEntered {
        outcome: Some(Outcome::Merged(IncidentId::incident(2))),
        keeps,
        ..PhaseEntered::plain(Phase::Closed)
    };
    duplicate.say(Event::PhaseEntered(merged));
    let asked = duplicate.ask();
    assert!(asked.iter().all(|what| !what.ends_with(" resolve")), "{asked:?}");
}

#[test]
fn a_dry_run_asks_for_nothing_and_says_what_it_holds_back() {
    let mut story = Story::new(Reach { is_dry: true, ..reach() });
    story.command();
    let update = StatusUpdate { channels: Channel::ALL.into(), text: "x".into(), ..StatusUpdate::default() };
    assert_eq!((story.ask(), story.reach.posts(&update, &story.incident)), (Vec::new(), Vec::new()));
    assert_eq!(story.reach.leads(Channel::StatusSlack, &story.incident), None, "it is told by hand");
    story.say(Event::StatusUpdatePosted(update));
    let held: Vec<_> = story.reach.held_back(&story.incident).into_iter().map(|body| body.service).collect();
    let wet = Reach { is_dry: false, ..story.reach.clone() };
    assert_eq!(held.len(), wet.missing(&story.incident).len() + wet.routes.len(), "{held:?}");
    assert!(wet.held_back(&story.incident).is_empty());
}

#[test]
fn lines_that_do_not_fit_into_one_text_go_as_several_and_none_is_cut() {
    let mut story = Story::new(Reach { trackers: reach().trackers[1..].to_vec(), ..Reach::default() });
    story.ask();
    story.arrive();
    let text = "x".repeat(3_000);
    for _ in 0..20 {
        story.say(Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: text.as_str().into(), at: None }));
    }
    let mut lines = BTreeSet::new();
    while !story.ask().is_empty() {
        let last = story.incident.deliveries.last().unwrap();
        assert!(last.words(&story.incident).len() <= MOST_LETTERS + 3_000);
        let Act::Note(part) = &last.body.act else { panic!("{last:?}") };
        assert!(lines.is_disjoint(part), "each goes once");
        lines.extend(part.clone());
        story.arrive();
    }
    assert_eq!(lines.len(), 20);
}

#[test]
fn a_drill_asks_for_the_same_and_lets_nothing_out() {
    let mut story = Story::new(reach());
    story.say(Event::DrillStarted(DrillStarted {
        exercise: "alipay-timeout-storm".into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: None,
        staging: None,
    }));
    story.say(Event::AlertLinked(AlertLinked {
        fingerprint: "f".into(),
        name: "HighErrorRate".into(),
        starts_at: at(0),
        labels: BTreeMap::new(),
    }));
    assert_eq!(story.ask(), ["pagerduty open the incident", "jira open the incident"]);
    story.command();
    story.ask();
    let update = StatusUpdate { channels: Channel::ALL.into(), text: "x".into(), ..StatusUpdate::default() };
    for post in story.reach.posts(&update, &story.incident) {
        story.say(Event::DeliveryQueued(post));
    }
    assert_eq!(story.incident.undelivered().count(), 0);
    assert!(story.incident.deliveries.len() >= 6, "what would have gone out can be read");
}

#[test]
fn when_the_channel_was_lost_another_one_may_be_opened_and_gets_all_that_the_first_one_had() {
    let mut story = Story::new(reach());
    story.ask();
    story.arrive();
    story.command();
    story.ask();
    story.arrive();
    let room = story.reach.open_room(&story.incident).unwrap();
    story.say(Event::DeliveryQueued(room.clone()));
    story.arrive();
    let is_of_room = |words: &String| ["topic", "pinned", "invite"].iter().any(|part| words.contains(part));
    let first: Vec<_> = story.ask().into_iter().filter(is_of_room).collect();
    assert_eq!(first, ["slack topic", "slack pinned status", "slack invite U12345678"]);
    story.arrive();
    assert!(story.incident.is_asked(&room), "one is enough");
    // Somebody archives it: the next text fails.
    let update =
        StatusUpdate { channels: [Channel::IncidentChannel].into(), text: "x".into(), ..StatusUpdate::default() };
    let post = story.reach.posts(&update, &story.incident).pop().unwrap();
    story.say(Event::DeliveryQueued(post));
    let place = story.incident.deliveries.len() - 1;
    story.settle(place, DeliveryState::Sending);
    story.settle(place, DeliveryState::Failed { why: "is_archived".into() });
    assert!(story.incident.is_room_lost(&room) && !story.incident.is_asked(&room));
    story.say(Event::DeliveryQueued(room.clone()));
    assert!(story.incident.is_asked(&room), "one that is being opened is enough, too");
    story.arrive();
    assert_eq!(story.incident.made(&room, Thing::Pinned), None, "what is pinned there is pinned there");
    assert_eq!(story.ask().into_iter().filter(is_of_room).collect::<Vec<_>>(), first);
}

#[test]
fn who_can_be_paged_is_paged_and_who_cannot_is_named_with_the_number() {
    let mut known = reach();
    let leila = Person { name: "Leila Sadeghi".into(), phone: Some("+49 30 1".into()), ..Person::default() };
    known.people.push(leila);
    let mut story = Story::new(known);
    story.ask();
    story.arrive();
    let names = ["dana".into(), "Leila Sadeghi".into(), "eve".into()];
    let paged = story.reach.page(&names, &story.incident).unwrap();
    assert_eq!(paged.act, Act::Page(["dana@qr.example".into()].into()));
    assert_eq!(
        story.reach.not_paged(&names),
        ["Leila Sadeghi (call +49 30 1)", "eve (write `email` or `phone` into [[people]])"]
    );
    assert_eq!(story.reach.page(&names[1..], &story.incident), None);
}

#[test]
fn a_channel_that_somebody_opened_is_linked_and_has_all_that_an_own_one_has() {
    let mut story = Story::new(Reach { trackers: Vec::new(), ..reach() });
    story.say(Event::DeliveryQueued(story.reach.adopt_room("payments-war", &story.incident).unwrap()));
    assert!(!story.ask().iter().any(|words| words.contains("channel")), "none is looked for besides");
    story.arrive();
    let asked = story.ask();
    assert!(
        asked.iter().any(|words| words == "slack topic") && asked.iter().any(|words| words == "slack pinned status")
    );
    story.say(Event::PrivacySet(PrivacySet { is_private: true }));
    let other = story.reach.adopt_room("other", &story.incident).unwrap();
    assert!(matches!(other.act, Act::AdoptRoom { is_private: true, .. }));
    let none = Reach { rooms: None, ..reach() };
    assert_eq!(none.adopt_room("payments-war", &story.incident), None);
}

#[test]
fn a_text_that_did_not_go_out_is_offered_where_the_configuration_has_it_now_with_what_is_different() {
    let mut story = Story::new(Reach { trackers: Vec::new(), rooms: None, ..reach() });
    let update = StatusUpdate {
        channels: [Channel::ExternalPage, Channel::StatusSlack].into(),
        text: "payments fail".into(),
        ..StatusUpdate::default()
    };
    for post in story.reach.posts(&update, &story.incident) {
        story.say(Event::DeliveryQueued(post));
    }
    let offered = |story: &Story| -> Vec<Option<String>> {
        let all = story.incident.deliveries.iter();
        all.map(|one| story.reach.as_of_now(one, &story.incident).map(|(_, changed)| changed)).collect()
    };
    assert_eq!(offered(&story), [None, None], "nothing is different");
    let page = story.incident.deliveries.iter().position(|one| *one.body.service == *STATUSPAGE).unwrap();
    let chat = 1 - page;
    for parts in story.reach.components.values_mut().flat_map(|parts| parts.values_mut()) {
        *parts = "c7".into();
    }
    let route = story.reach.routes.iter_mut().find(|route| route.channel == Channel::StatusSlack).unwrap();
    let before = std::mem::replace(&mut route.target, "C777777777".into());
    let now = offered(&story);
    assert_eq!(now[page].as_deref(), Some("about c7, not c1"));
    assert_eq!(now[chat].as_deref(), Some(format!("to slack C777777777, not slack {before}").as_str()));
    let (body, _) = story.reach.as_of_now(&story.incident.deliveries[page], &story.incident).unwrap();
    assert_eq!(body.text, story.incident.deliveries[page].body.text, "the text is the one that was approved");
    story.arrive();
    assert_eq!(offered(&story), [None, None], "what is there stays there");
}

#[test]
fn what_stands_before_the_number_of_a_channel_is_said_once_and_pagerduty_s_number_is_the_one() {
    for (prefix, number, expected) in [
        ("inc-", "INC-101", "inc-101"),
        ("inc-", "4711", "inc-4711"),
        ("INC-", "inc-7", "inc-7"),
        ("p-", "INC-7", "p-inc-7"),
    ] {
        let rooms = Some(Rooms { prefix: prefix.into(), is_private: false });
        let mut story = Story::new(Reach { rooms, ..reach() });
        story.ask();
        let remote = Remote { id: "R".into(), name: Some(number.into()), ..Remote::default() };
        story.settle(0, DeliveryState::Sending);
        story.settle(0, DeliveryState::Sent(remote));
        assert_eq!(story.reach.room_name(&story.incident).as_deref(), Some(expected), "{prefix} {number}");
    }
    let story = Story::new(Reach { trackers: Vec::new(), ..reach() });
    assert_eq!(story.reach.room_name(&story.incident).as_deref(), Some("inc-1"), "without one, the record's own");
}
