//! The mouse, where somebody wants it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::*;

fn mouse(desk: &mut Desk, kind: MouseEventKind, pane: PaneId) {
    let area = desk.console.arrangement().area(pane).unwrap();
    let (column, row) = (area.x + 2, area.y + 2);
    desk.tell(Msg::Input(InputEvent::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })));
}

#[test]
fn a_click_gives_a_pane_the_focus_and_the_wheel_moves_what_is_below_the_pointer() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    for number in 0..60 {
        desk.write("omid", note(&format!("line {number}")));
    }
    mouse(&mut desk, MouseEventKind::Down(MouseButton::Left), PaneId::Playbook);
    assert_eq!(desk.console.focus(), PaneId::Playbook);
    let before = desk.screen();
    assert!(before.contains("line 59"));
    for _ in 0..10 {
        mouse(&mut desk, MouseEventKind::ScrollUp, PaneId::Timeline);
    }
    assert!(!desk.screen().contains("line 59"), "the timeline was moved");
    assert_eq!(desk.console.focus(), PaneId::Playbook, "and the focus was not");
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Append { .. })), "the mouse records nothing");
}

#[test]
fn the_wheel_scrolls_a_text_and_a_click_beside_it_leaves_it_open() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys("?");
    let before = desk.screen();
    mouse(&mut desk, MouseEventKind::ScrollDown, PaneId::Timeline);
    assert_ne!(before, desk.screen());
    mouse(&mut desk, MouseEventKind::Down(MouseButton::Left), PaneId::Timeline);
    assert!(desk.screen().contains("every key"));
}
