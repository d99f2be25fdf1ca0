//! What stands on the screen beside values and in forms: how fine a chart is, what is left undone, what a silence keeps quiet.

use super::alerts::{alert, fires};
use super::*;
use crate::console::tests::own_clock;
use crate::incident::{ImpactAt, Phase, PhaseEntered};
use crate::live::AlertFinding;
use crate::pane::FormKind;

/// The title of the graphs, as it stands in their frame.
fn title(desk: &mut Desk) -> String {
    let screen = desk.screen();
    let row = screen.lines().find_map(|row| row.split_once("SLO graphs")?.1.split_once(" apart"));
    let (said, _) = row.unwrap_or_else(|| panic!("{screen}"));
    said.replace('─', "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_title_of_the_graphs_says_how_far_apart_their_points_are_at_every_range() {
    let mut desk = Desk::open(Layout::Sme, (200, 60));
    desk.keys("1[[");
    let mut said = Vec::new();
    for _ in 0..7 {
        desk.report();
        said.push(title(&mut desk));
        desk.keys("]");
    }
    let expected: [&str; 7] = [
        "· last 15 min to 20:27:40 UTC · 10 s",
        "· last 30 min to 20:27:40 UTC · 10 s",
        "· last 1 h to 20:27:40 UTC · 20 s",
        "· last 3 h to 20:27:00 UTC · 60 s",
        "· last 6 h to 20:26:00 UTC · 120 s",
        "· last 12 h to 20:25:00 UTC · 300 s",
        "· last 24 h to 20:20:00 UTC · 600 s",
    ];
    assert_eq!(said, expected);
}

#[test]
fn the_title_of_the_graphs_ends_at_the_right_time_where_the_own_clock_is_off() {
    let mut desk = own_clock::ahead();
    own_clock::elsewhere(&mut desk, own_clock::skewed());
    // The source asks by the server's clock.
    let own = desk.wall;
    desk.wall -= TimeDelta::seconds(180);
    let right = desk.wall;
    let end = right.timestamp().div_euclid(30) * 30;
    desk.report();
    desk.wall = own;
    let end = DateTime::from_timestamp(end, 0).unwrap().format("%H:%M:%S");
    assert!(title(&mut desk).contains(&format!("to {end} UTC · 30 s")), "{}", title(&mut desk));
}

/// The rows of the form that say what is left undone.
fn undone(desk: &mut Desk) -> Vec<String> {
    let screen = desk.screen();
    let rows = screen.lines().filter_map(|row| row.split_once("left undone: ")?.1.split('│').next());
    rows.map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn the_form_that_resolves_names_what_is_left_undone_and_what_is_done_meanwhile_goes() {
    let mut desk = Desk::open(Layout::Ic, (120, 50));
    desk.write("dana", Event::ImpactStarted(ImpactAt { at: at(0), ..ImpactAt::default() }));
    desk.write("dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Mitigating)));
    let wall = desk.wall;
    desk.console.show_form(FormKind::Resolve, wall);
    let expected = desk.console.cx(desk.wall).unfinished();
    assert!(expected.len() > 1, "{expected:?}");
    assert_eq!(undone(&mut desk), expected);
    let hurt = "customers hurt since May 28 20:26 UTC, and no end of it is recorded".to_owned();
    assert!(expected.contains(&hurt), "{expected:?}");
    // Somebody else records the end while the form stands there.
    desk.write("bob", Event::ImpactEnded(ImpactAt { at: at(50), ..ImpactAt::default() }));
    let left = undone(&mut desk);
    assert!(!left.contains(&hurt) && left == desk.console.cx(desk.wall).unfinished(), "{left:?}");
}

#[test]
fn a_silence_says_before_it_is_made_which_alerts_it_keeps_quiet_or_that_nobody_knows() {
    let reach = crate::reach::Reach { silences: true, ..Default::default() };
    let mut desk = Desk::open_with(Settings { reach, ..settings(Layout::Ic) }, (120, 40));
    let asks = |desk: &mut Desk, labels: &str| {
        let wall = desk.wall;
        desk.console.show_form(FormKind::Silence(labels.to_owned()), wall);
        desk.tell(Msg::Wake);
        // What was typed the last time is back.
        desk.ctrl('r');
        desk.key(KeyCode::Tab);
        desk.key(KeyCode::Tab);
        desk.keys("the backup is filled");
        desk.key(KeyCode::Enter);
        let screen = desk.screen();
        desk.key(KeyCode::Esc);
        screen
    };
    let unknown = "which alerts it keeps quiet is not all known: alertmanager has told none";
    let nothing = "no alert that is known now has these labels";
    let screen = asks(&mut desk, "service=\"alipay\"");
    assert!(screen.contains(nothing) && screen.contains(unknown), "{screen}");
    desk.tell(fires(vec![alert("HighErrorRate", "alipay", "critical", -30)]));
    let screen = asks(&mut desk, "service=\"alipay\"");
    assert!(screen.contains("1 of the alerts that are known now:") && screen.contains(unknown), "{screen}");
    let told = [("HighErrorRate", "alipay"), ("PoolFull", "alipay"), ("Slow", "blubank")];
    let told: Vec<_> = told.into_iter().map(|(name, service)| alert(name, service, "critical", -30)).collect();
    desk.tell(Msg::Source(Report {
        source: "alertmanager",
        generation: 0,
        finding: Finding::Alerts(AlertFinding { alerts: told, ..AlertFinding::default() }),
    }));
    let screen = asks(&mut desk, "service=\"alipay\"");
    for words in ["2 of the alerts that are known now:", "HighErrorRate on alipay", "PoolFull on alipay"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    assert!(!screen.contains("Slow on blubank\n") && !screen.contains("is not all known"), "{screen}");
    let screen = asks(&mut desk, "service=\"shop\"");
    assert!(screen.contains(nothing) && !screen.contains("is not all known"), "{screen}");
    desk.wall += TimeDelta::minutes(10);
    let screen = asks(&mut desk, "service=\"shop\"");
    assert!(screen.contains(&format!("{unknown} since 20:27")), "{screen}");
}
