//! Each exercise played by a script: once well, once with its wrong turn, once left alone.

use super::*;
use crate::exercise::{SHIPPED, World};
use crate::incident::StepDone;
use crate::incident::command::decide;
use crate::incident::tests::{at, entry};
use crate::incident::{
    Asking, Command, DecisionMade, DecisionProposed, DrillStarted, IncidentId, PhaseEntered, ProofLine, Seat, Severity,
    StatusUpdate, StepRef,
};
use crate::live::WatchedObjective;
use crate::playbook::Catalogue;
use crate::slo::{Grid, ObjectiveId};

/// A room that plays an exercise, by the drill's clock.
struct Play {
    exercise: Exercise,
    incident: Incident,
    next: u64,
}

impl Play {
    fn new(name: &str) -> Self {
        let exercise = Exercise::parse(name, Exercise::shipped(name).unwrap()).unwrap();
        let mut play = Self { exercise, incident: Incident::new(IncidentId::drill(1)), next: 1 };
        let started =
            DrillStarted { exercise: name.into(), seed: 3, start: at(0), speed: 1.0, source: None, staging: None };
        play.say(0, Event::DrillStarted(started));
        play.say(0, Event::Declared(play.exercise.declaration(at(0), "UTC".into())));
        if let Some(since) = play.exercise.impact_start(at(0)) {
            play.say(0, Event::ImpactStarted(crate::incident::ImpactAt { at: since, ..Default::default() }));
        }
        play
    }

    fn say(&mut self, seconds: i64, event: Event) {
        self.incident.apply([entry(1, self.next, seconds, "dana", event)]);
        self.next += 1;
    }

    fn ask(&mut self, seconds: i64, command: Command) {
        let events = decide(&self.incident, command, &Asking::new("dana".into(), at(seconds)));
        for event in events.unwrap_or_else(|why| panic!("{why} at {seconds}")) {
            self.say(seconds, event);
        }
    }

    /// What every room does well in its first five minutes.
    fn begin_well(&mut self) {
        for role in Role::ALL {
            self.ask(40, Command::TakeRole(Seat { role, component: None }));
        }
        self.ask(60, Command::Acknowledge);
        self.ask(70, Command::EnterPhase(Phase::Triage, None));
        self.ask(80, Command::SetSeverity(Severity::Sev1, None));
    }

    fn update(&mut self, seconds: i64) {
        let update =
            StatusUpdate { channels: Channel::ALL.into(), text: "we are on it".into(), ..StatusUpdate::default() };
        self.say(seconds, Event::StatusUpdatePosted(update));
    }

    fn decide(&mut self, seconds: i64, what: &str) {
        let proposal = DecisionProposed {
            action: what.into(),
            risk: "writes of the last seconds may be lost".into(),
            undo: "back".into(),
            plan_b: None,
            until: at(seconds + 60),
        };
        self.say(seconds, Event::DecisionProposed(proposal));
        let decision = self.incident.decisions.last().unwrap().id;
        self.say(
            seconds + 30,
            Event::DecisionMade(DecisionMade { decision, go: true, present: Vec::new(), reason: None }),
        );
    }

    fn tick(&mut self, seconds: i64, title: &str) {
        let step = title;
        let step = StepRef { service: self.exercise.service.clone(), step: step.into() };
        self.ask(seconds, Command::CheckStep(StepDone { step, title: title.into() }));
    }

    /// The objectives that are broken at a moment.
    fn broken(&self, seconds: i64) -> Vec<CleanStr> {
        let mut world = World::new(&self.exercise, 3, at(0));
        world.set_steps_done(&self.incident.ticks);
        let catalogue = Catalogue::shipped();
        let service = &self.exercise.service;
        let objectives = &catalogue.get(service).unwrap().objectives;
        let broken = objectives.iter().filter(|objective| {
            let id = ObjectiveId { service: service.clone(), objective: objective.id.clone() };
            let watched = WatchedObjective { reach: None, id, objective: (*objective).clone() };
            let grid = Grid { start: at(seconds), resolution: TimeDelta::seconds(10), len: 1 };
            let value = world.measured(&watched, grid, at(seconds)).series[0].values[0].unwrap();
            objective.is_broken_by(value).unwrap()
        });
        broken.map(|objective| objective.id.clone()).collect()
    }

    /// Resolves it with what the world shows.
    fn resolve(&mut self, seconds: i64) {
        let broken = self.broken(seconds);
        let proof =
            vec![ProofLine { what: "objectives".into(), met: broken.is_empty(), seen: format!("{broken:?}").into() }];
        let entered = PhaseEntered { proof, ..PhaseEntered::plain(Phase::Resolved) };
        self.say(seconds, Event::PhaseEntered(entered));
    }

    fn debrief(&self, seconds: i64) -> Debrief {
        debrief(&self.exercise, &self.incident, &Cadence::default(), at(seconds)).unwrap()
    }

    /// The rules of the criteria that were not met, by name.
    fn missed(&self, seconds: i64) -> Vec<String> {
        let debrief = self.debrief(seconds);
        let missed = debrief
            .criteria
            .iter()
            .zip(&self.exercise.success)
            .filter(|((_, verdict), _)| !matches!(verdict, Verdict::Met(_)));
        missed
            .map(|(_, criterion)| format!("{:?}", criterion.rule).split([' ', '(']).next().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_role_that_the_exercise_played_is_named_and_counts_as_held_until_a_person_takes_it() {
    let mut play = Play::new("qrpay-web-cache-eviction");
    for role in [Role::IncidentCommander, Role::CommunicationsLead, Role::Scribe] {
        play.ask(40, Command::TakeRole(Seat { role, component: None }));
    }
    let roles = |play: &Play| {
        let debrief = play.debrief(600);
        let place = play.exercise.success.iter().position(|one| matches!(one.rule, Rule::Roles(_))).unwrap();
        (debrief.criteria[place].1.clone(), debrief.markdown())
    };
    play.ask(50, Command::StandIn(Role::Sme, "sara".into()));
    let (verdict, text) = roles(&play);
    assert_eq!(verdict, Verdict::Met("all roles held (SME played by the exercise: sara) after 1 min 20 s".to_owned()));
    assert!(text.contains("\nSME played by the exercise: sara.\n"), "{text}");
    play.ask(90, Command::TakeRole(Seat { role: Role::Sme, component: None }));
    assert!(play.incident.played.is_empty() && play.incident.holds("dana", Role::Sme));
    assert_eq!(roles(&play).0, verdict, "it was so when all were held");
    assert_eq!(play.debrief(600).stand_ins, [(Role::Sme, "sara".into())]);
}

#[test]
fn a_step_that_was_ticked_shows_what_stands_there_by_then_and_once() {
    let mut play = Play::new("blubank-settlement-failure");
    let shown = |play: &Play, seconds| -> Vec<String> {
        let all = play.exercise.shown(&play.incident.ticks, at(seconds));
        all.into_iter()
            .map(|(when, one)| format!("{} {:.25}", (when - at(0)).num_seconds(), one.text.as_str()))
            .collect()
    };
    assert_eq!(shown(&play, 900), [""; 0]);
    play.tick(100, "settlement-batch");
    play.tick(200, "pause-batch");
    assert_eq!(shown(&play, 99), [""; 0]);
    assert_eq!(shown(&play, 900), ["100 batch 20260-114: running;"]);
    let mut late = Play::new("blubank-settlement-failure");
    late.tick(200, "pause-batch");
    late.tick(300, "settlement-batch");
    assert_eq!(shown(&late, 900), ["300 batch 20260-114: paused; "]);
}

#[test]
fn the_schedule_counts_staging_with_pre_brief_and_filed_debrief_and_shows_practice_and_what_was_left_apart() {
    use crate::exercise::schedule::{debriefs_of, schedule};
    use crate::incident::{ArticleRecorded, Staging};
    let practised = play(&SCRIPTS[0], SCRIPTS[0].ways[0], 1500).incident;
    let left = Play::new(SCRIPTS[1].name).incident;
    let now = at(86_400);
    let slots =
        |records: &[Incident]| schedule(Exercise::all_shipped(), &debriefs_of(records, &Cadence::default(), now), now);
    let of = |records: &[Incident], script: &Script| {
        slots(records).into_iter().find(|slot| slot.exercise.name == *script.name).unwrap()
    };
    let records = [practised.clone(), left];
    let slot = of(&records, &SCRIPTS[0]);
    assert_eq!((slot.counted, slot.practised, slot.is_due), (0, 1, true), "practice makes nothing due later");
    assert_eq!(slot.last.as_ref().unwrap().score(), (8, 8));
    let abandoned = of(&records, &SCRIPTS[1]);
    assert_eq!((abandoned.practised, abandoned.abandoned, abandoned.is_due), (0, 1, true));

    // The same acts, in staging.
    let staged = |is_briefed: bool, is_filed: bool| {
        let mut entries: Vec<_> = practised.entries().cloned().collect();
        if let Event::DrillStarted(drill) = &mut entries[0].event {
            let prometheus = "https://prometheus.staging.example/".into();
            drill.staging =
                Some(Staging { prometheus, proof: "all targets have environment=staging".into(), is_briefed });
        }
        if is_filed {
            let article = ArticleRecorded { url: "https://wiki.example/debrief".into() };
            entries.push(entry(1, 900, 1_600, "dana", Event::ArticleRecorded(article)));
        }
        of(&[Incident::replay(IncidentId::drill(1), entries)], &SCRIPTS[0])
    };
    for (is_briefed, is_filed) in [(false, false), (true, false), (false, true)] {
        let slot = staged(is_briefed, is_filed);
        assert_eq!((slot.counted, slot.practised, slot.is_due), (0, 1, true), "{is_briefed} {is_filed}");
    }
    let slot = staged(true, true);
    assert_eq!((slot.counted, slot.practised, slot.is_due), (1, 0, false));
    assert_eq!(slot.due, crate::playbook::Frequency::Quarterly.after(at(0).date_naive()));
    let page = slot.staged.unwrap().markdown();
    assert!(page.contains("A drill, in staging at https://prometheus.staging.example/"), "{page}");
    assert!(page.contains("the schedule counts it"), "{page}");
}

#[test]
fn the_same_acts_give_the_same_debrief_world_and_people_at_any_speed() {
    for script in &SCRIPTS {
        let plain = play(script, script.wrong, 1000);
        let told = |play: &Play| {
            let done = play.incident.ticks.clone();
            let cues = play
                .exercise
                .cues(&done, &Default::default(), at(0), at(1000))
                .into_iter()
                .map(|(at, cue)| format!("{at} {cue:?}"));
            (play.debrief(1000), play.broken(900), cues.collect::<Vec<_>>())
        };
        for speed in [60.0, 1000.0] {
            // The same entries, as a room wrote them whose drill ran so much faster.
            let mut fast =
                Play { incident: Incident::new(IncidentId::drill(1)), next: 1, exercise: plain.exercise.clone() };
            let mut entries: Vec<_> = plain.incident.entries().cloned().collect();
            for entry in &mut entries {
                let since = (entry.wall - at(0)).num_milliseconds() as f64 / speed;
                entry.wall = at(0) + TimeDelta::milliseconds(since.ceil() as i64);
                if let Event::DrillStarted(drill) = &mut entry.event {
                    drill.speed = speed;
                }
            }
            fast.incident.apply(entries);
            let (one, other) = (told(&plain), told(&fast));
            let rounded = |debrief: &Debrief| {
                let criteria = debrief.criteria.iter().map(|(what, verdict)| format!("{what} {verdict:?}"));
                (criteria.collect::<Vec<_>>(), debrief.end, debrief.wrong_turns.len())
            };
            assert_eq!((rounded(&one.0), &one.1), (rounded(&other.0), &other.1), "{} at {speed}", script.name);
            assert_eq!(one.2.len(), other.2.len());
        }
    }
}

#[test]
fn a_sketch_of_every_playbook_is_an_exercise_that_can_be_played() {
    let catalogue = Catalogue::shipped();
    for playbook in catalogue.iter() {
        let exercise = Exercise::parse("sketch", &Exercise::sketch(playbook)).unwrap();
        assert_eq!(exercise.missing(&catalogue), [""; 0]);
        assert!(exercise.briefing(None).contains("It went well when"));
    }
    for exercise in Exercise::all_shipped() {
        assert_eq!(exercise.missing(&catalogue), [""; 0], "{}", exercise.name);
    }
}

/// An exercise, the steps of its two ways out, and those of its wrong turn, with what is missed then.
struct Script {
    name: &'static str,
    ways: [&'static [&'static str]; 2],
    wrong: &'static [&'static str],
    missed: &'static [&'static str],
}

const SCRIPTS: [Script; 4] = [
    Script {
        name: "alipay-timeout-storm",
        ways: [&["backup-available", "route-to-backup"], &["shed-retries"]],
        wrong: &["route-to-backup"],
        missed: &["Done", "Proven"],
    },
    Script {
        name: "blubank-settlement-failure",
        ways: [&["pause-batch", "restart-workers", "bank-support"], &["pause-batch", "bank-support"]],
        wrong: &["restart-workers", "pause-batch", "bank-support"],
        missed: &["Done", "Avoided", "Proven"],
    },
    Script {
        name: "yoomonea-regional-outage",
        ways: [&["secondary-workspace", "secondary-ready", "regional-failover"], &[]],
        wrong: &["scale-pods", "regional-failover"],
        missed: &["Done", "Avoided", "Avoided", "Proven"],
    },
    Script {
        name: "qrpay-web-cache-eviction",
        ways: [&["laravel-cache", "limit-load", "warm-cache"], &["laravel-cache", "limit-load"]],
        wrong: &["warm-cache", "rollback"],
        missed: &["Done", "Avoided", "Avoided", "Proven"],
    },
];

fn play(script: &Script, steps: &[&str], resolved: i64) -> Play {
    let mut play = Play::new(script.name);
    play.begin_well();
    play.update(300);
    play.decide(400, "do what the playbook says");
    for (place, step) in steps.iter().enumerate() {
        play.tick(450 + 10 * place as i64, step);
    }
    for seconds in (1000..resolved).step_by(800) {
        play.update(seconds);
    }
    play.resolve(resolved);
    play
}

#[test]
fn every_exercise_has_a_script() {
    assert_eq!(SCRIPTS.map(|script| script.name), SHIPPED.map(|(name, ..)| name));
}

#[test]
fn all_is_well_before_something_is_wrong_when_it_opens_and_it_gets_worse_when_nobody_acts() {
    for script in &SCRIPTS {
        let play = Play::new(script.name);
        assert_eq!(play.broken(-600), [""; 0], "{}", script.name);
        let (opening, later) = (play.broken(0), play.broken(600));
        assert!(!opening.is_empty() && later.len() >= opening.len(), "{}: {opening:?} {later:?}", script.name);
    }
}

#[test]
fn played_well_every_criterion_is_met_by_either_way_out() {
    for script in &SCRIPTS {
        for (way, resolved) in script.ways.iter().zip([1500, 2000]) {
            let play = play(script, way, resolved);
            assert_eq!(play.broken(resolved), [""; 0], "{} by {way:?}", script.name);
            let by = |rule: &str| way.len() > 1 || rule != "Done";
            let missed: Vec<_> = play.missed(resolved + 60).into_iter().filter(|rule| by(rule)).collect();
            assert_eq!(missed, [""; 0], "{} by {way:?}: {}", script.name, play.debrief(resolved).markdown());
            let debrief = play.debrief(resolved);
            assert_eq!((debrief.end, debrief.wrong_turns.len()), (End::Completed, 0));
        }
    }
}

#[test]
fn the_wrong_turn_costs_exactly_what_the_exercise_says() {
    for script in &SCRIPTS {
        let play = play(script, script.wrong, 1000);
        let right = super::tests::play(script, script.ways[0], 1000);
        let (wrong, right) = (play.broken(900), right.broken(900));
        assert!(wrong.len() > right.len(), "{}: {wrong:?} {right:?}", script.name);
        let debrief = play.debrief(1000);
        assert_eq!(play.missed(1000), script.missed, "{}", debrief.markdown());
        assert!(!debrief.wrong_turns.is_empty() && debrief.markdown().contains("## Wrong turns"), "{}", script.name);
    }
}

#[test]
fn a_drill_that_was_left_is_abandoned_and_nothing_of_it_counts_as_met() {
    for script in &SCRIPTS {
        let play = Play::new(script.name);
        let early = play.debrief(30);
        assert_eq!(early.end, End::Running);
        assert!(early.criteria.iter().all(|(_, verdict)| *verdict == Verdict::Open), "{}", early.markdown());
        let late = play.debrief(3 * 30 * 60 + 1);
        assert_eq!(late.end, End::Abandoned);
        let unmet = |(what, verdict): &(CleanStr, Verdict)| {
            matches!(verdict, Verdict::Missed(_))
                || what.contains("no ")
                || what.contains("nothing")
                || what.contains("not ")
                || what.contains("alone")
        };
        assert!(late.criteria.iter().all(unmet), "{}", late.markdown());
    }
}

#[test]
fn steps_and_signals_of_every_exercise_exist_and_its_cues_come_in_order() {
    let catalogue = Catalogue::shipped();
    let exists = |name: &str| {
        let (service, step) = name.split_once('/').unwrap();
        catalogue.get(service).is_some_and(|playbook| playbook.step(step).is_some())
    };
    for script in &SCRIPTS {
        let exercise = Play::new(script.name).exercise;
        let triggers = exercise.faults.iter().filter_map(|fault| fault.when.as_ref());
        let triggers = triggers.chain(exercise.injects.iter().filter_map(|inject| inject.when.as_ref()));
        let mut steps: Vec<&str> = triggers
            .flat_map(|trigger| trigger.unless.iter().chain([&trigger.step]))
            .map(|step| step.as_str())
            .collect();
        steps.extend(
            exercise
                .relief
                .iter()
                .flat_map(|relief| relief.needs.iter().chain([&relief.step]))
                .map(|step| step.as_str()),
        );
        steps.extend(exercise.hints.iter().flat_map(|hint| &hint.unless).map(|step| step.as_str()));
        for step in steps {
            assert!(exists(step), "{}: {step}", script.name);
        }
        // Customers are owed a word a quarter of an hour after they began to hurt: then the page fails.
        let due = (TimeDelta::minutes(15) - TimeDelta::from(exercise.opening.impact.unwrap())).num_seconds();
        let page = exercise.injects.iter().find(|inject| inject.id == *"status-page").unwrap();
        let at_page = TimeDelta::from(page.at.unwrap()).num_seconds();
        assert!((due..due + 120).contains(&at_page), "{}: {at_page} s, due after {due} s", script.name);
        assert!(page.text.contains("time") && page.text.contains("status page"), "{}", page.text);
        let cues = exercise.cues(&[], &Default::default(), at(0), at(1800));
        assert!(cues.len() >= 5 && cues.is_sorted_by_key(|(at, _)| *at), "{cues:?}");
        assert_eq!(exercise.cues(&[], &Default::default(), at(0), at(60)), []);
        assert_eq!(exercise.next_hint(&[1], &[]).unwrap().0, 2);
        assert_eq!(exercise.next_hint(&[1, 2, 3], &[]), None);
    }
}
