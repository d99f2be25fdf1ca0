//! A breach as it was measured: how bad it was, and when it was over.
//!
//! Hides that the proof is fine and short, the chart coarse and long, and that the headline may have seen what neither of them sampled.
//!
//! Invariant: an end is called seen only where the last bad and the first good moment lie next to each other; what lies in a gap is two moments.

use chrono::{DateTime, TimeDelta, Utc};

use super::NOT_YET;
use crate::live::{Panel, Scope};
use crate::slo::{Absent, Measured, Objective};
use crate::text::CleanStr;

/// Moments that lie closer than this have nothing between them, however fine an objective is sampled.
const CLOSE: TimeDelta = TimeDelta::seconds(45);

/// The worst value of a breach so far.
#[derive(Clone, Debug, PartialEq)]
struct Peaked {
    value: f64,
    series: CleanStr,
    at: DateTime<Utc>,
}

/// What was seen of a breach while it lasted.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// Since when it lasts.
    pub since: DateTime<Utc>,
    /// The newest moment that was seen.
    until: DateTime<Utc>,
    /// The newest moment that was seen to be broken.
    broken: DateTime<Utc>,
    has_gap: bool,
    worst: Option<Peaked>,
}

impl Course {
    /// A breach of which nothing was seen yet.
    pub fn new(since: DateTime<Utc>) -> Self {
        Self { since, until: since, broken: since, has_gap: false, worst: None }
    }

    /// Takes in what a panel shows: the chart first, because it reaches furthest back.
    pub fn see(&mut self, panel: &Panel, objective: &Objective) {
        for scope in [Scope::Chart, Scope::Proof, Scope::Now] {
            if let Some(measured) = panel.measured(scope) {
                self.take(measured, objective);
            }
        }
    }

    fn take(&mut self, measured: &Measured, objective: &Objective) {
        let reach = near(measured);
        for place in 0..measured.grid.len {
            let at = measured.grid.at(place);
            // The worst of all series is looked for only where it counts: a chart of a day reaches far back before most breaches.
            let Some(worst) = (at >= self.since).then(|| measured.worst_at(objective, place)).flatten() else {
                continue;
            };
            let is_broken = objective.is_broken_by(worst.value) == Some(true);
            // What comes after the end is no gap of the breach.
            if at > self.until {
                self.has_gap |= is_broken && at - self.until > reach;
                self.until = at;
            }
            if !is_broken {
                continue;
            }
            self.broken = self.broken.max(at);
            let badness = |value: f64| objective.side.badness(value);
            if self.worst.as_ref().is_none_or(|known| badness(worst.value) > badness(known.value)) {
                let series = CleanStr::new(worst.whose().unwrap_or_default());
                self.worst = Some(Peaked { value: worst.value, series, at });
            }
        }
    }

    /// The worst value, whose it was, when, and whether parts of the time were not measured.
    pub fn worst(&self) -> Option<(f64, &CleanStr, DateTime<Utc>, bool)> {
        self.worst.as_ref().map(|worst| (worst.value, &worst.series, worst.at, self.has_gap))
    }
}

/// When a breach was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// The first moment at which it was well.
    pub ended: DateTime<Utc>,
    /// Where that was not seen: the last moment at which it was known to be broken.
    pub after: Option<DateTime<Utc>>,
}

/// Two samples at most so far apart have nothing between them.
fn near(measured: &Measured) -> TimeDelta {
    (measured.grid.resolution * (NOT_YET + 1)).max(CLOSE)
}

/// When a breach was over, by what a panel shows; nothing where that shows no good moment after it.
pub fn over(course: &Course, panel: &Panel, objective: &Objective) -> Option<Over> {
    // The finer answer and the one that reaches further may both show a good moment after the last bad one: the earlier counts.
    let found = [Scope::Proof, Scope::Chart].into_iter().filter_map(|scope| {
        let measured = panel.measured(scope).filter(|measured| measured.partial.is_empty())?;
        Some((first_good(measured, objective, course.broken)?, near(measured)))
    });
    let (ended, reach) = found.min()?;
    let is_seen = ended - course.broken <= reach;
    Some(Over { ended, after: (!is_seen).then_some(course.broken) })
}

/// The first moment after another at which an objective is inside its limit.
fn first_good(measured: &Measured, objective: &Objective, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let grid = &measured.grid;
    (0..grid.len).filter(|place| grid.at(*place) > after).find_map(|place| {
        let is_good = match measured.worst_at(objective, place) {
            Some(worst) => objective.is_broken_by(worst.value) == Some(false),
            None => objective.absent == Absent::Met,
        };
        is_good.then(|| grid.at(place))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Read;
    use crate::slo::tests::counted;
    use crate::slo::{Grid, Series};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn answer(start: i64, step: i64, values: &[Option<f64>]) -> Read {
        let grid = Grid { start: at(start), resolution: TimeDelta::seconds(step), len: values.len() };
        let series = vec![Series { name: "pod=a".into(), values: values.to_vec() }];
        Read { at: Some(at(0)), measured: Some(Measured::over(grid, series, "x")), problem: None }
    }

    fn panel(proof: Read, chart: Read) -> Panel {
        let mut panel = Panel::of("prometheus");
        panel.reads[Scope::Proof as usize] = proof;
        panel.reads[Scope::Chart as usize] = chart;
        panel
    }

    fn seen(panel: &Panel, absent: Absent) -> (Course, Option<Over>) {
        let mut course = Course::new(at(0));
        course.see(panel, &counted(absent));
        let over = over(&course, panel, &counted(absent));
        (course, over)
    }

    const BAD: Option<f64> = Some(2.0);
    const GOOD: Option<f64> = Some(0.5);

    #[test]
    fn a_breach_is_over_at_the_first_good_moment_with_its_worst_value_and_series() {
        let panel = panel(answer(0, 15, &[BAD, Some(7.0), BAD, GOOD, GOOD]), Read::default());
        let (course, over) = seen(&panel, Absent::Unknown);
        assert_eq!(over, Some(Over { ended: at(45), after: None }));
        assert_eq!(course.worst(), Some((7.0, &"pod=a".into(), at(15), false)));
    }

    #[test]
    fn an_end_in_a_gap_is_two_moments_and_a_gap_in_the_breach_is_said_of_its_worst_value() {
        let gap = [BAD, None, None, None, None, None, BAD, None, None, None, None, None, GOOD, GOOD];
        let panel = panel(answer(0, 15, &gap), Read::default());
        let (course, over) = seen(&panel, Absent::Unknown);
        assert_eq!(over, Some(Over { ended: at(180), after: Some(at(90)) }));
        assert_eq!(course.worst(), Some((2.0, &"pod=a".into(), at(0), true)));
        // Where no series means that all is well there is no gap.
        assert_eq!(seen(&panel, Absent::Met).1, Some(Over { ended: at(105), after: None }));
    }

    #[test]
    fn an_end_before_the_proof_began_is_read_off_the_chart_and_the_last_bad_moment_of_either_counts() {
        let chart = answer(0, 60, &[BAD, BAD, Some(9.0), GOOD, GOOD, GOOD, GOOD]);
        let calm = panel(answer(300, 15, &[GOOD; 5]), chart.clone());
        let (course, over) = seen(&calm, Absent::Unknown);
        assert_eq!(over, Some(Over { ended: at(180), after: None }));
        assert_eq!(course.worst().unwrap().0, 9.0);
        let again = panel(answer(300, 15, &[GOOD, GOOD, BAD]), chart);
        assert_eq!(seen(&again, Absent::Unknown).1, Some(Over { ended: at(360), after: None }));
    }

    #[test]
    fn what_no_answer_reaches_back_to_ended_nobody_knows_when() {
        let panel = panel(answer(7_000, 15, &[GOOD; 40]), answer(4_000, 60, &[GOOD; 60]));
        assert_eq!(seen(&panel, Absent::Unknown).1, Some(Over { ended: at(4_000), after: Some(at(0)) }));
    }
}
