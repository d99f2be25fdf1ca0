//! Whatever a system answers, a console asks it seldom, and says so in few words: the real binary before servers that take nothing.

use std::time::Duration;

use warroom::run::clock;

use crate::plain::{Host, Plain};
use crate::support::http::{Reply, Server};

/// So long each console is watched.
const WATCHED: Duration = Duration::from_secs(12);

/// Each system that is written to, what stands behind its address, and what else its section wants.
const SYSTEMS: [(&str, &str, &str); 9] = [
    ("pagerduty-events", "", ""),
    ("slack", "/api", "[slack-channels]\nstatus = \"C012345678\"\n"),
    ("pagerduty", "", "[pagerduty-services]\nalipay = \"PALIPAY\"\n"),
    ("statuspage", "/v1", "[statuspage-pages]\ninternal = \"inside\"\n"),
    ("jira", "", "[jira-project]\nkey = \"OPS\"\n"),
    ("grafana", "", ""),
    ("webhook", "", ""),
    ("teams", "", "[teams-channels]\nincident = true\n"),
    ("opsgenie", "/v2", ""),
];

/// What a server answers to everything.
type Answering = fn() -> Reply;

#[tokio::test]
async fn a_server_that_takes_nothing_is_asked_a_few_times_and_the_timeline_says_so_once() {
    let answers: [(&str, Answering, usize); 5] = [
        ("503", || Reply::status(503, "{}"), 6),
        ("an unreadable success", || Reply::status(200, "<html>log in</html>"), 6),
        ("cut", || Reply::Reset, 6),
        ("503 for an hour", || Reply::status(503, "{}").with("retry-after", "3600"), 1),
        ("429 for an hour", || Reply::status(429, "{}").with("retry-after", "3600"), 1),
    ];
    let watched = answers.map(|(what, reply, most)| async move {
        let mut servers = Vec::new();
        for _ in SYSTEMS {
            servers.push(Server::start(move |_| reply()).await);
        }
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        let urls: Vec<String> = servers.iter().map(Server::url).collect();
        let sections = SYSTEMS.iter().zip(&urls).map(|((name, below, more), url)| {
            format!("[{name}]\nurl = \"{url}{below}\"\nbearer-env = \"{}\"\n{more}", secret_of(name))
        });
        std::fs::write(folder.join("config.toml"), sections.collect::<String>()).unwrap();
        let workflow = format!("{}/workflows/abc?sig=s1gn4tur3-of-the-workflow", urls[7]);
        let lines = tokio::task::spawn_blocking(move || {
            host.declare();
            let mut command = host.command(&["open", "INC-1", "--plain"]);
            command.env("SECRET", "x").env("WORKFLOW", workflow).stdin(std::process::Stdio::piped());
            let mut dana = Plain::spawn(&mut command);
            dana.type_in(
                ":take ic\n:ack\n:update we look into it\n:silence! 30m service=\"alipay\" the backup is filled\n",
            );
            let begun = clock::boot();
            while clock::boot() - begun < WATCHED {
                std::thread::sleep(Duration::from_millis(100));
            }
            drop(dana);
            host.run(&["show", "INC-1"]).1
        });
        let lines = lines.await.unwrap();
        let counts: Vec<usize> = servers.iter().map(|server| server.requests().len()).collect();
        for ((name, ..), asked) in SYSTEMS.iter().zip(&counts) {
            // A webhook has what its receiver answered with any success: it is told of each thing once.
            let has_taken = *name == "webhook" && what == "an unreadable success";
            assert!(has_taken || (1..=most).contains(asked), "{what}: {name} was asked {asked} times\n{lines}");
        }
        for place in ["pagerduty-events: open the incident", "#status-qrpay (slack)", "grafana: open the incident"] {
            let said = lines.lines().filter(|line| line.contains(place)).count();
            assert!(said <= 2, "{what}: {place} in {said} lines\n{lines}");
        }
        let counts: Vec<String> =
            SYSTEMS.iter().zip(counts).map(|((name, ..), asked)| format!("{name} {}", asked * 5)).collect();
        format!("{what:<24} {}", counts.join(", "))
    });
    let rows = futures_util::future::join_all(watched).await;
    println!("requests a minute while it takes nothing, by what is answered:\n{}", rows.join("\n"));
}

/// The variable in which a system finds its secret.
fn secret_of(name: &str) -> &'static str {
    if name == "teams" { "WORKFLOW" } else { "SECRET" }
}
