//! GitHub Issues: strict about fields and states, with its limits, its pull requests among the issues, and what people
//! write around our part.

use warroom::incident::{Thing, Watched};
use warroom::reach::{Place, Reach};

use super::*;

pub const REPOSITORY: &str = "company/incidents";

/// A repository whose issues the token may write.
#[derive(Clone, Default)]
pub struct GitHub {
    pub issues: Arc<Mutex<Vec<Value>>>,
    /// What was changed of them, in order.
    pub changes: Arc<Mutex<Vec<Value>>>,
}

impl GitHub {
    pub fn answer(&self, request: &Request) -> Reply {
        let unknown =
            || answer(404, &json!({ "message": "Not Found", "documentation_url": "https://docs.github.com/rest" }));
        if request.header("authorization") != Some("Bearer secret-1234") {
            return answer(401, &json!({ "message": "Bad credentials" }));
        }
        if request.header("user-agent").is_none() {
            return Reply::status(403, "Request forbidden by administrative rules.");
        }
        assert_eq!(request.header("x-github-api-version"), Some("2022-11-28"));
        let mut all = self.issues.lock().unwrap();
        let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("GET", ["repos", "company", "incidents"]) => answer(
                200,
                &json!({ "has_issues": true, "archived": false, "permissions": { "admin": false, "push": true, "pull": true } }),
            ),
            ("GET", ["repos", "company", "incidents", "issues"]) => {
                assert_eq!((request.parameter("state"), request.parameter("per_page")), (Some("all"), Some("100")));
                let page: usize = request.parameter("page").unwrap().parse().unwrap();
                let shown: Vec<_> = all.iter().rev().skip((page - 1) * 100).take(100).cloned().collect();
                answer(200, &Value::Array(shown))
            }
            ("POST", ["repos", "company", "incidents", "issues"]) => match taken(request, &["title"]) {
                Ok(said) => {
                    let number = all.len() + 1;
                    let mut issue = json!({
                        "number": number, "state": "open", "html_url": format!("https://github.example/i/{number}"),
                        "title": said["title"], "body": said["body"], "labels": said["labels"], "closed_at": null,
                    });
                    issue["id"] = json!(1000 + number);
                    all.push(issue.clone());
                    answer(201, &issue)
                }
                Err(why) => invalid(&why),
            },
            (method, ["repos", "company", "incidents", "issues", number]) => {
                let Some(issue) = all.iter_mut().find(|one| one["number"].as_u64() == number.parse().ok()) else {
                    return unknown();
                };
                if method == "PATCH" {
                    match taken(request, &[]) {
                        Ok(Value::Object(said)) => {
                            self.changes.lock().unwrap().push(Value::Object(said.clone()));
                            said.into_iter().for_each(|(key, value)| issue[key] = value);
                        }
                        Ok(_) => return invalid("body"),
                        Err(why) => return invalid(&why),
                    }
                }
                answer(200, issue)
            }
            _ => unknown(),
        }
    }

    fn body(&self, place: usize) -> String {
        self.issues.lock().unwrap()[place]["body"].as_str().unwrap().to_owned()
    }

    fn of(&self, key: &str) -> Vec<Value> {
        self.issues.lock().unwrap().iter().map(|one| one[key].clone()).collect()
    }
}

fn invalid(why: &str) -> Reply {
    let error = json!({ "resource": "Issue", "field": why, "code": "invalid" });
    answer(422, &json!({ "message": "Validation Failed", "errors": [error] }))
}

fn taken(request: &Request, wanted: &[&str]) -> Checked<Value> {
    let said = body(request)?;
    fields(&said, wanted, &["title", "body", "labels", "assignees", "state", "state_reason"])?;
    let is_short = |key: &str, most: usize| said[key].as_str().is_none_or(|text| text.chars().count() <= most);
    let is_state = said["state"].is_null() || said["state"] == "open" || said["state"] == "closed";
    let is_reason = said["state_reason"].is_null()
        || ["completed", "not_planned", "reopened"].iter().any(|reason| said["state_reason"] == *reason);
    match () {
        () if !is_short("title", 256) => Err("title".to_owned()),
        () if !is_short("body", 65_536) => Err("body".to_owned()),
        () if !is_state || !is_reason => Err("state".to_owned()),
        () => Ok(said),
    }
}

async fn started() -> (GitHub, Server, Box<dyn Channel>) {
    let kept = GitHub::default();
    let answering = kept.clone();
    let server = Server::start(move |request| answering.answer(request)).await;
    let endpoint = Endpoint { bearer_command: Some(printing("secret-1234")), ..Endpoint::at(server.url()) };
    let channel =
        open_with("github", &endpoint, &settings([("github-issues.label", Setting::Text("incident".into()))]));
    (kept, server, channel)
}

fn about(remote: &Remote, act: Act) -> Parcel {
    Parcel { about: Some(remote.clone()), ..parcel("github", REPOSITORY, act) }
}

#[tokio::test]
async fn an_incident_and_its_follow_ups_live_as_issues() {
    let (kept, _server, channel) = started().await;
    let begin = parcel("github", REPOSITORY, opened(&[]));
    assert!(matches!(channel.look_up(&begin).await, Receipt::NotThere { .. }));
    let incident = there(channel.deliver(&begin).await);
    assert_eq!((incident.id.as_str(), incident.name.as_deref()), ("1", Some("#1")));
    assert_eq!(there(channel.look_up(&begin).await).id, incident.id, "found again by its mark");
    let line = EntryId { rid: 1, rseq: 9 };
    let op = CleanStr::new("INC-1/1-9");
    let follow_up = Parcel {
        op: op.clone(),
        ops: BTreeSet::from([op]),
        text: "Raise the limit\nOwner: @bob".into(),
        ..about(&incident, Act::Ticket(line))
    };
    let ticket = there(channel.deliver(&follow_up).await);
    assert_eq!(there(channel.look_up(&follow_up).await).id, ticket.id);
    assert_eq!(kept.of("title"), [json!("INC-1: p99 over 2 s"), json!("Raise the limit")]);
    assert_eq!(kept.of("labels"), [json!(["incident"]), json!(["incident"])]);
    assert!(kept.body(1).contains("Follow-up of #1") && kept.body(1).contains("@\u{200b}bob"), "{}", kept.body(1));
    // What people write around our part stays; the part, its mark and its number follow.
    kept.issues.lock().unwrap()[1]["body"] = json!(format!("Please read first.\n{}\nThanks!", kept.body(1)));
    let changed = Parcel { text: "Raise the limit to 20".into(), ..about(&ticket, Act::ChangeTicket(line)) };
    there(channel.deliver(&changed).await);
    let body = kept.body(1);
    assert!(body.starts_with("Please read first.\n<!-- warroom keeps") && body.ends_with("-->\nThanks!"), "{body}");
    assert!(body.contains("Follow-up of #1") && body.contains("limit to 20") && !body.contains("bob"), "{body}");
    assert_eq!(there(channel.look_up(&follow_up).await).id, ticket.id, "the mark is still its own");
    let dropped = Parcel { is_dropped: true, ..about(&ticket, Act::CloseTicket(line)) };
    there(channel.deliver(&dropped).await);
    there(channel.deliver(&about(&incident, Act::Resolve)).await);
    assert_eq!(kept.of("state"), [json!("closed"), json!("closed")]);
    assert_eq!(kept.of("state_reason"), [json!("completed"), json!("not_planned")]);
    there(channel.deliver(&about(&incident, Act::Reopen)).await);
    assert_eq!(kept.of("state")[0], json!("open"));
}

#[tokio::test]
async fn a_limit_of_requests_passes_and_other_refusals_are_said() {
    let (kept, server, channel) = started().await;
    let begin = parcel("github", REPOSITORY, opened(&[]));
    let message = json!({ "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again." });
    server.change(move |_| answer(403, &message).with("retry-after", "30"));
    match channel.deliver(&begin).await {
        Receipt::NotThere { wait, .. } => assert_eq!(wait, Some(TimeDelta::seconds(30))),
        other => panic!("{other:?}"),
    }
    server.change(|_| answer(403, &json!({ "message": "Resource not accessible by integration" })));
    let why = refused(channel.deliver(&begin).await);
    assert!(why.contains("not accessible by integration"), "{why}");
    server.change(|_| answer(410, &json!({ "message": "Issues has been disabled in this repository." })));
    let why = refused(channel.deliver(&begin).await);
    assert!(why.contains("disabled in this repository"), "{why}");
    let mended = kept.clone();
    server.change(move |request| mended.answer(request));
    let long = "x".repeat(70_000);
    let why = refused(channel.deliver(&Parcel { text: long.as_str().into(), ..begin.clone() }).await);
    assert!(why.contains("65536") && why.contains("shorten it"), "{why}");
    assert!(kept.issues.lock().unwrap().is_empty());
    let title = "y".repeat(300);
    let Act::Open(of_title) = opened(&[]) else { unreachable!() };
    let act = Act::Open(Opened { title: title.as_str().into(), ..of_title });
    there(channel.deliver(&parcel("github", REPOSITORY, act)).await);
    assert!(kept.of("title")[0].as_str().unwrap().ends_with('…'));
}

#[tokio::test]
async fn an_issue_of_others_is_taken_over_and_what_they_close_is_news() {
    let (kept, _server, channel) = started().await;
    let own = json!({ "number": 1, "state": "open", "html_url": "https://github.example/i/1", "body": "by hand" });
    let pull = json!({ "number": 2, "state": "open", "html_url": "https://github.example/p/2", "body": "warroom INC-1/1-7",
        "pull_request": { "url": "x" } });
    kept.issues.lock().unwrap().extend([own, pull]);
    assert!(
        matches!(channel.look_up(&parcel("github", REPOSITORY, opened(&[]))).await, Receipt::NotThere { .. }),
        "a pull request that quotes our mark is no issue of ours"
    );
    let why = refused(channel.deliver(&parcel("github", REPOSITORY, Act::Adopt("2".into()))).await);
    assert!(why.contains("is a pull request"), "{why}");
    let taken = there(channel.deliver(&parcel("github", REPOSITORY, Act::Adopt("#1".into()))).await);
    assert!(taken.is_adopted);
    there(channel.deliver(&about(&taken, Act::Describe)).await);
    assert!(kept.body(0).starts_with("by hand\n\n<!-- warroom keeps"), "{}", kept.body(0));
    let item = EntryId { rid: 1, rseq: 9 };
    let watched = |ours: &[i64]| Watched {
        incident: IncidentId::incident(1),
        service: "github".into(),
        target: REPOSITORY.into(),
        thing: Some(Thing::Ticket(item)),
        remote: taken.clone(),
        since: DateTime::from_timestamp(SENT - 60, 0).unwrap(),
        labels: Vec::new(),
        paged: Vec::new(),
        ours: ours.iter().map(|at| DateTime::from_timestamp(*at, 0).unwrap()).collect(),
        planned: Default::default(),
        choices: BTreeSet::new(),
        is_live: true,
        over: None,
        known: BTreeSet::new(),
    };
    assert!(channel.news(&watched(&[])).await.unwrap().is_empty(), "it is open");
    {
        let mut all = kept.issues.lock().unwrap();
        all[0]["state"] = json!("closed");
        all[0]["closed_at"] = json!(DateTime::from_timestamp(SENT + 60, 0).unwrap().to_rfc3339());
        all[0]["closed_by"] = json!({ "login": "octo-bob" });
        all[0]["state_reason"] = json!("not_planned");
    }
    let news = channel.news(&watched(&[])).await.unwrap();
    assert_eq!(news.len(), 1);
    assert_eq!((news[0].noted.who.as_str(), news[0].closes), ("octo-bob", Some(item)));
    assert!(news[0].noted.text.contains("#1 was closed as not planned"), "{}", news[0].noted.text);
    assert!(channel.news(&watched(&[SENT + 50])).await.unwrap().is_empty(), "we closed it ourselves");
}

#[tokio::test]
async fn doctor_says_whether_a_repository_takes_issues() {
    let (_, server, channel) = started().await;
    let tracker = |place: &str| warroom::channel::spec::tracker("github", Place::One(place.into())).unwrap();
    let said = async |repository: &str| {
        let reach = Reach { trackers: vec![tracker(repository)], ..Reach::default() };
        let wanted = warroom::channel::Wanted { reach: &reach, services: &[], on_call: None };
        channel
            .examine(&wanted)
            .await
            .iter()
            .map(|one| format!("{}: {}", one.what, one.why))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(said(REPOSITORY).await.contains("can be made, changed and closed"));
    assert!(said("company/gone").await.contains("does not see it"));
    for (answered, words) in [
        (json!({ "has_issues": true, "archived": true, "permissions": { "push": true } }), "is archived"),
        (json!({ "has_issues": false, "permissions": { "push": true } }), "has no issues"),
        (json!({ "has_issues": true, "permissions": { "pull": true } }), "the role Triage"),
    ] {
        server.change(move |_| answer(200, &answered));
        let line = said(REPOSITORY).await;
        assert!(line.contains(words), "{words}: {line}");
    }
}
