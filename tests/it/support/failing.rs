//! A program for which one look at a file of some folder fails, as on a disk that is failing: the system call itself
//! answers with an error.
//!
//! Hides `ptrace(2)`: every call of the program and of its threads stops twice, before and after; the one that is to
//! fail becomes a call that there is not, and its answer the error. Without the right to do that nothing is tried, and
//! that is said.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A call by its number on this machine: its name, where its path or its descriptor stands, and with what it fails.
const CALLS: [(u64, &str, Subject, Errno); 11] = [
    (257, "openat", Subject::Path, Errno::EACCES),
    (0, "read", Subject::Descriptor, Errno::EIO),
    (17, "pread64", Subject::Descriptor, Errno::EIO),
    (217, "getdents64", Subject::Descriptor, Errno::EIO),
    (262, "newfstatat", Subject::Path, Errno::EACCES),
    (332, "statx", Subject::Path, Errno::EIO),
    (5, "fstat", Subject::Descriptor, Errno::EIO),
    (137, "statfs", Subject::OwnPath, Errno::EIO),
    (4, "stat", Subject::OwnPath, Errno::EACCES),
    (6, "lstat", Subject::OwnPath, Errno::EACCES),
    (439, "faccessat2", Subject::Path, Errno::EACCES),
];

/// What a call is about.
#[derive(Clone, Copy)]
enum Subject {
    /// A descriptor in its first argument.
    Descriptor,
    /// A path in its second, below the folder in its first.
    Path,
    /// A path in its first.
    OwnPath,
}

/// What a program said.
pub struct Said {
    pub out: String,
    pub errors: String,
    /// The calls that could have failed, in their order: what each was about.
    pub calls: Vec<String>,
}

/// Runs a program; the call of this place among those that are about files below a folder fails, and none where it is
/// nothing.
pub fn run(command: &Command, folder: &Path, input: &str, fails: Option<usize>) -> Result<Said, Errno> {
    let mut child = stopped(command);
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    let wait = |flags| waitpid(pid, Some(flags));
    let is_stopped = loop {
        match wait(WaitPidFlag::WUNTRACED) {
            Ok(WaitStatus::Stopped(..)) => break Ok(()),
            Ok(_) => {}
            Err(error) => break Err(error),
        }
    };
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_EXITKILL;
    if let Err(error) = is_stopped.and_then(|()| ptrace::seize(pid, options)) {
        let _ = child.kill();
        let _ = nix::sys::signal::kill(pid, Signal::SIGCONT);
        let _ = child.wait();
        return Err(error);
    }
    let streams = streams(&mut child, input);
    let _ = nix::sys::signal::kill(pid, Signal::SIGCONT);
    let mut watched = Watched { folder: folder.to_owned(), fails, calls: Vec::new(), failing: HashMap::new() };
    watched.follow();
    let _ = child.wait();
    let [out, errors] = streams.map(|stream| stream.join().unwrap());
    Ok(Said { out, errors, calls: watched.calls })
}

/// The program, stopped before its first step.
fn stopped(command: &Command) -> Child {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "kill -STOP $$; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell.env_clear();
    for (name, value) in command.get_envs() {
        value.map(|value| shell.env(name, value));
    }
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn streams(child: &mut Child, input: &str) -> [std::thread::JoinHandle<String>; 2] {
    use std::io::Write;
    // It is short: a pipe takes it at once.
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let read = |mut stream: Box<dyn Read + Send>| {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    [read(Box::new(child.stdout.take().unwrap())), read(Box::new(child.stderr.take().unwrap()))]
}

struct Watched {
    folder: PathBuf,
    fails: Option<usize>,
    calls: Vec<String>,
    /// The threads that are in a call, and with what it is to end.
    failing: HashMap<Pid, Option<Errno>>,
}

impl Watched {
    fn follow(&mut self) {
        // Of this thread's own children only: other tests have some, too.
        let ours = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(ours)) {
                Ok(WaitStatus::PtraceSyscall(pid)) => {
                    self.step(pid);
                    let _ = ptrace::syscall(pid, None);
                }
                Ok(WaitStatus::PtraceEvent(pid, ..)) => {
                    let _ = ptrace::syscall(pid, None);
                }
                Ok(WaitStatus::Stopped(pid, signal)) => {
                    let is_ours = matches!(signal, Signal::SIGSTOP | Signal::SIGTRAP | Signal::SIGCONT);
                    let _ = ptrace::syscall(pid, if is_ours { None } else { Some(signal) });
                }
                Ok(_) | Err(Errno::EINTR) => {}
                // The last of them is gone.
                Err(_) => return,
            }
        }
    }

    /// Before a call, or after it.
    fn step(&mut self, pid: Pid) {
        let Ok(mut registers) = ptrace::getregs(pid) else { return };
        if let Some(fault) = self.failing.remove(&pid) {
            if let Some(errno) = fault {
                registers.rax = (-i64::from(errno as i32)).cast_unsigned();
                let _ = ptrace::setregs(pid, registers);
            }
            return;
        }
        let about =
            CALLS.iter().find(|(number, ..)| *number == registers.orig_rax).and_then(|(_, name, subject, errno)| {
                let path = subject_of(pid, *subject, [registers.rdi, registers.rsi])?;
                path.starts_with(&self.folder).then(|| (format!("{name} {}", path.display()), *errno))
            });
        let mut fault = None;
        if let Some((what, errno)) = about {
            if self.fails == Some(self.calls.len()) {
                fault = Some(errno);
                registers.orig_rax = u64::MAX;
                let _ = ptrace::setregs(pid, registers);
            }
            self.calls.push(what);
        }
        self.failing.insert(pid, fault);
    }
}

/// The path that a call is about.
fn subject_of(pid: Pid, subject: Subject, arguments: [u64; 2]) -> Option<PathBuf> {
    let held = |descriptor: u64| std::fs::read_link(format!("/proc/{pid}/fd/{}", descriptor as i32)).ok();
    match subject {
        Subject::Descriptor => held(arguments[0]),
        Subject::OwnPath => Some(text_at(pid, arguments[0])?.into()),
        Subject::Path => {
            let path = PathBuf::from(text_at(pid, arguments[1])?);
            if path.is_absolute() { Some(path) } else { Some(held(arguments[0])?.join(path)) }
        }
    }
}

/// The text at an address of a program.
fn text_at(pid: Pid, address: u64) -> Option<String> {
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut bytes = vec![0; 512];
    let count = memory.read_at(&mut bytes, address).ok()?;
    let end = bytes[..count].iter().position(|byte| *byte == 0)?;
    String::from_utf8(bytes[..end].to_vec()).ok()
}
