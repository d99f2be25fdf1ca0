//! Updates at another pace, decisions that were cut short, and lines that nobody wrote.

use super::*;

const HOUR: i64 = 3600;

fn slower(room: &mut Room, seconds: i64, every: i64) {
    let every = TimeDelta::seconds(every);
    room.ask("dana", seconds, Command::SetCadence(every, Some("overnight".into()))).unwrap();
}

fn due(room: &Room, channel: Channel) -> DateTime<Utc> {
    let all = cadence::obligations(&room.incident, Rules { cadence: &Cadence::default(), tell: &[] });
    all.iter().find(|one| one.duty == Duty::Update(channel)).map(|one| one.due).unwrap()
}

#[test]
fn hourly_from_now_on_counts_from_the_last_update_in_clocks_and_measures() {
    let mut room = Room::declared();
    room.command_and_acknowledge(0);
    let all = [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage];
    room.ask("dana", 600, Command::PostUpdate(update(&all, None))).unwrap();
    assert_eq!(due(&room, Channel::StatusSlack), at(600 + 900));
    slower(&mut room, 700, HOUR);
    assert_eq!(due(&room, Channel::StatusSlack), at(600 + HOUR));
    assert_eq!(room.incident.cadence(&Cadence::default()).update, TimeDelta::hours(1), "what the next text promises");
    room.ask("dana", 600 + HOUR - 60, Command::PostUpdate(update(&all, None))).unwrap();
    let kept = measures::measures(&room.incident, &Cadence::default(), at(600 + 2 * HOUR - 120)).cadence;
    assert!(kept.iter().all(|one| one.owed == one.kept), "{kept:?}");
    // Faster again: from the change on, not from an update that is long past.
    slower(&mut room, 600 + 2 * HOUR - 180, 600);
    assert_eq!(due(&room, Channel::StatusSlack), at(600 + 2 * HOUR - 180 + 600));
}

#[test]
fn what_was_overdue_when_the_pace_changed_stays_overdue() {
    let mut room = Room::declared();
    room.command_and_acknowledge(0);
    slower(&mut room, 1000, HOUR);
    assert_eq!(due(&room, Channel::StatusSlack), at(900));
    let kept = measures::measures(&room.incident, &Cadence::default(), at(5000)).cadence;
    let slack = kept.iter().find(|one| one.channel == Channel::StatusSlack).unwrap();
    // Due at 900, then an hour later.
    assert_eq!((slack.owed, slack.kept), (2, 0));
}

#[test]
fn the_pace_is_the_commanders_wants_a_reason_and_has_limits() {
    let mut room = Room::declared();
    room.command_and_acknowledge(0);
    let every =
        |minutes: i64, reason: Option<&str>| Command::SetCadence(TimeDelta::minutes(minutes), reason.map(Into::into));
    assert_eq!(
        room.refusal("leila", 10, every(60, Some("x"))),
        "the Incident Commander changes the pace: that is dana"
    );
    assert_eq!(room.refusal("dana", 10, every(60, None)), "an update every 1 h 00 min from now on wants a reason");
    assert_eq!(room.refusal("dana", 10, every(1, Some("x"))), "updates are due every 5m to 24h: write 1h");
}

#[test]
fn no_objections_are_recorded_for_the_whole_time_or_with_who_cut_it_after_how_long() {
    let decided = |seconds: i64, reason: Option<&str>| {
        let mut room = Room::declared();
        room.command_and_acknowledge(0);
        let body = DecisionProposed {
            action: "use the backup".into(),
            risk: "fees".into(),
            undo: "route back".into(),
            plan_b: None,
            until: at(160),
        };
        room.ask("leila", 100, Command::Propose(body)).unwrap();
        let decision = room.incident.decisions[0].id;
        room.ask("dana", seconds, Command::Decide { decision, go: true, reason: reason.map(Into::into) }).unwrap();
        let lines: Vec<_> = room.incident.timeline().lines().collect();
        lines.last().unwrap().text.to_string()
    };
    assert!(decided(161, None).contains("; no objections"), "{}", decided(161, None));
    assert!(!decided(161, None).contains("cut it short"));
    let early = decided(119, Some("the bank closes"));
    assert!(early.contains("no objections in 19 s, dana cut it short of 60 s"), "{early}");
}

#[test]
fn what_a_machine_found_out_carries_its_name_and_not_that_of_whoever_sat_there() {
    let mut room = Room::declared();
    let skew = Event::ClockSkewed(ClockSkewed { console: "other".into(), ahead_ms: 3000 });
    let mut found = entry(7, 1, 200, "dana", skew);
    found.via.host = "bastion-1".into();
    room.incident.apply([found, entry(7, 2, 201, "dana", Event::NoteAdded(note("by hand")))]);
    room.incident.apply([entry(8, 1, 202, "omid", Event::ClockJumped(ClockJumped { by_ms: 5 }))]);
    let authors: Vec<_> = room.incident.timeline().lines().map(|line| line.actor.to_string()).collect();
    assert_eq!(authors, ["dana", "warroom on bastion-1", "dana", "warroom"]);
}
