//! A terminal for end-to-end tests: any program under a PTY, with an emulator that shows what a person would see.
//!
//! Hides the PTY, the thread that reads it, and time: every wait has an end, and the child is killed when the test is over.

use std::ffi::OsStr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};
use warroom::clock;

/// How the terminal reads what the program writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// At once.
    Full,
    /// Not at all: the window is frozen, the link is down.
    Stalled,
    /// So many bytes a second.
    Limited(usize),
    /// Never again; the reader ends.
    Stopped,
}

type Control = Arc<(Mutex<Reading>, Condvar)>;

/// A program under a terminal of its own.
pub struct Pty {
    master: Option<Arc<OwnedFd>>,
    child: Child,
    chunks: Receiver<Vec<u8>>,
    control: Control,
    reader: Option<JoinHandle<()>>,
    parser: vt100::Parser,
    raw: Vec<u8>,
    before: Termios,
}

/// Starts a program with a terminal of so many columns and rows.
///
/// `setsid --ctty` of util-linux makes the terminal the program's own without a line of unsafe code, and keeps the process id.
pub fn spawn<A: AsRef<OsStr>>(program: &OsStr, arguments: &[A], env: &[(&str, &str)], size: (u16, u16)) -> Pty {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    tcsetwinsize(&master, winsize(size)).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    let before = tcgetattr(&slave).unwrap();
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(program).args(arguments);
    for noise in ["SSH_CONNECTION", "SSH_TTY", "NO_COLOR", "COLORTERM", "TMUX"] {
        command.env_remove(noise);
    }
    command.env("TERM", "xterm-256color").envs(env.iter().copied());
    command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap()).stderr(slave);
    let child = command.spawn().expect("setsid of util-linux");
    drop(command);
    let master = Arc::new(master);
    let control: Control = Arc::new((Mutex::new(Reading::Full), Condvar::new()));
    let (sender, chunks) = channel();
    let reader = std::thread::spawn({
        let (master, control) = (master.clone(), control.clone());
        move || read(&master, &control, &sender)
    });
    let parser = vt100::Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0);
    Pty { master: Some(master), child, chunks, control, reader: Some(reader), parser, raw: Vec::new(), before }
}

fn winsize((columns, rows): (u16, u16)) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

fn read(master: &OwnedFd, control: &Control, sender: &Sender<Vec<u8>>) {
    let mut buffer = [0; 65536];
    loop {
        let mut reading = control.0.lock().unwrap();
        while *reading == Reading::Stalled {
            reading = control.1.wait(reading).unwrap();
        }
        let mode = *reading;
        drop(reading);
        let most = match mode {
            Reading::Stopped => return,
            Reading::Limited(rate) => {
                std::thread::sleep(Duration::from_millis(20));
                (rate / 50).max(1)
            }
            Reading::Full | Reading::Stalled => buffer.len(),
        };
        let tick = rustix::time::Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        if poll(&mut [PollFd::new(master, PollFlags::IN)], Some(&tick)).is_ok_and(|ready| ready == 0) {
            continue;
        }
        match rustix::io::read(master.as_fd(), &mut buffer[..most]) {
            Ok(count) if count > 0 => {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            // EIO: nobody holds the other side.
            Ok(_) | Err(_) => return,
        }
    }
}

impl Pty {
    fn master(&self) -> &OwnedFd {
        self.master.as_ref().expect("the terminal is open")
    }

    /// The program's process id.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Types bytes; they must fit into the terminal's queue or be read within a minute.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref();
        let until = clock::boot() + Duration::from_secs(60);
        while !bytes.is_empty() {
            let tick = rustix::time::Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            let ready = poll(&mut [PollFd::new(self.master(), PollFlags::OUT)], Some(&tick)).unwrap();
            if ready > 0 {
                // The queue of typed keys holds 4,095 bytes; a write of one page at most never waits once it is ready.
                let count = rustix::io::write(self.master(), &bytes[..bytes.len().min(1024)]).unwrap();
                bytes = &bytes[count..];
            }
            assert!(clock::boot() < until, "nobody reads the keys");
        }
    }

    /// Takes what has arrived, waiting for the first of it; `false` when the program has closed the terminal.
    fn take(&mut self, wait: Duration) -> bool {
        match self.chunks.recv_timeout(wait) {
            Ok(chunk) => self.show(&chunk),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        while let Ok(chunk) = self.chunks.try_recv() {
            self.show(&chunk);
        }
        true
    }

    fn show(&mut self, chunk: &[u8]) {
        self.parser.process(chunk);
        self.raw.extend_from_slice(chunk);
    }

    /// Waits until the screen is as described, or fails with the screen.
    #[track_caller]
    pub fn wait_until(&mut self, what: &str, timeout: Duration, is: impl Fn(&vt100::Screen) -> bool) {
        let until = clock::boot() + timeout;
        loop {
            self.take(Duration::ZERO);
            if is(self.parser.screen()) {
                return;
            }
            let left = until.saturating_sub(clock::boot());
            let open = !left.is_zero() && self.take(left.min(Duration::from_millis(100)));
            if !open && !is(self.parser.screen()) {
                panic!("the screen did not show {what} within {timeout:?}; it shows\n{}", self.contents());
            }
        }
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str, timeout: Duration) {
        self.wait_until(&format!("{text:?}"), timeout, |screen| screen.contents().contains(text));
    }

    /// Takes what arrives in the meantime.
    pub fn watch(&mut self, time: Duration) {
        let until = clock::boot() + time;
        loop {
            let left = until.saturating_sub(clock::boot());
            if left.is_zero() {
                return;
            }
            if !self.take(left) {
                std::thread::sleep(left);
            }
        }
    }

    /// What a person sees now.
    pub fn contents(&mut self) -> String {
        self.take(Duration::ZERO);
        self.parser.screen().contents()
    }

    /// One row of it.
    pub fn row(&mut self, row: u16) -> String {
        self.take(Duration::ZERO);
        let columns = self.parser.screen().size().1.get();
        self.parser.screen().rows(0, columns).nth(usize::from(row)).unwrap_or_default()
    }

    /// The emulator's screen: colours, cursor, modes.
    pub fn screen(&mut self) -> &vt100::Screen {
        self.take(Duration::ZERO);
        self.parser.screen()
    }

    /// Every byte so far.
    pub fn raw(&mut self) -> &[u8] {
        self.take(Duration::ZERO);
        &self.raw
    }

    /// Another size of the window; the program gets its SIGWINCH.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.take(Duration::ZERO);
        self.parser.screen_mut().set_size(size.1.try_into().unwrap(), size.0.try_into().unwrap());
        tcsetwinsize(self.master(), winsize(size)).unwrap();
    }

    /// A size that the program is told, and that no screen has: what stands on this one counts no more until the next
    /// size.
    pub fn resize_unseen(&mut self, size: (u16, u16)) {
        tcsetwinsize(self.master(), winsize(size)).unwrap();
    }

    /// Stops reading.
    pub fn stall(&self) {
        self.read_as(Reading::Stalled);
    }

    /// Reads again, at once.
    pub fn resume(&self) {
        self.read_as(Reading::Full);
    }

    /// Changes how the terminal reads.
    pub fn read_as(&self, reading: Reading) {
        *self.control.0.lock().unwrap() = reading;
        self.control.1.notify_all();
    }

    /// Closes the terminal, as when a window is closed or a link breaks.
    pub fn close(&mut self) {
        self.read_as(Reading::Stopped);
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.master = None;
    }

    /// Sends a signal to the program.
    pub fn kill(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Fails unless the terminal's modes are what they were before the program began.
    #[track_caller]
    pub fn assert_modes_as_before(&self) {
        assert_eq!(format!("{:?}", self.termios()), format!("{:?}", self.before));
    }

    /// The terminal's modes now.
    pub fn termios(&self) -> Termios {
        tcgetattr(self.master()).unwrap()
    }

    /// Waits for the end of the program; the screen goes on being shown meanwhile.
    #[track_caller]
    pub fn wait_exit(&mut self, timeout: Duration) -> ExitStatus {
        let until = clock::boot() + timeout;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it said last.
                while *self.control.0.lock().unwrap() == Reading::Full && self.take(Duration::from_millis(200)) {
                    if self.reader.as_ref().is_none_or(JoinHandle::is_finished) {
                        break;
                    }
                }
                self.take(Duration::ZERO);
                return status;
            }
            assert!(clock::boot() < until, "it did not end within {timeout:?}; the screen shows\n{}", self.contents());
            if !self.take(Duration::from_millis(5)) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }

    /// Processor time that the program has used, in clock ticks (100 a second).
    pub fn processor_ticks(&self) -> u64 {
        let fields = self.stat();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// The fields of `/proc/PID/stat` behind the name.
    fn stat(&self) -> Vec<String> {
        let pid = self.pid().as_raw_nonzero();
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        text.rsplit_once(')').unwrap().1.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // The program leads a session of its own, so its group has its number.
            let _ = kill_process_group(self.pid(), Signal::KILL);
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.close();
    }
}

/// How a program ended, as a shell would say it.
pub fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

/// Fails on any control function that the console has no business to send: see `run::encoder` and `run::tty` for the list.
#[track_caller]
pub fn assert_no_stray_escapes(raw: &[u8]) {
    if let Some(stray) = first_stray(raw) {
        panic!("the terminal was sent {stray}");
    }
}

fn first_stray(raw: &[u8]) -> Option<String> {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            return Some(format!("broken UTF-8 at byte {at}: {:?}", raw[at..].iter().take(8).collect::<Vec<_>>()));
        }
    };
    let mut rest = text;
    while let Some(at) = rest.find(is_stray_letter) {
        rest = &rest[at..];
        let shown: String = rest.chars().take(24).collect();
        if rest.starts_with(['\r', '\n', '\x08']) {
            rest = &rest[1..];
            continue;
        }
        // The question for the colour of its ground.
        if let Some(after) = rest.strip_prefix("\x1b]11;?\x1b\\") {
            rest = after;
            continue;
        }
        // The question where its cursor is, behind letters of ambiguous width.
        if let Some(after) = rest.strip_prefix("\x1b[6n") {
            rest = after;
            continue;
        }
        let Some(sequence) = rest.strip_prefix("\x1b[") else { return Some(format!("{shown:?}")) };
        let Some(end) = sequence.find(|letter: char| ('@'..='~').contains(&letter)) else {
            return Some(format!("an unfinished {shown:?}"));
        };
        let (parameters, last) = (&sequence[..end], &sequence[end..=end]);
        let numeric = parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        let allowed = match last {
            "h" | "l" => ["?25", "?1002", "?1006", "?1049", "?2004", "?2026"].contains(&parameters),
            "m" => parameters.bytes().all(|byte| byte.is_ascii_digit() || byte == b';' || byte == b':'),
            "J" | "K" => parameters.is_empty(),
            "A" | "B" | "C" | "D" | "G" | "H" | "X" => numeric,
            // The keyboard protocol: asked for, taken, given back.
            "u" => ["?", ">1", "=1", "<"].contains(&parameters),
            _ => false,
        };
        if !allowed {
            return Some(format!("{shown:?}"));
        }
        rest = &sequence[end + 1..];
    }
    None
}

/// Controls, and what can turn a line of text around or hide in it; joiners are parts of words.
fn is_stray_letter(letter: char) -> bool {
    letter.is_control()
        || matches!(u32::from(letter), 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f | 0xfeff | 0xe0000..=0xe0fff)
}
