//! What goes wrong between the request and its answer, for every service and every act.

use std::time::Duration;

use super::*;

type Counting = fn(&pagerduty::State) -> usize;
type Answering = fn() -> Reply;
pub type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A service with what it keeps, an act, and how many objects the act has left there.
pub struct Case {
    pub service: &'static str,
    pub handler: Handler,
    pub parcel: Parcel,
    pub count: Box<dyn Fn() -> usize + Send>,
    /// The service says whether the act was done; else somebody must look, or repeating is harmless.
    pub can_look: bool,
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |service, handler: Handler, parcel, count: Box<dyn Fn() -> usize + Send>, can_look| {
        cases.push(Case { service, handler, parcel, count, can_look });
    };
    let acts: [(Act, Counting, bool); 7] = [
        (opened(&[]), |state| state.incidents.len() - 2, true),
        (Act::Acknowledge, |state| state.acts.len(), true),
        (Act::Resolve, |state| state.acts.len(), true),
        (Act::Note(BTreeSet::new()), |state| state.notes.len(), true),
        (Act::Tell, |state| state.updates.len(), false),
        (Act::Merge("Q4712".into()), |state| state.merged.len(), true),
        (Act::Page(BTreeSet::from(["bob@qr.example".into()])), |state| state.paged.len(), true),
    ];
    for (act, count, can_look) in acts {
        let account = PagerDuty::default();
        account.alerted("before");
        account.alerted("beside");
        let (handler, kept) = (account.clone(), account);
        let parcel = Parcel { about: Some("Q4711".into()), ..parcel("pagerduty", "PALIPAY", act) };
        let count = Box::new(move || count(&kept.0.lock().unwrap()));
        add("pagerduty", Arc::new(move |request| handler.answer(request)), parcel, count, can_look);
    }
    let page = Statuspage::default();
    let (handler, kept) = (page.clone(), page);
    let first = parcel("statuspage", "outside", published(PageStatus::Investigating));
    let count = Box::new(move || kept.texts("outside").len());
    add("statuspage", Arc::new(move |request| handler.answer(request)), first, count, true);
    for act in [
        Act::Post,
        Act::OpenRoom { is_private: false, since: DateTime::from_timestamp(SENT - 60, 0).unwrap(), is_own_name: false },
        Act::Pin,
    ] {
        let workspace = Slack::default();
        let room = workspace.opened("inc-1", SENT);
        let (handler, kept) = (workspace.clone(), workspace);
        let is_room = matches!(act, Act::OpenRoom { .. });
        let target = if is_room { "inc-2".to_owned() } else { room.clone() };
        let about = (!is_room).then(|| Remote::from(room.as_str()));
        let parcel = Parcel { about, ..parcel("slack", &target, act) };
        let count = move || {
            let state = kept.0.lock().unwrap();
            if is_room { state.channels.len() - 1 } else { state.messages.len() }
        };
        add("slack", Arc::new(move |request| handler.answer(request)), parcel, Box::new(count), true);
    }
    for act in [opened(&[]), Act::Note(BTreeSet::new()), Act::Ticket(EntryId { rid: 1, rseq: 1 })] {
        let site = Jira::new(false);
        let (handler, kept) = (site.clone(), site);
        let is_note = matches!(act, Act::Note(_));
        let parcel = Parcel { about: Some("OPS-1".into()), ..parcel("jira", "OPS", act) };
        let count = move || {
            let state = kept.state.lock().unwrap();
            if is_note { state.comments.len() } else { state.issues.len() }
        };
        add("jira", Arc::new(move |request| handler.answer(request)), parcel, Box::new(count), true);
    }
    cases
}

/// Whether a request changes something: the one that goes wrong in these tests.
pub fn writes(request: &Request) -> bool {
    request.method != "GET"
}

#[tokio::test]
async fn what_was_applied_and_never_answered_is_found_and_left_at_one() {
    // Side by side: most of the time is waiting.
    futures_util::future::join_all(cases().into_iter().map(async |case| {
        let what = format!("{} {:?}", case.service, case.parcel.act);
        let (handler, is_first) = (case.handler.clone(), Mutex::new(true));
        let server = Server::start(move |request| {
            let reply = handler(request);
            let is_lost = writes(request) && std::mem::take(&mut *is_first.lock().unwrap());
            if is_lost { Reply::Reset } else { reply }
        })
        .await;
        let channel = open(case.service, &server);
        let receipt = channel.deliver(&case.parcel).await;
        assert!(matches!(receipt, Receipt::Unknown(_)), "{what}: {receipt:?}");
        assert_eq!((case.count)(), 1, "{what}");
        let found = channel.look_up(&case.parcel).await;
        if case.can_look {
            assert!(matches!(found, Receipt::There(_)), "{what}: {found:?}");
        } else {
            assert!(!matches!(found, Receipt::There(_)), "{what}: {found:?}");
        }
        assert_eq!((case.count)(), 1, "{what}: looking changes nothing");
    }))
    .await;
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_unknown_and_one_that_was_turned_away_is_not_there() {
    let unknown: [(&str, Answering); 8] = [
        ("a login page", || Reply::status(200, "<html>log in</html>").with("content-type", "text/html")),
        ("a success that names nothing", || Reply::json("{}")),
        ("500", || Reply::status(500, "{}")),
        ("502", || Reply::status(502, "<html>bad gateway</html>")),
        ("cut", || Reply::Truncated(b"{\"incident\":{".to_vec())),
        ("garbled", || Reply::status(201, "not json at all")),
        ("bomb", || Reply::GzipBomb(64 << 20)),
        ("reset", || Reply::Reset),
    ];
    // Side by side: most of the time is waiting.
    futures_util::future::join_all(cases().into_iter().map(async |case| {
        let what = format!("{} {:?}", case.service, case.parcel.act);
        let server = Server::start(|_| Reply::Reset).await;
        let channel = open(case.service, &server);
        for (name, reply) in unknown {
            let handler = case.handler.clone();
            server.change(move |request| if writes(request) { reply() } else { handler(request) });
            let receipt = channel.deliver(&case.parcel).await;
            assert!(matches!(receipt, Receipt::Unknown(_)), "{what} {name}: {receipt:?}");
        }
        let handler = case.handler.clone();
        server.change(move |request| {
            let busy = || Reply::status(429, "{}").with("retry-after", "3");
            if writes(request) { busy() } else { handler(request) }
        });
        let receipt = channel.deliver(&case.parcel).await;
        let Receipt::NotThere { wait, .. } = receipt else { panic!("{what}: {receipt:?}") };
        assert_eq!(wait, Some(TimeDelta::seconds(3)), "{what}");
    }))
    .await;
}

#[tokio::test]
async fn what_a_server_echoes_of_our_secrets_is_masked() {
    for case in cases() {
        let what = format!("{} {:?}", case.service, case.parcel.act);
        let server = Server::start(|request| {
            let echo = request.header("authorization").unwrap_or_default();
            let said = json!({ "message": format!("bad header {echo}"), "error": echo, "ok": false });
            answer(400, &said)
        })
        .await;
        let said = format!("{:?}", open(case.service, &server).deliver(&case.parcel).await);
        let secrets = [slack::TOKEN, statuspage::TOKEN, pagerduty::TOKEN, jira::TOKEN];
        assert!(!secrets.iter().any(|secret| said.contains(secret)), "{what}: {said}");
    }
    let server = Server::start(|request| answer(400, &json!({ "message": request.body }))).await;
    let begin = parcel("pagerduty-events", "x", opened(&[]));
    let said = format!("{:?}", open("pagerduty-events", &server).deliver(&begin).await);
    assert!(!said.contains("secret-1234"), "{said}");
}

#[tokio::test]
async fn a_token_that_was_put_right_is_used_with_the_next_try_however_it_was_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let write = |token: &str| {
        std::fs::write(&file, token).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    for (service, token, act) in [("slack", slack::TOKEN, Act::Post), ("jira", jira::TOKEN, opened(&[]))] {
        write("xoxb-old-and-revoked");
        let (workspace, site) = (Slack::default(), Jira::new(false));
        let server = Server::start(move |request| match service {
            "slack" => workspace.answer(request),
            _ => site.answer(request),
        })
        .await;
        let channel = open_at(service, &Endpoint { bearer_file: Some(file.clone()), ..Endpoint::at(server.url()) });
        let target = if service == "slack" { slack::STATUS } else { "OPS" };
        let parcel = parcel(service, target, act);
        refused(channel.deliver(&parcel).await);
        write(token);
        // What the shell does after each refusal.
        channel.site().read_secret_again().await;
        there(channel.deliver(&parcel).await);
    }
}

#[tokio::test]
async fn no_redirect_gets_a_credential_or_a_text() {
    // Side by side: most of the time is waiting.
    futures_util::future::join_all(cases().into_iter().map(async |case| {
        let elsewhere = Server::start(|_| Reply::json("{}")).await;
        let to = format!("{}/x", elsewhere.url());
        let server = Server::start(move |_| Reply::status(307, "").with("location", &to)).await;
        let receipt = open(case.service, &server).deliver(&case.parcel).await;
        assert!(!matches!(receipt, Receipt::There(_)), "{receipt:?}");
        assert_eq!(elsewhere.requests().len(), 0, "{}", case.service);
    }))
    .await;
}

#[tokio::test]
async fn a_service_that_never_answers_is_unknown_after_a_while_and_one_that_is_away_is_not_there() {
    let case = cases().swap_remove(3);
    let handler = case.handler.clone();
    let server = Server::start(move |request| if writes(request) { Reply::Hang } else { handler(request) }).await;
    let begun = warroom::run::clock::boot();
    assert!(matches!(open(case.service, &server).deliver(&case.parcel).await, Receipt::Unknown(_)));
    assert!(warroom::run::clock::boot() - begun < crate::support::promised(Duration::from_secs(15)));
    drop(server);
    for case in cases() {
        let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let channel = open_at(case.service, &Endpoint::at(format!("http://{nobody}")));
        let receipt = channel.deliver(&case.parcel).await;
        assert!(matches!(receipt, Receipt::NotThere { .. }), "{} {:?}: {receipt:?}", case.service, case.parcel.act);
    }
}
