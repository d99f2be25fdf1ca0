//! The journal, seen from outside: several processes, killed processes, damaged files, other accounts.

mod crash;
mod damage;
mod files;
mod many;
mod redact;
mod speed;
mod threads;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::mpsc;
use warroom::clock;
use warroom::incident::{Actor, Entry, Event, IncidentId, NoteAdded, NoteKind, Series, Via};
use warroom::journal::{
    Journal, JournalDir, JournalThread, Me, NewEntry, News, Presence, Request, Sharing, SqliteJournal,
};
use warroom::text::CleanStr;

const INC: IncidentId = IncidentId { series: Series::Incident, number: 1 };

fn via(console: &str) -> Via {
    Via { uid: 1000, pid: std::process::id(), console: CleanStr::new(console), ..Via::default() }
}

fn note(actor: &str, text: &str) -> NewEntry {
    let body = NoteAdded { kind: NoteKind::Note, text: text.into(), at: None };
    NewEntry::new(Actor::new(actor), Event::NoteAdded(body))
}

fn text(entry: &Entry) -> &str {
    match &entry.event {
        Event::NoteAdded(body) => &body.text,
        other => other.kind(),
    }
}

/// A directory with INC-1 in it.
struct Room {
    _temporary: tempfile::TempDir,
    dir: JournalDir,
}

impl Room {
    fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap())
    }

    /// In memory, for cases that are about bytes and not about the disk.
    fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        Self::at(if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap())
    }

    fn at(temporary: tempfile::TempDir) -> Self {
        let dir = JournalDir::open(temporary.path().join("journal"), Sharing::Private).unwrap();
        assert_eq!(dir.create(Series::Incident).unwrap(), INC);
        Self { _temporary: temporary, dir }
    }

    fn journal(&self, console: &str) -> SqliteJournal {
        self.dir.journal(INC, via(console)).unwrap()
    }

    fn path(&self) -> PathBuf {
        self.dir.path(INC)
    }
}

/// A console's threads, and the loop's end of them.
struct Desk {
    handle: warroom::journal::JournalHandle,
    news: mpsc::Receiver<News>,
}

impl Desk {
    fn open(dir: &JournalDir, actor: &str, console: &str) -> Self {
        let (send, news) = mpsc::channel(64);
        let me = Me { actor: Actor::new(actor), via: via(console), layout: CleanStr::new("scribe"), is_dry: false };
        Self { handle: JournalThread::start(dir, INC, me, send).unwrap(), news }
    }

    fn next(&mut self) -> News {
        self.news.blocking_recv().expect("the threads live")
    }

    /// The next news that answers the question; others are passed over.
    fn until<T>(&mut self, mut want: impl FnMut(News) -> Option<T>) -> T {
        loop {
            let news = self.next();
            if let Some(found) = want(news) {
                return found;
            }
        }
    }

    fn present(&mut self, consoles: &[&str]) -> Vec<Presence> {
        self.until(|news| match news {
            News::Present(present) if present.iter().map(|one| &*one.console).eq(consoles.iter().copied()) => {
                Some(present)
            }
            _ => None,
        })
    }
}

/// This test binary again, as another process.
struct Other {
    child: Child,
    out: BufReader<ChildStdout>,
    stdin: Option<ChildStdin>,
}

fn again(job: &str, dir: &Path, sharing: Sharing, setup: &str) -> Command {
    // The shell sets what only a process itself can: the umask, ignored signals.
    let mut command = Command::new("sh");
    let exe = std::env::current_exe().unwrap();
    command.args(["-c", &format!("{setup} exec \"$0\" \"$@\"")]).arg(exe);
    command.args(["--exact", "journal::child_writer", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env("WARROOM_JOB", job).env("WARROOM_DIR", dir);
    command.env("WARROOM_SHARING", if sharing == Sharing::Group { "group" } else { "private" });
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

impl Other {
    fn start(job: &str, dir: &JournalDir) -> Self {
        Self::run(&mut again(job, dir.directory(), dir.sharing(), ""))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let stdin = child.stdin.take();
        Self { child, out, stdin }
    }

    /// The rest of the next line that begins with a word; `None` when the process has ended.
    fn says(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.out.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The harness prints the test's name on the same line as the first word.
            if let Some((_, rest)) = line.trim_end().split_once(word) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    fn go_on(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(words: &str) {
    // One write, so that a kill cannot cut a line in two.
    std::io::stdout().write_all(format!("{words}\n").as_bytes()).unwrap();
}

fn pause() {
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

/// What the other process does; no test of its own.
#[test]
#[ignore = "the other process of the journal's tests"]
fn child_writer() {
    let (Ok(job), Ok(path)) = (std::env::var("WARROOM_JOB"), std::env::var("WARROOM_DIR")) else { return };
    let shared = std::env::var("WARROOM_SHARING").is_ok_and(|sharing| sharing == "group");
    let sharing = if shared { Sharing::Group } else { Sharing::Private };
    let dir = match JournalDir::open(&path, sharing) {
        Ok(dir) => dir,
        Err(error) => return say(&format!("@refused {error}")),
    };
    let mut words = job.split(':');
    let job = words.next().unwrap();
    let mut number = || words.next().map_or(0, |word| word.parse::<u64>().unwrap());
    let me = format!("c{}", std::process::id());
    match job {
        "create" => {
            for _ in 0..number() {
                say(&format!("@id {}", dir.create(Series::Incident).unwrap()));
            }
        }
        "flood" => {
            let mut journal = dir.journal(INC, via(&me)).unwrap();
            for count in 0_u64.. {
                let written = journal.append(&[note("dana", &format!("{me} {count}"))]).unwrap();
                say(&format!("@saved {}", written[0].id));
            }
        }
        "pace" => {
            let (count, pause) = (number(), Duration::from_millis(number()));
            let mut journal = dir.journal(INC, via(&me)).unwrap();
            for count in 0..count {
                std::thread::sleep(pause);
                let written = journal.append(&[note("omid", &format!("{me} {count}"))]).unwrap();
                say(&format!("@saved {} {}", written[0].id, clock::boot().as_nanos()));
            }
        }
        "crowd" => {
            let (own, all) = (number(), number());
            let mut journal = dir.journal(INC, via(&me)).unwrap();
            say("@ready");
            pause();
            for count in 0..own {
                journal.append(&[note("omid", &format!("{me} {count}"))]).unwrap();
            }
            let mut seen = Vec::new();
            let mut to = 0;
            while (seen.len() as u64) < all {
                let tail = journal.tail(to, 64).unwrap();
                assert_eq!(tail.damage, []);
                (to, _) = (tail.to, seen.extend(tail.entries.into_iter().map(|(_, entry)| entry.to_json())));
                if (seen.len() as u64) < all {
                    journal.wait(Duration::from_secs(2));
                }
            }
            say(&format!("@seen {} {}", seen.len(), blake3::hash(seen.join("\n").as_bytes())));
        }
        "append" => {
            let mut journal = match dir.journal(INC, via(&me)) {
                Ok(journal) => journal,
                Err(error) => return say(&format!("@refused {error}")),
            };
            say("@open");
            pause();
            journal.append(&[note("lena", &me)]).unwrap();
            let _seat = dir.seats(INC).take(presence(&me, "lena")).unwrap();
            say(&format!("@saved {}", dir.seats(INC).present().len()));
            pause();
        }
        "sit" => {
            let _seat = dir.seats(INC).take(presence("typist", "lena")).unwrap();
            let mut journal = dir.journal(INC, via("typist")).unwrap();
            journal.save_draft(&Actor::new("lena"), "customers in two regions can").unwrap();
            say("@typed");
            pause();
        }
        "full" => full(&dir),
        other => panic!("no job {other}"),
    }
}

fn presence(console: &str, actor: &str) -> Presence {
    Presence {
        console: CleanStr::new(console),
        actor: Actor::new(actor),
        layout: CleanStr::new("sme"),
        looks_only: false,
        is_dry: false,
        pid: std::process::id(),
        since: clock::wall(),
    }
}

/// A disk that is full for a while, as far as this process can tell.
fn full(dir: &JournalDir) {
    let mut desk = Desk::open(dir, "dana", "full");
    let append = |ticket: u64| Request::Append {
        ticket,
        entries: vec![note("dana", &format!("note {ticket}"))],
        settles_draft: false,
    };
    let answer = |desk: &mut Desk| {
        desk.until(|news| match news {
            News::Saved { ticket, .. } => Some(format!("@answer saved {ticket}")),
            News::NotSaved { ticket, reason } => Some(format!("@answer not saved {ticket}: {reason}")),
            _ => None,
        })
    };
    desk.handle.send(append(1)).unwrap();
    say(&answer(&mut desk));
    let size = std::fs::metadata(warroom_wal(&dir.path(INC))).unwrap().len();
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(size + 100), ..before }).unwrap();
    desk.handle.send(append(2)).unwrap();
    say(&answer(&mut desk));
    let reason = desk.until(|news| if let News::Unwritable(reason) = news { Some(reason) } else { None });
    say(&format!("@answer red bar: {reason}"));
    setrlimit(Resource::Fsize, before).unwrap();
    desk.until(|news| (news == News::Writable).then_some(()));
    say("@answer green again");
    desk.handle.send(append(3)).unwrap();
    say(&answer(&mut desk));
    assert!(desk.handle.close(Duration::from_secs(5)));
}

fn warroom_wal(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}
