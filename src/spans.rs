//! Error spans, slow spans and traces.
//!
//! Hides the rule by which a span counts as an error (Jaeger's data says it in a dozen ways), the tree that parents make of a trace (with parents that
//! are missing, doubled or form a ring), and which span is to blame.
//!
//! Invariant: any set of spans gives a finite waterfall in which each span stands exactly once.

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::CleanStr;

/// A trace's id as lower-case hex.
pub type TraceId = CleanStr;

/// What a span says of its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing went wrong here.
    Fine,
    /// An error, in one line: exception, status description, or the value of the error tag.
    Error(CleanStr),
}

/// An event inside a span.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanLog {
    /// When.
    pub at: DateTime<Utc>,
    /// What, as key and value.
    pub fields: Vec<(CleanStr, CleanStr)>,
}

/// One operation of one service inside a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Its id as hex.
    pub id: CleanStr,
    /// The id of its parent in the same trace.
    pub parent: Option<CleanStr>,
    /// Which service did it.
    pub service: CleanStr,
    /// What it did.
    pub operation: CleanStr,
    /// When it began.
    pub start: DateTime<Utc>,
    /// How long it took.
    pub duration: TimeDelta,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status, where a tag has one: secondary evidence only.
    pub http_status: Option<u16>,
    /// Its tags.
    pub tags: Vec<(CleanStr, CleanStr)>,
    /// Its events.
    pub logs: Vec<SpanLog>,
    /// What the collector says about it (clock skew).
    pub warnings: Vec<CleanStr>,
}

/// All spans of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, in any order.
    pub spans: Vec<Span>,
    /// What the store says about it.
    pub warnings: Vec<CleanStr>,
}

/// A line of the waterfall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// The place in [`Trace::spans`].
    pub span: usize,
    /// How deep it stands.
    pub depth: u16,
    /// Its parent is named, but not in the trace.
    pub is_orphan: bool,
}

/// An error or slow span of the watched services, as the table shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRow {
    /// Its trace.
    pub trace: TraceId,
    /// Its id.
    pub span: CleanStr,
    /// Which service.
    pub service: CleanStr,
    /// Which operation.
    pub operation: CleanStr,
    /// What went wrong; of a slow span that succeeded, empty.
    pub error: CleanStr,
    /// When it began.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration: TimeDelta,
}

/// Rows with the same service, operation and error.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanGroup {
    /// Which service.
    pub service: CleanStr,
    /// Which operation.
    pub operation: CleanStr,
    /// What went wrong.
    pub error: CleanStr,
    /// How many.
    pub count: usize,
    /// How many a second, over the time that was searched.
    pub rate: f64,
    /// The longest.
    pub worst: TimeDelta,
    /// The middle one.
    pub median: TimeDelta,
    /// When the newest began.
    pub newest: DateTime<Utc>,
    /// The newest one's trace, to open.
    pub example: TraceId,
}
