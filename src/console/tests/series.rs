//! Which one of several: the worst series is named wherever its value is said, and all of them can be listed.

use super::*;
use crate::incident::{Evidence, EvidencePinned};
use crate::slo::{Measured, ObjectiveId, Series as Line};

/// A desk with the graphs alone, of which one objective has three series.
fn desk() -> Desk {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let id = ObjectiveId { service: "alipay".into(), objective: "latency-p99".into() };
    let grid = Grid::covering(TimeDelta::hours(1), desk.wall, 240, TimeDelta::seconds(15));
    let series = [("pod=p11", 0.3), ("pod=p12", 3.7), ("pod=p13", 0.5)];
    let series = series.map(|(name, value)| Line { name: name.into(), values: vec![Some(value); grid.len] });
    let measured = Measured::over(grid, series.into(), "x");
    let generation = desk.console.live().generation;
    for finding in Finding::whole(&id, &measured) {
        desk.tell(Msg::Source(Report { source: "prometheus", generation, finding }));
    }
    (desk.console.focus, desk.console.is_zoomed) = (PaneId::Graphs, true);
    desk.console.dirty = Dirty::ALL;
    desk
}

#[test]
fn the_worst_of_several_series_is_named_in_the_chart_at_the_cursor_and_in_what_is_pinned() {
    let mut desk = desk();
    let heading = |screen: &str| screen.lines().find(|line| line.contains("p99 latency")).unwrap().to_owned();
    let screen = desk.screen();
    assert!(heading(&screen).contains("3.70 s") && screen.contains("pod=p12"), "{screen}");
    desk.key(KeyCode::Left);
    desk.console.dirty = Dirty::ALL;
    let screen = desk.screen();
    assert!(heading(&screen).contains("pod=p12"), "{screen}");
    desk.keys("p");
    let pinned = desk.console.incident().entries().find_map(|entry| match &entry.event {
        Event::EvidencePinned(EvidencePinned { evidence: Evidence::Graph { value, series, .. } }) => {
            Some((value.to_string(), series.to_string()))
        }
        _ => None,
    });
    assert_eq!(pinned, Some(("3.70 s".to_owned(), "pod=p12".to_owned())));
}

#[test]
fn enter_lists_the_series_with_their_values_the_worst_first_and_enter_again_shows_all_charts() {
    let mut desk = desk();
    let before = desk.screen();
    desk.key(KeyCode::Enter);
    desk.console.dirty = Dirty::ALL;
    let screen = desk.screen();
    let rows = ["3.70 s  pod=p12", "500 ms  pod=p13", "300 ms  pod=p11"];
    let places: Vec<_> = rows.iter().map(|row| screen.find(row)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} {screen}");
    assert!(before.contains("error ratio") && !screen.contains("error ratio"), "{screen}");
    desk.key(KeyCode::Enter);
    desk.console.dirty = Dirty::ALL;
    assert_eq!(desk.screen(), before);
}
