//! What several tests share.

pub mod alertmanager;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod failing;
pub mod http;
pub mod prometheus;
pub mod proxy;
pub mod pty;
pub mod room;
pub mod services;
pub mod source;
pub mod tls;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// How a letter of a script is pressed: `\n` is Enter, `\t` Tab, `\x1b` Esc, `^` Ctrl+S.
pub fn press(letter: char) -> KeyEvent {
    match letter {
        '\n' => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
        '\t' => KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE),
        '\x1b' => KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE),
        '^' => KeyEvent::new(KeyCode::Char('s'), KeyModifiers::CONTROL),
        letter => KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE),
    }
}

/// What a promise of so much time allows here: a debug build beside a whole test run gets ten times as much.
pub fn promised(time: std::time::Duration) -> std::time::Duration {
    time * if cfg!(debug_assertions) { 10 } else { 1 }
}

/// Waits until something outside holds.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = warroom::run::clock::boot();
    while !holds() {
        assert!(warroom::run::clock::boot() - begun < std::time::Duration::from_secs(120), "{what} did not come to be");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
