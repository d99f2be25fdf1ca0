//! The list of what goes out: its columns, what it tries again, what it opens again, and what it says when the console is left.

use super::*;
use crate::channel::spec::tracker;
use crate::incident::{
    Act, Delivery, DeliveryMoved, DeliveryQueued, DeliveryState, EntryId, FollowUpSet, ForeignNoted, Opened, Severity,
};
use crate::pane::Present;
use crate::reach::{JIRA, PAGERDUTY, Place, Reach};

fn reach() -> Reach {
    Reach { trackers: vec![tracker(JIRA, Place::One("OPS".into())).unwrap()], ..Reach::default() }
}

fn desk(size: (u16, u16)) -> Desk {
    Desk::open_with(Settings { reach: reach(), ..settings(Layout::Ic) }, size)
}

fn present(desk: &mut Desk, here: &[(&str, &str)]) {
    let one = |(actor, console): &(&str, &str)| Present {
        actor: (*actor).into(),
        layout: "ic".into(),
        console: (*console).into(),
        looks_only: false,
        is_dry: false,
    };
    desk.tell(Msg::Journal(JournalMsg::Present(here.iter().map(one).collect())));
}

/// Somebody else's console queued this and moved it there.
fn queued(desk: &mut Desk, act: Act, states: Vec<DeliveryState>) -> EntryId {
    let body = DeliveryQueued {
        service: JIRA.into(),
        target: "OPS".into(),
        act,
        text: "x".into(),
        ..DeliveryQueued::default()
    };
    let id = desk.write_as("bob", "c2", Event::DeliveryQueued(body));
    for (step, to) in (0..).zip(states) {
        let body = DeliveryMoved { delivery: id, step, to, is_routine: false };
        desk.write_as("bob", "c2", Event::DeliveryMoved(body));
    }
    id
}

fn failed() -> Vec<DeliveryState> {
    vec![DeliveryState::Sending, DeliveryState::Failed { why: "jira answered 403".into() }]
}

fn sent(remote: &str) -> Vec<DeliveryState> {
    vec![DeliveryState::Sending, DeliveryState::Sent(remote.into())]
}

fn opened() -> Act {
    let (title, severity) = ("payments hang".into(), Severity::Sev1);
    Act::Open(Opened { title, severity, alerts: BTreeSet::new(), linked: Vec::new() })
}

fn find(desk: &Desk, id: EntryId) -> &Delivery {
    desk.console.incident().deliveries.iter().find(|known| known.id == id).unwrap()
}

fn follow_up(desk: &mut Desk, what: &str) -> EntryId {
    let body = FollowUpSet { what: Some(what.into()), ..FollowUpSet::default() };
    desk.write_as("dana", "elsewhere", Event::FollowUpSet(body))
}

#[test]
fn a_row_says_which_follow_up_it_means_and_its_columns_hold_at_every_width_beyond_nine_rows() {
    for width in (60..=200).step_by(20) {
        let mut desk = desk((width, 40));
        for number in 0..12 {
            let item = follow_up(&mut desk, &format!("rotate key {number}"));
            queued(&mut desk, Act::Ticket(item), failed());
        }
        let pick = overlay::outbox(&desk.console.cx(desk.wall));
        desk.console.show(pick);
        let screen = desk.screen();
        let rows: Vec<&str> = screen.lines().filter(|line| line.contains("FAILED")).collect();
        assert!(rows.len() >= 12, "{width}\n{screen}");
        let at = |row: &str, word: &str| row.find(word).map(|place| crate::text::columns(&row[..place]));
        // Another pane speaks of it, too.
        let rows = rows.iter().filter(|row| row.contains("FAILED           "));
        let columns: BTreeSet<_> = rows.map(|row| (at(row, "FAILED"), at(row, "jira:"))).collect();
        assert_eq!(columns.len(), 1, "{width} {columns:?}\n{screen}");
        assert!(screen.contains("ticket of `rotate key 7`"), "{screen}");
    }
}

#[test]
fn all_that_failed_or_waits_is_tried_again_at_once_with_one_key() {
    let mut desk = desk((120, 40));
    let later = DeliveryState::Queued {
        not_before: desk.wall + TimeDelta::minutes(30),
        why: Some("jira answered 503".into()),
        choice: None,
    };
    queued(&mut desk, opened(), sent("OPS-1"));
    let waits = queued(&mut desk, Act::Reopen, vec![DeliveryState::Sending, later]);
    let failed = queued(&mut desk, Act::Acknowledge, failed());
    let asked = queued(
        &mut desk,
        Act::Post,
        vec![DeliveryState::Sending, DeliveryState::Unconfirmed { why: "time-out".into() }],
    );
    let pick = overlay::outbox(&desk.console.cx(desk.wall));
    desk.console.show(pick);
    assert!(desk.screen().contains("try all 2 again now"), "{}", desk.screen());
    desk.key(KeyCode::Enter);
    let now = desk.wall;
    for id in [waits, failed] {
        let one = find(&desk, id);
        assert_eq!((one.approved_at, one.state.why()), (now, None), "{one:?}");
    }
    assert_eq!(find(&desk, asked).state.word(), "UNCONFIRMED", "whether that is there is asked first");
}

#[test]
fn what_was_deleted_outside_is_opened_again_and_told_anew() {
    let mut desk = desk((120, 40));
    present(&mut desk, &[("dana", "c1")]);
    let item = follow_up(&mut desk, "rotate the key");
    let first = queued(&mut desk, opened(), sent("OPS-1"));
    let ticket = queued(&mut desk, Act::Ticket(item), sent("OPS-2"));
    desk.tell(Msg::Wake);
    let gone = |desk: &Desk, id| {
        let cx = desk.console.cx(desk.wall);
        let ways = overlay::ways(find(desk, id), &cx);
        ways.into_iter().find(|(words, _)| words.contains("deleted there")).unwrap().1
    };
    let to = gone(&desk, first);
    let (wall, mut effects) = (desk.wall, Vec::new());
    let step = find(&desk, first).moves;
    let moved = DeliveryMoved { delivery: first, step, to, is_routine: false };
    desk.console.command(Command::MoveDelivery(moved), None, wall, &mut effects);
    for effect in effects {
        if let Effect::Append { ticket, events, .. } = &effect {
            desk.save(*ticket, events);
        }
    }
    desk.tell(Msg::Wake);
    let openings: Vec<_> = desk
        .console
        .incident()
        .deliveries
        .iter()
        .filter(|known| matches!(known.body.act, Act::Open(_)))
        .map(|known| known.state.word())
        .collect();
    assert_eq!(openings, ["gone there", "SENDING"]);
    let opening = desk.console.incident().deliveries.iter().rfind(|known| matches!(known.body.act, Act::Open(_)));
    let again = opening.unwrap().id;
    let mut told = desk.effects.iter().filter_map(|effect| match effect {
        Effect::Deliver(parcel) if parcel.id == again => Some(parcel.op.clone()),
        _ => None,
    });
    assert_ne!(told.next().unwrap(), format!("INC-1/{first}").as_str(), "it is another object");
    desk.tell(Msg::Delivered(again, crate::incident::Receipt::There("OPS-9".into())));
    desk.pass(2);
    assert_eq!(find(&desk, ticket).state.word(), "SENT", "the follow-up's ticket is another object");
}

#[test]
fn what_failed_because_somebody_deleted_what_it_is_about_has_that_made_again_with_one_key() {
    let mut desk = desk((120, 40));
    present(&mut desk, &[("dana", "c1")]);
    let first = queued(&mut desk, opened(), sent("OPS-1"));
    let noted = queued(&mut desk, Act::Note(BTreeSet::new()), failed());
    let (offered, wall) = (overlay::further(find(&desk, noted), &desk.console.cx(desk.wall)), desk.wall);
    let [(words, commands)] = &offered[..] else { panic!("{offered:?}") };
    assert_eq!(words, "the incident was deleted there: make it again, and send this");
    for command in commands.clone() {
        let mut effects = Vec::new();
        desk.console.command(command, None, wall, &mut effects);
        for effect in effects {
            if let Effect::Append { ticket, events, .. } = &effect {
                desk.save(*ticket, events);
            }
        }
    }
    desk.tell(Msg::Wake);
    assert_eq!(find(&desk, first).state.word(), "gone there");
    let opening = desk.console.incident().deliveries.iter().rfind(|known| matches!(known.body.act, Act::Open(_)));
    assert_eq!(opening.unwrap().state.word(), "SENDING", "it is made again");
    assert_eq!(find(&desk, noted).state.word(), "WAITS", "and this goes out when it is there");
    // What did not fail, and what nothing was made for, offers nothing.
    assert_eq!(overlay::further(find(&desk, first), &desk.console.cx(desk.wall)), []);
}

#[test]
fn what_somebody_ended_where_people_are_called_is_first_on_the_list_and_taken_up_with_one_key() {
    let noted = |key: &str, text: &str, at| {
        let (service, who) = ("pagerduty".into(), "Eve".into());
        let (key, text) = (key.into(), crate::text::CleanText::new(text));
        Event::ForeignNoted(ForeignNoted { service, key, who, at, text, link: None, answers: None })
    };
    for (key, row, way, expected) in [
        ("over/Q4711/t1", "OVER THERE since", "it was ended there: open it again", Act::Reopen),
        (
            "over/Q4711/t1/Q4712/4712",
            "MERGED INTO #4712 there",
            "it was merged into #4712: go on with that one",
            Act::Adopt("4712".into()),
        ),
    ] {
        let place = Place::Of([("alipay".into(), "PALIPAY".into())].into());
        let trackers = vec![tracker(PAGERDUTY, place).unwrap()];
        let reach = Reach { trackers, ..Reach::default() };
        let mut desk = Desk::open_with(Settings { reach, ..settings(Layout::Ic) }, (160, 40));
        present(&mut desk, &[("dana", "c1")]);
        let wall = desk.wall;
        let body = DeliveryQueued {
            service: PAGERDUTY.into(),
            target: "PALIPAY".into(),
            act: opened(),
            ..DeliveryQueued::default()
        };
        let id = desk.write_as("bob", "c2", Event::DeliveryQueued(body));
        for (step, to) in (0..).zip(sent("Q4711")) {
            let body = DeliveryMoved { delivery: id, step, to, is_routine: false };
            desk.write_as("bob", "c2", Event::DeliveryMoved(body));
        }
        assert!(desk.console.cx(desk.wall).lamps().iter().all(|lamp| !lamp.contains("pagerduty")));
        desk.write_as("bob", "c2", noted(key, "somebody ended it", wall));
        let cx = desk.console.cx(desk.wall);
        assert!(cx.lamps().iter().any(|lamp| lamp.contains("in pagerduty")), "{:?}", cx.lamps());
        let (list, offered) = (overlay::outbox(&cx), overlay::further(find(&desk, id), &cx));
        assert_eq!(offered.iter().map(|(words, _)| words.as_str()).collect::<Vec<_>>(), [way]);
        let [Command::SendOut(body)] = &offered[0].1[..] else { panic!("{offered:?}") };
        assert_eq!((&body.act, body.target.as_str()), (&expected, "PALIPAY"));
        desk.console.show(list);
        assert!(desk.screen().contains(row), "{}", desk.screen());
        // It was opened there again: nothing is left to do.
        desk.write_as("bob", "c2", noted("back/Q4711/t1", "it is open again", wall));
        assert_eq!(overlay::further(find(&desk, id), &desk.console.cx(desk.wall)), []);
    }
}

#[test]
fn whoever_leaves_reads_what_still_waits_and_who_sends_it() {
    let mut desk = desk((120, 40));
    assert_eq!(desk.console.left_behind(desk.wall), Vec::<String>::new());
    let item = follow_up(&mut desk, "rotate the key");
    queued(&mut desk, Act::Ticket(item), failed());
    let mut last = |here: &[(&str, &str)]| {
        present(&mut desk, here);
        let mut lines = desk.console.left_behind(desk.wall);
        assert_eq!(lines[1], "  FAILED      jira: ticket of `rotate the key`");
        lines.pop().unwrap()
    };
    assert_eq!(last(&[("dana", "c1")]), "nobody sends it until `warroom open INC-1`");
    assert_eq!(last(&[("dana", "c1"), ("dana", "c7")]), "your console c7 goes on with it");
    assert_eq!(
        last(&[("dana", "c1"), ("bob", "c8")]),
        "nobody sends it until `warroom open INC-1`, or bob takes it over (`outbox`)"
    );
}
