//! Commands that look at traces: the kinds of spans, one trace, one span whole, and a trace beside a healthy one.

use chrono::{DateTime, Utc};

use super::super::Session;
use super::super::told::{group_details, group_line};
use super::{Answer, InShell, Verb, usage, verb};
use crate::console::Effect;
use crate::live::{Inquiry, SpanFinding};
use crate::pane::spans::{beside, waterfall};
use crate::spans::{SpanGroup, SpanOrder, Trace, TraceId, group};
use crate::widget::text::relative;

/// How many kinds of spans `:spans` lists.
const MOST_KINDS: usize = 20;
/// A trace is open only as long as its console.
const ONLY_OPEN: InShell = InShell::Not("a trace is open only as long as its console: `warroom open --plain` reads it");

pub(super) const VERBS: &[Verb] = &[
    verb("spans", "", "the causes of what failed, those that hurt most requests first, and slow spans", spans)
        .looks()
        .live(),
    verb("trace", "N | ID", "the newest trace of the Nth kind of :spans, or the one with this id, span by span", trace)
        .looks()
        .live()
        .shell(ONLY_OPEN),
    verb("span", "N", "the Nth span of that trace, whole", span).looks().live().shell(ONLY_OPEN),
    verb(
        "compare",
        "",
        "that trace beside a healthy one of the same operation, and the figures of both times",
        compare,
    )
    .looks()
    .live()
    .shell(ONLY_OPEN),
];

/// What was asked of a source and is said when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run::plain) enum Awaited {
    /// A trace.
    Trace(TraceId),
    /// A healthy one beside it.
    Healthy(TraceId),
}

/// All kinds of spans by their numbers: those of errors, then the slow ones.
pub(super) fn kinds(finding: &SpanFinding) -> Vec<SpanGroup> {
    let of = |rows| group(rows, finding.lookback, SpanOrder::Count);
    let mut all = of(&finding.errors);
    all.extend(of(&finding.slow));
    all
}

fn spans(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let cx = session.cx(wall);
    let Some((at, source, finding)) = &cx.live.spans else {
        return Err("no spans yet: they come from Jaeger, for the services that a playbook names".to_owned());
    };
    let (mut lines, mut before) = (Vec::new(), 0);
    for (name, rows) in [("error", &finding.errors), ("slow", &finding.slow)] {
        let groups = group(rows, finding.lookback, SpanOrder::Count);
        let none = if groups.is_empty() { " none" } else { "" };
        lines.push(format!("{name} spans, from {source}, {}:{none}", relative(*at, wall)));
        for (place, group) in groups.iter().enumerate().take(MOST_KINDS) {
            lines.push(format!("  kind {} {}", before + place + 1, group_line(group, &cx)));
            lines.extend(group_details(group).into_iter().map(|line| format!("      {line}")));
        }
        if groups.len() > MOST_KINDS {
            lines.push(format!("  and {} more kinds", groups.len() - MOST_KINDS));
        }
        before += groups.len();
    }
    let mended = group(&finding.mended, finding.lookback, SpanOrder::Count);
    let mended = mended.iter().take(MOST_KINDS);
    lines.extend(mended.map(|group| format!("  made good by another attempt: {}", group_line(group, &cx))));
    lines.extend(finding.remarks.iter().map(|remark| format!("  {remark}")));
    session.answer(lines)
}

fn trace(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let word = rest.trim();
    if word.is_empty() {
        return usage("trace");
    }
    let is_id = word.len() >= 16 && word.bytes().all(|letter| letter.is_ascii_hexdigit());
    let id: TraceId = if is_id {
        word.to_ascii_lowercase().as_str().into()
    } else {
        let Ok(number) = word.parse::<usize>() else { return usage("trace") };
        let cx = session.cx(wall);
        let Some((_, _, finding)) = &cx.live.spans else {
            return Err("no spans yet: there is no kind to open; :trace ID opens a trace by its id".to_owned());
        };
        let kinds = kinds(finding);
        let Some(kind) = number.checked_sub(1).and_then(|place| kinds.get(place)) else {
            return Err(format!("there is no kind {number} of spans: :spans lists {}", kinds.len()));
        };
        kind.example.clone()
    };
    session.await_source(Awaited::Trace(id.clone()));
    Ok(vec![Effect::Inquire(Inquiry::Trace(id))])
}

/// The trace that was read last.
fn open(session: &Session, wall: DateTime<Utc>) -> Result<&Trace, String> {
    match &session.cx(wall).live.trace {
        Some(Ok(trace)) => Ok(trace),
        Some(Err(_)) | None => Err("no trace is open: :trace N opens one".to_owned()),
    }
}

fn span(session: &mut Session, rest: &str, wall: DateTime<Utc>) -> Answer {
    let Ok(number) = rest.trim().parse::<usize>() else { return usage("span") };
    let trace = open(session, wall)?;
    let order = waterfall::order(trace);
    let Some(place) = number.checked_sub(1).and_then(|place| order.get(place)) else {
        return Err(format!("there is no span {number}: the trace has {}", order.len()));
    };
    let text = trace.spans[*place].in_full();
    session.answer(text.lines().map(str::to_owned).collect())
}

fn compare(session: &mut Session, _rest: &str, wall: DateTime<Utc>) -> Answer {
    let trace = open(session, wall)?;
    let id = trace.id.clone();
    let Some(wanted) = beside::wanted(trace, &session.cx(wall)) else {
        return Err("this trace has no span".to_owned());
    };
    session.await_source(Awaited::Healthy(id));
    Ok(vec![Effect::Inquire(Inquiry::Compare(wanted))])
}

/// The lines of what was asked, once it is there.
pub(in crate::run::plain) fn came(awaited: &Awaited, session: &Session, wall: DateTime<Utc>) -> Option<Vec<String>> {
    let cx = session.cx(wall);
    match (awaited, &cx.live.trace) {
        // A trace that is asked for by a short id comes with its long one.
        (Awaited::Trace(id), Some(Ok(trace))) if trace.id.ends_with(id.as_str()) => Some(waterfall::in_words(trace)),
        (Awaited::Trace(id), Some(Err((failed, why)))) if failed == id => Some(vec![format!("! {why}")]),
        (Awaited::Healthy(id), Some(Ok(trace))) if trace.id == *id => {
            let compared = beside::answer(trace, &cx)?;
            Some(beside::lines(trace, compared, &cx).into_iter().map(|line| line.text).collect())
        }
        (Awaited::Trace(_) | Awaited::Healthy(_), _) => None,
    }
}
