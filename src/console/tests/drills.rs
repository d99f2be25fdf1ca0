//! A drill can be told from an incident on every screen, and a real alert is not hidden by it.

use super::*;
use crate::console::runs::RunSaid;
use crate::incident::{CommandEnded, DrillStarted, Ending, Phase, Plain, Rules, Staging, TaskAssigned};
use crate::theme::{BuiltIn, Depth, Theme};

fn drill(theme: BuiltIn, is_wall: bool, size: (u16, u16)) -> Desk {
    let theme = Theme::built_in(theme, Depth::Sixteen);
    let id = IncidentId::drill(1);
    let mut desk = Desk::open_record(id, Settings { theme, is_wall, ..settings(Layout::Ic) }, size);
    let started = DrillStarted {
        exercise: "alipay-timeout-storm".into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: None,
        staging: None,
    };
    desk.write_as("bob", "c0", Event::DrillStarted(started));
    desk
}

const THEMES: [BuiltIn; 4] = [BuiltIn::Dark, BuiltIn::Light, BuiltIn::HighContrast, BuiltIn::Plain];
const SIZES: [(u16, u16); 4] = [(60, 14), (80, 24), (120, 40), (200, 60)];

#[test]
fn every_screen_of_a_drill_says_so() {
    for theme in THEMES {
        for size in SIZES {
            let mut desk = drill(theme, false, size);
            let says = |desk: &mut Desk, what: &str| {
                let screen = desk.screen();
                assert!(screen.contains("DRILL"), "{what}, {theme:?} {size:?}\n{screen}");
            };
            says(&mut desk, "at the start");
            for pane in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
                desk.keys(pane);
                says(&mut desk, pane);
                desk.keys("z");
                says(&mut desk, &format!("{pane} alone"));
                desk.keys("z");
            }
            for overlay in ["?", ":", "u", "R", "S", "W", "V", "Y", "b", "E"] {
                desk.keys(overlay);
                says(&mut desk, overlay);
                desk.key(KeyCode::Esc);
                desk.key(KeyCode::Esc);
            }
            let task = TaskAssigned {
                to: "leila".into(),
                what: "inspect the backlog, read the worker logs, and say what holds the batch".into(),
                call_back: desk.wall + TimeDelta::minutes(2),
            };
            desk.write("dana", Event::TaskAssigned(task));
            for (paused, words) in [(false, "DRILL"), (true, "DRILL · PAUSED")] {
                if paused {
                    desk.write("dana", Event::DrillPaused(Plain {}));
                }
                desk.keys("4z");
                let screen = desk.screen();
                assert!(screen.contains(words) && screen.contains("SEV1"), "{theme:?} {size:?}\n{screen}");
                desk.keys("z");
            }
            let mut wall = drill(theme, true, size);
            says(&mut wall, "the wall");
        }
    }
}

#[test]
fn a_real_alert_stands_in_the_header_of_a_drill_until_it_is_over() {
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    desk.tell(Msg::RealAlerts(vec!["CardsDown".into(), "QueueGrows".into()]));
    let screen = desk.screen();
    assert!(screen.contains("REAL ALERT: CardsDown and 1 more · this is a drill: D pauses it"), "{screen}");
    desk.tell(Msg::RealAlerts(Vec::new()));
    assert!(!desk.screen().contains("REAL ALERT"));
}

#[test]
fn a_paused_drill_lets_the_loop_sleep() {
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    desk.report();
    desk.pass(7);
    desk.write_as("bob", "c0", Event::DrillPaused(Plain {}));
    for _ in 0..40 {
        desk.screen();
        let wake = desk.console.next_wake();
        assert!(wake.is_none_or(|at| at > desk.wall), "it would wake at once, for ever: {wake:?} at {}", desk.wall);
        desk.pass(1);
    }
}

#[test]
fn declaring_something_real_pauses_the_drill_and_the_header_says_so() {
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    desk.tell(Msg::RealAlerts(vec!["CardsDown".into()]));
    desk.key(KeyCode::Char('D'));
    assert!(desk.console.incident().clock().is_paused());
    assert!(desk.screen().contains("declare"), "{}", desk.screen());
    desk.key(KeyCode::Esc);
    assert!(desk.screen().contains("the drill is paused: D declares an incident"), "{}", desk.screen());
    desk.tell(Msg::RealAlerts(Vec::new()));
    assert!(desk.screen().contains(" DRILL · PAUSED "), "{}", desk.screen());
    desk.write_as("bob", "c0", Event::DrillResumed(Plain {}));
    assert!(!desk.screen().contains("PAUSED"), "{}", desk.screen());
}

#[test]
fn what_every_console_of_a_room_hears_the_first_one_notes_and_a_hint_whoever_asked() {
    use crate::incident::{ForeignNoted, News};
    use crate::pane::Present;
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    let here = ["c0", "c1"].map(|name| Present {
        actor: "x".into(),
        layout: "ic".into(),
        console: name.into(),
        looks_only: false,
        is_dry: false,
    });
    desk.tell(Msg::Journal(JournalMsg::Present(here.to_vec())));
    let told = |service: &str, key: &str| {
        let (service, key) = (service.into(), key.into());
        let noted = ForeignNoted {
            service,
            key,
            who: "li".into(),
            at: at(30),
            text: "hello".into(),
            link: None,
            answers: None,
        };
        Ok(vec![News { noted, closes: None }])
    };
    desk.tell(Msg::News("simulated".into(), told("chat", "inject/shops")));
    assert_eq!(desk.console.incident().foreign.len(), 0, "c0 notes it");
    desk.tell(Msg::News("facilitator".into(), told("facilitator", "hint/1")));
    assert_eq!(desk.console.incident().foreign.len(), 1, "nobody else was told");
    let wall = |one: Present| Present { looks_only: one.console == "c0", ..one };
    desk.tell(Msg::Journal(JournalMsg::Present(here.map(wall).to_vec())));
    desk.tell(Msg::News("simulated".into(), told("chat", "inject/shops")));
    assert_eq!(desk.console.incident().foreign.len(), 2, "c0 is a wall and notes nothing");
}

#[test]
fn nobody_gets_in_touch_with_a_room_whose_drill_is_over() {
    use crate::incident::{ForeignNoted, News, Phase, PhaseEntered};
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    let told = |key: &str| {
        let (key, at) = (key.into(), at(30));
        let noted = ForeignNoted {
            service: "chat".into(),
            key,
            who: "li".into(),
            at,
            text: "hello".into(),
            link: None,
            answers: None,
        };
        Msg::News("facilitator".into(), Ok(vec![News { noted, closes: None }]))
    };
    desk.tell(told("hint/1"));
    desk.write_as("bob", "c0", Event::PhaseEntered(PhaseEntered::plain(Phase::Closed)));
    desk.tell(told("hint/2"));
    assert_eq!(desk.console.incident().foreign.len(), 1, "the world behind it goes on, and does not know");
}

#[test]
fn what_somebody_says_stands_in_their_name_and_not_in_that_of_the_player_whose_console_noted_it() {
    use crate::incident::{ForeignNoted, News};
    use crate::pane::Present;
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    let here =
        Present { actor: "dana".into(), layout: "ic".into(), console: "c1".into(), looks_only: false, is_dry: false };
    desk.tell(Msg::Journal(JournalMsg::Present(vec![here])));
    let noted = ForeignNoted {
        service: "chat".into(),
        key: "inject/shops".into(),
        who: "li (support)".into(),
        at: at(30),
        text: "eleven shops now".into(),
        link: None,
        answers: None,
    };
    desk.tell(Msg::News("simulated".into(), Ok(vec![News { noted, closes: None }])));
    let line = desk.console.incident().timeline().lines().find(|line| line.tag == "in").unwrap();
    assert_eq!((&*line.actor, &*line.text), ("li (support)", "chat: eleven shops now"));
    let screen = desk.screen();
    assert!(
        screen.lines().any(|row| row.contains("chat: eleven shops now") && row.contains("li (support)")),
        "{screen}"
    );
    let last = screen.lines().last().unwrap();
    assert!(last.contains("message from li (support), chat: eleven shops now"), "hard to miss: {last}");
    let markdown = crate::incident::postmortem::postmortem(
        desk.console.incident(),
        Rules { cadence: &Cadence::default(), tell: &[] },
        desk.wall,
    );
    assert!(markdown.contains("chat: eleven shops now (li (support))"), "{markdown}");
}

/// A drill in which work was handed to omid, whom its exercise has, and to eve, whom it does not have.
fn with_tasks() -> Desk {
    use crate::incident::TaskAssigned;
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    for to in ["omid", "eve"] {
        let task = TaskAssigned { to: to.into(), what: "check the tokens".into(), call_back: at(400) };
        desk.write("dana", Event::TaskAssigned(task));
    }
    desk
}

fn progress(desk: &Desk) -> &crate::incident::Progress {
    let told = desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Progress(progress) => Some(progress),
        _ => None,
    });
    told.unwrap()
}

#[test]
fn the_world_hears_of_open_tasks_of_whoever_is_not_here() {
    use crate::pane::Present;
    let mut desk = with_tasks();
    let names = |desk: &Desk| progress(desk).tasks.iter().map(|task| task.to.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&desk), ["omid", "eve"]);
    let omid =
        Present { actor: "Omid".into(), layout: "sme".into(), console: "c2".into(), looks_only: false, is_dry: false };
    desk.tell(Msg::Journal(JournalMsg::Present(vec![omid])));
    assert_eq!(names(&desk), ["eve"], "omid came in person");
}

#[test]
fn a_call_back_of_the_exercise_closes_its_task_once_whoever_notes_it_and_however_often() {
    use crate::incident::{Answer, ForeignNoted, News, TaskAnswered};
    use crate::pane::Present;
    let mut desk = with_tasks();
    let here =
        Present { actor: "dana".into(), layout: "ic".into(), console: "c1".into(), looks_only: false, is_dry: false };
    desk.tell(Msg::Journal(JournalMsg::Present(vec![here])));
    let task = desk.console.incident().tasks[0].id;
    let noted = ForeignNoted {
        service: "call-back".into(),
        key: "call-back/1/400".into(),
        who: "omid".into(),
        at: at(120),
        text: "none was refused".into(),
        link: None,
        answers: Some(TaskAnswered { task, answer: Answer::Done, text: "none was refused".into() }),
    };
    let told = || Msg::News("simulated".into(), Ok(vec![News { noted: noted.clone(), closes: None }]));
    desk.tell(told());
    desk.tell(told());
    desk.write_as("bob", "c2", Event::ForeignNoted(noted.clone()));
    let incident = desk.console.incident();
    let (mark, answer, text) = incident.tasks[0].answer.as_ref().unwrap();
    assert_eq!((&*mark.by, mark.at, *answer, &**text), ("omid", at(120), Answer::Done, "none was refused"));
    assert_eq!(incident.open_tasks().count(), 1, "eve's is open");
    let lines: Vec<_> = incident.timeline().lines().filter(|line| line.tag == "in").collect();
    assert_eq!(lines.len(), 1);
    let line = ("omid", "call-back: @omid check the tokens · done: none was refused");
    assert_eq!((&*lines[0].actor, &*lines[0].text), line);
    assert_eq!(progress(&desk).tasks.len(), 1, "the world does not answer it again");
}

#[test]
fn one_key_lists_what_a_drill_offers_and_does_it_by_the_words_of_the_palette() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.key(KeyCode::Char('F'));
    assert_eq!(desk.said(), "that is for drills: this is none");
    assert!(!desk.screen().lines().last().unwrap().contains("F drill"));
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    desk.pass(11);
    assert!(desk.screen().lines().last().unwrap().contains("F drill"), "{}", desk.screen());
    desk.key(KeyCode::Char('F'));
    let screen = desk.screen();
    for word in ["pause-drill", "hint", "inject", "stand-in", "pre-brief", "debrief", "abort-drill"] {
        assert!(screen.contains(word), "{word}\n{screen}");
    }
    assert!(!screen.contains("resume-drill") && !screen.contains("staging"), "{screen}");
    desk.key(KeyCode::Enter);
    assert!(desk.console.incident().clock().is_paused());
    desk.key(KeyCode::Char('F'));
    desk.keys("1");
    assert!(!desk.console.incident().clock().is_paused());
    desk.key(KeyCode::Char('F'));
    desk.keys("2");
    assert!(desk.effects.contains(&Effect::Inquire(crate::live::Inquiry::Hint)), "{}", desk.said());
    desk.key(KeyCode::Char('F'));
    desk.key(KeyCode::End);
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("abort the drill?"), "{}", desk.screen());
    desk.key(KeyCode::Enter);
    assert!(desk.console.incident().phase() != crate::incident::Phase::Closed, "a slip of the finger ends nothing");
    desk.key(KeyCode::Char('F'));
    desk.keys("92");
    assert_eq!(desk.console.incident().phase(), crate::incident::Phase::Closed);
}

#[test]
fn the_exercise_plays_an_empty_role_on_a_word_and_every_display_says_so() {
    let mut desk = drill(BuiltIn::Dark, false, (120, 40));
    desk.keys("F4");
    let screen = desk.screen();
    assert!(screen.contains("Subject Matter Expert  omid: Alipay integration"), "{screen}");
    assert!(screen.contains("Communications Lead    li: support lead"), "{screen}");
    assert!(screen.contains("Scribe: nobody of this exercise plays it"), "{screen}");
    desk.keys("2");
    let seat = crate::incident::Seat { role: Role::Sme, component: None };
    assert_eq!(desk.console.incident().part(&seat), " (played by the exercise)");
    let screen = desk.screen();
    assert!(screen.contains("SME omid (exercise)"), "{screen}");
    assert!(screen.contains("omid is Subject Matter Expert, played by the exercise"), "{screen}");
    desk.keys("6z");
    assert!(desk.screen().contains("omid (played by the exercise) for"), "{}", desk.screen());
    desk.keys("F4");
    assert!(!desk.screen().contains("Subject Matter Expert  omid"), "the role is not empty any more");
}

/// A drill in staging in which these were put there.
fn staged(ids: &[&str], size: (u16, u16)) -> Desk {
    let put = |id: &&str| {
        format!(
            "\n[[staging]]\nid = \"{id}\"\nkind = \"fault\"\nwhat = \"{id}\"\ncommand = {{ argv = [\"put\", \"{id}\"], undo = [\"take\", \"{id}\"] }}\n"
        )
    };
    let text = Exercise::shipped(EXERCISE).unwrap();
    let text = text.split("\n[[staging]]").next().unwrap().to_owned() + &ids.iter().map(put).collect::<String>();
    let prometheus = "http://staging/";
    let site = crate::exercise::staged::Site {
        prometheus: prometheus.into(),
        aliases: Default::default(),
        has_production: false,
    };
    let settings = Settings { staging: Some(site), ..settings(Layout::Ic) };
    let mut desk = Desk::open_record(IncidentId::drill(1), settings, size);
    let started = DrillStarted {
        exercise: EXERCISE.into(),
        seed: 1,
        start: at(0),
        speed: 1.0,
        source: Some(text.as_str().into()),
        staging: Some(Staging { prometheus: prometheus.into(), proof: "seen".into(), is_briefed: true }),
    };
    desk.write("dana", Event::DrillStarted(started));
    for (place, id) in ids.iter().enumerate() {
        desk.keys(":staging");
        desk.key(KeyCode::Enter);
        (0..place).for_each(|_| desk.key(KeyCode::Down));
        desk.key(KeyCode::Enter);
        desk.keys(id);
        desk.key(KeyCode::Enter);
        desk.end_newest(0);
    }
    desk
}

impl Desk {
    fn order(&self) -> Vec<String> {
        self.console.incident().runs.iter().map(|run| crate::text::exact::show_argv(&run.order.argv)).collect()
    }

    pub(super) fn end_newest(&mut self, code: i32) {
        let run = self.console.incident().runs.last().unwrap().id;
        let body = CommandEnded {
            run,
            ending: Ending::Exited(code),
            took_ms: 1,
            bytes: 0,
            dropped: 0,
            tail: "".into(),
            left_running: false,
            left: Vec::new(),
            outcome: None,
            captured: None,
        };
        self.tell(Msg::Run(run, RunSaid::Ended(body)));
        self.tell(Msg::Wake);
    }
}

#[test]
fn an_abort_takes_back_one_after_the_other_and_ends_the_drill_only_when_all_is_back() {
    let mut desk = staged(&["proxy", "toxic"], (120, 40));
    assert_eq!(desk.order(), ["put proxy", "put toxic"]);
    // Nobody closes over it, by whatever way.
    desk.keys("P4");
    desk.keys("lunch");
    desk.key(KeyCode::Enter);
    assert_ne!(desk.console.incident().phase(), Phase::Closed, "{}", desk.screen());
    desk.key(KeyCode::Esc);
    let abort = |desk: &mut Desk| {
        desk.keys(":abort-drill");
        desk.key(KeyCode::Enter);
        desk.keys("abort");
        desk.key(KeyCode::Enter);
    };
    abort(&mut desk);
    assert_eq!(desk.order()[2..], ["take toxic"], "the last one first, and alone: {}", desk.said());
    desk.end_newest(4);
    assert_eq!(desk.order()[3..], ["take proxy"], "the others have their turn: {}", desk.said());
    desk.end_newest(0);
    assert!(desk.said().contains("STILL IN STAGING: toxic"), "{}", desk.said());
    assert_ne!(desk.console.incident().phase(), Phase::Closed);
    abort(&mut desk);
    assert_eq!(desk.order()[4..], ["take toxic"], "only what stands is taken back once more");
    desk.end_newest(0);
    assert_eq!(desk.console.incident().phase(), Phase::Closed, "{}", desk.said());
}

#[test]
fn a_way_back_that_never_ends_keeps_the_others_from_their_turn_only_until_its_time_is_over() {
    let mut desk = staged(&["proxy", "toxic"], (120, 40));
    desk.keys(":abort-drill");
    desk.key(KeyCode::Enter);
    desk.keys("abort");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.order()[2..], ["take toxic"]);
    let wake = desk.console.next_wake().unwrap();
    assert!(wake <= desk.wall + chrono::TimeDelta::seconds(60 + 20), "{wake}");
    // Its helper says nothing at all.
    desk.wall += chrono::TimeDelta::seconds(60 + 20);
    desk.tell(Msg::Wake);
    assert_eq!(desk.order()[3..], ["take proxy"], "{}", desk.said());
    desk.end_newest(0);
    assert_ne!(desk.console.incident().phase(), Phase::Closed, "nobody knows how the other one stands");
}

#[test]
fn what_stands_in_staging_is_put_there_once_and_can_be_taken_back_whatever_the_phase() {
    let desk = staged(&["proxy"], (120, 40));
    let asking = crate::incident::Asking { now: desk.wall, ..desk.console.cx(desk.wall).asking() };
    let incident = desk.console.incident();
    let again = Command::StartRun(incident.runs[0].order.clone());
    let refusal = crate::incident::command::decide(incident, again, &asking).unwrap_err();
    assert!(refusal.to_string().contains("it stands there already"), "{refusal}");
    // A record of an older console, which closed over it.
    let mut desk = desk;
    desk.write("dana", Event::PhaseEntered(crate::incident::PhaseEntered::plain(Phase::Closed)));
    desk.keys(":staging");
    desk.key(KeyCode::Enter);
    desk.key(KeyCode::Enter);
    desk.keys("proxy");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.order()[1..], ["take proxy"], "{}", desk.said());
}

#[test]
fn an_abort_says_where_not_all_that_it_runs_is_in_sight() {
    let ids: Vec<String> = (10..20).map(|number| format!("fault-{number}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut desk = staged(&ids, (80, 20));
    desk.keys(":abort-drill");
    desk.key(KeyCode::Enter);
    let screen = desk.screen();
    assert!(screen.contains("lines more: PgDn"), "{screen}");
    (0..40).for_each(|_| desk.key(KeyCode::Down));
    let screen = desk.screen();
    assert!(screen.contains("take fault-10") && !screen.contains("lines more"), "{screen}");
}
