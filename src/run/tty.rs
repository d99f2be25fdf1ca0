//! The terminal: our own description of it, the modes it is put into, and the way back.
//!
//! Hides termios and escape codes. The description is opened anew and not blocking, so that nobody who shares stdin with us is
//! disturbed, and no write of ours ever waits: `write(2)` to a stdout that nobody reads freezes the loop for as long as that lasts.
//! Where it cannot be opened by its name (`su -c` from another account, a chroot without `/dev`), stdin's or stdout's
//! own description is used, made not blocking as long as the screen is ours, and given back as it was.
//!
//! Invariant: once entered, every way out (quit, signal, panic on the loop's thread, stop) gives the terminal back as it was, in at
//! most 200 ms, also when nobody reads from it. What ends the process without a word leaves that to its minder
//! ([`super::minder`]).

use std::ffi::CStr;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, getsid, kill_current_process_group};
use rustix::termios::{
    OptionalActions, QueueSelector, Termios, isatty, tcflush, tcgetattr, tcgetpgrp, tcgetsid, tcgetwinsize, tcsetattr,
    ttyname,
};
use tokio::io::unix::AsyncFd;

use super::clock;
use super::minder::Minder;
use crate::journal::Still;

/// How long a stop waits for what is being written: a disk that does not answer holds nobody here.
const WRITERS: Duration = Duration::from_secs(2);
/// Alternate screen, bracketed paste, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";
/// Button presses, wheel and drags, with coordinates as numbers.
const MOUSE_ON: &[u8] = b"\x1b[?1002h\x1b[?1006h";
/// What is asked of a terminal beside its screen, in bits.
const MOUSE: u8 = 1;
const KEYBOARD: u8 = 2;
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1002l";
/// Asks whether the terminal has kitty's keyboard protocol; those that have not keep quiet.
pub(super) const ASK_KEYBOARD: &[u8] = b"\x1b[?u";
/// Every key as one of its own (Esc, Shift+Enter, Alt with a letter), on the stack of this screen …
const KEYBOARD_ON: &[u8] = b"\x1b[>1u";
/// … the same where that is done already and somebody may have changed it, …
const KEYBOARD_STILL_ON: &[u8] = b"\x1b[=1u";
/// … and taken from there, before the screen is left to which the stack belongs.
const KEYBOARD_OFF: &[u8] = b"\x1b[<u";
/// Ends a torn frame first: an escape ends any half sequence, then the bracket of the frame, then its colours.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[m";
/// The cursor, no brackets, the screen that was there before.
const LEFT: &[u8] = b"\x1b[?25h\x1b[?2004l\x1b[?1049l";
/// How long the way out waits for a terminal that takes no bytes before it throws away what is queued, and once more after that.
const PATIENCE: Duration = Duration::from_millis(80);

/// So many faults beside the loop are told at the end; all of them are in the log.
const MOST_FAULTS: usize = 3;

/// More columns and rows than any screen has: a buffer of 65,535 squared would be all of the memory.
const WIDEST: u16 = 1000;
const HIGHEST: u16 = 500;

/// Why there is no full screen.
#[derive(Debug, thiserror::Error)]
pub enum TtyError {
    /// Neither stdin nor stdout is a terminal and the process has none.
    #[error("no terminal here; use `--plain` for the line mode that needs none")]
    None(#[source] io::Error),
    /// It is a terminal, but it does not do what terminals do.
    #[error("the terminal refused {what}: {source}")]
    Refused {
        /// What it was asked for.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// The terminal of this process.
#[derive(Debug)]
pub struct Tty {
    fd: AsyncFd<Arc<OwnedFd>>,
    modes: Arc<Modes>,
    mouse: bool,
}

/// What is needed to give the terminal back, and nothing that can block or allocate.
struct Modes {
    fd: Arc<OwnedFd>,
    before: Termios,
    /// The flags of a description that others use too, as they were: it is not blocking only while the screen is ours.
    shared: Option<OFlags>,
    entered: AtomicBool,
    mouse: AtomicBool,
    /// It has kitty's keyboard protocol, and was asked for it.
    keyboard: AtomicBool,
    /// Who gives the terminal back when this process cannot.
    minder: OnceLock<Minder>,
    /// What failed beside the loop, while the screen was in use.
    faults: Mutex<Vec<String>>,
}

/// Gives the terminal back from anywhere, once.
#[derive(Clone, Debug)]
pub struct RestoreHandle(Arc<Modes>);

/// Gives the terminal back when it is dropped.
#[derive(Debug)]
#[must_use = "the terminal is given back when this is dropped"]
pub struct Guard(RestoreHandle);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.restore();
        self.0.tell_faults();
        if let Some(minder) = self.0.0.minder.get() {
            minder.dismiss();
        }
    }
}

impl Tty {
    /// Opens the terminal of stdin, stdout or the session, without changing anything on it. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When there is none, or it cannot be watched.
    pub fn open() -> Result<Self, TtyError> {
        let (fd, shared) = open_own().map_err(|error| TtyError::None(error.into()))?;
        let fd = Arc::new(fd);
        let before = tcgetattr(&fd).map_err(|error| TtyError::None(error.into()))?;
        let watched = watch(fd.clone()).map_err(|source| TtyError::Refused { what: "to be watched", source })?;
        let modes = Modes {
            fd,
            before,
            shared,
            entered: AtomicBool::new(false),
            mouse: AtomicBool::new(false),
            keyboard: AtomicBool::new(false),
            minder: OnceLock::new(),
            faults: Mutex::default(),
        };
        Ok(Self { fd: watched, modes: Arc::new(modes), mouse: false })
    }

    /// Asks for mouse events from the next [`Tty::enter`] on; off by default, so that people can select text.
    pub fn with_mouse(mut self) -> Self {
        self.mouse = true;
        self
    }

    /// Has a minder give the terminal back when this process is gone without a word, and tell where the log is.
    ///
    /// # Errors
    /// When none can be started: the terminal is given back by all other ways out.
    pub fn mind(&self, log: &Path) -> io::Result<()> {
        let modes = &*self.modes;
        let minder = Minder::start(&modes.fd, &modes.before, modes.shared, log)?;
        minder.tell(modes.entered.load(Ordering::SeqCst).then(|| modes.done()));
        let _ = modes.minder.set(minder);
        Ok(())
    }

    /// Raw mode, alternate screen, bracketed paste, hidden cursor.
    ///
    /// # Errors
    /// When the terminal is gone, or takes no bytes from the start.
    pub fn enter(&self) -> Result<Guard, TtyError> {
        self.take().map_err(|error| TtyError::Refused { what: "raw mode", source: error.into() })?;
        Ok(Guard(self.restore_handle()))
    }

    /// What a panic hook needs.
    pub fn restore_handle(&self) -> RestoreHandle {
        RestoreHandle(self.modes.clone())
    }

    /// Everything undone; a second call does nothing.
    pub fn leave(&self) {
        self.restore_handle().restore();
    }

    /// Columns and rows; 80×24 where the terminal does not know, and no more than any screen has where it talks
    /// nonsense.
    pub fn size(&self) -> Size {
        match tcgetwinsize(&self.modes.fd) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Size::new(size.ws_col.min(WIDEST), size.ws_row.min(HIGHEST))
            }
            Ok(_) | Err(_) => Size::new(80, 24),
        }
    }

    /// Whether the system tells of another size (SIGWINCH): only to the session whose terminal it is. All others must
    /// look.
    pub fn tells_its_size(&self) -> bool {
        is_controlling(self.modes.fd.as_fd())
    }

    /// Stops the process and its group as Ctrl+Z does, and comes back when it is continued. The screen must be painted anew then.
    ///
    /// Where nobody could continue it (no shell above), it comes back at once.
    ///
    /// # Errors
    /// When the terminal was gone on return.
    pub fn suspend(&self) -> io::Result<()> {
        stop(|| {
            self.leave();
            kill_current_process_group(Signal::TTOU)
        })?;
        self.take()?;
        Ok(())
    }

    /// Takes the terminal again after somebody else stopped and continued the process: its modes may have been changed meanwhile.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&self) -> io::Result<()> {
        Ok(self.take()?)
    }

    /// What asks for all keys, when the terminal said that it can tell them; from now on every way out takes that back.
    pub fn ask_for_all_keys(&self) -> &'static [u8] {
        if self.modes.keyboard.swap(true, Ordering::SeqCst) {
            return b"";
        }
        if self.modes.entered.load(Ordering::SeqCst) {
            self.modes.tell_minder(Some(self.modes.done()));
        }
        KEYBOARD_ON
    }

    pub(super) fn fd(&self) -> &AsyncFd<Arc<OwnedFd>> {
        &self.fd
    }

    /// Writes what fits now; `Ok(0)` when nothing does.
    pub(super) fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        write_some(&self.modes.fd, bytes)
    }

    fn take(&self) -> rustix::io::Result<()> {
        let mut raw = self.modes.before.clone();
        raw.make_raw();
        // From the background this stops the process until it is in the foreground, as it should.
        while let Err(error) = tcsetattr(&self.modes.fd, OptionalActions::Now, &raw) {
            if error != Errno::INTR {
                return Err(error);
            }
        }
        // Before anything of it is done: whoever undoes it undoes no more than there is.
        self.modes.mouse.store(self.mouse, Ordering::SeqCst);
        self.modes.tell_minder(Some(self.modes.done()));
        self.modes.unblock();
        let was_entered = self.modes.entered.swap(true, Ordering::SeqCst);
        put(self.modes.fd.as_fd(), ENTER);
        if self.mouse {
            put(self.modes.fd.as_fd(), MOUSE_ON);
        }
        if self.modes.keyboard.load(Ordering::SeqCst) {
            put(self.modes.fd.as_fd(), if was_entered { KEYBOARD_STILL_ON } else { KEYBOARD_ON });
        }
        Ok(())
    }
}

impl RestoreHandle {
    /// Everything undone, in at most 200 ms and without a lock or an allocation; a second call does nothing.
    pub fn restore(&self) {
        let modes = &*self.0;
        if !modes.entered.swap(false, Ordering::SeqCst) {
            return;
        }
        let (way_back, length) = way_back(modes.done());
        put(modes.fd.as_fd(), &way_back[..length]);
        modes.block();
        // Changing modes from the background would stop us here; whoever is in the foreground has set his own. A
        // terminal of another session knows no foreground of ours, and stops nobody.
        if tcgetpgrp(&modes.fd).map_or_else(|error| error == Errno::NOTTY, |group| group == getpgrp()) {
            // Keys that were meant for the console are not the shell's.
            let _ = tcflush(&modes.fd, QueueSelector::IFlush);
            let _ = tcsetattr(&modes.fd, OptionalActions::Now, &modes.before);
        }
        modes.tell_minder(None);
    }

    /// Tells what failed beside the loop, once the terminal is given back: on the screen there was no room for it.
    fn tell_faults(&self) {
        let faults = std::mem::take(&mut *self.0.faults.lock().unwrap_or_else(PoisonError::into_inner));
        if !faults.is_empty() {
            self.say_aloud(&faults.join(""));
        }
    }

    /// Says something where stderr goes.
    fn say_aloud(&self, words: &str) {
        if isatty(rustix::stdio::stderr()) {
            self.say(words);
        } else {
            let _ = io::Write::write_all(&mut io::stderr(), words.as_bytes());
        }
    }

    /// Last words on a terminal that was given back. A plain write to a stderr that nobody reads would hold the dead process for ever.
    fn say(&self, words: &str) {
        let fd = &*self.0.fd;
        self.0.unblock();
        if write_some(fd, words.as_bytes()).is_ok_and(|count| count < words.len()) {
            // To make room is to throw away what is queued, and the way back may be in it.
            let _ = tcflush(fd, QueueSelector::OFlush);
            let (way_back, length) = way_back(self.0.done());
            put(fd.as_fd(), &way_back[..length]);
            put(fd.as_fd(), words.as_bytes());
        }
        self.0.block();
    }

    /// Whether the terminal is ours now.
    pub fn is_entered(&self) -> bool {
        self.0.entered.load(Ordering::SeqCst)
    }
}

impl Modes {
    /// What was asked of the terminal beside its screen.
    fn done(&self) -> u8 {
        let bits = [(&self.mouse, MOUSE), (&self.keyboard, KEYBOARD)];
        bits.into_iter().filter(|(is_on, _)| is_on.load(Ordering::SeqCst)).fold(0, |all, (_, bit)| all | bit)
    }

    /// Tells what would have to be undone; nothing while the screen is not ours.
    fn tell_minder(&self, done: Option<u8>) {
        if let Some(minder) = self.minder.get() {
            minder.tell(done);
        }
    }

    /// Makes a shared description not blocking; our own always is.
    fn unblock(&self) {
        if let Some(flags) = self.shared {
            let _ = fcntl_setfl(&self.fd, flags | OFlags::NONBLOCK);
        }
    }

    /// Gives a shared description back as it was.
    fn block(&self) {
        if let Some(flags) = self.shared {
            let _ = fcntl_setfl(&self.fd, flags);
        }
    }
}

impl fmt::Debug for Modes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Modes").field("entered", &self.entered).field("mouse", &self.mouse).finish_non_exhaustive()
    }
}

/// Lets a panic of this thread's loop give the terminal back before its message is printed. A panic of a task, also of
/// one that runs on this thread, or of another thread is handed to `record` and told when the screen is left: it is
/// still in use. `log` is where `record` goes.
pub fn install_panic_hook(restore: RestoreHandle, log: &Path, record: impl Fn(&str) + Send + Sync + 'static) {
    let loops: ThreadId = std::thread::current().id();
    let its_task = tokio::task::try_id();
    let report = format!(
        "This is a fault of warroom and of nobody who uses it. What is recorded is kept. To report it, send these lines to whoever maintains warroom \
         for you, with the output of `warroom --version` and the log in {}\n",
        crate::text::shown(&log.display().to_string())
    );
    std::panic::set_hook(Box::new(move |panic| {
        let is_loops = std::thread::current().id() == loops && tokio::task::try_id() == its_task;
        if is_loops {
            // Whatever happens to the words and the record, the terminal comes first.
            restore.restore();
        }
        // They may quote anything: what a service answered, what somebody typed.
        let words = crate::vault::mask().mask(&crate::text::shown(&panic.to_string()));
        if is_loops {
            restore.say_aloud(&format!("{words}\n{}{report}", backtrace()));
        } else if let Ok(mut faults) = restore.0.faults.try_lock()
            && faults.len() < MOST_FAULTS
        {
            if faults.is_empty() {
                faults.push(format!("While the console was open, a part of it failed.\n{report}"));
            }
            let name = std::thread::current().name().unwrap_or("without a name").to_owned();
            faults.push(format!("thread {name}: {words}\n"));
        }
        record(&panic.to_string());
    }));
}

/// The calls that led here, where `RUST_BACKTRACE` asks for them.
fn backtrace() -> String {
    let trace = std::backtrace::Backtrace::capture();
    if trace.status() == std::backtrace::BacktraceStatus::Captured { format!("{trace}\n") } else { String::new() }
}

/// The successor of `AsyncFd::new` is unsafe, for types whose descriptor may change; an `OwnedFd` keeps its own while it lives.
#[expect(deprecated, reason = "sound for an OwnedFd, and we write no unsafe code")]
pub(super) fn watch(fd: Arc<OwnedFd>) -> io::Result<AsyncFd<Arc<OwnedFd>>> {
    AsyncFd::new(fd)
}

/// Whether the terminal is at the other end of an SSH connection, which asks for patience with Esc and thrift with bytes.
pub fn is_over_ssh() -> bool {
    ["SSH_CONNECTION", "SSH_TTY"].into_iter().any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The terminal of stdin or stdout, else of the session; with the flags of its description where that is not our own.
fn open_own() -> rustix::io::Result<(OwnedFd, Option<OFlags>)> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = |path: &CStr| rustix::fs::open(path, flags, Mode::empty()).map(|fd| (fd, None));
    for stream in [rustix::stdio::stdin(), rustix::stdio::stdout()] {
        if !isatty(stream) {
            continue;
        }
        if let Ok(own) = ttyname(stream, Vec::new()).and_then(|name| open(&name)) {
            return Ok(own);
        }
        if is_controlling(stream)
            && let Ok(own) = open(c"/dev/tty")
        {
            return Ok(own);
        }
        // In a chroot the name may be another's, or nobody's: the descriptor's own entry is neither.
        if let Ok(own) = rustix::fs::open(format!("/proc/self/fd/{}", stream.as_raw_fd()), flags, Mode::empty()) {
            return Ok((own, None));
        }
        let flags = fcntl_getfl(stream)?;
        if flags.contains(OFlags::RDWR) {
            return Ok((rustix::io::fcntl_dupfd_cloexec(stream, 3)?, Some(flags)));
        }
    }
    open(c"/dev/tty")
}

/// Whether a terminal is the one of this session.
fn is_controlling(fd: BorrowedFd<'_>) -> bool {
    matches!((tcgetsid(fd), getsid(None)), (Ok(its), Ok(ours)) if its == ours)
}

/// The terminal for a few lines that wait for an answer, while the screen is not ours.
pub(super) fn lines() -> io::Result<std::fs::File> {
    let (fd, shared) = open_own()?;
    if shared.is_none() {
        fcntl_setfl(&fd, fcntl_getfl(&fd)? - OFlags::NONBLOCK)?;
    }
    Ok(fd.into())
}

/// Stops by SIGTTOU, as `send` sends it, when nothing is being written; comes back when the process is continued.
///
/// SIGTSTP is ours to handle and would only come back to us; SIGSTOP would stop for ever where no shell waits. SIGTTOU
/// has the default effect of a stop, and the kernel ignores it in an orphaned group.
pub(super) fn stop(send: impl FnOnce() -> rustix::io::Result<()>) -> rustix::io::Result<()> {
    // The others on this host would wait for a lock that nobody gives back.
    let _still = Still::within(WRITERS);
    send()?;
    // Another thread may have taken the signal: by the end of this the whole process has stopped and gone on.
    std::thread::sleep(Duration::from_millis(5));
    Ok(())
}

fn write_some(fd: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(&fd, bytes) {
            Ok(count) => return Ok(count),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Ok(0),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What undoes all that was done to the screen, and so many bytes of it; in one piece, so that the wait for a stalled
/// terminal is one.
pub(super) fn way_back(done: u8) -> ([u8; 80], usize) {
    let when = |bit: u8, code: &'static [u8]| if done & bit == 0 { b"" } else { code };
    let parts = [LEAVE, when(KEYBOARD, KEYBOARD_OFF), when(MOUSE, MOUSE_OFF), LEFT];
    let (mut bytes, mut length) = ([0; 80], 0);
    for byte in parts.into_iter().flatten() {
        bytes[length] = *byte;
        length += 1;
    }
    (bytes, length)
}

/// Writes a few bytes for sure if that is possible at all: waits a little, then throws away what is queued before them.
pub(super) fn put(fd: BorrowedFd<'_>, mut bytes: &[u8]) {
    for last in [false, true] {
        let until = clock::boot() + PATIENCE;
        while !bytes.is_empty() {
            match rustix::io::write(fd, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    let left = until.saturating_sub(clock::boot());
                    if left.is_zero() {
                        break;
                    }
                    let left = rustix::time::Timespec::try_from(left).ok();
                    let _ = poll(&mut [PollFd::new(&fd, PollFlags::OUT)], left.as_ref());
                }
                Err(_) => return,
            }
        }
        if bytes.is_empty() || last || tcflush(fd, QueueSelector::OFlush).is_err() {
            return;
        }
    }
}
