//! Files that this account is kept from: whose they are and what gives them back is said once, and nothing is said not
//! to be there.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plain::Host;
use crate::support::pty::code;

const OTHER: u32 = 4711;

/// A home of another account than root, in which there is an incident, a drill and a change.
struct Home(Host);

impl Home {
    /// Nothing without root: two accounts are needed.
    fn new() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not tried: two accounts need root");
            return None;
        }
        let host = Host::new();
        host.declare();
        assert_eq!(host.run(&["change", "-s", "alipay", "rolled out 2.1"]).0, 0);
        assert_eq!(host.script(&["gameday", "--plain"], "").0, 0);
        give(host.home.path(), OTHER);
        Some(Self(host))
    }

    fn journal(&self) -> PathBuf {
        self.0.home.path().join("state/warroom/journal")
    }

    /// As the account whose home it is; all that was said.
    fn run(&self, words: &[&str]) -> (i32, String) {
        let mut command = self.0.command(words);
        let output = command.current_dir("/").uid(OTHER).gid(OTHER).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (code(output.status), text(output.stdout) + &text(output.stderr))
    }
}

/// Gives a path and all below it to an account.
fn give(path: &Path, owner: u32) {
    chown(path, Some(owner), Some(owner)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().flatten().for_each(|item| give(&item.path(), owner));
    }
}

/// Sentences that claim that there is nothing of what is here.
const ABSENCE: [&str; 9] = [
    "no incident",
    "no record is like",
    "never practised",
    "nothing changed",
    "nothing that is like that changed",
    "not there yet",
    "there is no",
    "no follow-up",
    "no drill is recorded",
];

const ASKED: [&[&str]; 13] = [
    &["list"],
    &["list", "--all"],
    &["show", "INC-1"],
    &["journal", "verify"],
    &["journal", "export", "INC-1"],
    &["report"],
    &["followups"],
    &["changes"],
    &["past", "-i", "INC-1"],
    &["gameday", "list"],
    &["gameday", "teams"],
    &["doctor"],
    &["open", "--plain"],
];

#[test]
fn a_folder_that_one_sudo_took_away_is_said_to_be_root_s_with_what_gives_it_back_and_never_to_be_empty() {
    let Some(home) = Home::new() else { return };
    for taken in [home.journal(), home.journal().join("..")] {
        give(&taken, 0);
        for words in ASKED {
            let (status, said) = home.run(words);
            // The program's own folder holds its log, too: that it writes none is no reason to fail.
            assert_eq!(status == 0, words[0] == "open", "{words:?}: {said}");
            assert!(said.contains("belongs to another account (root) and has mode 700"), "{words:?}: {said}");
            assert_eq!(said.matches(&format!("`sudo chown -R {OTHER} ")).count(), 1, "{words:?}: {said}");
            let claims: Vec<_> = ABSENCE.iter().filter(|claim| said.contains(**claim)).collect();
            assert!(claims.is_empty(), "{words:?} says {claims:?}: {said}");
        }
        give(&taken, OTHER);
    }
    assert!(home.run(&["list"]).1.contains("payments are slow"), "given back, all is there");
}

#[test]
fn one_file_that_is_root_s_hides_no_other_and_is_read_and_marked_where_it_can_be() {
    let Some(home) = Home::new() else { return };
    assert_eq!(home.run(&["declare", "-s", "yoomonea", "--severity", "sev3", "slow elsewhere"]).0, 0);
    let file = home.journal().join("INC-1.db");
    give(&file, 0);
    let (_, said) = home.run(&["list"]);
    assert!(said.contains("slow elsewhere") && said.contains("INC-1 cannot be read"), "{said}");
    assert!(said.contains("another account (root)") && !said.contains("no incident"), "{said}");
    let (status, said) = home.run(&["show", "INC-1"]);
    assert!(status == 1 && said.contains(&format!("`sudo chown -R {OTHER} {}`", file.display())), "{said}");
    // A log that only root can read holds the newest lines: without it nothing of the record is told.
    give(&file, OTHER);
    let log = home.journal().join("INC-1.db-wal");
    fs::write(&log, "").unwrap();
    give(&log, 0);
    fs::set_permissions(&log, fs::Permissions::from_mode(0o600)).unwrap();
    let (status, said) = home.run(&["show", "INC-1"]);
    assert!(status == 1 && said.contains("INC-1.db-wal belongs to another account (root)"), "{said}");
    assert_eq!(fs::metadata(&log).unwrap().len(), 0);
    // What may be read is read.
    for path in [&file, &log] {
        give(path, 0);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let (status, said) = home.run(&["show", "INC-1"]);
    assert!(
        status == 0 && said.contains("payments are slow") && said.contains("is read-only here: it belongs"),
        "{said}"
    );
    let (status, said) = home.run(&["note", "-i", "INC-1", "not taken"]);
    assert!(status == 1 && said.contains("read-only"), "{said}");
    let (_, said) = home.run(&["open", "INC-1", "--plain"]);
    assert!(said.contains("! the record is read-only here: it belongs to another account (root)"), "{said}");
}

/// Runs a script in a mount namespace of its own; nothing where none is to be had.
fn apart(script: &str, host: &Host) -> Option<(i32, String)> {
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-ec", script]).envs(host.folders()).env("LC_ALL", "C.UTF-8");
    command.env("W", env!("CARGO_BIN_EXE_warroom")).env("HOME_OF_TEST", host.home.path());
    let output = command.output().ok()?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let said = text(output.stdout) + &text(output.stderr);
    let is_refused = said.contains("unshare") || said.contains("mount:");
    if is_refused {
        eprintln!("not tried: nothing can be mounted here: {said}");
    }
    (!is_refused).then(|| (code(output.status), said))
}

#[test]
fn a_backup_without_its_log_on_a_disk_mounted_read_only_is_read_by_every_verb_and_marked() {
    let host = Host::new();
    host.declare();
    assert_eq!(host.script(&["gameday", "--plain"], "").0, 0);
    let journal = host.home.path().join("state/warroom/journal");
    for item in
        fs::read_dir(&journal).unwrap().flatten().filter(|item| item.path().extension().is_none_or(|is| is != "db"))
    {
        let path = item.path();
        let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
    }
    let mounted =
        "mount --bind $HOME_OF_TEST $HOME_OF_TEST; mount -o remount,ro,bind $HOME_OF_TEST; cd /tmp; $W --as dana";
    for (words, holds) in [
        ("list", "payments are slow"),
        ("show INC-1", "DECLARED"),
        ("journal verify", "INC-1: sound"),
        ("journal export INC-1", "\"declared\""),
        ("report", "1 incident"),
        ("postmortem INC-1 --out $(mktemp -d)", "INC-1-postmortem.md"),
        ("gameday list", "DRILL-1 runs"),
        ("open INC-1 --plain < /dev/null", "payments are slow"),
        ("doctor", "journal: "),
    ] {
        let Some((status, said)) = apart(&format!("{mounted} {words}"), &host) else { return };
        assert!(said.contains(holds) && (status == 0 || words == "doctor"), "{words}: {status} {said}");
        assert!(said.contains("read-only here: its disk is mounted read-only"), "{words} is not marked: {said}");
        assert_eq!(said.matches("mounted read-only").count(), 1, "{words}: each cause once: {said}");
    }
}

#[test]
fn a_file_system_that_nobody_knows_is_judged_by_what_it_does() {
    let host = Host::new();
    // In memory, and of a kind that is on no list: it does all that is needed.
    let good = "mkdir -p $HOME_OF_TEST/state/warroom/journal; mount -t ramfs none $HOME_OF_TEST/state/warroom/journal; chmod 700 $HOME_OF_TEST/state/warroom/journal";
    let does = format!(
        "{good}; $W --as dana declare -s alipay --severity sev2 slow; $W list; $W doctor | grep -c '  *journal: '"
    );
    let Some((_, said)) = apart(&does, &host) else { return };
    assert!(said.contains("INC-1") && said.contains("slow") && said.ends_with("1\n"), "{said}");
    // Files of large pages: they can be made, and not be written.
    let bad = good.replace("-t ramfs", "-t hugetlbfs");
    let Some((_, said)) = apart(&format!("{bad}; $W list || true; $W doctor | grep '  *journal: ' || true"), &host)
    else {
        return;
    };
    assert_eq!(said.matches("is on a file system without").count(), 2, "{said}");
    assert!(
        said.contains("choose a directory on a local disk (journal.dir)") && !said.contains("no incident"),
        "{said}"
    );
}
