use super::*;
use crate::theme::{BuiltIn, Depth};
use crate::widget::tests::{any_area, drawn, lines, stays_inside};
use chrono::TimeZone;
use proptest::prelude::*;

fn at(hour: u32, minute: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 23, hour, minute, 0).unwrap()
}

fn seconds(value: f64) -> String {
    format!("{value:.1}")
}

fn clock(at: DateTime<Utc>) -> String {
    at.format("%H:%M").to_string()
}

fn chart<'a>(lines: &'a [&'a [Option<f64>]]) -> Chart<'a> {
    let len = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    Chart {
        moments: Moments { start: at(13, 30), step: TimeDelta::seconds(60), len },
        lines,
        threshold: None,
        worse: Worse::Higher,
        value: &seconds,
        time: &clock,
        zone: TimeDelta::zero(),
        marks: &[],
        cursor: None,
        is_stale: false,
    }
}

fn rising() -> Vec<Option<f64>> {
    (0..57).map(|minute| Some(if minute < 30 { 0.3 } else { 0.3 + 3.4 * f64::from(minute - 30) / 26.0 })).collect()
}

fn shown(chart: Chart<'_>, width: u16, height: u16) -> Vec<String> {
    drawn(width, height, |area, buf| chart.draw(area, buf, &Theme::default()))
}

fn shown_in_ascii(chart: Chart<'_>, width: u16, height: u16) -> Vec<String> {
    drawn(width, height, |area, buf| chart.draw(area, buf, &Theme::default().in_ascii()))
}

#[test]
fn a_latency_that_climbs_over_its_threshold() {
    let values = rising();
    let marks = [Mark { at: at(14, 0), letter: 'D' }, Mark { at: at(14, 10), letter: 'U' }];
    let chart = Chart { threshold: Some(0.8), marks: &marks, ..chart(&[]) };
    let chart = Chart { lines: &[&values], moments: Moments { len: 57, ..chart.moments }, ..chart };
    assert_eq!(
        shown(chart, 60, 6),
        [
            "4.0 ┤                             ┆         ┆            ⣀⡠⠔",
            "                                  ┆         ┆      ⣀⠤⠤⠒⠒⠉",
            "2.0 ┤                             ┆         ⢀⣀⠤⠤⠒⠉⠉",
            "0.8 ┤┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄⢀⡠⠤⠔⠒⠊⠁┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄",
            "0.0 ┤⠠⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠔⠊⠉⠁     ┆",
            "     ╵13:30    ╵13:40    ╵13:50   D         U         ╵14:20",
        ]
    );
    assert_eq!(
        shown_in_ascii(chart, 60, 6),
        [
            "4.0 +                             :         :            ..-",
            "                                  :         :      ..--''",
            "2.0 +                             :         ..---''",
            "0.8 +=================================..--''================",
            "0.0 +------------------------------'''      :",
            "     '13:30    '13:40    '13:50   D         U         '14:20",
        ]
    );
}

#[test]
fn a_moment_without_a_number_is_a_gap() {
    for missing in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
        let values: Vec<_> = (0..20).map(|place| if (8..12).contains(&place) { missing } else { Some(1.0) }).collect();
        assert_eq!(shown(chart(&[&values]), 10, 3), ["⠈⠉⠉⠉⠁ ⠈⠉⠉⠉", "", ""], "{missing:?}");
    }
}

#[test]
fn a_spike_between_two_columns_of_dots_is_not_lost() {
    let mut values = vec![Some(0.0); 1000];
    values[537] = Some(1.0);
    assert_eq!(shown(chart(&[&values]), 10, 3), ["     ⢸", "     ⢸", "⢀⣀⣀⣀⣀⣸⣀⣀⣀⣀"]);
}

#[test]
fn two_rows_are_bars_of_levels() {
    let values: Vec<_> = (0..12).map(|place| if place == 4 { None } else { Some(f64::from(place)) }).collect();
    assert_eq!(shown(chart(&[&values]), 12, 1), ["▁▁▁▂ ▂▃▃▄▄▄▅"]);
    assert_eq!(shown(chart(&[&values]), 12, 2), ["           ▁", "▁▁▂▃ ▄▅▆▇███"]);
    assert_eq!(shown_in_ascii(chart(&[&values]), 12, 1), ["___. .--===+"]);
    let few = [Some(1.0), None, Some(2.0)];
    assert_eq!(shown(chart(&[&few]), 12, 1), ["▄          █"], "a gap stays a gap");
    let few = [Some(1.0), Some(2.0)];
    assert_eq!(shown(chart(&[&few]), 12, 1), ["▄▄▄▄▄▄▄▄▄▄▄█"], "a sample lasts until the next");
}

#[test]
fn a_threshold_out_of_sight_is_told_at_the_edge() {
    let values = [Some(1.0); 20];
    let chart = Chart { threshold: Some(9.0), ..chart(&[]) };
    assert_eq!(
        shown(Chart { lines: &[&values], moments: Moments { len: 20, ..chart.moments }, ..chart }, 20, 3),
        [" 1.0 ┤⠈⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉", "↑9.0", " 0.0 ┤"]
    );
}

#[test]
fn the_threshold_is_named_wherever_the_values_run() {
    let noise: Vec<_> = (0..200).map(|place| Some(if place % 2 == 0 { 0.1 } else { 4.0 })).collect();
    for (threshold, label) in [(0.8, "0.8 ┤"), (0.0, "0.0 ┤"), (3.9, "3.9 ┤"), (90.0, "↑90.0")] {
        let chart = Chart { threshold: Some(threshold), ..chart(&[]) };
        let chart = Chart { lines: &[&noise], moments: Moments { len: 200, ..chart.moments }, ..chart };
        let rows = shown(chart, 40, 8);
        assert!(rows.iter().any(|row| row.trim_start().starts_with(label)), "{threshold}: {rows:#?}");
    }
}

#[test]
fn of_a_crowd_only_the_worst_stands_out() {
    let data: Vec<Vec<_>> = (0..20).map(|line| vec![Some(f64::from((line * 7) % 20)); 10]).collect();
    let lines: Vec<&[_]> = data.iter().map(Vec::as_slice).collect();
    let theme = Theme::built_in(BuiltIn::Dark, Depth::Sixteen);
    let area = Rect::new(0, 0, 10, 20);
    let mut buf = Buffer::empty(area);
    chart(&lines).draw(area, &mut buf, &theme);
    let bright: Vec<u16> = (0..20).filter(|y| buf[(5, *y)].fg == theme.series(0).fg.unwrap()).collect();
    assert_eq!(bright, [1], "19 of 20");
}

#[test]
fn the_column_under_the_cursor_is_marked_whatever_the_colours() {
    let values = rising();
    let area = Rect::new(0, 0, 60, 6);
    for built_in in BuiltIn::ALL {
        let theme = Theme::built_in(built_in, Depth::Sixteen);
        let (mut without, mut with) = (Buffer::empty(area), Buffer::empty(area));
        let (lines, cursor) = ([values.as_slice()], Some(30));
        let chart = Chart { cursor, ..chart(&lines) };
        Chart { cursor: None, ..chart }.draw(area, &mut without, &theme);
        chart.draw(area, &mut with, &theme);
        let changed: Vec<u16> = without.diff(&with).iter().map(|(x, ..)| *x).collect();
        assert_eq!(changed, vec![chart.places(area).column(30).unwrap(); 5]);
    }
}

#[test]
fn a_refresh_of_a_calm_service_changes_few_cells() {
    let values = vec![Some(0.3); 240];
    let area = Rect::new(0, 0, 70, 8);
    let frame = |step: i32| {
        let mut buf = Buffer::empty(area);
        let start = at(13, 30) + TimeDelta::seconds(15) * step;
        let lines = [values.as_slice()];
        let chart = Chart { moments: Moments { start, step: TimeDelta::seconds(15), len: 240 }, ..chart(&lines) };
        chart.draw(area, &mut buf, &Theme::default());
        buf
    };
    for step in 0..40 {
        let changed = frame(step).diff(&frame(step + 1)).iter().filter(|(x, y, _)| *y < 7 && *x > 5).count();
        assert!(changed <= 1, "only the newest sample and the times at the bottom move");
    }
    assert_eq!(lines(&frame(0)).len(), 8);
}

#[test]
#[ignore = "a measurement for a release build"]
fn six_charts_are_drawn_in_time() {
    for (count, budget) in [(5usize, 0.6), (200, 6.0)] {
        let data: Vec<Vec<Option<f64>>> = (0..count)
            .map(|line| {
                let wave = |place: usize| 1.5 + ((place + 7 * line) as f64 / 30.0).sin();
                (0..240).map(|place| Some(wave(place) + ((place * 31 + line * 17) % 13) as f64 / 40.0)).collect()
            })
            .collect();
        let series: Vec<&[_]> = data.iter().map(Vec::as_slice).collect();
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 200, 60));
        let areas: Vec<Rect> = (0..6).map(|place| Rect::new(place % 2 * 100, place / 2 * 20, 100, 20)).collect();
        let best = (0..50)
            .map(|_| {
                #[allow(clippy::disallowed_methods, reason = "a measurement")]
                let begin = std::time::Instant::now();
                for area in &areas {
                    Chart { threshold: Some(0.8), ..chart(&series) }.draw(*area, &mut buf, &theme);
                }
                begin.elapsed().as_secs_f64() * 1e3
            })
            .fold(f64::INFINITY, f64::min);
        println!("6 charts x {count} series x 240: {best:.3} ms (budget {budget} ms)");
        assert!(cfg!(debug_assertions) || best <= budget, "{best} ms");
    }
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![4 => (0.0..5.0f64).prop_map(Some), 1 => any::<Option<f64>>(), 1 => Just(Some(f64::NAN)), 1 => Just(None)]
}

proptest! {
    #[test]
    fn any_data_in_any_area_stays_inside_it(
        area in any_area(), data in proptest::collection::vec(proptest::collection::vec(any_value(), 0..60), 0..12), len in 0usize..70,
        step in 1i64..4_000, threshold in any::<Option<f64>>(), cursor in any::<Option<usize>>(), mark in -9_000i64..9_000,
        is_ascii in any::<bool>(), is_lower in any::<bool>(), is_stale in any::<bool>(),
    ) {
        let series: Vec<&[_]> = data.iter().map(Vec::as_slice).collect();
        let marks = [Mark { at: at(14, 0) + TimeDelta::seconds(mark), letter: 'D' }, Mark { at: at(13, 30), letter: 'U' }];
        let theme = if is_ascii { Theme::default().in_ascii() } else { Theme::default() };
        let chart = Chart {
            moments: Moments { start: at(13, 30), step: TimeDelta::seconds(step), len },
            threshold, cursor, marks: &marks, is_stale,
            worse: if is_lower { Worse::Lower } else { Worse::Higher },
            ..chart(&series)
        };
        stays_inside(area, |area, buf| chart.draw(area, buf, &theme));
        let _ = chart.places(area).moved(cursor.unwrap_or(0), -1);
    }
}
