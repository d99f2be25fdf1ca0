use proptest::prelude::*;

use super::*;
use crate::incident::tests::{any_entries, at, entry};
use crate::incident::*;

fn record(id: IncidentId, severity: Severity, events: Vec<(i64, Event)>) -> Incident {
    let declared = Event::Declared(Declared {
        title: "p99 over 2 s".into(),
        severity,
        service: Some("alipay".into()),
        detected_at: Some(at(0)),
        detection: None,
        zone: "UTC".into(),
        link: None,
    });
    let events = [(0, declared)].into_iter().chain(events).enumerate();
    Incident::replay(id, events.map(|(place, (seconds, event))| entry(1, place as u64 + 1, seconds, "dana", event)))
}

fn over(seconds: i64) -> Vec<(i64, Event)> {
    vec![
        (seconds / 10, Event::Acknowledged(Plain {})),
        (seconds, Event::PhaseEntered(PhaseEntered::plain(Phase::Resolved))),
    ]
}

fn read(records: &[Incident], from: Option<i64>) -> Report {
    let period = Period { from: from.map(at), to: at(1_000_000) };
    report(records, Vec::new(), &Catalogue::shipped(), &Cadence::default(), period, at(1_000_000).date_naive())
}

#[test]
fn drills_false_alarms_and_duplicates_are_listed_and_never_counted() {
    let closed = |outcome| {
        let closed = PhaseEntered { outcome: Some(outcome), ..PhaseEntered::plain(Phase::Closed) };
        vec![(60, Event::PhaseEntered(closed))]
    };
    let records = [
        record(IncidentId::incident(1), Severity::Sev1, over(1200)),
        record(IncidentId::incident(2), Severity::Sev2, over(3600)),
        record(IncidentId::incident(3), Severity::Sev3, over(36_000)),
        record(IncidentId::drill(1), Severity::Sev1, over(10)),
        record(IncidentId::incident(4), Severity::Sev1, closed(Outcome::FalseAlarm)),
        record(IncidentId::incident(5), Severity::Sev1, closed(Outcome::Merged(IncidentId::incident(1)))),
        record(IncidentId::incident(6), Severity::Sev1, Vec::new()),
        Incident::new(IncidentId::incident(7)),
    ];
    let report = read(&records, None);
    let ids = |rows: &[Row]| rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>().join(" ");
    assert_eq!(ids(&report.incidents), "INC-1 INC-2 INC-3 INC-6");
    assert_eq!((ids(&report.drills), ids(&report.left_out)), ("DRILL-1".to_owned(), "INC-4 INC-5".to_owned()));
    let oldest = Some(TimeDelta::seconds(1_000_000));
    let mttr =
        Mean { mean: Some(TimeDelta::seconds(2400)), of: 2, met: 1, not_recorded: 1, invalid: 0, overdue: 1, oldest };
    assert_eq!(report.resolve, mttr, "a SEV3 has no target");
    assert_eq!(report.acknowledge.of, 3);
    let by = |level| report.resolve_by.iter().find(|(found, _)| *found == level).unwrap().1;
    assert_eq!((by(Severity::Sev1).of, by(Severity::Sev3).mean), (1, Some(TimeDelta::seconds(36_000))));
    assert_eq!(report.gameday, Completion::Practised { staged: 0, completed: 1, abandoned: 0, on_schedule: (0, 4) });
    let text = report.to_string();
    assert!(
        text.contains("MTTR        40 min of 2, 1 never, for up to 11 d 13 h; target < 30 min (SEV0 to SEV2): MISSED, 1 of 3 met it"),
        "{text}"
    );
    assert!(
        text.contains("GameDay     0 % (0 of 4 exercises in staging within their time; target 100 %); 0 in staging, 1 practised, 0 not finished")
            && text.contains("drills (not counted):"),
        "{text}"
    );
}

#[test]
fn what_never_came_is_missed_with_its_age_and_no_good_one_beside_it_makes_it_good() {
    let quick = vec![(60, Event::Acknowledged(Plain {}))];
    let records = [
        record(IncidentId::incident(1), Severity::Sev1, quick),
        record(IncidentId::incident(2), Severity::Sev1, vec![]),
    ];
    let at_minute = |minutes: i64| {
        let period = Period { from: None, to: at(minutes * 60) };
        report(&records, Vec::new(), &Catalogue::shipped(), &Cadence::default(), period, at(0).date_naive()).to_string()
    };
    assert!(at_minute(4).contains("MTTA        1 min of 1, 1 not recorded; target < 5 min: met, 1 of 1 met it"));
    let late = at_minute(660);
    assert!(
        late.contains("MTTA        1 min of 1, 1 never, for up to 11 h 00 min; target < 5 min: MISSED, 1 of 2 met it"),
        "{late}"
    );
}

#[test]
fn an_empty_period_has_nothing_recorded_and_no_zero() {
    let text = read(&[record(IncidentId::incident(1), Severity::Sev1, over(1200))], Some(500_000)).to_string();
    assert!(
        text.contains(": 0 incidents") && text.contains("MTTA        not recorded; target < 5 min: cannot be said"),
        "{text}"
    );
}

#[test]
fn late_follow_ups_show_whenever_their_incident_was_and_late_reviews_too() {
    let follow_up = |what: &str, owner: Option<&str>, due: Option<&str>| {
        Event::FollowUpSet(FollowUpSet {
            item: None,
            what: Some(what.into()),
            owner: owner.map(Into::into),
            due: due.map(|due| due.parse().unwrap()),
            state: None,
            reason: None,
        })
    };
    let events = vec![
        (60, follow_up("grow the pool", Some("omid"), Some("2026-06-01"))),
        (60, follow_up("on the last day", Some("omid"), Some("2026-06-09"))),
        (60, follow_up("whose is it?", None, None)),
    ];
    let incident = record(IncidentId::incident(1), Severity::Sev1, events);
    let report = read(&[incident], Some(500_000));
    let late: Vec<_> = report.overdue.iter().map(|late| late.what.as_str()).collect();
    assert_eq!((late, report.unowned), (vec!["grow the pool"], 1), "today is 2026-06-09");
    let far = report_on("2036-01-01");
    assert_eq!(far.reviews.len(), 4);
    assert!(far.to_string().contains("playbook reviews overdue: 4"));
}

fn report_on(day: &str) -> Report {
    let period = Period { from: None, to: at(0) };
    report(&[], Vec::new(), &Catalogue::shipped(), &Cadence::default(), period, day.parse().unwrap())
}

proptest! {
    #[test]
    fn any_records_give_a_report(one in any_entries(), other in any_entries()) {
        let records = [Incident::replay(IncidentId::incident(42), one), Incident::replay(IncidentId::drill(1), other)];
        prop_assert!(read(&records, None).to_string().contains("MTTA"));
    }
}

#[test]
fn a_report_of_what_could_not_all_be_read_says_so_on_top_and_claims_no_zero() {
    let period = Period { from: None, to: at(0) };
    let unread = vec!["INC-1 is left out: the disk".to_owned()];
    let told = report(&[], unread, &Catalogue::shipped(), &Cadence::default(), period, at(0).date_naive()).to_string();
    let mut lines = told.lines();
    assert!(
        lines.next().unwrap().ends_with("NOT WHOLE: 0 incidents could be read, and all figures are of those"),
        "{told}"
    );
    assert_eq!(lines.next(), Some("  INC-1 is left out: the disk"));
    assert!(!told.contains("no update was due") && !told.contains("was not due"), "{told}");
}
