//! The loop's side of the journal.

use std::collections::BTreeMap;

use super::*;
use warroom::journal::{NotTaken, fill, verify};
use warroom::text::half_typed::HalfTyped;

#[test]
fn a_console_gets_the_whole_record_in_order_then_what_is_new_each_entry_once() {
    let room = Room::in_memory();
    fill(&room.dir, INC, 2500, 1).unwrap();
    let mut desk = Desk::open(&room.dir, "dana", "desk");
    assert_eq!(desk.next(), News::Opened { draft: None });
    let mut got = Vec::new();
    loop {
        match desk.next() {
            News::Entries { entries, caught_up } => {
                got.extend(entries);
                if caught_up {
                    break;
                }
            }
            other => panic!("{other:?}"),
        }
    }
    desk.handle
        .send(Request::Append {
            ticket: 9,
            entries: vec![note("dana", "one"), note("dana", "two")],
            settles_draft: false,
        })
        .unwrap();
    let mut is_saved = false;
    while got.len() < 2502 || !is_saved {
        match desk.next() {
            News::Entries { entries, .. } => got.extend(entries),
            News::Saved { ticket, .. } => is_saved = ticket == 9,
            News::Present(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(got, room.journal("reader").all().unwrap().0);
    assert_eq!(got.last().unwrap().via, via("desk"));
}

#[test]
fn an_empty_record_says_that_it_is_all() {
    let room = Room::in_memory();
    let mut desk = Desk::open(&room.dir, "dana", "desk");
    assert_eq!(desk.next(), News::Opened { draft: None });
    assert_eq!(desk.next(), News::Entries { entries: vec![], caught_up: true });
}

#[test]
fn an_incident_that_is_not_there_fails_in_words_and_ends() {
    let room = Room::in_memory();
    let (send, mut news) = mpsc::channel(4);
    let me = Me { actor: Actor::new("dana"), via: via("desk"), layout: CleanStr::default(), is_dry: false };
    let handle = JournalThread::start(&room.dir, IncidentId::incident(9), me, send).unwrap();
    let Some(News::Failed(reason)) = news.blocking_recv() else { panic!("it opened") };
    assert!(reason.starts_with("there is no INC-9 in "), "{reason}");
    assert_eq!(news.blocking_recv(), None);
    let refused = loop {
        match handle.send(Request::ClearDraft) {
            Ok(()) => std::thread::yield_now(),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, NotTaken::Ended(Request::ClearDraft));
}

#[test]
fn a_loop_that_does_not_listen_for_a_while_misses_nothing() {
    let room = Room::in_memory();
    let (send, mut news) = mpsc::channel(1);
    let me = Me { actor: Actor::new("dana"), via: via("desk"), layout: CleanStr::default(), is_dry: false };
    let handle = JournalThread::start(&room.dir, INC, me, send).unwrap();
    let mut journal = room.journal("other");
    for count in 0..50 {
        journal.append(&[note("omid", &format!("{count}"))]).unwrap();
    }
    handle.send(Request::Append { ticket: 1, entries: vec![note("dana", "50")], settles_draft: false }).unwrap();
    let mut got = Vec::new();
    while got.len() < 51 {
        if let Some(News::Entries { entries, .. }) = news.blocking_recv() {
            got.extend(entries);
        }
    }
    assert_eq!(got.iter().map(text).collect::<Vec<_>>(), (0..=50).map(|count| count.to_string()).collect::<Vec<_>>());
}

#[test]
fn leaving_writes_what_was_accepted_and_takes_a_tenth_of_a_second_even_when_nobody_listens() {
    let room = Room::in_memory();
    let (send, news) = mpsc::channel(1);
    let me = Me { actor: Actor::new("dana"), via: via("desk"), layout: CleanStr::default(), is_dry: false };
    let handle = JournalThread::start(&room.dir, INC, me, send).unwrap();
    for ticket in 0..200 {
        handle
            .send(Request::Append { ticket, entries: vec![note("dana", &format!("{ticket}"))], settles_draft: false })
            .unwrap();
    }
    assert!(handle.close(Duration::from_secs(10)), "the channel is full and nobody reads it");
    drop(news);
    let (entries, damage) = room.journal("reader").all().unwrap();
    assert_eq!((entries.len(), damage), (200, vec![]));
    assert!(verify(&room.path()).unwrap().is_sound());
    assert_eq!(room.dir.seats(INC).present(), []);

    let mut desk = Desk::open(&room.dir, "dana", "desk");
    desk.until(|news| matches!(news, News::Entries { caught_up: true, .. }).then_some(()));
    let before = clock::boot();
    assert!(desk.handle.close(Duration::from_secs(10)));
    let took = clock::boot() - before;
    assert!(
        took < crate::support::promised(Duration::from_millis(500)),
        "{took:?}; 100 ms on a machine that does nothing else"
    );
}

#[test]
fn one_console_with_a_hundred_requests_is_answered_a_hundred_times_in_order() {
    let room = Room::new();
    let mut desk = Desk::open(&room.dir, "dana", "desk");
    for ticket in 0..100 {
        desk.handle
            .send(Request::Append { ticket, entries: vec![note("dana", &format!("{ticket}"))], settles_draft: false })
            .unwrap();
        desk.handle.send(Request::SaveDraft(format!("typing {ticket}"))).unwrap();
    }
    let answers: Vec<_> = (0..100)
        .map(|_| desk.until(|news| if let News::Saved { ticket, .. } = news { Some(ticket) } else { None }))
        .collect();
    assert_eq!(answers, (0..100).collect::<Vec<_>>());
    assert!(desk.handle.close(Duration::from_secs(5)));
    let mut next = Desk::open(&room.dir, "dana", "next");
    let News::Opened { draft: Some((text, _)) } = next.next() else { panic!("no draft") };
    assert_eq!(text.as_str(), "typing 99");
}

#[test]
fn the_same_seed_fills_two_journals_alike() {
    let (one, other) = (Room::in_memory(), Room::in_memory());
    fill(&one.dir, INC, 500, 42).unwrap();
    fill(&other.dir, INC, 500, 42).unwrap();
    let entries = one.journal("reader").all().unwrap().0;
    assert_eq!(entries, other.journal("reader").all().unwrap().0);
    let incident = warroom::incident::Incident::replay(INC, entries);
    assert_eq!((incident.len(), incident.unrecognised), (500, 0));
    assert!(verify(&one.path()).unwrap().is_sound());
}

#[test]
fn what_is_half_typed_in_forms_comes_with_the_record_to_the_next_console_of_that_person() {
    let half = |text: &str| HalfTyped { texts: vec![None, Some(text.to_owned())], choices: vec!["External".into()] };
    let room = Room::in_memory();
    let desk = Desk::open(&room.dir, "dana", "c1");
    let secret = "why ghp_0123456789abcdefghijABCDEFGHIJ012345 leaks\nand \u{645}\u{62a}\u{646}";
    for (form, text) in [("Proposal", Some("half a plan")), ("Update", Some(secret)), ("Task", Some("gone"))] {
        desk.handle.send(Request::KeepForm { form: form.to_owned(), half: text.map(half) }).unwrap();
    }
    desk.handle.send(Request::KeepForm { form: "Task".to_owned(), half: None }).unwrap();
    assert!(desk.handle.close(Duration::from_secs(30)));
    let mut next = Desk::open(&room.dir, "dana", "c2");
    assert_eq!(next.next(), News::Opened { draft: None }, "a form's text is no line of the scribe");
    let News::HalfTyped(forms) = next.next() else { panic!("nothing came along") };
    let forms: BTreeMap<_, _> = forms.into_iter().collect();
    assert_eq!(forms.keys().map(String::as_str).collect::<Vec<_>>(), ["Proposal", "Update"]);
    assert_eq!(forms["Proposal"], half("half a plan"));
    assert!(forms["Update"].text().ends_with("leaks\nand \u{645}\u{62a}\u{646}"), "{forms:?}");
    assert!(!forms["Update"].text().contains("ghp_"), "a secret was on the disk");
}
