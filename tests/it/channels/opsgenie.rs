//! Opsgenie's Alert API, as its documentation has it: every write is accepted first, and done, or not, some time later.

use std::collections::BTreeMap;

use super::news::{texts, watched};
use super::*;
use warroom::incident::{Thing, Watched};

/// An account: alerts by alias, and requests that are processed when they are asked about the second time.
#[derive(Debug, Default)]
struct State {
    alerts: BTreeMap<String, Value>,
    notes: Vec<(String, String)>,
    requests: BTreeMap<String, (u32, Value)>,
    asked: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Opsgenie(Arc<Mutex<State>>);

/// So many questions about a request are answered with 404 before it was processed.
const WAITS: u32 = 2;

impl Opsgenie {
    /// An alert of this alias is there already.
    pub fn has(&self, alias: &str) {
        let alert = json!({ "id": "8743a1b2-11da-480e-8493-744660980000", "tinyId": "1", "alias": alias, "message": "x",
                            "status": "open", "acknowledged": false, "priority": "P3" });
        self.0.lock().unwrap().alerts.insert(alias.to_owned(), alert);
    }

    /// How many alerts are unanswered, answered and closed.
    pub fn statuses(&self) -> [usize; 3] {
        let state = self.0.lock().unwrap();
        let count = |is: &dyn Fn(&Value) -> bool| state.alerts.values().filter(|alert| is(alert)).count();
        let is_open = |alert: &Value| alert["status"] == "open";
        [
            count(&|alert| is_open(alert) && alert["acknowledged"] == false),
            count(&|alert| is_open(alert) && alert["acknowledged"] == true),
            count(&|alert| !is_open(alert)),
        ]
    }

    /// What it was asked, each by the method and the end of its path.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    /// Somebody closes all alerts, in Opsgenie's own app.
    pub fn closed_by(&self, who: &str) {
        for alert in self.0.lock().unwrap().alerts.values_mut() {
            alert["status"] = json!("closed");
            alert["updatedAt"] = json!(warroom::run::clock::wall().to_rfc3339());
            alert["report"] = json!({ "closedBy": who });
        }
    }

    /// How often an act was done: what is set to what it is already is done once.
    pub fn count(&self, act: &Act) -> usize {
        let state = self.0.lock().unwrap();
        let is = |key: &str, value: Value| usize::from(state.alerts.values().any(|alert| alert[key] == value));
        match act {
            Act::Open(_) => state.alerts.len(),
            Act::Acknowledge => is("acknowledged", json!(true)),
            Act::Resolve => is("status", json!("closed")),
            Act::Change(_) => is("priority", json!("P1")) * is("message", json!("INC-1 SEV0: p99 over 9 s")),
            Act::Note(_) => state.notes.len(),
            other => panic!("{other:?}"),
        }
    }

    pub fn answer(&self, request: &Request) -> Reply {
        match self.take(request) {
            Ok(reply) => reply,
            Err(why) => answer(
                422,
                &json!({ "message": "Request body is not processable. Please check the errors.", "errors": { "field": why },
                         "took": 0.0, "requestId": "r0" }),
            ),
        }
    }

    fn take(&self, request: &Request) -> Checked<Reply> {
        if request.header("authorization") != Some("GenieKey secret-1234") {
            return Ok(answer(401, &json!({ "message": "Could not authenticate", "took": 0.0, "requestId": "r0" })));
        }
        let mut state = self.0.lock().unwrap();
        let path = request.path.replace("%3A", ":");
        let path: Vec<&str> = path.trim_matches('/').split('/').collect();
        state.asked.push(format!("{} {}", request.method, path.last().unwrap_or(&"")));
        let no_such = || answer(404, &json!({ "message": "Not found", "took": 0.0, "requestId": "r0" }));
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["v2", "alerts", "requests", id]) => {
                let Some((count, said)) = state.requests.get_mut(*id) else { return Ok(no_such()) };
                *count += 1;
                if *count <= WAITS {
                    let why = "Request not found. It might not be processed, yet.";
                    return Ok(answer(404, &json!({ "message": why, "took": 0.0, "requestId": "r0" })));
                }
                Ok(answer(200, &json!({ "data": said.clone(), "took": 0.0, "requestId": id })))
            }
            ("GET", ["v2", "alerts"]) => Ok(answer(200, &json!({ "data": [], "took": 0.0, "requestId": "r0" }))),
            ("GET", ["v2", "alerts", alias]) => {
                by_alias(request)?;
                Ok(match state.alerts.get(*alias) {
                    Some(alert) => answer(200, &json!({ "data": alert, "took": 0.0, "requestId": "r0" })),
                    None => no_such(),
                })
            }
            ("GET", ["v2", "alerts", alias, "notes"]) => {
                by_alias(request)?;
                let notes = state.notes.iter().filter(|(of, _)| of == alias);
                let notes: Vec<_> = notes.map(|(_, note)| json!({ "note": note, "owner": "x" })).collect();
                Ok(answer(200, &json!({ "data": notes, "took": 0.0, "requestId": "r0" })))
            }
            ("POST", ["v2", "alerts"]) => {
                let body = body(request)?;
                let others =
                    ["alias", "description", "responders", "tags", "details", "source", "priority", "user", "note"];
                fields(&body, &["message"], &others)?;
                limited(&body, "message", 130)?;
                limited(&body, "description", 15_000)?;
                let alias = body["alias"].as_str().ok_or("alias")?.to_owned();
                let number = state.alerts.len() + 1;
                let alert = json!({
                    "id": format!("8743a1b2-11da-480e-8493-74466098{number:04}"), "tinyId": number.to_string(), "alias": alias,
                    "message": body["message"], "status": "open", "acknowledged": false, "priority": body["priority"],
                    "responders": body["responders"],
                });
                let id = alert["id"].clone();
                state.alerts.insert(alias.clone(), alert);
                Ok(state.accept(
                    &alias,
                    json!({ "success": true, "action": "Create", "isSuccess": true,
                                                "status": "Created alert", "alertId": id, "alias": alias }),
                ))
            }
            (_, ["v2", "alerts", alias, what]) => {
                by_alias(request)?;
                let body = body(request)?;
                let alias = (*alias).to_owned();
                let Some(alert) = state.alerts.get_mut(&alias) else {
                    return Ok(state.accept(&alias, json!({ "success": false, "isSuccess": false,
                                                           "status": "Alert does not exist", "alertId": "", "alias": "" })));
                };
                let status = match (request.method.as_str(), *what) {
                    ("POST", "acknowledge") => {
                        fields(&body, &[], &["user", "source", "note"])?;
                        alert["acknowledged"] = json!(true);
                        "Acknowledged"
                    }
                    ("POST", "close") => {
                        fields(&body, &[], &["user", "source", "note"])?;
                        limited(&body, "note", 25_000)?;
                        alert["status"] = json!("closed");
                        "Closed"
                    }
                    ("PUT", "priority") => {
                        fields(&body, &["priority"], &[])?;
                        alert["priority"] = body["priority"].clone();
                        "Updated"
                    }
                    ("PUT", "message") => {
                        fields(&body, &["message"], &[])?;
                        limited(&body, "message", 130)?;
                        alert["message"] = body["message"].clone();
                        "Updated"
                    }
                    ("POST", "notes") => {
                        fields(&body, &["note"], &["user", "source"])?;
                        "Added"
                    }
                    _ => return Err("path".to_owned()),
                };
                let id = alert["id"].clone();
                if *what == "notes" {
                    state.notes.push((alias.clone(), body["note"].as_str().unwrap().to_owned()));
                }
                Ok(state.accept(
                    &alias,
                    json!({ "success": true, "isSuccess": true, "status": status, "alertId": id,
                                                "alias": alias }),
                ))
            }
            _ => Err("path".to_owned()),
        }
    }
}

impl State {
    fn accept(&mut self, alias: &str, said: Value) -> Reply {
        let id = format!("request-{}-{}", self.requests.len(), alias.len());
        self.requests.insert(id.clone(), (0, said));
        answer(202, &json!({ "result": "Request will be processed", "took": 0.3, "requestId": id }))
    }
}

fn by_alias(request: &Request) -> Checked<()> {
    (request.parameter("identifierType") == Some("alias")).then_some(()).ok_or_else(|| "identifierType".to_owned())
}

fn limited(body: &Value, name: &str, most: usize) -> Checked<()> {
    let length = body[name].as_str().unwrap_or_default().chars().count();
    if length > most { Err(format!("{name} is longer than {most}")) } else { Ok(()) }
}

async fn account() -> (Opsgenie, Server, Box<dyn Channel>) {
    let account = Opsgenie::default();
    let kept = account.clone();
    let server = Server::start(move |request| kept.answer(request)).await;
    let endpoint =
        Endpoint { bearer_command: Some(printing("secret-1234")), ..Endpoint::at(format!("{}/v2", server.url())) };
    let channel = open_at("opsgenie", &endpoint);
    (account, server, channel)
}

fn ours(act: Act) -> Parcel {
    parcel("opsgenie", "opsgenie", act)
}

fn about(act: Act) -> Parcel {
    Parcel { about: Some("INC-1_1-7".into()), ..ours(act) }
}

#[tokio::test]
async fn an_alert_is_there_once_its_request_names_it_and_is_followed_to_its_end() {
    let (account, server, channel) = account().await;
    let long = Act::Open(Opened {
        title: "p99 over 2 s ".repeat(40).as_str().into(),
        severity: Severity::Sev1,
        alerts: BTreeSet::new(),
        linked: Vec::new(),
    });
    assert!(matches!(channel.look_up(&ours(long.clone())).await, Receipt::NotThere { .. }));
    let remote = there(channel.deliver(&Parcel { target: "Payments".into(), ..ours(long.clone()) }).await);
    assert_eq!((remote.id.as_str(), remote.called().as_str()), ("INC-1_1-7", "1"));
    let polls = account.0.lock().unwrap().asked.iter().filter(|one| one.starts_with("GET request-")).count();
    assert_eq!(polls, WAITS as usize + 1, "202 is not enough");
    there(channel.look_up(&ours(long)).await);
    let alert = |name: &str| account.0.lock().unwrap().alerts["INC-1_1-7"][name].clone();
    assert_eq!(
        (alert("priority"), alert("responders")),
        (json!("P2"), json!([{ "type": "team", "name": "Payments" }]))
    );
    let worse = Act::Change(Opened {
        title: "worse".into(),
        severity: Severity::Sev0,
        alerts: BTreeSet::new(),
        linked: Vec::new(),
    });
    for act in [Act::Acknowledge, worse, Act::Note(BTreeSet::new()), Act::Resolve] {
        assert!(matches!(channel.look_up(&about(act.clone())).await, Receipt::NotThere { .. }), "{act:?}");
        there(channel.deliver(&about(act.clone())).await);
        there(channel.look_up(&about(act)).await);
    }
    assert_eq!(
        (alert("status"), alert("priority"), alert("message")),
        (json!("closed"), json!("P1"), json!("INC-1 SEV0: worse"))
    );
    for request in server.requests() {
        let call = warroom::channel::calls::called("opsgenie", &request.method, &request.path.replace("/v2/", "/"));
        assert!(call.is_some_and(|call| call.judged.starts_with("opsgenie")), "{request:?}");
    }
    assert!(matches!(channel.look_up(&about(Act::Reopen)).await, Receipt::NotThere { .. }));
    there(channel.deliver(&about(Act::Reopen)).await);
    assert_eq!(alert("status"), "open");
}

#[tokio::test]
async fn an_alert_that_somebody_closed_there_is_told_and_opened_again_when_a_person_says_so() {
    let (account, _server, channel) = account().await;
    there(channel.deliver(&ours(opened(&[]))).await);
    let watch = watched("opsgenie", "opsgenie", Some(Thing::Record), "INC-1_1-7");
    assert!(channel.news(&watch).await.unwrap().is_empty());
    account.closed_by("Eve");
    let news = channel.news(&watch).await.unwrap();
    let told = "alert 1 was closed there, and this incident is not over: `outbox` opens it again";
    assert_eq!((texts(&news), news[0].noted.who.as_str()), (vec![told], "Eve"));
    assert!(
        channel.news(&Watched { is_live: false, ..watch.clone() }).await.unwrap().is_empty(),
        "that is as it should be"
    );
    let worse = about(Act::Change(Opened {
        title: "worse".into(),
        severity: Severity::Sev0,
        alerts: BTreeSet::new(),
        linked: Vec::new(),
    }));
    let (why, ways) = asked(channel.deliver(&worse).await);
    assert!(why.contains("closed in Opsgenie by Eve"), "{why}");
    let alert = |name: &str| account.0.lock().unwrap().alerts["INC-1_1-7"][name].clone();
    assert_eq!((alert("status"), alert("priority")), (json!("closed"), json!("P2")), "nothing was written");
    there(channel.deliver(&taking(&worse, &ways, "open it again")).await);
    assert_eq!((alert("status"), alert("priority")), (json!("open"), json!("P1")));
    let over = news[0].noted.key.rsplit('/').next().map(CleanStr::new);
    let news = channel.news(&Watched { over, ..watch }).await.unwrap();
    assert!(news[0].noted.text.ends_with("is open there again"), "{news:?}");
}

#[tokio::test]
async fn what_opsgenie_turns_away_later_is_no_success_and_what_never_was_there_needs_no_end() {
    let (_account, server, channel) = account().await;
    let why = refused(channel.deliver(&about(Act::Acknowledge)).await);
    assert!(why.contains("Alert does not exist"), "{why}");
    there(channel.deliver(&about(Act::Resolve)).await);
    // It is accepted, and nobody hears what became of it.
    server.change(|request| match request.method.as_str() {
        "POST" => answer(202, &json!({ "result": "Request will be processed", "took": 0.3, "requestId": "lost" })),
        _ => answer(404, &json!({ "message": "Request not found. It might not be processed, yet." })),
    });
    let Receipt::Unknown(why) = channel.deliver(&ours(opened(&[]))).await else { panic!() };
    assert!(why.contains("lost"), "{why}");
}

#[tokio::test]
async fn refusals_of_opsgenie_say_what_helps_and_never_the_key() {
    let (_account, server, channel) = account().await;
    for (status, said, is_refused, words) in [
        (401, json!({ "message": "Could not authenticate" }), true, "check"),
        (403, json!({ "message": "You are not authorized, secret-1234" }), true, "not authorized"),
        (
            422,
            json!({ "message": "Request body is not processable.", "errors": { "message": "Message can not be empty." } }),
            true,
            "not processable",
        ),
        (429, json!({ "message": "You are making too many requests!" }), false, "429"),
        (503, json!({ "message": "Service unavailable" }), false, "503"),
    ] {
        server.change(move |_| answer(status, &said));
        let receipt = channel.deliver(&ours(opened(&[]))).await;
        let why = match (&receipt, status) {
            (Receipt::Refused(why), _) if is_refused => why,
            (Receipt::NotThere { why, .. }, 429) | (Receipt::Unknown(why), 503) => why,
            _ => panic!("{status}: {receipt:?}"),
        };
        assert!(why.contains(words) && !why.contains("secret-1234"), "{status}: {why}");
    }
    server.change(|_| Reply::status(200, "<html>log in</html>"));
    assert!(matches!(channel.deliver(&ours(opened(&[]))).await, Receipt::Unknown(_)), "a login page is no success");
}
