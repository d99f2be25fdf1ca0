//! `warroom doctor`, the real binary: with everything right, with each thing wrong, with everything dead. It reads, and changes nothing.

use std::time::Duration;

use serde_json::{Value, json};
use warroom::run::clock;

use crate::plain::Host;
use crate::reach_story::{SECRETS, Systems};
use crate::support::http::{Reply, Server};
use crate::support::pty::code;

/// A host whose configuration leads to the systems, with one playbook of its own and a rotation.
pub fn host(config: &str) -> Host {
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("config.toml");
    std::fs::write(&file, config).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    host
}

pub async fn doctor(host: &Host, arguments: &[&str]) -> (i32, String) {
    let mut command = host.command(&[&["doctor"], arguments].concat());
    command.envs(SECRETS);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    for (_, secret) in SECRETS {
        assert!(!said.contains(secret), "{said}");
    }
    (code(output.status), said)
}

/// What a Prometheus without alerts says of charts and rules.
fn of_rules(path: &str) -> Option<Value> {
    let data = match path {
        "/api/v1/query_range" => json!({ "resultType": "matrix", "result": [] }),
        "/api/v1/alerts" => json!({ "alerts": [] }),
        "/api/v1/rules" => json!({ "groups": [] }),
        _ => return None,
    };
    Some(json!({ "status": "success", "data": data }))
}

/// A Prometheus and an Alertmanager that answer everything with data.
async fn sources() -> Server {
    Server::start(|request| {
        let body = match request.path.as_str() {
            "/api/v1/status/buildinfo" => json!({ "status": "success", "data": { "version": "3.1.0" } }),
            "/api/v2/status" => json!({ "versionInfo": { "version": "0.27.0" }, "cluster": { "status": "ready" } }),
            "/api/v1/query" => {
                let sample = json!({ "metric": {}, "value": [1, "1"] });
                json!({ "status": "success", "data": { "resultType": "vector", "result": [sample] } })
            }
            "/api/v2/silences" | "/api/v2/alerts" => json!([]),
            path => match of_rules(path) {
                Some(body) => body,
                None => return Reply::status(404, "404 page not found"),
            },
        };
        Reply::json(body.to_string())
    })
    .await
}

const ROTATION: &str = "[oncall]\nstart = 2026-01-05\nweeks = [{ name = \"Payments\", person = \"dana\" }]\n";
const OTHERS: &str = "[pagerduty-services]\nalipay = \"PALIPAY\"\n";

/// All services of the shipped playbooks at PagerDuty and on the page.
fn whole(systems: &Systems, url: &str) -> String {
    let config = systems.config(url, url);
    let services = ["alipay", "blubank", "qrpay-web", "yoomonea"];
    let all = |id: &str| services.map(|service| format!("{service} = \"{id}\"\n")).concat();
    let config = config.replace(OTHERS, &format!("[pagerduty-services]\n{}", all("PALIPAY")));
    let components = all("c1");
    let config = config.replace(
        "[external-components]\nalipay = \"c1\"\n",
        &format!("[external-components]\n{components}[internal-components]\n{components}"),
    );
    config.replace("email = \"dana@qr.example\"", "email = \"dana@qr.example\"\nphone = \"1\"") + ROTATION
}

fn line<'a>(said: &'a str, what: &str) -> &'a str {
    said.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no line with {what}:\n{said}"))
}

#[tokio::test]
async fn with_everything_right_nothing_is_wrong_and_nothing_was_changed() {
    let (systems, sources) = (Systems::start().await, sources().await);
    let host = host(&whole(&systems, &sources.url()));
    let (status, said) = doctor(&host, &[]).await;
    assert_eq!(status, 0, "{said}");
    assert!(!said.contains("FAIL") && said.contains(" 0 wrong,"), "{said}");
    for what in [
        "prometheus: 3.1.0",
        "pagerduty: service of alipay: Alipay",
        "pagerduty: on call of policy PPOLICY: dana",
        "slack: scope pins:write",
        "statuspage: external page: component of alipay: c1",
        "jira: signed in: Bot",
        "jira: project OPS: type Incident",
        "playbook alipay: p99 latency",
    ] {
        assert!(line(&said, what).starts_with("ok  "), "{said}");
    }
    let asked: Vec<_> = systems.servers.iter().flat_map(Server::requests).collect();
    let writes = asked.iter().filter(|request| request.method != "GET" && !request.path.ends_with("auth.test"));
    assert_eq!(writes.count(), 0);
    let (status, said) = doctor(&host, &["--json"]).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((status, &said["is_fine"]), (0, &json!(true)));
    assert!(said["findings"].as_array().unwrap().iter().all(|one| one["verdict"].is_string()));
}

#[tokio::test]
async fn who_reads_from_outside_is_told() {
    let (systems, sources) = (Systems::start().await, sources().await);
    systems.jira.state.lock().unwrap().has_customers = true;
    {
        let mut slack = systems.slack.0.lock().unwrap();
        slack.status = json!({ "is_shared": true, "is_ext_shared": true });
        slack.guests = vec!["Ann of Partner".to_owned()];
    }
    let (status, said) = doctor(&host(&whole(&systems, &sources.url())), &[]).await;
    for words in ["shared with another company", "guests are in it", "a service project: comments go in as internal"] {
        assert!(line(&said, words).starts_with("warn"), "{said}");
    }
    assert_eq!(status, 0, "{said}");
}

#[tokio::test]
async fn a_token_of_a_whole_organisation_is_told_which_workspace_is_meant() {
    let (systems, sources) = (Systems::start().await, sources().await);
    let workspaces = [("T1", "QR"), ("T2", "QR Payments")].map(|(id, name)| (id.to_owned(), name.to_owned()));
    systems.slack.0.lock().unwrap().workspaces = workspaces.to_vec();
    let right = whole(&systems, &sources.url());
    let with = |line: &str| right.replace("prefix = \"inc-\"", &format!("prefix = \"inc-\"\n{line}"));
    for (config, begin, why) in [
        (with("workspace = \"T2\""), "ok  ", "slack: workspace: QR Payments"),
        (
            right.clone(),
            "FAIL",
            "as `workspace` into [slack-channels]; `warroom doctor` lists them: QR (T1), QR Payments (T2)",
        ),
        (with("workspace = \"T9\""), "FAIL", "the app was not let into T9: it is in QR (T1), QR Payments (T2)"),
    ] {
        let (_, said) = doctor(&host(&config), &[]).await;
        let line = line(&said, "slack: workspace");
        assert!(line.starts_with(begin) && line.contains(why), "{line}\n{said}");
        assert!(said.contains("slack: token: of the whole organisation E1"), "{said}");
    }
    // Of one workspace, another one is named.
    systems.slack.0.lock().unwrap().workspaces.clear();
    let (_, said) = doctor(&host(&with("workspace = \"T9\"")), &[]).await;
    assert!(line(&said, "slack: workspace").contains("the token is of QR (T1), not of T9"), "{said}");
    let other = Some("xapp-1-A1-2-abc".to_owned());
    let token = host(&right);
    let mut command = token.command(&["doctor"]);
    command.envs(SECRETS).envs(other.map(|token| ("SLACK", token)));
    let said = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(line(&said, "slack: token").contains("put the app's bot token (xoxb-"), "{said}");
}

#[tokio::test]
async fn what_a_ticket_wants_is_known_before_the_night_in_which_it_is_made() {
    let (systems, sources) = (Systems::start().await, sources().await);
    {
        let mut jira = systems.jira.state.lock().unwrap();
        jira.wants = vec!["customfield_10010".to_owned()];
        jira.lacks = vec!["TRANSITION_ISSUES".to_owned()];
    }
    let right = whole(&systems, &sources.url());
    let (status, said) = doctor(&host(&right), &[]).await;
    let field = line(&said, "field Field customfield_10010");
    assert!(field.starts_with("FAIL") && field.contains("[jira-project.fields]"), "{said}");
    assert!(line(&said, "TRANSITION_ISSUES lacks, with which tickets are closed").starts_with("FAIL"), "{said}");
    assert_eq!(status, 1);
    let set = format!("{right}\n[jira-project.fields]\ncustomfield_10010 = {{ value = \"Payments\" }}\n");
    let (_, said) = doctor(&host(&set), &[]).await;
    assert!(!said.contains("customfield_10010"), "{said}");
    let asked = format!("{right}\n[jira-project.fields]\ncustomfield_10010 = {{ ask = \"Which unit?\" }}\n");
    let (_, said) = doctor(&host(&asked), &[]).await;
    assert!(line(&said, "field Field customfield_10010: it cannot be asked").starts_with("FAIL"), "{said}");
    let offers = [("customfield_10010".to_owned(), vec![("1".to_owned(), "Retail".to_owned())])];
    systems.jira.state.lock().unwrap().offers = offers.into();
    let (_, said) = doctor(&host(&asked), &[]).await;
    assert!(!said.contains("customfield_10010"), "{said}");
    let (_, said) = doctor(&host(&right), &[]).await;
    assert!(line(&said, "and each incident asks a person").starts_with("warn"), "{said}");
}

#[tokio::test]
async fn each_thing_that_is_wrong_has_a_line_with_the_way_out() {
    let (systems, sources) = (Systems::start().await, sources().await);
    let right = whole(&systems, &sources.url());
    let cases = [
        ("= \"PALIPAY\"", "= \"PNONE\"", "pagerduty: service of alipay", "FAIL", "correct [pagerduty-services]"),
        ("status = \"C012345678\"", "status = \"C999999999\"", "slack: #status-qrpay", "FAIL", "[slack-channels]"),
        ("alipay = \"c1\"", "alipay = \"c9\"", "external page: component of alipay", "FAIL", "no component c9"),
        ("external = \"outside\"", "external = \"nowhere\"", "statuspage: external page", "FAIL", "404"),
        ("key = \"OPS\"", "key = \"NONE\"", "jira: project NONE", "FAIL", "check `key` in [jira-project]"),
        ("[\"printenv\", \"JIRA\"]", "[\"printenv\", \"PD\"]", "jira: signed in", "FAIL", "404"),
        ("[\"printenv\", \"JIRA\"]", "[\"false\"]", "jira", "FAIL", "the program false failed"),
        ("bearer-env = \"PD\"", "bearer-env = \"SP\"", "pagerduty: ", "FAIL", "the credentials are wrong or expired"),
        ("bearer-env = \"SLACK\"", "bearer-env = \"PD\"", "slack: token", "FAIL", "put a valid bot token"),
        ("bearer-env = \"SP\"", "bearer-env = \"NOT_SET\"", "statuspage", "FAIL", "NOT_SET is not set"),
        ("email = \"bob@qr.example\"", "email = \"eve@qr.example\"", "pagerduty: user eve", "warn", "nobody there"),
        ("person = \"dana\"", "person = \"bob\"", "on call of policy", "warn", "PagerDuty says Dana Rahimi"),
    ];
    for (was, is, what, verdict, why) in cases {
        assert!(right.contains(was), "{was}\n{right}");
        let (status, said) = doctor(&host(&right.replace(was, is)), &[]).await;
        let line = line(&said, what);
        assert!(line.starts_with(verdict) && line.contains(why), "{is}: {line}\n{said}");
        assert_eq!(status, i32::from(verdict == "FAIL"), "{is}: {said}");
    }
}

#[tokio::test]
async fn what_would_keep_an_incident_from_people_is_said_before_it() {
    type Change = fn(&Systems);
    let cases: [(Change, &str, &str, &str); 9] = [
        (
            |systems| systems.pagerduty.0.lock().unwrap().service = Some("disabled".to_owned()),
            "pagerduty: service of alipay",
            "FAIL",
            "is disabled there: nobody is paged",
        ),
        (
            |systems| systems.pagerduty.0.lock().unwrap().service = Some("maintenance".to_owned()),
            "pagerduty: service of alipay",
            "warn",
            "is in maintenance there",
        ),
        (
            |systems| systems.pagerduty.0.lock().unwrap().is_deserted = true,
            "pagerduty: on call of policy",
            "FAIL",
            "nobody is on call at its first level",
        ),
        (
            |systems| systems.page.0.lock().unwrap().groups.push("c1".to_owned()),
            "external page: component of alipay",
            "FAIL",
            "is a group, and only its parts can be set",
        ),
        (
            |systems| {
                systems.page.0.lock().unwrap().maintenances.push(("new racks".to_owned(), "c1".to_owned()));
            },
            "external page: maintenance",
            "warn",
            "new racks is being done",
        ),
        (
            |systems| systems.slack.0.lock().unwrap().status = json!({ "is_archived": true }),
            "slack: #status-qrpay",
            "FAIL",
            "the channel is archived",
        ),
        (
            |systems| systems.slack.0.lock().unwrap().status = json!({ "is_member": false }),
            "slack: #status-qrpay",
            "FAIL",
            "/invite it",
        ),
        (
            |systems| {
                let restricted = json!({ "posting_restricted_to": { "type": ["admin"], "user": ["U9"] } });
                systems.slack.0.lock().unwrap().status = json!({ "properties": restricted });
            },
            "slack: #status-qrpay",
            "warn",
            "who may write there is restricted",
        ),
        (
            |systems| {
                let restricted = json!({ "posting_restricted_to": { "type": ["admin"], "user": ["U9", "U1"] } });
                systems.slack.0.lock().unwrap().status = json!({ "properties": restricted });
            },
            "slack: #status-qrpay",
            "ok  ",
            "known",
        ),
    ];
    let sources = sources().await;
    let url = sources.url();
    let tried = cases.map(async |(change, what, verdict, why)| {
        let systems = Systems::start().await;
        change(&systems);
        let (status, said) = doctor(&host(&whole(&systems, &url)), &[]).await;
        let line = line(&said, what);
        assert!(line.starts_with(verdict) && line.contains(why), "{what}: {line}\n{said}");
        assert_eq!(status, i32::from(verdict == "FAIL"), "{said}");
    });
    futures_util::future::join_all(tried).await;
    let systems = Systems::start().await;
    let both = format!("{}[pagerduty-events]\nurl = \"{}\"\nbearer-env = \"PD\"\n", whole(&systems, &url), url);
    let (_, said) = doctor(&host(&both), &[]).await;
    assert!(line(&said, "pagerduty: twice").contains("people are paged twice"), "{said}");
}

#[tokio::test]
async fn what_the_servers_lack_is_named() {
    let (systems, sources) = (Systems::start().await, sources().await);
    let host = host(&whole(&systems, &sources.url()));
    // No data, a clock that is a minute off, a scope that is missing, a project without the type.
    let hour = (clock::wall() - chrono::TimeDelta::seconds(61)).to_rfc2822().replace("+0000", "GMT");
    sources.change(move |request| {
        let body = match request.path.as_str() {
            "/api/v1/query" => json!({ "status": "success", "data": { "resultType": "vector", "result": [] } }),
            "/api/v2/alerts" => json!([]),
            path => of_rules(path).unwrap_or(json!({ "status": "success", "data": { "version": "3.1.0" } })),
        };
        Reply::json(body.to_string()).with("date", &hour)
    });
    systems.jira.state.lock().unwrap().kinds = vec!["Task".to_owned()];
    let (slack, kept) = (&systems.servers[1], systems.slack.clone());
    slack.change(move |request| match kept.answer(request) {
        Reply::Answer { status, body, .. } => Reply::status(status, body).with("x-oauth-scopes", "chat:write"),
        other => other,
    });
    let (status, said) = doctor(&host, &[]).await;
    assert_eq!(status, 1, "{said}");
    for (what, begin, why) in [
        ("playbook alipay: p99 latency", "warn", "no data now"),
        ("prometheus: clock", "FAIL", "ahead of the server's: set it (NTP)"),
        ("slack: scope pins:write", "FAIL", "add it to the app"),
        ("jira: project OPS: type Incident", "warn", "a Task with a label takes its place"),
    ] {
        let line = line(&said, what);
        assert!(line.starts_with(begin) && line.contains(why), "{line}\n{said}");
    }
}

#[tokio::test]
async fn with_everything_dead_each_system_has_one_line_and_it_ends() {
    let systems = Systems::start().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("http://{}", nobody.local_addr().unwrap());
    // One takes the connection and says nothing.
    let hanging = Server::start(|_| Reply::Hang).await;
    drop(nobody);
    let mut config = whole(&systems, &dead);
    for (place, server) in systems.servers.iter().enumerate() {
        config = config.replace(&server.url(), &if place == 0 { hanging.url() } else { dead.clone() });
    }
    let begun = clock::boot();
    let (status, said) = doctor(&host(&config), &[]).await;
    assert!(clock::boot() - begun < crate::support::promised(Duration::from_secs(20)));
    assert_eq!(status, 1);
    for name in ["prometheus", "alertmanager", "pagerduty", "slack", "jira"] {
        let lines: Vec<_> = said.lines().filter(|line| line[6..].starts_with(name)).collect();
        assert!(lines.iter().any(|line| line.starts_with("FAIL")), "{name}: {said}");
        assert!(
            lines.iter().all(|line| line.contains("refused the connection") || line.contains("said nothing")),
            "{said}"
        );
    }
}

#[tokio::test]
async fn what_only_looks_like_the_system_is_never_said_to_be_well() {
    let others = [
        Reply::json("<!doctype html><title>Sign in</title>").with("content-type", "text/html"),
        Reply::Truncated(br#"{"status":"success","data":{"ver"#.to_vec()),
        Reply::json("# HELP up 1 if it is\n# TYPE up gauge\nup 1\n"),
        Reply::json(r#"{"hello":"world"}"#),
    ];
    for reply in others {
        let server = Server::start(move |_| reply.clone()).await;
        for name in ["prometheus", "alertmanager", "jaeger"] {
            let (status, said) = doctor(&host(&format!("[{name}]\nurl = \"{}\"\n", server.url())), &[]).await;
            let its: Vec<_> = said.lines().filter(|line| line[6..].starts_with(name)).collect();
            assert!(its[0].starts_with("FAIL"), "{name}: {said}");
            assert_eq!(status, 1, "{said}");
        }
    }
}
