//! The fold's properties, and the rules of `decide` and of the clocks, as tables.

use proptest::prelude::*;

use super::command::{decide, scribe_line, scribe_line_since};
use super::event::fake::Filling;
use super::when::{self, Side};
use super::*;
use crate::text::CleanText;

mod decided;
mod impact;
mod merged;
mod owed;
mod pace;
mod people;
mod symptoms;

const INC: IncidentId = IncidentId { series: Series::Incident, number: 42 };

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

fn asking(actor: &str, seconds: i64) -> Asking {
    Asking::new(actor.into(), at(seconds))
}

/// What a step wants whose playbook wants nothing.
fn bare_needs(command: &Command) -> Option<gate::Needs> {
    let Command::StartRun(order) = command else { return None };
    Some(gate::Needs {
        step: order.step.clone()?,
        purpose: order.purpose,
        roles: Vec::new(),
        second_person: false,
        earlier: Vec::new(),
        digest: order.digest.clone(),
        foreign_playbook: None,
    })
}

/// An entry as the journal would stamp it at a second.
pub(crate) fn entry(rid: u64, rseq: u64, seconds: i64, actor: &str, event: Event) -> Entry {
    Entry {
        v: ENTRY_VERSION,
        inc: INC,
        id: EntryId { rid, rseq },
        hlc: Hlc::default().next(at(seconds)),
        wall: at(seconds),
        actor: actor.into(),
        via: Via::default(),
        event,
        after: None,
        prev: String::new(),
    }
}

/// An incident that is driven by commands as a console would.
pub(crate) struct Room {
    pub(crate) incident: Incident,
    next: u64,
}

impl Room {
    pub(crate) fn declared() -> Self {
        let mut room = Self { incident: Incident::new(INC), next: 1 };
        room.ask("dana", 60, Command::Declare(declaration())).unwrap();
        room
    }

    pub(crate) fn ask(&mut self, actor: &str, seconds: i64, command: Command) -> Result<(), Refusal> {
        let asking = Asking { needs: bare_needs(&command), ..asking(actor, seconds) };
        for event in decide(&self.incident, command, &asking)? {
            self.incident.apply([entry(1, self.next, seconds, actor, event)]);
            self.next += 1;
        }
        Ok(())
    }

    fn refusal(&self, actor: &str, seconds: i64, command: Command) -> String {
        let asking = Asking { needs: bare_needs(&command), ..asking(actor, seconds) };
        decide(&self.incident, command, &asking).unwrap_err().to_string()
    }

    fn command_and_acknowledge(&mut self, seconds: i64) {
        self.ask("dana", seconds, Command::TakeRole(seat(Role::IncidentCommander))).unwrap();
        self.ask("dana", seconds, Command::Acknowledge).unwrap();
    }
}

fn declaration() -> Declared {
    Declared {
        title: "p99 over 2 s".into(),
        severity: Severity::Sev1,
        service: Some("alipay".into()),
        detected_at: Some(at(0)),
        detection: Some(Detection::Alert { name: "HighLatencyP99".into() }),
        zone: "UTC".into(),
        link: None,
    }
}

fn seat(role: Role) -> Seat {
    Seat { role, component: None }
}

fn note(text: &str) -> NoteAdded {
    NoteAdded { kind: NoteKind::Note, text: text.into(), at: None }
}

fn update(channels: &[Channel], promised: Option<i64>) -> StatusUpdate {
    StatusUpdate {
        channels: channels.iter().copied().collect(),
        text: "still on it".into(),
        promised_next: promised.map(at),
        ..StatusUpdate::default()
    }
}

fn resolve(reason: &str) -> Command {
    let final_status = "payments flow again".into();
    Command::Resolve { proof: Vec::new(), final_status, reason: Some(reason.into()) }
}

#[test]
fn the_acknowledge_clock_runs_from_the_moment_the_alert_fired() {
    let mut room = Room::declared();
    let due = cadence::obligations(&room.incident, Rules { cadence: &Cadence::default(), tell: &[] });
    assert_eq!((due[0].duty.clone(), due[0].due), (Duty::Acknowledge, at(300)));
    assert_eq!(due[0].urgency(at(60)), Urgency::Calm);
    assert_eq!(due[0].urgency(at(200)), Urgency::Soon);
    assert_eq!(due[0].urgency(at(300)), Urgency::Overdue);
    room.command_and_acknowledge(192);
    assert_eq!(room.incident.time_to_acknowledge(), Some(TimeDelta::seconds(192)));
    assert_eq!(room.incident.phase(), Phase::Acknowledged);
}

#[test]
fn each_channel_hears_something_every_15_minutes_or_when_the_last_text_promised() {
    let mut room = Room::declared();
    room.command_and_acknowledge(100);
    let minutes = |count: i64| TimeDelta::minutes(count);
    let due = |room: &Room| -> Vec<(Duty, TimeDelta)> {
        let all = cadence::obligations(&room.incident, Rules { cadence: &Cadence::default(), tell: &[] });
        all.into_iter().map(|one| (one.duty, one.due - at(100))).collect()
    };
    let all = [Channel::IncidentChannel, Channel::StatusSlack, Channel::InternalPage];
    assert_eq!(due(&room), all.map(|channel| (Duty::Update(channel), minutes(15))));
    room.ask("dana", 400, Command::PostUpdate(update(&[Channel::StatusSlack], Some(400 + 600)))).unwrap();
    assert_eq!(due(&room)[0], (Duty::Update(Channel::IncidentChannel), minutes(15)));
    assert!(
        due(&room).contains(&(Duty::Update(Channel::StatusSlack), minutes(15))),
        "promised at 1000 s, 15 min after 100 s"
    );
    room.ask("dana", 500, Command::PostUpdate(update(&[Channel::StatusSlack], Some(500 + 7200)))).unwrap();
    assert!(due(&room).contains(&(Duty::Update(Channel::StatusSlack), minutes(15) + TimeDelta::seconds(400))));
    room.ask("dana", 600, resolve("all charts are back")).unwrap();
    assert!(due(&room).iter().all(|(duty, _)| duty.channel().is_none()), "nothing is to be told any more");
}

#[test]
fn customers_hear_something_after_15_minutes_of_impact_and_then_as_promised() {
    let mut room = Room::declared();
    room.command_and_acknowledge(40);
    let external = |room: &Room| {
        cadence::obligations(&room.incident, Rules { cadence: &Cadence::default(), tell: &[] })
            .into_iter()
            .find(|one| one.duty == Duty::Update(Channel::ExternalPage))
            .map(|one| one.due)
    };
    assert_eq!(external(&room), None);
    room.ask("dana", 100, Command::StartImpact(at(50))).unwrap();
    assert_eq!(external(&room), Some(at(50 + 900)));
    room.ask("dana", 600, Command::PostUpdate(update(&[Channel::ExternalPage], None))).unwrap();
    assert_eq!(external(&room), Some(at(600 + 1800)), "the shipped template promises 30 minutes");
    room.ask("dana", 700, Command::EndImpact(at(690))).unwrap();
    assert_eq!(external(&room), None);
    room.ask("dana", 800, Command::PostUpdate(update(&[Channel::ExternalPage], Some(2_600)))).unwrap();
    assert_eq!(external(&room), Some(at(2_600)), "they wait for what they were promised");
    room.ask("dana", 900, resolve("all charts are back")).unwrap();
    assert_eq!(external(&room), Some(at(2_600)), "that it is over, too");
    room.ask("dana", 1_000, Command::PostUpdate(update(&[Channel::ExternalPage], None))).unwrap();
    assert_eq!(external(&room), None);
}

#[test]
fn what_cannot_be_is_refused_with_a_way_out() {
    let mut room = Room::declared();
    let blank = Incident::new(INC);
    assert!(
        decide(&blank, Command::Acknowledge, &asking("dana", 1))
            .unwrap_err()
            .to_string()
            .contains("`declare` declares one")
    );
    assert!(room.refusal("dana", 70, Command::Acknowledge).contains("take command first"));
    room.command_and_acknowledge(80);
    for (command, part) in [
        (Command::Declare(declaration()), "declared already"),
        (Command::Acknowledge, "dana acknowledged at"),
        (Command::TakeRole(seat(Role::IncidentCommander)), "dana is Incident Commander since"),
        (Command::LeaveRole(seat(Role::IncidentCommander), None), "relieving dana wants a reason"),
        (Command::LeaveRole(seat(Role::Scribe), None), "nobody is Scribe"),
        (Command::SetSeverity(Severity::Sev1, None), "is SEV1 already"),
        (Command::SetSeverity(Severity::Sev3, Some(" ".into())), "wants a reason"),
        (Command::EnterPhase(Phase::PostIncident, None), "not resolved yet"),
        (Command::EnterPhase(Phase::Closed, None), "false alarm"),
        (Command::EnterPhase(Phase::Resolved, None), "asks for proof"),
        (Command::EnterPhase(Phase::Detected, None), "undetected"),
        (Command::EndImpact(at(50)), "no customer impact"),
        (Command::StartImpact(at(9_000)), "future"),
        (Command::AddNote(note("  ")), "the line is empty"),
        (Command::AddService("alipay".into()), "already"),
        (Command::RemoveService("blubank".into()), "not in the scope"),
        (Command::PostUpdate(update(&[], None)), "at least one channel"),
        (Command::PostUpdate(update(&[Channel::StatusSlack], Some(5))), "passed already"),
        (Command::StrikeNote(NoteStruck { note: EntryId { rid: 1, rseq: 1 }, reason: None }), "only lines"),
        (
            Command::AmendNote(NoteAmended { note: EntryId { rid: 9, rseq: 9 }, text: None, at: None }),
            "not in the journal",
        ),
    ] {
        let shown = format!("{command:?}");
        let said = room.refusal("omid", 90, command);
        assert!(said.contains(part), "{shown}: {said}");
    }
}

#[test]
fn reopening_returns_to_triage_with_a_reason_and_time_to_resolve_runs_again() {
    let mut room = Room::declared();
    room.command_and_acknowledge(80);
    room.ask("dana", 900, resolve("seen by eye")).unwrap();
    assert_eq!(room.incident.elapsed(at(5000)), Some(TimeDelta::seconds(900)));
    assert!(
        room.refusal("dana", 950, Command::EnterPhase(Phase::Mitigating, Some("back".into()))).contains("into Triage")
    );
    assert!(room.refusal("dana", 950, Command::EnterPhase(Phase::Triage, None)).contains("wants a reason"));
    room.ask("dana", 950, Command::EnterPhase(Phase::Triage, Some("errors are back".into()))).unwrap();
    assert_eq!(room.incident.elapsed(at(5000)), Some(TimeDelta::seconds(5000)));
}

#[test]
fn severity_is_raised_by_one_word_lowered_with_a_reason_and_the_worst_is_kept() {
    let mut room = Room::declared();
    room.ask("dana", 70, Command::SetSeverity(Severity::Sev0, None)).unwrap();
    room.ask("dana", 80, Command::SetSeverity(Severity::Sev2, Some("one partner only".into()))).unwrap();
    assert_eq!((room.incident.severity, room.incident.worst), (Some(Severity::Sev2), Some(Severity::Sev0)));
}

#[test]
fn a_correction_shows_and_a_struck_line_stays() {
    let mut room = Room::declared();
    room.ask("li", 100, Command::AddNote(note("gateway pool exhausted"))).unwrap();
    let line = room.incident.timeline().lines().last().unwrap();
    let amended = NoteAmended { note: line.id, text: Some("gateway pool exhausted, 500/500".into()), at: Some(at(20)) };
    room.ask("li", 200, Command::AmendNote(amended)).unwrap();
    room.ask("li", 210, Command::StrikeNote(NoteStruck { note: line.id, reason: Some("wrong pool".into()) })).unwrap();
    let read = room.incident.timeline().lines().next().unwrap();
    assert_eq!((read.at, read.entered), (at(20), at(100)));
    assert_eq!(read.text, "gateway pool exhausted, 500/500");
    assert_eq!(read.original, Some("gateway pool exhausted".into()));
    assert_eq!(read.amended, Some((1, "li".into())));
    assert_eq!(read.struck.unwrap().reason, Some("wrong pool".into()));
    assert!(
        room.refusal("omid", 220, Command::AmendNote(NoteAmended { note: line.id, text: Some("x".into()), at: None }))
            .contains("li's")
    );
}

#[test]
fn a_step_is_done_once_skipped_with_a_reason_and_opened_again() {
    let mut room = Room::declared();
    let step = StepRef { service: "alipay".into(), step: "route-to-backup".into() };
    let done = StepDone { step: step.clone(), title: "Route to backup".into() };
    let skip = |reason: &str| {
        Command::SkipStep(StepSkipped { step: step.clone(), title: "Route".into(), reason: reason.into() })
    };
    assert!(room.refusal("dana", 70, skip("")).contains("wants a reason"));
    room.ask("dana", 70, skip("no backup today")).unwrap();
    room.ask("dana", 80, Command::CheckStep(done.clone())).unwrap();
    assert!(room.refusal("omid", 90, Command::CheckStep(done.clone())).contains("dana did this step"));
    room.ask("omid", 95, Command::ReopenStep(done.clone())).unwrap();
    assert!(room.refusal("omid", 96, Command::ReopenStep(done)).contains("is open"));
    assert!(matches!(room.incident.steps.get(&step), Some(StepState::Reopened(mark)) if mark.by == "omid"));
}

#[test]
fn of_two_who_take_command_at_once_the_first_in_order_has_it_on_every_console() {
    let take = |holder: &str| {
        Event::RoleTaken(RoleNamed {
            role: Role::IncidentCommander,
            component: None,
            holder: holder.into(),
            reason: None,
            is_played: false,
        })
    };
    let declared = entry(1, 1, 0, "dana", Event::Declared(declaration()));
    let first = entry(1, 2, 10, "omid", take("omid"));
    let second = entry(2, 1, 11, "dana", take("dana"));
    let one = Incident::replay(INC, [declared.clone(), first.clone(), second.clone()]);
    let other = Incident::replay(INC, [second, declared, first]);
    assert_eq!(one.holder(Role::IncidentCommander), Some(&"omid".into()));
    assert_eq!(one, other);
    assert_eq!(one.senseless, 1);
}

#[test]
fn a_drill_is_read_by_the_drills_own_clock() {
    let mut room = Room { incident: Incident::new(IncidentId::drill(1)), next: 1 };
    let drill = DrillStarted { exercise: "x".into(), seed: 7, start: at(0), speed: 10.0, source: None, staging: None };
    room.ask("dana", 0, Command::StartDrill(drill)).unwrap();
    room.ask("dana", 6, Command::Declare(declaration())).unwrap();
    assert_eq!(room.incident.declared.as_ref().unwrap().at, at(60));
    assert_eq!(room.incident.clock().wall(at(60)), at(6));
}

#[test]
fn the_scribes_line_reads_its_prefixes() {
    let now = at(0); // 2026-05-28 20:26:40 UTC
    let read = |line: &str| {
        let line = scribe_line(line, now, chrono_tz::UTC);
        (line.kind, line.at.map(|at| (now - at).num_seconds()), line.text.to_string())
    };
    for (line, kind, ago, text) in [
        ("pool exhausted", NoteKind::Note, None, "pool exhausted"),
        ("-5m pool exhausted", NoteKind::Note, Some(300), "pool exhausted"),
        ("-90s decision: go", NoteKind::Decision, Some(90), "go"),
        ("Decision: 20:20 go", NoteKind::Decision, Some(400), "go"),
        ("yesterday 20:30 was quiet", NoteKind::Note, Some(86_400 - 200), "was quiet"),
        ("10:1 ratio of errors", NoteKind::Note, None, "10:1 ratio of errors"),
        ("todo: 20:20 UTC\nask", NoteKind::Todo, Some(400), "ask"),
        ("decision was hard", NoteKind::Note, None, "decision was hard"),
        ("CAN: pool full / restarting / need a DBA", NoteKind::Can, None, "pool full / restarting / need a DBA"),
        ("-5m", NoteKind::Note, None, "-5m"),
        ("-x 25:99 no time", NoteKind::Note, None, "-x 25:99 no time"),
        ("todo: ask the bank\nabout tokens", NoteKind::Todo, None, "ask the bank\nabout tokens"),
    ] {
        assert_eq!(read(line), (kind, ago, text.to_owned()), "{line}");
    }
}

#[test]
fn a_time_that_cannot_be_meant_stays_in_the_text_and_is_asked_about() {
    let line = scribe_line("decision: 20:40 go", at(0), chrono_tz::UTC);
    assert_eq!((line.kind, line.at, line.text.as_str()), (NoteKind::Decision, None, "20:40 go"));
    assert!(line.doubt.unwrap().contains("20:40 is still to come today"));
}

#[test]
fn a_line_that_was_begun_earlier_is_of_then() {
    let (began, now) = (at(0), at(86_400)); // 20:26:40, and the same time a day later
    for (line, expected) in
        [("-5m pool full", Some(at(-300))), ("20:20 pool full", Some(at(-400))), ("pool full", None)]
    {
        assert_eq!(scribe_line_since(line, began, now, chrono_tz::UTC).at, expected, "{line}");
    }
    // Typed slowly, a line may name a time that came meanwhile.
    let line = scribe_line_since("20:29 pool full", at(0), at(200), chrono_tz::UTC);
    assert_eq!((line.at, line.doubt), (Some(at(140)), None));
}

#[test]
fn a_time_of_day_in_the_hour_that_summer_time_repeats_is_the_later_one() {
    let berlin = chrono_tz::Europe::Berlin;
    let now = "2026-10-25T03:00:00Z".parse().unwrap(); // 04:00 CET
    let read = when::read("02:30", now, berlin, Side::Past).unwrap();
    assert_eq!(read.at, "2026-10-25T01:30:00Z".parse::<DateTime<Utc>>().unwrap());
}

pub(crate) fn any_event() -> impl Strategy<Value = Event> {
    let role = prop::sample::select(Role::ALL.to_vec());
    let text = "[a-z]{0,12}".prop_map(|text| CleanText::new(&text));
    let id = (1..4u64, 1..12u64).prop_map(|(rid, rseq)| EntryId { rid, rseq });
    let step =
        prop::sample::select(vec!["a", "b"]).prop_map(|step| StepRef { service: "alipay".into(), step: step.into() });
    prop_oneof![
        Just(Event::Declared(declaration())),
        (0..3i64).prop_map(|speed| Event::DrillStarted(DrillStarted {
            exercise: "x".into(),
            seed: 1,
            start: at(0),
            speed: speed as f64,
            source: None,
            staging: None
        })),
        prop::sample::select(Severity::ALL.to_vec())
            .prop_map(|to| Event::SeverityRaised(SeveritySet { to, reason: None })),
        prop::sample::select(Phase::ALL.to_vec()).prop_map(|phase| Event::PhaseEntered(PhaseEntered::plain(phase))),
        Just(Event::Acknowledged(Plain {})),
        (0..500i64).prop_map(|when| Event::ImpactStarted(ImpactAt { at: at(when), ..Default::default() })),
        (0..500i64).prop_map(|when| Event::ImpactEnded(ImpactAt { at: at(when), ..Default::default() })),
        (role.clone(), "[ab]", any::<bool>()).prop_map(|(role, holder, is_played)| Event::RoleTaken(RoleNamed {
            role,
            component: None,
            holder: holder.into(),
            reason: None,
            is_played
        })),
        (role, "[ab]").prop_map(|(role, holder)| Event::RoleLeft(RoleNamed {
            role,
            component: None,
            holder: holder.into(),
            reason: None,
            is_played: false
        })),
        (text.clone(), prop::option::of(0..500i64)).prop_map(|(text, when)| Event::NoteAdded(NoteAdded {
            kind: NoteKind::Finding,
            text,
            at: when.map(at)
        })),
        (id.clone(), prop::option::of(text), prop::option::of(0..500i64))
            .prop_map(|(note, text, when)| Event::NoteAmended(NoteAmended { note, text, at: when.map(at) })),
        id.clone().prop_map(|note| Event::NoteStruck(NoteStruck { note, reason: None })),
        step.clone().prop_map(|step| Event::StepChecked(StepDone { step, title: "t".into() })),
        step.clone().prop_map(|step| Event::StepReopened(StepDone { step, title: "t".into() })),
        (prop::option::of(step), any::<bool>()).prop_map(|(step, changes)| Event::CommandStarted(order(step, changes))),
        id.clone().prop_map(|run| Event::CommandRemarked(CommandRemarked { run, remark: Remark::Granted(300) })),
        (id.clone(), -1..3i32).prop_map(|(run, code)| Event::CommandEnded(ended(run, Ending::Exited(code)))),
        (0..900i64).prop_map(|when| Event::StatusUpdatePosted(update(&[Channel::StatusSlack], Some(when)))),
        "[a-z]{1,6}".prop_map(|kind| Event::Unrecognised {
            kind: format!("future-{kind}"),
            body: serde_json::json!({"a": [1]})
        }),
    ]
}

pub(crate) fn order(step: Option<StepRef>, changes: bool) -> CommandStarted {
    CommandStarted {
        values: Default::default(),
        program: None,
        env: Vec::new(),
        despite: Vec::new(),
        step,
        title: "Restart the workers".into(),
        purpose: Purpose::Do,
        argv: vec!["kubectl".into(), "rollout".into(), "restart it".into()],
        directory: None,
        digest: "0123456789abcdef".into(),
        environment: Some("PRODUCTION".into()),
        changes,
        limit_s: 60,
        stops_at_limit: !changes,
        judging: Default::default(),
        stays_s: None,
        host: "bastion".into(),
    }
}

pub(crate) fn ended(run: EntryId, ending: Ending) -> CommandEnded {
    CommandEnded {
        run,
        ending,
        took_ms: 12_000,
        bytes: 6,
        dropped: 0,
        tail: "done\n".into(),
        left_running: false,
        left: Vec::new(),
        outcome: None,
        captured: None,
    }
}

fn step_of(id: &str) -> StepRef {
    StepRef { service: "alipay".into(), step: id.into() }
}

#[test]
fn a_step_runs_once_at_a_time_and_by_one_person() {
    let mut room = Room::declared();
    room.ask("omid", 70, Command::StartRun(order(Some(step_of("restart")), true))).unwrap();
    assert_eq!(room.incident.claims[&step_of("restart")].by, *"omid");
    let again = room.refusal("dana", 71, Command::StartRun(order(Some(step_of("restart")), true)));
    assert!(again.starts_with("omid runs it since"), "{again}");
    let run = room.incident.runs[0].id;
    // Two consoles wrote at the same moment: the second has no effect on any console.
    room.incident.apply([entry(2, 1, 72, "dana", Event::CommandStarted(order(Some(step_of("restart")), true)))]);
    assert_eq!(room.incident.runs.len(), 1);
    assert_eq!(room.incident.beaten[&EntryId { rid: 2, rseq: 1 }].by, *"omid");
    let lines: Vec<_> = room.incident.timeline().lines().map(|line| (line.tag, line.text.to_string())).collect();
    let (tag, text) = lines.last().unwrap();
    assert_eq!(
        (*tag, text.ends_with("not started, omid was first")),
        ("run", true),
        "nothing ran, and no RUN says so: {text}"
    );
    room.ask("omid", 90, Command::EndRun(ended(run, Ending::Exited(0)))).unwrap();
    let twice = room.refusal("dana", 91, Command::EndRun(ended(run, Ending::Exited(1))));
    assert_eq!(twice, "how Restart the workers ended is recorded");
    room.incident.apply([entry(2, 2, 92, "dana", Event::CommandEnded(ended(run, Ending::Exited(1))))]);
    assert_eq!(room.incident.runs[0].ending(), Some(&Ending::Exited(0)));
    // It failed or not: the step is in omid's hands until he lets it go.
    let claimed = room.refusal("dana", 93, Command::StartRun(order(Some(step_of("restart")), true)));
    assert!(claimed.starts_with("omid works on it: `claim` takes it over"), "{claimed}");
    room.ask("omid", 94, Command::StartRun(order(Some(step_of("restart")), true))).unwrap();
    assert_eq!(room.incident.runs.len(), 2);
}

#[test]
fn a_command_reads_on_the_timeline_with_its_end_and_its_last_lines() {
    let mut room = Room::declared();
    room.ask("omid", 70, Command::StartRun(order(Some(step_of("restart")), true))).unwrap();
    let run = room.incident.runs[0].id;
    room.ask("omid", 82, Command::EndRun(ended(run, Ending::Signalled(9)))).unwrap();
    let lines: Vec<String> =
        room.incident.timeline().lines().map(|line| format!("{} {}", line.tag, line.text)).collect();
    assert_eq!(
        lines[1..],
        [
            "RUN Restart the workers (alipay/restart): kubectl rollout 'restart it' on bastion, PRODUCTION",
            "run Restart the workers: ended by signal 9 after 12.0 s on bastion, 6 bytes\ndone\n",
        ]
    );
}

pub(crate) fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    let one = (1..4u64, 1..12u64, 0..600i64, "[ab]", any_event());
    prop::collection::vec(one, 0..24).prop_map(|all| {
        all.into_iter().map(|(rid, rseq, seconds, actor, event)| entry(rid, rseq, seconds, &actor, event)).collect()
    })
}

#[test]
fn what_was_redacted_before_it_came_shows_no_words() {
    let redacted = |entry| EntryRedacted { entry, reason: "a card number".into() };
    for kind in Event::KINDS {
        let event = Event::fake(kind, &Filling { texts: &["kangaroo"], seed: 1 }).unwrap();
        let declared = entry(1, 1, 0, "dana", Event::Declared(declaration()));
        let first = entry(1, 2, 1, "dana", Event::EntryRedacted(redacted(EntryId { rid: 2, rseq: 1 })));
        let entries = [declared, first, entry(2, 1, 2, "bob", event)];
        let mut one_by_one = Incident::new(INC);
        entries.iter().for_each(|entry| one_by_one.apply([entry.clone()]));
        assert_eq!(one_by_one.facts, Incident::replay(INC, entries.iter().rev().cloned()).facts, "{kind}");
    }
}

proptest! {
    #[test]
    fn any_order_and_duplication_gives_one_state(entries in any_entries(), seed in any::<u64>()) {
        let expected = Incident::replay(INC, entries.clone());
        let mut shuffled: Vec<_> = entries.iter().chain(entries.iter().take(5)).cloned().collect();
        let mut state = seed | 1;
        for place in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(place, (state >> 33) as usize % (place + 1));
        }
        let mut incremental = Incident::new(INC);
        for entry in shuffled {
            incremental.apply([entry]);
        }
        prop_assert_eq!(&incremental, &expected);
        let replayed = Incident::replay(INC, expected.entries().cloned());
        prop_assert_eq!(&replayed.facts, &expected.facts);
        prop_assert_eq!(incremental.timeline().lines().collect::<Vec<_>>(), expected.timeline().lines().collect::<Vec<_>>());
    }

    #[test]
    fn an_entry_comes_back_from_json_as_it_was(entries in any_entries()) {
        for entry in entries {
            prop_assert_eq!(Entry::from_json(&entry.to_json()).unwrap(), entry);
        }
    }

    #[test]
    fn the_decoder_takes_any_bytes_without_a_panic(text in "\\PC{0,200}", cut in 0..400usize) {
        let _ = Entry::from_json(&text);
        let whole = entry(1, 1, 0, "dana", Event::Declared(declaration())).to_json();
        let mut end = cut.min(whole.len());
        while !whole.is_char_boundary(end) { end -= 1; }
        let _ = Entry::from_json(&whole[..end]);
    }

    #[test]
    fn what_is_due_can_be_asked_at_any_time_of_any_incident(entries in any_entries(), now in -1000..2000i64) {
        let incident = Incident::replay(INC, entries);
        for obligation in cadence::obligations(&incident, Rules { cadence: &Cadence::default(), tell: &[] }) {
            let _ = (obligation.urgency(at(now)), obligation.left(at(now)), obligation.amber);
        }
    }
}

fn drill_of(events: &[(i64, Event)]) -> Vec<Entry> {
    let started = DrillStarted { exercise: "x".into(), seed: 1, start: at(0), speed: 2.0, source: None, staging: None };
    let declared = Declared {
        title: "x".into(),
        severity: Severity::Sev2,
        service: None,
        detected_at: None,
        detection: None,
        zone: "UTC".into(),
        link: None,
    };
    let begun = [(0, Event::DrillStarted(started)), (0, Event::Declared(declared))];
    let all = begun.into_iter().chain(events.iter().cloned());
    all.zip(1..).map(|((seconds, event), rseq)| entry(1, rseq, seconds, "dana", event)).collect()
}

#[test]
fn a_paused_drill_is_read_by_a_clock_that_stood_still_whenever_the_pause_is_heard_of() {
    let note = |text: &str| Event::NoteAdded(NoteAdded { kind: NoteKind::Note, text: text.into(), at: None });
    let entries = drill_of(&[
        (50, note("before")),
        (100, Event::DrillPaused(Plain {})),
        (130, note("in the pause")),
        (160, Event::DrillResumed(Plain {})),
        (200, note("after")),
    ]);
    let whole = Incident::replay(INC, entries.clone());
    let times: Vec<i64> = whole.entries().map(|entry| (whole.time(entry) - at(0)).num_seconds()).collect();
    assert_eq!(times, [0, 0, 100, 200, 200, 200, 280], "twice as fast, and a minute of the wall left out");
    let late = Incident::replay(INC, [0, 1, 4, 6, 5, 3, 2].map(|place| entries[place].clone()));
    assert_eq!(
        late.entries().map(|entry| late.time(entry)).collect::<Vec<_>>(),
        whole.entries().map(|entry| whole.time(entry)).collect::<Vec<_>>()
    );
    assert_eq!(late.clock(), whole.clock());

    let mut paused = Incident::replay(INC, entries[..4].to_vec());
    assert!(paused.clock().is_paused());
    for wall in [100, 101, 150, 9_000] {
        let clock = paused.clock();
        assert!(
            clock.wall(clock.show(at(wall))) > at(1_000_000),
            "nothing wakes a console for what stands still: {wall}"
        );
    }
    let again = command::decide(&paused, Command::PauseDrill(true), &asking("dana", 150)).unwrap_err();
    assert!(again.to_string().contains("resume-drill"), "{again}");
    let other = entry(2, 1, 110, "omid", Event::DrillPaused(Plain {}));
    paused.apply([other]);
    assert_eq!(paused.clock().show(at(150)), at(200), "the first of two who pause wins");
    let plain = Incident::new(INC);
    assert!(command::decide(&plain, Command::PauseDrill(true), &asking("dana", 0)).is_err());
}

proptest! {
    #[test]
    fn who_wakes_for_a_moment_of_a_drill_finds_it_there_and_not_a_millisecond_of_the_wall_late(
        speed in prop::sample::select(vec![1.0, 2.0, 60.0, 1000.0]), milliseconds in -300_000_i64..3_600_000,
    ) {
        let (clock, moment) = (Clock::new(at(0), speed), at(0) + TimeDelta::milliseconds(milliseconds));
        let wall = clock.wall(moment);
        prop_assert!(clock.show(wall) >= moment);
        prop_assert!(clock.show(wall - TimeDelta::milliseconds(1)) < moment);
    }

    #[test]
    fn a_drills_clock_never_goes_back_and_finds_the_wall_again(
        speed in prop::sample::select(vec![1.0, 2.0, 60.0]), gaps in prop::collection::vec(1_i64..500, 0..9), seconds in 0_i64..5_000,
    ) {
        let mut clock = Clock::new(at(0), speed);
        let mut wall = 0;
        for (place, gap) in gaps.iter().enumerate() {
            wall += gap;
            let next = if place % 2 == 0 { clock.paused(at(wall)) } else { clock.resumed(at(wall)) };
            clock = next.unwrap();
        }
        prop_assert!(clock.show(at(seconds)) <= clock.show(at(seconds + 1)));
        let moves = clock.show(at(seconds + 1)) > clock.show(at(seconds));
        prop_assert_eq!(clock.is_paused(), gaps.len() % 2 == 1);
        if moves {
            prop_assert_eq!(clock.wall(clock.show(at(seconds + 1))), at(seconds + 1));
        }
    }
}

#[test]
fn a_stand_in_plays_in_drills_only_leads_nobody_takes_from_nobody_and_gives_way_to_any_person() {
    let stand_in = |role, name: &str| Command::StandIn(role, name.into());
    let seat = |role| Seat { role, component: None };
    let mut room = Room::declared();
    assert_eq!(
        room.ask("dana", 60, stand_in(Role::Sme, "sara")),
        Err(Refusal::No("stand-ins are for drills: this is none".into()))
    );
    let started = DrillStarted {
        exercise: "alipay-timeout-storm".into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: None,
        staging: None,
    };
    room.ask("dana", 60, Command::StartDrill(started)).unwrap();
    for (role, name) in [(Role::IncidentCommander, "sara"), (Role::Sme, "dana"), (Role::Sme, " ")] {
        room.ask("dana", 61, stand_in(role, name)).unwrap_err();
    }
    room.ask("dana", 62, stand_in(Role::Sme, "sara")).unwrap();
    assert_eq!(room.incident.holder(Role::Sme).map(|name| &**name), Some("sara"));
    assert_eq!(
        (room.incident.part(&seat(Role::Sme)), room.incident.doer(Role::Sme)),
        (" (played by the exercise)", None)
    );
    let line = room.incident.timeline().lines().next_back().unwrap().text;
    assert_eq!(&*line, "sara is Subject Matter Expert, played by the exercise");
    room.ask("li", 63, stand_in(Role::Sme, "omid")).unwrap_err();
    room.ask("li", 64, Command::TakeRole(seat(Role::Sme))).unwrap();
    assert_eq!((room.incident.part(&seat(Role::Sme)), room.incident.doer(Role::Sme)), ("", Some(&"li".into())));
    room.ask("dana", 65, Command::TakeRole(seat(Role::Sme))).unwrap_err();
    room.ask("dana", 66, stand_in(Role::Scribe, "sara")).unwrap();
    room.ask("dana", 67, Command::LeaveRole(seat(Role::Scribe), None)).expect("nobody is hurt: no reason is asked for");
    assert!(room.incident.played.is_empty());
}

#[test]
fn what_every_console_sees_of_a_run_stands_on_the_timeline_once() {
    let mut room = Room::declared();
    room.ask("omid", 70, Command::StartRun(order(Some(step_of("restart")), true))).unwrap();
    let run = room.incident.runs[0].id;
    let remark = |remark| Event::CommandRemarked(CommandRemarked { run, remark });
    let all = [
        Remark::Overtime,
        Remark::Overtime,
        Remark::Granted(300),
        Remark::Overtime,
        Remark::Unwatched(7),
        Remark::Unwatched(7),
    ];
    for (number, one) in (1..).zip(all) {
        room.incident.apply([entry(2, number, 80 + i64::try_from(number).unwrap(), "dana", remark(one))]);
    }
    let told = |words: &str| room.incident.timeline().lines().filter(|line| line.text.contains(words)).count();
    assert_eq!((told("over its time"), told("watcher is gone"), told("may go on")), (2, 1, 1));
}

#[test]
fn a_step_whose_command_failed_is_not_ticked_without_a_word() {
    let mut room = Room::declared();
    room.ask("omid", 70, Command::StartRun(order(Some(step_of("restart")), true))).unwrap();
    let ended = CommandEnded {
        run: room.incident.runs[0].id,
        ending: Ending::Exited(1),
        took_ms: 5,
        bytes: 0,
        dropped: 0,
        tail: "".into(),
        left_running: false,
        left: Vec::new(),
        outcome: None,
        captured: None,
    };
    room.ask("omid", 71, Command::EndRun(ended)).unwrap();
    let done = StepDone { step: step_of("restart"), title: "Restart".into() };
    let Err(Refusal::WantsReason(why)) = room.ask("omid", 72, Command::CheckStep(done.clone())) else { panic!() };
    assert_eq!(why.to_string(), "its command ended with exit 1: why is it done all the same?");
    room.ask("omid", 73, Command::CheckStep(done).with_reason("restarted by hand".into())).unwrap();
    let last = room.incident.timeline().lines().last().unwrap();
    assert_eq!(last.text.as_str(), "Restart is done though its command ended with exit 1: restarted by hand");
}
