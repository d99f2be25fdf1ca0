//! What the alert list shows while servers answer, fail and come back.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::super::{Finding, MOST_ALERTS, Report};
use super::*;
use crate::alert::{Judged, Rules, fingerprint};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000 + seconds, 0).unwrap()
}

fn alert(source: SourceName, name: &str, cluster: Option<&str>, starts: i64) -> Alert {
    let pairs = [("alertname", name), ("service", "alipay")].into_iter().chain(cluster.map(|one| ("cluster", one)));
    let labels: BTreeMap<CleanStr, CleanStr> =
        pairs.map(|(key, value)| (CleanStr::new(key), CleanStr::new(value))).collect();
    Rules::default().judge(Alert {
        source,
        fingerprint: fingerprint(labels.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        name: name.into(),
        labels,
        annotations: BTreeMap::new(),
        state: AlertState::Firing,
        starts_at: at(starts),
        generator_url: None,
        value: None,
        judged: Judged::default(),
    })
}

fn tell(live: &mut Live, source: SourceName, alerts: Vec<Alert>, seconds: i64) -> bool {
    let finding = Finding::Alerts(AlertFinding { alerts, ..AlertFinding::default() });
    // Of a generation that nobody watches any more: alerts depend on none.
    live.take(Report { source, generation: 99, finding }, at(seconds))
}

fn say(live: &mut Live, source: SourceName, finding: Finding, seconds: i64) {
    live.take(Report { source, generation: 0, finding }, at(seconds));
}

fn shown(live: &Live, seconds: i64) -> Vec<(String, String, Freshness)> {
    let line = |one: LiveAlert<'_>| {
        (format!("{} {}", one.sources(), one.alert.name), one.state.word().to_owned(), one.freshness)
    };
    live.alerts(at(seconds)).into_iter().map(line).collect()
}

fn silenced() -> AlertState {
    AlertState::Suppressed { silenced_by: vec!["id".into()], inhibited_by: Vec::new(), muted_by: Vec::new() }
}

#[test]
fn an_alert_of_both_sources_stands_once_with_alertmanagers_start_and_both_identities() {
    let mut live = Live::default();
    let (ours, theirs) = (alert("prometheus", "High", None, 0), alert("alertmanager", "High", Some("one"), 10));
    tell(&mut live, "prometheus", vec![ours.clone(), alert("prometheus", "Low", None, 5)], 20);
    tell(&mut live, "alertmanager", vec![theirs.clone(), alert("alertmanager", "Foreign", None, 1)], 20);
    let all = live.alerts(at(20));
    assert_eq!(
        shown(&live, 20).into_iter().map(|(line, ..)| line).collect::<Vec<_>>(),
        ["alertmanager, prometheus High", "prometheus Low", "alertmanager Foreign"]
    );
    assert_eq!((all[0].alert, all[0].twin), (&theirs, Some(&ours)));
    assert_eq!(all[0].fingerprints(), [&theirs.fingerprint, &ours.fingerprint]);
}

#[test]
fn a_source_that_fails_keeps_its_alerts_and_they_age_instead_of_looking_fresh() {
    let mut live = Live::default();
    tell(&mut live, "alertmanager", vec![alert("alertmanager", "High", None, 0)], 0);
    let failed = Finding::Failed { reason: "gone".into(), retry_in: TimeDelta::seconds(1) };
    say(&mut live, "alertmanager", failed, 15);
    let freshness =
        |live: &Live, seconds| shown(live, seconds).into_iter().map(|(.., freshness)| freshness).collect::<Vec<_>>();
    for (seconds, expected) in [(30, Freshness::Fresh), (31, Freshness::Stale), (76, Freshness::Gone)] {
        assert_eq!(freshness(&live, seconds), [expected], "after {seconds} s");
    }
    assert_eq!(live.alerts_freshness("alertmanager", at(31)), Some(Freshness::Stale));
    assert!(!live.alerts(at(31))[0].is_firing());
    say(&mut live, "alertmanager", Finding::NoAlerts("answered 500".into()), 80);
    assert_eq!(live.reported["alertmanager"].problem.as_deref(), Some("answered 500"));
    assert_eq!(freshness(&live, 81), [Freshness::Gone], "an answer without alerts is no news of them");
    tell(&mut live, "alertmanager", Vec::new(), 90);
    assert_eq!(shown(&live, 90), []);
    assert_eq!(live.reported["alertmanager"].problem, None);
}

#[test]
fn a_silence_counts_while_alertmanager_answers_and_an_old_one_hides_no_fresh_alert() {
    let mut live = Live::default();
    let mut theirs = alert("alertmanager", "High", None, 0);
    theirs.state = silenced();
    tell(&mut live, "alertmanager", vec![theirs], 0);
    tell(&mut live, "prometheus", vec![alert("prometheus", "High", None, 0)], 0);
    let line = |state: &str| [("alertmanager, prometheus High".to_owned(), state.to_owned(), Freshness::Fresh)];
    assert_eq!(shown(&live, 1), line("silenced"));
    tell(&mut live, "prometheus", vec![alert("prometheus", "High", None, 0)], 60);
    assert_eq!(shown(&live, 61), line("firing"));
}

#[test]
fn only_what_changed_asks_for_a_new_picture_and_ten_thousand_alerts_are_bounded() {
    let mut live = Live::default();
    let high = || vec![alert("prometheus", "High", None, 0)];
    assert!(tell(&mut live, "prometheus", high(), 0));
    assert!(!tell(&mut live, "prometheus", high(), 15));
    assert!(tell(&mut live, "prometheus", Vec::new(), 30));
    let many = (0..10_000).map(|number| alert("prometheus", &format!("A{number}"), None, number)).collect();
    tell(&mut live, "prometheus", many, 45);
    let reported = &live.reported["prometheus"].found;
    assert_eq!((reported.alerts.len(), reported.left_out), (MOST_ALERTS, 10_000 - MOST_ALERTS));
    assert_eq!(live.alerts(at(45))[0].alert.name, "A9999", "the newest are kept");
}

#[test]
fn a_burst_counts_an_alert_of_two_sources_once_and_leaves_out_what_is_covered() {
    let mut live = Live::default();
    let both = |source| vec![alert(source, "A", None, 0), alert(source, "B", None, 1)];
    tell(&mut live, "prometheus", both("prometheus"), 5);
    tell(&mut live, "alertmanager", both("alertmanager"), 5);
    assert_eq!(live.burst(at(5), at(5), |_| false), None, "two alerts, told twice");
    let mut three = both("alertmanager");
    three.push(alert("alertmanager", "C", None, 2));
    tell(&mut live, "alertmanager", three, 6);
    assert_eq!(live.burst(at(6), at(6), |_| false).unwrap().names(), ["A", "B", "C"]);
    assert_eq!(live.burst(at(6), at(6), |one| one.alert.name == "C"), None);
    assert_eq!(live.burst(at(60), at(60), |_| false), None, "what is stale may be over");
}
