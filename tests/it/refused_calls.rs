//! A machine that refuses one system call: a start, a declaration and a note end with a sentence, and what was said to be written is.
//!
//! The refusals are made by a small library that a C compiler builds here and that is loaded before libc: Rust needs that compiler anyway.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::plain::Host;
use crate::support::pty::code;

const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int count;

/* Whether this is the call that is refused; then a file says that it came to that. */
static int refused(const char *name) {
    const char *call = getenv("REFUSED_CALL"), *at = getenv("REFUSED_AT"), *mark = getenv("REFUSED_MARK");
    if (!call || !at || !mark || strcmp(call, name)) return 0;
    if (__sync_add_and_fetch(&count, 1) != atoi(at)) return 0;
    int fd = syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) syscall(SYS_close, fd);
    errno = strcmp(name, "mmap") ? EIO : ENOMEM;
    return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define CALL(kind, result, failed, name, parameters, arguments) \
    result name parameters { return refused(kind) ? failed : NEXT(name) arguments; }

CALL("write", ssize_t, -1, write, (int f, const void *b, size_t n), (f, b, n))
CALL("write", ssize_t, -1, pwrite, (int f, const void *b, size_t n, off_t o), (f, b, n, o))
CALL("write", ssize_t, -1, pwrite64, (int f, const void *b, size_t n, off64_t o), (f, b, n, o))
CALL("read", ssize_t, -1, pread, (int f, void *b, size_t n, off_t o), (f, b, n, o))
CALL("read", ssize_t, -1, pread64, (int f, void *b, size_t n, off64_t o), (f, b, n, o))
CALL("fsync", int, -1, fsync, (int f), (f))
CALL("fsync", int, -1, fdatasync, (int f), (f))
CALL("truncate", int, -1, ftruncate, (int f, off_t n), (f, n))
CALL("truncate", int, -1, ftruncate64, (int f, off64_t n), (f, n))
/* Of files: without memory for the signal stack of a thread Rust's own start of it aborts, before any code of the program. */
CALL(f < 0 ? "memory" : "mmap", void *, MAP_FAILED, mmap, (void *a, size_t n, int p, int w, int f, off_t o), (a, n, p, w, f, o))
CALL(f < 0 ? "memory" : "mmap", void *, MAP_FAILED, mmap64, (void *a, size_t n, int p, int w, int f, off64_t o), (a, n, p, w, f, o))
CALL("random", ssize_t, -1, getrandom, (void *b, size_t n, unsigned f), (b, n, f))
CALL("thread", int, EAGAIN, pthread_create, (pthread_t *t, const pthread_attr_t *a, void *(*r)(void *), void *x), (t, a, r, x))

int open(const char *path, int how, ...) {
    va_list more;
    va_start(more, how);
    int mode = va_arg(more, int);
    va_end(more);
    return refused("open") ? -1 : NEXT(open)(path, how, mode);
}

int open64(const char *path, int how, ...) {
    va_list more;
    va_start(more, how);
    int mode = va_arg(more, int);
    va_end(more);
    return refused("open") ? -1 : NEXT(open64)(path, how, mode);
}
"#;

const CALLS: [&str; 8] = ["write", "read", "fsync", "truncate", "mmap", "random", "thread", "open"];
/// More calls of one kind than anything here makes.
const MOST: usize = 400;

/// Builds a library that is loaded before libc; it lives as long as its folder.
pub fn built(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("before.c"), folder.path().join("before.so"));
    std::fs::write(&source, text).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-w", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("a C compiler, as Rust needs one");
    assert!(built.success());
    (folder, library)
}

fn library() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    &BUILT.get_or_init(|| built(LIBRARY)).1
}

/// Runs with the so-many-th call of a kind refused; nothing where it did not come to that.
fn run(host: &Host, arguments: &[&str], call: &str, at: usize) -> Option<Output> {
    let mark = host.home.path().join("mark");
    let output = host
        .command(arguments)
        .env("LD_PRELOAD", library())
        .env("REFUSED_CALL", call)
        .env("REFUSED_AT", at.to_string())
        .env("REFUSED_MARK", &mark)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    mark.exists().then_some(output)
}

/// What is wrong with how it ended, if anything.
fn wrong(output: &Output) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (status, said) = (code(output.status), format!("{}{}", text(&output.stdout), text(&output.stderr)));
    let is_said = said.lines().any(|line| line.starts_with("warroom: ") || line.starts_with('!'));
    let is_right = status == 0 || (status == 1 && is_said);
    (!is_right || said.contains("panicked")).then(|| format!("status {status}: {said}"))
}

/// Refuses each call of an action in turn.
fn refuse_each(arguments: &[&str], is_done: impl Fn(&Host, &Output) -> bool + Sync) {
    let faults: Vec<String> = std::thread::scope(|scope| {
        let each = |call: &'static str| {
            let is_done = &is_done;
            scope.spawn(move || {
                let mut faults = Vec::new();
                for at in 1..MOST {
                    let host = Host::new();
                    host.declare();
                    let Some(output) = run(&host, arguments, call, at) else { return faults };
                    faults.extend(wrong(&output).map(|why| format!("{call} {at}: {why}")));
                    if code(output.status) == 0 && !is_done(&host, &output) {
                        faults.push(format!("{call} {at}: status 0, and it is not done"));
                    }
                }
                panic!("{call} is called more than {MOST} times");
            })
        };
        let all: Vec<_> = CALLS.into_iter().map(each).collect();
        all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn stands(host: &Host, text: &str) -> bool {
    host.run(&["show", "INC-1"]).1.contains(text)
}

#[test]
fn a_note_is_written_or_a_sentence_says_why_not_whichever_call_is_refused() {
    refuse_each(&["note", "-i", "INC-1", "the pool is exhausted"], |host, _| stands(host, "the pool is exhausted"));
}

#[test]
fn an_incident_is_declared_or_a_sentence_says_why_not_whichever_call_is_refused() {
    let arguments = ["declare", "--anyway", "-s", "alipay", "--severity", "sev1", "another one"];
    refuse_each(&arguments, |host, output| {
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        host.run(&["show", &id]).1.contains("another one")
    });
}

#[test]
fn a_console_starts_or_a_sentence_says_why_not_whichever_call_is_refused() {
    refuse_each(&["open", "INC-1", "--plain"], |_, output| String::from_utf8_lossy(&output.stdout).contains("INC-1"));
}
