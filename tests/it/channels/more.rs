//! The systems that keep little or say little of what they have: Events v2, a webhook, Grafana, silences, Teams and Opsgenie, for the table of faults.

use std::collections::BTreeMap;

use super::faults::{Case, Handler};
use super::github::{self, GitHub};
use super::mattermost::{self, Mattermost};
use super::opsgenie::Opsgenie;
use super::*;

/// The path of the workflow in Teams.
const WORKFLOW: &str = "/workflows/abc?sig=s1gn4tur3-of-the-workflow";

/// Opens the system of a case at a server.
pub fn open_case(case: &Case, server: &Server) -> Box<dyn Channel> {
    let at = |url: String, secret: &str| {
        open_at(case.service, &Endpoint { bearer_command: Some(printing(secret)), ..Endpoint::at(url) })
    };
    match case.service {
        "teams" => at(server.url(), &format!("{}{WORKFLOW}", server.url())),
        "opsgenie" => at(format!("{}/v2", server.url()), "secret-1234"),
        _ => open(case.service, server),
    }
}

fn changed() -> Act {
    let (title, severity) = ("p99 over 9 s".into(), Severity::Sev0);
    Act::Change(Opened { title, severity, alerts: BTreeSet::new(), linked: Vec::new() })
}

/// A case whose server keeps what is told in a list, and how many of them are told apart.
fn kept(
    service: &'static str,
    parcel: Parcel,
    take: impl Fn(&Request, &mut Vec<Value>) -> Reply + Send + Sync + 'static,
    count: impl Fn(&[Value]) -> usize + Send + 'static,
) -> Case {
    let list = Arc::new(Mutex::new(Vec::new()));
    let keeps = list.clone();
    let handler: Handler = Arc::new(move |request| take(request, &mut keeps.lock().unwrap()));
    let is_asked = service != "teams";
    Case { service, handler, parcel, count: Box::new(move || count(&list.lock().unwrap())), can_look: is_asked }
}

fn distinct(all: &[Value], key: &str) -> usize {
    all.iter().map(|one| one[key].to_string()).collect::<BTreeSet<_>>().len()
}

/// All of them, with each act that they have.
pub fn more_cases() -> Vec<Case> {
    let about = |service: &str, act: Act, id: &str| {
        let about = (!matches!(act, Act::Open(_) | Act::Silence(_) | Act::Post)).then(|| Remote::from(id));
        Parcel { about, ..parcel(service, service, act) }
    };
    let mut cases = Vec::new();
    for act in [opened(&[]), changed(), Act::Acknowledge, Act::Resolve, Act::Reopen] {
        let take = |request: &Request, kept: &mut Vec<Value>| {
            let said = body(request).unwrap();
            let accepted = json!({ "status": "success", "message": "Event processed", "dedup_key": said["dedup_key"] });
            kept.push(said);
            answer(202, &accepted)
        };
        // One key is one alert: that is its contract.
        let parcel = about("pagerduty-events", act, "INC-1/1-7");
        cases.push(kept("pagerduty-events", parcel, take, |all| distinct(all, "dedup_key")));
    }
    for act in [opened(&[]), changed(), Act::Acknowledge, Act::Note(BTreeSet::new()), Act::Resolve, Act::Reopen] {
        let take = |request: &Request, kept: &mut Vec<Value>| {
            // One id is one happening: that is its contract.
            kept.push(json!({ "id": request.header("webhook-id") }));
            Reply::status(204, "")
        };
        cases.push(kept("webhook", about("webhook", act, "INC-1/1-7"), take, |all| distinct(all, "id")));
    }
    let take = |request: &Request, kept: &mut Vec<Value>| {
        kept.push(body(request).unwrap());
        Reply::status(202, "").with("x-ms-workflow-run-id", "08584700000000000000000000000CU01")
    };
    cases.push(kept("teams", about("teams", Act::Post, ""), take, <[Value]>::len));
    let chat = Mattermost::default();
    let keeps = chat.clone();
    let handler: Handler = Arc::new(move |request| chat.answer(request));
    let count = Box::new(move || keeps.0.lock().unwrap().len());
    let parcel = Parcel { target: mattermost::CHANNEL.into(), ..about("mattermost", Act::Post, "") };
    cases.push(Case { service: "mattermost", handler, parcel, count, can_look: true });
    cases.extend(issues());
    cases.extend(annotations());
    cases.extend(silences());
    for act in [opened(&[]), changed(), Act::Acknowledge, Act::Note(BTreeSet::new()), Act::Resolve] {
        let account = Opsgenie::default();
        let is_opening = matches!(act, Act::Open(_));
        if !is_opening {
            account.has("INC-1_1-7");
        }
        let (keeps, wanted) = (account.clone(), act.clone());
        let handler: Handler = Arc::new(move |request| account.answer(request));
        let count = Box::new(move || keeps.count(&wanted));
        let parcel = about("opsgenie", act, "INC-1_1-7");
        cases.push(Case { service: "opsgenie", handler, parcel, count, can_look: true });
    }
    cases
}

/// GitHub's issues: made, described, renamed, closed, opened again, and those of follow-ups.
fn issues() -> Vec<Case> {
    let item = EntryId { rid: 1, rseq: 9 };
    let acts = [
        opened(&[]),
        Act::Ticket(item),
        Act::Describe,
        changed(),
        Act::ChangeTicket(item),
        Act::Resolve,
        Act::CloseTicket(item),
        Act::Reopen,
    ];
    let cases = acts.into_iter().map(|act| {
        let repository = GitHub::default();
        let makes = matches!(act, Act::Open(_) | Act::Ticket(_));
        let about = (!matches!(act, Act::Open(_))).then(|| Remote::from("1"));
        let known = usize::from(about.is_some());
        if about.is_some() {
            let own =
                json!({ "number": 1, "state": "open", "html_url": "https://github.example/i/1", "body": "by hand" });
            repository.issues.lock().unwrap().push(own);
        }
        let keeps = repository.clone();
        let handler: Handler = Arc::new(move |request| repository.answer(request));
        let count = Box::new(move || match makes {
            true => keeps.issues.lock().unwrap().len() - known,
            // The same text, title or state twice is one.
            false => keeps.changes.lock().unwrap().iter().map(Value::to_string).collect::<BTreeSet<_>>().len(),
        });
        let parcel = Parcel { about, ..parcel("github", github::REPOSITORY, act) };
        Case { service: "github", handler, parcel, count, can_look: true }
    });
    cases.collect()
}

/// Grafana's annotations: made, renamed, ended.
fn annotations() -> Vec<Case> {
    let take = |request: &Request, kept: &mut Vec<Value>| match request.method.as_str() {
        "GET" => {
            let tags: Vec<_> =
                request.query.iter().filter(|(key, _)| key == "tags").map(|(_, tag)| json!(tag)).collect();
            let bears =
                |one: &Value| one["tags"].as_array().is_some_and(|all| tags.iter().all(|tag| all.contains(tag)));
            let found = kept.iter().enumerate().filter(|(_, one)| bears(one));
            answer(200, &json!(found.map(|(place, _)| json!({ "id": place + 1 })).collect::<Vec<_>>()))
        }
        "POST" => {
            kept.push(body(request).unwrap());
            answer(200, &json!({ "id": kept.len(), "message": "Annotation added" }))
        }
        _ => {
            kept.push(json!({ "patched": body(request).unwrap() }));
            answer(200, &json!({ "message": "Annotation patched" }))
        }
    };
    let acts = [opened(&[]), changed(), Act::Resolve];
    let cases = acts.into_iter().map(|act| {
        let is_opening = matches!(act, Act::Open(_));
        let about = (!is_opening).then(|| Remote::from("1"));
        let parcel = Parcel { about, ..parcel("grafana", "grafana", act) };
        // A region that is renamed or ended twice is renamed or ended once.
        kept("grafana", parcel, take, move |all| if is_opening { all.len() } else { distinct(all, "patched") })
    });
    cases.collect()
}

/// Alertmanager's silences: made, ended.
fn silences() -> Vec<Case> {
    let until = DateTime::from_timestamp(SENT + 3_600, 0).unwrap();
    let matchers = vec![Matcher::equal("service", "alipay")];
    let acts = [Act::Silence(Silencing { matchers, until }), Act::Unsilence(EntryId { rid: 1, rseq: 3 })];
    let cases = acts.into_iter().map(|act| {
        let is_end = matches!(act, Act::Unsilence(_));
        let take = |request: &Request, kept: &mut Vec<Value>| match request.method.as_str() {
            "GET" => {
                let mut all: BTreeMap<String, Value> = BTreeMap::new();
                for one in kept.iter().filter(|one| one.get("comment").is_some()) {
                    let id = format!("s{}", all.len() + 1);
                    let mut said = one.clone();
                    (said["id"], said["status"]) = (json!(id), json!({ "state": "active" }));
                    all.insert(id, said);
                }
                answer(200, &json!(all.into_values().collect::<Vec<_>>()))
            }
            "POST" => {
                kept.push(body(request).unwrap());
                answer(200, &json!({ "silenceID": format!("s{}", kept.len()) }))
            }
            _ => {
                kept.push(json!({ "ended": request.path }));
                Reply::status(200, "")
            }
        };
        let about = is_end.then(|| Remote::from("s1"));
        let parcel = Parcel { about, ..parcel("alertmanager", "alertmanager", act) };
        kept("alertmanager", parcel, take, move |all| if is_end { distinct(all, "ended") } else { all.len() })
    });
    cases.collect()
}
