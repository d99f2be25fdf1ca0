//! Two journals, each of which counts its first incident as INC-1: neither touches what the other has made, in any system.

use super::*;

/// The first delivery of a record: both records call themselves INC-1, and nothing else of them is the same.
fn of(record: u64, parcel: Parcel) -> Parcel {
    let op = |rseq: u64| CleanStr::new(&format!("INC-1/{}", EntryId { rid: record, rseq }));
    Parcel {
        id: EntryId { rid: record, rseq: 7 },
        op: op(7),
        ops: BTreeSet::from([op(7)]),
        record: CleanStr::new(&EntryId { rid: record, rseq: 1 }.to_string()),
        ..parcel
    }
}

/// The next delivery of the same record to the same place.
fn next(parcel: &Parcel, act: Act, text: &str) -> Parcel {
    let id = EntryId { rseq: parcel.id.rseq + 1, ..parcel.id };
    let op = CleanStr::new(&format!("INC-1/{id}"));
    let ops = parcel.ops.iter().chain([&op]).cloned().collect();
    Parcel { id, op, ops, act, text: text.into(), ..parcel.clone() }
}

#[tokio::test]
async fn on_a_status_page_each_record_has_its_own_entry() {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let first = |record| of(record, parcel("statuspage", "outside", published(PageStatus::Investigating)));
    let (a, b) = (there(channel.deliver(&first(0xa)).await), there(channel.deliver(&first(0xb)).await));
    assert_ne!(a.id, b.id);
    // B's end, sent by a console that has lost what it knew of its entry, ends B's entry alone.
    let end = next(&first(0xb), published(PageStatus::Resolved), "all payments work");
    assert_eq!(there(channel.deliver(&end).await).id, b.id);
    assert_eq!(there(channel.look_up(&end).await).id, b.id);
    let state = page.0.lock().unwrap();
    let states: Vec<_> = state.incidents.iter().map(|(_, one)| one["status"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["investigating", "resolved"]);
}

#[tokio::test]
async fn an_entry_of_a_page_that_was_made_before_records_had_marks_is_found_by_its_own_record_alone() {
    let page = Statuspage::default();
    let kept = page.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("statuspage", &server);
    let first = of(0xa, parcel("statuspage", "outside", published(PageStatus::Investigating)));
    let made = there(channel.deliver(&first).await);
    page.0.lock().unwrap().incidents[0].1["metadata"]["warroom"].as_object_mut().unwrap().remove("record");
    let foreign = of(0xb, parcel("statuspage", "outside", published(PageStatus::Investigating)));
    assert_ne!(there(channel.deliver(&foreign).await).id, made.id);
    let end = next(&first, published(PageStatus::Resolved), "all payments work");
    assert_eq!(there(channel.deliver(&end).await).id, made.id);
}

#[tokio::test]
async fn in_slack_a_channel_of_the_same_name_is_another_record_s() {
    let workspace = Slack::default();
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let act = |is_own_name| Act::OpenRoom {
        is_private: false,
        since: DateTime::from_timestamp(SENT - 600, 0).unwrap(),
        is_own_name,
    };
    let room = |record| of(record, parcel("slack", "inc-1", act(true)));
    let (a, b) = (there(channel.deliver(&room(0xa)).await), there(channel.deliver(&room(0xb)).await));
    assert_ne!(a.id, b.id);
    assert_eq!(b.name.as_deref(), Some("inc-1-2"));
    assert_eq!(there(channel.look_up(&room(0xa)).await).id, a.id);
    // One that is named by PagerDuty's number is adopted, unless it bears the mark of a record.
    let other = of(0xb, parcel("slack", "inc-1", act(false)));
    assert_eq!(there(channel.deliver(&other).await).id, b.id, "its own, under the next name");
    // Messages of one record are not those of the other.
    let message = |record| of(record, parcel("slack", slack::STATUS, Act::Post));
    there(channel.deliver(&message(0xa)).await);
    assert!(matches!(channel.look_up(&message(0xb)).await, Receipt::NotThere { .. }));
}

#[tokio::test]
async fn in_pagerduty_and_in_jira_each_record_has_its_own() {
    let account = PagerDuty::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("pagerduty", &server);
    // Both came from one alert, whose name stands in the title of what the first record opened.
    let begin = |record| {
        let begin = parcel("pagerduty", "PALIPAY", opened(&["p99 over 2 s"]));
        of(record, begin)
    };
    let (a, b) = (there(channel.deliver(&begin(0xa)).await), there(channel.deliver(&begin(0xb)).await));
    assert_ne!(a.id, b.id);
    assert_eq!(there(channel.look_up(&begin(0xa)).await).id, a.id);
    let site = Jira::new(false);
    let kept = site.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("jira", &server);
    let ticket = |record| of(record, parcel("jira", "OPS", opened(&[])));
    let (a, b) = (there(channel.deliver(&ticket(0xa)).await), there(channel.deliver(&ticket(0xb)).await));
    assert_ne!(a.id, b.id);
    assert_eq!(there(channel.look_up(&ticket(0xa)).await).id, a.id);
    // A mark is matched as a whole: `…:7` is no part of `…:71`.
    let note = |rseq| {
        let first = ticket(0xa);
        let op = CleanStr::new(&format!("INC-1/{}", EntryId { rid: 0xa, rseq }));
        Parcel { op, act: Act::Note(BTreeSet::new()), about: Some(a.clone()), ..first }
    };
    there(channel.deliver(&note(71)).await);
    assert!(matches!(channel.look_up(&note(7)).await, Receipt::NotThere { .. }));
    there(channel.look_up(&note(71)).await);
}

#[tokio::test]
async fn events_annotations_and_silences_bear_the_record_s_own_mark() {
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let keep = seen.clone();
    let server = Server::start(move |request| {
        if request.method == "GET" {
            return answer(200, &json!([]));
        }
        let said = body(request).unwrap();
        keep.lock().unwrap().push(said.clone());
        answer(200, &json!({ "id": 17, "dedup_key": said["dedup_key"], "silenceID": "s1" }))
    })
    .await;
    for (service, act) in [
        ("pagerduty-events", opened(&[])),
        ("grafana", opened(&[])),
        ("alertmanager", Act::Silence(Silencing { matchers: Vec::new(), until: DateTime::UNIX_EPOCH })),
    ] {
        let channel = open(service, &server);
        for record in [0xa, 0xb] {
            there(channel.deliver(&of(record, parcel(service, service, act.clone()))).await);
        }
        let seen = std::mem::take(&mut *seen.lock().unwrap());
        let marks: Vec<_> =
            seen.iter().map(|said| json!([said["dedup_key"], said["tags"], said["comment"]]).to_string()).collect();
        assert!(marks.len() == 2 && marks[0] != marks[1], "{service}: {marks:?}");
        assert!(marks[0].contains("000000000000000a:7"), "{service}: {marks:?}");
    }
}
