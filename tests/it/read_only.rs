//! Reading needs no writing: records that belong to somebody else, or lie on a disk that takes nothing, can be read, and nothing is left there.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::plain::{Host, SOON};
use crate::support::pty::code;

const WARROOM: &str = env!("CARGO_BIN_EXE_warroom");
const OTHER: u32 = 4711;

/// A journal of this account with a note that stands in the log only, as after `kill -9`, readable by everybody.
struct Foreign {
    host: Host,
    own: tempfile::TempDir,
}

impl Foreign {
    fn new() -> Self {
        let host = Host::new();
        host.declare();
        let journal = host.home.path().join("state/warroom/journal");
        let mut console = host.start(&["open", "INC-1", "--plain"]);
        console.wait_for("INC-1", SOON);
        console.type_in("the line that must be readable\n");
        console.wait_for("the line that must be readable", SOON);
        console.signal(rustix::process::Signal::KILL);
        console.wait_exit(SOON);
        assert!(fs::metadata(journal.join("INC-1.db-wal")).unwrap().len() > 0, "it stands in the log");
        let own = tempfile::tempdir().unwrap();
        chown(own.path(), Some(OTHER), Some(OTHER)).unwrap();
        let all = Self { host, own };
        for place in [all.host.home.path(), &all.host.home.path().join("state"), &journal.join("..")] {
            fs::set_permissions(place, fs::Permissions::from_mode(0o755)).unwrap();
        }
        all.open_to_others();
        all
    }

    fn journal(&self) -> PathBuf {
        self.host.home.path().join("state/warroom/journal")
    }

    fn open_to_others(&self) {
        fs::set_permissions(self.journal(), fs::Permissions::from_mode(0o755)).unwrap();
        for item in fs::read_dir(self.journal()).unwrap().flatten() {
            let mode = if item.file_type().unwrap().is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(item.path(), fs::Permissions::from_mode(mode)).unwrap();
        }
    }

    /// As another account, which may read and no more.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(WARROOM);
        command
            .args(arguments)
            .args(["--as", "eve"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.own.path());
        command.env("LC_ALL", "C.UTF-8").env("WARROOM_JOURNAL__DIR", self.journal());
        command.current_dir(self.own.path()).stdin(Stdio::null()).uid(OTHER).gid(OTHER);
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (code(output.status), text(output.stdout), text(output.stderr))
    }
}

/// Each file with its size, mode and time of change: what reading must leave as it is.
fn all(folder: &Path) -> BTreeMap<PathBuf, (u64, u32, i64, i64)> {
    let item = |item: fs::DirEntry| {
        let is = item.metadata().unwrap();
        (item.path(), (is.len(), is.mode(), is.mtime(), is.mtime_nsec()))
    };
    fs::read_dir(folder).unwrap().flatten().map(item).collect()
}

#[test]
fn who_may_only_read_reads_all_of_it_is_told_so_and_leaves_no_trace() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not tried: two accounts need root");
        return;
    }
    let foreign = Foreign::new();
    let before = all(&foreign.journal());
    for (arguments, holds) in [
        (&["list"][..], "payments are slow"),
        (&["show", "INC-1"], "the line that must be readable"),
        (&["journal", "verify"], "INC-1: sound"),
        (&["journal", "export", "INC-1"], "the line that must be readable"),
        (&["report", "--since", "30d"], ""),
        (&["postmortem", "INC-1", "--out", "here"], ""),
    ] {
        let (status, said, errors) = foreign.run(arguments);
        assert_eq!(status, 0, "{arguments:?}: {said}{errors}");
        assert!(said.contains(holds), "{arguments:?}: {said}{errors}");
        assert!(!format!("{said}{errors}").contains("no incident is open"), "{arguments:?}: {said}{errors}");
        let is_marked = errors.contains("read-only") || said.contains("read-only");
        assert!(is_marked, "{arguments:?} is not marked: {said}{errors}");
    }
    for arguments in
        [&["note", "-i", "INC-1", "x"][..], &["declare", "-s", "alipay", "--severity", "sev1", "x", "--anyway"]]
    {
        let (status, said, errors) = foreign.run(arguments);
        assert_eq!(status, 1, "{arguments:?}: {said}{errors}");
        assert!(errors.contains("read-only") && errors.contains("belongs to another account"), "{errors}");
    }
    assert_eq!(all(&foreign.journal()), before, "reading changes nothing");
}
