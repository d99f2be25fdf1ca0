//! A trace beside a healthy one of the same operation, and the requests of a time beside those of another, in figures.
//!
//! Hides how two trees of spans are laid on each other: by the way from the outermost span down, service and kind of operation for each step, so that
//! ids and times play no part, and many calls of one kind are one row.
//!
//! Invariant: each span of both traces counts in exactly one row; what is only in one of them is said once, at its uppermost row.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::kinds::operation;
use super::{Span, Trace, TraceId};
use crate::slo::Unit;
use crate::text::{CleanStr, many};

/// The operation by which a request enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which service.
    pub service: CleanStr,
    /// Which operation, as the traces spell it.
    pub operation: CleanStr,
}

/// A time from which requests are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Which time that is: "before the breach".
    pub what: CleanStr,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// What is to be compared: a trace with a healthy one, and the requests of now with those of then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The trace that is open.
    pub trace: TraceId,
    /// How its request enters.
    pub entry: Entry,
    /// Where a healthy one is looked for: the first time that has one counts.
    pub then: Vec<Period>,
    /// With which time that one is compared in figures.
    pub now: Period,
}

/// An answer to [`Wanted`].
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The trace that is open.
    pub trace: TraceId,
    /// How its request enters.
    pub entry: Entry,
    /// The healthy one, or why there is none.
    pub healthy: Result<Healthy, CleanStr>,
}

/// A healthy trace and the requests around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Healthy {
    /// The trace.
    pub trace: Trace,
    /// From which time it is.
    pub period: Period,
    /// The requests of that time.
    pub then: Census,
    /// The requests of now; without an answer, why.
    pub now: Result<Census, CleanStr>,
}

/// How often an operation was in some requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Count {
    /// In how many requests.
    pub requests: usize,
    /// In how many of them it failed.
    pub failed: usize,
    /// How long it took in each, without what it called.
    took: Vec<TimeDelta>,
}

impl Count {
    fn median(&self) -> TimeDelta {
        let mut took = self.took.clone();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }
}

/// What the requests of a time did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Census {
    /// How many requests were looked at.
    pub requests: usize,
    /// There were more.
    pub is_sample: bool,
    /// By service and kind of operation.
    pub counts: BTreeMap<(CleanStr, CleanStr), Count>,
}

impl Census {
    /// Counts the traces in which an entry is.
    pub fn of<'a>(traces: impl IntoIterator<Item = &'a Trace>, entry: &Entry) -> Self {
        let mut census = Self::default();
        for trace in traces.into_iter().filter(|trace| trace.enters_by(entry).is_some()) {
            census.requests += 1;
            let own = trace.own_times();
            let mut here: BTreeMap<(CleanStr, CleanStr), (bool, TimeDelta)> = BTreeMap::new();
            for (span, own) in trace.spans.iter().zip(own) {
                let (failed, took) = here.entry((span.service.clone(), operation(&span.operation))).or_default();
                *failed |= span.is_error();
                *took += own;
            }
            for (key, (failed, took)) in here {
                let count = census.counts.entry(key).or_default();
                count.requests += 1;
                count.failed += usize::from(failed);
                count.took.push(took);
            }
        }
        census
    }

    fn share(&self, part: usize) -> f64 {
        part as f64 / self.requests.max(1) as f64
    }

    /// What is otherwise in later requests, a sentence for each operation, what differs most first.
    pub fn shifts(&self, now: &Self) -> Vec<String> {
        let none = Count::default();
        let keys: BTreeSet<_> = self.counts.keys().chain(now.counts.keys()).collect();
        let mut all: Vec<(f64, String)> = Vec::new();
        for key in keys {
            let (before, after) = (self.counts.get(key).unwrap_or(&none), now.counts.get(key).unwrap_or(&none));
            let (service, name) = key;
            let in_before = self.share(before.requests);
            let in_now = now.share(after.requests);
            let (bad_before, bad_now) = (self.share(before.failed), now.share(after.failed));
            let mut parts = Vec::new();
            if (in_now - in_before).abs() >= LEAST_SHIFT {
                parts.push(format!("in {} of requests before, in {} now", percent(in_before), percent(in_now)));
            }
            if (bad_now - bad_before).abs() >= LEAST_SHIFT {
                parts.push(format!("failed in {} before, in {} now", percent(bad_before), percent(bad_now)));
            }
            let (usual, is) = (before.median(), after.median());
            let is_slower = before.requests > 0 && is >= usual * 2 && is - usual >= LEAST_SLOWER;
            if is_slower {
                parts.push(format!("itself {} (median) before, {} now", length(usual), length(is)));
            }
            if !parts.is_empty() {
                let by = (in_now - in_before).abs().max((bad_now - bad_before).abs());
                let by = if is_slower { by.max(0.5) } else { by };
                all.push((by, format!("{service} {name}: {}", parts.join("; "))));
            }
        }
        all.sort_by(|one, other| other.0.total_cmp(&one.0));
        all.into_iter().map(|(_, line)| line).collect()
    }
}

/// A smaller change of a share says nothing.
const LEAST_SHIFT: f64 = 0.1;
/// A smaller change of a time says nothing.
const LEAST_SLOWER: TimeDelta = TimeDelta::milliseconds(1);
/// So many calls more are more.
const MORE_CALLS: usize = 3;

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn length(time: TimeDelta) -> String {
    Unit::Seconds.show(time.num_microseconds().map_or(f64::MAX, |micros| micros as f64 / 1e6))
}

/// The spans of one row in one trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: usize,
    /// How long they took together.
    pub took: TimeDelta,
    /// How long without what they called.
    pub own: TimeDelta,
    /// How many of them failed.
    pub failed: usize,
}

/// What is otherwise in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It failed, and did not in the healthy trace.
    Failed,
    /// It is new.
    New,
    /// It is missing.
    Missing,
    /// It is called more often.
    Oftener,
    /// It took longer itself.
    Slower,
    /// It took less itself.
    Faster,
    /// Nothing that matters.
    Same,
}

impl Change {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::New => "new",
            Self::Missing => "missing",
            Self::Slower => "slower",
            Self::Oftener => "more often",
            Self::Faster => "faster",
            Self::Same => "",
        }
    }
}

/// A row of both traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// How deep it stands.
    pub depth: u16,
    /// Which service.
    pub service: CleanStr,
    /// Which kind of operation.
    pub operation: CleanStr,
    /// In the trace that is open.
    pub here: Tally,
    /// In the healthy one.
    pub there: Tally,
    /// What is otherwise.
    pub change: Change,
    /// How many spans below it are new or missing as it is.
    pub below: usize,
    /// A row above it is new or missing as it is, and says so.
    pub is_covered: bool,
}

impl Pair {
    /// What is otherwise, as a sentence.
    pub fn sentence(&self) -> String {
        let Self { service, operation, here, there, below, .. } = self;
        let below = if *below == 0 { String::new() } else { format!(", with {} below", many(*below, "span")) };
        let calls = |tally: &Tally| if tally.count == 1 { String::new() } else { format!("{} × ", tally.count) };
        let what = match self.change {
            Change::Failed => format!("{} of {} failed, none of {} there", here.failed, here.count, there.count),
            Change::New => {
                let failed = if here.failed > 0 { ", and failed" } else { "" };
                format!("{}{}{below}{failed}", calls(here), length(here.took))
            }
            Change::Missing => format!("{}{} there{below}", calls(there), length(there.took)),
            Change::Slower | Change::Faster => format!("itself {}, {} there", length(here.own), length(there.own)),
            Change::Oftener => {
                format!("{} calls, {}; {} there, {}", here.count, length(here.took), there.count, length(there.took))
            }
            Change::Same => length(here.took),
        };
        format!("{} {service} {operation}: {what}", self.change.word())
    }
}

/// A row while it is made.
struct Node {
    depth: u16,
    key: (CleanStr, CleanStr),
    tallies: [Tally; 2],
    children: Vec<usize>,
    by_key: BTreeMap<(CleanStr, CleanStr), usize>,
}

impl Trace {
    /// The span by which its request enters: the root of the tree on which most of it hangs, of equals the first.
    pub fn entry(&self) -> Option<Entry> {
        let tree = self.tree();
        let mut root = vec![0; tree.len()];
        let mut sizes = vec![0_usize; tree.len()];
        for (place, node) in tree.iter().enumerate() {
            root[place] = node.parent.map_or(place, |parent| root[parent]);
            sizes[root[place]] += 1;
        }
        let main = (0..tree.len()).max_by_key(|place| (sizes[*place], std::cmp::Reverse(*place)))?;
        let Span { service, operation, .. } = &self.spans[tree[main].span];
        Some(Entry { service: service.clone(), operation: operation.clone() })
    }

    /// The span of an entry in it.
    pub fn enters_by(&self, entry: &Entry) -> Option<&Span> {
        let is_it = |span: &&Span| span.service == entry.service && span.operation == entry.operation;
        self.spans.iter().filter(is_it).min_by_key(|span| span.start)
    }

    /// Whether nothing in it went wrong.
    pub fn is_healthy(&self) -> bool {
        !self.spans.iter().any(|span| span.is_error() || span.http_status.is_some_and(|status| status >= 500))
    }

    /// The rows of this trace and a healthy one, parents before their children.
    pub fn beside(&self, healthy: &Self) -> Vec<Pair> {
        let root = Node {
            depth: 0,
            key: Default::default(),
            tallies: Default::default(),
            children: Vec::new(),
            by_key: BTreeMap::new(),
        };
        let mut nodes = vec![root];
        for (side, trace) in [self, healthy].into_iter().enumerate() {
            trace.lay(side, &mut nodes);
        }
        let whole = self.bounds().map_or(TimeDelta::zero(), |(start, end)| end - start);
        let mut pairs = Vec::new();
        let mut open: Vec<usize> = nodes[0].children.iter().rev().copied().collect();
        while let Some(at) = open.pop() {
            let node = &nodes[at];
            let [here, there] = node.tallies;
            pairs.push(Pair {
                depth: node.depth,
                service: node.key.0.clone(),
                operation: node.key.1.clone(),
                here,
                there,
                change: change(here, there, whole),
                below: 0,
                is_covered: false,
            });
            open.extend(node.children.iter().rev());
        }
        fold(&mut pairs);
        pairs
    }

    /// Lays it into the rows, as the left or the right one.
    fn lay(&self, side: usize, nodes: &mut Vec<Node>) {
        let (tree, own) = (self.tree(), self.own_times());
        let mut rows: Vec<usize> = Vec::with_capacity(tree.len());
        for node in &tree {
            let span = &self.spans[node.span];
            let above = node.parent.map_or(0, |parent| rows[parent]);
            let key = (span.service.clone(), operation(&span.operation));
            let row = match nodes[above].by_key.get(&key) {
                Some(row) => *row,
                None => {
                    let row = nodes.len();
                    let depth = if above == 0 { 0 } else { nodes[above].depth.saturating_add(1) };
                    nodes[above].by_key.insert(key.clone(), row);
                    nodes[above].children.push(row);
                    let (tallies, children, by_key) = Default::default();
                    nodes.push(Node { depth, key, tallies, children, by_key });
                    row
                }
            };
            let tally = &mut nodes[row].tallies[side];
            tally.count += 1;
            tally.took += span.duration;
            tally.own += own[node.span];
            tally.failed += usize::from(span.is_error());
            rows.push(row);
        }
    }
}

fn change(here: Tally, there: Tally, whole: TimeDelta) -> Change {
    let matters = |more: TimeDelta| more >= LEAST_SLOWER && more * 20 >= whole;
    if there.count == 0 {
        Change::New
    } else if here.count == 0 {
        Change::Missing
    } else if here.failed > 0 && there.failed == 0 {
        Change::Failed
    } else if here.count >= there.count * 2 && here.count >= there.count + MORE_CALLS {
        Change::Oftener
    } else if here.own * 2 >= there.own * 3 && matters(here.own - there.own) {
        Change::Slower
    } else if there.own * 2 >= here.own * 3 && matters(there.own - here.own) {
        Change::Faster
    } else {
        Change::Same
    }
}

/// Rows that are new or missing because the one above them is are said by that one.
fn fold(pairs: &mut [Pair]) {
    let mut above: Vec<usize> = Vec::new();
    for at in 0..pairs.len() {
        above.truncate(usize::from(pairs[at].depth));
        let is_one_sided = |change| matches!(change, Change::New | Change::Missing);
        let first = above.iter().copied().find(|place| {
            is_one_sided(pairs[*place].change) && pairs[*place].change == pairs[at].change && !pairs[*place].is_covered
        });
        if let Some(first) = first {
            pairs[first].below += pairs[at].here.count.max(pairs[at].there.count);
            pairs[first].here.failed += pairs[at].here.failed;
            pairs[at].is_covered = true;
        }
        above.push(at);
    }
}

/// What is otherwise in two traces, what matters most first.
pub fn differences(pairs: &[Pair]) -> Vec<&Pair> {
    let mut all: Vec<&Pair> = pairs.iter().filter(|pair| pair.change != Change::Same && !pair.is_covered).collect();
    let weight = |pair: &Pair| {
        let by = match pair.change {
            Change::New => pair.here.took,
            Change::Missing => pair.there.took,
            Change::Failed | Change::Slower | Change::Oftener | Change::Faster | Change::Same => {
                (pair.here.own - pair.there.own).abs()
            }
        };
        (pair.change, std::cmp::Reverse(by))
    };
    all.sort_by_key(|pair| weight(pair));
    all
}

/// Of healthy traces the one that took as long as most of them.
pub fn typical(traces: Vec<Trace>, entry: &Entry) -> Option<Trace> {
    let took = |trace: &Trace| trace.enters_by(entry).map(|span| span.duration);
    let mut healthy: Vec<(TimeDelta, Trace)> = traces
        .into_iter()
        .filter(Trace::is_healthy)
        .filter_map(|trace| took(&trace).map(|took| (took, trace)))
        .collect();
    healthy.sort_by(|one, other| one.0.cmp(&other.0).then_with(|| one.1.id.cmp(&other.1.id)));
    let middle = healthy.len() / 2;
    healthy.into_iter().nth(middle).map(|(_, trace)| trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spans::Outcome;

    /// A span by name, parent, begin and length in milliseconds; a `!` at the end of the name is an error.
    fn span((name, parent, from, takes): (&str, &str, i64, i64)) -> Span {
        let (name, is_error) = name.strip_suffix('!').map_or((name, false), |name| (name, true));
        let (service, operation) = name.split_once('.').unwrap_or(("shop", name));
        Span {
            id: name.into(),
            parent: (!parent.is_empty()).then(|| parent.into()),
            service: service.into(),
            operation: operation.split('#').next().unwrap_or_default().into(),
            start: DateTime::from_timestamp_millis(from).unwrap(),
            duration: TimeDelta::milliseconds(takes),
            outcome: if is_error { Outcome::Error("no".into()) } else { Outcome::Fine },
            ..Span::default()
        }
    }

    fn trace(id: &str, spans: &[(&str, &str, i64, i64)]) -> Trace {
        Trace { id: id.into(), spans: spans.iter().copied().map(span).collect(), warnings: Vec::new() }
    }

    fn said(pairs: &[Pair]) -> Vec<String> {
        differences(pairs).into_iter().map(Pair::sentence).collect()
    }

    #[test]
    fn beside_a_healthy_trace_stands_what_is_new_missing_slower_and_failed() {
        let healthy = trace(
            "good",
            &[
                ("web.pay", "", 0, 100),
                ("cart.get", "web.pay", 5, 10),
                ("cart.redis", "cart.get", 6, 5),
                ("bank.auth", "web.pay", 20, 30),
                ("stock.take", "web.pay", 60, 20),
            ],
        );
        let bad = trace(
            "bad",
            &[
                ("web.pay!", "", 0, 900),
                ("bank.auth!", "web.pay", 5, 400),
                ("stock.take", "web.pay", 410, 300),
                ("retry.queue", "web.pay", 720, 100),
                ("retry.send", "retry.queue", 730, 50),
            ],
        );
        assert_eq!(
            said(&bad.beside(&healthy)),
            [
                "failed bank auth: 1 of 1 failed, none of 1 there",
                "failed web pay: 1 of 1 failed, none of 1 there",
                "new retry queue: 100 ms, with 1 span below",
                "missing cart get: 10.0 ms there, with 1 span below",
                "slower stock take: itself 300 ms, 20.0 ms there",
            ]
        );
        assert_eq!(said(&healthy.beside(&healthy)), Vec::<String>::new());
    }

    #[test]
    fn one_call_that_became_eighty_is_one_row() {
        let healthy = trace("good", &[("web.page", "", 0, 100), ("db.select#0", "web.page", 5, 1)]);
        let names: Vec<String> = (0..80).map(|number| format!("db.select#{number}")).collect();
        let mut spans = vec![("web.page", "", 0, 100)];
        spans.extend(names.iter().enumerate().map(|(at, name)| (name.as_str(), "web.page", at as i64, 1)));
        let pairs = trace("bad", &spans).beside(&healthy);
        assert_eq!(pairs.len(), 2);
        assert_eq!((pairs[1].here.count, pairs[1].there.count, pairs[1].change), (80, 1, Change::Oftener));
    }

    #[test]
    fn over_a_set_of_requests_a_share_then_stands_beside_the_share_now() {
        let entry = Entry { service: "web".into(), operation: "pay".into() };
        let with = |id: usize, others: &[(&str, &str, i64, i64)]| {
            let mut spans = vec![("web.pay", "", 0, 100)];
            spans.extend(others);
            trace(&id.to_string(), &spans)
        };
        let stock = ("stock.reserve", "web.pay", 5, 5);
        let set = |all: usize, some: usize| -> Vec<Trace> {
            (0..all).map(|id| if id < some { with(id, &[stock]) } else { with(id, &[]) }).collect()
        };
        let (then, now) = (Census::of(&set(50, 1), &entry), Census::of(&set(100, 71), &entry));
        assert_eq!(then.shifts(&now), ["stock reserve: in 2 % of requests before, in 71 % now"]);
        assert_eq!(then.shifts(&then), Vec::<String>::new());
        let other = Entry { service: "web".into(), operation: "look".into() };
        assert_eq!(Census::of(&set(50, 1), &other).requests, 0, "requests that enter elsewhere are none of them");
    }

    #[test]
    fn the_healthy_one_is_neither_broken_nor_the_fastest_nor_the_slowest() {
        let entry = Entry { service: "web".into(), operation: "pay".into() };
        let one = |id: &str, name: &str, takes: i64| trace(id, &[(name, "", 0, takes)]);
        let all = vec![
            one("slow", "web.pay", 900),
            one("broken", "web.pay!", 110),
            one("fast", "web.pay", 1),
            one("usual", "web.pay", 100),
        ];
        assert_eq!(typical(all, &entry).map(|trace| trace.id), Some("usual".into()));
        assert_eq!(typical(vec![one("broken", "web.pay!", 110)], &entry), None);
    }
}
