//! The terminal layer on a real PTY, driven by a small program that stands for the console: this test binary again, as a child.

use std::ffi::OsStr;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use rustix::process::Signal;
use rustix::termios::LocalModes;
use warroom::clock;
use warroom::run::encoder::{Colours, Urgency};
use warroom::run::input::{Input, Typed};
use warroom::run::screen::Screen;
use warroom::run::signals::{Asked, Signals};
use warroom::run::tty::{Tty, install_panic_hook};

use crate::support::pty::{Pty, Reading, assert_no_stray_escapes, code, spawn};

const SOON: Duration = Duration::from_secs(60);
/// The child's exit status for "the terminal is gone".
const LOST: i32 = 7;

fn shell(script: &str) -> Pty {
    spawn(OsStr::new("sh"), &["-c", script], &[], (40, 8))
}

fn demo(kind: &str) -> Pty {
    let binary = std::env::current_exe().unwrap();
    let arguments = ["--exact", "terminal::stand_in", "--ignored", "--nocapture", "--test-threads=1"];
    spawn(binary.as_os_str(), &arguments, &[("WARROOM_STAND_IN", kind), ("RUST_BACKTRACE", "0")], (80, 24))
}

/// The child's side. `world` is what changes without keys: `still`, or `busy` (a frame of about 1.5 KB whenever one is allowed).
#[test]
#[ignore = "the other side of the tests here, started by them under a PTY"]
fn stand_in() {
    let Ok(world) = std::env::var("WARROOM_STAND_IN") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let live = std::panic::AssertUnwindSafe(|| runtime.block_on(live(world == "busy")));
    // 101 as a program of its own would; what a test says at its end would go to a terminal that nobody reads.
    std::process::exit(std::panic::catch_unwind(live).unwrap_or(101));
}

async fn live(busy: bool) -> i32 {
    let tty = Tty::open().unwrap();
    let mut signals = Signals::new().unwrap();
    install_panic_hook(tty.restore_handle(), std::path::Path::new("/var/log/warroom"), |_| {});
    let guard = tty.enter().unwrap();
    let mut input = Input::new(false);
    let mut screen = Screen::new(Colours::On, false, None, clock::boot());
    let mut typed = String::new();
    let mut drawn = 0_u64;
    let mut frame = Some(Urgency::Key);
    let status = loop {
        if let Some(urgency) = frame.take() {
            drawn += 1;
            let (next, cursor) = picture(&tty, &typed, busy.then_some(drawn));
            if screen.submit(&tty, &next, Some(cursor), urgency, None).is_err() {
                break LOST;
            }
        }
        let due = screen.wants_frame(clock::boot()).filter(|_| busy);
        let pause = due.map_or(Duration::MAX, |at| at.saturating_sub(clock::boot()));
        tokio::select! {
            got = input.next(&tty) => {
                let events = match got {
                    Typed::Events(events) => events,
                    Typed::Keyboard => {
                        screen.send_aside(tty.ask_for_all_keys());
                        continue;
                    }
                    Typed::Pastings(_) | Typed::Ground(_) | Typed::DrawsWide(_) => continue,
                    Typed::Lost => break LOST,
                };
                frame = Some(Urgency::Key);
                let mut end = false;
                for event in events {
                    match event {
                        Event::Key(key) if key.code == KeyCode::Char('z') && key.modifiers == KeyModifiers::CONTROL => {
                            if tty.suspend().is_err() {
                                break;
                            }
                            screen.reset();
                        }
                        Event::Key(key) => match key.code {
                            KeyCode::Char('Q') => end = true,
                            KeyCode::Char('P') => panic!("a bug on the loop"),
                            KeyCode::Char('T') => drop(tokio::spawn(async { panic!("a bug in a task") })),
                            KeyCode::Char(letter) => typed.push(letter),
                            other => typed.push_str(&format!("<{other:?}>")),
                        },
                        Event::Paste(text) => typed.push_str(&format!("[{text}]")),
                        Event::Resize(..) | Event::Mouse(_) | Event::FocusGained | Event::FocusLost => {}
                    }
                }
                if end {
                    break 0;
                }
            }
            asked = signals.next() => match asked {
                Asked::Resize => {
                    screen.forget();
                    frame = Some(Urgency::Machine);
                }
                Asked::Terminate(ending) => break i32::from(ending.status()),
                Asked::Suspend => {
                    if tty.suspend().is_err() {
                        break LOST;
                    }
                    screen.reset();
                    frame = Some(Urgency::Machine);
                }
                Asked::Continue => {
                    if tty.resume().is_err() {
                        break LOST;
                    }
                    screen.reset();
                    frame = Some(Urgency::Machine);
                }
            },
            done = screen.progress(&tty) => if done.is_err() {
                break LOST;
            },
            () = tokio::time::sleep(pause) => frame = Some(Urgency::Machine),
        }
    };
    drop(guard);
    status
}

/// The stand-in's screen: size, what was typed, and for the busy world the time and noise that no encoder can shorten.
fn picture(tty: &Tty, typed: &str, drawn: Option<u64>) -> (Buffer, Position) {
    let size = tty.size();
    let mut next = Buffer::empty(Rect::new(0, 0, size.width, size.height));
    next.set_string(0, 0, format!("stand-in {}x{}", size.width, size.height), Style::new());
    next.set_string(0, 1, format!("> {typed}"), Style::new());
    let column = u16::try_from(typed.chars().count()).unwrap_or(0) + 2;
    if let Some(mut seed) = drawn {
        next.set_string(0, 2, format!("time {} frame {seed}", clock::boot().as_millis()), Style::new());
        for y in 4..size.height.min(24) {
            let line: String = (0..size.width)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    char::from(b'a' + u8::try_from((seed >> 33) % 26).unwrap_or(0))
                })
                .collect();
            next.set_string(0, y, line, Style::new());
        }
    }
    (next, Position::new(column.min(size.width - 1), 1))
}

#[test]
fn the_harness_shows_types_resizes_and_ends() {
    let mut cat = shell("stty -echo; echo ready; cat");
    cat.wait_for("ready", SOON);
    cat.send("hello\n");
    cat.wait_for("hello", SOON);
    assert_eq!(cat.row(1), "hello");
    cat.send(b"\x04");
    assert_eq!(code(cat.wait_exit(SOON)), 0);
    let mut sized = shell("trap 'stty size' WINCH; stty size; while :; do sleep 0.05; done");
    sized.wait_for("8 40", SOON);
    sized.resize((60, 10));
    sized.wait_for("10 60", SOON);
    sized.kill(Signal::KILL);
    assert_eq!(code(sized.wait_exit(SOON)), 137);
    let mut slow =
        shell("i=0; while [ $i -lt 400 ]; do echo 0123456789012345678901234567890123456; i=$((i+1)); done; echo done");
    slow.read_as(Reading::Limited(8192));
    let start = clock::boot();
    slow.wait_for("done", SOON);
    assert!(clock::boot() - start > Duration::from_millis(1200), "15 KB took {:?}", clock::boot() - start);
}

#[test]
fn the_judge_knows_a_stray_escape() {
    assert_no_stray_escapes("text \u{1b}[1;31mred\u{1b}[m\r\n\u{1b}[?25h支付".as_bytes());
    for stray in
        ["\x1b]0;title\x07", "\x1b[5n", "\x1b[?1000h", "\x07", "a\u{202e}b", "\x1bc", "\x1b[2J", "\u{9b}1m", "\x1b["]
    {
        assert!(std::panic::catch_unwind(|| assert_no_stray_escapes(stray.as_bytes())).is_err(), "{stray:?}");
    }
}

#[test]
fn quitting_leaves_the_terminal_as_it_was() {
    let mut terminal = demo("still");
    terminal.wait_for("stand-in 80x24", SOON);
    assert!(terminal.screen().alternate_screen() && terminal.screen().bracketed_paste());
    assert!(!terminal.termios().local_modes.contains(LocalModes::ICANON));
    let bytes = terminal.raw().len();
    terminal.send("n");
    terminal.wait_for("> n", SOON);
    assert!(terminal.raw().len() - bytes <= 4, "one key cost {} bytes", terminal.raw().len() - bytes);
    terminal.send("\x1b[Ao\x1b[200~two words\x1b[201~");
    terminal.wait_for("> n<Up>o[two words]", SOON);
    terminal.send("Q");
    assert_eq!(code(terminal.wait_exit(SOON)), 0);
    let screen = terminal.screen();
    assert!(!screen.alternate_screen() && !screen.bracketed_paste() && !screen.hide_cursor());
    terminal.assert_modes_as_before();
    assert_no_stray_escapes(terminal.raw());
}

#[test]
fn keys_that_arrive_byte_by_byte_are_the_same_keys() {
    let mut terminal = demo("still");
    terminal.wait_for("stand-in 80x24", SOON);
    for byte in "a\x1b[1;5C\u{652f}\x1b[200~x\u{e9}\x1b[201~\x1bOPb".bytes() {
        terminal.send([byte]);
    }
    terminal.wait_for("> a<Right>\u{652f}[x\u{e9}]<F(1)>b", SOON);
}

#[test]
fn a_terminal_that_stands_still_stops_nobody_from_quitting() {
    let mut terminal = demo("busy");
    terminal.wait_for("frame", SOON);
    let before = terminal.processor_ticks();
    terminal.stall();
    std::thread::sleep(Duration::from_secs(2));
    let used = terminal.processor_ticks() - before;
    assert!(used < 100, "it used {used} ticks of processor time against a wall");
    terminal.send("abcQ");
    let start = clock::boot();
    assert_eq!(code(terminal.wait_exit(SOON)), 0);
    assert!(
        clock::boot() - start < crate::support::promised(Duration::from_millis(500)),
        "quitting took {:?}",
        clock::boot() - start
    );
    terminal.resume();
    terminal.wait_until("the shell's screen", SOON, |screen| !screen.alternate_screen() && !screen.hide_cursor());
}

#[test]
fn after_a_stall_the_newest_frame_is_shown_and_keys_were_kept() {
    let mut terminal = demo("busy");
    terminal.wait_for("frame", SOON);
    terminal.stall();
    std::thread::sleep(Duration::from_secs(1));
    terminal.send("abc");
    std::thread::sleep(Duration::from_millis(200));
    terminal.resume();
    terminal.wait_for("> abc", SOON);
    let began = clock::boot();
    let mut seen = Duration::MAX;
    while seen >= Duration::from_secs(2) {
        terminal.watch(Duration::from_millis(100));
        seen = age(&mut terminal);
        assert!(clock::boot() - began < SOON, "the screen is {seen:?} old");
    }
    assert_no_stray_escapes(terminal.raw());
}

#[test]
fn behind_a_slow_link_the_screen_stays_young() {
    let mut terminal = demo("busy");
    terminal.wait_for("frame", SOON);
    terminal.read_as(Reading::Limited(8192));
    terminal.watch(Duration::from_secs(5));
    // A machine that does something else for a moment is not what this is about.
    let mut three_seconds = || {
        (0..30).fold(Duration::ZERO, |oldest, _| {
            terminal.watch(Duration::from_millis(100));
            oldest.max(age(&mut terminal))
        })
    };
    let young = |oldest: &Duration| *oldest < Duration::from_secs(2);
    assert!((0..8).map(|_| three_seconds()).any(|oldest| young(&oldest)), "the screen was old eight times");
}

/// How old the picture on the screen is.
fn age(terminal: &mut Pty) -> Duration {
    let row = terminal.row(2);
    let time: u64 = row.split_whitespace().nth(1).unwrap().parse().unwrap();
    clock::boot() - Duration::from_millis(time)
}

#[test]
fn a_closed_terminal_ends_the_program_at_once_and_without_spinning() {
    for kind in ["still", "busy"] {
        let mut terminal = demo(kind);
        terminal.wait_for("stand-in", SOON);
        let start = clock::boot();
        terminal.close();
        let status = code(terminal.wait_exit(crate::support::promised(Duration::from_secs(2))));
        // The kernel says it twice, by SIGHUP and by the end of the input; either may come first.
        assert!(status == LOST || status == 129, "{kind}: {status}");
        assert!(clock::boot() - start < crate::support::promised(Duration::from_secs(1)));
    }
}

#[test]
fn a_panic_of_the_loop_gives_the_terminal_back_and_then_says_why() {
    for stalled in [false, true] {
        let mut terminal = demo(if stalled { "busy" } else { "still" });
        terminal.wait_for("stand-in", SOON);
        if stalled {
            terminal.stall();
            std::thread::sleep(Duration::from_millis(500));
        }
        terminal.send("P");
        assert_eq!(code(terminal.wait_exit(crate::support::promised(Duration::from_secs(2)))), 101);
        terminal.assert_modes_as_before();
        terminal.resume();
        terminal.wait_for("a bug on the loop", SOON);
        assert!(!terminal.screen().alternate_screen() && !terminal.screen().hide_cursor());
    }
}

/// How often the keyboard protocol was asked for and given back, in their order, with the screens that were entered and
/// left.
fn keyboards(raw: &[u8]) -> String {
    let raw = String::from_utf8_lossy(raw);
    let mut found: Vec<(usize, char)> = Vec::new();
    for (code, letter) in [("\x1b[>1u", '+'), ("\x1b[<u", '-'), ("\x1b[?1049h", '('), ("\x1b[?1049l", ')')] {
        found.extend(raw.match_indices(code).map(|(at, _)| (at, letter)));
    }
    found.sort_unstable();
    let mut letters: Vec<char> = found.into_iter().map(|(_, letter)| letter).collect();
    // After a stop the screen is entered once by whoever stopped it, and once for SIGCONT.
    letters.dedup();
    letters.into_iter().collect()
}

/// A way to leave a console.
type Leave<'a> = &'a dyn Fn(&mut Pty);

#[test]
fn the_keyboard_protocol_is_given_back_at_every_way_out_before_the_screen_is_left() {
    let ways: [(&str, Leave<'_>); 6] = [
        ("quit", &|terminal| terminal.send("Q")),
        ("panic", &|terminal| terminal.send("P")),
        ("TERM", &|terminal| terminal.kill(Signal::TERM)),
        ("HUP", &|terminal| terminal.kill(Signal::HUP)),
        ("QUIT", &|terminal| terminal.kill(Signal::QUIT)),
        ("USR1", &|terminal| terminal.kill(Signal::USR1)),
    ];
    for (name, leave) in ways {
        let mut terminal = demo("still");
        terminal.wait_for("stand-in 80x24", SOON);
        terminal.send("\x1b[?0u\x1b[?0u");
        terminal.wait_until("the protocol was asked for", SOON, |_| true);
        crate::support::until("it is asked for once", || keyboards(terminal.raw()) == "(+");
        // Esc is a key of its own now, and Shift+Enter another than Enter.
        terminal.send("\x1b[27u\x1b[13;2u");
        terminal.wait_for("> <Esc><Enter>", SOON);
        leave(&mut terminal);
        terminal.wait_exit(SOON);
        assert_eq!(keyboards(terminal.raw()), "(+-)", "{name}");
        assert_no_stray_escapes(terminal.raw());
    }
}

#[test]
fn ctrl_z_gives_the_keyboard_protocol_back_and_fg_takes_it_again() {
    let mut terminal = job();
    terminal.send("\x1b[?1u");
    crate::support::until("it is asked for", || keyboards(terminal.raw()) == "(+");
    terminal.send(b"\x1a");
    terminal.wait_until("the shell", SOON, |screen| !screen.alternate_screen());
    assert_eq!(keyboards(terminal.raw()), "(+-)");
    terminal.send("fg\r");
    terminal.wait_for("stand-in 80x24", SOON);
    crate::support::until("it is asked for again", || keyboards(terminal.raw()).starts_with("(+-)(+"));
    terminal.send("Q");
    terminal.wait_until("the shell again", SOON, |screen| !screen.alternate_screen());
    let raw = String::from_utf8_lossy(terminal.raw()).into_owned();
    let [asked, given_back] = ["\x1b[>1u", "\x1b[<u"].map(|code| raw.matches(code).count());
    assert_eq!((asked, given_back), (2, 2), "none is left on the screen's stack");
}

#[test]
fn a_panic_of_a_task_leaves_the_screen_alone() {
    let mut terminal = demo("still");
    terminal.wait_for("stand-in", SOON);
    terminal.send("Tx");
    terminal.wait_for("> x", SOON);
    terminal.send("y");
    terminal.wait_for("> xy", SOON);
    assert!(terminal.screen().alternate_screen());
    assert!(!String::from_utf8_lossy(terminal.raw()).contains("a bug in a task"));
}

#[test]
fn signals_end_the_program_and_give_the_terminal_back() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        for stalled in [false, true] {
            let mut terminal = demo(if stalled { "busy" } else { "still" });
            terminal.wait_for("stand-in", SOON);
            if stalled {
                terminal.stall();
                std::thread::sleep(Duration::from_millis(300));
            }
            terminal.kill(signal);
            assert_eq!(code(terminal.wait_exit(crate::support::promised(Duration::from_secs(2)))), status);
            terminal.resume();
            terminal
                .wait_until("the shell's screen", SOON, |screen| !screen.alternate_screen() && !screen.hide_cursor());
            terminal.assert_modes_as_before();
        }
    }
}

/// The stand-in as a job of an interactive shell, which is what Ctrl+Z needs.
fn job() -> Pty {
    let binary = std::env::current_exe().unwrap();
    let mut terminal = spawn(
        OsStr::new("bash"),
        &["--norc", "--noprofile", "-i"],
        &[("PS1", "prompt> "), ("WARROOM_STAND_IN", "still"), ("TERM", "xterm")],
        (80, 24),
    );
    terminal.wait_for("prompt>", SOON);
    let line = format!("{} --exact terminal::stand_in --ignored --nocapture --test-threads=1\r", binary.display());
    terminal.send(line);
    terminal.wait_for("stand-in 80x24", SOON);
    terminal
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_brings_the_screen_back() {
    let mut terminal = job();
    terminal.send("kept");
    terminal.wait_for("> kept", SOON);
    for round in 0..20 {
        terminal.send(b"\x1a");
        terminal.wait_until("the shell", SOON, |screen| {
            !screen.alternate_screen() && screen.contents().trim_end().ends_with("prompt>")
        });
        terminal.send(format!("echo $((40+{round}))\r"));
        terminal.wait_for(&format!("\n{}\n", 40 + round), SOON);
        terminal.send("fg\r");
        terminal.wait_until("the same screen again", SOON, |screen| {
            screen.alternate_screen() && screen.contents().contains("> kept") && !screen.contents().contains("prompt>")
        });
    }
    terminal.send("Q");
    terminal.wait_until("the shell", SOON, |screen| !screen.alternate_screen());
}

#[test]
fn where_no_shell_waits_ctrl_z_changes_nothing() {
    let mut terminal = demo("still");
    terminal.wait_for("stand-in", SOON);
    terminal.send("a\x1ab");
    terminal.wait_for("> ab", SOON);
    assert!(terminal.screen().alternate_screen());
}

#[test]
fn a_window_that_is_dragged_about_ends_up_right() {
    let mut terminal = demo("still");
    terminal.wait_for("stand-in 80x24", SOON);
    for step in 0..200_u16 {
        terminal.resize((40 + step % 80, 10 + step % 30));
    }
    terminal.resize((97, 31));
    terminal.wait_until("the last size alone", SOON, |screen| screen.contents().trim_end() == "stand-in 97x31\n>");
    assert_no_stray_escapes(terminal.raw());
}
