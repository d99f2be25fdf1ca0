//! How fast; figures mean something in a release build only: `cargo test --release --test it journal::speed -- --ignored --nocapture`.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::*;
use warroom::journal::{fill, verify};

fn timed<T>(job: impl FnOnce() -> T) -> (Duration, T) {
    let start = clock::boot();
    let result = job();
    (clock::boot() - start, result)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
#[ignore = "a measurement, for a release build"]
fn ten_thousand_entries_are_read_in_twenty_milliseconds() {
    let room = Room::new();
    fill(&room.dir, INC, 10_000, 1).unwrap();
    let size = std::fs::metadata(room.path()).unwrap().len();
    let rounds: Vec<_> = (0..15)
        .map(|_| {
            let (opened, mut journal) = timed(|| room.journal("reader"));
            let (read, count) = timed(|| {
                let (mut entries, mut to) = (Vec::new(), 0);
                loop {
                    let tail = journal.tail(to, 1000).unwrap();
                    entries.push(tail.entries);
                    to = tail.to;
                    if !tail.more {
                        return entries.iter().map(Vec::len).sum::<usize>();
                    }
                }
            });
            assert_eq!(count, 10_000);
            (opened, read)
        })
        .collect();
    let lines: Vec<_> = room.journal("reader").all().unwrap().0.iter().map(Entry::to_json).collect();
    let (parsed, ()) = timed(|| lines.iter().for_each(|line| drop(Entry::from_json(line).unwrap())));
    let (hashed, _) = timed(|| lines.iter().map(|line| blake3::hash(line.as_bytes()).as_bytes()[0]).max());
    eprintln!("of which parsing {parsed:?}, hashing {hashed:?}");
    let (verified, _) = timed(|| verify(&room.path()).unwrap());
    let opened = median(rounds.iter().map(|round| round.0).collect());
    let read = rounds.iter().map(|round| round.1).min().unwrap();
    let middle = median(rounds.iter().map(|round| round.1).collect());
    eprintln!("{size} bytes; open {opened:?}, read and parse: best {read:?}, median {middle:?}; verify {verified:?}");
    let (first, mut desk) = timed(|| Desk::open(&room.dir, "dana", "desk"));
    let (ready, ()) = timed(|| desk.until(|news| matches!(news, News::Entries { caught_up: true, .. }).then_some(())));
    eprintln!("start returns after {first:?}, all entries are with the loop after {ready:?}");
    assert!(cfg!(debug_assertions) || read <= Duration::from_millis(20));
}

#[test]
#[ignore = "a measurement, for a release build"]
fn an_append_takes_at_most_three_times_a_bare_write_to_the_disk() {
    let room = Room::new();
    let mut journal = room.journal("writer");
    let bare = File::create_new(room.dir.directory().join("bare")).unwrap();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for count in 0..300_u64 {
        ours.push(timed(|| journal.append(&[note("dana", &"three hundred bytes or so ".repeat(6))]).unwrap()).0);
        let line = [b'x'; 300];
        theirs.push(
            timed(|| {
                bare.write_all_at(&line, count * 300).unwrap();
                bare.sync_data().unwrap();
            })
            .0,
        );
    }
    let (ours, theirs) = (median(ours), median(theirs));
    eprintln!("append p50 {ours:?}, bare fdatasync p50 {theirs:?}: {:.2}", ours.as_secs_f64() / theirs.as_secs_f64());
    assert!(ours <= theirs * 3);
}
