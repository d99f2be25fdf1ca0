//! What the monitoring says is wrong: every alert with its age, its state, and the incident that covers it.
//!
//! Hides which open incident covers what; the start screen, the header and the declare form ask it here.
//!
//! Invariant: an alert is in the list as long as some source says it, or said it and fails since; what is old looks old.

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

pub(crate) mod storm;

use super::{Act, Cx, Intent, Item, Pane, PaneId, PaneSpec, acts_from_table};
use crate::alert::{AlertState, Burst, Cover, Coverage, covered_by, proposed_severity, runbook, title};
use crate::incident::{AlertLinked, Command, ServiceId};
use crate::live::{Freshness, LiveAlert};
use crate::text::{CleanStr, fit};
use crate::widget::list::Selection;
use crate::widget::text::{fit_line, minutes, wrap};
use storm::{By, Group, groups};

/// This pane's line in [`super::PANES`].
pub(super) const SPEC: PaneSpec = PaneSpec {
    id: PaneId::Alerts,
    name: "alerts",
    about: "what fires, since when, and which incident covers it; Enter acts on one",
    make: || Box::new(Alerts::default()),
};

/// The sources that tell alerts.
const TELLING: [&str; 3] = ["alertmanager", "prometheus", "simulated"];
/// Below so many columns not all of an alert's words fit.
const NARROW: u16 = 76;
/// Rows that the list keeps before the selected alert's details get some.
const LEAST_ROWS: u16 = 5;

const ACTS: &[Act<Alerts>] = &[
    Act::look("down", &["Down", "j"], "the row below", |pane, cx| pane.go(1, cx)),
    Act::look("up", &["Up", "k"], "the row above", |pane, cx| pane.go(-1, cx)),
    Act::look("first", &["Home", "g"], "the first row", |pane, cx| pane.go(isize::MIN, cx)),
    Act::look("last", &["End", "G"], "the last row", |pane, cx| pane.go(isize::MAX, cx)),
    Act::look("more", &["PgDn"], "more of what the alert says", |pane, cx| pane.read(1, cx)),
    Act::look("less", &["PgUp"], "back in what the alert says", |pane, cx| pane.read(-1, cx)),
    Act::write("act", &["Enter"], "declare an incident from the alert, or link it", Alerts::act),
    Act::write("link", &["l"], "link the alert to the open incident", Alerts::link),
    Act::write("declare-from", &["d"], "declare an incident from the alert or the burst", Alerts::declare),
    Act::look("group", &["f"], "the alerts by rule, by service, and each alone again", |pane, _| pane.regroup()),
    Act::look(
        "runbook",
        &["r"],
        "read the alert's runbook: its file here, or else its address as a link",
        Alerts::runbook,
    ),
];

#[derive(Debug, Default)]
struct Alerts {
    selection: Selection,
    /// The selected alert, where it is still told; a list that grows above it does not move it.
    chosen: Option<CleanStr>,
    /// How many rows of its details were passed.
    passed: usize,
    /// How the alerts stand in the list.
    by: By,
}

/// What a row stands for.
enum Chosen<'a> {
    One(Box<Seen<'a>>),
    /// A burst, or a group.
    Several(Vec<Seen<'a>>),
}

/// An alert, and what is known of it here.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    /// The alert and how fresh it is.
    pub(crate) live: LiveAlert<'a>,
    /// The service that it is about.
    pub(crate) service: Option<ServiceId>,
    /// The incident that covers it.
    pub(crate) cover: Option<Cover>,
}

impl Seen<'_> {
    /// The identity to link it by.
    pub(crate) fn fingerprint(&self) -> &CleanStr {
        &self.live.alert.fingerprint
    }

    /// Whether it fires, or did when it was last told.
    pub(crate) fn is_firing(&self) -> bool {
        *self.live.state == AlertState::Firing
    }

    /// What a record keeps of it.
    pub(crate) fn linked(&self) -> AlertLinked {
        crate::alert::declaring::linked(self.live.alert)
    }
}

/// What the open incidents cover, this console's own first. A drill knows of no other: its alerts are simulated.
fn coverage(cx: &Cx<'_>) -> Vec<Coverage> {
    let own = Coverage::of(cx.incident);
    let others = cx.covers.iter().filter(|other| cx.incident.drill.is_none() && other.incident != cx.incident.id());
    let blank = cx.incident.is_blank();
    // Before a record is open its number is nobody's.
    let all = if blank { cx.covers.to_vec() } else { others.cloned().collect() };
    own.into_iter().chain(all).collect()
}

/// All alerts, those that need somebody most first.
pub(crate) fn seen<'a>(cx: &Cx<'a>) -> Vec<Seen<'a>> {
    let open = coverage(cx);
    let live: &'a crate::live::Live = cx.live;
    let look = |live: LiveAlert<'a>| {
        let service = live.alert.service(|name| cx.catalogue.get(name).is_some());
        let cover = covered_by(&live.fingerprints(), service.as_ref(), &open);
        Seen { live, service, cover }
    };
    live.alerts(cx.wall).into_iter().map(look).collect()
}

/// Firing alerts that no open incident covers.
pub(crate) fn uncovered<'a>(cx: &Cx<'a>) -> Vec<Seen<'a>> {
    seen(cx).into_iter().filter(|seen| seen.cover.is_none() && seen.is_firing()).collect()
}

/// Firing alerts that are linked to no open incident.
pub(crate) fn unlinked(cx: &Cx<'_>) -> usize {
    let is_linked = |seen: &Seen<'_>| matches!(seen.cover, Some(Cover::Linked(_)));
    seen(cx).iter().filter(|seen| seen.live.is_firing() && !is_linked(seen)).count()
}

/// Alerts that began together and that no open incident covers.
pub(crate) fn burst<'a>(cx: &Cx<'a>) -> Option<Burst<'a>> {
    let open = coverage(cx);
    let live: &'a crate::live::Live = cx.live;
    live.burst(cx.wall, cx.now, |alert| {
        let service = alert.alert.service(|name| cx.catalogue.get(name).is_some());
        covered_by(&alert.fingerprints(), service.as_ref(), &open).is_some()
    })
}

/// What is asked of a burst: `30 alerts in five minutes: one incident? PodCrash × 29, SlowPayments (alipay 20, blubank 10)`.
pub(crate) fn burst_line(burst: &Burst<'_>, cx: &Cx<'_>) -> String {
    let often = |name: &str, count: usize| if count > 1 { format!("{name} × {count}") } else { name.to_owned() };
    let names: Vec<_> = burst.rules().into_iter().map(|(name, count)| often(name, count)).collect();
    let services = burst.by_service(|name| cx.catalogue.get(name).is_some());
    // The counts add up: what names no service is counted too.
    let without = burst.alerts.len() - services.iter().map(|(_, count)| count).sum::<usize>();
    let mut each: Vec<_> = services.iter().map(|(service, count)| format!("{service} {count}")).collect();
    each.extend((without > 0).then(|| format!("no service {without}")));
    let services = if each.len() > 1 { format!(" ({})", each.join(", ")) } else { String::new() };
    format!("{} alerts in five minutes: one incident? {}{services}", burst.alerts.len(), names.join(", "))
}

/// The address of an alert's runbook, as either of its sources says it.
pub(crate) fn runbook_of<'a>(seen: &Seen<'a>) -> Option<&'a CleanStr> {
    [Some(seen.live.alert), seen.live.twin].into_iter().flatten().find_map(runbook)
}

/// The fingerprints of a burst's alerts.
pub(crate) fn of_burst(burst: &Burst<'_>) -> Vec<CleanStr> {
    burst.alerts.iter().map(|alert| alert.fingerprint.clone()).collect()
}

/// An alert in a few words, for a row of some width: since when, how it stands, how bad its rule says, its name and its service.
pub(crate) fn words(seen: &Seen<'_>, cx: &Cx<'_>, width: u16) -> [String; 5] {
    let alert = seen.live.alert;
    let when = if alert.starts_at > cx.now {
        format!("in {}", minutes(alert.starts_at - cx.now))
    } else {
        minutes(alert.age(cx.now))
    };
    let severity = alert.severity().map_or("-", |word| word.as_str());
    let service = seen.service.as_ref().map_or("-", |service| service.as_str());
    let is_narrow = width < 100;
    let (names, services, gap) = if is_narrow { (22, 9, 1) } else { (34, 11, 2) };
    let cell = |text: &str, columns: usize| {
        let text = fit(text, columns).into_owned();
        let pad = columns.saturating_sub(crate::text::columns(&text));
        format!("{text}{}", " ".repeat(pad + gap))
    };
    [
        format!("{when:>9}{}", " ".repeat(gap)),
        cell(seen.live.state.word(), 9),
        cell(severity, 8),
        cell(&alert.name, names),
        cell(service, services),
    ]
}

impl Alerts {
    /// The places of a burst line, if there is one, and of the alerts below it.
    fn rows<'a>(cx: &Cx<'a>) -> (Option<Burst<'a>>, Vec<Seen<'a>>) {
        (burst(cx), seen(cx))
    }

    fn place(&self, burst: bool, seen: &[Seen<'_>]) -> usize {
        let top = usize::from(burst);
        if self.by != By::Each {
            return self.selection.place(groups(seen, self.by).len() + top);
        }
        let chosen = self.chosen.as_ref();
        let found = chosen.and_then(|chosen| seen.iter().position(|seen| seen.fingerprint() == chosen));
        found.map_or_else(|| self.selection.place(seen.len() + top), |place| place + top)
    }

    /// Goes through the details of the selected alert, three rows at a time.
    fn read(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        let most = match self.selected(cx) {
            Some(Chosen::One(seen)) => details(&seen, 76, cx).len(),
            Some(Chosen::Several(_)) | None => 0,
        };
        self.passed = self.passed.saturating_add_signed(by * 3).min(most.saturating_sub(1));
        Vec::new()
    }

    fn go(&mut self, by: isize, cx: &Cx<'_>) -> Vec<Intent> {
        self.passed = 0;
        let (burst, seen) = Self::rows(cx);
        let top = usize::from(burst.is_some());
        self.selection.select(self.place(burst.is_some(), &seen));
        if self.by != By::Each {
            self.selection.go(by, groups(&seen, self.by).len() + top);
            return Vec::new();
        }
        self.selection.go(by, seen.len() + top);
        let place = self.selection.place(seen.len() + top);
        self.chosen = place.checked_sub(top).and_then(|place| seen.get(place)).map(|seen| seen.fingerprint().clone());
        Vec::new()
    }

    fn regroup(&mut self) -> Vec<Intent> {
        self.by = self.by.next();
        self.selection.select(0);
        (self.chosen, self.passed) = (None, 0);
        Vec::new()
    }

    /// What the selected row stands for.
    fn selected<'a>(&self, cx: &Cx<'a>) -> Option<Chosen<'a>> {
        let (burst, seen) = Self::rows(cx);
        let place = self.place(burst.is_some(), &seen);
        let place = match burst {
            Some(burst) if place == 0 => {
                let prints = of_burst(&burst);
                let of_it = seen.into_iter().filter(|seen| prints.contains(seen.fingerprint()));
                return Some(Chosen::Several(of_it.collect()));
            }
            Some(_) => place - 1,
            None => place,
        };
        match self.by {
            By::Each => seen.into_iter().nth(place).map(|seen| Chosen::One(Box::new(seen))),
            By::Rule | By::Service => {
                groups(&seen, self.by).into_iter().nth(place).map(|group| Chosen::Several(group.all))
            }
        }
    }

    fn act(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.selected(cx) {
            Some(Chosen::One(seen)) => vec![Intent::ActOn(Item::Alert(seen.fingerprint().clone()))],
            Some(Chosen::Several(all)) => declare(prints(&all)),
            None => nothing(),
        }
    }

    fn runbook(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let all = match self.selected(cx) {
            Some(Chosen::One(seen)) => vec![*seen],
            // Alerts of one rule have one runbook.
            Some(Chosen::Several(all)) => all,
            None => return nothing(),
        };
        match all.iter().find_map(runbook_of) {
            Some(address) => vec![Intent::Runbook(address.clone())],
            None => vec![Intent::Say("no runbook is named there".to_owned())],
        }
    }

    fn declare(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        match self.selected(cx) {
            Some(Chosen::One(seen)) => declare(vec![seen.fingerprint().clone()]),
            Some(Chosen::Several(all)) => declare(prints(&all)),
            None => nothing(),
        }
    }

    fn link(&mut self, cx: &Cx<'_>) -> Vec<Intent> {
        let all = match self.selected(cx) {
            Some(Chosen::One(seen)) => vec![*seen],
            Some(Chosen::Several(all)) => all,
            None => return nothing(),
        };
        let link = |seen: &Seen<'_>| match seen.cover {
            Some(Cover::Linked(id)) => Intent::Say(format!("{} is linked to {id} already", seen.live.alert.name)),
            Some(Cover::InScope(_)) | None => Intent::Command(Command::LinkAlert(seen.linked())),
        };
        all.iter().map(link).collect()
    }
}

fn prints(all: &[Seen<'_>]) -> Vec<CleanStr> {
    all.iter().map(|seen| seen.fingerprint().clone()).collect()
}

fn declare(alerts: Vec<CleanStr>) -> Vec<Intent> {
    if alerts.is_empty() { nothing() } else { vec![Intent::DeclareFrom(alerts)] }
}

fn nothing() -> Vec<Intent> {
    vec![Intent::Say("no alert is here to act on: D declares an incident without one".to_owned())]
}

impl Pane for Alerts {
    acts_from_table!();

    fn turn_to_next_record(&mut self) {
        // Alerts are those of the sources, whichever record is open.
    }

    fn refresh(&mut self, cx: &Cx<'_>) {
        // The place of an alert that is told no more stays where it was seen last.
        let (burst, seen) = Self::rows(cx);
        self.selection.select(self.place(burst.is_some(), &seen));
    }

    fn title(&self, cx: &Cx<'_>) -> String {
        let all = seen(cx);
        let firing = all.iter().filter(|seen| seen.is_firing()).count();
        let open = all.iter().filter(|seen| seen.is_firing() && seen.cover.is_none()).count();
        let open = if open > 0 { format!(" · {open} without an incident") } else { String::new() };
        format!("alerts · {firing} firing{open}{}", self.by.word())
    }

    fn remark(&self, cx: &Cx<'_>) -> String {
        // The oldest word counts: the list is only as good as that.
        let Some((name, at)) = told(cx).min_by_key(|(_, at)| *at) else { return String::new() };
        let clock = cx.clock(cx.incident.clock().show(at));
        match cx.live.alerts_freshness(name, cx.wall) {
            Some(Freshness::Fresh) | None => format!("to {clock}"),
            Some(Freshness::Stale) => format!("{name} STALE, of {clock}"),
            Some(Freshness::Gone) => format!("{name} NO DATA since {clock}"),
        }
    }

    fn draw(&self, area: Rect, buf: &mut Buffer, cx: &Cx<'_>, is_focused: bool) -> Option<Position> {
        let (burst, seen) = Self::rows(cx);
        let mut area = area;
        for problem in problems(cx) {
            if area.height > 2 {
                put(Line::styled(problem, cx.theme.amber()), area, buf);
                area = Rect { y: area.y + 1, height: area.height - 1, ..area };
            }
        }
        if seen.is_empty() {
            let lines = wrap(&empty(cx), usize::from(area.width));
            for (text, y) in lines.into_iter().zip(area.y..area.bottom()) {
                put(Line::styled(text, cx.theme.dim()), Rect { y, ..area }, buf);
            }
            return None;
        }
        let place = self.place(burst.is_some(), &seen);
        let top = usize::from(burst.is_some());
        let storm: Vec<Group<'_>> = groups(&seen, self.by);
        let about = place.checked_sub(top).and_then(|place| seen.get(place)).filter(|_| self.by == By::Each);
        let about = about.map(|seen| details(seen, usize::from(area.width), cx)).unwrap_or_default();
        let rows = top + if self.by == By::Each { seen.len() } else { storm.len() };
        let wanted = u16::try_from(rows).unwrap_or(u16::MAX).max(LEAST_ROWS);
        let spare = area.height.saturating_sub(wanted.min(area.height / 2).max(LEAST_ROWS) + 1);
        let below = spare.min(u16::try_from(about.len()).unwrap_or(u16::MAX));
        let room = usize::from(below);
        // Never further than the last rows; while there are more, the last row says so.
        let passed = self.passed.min(about.len().saturating_sub(room));
        let more = about.len() - passed - room.min(about.len() - passed);
        let mut about: Vec<String> = about.into_iter().skip(passed).take(room).collect();
        if let (Some(last), true) = (about.last_mut(), more > 0) {
            *last = format!("… {} more: PgDn", crate::text::many(more + 1, "line"));
        }
        let list = Rect { height: area.height - below - u16::from(below > 0), ..area };
        let mut selection = self.selection;
        selection.select(place);
        for (row, y) in selection.in_sight(rows, list.height).zip(list.y..list.bottom()) {
            let below = row.checked_sub(top);
            let line = match (below.and_then(|row| storm.get(row)), below.and_then(|row| seen.get(row))) {
                (Some(group), _) => storm::line(group, self.by, cx),
                (None, Some(seen)) => line(seen, area.width, cx),
                (None, None) => {
                    let words = burst.as_ref().map(|burst| burst_line(burst, cx)).unwrap_or_default();
                    Line::styled(format!("{} {words}", cx.theme.glyphs.here), cx.theme.amber())
                }
            };
            let at = Rect { y, height: 1, ..area };
            put(line, at, buf);
            if is_focused && row == place {
                buf.set_style(at, cx.theme.selection(true));
            }
        }
        for (text, y) in about.into_iter().zip(area.bottom() - below..area.bottom()) {
            put(Line::styled(text, cx.theme.dim()), Rect { y, ..area }, buf);
        }
        None
    }

    fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        // Each age turns over at the second at which its alert began.
        let age = |alert: LiveAlert<'_>| {
            let passed = (cx.now - alert.alert.starts_at).num_milliseconds().rem_euclid(60_000);
            cx.now + TimeDelta::milliseconds(60_000 - passed)
        };
        let ages = cx.live.alerts(cx.wall).into_iter().map(age);
        let turn = cx.live.next_alerts_turn(cx.wall).map(|turn| cx.incident.clock().show(turn));
        ages.chain(turn).min()
    }
}

fn put(line: Line<'_>, area: Rect, buf: &mut Buffer) {
    buf.set_line(area.x, area.y, &fit_line(line, usize::from(area.width)), area.width);
}

/// Who told alerts, when.
fn told(cx: &Cx<'_>) -> impl Iterator<Item = (&'static str, DateTime<Utc>)> {
    cx.live.reported.iter().filter_map(|(name, reported)| Some((*name, reported.at?)))
}

/// Why the list may be wrong, each in a sentence.
fn problems(cx: &Cx<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for name in TELLING {
        let failing = cx.live.sources.get(name).and_then(|health| health.failing.as_ref()).map(|(_, why)| why);
        let reported = cx.live.reported.get(name);
        let why = failing.or_else(|| reported.and_then(|reported| reported.problem.as_ref()));
        all.extend(why.map(|why| format!("{name}: {why}")));
        let Some(reported) = reported else { continue };
        all.extend(reported.found.remarks.iter().map(|remark| format!("{name}: {remark}")));
        if reported.found.left_out > 0 {
            all.push(format!("{name}: {} more alerts are not shown", reported.found.left_out));
        }
    }
    all
}

/// Why it is not known that there is no other alert: a source of them fails, told not all, is late or has not answered
/// yet.
pub(crate) fn unknown(cx: &Cx<'_>) -> Option<String> {
    let late = |name: &&str| {
        let told = cx.live.reported.get(*name).and_then(|reported| reported.at);
        match (told, cx.live.alerts_freshness(name, cx.wall)) {
            (None, _) => cx.live.sources.contains_key(*name).then(|| format!("{name} has not answered yet")),
            (Some(_), Some(Freshness::Fresh) | None) => None,
            (Some(at), Some(Freshness::Stale | Freshness::Gone)) => {
                Some(format!("{name} has told nothing since {}", cx.clock(cx.incident.clock().show(at))))
            }
        }
    };
    problems(cx).into_iter().next().or_else(|| TELLING.iter().find_map(late))
}

/// What is said where something of the alerts was looked for and is not there: that it is not there, or that this is
/// not known.
pub(crate) fn none_or_unknown(none: &str, cx: &Cx<'_>) -> String {
    match unknown(cx) {
        None => none.to_owned(),
        Some(why) => format!("not all alerts are known: {why}"),
    }
}

/// What stands where there is no alert.
fn empty(cx: &Cx<'_>) -> String {
    let sources: Vec<_> = told(cx).map(|(name, _)| name).collect();
    if let Some(why) = unknown(cx).filter(|_| !sources.is_empty()) {
        return format!("whether an alert is firing is not known: {why}");
    }
    if !sources.is_empty() {
        return format!("no alert is firing or pending ({})", sources.join(", "));
    }
    if TELLING.iter().any(|name| cx.live.sources.contains_key(name)) {
        return "waiting for the first answer; D declares an incident without an alert".to_owned();
    }
    "no source of alerts is configured: --prometheus URL, --alertmanager URL, or warroom config init; \
     D declares an incident without an alert"
        .to_owned()
}

fn line(seen: &Seen<'_>, width: u16, cx: &Cx<'_>) -> Line<'static> {
    let theme = cx.theme;
    let is_fresh = seen.live.freshness == Freshness::Fresh;
    let (cover, cover_style) = match seen.cover {
        Some(Cover::Linked(id)) => (format!("{id} linked"), theme.text()),
        Some(Cover::InScope(id)) => (format!("{id} in scope"), theme.text()),
        None if seen.is_firing() => ("no incident".to_owned(), theme.amber()),
        None => ("-".to_owned(), theme.dim()),
    };
    let age = match seen.live.freshness {
        Freshness::Fresh => String::new(),
        Freshness::Stale => format!("STALE, of {}  ", cx.minute(cx.incident.clock().show(seen.live.at))),
        Freshness::Gone => format!("NO DATA since {}  ", cx.minute(cx.incident.clock().show(seen.live.at))),
    };
    let level = proposed_severity(seen.live.alert).map(|level| theme.severity(level as u8));
    let styles: [Style; 5] = if !is_fresh {
        [theme.stale(); 5]
    } else if seen.is_firing() {
        [theme.text(), theme.text(), level.unwrap_or_default(), theme.title(false), theme.text()]
    } else {
        [theme.dim(); 5]
    };
    let cells = words(seen, cx, width).into_iter().zip(styles);
    let mut spans: Vec<_> = cells.map(|(text, style)| Span::styled(text, style)).collect();
    // What is old says so before anything that is cut, and in a narrow pane the name and the incident come before how it stands.
    let cover = Span::styled(format!("{cover:<16}"), if is_fresh { cover_style } else { theme.stale() });
    let after = if width < NARROW {
        spans.swap(1, 3);
        2
    } else {
        spans.len()
    };
    spans.splice(after..after, [Span::styled(age, theme.stale()), cover]);
    spans.push(Span::styled(format!("  {}", seen.live.alert.label_line()), theme.dim()));
    Line::from(spans)
}

/// All that is known of an alert, for the rows below the list.
fn details(seen: &Seen<'_>, width: usize, cx: &Cx<'_>) -> Vec<String> {
    whole(seen, cx).iter().flat_map(|part| wrap(part, width)).collect()
}

/// All that is known of an alert, each fact on a line of its own.
pub(crate) fn whole(seen: &Seen<'_>, cx: &Cx<'_>) -> Vec<String> {
    let alert = seen.live.alert;
    let at = cx.clock(cx.incident.clock().show(seen.live.at));
    let likely = if seen.live.is_likely { ", taken for one: their labels differ" } else { "" };
    // What helps at night stands first: not every screen has room for the rest.
    let mut parts: Vec<String> = runbook_of(seen).map(|url| format!("runbook (r): {url}")).into_iter().collect();
    parts.extend([
        title(alert).to_string(),
        format!("since {}, said by {}{likely} at {at}", cx.clock(alert.starts_at), seen.live.sources()),
        format!("labels: {}", alert.label_line()),
    ]);
    let value = [Some(alert), seen.live.twin].into_iter().flatten().find_map(|one| one.value.as_ref());
    parts.extend(value.map(|value| format!("value: {}", value.shown())));
    if let AlertState::Suppressed { silenced_by, inhibited_by, muted_by } = seen.live.state {
        let all = silenced_by.iter().chain(inhibited_by).chain(muted_by).map(|name| name.as_str());
        parts.push(format!("{} by {}", seen.live.state.word(), all.collect::<Vec<_>>().join(", ")));
    }
    let is_said = |text: &CleanStr| parts.iter().any(|part| **part == **text) || runbook(alert) == Some(text);
    let others: Vec<_> = alert.annotations.iter().filter(|(_, text)| !is_said(text)).collect();
    parts.extend(others.into_iter().map(|(name, text)| format!("{name}: {text}")));
    parts.extend(alert.generator_url.iter().map(|url| format!("rule: {url}")));
    parts
}
