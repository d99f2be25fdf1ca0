//! The simulated source: the world of an exercise, reported like a server's answers.
//!
//! Hides when there is something new to say: charts and alerts when their grid advances on the drill's clock, spans a little more often, people on their moment,
//! nothing while the world stands still.
//!
//! Invariant: it never runs ahead of the console: each report waits until there is room for it, and it ends when nobody listens any more.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, watch};

use crate::clock;
use crate::exercise::cast::{CALL_BACK, CallBack};
use crate::exercise::script::{Cue, HINT, Inject};
use crate::exercise::{Exercise, Searched, Shown, World};
use crate::incident::{Clock, Facilitation, ForeignNoted, News, Progress, TaskAnswered, Ticked};
use crate::live::{
    AlertFinding, Before, Exemplars, Finding, Inquiry, Report, Scope, SourceName, Usual, WatchedService, Watchlist,
};
use crate::slo::{Grid, ObjectiveKind};
use crate::text::{CleanStr, CleanText};

/// The source's name.
pub const NAME: SourceName = crate::live::SIMULATED;
/// Under this name comes what this console alone was told, because it asked.
const ASKED: &str = crate::live::FACILITATOR;
/// The simulated servers are scraped so often; a chart is no finer.
const FINEST: TimeDelta = TimeDelta::seconds(10);
/// What was usual is what happened in this time before the incident.
const USUAL: TimeDelta = TimeDelta::hours(1);
/// As long as nothing has gone wrong in staging, nobody gets in touch.
const NEVER: TimeDelta = TimeDelta::days(3_650);
/// The wall clock counts milliseconds: a moment of the drill is over for sure when one more has passed.
const SOON_AFTER: Duration = Duration::from_millis(1);
const SHORTEST_PAUSE: TimeDelta = TimeDelta::seconds(1);
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// What a drill's world is made of: the facts of its first entry, and its clock.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The exercise.
    pub exercise: Exercise,
    /// The same seed gives the same world.
    pub seed: u64,
    /// When the drill started, on its own clock.
    pub start: DateTime<Utc>,
    /// The drill's clock.
    pub clock: Clock,
    /// Whether the world stands still after its first report.
    pub frozen: bool,
    /// It is played in staging: only its people speak here, told from the first fault on, and nothing is measured.
    pub is_staged: bool,
}

/// What the people of an exercise say, or why the facilitator says nothing.
pub type Told = (&'static str, Result<Vec<News>, CleanStr>);

/// Reports the world of a drill until nobody listens any more.
pub async fn run(
    simulation: Simulation,
    watchlists: watch::Receiver<Arc<Watchlist>>,
    progress: watch::Receiver<Progress>,
    inquiries: mpsc::Receiver<Inquiry>,
    reports: mpsc::Sender<Report>,
    told: mpsc::Sender<Told>,
) {
    run_by(clock::wall, simulation, watchlists, progress, inquiries, reports, told).await;
}

/// The same by another wall clock, which must agree with the runtime's: for tests in which time stands still unless they move it.
pub async fn run_by(
    wall: impl Fn() -> DateTime<Utc>,
    simulation: Simulation,
    mut watchlists: watch::Receiver<Arc<Watchlist>>,
    mut progress: watch::Receiver<Progress>,
    mut inquiries: mpsc::Receiver<Inquiry>,
    reports: mpsc::Sender<Report>,
    told: mpsc::Sender<Told>,
) {
    let Simulation { exercise, seed, start, clock: mut drill, frozen, is_staged } = simulation;
    let place = CleanStr::field(&format!("exercise {}, seed {seed}", exercise.title));
    let mut world = Arc::new(World::new(&exercise, seed, start));
    let stands_at = frozen.then(|| drill.show(wall()));
    let now = |drill: &Clock| stands_at.unwrap_or_else(|| drill.show(wall()));
    let (mut has_room, mut has_inquiries) = (true, true);
    let mut asked = Asked::default();
    let mut searched = Searched::default();
    let ready = Finding::Ready { place, every: LONGEST_PAUSE };
    let generation = watchlists.borrow().generation;
    if !is_staged && reports.send(Report { source: NAME, generation, finding: ready }).await.is_err() {
        return;
    }
    loop {
        let Progress { done, clock: told_clock, staged, tasks, hand } = progress.borrow_and_update().clone();
        drill = told_clock.unwrap_or(drill);
        let changed = Arc::make_mut(&mut world);
        changed.set_begun_by_hand(&hand.faults);
        changed.set_steps_done(&done);
        let watchlist = watchlists.borrow_and_update().clone();
        let moment = now(&drill);
        if !is_staged && report(&world, &watchlist, moment, &mut searched, &reports).await.is_none() {
            return;
        }
        let start = if is_staged { world.exercise().staged_since(&staged).unwrap_or(moment + NEVER) } else { start };
        if !frozen {
            // Told again until it is in the record, by whoever writes it there; a console that is busy hears of it next time.
            let (mut common, own) = news(&world, (&done, &hand), start, moment, &asked, &drill);
            common.extend(world.exercise().call_backs(&tasks, &done, moment).into_iter().map(|one| heard(one, &drill)));
            if !is_staged {
                common.extend(world.exercise().shown(&done, moment).into_iter().map(|(at, one)| seen(one, at, &drill)));
            }
            let _ = told.try_send((NAME, Ok(common)));
            let _ = told.try_send((ASKED, Ok(own)));
        }
        // People get in touch on time, however seldom the charts are drawn.
        let next_cue = world.exercise().next_cue(&done, &hand, start, moment);
        let next = next_cue.into_iter().chain(world.exercise().next_call_back(&tasks, moment)).min();
        let until_cue = next.map(|at| (drill.wall(at) - wall()).to_std().unwrap_or_default() + SOON_AFTER);
        let pause = pause(&world, &watchlist, moment, &drill);
        let pause = tokio::time::sleep(until_cue.map_or(pause, |cue| cue.min(pause)));
        tokio::pin!(pause);
        // Until there is something to report, only inquiries are answered.
        loop {
            tokio::select! {
                () = &mut pause, if !frozen => break,
                changed = watchlists.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                changed = progress.changed(), if has_room => match changed {
                    // A world that stands still does not get better either.
                    Ok(()) if frozen => {}
                    Ok(()) => break,
                    Err(_) => has_room = false,
                },
                inquiry = inquiries.recv(), if has_inquiries => match inquiry {
                    Some(Inquiry::Hint | Inquiry::Inject) if frozen => {
                        refuse(&told, "this world stands still, and nobody in it says anything").await;
                    }
                    Some(Inquiry::Hint) => {
                        let at = now(&drill);
                        match next_hint(&world, (&done, &hand), start, at, &asked) {
                            Some(hint) => asked.hints.push((hint, at)),
                            None => refuse(&told, "no more hints for now").await,
                        }
                        break;
                    }
                    Some(Inquiry::Inject) => {
                        let at = now(&drill);
                        match next_inject(&world, (&done, &hand), start, at, &asked) {
                            Some(id) => asked.injects.push((id, at)),
                            None => refuse(&told, "nobody else gets in touch in this exercise").await,
                        }
                        break;
                    }
                    // What is asked of staging is answered there.
                    Some(_) if is_staged => {}
                    Some(inquiry) => {
                        let finding = answer(&world, &inquiry);
                        let generation = watchlist.generation;
                        if reports.send(Report { source: NAME, generation, finding }).await.is_err() {
                            return;
                        }
                    }
                    None => has_inquiries = false,
                },
                () = reports.closed() => return,
            }
        }
    }
}

/// Whoever asked is told why nothing comes; this one waits for room, for it is said once.
async fn refuse(told: &mpsc::Sender<Told>, why: &str) {
    let _ = told.send((ASKED, Err(CleanStr::field(why)))).await;
}

/// What this console asked its facilitator for, and when.
#[derive(Debug, Default)]
struct Asked {
    hints: Vec<(usize, DateTime<Utc>)>,
    injects: Vec<(CleanStr, DateTime<Utc>)>,
}

/// What the room and its facilitator did.
type Room<'a> = (&'a [Ticked], &'a Facilitation);

/// Who gets in touch next.
fn next_inject(
    world: &World,
    (done, hand): Room<'_>,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    asked: &Asked,
) -> Option<CleanStr> {
    let came = world.exercise().cues(done, hand, start, now).into_iter().filter_map(|(_, cue)| match cue {
        Cue::Inject(inject) => Some(inject.id.as_str()),
        Cue::Hint(..) => None,
    });
    let told: Vec<&str> = came.chain(asked.injects.iter().map(|(id, _)| id.as_str())).collect();
    world.exercise().next_inject(&told).map(|inject| inject.id.clone())
}

/// The hint that is given next.
fn next_hint(
    world: &World,
    (done, hand): Room<'_>,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    asked: &Asked,
) -> Option<usize> {
    let mut given: Vec<usize> = asked.hints.iter().map(|(hint, _)| *hint).collect();
    given.extend(world.exercise().cues(done, hand, start, now).into_iter().filter_map(|(_, cue)| match cue {
        Cue::Hint(number, _) => Some(number),
        Cue::Inject(_) => None,
    }));
    world.exercise().next_hint(&given, done).map(|(number, _)| number)
}

/// What came from people so far, at the wall clock's times: to every console of the room, and to this one because it asked.
fn news(
    world: &World,
    (done, hand): Room<'_>,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    asked: &Asked,
    drill: &Clock,
) -> (Vec<News>, Vec<News>) {
    let exercise = world.exercise();
    let said = |service: &str, key: String, who: &CleanStr, at, text: &CleanText| {
        spoken(service, &key, who, drill.wall(at), text.clone(), None)
    };
    let hint = |number: usize, at| {
        let hint = exercise.hints.get(number.checked_sub(1)?)?;
        Some(said(ASKED, format!("{HINT}/{number}"), &CleanStr::field("hint"), at, &hint.text))
    };
    let inject =
        |inject: &Inject, at| said(&inject.via, format!("inject/{}", inject.id), &inject.from, at, &inject.text);
    let brought = asked
        .injects
        .iter()
        .filter_map(|(id, at)| exercise.injects.iter().find(|one| one.id == *id).map(|one| inject(one, *at)));
    let is_brought = |one: &Inject| asked.injects.iter().any(|(id, _)| *id == one.id);
    let cues = exercise.cues(done, hand, start, now).into_iter().filter_map(|(at, cue)| match cue {
        Cue::Inject(one) => (!is_brought(one)).then(|| inject(one, at)),
        Cue::Hint(number, _) => hint(number, at),
    });
    let hints = asked.hints.iter().filter_map(|(number, at)| hint(*number, *at));
    (cues.collect(), hints.chain(brought).collect())
}

/// A call-back, at the wall clock's time.
fn heard(one: CallBack<'_>, drill: &Clock) -> News {
    let text = CleanText::new(&one.answer.text);
    spoken(CALL_BACK, &one.key, &one.person.name, drill.wall(one.at), text, Some(one.answer))
}

/// What a step showed, at the wall clock's time.
fn seen(shown: &Shown, at: DateTime<Utc>, drill: &Clock) -> News {
    let key = format!("shows/{}/{}", shown.step, at.timestamp());
    let text = CleanText::new(&format!("{}: {}", shown.step, shown.text));
    spoken("look", &key, &"the exercise".into(), drill.wall(at), text, None)
}

/// Something that the exercise says, by the wall clock.
fn spoken(
    service: &str,
    key: &str,
    who: &CleanStr,
    at: DateTime<Utc>,
    text: CleanText,
    answers: Option<TaskAnswered>,
) -> News {
    let (service, key) = (CleanStr::field(service), CleanStr::field(key));
    News { noted: ForeignNoted { service, key, who: who.clone(), at, text, link: None, answers }, closes: None }
}

fn answer(world: &World, inquiry: &Inquiry) -> Finding {
    match inquiry {
        // Hints are told where people look: on the timeline.
        Inquiry::Hint | Inquiry::Inject => Finding::Polled,
        Inquiry::Usual(before) => {
            let services = before.services.iter().map(|service| WatchedService {
                service: service.clone(),
                slow: None,
                ..WatchedService::default()
            });
            // A service that fails seldom may not have failed in a quarter of an hour, and then one failure more would be one too many to end with.
            let longer = Before { length: before.length.max(USUAL), ..before.clone() };
            let past = Watchlist { services: services.collect(), lookback: longer.length, ..Watchlist::default() };
            let usual = Usual::of(&longer, &world.spans(&past, before.until).errors);
            Finding::Usual(Usual { before: before.clone(), ..usual })
        }
        Inquiry::Exemplars(asked) => Finding::Exemplars(Exemplars {
            objective: asked.objective.clone(),
            found: Err(CleanStr::field("an exercise has no exemplars: the list of spans has its traces")),
        }),
        Inquiry::Compare(wanted) => Finding::Compared(Box::new(world.compare(wanted))),
        Inquiry::Trace(id) => match world.trace(id) {
            Some(trace) => Finding::Trace(trace),
            None => Finding::NoTrace(
                id.clone(),
                CleanStr::field("no such trace in this exercise: open one from the list of spans"),
            ),
        },
    }
}

fn grid(world: &World, watchlist: &Watchlist, now: DateTime<Utc>) -> Grid {
    world.aligned(now, |now| Grid::covering(watchlist.span, now, watchlist.points, FINEST))
}

/// The wall time until the charts' grid advances, within what is bearable.
fn pause(world: &World, watchlist: &Watchlist, now: DateTime<Utc>, drill: &Clock) -> Duration {
    let grid = grid(world, watchlist, now);
    let left = (grid.end() + grid.resolution - now).num_milliseconds() as f64 / drill.speed();
    let left = TimeDelta::milliseconds(left as i64 + 1).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    left.to_std().unwrap_or(Duration::from_secs(5))
}

/// One whole report; `None` when nobody listens any more.
async fn report(
    world: &Arc<World>,
    watchlist: &Arc<Watchlist>,
    now: DateTime<Utc>,
    searched: &mut Searched,
    reports: &mpsc::Sender<Report>,
) -> Option<()> {
    let generation = watchlist.generation;
    let send = async |finding| reports.send(Report { source: NAME, generation, finding }).await.ok();
    let grid = grid(world, watchlist, now);
    for watched in &watchlist.objectives {
        if !world.simulates(watched) {
            let why = "this exercise does not simulate what the step asks";
            for scope in [Scope::Now, Scope::Proof] {
                send(Finding::Unmeasured(watched.id.clone(), scope, why.into())).await?;
            }
            continue;
        }
        let proof = world.aligned(now, |now| watched.proof_grid(watchlist.proof, now, FINEST));
        let moment = Grid { start: now, resolution: FINEST, len: 1 };
        for (scope, grid) in [(Scope::Now, moment), (Scope::Burn, moment), (Scope::Proof, proof), (Scope::Chart, grid)]
        {
            let is_asked = match scope {
                Scope::Now | Scope::Proof => true,
                Scope::Chart => watched.reach.is_none(),
                Scope::Burn => watched.reach.is_none() && watched.objective.kind == ObjectiveKind::Ratio,
            };
            if is_asked {
                let measured = Box::new(world.measured(watched, grid, now));
                send(Finding::Measured(watched.id.clone(), scope, measured)).await?;
            }
        }
        // Six charts of 200 series are some milliseconds of work together: keys come first.
        tokio::task::yield_now().await;
    }
    // A quarter of an hour of requests is up to ten milliseconds of work, and a breach may be hours long: too long for the loop.
    let (world, watched, mut known) = (world.clone(), watchlist.clone(), std::mem::take(searched));
    let look = move || {
        let spans = (!watched.services.is_empty()).then(|| world.search(&watched, now, &mut known));
        (spans, world.alerts(NAME, &watched.objectives, now), known)
    };
    let (spans, alerts, known) = tokio::task::spawn_blocking(look).await.ok()?;
    *searched = known;
    if let Some(spans) = spans {
        send(Finding::Spans(spans)).await?;
    }
    send(Finding::Alerts(AlertFinding { alerts, ..AlertFinding::default() }.bounded())).await?;
    send(Finding::Polled).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::{EntryId, Mark, Task};
    use crate::live::{WatchedObjective, WatchedService};
    use crate::playbook::Catalogue;
    use crate::slo::ObjectiveId;

    fn simulation(frozen: bool) -> Simulation {
        let text = Exercise::shipped("alipay-timeout-storm").unwrap();
        let start = clock::wall() - TimeDelta::minutes(6);
        let exercise = Exercise::parse("alipay-timeout-storm", text).unwrap();
        Simulation { exercise, seed: 7, start, clock: Clock::new(start, 1.0), frozen, is_staged: false }
    }

    fn watchlist(generation: u64) -> Arc<Watchlist> {
        let catalogue = Catalogue::shipped();
        let objectives = catalogue.get("alipay").unwrap().objectives.iter().map(|objective| WatchedObjective {
            reach: None,
            id: ObjectiveId { service: "alipay".into(), objective: objective.id.clone() },
            objective: objective.clone(),
        });
        let services =
            vec![WatchedService { service: "alipay-gateway".into(), slow: None, ..WatchedService::default() }];
        Arc::new(Watchlist { generation, objectives: objectives.collect(), services, ..Watchlist::default() })
    }

    async fn poll(reports: &mut mpsc::Receiver<Report>) -> Vec<Report> {
        let mut all = Vec::new();
        loop {
            let report = reports.recv().await.unwrap();
            let is_last = report.finding == Finding::Polled;
            all.push(report);
            if is_last {
                return all;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_world_reports_once_and_again_only_for_another_watchlist() {
        let (list, watchlists) = watch::channel(watchlist(1));
        let (_room, progress) = watch::channel(Progress::default());
        let (ask, inquiries) = mpsc::channel(4);
        let (sender, mut reports) = mpsc::channel(4);
        let task = tokio::spawn(run(simulation(true), watchlists, progress, inquiries, sender, mpsc::channel(4).0));
        let first = poll(&mut reports).await;
        assert!(matches!(first[0].finding, Finding::Ready { .. }));
        // Each of six objectives has three questions, and a ratio's burn rates are a fourth.
        let is_measured = |report: &&Report| matches!(report.finding, Finding::Measured(..));
        assert_eq!(first.iter().filter(is_measured).count(), 6 * 3 + 1);
        assert_eq!(first.len(), 1 + 6 * 3 + 1 + 1 + 1 + 1);
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(reports.try_recv().is_err(), "it stands still");
        list.send(watchlist(2)).unwrap();
        let second = poll(&mut reports).await;
        assert!(second.iter().all(|report| report.generation == 2));
        let findings = |all: &[Report]| {
            all.iter().rev().take(6 * 3 + 1 + 3).map(|report| report.finding.clone()).collect::<Vec<_>>()
        };
        assert_eq!(findings(&first), findings(&second));
        let Finding::Spans(spans) = &second[6 * 3 + 1].finding else { panic!("{second:?}") };
        let Finding::Alerts(told) = &second[6 * 3 + 2].finding else { panic!("{second:?}") };
        assert!(told.alerts.iter().any(|alert| alert.name == "AlipayUpstreamLatencyP99High"), "{told:?}");
        ask.send(Inquiry::Trace(spans.errors[0].trace.clone())).await.unwrap();
        assert!(matches!(reports.recv().await.unwrap().finding, Finding::Trace(_)));
        ask.send(Inquiry::Trace("nonsense".into())).await.unwrap();
        assert!(matches!(reports.recv().await.unwrap().finding, Finding::NoTrace(..)));
        drop(reports);
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_more_hints_than_there_are_is_told_so() {
        let (_list, watchlists) = watch::channel(Arc::new(Watchlist::default()));
        let (_room, progress) = watch::channel(Progress::default());
        let (ask, inquiries) = mpsc::channel(16);
        let (sender, _reports) = mpsc::channel(1024);
        let (teller, mut told) = mpsc::channel(64);
        let simulation = simulation(false);
        let (hints, injects) = (simulation.exercise.hints.len(), simulation.exercise.injects.len());
        tokio::spawn(run(simulation, watchlists, progress, inquiries, sender, teller));
        for (what, most, no) in [
            (Inquiry::Hint, hints, "no more hints for now"),
            (Inquiry::Inject, injects, "nobody else gets in touch in this exercise"),
        ] {
            for _ in 0..=most {
                ask.send(what.clone()).await.unwrap();
            }
            let why = loop {
                if let (ASKED, Err(why)) = told.recv().await.unwrap() {
                    break why;
                }
            };
            assert_eq!(&*why, no);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_of_somebody_of_the_exercise_is_answered_in_their_name_before_its_call_back() {
        let (_list, watchlists) = watch::channel(Arc::new(Watchlist::default()));
        let simulation = simulation(false);
        let asked = simulation.start + TimeDelta::minutes(2);
        let task = |rseq, to: &str| Task {
            id: EntryId { rid: 1, rseq },
            assigned: Mark { at: asked, by: "dana".into() },
            to: to.into(),
            what: "verify the tokens".into(),
            call_back: asked + TimeDelta::minutes(3),
            read_back: None,
            answer: None,
        };
        let tasks = vec![task(1, "omid"), task(2, "eve")];
        let (_room, progress) = watch::channel(Progress { tasks, ..Progress::default() });
        let (_ask, inquiries) = mpsc::channel(16);
        let (sender, _reports) = mpsc::channel(1024);
        let (teller, mut told) = mpsc::channel(64);
        tokio::spawn(run(simulation, watchlists, progress, inquiries, sender, teller));
        let (NAME, Ok(news)) = told.recv().await.unwrap() else { panic!("the room hears first") };
        let answered: Vec<_> = news.into_iter().filter(|one| one.noted.answers.is_some()).collect();
        assert_eq!(answered.len(), 1, "eve is nobody's");
        let noted = &answered[0].noted;
        assert_eq!((&*noted.who, noted.at), ("omid", asked + TimeDelta::minutes(1)));
        assert!(noted.key.starts_with("call-back/") && noted.text.contains("tokens are good"), "{noted:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_moving_world_reports_again_within_five_seconds_and_ends_with_the_console() {
        let (list, watchlists) = watch::channel(watchlist(1));
        let (room, progress) = watch::channel(Progress::default());
        let (_ask, inquiries) = mpsc::channel(4);
        let (sender, mut reports) = mpsc::channel(64);
        let task = tokio::spawn(run(simulation(false), watchlists, progress, inquiries, sender, mpsc::channel(4).0));
        poll(&mut reports).await;
        let before = tokio::time::Instant::now();
        poll(&mut reports).await;
        let pause = before.elapsed();
        assert!(pause >= Duration::from_secs(1) && pause <= Duration::from_millis(5_100), "{pause:?}");
        drop(room);
        poll(&mut reports).await;
        drop(list);
        task.await.unwrap();
    }

    #[test]
    fn what_is_usual_is_known_of_a_service_that_fails_seldom() {
        let start = clock::wall();
        for (name, _, text) in crate::exercise::SHIPPED {
            let exercise = Exercise::parse(name, text).unwrap();
            let services = exercise.requests.path.iter().map(|hop| hop.service.clone()).collect();
            let until = start + exercise.first_fault();
            let before = Before { until, length: TimeDelta::minutes(15), services };
            for seed in [1, 7] {
                let world = World::new(&exercise, seed, start);
                let Finding::Usual(usual) = answer(&world, &Inquiry::Usual(before.clone())) else { panic!() };
                assert_eq!(usual.before, before);
                let expected: f64 = usual.rates.unwrap().values().map(|rate| rate * 600.0).sum();
                assert!((0.15..=8.0).contains(&expected), "{name} with seed {seed}: {expected} in ten minutes");
            }
        }
    }
}
