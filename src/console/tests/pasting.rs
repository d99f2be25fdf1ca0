//! Pastes that do not simply arrive: everywhere a text is typed they are taken whole or refused with a reason.

use super::*;

fn paste(desk: &mut Desk, text: &str) {
    desk.tell(Msg::Input(InputEvent::Paste(text.to_owned())));
}

#[test]
fn wherever_a_paste_is_not_taken_the_person_reads_why() {
    let too_long = "x".repeat(70_000);
    let refused = "this text has 70,000 bytes, and at most 65,536 (64 KB) fit into an entry";
    for (keys, why) in [
        ("n", refused),
        ("@", refused),
        ("V", refused),
        ("Y", refused),
        ("u", refused),
        ("u\t", "Tab goes to the text"),
        ("D", "Tab goes to the title"),
        ("D\t\t", refused),
        (":", refused),
        ("?", "no text is typed here"),
        ("S", "no text is typed here"),
        ("", "goes into the scribe's line"),
    ] {
        let mut desk = Desk::open(Layout::Ic, (120, 40));
        for key in keys.chars() {
            desk.key(if key == '\t' { KeyCode::Tab } else { KeyCode::Char(key) });
        }
        paste(&mut desk, &too_long);
        assert!(desk.said().contains(why), "{keys:?}: {}", desk.said());
    }
    let mut desk = super::runs::ready();
    desk.keys("e");
    desk.key(KeyCode::Enter);
    paste(&mut desk, "alipay");
    assert!(desk.said().contains("typed by hand"), "{}", desk.said());
}

#[test]
fn a_paste_that_stands_still_is_said_until_it_ends_and_refused_ones_with_their_numbers() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys("n");
    desk.tell(Msg::Pasting(Pasting::Still { bytes: 1_204, seconds: 2 }));
    assert!(desk.screen().contains("a paste is coming: 1,204 bytes so far, none for 2 s"), "{}", desk.screen());
    paste(&mut desk, "two\nlines");
    assert!(!desk.screen().contains("a paste is coming") && desk.screen().contains("lines"));
    desk.tell(Msg::Pasting(Pasting::TooLong(3_000_000)));
    assert!(desk.said().contains("has 3,000,000 bytes, and at most 65,536 (64 KB)"), "{}", desk.said());
    desk.tell(Msg::Pasting(Pasting::Refused(1)));
    assert!(desk.said().contains("refused whole: nothing of its 1 byte was taken"), "{}", desk.said());
    desk.key(KeyCode::Enter);
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Append { .. })), "Enter came with it");
    desk.tell(Msg::Pasting(Pasting::Rest(4_096)));
    assert!(desk.said().contains("4,096 bytes more of the refused paste"), "{}", desk.said());
}
