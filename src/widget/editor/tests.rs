use super::*;
use crate::widget::tests::{any_area, drawn, stays_inside};
use proptest::prelude::*;

fn press(editor: &mut Editor, keys: &str) -> Edited {
    keys.split_whitespace().fold(Edited::Ignored, |_, name| editor.key(key(name)))
}

fn key(name: &str) -> KeyEvent {
    let (modifiers, name) = match (name.strip_prefix("C-"), name.strip_prefix("A-")) {
        (Some(rest), _) => (KeyModifiers::CONTROL, rest),
        (None, Some(rest)) => (KeyModifiers::ALT, rest),
        (None, None) => (KeyModifiers::NONE, name),
    };
    let code = match name {
        "Left" => KeyCode::Left,
        "Right" => KeyCode::Right,
        "Up" => KeyCode::Up,
        "Down" => KeyCode::Down,
        "Home" => KeyCode::Home,
        "End" => KeyCode::End,
        "PageUp" => KeyCode::PageUp,
        "PageDown" => KeyCode::PageDown,
        "Backspace" => KeyCode::Backspace,
        "Delete" => KeyCode::Delete,
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "Space" => KeyCode::Char(' '),
        letter => KeyCode::Char(letter.chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}

#[test]
fn the_keys_of_a_note() {
    for (keys, text) in [
        ("a b C-j c", "ab\nc"),
        ("a b Left X", "aXb"),
        ("a Space b c C-w X", "a X"),
        ("a b C-j c d C-u X", "ab\nX"),
        ("a b C-j C-a C-u C-k x", "ab\nx"),
        ("a b c C-a Right C-k", "a"),
        ("a b c C-z C-z", "a"),
        ("a b c C-z C-z C-y", "ab"),
        ("a b C-j c Up Home X Down End Y", "Xab\ncY"),
        ("a Space b C-Left C-Left X C-Right Y", "XaY b"),
        ("a b C-j c PageUp X PageDown Y", "aXb\ncY"),
        ("a b Backspace Home Delete", ""),
        ("a C-j Backspace b", "ab"),
        ("a b C-Backspace", ""),
    ] {
        let mut editor = Editor::lines();
        press(&mut editor, keys);
        assert_eq!(editor.text().as_str(), text, "{keys}");
    }
}

#[test]
fn words_are_walked_and_taken_out_as_in_readline_in_every_alphabet() {
    for (text, keys, wanted) in [
        ("pod-1 restarts", "A-b X", "pod-1 Xrestarts"),
        ("pod-1 restarts", "A-b A-b X", "pod-X1 restarts"),
        ("pod-1 restarts", "Home A-f X", "podX-1 restarts"),
        ("pod-1 restarts", "Home A-f A-f X", "pod-1X restarts"),
        ("pod-1 restarts", "A-Left A-Left A-Right X", "pod-1X restarts"),
        ("pod-1 restarts", "C-Left C-Left C-Right X", "pod-1X restarts"),
        ("pod-1 restarts", "A-Backspace X", "pod-1 X"),
        ("pod-1 restarts  ", "A-Backspace A-Backspace X", "pod-X"),
        ("pod-1 restarts", "Home A-d X", "X-1 restarts"),
        ("pod-1 restarts", "Home A-d A-d X", "X restarts"),
        ("pod-1 restarts", "Home A-Delete C-Delete X", "X restarts"),
        ("pod-1 restarts", "C-Backspace C-z A-b X", "pod-1 Xrestarts"),
        ("pod-1 restarts", "A-d X", "pod-1 restartsX"),
        ("one\ntwo", "Home A-b X", "oneX\ntwo"),
        ("one\ntwo", "Home A-Backspace X", "oneXtwo"),
        ("one\ntwo", "PageUp End A-f X", "one\nXtwo"),
        ("one\ntwo", "PageUp End A-d X", "oneXtwo"),
        ("می\u{200c}خواهم الان", "A-b A-b X", "Xمی\u{200c}خواهم الان"),
        ("cafe\u{301} e\u{301}te\u{301}", "A-Backspace X", "cafe\u{301} X"),
    ] {
        let mut editor = Editor::lines();
        editor.set_text(text);
        press(&mut editor, keys);
        assert_eq!(editor.text().as_str(), wanted, "{text:?} and {keys}");
        press(&mut editor, &"C-z ".repeat(9));
        assert_eq!(editor.text().as_str(), text, "{keys} can be taken back");
    }
}

#[test]
fn a_filter_is_edited_at_its_end() {
    for (keys, left) in [
        ("a b Space c d C-w", "ab "),
        ("a b Space c d A-Backspace Backspace", "ab"),
        ("a b Space c d C-Backspace e", "ab e"),
        ("a b C-u c", "c"),
        ("a A-b C-x b", "ab"),
    ] {
        let mut text = String::new();
        for name in keys.split_whitespace() {
            edit_at_end(&mut text, key(name));
        }
        assert_eq!(text, left, "{keys}");
    }
}

#[test]
fn enter_and_escape_belong_to_the_pane_and_a_search_has_one_line() {
    let mut note = Editor::lines();
    for name in ["Enter", "Esc", "Tab", "C-c", "C-x"] {
        assert_eq!(note.key(key(name)), Edited::Ignored, "{name}");
    }
    assert_eq!(note.key(KeyEvent::new(KeyCode::Char('a'), KeyModifiers::ALT)), Edited::Ignored);
    let mut search = Editor::one_line();
    for name in ["C-j", "Up", "Down", "PageUp"] {
        assert_eq!(search.key(key(name)), Edited::Ignored, "{name}");
    }
    assert_eq!(search.insert_paste("one\ntwo\r\nthree"), Edited::Changed);
    assert_eq!(search.text().as_str(), "one two three");
}

#[test]
fn a_paste_is_clean_and_one_step_to_undo() {
    let mut editor = Editor::lines();
    press(&mut editor, "a b Left");
    assert_eq!(editor.insert_paste("1\r\n\u{1b}[31m2\u{200c}\r3\t."), Edited::Changed);
    assert_eq!(editor.text().as_str(), "a1\n2\u{200c}\n3\t.b");
    press(&mut editor, "C-z");
    assert_eq!(editor.text().as_str(), "ab");
    assert_eq!(editor.insert_paste("\u{1b}[0m\u{7}"), Edited::Moved, "nothing is left of it");
}

#[test]
fn what_does_not_fit_is_refused_and_said() {
    let mut editor = Editor::lines();
    editor.set_text("start");
    for (paste, limit) in [
        ("x\n".repeat(2_000), Limit::Lines(2_001)),
        ("x".repeat(70_000), Limit::Bytes(70_000)),
        ("x".repeat(65_532), Limit::Bytes(65_537)),
    ] {
        assert_eq!(editor.insert_paste(&paste), Edited::Refused(limit));
        assert_eq!(editor.text().as_str(), "start");
    }
    assert!(Limit::Lines(2_001).to_string().contains("2001 lines, and at most 2,000"));
    editor.insert_paste(&"\n".repeat(1_999));
    assert_eq!(press(&mut editor, "C-j"), Edited::Refused(Limit::Lines(2_001)));
    assert_eq!(press(&mut editor, "x"), Edited::Changed);
    let mut line = Editor::one_line();
    line.set_text(&"x".repeat(70_000));
    assert_eq!(line.text().len(), 70_000, "what is there is never cut");
    assert_eq!(press(&mut line, "y"), Edited::Refused(Limit::Bytes(70_001)));
    assert_eq!(press(&mut line, "Backspace"), Edited::Changed, "and may become shorter");
    line.set_text(&"x".repeat(3_000));
    assert_eq!(line.insert_paste(&"é".repeat(30_000)), Edited::Changed, "a line has no width but the cap of an entry");
}

#[test]
fn a_persian_word_is_typed_with_its_joiner_and_stands_where_the_cursor_says() {
    let mut editor = Editor::one_line();
    for letter in "می\u{200c}خواهم الان لا".chars() {
        editor.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
    }
    assert_eq!(editor.text().as_str(), "می\u{200c}خواهم الان لا");
    let mut at = None;
    drawn(40, 1, |area, buf| at = editor.draw(area, buf, &Theme::default(), "/ ".into(), ""));
    assert_eq!(at.map(|at| at.x), Some(2 + 15), "lam and alef take a cell each, the joiner none");
}

#[test]
fn an_accent_is_deleted_with_its_letter() {
    let mut editor = Editor::one_line();
    press(&mut editor, "a e");
    editor.key(KeyEvent::new(KeyCode::Char('\u{301}'), KeyModifiers::NONE));
    assert_eq!(editor.text().as_str(), "ae\u{301}");
    press(&mut editor, "Left x Right Backspace");
    assert_eq!(editor.text().as_str(), "ax");
}

#[test]
fn taking_the_text_leaves_an_empty_line() {
    let mut editor = Editor::lines();
    editor.set_text("pool exhausted\n500/500");
    assert!(!editor.is_empty());
    assert_eq!(editor.take().as_str(), "pool exhausted\n500/500");
    assert!(editor.is_empty());
    press(&mut editor, "C-z");
    assert!(editor.is_empty(), "a note that went out does not come back by undo");
}

#[test]
fn a_note_wraps_and_grows_behind_its_prompt() {
    let mut editor = Editor::lines();
    let theme = Theme::default();
    let shown = |editor: &Editor, width, height| {
        let mut at = None;
        let rows = drawn(width, height, |area, buf| at = editor.draw(area, buf, &theme, "▸ 14:26 ".into(), "note"));
        (rows, at.map(|at| (at.x, at.y)))
    };
    assert_eq!(shown(&editor, 20, 1), (vec!["▸ 14:26 note".to_owned()], Some((8, 0))));
    assert_eq!(editor.rows_needed(20, 8), 1);
    editor.insert_paste("route to the backup\nnow");
    assert_eq!(editor.rows_needed(20, 8), 3);
    let rows = ["▸ 14:26 route to", "        the backup", "        now", ""].map(str::to_owned);
    assert_eq!(shown(&editor, 20, 4), (rows.to_vec(), Some((11, 2))));
    assert_eq!(shown(&editor, 20, 2).0, ["▸ 14:26 the backup", "        now"]);
    press(&mut editor, "PageUp Home");
    assert_eq!(shown(&editor, 20, 2).0, ["▸ 14:26 route to", "        the backup"]);
    assert_eq!(shown(&editor, 20, 4).1, Some((8, 0)));
}

#[test]
fn a_search_in_one_row_moves_sideways() {
    let mut editor = Editor::one_line();
    editor.insert_paste("abcdefghij支付");
    let shown = |editor: &Editor| {
        let mut at = None;
        let rows = drawn(8, 1, |area, buf| at = editor.draw(area, buf, &Theme::default(), "/ ".into(), ""));
        (rows[0].clone(), at.map(|at| at.x).unwrap())
    };
    assert_eq!(shown(&editor), ("/ j支 付".to_owned(), 7));
    press(&mut editor, "Home");
    assert_eq!(shown(&editor), ("/ abcdef".to_owned(), 2));
}

fn any_key() -> impl Strategy<Value = KeyEvent> {
    let names = "Left Right Up Down Home End PageUp PageDown Backspace Delete C-Left C-Right C-Backspace C-Delete C-j C-w C-u C-k C-z C-y \
                 C-a C-e C-h Space Enter";
    prop_oneof![
        3 => proptest::sample::select(names.split_whitespace().collect::<Vec<_>>()).prop_map(key),
        2 => any::<char>().prop_map(|letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)),
        2 => proptest::sample::select(vec!['a', ' ', '.', '支', 'e', '\u{301}', '\u{1100}', '\u{1161}', '\u{200d}', '🇪', '🇺'])
            .prop_map(|letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE)),
    ]
}

proptest! {
    #[test]
    fn whatever_is_typed_and_pasted_the_text_stays_clean(
        acts in proptest::collection::vec(
            prop_oneof![8 => any_key().prop_map(Ok), 1 => "(\\PC|[\n\r\t\u{1b}a-c ]){0,30}".prop_map(Err)], 0..120),
        is_one_line in any::<bool>(), area in any_area(),
    ) {
        let mut editor = if is_one_line { Editor::one_line() } else { Editor::lines() };
        for act in acts {
            let before = editor.text();
            let edited = match act {
                Ok(key) => editor.key(key),
                Err(paste) => editor.insert_paste(&paste),
            };
            let joined = editor.area.lines().join("\n");
            prop_assert_eq!(editor.text(), CleanText::new(&joined));
            prop_assert_eq!(CleanText::new(&joined).to_string(), joined.clone(), "clean");
            if edited != Edited::Changed {
                prop_assert_eq!(editor.text(), before);
            }
            prop_assert!(!is_one_line || !joined.contains('\n'));
        }
        let mut cursor = None;
        stays_inside(area, |area, buf| cursor = editor.draw(area, buf, &Theme::default(), "▸ note ".into(), "what happened"));
        let shown = area.intersection(Rect::new(0, 0, 60, 24));
        prop_assert_eq!(cursor.is_some(), !shown.is_empty());
        prop_assert!(cursor.is_none_or(|cursor| shown.contains(cursor)));
    }
}
