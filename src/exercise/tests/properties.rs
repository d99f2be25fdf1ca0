//! What holds of every exercise that ships, of every seed, at any time, whatever is ticked.

use proptest::prelude::*;

use super::*;

/// Which steps of an exercise do something, each ticked so many minutes after the start or not at all.
fn ticked(exercise: &Exercise, minutes: &[Option<i64>]) -> Vec<Ticked> {
    let turns = exercise.faults.iter().filter_map(|fault| fault.when.as_ref());
    let keeps = turns.clone().flat_map(|turn| turn.unless.iter());
    let helps = exercise.relief.iter().flat_map(|relief| std::iter::once(&relief.step).chain(&relief.needs));
    let all: std::collections::BTreeSet<_> = turns.map(|turn| &turn.step).chain(keeps).chain(helps).collect();
    let all = all.into_iter().zip(minutes).filter_map(|(name, minute)| Some((name.split_once('/')?, (*minute)?)));
    all.map(|((service, step), minute)| {
        Ticked::since(StepRef { service: service.into(), step: step.into() }, start() + TimeDelta::minutes(minute))
    })
    .collect()
}

/// The counts of an exposition's histograms below each bound, the smallest first, by the histogram's name.
fn buckets(text: &str) -> std::collections::BTreeMap<String, Vec<(f64, f64)>> {
    let mut all = std::collections::BTreeMap::<String, Vec<(f64, f64)>>::new();
    for line in text.lines().filter(|line| line.contains("le=\"")) {
        let (sample, count) = line.rsplit_once(' ').unwrap();
        let (name, bound) = sample.split_once("le=\"").unwrap();
        let bound = bound.trim_end_matches("\"}").replace("+Inf", "inf").parse().unwrap();
        all.entry(name.to_owned()).or_default().push((bound, count.parse().unwrap()));
    }
    all.values_mut().for_each(|histogram| histogram.sort_by(|one, other| one.0.total_cmp(&other.0)));
    all
}

#[test]
fn two_drills_of_one_seed_show_the_same_to_the_digit_whenever_they_begin() {
    let later =
        [TimeDelta::seconds(7), TimeDelta::hours(13) + TimeDelta::microseconds(1_234_567), TimeDelta::days(3_000)];
    let minutes = [Some(5), Some(6), None, Some(8), Some(12), Some(20)];
    for (name, _, text) in SHIPPED {
        let exercise = Exercise::parse(name, text).unwrap();
        let mut most = 0;
        for (seed, milliseconds) in [(7, -86_400_000), (7, -1), (9, 247_003), (11, 1_800_000)] {
            let told = |start| told(&exercise, seed, start, start + TimeDelta::milliseconds(milliseconds), &minutes);
            let first = told(start());
            most = most.max(first.len());
            for later in later {
                let again = told(start() + later);
                for (first, again) in first.iter().zip(&again) {
                    assert_eq!(first, again, "{name} at {milliseconds} ms, {later} later");
                }
                assert_eq!(first.len(), again.len());
            }
        }
        assert!(most > 30, "{name}: alarms, spans and a trace are among it, not {most} lines");
    }
}

/// All that a world shows at a moment, with its times told from the drill's beginning: charts, burn rates, proofs, alarms, spans and traces, metrics.
fn told(
    exercise: &Exercise,
    seed: u64,
    start: DateTime<Utc>,
    now: DateTime<Utc>,
    minutes: &[Option<i64>],
) -> Vec<String> {
    let mut world = World::new(exercise, seed, start);
    let since = |done: Ticked| Ticked { from: start + (done.from - super::start()), ..done };
    world.set_steps_done(&ticked(exercise, minutes).into_iter().map(since).collect::<Vec<_>>());
    let mut all = Vec::new();
    let objectives = watched(&exercise.service);
    for objective in &objectives {
        let yesterday = now - TimeDelta::days(1);
        for (end, span) in [(now, 90), (yesterday, 90), (now, 3 * 24 * 60)] {
            let cover = |end| Grid::covering(TimeDelta::minutes(span), end, 60, TimeDelta::seconds(10));
            let grid = world.aligned(end, cover);
            let measured = world.measured(objective, grid, now);
            all.push(format!(
                "{} {:?} {:?} {:?}",
                objective.id.objective,
                grid.start - start,
                measured.series,
                measured.burn
            ));
        }
    }
    let alert = |alert: &crate::alert::Alert| format!("{} {:?} {:?}", alert.name, alert.state, alert.starts_at - start);
    all.extend(world.alerts("simulated", &objectives, now).iter().map(alert));
    let services = exercise.requests.path.iter().map(|hop| WatchedService {
        service: hop.service.clone(),
        slow: Some(TimeDelta::milliseconds(800)),
        ..WatchedService::default()
    });
    let list = Watchlist { services: services.collect(), lookback: TimeDelta::seconds(40), ..Watchlist::default() };
    let finding = world.spans(&list, now);
    for span in finding.errors.iter().chain(&finding.slow) {
        all.push(format!("{:?} {:?} {:?} {:?}", span.trace, span.at - start, span.duration, span.error));
    }
    if let Some(span) = finding.errors.first() {
        let line = |span: &crate::spans::Span| format!("{} {:?} {:?}", span.id, span.start - start, span.duration);
        all.extend(world.trace(&span.trace).unwrap().spans.iter().map(line));
    }
    let mut exposition = exposed::Exposition::default();
    exposition.advance(&world, now, 1.0);
    // A metric that is a moment of the clock says so by its type; it is another one in each drill.
    let is_moment =
        |line: &&str| line.rsplit_once(' ').is_some_and(|(_, value)| value.parse().is_ok_and(|value: f64| value > 1e9));
    all.extend(exposition.text(&world, now).lines().filter(|line| !is_moment(line)).map(str::to_owned));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn of_the_exposed_requests_of_any_minute_half_are_as_quick_as_the_median_and_the_slow_ones_are_not_quicker(
        which in 0..SHIPPED.len(), seed in any::<u64>(), second in -500_i64..5_400,
        minutes in prop::collection::vec(prop::option::of(0_i64..60), 6),
    ) {
        use super::super::requests::quantile;
        let (name, _, text) = SHIPPED[which];
        let exercise = Exercise::parse(name, text).unwrap();
        let mut world = World::new(&exercise, seed, start());
        world.set_steps_done(&ticked(&exercise, &minutes));
        let now = start() + TimeDelta::seconds(second);
        let mut exposition = exposed::Exposition::default();
        exposition.advance(&world, now - TimeDelta::minutes(1), 1.0);
        let before = buckets(&exposition.text(&world, now));
        exposition.advance(&world, now, 1.0);
        let after = buckets(&exposition.text(&world, now));
        let has_one = exercise.signals.iter().any(|signal| signal.expose.iter().any(|one| one.kind == exposed::MetricKind::Histogram));
        prop_assert_eq!(!after.is_empty(), has_one);
        for (name, after) in after {
            // What a Prometheus makes of the two scrapes; before the world began to count there was nothing.
            let known = before.get(&name);
            let risen = after.iter().enumerate().map(|(place, (_, count))| {
                count - known.map_or(0.0, |before| before[place].1)
            });
            let risen: Vec<f64> = risen.collect();
            prop_assert!(risen.iter().all(|count| count.is_finite() && *count >= 0.0), "{risen:?}");
            let (all, below) = risen.split_last().unwrap();
            let below: [f64; 16] = below.try_into().unwrap();
            let (median, slow) = (quantile(0.5, &below, *all), quantile(0.99, &below, *all));
            prop_assert!(*all > 0.0 && median.is_finite() && median > 0.0 && slow >= median, "{median} {slow} of {risen:?}");
        }
    }
}

proptest! {
    #[test]
    fn a_higher_percentile_is_never_quicker(seed in any::<u64>(), which in 0..SHIPPED.len(), second in -600_i64..3600, low in 0.01_f64..0.99) {
        use super::super::requests::{BOUNDS, Course, quantile};
        let (name, _, text) = SHIPPED[which];
        let exercise = Exercise::parse(name, text).unwrap();
        let course = Course::new(&exercise, seed, start());
        let moment = course.moment(&exercise, second * 1000);
        let below = BOUNDS.map(|bound| moment.rate * moment.within(bound));
        prop_assert!(below.is_sorted() && below[15] <= moment.rate * (1.0 + 1e-9), "a histogram only rises: {below:?}");
        prop_assert!(quantile(0.99, &below, moment.rate) >= quantile(low, &below, moment.rate));
        prop_assert!((0.0..=1.0).contains(&moment.failing()) && moment.rate >= 0.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_value_is_finite_and_in_its_range(
        which in 0..SHIPPED.len(), seed in any::<u64>(), minute in -600_i64..600, ticked in 0_i64..60, resolution in 1_i64..4000,
    ) {
        let (name, _, text) = SHIPPED[which];
        let exercise = Exercise::parse(name, text).unwrap();
        let mut world = World::new(&exercise, seed, start());
        let steps = exercise.faults.iter().filter_map(|fault| Some(fault.when.as_ref()?.step.clone()));
        let steps = steps.chain(exercise.relief.iter().map(|relief| relief.step.clone()));
        let done = steps.enumerate().map(|(place, name)| {
            let (service, step) = name.split_once('/').unwrap();
            Ticked::since(StepRef { service: service.into(), step: step.into() }, start() + TimeDelta::minutes(ticked + place as i64))
        });
        world.set_steps_done(&done.collect::<Vec<_>>());
        let now = start() + TimeDelta::minutes(minute);
        let grid = Grid { start: now - TimeDelta::seconds(resolution * 20), resolution: TimeDelta::seconds(resolution), len: 30 };
        for watched in ["alipay", "qrpay-web", "blubank", "yoomonea"].into_iter().flat_map(watched) {
            let measured = world.measured(&watched, grid, now);
            for (place, value) in measured.series[0].values.iter().enumerate() {
                prop_assert_eq!(value.is_some(), grid.at(place) <= now);
                let value = value.unwrap_or_default();
                prop_assert!(value.is_finite() && value >= 0.0);
                prop_assert!(watched.objective.unit != crate::slo::Unit::Ratio || value <= 1.0);
            }
            for burn in measured.burn.into_iter().flatten() {
                prop_assert!(burn.is_finite() && burn >= 0.0);
            }
        }
    }

    #[test]
    fn counters_never_fall_whatever_is_ticked_and_whenever_one_scrapes(
        which in 0..SHIPPED.len(), seed in any::<u64>(), scrapes in prop::collection::vec((-20_000_i64..60_000, any::<bool>()), 2..30),
    ) {
        let (name, _, text) = SHIPPED[which];
        let exercise = Exercise::parse(name, text).unwrap();
        let mut world = World::new(&exercise, seed, start());
        let (service, step) = exercise.relief[0].step.split_once('/').unwrap();
        let done = Ticked::since(StepRef { service: service.into(), step: step.into() }, start());
        let mut exposition = exposed::Exposition::default();
        let mut now = start();
        let mut before = std::collections::BTreeMap::<String, f64>::new();
        for (passed, is_ticked) in scrapes {
            world.set_steps_done(if is_ticked { std::slice::from_ref(&done) } else { &[] });
            // A clock that is set back does not turn counters back.
            now += TimeDelta::milliseconds(passed);
            exposition.advance(&world, now, 1.0);
            let told = exposition.text(&world, now);
            let mut kind = "";
            let mut buckets = Vec::new();
            for line in told.lines() {
                if let Some(told) = line.strip_prefix("# TYPE ") {
                    kind = told.split_once(' ').unwrap().1;
                    continue;
                }
                let (sample, value) = line.rsplit_once(' ').unwrap();
                let value: f64 = value.parse().unwrap();
                prop_assert!(value.is_finite() && value >= 0.0, "{line}");
                if kind != "gauge" {
                    prop_assert!(before.get(sample).is_none_or(|before| *before <= value), "{line} was {before:?}");
                    before.insert(sample.to_owned(), value);
                }
                if let Some((_, bound)) = sample.split_once("le=\"") {
                    let bound = bound.trim_end_matches("\"}").replace("+Inf", "inf");
                    buckets.push((bound.parse::<f64>().unwrap(), value));
                }
            }
            buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
            prop_assert!(buckets.is_sorted_by(|one, next| one.1 <= next.1), "{buckets:?}");
            prop_assert!(!before.is_empty());
        }
    }

    #[test]
    fn a_mutated_exercise_is_refused_with_its_place_or_read_and_never_a_panic(
        which in 0..SHIPPED.len(), at in any::<prop::sample::Index>(), cut in 0_usize..40, put in "[a-z0-9=\\[\\]\"{}.\n -]{0,12}",
    ) {
        let (name, _, text) = SHIPPED[which];
        let mut place = at.index(text.len());
        let mut end = (place + cut).min(text.len());
        while !text.is_char_boundary(place) { place -= 1; }
        while !text.is_char_boundary(end) { end += 1; }
        let mutated = format!("{}{put}{}", &text[..place], &text[end..]);
        match Exercise::parse(name, &mutated) {
            Err(flaw) => prop_assert!(flaw.line >= 1 && flaw.to_string().starts_with(name)),
            Ok(exercise) => {
                let world = World::new(&exercise, 1, start());
                let (list, grid) = watchlist(start());
                world.measured(&list.objectives[0], grid, start());
                let ask = |person: &Person| crate::incident::Task {
                    id: crate::incident::EntryId { rid: 1, rseq: 1 },
                    assigned: crate::incident::Mark { at: start(), by: "dana".into() },
                    to: person.name.clone(),
                    what: "read the worker logs".into(),
                    call_back: start() + TimeDelta::minutes(5),
                    read_back: None,
                    answer: None,
                };
                let tasks: Vec<_> = exercise.opening.people.iter().map(ask).collect();
                let told = exercise.call_backs(&tasks, &[], start() + TimeDelta::minutes(5));
                prop_assert_eq!(told.len(), tasks.len());
                prop_assert!(told.iter().all(|one| one.at <= start() + TimeDelta::minutes(4) && !one.answer.text.is_blank()));
            }
        }
    }
}
