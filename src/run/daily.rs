//! Doctor by itself: once a day beside the start screen, and at the start of a drill, so that a token that lost a scope is known before the night.
//!
//! Hides that what was found is kept beside the log: since when something is wrong is known, and nobody is asked twice a day.
//!
//! Invariant: nothing is changed anywhere, nobody waits for it, and what is not asked now says when it was.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::doctor::{self, Patient};
use super::{Plan, records};
use crate::checkup::{Finding, Verdict};
use crate::clock;
use crate::console::Msg;
use crate::text::{CleanStr, CleanText};

/// Nobody is asked more often, but for a drill.
const DAY: TimeDelta = TimeDelta::hours(24);
/// The file beside the log.
const FILE: &str = "doctor.json";

/// What was found last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Known {
    /// When everybody was asked.
    at: DateTime<Utc>,
    /// What was wrong, by what was looked at.
    wrong: BTreeMap<CleanStr, Wrong>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wrong {
    /// Since when that is known.
    since: DateTime<Utc>,
    /// Why, and the way out.
    why: CleanStr,
}

/// What makes doctor look by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// A console starts: once a day.
    Start,
    /// A drill begins, from the command line, by a key or in line mode: each time.
    Drill,
}

/// Looks by itself, if it is time; what is wrong goes to the console as a sentence.
pub(super) fn check_up(plan: &Plan, occasion: Occasion, back: mpsc::Sender<Msg>) {
    let is_drill = occasion == Occasion::Drill;
    if plan.endpoints.is_empty() && plan.channels.is_empty() {
        return;
    }
    let (journal, folders, zone) = (plan.journal.clone(), plan.playbooks.clone(), plan.settings.zone);
    let file = plan.log.parent().unwrap_or(&plan.log).join(FILE);
    let patient = Patient {
        sources: plan.endpoints.clone(),
        channels: plan.channels.clone(),
        options: plan.channel_options.clone(),
        reach: plan.settings.reach.clone(),
        catalogue: Default::default(),
        on_call: None,
    };
    // It reads files, runs programs that print secrets, and waits for every system: on a thread of its own.
    tokio::task::spawn_blocking(move || {
        let before = known(&file);
        let now = clock::wall();
        if let Some(before) =
            before.as_ref().filter(|known| !is_drill && (TimeDelta::zero()..DAY).contains(&(now - known.at)))
        {
            return say(before, now, zone, &back);
        }
        let patient = Patient { catalogue: records::catalogue(&journal, &folders), ..patient };
        let Ok(findings) = doctor::examine(&patient) else { return };
        let known = found(before, &findings, clock::wall());
        keep(&file, &known);
        say(&known, known.at, zone, &back);
    });
}

fn known(file: &PathBuf) -> Option<Known> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// That it cannot be kept costs no more than another look tomorrow.
fn keep(file: &PathBuf, known: &Known) {
    let text = serde_json::to_vec(known).unwrap_or_default();
    if let Err(error) = std::fs::write(file, text) {
        tracing::warn!("what doctor found is not kept: {error}");
    }
}

fn say(known: &Known, now: DateTime<Utc>, zone: Tz, back: &mpsc::Sender<Msg>) {
    if let Some(sentence) = sentence(known, now, zone) {
        // A console that is leaving reads nothing.
        let _ = back.blocking_send(Msg::Remark(CleanText::new(&sentence)));
    }
}

/// What is wrong now; what was wrong before is so since then.
fn found(before: Option<Known>, findings: &[Finding], now: DateTime<Utc>) -> Known {
    let before = before.map(|known| known.wrong).unwrap_or_default();
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).map(|finding| {
        let since = before.get(&finding.what).map_or(now, |known| known.since);
        (finding.what.clone(), Wrong { since, why: finding.why.clone() })
    });
    Known { at: now, wrong: wrong.collect() }
}

/// The newest thing that is wrong, and how many there are besides.
fn sentence(known: &Known, now: DateTime<Utc>, zone: Tz) -> Option<String> {
    let (what, wrong) = known.wrong.iter().max_by_key(|(_, wrong)| wrong.since)?;
    let since = match now - wrong.since {
        short if short < DAY => String::new(),
        short if short < DAY * 7 => format!(" since {}", wrong.since.with_timezone(&zone).format("%A")),
        _ => format!(" since {}", wrong.since.with_timezone(&zone).format("%b %-d")),
    };
    let more = match known.wrong.len() - 1 {
        0 => String::new(),
        count => format!(" · {count} more"),
    };
    let asked = match now - known.at {
        short if short < TimeDelta::minutes(1) => String::new(),
        _ => format!(", asked at {}", known.at.with_timezone(&zone).format("%H:%M")),
    };
    Some(format!("{what}{since}: {}{more} (warroom doctor{asked})", wrong.why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        // A Tuesday.
        DateTime::parse_from_rfc3339("2026-11-24T10:00:00Z").unwrap().with_timezone(&Utc) + TimeDelta::hours(hours)
    }

    #[test]
    fn what_is_wrong_says_since_when_and_is_forgotten_when_it_is_right_again() {
        let wrong = |what: &str| Finding::wrong(what, "the token lacks it");
        let first = found(None, &[wrong("slack: scope pins:write"), Finding::fine("jira", "")], at(0));
        assert_eq!(
            sentence(&first, at(0), Tz::UTC).unwrap(),
            "slack: scope pins:write: the token lacks it (warroom doctor)"
        );
        let later = found(Some(first), &[wrong("slack: scope pins:write")], at(50));
        assert_eq!(
            sentence(&later, at(53), Tz::UTC).unwrap(),
            "slack: scope pins:write since Tuesday: the token lacks it (warroom doctor, asked at 12:00)"
        );
        let more = found(Some(later), &[wrong("slack: scope pins:write"), wrong("jira: signed in")], at(75));
        assert_eq!(
            sentence(&more, at(75), Tz::UTC).unwrap(),
            "jira: signed in: the token lacks it · 1 more (warroom doctor)"
        );
        let well = found(Some(more), &[Finding::doubtful("slack", "x")], at(99));
        assert_eq!(sentence(&well, at(99), Tz::UTC), None);
    }
}
