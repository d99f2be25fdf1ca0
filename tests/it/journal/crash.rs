//! Consoles that die at the worst moment, and disks that fill.

use std::collections::BTreeSet;

use super::*;
use warroom::journal::verify;

/// Kills a writer again and again; says how many entries were acknowledged, all of which must be there.
fn kill_rounds(rounds: u64, lane: u64) -> usize {
    let room = Room::new();
    let mut acknowledged = BTreeSet::new();
    for round in 0..rounds {
        let mut writer = Other::start("flood", &room.dir);
        for _ in 0..=(round * 7 + lane * 3) % 5 {
            acknowledged.insert(writer.says("@saved").unwrap());
        }
        writer.kill();
        while let Some(id) = writer.says("@saved") {
            acknowledged.insert(id);
        }
        let (entries, damage) = room.journal("reader").all().unwrap();
        assert_eq!(damage, []);
        let there: BTreeSet<_> = entries.iter().map(|entry| entry.id.to_string()).collect();
        let lost: Vec<_> = acknowledged.difference(&there).collect();
        assert!(lost.is_empty(), "round {round} lost {lost:?}");
    }
    assert!(verify(&room.path()).unwrap().is_sound());
    acknowledged.len()
}

fn kill_in_lanes(rounds: u64) {
    let lanes: Vec<_> = (0..4).map(|lane| std::thread::spawn(move || kill_rounds(rounds / 4, lane))).collect();
    let acknowledged: usize = lanes.into_iter().map(|lane| lane.join().unwrap()).sum();
    eprintln!("{rounds} kills, {acknowledged} entries acknowledged, none lost");
    assert!(acknowledged as u64 > rounds);
}

#[test]
fn two_hundred_killed_writers_lose_nothing_that_was_acknowledged() {
    kill_in_lanes(200);
}

#[test]
#[ignore = "a minute of killing"]
fn a_thousand_killed_writers_lose_nothing_that_was_acknowledged() {
    kill_in_lanes(1000);
}

#[test]
fn a_full_disk_refuses_the_note_in_words_keeps_what_was_saved_and_recovers_by_itself() {
    let room = Room::new();
    let mut other = Other::run(&mut again("full", room.dir.directory(), Sharing::Private, "trap '' XFSZ;"));
    assert_eq!(other.says("@answer").unwrap(), "saved 1");
    let refused = other.says("@answer").unwrap();
    assert!(refused.starts_with("not saved 2: the disk ") && refused.contains("INC-1.db"), "{refused}");
    assert!(other.says("@answer").unwrap().starts_with("red bar: the disk "));
    assert_eq!(other.says("@answer").unwrap(), "green again");
    assert_eq!(other.says("@answer").unwrap(), "saved 3");
    assert_eq!(other.says("@answer"), None);
    let (entries, damage) = room.journal("reader").all().unwrap();
    assert_eq!((entries.iter().map(text).collect::<Vec<_>>(), damage), (vec!["note 1", "note 3"], vec![]));
    assert!(verify(&room.path()).unwrap().is_sound());
}

#[test]
fn a_half_typed_note_comes_back_at_the_same_persons_next_console_and_at_no_other() {
    let room = Room::new();
    let mut typist = Other::start("sit", &room.dir);
    typist.says("@typed").unwrap();
    let draft = |desk: &mut Desk| match desk.next() {
        News::Opened { draft } => draft.map(|(text, _)| text.to_string()),
        other => panic!("{other:?}"),
    };
    let mut while_it_lives = Desk::open(&room.dir, "lena", "second");
    assert_eq!(draft(&mut while_it_lives), None, "her first console still has it");
    typist.kill();
    assert_eq!(typist.says("@"), None);
    typist.child.wait().unwrap();
    assert_eq!(draft(&mut Desk::open(&room.dir, "omid", "third")), None, "it is not his");
    let mut next = Desk::open(&room.dir, "lena", "fourth");
    assert_eq!(draft(&mut next).as_deref(), Some("customers in two regions can"));
    next.handle.send(Request::ClearDraft).unwrap();
    assert!(next.handle.close(Duration::from_secs(5)));
    assert_eq!(draft(&mut Desk::open(&room.dir, "lena", "fifth")), None, "she sent it");
}

#[test]
fn a_draft_that_was_adopted_is_not_lost_when_that_console_dies_too() {
    let room = Room::in_memory();
    let lena = Actor::new("lena");
    room.journal("one").save_draft(&lena, "half a").unwrap();
    let adopt = |console: &str| room.journal(console).adopt_draft(&lena, |_| false).unwrap().map(|(text, _)| text);
    assert_eq!(adopt("two").as_deref(), Some("half a"));
    assert_eq!(adopt("three").as_deref(), Some("half a"));
    room.journal("three").clear_draft().unwrap();
    assert_eq!(adopt("four"), None);
}

#[test]
fn of_eight_consoles_that_start_at_once_exactly_one_gets_the_draft() {
    let room = Room::in_memory();
    room.journal("dead").save_draft(&Actor::new("lena"), "half a line").unwrap();
    let alive = |console: &str| console != "dead";
    let got = std::thread::scope(|scope| {
        let desks: Vec<_> = (0..8)
            .map(|index| {
                let mut journal = room.journal(&format!("new{index}"));
                scope.spawn(move || journal.adopt_draft(&Actor::new("lena"), alive).unwrap().map(|(text, _)| text))
            })
            .collect();
        desks.into_iter().filter_map(|desk| desk.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(got, ["half a line"]);
}
