//! An incident from its alert to its closed record: four consoles and a wall on one journal, with time that stands still unless the test moves it.
//!
//! Each desk is the whole console and a journal connection of its own, fed as the loop feeds them: keys in, effects performed, entries read back from
//! the file. Only the terminal is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::Event as Input;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tempfile::TempDir;
use warroom::console::{Console, Effect, JournalMsg, Layout, Msg, Settings, first_events};
use warroom::escalation::Matrix;
use warroom::incident::{
    Asking, Cadence, Channel, Declared, Detection, Duty, Entry, Incident, IncidentId, Obligation, Outcome, Phase,
    ReviewOf, Role, Series, Severity, Urgency, Via,
};
use warroom::journal::{Journal, JournalDir, NewEntry, Sharing, SqliteJournal};
use warroom::live::{Finding, Report, SpanFinding, Watchlist};
use warroom::pane::{Access, Present};
use warroom::playbook::Catalogue;
use warroom::slo::{Grid, Measured, Objective, Series as Values, Side};
use warroom::template::Templates;
use warroom::theme::{BuiltIn, Depth, Theme};

use crate::support::press;
use crate::support::room::due_of;

const SIZE: Rect = Rect { x: 0, y: 0, width: 200, height: 60 };
const TEAM: [(&str, Layout); 4] =
    [("ira", Layout::Ic), ("cora", Layout::Comms), ("dana", Layout::Sme), ("bob", Layout::Scribe)];

/// The alert fired 50 s before the incident is declared.
fn declared_at() -> DateTime<Utc> {
    "2026-11-23T14:00:00Z".parse().unwrap()
}

struct Desk {
    me: &'static str,
    console: Console,
    journal: SqliteJournal,
    read: u64,
    buffer: Buffer,
    watched: Option<Watchlist>,
}

/// All desks, and the clock of their host.
struct Stage {
    desks: Vec<Desk>,
    milliseconds: Arc<AtomicI64>,
    id: IncidentId,
    /// Nobody reads the file, so that nobody knows what the others do.
    is_held: bool,
    _folder: TempDir,
}

pub fn settings(me: &str, layout: Layout) -> Settings {
    let is_wall = me == "wall";
    Settings {
        me: me.into(),
        console: format!("console-{me}").as_str().into(),
        layout,
        access: Access::Full,
        is_wall,
        is_frozen: false,
        catalogue: Catalogue::shipped(),
        cadence: Cadence::default(),
        matrix: Matrix::default(),
        host: "bastion".into(),
        aliases: Default::default(),
        around: Default::default(),
        staging: None,
        rotation: None,
        reach: warroom::reach::Reach::default(),
        is_shared: false,
        rings: false,
        templates: Templates::shipped(),
        theme: Theme::built_in(BuiltIn::Dark, Depth::Sixteen),
        zone: chrono_tz::UTC,
    }
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = JournalDir::open(folder.path().join("journal"), Sharing::Private).unwrap();
        let milliseconds = Arc::new(AtomicI64::new(declared_at().timestamp_millis()));
        let id = dir.create(Series::Incident).unwrap();
        let people = TEAM.into_iter().chain([("wall", Layout::Ic)]);
        let desks = people.map(|(me, layout)| {
            let via = Via { console: format!("console-{me}").as_str().into(), ..Via::default() };
            let clock = Arc::clone(&milliseconds);
            let now = move || DateTime::from_timestamp_millis(clock.load(Ordering::Relaxed)).unwrap();
            let journal = dir.journal(id, via).unwrap().with_clock(now);
            let console = Console::new(settings(me, layout), SIZE);
            Desk { me, console, journal, read: 0, buffer: Buffer::empty(SIZE), watched: None }
        });
        let mut stage = Self { desks: desks.collect(), milliseconds, id, is_held: false, _folder: folder };
        let alert = Declared {
            title: "HighErrorRate: Alipay payments fail".into(),
            severity: Severity::Sev1,
            service: Some("alipay".into()),
            detected_at: Some(declared_at() - TimeDelta::seconds(50)),
            detection: Some(Detection::Alert { name: "HighErrorRate".into() }),
            zone: "UTC".into(),
            link: None,
        };
        let events = first_events(alert, &Asking::new("ira".into(), declared_at())).unwrap();
        let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new("ira".into(), event)).collect();
        stage.desks[0].journal.append(&entries).unwrap();
        let here = TEAM.map(|(me, _)| Present {
            actor: me.into(),
            layout: "x".into(),
            console: format!("console-{me}").as_str().into(),
            looks_only: false,
            is_dry: false,
        });
        for place in 0..stage.desks.len() {
            stage.tell(place, Msg::Journal(JournalMsg::Opened(id)));
        }
        stage.read_back();
        for place in 0..stage.desks.len() {
            stage.tell(place, Msg::Journal(JournalMsg::CaughtUp));
            stage.tell(place, Msg::Journal(JournalMsg::Present(here.to_vec())));
        }
        stage
    }

    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.milliseconds.load(Ordering::Relaxed)).unwrap()
    }

    /// Hands a message to a desk and does what follows from it.
    fn tell(&mut self, place: usize, msg: Msg) {
        let now = self.now();
        for effect in self.desks[place].console.handle(msg, now) {
            let desk = &mut self.desks[place];
            match effect {
                Effect::Append { ticket, events, .. } => {
                    let entries: Vec<_> =
                        events.into_iter().map(|event| NewEntry::new(desk.me.into(), event)).collect();
                    let written = desk.journal.append(&entries).unwrap();
                    let stamps = written.iter().map(Entry::stamp).collect();
                    if !self.is_held {
                        self.read_back();
                    }
                    self.tell(place, Msg::Journal(JournalMsg::Saved(ticket, stamps)));
                }
                Effect::Watch(watchlist) => desk.watched = Some(watchlist),
                _ => {}
            }
        }
    }

    /// Every desk reads what is new in the file.
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

    /// Types; see [`press`] for the letters.
    fn types(&mut self, who: &str, keys: &str) {
        let place = self.place(who);
        for letter in keys.chars() {
            self.tell(place, Msg::Input(Input::Key(press(letter))));
            if self.desks[place].console.notice().is_some_and(|notice| notice.text.contains("could be read")) {
                // A dialog is read before it is answered.
                self.screen(who);
                let read = self.now() - TimeDelta::milliseconds(400);
                self.desks[place].console.frame_is_out(read);
                self.tell(place, Msg::Input(Input::Key(press(letter))));
            }
        }
    }

    /// Single keys: whatever the person was typing or reading before is left.
    fn key(&mut self, who: &str, keys: &str) {
        self.types(who, &format!("\x1b\x1b{keys}"));
    }

    fn pass(&mut self, seconds: i64) {
        self.milliseconds.fetch_add(seconds * 1000, Ordering::Relaxed);
        for place in 0..self.desks.len() {
            self.tell(place, Msg::Wake);
        }
    }

    /// Lets time pass until so long after the declaration.
    fn until(&mut self, seconds: i64) {
        let left = declared_at() + TimeDelta::seconds(seconds) - self.now();
        assert!(left >= TimeDelta::zero(), "{left} behind");
        self.pass(left.num_seconds());
    }

    fn screen(&mut self, who: &str) -> String {
        let now = self.now();
        let place = self.place(who);
        let desk = &mut self.desks[place];
        let dirty = desk.console.begin_frame(now);
        desk.console.draw(now, dirty, &mut desk.buffer);
        let row = |y: u16| (0..SIZE.width).map(|x| desk.buffer[(x, y)].symbol()).collect::<String>();
        (0..SIZE.height).map(row).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn shows(&mut self, who: &str, text: &str) {
        let screen = self.screen(who);
        assert!(screen.contains(text), "{who} does not see {text:?}:\n{screen}");
    }

    #[track_caller]
    fn said(&self, who: &str, text: &str) {
        let desk = &self.desks[self.place(who)];
        let notice = desk.console.notice().map_or("", |notice| notice.text.as_str());
        assert!(notice.contains(text), "{who} is told {notice:?}, not {text:?}");
    }

    fn incident(&self) -> &Incident {
        self.desks[0].console.incident()
    }

    /// What is due, which must be the same on every desk.
    #[track_caller]
    fn due(&self) -> Vec<Obligation> {
        let incident = self.incident();
        for desk in &self.desks {
            assert_eq!(desk.console.incident(), incident, "{} has another record", desk.me);
        }
        let owners = Catalogue::shipped().owners(incident.services.iter().map(|service| service.as_str()));
        let severity = incident.severity.unwrap();
        let told: Vec<_> =
            Matrix::default().to_tell(severity, &owners).into_iter().map(|contact| contact.position).collect();
        due_of(incident, &told)
    }

    #[track_caller]
    fn one(&self, is: impl Fn(&Duty) -> bool) -> Obligation {
        let due = self.due();
        due.iter().find(|one| is(&one.duty)).unwrap_or_else(|| panic!("it is not among {due:#?}")).clone()
    }

    /// Gives everybody's graphs values inside their thresholds, but for those of one title, and quiet spans.
    fn measure(&mut self, but: Option<&str>) {
        let now = self.now();
        for place in 0..self.desks.len() {
            let Some(watchlist) = self.desks[place].watched.clone() else { continue };
            let generation = watchlist.generation;
            let report = |finding| Msg::Source(Report { source: "prometheus", generation, finding });
            let every = TimeDelta::seconds(15);
            self.tell(place, report(Finding::Ready { place: "http://prometheus".into(), every }));
            for watched in &watchlist.objectives {
                let value = value(&watched.objective, but != Some(watched.objective.title.as_str()));
                let grid = Grid { start: now - TimeDelta::minutes(30), resolution: every, len: 121 };
                let series = vec![Values { name: "a".into(), values: vec![Some(value); grid.len] }];
                for finding in Finding::whole(&watched.id, &Measured::over(grid, series, "x")) {
                    self.tell(place, report(finding));
                }
            }
            let spans = SpanFinding {
                errors: Vec::new(),
                slow: Vec::new(),
                lookback: TimeDelta::minutes(30),
                ..SpanFinding::default()
            };
            let report = |finding| Msg::Source(Report { source: "jaeger", generation, finding });
            self.tell(place, report(Finding::Ready { place: "http://jaeger".into(), every }));
            self.tell(place, report(Finding::Spans(spans)));
            self.tell(place, report(Finding::Polled));
        }
    }
}

/// A value of an objective that is inside its threshold, or outside.
fn value(objective: &Objective, is_inside: bool) -> f64 {
    let limit = objective.limit();
    let value = if (objective.side == Side::AtLeast) == is_inside { limit * 2.0 } else { limit / 2.0 };
    assert_eq!(objective.is_broken_by(value), Some(!is_inside), "{}", objective.title);
    value
}

#[test]
fn an_incident_is_commanded_by_the_runbook_from_its_alert_to_its_closed_record() {
    let mut stage = Stage::new();

    // The acknowledge clock runs since the alert fired: 4:10 left.
    let acknowledge = stage.one(|duty| *duty == Duty::Acknowledge);
    assert_eq!(acknowledge.left(stage.now()), TimeDelta::seconds(250));
    stage.shows("ira", "4:10");

    // Command is taken, and acknowledged; the time to acknowledge is fixed. Everybody has a role.
    stage.pass(10);
    stage.key("ira", "R\n");
    stage.key("ira", "a");
    for who in ["cora", "dana", "bob"] {
        stage.key(who, "R\n");
    }
    let holders = Role::ALL.map(|role| stage.incident().holder(role).map(ToString::to_string).unwrap_or_default());
    assert_eq!(holders, ["ira", "cora", "dana", "bob"]);
    stage.pass(20);
    assert_eq!(stage.incident().time_to_acknowledge(), Some(TimeDelta::seconds(60)));

    // SEV1 names people who must be told now; each gets a tick.
    stage.key("ira", "E");
    for position in ["Director of Engineering", "Director of Product"] {
        stage.shows("ira", &format!("{position}: not told yet"));
        assert_eq!(stage.one(|duty| *duty == Duty::Tell(position.into())).urgency(stage.now()), Urgency::Soon);
    }
    stage.types("ira", "1Ana Ruiz, by phone\n");
    stage.key("cora", "E");
    stage.shows("cora", "Director of Engineering: told by ira");
    stage.types("cora", "2\n");
    stage.key("cora", "");
    // And whom the lower level names, the owner of the integration.
    stage.key("ira", "E");
    stage.types("ira", "3\n");
    stage.key("ira", "");
    assert_eq!(stage.incident().told.len(), 3);
    assert!(!stage.due().iter().any(|one| matches!(one.duty, Duty::Tell(_))));

    // Triage: what is affected, and since when customers hurt; the external page's clock starts.
    stage.key("ira", "W");
    stage.types("ira", "\tBluBank\n60\n1200\nno\nno\n-1m\n");
    let scope = &stage.incident().scope;
    assert_eq!((scope.partners.len(), scope.users_percent, scope.complete_outage), (1, Some(60.0), Some(false)));
    let hurt = stage.now() - TimeDelta::minutes(1);
    assert_eq!(stage.incident().impact.start(), Some(hurt));
    let external = |duty: &Duty| *duty == Duty::Update(Channel::ExternalPage);
    assert_eq!(stage.one(external).due, hurt + TimeDelta::minutes(15));
    stage.key("ira", "P\n");
    assert_eq!(stage.incident().phase(), Phase::Triage);

    // A task for a named person: she reads it back, and is red with her name on every console when five minutes are over.
    stage.key("ira", "n@dana check p99 of the gateway 5m\n");
    let call_back = |duty: &Duty| matches!(duty, Duty::CallBack(_));
    stage.pass(5);
    stage.key("dana", "C");
    stage.types("dana", "\n1");
    assert_eq!(stage.incident().tasks[0].read_back.as_ref().unwrap().by, "dana");
    stage.pass(294);
    assert_eq!(stage.one(call_back).urgency(stage.now()), Urgency::Soon);
    stage.pass(1);
    assert_eq!(stage.one(call_back).urgency(stage.now()), Urgency::Overdue);
    for (who, _) in TEAM {
        stage.key(who, "5");
        let screen = stage.screen(who);
        let late = |row: &str| row.contains("OVERDUE") && row.contains("@dana check p99 of the gateway");
        assert!(screen.lines().any(late), "{who}:\n{screen}");
    }
    let wall = stage.screen("wall");
    assert!(wall.contains("check p99"), "{wall}");
    stage.key("dana", "C");
    stage.types("dana", "\n1p99 is 4 s, the pool is full\n");
    assert_eq!(stage.incident().open_tasks().count(), 0);

    // A proposal asks for objections on every screen; nobody objects; the IC decides, not before.
    stage.key("bob", "V");
    stage.types("bob", "route to backup provider\nfees\nset the flag back\nstop the retries\n\n");
    let decide = |duty: &Duty| matches!(duty, Duty::Decide(_));
    assert_eq!(stage.one(decide).left(stage.now()), TimeDelta::seconds(60));
    stage.pass(20);
    for (who, _) in TEAM {
        stage.key(who, "7");
        stage.shows(who, "route to backup provider");
        stage.shows(who, "0:40");
    }
    stage.key("bob", "X");
    stage.types("bob", "\n1");
    stage.said("bob", "the Incident Commander decides: that is ira");
    stage.key("ira", "X");
    stage.types("ira", "\n1");
    stage.shows("ira", "objections are asked for 40 s more");
    stage.key("ira", "");
    stage.pass(41);
    stage.key("ira", "X");
    stage.types("ira", "\n1");
    let (mark, made) = stage.incident().decisions[0].made.clone().unwrap();
    assert_eq!((mark.by.as_str(), made.go, made.reason), ("ira", true, None));
    assert_eq!(made.present.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["bob", "cora", "dana", "ira"]);
    stage.key("ira", "P\n");
    assert_eq!(stage.incident().phase(), Phase::Mitigating, "{:?}", stage.incident().phase);

    // Customers must hear something first: a text of Comms' that the IC approves, which promises 30 minutes.
    stage.until(14 * 60);
    assert_eq!(stage.due()[0].duty, Duty::Update(Channel::ExternalPage));
    stage.key("cora", "u");
    stage.types("cora", "^^");
    stage.key("cora", "");
    assert_eq!((stage.incident().drafts.len(), stage.incident().updates.len()), (1, 0));
    stage.key("ira", "U");
    stage.types("ira", "\n^^");
    stage.key("ira", "");
    assert_eq!((stage.incident().drafts.len(), stage.incident().updates.len()), (0, 1));
    let public = stage.incident().updates[0].clone();
    assert_eq!(public.mark.by, "ira");
    assert!(public.update.channels.contains(&Channel::ExternalPage), "{public:?}");
    assert!(public.update.promised_next.unwrap() > stage.now());
    assert_eq!(stage.one(external).due, public.update.promised_next.unwrap());

    // Every quarter of an hour inside: the draft has filled itself, and the clock starts again.
    let inside = |duty: &Duty| *duty == Duty::Update(Channel::StatusSlack);
    // The text names its next one in whole minutes, and what it says counts.
    for due in [10 + 15 * 60, 30 * 60] {
        let owed = stage.one(inside);
        let at = declared_at() + TimeDelta::seconds(due);
        assert_eq!((owed.due, owed.owner.as_deref()), (at, Some("cora")));
        stage.until(due);
        assert_eq!(stage.one(inside).urgency(stage.now()), Urgency::Overdue);
        stage.key("cora", "u");
        stage.shows("cora", "INC-1");
        stage.types("cora", "^^");
        stage.key("cora", "");
        stage.key("ira", "U");
        stage.types("ira", "\n^^");
        stage.key("ira", "");
        let told = stage.incident().updates.last().unwrap().clone();
        assert_eq!((told.mark.at, told.mark.by.as_str()), (stage.now(), "ira"));
        for word in ["INC-1", "Alipay", "route to backup provider"] {
            assert!(told.update.text.contains(word), "{word} in {}", told.update.text);
        }
        assert_eq!(told.update.channels.len(), 3, "the incident's channel, #status-qrpay and the internal page");
    }

    // The role goes over with a brief, and only when it is accepted.
    stage.pass(60);
    stage.key("ira", "M");
    stage.shows("ira", "route to backup provider");
    stage.types("ira", "bob\n^");
    assert_eq!(stage.incident().holder(Role::IncidentCommander).unwrap().as_str(), "ira", "not accepted yet");
    assert!(stage.one(|duty| matches!(duty, Duty::Accept(_))).owner.as_deref() == Some("bob"));
    assert!(stage.incident().offers[0].brief.contains("SEV1"), "{}", stage.incident().offers[0].brief);
    stage.key("bob", ":");
    stage.types("bob", "accept-role\n\n1");
    assert_eq!(stage.incident().holder(Role::IncidentCommander).unwrap().as_str(), "bob");
    let now = stage.now();
    let advisers: Vec<_> = stage.incident().advisers(now, Cadence::default().adviser).collect();
    assert_eq!(advisers.iter().map(|(_, mark)| mark.by.as_str()).collect::<Vec<_>>(), ["ira"]);
    for (who, _) in TEAM {
        let last = stage.desks[stage.place(who)].console.incident().timeline().lines().last().unwrap();
        let line = format!("{} {}", last.actor, last.text);
        assert!(line.contains("bob") && line.contains("ira"), "both names: {line}");
    }

    // Resolving asks for proof: one objective is not met yet, and the IC waits.
    stage.measure(Some("payments completed"));
    stage.key("bob", ":");
    stage.types("bob", "resolve\n");
    stage.shows("bob", "alipay payments completed");
    stage.types("bob", "^");
    stage.shows("bob", "not back to normal: alipay payments completed");
    stage.key("bob", "");
    assert_eq!(stage.incident().phase(), Phase::Mitigating);
    stage.pass(240);
    stage.measure(None);
    stage.key("bob", ":");
    stage.types("bob", "resolve\n^");
    assert_eq!(stage.incident().phase(), Phase::Resolved, "{}", stage.screen("bob"));
    let resolution = stage.incident().resolution.clone().unwrap();
    assert_eq!((resolution.mark.by.as_str(), resolution.reason), ("bob", None));
    assert!(resolution.proof.len() >= 7 && resolution.proof.iter().all(|line| line.met));
    assert!(resolution.final_status.unwrap().contains("route to backup provider"));
    let took = stage.incident().elapsed(stage.now()).unwrap();
    stage.pass(3600);
    assert_eq!(stage.incident().elapsed(stage.now()), Some(took), "the time to resolve stands");

    // Customers were promised another text: they are told that it is over.
    assert!(stage.due().iter().any(|one| external(&one.duty)));
    stage.key("bob", "u");
    stage.shows("bob", "this is the last one: no other is promised");
    stage.types("bob", "^");
    assert!(!stage.due().iter().any(|one| external(&one.duty)), "{}", stage.screen("bob"));

    // What is left is on the screen; closing waits for it.
    let left: Vec<_> = stage.due().into_iter().map(|one| one.duty).collect();
    for duty in [
        Duty::Postmortem,
        Duty::Article,
        Duty::Review(ReviewOf::Playbook("alipay".into())),
        Duty::Review(ReviewOf::Matrix),
        Duty::Review(ReviewOf::Templates),
    ] {
        assert!(left.contains(&duty), "{duty:?} in {left:?}");
    }
    let close = |stage: &mut Stage| {
        stage.key("bob", "P");
        stage.types("bob", "4");
    };
    close(&mut stage);
    stage.shows("bob", "the postmortem has no date and owner");
    stage.key("bob", "");
    assert_eq!(stage.incident().phase(), Phase::Resolved);
    stage.key("bob", ":");
    stage.types("bob", "postmortem\n^");
    let postmortem = stage.incident().postmortem.clone().unwrap();
    let resolved = stage.incident().resolved_at.unwrap();
    assert!(postmortem.at > resolved && postmortem.at <= resolved + TimeDelta::hours(48));
    assert_eq!(postmortem.owner, "bob");
    stage.key("bob", ":");
    stage.types("bob", "article\nwiki.qrpay.example/alipay\n");
    assert!(stage.incident().article.is_some());
    for _ in 0..3 {
        close(&mut stage);
        stage.shows("bob", "not reviewed");
        stage.key("bob", ":");
        stage.types("bob", "review\n1nothing\n");
    }
    // It was resolved, and nobody said until when customers hurt.
    close(&mut stage);
    stage.shows("bob", "customers hurt since Nov 23 13:59 UTC, and no end of it is recorded");
    stage.key("bob", "");
    stage.key("bob", ":");
    stage.types("bob", "impact-end\n\n");
    close(&mut stage);
    stage.key("bob", "");
    assert_eq!((stage.incident().phase(), stage.incident().outcome), (Phase::Closed, Some(Outcome::Done)));
    assert!(stage.due().is_empty());

    // And a console that opens it tomorrow reads the same from the file.
    let (entries, damage) = stage.desks[0].journal.all().unwrap();
    assert!(damage.is_empty(), "{damage:?}");
    assert_eq!(&Incident::replay(stage.id, entries), stage.incident());
    assert_eq!(stage.incident().senseless, 0);
}

#[test]
fn of_two_who_do_the_same_at_once_the_second_is_told_on_the_screen_who_was_faster() {
    let mut stage = Stage::new();
    stage.is_held = true;
    stage.key("ira", "R\n");
    stage.pass(1);
    stage.key("bob", "R\n");
    stage.is_held = false;
    stage.read_back();
    stage.due();
    assert_eq!(stage.incident().holder(Role::IncidentCommander).unwrap().as_str(), "ira");
    stage.said("bob", "ira was faster");
    stage.key("ira", "a");

    let resolve = ":resolve\n^seen by eye\n";
    for who in ["ira", "cora"] {
        stage.is_held = true;
        stage.key(who, resolve);
        stage.pass(1);
    }
    stage.is_held = false;
    stage.read_back();
    stage.due();
    assert_eq!(stage.incident().resolution.as_ref().unwrap().mark.by, "ira");
    stage.said("cora", "ira was faster");
}
