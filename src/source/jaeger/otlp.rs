//! Jaeger's stable API (`/api/v3/traces`): OTLP JSON.
//!
//! Hides that the spans of several traces come mixed, that an answer may be several JSON texts in a row, and both spellings of the parameters.
//!
//! Invariant: each span lands in the trace whose id it carries.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::SecondsFormat;
use serde::Deserialize;

use super::lenient::{Value, at_micros, or_default, span_id, trace_id};
use super::settle::{is_same_trace, times};
use super::{Aim, Detail, Search, statuses_of};
use crate::live::WatchedService;
use crate::source::http::quoted;
use crate::spans::{Kind, Span, SpanLog, Status, Trace, http_status, is_evidence, outcome_of};
use crate::text::{CleanStr, CleanText};

/// The attribute in which Jaeger hands on what its collector has to say about a span.
const WARNINGS: &str = "@jaeger@warnings";

/// The path and the query of a search, in both spellings: before v2.19 only the one with underscores is known, and newer servers prefer the other.
pub(super) fn search(search: &Search) -> (&'static str, Vec<(&'static str, String)>) {
    let nanos = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Nanos, true);
    let (start, end, limit) = (nanos(search.start), nanos(search.end), search.limit.to_string());
    let mut query = vec![
        ("query.serviceName", search.service.to_string()),
        ("query.service_name", search.service.to_string()),
        ("query.startTimeMin", start.clone()),
        ("query.start_time_min", start),
        ("query.startTimeMax", end.clone()),
        ("query.start_time_max", end),
        ("query.searchDepth", limit.clone()),
        ("query.search_depth", limit.clone()),
        ("query.num_traces", limit),
    ];
    if let Some(operation) = &search.operation {
        query.push(("query.operationName", operation.to_string()));
        query.push(("query.operation_name", operation.to_string()));
    }
    match search.aim {
        Aim::TaggedErrors => query.push(("query.attributes", r#"{"error":"true"}"#.to_owned())),
        Aim::Anything => {}
        Aim::Slow(limit) => {
            let least = format!("{}s", limit.as_seconds_f64());
            query.push(("query.durationMin", least.clone()));
            query.push(("query.duration_min", least));
        }
    }
    ("api/v3/traces", query)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    #[serde(deserialize_with = "or_default")]
    result: Batch,
    #[serde(rename = "resourceSpans", alias = "resource_spans", deserialize_with = "or_default")]
    bare: Vec<Resource>,
    #[serde(deserialize_with = "or_default")]
    error: Option<WireError>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireError {
    #[serde(deserialize_with = "or_default")]
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Batch {
    #[serde(rename = "resourceSpans", alias = "resource_spans", deserialize_with = "or_default")]
    resources: Vec<Resource>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    #[serde(deserialize_with = "or_default")]
    resource: Attributes,
    #[serde(
        rename = "scopeSpans",
        alias = "scope_spans",
        alias = "instrumentationLibrarySpans",
        deserialize_with = "or_default"
    )]
    scopes: Vec<Scope>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    #[serde(deserialize_with = "or_default")]
    attributes: Vec<Attribute>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Scope {
    #[serde(deserialize_with = "or_default")]
    spans: Vec<WireSpan>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireSpan {
    #[serde(rename = "traceId", alias = "traceID", alias = "trace_id", deserialize_with = "or_default")]
    trace: String,
    #[serde(rename = "spanId", alias = "spanID", alias = "span_id", deserialize_with = "or_default")]
    id: String,
    #[serde(rename = "parentSpanId", alias = "parent_span_id", deserialize_with = "or_default")]
    parent: String,
    #[serde(deserialize_with = "or_default")]
    name: String,
    kind: Value,
    #[serde(rename = "startTimeUnixNano", alias = "start_time_unix_nano")]
    start: Value,
    #[serde(rename = "endTimeUnixNano", alias = "end_time_unix_nano")]
    end: Value,
    #[serde(deserialize_with = "or_default")]
    attributes: Vec<Attribute>,
    #[serde(deserialize_with = "or_default")]
    events: Vec<Event>,
    #[serde(deserialize_with = "or_default")]
    links: Vec<Link>,
    #[serde(deserialize_with = "or_default")]
    status: WireStatus,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    #[serde(rename = "traceId", alias = "traceID", alias = "trace_id", deserialize_with = "or_default")]
    trace: String,
    #[serde(rename = "spanId", alias = "spanID", alias = "span_id", deserialize_with = "or_default")]
    span: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireStatus {
    code: Value,
    #[serde(deserialize_with = "or_default")]
    message: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "timeUnixNano", alias = "time_unix_nano")]
    at: Value,
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    attributes: Vec<Attribute>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attribute {
    #[serde(deserialize_with = "or_default")]
    key: String,
    value: Value,
}

/// Reads an answer, which may be several JSON texts in a row; an error among them without any span is the server's sentence.
pub(super) fn read(
    text: &str,
    detail: Detail,
    watched: &[WatchedService],
) -> Result<Result<Vec<Trace>, CleanStr>, serde_json::Error> {
    let mut traces: Vec<Trace> = Vec::new();
    let mut places: HashMap<CleanStr, usize> = HashMap::new();
    let mut refusal = None;
    for wire in serde_json::Deserializer::from_str(text).into_iter::<Wire>() {
        let wire = wire?;
        refusal = refusal.or(wire.error);
        for resource in wire.result.resources.into_iter().chain(wire.bare) {
            let service = resource.resource.attributes.iter().find(|attribute| attribute.key == "service.name");
            let service = service.map(|attribute| attribute.value.clean()).unwrap_or_default();
            let process: Arc<[_]> = match detail {
                Detail::Whole => pairs(&resource.resource.attributes, detail).into(),
                Detail::Evidence => Arc::default(),
            };
            let of = Of { service, process };
            for wire in resource.scopes.into_iter().flat_map(|scope| scope.spans) {
                let id = trace_id(&wire.trace);
                let place = *places.entry(id.clone()).or_insert_with(|| {
                    traces.push(Trace { id, spans: Vec::new(), warnings: Vec::new() });
                    traces.len() - 1
                });
                traces[place].spans.push(span_of(&wire, &of, detail, watched));
            }
        }
    }
    Ok(match refusal {
        Some(error) if traces.is_empty() => Err(quoted(&error.message)),
        Some(_) | None => Ok(traces),
    })
}

/// What the spans of a resource share.
struct Of {
    service: CleanStr,
    process: Arc<[(CleanStr, CleanStr)]>,
}

fn span_of(wire: &WireSpan, of: &Of, detail: Detail, watched: &[WatchedService]) -> Span {
    let Of { service, process } = of;
    let (begin, end) = (wire.start.integer() / 1000, wire.end.integer() / 1000);
    let took = (!wire.end.0.trim().is_empty()).then(|| end.saturating_sub(begin));
    let (start, duration, mut warnings) = times(&wire.start, begin, took);
    let mut tags = pairs(&wire.attributes, detail);
    let kind = kind_of(&wire.kind.0);
    if let (Detail::Whole, Some(kind)) = (detail, kind) {
        tags.insert(0, ("span.kind".into(), kind.into()));
    }
    // A span without a parent that is linked to one of its trace comes after that.
    let linked = wire.links.iter().filter(|link| is_same_trace(&trace_id(&link.trace), &trace_id(&wire.trace)));
    let linked: Vec<CleanStr> = linked.map(|link| span_id(&link.span)).filter(|id| !is_null(id)).collect();
    if status_of(&wire.status) == Status::Ok {
        tags.push(("otel.status_code".into(), "OK".into()));
    }
    let log = |event: &Event| {
        let mut fields = vec![("event".into(), CleanStr::field(&event.name))];
        fields.extend(pairs(&event.attributes, detail));
        SpanLog { at: at_micros(event.at.integer() / 1000), fields }
    };
    let logs: Vec<SpanLog> = wire.events.iter().map(log).collect();
    let all = wire.attributes.iter().chain(wire.events.iter().flat_map(|event| &event.attributes));
    let long = if detail == Detail::Whole { long(all) } else { Vec::new() };
    let said = wire.attributes.iter().filter(|attribute| attribute.key == WARNINGS);
    warnings.extend(said.map(|attribute| attribute.value.clean()));
    let parent = Some(span_id(&wire.parent)).filter(|id| !is_null(id)).or_else(|| linked.first().cloned());
    Span {
        id: span_id(&wire.id),
        follows: parent.as_ref().is_some_and(|parent| linked.contains(parent)),
        parent,
        kind: kind.map_or(Kind::Internal, Kind::named),
        service: service.clone(),
        operation: CleanStr::field(&wire.name),
        start,
        duration,
        outcome: outcome_of(&status_of(&wire.status), &tags, &logs, statuses_of(service, watched)),
        http_status: http_status(&tags),
        tags,
        process: process.clone(),
        long,
        logs,
        warnings,
    }
}

fn is_null(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}

fn status_of(status: &WireStatus) -> Status {
    match status.code.0.as_str() {
        "2" | "STATUS_CODE_ERROR" => Status::Error(CleanStr::field(&status.message)),
        "1" | "STATUS_CODE_OK" => Status::Ok,
        _ => Status::Unset,
    }
}

fn kind_of(kind: &str) -> Option<&'static str> {
    Some(match kind.trim_start_matches("SPAN_KIND_") {
        "1" | "INTERNAL" => "internal",
        "2" | "SERVER" => "server",
        "3" | "CLIENT" => "client",
        "4" | "PRODUCER" => "producer",
        "5" | "CONSUMER" => "consumer",
        _ => return None,
    })
}

/// The values that one line does not hold.
fn long<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Vec<(CleanStr, CleanText)> {
    attributes.filter_map(|one| Some((CleanStr::field(&one.key), one.value.long()?))).collect()
}

fn pairs(attributes: &[Attribute], detail: Detail) -> Vec<(CleanStr, CleanStr)> {
    let needed = attributes.iter().filter(|attribute| attribute.key != WARNINGS);
    let needed = needed.filter(|attribute| detail == Detail::Whole || is_evidence(&attribute.key));
    needed.map(|attribute| (CleanStr::field(&attribute.key), attribute.value.clean())).collect()
}
