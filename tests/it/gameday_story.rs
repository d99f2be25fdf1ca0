//! The four exercises, each played by a script of people: well, by the other way out, with its wrong turn, and abandoned.
//!
//! What is real: three whole consoles that get key presses and are drawn; one journal file that each of them reads back; for each console the simulated
//! source itself as the shell starts it, a task of a runtime whose time is paused, so that half an hour passes as soon as everybody waits for it; the
//! opening entries of `gameday run`; the debrief and the schedule as the commands compute them. What is not: the terminal, the journal's two threads
//! (entries are written and read back at once, between two messages) and the wall clock, which follows the runtime's.

mod acts;
mod room;

use acts::{EVICTION, OUTAGE, SETTLEMENT, STORM, Script, Steps, at};
use chrono::TimeDelta;
use room::{Room, start};
use warroom::exercise::debrief::{End, Verdict};
use warroom::exercise::script::{Cue, Rule};
use warroom::exercise::{Exercise, World};
use warroom::incident::{Entry, Event, Phase, StepRef, Ticked};

/// Fast enough that a drill is some dozens of reports; moments of the drill are milliseconds of the wall.
const SPEED: f64 = 1000.0;

/// Each criterion in the file's words, and whether it was met: nothing is left open.
#[track_caller]
fn verdicts(room: &Room) -> Vec<(String, bool)> {
    let is_met = |verdict: &Verdict| match verdict {
        Verdict::Met(_) => true,
        Verdict::Missed(_) | Verdict::NotReached(_) => false,
        Verdict::Open => panic!("it is over, and nobody can say"),
    };
    room.debrief().criteria.iter().map(|(what, verdict)| (what.to_string(), is_met(verdict))).collect()
}

/// All criteria of an exercise: met but for these.
fn all_but(exercise: &Exercise, missed: &[&str]) -> Vec<(String, bool)> {
    exercise.success.iter().map(|one| (one.what.to_string(), !missed.contains(&one.what.as_str()))).collect()
}

/// All criteria of an exercise: met where their rule is one of some.
fn met_where(exercise: &Exercise, is_met: impl Fn(&Rule) -> bool) -> Vec<(String, bool)> {
    exercise.success.iter().map(|one| (one.what.to_string(), is_met(&one.rule))).collect()
}

/// Which criteria the exercise's own rules say that such steps cost.
fn cost(exercise: &Exercise, steps: Steps) -> Vec<&str> {
    let done = |name: &str| {
        let (_, wanted) = name.split_once('/').unwrap();
        steps.iter().find(|(_, step)| *step == wanted).map(|(time, _)| at(time))
    };
    let is_missed = |rule: &Rule| match rule {
        Rule::Done { step, before, .. } => match (done(step), before.as_ref().and_then(|before| done(before))) {
            (Some(first), Some(next)) => first > next,
            (first, _) => first.is_none(),
        },
        Rule::Avoided(id) => {
            let fault = exercise.faults.iter().find(|fault| fault.id == *id).unwrap();
            let turn = fault.when.as_ref().unwrap();
            let is_kept = |taken: i64| turn.unless.iter().any(|name| done(name).is_some_and(|before| before <= taken));
            done(&turn.step).is_some_and(|taken| !is_kept(taken))
        }
        _ => false,
    };
    exercise.success.iter().filter(|one| is_missed(&one.rule)).map(|one| one.what.as_str()).collect()
}

/// Whoever was to get in touch by now did, on the second, and stands on the timeline once, however many consoles heard it.
#[track_caller]
fn everybody_was_heard_once(room: &mut Room) {
    let (done, now) = (room.done(), room.now());
    let due = room.exercise.cues(&done, &Default::default(), start(), now).into_iter().map(|(at, cue)| {
        let key = match cue {
            Cue::Inject(inject) => format!("inject/{}", inject.id),
            Cue::Hint(number, _) => format!("hint/{number}"),
        };
        (key, vec![(at - start()).num_seconds()])
    });
    let shown =
        room.exercise.shown(&done, now).into_iter().map(|(at, shown)| {
            (format!("shows/{}/{}", shown.step, at.timestamp()), vec![(at - start()).num_seconds()])
        });
    let due: std::collections::BTreeMap<_, _> = due.chain(shown).collect();
    assert_eq!(room.heard(), due);
    let lines = room.incident().timeline().lines().filter(|line| line.tag == "in").count();
    assert_eq!(lines, due.len());
}

/// How the exercise stands in the schedule: completed runs that do not count, abandoned ones, and whether it is due.
fn standing(room: &Room) -> (usize, usize, bool) {
    let slots = room.schedule();
    let slot = slots.iter().find(|slot| slot.exercise.name == room.exercise.name).unwrap();
    assert_eq!(slot.last.is_some(), slot.practised > 0);
    assert_eq!(
        slots.iter().map(|slot| slot.practised + slot.abandoned).sum::<usize>(),
        1,
        "of the others none was played"
    );
    (slot.practised, slot.abandoned, slot.is_due)
}

async fn played(script: &Script, steps: (Steps, &'static str)) -> Room {
    let mut room = Room::new(script.exercise, SPEED);
    room.play(&script.acts(steps)).await;
    everybody_was_heard_once(&mut room);
    room.reads_the_same_tomorrow();
    assert_eq!(room.debrief().end, End::Completed, "{}", room.screen("ira"));
    // It was practised; what is simulated never makes an exercise due later.
    assert_eq!(standing(&room), (1, 0, true));
    room
}

async fn well(script: &Script, steps: (Steps, &'static str)) {
    let room = played(script, steps).await;
    assert_eq!(verdicts(&room), all_but(&room.exercise, &[]), "{:#?}", room.debrief());
    assert_eq!(room.debrief().wrong_turns, []);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_asks_the_backup_first_weathers_the_timeout_storm() {
    well(&STORM, STORM.well).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_pauses_the_batch_first_gets_the_transfers_settled() {
    well(&SETTLEMENT, SETTLEMENT.well).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_proves_the_secondary_ready_fails_over_from_the_outage() {
    well(&OUTAGE, OUTAGE.well).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_limits_the_load_first_fills_the_cache_again() {
    well(&EVICTION, EVICTION.well).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_stops_the_retries_waits_for_the_provider_to_recover() {
    well(&STORM, STORM.other).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_has_the_bank_take_the_item_out_needs_no_restart() {
    well(&SETTLEMENT, SETTLEMENT.other).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_made_nothing_worse_is_through_when_the_region_comes_back() {
    well(&OUTAGE, OUTAGE.other).await;
}

#[tokio::test(start_paused = true)]
async fn a_room_that_only_limits_the_load_sees_the_cache_fill_by_itself() {
    well(&EVICTION, EVICTION.other).await;
}

async fn wrong(script: &Script) {
    let room = played(script, script.wrong).await;
    let exercise = &room.exercise;
    assert_eq!(cost(exercise, script.wrong.0), script.missed, "the file's rules say something else");
    assert_eq!(verdicts(&room), all_but(exercise, script.missed), "{:#?}", room.debrief());
    let turns = exercise.faults.iter().filter(|fault| fault.when.is_some()).count();
    assert_eq!(room.debrief().wrong_turns.len(), turns, "the debrief names each wrong turn that was taken");

    // The graphs got worse than those of a room that did it well, and came back.
    let (objective, time) = script.shows;
    let done = script.well.0.iter().map(|(time, step)| {
        let step = StepRef { service: exercise.service.clone(), step: (*step).into() };
        Ticked::since(step, start() + TimeDelta::seconds(at(time)))
    });
    let mut world = World::new(exercise, room::SEED, start());
    world.set_steps_done(&done.collect::<Vec<_>>());
    let (shown, without) = (room.value(objective, at(time)), room.value_in(&world, objective, at(time)));
    assert!(shown > without * 1.5, "{objective} at {time}: {shown} against {without}");
    assert!(room.is_broken(objective, at(time)) && !room.is_broken(objective, at(script.wrong.1)));
}

#[tokio::test(start_paused = true)]
async fn routing_to_a_backup_that_nobody_asked_costs_its_criterion_and_nothing_else() {
    wrong(&STORM).await;
}

#[tokio::test(start_paused = true)]
async fn restarting_workers_in_the_middle_of_a_batch_costs_its_two_criteria() {
    wrong(&SETTLEMENT).await;
}

#[tokio::test(start_paused = true)]
async fn more_pods_and_a_failover_to_who_knows_what_cost_their_three_criteria() {
    wrong(&OUTAGE).await;
}

#[tokio::test(start_paused = true)]
async fn warming_a_cold_cache_under_load_and_rolling_back_cost_their_two_criteria() {
    wrong(&EVICTION).await;
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_is_aborted_is_abandoned_and_nobody_gets_in_touch_any_more() {
    for script in [STORM, SETTLEMENT, OUTAGE, EVICTION] {
        let mut room = Room::new(script.exercise, SPEED);
        let abort = acts::keys("5:30", "ira", ":abort-drill\nj\n");
        room.play(&acts::in_order([acts::opening(), acts::update("3:30"), abort])).await;
        assert_eq!(room.incident().phase(), Phase::Closed, "{}", room.screen("ira"));
        everybody_was_heard_once(&mut room);
        let heard = room.heard();
        room.until(at("25:00")).await;
        assert_eq!(room.heard(), heard, "the drill is over");
        assert_eq!(room.debrief().end, End::Abandoned);
        assert_eq!(standing(&room), (0, 1, true));
        // What was done in time stays done, no wrong turn was taken; all the rest was not done.
        let is_kept = |rule: &Rule| {
            matches!(
                rule,
                Rule::Acknowledged(_) | Rule::Roles(_) | Rule::FirstUpdate(_) | Rule::Cadence | Rule::Avoided(_)
            )
        };
        assert_eq!(verdicts(&room), met_where(&room.exercise, is_kept), "{:#?}", room.debrief());
    }
}

#[tokio::test(start_paused = true)]
async fn what_began_and_what_ended_in_a_drill_is_written_once_though_three_consoles_see_it() {
    let mut room = Room::new(STORM.exercise, 60.0);
    room.play(&STORM.acts(STORM.well)).await;
    let mut told: Vec<(String, &str, String)> = Vec::new();
    for entry in room.entries() {
        match &entry.event {
            Event::SymptomBegan(body) => told.push((body.title.to_string(), "began", entry.via.console.to_string())),
            Event::SymptomEnded(body) => told.push((body.title.to_string(), "ended", entry.via.console.to_string())),
            _ => {}
        }
    }
    let ended = told.iter().filter(|(_, what, _)| *what == "ended").count();
    assert!(ended > 0, "nothing ended: {told:?}");
    // The first who may write does, and the others see that it stands there.
    assert!(told.iter().all(|(_, _, console)| console == "console-cora"), "{told:?}");
    let of =
        |title: &str| told.iter().filter(|(known, _, _)| known == title).map(|(_, what, _)| *what).collect::<Vec<_>>();
    for (title, _, _) in &told {
        assert!(of(title).windows(2).all(|pair| pair[0] != pair[1]), "{title}: {:?}", of(title));
    }
    let lines = room.incident().timeline().lines().filter(|line| ["ALERT", "BREACH"].contains(&line.tag)).count();
    let linked = room.incident().alerts.len();
    assert_eq!(lines, told.len() + linked, "each of them is one line");
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_everybody_left_is_abandoned_when_its_time_is_long_over() {
    let mut room = Room::new(STORM.exercise, SPEED);
    room.play(&acts::opening()).await;
    room.until(at("90:00")).await;
    assert_eq!(room.debrief().end, End::Running);
    room.until(at("90:03")).await;
    assert_eq!(room.debrief().end, End::Abandoned);
    everybody_was_heard_once(&mut room);
    assert_eq!(standing(&room), (0, 1, true));
    let is_kept = |rule: &Rule| matches!(rule, Rule::Acknowledged(_) | Rule::Roles(_));
    assert_eq!(verdicts(&room), met_where(&room.exercise, is_kept), "{:#?}", room.debrief());
}

/// The record of a drill with all that may differ between two runs taken out, an entry a line.
///
/// What may differ: the random name of the journal file's writer (in ids), the clock's speed itself, and the wall's stamps. Those are put back on the
/// drill's clock, where they must agree to the second. A wall clock of milliseconds shows a thousandth of a drill's second at speed 1000, so people act
/// at multiples of three seconds, which are whole milliseconds at each speed; and whoever gets in touch is written down with the moment at which they
/// did, while the stamp of that entry is the first millisecond of the wall after it, which is a second later there.
async fn record_at(speed: f64) -> Vec<String> {
    // Fewer requests leave a trace: at speed 1 each console looks a hundred and fifty times at all of a quarter of an hour.
    let text = Exercise::shipped(SETTLEMENT.exercise).unwrap().replace("traced = 0.4", "traced = 0.02");
    let mut room = Room::with_text(SETTLEMENT.exercise, &text, speed);
    let (steps, _) = SETTLEMENT.wrong;
    let ticks = steps.iter().map(|(time, step)| acts::tick(time, "dana", step));
    let more = [
        acts::opening(),
        acts::keys("2:45", "dana", ":hint\n"),
        acts::update("3:30"),
        acts::keys("4:12", "ira", ":inject\n"),
        acts::decision("5:30", "restart the workers"),
        acts::update("9:39"),
        // The proof is looked at when the graphs were just drawn, whatever the wall says of how often they are.
        acts::tick("12:30", "dana", "confirm-recovery"),
        acts::keys("12:33", "ira", ":resolve\n^seen by eye\n"),
    ];
    room.play(&acts::in_order(more.into_iter().chain(ticks))).await;
    assert_eq!(room.debrief().end, End::Completed);
    let mut lines = vec![format!("{:#?}", room.debrief())];
    // What consoles saw begin and end they saw when they looked, and they look no more often in a drill that is played fast.
    let is_seen = |entry: &Entry| matches!(entry.event, Event::SymptomBegan(_) | Event::SymptomEnded(_));
    let entries: Vec<_> = room.entries().into_iter().filter(|entry| !is_seen(entry)).collect();
    for entry in &entries {
        let mut value: serde_json::Value = serde_json::from_str(&entry.to_json()).unwrap();
        let at = match &entry.event {
            Event::ForeignNoted(noted) => noted.at,
            _ => room.shown_at(entry.wall),
        };
        if let Event::DrillStarted(_) = &entry.event {
            value["body"]["speed"] = serde_json::Value::Null;
        }
        let (kind, body, console) = (&value["kind"], &value["body"], &value["via"]["console"]);
        let line = format!("{at} {} {console} {kind} {body}", entry.actor);
        let named = |line: String, (place, entry): (usize, &Entry)| {
            line.replace(&format!("\"{}\"", entry.id), &format!("entry {place}"))
        };
        lines.push(entries.iter().enumerate().fold(line, named));
    }
    let said = format!("speed {speed}×");
    let told = |text: &str| text.replace(&said, "some speed");
    let incident = room.incident();
    let timeline =
        incident.timeline().lines().filter(|line| incident.entry(line.id).is_none_or(|entry| !is_seen(entry)));
    lines.extend(timeline.map(|line| format!("{} {} {}", line.at, line.tag, told(&line.text))));
    lines
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_the_same_acts_give_the_same_record_at_every_speed() {
    let live = record_at(1.0).await;
    assert!(live.len() > 60, "{live:#?}");
    for speed in [60.0, 1000.0] {
        let fast = record_at(speed).await;
        for (live, fast) in live.iter().zip(&fast) {
            assert_eq!(live, fast, "at speed {speed}");
        }
        assert_eq!(live.len(), fast.len());
    }
}
