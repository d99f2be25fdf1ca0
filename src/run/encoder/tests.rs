//! Every frame is judged by a terminal emulator that shares no code with the encoder.

use super::*;
use proptest::prelude::*;
use ratatui::style::Style;

const WIDTH: u16 = 24;
const HEIGHT: u16 = 5;

fn parser() -> vt100::Parser {
    vt100::Parser::new(HEIGHT.try_into().unwrap(), WIDTH.try_into().unwrap(), 0)
}

fn empty() -> Buffer {
    Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT))
}

fn frame(shown: &mut Shown, next: &Buffer, cursor: Option<(u16, u16)>, urgency: Urgency) -> Vec<u8> {
    let mut out = Vec::new();
    shown.encode(next, cursor.map(Position::from), None, urgency, &mut out);
    out
}

fn painted(next: &Buffer, cursor: Option<(u16, u16)>) -> Shown {
    let mut shown = Shown::new(Colours::On);
    frame(&mut shown, next, cursor, Urgency::Machine);
    shown
}

fn emulated(colour: Color) -> vt100::Color {
    match (named(colour), colour) {
        (Some(index), _) | (None, Color::Indexed(index)) => vt100::Color::Idx(index),
        (None, Color::Rgb(red, green, blue)) => vt100::Color::Rgb(red, green, blue),
        (None, _) => vt100::Color::Default,
    }
}

/// Where a terminal of the emulator's kind does not show the frame.
fn differences(screen: &vt100::Screen, next: &Buffer, colours: Colours) -> Vec<String> {
    let mut found = Vec::new();
    for y in 0..next.area.height {
        let mut covered = 0;
        for x in 0..next.area.width {
            let cell = screen.cell(y, x).unwrap();
            if x < covered {
                if !cell.is_wide_continuation() {
                    found.push(format!("{x},{y}: no second half"));
                }
                continue;
            }
            let want = &next[(x, y)];
            covered = x + u16::try_from(want.symbol().width().max(1)).unwrap();
            let text = if cell.has_contents() { cell.contents() } else { " " };
            if text != want.symbol() {
                found.push(format!("{x},{y}: {text:?} instead of {:?}", want.symbol()));
            }
            let colour = |colour| if colours == Colours::On { emulated(colour) } else { vt100::Color::Default };
            let has = |modifier| want.modifier.contains(modifier);
            if cell.bgcolor() != colour(want.bg)
                || cell.inverse() != has(Modifier::REVERSED)
                || cell.underline() != has(Modifier::UNDERLINED)
            {
                found.push(format!("{x},{y}: ground"));
            }
            let seen = want.symbol() != " " || want.modifier.intersects(SEEN_ON_BLANK);
            if seen
                && (cell.fgcolor(), cell.bold(), cell.dim(), cell.italic())
                    != (colour(want.fg), has(Modifier::BOLD), has(Modifier::DIM), has(Modifier::ITALIC))
            {
                found.push(format!("{x},{y}: letter style"));
            }
        }
    }
    found
}

#[test]
fn a_letter_typed_at_the_end_of_a_line_costs_one_byte() {
    let mut next = empty();
    next.set_string(0, 2, "a not", Style::new());
    let mut shown = painted(&next, Some((5, 2)));
    next.set_string(5, 2, "e", Style::new());
    assert_eq!(frame(&mut shown, &next, Some((6, 2)), Urgency::Key), b"e");
    next.set_string(5, 2, " ", Style::new());
    assert_eq!(frame(&mut shown, &next, Some((5, 2)), Urgency::Key), b"\x08 \x08", "and backspace three");
    next.set_string(5, 2, "\u{e9}", Style::new());
    assert_eq!(frame(&mut shown, &next, Some((6, 2)), Urgency::Key), "\u{e9}".as_bytes());
}

#[test]
fn an_unchanged_frame_costs_nothing() {
    let mut next = empty();
    next.set_string(3, 1, "err 12", Style::new().fg(Color::Red));
    let mut shown = painted(&next, None);
    assert_eq!(frame(&mut shown, &next, None, Urgency::Machine), b"");
}

#[test]
fn colours_and_motion_take_their_short_forms() {
    let mut shown = painted(&empty(), None);
    let mut next = empty();
    next.set_string(0, 0, "a", Style::new().fg(Color::Red));
    next.set_string(0, 1, "b", Style::new().fg(Color::LightRed).bg(Color::Blue).add_modifier(Modifier::BOLD));
    next.set_string(4, 1, "c", Style::new());
    next.set_string(0, 4, "d", Style::new().fg(Color::Indexed(200)));
    next.set_string(1, 4, "e", Style::new().fg(Color::Rgb(1, 2, 3)));
    let bytes = frame(&mut shown, &next, None, Urgency::Machine);
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        "\x1b[31ma\r\n\x1b[1;91;44mb\x1b[5G\x1b[mc\x1b[5H\x1b[38;5;200md\x1b[38;2;1;2;3me"
    );
}

#[test]
fn without_colours_bold_and_reverse_still_show() {
    let mut shown = Shown::new(Colours::Off);
    frame(&mut shown, &empty(), None, Urgency::Machine);
    let mut next = empty();
    next.set_string(0, 0, "x", Style::new().fg(Color::Red).bg(Color::Blue).add_modifier(Modifier::BOLD));
    next.set_string(1, 0, "y", Style::new().fg(Color::Green).add_modifier(Modifier::REVERSED));
    let bytes = frame(&mut shown, &next, None, Urgency::Machine);
    assert_eq!(String::from_utf8(bytes).unwrap(), "\x1b[1mx\x1b[;7my");
}

#[test]
fn a_line_that_becomes_empty_is_erased_not_overwritten() {
    let mut next = empty();
    next.set_string(2, 3, "a long line of text", Style::new());
    let mut shown = painted(&next, Some((2, 3)));
    assert_eq!(frame(&mut shown, &empty(), Some((2, 3)), Urgency::Key), b"\x1b[K");
    let mut framed = next.clone();
    framed.set_string(23, 3, "|", Style::new());
    let mut shown = painted(&framed, Some((2, 3)));
    let mut next = empty();
    next.set_string(23, 3, "|", Style::new());
    assert_eq!(frame(&mut shown, &next, Some((2, 3)), Urgency::Key), b"\x1b[19X", "also before a border");
}

#[test]
fn big_frames_of_the_machine_are_bracketed_and_those_of_a_key_are_bare() {
    let mut next = Buffer::empty(Rect::new(0, 0, 80, 24));
    for y in 0..24 {
        next.set_string(0, y, "some text on every line of it", Style::new());
    }
    let machine = frame(&mut Shown::new(Colours::On), &next, None, Urgency::Machine);
    assert!(machine.starts_with(SYNC_BEGIN) && machine.ends_with(SYNC_END));
    let key = frame(&mut Shown::new(Colours::On), &next, None, Urgency::Key);
    assert!(key.starts_with(b"\x1b[m\x1b[H\x1b[J"));
}

#[test]
fn a_cell_that_holds_an_escape_sequence_prints_a_question_mark() {
    for evil in ["\x1b[31m", "\x07", "\u{9b}31m", "a\x1b", "\x7f", "\n"] {
        let mut shown = painted(&empty(), None);
        let mut next = empty();
        next[(0, 0)].set_symbol(evil);
        assert_eq!(frame(&mut shown, &next, None, Urgency::Machine), b"?", "{evil:?}");
    }
    let mut next = empty();
    next[(4, 0)].set_symbol(&format!("a{}", "\u{301}".repeat(1000)));
    let mut shown = painted(&empty(), None);
    assert!(frame(&mut shown, &next, None, Urgency::Machine).ends_with(b"?"), "and so does a bomb of marks");
}

#[test]
fn after_a_glyph_of_doubtful_width_the_column_is_named() {
    let mut shown = painted(&empty(), None);
    let mut next = empty();
    next.set_string(0, 0, "\u{26a0}b", Style::new());
    let bytes = frame(&mut shown, &next, None, Urgency::Machine);
    assert_eq!(String::from_utf8(bytes).unwrap(), "\u{26a0}\x1b[2Gb");
}

#[test]
fn what_begins_and_ends_a_right_to_left_text_is_drawn_again_when_the_text_changes_beside_it() {
    let mut shown = Shown::new(Colours::On);
    shown.set_habits(Habits { isolates: true, draws_wide: false });
    let picture = |text: &str| {
        let mut next = empty();
        next.set_string(0, 0, format!("│ {text}"), Style::new());
        next
    };
    let first = String::from_utf8(frame(&mut shown, &picture("\u{628}\u{62f}"), None, Urgency::Machine)).unwrap();
    assert!(first.contains("│ \u{2068}") && first.contains("\u{62f}\u{2069}"), "{first:?}");
    // Of a text that grows the end moves; only what was drawn is looked at, and the row is right all the same.
    let mut out = Vec::new();
    let area = Rect::new(4, 0, 1, 1);
    shown.encode(&picture("\u{628}\u{62f}\u{631}"), None, Some(&[area]), Urgency::Key, &mut out);
    let grown = String::from_utf8(out).unwrap();
    assert!(grown.contains("\u{62f}\x1b") && grown.contains("\u{631}\u{2069}"), "{grown:?}");
    let last = String::from_utf8(frame(&mut shown, &picture("ab"), None, Urgency::Key)).unwrap();
    assert!(!last.contains(['\u{2068}', '\u{2069}']) && last.contains(" ab"), "{last:?}");
}

#[test]
fn a_question_stands_before_the_first_frame_and_before_no_other() {
    let mut shown = Shown::new(Colours::On);
    shown.ask(Habits::ASK);
    let bytes = frame(&mut shown, &empty(), None, Urgency::Machine);
    assert!(bytes.starts_with(Habits::ASK) && bytes[Habits::ASK.len()..].starts_with(b"\x1b[m\x1b[H\x1b[J"));
    shown.forget();
    assert!(!frame(&mut shown, &empty(), None, Urgency::Machine).windows(4).any(|part| part == b"\x1b[6n"));
}

#[test]
fn skipped_cells_are_left_alone() {
    let mut shown = painted(&empty(), None);
    let mut next = empty();
    next.set_string(0, 0, "abc", Style::new());
    next[(1, 0)].set_diff_option(CellDiffOption::Skip);
    let bytes = frame(&mut shown, &next, None, Urgency::Machine);
    assert_eq!(String::from_utf8(bytes).unwrap(), "a\x1b[Cc");
}

#[test]
fn only_the_named_areas_are_compared() {
    let mut shown = painted(&empty(), None);
    let mut next = empty();
    next.set_string(0, 0, "left", Style::new());
    next.set_string(12, 0, "right", Style::new());
    let mut out = Vec::new();
    shown.encode(&next, None, Some(&[Rect::new(12, 0, 99, 1)]), Urgency::Machine, &mut out);
    assert_eq!(out, b"\x1b[13Gright");
}

fn style() -> impl Strategy<Value = Style> {
    let colour = prop_oneof![
        4 => Just(Color::Reset),
        1 => Just(Color::Red),
        1 => Just(Color::DarkGray),
        1 => Just(Color::White),
        1 => any::<u8>().prop_map(|index| Color::Indexed(index.max(16))),
        1 => Just(Color::Rgb(1, 20, 255)),
    ];
    let intensity = prop_oneof![3 => Just(Modifier::empty()), 1 => Just(Modifier::BOLD), 1 => Just(Modifier::DIM)];
    let rest = prop_oneof![
        5 => Just(Modifier::empty()),
        1 => Just(Modifier::REVERSED),
        1 => Just(Modifier::UNDERLINED),
        1 => Just(Modifier::ITALIC | Modifier::REVERSED),
    ];
    (colour.clone(), colour, intensity, rest, any::<bool>()).prop_map(|(fg, bg, intensity, rest, line)| {
        let style = Style::reset().fg(fg).bg(bg).add_modifier(intensity | rest);
        if line { style.underline_color(Color::Green) } else { style }
    })
}

/// A buffer as widgets leave it: pieces of text over each other.
fn buffer() -> impl Strategy<Value = Buffer> {
    let text = prop_oneof![
        Just("error 504".to_owned()),
        Just("                        ".to_owned()),
        Just("──────┐│└".to_owned()),
        Just("支付宝 timeout".to_owned()),
        Just("e\u{301}a\u{308}b".to_owned()),
        Just("🦀 ⚠ ok".to_owned()),
        "[a-z ]{1,24}",
    ];
    let piece = (text, 0..WIDTH, 0..HEIGHT, style());
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| {
        let mut next = empty();
        for (text, x, y, style) in pieces {
            // A cell half covered is blank, as when a widget draws over another.
            if x > 0 && next[(x - 1, y)].symbol().width() > 1 {
                next[(x - 1, y)].reset();
            }
            next.set_string(x, y, &text, style);
        }
        // In the last column the encoder replaces what may be wider there: that has a test of its own.
        for y in 0..HEIGHT {
            if !next[(WIDTH - 1, y)].symbol().is_ascii() {
                next[(WIDTH - 1, y)].reset();
            }
        }
        next
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_terminal_shows_exactly_the_frame_after_any_sequence_of_frames(
        frames in proptest::collection::vec((buffer(), proptest::option::of((0..WIDTH, 0..HEIGHT)), any::<bool>()), 1..5),
        colours in prop_oneof![3 => Just(Colours::On), 1 => Just(Colours::Off)],
    ) {
        let mut terminal = parser();
        terminal.process(b"\x1b[31mwhat the shell left\r\non the screen");
        let mut shown = Shown::new(colours);
        for (next, cursor, forget) in frames {
            if forget {
                shown.forget();
            }
            terminal.process(&frame(&mut shown, &next, cursor, Urgency::Machine));
            let screen = terminal.screen();
            prop_assert_eq!(differences(screen, &next, colours), Vec::<String>::new());
            prop_assert_eq!(screen.hide_cursor(), cursor.is_none());
            if let Some((x, y)) = cursor {
                prop_assert_eq!(screen.cursor_position(), (y, x));
            }
            prop_assert!(frame(&mut shown, &next, cursor, Urgency::Key).len() < 12, "a repeated frame only draws doubtful cells again");
        }
    }

    #[test]
    fn any_cells_at_all_give_only_printable_text_and_known_controls(
        symbols in proptest::collection::vec((0..WIDTH, 0..HEIGHT, "\\PC{0,3}|[\\x00-\\x9f]{1,3}|[\u{5d0}-\u{5f0}│é \u{2068}\u{2069}]{1,2}"), 0..30),
        habits in (any::<bool>(), any::<bool>()).prop_map(|(isolates, draws_wide)| Habits { isolates, draws_wide }),
    ) {
        let mut next = empty();
        for (x, y, symbol) in &symbols {
            next[(*x, *y)].set_symbol(symbol);
        }
        let mut shown = Shown::new(Colours::On);
        shown.set_habits(habits);
        let bytes = frame(&mut shown, &next, None, Urgency::Machine);
        let text = String::from_utf8(bytes).unwrap();
        let is_marked = text.contains(['\u{2068}', '\u{2069}']);
        prop_assert!(habits.isolates || !is_marked);
        prop_assert_eq!(frame(&mut shown, &next, None, Urgency::Key), b"");
        let mut rest = text.as_str();
        while let Some(at) = rest.find(char::is_control) {
            rest = &rest[at..];
            rest = if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let end = sequence.find(|letter: char| letter.is_ascii_alphabetic()).unwrap();
                prop_assert!("HGCDABKXJmhl".contains(&sequence[end..=end]), "{:?}", &sequence[..=end]);
                &sequence[end + 1..]
            } else {
                prop_assert!(rest.starts_with(['\r', '\n', '\x08']), "{:?}", rest);
                &rest[1..]
            };
        }
    }
}
