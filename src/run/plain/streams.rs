//! The two ends of line mode: lines in from stdin, lines out to stdout.
//!
//! Hides three threads, because reading and writing a pipe can take for ever: one reads, one writes, one hears that nobody reads any more.
//! They are left behind at the end of the process, whatever they wait for.
//!
//! Invariant: nothing here blocks the loop; what is printed holds no control character but `\n`, and in an ASCII locale nothing but ASCII.

use std::io::{self, BufRead};
use std::os::fd::BorrowedFd;
use std::sync::mpsc as blocking;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};

use crate::text::printed::printed;
use crate::text::{CleanText, TEXT_BYTES, is_invisible, shown};
use crate::widget::text::wrap;

/// How many typed lines may wait; then their writer waits.
const TYPED: usize = 64;
/// How many pieces of output may be on their way to the writing thread.
const PIECES: usize = 16;
/// How much may wait for a reader that does not read; what comes then is left out, and said to be.
const MOST_WAITING: usize = 1 << 20;
/// Columns of a text before it goes on in the next line.
const WIDTH: usize = 1000;

/// What came from stdin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// A line without its end.
    Line(String),
    /// A line of so many bytes, which is more than a note takes; it was read over.
    TooLong(usize),
    /// There will be no more.
    End,
}

/// Starts reading stdin; the channel ends after [`Typed::End`].
pub(super) fn read_stdin() -> io::Result<mpsc::Receiver<Typed>> {
    let (sender, typed) = mpsc::channel(TYPED);
    let read = move || {
        let mut stdin = io::stdin().lock();
        loop {
            let line = next_line(&mut stdin);
            let is_end = line == Typed::End;
            if sender.blocking_send(line).is_err() || is_end {
                return;
            }
        }
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(read)?;
    Ok(typed)
}

/// The lines of nobody.
pub(super) fn nothing() -> mpsc::Receiver<Typed> {
    mpsc::channel(1).1
}

/// How often it is looked whether the last of it was taken.
const DRAINING: Duration = Duration::from_millis(20);

fn next_line(input: &mut impl BufRead) -> Typed {
    let (mut line, mut length) = (Vec::new(), 0);
    loop {
        let piece = match input.fill_buf() {
            Ok(piece) => piece,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // A terminal that hung up, a descriptor that is closed: nobody types any more.
            Err(_) => &[],
        };
        let newline = piece.iter().position(|byte| *byte == b'\n');
        let used = newline.unwrap_or(piece.len());
        length += used;
        if length > TEXT_BYTES {
            line.clear();
        } else {
            line.extend_from_slice(&piece[..used]);
        }
        let is_end = piece.is_empty();
        input.consume(used + usize::from(newline.is_some()));
        if newline.is_some() || (is_end && length > 0) {
            let text = printed(String::from_utf8_lossy(&line).trim_end_matches('\r'));
            return if length > TEXT_BYTES { Typed::TooLong(length) } else { Typed::Line(text) };
        }
        if is_end {
            return Typed::End;
        }
    }
}

/// How writing ended.
#[derive(Debug)]
pub(super) enum Written {
    /// All of it.
    Everything,
    /// Nobody reads any more.
    Unread,
    /// The system refused (a full disk).
    Refused(io::Error),
    /// The reader is slower than we wait.
    InTime,
}

/// Lines on their way to stdout, or kept until somebody takes them.
pub(super) struct Paper {
    pipe: Option<Pipe>,
    waiting: String,
    left_out: usize,
    is_ascii: bool,
    /// What each line begins with.
    mark: &'static str,
}

/// The way to the threads of stdout.
struct Pipe {
    pieces: mpsc::Sender<Vec<u8>>,
    ended: blocking::Receiver<io::Result<()>>,
    gone: oneshot::Receiver<()>,
}

impl Paper {
    /// Goes nowhere: what is printed is taken by whoever wants it.
    pub(super) fn kept() -> Self {
        Self { pipe: None, waiting: String::new(), left_out: 0, is_ascii: false, mark: "" }
    }

    /// What was printed and went nowhere.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.waiting)
    }

    /// Starts the threads of stdout.
    pub(super) fn new(is_ascii: bool) -> io::Result<Self> {
        let (pieces, mut queue) = mpsc::channel::<Vec<u8>>(PIECES);
        let (end, ended) = blocking::channel();
        let write = move || {
            let mut result = Ok(());
            while let (Ok(()), Some(piece)) = (&result, queue.blocking_recv()) {
                result = write_all(rustix::stdio::stdout(), &piece);
            }
            let _ = end.send(result);
        };
        std::thread::Builder::new().name("stdout".to_owned()).spawn(write)?;
        let (leave, gone) = oneshot::channel();
        let listen = move || {
            // Asked for nothing, poll tells only that the other end was closed; of a file it never does.
            let mut stdout = [PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty())];
            while poll(&mut stdout, None) == Err(Errno::INTR) {}
            let _ = leave.send(());
        };
        std::thread::Builder::new().name("stdout-gone".to_owned()).spawn(listen)?;
        let pipe = Some(Pipe { pieces, ended, gone });
        Ok(Self { pipe, waiting: String::new(), left_out: 0, is_ascii, mark: "" })
    }

    /// From now on each line says by its beginning that it is of a drill, or not any more.
    pub(super) fn mark(&mut self, is_drill: bool) {
        self.mark = if is_drill && self.pipe.is_some() { "DRILL " } else { "" };
    }

    /// Prints a text behind a heading; further lines of it are indented.
    pub(super) fn say(&mut self, heading: &str, text: &str) {
        for (place, line) in wrap(&CleanText::new(text), WIDTH).into_iter().enumerate() {
            let line = if place == 0 { format!("{heading}{line}") } else { format!("    {line}") };
            self.line(&line);
        }
    }

    /// Prints a line.
    pub(super) fn line(&mut self, line: &str) {
        if self.waiting.len() > MOST_WAITING && self.pipe.is_some() {
            self.left_out += 1;
            return;
        }
        if self.left_out > 0 {
            let words = format!("! {} lines were left out: nobody read them\n", std::mem::take(&mut self.left_out));
            self.waiting.push_str(&words);
        }
        let clean = CleanText::new(line);
        for line in shown(&clean).split('\n') {
            // A record's name says it as well.
            self.waiting.push_str(if line.starts_with(self.mark.trim_end()) { "" } else { self.mark });
            self.waiting.push_str(&if self.is_ascii { ascii(line) } else { line.to_owned() });
            self.waiting.push('\n');
        }
    }

    /// Hands what was printed to the writing thread, where there is room.
    pub(super) fn flush(&mut self) {
        let Some(pipe) = self.pipe.as_ref().filter(|_| !self.waiting.is_empty()) else { return };
        if let Ok(room) = pipe.pieces.try_reserve() {
            room.send(std::mem::take(&mut self.waiting).into_bytes());
        }
    }

    /// Ends when stdout cannot be written any more; or, while something waits, when there is room for it. Cancel-safe.
    pub(super) async fn next(&mut self) -> Stdout {
        let Some(Pipe { pieces, gone, .. }) = &mut self.pipe else { return std::future::pending().await };
        let room = async {
            match pieces.reserve().await {
                Ok(_) => Stdout::HasRoom,
                Err(_) => Stdout::Gone,
            }
        };
        tokio::select! {
            biased;
            _ = gone => Stdout::Gone,
            () = pieces.closed() => Stdout::Gone,
            stdout = room, if !self.waiting.is_empty() => stdout,
        }
    }

    /// Waits until all is written.
    pub(super) async fn drain(&mut self) {
        let Some(pipe) = &self.pipe else { return };
        let waiting = std::mem::take(&mut self.waiting).into_bytes();
        // The empty piece is taken once all before it is written. Where nobody takes any, the end says why.
        for piece in [waiting, Vec::new()] {
            if pipe.pieces.send(piece).await.is_err() {
                return;
            }
        }
        while !pipe.pieces.is_closed() && pipe.pieces.capacity() < pipe.pieces.max_capacity() {
            tokio::time::sleep(DRAINING).await;
        }
    }

    /// Writes what waits, but not for ever. Blocks: for the way out.
    pub(super) fn close(self, patience: Duration) -> Written {
        let Self { pipe: Some(Pipe { pieces, ended, .. }), waiting, .. } = self else { return Written::Everything };
        // A queue that is full of what nobody reads has no room for more of it.
        let _ = pieces.try_send(waiting.into_bytes());
        drop(pieces);
        match ended.recv_timeout(patience) {
            Ok(Ok(())) => Written::Everything,
            Ok(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Written::Unread,
            Ok(Err(error)) => Written::Refused(error),
            Err(_) => Written::InTime,
        }
    }
}

/// What is new about stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stdout {
    /// More can be written.
    HasRoom,
    /// Nothing can be written any more.
    Gone,
}

fn write_all(out: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(out, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            // Somebody who shares the descriptor made it non-blocking.
            Err(Errno::AGAIN) => {
                let _ = poll(&mut [PollFd::from_borrowed_fd(out, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// A line for a locale that has no UTF-8.
fn ascii(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for letter in line.chars() {
        match letter {
            letter if letter.is_ascii() => out.push(letter),
            letter if is_invisible(letter) => {}
            '·' | '–' | '—' | '−' => out.push('-'),
            '→' => out.push_str("->"),
            '…' => out.push_str("..."),
            '✓' => out.push_str("[x]"),
            '×' => out.push('x'),
            '‘' | '’' => out.push('\''),
            '“' | '”' => out.push('"'),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            'µ' | 'μ' => out.push('u'),
            '\u{a0}' => out.push(' '),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_however_they_end_and_a_monster_is_read_over() {
        let monster = "x".repeat(TEXT_BYTES + 1);
        let mut input = io::Cursor::new(format!("one\r\n\n{monster}\nlast without an end"));
        let mut lines = Vec::new();
        loop {
            match next_line(&mut input) {
                Typed::End => break,
                line => lines.push(line),
            }
        }
        let line = |text: &str| Typed::Line(text.to_owned());
        assert_eq!(lines, [line("one"), line(""), Typed::TooLong(TEXT_BYTES + 1), line("last without an end")]);
    }

    #[test]
    fn in_an_ascii_locale_every_byte_is_ascii() {
        assert_eq!(ascii("p99 → 4 s… 支付 · ✓ 2×"), "p99 -> 4 s... ?? - [x] 2x");
    }
}
