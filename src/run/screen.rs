//! The way of a frame to the terminal, without ever waiting for it.
//!
//! Hides the one frame in flight, the newest one behind it, and the byte budget.
//!
//! Invariant: what is compared with is what the terminal shows once the bytes in flight are written; a frame is never torn by the
//! next; nothing here blocks.

use std::io;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::budget::Budget;
use super::clock;
use super::encoder::{Colours, Habits, Shown, Urgency};
use super::tty::Tty;

/// The output side of the terminal.
#[derive(Debug)]
pub struct Screen {
    shown: Shown,
    flight: Vec<u8>,
    /// How much of the flight is written.
    written: usize,
    waiting: Option<Waiting>,
    /// Its buffers, kept for the next time.
    spare: Option<Buffer>,
    budget: Budget,
    stall: Option<Stall>,
}

/// The newest frame behind the one in flight.
#[derive(Debug)]
struct Waiting {
    next: Buffer,
    cursor: Option<Position>,
    /// `None`: everything may have changed.
    changed: Option<Vec<Rect>>,
    urgency: Urgency,
}

/// Since when the terminal takes less than it is given, and what it took.
#[derive(Clone, Copy, Debug)]
struct Stall {
    since: Duration,
    bytes: usize,
}

impl Screen {
    /// An output of which nothing is known yet: the first frame paints everything.
    /// `line` is what the line to the terminal carries in bytes per second, where that is known.
    pub fn new(colours: Colours, over_ssh: bool, line: Option<u32>, now: Duration) -> Self {
        Self {
            shown: Shown::new(colours),
            flight: Vec::new(),
            written: 0,
            waiting: None,
            spare: None,
            budget: Budget::new(over_ssh, line, now),
            stall: None,
        }
    }

    /// What the terminal does with letters, as far as it is known; the next frame paints everything.
    pub fn set_habits(&mut self, habits: Habits) {
        self.shown.set_habits(habits);
        self.forget();
    }

    /// Asks the terminal something with the first frame, which hides what the question prints.
    pub fn ask_first(&mut self, question: &'static [u8]) {
        self.shown.ask(question);
    }

    /// The next frame paints everything: after a resize, a resume, or for Ctrl+L.
    pub fn forget(&mut self) {
        self.shown.forget();
        if let Some(waiting) = &mut self.waiting {
            waiting.changed = None;
        }
    }

    /// After the terminal was given away and came back: what was in flight went nowhere.
    pub fn reset(&mut self) {
        self.flight.clear();
        self.written = 0;
        self.waiting = None;
        self.stall = None;
        self.forget();
    }

    /// When a machine-driven frame may be drawn: now, later, or `None`: ask again when [`Screen::progress`] returns.
    pub fn wants_frame(&self, now: Duration) -> Option<Duration> {
        (!self.is_busy()).then(|| self.budget.next_frame(now))
    }

    /// Whether a frame is still on its way.
    pub fn is_busy(&self) -> bool {
        self.written < self.flight.len()
    }

    /// Sends a frame at once, or as soon as the one before it is written; of several that wait the newest is sent.
    ///
    /// `changed` limits the comparison to the areas that were drawn since the last submission (`None`: anywhere).
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn submit(
        &mut self,
        tty: &Tty,
        next: &Buffer,
        cursor: Option<Position>,
        urgency: Urgency,
        changed: Option<&[Rect]>,
    ) -> io::Result<()> {
        if self.is_busy() {
            self.wait(next, cursor, urgency, changed);
            return Ok(());
        }
        self.launch(next, cursor, urgency, changed);
        self.write(tty)?;
        Ok(())
    }

    /// Sends bytes that change nothing on the screen (the clipboard), behind the frame in flight.
    pub fn send_aside(&mut self, bytes: &[u8]) {
        self.flight.extend_from_slice(bytes);
    }

    /// Goes on writing whenever the terminal takes bytes, and returns when all is written; never returns while there is nothing to
    /// write. Cancel-safe: what is written is remembered before every await.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub async fn progress(&mut self, tty: &Tty) -> io::Result<()> {
        if !self.is_busy() {
            return std::future::pending().await;
        }
        loop {
            let mut guard = tty.fd().writable().await?;
            // A short write is no reason to sleep; only `WouldBlock` clears the readiness.
            let result =
                guard.try_io(|_| if self.write(tty)? { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) });
            match result {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Err(_) => {}
            }
        }
    }

    fn wait(&mut self, next: &Buffer, cursor: Option<Position>, urgency: Urgency, changed: Option<&[Rect]>) {
        let (mut areas, mut most_urgent) = (changed.map(<[Rect]>::to_vec), urgency);
        let mut buffer = self.spare.take().unwrap_or_default();
        if let Some(older) = self.waiting.take() {
            areas = match (older.changed, areas) {
                // A dozen areas are compared faster than the whole; more only come from a terminal that stands still.
                (Some(mut all), Some(more)) if all.len() + more.len() <= 12 => {
                    all.extend(more);
                    Some(all)
                }
                _ => None,
            };
            if older.urgency == Urgency::Key {
                most_urgent = Urgency::Key;
            }
            buffer = older.next;
        }
        buffer.clone_from(next);
        self.waiting = Some(Waiting { next: buffer, cursor, changed: areas, urgency: most_urgent });
    }

    fn launch(&mut self, next: &Buffer, cursor: Option<Position>, urgency: Urgency, changed: Option<&[Rect]>) {
        self.flight.clear();
        self.written = 0;
        self.shown.encode(next, cursor, changed, urgency, &mut self.flight);
        if !self.flight.is_empty() {
            self.budget.spend(self.flight.len(), clock::boot());
        }
    }

    /// Writes until all is written (`true`) or nothing more fits.
    fn write(&mut self, tty: &Tty) -> io::Result<bool> {
        loop {
            while self.written < self.flight.len() {
                let count = tty.write_now(&self.flight[self.written..])?;
                self.written += count;
                if let Some(stall) = &mut self.stall {
                    stall.bytes += count;
                }
                if count == 0 {
                    self.stall.get_or_insert(Stall { since: clock::boot(), bytes: 0 });
                    return Ok(false);
                }
            }
            self.measure();
            match self.waiting.take() {
                Some(Waiting { next, cursor, changed, urgency }) => {
                    self.launch(&next, cursor, urgency, changed.as_deref());
                    self.spare = Some(next);
                }
                None => return Ok(true),
            }
        }
    }

    fn measure(&mut self) {
        let now = clock::boot();
        if let Some(stall) = self.stall.take() {
            let took = now.saturating_sub(stall.since);
            // A queue that was full for a moment only says that the frame was large.
            if took >= Duration::from_millis(100) {
                self.budget.drained(stall.bytes, took, now);
            }
        }
    }
}
