//! No single fault hides another thing: whatever one query, search, source, channel, person or record does, what does not depend on it is shown as
//! before.
//!
//! The room is drawn once with everything well. For each thing and each way in which that can fail, it is drawn again at the same moment: every piece of
//! the screens on which another thing stands must stand there unchanged.

use std::collections::BTreeMap;

use super::alerts::alert;
use super::*;
use crate::alert::Alert;
use crate::change::{Change, ChangeKind};
use crate::console::overlay;
use crate::incident::{
    DeliveryMoved, DeliveryQueued, DeliveryState, NoteAdded, NoteKind, Remote, RoleNamed, TaskAssigned,
};
use crate::live::{AlertFinding, ChangeFinding, Scope, SourceName, SpanFinding};
use crate::pane::Present;
use crate::slo::{Measured, ObjectiveId, Series as Line};
use crate::spans::SpanRow;

const BOOK: &str = r#"
service = "alipay"
name = "Alipay"
public-name = "Alipay"
owner = "Payments"
reviewed = 2026-09-01

[traces]
services = ["gateway", "ledger", "wallet"]
slow = "2s"

[[objectives]]
id = "one"
title = "first objective"
kind = "threshold"
expr = "one"
target = 200.0
unit = "count"

[[objectives]]
id = "two"
title = "second objective"
kind = "threshold"
expr = "two"
target = 200.0
unit = "count"

[[objectives]]
id = "three"
title = "third objective"
kind = "threshold"
expr = "three"
target = 200.0
unit = "count"

[[steps]]
id = "look"
title = "Look at it"
look = "Look."
expect = "It is there."
undo = "Nothing was changed."
"#;

const OBJECTIVES: [(&str, &str, f64); 3] =
    [("one", "first objective", 111.0), ("two", "second objective", 122.0), ("three", "third objective", 133.0)];
const SERVICES: [&str; 3] = ["gateway", "ledger", "wallet"];
const ALERTS: [(SourceName, &str); 4] = [
    ("alertmanager", "AlertOfOne"),
    ("alertmanager", "AlertOfTwo"),
    ("prometheus", "AlertOfThree"),
    ("prometheus", "AlertOfFour"),
];
const CHANGES: [(SourceName, &str); 2] = [("changes", "deploy-of-file"), ("change command", "deploy-of-command")];
const CHANNELS: [(&str, &str); 3] = [("jira", "OPS"), ("statuspage", "PAGE"), ("webhook", "HOOK")];
const PEOPLE: [&str; 3] = ["Anna", "Bahram", "Chen"];
const NOTES: [&str; 3] = ["a note of mine", "another note", "the last note"];

/// Something that can fail without the others.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Thing {
    Query(usize, Scope),
    Search(usize),
    AlertsOf(SourceName),
    ChangesOf(SourceName),
    Source(SourceName),
    Channel(usize),
    Person(usize),
    Record,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    NotAsked,
    Empty,
    Error,
    Timeout,
    Malformed,
    Partial,
}

const FAULTS: [Fault; 6] =
    [Fault::NotAsked, Fault::Empty, Fault::Error, Fault::Timeout, Fault::Malformed, Fault::Partial];

impl Fault {
    fn words(self) -> &'static str {
        match self {
            Self::NotAsked | Self::Empty | Self::Partial => "nothing",
            Self::Error => "answered 500: out of memory",
            Self::Timeout => "said nothing for 5 s",
            Self::Malformed => "sent something that cannot be read",
        }
    }
}

fn things() -> Vec<Thing> {
    let queries = (0..OBJECTIVES.len()).flat_map(|one| Scope::ALL.map(|scope| Thing::Query(one, scope)));
    let mut all: Vec<Thing> = queries.collect();
    all.extend((0..SERVICES.len()).map(Thing::Search));
    all.extend(["alertmanager", "prometheus"].map(Thing::AlertsOf));
    all.extend(CHANGES.map(|(source, _)| Thing::ChangesOf(source)));
    all.extend(["alertmanager", "prometheus", "jaeger", "changes", "change command"].map(Thing::Source));
    all.extend((0..CHANNELS.len()).map(Thing::Channel));
    all.extend((0..PEOPLE.len()).map(Thing::Person));
    all.push(Thing::Record);
    all
}

/// What each thing is known by on the screens: words that stand there for nothing else.
fn marks(thing: Thing) -> Vec<String> {
    match thing {
        Thing::Query(one, _) => vec![OBJECTIVES[one].1.to_owned(), format!("{:.0}", OBJECTIVES[one].2)],
        Thing::Search(one) => vec![SERVICES[one].to_owned()],
        Thing::AlertsOf(source) => of(source, &ALERTS),
        Thing::ChangesOf(source) => of(source, &CHANGES),
        Thing::Source("prometheus") => {
            let queries = (0..OBJECTIVES.len()).flat_map(|one| marks(Thing::Query(one, Scope::Now)));
            queries.chain(marks(Thing::AlertsOf("prometheus"))).chain(["● prometheus".to_owned()]).collect()
        }
        Thing::Source("jaeger") => {
            (0..SERVICES.len()).flat_map(|one| marks(Thing::Search(one))).chain(["● jaeger".to_owned()]).collect()
        }
        Thing::Source("alertmanager") => {
            marks(Thing::AlertsOf("alertmanager")).into_iter().chain(["● alertmanager".to_owned()]).collect()
        }
        // What is read from a file or a program of this host has a word in the header only when it fails.
        Thing::Source(source) => marks(Thing::ChangesOf(source)),
        Thing::Channel(one) => vec![CHANNELS[one].0.to_owned()],
        Thing::Person(one) => vec![PEOPLE[one].to_owned()],
        Thing::Record => NOTES.map(str::to_owned).to_vec(),
    }
}

fn of(source: SourceName, all: &[(SourceName, &str)]) -> Vec<String> {
    all.iter().filter(|(from, _)| *from == source).map(|(_, name)| (*name).to_owned()).collect()
}

/// A room with everything that it can have, and one thing in it that fails.
fn room(layout: Layout, fails: Option<(Thing, Fault)>) -> Desk {
    let mut catalogue = Catalogue::default();
    catalogue.take("alipay.toml", BOOK);
    assert!(catalogue.problems.is_empty(), "{:?}", catalogue.problems);
    let mut desk = Desk::open_with(Settings { catalogue, ..settings(layout) }, (200, 90));
    let failing = |thing: Thing| fails.filter(|(what, _)| *what == thing).map(|(_, how)| how);
    people(&mut desk, failing);
    for (place, (service, target)) in CHANNELS.into_iter().enumerate() {
        channel(&mut desk, service, target, failing(Thing::Channel(place)));
    }
    for text in NOTES {
        desk.write("Anna", Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: text.into(), at: None }));
    }
    if let Some(how) = failing(Thing::Record) {
        record(&mut desk, how);
    }
    sources(&mut desk, failing);
    desk
}

fn people(desk: &mut Desk, failing: impl Fn(Thing) -> Option<Fault>) {
    let mut here = Vec::new();
    for (place, name) in PEOPLE.into_iter().enumerate() {
        let fault = failing(Thing::Person(place));
        let role = [Role::IncidentCommander, Role::CommunicationsLead, Role::Scribe][place];
        let who = if fault == Some(Fault::Malformed) { "" } else { name };
        if fault != Some(Fault::NotAsked) {
            let body = RoleNamed { role, component: None, holder: who.into(), reason: None, is_played: false };
            desk.write("dana", Event::RoleTaken(body));
            let task = TaskAssigned {
                to: who.into(),
                what: format!("task of {who}").as_str().into(),
                call_back: desk.wall + TimeDelta::minutes(10),
            };
            desk.write("dana", Event::TaskAssigned(task));
        }
        // Who does not answer is not here any more.
        if !matches!(fault, Some(Fault::Timeout | Fault::Empty)) {
            here.push(Present {
                actor: who.into(),
                layout: "ic".into(),
                console: format!("c{}", place + 1).as_str().into(),
                looks_only: fault == Some(Fault::Partial),
                is_dry: fault == Some(Fault::Error),
            });
        }
    }
    desk.tell(Msg::Journal(JournalMsg::Present(here)));
}

fn channel(desk: &mut Desk, service: &str, target: &str, fault: Option<Fault>) {
    let body = DeliveryQueued {
        service: service.into(),
        target: target.into(),
        text: "we look into it".into(),
        ..DeliveryQueued::default()
    };
    let id = desk.write_as("Anna", "c9", Event::DeliveryQueued(body));
    let why = || fault.map_or("", Fault::words).into();
    let to = match fault {
        Some(Fault::NotAsked) => return,
        None | Some(Fault::Empty) => DeliveryState::Sent(Remote::from("REF-1")),
        Some(Fault::Error | Fault::Malformed) => DeliveryState::Failed { why: why() },
        Some(Fault::Timeout | Fault::Partial) => DeliveryState::Unconfirmed { why: why() },
    };
    for (step, to) in [DeliveryState::Sending, to].into_iter().enumerate() {
        let body = DeliveryMoved { delivery: id, step: step as u32, to, is_routine: false };
        desk.write_as("Anna", "c9", Event::DeliveryMoved(body));
    }
}

fn record(desk: &mut Desk, fault: Fault) {
    match fault {
        Fault::NotAsked => desk.tell(Msg::Journal(JournalMsg::Unwritable("the disk is full".into()))),
        Fault::Empty => desk.write("Anna", Event::Unrecognised { kind: "new".into(), body: serde_json::Value::Null }),
        Fault::Error | Fault::Malformed => {
            desk.tell(Msg::Journal(JournalMsg::Damaged(vec!["line 7 cannot be read".into()])));
        }
        Fault::Timeout => {
            // One that comes late, from a console whose clock is behind.
            let mut late = desk.stamped("Chen", "c3", declared());
            late.wall -= TimeDelta::hours(1);
            desk.tell(Msg::Journal(JournalMsg::Entries(vec![late])));
        }
        Fault::Partial => {
            // Two entries under one identity.
            let mut copy = desk.console.incident().entries().last().unwrap().clone();
            copy.actor = "nobody".into();
            desk.tell(Msg::Journal(JournalMsg::Entries(vec![copy])));
        }
    }
}

fn sources(desk: &mut Desk, failing: impl Fn(Thing) -> Option<Fault>) {
    let wall = desk.wall;
    let generation = desk.console.live().generation;
    for source in ["prometheus", "alertmanager", "jaeger", "changes", "change command"] {
        let mut says = |finding| desk.tell(Msg::Source(Report { source, generation, finding }));
        let fault = failing(Thing::Source(source));
        if fault == Some(Fault::NotAsked) {
            continue;
        }
        says(Finding::Ready { place: "x".into(), every: TimeDelta::seconds(15) });
        if let Some(how) = fault.filter(|how| !matches!(how, Fault::Empty | Fault::Partial)) {
            let reason = format!("{source} {}", how.words()).as_str().into();
            says(Finding::Failed { reason, retry_in: TimeDelta::seconds(15) });
            continue;
        }
        let is_without = fault.is_some();
        match source {
            "prometheus" if !is_without => {
                for (place, (id, _, value)) in OBJECTIVES.into_iter().enumerate() {
                    for scope in Scope::ALL {
                        if let Some(finding) = query(id, value, scope, wall, failing(Thing::Query(place, scope))) {
                            says(finding);
                        }
                    }
                }
            }
            "jaeger" if !is_without => says(Finding::Spans(search(wall, &failing))),
            "changes" | "change command" => {
                if let Some(finding) = changes(source, wall, failing(Thing::ChangesOf(source))) {
                    says(finding);
                }
            }
            _ => {}
        }
        if matches!(source, "prometheus" | "alertmanager")
            && let Some(finding) = alerts(source, is_without, failing(Thing::AlertsOf(source)))
        {
            says(finding);
        }
        says(Finding::Polled);
    }
}

fn query(id: &str, value: f64, scope: Scope, wall: DateTime<Utc>, fault: Option<Fault>) -> Option<Finding> {
    let grid = match scope {
        Scope::Now | Scope::Burn => Grid { start: wall, resolution: TimeDelta::seconds(15), len: 1 },
        Scope::Proof | Scope::Chart => Grid::covering(TimeDelta::hours(1), wall, 240, TimeDelta::seconds(15)),
    };
    let id = ObjectiveId { service: "alipay".into(), objective: id.into() };
    let series = vec![Line { name: "".into(), values: vec![Some(value); grid.len] }];
    let mut measured = Measured::over(grid, series, "x");
    match fault {
        Some(Fault::NotAsked) => return None,
        Some(how @ (Fault::Error | Fault::Timeout | Fault::Malformed)) => {
            return Some(Finding::Unmeasured(id, scope, how.words().into()));
        }
        Some(Fault::Empty) => measured.series.clear(),
        Some(Fault::Partial) => measured.partial.push("No StoreAPIs matched for this query".into()),
        None => {}
    }
    Some(Finding::Measured(id, scope, Box::new(measured)))
}

fn search(wall: DateTime<Utc>, failing: impl Fn(Thing) -> Option<Fault>) -> SpanFinding {
    let mut found = SpanFinding { lookback: TimeDelta::minutes(15), ..SpanFinding::default() };
    for (place, service) in SERVICES.into_iter().enumerate() {
        let fault = failing(Thing::Search(place));
        if let Some(how) = fault.filter(|how| !matches!(how, Fault::Empty | Fault::NotAsked)) {
            found
                .remarks
                .push(format!("error spans of {service} could not be searched: {}", how.words()).as_str().into());
            found.gaps.push((service.into(), how.words().into()));
        }
        if fault.is_none_or(|how| how == Fault::Partial) {
            found.errors.push(SpanRow {
                trace: format!("{place:032x}").as_str().into(),
                span: format!("{place:016x}").as_str().into(),
                service: service.into(),
                operation: format!("call of {service}").as_str().into(),
                error: "HTTP 503".into(),
                at: wall - TimeDelta::seconds(10),
                duration: TimeDelta::milliseconds(700),
                hurt: vec![service.into()],
                ..SpanRow::default()
            });
        }
    }
    found
}

fn alerts(source: SourceName, is_without: bool, fault: Option<Fault>) -> Option<Finding> {
    let mut found = AlertFinding::default();
    if !is_without && fault != Some(Fault::Empty) {
        // So far apart that they are no burst, which would be told as one thing.
        let names = (0_i64..).zip(ALERTS).filter(|(_, (from, _))| *from == source);
        let fires = |(place, (source, name))| Alert { source, ..alert(name, "other", "warning", place * -1_000) };
        found.alerts = names.map(fires).collect();
    }
    match fault {
        Some(Fault::NotAsked) => return None,
        Some(how @ (Fault::Error | Fault::Timeout | Fault::Malformed)) => {
            return Some(Finding::NoAlerts(how.words().into()));
        }
        Some(Fault::Partial) => {
            found.alerts.truncate(1);
            (found.left_out, found.is_partial) = (1, true);
            found.remarks.push("1 alert cannot be read".into());
        }
        Some(Fault::Empty) | None => {}
    }
    Some(Finding::Alerts(found))
}

fn changes(source: SourceName, wall: DateTime<Utc>, fault: Option<Fault>) -> Option<Finding> {
    let mut found = ChangeFinding::default();
    match fault {
        Some(Fault::NotAsked | Fault::Error | Fault::Timeout) => return None,
        Some(Fault::Partial | Fault::Malformed) => found.remarks.push("3 lines cannot be read".into()),
        Some(Fault::Empty) => {}
        None => {
            let names = CHANGES.into_iter().filter(|(from, _)| *from == source);
            let change = |(_, what): (SourceName, &str)| Change {
                at: wall - TimeDelta::minutes(5),
                kind: ChangeKind::Deploy,
                service: Some("alipay".into()),
                what: what.into(),
                by: "ci".into(),
                link: None,
                rollback: None,
                more: Default::default(),
            };
            found.changes = names.map(change).collect();
        }
    }
    Some(Finding::Changes(found))
}

/// The pieces of the screens between their frames, how often each stands there, by the screen. A pane alone is the same in each layout.
fn pieces(desk: &mut Desk, layout: Layout) -> BTreeMap<(&'static str, String), usize> {
    let mut all = BTreeMap::new();
    let mut take = |name: &'static str, screen: String| {
        // Cells stand between frames, and between two blanks.
        let cells = screen.lines().flat_map(|line| line.split(['│', '┃', '─', '·'])).flat_map(|part| part.split("  "));
        // Under a list there is what it leaves free.
        let is_its = |cell: &&str| name != "outbox" || CHANNELS.iter().any(|(service, _)| cell.contains(service));
        for cell in cells.map(str::trim).filter(|cell| !cell.is_empty()).filter(is_its) {
            *all.entry((name, cell.to_owned())).or_default() += 1;
        }
    };
    let wall = desk.wall;
    take("room", desk.screen());
    if layout != Layout::Ic {
        return all;
    }
    for (name, pane) in [
        ("graphs", PaneId::Graphs),
        ("spans", PaneId::Spans),
        ("timeline", PaneId::Timeline),
        ("next", PaneId::Next),
        ("facts", PaneId::Facts),
        ("work", PaneId::Work),
        ("alerts", PaneId::Alerts),
    ] {
        (desk.console.focus, desk.console.is_zoomed) = (pane, true);
        desk.console.dirty = Dirty::ALL;
        take(name, desk.screen());
    }
    desk.console.is_zoomed = false;
    let outbox = overlay::outbox(&desk.console.cx(wall));
    desk.console.show(outbox);
    desk.console.dirty = Dirty::ALL;
    take("outbox", desk.screen());
    all
}

#[test]
fn no_single_fault_hides_another_thing() {
    let mut hidden = Vec::new();
    for layout in Layout::ALL {
        let well = pieces(&mut room(layout, None), layout);
        for thing in things() {
            let own = marks(thing);
            for fault in FAULTS {
                let there = pieces(&mut room(layout, Some((thing, fault))), layout);
                // Pieces on which another thing stands, and this one does not.
                for other in things().into_iter().filter(|other| *other != thing) {
                    let theirs = marks(other);
                    for ((screen, piece), count) in &well {
                        let is_theirs = theirs.iter().any(|mark| piece.contains(mark))
                            && !own.iter().any(|mark| piece.contains(mark));
                        let now = there.get(&(*screen, piece.clone())).copied().unwrap_or(0);
                        if is_theirs && now < *count {
                            hidden.push(format!("{thing:?} {fault:?} on {screen} of {layout:?}: {piece}"));
                        }
                    }
                }
            }
        }
    }
    hidden.sort();
    hidden.dedup();
    assert!(hidden.is_empty(), "{} pieces:\n{}", hidden.len(), hidden[..hidden.len().min(60)].join("\n"));
}

#[test]
fn every_thing_stands_on_some_screen_of_the_room_that_is_well() {
    let mut desk = room(Layout::Ic, None);
    let all = pieces(&mut desk, Layout::Ic);
    let each = things().into_iter().flat_map(|thing| marks(thing).into_iter().map(move |mark| (thing, mark)));
    let missing: Vec<_> = each.filter(|(_, mark)| !all.keys().any(|(_, piece)| piece.contains(mark))).collect();
    assert!(missing.is_empty(), "{missing:?} of {:#?}", all.keys());
}
