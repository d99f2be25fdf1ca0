//! A trace beside a healthy one of the same operation: what is new, missing, slower, failed; and in figures over all requests.

use chrono::TimeDelta;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span as Words};

use super::length;
use crate::live::{Inquiry, Standing};
use crate::pane::{Cx, PaneId};
use crate::resolution;
use crate::slo::ObjectiveId;
use crate::spans::compare::{Census, Change, Compared, Healthy, Pair, Period, Tally, Wanted, differences};
use crate::spans::{Trace, TraceId};
use crate::text::{CleanStr, fit, many};
use crate::theme::Theme;
use crate::widget::text::{fit_line, wrap};

/// A healthy trace is looked for in so much of the time before the breach.
const BEFORE: TimeDelta = TimeDelta::minutes(30);
/// What was open so long before anything was known to be wrong may be a part of it.
const OPEN: TimeDelta = TimeDelta::seconds(10);
/// So much of yesterday is as good as the same time.
const AROUND: TimeDelta = TimeDelta::minutes(15);

/// The comparison that is open.
#[derive(Debug, Default)]
pub(super) struct Beside {
    /// The first line in sight.
    top: usize,
    /// What was made of an answer, and of which two traces.
    made: Option<((TraceId, TraceId), Vec<Said>)>,
}

/// A line, and how it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// Its words.
    pub text: String,
    /// What it says is otherwise.
    pub change: Change,
    /// It is a row of both traces, and is cut where it is too long.
    pub is_row: bool,
}

/// What is asked to lay a healthy trace beside one: from before the breach, or else from yesterday at its time.
pub fn wanted(trace: &Trace, cx: &Cx<'_>) -> Option<Wanted> {
    let entry = trace.entry()?;
    let began = trace.enters_by(&entry)?.start;
    let breach = began_going_wrong(cx).map_or(began, |at| at.min(began)) - OPEN;
    let day = began - TimeDelta::days(1);
    let period = |what: &str, from, until| Period { what: what.into(), from, until };
    let then = vec![
        period("the half hour before the breach", breach - BEFORE, breach),
        period("yesterday at this time", day - AROUND, day + AROUND),
    ];
    // What is opened again hours later is compared with its own time.
    let until = cx.now.min(began + AROUND);
    let now = period("now", until - AROUND, until);
    Some(Wanted { trace: trace.id.clone(), entry, then, now })
}

/// Since when anything is known to be wrong.
fn began_going_wrong(cx: &Cx<'_>) -> Option<chrono::DateTime<chrono::Utc>> {
    let incident = cx.incident;
    let known = resolution::before(incident, cx.catalogue).map(|before| before.until);
    let known = known.or(incident.impact.start()).or(incident.detected_at);
    let playbooks = incident.services.iter().filter_map(|service| cx.catalogue.get(service));
    let breaches = playbooks.flat_map(|playbook| {
        playbook.objectives.iter().filter_map(|objective| {
            let id = ObjectiveId { service: playbook.service.clone(), objective: objective.id.clone() };
            match cx.live.standing(&id, objective) {
                Standing::Breached { lasting, .. } => Some(lasting.since),
                Standing::Met(_)
                | Standing::Failed(_)
                | Standing::Empty
                | Standing::NotAsked
                | Standing::Unanswered { .. }
                | Standing::NoValue(_) => None,
            }
        })
    });
    // What failed before anybody noticed is no good time to compare with.
    let failed = cx.live.spans.iter().flat_map(|(_, _, finding)| finding.errors.iter().map(|row| row.at));
    breaches.chain(known).chain(failed).min()
}

/// All lines of a comparison: what is otherwise, the figures, and both traces row by row.
pub fn lines(trace: &Trace, compared: &Compared, cx: &Cx<'_>) -> Vec<Said> {
    let plain = |text: String| Said { text, change: Change::Same, is_row: false };
    let Healthy { trace: healthy, period, then, now } = match &compared.healthy {
        Ok(found) => found,
        Err(why) => return vec![plain(why.to_string())],
    };
    let entry = &compared.entry;
    let took = |trace: &Trace| trace.enters_by(entry).map_or(TimeDelta::zero(), |span| span.duration);
    let at = healthy.enters_by(entry).map(|span| cx.clock(span.start)).unwrap_or_default();
    let mut all = vec![plain(format!(
        "beside trace {} of {at}, from {}: {} {} took {} there, {} here",
        healthy.id,
        period.what,
        entry.service,
        entry.operation,
        length(took(healthy)),
        length(took(trace)),
    ))];
    let pairs = trace.beside(healthy);
    let different = differences(&pairs);
    if different.is_empty() {
        all.push(plain("nothing that matters is otherwise in this one".to_owned()));
    }
    all.extend(different.iter().map(|pair| Said { text: pair.sentence(), change: pair.change, is_row: false }));
    all.extend(figures(then, now, &period.what).into_iter().map(plain));
    all.push(plain(format!("{:>NUMBERS$} {:>NUMBERS$}", "here", "there")));
    all.extend(pairs.iter().map(side_by_side));
    all
}

/// Columns of a number.
const NUMBERS: usize = 13;

fn side_by_side(pair: &Pair) -> Said {
    let tally = |tally: &Tally| match tally.count {
        0 => "–".to_owned(),
        1 => length(tally.took),
        count => format!("{count} × {}", length(tally.took / i32::try_from(count).unwrap_or(i32::MAX))),
    };
    let indent = " ".repeat(usize::from(pair.depth.min(20)) * 2);
    let word = pair.change.word();
    let word = if word.is_empty() { String::new() } else { format!("  ({word})") };
    let text = format!(
        "{:>NUMBERS$} {:>NUMBERS$}  {indent}{} {}{word}",
        tally(&pair.here),
        tally(&pair.there),
        pair.service,
        pair.operation
    );
    Said { text, change: pair.change, is_row: true }
}

fn figures(then: &Census, now: &Result<Census, CleanStr>, period: &str) -> Vec<String> {
    let now = match now {
        Ok(now) => now,
        Err(why) => return vec![format!("the requests of now could not be counted: {why}")],
    };
    let count = |census: &Census| {
        let newest = if census.is_sample { "the newest " } else { "" };
        format!("{newest}{}", many(census.requests, "request"))
    };
    let mut all = vec![format!("{} of {period} beside {} of now:", count(then), count(now))];
    let shifts = then.shifts(now);
    if shifts.is_empty() {
        all.push("  no operation is in more or fewer of them, and none fails more often".to_owned());
    }
    all.extend(shifts.into_iter().map(|line| format!("  {line}")));
    all
}

impl Beside {
    /// What is asked when it is opened.
    pub(super) fn ask(trace: &Trace, cx: &Cx<'_>) -> Option<Inquiry> {
        wanted(trace, cx).map(Inquiry::Compare)
    }

    /// Makes the lines, once the answer is there.
    pub(super) fn refresh(&mut self, trace: &Trace, cx: &Cx<'_>) {
        let Some(compared) = answer(trace, cx) else { return };
        let other = compared.healthy.as_ref().map_or_else(|_| TraceId::default(), |found| found.trace.id.clone());
        let key = (trace.id.clone(), other);
        if self.made.as_ref().is_none_or(|(of, _)| *of != key) {
            self.made = Some((key, lines(trace, compared, cx)));
        }
    }

    /// Goes so many rows down.
    pub(super) fn go(&mut self, by: isize, cx: &Cx<'_>) {
        let width = usize::from(cx.width(PaneId::Spans));
        let all: usize = self.made.iter().flat_map(|(_, lines)| lines).map(|line| rows(line, width).len()).sum();
        let last = all.saturating_sub(usize::from(cx.height(PaneId::Spans)));
        self.top = self.top.min(last).saturating_add_signed(by).min(last);
    }

    pub(super) fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>) {
        let waiting =
            [Said { text: "looking for a healthy trace …".to_owned(), change: Change::Same, is_row: false }];
        let lines = self.made.as_ref().map_or(&waiting[..], |(_, lines)| lines);
        let width = usize::from(area.width);
        let all: Vec<(String, Style)> = lines
            .iter()
            .flat_map(|line| rows(line, width).into_iter().map(|text| (text, style(line.change, cx.theme))))
            .collect();
        let top = self.top.min(all.len().saturating_sub(usize::from(area.height)));
        for ((text, style), y) in all.into_iter().skip(top).zip(area.y..area.bottom()) {
            let line = Line::from(Words::styled(text, style));
            buf.set_line(area.x, y, &fit_line(line, width), area.width);
        }
    }
}

/// Sentences are wrapped, rows of the two traces are cut.
fn rows(line: &Said, width: usize) -> Vec<String> {
    if line.is_row { vec![fit(&line.text, width).into_owned()] } else { wrap(&line.text, width.max(1)) }
}

fn style(change: Change, theme: &Theme) -> Style {
    match change {
        Change::Failed => theme.red(),
        Change::New | Change::Missing | Change::Slower | Change::Oftener => theme.amber(),
        Change::Faster => theme.good(),
        Change::Same => theme.text(),
    }
}

/// The answer for a trace, if it is there.
pub fn answer<'a>(trace: &Trace, cx: &Cx<'a>) -> Option<&'a Compared> {
    cx.live.compared.as_deref().filter(|compared| compared.trace == trace.id)
}
