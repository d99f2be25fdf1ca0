//! An incident in which nothing happens, with very many pinned messages and follow-ups: how often a whole console asks each system, the real binary.

use std::time::Duration;

use serde_json::json;
use warroom::run::clock;

use crate::doctor::host;
use crate::plain::Plain;
use crate::reach_story::{SECRETS, Systems};
use crate::support::http::Server;
use crate::support::until;

const PINS: usize = 120;
const FOLLOW_UPS: usize = 8;
/// Two rounds of questions and a half: so many seconds are counted, and held against the budget of a minute.
const COUNTED: Duration = Duration::from_secs(45);
/// The budget.
const MOST_A_MINUTE: usize = 20;

#[tokio::test]
async fn a_minute_in_which_nothing_happens_costs_no_system_more_than_twenty_requests() {
    let systems = Systems::start().await;
    let host = host(&systems.config("http://127.0.0.1:1", "http://127.0.0.1:1"));
    let counted = tokio::task::spawn_blocking(move || {
        let mut command = host.command(&["open", "--plain"]);
        let mut dana = Plain::spawn(command.envs(SECRETS).stdin(std::process::Stdio::piped()));
        dana.type_in(":declare alipay 1 payments fail\n:take ic\n:ack\n:open-channel\n:impact-start -20m\n");
        dana.type_in(":update we look into it\n:update external Some payments fail.\n");
        for number in 0..FOLLOW_UPS {
            dana.type_in(&format!("todo: raise limit {number}\n"));
        }
        let room =
            || systems.slack.0.lock().unwrap().channels.first().map(|one| one["id"].as_str().unwrap().to_owned());
        until("the channel", || room().is_some());
        let room = room().unwrap();
        let now = clock::wall().timestamp();
        for number in 0..PINS {
            systems.slack.kept(&room, &format!("{now}.{number:06}"), &format!("the bank says {number}"));
        }
        until("the tickets", || systems.jira.state.lock().unwrap().issues.len() == FOLLOW_UPS + 1);
        until("the text on the page", || systems.page.texts("outside").len() == 1);
        while host.run(&["show", "INC-1"]).1.matches("the bank says").count() < PINS {
            std::thread::sleep(Duration::from_secs(2));
        }
        // Another console goes on with it, which knows nothing but the record.
        dana.end();
        dana.wait_exit(Duration::from_secs(20));
        let links =
            || systems.servers[1].requests().iter().filter(|request| request.path.ends_with("getPermalink")).count();
        let asked_links = links();
        let mut command = host.command(&["open", "INC-1", "--plain"]);
        let mut dana = Plain::spawn(command.envs(SECRETS).stdin(std::process::Stdio::piped()));
        dana.ready();
        let counts = || systems.servers.iter().map(|server| server.requests().len()).collect::<Vec<_>>();
        let wrote = || {
            let writes = |server: &Server| server.requests().iter().filter(|one| one.method != "GET").count();
            systems.servers.iter().map(writes).sum::<usize>()
        };
        // What was just noted still goes to the ticket, which takes one comment a minute: that is something that happens.
        let (mut before, mut since, mut written) = (counts(), clock::boot(), wrote());
        while clock::boot() - since < COUNTED {
            std::thread::sleep(Duration::from_millis(500));
            if wrote() != written {
                (before, since, written) = (counts(), clock::boot(), wrote());
            }
        }
        assert_eq!(links(), asked_links, "what was linked once is not asked for again");
        let spent = clock::boot() - since;
        let a_minute: Vec<usize> = counts()
            .iter()
            .zip(&before)
            .map(|(after, before)| ((after - before) as f64 * 60.0 / spent.as_secs_f64()).ceil() as usize)
            .collect();
        dana.end();
        a_minute
    })
    .await
    .unwrap();
    let named = ["pagerduty", "slack", "statuspage", "jira"].into_iter().zip(&counted).collect::<Vec<_>>();
    println!("requests a minute: {}", json!(named));
    assert!(counted.iter().all(|count| *count <= MOST_A_MINUTE), "{named:?}");
    assert!(counted.iter().all(|count| *count > 0), "each is looked after: {named:?}");
}
