//! How well an incident was handled, in numbers: the runbook's process health for one record.
//!
//! Hides what counts as kept when updates were promised sooner, when the incident was reopened, and when nobody wrote a time down.
//!
//! Invariant: what is missing is not recorded, what ends before it began is invalid; neither is ever zero.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

/// A length of time that may be missing or impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// It took so long.
    Value(TimeDelta),
    /// Nobody wrote down when it began or ended.
    NotRecorded,
    /// It ended before it began: one of the times wants an amendment.
    Invalid,
}

impl Measure {
    /// From one moment to another.
    pub fn between(start: Option<DateTime<Utc>>, end: Option<DateTime<Utc>>) -> Self {
        match (start, end) {
            (Some(start), Some(end)) if end < start => Self::Invalid,
            (Some(start), Some(end)) => Self::Value(end - start),
            (None, _) | (_, None) => Self::NotRecorded,
        }
    }

    /// The length, where there is one.
    pub fn value(self) -> Option<TimeDelta> {
        match self {
            Self::Value(length) => Some(length),
            Self::NotRecorded | Self::Invalid => None,
        }
    }

    /// Whether it stayed below a target; nothing where it cannot be said.
    pub fn is_below(self, target: TimeDelta) -> Option<bool> {
        self.value().map(|length| length < target)
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(length) => out.pad(&spoken(*length)),
            Self::NotRecorded => out.pad("not recorded"),
            Self::Invalid => out.pad("invalid"),
        }
    }
}

/// A length of time as people say it: `42 s`, `3 min 12 s`, `2 h 05 min`, `3 d 4 h`.
pub fn spoken(length: TimeDelta) -> String {
    let seconds = length.num_seconds().unsigned_abs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let text = match (hours, minutes) {
        (48.., _) => format!("{} d {} h", hours / 24, hours % 24),
        (1.., _) => format!("{hours} h {:02} min", minutes % 60),
        (0, 10..) => format!("{minutes} min"),
        (0, 1..) if !seconds.is_multiple_of(60) => format!("{minutes} min {:02} s", seconds % 60),
        (0, 1..) => format!("{minutes} min"),
        (0, 0) => format!("{seconds} s"),
    };
    if length < TimeDelta::zero() && seconds > 0 { format!("-{text}") } else { text }
}

/// How well one channel was kept informed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The channel.
    pub channel: Channel,
    /// How many updates were due, those that came before their time included.
    pub owed: usize,
    /// How many of them came in time.
    pub kept: usize,
    /// The longest silence while updates were due.
    pub worst: Option<TimeDelta>,
}

impl Kept {
    /// The share that came in time, in per cent; nothing where none was due.
    pub fn percent(&self) -> Option<f64> {
        (self.owed > 0).then(|| 100.0 * self.kept as f64 / self.owed as f64)
    }
}

/// How much there was of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Entries in the record.
    pub entries: usize,
    /// Lines that people wrote.
    pub notes: usize,
    /// People who wrote anything.
    pub people: usize,
    /// Updates that were told.
    pub updates: usize,
    /// Decisions that were made on proposals.
    pub decisions: usize,
    /// Theories.
    pub hypotheses: usize,
    /// Tasks that were handed out.
    pub tasks: usize,
    /// Graphs and traces that were pinned.
    pub evidence: usize,
    /// Follow-ups, done ones included.
    pub follow_ups: usize,
}

/// The numbers of one incident.
#[derive(Clone, Debug, PartialEq)]
pub struct Measures {
    /// The highest severity reached: it decides the target.
    pub severity: Option<Severity>,
    /// From the first customer that hurt until it was detected.
    pub detect: Measure,
    /// From detection to acknowledgement.
    pub acknowledge: Measure,
    /// From detection until what was done took hold.
    pub mitigate: Measure,
    /// From detection to resolution.
    pub resolve: Measure,
    /// How long customers hurt.
    pub impact: Measure,
    /// From the start of customer impact to the first text on the external page.
    pub external: Measure,
    /// Whether the external page was due, and if so, whether it was told in time.
    pub external_kept: Option<bool>,
    /// Each channel's updates against the cadence or the promise.
    pub cadence: Vec<Kept>,
    /// How much there was of what.
    pub counts: Counts,
}

/// The target for resolving, by the highest severity reached; a SEV3 has none.
pub fn resolve_target(severity: Option<Severity>, cadence: &Cadence) -> Option<TimeDelta> {
    match severity? {
        // The runbook names SEV1 and SEV2; what is worse is not given more time.
        Severity::Sev0 | Severity::Sev1 | Severity::Sev2 => Some(cadence.resolve),
        Severity::Sev3 => None,
    }
}

/// The numbers of an incident as they are now.
pub fn measures(incident: &Incident, cadence: &Cadence, now: DateTime<Utc>) -> Measures {
    let detected = incident.milestone(Milestone::Detected);
    let from_detection = |which| Measure::between(detected, incident.milestone(which));
    let began = incident.impact.start();
    let external = incident.heard(Channel::ExternalPage);
    let first = began.and_then(|start| {
        let in_time = external.iter().find(|heard| heard.at >= start);
        // Told before it began: one of the two times is wrong.
        in_time.or(external.first()).map(|heard| heard.at)
    });
    let mut channels: Vec<_> = [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage]
        .into_iter()
        .map(|channel| internal(incident, channel, cadence, now))
        .collect();
    let outside = outside(incident, &external, cadence, now);
    channels.push(outside.0);
    Measures {
        severity: incident.worst,
        acknowledge: from_detection(Milestone::Acknowledged),
        mitigate: from_detection(Milestone::Mitigated),
        resolve: from_detection(Milestone::Resolved),
        // An alarm that came before customers hurt lost no time.
        detect: Measure::between(began, detected.zip(began).map(|(detected, began)| detected.max(began))),
        impact: hurt(&incident.impact),
        external: Measure::between(began, first),
        external_kept: outside.1,
        cadence: channels,
        counts: counts(incident),
    }
}

/// How long customers hurt in all.
fn hurt(impact: &Impact) -> Measure {
    match impact.length() {
        Some(length) => Measure::Value(length),
        None if impact.windows().iter().any(|window| window.end.is_some_and(|end| end < window.start)) => {
            Measure::Invalid
        }
        None => Measure::NotRecorded,
    }
}

/// How many updates some channel has heard.
fn told(incident: &Incident) -> usize {
    let heard = Channel::ALL.into_iter().flat_map(|channel| incident.tellings(channel));
    let heard = heard.filter(|telling| matches!(telling.fate, Fate::Told(_))).map(|telling| telling.id);
    let heard: BTreeSet<EntryId> = heard.collect();
    incident.updates.iter().filter(|update| heard.contains(&update.id)).count()
}

fn counts(incident: &Incident) -> Counts {
    let count = |which: fn(&Event) -> bool| incident.entries().filter(|entry| which(&entry.event)).count();
    Counts {
        entries: incident.len(),
        notes: count(|event| matches!(event, Event::NoteAdded(_))),
        people: incident.entries().map(|entry| &entry.actor).collect::<BTreeSet<_>>().len(),
        updates: told(incident),
        decisions: incident.decisions.iter().filter(|decision| decision.made.is_some()).count(),
        hypotheses: incident.hypotheses.len(),
        tasks: incident.tasks.len(),
        evidence: count(|event| matches!(event, Event::EvidencePinned(_))),
        follow_ups: incident.follow_ups.len(),
    }
}

/// When updates were due: from the acknowledgement to each resolution, and from each reopening to the next one.
fn stretches(incident: &Incident, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let Some(acknowledged) = incident.acknowledged.as_ref().map(|mark| mark.at) else { return Vec::new() };
    let (mut stretches, mut start) = (Vec::new(), Some(acknowledged));
    for (phase, mark) in &incident.phases {
        match (start, phase.is_live()) {
            (Some(began), false) => {
                stretches.push((began, mark.at));
                start = None;
            }
            (None, true) => start = Some(mark.at),
            (Some(_), true) | (None, false) => {}
        }
    }
    if let Some(began) = start {
        stretches.push((began, now));
    } else if let (Some(last), Some(resolved)) = (stretches.last_mut(), incident.resolved_at) {
        // The last end may have been amended.
        last.1 = resolved;
    }
    stretches.retain(|(from, to)| to > from);
    stretches
}

fn internal(incident: &Incident, channel: Channel, cadence: &Cadence, now: DateTime<Utc>) -> Kept {
    let heard = incident.heard(channel);
    let mut count = Count::new(incident, channel, cadence.update);
    for (from, to) in stretches(incident, now) {
        count.stretch(from, to, incident.next_due(from, cadence.update), &heard, |heard| {
            let regular = incident.next_due(heard.at, cadence.update);
            heard.promised_next.map_or(regular, |promised| promised.min(regular))
        });
    }
    count.kept
}

/// The external page, and whether it was told in time where it was due at all.
fn outside(incident: &Incident, heard: &[Heard], cadence: &Cadence, now: DateTime<Utc>) -> (Kept, Option<bool>) {
    let mut count = Count::new(incident, Channel::ExternalPage, cadence.external_again);
    if incident.nobody_affected.is_some() {
        return (count.kept, None);
    }
    let times = incident.impact.stretches();
    let mut kept = None;
    for (place, (start, end)) in times.iter().copied().enumerate() {
        let until = times.get(place + 1).map(|(next, _)| *next);
        let first = heard.iter().map(|heard| heard.at).find(|at| *at >= start && until.is_none_or(|until| *at < until));
        let end = end.or(incident.resolved_at).unwrap_or(now);
        let due = start + cadence.external;
        count.stretch(start, end, due, heard, |heard| {
            heard.promised_next.unwrap_or(incident.next_due(heard.at, cadence.external_again))
        });
        let in_time = first.map_or_else(|| (end > due).then_some(false), |first| Some(first <= due));
        // One time in which customers were left alone is not made good by another.
        kept = if in_time == Some(false) { in_time } else { kept.or(in_time) };
    }
    (count.kept, kept)
}

/// Counts updates against when each was due.
struct Count<'a> {
    kept: Kept,
    facts: &'a Facts,
    again: TimeDelta,
}

impl<'a> Count<'a> {
    fn new(facts: &'a Facts, channel: Channel, again: TimeDelta) -> Self {
        Self { facts, kept: Kept { channel, owed: 0, kept: 0, worst: None }, again }
    }

    fn stretch(
        &mut self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        first_due: DateTime<Utc>,
        heard: &[Heard],
        next_due: impl Fn(&Heard) -> DateTime<Utc>,
    ) {
        let (mut last, mut due) = (from, first_due);
        for heard in heard.iter().filter(|heard| (from..=to).contains(&heard.at)) {
            self.silence(last, heard.at);
            if heard.at <= due {
                self.kept.owed += 1;
                self.kept.kept += 1;
            } else {
                self.missed(due, heard.at);
            }
            (last, due) = (heard.at, next_due(heard));
        }
        if to > due {
            self.missed(due, to);
        }
        if to > from {
            self.silence(last, to);
        }
    }

    /// A silence beyond its time owes one update, and one more for each further period.
    fn missed(&mut self, due: DateTime<Utc>, until: DateTime<Utc>) {
        if !self.facts.paces.is_empty() {
            let mut next = due;
            while next <= until {
                self.kept.owed = self.kept.owed.saturating_add(1);
                next = self.facts.next_due(next, self.again).max(next + TimeDelta::seconds(1));
            }
            return;
        }
        let more = (until - due).num_seconds() / self.again.num_seconds().max(1);
        self.kept.owed = self.kept.owed.saturating_add(1 + usize::try_from(more).unwrap_or(0));
    }

    fn silence(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) {
        let gap = to - from;
        self.kept.worst = Some(self.kept.worst.map_or(gap, |worst| worst.max(gap)));
    }
}

#[cfg(test)]
mod tests;
