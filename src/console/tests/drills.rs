//! A drill can be told from an incident on every screen, and a real alert is not hidden by it.

use super::*;
use crate::incident::DrillStarted;
use crate::theme::{BuiltIn, Depth, Theme};

fn drill(theme: BuiltIn, is_wall: bool, size: (u16, u16)) -> Desk {
    let theme = Theme::built_in(theme, Depth::Sixteen);
    let mut desk = Desk::open_with(Settings { theme, is_wall, ..settings(Layout::Ic) }, size);
    let started =
        DrillStarted { exercise: "alipay-timeout-storm".into(), seed: 1, start: at(0), speed: 1.0, source: None };
    desk.write_as("bob", "c0", Event::DrillStarted(started));
    desk
}

#[test]
fn every_screen_of_a_drill_says_so() {
    for theme in [BuiltIn::Dark, BuiltIn::Light, BuiltIn::HighContrast, BuiltIn::Plain] {
        for size in [(60, 14), (80, 24), (120, 40), (200, 60)] {
            let mut desk = drill(theme, false, size);
            let screen = desk.screen();
            assert!(screen.contains("DRILL"), "{theme:?} {size:?}\n{screen}");
        }
    }
}

#[test]
fn a_real_alert_stands_in_the_header_of_a_drill_until_it_is_over() {
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    desk.tell(Msg::RealAlerts(vec!["CardsDown".into(), "QueueGrows".into()]));
    let screen = desk.screen();
    assert!(screen.contains("REAL ALERT: CardsDown and 1 more · this is a drill: D leaves it"), "{screen}");
    desk.tell(Msg::RealAlerts(Vec::new()));
    assert!(!desk.screen().contains("REAL ALERT"));
}
