//! The alerts of an exercise: what a Prometheus with one rule an objective would fire.
//!
//! Hides the evaluation: each tick an objective is looked at as its chart's first series shows it; what stays broken for a minute fires.
//!
//! Invariant: an alert is a function of exercise, seed, ticked steps and the time since the drill began; the alert with which the exercise opens fired when its file says.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::World;
use super::requests::TICK;
use crate::alert::{Alert, AlertState, Judged, NAME_LABEL, Rules, fingerprint};
use crate::live::WatchedObjective;
use crate::slo::{Grid, Objective, ObjectiveId, ObjectiveKind, Side};
use crate::text::CleanStr;

/// For how long an objective must be broken.
const FOR: TimeDelta = TimeDelta::seconds(60);
/// A breach is not followed further back than this.
const LONGEST: TimeDelta = TimeDelta::hours(12);

impl World {
    /// The alerts on some objectives that are firing or pending at a moment, under the name of who reports them.
    pub fn alerts(&self, source: &'static str, watched: &[WatchedObjective], now: DateTime<Utc>) -> Vec<Alert> {
        let start = self.course.start();
        // The exercise opens with the alert on what broke first; one that opens before anything is broken opens with none.
        let opening = watched
            .iter()
            .filter(|one| one.id.service == self.exercise.service)
            .filter_map(|one| Some((self.broken_since(one, start.min(now))?, &one.id)))
            .min();
        let fired = start - TimeDelta::from(self.exercise.opening.fired);
        let alert = |one: &WatchedObjective| {
            let since = self.broken_since(one, now)?;
            let is_opening = opening == Some((since, &one.id));
            let starts_at = if is_opening { fired } else { since + FOR };
            let name = if is_opening { self.exercise.opening.alert.clone() } else { rule(&one.id) };
            let labels = labels(&name, one);
            Some(Alert {
                source,
                fingerprint: fingerprint(labels.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
                name,
                labels,
                annotations: BTreeMap::from([(CleanStr::new("summary"), summary(one))]),
                state: if starts_at <= now { AlertState::Firing } else { AlertState::Pending },
                starts_at,
                generator_url: None,
                value: None,
                judged: Judged::default(),
            })
        };
        let rules = Rules::default();
        watched.iter().filter_map(alert).map(|alert| rules.judge(alert)).collect()
    }

    /// Since when an objective is broken, if it is.
    fn broken_since(&self, watched: &WatchedObjective, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let resolution = TimeDelta::milliseconds(TICK);
        let first = self.course.start() + self.exercise.first_fault() - FOR;
        let from = self.course.tick(first.max(now - LONGEST));
        let len = usize::try_from(self.course.tick(now) - from + 1).ok()?;
        let start = self.course.start() + TimeDelta::milliseconds(from * TICK);
        let grid = Grid { start, resolution, len };
        let values = self.first_series(watched, grid, now);
        let is_broken =
            |value: &Option<f64>| value.and_then(|value| watched.objective.is_broken_by(value)) == Some(true);
        let broken = values.iter().rev().take_while(|value| is_broken(value)).count();
        (broken > 0).then(|| grid.at(len - broken))
    }
}

fn labels(name: &CleanStr, watched: &WatchedObjective) -> BTreeMap<CleanStr, CleanStr> {
    // A ratio is what customers feel; a threshold is where one looks.
    let severity = match watched.objective.kind {
        ObjectiveKind::Ratio => "critical",
        ObjectiveKind::Threshold => "warning",
    };
    [
        (NAME_LABEL, name.as_str()),
        ("objective", &watched.id.objective),
        ("service", &watched.id.service),
        ("severity", severity),
    ]
    .map(|(key, value)| (CleanStr::new(key), CleanStr::new(value)))
    .into()
}

/// `alipay/error-ratio` becomes `AlipayErrorRatio`.
fn rule(id: &ObjectiveId) -> CleanStr {
    let words = id.service.split(['-', '_', '.']).chain(id.objective.split(['-', '_', '.']));
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    CleanStr::from(words.filter_map(capital).collect::<String>())
}

fn summary(watched: &WatchedObjective) -> CleanStr {
    let Objective { title, side, .. } = &watched.objective;
    let words = match side {
        Side::Below | Side::AtMost => watched.objective.limit_beside(None, "above"),
        Side::Above | Side::AtLeast => watched.objective.limit_beside(None, "below"),
        Side::Between { .. } => watched.objective.limit_beside(None, "not between"),
        Side::Equal(_) => watched.objective.limit_beside(None, "not"),
    };
    format!("{title} of {} is {words}", watched.id.service).into()
}
