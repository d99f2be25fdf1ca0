//! What others want from whoever reads along: tasks, proposals, texts, offers, alerts, and what an experienced commander would notice.
//!
//! Hides which of it was said already. A list of the same kind is a command; here each thing is said once, when it comes.
//!
//! Invariant: what only concerns somebody else is not pressed on anybody: tasks and offers are said to the person whose they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::alert::{AlertState, Cover};
use crate::escalation;
use crate::incident::{EntryId, Role, Scope, Severity};
use crate::pane::Cx;
use crate::pane::alerts::{burst, burst_line, seen};
use crate::run::plain::lists;
use crate::run::plain::numbers::Numbers;
use crate::text::CleanStr;

/// How many alerts one report may name.
const ALERTS_AT_ONCE: usize = 5;

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Work {
    things: BTreeSet<EntryId>,
    /// Firing ones by their fingerprints, with their names.
    alerts: BTreeMap<CleanStr, CleanStr>,
    burst: Option<String>,
    lamps: BTreeSet<String>,
    proposed: Option<Severity>,
}

impl Work {
    /// The lines for what came since the last call.
    pub(super) fn news(&mut self, numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
        let mut lines = self.things(numbers, cx);
        lines.extend(self.alerts(numbers, cx));
        lines.extend(self.lamps(cx));
        lines.extend(self.severity(cx));
        lines
    }

    fn things(&mut self, numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
        let incident = cx.incident;
        let mut lines = Vec::new();
        for task in incident.open_tasks().filter(|task| cx.is_me(&task.to)) {
            if self.things.insert(task.id) {
                let (number, words) = (numbers.tasks.of(&task.id), lists::task(task, cx));
                lines.push(format!("FOR YOU: task {number} {words} (:read-back {number}, then :done {number})"));
            }
        }
        for offer in incident.offers.iter().filter(|offer| cx.is_me(&offer.to)) {
            if self.things.insert(offer.id) {
                let (number, words) = (numbers.offers.of(&offer.id), lists::offer(offer));
                lines.push(format!("FOR YOU: offer {number} {words} (:accept {number}, or :decline {number} REASON)"));
            }
        }
        for decision in incident.decisions.iter().filter(|decision| decision.made.is_none()) {
            if self.things.insert(decision.id) {
                let (number, words) = (numbers.decisions.of(&decision.id), lists::decision(decision, cx));
                lines.push(format!("PROPOSED: proposal {number} {words} (:object {number} WHY)"));
            }
        }
        for draft in &incident.drafts {
            if self.things.insert(draft.id) {
                let (number, words) = (numbers.drafts.of(&draft.id), lists::draft(draft, cx));
                let is_mine = cx.i_hold(Role::IncidentCommander);
                let way = if is_mine {
                    format!(" (:approve {number}, or :drop-draft {number} REASON)")
                } else {
                    String::new()
                };
                lines.push(format!("WAITS FOR APPROVAL: text {number} {words}{way}"));
            }
        }
        lines
    }

    /// Alerts alone: what is to be said while no record is open.
    pub(super) fn alerts(&mut self, numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
        if cx.live.reported.values().all(|reported| reported.at.is_none()) {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut more = 0;
        let mut firing = BTreeMap::new();
        let known = seen(cx);
        for seen in known.iter().filter(|seen| seen.is_firing()) {
            let print = seen.fingerprint().clone();
            if !self.alerts.contains_key(&print) {
                let number = numbers.alerts.of(&print);
                if lines.len() < ALERTS_AT_ONCE {
                    let words = lists::alert(seen, cx);
                    let way = match (&seen.cover, cx.incident.is_blank()) {
                        (Some(Cover::Linked(_)), _) => String::new(),
                        (_, true) => format!(" (:declare-from {number})"),
                        (_, false) => format!(" (:link {number}, or :declare-from {number})"),
                    };
                    lines.push(format!("ALERT: alert {number} {words}{way}"));
                } else {
                    more += 1;
                }
            }
            firing.insert(print, seen.live.alert.name.clone());
        }
        let together = burst(cx).map(|burst| burst_line(&burst, cx));
        if together != self.burst {
            lines.extend(together.as_ref().map(|line| format!("{line} (:declare-from burst)")));
            self.burst = together;
        }
        if more > 0 {
            lines.push(format!("ALERT: and {more} more: :alerts lists them"));
        }
        let over: Vec<_> = self.alerts.iter().filter(|(print, _)| !firing.contains_key(*print)).collect();
        for (print, name) in over.iter().take(ALERTS_AT_ONCE) {
            let still = known.iter().find(|seen| seen.live.fingerprints().contains(print));
            let now = match still.map(|seen| seen.live.state) {
                Some(state @ AlertState::Suppressed { .. }) => format!("is {}, and still fires", state.word()),
                _ => "does not fire any more".to_owned(),
            };
            lines.push(format!("alert {} {name} {now}", numbers.alerts.of(print)));
        }
        if let Some(more) = over.len().checked_sub(ALERTS_AT_ONCE).filter(|more| *more > 0) {
            lines.push(format!("and {more} more alerts do not fire any more"));
        }
        self.alerts = firing;
        lines
    }

    fn lamps(&mut self, cx: &Cx<'_>) -> Vec<String> {
        let lamps: BTreeSet<String> = cx.lamps().into_iter().collect();
        let lines = lamps.difference(&self.lamps).map(|lamp| format!("lamp: {lamp}")).collect();
        self.lamps = lamps;
        lines
    }

    /// The severity that the matrix gives what is known, where that is worse.
    fn severity(&mut self, cx: &Cx<'_>) -> Option<String> {
        let scope = &cx.incident.scope;
        let is_partial = !scope.partners.is_empty() || !cx.incident.services.is_empty();
        let outage = scope.complete_outage == Some(true);
        let found = escalation::propose(scope.regulatory, scope.users_percent, is_partial, outage);
        let (severity, why) = found.filter(|(severity, _)| {
            // Before triage nothing is known, and one service alone proposes nothing new.
            *scope != Scope::default()
                && cx.incident.severity.is_some_and(|is| *severity < is)
                && cx.incident.phase().is_live()
        })?;
        let is_news = self.proposed.replace(severity) != Some(severity);
        is_news.then(|| format!("{why}: {severity} by the matrix (:severity {} sets it)", &severity.name()[3..]))
    }
}
