//! A trace put right before it is judged: documents that came twice, and times that cannot be.
//!
//! Hides that stores keep one span in several documents, and that counters wrap, clocks jump and fields are missing.
//!
//! Invariant: what was put right says so in its warnings, with the number as it came; no time is left that lies before the year 2000 or takes longer
//! than a month.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::lenient::Value;
use crate::spans::{Span, Trace};
use crate::text::CleanStr;

/// 2000-01-01 and 2100-01-01, in microseconds.
const POSSIBLE: std::ops::Range<i64> = 946_684_800_000_000..4_102_444_800_000_000;
/// No span takes longer, in microseconds: a month.
const LONGEST: i64 = 31 * 24 * 3600 * 1_000_000;

/// When a span began and how long it took, in microseconds as they came; with a warning for each that cannot be. A begin that cannot be is the first
/// moment there is, until [`settle`] finds a better one.
pub(super) fn times(start: &Value, micros: i64, took: Option<i64>) -> (DateTime<Utc>, TimeDelta, Vec<CleanStr>) {
    let mut warnings = Vec::new();
    let begin = match DateTime::from_timestamp_micros(micros).filter(|_| POSSIBLE.contains(&micros)) {
        Some(begin) => begin,
        None => {
            let said = if start.0.trim().is_empty() { "is missing" } else { "cannot be" };
            let raw = if start.0.trim().is_empty() { String::new() } else { format!(" ({})", start.0) };
            warnings.push(CleanStr::field(&format!("its start {said}{raw}: it is drawn where its parent begins")));
            DateTime::UNIX_EPOCH
        }
    };
    let duration = match took {
        Some(took) if (0..=LONGEST).contains(&took) => took,
        Some(took) if begin == DateTime::UNIX_EPOCH && took > LONGEST => 0,
        Some(took) => {
            warnings.push(CleanStr::field(&format!("its duration cannot be ({took} µs): it is drawn without one")));
            0
        }
        None => 0,
    };
    (begin, TimeDelta::microseconds(duration), warnings)
}

/// Makes one span of its documents, and gives those without a start the start of their parent, or of the trace.
pub(super) fn settle(trace: &mut Trace) {
    let mut known: HashMap<(CleanStr, CleanStr, CleanStr, DateTime<Utc>), usize> = HashMap::new();
    let mut spans: Vec<Span> = Vec::with_capacity(trace.spans.len());
    let mut twice = 0;
    for span in std::mem::take(&mut trace.spans) {
        let key = (span.id.clone(), span.service.clone(), span.operation.clone(), span.start);
        match known.get(&key) {
            Some(at) if spans[*at].kind == span.kind && !span.id.is_empty() => {
                twice += 1;
                // The document that was written last says most.
                let says = |span: &Span| (span.duration, span.is_error(), span.tags.len() + span.logs.len());
                if says(&span) > says(&spans[*at]) {
                    spans[*at] = span;
                }
            }
            Some(_) | None => {
                known.insert(key, spans.len());
                spans.push(span);
            }
        }
    }
    if twice > 0 {
        let what = if twice == 1 { "one document".to_owned() } else { format!("{twice} documents") };
        trace.warnings.push(format!("{what} of spans came twice").into());
    }
    let is_lost = |span: &Span| span.start == DateTime::UNIX_EPOCH;
    let first = spans.iter().filter(|span| !is_lost(span)).map(|span| span.start).min();
    let begins: HashMap<CleanStr, DateTime<Utc>> =
        spans.iter().filter(|span| !is_lost(span)).map(|span| (span.id.clone(), span.start)).collect();
    for span in spans.iter_mut().filter(|span| is_lost(span)) {
        let above = span.parent.as_ref().and_then(|parent| begins.get(parent)).copied();
        span.start = above.or(first).unwrap_or(span.start);
    }
    trace.spans = spans;
}

/// Whether two ids name one trace: the short one is the end of the long one.
pub(super) fn is_same_trace(one: &str, other: &str) -> bool {
    let short = |id: &str| id.len() == 32 && id.starts_with("0000000000000000");
    one == other || (short(one) || short(other)) && one.get(16..).is_some_and(|end| Some(end) == other.get(16..))
}
