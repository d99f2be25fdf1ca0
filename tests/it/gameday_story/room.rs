//! The room of a drill: three consoles on one journal file, each with the real simulated source, on a clock that only runs when nobody has anything to do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::Event as Input;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use warroom::console::{Console, Effect, JournalMsg, Layout, Msg, Tone};
use warroom::exercise::debrief::Debrief;
use warroom::exercise::schedule::{Slot, debrief_of, debriefs_of, schedule};
use warroom::exercise::{Exercise, World};
use warroom::incident::{
    Cadence, Clock, DrillStarted, Entry, Incident, IncidentId, News, Progress, Series, StepRef, Ticked, Via,
};
use warroom::journal::{Journal, JournalDir, NewEntry, Sharing, SqliteJournal};
use warroom::live::{Finding, Inquiry, Report, Scope, WatchedObjective, Watchlist};
use warroom::pane::Present;
use warroom::playbook::{Catalogue, Playbook};
use warroom::run::Drill;
use warroom::run::records::drill_entries;
use warroom::slo::{Grid, ObjectiveId};
use warroom::source::simulated::{Simulation, Told, run_by};

use super::acts::{Act, Acts};
use crate::command_story::settings;
use crate::support::press;

const SIZE: Rect = Rect { x: 0, y: 0, width: 160, height: 50 };
pub const TEAM: [(&str, Layout); 3] = [("ira", Layout::Ic), ("cora", Layout::Comms), ("dana", Layout::Sme)];
pub const SEED: u64 = 7;

/// When each drill starts: a whole second, so that a wall clock of milliseconds can show what the drill's does.
pub fn start() -> DateTime<Utc> {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

/// The wall clock of the room's host: it follows the runtime's, which stands still unless everybody waits for it.
#[derive(Clone, Copy)]
struct Wall(Instant);

impl Wall {
    fn now(self) -> DateTime<Utc> {
        start() + TimeDelta::milliseconds(i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

struct Desk {
    me: &'static str,
    console: Console,
    journal: SqliteJournal,
    read: u64,
    buffer: Buffer,
    watch: watch::Sender<Arc<Watchlist>>,
    progress: watch::Sender<Progress>,
    source: Option<Source>,
}

/// The ends of a running source that belong to the loop.
struct Source {
    ask: mpsc::Sender<Inquiry>,
    reports: mpsc::Receiver<Report>,
    told: mpsc::Receiver<Told>,
}

pub struct Room {
    desks: Vec<Desk>,
    wall: Wall,
    drill: Clock,
    pub exercise: Exercise,
    /// Whose steps are ticked and whose objectives are judged.
    playbook: Playbook,
    id: IncidentId,
    /// What the first console's graphs showed last: by objective, each moment of the drill with its value.
    shown: BTreeMap<String, Vec<(i64, f64)>>,
    dir: JournalDir,
    _folder: TempDir,
}

enum Heard {
    Report(Report),
    Told(&'static str, Vec<News>),
}

impl Room {
    /// Opens a drill of a shipped exercise, as `gameday run` does, and seats everybody.
    pub fn new(name: &str, speed: f64) -> Self {
        Self::with_text(name, Exercise::shipped(name).unwrap(), speed)
    }

    /// The same with a file of one's own.
    pub fn with_text(name: &str, text: &str, speed: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = JournalDir::open(folder.path().join("journal"), Sharing::Private).unwrap();
        let wall = Wall(Instant::now());
        let exercise = Exercise::parse(name, text).unwrap();
        let id = dir.create(Series::Drill).unwrap();
        let desks = TEAM.map(|(me, layout)| {
            let via = Via { console: format!("console-{me}").as_str().into(), ..Via::default() };
            Desk {
                me,
                console: Console::new(settings(me, layout), SIZE),
                journal: dir.journal(id, via).unwrap().with_clock(move || wall.now()),
                read: 0,
                buffer: Buffer::empty(SIZE),
                watch: watch::channel(Arc::new(Watchlist::default())).0,
                progress: watch::channel(Progress::default()).0,
                source: None,
            }
        });
        let plan = Drill { name: name.into(), text: text.to_owned(), seed: SEED, speed, staging: None, team: None };
        let entries = drill_entries(&exercise, &plan, &"ira".into(), "UTC", start());
        let drill = Clock::new(start(), speed);
        let playbook = Catalogue::shipped().get(&exercise.service).unwrap().clone();
        let mut room = Self {
            desks: desks.into(),
            wall,
            drill,
            exercise,
            playbook,
            id,
            shown: BTreeMap::new(),
            dir,
            _folder: folder,
        };
        room.desks[0].journal.append(&entries).unwrap();
        let seat = |me: &str, looks_only| Present {
            actor: me.into(),
            layout: "x".into(),
            console: format!("console-{me}").as_str().into(),
            looks_only,
            is_dry: false,
        };
        // The first of all consoles only looks: a screen on the wall, which can write nothing down for the others.
        let here: Vec<_> = [seat("a-wall", true)].into_iter().chain(TEAM.map(|(me, _)| seat(me, false))).collect();
        let everywhere = |room: &mut Self, msg: JournalMsg| {
            (0..TEAM.len()).for_each(|place| room.tell(place, Msg::Journal(msg.clone())));
        };
        everywhere(&mut room, JournalMsg::Opened(id));
        room.read_back();
        everywhere(&mut room, JournalMsg::CaughtUp);
        everywhere(&mut room, JournalMsg::Present(here));
        room
    }

    /// Does what a script says, each act at its moment of the drill's clock.
    pub async fn play(&mut self, acts: &Acts) {
        for (second, who, act) in acts {
            self.until(*second).await;
            match act {
                Act::Keys(keys) => self.key(who, keys),
                Act::Claim(step) => {
                    self.key(who, &format!("{}c", self.way_to(step)));
                    let name = StepRef { service: self.playbook.service.clone(), step: (*step).into() };
                    assert!(self.incident().claims.contains_key(&name), "{}", self.screen(who));
                }
                Act::Tick(step) => {
                    self.key(who, &format!("{}x", self.way_to(step)));
                    assert!(self.done().iter().any(|ticked| *ticked.step.step == **step), "{}", self.screen(who));
                }
            }
            let screen = self.screen(who);
            assert!(screen.contains("DRILL"), "{screen}");
            let notice = self.desks[self.place(who)].console.notice();
            let is_told = notice.is_none_or(|notice| matches!(notice.tone, Tone::Said | Tone::Heard));
            assert!(is_told, "{who} at {second} s, {act:?}: {notice:?}\n{screen}");
        }
    }

    /// The keys that lead to a step: the playbook's pane, from its first step down.
    fn way_to(&self, step: &str) -> String {
        let place = self.playbook.steps.iter().position(|one| *one.id == *step).expect("a step of the playbook");
        format!("3g{}", "j".repeat(place))
    }

    /// Lets time pass until so many seconds of the drill.
    pub async fn until(&mut self, second: i64) {
        let target = self.drill.wall(start() + TimeDelta::seconds(second));
        assert!(target >= self.wall.now(), "{second} s are over");
        loop {
            let now = self.wall.now();
            let next = self.desks.iter().filter_map(|desk| desk.console.next_wake()).min();
            let at = next.map_or(target, |next| next.clamp(now, target));
            let pause = Duration::from_millis(u64::try_from((at - now).num_milliseconds()).unwrap());
            let heard = tokio::select! {
                biased;
                heard = hear(&mut self.desks) => Some(heard),
                () = tokio::time::sleep(pause) => None,
            };
            match heard {
                Some((place, Heard::Report(report))) => {
                    self.look_at(place, &report);
                    self.tell(place, Msg::Source(report));
                }
                Some((place, Heard::Told(who, news))) => self.tell(place, Msg::News(who.into(), Ok(news))),
                None if at == target && self.wall.now() >= target => return,
                None => self.wake(),
            }
        }
    }

    fn wake(&mut self) {
        let now = self.wall.now();
        for place in 0..self.desks.len() {
            if self.desks[place].console.next_wake().is_some_and(|at| at <= now) {
                self.tell(place, Msg::Wake);
                let next = self.desks[place].console.next_wake();
                assert!(next.is_none_or(|at| at > now), "the loop would never sleep again: {next:?} at {now}");
            }
        }
    }

    /// What the world shows is finite and not negative; the last of it is kept for the story.
    fn look_at(&mut self, place: usize, report: &Report) {
        let Finding::Measured(id, Scope::Chart, measured) = &report.finding else { return };
        for value in measured.series.iter().flat_map(|series| series.values.iter().flatten()) {
            assert!(value.is_finite() && *value >= 0.0, "{id:?} shows {value}");
        }
        let objective = self.playbook.objectives.iter().find(|objective| objective.id == id.objective);
        let Some(objective) = objective.filter(|_| place == 0) else { return };
        let known =
            |at: usize| Some(((measured.grid.at(at) - start()).num_seconds(), measured.worst_at(objective, at)?.value));
        self.shown.insert(id.objective.to_string(), (0..measured.grid.len).filter_map(known).collect());
    }

    /// How an objective looked at a second of the drill, on the last graph: worst series, nearest moment before.
    #[track_caller]
    pub fn value(&self, objective: &str, second: i64) -> f64 {
        let shown = &self.shown[objective];
        shown.iter().rev().find(|(at, _)| *at <= second).expect("the graph reaches back so far").1
    }

    /// How it would have looked in another world at that second.
    #[track_caller]
    pub fn value_in(&self, world: &World, objective: &str, second: i64) -> f64 {
        let known = self.playbook.objectives.iter().find(|one| *one.id == *objective).expect("an objective");
        let id = ObjectiveId { service: self.playbook.service.clone(), objective: known.id.clone() };
        let watched = WatchedObjective { id, objective: known.clone(), reach: None };
        let now = start() + TimeDelta::seconds(second);
        let grid = Grid { start: now, resolution: TimeDelta::seconds(10), len: 1 };
        world.measured(&watched, grid, now).worst_at(known, 0).expect("it is simulated").value
    }

    /// Whether that is outside its threshold.
    #[track_caller]
    pub fn is_broken(&self, objective: &str, second: i64) -> bool {
        let known = self.playbook.objectives.iter().find(|one| *one.id == *objective).expect("an objective");
        known.is_broken_by(self.value(objective, second)) == Some(true)
    }

    /// Hands a message to a console and does what follows from it, as the shell does.
    fn tell(&mut self, place: usize, msg: Msg) {
        let now = self.wall.now();
        for effect in self.desks[place].console.handle(msg, now) {
            let desk = &mut self.desks[place];
            match effect {
                Effect::Append { ticket, events, .. } => {
                    let entries: Vec<_> =
                        events.into_iter().map(|event| NewEntry::new(desk.me.into(), event)).collect();
                    let written = desk.journal.append(&entries).unwrap();
                    let stamps = written.iter().map(Entry::stamp).collect();
                    self.read_back();
                    self.tell(place, Msg::Journal(JournalMsg::Saved(ticket, stamps)));
                }
                Effect::Simulate(drill) => desk.simulate(&drill, self.wall),
                Effect::Watch(watchlist) => drop(desk.watch.send_replace(Arc::new(watchlist))),
                Effect::Progress(progress) => drop(desk.progress.send_replace(progress)),
                Effect::Inquire(inquiry) => desk.source.as_ref().unwrap().ask.try_send(inquiry).unwrap(),
                Effect::Deliver(_) | Effect::LookUp(_) | Effect::AskNews(_) | Effect::Run(..) | Effect::Create(..) => {
                    panic!("a drill reaches the outside: {effect:?}")
                }
                _ => {}
            }
        }
    }

    /// Every console reads what is new in the file.
    fn read_back(&mut self) {
        for place in 0..self.desks.len() {
            let desk = &mut self.desks[place];
            let tail = desk.journal.tail(desk.read, 1_000).unwrap();
            desk.read = tail.to;
            let entries: Vec<_> = tail.entries.into_iter().map(|(_, entry)| entry).collect();
            if !entries.is_empty() {
                self.tell(place, Msg::Journal(JournalMsg::Entries(entries)));
            }
        }
    }

    fn place(&self, who: &str) -> usize {
        self.desks.iter().position(|desk| desk.me == who).unwrap()
    }

    /// Types, after whatever was open is left; see [`press`] for the letters.
    pub fn key(&mut self, who: &str, keys: &str) {
        let place = self.place(who);
        for letter in "\x1b\x1b".chars().chain(keys.chars()) {
            self.tell(place, Msg::Input(Input::Key(press(letter))));
            if self.desks[place].console.notice().is_some_and(|notice| notice.text.contains("could be read")) {
                // A dialog is read before it is answered.
                self.screen(who);
                let read = self.wall.now() - TimeDelta::milliseconds(400);
                self.desks[place].console.frame_is_out(read);
                self.tell(place, Msg::Input(Input::Key(press(letter))));
            }
        }
    }

    pub fn screen(&mut self, who: &str) -> String {
        let (now, place) = (self.wall.now(), self.place(who));
        let desk = &mut self.desks[place];
        let dirty = desk.console.begin_frame(now);
        desk.console.draw(now, dirty, &mut desk.buffer);
        let row = |y: u16| (0..SIZE.width).map(|x| desk.buffer[(x, y)].symbol()).collect::<String>();
        (0..SIZE.height).map(row).collect::<Vec<_>>().join("\n")
    }

    /// The time on the drill's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.drill.show(self.wall.now())
    }

    /// What the drill's clock showed at a moment of the wall.
    pub fn shown_at(&self, wall: DateTime<Utc>) -> DateTime<Utc> {
        self.drill.show(wall)
    }

    /// The record, which must be the same on every console.
    #[track_caller]
    pub fn incident(&self) -> &Incident {
        let incident = self.desks[0].console.incident();
        for desk in &self.desks {
            assert_eq!(desk.console.incident(), incident, "{} has another record", desk.me);
        }
        incident
    }

    pub fn done(&self) -> Vec<Ticked> {
        self.desks[0].console.incident().ticks.clone()
    }

    /// The entries in the order of the file.
    pub fn entries(&mut self) -> Vec<Entry> {
        let (entries, damage) = self.desks[0].journal.all().unwrap();
        assert!(damage.is_empty(), "{damage:?}");
        entries
    }

    /// Whoever opens the record from its file has the same incident, and no entry of it is without sense.
    pub fn reads_the_same_tomorrow(&mut self) {
        let again = Incident::replay(self.id, self.entries());
        assert_eq!(&again, self.incident());
        assert_eq!((again.senseless, again.unrecognised), (0, 0));
    }

    pub fn debrief(&self) -> Debrief {
        debrief_of(self.incident(), &Cadence::default(), self.wall.now()).unwrap()
    }

    /// The texts of who got in touch and of hints, by their key, with the second of the drill at which each stands.
    pub fn heard(&mut self) -> BTreeMap<String, Vec<i64>> {
        let mut heard: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for entry in self.entries() {
            if let warroom::incident::Event::ForeignNoted(noted) = entry.event {
                heard.entry(noted.key.to_string()).or_default().push((noted.at - start()).num_seconds());
            }
        }
        heard
    }

    /// How the four exercises stand, for somebody who reads the journal's folder at that moment.
    pub fn schedule(&self) -> Vec<Slot> {
        let (records, problems) = warroom::run::records::all(&self.dir).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        schedule(Exercise::all_shipped(), &debriefs_of(&records, &Cadence::default(), self.wall.now()), self.wall.now())
    }
}

impl Desk {
    /// What the shell does when the record that was opened is a drill's.
    fn simulate(&mut self, drill: &DrillStarted, wall: Wall) {
        assert!(self.source.is_none(), "one world a console");
        let simulation = Simulation {
            exercise: Exercise::of(drill).unwrap().unwrap(),
            seed: drill.seed,
            start: drill.start,
            clock: Clock::new(drill.start, drill.speed),
            frozen: false,
            is_staged: false,
        };
        let (ask, inquiries) = mpsc::channel(16);
        let (sender, reports) = mpsc::channel(256);
        let (tell, told) = mpsc::channel(256);
        let (watch, progress) = (self.watch.subscribe(), self.progress.subscribe());
        tokio::spawn(run_by(move || wall.now(), simulation, watch, progress, inquiries, sender, tell));
        self.source = Some(Source { ask, reports, told });
    }
}

/// The next thing that a source says, and to whom.
async fn hear(desks: &mut [Desk]) -> (usize, Heard) {
    std::future::poll_fn(|cx| {
        for (place, desk) in desks.iter_mut().enumerate() {
            let Some(source) = &mut desk.source else { continue };
            if let Poll::Ready(report) = source.reports.poll_recv(cx) {
                return Poll::Ready((place, Heard::Report(report.expect("the world does not end"))));
            }
            if let Poll::Ready(told) = source.told.poll_recv(cx) {
                let (who, news) = told.expect("the world does not end");
                // These rooms ask for nothing that there is not.
                return Poll::Ready((place, Heard::Told(who, news.expect("something to say"))));
            }
        }
        Poll::Pending
    })
    .await
}
