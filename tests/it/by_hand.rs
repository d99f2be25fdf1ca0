//! Every system in one process, for a person who tries a console by hand: what it is told is written down, and one system after another can be made to fail.
//!
//! ```text
//! WARROOM_BY_HAND=FOLDER cargo test --test it by_hand -- --ignored
//! ```
//!
//! `FOLDER` gets the configuration (`config/warroom/config.toml`), the secrets (`secrets`, to be sourced) and `requests`,
//! a line for each. While a file named like a system lies in `FOLDER/down`, that system answers 503, or with the status and
//! the body that stand there (`422 {}`); a file named like one of [`HANDS`] in `FOLDER/hand` has somebody else do that there,
//! and is taken away; taking `FOLDER/secrets` away ends it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use warroom::run::clock;

use crate::channels::github::{self, GitHub};
use crate::channels::mattermost::{self, Mattermost};
use crate::killed::{take_annotation, take_event, take_hook};
use crate::reach_story::SECRETS;
use crate::support::alertmanager::Running;
use crate::support::http::{Reply, Request, Server};
use crate::support::services::jira::{self, Jira};
use crate::support::services::pagerduty::PagerDuty;
use crate::support::services::slack::{self, Slack};
use crate::support::services::statuspage::Statuspage;

/// What somebody else can do in a system.
const HANDS: [&str; 13] = [
    "statuspage-resolved",
    "statuspage-deleted",
    "component-deleted",
    "component-maintenance",
    "channel-archived",
    "message-deleted",
    "ticket-done",
    "ticket-deleted",
    "pagerduty-resolved",
    "pagerduty-merged",
    "pagerduty-given",
    "opsgenie-closed",
    "annotation-deleted",
];

/// The systems in which somebody else does something.
#[derive(Clone)]
struct Hands {
    pagerduty: PagerDuty,
    slack: Slack,
    page: Statuspage,
    jira: Jira,
    opsgenie: crate::channels::opsgenie::Opsgenie,
    annotations: Arc<Mutex<Vec<String>>>,
}

impl Hands {
    /// Does what somebody else was asked to do.
    fn act(&self, what: &str) {
        let newest = || {
            let state = self.pagerduty.0.lock().unwrap();
            let open = state.incidents.iter().rfind(|one| one["status"] != "resolved");
            open.map(|one| one["id"].as_str().unwrap().to_owned())
        };
        match what {
            "statuspage-resolved" => self.page.end_by_hand("resolved"),
            "statuspage-deleted" => drop(self.page.0.lock().unwrap().incidents.pop()),
            "component-deleted" => drop(self.page.0.lock().unwrap().components.remove("c1")),
            "component-maintenance" => self.page.set("c1", "under_maintenance"),
            "channel-archived" => {
                if let Some(room) = self.slack.0.lock().unwrap().channels.last_mut() {
                    room["is_archived"] = json!(true);
                }
            }
            "message-deleted" => {
                let mut state = self.slack.0.lock().unwrap();
                if let Some((_, ts)) = state.pins.pop() {
                    state.messages.retain(|(_, message)| message["ts"] != ts);
                }
            }
            "ticket-done" => self.jira.state.lock().unwrap().issues[0]["status"] = json!("done"),
            "ticket-deleted" => drop(self.jira.state.lock().unwrap().issues.remove(0)),
            "pagerduty-resolved" => newest().into_iter().for_each(|id| self.pagerduty.resolved_by(&id, "Eve Stone")),
            "pagerduty-merged" => {
                if let Some(id) = newest() {
                    let into = self.pagerduty.alerted("the whole region is down");
                    self.pagerduty.merged_by(&id, &format!("Q{into}"), "Eve Stone");
                }
            }
            "pagerduty-given" => newest().into_iter().for_each(|id| self.pagerduty.given_by(&id, "PUBOB", "Eve Stone")),
            "opsgenie-closed" => self.opsgenie.closed_by("Eve Stone"),
            "annotation-deleted" => self.annotations.lock().unwrap().iter_mut().for_each(String::clear),
            other => panic!("nobody can do {other}"),
        }
    }
}

type Handler = Arc<dyn Fn(&Request) -> Reply + Send + Sync>;

/// A server that writes down what it is told, and can be made to fail.
async fn serve(name: &'static str, folder: &Path, handler: Handler) -> Server {
    let (down, requests) = (folder.join("down").join(name), folder.join("requests"));
    Server::start(move |request| {
        let reply = match std::fs::read_to_string(&down) {
            Ok(said) => {
                let (status, body) = said.trim().split_once(' ').unwrap_or(("503", "{}"));
                Reply::status(status.parse().unwrap(), body)
            }
            Err(_) => handler(request),
        };
        let status = if let Reply::Answer { status, .. } = &reply { *status } else { 0 };
        let mut file = std::fs::File::options().create(true).append(true).open(&requests).unwrap();
        let at = clock::wall().format("%H:%M:%S");
        writeln!(file, "{at} {name} {status} {} {} {}", request.method, request.path, request.body).unwrap();
        reply
    })
    .await
}

#[tokio::test]
#[ignore = "serves every system until its folder's `secrets` are taken away, for trying a console by hand"]
async fn every_system_for_a_console_that_is_tried_by_hand() {
    let folder = PathBuf::from(std::env::var("WARROOM_BY_HAND").expect("WARROOM_BY_HAND names a folder"));
    for below in ["down", "hand", "config/warroom", "state"] {
        std::fs::create_dir_all(folder.join(below)).unwrap();
    }
    let (pagerduty, slack) = (PagerDuty::default(), Slack::default());
    let (page, jira) = (Statuspage::default(), Jira::new(true));
    slack.0.lock().unwrap().has_clock = true;
    let kept: [Arc<Mutex<Vec<String>>>; 3] = Default::default();
    let [events, annotations, hooks] = kept;
    let teams = |_: &Request| Reply::status(202, "").with("x-ms-workflow-run-id", "run-1");
    let opsgenie = crate::channels::opsgenie::Opsgenie::default();
    let hands = Hands {
        pagerduty: pagerduty.clone(),
        slack: slack.clone(),
        page: page.clone(),
        jira: jira.clone(),
        opsgenie: opsgenie.clone(),
        annotations: annotations.clone(),
    };
    let (mattermost, github) = (Mattermost::default(), GitHub::default());
    let handlers: [(&'static str, Handler); 11] = [
        ("pagerduty", Arc::new(move |request| pagerduty.answer(request))),
        ("slack", Arc::new(move |request| slack.answer(request))),
        ("statuspage", Arc::new(move |request| page.answer(request))),
        ("jira", Arc::new(move |request| jira.answer(request))),
        ("pagerduty-events", Arc::new(move |request| take_event(request, &events))),
        ("grafana", Arc::new(move |request| take_annotation(request, &annotations))),
        ("webhook", Arc::new(move |request| take_hook(request, &hooks))),
        ("teams", Arc::new(teams)),
        ("opsgenie", Arc::new(move |request| opsgenie.answer(request))),
        ("mattermost", Arc::new(move |request| mattermost.answer(request))),
        ("github", Arc::new(move |request| github.answer(request))),
    ];
    let mut servers = Vec::new();
    for (name, handler) in handlers {
        servers.push(serve(name, &folder, handler).await);
    }
    let alertmanager = Running::alertmanager();
    let alert = json!([{ "labels": { "alertname": "HighErrorRate", "service": "alipay" } }]);
    alertmanager.post("/api/v2/alerts", &alert.to_string());
    let url = |place: usize| servers[place].url();
    let config = format!(
        "[pagerduty]\nurl = \"{}\"\nbearer-env = \"PD\"\n[pagerduty-services]\nalipay = \"PALIPAY\"\n\
         [pagerduty-options]\nstatus-updates = true\n\
         [slack]\nurl = \"{}/api\"\nbearer-env = \"SLACK\"\n[slack-channels]\nstatus = \"{}\"\nprefix = \"inc-\"\n\
         [statuspage]\nurl = \"{}/v1\"\nbearer-env = \"SP\"\n[statuspage-pages]\ninternal = \"inside\"\nexternal = \"outside\"\n\
         [external-components]\nalipay = \"c1\"\n\
         [jira]\nurl = \"{}\"\nbasic-user = \"{}\"\nbasic-password-command = [\"printenv\", \"JIRA\"]\n[jira-project]\nkey = \"OPS\"\n\
         [pagerduty-events]\nurl = \"{}\"\nbearer-env = \"PD\"\n[grafana]\nurl = \"{}\"\nbearer-env = \"PD\"\n\
         [webhook]\nurl = \"{}\"\nbearer-env = \"PD\"\n[alertmanager]\nurl = \"{}\"\n\
         [teams]\nurl = \"{}\"\nbearer-env = \"TEAMS\"\n[teams-channels]\nincident = true\n\
         [opsgenie]\nurl = \"{}/v2\"\nbearer-env = \"OPSGENIE\"\n\
         [mattermost]\nurl = \"{}\"\nbearer-env = \"OPSGENIE\"\n[mattermost-channels]\nincident = \"{}\"\n\
         [github]\nurl = \"{}\"\nbearer-env = \"OPSGENIE\"\n[github-issues]\nrepository = \"{}\"\n\
         [[people]]\nname = \"dana\"\nemail = \"dana@qr.example\"\n[[people]]\nname = \"bob\"\nemail = \"bob@qr.example\"\n",
        url(0),
        url(1),
        slack::STATUS,
        url(2),
        url(3),
        jira::USER,
        url(4),
        url(5),
        url(6),
        alertmanager.url(),
        url(7),
        url(8),
        url(9),
        mattermost::CHANNEL,
        url(10),
        github::REPOSITORY,
    );
    std::fs::write(folder.join("config/warroom/config.toml"), config).unwrap();
    let teams = format!("{}/workflows/abc?sig=s1gn4tur3-of-the-workflow", url(7));
    let more = [("TEAMS", teams.as_str()), ("OPSGENIE", "secret-1234")];
    let secrets = SECRETS.into_iter().chain(more).map(|(name, value)| format!("export {name}='{value}'\n"));
    let secrets: String = secrets.collect();
    std::fs::write(folder.join("secrets"), secrets).unwrap();
    while folder.join("secrets").exists() {
        for what in HANDS.into_iter().filter(|what| folder.join("hand").join(what).exists()) {
            hands.act(what);
            std::fs::remove_file(folder.join("hand").join(what)).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
