//! What could not be read, or was not read yet, is not shown as if there were nothing.

use super::*;

fn unread(desk: &mut Desk, why: &str) {
    desk.tell(Msg::Listed(Known::Unknown(why.into())));
}

#[test]
fn the_choice_of_a_record_says_that_there_is_none_of_a_whole_list_only() {
    let mut desk = Desk::open(Layout::Ic, (100, 30));
    desk.keys("O");
    let screen = desk.screen();
    assert!(
        screen.contains("reading the records of this host …") && !screen.contains("there is no record"),
        "{screen}"
    );
    unread(&mut desk, "the folder is root's");
    let screen = desk.screen();
    assert!(screen.contains("which records there are is not known"), "{screen}");
    assert!(
        screen.contains("not all is known: the folder is root's") && !screen.contains("there is no record"),
        "{screen}"
    );
    desk.tell(Msg::Listed(Known::Whole(Vec::new())));
    assert!(desk.screen().contains("there is no record on this host yet"));
}

#[test]
fn the_remedy_is_legible_on_a_start_screen_of_80_columns_whatever_the_path() {
    let path = format!("/home/{}/.local/state/warroom/journal", "a-rather-long-name/".repeat(5));
    for why in [
        format!(
            "{path} is on NFS, where several processes cannot share a journal safely: choose a directory on a local disk (journal.dir)"
        ),
        format!(
            "reading {path}: permission denied: {path} belongs to another account (root): `sudo chown -R 1000 {path}` END"
        ),
    ] {
        let mut desk = Desk::with(settings(Layout::Ic), (80, 24));
        desk.console.show_start();
        unread(&mut desk, &why);
        desk.console.say(Tone::Failed, why.clone(), at(60));
        let screen = desk.screen();
        let flat: String = screen.chars().filter(|letter| !letter.is_whitespace() && *letter != '│').collect();
        let wanted: String = why.chars().filter(|letter| !letter.is_whitespace()).collect();
        assert_eq!(flat.matches(&wanted).count(), 1, "whole, and once: {screen}");
        assert!(!screen.contains("no incident is open"), "{screen}");
    }
}

#[test]
fn a_record_that_can_only_be_read_is_marked_on_every_kind_of_console() {
    let why = "its disk is mounted read-only";
    for (size, is_wall, access, mark) in [
        ((80, 24), false, Access::Full, "READ ONLY: its disk is mounted read-only"),
        ((120, 40), false, Access::Full, "READ ONLY: its disk is mounted read-only"),
        ((80, 24), false, Access::ReadOnly, "READ ONLY"),
        ((80, 24), true, Access::ReadOnly, "read-only"),
        ((120, 40), true, Access::ReadOnly, "read-only"),
    ] {
        let mut desk = Desk::open_with(Settings { is_wall, access, ..settings(Layout::Ic) }, size);
        assert!(!desk.screen().contains("read-only"), "{}", desk.screen());
        desk.tell(Msg::Journal(JournalMsg::OnlyRead(why.into())));
        let screen = desk.screen();
        assert!(screen.contains(mark) && !screen.contains("NOT SAVED"), "{size:?} {is_wall}: {screen}");
    }
}

#[test]
fn while_a_record_is_being_read_no_pane_and_no_wall_says_that_there_is_nothing_in_it() {
    for is_wall in [false, true] {
        let mut desk = Desk::with(Settings { is_wall, ..settings(Layout::Ic) }, (160, 50));
        desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(1))));
        let screen = desk.screen().to_lowercase();
        assert!(is_wall || screen.contains("reading the record"), "{screen}");
        for claim in [
            "no incident",
            "nothing is due",
            "nothing was written",
            "the timeline begins",
            "no task",
            "nobody has been asked",
        ] {
            assert!(!screen.contains(claim), "{claim}: {screen}");
        }
        desk.tell(Msg::Journal(JournalMsg::CaughtUp));
        assert!(is_wall || desk.screen().contains("nothing is due"), "{}", desk.screen());
    }
}
