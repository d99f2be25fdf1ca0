//! Whatever somebody is called in a command, the record names one person.

use super::*;
use crate::oncall::{Person, Roster};

fn team() -> Vec<Person> {
    let person = |name: &str, login: &str| Person { name: name.into(), login: Some(login.into()), ..Person::default() };
    vec![
        person("Dana Rahimi", "dana"),
        person("Omid Karimi", "omid"),
        person("Leila Sadeghi", "leila"),
        person("Leila Tehrani", "ltehrani"),
    ]
}

fn ask(room: &mut Room, actor: &str, seconds: i64, command: Command) -> Result<(), Refusal> {
    let asking = Asking { roster: Roster::new(&team(), []), ..asking(actor, seconds) };
    for event in decide(&room.incident, command, &asking)? {
        room.incident.apply([entry(5, room.incident.len() as u64, seconds, actor, event)]);
    }
    Ok(())
}

fn task(to: &str) -> Command {
    Command::AssignTask(TaskAssigned { to: to.into(), what: "check p99".into(), call_back: at(900) })
}

#[test]
fn work_for_omid_is_answered_by_omid_karimi_whatever_he_was_called() {
    for said in ["omid", "@omid", "@\"Omid Karimi\"", "omid karimi"] {
        let mut room = Room::declared();
        ask(&mut room, "Dana Rahimi", 100, task(said)).unwrap();
        assert_eq!(room.incident.tasks[0].to, "Omid Karimi", "{said}");
        let id = room.incident.tasks[0].id;
        ask(&mut room, "Omid Karimi", 120, Command::ReadBack(id)).unwrap();
        let done = TaskAnswered { task: id, answer: Answer::Done, text: "p99 is fine".into() };
        ask(&mut room, "Omid Karimi", 200, Command::AnswerTask(done)).unwrap();
        assert_eq!((room.incident.open_tasks().count(), room.incident.senseless), (0, 0), "{said}");
    }
}

#[test]
fn a_record_that_knows_somebody_by_login_is_theirs() {
    let mut room = Room::declared();
    // Written by consoles whose configuration names nobody.
    room.ask("dana", 100, Command::TakeRole(seat(Role::IncidentCommander))).unwrap();
    let offered = |to: &str| {
        let (role, brief) = (Role::IncidentCommander, "all is said".into());
        Command::OfferRole(HandoverOffered { role, component: None, to: to.into(), brief })
    };
    room.ask("dana", 110, offered("omid")).unwrap();
    ask(&mut room, "Dana Rahimi", 120, Command::Acknowledge).unwrap();
    let offer = room.incident.offers[0].id;
    assert!(ask(&mut room, "Leila Sadeghi", 125, Command::AcceptRole(offer)).is_err());
    ask(&mut room, "Omid Karimi", 130, Command::AcceptRole(offer)).unwrap();
    assert_eq!(room.incident.holder(Role::IncidentCommander), Some(&"Omid Karimi".into()));
    assert_eq!(room.incident.senseless, 0);
}

#[test]
fn two_people_of_one_name_and_nobody_known_are_asked_about_everywhere() {
    let mut room = Room::declared();
    ask(&mut room, "Dana Rahimi", 100, Command::TakeRole(seat(Role::IncidentCommander))).unwrap();
    ask(&mut room, "Dana Rahimi", 110, Command::Acknowledge).unwrap();
    ask(&mut room, "Dana Rahimi", 120, resolve("seen in the log")).unwrap();
    let follow_up = |owner: &str| {
        let (what, owner) = (Some("alert on the pool".into()), Some(owner.into()));
        Command::SetFollowUp(FollowUpSet { item: None, what, owner, due: None, state: None, reason: None })
    };
    let commands: [fn(&str) -> Command; 5] = [
        task,
        |to| Command::AssignRole(seat(Role::CommunicationsLead), to.into()),
        |to| {
            let (role, brief) = (Role::IncidentCommander, "all is said".into());
            Command::OfferRole(HandoverOffered { role, component: None, to: to.into(), brief })
        },
        |to| {
            let owner = Some(to.into());
            Command::OpenHypothesis(HypothesisOpened { text: "the deploy".into(), owner, rollback: None })
        },
        |owner| Command::SchedulePostmortem(PostmortemScheduled { at: at(90_000), owner: owner.into(), reason: None }),
    ];
    for command in commands
        .map(|command| Box::new(command) as Box<dyn Fn(&str) -> Command>)
        .into_iter()
        .chain([Box::new(follow_up) as _])
    {
        let no = |said: &str| {
            let asking = Asking { roster: Roster::new(&team(), []), ..asking("Dana Rahimi", 200) };
            decide(&room.incident, command(said), &asking).map(|_| ()).unwrap_err().to_string()
        };
        assert!(no("tehrani sadeghi").starts_with("who is"), "{}", no("tehrani sadeghi"));
        assert!(no("bob").starts_with("who is `bob`?"), "{}", no("bob"));
        let asking = Asking { roster: Roster::new(&team(), []), ..asking("Dana Rahimi", 200) };
        let events = decide(&room.incident, command("@\"Leila Sadeghi\""), &asking).unwrap();
        assert!(format!("{events:?}").contains("Leila Sadeghi"), "{events:?}");
        let verbatim = decide(&room.incident, command("\"Bob Stone\""), &asking).unwrap();
        assert!(format!("{verbatim:?}").contains("\"Bob Stone\""), "{verbatim:?}");
    }
    assert_eq!(
        decide(&room.incident, task("someone"), &asking("dana", 200)).unwrap_err().to_string(),
        "work goes to a named person: @dana check p99 5m"
    );
}

#[test]
fn an_unknown_person_hides_nothing_that_does_not_depend_on_them() {
    let mut room = Room::declared();
    ask(&mut room, "Dana Rahimi", 100, task("omid")).unwrap();
    ask(&mut room, "Dana Rahimi", 100, task("\"Bob Stone\"")).unwrap();
    // A console with another configuration, in which nobody is known by these names.
    let tell: [CleanStr; 2] = ["CTO".into(), "nobody knows who".into()];
    let all = cadence::obligations(&room.incident, Rules { cadence: &Cadence::default(), tell: &tell });
    let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    for name in
        ["acknowledge", "tell the CTO", "tell the nobody knows who", "@Omid Karimi check p99", "@Bob Stone check p99"]
    {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
}
