//! Another record and back: what belongs to a record goes with it.

use super::*;
use crate::console::opened::OpenRecord;
use crate::incident::{
    CommandRemarked, DrillStarted, Duty, Progress, Remark, ServiceId, StepDone, StepRef, TaskAssigned,
};
use crate::live::Before;

fn opens(desk: &mut Desk, id: IncidentId, entries: Vec<Entry>) {
    desk.id = id;
    for msg in [JournalMsg::Opened(id), JournalMsg::Entries(entries), JournalMsg::CaughtUp] {
        desk.tell(Msg::Journal(msg));
    }
}

fn told(desk: &Desk) -> Vec<Progress> {
    let told = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Progress(progress) => Some(progress.clone()),
        _ => None,
    });
    told.collect()
}

#[test]
fn another_record_and_back_leaves_the_world_of_a_drill_where_it_was_and_its_time_goes_on() {
    let (drill, other) = (IncidentId::drill(1), IncidentId::incident(1));
    let mut desk = Desk::open_record(drill, settings(Layout::Ic), (120, 40));
    let started = DrillStarted {
        exercise: "alipay-timeout-storm".into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: None,
        staging: None,
    };
    desk.write("bob", Event::DrillStarted(started.clone()));
    let step = StepRef { service: "alipay".into(), step: "backup-available".into() };
    desk.write("dana", Event::StepChecked(StepDone { step, title: "Is the backup provider available?".into() }));
    desk.pass(300);
    let before = told(&desk).pop().unwrap();
    assert!(!before.done.is_empty());
    let entries: Vec<Entry> = desk.console.incident().entries().cloned().collect();
    let elsewhere = Desk::open(Layout::Ic, (120, 40)).console.incident().entries().cloned().collect();
    opens(&mut desk, other, elsewhere);
    desk.pass(60);
    desk.effects.clear();
    opens(&mut desk, drill, entries);
    assert!(desk.effects.contains(&Effect::Simulate(started)));
    // The world is built anew, and hears all that it knew; its clock is that of the record, which did not stop.
    assert_eq!(told(&desk).pop(), Some(before));
}

/// Something in every field of an open record; one that is added later must be put in here.
fn fill(record: &mut OpenRecord, wall: DateTime<Utc>) {
    let OpenRecord {
        incident,
        record,
        present,
        outputs,
        then,
        followed,
        deferred,
        draft,
        forms,
        away_since,
        wakes,
        next_wait,
        outbox,
        lookout,
        remotes,
        usual_asked,
        catalogue,
        frozen,
        offered,
        progress_told,
        past,
        past_of,
        rung,
    } = record;
    let (id, service) = (EntryId { rid: 1, rseq: 1 }, ServiceId::from("alipay"));
    assert!(!incident.is_blank());
    record.damage.push("damaged".into());
    present.push(Present {
        actor: "bob".into(),
        layout: "ic".into(),
        console: "c2".into(),
        looks_only: false,
        is_dry: false,
    });
    outputs.of(id).take(&"x".into(), 0, wall);
    let cancel = CommandRemarked { run: id, remark: Remark::CancelAsked };
    *then = turns::Then::after(&Command::RemarkRun(cancel), Vec::new());
    followed.insert(id);
    deferred.push_back((Command::Acknowledge, None));
    draft.changed_at = Some(wall);
    forms.adopt(vec![("Task".to_owned(), Default::default())]);
    *away_since = Some(wall);
    wakes[0] = Some(wall);
    *next_wait = Some(wall);
    outbox.next = Some(wall);
    lookout.is_due = true;
    remotes.proofs.insert(id, remotes::Proof::Asked);
    *usual_asked = Some((Before { until: wall, length: TimeDelta::minutes(5), services: Vec::new() }, wall));
    catalogue.playbooks.clear();
    frozen.push("a digest".into());
    offered.insert("a version".into());
    progress_told.hand.faults.push(("slow".into(), wall));
    *past = Some(History { earlier: Vec::new(), unread: Some("INC-7 cannot be read".into()) });
    past_of.push(service);
    rung.insert(Duty::Acknowledge);
}

/// Each field of an open record as text, by its name.
fn fields(record: &OpenRecord) -> BTreeMap<String, String> {
    let text = format!("{record:#?}");
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("    ")) {
        if let Some((field, _)) = line.split_once(": ").filter(|(field, _)| !field.starts_with([' ', ']', '}'])) {
            name = field.to_owned();
        }
        fields.entry(name.clone()).or_default().push_str(line);
    }
    fields
}

#[test]
fn nothing_that_was_learnt_told_or_asked_of_one_record_is_so_of_the_next() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let wall = desk.wall;
    fill(&mut desk.console.open, wall);
    desk.console.span = TimeDelta::hours(3);
    let blank = fields(&OpenRecord::new(Some(IncidentId::incident(2)), desk.console.settings.catalogue.clone()));
    let same = |(name, text): (&String, &String)| (blank[name] == *text).then(|| name.clone());
    let unfilled: Vec<String> = fields(&desk.console.open).iter().filter_map(same).collect();
    assert_eq!((blank.len(), unfilled), (23, Vec::new()), "every field is put to the test");
    desk.console.opened(IncidentId::incident(2), wall);
    assert_eq!(fields(&desk.console.open), blank);
    assert_eq!(desk.console.span, TimeDelta::hours(3), "how far somebody looks back is theirs");
}

#[test]
fn a_dialog_about_one_record_does_not_answer_into_the_next_that_opens_under_it() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.key(KeyCode::Char('S'));
    assert!(desk.console.overlay.is_some());
    desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(2))));
    assert!(desk.console.overlay.is_none());
    let said = desk.console.notice().unwrap().text.to_string();
    assert!(said.contains("INC-2 is open now: what was asked about INC-1 is closed, undone"), "{said}");
    desk.key(KeyCode::Char('?'));
    desk.tell(Msg::Journal(JournalMsg::Opened(IncidentId::incident(3))));
    assert!(desk.console.overlay.is_some(), "help is about no record");
}

#[test]
fn a_system_that_asked_to_be_left_alone_is_left_alone_from_the_next_record_too() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.tell(Msg::Rests("slack".into(), TimeDelta::minutes(90)));
    let until = desk.wall + TimeDelta::minutes(90);
    let elsewhere = Desk::open(Layout::Ic, (120, 40)).console.incident().entries().cloned().collect();
    opens(&mut desk, IncidentId::incident(2), elsewhere);
    assert_eq!(desk.console.pace.paused(&"slack".into(), desk.wall), Some(until));
}

/// What both records have: enough lines, tasks and theories that each pane has something to select and to scroll.
fn filled(desk: &mut Desk) {
    for number in 0..60 {
        desk.write("bob", note(&format!("line {number}")));
    }
    for number in 0..4 {
        let task =
            TaskAssigned { to: "omid".into(), what: format!("look at {number}").as_str().into(), call_back: at(600) };
        desk.write("bob", Event::TaskAssigned(task));
    }
}

#[test]
fn no_pane_keeps_what_was_selected_or_scrolled_to_in_the_last_record() {
    let size = (120, 40);
    let next = IncidentId::incident(2);
    let mut second = Desk::open_record(next, settings(Layout::Ic), size);
    filled(&mut second);
    let entries: Vec<Entry> = second.console.incident().entries().cloned().collect();
    let moves = [KeyCode::Down, KeyCode::Down, KeyCode::Left, KeyCode::Left, KeyCode::Up, KeyCode::PageUp];
    // What a pane shows of the second record, after these keys in the first one; what was said below it is not its own.
    let shown = |pane: char, keys: &[KeyCode]| {
        let mut desk = Desk::open(Layout::Ic, size);
        filled(&mut desk);
        desk.report();
        desk.keys(&format!("{pane}z"));
        for key in keys {
            desk.key(*key);
            desk.screen();
        }
        desk.id = next;
        for msg in [JournalMsg::Opened(next), JournalMsg::Entries(entries.clone()), JournalMsg::CaughtUp] {
            desk.tell(Msg::Journal(msg));
        }
        desk.wall = at(700);
        desk.tell(Msg::Wake);
        desk.screen().lines().skip(2).take(36).map(str::to_owned).collect::<Vec<_>>()
    };
    for pane in '1'..='9' {
        assert_eq!(shown(pane, &moves), shown(pane, &[]), "pane {pane}");
    }
}
