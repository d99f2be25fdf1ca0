//! A console whose record is taken away, replaced or broken while it is open.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use super::{Host, SOON, Typist};
use crate::support::pty::{Pty, code};

/// Within so long a console says that nothing is recorded any more.
const SAID: Duration = Duration::from_secs(5);

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What is done to a journal under a running console, and a word of what it must say.
type Fault = (&'static str, fn(&Path), &'static str);

const FAULTS: [Fault; 12] = [
    ("the folder is deleted", |folder| fs::remove_dir_all(folder).unwrap(), "deleted or moved away"),
    (
        "the folder is moved",
        |folder| fs::rename(folder, folder.with_extension("old")).unwrap(),
        "deleted or moved away",
    ),
    (
        "the folder is replaced by a copy",
        |folder| {
            let old = folder.with_extension("old");
            fs::rename(folder, &old).unwrap();
            fs::create_dir(folder).unwrap();
            set_mode(folder, 0o700);
            fs::copy(old.join("INC-1.db"), folder.join("INC-1.db")).unwrap();
            give(folder, &old);
            give(&folder.join("INC-1.db"), &old);
        },
        "another file stands",
    ),
    ("the folder cannot be entered", |folder| set_mode(folder, 0), "cannot be reached"),
    ("the file cannot be read", |folder| set_mode(&folder.join("INC-1.db"), 0), "cannot be reached"),
    ("the file is deleted", |folder| fs::remove_file(folder.join("INC-1.db")).unwrap(), "deleted or moved away"),
    (
        "the file is replaced by a copy",
        |folder| {
            fs::copy(folder.join("INC-1.db"), folder.join("copy")).unwrap();
            give(&folder.join("copy"), folder);
            fs::rename(folder.join("copy"), folder.join("INC-1.db")).unwrap();
        },
        "another file stands",
    ),
    (
        "the file is cut",
        |folder| {
            let file = fs::OpenOptions::new().write(true).open(folder.join("INC-1.db")).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        },
        "damaged",
    ),
    ("its log is deleted", |folder| fs::remove_file(folder.join("INC-1.db-wal")).unwrap(), "its log was deleted"),
    (
        "the memory of its log is deleted",
        |folder| fs::remove_file(folder.join("INC-1.db-shm")).unwrap(),
        "the memory of its log was deleted",
    ),
    // Whoever touches memory whose file has ended is killed.
    (
        "the memory of its log is emptied",
        |folder| cut(folder, "INC-1.db-shm", 0),
        "the memory of its log was cut short",
    ),
    ("the memory of its log is cut", |folder| cut(folder, "INC-1.db-shm", 4096), "the memory of its log was cut short"),
];

/// Gives a copy to whom the original belongs.
fn give(copy: &Path, original: &Path) {
    let owner = fs::metadata(original).unwrap();
    std::os::unix::fs::chown(copy, Some(owner.uid()), Some(owner.gid())).unwrap();
}

fn cut(folder: &Path, name: &str, length: u64) {
    fs::OpenOptions::new().write(true).open(folder.join(name)).unwrap().set_len(length).unwrap();
}

/// No mode keeps root out: then the console runs as an account of no name, to which all of the host is given.
const NOBODY: u32 = 61_020;

fn open(host: &Host) -> Pty {
    if !rustix::process::geteuid().is_root() {
        return host.open(&["--role", "scribe"]);
    }
    // Where the build lies other accounts may not reach it. Copied by another process: a file that this one has open for writing cannot be started,
    // and whatever another test starts meanwhile has it open too.
    let program = host.folder.path().join("warroom");
    assert!(std::process::Command::new("cp").args([Path::new(super::WARROOM), &program]).status().unwrap().success());
    let given = std::process::Command::new("chown").args(["-R", &NOBODY.to_string()]).arg(host.folder.path()).status();
    assert!(given.unwrap().success());
    let (uid, program) = (NOBODY.to_string(), program.to_str().unwrap());
    let arguments =
        ["--reuid", &uid, "--regid", &uid, "--clear-groups", "--", program, "open", "INC-1", "--role", "scribe"];
    host.start("setpriv", &arguments, &[], super::SIZE)
}

fn half_typed(host: &Host) -> Pty {
    let mut console = open(host);
    console.wait_for("INC-1 SEV1", SOON);
    console.wait_for("Ctrl+J new line", SOON);
    console.note("this one is recorded");
    console.type_for("nhalf of a line", "half of a line");
    // It was kept, and the disk is quiet.
    console.watch(Duration::from_millis(700));
    console
}

#[test]
fn a_console_whose_record_vanishes_or_breaks_says_not_saved_and_why_and_keeps_what_is_typed() {
    // All at once: each waits some seconds for its console.
    std::thread::scope(|scope| {
        for (what, fault, why) in FAULTS {
            scope.spawn(move || {
                let host = Host::new().declared();
                // More than fits into the log's first pages: half of the file holds something.
                for number in 0..40 {
                    host.say(&["note", "-i", "INC-1", &format!("line {number} {}", "x".repeat(900))]);
                }
                let mut console = half_typed(&host);
                let folder = host.state().join("warroom/journal");
                fault(&folder);
                console.wait_until(&format!("{what}: NOT SAVED"), SAID, |screen| {
                    let text = screen.contents();
                    text.contains("NOT SAVED") && text.split_whitespace().collect::<Vec<_>>().join(" ").contains(why)
                });
                console.send("\r");
                console.watch(Duration::from_millis(500));
                let text = console.contents();
                assert!(text.contains("half of a line"), "{what}: what is typed stays: {text}");
                assert!(!super::recorded(&text, "half of a line"), "{what}: nothing is shown as recorded: {text}");
                console.send("\x1b[27u");
                console.watch(Duration::from_millis(200));
                console.kill(rustix::process::Signal::TERM);
                assert_eq!(code(console.wait_exit(SOON)), 128 + 15, "{what}: it ends as it was asked to");
                console.assert_modes_as_before();
            });
        }
    });
}
