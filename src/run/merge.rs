//! Merging a duplicate into the incident in which the work goes on.
//!
//! Hides in which order two records are changed: first the one that goes on, then the duplicate is closed.
//!
//! Invariant: what was half done is finished by the same call again.

use anyhow::{anyhow, bail};

use super::{clock, records};
use crate::incident::command::decide;
use crate::incident::{Actor, Asking, Cadence, Command, Event, Incident, IncidentId, Outcome, PhaseEntered, Via};
use crate::journal::{Journal, JournalDir, NewEntry};
use crate::text::CleanStr;

/// Who merges, by which rules.
#[derive(Clone, Debug)]
pub struct Merging {
    /// Who asks for it.
    pub actor: Actor,
    /// Which process writes.
    pub via: Via,
    /// The runbook's times.
    pub cadence: Cadence,
}

impl Merging {
    /// What a merge would do, in lines; none where nothing is left to do.
    pub fn would(&self, dir: &JournalDir, from: IncidentId, into: IncidentId) -> anyhow::Result<Vec<String>> {
        let (duplicate, target) = self.both(dir, from, into)?;
        let lines = target.missing_of(&duplicate).len();
        let is_closed = duplicate.outcome == Some(Outcome::Merged(into));
        if is_closed && target.merged.contains(&from) {
            return Ok(Vec::new());
        }
        let lines = crate::text::many(lines, "line");
        Ok(vec![
            format!("{from} ({}) is closed as a duplicate", duplicate.title),
            format!("its earliest clocks and {lines} of its timeline go along into {into} ({})", target.title),
            format!("`warroom unmerge {from}` takes it back"),
        ])
    }

    /// Both records, where a merge makes sense; whether the second step can be done is asked before the first one is.
    fn both(&self, dir: &JournalDir, from: IncidentId, into: IncidentId) -> anyhow::Result<(Incident, Incident)> {
        let (duplicate, target) = (records::read(dir, from)?, records::read(dir, into)?);
        if duplicate.is_blank() {
            bail!("{from} was never declared: there is nothing to merge");
        }
        if let Some(Outcome::Merged(elsewhere)) = target.outcome {
            bail!("{into} goes on in {elsewhere}: merge into that one");
        }
        if duplicate.outcome != Some(Outcome::Merged(into)) {
            self.decide(&duplicate, Command::CloseAs(Outcome::Merged(into), None))?;
        }
        if !target.merged.contains(&from) {
            self.decide(&target, Command::Merge(duplicate.as_duplicate(), target.missing_of(&duplicate)))?;
        }
        Ok((duplicate, target))
    }

    /// Merges; says in a sentence what was done.
    pub fn merge(&self, dir: &JournalDir, from: IncidentId, into: IncidentId) -> anyhow::Result<String> {
        let (duplicate, target) = self.both(dir, from, into)?;
        let close = Command::CloseAs(Outcome::Merged(into), None);
        let is_closed = duplicate.outcome == Some(Outcome::Merged(into));
        let was_merged = target.merged.contains(&from);
        let lines = target.missing_of(&duplicate);
        if was_merged {
            self.append(dir, into, lines.into_iter().map(Event::LineMerged).collect())?;
        } else {
            let merge = Command::Merge(duplicate.as_duplicate(), lines);
            self.append(dir, into, self.decide(&target, merge)?)?;
        }
        if !is_closed {
            // What both have in another system is ended there with the record that goes on.
            let keeps = records::read(dir, into)?.shared_with(&duplicate);
            let close = self.decide(&duplicate, close)?.into_iter().map(|event| match event {
                Event::PhaseEntered(body) => Event::PhaseEntered(PhaseEntered { keeps: keeps.clone(), ..body }),
                other => other,
            });
            self.append(dir, from, close.collect())?;
            // Somebody may have written in the duplicate meanwhile.
            let late = records::read(dir, into)?.missing_of(&records::read(dir, from)?);
            self.append(dir, into, late.into_iter().map(Event::LineMerged).collect())?;
        }
        Ok(match (was_merged, is_closed) {
            (false, false) => {
                format!("{from} goes on in {into}: its lines and earliest clocks are there, and it is closed")
            }
            (true, false) => format!("{from} was merged into {into} before and is closed now: the merge is finished"),
            (true, true) => format!("{from} was merged into {into} before: nothing is left to do"),
            (false, true) => format!("{from} was closed before and its lines are in {into} now: the merge is finished"),
        })
    }

    /// Takes the merge of a duplicate back; says in a sentence what was done. Both records are as if it had never been, and say that it was.
    pub fn undo(&self, dir: &JournalDir, from: IncidentId, reason: &CleanStr) -> anyhow::Result<String> {
        let duplicate = records::read(dir, from)?;
        let Some(Outcome::Merged(into)) = duplicate.outcome else {
            bail!("{from} is not merged into another record");
        };
        let undo = |other| Command::Unmerge(other, Some(reason.clone()));
        let reopened = self.decide(&duplicate, undo(into))?;
        let target = records::read(dir, into)?;
        // Where that was done before, the second step is left to do.
        if target.merged.contains(&from) {
            self.append(dir, into, self.decide(&target, undo(from))?)?;
        }
        self.append(dir, from, reopened)?;
        Ok(format!("{from} is open again, and its lines and clocks are no part of {into} any more"))
    }

    fn decide(&self, incident: &Incident, command: Command) -> anyhow::Result<Vec<Event>> {
        let now = incident.clock().show(clock::wall());
        let asking = Asking { cadence: self.cadence, ..Asking::new(self.actor.clone(), now) };
        decide(incident, command, &asking).map_err(|refusal| anyhow!(refusal.saying().in_zone(incident.zone())))
    }

    fn append(&self, dir: &JournalDir, id: IncidentId, events: Vec<Event>) -> anyhow::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(self.actor.clone(), event)).collect();
        dir.journal(id, self.via.clone())?.append(&entries)?;
        Ok(())
    }
}
