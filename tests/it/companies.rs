//! Whole incidents in simulated companies of different sizes, real binary: what customers, colleagues and pagers saw, held against what was true.
//!
//! The small one has a workspace and a free Jira, nothing else. The one that pages by other ways has Opsgenie, Teams, events, webhooks, Grafana and
//! silences. The large one is an organisation of Slack (Enterprise Grid) behind a proxy with a password, keeps tickets for customers in a German
//! Data Center, has private channels and a component in maintenance, and two incidents hit one component at once. Each prints, minute by minute, what
//! customers, colleagues and pagers saw against what was true (`--nocapture`).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use warroom::run::clock;
use warroom::text::fit;

use crate::channels::opsgenie::Opsgenie;
use crate::doctor::host;
use crate::killed::{take_annotation, take_event, take_hook, take_silence};
use crate::plain::{Host, Plain};
use crate::reach_story::{SECRETS, Systems, calls_of, every_call_is_judged};
use crate::support::http::{Reply, Request, Server};
use crate::support::proxy::ProxyServer;
use crate::support::services::slack;
use crate::support::until;

const SOON: Duration = Duration::from_secs(60);

fn console(host: &Host, arguments: &[&str]) -> Plain {
    let mut command = host.command(arguments);
    Plain::spawn(command.envs(SECRETS).env("PROXY", "hunter2").stdin(std::process::Stdio::piped()))
}

/// Tells customers something.
fn tell(dana: &mut Plain, text: &str) {
    dana.type_in(&format!(":update external {text}\n"));
    dana.wait_for(&format!("UPDATE to external page: {text}"), SOON);
    settle(dana);
}

/// Waits until the page has it; where a person is asked, the first way out is taken.
fn settle(dana: &mut Plain) {
    loop {
        let said = dana.wait_for("external page (statuspage)", SOON);
        if said.contains(" out SENT to ") {
            return;
        }
        if said.contains(" out YOUR WORD") {
            dana.type_in(":outbox\n");
            let held = dana.wait_for("YOUR WORD  ", SOON);
            let number = held.trim_start().split(' ').next().unwrap().to_owned();
            dana.type_in(&format!(":outbox {number} 1\n"));
        }
    }
}

#[tokio::test]
async fn a_small_company_has_its_channel_and_its_ticket_and_nothing_asks_for_more() {
    let systems = Arc::new(Systems::start().await);
    {
        // A free Jira: tasks alone, and no priority on the screen.
        let mut jira = systems.jira.state.lock().unwrap();
        jira.kinds = vec!["Task".to_owned()];
        jira.has_no_priority = true;
    }
    let config = format!(
        "[slack]\nurl = \"{}/api\"\nbearer-env = \"SLACK\"\n[slack-channels]\nstatus = \"{}\"\nprefix = \"inc-\"\n\
         [jira]\nurl = \"{}\"\nbasic-user = \"bot@qr.example\"\nbasic-password-env = \"JIRA\"\n[jira-project]\nkey = \"OPS\"\n",
        systems.servers[1].url(),
        slack::STATUS,
        systems.servers[3].url(),
    );
    let host = host(&config);
    let played = tokio::task::spawn_blocking(move || {
        let chronicle = Chronicle::begin(&systems, || [0; 3]);
        let mut dana = console(&host, &["open", "--plain"]);
        dana.type_in(":declare alipay 1 p99 over 6 s\n:take ic\n:ack\n:open-channel\n");
        dana.wait_for("out SENT to slack: open the channel as inc-1", SOON);
        dana.type_in(
            ":impact-start -10m\n:update we look into it, the next update is in 15 minutes\ntodo: raise the limit\n",
        );
        until("the text in the channel", || {
            systems.slack.texts(slack::STATUS).iter().any(|text| text.contains("we look into it"))
        });
        until("the follow-up's ticket", || systems.jira.state.lock().unwrap().issues.len() == 2);
        dana.type_in(":follow-ups\n");
        let item = dana.wait_for("raise the limit", SOON);
        assert!(item.contains("raise the limit"), "{item}");
        dana.type_in(":impact-end\n:resolve! watched by hand | All payments work again.\n");
        dana.wait_for("RESOLVED", SOON);
        until("the last word at the top", || {
            let state = systems.slack.0.lock().unwrap();
            state.messages.iter().any(|(_, message)| message["text"].as_str().unwrap().contains("Resolved"))
        });
        dana.end();
        dana.wait_exit(SOON);
        chronicle.end("a small company: one workspace, a free Jira");
        systems
    });
    let systems = played.await.unwrap();
    let jira = systems.jira.state.lock().unwrap();
    assert!(jira.issues.iter().all(|one| one["issuetype"]["name"] == "Task" && one["priority"].is_null()));
    assert!(
        systems.servers[0].requests().is_empty() && systems.servers[2].requests().is_empty(),
        "nobody else is asked"
    );
}

/// What people outside saw of a company's incidents, and what was true: a row for each change.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    /// What a component of the page shows, and the newest text there.
    customers: (String, String),
    /// The newest text of the chat, and how many lines the tickets have that colleagues read.
    colleagues: (String, usize),
    /// How many alarms are unanswered, answered and over.
    pagers: [usize; 3],
    /// How many incidents customers were told of that are not over.
    told: usize,
}

/// Writes down what people outside see until it is told to end.
struct Chronicle {
    told: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
    rows: Arc<Mutex<Vec<(Duration, Row)>>>,
    watching: std::thread::JoinHandle<()>,
}

impl Chronicle {
    fn begin(systems: &Arc<Systems>, alarms: impl Fn() -> [usize; 3] + Send + 'static) -> Self {
        let (told, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let rows = Arc::<Mutex<Vec<_>>>::default();
        let (kept, systems, known, over) = (rows.clone(), systems.clone(), told.clone(), is_over.clone());
        let begun = clock::boot();
        let watching = std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let before = known.load(Ordering::Relaxed);
                let newest = systems.page.newest("outside");
                let chat = systems.slack.newest();
                let jira = systems.jira.state.lock().unwrap();
                let lines = jira.comments.len() - jira.read_by_customers;
                drop(jira);
                let row = Row {
                    customers: (systems.page.shows("c1"), newest),
                    colleagues: (chat, lines),
                    pagers: alarms(),
                    // Told counts before the first text and after the last: what changes in between says nothing.
                    told: before.min(known.load(Ordering::Relaxed)),
                };
                let mut rows = kept.lock().unwrap();
                if rows.last().is_none_or(|(_, last)| *last != row) {
                    rows.push((clock::boot() - begun, row));
                }
                drop(rows);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { told, is_over, rows, watching }
    }

    fn tells(&self) {
        self.told.fetch_add(1, Ordering::Relaxed);
    }

    fn is_over(&self) {
        self.told.fetch_sub(1, Ordering::Relaxed);
    }

    /// Ends it, prints the table, and holds it against what was true.
    fn end(self, company: &str) -> Vec<(Duration, Row)> {
        self.is_over.store(true, Ordering::Relaxed);
        self.watching.join().unwrap();
        let rows = self.rows.lock().unwrap().clone();
        eprintln!("\n{company}");
        eprintln!(
            "{:>6}  {:<8} {:<21} {:<34} {:<34} {:>5}  alarms: unanswered, answered, over",
            "s", "true", "customers: component", "customers: newest text", "colleagues: newest text", "lines"
        );
        for (at, row) in &rows {
            let (chat, text) =
                (fit(row.colleagues.0.lines().next().unwrap_or_default(), 34), fit(&row.customers.1, 34));
            eprintln!(
                "{:>6.1}  {:<8} {:<21} {text:<34} {chat:<34} {:>5}  {:?}",
                at.as_secs_f64(),
                format!("{} open", row.told),
                row.customers.0,
                row.colleagues.1,
                row.pagers
            );
            let is_better = row.told > 0 && row.customers.0 == "operational";
            assert!(!is_better, "customers read better than the truth: {row:?}");
        }
        rows
    }
}

/// How many of PagerDuty's incidents are triggered, acknowledged and resolved.
fn alarms_of(systems: &Arc<Systems>) -> impl Fn() -> [usize; 3] + Send + 'static {
    let kept = systems.clone();
    move || {
        let state = kept.pagerduty.0.lock().unwrap();
        ["triggered", "acknowledged", "resolved"]
            .map(|status| state.incidents.iter().filter(|one| one["status"] == status).count())
    }
}

/// The configuration of the large company: every system has a name that only the proxy knows.
fn large(proxy: &str) -> String {
    let section = |name: &str, path: &str, more: &str| {
        format!(
            "[{name}]\nurl = \"http://{name}.example{path}\"\nallow-plain-http = true\nproxy = \"{proxy}\"\nproxy-user = \"bot\"\n\
             proxy-password-env = \"PROXY\"\n{more}\n"
        )
    };
    [
        section("pagerduty", "", "bearer-env = \"PD\""),
        section("slack", "/api", "bearer-env = \"SLACK\""),
        section("statuspage", "/v1", "bearer-env = \"SP\""),
        section("jira", "", "bearer-env = \"JIRA\""),
        "[pagerduty-services]\nalipay = \"PALIPAY\"\n[slack-channels]\nprefix = \"inc-\"\nprivate = true\nworkspace = \"T2\"\n".to_owned(),
        "[statuspage-pages]\nexternal = \"outside\"\n[external-components]\nalipay = \"c1\"\nblubank = \"c2\"\n"
            .to_owned(),
        "[jira-project]\nkey = \"OPS\"\ndone-status = \"Erledigt\"\ndropped-status = \"Verworfen\"\n".to_owned(),
        "[[people]]\nname = \"dana\"\nemail = \"dana@qr.example\"\n".to_owned(),
        "[[people]]\nname = \"bob\"\nemail = \"bob@qr.example\"\n".to_owned(),
    ]
    .concat()
}

#[tokio::test]
async fn a_large_company_behind_a_proxy_with_two_incidents_on_one_component_tells_nobody_better_than_the_truth() {
    let systems = Arc::new(Systems::of(false).await);
    {
        let mut jira = systems.jira.state.lock().unwrap();
        jira.has_customers = true;
        jira.ends = ["Erledigt", "Verworfen"].map(str::to_owned).to_vec();
    }
    {
        // Another workspace of the organisation has a channel of the same name.
        let mut slack = systems.slack.0.lock().unwrap();
        slack.workspaces = [("T1", "QR"), ("T2", "QR Payments")].map(|(id, name)| (id.into(), name.into())).to_vec();
        slack.channels.push(json!({ "id": "C0OTHER001", "name": "inc-4711", "created": 1, "is_archived": false,
            "is_private": true, "context_team_id": "T1" }));
    }
    systems.page.set("c2", "under_maintenance");
    let places =
        ["pagerduty", "slack", "statuspage", "jira"].into_iter().zip(systems.servers.iter().map(|one| one.port));
    let places = places.map(|(name, port)| (format!("{name}.example"), port)).collect();
    let proxy = ProxyServer::to(Some("bot:hunter2"), places).await;
    let host = host(&large(&proxy.url()));
    let kept = systems.clone();
    let played = tokio::task::spawn_blocking(move || {
        let chronicle = Chronicle::begin(&kept, alarms_of(&kept));
        let mut dana = console(&host, &["open", "--plain"]);
        dana.type_in(":declare alipay 1 payments in NL fail\n:take ic\n:ack\n:open-channel\n:impact-start -10m\n");
        dana.wait_for("out SENT to slack: open the channel as inc-", SOON);
        tell(&mut dana, "Payments in NL fail. We work on it.");
        chronicle.tells();
        let mut bob = console(&host, &["open", "--plain", "--as", "bob"]);
        bob.type_in(":declare! alipay 0 refunds fail everywhere\n:take ic\n:ack\n:impact-start -10m\n");
        bob.wait_for("out SENT to pagerduty: open the incident", SOON);
        tell(&mut bob, "Refunds fail. We work on it.");
        chronicle.tells();
        // One is over, and the other is not.
        dana.type_in(":resolve! watched by hand | Payments in NL work again.\n");
        dana.wait_for("RESOLVED", SOON);
        settle(&mut dana);
        chronicle.is_over();
        until("the end in PagerDuty", || {
            kept.pagerduty.0.lock().unwrap().incidents.iter().filter(|one| one["status"] == "resolved").count() == 1
        });
        std::thread::sleep(Duration::from_millis(300));
        chronicle.is_over();
        bob.type_in(":resolve! watched by hand | Refunds work again.\n");
        bob.wait_for("RESOLVED", SOON);
        settle(&mut bob);
        until("the second end in PagerDuty", || {
            kept.pagerduty.0.lock().unwrap().incidents.iter().all(|one| one["status"] == "resolved")
        });
        until("the lines in the tickets", || kept.jira.state.lock().unwrap().comments.len() >= 2);
        let seen = chronicle.end("a large company: Grid, proxy, Data Center, two incidents at once");
        for mut one in [dana, bob] {
            one.end();
            one.wait_exit(SOON);
        }
        (host, seen)
    });
    let (host, seen) = played.await.unwrap();
    assert_eq!(seen.last().unwrap().1.customers.0, "operational", "{seen:?}");
    assert_eq!(systems.page.shows("c2"), "under_maintenance");
    assert_eq!(systems.jira.state.lock().unwrap().read_by_customers, 0, "colleagues' lines are colleagues'");
    let slack = systems.slack.0.lock().unwrap();
    assert!(slack.channels.iter().all(|one| one["is_private"] == true), "{:?}", slack.channels);
    let ours = slack.channels.iter().skip(1);
    assert!(slack.channels.len() > 1 && ours.clone().all(|one| one["context_team_id"] == "T2"), "{:?}", slack.channels);
    assert!(slack.messages.iter().all(|(room, _)| room != "C0OTHER001"), "nothing went to the other workspace");
    assert_eq!(systems.pagerduty.0.lock().unwrap().incidents.len(), 2, "each rings once");
    let asked = proxy.asked();
    assert!(
        asked.len() >= 4 && asked.iter().all(|(_, who)| who.is_some()),
        "all of it went through the proxy, signed in"
    );
    let whole: usize = systems.servers.iter().map(|server| Server::requests(server).len()).sum();
    assert!(whole >= asked.len(), "{whole} requests, {} connections", asked.len());
    let (_, shown) = host.run(&["show", "INC-1"]);
    assert!(!shown.contains("hunter2"), "{shown}");
}

/// What a company has that pages, tells and shows by other ways.
const OTHERS: [&str; 7] = ["opsgenie", "teams", "webhook", "pagerduty-events", "grafana", "alertmanager", "statuspage"];

type Handler = Box<dyn Fn(&Request) -> Reply + Send + Sync>;

#[tokio::test]
async fn a_company_that_pages_by_other_ways_has_each_of_them_told_and_each_of_its_calls_judged() {
    let systems = Arc::new(Systems::start().await);
    let opsgenie = Opsgenie::default();
    let kept: [Arc<Mutex<Vec<String>>>; 4] = Default::default();
    let ([events, annotations, hooks, silences], cards) = (kept.clone(), Arc::new(AtomicUsize::new(0)));
    let (alarms, page, told) = (opsgenie.clone(), systems.page.clone(), cards.clone());
    let teams = move |_: &Request| {
        told.fetch_add(1, Ordering::Relaxed);
        Reply::status(202, "").with("x-ms-workflow-run-id", "run-1")
    };
    let alertmanager = move |request: &Request| match request.path.as_str() {
        "/api/v2/status" => {
            Reply::json(json!({ "versionInfo": { "version": "0.27.0" }, "cluster": { "status": "ready" } }).to_string())
        }
        _ => take_silence(request, &silences),
    };
    let handlers: [Handler; 7] = [
        Box::new(move |request| alarms.answer(request)),
        Box::new(teams),
        Box::new(move |request| take_hook(request, &hooks)),
        Box::new(move |request| take_event(request, &events)),
        Box::new(move |request| take_annotation(request, &annotations)),
        Box::new(alertmanager),
        Box::new(move |request| page.answer(request)),
    ];
    let mut servers = Vec::new();
    for handler in handlers {
        servers.push(Server::start(handler).await);
    }
    let url = |place: usize| servers[place].url();
    let config = format!(
        "[opsgenie]\nurl = \"{}/v2\"\nbearer-env = \"OPSGENIE\"\n[teams]\nurl = \"{}\"\nbearer-env = \"TEAMS\"\n\
         [teams-channels]\nincident = true\n[webhook]\nurl = \"{}\"\nbearer-env = \"PD\"\n\
         [pagerduty-events]\nurl = \"{}\"\nbearer-env = \"PD\"\n[grafana]\nurl = \"{}\"\nbearer-env = \"PD\"\n\
         [alertmanager]\nurl = \"{}\"\n[statuspage]\nurl = \"{}/v1\"\nbearer-env = \"SP\"\n\
         [statuspage-pages]\nexternal = \"outside\"\n[external-components]\nalipay = \"c1\"\n\
         [[people]]\nname = \"dana\"\nemail = \"dana@qr.example\"\n",
        url(0),
        url(1),
        url(2),
        url(3),
        url(4),
        url(5),
        url(6),
    );
    let workflow = format!("{}/workflows/abc?sig=s1gn4tur3-of-the-workflow", url(1));
    let host = host(&config);
    let (seen, shown) = (systems.clone(), opsgenie.clone());
    let played = tokio::task::spawn_blocking(move || {
        let count = move || shown.statuses();
        let chronicle = Chronicle::begin(&seen, count);
        let with = |mut command: std::process::Command| {
            command.envs(SECRETS).env("OPSGENIE", "secret-1234").env("TEAMS", &workflow);
            command
        };
        let mut dana = Plain::spawn(with(host.command(&["open", "--plain"])).stdin(std::process::Stdio::piped()));
        dana.type_in(":declare alipay 1 payments fail\n:take ic\n:ack\n:impact-start -10m\n");
        until("the answered alarm", || opsgenie.statuses() == [0, 1, 0]);
        dana.type_in(":silence! 30m service=\"alipay\" the backup is being filled\n:update we look into it\n");
        until("the card and the silence", || cards.load(Ordering::Relaxed) == 1 && kept[3].lock().unwrap().len() == 1);
        tell(&mut dana, "Some payments fail. We work on it.");
        chronicle.tells();
        dana.type_in(":severity 0 everybody is affected\n");
        until("the worse alarm", || opsgenie.asked().contains(&"PUT message".to_owned()));
        chronicle.is_over();
        dana.type_in(":impact-end\n:unsilence 1\n:resolve! watched by hand | All payments work again.\n");
        dana.wait_for("RESOLVED", SOON);
        settle(&mut dana);
        until("the end of the alarm", || opsgenie.statuses() == [0, 0, 1]);
        until("the end of the silence", || servers[5].requests().iter().any(|request| request.method == "DELETE"));
        until("the end of the annotation", || servers[4].requests().iter().any(|request| request.method == "PATCH"));
        dana.end();
        dana.wait_exit(SOON);
        chronicle.end("a company with Opsgenie, Teams, events, webhooks, Grafana and silences");
        let calls = calls_of(OTHERS.into_iter().zip(&servers));
        let doctor = with(host.command(&["doctor", "--json"])).output().unwrap();
        (calls, kept, doctor.stdout)
    });
    let (calls, kept, doctor) = played.await.unwrap();
    every_call_is_judged(&calls, &doctor);
    let is_told =
        |name: &&str| warroom::channel::spec::spec(name).unwrap().calls.iter().any(|call| calls.contains(&call));
    assert!(OTHERS.iter().all(is_told), "each of them was told: {calls:?}");
    let distinct =
        |all: &Arc<Mutex<Vec<String>>>| all.lock().unwrap().iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(kept.each_ref().map(distinct), [1; 4], "each alarm, annotation, hook and silence once");
}
