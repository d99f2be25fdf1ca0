//! Whole incidents in simulated companies of different sizes, real binary: what customers, colleagues and pagers saw, held against what was true.
//!
//! The small one has a workspace and a free Jira, nothing else. The large one is behind a proxy with a password, keeps tickets for customers in a German
//! Data Center, has private channels and a component in maintenance, and two incidents hit one component at once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use warroom::run::clock;

use crate::doctor::host;
use crate::plain::{Host, Plain};
use crate::reach_story::{SECRETS, Systems};
use crate::support::http::Server;
use crate::support::proxy::ProxyServer;
use crate::support::services::slack;
use crate::support::until;

const SOON: Duration = Duration::from_secs(40);

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
    let systems = Systems::start().await;
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

/// What was to be seen from outside, each time that it changed, with how many incidents were told to customers and not over.
type Seen = Arc<Mutex<Vec<(Duration, String, usize)>>>;

/// Writes down what customers see of a component until it is told to end.
fn watch(
    systems: &Arc<Systems>,
    told: &Arc<AtomicUsize>,
    is_over: &Arc<AtomicBool>,
) -> (Seen, std::thread::JoinHandle<()>) {
    let seen = Seen::default();
    let (kept, systems, told, is_over) = (seen.clone(), systems.clone(), told.clone(), is_over.clone());
    let begun = clock::boot();
    let watching = std::thread::spawn(move || {
        while !is_over.load(Ordering::Relaxed) {
            let true_before = told.load(Ordering::Relaxed);
            let shown = systems.page.shows("c1");
            // Told counts before the first text and after the last: what changes in between says nothing.
            let now = (shown, true_before.min(told.load(Ordering::Relaxed)));
            let mut seen = kept.lock().unwrap();
            if seen.last().is_none_or(|(_, shown, told)| (shown, told) != (&now.0, &now.1)) {
                seen.push((clock::boot() - begun, now.0, now.1));
            }
            drop(seen);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    (seen, watching)
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
        "[pagerduty-services]\nalipay = \"PALIPAY\"\n[slack-channels]\nprefix = \"inc-\"\nprivate = true\n".to_owned(),
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
    systems.page.set("c2", "under_maintenance");
    let places =
        ["pagerduty", "slack", "statuspage", "jira"].into_iter().zip(systems.servers.iter().map(|one| one.port));
    let places = places.map(|(name, port)| (format!("{name}.example"), port)).collect();
    let proxy = ProxyServer::to(Some("bot:hunter2"), places).await;
    let host = host(&large(&proxy.url()));
    let kept = systems.clone();
    let played = tokio::task::spawn_blocking(move || {
        let (told, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (seen, watching) = watch(&kept, &told, &is_over);
        let mut dana = console(&host, &["open", "--plain"]);
        dana.type_in(":declare alipay 1 payments in NL fail\n:take ic\n:ack\n:open-channel\n:impact-start -10m\n");
        dana.wait_for("out SENT to slack: open the channel as inc-", SOON);
        tell(&mut dana, "Payments in NL fail. We work on it.");
        told.fetch_add(1, Ordering::Relaxed);
        let mut bob = console(&host, &["open", "--plain", "--as", "bob"]);
        bob.type_in(":declare! alipay 0 refunds fail everywhere\n:take ic\n:ack\n:impact-start -10m\n");
        bob.wait_for("out SENT to pagerduty: open the incident", SOON);
        tell(&mut bob, "Refunds fail. We work on it.");
        told.fetch_add(1, Ordering::Relaxed);
        // One is over, and the other is not.
        dana.type_in(":resolve! watched by hand | Payments in NL work again.\n");
        dana.wait_for("RESOLVED", SOON);
        settle(&mut dana);
        told.fetch_sub(1, Ordering::Relaxed);
        until("the end in PagerDuty", || {
            kept.pagerduty.0.lock().unwrap().incidents.iter().filter(|one| one["status"] == "resolved").count() == 1
        });
        std::thread::sleep(Duration::from_millis(300));
        told.fetch_sub(1, Ordering::Relaxed);
        bob.type_in(":resolve! watched by hand | Refunds work again.\n");
        bob.wait_for("RESOLVED", SOON);
        settle(&mut bob);
        until("the second end in PagerDuty", || {
            kept.pagerduty.0.lock().unwrap().incidents.iter().all(|one| one["status"] == "resolved")
        });
        until("the lines in the tickets", || kept.jira.state.lock().unwrap().comments.len() >= 2);
        is_over.store(true, Ordering::Relaxed);
        watching.join().unwrap();
        for mut one in [dana, bob] {
            one.end();
            one.wait_exit(SOON);
        }
        (host, seen)
    });
    let (host, seen) = played.await.unwrap();
    let seen = seen.lock().unwrap();
    for (at, shown, told) in seen.iter() {
        println!("{:>6.1} s  c1 shows {shown:<20} {told} incidents told to customers and not over", at.as_secs_f64());
        assert!(*told == 0 || shown != "operational", "customers read better than the truth: {seen:?}");
    }
    assert_eq!(seen.last().unwrap().1, "operational", "{seen:?}");
    assert_eq!(systems.page.shows("c2"), "under_maintenance");
    assert_eq!(systems.jira.state.lock().unwrap().read_by_customers, 0, "colleagues' lines are colleagues'");
    let slack = systems.slack.0.lock().unwrap();
    assert!(slack.channels.iter().all(|one| one["is_private"] == true), "{:?}", slack.channels);
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
