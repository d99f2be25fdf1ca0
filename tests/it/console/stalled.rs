//! A console whose disk does not answer for a while, or not at all.

use std::fs;
use std::time::Duration;

use super::{ESC, Host, SIZE, SOON, Typist, WARROOM, recorded};
use crate::refused_calls::built;
use crate::support::pty::{Pty, code};

/// Waits in each sync as long as a file is there.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static void stall(void) {
    struct timespec moment = { 0, 20000000 };
    while (access(getenv("STALL_WHILE"), F_OK) == 0) nanosleep(&moment, 0);
}
int fsync(int fd) { stall(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) { stall(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
"#;

/// Within so long it is said that something is not on the disk.
const SAID: Duration = Duration::from_secs(2);

fn console(host: &Host, library: &str, flag: &str) -> Pty {
    let env = [("LD_PRELOAD", library), ("STALL_WHILE", flag)];
    let mut console = host.start(WARROOM, &["open", "INC-1", "--role", "scribe"], &env, SIZE);
    console.wait_for("Ctrl+J new line", SOON);
    console
}

/// Types a line and records it: what comes in one burst is no key press.
fn enter(console: &mut Pty, text: &str) {
    console.send(text);
    console.wait_for(text, SOON);
    console.watch(Duration::from_millis(400));
    console.send("\r");
}

#[test]
fn what_a_stalled_disk_has_not_taken_is_said_within_two_seconds_and_kept_when_one_leaves() {
    let (_folder, library) = built(LIBRARY);
    let library = library.to_str().unwrap();
    let host = Host::new().declared();
    let flag = host.state().join("stalls");
    let mut console = console(&host, library, flag.to_str().unwrap());
    fs::write(&flag, "").unwrap();
    enter(&mut console, "the line that matters");
    console.wait_for("NOT ON DISK since", SAID + Duration::from_millis(500));
    assert!(!recorded(&console.contents(), "the line that matters"), "it is not recorded yet");
    console.send("half of another");
    console.wait_for("half of another", SOON);
    // It answers again: then all is well.
    fs::remove_file(&flag).unwrap();
    console.wait_until("recorded", SOON, |screen| {
        recorded(&screen.contents(), "the line that matters") && !screen.contents().contains("NOT ON DISK")
    });
    fs::write(&flag, "").unwrap();
    console.send("\x15");
    enter(&mut console, "the last line, key ghp_0123456789abcdefghijABCDEFGHIJ012345");
    console.wait_for("NOT ON DISK since", SAID + Duration::from_millis(1500));
    console.send("and half, DB_PASSWORD=hunter2hunter2");
    console.wait_for("and half", SOON);
    console.send("\x11");
    assert_eq!(code(console.wait_exit(SOON)), 1, "it is no clean end");
    let raw = String::from_utf8_lossy(console.raw()).into_owned();
    let words = raw.rsplit("\x1b[?1049l").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("NOT ON DISK") && words.contains("warroom show INC-1"), "{words}");
    let kept = fs::read_dir(host.state().join("warroom/rescue")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&kept).unwrap();
    assert!(text.contains("the last line") && text.contains("and half"), "{text}");
    assert!(!text.contains("ghp_0123") && !text.contains("hunter2"), "no secret is kept: {text}");
    assert!(words.replace(' ', "").contains(&kept.file_name().unwrap().to_string_lossy().replace(' ', "")), "{words}");
    fs::remove_file(&flag).unwrap();
    assert_eq!(host.times("INC-1", "the line that matters"), 1);
}

/// Whoever is stopped by Ctrl+Z in the middle of a write would keep everybody else of the host from writing.
#[test]
fn a_console_that_is_stopped_while_it_writes_holds_up_nobody() {
    let (_folder, library) = built(LIBRARY);
    let host = Host::new().declared();
    let flag = host.state().join("stalls");
    let mut shell = host.start("bash", &["--norc", "--noprofile", "-i"], &[("PS1", "prompt> ")], SIZE);
    shell.wait_for("prompt>", SOON);
    let (library, flagged) = (library.display(), flag.display());
    shell.send(format!("LD_PRELOAD={library} STALL_WHILE={flagged} {WARROOM} open INC-1 --role scribe\r"));
    shell.wait_for("Ctrl+J new line", SOON);
    shell.type_for("half a line", "half a line");
    fs::write(&flag, "").unwrap();
    // What is typed is kept within a second: that write does not come to its end.
    shell.send(" and some more");
    shell.wait_for("NOT ON DISK since", SOON);
    shell.send("\x1a");
    shell.watch(Duration::from_millis(300));
    fs::remove_file(&flag).unwrap();
    shell.wait_until("the shell", SOON, |screen| {
        !screen.alternate_screen() && screen.contents().trim_end().ends_with("prompt>")
    });
    host.say(&["note", "written meanwhile"]);
    shell.send("fg\r");
    shell.wait_for("written meanwhile", SOON);
    shell.send(format!("\x15{ESC}q"));
    shell.wait_until("the shell", SOON, |screen| !screen.alternate_screen());
}
