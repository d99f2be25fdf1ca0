//! What is owed outlives the phase in which it came about.

use super::*;

const CTO: [&str; 2] = ["CTO", "Head of Compliance"];

fn positions() -> Vec<CleanStr> {
    CTO.iter().map(|position| CleanStr::new(position)).collect()
}

fn duties(room: &Room) -> Vec<(Duty, DateTime<Utc>)> {
    let tell = positions();
    let all = cadence::obligations(&room.incident, Rules { cadence: &Cadence::default(), tell: &tell });
    all.into_iter().map(|one| (one.duty, one.due)).collect()
}

fn tells(room: &Room) -> Vec<(String, DateTime<Utc>)> {
    let tell = |(duty, due)| if let Duty::Tell(position) = duty { Some((position.to_string(), due)) } else { None };
    duties(room).into_iter().filter_map(tell).collect()
}

fn left(room: &Room) -> Vec<String> {
    unfinished(&room.incident, Rules { cadence: &Cadence::default(), tell: &positions() })
}

fn told(position: &str) -> Command {
    Command::MarkTold(PersonTold { position: position.into(), severity: Severity::Sev3, how: None })
}

fn ask_with_matrix(room: &mut Room, seconds: i64, command: Command) -> Result<(), Refusal> {
    let asking = Asking { tell: positions(), ..asking("dana", seconds) };
    for event in decide(&room.incident, command, &asking)? {
        room.incident.apply([entry(3, room.incident.len() as u64, seconds, "dana", event)]);
    }
    Ok(())
}

#[test]
fn a_sev0_that_is_seen_after_the_end_still_tells_whom_it_names() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    for position in CTO {
        room.ask("dana", 150, told(position)).unwrap();
    }
    room.ask("dana", 600, resolve("seen in the log")).unwrap();
    assert!(tells(&room).is_empty());
    room.ask("dana", 900, Command::SetSeverity(Severity::Sev0, None)).unwrap();
    assert_eq!(tells(&room), CTO.map(|position| (position.to_owned(), at(1200))));
    ask_with_matrix(&mut room, 4000, Command::EnterPhase(Phase::Closed, Some("in the morning".into()))).unwrap();
    assert_eq!(tells(&room).len(), 2, "closing settles nothing");
    ask_with_matrix(&mut room, 5000, told("CTO")).unwrap();
    assert_eq!(tells(&room), [("Head of Compliance".to_owned(), at(1200))]);
    assert_eq!(left(&room), ["the Head of Compliance was not told of SEV0"]);
}

#[test]
fn a_lower_severity_takes_back_only_what_nobody_was_late_with() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    room.ask("dana", 200, Command::SetSeverity(Severity::Sev0, None)).unwrap();
    room.ask("dana", 220, Command::SetSeverity(Severity::Sev2, Some("a slip of the finger".into()))).unwrap();
    assert_eq!(room.incident.owed_severity(TimeDelta::minutes(5)), Some((Severity::Sev2, at(220))));
    room.ask("dana", 300, Command::SetSeverity(Severity::Sev1, None)).unwrap();
    room.ask("dana", 3000, Command::SetSeverity(Severity::Sev3, Some("looks better".into()))).unwrap();
    assert_eq!(room.incident.owed_severity(TimeDelta::minutes(5)), Some((Severity::Sev1, at(300))));
    room.ask("dana", 3100, told("CTO")).unwrap();
    assert!(room.incident.was_told(&"CTO".into(), Severity::Sev1), "whoever is told late is told of what was");
    let no = ask_with_matrix(&mut room, 3200, Command::CloseAs(Outcome::Backlog, Some("OPS-13".into())));
    assert_eq!(
        no.unwrap_err().to_string(),
        "left undone: the Head of Compliance was not told of SEV1. Do it, or resolve the incident (`resolve`)"
    );
}

#[test]
fn nobody_closes_what_hurt_customers_as_a_backlog_item_or_a_false_alarm() {
    for outcome in [Outcome::Backlog, Outcome::FalseAlarm] {
        let mut room = Room::declared();
        room.command_and_acknowledge(100);
        room.ask("dana", 150, Command::StartImpact(at(0))).unwrap();
        room.ask("dana", 160, Command::SetSeverity(Severity::Sev3, Some("looks better".into()))).unwrap();
        assert_eq!(
            room.refusal("dana", 170, Command::CloseAs(outcome, Some("OPS-13".into()))),
            "customers are recorded as hurt: resolve it (`resolve`), or say how it is known that nobody was (`no-impact`)"
        );
    }
}

#[test]
fn resolving_ends_no_call_back_no_text_and_no_silence_towards_customers() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    room.ask("dana", 110, Command::StartImpact(at(0))).unwrap();
    let task = TaskAssigned { to: "omid".into(), what: "check p99".into(), call_back: at(600) };
    room.ask("dana", 200, Command::AssignTask(task)).unwrap();
    room.ask("leila", 300, Command::PostUpdate(update(&[Channel::ExternalPage], None))).unwrap();
    room.ask("dana", 1500, resolve("seen in the log")).unwrap();
    let is_owed = |duty: &Duty| duties(&room).iter().any(|(known, _)| known == duty);
    assert!(is_owed(&Duty::Update(Channel::ExternalPage)), "they never read a word");
    assert!(is_owed(&Duty::CallBack(room.incident.tasks[0].id)));
    assert!(is_owed(&Duty::Approve(room.incident.drafts[0].id)));
    let undone = [
        "customers hurt since May 28 20:26 UTC, and no end of it is recorded",
        "the external page never said that customers hurt since May 28 20:26 UTC",
        "the CTO was not told of SEV1",
        "the Head of Compliance was not told of SEV1",
        "leila's text of May 28 20:31 UTC for external page was not sent",
        "@omid has not answered for `check p99`, due May 28 20:36 UTC",
    ];
    assert_eq!(left(&room), undone);
    let tell = positions();
    let rules = Rules { cadence: &Cadence::default(), tell: &tell };
    let text = postmortem::postmortem(&room.incident, rules, at(2000));
    let named = |line: &&str| text.contains(&line.replace('`', "\\`")) || text.contains(*line);
    assert_eq!(undone.iter().filter(|line| !named(line)).collect::<Vec<_>>(), Vec::<&&str>::new(), "{text}");
    let asked = ask_with_matrix(&mut room, 2000, Command::EnterPhase(Phase::Closed, None)).unwrap_err().to_string();
    assert!(undone.iter().all(|line| asked.contains(line)), "{asked}");
}

#[test]
fn a_drill_and_a_false_alarm_leave_nothing_undone() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    room.ask("dana", 200, Command::CloseAs(Outcome::FalseAlarm, Some("a test of the alert".into()))).unwrap();
    assert_eq!((left(&room), duties(&room)), (Vec::new(), Vec::new()));
}

#[test]
fn a_reopened_incident_begins_its_cadence_anew() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    room.ask("dana", 120, Command::StartImpact(at(0))).unwrap();
    let all = Channel::ALL;
    room.ask("dana", 200, Command::PostUpdate(update(&all, Some(500)))).unwrap();
    room.ask("dana", 600, resolve("seen in the log")).unwrap();
    room.ask("dana", 4000, Command::EnterPhase(Phase::Triage, Some("it is back".into()))).unwrap();
    let updates = || duties(&room).into_iter().filter(|(duty, _)| duty.channel().is_some()).collect::<Vec<_>>();
    assert_eq!(updates(), all.map(|channel| (Duty::Update(channel), at(4000 + 15 * 60))));
}

#[test]
fn a_text_whose_promise_is_over_by_now_is_not_approved_as_it_is() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    // 20:26:40 is the beginning of the test's time.
    let text = |text: &str| StatusUpdate { text: text.into(), ..update(&[Channel::ExternalPage], None) };
    room.ask("leila", 200, Command::PostUpdate(text("Payments may fail. Next update at 20:35."))).unwrap();
    let draft = room.incident.drafts[0].clone();
    let refused = "the text promises the next update at 20:35 UTC, and it is 20:46 UTC: write it with another time";
    assert_eq!(room.refusal("dana", 1200, Command::ApproveDraft(draft.id, draft.update)), refused);
    assert_eq!(
        room.refusal("dana", 1200, Command::PostUpdate(text("Payments may fail. Next update at 20:35."))),
        refused
    );
    room.ask("dana", 1200, Command::ApproveDraft(draft.id, text("Payments may fail. Next update at 21:00."))).unwrap();
}

#[test]
fn a_postmortem_is_never_in_the_past_and_later_than_the_runbook_wants_only_with_a_reason() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    room.ask("dana", 600, resolve("seen in the log")).unwrap();
    let hour = 3600;
    let body = |hours: i64| PostmortemScheduled { at: at(hours * hour), owner: "leila".into(), reason: None };
    let schedule = |hours: i64| Command::SchedulePostmortem(body(hours));
    assert!(room.refusal("dana", 20 * hour, schedule(10)).ends_with("is over: when will the postmortem be held?"));
    let late = decide(&room.incident, schedule(70), &asking("dana", 20 * hour)).unwrap_err();
    assert!(matches!(late, Refusal::WantsReason(_)), "{late}");
    room.ask("dana", 20 * hour, schedule(70).with_reason("the weekend lies between".into())).unwrap();
    assert_eq!(room.incident.postmortem.as_ref().map(|body| body.at), Some(at(70 * hour)));
}

#[test]
fn a_phase_began_when_it_did_and_not_when_somebody_typed_it() {
    let mut room = Room::declared();
    assert_eq!(room.incident.phase, Some((Phase::Detected, at(0))), "the alert fired then");
    room.command_and_acknowledge(100);
    room.ask("dana", 600, resolve("seen in the log")).unwrap();
    let amend = |which, seconds| Command::AmendTime(TimeAmended { which, to: at(seconds), reason: "the log".into() });
    room.ask("dana", 700, amend(Milestone::Detected, -100)).unwrap();
    room.ask("dana", 700, amend(Milestone::Acknowledged, 50)).unwrap();
    room.ask("dana", 700, amend(Milestone::Resolved, 500)).unwrap();
    let phases: Vec<_> = room.incident.phases.iter().map(|(phase, mark)| (*phase, mark.at)).collect();
    let expected = [(Phase::Detected, at(-100)), (Phase::Acknowledged, at(50)), (Phase::Resolved, at(500))];
    assert_eq!(phases, expected);
    assert_eq!(room.incident.phase, Some((Phase::Resolved, at(500))));
}
