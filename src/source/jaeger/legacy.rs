//! Jaeger's internal JSON (`/api/traces`), which compatible stores speak too.
//!
//! Hides processes, references and the shapes of tags.
//!
//! Invariant: the parent is a span of the same trace; a reference into another trace is a link.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;

use super::lenient::{Value, at_micros, or_default, span_id, trace_id};
use super::settle::{is_same_trace, times};
use super::{Aim, Detail, Search, statuses_of};
use crate::live::WatchedService;
use crate::source::http::quoted;
use crate::spans::{Kind, Span, SpanLog, Status, Trace, http_status, is_evidence, outcome_of};
use crate::text::{CleanStr, CleanText};

/// The path and the query of a search. The tags are a map of text to text, and durations have a unit: anything else is refused.
pub(super) fn search(search: &Search) -> (&'static str, Vec<(&'static str, String)>) {
    let mut query = vec![
        ("service", search.service.to_string()),
        ("start", search.start.timestamp_micros().to_string()),
        ("end", search.end.timestamp_micros().to_string()),
        ("limit", search.limit.to_string()),
    ];
    query.extend(search.operation.iter().map(|operation| ("operation", operation.to_string())));
    match search.aim {
        Aim::TaggedErrors => query.push(("tags", r#"{"error":"true"}"#.to_owned())),
        Aim::Anything => {}
        Aim::Slow(limit) => query.push(("minDuration", format!("{}s", limit.as_seconds_f64()))),
    }
    ("api/traces", query)
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default, deserialize_with = "or_default")]
    data: Vec<WireTrace>,
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<WireError>,
}

#[derive(Deserialize)]
struct WireError {
    #[serde(default, deserialize_with = "or_default")]
    msg: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireTrace {
    #[serde(rename = "traceID", deserialize_with = "or_default")]
    id: String,
    #[serde(deserialize_with = "or_default")]
    spans: Vec<WireSpan>,
    #[serde(deserialize_with = "or_default")]
    processes: HashMap<String, Process>,
    #[serde(deserialize_with = "or_default")]
    warnings: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Process {
    #[serde(rename = "serviceName", deserialize_with = "or_default")]
    service: String,
    #[serde(deserialize_with = "or_default")]
    tags: Vec<Tag>,
}

/// What the spans of a process share.
#[derive(Clone)]
struct Of {
    service: CleanStr,
    tags: Arc<[(CleanStr, CleanStr)]>,
}

impl Of {
    fn process(process: &Process, detail: Detail) -> Self {
        let tags = if detail == Detail::Whole { pairs(&process.tags, detail).into() } else { Arc::default() };
        Self { service: CleanStr::field(&process.service), tags }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireSpan {
    #[serde(rename = "traceID", deserialize_with = "or_default")]
    trace: String,
    #[serde(rename = "spanID", deserialize_with = "or_default")]
    id: String,
    #[serde(rename = "parentSpanID", deserialize_with = "or_default")]
    parent: String,
    #[serde(rename = "operationName", deserialize_with = "or_default")]
    operation: String,
    #[serde(deserialize_with = "or_default")]
    references: Vec<Reference>,
    #[serde(rename = "startTime")]
    start: Value,
    duration: Value,
    #[serde(deserialize_with = "or_default")]
    tags: Vec<Tag>,
    #[serde(deserialize_with = "or_default")]
    logs: Vec<Log>,
    #[serde(rename = "processID", deserialize_with = "or_default")]
    process_id: String,
    #[serde(deserialize_with = "or_default")]
    process: Process,
    #[serde(deserialize_with = "or_default")]
    warnings: Vec<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(rename = "refType", deserialize_with = "or_default")]
    kind: String,
    #[serde(rename = "traceID", deserialize_with = "or_default")]
    trace: String,
    #[serde(rename = "spanID", deserialize_with = "or_default")]
    span: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tag {
    #[serde(deserialize_with = "or_default")]
    key: String,
    value: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Log {
    timestamp: Value,
    #[serde(deserialize_with = "or_default")]
    fields: Vec<Tag>,
}

/// Reads an answer; errors beside no data are the server's sentence.
pub(super) fn read(
    text: &str,
    detail: Detail,
    watched: &[WatchedService],
) -> Result<Result<Vec<Trace>, CleanStr>, serde_json::Error> {
    let wire: Wire = serde_json::from_str(text)?;
    if let (true, Some(error)) = (wire.data.is_empty(), wire.errors.first()) {
        return Ok(Err(quoted(&error.msg)));
    }
    Ok(Ok(wire.data.into_iter().map(|trace| trace_of(trace, detail, watched)).collect()))
}

fn trace_of(wire: WireTrace, detail: Detail, watched: &[WatchedService]) -> Trace {
    let WireTrace { id, spans, processes, warnings } = wire;
    let id = if id.is_empty() { spans.first().map(|span| span.trace.clone()).unwrap_or_default() } else { id };
    let id = trace_id(&id);
    let processes: HashMap<String, Of> =
        processes.into_iter().map(|(key, process)| (key, Of::process(&process, detail))).collect();
    let spans = spans.into_iter().map(|span| span_of(span, &id, &processes, detail, watched)).collect();
    Trace { id, spans, warnings: warnings.iter().map(Value::clean).collect() }
}

fn span_of(
    wire: WireSpan,
    trace: &CleanStr,
    processes: &HashMap<String, Of>,
    detail: Detail,
    watched: &[WatchedService],
) -> Span {
    let tags = pairs(&wire.tags, detail);
    let logs: Vec<SpanLog> = wire
        .logs
        .iter()
        .map(|log| SpanLog { at: at_micros(log.timestamp.integer()), fields: pairs(&log.fields, detail) })
        .collect();
    let Of { service, tags: process } =
        processes.get(&wire.process_id).cloned().unwrap_or_else(|| Of::process(&wire.process, detail));
    let all = wire.tags.iter().chain(wire.logs.iter().flat_map(|log| &log.fields));
    let long = if detail == Detail::Whole { long(all) } else { Vec::new() };
    let kind = tags.iter().find(|(key, _)| key == "span.kind").map_or(Kind::Internal, |(_, kind)| Kind::named(kind));
    let (parent, follows) = parent_of(&wire, trace);
    let took = (!wire.duration.0.trim().is_empty()).then(|| wire.duration.integer());
    let (start, duration, mut warnings) = times(&wire.start, wire.start.integer(), took);
    warnings.extend(wire.warnings.iter().map(Value::clean));
    Span {
        id: span_id(&wire.id),
        parent,
        kind,
        follows,
        operation: CleanStr::field(&wire.operation),
        start,
        duration,
        outcome: outcome_of(&Status::Unset, &tags, &logs, statuses_of(&service, watched)),
        service,
        http_status: http_status(&tags),
        tags,
        process,
        long,
        logs,
        warnings,
    }
}

/// The first CHILD_OF, else the deprecated field, else what the span follows from; and whether it only follows. A reference of both kinds to one span is
/// a link to the parent: it follows.
fn parent_of(span: &WireSpan, trace: &CleanStr) -> (Option<CleanStr>, bool) {
    let of_kind = |kind: &str| {
        let here =
            |reference: &&Reference| reference.trace.is_empty() || is_same_trace(&trace_id(&reference.trace), trace);
        let mut references = span.references.iter().filter(|reference| reference.kind == kind).filter(here);
        references.next().map(|reference| span_id(&reference.span))
    };
    let deprecated = || Some(span_id(&span.parent)).filter(|id| !is_null(id));
    let followed = of_kind("FOLLOWS_FROM");
    let parent = of_kind("CHILD_OF").or_else(deprecated).or_else(|| followed.clone()).filter(|id| !is_null(id));
    let follows = parent.is_some() && parent == followed;
    (parent, follows)
}

fn is_null(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}

/// The values that one line does not hold.
fn long<'a>(tags: impl Iterator<Item = &'a Tag>) -> Vec<(CleanStr, CleanText)> {
    tags.filter_map(|tag| Some((CleanStr::field(&tag.key), tag.value.long()?))).collect()
}

fn pairs(tags: &[Tag], detail: Detail) -> Vec<(CleanStr, CleanStr)> {
    let needed = tags.iter().filter(|tag| detail == Detail::Whole || is_evidence(&tag.key));
    needed.map(|tag| (CleanStr::field(&tag.key), tag.value.clean())).collect()
}
