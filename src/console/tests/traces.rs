//! A trace that was opened on the screen: its rows, one span whole, and a healthy trace beside it.

use super::*;
use crate::live::Inquiry;
use crate::spans::{Span, SpanLog, Trace};

fn world(desk: &Desk) -> World {
    let exercise = Exercise::parse(EXERCISE, Exercise::shipped(EXERCISE).unwrap()).unwrap();
    World::new(&exercise, 1, desk.wall - TimeDelta::minutes(6))
}

impl Desk {
    /// What was asked of the sources last.
    fn inquiry(&self) -> Inquiry {
        let asked = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Inquire(inquiry) => Some(inquiry.clone()),
            _ => None,
        });
        asked.unwrap()
    }

    fn finding(&mut self, finding: Finding) {
        let generation = self.console.watchlist.generation;
        self.tell(Msg::Source(Report { source: "prometheus", generation, finding }));
    }

    fn copied(&self) -> String {
        let copied = self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.to_string()),
            _ => None,
        });
        copied.unwrap_or_default()
    }
}

const STACK: &str =
    "com.bank.Timeout: no answer\n  at com.bank.Client.ask(Client.java:7)\n  at com.bank.Main.run(Main.java:1)";

/// A desk in whose span pane the newest error's trace is open, with a long statement, a stack and a pod in its first span.
fn opened(size: (u16, u16)) -> (Desk, World, Trace) {
    let mut desk = Desk::open(Layout::Ic, size);
    desk.report();
    let world = world(&desk);
    desk.keys("2z");
    desk.key(KeyCode::Enter);
    let Inquiry::Trace(id) = desk.inquiry() else { panic!("{:?}", desk.inquiry()) };
    let mut trace = world.trace(&id).unwrap();
    let place = trace.waterfall()[0].span;
    let first: &mut Span = &mut trace.spans[place];
    let statement = format!("SELECT {} FROM ledger", "one_column, ".repeat(420));
    first.tags.push(("db.statement".into(), CleanStr::field(&statement)));
    first.long.push(("db.statement".into(), crate::text::CleanText::new(&statement)));
    let stack = crate::text::CleanText::new(STACK);
    let fields = vec![("exception.stacktrace".into(), CleanStr::field(STACK))];
    first.logs.push(SpanLog { at: first.start, fields });
    first.long.push(("exception.stacktrace".into(), stack));
    first.process = vec![("k8s.pod.name".into(), "gateway-7f9".into())].into();
    desk.finding(Finding::Trace(trace.clone()));
    (desk, world, trace)
}

#[test]
fn a_span_is_scrolled_searched_and_copied_value_by_value_and_goes_to_the_pager_whole() {
    for size in [(80, 24), (120, 40), (200, 60)] {
        let (mut desk, _, trace) = opened(size);
        let id = trace.id.to_string();
        assert!(desk.screen().contains("blame: "), "{}", desk.screen());
        desk.keys("y");
        assert_eq!(desk.copied(), id);
        desk.key(KeyCode::Enter);
        assert!(desk.screen().contains("operation"), "{}", desk.screen());
        // Looked for, found in a value of five kilobytes that no screen shows whole, and copied as it came.
        desk.keys("/from ledger");
        desk.key(KeyCode::Enter);
        assert!(desk.screen().contains("FROM"), "{size:?}\n{}", desk.screen());
        desk.keys("y");
        assert!(desk.copied().len() > 5_000 && desk.copied().ends_with("FROM ledger"), "{}", desk.copied());
        desk.keys("/Main.java");
        desk.key(KeyCode::Enter);
        desk.keys("y");
        assert_eq!(desk.copied(), STACK, "with its line breaks");
        desk.keys("/gateway-7f9");
        desk.key(KeyCode::Enter);
        assert!(desk.screen().contains("process k8s.pod"), "{}", desk.screen());
        desk.keys("/nowhere at all");
        desk.key(KeyCode::Enter);
        assert_eq!(desk.said(), "`nowhere at all` is not in this span");
        desk.keys("v");
        let read = desk.effects.iter().rev().find_map(|effect| match effect {
            Effect::Read(text) => Some(text.to_string()),
            _ => None,
        });
        let read = read.unwrap();
        assert!(read.contains(STACK) && read.contains("FROM ledger\n"), "{read}");
        // To its end and back by pages: no press is lost beyond the end.
        (0..40).for_each(|_| desk.key(KeyCode::PageDown));
        let end = desk.screen();
        desk.key(KeyCode::Up);
        assert_ne!(desk.screen(), end);
        desk.key(KeyCode::Esc);
        assert!(desk.screen().contains("blame: "), "{}", desk.screen());
        desk.key(KeyCode::Esc);
        assert!(desk.screen().contains("error spans"), "{}", desk.screen());
    }
}

#[test]
fn c_lays_a_healthy_trace_of_before_the_breach_beside_the_open_one() {
    let (mut desk, world, trace) = opened((120, 40));
    desk.keys("c");
    assert!(desk.screen().contains("looking for a healthy trace"), "{}", desk.screen());
    let Inquiry::Compare(wanted) = desk.inquiry() else { panic!("{:?}", desk.inquiry()) };
    assert_eq!(wanted.trace, trace.id);
    assert_eq!(wanted.then.len(), 2);
    assert!(wanted.then[0].until <= at(0), "before the incident was noticed: {wanted:?}");
    assert!(wanted.then[1].until < at(0) - TimeDelta::hours(23), "{wanted:?}");
    desk.finding(Finding::Compared(Box::new(world.compare(&wanted))));
    let screen = desk.screen();
    for words in ["beside trace ", "half hour before the breach", "failed ", "requests of now", "here", "there"] {
        assert!(screen.contains(words), "{words}\n{screen}");
    }
    desk.keys("c");
    assert!(desk.screen().contains("blame: "), "{}", desk.screen());
    // An answer about another trace is not shown for this one.
    desk.keys("c");
    let why = crate::spans::compare::Compared {
        trace: "another".into(),
        entry: wanted.entry.clone(),
        healthy: Err("no healthy trace was found".into()),
    };
    desk.finding(Finding::Compared(Box::new(why.clone())));
    assert!(!desk.screen().contains("no healthy trace was found"), "{}", desk.screen());
    desk.finding(Finding::Compared(Box::new(crate::spans::compare::Compared { trace: trace.id, ..why })));
    assert!(desk.screen().contains("no healthy trace was found"), "{}", desk.screen());
}

#[test]
fn enter_on_a_point_with_an_exemplar_opens_its_trace_and_elsewhere_the_chart_alone() {
    use crate::live::{Exemplar, Exemplars};
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.report();
    desk.keys("1");
    let before = desk.effects.len();
    desk.key(KeyCode::Left);
    let Inquiry::Exemplars(asked) = desk.inquiry() else { panic!("{:?}", desk.inquiry()) };
    desk.key(KeyCode::Left);
    let inquiries = desk.effects[before..].iter().filter(|effect| matches!(effect, Effect::Inquire(_))).count();
    assert_eq!(inquiries, 1, "looking around asks once");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let at = asked.until - TimeDelta::minutes(10);
    let exemplar = |value: f64, trace: &str| Exemplar { at, value, trace: trace.into() };
    let found = Ok(vec![exemplar(0.1, "aa"), exemplar(12.5, trace)]);
    desk.finding(Finding::Exemplars(Exemplars { objective: asked.objective.clone(), found }));
    desk.keys("x");
    let screen = desk.screen();
    assert!(screen.contains("Enter opens trace 0af7651916"), "{screen}");
    assert!(screen.contains('*'), "{screen}");
    desk.keys("x");
    assert_eq!(desk.said(), "there is no exemplar further to the left");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.inquiry(), Inquiry::Trace(trace.into()));
    assert!(desk.screen().contains(&format!("trace {trace}")), "{}", desk.screen());
    desk.keys("1");
    desk.key(KeyCode::Right);
    let asked = desk.effects.len();
    desk.key(KeyCode::Enter);
    assert!(
        !desk.effects[asked..].iter().any(|effect| matches!(effect, Effect::Inquire(_))),
        "no exemplar stands there"
    );
    // One that keeps none says so.
    desk.pass(60);
    desk.key(KeyCode::Left);
    let why = Err("this server keeps no exemplars".into());
    let Inquiry::Exemplars(asked) = desk.inquiry() else { panic!("{:?}", desk.inquiry()) };
    desk.finding(Finding::Exemplars(Exemplars { objective: asked.objective, found: why }));
    desk.keys("x");
    assert_eq!(desk.said(), "this server keeps no exemplars");
}

/// A trace of so many spans in a tree that is deep and wide.
fn large(spans: usize) -> Trace {
    let span = |number: usize| Span {
        id: format!("{number:016x}").as_str().into(),
        parent: (number > 0)
            .then(|| format!("{:016x}", (number - 1) / 2 * usize::from(!number.is_multiple_of(50))).as_str().into()),
        service: format!("service-{}", number % 17).as_str().into(),
        operation: format!("op-{}", number % 60).as_str().into(),
        start: at(0) + TimeDelta::microseconds(number as i64 * 10),
        duration: TimeDelta::milliseconds(60),
        outcome: if number % 100 == 99 {
            crate::spans::Outcome::Error("no".into())
        } else {
            crate::spans::Outcome::Fine
        },
        tags: vec![("k8s.pod.name".into(), "pod-1".into())],
        ..Span::default()
    };
    Trace { id: "0af7651916cd43dd8448eb211c80319c".into(), spans: (0..spans).map(span).collect(), warnings: Vec::new() }
}

/// Processor time of this thread.
fn used() -> std::time::Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    std::time::Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[test]
fn a_trace_of_five_thousand_spans_opens_in_proportion_and_scrolls_as_fast_as_a_small_one() {
    // Of three tries the best, in processor time: other programs on the machine do not count.
    let measured = |spans: usize| {
        let trace = large(spans);
        let mut best = [std::time::Duration::MAX; 2];
        for _ in 0..3 {
            let (mut desk, _, _) = opened((120, 40));
            desk.key(KeyCode::Esc);
            desk.key(KeyCode::Enter);
            let Inquiry::Trace(id) = desk.inquiry() else { panic!("{:?}", desk.inquiry()) };
            desk.screen();
            let begun = used();
            desk.finding(Finding::Trace(Trace { id, ..trace.clone() }));
            desk.draw();
            best[0] = best[0].min(used() - begun);
            let begun = used();
            for _ in 0..20 {
                desk.key(KeyCode::Down);
                desk.draw();
            }
            best[1] = best[1].min((used() - begun) / 20);
            assert!(desk.screen().contains(&format!("{spans} spans")), "{}", desk.screen());
        }
        best
    };
    let ([small, small_key], [large, large_key]) = (measured(500), measured(5_000));
    assert!(large < small * 25, "5,000 spans open in {large:?}, 500 in {small:?}");
    assert!(large_key < small_key * 4, "5,000 spans scroll in {large_key:?}, 500 in {small_key:?}");
}
