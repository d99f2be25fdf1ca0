//! Keys that edit in every field where a text is typed, and what Alt means elsewhere.

use super::*;

const ALT: KeyModifiers = KeyModifiers::ALT;

impl Desk {
    fn press(&mut self, code: KeyCode, modifiers: KeyModifiers) {
        self.tell(Msg::Input(InputEvent::Key(KeyEvent::new(code, modifiers))));
    }

    fn has_recorded(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Append { .. }))
    }
}

/// The keys that open each field, from the panes.
const FIELDS: [&str; 8] = ["n", "Y", "V", "@", "u", ":", "D\t\t", "N"];

#[test]
fn alt_and_the_arrows_edit_by_words_in_every_field_and_leave_none() {
    for keys in FIELDS {
        let mut desk = Desk::open(Layout::Ic, (120, 40));
        for key in keys.chars() {
            desk.key(if key == '\t' { KeyCode::Tab } else { KeyCode::Char(key) });
        }
        desk.press(KeyCode::Char('u'), KeyModifiers::CONTROL);
        desk.keys("aa bb cc");
        if !desk.screen().contains("aa bb cc") {
            // Not each of these stands on a key of this layout.
            assert_eq!(keys, "N", "{}", desk.screen());
            continue;
        }
        desk.press(KeyCode::Char('b'), ALT);
        desk.press(KeyCode::Left, ALT);
        desk.press(KeyCode::Left, KeyModifiers::CONTROL);
        desk.press(KeyCode::Char('d'), ALT);
        assert!(desk.screen().contains(" bb cc") && !desk.screen().contains("aa bb"), "{keys}: {}", desk.screen());
        desk.press(KeyCode::Char('f'), ALT);
        desk.press(KeyCode::Right, ALT);
        desk.press(KeyCode::Backspace, ALT);
        desk.keys("dd");
        assert!(desk.screen().contains(" bb dd"), "{keys}: {}", desk.screen());
        // Cyrillic и stands on the key B.
        desk.press(KeyCode::Char('и'), ALT);
        desk.keys("x");
        assert!(desk.screen().contains(" bb xdd"), "{keys}: {}", desk.screen());
    }
}

#[test]
fn enter_with_shift_or_alt_breaks_the_line_and_hands_nothing_in() {
    for modifiers in [ALT, KeyModifiers::SHIFT] {
        let mut desk = Desk::open(Layout::Scribe, (120, 40));
        desk.keys("one");
        desk.press(KeyCode::Enter, modifiers);
        desk.keys("two");
        assert!(!desk.has_recorded() && desk.screen().contains("one") && desk.screen().contains("two"));
        desk.key(KeyCode::Enter);
        let noted = desk.effects.iter().find_map(|effect| match effect {
            Effect::Append { events, .. } => Some(format!("{events:?}")),
            _ => None,
        });
        assert!(noted.is_some_and(|noted| noted.contains("one\\ntwo")), "{modifiers:?}");
        // A field of one line has none to break, and is not handed in either.
        let mut desk = Desk::open(Layout::Ic, (120, 40));
        desk.keys("Yoverload");
        desk.press(KeyCode::Enter, modifiers);
        assert!(!desk.has_recorded() && desk.screen().contains("overload"), "{modifiers:?}");
    }
}

#[test]
fn esc_and_a_letter_that_come_as_one_are_both_pressed_unless_the_terminal_says_that_it_was_alt() {
    let mut desk = Desk::open(Layout::Scribe, (120, 40));
    desk.keys("half");
    desk.press(KeyCode::Char('q'), ALT);
    assert!(desk.effects.contains(&Effect::Quit), "Esc left the line, q the console");
    let mut desk = Desk::open(Layout::Scribe, (120, 40));
    desk.keys("half");
    desk.press(KeyCode::Char('q'), ALT | KeyModifiers::META);
    assert!(!desk.effects.contains(&Effect::Quit) && desk.said().contains("Alt+q is no key here"), "{}", desk.said());
    desk.keys("-typed");
    assert!(desk.screen().contains("half-typed"), "it is still the line that is typed");
    // Where nothing is typed, Alt is Esc before the key.
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys("?");
    desk.press(KeyCode::Char('n'), ALT);
    desk.keys("b");
    assert!(!desk.screen().contains("every action by its name"), "Esc closed the help: {}", desk.screen());
}
