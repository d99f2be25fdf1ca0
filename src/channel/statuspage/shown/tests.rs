use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::incident::{Act, Beside, EntryId, IncidentId};

const MARK: &str = super::super::answers::MARK;

/// A text about an incident that affects one component.
fn parcel(status: PageStatus, severity: Severity) -> (Parcel, Publication) {
    let said = Publication {
        title: "payments fail".into(),
        severity,
        status,
        components: BTreeSet::from(["c1".into()]),
        notifies: false,
    };
    let parcel = Parcel {
        id: EntryId { rid: 1, rseq: 7 },
        op: "INC-1/1-7".into(),
        service: "statuspage".into(),
        target: "pg".into(),
        act: Act::Publish(said.clone()),
        text: "we look".into(),
        from: None,
        incident: IncidentId::incident(1),
        about: None,
        made: None,
        sent_at: chrono::DateTime::UNIX_EPOCH,
        first_sent_at: chrono::DateTime::UNIX_EPOCH,
        record: "1-1".into(),
        ops: BTreeSet::new(),
        is_dropped: false,
        choices: BTreeSet::new(),
        beside: Vec::new(),
        attached: Default::default(),
        standing: Default::default(),
    };
    (parcel, said)
}

/// A page with one component that shows something.
fn page(now: &str, unresolved: Vec<Incident>) -> Seen {
    let part = json!({ "id": "c1", "name": "Alipay", "status": now, "group": false });
    Seen { components: vec![of(part)], unresolved, maintenances: Vec::new() }
}

fn of<T: serde::de::DeserializeOwned>(said: Value) -> T {
    serde_json::from_value(said).unwrap()
}

/// An incident of ours on the page.
fn ours(id: &str, claim: &str, before: &str) -> Incident {
    of(json!({ "id": id, "status": "investigating",
        "metadata": { MARK: { "status": "investigating", "claims": { "c1": claim }, "before": { "c1": before } } } }))
}

/// One that somebody opened on the page.
fn theirs(id: &str, claim: &str) -> Incident {
    of(json!({ "id": id, "status": "identified", "impact": "minor", "metadata": {}, "components": [{ "id": "c1" }],
        "incident_updates": [{ "id": "u1", "status": "identified",
            "affected_components": [{ "code": "c1", "name": "Alipay", "old_status": "operational", "new_status": claim }] }] }))
}

fn maintenance() -> Incident {
    of(
        json!({ "id": "m1", "name": "Database", "status": "in_progress", "impact": "maintenance", "components": [{ "id": "c1" }] }),
    )
}

fn set(shown: Result<Shown, Question>) -> Option<&'static str> {
    shown.unwrap().set.get("c1").map(|level| level.word())
}

#[test]
fn the_end_of_one_of_two_incidents_leaves_what_the_other_says() {
    let (parcel, said) = parcel(PageStatus::Resolved, Severity::Sev1);
    let own = ours("i1", "partial_outage", "operational");
    let other = ours("i2", "major_outage", "operational");
    let seen = page("major_outage", vec![own.clone(), other]);
    assert_eq!(set(shown(&parcel, &said, Some(&own), &seen)), Some("major_outage"));
    let seen = page("degraded_performance", vec![own.clone(), theirs("x1", "degraded_performance")]);
    assert_eq!(set(shown(&parcel, &said, Some(&own), &seen)), Some("degraded_performance"));
    let seen = page("partial_outage", vec![own.clone()]);
    assert_eq!(set(shown(&parcel, &said, Some(&own), &seen)), Some("operational"));
}

#[test]
fn a_maintenance_is_afterwards_what_it_was_before_and_is_gone_when_it_is_over() {
    let (first, said) = parcel(PageStatus::Investigating, Severity::Sev1);
    // Somebody set it by hand: no maintenance is listed.
    let opened = shown(&first, &said, None, &page("under_maintenance", Vec::new())).unwrap();
    assert_eq!(opened.set["c1"], Level::PartialOutage);
    assert_eq!(opened.before["c1"], Level::UnderMaintenance);
    let own = ours("i1", "partial_outage", "under_maintenance");
    let (last, said_last) = parcel(PageStatus::Resolved, Severity::Sev1);
    let seen = page("partial_outage", vec![own.clone()]);
    assert_eq!(set(shown(&last, &said_last, Some(&own), &seen)), Some("under_maintenance"));
    // One that the page lists is looked at when it matters.
    let seen = Seen { maintenances: vec![maintenance()], ..page("under_maintenance", Vec::new()) };
    let opened = shown(&first, &said, None, &seen).unwrap();
    assert_eq!(opened.before["c1"], Level::Operational);
    let own = ours("i1", "partial_outage", "operational");
    let seen = Seen { maintenances: vec![maintenance()], ..page("partial_outage", vec![own.clone()]) };
    assert_eq!(set(shown(&last, &said_last, Some(&own), &seen)), Some("under_maintenance"));
    let seen = page("partial_outage", vec![own.clone()]);
    assert_eq!(set(shown(&last, &said_last, Some(&own), &seen)), Some("operational"));
}

/// Takes the ways of all questions that come, by their words.
fn taking(
    parcel: &mut Parcel,
    said: &Publication,
    own: Option<&Incident>,
    seen: &Seen,
    words: &str,
) -> (String, Shown) {
    let asked = shown(parcel, said, own, seen).unwrap_err();
    let way = asked.ways.iter().find(|way| way.words.contains(words));
    parcel.choices.insert(way.unwrap_or_else(|| panic!("{asked:?}")).choice.clone());
    (asked.why.to_string(), shown(parcel, said, own, seen).unwrap())
}

#[test]
fn where_page_and_record_disagree_a_person_decides() {
    let own = ours("i1", "partial_outage", "operational");
    for (now, status, way, expected) in [
        ("major_outage", PageStatus::Monitoring, "leave major outage", None),
        ("major_outage", PageStatus::Monitoring, "show partial outage", Some("partial_outage")),
        ("degraded_performance", PageStatus::Monitoring, "show partial outage", Some("partial_outage")),
        ("major_outage", PageStatus::Resolved, "leave major outage", None),
        ("major_outage", PageStatus::Resolved, "show operational", Some("operational")),
    ] {
        let (mut parcel, said) = parcel(status, Severity::Sev1);
        let seen = page(now, vec![own.clone()]);
        let first = shown(&parcel, &said, Some(&own), &seen).unwrap_err();
        let worst = first.ways[0].words.as_str();
        assert!(!worst.contains("operational") && !worst.contains("degraded"), "the safest is first: {worst}");
        let (why, shown) = taking(&mut parcel, &said, Some(&own), &seen, way);
        assert!(why.contains("Alipay (c1)") && why.contains("no incident there or here says so"), "{why}");
        assert_eq!(shown.set.get("c1").map(|level| level.word()), expected, "{now} {status:?} {way}");
    }
    // What somebody set it to before, without an incident, is put back or not.
    let own = ours("i1", "partial_outage", "partial_outage");
    for (way, expected) in [("show partial outage again", "partial_outage"), ("show operational", "operational")] {
        let (mut parcel, said) = parcel(PageStatus::Resolved, Severity::Sev1);
        let seen = page("partial_outage", vec![own.clone()]);
        let (why, shown) = taking(&mut parcel, &said, Some(&own), &seen, way);
        assert!(why.contains("showed partial outage before this incident"), "{why}");
        assert_eq!(shown.set["c1"].word(), expected);
    }
}

#[test]
fn an_incident_that_the_page_does_not_know_is_neither_covered_up_nor_told_in_silence() {
    let own = ours("i1", "partial_outage", "operational");
    let beside = Beside {
        incident: IncidentId::incident(2),
        severity: Some(Severity::Sev0),
        components: BTreeSet::from(["c1".into()]),
        on_page: None,
    };
    for (way, expected) in [("show major outage", "major_outage"), ("show operational", "operational")] {
        let (mut parcel, said) = parcel(PageStatus::Resolved, Severity::Sev1);
        parcel.beside = vec![beside.clone()];
        let seen = page("partial_outage", vec![own.clone()]);
        let (why, shown) = taking(&mut parcel, &said, Some(&own), &seen, way);
        assert!(why.starts_with("INC-2 (SEV0) is open on this host"), "{why}");
        assert_eq!(shown.set["c1"].word(), expected);
    }
    // On the page it speaks for itself; one that was resolved there by hand does not.
    let (mut parcel, said) = parcel(PageStatus::Resolved, Severity::Sev1);
    parcel.beside = vec![Beside { on_page: Some("i2".into()), ..beside }];
    let seen = page("major_outage", vec![own.clone(), ours("i2", "major_outage", "operational")]);
    assert_eq!(set(shown(&parcel, &said, Some(&own), &seen)), Some("major_outage"));
    let seen = page("partial_outage", vec![own.clone()]);
    assert!(shown(&parcel, &said, Some(&own), &seen).is_err());
}

#[test]
fn what_may_be_affected_by_a_record_that_cannot_be_read_gets_better_on_a_persons_word_alone() {
    let own = ours("i1", "partial_outage", "operational");
    let unread = Beside {
        incident: IncidentId::incident(2),
        severity: None,
        components: BTreeSet::from(["c1".into()]),
        on_page: None,
    };
    let seen = page("partial_outage", vec![own.clone()]);
    for (way, expected) in [("leave partial outage as it is", None), ("show operational", Some("operational"))] {
        let (mut parcel, said) = parcel(PageStatus::Resolved, Severity::Sev1);
        parcel.beside = vec![unread.clone()];
        let (why, shown) = taking(&mut parcel, &said, Some(&own), &seen, way);
        assert!(why.starts_with("the record of INC-2 cannot be read"), "{why}");
        assert_eq!(shown.set.get("c1").map(|level| level.word()), expected);
    }
    // What gets worse, or stays, waits for nobody.
    let (mut parcel, said) = parcel(PageStatus::Identified, Severity::Sev0);
    parcel.beside = vec![unread];
    assert_eq!(set(shown(&parcel, &said, Some(&own), &seen)), Some("major_outage"));
}

#[test]
fn a_component_that_is_gone_or_a_group_asks_once_and_is_left_out() {
    let group = json!({ "id": "c1", "name": "All", "status": "operational", "group": true });
    for (parts, words) in [(vec![], "was deleted there"), (vec![of(group)], "is a group")] {
        let (mut parcel, said) = parcel(PageStatus::Investigating, Severity::Sev0);
        let seen = Seen { components: parts, ..Seen::default() };
        let (why, shown) = taking(&mut parcel, &said, None, &seen, "without that component");
        assert!(why.contains(words), "{why}");
        assert_eq!(shown, Shown::default());
    }
}

#[test]
fn what_is_no_longer_affected_is_put_back_at_once() {
    let (parcel, said) = parcel(PageStatus::Identified, Severity::Sev1);
    let said = Publication { components: BTreeSet::new(), ..said };
    let own = ours("i1", "partial_outage", "operational");
    let seen = page("partial_outage", vec![own.clone()]);
    assert_eq!(shown(&parcel, &said, Some(&own), &seen).unwrap().set["c1"], Level::Operational);
}

#[test]
fn what_was_published_in_the_same_moment_is_seen_after_it() {
    let written = Shown { set: BTreeMap::from([("c1".to_owned(), Level::Operational)]), ..Shown::default() };
    let seen = [ours("i1", "partial_outage", "operational"), ours("i2", "major_outage", "operational")];
    assert_eq!(too_good(&written, "i1", &seen), BTreeMap::from([("c1".to_owned(), Level::MajorOutage)]));
    assert_eq!(too_good(&written, "i1", &seen[..1]), BTreeMap::new());
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

proptest! {
    /// The whole kind: whatever stands on the page, nothing that is written without a person's word is better than what is known to be open.
    #[test]
    fn nothing_is_written_that_is_better_than_the_worst_that_is_open(
        now in level(),
        own in prop::option::of((level(), level())),
        others in prop::collection::vec((level(), any::<bool>()), 0..4),
        is_maintained in any::<bool>(),
        hidden in prop::option::of(prop::sample::select(vec![Severity::Sev0, Severity::Sev1, Severity::Sev2])),
        severity in prop::sample::select(vec![Severity::Sev0, Severity::Sev1, Severity::Sev2, Severity::Sev3]),
        is_last in any::<bool>(),
    ) {
        let (mut parcel, said) = parcel(if is_last { PageStatus::Resolved } else { PageStatus::Monitoring }, severity);
        let beside = hidden.map(|severity| Beside {
            incident: IncidentId::incident(2),
            severity: Some(severity),
            components: BTreeSet::from(["c1".into()]),
            on_page: None,
        });
        parcel.beside = beside.into_iter().collect();
        let own = own.map(|(claim, before)| ours("i1", claim.word(), before.word()));
        let mut unresolved: Vec<_> = own.iter().cloned().collect();
        unresolved.extend(others.iter().enumerate().map(|(place, (claim, is_ours))| {
            let id = format!("o{place}");
            if *is_ours { ours(&id, claim.word(), "operational") } else { theirs(&id, claim.word()) }
        }));
        let maintenances = if is_maintained { vec![maintenance()] } else { Vec::new() };
        let seen = Seen { maintenances, ..page(now.word(), unresolved) };
        if let Ok(shown) = shown(&parcel, &said, own.as_ref(), &seen) {
            let written = shown.set["c1"];
            prop_assert!(others.iter().all(|(claim, _)| written >= *claim));
            prop_assert!(!is_maintained || written >= Level::UnderMaintenance);
            prop_assert!(is_last || written >= Level::by(severity));
            prop_assert!(hidden.is_none_or(|severity| written >= Level::by(severity)));
            // It gets better only where all that was on the page is explained.
            let explained = own.as_ref().and_then(|own| own.claim("c1")).into_iter().chain(others.iter().map(|one| one.0));
            let explained = explained.chain(own.as_ref().and_then(|own| own.before().get("c1").copied()));
            prop_assert!(written >= now || explained.into_iter().any(|level| level == now) || is_maintained);
        }
    }
}
