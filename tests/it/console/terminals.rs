//! Windows of every size, terminals of every kind, keys in pieces.

use std::time::Duration;

use super::{ESC, Host, SIZE, SOON, Typist, WARROOM, recorded};
use crate::support::pty::{Pty, assert_no_stray_escapes};

/// What a person sees, with its looks.
fn looks(console: &mut Pty) -> Vec<(String, String)> {
    let screen = console.screen();
    let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
    let cell = |row, column| {
        let cell = screen.cell(row, column).unwrap();
        (
            cell.contents().to_owned(),
            format!("{:?}{:?}{}{}", cell.fgcolor(), cell.bgcolor(), cell.bold(), cell.inverse()),
        )
    };
    (0..rows)
        .map(|row| {
            let (texts, styles): (Vec<String>, Vec<String>) = (0..columns).map(|column| cell(row, column)).unzip();
            // A blank is a blank, written or not.
            let text: String = texts.iter().map(|text| if text.is_empty() { " " } else { text.as_str() }).collect();
            // Clocks go on between two pictures.
            let text = text.replace(|letter: char| letter.is_ascii_digit(), "0");
            let visible: Vec<&String> =
                texts.iter().zip(&styles).filter(|(text, _)| !text.trim().is_empty()).map(|(_, style)| style).collect();
            (text, format!("{visible:?}"))
        })
        .collect()
}

/// Waits until nothing arrives any more for so long.
fn settle(console: &mut Pty, quiet: Duration) {
    let mut bytes = usize::MAX;
    // A clock on the screen turns every second.
    for _ in 0..20 {
        console.watch(quiet);
        let now = console.raw().len();
        if now == bytes {
            return;
        }
        bytes = now;
    }
}

/// The rows that painting everything anew changes after a resize to this size, each as it was and as it is.
fn stale_cells(console: &mut Pty, (columns, rows): (u16, u16), quiet: Duration) -> Option<Vec<[(String, String); 2]>> {
    console.resize((columns.saturating_sub(1).max(1), rows));
    settle(console, quiet);
    console.resize((columns, rows));
    settle(console, quiet);
    let shown = looks(console);
    let before = console.raw().len();
    console.send("\x0c");
    // On a busy machine nothing may come for a while: the picture counts when it was painted anew.
    let deadline = warroom::clock::boot() + Duration::from_secs(20);
    while console.raw().len() == before && warroom::clock::boot() < deadline {
        console.watch(Duration::from_millis(20));
    }
    settle(console, quiet);
    let differing: Vec<_> =
        shown.into_iter().zip(looks(console)).filter(|(one, other)| one != other).map(<[_; 2]>::from).collect();
    (!differing.is_empty()).then_some(differing)
}

fn resized(rounds: u32) {
    let host = Host::new();
    // A world that stands still: two pictures of it are the same.
    let mut console = host.console(&["gameday", "--frozen"]);
    console.wait_for("p99 latency", SOON);
    let special = [(1, 1), (19, 4), (20, 5), (300, 80), (80, 24), (2, 50), (250, 3), (60, 14), (99, 30)];
    let mut seed = 7_u32;
    let mut random = |most: u32| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u16::try_from((seed >> 8) % most + 1).unwrap()
    };
    for round in 0..rounds {
        let size = match special.get((round / 7) as usize).filter(|_| round % 7 == 0) {
            Some(size) => *size,
            None => (random(300), random(80)),
        };
        console.resize(size);
        if round % 5 == 0 {
            console.watch(Duration::from_millis(10));
        }
        if round % 17 == 0 {
            console.send("\t");
        }
    }
    for size in special {
        // A clock that turns between two pictures differs once, a slow machine until it is given the time; a stale cell differs every time.
        let pauses = [60, 120, 250, 400, 400, 400, 400, 400].map(Duration::from_millis);
        let stale: Vec<_> = pauses.iter().map_while(|quiet| stale_cells(&mut console, size, *quiet)).collect();
        assert!(stale.len() < pauses.len(), "stale cells at {size:?}: {stale:#?}");
    }
    console.resize(SIZE);
    console.wait_for("p99 latency", SOON);
    console.quit();
}

#[test]
fn a_window_that_is_dragged_about_shows_nothing_stale() {
    resized(200);
}

#[test]
#[ignore = "3,000 resizes"]
fn a_window_that_is_dragged_about_for_long_shows_nothing_stale() {
    resized(3000);
}

#[test]
fn a_size_of_nonsense_ends_nobody() {
    let host = Host::new().declared();
    let mut console = host.open(&[]);
    for size in [(65_535, 65_535), (65_535, 1), (1, 65_535), (0, 0)] {
        console.resize_unseen(size);
        std::thread::sleep(Duration::from_millis(300));
    }
    console.resize((100, 30));
    console.wait_for("INC-1 SEV1", SOON);
    console.note("still here");
    console.quit();
}

#[test]
fn below_twenty_by_five_there_is_one_line_and_it_is_the_alarm() {
    let host = Host::new().declared();
    let mut console = host.start(WARROOM, &["open", "INC-1"], &[], (60, 4));
    console.wait_for("acknowledge", SOON);
    assert!(console.contents().contains("SEV1"), "{}", console.contents());
    assert_eq!(console.contents().trim_end().lines().count(), 1, "{}", console.contents());
    console.quit();
}

/// The parameters of all colour and style sequences.
fn styles(raw: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(raw);
    text.split("\x1b[")
        .skip(1)
        .filter_map(|part| {
            let end = part.find(|letter: char| ('@'..='~').contains(&letter))?;
            part[end..].starts_with('m').then(|| part[..end].to_owned())
        })
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Colours {
    None,
    Sixteen,
    More,
}

fn colours(raw: &[u8]) -> Colours {
    let mut most = Colours::None;
    for style in styles(raw) {
        let numbers: Vec<&str> = style.split([';', ':']).collect();
        let is_extended = numbers.windows(2).any(|two| ["38", "48"].contains(&two[0]) && ["2", "5"].contains(&two[1]));
        // 39 and 49 are "the terminal's own", which is no colour.
        let is_named =
            numbers.iter().any(|number| matches!(number.parse::<u16>(), Ok(30..=37 | 40..=47 | 90..=97 | 100..=107)));
        most = match (most, is_extended, is_named) {
            (_, true, _) => Colours::More,
            (Colours::None, false, true) => Colours::Sixteen,
            (most, _, _) => most,
        };
    }
    most
}

#[test]
fn colours_and_letters_follow_what_the_terminal_says_of_itself() {
    let host = Host::new();
    // Without NO_COLOR: (TERM, COLORTERM, colours).
    for (term, colorterm, expected) in [
        ("xterm-256color", "", Colours::Sixteen),
        ("xterm", "", Colours::Sixteen),
        ("screen", "", Colours::Sixteen),
        ("tmux-256color", "truecolor", Colours::Sixteen),
        ("xterm-256color", "truecolor", Colours::Sixteen),
        ("linux", "", Colours::Sixteen),
        ("vt100", "", Colours::None),
    ] {
        // All languages on the first terminal, on the others what colours depend on.
        let all = [("", "C.UTF-8"), ("1", "C"), ("", "C"), ("1", "POSIX"), ("", "en_US.utf8"), ("1", "")];
        let count = if (term, colorterm) == ("xterm-256color", "") { all.len() } else { 2 };
        for (no_color, lang) in &all[..count] {
            let (no_color, lang) = (*no_color, *lang);
            let more = [("TERM", term), ("COLORTERM", colorterm), ("NO_COLOR", no_color), ("LANG", lang)];
            let mut console = host.start(WARROOM, &["gameday", "--frozen"], &more, SIZE);
            console.wait_for("p99 latency", SOON);
            console.wait_for("playbook alipay", SOON);
            console.send("?");
            console.wait_for("every action by its name", SOON);
            console.send("q");
            console.send("q");
            console.wait_exit(SOON);
            let raw = console.raw().to_vec();
            assert_no_stray_escapes(&raw);
            let seen = colours(&raw);
            if no_color == "1" || expected == Colours::None {
                assert_eq!(seen, Colours::None, "{more:?}");
            } else if colorterm.is_empty() {
                assert_eq!(seen, Colours::Sixteen, "{more:?}");
            } else {
                assert_ne!(seen, Colours::None, "{more:?}");
            }
            let is_unicode = lang.to_lowercase().contains("utf");
            assert_eq!(raw.is_ascii(), !is_unicode, "{more:?}");
        }
    }
}

/// What is recorded of keys that come in pieces; nothing where this machine was slower than Esc's patience.
fn recorded_of(host: &Host, keys: &str, pieces: usize) -> Option<String> {
    // The patience of a link: the pieces here come slower than any buffer, and quicker than that.
    let link = [("SSH_CONNECTION", "192.0.2.1 1 192.0.2.2 22")];
    let mut console = host.start(WARROOM, &["open", "INC-1", "--as", &format!("p{pieces}")], &link, SIZE);
    console.wait_for("INC-1 SEV1", SOON);
    let (mut longest, mut is_begun) = (Duration::ZERO, false);
    let mut sent = warroom::clock::boot();
    for piece in keys.as_bytes().chunks(pieces) {
        console.send(piece);
        let now = warroom::clock::boot();
        let gap = now - std::mem::replace(&mut sent, now);
        // Only what begins like Esc is in a hurry.
        if is_begun {
            longest = longest.max(gap);
        }
        is_begun = piece.ends_with(b"\x1b");
        if pieces < 3 {
            std::thread::sleep(Duration::from_millis(3));
        }
    }
    console.wait_for("pasted", SOON);
    console.watch(Duration::from_millis(400));
    if longest >= Duration::from_millis(80) {
        console.kill(rustix::process::Signal::KILL);
        console.wait_exit(SOON);
        return None;
    }
    console.send("\r");
    console.wait_until("the note", SOON, |screen| recorded(&screen.contents(), "pasted"));
    console.send(ESC);
    console.quit();
    host.texts("INC-1").last().cloned()
}

#[test]
fn keys_and_pastes_in_pieces_act_the_same() {
    let whole = "n\x1b[200~pasted \u{652f}\u{4ed8}\nsecond row\x1b[201~ab\x1b[D\x1b[DX\x1bOHY\x1b[1;5CZ\x1b[3~";
    let lines: Vec<_> = [whole.len(), 1, 2, 3]
        .into_iter()
        .map(|pieces| {
            let tries = (0..20).find_map(|_| recorded_of(&Host::new().declared(), whole, pieces));
            tries.expect("twenty times this machine stood still for 80 ms")
        })
        .collect();
    assert!(lines[0].contains("pasted \u{652f}\u{4ed8}\n") && lines[0].contains('Y'), "{lines:?}");
    assert!(lines.iter().all(|line| *line == lines[0]), "{lines:?}");
}
