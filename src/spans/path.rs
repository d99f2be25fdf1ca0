//! What made a request slow: its critical path, the time that each span spends itself, and calls that were made one after another.
//!
//! Hides the walk: from the end of the outermost span back, always into the child that ended last before the moment that was reached (as Jaeger draws
//! it). Children that lie outside their parent are cut to it, or left out; those that nobody waited for are left out.
//!
//! Invariant: sections of the path do not overlap, and stand the latest first; a span's own time is never more than its duration.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::kinds::{operation, template};
use super::{Kind, Node, Trace};
use crate::text::CleanStr;

/// A stretch of the critical path, in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// The span that the request waited for, as a place in [`Trace::spans`].
    pub span: usize,
    /// From when.
    pub from: i64,
    /// Until when.
    pub until: i64,
}

/// The same call again and again, each after the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Who calls, as a place in [`Trace::spans`].
    pub parent: usize,
    /// The calls, in their order.
    pub calls: Vec<usize>,
    /// What is called, as a template.
    pub what: CleanStr,
    /// How long all of them took together.
    pub took: TimeDelta,
}

/// Fewer calls than this are a handful.
const LEAST_CALLS: usize = 8;

/// A tree whose children lie inside their parents.
struct Cut {
    tree: Vec<Node>,
    children: Vec<Vec<usize>>,
    /// Begin and end, where it counts.
    times: Vec<Option<(i64, i64)>>,
}

impl Trace {
    /// What the request waited for, the latest first.
    pub fn critical_path(&self) -> Vec<Section> {
        let cut = self.cut();
        let mut path = Vec::new();
        for place in (0..cut.tree.len()).filter(|place| cut.tree[*place].parent.is_none()) {
            let Some((from, until)) = cut.times[place] else { continue };
            cut.walk(place, from, until, &mut path);
        }
        path
    }

    /// How long each span took without its children.
    pub fn own_times(&self) -> Vec<TimeDelta> {
        let cut = self.cut();
        let mut own = vec![TimeDelta::zero(); self.spans.len()];
        for (place, node) in cut.tree.iter().enumerate() {
            let Some((from, until)) = cut.times[place] else {
                own[node.span] = self.spans[node.span].duration;
                continue;
            };
            let mut inside: Vec<(i64, i64)> =
                cut.children[place].iter().filter_map(|child| cut.times[*child]).collect();
            inside.sort_unstable();
            let (mut covered, mut reached) = (0, from);
            for (begin, end) in inside {
                covered += (end - begin.max(reached)).max(0);
                reached = reached.max(end);
            }
            own[node.span] = TimeDelta::microseconds((until - from - covered).max(0));
        }
        own
    }

    /// Calls of one kind that one span makes one after another; those that take longest first. Calls beside each other are none.
    pub fn repeats(&self) -> Vec<Repeat> {
        let cut = self.cut();
        let mut all = Vec::new();
        for (place, node) in cut.tree.iter().enumerate() {
            if cut.children[place].len() < LEAST_CALLS {
                continue;
            }
            let mut kinds: BTreeMap<(&CleanStr, CleanStr), Vec<usize>> = BTreeMap::new();
            for child in &cut.children[place] {
                let span = &self.spans[cut.tree[*child].span];
                kinds.entry((&span.service, self.call(cut.tree[*child].span))).or_default().push(*child);
            }
            for ((service, what), calls) in kinds.into_iter().filter(|(_, calls)| calls.len() >= LEAST_CALLS) {
                let times: Vec<(i64, i64)> = calls.iter().filter_map(|child| cut.times[*child]).collect();
                let sum: i64 = times.iter().map(|(from, until)| until - from).sum();
                let beside: i64 = times.windows(2).map(|pair| (pair[0].1 - pair[1].0).max(0)).sum();
                if beside * 10 > sum {
                    continue;
                }
                all.push(Repeat {
                    parent: node.span,
                    calls: calls.iter().map(|child| cut.tree[*child].span).collect(),
                    what: format!("{service} {what}").into(),
                    took: TimeDelta::microseconds(sum),
                });
            }
        }
        all.sort_by_key(|repeat| std::cmp::Reverse(repeat.took));
        all
    }

    /// What a span calls, without what differs from call to call.
    fn call(&self, span: usize) -> CleanStr {
        let span = &self.spans[span];
        let statement = ["db.query.text", "db.statement"].iter().find_map(|name| {
            span.tags.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| template(value))
        });
        statement.unwrap_or_else(|| operation(&span.operation))
    }

    fn cut(&self) -> Cut {
        let tree = self.tree();
        let mut children = vec![Vec::new(); tree.len()];
        let mut times: Vec<Option<(i64, i64)>> = vec![None; tree.len()];
        for (place, node) in tree.iter().enumerate() {
            let span = &self.spans[node.span];
            let from = span.start.timestamp_micros();
            let until = from.saturating_add(span.duration.num_microseconds().unwrap_or(0));
            let Some(parent) = node.parent else {
                times[place] = Some((from, until));
                continue;
            };
            let is_waited_for = !span.follows && !matches!(span.kind, Kind::Consumer | Kind::Producer);
            let Some((begin, end)) = times[parent].filter(|_| is_waited_for) else { continue };
            if from < end && until > begin || from == until && (begin..=end).contains(&from) {
                times[place] = Some((from.max(begin), until.min(end)));
                children[parent].push(place);
            }
        }
        Cut { tree, children, times }
    }
}

/// A span that the walk is in.
struct Visit {
    place: usize,
    /// Its children, the one that ends last at the end.
    rest: Vec<usize>,
    from: i64,
    /// Up to here its time is spoken for.
    until: i64,
}

impl Cut {
    fn visit(&self, place: usize, from: i64, until: i64) -> Visit {
        let mut rest = self.children[place].clone();
        rest.sort_by_key(|child| self.times[*child].map(|(_, end)| end));
        Visit { place, rest, from, until }
    }

    fn walk(&self, root: usize, from: i64, until: i64, path: &mut Vec<Section>) {
        let mut open = vec![self.visit(root, from, until)];
        while let Some(mut visit) = open.pop() {
            let span = self.tree[visit.place].span;
            let next = loop {
                let Some(child) = visit.rest.pop() else { break None };
                // One that ended later was passed while another was waited for.
                match self.times[child] {
                    Some((begin, end)) if end <= visit.until => break Some((child, begin, end)),
                    Some(_) | None => {}
                }
            };
            let Some((child, begin, end)) = next else {
                push(path, Section { span, from: visit.from, until: visit.until });
                continue;
            };
            push(path, Section { span, from: end, until: visit.until });
            visit.until = begin;
            open.push(visit);
            open.push(self.visit(child, begin, end));
        }
    }
}

fn push(path: &mut Vec<Section>, section: Section) {
    if section.from < section.until {
        path.push(section);
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::spans::Span;

    /// A trace of spans by name, parent, begin and length, in microseconds.
    fn trace(spans: &[(&str, &str, i64, i64)]) -> Trace {
        let span = |(id, parent, from, takes): &(&str, &str, i64, i64)| Span {
            id: (*id).into(),
            parent: (!parent.is_empty()).then(|| (*parent).into()),
            service: "service".into(),
            operation: id.trim_end_matches(|letter: char| letter.is_ascii_digit()).into(),
            start: DateTime::from_timestamp_micros(*from).unwrap(),
            duration: TimeDelta::microseconds(*takes),
            ..Span::default()
        };
        Trace { id: "t".into(), spans: spans.iter().map(span).collect(), warnings: Vec::new() }
    }

    fn path(trace: &Trace) -> Vec<(&str, i64, i64)> {
        let sections = trace.critical_path();
        sections.into_iter().map(|one| (trace.spans[one.span].id.as_str(), one.from, one.until)).collect()
    }

    #[test]
    fn the_critical_path_is_that_of_jaegers_nine_cases() {
        // One after another.
        let one = trace(&[("C", "", 1, 100), ("D", "C", 20, 20), ("E", "C", 50, 10)]);
        assert_eq!(path(&one), [("C", 60, 101), ("E", 50, 60), ("C", 40, 50), ("D", 20, 40), ("C", 1, 20)]);
        // Beside each other: the one that ends last.
        let two = trace(&[("X", "", 1, 100), ("A", "X", 10, 40), ("C", "X", 20, 40)]);
        assert_eq!(path(&two), [("X", 60, 101), ("C", 20, 60), ("X", 1, 20)]);
        // After its parent, alone and with a child.
        let three = trace(&[("A", "", 100, 40), ("B", "A", 150, 60)]);
        assert_eq!(path(&three), [("A", 100, 140)]);
        let four = trace(&[("A", "", 1, 30), ("B", "A", 40, 40), ("C", "B", 50, 10)]);
        assert_eq!(path(&four), [("A", 1, 31)]);
        // One that only follows.
        let mut five = trace(&[("A", "", 1, 30), ("B", "A", 10, 10)]);
        five.spans[1].follows = true;
        assert_eq!(path(&five), [("A", 1, 31)]);
        // Beyond its parent's end; before its begin, and beyond both.
        let six = trace(&[("A", "", 1, 29), ("B", "A", 15, 20), ("C", "B", 10, 15)]);
        assert_eq!(path(&six), [("B", 25, 30), ("C", 15, 25), ("A", 1, 15)]);
        let seven = trace(&[("A", "", 1, 29), ("B", "A", 15, 20), ("C", "B", 20, 20)]);
        assert_eq!(path(&seven), [("C", 20, 30), ("B", 15, 20), ("A", 1, 15)]);
        let eight = trace(&[("A", "", 10, 20), ("B", "A", 5, 30)]);
        assert_eq!(path(&eight), [("B", 10, 30)]);
        // Before its parent.
        let nine = trace(&[("A", "", 10, 20), ("B", "A", 1, 4)]);
        assert_eq!(path(&nine), [("A", 10, 30)]);
    }

    #[test]
    fn a_span_s_own_time_is_what_no_child_covers() {
        let one = trace(&[("A", "", 0, 100), ("B", "A", 10, 30), ("C", "A", 20, 40), ("D", "A", 90, 50)]);
        let own: Vec<_> = one.own_times().iter().map(|time| time.num_microseconds().unwrap()).collect();
        assert_eq!(own, [40, 30, 40, 50 - 40], "50 are covered from 10 to 60, and 10 from 90 on");
    }

    #[test]
    fn calls_one_after_another_are_named_and_calls_beside_each_other_are_not() {
        let calls = |apart: i64, count: usize| {
            let names: Vec<String> = (0..count).map(|number| format!("select{number}")).collect();
            let mut spans = vec![("page", "", 0, 100_000)];
            spans.extend(
                names.iter().enumerate().map(|(at, name)| (name.as_str(), "page", 10 + at as i64 * apart, 100)),
            );
            trace(&spans).repeats()
        };
        let serial = calls(110, 83);
        assert_eq!((serial.len(), serial[0].calls.len(), serial[0].took), (1, 83, TimeDelta::microseconds(8_300)));
        assert_eq!(serial[0].what, "service select");
        assert_eq!(calls(1, 83), [], "beside each other");
        assert_eq!(calls(110, LEAST_CALLS - 1), [], "a handful");
    }
}
