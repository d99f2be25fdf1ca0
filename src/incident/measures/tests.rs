use super::*;
use crate::incident::tests::{at, entry};

/// An incident of events at seconds, all by dana.
fn record(events: Vec<(i64, Event)>) -> Incident {
    let entries = events.into_iter().enumerate();
    Incident::replay(
        IncidentId::incident(42),
        entries.map(|(place, (seconds, event))| entry(1, place as u64 + 1, seconds, "dana", event)),
    )
}

fn declared(severity: Severity, detected: Option<i64>) -> Event {
    Event::Declared(Declared {
        title: "p99 over 2 s".into(),
        severity,
        service: Some("alipay".into()),
        detected_at: detected.map(at),
        detection: None,
        zone: "UTC".into(),
        link: None,
    })
}

fn told(channels: &[Channel], promised: Option<i64>) -> Event {
    Event::StatusUpdatePosted(StatusUpdate {
        channels: channels.iter().copied().collect(),
        text: "still on it".into(),
        promised_next: promised.map(at),
        ..StatusUpdate::default()
    })
}

fn phase(phase: Phase) -> Event {
    Event::PhaseEntered(PhaseEntered::plain(phase))
}

fn of(incident: &Incident) -> Measures {
    measures(incident, &Cadence::default(), at(100_000))
}

#[test]
fn mtta_counts_from_the_alert_and_mttr_from_the_alert_to_the_end() {
    let incident = record(vec![
        (60, declared(Severity::Sev2, Some(0))),
        (192, Event::Acknowledged(Plain {})),
        (300, Event::SeverityRaised(SeveritySet { to: Severity::Sev1, reason: None })),
        (400, Event::SeverityLowered(SeveritySet { to: Severity::Sev3, reason: None })),
        (1500, phase(Phase::Resolved)),
    ]);
    let measures = of(&incident);
    assert_eq!(measures.acknowledge, Measure::Value(TimeDelta::seconds(192)));
    assert_eq!(measures.resolve, Measure::Value(TimeDelta::seconds(1500)));
    assert_eq!(measures.severity, Some(Severity::Sev1), "the highest severity reached decides");
    assert_eq!(resolve_target(measures.severity, &Cadence::default()), Some(TimeDelta::minutes(30)));
    assert_eq!(resolve_target(Some(Severity::Sev3), &Cadence::default()), None);
    assert_eq!(measures.acknowledge.is_below(TimeDelta::minutes(5)), Some(true));
}

#[test]
fn what_nobody_recorded_is_not_recorded_and_what_cannot_be_is_invalid_never_zero() {
    let missing = of(&record(vec![(60, declared(Severity::Sev1, None)), (90, Event::Acknowledged(Plain {}))]));
    assert_eq!((missing.acknowledge, missing.resolve), (Measure::NotRecorded, Measure::NotRecorded));
    assert_eq!((missing.mitigate, missing.external), (Measure::NotRecorded, Measure::NotRecorded));
    let backwards = of(&record(vec![(60, declared(Severity::Sev1, Some(100))), (90, Event::Acknowledged(Plain {}))]));
    assert_eq!(backwards.acknowledge, Measure::Invalid);
    assert_eq!(
        (missing.acknowledge.to_string(), backwards.acknowledge.to_string()),
        ("not recorded".to_owned(), "invalid".to_owned())
    );
    assert_eq!(backwards.acknowledge.is_below(TimeDelta::minutes(5)), None);
}

#[test]
fn an_amended_time_changes_the_measure() {
    let incident = record(vec![
        (60, declared(Severity::Sev1, Some(0))),
        (192, Event::Acknowledged(Plain {})),
        (500, Event::TimeAmended(TimeAmended { which: Milestone::Detected, to: at(-300), reason: "the log".into() })),
    ]);
    assert_eq!(of(&incident).acknowledge, Measure::Value(TimeDelta::seconds(492)));
}

#[test]
fn an_update_in_time_is_kept_a_late_one_and_each_missed_quarter_of_an_hour_is_not() {
    let slack = [Channel::StatusSlack];
    let minutes = |minutes: i64| minutes * 60;
    let incident = record(vec![
        (0, declared(Severity::Sev1, Some(0))),
        (0, Event::Acknowledged(Plain {})),
        (minutes(10), told(&slack, None)),
        // Promised sooner than the cadence: late at 20.
        (minutes(12), told(&slack, Some(minutes(17)))),
        (minutes(20), told(&slack, None)),
        (minutes(66), phase(Phase::Resolved)),
    ]);
    let kept = of(&incident).cadence;
    let slack = kept.iter().find(|kept| kept.channel == Channel::StatusSlack).unwrap();
    // Kept at 10 and 12; missed at 17; then silence until 66: due at 35, 50 and 65.
    assert_eq!((slack.owed, slack.kept, slack.worst), (6, 2, Some(TimeDelta::minutes(46))));
    let page = kept.iter().find(|kept| kept.channel == Channel::InternalPage).unwrap();
    assert_eq!((page.owed, page.kept), (4, 0));
    let outside = kept.iter().find(|kept| kept.channel == Channel::ExternalPage).unwrap();
    assert_eq!((outside.owed, outside.percent()), (0, None), "no customer impact: nothing was due");
}

#[test]
fn nothing_is_owed_between_the_end_and_the_reopening() {
    let minutes = |minutes: i64| minutes * 60;
    let incident = record(vec![
        (0, declared(Severity::Sev1, Some(0))),
        (0, Event::Acknowledged(Plain {})),
        (minutes(10), phase(Phase::Resolved)),
        (minutes(500), phase(Phase::Triage)),
        (minutes(512), phase(Phase::Resolved)),
    ]);
    assert!(of(&incident).cadence.iter().all(|kept| kept.owed == 0));
}

#[test]
fn customers_are_told_within_a_quarter_of_an_hour_or_that_shows() {
    let external = [Channel::ExternalPage];
    let impact = |seconds| Event::ImpactStarted(ImpactAt { at: at(seconds), ..Default::default() });
    let mut events = vec![(0, declared(Severity::Sev1, Some(0))), (10, impact(-60))];
    let incident = record(events.clone());
    let silent = of(&incident);
    assert_eq!((silent.external, silent.external_kept), (Measure::NotRecorded, Some(false)));
    events.push((600, told(&external, None)));
    let in_time = of(&record(events.clone()));
    assert_eq!((in_time.external, in_time.external_kept), (Measure::Value(TimeDelta::seconds(660)), Some(true)));
    let short = record(vec![
        (0, declared(Severity::Sev1, Some(0))),
        (10, impact(0)),
        (300, Event::ImpactEnded(ImpactAt { at: at(300), ..Default::default() })),
    ]);
    assert_eq!(of(&short).external_kept, None, "five minutes of impact owe customers nothing");
    let denied =
        record(vec![(0, declared(Severity::Sev1, Some(0))), (10, Event::NoCustomerAffected(NoImpact::default()))]);
    assert_eq!(of(&denied).external_kept, None);
}

#[test]
fn a_length_is_said_the_way_people_say_it() {
    for (seconds, said) in [
        (0, "0 s"),
        (42, "42 s"),
        (192, "3 min 12 s"),
        (600, "10 min"),
        (7500, "2 h 05 min"),
        (273_600, "3 d 4 h"),
        (-90, "-1 min 30 s"),
    ] {
        assert_eq!(spoken(TimeDelta::seconds(seconds)), said);
    }
}
