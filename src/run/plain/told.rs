//! What line mode has said so far, and what is new since.
//!
//! Hides when a change is worth a line: a deadline that comes near, a verdict that turns, a source that fails, a kind of error that was never seen.
//! Lines of the timeline are not here: each entry is said when it comes.
//!
//! Invariant: the same state twice gives no line the second time; nothing here says a thing each second.

mod work;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};

use super::lists::until;
use super::numbers::Numbers;
use crate::incident::{Duty, Obligation, Urgency, lamp};
use crate::live::{Freshness, Panel, Scope, SourceName, Standing};
use crate::pane::due::grouped;
use crate::pane::graphs::gap;
use crate::pane::{Cx, Present};
use crate::slo::{Lasting, Objective, ObjectiveId, Unit};
use crate::spans::{SpanGroup, SpanOrder, Step, group};
use crate::text::CleanStr;
use work::Work;

/// How many new kinds of errors one report may name.
const KINDS_AT_ONCE: usize = 10;
/// How many kinds are remembered: an error text may hold a number that is never the same.
const MOST_KINDS: usize = 500;

/// How an objective stood when it was last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Met,
    Breached,
    Failed,
    Empty,
    NoData,
}

/// How a source was doing when that was last said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Answers,
    Fails,
}

/// Service, operation, error.
type Kind = (CleanStr, CleanStr, CleanStr);

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Told {
    duties: BTreeMap<Duty, (Obligation, Urgency)>,
    stands: BTreeMap<ObjectiveId, Stand>,
    sources: BTreeMap<SourceName, Source>,
    kinds: BTreeSet<Kind>,
    is_full: bool,
    spans_of: Option<DateTime<Utc>>,
    present: Vec<Present>,
    work: Work,
}

impl Told {
    /// What is said when a record opens needs no second line.
    pub(super) fn begin(cx: &Cx<'_>) -> Self {
        let duties =
            cx.obligations().into_iter().map(|one| (one.duty.clone(), (one.clone(), one.urgency(cx.now)))).collect();
        Self { duties, present: cx.present.to_vec(), ..Self::default() }
    }

    /// The lines for what changed since the last call; the console that is named `me` does not greet itself.
    pub(super) fn news(&mut self, me: &str, numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
        let mut lines = self.work.news(numbers, cx);
        lines.extend(self.duties(cx));
        lines.extend(self.objectives(cx));
        lines.extend(self.kinds(cx));
        lines.extend(self.people(me, cx));
        let now = cx.clock(cx.now);
        let lines = lines.into_iter().map(|line| format!("{now} {line}"));
        self.sources(cx).into_iter().chain(lines).collect()
    }

    /// The lines for alerts alone, while no record is open.
    pub(super) fn alerts(&mut self, numbers: &mut Numbers, cx: &Cx<'_>) -> Vec<String> {
        self.work.alerts(numbers, cx)
    }

    /// The next moment of the wall clock at which there may be something to say though nothing happened.
    pub(super) fn next_change(&self, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
        let clock = cx.incident.clock();
        let turns = cx.obligations().into_iter().flat_map(|one| [one.amber, one.due]);
        let turns = turns.filter(|at| *at > cx.now).map(|at| clock.wall(at) + TimeDelta::milliseconds(1));
        let ends = cx.live.panels.values().filter_map(|panel| gone_at(panel, cx)).filter(|at| *at > cx.wall);
        let lamp = lamp::next_lamp(cx.incident, cx.now).map(|at| clock.wall(at));
        turns.chain(ends).chain(lamp).min()
    }

    fn duties(&mut self, cx: &Cx<'_>) -> Vec<String> {
        let obligations = cx.obligations();
        let before = std::mem::take(&mut self.duties);
        let is_done = |before: &Obligation| cx.incident.has_met(before);
        let changed = |before: &&(Obligation, Urgency)| {
            !obligations.iter().any(|one| one.duty == before.0.duty && one.start == before.0.start)
        };
        let (done, dropped): (Vec<_>, Vec<_>) =
            before.values().filter(changed).map(|(one, _)| one.clone()).partition(is_done);
        let (mut due, mut soon, mut late) = (Vec::new(), Vec::new(), Vec::new());
        for one in &obligations {
            let urgency = one.urgency(cx.now);
            let was = before.get(&one.duty).filter(|(known, _)| known.start == one.start).map(|(_, was)| *was);
            self.duties.insert(one.duty.clone(), (one.clone(), urgency));
            match urgency {
                _ if was.is_some_and(|was| was >= urgency) => {}
                // The line that made it says until when.
                Urgency::Calm if is_in_its_line(&one.duty) => {}
                Urgency::Calm => due.push(one.clone()),
                Urgency::Soon => soon.push(one.clone()),
                Urgency::Overdue => late.push(one.clone()),
            }
        }
        let dropped: Vec<_> = dropped.into_iter().filter(|one| !self.duties.contains_key(&one.duty)).collect();
        let done = grouped(&done).into_iter().map(|(name, one)| match &one.duty {
            // What was answered need not be done.
            Duty::CallBack(_) => format!("called back: {name}"),
            Duty::Acknowledge
            | Duty::TakeCommand
            | Duty::Accept(_)
            | Duty::Decide(_)
            | Duty::Approve(_)
            | Duty::Tell(_)
            | Duty::Update(_)
            | Duty::Postmortem
            | Duty::Article
            | Duty::Review(_)
            | Duty::FollowUp(_)
            | Duty::TakeBack(_) => format!("done: {name}"),
        });
        let mut lines: Vec<String> = done.collect();
        lines.extend(grouped(&dropped).into_iter().map(|(name, _)| format!("no longer due: {name}")));
        for (word, all) in [("due", due), ("DUE SOON", soon), ("OVERDUE", late)] {
            let line = |(name, one): (String, &Obligation)| {
                format!("{word}: {name}, by {}, {}", until(one.due, cx), owner(one))
            };
            lines.extend(grouped(&all).into_iter().map(line));
        }
        lines
    }

    fn sources(&mut self, cx: &Cx<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, health) in &cx.live.sources {
            let is = match (&health.failing, health.good_at) {
                (Some(_), _) => Source::Fails,
                (None, Some(_)) => Source::Answers,
                (None, None) => continue,
            };
            let was = self.sources.insert(name, is);
            match &health.failing {
                _ if was == Some(is) => {}
                Some((since, why)) => {
                    let since = cx.clock(cx.incident.clock().show(*since));
                    lines.push(format!("! {name} does not answer since {since}: {why}"));
                }
                None => {
                    let again = if was.is_some() { " again" } else { "" };
                    lines.push(format!("{} {name} answers{again} ({})", cx.clock(cx.now), health.place));
                }
            }
        }
        lines
    }

    fn objectives(&mut self, cx: &Cx<'_>) -> Vec<String> {
        let mut lines = Vec::new();
        for (id, objective) in objectives(cx) {
            let Some(panel) = cx.live.panels.get(&id) else { continue };
            let stand = stand(panel, objective, cx);
            // An objective that was never measured has nothing to lose yet: its source says what is wrong.
            let is_news = match self.stands.get(&id) {
                Some(known) => *known != stand,
                None => panel.measured(Scope::Now).is_some() || panel.read(Scope::Now).problem.is_some(),
            };
            if is_news {
                lines.push(objective_line(&id, objective, Some(panel), cx));
                self.stands.insert(id, stand);
            }
        }
        lines
    }

    fn kinds(&mut self, cx: &Cx<'_>) -> Vec<String> {
        let Some((at, _, finding)) = &cx.live.spans else { return Vec::new() };
        if self.spans_of.replace(*at) == Some(*at) || self.is_full {
            return Vec::new();
        }
        let mut lines = Vec::new();
        let mut more = 0;
        for group in group(&finding.errors, finding.lookback, SpanOrder::Count) {
            let kind = (group.service.clone(), group.operation.clone(), group.error.clone());
            if self.kinds.len() >= MOST_KINDS {
                self.is_full = true;
                lines.push("more and more kinds of error spans come: :spans lists them".to_owned());
                break;
            }
            let is_new = self.kinds.insert(kind);
            if is_new && lines.len() < KINDS_AT_ONCE {
                lines.push(format!("new error: {}", group_line(&group, cx)));
            } else if is_new {
                more += 1;
            }
        }
        if more > 0 {
            lines.push(format!("and {more} more kinds of error spans: :spans lists them"));
        }
        lines
    }

    fn people(&mut self, me: &str, cx: &Cx<'_>) -> Vec<String> {
        let is_in =
            |all: &[Present], one: &Present| one.console == *me || all.iter().any(|other| other.console == one.console);
        let came = cx.present.iter().filter(|one| !is_in(&self.present, one));
        let went = self.present.iter().filter(|one| !is_in(cx.present, one));
        let came = came.map(|one| format!("{} is here ({} layout)", one.actor, one.layout));
        let lines = came.chain(went.map(|one| format!("{} left ({} layout)", one.actor, one.layout))).collect();
        self.present = cx.present.to_vec();
        lines
    }
}

/// Whether the line of the timeline with which a duty began names its person and its time.
fn is_in_its_line(duty: &Duty) -> bool {
    match duty {
        Duty::CallBack(_) | Duty::Decide(_) | Duty::Accept(_) | Duty::Approve(_) => true,
        Duty::Acknowledge
        | Duty::TakeCommand
        | Duty::Tell(_)
        | Duty::Update(_)
        | Duty::Postmortem
        | Duty::Article
        | Duty::Review(_)
        | Duty::FollowUp(_)
        | Duty::TakeBack(_) => false,
    }
}

/// Who owes it: a role with its holder, or the person to whom it was given.
pub(super) fn owner(obligation: &Obligation) -> String {
    let name = obligation.owner.as_ref().map_or("nobody", |name| name.as_str());
    match &obligation.duty {
        Duty::CallBack(_) | Duty::Accept(_) | Duty::FollowUp(_) | Duty::TakeBack(_) => name.to_owned(),
        Duty::Acknowledge
        | Duty::TakeCommand
        | Duty::Decide(_)
        | Duty::Approve(_)
        | Duty::Tell(_)
        | Duty::Update(_)
        | Duty::Postmortem
        | Duty::Article
        | Duty::Review(_) => format!("{} {name}", obligation.duty.role().short()),
    }
}

/// The objectives of the services in the scope.
pub(super) fn objectives<'a>(cx: &Cx<'a>) -> Vec<(ObjectiveId, &'a Objective)> {
    let playbooks = cx.incident.services.iter().filter_map(|service| cx.catalogue.get(service));
    playbooks
        .flat_map(|playbook| {
            playbook.objectives.iter().map(|objective| {
                (ObjectiveId { service: playbook.service.clone(), objective: objective.id.clone() }, objective)
            })
        })
        .collect()
}

/// When a panel that hears nothing more says nothing any more.
fn gone_at(panel: &Panel, cx: &Cx<'_>) -> Option<DateTime<Utc>> {
    let every = cx.live.sources.get(panel.source).map_or(TimeDelta::seconds(15), |health| health.every);
    Some(panel.read(Scope::Now).at? + every * 5 + TimeDelta::milliseconds(1))
}

fn stand(panel: &Panel, objective: &Objective, cx: &Cx<'_>) -> Stand {
    if panel.measured(Scope::Now).is_some() && cx.live.panel_freshness(panel, cx.wall) == Freshness::Gone {
        return Stand::NoData;
    }
    match panel.standing(objective) {
        Standing::Met(_) => Stand::Met,
        Standing::Breached { .. } => Stand::Breached,
        Standing::Failed(_) => Stand::Failed,
        Standing::Empty => Stand::Empty,
        Standing::NotAsked | Standing::Unanswered { .. } | Standing::NoValue(_) => Stand::NoData,
    }
}

/// An objective in one line: its verdict, value and limit.
pub(super) fn objective_line(id: &ObjectiveId, objective: &Objective, panel: Option<&Panel>, cx: &Cx<'_>) -> String {
    let name = format!("slo: {} {}", id.service, objective.title);
    let standing = cx.live.standing(id, objective);
    let limit =
        objective.limit_beside(standing.worst().map(|worst| worst.value), &format!("limit {}", objective.side.sign()));
    let value = standing.worst().map(|worst| {
        let whose = worst.whose().map(|whose| format!(" ({whose})")).unwrap_or_default();
        format!("{}{whose}", worst.shown(objective))
    });
    let value = value.unwrap_or_else(|| "nothing".to_owned());
    let clock = |at| cx.clock(cx.incident.clock().show(at));
    let mut line = match standing {
        _ if panel.is_some_and(|panel| {
            panel.measured(Scope::Now).is_some() && cx.live.panel_freshness(panel, cx.wall) == Freshness::Gone
        }) =>
        {
            let since = panel.and_then(|panel| panel.read(Scope::Now).at).map(clock).unwrap_or_default();
            format!("{name} no data since {since}, last {value}, {limit}")
        }
        Standing::NotAsked => format!("{name} not asked yet, {limit}"),
        Standing::Unanswered { since } => format!("{name} asked at {}, no answer yet, {limit}", clock(since)),
        Standing::Failed(why) => format!("{name} FAILED, {limit}: {why}"),
        Standing::Empty => format!("{name} no data (the query finds no series), {limit}"),
        Standing::NoValue(Some(worst)) if worst.is_beyond => {
            format!("{name} cannot be told, {value}, {limit}: it lies beyond its buckets")
        }
        Standing::NoValue(_) => format!("{name} no data, {limit}"),
        Standing::Met(Some(_)) => format!("{name} met, {value}, {limit}"),
        Standing::Met(None) => format!("{name} met, no series, {limit}"),
        Standing::Breached { lasting: Lasting { since, at_least, unknown }, .. } => {
            let at_least = if at_least { "at least " } else { "" };
            format!("{name} BREACHED, {value}, {limit}, {at_least}since {}{}", cx.clock(since), gap(unknown, cx))
        }
    };
    if let Some(lag) = objective.lag {
        line.push_str(&format!("; of {lag} ago: its samples come so late"));
    }
    let reads = || panel.iter().flat_map(|panel| &panel.reads);
    let partial = reads().filter_map(|read| read.measured.as_ref()).find_map(|one| one.partial.first());
    line.extend(partial.map(|why| format!("; PARTIAL: {why}")));
    let left_out = panel.and_then(|panel| panel.measured(Scope::Now)).map_or(0, |now| now.left_out);
    line.extend((left_out > 0).then(|| format!("; the worst of {} series", left_out + crate::live::MOST_SERIES)));
    line
}

/// A kind of spans in one line: what, how often, how much of all that fails, when, how long.
pub(super) fn group_line(group: &SpanGroup, cx: &Cx<'_>) -> String {
    let length = |time: TimeDelta| Unit::Seconds.show(time.as_seconds_f64());
    let error = if group.error.is_empty() { "slow" } else { &group.error };
    let often = group.often();
    let requests = match (group.requests, group.count) {
        (requests, count) if requests == count => String::new(),
        (1, _) => " in one request".to_owned(),
        (requests, _) => format!(" in {requests} requests"),
    };
    let share = match group.share {
        share if group.error.is_empty() || share >= 1.0 => String::new(),
        share => format!(" ({} of the failed requests)", Unit::Ratio.show(share)),
    };
    let late = match group.late {
        0 => String::new(),
        late if late == group.count => ", after the answer".to_owned(),
        late => format!(", {late} of them after the answer"),
    };
    let clock = |at| cx.clock(cx.incident.clock().show(at));
    let when = if group.count == 1 {
        format!("at {}", clock(group.newest))
    } else {
        format!("{} to {}", clock(group.oldest), clock(group.newest))
    };
    format!(
        "{} {}: {error}, {often}{requests}{share}{late}, {when}, median {}, worst {}",
        group.service,
        group.operation,
        length(group.median),
        length(group.worst)
    )
}

/// What folds below a kind: its newest text where the kind is a template, and what failed because of it.
pub(super) fn group_details(group: &SpanGroup) -> Vec<String> {
    let sample = (group.sample != group.error).then(|| format!("e.g. {}", group.sample));
    let led_to = group.led_to.iter().map(|(step, count)| format!("led to {}, {count} times", step_words(step)));
    sample.into_iter().chain(led_to).collect()
}

/// The way from a cause up to what the user saw, as evidence tells it.
pub(super) fn way_words(group: &SpanGroup) -> String {
    group.way.iter().map(|step| format!(" → {}", step_words(step))).collect()
}

fn step_words(step: &Step) -> String {
    let error = if step.error.is_empty() { String::new() } else { format!(": {}", step.error) };
    format!("{} {}{error}", step.service, step.operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::{Console, JournalMsg, Layout, Msg, Settings};
    use crate::incident::tests::{Room, at};
    use crate::incident::{Cadence, Incident};
    use crate::live::{Finding, Report, SpanFinding};
    use crate::pane::Access;
    use crate::playbook::Catalogue;
    use crate::slo::{Grid, Measured, Series};
    use crate::spans::SpanRow;
    use crate::theme::{BuiltIn, Depth, Theme};
    use ratatui::layout::Rect;

    const SOURCE: SourceName = "prometheus";

    /// A console on a declared incident, and what was told of it.
    struct Desk {
        console: Console,
        told: Told,
        numbers: Numbers,
    }

    impl Desk {
        fn open(incident: &Incident, seconds: i64) -> Self {
            let settings = Settings {
                me: "dana".into(),
                console: "c1".into(),
                layout: Layout::Ic,
                access: Access::Full,
                is_wall: false,
                is_frozen: false,
                catalogue: Catalogue::shipped(),
                cadence: Cadence::default(),
                matrix: crate::escalation::Matrix::default(),
                host: "bastion".into(),
                aliases: Default::default(),
                around: Default::default(),
                staging: None,
                rotation: None,
                reach: crate::reach::Reach::default(),
                is_shared: false,
                rings: false,
                templates: crate::template::Templates::shipped(),
                theme: Theme::built_in(BuiltIn::Plain, Depth::NoColour),
                zone: chrono_tz::UTC,
            };
            let mut console = Console::new(settings, Rect::new(0, 0, 80, 24));
            console.handle(Msg::Journal(JournalMsg::Opened(incident.id())), at(seconds)).forgo();
            let entries = incident.entries().cloned().collect();
            console.handle(Msg::Journal(JournalMsg::Entries(entries)), at(seconds)).forgo();
            console.handle(Msg::Journal(JournalMsg::CaughtUp), at(seconds)).forgo();
            let told = Told::begin(&console.view(at(seconds)));
            Self { console, told, numbers: Numbers::default() }
        }

        fn hear(&mut self, seconds: i64, finding: Finding) {
            let generation = self.console.live().generation;
            self.console.handle(Msg::Source(Report { source: SOURCE, generation, finding }), at(seconds)).forgo();
        }

        fn news(&mut self, seconds: i64) -> Vec<String> {
            let cx = self.console.view(at(seconds));
            let news = self.told.news("c1", &mut self.numbers, &cx);
            assert_eq!(self.told.news("c1", &mut self.numbers, &cx), [""; 0], "nothing is said twice");
            news
        }
    }

    fn p99(value: f64, seconds: i64) -> Finding {
        let grid = Grid { start: at(seconds - 15), resolution: TimeDelta::seconds(15), len: 2 };
        let series = vec![Series { name: "".into(), values: vec![Some(0.1), Some(value)] }];
        let measured = Measured::over(grid, series, "q").at_end();
        let catalogue = Catalogue::shipped();
        let playbook = catalogue.get("alipay").unwrap();
        let id = ObjectiveId { service: "alipay".into(), objective: playbook.objectives[0].id.clone() };
        Finding::Measured(id, Scope::Now, Box::new(measured))
    }

    #[test]
    fn a_verdict_is_said_when_it_turns_and_when_nothing_is_measured_any_more() {
        let mut desk = Desk::open(&Room::declared().incident, 60);
        desk.hear(100, p99(0.2, 100));
        let met = desk.news(100);
        assert!(met.len() == 1 && met[0].contains("slo: alipay p99 latency met, 200 ms, limit ≤ 800 ms"), "{met:?}");
        desk.hear(115, p99(0.3, 115));
        assert_eq!(desk.news(115), [""; 0], "another value inside the limit is no news");
        desk.hear(130, p99(3.0, 130));
        let breached = desk.news(130);
        assert!(breached.len() == 1 && breached[0].contains("BREACHED, 3.00 s, limit ≤ 800 ms"), "{breached:?}");
        let silent = desk.told.next_change(&desk.console.view(at(201))).unwrap();
        assert!(silent > at(130) + TimeDelta::seconds(75) && silent < at(130) + TimeDelta::seconds(76));
        let gone = desk.told.news("c1", &mut desk.numbers, &desk.console.view(silent));
        assert!(gone.iter().any(|line| line.contains("p99 latency no data since")), "{gone:?}");
    }

    #[test]
    fn an_answer_that_is_not_all_of_it_says_so_beside_its_value() {
        let mut desk = Desk::open(&Room::declared().incident, 60);
        let Finding::Measured(id, scope, mut measured) = p99(0.2, 100) else { return };
        measured.partial.push("No StoreAPIs matched for this query".into());
        desk.hear(100, Finding::Measured(id.clone(), scope, measured));
        let catalogue = Catalogue::shipped();
        let objective = &catalogue.get("alipay").unwrap().objectives[0];
        let cx = desk.console.view(at(100));
        let line = objective_line(&id, objective, cx.live.panels.get(&id), &cx);
        assert!(line.ends_with("met, 200 ms, limit ≤ 800 ms; PARTIAL: No StoreAPIs matched for this query"), "{line}");
    }

    #[test]
    fn a_source_that_fails_is_said_once_and_so_is_its_recovery() {
        let mut desk = Desk::open(&Room::declared().incident, 60);
        let failed = |why: &str| Finding::Failed { reason: why.into(), retry_in: TimeDelta::seconds(1) };
        desk.hear(70, Finding::Polled);
        assert_eq!(desk.news(70).len(), 1);
        desk.hear(80, failed("connection refused: is it running?"));
        let since = desk.console.view(at(80)).clock(at(80));
        let sentence = format!("! prometheus does not answer since {since}: connection refused: is it running?");
        assert_eq!(desk.news(80), [sentence]);
        desk.hear(90, failed("connection refused again"));
        assert_eq!(desk.news(90), [""; 0]);
        desk.hear(95, Finding::Polled);
        let again = desk.news(95);
        assert!(again.len() == 1 && again[0].contains("prometheus answers again"), "{again:?}");
    }

    /// A word for a number: errors that differ in numbers alone are one kind.
    fn letters(number: u32) -> String {
        number.to_string().chars().map(|digit| char::from(b'a' + digit as u8 - b'0')).collect()
    }

    #[test]
    fn a_kind_of_error_is_said_the_first_time_and_a_flood_of_kinds_is_cut() {
        let mut desk = Desk::open(&Room::declared().incident, 60);
        let row = |error: &str| SpanRow {
            trace: "t".into(),
            span: "s".into(),
            service: "alipay-gateway".into(),
            operation: "POST /pay".into(),
            error: error.into(),
            at: at(90),
            duration: TimeDelta::milliseconds(2100),
            ..SpanRow::default()
        };
        let spans = |errors: Vec<SpanRow>| {
            Finding::Spans(SpanFinding { errors, lookback: TimeDelta::minutes(15), ..SpanFinding::default() })
        };
        desk.hear(100, spans(vec![row("504"), row("504")]));
        let first = desk.news(100);
        assert!(
            first.len() == 1 && first[0].contains("new error: alipay-gateway POST /pay: 504, 2 times"),
            "{first:?}"
        );
        desk.hear(101, spans(vec![row("504")]));
        assert_eq!(desk.news(101), [""; 0]);
        desk.hear(102, spans((0..700).map(|id| row(&format!("{} failed", letters(id)))).collect()));
        let flood = desk.news(102);
        assert_eq!(flood.len(), KINDS_AT_ONCE + 2, "{flood:?}");
        desk.hear(103, spans(vec![row("request zzzz failed")]));
        assert_eq!(desk.news(103), [""; 0]);
    }
}
