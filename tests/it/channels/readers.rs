//! Who reads what was meant inside: nobody from outside, unless a person said so.

use super::*;

fn slack_at(server: &Server, private_rooms: bool) -> Box<dyn Channel> {
    let endpoint = Endpoint { bearer_command: Some(printing(slack::TOKEN)), ..Endpoint::at(server.url()) };
    open_with("slack", &endpoint, &settings([("slack-channels.private", Setting::Flag(private_rooms))]))
}

#[tokio::test]
async fn a_channel_with_readers_from_outside_asks_before_the_first_text_and_once() {
    for (said, words) in [
        (json!({ "is_shared": true, "is_ext_shared": true }), "shared with another company"),
        (json!({ "is_shared": true }), "shared with another company"),
        (json!({ "is_pending_ext_shared": true }), "another company is invited"),
    ] {
        let workspace = Slack::default();
        workspace.0.lock().unwrap().status = said;
        let kept = workspace.clone();
        let server = Server::start(move |request| kept.answer(request)).await;
        let channel = slack_at(&server, false);
        let text = parcel("slack", slack::STATUS, Act::Post);
        let (why, ways) = asked(channel.deliver(&text).await);
        assert!(why.contains("#status-qrpay") && why.contains(words), "{why}");
        assert_eq!(workspace.texts(slack::STATUS).len(), 0, "nothing has left");
        there(channel.deliver(&taking(&text, &ways, "send it")).await);
        assert_eq!(workspace.texts(slack::STATUS).len(), 1);
    }
    // Shared between workspaces of one company: nobody from outside.
    let workspace = Slack::default();
    workspace.0.lock().unwrap().status = json!({ "is_shared": true, "is_org_shared": true });
    let server = Server::start(move |request| workspace.answer(request)).await;
    there(slack_at(&server, false).deliver(&parcel("slack", slack::STATUS, Act::Post)).await);
}

#[tokio::test]
async fn guests_are_named_and_a_word_for_one_is_none_for_the_next() {
    let workspace = Slack::default();
    workspace.0.lock().unwrap().guests = vec!["Ann of Partner".to_owned()];
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let text = parcel("slack", slack::STATUS, Act::Post);
    let (why, ways) = asked(slack_at(&server, false).deliver(&text).await);
    assert!(why.contains("guests are in it") && why.contains("Ann of Partner"), "{why}");
    let text = taking(&text, &ways, "send it");
    there(slack_at(&server, false).deliver(&text).await);
    workspace.0.lock().unwrap().guests.push("Eve of Other".to_owned());
    let (why, _) = asked(slack_at(&server, false).deliver(&text).await);
    assert!(why.contains("Eve of Other"), "{why}");
}

#[tokio::test]
async fn an_incident_s_public_channel_asks_where_private_ones_are_configured() {
    let workspace = Slack::default();
    let id = workspace.opened("inc-4711", SENT);
    let kept = workspace.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    for act in [Act::Post, Act::Pin, Act::Topic] {
        let text = Parcel { about: Some(id.as_str().into()), ..parcel("slack", "inc-4711", act) };
        let (why, ways) = asked(slack_at(&server, true).deliver(&text).await);
        assert!(why.contains("it is public"), "{why}");
        there(slack_at(&server, true).deliver(&taking(&text, &ways, "send it")).await);
        there(slack_at(&server, false).deliver(&text).await);
    }
    // A public one of the name is not taken for the private one that is to be opened.
    let since = DateTime::from_timestamp(SENT - 60, 0).unwrap();
    let begin = parcel("slack", "inc-4711", Act::OpenRoom { is_private: true, since, is_own_name: false });
    let room = there(slack_at(&server, true).deliver(&begin).await);
    assert_eq!(room.name.as_deref(), Some("inc-4711-2"));
}

#[tokio::test]
async fn that_nobody_says_who_reads_is_asked_too() {
    let workspace = Slack::default();
    let kept = workspace.clone();
    let server = Server::start(move |request| {
        let no = json!({ "ok": false, "error": "missing_scope", "needed": "channels:read", "provided": "chat:write" });
        if request.path.ends_with("conversations.info") { Reply::json(no.to_string()) } else { kept.answer(request) }
    })
    .await;
    let text = parcel("slack", slack::STATUS, Act::Post);
    let (why, ways) = asked(slack_at(&server, false).deliver(&text).await);
    assert!(why.contains("does not say who reads it") && why.contains("channels:read"), "{why}");
    there(slack_at(&server, false).deliver(&taking(&text, &ways, "send it")).await);
}

#[tokio::test]
async fn customers_of_a_service_project_read_no_comment() {
    for is_cloud in [true, false] {
        let site = Jira::new(is_cloud);
        site.state.lock().unwrap().has_customers = true;
        let kept = site.clone();
        let server = Server::start(move |request| kept.answer(request)).await;
        let channel = jira_at(&server, is_cloud);
        let remote = there(channel.deliver(&parcel("jira", "OPS", opened(&[]))).await);
        let about = |act: Act| Parcel { about: Some(remote.clone()), ..parcel("jira", "OPS", act) };
        there(channel.deliver(&about(Act::Note(BTreeSet::new()))).await);
        there(channel.deliver(&Parcel { op: "INC-1/1-8".into(), ..about(Act::Resolve) }).await);
        let state = site.state.lock().unwrap();
        assert_eq!((state.comments.len(), state.read_by_customers), (2, 0));
    }
}
