//! Files that are not as they were written.

use std::fs;

use proptest::prelude::*;

use super::*;
use warroom::journal::{What, export, fill, verify};

/// Places that look random and are the same in each run.
fn places(count: u64, from: u64, to: u64) -> impl Iterator<Item = u64> {
    (1..=count).map(move |index| from + (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) % (to - from).max(1))
}

/// A room whose writer was killed: the newest entries are in the write-ahead log only.
fn killed() -> (Vec<u8>, Vec<u8>, Vec<Entry>) {
    let room = Room::in_memory();
    let mut writer = Other::start("flood", &room.dir);
    for _ in 0..40 {
        writer.says("@saved").unwrap();
    }
    writer.kill();
    while writer.says("@saved").is_some() {}
    writer.child.wait().unwrap();
    let (db, wal) = (fs::read(room.path()).unwrap(), fs::read(warroom_wal(&room.path())).unwrap());
    assert!(wal.len() > 14_000);
    let (entries, damage) = room.journal("reader").all().unwrap();
    assert_eq!(damage, []);
    (db, wal, entries)
}

fn room_of(db: &[u8], wal: Option<&[u8]>) -> Room {
    let room = Room::in_memory();
    fs::write(room.path(), db).unwrap();
    match wal {
        Some(wal) => {
            fs::write(warroom_wal(&room.path()), wal).unwrap();
            fs::set_permissions(warroom_wal(&room.path()), std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .unwrap();
        }
        None => drop(fs::remove_file(warroom_wal(&room.path()))),
    }
    let _ = fs::remove_file(room.path().with_extension("db-shm"));
    room
}

#[test]
fn a_torn_tail_leaves_a_clean_beginning_and_writing_goes_on() {
    let (db, wal, before) = killed();
    let end = wal.len();
    let tail = end as u64 - 14_000;
    let mut torn: Vec<(String, Vec<u8>)> = Vec::new();
    for at in places(20, tail, end as u64).map(|at| at as usize) {
        torn.push((format!("cut at {at}"), wal[..at].to_vec()));
        let mut zeroed = wal.clone();
        zeroed[at..].fill(0);
        torn.push((format!("zeros from {at}"), zeroed));
        let mut flipped = wal.clone();
        flipped[at] ^= 1 << (at % 8);
        torn.push((format!("a bit at {at}"), flipped));
    }
    torn.push(("no log at all".to_owned(), Vec::new()));
    for (how, wal) in torn {
        let room = room_of(&db, Some(&wal));
        let mut journal = room.journal("after");
        let (mut entries, damage) = journal.all().unwrap();
        assert_eq!(damage, [], "{how}");
        assert_eq!(entries, before[..entries.len()], "{how}");
        entries.extend(journal.append(&[note("dana", "on we go")]).unwrap());
        let (after, damage) = room.journal("reader").all().unwrap();
        assert_eq!((after, damage), (entries, vec![]), "{how}");
        assert_eq!(verify(&room.path()).unwrap().damage, [], "{how}");
    }
}

fn sound(count: usize) -> (Vec<u8>, Vec<Entry>) {
    let room = Room::in_memory();
    fill(&room.dir, INC, count, 7).unwrap();
    let (entries, damage) = room.journal("reader").all().unwrap();
    assert_eq!((entries.len(), damage), (count, vec![]));
    (fs::read(room.path()).unwrap(), entries)
}

#[test]
fn a_bit_that_flipped_in_the_middle_is_named_by_verify_and_when_a_console_opens() {
    let (mut db, entries) = sound(300);
    let victim = entries.iter().skip(140).find(|entry| text(entry).contains("backup provider")).unwrap();
    let json = victim.to_json();
    let at = db.windows(json.len()).position(|window| window == json.as_bytes()).unwrap();
    db[at + json.find("backup").unwrap()] ^= 1;
    let room = room_of(&db, None);
    let found = verify(&room.path()).unwrap();
    assert_eq!(found.entries, 300);
    assert_eq!(found.damage.len(), 1);
    assert_eq!((found.damage[0].entry, &found.damage[0].what), (Some(victim.id), &What::Changed));
    let said = found.damage[0].to_string();
    assert!(said.starts_with(&format!("entry {} ", victim.id.rseq)) && said.contains("was changed"), "{said}");
    let mut desk = Desk::open(&room.dir, "dana", "desk");
    let damage = desk.until(|news| if let News::Damaged(damage) = news { Some(damage) } else { None });
    assert_eq!(damage, [CleanStr::new(&said)]);
}

#[test]
fn damage_anywhere_is_named_or_harmless_and_never_takes_the_console_down() {
    let (db, before) = sound(300);
    let mut named = 0;
    for at in places(120, 0, db.len() as u64).map(|at| at as usize) {
        let mut flipped = db.clone();
        flipped[at] ^= 1 << (at % 8);
        let room = room_of(&flipped, None);
        let read = room.dir.journal(INC, via("reader")).and_then(|mut journal| journal.all());
        let is_named = match &read {
            Ok((entries, damage)) => {
                assert!(*entries == before || !damage.is_empty(), "a flip at {at} changed what is read, unsaid");
                !damage.is_empty()
            }
            Err(error) => {
                assert!(error.to_string().contains("INC-1"), "{error}");
                true
            }
        };
        let verified = verify(&room.path());
        assert!(!is_named || verified.as_ref().map_or(true, |found| !found.is_sound()), "verify passes a flip at {at}");
        named += usize::from(is_named);
    }
    assert!(named > 60, "{named} of 120");
}

#[test]
fn pages_that_cannot_be_read_cost_their_own_entries_and_no_others() {
    let (mut db, before) = sound(3000);
    let json = before[1500].to_json();
    let at = db.windows(json.len()).position(|window| window == json.as_bytes()).unwrap() & !4095;
    db[at..at + 4096].fill(0xff);
    let room = room_of(&db, None);
    let (entries, damage) = room.journal("reader").all().unwrap();
    assert!((2950..3000).contains(&entries.len()), "{} of 3000", entries.len());
    assert!(matches!(damage[0].what, What::Unreadable { .. }), "{damage:?}");
    assert!(!verify(&room.path()).unwrap().is_sound());
    let mut lines = Vec::new();
    assert!(!export(&room.path(), &mut lines).unwrap().is_sound());
    assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), entries.len());
}

#[test]
fn an_edit_a_removal_and_a_swap_are_each_found() {
    let edits = [
        ("UPDATE ev SET entry = replace(entry, 'noti', 'noto') WHERE rseq = 3", "entry 3"),
        ("DELETE FROM ev WHERE rseq = 4", "entry 5"),
        ("DELETE FROM ev WHERE rseq = 9", "entry 8"),
        ("UPDATE ev SET rseq = 100 WHERE rseq = 2", "entry 100"),
        ("UPDATE ev SET hlc = hlc + 1 WHERE rseq = 6", "entry 6"),
        ("UPDATE ev SET kind = 'declared' WHERE rseq = 6", "entry 6"),
        ("UPDATE ev SET entry = replace(entry, 'noti', 'noto') WHERE rseq = 9", "entry 9"),
        ("UPDATE meta SET v = 'beef' WHERE k = 'head'", "entry 9"),
    ];
    for (edit, name) in edits {
        let room = Room::in_memory();
        let mut journal = room.journal("writer");
        for count in 1..=9 {
            journal.append(&[note("dana", &format!("noti {count}"))]).unwrap();
        }
        drop(journal);
        assert!(verify(&room.path()).unwrap().is_sound());
        rusqlite::Connection::open(room.path()).unwrap().execute_batch(edit).unwrap();
        let found = verify(&room.path()).unwrap();
        let first = found.damage.first().map(ToString::to_string).unwrap_or_default();
        assert!(first.starts_with(&format!("{name} ")), "{edit}: {first}");
        // Writing on does not cover it up.
        room.journal("writer").append(&[note("dana", "more")]).unwrap();
        assert!(!verify(&room.path()).unwrap().is_sound(), "{edit}");
    }
}

#[test]
fn an_export_is_the_lines_exactly_as_they_are_stored() {
    let room = Room::in_memory();
    fill(&room.dir, INC, 200, 3).unwrap();
    let entries = room.journal("reader").all().unwrap().0;
    let mut lines = Vec::new();
    assert!(export(&room.path(), &mut lines).unwrap().is_sound());
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(lines.lines().collect::<Vec<_>>(), entries.iter().map(Entry::to_json).collect::<Vec<_>>());
}

#[test]
fn a_journal_of_a_newer_warroom_and_a_file_that_is_none_are_refused_by_name() {
    let room = Room::in_memory();
    rusqlite::Connection::open(room.path()).unwrap().pragma_update(None, "user_version", 9).unwrap();
    let refused = room.dir.journal(INC, via("old")).unwrap_err().to_string();
    assert!(refused.contains("INC-1.db was written by a newer warroom") && refused.contains("format 9"), "{refused}");
    assert!(verify(&room.path()).unwrap_err().to_string().contains("newer warroom"));
    fs::write(room.path(), "a shopping list, and then some more of it".repeat(30)).unwrap();
    let refused = room.dir.journal(INC, via("old")).unwrap_err().to_string();
    assert!(refused.contains("INC-1.db is not a journal"), "{refused}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_stands_in_a_line_the_others_are_read(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        as_blob in any::<bool>(),
        rseq in any::<i64>(),
    ) {
        let room = Room::in_memory();
        room.journal("writer").append(&[note("dana", "before")]).unwrap();
        let db = rusqlite::Connection::open(room.path()).unwrap();
        let entry = if as_blob { rusqlite::types::Value::Blob(bytes) } else { String::from_utf8_lossy(&bytes).into_owned().into() };
        db.execute(
            "INSERT INTO ev(rid, rseq, hlc, wall, kind, entry, prev) VALUES (-5, ?1, 0, 0, 'x', ?2, x'ff')",
            rusqlite::params![rseq, entry],
        ).unwrap();
        drop(db);
        room.journal("writer").append(&[note("dana", "after")]).unwrap();
        let (entries, damage) = room.journal("reader").all().unwrap();
        prop_assert_eq!(entries.iter().map(text).collect::<Vec<_>>(), ["before", "after"]);
        prop_assert_eq!(damage[0].line, 2);
        prop_assert!(!verify(&room.path()).unwrap().is_sound());
    }
}

#[test]
fn a_file_with_anything_but_our_tables_is_refused_by_name_also_under_a_running_console() {
    for (sql, name) in [
        ("CREATE TRIGGER evil BEFORE INSERT ON ev BEGIN UPDATE ev SET entry = 'x'; END", "trigger `evil`"),
        ("CREATE VIEW others AS SELECT 1", "view `others`"),
        ("CREATE TABLE more(x)", "table `more`"),
        ("CREATE INDEX quick ON ev(kind)", "index `quick`"),
        ("CREATE VIRTUAL TABLE words USING fts5(x)", "table `words`"),
        ("ALTER TABLE claim RENAME TO claims", "table `claims`"),
        ("ALTER TABLE ev ADD COLUMN argv GENERATED ALWAYS AS ('rm') VIRTUAL", "table `ev`"),
    ] {
        let room = Room::in_memory();
        let mut open = room.journal("open");
        open.append(&[note("dana", "before")]).unwrap();
        rusqlite::Connection::open(room.path()).unwrap().execute_batch(sql).unwrap();
        for refused in [
            open.append(&[note("dana", "after")]).unwrap_err().to_string(),
            open.tail(0, 10).unwrap_err().to_string(),
            room.dir.journal(INC, via("late")).unwrap_err().to_string(),
        ] {
            assert!(refused.contains(name) && refused.contains("verify"), "{refused}");
        }
        let verified = verify(&room.path());
        let damage = verified.map(|found| found.damage.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
        assert!(damage.as_ref().is_ok_and(|damage| damage.contains(name)), "{damage:?}");
    }
}

#[test]
fn a_row_that_is_too_large_is_named_and_hides_no_other() {
    let room = Room::in_memory();
    let mut journal = room.journal("a");
    journal.append(&[note("dana", "before")]).unwrap();
    let db = rusqlite::Connection::open(room.path()).unwrap();
    let row =
        "INSERT INTO ev(rid, rseq, hlc, wall, kind, entry, prev) VALUES (9, ?1, 1, 1, 'note-added', zeroblob(?2), '')";
    db.execute(row, [1, 9_000_000]).unwrap();
    drop(db);
    journal.append(&[note("dana", "after")]).unwrap();
    let (entries, damage) = room.journal("b").all().unwrap();
    let damage: Vec<String> = damage.iter().map(ToString::to_string).collect();
    assert_eq!(entries.len(), 2, "{damage:?}");
    assert!(damage.iter().any(|what| what.contains("larger than 8 MiB")), "{damage:?}");
    let (entries, damage) = room.journal("c").landmarks().unwrap();
    assert_eq!(entries.len(), 0);
    assert!(damage.iter().any(|what| what.to_string().contains("larger than 8 MiB")), "{damage:?}");
}
