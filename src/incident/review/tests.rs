use super::*;
use crate::incident::tests::{Room, at};

fn resolved() -> Room {
    let mut room = Room::declared();
    room.ask("dana", 70, Command::TakeRole(Seat { role: Role::IncidentCommander, component: None })).unwrap();
    room.ask("dana", 80, Command::Acknowledge).unwrap();
    let resolve = Command::Resolve { proof: Vec::new(), final_status: "fine".into(), reason: Some("by eye".into()) };
    room.ask("dana", 900, resolve).unwrap();
    room
}

#[test]
fn the_proposed_slot_lies_inside_48_hours_on_a_weekday_by_day() {
    let room = resolved();
    // Thursday evening: Friday at ten.
    let slot = review_slot(&room.incident, TimeDelta::hours(48), at(1000)).unwrap();
    assert_eq!(slot.to_rfc3339(), "2026-05-29T10:00:00+00:00");
    assert_eq!(review_slot(&room.incident, TimeDelta::hours(48), at(900 + 48 * 3600)), None, "too late to propose");
    assert_eq!(review_slot(&Room::declared().incident, TimeDelta::hours(48), at(1000)), None, "not resolved");
}

#[test]
fn the_calendar_is_folded_escaped_and_in_utc() {
    let mut room = resolved();
    let title = "支付宝 gateway; answers 504, from two of three addresses and one more, said \\ support";
    room.ask("dana", 950, Command::SetTitle(title.into())).unwrap();
    let body = PostmortemScheduled { at: at(40_000), owner: "dana".into(), reason: None };
    room.ask("dana", 960, Command::SchedulePostmortem(body)).unwrap();
    let text =
        review_calendar(&room.incident, review_slot(&room.incident, TimeDelta::hours(48), at(990)).unwrap(), at(1000));
    assert!(text.ends_with("END:VCALENDAR\r\n") && text.split("\r\n").all(|line| line.len() <= 75), "{text}");
    assert!(text.matches('\n').count() == text.matches("\r\n").count());
    let unfolded = text.replace("\r\n ", "");
    for line in [
        "UID:INC-42-0000000000000001-postmortem@warroom",
        "DTSTAMP:20260528T204320Z",
        "DTSTART:20260529T073320Z",
        "DTEND:20260529T083320Z",
        "STATUS:CONFIRMED",
        "SUMMARY:Postmortem INC-42: 支付宝 gateway\\; answers 504\\, from two of three addresses and one more\\, said \\\\ support",
    ] {
        assert!(unfolded.contains(&format!("{line}\r\n")), "{line}\n{unfolded}");
    }
    assert!(unfolded.contains("\\nOwner: dana"));
}
