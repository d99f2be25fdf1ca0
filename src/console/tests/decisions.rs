//! What everybody sees of a proposal.

use super::*;
use crate::incident::DecisionProposed;

fn proposed(desk: &mut Desk) {
    let until = desk.wall + TimeDelta::seconds(60);
    let body = DecisionProposed {
        action: "use the backup".into(),
        risk: "fees".into(),
        undo: "route back".into(),
        plan_b: None,
        until,
    };
    desk.write("omid", Event::DecisionProposed(body));
    desk.draw();
}

#[test]
fn the_time_for_objections_runs_down_in_every_layout_and_on_the_wall() {
    for layout in Layout::ALL {
        for is_wall in [false, true] {
            let mut desk = Desk::open_with(Settings { is_wall, ..settings(layout) }, (120, 40));
            proposed(&mut desk);
            for left in ["0:50", "0:49", "0:20"] {
                let seconds = match left {
                    "0:50" => 10,
                    "0:49" => 1,
                    _ => 29,
                };
                // Nothing but the console's own wake redraws it.
                desk.pass(seconds);
                let screen = desk.screen();
                let row = screen.lines().find(|row| row.contains("ANY STRONG OBJECTIONS? use the backup"));
                assert!(row.is_some_and(|row| row.contains(left)), "{layout:?} wall {is_wall} {left}: {screen}");
            }
            desk.pass(21);
            assert!(!desk.screen().contains("ANY STRONG OBJECTIONS"), "{layout:?} wall {is_wall}");
        }
    }
}
