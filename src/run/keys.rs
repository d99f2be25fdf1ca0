//! What a terminal's key bytes mean.
//!
//! Hides the encodings of xterm, rxvt, the Linux console, tmux and the two modern key protocols: a finished sequence goes in, an event
//! comes out.
//!
//! Invariant: total; a sequence that means no key (an answer of the terminal, a key release, nonsense) is `None`.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

const NONE: KeyModifiers = KeyModifiers::NONE;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;

/// The event of a key with modifiers.
pub(super) fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
    Event::Key(KeyEvent::new(code, modifiers))
}

/// A letter, with Shift where it is a capital one.
pub(super) fn letter(letter: char, modifiers: KeyModifiers) -> Event {
    let shift = if letter.is_uppercase() { SHIFT } else { NONE };
    key(KeyCode::Char(letter), modifiers | shift)
}

/// A single byte below 0x80 that stands for itself.
pub(super) fn byte(byte: u8, modifiers: KeyModifiers) -> Event {
    match byte {
        b'\r' => key(KeyCode::Enter, modifiers),
        b'\t' if modifiers.contains(SHIFT) => key(KeyCode::BackTab, modifiers),
        b'\t' => key(KeyCode::Tab, modifiers),
        // Half of the world's terminals send 0x08 for Backspace; so Ctrl+H cannot be bound.
        0x7f | 0x08 => key(KeyCode::Backspace, modifiers),
        0 => key(KeyCode::Char(' '), modifiers | CONTROL),
        0x01..=0x1a => key(KeyCode::Char(char::from(byte - 1 + b'a')), modifiers | CONTROL),
        0x1b => key(KeyCode::Esc, modifiers - SHIFT),
        0x1c..=0x1f => key(KeyCode::Char(char::from(byte - 0x1c + b'\\')), modifiers | CONTROL),
        _ => letter(char::from(byte), modifiers),
    }
}

/// `ESC O` and what follows: parameters (old xterms put modifiers there) and the last byte.
pub(super) fn ss3(parameters: &[u8], last: u8) -> Option<Event> {
    let modifiers = numbers(parameters).last().map_or(NONE, |number| modifiers(number.0));
    Some(match last {
        b'a'..=b'd' => key(arrow(last - b'a'), modifiers | CONTROL),
        b'M' => key(KeyCode::Enter, modifiers),
        b'I' => key(KeyCode::Tab, modifiers),
        b' ' => key(KeyCode::Char(' '), modifiers),
        b'X' => letter('=', modifiers),
        // The keypad in application mode.
        b'j'..=b'y' => letter(char::from(last - b'j' + b'*'), modifiers),
        _ => return plain(last, modifiers),
    })
}

/// `ESC [ [` and a letter: F1 to F5 of the Linux console.
pub(super) fn linux(last: u8) -> Option<Event> {
    matches!(last, b'A'..=b'E').then(|| key(KeyCode::F(last - b'A' + 1), NONE))
}

/// `ESC [` and what follows: parameters with their prefix, then the last byte.
pub(super) fn csi(parameters: &[u8], last: u8) -> Option<Event> {
    match parameters.first() {
        Some(b'<') => return mouse(&parameters[1..], last),
        // Answers: device attributes, modes, keyboard flags.
        Some(b'?' | b'>' | b'=') => return None,
        _ => {}
    }
    let numbers = numbers(parameters);
    let first = numbers.first().map_or(1, |number| number.0);
    let second = numbers.get(1).copied().unwrap_or((1, 1));
    // The kitty protocol tells releases as a sub-parameter.
    if second.1 == 3 {
        return None;
    }
    let held = modifiers(second.0);
    match last {
        b'Z' => Some(key(KeyCode::BackTab, held | SHIFT)),
        b'I' if parameters.is_empty() => Some(Event::FocusGained),
        b'O' if parameters.is_empty() => Some(Event::FocusLost),
        b'a'..=b'd' if parameters.is_empty() => Some(key(arrow(last - b'a'), SHIFT)),
        // With two numbers and a row above 1 this is a cursor report, and F3's letter.
        b'R' if numbers.len() == 2 && first != 1 => None,
        b'A'..=b'H' | b'P'..=b'S' => plain(last, held),
        // Bits of the kitty protocol for keys that are the desktop's: Super and Hyper.
        b'u' if second.0.saturating_sub(1) & (8 | 16) != 0 => None,
        b'u' => code_point(first, held),
        b'~' if first == 27 && numbers.len() == 3 => code_point(numbers[2].0, held),
        b'~' => tilde(first).map(|code| key(code, held)),
        b'$' => rxvt(first, SHIFT),
        b'^' => rxvt(first, CONTROL),
        b'@' => rxvt(first, SHIFT | CONTROL),
        _ => None,
    }
}

fn plain(last: u8, modifiers: KeyModifiers) -> Option<Event> {
    let code = match last {
        b'A'..=b'D' => arrow(last - b'A'),
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::F(last - b'P' + 1),
        _ => return None,
    };
    Some(key(code, modifiers))
}

fn rxvt(number: u32, modifiers: KeyModifiers) -> Option<Event> {
    tilde(number).map(|code| key(code, modifiers))
}

fn arrow(index: u8) -> KeyCode {
    match index {
        0 => KeyCode::Up,
        1 => KeyCode::Down,
        2 => KeyCode::Right,
        _ => KeyCode::Left,
    }
}

fn tilde(number: u32) -> Option<KeyCode> {
    let function = |number: u32| KeyCode::F(u8::try_from(number).unwrap_or(0));
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        // The numbers of F1 to F20 have gaps, as on the VT220's keyboard.
        11..=15 => function(number - 10),
        17..=21 => function(number - 11),
        23..=26 => function(number - 12),
        28 | 29 => function(number - 13),
        31..=34 => function(number - 14),
        _ => return None,
    })
}

/// A key by the number of its character, as both modern protocols send it. With Ctrl it is what every other terminal
/// sends for it.
///
/// Alt is certain here: Esc and a letter that something on the way put together come as a byte behind an Esc. META
/// beside it says so.
fn code_point(number: u32, modifiers: KeyModifiers) -> Option<Event> {
    let certain = if modifiers.contains(ALT) { modifiers | KeyModifiers::META } else { modifiers };
    match (number, char::from_u32(number)?) {
        (0..=0x1f | 0x7f, _) => Some(byte(u8::try_from(number).unwrap_or(0), modifiers)),
        (_, '[') if modifiers == CONTROL => Some(key(KeyCode::Esc, NONE)),
        (_, 'i') if modifiers == CONTROL => Some(key(KeyCode::Tab, NONE)),
        (_, 'm') if modifiers == CONTROL => Some(key(KeyCode::Enter, NONE)),
        (_, 'h') if modifiers == CONTROL => Some(key(KeyCode::Backspace, NONE)),
        (_, '/') if modifiers == CONTROL => Some(key(KeyCode::Char('_'), CONTROL)),
        (0xe000..=0xf8ff, _) => keypad(number).map(|code| key(code, modifiers)),
        (_, character) => Some(letter(character, certain)),
    }
}

/// Keys of the keypad in the kitty protocol, which live in the private use area; its other functional keys mean nothing
/// here.
fn keypad(number: u32) -> Option<KeyCode> {
    let place = usize::try_from(number.checked_sub(57399)?).ok()?;
    if let Some(character) = "0123456789./*-+".chars().nth(place) {
        return Some(KeyCode::Char(character));
    }
    Some(match number {
        57414 => KeyCode::Enter,
        57415 => KeyCode::Char('='),
        57416 => KeyCode::Char(','),
        57417 => KeyCode::Left,
        57418 => KeyCode::Right,
        57419 => KeyCode::Up,
        57420 => KeyCode::Down,
        57421 => KeyCode::PageUp,
        57422 => KeyCode::PageDown,
        57423 => KeyCode::Home,
        57424 => KeyCode::End,
        57425 => KeyCode::Insert,
        57426 => KeyCode::Delete,
        _ => return None,
    })
}

/// xterm's modifier number: one more than a set of bits.
fn modifiers(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    [(1, SHIFT), (2, ALT), (4, CONTROL), (8, ALT)]
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .fold(NONE, |all, (_, modifier)| all | modifier)
}

/// The parameters and their first sub-parameters; one that is missing is 1.
fn numbers(parameters: &[u8]) -> Vec<(u32, u32)> {
    if parameters.is_empty() {
        return Vec::new();
    }
    let number = |text: &[u8]| {
        text.iter()
            .filter(|byte| byte.is_ascii_digit())
            .fold(0_u32, |all, digit| all.saturating_mul(10).saturating_add(u32::from(digit - b'0')))
            .max(u32::from(text.is_empty()))
    };
    parameters
        .split(|byte| *byte == b';')
        .map(|part| {
            let mut parts = part.split(|byte| *byte == b':');
            let main = parts.next().map_or(1, number);
            (main, parts.next().map_or(1, number))
        })
        .collect()
}

/// `ESC [ < button ; column ; row` and `M` for pressed or `m` for released.
fn mouse(parameters: &[u8], last: u8) -> Option<Event> {
    let numbers = numbers(parameters);
    let [(button, _), (column, _), (row, _)] = numbers[..] else { return None };
    let cell = |number: u32| u16::try_from(number.saturating_sub(1)).unwrap_or(u16::MAX);
    let pressed = match button & 3 {
        0 => Some(MouseButton::Left),
        1 => Some(MouseButton::Middle),
        2 => Some(MouseButton::Right),
        _ => None,
    };
    let kind = match (button & 0b1110_0000, pressed, last) {
        (0, Some(button), b'M') => MouseEventKind::Down(button),
        (0, Some(button), b'm') => MouseEventKind::Up(button),
        (32, Some(button), b'M') => MouseEventKind::Drag(button),
        (32, None, b'M') => MouseEventKind::Moved,
        (64, _, b'M') => match button & 3 {
            0 => MouseEventKind::ScrollUp,
            1 => MouseEventKind::ScrollDown,
            2 => MouseEventKind::ScrollLeft,
            _ => MouseEventKind::ScrollRight,
        },
        _ => return None,
    };
    let held = [(4, SHIFT), (8, ALT), (16, CONTROL)]
        .into_iter()
        .filter(|(bit, _)| button & bit != 0)
        .fold(NONE, |all, (_, modifier)| all | modifier);
    Some(Event::Mouse(MouseEvent { kind, column: cell(column), row: cell(row), modifiers: held }))
}
