//! Error spans, slow spans and traces.
//!
//! Hides the rule by which a span counts as an error ([`evidence`]: the data says it in a dozen ways), the tree that parents make of a trace (with
//! parents that are missing, doubled or form a ring), which span is to blame ([`cause`]), which errors are of one kind ([`kinds`]), and what is otherwise
//! in a healthy trace ([`compare`]).
//!
//! Invariant: any set of spans gives a finite waterfall in which each span stands exactly once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::text::{CleanStr, CleanText};

pub mod cause;
pub mod compare;
pub mod evidence;
pub mod fields;
pub mod kinds;
pub mod path;

pub use cause::{Cause, Role, Verdict, Why};
pub use evidence::{http_status, is_evidence, outcome_of};
pub use kinds::{SpanGroup, group};

/// A trace's id as lower-case hex.
pub type TraceId = CleanStr;

/// What a span says of its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Outcome {
    /// Nothing went wrong here.
    #[default]
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

/// What lies further from its parent is not drawn to scale.
const FAR: TimeDelta = TimeDelta::hours(1);

/// On which side of a call a span is (`span.kind`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Kind {
    /// It says nothing, or that it is inside one service.
    #[default]
    Internal,
    /// It asks another service.
    Client,
    /// It answers another service.
    Server,
    /// It sends a message, and waits for nobody.
    Producer,
    /// It works on a message.
    Consumer,
}

impl Kind {
    /// The kind by its name.
    pub fn named(name: &str) -> Self {
        match name {
            "client" => Self::Client,
            "server" => Self::Server,
            "producer" => Self::Producer,
            "consumer" => Self::Consumer,
            _ => Self::Internal,
        }
    }
}

/// One operation of one service inside a trace.
#[derive(Clone, Debug, PartialEq, Default)]
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
    /// On which side of a call it is.
    pub kind: Kind,
    /// It only follows from its parent, which did not wait for it.
    pub follows: bool,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status, where a tag has one: secondary evidence only.
    pub http_status: Option<u16>,
    /// Its tags.
    pub tags: Vec<(CleanStr, CleanStr)>,
    /// The tags of the process that did it: pod, host, version.
    pub process: Arc<[(CleanStr, CleanStr)]>,
    /// Its events.
    pub logs: Vec<SpanLog>,
    /// Values of tags and events that are no single line of usual length, by key, as they came; [`Span::whole`] finds one.
    pub long: Vec<(CleanStr, CleanText)>,
    /// What the collector says about it (clock skew).
    pub warnings: Vec<CleanStr>,
}

/// A service whose spans are watched.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WatchedService {
    /// The name in the traces.
    pub service: CleanStr,
    /// Slower than this counts as slow.
    pub slow: Option<TimeDelta>,
    /// HTTP statuses below 500 that count as errors of it.
    pub statuses: Vec<u16>,
    /// Which share of its requests is traced, where the playbook says so.
    pub sampled: Option<f64>,
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

/// A span on the way from a cause to what the user saw.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Which service.
    pub service: CleanStr,
    /// Which operation.
    pub operation: CleanStr,
    /// What it said went wrong.
    pub error: CleanStr,
}

/// So many steps of a way, and so many consequences, are kept.
const MOST_STEPS: usize = 8;

/// What a trace gives to the tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// The causes of what failed.
    pub errors: Vec<SpanRow>,
    /// Attempts that failed and were made good by another.
    pub mended: Vec<SpanRow>,
    /// Slow spans.
    pub slow: Vec<SpanRow>,
}

/// A cause, or a slow span, of the watched services, as the table shows it.
#[derive(Clone, Debug, PartialEq, Default)]
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
    /// The watched services that failed because of it.
    pub hurt: Vec<CleanStr>,
    /// The failing spans above it, up to what the user saw.
    pub way: Vec<Step>,
    /// What failed after it.
    pub beside: Vec<Step>,
    /// It failed after the request was answered.
    pub is_late: bool,
}

impl SpanRow {
    /// Whether it hurts one of some services: because it is one of theirs, or because one of theirs failed of it.
    pub fn concerns(&self, services: &[CleanStr]) -> bool {
        services.contains(&self.service) || self.hurt.iter().any(|hurt| services.contains(hurt))
    }
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

impl Span {
    /// Whether it says of itself that it is an error.
    pub fn is_error(&self) -> bool {
        matches!(self.outcome, Outcome::Error(_))
    }

    /// A value of a tag or an event as it came, where that is more than the one line which is kept of it.
    pub fn whole(&self, key: &CleanStr, value: &CleanStr) -> Option<&CleanText> {
        let is_it = |(name, text): &&(CleanStr, CleanText)| name == key && CleanStr::field(text) == *value;
        self.long.iter().find(is_it).map(|(_, text)| text)
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

    /// When its first span began and its last one ended. What lies hours outside its parent (a clock that is wrong, a message that waited) is left out:
    /// it would squeeze all others into one column.
    pub fn bounds(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let tree = self.tree();
        let mut root = vec![0; tree.len()];
        let mut sizes = vec![0_usize; tree.len()];
        for (place, node) in tree.iter().enumerate() {
            root[place] = node.parent.map_or(place, |parent| root[parent]);
            sizes[root[place]] += 1;
        }
        // What most of the trace hangs on sets the scale; of equals the first.
        let main = (0..tree.len()).max_by_key(|place| (sizes[*place], std::cmp::Reverse(*place)))?;
        let (most, others): (Vec<usize>, Vec<usize>) = (0..tree.len()).partition(|place| root[*place] == main);
        let mut inside = vec![false; tree.len()];
        let mut bounds: Option<(DateTime<Utc>, DateTime<Utc>)> = None;
        for place in most.into_iter().chain(others) {
            let node = &tree[place];
            let span = &self.spans[node.span];
            let around = match node.parent {
                Some(parent) if !inside[parent] => continue,
                Some(parent) => Some((self.spans[tree[parent].span].start, self.spans[tree[parent].span].end())),
                None => bounds,
            };
            let is_near =
                |(start, end): (DateTime<Utc>, DateTime<Utc>)| span.start <= end + FAR && span.end() >= start - FAR;
            if !around.is_none_or(is_near) {
                continue;
            }
            inside[place] = true;
            bounds = Some(
                bounds.map_or((span.start, span.end()), |(start, end)| (start.min(span.start), end.max(span.end()))),
            );
        }
        bounds
    }

    /// The rows that a trace gives to the tables: one for each cause of what failed in a watched service, and one for each attempt that was made good. A
    /// slow span is the outermost one of its service that took longer than the service may.
    pub fn rows(&self, watched: &[WatchedService]) -> Rows {
        let limits: HashMap<&str, Option<TimeDelta>> =
            watched.iter().map(|watched| (watched.service.as_str(), watched.slow)).collect();
        let is_watched = |span: &Span| limits.contains_key(span.service.as_str());
        let mut rows = Rows::default();
        let tree = self.tree();
        for (place, node) in tree.iter().enumerate() {
            let span = &self.spans[node.span];
            let Some(limit) = limits.get(span.service.as_str()) else { continue };
            let is_slow = |span: &Span| limit.is_some_and(|limit| span.duration >= limit);
            if is_slow(span)
                && !self.has_ancestor(&tree, place, |above| above.service == span.service && is_slow(above))
            {
                rows.slow.push(self.row(node.span));
            }
        }
        if !self.spans.iter().any(Span::is_error) {
            return rows;
        }
        let Verdict { causes, roles } = self.verdict(is_watched);
        for cause in &causes {
            let mut seen = HashSet::from([cause.span]);
            let mut hurt: Vec<CleanStr> = Vec::new();
            for span in [cause.span].iter().chain(&cause.way).chain(&cause.consequences).map(|span| &self.spans[*span])
            {
                if is_watched(span) && !hurt.contains(&span.service) {
                    hurt.push(span.service.clone());
                }
            }
            let mut steps = |spans: &[usize]| -> Vec<Step> {
                spans.iter().filter(|span| seen.insert(**span)).take(MOST_STEPS).map(|span| self.step(*span)).collect()
            };
            let (way, beside) = (steps(&cause.way), steps(&cause.consequences));
            let error = self.words(cause);
            rows.errors.push(SpanRow { error, hurt, way, beside, is_late: cause.is_late, ..self.row(cause.span) });
        }
        let mended =
            roles.iter().enumerate().filter(|(span, role)| **role == Role::MadeGood && is_watched(&self.spans[*span]));
        rows.mended.extend(mended.map(|(span, _)| self.row(span)));
        rows
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
            ..SpanRow::default()
        }
    }

    fn tree(&self) -> Vec<Node> {
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_by_key(|span| (self.spans[*span].start, &self.spans[*span].id, *span));
        let mut by_id: HashMap<&str, usize> = HashMap::with_capacity(order.len());
        for span in &order {
            // Of two spans with one id (a client's and a server's) the client's is the outer one, or else the earlier.
            let first = by_id.entry(self.spans[*span].id.as_str()).or_insert(*span);
            if self.spans[*first].kind == Kind::Server && self.spans[*span].kind == Kind::Client {
                *first = *span;
            }
        }
        let parent_of = |span: usize| {
            let twin = by_id.get(self.spans[span].id.as_str()).copied().filter(|twin| *twin != span);
            if let Some(twin) = twin.filter(|twin| self.spans[*twin].service != self.spans[span].service) {
                return Some(Some(twin));
            }
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

#[cfg(test)]
mod generated;
#[cfg(test)]
mod tests;
