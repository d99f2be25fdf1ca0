//! A drill in staging: a real Prometheus, a small service with a switch for its traffic and one for its fault, and the real binary.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::plain::{Host, SOON};
use crate::support::prometheus::{Prometheus, is_installed};
use crate::support::until;

/// An alert that fires as soon as payments pile up.
const RULES: &str = r#"
groups:
  - name: payments
    rules:
      - alert: PaymentsPile
        expr: sum(payments_pending{provider="alipay"}) > 400
        labels: { service: alipay, severity: critical }
        annotations: { summary: "payments pile up" }
"#;

/// A service that exposes how many payments wait: many while a file is there.
fn service(switches: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 2_048]);
            let on = |name: &str| switches.join(name).exists();
            let pending = if on("fault") { 900 } else { 20 } + if on("traffic") { 30 } else { 0 };
            let body = format!("payments_pending{{provider=\"alipay\"}} {pending}\n");
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    address
}

/// An exercise of the shipped alipay playbook whose traffic and fault are two files.
fn exercise(host: &Host, switches: &Path) -> String {
    let (status, sketch) = host.run(&["gameday", "new", "alipay"]);
    assert_eq!(status, 0);
    let staged = |id: &str, kind: &str, what: &str, name: &str| {
        let file = switches.join(name).display().to_string();
        format!(
            "\n[[staging]]\nid = \"{id}\"\nkind = \"{kind}\"\nwhat = \"{what}\"\n\
             command = {{ argv = [\"flip\", \"{file}\"], undo = [\"unflip\", \"{file}\"] }}\n"
        )
    };
    let sketch = sketch.replace("at = \"3m\"", "at = \"2s\"");
    let all = sketch
        + &staged("payments", "traffic", "synthetic payments", "traffic")
        + &staged("pile", "fault", "payments pile up", "fault");
    let path = host.home.path().join("pile-up.toml");
    std::fs::write(&path, all).unwrap();
    path.display().to_string()
}

fn configure(host: &Host, text: &str) {
    let folder = host.home.path().join("config/warroom");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), text).unwrap();
}

fn staging(url: &str, marks: &str) -> String {
    format!(
        "[staging]\n{marks}\n[staging.prometheus]\nurl = \"{url}\"\nevery = \"1s\"\n[staging.commands]\nflip = [\"touch\"]\nunflip = [\"rm\"]\n"
    )
}

/// A service with its two switches, and a real Prometheus that scrapes it under an environment's label.
fn scraped(environment: &str) -> (TempDir, Prometheus) {
    let switches = tempfile::tempdir().unwrap();
    let address = service(switches.path().to_owned());
    let prometheus = Prometheus::ruled(&address, ("environment", environment), RULES);
    let is_up = || prometheus.ask("/api/v1/query?query=up")["result"].as_array().is_some_and(|all| !all.is_empty());
    until("the service is scraped", is_up);
    (switches, prometheus)
}

#[test]
fn what_is_not_proved_to_be_staging_is_refused_with_the_way_out() {
    if !is_installed() {
        return;
    }
    let host = Host::new();
    let (switches, prometheus) = scraped("production");
    let exercise = exercise(&host, switches.path());
    let refusal = |config: &str, exercise: &str| {
        configure(&host, config);
        let output = host.command(&["gameday", "run", exercise, "--live", "--plain"]).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        String::from_utf8(output.stderr).unwrap()
    };
    let url = prometheus.url();
    let by_label = "label = \"environment=staging\"";
    for (config, expected) in [
        (String::new(), "no staging environment is configured"),
        (staging(&url, ""), "by which label of all its targets"),
        (staging(&url, "label = \"environment\""), "is no label"),
        (staging(&url, by_label), "some of its targets have environment=\"production\", not staging"),
        (staging(&url, "build-info = 'payments_build_info{env=\"staging\"}'"), "it has no payments_build_info"),
        (staging("http://127.0.0.1:9", by_label), "127.0.0.1:9"),
        // The same place under another name is the same place.
        (
            staging(&url, by_label) + &format!("[prometheus]\nurl = \"{}\"\n", url.replace("127.0.0.1", "localhost")),
            "is no staging: it is [prometheus]",
        ),
        (staging(&url, &format!("{by_label}\nproduction = [\"{url}\"]")), "on the list `production` of [staging]"),
    ] {
        let said = refusal(&config, &exercise);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let bare = host.home.path().join("bare.toml");
    std::fs::write(&bare, host.run(&["gameday", "new", "alipay"]).1).unwrap();
    let said = refusal(&staging(&url, by_label), bare.to_str().unwrap());
    assert!(said.contains("add [[staging]] to its file"), "{said}");
    assert!(host.run(&["list"]).1.trim().is_empty() || !host.run(&["list"]).1.contains("DRILL"));
}

#[test]
fn a_drill_in_staging_puts_its_fault_there_on_a_word_sees_it_on_real_graphs_and_an_abort_takes_it_back() {
    if !is_installed() {
        return;
    }
    let host = Host::new();
    let (switches, prometheus) = scraped("staging");
    let there = |name: &str| switches.path().join(name).exists();
    configure(&host, &staging(&prometheus.url(), "label = \"environment=staging\""));
    let exercise = exercise(&host, switches.path());

    let mut room = host.start(&["gameday", "run", &exercise, "--live", "--plain"]);
    room.wait_for("IN STAGING, at http://127.0.0.1", SOON);
    room.wait_for("Enter starts the drill", SOON);
    room.type_in("\n");
    room.wait_for("all targets have environment=staging", SOON);
    room.ready();
    room.type_in(":staging\n");
    room.wait_for(":staging 1: put there: synthetic payments", SOON);
    room.type_in(":staging 1\n");
    let runs = room.wait_for("runs     touch ", SOON);
    assert!(runs.ends_with("traffic"), "{runs}");
    room.type_in(":confirm payments\n");
    let asked = room.wait_for("write :confirm payments-", SOON);
    assert!(!there("traffic"), "a word was wanted that was made up this time: {asked}");
    room.type_in(":staging 1\n");
    room.confirm();
    until("the traffic", || there("traffic"));
    room.type_in(":staging 2\n");
    room.wait_for("STAGING", SOON);
    room.confirm();
    until("the fault", || there("fault"));
    // Somebody gets in touch, told from the fault on.
    room.wait_for("Say what customers see.", SOON);
    // The console measures there, and an alert of there fires.
    room.type_in(":take ic\n");
    let fired = || prometheus.ask("/api/v1/alerts")["alerts"].as_array().is_some_and(|all| !all.is_empty());
    until("the alert", fired);
    // The charts of an hour step by most of a minute.
    let line = room.said_or_says("payments pending BREACHED", Duration::from_secs(90));
    assert!(line.contains("930"), "{line}");
    until("the alert's clock", || {
        room.type_in(":alerts\n:link 1\n");
        let (_, shown) = host.run(&["show", "DRILL-1", "--json"]);
        let shown: Value = serde_json::from_str(&shown).unwrap();
        shown["detected_at"].is_string()
    });

    // Whoever joins has it proved anew: by a label that is not there nothing can be done, by the right one all of it.
    let other = host.home.path().join("other.toml");
    std::fs::write(&other, staging(&prometheus.url(), "label = \"environment=other\"")).unwrap();
    let mut joined = host.start(&["open", "DRILL-1", "--plain", "--as", "omar", "--config", other.to_str().unwrap()]);
    joined.wait_for("some of its targets have environment=\"staging\", not other", SOON);
    joined.type_in(":staging\n");
    joined.wait_for("no [staging] of this console's configuration proved to be that place", SOON);
    drop(joined);
    let mut joined = host.start(&["open", "DRILL-1", "--plain", "--as", "omar"]);
    joined.ready();
    let mut offered = String::new();
    until("the proof", || {
        joined.type_in(":staging\n");
        offered = joined.wait_for("taging", SOON);
        offered.contains(":staging 1: TAKE BACK: synthetic payments")
    });
    drop(joined);

    room.type_in(":abort-drill\n");
    room.wait_for("also runs rm ", SOON);
    assert!(there("fault") && there("traffic"));
    room.confirm();
    until("staging is as it was", || !there("fault") && !there("traffic"));
    let debrief = || -> Value { serde_json::from_str(&host.run(&["gameday", "debrief", "--json"]).1).unwrap() };
    until("the record knows", || debrief()["standing"] == serde_json::json!([]));
    room.type_in(":quit\n");
    drop(room);
    let told = debrief();
    assert_eq!((&told["end"], &told["counts"]), (&"abandoned".into(), &false.into()), "{told}");
    assert_eq!(told["standing"], serde_json::json!([]), "all of it was taken back: {told}");
    let (_, record) = host.run(&["show", "DRILL-1"]);
    assert!(record.contains("take back: payments pile up") && record.contains("exit 0"), "{record}");
}

#[test]
fn a_place_that_cannot_prove_any_more_that_it_is_staging_gets_no_fault_and_gives_back_what_it_got() {
    if !is_installed() {
        return;
    }
    let host = Host::new();
    let (switches, mut prometheus) = scraped("staging");
    let there = |name: &str| switches.path().join(name).exists();
    configure(&host, &staging(&prometheus.url(), "label = \"environment=staging\""));
    let exercise = exercise(&host, switches.path());
    let mut room = host.start(&["gameday", "run", &exercise, "--live", "--plain"]);
    room.wait_for("Enter starts the drill", SOON);
    room.type_in("\n");
    room.ready();
    room.type_in(":staging 1\n");
    room.confirm();
    room.wait_for("run synthetic payments: exit 0", SOON);
    assert!(there("traffic"));
    prometheus.kill();
    room.type_in(":staging 2\n");
    room.confirm();
    room.wait_for("NOT STARTED", SOON);
    assert!(!there("fault"));
    // What is there is taken back all the same.
    room.type_in(":abort-drill\n");
    room.confirm();
    room.wait_for("phase Closed", SOON);
    assert!(!there("traffic"));
}
