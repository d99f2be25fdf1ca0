//! `warroom oncall`: who is on call, who is next, and how to reach them.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{Ending, print};
use crate::config::{Config, sample};
use crate::incident::when::{self, Side};
use crate::oncall::{Person, Watch, in_words, known_as};
use crate::run::clock;

/// Prints who is on call and who is next; without a rotation it fails, and says how to write one.
pub(super) fn oncall(config: &Config, json: bool, at: Option<&str>) -> Result<ExitCode, Ending> {
    let now = clock::wall();
    let zone = config.rotation.as_ref().map_or(config.zone.0, |rotation| rotation.zone);
    let asked = at.map(|text| when::read(text, now, zone, Side::Next)).transpose();
    let asked = asked.map_err(|why| Ending::Usage(why.to_string()))?.map(|when| when.at);
    let at = asked.unwrap_or(now);
    let Some(rotation) = &config.rotation else {
        if json {
            print(&json!({ "at": at, "on_call": null, "next": null }).to_string())?;
        }
        return Err(Ending::Failure(format!(
            "no on-call rotation is configured: `warroom config path` names the file, and these lines are a rotation\n\n{}",
            sample("[oncall]", "[escalation]").trim_end()
        )));
    };
    if json {
        let (on_call, next) = (rotation.on_call(at), rotation.next(at));
        let watch = |watch: &Option<Watch>| watch.as_ref().map(|watch| in_json(watch, &config.people));
        return print(&json!({ "at": at, "on_call": watch(&on_call), "next": watch(&next) }).to_string());
    }
    let which = asked.map(|at| format!("at        {}\n", at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M %Z")));
    let which = which.unwrap_or_default();
    print(format!("{which}{}", in_words(rotation, at, Some(&config.people))).trim_end())
}

fn in_json(watch: &Watch, people: &[Person]) -> Value {
    let known = known_as(people, &watch.person);
    let person = known.first().copied().cloned().unwrap_or_default();
    json!({
        "shift": watch.shift, "person": watch.person, "phone": person.phone, "slack": person.slack, "email": person.email,
        "from": watch.from, "until": watch.until, "stands_in_for": watch.stands_in_for, "reason": watch.reason,
    })
}
