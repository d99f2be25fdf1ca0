//! Real commands under real helpers: they run once, to their end, whatever happens to who started them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use crate::support::until;
use tempfile::TempDir;
use warroom::incident::Ending;
use warroom::journal::Sharing;
use warroom::runner::{self, End, Order, Said, StartError};
use warroom::text::Exact;

const BINARY: &str = env!("CARGO_BIN_EXE_warroom");

/// A folder for runs, and a way to write the programs that run.
struct Bench {
    home: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.home.path().join("INC-1.runs").join(name)
    }

    fn script(&self, name: &str, text: &str) -> String {
        let path = self.home.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn order(&self, argv: &[&str]) -> Order {
        Order {
            argv: argv.iter().map(Exact::new).collect(),
            directory: Some(Exact::new(self.home.path().to_str().unwrap())),
            limit: Duration::from_secs(30),
            stops_at_limit: true,
            judging: Default::default(),
            is_aloud: false,
            input: None,
            program: None,
            env: vec!["PATH".into()],
            patience: Duration::from_millis(600),
            most: 1 << 20,
            mode: 0o600,
        }
    }

    fn start(&self, name: &str, order: &Order) -> PathBuf {
        let folder = self.folder(name);
        runner::start_with(Path::new(BINARY), &folder, order, Sharing::Private).unwrap();
        folder
    }
}

/// What was printed, without the time before each line.
fn unstamped(text: &str) -> String {
    let is_time = |start: &str| start.len() == 10 && start.ends_with("Z ") && start.as_bytes()[2] == b':';
    let bare = |line: &str| match line.get(..10) {
        Some(start) if is_time(start) => line[10..].to_owned(),
        _ => line.to_owned(),
    };
    text.split_inclusive('\n').map(bare).collect()
}

/// Takes so many of the last lines away, with the one that has not ended.
fn withdraw(text: &mut String, lines: usize) {
    let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
    text.truncate(
        (ends.len() + 1).checked_sub(lines).and_then(|place| ends.get(place.checked_sub(1)?)).copied().unwrap_or(0),
    );
}

/// All that a run says, to its end.
fn told(folder: &Path) -> (String, u64, Vec<Said>, End) {
    let (sender, said) = mpsc::channel();
    runner::follow(folder.to_owned(), Duration::ZERO, move |what| sender.send(what).is_ok());
    let (mut printed, mut skipped, mut rest) = (String::new(), 0, Vec::new());
    loop {
        match said.recv_timeout(Duration::from_secs(90)).expect("a run says something within 90 s") {
            Said::Printed(text, lost) => {
                printed.push_str(&text);
                skipped += lost;
            }
            Said::Rewritten(text, lines) => {
                withdraw(&mut printed, lines);
                printed.push_str(&text);
            }
            Said::Ended(end) => return (unstamped(&printed), skipped, rest, end),
            Said::File(_) => {}
            other @ (Said::Overtime | Said::Unwatched(_)) => rest.push(other),
        }
    }
}

#[test]
fn a_command_runs_without_shell_and_its_end_and_output_stand_beside_the_journal() {
    let bench = Bench::new();
    let program = bench.script("talk", "printf '%s|' \"$@\"; echo; echo oops >&2; exit 3");
    let folder = bench.start("1", &bench.order(&[&program, "a b", "$(id)", "*", "--x=;y"]));
    let (printed, skipped, _, end) = told(&folder);
    assert_eq!((end.ending.clone(), skipped, end.left_running), (Ending::Exited(3), 0, false));
    assert!(printed.contains("a b|$(id)|*|--x=;y|\n") && printed.contains("oops\n"), "{printed}");
    assert_eq!(end.bytes, printed.len() as u64);
    assert!(end.tail.contains("oops"), "{}", end.tail);
    for name in ["output", "end.json"] {
        assert_eq!(fs::metadata(folder.join(name)).unwrap().mode() & 0o777, 0o600, "{name}");
    }
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
}

/// What somebody who may write the folder of runs puts into one, as soon as it is there.
fn plant(folder: &Path, victim: &Path) {
    use rustix::fs::{CWD, FileType, Mode};
    until("the helper says who it is", || folder.join("state.json").exists());
    let forged = End { ending: Ending::Exited(0), ..End::unknown("") };
    fs::write(folder.join("end.json"), serde_json::to_vec(&forged).unwrap()).unwrap();
    std::os::unix::fs::symlink(victim, folder.join("overtime")).unwrap();
    for name in ["cancel", "grant"] {
        rustix::fs::mknodat(CWD, folder.join(name), FileType::Fifo, Mode::RWXU, 0).unwrap();
    }
    fs::remove_file(folder.join("output")).unwrap();
    std::os::unix::fs::symlink(victim, folder.join("output")).unwrap();
}

#[test]
fn what_others_plant_in_its_folder_neither_hangs_a_run_nor_ends_it_nor_is_written_to() {
    let bench = Bench::new();
    let victim = bench.home.path().join("bashrc");
    fs::write(&victim, "mine\n").unwrap();
    let program = bench.script("long", "sleep 2; exit 7");
    let order = Order { limit: Duration::from_millis(500), stops_at_limit: false, ..bench.order(&[&program]) };
    let folder = bench.folder("1");
    let started = runner::start_with(Path::new(BINARY), &folder, &order, Sharing::Private).unwrap();
    plant(&folder, &victim);
    let (sender, said) = mpsc::channel();
    runner::follow_own(folder.clone(), started, move |what| sender.send(what).is_ok());
    let (_, _, _, foreign) = told(&folder);
    let own = loop {
        match said.recv_timeout(Duration::from_secs(90)).unwrap() {
            Said::Ended(end) => break end,
            Said::Printed(text, _) => assert_eq!(&*text, "", "nothing of a file that a link leads to is shown"),
            Said::Rewritten(..) | Said::File(_) | Said::Overtime | Said::Unwatched(_) => {}
        }
    };
    assert_eq!([own.ending, foreign.ending], [Ending::Exited(7), Ending::Exited(7)], "as its helper wrote it");
    assert!(own.took >= Duration::from_secs(2), "it ran its time");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine\n");
}

#[test]
fn the_limit_of_a_run_comes_though_pipes_stand_where_requests_would() {
    let bench = Bench::new();
    let victim = bench.home.path().join("bashrc");
    fs::write(&victim, "mine\n").unwrap();
    let program = bench.script("long", "sleep 300");
    let folder = bench.start("1", &Order { limit: Duration::from_millis(800), ..bench.order(&[&program]) });
    plant(&folder, &victim);
    let (_, _, _, end) = told(&folder);
    assert!(matches!(end.ending, Ending::Stopped(_)), "{:?}", end.ending);
}

#[test]
fn a_link_where_the_folder_of_runs_should_be_is_not_followed() {
    let bench = Bench::new();
    let elsewhere = bench.home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, bench.home.path().join("INC-1.runs")).unwrap();
    let order = bench.order(&["true"]);
    let refused = runner::start_with(Path::new(BINARY), &bench.folder("1"), &order, Sharing::Private).unwrap_err();
    assert!(matches!(refused, StartError::Unwritable { .. }), "{refused}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn of_fifty_who_start_one_step_at_once_one_starts_it() {
    let bench = Bench::new();
    let program = bench.script("once", "echo ran >> runs");
    let order = bench.order(&[&program]);
    let folder = bench.folder("1");
    let won: usize = std::thread::scope(|scope| {
        let all: Vec<_> = (0..50)
            .map(|_| {
                scope.spawn(|| match runner::start_with(Path::new(BINARY), &folder, &order, Sharing::Private) {
                    Ok(_) => 1,
                    Err(StartError::AlreadyStarted) => 0,
                    Err(error) => panic!("{error}"),
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(told(&folder).3.ending, Ending::Exited(0));
    assert_eq!(fs::read_to_string(bench.home.path().join("runs")).unwrap(), "ran\n");
}

#[test]
fn a_program_that_is_not_there_was_not_started_and_a_signal_is_not_an_exit() {
    let bench = Bench::new();
    let (_, _, _, end) = told(&bench.start("1", &bench.order(&["/nowhere/tool"])));
    assert!(matches!(&end.ending, Ending::NotStarted(why) if why.contains("/nowhere/tool")), "{end:?}");
    let program = bench.script("die", "kill -9 $$");
    let (_, _, _, end) = told(&bench.start("2", &bench.order(&[&program])));
    assert_eq!(end.ending, Ending::Signalled(9));
}

#[test]
fn a_limit_stops_a_look_and_a_child_that_ignores_term_is_killed() {
    let bench = Bench::new();
    let polite = bench.script("polite", "sleep 60");
    let order = Order { limit: Duration::from_millis(300), ..bench.order(&[&polite]) };
    let (_, _, _, end) = told(&bench.start("1", &order));
    assert!(matches!(&end.ending, Ending::Stopped(why) if why.contains("limit") && !why.contains("KILL")), "{end:?}");
    let stubborn = bench.script("stubborn", "trap '' TERM; echo here; while :; do sleep 0.1; done");
    let order = Order { limit: Duration::from_millis(300), ..bench.order(&[&stubborn]) };
    let (printed, _, _, end) = told(&bench.start("2", &order));
    assert!(matches!(&end.ending, Ending::Stopped(why) if why.contains("KILL")), "{end:?}");
    assert_eq!(printed, "here\n");
}

#[test]
fn a_change_goes_on_over_its_limit_until_somebody_decides() {
    let bench = Bench::new();
    let program = bench.script("slow", "while [ ! -e done ]; do sleep 0.05; done; echo whole");
    let order = Order { limit: Duration::from_millis(200), stops_at_limit: false, ..bench.order(&[&program]) };
    let folder = bench.start("1", &order);
    until("it is over its time", || folder.join("overtime").exists());
    runner::grant(&folder, Duration::from_secs(20)).unwrap();
    until("more time was taken", || !folder.join("grant").exists() && !folder.join("overtime").exists());
    fs::write(bench.home.path().join("done"), "").unwrap();
    let (printed, _, _, end) = told(&folder);
    assert_eq!((end.ending, printed.as_str()), (Ending::Exited(0), "whole\n"));

    let order = Order { limit: Duration::from_millis(200), stops_at_limit: false, ..bench.order(&["sleep", "60"]) };
    let folder = bench.start("2", &order);
    until("it is over its time", || folder.join("overtime").exists());
    runner::cancel(&folder, "bob").unwrap();
    let (_, _, rest, end) = told(&folder);
    assert_eq!(end.ending, Ending::Stopped("by bob".into()));
    assert_eq!(rest, [Said::Overtime]);
}

#[test]
fn who_started_it_may_be_killed_and_it_runs_to_its_end_exactly_once() {
    let bench = Bench::new();
    let program = bench.script("work", "echo ran >> runs; echo one; while [ ! -e go ]; do sleep 0.05; done; echo two");
    let folder = bench.folder("1");
    // A process of its own starts it as the console does, and dies by KILL as its whole group does.
    let order = serde_json::to_string(&bench.order(&[&program])).unwrap();
    let mut starter = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "runner::starter", "--ignored", "--nocapture"])
        .env("STARTER_ORDER", order)
        .env("STARTER_FOLDER", &folder)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("it runs", || fs::read_to_string(folder.join("output")).is_ok_and(|text| text.contains("one")));
    starter.kill().unwrap();
    starter.wait().unwrap();
    fs::write(bench.home.path().join("go"), "").unwrap();
    let (printed, _, _, end) = told(&folder);
    assert_eq!((printed.as_str(), end.ending), ("one\ntwo\n", Ending::Exited(0)));
    assert_eq!(fs::read_to_string(bench.home.path().join("runs")).unwrap(), "ran\n");
}

#[test]
#[ignore = "the process that another test kills"]
fn starter() {
    let Ok(order) = std::env::var("STARTER_ORDER") else { return };
    let folder = PathBuf::from(std::env::var("STARTER_FOLDER").unwrap());
    let order: Order = serde_json::from_str(&order).unwrap();
    runner::start_with(Path::new(BINARY), &folder, &order, Sharing::Private).unwrap();
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_helper_that_was_killed_leaves_an_end_that_nobody_knows() {
    let bench = Bench::new();
    let folder = bench.start("1", &bench.order(&["sleep", "60"]));
    let state = || -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join("state.json")).unwrap_or_default()).unwrap_or_default()
    };
    until("its helper says who it is", || state()["child"]["helper"].is_i64());
    let pid = state()["helper"].as_i64().unwrap().to_string();
    let child = state()["child"]["helper"].as_i64().unwrap().to_string();
    assert!(Command::new("kill").args(["-9", &pid, &child]).status().unwrap().success());
    let (_, _, _, end) = told(&folder);
    assert!(matches!(&end.ending, Ending::Unknown(why) if why.contains("its watcher was gone")), "{end:?}");
    let never = bench.folder("never");
    assert!(matches!(told(&never).3.ending, Ending::Unknown(why) if why.contains("never started")));
}

#[test]
fn a_helper_that_is_born_slowly_is_not_given_up() {
    let bench = Bench::new();
    // Longer than anybody waits for the first word of a start.
    let slow = bench.script("slow", &format!("sleep 12\nexec {BINARY} \"$@\""));
    let (folder, order) = (bench.folder("1"), bench.order(&["echo", "done"]));
    runner::start_with(Path::new(&slow), &folder, &order, Sharing::Private).unwrap();
    let (printed, _, _, end) = told(&folder);
    assert_eq!((printed.as_str(), end.ending), ("done\n", Ending::Exited(0)));
}

#[test]
fn a_child_that_forks_and_exits_is_not_waited_for_for_ever() {
    let bench = Bench::new();
    let program = bench.script("fork", "sleep 30 & echo mother");
    let (printed, _, _, end) = told(&bench.start("1", &bench.order(&[&program])));
    assert_eq!((end.ending, end.left_running, printed.as_str()), (Ending::Exited(0), true, "mother\n"));
}

#[test]
fn a_hostile_child_gets_no_terminal_no_input_and_its_bytes_are_harmless() {
    let bench = Bench::new();
    let program = bench.script(
        "hostile",
        "(echo owned > /dev/tty) 2>/dev/null && echo tty; [ -z \"$(cat)\" ] && echo no-input; \
         printf '\\033[2J\\033]0;title\\007\\377\\376 ok\\n'; echo $TERM $NO_COLOR",
    );
    let (printed, _, _, end) = told(&bench.start("1", &bench.order(&[&program])));
    assert_eq!(end.ending, Ending::Exited(0));
    assert!(!printed.contains("tty\n") && printed.contains("no-input\n"), "{printed:?}");
    assert!(!printed.contains('\u{1b}') && !printed.contains('\u{7}') && printed.contains("ok\n"), "{printed:?}");
    assert!(printed.contains("dumb 1\n"), "{printed:?}");
}

#[test]
fn a_meter_is_shown_and_kept_in_its_last_state_and_its_file_has_every_one() {
    let bench = Bench::new();
    let program = bench.script(
        "meter",
        "printf '\\033[32mpull\\033[0m\\n'; for n in 10 50 100; do printf '\\r\\033[K%s%%' $n; sleep 0.2; done; \
         printf '\\na: 1\\nb: 1\\n\\033[2A\\r\\033[Ka: 2\\n\\033[Kb: 2\\nN\\bN \\033]8;;http://x'",
    );
    let folder = bench.start("1", &bench.order(&[&program]));
    let (printed, _, _, end) = told(&folder);
    let shown = "pull\n100%\na: 2\nb: 2\nN";
    assert_eq!((printed.as_str(), end.tail.as_str()), (shown, shown));
    let file = fs::read_to_string(folder.join("output")).unwrap();
    assert!(["10%", "50%", "100%", "a: 1", "b: 1"].iter().all(|state| file.contains(state)), "{file:?}");
}

#[test]
fn a_secret_that_only_a_meters_moves_put_together_is_hidden_in_what_is_kept() {
    let bench = Bench::new();
    let program = bench.script("sly", "printf 'passXX\\033[2Dword=hunter22\\n'; printf 'tok\\033[31men=abcdefgh12\\n'");
    let folder = bench.start("1", &bench.order(&[&program]));
    let (_, _, _, end) = told(&folder);
    assert_eq!(end.tail, "password=[secret]\ntoken=[secret]\n");
}

#[test]
fn secrets_never_reach_the_disk() {
    let bench = Bench::new();
    let program = bench
        .script("leak", "echo paid 4111 1111 1111 1111; echo password=hunter2; printf 'Bearer abcdefghijklmnop1234'");
    let folder = bench.start("1", &bench.order(&[&program]));
    let (printed, _, _, _) = told(&folder);
    assert_eq!(printed, "paid [card …1111]\npassword=[secret]\nBearer [secret]");
    for name in ["output", "end.json"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        assert!(!text.contains("hunter2") && !text.contains("1111 1111"), "{name}: {text}");
    }
}

#[test]
fn a_hundred_megabytes_are_counted_capped_and_do_not_flood_who_listens() {
    let bench = Bench::new();
    let program = bench.script("loud", "head -c 100000000 /dev/zero | tr '\\0' 'x' | fold -w 99; echo the end");
    let order = Order { most: 4 << 20, limit: Duration::from_secs(240), ..bench.order(&[&program]) };
    let folder = bench.start("1", &order);
    let (printed, skipped, _, end) = told(&folder);
    assert_eq!(end.ending, Ending::Exited(0));
    assert!(end.bytes > 100_000_000 && end.dropped > 90_000_000, "{end:?}");
    assert!(end.tail.ends_with("the end\n"), "{}", end.tail);
    assert!(fs::metadata(folder.join("output")).unwrap().len() <= 4 << 20);
    assert!(printed.len() < 4 << 20 && skipped > 0, "{} {skipped}", printed.len());
}

#[test]
fn a_folder_that_cannot_be_written_refuses_before_anything_starts() {
    let bench = Bench::new();
    fs::create_dir(bench.home.path().join("INC-1.runs")).unwrap();
    let full = Path::new("/dev/full/run");
    let error = runner::start_with(Path::new(BINARY), full, &bench.order(&["true"]), Sharing::Private).unwrap_err();
    assert!(error.to_string().starts_with("nothing was started"), "{error}");
}

#[test]
fn a_child_receives_every_byte_of_its_arguments_and_its_directory() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    let bench = Bench::new();
    let program = bench.script("given", "for one; do printf '%s\\0' \"$one\"; done > given.args");
    let odd = bench.home.path().join("a  b\n\t\u{200b}");
    fs::create_dir(&odd).unwrap();
    let argument = proptest::collection::vec(1..=255_u8, 0..40).prop_map(Exact::new);
    let argv = proptest::collection::vec(argument, 1..5);
    let number = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: 25, failure_persistence: None, ..Config::default() });
    runner
        .run(&argv, |mut argv| {
            number.set(number.get() + 1);
            argv.push(Exact::new("set -e   # stop\n\ttouch proof\n"));
            argv.push(Exact::new("x".repeat(100_000)));
            let expected: Vec<u8> = argv.iter().flat_map(|one| [one.as_bytes(), b"\0"].concat()).collect();
            argv.insert(0, Exact::new(&program));
            let directory = Some(Exact::new(odd.to_str().unwrap()));
            let order = Order { argv, directory, ..bench.order(&[]) };
            let (_, _, _, end) = told(&bench.start(&number.get().to_string(), &order));
            prop_assert_eq!(end.ending, Ending::Exited(0));
            prop_assert_eq!(fs::read(odd.join("given.args")).unwrap(), expected);
            Ok(())
        })
        .unwrap();
}

#[test]
fn the_last_words_reach_the_end_and_the_pane_in_their_order() {
    let bench = Bench::new();
    for (name, text) in [
        ("long", "head -c 100000 /dev/zero | tr '\\0' y; echo; echo WHY-IT-FAILED; exit 1"),
        ("stderr", "for i in $(seq 1 200); do echo line $i; done; echo WHY-IT-FAILED >&2; exit 1"),
        ("order", "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done; echo WHY-IT-FAILED"),
    ] {
        let program = bench.script(name, text);
        let (printed, _, _, end) = told(&bench.start(name, &bench.order(&[&program])));
        assert!(end.tail.trim_end().ends_with("\nWHY-IT-FAILED"), "{name}: {}", end.tail);
        assert!(printed.trim_end().ends_with("WHY-IT-FAILED"), "{name}");
        if name == "order" {
            let expected: String = (1..=5).map(|i| format!("out {i}\nerr {i}\n")).collect();
            assert_eq!(printed, expected + "WHY-IT-FAILED\n");
        }
    }
}

#[test]
fn a_killed_helper_is_not_the_end_of_its_command() {
    let bench = Bench::new();
    let folder = bench.start("1", &bench.order(&["sleep", "30"]));
    let state = || -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join("state.json")).unwrap_or_default()).unwrap_or_default()
    };
    until("its child is known", || state()["child"]["helper"].is_i64());
    let pid = |value: &serde_json::Value| rustix::process::Pid::from_raw(value.as_i64().unwrap() as i32).unwrap();
    let (helper, child) = (pid(&state()["helper"]), pid(&state()["child"]["helper"]));
    rustix::process::kill_process(helper, rustix::process::Signal::KILL).unwrap();
    let (sender, said) = mpsc::channel();
    runner::follow(folder, Duration::ZERO, move |what| sender.send(what).is_ok());
    let next = || loop {
        match said.recv_timeout(Duration::from_secs(20)).unwrap() {
            Said::Printed(..) | Said::Rewritten(..) | Said::File(_) => {}
            other => return other,
        }
    };
    assert_eq!(next(), Said::Unwatched(child.as_raw_nonzero().get()));
    rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
    let Said::Ended(End { ending: Ending::Unknown(why), .. }) = next() else { panic!() };
    assert!(why.contains("its watcher was gone when it ended"), "{why}");
}
