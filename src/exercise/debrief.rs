//! The debrief of a drill: each success criterion, met or not, and what the room has to talk about.
//!
//! Hides how a record shows that something went well.
//!
//! Invariant: a function of the record, the exercise and the time; what cannot be said yet is open, never missed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};

use super::Exercise;
use super::requests::done_at;
use super::script::{HINT, Rule};
use crate::incident::Staging;
use crate::incident::measures::{measures, spoken};
use crate::incident::{Cadence, Channel, Event, FollowUpState, Incident, IncidentId, Milestone, Phase, Role, Ticked};
use crate::text::{CleanStr, CleanText};

/// How a drill ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It runs.
    Running,
    /// It was resolved.
    Completed,
    /// It was closed without, or its time is long over.
    Abandoned,
}

impl End {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What became of a criterion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was met: when, and how that is known.
    Met(String),
    /// It was missed: why.
    Missed(String),
    /// The drill was over before its time had come: how that is known.
    NotReached(String),
    /// Nobody can say yet.
    Open,
}

/// A wrong turn that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongTurn {
    /// When it began to hurt.
    pub at: DateTime<Utc>,
    /// What it did.
    pub what: CleanStr,
}

/// What a room talks about after a drill.
#[derive(Clone, Debug, PartialEq)]
pub struct Debrief {
    /// Which drill.
    pub id: IncidentId,
    /// Which exercise.
    pub exercise: CleanStr,
    /// What it is called.
    pub title: CleanStr,
    /// When it began.
    pub start: DateTime<Utc>,
    /// Where it was played in earnest; absent for a simulated one.
    pub staging: Option<Staging>,
    /// What was put into staging and still stands there.
    pub standing: Vec<CleanStr>,
    /// How it ended.
    pub end: End,
    /// Each criterion, in the order of the exercise.
    pub criteria: Vec<(CleanStr, Verdict)>,
    /// The wrong turns that were taken.
    pub wrong_turns: Vec<WrongTurn>,
    /// How many hints were given.
    pub hints: usize,
    /// Which roles the exercise played, and as whom.
    pub stand_ins: Vec<(Role, CleanStr)>,
    /// Action items: what, and by whom.
    pub actions: Vec<(CleanStr, Option<CleanStr>)>,
    /// Where it was filed, once it was.
    pub filed: Option<CleanStr>,
    /// Who facilitated it.
    pub facilitator: Option<CleanStr>,
    /// How people judged criteria, by their place counted from 1: who, whether it was met, and why.
    pub scores: BTreeMap<u32, (CleanStr, bool, CleanText)>,
    /// What players did not see: when, who, what.
    pub asides: Vec<(DateTime<Utc>, CleanStr, CleanText)>,
    /// How long it stood still; none of that is in any measure.
    pub paused: TimeDelta,
}

/// Reads a drill's record; nothing where it is none.
pub fn debrief(exercise: &Exercise, incident: &Incident, cadence: &Cadence, now: DateTime<Utc>) -> Option<Debrief> {
    let drill = incident.drill.as_ref()?;
    // Whoever left it did so long before: an exercise takes as long as it says, and nobody stays three times as long.
    let is_left = now > drill.start + TimeDelta::from(exercise.duration) * 3;
    let end = match incident.phase() {
        _ if incident.resolved_at.is_some() => End::Completed,
        Phase::Closed => End::Abandoned,
        _ if is_left => End::Abandoned,
        _ => End::Running,
    };
    let done = &incident.ticks;
    // What has not happened by then did not happen: that it was looked at later changes no verdict.
    let closed = incident.closing.as_ref().map(|closing| closing.mark.at);
    let over = [incident.resolved_at, closed].into_iter().flatten().min().filter(|_| end != End::Running);
    let last = over.unwrap_or(now).min(now);
    let is_whole = last - drill.start >= TimeDelta::from(exercise.duration);
    let wall = incident.clock().wall(last);
    let now = if over.is_some() { last } else { now };
    let look = Look { exercise, incident, cadence, done, now, end, is_whole };
    let wrong_turns = exercise.faults.iter().filter_map(|fault| {
        let at = fault.when.as_ref()?.pulled(done)?;
        (at <= now).then(|| WrongTurn { at, what: fault.what.clone() })
    });
    let open = incident.follow_ups.iter().filter(|item| item.state != FollowUpState::Dropped);
    let is_hint = |key: &CleanStr| key.strip_prefix(HINT).is_some_and(|rest| rest.starts_with('/'));
    Some(Debrief {
        id: incident.id(),
        exercise: drill.exercise.clone(),
        title: exercise.title.clone(),
        start: drill.start,
        staging: drill.staging.clone(),
        standing: exercise.standing(incident).into_iter().map(|staged| staged.what.clone()).collect(),
        end,
        criteria: exercise
            .success
            .iter()
            .enumerate()
            .map(|(place, one)| {
                let verdict = if one.rule == Rule::Scored { look.scored(place + 1) } else { look.at(&one.rule) };
                (one.what.clone(), verdict)
            })
            .collect(),
        wrong_turns: wrong_turns.collect(),
        hints: incident.foreign.keys().filter(|(_, key)| is_hint(key)).count(),
        stand_ins: stand_ins(incident).map(|(_, role, name)| (role, name.clone())).collect(),
        actions: open.map(|item| (item.what.clone(), item.owner.clone())).collect(),
        filed: incident.article.as_ref().map(|article| article.url.clone()),
        facilitator: incident.facilitation.by.as_ref().map(|mark| mark.by.clone()),
        scores: incident
            .facilitation
            .scores
            .iter()
            .map(|(place, (mark, met, why))| (*place, (mark.by.clone(), *met, why.clone())))
            .collect(),
        asides: incident
            .facilitation
            .asides
            .iter()
            .map(|(mark, text)| (mark.at, mark.by.clone(), text.clone()))
            .collect(),
        paused: incident.facilitation.paused(wall),
    })
}

/// Which roles the exercise played since when, in their order; a part that came second to a person was not played.
fn stand_ins(incident: &Incident) -> impl Iterator<Item = (DateTime<Utc>, Role, &CleanStr)> {
    incident.entries().filter_map(|entry| match &entry.event {
        Event::RoleTaken(body) if body.is_played && !incident.beaten.contains_key(&entry.id) => {
            Some((incident.time(entry), body.role, &body.holder))
        }
        _ => None,
    })
}

/// As people read it.
fn played(role: Role, name: &str) -> String {
    format!("{} played by the exercise: {name}", role.short())
}

struct Look<'a> {
    exercise: &'a Exercise,
    incident: &'a Incident,
    cadence: &'a Cadence,
    done: &'a [Ticked],
    /// The end of the drill, or now while it runs.
    now: DateTime<Utc>,
    end: End,
    /// It lasted as long as its exercise says.
    is_whole: bool,
}

impl Look<'_> {
    fn at(&self, rule: &Rule) -> Verdict {
        let incident = self.incident;
        let detected = incident.milestone(Milestone::Detected);
        match rule {
            Rule::Acknowledged(within) => {
                self.timely(detected, incident.milestone(Milestone::Acknowledged), **within, "acknowledged")
            }
            Rule::Mitigated(within) => {
                self.timely(detected, incident.milestone(Milestone::Mitigated), **within, "mitigated")
            }
            Rule::Roles(within) => {
                let held = self.roles_held();
                let stood_in = held.map(|at| self.stood_in(at)).unwrap_or_default();
                self.timely(detected, held, **within, &format!("all roles held{stood_in}"))
            }
            Rule::Severity(least) => match incident.worst {
                Some(worst) if worst <= *least => Verdict::Met(format!("it was a {worst}")),
                worst => {
                    let stayed = worst.map_or_else(|| "nothing".to_owned(), |worst| worst.to_string());
                    self.missed(format!("it stayed a {stayed}"))
                }
            },
            Rule::FirstUpdate(within) => {
                let inside = Channel::ALL.into_iter().filter(|channel| *channel != Channel::ExternalPage);
                let first = inside.filter_map(|channel| Some(incident.heard(channel).first()?.at)).min();
                let from = incident.milestone(Milestone::Acknowledged).or(detected);
                self.timely(from, first, **within, "first update")
            }
            Rule::Cadence => self.cadence(),
            Rule::External(within) => {
                let outside = incident.heard(Channel::ExternalPage).first().map(|heard| heard.at);
                self.timely(incident.impact.start(), outside, **within, "external page")
            }
            Rule::Decided(within) => {
                let made = incident.decisions.iter().filter_map(|decision| Some(decision.made.as_ref()?.0.at));
                self.timely(detected, made.min(), **within, "decided")
            }
            Rule::Done { step, before, within } => {
                self.done(step, before.as_ref(), within.map_or(TimeDelta::MAX, TimeDelta::from))
            }
            Rule::Avoided(fault) => self.avoided(fault),
            Rule::Proven => self.proven(),
            Rule::Scored => Verdict::Open,
        }
    }

    /// What people judged, where nothing is measured.
    fn scored(&self, place: usize) -> Verdict {
        let score = u32::try_from(place).ok().and_then(|place| self.incident.facilitation.scores.get(&place));
        match score {
            Some((mark, true, why)) => Verdict::Met(format!("as {} judges it: {why}", mark.by)),
            Some((mark, false, why)) => Verdict::Missed(format!("as {} judges it: {why}", mark.by)),
            // It can be scored when the drill is over, too.
            None => Verdict::Open,
        }
    }

    /// Something was to happen within a time of something else.
    fn timely(&self, from: Option<DateTime<Utc>>, at: Option<DateTime<Utc>>, within: TimeDelta, what: &str) -> Verdict {
        match (from, at) {
            (Some(from), Some(at)) if at - from <= within => {
                Verdict::Met(format!("{what} after {}", spoken((at - from).max(TimeDelta::zero()))))
            }
            (Some(from), Some(at)) => {
                Verdict::Missed(format!("{what} after {}, wanted within {}", spoken(at - from), spoken(within)))
            }
            (Some(from), None) if self.now - from > within => Verdict::Missed(format!("not within {}", spoken(within))),
            (None, Some(_)) => Verdict::Met(what.to_owned()),
            (Some(from), None) if self.end != End::Running && within < TimeDelta::MAX => {
                let left = spoken(within - (self.now - from));
                Verdict::NotReached(format!("the drill was over {left} before its time was"))
            }
            (_, None) => self.missed("it did not happen".to_owned()),
        }
    }

    /// It can still be met while the drill runs.
    fn missed(&self, why: String) -> Verdict {
        match self.end {
            End::Running => Verdict::Open,
            End::Abandoned if !self.is_whole => Verdict::NotReached("the drill was ended before its time".to_owned()),
            End::Abandoned | End::Completed => Verdict::Missed(why),
        }
    }

    /// When the last of the four roles was held for the first time, by a person or by a part of the exercise.
    fn roles_held(&self) -> Option<DateTime<Utc>> {
        let held = |role| {
            let parts = stand_ins(self.incident).filter(|(_, part, _)| *part == role).map(|(at, ..)| at);
            self.taken(role).into_iter().chain(parts).min()
        };
        Role::ALL.into_iter().map(held).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// When a person took a role first.
    fn taken(&self, role: Role) -> Option<DateTime<Utc>> {
        let entries = self.incident.entries().filter(|entry| match &entry.event {
            Event::RoleTaken(body) => body.role == role && !body.is_played,
            _ => false,
        });
        entries.map(|entry| self.incident.time(entry)).min()
    }

    /// Whom the exercise played at the moment when all roles were held: nobody shall think that people held them.
    fn stood_in(&self, at: DateTime<Utc>) -> String {
        let is_person = |role| self.taken(role).is_some_and(|taken| taken <= at);
        let parts = stand_ins(self.incident).filter(|(since, role, _)| *since <= at && !is_person(*role));
        let parts: Vec<_> = parts.map(|(_, role, name)| played(role, name)).collect();
        if parts.is_empty() { String::new() } else { format!(" ({})", parts.join("; ")) }
    }

    fn cadence(&self) -> Verdict {
        let kept = measures(self.incident, self.cadence, self.now).cadence;
        let inside = kept.iter().filter(|kept| kept.channel != Channel::ExternalPage);
        let (mut owed, mut met) = (0, 0);
        for kept in inside {
            owed += kept.owed;
            met += kept.kept;
        }
        if self.incident.updates.is_empty() {
            return self.missed("nobody was told anything".to_owned());
        }
        let told = format!("{met} of {owed} came in time, each internal channel counted");
        if met < owed {
            return Verdict::Missed(told);
        }
        if self.end == End::Running { Verdict::Open } else { Verdict::Met(told) }
    }

    fn done(&self, step: &CleanStr, before: Option<&CleanStr>, within: TimeDelta) -> Verdict {
        let (at, next) = (done_at(step, self.done), before.and_then(|step| done_at(step, self.done)));
        match (at, next) {
            (Some(at), Some(next)) if at > next => Verdict::Missed("it was done afterwards".to_owned()),
            (None, Some(_)) => Verdict::Missed("it was not done before".to_owned()),
            (at, _) => self.timely(self.incident.milestone(Milestone::Detected), at, within, "done"),
        }
    }

    fn avoided(&self, id: &CleanStr) -> Verdict {
        let fault = self.exercise.faults.iter().find(|fault| fault.id == *id);
        match fault.and_then(|fault| Some((fault, fault.when.as_ref()?.pulled(self.done)?))) {
            Some((fault, _)) => Verdict::Missed(fault.what.to_string()),
            None if self.end != End::Running => Verdict::Met("the wrong turn was not taken".to_owned()),
            None => Verdict::Open,
        }
    }

    fn proven(&self) -> Verdict {
        let Some(resolution) = &self.incident.resolution else { return self.missed("it was not resolved".to_owned()) };
        let missing: Vec<_> = resolution.proof.iter().filter(|line| !line.met).map(|line| line.what.as_str()).collect();
        match (resolution.proof.is_empty(), missing.as_slice()) {
            (false, []) => Verdict::Met(format!("{} checks were normal again", resolution.proof.len())),
            (true, _) => Verdict::Missed("it was resolved without a check".to_owned()),
            (false, missing) => Verdict::Missed(format!("not normal again: {}", missing.join(", "))),
        }
    }
}

impl Debrief {
    /// How many criteria were met, of how many.
    pub fn score(&self) -> (usize, usize) {
        let met = self.criteria.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Met(_))).count();
        (met, self.criteria.len())
    }

    /// Whether the schedule counts it: the runbook wants staging, a pre-brief, and a debrief that was filed.
    pub fn counts(&self) -> bool {
        let is_briefed = self.staging.as_ref().is_some_and(|staging| staging.is_briefed);
        self.end == End::Completed && is_briefed && self.filed.is_some()
    }

    /// As a page, in Markdown, with room for what people say.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let (met, of) = self.score();
        let _ = writeln!(text, "# Debrief of {}: {}\n", self.id, self.title);
        let _ = writeln!(
            text,
            "A drill, {}, begun {}; {}. {met} of {of} success criteria met, {} hints given.\n",
            self.staging
                .as_ref()
                .map_or_else(|| "simulated".to_owned(), |at| format!("in staging at {}", at.prometheus)),
            self.start.format("%Y-%m-%d %H:%M UTC"),
            self.end.word(),
            self.hints
        );
        for (role, name) in &self.stand_ins {
            let _ = writeln!(text, "{}.\n", played(*role, name));
        }
        for what in &self.standing {
            let _ = writeln!(text, "**Still in staging: {what}.** `staging` takes it back.\n");
        }
        if self.staging.is_some() && self.end == End::Completed {
            let _ = match (&self.filed, self.counts()) {
                (Some(at), true) => writeln!(text, "Filed at {at}: the schedule counts it.\n"),
                (Some(at), false) => {
                    writeln!(text, "Filed at {at}; without a pre-brief the schedule does not count it.\n")
                }
                (None, _) => {
                    writeln!(text, "Not filed yet: the schedule counts it once `article` says where this debrief is.\n")
                }
            };
        }
        if !self.paused.is_zero() {
            let _ =
                writeln!(text, "It stood still for {} in all: none of that is in any measure.\n", spoken(self.paused));
        }
        if let Some(name) = &self.facilitator {
            let _ = writeln!(text, "Facilitated by {name}.\n");
        }
        let _ = writeln!(text, "## Success criteria\n");
        for (place, (what, verdict)) in self.criteria.iter().enumerate() {
            let _ = match verdict {
                Verdict::Met(how) => writeln!(text, "- [x] {what}: {how}"),
                Verdict::Missed(why) => writeln!(text, "- [ ] **MISSED** {what}: {why}"),
                Verdict::NotReached(why) => writeln!(text, "- [ ] not reached: {what}: {why}"),
                Verdict::Open => writeln!(text, "- [ ] open: {what}"),
            };
            let is_told = matches!(verdict, Verdict::Met(how) | Verdict::Missed(how) if how.starts_with("as "));
            let score = u32::try_from(place + 1).ok().and_then(|place| self.scores.get(&place)).filter(|_| !is_told);
            if let Some((by, met, why)) = score {
                let word = if *met { "met" } else { "missed" };
                let _ = writeln!(text, "  - as {by} judges it: **{word}** {why}");
            }
        }
        if !self.wrong_turns.is_empty() {
            let _ = writeln!(text, "\n## Wrong turns\n");
            for turn in &self.wrong_turns {
                let _ = writeln!(text, "- {} {}", turn.at.format("%H:%M:%S UTC"), turn.what);
            }
        }
        if !self.asides.is_empty() {
            let _ = writeln!(text, "\n## Facilitator's notes\n");
            for (at, by, what) in &self.asides {
                let _ = writeln!(text, "- {} {by}: {what}", at.format("%H:%M:%S UTC"));
            }
        }
        let _ = writeln!(text, "\n## What went well\n\n- \n\n## What went badly\n\n- ");
        let _ = writeln!(text, "\n## Action items\n");
        if self.actions.is_empty() {
            let _ = writeln!(text, "- none recorded: `todo` lines of the drill become action items");
        }
        for (what, owner) in &self.actions {
            let _ = writeln!(text, "- {what} ({})", owner.as_deref().unwrap_or("nobody yet"));
        }
        text
    }
}

#[cfg(test)]
mod tests;
