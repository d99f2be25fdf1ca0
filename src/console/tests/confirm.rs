//! What was confirmed is what runs: nobody answers a dialog that nobody can have read, and what changed meanwhile does not run.

use super::runs::{ready, starts, step};
use super::*;
use crate::incident::{PlaybookFrozen, RoleNamed, StepClaimed};

/// A desk at the dialog that reroutes, in whose hands the keys come as the test says.
fn at_the_dialog() -> Desk {
    let mut desk = ready();
    desk.reads = false;
    desk.keys("e");
    desk.key(KeyCode::Enter);
    desk
}

fn answer(desk: &mut Desk) {
    desk.keys("alipay");
    desk.key(KeyCode::Enter);
}

#[test]
fn a_dialog_takes_keys_only_400_ms_after_its_frame_was_written() {
    let mut desk = at_the_dialog();
    answer(&mut desk);
    assert!(starts(&desk).is_empty() && desk.said().contains("before this could be read"), "{}", desk.said());
    // However long ago it was made: as long as its frame is not out nobody has read it.
    desk.pass(60);
    answer(&mut desk);
    assert!(starts(&desk).is_empty());
    desk.draw();
    desk.console.frame_is_out(desk.wall);
    desk.wall += TimeDelta::milliseconds(399);
    answer(&mut desk);
    assert!(starts(&desk).is_empty());
    desk.wall += TimeDelta::milliseconds(1);
    answer(&mut desk);
    let started = starts(&desk);
    assert_eq!(started.len(), 1);
    let program = started[0].program.as_ref().unwrap();
    assert_eq!(program.path, "/usr/bin/flagctl");
    assert_eq!(desk.console.incident().runs[0].order.program.as_ref(), Some(program), "it stands in the record");
}

#[test]
fn what_comes_at_once_neither_answers_nor_stays_in_the_line() {
    let mut desk = at_the_dialog();
    desk.read();
    desk.keys("ali");
    desk.tell(Msg::Flood);
    answer(&mut desk);
    assert!(starts(&desk).is_empty() && desk.said().contains("came with a paste"), "{}", desk.said());
    desk.pass(1);
    desk.key(KeyCode::Enter);
    assert!(starts(&desk).is_empty() && desk.said().contains("nothing has run"), "{}", desk.said());
}

#[test]
fn what_changed_between_dialog_and_word_stops_it() {
    let text = crate::playbook::SHIPPED[0].1;
    let changed = text.replacen("--percent=", "--share=", 1);
    assert_ne!(changed, text);
    let claimed = StepClaimed { step: step("route-to-backup"), title: "x".into(), over: None };
    let digest = |text: &str| blake3::hash(text.as_bytes()).to_hex().as_str().into();
    let frozen =
        PlaybookFrozen { service: "alipay".into(), digest: digest(&changed), text: changed.clone(), replaces: None };
    let left = RoleNamed { role: Role::Sme, component: None, holder: "dana".into(), reason: None, is_played: false };
    for (by, event, why) in [
        ("bob", Event::StepClaimed(claimed), "bob works on it"),
        ("bob", Event::PlaybookFrozen(frozen), "not what was shown any more"),
        ("dana", Event::RoleLeft(left), "it wants"),
    ] {
        let mut desk = at_the_dialog();
        desk.read();
        desk.write(by, event);
        desk.tell(Msg::Wake);
        answer(&mut desk);
        assert!(starts(&desk).is_empty() && desk.said().contains(why), "{why}: {}", desk.said());
    }
}

#[test]
fn a_program_that_is_not_there_is_named_in_the_dialog_and_does_not_start() {
    let mut desk = at_the_dialog();
    let number = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::LookFor(number, _) => Some(*number),
        _ => None,
    });
    // The answer of another look is not for this dialog.
    desk.tell(Msg::Found(number.unwrap() + 7, vec![Err("nonsense".into())]));
    assert!(!desk.screen().contains("nonsense"));
    desk.key(KeyCode::Esc);
    desk.is_lost = true;
    desk.keys("e");
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("MISSING"), "{}", desk.screen());
    desk.read();
    answer(&mut desk);
    assert!(starts(&desk).is_empty() && desk.said().contains("is not on the PATH"), "{}", desk.said());
}

#[test]
fn a_script_that_does_not_fit_is_read_to_its_end_before_its_word_counts() {
    let lines: String = (1..=60).map(|line| format!("echo {line}\n")).collect();
    let book = format!(
        "service = \"alipay\"\nname = \"Alipay\"\npublic-name = \"Alipay\"\nowner = \"Payments\"\nreviewed = 2026-09-01\n\n[[steps]]\n\
         id = \"long\"\ntitle = \"Long\"\nlook = \"Look.\"\nexpect = \"Well.\"\nundo = \"Back.\"\n\
         do.command.argv = [\"sh\", \"-c\", '''\n{lines}''']\ndo.command.changes = true\n"
    );
    let mut catalogue = Catalogue::default();
    catalogue.take("alipay.toml", &book);
    let mut desk = Desk::open_with(Settings { catalogue, ..settings(Layout::Sme) }, (100, 30));
    let digest = desk.console.settings.catalogue.get("alipay").unwrap().digest();
    desk.write("dana", Event::PlaybookApproved(crate::incident::PlaybookApproved { service: "alipay".into(), digest }));
    desk.key(KeyCode::Esc);
    desk.keys("3e");
    answer(&mut desk);
    assert!(starts(&desk).is_empty() && desk.said().contains("PgDn shows the rest"), "{}", desk.said());
    while !desk.screen().contains(r"echo 60\n") {
        let before = desk.screen();
        desk.key(KeyCode::PageDown);
        assert_ne!(desk.screen(), before, "it can be scrolled to its end");
    }
    desk.key(KeyCode::Enter);
    assert_eq!(starts(&desk).len(), 1, "{}", desk.said());
}
