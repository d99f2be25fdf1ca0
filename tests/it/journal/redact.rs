//! Words that are taken out of the record.

use super::*;
use warroom::incident::{EntryId, EntryRedacted, Incident, NoteAmended};
use warroom::journal::{JournalError, What, export, fill, verify};

/// Personal data, which no mask knows.
const SECRET: &str = "Jane Doe of Elm Street 12";

fn redaction(entry: EntryId) -> NewEntry {
    NewEntry::new(Actor::new("dana"), Event::EntryRedacted(EntryRedacted { entry, reason: "card data".into() }))
}

/// A record with a secret in a note, in a correction of it, and in a draft that was sent; and the note's identity.
fn room_with_a_secret() -> (Room, EntryId) {
    let room = Room::in_memory();
    fill(&room.dir, INC, 300, 3).unwrap();
    let mut journal = room.journal("desk");
    // Long enough to lie on pages of its own.
    let long = format!("card {SECRET} {}", "of a customer ".repeat(700));
    journal.save_draft(&Actor::new("dana"), &long).unwrap();
    journal.clear_draft().unwrap();
    let id = journal.append(&[note("dana", &long)]).unwrap()[0].id;
    let amended = NoteAmended { note: id, text: Some(format!("the card {SECRET}").into()), at: None };
    journal.append(&[NewEntry::new(Actor::new("li"), Event::NoteAmended(amended)), note("li", "on we go")]).unwrap();
    (room, id)
}

fn holds_the_secret(room: &Room) -> Vec<String> {
    let mut holders = Vec::new();
    for item in std::fs::read_dir(room.dir.directory()).unwrap() {
        let path = item.unwrap().path();
        if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
        {
            holders.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    holders
}

#[test]
fn redacted_words_are_no_longer_on_the_disk_and_the_record_stays_sound() {
    let (room, id) = room_with_a_secret();
    // Another console has the file open all the time, and a draft of its own.
    let mut other = room.journal("wall");
    other.save_draft(&Actor::new("omid"), "half a thought").unwrap();
    other.tail(0, 10).unwrap();
    assert!(!holds_the_secret(&room).is_empty());
    let mut journal = room.journal("desk");
    journal.append(&[redaction(id)]).unwrap();
    journal.redact(id).unwrap();
    assert_eq!(holds_the_secret(&room), Vec::<String>::new());

    let found = verify(&room.path()).unwrap();
    assert!(found.is_sound(), "{:?}", found.damage);
    assert_eq!((found.redacted.len(), found.redacted[0]), (2, id), "the note and its correction");
    let (entries, damage) = room.journal("reader").all().unwrap();
    assert_eq!((entries.len(), damage), (304, vec![]));
    let mut exported = Vec::new();
    assert!(export(&room.path(), &mut exported).unwrap().is_sound());
    let exported = String::from_utf8(exported).unwrap();
    assert!(exported.contains("\"text\":\"(redacted)\"") && !exported.contains(SECRET));
    let incident = Incident::replay(INC, entries);
    let line = incident.timeline().lines().find(|line| line.id == id).unwrap();
    assert_eq!((&*line.text, &*line.actor), ("(redacted by dana: card data)", "dana"));
    assert_eq!(incident.unrecognised, 0, "what is left is still a note");

    // Whoever had the file open goes on; doing it twice does no harm.
    other.append(&[note("omid", "still here")]).unwrap();
    journal.redact(id).unwrap();
    assert_eq!(room.journal("omid-again").all().unwrap().1, []);
    assert_eq!(
        room.journal("x").adopt_draft(&Actor::new("omid"), |_| false).unwrap().map(|(text, _)| text),
        Some("half a thought".to_owned())
    );
}

#[test]
fn words_that_no_entry_says_are_redacted_stay_and_taking_them_out_by_hand_is_damage() {
    let (room, id) = room_with_a_secret();
    let refused = room.journal("desk").redact(id).unwrap_err();
    assert!(matches!(refused, JournalError::NotRedacted { .. }), "{refused}");
    assert!(!holds_the_secret(&room).is_empty());
    let db = rusqlite::Connection::open(room.path()).unwrap();
    let put = |entry: &Entry| {
        let (rid, rseq) = (entry.id.rid as i64, entry.id.rseq as i64);
        db.execute("UPDATE ev SET entry = ?1 WHERE rid = ?2 AND rseq = ?3", (entry.to_json(), rid, rseq)).unwrap();
    };
    let whole = room.journal("reader").all().unwrap().0.into_iter().find(|entry| entry.id == id).unwrap();
    let event = whole.event.without_words().unwrap();
    put(&Entry { event, ..whole.clone() });
    let damage = verify(&room.path()).unwrap().damage;
    assert_eq!(
        damage.iter().map(|damage| (damage.entry, &damage.what)).collect::<Vec<_>>(),
        [(Some(id), &What::Changed)]
    );
    // Named, but with other words in the place of the old ones: damage too.
    room.journal("desk").append(&[redaction(id)]).unwrap();
    assert!(verify(&room.path()).unwrap().is_sound());
    let Event::NoteAdded(body) = whole.event.clone() else { panic!() };
    put(&Entry { event: Event::NoteAdded(NoteAdded { text: "something nicer".into(), ..body }), ..whole });
    assert_eq!(verify(&room.path()).unwrap().damage.len(), 1);
}

#[test]
fn a_console_redacts_through_its_thread_once_the_entry_that_says_so_is_saved() {
    let (room, id) = room_with_a_secret();
    let mut desk = Desk::open(&room.dir, "dana", "desk");
    assert_eq!(desk.next(), News::Opened { draft: None });
    desk.handle.send(Request::Append { ticket: 1, entries: vec![redaction(id)], settles_draft: false }).unwrap();
    desk.handle.send(Request::Redact(id)).unwrap();
    desk.until(|news| matches!(news, News::Saved { ticket: 1, .. }).then_some(()));
    let unknown = EntryId { rid: 1, rseq: 1 };
    desk.handle.send(Request::Redact(unknown)).unwrap();
    let said = desk.until(|news| if let News::Damaged(what) = news { Some(what) } else { None });
    assert!(said[0].contains("record that first"), "{said:?}");
    assert_eq!(holds_the_secret(&room), Vec::<String>::new());
}
