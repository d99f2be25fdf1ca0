//! The timeline of the postmortem: one section a phase, full where little happened, folded where much did.
//!
//! Hides the folding: what changed where the incident stood is quoted, the rest of a busy half hour is counted.
//!
//! Invariant: every line of the timeline is quoted or counted.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A phase with no more lines than this is told in full.
const FULL: usize = 40;
/// In a busy phase, each half hour quotes so many lines, and every one that changed where the incident stood.
const QUOTED: usize = 12;

pub(super) fn timeline(text: &mut Text<'_>) {
    let incident = text.incident;
    text.heading("Timeline");
    let lines: Vec<_> = incident.timeline().lines().collect();
    let clear: Vec<_> = lines.iter().filter(|line| is_in_clear(line)).collect();
    let hidden = lines.len() - clear.len();
    let (from, to) = (clear.first().map(|line| line.at), clear.last().map(|line| line.at));
    let form = Form::covering(from, to, incident.zone());
    // Lines before the first phase belong to it: what was noted with an earlier time.
    let starts: Vec<_> = incident.phases.iter().map(|(phase, mark)| (*phase, mark.at)).collect();
    let mut rest = clear.as_slice();
    if starts.is_empty() {
        told(text, rest, &form);
    }
    for (place, (phase, since)) in starts.iter().enumerate() {
        let end = starts.get(place + 1).map(|(_, until)| *until);
        let count = end.map_or(rest.len(), |until| rest.partition_point(|line| line.at < until));
        let (own, after) = rest.split_at(count);
        rest = after;
        text.line(format!("\n### {phase}, from {}\n", text.moment(*since)));
        told(text, own, &form);
    }
    if hidden > 0 {
        text.line(format!("\n{hidden} struck or redacted lines are left out."));
    }
    text.line(format!("\nThe whole record: `warroom show {}`.", incident.id()));
}

/// How times of day are written: with the zone where the clocks changed, with the day where midnight passed.
struct Form {
    zone: chrono_tz::Tz,
    pattern: &'static str,
}

impl Form {
    fn covering(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>, zone: chrono_tz::Tz) -> Self {
        let (from, to) = (from.map(|at| at.with_timezone(&zone)), to.map(|at| at.with_timezone(&zone)));
        let (mut is_one_day, mut is_one_offset) = (true, true);
        if let (Some(from), Some(to)) = (from, to) {
            is_one_day = from.date_naive() == to.date_naive();
            is_one_offset = from.format("%z").to_string() == to.format("%z").to_string();
        }
        let pattern = match (is_one_day, is_one_offset) {
            (true, true) => "%H:%M:%S",
            (true, false) => "%H:%M:%S %Z",
            (false, true) => "%b %-d %H:%M:%S",
            (false, false) => "%b %-d %H:%M:%S %Z",
        };
        Self { zone, pattern }
    }

    fn show(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format(self.pattern).to_string()
    }
}

fn told(text: &mut Text<'_>, lines: &[&Line], form: &Form) {
    let incident = text.incident;
    let human = lines.iter().filter(|line| weight(incident, line) != Weight::Machine).count();
    if human <= FULL {
        let (shown, machine): (Vec<_>, Vec<_>) =
            lines.iter().copied().partition(|line| weight(incident, line) != Weight::Machine);
        for line in shown {
            entry(text, line, form);
        }
        folded(text, &machine, form);
        return;
    }
    let mut blocks: BTreeMap<DateTime<Utc>, Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let start = line.at.duration_trunc(Duration::minutes(30)).unwrap_or(line.at);
        blocks.entry(start).or_default().push(line);
    }
    for lines in blocks.into_values() {
        let mut by_weight: Vec<_> = (0..lines.len()).collect();
        // A stable sort: of lines of one weight, the first ones are quoted.
        by_weight.sort_by_key(|place| weight(incident, lines[*place]));
        let quoted: BTreeSet<_> = by_weight
            .into_iter()
            .enumerate()
            .filter(|(rank, place)| match weight(incident, lines[*place]) {
                Weight::Turn => true,
                Weight::Key => *rank < QUOTED,
                Weight::Detail | Weight::Machine => lines.len() <= QUOTED,
            })
            .map(|(_, place)| place)
            .collect();
        let mut rest = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            if quoted.contains(&place) {
                entry(text, line, form);
            } else {
                rest.push(*line);
            }
        }
        folded(text, &rest, form);
    }
}

fn entry(text: &mut Text<'_>, line: &Line, form: &Form) {
    let late = line.lateness().map(|late| format!(", written {} later", measures::spoken(late))).unwrap_or_default();
    let beaten = line.beaten.as_ref().map(|first| format!(", without effect: {} was first", escape(&first.by)));
    let beaten = beaten.unwrap_or_default();
    text.line(format!("- {} **{}** {}{late}{beaten}", form.show(line.at), escape(line.tag), quoted(line)));
}

/// Lines that are only counted: how many of which kind, by whom.
fn folded(text: &mut Text<'_>, lines: &[&Line], form: &Form) {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return };
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        *kinds.entry(line.tag).or_default() += 1;
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let kinds: Vec<_> = kinds.iter().map(|(tag, count)| format!("{count} {}", escape(tag))).collect();
    let people: BTreeSet<_> = lines.iter().map(|line| escape(&line.actor)).collect();
    let people: Vec<_> = people.into_iter().collect();
    let others = people.len().saturating_sub(8);
    let more = if others > 0 { format!(" and {others} more") } else { String::new() };
    text.line(format!(
        "- {} to {}: {} more ({}) by {}{more}",
        form.show(first.at),
        form.show(last.at),
        lines.len(),
        kinds.join(", "),
        people[..people.len() - others].join(", ")
    ));
}
