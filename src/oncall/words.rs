//! Who is on call, in words for a person who must reach them.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::{Person, Rotation, Watch, known_as};

/// Which end of a watch is of interest, and how far away it is.
enum Side {
    From(TimeDelta),
    Until(TimeDelta),
}

/// Who is on call at a moment and who is next, with the ways to reach them where there are people given.
pub fn in_words(rotation: &Rotation, at: DateTime<Utc>, people: Option<&[Person]>) -> String {
    let mut out = String::new();
    match rotation.on_call(at) {
        Some(watch) => tell(&mut out, "on call", &watch, Side::Until(watch.until - at), rotation.zone, people),
        None => out += "on call   nobody: the rotation has not begun\n",
    }
    match rotation.next(at) {
        Some(watch) => tell(&mut out, "next", &watch, Side::From(watch.from - at), rotation.zone, people),
        None => out += "next      nobody\n",
    }
    out
}

fn tell(out: &mut String, what: &str, watch: &Watch, side: Side, zone: Tz, people: Option<&[Person]>) {
    let time = |at: DateTime<Utc>| at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z").to_string();
    let when = match side {
        Side::From(away) => format!("from {} (in {})", time(watch.from), roughly(away)),
        Side::Until(left) => format!("until {} ({} left)", time(watch.until), roughly(left)),
    };
    let shift = watch.shift.as_ref().map_or_else(String::new, |shift| format!(", {shift}"));
    let _ = writeln!(out, "{what:<9} {}{shift}, {when}", watch.person);
    if let Some(other) = &watch.stands_in_for {
        let reason = watch.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let _ = writeln!(out, "          stands in for {other}{reason}");
    }
    let Some(people) = people else { return };
    let ways = match known_as(people, &watch.person).first() {
        None => "not recorded: no [[people]] of the configuration has this name".to_owned(),
        Some(person) => ways(person),
    };
    let _ = writeln!(out, "          {ways}");
}

fn ways(person: &Person) -> String {
    let phone = person.phone.as_ref().map_or_else(|| "phone not recorded".to_owned(), |phone| format!("phone {phone}"));
    let more = [("slack", &person.slack), ("mail", &person.email)];
    let more = more.into_iter().filter_map(|(what, how)| how.as_ref().map(|how| format!(", {what} {how}")));
    more.fold(phone, |all, one| all + &one)
}

fn roughly(time: TimeDelta) -> String {
    let (days, hours, minutes) = (time.num_days(), time.num_hours() % 24, time.num_minutes() % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}
