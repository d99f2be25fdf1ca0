//! The postmortem: the record of an incident as a Markdown text that people go on writing.
//!
//! Hides what is said in full and what folds: six hours of six people become some pages, and the record keeps the rest.
//!
//! Invariant: a struck or redacted line is never quoted; no note can change the shape of the document; what nobody recorded reads "not recorded".

use chrono::{DateTime, Duration, DurationRound, TimeDelta, Utc};

use super::brief::{Weight, is_in_clear, noted, scope_in_words, weight};
use super::measures::{Measure, Measures, measures, resolve_target};
use super::*;
use crate::text::{fit, many};

mod markdown;
mod story;
mod symptoms;

use markdown::{escape, link};

/// The longest quotation, in columns.
const QUOTE: usize = 300;
/// The most items of a list that names lines one by one; the rest is counted.
const MOST_LISTED: usize = 40;
/// Something that was pinned so short a time before or after a finding supports it.
const NEAR: TimeDelta = TimeDelta::minutes(10);

/// The postmortem as Markdown.
pub fn postmortem(incident: &Incident, rules: Rules<'_>, now: DateTime<Utc>) -> String {
    let cadence = rules.cadence;
    let measures = measures(incident, cadence, now);
    let mut text = Text { incident, out: String::new() };
    text.head();
    text.summary(&measures);
    text.impact(&measures);
    symptoms::symptoms(&mut text);
    text.root_cause();
    text.mitigation();
    text.follow_ups();
    text.undone(rules);
    text.metrics(&measures, cadence);
    text.amended();
    text.decisions();
    text.hypotheses();
    text.evidence();
    text.heading("What went well");
    text.left_to_people();
    text.heading("What went badly");
    text.left_to_people();
    story::timeline(&mut text);
    text.out
}

struct Text<'a> {
    incident: &'a Incident,
    out: String,
}

impl Text<'_> {
    fn line(&mut self, line: impl AsRef<str>) {
        self.out.push_str(line.as_ref());
        self.out.push('\n');
    }

    fn heading(&mut self, title: &str) {
        self.line(format!("\n## {title}\n"));
    }

    fn left_to_people(&mut self) {
        self.line("_To be filled in._");
    }

    /// A moment in the incident's zone.
    fn moment(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.incident.zone()).format("%Y-%m-%d %H:%M:%S %Z").to_string()
    }

    fn maybe(&self, at: Option<DateTime<Utc>>) -> String {
        at.map_or_else(|| "not recorded".to_owned(), |at| self.moment(at))
    }

    /// Items, the first so many of them.
    fn items(&mut self, items: Vec<String>, none: &str) {
        if items.is_empty() {
            self.line(none);
        }
        for item in items.iter().take(MOST_LISTED) {
            self.line(format!("- {item}"));
        }
        if let Some(more @ 1..) = items.len().checked_sub(MOST_LISTED) {
            self.line(format!("- … and {more} more: `warroom show {}`", self.incident.id()));
        }
    }

    fn head(&mut self) {
        let incident = self.incident;
        self.line(format!("# Postmortem {}: {}", incident.id(), escape(&incident.title)));
        if incident.drill.is_some() {
            self.line("\n**This was a drill.**");
        }
        if incident.is_blank() {
            self.line("\n**Nothing was declared in this record.**");
        } else if incident.phase().is_live() {
            self.line(format!("\n**The incident is not over: its phase is {}.**", incident.phase()));
        }
        let review = match &incident.postmortem {
            Some(body) => format!("{}, {} owns it", self.moment(body.at), escape(&body.owner)),
            None => "not scheduled".to_owned(),
        };
        self.line(format!("\nReview: {review}. All times are in {}.", escape(incident.zone().name())));
    }

    fn summary(&mut self, measures: &Measures) {
        let incident = self.incident;
        self.heading("Summary");
        let severity = match (incident.worst, incident.severity) {
            (Some(worst), Some(last)) if worst != last => format!("{worst} at worst, {last} at the end"),
            (Some(worst), _) => format!("{worst} ({})", worst.definition()),
            (None, _) => "not recorded".to_owned(),
        };
        let told = match &incident.detection {
            Some(Detection::Alert { name }) => format!("alert {}", escape(name)),
            Some(Detection::Report { by }) => format!("reported by {}", escape(by)),
            None => "not recorded".to_owned(),
        };
        self.line(format!("- What: {}", escape(&incident.title)));
        self.line(format!("- Severity: {severity}"));
        self.line(format!("- Detected by: {told}"));
        let alerts: Vec<_> = incident.alerts.iter().map(|alert| escape(&alert.name)).collect();
        if !alerts.is_empty() {
            self.line(format!("- Alerts: {}", alerts.join(", ")));
        }
        if let Some(at) = self.report_link() {
            self.line(format!("- Report: {at}"));
        }
        let ended = match (&incident.resolution, incident.outcome) {
            (_, Some(Outcome::FalseAlarm)) => "false alarm".to_owned(),
            (_, Some(Outcome::Backlog)) => "handled within the squad, logged for the backlog".to_owned(),
            (_, Some(Outcome::Merged(into))) => format!("goes on in {into}"),
            (Some(resolution), _) => {
                let status = resolution.final_status.as_ref().map_or("", |status| status.first_line());
                format!("resolved by {} after {}. {}", escape(&resolution.mark.by), measures.resolve, escape(status))
            }
            (None, _) => "not resolved".to_owned(),
        };
        self.line(format!("- How it ended: {}", ended.trim_end()));
        let people: Vec<_> = incident
            .roles
            .iter()
            .map(|(seat, mark)| {
                let component = seat.component.as_ref().map(|name| format!(" for {}", escape(name)));
                format!(
                    "{} {}{}{}",
                    seat.role.name(),
                    escape(&mark.by),
                    component.unwrap_or_default(),
                    incident.part(seat)
                )
            })
            .collect();
        self.line(format!(
            "- Roles at the end: {}",
            if people.is_empty() { "none".to_owned() } else { people.join(", ") }
        ));
        for from in &incident.merged {
            self.line(format!("- {from} was about the same and is part of this record"));
        }
    }

    /// Where the report stands that the incident was declared from.
    fn report_link(&self) -> Option<String> {
        self.incident.entries().find_map(|entry| match &entry.event {
            Event::Declared(body) => body.link.as_ref().filter(|at| !at.is_blank()).map(|at| link(at)),
            _ => None,
        })
    }

    fn impact(&mut self, measures: &Measures) {
        let incident = self.incident;
        self.heading("Impact");
        self.line(format!("- Scope: {}", escape(&scope_in_words(incident))));
        if !incident.impact.is_known() && incident.nobody_affected.is_some() {
            self.line("- Customers: none was affected");
            return;
        }
        let end = if incident.impact.is_open() { None } else { incident.impact.end() };
        self.line(format!("- Customers hurt from: {}", self.maybe(incident.impact.start())));
        self.line(format!("- Customers hurt until: {}", self.maybe(end)));
        self.line(format!("- Length: {}", measures.impact));
        self.stretches(&incident.impact);
        if incident.scope.customers.len() > 1 {
            let counts: Vec<_> = incident
                .scope
                .customers
                .iter()
                .map(|(at, count)| format!("{count} at {}", at.with_timezone(&incident.zone()).format("%H:%M")))
                .collect();
            let shown = counts.len().saturating_sub(12);
            self.line(format!("- Customers counted: {}", counts[shown..].join(", ")));
        }
    }

    fn root_cause(&mut self) {
        self.heading("Root cause");
        let causes: Vec<_> = self
            .incident
            .hypotheses
            .iter()
            .filter_map(|known| {
                let (mark, holds, evidence) = known.settled.as_ref()?;
                let by = escape(&mark.by);
                holds.then(|| format!("{} (confirmed by {by}: {})", escape(&known.theory.text), escape(evidence)))
            })
            .collect();
        self.items(causes, "not recorded: no theory was confirmed.");
    }

    fn mitigation(&mut self) {
        let incident = self.incident;
        self.heading("Mitigation");
        let mut items: Vec<_> = incident
            .decisions
            .iter()
            .filter_map(|decision| {
                let (mark, made) = decision.made.as_ref().filter(|(_, made)| made.go)?;
                let _ = made;
                Some(format!("{}: {}", self.moment(mark.at), escape(&decision.proposal.action)))
            })
            .collect();
        let (mut done, mut skipped) = (0, Vec::new());
        for (step, state) in &incident.steps {
            match state {
                StepState::Checked(_) => done += 1,
                StepState::Skipped(_, reason) => {
                    skipped.push(format!("skipped {}: {}", escape(&step.to_string()), escape(reason)))
                }
                StepState::Reopened(_) => {}
            }
        }
        if done > 0 {
            items.push(format!("{done} playbook steps were done"));
        }
        items.extend(skipped);
        self.items(items, "not recorded: no proposal was decided on, no playbook step was done.");
        self.line(format!("\nTook hold: {}.", self.maybe(incident.milestone(Milestone::Mitigated))));
        if let Some(resolution) = &incident.resolution {
            self.line("\nProof at the end:\n");
            let proof = resolution.proof.iter().map(|line| {
                let word = if line.met { "normal" } else { "NOT normal" };
                format!("{}: {word}, {}", escape(&line.what), escape(&line.seen))
            });
            let proof = proof.collect();
            self.items(proof, "none was taken.");
            if let Some(reason) = &resolution.reason {
                self.line(format!("\nResolved without full proof: {}", escape(reason)));
            }
        }
    }

    fn follow_ups(&mut self) {
        let incident = self.incident;
        self.heading("Follow-up tasks");
        let items: Vec<_> = incident
            .follow_ups
            .iter()
            .map(|item| {
                let owner = item.owner.as_ref().map_or_else(|| "**no owner**".to_owned(), |owner| escape(owner));
                let due = item.due.map_or_else(|| "**no day**".to_owned(), |due| format!("until {due}"));
                let (tick, rest) = match item.state {
                    FollowUpState::Open => (' ', String::new()),
                    FollowUpState::Done => ('x', ", done".to_owned()),
                    FollowUpState::Dropped => {
                        let reason = item.reason.as_ref().map_or("no reason", |reason| reason.as_str());
                        ('x', format!(", dropped: {}", escape(reason)))
                    }
                };
                format!("[{tick}] {} ({owner}, {due}{rest})", escape(fit(&item.what, QUOTE).as_ref()))
            })
            .collect();
        // All of them: what is not on this list is forgotten.
        if items.is_empty() {
            self.line("none is recorded.");
        }
        for item in items {
            self.line(format!("- {item}"));
        }
        let article = incident.article.as_ref().map_or_else(|| "not recorded".to_owned(), |article| link(&article.url));
        self.line(format!("\nKnowledge-base article: {article}."));
        // The list above says already which follow-ups have no owner.
        let ends: Vec<_> = incident.open_ends().into_iter().filter(|end| !end.starts_with("the follow-up `")).collect();
        if !ends.is_empty() && !incident.is_blank() && incident.drill.is_none() {
            let ends: Vec<_> = ends.iter().map(|end| escape(end)).collect();
            self.line(format!("\nStill open: {}.", ends.join("; ")));
        }
    }

    /// What was owed and did not happen, each by its name.
    fn undone(&mut self, rules: Rules<'_>) {
        let undone: Vec<_> = unfinished(self.incident, rules).iter().map(|one| escape(one)).collect();
        if !undone.is_empty() {
            self.heading("Left undone");
            // All of them: what is not on this list is forgotten.
            undone.into_iter().for_each(|one| self.line(format!("- {one}")));
        }
    }

    /// Each stretch in which customers hurt, where there is more to tell than one beginning and one end.
    fn stretches(&mut self, impact: &Impact) {
        let windows = impact.windows();
        if windows.len() < 2 && windows.iter().all(|window| window.service.is_none()) {
            return;
        }
        for window in windows {
            let whose = window.service.as_ref().map_or_else(|| "all that was affected".to_owned(), |name| escape(name));
            let length = Measure::between(Some(window.start), window.end);
            let (from, to) = (self.maybe(Some(window.start)), self.maybe(window.end));
            self.line(format!("  - {whose}: {from} to {to} ({length})"));
        }
    }

    fn metrics(&mut self, measures: &Measures, cadence: &Cadence) {
        self.heading("Metrics");
        self.line("| measure | value | target | met |");
        self.line("| --- | --- | --- | --- |");
        let mut row = |name: &str, value: Measure, target: Option<TimeDelta>| {
            let (target, met) = match target {
                Some(target) => {
                    let met = value.is_below(target).map_or("cannot be said", |met| if met { "yes" } else { "no" });
                    (format!("< {}", measures::spoken(target)), met)
                }
                None => ("none".to_owned(), ""),
            };
            self.line(format!("| {name} | {value} | {target} | {met} |"));
        };
        row("time to detect", measures.detect, None);
        row("time to acknowledge", measures.acknowledge, Some(cadence.acknowledge));
        row("time to mitigate", measures.mitigate, None);
        row("time to resolve", measures.resolve, resolve_target(measures.severity, cadence));
        row("customer impact", measures.impact, None);
        let external = measures.external_kept.map_or("not due", |kept| if kept { "yes" } else { "no" });
        let within = measures::spoken(cadence.external);
        self.line(format!("| impact to external status page | {} | ≤ {within} | {external} |", measures.external));
        for kept in &measures.cadence {
            let worst = kept.worst.map_or_else(|| "not recorded".to_owned(), measures::spoken);
            let share = match kept.percent() {
                Some(share) => format!("{share:.0} % of {} kept, longest silence {worst}", kept.owed),
                None => "none was due".to_owned(),
            };
            let met = if kept.owed == 0 {
                ""
            } else if kept.kept == kept.owed {
                "yes"
            } else {
                "no"
            };
            self.line(format!("| updates, {} | {share} | all | {met} |", escape(kept.channel.name())));
        }
        let counts = measures.counts;
        self.line(format!(
            "\n{} by {}: {}, {}, {}, {}, {}, {} of evidence.",
            many(counts.entries, "entry"),
            if counts.people == 1 { "1 person".to_owned() } else { format!("{} people", counts.people) },
            many(counts.notes, "line"),
            many(counts.updates, "update"),
            many(counts.decisions, "decision"),
            if counts.hypotheses == 1 { "1 theory".to_owned() } else { format!("{} theories", counts.hypotheses) },
            many(counts.tasks, "task"),
            many(counts.evidence, "piece")
        ));
    }

    fn amended(&mut self) {
        let incident = self.incident;
        if incident.corrections.is_empty() {
            return;
        }
        self.heading("Amended times");
        let mut items = Vec::new();
        for (which, corrections) in &incident.corrections {
            for one in corrections {
                items.push(format!(
                    "{}: {}, before: {} ({}: {})",
                    which.name(),
                    self.moment(one.to),
                    self.maybe(one.from),
                    escape(&one.mark.by),
                    escape(&one.reason)
                ));
            }
        }
        self.items(items, "none");
    }

    fn decisions(&mut self) {
        let incident = self.incident;
        self.heading("Decisions");
        let mut items: Vec<(DateTime<Utc>, String)> = Vec::new();
        for decision in &incident.decisions {
            let DecisionProposed { action, risk, undo, plan_b, .. } = &decision.proposal;
            let (at, by, word, reason) = match &decision.made {
                Some((mark, made)) => (mark.at, &mark.by, if made.go { "go" } else { "no" }, made.reason.as_ref()),
                None => (decision.proposed.at, &decision.proposed.by, "proposed, never decided", None),
            };
            let mut text = format!(
                "**{}**: {word}, {} (risk: {}; undo: {}",
                escape(action),
                escape(by),
                escape(risk),
                escape(undo)
            );
            if let Some(plan) = plan_b {
                text += &format!("; plan B: {}", escape(plan));
            }
            text.push(')');
            if let Some(reason) = reason {
                text += &format!(" because {}", escape(reason));
            }
            for (mark, objection) in &decision.objections {
                text += &format!("; {} objected: {}", escape(&mark.by), escape(objection));
            }
            items.push((at, text));
        }
        items.extend(noted(incident, NoteKind::Decision).map(|line| (line.at, quoted(&line))));
        items.sort();
        let items = items.into_iter().map(|(at, text)| format!("{} {text}", self.moment(at))).collect();
        self.items(items, "none is recorded.");
    }

    fn hypotheses(&mut self) {
        self.heading("Theories");
        let items = self
            .incident
            .hypotheses
            .iter()
            .map(|known| {
                let (word, evidence) = match &known.settled {
                    Some((mark, true, evidence)) => ("confirmed", format!(" by {}: {}", mark.by, evidence)),
                    Some((mark, false, evidence)) => ("eliminated", format!(" by {}: {}", mark.by, evidence)),
                    None => ("never settled", String::new()),
                };
                format!("{}: **{word}**{}", escape(&known.theory.text), escape(&evidence))
            })
            .collect();
        self.items(items, "none is recorded.");
    }

    fn evidence(&mut self) {
        let incident = self.incident;
        self.heading("Evidence");
        let view = incident.timeline();
        let mut pinned = Vec::new();
        let mut named = BTreeSet::new();
        let mut items = Vec::new();
        for place in 0..view.len() {
            let Some(entry) = view.id(place).and_then(|id| incident.entry(id)) else { continue };
            if matches!(entry.event, Event::EvidencePinned(_))
                && let Some(line) = view.line(place).filter(is_in_clear)
            {
                pinned.push(line.at);
                named.extend(entry.after);
                items.push(format!("{} {}", self.moment(line.at), quoted(&line)));
            }
        }
        self.items(items, "none was pinned.");
        let is_backed = |line: &Line| {
            let text = &line.text;
            let shows = text.lines().nth(1).is_some() || text.contains("http://") || text.contains("https://");
            shows || named.contains(&line.id) || pinned.iter().any(|at| (*at - line.at).abs() <= NEAR)
        };
        let mut bare: Vec<_> = [NoteKind::Finding, NoteKind::Decision]
            .into_iter()
            .flat_map(|kind| noted(incident, kind))
            .filter(|line| !is_backed(line))
            .map(|line| (line.at, quoted(&line)))
            .collect();
        bare.extend(incident.decisions.iter().filter_map(|decision| {
            let (mark, _) = decision.made.as_ref()?;
            let is_near = pinned.iter().any(|at| (*at - mark.at).abs() <= NEAR);
            (!is_near).then(|| (mark.at, escape(&decision.proposal.action)))
        }));
        bare.sort();
        if !bare.is_empty() {
            self.line("\n### Findings and decisions without evidence\n");
            self.line(
                "Nothing was pinned within ten minutes of them, nothing refers to them, and they show no output or address themselves.\n",
            );
            let bare = bare.into_iter().map(|(at, text)| format!("{} {text}", self.moment(at))).collect();
            self.items(bare, "none");
        }
    }
}

/// A line's words and who wrote them, harmless in Markdown.
fn quoted(line: &Line) -> String {
    let more = line.text.lines().count().saturating_sub(1);
    let more = if more > 0 { format!(" (+ {})", many(more, "line")) } else { String::new() };
    let amended = if line.amended.is_some() { ", amended" } else { "" };
    let text = fit(line.text.first_line(), QUOTE);
    format!("{}{more} ({}{amended})", escape(&text), escape(&line.actor))
}

#[cfg(test)]
mod tests;
