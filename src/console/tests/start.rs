//! The start screen with many incidents.

use super::*;
use crate::incident::{Phase, Severity};

fn incident(number: u32, severity: Severity, phase: Phase, minutes: i64, service: &str) -> Summary {
    Summary {
        id: IncidentId::incident(number),
        title: format!("trouble {number}").as_str().into(),
        severity: Some(severity),
        phase,
        service: Some(service.into()),
        commander: None,
        declared_at: Some(at(minutes * 60)),
        next: None,
        unsent: Vec::new(),
        standing: Vec::new(),
        covers: None,
    }
}

fn start(size: (u16, u16), list: Vec<Summary>) -> Desk {
    let mut desk = Desk::with(settings(Layout::Ic), size);
    desk.console.show_start();
    desk.tell(Msg::Listed(Known::Whole(list)));
    desk
}

fn opened(desk: &Desk) -> Vec<IncidentId> {
    let open = |effect: &Effect| if let Effect::Open(id) = effect { Some(*id) } else { None };
    desk.effects.iter().filter_map(open).collect()
}

/// Three hundred incidents; number 150 is the worst that runs, number 7 the worst that is over.
fn many() -> Vec<Summary> {
    let one = |number: u32| {
        let service = if number.is_multiple_of(100) { "blubank" } else { "alipay" };
        match number {
            7 => incident(7, Severity::Sev0, Phase::Resolved, 7, service),
            150 => incident(150, Severity::Sev0, Phase::Triage, 150, service),
            number if number.is_multiple_of(2) => {
                incident(number, Severity::Sev2, Phase::Detected, number.into(), service)
            }
            number => incident(number, Severity::Sev3, Phase::Detected, number.into(), service),
        }
    };
    (1..=300).map(one).collect()
}

#[test]
fn hundreds_of_incidents_are_counted_the_worst_and_newest_first_and_the_rest_is_not_hidden() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = start(size, many());
        let screen = desk.screen();
        assert!(screen.contains("300 incidents are open on this host, worst and newest first"), "{screen}");
        let numbers: Vec<&str> =
            screen.lines().filter_map(|line| line.split("INC-").nth(1)?.split(' ').next()).collect();
        assert_eq!(numbers[..3], ["150", "300", "298"], "{screen}");
        let more = format!("… {} more", 300 - numbers.len());
        assert!(screen.contains(&more), "{more}: {screen}");
        assert!(screen.contains("D  declare an incident"), "{screen}");
        desk.key(KeyCode::PageDown);
        desk.key(KeyCode::End);
        let screen = desk.screen();
        assert!(screen.contains("INC-7 ") && screen.contains("more above"), "the last one is over: {screen}");
    }
}

#[test]
fn a_filter_finds_one_of_hundreds_and_esc_brings_them_all_back() {
    let mut desk = start((120, 40), many());
    desk.keys("/blu sev2");
    let screen = desk.screen();
    assert!(
        screen.contains("/blu sev2_  3 of 300") && screen.contains("INC-300") && !screen.contains("INC-298"),
        "{screen}"
    );
    desk.key(KeyCode::Down);
    desk.key(KeyCode::Enter);
    assert_eq!(opened(&desk), [IncidentId::incident(200)]);
    desk.keys("zz");
    assert!(desk.screen().contains("0 of 300"));
    desk.key(KeyCode::Esc);
    assert!(desk.screen().contains("300 incidents are open"));
    desk.keys("D");
    assert!(desk.screen().contains("declare an incident"), "letters are keys again");
}

#[test]
fn a_new_incident_moves_nothing_from_under_a_finger() {
    let mut list = many();
    let mut desk = start((120, 40), list.clone());
    desk.key(KeyCode::Down);
    list.push(incident(301, Severity::Sev0, Phase::Detected, 301, "alipay"));
    desk.tell(Msg::Listed(Known::Whole(list)));
    desk.key(KeyCode::Enter);
    assert_eq!(opened(&desk), [IncidentId::incident(300)]);
    // A way on below the records stays selected, too.
    let mut desk = start((120, 40), Vec::new());
    desk.key(KeyCode::Down);
    desk.tell(Msg::Listed(Known::Whole(many())));
    desk.key(KeyCode::Enter);
    assert!(desk.effects.contains(&Effect::StartDrill));
}
