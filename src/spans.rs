//! Error spans, slow spans and traces.
//!
//! Hides the rule by which a span counts as an error (Jaeger's data says it in a dozen ways), the tree that parents make of a trace (with parents that
//! are missing, doubled or form a ring), and which span is to blame.
//!
//! Invariant: any set of spans gives a finite waterfall in which each span stands exactly once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

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

/// In which order groups stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SpanOrder {
    /// The most frequent first.
    #[default]
    Count,
    /// The one with the newest span first.
    Newest,
}

/// What a span's own status says (OpenTelemetry).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Status {
    /// Nothing, as with most healthy spans.
    #[default]
    Unset,
    /// Success.
    Ok,
    /// An error, with its description, which may be empty.
    Error(CleanStr),
}

/// Whether a tag or a log's field is needed to tell how a span ended.
pub fn is_evidence(key: &str) -> bool {
    ["error", "exception", "otel.status", "http."].iter().any(|start| key.starts_with(start))
        || ["event", "message"].contains(&key)
}

/// How a span ended: an error if its status says so, or its `error` tag is neither empty nor one of the words for "none" (a healthy span may carry
/// `error="unset"`). A status code of HTTP alone makes no error.
pub fn outcome_of(status: &Status, tags: &[(CleanStr, CleanStr)], logs: &[SpanLog]) -> Outcome {
    let tag = |key: &str| tags.iter().find(|(known, _)| known == key).map(|(_, value)| value);
    let described = match status {
        Status::Error(description) => Some(description.clone()),
        Status::Unset | Status::Ok => {
            let mut codes = tags.iter().filter(|(key, _)| key == "otel.status_code");
            codes.any(|(_, code)| code.eq_ignore_ascii_case("error")).then(CleanStr::default)
        }
    };
    let flag = tags.iter().filter(|(key, _)| key == "error").map(|(_, value)| value).find(|value| is_flagged(value));
    if described.is_none() && flag.is_none() {
        return Outcome::Fine;
    }
    let said = |text: &CleanStr| (!text.is_empty()).then(|| text.clone());
    let text = logs
        .iter()
        .rev()
        .find_map(|log| exception(&log.fields))
        .or_else(|| exception(tags))
        .or_else(|| described.as_ref().and_then(said))
        .or_else(|| tag("otel.status_description").and_then(said))
        .or_else(|| tag("error.message").and_then(said))
        .or_else(|| flag.filter(|value| !["true", "1", "yes"].contains(&value.to_ascii_lowercase().as_str())).cloned())
        .or_else(|| http_status(tags).filter(|status| *status >= 400).map(|status| format!("HTTP {status}").into()));
    Outcome::Error(text.unwrap_or_else(|| "error".into()))
}

fn is_flagged(value: &str) -> bool {
    let none = ["", "false", "0", "no", "ok", "unset", "none", "null"];
    !none.contains(&value.trim().to_ascii_lowercase().as_str())
}

/// The exception in one line, in the words of OpenTelemetry or the older ones of OpenTracing.
fn exception(fields: &[(CleanStr, CleanStr)]) -> Option<CleanStr> {
    let field =
        |key: &str| fields.iter().find(|(known, value)| known == key && !value.is_empty()).map(|(_, value)| value);
    match (field("exception.type"), field("exception.message")) {
        (Some(kind), Some(message)) => return Some(format!("{kind}: {message}").into()),
        (Some(one), None) | (None, Some(one)) => return Some(one.clone()),
        (None, None) => {}
    }
    if field("event").is_some_and(|event| event == "error") {
        return field("message").or_else(|| field("error.object")).or_else(|| field("error.kind")).cloned();
    }
    None
}

/// The HTTP status that a span's tags name, in the old or the new spelling.
pub fn http_status(tags: &[(CleanStr, CleanStr)]) -> Option<u16> {
    let status = tags.iter().filter(|(key, _)| key == "http.status_code" || key == "http.response.status_code");
    status.filter_map(|(_, value)| value.trim().parse().ok()).find(|status| (100..600).contains(status))
}

impl Span {
    /// Whether it says of itself that it is an error.
    pub fn is_error(&self) -> bool {
        matches!(self.outcome, Outcome::Error(_))
    }

    /// When it ended.
    pub fn end(&self) -> DateTime<Utc> {
        self.start.checked_add_signed(self.duration).unwrap_or(self.start)
    }
}

/// A span's place in the tree; nodes stand in the order of the waterfall, parents before their children.
struct Node {
    span: usize,
    parent: Option<usize>,
    depth: usize,
    is_orphan: bool,
}

impl Trace {
    /// The lines of the waterfall: each span once, parents before children, children by their start. A span whose parent is missing is a root and an
    /// orphan; a ring of parents is cut at its earliest span.
    pub fn waterfall(&self) -> Vec<Branch> {
        let branch = |node: Node| Branch {
            span: node.span,
            depth: u16::try_from(node.depth).unwrap_or(u16::MAX),
            is_orphan: node.is_orphan,
        };
        self.tree().into_iter().map(branch).collect()
    }

    /// The deepest error, the latest of several: the span to blame for what went wrong above it.
    pub fn culprit(&self) -> Option<usize> {
        let errors = self.tree().into_iter().filter(|node| self.spans[node.span].is_error());
        errors.map(|node| self.rank(&node)).max().map(|(.., Reverse(span))| span)
    }

    /// For each span the deepest error among itself and what it caused, where there is one.
    pub fn blame(&self) -> Vec<Option<usize>> {
        let tree = self.tree();
        let mut worst: Vec<_> =
            tree.iter().map(|node| self.spans[node.span].is_error().then(|| self.rank(node))).collect();
        for place in (0..tree.len()).rev() {
            if let Some(parent) = tree[place].parent {
                worst[parent] = worst[parent].max(worst[place]);
            }
        }
        let mut blame = vec![None; self.spans.len()];
        for (node, worst) in tree.iter().zip(worst) {
            blame[node.span] = worst.map(|(.., Reverse(span))| span);
        }
        blame
    }

    /// When its first span began and its last one ended.
    pub fn bounds(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let start = self.spans.iter().map(|span| span.start).min()?;
        let end = self.spans.iter().map(Span::end).max()?;
        Some((start, end))
    }

    /// The rows that a trace gives to the table of errors and to that of slow spans.
    ///
    /// A watched service's span that is an error, or answered 4xx or 5xx because something below it is, gives way to the deepest error below it. A slow
    /// span is the outermost one of its service that took longer than the service may.
    pub fn rows(&self, watched: &[(CleanStr, Option<TimeDelta>)]) -> (Vec<SpanRow>, Vec<SpanRow>) {
        let limits: HashMap<&str, Option<TimeDelta>> =
            watched.iter().map(|(name, slow)| (name.as_str(), *slow)).collect();
        let blame = self.blame();
        let mut blamed = HashSet::new();
        let mut errors = Vec::new();
        let mut slow = Vec::new();
        let tree = self.tree();
        for (place, node) in tree.iter().enumerate() {
            let span = &self.spans[node.span];
            let Some(limit) = limits.get(span.service.as_str()) else { continue };
            let has_failed = span.is_error() || span.http_status.is_some_and(|status| status >= 400);
            if let Some(culprit) = blame[node.span].filter(|_| has_failed)
                && blamed.insert(culprit)
            {
                errors.push(self.row(culprit));
            }
            let is_slow = |span: &Span| limit.is_some_and(|limit| span.duration >= limit);
            if is_slow(span)
                && !self.has_ancestor(&tree, place, |above| above.service == span.service && is_slow(above))
            {
                slow.push(self.row(node.span));
            }
        }
        (errors, slow)
    }

    fn has_ancestor(&self, tree: &[Node], place: usize, is: impl Fn(&Span) -> bool) -> bool {
        let mut above = tree[place].parent;
        while let Some(place) = above {
            if is(&self.spans[tree[place].span]) {
                return true;
            }
            above = tree[place].parent;
        }
        false
    }

    fn row(&self, span: usize) -> SpanRow {
        let span = &self.spans[span];
        let error = match &span.outcome {
            Outcome::Fine => CleanStr::default(),
            Outcome::Error(error) => error.clone(),
        };
        SpanRow {
            trace: self.id.clone(),
            span: span.id.clone(),
            service: span.service.clone(),
            operation: span.operation.clone(),
            error,
            at: span.start,
            duration: span.duration,
        }
    }

    /// Depth first, then time; the id and the place make it the same for every order of arrival that keeps the spans.
    fn rank(&self, node: &Node) -> (usize, DateTime<Utc>, &CleanStr, Reverse<usize>) {
        let span = &self.spans[node.span];
        (node.depth, span.start, &span.id, Reverse(node.span))
    }

    fn tree(&self) -> Vec<Node> {
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_by_key(|span| (self.spans[*span].start, &self.spans[*span].id, *span));
        let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(order.len());
        for span in &order {
            // Of two spans with one id (a client's and a server's) the earlier stands for both.
            by_id.entry(self.spans[*span].id.as_str()).or_insert(*span);
        }
        let parent_of = |span: usize| {
            let parent = self.spans[span].parent.as_ref()?;
            Some(by_id.get(parent.as_str()).copied())
        };
        let mut children: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
        let mut roots = Vec::new();
        for span in &order {
            match parent_of(*span) {
                Some(Some(parent)) if parent != *span => children[parent].push(*span),
                Some(None) => roots.push((*span, true)),
                Some(Some(_)) | None => roots.push((*span, false)),
            }
        }
        let mut tree: Vec<Node> = Vec::with_capacity(order.len());
        let mut seen = vec![false; order.len()];
        // What no root reaches hangs on a ring: each ring is cut where it begins in time.
        for (root, is_orphan) in roots.into_iter().chain(order.iter().map(|span| (*span, false))) {
            let mut open = vec![(root, None, 0, is_orphan)];
            while let Some((span, parent, depth, is_orphan)) = open.pop() {
                if std::mem::replace(&mut seen[span], true) {
                    continue;
                }
                let place = tree.len();
                tree.push(Node { span, parent, depth, is_orphan });
                open.extend(children[span].iter().rev().map(|child| (*child, Some(place), depth + 1, false)));
            }
        }
        tree
    }
}

/// Puts rows with the same service, operation and error together; `lookback` is the time that was searched.
pub fn group(rows: &[SpanRow], lookback: TimeDelta, order: SpanOrder) -> Vec<SpanGroup> {
    let mut groups: BTreeMap<(&CleanStr, &CleanStr, &CleanStr), Vec<&SpanRow>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.service, &row.operation, &row.error)).or_default().push(row);
    }
    let seconds = lookback.as_seconds_f64().max(1.0);
    let summed = |((service, operation, error), rows): ((&CleanStr, &CleanStr, &CleanStr), Vec<&SpanRow>)| {
        let newest = rows.iter().max_by_key(|row| (row.at, &row.trace))?;
        let mut durations: Vec<TimeDelta> = rows.iter().map(|row| row.duration).collect();
        durations.sort_unstable();
        Some(SpanGroup {
            service: service.clone(),
            operation: operation.clone(),
            error: error.clone(),
            count: rows.len(),
            rate: rows.len() as f64 / seconds,
            worst: *durations.last()?,
            median: durations[(durations.len() - 1) / 2],
            newest: newest.at,
            example: newest.trace.clone(),
        })
    };
    let mut groups: Vec<SpanGroup> = groups.into_iter().filter_map(summed).collect();
    match order {
        SpanOrder::Count => groups.sort_by_key(|group| (Reverse(group.count), Reverse(group.newest))),
        SpanOrder::Newest => groups.sort_by_key(|group| (Reverse(group.newest), Reverse(group.count))),
    }
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Vec<(CleanStr, CleanStr)> {
        pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
    }

    fn span(id: &str, parent: Option<&str>, start: i64, is_error: bool) -> Span {
        Span {
            id: id.into(),
            parent: parent.map(CleanStr::new),
            service: "alipay".into(),
            operation: id.into(),
            start: DateTime::from_timestamp(1_780_000_000 + start, 0).unwrap(),
            duration: TimeDelta::seconds(1),
            outcome: if is_error { Outcome::Error(id.into()) } else { Outcome::Fine },
            http_status: None,
            tags: Vec::new(),
            logs: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn trace(spans: Vec<Span>) -> Trace {
        Trace { id: "t".into(), spans, warnings: Vec::new() }
    }

    #[test]
    fn what_counts_as_an_error_follows_the_tags_that_are_really_sent() {
        let error = |text: &str| Outcome::Error(text.into());
        for (pairs, outcome) in [
            (vec![], Outcome::Fine),
            (vec![("error", "true")], error("error")),
            (vec![("error", "unset")], Outcome::Fine),
            (vec![("error", "Unset")], Outcome::Fine),
            (vec![("error", "")], Outcome::Fine),
            (vec![("error", "false")], Outcome::Fine),
            (vec![("error", "0")], Outcome::Fine),
            (vec![("error", "no")], Outcome::Fine),
            (vec![("error", "ok")], Outcome::Fine),
            (vec![("error", "none")], Outcome::Fine),
            (vec![("error", "null")], Outcome::Fine),
            (vec![("error", "ClientSideError")], error("ClientSideError")),
            (vec![("otel.status_code", "error")], error("error")),
            (vec![("otel.status_code", "OK"), ("error", "unset")], Outcome::Fine),
            (vec![("otel.status_code", "ERROR"), ("otel.status_description", "card declined")], error("card declined")),
            (vec![("http.status_code", "404")], Outcome::Fine),
            (vec![("http.response.status_code", "503")], Outcome::Fine),
            (vec![("error", "true"), ("http.response.status_code", "503")], error("HTTP 503")),
            (vec![("error", "true"), ("exception.type", "Timeout")], error("Timeout")),
        ] {
            assert_eq!(outcome_of(&Status::Unset, &tags(&pairs), &[]), outcome, "{pairs:?}");
        }
        assert_eq!(outcome_of(&Status::Error("no route".into()), &[], &[]), error("no route"));
    }

    #[test]
    fn an_exception_in_a_log_says_what_went_wrong_in_new_and_old_words() {
        for (fields, text) in [
            (
                vec![("event", "exception"), ("exception.type", "IOError"), ("exception.message", "reset")],
                "IOError: reset",
            ),
            (vec![("event", "error"), ("message", "pool exhausted")], "pool exhausted"),
            (vec![("event", "error"), ("error.object", "java.net.SocketException")], "java.net.SocketException"),
            (vec![("event", "retry"), ("message", "again")], "error"),
        ] {
            let log = SpanLog { at: DateTime::UNIX_EPOCH, fields: tags(&fields) };
            let outcome = outcome_of(&Status::Unset, &tags(&[("error", "true")]), &[log]);
            assert_eq!(outcome, Outcome::Error(text.into()));
        }
    }

    #[test]
    fn a_waterfall_stands_in_order_and_shows_orphans_and_cut_rings_as_roots() {
        let spans = vec![
            span("late", Some("root"), 5, false),
            span("root", None, 0, false),
            span("early", Some("root"), 1, false),
            span("orphan", Some("gone"), 2, false),
            span("ring-b", Some("ring-a"), 4, false),
            span("ring-a", Some("ring-b"), 3, false),
            span("self", Some("self"), 9, false),
        ];
        let trace = trace(spans);
        let lines = trace.waterfall();
        let shown: Vec<_> =
            lines.iter().map(|line| (trace.spans[line.span].id.as_str(), line.depth, line.is_orphan)).collect();
        assert_eq!(
            shown,
            [
                ("root", 0, false),
                ("early", 1, false),
                ("late", 1, false),
                ("orphan", 0, true),
                ("self", 0, false),
                ("ring-a", 0, false),
                ("ring-b", 1, false)
            ]
        );
    }

    #[test]
    fn the_deepest_error_is_to_blame_and_of_two_the_later() {
        let trace = trace(vec![
            span("gateway", None, 0, true),
            span("pay", Some("gateway"), 1, true),
            span("try-1", Some("pay"), 2, true),
            span("try-2", Some("pay"), 3, true),
            span("log", Some("gateway"), 9, false),
        ]);
        assert_eq!(trace.culprit(), Some(3));
        assert_eq!(trace.blame(), [Some(3), Some(3), Some(2), Some(3), None]);
        let (errors, _) = trace.rows(&[("alipay".into(), None)]);
        assert_eq!(errors.iter().map(|row| row.span.as_str()).collect::<Vec<_>>(), ["try-2", "try-1"]);
    }

    #[test]
    fn a_slow_span_is_the_outermost_of_its_service() {
        let mut outer = span("outer", None, 0, false);
        outer.service = "web".into();
        outer.duration = TimeDelta::seconds(9);
        let mut middle = span("middle", Some("outer"), 1, false);
        middle.duration = TimeDelta::seconds(8);
        let mut inner = span("inner", Some("middle"), 2, false);
        inner.duration = TimeDelta::seconds(7);
        let (errors, slow) = trace(vec![inner, middle, outer]).rows(&[("alipay".into(), Some(TimeDelta::seconds(2)))]);
        assert_eq!((errors.len(), slow.len(), slow[0].span.as_str()), (0, 1, "middle"));
    }

    #[test]
    fn rows_are_grouped_with_their_rate_their_worst_and_their_middle() {
        let row = |trace: &str, operation: &str, at: i64, millis: i64| SpanRow {
            trace: trace.into(),
            span: "s".into(),
            service: "alipay".into(),
            operation: operation.into(),
            error: "timeout".into(),
            at: DateTime::from_timestamp(1_780_000_000 + at, 0).unwrap(),
            duration: TimeDelta::milliseconds(millis),
        };
        let rows = [row("a", "pay", 1, 30), row("b", "pay", 5, 10), row("c", "pay", 3, 20), row("d", "refund", 9, 1)];
        let groups = group(&rows, TimeDelta::seconds(60), SpanOrder::Count);
        assert_eq!(groups.len(), 2);
        let SpanGroup { count, rate, worst, median, example, .. } = &groups[0];
        assert_eq!((*count, *rate, worst.num_milliseconds(), median.num_milliseconds()), (3, 0.05, 30, 20));
        assert_eq!(example, "b");
        assert_eq!(group(&rows, TimeDelta::seconds(60), SpanOrder::Newest)[0].operation, "refund");
    }

    proptest! {
        #[test]
        fn any_parents_give_a_finite_waterfall_with_each_span_once(
            links in proptest::collection::vec((0..12_u8, proptest::option::of(0..14_u8), 0..5_i64, any::<bool>()), 0..40)
        ) {
            let spans = links.iter().map(|(id, parent, start, is_error)| {
                span(&id.to_string(), parent.map(|parent| parent.to_string()).as_deref(), *start, *is_error)
            });
            let trace = trace(spans.collect());
            let mut seen: Vec<_> = trace.waterfall().iter().map(|line| line.span).collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..trace.spans.len()).collect::<Vec<_>>());
            prop_assert_eq!(trace.culprit().is_some(), trace.spans.iter().any(Span::is_error));
            let (errors, _) = trace.rows(&[("alipay".into(), None)]);
            prop_assert!(errors.len() <= trace.spans.len());
        }
    }
}
