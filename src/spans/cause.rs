//! Which span is to blame: the cause, not what came of it.
//!
//! The rule, from the failing entry down:
//!
//! 1. An *entry* is the outermost span of a watched service that failed (or answered 4xx because something below it failed). Of a span that failed,
//!    the failure lies in the failing child on which it depends; where no child explains it, in itself. A child that says nothing of how it ended
//!    hands on what failed below it; one that says that it succeeded does not.
//! 2. Several children failed: where the parent's words repeat those of one, it is that one. Otherwise the first to fail, with those that ran beside
//!    it: *several causes*. What began after the first had failed is a *consequence*.
//! 3. A child that failed, and whose sibling with the same operation and request then succeeded, is a retry that was *made good*: no cause. Without a
//!    tag that tells requests apart, more successes than failures are other calls, and make nothing good. Of
//!    attempts that all failed the last one counts. A hedged request whose twin succeeded is made good too, unless the parent has no words of its
//!    own for why it failed. A cancelled child is no cause beside another.
//! 4. A parent that gave up (a timeout, a deadline, `UT`, 504, cancelled) while a child was open *waited for* the innermost span that was still open.
//! 5. What a parent did not wait for is none of its causes: links, follows-from, messages and spans that began after it ended. What fails there
//!    *failed afterwards*, and is a cause of its own.
//!
//! Clocks of two hosts differ: a server's span that fits into its client's, and lies outside, is moved into its middle before times are compared.
//!
//! Invariant: a cause is a span that failed, or one that was waited for and does not say that it succeeded; each span has one [`Role`].

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;

use super::evidence::{has_given_up, has_succeeded, is_cancelled, request_of};
use super::kinds::template;
use super::{Kind, Node, Outcome, Span, Step, Trace};
use crate::slo::Unit;
use crate::text::CleanStr;

/// What a span has to do with what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    None,
    /// It is the cause at this place of [`Verdict::causes`].
    Cause(usize),
    /// It failed because of the cause at this place, and handed that up.
    Way(usize),
    /// It failed after the cause at this place had.
    Consequence(usize),
    /// It failed, and a later attempt succeeded.
    MadeGood,
    /// It failed, and whoever asked went on without it.
    Handled,
}

/// How a cause is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It failed.
    Failed,
    /// It was still open when this other span gave up.
    WaitedFor {
        /// The span that gave up.
        by: usize,
    },
    /// It gave up on this other span, which says that it succeeded, too late.
    GaveUpOn {
        /// The span that was late.
        late: usize,
    },
}

/// A cause; spans are places in [`Trace::spans`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The span to blame.
    pub span: usize,
    /// How.
    pub why: Why,
    /// The failing spans above it, up to what the user saw.
    pub way: Vec<usize>,
    /// What failed after it.
    pub consequences: Vec<usize>,
    /// It failed after the request was answered.
    pub is_late: bool,
}

/// What is to be said of a trace in which something failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The causes, those that hurt the request before those that came after it.
    pub causes: Vec<Cause>,
    /// For each span its role.
    pub roles: Vec<Role>,
}

/// So much later than its parent a child may end and still have been waited for, in microseconds: the answer is sent before the span ends.
const SLACK: i64 = 5_000;

impl Trace {
    /// The causes of what failed in the spans that are watched.
    pub fn verdict(&self, is_watched: impl Fn(&Span) -> bool) -> Verdict {
        Ground::of(self).verdict(is_watched)
    }

    /// The span to blame first for what went wrong anywhere in it.
    pub fn culprit(&self) -> Option<usize> {
        self.verdict(|_| true).causes.first().map(|cause| cause.span)
    }

    /// What a cause says, in one line: its error, or who waited for it.
    pub fn words(&self, cause: &Cause) -> CleanStr {
        let name = |span: usize| format!("{} {}", self.spans[span].service, self.spans[span].operation);
        let length = |time: TimeDelta| Unit::Seconds.show(time.as_seconds_f64());
        match (cause.why, &self.spans[cause.span].outcome) {
            (Why::WaitedFor { by }, _) => {
                let waited = length(self.spans[by].duration);
                format!("{} waited {waited} for it{}", name(by), said(&self.spans[by])).into()
            }
            (Why::GaveUpOn { late }, _) => {
                let waited = length(self.spans[cause.span].duration);
                let own = said(&self.spans[cause.span]);
                format!("waited {waited} for {}, which answered later{own}", name(late)).into()
            }
            (Why::Failed, Outcome::Error(error)) => error.clone(),
            (Why::Failed, Outcome::Fine) => "failed".into(),
        }
    }

    /// A span as a step on the way.
    pub fn step(&self, span: usize) -> Step {
        let span = &self.spans[span];
        let error = match (&span.outcome, span.http_status) {
            (Outcome::Error(error), _) => error.clone(),
            (Outcome::Fine, Some(status)) => format!("HTTP {status}").into(),
            (Outcome::Fine, None) => CleanStr::default(),
        };
        Step { service: span.service.clone(), operation: span.operation.clone(), error }
    }
}

fn said(span: &Span) -> String {
    match &span.outcome {
        Outcome::Error(error) => format!(": {error}"),
        Outcome::Fine => String::new(),
    }
}

/// How an attempt that failed was made good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mended {
    No,
    /// By one beside it, as far as the times tell.
    Hedged,
    /// By one after it.
    Retried,
}

/// A trace with what the rules need, by place in its tree.
struct Ground<'a> {
    trace: &'a Trace,
    tree: Vec<Node>,
    children: Vec<Vec<usize>>,
    /// Begin and end in microseconds, with clocks put right.
    begin: Vec<i64>,
    end: Vec<i64>,
    /// It failed, or hands on what failed below it.
    broken: Vec<bool>,
    mended: Vec<Mended>,
    cancelled: Vec<bool>,
}

/// A cause at a place of the tree.
type Found = (usize, How);

#[derive(Clone, Copy)]
enum How {
    Failed,
    WaitedFor(usize),
    GaveUpOn(usize),
}

impl<'a> Ground<'a> {
    fn of(trace: &'a Trace) -> Self {
        let tree = trace.tree();
        let mut children = vec![Vec::new(); tree.len()];
        for (place, node) in tree.iter().enumerate() {
            if let Some(parent) = node.parent {
                children[parent].push(place);
            }
        }
        let len = tree.len();
        let cancelled = tree.iter().map(|node| is_cancelled(&trace.spans[node.span])).collect();
        let mut ground = Self {
            trace,
            tree,
            children,
            begin: vec![0; len],
            end: vec![0; len],
            broken: vec![false; len],
            mended: vec![Mended::No; len],
            cancelled,
        };
        ground.place_times();
        // Children stand behind their parents: from the end each child is known before its parent.
        for place in (0..len).rev() {
            ground.mend(place);
            let hands_on = |ground: &Self| {
                let lasting = |child: &&usize| {
                    ground.broken[**child] && ground.mended[**child] != Mended::Retried && !ground.cancelled[**child]
                };
                !has_succeeded(ground.span(place))
                    && ground.children[place].iter().any(|child| lasting(&child) && ground.depends(place, *child))
            };
            ground.broken[place] = ground.span(place).is_error() || hands_on(&ground);
        }
        ground
    }

    fn span(&self, place: usize) -> &'a Span {
        &self.trace.spans[self.tree[place].span]
    }

    fn place_times(&mut self) {
        let mut shift = vec![0_i64; self.tree.len()];
        for place in 0..self.tree.len() {
            let span = self.span(place);
            let (start, length) = (span.start.timestamp_micros(), micros(span.duration));
            if let Some(parent) = self.tree[place].parent {
                let above = self.span(parent);
                let (from, until) = (self.begin[parent], self.end[parent]);
                let is_inside = start >= from && start.saturating_add(length) <= until;
                if span.service == above.service {
                    shift[place] = shift[parent];
                } else if !is_inside && length <= until - from && is_call(above, span) {
                    shift[place] = from + (until - from - length) / 2 - start;
                } else if !is_inside && (start < from || start > until) && is_call(above, span) {
                    // It went on after its client had given up: no server begins before it is asked.
                    shift[place] = from - start;
                }
            }
            self.begin[place] = start.saturating_add(shift[place]);
            self.end[place] = self.begin[place].saturating_add(length);
        }
    }

    /// Whether the parent's end had to wait for the child's.
    fn depends(&self, parent: usize, child: usize) -> bool {
        let (above, below) = (self.span(parent), self.span(child));
        let slack = self.slack(parent);
        if self.begin[child] > self.end[parent] {
            return false;
        }
        let is_apart = below.follows || below.kind == Kind::Consumer || above.kind == Kind::Producer;
        if is_apart {
            return self.end[child] <= self.end[parent];
        }
        is_call(above, below) || self.end[child] <= self.end[parent] + slack
    }

    fn slack(&self, place: usize) -> i64 {
        SLACK.max((self.end[place] - self.begin[place]) / 50)
    }

    /// Looks among the children of a span for attempts that were made good.
    fn mend(&mut self, parent: usize) {
        let mut good: HashMap<(&CleanStr, &CleanStr), Vec<usize>> = HashMap::new();
        if !self.children[parent].iter().any(|child| self.broken[*child]) {
            return;
        }
        for child in self.children[parent].iter().filter(|child| !self.broken[**child]) {
            let span = self.span(*child);
            good.entry((&span.service, &span.operation)).or_default().push(*child);
        }
        let mut tries: HashMap<(&CleanStr, &CleanStr), usize> = HashMap::new();
        for child in self.children[parent].iter().filter(|child| self.broken[**child]) {
            let span = self.span(*child);
            *tries.entry((&span.service, &span.operation)).or_default() += 1;
        }
        for place in 0..self.children[parent].len() {
            let child = self.children[parent][place];
            if !self.broken[child] {
                continue;
            }
            let span = self.span(child);
            let Some(twins) = good.get(&(&span.service, &span.operation)) else { continue };
            // One success for many failures is a retry; many successes beside one failure are other calls, unless their requests are the same.
            let kind = (&span.service, &span.operation);
            if request_of(span).is_none() && twins.len() > tries.get(&kind).copied().unwrap_or(0) {
                continue;
            }
            let is_same = |twin: &&usize| match (request_of(span), request_of(self.span(**twin))) {
                (Some(one), Some(other)) => one == other,
                (Some(_) | None, _) => true,
            };
            let end = self.end[child] - self.slack(child).min(micros(span.duration) / 2);
            // Children stand by their begin: the last is the one that can have come after.
            let after = twins.iter().rev().take(MOST_TWINS).filter(is_same).any(|twin| self.begin[*twin] >= end);
            let is_beside = |twin: &usize| self.begin[*twin] < self.end[child] && self.end[*twin] > self.begin[child];
            let beside = || twins.iter().take(MOST_TWINS).filter(is_same).any(is_beside);
            self.mended[child] = if after {
                Mended::Retried
            } else if beside() {
                Mended::Hedged
            } else {
                Mended::No
            };
        }
    }

    /// Whether it failed as somebody outside sees it.
    fn has_failed(&self, place: usize) -> bool {
        let span = self.span(place);
        span.is_error()
            || span.http_status.is_some_and(|status| status >= 400) && {
                let lasting = |child: &&usize| self.broken[**child] && self.depends(place, **child);
                self.children[place].iter().any(|child| lasting(&child))
            }
    }

    fn verdict(&self, is_watched: impl Fn(&Span) -> bool) -> Verdict {
        #[derive(Clone, Copy)]
        enum Above {
            Open { is_late: bool },
            Entry(usize),
            Mended,
        }
        let mut verdict = Verdict { causes: Vec::new(), roles: vec![Role::None; self.trace.spans.len()] };
        let mut above: Vec<Above> = Vec::with_capacity(self.tree.len());
        let mut entries: Vec<Vec<usize>> = Vec::new();
        for place in 0..self.tree.len() {
            let parent = self.tree[place].parent;
            let inherited = match parent {
                None => Above::Open { is_late: false },
                Some(parent) if !self.depends(parent, place) && !self.was_waited_for(parent, place) => {
                    Above::Open { is_late: true }
                }
                Some(parent) => above[parent],
            };
            above.push(match inherited {
                Above::Open { is_late } if self.has_failed(place) && is_watched(self.span(place)) => {
                    if self.is_made_good(place) {
                        Above::Mended
                    } else {
                        let first = verdict.causes.len();
                        self.add(place, is_late, &mut verdict);
                        entries.push((first..verdict.causes.len()).collect());
                        Above::Entry(entries.len() - 1)
                    }
                }
                inherited => inherited,
            });
        }
        for (place, above) in above.into_iter().enumerate() {
            let role = &mut verdict.roles[self.tree[place].span];
            if !self.span(place).is_error() || *role != Role::None {
                continue;
            }
            *role = match above {
                _ if self.is_made_good(place) => Role::MadeGood,
                Above::Mended => Role::MadeGood,
                Above::Open { .. } => Role::None,
                Above::Entry(entry) => self.beside(place, &entries[entry], &mut verdict.causes),
            };
        }
        verdict.causes.sort_by_key(|cause| cause.is_late);
        let order: BTreeMap<usize, usize> =
            verdict.causes.iter().enumerate().map(|(at, cause)| (cause.span, at)).collect();
        for (at, cause) in verdict.causes.iter().enumerate() {
            for span in &cause.consequences {
                verdict.roles[*span] = Role::Consequence(at);
            }
            for span in &cause.way {
                if !order.contains_key(span) {
                    verdict.roles[*span] = Role::Way(at);
                }
            }
        }
        for (span, at) in order {
            verdict.roles[span] = Role::Cause(at);
        }
        verdict
    }

    /// What a span that failed below an entry, and is no part of a way, has to do with it.
    fn beside(&self, place: usize, of: &[usize], causes: &mut [Cause]) -> Role {
        let Some(first) = of.first() else { return Role::Handled };
        let span = self.tree[place].span;
        let is_after = |cause: &Cause| self.trace.spans[span].start >= self.trace.spans[cause.span].start;
        let mut above = self.tree[place].parent;
        while let Some(place) = above {
            if has_succeeded(self.span(place)) {
                return Role::Handled;
            }
            above = self.tree[place].parent;
        }
        if !is_after(&causes[*first]) {
            return Role::Handled;
        }
        causes[*first].consequences.push(span);
        Role::Consequence(*first)
    }

    /// Whether it is an attempt, or a part of one, that a later one made good.
    fn is_made_good(&self, place: usize) -> bool {
        let mut at = place;
        loop {
            let parent = self.tree[at].parent;
            match self.mended[at] {
                Mended::Retried => return true,
                // A twin beside it made it good if whoever asked did not fail.
                Mended::Hedged if parent.is_none_or(|parent| !self.broken[parent]) => return true,
                Mended::Hedged | Mended::No => {}
            }
            match parent {
                Some(parent) if self.broken[parent] && self.depends(parent, at) => at = parent,
                Some(_) | None => return false,
            }
        }
    }

    fn add(&self, entry: usize, is_late: bool, verdict: &mut Verdict) {
        for (place, how) in self.explain(entry) {
            let span = self.tree[place].span;
            if verdict.causes.iter().any(|cause| cause.span == span) {
                continue;
            }
            let (why, from) = match how {
                How::Failed => (Why::Failed, self.tree[place].parent),
                How::WaitedFor(by) => (Why::WaitedFor { by: self.tree[by].span }, Some(by)),
                How::GaveUpOn(late) => (Why::GaveUpOn { late: self.tree[late].span }, self.tree[place].parent),
            };
            let mut way = Vec::new();
            let (mut below, mut above) = (place, from);
            while let Some(place) = above {
                if matches!(how, How::Failed) && !self.depends(place, below) {
                    break;
                }
                if self.has_failed(place) {
                    way.push(self.tree[place].span);
                }
                (below, above) = (place, self.tree[place].parent);
            }
            verdict.causes.push(Cause { span, why, way, consequences: Vec::new(), is_late });
        }
    }

    /// The causes of a span that failed, the first to begin first.
    fn explain(&self, entry: usize) -> Vec<Found> {
        let (mut open, mut found) = (vec![entry], Vec::new());
        let mut seen = vec![false; self.tree.len()];
        while let Some(place) = open.pop() {
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            let waits = if has_given_up(self.span(place)) { self.waits(place, &mut open) } else { Vec::new() };
            if !waits.is_empty() || open.last().is_some_and(|next| !seen[*next] && self.is_below(*next, place)) {
                found.extend(waits);
                continue;
            }
            let deciding = self.deciding(place);
            if deciding.is_empty() {
                found.push((place, How::Failed));
            } else {
                open.extend(deciding.into_iter().rev());
            }
        }
        found.sort_by_key(|(place, _)| self.begin[*place]);
        found
    }

    fn is_below(&self, place: usize, above: usize) -> bool {
        std::iter::successors(Some(place), |place| self.tree[*place].parent).any(|place| place == above)
    }

    /// Whether a child was still open when its parent gave up.
    fn was_waited_for(&self, parent: usize, child: usize) -> bool {
        has_given_up(self.span(parent)) && self.is_open_at(child, parent, self.end[parent])
    }

    /// Whether a child was open at the moment when somebody above gave up. One that ended just before, without success, was cancelled; of one that ended
    /// while its parent went on that cannot be.
    fn is_open_at(&self, place: usize, parent: usize, at: i64) -> bool {
        let (span, above) = (self.span(place), self.span(parent));
        if self.begin[place] >= at || span.follows || span.kind == Kind::Consumer {
            return false;
        }
        let slack = match self.end[parent] > at + SLACK {
            true => 0,
            false if is_call(above, span) || self.cancelled[place] => self.slack(parent),
            false => SLACK,
        };
        self.end[place] >= at || self.end[place] >= at - slack && !has_succeeded(span)
    }

    /// Whom a span that gave up waited for. A child that failed in time is no such one: what it failed of is looked for in it.
    fn waits(&self, by: usize, open: &mut Vec<usize>) -> Vec<Found> {
        let (at, slack) = (self.end[by], self.slack(by));
        let mut longest: BTreeMap<(&CleanStr, &CleanStr), usize> = BTreeMap::new();
        for child in self.children[by].iter().filter(|child| self.is_open_at(**child, by, at)) {
            let span = self.span(*child);
            if span.is_error() && !self.cancelled[*child] && self.end[*child] <= at + slack {
                continue;
            }
            let known = longest.entry((&span.service, &span.operation)).or_insert(*child);
            if self.begin[*child] < self.begin[*known] {
                *known = *child;
            }
        }
        let mut found = Vec::new();
        for child in longest.into_values() {
            match self.innermost(child, at) {
                Ok(target) if has_succeeded(self.span(target)) => found.push((by, How::GaveUpOn(target))),
                Ok(target) => found.push((target, How::WaitedFor(by))),
                Err(failing) => open.extend(failing.into_iter().rev()),
            }
        }
        found
    }

    /// The innermost span that was open at a moment; or what failed below it again and again until then.
    fn innermost(&self, from: usize, at: i64) -> Result<usize, Vec<usize>> {
        let mut place = from;
        loop {
            let failing: Vec<usize> = self.deciding(place).into_iter().filter(|child| self.end[*child] <= at).collect();
            let next = self.children[place].iter().filter(|child| self.is_open_at(**child, place, at));
            let next = next.min_by_key(|child| self.begin[**child]).copied();
            let is_again = |next: usize| {
                let is_same =
                    |one: &Span, other: &Span| one.service == other.service && one.operation == other.operation;
                failing.iter().any(|child| is_same(self.span(*child), self.span(next)))
            };
            match next {
                Some(next) if !is_again(next) => place = next,
                Some(_) => return Err(failing),
                None if failing.is_empty() => return Ok(place),
                None => return Err(failing),
            }
        }
    }

    /// The failing children on which a span's failure depends.
    fn deciding(&self, place: usize) -> Vec<usize> {
        let broken: Vec<usize> = self.children[place]
            .iter()
            .copied()
            .filter(|child| self.broken[*child] && self.depends(place, *child))
            .collect();
        let own = self.text(place);
        let repeats = |child: &usize| {
            let Some(own) = &own else { return false };
            let says = |text: CleanStr| text.len() > 3 && own.contains(text.as_str());
            // A bare word is repeated where it ends the sentence: "charge failed: HTTP 500".
            let ends = |error: &CleanStr| !error.is_empty() && own.ends_with(&format!(": {}", template(error)));
            self.text_below(*child).is_some_and(says)
                || matches!(&self.span(*child).outcome, Outcome::Error(error) if ends(error))
        };
        let said: Vec<usize> = broken.iter().copied().filter(repeats).collect();
        let counts = |child: &usize| match self.mended[*child] {
            Mended::No => true,
            // Without words of its own the parent failed with it.
            Mended::Hedged => own.is_none() && self.span(place).is_error(),
            Mended::Retried => false,
        };
        let mut live: Vec<usize> = if said.is_empty() { broken.iter().copied().filter(counts).collect() } else { said };
        if live.iter().any(|child| !self.cancelled[*child]) {
            live.retain(|child| !self.cancelled[*child]);
        } else if !self.cancelled[place] {
            live.retain(|child| !self.cancelled[*child] || self.mended[*child] == Mended::No);
        }
        self.first_to_fail(live)
    }

    /// Of attempts the last; of those the first to fail, and what ran beside it.
    fn first_to_fail(&self, failing: Vec<usize>) -> Vec<usize> {
        let mut attempts: Vec<(usize, usize)> = Vec::new();
        let mut known: HashMap<(&CleanStr, &CleanStr, Option<&CleanStr>), usize> = HashMap::new();
        for child in failing {
            let span = self.span(child);
            match known.get(&(&span.service, &span.operation, request_of(span))) {
                // One after the other: attempts. One beside the other: several.
                Some(at) if self.begin[child] >= self.end[attempts[*at].1] - SLACK.min(micros(span.duration) / 2) => {
                    attempts[*at].1 = child;
                }
                Some(_) | None => {
                    known.insert((&span.service, &span.operation, request_of(span)), attempts.len());
                    attempts.push((child, child));
                }
            }
        }
        let Some(first) = attempts.iter().map(|(_, last)| self.end[*last]).min() else { return Vec::new() };
        let is_beside = |(begin, _): &(usize, usize)| self.begin[*begin] < first;
        let some: Vec<usize> = attempts.iter().filter(|one| is_beside(one)).map(|(_, last)| *last).collect();
        if some.is_empty() { attempts.first().map(|(_, last)| vec![*last]).unwrap_or_default() } else { some }
    }

    /// The words for why it failed, where it has any of its own, as a template.
    fn text(&self, place: usize) -> Option<CleanStr> {
        match &self.span(place).outcome {
            Outcome::Error(error) if !is_bare(error) => Some(template(error)),
            Outcome::Error(_) | Outcome::Fine => None,
        }
    }

    /// Its words, or those of the first below it that has some.
    fn text_below(&self, place: usize) -> Option<CleanStr> {
        let mut at = place;
        loop {
            if let Some(text) = self.text(at) {
                return Some(text);
            }
            at = self.children[at].iter().copied().find(|child| self.broken[*child])?;
        }
    }
}

/// So many siblings are compared with an attempt that failed.
const MOST_TWINS: usize = 64;

/// Whether an error says no more than that there is one.
fn is_bare(error: &str) -> bool {
    let bare = ["error", "internal server error", "gRPC INTERNAL", "gRPC UNKNOWN"];
    error.is_empty()
        || bare.iter().any(|known| known.eq_ignore_ascii_case(error))
        || error.strip_prefix("HTTP ").is_some_and(|code| code.len() == 3)
}

/// Whether one span is the call and the other its answering side, as their kinds or the collector say.
fn is_call(above: &Span, below: &Span) -> bool {
    let is_skewed = |warning: &CleanStr| warning.contains("clock skew") || warning.contains("timestamps were adjusted");
    !below.follows
        && (above.kind == Kind::Client && below.kind == Kind::Server
            || below.kind != Kind::Consumer && below.warnings.iter().any(is_skewed))
}

fn micros(time: TimeDelta) -> i64 {
    time.num_microseconds().unwrap_or(i64::MAX / 4)
}
