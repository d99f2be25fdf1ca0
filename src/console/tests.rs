//! What people do at a console, without a terminal: keys in, effects and cells out.

use std::collections::{BTreeMap, BTreeSet};

use crossterm::event::{Event as InputEvent, KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::*;
use crate::exercise::{Exercise, World};
use crate::incident::tests::at;
use crate::incident::{ENTRY_VERSION, EntryId, Hlc, Program, Role, Via};
use crate::incident::{Entry, Series};
use crate::live::{Finding, Report};
use crate::pane::Present;
use crate::slo::Grid;
use crate::text::Exact;
use crate::theme::{BuiltIn, Depth};

const EXERCISE: &str = "alipay-timeout-storm";

/// A console with a journal in memory, whose entries come back at once.
struct Desk {
    console: Console,
    id: IncidentId,
    wall: DateTime<Utc>,
    rseq: u64,
    hlc: Hlc,
    effects: Vec<Effect>,
    is_held: bool,
    /// What goes out waits for its system's turn before it writes.
    is_paced: bool,
    /// Whoever sits here reads a dialog before a key is pressed.
    reads: bool,
    /// No program is found here.
    is_lost: bool,
    buffer: Buffer,
}

fn settings(layout: Layout) -> Settings {
    Settings {
        me: "dana".into(),
        console: "c1".into(),
        layout,
        access: Access::Full,
        is_wall: false,
        is_frozen: false,
        catalogue: Catalogue::shipped(),
        cadence: Cadence::default(),
        matrix: crate::escalation::Matrix::default(),
        host: "bastion".into(),
        aliases: Default::default(),
        around: Default::default(),
        staging: None,
        rotation: None,
        reach: crate::reach::Reach::default(),
        is_shared: false,
        rings: false,
        templates: crate::template::Templates::shipped(),
        theme: Theme::built_in(BuiltIn::Dark, Depth::Sixteen),
        zone: chrono_tz::UTC,
    }
}

impl Desk {
    fn with(settings: Settings, size: (u16, u16)) -> Self {
        let area = Rect::new(0, 0, size.0, size.1);
        Self {
            console: Console::new(settings, area),
            wall: at(60),
            id: IncidentId::incident(1),
            rseq: 0,
            hlc: Hlc::default(),
            effects: Vec::new(),
            is_held: false,
            is_paced: false,
            reads: true,
            is_lost: false,
            buffer: Buffer::empty(area),
        }
    }

    /// A console on a declared incident on `alipay`, detected a minute ago.
    fn open(layout: Layout, size: (u16, u16)) -> Self {
        Self::open_with(settings(layout), size)
    }

    fn open_with(settings: Settings, size: (u16, u16)) -> Self {
        Self::open_record(IncidentId::incident(1), settings, size)
    }

    fn open_record(id: IncidentId, settings: Settings, size: (u16, u16)) -> Self {
        let mut desk = Self { id, ..Self::with(settings, size) };
        desk.tell(Msg::Journal(JournalMsg::Opened(id)));
        desk.write("dana", declared());
        desk.tell(Msg::Journal(JournalMsg::CaughtUp));
        desk
    }

    fn tell(&mut self, msg: Msg) {
        let effects = self.console.handle(msg, self.wall);
        for effect in effects {
            if let Effect::Append { ticket, events, .. } = &effect
                && !self.is_held
            {
                self.save(*ticket, events);
            }
            if let Effect::LookFor(number, programs) = &effect {
                let is_lost = self.is_lost;
                let found = |(name, _): &(Exact, Exact)| {
                    if is_lost {
                        return Err("the program is not on the PATH of this console".into());
                    }
                    let path = Exact::new([b"/usr/bin/", name.as_bytes()].concat());
                    Ok(Program { path, digest: "0123456789abcdef".into() })
                };
                let found = programs.iter().map(found).collect();
                self.tell(Msg::Found(*number, found));
            }
            let prepared = if let Effect::Deliver(parcel) = &effect { Some(parcel.id) } else { None };
            self.effects.push(effect);
            // Where nothing has to be asked first, it stands before its first write at once.
            if let Some(id) = prepared.filter(|_| !self.is_held && !self.is_paced) {
                self.tell(Msg::Ready(id));
            }
        }
    }

    /// Lets the terminal show what there is, and somebody read it.
    fn read(&mut self) {
        self.draw();
        self.console.frame_is_out(self.wall);
        self.wall += TimeDelta::milliseconds(400);
    }

    /// This console writes something.
    fn asks(&mut self, event: Event) {
        let Effect::Append { ticket, events, .. } = self.console.append(vec![event], None, self.wall) else {
            unreachable!()
        };
        self.save(ticket, &events);
    }

    /// What the journal does with an append of this console.
    fn save(&mut self, ticket: u64, events: &[Event]) {
        let stamps = events.iter().map(|event| self.write_as("dana", "c1", event.clone())).collect::<Vec<_>>();
        let stamps = stamps.into_iter().map(|id| self.console.incident().entry(id).unwrap().stamp()).collect();
        self.tell(Msg::Journal(JournalMsg::Saved(ticket, stamps)));
    }

    /// What a process of this account would have noted of what it wrote under a name.
    fn left_by(&self, console: &str) -> BTreeMap<EntryId, CleanStr> {
        let entries = self.console.incident().entries().filter(|entry| *entry.via.console == *console);
        entries.map(|entry| (entry.id, entry.hash())).collect()
    }

    fn write(&mut self, actor: &str, event: Event) {
        self.write_as(actor, "elsewhere", event);
    }

    fn write_as(&mut self, actor: &str, console: &str, event: Event) -> EntryId {
        let entry = self.stamped(actor, console, event);
        let id = entry.id;
        self.tell(Msg::Journal(JournalMsg::Entries(vec![entry])));
        id
    }

    /// An entry as the journal would commit it next.
    fn stamped(&mut self, actor: &str, console: &str, event: Event) -> Entry {
        self.rseq += 1;
        self.hlc = self.hlc.next(self.wall);
        Entry {
            v: ENTRY_VERSION,
            inc: self.id,
            id: EntryId { rid: 1, rseq: self.rseq },
            hlc: self.hlc,
            wall: self.wall,
            actor: actor.into(),
            via: Via { console: console.into(), ..Via::default() },
            event,
            after: None,
            prev: String::new(),
        }
    }

    fn key(&mut self, code: KeyCode) {
        if self.reads && self.console.overlay.as_ref().is_some_and(|shown| shown.overlay.confirms()) {
            self.read();
        }
        self.tell(Msg::Input(InputEvent::Key(KeyEvent::new(code, KeyModifiers::NONE))));
    }

    fn keys(&mut self, text: &str) {
        for letter in text.chars() {
            self.key(KeyCode::Char(letter));
        }
    }

    fn ctrl(&mut self, letter: char) {
        self.tell(Msg::Input(InputEvent::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL))));
    }

    fn pass(&mut self, seconds: i64) {
        self.wall += TimeDelta::seconds(seconds);
        self.tell(Msg::Wake);
    }

    fn said(&self) -> &str {
        self.console.notice().map_or("", |notice| notice.text.as_str())
    }

    fn draw(&mut self) -> Drawn {
        let dirty = self.console.begin_frame(self.wall);
        self.console.draw(self.wall, dirty, &mut self.buffer)
    }

    fn screen(&mut self) -> String {
        self.draw();
        text(&self.buffer)
    }

    /// Lets the shipped exercise's world report, as the simulated source would.
    fn report(&mut self) {
        let exercise = Exercise::parse(EXERCISE, Exercise::shipped(EXERCISE).unwrap()).unwrap();
        let watchlist = self
            .effects
            .iter()
            .rev()
            .find_map(|effect| match effect {
                Effect::Watch(watchlist) => Some(watchlist.clone()),
                _ => None,
            })
            .unwrap();
        let world = World::new(&exercise, 1, self.wall - TimeDelta::minutes(6));
        let grid = Grid::covering(watchlist.span, self.wall, watchlist.points, TimeDelta::seconds(10));
        let report = |finding| Report { source: "prometheus", generation: watchlist.generation, finding };
        self.tell(Msg::Source(report(Finding::Ready { place: "x".into(), every: TimeDelta::seconds(15) })));
        for objective in &watchlist.objectives {
            let measured = world.measured(objective, grid, self.wall);
            for finding in Finding::whole(&objective.id, &measured) {
                self.tell(Msg::Source(report(finding)));
            }
        }
        self.tell(Msg::Source(report(Finding::Spans(world.spans(&watchlist, self.wall)))));
        self.tell(Msg::Source(report(Finding::Polled)));
    }
}

fn declared() -> Event {
    Event::Declared(Declared {
        title: "payments hang".into(),
        severity: crate::incident::Severity::Sev1,
        service: Some("alipay".into()),
        detected_at: Some(at(0)),
        detection: None,
        zone: "UTC".into(),
        link: None,
    })
}

fn text(buffer: &Buffer) -> String {
    let area = buffer.area;
    let mut out = String::new();
    for y in area.top()..area.bottom() {
        let mut row = String::new();
        let mut skip = 0;
        for x in area.left()..area.right() {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = crate::text::columns(symbol).saturating_sub(1);
            row.push_str(symbol);
        }
        out.push_str(row.trim_end());
        out.push('\n');
    }
    out
}

#[test]
fn taking_command_and_acknowledging_in_one_breath_both_count() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.is_held = true;
    desk.key(KeyCode::Char('R'));
    desk.key(KeyCode::Enter);
    desk.key(KeyCode::Char('a'));
    assert_eq!(desk.said(), "", "not refused for what has not come back yet");
    let appends: Vec<_> =
        desk.effects.iter().filter(|effect| matches!(effect, Effect::Append { .. })).cloned().collect();
    assert_eq!(appends.len(), 1, "the second waits for the first");
    desk.is_held = false;
    let Effect::Append { ticket, events, .. } = &appends[0] else { unreachable!() };
    desk.save(*ticket, events);
    assert!(desk.console.incident().holds("dana", Role::IncidentCommander));
    assert!(desk.console.incident().acknowledged.is_some());
}

#[test]
fn a_command_is_the_key_that_is_pressed_and_a_text_the_letter_that_is_on_it() {
    // R, a and n, then a text, on a Cyrillic and on a Persian layout.
    for (take, acknowledge, write, text) in [("К", "ф", "т", "фыва"), ("\u{64b}", "ش", "د", "شنبه")] {
        let mut desk = Desk::open(Layout::Ic, (120, 40));
        desk.keys(take);
        desk.key(KeyCode::Enter);
        desk.keys(acknowledge);
        assert!(desk.console.incident().acknowledged.is_some(), "{acknowledge}");
        desk.keys(write);
        desk.keys(text);
        desk.key(KeyCode::Enter);
        assert_eq!(desk.console.incident().timeline().lines().last().unwrap().text.as_str(), text);
    }
}

#[test]
fn what_is_overdue_beside_a_later_update_is_called_so_and_has_no_negative_time() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = Desk::open(Layout::Ic, size);
        desk.keys("R");
        desk.key(KeyCode::Enter);
        desk.keys("a5");
        desk.pass(8 * 60);
        let screen = desk.screen();
        assert!(screen.contains("OVERDUE") && !screen.contains("sooner"), "{screen}");
    }
}

#[test]
fn a_note_typed_in_the_scribe_pane_lands_on_the_timeline_with_the_time_at_which_typing_began() {
    let mut desk = Desk::open(Layout::Scribe, (120, 40));
    desk.keys("pool ");
    desk.pass(30);
    desk.keys("exhausted");
    desk.key(KeyCode::Enter);
    let line = desk.console.incident().timeline().lines().last().unwrap();
    assert_eq!((line.text.as_str(), line.at, line.entered), ("pool exhausted", at(60), at(90)));
}

#[test]
fn what_others_write_moves_nothing_that_somebody_types_or_selects() {
    let mut desk = Desk::open(Layout::Scribe, (100, 30));
    for number in 0..40 {
        desk.write("omid", note(&format!("line {number}")));
    }
    desk.keys("half a li");
    let before = desk.draw().cursor;
    desk.write("omid", note("another one"));
    let after = desk.draw().cursor;
    assert_eq!(before, after);
    assert!(matches!(after, Cursor::At(Position { .. })));
    assert!(desk.screen().contains("half a li"));
    desk.key(KeyCode::Esc);
    for _ in 0..20 {
        desk.key(KeyCode::Up);
    }
    let rows = |screen: String| {
        screen.lines().filter(|row| row.contains(" note     line")).map(str::to_owned).collect::<Vec<_>>()
    };
    let selected = rows(desk.screen());
    desk.write("omid", note("and another"));
    let now = rows(desk.screen());
    assert_eq!(selected, now, "the log stands still while somebody reads in it");
}

#[test]
fn the_first_line_of_a_long_timeline_stands_above_a_full_pane() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    for number in 10..80 {
        desk.write("dana", note(&format!("line {number}")));
    }
    desk.keys("4zg");
    let screen = desk.screen();
    let empty = screen.lines().filter(|line| line.trim_matches(['│', ' ']).is_empty()).count();
    assert!(screen.contains("line 10") && empty <= 3, "{screen}");
}

fn note(text: &str) -> Event {
    Event::NoteAdded(crate::incident::NoteAdded { kind: crate::incident::NoteKind::Note, text: text.into(), at: None })
}

#[test]
fn a_text_that_could_not_be_saved_comes_back_to_the_line() {
    let mut desk = Desk::open(Layout::Scribe, (120, 40));
    desk.is_held = true;
    desk.keys("precious");
    desk.key(KeyCode::Enter);
    desk.keys("next");
    desk.tell(Msg::Journal(JournalMsg::NotSaved(1, "the disk is full".into())));
    let screen = desk.screen();
    assert!(screen.contains("precious") && screen.contains("next"), "{screen}");
    assert_eq!(desk.said(), "NOT SAVED: the disk is full");
    desk.tell(Msg::Journal(JournalMsg::Unwritable("the disk is full".into())));
    assert!(desk.screen().lines().next().unwrap().contains("NOT SAVED: the disk is full"));
}

#[test]
fn half_typed_text_is_saved_within_half_a_second_or_twenty_characters() {
    let saves = |desk: &Desk| desk.effects.iter().filter(|effect| matches!(effect, Effect::SaveDraft(_))).count();
    let mut desk = Desk::open(Layout::Scribe, (120, 40));
    desk.keys("abc");
    assert_eq!(saves(&desk), 0);
    assert_eq!(desk.console.next_wake().map(|wake| wake <= at(60) + DRAFT_AFTER), Some(true));
    desk.wall += DRAFT_AFTER;
    desk.tell(Msg::Wake);
    assert_eq!(desk.effects.last(), Some(&Effect::SaveDraft("abc".to_owned())));
    desk.keys("defghijklmnopqrstuvwxyz");
    assert_eq!(saves(&desk), 2);
}

#[test]
fn a_paste_never_records_and_the_key_that_came_with_it_acts_on_nothing() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys("n");
    desk.tell(Msg::Input(InputEvent::Paste("two\nlines\n".to_owned())));
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Append { .. })));
    desk.wall += PASTE_GUARD;
    desk.key(KeyCode::Esc);
    desk.tell(Msg::Input(InputEvent::Paste("x".to_owned())));
    desk.keys("q");
    assert!(!desk.effects.contains(&Effect::Quit), "q came within 250 ms of a paste");
    desk.wall += PASTE_GUARD;
    desk.keys("q");
    assert!(desk.effects.contains(&Effect::Quit));
}

#[test]
fn lowering_the_severity_asks_for_a_reason_and_takes_it() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys("S3");
    assert_eq!(desk.console.incident().severity, Some(crate::incident::Severity::Sev1));
    assert!(desk.screen().contains("wants a reason"));
    desk.keys("one partner only");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.console.incident().severity, Some(crate::incident::Severity::Sev2));
}

#[test]
fn every_action_is_in_the_palette_and_no_key_means_two_things() {
    let all = actions::all();
    let names: BTreeSet<String> = all.iter().map(actions::Listed::full_name).collect();
    assert_eq!(names.len(), all.len(), "two actions have one name");
    let globals: BTreeSet<_> =
        all.iter().filter(|listed| listed.scope == actions::Scope::Everywhere).flat_map(|listed| listed.keys).collect();
    for listed in &all {
        for key in listed.keys {
            assert!(keys::parse(key).is_some(), "{key} is no key");
            assert!(!key.starts_with("Alt"), "no key may need Alt");
            let is_global = listed.scope == actions::Scope::Everywhere;
            assert!(is_global || !globals.contains(key), "{key} of {} is taken everywhere", listed.full_name());
        }
    }
    for spec in PANES {
        let of_pane: Vec<_> = all
            .iter()
            .filter(|listed| listed.scope == actions::Scope::Pane(spec.id))
            .flat_map(|listed| listed.keys)
            .collect();
        assert_eq!(of_pane.iter().collect::<BTreeSet<_>>().len(), of_pane.len(), "{} has a key twice", spec.name);
    }
}

#[test]
fn a_whole_name_in_the_palette_is_that_action_whatever_else_speaks_of_it() {
    for listed in actions::all() {
        let mut desk = Desk::open(Layout::Ic, (120, 40));
        desk.keys(":");
        desk.keys(&listed.full_name());
        let screen = desk.screen();
        let first = screen.lines().find(|line| line.contains("│▸ ")).unwrap_or_default();
        let name = first.split("│▸ ").nth(1).and_then(|rest| rest.split_whitespace().next());
        assert_eq!(name, Some(listed.full_name().as_str()), "{screen}");
    }
}

#[test]
fn the_palette_finds_an_action_by_a_part_of_its_name_and_runs_it() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys(":zoom");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.console.arrangement().panes.len(), 1);
    desk.keys(":takecom");
    desk.key(KeyCode::Enter);
    assert!(desk.console.incident().holds("dana", Role::IncidentCommander));
}

#[test]
fn a_read_only_console_and_a_wall_write_nothing_whatever_is_pressed() {
    for (access, is_wall) in [(Access::ReadOnly, false), (Access::Full, true)] {
        let settings = Settings { access, is_wall, ..settings(Layout::Ic) };
        let mut desk = Desk::open_with(settings, (120, 40));
        desk.report();
        for listed in actions::all() {
            desk.console.perform_listed(listed, desk.wall, &mut desk.effects);
            for code in [KeyCode::Enter, KeyCode::Char('x'), KeyCode::Char('1'), KeyCode::Enter, KeyCode::Esc] {
                desk.key(code);
            }
        }
        let wrote = |effect: &Effect| matches!(effect, Effect::Append { .. } | Effect::Create(..));
        assert!(!desk.effects.iter().any(wrote));
    }
}

#[test]
fn an_old_number_is_never_shown_as_the_present_one() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.report();
    let fresh = desk.screen();
    assert!(fresh.contains("BREACHED") && !fresh.contains("STALE"), "{fresh}");
    desk.tell(Msg::Source(failed("prometheus refused the connection: is it running?")));
    desk.pass(31);
    assert!(desk.screen().contains("STALE, of"), "{}", desk.screen());
    assert!(desk.screen().lines().nth(1).unwrap().contains("failing since"));
    desk.pass(60);
    let gone = desk.screen();
    assert!(gone.contains("NO DATA since") && !gone.contains("BREACHED"), "{gone}");
    desk.report();
    assert!(desk.screen().contains("BREACHED"));
}

fn failed(reason: &str) -> Report {
    let finding = Finding::Failed { reason: reason.into(), retry_in: TimeDelta::seconds(1) };
    Report { source: "prometheus", generation: 1, finding }
}

#[test]
fn with_nothing_promised_and_nothing_new_the_console_sleeps_for_the_rest_of_the_minute() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    // Nobody has to be told of it within minutes.
    let lowered = crate::incident::SeveritySet { to: crate::incident::Severity::Sev3, reason: Some("a slip".into()) };
    desk.write("dana", Event::SeverityLowered(lowered));
    desk.write("dana", Event::PhaseEntered(crate::incident::PhaseEntered::plain(crate::incident::Phase::Resolved)));
    desk.draw();
    // What follows the end is counted in minutes, and the first of them is over at once.
    desk.wall += TimeDelta::milliseconds(5);
    desk.console.handle(Msg::Wake, desk.wall).forgo();
    desk.draw();
    let sleep = desk.console.next_wake().unwrap() - desk.wall;
    assert!(sleep > TimeDelta::seconds(15), "{sleep}");
    desk.write("omid", note("x"));
    desk.draw();
    assert!(!desk.console.is_dirty());
}

#[test]
fn a_running_countdown_changes_its_own_pane_and_nothing_else() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.draw();
    let next = desk.console.arrangement().area(PaneId::Next).unwrap();
    desk.pass(1);
    assert_eq!(desk.draw().changed, [next]);
}

#[test]
fn a_frame_that_is_drawn_in_parts_is_the_frame_that_is_drawn_at_once() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    for step in 0..40 {
        match step % 5 {
            0 => desk.report(),
            1 => desk.pass(17),
            2 => desk.write("omid", note("something")),
            3 => desk.key(KeyCode::Tab),
            _ => desk.key(KeyCode::Down),
        }
        desk.draw();
        let mut whole = Buffer::empty(desk.buffer.area);
        desk.console.draw(desk.wall, Dirty::ALL, &mut whole);
        assert_eq!(text(&desk.buffer), text(&whole), "after step {step}");
    }
}

#[test]
fn a_jump_of_the_wall_clock_is_said_and_recorded() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.tell(Msg::ClockJumped(TimeDelta::seconds(-3600)));
    assert!(desk.said().contains("-3600 s"));
    let last = desk.console.incident().timeline().lines().last().unwrap();
    assert_eq!(last.text.as_str(), "the wall clock moved by -3600.0 s");
}

#[test]
fn the_start_screen_offers_a_declaration_the_drill_and_a_starter_config() {
    let mut desk = Desk::with(settings(Layout::Ic), (80, 24));
    desk.console.show_start();
    let screen = desk.screen();
    for words in ["declare an incident", "run the drill", "starter config"] {
        assert!(screen.contains(words), "{screen}");
    }
    desk.keys("g");
    desk.keys("w");
    assert!(desk.effects.contains(&Effect::StartDrill) && desk.effects.contains(&Effect::WriteStarterConfig));
    desk.keys("D");
    desk.key(KeyCode::Enter);
    desk.keys("0");
    desk.key(KeyCode::Enter);
    desk.keys("all down");
    desk.key(KeyCode::Enter);
    assert!(
        matches!(desk.effects.last(), Some(Effect::Create(Series::Incident, events, Doubt::Asked)) if events.len() == 1)
    );
}

#[test]
fn a_second_declaration_on_a_service_asks_whether_it_is_the_incident_that_is_open() {
    let asked = || {
        let mut desk = Desk::with(settings(Layout::Ic), (120, 40));
        desk.console.show_start();
        let known = vec![(IncidentId::incident(4), "payments are slow".into())];
        desk.tell(Msg::IsOpen(known, vec![note("a declaration")]));
        let screen = desk.screen();
        for words in ["is it INC-4?", "open INC-4 (payments are slow)", "nothing is declared yet"] {
            assert!(screen.contains(words), "{words}: {screen}");
        }
        desk
    };
    let mut desk = asked();
    desk.keys("1");
    assert_eq!(desk.effects.last(), Some(&Effect::Open(IncidentId::incident(4))));
    let mut desk = asked();
    desk.keys("2");
    let again = Effect::Create(Series::Incident, vec![note("a declaration")], Doubt::Anyway);
    assert_eq!(desk.effects.last(), Some(&again));
    let mut desk = asked();
    desk.key(KeyCode::Esc);
    assert!(!desk.effects.iter().any(|effect| matches!(effect, Effect::Create(..))), "left: nothing is declared");
}

#[test]
fn what_the_start_screen_refuses_is_said_in_its_box() {
    let mut desk = Desk::with(Settings { access: Access::ReadOnly, ..settings(Layout::Ic) }, (120, 40));
    desk.console.show_start();
    desk.draw();
    desk.keys("g");
    let screen = desk.screen();
    let row = screen.lines().position(|row| row.contains("this console only looks")).unwrap();
    assert!(row > 15 && row < 30 && screen.lines().nth(row).unwrap().contains('│'), "{screen}");
    desk.pass(11);
    assert!(!desk.screen().contains("this console only looks"));
}

#[test]
fn a_start_screen_with_more_records_than_rows_keeps_the_ways_on_and_the_selected_record_in_sight() {
    let mut desk = Desk::with(settings(Layout::Ic), (80, 24));
    desk.console.show_start();
    desk.tell(Msg::Listed(Known::Whole((0..40).map(summary).collect())));
    for (downs, seen) in [(0, "record 39"), (25, "record 14"), (30, "record 00")] {
        (0..downs).for_each(|_| desk.key(KeyCode::Down));
        let screen = desk.screen();
        assert!(screen.contains(seen) && screen.contains("run the drill"), "{screen}");
    }
}

fn summary(number: u32) -> Summary {
    Summary {
        id: IncidentId::incident(number),
        severity: None,
        phase: crate::incident::Phase::Detected,
        title: format!("record {number:02}").as_str().into(),
        service: None,
        commander: None,
        declared_at: None,
        next: None,
        covers: None,
        unsent: Vec::new(),
        standing: Vec::new(),
    }
}

#[test]
fn roles_stand_in_the_header_however_much_there_is_to_say_of_the_sources() {
    let mut desk = Desk::open(Layout::Ic, (100, 30));
    for source in ["prometheus", "jaeger"] {
        desk.tell(Msg::Source(Report { source, ..failed("refused") }));
    }
    let header = desk.screen().lines().nth(1).unwrap().to_owned();
    for words in ["Scribe nobody", "◐ jaeger", "◐ prometheus"] {
        assert!(header.contains(words), "{header}");
    }
    assert!(!header.contains("since"), "{header}");
}

#[test]
fn a_number_key_shows_its_pane_in_every_layout_and_size() {
    for (layout, size) in Layout::ALL.into_iter().flat_map(|layout| [(layout, (80, 24)), (layout, (120, 40))]) {
        let mut desk = Desk::open(layout, size);
        desk.key(KeyCode::Esc);
        for (place, spec) in PANES.iter().enumerate() {
            desk.keys(&(place + 1).to_string());
            assert!(desk.console.arrangement().area(spec.id).is_some(), "{layout:?} {size:?} {}", spec.name);
        }
    }
}

#[test]
fn a_form_that_was_opened_before_the_playbooks_were_read_offers_their_services() {
    let mut desk = Desk::with(Settings { catalogue: Catalogue::default(), ..settings(Layout::Ic) }, (120, 40));
    desk.console.show_start();
    desk.keys("D");
    assert!(!desk.screen().contains("alipay"));
    desk.tell(Msg::Catalogue(Box::new(Catalogue::shipped())));
    assert!(desk.screen().contains("1 alipay"));
}

#[test]
fn any_keys_at_any_size_are_taken_without_a_panic() {
    use proptest::prelude::*;
    let codes = || {
        prop::sample::select(vec![
            KeyCode::Enter,
            KeyCode::Esc,
            KeyCode::Tab,
            KeyCode::BackTab,
            KeyCode::Up,
            KeyCode::Down,
            KeyCode::Left,
            KeyCode::Right,
            KeyCode::PageUp,
            KeyCode::PageDown,
            KeyCode::Home,
            KeyCode::End,
            KeyCode::Backspace,
            KeyCode::F(1),
            KeyCode::Delete,
        ])
    };
    let letters =
        prop::sample::select("abcdefghijklmnopqrstuvwxyzADGILOPRSTzZ:/?<>[]0123456789 ".chars().collect::<Vec<_>>());
    let key = prop_oneof![codes(), letters.prop_map(KeyCode::Char)];
    let sizes = prop::sample::select(vec![(1, 1), (19, 4), (20, 5), (40, 12), (80, 24), (120, 40)]);
    proptest!(ProptestConfig::with_cases(48), |(keys in prop::collection::vec(key, 1..60), size in sizes)| {
        let mut desk = Desk::open(Layout::Ic, (100, 30));
        desk.report();
        desk.tell(Msg::Input(InputEvent::Resize(size.0, size.1)));
        desk.buffer.resize(Rect::new(0, 0, size.0, size.1));
        for (place, code) in keys.into_iter().enumerate() {
            desk.key(code);
            if place % 7 == 0 {
                desk.pass(1);
            }
            desk.draw();
        }
        desk.ctrl('l');
        desk.draw();
    });
}

mod acts;
mod alerts;
mod confirm;
mod decisions;
mod drills;
mod ends;
mod faults;
mod forms;
mod gather;
mod inbound;
mod keyboard;
mod leaving;
mod lookout;
mod message;
mod mouse;
mod needs;
mod offered;
mod opened;
mod outbox;
mod own_clock;
mod pasting;
mod records;
mod runs;
mod series;
mod shown;
mod snapshots;
mod start;
mod traces;
mod unknown;
mod updates;
mod values;
mod versions;
mod waits;
