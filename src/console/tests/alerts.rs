//! From an alert to an incident: what people see and press.

use super::*;
use crate::alert::{Alert, AlertState, Coverage, Judged, Rules, fingerprint};
use crate::incident::{AlertLinked, Detection, Phase, Severity};
use crate::live::AlertFinding;

/// An alert of a rule on a service, that fired so many seconds after the start of the test.
pub(super) fn alert(name: &str, service: &str, severity: &str, starts: i64) -> Alert {
    let labels = [("alertname", name), ("instance", "gw-1"), ("service", service), ("severity", severity)];
    Rules::default().judge(Alert {
        source: "prometheus",
        fingerprint: fingerprint(labels),
        name: name.into(),
        labels: labels.map(|(key, value)| (key.into(), value.into())).into(),
        annotations: [("summary".into(), format!("{name} on {service}").as_str().into())].into(),
        state: AlertState::Firing,
        starts_at: at(starts),
        generator_url: Some("http://prometheus:9090/graph?g0.expr=x".into()),
        value: None,
        judged: Judged::default(),
    })
}

pub(super) fn fires(alerts: Vec<Alert>) -> Msg {
    let finding = Finding::Alerts(AlertFinding { alerts, ..AlertFinding::default() });
    Msg::Source(Report { source: "prometheus", generation: 0, finding })
}

fn start() -> Desk {
    let mut desk = Desk::with(settings(Layout::Ic), (120, 40));
    desk.console.show_start();
    desk.tell(Msg::Listed(Known::Whole(Vec::new())));
    desk
}

fn linked(alert: &Alert) -> AlertLinked {
    let Alert { fingerprint, name, starts_at, labels, .. } = alert.clone();
    AlertLinked { fingerprint, name, starts_at, labels }
}

/// What a desk asked the shell to begin.
fn created(desk: &Desk) -> Option<&Vec<Event>> {
    desk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Create(Series::Incident, events, _) => Some(events),
        _ => None,
    })
}

#[test]
fn one_key_on_the_start_screen_declares_from_the_alert_and_the_acknowledge_clock_runs_since_it_fired() {
    let mut desk = start();
    desk.wall = at(50);
    let high = alert("HighErrorRate", "alipay", "critical", 0);
    desk.tell(fires(vec![high.clone()]));
    let screen = desk.screen();
    assert!(screen.contains("alerts that no open incident covers") && screen.contains("HighErrorRate"), "{screen}");
    desk.keys("d");
    let screen = desk.screen();
    for words in ["acknowledge by 20:31:40", "alipay", "HighErrorRate on alipay"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    desk.key(KeyCode::Enter);
    let declared = Declared {
        title: "HighErrorRate on alipay".into(),
        severity: Severity::Sev1,
        service: Some("alipay".into()),
        detected_at: Some(at(0)),
        detection: Some(Detection::Alert { name: "HighErrorRate".into() }),
        zone: "UTC".into(),
        link: Some("http://prometheus:9090/graph?g0.expr=x".into()),
    };
    assert_eq!(created(&desk), Some(&vec![Event::Declared(declared), Event::AlertLinked(linked(&high))]));
}

#[test]
fn three_alerts_in_five_minutes_are_one_row_that_declares_one_incident_with_all_of_them() {
    let mut desk = start();
    let three = [("A", "info", 0), ("B", "critical", 20), ("C", "warning", 40)];
    let three = three.map(|(name, severity, starts)| alert(name, "alipay", severity, starts));
    desk.tell(fires(three.to_vec()));
    assert!(desk.screen().contains("3 alerts in five minutes: one incident? A, B, C"), "{}", desk.screen());
    desk.keys("d");
    desk.key(KeyCode::Enter);
    let events = created(&desk).unwrap();
    let Event::Declared(body) = &events[0] else { panic!("{events:?}") };
    assert_eq!((body.severity, body.detected_at), (Severity::Sev1, Some(at(0))), "the worst, since the first");
    assert_eq!(events[1..], three.each_ref().map(|one| Event::AlertLinked(linked(one))));
}

#[test]
fn an_alert_that_an_open_incident_covers_is_no_row_of_the_start_screen() {
    let mut desk = start();
    let [ours, theirs] = [alert("A", "alipay", "critical", 0), alert("B", "blubank", "critical", 0)];
    let covers = Coverage { incident: IncidentId::incident(7), linked: Vec::new(), services: vec!["alipay".into()] };
    desk.tell(Msg::Listed(Known::Whole(vec![Summary { covers: Some(covers), ..summary(7) }])));
    desk.tell(fires(vec![ours, theirs]));
    let screen = desk.screen();
    assert!(screen.contains("B on blubank") && !screen.contains("A on alipay"), "{screen}");
}

#[test]
fn an_alert_in_the_scope_is_offered_for_linking_first_and_for_declaring_second() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let high = alert("HighErrorRate", "alipay", "critical", -30);
    desk.tell(fires(vec![high.clone()]));
    desk.keys("8");
    desk.key(KeyCode::Enter);
    let screen = desk.screen();
    assert!(screen.contains("1 link it to INC-1") && screen.contains("2 declare another"), "{screen}");
    desk.keys("1");
    assert_eq!(desk.console.incident().alerts, [linked(&high)]);
    assert_eq!(desk.console.incident().detected_at, Some(at(-30)), "the clock runs from the alert");
    let screen = desk.screen();
    assert!(screen.contains("INC-1 linked"), "{screen}");
    desk.keys("l");
    assert_eq!(desk.said(), "HighErrorRate is linked to INC-1 already");
    desk.key(KeyCode::Enter);
    assert!(desk.screen().contains("it is linked to INC-1"), "{}", desk.screen());
}

#[test]
fn the_header_counts_firing_alerts_until_each_is_linked() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.tell(fires(vec![alert("A", "alipay", "critical", 0), alert("B", "blubank", "warning", 0)]));
    let header = |desk: &mut Desk| desk.screen().lines().next().unwrap().to_owned();
    assert!(header(&mut desk).contains("  2 alerts"));
    desk.keys("8l");
    assert!(header(&mut desk).contains("  1 alert "), "{}", header(&mut desk));
    desk.key(KeyCode::Down);
    desk.keys("l");
    assert!(!header(&mut desk).contains("alert"));
}

#[test]
fn an_alert_of_a_source_that_fails_stays_and_looks_stale_with_the_reason_above_it() {
    let mut desk = Desk::open(Layout::Ic, (160, 40));
    desk.keys("8z");
    desk.tell(fires(vec![alert("HighErrorRate", "alipay", "critical", 0)]));
    desk.pass(40);
    desk.tell(Msg::Source(failed("connection refused: is it running?")));
    let screen = desk.screen();
    for words in ["STALE, of ", "HighErrorRate", "connection refused"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
}

#[test]
fn without_a_source_of_alerts_the_pane_says_how_to_name_one() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    desk.keys("8z");
    assert!(desk.screen().contains("no source of alerts is configured: --prometheus URL"));
    desk.tell(fires(Vec::new()));
    assert!(desk.screen().contains("no alert is firing or pending (prometheus)"));
}

#[test]
fn the_selected_alert_stays_selected_when_a_worse_one_comes_above_it() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let [worse, mine] = [alert("Worse", "blubank", "critical", 0), alert("Mine", "blubank", "info", 0)];
    desk.tell(fires(vec![mine.clone()]));
    desk.keys("8j");
    desk.tell(fires(vec![worse, mine.clone()]));
    desk.keys("l");
    assert_eq!(desk.console.incident().alerts, [linked(&mine)]);
}

#[test]
fn a_drill_declares_no_incident_from_its_simulated_alerts() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let drill = crate::incident::DrillStarted {
        exercise: EXERCISE.into(),
        seed: 1,
        start: desk.wall,
        speed: 1.0,
        source: None,
        staging: None,
    };
    desk.write("dana", Event::DrillStarted(drill));
    desk.tell(fires(vec![alert("A", "blubank", "critical", 0)]));
    desk.keys("8d");
    assert_eq!(desk.said(), "this is a drill, and its alerts are simulated: l links one to it");
    assert!(created(&desk).is_none());
}

#[test]
fn who_is_on_call_is_named_where_an_incident_is_declared_and_a_source_can_be_named() {
    let shift = |name: &str| crate::oncall::Shift { name: "Payments IC".into(), person: name.into() };
    let rotation = Rotation {
        start: at(0).date_naive() - TimeDelta::days(1),
        zone: chrono_tz::UTC,
        hand_over: chrono::NaiveTime::MIN,
        weeks: vec![shift("omid"), shift("li")],
        overrides: Vec::new(),
    };
    let mut desk = Desk::with(Settings { rotation: Some(rotation), ..settings(Layout::Ic) }, (120, 40));
    desk.console.show_start();
    desk.keys("D");
    assert!(desk.screen().contains("omid (Payments IC)"), "{}", desk.screen());
    desk.key(KeyCode::Tab);
    desk.key(KeyCode::Tab);
    desk.keys("slow");
    desk.key(KeyCode::Tab);
    desk.keys("OPS-7");
    desk.key(KeyCode::Enter);
    let Some([Event::Declared(body)]) = created(&desk).map(Vec::as_slice) else { panic!() };
    let detection = Detection::Report { by: "dana".into() };
    assert_eq!((body.link.as_deref(), &body.detection), (Some("OPS-7"), &Some(detection)));
}

#[test]
fn the_board_says_how_bad_whose_and_what_is_due_next() {
    let due = Some(("update incident channel".into(), at(60 + 250)));
    let one = Summary {
        severity: Some(Severity::Sev1),
        commander: Some("omid".into()),
        phase: Phase::Mitigating,
        next: due,
        ..summary(3)
    };
    let line = crate::console::overlay::summary_line(&one, at(60));
    for words in ["INC-3", "SEV1", "IC omid", "update incident channel 4:10"] {
        assert!(line.contains(words), "{words}: {line}");
    }
}

#[test]
fn a_storm_is_rows_by_rule_and_by_service_whose_counts_add_up() {
    let mut desk = start();
    let mut storm = Vec::new();
    for (service, count) in [("ledger", 40), ("wallet", 17), ("", 3)] {
        for number in 0..count {
            let mut one = alert("KubePodCrashLooping", service, "warning", 100 + number);
            one.labels.insert("instance".into(), format!("pod-{service}-{number}").as_str().into());
            if service.is_empty() {
                one.labels.remove("service");
            }
            let labels: Vec<_> = one.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            one.fingerprint = fingerprint(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            storm.push(Rules::default().judge(one));
        }
    }
    let slow = alert("HighErrorRate", "ledger", "critical", 120);
    let mut quiet = alert("DiskFull", "wallet", "warning", 120);
    quiet.state = AlertState::Pending;
    storm.extend([slow, quiet]);
    let all = storm.len();
    desk.wall = at(200);
    desk.tell(fires(storm));
    // The start screen has no panes: a record that covers none of them is open.
    desk.tell(Msg::Journal(JournalMsg::Opened(desk.id)));
    desk.write("dana", declared());
    desk.tell(Msg::Journal(JournalMsg::CaughtUp));
    desk.keys("8z");
    let screen = desk.screen();
    assert!(screen.contains("61 alerts in five minutes"), "{screen}");
    assert!(screen.contains("KubePodCrashLooping × 60, HighErrorRate (ledger 41, wallet 17, no service"), "{screen}");
    desk.keys("f");
    let screen = desk.screen();
    for row in ["60 firing  KubePodCrashLooping", "1 firing  HighErrorRate", "1 pending  DiskFull"] {
        assert!(screen.contains(row), "{row}\n{screen}");
    }
    assert!(screen.contains("ledger 40, wallet 17, (no service) 3") && screen.contains("by rule"), "{screen}");
    desk.keys("f");
    let screen = desk.screen();
    for row in ["41 firing  ledger", "17 firing, 1 pending  wallet", "3 firing  (no service)"] {
        assert!(screen.contains(row), "{row}\n{screen}");
    }
    assert_eq!(41 + 18 + 3, all);
    // What is done with a row is done with all of its alerts.
    desk.keys("jj");
    desk.key(KeyCode::Char('l'));
    let linked = desk.console.incident().alerts.len();
    assert_eq!(linked, 18, "{}", desk.screen());
    desk.keys("f");
    assert!(desk.screen().contains("instance=pod-ledge"), "{}", desk.screen());
}

#[test]
fn the_runbook_of_an_alert_is_asked_for_by_one_key() {
    let mut desk = Desk::open(Layout::Ic, (120, 40));
    let mut one = alert("DiskFull", "alipay", "critical", 0);
    let address = "https://runbooks.example/node/DiskFull";
    one.annotations.insert("runbook_url".into(), address.into());
    desk.tell(fires(vec![one, alert("Other", "alipay", "warning", 0)]));
    desk.keys("8z");
    assert!(desk.screen().contains(&format!("runbook (r): {address}")), "{}", desk.screen());
    desk.keys("r");
    assert!(desk.effects.contains(&Effect::Runbook(address.into())), "{:?}", desk.effects);
    assert!(desk.screen().contains("looking for its file"), "{}", desk.screen());
    desk.tell(Msg::Printed(
        RUNBOOK.into(),
        crate::text::CleanText::new("books/DiskFull.md\n\n# DiskFull\n\nGrow the volume."),
    ));
    assert!(desk.screen().contains("Grow the volume."), "what was read is shown: {}", desk.screen());
    desk.key(KeyCode::Esc);
    let asked = desk.effects.len();
    desk.keys("jr");
    assert!(!desk.effects[asked..].iter().any(|effect| matches!(effect, Effect::Runbook(_))));
    assert_eq!(desk.said(), "no runbook is named there");
}
