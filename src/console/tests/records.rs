//! What concerns several records of the host, asked from inside one of them.

use super::*;
use crate::console::Printout;
use crate::incident::{Outcome, Phase, PhaseEntered, Severity};

fn listed(desk: &mut Desk, numbers: &[u32]) {
    let list = numbers.iter().map(|number| Summary {
        id: IncidentId::incident(*number),
        title: "the same".into(),
        severity: Some(Severity::Sev2),
        phase: crate::incident::Phase::Detected,
        service: None,
        commander: None,
        declared_at: None,
        next: None,
        covers: None,
        unsent: Vec::new(),
        standing: Vec::new(),
    });
    let list = list.collect();
    desk.tell(Msg::Listed(Known::Whole(list)));
}

fn merged(desk: &Desk) -> Option<(IncidentId, IncidentId)> {
    desk.effects.iter().find_map(|effect| match effect {
        Effect::Merge { duplicate, into } => Some((*duplicate, *into)),
        _ => None,
    })
}

#[test]
fn a_duplicate_is_merged_only_after_its_name_was_typed() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys(":");
    desk.keys("merge");
    desk.key(KeyCode::Enter);
    listed(&mut desk, &[1, 2]);
    let screen = desk.screen();
    assert!(screen.contains("INC-2 goes on here") && screen.contains("goes on in INC-2"), "{screen}");
    assert!(!screen.contains("INC-1 goes on here"), "a record is no duplicate of itself: {screen}");
    desk.keys("1");
    desk.keys("INC-1");
    desk.key(KeyCode::Enter);
    assert_eq!(merged(&desk), None);
    assert!(desk.screen().contains("type INC-2 to merge it"), "{}", desk.screen());
    for _ in 0..5 {
        desk.key(KeyCode::Backspace);
    }
    desk.keys("inc-2");
    desk.key(KeyCode::Enter);
    assert_eq!(merged(&desk), Some((IncidentId::incident(2), IncidentId::incident(1))));
}

#[test]
fn a_text_that_comes_late_interrupts_nobody() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys(":");
    desk.keys("report");
    desk.key(KeyCode::Enter);
    assert!(desk.effects.contains(&Effect::Print(Printout::Report(None))));
    let said = Msg::Printed("process health".into(), "MTTA 4m".into());
    assert!(desk.screen().contains("reading the records"));
    desk.tell(said.clone());
    assert!(desk.screen().contains("MTTA 4m"), "{}", desk.screen());
    desk.key(KeyCode::Esc);
    desk.keys("?");
    desk.tell(said);
    assert!(!desk.screen().contains("MTTA 4m"));
}

#[test]
fn a_console_on_a_duplicate_goes_along_with_its_half_typed_line_once_nothing_is_asked() {
    let mut desk = Desk::open(Layout::Scribe, (120, 40));
    desk.keys("n");
    desk.keys("half a line");
    desk.key(KeyCode::Esc);
    desk.keys("?");
    let merged =
        PhaseEntered { outcome: Some(Outcome::Merged(IncidentId::incident(9))), ..PhaseEntered::plain(Phase::Closed) };
    desk.write("omid", Event::PhaseEntered(merged));
    let of_omid = desk.left_by("elsewhere");
    desk.tell(Msg::Journal(JournalMsg::WrittenBeside(of_omid)));
    let opened = |desk: &Desk| desk.effects.iter().any(|effect| *effect == Effect::Open(IncidentId::incident(9)));
    assert!(!opened(&desk), "an overlay is open");
    desk.key(KeyCode::Esc);
    desk.pass(1);
    assert!(opened(&desk) && desk.effects.contains(&Effect::ClearDraft));
    desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(9))));
    let screen = desk.screen();
    assert!(screen.contains("half a line"), "{screen}");
}
