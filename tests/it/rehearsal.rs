//! `warroom doctor --rehearse`, the real binary: the whole life of an incident in places that are there for it, and nothing is left of it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::doctor::{doctor, host};
use crate::plain::Plain;
use crate::reach_story::{SECRETS, Systems};
use crate::support::alertmanager::{Running, is_installed};
use crate::support::http::{Reply, Request, Server};

/// What a Grafana holds, and which requests it refuses.
#[derive(Clone, Default)]
struct Grafana {
    annotations: Arc<Mutex<Vec<Value>>>,
    refuses: Option<&'static str>,
    /// What its token may do; absent: it does not say.
    may: Option<Value>,
}

impl Grafana {
    fn answer(&self, request: &Request) -> Reply {
        let mut all = self.annotations.lock().unwrap();
        let id = request.path.rsplit('/').next().and_then(|id| id.parse::<u64>().ok());
        if self.refuses == Some(request.method.as_str()) {
            return Reply::status(403, json!({ "message": "You'll need additional permissions" }).to_string());
        }
        match (request.method.as_str(), request.path.as_str(), id) {
            ("GET", "/api/access-control/user/permissions", _) => match &self.may {
                Some(may) => Reply::json(may.to_string()),
                None => Reply::status(404, json!({ "message": "Not found" }).to_string()),
            },
            ("GET", "/api/annotations", _) => Reply::json(Value::Array(all.clone()).to_string()),
            ("POST", "/api/annotations", _) => {
                let mut said: Value = serde_json::from_str(&request.body).unwrap();
                said["id"] = json!(17);
                all.push(said);
                Reply::json(json!({ "message": "Annotation added", "id": 17 }).to_string())
            }
            ("PATCH", _, Some(_)) => Reply::json(json!({ "message": "Annotation patched" }).to_string()),
            ("DELETE", _, Some(id)) => {
                all.retain(|one| one["id"] != id);
                Reply::json(json!({ "message": "Annotation deleted" }).to_string())
            }
            _ => Reply::status(404, "{}"),
        }
    }

    async fn serve(&self) -> Server {
        let kept = self.clone();
        Server::start(move |request| kept.answer(request)).await
    }
}

fn section(server: &Server) -> String {
    format!("[grafana]\nurl = \"{}\"\nbearer-env = \"PD\"\n", server.url())
}

fn rehearsed(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.contains("  rehearsal: ")).collect()
}

#[tokio::test]
async fn a_whole_life_is_played_in_every_system_and_nothing_is_left_of_it() {
    if !is_installed() {
        return;
    }
    let (systems, alertmanager, grafana) = (Systems::start().await, Running::alertmanager(), Grafana::default());
    let (kept, channel) = (grafana.serve().await, systems.slack.opened("test", 1));
    let config = systems.config("http://127.0.0.1:1", &alertmanager.url());
    let config = config
        .replace("alipay = \"PALIPAY\"", "alipay = \"PLIVE01\"")
        .replace("key = \"OPS\"", "key = \"LIVE\"")
        .replace("external = \"outside\"\n", "")
        .replace("[external-components]\nalipay = \"c1\"\n", "");
    let places = format!(
        "[rehearsal]\nslack = \"{channel}\"\nslack-rooms = true\nstatuspage = \"outside\"\nstatuspage-component = \"c1\"\n\
         pagerduty = \"PALIPAY\"\njira = \"OPS\"\nalertmanager = true\ngrafana = true\n"
    );
    let host = host(&format!("{config}{}{places}[me]\nname = \"dana\"\n", section(&kept)));
    let (_, said) = doctor(&host, &["--rehearse"]).await;
    let lines = rehearsed(&said);
    assert!(lines.iter().all(|line| !line.starts_with("FAIL")), "{lines:#?}");
    for step in [
        "ok    rehearsal: slack: message:",
        "ok    rehearsal: slack: open the channel: inc-rehearsal-",
        "ok    rehearsal: slack: pinned status:",
        "ok    rehearsal: slack: clean up after `open the channel`: inc-rehearsal-",
        "ok    rehearsal: statuspage: status page: sp1 https://stspg.example/sp1",
        "ok    rehearsal: pagerduty: open the incident: 4711 ",
        "ok    rehearsal: pagerduty: resolve:",
        "ok    rehearsal: jira: ticket of a follow-up: OPS-2",
        "ok    rehearsal: jira: resolve: OPS-1",
        "ok    rehearsal: jira: clean up after `open the incident`: OPS-1 was deleted",
        "ok    rehearsal: alertmanager: end the silence:",
        "ok    rehearsal: grafana: clean up after `open the incident`: 17 was deleted",
        "skip  rehearsal: people: inviting, paging",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(step)), "{step}\n{lines:#?}");
    }
    // Nothing stands, and nothing was written where incidents go.
    assert_eq!(systems.slack.texts(&channel), [""; 0]);
    let is_gone = |one: &Value| one["id"] == *channel || one["is_archived"] == true;
    assert!(systems.slack.0.lock().unwrap().channels.iter().all(is_gone));
    assert!(systems.page.0.lock().unwrap().incidents.is_empty());
    assert_eq!(systems.page.shows("c1"), "operational");
    assert!(systems.jira.state.lock().unwrap().issues.is_empty());
    assert!(systems.pagerduty.0.lock().unwrap().incidents.iter().all(|one| one["status"] == "resolved"));
    assert!(grafana.annotations.lock().unwrap().is_empty());
    let asked: Vec<_> = systems.servers.iter().flat_map(Server::requests).filter(|one| one.method != "GET").collect();
    let elsewhere = |request: &&Request| {
        let whole = format!("{} {}", request.path, request.body);
        ["/pages/inside/", "PLIVE01", "LIVE-", crate::support::services::slack::STATUS]
            .iter()
            .any(|one| whole.contains(one))
    };
    assert_eq!(asked.iter().find(elsewhere).map(|one| &one.path), None);
}

#[tokio::test]
async fn where_incidents_go_nothing_is_rehearsed_and_nowhere_without_a_word() {
    let systems = Systems::start().await;
    let config = systems.config("http://127.0.0.1:1", "http://127.0.0.1:1");
    let places = format!(
        "[rehearsal]\nslack = \"{}\"\nstatuspage = \"outside\"\npagerduty = \"PALIPAY\"\njira = \"OPS\"\nwebhook = true\n",
        crate::support::services::slack::STATUS
    );
    let (status, said) = doctor(&host(&format!("{config}{places}")), &["--rehearse"]).await;
    let lines = rehearsed(&said);
    let why = "incidents go there: name a place of its own in [rehearsal]";
    assert_eq!(lines.iter().filter(|line| line.starts_with("FAIL") && line.ends_with(why)).count(), 4, "{lines:#?}");
    assert!(lines.iter().any(|line| line.ends_with("[webhook] is not configured")), "{lines:#?}");
    assert_eq!(status, 1);
    let (status, said) = doctor(&host(&config), &["--rehearse"]).await;
    assert_eq!((status, said.contains("fill in [rehearsal]")), (2, true), "{said}");
    let wrote = |request: &Request| request.method != "GET" && !request.path.ends_with("auth.test");
    assert_eq!(systems.servers.iter().flat_map(Server::requests).find(wrote).map(|one| one.path), None);
}

#[tokio::test]
async fn what_fails_in_a_rehearsal_is_said_and_cleaned_up_all_the_same_and_what_stays_is_named() {
    let grafana = Grafana { refuses: Some("PATCH"), ..Grafana::default() };
    let server = grafana.serve().await;
    let config = format!("{}[rehearsal]\ngrafana = true\n", section(&server));
    let (status, said) = doctor(&host(&config), &["--rehearse"]).await;
    let lines = rehearsed(&said);
    assert_eq!(status, 1, "{said}");
    assert!(lines[0].starts_with("ok    rehearsal: grafana: open the incident: 17"), "{lines:#?}");
    assert!(
        lines[1].starts_with("FAIL  rehearsal: grafana: title and severity: ") && lines[1].contains("403"),
        "{lines:#?}"
    );
    assert_eq!(lines[2], "skip  rehearsal: grafana: resolve: not tried after that");
    assert!(lines[3].starts_with("ok    rehearsal: grafana: clean up after `open the incident`"), "{lines:#?}");
    assert!(grafana.annotations.lock().unwrap().is_empty());
    let grafana = Grafana { refuses: Some("DELETE"), ..Grafana::default() };
    let server = grafana.serve().await;
    let config = format!("{}[rehearsal]\ngrafana = true\n", section(&server));
    let (_, said) = doctor(&host(&config), &["--rehearse"]).await;
    let stays = rehearsed(&said).into_iter().find(|line| line.starts_with("warn")).unwrap();
    assert!(stays.ends_with("it stays there, take it away by hand: 17"), "{said}");
}

#[tokio::test]
async fn doctor_asks_grafana_whether_the_token_may_write_annotations_of_the_organisation() {
    let all = ["annotations:create", "annotations:write"];
    for (may, create, write) in [
        (Some(json!({ all[0]: ["annotations:type:organization"], all[1]: ["annotations:*"] })), "ok  ", "ok  "),
        (Some(json!({ all[0]: ["annotations:type:dashboard"], all[1]: ["annotations:type:*"] })), "FAIL", "ok  "),
        (Some(json!({ "annotations:read": ["annotations:*"] })), "FAIL", "FAIL"),
        (None, "skip", "skip"),
    ] {
        let server = Grafana { may: may.clone(), ..Grafana::default() }.serve().await;
        let (_, said) = doctor(&host(&section(&server)), &[]).await;
        let lines: Vec<_> = said.lines().filter(|line| line.contains("grafana: writing")).collect();
        assert!(
            lines.first().unwrap().starts_with(create) && lines.last().unwrap().starts_with(write),
            "{may:?} {said}"
        );
    }
}

#[tokio::test]
async fn a_drill_that_begins_in_line_mode_has_the_systems_asked_as_any_other_does() {
    let server = Grafana { may: Some(json!({})), ..Grafana::default() }.serve().await;
    let host = host(&section(&server));
    let played = tokio::task::spawn_blocking(move || {
        let mut command = host.command(&["open", "--plain"]);
        let mut dana = Plain::spawn(command.envs(SECRETS).stdin(std::process::Stdio::piped()));
        dana.type_in(":drill\n");
        let said = dana.wait_for("grafana: writing", std::time::Duration::from_secs(60));
        dana.end();
        said
    });
    let said = played.await.unwrap();
    assert!(said.contains("the token lacks `annotations:") && said.contains("(warroom doctor"), "{said}");
}
