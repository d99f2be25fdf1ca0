//! What is known of one objective: the answers to its questions, each with its own age and its own failure.
//!
//! Hides that an objective is asked in four ways: for its value at this moment, for the stretch that proves it is well again, for its chart, and for
//! how fast it burns its budget.
//!
//! Invariant: an answer says nothing about another question: the headline is never read off the chart, and no proof off either.

use chrono::{DateTime, Utc};

use super::{Live, SIMULATED, SourceName};
use crate::slo::{Absent, Lasting, Measured, Objective, ObjectiveId, Worst};
use crate::text::CleanStr;

/// The sources that measure objectives.
pub const MEASURING: [SourceName; 2] = ["prometheus", SIMULATED];

/// What an objective is asked: each is a query of its own, and fails alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Its value at this moment.
    Now,
    /// The stretch over which it must have been well, at its own resolution.
    Proof,
    /// The chart, as fine as there is room.
    Chart,
    /// How fast its budget burns.
    Burn,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Now, Self::Proof, Self::Chart, Self::Burn];
}

/// The answer to one question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    /// When it came.
    pub at: Option<DateTime<Utc>>,
    /// What it was; absent if none ever came.
    pub measured: Option<Measured>,
    /// Why the last try failed, if it did.
    pub problem: Option<CleanStr>,
}

/// What an objective showed last.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Who said it.
    pub source: SourceName,
    /// The answers, in the order of [`Scope::ALL`].
    pub reads: [Read; 4],
}

/// How an objective stands at this moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing<'a> {
    /// Nobody was asked: there is no source, or it was not told yet.
    NotAsked,
    /// Somebody was asked and has not answered.
    Unanswered {
        /// When.
        since: DateTime<Utc>,
    },
    /// The question failed: why.
    Failed(&'a CleanStr),
    /// It was answered with no series at all.
    Empty,
    /// There are series, and none of them has a value that says anything: the value that came, if one did.
    NoValue(Option<Worst<'a>>),
    /// Inside; without a value where no series means that.
    Met(Option<Worst<'a>>),
    /// Outside.
    Breached {
        /// The worst value.
        worst: Worst<'a>,
        /// Since when, as far as is known.
        lasting: Lasting,
    },
}

impl<'a> Standing<'a> {
    /// Whether the promise is kept; absent where nothing can be said.
    pub fn is_kept(&self) -> Option<bool> {
        match self {
            Self::Met(_) => Some(true),
            Self::Breached { .. } => Some(false),
            Self::NotAsked | Self::Unanswered { .. } | Self::Failed(_) | Self::Empty | Self::NoValue(_) => None,
        }
    }

    /// The worst value of this moment.
    pub fn worst(&self) -> Option<Worst<'a>> {
        match self {
            Self::Met(worst) | Self::NoValue(worst) => *worst,
            Self::Breached { worst, .. } => Some(*worst),
            Self::NotAsked | Self::Unanswered { .. } | Self::Failed(_) | Self::Empty => None,
        }
    }
}

impl Panel {
    /// A panel of a source, without any answer.
    pub fn of(source: SourceName) -> Self {
        Self { source, reads: Default::default() }
    }

    /// The answer to one question.
    pub fn read(&self, scope: Scope) -> &Read {
        &self.reads[scope as usize]
    }

    /// What was measured when one question was answered last.
    pub fn measured(&self, scope: Scope) -> Option<&Measured> {
        self.read(scope).measured.as_ref()
    }

    /// How the objective stands, by the answer about this moment: whether that is still of this moment is [`Live::panel_freshness`]'s to say.
    pub fn standing<'a>(&'a self, objective: &Objective) -> Standing<'a> {
        let now = self.read(Scope::Now);
        let Some(measured) = &now.measured else {
            return now.problem.as_ref().map_or(Standing::NotAsked, Standing::Failed);
        };
        let Some(worst) = measured.worst_at(objective, 0) else {
            return match (objective.absent, measured.series.is_empty()) {
                (Absent::Met, true) => Standing::Met(None),
                (Absent::Unknown, true) => Standing::Empty,
                (_, false) => Standing::NoValue(None),
            };
        };
        match objective.is_broken_by(worst.value) {
            None => Standing::NoValue(Some(worst)),
            // It is at least this, and nobody knows how much more.
            Some(false) if worst.is_beyond && objective.side.is_more_worse() => Standing::NoValue(Some(worst)),
            Some(false) => Standing::Met(Some(worst)),
            Some(true) => Standing::Breached { worst, lasting: self.broken_since(objective, measured.grid.start) },
        }
    }

    /// Since when a breach of this moment lasts: by the proof, which is fine, and beyond it by the chart, which reaches far.
    fn broken_since(&self, objective: &Objective, now: DateTime<Utc>) -> Lasting {
        let by = |scope| self.measured(scope).and_then(|measured| measured.broken_since(objective));
        match (by(Scope::Proof), by(Scope::Chart)) {
            (Some(proof), _) if !proof.at_least => proof,
            // The chart reaches further, and may know of a gap that the proof does not.
            (Some(proof), Some(chart)) if chart.since <= proof.since => Lasting {
                unknown: chart.unknown.or(proof.unknown),
                at_least: chart.at_least || proof.unknown.is_some(),
                ..chart
            },
            (Some(proof), Some(_) | None) => proof,
            (None, Some(chart)) => chart,
            (None, None) => Lasting { since: now, at_least: true, unknown: None },
        }
    }
}

impl Live {
    /// How an objective stands at this moment.
    pub fn standing<'a>(&'a self, id: &ObjectiveId, objective: &Objective) -> Standing<'a> {
        let standing = self.panels.get(id).map_or(Standing::NotAsked, |panel| panel.standing(objective));
        if standing != Standing::NotAsked {
            return standing;
        }
        let mut measuring = MEASURING.iter().filter_map(|name| self.sources.get(name)).peekable();
        let is_there = measuring.peek().is_some();
        match measuring.find_map(|health| health.failing.as_ref()) {
            Some((_, why)) => Standing::Failed(why),
            None => match self.asked_at.filter(|_| is_there) {
                Some(since) => Standing::Unanswered { since },
                None => Standing::NotAsked,
            },
        }
    }

    pub(super) fn take_read(
        &mut self,
        id: ObjectiveId,
        scope: Scope,
        read: Result<Measured, CleanStr>,
        source: SourceName,
        now: DateTime<Utc>,
    ) {
        let panel = self.panels.entry(id).or_insert_with(|| Panel::of(source));
        panel.source = source;
        let known = &mut panel.reads[scope as usize];
        match read {
            Ok(measured) => *known = Read { at: Some(now), measured: Some(measured), problem: None },
            Err(problem) => known.problem = Some(problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::live::{Finding, Health, Report};
    use crate::slo::tests::counted;
    use crate::slo::{Grid, Lasting, Series};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).expect("a time")
    }

    fn id() -> ObjectiveId {
        ObjectiveId { service: "alipay".into(), objective: "x".into() }
    }

    fn over(end: i64, step: i64, values: &[Option<f64>]) -> Measured {
        let resolution = TimeDelta::seconds(step);
        let grid = Grid { start: at(end) - resolution * (values.len() as i32 - 1), resolution, len: values.len() };
        Measured::over(grid, vec![Series { name: "".into(), values: values.to_vec() }], "x")
    }

    fn tell(live: &mut Live, finding: Finding) {
        live.take(Report { source: "prometheus", generation: live.generation, finding }, at(0));
    }

    #[test]
    fn not_asked_asked_failed_empty_and_without_a_value_are_five_things() {
        let (unknown, met) = (counted(Absent::Unknown), counted(Absent::Met));
        let mut live = Live::default();
        assert_eq!(live.standing(&id(), &unknown), Standing::NotAsked);
        tell(&mut live, Finding::Ready { place: "x".into(), every: TimeDelta::seconds(15) });
        live.ask(1, at(-5));
        assert_eq!(live.standing(&id(), &unknown), Standing::Unanswered { since: at(-5) });
        tell(&mut live, Finding::Unmeasured(id(), Scope::Now, "refused".into()));
        assert_eq!(live.standing(&id(), &unknown), Standing::Failed(&"refused".into()));
        let none = Measured::over(Grid { start: at(0), resolution: TimeDelta::seconds(1), len: 1 }, Vec::new(), "x");
        tell(&mut live, Finding::Measured(id(), Scope::Now, Box::new(none)));
        assert_eq!(live.standing(&id(), &unknown), Standing::Empty);
        assert_eq!(live.standing(&id(), &met), Standing::Met(None), "nothing is well where the playbook says so");
        tell(&mut live, Finding::Measured(id(), Scope::Now, Box::new(over(0, 1, &[Some(f64::NAN)]))));
        assert!(matches!(live.standing(&id(), &met), Standing::NoValue(Some(_))));
        let Health { failing, .. } = &live.sources["prometheus"];
        assert_eq!(*failing, None, "one question that fails is no source that does");
    }

    #[test]
    fn a_headline_is_of_now_and_a_breach_began_where_the_proof_and_beyond_it_the_chart_say() {
        let slo = counted(Absent::Unknown);
        let mut live = Live::default();
        let mut says = |scope, measured| tell(&mut live, Finding::Measured(id(), scope, Box::new(measured)));
        // A point each ten minutes: that of the breach is not among them.
        says(Scope::Chart, over(0, 600, &[Some(0.1); 6]));
        says(Scope::Proof, over(0, 15, &[Some(0.1), Some(2.0), Some(2.0)]));
        says(Scope::Now, over(3, 1, &[Some(7.0)]));
        let worst = Worst { value: 7.0, name: Some(&"".into()), is_beyond: false };
        let breached =
            |since, at_least| Standing::Breached { worst, lasting: Lasting { since, at_least, unknown: None } };
        assert_eq!(live.standing(&id(), &slo), breached(at(-15), false));
        let mut says = |scope, measured| tell(&mut live, Finding::Measured(id(), scope, Box::new(measured)));
        says(Scope::Proof, over(0, 15, &[Some(2.0); 3]));
        says(Scope::Chart, over(0, 600, &[Some(0.1), Some(3.0), Some(3.0)]));
        assert_eq!(live.standing(&id(), &slo), breached(at(-600), false));
    }

    #[test]
    fn a_quantile_beyond_its_buckets_is_over_a_limit_below_and_nobody_knows_of_one_above() {
        let slo = Objective { target: 5.0, ..counted(Absent::Unknown) };
        let mut live = Live::default();
        let measured = Measured { ceiling: Some(10.0), ..over(0, 1, &[Some(10.0)]) };
        tell(&mut live, Finding::Measured(id(), Scope::Now, Box::new(measured)));
        assert!(matches!(live.standing(&id(), &slo), Standing::Breached { .. }));
        let loose = Objective { target: 15.0, ..slo };
        assert!(matches!(live.standing(&id(), &loose), Standing::NoValue(Some(worst)) if worst.is_beyond));
    }
}
