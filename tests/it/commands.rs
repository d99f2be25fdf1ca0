//! Steps that run, with the real binary, two people, and stand-ins for the company's programs on PATH.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;

use crate::plain::{Host, Plain};

const SOON: Duration = Duration::from_secs(60);

/// A host on which a program of a name does what a script says.
fn host_with(programs: &[(&str, &str)]) -> Host {
    let host = Host::new();
    let bin = host.home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for (name, text) in programs {
        let path = bin.join(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    host.declare();
    host
}

fn open(host: &Host, who: &str) -> Plain {
    let path = format!("{}:{}", host.home.path().join("bin").display(), std::env::var("PATH").unwrap());
    let mut command = host.command(&["open", "INC-1", "--plain", "--as", who]);
    let mut console = Plain::spawn(
        command.env("PATH", path).env("HOME", host.home.path()).current_dir(host.home.path()).stdin(Stdio::piped()),
    );
    console.ready();
    console
}

#[test]
fn a_step_is_claimed_shown_confirmed_run_seen_by_both_and_survives_the_console_that_started_it() {
    let host = host_with(&[(
        "flagctl",
        "echo ran >> runs; echo \"setting $*\"; while [ ! -e go ]; do sleep 0.05; done; echo token=abc123; echo finished",
    )]);
    let (mut omid, mut bob) = (open(&host, "omid"), open(&host, "bob"));
    omid.type_in(":take sme\n:check 4\n:claim 5\n");
    bob.wait_for("claimed: Route traffic to the backup provider", SOON);
    bob.type_in(":take sme gateway\n:run 5\n");
    bob.wait_for("NOT NOW", SOON);
    omid.type_in(":run 5 percent=-1\n");
    omid.wait_for("`-1` is no whole number from 1 to 100", SOON);
    omid.type_in(":run 5 percent=20\n");
    omid.wait_for("flagctl set alipay.route backup --percent=20", SOON);
    omid.type_in(":confirm alipay\n");
    omid.wait_for("nothing has run", SOON);
    omid.type_in(":run 5 percent=20\n");
    omid.confirm();
    // Both see it start and print, on consoles of their own.
    for console in [&mut omid, &mut bob] {
        console.wait_for("RUN Route traffic to the backup provider", SOON);
        console.wait_for("setting set alipay.route backup --percent=20", SOON);
    }
    bob.type_in(":run 5 percent=1\n:confirm alipay\n");
    bob.wait_for("omid runs it since", SOON);
    omid.signal(Signal::KILL);
    omid.wait_exit(SOON);
    fs::write(host.home.path().join("go"), "").unwrap();
    bob.wait_for("finished", SOON);
    bob.wait_for("run Route traffic to the backup provider: exit 0 after", SOON);
    let mut back = open(&host, "omid");
    back.type_in(":runs\n");
    back.wait_for("omid: Route traffic to the backup provider · exit 0", SOON);
    assert_eq!(fs::read_to_string(host.home.path().join("runs")).unwrap(), "ran\n", "exactly once");
    let (_, log) = host.run(&["show", "INC-1"]);
    assert!(!log.contains("abc123"), "{log}");
}

#[test]
fn a_step_that_fails_stops_there_and_is_tried_again_taken_back_or_skipped_with_a_reason() {
    let host = host_with(&[("flagctl", "echo \"$*\"; [ -e fixed ]")]);
    let mut omid = open(&host, "omid");
    omid.type_in(":take sme\n:check 4\n:run 5 percent=20\n");
    omid.confirm();
    omid.wait_for("exit 1 after", SOON);
    fs::write(host.home.path().join("fixed"), "").unwrap();
    omid.type_in(":run 5 percent=20\n");
    omid.confirm();
    omid.wait_for("exit 0 after", SOON);
    omid.type_in(":check 5\n:undo 5\n");
    omid.wait_for("flagctl set alipay.route primary --percent=100", SOON);
    omid.confirm();
    omid.wait_for("UNDO Route traffic to the backup provider", SOON);
    omid.wait_for("exit 0 after", SOON);
    omid.type_in(":skip 6 the provider is back\n:wrong 6\n");
    omid.wait_for("skipped Stop retrying the provider", SOON);
    omid.wait_for("is wrong", SOON);
}

#[test]
fn a_command_of_the_shell_is_evidence_and_its_exit_status_passes_through() {
    let host = host_with(&[]);
    let mut bob = open(&host, "bob");
    let (status, out) =
        host.run(&["run", "--as", "dana", "-i", "INC-1", "--", "sh", "-c", "echo paid 4111 1111 1111 1111; exit 7"]);
    assert_eq!((status, out.as_str()), (7, "paid [card …1111]\n"));
    bob.wait_for("RUN sh: sh -c", SOON);
    bob.wait_for("run sh: exit 7 after", SOON);
    let (status, _) = host.run(&["run", "--as", "dana", "--", "sh", "-c", "kill -9 $$"]);
    assert_eq!(status, 137);
    let (status, _) = host.run(&["run", "--as", "dana", "--", "/nowhere/tool"]);
    assert_eq!(status, 127);
    let (status, _) = host.run(&["run", "--as", "dana", "--step", "alipay/nothing", "--", "true"]);
    assert_eq!(status, 2);
    let (status, _) = host.run(&["run", "--as", "dana", "--step", "auth-tokens", "--", "true"]);
    assert_eq!(status, 0);
    bob.wait_for("RUN Verify the authentication tokens (alipay/auth-tokens): true in", SOON);
}

#[test]
fn a_drill_runs_nothing_for_real() {
    let host = host_with(&[("flagctl", "echo ran >> runs")]);
    let mut command = host.command(&["gameday", "--plain", "--as", "omid"]);
    let path = format!("{}:{}", host.home.path().join("bin").display(), std::env::var("PATH").unwrap());
    let mut omid = Plain::spawn(
        command.env("PATH", path).env("HOME", host.home.path()).current_dir(host.home.path()).stdin(Stdio::piped()),
    );
    omid.ready();
    omid.type_in(":take sme\n:check 4\n:run 5 percent=100\n");
    omid.wait_for("DRILL: nothing runs", SOON);
    omid.confirm();
    omid.wait_for("dry run: flagctl set alipay.route backup --percent=100", SOON);
    omid.wait_for("✓ Route traffic to the backup provider", SOON);
    assert!(!host.home.path().join("runs").exists());
}

#[test]
fn a_note_that_holds_a_card_number_or_a_token_is_masked_before_it_is_written() {
    let host = host_with(&[]);
    let (status, _) = host.run(&["note", "-i", "INC-1", "customer paid with 4111 1111 1111 1111, password=hunter2"]);
    assert_eq!(status, 0);
    let (_, told) = host.run(&["show", "INC-1"]);
    assert!(told.contains("[card …1111], password=[secret]"), "{told}");
    let journal = host.home.path().join("state/warroom/journal");
    for file in fs::read_dir(journal).unwrap().flatten().filter(|file| file.path().is_file()) {
        let bytes = fs::read(file.path()).unwrap();
        let has = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        assert!(!has(b"hunter2") && !has(b"4111 1111"), "{}", file.path().display());
    }
}

#[test]
fn in_line_mode_a_value_and_a_trace_are_pinned_as_evidence() {
    let host = host_with(&[]);
    let mut omid = Plain::spawn(host.command(&["gameday", "--plain", "--as", "omid"]).stdin(Stdio::piped()));
    omid.ready();
    omid.type_in(":pin nothing\n");
    omid.wait_for("write :pin and one of p99 latency", SOON);
    omid.wait_for("simulated", SOON);
    // The first measurements and spans come within moments of the start.
    std::thread::sleep(Duration::from_secs(2));
    omid.type_in(":pin p99\n:pin trace 1\n");
    omid.wait_for("evidence alipay p99 latency = ", SOON);
    omid.wait_for("evidence trace ", SOON);
}

/// A limit of a few bytes for each file is to a process what a full disk is; the helper of a command would inherit it.
#[test]
fn on_a_disk_that_is_full_from_the_start_the_record_is_read_and_nothing_is_started() {
    let host = host_with(&[("kubectl", "touch \"$RAN\"")]);
    let ran = host.home.path().join("ran");
    host.run(&["declare", "-s", "blubank", "--severity", "sev2", "queue grows"]);
    let (_, said) = host.script(&["open", "INC-2", "--plain"], ":take sme\n");
    assert!(said.contains("dana is Subject Matter Expert"), "{said}");
    let inner = host.command(&["open", "INC-2", "--plain"]);
    let mut limited = std::process::Command::new("prlimit");
    limited.arg("--fsize=16").arg(inner.get_program()).args(inner.get_args());
    limited.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).env("RAN", &ran);
    limited.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut plain = Plain::spawn(&mut limited);
    plain.wait_for("a line of text is a note", SOON);
    plain.type_in("is anybody there?\n");
    plain.wait_for("! this was not saved: is anybody there?", SOON);
    plain.type_in(":run 2\n");
    // Whether it is refused now or when it is confirmed depends on when the disk was tried last.
    plain.wait_for("digest", SOON);
    plain.type_in(":confirm blubank\n");
    plain.wait_for("! the journal cannot be written", SOON);
    drop(plain);
    assert!(!ran.exists());
    assert!(!host.run(&["show", "INC-2"]).1.contains("is anybody there"));
}

#[test]
fn of_fifty_steps_that_two_consoles_start_at_once_each_runs_once() {
    const STEPS: usize = 50;
    let host = host_with(&[("tick", "echo \"$1\" >> \"$RAN\"")]);
    let folder = host.home.path().join("config/warroom/playbooks");
    fs::create_dir_all(&folder).unwrap();
    let steps = (1..=STEPS).map(|number| {
        format!(
            "\n[[steps]]\nid = \"tick-{number}\"\ntitle = \"Tick {number}\"\nlook = \"It ticks.\"\nexpect = \"One.\"\n\
             undo = \"Nothing to undo.\"\ndo.command = {{ argv = [\"tick\", \"{number}\"], changes = false, timeout = \"1m\", env = [\"RAN\"] }}\n"
        )
    });
    let head =
        "service = \"clock\"\nname = \"Clock\"\npublic-name = \"Clock\"\nowner = \"Us\"\nreviewed = 2026-11-01\n";
    fs::write(folder.join("clock.toml"), format!("{head}{}", steps.collect::<String>())).unwrap();
    assert_eq!(host.run(&["declare", "-s", "clock", "--severity", "sev2", "it ticks"]).1.trim(), "INC-2");
    let ran = host.home.path().join("ran");
    let start = |who: &str| {
        let path = format!("{}:{}", host.home.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = host.command(&["open", "INC-2", "--plain", "--as", who]);
        let mut console = Plain::spawn(command.env("PATH", path).env("RAN", &ran).stdin(Stdio::piped()));
        console.ready();
        console.type_in(":take sme\n");
        console.wait_for(&format!("{who} is Subject Matter Expert"), SOON);
        console
    };
    let mut omid = start("omid");
    omid.type_in(":trust clock yes\n");
    omid.wait_for("may run its commands", SOON);
    omid.type_in(":leave sme\n");
    let mut dana = start("dana");
    omid.type_in(":take sme clock\n");
    omid.wait_for("omid is Subject Matter Expert for clock", SOON);
    dana.wait_for("omid is Subject Matter Expert for clock", SOON);
    for number in 1..=STEPS {
        // Both have read it when both say the word.
        let words: Vec<String> = [&mut omid, &mut dana]
            .into_iter()
            .map(|console| {
                console.type_in(&format!(":run {number}\n"));
                console.word()
            })
            .collect();
        for (console, word) in [&mut omid, &mut dana].into_iter().zip(words) {
            console.type_in(&format!(":confirm {word}\n"));
        }
    }
    for console in [&mut omid, &mut dana] {
        console.type_in("that was all\n");
    }
    omid.wait_for("that was all (omid)", SOON * 4);
    dana.wait_for("that was all (dana)", SOON * 4);
    let count = || fs::read_to_string(&ran).unwrap_or_default().lines().count();
    let begun = warroom::run::clock::boot();
    while count() < STEPS && warroom::run::clock::boot() - begun < SOON {
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300));
    let mut all: Vec<usize> =
        fs::read_to_string(&ran).unwrap().lines().map(|line| line.trim().parse().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, Vec::from_iter(1..=STEPS), "each once");
}

/// A playbook of `alipay` with one command.
fn own_playbook(host: &Host, command: &str) {
    let folder = host.home.path().join("config/warroom/playbooks");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "service = \"alipay\"\nname = \"Alipay\"\npublic-name = \"Alipay\"\nowner = \"Payments\"\nreviewed = 2026-09-01\n\n[[steps]]\n\
         id = \"one\"\ntitle = \"One\"\nlook = \"Look.\"\nexpect = \"Well.\"\nundo = \"Back.\"\n{command}\n"
    );
    fs::write(folder.join("alipay.toml"), text).unwrap();
}

#[test]
fn a_script_of_several_lines_in_a_playbook_runs_as_it_is_written() {
    let host = host_with(&[]);
    own_playbook(
        &host,
        "do.command.argv = ['sh', '-c', '''\nset -e   # stop at the first error\n\tprintf '%s' \"$1\" > proof\n''', 'x', \"two  blanks\\u200b\\tend\"]",
    );
    let mut omid = open(&host, "omid");
    omid.type_in(":take sme\n:trust alipay yes\n:run 1\n");
    let line = omid.wait_for(r"sh -c $'set -e   # stop at the first error\n\tprintf \'%s\'", SOON);
    assert!(line.ends_with(r"$'two  blanks\u200b\tend'"), "{line}");
    omid.confirm();
    omid.wait_for("run One: exit 0 after", SOON);
    assert_eq!(fs::read_to_string(host.home.path().join("proof")).unwrap(), "two  blanks\u{200b}\tend");
}

#[test]
fn a_dry_run_starts_nothing_from_the_console_and_from_the_shell() {
    let host = host_with(&[("flagctl", "echo ran >> runs")]);
    let mut command = host.command(&["open", "INC-1", "--plain", "--as", "omid", "--dry-run"]);
    let path = format!("{}:{}", host.home.path().join("bin").display(), std::env::var("PATH").unwrap());
    let mut omid = Plain::spawn(
        command.env("PATH", path).env("HOME", host.home.path()).current_dir(host.home.path()).stdin(Stdio::piped()),
    );
    omid.ready();
    omid.type_in(":take sme\n:check 4\n:run 5 percent=20\n");
    omid.wait_for("--dry-run: nothing runs from this console", SOON);
    omid.confirm();
    omid.wait_for("dry run: flagctl set alipay.route backup --percent=20", SOON);
    omid.type_in(":runs\n");
    omid.wait_for("no command was started here", SOON);
    let (status, out) = host.run(&["run", "--as", "dana", "--dry-run", "--", "sh", "-c", "echo ran >> runs"]);
    assert_eq!(status, 0);
    assert!(out.starts_with("would run sh -c 'echo ran >> runs' in ") && out.contains("nothing ran"), "{out}");
    assert!(!host.home.path().join("runs").exists());
}

#[test]
fn a_command_gets_the_usual_variables_and_those_it_names_and_no_credential() {
    let host = host_with(&[]);
    own_playbook(&host, "do.command = { argv = [\"env\"], env = [\"ASKED\"] }");
    let mut command = host.command(&["open", "INC-1", "--plain", "--as", "omid"]);
    command.env("ASKED", "yes").env("SLACK_TOKEN", "xoxb-ours").env("LD_PRELOAD_X", "1").current_dir(host.home.path());
    let mut omid = Plain::spawn(command.stdin(Stdio::piped()));
    omid.ready();
    omid.type_in(":trust alipay yes\n:run 1\n");
    omid.wait_for("of the environment only ASKED", SOON);
    omid.confirm();
    omid.wait_for("run One: exit 0 after", SOON);
    let (_, told) = host.run(&["show", "INC-1", "--json"]);
    assert!(told.contains("ASKED=yes") && told.contains("PATH="), "{told}");
    assert!(!told.contains("SLACK_TOKEN") && !told.contains("LD_PRELOAD_X"), "{told}");
}

#[test]
fn a_program_that_was_changed_after_it_was_shown_does_not_run() {
    let host = host_with(&[("tool", "echo ran >> runs")]);
    let tool = host.home.path().join("bin/tool");
    own_playbook(&host, &format!("do.command = {{ argv = [\"{}\"] }}", tool.display()));
    let mut omid = open(&host, "omid");
    omid.type_in(":trust alipay yes\n:run 1\n");
    omid.wait_for("program", SOON);
    let line = omid.wait_for(":confirm ", SOON);
    fs::write(&tool, "#!/bin/sh\necho another >> runs\n").unwrap();
    let word = line.split(":confirm ").nth(1).unwrap().split(':').next().unwrap();
    omid.type_in(&format!(":confirm {word}\n"));
    omid.wait_for("was changed after it was shown", SOON);
    assert!(!host.home.path().join("runs").exists());
}

#[test]
fn under_warroom_run_both_outputs_stay_apart_and_signals_are_the_commands() {
    let host = host_with(&[]);
    let output = host.command(&["run", "--", "sh", "-c", "echo out; echo err >&2; exit 3"]).output().unwrap();
    assert_eq!((output.status.code(), &output.stdout[..], &output.stderr[..]), (Some(3), &b"out\n"[..], &b"err\n"[..]));
    let script = "trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done";
    for (signal, status) in [(Signal::INT, Some(5)), (Signal::TERM, None)] {
        let mut run = Plain::spawn(&mut host.command(&["run", "--", "sh", "-c", script]));
        run.wait_for("ready", SOON);
        run.signal(signal);
        let ended = run.wait_exit(SOON);
        assert!(status.is_none() || ended.code() == status, "{signal:?}: {ended}");
    }
    let (_, told) = host.run(&["show", "INC-1"]);
    assert!(told.contains("exit 5 after") && told.contains("STOPPED"), "each end stands in the record: {told}");
}

#[test]
fn a_playbook_that_is_mended_in_mid_incident_is_offered_on_a_running_console() {
    let host = host_with(&[]);
    own_playbook(&host, "do.command = { argv = [\"true\"] }");
    let mut omid = open(&host, "omid");
    // What was approved is this version: the incident goes by it though no step was touched yet.
    omid.type_in(":trust alipay yes\n");
    omid.wait_for("this incident uses version", SOON);
    own_playbook(&host, "do.command = { argv = [\"true\", \"mended\"] }");
    omid.wait_for("the file of the playbook of alipay has changed: 1 step", SOON);
    omid.type_in(":trust alipay\n");
    omid.wait_for("was changed while this incident goes by it", SOON);
}

#[test]
fn a_broken_playbook_of_ones_own_is_never_replaced_by_the_shipped_one_in_silence() {
    let host = host_with(&[("flagctl", "echo ran >> runs")]);
    let folder = host.home.path().join("config/warroom/playbooks");
    fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/no/such/alipay.toml", folder.join("alipay.toml")).unwrap();
    let (status, told) = host.run(&["playbook", "check"]);
    assert!(status == 1 && told.contains("alipay.toml"), "{told}");
    let mut omid = open(&host, "omid");
    omid.type_in(":steps\n");
    omid.wait_for("the playbook of alipay cannot be read", SOON);
    omid.type_in(":trust alipay\n");
    omid.wait_for(":trust alipay 2: take the one that ships with the program", SOON);
    omid.type_in(":trust alipay 2\n");
    omid.wait_for("this incident uses version", SOON);
    omid.type_in(":steps\n");
    omid.wait_for("Route traffic to the backup provider", SOON);
}
