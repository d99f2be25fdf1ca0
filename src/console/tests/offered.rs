//! What a list offers where it is empty, and what is said of something that is late.

use super::*;
use crate::console::overlay::{self as items, Shown};
use crate::incident::{Phase, PhaseEntered, Plain, RoleNamed};

type List = fn(&Cx<'_>) -> Overlay;

#[test]
fn a_list_without_rows_offers_no_key_that_takes_one() {
    let mut desk = Desk::open_record(IncidentId::incident(1), settings(Layout::Comms), (120, 40));
    let all: [(&str, List); 5] = [
        ("call-backs", items::call_backs),
        ("proposals", items::decisions),
        ("texts", items::drafts),
        ("offers", items::offers),
        ("changes", items::changes),
    ];
    for (name, list) in all {
        let overlay = list(&desk.console.view(desk.wall));
        let Overlay::Pick(pick) = &overlay else { panic!("{name} is a list") };
        assert!(pick.rows.is_empty() && !pick.empty.is_empty(), "{name}: {:?}", pick.rows);
        let empty = pick.empty;
        desk.console.overlay = Some(Shown::new(overlay));
        let screen = desk.screen();
        assert!(screen.contains(&empty[..20]) && !screen.contains("Enter takes"), "{name}: {screen}");
        assert!(screen.contains("Esc leaves"), "{name}: {screen}");
        desk.key(KeyCode::Esc);
    }
}

#[test]
fn a_list_that_was_narrowed_to_nothing_says_how_to_widen_it() {
    let mut desk = Desk::open(Layout::Comms, (120, 40));
    let list = items::assign_role(&desk.console.view(desk.wall));
    desk.console.overlay = Some(Shown::new(list));
    assert!(desk.screen().contains("Enter takes"));
    desk.keys("/no such role");
    let screen = desk.screen();
    assert!(screen.contains("no row has these words") && !screen.contains("Enter takes"), "{screen}");
    assert!(screen.contains("Backspace widens"), "{screen}");
}

#[test]
fn what_is_over_its_time_is_never_called_sooner() {
    let mut desk = Desk::open(Layout::Comms, (120, 40));
    let role = Role::IncidentCommander;
    let taken = RoleNamed { role, component: None, holder: "dana".into(), reason: None, is_played: false };
    desk.write("dana", Event::RoleTaken(taken));
    desk.write("dana", Event::Acknowledged(Plain {}));
    desk.write("dana", Event::PhaseEntered(PhaseEntered::plain(Phase::Mitigating)));
    desk.key(KeyCode::Esc);
    let mut words = Vec::new();
    for _ in 0..40 {
        let screen = desk.screen();
        for line in screen.lines().filter(|line| line.contains("sooner:")) {
            assert!(!line.contains("-0:") && !line.contains("-1:"), "{line}");
            words.push("sooner");
        }
        if screen.lines().any(|line| line.contains("OVERDUE") && line.contains(": tell")) {
            words.push("overdue");
        }
        desk.pass(30);
    }
    words.dedup();
    let screen = desk.screen();
    assert_eq!(words, ["sooner", "overdue"], "{screen}");
}

#[test]
fn what_no_action_is_called_leads_to_none() {
    let mut desk = Desk::open(Layout::Comms, (120, 40));
    desk.key(KeyCode::Esc);
    desk.keys(":take sme");
    let screen = desk.screen();
    assert!(!screen.contains("resolve: takes proof") && !screen.contains("Enter runs"), "{screen}");
    desk.key(KeyCode::Enter);
    assert!(desk.said().contains("no action has such a name"), "{}", desk.said());
    desk.key(KeyCode::Esc);
    for (words, action) in [("tkrol", "take-role"), ("proof metrics", "resolve"), ("role take", "take-role")] {
        desk.keys(&format!(":{words}"));
        let screen = desk.screen();
        assert!(screen.contains(&format!("▸ {action} ")), "{words}: {screen}");
        desk.key(KeyCode::Esc);
    }
}
