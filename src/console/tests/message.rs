//! What is said at the bottom of the screen.

use super::*;

#[test]
fn a_long_message_leaves_the_keys_and_its_own_remedy_on_the_screen() {
    let why = "Statuspage answered 422 to the update of the external page (component c0mp0n3nt is not part of page abc123, and its \
               name was changed yesterday by the platform team): the text was not published; set [external-components], then :outbox";
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        let mut desk = Desk::open(Layout::Scribe, size);
        desk.keys("half a li");
        let before = desk.screen();
        desk.tell(Msg::Failed(why.into()));
        let screen = desk.screen();
        let footer = screen.lines().last().unwrap();
        assert!(screen.contains("Statuspage answered 422") && screen.contains("then :outbox"), "{screen}");
        assert!(footer.contains("Ctrl+O messages") && footer.contains("Enter record"), "{footer}");
        assert!(screen.contains("half a li"), "{screen}");
        desk.ctrl('o');
        let whole: String = desk.screen().split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(size.0 < 80 || whole.contains("messages"), "{whole}");
        assert!(size.0 < 120 || whole.contains("its name was changed yesterday"), "{whole}");
        desk.key(KeyCode::Esc);
        desk.pass(60);
        assert_eq!(desk.screen().lines().count(), before.lines().count());
        assert!(!desk.screen().contains("then :outbox") && desk.screen().contains("half a li"));
    }
}

#[test]
fn a_short_message_stands_beside_the_keys() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.tell(Msg::Done("wrote config.toml".into()));
    let screen = desk.screen();
    let footer = screen.lines().last().unwrap();
    assert!(footer.contains("wrote config.toml") && footer.contains("? help"), "{footer}");
}
