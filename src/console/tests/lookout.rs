//! What began and what ended goes into the record once, and what nobody saw is said so.

use super::alerts::{alert, fires};
use super::*;
use crate::alert::{Alert, AlertValue, Bad};
use crate::incident::{AlertLinked, Peak, SymptomBegan, SymptomEnded};
use crate::live::AlertFinding;
use crate::pane::Present;
use crate::slo::{Measured, ObjectiveId, Series as Line};

fn here(desk: &mut Desk, names: &[&str]) {
    let here = names.iter().map(|name| Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: (*name).into(),
        looks_only: false,
        is_dry: false,
    });
    desk.tell(Msg::Journal(JournalMsg::Present(here.collect())));
}

fn high() -> Alert {
    alert("HighErrorRate", "alipay", "critical", 0)
}

/// A console on an incident with a linked alert, among others.
fn desk(names: &[&str]) -> Desk {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let Alert { fingerprint, name, starts_at, labels, .. } = high();
    desk.write("dana", Event::AlertLinked(AlertLinked { fingerprint, name, starts_at, labels }));
    here(&mut desk, names);
    desk
}

/// Polls each quarter of a minute for so many seconds.
fn poll(desk: &mut Desk, seconds: i64, msg: impl Fn(&Desk) -> Option<Msg>) {
    for _ in 0..seconds / 15 {
        desk.wall += TimeDelta::seconds(15);
        if let Some(msg) = msg(desk) {
            desk.tell(msg);
        }
        desk.tell(Msg::Wake);
    }
}

fn fires_on(desk: &mut Desk, seconds: i64) {
    poll(desk, seconds, |_| Some(fires(vec![high()])));
}

fn is_silent(desk: &mut Desk, seconds: i64) {
    poll(desk, seconds, |_| Some(fires(Vec::new())));
}

fn ends(desk: &Desk) -> Vec<SymptomEnded> {
    let events = desk.console.incident().entries().map(|entry| entry.event.clone());
    events.filter_map(|event| if let Event::SymptomEnded(body) = event { Some(body) } else { None }).collect()
}

fn begins(desk: &Desk) -> Vec<SymptomBegan> {
    let events = desk.console.incident().entries().map(|entry| entry.event.clone());
    events.filter_map(|event| if let Event::SymptomBegan(body) = event { Some(body) } else { None }).collect()
}

#[test]
fn an_alert_that_ends_is_written_once_when_it_has_stayed_away_and_one_that_comes_back_fires_again() {
    let mut desk = desk(&["c1", "c2"]);
    fires_on(&mut desk, 60);
    let over = desk.wall + TimeDelta::seconds(15);
    is_silent(&mut desk, 105);
    assert_eq!(ends(&desk), [], "what comes back sooner never was over");
    is_silent(&mut desk, 600);
    let [end] = ends(&desk).try_into().unwrap();
    assert_eq!((end.ended, end.after, end.peak), (over, None, None));
    let mut again = high();
    again.starts_at = desk.wall;
    poll(&mut desk, 60, |_| Some(fires(vec![again.clone()])));
    assert_eq!(begins(&desk).iter().map(|body| body.since).collect::<Vec<_>>(), [again.starts_at]);
    is_silent(&mut desk, 300);
    assert_eq!(ends(&desk).len(), 2);
}

#[test]
fn the_end_of_an_alert_has_the_worst_value_that_was_seen_or_says_that_none_is_known() {
    let mut desk = desk(&["c1"]);
    let with = |alert: Alert, text: &str| Alert {
        value: Some(AlertValue { text: text.into(), bad: Some(Bad::High) }),
        ..alert
    };
    let play = |desk: &mut Desk, alert: Alert| {
        let values = ["2e-01", "7.25e-01", "4e-01"];
        for text in values {
            poll(desk, 15, |_| Some(fires(vec![with(alert.clone(), text)])));
        }
        let worst = desk.wall - TimeDelta::seconds(15);
        is_silent(desk, 300);
        worst
    };
    let worst = play(&mut desk, high());
    let end = ends(&desk).pop().unwrap();
    let peak = |at, at_least| Some(Peak { value: "0.725".into(), series: CleanStr::default(), at, at_least });
    assert_eq!(end.peak, peak(worst, true), "it fired long before this console looked");
    let mut again = high();
    again.starts_at = desk.wall;
    let worst = play(&mut desk, again);
    assert_eq!(ends(&desk).pop().unwrap().peak, peak(worst, false), "it was watched from its beginning to its end");
    let lines = |desk: &Desk| -> Vec<String> {
        let timeline = desk.console.incident().timeline();
        timeline.lines().map(|line| line.text.to_string()).filter(|line| line.contains("no longer fires")).collect()
    };
    assert!(lines(&desk).iter().all(|line| line.contains("; worst 0.725 at ")), "{:?}", lines(&desk));
    let mut again = high();
    again.starts_at = desk.wall;
    poll(&mut desk, 60, |_| Some(fires(vec![again.clone()])));
    is_silent(&mut desk, 300);
    assert!(lines(&desk).last().unwrap().ends_with("; no value known"), "{:?}", lines(&desk));
}

#[test]
fn the_next_console_writes_only_what_the_first_one_does_not() {
    let mut second = desk(&["c0", "c1"]);
    fires_on(&mut second, 60);
    is_silent(&mut second, 135);
    assert_eq!(ends(&second), [], "it is the first one's turn");
    let by_the_first = SymptomEnded { ended: second.wall, ..ends_of_first() };
    second.write_as("bob", "c0", Event::SymptomEnded(by_the_first.clone()));
    is_silent(&mut second, 600);
    assert_eq!(ends(&second), [by_the_first], "it stands there already");
    // The first one cannot see its sources.
    let mut alone = desk(&["c0", "c1"]);
    fires_on(&mut alone, 60);
    is_silent(&mut alone, 165);
    assert_eq!(ends(&alone).len(), 1);
    // Who only looks writes nothing.
    let mut wall = Desk::open_with(Settings { access: Access::ReadOnly, ..settings(Layout::Ic) }, (120, 40));
    here(&mut wall, &["c1"]);
    fires_on(&mut wall, 60);
    is_silent(&mut wall, 900);
    assert_eq!(ends(&wall), []);
}

fn ends_of_first() -> SymptomEnded {
    let Alert { fingerprint, name, .. } = high();
    let of = crate::incident::SymptomOf::Alert { fingerprint };
    SymptomEnded { of, title: name, ended: at(0), after: None, peak: None }
}

#[test]
fn an_end_while_the_source_was_down_or_before_this_console_began_is_not_guessed() {
    let mut blind = desk(&["c1"]);
    fires_on(&mut blind, 60);
    let last = blind.wall;
    poll(&mut blind, 1_200, |_| None);
    assert_eq!(ends(&blind), [], "silence of a source is no end");
    let first = blind.wall + TimeDelta::seconds(15);
    is_silent(&mut blind, 300);
    let [end] = ends(&blind).try_into().unwrap();
    assert_eq!((end.ended, end.after), (first, Some(last)));
    // A console that never saw it fire.
    let mut late = desk(&["c1"]);
    late.wall = at(3_600);
    is_silent(&mut late, 165);
    assert_eq!(ends(&late), [], "another one may know better");
    is_silent(&mut late, 60);
    let [end] = ends(&late).try_into().unwrap();
    assert_eq!((end.ended, end.after), (at(3_615), Some(at(0))));
    // Part of an answer says nothing of what is not in it.
    let mut partial = desk(&["c1"]);
    fires_on(&mut partial, 60);
    let part = |_: &Desk| {
        let finding = Finding::Alerts(AlertFinding { is_partial: true, ..AlertFinding::default() });
        Some(Msg::Source(Report { source: "prometheus", generation: 0, finding }))
    };
    poll(&mut partial, 900, part);
    assert_eq!(ends(&partial), []);
}

/// What an objective's queries say at this moment, of values a quarter of a minute apart.
fn measured(desk: &mut Desk, values: impl Fn(DateTime<Utc>) -> Option<f64>) {
    let id = ObjectiveId { service: "alipay".into(), objective: "error-ratio".into() };
    let generation = desk.console.live().generation;
    let grid = Grid::covering(TimeDelta::minutes(11), desk.wall, 240, TimeDelta::seconds(15));
    let values = (0..grid.len).map(|place| values(grid.at(place))).collect();
    let measured = Measured::over(grid, vec![Line { name: "pod=p12".into(), values }], "x");
    for finding in Finding::whole(&id, &measured) {
        desk.tell(Msg::Source(Report { source: "prometheus", generation, finding }));
    }
}

#[test]
fn a_breach_begins_and_ends_with_its_worst_value_and_series_and_comes_back_as_another_one() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    here(&mut desk, &["c1"]);
    let start = desk.wall.timestamp();
    // Bad from 5 min to 15 min, worst at 10 min; again from 25 min on.
    let values = move |at: DateTime<Utc>| match (at.timestamp() - start) / 60 {
        10 => Some(0.23),
        5..=14 => Some(0.18),
        25.. => Some(0.3),
        _ => Some(0.001),
    };
    let until = |desk: &mut Desk, minutes: i64| {
        while desk.wall.timestamp() < start + minutes * 60 {
            desk.wall += TimeDelta::seconds(15);
            measured(desk, values);
        }
    };
    until(&mut desk, 14);
    let [begin] = begins(&desk).try_into().unwrap();
    let first = |from: i64| DateTime::from_timestamp((from + 14).div_euclid(15) * 15, 0).unwrap();
    assert_eq!((begin.since, begin.at_least), (first(start + 300), false));
    assert_eq!(begin.value, *"18.0 % (pod=p12), must be at most 0.50 %");
    until(&mut desk, 24);
    let [end] = ends(&desk).try_into().unwrap();
    assert_eq!((end.ended, end.after), (first(start + 900), None));
    let peak = end.peak.unwrap();
    assert_eq!((&*peak.value, &*peak.series, peak.at, peak.at_least), ("23.0 %", "pod=p12", first(start + 600), false));
    until(&mut desk, 28);
    assert_eq!(begins(&desk).iter().map(|body| body.since).collect::<Vec<_>>()[1..], [first(start + 1_500)]);
    assert_eq!(ends(&desk).len(), 1);
}

#[test]
fn a_breach_that_ended_while_nothing_was_measured_says_between_which_moments() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    here(&mut desk, &["c1"]);
    let start = desk.wall.timestamp();
    let values = move |at: DateTime<Utc>| match (at.timestamp() - start) / 60 {
        ..5 => Some(0.18),
        5..10 => None,
        _ => Some(0.001),
    };
    while desk.wall.timestamp() < start + 900 {
        desk.wall += TimeDelta::seconds(15);
        measured(&mut desk, values);
    }
    let [end] = ends(&desk).try_into().unwrap();
    let after = end.after.unwrap();
    assert!((end.ended - after).num_seconds() >= 300, "{end:?}");
    assert_eq!(end.ended.timestamp(), (start + 600 + 14).div_euclid(15) * 15);
}
