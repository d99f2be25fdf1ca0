//! What users of Slack expect: threads, a status message with a layout, names, and pins of every kind.

use warroom::incident::{Attached, Bulletin, Handle, Thing, Watched};

use super::*;

fn in_room(room: &str, act: Act, text: &str, attached: Attached) -> Parcel {
    Parcel { about: Some(room.into()), text: text.into(), attached, ..parcel("slack", "inc-1", act) }
}

#[tokio::test]
async fn an_update_goes_below_the_pinned_message_and_is_found_there() {
    let workspace = Slack::default();
    let room = workspace.opened("inc-1", SENT);
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let people = vec![Handle { names: vec!["Leila Sadeghi".into()], id: "U0LEILA001".into() }];
    let bulletin =
        Bulletin { heading: "INC-1 SEV1".into(), commander: Some("Leila Sadeghi".into()), ..Bulletin::default() };
    let attached = Attached { bulletin: Some(bulletin), people: people.clone(), ..Attached::default() };
    let pinned = there(channel.deliver(&in_room(&room, Act::Pin, "INC-1 SEV1 p99", attached.clone())).await);
    let edit = Parcel { made: Some(pinned.clone()), ..in_room(&room, Act::Pin, "INC-1 SEV0 p99", attached) };
    assert_eq!(there(channel.deliver(&edit).await), pinned, "it is edited in place");
    let attached = Attached { thread: Some(pinned.clone()), people, ..Attached::default() };
    let update =
        Parcel { op: "INC-1/1-9".into(), ..in_room(&room, Act::Post, "@Leila Sadeghi rolls back <!here>", attached) };
    let sent = there(channel.deliver(&update).await);
    assert_eq!(there(channel.look_up(&update).await), sent);
    // Below a message that is gone it is posted to the channel.
    let gone = workspace.clone();
    server.change(move |request| {
        let is_reply = request.path.ends_with("postMessage") && request.body.contains("thread_ts");
        if is_reply { Reply::json(r#"{"ok":false,"error":"thread_not_found"}"#) } else { gone.answer(request) }
    });
    there(channel.deliver(&Parcel { op: "INC-1/1-10".into(), ..update }).await);
    let state = workspace.0.lock().unwrap();
    let [(_, top), (_, reply), (_, alone)] = &state.messages[..] else { panic!("{:?}", state.messages) };
    assert!(top["blocks"].to_string().contains("<@U0LEILA001>"), "{top}");
    assert_eq!((&reply["thread_ts"], &reply["reply_broadcast"]), (&json!(pinned.id), &json!(true)));
    assert_eq!(reply["text"], "<@U0LEILA001> rolls back &lt;!here&gt;");
    assert!(alone["thread_ts"].is_null());
}

#[tokio::test]
async fn pins_of_threads_and_beyond_the_first_page_are_told_with_names_and_links_that_people_read() {
    let workspace = Slack::default();
    let room = workspace.opened("inc-1", SENT);
    workspace.kept(&room, "1790000000.000001", "<@U00000BOB> sees <https://x.example/a|the graph>");
    for number in 2..=450 {
        let message = json!({ "ts": format!("1790000000.{number:06}"), "text": "x", "user": "U00000BOB" });
        workspace.0.lock().unwrap().messages.push((room.clone(), message));
    }
    {
        let mut state = workspace.0.lock().unwrap();
        let reply = json!({ "ts": "1790000001.000001", "thread_ts": "1790000000.000009", "text": "", "bot_id": "B1",
            "bot_profile": { "name": "Grafana" }, "files": [{ "name": "graph.png" }] });
        state.messages.push((room.clone(), reply));
        state.pins.push((room.clone(), "1790000001.000001".to_owned()));
    }
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let watched = Watched {
        incident: IncidentId::incident(1),
        service: "slack".into(),
        target: "inc-1".into(),
        thing: Some(Thing::Room),
        remote: room.as_str().into(),
        since: DateTime::from_timestamp(SENT - 600, 0).unwrap(),
        labels: Vec::new(),
        paged: Vec::new(),
        ours: Vec::new(),
        planned: Default::default(),
        choices: BTreeSet::new(),
        is_live: true,
        over: None,
        known: BTreeSet::new(),
    };
    let told = |news: Vec<warroom::incident::News>| -> Vec<(String, String)> {
        news.iter().map(|one| (one.noted.who.to_string(), one.noted.text.to_string())).collect()
    };
    let line = |who: &str, text: &str| (who.to_owned(), text.to_owned());
    let expected =
        [line("Bob Stone", "@Bob Stone sees the graph (https://x.example/a)"), line("Grafana", "(file graph.png)")];
    assert_eq!(told(channel.news(&watched).await.unwrap()), expected);
    let count = server.requests().len();
    assert_eq!(told(channel.news(&watched).await.unwrap()), expected[1..], "what is older has its turn later");
    // Pins, the newest page and one of the older ones; names and links do not change.
    assert_eq!(server.requests().len() - count, 3);
    let all = channel.news(&watched).await.unwrap();
    // A console that begins anew knows the lines, and asks for no link of them.
    let known = all.iter().map(|one| one.noted.key.clone()).collect();
    assert_eq!(told(all), expected);
    let count = server.requests().iter().filter(|request| request.path.ends_with("getPermalink")).count();
    let again = open("slack", &server);
    assert_eq!(told(again.news(&Watched { known, ..watched }).await.unwrap()), expected);
    let links = server.requests().iter().filter(|request| request.path.ends_with("getPermalink")).count();
    assert_eq!(links, count);
}

#[tokio::test]
async fn a_workspace_with_very_many_channels_is_listed_once_and_within_its_tier() {
    let workspace = Slack::default();
    for number in 0..200 {
        workspace.opened(&format!("team-{number}"), SENT);
    }
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let since = DateTime::from_timestamp(SENT - 60, 0).unwrap();
    let find = parcel("slack", "team-39", Act::FindRoom { since });
    // Two a page: the list ends beyond what one minute allows.
    for _ in 0..5 {
        assert!(matches!(channel.deliver(&find).await, Receipt::NotYet { .. }));
    }
    let lists = server.requests().iter().filter(|request| request.path.ends_with("conversations.list")).count();
    assert!(lists <= 15, "{lists} requests");
    let near = Parcel { target: "team-3".into(), ..find };
    there(channel.deliver(&near).await);
    let again = server.requests().iter().filter(|request| request.path.ends_with("conversations.list")).count();
    assert_eq!(lists, again, "what was listed is known");
}

#[tokio::test]
async fn a_channel_that_somebody_opened_is_linked_by_name_or_id_and_never_another_incident_s() {
    let workspace = Slack::default();
    let ids: Vec<_> =
        ["a", "b", "payments-war", "closed", "inc-7", "secret"].map(|name| workspace.opened(name, SENT)).into();
    {
        let mut state = workspace.0.lock().unwrap();
        state.channels[3]["is_archived"] = json!(true);
        state.channels[4]["purpose"] = json!({ "value": "warroom INC-7/9-1" });
        state.channels[5]["is_private"] = json!(true);
    }
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let link = |name: &str, is_private| parcel("slack", "inc-1", Act::AdoptRoom { name: name.into(), is_private });
    for (name, is_private, wanted) in [
        ("payments-war", false, Ok(2)),
        ("Payments-War", false, Ok(2)),
        (ids[2].as_str(), false, Ok(2)),
        ("secret", true, Ok(5)),
        ("closed", false, Err("#closed is archived: unarchive it, or link another one")),
        ("inc-7", false, Err("#inc-7 is another incident's (warroom INC-7/9-1): link another one")),
        ("payments-war", true, Err("everybody reads #payments-war")),
        ("nowhere", false, Err("slack shows no #nowhere: is it written so")),
        ("C999999999", false, Err("slack shows no #C999999999")),
    ] {
        match (channel.deliver(&link(name, is_private)).await, wanted) {
            (Receipt::There(remote), Ok(place)) => {
                let is_it: &str = &ids[place];
                assert_eq!((&*remote.id, remote.is_adopted), (is_it, true), "{name}");
            }
            (Receipt::Refused(why), Err(wanted)) => assert!(why.starts_with(wanted), "{why}"),
            (receipt, _) => panic!("{name}: {receipt:?}"),
        }
    }
    // What only a record says is proved by nothing there.
    assert!(matches!(channel.look_up(&link("payments-war", false)).await, Receipt::NotThere { .. }));
    let joined = server.requests().iter().filter(|request| request.path.ends_with("conversations.join")).count();
    assert_eq!(joined, 4);
    let kept = workspace.clone();
    server.change(move |request| match request.path.ends_with("conversations.join") {
        true => Reply::json(r#"{"ok":false,"error":"missing_scope","needed":"channels:join"}"#),
        false => kept.answer(request),
    });
    let remote = there(channel.deliver(&link("payments-war", false)).await);
    assert_eq!(remote.called().as_str(), "payments-war, and the app is not in it (missing_scope): /invite it");
}

#[tokio::test]
async fn a_channel_of_a_thousand_messages_costs_no_more_than_a_short_one_and_a_late_mark_on_an_old_one_is_found() {
    let workspace = Slack::default();
    let room = workspace.opened("inc-1", SENT);
    for number in 1..=900 {
        let message = json!({ "ts": format!("1790000000.{number:06}"), "text": "x", "user": "U00000BOB" });
        workspace.0.lock().unwrap().messages.push((room.clone(), message));
    }
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let channel = open("slack", &server);
    let watched = Watched {
        incident: IncidentId::incident(1),
        service: "slack".into(),
        target: "inc-1".into(),
        thing: Some(Thing::Room),
        remote: room.as_str().into(),
        since: DateTime::from_timestamp(SENT - 600, 0).unwrap(),
        labels: Vec::new(),
        paged: Vec::new(),
        ours: Vec::new(),
        planned: Default::default(),
        choices: BTreeSet::new(),
        is_live: true,
        over: None,
        known: BTreeSet::new(),
    };
    assert_eq!(channel.news(&watched).await.unwrap(), []);
    {
        let mut state = workspace.0.lock().unwrap();
        // Somebody marks the third of them an hour later.
        state.messages[2].1["reactions"] = json!([{ "name": "pushpin", "users": ["U1"] }]);
    }
    let before = server.requests().len();
    let mut found = Vec::new();
    for _ in 0..9 {
        found.extend(channel.news(&watched).await.unwrap());
    }
    let asked = server.requests().len() - before;
    // Nine looks are three minutes; the mark costs its name and its link once.
    assert!(asked <= 9 * 3 + 2, "{asked}");
    assert!(found.iter().any(|news| news.noted.key.ends_with("/1790000000.000003")), "{found:?}");
}

#[tokio::test]
async fn a_topic_pings_nobody_whatever_the_title_says() {
    let workspace = Slack::default();
    let room = workspace.opened("inc-1", SENT);
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let topic = Parcel {
        about: Some(room.as_str().into()),
        text: "SEV1 \u{b7} <!channel> p99 > 2 s & more".into(),
        ..parcel("slack", "inc-1", Act::Topic)
    };
    there(open("slack", &server).deliver(&topic).await);
    let said = workspace.0.lock().unwrap().channels[0]["topic"]["value"].clone();
    assert_eq!(said, "SEV1 \u{b7} &lt;!channel&gt; p99 &gt; 2 s &amp; more");
}
