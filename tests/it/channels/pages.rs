//! Status pages: what customers see is never better than what is open, whoever else writes there.

use warroom::incident::Beside;

use super::*;

#[tokio::test]
async fn statuspage_gets_one_incident_with_its_updates_and_its_components_back() {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let first = parcel("statuspage", "outside", published(PageStatus::Investigating));
    assert!(matches!(channel.look_up(&first).await, Receipt::NotThere { .. }));
    let remote = there(channel.deliver(&first).await);
    assert_eq!(remote.link.as_deref(), Some("https://stspg.example/sp1"));
    assert_eq!(there(channel.look_up(&first).await), remote);
    assert_eq!(page.0.lock().unwrap().components["c1"], "partial_outage");
    let last = Parcel {
        op: "INC-1/1-9".into(),
        text: "all payments work".into(),
        made: Some(remote.clone()),
        ..parcel("statuspage", "outside", published(PageStatus::Resolved))
    };
    assert!(matches!(channel.look_up(&last).await, Receipt::NotThere { .. }));
    assert_eq!(there(channel.deliver(&last).await), remote);
    assert_eq!(there(channel.look_up(&last).await), remote);
    let told = [("investigating", "payments fail & we look"), ("resolved", "all payments work")];
    assert_eq!(page.texts("outside"), told.map(|(status, text)| (status.to_owned(), text.to_owned())));
    let state = page.0.lock().unwrap();
    assert_eq!((&state.components["c1"], state.mails), (&json!("operational"), 0));
}

#[tokio::test]
async fn statuspage_waits_out_its_window_and_says_its_own_words() {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let first = parcel("statuspage", "outside", published(PageStatus::Investigating));
    for status in [420, 429] {
        let kept = page.clone();
        server.change(move |request| {
            if request.method == "GET" {
                kept.answer(request)
            } else {
                answer(status, &json!({ "error": "slow down" }))
            }
        });
        let Receipt::NotThere { wait, .. } = channel.deliver(&first).await else { panic!() };
        assert_eq!(wait, Some(TimeDelta::seconds(60)), "{status}");
    }
    for said in [json!({ "message": "bad page" }), json!({ "error": "bad page" }), json!({ "error": ["bad page"] })] {
        server.change(move |_| answer(422, &said));
        let said = channel.deliver(&first).await;
        assert!(format!("{said:?}").contains("bad page"), "{said:?}");
    }
}

/// A text of an incident, about one component.
fn text(number: u32, severity: Severity, status: PageStatus) -> Parcel {
    let Act::Publish(said) = published(status) else { unreachable!() };
    let act = Act::Publish(Publication { severity, ..said });
    let op = CleanStr::new(&format!("INC-{number}/{number}-{status:?}"));
    let record = CleanStr::new(&format!("{number}-1"));
    Parcel { incident: IncidentId::incident(number), op, record, ..parcel("statuspage", "outside", act) }
}

async fn paged() -> (Statuspage, Server, Box<dyn Channel>) {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    (page, server, channel)
}

#[tokio::test]
async fn two_incidents_on_one_component_show_the_worse_one_until_it_is_over() {
    for (first, then) in [(1, 2), (2, 1)] {
        let (page, _server, channel) = paged().await;
        page.set("c1", "under_maintenance");
        let severity = |number| if number == 1 { Severity::Sev1 } else { Severity::Sev0 };
        let mut made = Vec::new();
        for number in [1, 2] {
            let begin = text(number, severity(number), PageStatus::Investigating);
            made.push(there(channel.deliver(&begin).await));
        }
        assert_eq!(page.shows("c1"), "major_outage");
        let end = |number: u32| {
            let made = Some(made[number as usize - 1].clone());
            Parcel { made, ..text(number, severity(number), PageStatus::Resolved) }
        };
        there(channel.deliver(&end(first)).await);
        assert_eq!(page.shows("c1"), if then == 2 { "major_outage" } else { "partial_outage" });
        there(channel.deliver(&end(then)).await);
        assert_eq!(page.shows("c1"), "under_maintenance", "what stood before is put back");
        assert_eq!(page.shows("c2"), "operational");
    }
}

#[tokio::test]
async fn a_maintenance_of_the_page_and_incidents_of_other_people_count() {
    let (page, _server, channel) = paged().await;
    let made = there(channel.deliver(&text(1, Severity::Sev2, PageStatus::Investigating)).await);
    assert_eq!(page.shows("c1"), "degraded_performance");
    // The maintenance sets its component by itself; somebody opens an incident on the page.
    page.0.lock().unwrap().maintenances.push(("Database".to_owned(), "c1".to_owned()));
    page.set("c1", "under_maintenance");
    let next = Parcel { made: Some(made.clone()), ..text(1, Severity::Sev2, PageStatus::Monitoring) };
    there(channel.deliver(&next).await);
    assert_eq!(page.shows("c1"), "degraded_performance");
    let end = Parcel { made: Some(made), ..text(1, Severity::Sev2, PageStatus::Resolved) };
    there(channel.deliver(&end).await);
    assert_eq!(page.shows("c1"), "under_maintenance");
}

#[tokio::test]
async fn an_incident_that_was_ended_or_deleted_on_the_page_is_not_opened_again_in_silence() {
    for status in ["resolved", "postmortem"] {
        let (page, _server, channel) = paged().await;
        let made = there(channel.deliver(&text(1, Severity::Sev1, PageStatus::Investigating)).await);
        page.end_by_hand(status);
        page.set("c1", "operational");
        let next = Parcel { made: Some(made.clone()), ..text(1, Severity::Sev1, PageStatus::Monitoring) };
        let (why, ways) = asked(channel.deliver(&next).await);
        assert!(why.contains("somebody has resolved there") && why.contains("by hand"), "{why}");
        assert_eq!((page.texts("outside").len(), page.shows("c1").as_str()), (2, "operational"), "nothing was written");
        let other = there(channel.deliver(&taking(&next, &ways, "as a new incident")).await);
        assert_ne!(other.id, made.id);
        let again = there(channel.deliver(&taking(&next, &ways, "is monitoring again")).await);
        assert_eq!((again.id, page.shows("c1").as_str()), (made.id, "partial_outage"));
    }
    let (page, _server, channel) = paged().await;
    let made = there(channel.deliver(&text(1, Severity::Sev1, PageStatus::Investigating)).await);
    page.0.lock().unwrap().incidents.clear();
    let next = Parcel { made: Some(made), ..text(1, Severity::Sev1, PageStatus::Monitoring) };
    let (why, ways) = asked(channel.deliver(&next).await);
    assert!(why.contains("was deleted there"), "{why}");
    there(channel.deliver(&taking(&next, &ways, "as a new incident")).await);
}

#[tokio::test]
async fn a_text_that_reopens_what_was_resolved_from_here_goes_out() {
    let (page, _server, channel) = paged().await;
    let made = there(channel.deliver(&text(1, Severity::Sev1, PageStatus::Investigating)).await);
    let of = |status| Parcel { made: Some(made.clone()), ..text(1, Severity::Sev1, status) };
    there(channel.deliver(&of(PageStatus::Resolved)).await);
    assert_eq!(page.shows("c1"), "operational");
    there(channel.deliver(&of(PageStatus::Investigating)).await);
    assert_eq!(page.shows("c1"), "partial_outage");
}

#[tokio::test]
async fn customers_are_told_without_a_component_that_is_gone_once_somebody_says_so() {
    let (page, _server, channel) = paged().await;
    page.0.lock().unwrap().components.remove("c1");
    let begin = text(1, Severity::Sev0, PageStatus::Investigating);
    let (why, ways) = asked(channel.deliver(&begin).await);
    assert!(why.contains("the page has no component c1"), "{why}");
    there(channel.deliver(&taking(&begin, &ways, "without that component")).await);
    assert_eq!(page.texts("outside").len(), 1);
}

#[tokio::test]
async fn an_open_incident_that_is_not_on_the_page_is_not_covered_up() {
    let (page, _server, channel) = paged().await;
    let made = there(channel.deliver(&text(1, Severity::Sev1, PageStatus::Investigating)).await);
    let components = BTreeSet::from(["c1".into()]);
    let beside =
        vec![Beside { incident: IncidentId::incident(2), severity: Some(Severity::Sev0), components, on_page: None }];
    let end = Parcel { made: Some(made), beside, ..text(1, Severity::Sev1, PageStatus::Resolved) };
    let (why, ways) = asked(channel.deliver(&end).await);
    assert!(why.contains("INC-2 (SEV0) is open on this host"), "{why}");
    there(channel.deliver(&taking(&end, &ways, "show major outage")).await);
    assert_eq!(page.shows("c1"), "major_outage");
}

#[tokio::test]
async fn what_another_console_publishes_in_the_same_moment_is_not_covered_up() {
    let (page, server, channel) = paged().await;
    let made = there(channel.deliver(&text(1, Severity::Sev1, PageStatus::Investigating)).await);
    // Between the look and the write another console publishes a SEV0.
    let (kept, other) = (
        page.clone(),
        json!({
            "id": "other", "status": "investigating", "components": [{ "id": "c1" }], "incident_updates": [],
            "metadata": { "warroom": { "op": "INC-2/2-1", "claims": { "c1": "major_outage" }, "before": {} } },
        }),
    );
    server.change(move |request| {
        if request.method == "PATCH" && request.path.contains("/incidents/") {
            kept.0.lock().unwrap().incidents.push(("outside".to_owned(), other.clone()));
        }
        kept.answer(request)
    });
    let end = Parcel { made: Some(made), ..text(1, Severity::Sev1, PageStatus::Resolved) };
    there(channel.deliver(&end).await);
    assert_eq!(page.shows("c1"), "major_outage");
}
