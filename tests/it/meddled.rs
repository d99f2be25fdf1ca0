//! A whole incident in whose middle somebody else changes every outside system by hand, the real binary: each is met before the next thing is written, says
//! what happened, and has a way out with one word.

use std::time::Duration;

use serde_json::json;

use crate::doctor::host;
use crate::plain::Plain;
use crate::reach_story::{SECRETS, Systems};
use crate::support::until;

const SOON: Duration = Duration::from_secs(60);

/// Takes a way out of a row of the list: the one with these words.
fn take(dana: &mut Plain, row: &str, words: &str) {
    dana.type_in(":outbox\n");
    let line = dana.wait_for(row, SOON);
    let number = line.trim_start().split(' ').next().unwrap().to_owned();
    dana.type_in(&format!(":outbox {number}\n"));
    let way = dana.wait_for(words, SOON);
    dana.type_in(&format!("{}\n", way.trim_start().split(": ").next().unwrap()));
}

#[tokio::test]
async fn whatever_somebody_else_does_outside_is_met_and_has_a_way_out() {
    let systems = Systems::start().await;
    let host = host(&systems.config("http://127.0.0.1:1", "http://127.0.0.1:1"));
    tokio::task::spawn_blocking(move || {
        let console = |arguments: &[&str]| {
            let mut command = host.command(arguments);
            Plain::spawn(command.envs(SECRETS).stdin(std::process::Stdio::piped()))
        };
        systems.slack.0.lock().unwrap().has_clock = true;
        let mut dana = console(&["open", "--plain"]);
        dana.type_in(":declare alipay 1 payments fail\n:take ic\n:ack\n:open-channel\n:impact-start -20m\n");
        until("the alarm is answered", || {
            systems.pagerduty.0.lock().unwrap().incidents.iter().any(|one| one["status"] == "acknowledged")
        });
        until("the pinned message", || systems.slack.0.lock().unwrap().pins.len() == 1);
        until("the ticket", || systems.jira.state.lock().unwrap().issues.len() == 1);
        dana.type_in(":update external Some payments fail. We work on it.\n");
        dana.wait_for("out SENT to external page (statuspage)", SOON);

        let mut bob = console(&["open", "INC-1", "--plain", "--as", "bob"]);
        bob.ready();

        // PagerDuty: Eve resolved it, and merged it later.
        systems.pagerduty.resolved_by("Q4711", "Eve Stone");
        dana.type_in(":page bob\n");
        dana.wait_for("! type PAGE to page 1", SOON);
        dana.type_in(":page bob PAGE\n");
        dana.wait_for("#4711 was resolved in PagerDuty by Eve Stone: nobody is called for what is over", SOON);
        take(&mut dana, "YOUR WORD  ", "open it again there, and do this");
        dana.wait_for("out SENT to pagerduty: page bob@qr.example", SOON);
        systems.pagerduty.alerted("the region is down");
        systems.pagerduty.merged_by("Q4711", "Q4712", "Eve Stone");
        dana.type_in(":escalate 2 PAGE\n");
        dana.wait_for("#4711 was merged into #4712 in PagerDuty", SOON);
        take(&mut dana, "YOUR WORD  ", "it is #4712 now: go on with that one");
        dana.wait_for("out SENT to pagerduty: escalate to level 2", SOON);
        // A word that was said at one console counts at the next.
        bob.type_in(":escalate 3 PAGE\n");
        let said = bob.wait_for("to pagerduty: escalate to level 3", SOON);
        assert!(said.contains("out SENT to "), "{said}");

        // The page: somebody resolved the incident there, and then the component is gone.
        systems.page.end_by_hand("resolved");
        dana.type_in(":update external Still some payments fail.\n");
        dana.wait_for("out YOUR WORD", SOON);
        take(&mut dana, "YOUR WORD  ", "the page's incident is");
        dana.wait_for("out SENT to external page (statuspage)", SOON);
        systems.page.0.lock().unwrap().components.remove("c1");
        dana.type_in(":update external We are on it.\n");
        dana.wait_for("out YOUR WORD", SOON);
        take(&mut dana, "YOUR WORD  ", "send it without that component");
        dana.wait_for("out SENT to external page (statuspage)", SOON);
        systems.page.set("c1", "operational");

        // Slack: the channel is archived; another one is opened.
        systems.slack.0.lock().unwrap().channels[0]["is_archived"] = json!(true);
        dana.type_in(":update we found it\n");
        dana.wait_for("somebody archived #", SOON);
        dana.type_in(":open-channel\n");
        until("another channel", || systems.slack.0.lock().unwrap().channels.len() == 2);
        until("its pinned message", || systems.slack.0.lock().unwrap().pins.len() == 2);

        // The message at its top is deleted.
        {
            let mut state = systems.slack.0.lock().unwrap();
            let (_, ts) = state.pins.pop().unwrap();
            state.messages.retain(|(_, message)| message["ts"] != ts);
        }
        dana.type_in(":severity 0 everybody is affected\n");
        dana.wait_for("somebody deleted the pinned message", SOON);
        take(&mut dana, "slack: pinned status · slack at", "the pinned message was deleted there: make it again");
        until("another pinned message", || systems.slack.0.lock().unwrap().pins.len() == 2);

        // Jira: the ticket is done.
        systems.jira.state.lock().unwrap().issues[0]["status"] = json!("done");
        dana.type_in(":impact-end\n:resolve! watched by hand | All payments work again.\n");
        dana.wait_for("RESOLVED", SOON);
        until("the end of what it was merged into", || {
            systems.pagerduty.0.lock().unwrap().incidents.iter().all(|one| one["status"] == "resolved")
        });
        for mut one in [dana, bob] {
            one.end();
            one.wait_exit(SOON);
        }
    })
    .await
    .unwrap();
}
