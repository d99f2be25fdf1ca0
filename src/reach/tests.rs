use std::collections::BTreeMap;

use super::*;
use crate::incident::tests::{at, entry};
use crate::incident::{
    AlertLinked, Declared, DeliveryMoved, Entry, FollowUpSet, ForeignNoted, IncidentId, NoteAdded, NoteKind,
    PhaseEntered, Plain, PrivacySet, Remote, RoleNamed,
};

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
            Tracker {
                service: PAGERDUTY.into(),
                place: Place::Of(BTreeMap::from([("alipay".into(), "PALIPAY".into())])),
            },
            Tracker { service: JIRA.into(), place: Place::One("OPS".into()) },
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
        assert_eq!(self.reach.missing(&self.incident), [], "what was asked for is not asked for again");
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
                let remote = Remote { id: "R".into(), name: Some("4711".into()), link: None };
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
fn another_incident_of_pagerduty_is_merged_once_and_only_if_it_was_told_of() {
    let mut story = Story::new(reach());
    story.ask();
    story.arrive();
    assert_eq!(story.reach.merge("4712", "dana", &story.incident), None);
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
    assert_eq!(story.reach.merge("4713", "dana", &story.incident), None, "that is a line of the log");
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
    assert_eq!(story.ask(), ["jira a line of the timeline", "jira resolve"]);
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
        assert_eq!(story.ask(), [""; 0], "while one is on its way the others wait for it");
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

#[test]
fn a_drill_and_a_dry_run_ask_for_the_same_and_let_nothing_out() {
    let mut story = Story::new(Reach { is_dry: true, ..reach() });
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
