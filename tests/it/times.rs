//! Clocks in the middle of an incident: summer time, a clock that is set, a night of suspend, a console whose clock is off.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use warroom::clock::Watch;
use warroom::incident::when::{self, Side};
use warroom::incident::{
    Asking, Channel, ClockJumped, ClockSkewed, Command, Declared, Duty, Entry, Event, FollowUpSet, Hlc, ImpactAt,
    Incident, NoteAdded, NoteKind, Plain, PostmortemScheduled, Role, RoleNamed, Severity, StatusUpdate, TaskAssigned,
    Urgency, command,
};

use crate::support::room::{INC, Room, at, declaration, due_of, entry, seat};

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// An incident of a zone: declared a minute after its alert fired, acknowledged two minutes after that.
fn in_zone(zone: &str, detected: DateTime<Utc>) -> Room {
    let mut room = Room::blank();
    let body = Declared { zone: zone.into(), detected_at: Some(detected), ..declaration(Severity::Sev1) };
    let ask = |room: &mut Room, minutes, command| {
        room.ask_at("dana", detected + TimeDelta::minutes(minutes), command).unwrap();
    };
    ask(&mut room, 1, Command::Declare(body));
    ask(&mut room, 2, Command::TakeRole(seat(Role::IncidentCommander)));
    ask(&mut room, 3, Command::Acknowledge);
    room
}

#[test]
fn countdowns_and_durations_are_right_though_the_clocks_are_changed_meanwhile() {
    for detected in ["2026-10-25T00:50:00Z", "2027-03-28T00:50:00Z"] {
        // Ten minutes later Berlin's clocks go back an hour, in spring forth.
        let detected = utc(detected);
        let minutes = |minutes| detected + TimeDelta::minutes(minutes);
        let mut room = in_zone("Europe/Berlin", detected);
        let update = Duty::Update(Channel::StatusSlack);
        assert_eq!(room.due(&update).unwrap().due, minutes(18));
        assert_eq!(room.due(&update).unwrap().left(minutes(8)), TimeDelta::minutes(10));
        assert_eq!(room.due(&update).unwrap().urgency(minutes(18)), Urgency::Overdue);
        let told = StatusUpdate {
            channels: [Channel::StatusSlack].into(),
            text: "still on it".into(),
            ..StatusUpdate::default()
        };
        room.ask_at("dana", minutes(9), Command::PostUpdate(told)).unwrap();
        assert_eq!(room.due(&update).unwrap().due, minutes(24), "a quarter of an hour is one on both sides");
        assert_eq!(room.incident.time_to_acknowledge(), Some(TimeDelta::minutes(3)));
        assert_eq!(room.incident.elapsed(minutes(40)), Some(TimeDelta::minutes(40)));
        let resolve = Command::Resolve {
            proof: Vec::new(),
            final_status: "payments flow".into(),
            reason: Some("seen by eye".into()),
        };
        room.ask_at("dana", minutes(45), resolve).unwrap();
        assert_eq!(room.incident.elapsed(minutes(600)), Some(TimeDelta::minutes(45)));
        let schedule = |at| Command::SchedulePostmortem(PostmortemScheduled { at, owner: "dana".into(), reason: None });
        let last = minutes(45) + TimeDelta::hours(48);
        let late = room.ask_at("dana", minutes(50), schedule(last + TimeDelta::minutes(1))).unwrap_err();
        let local = last.with_timezone(&chrono_tz::Europe::Berlin).format("%Y-%m-%d %H:%M %Z").to_string();
        assert!(late.to_string().contains(&local), "{late} must name {local}");
        room.ask_at("dana", minutes(50), schedule(last)).unwrap();
    }
}

#[test]
fn the_day_of_a_follow_up_ends_at_midnight_of_the_incidents_zone() {
    for (zone, detected, due, end) in [
        ("Europe/Berlin", "2026-10-24T08:00:00Z", "2026-10-24", "2026-10-24T22:00:00Z"),
        // The day on which the clocks go back has 25 hours.
        ("Europe/Berlin", "2026-10-24T08:00:00Z", "2026-10-25", "2026-10-25T23:00:00Z"),
        ("Europe/Berlin", "2027-03-27T08:00:00Z", "2027-03-28", "2027-03-28T22:00:00Z"),
        ("UTC", "2026-10-24T08:00:00Z", "2026-10-25", "2026-10-26T00:00:00Z"),
        ("Asia/Tehran", "2026-10-24T08:00:00Z", "2026-10-25", "2026-10-25T20:30:00Z"),
        // In Cairo summer time begins at midnight: the day after begins at one o'clock.
        ("Africa/Cairo", "2026-04-22T08:00:00Z", "2026-04-23", "2026-04-23T22:00:00Z"),
        // And ends at midnight: the last hour of the day comes twice, and both are the day's.
        ("Africa/Cairo", "2026-10-28T08:00:00Z", "2026-10-29", "2026-10-29T22:00:00Z"),
    ] {
        let detected = utc(detected);
        let mut room = in_zone(zone, detected);
        let item = FollowUpSet {
            item: None,
            what: Some("alert on the pool".into()),
            owner: Some("omid".into()),
            due: Some(day(due)),
            state: None,
            reason: None,
        };
        let item = room.ask_at("dana", detected + TimeDelta::minutes(5), Command::SetFollowUp(item)).unwrap();
        let resolve = Command::Resolve {
            proof: Vec::new(),
            final_status: "payments flow".into(),
            reason: Some("seen by eye".into()),
        };
        room.ask_at("dana", detected + TimeDelta::minutes(9), resolve).unwrap();
        let owed = room.due(&Duty::FollowUp(item)).unwrap();
        assert_eq!((owed.due, owed.owner.as_deref()), (utc(end), Some("omid")), "{zone} {due}");
    }
}

#[test]
fn a_time_of_day_is_read_in_the_incidents_zone_on_both_sides_of_the_change() {
    let berlin = chrono_tz::Europe::Berlin;
    for (now, word, read) in [
        ("2026-10-25T00:40:00Z", "02:30", "2026-10-25T00:30:00Z"), // 02:40 CEST: the first of two
        ("2026-10-25T01:40:00Z", "02:30", "2026-10-25T01:30:00Z"), // 02:40 CET: the second
        ("2027-03-28T01:10:00Z", "01:50", "2027-03-28T00:50:00Z"), // 03:10 CEST, written ten minutes ago
    ] {
        let understood = when::read(word, utc(now), berlin, Side::Past).unwrap();
        assert_eq!(understood.at, utc(read), "{word} at {now}");
    }
}

/// An hour ahead until the clock is set right after 400 s: what `c1` wrote before stands an hour later than it was.
fn set_back() -> Vec<Entry> {
    const HOUR: i64 = 3_600;
    let declared = Declared { detected_at: None, ..declaration(Severity::Sev1) };
    let role = RoleNamed {
        role: Role::IncidentCommander,
        component: None,
        holder: "dana".into(),
        reason: None,
        is_played: false,
    };
    let task = TaskAssigned { to: "omid".into(), what: "look at the pool".into(), call_back: at(HOUR + 700) };
    let told =
        StatusUpdate { channels: [Channel::StatusSlack].into(), text: "on it".into(), ..StatusUpdate::default() };
    let note = NoteAdded { kind: NoteKind::Note, text: "deployed".into(), at: Some(at(HOUR + 20)) };
    let mut hlc = Hlc::default();
    let mut place = 0;
    let mut write = |console: &str, seconds, event| {
        (hlc, place) = (hlc.next(at(seconds)), place + 1);
        Entry { hlc, ..entry(1, place, at(seconds), "dana", console, event) }
    };
    let jump = || Event::ClockJumped(ClockJumped { by_ms: -HOUR * 1_000 });
    vec![
        write("c1", HOUR + 60, Event::Declared(declared)),
        write("c1", HOUR + 100, Event::RoleTaken(role)),
        write("c2", HOUR + 110, Event::Acknowledged(Plain {})),
        write("c1", HOUR + 200, Event::NoteAdded(note)),
        write("c1", HOUR + 300, Event::StatusUpdatePosted(told)),
        write("c2", HOUR + 390, Event::TaskAssigned(task)),
        // One machine, one jump; each console that is open on it says so.
        write("c1", 400, jump()),
        write("c2", 401, jump()),
        write("c1", 420, Event::ImpactStarted(ImpactAt { at: at(410), ..Default::default() })),
    ]
}

#[test]
fn a_clock_that_is_set_back_an_hour_makes_no_countdown_late_and_reorders_nothing() {
    let entries = set_back();
    let written: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let one_by_one = entries.iter().cloned().fold(Incident::new(INC), |mut incident, entry| {
        incident.apply([entry]);
        incident
    });
    let incident = Incident::replay(INC, entries.iter().rev().cloned());
    assert_eq!(incident, one_by_one);
    assert_eq!(incident.entries().map(|entry| entry.id).collect::<Vec<_>>(), written);
    assert_eq!(incident.entries().cloned().collect::<Vec<_>>(), entries, "what is on disk stays as it was");
    assert_eq!(incident.declared.as_ref().unwrap().at, at(60));
    assert_eq!(incident.acknowledged.as_ref().unwrap().at, at(110), "of the other console");
    assert_eq!(incident.tasks[0].call_back, at(700));
    assert_eq!(incident.impact.start(), Some(at(410)), "said after the clock was set");
    let due = due_of(&incident, &[]);
    let due = |duty| due.iter().find(|one| one.duty == duty).unwrap().due;
    assert_eq!(due(Duty::Update(Channel::StatusSlack)), at(300 + 900));
    assert_eq!(due(Duty::CallBack(incident.tasks[0].id)), at(700));
    let lines: Vec<_> = incident.timeline().lines().map(|line| (line.at, line.entered)).collect();
    assert_eq!(lines[0], (at(20), at(200)), "the note stands where its writer put it");
    assert!(lines.iter().all(|(_, entered)| *entered <= at(420)), "{lines:?}");
}

#[test]
fn a_clock_that_was_behind_and_is_set_forward_moves_what_was_written_before() {
    let mut entries = Room::commanded(Severity::Sev1).entries;
    entries.push(entry(1, 50, at(700), "dana", "dana", Event::ClockJumped(ClockJumped { by_ms: 60_000 })));
    let incident = Incident::replay(INC, entries.clone());
    assert_eq!(incident.acknowledged.as_ref().unwrap().at, at(160));
    assert_eq!(incident.detected_at, Some(at(0)), "the alert's time is its server's");
    let line = incident.timeline().lines().last().unwrap();
    assert!(line.text.contains("60.0"), "{}", line.text);
    // Set forth and back again: all is as it was.
    entries.push(entry(1, 51, at(710), "dana", "dana", Event::ClockJumped(ClockJumped { by_ms: -60_000 })));
    assert_eq!(Incident::replay(INC, entries).acknowledged.as_ref().unwrap().at, at(100));
}

#[test]
fn times_that_were_typed_at_a_console_three_minutes_ahead_are_right_everywhere_also_after_its_clock_is_set() {
    let mut entries = skewed();
    let c2 = |rseq, wall, event| entry(2, rseq, wall, "omid", "c2", event);
    let task = |call_back| TaskAssigned { to: "dana".into(), what: "call the bank".into(), call_back };
    let note = NoteAdded { kind: NoteKind::Note, text: "deployed".into(), at: Some(at(20) + AHEAD) };
    let told = StatusUpdate {
        channels: [Channel::StatusSlack].into(),
        text: "soon".into(),
        promised_next: Some(at(900) + AHEAD),
        ..StatusUpdate::default()
    };
    entries.extend([
        c2(5, at(220) + AHEAD, Event::NoteAdded(note)),
        c2(6, at(230) + AHEAD, Event::TaskAssigned(task(at(530) + AHEAD))),
        c2(7, at(240) + AHEAD, Event::StatusUpdatePosted(told)),
        c2(8, at(500), Event::ClockJumped(ClockJumped { by_ms: -AHEAD.num_milliseconds() })),
        c2(9, at(510), Event::TaskAssigned(task(at(810)))),
    ]);
    let incident = Incident::replay(INC, entries);
    assert_eq!(incident.tasks.iter().map(|task| task.call_back).collect::<Vec<_>>(), [at(530), at(810)]);
    assert_eq!(incident.tasks[1].assigned.at, at(510), "its clock is right now");
    assert_eq!(incident.updates.last().unwrap().update.promised_next, Some(at(900)));
    assert_eq!(incident.timeline().lines().next().unwrap().at, at(20));
    let line = incident.timeline().lines().find(|line| line.tag == "TASK").unwrap();
    assert!(line.text.contains("20:35"), "what is shown is what counts: {}", line.text);
}

#[test]
fn after_a_night_of_suspend_everything_is_as_late_as_it_is() {
    let room = Room::commanded(Severity::Sev1);
    let night = TimeDelta::hours(8);
    let mut watch = Watch::new(at(120), Duration::from_secs(1_000));
    assert_eq!(watch.check(at(120) + night, Duration::from_secs(1_000 + 8 * 3600)), None, "no jump is recorded");
    let now = at(120) + night;
    let update = room.due(&Duty::Update(Channel::StatusSlack)).unwrap();
    assert_eq!(update.urgency(now), Urgency::Overdue);
    assert_eq!(update.left(now), TimeDelta::seconds(100 + 900 - 120) - night);
    assert_eq!(room.incident.elapsed(now), Some(TimeDelta::seconds(120) + night));
}

const AHEAD: TimeDelta = TimeDelta::minutes(3);

/// Two consoles, of which `c2` is three minutes ahead: who takes command and acknowledges there did so at 100 s and 110 s.
fn skewed() -> Vec<Entry> {
    let role = RoleNamed {
        role: Role::IncidentCommander,
        component: None,
        holder: "omid".into(),
        reason: None,
        is_played: false,
    };
    let told =
        StatusUpdate { channels: [Channel::StatusSlack].into(), text: "on it".into(), ..StatusUpdate::default() };
    let c1 = |rseq, seconds, event| entry(1, rseq, at(seconds), "dana", "c1", event);
    let c2 = |rseq, seconds, event| entry(2, rseq, at(seconds) + AHEAD, "omid", "c2", event);
    vec![
        c1(1, 60, Event::Declared(declaration(Severity::Sev1))),
        c2(1, 100, Event::RoleTaken(role)),
        c2(2, 110, Event::Acknowledged(Plain {})),
        c1(2, 130, Event::ClockSkewed(ClockSkewed { console: "c2".into(), ahead_ms: AHEAD.num_milliseconds() })),
        c2(3, 200, Event::StatusUpdatePosted(told)),
        // c2 finds that c1 is behind; but it is c2 whose clock is off.
        c2(4, 210, Event::ClockSkewed(ClockSkewed { console: "c1".into(), ahead_ms: -AHEAD.num_milliseconds() })),
    ]
}

#[test]
fn what_a_console_wrote_whose_clock_is_three_minutes_ahead_is_read_at_the_time_at_which_it_was() {
    let incident = Incident::replay(INC, skewed());
    assert_eq!(incident.time_to_acknowledge(), Some(TimeDelta::seconds(110)));
    assert_eq!(incident.roles[&seat(Role::IncidentCommander)].at, at(100));
    assert_eq!(incident.declared.as_ref().unwrap().at, at(60), "c1 is right, whatever c2 says");
    assert_eq!(incident.skews.iter().map(|(name, ms)| (name.as_str(), *ms)).collect::<Vec<_>>(), [("c2", 180_000)]);
    let due = due_of(&incident, &[]);
    let update = due.iter().find(|one| one.duty == Duty::Update(Channel::StatusSlack)).unwrap();
    assert_eq!(update.due, at(200 + 900));
    let lines: Vec<_> = incident.timeline().lines().map(|line| (line.at, line.entered)).collect();
    let times = [60, 100, 110, 130, 200, 210].map(|seconds| (at(seconds), at(seconds)));
    assert_eq!(lines, times);
    let shown: Vec<_> = incident.timeline().lines().map(|line| line.text.to_string()).collect();
    assert!(shown.iter().any(|text| text.contains("c2") && text.contains("180")), "the skew is shown: {shown:?}");
    assert_eq!(incident.senseless, 1, "what c2 says of c1");
}

#[test]
fn a_console_that_is_found_off_twice_is_corrected_once() {
    let mut entries = skewed();
    let again = ClockSkewed { console: "c2".into(), ahead_ms: 600_000 };
    entries.push(entry(3, 1, at(300), "li", "c3", Event::ClockSkewed(again)));
    assert_eq!(Incident::replay(INC, entries).time_to_acknowledge(), Some(TimeDelta::seconds(110)));
}

#[test]
fn who_commands_first_by_the_common_order_has_command_though_a_clock_was_off() {
    // The order is everybody's and never changes afterwards; only the times that are shown do.
    let take = |who: &str| {
        let role = Role::IncidentCommander;
        Event::RoleTaken(RoleNamed { role, component: None, holder: who.into(), reason: None, is_played: false })
    };
    let mut entries = skewed();
    entries.push(entry(1, 9, at(105), "dana", "c1", take("dana")));
    let incident = Incident::replay(INC, entries.iter().rev().cloned());
    assert_eq!(incident.holder(Role::IncidentCommander).map(|name| name.as_str()), Some("dana"));
    assert_eq!(incident.beaten.values().map(|mark| mark.by.as_str()).collect::<Vec<_>>(), ["dana"]);
}

#[test]
fn a_console_with_a_clock_a_little_ahead_may_say_now() {
    let room = Room::commanded(Severity::Sev1);
    let ask = |seconds| {
        command::decide(&room.incident, Command::StartImpact(at(seconds)), &Asking::new("dana".into(), at(200)))
    };
    assert!(ask(255).is_ok(), "clocks of two hosts differ a little");
    assert!(ask(300).unwrap_err().to_string().contains("future"));
}

proptest! {
    #[test]
    fn times_are_corrected_in_whatever_order_entries_arrive(shuffle in any::<u64>(), at_once in 1..4_usize) {
        let all = || skewed().into_iter().chain(set_back().into_iter().map(|mut entry| {
            entry.id.rid = 9;
            entry.via.console = format!("set-{}", entry.via.console).as_str().into();
            entry
        }));
        let expected = Incident::replay(INC, all());
        let mut entries: Vec<_> = all().collect();
        let mut state = shuffle | 1;
        for place in (1..entries.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            entries.swap(place, (state >> 33) as usize % (place + 1));
        }
        let mut incident = Incident::new(INC);
        for part in entries.chunks(at_once) {
            incident.apply(part.iter().cloned());
        }
        prop_assert_eq!(&incident, &expected);
        let lines = |incident: &Incident| incident.timeline().lines().map(|line| (line.id, line.at)).collect::<Vec<_>>();
        prop_assert_eq!(lines(&incident), lines(&expected));
    }
}
