//! Mattermost: strict about who posts where, what a message may hold, and how it is found again.

use warroom::incident::{Channel as Told, Route};
use warroom::oncall::Person;
use warroom::reach::Reach;

use super::*;

pub const CHANNEL: &str = "4xp9fdt77pncbef59f4k1qe83o";
const ARCHIVED: &str = "k7p1n4yh3tgxdx5q9bmw8w3e7r";
const OTHERS: &str = "9fz6m4kq7ibx8x5o1hq3y6w1rc";

/// An error as the server words it.
fn refusal(status: u16, id: &str, message: &str) -> Reply {
    let error =
        json!({ "id": id, "message": message, "detailed_error": "", "request_id": "r1", "status_code": status });
    answer(status, &error)
}

/// A server with a channel whose member the bot is, an archived one, and one of others.
#[derive(Clone, Default)]
pub struct Mattermost(pub Arc<Mutex<Vec<Value>>>);

impl Mattermost {
    pub fn answer(&self, request: &Request) -> Reply {
        if request.header("authorization") != Some("Bearer secret-1234") {
            return refusal(
                401,
                "api.context.session_expired.app_error",
                "Invalid or expired session, please login again.",
            );
        }
        let mut all = self.0.lock().unwrap();
        let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        let hidden =
            || refusal(403, "api.context.permissions.app_error", "You do not have the appropriate permissions.");
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["api", "v4", "users", "me"]) => answer(200, &json!({ "id": "u1", "username": "warroom" })),
            ("GET", ["api", "v4", "channels", id]) if *id != OTHERS => {
                let delete_at = if *id == ARCHIVED { SENT * 1000 } else { 0 };
                answer(200, &json!({ "id": id, "display_name": "Status QRPay", "delete_at": delete_at, "type": "O" }))
            }
            ("GET", ["api", "v4", "channels", CHANNEL, "members", "me"]) => {
                answer(200, &json!({ "channel_id": CHANNEL, "user_id": "u1", "roles": "channel_user" }))
            }
            ("GET", ["api", "v4", "channels", CHANNEL, "posts"]) => {
                let since: i64 = request.parameter("since").unwrap().parse().unwrap();
                let later: Vec<_> = all.iter().filter(|one| one["update_at"].as_i64().unwrap() > since).collect();
                let order: Vec<_> = later.iter().map(|one| one["id"].clone()).collect();
                let posts: serde_json::Map<_, _> =
                    later.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), (*one).clone())).collect();
                answer(200, &json!({ "order": order, "posts": posts, "next_post_id": "", "prev_post_id": "" }))
            }
            ("POST", ["api", "v4", "posts"]) => match taken(request) {
                Ok(said) if said["channel_id"] != CHANNEL => hidden(),
                Ok(said) => {
                    // For a while it takes a pending post once.
                    if let Some(known) = all.iter().find(|one| one["pending_post_id"] == said["pending_post_id"]) {
                        return answer(201, known);
                    }
                    let mut post = said;
                    post["id"] = json!(format!("p{}", all.len() + 1));
                    post["create_at"] = json!(SENT * 1000 + 500);
                    post["update_at"] = json!(SENT * 1000 + 500);
                    post["delete_at"] = json!(0);
                    post["user_id"] = json!("u1");
                    all.push(post.clone());
                    answer(201, &post)
                }
                Err(why) => refusal(400, "api.context.invalid_body_param.app_error", &why),
            },
            ("DELETE", ["api", "v4", "posts", id]) => {
                all.retain(|one| one["id"] != **id);
                answer(200, &json!({ "status": "OK" }))
            }
            (_, ["api", "v4", "channels", ..]) => hidden(),
            _ => refusal(404, "api.context.404.app_error", "Sorry, we could not find the page."),
        }
    }
}

fn taken(request: &Request) -> Checked<Value> {
    let said = body(request)?;
    fields(&said, &["channel_id", "message"], &["pending_post_id", "props", "root_id"])?;
    match said["message"].as_str() {
        Some(text) if (1..=16_383).contains(&text.chars().count()) => Ok(said),
        _ => Err("model.post.is_valid.msg.app_error".to_owned()),
    }
}

fn post(text: &str) -> Parcel {
    Parcel { text: text.into(), ..parcel("mattermost", CHANNEL, Act::Post) }
}

async fn started() -> (Mattermost, Server, Box<dyn Channel>) {
    let kept = Mattermost::default();
    let answering = kept.clone();
    let server = Server::start(move |request| answering.answer(request)).await;
    let channel = open("mattermost", &server);
    (kept, server, channel)
}

#[tokio::test]
async fn a_message_is_posted_once_found_again_and_taken_away() {
    let (kept, server, channel) = started().await;
    let update = post("@all payments fail, see https://x.example/a_b");
    assert!(matches!(channel.look_up(&update).await, Receipt::NotThere { .. }));
    let sent = there(channel.deliver(&update).await);
    assert_eq!(sent.link.unwrap().as_str(), format!("{}/_redirect/pl/p1", server.url()));
    assert_eq!(there(channel.look_up(&update).await).id.as_str(), "p1");
    assert_eq!(there(channel.deliver(&update).await).id.as_str(), "p1", "the same one twice is one");
    let message = kept.0.lock().unwrap()[0]["message"].clone();
    assert_eq!(message, "@\u{200b}all payments fail, see https://x.example/a_b");
    // Another text of the same incident is not taken for it.
    let other = Parcel { op: "INC-1/1-8".into(), ops: BTreeSet::from(["INC-1/1-8".into()]), ..update.clone() };
    assert!(matches!(channel.look_up(&other).await, Receipt::NotThere { .. }));
    channel.tidy(&update, &there(channel.look_up(&update).await)).await.unwrap();
    assert!(kept.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_server_refuses_is_said_and_what_nobody_knows_is_unknown() {
    let (_, server, channel) = started().await;
    let long = "a".repeat(16_384);
    let why = refused(channel.deliver(&post(&long)).await);
    assert!(why.contains("takes 16383 letters") && why.contains("16384"), "{why}");
    let elsewhere = Parcel { target: OTHERS.into(), ..post("x") };
    let why = refused(channel.deliver(&elsewhere).await);
    assert!(why.contains("do not have the appropriate permissions"), "{why}");
    let why = refused(channel.deliver(&parcel("mattermost", CHANNEL, Act::Resolve)).await);
    assert!(why.contains("mattermost has no"), "{why}");
    server.change(|_| Reply::status(429, "{}").with("retry-after", "7"));
    match channel.deliver(&post("x")).await {
        Receipt::NotThere { wait, .. } => assert_eq!(wait, Some(TimeDelta::seconds(7))),
        other => panic!("{other:?}"),
    }
    server.change(|_| Reply::status(201, "<html>sign in</html>"));
    assert!(matches!(channel.deliver(&post("x")).await, Receipt::Unknown(_)), "a login page is no message");
    server.change(|_| Reply::status(502, "bad gateway"));
    assert!(matches!(channel.deliver(&post("x")).await, Receipt::Unknown(_)));
}

#[tokio::test]
async fn doctor_says_which_channels_a_message_can_go_to() {
    let (_, _server, channel) = started().await;
    let route =
        |target: &str| Route { channel: Told::StatusSlack, service: "mattermost".into(), target: target.into() };
    let reach = Reach { routes: [CHANNEL, ARCHIVED, OTHERS].map(route).to_vec(), ..Reach::default() };
    let wanted = warroom::channel::Wanted { reach: &reach, services: &[], on_call: None::<&Person> };
    let said: Vec<_> = channel.examine(&wanted).await.iter().map(|one| format!("{}: {}", one.what, one.why)).collect();
    let all = said.join("\n");
    for (line, words) in said.iter().zip(["as warroom", "Status QRPay", "does not see it", "is archived"]) {
        assert!(line.contains(words), "{words}: {all}");
    }
    assert_eq!(said.len(), 4, "{all}");
    let nothing = warroom::channel::Wanted { reach: &Reach::default(), ..wanted };
    let said: Vec<_> = channel.examine(&nothing).await.iter().map(|one| format!("{}: {}", one.what, one.why)).collect();
    assert!(said[1].contains("[mattermost-channels]"), "{said:?}");
}
