//! Questions of steps that no chart shows, and waits that end by themselves.

use super::*;
use crate::incident::{StepClaimed, StepRef, StepState, TakenOver};
use crate::live::{Inquiry, Usual};
use crate::slo::{Measured, Series as Values};

const TILLS: &str = r#"
service = "alipay"
name = "Alipay"
public-name = "Alipay"
owner = "Payments"
reviewed = 2026-09-01

[[steps]]
id = "drain"
title = "Wait until the queue is empty"
look = "The queue."
expect = "Empty."
undo = "Nothing to undo."
do.wait = { promql = 'sum(queue)', expect = "< 5", hold = "2m" }

[[steps]]
id = "rest"
title = "Leave it alone for two minutes"
look = "Nothing."
expect = "Two minutes."
undo = "Nothing to undo."
do.wait = { time = "2m" }

[[steps]]
id = "level"
title = "Is the level right?"
look = "The level."
expect = "Right."
undo = "Nothing to undo."
do.query = { promql = 'max(level)', expect = "> 3" }
"#;

fn step(id: &str) -> StepRef {
    StepRef { service: "alipay".into(), step: id.into() }
}

fn desk() -> Desk {
    let mut settings = settings(Layout::Ic);
    settings.catalogue = Catalogue::default();
    settings.catalogue.take("tills.toml", TILLS);
    assert_eq!(settings.catalogue.problems, Vec::<String>::new());
    Desk::open_with(settings, (120, 40))
}

/// Prometheus answers a step's question: the same value in the last ten minutes, a minute each, but for those that are missing.
fn answers(desk: &mut Desk, id: &str, value: f64, missing: &[usize]) {
    let watched = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Watch(watchlist) => Some(watchlist.clone()),
        _ => None,
    });
    let watched = watched.unwrap();
    let id = watched.objectives.iter().map(|one| &one.id).find(|one| one.objective.ends_with(id)).unwrap().clone();
    let resolution = TimeDelta::seconds(15);
    let grid = Grid { start: desk.wall - resolution * 39, resolution, len: 40 };
    let values = (0..40).map(|place| (!missing.contains(&place)).then_some(value)).collect();
    let series = vec![Values { name: "".into(), values }];
    for finding in Finding::whole(&id, &Measured::over(grid, series, "sum(queue)")) {
        desk.tell(Msg::Source(Report { source: "prometheus", generation: watched.generation, finding }));
    }
}

fn is_ticked(desk: &Desk, id: &str) -> bool {
    matches!(desk.console.incident().steps.get(&step(id)), Some(StepState::Checked(_)))
}

fn claim(desk: &mut Desk, by: &str, id: &str) {
    let body = StepClaimed { step: step(id), title: id.into(), over: None };
    if by == "dana" { desk.asks(Event::StepClaimed(body)) } else { desk.write(by, Event::StepClaimed(body)) }
}

#[test]
fn a_wait_ticks_itself_once_its_expectation_has_held_long_enough_for_the_one_who_claimed_it() {
    let mut desk = desk();
    answers(&mut desk, "drain", 1.0, &[]);
    assert!(!is_ticked(&desk, "drain"), "nobody claimed it");
    claim(&mut desk, "bob", "drain");
    answers(&mut desk, "drain", 1.0, &[]);
    assert!(!is_ticked(&desk, "drain"), "bob's console writes it");
    answers(&mut desk, "drain", 9.0, &[]);
    let over = TakenOver { from: "bob".into(), reason: "bob is away".into() };
    let taken = StepClaimed { step: step("drain"), title: "drain".into(), over: Some(over) };
    desk.asks(Event::StepClaimed(taken));
    desk.tell(Msg::Wake);
    answers(&mut desk, "drain", 1.0, &[33, 34]);
    assert!(!is_ticked(&desk, "drain"), "too much, or a gap in the time that counts");
    answers(&mut desk, "drain", 1.0, &[38, 39]);
    assert!(is_ticked(&desk, "drain"), "what was not scraped yet is no gap");
    let answered = &desk.console.incident().answers[&step("drain")].1;
    assert_eq!((answered.answer.as_str(), answered.holds), ("1 30 s ago, expected < 5 for 2m", Some(true)));
    let written = desk.effects.iter().filter(|effect| matches!(effect, Effect::Append { .. })).count();
    answers(&mut desk, "drain", 1.0, &[]);
    assert_eq!(desk.effects.iter().filter(|effect| matches!(effect, Effect::Append { .. })).count(), written);
}

#[test]
fn what_was_usual_is_asked_once_of_who_searches_spans_and_again_when_it_could_not_be_said() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let asked = |desk: &Desk| {
        let all = desk.effects.iter().filter_map(|effect| match effect {
            Effect::Inquire(Inquiry::Usual(before)) => Some(before.clone()),
            _ => None,
        });
        all.collect::<Vec<_>>()
    };
    desk.report();
    desk.report();
    let before = asked(&desk);
    assert_eq!(before.len(), 1);
    assert_eq!((before[0].until, before[0].services[0].as_str()), (at(0), "alipay-gateway"));
    let spans =
        |desk: &Desk| desk.console.proof(desk.wall).into_iter().find(|line| line.what.contains("spans")).unwrap();
    assert!(spans(&desk).seen.contains("was not asked yet"), "{:?}", spans(&desk));
    let said = |rates| Finding::Usual(Usual { before: before[0].clone(), rates });
    let tell = |desk: &mut Desk, rates| {
        desk.tell(Msg::Source(Report { source: "jaeger", generation: 0, finding: said(rates) }));
    };
    tell(&mut desk, Err("jaeger is away".into()));
    assert!(spans(&desk).seen.contains("is not known: jaeger is away") && !spans(&desk).met);
    desk.wall += TimeDelta::seconds(61);
    desk.report();
    assert_eq!(asked(&desk).len(), 2);
    tell(&mut desk, Ok([(vec!["alipay-gateway".into()], 100.0), (vec!["somebody-else".into()], 1e9)].into()));
    assert!(spans(&desk).seen.contains("(60000 before the incident)") && spans(&desk).met, "{:?}", spans(&desk));
    tell(&mut desk, Err("jaeger is away".into()));
    assert!(spans(&desk).met, "what is known stays");
    desk.wall += TimeDelta::seconds(61);
    desk.report();
    assert_eq!(asked(&desk).len(), 2);
}

#[test]
fn a_wait_for_a_time_ends_at_its_time_and_wakes_the_console_for_it_once() {
    let mut desk = desk();
    claim(&mut desk, "dana", "rest");
    desk.tell(Msg::Wake);
    let end = desk.wall + TimeDelta::minutes(2);
    assert!(desk.console.next_wake().unwrap() <= end);
    desk.pass(119);
    assert!(!is_ticked(&desk, "rest"));
    desk.pass(1);
    assert!(is_ticked(&desk, "rest"));
    desk.screen();
    assert!(desk.console.next_wake().is_none_or(|wake| wake > desk.wall), "nothing spins");
}

#[test]
fn a_query_of_any_promql_is_answered_from_what_was_asked_beside_the_charts() {
    let mut desk = desk();
    let chart = desk.console.settings.catalogue.get("alipay").unwrap().measured().count();
    assert_eq!(chart, 2, "the drain's and the level's");
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Char('3'));
    desk.keys("jje");
    assert!(desk.screen().contains("nobody answered it yet"), "{}", desk.screen());
    answers(&mut desk, "level", 4.0, &[]);
    desk.keys("e");
    let answered = &desk.console.incident().answers[&step("level")].1;
    assert_eq!((answered.answer.as_str(), answered.holds), ("4 0 s ago, expected > 3", Some(true)));
    desk.pass(60);
    desk.keys("e");
    assert!(desk.screen().contains("not fresh"), "{}", desk.screen());
    assert!(!desk.screen().contains("Is the level right?  4"), "a question is no chart");
}
