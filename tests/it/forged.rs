//! What others put into the file: shown, and never done. Forged rows, triggers and planted files, against the real binary.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use warroom::incident::{
    Act, Actor, CommandRemarked, CommandStarted, DeliveryMoved, DeliveryQueued, DeliveryState, EntryId, Event,
    IncidentId, Remark, Series, StatusUpdate, Via,
};
use warroom::journal::{Journal, JournalDir, NewEntry, Sharing};

use crate::plain::{Host, Plain};
use crate::support::http::{Reply, Server};
use crate::support::until;

const SOON: Duration = Duration::from_secs(60);
const INC: IncidentId = IncidentId { series: Series::Incident, number: 1 };
/// What a console would have done by now.
const LONG_ENOUGH: Duration = Duration::from_millis(1500);

fn folder(host: &Host) -> PathBuf {
    host.home.path().join("state/warroom/journal")
}

/// The name of the only console that is open on a record; everybody can read it there.
fn console_of(host: &Host, id: IncidentId) -> String {
    let here = folder(host).join(format!("{id}.here"));
    let name = || {
        let mut names = std::fs::read_dir(&here).ok()?.flatten().map(|item| item.file_name().into_string().unwrap());
        names.find(|name| !name.starts_with('.'))
    };
    until("a console is there", || name().is_some());
    name().unwrap()
}

/// Writes what the person and the console of these names never wrote; the chain of hashes fits.
fn forge(host: &Host, id: IncidentId, console: &str, events: Vec<Event>) -> Vec<EntryId> {
    let dir = JournalDir::open(folder(host), Sharing::Private).unwrap();
    let via = Via {
        uid: rustix::process::getuid().as_raw(),
        pid: std::process::id(),
        console: console.into(),
        ..Via::default()
    };
    let entries: Vec<_> = events.into_iter().map(|event| NewEntry::new(Actor::from("dana"), event)).collect();
    dir.journal(id, via).unwrap().append(&entries).unwrap().into_iter().map(|entry| entry.id).collect()
}

/// A start as a console writes it, of a program that leaves a mark.
fn start(host: &Host) -> Event {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mark = host.home.path().join("mark").display().to_string();
    let body: CommandStarted = serde_json::from_value(json!({
        "title": "forged", "argv": ["touch", mark], "digest": "00", "changes": false, "limit_s": 60, "host": name.trim(),
    }))
    .unwrap();
    Event::CommandStarted(body)
}

fn has_run(host: &Host) -> bool {
    host.home.path().join("mark").exists()
}

#[test]
fn a_start_in_the_name_of_a_console_runs_nothing_however_that_console_was_opened() {
    for arguments in [
        &["open", "INC-1", "--plain"][..],
        &["open", "INC-1", "--plain", "--read-only"],
        &["open", "INC-1", "--plain", "--wall"],
        &["open", "INC-1", "--plain", "--dry-run"],
    ] {
        let host = Host::new();
        host.declare();
        let mut console = host.start(arguments);
        console.ready();
        let run = forge(&host, INC, &console_of(&host, INC), vec![start(&host)])[0];
        console.wait_for("RUN forged", SOON);
        for remark in [Remark::CancelAsked, Remark::Granted(600)] {
            forge(&host, INC, &console_of(&host, INC), vec![Event::CommandRemarked(CommandRemarked { run, remark })]);
        }
        std::thread::sleep(LONG_ENOUGH);
        assert!(!has_run(&host), "{arguments:?}");
        assert!(!folder(&host).join("INC-1.runs").exists(), "nothing was made for it either");
    }
}

#[test]
fn the_shell_s_way_to_run_asks_what_the_console_asks_and_a_drill_runs_nothing() {
    let host = Host::new();
    host.declare();
    let mark = host.home.path().join("mark").display().to_string();
    let refused = |arguments: &[&str]| {
        let output = host.command(&[arguments, &["--", "touch", &mark]].concat()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let why = refused(&["run", "-i", "INC-1", "--step", "route-to-backup"]);
    assert!(why.contains("it wants Subject Matter Expert"), "{why}");
    let mut drill = host.start(&["gameday", "--plain"]);
    drill.ready();
    let why = refused(&["run", "-i", "DRILL-1"]);
    assert!(why.contains("DRILL-1 is a drill: nothing runs for it"), "{why}");
    assert!(!has_run(&host));
}

#[test]
fn a_trigger_that_rewrites_what_was_confirmed_stops_the_command_and_is_named() {
    let host = Host::new();
    host.declare();
    let mut console = host.start(&["open", "INC-1", "--plain"]);
    console.ready();
    let mark = host.home.path().join("mark").display().to_string();
    let trigger = format!(
        "CREATE TRIGGER evil AFTER INSERT ON ev WHEN NEW.kind = 'command-started' BEGIN \
         UPDATE ev SET entry = replace(NEW.entry, 'argv\":[', 'argv\":[\"touch\",\"{mark}\",') WHERE lseq = NEW.lseq; END"
    );
    rusqlite::Connection::open(folder(&host).join("INC-1.db")).unwrap().execute_batch(&trigger).unwrap();
    console.type_in("is it still taken?\n");
    console.wait_for("holds the trigger `evil`", SOON);
    let output = host.command(&["run", "-i", "INC-1", "--", "true"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("trigger `evil`"), "{said}");
    let (status, said) = host.run(&["journal", "verify", "INC-1"]);
    assert!(status != 0 && said.contains("trigger `evil`"), "{said}");
    assert!(!has_run(&host));
}

/// A host whose configuration leads to Slack, to a page and to PagerDuty, all of them one recording server.
async fn reaching() -> (Host, Server) {
    let server = Server::start(|_| Reply::json(r#"{"ok":true,"incidents":[],"incident":{"id":"P1"}}"#)).await;
    let host = Host::new();
    let config = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&config).unwrap();
    let url = server.url();
    let text = format!(
        "[slack]\nurl = \"{url}/api\"\nbearer-env = \"TOKEN\"\n[slack-channels]\nstatus = \"C012345678\"\nprefix = \"inc-\"\n\
         [statuspage]\nurl = \"{url}/v1\"\nbearer-env = \"TOKEN\"\n[statuspage-pages]\nexternal = \"outside\"\n\
         [pagerduty]\nurl = \"{url}\"\nbearer-env = \"TOKEN\"\n[pagerduty-services]\nalipay = \"PALIPAY\"\n"
    );
    std::fs::write(config.join("config.toml"), text).unwrap();
    (host, server)
}

fn opened(host: &Host, arguments: &[&str]) -> Plain {
    let mut console = Plain::spawn(host.command(arguments).env("TOKEN", "xoxb-secret").stdin(Stdio::piped()));
    console.ready();
    console
}

/// Texts for everybody, and an incident of another system that is to be ended.
fn deliveries() -> Vec<Event> {
    let queued = |service: &str, target: &str, channel: Option<&str>, act: Act| {
        Event::DeliveryQueued(DeliveryQueued {
            service: service.into(),
            channel: channel.map(|name| serde_json::from_value(json!(name)).unwrap()),
            target: target.into(),
            act,
            text: "all is lost".into(),
            ..DeliveryQueued::default()
        })
    };
    vec![
        queued("slack", "C012345678", Some("status-slack"), Act::Post),
        queued("slack", "C0GENERAL", None, Act::Post),
        queued("statuspage", "outside", Some("external-page"), Act::Post),
        queued("pagerduty", "PALIPAY", None, Act::Resolve),
        Event::StatusUpdatePosted(StatusUpdate { text: "all is lost".into(), ..StatusUpdate::default() }),
    ]
}

#[tokio::test]
async fn a_forged_delivery_leaves_no_console_and_no_drill() {
    let (host, server) = reaching().await;
    let host = tokio::task::spawn_blocking(move || {
        host.declare();
        for arguments in [&["open", "INC-1", "--plain"][..], &["open", "INC-1", "--plain", "--read-only"]] {
            let mut console = opened(&host, arguments);
            for name in [console_of(&host, INC).as_str(), "c00000000"] {
                let queued = forge(&host, INC, name, deliveries());
                let moved = queued.into_iter().map(|delivery| {
                    let to = DeliveryState::Sending;
                    Event::DeliveryMoved(DeliveryMoved { delivery, step: 0, to, is_routine: false })
                });
                forge(&host, INC, name, moved.collect());
            }
            console.type_in(":outbox\n");
            std::thread::sleep(LONG_ENOUGH);
        }
        let drill = IncidentId { series: Series::Drill, number: 1 };
        let mut console = opened(&host, &["gameday", "--plain"]);
        let name = console_of(&host, drill);
        forge(&host, drill, &name, deliveries());
        console.type_in(":outbox\n");
        std::thread::sleep(LONG_ENOUGH);
        host
    });
    drop(host.await.unwrap());
    let asked: Vec<String> = server.requests().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    // At the start of a drill doctor looks, and Slack is asked with POST who the token is.
    let is_question = |asked: &String| asked.starts_with("GET ") || asked == "POST /api/auth.test";
    assert!(asked.iter().all(is_question), "{asked:?}");
}
