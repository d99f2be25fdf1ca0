//! Whatever a system answers, a console asks it seldom, and says so in few words: the real binary before servers that take nothing.

use std::time::Duration;

use warroom::run::clock;

use crate::plain::{Host, Plain};
use crate::support::http::{Reply, Server};

/// So long each console is watched.
const WATCHED: Duration = Duration::from_secs(12);

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
        // Slack is read as well as written: what is unknown is looked for there.
        let servers = [Server::start(move |_| reply()).await, Server::start(move |_| reply()).await];
        let host = Host::new();
        let folder = host.home.path().join("config/warroom");
        std::fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "[pagerduty-events]\nurl = \"{}\"\nbearer-env = \"SECRET\"\n\
             [slack]\nurl = \"{}/api\"\nbearer-env = \"SECRET\"\n[slack-channels]\nstatus = \"C012345678\"\n",
            servers[0].url(),
            servers[1].url(),
        );
        std::fs::write(folder.join("config.toml"), config).unwrap();
        let lines = tokio::task::spawn_blocking(move || {
            host.declare();
            let mut command = host.command(&["open", "INC-1", "--plain"]);
            let mut dana = Plain::spawn(command.env("SECRET", "x").stdin(std::process::Stdio::piped()));
            dana.type_in(":take ic\n:ack\n:update we look into it\n");
            let begun = clock::boot();
            while clock::boot() - begun < WATCHED {
                std::thread::sleep(Duration::from_millis(100));
            }
            drop(dana);
            host.run(&["show", "INC-1"]).1
        });
        let lines = lines.await.unwrap();
        for server in &servers {
            let asked = server.requests().len();
            assert!((1..=most).contains(&asked), "{what}: asked {asked} times\n{lines}");
        }
        for place in ["pagerduty-events: open the incident", "#status-qrpay (slack)"] {
            let said = lines.lines().filter(|line| line.contains(place)).count();
            assert!(said <= 2, "{what}: {place} in {said} lines\n{lines}");
        }
    });
    futures_util::future::join_all(watched).await;
}
