//! Servers whose clocks are wrong: what we sent is found, and what is older than it is not taken for ours.

use super::*;

fn http_date(at: DateTime<chrono::Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn with_a_server_ten_minutes_off_either_way_our_message_is_found_and_a_channel_of_others_is_not_ours() {
    for off in [-600, 0, 600] {
        let workspace = Slack::default();
        let now = warroom::run::clock::wall();
        let theirs = now + TimeDelta::seconds(off);
        let kept = workspace.clone();
        let server = Server::start(move |request| {
            let reply = kept.answer(request).with("date", &http_date(theirs));
            let oldest = request.parameter("oldest").map(|at| at.parse::<i64>().unwrap());
            // A message of before that is none of this history.
            let is_too_late = request.path.ends_with("history") && oldest.is_some_and(|at| at > theirs.timestamp());
            if is_too_late { Reply::json(r#"{"ok":true,"messages":[]}"#) } else { reply }
        })
        .await;
        let channel = open("slack", &server);
        let post = Parcel { first_sent_at: now, sent_at: now, ..parcel("slack", slack::STATUS, Act::Post) };
        let sent = there(channel.deliver(&post).await);
        assert_eq!(there(channel.look_up(&post).await), sent, "{off}");
        let asked = server.requests().into_iter().rfind(|request| request.path.ends_with("history")).unwrap();
        let oldest: i64 = asked.parameter("oldest").unwrap().parse().unwrap();
        let window = theirs.timestamp() - oldest;
        assert!((110..=180).contains(&window), "{off}: {window} s before it was sent, by the server's clock");
        // Somebody opened a channel of the same name five minutes before we tried; ours is as young as the try.
        let act = Act::OpenRoom { is_private: false, since: now - TimeDelta::hours(1), is_own_name: true };
        let begin = Parcel { first_sent_at: now, sent_at: now, ..parcel("slack", "inc-1", act) };
        workspace.opened("inc-1", (theirs - TimeDelta::minutes(5)).timestamp());
        let made = there(channel.deliver(&begin).await);
        assert_eq!(made.name.as_deref(), Some("inc-1-2"), "{off}");
        let workspace = Slack::default();
        let ours = workspace.opened("inc-1", theirs.timestamp());
        let kept = workspace.clone();
        server.change(move |request| kept.answer(request).with("date", &http_date(theirs)));
        assert_eq!(there(open("slack", &server).look_up(&begin).await).id, ours.as_str(), "{off}");
    }
}
