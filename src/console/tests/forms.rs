//! Every text that a person types into a form is there again, whatever closed the form.

use std::collections::BTreeMap;

use super::values::{drain, with_book};
use super::*;
use crate::console::overlay::{self, Shown};
use crate::incident::{Answer, Duty, Milestone, NoteAdded, NoteKind, Purpose as Doing, ReviewOf, Seat, Severity};
use crate::pane::{FormKind, Purpose};
use crate::text::half_typed::HalfTyped;

/// What is typed: letters of two scripts, a wide one, no digits that could become a card number.
const TYPED: &str = "é متن 名 we wait";

/// A way to open a form.
type Opens = Box<dyn Fn(&mut Desk)>;

/// Every kind of form; one that is added later does not compile before it is in the list below.
fn kinds() -> Vec<FormKind> {
    let id = EntryId { rid: 1, rseq: 1 };
    let seat = Seat { role: Role::Sme, component: None };
    let all = vec![
        FormKind::Scope,
        FormKind::Task,
        FormKind::Proposal,
        FormKind::Hypothesis { text: "the deploy".to_owned(), rollback: String::new() },
        FormKind::Settle { hypothesis: id, holds: true },
        FormKind::Objection(id),
        FormKind::Handover(seat.clone()),
        FormKind::Assign(seat),
        FormKind::Answer { task: id, answer: Answer::Blocked },
        FormKind::Told { position: "CTO".into(), severity: Severity::Sev1 },
        FormKind::Cadence,
        FormKind::Snooze(Duty::Acknowledge),
        FormKind::Resolve,
        FormKind::Page,
        FormKind::Escalate,
        FormKind::Reassign,
        FormKind::Link("jira".into()),
        FormKind::Silence("alertname=\"X\"".to_owned()),
        FormKind::Postmortem,
        FormKind::Article,
        FormKind::Review(ReviewOf::Matrix),
        FormKind::FollowUp(None),
        FormKind::AmendTime(Milestone::Detected),
        FormKind::Parameters { step: drain(), purpose: Doing::Do },
    ];
    for kind in &all {
        match kind {
            FormKind::Scope
            | FormKind::Task
            | FormKind::Proposal
            | FormKind::Hypothesis { .. }
            | FormKind::Settle { .. }
            | FormKind::Objection(_)
            | FormKind::Handover(_)
            | FormKind::Assign(_)
            | FormKind::Answer { .. }
            | FormKind::Told { .. }
            | FormKind::Cadence
            | FormKind::Snooze(_)
            | FormKind::Resolve
            | FormKind::Page
            | FormKind::Escalate
            | FormKind::Reassign
            | FormKind::Link(_)
            | FormKind::Silence(_)
            | FormKind::Postmortem
            | FormKind::Article
            | FormKind::Review(_)
            | FormKind::FollowUp(_)
            | FormKind::AmendTime(_)
            | FormKind::Parameters { .. } => {}
        }
    }
    all
}

/// Every way in which a person types into something above the panes.
fn every_form() -> Vec<(String, Opens)> {
    let id = EntryId { rid: 1, rseq: 1 };
    let forms = kinds().into_iter().map(|kind| -> (String, Opens) {
        let name = format!("{kind:?}");
        let opens = move |desk: &mut Desk| match &kind {
            // Its fields are those of the step's command.
            FormKind::Parameters { step, purpose } => {
                let offer = overlay::step(step, *purpose, &desk.console.cx(desk.wall));
                desk.console.take_offer(offer, desk.wall, &mut Vec::new());
            }
            kind => desk.console.show_form(kind.clone(), desk.wall),
        };
        (name, Box::new(opens))
    });
    let purposes = [
        Purpose::Title,
        Purpose::Reason(Box::new(Command::SetTitle("x".into()))),
        Purpose::Amend(id),
        Purpose::ImpactStart,
        Purpose::ImpactEnd,
        Purpose::Service,
        Purpose::Component,
        Purpose::Unmerge,
        Purpose::Facilitate,
    ];
    let asked = purposes.into_iter().map(|purpose| -> (String, Opens) {
        let question = move || Question { title: "?".to_owned(), text: "before".to_owned(), purpose: purpose.clone() };
        (format!("{:?}", question().purpose), Box::new(move |desk| desk.console.ask(question())))
    });
    let update: (String, Opens) = (
        "update".to_owned(),
        Box::new(|desk| {
            let compose = overlay::compose(&desk.console.cx(desk.wall));
            desk.console.show(compose);
        }),
    );
    let declare: (String, Opens) = (
        "declare".to_owned(),
        Box::new(|desk| {
            let form = overlay::declare(&desk.console.cx(desk.wall));
            desk.console.show(form);
            // Its title is the third field.
            desk.key(KeyCode::Tab);
            desk.key(KeyCode::Tab);
        }),
    );
    forms.chain(asked).chain([update, declare]).collect()
}

/// What stands in the open form.
fn texts(desk: &mut Desk) -> Vec<String> {
    desk.console.overlay.as_mut().map(Shown::texts).unwrap_or_default()
}

/// What is on the disk of the forms by now.
fn on_disk(desk: &Desk) -> Vec<(String, HalfTyped)> {
    let mut kept = BTreeMap::new();
    for effect in &desk.effects {
        match effect {
            Effect::KeepForm(form, Some(half)) => drop(kept.insert(form.clone(), half.clone())),
            Effect::KeepForm(form, None) => drop(kept.remove(form)),
            _ => {}
        }
    }
    kept.into_iter().collect()
}

/// A desk with a playbook whose step asks for values.
fn seated() -> Desk {
    Desk::open_with(Settings { layout: Layout::Ic, ..with_book("c1") }, (120, 40))
}

#[test]
fn whatever_closes_a_form_it_opens_again_with_what_was_typed_byte_for_byte() {
    for (name, open) in every_form() {
        let mut desk = seated();
        let opens = |desk: &mut Desk| {
            open(desk);
            desk.tell(Msg::Wake);
        };
        opens(&mut desk);
        let fresh = texts(&mut desk);
        desk.keys(TYPED);
        let typed = texts(&mut desk);
        assert!(typed != fresh && typed.iter().any(|text| text.contains(TYPED)), "{name}: {typed:?}");
        // Esc and Ctrl+C leave the form, and say that it is kept.
        desk.key(KeyCode::Esc);
        assert!(desk.console.overlay.is_none() && desk.said().contains("kept"), "{name}: {}", desk.said());
        opens(&mut desk);
        assert_eq!(texts(&mut desk), typed, "{name}: Esc");
        desk.ctrl('c');
        opens(&mut desk);
        assert_eq!(texts(&mut desk), typed, "{name}: Ctrl+C");
        // The smallest window, and the record that goes on.
        desk.tell(Msg::Input(InputEvent::Resize(1, 1)));
        desk.tell(Msg::Input(InputEvent::Resize(120, 40)));
        desk.write("omid", Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: "x".into(), at: None }));
        assert_eq!(texts(&mut desk), typed, "{name}: resized, record changed");
        // Within a second it is with the journal, so that a console that is killed leaves it there.
        desk.pass(1);
        let left = on_disk(&desk);
        assert_eq!(left.len(), 1, "{name}: {left:?}");
        let mut next = seated();
        next.tell(Msg::Journal(JournalMsg::HalfTyped(left)));
        opens(&mut next);
        assert_eq!(texts(&mut next), typed, "{name}: killed");
        assert!(next.said().contains("is back"), "{name}");
        // Taken out it is gone, on the disk too.
        next.ctrl('r');
        if name != "update" {
            assert_eq!(texts(&mut next), fresh, "{name}: Ctrl+R");
        }
        next.pass(1);
        assert!(next.effects.iter().any(|effect| matches!(effect, Effect::KeepForm(_, None))), "{name}");
        assert_eq!(on_disk(&next), []);
    }
}

/// What a disk answers to a text that is to be kept.
type Trouble = fn() -> JournalMsg;

/// What can be wrong with the disk while somebody types.
const TROUBLES: [(&str, Trouble); 2] = [
    ("full", || JournalMsg::Unwritable("No space left on device".into())),
    ("stalled", || JournalMsg::Stalled(Some(at(60)))),
];

#[test]
fn on_a_disk_that_is_full_or_stalled_a_form_keeps_its_text_and_the_last_words_have_it() {
    for (trouble, msg) in TROUBLES {
        for (name, open) in every_form() {
            let mut desk = seated();
            let opens = |desk: &mut Desk| {
                open(desk);
                desk.tell(Msg::Wake);
            };
            opens(&mut desk);
            // It begins in the middle of the word.
            let (first, rest) = TYPED.split_at(TYPED.find(char::is_whitespace).unwrap_or_default());
            desk.keys(first);
            desk.tell(Msg::Journal(msg()));
            desk.keys(rest);
            let typed = texts(&mut desk);
            assert!(typed.iter().any(|text| text.contains(TYPED)), "{trouble}, {name}: {typed:?}");
            for closes in [KeyCode::Esc, KeyCode::Char('c')] {
                match closes {
                    KeyCode::Esc => desk.key(KeyCode::Esc),
                    _ => desk.ctrl('c'),
                }
                assert!(desk.console.overlay.is_none(), "{trouble}, {name}: {}", desk.said());
                opens(&mut desk);
                assert_eq!(texts(&mut desk), typed, "{trouble}, {name}");
            }
            desk.tell(Msg::Input(InputEvent::Resize(1, 1)));
            desk.tell(Msg::Input(InputEvent::Resize(120, 40)));
            assert_eq!(texts(&mut desk), typed, "{trouble}, {name}: resized");
            // What a console says that ends before the disk answers.
            let last = desk.console.half_typed().unwrap_or_default();
            assert!(last.contains(TYPED), "{trouble}, {name}: {last:?}");
            // The journal has it by then, and writes it as soon as it can.
            desk.pass(1);
            assert_eq!(on_disk(&desk).len(), 1, "{trouble}, {name}");
            for well in [JournalMsg::Stalled(None), JournalMsg::Writable] {
                desk.tell(Msg::Journal(well));
            }
            assert_eq!(texts(&mut desk), typed, "{trouble}, {name}: well again");
        }
    }
}

#[test]
fn what_was_handed_in_goes_once_it_is_state_and_stays_when_the_disk_is_full() {
    let propose = |desk: &mut Desk| {
        desk.console.show_form(FormKind::Proposal, desk.wall);
        desk.tell(Msg::Wake);
    };
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.is_held = true;
    propose(&mut desk);
    for answer in ["move traffic", "slower", "move it back"] {
        desk.keys(answer);
        desk.key(KeyCode::Enter);
    }
    let typed = texts(&mut desk);
    desk.ctrl('s');
    assert!(desk.console.overlay.is_none(), "{}", desk.said());
    let ticket = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Append { ticket, .. } => Some(*ticket),
        _ => None,
    });
    let ticket = ticket.unwrap();
    desk.tell(Msg::Journal(JournalMsg::NotSaved(ticket, "the disk is full".into())));
    assert_eq!(desk.said(), "NOT SAVED: the disk is full; the form opens again with what you typed");
    propose(&mut desk);
    assert_eq!(texts(&mut desk), typed);
    desk.is_held = false;
    desk.read();
    desk.ctrl('s');
    assert!(desk.console.overlay.is_none(), "{}", desk.said());
    desk.pass(1);
    assert_eq!(on_disk(&desk), [], "it is in the record");
    propose(&mut desk);
    assert!(!texts(&mut desk).contains(&"move traffic".to_owned()));
}

#[test]
fn a_text_that_came_back_is_not_sent_by_a_key_pressed_before_it_could_be_read() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.reads = false;
    let ask = |desk: &mut Desk| {
        let question = Question { title: "?".to_owned(), text: String::new(), purpose: Purpose::Title };
        desk.console.ask(question);
        desk.tell(Msg::Wake);
    };
    ask(&mut desk);
    desk.keys("half a tit");
    desk.key(KeyCode::Esc);
    ask(&mut desk);
    desk.key(KeyCode::Enter);
    assert!(desk.console.overlay.is_some() && desk.said().contains("before this could be read"), "{}", desk.said());
    desk.read();
    desk.key(KeyCode::Enter);
    assert!(desk.console.overlay.is_none(), "{}", desk.said());
}

#[test]
fn a_search_and_a_word_that_confirms_are_no_drafts() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.console.show_form(FormKind::Page, desk.wall);
    desk.tell(Msg::Wake);
    desk.ctrl('u');
    desk.keys("dana");
    desk.key(KeyCode::Enter);
    desk.keys("page");
    desk.key(KeyCode::Esc);
    desk.console.show_form(FormKind::Page, desk.wall);
    desk.tell(Msg::Wake);
    assert_eq!(texts(&mut desk), ["dana"], "the word is typed anew");
    desk.key(KeyCode::Esc);
    desk.pass(60);
    let search = Question { title: "?".to_owned(), text: String::new(), purpose: Purpose::Search(PaneId::Timeline) };
    desk.console.ask(search);
    desk.keys("words");
    desk.key(KeyCode::Esc);
    assert!(!desk.said().contains("kept"));
}
