//! What a command leaves running: the processes that can still write where it wrote, and those of its session.
//!
//! Hides `/proc`. What ends while it is looked at is not there.

use std::fs;
use std::os::fd::AsFd;

use crate::incident::LeftRunning;
use crate::text::CleanStr;

/// So many are named at most.
const MOST: usize = 20;

/// The place of a pipe, by which every end of it is known.
pub(super) fn place(pipe: impl AsFd) -> Option<u64> {
    rustix::fs::fstat(pipe).ok().map(|about| about.st_ino)
}

/// The processes, but for this one, that hold one of the pipes or belong to this session.
pub(super) fn running(pipes: &[u64]) -> Vec<LeftRunning> {
    let me = std::process::id();
    let names: Vec<String> = pipes.iter().map(|place| format!("pipe:[{place}]")).collect();
    let session = session_of(me);
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_left = |pid: &u32| *pid != me && (session.is_some() && session_of(*pid) == session || holds(*pid, &names));
    let left = numbers.filter(is_left).filter_map(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(LeftRunning { pid: i32::try_from(pid).ok()?, name: CleanStr::new(name.trim()) })
    });
    let mut left: Vec<_> = left.take(MOST).collect();
    left.sort_by_key(|one| one.pid);
    left
}

fn holds(pid: u32, pipes: &[String]) -> bool {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|target| target.to_str().is_some_and(|target| pipes.iter().any(|pipe| pipe == target)))
}

/// The session of a process that runs; none of one that only waits to be reaped.
fn session_of(pid: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the name, which can hold everything: state, parent, group, session.
    let mut fields = text.rsplit_once(')')?.1.split_ascii_whitespace();
    if fields.next()? == "Z" {
        return None;
    }
    fields.nth(2)?.parse().ok()
}
