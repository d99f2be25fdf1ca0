//! Clocks that are set while people work: the console as a value, without a terminal.

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use warroom::console::{Console, Effect, JournalMsg, Layout, Msg, Settings, first_events};
use warroom::incident::{Asking, Cadence, ClockJumped, Declared, Event, Series, Severity, Via};
use warroom::journal::{NewEntry, Sharing};
use warroom::pane::Access;
use warroom::playbook::Catalogue;
use warroom::run::{JournalPlace, records};
use warroom::theme::{BuiltIn, Depth, Theme};

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

/// A scribe's console on an incident that was declared at [`start`].
fn console(access: Access) -> Console {
    let settings = Settings {
        me: "dana".into(),
        console: "c1".into(),
        layout: Layout::Scribe,
        access,
        is_wall: false,
        is_frozen: false,
        catalogue: Catalogue::default(),
        cadence: Cadence::default(),
        matrix: warroom::escalation::Matrix::default(),
        host: "bastion".into(),
        aliases: Default::default(),
        around: Default::default(),
        staging: None,
        rotation: None,
        reach: warroom::reach::Reach::default(),
        is_shared: false,
        rings: false,
        templates: warroom::template::Templates::shipped(),
        theme: Theme::built_in(BuiltIn::Dark, Depth::Sixteen),
        zone: chrono_tz::UTC,
    };
    let declared = Declared {
        title: "payments time out".into(),
        severity: Severity::Sev1,
        service: None,
        detected_at: Some(start()),
        detection: None,
        zone: "UTC".into(),
        link: None,
    };
    let events = first_events(declared, &Asking::new("dana".into(), start())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = JournalPlace {
        directory: folder.path().join("journal"),
        sharing: Sharing::Private,
        own: folder.path().join("own"),
    };
    let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new("dana".into(), event)).collect();
    let id = records::create(&place, Series::Incident, Via::default(), &entries).unwrap();
    let (entries, _) = place.open().unwrap().journal(id, Via::default()).unwrap().all().unwrap();
    let mut console = Console::new(settings, Rect::new(0, 0, 120, 40));
    for msg in [JournalMsg::Opened(id), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        console.handle(Msg::Journal(msg), start()).forgo();
    }
    console
}

fn press(console: &mut Console, code: KeyCode, at: DateTime<Utc>) -> Vec<Effect> {
    console.handle(Msg::Input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE))), at).into_vec()
}

#[test]
fn a_clock_that_is_set_is_told_and_entered_by_those_who_may_write() {
    let jump = TimeDelta::hours(-2);
    let now = start() + jump;
    let mut writes = console(Access::Full);
    let effects = writes.handle(Msg::ClockJumped(jump), now).into_vec();
    let entered = Event::ClockJumped(ClockJumped { by_ms: -7_200_000 });
    assert_eq!(effects, [Effect::Append { ticket: 1, events: vec![entered], settles_draft: false }]);
    assert!(writes.notice().unwrap().text.contains("-7200 s"), "{:?}", writes.notice());
    assert!(writes.is_dirty());

    let mut looks = console(Access::ReadOnly);
    assert_eq!(looks.handle(Msg::ClockJumped(jump), now).into_vec(), []);
    assert!(looks.notice().unwrap().text.contains("-7200 s"));
}

#[test]
fn a_clock_that_is_set_back_holds_up_neither_keys_nor_drafts_nor_the_status_line() {
    let jump = TimeDelta::hours(-2);
    let mut console = console(Access::Full);
    let effects = console.handle(Msg::Input(Input::Paste("half a thought".to_owned())), start()).into_vec();
    assert_eq!(effects, [Effect::SaveDraft("half a thought".to_owned())]);
    press(&mut console, KeyCode::Char('s'), start() + TimeDelta::milliseconds(100));
    let set = start() + TimeDelta::milliseconds(300);
    console.handle(Msg::ClockJumped(jump), set + jump).forgo();
    // The draft is saved when its half second is over by the new clock, not in two hours.
    let effects = console.handle(Msg::Wake, set + jump + TimeDelta::milliseconds(300)).into_vec();
    assert_eq!(effects, [Effect::SaveDraft("half a thoughts".to_owned())]);
    // The guard after the paste ends as well.
    let later = set + jump + TimeDelta::seconds(1);
    press(&mut console, KeyCode::Esc, later);
    let effects = press(&mut console, KeyCode::Char('q'), later);
    assert_eq!(effects, [Effect::Quit]);
    // And the sentence about the jump goes away by itself.
    console.handle(Msg::Wake, later + TimeDelta::seconds(11)).forgo();
    assert_eq!(console.notice(), None);
}
