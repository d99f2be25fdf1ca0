use proptest::prelude::*;

use super::*;

const BERLIN: Tz = chrono_tz::Europe::Berlin;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Monday, 10:20 in Berlin.
fn now() -> DateTime<Utc> {
    utc("2026-11-30T09:20:00Z")
}

fn line(text: &str) -> (Option<DateTime<Utc>>, String) {
    match leading(text, now(), BERLIN) {
        Leading::Time(when, end) => (Some(when.at), text[end..].trim_start().to_owned()),
        Leading::None => (None, text.to_owned()),
        Leading::Doubt(why) => panic!("{text}: {why}"),
    }
}

#[test]
fn a_line_begins_with_a_time_as_people_write_one() {
    for (text, at, rest) in [
        ("-5m pool full", "2026-11-30T09:15:00Z", "pool full"),
        ("-1h30m pool full", "2026-11-30T07:50:00Z", "pool full"),
        ("-3d pool full", "2026-11-27T09:20:00Z", "pool full"),
        ("−90s pool full", "2026-11-30T09:18:30Z", "pool full"),
        ("10:10 pool full", "2026-11-30T09:10:00Z", "pool full"),
        ("9:10:30 pool full", "2026-11-30T08:10:30Z", "pool full"),
        ("10:21 pool full", "2026-11-30T09:21:00Z", "pool full"),
        ("06:30 CET pool full", "2026-11-30T05:30:00Z", "pool full"),
        ("06:30Z pool full", "2026-11-30T06:30:00Z", "pool full"),
        ("06:30 z pool full", "2026-11-30T05:30:00Z", "z pool full"),
        ("06:30 UTC: pool full", "2026-11-30T06:30:00Z", "pool full"),
        ("06:30 JST pool full", "2026-11-29T21:30:00Z", "pool full"),
        ("06:30 +03:30 pool full", "2026-11-30T03:00:00Z", "pool full"),
        ("06:30 UTC+3 pool full", "2026-11-30T03:30:00Z", "pool full"),
        ("11:30 Asia/Tehran pool full", "2026-11-30T08:00:00Z", "pool full"),
        ("23:50 pool full", "2026-11-29T22:50:00Z", "pool full"),
        ("yesterday 23:50 pool full", "2026-11-29T22:50:00Z", "pool full"),
        ("Yesterday 14:10 pool full", "2026-11-29T13:10:00Z", "pool full"),
        ("today 10:10, pool full", "2026-11-30T09:10:00Z", "pool full"),
        ("2026-11-29 23:50 pool full", "2026-11-29T22:50:00Z", "pool full"),
        ("2026-11-29T23:50:01.123Z ERROR", "2026-11-29T23:50:01Z", "ERROR"),
        ("2026-11-29T23:50:01-0500 ERROR", "2026-11-30T04:50:01Z", "ERROR"),
        ("۱۰:۱۰ صف پر شد", "2026-11-30T09:10:00Z", "صف پر شد"),
        ("١٠:١٠ الصف", "2026-11-30T09:10:00Z", "الصف"),
        ("１０：１０ full", "2026-11-30T09:10:00Z", "full"),
        ("\u{200f}10:10\u{a0}pool", "2026-11-30T09:10:00Z", "pool"),
        ("-۵m pool", "2026-11-30T09:15:00Z", "pool"),
    ] {
        assert_eq!(line(text), (Some(utc(at)), rest.to_owned()), "{text}");
    }
}

#[test]
fn what_is_no_time_begins_a_line_like_any_other_word() {
    for text in [
        "10:1 ratio of errors",
        "100:10 ratio",
        "25:99 no time",
        "12:30-13:00 maintenance",
        "5m users hurt",
        "-5 degrees",
        "-x no",
        "-5m5m twice",
        "- item",
        "yesterday we saw it",
        "2026-11-29 was quiet",
        "2026-13-45 is a ticket",
        "10:10:1 x",
        "10.10 pool",
        "now it works",
        "1:2:3",
        "10:10am pool",
        "",
    ] {
        assert_eq!(line(text), (None, text.to_owned()), "{text}");
    }
}

#[test]
fn what_cannot_be_meant_says_why_and_what_to_write() {
    for (now, text, why) in [
        (
            now(),
            "14:10 x",
            "14:10 is still to come today, it is 10:20 CET: write yesterday 14:10, or the zone, such as 14:10 UTC",
        ),
        (now(), "2026-12-29 23:50 x", "Tue 2026-12-29 23:50 CET lies in the future"),
        (now(), "tomorrow 09:00 x", "tomorrow 09:00 CET lies in the future"),
        (now(), "2026-02-29 10:00 x", "there is no 2026-02-29 in the calendar"),
        (now(), "0000-01-01 10:00 x", "the year 0000 cannot be meant: is it right?"),
        (now(), "2006-11-29 10:00 x", "2006-11-29 is more than ten years away: is the year right?"),
        (now(), "-9999d x", "1999-07-16 is more than ten years away: is the year right?"),
        (now(), "2026-11-29 25:10 x", "`25:10` is no time of day: hours go to 23, minutes and seconds to 59"),
        (now(), "2026-11-29 23:59:60 x", "`23:59:60` is no time of day: hours go to 23, minutes and seconds to 59"),
        (now(), "2026-03-29 02:30 x", "no clock shows 02:30 on 2026-03-29: it is skipped when the clocks go forward"),
        (now(), "06:30 IST x", "IST names several zones: write 06:30 with one such as Asia/Kolkata or +05:30"),
        // On the day itself the time that was skipped is not the one of the day before.
        (
            utc("2026-03-29T06:00:00Z"),
            "02:30 x",
            "no clock shows 02:30 on 2026-03-29: it is skipped when the clocks go forward",
        ),
    ] {
        assert_eq!(leading(text, now, BERLIN), Leading::Doubt(why.to_owned()), "{text}");
    }
}

#[test]
fn an_hour_that_comes_twice_is_the_later_one_that_was_and_says_so() {
    for (now, text, at, remark) in [
        (
            "2026-10-25T03:00:00Z",
            "02:30 x",
            "2026-10-25T01:30:00Z",
            Some("the clock shows it twice that night: write 02:30 CEST for the other"),
        ),
        (
            "2026-10-25T00:40:00Z",
            "02:30 x",
            "2026-10-25T00:30:00Z",
            Some("the clock shows it twice that night: write 02:30 CET for the other"),
        ),
        ("2026-10-25T03:00:00Z", "02:30 CEST x", "2026-10-25T00:30:00Z", None),
        ("2026-10-25T03:00:00Z", "02:30 CET x", "2026-10-25T01:30:00Z", None),
        ("2026-07-01T10:00:00Z", "06:30 CET x", "2026-07-01T04:30:00Z", Some("CEST is in force then, not CET")),
    ] {
        let Leading::Time(when, _) = leading(text, utc(now), BERLIN) else { panic!("{text}") };
        assert_eq!((when.at, when.remark.as_deref()), (utc(at), remark), "{text} at {now}");
    }
}

#[test]
fn a_time_to_come_is_the_next_one_and_asks_for_its_day_when_it_is_far() {
    let read = |text: &str, side| read(text, now(), BERLIN, side).map(|when| when.at.format("%dT%H:%M").to_string());
    for (text, at) in [
        ("5m", "30T09:25"),
        ("+1h30m", "30T10:50"),
        ("14:10", "30T13:10"),
        ("tomorrow 09:00", "01T08:00"),
        ("09:00 tomorrow", "01T08:00"),
        ("2026-12-02 10:00", "02T09:00"),
    ] {
        assert_eq!(read(text, Side::Coming), Ok(at.to_owned()), "{text}");
    }
    let far = "10:10 was earlier today, it is 10:20 CET: write tomorrow 10:10, or the zone, such as 10:10 UTC";
    assert_eq!(read("10:10", Side::Coming), Err(NotATime(far.to_owned())));
    assert_eq!(read("-5m", Side::Coming), Err(NotATime("10:15 CET is past".to_owned())));
    assert_eq!(read("10:10", Side::Next), Ok("01T09:10".to_owned()), "who only asks gets the next one");
    assert_eq!(read("2026-11-09", Side::Next), Ok("08T23:00".to_owned()), "and any day");
    let both = "`5m` could be before or after now: write -5m for so long ago";
    assert_eq!(read("5m", Side::Past), Err(NotATime(both.to_owned())));
    let none = "`noon` is no time: write now, -5m, 14:10, 06:30 CET, yesterday 23:50, or 2026-11-29 23:50";
    assert_eq!(read("noon", Side::Past), Err(NotATime(none.to_owned())));
    assert_eq!(read("now", Side::Past), Ok("30T09:20".to_owned()));
    assert!(read("14:10 and more", Side::Coming).is_err());
}

#[test]
fn a_moment_is_said_with_its_day_and_zone_where_that_is_not_plain() {
    let words = |text: &str| {
        let Leading::Time(when, _) = leading(text, now(), BERLIN) else { panic!("{text}") };
        (when.beside(now(), BERLIN), when.words(now(), BERLIN), when.is_telling(now(), BERLIN))
    };
    let said = |beside: &str, words: &str, is_telling| (beside.to_owned(), words.to_owned(), is_telling);
    assert_eq!(words("10:10 x"), said("10:10", "10:10 CET", false));
    assert_eq!(words("23:50 x"), said("yesterday 23:50 CET", "yesterday 23:50 CET", true));
    assert_eq!(words("06:30 UTC x"), said("07:30 CET", "07:30 CET", true));
    assert_eq!(words("2026-11-22 23:50 x"), said("Sun 2026-11-22 23:50 CET", "Sun 2026-11-22 23:50 CET", false));
    assert_eq!(words("-3d x"), said("Fri 2026-11-27 10:20 CET", "Fri 2026-11-27 10:20 CET", true));
}

proptest! {
    #[test]
    fn a_time_without_a_day_is_never_far_and_never_ahead(
        seconds in 1_700_000_000_i64..1_900_000_000, hour in 0..24_u32, minute in 0..60_u32,
        zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        if let Leading::Time(when, _) = leading(&format!("{hour:02}:{minute:02} x"), now, zone) {
            let local = when.at.with_timezone(&zone);
            // It is the minute that was written, or nothing.
            prop_assert_eq!(local.format("%H:%M").to_string(), format!("{:02}:{:02}", hour, minute));
            prop_assert!(when.at <= now + CLOCK_GRACE && now - when.at < TimeDelta::hours(24));
        }
    }

    #[test]
    fn a_moment_written_whole_is_read_back(
        seconds in 1_700_000_000_i64..1_790_000_000, zone in prop::sample::select(&chrono_tz::TZ_VARIANTS[..]),
    ) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let local = at.with_timezone(&zone);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let exact = read(&local.to_rfc3339(), now, zone, Side::Past).unwrap();
        prop_assert_eq!(exact.at, at);
        let written = read(&local.format("%Y-%m-%d %H:%M:%S").to_string(), now, zone, Side::Past).unwrap();
        prop_assert!(written.at == at || written.remark.is_some(), "an hour that comes twice says so");
    }

    #[test]
    fn any_line_is_read_without_a_panic(text in "(\\PC|[-+0-9:.TZ ,]){0,40}", seconds in 0..4_000_000_000_i64) {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        if let Leading::Time(_, end) = leading(&text, now, BERLIN) {
            prop_assert!(text.is_char_boundary(end));
        }
        for side in [Side::Past, Side::Coming, Side::Next, Side::Any] {
            let _ = read(&text, now, BERLIN, side);
        }
    }
}
