//! Slack's Web API as it is described, faults included, from a server in the test's process that is strict about what it is asked.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use warroom::channel::Channel;
use warroom::incident::{Act, EntryId, IncidentId, Parcel, Receipt};
use warroom::source::Endpoint;
use warroom::text::CleanStr;

use crate::plain::Host;
use crate::support::http::{Reply, Request, Server};

const TOKEN: &str = "xoxb-1234-secret-5678";
const CHANNEL: &str = "C012345678";
const SOON: Duration = Duration::from_secs(60);

fn parcel(text: &str) -> Parcel {
    Parcel {
        id: EntryId { rid: 1, rseq: 7 },
        op: "INC-1/1-7".into(),
        service: "slack".into(),
        target: CHANNEL.into(),
        text: text.into(),
        act: Act::Post,
        from: None,
        incident: IncidentId::incident(1),
        about: None,
        made: None,
        sent_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        is_dropped: false,
        choices: BTreeSet::new(),
        beside: Vec::new(),
        attached: Default::default(),
        standing: Default::default(),
        first_sent_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
        record: "1-1".into(),
        ops: [CleanStr::new("INC-1/1-7")].into(),
    }
}

fn open(server: &Server) -> Box<dyn Channel> {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, TOKEN).unwrap();
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let endpoint = Endpoint { bearer_file: Some(token), ..Endpoint::at(format!("{}/api", server.url())) };
    crate::channels::open_at("slack", &endpoint)
}

/// What is wrong with a request, by the letter of the description.
fn flaw(request: &Request) -> Option<&'static str> {
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return Some("invalid_auth");
    }
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/chat.postMessage") => {
            if request.header("content-type") != Some("application/json; charset=utf-8") {
                return Some("missing_charset");
            }
            let body: Value = serde_json::from_str(&request.body).ok()?;
            let mut keys: Vec<_> = body.as_object()?.keys().map(String::as_str).collect();
            keys.sort_unstable();
            if keys != ["channel", "metadata", "text", "unfurl_links", "unfurl_media"] {
                return Some("invalid_arguments");
            }
            let is_known =
                body["metadata"]["event_type"] == "warroom" && body["metadata"]["event_payload"]["op"].is_string();
            (!is_known).then_some("invalid_metadata_format")
        }
        ("GET", "/api/conversations.history") => {
            let known = ["channel", "oldest", "include_all_metadata", "limit", "cursor"];
            let is_strict = request.query.iter().all(|(key, _)| known.contains(&key.as_str()));
            let is_whole = request.parameter("include_all_metadata") == Some("true");
            (!is_strict || !is_whole || request.parameter("channel") != Some(CHANNEL)).then_some("invalid_arguments")
        }
        _ => Some("unknown_method"),
    }
}

/// A channel that keeps what is posted to it.
#[derive(Clone, Default)]
struct Board(Arc<Mutex<Vec<Value>>>);

impl Board {
    fn answer(&self, request: &Request) -> Reply {
        if let Some(flaw) = flaw(request) {
            return Reply::json(json!({ "ok": false, "error": flaw }).to_string());
        }
        let mut messages = self.0.lock().unwrap();
        if request.path.ends_with("chat.postMessage") {
            let mut message: Value = serde_json::from_str(&request.body).unwrap();
            let ts = format!("1790000000.{:06}", messages.len() + 1);
            message["ts"] = json!(ts);
            messages.push(message);
            return Reply::json(json!({ "ok": true, "channel": CHANNEL, "ts": ts }).to_string());
        }
        let all: Vec<_> = messages.iter().rev().cloned().collect();
        Reply::json(
            json!({ "ok": true, "messages": all, "has_more": false, "response_metadata": { "next_cursor": "" } })
                .to_string(),
        )
    }

    fn texts(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|message| message["text"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_text_is_posted_as_described_and_found_again_by_its_mark() {
    let board = Board::default();
    let kept = board.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let slack = open(&server);
    assert!(matches!(slack.look_up(&parcel("x")).await, Receipt::NotThere { .. }));
    let receipt = slack.deliver(&parcel("*INC-1* <!channel> a & b > c")).await;
    assert_eq!(receipt, Receipt::There("1790000000.000001".into()));
    assert_eq!(board.texts(), ["*INC-1* &lt;!channel&gt; a &amp; b &gt; c"], "nobody is pinged by a label");
    assert_eq!(slack.look_up(&parcel("x")).await, Receipt::There("1790000000.000001".into()));
    let other = Parcel { op: "INC-1/1-8".into(), ..parcel("x") };
    assert!(matches!(slack.look_up(&other).await, Receipt::NotThere { .. }));
    let asked = server.requests().into_iter().find(|request| request.path.ends_with("history")).unwrap();
    assert_eq!(asked.parameter("oldest"), Some("1789996400"), "the clock is not known before the first answer");
}

/// Whether it is the look at who reads the channel, which comes before a text.
fn asks_who_reads(request: &Request) -> bool {
    request.path.ends_with("conversations.info")
}

/// A channel that only the company reads.
fn here() -> Reply {
    Reply::json(json!({ "ok": true, "channel": { "id": CHANNEL, "name": "status" } }).to_string())
}

#[tokio::test]
async fn every_refusal_of_the_description_has_its_meaning_and_its_way_out() {
    let refused = [
        ("invalid_auth", "put a valid bot token"),
        ("token_revoked", "put a valid bot token"),
        ("not_in_channel", "invite the app"),
        ("channel_not_found", "[slack-channels]"),
        ("is_archived", "archived"),
        ("msg_too_long", "shorten or change the text"),
        ("restricted_action", "restricted_action"),
    ];
    let server = Server::start(|_| Reply::status(500, "")).await;
    let slack = open(&server);
    for (error, way_out) in refused {
        server.change(move |request| {
            let said = json!({ "ok": false, "error": error }).to_string();
            if asks_who_reads(request) { here() } else { Reply::json(said) }
        });
        let Receipt::Refused(why) = slack.deliver(&parcel("x")).await else { panic!("{error}") };
        assert!(why.contains(error) && why.contains(way_out), "{why}");
        assert!(!why.contains(TOKEN));
        assert!(
            matches!(slack.look_up(&parcel("x")).await, Receipt::Unknown(_)),
            "{error} says nothing of the message"
        );
    }
    let scope = json!({ "ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "channels:read" });
    server.change(move |request| if asks_who_reads(request) { here() } else { Reply::json(scope.to_string()) });
    let Receipt::Refused(why) = slack.deliver(&parcel("x")).await else { panic!() };
    assert!(why.contains("needs the scope chat:write, and has channels:read"), "{why}");
    server.change(|_| Reply::status(429, r#"{"ok":false,"error":"ratelimited"}"#).with("retry-after", "17"));
    let Receipt::NotThere { wait, .. } = slack.deliver(&parcel("x")).await else { panic!() };
    assert_eq!(wait, Some(TimeDelta::seconds(17)));
}

#[tokio::test]
async fn what_may_have_arrived_is_unknown_and_what_cannot_have_is_not_there() {
    let server = Server::start(|_| Reply::Reset).await;
    let slack = open(&server);
    let unknown: [fn() -> Reply; 6] = [
        || Reply::Reset,
        || Reply::Truncated(b"{\"ok\":true".to_vec()),
        || Reply::status(500, "{}"),
        || Reply::status(503, "<html>busy</html>"),
        || Reply::json("not json"),
        || Reply::json(r#"{"ok":false,"error":"fatal_error"}"#),
    ];
    for reply in unknown {
        server.change(move |request| if asks_who_reads(request) { here() } else { reply() });
        let receipt = slack.deliver(&parcel("x")).await;
        assert!(matches!(receipt, Receipt::Unknown(_)), "{:?}: {receipt:?}", reply());
        assert!(matches!(slack.look_up(&parcel("x")).await, Receipt::Unknown(_)), "{:?}", reply());
    }
    // Nobody listens there any more.
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let endpoint = Endpoint::at(format!("http://{nobody}/api"));
    let slack = crate::channels::open_at("slack", &endpoint);
    assert!(matches!(slack.deliver(&parcel("x")).await, Receipt::NotThere { wait: None, .. }));
    assert!(matches!(slack.look_up(&parcel("x")).await, Receipt::Unknown(_)));
}

#[tokio::test]
async fn a_redirect_gets_neither_the_token_nor_the_text() {
    let elsewhere = Server::start(|_| Reply::json(r#"{"ok":true,"ts":"1.1"}"#)).await;
    let to = elsewhere.url();
    let server =
        Server::start(move |_| Reply::status(307, "").with("location", &format!("{to}/api/chat.postMessage"))).await;
    let Receipt::Refused(why) = open(&server).deliver(&parcel("x")).await else { panic!() };
    assert!(why.contains("redirect") && elsewhere.requests().is_empty(), "{why}");
}

/// A host whose approved updates go to a Slack of this test.
fn host(server: &Server) -> Host {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    let config = format!(
        "[slack]\nurl = \"{}/api\"\nbearer-env = \"SLACK_BOT_TOKEN\"\n\n[slack-channels]\nstatus = \"{CHANNEL}\"\n",
        server.url()
    );
    std::fs::write(folder.join("config.toml"), config).unwrap();
    host.declare();
    host
}

#[tokio::test]
async fn an_update_reaches_slack_once_though_its_answer_is_lost_and_no_file_holds_the_token() {
    let board = Board::default();
    let kept = board.clone();
    // It takes the first message and closes the connection without an answer.
    let server = Server::start(move |request| {
        let reply = kept.answer(request);
        let is_first = request.path.ends_with("postMessage") && kept.texts().len() == 1;
        if is_first { Reply::Reset } else { reply }
    })
    .await;
    let host = host(&server);
    let board = tokio::task::spawn_blocking(move || {
        let mut command = host.command(&["open", "INC-1", "--plain"]);
        let mut console =
            crate::plain::Plain::spawn(command.env("SLACK_BOT_TOKEN", TOKEN).stdin(std::process::Stdio::piped()));
        console.ready();
        console.type_in(":take ic\n:update payments fail & we look\n");
        console.wait_for("out UNCONFIRMED", SOON);
        console.wait_for("out SENT", SOON);
        console.type_in(":outbox\n");
        console.wait_for("SENT", SOON);
        let proc = format!("/proc/{}", console.pid());
        let limits = std::fs::read_to_string(format!("{proc}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "a core would hold the token");
        assert!(!std::fs::read_to_string(format!("{proc}/cmdline")).unwrap().contains(TOKEN));
        // The end of the input waits for what was approved.
        console.type_in(":update it is over\n");
        console.end();
        console.wait_exit(SOON);
        for file in walk(host.home.path()) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "{}", file.display());
        }
        board
    });
    let board = board.await.unwrap();
    assert_eq!(board.texts(), ["payments fail &amp; we look", "it is over"], "each once");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

#[tokio::test]
async fn who_sends_is_killed_before_the_answer_and_another_console_finds_the_text_and_sends_nothing_twice() {
    let board = Board::default();
    let kept = board.clone();
    // It takes the message and never says so.
    let server = Server::start(move |request| {
        let reply = kept.answer(request);
        if request.path.ends_with("postMessage") { Reply::Hang } else { reply }
    })
    .await;
    let host = host(&server);
    let kept = board.clone();
    let run = tokio::task::spawn_blocking(move || {
        let start = |who: &str| {
            let mut command = host.command(&["open", "INC-1", "--plain", "--as", who]);
            let command = command.env("SLACK_BOT_TOKEN", TOKEN).stdin(std::process::Stdio::piped());
            let mut console = crate::plain::Plain::spawn(command);
            console.ready();
            console
        };
        let (mut dana, mut bob) = (start("dana"), start("bob"));
        dana.type_in(":take ic\n:update payments fail\n");
        bob.wait_for("UPDATE to", SOON);
        let begun = warroom::run::clock::boot();
        while kept.texts().is_empty() && warroom::run::clock::boot() - begun < SOON {
            std::thread::sleep(Duration::from_millis(20));
        }
        dana.signal(rustix::process::Signal::KILL);
        dana.wait_exit(SOON);
        bob.wait_for("out UNCONFIRMED to #status-qrpay (slack): the console that sent it has left the record", SOON);
        bob.wait_for("out SENT to #status-qrpay (slack)", SOON);
    });
    run.await.unwrap();
    assert_eq!(board.texts(), ["payments fail"], "once");
}
