//! What was wrong, from when until when: the alerts and objectives of an incident as its record tells them.
//!
//! Hides that every console may notice the same: the first in the common order counts, the others leave no line.
//!
//! Invariant: of one alert or objective at most one symptom lasts at a time; one that comes back is another symptom.

use std::fmt;

use super::measures::spoken;
use super::*;

/// A stretch of time in which an alert fired or an objective was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// Of what.
    pub of: SymptomOf,
    /// How people call it.
    pub title: CleanStr,
    /// Since when.
    pub since: DateTime<Utc>,
    /// It may have begun before that.
    pub at_least: bool,
    /// How it ended, where that is in the record.
    pub over: Option<SymptomEnded>,
}

/// How long a symptom lasted, as far as it was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasted {
    /// At least so long.
    pub least: TimeDelta,
    /// At most so long; absent where its beginning was not seen.
    pub most: Option<TimeDelta>,
}

impl fmt::Display for Lasted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.most {
            Some(most) if most == self.least => out.write_str(&spoken(most)),
            Some(most) if self.least.num_seconds() == 0 => write!(out, "at most {}", spoken(most)),
            Some(most) => write!(out, "between {} and {}", spoken(self.least), spoken(most)),
            None => write!(out, "at least {}", spoken(self.least)),
        }
    }
}

impl Symptom {
    /// How long it lasted; nothing while no end is recorded.
    pub fn lasted(&self) -> Option<Lasted> {
        let over = self.over.as_ref()?;
        let until = over.after.unwrap_or(over.ended);
        let length = |until: DateTime<Utc>| (until - self.since).max(TimeDelta::zero());
        Some(Lasted { least: length(until), most: (!self.at_least).then(|| length(over.ended)) })
    }
}

impl Facts {
    /// The symptoms of which no end is recorded.
    pub fn lasting(&self) -> impl Iterator<Item = &Symptom> {
        self.symptoms.iter().filter(|symptom| symptom.over.is_none())
    }

    /// The newest symptom of an alert or objective.
    pub fn symptom(&self, of: &SymptomOf) -> Option<&Symptom> {
        self.symptoms.iter().rev().find(|symptom| symptom.of == *of)
    }

    /// How the last of all symptoms ended; absent while one lasts, or where none is recorded.
    pub fn recovery(&self) -> Option<&SymptomEnded> {
        let ends = self.symptoms.iter().map(|symptom| symptom.over.as_ref());
        ends.collect::<Option<Vec<_>>>()?.into_iter().max_by_key(|over| over.ended)
    }

    /// When that was, or where nobody saw it, by when it was so.
    pub fn recovered_at(&self) -> Option<DateTime<Utc>> {
        self.recovery().map(|over| over.ended)
    }

    /// Takes the beginning of a symptom; says whether it was news.
    pub(super) fn begin_symptom(&mut self, body: &SymptomBegan) -> bool {
        // One that is told again, after somebody else wrote its end, began before that end.
        let is_known = self.symptom(&body.of).is_some_and(|known| match &known.over {
            None => true,
            Some(over) => body.since < over.ended,
        });
        if !is_known {
            let SymptomBegan { of, title, since, at_least, .. } = body.clone();
            self.symptoms.push(Symptom { of, title, since, at_least, over: None });
        }
        !is_known
    }

    /// Takes the end of a symptom; says whether it was news.
    pub(super) fn end_symptom(&mut self, body: &SymptomEnded) -> bool {
        let lasting = self.symptoms.iter_mut().rev().find(|symptom| symptom.of == body.of);
        match lasting.filter(|symptom| symptom.over.is_none()) {
            Some(symptom) => symptom.over = Some(body.clone()),
            None => return false,
        }
        true
    }

    /// A linked alert is a symptom since it fired.
    pub(super) fn begin_alert(&mut self, body: &AlertLinked) {
        self.symptoms.push(Symptom {
            of: SymptomOf::Alert { fingerprint: body.fingerprint.clone() },
            title: body.name.clone(),
            since: body.starts_at,
            at_least: false,
            over: None,
        });
    }
}
