//! The terminal's minder: a small process beside the console that gives the terminal back when the console is gone
//! without a word.
//!
//! Hides a pipe that ends when the console does, whatever ended it: `kill -9`, no memory left, a stack that overflowed,
//! a signal that nobody handles. The console could not do that itself. The minder knows the terminal's modes, and the
//! flags of a description that the shell uses too.
//!
//! Invariant: it costs nothing while the console lives, and it touches nothing while the terminal is not the console's.
//! Where none can be started (no `/proc`, no room for a process) the console works without.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector, SpecialCodeIndex, Termios,
    tcflush, tcgetattr, tcsetattr,
};

use super::tty;

/// The word that makes this binary a minder; no command that a person gives.
pub const WORD: &str = "__terminal";
/// So long the end of the console waits for the minder's, so that no dead process stays where nobody waits for it.
const PARTING: Duration = Duration::from_millis(50);

/// What the minder is told, a byte each.
///
/// That the screen is the console's: the digit, with the bits of what is to be undone beside it.
const ENTERED: u8 = b'0';
const LEFT: u8 = b'l';
const OVER: u8 = b'o';

/// The console's side.
#[derive(Debug)]
pub(super) struct Minder {
    pipe: OwnedFd,
    child: Mutex<Option<Child>>,
}

impl Minder {
    /// Starts one for a terminal with these modes, and these flags where its description is shared.
    pub(super) fn start(terminal: &OwnedFd, before: &Termios, shared: Option<OFlags>, log: &Path) -> io::Result<Self> {
        let told = Told { modes: words_of(before), flags: shared.map(|flags| flags.bits()) };
        let mut child = Command::new("/proc/self/exe")
            .arg(WORD)
            .arg(told.to_word(log))
            // No folder is kept from being unmounted.
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(terminal.try_clone()?)
            .stderr(Stdio::null())
            .spawn()?;
        let pipe = child.stdin.take().ok_or_else(|| io::Error::other("no pipe"))?.into();
        Ok(Self { pipe, child: Mutex::new(Some(child)) })
    }

    /// What would have to be undone on the terminal, or nothing while it is not the console's; without a lock or an
    /// allocation.
    pub(super) fn tell(&self, done: Option<u8>) {
        let _ = rustix::io::write(&self.pipe, &[done.map_or(LEFT, |done| ENTERED + done)]);
    }

    /// The console ends in good order: so does the minder.
    pub(super) fn dismiss(&self) {
        let Some(mut child) = self.child.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        let _ = rustix::io::write(&self.pipe, &[OVER]);
        let until = super::clock::boot() + PARTING;
        while matches!(child.try_wait(), Ok(None)) && super::clock::boot() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// What a minder is started with.
#[derive(Debug, PartialEq)]
struct Told {
    /// Input, output, control and local modes, and the two codes that raw mode changes.
    modes: [u32; 6],
    /// The flags of a description that is not our own.
    flags: Option<u32>,
}

impl Told {
    fn to_word(&self, log: &Path) -> std::ffi::OsString {
        let [input, output, control, local, least, pause] = self.modes;
        let flags = self.flags.map_or_else(|| "-".to_owned(), |flags| flags.to_string());
        let mut word = std::ffi::OsString::from(format!("{input},{output},{control},{local},{least},{pause},{flags},"));
        word.push(log);
        word
    }

    /// What was told, and where the log is.
    fn read(word: &str) -> Option<(Self, &str)> {
        let mut parts = word.splitn(8, ',');
        let mut modes = [0; 6];
        for mode in &mut modes {
            *mode = parts.next()?.parse().ok()?;
        }
        let flags = match parts.next()? {
            "-" => None,
            flags => Some(flags.parse().ok()?),
        };
        Some((Self { modes, flags }, parts.next()?))
    }
}

fn words_of(modes: &Termios) -> [u32; 6] {
    [
        modes.input_modes.bits(),
        modes.output_modes.bits(),
        modes.control_modes.bits(),
        modes.local_modes.bits(),
        modes.special_codes[SpecialCodeIndex::VMIN].into(),
        modes.special_codes[SpecialCodeIndex::VTIME].into(),
    ]
}

/// The modes as they were, with all that raw mode does not change as it is now.
fn modes_of(words: [u32; 6], now: &Termios) -> Termios {
    let [input, output, control, local, least, pause] = words;
    let mut before = now.clone();
    before.input_modes = InputModes::from_bits_retain(input);
    before.output_modes = OutputModes::from_bits_retain(output);
    before.control_modes = ControlModes::from_bits_retain(control);
    before.local_modes = LocalModes::from_bits_retain(local);
    before.special_codes[SpecialCodeIndex::VMIN] = u8::try_from(least).unwrap_or(1);
    before.special_codes[SpecialCodeIndex::VTIME] = u8::try_from(pause).unwrap_or(0);
    before
}

/// Is a minder until its console is gone.
pub fn run(told: &OsStr) -> ExitCode {
    // What ends the session of the console, or its whole group, does not end this; and no stop for whoever is in the
    // background.
    let _ = rustix::process::setsid();
    let word = told.to_string_lossy();
    let Some((told, log)) = Told::read(&word) else { return ExitCode::FAILURE };
    let mut entered = None;
    loop {
        let mut byte = [0];
        match rustix::io::read(rustix::stdio::stdin(), &mut byte) {
            Ok(0) => break,
            Ok(_) => match byte[0] {
                word @ ENTERED..=b'9' => entered = Some(word - ENTERED),
                OVER => return ExitCode::SUCCESS,
                _ => entered = None,
            },
            Err(Errno::INTR) => {}
            Err(_) => break,
        }
    }
    if let Some(done) = entered {
        give_back(&told, done, log);
    }
    ExitCode::SUCCESS
}

fn give_back(told: &Told, done: u8, log: &str) {
    let terminal = rustix::stdio::stdout();
    // First what the shell's next read would fail on.
    if let Some(flags) = told.flags {
        let _ = fcntl_setfl(terminal, OFlags::from_bits_retain(flags));
    }
    if let Ok(now) = tcgetattr(terminal) {
        let before = modes_of(told.modes, &now);
        let mut raw = before.clone();
        raw.make_raw();
        // A shell that was quicker has set modes of its own.
        if words_of(&now) == words_of(&raw) {
            let _ = tcflush(terminal, QueueSelector::IFlush);
            let _ = tcsetattr(terminal, OptionalActions::Now, &before);
        }
    }
    let (way_back, length) = tty::way_back(done);
    tty::put(terminal.as_fd(), &way_back[..length]);
    let log = crate::text::shown(log);
    let words = format!(
        "warroom is gone without a word: killed, out of memory, or a fault of its own.\r\nWhat was recorded is kept, and what was typed up to its \
         last second. Its log: {log}\r\n"
    );
    tty::put(terminal.as_fd(), words.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minder_reads_what_it_was_started_with() {
        for flags in [None, Some(2)] {
            let told = Told { modes: [1, 2, 3, 4, 5, u32::MAX], flags };
            let word = told.to_word(Path::new("/var/log/a, b"));
            assert_eq!(Told::read(word.to_str().unwrap()), Some((told, "/var/log/a, b")));
        }
        assert_eq!(Told::read("1,2,3"), None);
        assert_eq!(Told::read("a,2,3,4,5,6,-,/log"), None);
    }
}
