//! The keys of the terminals that people use, cut anywhere.

use super::*;
use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use proptest::prelude::*;

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;

fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

fn letter(letter: char) -> Event {
    key(KeyCode::Char(letter), NONE)
}

/// Feeds the bytes and then lets every deadline pass.
fn events(bytes: &[u8]) -> Vec<Event> {
    let mut parser = Parser::new(false);
    let mut events = parser.feed(bytes, Duration::ZERO);
    events.extend(parser.timeout(Duration::from_secs(60)));
    events
}

#[test]
fn every_terminals_keys_are_understood() {
    use KeyCode::*;
    let cases: &[(&str, KeyCode, KeyModifiers)] = &[
        ("a", Char('a'), NONE),
        ("A", Char('A'), SHIFT),
        ("é", Char('é'), NONE),
        ("支", Char('支'), NONE),
        ("\r", Enter, NONE),
        ("\n", Char('j'), CONTROL),
        ("\t", Tab, NONE),
        ("\x1b[Z", BackTab, SHIFT),
        ("\x7f", Backspace, NONE),
        ("\x08", Backspace, NONE),
        ("\0", Char(' '), CONTROL),
        ("\x03", Char('c'), CONTROL),
        ("\x1a", Char('z'), CONTROL),
        ("\x1f", Char('_'), CONTROL),
        ("\x1b", Esc, NONE),
        ("\x1ba", Char('a'), ALT),
        ("\x1bA", Char('A'), ALT.union(SHIFT)),
        ("\x1bé", Char('é'), ALT),
        ("\x1b\r", Enter, ALT),
        ("\x1b\x7f", Backspace, ALT),
        ("\x1b\x01", Char('a'), ALT.union(CONTROL)),
        ("\x1b[", Char('['), ALT),
        ("\x1bO", Char('O'), ALT.union(SHIFT)),
        ("\x1b]", Char(']'), ALT),
        ("\x1b[A", Up, NONE),
        ("\x1bOB", Down, NONE),
        ("\x1b[1;5C", Right, CONTROL),
        ("\x1b[1;2D", Left, SHIFT),
        ("\x1b[1;3A", Up, ALT),
        ("\x1b[1;8A", Up, SHIFT.union(ALT).union(CONTROL)),
        ("\x1b[a", Up, SHIFT),
        ("\x1bOd", Left, CONTROL),
        ("\x1bO5A", Up, CONTROL),
        ("\x1b[H", Home, NONE),
        ("\x1bOF", End, NONE),
        ("\x1b[1~", Home, NONE),
        ("\x1b[4~", End, NONE),
        ("\x1b[7~", Home, NONE),
        ("\x1b[8~", End, NONE),
        ("\x1b[2~", Insert, NONE),
        ("\x1b[3~", Delete, NONE),
        ("\x1b[3;5~", Delete, CONTROL),
        ("\x1b[5~", PageUp, NONE),
        ("\x1b[6~", PageDown, NONE),
        ("\x1b[6$", PageDown, SHIFT),
        ("\x1b[5^", PageUp, CONTROL),
        ("\x1bOP", F(1), NONE),
        ("\x1b[[A", F(1), NONE),
        ("\x1b[11~", F(1), NONE),
        ("\x1b[[E", F(5), NONE),
        ("\x1b[15~", F(5), NONE),
        ("\x1b[17~", F(6), NONE),
        ("\x1b[21~", F(10), NONE),
        ("\x1b[23~", F(11), NONE),
        ("\x1b[24;2~", F(12), SHIFT),
        ("\x1b[1;5P", F(1), CONTROL),
        ("\x1b[1;2R", F(3), SHIFT),
        ("\x1bOM", Enter, NONE),
        ("\x1bOp", Char('0'), NONE),
        ("\x1b[97;5u", Char('a'), CONTROL),
        ("\x1b[27;5;106~", Char('j'), CONTROL),
        ("\x1b[13;2u", Enter, SHIFT),
        ("\x1b[27;2;13~", Enter, SHIFT),
        ("\x1b[13;3u", Enter, ALT),
        ("\x1b[27;3;13~", Enter, ALT),
        ("\x1b[27u", Esc, NONE),
        ("\x1b[27;129u", Esc, NONE),
        ("\x1b[9;2u", BackTab, SHIFT),
        ("\x1b[27;2;9~", BackTab, SHIFT),
        ("\x1b[127;3u", Backspace, ALT),
        ("\x1b[127;5u", Backspace, CONTROL),
        ("\x1b[98;3u", Char('b'), ALT.union(KeyModifiers::META)),
        ("\x1b[27;3;98~", Char('b'), ALT.union(KeyModifiers::META)),
        ("\x1b[91;5u", Esc, NONE),
        ("\x1b[105;5u", Tab, NONE),
        ("\x1b[109;5u", Enter, NONE),
        ("\x1b[104;5u", Backspace, NONE),
        ("\x1b[47;5u", Char('_'), CONTROL),
        ("\x1b[57414u", Enter, NONE),
        ("\x1b[57399u", Char('0'), NONE),
        ("\x1b[57417;3u", Left, ALT),
        ("\x1b\x1b[D", Left, ALT),
        ("\x1b\x1bOC", Right, ALT),
        ("\x1b[1;3D", Left, ALT),
    ];
    for (bytes, code, modifiers) in cases {
        assert_eq!(events(bytes.as_bytes()), [key(*code, *modifiers)], "{bytes:?}");
    }
}

#[test]
fn what_a_terminal_answers_is_nobodys_key() {
    let answers = [
        "\x1b[?1;2c",
        "\x1b[>41;354;0c",
        "\x1b[24;80R",
        "\x1b[0n",
        "\x1b[?2026;2$y",
        "\x1b[8;24;80t",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1b]52;c;aGVsbG8=\x07",
        "\x1bP>|XTerm(370)\x1b\\",
        "\x1b_Gi=1;OK\x1b\\",
        "\x1b[97;1:3u",
        "\x1b[?0u",
        "\x1b[57358u",
        "\x1b[98;9u",
        "\x1b[M !!",
    ];
    for answer in answers {
        assert_eq!(events(format!("{answer}q").as_bytes()), [letter('q')], "{answer:?}");
    }
    assert_eq!(events(b"\xff\x80\xc3q\xf0\x9f\x80q"), [letter('q'), letter('q')], "nor are broken letters");
    let endless = format!("\x1b[{}mq", "1;".repeat(10_000));
    assert_eq!(events(endless.as_bytes()), [letter('q')], "nor is a sequence without measure");
}

#[test]
fn a_terminal_that_has_the_keyboard_protocol_says_so_once() {
    let mut parser = Parser::new(false);
    assert_eq!(parser.feed(b"\x1b[?0u\x1b[?62;c", Duration::ZERO), []);
    assert!(parser.take_keyboard() && !parser.take_keyboard());
}

#[test]
fn two_escs_are_two_keys_unless_an_arrow_to_the_side_follows() {
    let esc = || key(KeyCode::Esc, NONE);
    assert_eq!(events(b"\x1b\x1b"), [esc(), esc()]);
    assert_eq!(events(b"\x1b\x1b\x1b"), [esc(), esc(), esc()]);
    assert_eq!(events(b"\x1b\x1bb"), [esc(), key(KeyCode::Char('b'), ALT)]);
    assert_eq!(events(b"\x1b\x1b[200~x\x1b[201~"), [esc(), Event::Paste("x".to_owned())]);
    assert_eq!(events(b"\x1b\x1b[?62;cq"), [esc(), letter('q')]);
    assert_eq!(events(b"\x1b\x1b]11;x\x07q"), [esc(), letter('q')]);
}

#[test]
fn esc_waits_for_its_deadline_and_longer_over_ssh() {
    for (ssh, millis) in [(false, 50), (true, 100)] {
        let mut parser = Parser::new(ssh);
        let start = Duration::from_secs(9);
        assert_eq!(parser.deadline(), None);
        assert_eq!(parser.feed(b"\x1b", start), []);
        let deadline = start + Duration::from_millis(millis);
        assert_eq!(parser.deadline(), Some(deadline));
        assert_eq!(parser.timeout(deadline - Duration::from_nanos(1)), []);
        assert_eq!(parser.timeout(deadline), [key(KeyCode::Esc, NONE)]);
        assert_eq!(parser.feed(b"x", deadline), [letter('x')]);
    }
    assert_eq!(events(b"\x1b\x1b[A"), [key(KeyCode::Esc, NONE), key(KeyCode::Up, NONE)]);
}

#[test]
fn a_terminal_text_that_never_ends_does_not_swallow_the_keyboard() {
    let mut parser = Parser::new(false);
    assert_eq!(parser.feed(b"\x1b]0;half a title", Duration::ZERO), []);
    assert_eq!(parser.timeout(Duration::from_millis(250)), []);
    assert_eq!(parser.feed(b"q", Duration::from_millis(251)), [letter('q')]);
}

#[test]
fn a_paste_that_carries_its_own_end_is_ended_there_and_guards_the_keys_behind_it() {
    let mut parser = Parser::new(false);
    let start = Duration::from_secs(1);
    assert_eq!(parser.feed(b"\x1b[200~line\rtwo \x1b[31m\x1b\x1b[2", start), []);
    assert!(parser.is_guarded(start));
    let pasted = Event::Paste("line\rtwo \x1b[31m\x1b".to_owned());
    assert_eq!(parser.feed(b"01~y\x1b[201~", start), [pasted, letter('y')]);
    assert_eq!(parser.pasted(), Some(start));
    assert!(parser.is_guarded(start + Duration::from_millis(249)));
    assert!(!parser.is_guarded(start + Duration::from_millis(250)));
}

#[test]
fn a_paste_of_megabytes_is_refused_whole_with_its_size_and_drained() {
    let mut parser = Parser::new(false);
    let mut events = parser.feed(b"\x1b[200~", Duration::ZERO);
    for _ in 0..300 {
        events.extend(parser.feed(&[b'x'; 10_000], Duration::ZERO));
    }
    events.extend(parser.feed(b"\x1b[201~q", Duration::ZERO));
    assert_eq!(events, [letter('q')]);
    assert_eq!(parser.take_pastings(), [Pasting::TooLong(3_000_000)]);
    let most = [b"\x1b[200~".as_slice(), &[b'x'; PASTE_BYTES], b"\x1b[201~"].concat();
    assert!(matches!(&self::events(&most)[..], [Event::Paste(text)] if text.len() == PASTE_BYTES));
}

/// A parser and the moment, to which pauses are added.
struct Stalled {
    parser: Parser,
    now: Duration,
}

impl Stalled {
    /// A paste that began, of which nothing more comes.
    fn begun() -> Self {
        let (mut parser, now) = (Parser::new(false), Duration::from_secs(100));
        assert_eq!(parser.feed(b"\x1b[200~deploy\rrollback", now), []);
        Self { parser, now }
    }

    /// Bytes after a pause, in which whatever has to happen happens.
    fn after(&mut self, millis: u64, bytes: &[u8]) -> Vec<Event> {
        let until = self.now + Duration::from_millis(millis);
        let mut events = Vec::new();
        while let Some(at) = self.parser.deadline().filter(|at| *at <= until) {
            events.extend(self.parser.timeout(at));
        }
        self.now = until;
        events.extend(self.parser.feed(bytes, until));
        events
    }
}

#[test]
fn a_paste_that_stalls_stays_a_paste_until_its_end_marker_and_is_said_meanwhile() {
    for stall in [5_100, 60_000, 3_600_000] {
        let mut link = Stalled::begun();
        assert_eq!(link.after(stall, b" now\rq\r"), [], "{stall}");
        let told = link.parser.take_pastings();
        assert_eq!(told[0], Pasting::Still { bytes: 15, seconds: 2 });
        assert!(told.len() as u64 <= 1 + stall / 5_000, "{told:?}");
        // Cut in the middle of its marker.
        assert_eq!(link.after(stall, b"\x1b[20"), []);
        let text = "deploy\rrollback now\rq\r".to_owned();
        assert_eq!(link.after(1_500, b"1~n"), [Event::Paste(text), letter('n')]);
    }
}

#[test]
fn ctrl_c_or_esc_alone_after_a_pause_refuses_a_stalled_paste_whole_and_gives_the_keyboard_back() {
    let refusals: [&[u8]; 8] =
        [b"\x03", b"\x1b", b"\x1b\x1b", b"\x03\x03", b"\x1b[27u", b"\x1b[99;5u", b"\x1b[99;133u", b"\x1b[27;5;99~"];
    for refusal in refusals {
        let mut link = Stalled::begun();
        assert_eq!(link.after(3_000, refusal), []);
        assert_eq!(link.after(999, b""), []);
        assert_eq!(link.after(1, b""), [], "{refusal:?}");
        assert_eq!(link.parser.take_pastings().last(), Some(&Pasting::Refused(15)), "{refusal:?}");
        assert!(link.parser.is_guarded(link.now));
        // Who goes on pressing keys at once presses nothing; after a second of quiet the keyboard is back.
        assert_eq!(link.after(400, b"q"), []);
        assert_eq!(link.after(400, b"y"), []);
        assert_eq!(link.after(1_000, b"n"), [letter('n')], "{refusal:?}");
    }
}

#[test]
fn somebody_who_presses_ctrl_c_again_and_again_without_a_pause_gets_out_too() {
    let mut link = Stalled::begun();
    for _ in 0..4 {
        assert_eq!(link.after(500, b"\x03"), []);
    }
    assert_eq!(link.after(1_000, b""), []);
    assert!(matches!(link.parser.take_pastings()[..], [Pasting::Refused(_)]));
    assert_eq!(link.after(1_000, b"n"), [letter('n')]);
}

#[test]
fn a_key_that_does_not_come_alone_is_a_part_of_the_paste() {
    let mut link = Stalled::begun();
    assert_eq!(link.after(3_000, b"\x03 and on"), []);
    assert_eq!(link.after(3_000, b"\x1b[20"), [], "the marker was cut, and its rest is late");
    assert_eq!(link.after(900, b"1~"), [Event::Paste("deploy\rrollback\x03 and on".to_owned())]);
}

#[test]
fn what_still_comes_of_a_refused_paste_is_dropped_and_said_and_no_part_of_it_is_a_key() {
    let rest = "rm -rf\rq\rrollback everything\r".repeat(400);
    for later in [500, 20_000] {
        let mut link = Stalled::begun();
        link.after(3_000, b"\x03");
        link.after(1_000, b"");
        link.parser.take_pastings();
        assert_eq!(link.after(2_000, b"jk"), [letter('j'), letter('k')], "it is a keyboard again");
        assert_eq!(link.after(later, &rest.as_bytes()[..4_096]), []);
        assert_eq!(link.after(20, &rest.as_bytes()[4_096..]), []);
        assert_eq!(link.after(300, b"\x1b[2"), []);
        assert_eq!(link.after(300, b"01~j"), [letter('j')]);
        assert!(matches!(link.parser.take_pastings()[..], [Pasting::Rest(4_096)]));
        assert_eq!(link.after(9, "a line that is typed ahead".as_bytes()).len(), 26, "nothing is owed any more");
    }
    let mut link = Stalled::begun();
    link.after(3_000, b"\x1b");
    link.after(1_000, b"");
    assert_eq!(link.after(5_000, b"[201~n"), [letter('n')], "that Esc was the first byte of the end");
    let mut link = Stalled::begun();
    link.after(3_000, b"\x03");
    let next = link.after(3_000, b"\x1b[200~another\x1b[201~");
    assert_eq!(next, [Event::Paste("another".to_owned())], "another paste is one");
}

#[test]
fn the_mouse_speaks_when_it_was_asked() {
    let mouse = |kind, column, row, modifiers| Event::Mouse(MouseEvent { kind, column, row, modifiers });
    let cases = [
        ("\x1b[<0;3;2M", mouse(MouseEventKind::Down(MouseButton::Left), 2, 1, NONE)),
        ("\x1b[<2;3;2m", mouse(MouseEventKind::Up(MouseButton::Right), 2, 1, NONE)),
        ("\x1b[<64;1;1M", mouse(MouseEventKind::ScrollUp, 0, 0, NONE)),
        ("\x1b[<69;10;9M", mouse(MouseEventKind::ScrollDown, 9, 8, SHIFT)),
        ("\x1b[<32;99999;2M", mouse(MouseEventKind::Drag(MouseButton::Left), u16::MAX, 1, NONE)),
        ("\x1b[I", Event::FocusGained),
        ("\x1b[O", Event::FocusLost),
    ];
    for (bytes, event) in cases {
        assert_eq!(events(bytes.as_bytes()), [event], "{bytes:?}");
    }
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "\\PC{0,6}".prop_map(String::into_bytes),
        Just(b"\x1b[A".to_vec()),
        Just(b"\x1b[1;5C".to_vec()),
        Just(b"\x1b[200~pasted\x1b[\x1b[201~".to_vec()),
        Just(b"\x1b]0;x\x1b\\".to_vec()),
        Just(b"\x1b[M\x1b[A".to_vec()),
        Just(b"\x1b".to_vec()),
        Just(b"\x1bO".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing(bytes in stream(), cuts in proptest::collection::vec(1..5_usize, 1..9)) {
        let mut parser = Parser::new(false);
        let mut cut = Vec::new();
        let (mut rest, mut sizes) = (&bytes[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            cut.extend(parser.feed(head, Duration::ZERO));
            rest = tail;
        }
        cut.extend(parser.timeout(Duration::from_secs(60)));
        prop_assert_eq!(cut, events(&bytes));
        prop_assert!(parser.deadline().is_none() && !parser.is_guarded(Duration::from_secs(61)));
    }
}

#[test]
fn the_answer_to_how_wide_letters_are_is_no_key_however_it_is_cut() {
    for (answer, draws_wide) in [
        ("\x1b[2;3R", Some(false)),
        ("\x1b[2;4R", Some(true)),
        ("\x1b[2;5R", Some(true)),
        ("\x1b[2;80R", None),
        ("\x1b[7;5R", None),
        ("\x1b[2;R", None),
    ] {
        let mut parser = Parser::new(false);
        let events: Vec<_> = answer.bytes().flat_map(|byte| parser.feed(&[byte], Duration::ZERO)).collect();
        assert_eq!(
            (events, parser.take_draws_wide(), parser.take_draws_wide()),
            (Vec::new(), draws_wide, None),
            "{answer:?}"
        );
    }
    let mut parser = Parser::new(false);
    assert_eq!(parser.feed(b"\x1b[1;2R", Duration::ZERO), [key(KeyCode::F(3), SHIFT)], "Shift+F3 is a key");
    assert_eq!(parser.take_draws_wide(), None);
}
