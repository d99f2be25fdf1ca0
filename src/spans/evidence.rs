//! How a span ended, read off what instrumentations really send.
//!
//! Hides that there is no one flag: a status, a tag, an HTTP or gRPC code, a proxy's flags, an event or an old client's log each say it, and many
//! senders use only one of them. `RULES` is the whole table, one line a rule, with where it is written.
//!
//! Invariant: no flag is not health. What is declared counts whatever else is said; what was answered counts unless the sender declared success (as
//! OpenTelemetry asks of tools); what was only noted on the way counts unless the operation then answered well.

use super::{Outcome, Span, SpanLog, Status};
use crate::text::CleanStr;

/// What a span carries, as a rule reads it.
struct Facts<'a> {
    status: &'a Status,
    tags: &'a [(CleanStr, CleanStr)],
    logs: &'a [SpanLog],
    /// HTTP statuses below 500 that the playbook counts as errors.
    statuses: &'a [u16],
}

/// How much a piece of evidence weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    /// The sender says that it failed.
    Declared,
    /// The other side was answered with an error.
    Answered,
    /// Something went wrong on the way.
    Noted,
}

/// One way to say that an operation failed.
struct Rule {
    /// What is looked at, and where its meaning is written.
    source: &'static str,
    weight: Weight,
    /// What it says, where it says that something failed; empty where it has no words.
    read: fn(&Facts<'_>) -> Option<CleanStr>,
}

/// Every way that is understood. 4xx is no error of the service that answers it, unless the playbook says so (OpenTelemetry: HTTP spans).
const RULES: &[Rule] = &[
    Rule {
        source: "status ERROR; otel.status_code (OpenTelemetry: span status)",
        weight: Weight::Declared,
        read: status,
    },
    Rule { source: "error (OpenTracing semantic conventions)", weight: Weight::Declared, read: error_tag },
    Rule { source: "http.*status_code >= 500 (OpenTelemetry: HTTP spans)", weight: Weight::Answered, read: http },
    Rule { source: "rpc.*status_code, grpc.* (gRPC: status codes)", weight: Weight::Answered, read: grpc },
    Rule { source: "response_flags (Envoy: access log)", weight: Weight::Answered, read: envoy },
    Rule { source: "error.type (OpenTelemetry: recording errors)", weight: Weight::Noted, read: error_type },
    Rule {
        source: "event exception (OpenTelemetry: exceptions on spans)",
        weight: Weight::Noted,
        read: exception_event,
    },
    Rule {
        source: "log fields error, level, message (OpenTracing: log fields)",
        weight: Weight::Noted,
        read: error_log,
    },
];

/// Envoy's response flags: the flag, what it means, and whether somebody gave up waiting.
/// What the client did itself (`DC`), what was asked for (`DI`) and what was served stale (`RFCF`) is no failure.
const ENVOY: &[(&str, &str, bool)] = &[
    ("DPE", "the client broke the protocol", false),
    ("DT", "the request took too long", true),
    ("FI", "a fault was injected", false),
    ("IH", "a header was refused", false),
    ("LH", "the own health check fails", false),
    ("LR", "the connection was reset here", false),
    ("NC", "the upstream cluster is not known", false),
    ("NFCF", "the filter configuration is missing", false),
    ("NR", "no route matches", false),
    ("OM", "the proxy is overloaded", false),
    ("RL", "rate limited", false),
    ("RLSE", "the rate limiter failed", false),
    ("SI", "the stream was idle too long", true),
    ("UAEX", "the authorizer refused it", false),
    ("UC", "the upstream closed the connection", false),
    ("UF", "no connection to the upstream", false),
    ("UH", "no healthy upstream", false),
    ("UMSDR", "the upstream took too long", true),
    ("UO", "the upstream's circuit is open", false),
    ("UPE", "the upstream broke the protocol", false),
    ("UR", "the upstream reset the request", false),
    ("URX", "all retries were used up", false),
    ("UT", "the upstream did not answer in time", true),
];

/// gRPC's status codes by number.
const GRPC: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Words of those who gave up waiting.
const GAVE_UP: [&str; 9] = [
    "timeout",
    "timed out",
    "time out",
    "deadline exceeded",
    "deadline_exceeded",
    "deadlineexceeded",
    "etimedout",
    "gave up",
    "http 504",
];

/// The tags that tell one request from another with the same operation.
const REQUEST: [&str; 8] = [
    "url.full",
    "http.url",
    "http.target",
    "url.path",
    "db.query.text",
    "db.statement",
    "messaging.message.id",
    "rpc.request.key",
];

/// Whether a tag or a log's field is needed to tell how a span ended, of what kind it is, and what was asked.
pub fn is_evidence(key: &str) -> bool {
    let starts = ["error", "exception", "otel.status", "http.", "rpc.", "grpc", "sampler.", "status"];
    starts.iter().any(|start| key.starts_with(start))
        || ["event", "message", "level", "span.kind", "upstream_cluster"].contains(&key)
        || key.ends_with("response_flags")
        || REQUEST.contains(&key)
}

/// How a span ended. `statuses` are the HTTP statuses below 500 that count as errors here.
pub fn outcome_of(status: &Status, tags: &[(CleanStr, CleanStr)], logs: &[SpanLog], statuses: &[u16]) -> Outcome {
    let facts = Facts { status, tags, logs, statuses };
    let is_declared_ok = *status == Status::Ok || is_ok(tags);
    let counts = |weight: Weight| match weight {
        Weight::Declared => true,
        Weight::Answered => !is_declared_ok,
        Weight::Noted => !is_declared_ok && !has_answered_well(tags),
    };
    let said: Vec<CleanStr> =
        RULES.iter().filter(|rule| counts(rule.weight)).filter_map(|rule| (rule.read)(&facts)).collect();
    debug_assert!(RULES.iter().all(|rule| !rule.source.is_empty()), "each rule names its source");
    if said.is_empty() {
        return Outcome::Fine;
    }
    // The words of an exception say more than a description, and that more than a code, whichever rule it was that counted.
    let words = [words_of_logs, words_of_exception, description, error_message];
    let words = words.iter().find_map(|read| read(&facts)).filter(|words| !words.is_empty());
    let text = words.or_else(|| said.iter().find(|words| !words.is_empty()).cloned());
    Outcome::Error(text.or_else(|| client_error(&facts)).unwrap_or_else(|| "error".into()))
}

/// Whether its tags say anything about how it ended.
pub fn has_status(span: &Span) -> bool {
    let says = |key: &str| key.starts_with("otel.status") || key == "error" || key.ends_with("response_flags");
    span.is_error()
        || span.http_status.is_some()
        || grpc_code(&span.tags).is_some()
        || span.tags.iter().any(|(key, _)| says(key))
}

/// Whether it says that it succeeded, rather than nothing.
pub fn has_succeeded(span: &Span) -> bool {
    !span.is_error() && (is_ok(&span.tags) || has_answered_well(&span.tags))
}

/// Whether it failed because it waited no longer.
pub fn has_given_up(span: &Span) -> bool {
    let Outcome::Error(text) = &span.outcome else { return false };
    let text = text.to_lowercase();
    matches!(span.http_status, Some(408 | 504))
        || matches!(grpc_code(&span.tags), Some("DEADLINE_EXCEEDED"))
        || flags(&span.tags).any(|flag| flag.2)
        || GAVE_UP.iter().any(|words| text.contains(words))
        || is_cancelled(span)
}

/// Whether it failed because somebody above it wanted no answer any more.
pub fn is_cancelled(span: &Span) -> bool {
    let Outcome::Error(text) = &span.outcome else { return false };
    let text = text.to_lowercase();
    span.http_status == Some(499)
        || matches!(grpc_code(&span.tags), Some("CANCELLED"))
        || ["cancelled", "canceled", "operationcancel"].iter().any(|word| text.contains(word))
}

/// What tells its request from others with the same operation, where a tag does.
pub fn request_of(span: &Span) -> Option<&CleanStr> {
    REQUEST.iter().find_map(|key| field(&span.tags, key))
}

/// The HTTP status that a span's tags name, in the old or the new spelling.
pub fn http_status(tags: &[(CleanStr, CleanStr)]) -> Option<u16> {
    let status = tags.iter().filter(|(key, _)| key == "http.status_code" || key == "http.response.status_code");
    status.filter_map(|(_, value)| value.trim().parse().ok()).find(|status| (100..600).contains(status))
}

fn field<'a>(fields: &'a [(CleanStr, CleanStr)], key: &str) -> Option<&'a CleanStr> {
    fields.iter().find(|(known, value)| known == key && !value.is_empty()).map(|(_, value)| value)
}

fn is_ok(tags: &[(CleanStr, CleanStr)]) -> bool {
    field(tags, "otel.status_code").is_some_and(|code| code.eq_ignore_ascii_case("ok"))
}

fn has_answered_well(tags: &[(CleanStr, CleanStr)]) -> bool {
    http_status(tags).is_some_and(|status| (200..400).contains(&status)) || grpc_code(tags) == Some("OK")
}

fn status(facts: &Facts<'_>) -> Option<CleanStr> {
    let is_error = |code: &CleanStr| code.eq_ignore_ascii_case("error");
    match facts.status {
        Status::Error(description) => Some(description.clone()),
        Status::Unset | Status::Ok => {
            let mut codes = facts.tags.iter().filter(|(key, _)| key == "otel.status_code");
            codes.any(|(_, code)| is_error(code)).then(CleanStr::default)
        }
    }
}

fn description(facts: &Facts<'_>) -> Option<CleanStr> {
    let own = match facts.status {
        Status::Error(description) if !description.is_empty() => Some(description.clone()),
        Status::Error(_) | Status::Unset | Status::Ok => None,
    };
    own.or_else(|| field(facts.tags, "otel.status_description").cloned())
}

fn error_message(facts: &Facts<'_>) -> Option<CleanStr> {
    field(facts.tags, "error.message").cloned()
}

/// A healthy span may carry `error="unset"`: the words for "none" are none.
fn error_tag(facts: &Facts<'_>) -> Option<CleanStr> {
    let flags = facts.tags.iter().filter(|(key, _)| key == "error").map(|(_, value)| value);
    let flag = flags.into_iter().find(|value| is_flagged(value))?;
    let is_bare = ["true", "1", "yes"].contains(&flag.trim().to_ascii_lowercase().as_str());
    Some(if is_bare { CleanStr::default() } else { flag.clone() })
}

fn is_flagged(value: &str) -> bool {
    let none = ["", "false", "0", "no", "ok", "unset", "none", "null"];
    !none.contains(&value.trim().to_ascii_lowercase().as_str())
}

fn http(facts: &Facts<'_>) -> Option<CleanStr> {
    let status = http_status(facts.tags).filter(|status| *status >= 500 || facts.statuses.contains(status))?;
    let flags = envoy(facts).map(|flags| format!(", {flags}")).unwrap_or_default();
    Some(format!("HTTP {status}{flags}").into())
}

/// The status of a span that says in another way that it failed.
fn client_error(facts: &Facts<'_>) -> Option<CleanStr> {
    http_status(facts.tags).filter(|status| *status >= 400).map(|status| format!("HTTP {status}").into())
}

fn grpc(facts: &Facts<'_>) -> Option<CleanStr> {
    grpc_code(facts.tags).filter(|code| *code != "OK").map(|code| format!("gRPC {code}").into())
}

/// The gRPC code by its name, from a number or any spelling of the name.
fn grpc_code(tags: &[(CleanStr, CleanStr)]) -> Option<&'static str> {
    let is_grpc =
        field(tags, "rpc.system").or_else(|| field(tags, "rpc.system.name")).is_some_and(|name| name == "grpc");
    let names = |key: &CleanStr| {
        ["rpc.grpc.status_code", "grpc.status_code", "grpc.code", "grpc-status", "grpc.status"].contains(&key.as_str())
            || key == "rpc.response.status_code" && is_grpc
    };
    let plain = |text: &str| text.to_ascii_uppercase().replace([' ', '_', '-'], "");
    let read = |value: &str| match value.trim().parse::<usize>() {
        Ok(number) => GRPC.get(number).copied(),
        Err(_) => GRPC.into_iter().find(|name| plain(name) == plain(value).replace("CANCELED", "CANCELLED")),
    };
    tags.iter().filter(|(key, _)| names(key)).find_map(|(_, value)| read(value))
}

fn flags(tags: &[(CleanStr, CleanStr)]) -> impl Iterator<Item = &'static (&'static str, &'static str, bool)> {
    let said = tags.iter().filter(|(key, _)| key.ends_with("response_flags"));
    let each = said.flat_map(|(_, value)| value.split([',', ' ']));
    each.filter_map(|flag| ENVOY.iter().find(|known| known.0 == flag.trim()))
}

fn envoy(facts: &Facts<'_>) -> Option<CleanStr> {
    let words: Vec<_> = flags(facts.tags).map(|(flag, words, _)| format!("{words} ({flag})")).collect();
    let upstream = field(facts.tags, "upstream_cluster").map(|name| format!(", {name}")).unwrap_or_default();
    (!words.is_empty()).then(|| format!("{}{upstream}", words.join(", ")).into())
}

/// The type of an error; a status of HTTP in its place is judged like one.
fn error_type(facts: &Facts<'_>) -> Option<CleanStr> {
    let kind = field(facts.tags, "error.type")?;
    let is_client_error = |status: u16| (100..500).contains(&status) && !facts.statuses.contains(&status);
    (!kind.trim().parse().is_ok_and(is_client_error)).then(|| kind.clone())
}

/// An exception that was recorded, and is not said to have been caught.
fn exception_event(facts: &Facts<'_>) -> Option<CleanStr> {
    let is_caught =
        |log: &&SpanLog| field(&log.fields, "exception.escaped").is_some_and(|said| said.eq_ignore_ascii_case("false"));
    facts.logs.iter().rev().filter(|log| !is_caught(log)).find_map(|log| exception(&log.fields))
}

fn error_log(facts: &Facts<'_>) -> Option<CleanStr> {
    facts.logs.iter().rev().find_map(|log| opentracing(&log.fields))
}

fn words_of_logs(facts: &Facts<'_>) -> Option<CleanStr> {
    let words = |log: &SpanLog| exception(&log.fields).or_else(|| opentracing(&log.fields));
    // An exception that is only a stack has no words, and hides none.
    facts.logs.iter().rev().filter_map(words).find(|words| !words.is_empty())
}

fn words_of_exception(facts: &Facts<'_>) -> Option<CleanStr> {
    exception(facts.tags)
}

/// The exception in one line.
fn exception(fields: &[(CleanStr, CleanStr)]) -> Option<CleanStr> {
    match (field(fields, "exception.type"), field(fields, "exception.message")) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}").into()),
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (None, None) => None,
    }
}

/// What an old client logged about an error, in one line.
fn opentracing(fields: &[(CleanStr, CleanStr)]) -> Option<CleanStr> {
    let is = |key: &str, words: &[&str]| {
        field(fields, key).is_some_and(|value| words.contains(&value.trim().to_ascii_lowercase().as_str()))
    };
    let error = field(fields, "error").filter(|value| is_flagged(value));
    let is_error = is("event", &["error", "exception"])
        || is("level", &["error", "fatal", "critical", "severe", "panic", "alert", "emergency"])
        || error.is_some();
    if !is_error {
        return None;
    }
    let is_bare =
        |value: &&CleanStr| ["true", "1", "yes", "error", "exception"].contains(&value.to_ascii_lowercase().as_str());
    let words = error.filter(|value| !is_bare(value)).or_else(|| field(fields, "message"));
    let words = words
        .or_else(|| field(fields, "error.object"))
        .or_else(|| field(fields, "event").filter(|value| !is_bare(value)));
    Some(match (field(fields, "error.kind"), words) {
        (Some(kind), Some(words)) if !words.contains(kind.as_str()) => format!("{kind}: {words}").into(),
        (_, Some(words)) => words.clone(),
        (Some(kind), None) => kind.clone(),
        (None, None) => CleanStr::default(),
    })
}
