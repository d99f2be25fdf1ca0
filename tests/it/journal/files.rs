//! Who may read and write what.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

use super::*;
use warroom::journal::verify;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn files_get_their_modes_whatever_the_umask() {
    for (umask, sharing, directory, file) in [
        ("000", Sharing::Private, 0o700, 0o600),
        ("077", Sharing::Private, 0o700, 0o600),
        ("000", Sharing::Group, 0o2770, 0o660),
        ("077", Sharing::Group, 0o2770, 0o660),
    ] {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("journal");
        JournalDir::open(&path, sharing).unwrap().create(Series::Incident).unwrap();
        let _ = fs::remove_file(path.join("INC-1.db.bell"));
        let mut other = Other::run(&mut again("append", &path, sharing, &format!("umask {umask};")));
        other.says("@open").unwrap();
        other.go_on();
        assert_eq!(other.says("@saved").unwrap(), "1");
        assert_eq!(mode(&path), directory, "{umask} {sharing:?}");
        let mut files = 0;
        for item in fs::read_dir(&path).unwrap().chain(fs::read_dir(path.join("INC-1.here")).unwrap()) {
            let item = item.unwrap();
            let wanted = if item.file_type().unwrap().is_dir() { directory } else { file };
            assert_eq!(mode(&item.path()), wanted, "{umask} {sharing:?} {:?}", item.path());
            files += 1;
        }
        assert_eq!(files, 6, "the file, its log, its memory, its bell, the consoles and one of them");
        let fresh = temporary.path().join("fresh");
        let mut other = Other::run(&mut again("create:1", &fresh, sharing, &format!("umask {umask};")));
        assert_eq!(other.says("@id").unwrap(), "INC-1");
        assert_eq!((mode(&fresh), mode(&fresh.join("INC-1.db"))), (directory, file));
    }
}

#[test]
fn the_memory_of_a_log_that_is_cut_short_kills_nobody_and_the_record_is_read_without_it() {
    for left in [0, 4096, 40_000] {
        let temporary = tempfile::tempdir().unwrap();
        let dir = JournalDir::open(temporary.path().join("journal"), Sharing::Private).unwrap();
        let id = dir.create(Series::Incident).unwrap();
        warroom::journal::fill(&dir, id, 60, 7).unwrap();
        let mut journal = dir.journal(id, Via::default()).unwrap();
        let memory = dir.directory().join("INC-1.db-shm");
        let file = fs::OpenOptions::new().write(true).open(&memory).unwrap();
        let whole = file.metadata().unwrap().len();
        if left >= whole {
            continue;
        }
        file.set_len(left).unwrap();
        let note = NoteAdded { kind: NoteKind::Note, text: "is this written?".into(), at: None };
        let lost = [
            journal.tail(0, 10).unwrap_err(),
            journal.append(&[NewEntry::new("dana".into(), Event::NoteAdded(note))]).unwrap_err(),
        ];
        for error in lost {
            assert!(error.to_string().contains("the memory of its log was cut short"), "{left}: {error}");
        }
        // Other connections of this process share what is mapped.
        let found = verify(&dir.path(id)).unwrap();
        assert!(found.entries >= 60 && found.is_sound(), "{left}: {found:?}");
        drop(journal);
    }
}

#[test]
fn a_file_of_the_last_number_ends_no_numbering() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = JournalDir::open(temporary.path().join("journal"), Sharing::Private).unwrap();
    for planted in ["INC-4294967295.db", "INC-1000000.db", "GAMEDAY-4294967295.db"] {
        fs::write(dir.directory().join(planted), "").unwrap();
    }
    let numbers = [Series::Incident, Series::Incident].map(|series| dir.create(series).unwrap().to_string());
    assert_eq!(numbers, ["INC-1", "INC-2"]);
}

/// Everything that a journal's folder has, planted as a link to somebody's file: nothing follows it, whatever is done.
#[test]
fn through_no_link_in_the_folder_is_a_file_written_cut_or_opened_to_others() {
    for sharing in [Sharing::Private, Sharing::Group] {
        for suffix in ["", "-wal", "-shm", ".bell"] {
            let temporary = tempfile::tempdir().unwrap();
            let victim = temporary.path().join("bashrc");
            fs::write(&victim, "mine\n").unwrap();
            set_mode(&victim, 0o600);
            let dir = JournalDir::open(temporary.path().join("journal"), sharing).unwrap();
            let id = dir.create(Series::Incident).unwrap();
            let planted = dir.directory().join(format!("INC-1.db{suffix}"));
            let _ = fs::remove_file(&planted);
            std::os::unix::fs::symlink(&victim, &planted).unwrap();
            let refused = dir.journal(id, Via::default()).unwrap_err().to_string();
            assert!(refused.contains("is not a plain file"), "{suffix}: {refused}");
            for name in ["changes.jsonl", "INC-1.here"] {
                let _ = fs::remove_dir_all(dir.directory().join(name));
                std::os::unix::fs::symlink(&victim, dir.directory().join(name)).unwrap();
            }
            assert!(dir.changes().append(&change()).is_err() && dir.changes().read().is_err());
            assert!(dir.seats(id).take(presence()).is_err());
            assert_eq!((fs::read_to_string(&victim).unwrap().as_str(), mode(&victim)), ("mine\n", 0o600), "{suffix}");
        }
    }
}

fn change() -> warroom::change::Change {
    let line = br#"{"at":"2026-11-23T14:10:00Z","what":"4.12"}"#;
    warroom::change::read(line).changes.remove(0)
}

fn presence() -> Presence {
    Presence {
        console: "c1".into(),
        actor: "dana".into(),
        layout: "ic".into(),
        looks_only: false,
        is_dry: false,
        pid: 1,
        since: Default::default(),
    }
}

#[test]
fn a_directory_that_others_can_read_is_refused_with_the_command_that_helps() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("mine");
    fs::create_dir(&path).unwrap();
    set_mode(&path, 0o755);
    JournalDir::open(&path, Sharing::Private).unwrap();
    assert_eq!(mode(&path), 0o700, "it was empty and ours");
    fs::write(path.join("letter"), "").unwrap();
    set_mode(&path, 0o755);
    let refused = JournalDir::open(&path, Sharing::Private).unwrap_err().to_string();
    assert!(
        refused.contains("has mode 755") && refused.contains(&format!("`chmod 700 {}`", path.display())),
        "{refused}"
    );
    let refused = JournalDir::open(&path, Sharing::Group).unwrap_err().to_string();
    assert!(refused.contains("`chmod 2770 "), "{refused}");
    assert_eq!(mode(&path), 0o755, "and left alone");
    let refused = JournalDir::open(path.join("letter"), Sharing::Private).unwrap_err().to_string();
    assert!(refused.contains("is not a directory"), "{refused}");
}

#[test]
fn a_file_that_became_readable_for_others_is_closed_again_and_a_link_is_refused() {
    let room = Room::new();
    set_mode(&room.path(), 0o644);
    drop(room.journal("one"));
    assert_eq!(mode(&room.path()), 0o600);
    let elsewhere = room.path().with_file_name("elsewhere");
    fs::rename(room.path(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, room.path()).unwrap();
    let refused = room.dir.journal(INC, via("one")).unwrap_err().to_string();
    assert!(refused.contains("is not a plain file"), "{refused}");
}

#[test]
fn an_incident_that_is_not_there_is_an_error_that_names_those_that_are() {
    let room = Room::in_memory();
    room.dir.create(Series::Incident).unwrap();
    room.dir.create(Series::Drill).unwrap();
    fs::write(room.dir.directory().join("INC-007.db"), "").unwrap();
    let wanted: [IncidentId; 3] = ["INC-1", "INC-2", "DRILL-1"].map(|id| id.parse().unwrap());
    assert_eq!(room.dir.ids().unwrap(), wanted);
    let refused = room.dir.journal(IncidentId::incident(42), via("one")).unwrap_err().to_string();
    assert!(
        refused.starts_with("there is no INC-42 in ") && refused.ends_with("there is DRILL-1, INC-2, INC-1"),
        "{refused}"
    );
    assert_eq!(room.dir.ids().unwrap(), wanted, "asking makes none");
}

#[test]
fn eight_people_who_declare_at_once_get_eight_incidents() {
    let room = Room::new();
    let mut others: Vec<_> = (0..8).map(|_| Other::start("create:3", &room.dir)).collect();
    let mut ids = vec![INC];
    for other in &mut others {
        ids.extend((0..3).map(|_| other.says("@id").unwrap().parse::<IncidentId>().unwrap()));
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=25).map(IncidentId::incident).collect::<Vec<_>>());
    assert_eq!(room.dir.ids().unwrap(), ids);
    for id in ids {
        assert!(verify(&room.dir.path(id)).unwrap().is_sound());
    }
}

#[test]
fn two_accounts_of_one_group_write_one_record_and_a_third_outside_cannot() {
    let missing = |why: &str| {
        assert!(std::env::var("WARROOM_REQUIRE_SERVERS").is_err(), "{why}");
        eprintln!("skipped: {why}");
    };
    if !rustix::process::geteuid().is_root() {
        return missing("only root can act as two accounts");
    }
    let temporary = tempfile::tempdir().unwrap();
    set_mode(temporary.path(), 0o755);
    let path = temporary.path().join("shared");
    fs::create_dir(&path).unwrap();
    chown(&path, None, Some(12000)).unwrap();
    set_mode(&path, 0o2770);
    let as_account =
        |job: &str, uid: u32, gid: u32| Other::run(again(job, &path, Sharing::Group, "umask 022;").uid(uid).gid(gid));
    let mut first = as_account("create:1", 12001, 12000);
    let Some(id) = first.says("@id") else { return missing("the other accounts cannot run this test binary") };
    assert_eq!(id, "INC-1");
    // Both have it open at once, then each alone: the last one to leave takes SQLite's files away.
    for rounds in [vec![12001, 12002], vec![12002], vec![12001]] {
        let mut others: Vec<_> = rounds.iter().map(|uid| as_account("append", *uid, 12000)).collect();
        for other in &mut others {
            other.says("@open").expect("the other account can open it");
        }
        for (count, other) in (1..).zip(&mut others) {
            other.go_on();
            assert_eq!(other.says("@saved").unwrap(), count.to_string(), "consoles of both accounts are seen");
        }
        others.iter_mut().for_each(Other::go_on);
        for other in &mut others {
            other.child.wait().unwrap();
        }
    }
    let found = verify(&path.join("INC-1.db")).unwrap();
    assert_eq!((found.entries, found.damage), (4, vec![]));
    let refused = as_account("append", 12003, 12003).says("@refused").unwrap();
    assert!(refused.contains("/shared") && refused.contains("ermission denied"), "{refused}");
}
