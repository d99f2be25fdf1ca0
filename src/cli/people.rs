//! `warroom oncall`: who is on call, who is next, and how to reach them.

use std::fmt::Write;
use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::answers::moment;
use super::{Ending, print};
use crate::config::{Config, sample};
use crate::oncall::{Person, Watch, known_as};
use crate::run::clock;

/// Prints who is on call and who is next; without a rotation it fails, and says how to write one.
pub(super) fn oncall(config: &Config, json: bool, at: Option<&str>) -> Result<ExitCode, Ending> {
    let now = clock::wall();
    let zone = config.rotation.as_ref().map_or(config.zone.0, |rotation| rotation.zone);
    let at = at.map_or(Ok(now), |text| moment(text, now, zone)).map_err(Ending::Usage)?;
    let Some(rotation) = &config.rotation else {
        if json {
            print(&json!({ "at": at, "on_call": null, "next": null }).to_string())?;
        }
        return Err(Ending::Failure(format!(
            "no on-call rotation is configured: `warroom config path` names the file, and these lines are a rotation\n\n{}",
            sample("[oncall]", "[escalation]").trim_end()
        )));
    };
    let (on_call, next) = (rotation.on_call(at), rotation.next(at));
    if json {
        let watch = |watch: &Option<Watch>| watch.as_ref().map(|watch| in_json(watch, &config.people));
        return print(&json!({ "at": at, "on_call": watch(&on_call), "next": watch(&next) }).to_string());
    }
    let mut out = String::new();
    match &on_call {
        Some(watch) => tell(&mut out, "on call", watch, Side::Until(watch.until - at), zone, &config.people),
        None => out += "on call   nobody: the rotation has not begun\n",
    }
    match &next {
        Some(watch) => tell(&mut out, "next", watch, Side::From(watch.from - at), zone, &config.people),
        None => out += "next      nobody\n",
    }
    print(out.trim_end())
}

/// Which end of a watch is of interest, and how far away it is.
enum Side {
    From(TimeDelta),
    Until(TimeDelta),
}

fn tell(out: &mut String, what: &str, watch: &Watch, side: Side, zone: Tz, people: &[Person]) {
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

fn in_json(watch: &Watch, people: &[Person]) -> Value {
    let known = known_as(people, &watch.person);
    let person = known.first().copied().cloned().unwrap_or_default();
    json!({
        "shift": watch.shift, "person": watch.person, "phone": person.phone, "slack": person.slack, "email": person.email,
        "from": watch.from, "until": watch.until, "stands_in_for": watch.stands_in_for, "reason": watch.reason,
    })
}
