//! A whole incident with every system beside it: a rule that fires in a real Prometheus, a real Alertmanager, and PagerDuty, Slack, Statuspage and Jira in
//! the test's process. Two consoles, real binaries; at the end, what each system holds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use warroom::channel::calls::{Call, called};
use warroom::run::clock;

use crate::plain::{Host, Plain};
use crate::support::alertmanager::{Running, is_installed};
use crate::support::http::{Reply, Server};
use crate::support::services::jira::{self, Jira};
use crate::support::services::pagerduty::{self, PagerDuty};
use crate::support::services::slack::{self, Slack};
use crate::support::services::statuspage::{self, Statuspage};
use crate::support::until;

/// Where a console finds the secrets.
pub const SECRETS: [(&str, &str); 4] =
    [("PD", pagerduty::TOKEN), ("SLACK", slack::TOKEN), ("SP", statuspage::TOKEN), ("JIRA", jira::TOKEN)];

const SOON: Duration = Duration::from_secs(60);

const RULES: &str = "groups:\n- name: alipay\n  rules:\n  - alert: HighErrorRate\n    expr: vector(1) > 0\n    labels: {service: alipay, severity: critical}\n    annotations: {summary: '18 % of payments fail'}\n";

/// The systems, and where they listen.
pub struct Systems {
    pub pagerduty: PagerDuty,
    pub slack: Slack,
    pub page: Statuspage,
    pub jira: Jira,
    pub servers: Vec<Server>,
    slack_is_busy: Arc<AtomicBool>,
}

impl Systems {
    pub async fn start() -> Self {
        Self::of(true).await
    }

    /// The same, with a Jira in the cloud or a Data Center.
    pub async fn of(is_cloud: bool) -> Self {
        let (pagerduty, slack) = (PagerDuty::default(), Slack::default());
        let (page, jira) = (Statuspage::default(), Jira::new(is_cloud));
        let slack_is_busy = Arc::new(AtomicBool::new(false));
        let lost = Mutex::new(true);
        let mut servers = Vec::new();
        let kept = pagerduty.clone();
        servers.push(Server::start(move |request| kept.answer(request)).await);
        let (kept, busy) = (slack.clone(), slack_is_busy.clone());
        servers.push(
            Server::start(move |request| {
                let storm = || Reply::status(429, r#"{"ok":false,"error":"ratelimited"}"#).with("retry-after", "1");
                if busy.load(Ordering::Relaxed) { storm() } else { kept.answer(request) }
            })
            .await,
        );
        let kept = page.clone();
        servers.push(
            Server::start(move |request| {
                let reply = kept.answer(request);
                // The first text for customers is taken, and nobody hears of it.
                let is_public = request.method == "POST" && request.path.contains("outside");
                let is_lost = is_public && std::mem::take(&mut *lost.lock().unwrap());
                if is_lost { Reply::Reset } else { reply }
            })
            .await,
        );
        let kept = jira.clone();
        servers.push(Server::start(move |request| kept.answer(request)).await);
        Self { pagerduty, slack, page, jira, servers, slack_is_busy }
    }

    /// A configuration that leads to all of them; secrets come from the environment and from a program.
    pub fn config(&self, prometheus: &str, alertmanager: &str) -> String {
        let url = |place: usize| self.servers[place].url();
        format!(
            "[prometheus]\nurl = \"{prometheus}\"\nevery = \"1s\"\n[alertmanager]\nurl = \"{alertmanager}\"\nevery = \"1s\"\n\
             [pagerduty]\nurl = \"{}\"\nbearer-env = \"PD\"\n[pagerduty-services]\nalipay = \"PALIPAY\"\n\
             [pagerduty-options]\nstatus-updates = true\n\
             [slack]\nurl = \"{}/api\"\nbearer-env = \"SLACK\"\n[slack-channels]\nstatus = \"{}\"\nprefix = \"inc-\"\n\
             [statuspage]\nurl = \"{}/v1\"\nbearer-env = \"SP\"\n[statuspage-pages]\ninternal = \"inside\"\nexternal = \"outside\"\n\
             [external-components]\nalipay = \"c1\"\n\
             [jira]\nurl = \"{}\"\nbasic-user = \"{}\"\nbasic-password-command = [\"printenv\", \"JIRA\"]\n[jira-project]\nkey = \"OPS\"\n\
             [[people]]\nname = \"dana\"\nemail = \"dana@qr.example\"\n[[people]]\nname = \"bob\"\nemail = \"bob@qr.example\"\n",
            url(0),
            url(1),
            slack::STATUS,
            url(2),
            url(3),
            jira::USER,
        )
    }

    fn start_console(host: &Host, arguments: &[&str]) -> Plain {
        let mut command = host.command(arguments);
        Plain::spawn(command.envs(SECRETS).stdin(std::process::Stdio::piped()))
    }
}

#[tokio::test]
async fn an_incident_from_the_alert_to_its_end_with_every_system_beside_it() {
    if !is_installed() || !crate::support::prometheus::is_installed() {
        return;
    }
    let alertmanager = Running::alertmanager();
    let prometheus = Running::prometheus(RULES, alertmanager.port);
    let systems = Systems::start().await;
    // The pager has rung already.
    systems.pagerduty.alerted("[FIRING:1] HighErrorRate alipay");
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), systems.config(&prometheus.url(), &alertmanager.url())).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        play(&host, &systems, &alertmanager);
        let calls = calls(&systems);
        let doctor = host.command(&["doctor", "--json"]).envs(SECRETS).output().unwrap();
        (host, systems, calls, doctor.stdout)
    });
    let (host, systems, calls, doctor) = ended.await.unwrap();
    compare(&systems);
    every_call_is_judged(&calls, &doctor);
    no_secret_in(host.home.path());
}

fn play(host: &Host, systems: &Systems, alertmanager: &Running) {
    let mut dana = Systems::start_console(host, &["open", "--plain"]);
    // Prometheus tells it too, without the label that it gives it on the way to Alertmanager.
    let alert = dana.wait_for("cluster=one, service=alipay", SOON);
    let number = alert.split_once("(:declare-from ").unwrap().1.trim_end_matches(')').to_owned();
    dana.type_in(&format!(":declare-from {number} 1\n"));
    dana.wait_for(
        "out SENT to pagerduty: open the incident as 4711 https://qr.pagerduty.example/incidents/Q4711",
        SOON,
    );
    dana.wait_for("out SENT to jira: open the incident as OPS-1", SOON);
    let mut bob = Systems::start_console(host, &["open", "INC-1", "--plain", "--as", "bob"]);
    bob.type_in(":take comms\n");
    dana.type_in(":take ic\n:ack\n");
    // PagerDuty's own Slack integration opens the channel.
    let room = systems.slack.opened("inc-4711", clock::wall().timestamp());
    until("the topic", || systems.slack.0.lock().unwrap().channels.iter().any(|one| one["topic"]["value"].is_string()));
    until("the pinned message", || systems.slack.0.lock().unwrap().pins.len() == 1);
    dana.type_in(":page bob\n");
    dana.wait_for("! type PAGE to page 1: nobody was paged", SOON);
    dana.type_in(":page bob PAGE\n");
    dana.wait_for("out SENT to pagerduty: page bob@qr.example", SOON);
    // Alerts are kept quiet, after it was shown which.
    dana.type_in(":silence 30m service=\"alipay\" the backup is being filled\n");
    dana.wait_for("1 of the alerts that are known now", SOON);
    dana.type_in(":silence! 30m service=\"alipay\" the backup is being filled\n");
    until("the silence", || silences(alertmanager).contains("the backup is being filled (warroom INC-1/"));
    dana.type_in(":impact-start -20m\n:update we look into it, the next update is in 15 minutes\n");
    until("the internal page", || systems.page.texts("inside").len() == 1);
    until("the text in the channel", || systems.slack.texts(&room).len() == 2);
    // What customers read is sent once, though its answer is lost.
    dana.type_in(":update external Some payments fail. We work on it.\n");
    bob.wait_for("out UNCONFIRMED to external page (statuspage)", SOON);
    bob.wait_for("out SENT to external page (statuspage)", SOON);
    // Slack says for a while that it is asked too often.
    systems.slack_is_busy.store(true, Ordering::Relaxed);
    for number in 1..=3 {
        dana.type_in(&format!(":update still looking, {number}\n"));
        bob.wait_for(&format!("still looking, {number}"), SOON);
    }
    std::thread::sleep(Duration::from_secs(2));
    systems.slack_is_busy.store(false, Ordering::Relaxed);
    until("the newest text", || systems.slack.texts(slack::STATUS).iter().any(|text| text == "still looking, 3"));
    bob.type_in("todo: raise the limit\n");
    dana.type_in(":propose route to backup | fees | route back\n:decide 1 yes no time\n");
    until("the follow-up's ticket", || systems.jira.state.lock().unwrap().issues.len() == 2);
    // Others do something elsewhere: each is noted once, and the follow-up's ticket that somebody closed is closed here.
    systems.pagerduty.answered("PUBOB", "joined");
    systems.pagerduty.logged("Escalated to level 2", "Eve Stone", "website");
    systems.pagerduty.logged("Acknowledged through the API", "dana", "api");
    let ts = format!("{}.000900", clock::wall().timestamp());
    systems.slack.kept(&room, &ts, "the bank says &lt;yes&gt;");
    systems.jira.state.lock().unwrap().issues[1]["status"] = json!("done");
    let mut seen = [
        "in pagerduty: accepted the page (bob@qr.example",
        "in pagerduty: Escalated to level 2 (Eve Stone",
        "in slack: the bank says <yes> https://qr.slack.example/p",
        "in OPS-2 is done now",
    ]
    .to_vec();
    while !seen.is_empty() {
        let line = dana.wait_for(" in ", SOON);
        seen.retain(|text| !line.contains(text));
    }
    dana.type_in(
        ":follow-ups\n:impact-end\n:unsilence 1\n:resolve! it was a drill of the bank | All payments work again.\n",
    );
    bob.wait_for("RESOLVED", SOON);
    bob.wait_for("out YOUR WORD: external page (statuspage) waits", SOON);
    bob.type_in(":outbox\n");
    let held = bob.wait_for("YOUR WORD  ", SOON);
    let number = held.trim_start_matches("  ").split(' ').next().unwrap().to_owned();
    bob.type_in(&format!(":outbox {number} 1\n"));
    until("the end on the page", || systems.page.texts("outside").len() == 2);
    until("the end in PagerDuty", || systems.pagerduty.0.lock().unwrap().acts.len() == 2);
    until("the end of the silence", || !silences(alertmanager).contains("\"state\":\"active\""));
    until("the last lines", || {
        let words = serde_json::to_string(&systems.jira.state.lock().unwrap().comments).unwrap();
        words.contains("All payments work again.")
    });
    until("the last word at the top", || systems.slack.texts(&room)[0].contains("Resolved"));
    dana.type_in(":outbox\n");
    dana.end();
    bob.end();
    dana.wait_exit(SOON);
    bob.wait_exit(SOON);
}

fn silences(alertmanager: &Running) -> String {
    crate::support::prometheus::get(alertmanager.port, "/api/v2/silences").unwrap_or_default().1
}

fn compare(systems: &Systems) {
    let pagerduty = systems.pagerduty.0.lock().unwrap();
    assert_eq!(pagerduty.incidents.len(), 1, "it was adopted, not made again");
    let dana = "dana@qr.example".to_owned();
    let acts = [
        ("acknowledged".to_owned(), dana.clone(), String::new()),
        ("resolved".to_owned(), dana, "All payments work again.".to_owned()),
    ];
    assert_eq!(pagerduty.acts, acts);
    assert_eq!(pagerduty.paged, [("PUDANA".to_owned(), vec!["PUBOB".to_owned()])]);
    let told: Vec<_> = pagerduty.updates.iter().map(|(_, text)| text.as_str()).collect();
    let all = [
        "we look into it, the next update is in 15 minutes",
        "still looking, 1",
        "still looking, 2",
        "still looking, 3",
    ];
    // The newest, where one waited for another, each with what a mail needs.
    let mail = |text: &str| format!("SEV1 INC-1: 18 % of payments fail\n\n{text}\n\nIn command: dana");
    assert!(told.first().is_some_and(|told| told.starts_with(&mail(all[0]))), "{told:?}");
    assert!(told.last().is_some_and(|told| told.starts_with(&format!("{}\nNext update: ", mail(all[3])))), "{told:?}");
    let noted = pagerduty.notes.iter().map(|(.., text)| text.as_str()).collect::<Vec<_>>().join("\n");
    for text in all {
        assert_eq!(noted.matches(text).count(), 1, "{noted}");
    }

    let status = systems.slack.texts(slack::STATUS);
    assert_eq!(status, [all[0], all[3]], "while it was busy the newest took the place of the others");
    let workspace = systems.slack.0.lock().unwrap();
    assert_eq!(workspace.channels.len(), 1, "the channel was adopted");
    let topic = workspace.channels[0]["topic"]["value"].as_str().unwrap();
    assert_eq!(topic, "SEV1 · Resolved · IC dana · 18 % of payments fail");
    assert_eq!((workspace.pins.len(), workspace.invited.as_slice()), (1, &["U00000BOB".to_owned()][..]));
    drop(workspace);
    let room = systems.slack.texts("C000000001");
    assert_eq!(room[1..3], [all[0].to_owned(), all[3].to_owned()]);
    assert!(room[0].contains("pagerduty 4711 https://qr.pagerduty.example/incidents/Q4711"), "{}", room[0]);

    let word = |status: &str, text: &str| (status.to_owned(), text.to_owned());
    let outside =
        [word("investigating", "Some payments fail. We work on it."), word("resolved", "All payments work again.")];
    assert_eq!(systems.page.texts("outside"), outside);
    let inside = systems.page.texts("inside");
    let own = |status: &str, text: &str| word(status, &format!("{text}\n\nSEV1, INC-1, in command: dana"));
    assert_eq!(inside.last(), Some(&own("resolved", "All payments work again.")));
    assert_eq!(inside.first(), Some(&own("investigating", all[0])));
    let page = systems.page.0.lock().unwrap();
    assert_eq!((page.incidents.len(), &page.components["c1"], page.mails), (2, &json!("operational"), 0));

    let site = systems.jira.state.lock().unwrap();
    let issues: Vec<_> = site.issues.iter().map(|one| one["summary"].as_str().unwrap()).collect();
    assert_eq!(issues, ["INC-1: 18 % of payments fail", "raise the limit"]);
    assert_eq!(site.links, [("OPS-1".to_owned(), "OPS-2".to_owned())]);
    let description = site.issues[0]["description"].to_string();
    for part in ["Impact", "Root cause", "route to backup", "- raise the limit"] {
        assert!(description.contains(part), "{part}: {description}");
    }
    let comments = serde_json::to_string(&site.comments).unwrap();
    assert!(
        comments.contains("Eve Stone (PagerDuty) [in] pagerduty: Escalated to level 2")
            && !comments.contains("jira [in]")
            && !comments.contains("[in] statuspage"),
        "{comments}"
    );
    for line in ["dana [ACK]", "[DECIDE]", "bob [todo] raise the limit\"", "still looking, 2"] {
        assert_eq!(comments.matches(line).count(), 1, "{line}: {comments}");
    }
}

/// What the systems were asked is what the table of calls says.
fn calls(systems: &Systems) -> Vec<&'static Call> {
    let names = ["pagerduty", "slack", "statuspage", "jira"];
    let calls = calls_of(names.into_iter().zip(&systems.servers));
    assert!(calls.len() > 25, "{calls:?}");
    calls
}

/// The calls that servers saw; one that the table does not have fails.
pub fn calls_of<'a>(servers: impl IntoIterator<Item = (&'static str, &'a Server)>) -> Vec<&'static Call> {
    let mut calls = Vec::new();
    for (service, server) in servers {
        for request in server.requests() {
            let call = called(service, &request.method, &request.path);
            let call = call.unwrap_or_else(|| panic!("{service}: no call is {} {}", request.method, request.path));
            if !calls.contains(&call) {
                calls.push(call);
            }
        }
    }
    calls
}

/// Doctor has a line for each.
pub fn every_call_is_judged(calls: &[&Call], doctor: &[u8]) {
    let said: serde_json::Value = serde_json::from_slice(doctor).unwrap();
    let findings: Vec<_> =
        said["findings"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    for call in calls {
        let is_judged = findings.iter().any(|what| what.starts_with(call.judged));
        assert!(is_judged, "no line of doctor judges {call:?}: {findings:#?}");
    }
}

fn no_secret_in(folder: &std::path::Path) {
    let secrets = [pagerduty::TOKEN, slack::TOKEN, statuspage::TOKEN, jira::TOKEN];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            if entry.path().is_dir() {
                folders.push(entry.path());
                continue;
            }
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            for secret in secrets {
                let holds = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!holds, "{} holds {secret}", entry.path().display());
            }
        }
    }
}
