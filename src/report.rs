//! Process health over a period: the runbook's targets against what the records say.
//!
//! Hides what counts: drills, false alarms and records that go on in another one are no incidents; a mean is taken of what was recorded, and says
//! how much was not.
//!
//! Invariant: a missing time is never zero, an impossible one never part of a mean.

mod follow_ups;

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::exercise::Exercise;
use crate::exercise::schedule::{debriefs_of, schedule};
use crate::incident::measures::{Measure, Measures, measures, resolve_target, spoken};
use crate::incident::{Actor, Cadence, FollowUpState, Incident, IncidentId, Outcome, Series, ServiceId, Severity};
use crate::playbook::Catalogue;
use crate::text::duration::Lapse;
use crate::text::{CleanStr, fit};
pub use follow_ups::{Listed, follow_ups};

/// Which stretch of time a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its beginning; absent: since the first record.
    pub from: Option<DateTime<Utc>>,
    /// Its end.
    pub to: DateTime<Utc>,
}

impl Period {
    /// The beginning of a period as people write it: a length before now (`30d`), or a day in a zone.
    pub fn beginning(text: &str, now: DateTime<Utc>, zone: chrono_tz::Tz) -> Option<DateTime<Utc>> {
        let text = text.trim().trim_start_matches('-');
        let length = || text.parse::<Lapse>().ok().map(|lapse| now - TimeDelta::from(lapse));
        let day = || {
            let midnight = text.parse::<NaiveDate>().ok()?.and_time(NaiveTime::MIN);
            crate::oncall::moment(zone, midnight)
        };
        length().or_else(day)
    }
}

/// A mean of what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Mean {
    /// The mean; absent where nothing was recorded.
    pub mean: Option<TimeDelta>,
    /// Of so many.
    pub of: usize,
    /// So many of them stayed below the target.
    pub met: usize,
    /// So many were not recorded.
    pub not_recorded: usize,
    /// So many ended before they began.
    pub invalid: usize,
    /// So many of those that were not recorded are beyond the target by now: missed, whatever becomes of them …
    pub overdue: usize,
    /// … and the oldest of them runs for so long.
    pub oldest: Option<TimeDelta>,
}

impl Mean {
    /// The mean of measures, each with its target and, where it never came, with how long it runs.
    fn of(all: impl Iterator<Item = (Measure, Option<TimeDelta>, Option<TimeDelta>)>) -> Self {
        let (mut mean, mut sum) = (Self::default(), 0_i64);
        for (measure, target, running) in all {
            match measure {
                Measure::Value(length) => {
                    mean.of += 1;
                    sum = sum.saturating_add(length.num_milliseconds());
                    mean.met += usize::from(target.is_some_and(|target| length < target));
                }
                Measure::NotRecorded => {
                    mean.not_recorded += 1;
                    if let Some(age) = running.filter(|age| target.is_some_and(|target| *age >= target)) {
                        mean.overdue += 1;
                        mean.oldest = mean.oldest.max(Some(age));
                    }
                }
                Measure::Invalid => mean.invalid += 1,
            }
        }
        let count = i64::try_from(mean.of).unwrap_or(i64::MAX);
        mean.mean = (mean.of > 0).then(|| TimeDelta::milliseconds(sum / count));
        mean
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text =
            self.mean.map_or_else(|| "not recorded".to_owned(), |mean| format!("{} of {}", spoken(mean), self.of));
        let quiet = self.not_recorded - self.overdue;
        if quiet > 0 && self.mean.is_some() {
            text += &format!(", {quiet} not recorded");
        }
        if let Some(oldest) = self.oldest {
            text += &format!(", {} never, for up to {}", self.overdue, spoken(oldest));
        }
        if self.invalid > 0 {
            text += &format!(", {} invalid", self.invalid);
        }
        out.pad(&text)
    }
}

/// One record of the period.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which.
    pub id: IncidentId,
    /// What was wrong.
    pub title: CleanStr,
    /// When it was detected, or else declared.
    pub at: Option<DateTime<Utc>>,
    /// As what it was closed.
    pub outcome: Option<Outcome>,
    /// How long it is since then, or was when it was closed.
    pub age: Option<TimeDelta>,
    /// Its numbers.
    pub measures: Measures,
}

/// A follow-up whose day has passed.
#[derive(Clone, Debug, PartialEq)]
pub struct Overdue {
    /// Of which incident.
    pub id: IncidentId,
    /// What is to be done.
    pub what: CleanStr,
    /// By whom.
    pub owner: Option<Actor>,
    /// Until when it was due.
    pub due: NaiveDate,
}

/// A playbook whose review is late.
#[derive(Clone, Debug, PartialEq)]
pub struct LateReview {
    /// Whose playbook.
    pub service: ServiceId,
    /// Who keeps it.
    pub owner: CleanStr,
    /// When it was reviewed last.
    pub reviewed: NaiveDate,
    /// By how many days it is late.
    pub days: i64,
}

/// How much of what was scheduled took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Drills were played.
    Practised {
        /// How many were played to their end in staging, with pre-brief and filed debrief: these the schedule counts.
        staged: usize,
        /// How many others were resolved: practice.
        completed: usize,
        /// How many were not.
        abandoned: usize,
        /// How many exercises were played in staging within their time, of how many.
        on_schedule: (usize, usize),
    },
    /// Nobody has recorded it.
    NotRecorded,
}

/// Process health over a period.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Over which period.
    pub period: Period,
    /// The incidents that count, the oldest first.
    pub incidents: Vec<Row>,
    /// Drills: listed, never counted.
    pub drills: Vec<Row>,
    /// Records that were no incident, or go on in another one.
    pub left_out: Vec<Row>,
    /// Why some records are not among them, or not whole: the figures are those of the others.
    pub unread: Vec<String>,
    /// Mean time from the first customer that hurt to detection, where customers hurt.
    pub detect: Mean,
    /// Mean time to acknowledge.
    pub acknowledge: Mean,
    /// Mean time to resolve where the runbook has a target.
    pub resolve: Mean,
    /// Mean time to resolve, by the highest severity reached.
    pub resolve_by: Vec<(Severity, Mean)>,
    /// Updates that were due, and those that came in time.
    pub cadence: (usize, usize),
    /// The longest silence on an internal channel.
    pub worst_silence: Option<TimeDelta>,
    /// Mean time from customer impact to the external page.
    pub external: Mean,
    /// Incidents in which the external page was due, and those in which it was told in time.
    pub external_due: (usize, usize),
    /// Exercises that took place, of those that were scheduled.
    pub gameday: Completion,
    /// Follow-ups that are late, whenever their incident was.
    pub overdue: Vec<Overdue>,
    /// Open follow-ups without an owner or a day.
    pub unowned: usize,
    /// Playbooks whose review is late.
    pub reviews: Vec<LateReview>,
    /// The targets that it was held against.
    pub targets: (TimeDelta, TimeDelta),
}

/// What is said where no open follow-up was found, and not every record could be read.
pub const FOLLOW_UPS_UNKNOWN: &str = "not all records can be read, so which follow-ups are open is not known";

/// Reads the records of a period; of those that cannot be read, or not whole, there is a sentence each.
pub fn report(
    records: &[Incident],
    unread: Vec<String>,
    catalogue: &Catalogue,
    cadence: &Cadence,
    period: Period,
    today: NaiveDate,
) -> Report {
    let (mut incidents, mut drills, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let (mut overdue, mut unowned) = (Vec::new(), 0);
    for record in records.iter().filter(|record| !record.is_blank()) {
        let is_drill = record.drill.is_some() || record.id().series == Series::Drill;
        if !is_drill {
            unowned += late_follow_ups(record, period.to, &mut overdue);
        }
        let at = record.detected_at.or(record.declared.as_ref().map(|mark| mark.at));
        if at.is_some_and(|at| at > period.to || period.from.is_some_and(|from| at < from)) {
            continue;
        }
        let row = Row {
            id: record.id(),
            title: record.title.clone(),
            at,
            outcome: record.outcome,
            age: at.map(|at| record.closing.as_ref().map_or(period.to, |closing| closing.mark.at) - at),
            measures: measures(record, cadence, period.to),
        };
        match record.outcome {
            _ if is_drill => drills.push(row),
            Some(Outcome::FalseAlarm | Outcome::Merged(_)) => left_out.push(row),
            Some(Outcome::Done | Outcome::Backlog) | None => incidents.push(row),
        }
    }
    for rows in [&mut incidents, &mut drills, &mut left_out] {
        rows.sort_by_key(|row| (row.at, row.id));
    }
    overdue.sort_by_key(|late| (late.due, late.id));
    let target = |row: &Row| resolve_target(row.measures.severity, cadence);
    let by = |level| {
        let rows = incidents.iter().filter(move |row| row.measures.severity == Some(level));
        (level, Mean::of(rows.map(|row| (row.measures.resolve, target(row), row.age))))
    };
    let mut reviews: Vec<_> = catalogue
        .iter()
        .filter_map(|playbook| {
            let days = playbook.review_overdue(today)?;
            let (service, owner) = (playbook.service.clone(), playbook.owner.clone());
            Some(LateReview { service, owner, reviewed: playbook.reviewed, days })
        })
        .collect();
    reviews.sort_by_key(|review| std::cmp::Reverse(review.days));
    let internal = || incidents.iter().flat_map(|row| &row.measures.cadence);
    let inside = || internal().filter(|kept| kept.channel != crate::incident::Channel::ExternalPage);
    let due: Vec<_> = incidents.iter().filter_map(|row| row.measures.external_kept).collect();
    let completed = drills.iter().filter(|row| row.measures.resolve != Measure::NotRecorded).count();
    let gameday = match drills.len() {
        0 => Completion::NotRecorded,
        all => {
            let debriefs = debriefs_of(records, cadence, period.to);
            let slots = schedule(Exercise::all_shipped(), &debriefs, period.to);
            let on_schedule = (slots.iter().filter(|slot| !slot.is_due).count(), slots.len());
            let counts = |row: &&Row| debriefs.iter().any(|debrief| debrief.id == row.id && debrief.counts());
            let staged = drills.iter().filter(counts).count();
            Completion::Practised { staged, completed: completed - staged, abandoned: all - completed, on_schedule }
        }
    };
    Report {
        period,
        // Where no customer hurt, there is nothing that was detected late.
        detect: Mean::of(
            incidents
                .iter()
                .filter(|row| row.measures.detect != Measure::NotRecorded)
                .map(|row| (row.measures.detect, None, None)),
        ),
        acknowledge: Mean::of(
            incidents.iter().map(|row| (row.measures.acknowledge, Some(cadence.acknowledge), row.age)),
        ),
        resolve: Mean::of(
            incidents
                .iter()
                .filter(|row| target(row).is_some())
                .map(|row| (row.measures.resolve, target(row), row.age)),
        ),
        resolve_by: Severity::ALL.map(by).to_vec(),
        cadence: (inside().map(|kept| kept.owed).sum(), inside().map(|kept| kept.kept).sum()),
        worst_silence: inside().filter(|kept| kept.owed > 0).filter_map(|kept| kept.worst).max(),
        // Where the page was not due, its silence is not missing.
        external: Mean::of(
            incidents
                .iter()
                .filter(|row| row.measures.external_kept.is_some())
                .map(|row| (row.measures.external, Some(cadence.external), None)),
        ),
        external_due: (due.len(), due.iter().filter(|kept| **kept).count()),
        gameday,
        overdue,
        unowned,
        reviews,
        targets: (cadence.acknowledge, cadence.resolve),
        incidents,
        drills,
        left_out,
        unread,
    }
}

/// Collects the late follow-ups of a record; says how many open ones have no owner or no day.
fn late_follow_ups(record: &Incident, now: DateTime<Utc>, overdue: &mut Vec<Overdue>) -> usize {
    let mut unowned = 0;
    for item in record.follow_ups.iter().filter(|item| item.state == FollowUpState::Open) {
        unowned += usize::from(item.owner.is_none() || item.due.is_none());
        if let Some(due) = item.due.filter(|due| is_past(*due, record.zone(), now)) {
            overdue.push(Overdue { id: record.id(), what: item.what.clone(), owner: item.owner.clone(), due });
        }
    }
    unowned
}

/// Whether a day has ended in a zone.
pub fn is_past(day: NaiveDate, zone: chrono_tz::Tz, now: DateTime<Utc>) -> bool {
    let midnight = day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN);
    now.with_timezone(&zone).naive_local() >= midnight
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |at: DateTime<Utc>| at.format("%Y-%m-%d").to_string();
        let from = self.period.from.map_or_else(|| "the first record".to_owned(), day);
        let (acknowledge, resolve) = (spoken(self.targets.0), spoken(self.targets.1));
        let met = |mean: &Mean| match mean.of + mean.overdue {
            0 => String::new(),
            all => format!(", {} of {all} met it", mean.met),
        };
        let incidents = crate::text::many(self.incidents.len(), "incident");
        let to = self.period.to.format("%Y-%m-%d %H:%M");
        if self.unread.is_empty() {
            writeln!(out, "from {from} to {to} UTC: {incidents}")?;
        } else {
            writeln!(
                out,
                "from {from} to {to} UTC, NOT WHOLE: {incidents} could be read, and all figures are of those"
            )?;
            for why in &self.unread {
                writeln!(out, "  {why}")?;
            }
        }
        writeln!(out)?;
        let verdict = |mean: &Mean, target: TimeDelta| match mean.mean {
            _ if mean.overdue > 0 => "MISSED",
            Some(mean) if mean < target => "met",
            Some(_) => "MISSED",
            None => "cannot be said",
        };
        let (mtta, mttr) = (&self.acknowledge, &self.resolve);
        writeln!(out, "MTTD        {}; from customer impact to detection", self.detect)?;
        writeln!(out, "MTTA        {mtta}; target < {acknowledge}: {}{}", verdict(mtta, self.targets.0), met(mtta))?;
        writeln!(
            out,
            "MTTR        {mttr}; target < {resolve} (SEV0 to SEV2): {}{}",
            verdict(mttr, self.targets.1),
            met(mttr)
        )?;
        for (level, mean) in &self.resolve_by {
            if mean.of + mean.not_recorded + mean.invalid > 0 {
                writeln!(out, "  {level}      {mean}")?;
            }
        }
        match self.cadence {
            (0, _) if !self.unread.is_empty() => writeln!(out, "cadence     cannot be said")?,
            (0, _) => writeln!(out, "cadence     no update was due")?,
            (owed, kept) => {
                let worst = self.worst_silence.map_or_else(|| "not recorded".to_owned(), spoken);
                let share = 100.0 * kept as f64 / owed as f64;
                writeln!(out, "cadence     {share:.0} % of {owed} updates in time, longest silence {worst}")?;
            }
        }
        match self.external_due {
            (0, _) if !self.unread.is_empty() => writeln!(out, "external    cannot be said")?,
            (0, _) => writeln!(out, "external    was not due")?,
            (due, kept) => writeln!(out, "external    {}; in time in {kept} of {due}", self.external)?,
        }
        match self.gameday {
            Completion::Practised { staged, completed, abandoned, on_schedule: (kept, of) } => {
                let share = kept * 100 / of.max(1);
                writeln!(
                    out,
                    "GameDay     {share} % ({kept} of {of} exercises in staging within their time; target 100 %); {staged} in staging, {completed} practised, {abandoned} not finished"
                )?;
            }
            Completion::NotRecorded => writeln!(out, "GameDay     not recorded; target 100 %")?,
        }
        section(out, "incidents", &self.incidents)?;
        section(out, "drills (not counted)", &self.drills)?;
        section(out, "false alarms and duplicates (not counted)", &self.left_out)?;
        if !self.overdue.is_empty() || self.unowned > 0 {
            writeln!(out, "\nfollow-ups: {} overdue, {} without owner or day", self.overdue.len(), self.unowned)?;
        }
        for late in &self.overdue {
            let owner = late.owner.as_ref().map_or("nobody", CleanStr::as_str);
            writeln!(out, "  {:<8} until {}  {owner}: {}", late.id, late.due, fit(&late.what, 90))?;
        }
        if !self.reviews.is_empty() {
            writeln!(out, "\nplaybook reviews overdue: {}", self.reviews.len())?;
        }
        for late in &self.reviews {
            writeln!(out, "  {:<12} {} d, reviewed {}, {}", late.service, late.days, late.reviewed, late.owner)?;
        }
        Ok(())
    }
}

fn section(out: &mut fmt::Formatter<'_>, title: &str, rows: &[Row]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}:")?;
    for row in rows {
        let level = row.measures.severity.map_or("----", Severity::name);
        let at = row.at.map_or_else(|| "not recorded".to_owned(), |at| at.format("%Y-%m-%d %H:%MZ").to_string());
        let outcome = match row.outcome {
            Some(Outcome::FalseAlarm) => ", false alarm".to_owned(),
            Some(Outcome::Merged(into)) => format!(", goes on in {into}"),
            Some(Outcome::Backlog) => ", backlog".to_owned(),
            Some(Outcome::Done) | None => String::new(),
        };
        let (acknowledge, resolve) = (row.measures.acknowledge.to_string(), row.measures.resolve.to_string());
        let title = fit(&row.title, 60);
        writeln!(
            out,
            "  {:<8} {level}  {at}  acknowledged {acknowledge}, resolved {resolve}{outcome}  {title}",
            row.id
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
