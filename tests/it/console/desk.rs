//! What helps at the desk: names and times while they are typed, a pager for what is long, a start without what is broken.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{ESC, Host, SIZE, SOON, Typist, WARROOM};
use crate::support::pty::code;

const PEOPLE: &str = "[[people]]\nname = \"Omid Karimi\"\nlogin = \"omid\"\n[[people]]\nname = \"Olga Rad\"\n\
                      [[people]]\nname = \"Sara\"\n";

/// A machine with a configuration.
fn configured(text: &str) -> Host {
    let host = Host::new();
    let folder = host.folder.path().join("config/warroom");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), text).unwrap();
    host
}

#[test]
fn a_name_in_the_scribes_line_is_completed_as_in_forms() {
    let host = configured(PEOPLE).declared();
    let mut console = host.open(&[]);
    console.send("n");
    console.send("@o");
    console.wait_for("@Omid Karimi, @Olga Rad", SOON);
    // Several can be meant: Tab stays with whoever is typing.
    console.send("\t");
    console.send("m");
    console.wait_for("@Omid Karimi (Tab completes it)", SOON);
    console.send("\t");
    console.wait_for("@\"Omid Karimi\"", SOON);
    console.send("check p99 5m\r");
    crate::support::until("the task", || {
        host.texts("INC-1").iter().any(|text| text.starts_with("@Omid Karimi check p99"))
    });
    // In the middle of a line, too; and Tab goes to the next pane where no name is being written.
    console.send("asked @sa");
    console.wait_for("@Sara (Tab completes it)", SOON);
    console.send("\tabout it\r");
    crate::support::until("the note", || host.times("INC-1", "asked @Sara about it") == 1);
    console.send(ESC);
    console.quit();
}

#[test]
fn a_form_says_how_a_time_is_understood_while_it_is_typed() {
    let host = configured("zone = \"Asia/Tehran\"\n").declared();
    let mut console = host.open(&[]);
    console.send("@");
    console.wait_for("and calls back in or at: ", SOON);
    console.send("\t\t");
    console.send("\x15");
    console.wait_until("no moment without a time", SOON, |screen| {
        let screen = screen.contents();
        screen.contains("and calls back in or at") && !screen.contains("and calls back in or at: ")
    });
    console.send("23:59 CET");
    console.wait_for(" +0330", SOON);
    console.wait_until("the moment in the incident's zone", SOON, |screen| {
        screen.contents().lines().any(|row| row.contains("and calls back in or at: ") && row.contains("02:29 +0330"))
    });
    console.send(ESC);
    console.quit();
}

#[test]
fn the_pager_gets_the_terminal_and_gives_it_back() {
    let host = Host::new().declared();
    host.say(&["run", "--", "seq", "1", "3000"]);
    let pager = host.folder.path().join("pager");
    fs::write(&pager, "#!/bin/sh\necho \"PAGED $(tail -n 1 \"$1\")\"\nread answer\necho \"BYE $answer\"\n").unwrap();
    fs::set_permissions(&pager, fs::Permissions::from_mode(0o755)).unwrap();
    let pager = pager.display().to_string();
    let mut console = host.start(WARROOM, &["open", "INC-1"], &[("PAGER", &pager)], SIZE);
    console.wait_for("INC-1 SEV1", SOON);
    console.send("9");
    console.wait_for("2990", SOON);
    console.send("o");
    console.wait_until("the last line, with its time", SOON, |screen| {
        screen.contents().lines().any(|line| line.starts_with("PAGED ") && line.trim_end().ends_with("Z 3000"))
    });
    // The pager reads keys as lines, as on any terminal; a resize and a note of somebody else do not disturb it.
    console.resize((100, 30));
    host.say(&["note", "written meanwhile"]);
    console.send("thanks\n");
    console.wait_for("written meanwhile", SOON);
    console.wait_until("the whole screen is the console's again", SOON, |screen| {
        screen.contents().contains("INC-1 SEV1") && !screen.contents().contains("PAGED")
    });
    console.note("typed afterwards");
    crate::support::until("the note", || host.times("INC-1", "typed afterwards") == 1);
    console.quit();
}

#[test]
fn a_broken_configuration_offers_to_start_without_it_and_hinders_no_note() {
    let host = Host::new().declared();
    let folder = host.folder.path().join("config/warroom");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), "[me]\nname = \"dana\"\n[screen]\nmouse = 3\n").unwrap();
    let mut console = host.console(&["open", "INC-1"]);
    console.wait_for("Start like that?", SOON);
    console.send("n\n");
    console.wait_for("not started", SOON);
    assert_eq!(code(console.wait_exit(SOON)), 2);
    let mut console = host.console(&["open", "INC-1"]);
    console.wait_for("Start like that?", SOON);
    console.send("\n");
    console.wait_for("INC-1 SEV1", SOON);
    console.quit();
    // Nobody is asked anything for a note, a declaration or a command, at a terminal and without one.
    for words in
        [&["note", "at a terminal"][..], &["declare", "--severity", "sev3", "second"], &["take", "ic", "-i", "1"]]
    {
        let mut done = host.console(words);
        assert_eq!(code(done.wait_exit(SOON)), 0, "{words:?}: {}", done.contents());
        assert!(!done.contents().contains("Start like that"), "{}", done.contents());
    }
    let piped = host.run(&["note", "-i", "INC-1", "without one"]);
    assert_eq!(code(piped.status), 0, "{}", String::from_utf8_lossy(&piped.stderr));
    let mut bare = host.console(&["open", "INC-1", "--no-config"]);
    bare.wait_for("INC-1 SEV1", SOON);
    bare.quit();
}
