//! The shell around the console: one current-thread loop that feeds it and performs its effects.
//!
//! Hides everything that can wait. The loop awaits nothing but its `select!`, every arm of which may be dropped without losing anything; what takes
//! longer than a moment (files, parsing, HTTP) happens in tasks and on other threads, and comes back as a message.
//!
//! Invariant: the first frame is out before anything was read; quitting waits for no source and no terminal.

pub mod alarm;
pub mod alerts;
mod beside;
pub mod budget;
pub mod burst;
mod commands;
pub mod copy;
mod daily;
pub mod doctor;
pub use crate::clock;
pub mod encoder;
pub mod input;
pub mod intake;
pub mod keeper;
pub mod keys;
mod known;
pub mod lacking;
pub(crate) mod log;
pub mod merge;
pub mod minder;
pub mod pace;
mod pager;
pub mod picture;
pub mod plain;
mod post;
pub mod postmortem;
mod printout;
pub mod records;
pub mod rehearsal;
mod rescue;
mod runbooks;
pub mod schemes;
pub mod screen;
pub mod served;
pub mod server;
mod shell;
pub mod signals;
pub mod staging;
pub mod tty;
mod unrecorded;
mod watch_files;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::channel::{ChannelSpec, SystemSettings};
use crate::console::{Console, Cursor, Effect, Msg, Settings};
use crate::incident::{IncidentId, Staging};
use crate::journal::{JournalDir, JournalError, Ledger, Sharing};
use crate::source::{Endpoint, SourceSpec};
use crate::text::{CleanStr, CleanText};
use crate::theme::{Ground, Theme, ground};
use alarm::Alarm;
use burst::Burst;
use encoder::{Colours, Habits, Urgency};
use input::{Input, Typed};
use pace::Pace;
use screen::Screen;
use shell::{Happened, Shell};
use signals::{Asked, Signals};
use staging::Claim;
use tty::Tty;

/// The loop wakes at least this often while it looks whether the clocks still agree.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);
/// And at least this often while it looks for the size of a terminal of another session, of which the system does not
/// tell it.
const SIZE_IS_ASKED: Duration = Duration::from_secs(1);
/// How long the way out waits for the journal to write what it accepted.
const PATIENCE: Duration = Duration::from_millis(1500);

/// What a console opens with.
#[derive(Clone, Debug, PartialEq)]
pub enum Opening {
    /// The only open incident of this host, or else the start screen.
    Auto,
    /// A record.
    Record(IncidentId),
    /// A drill that begins now.
    Drill(Drill),
}

/// A drill to be started.
#[derive(Clone, Debug, PartialEq)]
pub struct Drill {
    /// The exercise's name.
    pub name: CleanStr,
    /// Its file's text.
    pub text: String,
    /// The same seed gives the same world.
    pub seed: u64,
    /// Seconds of the drill in one second.
    pub speed: f64,
    /// The staging environment in which it is played; without, its world is simulated.
    pub staging: Option<Staging>,
    /// The team that plays it, where several do at once.
    pub team: Option<CleanStr>,
}

/// Where the journal is, and who may read it.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalPlace {
    /// The folder.
    pub directory: PathBuf,
    /// One account, or a group.
    pub sharing: Sharing,
    /// The account's own folder, in which it notes what it wrote.
    pub own: PathBuf,
}

impl JournalPlace {
    /// Opens the folder; makes it where it does not exist.
    pub fn open(&self) -> Result<JournalDir, JournalError> {
        JournalDir::open(&self.directory, self.sharing).map(|dir| dir.noted_in(Ledger::in_folder(self.own.clone())))
    }
}

/// A fault that a test asks for, to see what the loop makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fault {
    /// The loop panics after its first frame.
    PanicLoop,
    /// A task panics after the first frame.
    PanicTask,
    /// A thread beside the loop panics after the first frame.
    PanicThread,
    /// A call that ends in no other way uses up the stack after the first frame.
    StackOverflow,
    /// The system has no memory left after the first frame.
    OutOfMemory,
}

impl Fault {
    /// Does what is asked for beside the loop or to the whole process.
    fn happen(self) {
        match self {
            Self::PanicLoop | Self::PanicTask => {}
            Self::PanicThread => {
                let _ = std::thread::Builder::new().name("asked".to_owned()).spawn(fail).map(|thread| thread.join());
            }
            Self::StackOverflow => drop(std::hint::black_box(deeper(1))),
            Self::OutOfMemory => std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; 1 << 20]>()),
        }
    }
}

/// Calls itself until there is no stack left.
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    if depth == 0 { 0 } else { deeper(depth + 1) + room[room.len() - 1] }
}

/// The theme for each ground of a terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounds {
    /// For light letters on a dark ground.
    pub dark: Theme,
    /// For dark letters on a light one.
    pub light: Theme,
}

impl Grounds {
    /// The theme that is legible on a ground.
    pub fn on(&self, ground: Ground) -> &Theme {
        match ground {
            Ground::Dark => &self.dark,
            Ground::Light => &self.light,
        }
    }
}

/// All that a console is started with.
pub struct Plan {
    /// What the console is told.
    pub settings: Settings,
    /// What it opens.
    pub opening: Opening,
    /// The drill that the start screen offers.
    pub drill: Drill,
    /// Where the journal is.
    pub journal: JournalPlace,
    /// The sources that are configured.
    pub endpoints: Vec<(&'static SourceSpec, Endpoint)>,
    /// The sources of the staging environment, where one is configured.
    pub staging: Vec<(&'static SourceSpec, Endpoint)>,
    /// The staging environment, which must prove to be one before anything is put there; or why it is none.
    pub to_prove: Option<Result<Claim, CleanStr>>,
    /// The flags with which this binary finds the same configuration and journal, for a keeper.
    pub keeper: Vec<std::ffi::OsString>,
    /// The systems that texts are sent to.
    pub channels: Vec<(&'static ChannelSpec, Endpoint)>,
    /// What they are opened with.
    pub channel_options: SystemSettings,
    /// The program that prints changes, if there is one, and the pause between two runs.
    pub change_command: Option<(Vec<String>, std::time::Duration)>,
    /// Folders with more playbooks.
    pub playbooks: crate::config::files::Shelf,
    /// Folders with runbooks in Markdown.
    pub runbooks: Vec<PathBuf>,
    /// The folder with templates of one's own.
    pub templates: PathBuf,
    /// Where a starter config would be written.
    pub starter_config: PathBuf,
    /// Colours, or none at all.
    pub colours: Colours,
    /// The terminal is far away.
    pub is_remote: bool,
    /// Mouse events are asked for.
    pub mouse: bool,
    /// The terminal answers questions, or keeps quiet about those that it does not know.
    pub answers: bool,
    /// What the line to the terminal carries, where the configuration says it.
    pub bytes_per_second: Option<u32>,
    /// The themes for a dark and for a light ground, where the terminal decides; the one in the settings is the first guess.
    pub grounds: Option<Grounds>,
    /// The log files' folder.
    pub log: PathBuf,
    /// What is known of the terminal's letters before it is asked.
    pub habits: Habits,
    /// Whether it is asked for the rest.
    pub asks_width: bool,
    /// A fault that a test asks for.
    pub fault: Option<Fault>,
}

/// Runs a full-screen console until it is left; gives the exit status.
pub fn console(plan: Plan) -> anyhow::Result<ExitCode> {
    let runtime = crate::run::lacking::runtime()?;
    // As a task: a timer that wakes `block_on` itself writes to an event descriptor each time, once a second for nothing.
    let result = runtime.block_on(async { tokio::spawn(run(plan)).await });
    // A source that hangs in a blocking call must not keep the person waiting.
    runtime.shutdown_background();
    match result {
        Ok(status) => status.map(ExitCode::from),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

async fn run(plan: Plan) -> anyhow::Result<u8> {
    let mut tty = Tty::open()?;
    if plan.mouse {
        tty = tty.with_mouse();
    }
    let guard = tty.enter()?;
    tty::install_panic_hook(tty.restore_handle(), &plan.log, |panic| tracing::error!("{panic}"));
    let tells_its_size = tty.tells_its_size();
    let size = tty.size();
    let area = Rect::new(0, 0, size.width, size.height);
    let mut view = View {
        console: Console::new(plan.settings.clone(), area),
        screen: Screen::new(plan.colours, plan.is_remote, plan.bytes_per_second, clock::boot()),
        buffer: Buffer::empty(area),
        cursor: None,
        is_key: true,
    };
    if plan.opening == Opening::Auto {
        view.console.show_start();
    }
    view.screen.set_habits(plan.habits);
    if plan.asks_width {
        view.screen.ask_first(Habits::ASK);
    }
    view.draw(&tty, clock::wall())?;
    let _log = log::start(&plan.log);
    if let Err(error) = tty.mind(&plan.log) {
        tracing::warn!(%error, "nobody gives the terminal back should this process be killed: `reset` does");
    }
    let mut signals = Signals::new()?;
    let alarm = Alarm::unset();
    let mut input = Input::new(plan.is_remote);
    let (mut pace, mut burst) = (Pace::default(), Burst::default());
    let fault = plan.fault;
    let grounds = plan.grounds.clone();
    if grounds.is_some() {
        view.screen.send_aside(ground::ASK);
    }
    if plan.answers {
        view.screen.send_aside(tty::ASK_KEYBOARD);
    }
    let mut shell = Shell::start(plan);
    shell.remark(lacking::notice());
    if matches!(shell.plan.opening, Opening::Auto) {
        daily::check_up(&shell.plan, daily::Occasion::Start, shell.back());
    }
    if let Some(fault) = fault {
        fault.happen();
    }
    if fault == Some(Fault::PanicTask) {
        shell.panic_in_a_task();
    }
    let mut watch = clock::Watch::new(clock::wall(), clock::boot());
    let status = loop {
        let wall = clock::wall();
        if let Some(jump) = watch.check(wall, clock::boot()) {
            view.handle(Msg::ClockJumped(jump), wall, &mut shell);
        }
        // What follows from a message may be a message again (a refused append); the console settles before it is drawn.
        while let Some(msg) = shell.answer() {
            view.handle(msg, wall, &mut shell);
        }
        for msg in burst.timeout(clock::boot()) {
            view.is_key = true;
            view.handle(msg, wall, &mut shell);
        }
        if shell.is_over() {
            break 0;
        }
        if shell.wants_suspend() {
            shell.suspended();
            if tty.suspend().is_err() {
                break signals::Ending::Hup.status();
            }
            // What was in flight went to somebody else's screen, perhaps in the middle of a sequence: it must not go on here.
            view.screen.reset();
            view.repaint(&tty, &mut shell);
            continue;
        }
        if let Some(paged) = shell.wants_pager() {
            if let Some(ending) = view.page(&tty, &mut signals, paged, &mut shell).await {
                break ending.status();
            }
            continue;
        }
        if !tells_its_size && tty.size() != view.buffer.area.as_size() {
            view.repaint(&tty, &mut shell);
        }
        let Ok(frame) = view.draw_if_due(&tty, wall) else { break signals::Ending::Hup.status() };
        if !view.screen.is_busy() {
            view.console.frame_is_out(wall);
        }
        if fault == Some(Fault::PanicLoop) {
            fail();
        }
        let next = view.console.next_wake().map(|at| (at - wall).to_std().unwrap_or_default());
        let longest = if tells_its_size { LONGEST_SLEEP } else { SIZE_IS_ASKED };
        let held = burst.deadline().map(|at| at.saturating_sub(clock::boot()) + Duration::from_millis(1));
        let sleep = next.into_iter().chain(frame).chain(held).min().unwrap_or(longest).min(longest);
        let happened = tokio::select! {
            biased;
            asked = signals.next() => Event::Asked(asked),
            written = view.screen.progress(&tty) => Event::Written(written.is_ok()),
            typed = input.next(&tty) => Event::Typed(typed),
            happened = shell.next() => Event::Shell(happened),
            () = alarm.after(sleep) => Event::Time,
        };
        let wall = clock::wall();
        match happened {
            Event::Asked(Asked::Terminate(ending)) => break ending.status(),
            Event::Asked(Asked::Resize) => {
                view.repaint(&tty, &mut shell);
                // A tmux that was attached elsewhere may stand on another ground.
                if grounds.is_some() {
                    view.screen.send_aside(ground::ASK);
                }
            }
            Event::Asked(Asked::Continue) => {
                view.screen.reset();
                // Somebody else may have changed the modes while we were stopped; without a terminal the input says so at once.
                if tty.resume().is_ok() {
                    view.repaint(&tty, &mut shell);
                }
            }
            Event::Asked(Asked::Suspend) => shell.suspend(),
            Event::Written(true) => {}
            Event::Written(false) | Event::Typed(Typed::Lost) => {
                for msg in burst.end(clock::boot()) {
                    view.handle(msg, wall, &mut shell);
                }
                break signals::Ending::Hup.status();
            }
            Event::Typed(Typed::Events(events)) => {
                view.is_key = true;
                if pace.take(&events, clock::boot()) {
                    view.handle(Msg::Flood, wall, &mut shell);
                }
                for event in events {
                    let breaks = view.console.breaks_a_text(&event, wall);
                    for msg in burst.take(event, clock::boot(), breaks) {
                        view.handle(msg, wall, &mut shell);
                    }
                }
            }
            Event::Typed(Typed::Keyboard) => view.screen.send_aside(tty.ask_for_all_keys()),
            Event::Typed(Typed::Pastings(pastings)) => {
                view.is_key = true;
                for pasting in pastings {
                    view.handle(Msg::Pasting(pasting), wall, &mut shell);
                }
            }
            Event::Typed(Typed::Ground(ground)) => {
                if let Some(grounds) = &grounds {
                    view.handle(Msg::Theme(Box::new(grounds.on(ground).clone())), wall, &mut shell);
                }
            }
            Event::Typed(Typed::DrawsWide(draws_wide)) => {
                if draws_wide && shell.plan.asks_width {
                    view.screen.set_habits(Habits { draws_wide, ..shell.plan.habits });
                    tracing::info!("{DRAWS_WIDE}");
                    view.handle(Msg::Done(DRAWS_WIDE.into()), wall, &mut shell);
                }
            }
            Event::Shell(happened) => {
                view.take(happened, wall, &mut shell);
                // Everything that is there is taken before anything is drawn: frames are for people, not for messages.
                while let Some(happened) = shell.ready() {
                    view.take(happened, wall, &mut shell);
                }
            }
            Event::Time => {
                view.handle(Msg::Wake, wall, &mut shell);
            }
        }
        while let Some(bytes) = shell.for_the_terminal() {
            view.screen.send_aside(&bytes);
        }
    };
    // The terminal first: it is what the person looks at.
    let (draft, typed) = (view.console.unsaved_draft(), view.console.half_typed());
    let forms = view.console.unsaved_forms();
    let left = view.console.left_behind(clock::wall());
    drop(guard);
    let closed = shell.close(draft, forms, typed, PATIENCE).map_err(anyhow::Error::msg);
    if !left.is_empty() {
        use std::io::Write as _;
        // A terminal that is gone reads nothing.
        let _ = writeln!(std::io::stderr(), "{}", crate::text::shown(&left.join("\n")));
    }
    closed?;
    Ok(status)
}

/// What is said where lines and accented letters would take two columns.
const DRAWS_WIDE: &str = "this terminal draws lines and letters such as é two columns wide, so they are shown in ASCII: \
                          make ambiguous width narrow in its settings";

enum Event {
    Asked(Asked),
    Written(bool),
    Typed(Typed),
    Shell(Happened),
    Time,
}

#[expect(clippy::panic, reason = "this is what a test asks for with --fault")]
fn fail() {
    panic!("a fault that was asked for");
}

/// The console and the way of its picture to the terminal.
struct View {
    console: Console,
    screen: Screen,
    buffer: Buffer,
    cursor: Option<Position>,
    /// A person waits for the next frame.
    is_key: bool,
}

impl View {
    fn handle(&mut self, msg: Msg, wall: DateTime<Utc>, shell: &mut Shell) {
        for effect in self.console.handle(msg, wall) {
            if effect == Effect::Repaint {
                self.screen.forget();
            } else {
                shell.perform(effect);
            }
        }
    }

    fn take(&mut self, happened: Happened, wall: DateTime<Utc>, shell: &mut Shell) {
        for msg in shell.settle(happened) {
            self.handle(msg, wall, shell);
        }
    }

    /// Leaves the terminal to a pager until it is closed; what happens meanwhile is taken in and drawn afterwards.
    async fn page(
        &mut self,
        tty: &Tty,
        signals: &mut Signals,
        paged: pager::Paged,
        shell: &mut Shell,
    ) -> Option<signals::Ending> {
        tty.leave();
        let mut pager = tokio::task::spawn_blocking(move || pager::show(&paged));
        let ending = loop {
            tokio::select! {
                biased;
                asked = signals.next() => match asked {
                    // Ctrl+C is the pager's, and reaches us too.
                    Asked::Terminate(signals::Ending::Int) | Asked::Suspend | Asked::Continue | Asked::Resize => {}
                    Asked::Terminate(ending) => break Some(ending),
                },
                shown = &mut pager => {
                    if let Ok(Err(why)) = shown {
                        self.handle(Msg::Failed(CleanText::new(&why)), clock::wall(), shell);
                    }
                    break None;
                }
                happened = shell.next() => self.take(happened, clock::wall(), shell),
            }
        };
        self.screen.reset();
        if tty.resume().is_err() {
            return ending.or(Some(signals::Ending::Hup));
        }
        self.repaint(tty, shell);
        ending
    }

    /// Takes the terminal's size anew and draws everything.
    fn repaint(&mut self, tty: &Tty, shell: &mut Shell) {
        let size = tty.size();
        self.buffer.resize(Rect::new(0, 0, size.width, size.height));
        self.screen.forget();
        self.is_key = true;
        // Another size may want finer charts, which the sources must be told of.
        let resize = crossterm::event::Event::Resize(size.width, size.height);
        self.handle(Msg::Input(resize), clock::wall(), shell);
    }

    /// Draws if something is dirty and a frame may go now; else says how long until one may.
    fn draw_if_due(&mut self, tty: &Tty, wall: DateTime<Utc>) -> std::io::Result<Option<Duration>> {
        if !self.console.is_dirty() {
            self.is_key = false;
            return Ok(None);
        }
        if !self.is_key {
            let now = clock::boot();
            match self.screen.wants_frame(now) {
                // The frame in flight must land first; its landing wakes the loop.
                None => return Ok(None),
                Some(at) if at > now => return Ok(Some(at - now)),
                Some(_) => {}
            }
        }
        self.draw(tty, wall)?;
        Ok(None)
    }

    fn draw(&mut self, tty: &Tty, wall: DateTime<Utc>) -> std::io::Result<()> {
        let dirty = self.console.begin_frame(wall);
        let drawn = self.console.draw(wall, dirty, &mut self.buffer);
        match drawn.cursor {
            Cursor::Kept => {}
            Cursor::Hidden => self.cursor = None,
            Cursor::At(position) => self.cursor = Some(position),
        }
        let urgency = if self.is_key { Urgency::Key } else { Urgency::Machine };
        self.is_key = false;
        self.screen.submit(tty, &self.buffer, self.cursor, urgency, Some(&drawn.changed))
    }
}
