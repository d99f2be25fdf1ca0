//! Whoever is killed at whatever instant: nothing starts twice, no end is lost, and none is invented.
//!
//! Each round is a real helper with a real command that writes down that it began and that it ended. One of those who take part is killed at an instant
//! that a seed chooses; then everybody's word is held against what the command wrote.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use warroom::incident::Ending;
use warroom::journal::Sharing;
use warroom::runner::{self, Order, Said, StartError};
use warroom::text::Exact;

use crate::plain::Host;

const BINARY: &str = env!("CARGO_BIN_EXE_warroom");
const ROUNDS: u64 = 455;
const WRAPPED: u64 = 40;
const OPEN: u64 = 20;
const AT_ONCE: u64 = 40;

/// Chance that can be asked again.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Nobody,
    Helper,
    Child,
    Both,
}

fn order(marks: &Path) -> Order {
    let script = format!("echo began >> {0}; sleep 0.15; echo ended >> {0}", marks.display());
    Order {
        argv: ["sh", "-c", &script].iter().map(Exact::new).collect(),
        directory: Some("/".into()),
        limit: Duration::from_secs(30),
        stops_at_limit: true,
        judging: Default::default(),
        input: None,
        is_aloud: false,
        program: None,
        env: vec!["PATH".into()],
        patience: Duration::from_millis(600),
        most: 1 << 20,
        mode: 0o600,
    }
}

/// The helper of a folder: of this process' children nobody else has its path as an argument, and its own child only until it is another program.
fn helper_of(folder: &Path) -> Option<Pid> {
    let name = folder.to_str()?;
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = line.split(|byte| *byte == 0);
        let is_helper = words.any(|word| word == runner::HELPER.as_bytes()) && words.next() == Some(name.as_bytes());
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let is_ours = status.lines().any(|line| line == format!("PPid:\t{}", std::process::id()));
        (is_helper && is_ours).then(|| Pid::from_raw(pid)).flatten()
    })
}

fn child_of(folder: &Path) -> Option<Pid> {
    let state: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("state.json")).ok()?).ok()?;
    Pid::from_raw(i32::try_from(state["child"]["helper"].as_i64()?).ok()?)
}

fn kill(pid: Option<Pid>) -> bool {
    pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
}

/// How it ended, as a follower hears it; its watcher's being gone is no end.
fn end_of(folder: PathBuf) -> Ending {
    let (sender, said) = mpsc::channel();
    runner::follow(folder, Duration::ZERO, move |what| sender.send(what).is_ok());
    loop {
        match said.recv_timeout(Duration::from_secs(60)).expect("a run has an end") {
            Said::Ended(end) => return end.ending,
            Said::Printed(..) | Said::Rewritten(..) | Said::File(_) | Said::Overtime | Said::Unwatched(_) => {}
        }
    }
}

fn round(home: &Path, number: u64) {
    let bits = mix(number);
    let victim = [Victim::Nobody, Victim::Helper, Victim::Child, Victim::Both][(bits % 4) as usize];
    let folder = home.join("INC-1.runs").join(format!("{number:016x}-1"));
    let marks = home.join(format!("marks-{number}"));
    let order = order(&marks);
    runner::start_with(Path::new(BINARY), &folder, &order, Sharing::Private).unwrap();
    std::thread::sleep(Duration::from_micros(mix(bits) % 260_000));
    let (helper, child) = match victim {
        Victim::Nobody => (false, false),
        Victim::Helper => (kill(helper_of(&folder)), false),
        Victim::Child => (false, kill(child_of(&folder))),
        Victim::Both => (kill(helper_of(&folder)), kill(child_of(&folder))),
    };
    let again = runner::start_with(Path::new(BINARY), &folder, &order, Sharing::Private);
    assert!(matches!(again, Err(StartError::AlreadyStarted)), "{number}: {again:?}");
    let ending = end_of(folder.clone());
    // What was told stays as it is, whoever asks later.
    assert_eq!(end_of(folder), ending, "{number}");
    let said = fs::read_to_string(&marks).unwrap_or_default();
    let count = |word: &str| said.lines().filter(|line| *line == word).count();
    assert!(count("began") <= 1, "{number}: it ran twice: {said}");
    let tells = format!("{number} {victim:?} (helper {helper}, child {child}): {ending:?}, {said:?}");
    match &ending {
        Ending::Exited(0) => assert_eq!(count("ended"), 1, "an end was invented: {tells}"),
        Ending::Signalled(9) => assert!(child, "a signal was invented: {tells}"),
        Ending::Unknown(_) => assert!(helper, "an end was lost: {tells}"),
        Ending::NotStarted(_) => assert!(helper && count("began") == 0, "it was started: {tells}"),
        Ending::Exited(_) | Ending::Signalled(_) | Ending::Stopped(_) => panic!("{tells}"),
    }
    if !helper && !child {
        assert_eq!(ending, Ending::Exited(0), "an end was lost: {tells}");
    }
}

#[test]
fn whoever_is_killed_at_whatever_instant_nothing_runs_twice_and_every_end_is_true() {
    let home = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for lane in 0..AT_ONCE {
            let home = home.path();
            scope.spawn(move || {
                (0..ROUNDS).filter(|number| number % AT_ONCE == lane).for_each(|number| round(home, number))
            });
        }
    });
}

/// The ends of the commands in a record, by their titles; an open one has none.
fn ends(host: &Host) -> Vec<String> {
    let (_, shown) = host.run(&["show", "INC-1"]);
    shown.lines().filter(|line| line.contains(" after ") && line.contains(" bytes")).map(str::to_owned).collect()
}

/// Kills who started a command, at some instant; a console that opens afterwards knows how each of them ended.
#[test]
fn a_wrapper_or_a_console_that_is_killed_leaves_the_end_to_whoever_comes() {
    let host = Host::new();
    host.declare();
    let marks = host.home.path().join("marks");
    let wrapper = |number: u64| {
        let script = format!("echo began {number} >> {0}; sleep 0.2; echo ended {number} >> {0}", marks.display());
        let mut wrapper = host.command(&["run", "--", "sh", "-c", &script]);
        wrapper.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // One that nobody disturbs says how long the whole takes on this machine at this hour.
    let began = warroom::clock::boot();
    assert!(wrapper(WRAPPED).wait().unwrap().success());
    let whole = (warroom::clock::boot() - began).as_micros() as u64;
    std::thread::scope(|scope| {
        for lane in 0..4_u64 {
            let wrapper = &wrapper;
            scope.spawn(move || {
                for number in (0..WRAPPED).filter(|number| number % 4 == lane) {
                    let mut wrapper = wrapper(number);
                    std::thread::sleep(Duration::from_micros(mix(number) % (whole * 5 / 4)));
                    wrapper.kill().unwrap();
                    wrapper.wait().unwrap();
                }
            });
        }
    });
    // Consoles that are killed while they follow.
    for number in 0..OPEN / 4 {
        let mut console = host.command(&["open", "INC-1", "--plain"]);
        let mut console = console.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(200_000 + mix(number) % 500_000));
        console.kill().unwrap();
        console.wait().unwrap();
    }
    let mut desk = host.start(&["open", "INC-1", "--plain"]);
    desk.ready();
    let started = || {
        let (_, shown) = host.run(&["show", "INC-1", "--json"]);
        shown.matches("\"tag\":\"RUN\"").count() + shown.matches("\"tag\": \"RUN\"").count()
    };
    let began = warroom::clock::boot();
    loop {
        let (starts, ends) = (started(), ends(&host).len());
        if starts == ends && starts > 0 {
            break;
        }
        assert!(warroom::clock::boot() - began < Duration::from_secs(120), "{starts} starts, {ends} ends");
        std::thread::sleep(Duration::from_millis(300));
    }
    let said = fs::read_to_string(&marks).unwrap_or_default();
    for number in 0..=WRAPPED {
        let began = said.lines().filter(|line| *line == format!("began {number}")).count();
        assert!(began <= 1, "{number} ran twice");
    }
    let well = ends(&host).iter().filter(|line| line.contains("exit 0")).count();
    let ended = said.lines().filter(|line| line.starts_with("ended")).count();
    assert_eq!(well, ended, "an end was lost or invented: {said}");
}
