//! GameDay: exercises listed, played at sixty times the speed, and debriefed.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::plain::{Host, Plain, SOON};
use crate::reach_story::{SECRETS, Systems};
use crate::support::alertmanager::{Running, is_installed};
use crate::support::http::Request;
use crate::support::prometheus::{Prometheus, encoded, get, is_installed as is_prometheus_installed};
use warroom::playbook::Catalogue;

#[test]
fn an_exercise_is_played_with_its_injects_a_hint_and_a_debrief_and_then_stands_in_the_list() {
    let host = Host::new();
    let (status, listed) = host.run(&["gameday", "list"]);
    assert_eq!(status, 0, "{listed}");
    assert_eq!(listed.matches("DUE NOW").count(), 4, "{listed}");
    let (_, brief) = host.run(&["gameday", "brief", "yoomonea-regional-outage"]);
    assert!(brief.contains("It went well when\n- an Incident Commander"), "{brief}");

    let mut room = host.start(&["gameday", "run", "blubank-settlement-failure", "--speed", "60", "--plain"]);
    room.ready();
    // Somebody joins: the same world, and each of its people is heard once.
    let mut guest = host.start(&["open", "DRILL-1", "--plain", "--as", "omid"]);
    guest.ready();
    room.type_in(":take ic\n:ack\n:pre-brief\n");
    room.wait_for("Goals", SOON);
    // Three minutes of the drill are three seconds.
    room.wait_for("four merchants ask where their money", SOON);
    room.type_in(":hint\n");
    room.wait_for("Is it load or a stuck consumer?", SOON);
    guest.wait_for("four merchants ask where their money", SOON);
    guest.type_in(":check 5\n");
    room.wait_for("You are sending us the same transfers again", SOON);
    room.type_in(":debrief\n");
    room.wait_for("MISSED** the stuck batch was paused before", SOON);
    room.wait_for("## Wrong turns", SOON);
    drop((room, guest));

    let (_, told) = host.run(&["gameday", "debrief", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["drill"], &told["end"]), (&"DRILL-1".into(), &"running".into()), "{told}");
    assert_eq!(told["criteria"][0]["verdict"], "met", "{told}");
    assert!(told["hints"].as_u64().unwrap() >= 1, "{told}");
    let (_, record) = host.run(&["show", "DRILL-1"]);
    assert_eq!(record.matches("four merchants ask").count(), 1, "once, however often the world says it: {record}");
    let (_, out) = host.run(&["gameday", "debrief", "DRILL-1", "--out", host.home.path().to_str().unwrap()]);
    assert!(std::fs::read_to_string(out.trim()).unwrap().starts_with("# Debrief of DRILL-1"));
    let (again, _) = host.run(&["gameday", "debrief", "DRILL-1", "--out", host.home.path().to_str().unwrap()]);
    assert_eq!(again, 1, "what was filled in is not overwritten");
    let (_, report) = host.run(&["report"]);
    assert!(report.contains("GameDay     0 % (0 of 4 exercises in staging within their time; target 100 %); 0 in staging, 0 practised, 1 not finished"), "{report}");
}

#[test]
fn alone_a_room_has_the_exercise_play_its_expert_who_calls_back_in_time_and_once() {
    let host = Host::new();
    let mut room = host.start(&["gameday", "run", "blubank-settlement-failure", "--speed", "60", "--plain"]);
    room.ready();
    let mut guest = host.start(&["open", "DRILL-1", "--plain", "--as", "omid"]);
    guest.ready();
    room.type_in(":take ic\n:take scribe\n:ack\n:drill\n");
    room.wait_for(":drill 4: stand-in", SOON);
    room.type_in(":drill 4\n");
    room.wait_for(":stand-in 1: Communications Lead    li: support lead", SOON);
    room.type_in(":stand-in 2\n");
    guest.wait_for("leila is Subject Matter Expert, played by the exercise", SOON);
    room.type_in(":who\n");
    room.wait_for("SME leila (played by the exercise)", SOON);
    room.type_in("@leila read the worker logs 5m\n");
    let told = "call-back: @leila read the worker logs · done: every worker waits for the lock";
    let line = guest.wait_for(told, SOON);
    assert!(line.contains("(leila"), "in her own name: {line}");
    room.wait_for(told, SOON);
    // What she says follows what was done.
    room.type_in("@leila restart the workers 4m\n");
    room.wait_for("BLOCKED: not while the batch runs", SOON);
    room.type_in(":check 4\n@leila restart the workers 3m\n");
    room.wait_for("BLOCKED: with the batch paused a restart is safe", SOON);
    guest.type_in(":take sme\n");
    room.wait_for("omid is Subject Matter Expert", SOON);
    for _ in 0..4 {
        room.type_in(":hint\n");
    }
    room.wait_for("no more hints for now", SOON);
    drop((room, guest));
    let (_, told) = host.run(&["gameday", "debrief", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["stand_ins"], serde_json::json!([{ "role": "sme", "played_by_exercise": "leila" }]), "{told}");
    let (_, text) = host.run(&["gameday", "debrief"]);
    assert!(text.contains("\nSME played by the exercise: leila.\n"), "{text}");
    let (_, record) = host.run(&["show", "DRILL-1"]);
    assert_eq!(record.matches("every worker waits").count(), 1, "{record}");
    assert!(record.contains("SME           omid since"), "{record}");
}

#[test]
fn a_facilitator_pauses_a_drill_and_lets_somebody_get_in_touch_at_once() {
    let host = Host::new();
    let mut room = host.start(&["gameday", "run", "alipay-timeout-storm", "--speed", "60", "--plain"]);
    room.ready();
    room.type_in(":pause-drill\n");
    room.wait_for("its clock stands still", SOON);
    // Two minutes of the drill would be two seconds.
    std::thread::sleep(Duration::from_secs(4));
    let (_, record) = host.run(&["show", "DRILL-1"]);
    assert!(!record.contains("eleven shops now"), "nobody gets in touch while it is paused: {record}");
    room.type_in(":inject\n");
    room.wait_for("eleven shops now", SOON);
    room.type_in(":pause-drill\n");
    room.wait_for("paused already", SOON);
    room.type_in(":resume-drill\n");
    room.wait_for("I need to know when this is over", SOON);
    room.type_in(":quit\n");
    drop(room);
    let (_, record) = host.run(&["show", "DRILL-1"]);
    assert_eq!(record.matches("eleven shops now").count(), 1, "brought forward, and not said again: {record}");
}

#[test]
fn exercise_files_are_checked_begun_and_put_into_a_calendar() {
    let host = Host::new();
    let (status, said) = host.run(&["gameday", "check"]);
    assert_eq!((status, said.matches(": fine").count()), (0, 4), "{said}");
    let (_, sketch) = host.run(&["gameday", "new", "alipay"]);
    let file = host.home.path().join("own.toml");
    std::fs::write(&file, &sketch).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(host.run(&["gameday", "check", path]).0, 0);
    std::fs::write(&file, sketch.replace("alipay/route-to-backup", "alipay/nothing").replace("60s", "sixty")).unwrap();
    let (status, said) = host.run(&["gameday", "check", path]);
    assert!(status == 1 && said.contains("own.toml:") && said.contains("no length of time"), "{said}");
    std::fs::write(&file, sketch.replace("objective = \"alipay/pool\"", "objective = \"alipay/poll\"")).unwrap();
    let (status, said) = host.run(&["gameday", "check", path]);
    assert!(status == 1 && said.contains("no playbook has the objective `alipay/poll`"), "{said}");
    let (_, calendar) = host.run(&["gameday", "calendar"]);
    assert_eq!(calendar.matches("BEGIN:VEVENT").count(), 4, "{calendar}");
    let (status, _) = host.run(&["gameday", "new", "nothing"]);
    assert_eq!(status, 2);
}

#[test]
fn a_drill_that_is_closed_before_its_end_is_abandoned_and_still_due() {
    let host = Host::new();
    let (status, said) = host.script(&["gameday", "--plain"], ":take ic\n:ack\n:abort-drill\n:abort-drill 2\n:quit\n");
    assert_eq!(status, 0, "{said}");
    let (_, told) = host.run(&["gameday", "debrief"]);
    assert!(told.contains("abandoned. 1 of 8 success criteria met"), "{told}");
    let (_, listed) = host.run(&["gameday", "list"]);
    assert!(listed.contains("never practised, 1 abandoned"), "{listed}");
}

#[test]
fn a_drill_that_begins_while_an_incident_is_open_says_so() {
    let host = Host::new();
    host.run(&["declare", "-s", "blubank", "--severity", "sev1", "queue grows"]);
    let (_, said) = host.script(&["gameday", "--plain"], ":quit\n");
    assert!(said.contains("INC-1 is open on this host, and no drill: it comes first"), "{said}");
}

#[tokio::test]
async fn a_drill_reaches_nobody_outside_though_every_system_is_configured() {
    let systems = Systems::start().await;
    let host = Host::new();
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    // Nobody listens where the alerts would come from.
    std::fs::write(folder.join("config.toml"), systems.config("http://127.0.0.1:9", "http://127.0.0.1:9")).unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        let mut command = host.command(&["gameday", "run", "alipay-timeout-storm", "--speed", "30", "--plain"]);
        let mut room = Plain::spawn(command.envs(SECRETS).stdin(Stdio::piped()));
        room.ready();
        room.type_in(
            ":take ic\n:take comms\n:take sme\n:take scribe\n:ack\n:update we know and look into it\n:open-channel\n",
        );
        room.type_in(
            ":page dana, bob PAGE\n:silence! service=alipay 30m why not\n:severity sev1\ntodo: raise the pool\n",
        );
        room.type_in(":check 4\n:check 5\n");
        room.wait_for("step ✓ Route traffic to the backup provider", SOON);
        room.wait_for("eleven shops now", SOON);
        std::thread::sleep(Duration::from_secs(3));
        room.type_in(":outbox\n:quit\n");
        drop(room);
        systems
    });
    let systems = ended.await.unwrap();
    // Doctor looks at the start of every drill: it asks, and asks for nothing to be done.
    const ASKS: [&str; 4] = ["auth.test", "conversations.info", "conversations.list", "users.lookupByEmail"];
    for server in &systems.servers {
        let acts = |request: &Request| request.method != "GET" && !ASKS.iter().any(|one| request.path.ends_with(one));
        let acted: Vec<_> = server.requests().into_iter().filter(acts).map(|one| (one.method, one.path)).collect();
        assert_eq!(acted, [], "{}", server.url());
    }
}

#[test]
fn a_real_alert_breaks_through_a_drill() {
    if !is_installed() {
        return;
    }
    let alertmanager = Running::alertmanager();
    let host = Host::new();
    let url = alertmanager.url();
    let mut room = host.start(&["gameday", "--plain", "--alertmanager", &url]);
    room.ready();
    let alert = r#"[{"labels":{"alertname":"CardsDown","service":"blubank","severity":"critical"}}]"#;
    assert_eq!(alertmanager.post("/api/v2/alerts", alert).0, 200);
    let line = room.wait_for("REAL ALERT: CardsDown", Duration::from_secs(90));
    assert!(line.contains("this is a drill"), "{line}");
}

/// A served world; it ends with the test.
struct Serving {
    child: std::process::Child,
    url: String,
}

impl Serving {
    fn start(host: &Host, arguments: &[&str]) -> Self {
        use std::io::BufRead as _;
        let mut command = host.command(&[&["gameday", "serve", "--address", "127.0.0.1:0"], arguments].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().rsplit(' ').next().unwrap().to_owned() }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_second_console_sees_a_served_world_as_a_prometheus_and_a_jaeger() {
    let host = Host::new();
    let served = Serving::start(&host, &["blubank-settlement-failure", "--seed", "7"]);
    host.run(&["declare", "-s", "blubank", "--severity", "sev2", "queue grows"]);
    let mut console = host.start(&["open", "INC-1", "--plain", "--prometheus", &served.url, "--jaeger", &served.url]);
    console.ready();
    console.wait_for("prometheus answers", SOON);
    // Jaeger answers before or after it.
    std::thread::sleep(Duration::from_secs(3));
    console.type_in(":slo\n:spans\n");
    let line = console.wait_for("queue backlog", SOON);
    assert!(line.contains("BREACHED"), "{line}");
    console.wait_for("409 batch 20260-114 is locked", SOON);
}

#[test]
fn a_served_world_answers_the_playbooks_queries_and_refuses_others_in_words() {
    let host = Host::new();
    let served = Serving::start(&host, &[]);
    let port: u16 = served.url.rsplit(':').next().unwrap().parse().unwrap();
    let get = |path: &str| get(port, path).unwrap();
    let (status, body) = get("/api/v1/query?query=up");
    assert!(status == 422 && body.contains("no PromQL engine"), "{status} {body}");
    let (status, body) = get("/api/v1/query?query=sum(payments_pending%7Bprovider%3D%22alipay%22%7D)");
    let told: Value = serde_json::from_str(&body).unwrap();
    let value: f64 = told["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!(status == 200 && value > 0.0, "{body}");
    let (_, metrics) = get("/metrics");
    assert!(metrics.contains("warroom_objective_value{service=\"alipay\",objective=\"pending\"} "), "{metrics}");
    assert_eq!(get("/api/v1/query_range?query=x&start=1&end=0&step=1").0, 422);
    assert_eq!(get("/api/traces").0, 400);
    assert_eq!(get("/nothing").0, 404);
}

/// The newest value of a query, if there is one.
fn newest(port: u16, query: &str, at: f64) -> Option<f64> {
    let path = format!("/api/v1/query?query={}&time={at:.3}", encoded(query));
    let (status, body) = get(port, &path)?;
    assert_eq!(status, 200, "{query}: {body}");
    let told: Value = serde_json::from_str(&body).unwrap();
    told["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

#[test]
fn a_real_prometheus_that_scrapes_computes_what_the_consoles_show() {
    if !is_prometheus_installed() {
        return;
    }
    let host = Host::new();
    let own = host.home.path().join("config/warroom/playbooks");
    std::fs::create_dir_all(&own).unwrap();
    let catalogue = Catalogue::shipped();
    let exercises = [
        ("alipay-timeout-storm", "alipay", "upstream_.*|payments_.*|alipay_.*"),
        ("blubank-settlement-failure", "blubank", "queue_.*|settlement.*"),
        ("yoomonea-regional-outage", "yoomonea", ".*"),
        ("qrpay-web-cache-eviction", "qrpay-web", "(http|laravel|redis|checkouts)_.*"),
    ];
    for (_, service, _) in exercises {
        // Half a minute instead of five: nobody waits that long for a test.
        let text = std::fs::read_to_string(format!("playbooks/{service}.toml")).unwrap();
        let text = text.replace("[[objectives]]\n", "[[objectives]]\nwindow = \"30s\"\n");
        std::fs::write(own.join(format!("{service}.toml")), text).unwrap();
    }
    let servers = exercises.map(|(exercise, ..)| Serving::start(&host, &[exercise, "--seed", "3"]));
    let targets: Vec<_> = servers
        .iter()
        .zip(exercises)
        .map(|(server, (_, _, keep))| (server.url.trim_start_matches("http://"), keep))
        .collect();
    let prometheus = Prometheus::scraping(&targets);
    std::thread::sleep(Duration::from_secs(38));
    let now = warroom::run::clock::wall().timestamp_millis() as f64 / 1000.0 - 1.0;
    let mut compared = 0;
    for (server, (exercise, service, _)) in servers.iter().zip(exercises) {
        let port: u16 = server.url.rsplit(':').next().unwrap().parse().unwrap();
        for objective in &catalogue.get(service).unwrap().objectives {
            let query = objective.query("30s");
            let computed = newest(prometheus.port, &query, now);
            // The world goes in ticks of ten seconds, and a scrape is up to a second late.
            let shown: Vec<f64> =
                [-12.0, -8.0, -4.0, 0.0].iter().map(|before| newest(port, &query, now + before).unwrap()).collect();
            let (least, most) =
                shown.iter().fold((f64::MAX, 0.0_f64), |(least, most), value| (least.min(*value), most.max(*value)));
            let computed = computed.unwrap_or_else(|| panic!("{exercise}: nothing for {query}"));
            assert!(
                computed >= least * 0.93 && computed <= most * 1.07,
                "{exercise}, {}: Prometheus computes {computed}, the console shows {shown:?}",
                objective.id
            );
            compared += 1;
        }
    }
    assert_eq!(compared, 21);
}

#[test]
fn each_line_of_a_drill_says_so_where_there_is_no_frame() {
    let host = Host::new();
    let (_, said) = host.script(&["gameday", "--plain"], ":take ic\nhello there\n:slo\n:quit\n");
    let unmarked: Vec<_> = said.lines().filter(|line| !line.starts_with("DRILL")).collect();
    assert!(said.contains("DRILL ") && said.contains("hello there"), "{said}");
    assert!(unmarked.is_empty(), "{unmarked:#?}");
}
