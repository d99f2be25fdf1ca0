//! What `journal verify` names is named wherever a record is read or written: by `list`, `show` and `note`, and in the header of a console.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use warroom::clock;
use warroom::incident::{IncidentId, NoteAdded, NoteKind, Series, Via};
use warroom::journal::thread::{JournalThread, Me, News};
use warroom::journal::{Journal, JournalDir, NewEntry, Sharing, fill, verify};
use warroom::text::CleanStr;

use crate::plain::Host;
use crate::support::pty::code;

const PAGE: usize = 4096;
/// Longer than a small record takes to be looked over on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// A record with its log, as they are while somebody has it open.
struct Pair {
    db: Vec<u8>,
    wal: Vec<u8>,
}

fn id(number: u32) -> IncidentId {
    IncidentId { series: Series::Incident, number }
}

fn journal_of(host: &Host) -> PathBuf {
    host.home.path().join("state/warroom/journal")
}

fn pair() -> Pair {
    let home = tempfile::tempdir().unwrap();
    let dir = JournalDir::open(home.path().join("journal"), Sharing::Private).unwrap();
    dir.create(Series::Incident).unwrap();
    fill(&dir, id(1), 150, 7).unwrap();
    let mut open = dir.journal(id(1), Via::default()).unwrap();
    for number in 0..20 {
        let text = format!("in the log only, {number}");
        let note = NoteAdded { kind: NoteKind::Finding, text: text.as_str().into(), at: None };
        open.append(&[NewEntry::new("dana".into(), warroom::incident::Event::NoteAdded(note))]).unwrap();
    }
    let read = |suffix: &str| fs::read(dir.directory().join(format!("INC-1.db{suffix}"))).unwrap();
    Pair { db: read(""), wal: read("-wal") }
}

/// Copies that are not as they were written, each with a word for what was done to it.
fn mutations(pair: &Pair) -> Vec<(String, Pair)> {
    let pages = pair.db.len() / PAGE;
    let mut all: Vec<(String, Pair)> = Vec::new();
    let mut add = |what: String, db: Vec<u8>, wal: Vec<u8>| all.push((what, Pair { db, wal }));
    // The log's own pages would hide what is under them: half of the copies lose it, too.
    for log in [pair.wal.clone(), Vec::new()] {
        let with = if log.is_empty() { "without its log" } else { "with its log" };
        for page in 0..pages.min(36) {
            let at = page * PAGE;
            let mut zeroed = pair.db.clone();
            zeroed[at..at + PAGE].fill(0);
            add(format!("page {page} is zeros, {with}"), zeroed, log.clone());
            let other = (page + 1) % pages;
            let mut swapped = pair.db.clone();
            let (one, two) = (pair.db[at..at + PAGE].to_vec(), pair.db[other * PAGE..][..PAGE].to_vec());
            swapped[at..at + PAGE].copy_from_slice(&two);
            swapped[other * PAGE..][..PAGE].copy_from_slice(&one);
            add(format!("pages {page} and {other} are swapped, {with}"), swapped, log.clone());
            add(format!("cut at page {page}, {with}"), pair.db[..at].to_vec(), log.clone());
            let mut flipped = pair.db.clone();
            for step in 0..8 {
                flipped[at + (step * 509 + page * 31) % PAGE] ^= 0x41;
            }
            let mut doubled = pair.db.clone();
            doubled[other * PAGE..][..PAGE].copy_from_slice(&one);
            add(format!("page {page} stands in the place of {other}, too, {with}"), doubled, log.clone());
            add(format!("cut in page {page}, {with}"), pair.db[..at + 1000].to_vec(), log.clone());
            add(format!("bits of page {page} are flipped, {with}"), flipped, log.clone());
        }
    }
    all
}

fn put(folder: &Path, number: u32, pair: &Pair) {
    for (suffix, bytes) in [("", &pair.db), ("-wal", &pair.wal)] {
        let path = folder.join(format!("INC-{number}.db{suffix}"));
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// What a console hears of a record's damage until it has been looked over.
fn heard(dir: &JournalDir, id: IncidentId) -> Vec<String> {
    let (news, mut heard) = tokio::sync::mpsc::channel(1024);
    let via = Via { console: "c1".into(), ..Via::default() };
    let me = Me { actor: "dana".into(), via, layout: CleanStr::new("ic"), is_dry: false };
    let handle = JournalThread::start(dir, id, me, news).unwrap();
    let (mut said, began) = (Vec::new(), clock::boot());
    while said.is_empty() {
        match heard.try_recv() {
            Ok(News::Damaged(what)) => said.extend(what.iter().map(ToString::to_string)),
            Ok(News::Failed(why) | News::Unwritable(why)) => said.push(why.to_string()),
            Ok(_) => {}
            Err(tokio::sync::mpsc::error::TryRecvError::Disconnected) => break,
            Err(tokio::sync::mpsc::error::TryRecvError::Empty) => {
                assert!(clock::boot() - began < SOON, "{id}: a console says nothing");
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
    handle.close(SOON);
    said
}

#[test]
fn whatever_verify_names_of_250_damaged_copies_list_show_note_and_a_console_name_too() {
    let host = Host::new();
    let folder = journal_of(&host);
    let dir = JournalDir::open(&folder, Sharing::Private).unwrap();
    let sound = pair();
    let copies = mutations(&sound);
    assert!(copies.len() >= 250, "{}", copies.len());
    put(&folder, 1, &sound);
    let mut damaged = BTreeMap::new();
    for (number, (what, copy)) in (2..).zip(&copies) {
        put(&folder, number, copy);
        if !verify(&dir.path(id(number))).is_ok_and(|found| found.is_sound()) {
            damaged.insert(number, what);
        }
    }
    assert!(damaged.len() > 150, "{} of {} are damaged", damaged.len(), copies.len());
    let run = |arguments: &[&str]| {
        let output = host.command(arguments).output().unwrap();
        (code(output.status), String::from_utf8(output.stderr).unwrap())
    };
    // Twice: what was found sound is not read again, what was not is.
    for _ in 0..2 {
        let (_, said) = run(&["list", "--all"]);
        let is_named = |number: u32| said.lines().any(|line| line.contains(&format!("INC-{number} ")));
        let silent: Vec<_> = damaged.iter().filter(|(number, _)| !is_named(**number)).collect();
        assert!(silent.is_empty(), "`list` is silent about {silent:?}");
        assert!(!is_named(1), "{said}");
    }
    for (place, (number, what)) in damaged.iter().enumerate() {
        let name = format!("INC-{number}");
        assert!(!heard(&dir, id(*number)).is_empty(), "a console is silent on {what}");
        // Each of the kinds, and each page of some: a process takes its time.
        if place % 7 != 0 {
            continue;
        }
        for arguments in [&["show", &name][..], &["note", "-i", &name, "is this written?"]] {
            let (status, said) = run(arguments);
            assert!(said.contains(&name), "{arguments:?} on {what}: status {status}: {said}");
        }
    }
    assert_eq!(run(&["note", "-i", "INC-1", "a sound one takes it"]), (0, String::new()));
}

/// A row that another program changes in its place is new to nobody who reads on: an open console says it all the same.
#[test]
fn a_row_that_is_changed_under_a_running_console_is_named_by_it() {
    let home = tempfile::tempdir().unwrap();
    let dir = JournalDir::open(home.path().join("journal"), Sharing::Private).unwrap();
    dir.create(Series::Incident).unwrap();
    fill(&dir, id(1), 30, 7).unwrap();
    let (news, mut heard) = tokio::sync::mpsc::channel(1024);
    let via = Via { console: "c1".into(), ..Via::default() };
    let me = Me { actor: "dana".into(), via, layout: CleanStr::new("ic"), is_dry: false };
    let handle = JournalThread::start(&dir, id(1), me, news).unwrap();
    let mut next = |what: &str| {
        let began = clock::boot();
        loop {
            match heard.try_recv() {
                Ok(News::Entries { caught_up: true, .. }) if what == "all is read" => return String::new(),
                Ok(News::Damaged(damage)) => return damage.iter().map(ToString::to_string).collect(),
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
            assert!(clock::boot() - began < SOON, "never: {what}");
        }
    };
    assert_eq!(next("all is read"), "");
    let forger = rusqlite::Connection::open(dir.path(id(1))).unwrap();
    let changed = forger.execute("UPDATE ev SET entry = replace(entry, '\"at\"', '\"at \"') WHERE lseq = 11", []);
    assert_eq!(changed.unwrap(), 1);
    let said = next("a changed row");
    assert!(said.contains("11"), "{said}");
    handle.close(SOON);
}
